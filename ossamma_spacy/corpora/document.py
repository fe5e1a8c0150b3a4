"""A document as a corpus has it: text and spans, in characters."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ossamma_spacy.corpora.lines import CorpusError
from ossamma_spacy.corpora.spacing import spaces_after, unescape


@dataclass
class Sentence:
    """Tokens and their tags in IOB2; the line of the first one, and whether the last one closes its entity.

    `spaces` says whether a space follows each token; empty where the source does not.
    """

    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    spaces: list[bool] = field(default_factory=list)
    line: int = 0
    closed: bool = False


@dataclass(frozen=True)
class AnnotatedText:
    """A document: its text, entity spans as character offsets, and where its sentences start.

    `where` names its file and first line; `source` the document that it is a part of, if it is one. `unclear` are
    offsets of what the source marks in a way that no span can say, parts that lie apart for instance.
    """

    text: str
    spans: tuple[tuple[int, int, str], ...]
    sentence_starts: tuple[int, ...] = (0,)
    where: str = ""
    unclear: tuple[tuple[int, int], ...] = ()
    source: str = ""


def from_tokens(sentences: Sequence[Sentence], joined: str = "", where: str = "") -> AnnotatedText:
    """The text that the tokens were cut from, with the tags as spans.

    Tokens stand as they are where their sentence knows its spaces; else their escapes are undone and the text is as
    `spaces_after` can tell it.
    """
    text, starts = "", []
    spans: list[tuple[int, int, str]] = []
    quoted: set[str] = set()
    for sentence in sentences:
        text += " " * bool(text)
        starts.append(len(text))
        open_label = ""
        spaces = sentence.spaces or spaces_after(sentence.tokens, joined, quoted)
        for token, tag, space in zip(sentence.tokens, sentence.tags, spaces, strict=True):
            start = len(text)
            text += token if sentence.spaces else unescape(token)
            if tag[0] == "I" and tag[2:] == open_label:
                spans[-1] = (spans[-1][0], len(text), open_label)
            elif tag != "O":
                spans.append((start, len(text), tag[2:]))
            open_label = tag[2:]
            text += " " * space
        text = text.rstrip(" ")
    return AnnotatedText(text, tuple(spans), tuple(starts), where)


def from_token_spans(
    sentences: Sequence[Sentence], spans: Iterable[tuple[int, int, str]], joined: str = "", where: str = ""
) -> AnnotatedText:
    """As `from_tokens`, with spans that count tokens through the document, end exclusive, and may overlap.

    Raises CorpusError for a span outside the document.
    """
    each = [replace(sentence, tags=["B-"] * len(sentence.tokens)) for sentence in sentences]
    document = from_tokens(each, joined, where)
    marked = []
    for start, end, label in spans:
        if not 0 <= start < end <= len(document.spans):
            raise CorpusError(f"{where}: span [{start}, {end}) of {label} in {len(document.spans)} tokens")
        marked.append((document.spans[start][0], document.spans[end - 1][1], label))
    return replace(document, spans=tuple(sorted(marked)))


def check_spans(document: AnnotatedText) -> AnnotatedText:
    """The document; raises CorpusError for a span that is empty or leaves the text."""
    for start, end, label in document.spans:
        if not 0 <= start < end <= len(document.text):
            raise CorpusError(
                f"{document.where}: span [{start}, {end}) of {label} is empty or leaves the text of "
                f"{len(document.text)} characters"
            )
    return document


def substitute(document: AnnotatedText, pattern: re.Pattern[str], new: Callable[[re.Match[str]], str]) -> AnnotatedText:
    """The document with `new` of each match in its place; what begins or ends inside a match does so at its start."""
    text, last = "", 0
    moved: list[int] = []  # where each place of the old text is in the new one
    for match in pattern.finditer(document.text):
        moved += range(len(text), len(text) + match.start() - last)
        text += document.text[last : match.start()]
        moved += [len(text)] * len(match[0])
        text += new(match)
        last = match.end()
    moved += range(len(text), len(text) + len(document.text) - last + 1)
    return replace(
        document,
        text=text + document.text[last:],
        spans=tuple((moved[start], moved[end], label) for start, end, label in document.spans),
        sentence_starts=tuple(moved[start] for start in document.sentence_starts),
        unclear=tuple((moved[start], moved[end]) for start, end in document.unclear),
    )


# X: {Y: pattern}: a Y that follows an X and whose text is as the pattern, case aside
Merge = Mapping[str, Mapping[str, str]]


def merge_spans(document: AnnotatedText, merge: Merge) -> AnnotatedText:
    """The document with spans that `merge` joins made one; the whole of an X and the Y after it is an X.

    At most a space or hyphen may part them. Overlapping spans are left as they are.
    """
    spans: list[tuple[int, int, str]] = []
    for start, end, label in sorted(document.spans, reverse=True):
        pattern = merge.get(label, {}).get(spans[-1][2]) if spans else None
        if pattern is not None:
            after, last, _ = spans[-1]
            fits = re.fullmatch(pattern, document.text[after:last], re.IGNORECASE)
            if fits and end <= after and re.fullmatch("[ \xa0-]?", document.text[end:after]):
                spans.pop()
                end = last
        spans.append((start, end, label))
    return replace(document, spans=tuple(reversed(spans)))
