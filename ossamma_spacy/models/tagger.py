"""`ossamma.CRFTagger.v1`: a CRF tagger over any tok2vec."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor, nn

from ossamma_spacy.models.arrays import pad_arrays, split_tensor
from ossamma_spacy.models.batch import in_batches, no_backprop
from ossamma_spacy.models.encoder import Tok2Vec
from ossamma_spacy.models.shim import TorchShim, torch_shim
from ossamma_spacy.nn.heads import TaggerHead
from ossamma_spacy.settings import check_number

Tagger = Model[list[Doc], list[Floats2d]]


@dataclass
class TagGradients:
    """Gradients of a loss: (n, 2 · labels + 3) float32 by document for the scores, by parameter for the CRF."""

    scores: list[Any]
    crf: list[Tensor]


def build_tagger(
    tok2vec: Tok2Vec, *, dropout: float = 0.1, learn_rate_scale: float = 6.0, arithmetic: str = "auto"
) -> Tagger:
    """Build a tagger: List[Doc] → List[Floats2d], scores of 2n + 1 tags and two boundary logits per token.

    `tok2vec` may be any model of that type, a listener included. `learn_rate_scale` multiplies the optimizer's learning
    rate for head and CRF, which like a higher one than an encoder. `arithmetic` is that of prediction, as in
    `ossamma.Encoder.v1`, and so is `dropout`. Raises ValueError for a setting that is out of its range.
    """
    check_number("ossamma.CRFTagger.v1: dropout", dropout, lambda p: 0 <= p < 1, "a share from 0 to below 1")
    shim = TorchShim(
        head_from_settings, owner="ossamma.CRFTagger.v1", learn_rate_scale=learn_rate_scale, arithmetic=arithmetic
    )
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
    return TaggerHead(settings["width"], settings["labels"])


def tagger_init(model: Tagger, X: list[Doc] | None = None, Y: Any = None) -> None:
    """Make the head for the `nO` labels that the pipe has set, unless weights are there already."""
    tok2vec = model.get_ref("tok2vec")
    tok2vec.initialize(X)
    if X is not None and not torch_shim(model).is_initialized:
        torch_shim(model).create({"width": tok2vec.get_dim("nO"), "labels": model.get_dim("nO")})


def tagger_forward(model: Tagger, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], Callable[[Any], Any]]:
    if is_train:
        return _forward(model, docs, is_train)
    head: TaggerHead = torch_shim(model).module
    filled = [doc for doc in docs if len(doc)]  # spacy-transformers fails where no document has a token
    found = in_batches(
        lambda batch: _forward(model, [filled[i] for i in batch], False)[0],
        [len(doc) for doc in filled],
        torch_shim(model).batch_tokens,
    )
    rows = iter(found)
    return [next(rows) if len(doc) else model.ops.alloc2f(0, 2 * head.n_labels + 3) for doc in docs], no_backprop


def _forward(model: Tagger, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], Callable[[Any], Any]]:
    shim = torch_shim(model)
    head: TaggerHead = shim.module
    vectors, tok2vec_backprop = model.get_ref("tok2vec")(docs, is_train)
    lengths = [len(doc) for doc in docs]
    vectors = [_of_width(array, head.width) for array in vectors]
    h = pad_arrays(vectors, max(lengths, default=0), shim.device).requires_grad_(is_train)
    y = shim.run(head, h, is_train=is_train, dropout=model.attrs["dropout_rate"])

    def backprop(gradients: TagGradients) -> Any:
        torch.autograd.backward(y, pad_arrays(gradients.scores, y.shape[1], shim.device))
        for parameter, gradient in zip(head.crf.parameters(), gradients.crf, strict=True):
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        shim.tokens += sum(lengths)
        return tok2vec_backprop(split_tensor(torch.zeros_like(h) if h.grad is None else h.grad, lengths, model.ops))

    return split_tensor(y, lengths, model.ops), backprop


def _of_width(vectors: Floats2d, width: int) -> Floats2d:
    if not len(vectors):  # without tokens, some layers give no width
        return cast(Floats2d, vectors.reshape((0, width)))
    if vectors.shape[1] != width:
        raise ValueError(
            f"ossamma.CRFTagger.v1: its tok2vec gives vectors of width {vectors.shape[1]}, the config says {width}; "
            f"set width = {vectors.shape[1]} where the model listens to a tok2vec pipe"
        )
    return vectors
