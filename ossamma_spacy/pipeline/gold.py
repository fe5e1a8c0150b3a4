"""From gold annotation to the lattice of tags that each token may bear."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc
from spacy.training import Example


def label_index(labels: list[str]) -> dict[str, int]:
    """Label → k; its tags are 2k + 1 (B-) and 2k + 2 (I-), and 0 is O."""
    return {label: k for k, label in enumerate(labels)}


def gold_lattice(example: Example, index: Mapping[str, int]) -> NDArray[np.bool_]:
    """(n, 2L + 1) for the predicted document's tokens: one tag where it is known, all where it is missing.

    Raises ValueError for a label that the pipe does not have.
    """
    tags = example.get_aligned_ner()
    lattice = np.zeros((len(tags), 2 * len(index) + 1), dtype=bool)
    ended = False  # the token before ends a known entity
    for row, tag in zip(lattice, tags, strict=True):
        if tag is None:
            row[:] = True
            if ended:
                row[2::2] = False
        elif tag == "O":
            row[0] = True
        else:
            label = tag[2:]
            if label not in index:
                raise ValueError(
                    f"ossamma_ner: the training data has '{label}', the pipe has {', '.join(index) or 'no label'}; "
                    "initialize it on data with all labels, or pass them in [initialize.components.ossamma_ner]"
                )
            row[2 * index[label] + (1 if tag[0] in "BU" else 2)] = True
        ended = tag is not None and tag[0] in "LU"
    return lattice


def preset_lattice(doc: Doc, index: Mapping[str, int]) -> NDArray[np.bool_] | None:
    """Tags that leave the document's entities as they are; None where it has none of the pipe's labels.

    An entity of another label is kept by leaving its tokens outside of ours.
    """
    if not doc.ents:
        return None
    lattice = np.ones((len(doc), 2 * len(index) + 1), dtype=bool)
    for span in doc.ents:
        lattice[span.start : span.end] = False
        k = index.get(span.label_)
        if k is None:
            lattice[span.start : span.end, 0] = True
        else:
            lattice[span.start, 2 * k + 1] = True
            lattice[span.start + 1 : span.end, 2 * k + 2] = True
        lattice[span.end : span.end + 1, 2::2] = False
    return lattice
