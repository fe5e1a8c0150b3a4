"""What every benchmark shares: running a config over seeds, and writing what came out."""

import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacy.tokens import Doc

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
WORK = ROOT / "training" / "benchmarks"


def machine() -> str:
    """The processor, its cores, and the versions that matter."""
    import spacy
    import torch

    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    return (
        f"{model}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}; "
        f"Python {platform.python_version()}, torch {torch.__version__}, spaCy {spacy.__version__}"
    )


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _commit() -> str:
    """The commit of the code, with a + where files differ from it; "unknown" outside a git repository."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "ossamma_spacy", "configs", "benchmarks/*.py") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


COMMIT = _commit()  # at the start: in a long run others may follow


def provenance(command: str) -> dict[str, str]:
    """How a figure came about: command, commit, date, machine."""
    return {"command": command, "commit": COMMIT, "date": date.today().isoformat(), "machine": machine()}


def write_result(
    name: str, *, command: str, data: Iterable[Path], seed: int | Sequence[int], metrics: Mapping[str, Any], **more: Any
) -> Path:
    """Write `benchmarks/results/NAME.json` and render the tables anew."""
    from benchmarks.render import render

    result = {
        "name": name,
        **provenance(command),
        "data": {f"{path.parent.name}/{path.name}": sha256(path) for path in data},
        "seed": seed,
        "metrics": metrics,
        **more,
    }
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    render()
    return path


def convert(kind: str, source: Path, target: Path, *options: str) -> Path:
    """Convert a corpus file by `ossamma convert`."""
    run(["-m", "ossamma_spacy", "convert", kind, str(source), str(target), *options])
    return target


def run(arguments: Sequence[str], **environment: str) -> None:
    """Run Python with these arguments, what it prints going through."""
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, env={**os.environ, **environment})


def train(config: Path, output: Path, seed: int, corpora: Mapping[str, Path], overrides: Mapping[str, Any]) -> float:
    """Train by `spacy train`; returns the seconds that it took, evaluations included."""
    settings = {
        "paths.train": corpora["train"],
        "paths.dev": corpora["dev"],
        "system.seed": seed,
        "training.logger.@loggers": "spacy.ConsoleLogger.v3",
        "training.logger.progress_bar": "train",
        "training.logger.output_file": output / "log.jsonl",
        **overrides,
    }
    flags = [part for key, value in settings.items() for part in (f"--{key}", _flag(value))]
    start = time.perf_counter()
    output.mkdir(parents=True, exist_ok=True)
    (output / "log.jsonl").unlink(missing_ok=True)  # spaCy's logger would leave an earlier one as it is
    run(["-m", "spacy", "train", str(config), "--output", str(output), *flags])
    return time.perf_counter() - start


def _flag(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def evaluate(model: Path, corpus: Path) -> dict[str, Any]:
    """ents_p, ents_r, ents_f, macro_f and the F of each label, by `spacy evaluate`."""
    output = model.parent / f"{corpus.stem}.json"
    run(["-m", "spacy", "evaluate", str(model), str(corpus), "--output", str(output)])
    scores = json.loads(output.read_text())
    return {
        **{key: scores[key] for key in ("ents_p", "ents_r", "ents_f")},
        "macro_f": scores["ents_macro_f"],
        "labels": {label: row["f"] for label, row in sorted(scores["ents_per_type"].items())},
    }


def streamed_config(
    paths: Mapping[str, Path], labels: Sequence[str], steps: int, bfloat16: bool, evaluations: int = 10
) -> Any:
    """Config tiny that draws from the corpora in proportion, anew in each epoch."""
    from ossamma_spacy.init_config import make_config

    config = make_config("tiny")
    config["corpora"]["train"] = {
        "@readers": "ossamma.MixedCorpus.v1",
        "paths": {name: str(path.relative_to(ROOT)) for name, path in paths.items()},
        "seed": "${system.seed}",
    }
    config["initialize"]["components"]["ossamma_ner"] |= {"labels": list(labels), "corpora": "${corpora.train.paths}"}
    config["training"] |= {"max_epochs": -1, "max_steps": steps, "eval_frequency": steps // evaluations}
    config["training"]["optimizer"]["learn_rate"]["total_steps"] = steps
    config["components"]["ossamma_ner"]["model"]["tok2vec"]["mixed_precision"] = bfloat16
    return config


def documents(path: Path) -> "Iterator[Doc]":
    """The documents of a .spacy file, or of a folder of them, with the lexical attributes of English."""
    import spacy

    from ossamma_spacy import stored

    return stored.documents(path, spacy.blank("en").vocab)


def curve(output: Path) -> list[tuple[int, float]]:
    """Step and dev score of each evaluation, from the log of a training."""
    rows = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    return [(row["step"], row["score"]) for row in rows if row.get("score") is not None]


def over_seeds(
    config: Path,
    name: str,
    seeds: Sequence[int],
    corpora: Mapping[str, Path],
    overrides: Mapping[str, Any] | None = None,
    splits: Sequence[str] = ("dev", "test"),
) -> dict[str, Any]:
    """Train and evaluate for each seed; means over seeds, with the spread of ents_f and the curve of each."""
    runs = [_one_run(config, WORK / name / f"seed{seed}", seed, corpora, overrides or {}, splits) for seed in seeds]
    metrics: dict[str, Any] = {split: mean_of([run[split] for run in runs]) for split in splits}
    metrics["seconds"] = round(statistics.mean(run["seconds"] for run in runs), 1)
    metrics["spread"] = {split: _spread([run[split]["ents_f"] for run in runs]) for split in splits}
    metrics["runs"] = runs
    return metrics


def _one_run(
    config: Path,
    output: Path,
    seed: int,
    corpora: Mapping[str, Path],
    overrides: Mapping[str, Any],
    splits: Sequence[str],
) -> dict[str, Any]:
    """Train and evaluate with one seed; what an earlier call with the same settings found is not done again."""
    settings = {
        "config": sha256(config),
        "corpora": {split: sha256(path) for split, path in corpora.items()},
        "overrides": overrides,
        "splits": list(splits),
    }
    path = output / "run.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    if found.get("settings") != settings:
        seconds = train(config, output, seed, corpora, overrides)
        scores = {split: evaluate(output / "model-best", corpora[split]) for split in splits}
        run = {"seed": seed, "seconds": round(seconds, 1), "commit": COMMIT, **scores, "curve": curve(output)}
        found = {"settings": settings, "run": run}
        path.write_text(json.dumps(found))
    else:
        print(f"seed {seed}: from {path}, commit {found['run']['commit']}; delete it to train anew")
    return found["run"]


def mean_of(scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean of nested scores, key by key; a label that a run never predicts has no row in it, and scores 0."""
    first = {key: value for score in reversed(scores) for key, value in score.items()}
    return {
        key: mean_of([score.get(key, {}) for score in scores])
        if isinstance(value, Mapping)
        else round(statistics.mean(score.get(key) or 0.0 for score in scores), 5)
        for key, value in first.items()
    }


def _spread(values: Sequence[float]) -> list[float]:
    return [round(min(values), 5), round(max(values), 5)]
