"""Token-per-line files with entity tags: IOB1, IOB2, BIOES, BILUO."""

import lzma
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PREFIXES = "BIOESLU"


class CorpusError(ValueError):
    """A file that cannot be read as what it should be; names file and line."""


@dataclass
class Sentence:
    """Tokens and their tags in IOB2."""

    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


@dataclass
class IobReport:
    """What a reader had to decide: lines of `I-X` (or E-, L-) that continued nothing and were read as `B-X`."""

    repaired: list[int] = field(default_factory=list)


def read_iob(
    path: Path,
    *,
    token_column: int = 0,
    tag_column: int = -1,
    delimiter: str | None = None,
    report: IobReport | None = None,
) -> Iterator[list[Sentence]]:
    """Yield documents as lists of sentences; without -DOCSTART- lines each sentence is a document.

    Sentences are parted by blank lines, columns by `delimiter` (None: any white space). `.xz` files are read as they
    are. An `I-X` that continues no entity of X begins one, as in IOB1, and is noted in `report`. Raises CorpusError,
    naming file and line, for a missing column, an unknown prefix, an empty label or a file that is not UTF-8.
    """
    document: list[Sentence] = []
    sentence, previous, marked = Sentence(), "O", False
    for number, line in enumerate(_lines(path), start=1):
        if line.startswith("-DOCSTART-"):
            marked = True
            if document:
                yield document
            document = []
            continue
        if not line.strip():
            if sentence.tokens:
                document.append(sentence)
                if not marked:
                    yield document
                    document = []
            sentence, previous = Sentence(), "O"
            continue
        columns = line.split() if delimiter is None else line.split(delimiter)
        if len(columns) <= max(token_column, tag_column if tag_column >= 0 else 1 + token_column):
            raise CorpusError(f"{path}:{number}: {len(columns)} column(s) in {line[:60]!r}, expected a token and a tag")
        tag = _to_iob2(columns[tag_column].strip(), previous, f"{path}:{number}")
        if report is not None and tag[0] == "B" and columns[tag_column].strip()[0] not in "BSU":
            report.repaired.append(number)
        sentence.tokens.append(columns[token_column])
        sentence.tags.append(tag)
        # an entity that E-, L-, S- or U- closed is not continued
        previous = "O" if columns[tag_column].strip()[0] in "ELSU" else tag
    if sentence.tokens:
        document.append(sentence)
    if document:
        yield document


def _lines(path: Path) -> Iterator[str]:
    try:
        if path.suffix == ".xz":
            with lzma.open(path, "rt", encoding="utf-8-sig") as file:
                yield from (line.rstrip("\r\n") for line in file)
        else:
            with path.open(encoding="utf-8-sig") as file:
                yield from (line.rstrip("\r\n") for line in file)
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save the file as UTF-8"
        ) from error


def _to_iob2(tag: str, previous: str, where: str) -> str:
    if tag == "O":
        return tag
    prefix, _, label = tag.partition("-")
    if len(prefix) != 1 or prefix not in PREFIXES or prefix == "O" or not label:
        raise CorpusError(f"{where}: tag {tag!r}, expected O or a label after B-, I-, E-, S-, L- or U-")
    continues = prefix in "IEL" and previous[2:] == label
    return f"{'I' if continues else 'B'}-{label}"
