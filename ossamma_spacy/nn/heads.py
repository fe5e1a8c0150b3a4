"""The tagger's head: boundary pooling, emissions and boundary logits over a CRF."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ossamma_spacy.nn.crf import CRF
from ossamma_spacy.nn.dropout import Dropout
from ossamma_spacy.nn.linear import Linear

SEGMENT = 512  # positions whose pooled vectors are held at a time


class TaggerHead(nn.Module):
    """Vectors of positions → scores of tags.

    z = norm(W[h_i; h_{i−1}; h_{i+1}; h_i ⊙ h_{i−1}]); emissions = W_e z; two boundary logits, "an entity starts
    here" and "an entity ends here". Neighbours beyond the document's borders are zero.
    """

    def __init__(self, width: int, n_labels: int) -> None:
        super().__init__()
        self.width, self.n_labels = width, n_labels
        self.pool = Linear(4 * width, width)
        self.norm = nn.LayerNorm(width)  # bounds z: products of neighbours grow without it until training diverges
        self.dropout = Dropout(0.0)  # each training pass sets its own
        # never rounded: paths are compared by small differences of these scores
        self.emit = nn.Linear(width, 2 * n_labels + 1)
        self.boundary = nn.Linear(width, 2)
        self.crf = CRF(n_labels)

    def forward(self, h: Tensor) -> Tensor:
        """h (B, L, d), zero at padding → (B, L, 2n + 1 + 2): emissions, then start and end logits."""
        framed = F.pad(h, (0, 0, 1, 1))
        segments = (framed[:, start : start + SEGMENT + 2] for start in range(0, max(h.shape[1], 1), SEGMENT))
        return torch.cat([self.score(segment) for segment in segments], dim=1)

    def score(self, framed: Tensor) -> Tensor:
        """Scores of the positions inside a segment (B, 1 + P + 1, d) that has a neighbour on each side."""
        framed = self.pool.rounded(framed)
        before, h, after = framed[:, :-2], framed[:, 1:-1], framed[:, 2:]
        pooled = self.pool(torch.cat([h, before, after, h * before], dim=-1))
        z = self.dropout(self.norm(pooled.float()))
        return torch.cat([self.emit(z), self.boundary(z)], dim=-1)


def boundary_loss(logits: Tensor, allowed: Tensor, lengths: Tensor) -> Tensor:
    """Binary cross-entropy of the start and end logits, summed over the positions where they are known (B,).

    logits (B, L, 2); allowed (B, L, 2n + 1) bool, the tags that each position may bear. A start is known where all
    allowed tags are B- or none is; an end where the entity's continuation is known likewise.
    """
    keep = torch.arange(logits.shape[1], device=logits.device) < lengths[:, None]
    begins, inside, outside = allowed[..., 1::2].any(-1), allowed[..., 2::2].any(-1), allowed[..., 0]
    starts_known = keep & (begins ^ (inside | outside))
    # an entity ends at i where i is certainly in one and i + 1 certainly does not continue it
    in_entity, out_entity = (begins | inside) & ~outside, outside & ~(begins | inside)
    next_inside = F.pad(inside, (0, 1))[:, 1:]
    next_other = F.pad(begins | outside, (0, 1))[:, 1:]
    last = torch.arange(logits.shape[1], device=logits.device) == lengths[:, None] - 1
    continues, stops = next_inside & ~next_other & ~last, last | (next_other & ~next_inside)
    ends = in_entity & stops
    ends_known = keep & (out_entity | (in_entity & (continues | stops)))
    known = torch.stack([starts_known, ends_known], dim=-1)
    target = torch.stack([begins, ends], dim=-1).to(logits.dtype)
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return loss.masked_fill(~known, 0.0).sum(dim=(1, 2))


def smoothing_loss(crf: CRF, emissions: Tensor, lengths: Tensor) -> Tensor:
    """Mean cross-entropy of the token marginals from the uniform distribution over the legal tags, summed (B,)."""
    marginals = crf.marginals(emissions, lengths)
    keep = torch.arange(emissions.shape[1], device=emissions.device) < lengths[:, None]
    legal = keep[..., None].expand_as(marginals).clone()
    legal[:, 0] &= crf.start_allowed  # a tag that no path can bear has no probability to raise
    logs = marginals.clamp_min(1e-8).log() * legal
    return -(logs.sum(-1) / legal.sum(-1).clamp_min(1)).sum(-1)


def ratio_loss(crf: CRF, emissions: Tensor, lengths: Tensor, rates: Tensor, margin: float = 0.5) -> Tensor:
    """How far the expected number of entities lies outside of the wanted one, give or take `margin` of it; a scalar.

    rates (B, n): wanted entities per token, 0 for the labels that a document annotates: of these the lattice says all
    (expected entity ratio, Effland and Collins 2021). Expected and wanted numbers are summed over labels and batch.
    """
    begins = crf.marginals(emissions, lengths)[..., 1::2]
    expected = (begins.sum(1) * (rates > 0)).sum()
    wanted = (rates.sum(1) * lengths).sum()
    return F.relu((expected - wanted).abs() - margin * wanted)
