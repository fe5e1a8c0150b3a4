"""The linear map against torch's own."""

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from ossamma_spacy.nn.linear import Linear, _fastest_arithmetic, fastest_arithmetic, set_arithmetic, usual_size

SHAPES = [(0, 5), (1, 5), (3, 5), (2, 4, 5), (2, 0, 5), (2, 3, 4, 5)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_equal_torchs(shape, bias):
    torch.manual_seed(0)
    layer, x = Linear(5, 7, bias=bias), torch.randn(shape, requires_grad=True)
    y, expected = layer(x), F.linear(x, layer.weight, layer.bias)
    assert torch.allclose(y, expected, atol=1e-6)
    weight = torch.randn_like(y)
    wanted = [x, *layer.parameters()]
    ours, theirs = (torch.autograd.grad((out * weight).sum(), wanted) for out in (y, expected))
    for found, right in zip(ours, theirs, strict=True):
        assert torch.allclose(found, right, atol=1e-5)


@pytest.mark.parametrize("rows", [15, 16, 17, 255, 257, 1000])
def test_rows_of_padding_change_nothing(rows, monkeypatch):
    torch.manual_seed(0)
    layer, x = Linear(5, 7), torch.randn(rows, 5, requires_grad=True)
    set_arithmetic(layer, "bfloat16")

    def outcome():
        y = layer(x)
        return y, *torch.autograd.grad((y * y).sum(), [x, *layer.parameters()])

    padded = outcome()
    monkeypatch.setattr("ossamma_spacy.nn.linear.usual_size", lambda size: size)
    for found, expected in zip(padded, outcome(), strict=True):
        assert torch.allclose(found, expected, rtol=1e-2, atol=1e-4)


@given(st.integers(0, 10**6))
def test_usual_sizes_are_few_and_near(size):
    usual = usual_size(size)
    assert size <= usual < size + max(16, size / 16 + 1)
    assert usual_size(usual) == usual
    assert len({usual_size(n) for n in range(1, 2049)}) == 64


def test_strided_inputs_are_fine():
    layer, x = Linear(5, 7), torch.randn(3, 10)[:, ::2].requires_grad_()
    layer(x).sum().backward()
    assert torch.allclose(layer(x), F.linear(x, layer.weight, layer.bias), atol=1e-6)


@pytest.fixture(params=["as it is", "only AVX2"])
def processor(request, monkeypatch):
    if request.param == "only AVX2":
        monkeypatch.setattr("ossamma_spacy.nn.linear.ONEDNN_BFLOAT16", False)


@torch.no_grad()
def test_bfloat16_rounds_and_follows_the_weights(processor):
    layer, x = Linear(64, 32), torch.randn(9, 64)
    exact = layer(x)
    set_arithmetic(torch.nn.Sequential(layer), "bfloat16")
    rough = layer(x)
    assert rough.dtype == torch.bfloat16
    assert 0 < (exact - rough).abs().max() < 0.05
    layer.weight.zero_()
    layer.bias.fill_(2.0)
    assert (layer(x) == 2.0).all()


def test_training_in_bfloat16_keeps_float32_weights_and_stays_near(processor):
    layer, x = Linear(64, 32), torch.randn(9, 5, 64, requires_grad=True)
    weight = torch.randn(9, 5, 32)

    def gradients():
        return torch.autograd.grad((layer(x) * weight).sum(), [x, layer.weight, layer.bias])

    exact = gradients()
    set_arithmetic(layer, "bfloat16")
    for rough, sharp in zip(gradients(), exact, strict=True):
        assert rough.dtype == torch.float32
        assert (rough - sharp).norm() < 0.02 * sharp.norm()
    assert layer(x).dtype == layer.weight.dtype == torch.float32


def test_layers_are_copied_and_pickled():
    layer, x = Linear(8, 8), torch.randn(3, 8)
    with torch.inference_mode():
        set_arithmetic(layer, "bfloat16")
        y = layer(x)
        for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert torch.equal(twin(x), y)


def test_a_copy_follows_its_own_weights():
    layer, x = Linear(8, 8), torch.randn(3, 8)
    layer.arithmetic = "bfloat16"
    with torch.no_grad():
        for value in (1.0, 2.0):  # so often written as the copy will be
            layer.weight.fill_(value)
        layer(x)
        twin = copy.deepcopy(layer)
        while twin.weight._version < layer.weight._version:
            twin.weight.zero_()
        twin.bias.zero_()
        assert (twin(x) == 0).all()


def test_measuring_draws_no_random_numbers_and_leaves_the_threads():
    _fastest_arithmetic.cache_clear()
    torch.manual_seed(0)
    state = torch.get_rng_state()
    threads = torch.get_num_threads()
    fastest_arithmetic()
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("rows", [0, 3])
def test_what_is_rounded_ahead_gives_the_same_product(rows, processor):
    layer, x = Linear(4, 5), torch.randn(rows, 4)
    layer.arithmetic = "bfloat16"
    with torch.no_grad():
        assert torch.equal(layer(layer.rounded(x)), layer(x))
