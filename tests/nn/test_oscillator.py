"""The oscillator against the sequential recurrence of the damped oscillator, in float64."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ossamma_spacy.nn.oscillator import CHUNK, Oscillator

LENGTHS = [1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 3, 1000, 4096]


def recurrence(layer: Oscillator, x: Tensor) -> Tensor:
    """S = 1 + Δt·g; v ← (v − Δt·a·x + Δt·f)/S; x ← x + Δt·v with Δt = 1, forwards and backwards, plus the skip."""
    log_radius, angle = layer.poles()
    s = torch.exp(-2 * log_radius)
    a = s + 1 - 2 * s.sqrt() * torch.cos(angle)
    scale = layer.gain(log_radius, angle) * torch.sin(angle) * s  # the recurrence's h[k] is r^k sin((k+1)θ) / (S sin θ)
    x = x.double()
    out = x * layer.skip.double()
    for direction, order in enumerate((range(x.shape[1]), reversed(range(x.shape[1])))):
        velocity = position = x.new_zeros(x.shape[0], x.shape[2])
        steps: dict[int, Tensor] = {}
        for i in order:
            velocity = (velocity - a[direction] * position + x[:, i]) / s[direction]
            position = position + velocity
            steps[i] = position * scale[direction]
        out = out + torch.stack([steps[i] for i in range(x.shape[1])], dim=1)
    return out


def by_chunks(layer, x):
    return layer.by_chunks([x])[0]


def by_segments(layer, x):
    size = 2 * CHUNK
    return torch.cat(layer.by_chunks([x[:, i : i + size] for i in range(0, x.shape[1], size)]), dim=1)


def by_fft(layer, x):
    return layer.by_fft(x)


WAYS = pytest.mark.parametrize("way", [by_chunks, by_segments, by_fft])


@pytest.mark.parametrize("training", [True, False])  # prediction cuts its kernels from some that it remembers
@pytest.mark.parametrize("length", LENGTHS)
@WAYS
def test_convolution_equals_the_recurrence(length, way, training):
    torch.manual_seed(length)
    layer, x = Oscillator(8), torch.randn(2, length, 8)
    with torch.set_grad_enabled(training):
        expected = recurrence(layer, x)
        error = (way(layer, x) - expected).abs().max() / expected.abs().max()
    assert error <= 1e-5


@torch.no_grad()
@pytest.mark.parametrize("length", LENGTHS)
def test_prediction_in_bfloat16_is_as_exact_as_its_rounding(length):
    torch.manual_seed(length)
    layer, x = Oscillator(8), torch.randn(2, length, 8).bfloat16()
    expected = recurrence(layer, x)
    for way in (by_chunks, by_segments):
        found = way(layer, x)
        assert found.dtype == torch.bfloat16
        assert (found - expected).abs().max() <= 2**-6 * expected.abs().max()
    assert (by_chunks(layer, x.float()) - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("length", [1, CHUNK + 1, 3 * CHUNK + 5, pytest.param(4096, marks=pytest.mark.slow)])
@WAYS
def test_gradients_equal_those_of_the_recurrence(length, way):
    torch.manual_seed(length)
    layer, x = Oscillator(4), torch.randn(2, length, 4, requires_grad=True)
    weight = torch.randn(2, length, 4)
    wanted = [x, *layer.parameters()]
    expected = torch.autograd.grad((recurrence(layer, x) * weight.double()).sum(), wanted)
    found = torch.autograd.grad((way(layer, x) * weight).sum(), wanted)
    for left, right in zip(found, expected, strict=True):
        assert (left - right).abs().max() <= 1e-5 * right.abs().max()


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
@settings(max_examples=50)
def test_no_parameter_value_is_unstable(fold, angle):
    layer = Oscillator(1)
    with torch.no_grad():
        layer.raw_fold.fill_(fold)
        layer.raw_angle.fill_(angle)
        log_radius, theta = layer.poles()
        s = torch.exp(-2 * log_radius)
        g, a = s - 1, s + 1 - 2 * s.sqrt() * torch.cos(theta)
        assert (g > 0).all()
        assert (a > 0).all()
        assert (a < 4 + 2 * g).all()
        energy = layer.kernel(200_000).square().sum(-1)
        assert torch.isfinite(energy).all()
        assert torch.allclose(energy, torch.ones_like(energy), rtol=1e-6)


def test_initial_periods_and_folds_span_phrases_and_paragraphs():
    torch.manual_seed(0)
    log_radius, angle = Oscillator(4096).poles()
    period, fold = 2 * math.pi / angle, -1 / log_radius
    assert 2.4 < period.min() < 3 and 400 < period.max() < 520
    assert 1.9 < fold.min() < 3 and 400 < fold.max() < 520


def test_padding_of_zeros_changes_nothing():
    layer, x = Oscillator(4), torch.randn(1, 70, 4)
    padded = torch.cat([x, torch.zeros(1, 100, 4)], dim=1)
    for way in (by_chunks, by_segments, by_fft):
        assert torch.allclose(way(layer, x), way(layer, padded)[:, :70], atol=1e-5)


def test_empty_sequences():
    layer = Oscillator(4)
    assert layer([torch.zeros(2, 0, 4)])[0].shape == (2, 0, 4)
    assert layer([torch.zeros(0, 3, 4)])[0].shape == (0, 3, 4)


@torch.no_grad()
def test_a_copy_follows_its_own_weights():
    layer, x = Oscillator(4), torch.randn(1, CHUNK, 4)
    by_chunks(layer, x)
    twin = copy.deepcopy(layer)
    for p, own in zip(twin.parameters(), layer.parameters(), strict=True):
        while p._version < own._version:
            p.add_(0.0)
        p.data = p.data + 0.5  # unseen by the count of versions
    assert torch.allclose(by_chunks(twin, x), by_fft(twin, x), atol=1e-5)
