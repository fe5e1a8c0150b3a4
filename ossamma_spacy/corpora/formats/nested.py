"""Token-per-line files with several columns of tags, whose entities may lie in one another."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ossamma_spacy.corpora.document import AnnotatedText
from ossamma_spacy.corpora.formats.columns import read_columns


def read_nested(path: Path, *, layers: Sequence[int], **options: Any) -> Iterator[AnnotatedText]:
    """Yield the documents of a file with the spans of the columns `layers`; else as `read_columns`."""
    for documents in zip(*(read_columns(path, tag=layer, **options) for layer in layers), strict=True):
        spans = {span for document in documents for span in document.spans}
        yield replace(documents[0], spans=tuple(sorted(spans)))
