"""Linear and windowed attention against their quadratic definitions."""

import pytest
import torch
import torch.nn.functional as F

from ossamma_spacy.nn.attention import linear_attention, rotary_table, rotate, window_masks, windowed_attention


def qkv(batch, length, heads=2, width=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, length, heads, width, generator=generator) for _ in range(3)]


def joined(function, tensors, cuts, *more):
    """Call a function of segments, and join what it returns."""
    return torch.cat(function(*([x[:, segment] for segment in cuts] for x in tensors), *more), dim=1)


@pytest.mark.parametrize("cuts", [[slice(0, 7)], [slice(0, 4), slice(4, 7)]])
@pytest.mark.parametrize("lengths", [[5, 3, 1], [7, 7, 7], [0, 4, 7]])
def test_linear_attention_equals_its_normed_quadratic_form(lengths, cuts):
    q, k, v = qkv(3, 7)
    v *= 30.0  # beside it the norm's epsilon is nothing
    counts = torch.tensor(lengths)
    k[torch.arange(7) >= counts[:, None]] = 0.0
    out = joined(linear_attention, (q, k, v), cuts, counts)
    for b, n in enumerate(lengths):
        phi_q, phi_k = F.relu(q[b, :n].double()), F.relu(k[b, :n].double())
        weights = torch.einsum("ihd,jhd->hij", phi_q, phi_k)
        weights = weights / weights.sum(-1, keepdim=True)
        expected = torch.einsum("hij,jhd->ihd", weights, v[b, :n].double())
        expected = F.layer_norm(expected, (8,), eps=0.0)
        assert torch.allclose(out[b, :n].double(), expected, atol=1e-3)
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("length", [1, 3, 4, 5, 8, 9, 16, 23, 25, 41])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("size", [100, 12, 4])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 3e-2)])
@torch.no_grad()
def test_windowed_attention_equals_a_banded_softmax(length, padded, size, dtype, tolerance):
    window = 4
    q, k, v = (x.to(dtype) for x in qkv(3, length, seed=length))
    lengths = torch.tensor([length, max(length - 3, 0), 1]) if padded else torch.full((3,), length)
    segments = (
        [slice(i, min(i + size, length)) for i in range(0, length, size)] if length > 2 * window else [slice(0, length)]
    )
    masks = window_masks(3, length, lengths if padded else None, window, segments, q.device)
    out = joined(windowed_attention, (q, k, v), segments, masks, window)
    position = torch.arange(length)
    band = (position[:, None] - position[None]).abs() <= window
    for b, n in enumerate(lengths.tolist()):
        scores = torch.einsum("ihd,jhd->hij", q[b, :n].double(), k[b, :n].double()) / 8**0.5
        weights = scores.masked_fill(~band[:n, :n], -torch.inf).softmax(-1)
        expected = torch.einsum("hij,jhd->ihd", weights, v[b, :n].double())
        assert torch.allclose(out[b, :n].double(), expected, atol=tolerance)
    assert torch.isfinite(out).all()


def test_rotary_products_depend_on_distance_only():
    q, k, _ = qkv(1, 1)
    products = []
    for shift in (0, 10, 50_000):
        here, there = (rotary_table(slice(i, i + 1), 8, torch.device("cpu")) for i in (shift, shift + 5))
        products.append((rotate(q, here) * rotate(k, there)).sum(-1))
    assert torch.allclose(products[0], products[1], atol=1e-5)
    assert torch.allclose(products[0], products[2], atol=1e-5)
