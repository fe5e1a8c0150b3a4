"""Changing training examples so that a model sees more than was annotated."""

import random
import string
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, chain, groupby
from pathlib import Path
from typing import Any

import srsly
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.tokens import Token as SpacyToken
from spacy.training import Example

from ossamma_spacy.knowledge import Candidates, read_knowledge, write_knowledge
from ossamma_spacy.settings import check_number
from ossamma_spacy.stored import documents

SYNONYMS = Path(__file__).with_name("synonyms.json")
WINDOW = 3  # positions that a shuffled token moves at the most
SHORTEST = 4  # letters of a word that takes a typo


@dataclass(frozen=True)
class Token:
    """A token of the changed text: its text, whether a space follows, and the token of the reference it comes from."""

    text: str
    space: bool
    origin: int


Tokens = list[Token]
Entity = tuple[tuple[str, bool], ...]  # text and space of each token


class Augmenter:
    """`ossamma.Augmenter.v1`: an augmenter for spaCy's corpus readers; yields one example for each.

    Shares from 0, off, to 1. entity_replacement: of entities, another of the same label takes the place of each.
    mention_dropout: of entities, whose letters and digits become random ones, so that the context has to tell.
    synonyms: of the tokens outside of entities that the table knows. shuffling, lower_casing: of examples; tokens
    outside of entities move by at most three places between two entities; all letters are lower-cased. typos: of
    words, in which two letters change places, or one is lost or doubled.

    bank: name → .spacy file, or folder of them, that entities are taken from, as often as they occur there; one of a
    label that it does not have stays. table: JSON, word → synonyms, in lower case; ours if left out. Unknown tokens of
    partly annotated documents are not touched but by lower-casing and typos. Other layers than entities, what is known,
    sentence starts and categories are left out.
    Raises ValueError for shares outside [0, 1], and where entities are to be replaced and the bank has none.
    """

    def __init__(
        self,
        entity_replacement: float = 0.0,
        mention_dropout: float = 0.0,
        synonyms: float = 0.0,
        shuffling: float = 0.0,
        lower_casing: float = 0.0,
        typos: float = 0.0,
        bank: Mapping[str, Path] | None = None,
        table: Path | None = None,
        seed: int = 0,
    ) -> None:
        shares = {
            "entity_replacement": entity_replacement,
            "mention_dropout": mention_dropout,
            "synonyms": synonyms,
            "shuffling": shuffling,
            "lower_casing": lower_casing,
            "typos": typos,
        }
        for name, share in shares.items():
            check_number(f"ossamma.Augmenter.v1: {name}", share, lambda s: 0 <= s <= 1, "a share from 0 to 1")
        if entity_replacement and not bank:
            raise ValueError("ossamma.Augmenter.v1: entity_replacement needs a bank, .spacy files to take them from")
        self.shares, self.random = shares, random.Random(seed)
        self.paths = list((bank or {}).values())
        self.table = read_table(table or SYNONYMS)

    @cached_property
    def bank(self) -> "Bank":
        return Bank(self.paths)

    def random_like(self, character: str) -> str:
        """A letter for a letter, in the same case, a digit for a digit; anything else as it is."""
        if character.isdigit():
            return self.random.choice(string.digits)
        if not character.isalpha():
            return character
        letter = self.random.choice(string.ascii_lowercase)
        return letter.upper() if character.isupper() else letter

    def __call__(self, nlp: Language, example: Example) -> Iterator[Example]:
        reference = example.reference
        tokens = [Token(token.text, bool(token.whitespace_), token.i) for token in reference]
        for name, change in CHANGES.items():
            if self.shares[name]:
                tokens = change(self, reference, tokens, self.shares[name])
        yield rebuilt(nlp, reference, tokens)


def read_table(path: Path) -> Mapping[str, Sequence[str]]:
    """Word → synonyms, from JSON. Raises ValueError for a file that holds anything else."""
    table = srsly.read_json(path) if Path(path).exists() else None
    if not isinstance(table, dict) or not all(map(_are_words, table.values())):
        raise ValueError(f'ossamma.Augmenter.v1: table {path}, expected JSON like {{"big": ["large", "great"]}}')
    return table


def _are_words(found: Any) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(w, str) and w.split() == [w] for w in found)


class Bank:
    """The entities of .spacy files, or folders of them. Raises ValueError where there are none."""

    def __init__(self, paths: Sequence[Path]) -> None:
        counts: dict[tuple[str, bool], Counter[Entity]] = defaultdict(Counter)
        for doc in chain.from_iterable(map(documents, paths)):
            for span in doc.ents:
                entity = tuple((token.text, bool(token.whitespace_)) for token in span)
                counts[span.label_, True][entity] += 1
                if len(span) == 1 or not doc.has_unknown_spaces:
                    counts[span.label_, False][entity] += 1
        if not counts:
            raise ValueError(f"ossamma.Augmenter.v1: bank {', '.join(map(str, paths))} has no entities")
        self.entities = {key: (list(found), list(accumulate(found.values()))) for key, found in counts.items()}

    def draw(self, generator: random.Random, label: str, unknown_spaces: bool) -> Entity | None:
        """An entity of a label; for a text with spaces none that does not know its own."""
        if (label, unknown_spaces) not in self.entities:
            return None
        entities, limits = self.entities[label, unknown_spaces]
        return generator.choices(entities, cum_weights=limits)[0]


def _replace_entities(self: Augmenter, reference: Doc, tokens: Tokens, share: float) -> Tokens:
    for span in reversed(reference.ents):
        chosen = None
        if self.random.random() < share and not any(token.is_sent_start for token in span[1:]):
            chosen = self.bank.draw(self.random, span.label_, reference.has_unknown_spaces)
        before_stop = span.end < len(reference) and reference[span.end].text.startswith(".")
        if chosen and not (before_stop and chosen[-1][0].endswith(".")):  # no "U.S.." for "Rome."
            changed = [Token(text, space, span.start) for text, space in chosen]
            changed[-1] = replace(changed[-1], space=tokens[span.end - 1].space)
            tokens[span.start : span.end] = changed
    return tokens


def _drop_mentions(self: Augmenter, reference: Doc, tokens: Tokens, share: float) -> Tokens:
    dropped = {i for span in reference.ents if self.random.random() < share for i in range(span.start, span.end)}
    return [
        replace(token, text="".join(map(self.random_like, token.text))) if token.origin in dropped else token
        for token in tokens
    ]


def _use_synonyms(self: Augmenter, reference: Doc, tokens: Tokens, share: float) -> Tokens:
    for j, token in enumerate(tokens):
        known = self.table.get(token.text.lower()) if _is_outside(reference[token.origin]) else None
        if known and self.random.random() < share:
            chosen = self.random.choice(known)
            tokens[j] = replace(token, text=chosen.capitalize() if token.text[0].isupper() else chosen)
    return tokens


def _shuffle(self: Augmenter, reference: Doc, tokens: Tokens, share: float) -> Tokens:
    if self.random.random() >= share:
        return tokens
    free = [_is_outside(reference[token.origin]) and token.text.isalpha() for token in tokens]
    start = 0
    for is_free, group in groupby(free):
        end = start + len(list(group))
        if is_free:
            # sorted by their place and up to WINDOW more, none passes another that stands further off than that
            places = sorted(range(start, end), key=lambda j: j + self.random.uniform(0, WINDOW))
            texts = [tokens[j].text for j in places]
            tokens[start:end] = [replace(t, text=text) for t, text in zip(tokens[start:end], texts, strict=True)]
        start = end
    return tokens


def _lower(self: Augmenter, reference: Doc, tokens: Tokens, share: float) -> Tokens:
    if self.random.random() >= share:
        return tokens
    # "İ" becomes an i with a dot above its dot, which no text has
    return [replace(token, text=token.text.lower().replace("i\u0307", "i")) for token in tokens]


def _mistype(self: Augmenter, reference: Doc, tokens: Tokens, share: float) -> Tokens:
    for j, token in enumerate(tokens):
        text = token.text
        if len(text) >= SHORTEST and text.isalpha() and self.random.random() < share:
            i = self.random.randrange(1, len(text) - 1)
            kinds = (
                text[:i] + text[i + 1] + text[i] + text[i + 2 :],
                text[:i] + text[i + 1 :],
                text[:i] + text[i - 1 :],
            )
            tokens[j] = replace(token, text=self.random.choice(kinds))
    return tokens


# in this order: what replaces an entity may be dropped or mistyped in its turn
CHANGES: Mapping[str, Callable[[Augmenter, Doc, Tokens, float], Tokens]] = {
    "entity_replacement": _replace_entities,
    "mention_dropout": _drop_mentions,
    "synonyms": _use_synonyms,
    "shuffling": _shuffle,
    "lower_casing": _lower,
    "typos": _mistype,
}


def _is_outside(token: SpacyToken) -> bool:
    return token.ent_iob_ == "O" and not token.is_space


def rebuilt(nlp: Language, reference: Doc, tokens: Tokens) -> Example:
    """The example with these tokens, its entities and what it knows where their tokens have gone."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for j, token in enumerate(tokens):
        first.setdefault(token.origin, j)
        last[token.origin] = j
    starts: list[bool | int | None] = [reference[token.origin].is_sent_start for token in tokens]
    for j, token in enumerate(tokens):
        if first[token.origin] != j and starts[j] is not None:
            starts[j] = False
    doc = Doc(
        nlp.vocab,
        words=[token.text for token in tokens],
        spaces=None if reference.has_unknown_spaces else [token.space for token in tokens],
        sent_starts=starts,
    )
    doc.cats = reference.cats

    def moved(start: int, end: int) -> tuple[int, int]:
        places = [place for i in range(start, end) if i in first for place in (first[i], last[i])]
        return min(places), max(places) + 1

    entities = [Span(doc, *moved(span.start, span.end), label=span.label_) for span in reference.ents]
    knowledge = read_knowledge(reference)
    if knowledge is not None:
        candidates = [Candidates(*moved(c.start, c.end), c.labels, c.placed) for c in knowledge.candidates]
        write_knowledge(doc, entities, knowledge.annotated, candidates)
    else:
        unknown = [doc[j : j + 1] for j, token in enumerate(tokens) if reference[token.origin].ent_iob == 0]
        doc.set_ents(entities, missing=unknown)
    predicted = nlp.make_doc(doc.text) if not doc.has_unknown_spaces else Doc(nlp.vocab, words=[t.text for t in doc])
    return Example(predicted, doc)
