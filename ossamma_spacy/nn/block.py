"""One block of the encoder: a global and a local branch, two gates between them, mixing, feed-forward."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ossamma_spacy.nn.attention import linear_attention, rotate, windowed_attention
from ossamma_spacy.nn.config import EncoderConfig
from ossamma_spacy.nn.dropout import Dropout
from ossamma_spacy.nn.linear import Linear
from ossamma_spacy.nn.oscillator import Oscillator
from ossamma_spacy.nn.time import TimeNorm, zero_linear

Segments = list[Tensor]  # a batch of documents (B, L, …) cut along L


@dataclass
class Context:
    """What all blocks share in one pass; lists hold an entry for each segment.

    `padding` indexes the padded positions of (B, P), None where nothing is padded; `counts` (B,) are the documents'
    lengths; `masks` are those of the windowed attention; `rotary` holds exp(i·angle) (P, 1, d_h/2); `time` is the
    embedding (B, d_t) of each document's time, (1, d_t) of a time that all share, or None without time condition.
    """

    padding: list[tuple[Tensor, ...] | None]
    counts: Tensor
    masks: list[Tensor | None]
    rotary: list[Tensor]
    time: Tensor | None


class Block(nn.Module):
    """Segments of x (B, L, d) → segments of (B, L, d).

    n = norm(x); G = W_o(c ⊙ σ(o)) with c the linear attention and o the oscillator of n; n' = n ⊙ 2σ(W_in G);
    l = windowed attention of n'; l' = l + σ(W_out G) ⊙ G; α = σ(w·n + b + β(e)); x + W_m(αG + (1−α)l'); SwiGLU.
    Long documents come in several segments, so that what is computed position by position stays in the cache.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        d = config.width
        time_width = config.time_width if config.time_condition else None
        self.norm = TimeNorm(d, time_width)
        if config.global_branch:
            maps = (3 if config.linear_attention else 1) + config.oscillator
            self.global_in = Linear(d, maps * d)
            self.oscillator = Oscillator(d) if config.oscillator else None
            self.w_o = Linear(d, d)
        if config.windowed_attention:
            self.local_in = Linear(d, 3 * d)
        self.w_in = Linear(d, d, bias=False) if config.input_gate else None
        self.w_out = Linear(d, d, bias=False) if config.output_gate else None
        self.mix = Linear(d, 1) if config.token_mixing else None
        self.mix_time = zero_linear(time_width, 1) if time_width and config.token_mixing else None
        self.w_m = Linear(d, d)
        self.dropout = Dropout(config.dropout)
        if config.feed_forward:
            self.ffn_norm = nn.LayerNorm(d)
            self.ffn_in = Linear(d, 2 * config.feed_forward_width)
            self.ffn_out = Linear(config.feed_forward_width, d)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Unit-variance maps; what is added to the stream is scaled by 1/√(2·layers)."""
        depth_scale = (2 * self.config.depth) ** -0.5
        for name, layer in self.named_modules():
            if isinstance(layer, nn.Linear) and "time" not in name:
                gain = depth_scale if name in ("w_m", "ffn_out") else 1.0
                nn.init.normal_(layer.weight, std=gain * layer.in_features**-0.5)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        for gate in (self.w_in, self.w_out, self.mix):
            if gate is not None:
                nn.init.normal_(gate.weight, std=0.02)

    def forward(self, x: Segments, context: Context) -> Segments:
        n = [self.w_m.rounded(self.norm(segment, context.time)) for segment in x]
        return [self.update(*pair) for pair in zip(x, self.branches(n, context), strict=True)]

    def update(self, x: Tensor, branches: Tensor) -> Tensor:
        """Add what the branches found, then the feed-forward part."""
        x = x + self.dropout(self.w_m(branches)).to(x.dtype)
        if self.config.feed_forward:
            x = x + self.dropout(self.ffn_out(swiglu(self.ffn_in(self.ffn_norm(x))))).to(x.dtype)
        return x

    def branches(self, n: Segments, context: Context) -> Segments:
        """Both branches and what joins them, from the normed stream n."""
        if not self.config.global_branch:
            return self.local(n, context)
        g = self.global_branch(n, context)
        if not self.config.windowed_attention:
            return g
        gated = n if self.w_in is None else [a * (2 * torch.sigmoid(self.w_in(b))) for a, b in zip(n, g, strict=True)]
        local = self.local(gated, context)
        return [self.join(*triple, context.time) for triple in zip(n, g, local, strict=True)]

    def join(self, n: Tensor, g: Tensor, local: Tensor, time: Tensor | None) -> Tensor:
        """Output gate and mixing of one segment."""
        if self.w_out is not None:
            local = torch.addcmul(local, torch.sigmoid(self.w_out(g)), g)
        if self.mix is None:
            return 0.5 * (g + local)
        logit = self.mix(n)  # (B, P, 1)
        if self.mix_time is not None and time is not None:
            logit = logit + self.mix_time(time)[:, None]
        return torch.lerp(local, g, torch.sigmoid(logit).to(g.dtype))

    def global_branch(self, n: Segments, context: Context) -> Segments:
        """G = W_o(c ⊙ σ(o)), or the half of it that is switched on."""
        inputs = [
            segment if padding is None else segment.index_put(padding, segment.new_zeros(()))
            for segment, padding in zip(map(self.global_in, n), context.padding, strict=True)
        ]
        parts = list(zip(*(segment.split(self.config.width, dim=-1) for segment in inputs), strict=True))
        gates = None if self.oscillator is None else [torch.sigmoid(o) for o in self.oscillator(parts.pop())]
        if self.config.linear_attention:
            heads = [[segment.unflatten(-1, (self.config.heads, -1)) for segment in part] for part in parts]
            c = [segment.flatten(-2) for segment in linear_attention(heads[0], heads[1], heads[2], context.counts)]
        else:
            c = list(parts[0])
        return [self.w_o(segment if gates is None else segment * gates[i]) for i, segment in enumerate(c)]

    def local(self, n: Segments, context: Context) -> Segments:
        """Windowed attention of n, heads joined."""
        q, k, v = zip(*map(self.local_heads, n, context.rotary), strict=True)
        return [o.flatten(-2) for o in windowed_attention(q, k, v, context.masks, self.config.window)]

    def local_heads(self, n: Tensor, rotary: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (B, P, H, d_h) of one segment, with their positions."""
        heads = self.config.heads
        qk, v = self.local_in(n).unflatten(-1, (3 * heads, -1)).split([2 * heads, heads], dim=2)
        q, k = rotate(qk, rotary).chunk(2, dim=2)
        return q, k, v


def swiglu(x: Tensor) -> Tensor:
    """silu(a) ⊙ b of the halves of x (Shazeer 2020)."""
    a, b = x.chunk(2, dim=-1)
    return F.silu(a) * b
