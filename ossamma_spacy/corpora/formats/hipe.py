"""The HIPE format: token lines in ten named columns, the last one for flags such as NoSpaceAfter."""

import re
from collections.abc import Iterator
from pathlib import Path

from ossamma_spacy.corpora.document import AnnotatedText, Sentence, from_tokens
from ossamma_spacy.corpora.lines import CorpusError, read_lines

DOCUMENT = re.compile(r"# \S+:document_id\b")
PARTIAL = re.compile(r"Partial-(-?\d+):(\d+)")  # the characters of the token that the mention has
HYPHEN = "¬"  # where a line's end cuts a word
NONE = ("O", "_", "")


def read_hipe(path: Path, *, column: str = "NE-COARSE-LIT", metonymy: str = "") -> Iterator[AnnotatedText]:
    """Yield the documents of a file, mentions labelled as in `column`.

    Where the column `metonymy` has another label than that, a mention is "label/that". A mention goes on over a
    sentence's end; words that were cut at a line's end are whole. Raises CorpusError, naming file and line, for missing
    columns, a line of another width, an unknown tag and what is not UTF-8.
    """
    sentences: list[Sentence] = []
    names: list[str] = []
    ended = True
    for number, line in read_lines(path):
        if not names:
            names = line.split("\t")
            if missing := {"TOKEN", column, metonymy or column, "MISC"} - set(names):
                raise CorpusError(f"{path}:{number}: no column {', '.join(sorted(missing))} in {line[:80]!r}")
        elif DOCUMENT.match(line) and sentences:
            yield from_tokens(sentences, where=f"{path.name}:{sentences[0].line}")
            sentences, ended = [], True
        elif line and not line.startswith("# "):
            values = line.split("\t")
            if len(values) != len(names):
                raise CorpusError(f"{path}:{number}: {len(values)} column(s), expected {len(names)} as in the header")
            row = dict(zip(names, values, strict=True))
            if not row["TOKEN"]:
                raise CorpusError(f"{path}:{number}: no token")
            tag = _tag(row[column], row[metonymy] if metonymy else "O", f"{path}:{number}")
            if not sentences or (ended and tag[0] != "I"):
                sentences.append(Sentence(line=number))
            flags = row["MISC"].split("|")
            ended = "EndOfSentence" in flags
            _add(sentences[-1], row["TOKEN"], tag, flags)
    if sentences:
        yield from_tokens(sentences, where=f"{path.name}:{sentences[0].line}")


def _tag(literal: str, figurative: str, where: str) -> str:
    if literal in NONE:
        return "O"
    if literal[:2] not in ("B-", "I-") or len(literal) == 2:
        raise CorpusError(f"{where}: tag {literal!r}, expected O, _ or a label after B- or I-")
    same = figurative in NONE or figurative[2:] == literal[2:]
    return literal if same else f"{literal}/{figurative[2:]}"


def _add(sentence: Sentence, token: str, tag: str, flags: list[str]) -> None:
    if token == HYPHEN and sentence.spaces and not sentence.spaces[-1]:
        return  # its neighbours are one word
    start, end = 0, len(token)
    for flag in flags:
        if match := PARTIAL.fullmatch(flag):
            start, end = max(0, int(match[1])), int(match[2])
    parts = [(token[:start], "O"), (token[start:end], tag), (token[end:], "O")]
    for part, its_tag in parts:
        if part:
            sentence.tokens.append(part)
            sentence.tags.append(its_tag)
            sentence.spaces.append(False)
    sentence.spaces[-1] = "NoSpaceAfter" not in flags
