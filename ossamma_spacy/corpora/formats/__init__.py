"""Readers of the formats that corpora come in; each yields the documents of one file."""

from collections.abc import Callable, Iterator, Mapping

from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.formats.brat import read_brat
from ossamma_spacy.corpora.formats.columns import read_columns

# by the name that an entry of the catalogue gives; called with a path and the entry's options
READERS: Mapping[str, Callable[..., Iterator[AnnotatedText]]] = {
    "brat": read_brat,
    "columns": read_columns,
}
