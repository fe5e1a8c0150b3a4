"""`span._.confidence`: how sure the pipe is that this span with this label is an entity."""

from bisect import bisect_left

from spacy.tokens import Span, SpanGroup


def span_confidence(span: Span) -> float | None:
    """The confidence that `ossamma_ner` stored beside the entity, None for a span that it did not set."""
    for group in span.doc.spans.values():
        if "source" in group.attrs and "scores" in group.attrs:
            try:
                score = _score(group, span)
            except IndexError:  # so many tokens were joined, by merge_entities for instance, that spans leave the text
                continue
            if score is not None:
                return score
    return None


def _score(group: SpanGroup, span: Span) -> float | None:
    scores = group.attrs["scores"]
    ours = min(len(group), len(scores))  # in the order of the text; behind them may stand what somebody has added
    i = bisect_left(group, span.start_char, hi=ours, key=_start)  # characters stay where they are if tokens are joined
    while i < ours and group[i].start_char == span.start_char:
        if (group[i].end_char, group[i].label) == (span.end_char, span.label):
            return float(scores[i])
        i += 1
    return None


def _start(span: Span) -> int:
    return span.start_char


def register_confidence() -> None:
    """Make the extension known, unless somebody's own of that name is there."""
    if not Span.has_extension("confidence"):
        Span.set_extension("confidence", getter=span_confidence)
