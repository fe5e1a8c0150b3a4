"""`span._.confidence`: how sure the pipe is that this span with this label is an entity."""

from spacy.tokens import Span


def span_confidence(span: Span) -> float | None:
    """The confidence that `ossamma_ner` stored beside the entity, None for a span that it did not set."""
    for group in span.doc.spans.values():
        if "source" in group.attrs and "scores" in group.attrs:
            for other, score in zip(group, group.attrs["scores"], strict=True):
                if (other.start, other.end, other.label) == (span.start, span.end, span.label):
                    return float(score)
    return None


def register_confidence() -> None:
    """Make the extension known, unless somebody's own of that name is there."""
    if not Span.has_extension("confidence"):
        Span.set_extension("confidence", getter=span_confidence)
