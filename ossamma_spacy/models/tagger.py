"""`ossamma.CRFTagger.v1`: a CRF tagger over any tok2vec."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn

from ossamma_spacy.models.arrays import pad_arrays, split_tensor
from ossamma_spacy.models.encoder import Tok2Vec
from ossamma_spacy.models.shim import TorchShim
from ossamma_spacy.nn.heads import TaggerHead, boundary_loss

BATCH_TOKENS = 4096  # positions, padding included, in one pass of prediction

Tagger = Model[list[Doc], list[Floats2d]]
Lattice = NDArray[np.bool_]


@dataclass
class TagGradients:
    """Gradients of a loss: by document for the scores, by parameter for the CRF."""

    scores: list[Any]
    crf: list[Tensor]


@dataclass
class Decoded:
    """A document's best path (n,) and, for each entity `(start, end, label)` on it, its log posterior if wanted."""

    tags: NDArray[np.int64]
    spans: list[tuple[int, int, int]]
    log_posteriors: NDArray[np.float32] | None


def build_tagger(tok2vec: Tok2Vec, *, dropout: float = 0.1, learn_rate_scale: float = 6.0) -> Tagger:
    """Build a tagger: List[Doc] → List[Floats2d], scores of 2n + 1 tags and two boundary logits per token.

    `tok2vec` may be any model of that type, a listener included. `learn_rate_scale` multiplies the optimizer's learning
    rate for head and CRF, which like a higher one than an encoder.
    """
    shim = TorchShim(head_from_settings, learn_rate_scale=learn_rate_scale)
    return Model(
        "ossamma_tagger",
        tagger_forward,
        init=tagger_init,
        layers=[tok2vec],
        refs={"tok2vec": tok2vec},
        dims={"nO": None},
        attrs={"dropout_rate": dropout},
        shims=[shim],
    )


def head_from_settings(settings: dict[str, Any]) -> nn.Module:
    return TaggerHead(settings["width"], settings["labels"], settings["dropout"])


def tagger_init(model: Tagger, X: list[Doc] | None = None, Y: Any = None) -> None:
    """Make the head for the `nO` labels that the pipe has set, unless weights are there already."""
    tok2vec = model.get_ref("tok2vec")
    tok2vec.initialize(X)
    if X is not None and not model.shims[0].is_initialized:
        settings = {
            "width": tok2vec.get_dim("nO"),
            "labels": model.get_dim("nO"),
            "dropout": model.attrs["dropout_rate"],
        }
        model.shims[0].create(settings)


def tagger_forward(model: Tagger, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], Callable[[Any], Any]]:
    if is_train:
        return _forward(model, docs, is_train)
    scores: list[Any] = [None] * len(docs)
    for batch in token_batches([len(doc) for doc in docs]):
        for i, array in zip(batch, _forward(model, [docs[i] for i in batch], False)[0], strict=True):
            scores[i] = array
    return scores, _no_backprop


def _forward(model: Tagger, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], Callable[[Any], Any]]:
    shim: TorchShim = model.shims[0]
    head: Any = shim.module
    vectors, tok2vec_backprop = model.get_ref("tok2vec")(docs, is_train)
    lengths = [len(doc) for doc in docs]
    h = pad_arrays(vectors, max(lengths, default=0), shim.device).requires_grad_(is_train)
    y = shim.run(head, h, is_train=is_train, dropout=model.attrs["dropout_rate"])

    def backprop(gradients: TagGradients) -> Any:
        torch.autograd.backward(y, pad_arrays(gradients.scores, y.shape[1], shim.device))
        for parameter, gradient in zip(head.crf.parameters(), gradients.crf, strict=True):
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        return tok2vec_backprop(split_tensor(h.grad, lengths, model.ops))

    return split_tensor(y, lengths, model.ops), backprop


def _no_backprop(gradients: Any) -> Any:
    raise ValueError("the scores were predicted without gradients: call begin_update to train")


def tagger_loss(
    model: Tagger, scores: list[Any], lattices: Sequence[Lattice], *, boundary_weight: float, smoothing: float
) -> tuple[float, TagGradients]:
    """Loss summed over tokens, and its gradients.

    Marginal likelihood of the paths that each lattice (n, 2L + 1) allows, plus `boundary_weight` times the boundary
    loss, plus `smoothing` times the cross-entropy between the uniform distribution over all tags and the marginals.
    """
    shim: TorchShim = model.shims[0]
    crf = shim.module.crf
    lengths = torch.tensor([len(array) for array in scores])
    length = int(lengths.max())
    padded = pad_arrays(scores, length, shim.device).requires_grad_()
    lengths = lengths.to(shim.device)
    allowed = torch.ones(len(scores), length, padded.shape[2] - 2, dtype=torch.bool)
    for i, lattice in enumerate(lattices):
        allowed[i, : len(lattice)] = torch.from_numpy(lattice)
    allowed = allowed.to(shim.device)
    emissions, logits = padded[..., :-2], padded[..., -2:]
    loss = crf.nll(emissions, lengths, allowed).sum()
    if boundary_weight:
        loss = loss + boundary_weight * boundary_loss(logits, allowed, lengths).sum()
    if smoothing:
        loss = loss + smoothing * smoothing_loss(crf, emissions, lengths)
    gradients = torch.autograd.grad(loss, [padded, *crf.parameters()], allow_unused=True)
    scores_gradient, *crf_gradients = (g if g is not None else torch.zeros(()) for g in gradients)
    return loss.item(), TagGradients(split_tensor(scores_gradient, lengths.tolist(), model.ops), crf_gradients)


def smoothing_loss(crf: Any, emissions: Tensor, lengths: Tensor) -> Tensor:
    """Mean cross-entropy of the token marginals from the uniform distribution over the tags, summed over tokens."""
    marginals = crf.marginals(emissions, lengths)
    keep = torch.arange(emissions.shape[1], device=emissions.device) < lengths[:, None]
    legal = keep[..., None].expand_as(marginals).clone()
    legal[:, 0] &= crf.start_allowed  # a tag that no path can bear has no probability to raise
    logs = marginals.clamp_min(1e-8).log()
    return -(logs * legal).sum(-1).div(legal.sum(-1).clamp_min(1)).sum()


def decode(
    model: Tagger,
    scores: list[Any],
    *,
    confidences: bool,
    temperature: float = 1.0,
    lattices: Sequence[Lattice | None] | None = None,
) -> list[Decoded]:
    """Best path of each document, and on request the log posterior of each of its entities."""
    shim: TorchShim = model.shims[0]
    crf = shim.module.crf
    results: list[Any] = [None] * len(scores)
    with torch.inference_mode():
        for batch in token_batches([len(array) for array in scores]):
            lengths = torch.tensor([len(scores[i]) for i in batch], device=shim.device)
            emissions = pad_arrays([scores[i] for i in batch], int(lengths.max()), shim.device)[..., :-2]
            allowed = None
            if lattices is not None:
                allowed = torch.ones(emissions.shape, dtype=torch.bool)
                for row, i in enumerate(batch):
                    if (lattice := lattices[i]) is not None:
                        allowed[row, : len(lattice)] = torch.from_numpy(lattice)
                allowed = allowed.to(shim.device)
            paths = crf.decode(emissions, lengths, allowed).cpu().numpy()
            tags = [paths[row, : len(scores[i])] for row, i in enumerate(batch)]
            spans = [tag_spans(path) for path in tags]
            logs = None
            if confidences:
                flat = [(row, *span) for row, found in enumerate(spans) for span in found]
                where = torch.tensor(flat, dtype=torch.int64, device=shim.device).view(-1, 4)
                logs = crf.span_log_posteriors(emissions, lengths, where, temperature=temperature).cpu().numpy()
                logs = np.split(logs, np.cumsum([len(found) for found in spans])[:-1])
            for row, i in enumerate(batch):
                results[i] = Decoded(tags[row], spans[row], None if logs is None else logs[row])
    return results


def tag_spans(tags: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Entities `(start, end, label index)` on a legal BIO path: tag 0 is O, 2k + 1 B- and 2k + 2 I- of label k."""
    starts = np.flatnonzero(tags % 2 == 1)
    outside = np.flatnonzero((tags % 2 == 1) | (tags == 0))
    ends = np.append(outside, len(tags))[np.searchsorted(outside, starts, side="right")]
    return list(zip(starts.tolist(), ends.tolist(), ((tags[starts] - 1) // 2).tolist(), strict=True))


def token_batches(lengths: Sequence[int], budget: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Indices of documents in batches of similar length, at most `budget` positions each unless one is longer."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and lengths[i] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


