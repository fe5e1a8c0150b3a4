"""The factory `ossamma_ner`.

spaCy imports this module whenever it makes a `Language`, so it loads nothing heavy: torch comes with the pipe.
"""

from collections.abc import Callable
from typing import Any

from spacy.language import Language
from thinc.api import Config, Model

from ossamma_spacy.pipeline.confidence import register_confidence

register_confidence()  # so that documents read from disk have it wherever spaCy runs

DEFAULT_CONFIG = """
[model]
@architectures = "ossamma.CRFTagger.v1"
dropout = 0.1
learn_rate_scale = 6.0

[model.tok2vec]
@architectures = "ossamma.Encoder.v1"
"""
DEFAULT_MODEL = Config().from_str(DEFAULT_CONFIG)["model"]


@Language.factory(
    "ossamma_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "doc.spans"],
    default_config={
        "model": DEFAULT_MODEL,
        "threshold": 0.0,
        "confidence": True,
        "keep_existing": False,
        "spans_key": "ossamma_ner",
        "boundary_weight": 0.2,
        "smoothing": 0.0,
        "entity_ratio": None,
        "scorer": {"@scorers": "ossamma.ner_scorer.v1"},
    },
    default_score_weights={
        "ents_f": 1.0,
        "ents_p": 0.0,
        "ents_r": 0.0,
        "ents_macro_f": 0.0,
        "ents_per_type": None,
    },
)
def make_ossamma_ner(
    nlp: Language,
    name: str,
    model: Model[Any, Any],
    threshold: float,
    confidence: bool,
    keep_existing: bool,
    spans_key: str,
    boundary_weight: float,
    smoothing: float,
    entity_ratio: dict[str, float] | None,
    scorer: Callable[..., dict[str, Any]] | None,
) -> Any:
    """Make the pipe; see `OssammaNER` for its settings."""
    from ossamma_spacy.pipeline.ner import OssammaNER

    return OssammaNER(
        nlp.vocab,
        model,
        name,
        threshold=threshold,
        confidence=confidence,
        keep_existing=keep_existing,
        spans_key=spans_key,
        boundary_weight=boundary_weight,
        smoothing=smoothing,
        entity_ratio=entity_ratio,
        scorer=scorer,
    )
