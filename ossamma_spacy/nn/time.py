"""The time of masked-diffusion pretraining, the share of masked words, and norms conditioned on it.

Training on annotated text and prediction run at t = 0.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TIME_SCALE = 1000.0  # t in [0, 1] is stretched before the sinusoids: unscaled they hardly move


class TimeEmbedding(nn.Module):
    """Sinusoids of t and two layers. t (B,) in [0, 1] → (B, d_t)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        rates = torch.exp(-math.log(10000.0) * torch.arange(half, dtype=torch.float32) / max(half - 1, 1))
        self.register_buffer("rates", rates, persistent=False)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)

    def forward(self, time: Tensor) -> Tensor:
        angle = TIME_SCALE * time.float()[:, None] * self.get_buffer("rates")
        return self.outer(F.gelu(self.inner(torch.cat([angle.sin(), angle.cos()], dim=-1))))


class TimeNorm(nn.Module):
    """Layer norm whose scale and shift depend on time: norm(x)·(1 + scale(e)) + shift(e).

    The maps from e start at zero, so that at the start time changes nothing. Without a time width it is a plain norm.
    """

    def __init__(self, width: int, time_width: int | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.from_time = zero_linear(time_width, 2 * width) if time_width else None

    def fold(self, e: Tensor | None) -> tuple[Tensor, Tensor]:
        """The weight and bias (d,) that stand for the whole norm at one time e (d_t,)."""
        if e is None or self.from_time is None:
            return self.weight, self.bias
        scale, shift = self.from_time(e).chunk(2, dim=-1)
        return self.weight * (1 + scale), self.bias * (1 + scale) + shift

    def forward(self, x: Tensor, e: Tensor | None) -> Tensor:
        """x (B, L, d); e (B, d_t), or (1, d_t) for one time that all share, or None for a plain norm."""
        if e is None or self.from_time is None or len(e) == 1:
            return F.layer_norm(x, x.shape[-1:], *self.fold(None if e is None else e[0]))
        scale, shift = self.from_time(e)[:, None].chunk(2, dim=-1)
        return F.layer_norm(x, x.shape[-1:], self.weight, self.bias) * (1 + scale) + shift


def zero_linear(fan_in: int, fan_out: int) -> nn.Linear:
    """A linear map that starts at zero."""
    layer = nn.Linear(fan_in, fan_out)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
