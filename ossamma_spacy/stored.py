"""Reading .spacy files, and folders of them."""

from collections.abc import Iterator
from pathlib import Path

from spacy.tokens import Doc, DocBin
from spacy.training.corpus import FILE_TYPE, walk_corpus
from spacy.vocab import Vocab


def stores(path: Path) -> Iterator[DocBin]:
    """What each file holds. Raises ValueError where there is no such file or folder."""
    if not Path(path).exists():
        raise ValueError(f"{path}: no such .spacy file or folder; set paths.train, or what else names it in the config")
    for file in walk_corpus(Path(path), FILE_TYPE):
        yield DocBin().from_disk(file)


def documents(path: Path, vocab: Vocab | None = None) -> Iterator[Doc]:
    """The documents in all files, in a vocabulary of their own if none is given. Raises as `stores`."""
    vocab = vocab or Vocab()
    for store in stores(path):
        yield from store.get_docs(vocab)
