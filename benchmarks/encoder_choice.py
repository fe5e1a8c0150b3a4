"""Which encoder: candidates by accuracy from scratch, after a short schooling, and by speed."""

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import spacy
import torch
import torch.nn.functional as F
import tqdm
from spacy.tokens import Doc

from benchmarks import harness, schooling
from ossamma_spacy.init_config import make_config

BASE = {"depth": 3, "heads": 6, "feed_forward_width": 384, "feature_map": "relu"}  # on top of config tiny
CANDIDATES: dict[str, dict[str, Any]] = {  # each is the base with what it names
    "base": {},
    "depth4": {"depth": 4},
    "width256": {"width": 256, "heads": 4, "feed_forward_width": 512},
    "ffn1": {"feed_forward_width": 192},
    "ffn3": {"feed_forward_width": 576},
    "heads3": {"heads": 3},
    "elu_map": {"feature_map": "elu"},
    "no_gates": {"input_gate": False, "output_gate": False},
    "no_mixing": {"token_mixing": False},
    "memory32k": {"word_rows": 32768, "pair_rows": 32768},
    "forget15": {"memory_dropout": 0.15},
    "elu_depth4": {"depth": 4, "feature_map": "elu"},
    "elu_depth4_no_memory": {"depth": 4, "feature_map": "elu", "word_rows": 0, "pair_rows": 0},
}
FOLDER = harness.RESULTS / "encoder_choice"
EARLIER = ("counts", "shared", "positions")  # how subwords and memory were trained before: docs/decisions.md, folders
BATCH_TOKENS = 1500
SILVER = ("silver9.jsonl.xz", "silver9_open.jsonl.xz")


def candidate_config(name: str) -> Any:
    """Config tiny with what the base and the candidate change."""
    config = make_config("tiny")
    settings = BASE | CANDIDATES[name]
    del settings["feature_map"]
    config["components"]["ossamma_ner"]["model"]["tok2vec"].update(settings)
    config["components"]["ossamma_ner"]["model"]["tok2vec"]["mixed_precision"] = True
    config["components"]["ossamma_ner"]["confidence"] = False
    config["training"]["max_epochs"] = 0  # nothing is streamed
    return config


@contextmanager
def candidate_feature_map(name: str) -> Iterator[None]:
    """Put the candidate's feature map in the place of ReLU."""
    if CANDIDATES[name].get("feature_map") != "elu":
        yield
        return
    with patch("torch.nn.functional.relu", lambda x: F.elu(x) + 1):
        yield


def scratch(
    name: str, train: Sequence[Doc], dev: list[Doc], labels: list[str], epochs: int, seed: int
) -> dict[str, float]:
    """Dev scores after `epochs` on annotated text alone."""
    config = candidate_config(name)
    spacy.util.fix_random_seed(seed)
    nlp = spacy.util.load_model_from_config(config)
    examples = [spacy.training.Example(doc, doc) for doc in train]
    nlp.get_pipe("ossamma_ner").initialize(lambda: examples, nlp=nlp, labels=labels)
    schooling.tune(nlp, list(train), epochs=epochs, batch_tokens=BATCH_TOKENS, rate=5e-4, dropout=0.2, seed=seed)
    return schooling.score(nlp, dev)


def schooled(name: str, silver: list[schooling.Passage], train: list[Doc], dev: list[Doc], seed: int) -> dict[str, Any]:
    """Dev scores after two passes over the silver text, and after three epochs of ossamma9 on top."""
    nlp = schooling.blank_pipeline(candidate_config(name), [doc for doc, _ in silver] + train, seed)
    schooling.school(nlp, silver, passes=2, batch_tokens=BATCH_TOKENS, rate=7e-4, dropout=0.1, seed=seed)
    silver_only = schooling.score(nlp, dev)
    schooling.tune(nlp, train, epochs=3, batch_tokens=BATCH_TOKENS, rate=2e-4, dropout=0.1, seed=seed)
    return {"silver_only": silver_only, **schooling.score(nlp, dev)}


def run(name: str, data: Path, seed: int, parts: Sequence[str], threads: int) -> None:
    """Measure the parts of a candidate that results/encoder_choice does not hold yet."""
    torch.set_num_threads(threads)
    path = FOLDER / f"{name}-{seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for part in parts:
        if part not in found:
            with candidate_feature_map(name):
                scores = PARTS[part](name, data, seed)
            command = f"python -m benchmarks encoder_choice {name} --seed {seed} --parts {part} --threads {threads}"
            found[part] = {**scores, **harness.provenance(command)}
            path.write_text(json.dumps(found, indent=1))


def conll(name: str, data: Path, seed: int) -> dict[str, float]:
    train, dev = corpus("conll2003")
    return scratch(name, train, dev, ["PER", "ORG", "LOC", "MISC"], 8, seed)


def ossamma9(name: str, data: Path, seed: int) -> dict[str, float]:
    return scratch(name, *corpus("ossamma9"), list(schooling.LABELS), 8, seed)


def silver(name: str, data: Path, seed: int) -> dict[str, Any]:
    nlp = spacy.blank("en")
    passages = [passage for file in SILVER for passage in schooling.read_silver(data / "silver9" / file, nlp)]
    return schooled(name, passages, *corpus("ossamma9"), seed)


PARTS = {"conll": conll, "scratch": ossamma9, "schooled": silver}


def corpus(name: str) -> tuple[list[Doc], list[Doc]]:
    """The converted training and development documents of a corpus."""
    train, dev = (harness.ROOT / "corpus" / name / f"{split}.spacy" for split in ("train", "dev"))
    return list(harness.documents(train)), list(harness.documents(dev))


def table(rounds: int, threads: int) -> dict[str, Any]:
    """One entry for each candidate that was measured: means over its seeds, and its speed beside that of `base`.

    The entries with the name of a folder behind them were measured with what was before.
    """
    rows = {}
    for folder, suffix in ((FOLDER, ""), *((FOLDER / rule, f"_{rule}") for rule in EARLIER)):
        found: dict[str, list[dict[str, Any]]] = {}
        for path in sorted(folder.glob("*.json")):
            found.setdefault(path.stem.rsplit("-", 1)[0], []).append(json.loads(path.read_text()))
        speeds = speed_ratios(list(found), rounds, threads)
        rows |= {name + suffix: {**_accuracies(runs), **speeds[name]} for name, runs in found.items()}
    return rows


def _accuracies(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    metrics = {
        "conll2003_dev": ("conll", "micro"),
        "ossamma9_scratch_micro": ("scratch", "micro"),
        "ossamma9_schooled_micro": ("schooled", "micro"),
        "ossamma9_schooled_macro": ("schooled", "macro"),
    }
    row: dict[str, Any] = {"seeds": len(runs)}
    for metric, (part, score) in metrics.items():
        values = [run[part][score] for run in runs if part in run]
        row[metric] = round(statistics.mean(values), 4) if values else None
        if len(values) > 1:
            row[f"{metric}_spread"] = [round(min(values), 4), round(max(values), 4)]
    return row


def speed_ratios(names: Sequence[str], rounds: int, threads: int) -> dict[str, dict[str, Any]]:
    """Words per second of `predict` with fresh weights on CoNLL-2003, taking turns, divided by those of `base`."""
    torch.set_num_threads(threads)
    docs, _ = corpus("conll2003")
    docs = docs[:100]
    pipes = {}
    for name in dict.fromkeys(["base", *names]):
        nlp = spacy.util.load_model_from_config(candidate_config(name))
        examples = [spacy.training.Example(doc, doc) for doc in docs]
        pipes[name] = nlp.get_pipe("ossamma_ner")
        pipes[name].initialize(lambda examples=examples: examples, nlp=nlp)
    seconds: dict[str, list[float]] = {name: [] for name in pipes}
    for _ in tqdm.tqdm(range(rounds + 1), desc="rounds"):
        for name, pipe in pipes.items():
            with candidate_feature_map(name):
                start = time.perf_counter()
                pipe.predict(docs)
                seconds[name].append(time.perf_counter() - start)
    answer = {}
    for name in names:  # the first round warms up
        each = [base / own for base, own in zip(seconds["base"][1:], seconds[name][1:], strict=True)]
        spread = [round(min(each), 3), round(max(each), 3)]
        answer[name] = {
            "words_per_second_ratio": round(statistics.median(each), 3),
            "words_per_second_spread": spread,
        }
    return answer
