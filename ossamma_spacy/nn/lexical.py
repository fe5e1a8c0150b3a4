"""From words to vectors: subwords, orthography and the lexical memory."""

from dataclasses import dataclass

import torch
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
    previous + this and this + next word; lengths (B,) int64. Row 0 of `index` may be anything at padding.
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
        self.from_word = Linear(m, d, bias=False) if config.word_rows else None
        self.from_pair = Linear(2 * m, d, bias=False) if config.pair_rows else None
        self.norm = nn.LayerNorm(d)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for name, module in self.named_modules():
            if isinstance(module, nn.Embedding):
                # memory starts small: a row that was never trained should say next to nothing
                nn.init.normal_(module.weight, std=0.02 if "memory" in name else 1.0)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
        with torch.no_grad():
            self.piece_table.weight[0].zero_()
        nn.init.zeros_(self.gated.bias)

    def types(self, words: Words) -> Tensor:
        """The part of the vector that depends on the word alone, (U, d)."""
        pieces = self.piece_table(words.pieces)  # (U, P, d)
        count = (words.pieces != 0).sum(dim=1, keepdim=True).clamp_min(1)
        spelled = torch.einsum("upd,pd->ud", pieces, self.place) * count.to(pieces.dtype).rsqrt()
        features = [spelled, self.affix_table(words.affixes).flatten(1), self.case_table(words.cases)]
        a, b = self.gated(torch.cat(features, dim=-1)).chunk(2, dim=-1)
        vector = a * torch.sigmoid(b)
        if self.word_memory is not None and self.from_word is not None:
            vector = vector + self.from_word(self.word_memory(words.words))
        return vector

    def place_types(self, types: Tensor, words: Words) -> Tensor:
        """Lay the vectors of the types out over positions and add what neighbours tell, (B, L, d)."""
        vector = nn.functional.embedding(words.index, types)
        if self.pair_memory is not None and self.from_pair is not None:
            rows = words.pairs + words.pairs.new_tensor([0, self.config.pair_rows])
            vector = vector + self.from_pair(self.pair_memory(rows).flatten(-2))
        return self.norm(vector)

    def forward(self, words: Words) -> Tensor:
        return self.place_types(self.types(words), words)
