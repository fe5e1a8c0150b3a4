"""Scores of named entities."""

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from spacy.scorer import get_ner_prf
from spacy.training import Example


def ner_score(examples: Iterable[Example], *, smallest_gain: float = 0.0, **kwargs: Any) -> dict[str, Any]:
    """spaCy's ents_p, ents_r, ents_f, ents_per_type, and the mean F of the labels that the gold data holds.

    With a `smallest_gain` also ents_f_gained, ents_f rounded down to a multiple of it, by which a training can judge
    whether it still gets on: spaCy's patience takes any gain for one.
    """
    examples = list(examples)
    scores: dict[str, Any] = get_ner_prf(examples, **kwargs)
    gold = {span.label_ for example in examples for span in example.reference.ents}
    per_type = scores["ents_per_type"]
    scores["ents_macro_f"] = None
    if per_type is not None and gold:
        scores["ents_macro_f"] = sum(per_type.get(label, {"f": 0.0})["f"] for label in gold) / len(gold)
    if smallest_gain:
        # the small amount keeps 0.3 from falling below three times 0.1
        f = scores["ents_f"]
        scores["ents_f_gained"] = None if f is None else math.floor(f / smallest_gain + 1e-9) * smallest_gain
    return scores


def make_ner_scorer(smallest_gain: float = 0.0) -> Callable[..., dict[str, Any]]:
    """`ossamma.ner_scorer.v1`: `ner_score` with its settings; raises ValueError for a gain outside [0, 1)."""
    if not 0 <= smallest_gain < 1:
        raise ValueError(f"ossamma.ner_scorer.v1: smallest_gain = {smallest_gain}, expected a share from 0 to below 1")
    return partial(ner_score, smallest_gain=smallest_gain)
