"""Scores of named entities."""

import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from spacy.scorer import PRFScore
from spacy.tokens import Doc, Span
from spacy.training import Example

from ossamma_spacy.knowledge import OUTSIDE, Candidates, read_knowledge
from ossamma_spacy.settings import check_number


def ner_score(examples: Iterable[Example], *, smallest_gain: float = 0.0, **kwargs: Any) -> dict[str, Any]:
    """spaCy's ents_p, ents_r, ents_f, ents_per_type, and the mean F of the labels that the gold data holds.

    Of a partly annotated document (`ossamma_spacy.knowledge`) only the labels that it annotates count, and predictions
    that may be right within what is not known are neither right nor wrong. A gold span with candidate labels is found
    by any of them; if it is not, the first one was missed. A gold span that meets no token border is missed. Documents
    that say nothing of the kind are scored exactly as by spaCy. Warns where no document says anything of entities.

    With a `smallest_gain` also ents_f_gained, ents_f rounded down to a multiple of it, by which a training can judge
    whether it still gets on: spaCy's patience takes any gain for one.
    """
    per_label: dict[str, PRFScore] = defaultdict(PRFScore)
    examples = list(examples)
    annotated = [e for e in examples if e.reference.has_annotation("ENT_IOB") or read_knowledge(e.reference)]
    if not annotated and any(len(e.reference) for e in examples):
        warnings.warn("ossamma_ner: no document says what its entities are, so there is no score", stacklevel=2)
    for example in annotated:
        _count(example, gold_entities(example.reference), per_label)
    scores = _summary(per_label)
    if smallest_gain:
        # the small amount keeps 0.3 from falling below three times 0.1
        f = scores["ents_f"]
        scores["ents_f_gained"] = None if f is None else math.floor(f / smallest_gain + 1e-9) * smallest_gain
    return scores


@dataclass(frozen=True)
class Gold:
    """The entities of a document, as far as it says.

    spans: (start, end) in its tokens → the labels that are right there, the likeliest first; unplaced: those of
    entities that meet no token border. annotated: the labels that count, None for all. unknown: token → the labels that
    it may bear without our knowing, empty for any.
    """

    spans: Mapping[tuple[int, int], tuple[str, ...]]
    unknown: Mapping[int, tuple[str, ...]]
    annotated: frozenset[str] | None = None
    unplaced: tuple[tuple[str, ...], ...] = ()

    def judge(self, span: Span, label: str) -> bool | None:
        """Whether a prediction is right, None where that is not known."""
        if self.annotated is not None and label not in self.annotated:
            return None
        unsure = [self.unknown[i] for i in range(span.start, span.end) if i in self.unknown]
        if any(not labels or label in labels for labels in unsure):
            return None
        return label in self.spans.get((span.start, span.end), ())


def gold_entities(reference: Doc) -> Gold:
    """What a document of gold data says of its entities, if it says anything."""
    knowledge = read_knowledge(reference)
    known = [Candidates(span.start, span.end, (span.label_,)) for span in reference.ents]
    if knowledge is None:
        unknown: dict[int, tuple[str, ...]] = {token.i: () for token in reference if not token.ent_iob}
        return Gold({(c.start, c.end): c.labels for c in known}, unknown)
    counted = [
        c
        for c in (*known, *knowledge.candidates)
        if c.labels and OUTSIDE not in c.labels and all(map(knowledge.annotates, c.labels))
    ]
    unsure = [c for c in knowledge.candidates if not c.placed or c not in counted]
    return Gold(
        spans={(c.start, c.end): c.labels for c in counted if c.placed},
        unknown={i: c.labels if c.placed else () for c in unsure for i in range(c.start, c.end)},
        annotated=knowledge.annotated,
        unplaced=tuple(c.labels for c in counted if not c.placed),
    )


def _count(example: Example, gold: Gold, per_label: dict[str, PRFScore]) -> None:
    missed = dict(gold.spans)
    for predicted in example.predicted.ents:
        label = predicted.label_
        if gold.annotated is not None and label not in gold.annotated:
            continue
        score = per_label[label]  # each predicted label has a row
        span = aligned(example, predicted.start, predicted.end)
        if span is None or (right := gold.judge(span, label)) is None:
            continue
        if right and missed.pop((span.start, span.end), ()):
            score.tp += 1
        else:
            score.fp += 1
    for labels in (*missed.values(), *gold.unplaced):
        per_label[labels[0]].fn += 1


def aligned(example: Example, start: int, end: int) -> Span | None:
    """Tokens of the prediction as a span of the gold tokens; None where they have no counterpart."""
    indices = example.alignment.x2y[start:end]
    return example.reference[indices[0] : indices[-1] + 1] if len(indices) else None


def _summary(per_label: Mapping[str, PRFScore]) -> dict[str, Any]:
    total = sum(per_label.values(), PRFScore())
    gold = [score.fscore for score in per_label.values() if score.tp + score.fn]
    if not len(total):
        return dict.fromkeys(("ents_p", "ents_r", "ents_f", "ents_per_type", "ents_macro_f"))
    return {
        "ents_p": total.precision,
        "ents_r": total.recall,
        "ents_f": total.fscore,
        "ents_per_type": {label: score.to_dict() for label, score in per_label.items()},
        "ents_macro_f": sum(gold) / len(gold) if gold else None,
    }


def make_ner_scorer(smallest_gain: float = 0.0) -> Callable[..., dict[str, Any]]:
    """`ossamma.ner_scorer.v1`: `ner_score` with its settings; raises ValueError for a gain outside [0, 1)."""
    check_number(
        "ossamma.ner_scorer.v1: smallest_gain", smallest_gain, lambda g: 0 <= g < 1, "a share from 0 to below 1"
    )
    return partial(ner_score, smallest_gain=smallest_gain)
