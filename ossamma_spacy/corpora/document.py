"""A document as a corpus has it: text and spans, in characters."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ossamma_spacy.corpora.spacing import spaces_after, unescape


@dataclass
class Sentence:
    """Tokens and their tags in IOB2; the line of the first one, and whether the last one closes its entity."""

    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    line: int = 0
    closed: bool = False


@dataclass(frozen=True)
class AnnotatedText:
    """A document: its text, entity spans as character offsets, and where its sentences start.

    `where` names its file and first line. `unclear` are offsets of what the source marks in a way that no span can say,
    parts that lie apart for instance.
    """

    text: str
    spans: tuple[tuple[int, int, str], ...]
    sentence_starts: tuple[int, ...] = (0,)
    where: str = ""
    unclear: tuple[tuple[int, int], ...] = ()


def from_tokens(sentences: Sequence[Sentence], joined: str = "", where: str = "") -> AnnotatedText:
    """The text that the tokens were cut from, as far as it can be told (see `spaces_after`), with the tags as spans."""
    text, starts = "", []
    spans: list[tuple[int, int, str]] = []
    for sentence in sentences:
        text += " " * bool(text)
        starts.append(len(text))
        open_label = ""
        spaces = spaces_after(sentence.tokens, joined)
        for token, tag, space in zip(sentence.tokens, sentence.tags, spaces, strict=True):
            start = len(text)
            text += unescape(token)
            if tag[0] == "I" and tag[2:] == open_label:
                spans[-1] = (spans[-1][0], len(text), open_label)
            elif tag != "O":
                spans.append((start, len(text), tag[2:]))
            open_label = tag[2:]
            text += " " * space
        text = text.rstrip(" ")
    return AnnotatedText(text, tuple(spans), tuple(starts), where)
