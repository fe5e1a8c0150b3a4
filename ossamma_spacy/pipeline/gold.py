"""From gold annotation to the lattice of tags that each token may bear."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ENT_IOB, ENT_TYPE
from spacy.tokens import Doc
from spacy.training import Example

from ossamma_spacy.knowledge import OUTSIDE, Knowledge, read_knowledge


def label_index(labels: list[str]) -> dict[str, int]:
    """Label → k; its tags are 2k + 1 (B-) and 2k + 2 (I-), and 0 is O."""
    return {label: k for k, label in enumerate(labels)}


def gold_lattice(example: Example, index: Mapping[str, int]) -> NDArray[np.bool_]:
    """(n, 2 · labels + 1) for the predicted document's tokens: one tag where it is known, all where it is missing.

    Where the reference says what it annotates (`ossamma_spacy.knowledge`), a missing tag is O or a tag of another
    label, and a span with candidates has the tags of these; with O among them it may also be whatever a missing tag
    may be, save an entity of a candidate. Raises ValueError for a label that the pipe does not have.
    """
    tags = example.get_aligned_ner()
    knowledge = read_knowledge(example.reference)
    lattice = np.zeros((len(tags), 2 * len(index) + 1), dtype=bool)
    inside = np.arange(2, lattice.shape[1], 2)
    closed = []  # what is not inside of a known entity that ended before
    for i, tag in enumerate(tags):
        if tag is None or (tag == "O" and knowledge is not None):  # Example.to_dict makes O of what is missing
            lattice[i] = True
        elif tag == "O":
            lattice[i, 0] = True
        else:
            lattice[i, 2 * _known(tag[2:], index) + (1 if tag[0] in "BU" else 2)] = True
            if tag[0] in "LU":
                closed.append((i + 1, inside))
    if knowledge is not None:
        closed += _narrow(lattice, example, knowledge, index)
    for end, tags_inside in closed:
        lattice[end : end + 1, tags_inside] = False
    return lattice


def _narrow(
    lattice: NDArray[np.bool_], example: Example, knowledge: Knowledge, index: Mapping[str, int]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Forbid what the knowledge of a partly annotated document rules out.

    Yields the ends of spans with candidates, and the tags that cannot go on there.
    """
    unknown = lattice.all(axis=1)
    bare = [token.ent_iob in (0, 2) for token in example.reference]  # missing, or O
    x2y, y2x = example.alignment.x2y, example.alignment.y2x
    # a token that the gold tokens split or join otherwise may be missing because of an entity that it cuts
    outside = unknown & np.array([all(bare[j] for j in x2y[i]) for i in range(len(lattice))], dtype=bool)
    for start, end, _, _ in knowledge.candidates:
        outside[y2x[start:end]] = False
    for label in filter(knowledge.annotates, index):
        lattice[outside, 2 * index[label] + 1 : 2 * index[label] + 3] = False
    for candidate in knowledge.candidates:
        span = example.reference[candidate.start : candidate.end]
        for aligned in example.get_aligned_spans_y2x([span], allow_overlap=True) if candidate.placed else ():
            tags = lattice[aligned.start : aligned.end]
            tags[:] = False
            named = [_known(label, index) for label in candidate.labels if label != OUTSIDE]
            free = []
            if OUTSIDE in candidate.labels:
                tags[:, 0] = True
                free = [k for label, k in index.items() if not knowledge.annotates(label) and k not in named]
            for k in free:
                tags[:, [2 * k + 1, 2 * k + 2]] = True
            for k in named:
                tags[0, 2 * k + 1] = True
                tags[1:, 2 * k + 2] = True
            yield aligned.end, np.array([2 * k + 2 for k in index.values() if k not in free], dtype=np.int64)


def _known(label: str, index: Mapping[str, int]) -> int:
    if label not in index:
        raise ValueError(
            f"the training data has '{label}', the pipe has {', '.join(index) or 'no label'}; "
            "initialize it on data with all labels, or name them under [initialize.components]; "
            "a pipe taken from elsewhere by `source` keeps its labels"
        )
    return index[label]


def expected_rates(reference: Doc, ratio: Mapping[str, float], labels: Sequence[str]) -> list[float]:
    """Entities per token that a document is expected to hold of each label; 0 where it annotates it."""
    knowledge = read_knowledge(reference) if ratio else None
    if knowledge is None:
        return [0.0] * len(labels)
    return [0.0 if knowledge.annotates(label) else ratio.get(label, 0.0) for label in labels]


def preset_lattice(doc: Doc, index: Mapping[str, int]) -> NDArray[np.bool_] | None:
    """Tags that leave the document's entities and blocked tokens as they are; None where it has neither.

    An entity of another label is kept by leaving its tokens outside of ours.
    """
    blocked = blocked_tokens(doc)
    if not doc.ents and not blocked:
        return None
    lattice = np.ones((len(doc), 2 * len(index) + 1), dtype=bool)
    lattice[blocked, 1:] = False
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


def blocked_tokens(doc: Doc) -> list[int]:
    """The tokens that `doc.set_ents(blocked=…)` has kept from being in an entity."""
    return np.flatnonzero((doc.to_array([ENT_IOB, ENT_TYPE]) == (3, 0)).all(axis=1)).tolist()
