"""Linear maps that may multiply in bfloat16 on the CPU."""

import math
import threading
import time
from functools import cache
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Arithmetic = Literal["float32", "bfloat16"]
ARITHMETICS: tuple[Arithmetic, ...] = ("float32", "bfloat16")

# oneDNN's product, which torch.compile's CPU code calls; processors that have only AVX2 multiply bfloat16 by torch's
# own loops, slowly: oneDNN refuses there
ONEDNN_BFLOAT16 = (
    bool(torch._C._has_mkldnn)
    and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
)

_measuring = threading.Lock()  # a measurement sets the number of threads, which is the process's


class Linear(nn.Linear):
    """`nn.Linear` that on the CPU multiplies in the arithmetic that is set.

    "bfloat16" rounds inputs and weights, in training the gradients that come back too; machines differ in whether that
    is faster. Where no gradient is wanted it leaves the output in bfloat16.
    """

    arithmetic: Arithmetic = "float32"
    _rounded: tuple[Any, ...] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self._rounds(x):
            return F.linear(x, self.weight, self.bias)
        if torch.is_grad_enabled():
            return _RoundedLinear.apply(x, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return _product(x.bfloat16(), *self._bfloat16())

    def rounded(self, x: Tensor) -> Tensor:
        """x as `forward` would round it: once for all that read it."""
        return x.bfloat16() if self._rounds(x) and not torch.is_grad_enabled() else x

    def _rounds(self, x: Tensor) -> bool:
        on_cpu = x.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        return self.arithmetic == "bfloat16" and on_cpu and x.numel() > 0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rounded": None}  # the parameters of a copy count their versions anew

    def _bfloat16(self) -> tuple[Tensor, Tensor | None]:
        """Rounded weight and bias, made anew when the parameters have changed."""
        key = tuple(0 if p.is_inference() else p._version for p in self.parameters())
        if self._rounded is None or self._rounded[0] != key:
            bias = None if self.bias is None else self.bias.detach().bfloat16()
            self._rounded = key, self.weight.detach().bfloat16(), bias
        return self._rounded[1], self._rounded[2]


def set_arithmetic(module: nn.Module, arithmetic: Arithmetic) -> None:
    """Choose the arithmetic of a module's linear maps on the CPU, in training and in prediction."""
    for part in module.modules():
        if isinstance(part, Linear):
            part.arithmetic = arithmetic


def fastest_arithmetic() -> Arithmetic:
    """Which arithmetic multiplies fastest on this machine, by a measurement of fifty milliseconds on one thread.

    A choice that rounds must be faster by half to be worth its rounding.
    """
    with _measuring:
        return _fastest_arithmetic()


@cache
def _fastest_arithmetic() -> Arithmetic:
    if not ONEDNN_BFLOAT16:
        return "float32"
    x, weight = torch.ones(256, 192), torch.ones(768, 192)
    weights: dict[Arithmetic, Tensor] = {"float32": weight, "bfloat16": weight.bfloat16()}
    seconds = dict.fromkeys(weights, math.inf)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine several would measure how long they wait for each other
    try:
        for _ in range(30):  # many short turns, so that each meets a moment when nothing else runs
            for arithmetic in weights:
                seconds[arithmetic] = min(seconds[arithmetic], _seconds(x, weights[arithmetic]))
    finally:
        torch.set_num_threads(threads)
    return "bfloat16" if 1.5 * seconds["bfloat16"] < seconds["float32"] else "float32"


def _seconds(x: Tensor, weight: Tensor) -> float:
    product = F.linear if weight.dtype == torch.float32 else _multiply
    start = time.perf_counter()
    product(x.to(weight.dtype), weight).float()
    return time.perf_counter() - start


def usual_size(size: int) -> int:
    """The next of sixteen sizes to a doubling, from 16 on.

    oneDNN writes machine code for each new size of a product, which takes longer than the product itself, and keeps
    that of the last 1,024: so sizes are rounded up to few.
    """
    step = max(16, 1 << max(size - 1, 0).bit_length() >> 5)
    return -(-size // step) * step


def _padded(x: Tensor) -> Tensor:
    """x (…, k) → (rows, k), with rows of zeros to the next usual size."""
    rows = x.reshape(-1, x.shape[-1])
    missing = usual_size(len(rows)) - len(rows)
    return torch.cat([rows, rows.new_zeros(missing, rows.shape[1])]) if missing else rows


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x (…, k), weight (n, k) → x·weightᵀ + bias, all bfloat16."""
    return _first(_multiply(_padded(x), weight, bias), x.shape[:-1])


def _multiply(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    if not ONEDNN_BFLOAT16:
        return F.linear(rows, weight, bias)
    return torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")


def _first(rows: Tensor, shape: torch.Size) -> Tensor:
    """The rows before those of padding, in their shape."""
    return rows[: shape.numel()].view(*shape, rows.shape[-1])


class _RoundedLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.has_bias, ctx.shape = bias is not None, x.shape[:-1]
        rows, weight = _padded(x.bfloat16()), weight.bfloat16()
        ctx.save_for_backward(rows, weight)
        return _first(_multiply(rows, weight, None if bias is None else bias.bfloat16()), ctx.shape).float()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight = ctx.saved_tensors
        rows = _padded(gradients[0].bfloat16())
        d_x = _first(_multiply(rows, weight.t()), ctx.shape).float() if ctx.needs_input_grad[0] else None
        d_weight = (rows.t() @ inputs).float() if ctx.needs_input_grad[1] else None
        d_bias = gradients[0].flatten(0, -2).sum(0) if ctx.has_bias and ctx.needs_input_grad[2] else None
        return d_x, d_weight, d_bias
