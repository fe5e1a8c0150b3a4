"""Sums and maxima over the paths of a linear chain, in float64.

Everywhere `scores` are (S, B, L, K) with L ≥ 1: S sets of scores of the same B documents, each set with its own start
(S, K), transitions (S, K, K) [from, to] and end (S, K). What is forbidden scores `FORBIDDEN`.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FORBIDDEN = -1e100
IMPOSSIBLE = FORBIDDEN / 2  # a path that scores less passes through something forbidden
SAFE_LOG = -200.0  # three factors above e^-200 have a product that float64 holds


def log_partitions(scores: Tensor, start: Tensor, transitions: Tensor, end: Tensor, lengths: Tensor) -> Tensor:
    """log Z (S, B), differentiable once; `lengths` (B,)."""
    log_z: Tensor = _LogPartition.apply(scores, start, transitions, end, lengths)  # type: ignore[no-untyped-call]
    return log_z


class _LogPartition(torch.autograd.Function):
    """Takes the gradient from forward–backward (Rabiner 1989) instead of retracing the recursion step by step.

    ∂ log Z / ∂ score is the posterior probability of what bears the score.
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, start: Tensor, transitions: Tensor, end: Tensor, lengths: Tensor) -> Tensor:
        before, after = forward_backward(scores, start, transitions, end, lengths)
        log_z = finish(before, scores, lengths, end)
        ctx.save_for_backward(scores, transitions, lengths, before, after, log_z)
        return log_z

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        scores, transitions, lengths, before, after, log_z = ctx.saved_tensors
        (gradient,) = gradients
        keep = torch.arange(scores.shape[2], device=scores.device) < lengths[:, None]
        weight = gradient[..., None, None] * keep[..., None]  # (S, B, L, 1)
        posterior = (before + scores + after).softmax(-1) * weight
        document = torch.arange(len(lengths), device=lengths.device)
        d_end = posterior[:, document, (lengths - 1).clamp_min(0)].sum(1)

        pairs = _pair_sums(before + scores, scores + after, transitions, log_z, weight[:, :, 1:])
        return posterior, posterior[:, :, 0].sum(1), pairs, d_end, None


def _pair_sums(left: Tensor, right: Tensor, transitions: Tensor, log_z: Tensor, weight: Tensor) -> Tensor:
    """Weighted sum over neighbours (S, K, K) of the posterior probabilities of their pairs of tags.

    left (S, B, L, K) scores all up to a tag, right all from it on; weight (S, B, L − 1, 1) is zero at padding.
    """
    left, right = left[:, :, :-1], right[:, :, 1:]
    top_left, top_right = left.amax(-1, keepdim=True), right.amax(-1, keepdim=True)
    top = transitions.amax((1, 2))[:, None, None]
    exponent = top_left + top_right + top[..., None] - log_z[..., None, None]
    exponent = exponent.masked_fill(weight == 0, 0.0)
    if bool((exponent > -SAFE_LOG).any()):  # the product of shifted factors would leave float64
        log_pairs = left[..., None] + transitions[:, None, None] + right[..., None, :] - log_z[..., None, None, None]
        return (log_pairs.clamp_max(0.0).exp() * weight[..., None]).sum((1, 2))
    left = ((left - top_left).exp() * exponent.exp() * weight).flatten(1, 2)  # (S, B·(L − 1), K)
    right = (right - top_right).exp().flatten(1, 2)
    return (left.mT @ right) * (transitions - top).exp()


def forward_backward(
    scores: Tensor, start: Tensor, transitions: Tensor, end: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """Log summed scores of all that may come before and after each tag at each position, each (S, B, L, K).

    The backward pass is a forward pass over the reversed documents, so that one recursion makes both.
    """
    sets = len(scores)
    position = torch.arange(scores.shape[2], device=scores.device)
    mirrored = torch.where(position < lengths[:, None], lengths[:, None] - 1 - position, position)
    index = mirrored[..., None].expand_as(scores)
    both = torch.cat([scores, scores.gather(2, index)])
    found = messages(both, torch.cat([start, end]), torch.cat([transitions, transitions.mT]))
    return found[:sets], found[sets:].gather(2, index)


def messages(scores: Tensor, start: Tensor, transitions: Tensor) -> Tensor:
    """Log summed scores of all partial paths that lead to each tag at each position, the tag's own score left out.

    scores (S, B, L, K) float64, start (S, K), transitions (S, K, K); each of the S sets has its own. Returns
    (S, B, L, K). The recursion runs on scaled probabilities (Rabiner 1989), one small matrix product per position;
    where their range is too wide for float64, `log_messages` does the same in logarithms, more slowly.
    """
    top = scores.detach().amax(-1, keepdim=True)
    top_start = start.detach().amax()
    top_transition = transitions.detach().amax()
    logs = scores - top, start - top_start, transitions - top_transition
    weights = logs[0].exp().permute(2, 0, 1, 3).contiguous()  # (L, S, B, K)
    steps = logs[2].exp()
    message = logs[1].exp()[:, None].expand(*scores.shape[:2], -1)
    found, scales = [], []
    for weight in weights.unbind(0):
        found.append(message)
        state = message * weight
        # the scale cancels in the result: any constant would do, hence no gradient
        scale = state.detach().sum(-1, keepdim=True)
        scales.append(scale)
        message = (state / scale) @ steps
    linear = torch.stack(found, dim=2)
    positive = linear > 0
    # nothing legal has underflowed if all factors and all messages were far from it; a NaN comes from a scale of 0
    lost = (positive & (linear.detach() < math.exp(SAFE_LOG))).any() | ~positive.any(-1).all()
    for log in logs:
        lost = lost | ((log.detach() < SAFE_LOG) & (log.detach() > IMPOSSIBLE)).any()
    if bool(lost):
        return log_messages(scores, start, transitions)
    gains = torch.stack(scales, dim=2).log() + top + top_transition  # (S, B, L, 1)
    shift = torch.cat([top_start.expand_as(gains[:, :, :1]), gains[:, :, :-1]], dim=2).cumsum(2)
    return (linear.masked_fill(~positive, 1.0).log() + shift).masked_fill(~positive, FORBIDDEN)


def log_messages(scores: Tensor, start: Tensor, transitions: Tensor) -> Tensor:
    """What `messages` returns, for scores of any size."""
    message = start[:, None].expand(*scores.shape[:2], -1)
    found = [message]
    for score in scores.unbind(2)[:-1]:
        message = ((message + score)[..., None] + transitions[:, None]).logsumexp(-2)
        found.append(message)
    return torch.stack(found, dim=2)


def finish(before: Tensor, scores: Tensor, lengths: Tensor, end: Tensor) -> Tensor:
    """log Z (S, B) from the messages at the last position of each document."""
    document = torch.arange(len(lengths), device=lengths.device)
    last = (lengths - 1).clamp_min(0)
    log_z = (before[:, document, last] + scores[:, document, last] + end[:, None]).logsumexp(-1)
    return log_z.masked_fill(lengths == 0, 0.0)


def viterbi(
    table: NDArray[np.float64],
    start: NDArray[np.float64],
    transitions: NDArray[np.float64],
    end: NDArray[np.float64],
    lengths: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Best paths (B, L) of scores `table` (L, K, B), which is overwritten by the scores of the best partial paths.

    No back-pointers are kept: on the way back the best predecessor of the one chosen tag is found again.
    """
    length, n_tags, batch = table.shape
    table[0] += start[:, None]
    candidates = np.empty((n_tags, n_tags, batch))
    arrivals = transitions[:, :, None]
    for t in range(1, length):
        np.add(table[t - 1][:, None], arrivals, out=candidates)
        table[t] += np.maximum.reduce(candidates, axis=0)
    last = lengths - 1
    final = table[last.clip(0), :, np.arange(batch)] + end  # (B, K)
    raise_if_impossible(torch.from_numpy(final.max(1) < IMPOSSIBLE))
    paths = np.empty((length, batch), dtype=np.int64)
    final_tags = tags = final.argmax(1)
    paths[-1] = final_tags
    for t in range(length - 2, -1, -1):
        tags = np.where(t < last, (table[t] + transitions[:, tags]).argmax(0), final_tags)
        paths[t] = tags
    return np.where(np.arange(length) < lengths[:, None], paths.T, 0)


def raise_if_impossible(impossible: Tensor) -> None:
    if bool(impossible.any()):
        rows = impossible.nonzero().flatten().tolist()
        raise ValueError(f"crf: the lattice allows no legal path in document {', '.join(map(str, rows))} of the batch")
