"""Time and memory of one document, from 1,024 to 65,536 tokens.

Memory is counted above that of the loaded model once it has read a document of 512 tokens, so has allocated what
it needs whatever comes. Times are the least of several, for they are seconds on a machine that others use too.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import harness

LENGTHS = [1024, 2048, 4096, 8192, 16384, 32768, 65536]
FIRST = 512


def measure(model: Path, length: int, threads: int) -> dict[str, float]:
    """Seconds and peak memory of one document, in a process of its own."""
    environment = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))}
    command = [sys.executable, "-m", "benchmarks.length", str(model), str(length), str(threads)]
    done = subprocess.run(command, env=environment, cwd=harness.ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def metrics(model: Path, threads: int) -> dict[str, Any]:
    rows = [{"length": length, **measure(model, length, threads)} for length in LENGTHS]
    times = [row["seconds"] / row["length"] for row in rows]
    memory = [row["bytes"] / (row["length"] - FIRST) for row in rows]
    return {
        "time_per_token_spread": max(times) / min(times),
        "memory_per_token_spread": max(memory) / min(memory),
        "latency_512_ms": 1000 * measure(model, FIRST, threads)["seconds"],
        "microseconds_per_token": {str(row["length"]): 1e6 * t for row, t in zip(rows, times, strict=True)},
        "kib_per_token": {str(row["length"]): m / 1024 for row, m in zip(rows, memory, strict=True)},
    }


def _status(field: str) -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def _worker(model: str, length: int, threads: int) -> dict[str, float]:
    import spacy
    import torch
    from spacy.tokens import Doc

    torch.set_num_threads(threads)
    nlp = spacy.load(model)
    pipe = nlp.get_pipe("ossamma_ner")
    plain = TEXT.split()
    words = [f"{word}{i % 97}" if i % 11 == 0 else word for i, word in enumerate(plain * (length // len(plain) + 1))]
    pipe(Doc(nlp.vocab, words=words[:64]))
    peaks = []
    for count in (FIRST, length):
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        pipe(Doc(nlp.vocab, words=words[:count]))
        peaks.append(_status("VmHWM"))
    seconds = []
    for _ in range(11 if length < 20000 else 5):
        doc = Doc(nlp.vocab, words=words[:length])
        start = time.perf_counter()
        pipe(doc)
        seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds), "bytes": peaks[1] - peaks[0]}


TEXT = (
    "In 1998 the World Health Organization asked Dr. Maria Keller of Zurich to study malaria in Kenya , where her team "
    "found that bed nets treated with insecticide cut deaths by 17 % within two years of their first use ."
)

if __name__ == "__main__":
    print(json.dumps(_worker(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
