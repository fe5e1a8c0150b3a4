"""Damped oscillators as an exact, bidirectional convolution (D-LinOSS, arXiv:2505.12171).

Each channel obeys x'' + g x' + a x = u in the semi-implicit step S = 1 + Δt·g; its eigenvalues are r·exp(±iθ) with
S = r⁻² and Δt²a = S + 1 − 2√S·cos θ. Radius and angle are the parameters, so that no value is unstable. The response
h[k] ∝ r^k sin((k+1)θ) / sin θ does not depend on the input, hence the layer is a convolution.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

CHUNK = 64  # positions in one Toeplitz product
PERIODS = (2.5, 512.0)  # initial periods and e-folding times, in tokens
FOLDS = (2.0, 512.0)
MAX_FOLD = 4096.0  # bounds of the decay, in tokens: keep the radius off 0 and 1
MIN_FOLD = 0.25
MIN_ANGLE = math.pi / 4096


class ChunkKernels(NamedTuple):
    """float32 matrices of a chunk of C positions, both directions at once.

    toeplitz (d, C, C), the effect inside the chunk; collect (d, 4, C), the states that it leaves; emit (d, C, 4), the
    effect of the states that enter it; power (2, 2, d), real and imaginary part of λ^C.
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
        self._remembered: tuple[tuple[Any, ...], ChunkKernels] | None = None
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
        """Pieces (B, P, d) of the documents, each of whole chunks but the last."""
        # float32 inside: under autocast the products would lose the precision that the kernel was built with
        with torch.autocast(x[0].device.type, enabled=False):
            y = self.by_chunks([piece.float() for piece in x])
        return [piece.to(x[0].dtype) for piece in y]

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
        """The convolution by a Toeplitz product inside chunks and a state carried from chunk to chunk, in O(L)."""
        kernels = self.chunk_kernels()
        if len(x) == 1 and x[0].shape[1] <= CHUNK:
            length = x[0].shape[1]
            return [swap_ends(torch.bmm(kernels.toeplitz[:, :length, :length], swap_ends(x[0])))]
        u = [swap_ends(_chunks(piece)) for piece in x]  # (d, C, B·N) each
        width, batch = len(u[0]), len(x[0])
        left = torch.cat([torch.bmm(kernels.collect, piece).view(width, 2, 2, batch, -1) for piece in u], dim=-1)
        entering = carry(left, kernels.power).flatten(1, 2)  # (d, 4, B, N)
        y, first = [], 0
        for piece, out in zip(u, x, strict=True):
            last = first + piece.shape[2] // batch
            states = entering[..., first:last].flatten(-2)
            whole = torch.baddbmm(torch.bmm(kernels.emit, states), kernels.toeplitz, piece)
            y.append(swap_ends(whole).view(batch, -1, width)[:, : out.shape[1]])
            first = last
        return y

    def chunk_kernels(self) -> "ChunkKernels":
        """What `by_chunks` multiplies by; remembered as long as the parameters stay, where no gradient is wanted."""
        if torch.is_grad_enabled():
            return self._chunk_kernels()
        key = (self.skip.device, *(0 if p.is_inference() else p._version for p in self.parameters()))
        remembered = self._remembered
        if remembered is None or remembered[0] != key:
            self._remembered = remembered = key, self._chunk_kernels()
        return remembered[1]

    def _chunk_kernels(self) -> "ChunkKernels":
        size = CHUNK
        log_radius, angle = self.poles()
        steps = torch.arange(size + 1, dtype=torch.float64, device=angle.device)
        decay, phase = torch.exp(log_radius[..., None] * steps), angle[..., None] * steps
        real, imag = decay * torch.cos(phase), decay * torch.sin(phase)  # λ^k, each (2, d, C + 1)
        cos, sin, gain = (x[..., None] for x in (torch.cos(angle), torch.sin(angle), self.gain(log_radius, angle)))
        # h[k] = gain · Im(λ^k e^{iθ}); a state p + iq is seen k steps later as gain · Im((p + iq) λ^{k+1} e^{iθ})
        seen_p, seen_q = gain * (real * sin + imag * cos), gain * (real * cos - imag * sin)

        forward, backward = seen_p[..., :size].float()
        now = (forward[:, 0] + backward[:, 0] + self.skip)[:, None]
        lags = torch.cat([forward[:, 1:].flip(1), now, backward[:, 1:]], dim=1)  # lag C − 1 … 1 − C
        toeplitz = lags.unfold(1, size, 1).flip(1)  # (d, C, C): row i holds lags i … i − C + 1

        state = torch.stack([real, imag], 1)[..., :size]
        collect = torch.cat([state[0].flip(-1), state[1]], 0).transpose(0, 1)  # λ^(C−1−j) forwards, λ^j backwards
        effect = torch.stack([seen_p, seen_q], 1)[..., 1:]  # (2, 2, d, C)
        emit = torch.cat([effect[0], effect[1].flip(-1)], 0).permute(1, 2, 0)
        power = torch.stack([real, imag], 1)[..., -1]
        return ChunkKernels(toeplitz, collect.float().contiguous(), emit.float().contiguous(), power.float())


def carry(left: Tensor, power: Tensor) -> Tensor:
    """States (d, direction, re/im, B, N) that enter each chunk, from those that each chunk leaves behind."""
    real, imag = power[:, 0].T[..., None], power[:, 1].T[..., None]  # (d, 2, 1)
    # both directions in one loop: the backward one runs over reversed chunks
    left = torch.stack([left[:, 0], left[:, 1].flip(-1)], 1)
    p = q = torch.zeros_like(left[:, :, 0, :, 0])
    states = []
    for here in left.unbind(-1):
        states.append(torch.stack([p, q], 2))
        p, q = real * p - imag * q + here[:, :, 0], real * q + imag * p + here[:, :, 1]
    entering = torch.stack(states, -1)
    return torch.stack([entering[:, 0], entering[:, 1].flip(-1)], 1)


def _chunks(x: Tensor) -> Tensor:
    """(B, P, d) → (B·N, C, d), zero beyond the end."""
    x = nn.functional.pad(x, (0, 0, 0, -x.shape[1] % CHUNK))
    return x.view(-1, CHUNK, x.shape[2])


def swap_ends(x: Tensor) -> Tensor:
    """(a, b, c) → (c, b, a), contiguous, and with a contiguous gradient: batched products are slow without."""
    swapped: Tensor = _SwapEnds.apply(x)  # type: ignore[no-untyped-call]
    return swapped


class _SwapEnds(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.permute(2, 1, 0).contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].permute(2, 1, 0).contiguous()
