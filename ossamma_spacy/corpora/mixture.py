"""Readers for `[corpora]`: a mix to train on, and development data that is looked at in time."""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate, islice
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.corpus import FILE_TYPE, Corpus, walk_corpus
from spacy.vocab import Vocab

from ossamma_spacy.settings import check_number
from ossamma_spacy.stored import as_example, documents, stores

OPEN = 8  # files of a corpus that are read side by side

Augmenter = Callable[[Language, Example], Iterator[Example]]


class MixedCorpus:
    """`ossamma.MixedCorpus.v1`: draws documents from several corpora; memory holds eight files of each.

    paths: name → .spacy file or folder of them.
    weights: name → share of the documents, in any unit. Without them a corpus of n documents has the weight
        n^(1/temperature): 1 draws in proportion, more brings small corpora up.
    seed: of the draws; the same seed gives the same documents in the same order, epoch by epoch.
    augmenter: as for spacy.Corpus.v1.

    An epoch has as many documents as all corpora together, empty ones aside. Use it with max_epochs = -1, which reads
    on as it trains; otherwise spaCy keeps the first epoch in memory and repeats it. Raises ValueError for names that
    weights and paths do not share, weights that are not positive, and corpora that are not there or have no documents.
    """

    def __init__(
        self,
        paths: Mapping[str, Path],
        weights: Mapping[str, float] | None = None,
        temperature: float = 1.0,
        seed: int = 0,
        augmenter: Augmenter | None = None,
    ) -> None:
        if not paths:
            raise ValueError("ossamma.MixedCorpus.v1: paths is empty; give name → path of each corpus")
        if weights is not None and weights.keys() != paths.keys():
            odd = ", ".join(sorted(weights.keys() ^ paths.keys()))
            raise ValueError(f"ossamma.MixedCorpus.v1: {odd} is in paths or in weights, and has to be in both")
        numbers = {"temperature": temperature} | {f"weights.{name}": w for name, w in (weights or {}).items()}
        for name, number in numbers.items():
            check_number(f"ossamma.MixedCorpus.v1: {name}", number, lambda n: 0 < n < math.inf, "a number above 0")
        self.paths = {name: Path(path) for name, path in paths.items()}
        self.weights, self.temperature = weights, temperature
        self.seed, self.augmenter, self.epoch = seed, augmenter, 0
        self.sizes: dict[str, int] = {}

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Yield the examples of the next epoch."""
        sizes = self.sizes = self.sizes or {name: _count(name, path) for name, path in self.paths.items()}
        weights = self.weights or {name: size ** (1 / self.temperature) for name, size in sizes.items()}
        choice = random.Random(f"{self.seed} {self.epoch}")
        self.epoch += 1
        streams = {name: _stream(path, nlp.vocab, choice.random()) for name, path in self.paths.items()}
        limits = list(accumulate(weights[name] for name in self.paths))
        for _ in range(sum(sizes.values())):
            (name,) = choice.choices(list(self.paths), cum_weights=limits)
            example = as_example(nlp, next(streams[name]))
            yield from self.augmenter(nlp, example) if self.augmenter else [example]

    def once(self, nlp: Language) -> Iterator[Example]:
        """Yield an example for each document of the corpora, as they are."""
        for name, path in self.paths.items():
            _count(name, path)
            yield from (as_example(nlp, doc) for doc in documents(path, nlp.vocab))


def dev_corpus(path: Path) -> Corpus:
    """`ossamma.DevCorpus.v1`: what `spacy.Corpus.v1` is, of files that were read through when the config was.

    `spacy train` empties its output folder before it reads development data for the first time. Raises ValueError where
    there is no such file or folder, one is damaged, or none has a document.
    """
    if not sum(map(len, stores(path))):
        raise ValueError(f"{path}: no document in .spacy format to evaluate on; check paths.dev")
    return Corpus(path)


def _count(name: str, path: Path) -> int:
    count = sum(len(tokens) > 0 for store in stores(path) for tokens in store.tokens)
    if not count:
        raise ValueError(f"ossamma.MixedCorpus.v1: the corpus '{name}' has no documents with a word in {path}")
    return count


def _stream(path: Path, vocab: Vocab, seed: float) -> Iterator[Doc]:
    """Documents without end: files in random order, and the documents of `OPEN` of them mixed."""
    generator = random.Random(seed)
    files = list(walk_corpus(path, FILE_TYPE))
    while True:
        generator.shuffle(files)
        waiting = (_documents(file, vocab, generator) for file in files)
        opened = list(islice(waiting, OPEN))
        while opened:
            i = generator.randrange(len(opened))
            if (doc := next(opened[i], None)) is not None:
                yield doc
            elif (following := next(waiting, None)) is not None:
                opened[i] = following
            else:
                del opened[i]


def _documents(file: Path, vocab: Vocab, generator: random.Random) -> Iterator[Doc]:
    """The documents of a file that have a word, in random order."""
    yield from filter(len, _shuffled(DocBin().from_disk(file), generator).get_docs(vocab))


def _shuffled(store: DocBin, generator: random.Random) -> DocBin:
    """The same documents in another order, not yet made into Docs."""
    order = list(range(len(store)))
    generator.shuffle(order)
    for column in ("tokens", "spaces", "cats", "flags", "span_groups", "user_data"):
        values = getattr(store, column)
        setattr(store, column, [values[i] for i in order])
    return store
