"""`span._.confidence`: how sure the pipe is that this span with this label is an entity."""

from bisect import bisect_left

from spacy.tokens import Span


def span_confidence(span: Span) -> float | None:
    """The confidence that `ossamma_ner` stored beside the entity, None for a span that it did not set."""
    for group in span.doc.spans.values():
        if "source" in group.attrs and "scores" in group.attrs:
            # spans of a group stand in the order of the text
            scores = group.attrs["scores"]  # fewer than spans where somebody has added some
            i = bisect_left(group, span.start, key=_start)
            while i < min(len(group), len(scores)) and group[i].start == span.start:
                if (group[i].end, group[i].label) == (span.end, span.label):
                    return float(scores[i])
                i += 1
    return None


def _start(span: Span) -> int:
    return span.start


def register_confidence() -> None:
    """Make the extension known, unless somebody's own of that name is there."""
    if not Span.has_extension("confidence"):
        Span.set_extension("confidence", getter=span_confidence)
