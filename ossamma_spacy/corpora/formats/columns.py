"""Token-per-line files with entity tags: IOB1, IOB2, IO, BIOES, BILUO, in columns."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from ossamma_spacy.corpora.document import AnnotatedText, Sentence, from_tokens
from ossamma_spacy.corpora.lines import CorpusError, mended, read_lines
from ossamma_spacy.corpora.records import expected
from ossamma_spacy.corpora.spacing import spaces_in

PREFIXES = "BIESLU"
DECADE = re.compile(r".*\d0", re.DOTALL)
CONTRACTION = re.compile(r" (?=(?:n['’]t|['’](?:s|m|re|ve|ll|d))\b)", re.IGNORECASE)  # treebanks write its parts apart


@dataclass(frozen=True)
class Layout:
    """How a file lays out its tokens.

    token, tag: their columns, from 0; -1 is the last. sentence: a column whose values number the sentences, where blank
        lines do not part them. stop: the token that ends sentences where nothing parts them. separator: what parts
        columns, spaces or tabs if empty; at "," CSV's quotes count.
    document: what the line begins with that opens a document; "" if none does. whole: the file is one document.
    comment: what a line begins with that holds no token. text: what a comment begins with that goes on with the
        sentence as it was written. header: lines before the first token. strip: what stands before each token and does
        not belong to it. glue: a token that the next one goes on from, such as "@" before a name, and so on over "_".
        html: tokens have HTML's entities. mojibake: tokens hold UTF-8 that was read as Windows-1252.
        plural: an "s" by itself ends the word or the decade before it; decades: the decade only.
    bare: tags are labels without prefixes; neighbours of one label are one entity. label: of tags that are a prefix
        alone. ragged: lines may have more columns than others. lenient: a sentence with a broken line is left out and
        reported, not refused.
    """

    token: int = 0
    tag: int = -1
    sentence: int | None = None
    stop: str = ""
    separator: str = ""
    document: str = "-DOCSTART-"
    whole: bool = False
    comment: str = ""
    text: str = ""
    header: int = 0
    strip: str = ""
    glue: str = ""
    html: bool = False
    mojibake: bool = False
    plural: bool = False
    decades: bool = False
    bare: bool = False
    label: str = ""
    ragged: bool = False
    lenient: bool = False


@dataclass
class ColumnsReport:
    """What a reader had to decide.

    repaired: lines of `I-X` (or E-, L-) that continued nothing and were read as `B-X`. broken: lines that could not be
    read, whose sentences were left out.
    """

    repaired: list[int] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)


def read_columns(
    path: Path, *, joined: str = "", skipped: list[str] | None = None, **layout: Any
) -> Iterator[AnnotatedText]:
    """Yield the documents of a file as text; `layout` as in `Layout`, `joined` as in `spaces_after`.

    `skipped` is filled with where sentences were left out.
    """
    report = ColumnsReport()
    for document in read_documents(path, Layout(**layout), report=report):
        yield from_tokens(document, joined, f"{path.name}:{document[0].line}")
    if skipped is not None:
        skipped += [f"{path.name}:{line}" for line in report.broken]


def read_documents(
    path: Path, layout: Layout | None = None, *, n_sents: int = 0, report: ColumnsReport | None = None
) -> Iterator[list[Sentence]]:
    """Yield documents as lists of sentences; where no line opens documents each sentence is one.

    `n_sents` > 0 cuts documents into pieces of so many sentences, and joins sentences where no line opens documents.
    `.xz` files are read as they are. An `I-X` that continues no entity of X begins one, as in IOB1, and is noted in
    `report`. Raises CorpusError, naming file and line, for another number of columns than in the lines before, an
    unknown prefix, an empty label, an entity's tag without a token, a carriage return within a line or what is not
    UTF-8.
    """
    document: list[Sentence] = []
    layout = layout or Layout()
    marked = layout.whole
    for sentence in _sentences(path, layout, report or ColumnsReport()):
        if sentence is None:
            marked = True
            if document:
                yield document
            document = []
            continue
        document.append(sentence)
        if len(document) == n_sents or not (marked or n_sents):
            yield document
            document = []
    if document:
        yield document


def _sentences(path: Path, layout: Layout, report: ColumnsReport) -> Iterator[Sentence | None]:
    """The sentences of a file, None where a document begins."""
    reader = _TokenReader(layout, report)
    sentence, broken, name, text = Sentence(), False, "", ""
    for number, line in read_lines(path):
        starts_document = bool(layout.document) and line.startswith(layout.document)
        if layout.text and line.startswith(layout.text):
            text = CONTRACTION.sub("", line.removeprefix(layout.text))
        if number <= layout.header or (layout.comment and line.startswith(layout.comment) and not starts_document):
            continue
        columns = reader.columns(line, f"{path}:{number}")
        begins = columns[layout.sentence] if layout.sentence is not None and len(columns) > layout.sentence else ""
        tagged = len(columns) >= reader.needed and columns[layout.tag] not in ("", "O")
        without = len(columns) > max(layout.token, 1) and not columns[layout.token]
        blank = not any(columns) or (without and not tagged)
        stopped = bool(layout.stop) and sentence.tokens[-1:] == [layout.stop]
        if starts_document or blank or stopped or begins not in ("", name):
            if sentence.tokens and not broken:
                sentence.spaces = spaces_in(text, sentence.tokens)
                yield sentence
            sentence, broken, name, text = Sentence(), False, begins, ""
            if starts_document:
                yield None
            if starts_document or blank:
                continue
        try:
            reader.add(sentence, columns, f"{path}:{number}", number)
        except CorpusError:
            if not layout.lenient:
                raise
            report.broken.append(number)
            broken = True
    if sentence.tokens and not broken:
        sentence.spaces = spaces_in(text, sentence.tokens)
        yield sentence


class _TokenReader:
    """Reads lines to tokens and IOB2 tags; knows the columns of the lines before."""

    def __init__(self, layout: Layout, report: ColumnsReport) -> None:
        self.layout, self.report = layout, report
        self.width = 0
        self.cut = False  # whether an entity was cut off at the ";" of the token before
        named = (layout.token, layout.tag, layout.sentence or 0)
        self.needed = max(*(c + 1 if c >= 0 else -c for c in named), 2)

    def columns(self, line: str, where: str) -> list[str]:
        if "\r" in line:
            raise CorpusError(f"{where}: a carriage return within {line[:60]!r}; end all lines alike")
        if self.layout.separator == ",":
            with expected("a line of CSV", where):
                return [column.strip() for column in next(csv.reader([line]), [""])]
        if self.layout.separator:
            return [column.strip() for column in line.split(self.layout.separator)]
        return re.split("[ \t]+", line.strip(" \t"))

    def add(self, sentence: Sentence, columns: list[str], where: str, number: int) -> None:
        self.width = self.width or len(columns)
        ragged = len(columns) != self.width and not self.layout.ragged
        if ragged or len(columns) < self.needed:
            wanted = f"{self.width} as in the lines before" if self.width >= self.needed else f"at least {self.needed}"
            raise CorpusError(f"{where}: {len(columns)} column(s) in {' '.join(columns)[:60]!r}, expected {wanted}")
        given = columns[self.layout.tag]
        if not columns[self.layout.token]:
            raise CorpusError(f"{where}: tag {given!r} without a token, expected one")
        tag = self._iob2(given, sentence, where)
        if self.cut and tag[0] == "B" and sentence.tags and sentence.tags[-1][2:] == tag[2:]:
            tag = f"I-{tag[2:]}"
        self.cut = False
        if tag[0] == "B" and given[0] in "IEL" and not self.layout.bare:
            self.report.repaired.append(number)
        token = columns[self.layout.token].removeprefix(self.layout.strip)
        token = unescape(token) if self.layout.html else token
        token = mended(token) if self.layout.mojibake else token
        if self._ends(sentence, token, tag):
            return
        if self._goes_on(sentence, token):
            begun, before = sentence.tokens.pop(), sentence.tags.pop()
            tag = before if tag[0] == "I" or begun != self.layout.glue else tag
            token = begun + token
        sentence.line = sentence.line or number
        sentence.tokens.append(token)
        sentence.tags.append(tag)
        sentence.closed = given[0] in "ESLU" and not self.layout.bare  # is not continued

    def _ends(self, sentence: Sentence, token: str, tag: str) -> bool:
        """Whether a token only ends the one before, where it is put: the "s" of a plural, the ";" of "& amp ;"."""
        before = "".join(sentence.tokens[-1:])
        word = self.layout.plural and before[-1:].isalpha()
        decade = (self.layout.plural or self.layout.decades) and DECADE.fullmatch(before)
        if token == "s" and (word or decade):
            sentence.tokens[-1] += token
            return True
        entity = f"&{before};"
        if self.layout.html and token == ";" and sentence.tokens[-2:-1] == ["&"] and unescape(entity) != entity:
            sentence.tokens[-2:], sentence.tags[-2:] = [unescape(entity)], sentence.tags[-2:-1]
            self.cut = tag == "O"
            return True
        return False

    def _goes_on(self, sentence: Sentence, token: str) -> bool:
        glue, before = self.layout.glue, "".join(sentence.tokens[-1:])
        part = token == "_" or (before.endswith("_") and token.isalnum())
        return bool(glue) and (before == glue or (part and before.startswith(glue)))

    def _iob2(self, tag: str, sentence: Sentence, where: str) -> str:
        if tag == "O":
            return tag
        prefix, _, label = tag.partition("-")
        if self.layout.bare:
            prefix, label = "I", tag
        elif self.layout.label and tag == prefix:
            label = self.layout.label
        if len(prefix) != 1 or prefix not in PREFIXES or not label:
            raise CorpusError(f"{where}: tag {tag!r}, expected O or a label after B-, I-, E-, S-, L- or U-")
        previous = sentence.tags[-1] if sentence.tags and not sentence.closed else "O"
        return f"{'I' if prefix in 'IEL' and previous[2:] == label else 'B'}-{label}"
