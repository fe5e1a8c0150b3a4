"""JSON lines of texts with entities as character offsets: {"text": …, "entities": [[start, end, label], …]}."""

import json
from collections.abc import Iterator
from pathlib import Path

from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.lines import CorpusError, read_lines


def read_jsonl(path: Path) -> Iterator[AnnotatedText]:
    """Yield the documents of a JSON-lines file (also .xz); other keys are left aside.

    Raises CorpusError, naming file and line, for what is no such object, and for a span outside its text, empty, or
    overlapping another.
    """
    for number, line in read_lines(path):
        if line.strip():
            yield _document(line, path, number)


def _document(line: str, path: Path, number: int) -> AnnotatedText:
    where = f"{path}:{number}"
    try:
        record = json.loads(line)
        text = record["text"]
        spans = sorted((start, end, label) for start, end, label in record["entities"])
        if not all(type(part) is kind for span in spans for part, kind in zip(span, (int, int, str), strict=True)):
            raise TypeError("offsets are whole numbers, a label is a text")
        if not all(label for _, _, label in spans):
            raise ValueError("a label is empty")
        if not isinstance(text, str):
            raise TypeError("text is a text")
        for part in (text, *(label for _, _, label in spans)):
            part.encode("utf-8")  # half of a character, "\ud83d", is none
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        form = '{"text": …, "entities": [[start, end, label], …]}'
        raise CorpusError(f"{where}: expected {form}, got {line[:60]!r} ({error})") from error
    last = 0
    for start, end, label in spans:
        if not last <= start < end <= len(text):
            raise CorpusError(
                f"{where}: span [{start}, {end}, {label!r}] is empty, overlaps another or leaves the text of "
                f"{len(text)} characters"
            )
        last = end
    return AnnotatedText(text, tuple(spans), where=f"{path.name}:{number}")
