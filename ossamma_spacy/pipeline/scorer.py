"""Scores of named entities."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.scorer import get_ner_prf
from spacy.training import Example


def ner_score(examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
    """spaCy's ents_p, ents_r, ents_f, ents_per_type, and the mean F of the labels that the gold data holds."""
    examples = list(examples)
    scores: dict[str, Any] = get_ner_prf(examples, **kwargs)
    gold = {span.label_ for example in examples for span in example.reference.ents}
    per_type = scores["ents_per_type"]
    scores["ents_macro_f"] = None
    if per_type is not None and gold:
        scores["ents_macro_f"] = sum(per_type.get(label, {"f": 0.0})["f"] for label in gold) / len(gold)
    return scores


def make_ner_scorer() -> Callable[..., dict[str, Any]]:
    return ner_score
