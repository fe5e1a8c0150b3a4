"""Scores of named entities."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from spacy.scorer import PRFScore
from spacy.tokens import Span
from spacy.training import Example

from ossamma_spacy.knowledge import Candidates, Knowledge, read_knowledge


def ner_score(examples: Iterable[Example], *, smallest_gain: float = 0.0, **kwargs: Any) -> dict[str, Any]:
    """spaCy's ents_p, ents_r, ents_f, ents_per_type, and the mean F of the labels that the gold data holds.

    Of a partly annotated document (`ossamma_spacy.knowledge`) only the labels that it annotates count, and predictions
    within what is not known are neither right nor wrong. A gold span with candidate labels is found by any of them; if
    it is not, the first one was missed. A gold span that meets no token border is missed. Documents that say nothing
    of the kind are scored exactly as by spaCy.

    With a `smallest_gain` also ents_f_gained, ents_f rounded down to a multiple of it, by which a training can judge
    whether it still gets on: spaCy's patience takes any gain for one.
    """
    per_label: dict[str, PRFScore] = defaultdict(PRFScore)
    gold: set[str] = set()
    for example in examples:
        knowledge = read_knowledge(example.reference)
        if knowledge is None:
            gold.update(span.label_ for span in example.reference.ents)
            if example.reference.has_annotation("ENT_IOB"):
                _count(example, per_label)
        else:
            gold.update(_count_known(example, knowledge, per_label))
    scores = _summary(per_label, gold)
    if smallest_gain:
        # the small amount keeps 0.3 from falling below three times 0.1
        f = scores["ents_f"]
        scores["ents_f_gained"] = None if f is None else math.floor(f / smallest_gain + 1e-9) * smallest_gain
    return scores


def _count(example: Example, per_label: dict[str, PRFScore]) -> None:
    """As spaCy's get_ner_prf: a prediction that touches a missing tag is neither right nor wrong."""
    gold = {(span.start, span.end): span.label_ for span in example.reference.ents}
    for span, label in _predictions(example, per_label):
        if all(token.ent_iob for token in span):
            if gold.get((span.start, span.end)) == label:
                per_label[label].tp += 1
                del gold[span.start, span.end]
            else:
                per_label[label].fp += 1
    for label in gold.values():
        per_label[label].fn += 1


def _count_known(example: Example, knowledge: Knowledge, per_label: dict[str, PRFScore]) -> set[str]:
    """The counts of a partly annotated document; returns the labels that its gold spans hold."""
    reference, annotated = example.reference, knowledge.annotated
    known = [Candidates(span.start, span.end, (span.label_,)) for span in reference.ents]
    counted = [c for c in (*known, *knowledge.candidates) if c.labels and annotated.issuperset(c.labels)]
    gold = {(c.start, c.end): c.labels for c in counted if c.placed}
    unsure = [c for c in knowledge.candidates if not c.placed or c not in counted]
    unknown = {i for c in unsure for i in range(c.start, c.end)}
    for span, label in _predictions(example, per_label):
        if label in annotated and unknown.isdisjoint(range(span.start, span.end)):
            if label in gold.get((span.start, span.end), ()):
                per_label[label].tp += 1
                del gold[span.start, span.end]
            else:
                per_label[label].fp += 1
    missed = [*gold.values(), *(c.labels for c in counted if not c.placed)]
    for labels in missed:
        per_label[labels[0]].fn += 1
    return {c.labels[0] for c in counted}


def _predictions(example: Example, per_label: dict[str, PRFScore]) -> Iterable[tuple[Span, str]]:
    """The predicted entities as spans of the gold tokens; each label has a row from then on."""
    for span in example.predicted.ents:
        per_label[span.label_]
        if len(indices := example.alignment.x2y[span.start : span.end]):
            yield example.reference[indices[0] : indices[-1] + 1], span.label_


def _summary(per_label: Mapping[str, PRFScore], gold: set[str]) -> dict[str, Any]:
    total = sum(per_label.values(), PRFScore())
    if not len(total):
        return dict.fromkeys(("ents_p", "ents_r", "ents_f", "ents_per_type", "ents_macro_f"))
    return {
        "ents_p": total.precision,
        "ents_r": total.recall,
        "ents_f": total.fscore,
        "ents_per_type": {label: score.to_dict() for label, score in per_label.items()},
        "ents_macro_f": sum(per_label[label].fscore for label in gold) / len(gold) if gold else None,
    }


def make_ner_scorer(smallest_gain: float = 0.0) -> Callable[..., dict[str, Any]]:
    """`ossamma.ner_scorer.v1`: `ner_score` with its settings; raises ValueError for a gain outside [0, 1)."""
    if not 0 <= smallest_gain < 1:
        raise ValueError(f"ossamma.ner_scorer.v1: smallest_gain = {smallest_gain}, expected a share from 0 to below 1")
    return partial(ner_score, smallest_gain=smallest_gain)
