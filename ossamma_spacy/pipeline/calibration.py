"""Fitting the temperature under which a confidence of 0.8 is right in 80 of 100 cases."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import srsly
from numpy.typing import NDArray

from ossamma_spacy.files import write_whole
from ossamma_spacy.models.decoding import SpanTuple, decode, span_posteriors
from ossamma_spacy.pipeline.ner import OssammaNER, without_space
from ossamma_spacy.pipeline.scorer import aligned, gold_entities
from ossamma_spacy.stored import as_example, documents

TEMPERATURES = np.geomspace(0.25, 8.0, 51)
BINS = 10


@dataclass(frozen=True)
class Calibration:
    """The fitted temperature, and the expected calibration error before and after, over the entities of known truth."""

    temperature: float
    before: float
    after: float
    spans: int


def calibrate_pipeline(model: Path, dev: Path) -> dict[str, Calibration]:
    """Fit each `ossamma_ner` of the pipeline at `model` on the documents at `dev`, and save it there; by pipe.

    Raises ValueError where there is no such pipe, or no entity is found that the documents say anything of.
    """
    nlp = spacy.load(model)
    pipes = {name: pipe for name, pipe in nlp.pipeline if isinstance(pipe, OssammaNER)}
    if not pipes:
        names = ", ".join(nlp.pipe_names) or "none"
        raise ValueError(f"{model}: no ossamma_ner among the pipes that are not disabled ({names})")
    results = {}
    for name, pipe in pipes.items():
        examples = [as_example(nlp, doc) for doc in documents(dev, nlp.vocab)]
        if not examples:
            raise ValueError(f"{dev}: no documents in it; give development data, a .spacy file")
        # what comes before the pipe may be what it listens to
        later = nlp.pipe_names[nlp.pipe_names.index(name) :]
        list(nlp.pipe((example.predicted for example in examples), disable=later))
        results[name] = fit_temperature(pipe, examples)
        write_whole(Path(model) / name / "cfg", srsly.json_dumps(pipe.cfg).encode("utf-8"))
    return results


def fit_temperature(pipe: OssammaNER, examples: list[Any]) -> Calibration:
    """Choose the temperature of least log loss over the entities that the pipe finds, and set it in the pipe.

    Against few entities the targets are those of Platt (1999), "Probabilistic outputs for support vector machines".
    """
    scores = pipe.model.predict([example.predicted for example in examples])
    spans = [decoded.spans for decoded in decode(pipe.model, scores, confidences=False)]
    verdicts = [
        verdict for example, found in zip(examples, spans, strict=True) for verdict in _judged(pipe, example, found)
    ]
    known = np.array([verdict is not None for verdict in verdicts], dtype=bool)
    right = np.array([bool(verdict) for verdict in verdicts])[known]
    if not len(right):
        raise ValueError(
            f"{pipe.name}: it finds no entity where the development data says what is one, so there is nothing to "
            "calibrate"
        )

    def probabilities(temperature: float) -> NDArray[np.float64]:
        logs = np.concatenate(span_posteriors(pipe.model, scores, spans, temperature))[known]
        return np.exp(np.minimum(logs, 0.0)).astype(np.float64)

    # few entities, all of them right, would ask for confidences of 1: Platt's targets stay away from 0 and 1
    target = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
    losses = []
    for temperature in TEMPERATURES:
        probability = probabilities(temperature).clip(1e-6, 1 - 1e-6)
        losses.append(-np.mean(target * np.log(probability) + (1 - target) * np.log(1 - probability)))
    best = float(TEMPERATURES[int(np.argmin(losses))])
    before = expected_calibration_error(probabilities(pipe.cfg["temperature"]), right)
    pipe.cfg["temperature"] = best
    return Calibration(best, before, expected_calibration_error(probabilities(best), right), len(right))


def expected_calibration_error(probability: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """Mean distance of confidence and accuracy over ten equal bins, weighted by their size (Guo et al. 2017)."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    error = 0.0
    for b in np.unique(bins):
        member = bins == b
        error += member.mean() * abs(probability[member].mean() - right[member].mean())
    return float(error)


def _judged(pipe: OssammaNER, example: Any, spans: list[SpanTuple]) -> list[bool | None]:
    """Whether each entity, as the pipe would write it, is right; None where the gold data does not say."""
    gold = gold_entities(example.reference)
    verdicts: list[bool | None] = []
    for start, end, k in spans:
        span = aligned(example, *without_space(example.predicted, start, end))
        verdicts.append(None if span is None else gold.judge(span, pipe.labels[k]))
    return verdicts
