"""Standoff annotation of the brat tool: a text file, and beside it an .ann file with lines `T1<tab>X 0 5<tab>Rome`."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from ossamma_spacy.corpora.document import AnnotatedText, Merge, merge_spans, substitute
from ossamma_spacy.corpora.lines import CorpusError, read_lines

ENTITY = re.compile(r"&#?\w+;")
TEXT_BOUND = re.compile(r"T\d+\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)")


def read_brat(path: Path, *, merge: Merge | None = None, html: bool = False) -> Iterator[AnnotatedText]:
    """Yield the document of a .txt file with its .ann file; spans in several parts are unclear.

    `merge` as in `merge_spans`; `html`: the text has HTML's entities.

    Raises CorpusError, naming file and line, for a text without an .ann file, a line that cannot be read, a span that
    leaves the text or whose text differs, and what is not UTF-8.
    """
    text = "\n".join(line for _, line in read_lines(path))
    annotations = path.with_suffix(".ann")
    if not annotations.is_file():
        raise CorpusError(f"{path}: no {annotations.name} beside it; a text without entities has an empty one")
    spans, unclear = [], []
    for number, line in read_lines(annotations):
        if not line.startswith("T"):
            continue  # relations, events, references, notes
        match = TEXT_BOUND.fullmatch(line)
        if match is None:
            raise CorpusError(f"{annotations}:{number}: {line[:60]!r}, expected 'T1<tab>label start end<tab>text'")
        label, offsets, quoted = match.groups()
        parts = [tuple(map(int, part.split())) for part in offsets.split(";")]
        found = " ".join(text[start:end] for start, end in parts)
        if found.split() != quoted.split():
            raise CorpusError(f"{annotations}:{number}: the text has {found[:60]!r} at {offsets}, not {quoted[:60]!r}")
        start, end = min(start for start, _ in parts), max(end for _, end in parts)
        if len(parts) == 1:
            spans.append((start, end, label))
        else:
            unclear.append((start, end))
    document = AnnotatedText(text, tuple(sorted(spans)), where=annotations.name, unclear=tuple(unclear))
    document = substitute(document, ENTITY, lambda entity: unescape(entity[0])) if html else document
    yield merge_spans(document, merge) if merge else document
