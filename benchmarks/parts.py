"""Milliseconds of the encoder's parts, computed one way and another; what docs/decisions.md refers to."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor

from ossamma_spacy.nn import attention, linear
from ossamma_spacy.nn.config import EncoderConfig
from ossamma_spacy.nn.crf import CRF
from ossamma_spacy.nn.dropout import Dropout
from ossamma_spacy.nn.encoder import Encoder
from ossamma_spacy.nn.lexical import AFFIXES, CASES, MAX_PIECES, Words
from ossamma_spacy.nn.linear import Linear, set_arithmetic
from ossamma_spacy.nn.oscillator import Oscillator

TOKENS = 1536
WIDTH, HEADS, WINDOW = 192, 6, 64

Ways = dict[str, Callable[[], Any]]


def measure(threads: int, rounds: int) -> dict[str, dict[str, dict[str, Any]]]:
    """For each part and case the median milliseconds of each way; the ways take turns."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    parts = {
        "linear map": linear_maps(),
        "linear map in bfloat16, a number of rows that was not seen before": new_sizes(),
        "dropout": {"forward": dropouts()},
        "oscillator, prediction": oscillators(),
        "windowed attention, forward and backward": windowed_attentions(),
        "windowed attention, prediction in bfloat16": rounded_attentions(),
        "gradient of the CRF": crf_gradients(),
        "lexicon, prediction in float32": {"600 distinct words": lexicons()},
    }
    return {
        part: {case: {way: round(ms, 3) for way, ms in turns(ways, rounds).items()} for case, ways in cases.items()}
        for part, cases in parts.items()
    }


def turns(ways: Ways, rounds: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 2):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    return {name: 1000 * statistics.median(each[2:]) for name, each in seconds.items()}  # two rounds to warm up


def linear_maps() -> dict[str, Ways]:
    """In float32 and in bfloat16 with float32 around it."""
    cases = {}
    for fan_in, fan_out in ((192, 768), (768, 192)):
        x, weight = torch.randn(TOKENS, fan_in, requires_grad=True), torch.randn(TOKENS, fan_out)
        layers = {arithmetic: Linear(fan_in, fan_out) for arithmetic in linear.ARITHMETICS}
        for arithmetic, layer in layers.items():
            set_arithmetic(layer, arithmetic)
        cases[f"{fan_in} to {fan_out}, forward and backward"] = {
            name: lambda layer=layer, x=x, weight=weight: gradients((layer(x) * weight).sum(), [x, layer.weight])
            for name, layer in layers.items()
        }
    return cases


def new_sizes() -> dict[str, Ways]:
    """oneDNN with as many rows as come, a new number at each call, and with rows of zeros up to one of few numbers."""
    cases: dict[str, Ways] = {}
    layer, x = Linear(WIDTH, 6 * WIDTH).requires_grad_(False), torch.randn(2 * TOKENS, WIDTH)
    set_arithmetic(layer, "bfloat16")
    for rows in (128, TOKENS):
        one, other = itertools.count(rows), itertools.count(rows)

        @torch.no_grad()
        def as_they_come(sizes: Iterator[int] = one) -> Tensor:
            with patch.object(linear, "usual_size", lambda size: size):
                return layer(x[: next(sizes)])

        @torch.no_grad()
        def rounded_up(sizes: Iterator[int] = other) -> Tensor:
            return layer(x[: next(sizes)])

        cases[f"from {rows} rows"] = {"as they come": as_they_come, "rounded up": rounded_up}
    return cases


def dropouts() -> Ways:
    x, layer = torch.randn(TOKENS, WIDTH), Dropout(0.1)
    return {"torch": lambda: F.dropout(x, 0.1, True), "bytes": lambda: layer(x)}


def oscillators() -> dict[str, Ways]:
    layer = Oscillator(WIDTH).requires_grad_(False)
    cases = {}
    for length in (128, 256, 1024, 8192):
        x = torch.randn(max(TOKENS // length, 1), length, WIDTH)
        cases[f"{length} tokens"] = {
            "chunks": torch.no_grad()(lambda x=x: layer.by_chunks([x])),
            "FFT": torch.no_grad()(lambda x=x: layer.by_fft(x)),
        }
    return cases


def windowed_attentions() -> dict[str, Ways]:
    cases = {}
    for length in (132, 256, 384, 768, 1536):
        shape = (TOKENS // length, length, HEADS, WIDTH // HEADS)
        q, k, v = (torch.randn(shape, requires_grad=True) for _ in range(3))
        cases[f"{length} tokens"] = {
            name: lambda dense=dense, q=q, k=k, v=v: gradients(attend(q, k, v, dense).sum(), [q, k, v])
            for name, dense in (("one product", 1000), ("blocks", 0))
        }
    return cases


def rounded_attentions() -> dict[str, Ways]:
    """One product and blocks by torch's fused kernel, and one product by oneDNN with a softmax behind it."""
    cases = {}
    for length in (128, 256, 384, 1536):
        shape = (TOKENS // length, length, HEADS, WIDTH // HEADS)
        q, k, v = (torch.randn(shape, dtype=torch.bfloat16) for _ in range(3))
        mask = attention.window_masks(len(q), length, None, WINDOW, [slice(0, length)], q.device)[0]
        heads = [x.transpose(1, 2) for x in (q, k, v)]
        ways: Ways = {
            name: torch.no_grad()(lambda dense=dense, q=q, k=k, v=v: attend(q, k, v, dense))
            for name, dense in (("one product", 1000), ("blocks", 0))
        }
        if length <= attention.DENSE * WINDOW:
            rounded = None if mask is None else mask.bfloat16()
            ways["one product, not fused"] = torch.no_grad()(
                lambda heads=heads, mask=rounded: attend_by_products(*heads, mask)
            )
        cases[f"{length} tokens"] = ways
    return cases


def attend_by_products(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.mT)
    if mask is not None:
        scores += mask
    return torch.softmax(scores, dim=-1, out=scores) @ v


def attend(q: Tensor, k: Tensor, v: Tensor, dense: int) -> Tensor:
    """Windowed attention that counts documents of up to `dense` windows as short."""
    kept, attention.DENSE = attention.DENSE, dense
    try:
        whole = slice(0, q.shape[1])
        masks = attention.window_masks(len(q), q.shape[1], None, WINDOW, [whole], q.device)
        return attention.windowed_attention([q], [k], [v], masks, WINDOW)[0]
    finally:
        attention.DENSE = kept


def crf_gradients() -> dict[str, Ways]:
    """Ours, by forward–backward, and autograd through the plain recursion."""
    crf, cases = CRF(9), {}
    for batch, length in ((4, 250), (1, 1000)):
        emissions = torch.randn(batch, length, crf.n_tags, requires_grad=True)
        lengths = torch.full((batch,), length)
        cases[f"{batch} × {length} tokens"] = {
            "forward-backward": lambda e=emissions, n=lengths: gradients(crf.log_partition(e, n).sum(), [e]),
            "autograd": lambda e=emissions: gradients(plain_log_partition(crf, e).sum(), [e]),
        }
    return cases


def lexicons() -> Ways:
    """The lexicon of tiny, with the vectors of words at hand, and the whole encoder that it is a part of."""
    config = EncoderConfig()
    encoder, distinct, shape = Encoder(config).eval().requires_grad_(False), 600, (TOKENS // 128, 128)
    pieces = torch.randint(1, config.vocabulary_rows, (distinct, MAX_PIECES))
    pieces[:, 2:] = 0
    words = Words(
        pieces=pieces,
        affixes=torch.randint(config.affix_rows, (distinct, AFFIXES)),
        cases=torch.randint(CASES, (distinct,)),
        words=torch.randint(config.word_rows, (distinct,)),
        index=torch.randint(distinct, shape),
        pairs=torch.randint(config.pair_rows, (*shape, 2)),
        lengths=torch.full(shape[:1], shape[1]),
    )
    lexicon = encoder.lexicon
    vectors = lexicon.types(words)

    def remembered() -> Tensor:
        with patch.object(lexicon, "types", lambda _: vectors):
            return lexicon(words)

    return {"lexicon": lambda: lexicon(words), "words remembered": remembered, "encoder": lambda: encoder(words)}


def plain_log_partition(crf: CRF, emissions: Tensor) -> Tensor:
    start, transitions, end = crf._potentials()
    message = start + emissions[:, 0].double()
    for step in emissions.double().unbind(1)[1:]:
        message = (message[:, :, None] + transitions).logsumexp(1) + step
    return (message + end).logsumexp(1)


def gradients(value: Tensor, inputs: list[Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(value, inputs)
