"""From words to vectors: subwords, orthography and the lexical memory."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ossamma_spacy.nn.config import EncoderConfig
from ossamma_spacy.nn.linear import Linear

MAX_PIECES = 12
AFFIXES = 3  # shape, prefix, suffix: hashed into one table
CASES = 8


@dataclass
class Words:
    """The words of a batch, each distinct one once.

    pieces (U, MAX_PIECES) int64, subword ids, 0 where there is none; affixes (U, AFFIXES) int64; cases (U,) int64;
    words (U,) int64, row in the lexical memory; index (B, L) int64 into these U rows; pairs (B, L, 2) int64, rows for
    previous + this and this + next word; lengths (B,) int64. `index` may name any of the U words at padding.
    """

    pieces: Tensor
    affixes: Tensor
    cases: Tensor
    words: Tensor
    index: Tensor
    pairs: Tensor
    lengths: Tensor

    def to(self, device: torch.device) -> "Words":
        return Words(*(getattr(self, name).to(device, non_blocking=True) for name in self.__dataclass_fields__))


class Lexicon(nn.Module):
    """The vector of each position before any context but its neighbours' names.

    Subword embeddings, each weighted by its place in the word, are summed and divided by √pieces; embeddings of shape,
    case, prefix and suffix are joined to them and mixed by a gated linear unit; rows of the lexical memory, read by
    hash, are projected and added.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        d = config.width
        self.piece_table = nn.Embedding(config.vocabulary_rows, d, padding_idx=0)
        self.place = nn.Parameter(torch.ones(MAX_PIECES, d))
        self.affix_table = nn.Embedding(config.affix_rows, config.affix_width)
        self.case_table = nn.Embedding(CASES, config.affix_width)
        self.gated = Linear(d + (AFFIXES + 1) * config.affix_width, 2 * d)
        m = config.memory_width
        self.word_memory = nn.Embedding(config.word_rows, m, sparse=True) if config.word_rows else None
        # rows for previous + this word, then rows for this + next
        self.pair_memory = nn.Embedding(2 * config.pair_rows, m, sparse=True) if config.pair_rows else None
        kinds = bool(config.word_rows) + 2 * bool(config.pair_rows)
        self.from_memory = Linear(kinds * m, d, bias=False) if kinds else None
        self.mask = nn.Parameter(torch.randn(d))
        self.norm = nn.LayerNorm(d)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for name, module in self.named_modules():
            if isinstance(module, nn.Embedding):
                if "memory" in name:  # a row that was never trained says nothing
                    nn.init.zeros_(module.weight)
                else:
                    nn.init.normal_(module.weight)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
        with torch.no_grad():
            self.piece_table.weight[0].zero_()
        nn.init.zeros_(self.gated.bias)

    def types(self, words: Words) -> Tensor:
        """The part of the vector that depends on the word alone, (U, d)."""
        # most words have one piece or two, so only the pieces that are there are read
        word, place = words.pieces.nonzero(as_tuple=True)
        pieces = self.piece_table(words.pieces[word, place]) * self.place[place]
        count = (words.pieces != 0).sum(dim=1, keepdim=True).clamp_min(1)
        spelled = pieces.new_zeros(len(count), pieces.shape[1]).index_add(0, word, pieces) * count.rsqrt()
        features = [spelled, self.affix_table(words.affixes).flatten(1), self.case_table(words.cases)]
        a, b = self.gated(torch.cat(features, dim=-1)).chunk(2, dim=-1)
        return a * torch.sigmoid(b)

    def memory(self, words: Words, hidden: Tensor | None) -> Tensor:
        """What the memory holds on each word and its neighbours (B, L, d), nothing that a hidden one touches."""
        rows = []
        if self.word_memory is not None:
            rows.append(F.embedding(words.index, self.word_memory(words.words)))
        if self.pair_memory is not None:
            rows += self.pair_memory(words.pairs + words.pairs.new_tensor([0, self.config.pair_rows])).unbind(-2)
        if self.training and self.config.memory_dropout:
            # a new name is unknown wherever it stands, and so are its pairs: dropping single rows would not teach that
            dropped = torch.rand(len(words.words), device=words.index.device) < self.config.memory_dropout
            hidden = dropped[words.index] if hidden is None else hidden | dropped[words.index]
        if hidden is not None:
            # hidden padding would take a pair from the last word
            hidden = hidden & (torch.arange(hidden.shape[1], device=hidden.device) < words.lengths[:, None])
            around = F.pad(hidden, (1, 1))
            touched = [hidden] * len(rows)
            if self.pair_memory is not None:
                touched[-2:] = hidden | around[:, :-2], hidden | around[:, 2:]
            rows = [row.masked_fill(mark[..., None], 0.0) for row, mark in zip(rows, touched, strict=True)]
        return self.from_memory(torch.cat(rows, dim=-1))  # type: ignore[misc]

    def forward(self, words: Words, hidden: Tensor | None = None) -> Tensor:
        """Vectors (B, L, d); of the words that `hidden` (B, L) bool marks nothing is seen but that they are hidden."""
        vector = F.embedding(words.index, self.types(words))
        if hidden is not None:
            vector = torch.where(hidden[..., None], self.mask, vector)
        if self.from_memory is not None:
            vector = vector + self.memory(words, hidden)
        return self.norm(vector)
