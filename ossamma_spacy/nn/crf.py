"""Linear-chain CRF over BIO tags (Lafferty et al. 2001)."""

import torch
from torch import Tensor, nn

FORBIDDEN = -1e30  # finite, so that no difference of two forbidden scores is undefined


def bio_constraints(n_labels: int) -> tuple[Tensor, Tensor]:
    """(K,) bool: tags that may start; (K, K) bool: [from, to] transitions that are legal. Tag 0 is O."""
    k = 2 * n_labels + 1
    start, step = torch.ones(k, dtype=torch.bool), torch.ones(k, k, dtype=torch.bool)
    start[2::2] = False
    step[:, 2::2] = False
    inside = torch.arange(2, k, 2)
    step[inside - 1, inside] = True
    step[inside, inside] = True
    return start, step


class CRF(nn.Module):
    """Scores of tag sequences: emissions (B, L, K) plus transitions, start and end scores, forbidden where not BIO."""

    def __init__(self, n_labels: int, constrained: bool = True) -> None:
        super().__init__()
        k = 2 * n_labels + 1
        self.transitions = nn.Parameter(torch.zeros(k, k))
        self.start = nn.Parameter(torch.zeros(k))
        self.end = nn.Parameter(torch.zeros(k))
        start, step = bio_constraints(n_labels)
        self.register_buffer("start_allowed", start | (not constrained), persistent=False)
        self.register_buffer("step_allowed", step | (not constrained), persistent=False)

    def _scores(self, emissions: Tensor, lengths: Tensor, temperature: float = 1.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if emissions.dtype in (torch.float16, torch.bfloat16):
            emissions = emissions.float()
        keep = torch.arange(emissions.shape[1], device=emissions.device) < lengths[:, None]
        emissions = torch.where(keep[..., None], emissions, 0.0) / temperature
        dtype = emissions.dtype
        start = (self.start.to(dtype) / temperature).masked_fill(~self.get_buffer("start_allowed"), FORBIDDEN)
        step = (self.transitions.to(dtype) / temperature).masked_fill(~self.get_buffer("step_allowed"), FORBIDDEN)
        return emissions, start, step, self.end.to(dtype) / temperature

    def _alphas(self, emissions: Tensor, lengths: Tensor, start: Tensor, step: Tensor) -> list[Tensor]:
        alpha = start + emissions[:, 0]
        alphas = [alpha]
        for i in range(1, emissions.shape[1]):
            new = torch.logsumexp(alpha[:, :, None] + step, dim=1) + emissions[:, i]
            alpha = torch.where((i < lengths)[:, None], new, alpha)
            alphas.append(alpha)
        return alphas

    def log_partition(self, emissions: Tensor, lengths: Tensor, allowed: Tensor | None = None) -> Tensor:
        emissions, start, step, end = self._scores(emissions, lengths)
        if allowed is not None:
            emissions = emissions.masked_fill(~allowed, FORBIDDEN)
        if not emissions.shape[1]:
            return emissions.new_zeros(len(emissions))
        z = torch.logsumexp(self._alphas(emissions, lengths, start, step)[-1] + end, dim=1)
        return torch.where(lengths > 0, z, 0.0)

    def nll(self, emissions: Tensor, lengths: Tensor, allowed: Tensor) -> Tensor:
        keep = torch.arange(emissions.shape[1], device=emissions.device) < lengths[:, None]
        both = torch.cat([torch.ones_like(allowed), allowed | ~keep[..., None]])
        z = self.log_partition(emissions.repeat(2, 1, 1), lengths.repeat(2), both)
        free, bound = z.chunk(2)
        if bool((bound < FORBIDDEN / 10).any()):
            raise ValueError(f"no legal path in documents {torch.nonzero(bound < FORBIDDEN / 10).flatten().tolist()}")
        return free - bound

    def _forward_backward(self, emissions: Tensor, lengths: Tensor, temperature: float) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        emissions, start, step, end = self._scores(emissions, lengths, temperature)
        alphas = torch.stack(self._alphas(emissions, lengths, start, step), dim=1)
        beta = end.expand(len(emissions), -1)
        betas = [beta]
        for i in range(emissions.shape[1] - 1, 0, -1):
            new = torch.logsumexp(step + (emissions[:, i] + beta)[:, None, :], dim=2)
            beta = torch.where((i < lengths)[:, None], new, end)
            betas.append(beta)
        z = torch.logsumexp(alphas[:, -1] + end, dim=1)
        return alphas, torch.stack(betas[::-1], dim=1), z, emissions, step

    def marginals(self, emissions: Tensor, lengths: Tensor, temperature: float = 1.0) -> Tensor:
        if not emissions.shape[1]:
            return emissions.float()
        alphas, betas, z, _, _ = self._forward_backward(emissions, lengths, temperature)
        keep = torch.arange(emissions.shape[1], device=emissions.device) < lengths[:, None]
        return (alphas + betas - z[:, None, None]).exp() * keep[..., None]

    def span_log_posteriors(self, emissions: Tensor, lengths: Tensor, spans: Tensor, temperature: float = 1.0) -> Tensor:
        if not len(spans):
            return emissions.new_zeros(0)
        alphas, betas, z, emissions, step = self._forward_backward(emissions, lengths, temperature)
        doc, first, stop, label = spans.unbind(1)
        begin, inside = 2 * label + 1, 2 * label + 2
        last = stop - 1
        cumulative = emissions.double().cumsum(1)
        more = (last - first).to(emissions.dtype)
        path = (cumulative[doc, last, inside] - cumulative[doc, first, inside]).to(emissions.dtype)
        path = path + torch.where(more > 0, step[begin, inside] + (more - 1) * step[inside, inside], 0.0)
        tag = torch.where(more > 0, inside, begin)
        padded = torch.nn.functional.pad(emissions + betas, (0, 0, 0, 1))
        after = step[tag] + padded[doc, stop]
        after = after.scatter(1, inside[:, None], FORBIDDEN)
        end = self.end.to(emissions.dtype)[tag] / temperature
        after = torch.where(stop < lengths[doc], torch.logsumexp(after, dim=1), end)
        return alphas[doc, first, begin] + path + after - z[doc]

    def decode(self, emissions: Tensor, lengths: Tensor, allowed: Tensor | None = None) -> Tensor:
        emissions, start, step, end = self._scores(emissions, lengths)
        if allowed is not None:
            emissions = emissions.masked_fill(~allowed, FORBIDDEN)
        batch, length, k = emissions.shape
        if not length or not batch:
            return torch.zeros(batch, length, dtype=torch.int64, device=emissions.device)
        alpha, same, pointers = start + emissions[:, 0], torch.arange(k, device=emissions.device), []
        for i in range(1, length):
            best, pointer = (alpha[:, :, None] + step).max(dim=1)
            keep = (i < lengths)[:, None]
            alpha = torch.where(keep, best + emissions[:, i], alpha)
            pointers.append(torch.where(keep, pointer, same))
        tag = (alpha + end).argmax(dim=1)
        path = [tag]
        for pointer in reversed(pointers):
            tag = pointer.gather(1, tag[:, None])[:, 0]
            path.append(tag)
        keep = torch.arange(length, device=emissions.device) < lengths[:, None]
        return torch.stack(path[::-1], dim=1) * keep
