"""The OSSAMMA encoder: lexicon, blocks, final norm."""

import math

import torch
from torch import Tensor, nn

from ossamma_spacy.nn.attention import rotary_table, window_masks
from ossamma_spacy.nn.block import Block, Context
from ossamma_spacy.nn.config import EncoderConfig
from ossamma_spacy.nn.dropout import Dropout
from ossamma_spacy.nn.lexical import Lexicon, Words
from ossamma_spacy.nn.oscillator import CHUNK
from ossamma_spacy.nn.time import TimeEmbedding

SEGMENT = 512  # positions of a document, more or less, that go through a block together


class Encoder(nn.Module):
    """Words → contextual vectors (B, L, d), zero at padding.

    Padding, the batch's other documents and their order change results by rounding only.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config.validate()
        self.lexicon = Lexicon(config)
        self.dropout = Dropout(config.dropout)
        self.time = TimeEmbedding(config.time_width) if config.time_condition else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, words: Words, time: Tensor | None = None, hidden: Tensor | None = None) -> Tensor:
        """`time` (B,) in [0, 1] is the share of words that masked-diffusion pretraining hides; None means plain
        text, t = 0, for which the time folds into the norms. `hidden` (B, L) bool marks the words that are hidden."""
        if hidden is None and self.training and self.config.word_dropout:
            hidden = torch.rand(words.index.shape, device=words.index.device) < self.config.word_dropout
        return self.encode(self.lexicon(words, hidden), words.lengths, time)

    def encode(self, x: Tensor, lengths: Tensor, time: Tensor | None = None) -> Tensor:
        """From lexical vectors x (B, L, d) of documents of `lengths` (B,) to contextual ones, zero at padding.

        `time` (B,) as in `forward`.
        """
        length = x.shape[1]
        segments = cut(length, math.lcm(self.config.window, CHUNK))
        keep = torch.arange(length, device=x.device) < lengths[:, None]
        padded = bool((lengths < length).any())
        masks = window_masks(len(x), length, lengths if padded else None, self.config.window, segments, x.device)
        context = Context(
            padding=[(~keep[:, segment]).nonzero(as_tuple=True) if padded else None for segment in segments],
            counts=lengths,
            masks=[None if mask is None else self.lexicon.gated.rounded(mask) for mask in masks],
            rotary=[rotary_table(segment, self.config.head_width, x.device) for segment in segments],
            time=None if self.time is None else self.time(x.new_zeros(1) if time is None else time),
        )
        x = self.dropout(x)
        stream = [x[:, segment] for segment in segments]
        for block in self.blocks:
            stream = block(stream, context)
        return torch.cat([self.norm(segment) for segment in stream], dim=1) * keep[..., None]


def cut(length: int, multiple: int) -> list[slice]:
    """Cut `length` positions into segments of a multiple of `multiple`, but for the last; one segment at least."""
    size = max(SEGMENT // multiple, 1) * multiple
    return [slice(start, min(start + size, length)) for start in range(0, max(length, 1), size)]
