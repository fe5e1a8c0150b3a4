"""Words per second and peak memory of pipelines, each in a process of its own, taking turns."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tqdm

# factories of what finds entities, and of what these listen to
LEAST_SECONDS = 1.0  # short texts are read again and again for so long
USED = ("ner", "beam_ner", "ossamma_ner", "entity_ruler", "span_ruler", "tok2vec", "transformer", "curated_transformer")


@dataclass
class Speed:
    """What was measured of one pipeline: words per second of each round, and the largest peak memory in MiB."""

    name: str
    rounds: list[float] = field(default_factory=list)
    peak_mib: float = 0.0

    @property
    def words_per_second(self) -> float:
        return statistics.median(self.rounds)


@dataclass(frozen=True)
class Candidate:
    """A pipeline to time: a name for the table, what `spacy.load` takes, and settings of pipes that are overridden."""

    name: str
    model: str
    overrides: dict[str, Any] = field(default_factory=dict)


def compare_speed(
    candidates: Sequence[Candidate], texts: Path, *, threads: int = 2, rounds: int = 5, batch_size: int = 256
) -> list[Speed]:
    """Time `nlp.pipe` of each candidate on the texts, one after the other, `rounds` times over.

    `texts` is a .spacy file or a text file with a text on each line. Of a pipeline only what finds entities is loaded.
    Each measurement is a process of its own that has run over the texts once before.
    """
    read_texts(texts)  # or a missing file would be laid to the first pipeline
    results = [Speed(candidate.name) for candidate in candidates]
    for _ in tqdm.tqdm(range(rounds), desc="rounds", leave=False):
        for candidate, speed in zip(candidates, results, strict=True):
            answer = _measure(candidate, texts, threads, batch_size)
            speed.rounds.append(answer["words_per_second"])
            speed.peak_mib = max(speed.peak_mib, answer["peak_mib"])
    return results


def ratios(speed: Speed, base: Speed) -> tuple[float, float, float]:
    """Median, least and largest ratio of words per second, round by round."""
    each = [a / b for a, b in zip(speed.rounds, base.rounds, strict=True)]
    return statistics.median(each), min(each), max(each)


def with_and_without_confidences(model: str) -> list[Candidate]:
    """The pipeline as it is; one that has an `ossamma_ner` with its confidences and without them."""
    import spacy

    nlp = spacy.load(model)
    ours = [name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory == "ossamma_ner"]
    if not ours:
        return [Candidate(model, model)]
    settings = {on: {"components": {name: {"confidence": on} for name in ours}} for on in (False, True)}
    return [
        Candidate(model, model, settings[False]),
        Candidate(f"{model}, with confidences", model, settings[True]),
    ]


def speed_table(speeds: Sequence[Speed]) -> list[tuple[str, ...]]:
    """Rows of name, words per second, median, least and largest ratio to the first, and peak memory."""
    return [
        (
            speed.name,
            f"{speed.words_per_second:,.0f}",
            *(f"{ratio:.2f}" for ratio in ratios(speed, speeds[0])),
            f"{speed.peak_mib:,.0f}",
        )
        for speed in speeds
    ]


def _measure(candidate: Candidate, texts: Path, threads: int, batch_size: int) -> dict[str, float]:
    request = json.dumps(
        {
            "model": candidate.model,
            "overrides": candidate.overrides,
            "texts": str(texts),
            "threads": threads,
            "batch_size": batch_size,
        }
    )
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads))}
    command = [sys.executable, "-m", "ossamma_spacy.evaluation.speed", request]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}; is there enough memory?"])[-1]
        raise ValueError(f"{candidate.name}: {last}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def read_texts(path: Path) -> list[str]:
    """The texts of a .spacy file, or the lines of a text file in UTF-8. Raises ValueError where there is none."""
    from ossamma_spacy.stored import documents

    if path.suffix == ".spacy":
        texts = [doc.text for doc in documents(path)]
    else:
        try:
            texts = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8 text ({error}); give a .spacy file, or a text on each line") from error
    if not texts:
        raise ValueError(f"{path}: no text in it")
    return texts


def _worker(model: str, overrides: dict[str, Any], texts: str, threads: int, batch_size: int) -> dict[str, float]:
    import spacy
    import torch

    torch.set_num_threads(threads)
    read = read_texts(Path(texts))
    nlp = spacy.load(model, config=overrides, exclude=_unused(model))
    words = sum(len(doc) for doc in nlp.pipe(read, batch_size=batch_size))
    passes, start = 0, time.perf_counter()
    while not passes or time.perf_counter() - start < LEAST_SECONDS:
        for _ in nlp.pipe(read, batch_size=batch_size):
            pass
        passes += 1
    seconds = (time.perf_counter() - start) / passes
    return {"words_per_second": words / seconds, "peak_mib": peak_memory()}


def _unused(model: str) -> list[str]:
    """The pipes that have no part in finding entities: loading them would cost memory."""
    from spacy import util

    folder = Path(model)
    if not folder.exists():
        package = util.get_package_path(model)
        meta = util.get_model_meta(package)
        folder = package / f"{meta['lang']}_{meta['name']}-{meta['version']}"
    components = util.load_config(folder / "config.cfg")["components"]
    return [name for name, settings in components.items() if settings["factory"] not in USED]


def peak_memory() -> float:
    """The largest memory of this process so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent held when it started this process
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource  # Windows has none

    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1024**2


if __name__ == "__main__":
    print(json.dumps(_worker(**json.loads(sys.argv[1]))))
