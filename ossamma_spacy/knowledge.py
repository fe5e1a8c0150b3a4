"""What is known about the entities of a document that a corpus annotates in part.

Two layers. Tokens outside the known entities have a missing entity tag, so spaCy's own components and scorer, and
whoever loses the second layer, take them for unknown, never for `O`. The second layer, a span group, says what is
nevertheless known: which labels are annotated exhaustively, and spans of which only candidate labels are known. It
survives DocBin, to_bytes and to_dict; as_doc, from_docs, Example.to_dict and spaCy's augmenters drop it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from spacy.tokens import Doc, Span, SpanGroup

from ossamma_spacy.labels import LABELS

KEY = "ossamma_knowledge"
OUTSIDE = "O"


class Candidates(NamedTuple):
    """Tokens start to end (exclusive) are an entity of one of the labels, the likeliest first.

    With "O" among the labels there may be none. Where `placed` is False, the corpus's entity lies somewhere within
    these tokens but meets no token border; without labels nothing is known of the tokens.
    """

    start: int
    end: int
    labels: tuple[str, ...]
    placed: bool = True


@dataclass(frozen=True)
class Knowledge:
    """The labels whose every entity is marked, None for any, and the spans that have only candidate labels."""

    annotated: frozenset[str] | None
    candidates: tuple[Candidates, ...] = ()

    def annotates(self, label: str) -> bool:
        """Whether every entity of the label is marked."""
        return self.annotated is None or label in self.annotated


def write_knowledge(
    doc: Doc, entities: Sequence[Span], annotated: Iterable[str] | None, candidates: Sequence[Candidates] = ()
) -> None:
    """Set the entities of the document, and write down that nothing else is known than `annotated` and `candidates`.

    `annotated` are labels, None for any. A document whose every label is annotated, or every one of the nine, is
    written as spaCy writes any if there are no candidates.
    """
    known = annotated is None or frozenset(annotated).issuperset(LABELS)
    uncertain = [doc[i : i + 1] for i in sorted({i for c in candidates for i in range(c.start, c.end)})]
    doc.set_ents(list(entities), missing=uncertain, default="outside" if known else "missing")
    doc.spans.pop(KEY, None)
    if known and not candidates:
        return
    spans = [Span(doc, start, end, label="|".join(labels)) for start, end, labels, _ in candidates]
    attrs = {
        "annotated": None if annotated is None else sorted(set(annotated)),
        "candidates": [list(candidate.labels) for candidate in candidates],
        "placed": [candidate.placed for candidate in candidates],
    }
    doc.spans[KEY] = SpanGroup(doc, name=KEY, attrs=attrs, spans=spans)


def read_knowledge(doc: Doc) -> Knowledge | None:
    """What `write_knowledge` wrote; None for a document that says nothing.

    A group that has lost its attrs, as from_docs, Example.to_dict and augmenters leave it, knows nothing but the
    entities. Raises ValueError where the span group is not one of its making.
    """
    if KEY not in doc.spans:
        return None
    group = doc.spans[KEY]
    if not group.attrs:
        return Knowledge(frozenset())
    try:
        spans = [
            Candidates(span.start, span.end, tuple(labels), placed)
            for span, labels, placed in zip(group, group.attrs["candidates"], group.attrs["placed"], strict=True)
        ]
        annotated = group.attrs["annotated"]
        return Knowledge(None if annotated is None else frozenset(annotated), tuple(spans))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"doc.spans['{KEY}'] is reserved for what a partly annotated document knows, and this group does not "
            f"hold it ({error!r}); rename it, or convert the corpus anew"
        ) from error


def labels_of(reference: Doc) -> set[str]:
    """The labels that a document has, or says that it annotates or may have."""
    labels = {span.label_ for span in reference.ents}
    knowledge = read_knowledge(reference)
    if knowledge is not None:
        possible = (knowledge.annotated or (), *(candidates.labels for candidates in knowledge.candidates))
        labels |= set().union(*possible) - {OUTSIDE}
    return labels
