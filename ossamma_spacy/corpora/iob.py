"""Token-per-line files with entity tags: IOB1, IOB2, BIOES, BILUO."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ossamma_spacy.corpora.document import Sentence
from ossamma_spacy.corpora.lines import CorpusError, read_lines

PREFIXES = "BIOESLU"


@dataclass
class IobReport:
    """What a reader had to decide: lines of `I-X` (or E-, L-) that continued nothing and were read as `B-X`."""

    repaired: list[int] = field(default_factory=list)


def read_iob(
    path: Path, *, token_column: int = 0, tag_column: int = -1, n_sents: int = 0, report: IobReport | None = None
) -> Iterator[list[Sentence]]:
    """Yield documents as lists of sentences; without -DOCSTART- lines each sentence is a document.

    `n_sents` > 0 cuts documents into pieces of so many sentences, and joins sentences where no -DOCSTART- parts them.
    Sentences are parted by blank lines, columns by spaces or tabs. `.xz` files are read as they are. An `I-X` that
    continues no entity of X begins one, as in IOB1, and is noted in `report`. Raises CorpusError, naming file and line,
    for another number of columns than in the lines before, an unknown prefix, an empty label or what is not UTF-8.
    """
    document: list[Sentence] = []
    sentence, previous, marked, width = Sentence(), "O", False, 0
    for number, line in read_lines(path):
        if line.startswith("-DOCSTART-"):
            marked = True
            if document:
                yield document
            document = []
        elif not line.strip():
            if sentence.tokens:
                document.append(sentence)
                if len(document) == n_sents or not (marked or n_sents):
                    yield document
                    document = []
            sentence, previous = Sentence(), "O"
        else:
            columns = re.split("[ \t]+", line.strip(" \t"))
            width = width or len(columns)
            needed = max(max(c + 1 if c >= 0 else -c for c in (token_column, tag_column)), 2)
            if len(columns) != width or width < needed:
                expected = f"at least {needed}" if width < needed else f"{width} as in the lines before"
                raise CorpusError(f"{path}:{number}: {len(columns)} column(s) in {line[:60]!r}, expected {expected}")
            given = columns[tag_column]
            tag = _to_iob2(given, previous, f"{path}:{number}")
            if report is not None and tag[0] == "B" and given[0] not in "BSU":
                report.repaired.append(number)
            sentence.tokens.append(columns[token_column])
            sentence.tags.append(tag)
            previous = "O" if given[0] in "ELSU" else tag  # what these closed is not continued
    if sentence.tokens:
        document.append(sentence)
    if document:
        yield document


def _to_iob2(tag: str, previous: str, where: str) -> str:
    if tag == "O":
        return tag
    prefix, _, label = tag.partition("-")
    if len(prefix) != 1 or prefix not in PREFIXES or prefix == "O" or not label:
        raise CorpusError(f"{where}: tag {tag!r}, expected O or a label after B-, I-, E-, S-, L- or U-")
    continues = prefix in "IEL" and previous[2:] == label
    return f"{'I' if continues else 'B'}-{label}"
