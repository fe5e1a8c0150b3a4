"""JSON lines of texts with entities as character offsets: {"text": …, "entities": [[start, end, label], …]}."""

import json
import lzma
from collections.abc import Iterator
from pathlib import Path

from ossamma_spacy.corpora.iob import CorpusError
from ossamma_spacy.corpora.markup import Marked


def read_jsonl(path: Path) -> Iterator[Marked]:
    """Yield the documents of a JSON-lines file (also .xz); other keys are left aside.

    Raises CorpusError, naming file and line, for what is no such object, and for a span outside its text, empty, or
    overlapping another.
    """
    with lzma.open(path, "rb") if path.suffix == ".xz" else path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if raw.strip():
                yield _document(raw, f"{path}:{number}", number)


def _document(raw: bytes, where: str, number: int) -> Marked:
    try:
        record = json.loads(raw)
        text = record["text"]
        spans = sorted((int(start), int(end), str(label)) for start, end, label in record["entities"])
    except (ValueError, KeyError, TypeError) as error:
        form = '{"text": …, "entities": [[start, end, label], …]}'
        raise CorpusError(f"{where}: expected {form}, got {raw[:60]!r} ({error})") from error
    last = 0
    for start, end, label in spans:
        if not last <= start < end <= len(text) or not label:
            raise CorpusError(
                f"{where}: span [{start}, {end}, {label!r}] is empty, overlaps another or leaves the text of "
                f"{len(text)} characters"
            )
        last = end
    return Marked(text, tuple(spans), line=number)
