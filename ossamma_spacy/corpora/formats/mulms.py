"""MuLMS: sentences of tokens with nested entities; `3:MAT` at token 5 is a MAT of tokens 3 to 5."""

from collections.abc import Iterator
from pathlib import Path

from ossamma_spacy.corpora.document import AnnotatedText, Sentence, from_token_spans
from ossamma_spacy.corpora.lines import CorpusError, read_lines
from ossamma_spacy.corpora.records import expected
from ossamma_spacy.corpora.spacing import spaces_in

TEXT = "# text = "


def read_mulms(path: Path, *, lenient: bool = False, skipped: list[str] | None = None) -> Iterator[AnnotatedText]:
    """Yield a document for each sentence, its text as the comment before it has it.

    Raises CorpusError, naming file and line, for lines of another form and tokens that are not those of the text;
    `lenient` leaves such sentences out and fills `skipped` with where they are.
    """
    text, first = "", 1
    tokens: list[str] = []
    spans: list[tuple[int, int, str]] = []
    for number, line in [*read_lines(path), (0, "")]:
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
                yield from_token_spans([Sentence(tokens, spaces=spaces)], spans, where=f"{path.name}:{first}")
            elif not lenient:
                raise CorpusError(f"{path}:{first}: the tokens are not those of the text {text[:60]!r}")
            elif skipped is not None:
                skipped.append(f"{path.name}:{first}")
            tokens, spans = [], []
