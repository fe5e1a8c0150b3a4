"""`ossamma.Encoder.v1`: the encoder as a tok2vec."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d
from torch import nn

from ossamma_spacy.models.arrays import pad_arrays, split_tensor
from ossamma_spacy.models.batch import batch_words, in_batches, no_backprop
from ossamma_spacy.models.shim import TorchShim, torch_shim
from ossamma_spacy.models.vocabulary import LEAST_ROWS, Vocabulary
from ossamma_spacy.nn.config import DROPOUTS, EncoderConfig
from ossamma_spacy.nn.encoder import Encoder

SPACY_SAMPLE = 10  # documents that spaCy's own pipes initialize their model with

Tok2Vec = Model[list[Doc], list[Floats2d]]


def build_encoder(
    *,
    width: int = 192,
    depth: int = 3,
    heads: int = 6,
    window: int = 64,
    feed_forward_width: int = 576,
    dropout: float = 0.1,
    word_dropout: float = 0.1,
    memory_dropout: float = 0.3,
    vocabulary_rows: int = 8192,
    affix_rows: int = 4096,
    affix_width: int = 32,
    word_rows: int = 131072,
    pair_rows: int = 131072,
    memory_width: int = 64,
    time_width: int = 64,
    input_gate: bool = True,
    output_gate: bool = True,
    oscillator: bool = True,
    linear_attention: bool = True,
    windowed_attention: bool = True,
    token_mixing: bool = True,
    time_condition: bool = True,
    feed_forward: bool = True,
    learn_rate_scale: float = 1.0,
    mixed_precision: bool = False,
    arithmetic: str = "auto",
) -> Tok2Vec:
    """Build the encoder: List[Doc] → List[Floats2d], one vector of `width` features per token.

    The settings are those of `EncoderConfig`. `learn_rate_scale` multiplies the optimizer's learning rate;
    `mixed_precision` trains with matrix products in bfloat16 where the processor has them, and on a GPU predicts so
    too; `arithmetic` is that of prediction on the CPU: float32, bfloat16, or auto for the faster one by a quick
    measurement. `vocabulary_rows` bounds the subwords that `initialize` learns from the training texts. `dropout` is
    what a loop of one's own gets; `spacy train` sets `[training] dropout`. Raises ValueError for a setting that is out
    of its range.
    """
    settings = dict(locals())
    training = {name: settings.pop(name) for name in ("learn_rate_scale", "mixed_precision", "arithmetic")}
    config = EncoderConfig.from_dict(settings)
    shim = TorchShim(partial(encoder_from_settings, {name: settings[name] for name in DROPOUTS}), **training)
    model: Tok2Vec = Model(
        "ossamma_encoder",
        encoder_forward,
        init=encoder_init,
        dims={"nO": width},
        attrs={"dropout_rate": dropout, "config": config.to_dict()},
        shims=[shim],
    )
    return model


def encoder_from_settings(dropouts: dict[str, float], settings: dict[str, Any]) -> nn.Module:
    """The module of weights that may have been trained with other dropouts than those at hand."""
    module = Encoder(EncoderConfig.from_dict(settings["config"] | dropouts))
    module.vocabulary = Vocabulary(settings["vocabulary"])  # type: ignore[assignment]
    return module


def encoder_init(model: Tok2Vec, X: list[Doc] | None = None, Y: Any = None) -> None:
    """Learn subwords from the documents and make fresh weights, unless weights are there already."""
    if torch_shim(model).is_initialized or X is None:
        return
    config = EncoderConfig.from_dict(model.attrs["config"])
    vocabulary = Vocabulary.train((token.text for doc in X for token in doc), config.vocabulary_rows)
    if len(X) == SPACY_SAMPLE and vocabulary.rows == LEAST_ROWS:
        warnings.warn(
            f"ossamma.Encoder.v1: {len(X)} documents, all that spaCy's own pipes show it, were too few to learn "
            "subwords from, so it reads words by their bytes; name the corpora by ossamma.learn_subwords.v1 in "
            "[initialize.before_init]",
            stacklevel=2,
        )
    torch_shim(model).create(
        {"config": replace(config, vocabulary_rows=vocabulary.rows).to_dict(), "vocabulary": vocabulary.json}
    )


def encoder_forward(model: Tok2Vec, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], Callable[[Any], Any]]:
    if is_train:
        return _forward(model, docs, is_train)
    # spaCy's own components hand over all documents of nlp.pipe's batch at once
    vectors = in_batches(
        lambda batch: _forward(model, [docs[i] for i in batch], False)[0],
        [len(doc) for doc in docs],
        torch_shim(model).batch_tokens,
    )
    return vectors, no_backprop


def _forward(model: Tok2Vec, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], Callable[[Any], Any]]:
    shim = torch_shim(model)
    module = shim.module
    words = batch_words(docs, module.vocabulary, module.config).to(shim.device)
    y = shim.run(module, words, is_train=is_train, dropout=model.attrs["dropout_rate"])  # (B, L, d)

    def backprop(d_vectors: list[Floats2d]) -> list[Doc]:
        gradient = pad_arrays(d_vectors, y.shape[1], shim.device)
        if y.requires_grad:
            torch.autograd.backward(y, gradient)
        return []

    return split_tensor(y, [len(doc) for doc in docs], model.ops), backprop
