"""A block against the equations of its docstring, written out in float64, for every switch."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from ossamma_spacy.nn.attention import rotary_table, window_masks
from ossamma_spacy.nn.block import Block, Context
from ossamma_spacy.nn.config import EncoderConfig

CONFIG = EncoderConfig(width=16, depth=2, heads=2, window=4, feed_forward_width=24, dropout=0.0, time_width=8)
LENGTH = 11
NO_LOCAL = {"windowed_attention": False, "input_gate": False, "output_gate": False, "token_mixing": False}
NO_GLOBAL = {
    "oscillator": False, "linear_attention": False, "input_gate": False, "output_gate": False, "token_mixing": False,
}  # fmt: skip
SWITCHED_OFF = [
    {}, {"input_gate": False}, {"output_gate": False}, {"token_mixing": False}, {"oscillator": False},
    {"linear_attention": False}, {"time_condition": False}, {"feed_forward": False}, NO_LOCAL, NO_GLOBAL,
]  # fmt: skip


def linear(layer, x):
    bias = 0 if layer.bias is None else layer.bias.double()
    return x @ layer.weight.double().T + bias


def norm(x, weight=1.0, bias=0.0):
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() * weight + bias


def heads(x):
    return x.view(LENGTH, CONFIG.heads, -1).transpose(0, 1)  # (H, L, d_h)


def turned(x):
    """Neighbouring features as complex numbers, turned by position × 10000^(−2i/d_h)."""
    width = x.shape[-1]
    rate = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angle = torch.arange(LENGTH, dtype=torch.float64)[:, None] * rate
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * torch.exp(1j * angle)).flatten(-2)


def linear_attention(q, k, v):
    q, k, v = heads(F.relu(q)), heads(F.relu(k)), heads(v)
    # the norm sees no positive factor of a position, hence no denominator
    return norm(q @ k.mT / LENGTH @ v).transpose(0, 1).flatten(1)


def oscillator(layer, x):
    """The two impulse responses and the skip term, summed position by position."""
    forward, backward = layer.kernel(LENGTH)
    out = x * layer.skip.double()
    for i in range(LENGTH):
        for j in range(LENGTH):
            if j <= i:
                out[i] += forward[:, i - j] * x[j]
            if j >= i:
                out[i] += backward[:, j - i] * x[j]
    return out


def windowed_attention(q, k, v):
    q, k, v = turned(heads(q)), turned(heads(k)), heads(v)
    position = torch.arange(LENGTH)
    near = (position[:, None] - position).abs() <= CONFIG.window
    scores = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~near, -torch.inf)
    return (scores.softmax(-1) @ v).transpose(0, 1).flatten(1)


def reference(block, x, e):
    """One document x (L, d) at time e (d_t,) through a block."""
    config = block.config
    scale, shift = linear(block.norm.from_time, e).chunk(2) if config.time_condition else (0.0, 0.0)
    n = norm(x, block.norm.weight.double(), block.norm.bias.double()) * (1 + scale) + shift

    def local(x):
        return windowed_attention(*linear(block.local_in, x).chunk(3, -1))

    if not config.global_branch:
        mixed = local(n)
    else:
        maps = list(linear(block.global_in, n).split(config.width, -1))
        gate = torch.sigmoid(oscillator(block.oscillator, maps.pop())) if config.oscillator else 1.0
        c = linear_attention(*maps) if config.linear_attention else maps[0]
        g = linear(block.w_o, c * gate)
        if not config.windowed_attention:
            mixed = g
        else:
            seen = local(n * 2 * torch.sigmoid(linear(block.w_in, g)) if config.input_gate else n)
            if config.output_gate:
                seen = seen + torch.sigmoid(linear(block.w_out, g)) * g
            alpha = 0.5
            if config.token_mixing:
                by_time = linear(block.mix_time, e) if config.time_condition else 0.0
                alpha = torch.sigmoid(linear(block.mix, n) + by_time)
            mixed = alpha * g + (1 - alpha) * seen
    x = x + linear(block.w_m, mixed)
    if config.feed_forward:
        a, b = linear(block.ffn_in, norm(x, block.ffn_norm.weight.double(), block.ffn_norm.bias.double())).chunk(2, -1)
        x = x + linear(block.ffn_out, F.silu(a) * b)
    return x


@torch.no_grad()
@pytest.mark.parametrize("off", SWITCHED_OFF, ids=lambda off: "-".join(off) or "all on")
def test_a_block_is_what_its_equations_say(off):
    torch.manual_seed(0)
    config = replace(CONFIG, **off)
    block = Block(config.validate()).eval()
    for parameter in block.parameters():  # gates, maps from time and biases start at zero or near
        parameter.add_(0.3 * torch.randn(parameter.shape))
    x, e = torch.randn(2, LENGTH, 16), torch.randn(2, 8) if config.time_condition else None
    context = Context(
        padding=[None],
        counts=torch.full((2,), LENGTH),
        masks=window_masks(2, LENGTH, None, config.window, [slice(0, LENGTH)], x.device),
        rotary=[rotary_table(slice(0, LENGTH), config.head_width, x.device)],
        time=e,
    )
    (found,) = block([x], context)
    for i in range(2):
        expected = reference(block, x[i].double(), None if e is None else e[i].double())
        assert torch.allclose(found[i].double(), expected, atol=1e-4 * expected.abs().max().item())


def test_what_a_block_adds_to_the_stream_starts_small():
    torch.manual_seed(0)
    config = EncoderConfig(width=256, depth=8, heads=2, feed_forward_width=256)
    block = Block(config)
    for name, layer in block.named_modules():
        if name in ("w_m", "ffn_out", "w_o", "local_in"):
            scale = (2 * config.depth) ** -0.5 if name in ("w_m", "ffn_out") else 1.0
            assert layer.weight.std().item() == pytest.approx(scale * layer.in_features**-0.5, rel=0.02)
