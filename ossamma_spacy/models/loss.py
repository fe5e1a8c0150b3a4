"""The training loss of the tagger, and its gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ossamma_spacy.models.arrays import Lattice, pad_arrays, pad_lattices, split_tensor
from ossamma_spacy.models.shim import torch_shim
from ossamma_spacy.models.tagger import Tagger, TagGradients
from ossamma_spacy.nn.crf import CRF
from ossamma_spacy.nn.heads import boundary_loss, ratio_loss, smoothing_loss

# CRF, emissions (B, L, tags), boundary logits (B, L, 2), lengths (B,) → loss, summed over tokens
Loss = Callable[[CRF, Tensor, Tensor, Tensor], Tensor]


def tagger_loss(
    model: Tagger,
    scores: list[Any],
    lattices: Sequence[Lattice],
    *,
    boundary_weight: float,
    smoothing: float,
    rates: Sequence[Sequence[float]] | None = None,
) -> tuple[float, TagGradients]:
    """Loss summed over tokens, and its gradients.

    `scores` are those of the tagger, (n, 2 · labels + 3) float32 for each document. The loss is the marginal
    likelihood of the paths that each lattice (n, 2 · labels + 1) bool allows, plus `boundary_weight` times the boundary
    loss, plus `smoothing` times the cross-entropy of the marginals from the uniform distribution over the legal tags,
    plus the ratio loss where `rates` are given, for each document and label.
    """

    def loss(crf: CRF, emissions: Tensor, logits: Tensor, lengths: Tensor) -> Tensor:
        allowed = pad_lattices(lattices, emissions)
        total = crf.nll(emissions, lengths, allowed).sum()
        if boundary_weight:
            total = total + boundary_weight * boundary_loss(logits, allowed, lengths).sum()
        if smoothing:
            total = total + smoothing * smoothing_loss(crf, emissions, lengths).sum()
        if rates is not None:
            total = total + ratio_loss(crf, emissions, lengths, emissions.new_tensor(rates))
        return total

    return loss_gradients(model, scores, loss)


def loss_gradients(model: Tagger, scores: list[Any], loss: Loss) -> tuple[float, TagGradients]:
    """Any loss of the scores, arrays as in `tagger_loss`, and its gradients."""
    shim = torch_shim(model)
    crf: CRF = shim.module.crf
    counts = [len(array) for array in scores]
    padded = pad_arrays(scores, max(counts, default=0), shim.device).requires_grad_()
    value = loss(crf, padded[..., :-2], padded[..., -2:], torch.tensor(counts, device=shim.device))
    gradient, *crf_gradients = torch.autograd.grad(value, [padded, *crf.parameters()], materialize_grads=True)
    return value.item(), TagGradients(split_tensor(gradient, counts, model.ops), crf_gradients)
