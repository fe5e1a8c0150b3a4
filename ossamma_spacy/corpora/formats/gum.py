"""CoNLL-U with the entities of the GUM corpus: nested noun phrases, of which names and kinds are taken."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.lines import CorpusError, read_lines

MENTION = re.compile(r"\((\d+)-([^()]*)(\)?)|(\d+)\)")
NAME = ("NNP", "NNPS")
LINKING = (
    "of",
    "the",
    "for",
    "de",
    "la",
    "du",
    "von",
    "van",
    "der",
    "bin",
    "al",
    "on",
    "in",
    "&",
    "-",
    "–",
    "'s",
    "’s",
    ".",
)
KINDS = ("animal", "plant", "substance")


@dataclass
class Word:
    """A word of a sentence: its part of speech, its head (counted from 0, -1 for the root), and offsets."""

    form: str
    pos: str
    head: int
    start: int = 0
    end: int = 0


class Mention(NamedTuple):
    """Words start to end (exclusive), their type, and the title of a Wikipedia article where one is linked."""

    start: int
    end: int
    type: str
    title: str


def read_gum(path: Path) -> Iterator[AnnotatedText]:
    """Yield the document of a file; of its noun phrases only what may be an entity, with the type as label.

    `person`, `place`, … is a name: the title of the article that it is linked to where the phrase has it, else the
    proper nouns around its head. `person/plural` is a name in the plural, `abstract/unlinked`, `event/unlinked` and
    `object/unlinked` one whose phrase does not have such a title. Where there is no name, `TYPE/kind` is a title, or
    the head of an animal, plant or substance with the nouns before it; `TYPE/modified` is such a head that has an
    adjective before it, which may belong to it or not. `time` is a whole phrase, if its head is no pronoun,
    `time/clause` one that holds a clause. Proper nouns in none of these are unclear. A line break parts paragraphs.
    Raises CorpusError, naming file and line, for lines that are not CoNLL-U, brackets without partner and tokens that
    are not those of the sentence's `# text`.
    """
    text, starts = "", []
    spans: list[tuple[int, int, str]] = []
    unclear: list[tuple[int, int]] = []
    for sentence, words, mentions, opens in _sentences(path):
        text += ("\n" if opens else " ") * bool(text)
        starts.append(len(text))
        for word in words:
            word.start, word.end = word.start + len(text), word.end + len(text)
        text += sentence
        covered: set[int] = set()
        for mention in mentions:
            for start, end, label in _entity(words, mention, mentions):
                spans.append((words[start].start, words[end - 1].end, label))
                covered.update(range(start, end))
        unclear += [(word.start, word.end) for i, word in enumerate(words) if word.pos in NAME and i not in covered]
    yield AnnotatedText(text, tuple(sorted(set(spans))), tuple(starts), path.name, tuple(unclear))


def _entity(words: Sequence[Word], mention: Mention, mentions: Sequence[Mention]) -> Iterator[tuple[int, int, str]]:
    start, end, kind, title = mention
    head = next((i for i in range(start, end) if not start <= words[i].head < end), start)
    if kind == "time":
        clause = any(word.pos[:1] in "VMW" for word in words[start:end])
        if words[head].pos[:2] in ("NN", "CD", "JJ", "RB"):
            yield start, end, f"{kind}/clause" if clause else kind
        return
    titled = _titled(words, mention) if title else None
    if titled and kind not in ("person", "place", "organization") and not titled[0] <= head < titled[1]:
        titled = None  # "the war in Angola" links to the Angolan Civil War
    if any(word.pos in NAME for word in words[slice(*(titled or (head, head + 1)))]):
        first, last = titled or _name(words, mention, head, mentions)
        if kind == "person" and words[last - 1].pos == "NNPS":
            kind = "person/plural"
        elif not titled and kind in ("abstract", "event", "object"):
            kind += "/unlinked"
        yield first, last, kind
    elif titled:
        yield *titled, f"{kind}/kind"
    elif words[head].pos in ("NN", "NNS") and kind in KINDS:
        first = head
        while first > start and words[first - 1].pos in ("NN", "NNS") and words[first - 1].head == head:
            first -= 1
        before = words[first - 1].pos if first > start else ""
        modified = before in ("JJ", "JJR", "JJS", "VBN", "VBG", "HYPH", "NN", "NNP")
        yield first, head + 1, f"{kind}/modified" if modified else f"{kind}/kind"


def _titled(words: Sequence[Word], mention: Mention) -> tuple[int, int] | None:
    """Where the phrase has the title of its article, whole or without what it says for distinction."""
    whole = re.sub(r" \(.*\)$", "", unquote(mention.title).replace("_", " ")).lower()
    for title in (whole, re.sub(",.*", "", whole)):
        for start in range(mention.start, mention.end):
            for end in range(start + 1, mention.end + 1):
                if "".join(word.form for word in words[start:end]).lower() == title.replace(" ", ""):
                    return start, end
    return None


def _name(words: Sequence[Word], mention: Mention, head: int, mentions: Sequence[Mention]) -> tuple[int, int]:
    """The proper nouns around the head, over what may link them; never into a phrase that "and" joins."""
    first, last = head, head + 1
    while first > mention.start and words[first - 1].pos in NAME:
        first -= 1
    while first < head and words[first].form.islower():  # central Iran
        first += 1
    while True:
        ahead = last
        while ahead < mention.end and (words[ahead].form.lower() in LINKING or words[ahead].pos == "CD"):
            ahead += 1
        if ahead < mention.end and words[ahead].form.lower() == "and":
            if any(other.start == ahead + 1 for other in mentions):
                return first, last
            ahead += 1
        if ahead >= mention.end or words[ahead].pos not in NAME:
            break
        last = ahead + 1
    while last < mention.end and (words[last].pos == "CD" or re.fullmatch("[IVX]+", words[last].form)):  # Apollo 11
        last += 1
    return first, last


def _sentences(path: Path) -> Iterator[tuple[str, list[Word], list[Mention], bool]]:
    """Text, words with offsets in it, and mentions of each sentence, and whether it opens a paragraph."""
    words: list[Word] = []
    mentions: list[Mention] = []
    opened: list[tuple[str, int, str, str]] = []
    text, given, ranged, opens = "", "", 0, False
    lines = list(read_lines(path))
    for number, line in [*lines, (len(lines) + 1, "")]:
        where = f"{path}:{number}"
        if line.startswith("#"):
            given = line.removeprefix("# text = ") if line.startswith("# text = ") else given
            opens = opens or line.startswith("# newpar")
            continue
        if not line:
            if words:
                if opened or text.strip() != given:
                    wrong = f"mention {opened[-1][0]} stays open" if opened else f"the words make {text.strip()[:60]!r}"
                    raise CorpusError(f"{path}:{number - 1}: {wrong} in the sentence {given[:60]!r}")
                yield given, words, mentions, opens
            words, mentions, text, ranged, opens = [], [], "", 0, False
            continue
        columns = line.split("\t")
        try:
            identity, form, _, _, pos, _, head, _, _, misc = columns
            if "-" in identity:
                ranged = int(identity.split("-")[1])
                text += form + " " * ("SpaceAfter=No" not in misc)
                at = len(text) - len(form) - ("SpaceAfter=No" not in misc)
                continue
            if "." in identity:
                continue
            word = Word(form, pos, int(head) - 1)
            in_range = int(identity) <= ranged
        except ValueError as error:
            raise CorpusError(f"{where}: {line[:60]!r}, expected the ten columns of CoNLL-U ({error})") from error
        if not in_range:
            at = len(text)
            text += form + " " * ("SpaceAfter=No" not in misc)
        word.start, word.end = at, at + len(form)
        at = word.end
        words.append(word)
        brackets = next((part.removeprefix("Entity=") for part in misc.split("|") if part.startswith("Entity=")), "")
        for group, features, whole, closing in MENTION.findall(brackets):
            if group:
                kind, *others = features.split("-", 6)
                opened.append((group, len(words) - 1, kind, others[5] if len(others) > 5 else ""))
            if whole or closing:
                place = next((i for i in reversed(range(len(opened))) if opened[i][0] == (group or closing)), None)
                if place is None:
                    raise CorpusError(f"{where}: bracket of mention {closing} that none opens")
                _, start, kind, title = opened.pop(place)
                mentions.append(Mention(start, len(words), kind, title))
