"""Reading .spacy files, and folders of them."""

from collections.abc import Iterator
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.corpus import FILE_TYPE, walk_corpus
from spacy.vocab import Vocab


def stores(path: Path) -> Iterator[DocBin]:
    """What each file holds. Raises ValueError where there is no such file or folder, or one is damaged."""
    if not Path(path).exists():
        raise ValueError(f"{path}: no such .spacy file or folder; check the path, or what names it in the config")
    for file in walk_corpus(Path(path), FILE_TYPE):
        try:
            yield DocBin().from_disk(file)
        except Exception as error:  # zlib, msgpack and DocBin raise errors of many kinds
            raise ValueError(f"{file}: not a .spacy file, or cut short; convert its source again") from error


def documents(path: Path, vocab: Vocab | None = None) -> Iterator[Doc]:
    """The documents in all files, in a vocabulary of their own if none is given. Raises as `stores`."""
    vocab = Vocab() if vocab is None else vocab  # one without words is false
    for store in stores(path):
        yield from store.get_docs(vocab)


def as_example(nlp: Language, reference: Doc) -> Example:
    """The document beside its text as the pipeline cuts it into tokens."""
    if reference.has_unknown_spaces:  # then the corpus's tokens are all there is, as for spaCy's own reader
        return Example(Doc(nlp.vocab, words=[token.text for token in reference]), reference)
    return Example(nlp.make_doc(reference.text), reference)
