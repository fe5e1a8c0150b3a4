"""A linear-chain CRF over BIO tags (Lafferty et al. 2001).

Of n labels, tag 0 is O, tag 2k + 1 is B- and tag 2k + 2 is I- of label k; K = 2n + 1. Paths are scored in float64,
whatever the emissions' dtype: at these sizes it costs as much as float32, and differences of scores that grow with the
text keep their digits. What a constraint or a lattice forbids scores `FORBIDDEN`, a number and not −inf, so that no
gradient is NaN; any float32 emission vanishes beside it.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ossamma_spacy.nn.chain import (
    FORBIDDEN,
    IMPOSSIBLE,
    finish,
    forward_backward,
    log_partitions,
    raise_if_impossible,
    viterbi,
)


def bio_constraints(n_labels: int) -> tuple[Tensor, Tensor]:
    """Which BIO paths are legal: an I- follows only B- or I- of its own label.

    Returns (K,) bool, the tags that may start a sequence, and (K, K) bool, the transitions [from, to] that are legal.
    Raises ValueError for a negative number of labels.
    """
    if n_labels < 0:
        raise ValueError(f"crf: n_labels = {n_labels}, expected 0 or more")
    tag = torch.arange(2 * n_labels + 1)
    inside = (tag > 0) & (tag % 2 == 0)
    continues = (tag[:, None] == tag) | (tag[:, None] == tag - 1)
    return ~inside, ~inside | continues


class CRF(nn.Module):
    """Linear-chain CRF over BIO tags.

    Learns `transitions` (K, K) [from, to], `start` (K,) and `end` (K,), all zero at first. With `constrained`, paths
    that are not BIO have no probability: a constant mask, never learnt, never saved.

    Everywhere emissions are (B, L, K) of any float dtype, lengths (B,) int64 between 0 and L, and `allowed` a lattice
    (B, L, K) bool of the tags that each position may bear, None for all. What stands at padded positions is never
    read, NaN included. B = 0, L = 0 and lengths of 0 are fine. Results have the emissions' dtype, but at least
    float32. All methods raise ValueError where shapes or lengths do not fit.
    """

    start_allowed: Tensor
    transition_allowed: Tensor

    def __init__(self, n_labels: int, constrained: bool = True) -> None:
        super().__init__()
        start_allowed, transition_allowed = bio_constraints(n_labels)
        self.n_tags = len(start_allowed)
        self.transitions = nn.Parameter(torch.zeros(self.n_tags, self.n_tags))
        self.start = nn.Parameter(torch.zeros(self.n_tags))
        self.end = nn.Parameter(torch.zeros(self.n_tags))
        self.register_buffer("start_allowed", start_allowed | (not constrained), persistent=False)
        self.register_buffer("transition_allowed", transition_allowed | (not constrained), persistent=False)

    def log_partition(self, emissions: Tensor, lengths: Tensor, allowed: Tensor | None = None) -> Tensor:
        """log Z (B,): log of the summed exponential scores of all legal paths that `allowed` permits.

        0 for an empty document, −inf where no path is possible.
        """
        scores, _ = self._prepare(emissions, lengths, allowed)
        log_z = self._log_partitions(scores[None], lengths)[0]
        return log_z.masked_fill(log_z < IMPOSSIBLE, -torch.inf).to(_result_dtype(emissions))

    def nll(self, emissions: Tensor, lengths: Tensor, allowed: Tensor) -> Tensor:
        """log Z − log Z(allowed) (B,): minus the log marginal likelihood of the lattice (Tsuboi et al. 2008).

        Where one path is allowed, it is the ordinary negative log-likelihood; where all are, it is exactly 0 and has
        no gradient. Raises ValueError, naming the document, where no legal path is allowed.
        """
        scores, keep = self._prepare(emissions, lengths, None)
        lattice, _ = self._prepare(emissions, lengths, allowed)
        log_z = self._log_partitions(torch.stack([scores, lattice]), lengths)
        raise_if_impossible(log_z[1].detach() < IMPOSSIBLE)
        # equal recursions may differ in their last bits, depending on the matrix library
        unknown = (_pad_empty(allowed) | ~keep[..., None]).flatten(1).all(1)
        difference = (log_z[0] - log_z[1]).masked_fill(unknown, 0.0)
        return difference.to(_result_dtype(emissions))

    def marginals(self, emissions: Tensor, lengths: Tensor, *, temperature: float = 1.0) -> Tensor:
        """Posterior probability of each tag at each position (B, L, K), zero at padding; differentiable.

        Forward–backward (Rabiner 1989). `temperature` divides emissions, transitions, start and end scores.
        """
        scores, keep = self._prepare(emissions, lengths, None, temperature)
        before, after = self._forward_backward(scores, lengths, temperature)
        posterior = (before + scores + after).softmax(-1) * keep[..., None]
        return posterior[:, : emissions.shape[1]].to(_result_dtype(emissions))

    def span_log_posteriors(
        self, emissions: Tensor, lengths: Tensor, spans: Tensor, *, temperature: float = 1.0
    ) -> Tensor:
        """log P (N,) that exactly this span with this label is an entity, for each row of `spans`.

        spans (N, 4) int64: index in the batch, first position, end (exclusive), label index. The event is B- at the
        first position, I- up to the end, and no I- of the label after it. Raises ValueError for a span that does not
        lie in its document. `temperature` as in `marginals`.
        """
        scores, _ = self._prepare(emissions, lengths, None, temperature)
        self._check_spans(spans, lengths)
        before, after = self._forward_backward(scores, lengths, temperature)
        _, transitions, end_scores = self._potentials(temperature)
        log_z = finish(before[None], scores[None], lengths, end_scores[None])[0]
        doc, first, end, label = spans.unbind(1)
        begin, inside = 2 * label + 1, 2 * label + 2
        size = end - first
        # differences of running sums give the inner emissions of all spans at once
        running = scores.cumsum(1)
        inner = running[doc, end - 1, inside] - running[doc, first, inside]
        steps = transitions[begin, inside] + (size - 2) * transitions[inside, inside]
        head = (before + scores)[doc, first, begin] + inner + torch.where(size > 1, steps, 0.0)

        last_tag = torch.where(size > 1, inside, begin)
        follower = end.clamp_max(scores.shape[1] - 1)
        onward = transitions[last_tag] + (scores + after)[doc, follower]  # (N, K)
        onward = onward.scatter(1, inside[:, None], FORBIDDEN).logsumexp(1)
        tail = torch.where(end == lengths[doc], end_scores[last_tag], onward)
        return (head + tail - log_z[doc]).clamp_max(0.0).to(_result_dtype(emissions))

    @torch.no_grad()
    def decode(self, emissions: Tensor, lengths: Tensor, allowed: Tensor | None = None) -> Tensor:
        """The best legal path that `allowed` permits (B, L) int64, 0 at padding (Viterbi, see Rabiner 1989).

        Legal for any float32 emissions, infinite ones and NaN (read as 0) included.
        Runs on the CPU wherever the emissions are; the result is on their device. Raises ValueError, naming the
        document, where no legal path is allowed.
        """
        scores, _ = self._prepare(emissions.nan_to_num(), lengths, allowed)
        start, transitions, end = (x.cpu().numpy() for x in self._potentials())
        paths = torch.zeros(emissions.shape[:2], dtype=torch.int64)
        if paths.numel():
            # tags lead and the batch comes last: NumPy then takes its maxima in vector registers
            table = np.array(scores.permute(1, 2, 0).cpu().numpy(), order="C")  # (L, K, B), a copy to work in
            paths.copy_(torch.from_numpy(viterbi(table, start, transitions, end, lengths.cpu().numpy())))
        return paths.to(emissions.device)

    def _prepare(
        self, emissions: Tensor, lengths: Tensor, allowed: Tensor | None, temperature: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """Scores (B, max(L, 1), K) in float64, zero at padding, and the mask (B, max(L, 1)) of what is not padding."""
        if emissions.dim() != 3 or emissions.shape[2] != self.n_tags:
            raise ValueError(f"crf: emissions of shape {tuple(emissions.shape)}, expected (B, L, {self.n_tags})")
        if lengths.shape != emissions.shape[:1]:
            raise ValueError(f"crf: lengths of shape {tuple(lengths.shape)}, expected ({emissions.shape[0]},)")
        if bool(((lengths < 0) | (lengths > emissions.shape[1])).any()):
            raise ValueError(f"crf: lengths {lengths.tolist()}, expected 0 to {emissions.shape[1]}")
        if allowed is not None and (allowed.shape != emissions.shape or allowed.dtype != torch.bool):
            raise ValueError(
                f"crf: allowed is {allowed.dtype} of shape {tuple(allowed.shape)}, "
                f"expected torch.bool of shape {tuple(emissions.shape)}"
            )
        if not temperature > 0:
            raise ValueError(f"crf: temperature = {temperature}, expected a positive number")
        scores = _pad_empty(emissions).double()
        keep = torch.arange(scores.shape[1], device=scores.device) < lengths[:, None]
        scores = scores.masked_fill(~keep[..., None], 0.0) / temperature
        if allowed is not None:
            # a lattice's padding would do no harm, but might force the slow recursion on the batch
            scores = scores.masked_fill(~_pad_empty(allowed) & keep[..., None], FORBIDDEN)
        return scores, keep

    def _potentials(self, temperature: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
        """Start, transition and end scores in float64, with the constraints in them."""
        start = (self.start.double() / temperature).masked_fill(~self.start_allowed, FORBIDDEN)
        transitions = (self.transitions.double() / temperature).masked_fill(~self.transition_allowed, FORBIDDEN)
        return start, transitions, self.end.double() / temperature

    def _log_partitions(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """log Z (S, B) of S sets of scores (S, B, L, K) of the same documents."""
        start, transitions, end = (x.expand(len(scores), *x.shape) for x in self._potentials())
        return log_partitions(scores, start, transitions, end, lengths)

    def _forward_backward(self, scores: Tensor, lengths: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
        """What may come before and after each tag at each position, each (B, L, K); see `forward_backward`."""
        start, transitions, end = (x[None] for x in self._potentials(temperature))
        before, after = forward_backward(scores[None], start, transitions, end, lengths)
        return before[0], after[0]

    def _check_spans(self, spans: Tensor, lengths: Tensor) -> None:
        if spans.dim() != 2 or spans.shape[1] != 4:
            raise ValueError(f"crf: spans of shape {tuple(spans.shape)}, expected (N, 4)")
        doc, first, end, label = spans.unbind(1)
        known = (doc >= 0) & (doc < len(lengths)) & (label >= 0) & (2 * label + 1 < self.n_tags)
        longest = F.pad(lengths, (0, 1))[doc.clamp(0, len(lengths))]
        wrong = ~(known & (first >= 0) & (first < end) & (end <= longest))
        if bool(wrong.any()):
            row = spans[wrong][0].tolist()
            raise ValueError(f"crf: span {row} (document, first, end, label) does not lie in the batch or its labels")


def _pad_empty(x: Tensor) -> Tensor:
    """x (B, L, K) with one position of padding if it has none at all, so that the recursions have a place to start."""
    return x if x.shape[1] else x.new_zeros(x.shape[0], 1, x.shape[2])


def _result_dtype(emissions: Tensor) -> torch.dtype:
    return torch.promote_types(emissions.dtype, torch.float32)
