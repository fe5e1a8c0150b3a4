"""Counted parameters."""

from collections.abc import Mapping

import torch
from torch import nn

from ossamma_spacy.nn.config import EncoderConfig
from ossamma_spacy.nn.encoder import Encoder


def count_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def size_table(sizes: Mapping[str, EncoderConfig]) -> list[tuple[str, ...]]:
    """A row for each size: its shape and the parameters of blocks, lexicon and all."""
    rows = []
    for name, config in sizes.items():
        with torch.device("meta"):
            encoder = Encoder(config)
        parts = (encoder.blocks, encoder.lexicon, encoder)
        shape = (config.depth, config.width, config.heads, config.window)
        rows.append((name, *map(str, shape), *(f"{count_parameters(part):,}" for part in parts)))
    return rows
