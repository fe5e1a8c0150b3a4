"""Converting the corpora of the catalogue."""

from collections.abc import Iterator
from pathlib import Path

from ossamma_spacy.corpora import catalogue
from ossamma_spacy.corpora.catalogue import Corpus
from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.formats import READERS


def read_corpus(corpus: Corpus, folder: Path, split: str) -> Iterator[AnnotatedText]:
    """The documents of a split, from files that lie below `folder`/NAME.

    Raises CorpusError, naming file and line, for what cannot be read.
    """
    for file in catalogue.files(corpus.name):
        if file.split == split:
            yield from READERS[corpus.format](folder / corpus.name / file.path, **corpus.options)
