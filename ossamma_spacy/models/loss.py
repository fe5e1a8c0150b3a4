"""The training loss of the tagger."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ossamma_spacy.models.arrays import Lattice, pad_arrays, pad_lattices, split_tensor
from ossamma_spacy.models.shim import torch_shim
from ossamma_spacy.models.tagger import Tagger, TagGradients
from ossamma_spacy.nn.crf import CRF
from ossamma_spacy.nn.heads import boundary_loss


def tagger_loss(
    model: Tagger, scores: list[Any], lattices: Sequence[Lattice], *, boundary_weight: float, smoothing: float
) -> tuple[float, TagGradients]:
    """Loss summed over tokens, and its gradients.

    Marginal likelihood of the paths that each lattice (n, 2L + 1) allows, plus `boundary_weight` times the boundary
    loss, plus `smoothing` times the cross-entropy between the uniform distribution over all tags and the marginals.
    """
    shim = torch_shim(model)
    crf: CRF = shim.module.crf
    lengths = torch.tensor([len(array) for array in scores])
    length = int(lengths.max())
    padded = pad_arrays(scores, length, shim.device).requires_grad_()
    lengths = lengths.to(shim.device)
    emissions, logits = padded[..., :-2], padded[..., -2:]
    allowed = pad_lattices(lattices, emissions)
    loss = crf.nll(emissions, lengths, allowed).sum()
    if boundary_weight:
        loss = loss + boundary_weight * boundary_loss(logits, allowed, lengths).sum()
    if smoothing:
        loss = loss + smoothing * smoothing_loss(crf, emissions, lengths)
    gradients = torch.autograd.grad(loss, [padded, *crf.parameters()], allow_unused=True)
    scores_gradient, *crf_gradients = (g if g is not None else torch.zeros(()) for g in gradients)
    return loss.item(), TagGradients(split_tensor(scores_gradient, lengths.tolist(), model.ops), crf_gradients)


def smoothing_loss(crf: CRF, emissions: Tensor, lengths: Tensor) -> Tensor:
    """Mean cross-entropy of the token marginals from the uniform distribution over the tags, summed over tokens."""
    marginals = crf.marginals(emissions, lengths)
    keep = torch.arange(emissions.shape[1], device=emissions.device) < lengths[:, None]
    legal = keep[..., None].expand_as(marginals).clone()
    legal[:, 0] &= crf.start_allowed  # a tag that no path can bear has no probability to raise
    logs = marginals.clamp_min(1e-8).log()
    return -(logs * legal).sum(-1).div(legal.sum(-1).clamp_min(1)).sum()
