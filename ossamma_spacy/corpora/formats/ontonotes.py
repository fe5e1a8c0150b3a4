"""OntoNotes 5.0, which its licence keeps to those who have it: as CoNLL-2012 lays it out, and as it was published."""

import re
from collections.abc import Iterator
from html import unescape as unescape_entities
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from ossamma_spacy.corpora.document import AnnotatedText, Sentence, from_tokens
from ossamma_spacy.corpora.lines import CorpusError, read_lines
from ossamma_spacy.corpora.spacing import spaces_after, unescape
from ossamma_spacy.corpora.tags import untagged

BEGIN, END = "#begin document", "#end document"
WORD, PART_OF_SPEECH, NAME = 3, 4, 10  # columns
COLUMNS = 12  # at least
NO_WORD = "[WORD]"
HYPHEN = "HYPH"
NO_NAMES = ("pt/",)  # parts of the corpus whose names are not marked: the New Testament
BRACKETS = re.compile(r"(?:\((\w+))?\*?(\))?")
SPOKEN = re.compile(r"/([.,?!:;-]+)")  # punctuation as transcribers wrote it

DOCUMENT = re.compile(r"<DOC\b[^>]*>\s*")
OPENING, CLOSING = r"<ENAMEX\b[^>]*>", r"</ENAMEX>"


class Row(NamedTuple):
    """A token, its tag in IOB2, and whether it is a hyphen within a word."""

    token: str
    tag: str
    hyphen: bool


def read_ontonotes(path: Path) -> Iterator[AnnotatedText]:
    """Yield the documents of a file in one of the two layouts, which the end of its name tells.

    Raises CorpusError for a file with another name, and as `read_gold_conll` and `read_name_file` do.
    """
    if path.suffix == ".name":
        yield read_name_file(path)
    elif path.name.endswith("gold_conll"):
        yield from read_gold_conll(path)
    else:
        raise CorpusError(f"{path}:1: expected a file whose name ends in gold_conll or .name")


def read_gold_conll(path: Path) -> Iterator[AnnotatedText]:
    """Yield the parts of a file of CoNLL-2012, save those of documents without marked names.

    Raises CorpusError, naming file and line, for a file that ends within a document or sentences that end within a
    name, lines outside documents or with too few columns, words that were never filled in, brackets that are none, and
    what is not UTF-8.
    """
    document: list[list[Row]] | None = None
    rows: list[Row] = []
    start, name, label, number = 0, "", "", 0
    for number, line in read_lines(path):
        where = f"{path}:{number}"
        if line.startswith(BEGIN):
            document, start, name = [], number, line.removeprefix(BEGIN).strip(" (")
        elif line.startswith(END) or not line.strip():
            if label:
                raise CorpusError(f"{where}: the sentence ends within a name ({label}), expected its ')'")
            if document is not None and rows:
                document.append(rows)
            rows = []
            if line.strip():
                if document and not name.startswith(NO_NAMES):
                    yield from_tokens([_sentence(rows) for rows in document], where=f"{path.name}:{start}")
                document = None
        elif document is None:
            raise CorpusError(f"{where}: {line[:60]!r} outside documents, expected '{BEGIN} (…)'")
        else:
            label = _add(rows, line.split(), label, where)
    if document is not None:
        raise CorpusError(f"{path}:{number}: the file ends within a document, expected '{END}'; it may be truncated")


def _add(rows: list[Row], columns: list[str], label: str, where: str) -> str:
    """Add the token of a line; return the label of the name that goes on after it, "" for none."""
    if len(columns) < COLUMNS:
        raise CorpusError(f"{where}: {len(columns)} column(s), expected at least {COLUMNS}")
    if columns[WORD] == NO_WORD:
        raise CorpusError(f"{where}: {NO_WORD} for a word; fill them in from OntoNotes by CoNLL-2012's skeleton2conll")
    match = BRACKETS.fullmatch(columns[NAME])
    if match is None or (match[1] and label) or (match[2] and not (match[1] or label)):
        raise CorpusError(f"{where}: {columns[NAME]!r} in the column of names, expected (LABEL*, *, *) or (LABEL)")
    tag = f"B-{match[1]}" if match[1] else f"I-{label}" if label else "O"
    rows.append(Row(SPOKEN.sub(r"\1", columns[WORD]), tag, columns[PART_OF_SPEECH] == HYPHEN))
    return "" if match[2] else match[1] or label


def _sentence(rows: list[Row]) -> Sentence:
    spaces = spaces_after([row.token for row in rows])
    for i, row in enumerate(rows):
        if row.hyphen and i:
            spaces[i - 1] = False
            spaces[i] = rows[min(i + 1, len(rows) - 1)].token in ("and", "or", "to")
    return Sentence([unescape(row.token) for row in rows], [row.tag for row in rows], spaces)


def read_name_file(path: Path) -> AnnotatedText:
    """The document of a `.name` file, in which each line is a sentence and `<ENAMEX TYPE="…">` marks names.

    Of names in one another the outer one counts. Raises CorpusError, naming file and line, for a file that does not
    begin with <DOC …> and end with </DOC>, tags that open or close nothing, a name without TYPE, and what is not UTF-8.
    """
    sentences: list[Sentence] = []
    lines = [(number, line) for number, line in read_lines(path) if line.strip()]
    if not lines or not DOCUMENT.fullmatch(lines[0][1]):
        raise CorpusError(f'{path}:1: expected <DOC DOCNO="…"> on the first line')
    if lines[-1][1].strip() != "</DOC>":
        raise CorpusError(f"{path}:{lines[-1][0]}: expected </DOC> on the last line; the file may be truncated")
    for number, line in lines[1:-1]:
        sentences.append(_tagged_sentence(line, f"{path}:{number}"))
    return from_tokens(sentences, where=f"{path.name}:1")


def _tagged_sentence(line: str, where: str) -> Sentence:
    plain, found = untagged(line, OPENING, CLOSING, where)
    names: list[tuple[int, int, str]] = []  # S_OFF and E_OFF are characters of its first and last token outside it
    for tagged in found:
        before, behind = (tagged.attributes.get(offset, "0") for offset in ("S_OFF", "E_OFF"))
        if not (before.isdecimal() and behind.isdecimal() and int(before) + int(behind) < tagged.end - tagged.start):
            raise CorpusError(f"{where}: S_OFF {before!r} and E_OFF {behind!r}, expected numbers that leave some text")
        start, end = tagged.start + int(before), tagged.end - int(behind)
        if all(end <= other[0] or other[1] <= start for other in names):
            names.append((start, end, tagged.attribute("TYPE", where)))
    borders = {border for start, end, _ in names for border in (start, end)}
    sentence = Sentence()
    words = [match.span() for match in re.finditer(r"\S+", plain)]
    spaces = spaces_after([_clean(plain[start:end]) for start, end in words], joined="-")
    last = None
    for (start, end), space in zip(words, spaces, strict=True):
        for left, right in pairwise(sorted({start, end, *(border for border in borders if start < border < end)})):
            name = next((name for name in names if name[0] <= left and right <= name[1]), None)
            sentence.tokens.append(unescape(_clean(plain[left:right])))
            sentence.tags.append(f"{'I' if name is last else 'B'}-{name[2]}" if name else "O")
            sentence.spaces.append(space and right == end)
            last = name
    return sentence


def _clean(token: str) -> str:
    return SPOKEN.sub(r"\1", unescape_entities(token).replace("-AMP-", "&"))
