"""Linear maps with weights laid out for inference on the CPU."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Arithmetic = Literal["float32", "bfloat16"]


class Linear(nn.Linear):
    """`nn.Linear` that, where no gradient is wanted on the CPU, multiplies by weights in oneDNN's own layout.

    That is the same arithmetic, up to 2.4 times as fast (benchmarks/arithmetic.py). `arithmetic` "bfloat16" rounds
    inputs, weights and outputs there; machines differ in whether that is faster.
    """

    arithmetic: Arithmetic = "float32"
    _packed: tuple[Any, ...] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() or x.device.type != "cpu" or not PACKING:
            return F.linear(x, self.weight, self.bias)
        weight, bias = self.packed()
        return torch.ops.mkldnn._linear_pointwise(x.to(bias.dtype), weight, bias, "none", [], "")

    def packed(self) -> tuple[Tensor, Tensor]:
        """Weight and bias for inference, made anew when the parameters have changed."""
        key = (self.arithmetic, self.weight._version, None if self.bias is None else self.bias._version)
        if self._packed is None or self._packed[0] != key:
            dtype = getattr(torch, self.arithmetic)
            bias = torch.zeros(self.out_features) if self.bias is None else self.bias.detach()
            weight = torch.ops.mkldnn._reorder_linear_weight(self.weight.detach().to(dtype), PACKED_ROWS)
            self._packed = key, weight, bias.to(dtype)
        return self._packed[1], self._packed[2]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_packed": None}  # oneDNN's tensors can be neither pickled nor copied


PACKING = bool(torch._C._has_mkldnn) and hasattr(torch.ops.mkldnn, "_linear_pointwise")
PACKED_ROWS = 1024  # the number of positions that the layout is optimised for


def set_arithmetic(module: nn.Module, arithmetic: Arithmetic) -> None:
    """Choose how the linear maps of a module compute at inference on the CPU."""
    for part in module.modules():
        if isinstance(part, Linear):
            part.arithmetic = arithmetic
