"""Linear maps that multiply by oneDNN on the CPU."""

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

# the matrix product behind torch.compile's CPU code; where a build of torch lacks it, F.linear serves
ONEDNN = bool(torch._C._has_mkldnn) and hasattr(torch.ops.mkldnn, "_linear_pointwise")
# processors that have only AVX2 multiply bfloat16 by torch's own loops, slowly: oneDNN refuses there
ONEDNN_BFLOAT16 = ONEDNN and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())

_measuring = threading.Lock()  # a measurement sets the number of threads, which is the process's


class Linear(nn.Linear):
    """`nn.Linear` whose float32 products on the CPU go to oneDNN, forwards and backwards.

    torch sends them to MKL, which is slower on some processors (docs/decisions.md). `arithmetic`
    "bfloat16" rounds inputs and weights, in training the gradients that come back too; machines differ in whether that
    is faster. Where no gradient is wanted it leaves the output in bfloat16.
    """

    arithmetic: Arithmetic = "float32"
    _rounded: tuple[Any, ...] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not _goes_to_onednn(x):
            return F.linear(x, self.weight, self.bias)
        if torch.is_grad_enabled():
            return _OneDnnLinear.apply(x, self.weight, self.bias, self.arithmetic)  # type: ignore[no-untyped-call]
        if self.arithmetic == "float32":
            return _product(x.float(), self.weight, self.bias)
        return _product(x.bfloat16(), *self._bfloat16())

    def rounded(self, x: Tensor) -> Tensor:
        """x as `forward` would round it: once for all that read it."""
        rounds = self.arithmetic == "bfloat16" and _goes_to_onednn(x) and not torch.is_grad_enabled()
        return x.bfloat16() if rounds else x

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
    start = time.perf_counter()
    _product(x.to(weight.dtype), weight, None).float()
    return time.perf_counter() - start


def _goes_to_onednn(x: Tensor) -> bool:
    return ONEDNN and x.device.type == "cpu" and x.numel() > 0 and not torch.is_autocast_enabled("cpu")


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
    return F.pad(rows, (0, 0, 0, missing)) if missing else rows


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x (…, k), weight (n, k) → x·weightᵀ + bias."""
    y = _multiply(_padded(x), weight, bias)
    return y[: x.shape[:-1].numel()].view(*x.shape[:-1], len(weight))


def _multiply(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    if x.dtype == torch.bfloat16 and not ONEDNN_BFLOAT16:
        return F.linear(x, weight, bias)
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


class _OneDnnLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, arithmetic: Arithmetic) -> Tensor:
        ctx.has_bias, ctx.shape = bias is not None, x.shape
        if arithmetic == "bfloat16":
            x, weight, bias = x.bfloat16(), weight.bfloat16(), None if bias is None else bias.bfloat16()
        rows = _padded(x)
        ctx.save_for_backward(rows, weight)
        y = _multiply(rows, weight, bias)
        return y[: x.shape[:-1].numel()].view(*x.shape[:-1], len(weight)).float()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight = ctx.saved_tensors
        rows = _padded(gradients[0].to(inputs.dtype))
        d_x = d_weight = None
        if ctx.needs_input_grad[0]:
            d_x = _multiply(rows, weight.t())[: ctx.shape[:-1].numel()].view(ctx.shape).float()
        if ctx.needs_input_grad[1]:  # bfloat16 goes to oneDNN by itself, and faster so
            rounded = inputs.dtype == torch.bfloat16
            d_weight = (rows.t() @ inputs).float() if rounded else _multiply(rows.t(), inputs.t())
        d_bias = gradients[0].flatten(0, -2).sum(0) if ctx.has_bias and ctx.needs_input_grad[2] else None
        return d_x, d_weight, d_bias, None
