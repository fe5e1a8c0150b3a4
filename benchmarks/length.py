"""Time and memory of one document, from 1,024 to 65,536 tokens.

Memory is what a document takes above one of 512 tokens, in a process that knows the words and has read documents of
1,024 tokens, so has allocated what it needs for any document, and whose freed memory goes back to the system at once.
Beside it stands what the process takes above the loaded model, the allocations for any document included.
Times are the least of several, in turns, for they are seconds on a machine that others use too.
"""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tqdm

from benchmarks import harness
from ossamma_spacy.nn.linear import fastest_arithmetic

LENGTHS = [1024, 2048, 4096, 8192, 16384, 32768, 65536]
FIRST = 512
ROUNDS = 12
TOKENS_A_TURN = 8192  # of a length's further reads in a round, so that short documents have many
TEXT = (
    "In 1998 the World Health Organization asked Dr. Maria Keller of Zurich to study malaria in Kenya , where her team "
    "found that bed nets treated with insecticide cut deaths by 17 % within two years of their first use ."
)


def metrics(model: Path, threads: int) -> dict[str, Any]:
    """Microseconds and KiB per token by length, how much they spread, and the milliseconds of 512 tokens."""
    arithmetic = fastest_arithmetic()
    seconds = _measure("seconds", model, threads, arithmetic, [FIRST, *LENGTHS])
    times = {n: seconds[str(n)] / n for n in LENGTHS}
    peaks = {n: _measure("memory", model, threads, arithmetic, [n]) for n in LENGTHS}
    memory = {n: (peaks[n]["document"] - peaks[n]["first"]) / (n - FIRST) for n in LENGTHS}
    above_loaded = {n: (peaks[n]["document"] - peaks[n]["loaded"]) / n for n in LENGTHS}
    return {
        "arithmetic": arithmetic,
        "time_per_token_spread": max(times.values()) / min(times.values()),
        "memory_per_token_spread": max(memory.values()) / min(memory.values()),
        "latency_512_ms": 1000 * seconds[str(FIRST)],
        "microseconds_per_token": {str(n): 1e6 * value for n, value in times.items()},
        "kib_per_token": {str(n): value / 1024 for n, value in memory.items()},
        "kib_per_token_above_loaded": {str(n): value / 1024 for n, value in above_loaded.items()},
    }


def _measure(what: str, model: Path, threads: int, arithmetic: str, lengths: Sequence[int]) -> dict[str, Any]:
    """What `_seconds` or `_memory` finds, in a process of its own."""
    environment = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))}
    if what == "memory":
        environment["MALLOC_MMAP_THRESHOLD_"] = "32768"
    command = [sys.executable, "-m", "benchmarks.length", what, str(model), str(threads), arithmetic]
    command += map(str, lengths)
    done = subprocess.run(command, env=environment, cwd=harness.ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def _reader(model: str, threads: int, arithmetic: str) -> Callable[..., float]:
    """Reads a document of so many words from a first one on, returns the seconds that it took."""
    import spacy
    import torch
    from spacy.tokens import Doc

    torch.set_num_threads(threads)
    settings = {"model": {"arithmetic": arithmetic, "tok2vec": {"arithmetic": arithmetic}}}
    nlp = spacy.load(model, config={"components": {"ossamma_ner": settings}})
    pipe = nlp.get_pipe("ossamma_ner")
    plain = TEXT.split()
    repeated = plain * (LENGTHS[-1] // len(plain) + 1)
    words = [f"{word}{i % 97}" if i % 11 == 0 else word for i, word in enumerate(repeated)]

    def read(length: int, first: int = 0) -> float:
        doc = Doc(nlp.vocab, words=words[first : first + length])
        start = time.perf_counter()
        pipe(doc)
        return time.perf_counter() - start

    return read


def _seconds(read: Callable[..., float], lengths: Sequence[int]) -> dict[int, float]:
    """The least seconds by length; lengths take turns, and short documents several reads in each."""
    for length in (8192, *lengths):
        read(length)
    least = dict.fromkeys(lengths, math.inf)
    for _ in tqdm.trange(ROUNDS, desc="rounds"):
        for length in lengths:
            least[length] = min(least[length], *(read(length) for _ in range(1 + TOKENS_A_TURN // length)))
    return least


def _memory(read: Callable[..., float], length: int) -> dict[str, int]:
    """The bytes of the loaded model, those at a document of 512 tokens, and those at a document of this length."""
    peaks = {"loaded": _peak_while(lambda: None)}
    for first in range(0, min(length, 8192), 2 * FIRST):
        read(2 * FIRST, first)
    peaks["first"] = _peak_while(lambda: read(FIRST))
    peaks["document"] = _peak_while(lambda: read(length))
    return peaks


def _peak_while(work: Callable[[], object]) -> int:
    """The largest resident memory of this process meanwhile, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    work()
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    what, model, threads, arithmetic, *lengths = sys.argv[1:]
    read, counts = _reader(model, int(threads), arithmetic), [int(length) for length in lengths]
    print(json.dumps(_seconds(read, counts) if what == "seconds" else _memory(read, counts[0])))
