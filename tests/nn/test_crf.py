"""The CRF against enumeration of all paths, against pytorch-crf, and against itself in other batches."""

import math
from itertools import pairwise, product

import numpy as np
import pytest
import torch
import torchcrf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from ossamma_spacy.nn.chain import log_messages, messages
from ossamma_spacy.nn.crf import CRF, bio_constraints

WIDE = 1e4  # emissions of this size leave the range of scaled probabilities


def make_crf(n_labels, constrained=True, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    crf = CRF(n_labels, constrained)
    with torch.no_grad():
        for parameter in crf.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return crf.to(dtype)


def make_batch(lengths, n_labels, scale=2.0, seed=0, dtype=torch.float32, padding=0.0):
    """Emissions (B, L, K) with `padding` beyond each length, and the lengths."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor(lengths, dtype=torch.int64)
    shape = len(lengths), int(lengths.max()) if len(lengths) else 0, 2 * n_labels + 1
    emissions = scale * torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
    return emissions.masked_fill(~keep_mask(emissions, lengths)[..., None], padding), lengths


def make_lattice(emissions, seed=0):
    """A random lattice that always has a legal path, all O."""
    generator = torch.Generator().manual_seed(seed)
    allowed = torch.rand(emissions.shape, generator=generator) < 0.5
    allowed[..., 0] = True
    return allowed


def keep_mask(emissions, lengths):
    return torch.arange(emissions.shape[1]) < lengths[:, None]


def is_legal(path, constrained=True):
    """BIO in plain words: an I- continues its own label."""
    if not constrained:
        return True
    return all(tag == 0 or tag % 2 == 1 or (i > 0 and path[i - 1] in (tag, tag - 1)) for i, tag in enumerate(path))


def enumerate_paths(crf, emissions, allowed=None, constrained=True, temperature=1.0):
    """All possible paths of one document (L, K) with their scores in float64: a list and a tensor."""
    length, n_tags = emissions.shape
    start, transitions, end = crf.start.double(), crf.transitions.double(), crf.end.double()
    paths, scores = [], []
    for path in product(range(n_tags), repeat=length):
        possible = allowed is None or all(allowed[i, tag] for i, tag in enumerate(path))
        if possible and is_legal(path, constrained):
            score = torch.zeros((), dtype=torch.float64)
            if path:
                score = start[path[0]] + end[path[-1]]
                score = score + sum(emissions[i, tag].double() for i, tag in enumerate(path))
                score = score + sum(transitions[a, b] for a, b in pairwise(path))
            paths.append(path)
            scores.append(score / temperature)
    return paths, torch.stack(scores)


def reference_log_partition(crf, emissions, lengths, allowed):
    """log Z of each document by the plain forward recursion, in extended precision where the machine has it."""
    start, transitions, end = (x.detach().numpy().astype(np.longdouble) for x in (crf.start, crf.transitions, crf.end))
    start[~crf.start_allowed.numpy()] = transitions[~crf.transition_allowed.numpy()] = -np.inf
    results = []
    for document, lattice, length in zip(emissions.detach(), allowed, lengths.tolist(), strict=True):
        scores = np.where(lattice.numpy(), document.numpy().astype(np.longdouble), -np.inf)[:length]
        alpha = start + scores[0]
        for score in scores[1:]:
            alpha = np.logaddexp.reduce(alpha[:, None] + transitions, axis=0) + score
        results.append(float(np.logaddexp.reduce(alpha + end)))
    return torch.tensor(results, dtype=torch.float64)


def entities(path):
    """(start, end, label) of a path, read as the definition of a span posterior reads it."""
    found = []
    for first, tag in enumerate(path):
        if tag % 2 == 1:
            end = first + 1
            while end < len(path) and path[end] == tag + 1:
                end += 1
            found.append((first, end, (tag - 1) // 2))
    return found


CASES = [(1, 1), (1, 2), (1, 5), (2, 1), (2, 2), (2, 4)]
SCALES = [2.0, WIDE]


# The rules


def test_constraints_are_those_of_bio():
    start, transition = bio_constraints(2)
    tags = ["O", "B-x", "I-x", "B-y", "I-y"]
    assert [tag for tag, fine in zip(tags, start, strict=True) if fine] == ["O", "B-x", "B-y"]
    illegal = {(a, b) for i, a in enumerate(tags) for j, b in enumerate(tags) if not transition[i, j]}
    assert illegal == {("O", "I-x"), ("O", "I-y"), ("B-x", "I-y"), ("I-x", "I-y"), ("B-y", "I-x"), ("I-y", "I-x")}


def test_constraints_are_neither_learnt_nor_saved():
    crf = CRF(2)
    assert (
        sorted(crf.state_dict())
        == sorted(name for name, _ in crf.named_parameters())
        == ["end", "start", "transitions"]
    )
    emissions, lengths = make_batch([6, 3], 2)
    crf.nll(emissions, lengths, make_lattice(emissions)).sum().backward()
    assert not crf.transitions.grad[~crf.transition_allowed].any()
    assert not crf.start.grad[~crf.start_allowed].any()


@pytest.mark.parametrize("constrained", [True, False])
def test_without_labels_there_is_one_path(constrained):
    crf = make_crf(0, constrained)
    emissions, lengths = make_batch([3, 1], 0)
    assert torch.allclose(crf.marginals(emissions, lengths)[0], torch.ones(3, 1))
    assert torch.allclose(crf.nll(emissions, lengths, torch.ones(2, 3, 1, dtype=torch.bool)), torch.zeros(2))


# Against enumeration


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("n_labels", "length"), CASES)
def test_log_partition_sums_over_all_paths(n_labels, length, scale, constrained):
    crf = make_crf(n_labels, constrained)
    emissions, lengths = make_batch([length], n_labels, scale)
    _, scores = enumerate_paths(crf, emissions[0], constrained=constrained)
    assert torch.allclose(crf.log_partition(emissions, lengths)[0].double(), scores.logsumexp(0), rtol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
@pytest.mark.parametrize(("n_labels", "length"), CASES)
def test_marginals_are_shares_of_paths(n_labels, length, temperature, scale):
    crf = make_crf(n_labels)
    emissions, lengths = make_batch([length], n_labels, scale)
    paths, scores = enumerate_paths(crf, emissions[0], temperature=temperature)
    expected = torch.zeros(length, 2 * n_labels + 1, dtype=torch.float64)
    for path, share in zip(paths, scores.softmax(0), strict=True):
        expected[range(length), path] += share
    marginals = crf.marginals(emissions, lengths, temperature=temperature)[0]
    assert torch.allclose(marginals.double(), expected, atol=1e-6)


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize(("n_labels", "length"), CASES)
def test_span_posteriors_are_shares_of_paths(n_labels, length, temperature, constrained):
    crf = make_crf(n_labels, constrained)
    emissions, lengths = make_batch([length, length], n_labels)
    paths, scores = enumerate_paths(crf, emissions[1], constrained=constrained, temperature=temperature)
    spans = [(a, b, k) for a in range(length) for b in range(a + 1, length + 1) for k in range(n_labels)]
    expected = dict.fromkeys(spans, 0.0)
    for path, share in zip(paths, scores.softmax(0).tolist(), strict=True):
        for span in entities(path):
            expected[span] += share
    rows = torch.tensor([(1, *span) for span in spans])
    logs = crf.span_log_posteriors(emissions, lengths, rows, temperature=temperature)
    assert torch.allclose(logs.double().exp(), torch.tensor(list(expected.values()), dtype=torch.float64), atol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("n_labels", "length"), CASES)
def test_nll_is_the_share_of_the_allowed_paths(n_labels, length, scale):
    crf = make_crf(n_labels)
    emissions, lengths = make_batch([length], n_labels, scale)
    for seed in range(5):
        allowed = make_lattice(emissions, seed)
        _, every = enumerate_paths(crf, emissions[0])
        _, some = enumerate_paths(crf, emissions[0], allowed[0])
        expected = every.logsumexp(0) - some.logsumexp(0)
        assert torch.allclose(crf.nll(emissions, lengths, allowed)[0].double(), expected, rtol=1e-5, atol=1e-6)
        z = crf.log_partition(emissions, lengths, allowed)[0].double()
        assert torch.allclose(z, some.logsumexp(0), rtol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("with_lattice", [False, True])
@pytest.mark.parametrize(("n_labels", "length"), CASES)
def test_decode_finds_the_best_path(n_labels, length, with_lattice, scale):
    crf = make_crf(n_labels)
    for seed in range(5):
        emissions, lengths = make_batch([length], n_labels, scale, seed)
        allowed = make_lattice(emissions, seed) if with_lattice else None
        paths, scores = enumerate_paths(crf, emissions[0], None if allowed is None else allowed[0])
        found = tuple(crf.decode(emissions, lengths, allowed)[0].tolist())
        assert scores[paths.index(found)] == scores.max()


# Gradients


@pytest.mark.parametrize("scale", [1.0, 300.0])
@pytest.mark.parametrize("method", ["log_partition", "nll", "marginals", "span_log_posteriors"])
def test_gradients_agree_with_finite_differences(method, scale):
    crf = make_crf(2, dtype=torch.float64)
    emissions, lengths = make_batch([4, 2, 0, 1], 2, scale, dtype=torch.float64)
    spans = torch.tensor([[0, 0, 1, 0], [0, 1, 4, 1], [1, 0, 2, 0], [3, 0, 1, 1]])
    extra = {"nll": [make_lattice(emissions)], "span_log_posteriors": [spans]}.get(method, [])

    def run(emissions, *_):
        return getattr(crf, method)(emissions, lengths, *extra)

    # gradcheck perturbs the parameters in place, so that the method need not take them
    assert torch.autograd.gradcheck(run, (emissions.requires_grad_(), *crf.parameters()), eps=1e-6, atol=1e-6)


def test_gradient_of_nll_is_the_difference_of_marginals():
    crf = make_crf(3)
    emissions, lengths = make_batch([9, 4, 1, 0], 3)
    allowed = make_lattice(emissions)
    emissions.requires_grad_()
    crf.nll(emissions, lengths, allowed).sum().backward()
    free = crf.marginals(emissions, lengths)
    constrained = crf.marginals(emissions.masked_fill(~allowed, -1e6), lengths)
    assert torch.allclose(emissions.grad, free - constrained, atol=1e-6)


@pytest.mark.parametrize("scale", [0.0, 1.0, WIDE, 1e30])
def test_gradients_are_finite_at_any_scale(scale):
    crf = make_crf(3)
    emissions, lengths = make_batch([7, 2, 0, 1], 3, scale, padding=float("nan"))
    emissions.requires_grad_()
    spans = torch.tensor([[0, 2, 4, 1]])
    keep = keep_mask(emissions, lengths)
    for result in (
        crf.nll(emissions, lengths, make_lattice(emissions)),
        crf.log_partition(emissions, lengths),
        crf.marginals(emissions, lengths)[..., 0],
        crf.span_log_posteriors(emissions, lengths, spans),
    ):
        assert result.isfinite().all()
        gradients = torch.autograd.grad(result.sum(), [emissions, *crf.parameters()])
        assert all(gradient.isfinite().all() for gradient in gradients)
        assert not gradients[0][~keep].any()


@pytest.mark.parametrize("scale", SCALES)
def test_allowing_everything_costs_exactly_nothing(scale):
    crf = make_crf(3)
    emissions, lengths = make_batch([7, 2, 0, 5], 3, scale)
    emissions.requires_grad_()
    allowed = keep_mask(emissions, lengths)[..., None].expand_as(emissions)
    loss = crf.nll(emissions, lengths, allowed)
    loss.sum().backward()
    assert not loss.any()
    assert not emissions.grad.any()
    assert not crf.transitions.grad.any()


# Against pytorch-crf


@pytest.mark.parametrize("lengths", [[40, 40, 40], [40, 17, 1, 30]])
def test_unconstrained_equals_pytorch_crf(lengths):
    crf = make_crf(9, constrained=False)
    other = torchcrf.CRF(19, batch_first=True)
    with torch.no_grad():
        other.transitions.copy_(crf.transitions)
        other.start_transitions.copy_(crf.start)
        other.end_transitions.copy_(crf.end)
    emissions, lengths = make_batch(lengths, 9)
    mask = keep_mask(emissions, lengths)
    gold = torch.randint(19, mask.shape, generator=torch.Generator().manual_seed(1))
    nll = crf.nll(emissions, lengths, torch.nn.functional.one_hot(gold, 19).bool())
    assert torch.allclose(nll, -other(emissions, gold, mask, reduction="none"), rtol=1e-5)
    paths = [path[:n].tolist() for path, n in zip(crf.decode(emissions, lengths), lengths, strict=True)]
    assert paths == other.decode(emissions, mask)


# Padding, batches, empty documents


def everything(crf, emissions, lengths, allowed):
    """All results, each with the batch first; the span is the first token."""
    spans = torch.tensor([(i, 0, 1, 0) for i, n in enumerate(lengths.tolist()) if n], dtype=torch.int64).view(-1, 4)
    found = crf.span_log_posteriors(emissions, lengths, spans)
    logs = found.new_zeros(len(lengths)).index_put((spans[:, 0],), found)
    return [
        crf.log_partition(emissions, lengths),
        crf.nll(emissions, lengths, allowed),
        crf.marginals(emissions, lengths),
        crf.decode(emissions, lengths),
        crf.decode(emissions, lengths, allowed),
        logs,
    ]


def same(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a.double(), b.double(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("padding", [1e4, float("inf"), -float("inf"), float("nan")])
def test_padding_is_never_read(padding):
    crf = make_crf(3)
    emissions, lengths = make_batch([7, 0, 2, 1, 5], 3)
    dirty, _ = make_batch([7, 0, 2, 1, 5], 3, padding=padding)
    allowed = make_lattice(emissions)
    forbidden = allowed & keep_mask(emissions, lengths)[..., None]
    for a, b in zip(
        everything(crf, emissions, lengths, allowed), everything(crf, dirty, lengths, forbidden), strict=True
    ):
        assert torch.equal(a, b)


@pytest.mark.parametrize("scale", SCALES)
def test_results_do_not_depend_on_company_order_or_width(scale):
    crf = make_crf(3)
    emissions, lengths = make_batch([7, 0, 2, 1, 5], 3, scale, padding=float("nan"))
    allowed = make_lattice(emissions)
    together = everything(crf, emissions, lengths, allowed)
    order = torch.tensor([3, 0, 4, 1, 2])
    for a, b in zip(together, everything(crf, emissions[order], lengths[order], allowed[order]), strict=True):
        assert same(a[order], b)
    for i, n in enumerate(lengths.tolist()):
        alone = everything(crf, emissions[i : i + 1, :n], lengths[i : i + 1], allowed[i : i + 1, :n])
        for a, b in zip(together, alone, strict=True):
            assert same(a[i, :n] if a.dim() > 1 else a[i], b[0])


def test_a_wide_member_does_not_change_the_others():
    """One member may push the whole batch from scaled probabilities to logarithms."""
    crf = make_crf(3)
    emissions, lengths = make_batch([7, 4], 3)
    allowed = make_lattice(emissions)
    wide = torch.cat([emissions, WIDE * emissions[:1]])
    lengths_wide, allowed_wide = torch.cat([lengths, lengths[:1]]), torch.cat([allowed, allowed[:1]])
    calm, wild = everything(crf, emissions, lengths, allowed), everything(crf, wide, lengths_wide, allowed_wide)
    for a, b in zip(calm, wild, strict=True):
        assert same(a, b[:2])


def test_marginals_and_paths_are_zero_at_padding():
    crf = make_crf(3)
    emissions, lengths = make_batch([7, 0, 2], 3, padding=float("nan"))
    keep = keep_mask(emissions, lengths)
    marginals = crf.marginals(emissions, lengths)
    assert torch.allclose(marginals.sum(-1), keep.float())
    assert not crf.decode(emissions, lengths)[~keep].any()


@pytest.mark.parametrize("lengths", [[], [0], [0, 0], [1], [2, 1, 0]])
def test_empty_batches_and_documents(lengths):
    crf = make_crf(2)
    emissions, lengths = make_batch(lengths, 2)
    emissions.requires_grad_()
    batch, length, _ = emissions.shape
    allowed = make_lattice(emissions)
    loss = crf.nll(emissions, lengths, allowed)
    loss.sum().backward()
    assert loss.shape == (batch,)
    assert not loss[lengths == 0].any()
    assert not crf.log_partition(emissions, lengths)[lengths == 0].any()
    assert crf.marginals(emissions, lengths).shape == emissions.shape
    assert crf.decode(emissions, lengths).shape == (batch, length)
    assert crf.span_log_posteriors(emissions, lengths, torch.zeros(0, 4, dtype=torch.int64)).shape == (0,)
    assert not crf.nll(emissions, lengths, torch.ones_like(allowed)).any()


def test_lattices_of_everything_are_no_lattices():
    crf = make_crf(3)
    emissions, lengths = make_batch([6, 3, 0], 3)
    every = torch.ones(emissions.shape, dtype=torch.bool)
    assert torch.equal(crf.log_partition(emissions, lengths), crf.log_partition(emissions, lengths, every))
    assert torch.equal(crf.decode(emissions, lengths), crf.decode(emissions, lengths, every))


# Range and precision


@pytest.mark.parametrize("scale", [0.1, 5.0, 30.0])
def test_scaled_probabilities_equal_logarithms(scale):
    crf = make_crf(4, dtype=torch.float64)
    emissions, _ = make_batch([30, 30, 30], 4, scale, dtype=torch.float64)
    scores = torch.stack([emissions, emissions.masked_fill(~make_lattice(emissions), -1e100)])
    start = crf.start.detach().masked_fill(~crf.start_allowed, -1e100).expand(2, -1)
    transitions = crf.transitions.detach().masked_fill(~crf.transition_allowed, -1e100).expand(2, -1, -1)
    fast, slow = messages(scores, start, transitions), log_messages(scores, start, transitions)
    possible = slow > -1e99
    assert torch.equal(fast > -1e99, possible)
    assert torch.allclose(fast[possible], slow[possible], rtol=1e-12, atol=1e-10)


def test_a_likely_path_forbidden_late_leaves_the_unlikely_one():
    """The allowed path falls ever further behind, by far more than float64 can express as a probability."""
    crf = CRF(1)
    emissions = torch.zeros(1, 30, 3)
    emissions[0, :, 0] = 150.0
    allowed = torch.ones(1, 30, 3, dtype=torch.bool)
    allowed[0, 1:-1, 1] = False
    allowed[0, -1] = torch.tensor([False, False, True])
    loss = crf.nll(emissions, torch.tensor([30]), allowed)
    assert torch.allclose(loss, torch.tensor([30 * 150.0]), rtol=1e-4)


@pytest.mark.parametrize("scale", [3.0, 100.0, WIDE])
def test_float32_equals_float64(scale):
    crf32, crf64 = make_crf(9), make_crf(9, dtype=torch.float64)
    emissions, lengths = make_batch([50, 31, 1], 9, scale)
    allowed = make_lattice(emissions)
    for a, b in zip(
        everything(crf32, emissions, lengths, allowed),
        everything(crf64, emissions.double(), lengths, allowed),
        strict=True,
    ):
        assert torch.allclose(a.double(), b.double(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("lengths", [[50, 31, 1], [5000]])
@pytest.mark.parametrize("scale", [3.0, 100.0, 1000.0, WIDE])
def test_log_partition_and_nll_keep_their_digits(scale, lengths):
    crf = make_crf(9)
    emissions, lengths = make_batch(lengths, 9, scale)
    allowed = make_lattice(emissions)
    free = reference_log_partition(crf, emissions, lengths, torch.ones_like(allowed))
    partial = reference_log_partition(crf, emissions, lengths, allowed)
    assert torch.allclose(crf.log_partition(emissions, lengths).double(), free, rtol=1e-6)
    assert torch.allclose(crf.log_partition(emissions, lengths, allowed).double(), partial, rtol=1e-6)
    assert torch.allclose(crf.nll(emissions, lengths, allowed).double(), free - partial, rtol=1e-6)


@pytest.mark.parametrize("scale", [3.0, 1000.0])
def test_long_documents_stay_finite(scale):
    crf = make_crf(9)
    emissions, lengths = make_batch([5000], 9, scale)
    emissions.requires_grad_()
    crf.nll(emissions, lengths, make_lattice(emissions)).sum().backward()
    assert emissions.grad.isfinite().all()
    assert torch.allclose(crf.marginals(emissions, lengths).sum(-1), torch.ones(1, 5000))


def test_a_span_late_in_a_long_document_weighs_what_its_surroundings_say():
    """Far from the span the text has no influence: the posterior is that of an excerpt around it."""
    crf = make_crf(9)
    emissions, lengths = make_batch([5000], 9)
    spans = torch.tensor([[0, 4000, 4001, 3], [0, 4000, 4003, 0], [0, 4001, 4002, 8]])
    whole = crf.span_log_posteriors(emissions, lengths, spans)
    excerpt = crf.span_log_posteriors(
        emissions[:, 3900:4100], torch.tensor([200]), spans - torch.tensor([0, 3900, 3900, 0])
    )
    assert torch.allclose(whole, excerpt, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_full(dtype):
    crf = make_crf(3)
    emissions, lengths = make_batch([9, 4], 3, dtype=dtype)
    allowed = make_lattice(emissions)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = everything(crf, emissions, lengths, allowed)
    for a, b in zip(half, everything(crf, emissions.float(), lengths, allowed), strict=True):
        assert a.dtype == b.dtype
        assert torch.equal(a, b)


def test_double_precision_is_kept():
    crf = make_crf(2)
    emissions, lengths = make_batch([5], 2, dtype=torch.float64)
    assert crf.log_partition(emissions, lengths).dtype == torch.float64
    assert crf.marginals(emissions, lengths).dtype == torch.float64


def test_temperature_divides_all_scores():
    crf, cold = make_crf(3), make_crf(3)
    with torch.no_grad():
        for parameter in cold.parameters():
            parameter.div_(4.0)
    emissions, lengths = make_batch([9, 4, 0], 3)
    assert same(crf.marginals(emissions, lengths, temperature=4.0), cold.marginals(emissions / 4.0, lengths))
    spans = torch.tensor([[0, 1, 3, 2], [1, 3, 4, 0]])
    logs = crf.span_log_posteriors(emissions, lengths, spans, temperature=4.0)
    assert same(logs, cold.span_log_posteriors(emissions / 4.0, lengths, spans))


# Any emissions at all

NUMBERS = st.one_of(
    st.floats(-10, 10, width=32), st.sampled_from([0.0, WIDE, -WIDE, 3e38, -3e38]), st.integers(-2, 2).map(float)
)


@settings(max_examples=100)
@given(st.lists(st.lists(NUMBERS, min_size=5, max_size=5), max_size=12), st.integers(0, 3))
@example([[3e38] * 5] * 3, 0)
@example([[-3e38, 0.0, 3e38, 0.0, 3e38]] * 12, 1)
@example([[math.nan] * 5, [math.inf, -math.inf, math.inf, math.nan, math.inf], [-math.inf] * 5], 1)
def test_decode_is_legal_for_any_emissions(rows, padding):
    crf = make_crf(2)
    emissions = torch.full((1, len(rows) + padding, 5), float("nan"))
    emissions[0, : len(rows)] = torch.tensor(rows).view(-1, 5)
    path = crf.decode(emissions, torch.tensor([len(rows)]))[0].tolist()
    assert is_legal(path[: len(rows)])
    assert path[len(rows) :] == [0] * padding


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=8), min_size=1, max_size=5), st.integers(0, 99))
def test_decode_respects_any_lattice_with_a_legal_path(choices, seed):
    crf = make_crf(4, seed=seed)
    emissions, lengths = make_batch([len(choice) for choice in choices], 4, seed=seed)
    allowed = torch.rand(emissions.shape, generator=torch.Generator().manual_seed(seed)) < 0.2
    for i, choice in enumerate(choices):
        for t, tag in enumerate(choice):
            before = choice[t - 1] if t else 0
            choice[t] = tag if tag == 0 or tag % 2 == 1 or before in (tag, tag - 1) else tag - 1
            allowed[i, t, choice[t]] = True
    paths = crf.decode(emissions, lengths, allowed)
    keep = keep_mask(emissions, lengths)
    assert allowed.gather(2, paths[..., None])[..., 0][keep].all()
    assert all(is_legal(path[:n].tolist()) for path, n in zip(paths, lengths, strict=True))
    assert (crf.nll(emissions, lengths, allowed) >= -1e-5).all()


def test_decoding_works_in_inference_mode_and_leaves_its_input_alone():
    crf = make_crf(3)
    with torch.inference_mode():
        emissions, lengths = make_batch([9, 4], 3, dtype=torch.float64)
        before = emissions.clone()
        crf.decode(emissions, lengths)
        assert torch.equal(emissions, before)


# What does not fit


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("position", [0, 2, 4])
def test_an_impossible_lattice_is_named(position, scale):
    crf = make_crf(2)
    emissions, lengths = make_batch([5, 5, 5], 2, scale)
    allowed = make_lattice(emissions)
    allowed[1, position] = False
    with pytest.raises(ValueError, match="document 1 of"):
        crf.nll(emissions, lengths, allowed)
    with pytest.raises(ValueError, match="document 1 of"):
        crf.decode(emissions, lengths, allowed)
    assert crf.log_partition(emissions, lengths, allowed).isinf().tolist() == [False, True, False]


def test_a_lattice_against_bio_is_impossible():
    crf = make_crf(2)
    emissions, lengths = make_batch([2], 2)
    gold = torch.nn.functional.one_hot(torch.tensor([[1, 4]]), 5).bool()  # B-x I-y
    with pytest.raises(ValueError, match="document 0 of"):
        crf.nll(emissions, lengths, gold)
    assert make_crf(2, constrained=False).nll(emissions, lengths, gold).isfinite().all()


@pytest.mark.parametrize(
    "span", [[2, 0, 1, 0], [-1, 0, 1, 0], [0, -1, 1, 0], [0, 2, 2, 0], [1, 1, 3, 0], [0, 0, 1, 2], [0, 0, 1, -1]]
)
def test_spans_outside_their_document_are_refused(span):
    crf = make_crf(2)
    emissions, lengths = make_batch([4, 2], 2)
    with pytest.raises(ValueError, match="span"):
        crf.span_log_posteriors(emissions, lengths, torch.tensor([span]))


def test_misfitting_shapes_are_refused():
    crf = make_crf(2)
    emissions, lengths = make_batch([4, 2], 2)
    with pytest.raises(ValueError, match="emissions of shape"):
        crf.decode(emissions[..., :4], lengths)
    with pytest.raises(ValueError, match="lengths of shape"):
        crf.decode(emissions, lengths[:1])
    with pytest.raises(ValueError, match="expected 0 to 4"):
        crf.decode(emissions, lengths + 1)
    with pytest.raises(ValueError, match="allowed is"):
        crf.nll(emissions, lengths, torch.ones(2, 4, 4, dtype=torch.bool))
    with pytest.raises(ValueError, match="temperature"):
        crf.marginals(emissions, lengths, temperature=0.0)
    with pytest.raises(ValueError, match="n_labels"):
        CRF(-1)
