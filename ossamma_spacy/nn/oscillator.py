"""Damped oscillators as an exact, bidirectional convolution (D-LinOSS, arXiv:2505.12171).

Each channel obeys x'' + g x' + a x = u in the semi-implicit step S = 1 + Δt·g; its eigenvalues are r·exp(±iθ) with
S = r⁻² and Δt²a = S + 1 − 2√S·cos θ. Radius and angle are the parameters, so that no value is unstable. The response
h[k] ∝ r^k sin((k+1)θ) / sin θ does not depend on the input, hence the layer is a convolution.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

CHUNK = 64  # positions in one Toeplitz product, at most
PERIODS = (2.5, 512.0)  # initial periods and e-folding times, in tokens
FOLDS = (2.0, 512.0)
MAX_FOLD = 4096.0  # bounds of the decay, in tokens: keep the radius off 0 and 1
MIN_FOLD = 0.25
MIN_ANGLE = math.pi / 4096


class ChunkKernels(NamedTuple):
    """Matrices of a chunk of C positions, both directions at once.

    toeplitz (d, C, C), from each position to each other; collect (d, C, 4), from the positions to the states that they
    leave; emit (d, 4, C), from the states that enter to the positions, all float32 or bfloat16; power (d, 1, 2)
    complex64, λ^C. The states are real and imaginary part, forwards, then backwards.
    """

    toeplitz: Tensor
    collect: Tensor
    emit: Tensor
    power: Tensor


class Oscillator(nn.Module):
    """Filter each channel by a damped oscillator, forwards and backwards in time, plus a skip term.

    (B, L, d) → (B, L, d). Both directions have d oscillators of their own, normalised to unit energy of their impulse
    response. Input at padded positions must be zero.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.raw_fold = nn.Parameter(torch.empty(2, width))
        self.raw_angle = nn.Parameter(torch.empty(2, width))
        self.skip = nn.Parameter(torch.ones(width))
        self._remembered: tuple[tuple[Any, ...], ChunkKernels, Tensor] | None = None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Spread periods and e-folding times log-uniformly, so that phrases as well as paragraphs are heard."""
        low, high = map(math.log, FOLDS)
        fold = torch.empty_like(self.raw_fold, dtype=torch.float64).uniform_(low, high)
        span = math.log(MAX_FOLD) - math.log(MIN_FOLD)
        low, high = map(math.log, PERIODS)
        period = torch.empty_like(self.raw_angle, dtype=torch.float64).uniform_(low, high).exp()
        angle = 2 * math.pi / period
        with torch.no_grad():
            self.raw_fold.copy_(torch.logit((fold - math.log(MIN_FOLD)) / span))
            self.raw_angle.copy_(torch.logit((angle - MIN_ANGLE) / (math.pi - 2 * MIN_ANGLE)))

    def poles(self) -> tuple[Tensor, Tensor]:
        """log r < 0 and θ in (0, π), each (2, d) in float64, for the forward and the backward direction."""
        span = math.log(MAX_FOLD) - math.log(MIN_FOLD)
        log_fold = math.log(MIN_FOLD) + span * self.raw_fold.double().sigmoid()
        angle = MIN_ANGLE + (math.pi - 2 * MIN_ANGLE) * self.raw_angle.double().sigmoid()
        return -torch.exp(-log_fold), angle

    def gain(self, log_radius: Tensor, angle: Tensor) -> Tensor:
        """The factor that gives h[k] = r^k sin((k+1)θ) unit energy: 1 / √Σ h²."""
        square = torch.exp(2 * log_radius)
        # Σ r^2k sin²((k+1)θ) = ½ Σ r^2k − ½ Re Σ r^2k e^{2i(k+1)θ}, both geometric
        rotating = (torch.cos(2 * angle) - square) / (1 - 2 * square * torch.cos(2 * angle) + square**2)
        return (0.5 / -torch.expm1(2 * log_radius) - 0.5 * rotating).rsqrt()

    def kernel(self, length: int) -> Tensor:
        """Impulse responses (2, d, length) in float64."""
        log_radius, angle = self.poles()
        steps = torch.arange(length, dtype=torch.float64, device=angle.device)
        wave = torch.exp(log_radius[..., None] * steps) * torch.sin(angle[..., None] * (steps + 1))
        return wave * self.gain(log_radius, angle)[..., None]

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        """Segments (B, P, d) of the documents, each of whole chunks but the last."""
        # float32 inside: under autocast the products would lose the precision that the kernel was built with
        with torch.autocast(x[0].device.type, enabled=False):
            return self.by_chunks(x)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_remembered": None}  # the parameters of a copy count their versions anew

    def by_fft(self, x: Tensor) -> Tensor:
        """The convolution by fast Fourier transform, in O(L log L)."""
        length = x.shape[1]
        if not length:
            return x
        forward, backward = self.kernel(length)  # (d, L) each
        # circular over 2L: the backward response stands at negative lags
        both = torch.cat([forward, forward.new_zeros(forward.shape[0], 1), backward[:, 1:].flip(1)], dim=1)
        both[:, 0] += backward[:, 0]
        spectrum = torch.fft.rfft(both, dim=1).to(torch.complex64).T  # (L + 1, d)
        y = torch.fft.irfft(torch.fft.rfft(x, n=2 * length, dim=1) * spectrum, n=2 * length, dim=1)
        return y[:, :length] + x * self.skip

    def by_chunks(self, x: list[Tensor]) -> list[Tensor]:
        """The convolution by a Toeplitz product inside chunks and a state carried from chunk to chunk, in O(L).

        Products are in float32; in bfloat16 where prediction on the CPU comes in it, states always in float32.
        """
        length = x[0].shape[1]
        rounds = x[0].dtype == torch.bfloat16 and x[0].device.type == "cpu" and not torch.is_grad_enabled()
        dtype = torch.bfloat16 if rounds else torch.float32
        # equal chunks leave little padding in a document that comes whole
        size = CHUNK if len(x) > 1 else -(-length // max(-(-length // CHUNK), 1))
        if not x[0].numel():
            return x
        kernels = self.chunk_kernels(size, dtype)
        u = [
            channels_first(_pad(segment.to(dtype), size)).view(segment.shape[2], -1, size) for segment in x
        ]  # (d, B·N, C)
        if len(x) == 1 and length == size:
            y = [torch.bmm(u[0], kernels.toeplitz)]
        else:
            left = [
                torch.bmm(segment, kernels.collect).float().view(len(segment), len(x[0]), -1, 4) for segment in u
            ]  # (d, B, N, 4)
            entering = torch.split(
                carry(torch.cat(left, dim=2), kernels.power), [segment.shape[2] for segment in left], dim=2
            )
            y = [
                torch.baddbmm(torch.bmm(states.flatten(1, 2).to(dtype), kernels.emit), segment, kernels.toeplitz)
                for states, segment in zip(entering, u, strict=True)
            ]
        return [
            channels_last(out.to(segment.dtype)).view(len(segment), -1, segment.shape[2])[:, : segment.shape[1]]
            for out, segment in zip(y, x, strict=True)
        ]

    def chunk_kernels(self, size: int, dtype: torch.dtype = torch.float32) -> "ChunkKernels":
        """What `by_chunks` multiplies by; where no gradient is wanted, cut from kernels that are remembered."""
        if torch.is_grad_enabled():
            return self._chunk_kernels(size)
        key = (dtype, self.skip.device, *(0 if p.is_inference() else p._version for p in self.parameters()))
        remembered = self._remembered
        if remembered is None or remembered[0] != key:
            # of each size up to CHUNK only λ^C is another; the rest are parts of the largest
            powers = torch.stack([self._chunk_kernels(c).power for c in range(CHUNK + 1)])
            exact = self._chunk_kernels(CHUNK)
            toeplitz, collect, emit = (kernel.to(dtype) for kernel in exact[:3])
            largest = ChunkKernels(toeplitz, collect, emit, exact.power)
            self._remembered = remembered = key, largest, powers
        _, (toeplitz, collect, emit, _), powers = remembered
        return ChunkKernels(
            toeplitz[:, :size, :size],
            torch.cat([collect[:, CHUNK - size :, :2], collect[:, :size, 2:]], dim=2),
            torch.cat([emit[:, :2, :size], emit[:, 2:, CHUNK - size :]], dim=1),
            powers[size],
        )

    def _chunk_kernels(self, size: int) -> "ChunkKernels":
        log_radius, angle = self.poles()
        steps = torch.arange(size + 1, dtype=torch.float64, device=angle.device)
        decay, phase = torch.exp(log_radius[..., None] * steps), angle[..., None] * steps
        real, imag = decay * torch.cos(phase), decay * torch.sin(phase)  # λ^k, each (2, d, C + 1)
        cos, sin, gain = (x[..., None] for x in (torch.cos(angle), torch.sin(angle), self.gain(log_radius, angle)))
        # h[k] = gain · Im(λ^k e^{iθ}); a state p + iq is seen k steps later as gain · Im((p + iq) λ^{k+1} e^{iθ})
        seen_p, seen_q = gain * (real * sin + imag * cos), gain * (real * cos - imag * sin)

        forward, backward = seen_p[..., :size].float()
        now = (forward[:, :1] + backward[:, :1] + self.skip[:, None])[:, : min(size, 1)]
        lags = torch.cat([backward[:, 1:].flip(1), now, forward[:, 1:]], dim=1)  # 1 − C … C − 1
        toeplitz = lags.unfold(1, size, 1).flip(1)  # (d, C, C): row j holds lags −j … C − 1 − j

        waves = torch.stack([real, imag], -1)  # (2, d, C + 1, 2)
        collect = torch.cat([waves[0, :, :size].flip(1), waves[1, :, :size]], -1)  # λ^(C−1−j) forwards, λ^j backwards
        effect = torch.stack([seen_p, seen_q], 2)[..., 1:]  # (2, d, 2, C)
        emit = torch.cat([effect[0], effect[1].flip(-1)], 1)
        power = torch.view_as_complex(waves[:, :, -1].float().contiguous()).T[:, None]
        return ChunkKernels(toeplitz, collect.float(), emit.float(), power)


def carry(left: Tensor, power: Tensor) -> Tensor:
    """States (d, B, N, 4) that enter each of N chunks, from those that each chunk leaves behind."""
    states = torch.view_as_complex(left.view(*left.shape[:3], 2, 2))  # (d, B, N, 2 directions)
    # both directions in one loop: the backward one runs over reversed chunks
    states = torch.stack([states[..., 0], states[..., 1].flip(2)], dim=-1)
    state = torch.zeros_like(states[:, :, 0])
    entering = []
    for here in states.unbind(2):
        entering.append(state)
        state = power * state + here
    both = torch.stack(entering, dim=2)
    return torch.view_as_real(torch.stack([both[..., 0], both[..., 1].flip(2)], dim=-1)).flatten(-2)


def _pad(x: Tensor, size: int) -> Tensor:
    """(B, P, d), zero beyond its end up to a multiple of `size` positions."""
    tail = -x.shape[1] % size
    return nn.functional.pad(x, (0, 0, 0, tail)) if tail else x


def channels_first(x: Tensor) -> Tensor:
    """(B, P, d) → (d, B·P), contiguous, and with a contiguous gradient: batched products are slow without."""
    first: Tensor = _Transpose.apply(x.reshape(-1, x.shape[2]))  # type: ignore[no-untyped-call]
    return first


def channels_last(y: Tensor) -> Tensor:
    """(d, B·N, C) → (B·N·C, d), contiguous likewise."""
    last: Tensor = _Transpose.apply(y.flatten(1))  # type: ignore[no-untyped-call]
    return last


class _Transpose(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.t().contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].t().contiguous()
