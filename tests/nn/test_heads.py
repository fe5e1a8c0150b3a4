"""Boundary pooling and the losses beside the likelihood."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from ossamma_spacy.nn.crf import CRF
from ossamma_spacy.nn.heads import TaggerHead, boundary_loss, ratio_loss, smoothing_loss
from ossamma_spacy.nn.linear import set_arithmetic


def lattice(rows, n_labels=2):
    """(1, L, 2n + 1): each row lists the allowed tags, None for all."""
    allowed = torch.zeros(1, len(rows), 2 * n_labels + 1, dtype=torch.bool)
    for i, tags in enumerate(rows):
        allowed[0, i, range(2 * n_labels + 1) if tags is None else tags] = True
    return allowed


@torch.no_grad()
def test_pooling_sees_the_neighbours_and_nothing_beyond_the_border():
    head = TaggerHead(4, 2).eval()
    h = torch.randn(1, 5, 4)
    y = head(h)
    z = head.norm(F.linear(torch.cat([h[0, 2], h[0, 1], h[0, 3], h[0, 2] * h[0, 1]]), head.pool.weight, head.pool.bias))
    assert torch.allclose(y[0, 2, :5], F.linear(z, head.emit.weight, head.emit.bias), atol=1e-5)
    padded = torch.cat([h, torch.zeros(1, 3, 4)], dim=1)
    assert torch.allclose(head(padded)[:, :5], y, atol=1e-5)
    assert y.shape == (1, 5, 5 + 2)


@torch.no_grad()
def test_long_documents_are_scored_in_segments(monkeypatch):
    head = TaggerHead(4, 2).eval()
    h = torch.randn(2, 11, 4)
    whole = head(h)
    monkeypatch.setattr("ossamma_spacy.nn.heads.SEGMENT", 3)
    assert torch.allclose(head(h), whole, atol=1e-6)
    assert head(h[:, :0]).shape == (2, 0, 7)


@torch.no_grad()
def test_emissions_are_never_rounded():
    head = TaggerHead(8, 2).eval()
    set_arithmetic(head, "bfloat16")
    seen = []
    with head.norm.register_forward_hook(lambda *args: seen.append(args[2])):
        y = head(torch.randn(2, 5, 8))
    assert torch.equal(y[..., :5], F.linear(seen[0], head.emit.weight, head.emit.bias))
    assert y.dtype == torch.float32
    assert not torch.equal(y, y.bfloat16().float())


def known(rows):
    """Which start and end logits carry a loss, and their targets, found by probing the loss."""
    logits = torch.zeros(1, len(rows), 2, requires_grad=True)
    boundary_loss(logits, lattice(rows), torch.tensor([len(rows)])).sum().backward()
    sign = logits.grad[0].sign()  # −½ where the target is 1, +½ where it is 0, 0 where nothing is known
    return [tuple(row) for row in (-sign).int().tolist()]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # O B-0 I-0 O: starts at 1, ends at 2
        ([[0], [1], [2], [0]], [(-1, -1), (1, -1), (-1, 1), (-1, -1)]),
        # two neighbours of one token each, the second ends with the document
        ([[1], [3]], [(1, 1), (1, 1)]),
        # nothing known after an entity: whether it ends is not known
        ([[1], None], [(1, 0), (0, 0)]),
        # nothing known, but no continuation: the entity ends
        ([[1], [0, 1, 3]], [(1, 1), (0, 0)]),
        # a choice of labels is still a start
        ([[1, 3], [0]], [(1, 1), (-1, -1)]),
    ],
)
def test_the_boundary_loss_counts_what_is_known(rows, expected):
    assert known(rows) == expected


def test_the_boundary_loss_is_binary_cross_entropy():
    logits = torch.randn(1, 2, 2)
    targets = torch.tensor([[[1.0, 1.0], [0.0, 0.0]]])
    expected = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
    assert torch.allclose(boundary_loss(logits, lattice([[1], [0]]), torch.tensor([2])).sum(), expected)


def test_padding_has_no_part_in_the_losses():
    logits, crf = torch.randn(1, 2, 2), CRF(2)
    emissions = torch.randn(1, 2, 5)
    allowed = lattice([[1], [0]])
    wide = F.pad(logits, (0, 0, 0, 3), value=9.0), F.pad(emissions, (0, 0, 0, 3), value=9.0)
    lengths = torch.tensor([2])
    assert torch.allclose(
        boundary_loss(logits, allowed, lengths),
        boundary_loss(wide[0], F.pad(allowed, (0, 0, 0, 3), value=True), lengths),
    )
    assert torch.allclose(smoothing_loss(crf, emissions, lengths), smoothing_loss(crf, wide[1], lengths), atol=1e-6)


def test_smoothing_is_least_where_the_marginals_are_uniform_over_legal_tags():
    crf = CRF(1, constrained=False)
    lengths = torch.tensor([3])
    flat = smoothing_loss(crf, torch.zeros(1, 3, 3), lengths)
    assert torch.allclose(flat, torch.full((1,), 3 * torch.log(torch.tensor(3.0)).item()), atol=1e-5)
    assert smoothing_loss(crf, torch.randn(1, 3, 3) * 3, lengths) > flat
    emissions = torch.zeros(1, 3, 3, requires_grad=True)
    smoothing_loss(CRF(1), emissions, lengths).sum().backward()
    assert torch.isfinite(emissions.grad).all()


def expected_entities(crf, emissions, length, label):
    """Entities of a label in a document, each legal path weighted by its probability."""
    total = count = 0.0
    for path in itertools.product(range(crf.n_tags), repeat=length):
        allowed = torch.zeros(1, length, crf.n_tags, dtype=torch.bool)
        allowed[0, range(length), path] = True
        weight = crf.log_partition(emissions[None, :length], torch.tensor([length]), allowed).exp().item()
        total += weight
        count += weight * path.count(2 * label + 1)
    return count / total


def test_the_ratio_loss_counts_the_entities_that_all_paths_expect():
    torch.manual_seed(0)
    crf = CRF(2).double()
    torch.nn.init.normal_(crf.transitions)
    emissions, lengths = torch.randn(2, 4, 5, dtype=torch.float64), torch.tensor([4, 3])
    rates = torch.tensor([[0.1, 0.0], [0.2, 0.3]], dtype=torch.float64)
    expected = expected_entities(crf, emissions[0], 4, 0)
    expected += expected_entities(crf, emissions[1], 3, 0) + expected_entities(crf, emissions[1], 3, 1)
    wanted = 4 * 0.1 + 3 * (0.2 + 0.3)
    loss = ratio_loss(crf, emissions, lengths, rates, margin=0.0)
    assert loss.item() == pytest.approx(abs(expected - wanted), abs=1e-9)
    assert ratio_loss(crf, emissions, lengths, rates, margin=abs(expected / wanted - 1) + 0.01) == 0


def test_the_ratio_loss_pulls_towards_the_wanted_number_and_leaves_annotated_labels_alone():
    crf = CRF(2)
    emissions, lengths = torch.zeros(1, 50, 5, requires_grad=True), torch.tensor([50])
    for wanted in (0.02, 0.3):
        with torch.no_grad():
            emissions.zero_()
        optimizer = torch.optim.Adam([emissions], 0.1)
        for _ in range(100):
            optimizer.zero_grad()
            ratio_loss(crf, emissions, lengths, torch.tensor([[wanted, 0.0]]), margin=0.1).backward()
            optimizer.step()
        found = crf.marginals(emissions, lengths)[0, :, 1].sum().item()
        assert found == pytest.approx(50 * wanted, rel=0.15)
    crf.zero_grad()
    assert ratio_loss(crf, emissions, lengths, torch.zeros(1, 2)) == 0
