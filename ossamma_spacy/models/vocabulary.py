"""Subwords and orthography of words, as numbers.

Needs numpy, torch and tokenizers, so that it runs on machines that have no spaCy.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from ossamma_spacy.nn.lexical import AFFIXES, MAX_PIECES

PAD, RESERVED = 0, 1  # rows of the subword table before the tokenizer's own ids
LEAST_ROWS = RESERVED + 256  # every byte has one
CACHE_SIZE = 1 << 17  # distinct words whose features are remembered
CACHED_CHARS = 64  # longer words are not: few recur, and a text may be one word
OFTEN = 50  # a piece must occur so often; no word counts for more
MAX_CHARS = 1024  # of a longer word only both ends are read

Row = tuple[tuple[int, ...], tuple[int, ...], int, int]


class Vocabulary:
    """A byte-level BPE over single words: every text has pieces, none is unknown."""

    def __init__(self, tokenizer_json: str) -> None:
        self.json = tokenizer_json
        self.tokenizer = Tokenizer.from_str(tokenizer_json)
        self.rows = self.tokenizer.get_vocab_size() + RESERVED
        self.features = lru_cache(CACHE_SIZE)(self._features)

    def __reduce__(self) -> tuple[type["Vocabulary"], tuple[str]]:
        return Vocabulary, (self.json,)

    def __deepcopy__(self, memo: object) -> "Vocabulary":
        return self  # nothing in it changes but the cache

    @classmethod
    def train(cls, words: Iterable[str], rows: int) -> "Vocabulary":
        """Learn at most `rows` − 1 pieces, each of which occurs OFTEN times; the same words give the same pieces.

        So their number follows the size of the text, and each is met often enough in training. Raises ValueError for
        fewer rows than bytes.
        """
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        if rows < LEAST_ROWS:
            raise ValueError(f"vocabulary_rows = {rows}, expected at least {LEAST_ROWS}: one for each byte")
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=rows - RESERVED,
            min_frequency=OFTEN,
            initial_alphabet=alphabet,
            show_progress=False,
        )
        tokenizer.train_from_iterator(often(Counter(words)), trainer)
        return cls(tokenizer.to_str())

    def pieces(self, word: str) -> list[int]:
        """Rows of the word's pieces, at most MAX_PIECES: of more, the middle is dropped."""
        if len(word) > MAX_CHARS:
            word = word[: MAX_CHARS // 2] + word[-MAX_CHARS // 2 :]
        ids = [piece + RESERVED for piece in self.tokenizer.encode(word, add_special_tokens=False).ids]
        half = MAX_PIECES // 2
        return ids if len(ids) <= MAX_PIECES else ids[:half] + ids[-half:]

    def _features(self, word: str) -> Row:
        ids = self.pieces(word)
        lower = word.lower()
        affixes = (hash64("s" + shape(word)), hash64("p" + lower[:3]), hash64("e" + lower[-3:]))
        return (*ids, *([PAD] * (MAX_PIECES - len(ids)))), affixes, case_class(word), hash64(lower)

    def table(self, words: Iterable[str]) -> "WordTable":
        rows = [self.features(word) if len(word) <= CACHED_CHARS else self._features(word) for word in words]
        return WordTable(
            np.array([row[0] for row in rows], dtype=np.int64).reshape(-1, MAX_PIECES),
            np.array([row[1] for row in rows], dtype=np.uint64).reshape(-1, AFFIXES),
            np.array([row[2] for row in rows], dtype=np.int64),
            np.array([row[3] for row in rows], dtype=np.uint64),
        )


def often(counts: Mapping[str, int]) -> Iterator[str]:
    """The words in order, each as often as it was counted, but OFTEN times at the most."""
    for word, count in sorted(counts.items()):
        yield from repeat(word, min(count, OFTEN))


class WordTable:
    """Features of U words: pieces (U, MAX_PIECES), hashed affixes (U, AFFIXES), cases (U,), word hashes (U,)."""

    def __init__(
        self,
        pieces: NDArray[np.int64],
        affixes: NDArray[np.uint64],
        cases: NDArray[np.int64],
        hashes: NDArray[np.uint64],
    ) -> None:
        self.pieces, self.affixes, self.cases, self.hashes = pieces, affixes, cases, hashes


def pair_hashes(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hashes of ordered pairs of word hashes."""
    mixed = (first * np.uint64(0x9E3779B97F4A7C15) + second) * np.uint64(0xC2B2AE3D27D4EB4F)
    return mixed ^ (mixed >> np.uint64(29))


def hash64(text: str) -> int:
    """A hash that is the same on every machine and in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def shape(word: str) -> str:
    """X for upper case, x for lower case, d for digits, other characters as they are; runs cut at four, ends kept."""
    if len(word) > 64:
        word = word[:32] + word[-32:]
    mapped = "".join(
        "X" if char.isupper() else "x" if char.isalpha() else "d" if char.isdigit() else char for char in word
    )
    return re.sub(r"(.)\1{3,}", r"\1\1\1\1", mapped)[:16]


def case_class(word: str) -> int:
    """0 lower, 1 Title, 2 UPPER, 3 miXed, 4 one upper letter, 5 number, 6 letters and digits, 7 other."""
    has_digit, has_alpha = any(map(str.isdigit, word)), any(map(str.isalpha, word))
    if has_digit:
        return 6 if has_alpha else 5
    if not has_alpha:
        return 7
    if word.islower():
        return 0
    if word.isupper():
        return 4 if len(word) == 1 else 2
    return 1 if word[0].isupper() and word[1:].islower() else 3
