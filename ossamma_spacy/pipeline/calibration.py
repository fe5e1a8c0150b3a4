"""Fitting the temperature under which a confidence of 0.8 is right in 80 of 100 cases."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import srsly
from numpy.typing import NDArray
from spacy.training import Corpus

from ossamma_spacy.files import write_whole
from ossamma_spacy.models.decoding import decode
from ossamma_spacy.pipeline.ner import OssammaNER

TEMPERATURES = np.geomspace(0.25, 8.0, 51)
BINS = 10


@dataclass(frozen=True)
class Calibration:
    """The fitted temperature, and the expected calibration error over the pipe's entities before and after."""

    temperature: float
    before: float
    after: float
    spans: int


def calibrate_pipeline(model: Path, dev: Path) -> Calibration:
    """Fit the first `ossamma_ner` of the pipeline at `model` on the documents at `dev`, and save it there.

    Raises ValueError where there is no such pipe, or no entity is found in the documents.
    """
    nlp = spacy.load(model)
    pipes = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, OssammaNER)]
    if not pipes:
        raise ValueError(f"{model}: the pipeline has no ossamma_ner, only {', '.join(nlp.pipe_names) or 'no pipe'}")
    examples = list(Corpus(dev)(nlp))
    # what comes before the pipe may be what it listens to
    later = nlp.pipe_names[nlp.pipe_names.index(pipes[0].name) :]
    list(nlp.pipe((example.predicted for example in examples), disable=later))
    result = fit_temperature(pipes[0], examples)
    write_whole(Path(model) / pipes[0].name / "cfg", srsly.json_dumps(pipes[0].cfg).encode("utf-8"))
    return result


def fit_temperature(pipe: OssammaNER, examples: list[Any]) -> Calibration:
    """Choose the temperature of least log loss over the entities that the pipe finds, and set it in the pipe."""
    scores = pipe.model.predict([example.predicted for example in examples])
    before = decode(pipe.model, scores, confidences=True)
    right = np.array(
        [hit for example, found in zip(examples, before, strict=True) for hit in _hits(pipe, example, found)]
    )
    if not len(right):
        raise ValueError(f"{pipe.name}: it finds no entity in the development data, so there is nothing to calibrate")
    losses = []
    for temperature in TEMPERATURES:
        probability = _probabilities(decode(pipe.model, scores, confidences=True, temperature=temperature))
        losses.append(-np.mean(np.log(np.where(right, probability, 1 - probability).clip(1e-6))))
    best = float(TEMPERATURES[int(np.argmin(losses))])
    after = decode(pipe.model, scores, confidences=True, temperature=best)
    pipe.cfg["temperature"] = best
    return Calibration(
        best,
        expected_calibration_error(_probabilities(before), right),
        expected_calibration_error(_probabilities(after), right),
        len(right),
    )


def expected_calibration_error(probability: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """Mean distance of confidence and accuracy over ten equal bins, weighted by their size (Guo et al. 2017)."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    error = 0.0
    for b in np.unique(bins):
        member = bins == b
        error += member.mean() * abs(probability[member].mean() - right[member].mean())
    return float(error)


def _probabilities(decoded: list[Any]) -> NDArray[np.float64]:
    logs = [document.log_posteriors for document in decoded]
    return np.exp(np.minimum(np.concatenate(logs), 0.0)).astype(np.float64)


def _hits(pipe: OssammaNER, example: Any, decoded: Any) -> list[bool]:
    aligned = example.get_aligned_spans_y2x(example.reference.ents)
    gold = {(span.start, span.end, span.label_) for span in aligned}
    return [(start, end, pipe.labels[k]) in gold for start, end, k in decoded.spans]
