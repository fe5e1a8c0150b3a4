"""Sizes and switches of the encoder."""

from dataclasses import asdict, dataclass, fields
from typing import Any

LEAST = {
    "width": 1, "depth": 1, "heads": 1, "window": 1, "feed_forward_width": 1, "affix_rows": 1, "affix_width": 1,
    "vocabulary_rows": 1, "memory_width": 1, "time_width": 2,
}  # fmt: skip

DROPOUTS = ("dropout", "word_dropout", "memory_dropout")  # settings of a training, not of the weights


@dataclass(frozen=True)
class EncoderConfig:
    """Everything that determines the shape of an encoder.

    Sizes are counted in features (`width`), tokens (`window`, the radius of the windowed attention) or table rows.
    A switch that is off removes its part from every block, which is then exactly the simpler block.
    """

    width: int = 192
    depth: int = 3  # blocks
    heads: int = 6  # of both attentions
    window: int = 64
    feed_forward_width: int = 576  # after its gate, so that twice as many features are computed
    dropout: float = 0.1  # of what enters the blocks and of what each of them adds
    word_dropout: float = 0.1  # share of words that training hides whole
    memory_dropout: float = 0.3  # share of distinct words whose lexical memory training hides, pairs included

    vocabulary_rows: int = 8192  # subword embeddings
    affix_rows: int = 4096  # shapes, prefixes and suffixes, hashed
    affix_width: int = 32
    word_rows: int = 131072  # lexical memory: lower-cased words, hashed; 0 for none
    pair_rows: int = 131072  # lexical memory: neighbouring words, hashed; 0 for none
    memory_width: int = 64

    time_width: int = 64  # of the embedding of the time
    input_gate: bool = True  # the global branch chooses what the local one reads
    output_gate: bool = True  # and what of it is kept
    oscillator: bool = True  # global branch, the damped oscillator
    linear_attention: bool = True  # global branch, attention over the whole document
    windowed_attention: bool = True  # local branch
    token_mixing: bool = True  # each position weighs the two branches
    time_condition: bool = True  # norms follow the share of masked words, for pretraining by masked diffusion; else 0
    feed_forward: bool = True

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    @property
    def global_branch(self) -> bool:
        return self.oscillator or self.linear_attention

    def validate(self) -> "EncoderConfig":
        """Return self, or raise ValueError naming the setting, its value and what fits."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, (int, float) if isinstance(field.default, float) else type(field.default)):
                raise ValueError(f"encoder: {field.name} = {value!r}, expected something like {field.default!r}")
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"encoder: {name} = {getattr(self, name)}, expected at least {least}")
        for name in ("word_rows", "pair_rows"):
            if getattr(self, name) < 0:
                raise ValueError(f"encoder: {name} = {getattr(self, name)}, expected 0 (none) or more")
        if self.width % (2 * self.heads):
            raise ValueError(
                f"encoder: width = {self.width} is not a multiple of 2 × heads = {2 * self.heads}; "
                "each head needs an even width for its rotary positions"
            )
        for name in DROPOUTS:
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"encoder: {name} = {getattr(self, name)}, expected a number from 0 to below 1")
        if self.time_width % 2:
            raise ValueError(f"encoder: time_width = {self.time_width}, expected an even number")
        if not (self.global_branch or self.windowed_attention):
            raise ValueError("encoder: no branch is left, keep oscillator, linear_attention or windowed_attention")
        if not (self.global_branch and self.windowed_attention):
            for name in ("input_gate", "output_gate", "token_mixing"):
                if getattr(self, name):
                    raise ValueError(
                        f"encoder: {name} = true joins the global and the local branch; switch it off too, "
                        "or keep windowed_attention and one of oscillator and linear_attention"
                    )
        return self

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "EncoderConfig":
        """Rebuild a config from `to_dict`; raises ValueError for a setting that does not exist."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"encoder: unknown settings {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        return cls(**values).validate()


SIZES: dict[str, EncoderConfig] = {
    "tiny": EncoderConfig(),
    "small": EncoderConfig(
        width=384, depth=6, heads=6, window=128, feed_forward_width=768, vocabulary_rows=32768, word_rows=262144,
        pair_rows=262144,
    ),
    "base": EncoderConfig(
        width=768, depth=12, heads=12, window=256, feed_forward_width=1536, vocabulary_rows=32768, word_rows=262144,
        pair_rows=262144, time_width=128,
    ),
    "large": EncoderConfig(
        width=1024, depth=24, heads=16, window=256, feed_forward_width=2048, vocabulary_rows=32768, word_rows=262144,
        pair_rows=262144, time_width=128,
    ),
}  # fmt: skip
