"""Inline markup of entities: `[Marie Curie](PERSON) was born in [Warsaw](PLACE).`

A file holds documents parted by blank lines, one sentence a line; lines that begin with `#` are comments.
A backslash makes the next character literal: `\\[`, `\\]`, `\\#`, `\\\\`.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.lines import CorpusError, read_lines

TOKEN = re.compile(r"\\(.)|\[((?:\\.|[^\[\]\\])*)\]\(([^\s\[\]()]*)\)|([\[\]\\])|([^\[\]\\]+)", re.DOTALL)


def parse_sentence(line: str) -> tuple[str, list[tuple[int, int, str]]]:
    """Split one marked line into its plain text and its spans `(start, end, label)`.

    Raises CorpusError for an unbalanced bracket, an empty span or label, or a span with space at its border.
    """
    text, spans = "", []
    for match in TOKEN.finditer(line):
        escaped, inner, label, stray, plain = match.groups()
        if stray:
            raise CorpusError(
                f"column {match.start() + 1}: '{stray}' opens or closes no entity; "
                f"write [text](LABEL), or \\{stray} for the character itself"
            )
        if inner is None:
            text += escaped or plain
            continue
        entity = re.sub(r"\\(.)", r"\1", inner)
        if not entity or entity != entity.strip() or not label:
            raise CorpusError(
                f"column {match.start() + 1}: [{entity}]({label}) needs a text that no space borders, and a label"
            )
        spans.append((len(text), len(text) + len(entity), label))
        text += entity
    return text, spans


def read_markup(path: Path) -> Iterator[AnnotatedText]:
    """Yield the documents of a marked file.

    Raises CorpusError naming file and line where the markup is broken or the file is not UTF-8.
    """
    block: list[tuple[int, str]] = []
    for number, raw in chain(read_lines(path), [(0, "")]):
        line = raw.strip()
        if line.startswith("#"):
            continue
        if line:
            block.append((number, line))
        elif block:
            yield _document(path, block)
            block = []


def _document(path: Path, block: list[tuple[int, str]]) -> AnnotatedText:
    text, spans, starts = "", [], []
    for number, line in block:
        try:
            sentence, found = parse_sentence(line)
        except CorpusError as error:
            raise CorpusError(f"{path}:{number}: {error}") from error
        if text:
            text += " "
        starts.append(len(text))
        spans += [(start + len(text), end + len(text), label) for start, end, label in found]
        text += sentence
    return AnnotatedText(text, tuple(spans), tuple(starts), f"{path.name}:{block[0][0]}")
