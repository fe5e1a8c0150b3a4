"""MuLMS: sentences of tokens with nested entities; `3:MAT` at token 5 is a MAT of tokens 3 to 5."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ossamma_spacy.corpora.document import AnnotatedText, Sentence, from_token_spans, substitute
from ossamma_spacy.corpora.lines import CorpusError, read_lines
from ossamma_spacy.corpora.records import expected
from ossamma_spacy.corpora.spacing import spaces_in

TEXT = "# text = "
# left when the papers became text: words cut at the end of a line ("utiliza- tion"), a minus without its character
LEFT = re.compile(r"(?<=[a-z]{2})- (?!(?:and|or|to)\b)(?=[a-z]{2})|\(cid:0\) ?")
CUT = re.compile("[A-Za-z]+- [a-z]+")


def read_mulms(path: Path, *, lenient: bool = False, skipped: list[str] | None = None) -> Iterator[AnnotatedText]:
    """Yield a document for each sentence, its text as the comment before it has it.

    Words that a line's end has cut are made whole. Raises CorpusError, naming file and line, for lines of another form
    and tokens that are not those of the text; `lenient` leaves such sentences out and fills `skipped` with where they
    are.
    """
    lines = list(read_lines(path))
    whole = " ".join(CUT.sub("", line).lower() for _, line in lines if line.startswith(TEXT))
    mend = partial(_mended, frozenset(re.findall("[a-z]+", whole)))
    text, first = "", 1
    tokens: list[str] = []
    spans: list[tuple[int, int, str]] = []
    for number, line in [*lines, (0, "")]:
        if line.startswith("#"):
            text, first = line.removeprefix(TEXT), number
        elif line:
            with expected("number, token, and O or 3:LABEL, parted by |", f"{path}:{number}"):
                position, token, marks = line.split("\t")
                tokens.append(token)
                for mark in marks.split("|") if marks != "O" else ():
                    start, label = mark.split(":")
                    spans.append((int(start) - 1, int(position), label))
        elif tokens:
            spaces = spaces_in(text, tokens)
            if spaces:
                document = from_token_spans([Sentence(tokens, spaces=spaces)], spans, where=f"{path.name}:{first}")
                yield substitute(document, LEFT, mend)
            elif not lenient:
                raise CorpusError(f"{path}:{first}: the tokens are not those of the text {text[:60]!r}")
            elif skipped is not None:
                skipped.append(f"{path.name}:{first}")
            tokens, spans = [], []


def _mended(words: frozenset[str], left: re.Match[str]) -> str:
    """A minus; or, between the halves of a word, nothing, and a hyphen where both are words and the whole is none."""
    if left[0][0] == "(":
        return "−"
    (first,) = re.findall("[A-Za-z]+$", left.string[: left.start()])
    (last,) = re.findall("^[a-z]+", left.string[left.end() :])
    return "-" if {first.lower(), last} <= words and (first + last).lower() not in words else ""
