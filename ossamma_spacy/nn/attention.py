"""Linear attention over the whole document, and softmax attention inside a window."""

import torch
import torch.nn.functional as F
from torch import Tensor


def linear_attention(q: Tensor, k: Tensor, v: Tensor, keep: Tensor | None) -> Tensor:
    """norm(φ(q)ᵀΣφ(k)v / φ(q)ᵀΣφ(k)) with φ = elu + 1, non-causal (Katharopoulos et al. 2020, eq. 5), linear in L.

    q, k, v (B, L, H, d_h); `keep` (B, L) bool is false at padding, None where there is none. Each head's output is
    normed. A norm does not see a positive factor, so the denominator is never computed: the sum is only scaled by the
    number of keys. The sums run in float32. Returns (B, L, H, d_h).
    """
    with torch.autocast(q.device.type, enabled=False):
        phi = F.elu(torch.stack([q, k]).float()).add_(1)
        phi_q, phi_k = phi.transpose(2, 3).unbind(0)  # (B, H, L, d_h)
        if keep is None:
            weight = torch.full((len(q), 1, 1, 1), 1 / max(q.shape[1], 1), device=q.device)
        else:
            weight = (keep / keep.sum(1, keepdim=True).clamp_min(1))[:, None, :, None]
        context = (phi_k * weight).mT @ v.float().transpose(1, 2)  # (B, H, d_h, d_h)
        out = (phi_q @ context).transpose(1, 2)
        return F.layer_norm(out, out.shape[-1:]).to(v.dtype)


def rotary_table(length: int, head_width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """cos and sin (L, 1, d_h/2) of rotary positions (Su et al. 2021), built in float64: exact for any length."""
    rate = 10000.0 ** (-torch.arange(0, head_width, 2, dtype=torch.float64, device=device) / head_width)
    angle = torch.arange(length, dtype=torch.float64, device=device)[:, None] * rate
    return angle.cos().float()[:, None], angle.sin().float()[:, None]


def rotate(x: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair of features of x (B, L, H, d_h) by its position's angle."""
    cos, sin = table[0].to(x.dtype), table[1].to(x.dtype)
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def windowed_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, window: int) -> Tensor:
    """Softmax attention of each position over the positions at most `window` away, in blocks: linear in L.

    q, k, v (B, L, H, d_h); `mask` from `window_mask` for the same batch. Returns (B, L, H, d_h); padded positions hold
    finite numbers without meaning.
    """
    length = q.shape[1]
    if length <= 2 * window:
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))  # (B, H, L, d_h)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=_as(mask, q)).transpose(1, 2)
    blocks = -(-length // window)
    tail = blocks * window - length
    q = _blocks(F.pad(q, (0, 0, 0, 0, 0, tail)), window, window)  # (B·N, H, w, d_h)
    k, v = (_blocks(F.pad(x, (0, 0, 0, 0, window, window + tail)), 3 * window, window) for x in (k, v))
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=_as(mask, q)).transpose(1, 2)  # (B·N, w, H, d_h)
    return out.reshape(-1, blocks * window, *out.shape[2:])[:, :length]


def window_mask(batch: int, length: int, lengths: Tensor | None, window: int, device: torch.device) -> Tensor | None:
    """What `windowed_attention` adds to its scores, 0 or −∞, broadcastable to them; None where all may see all.

    `lengths` (B,) or None where nothing is padded. Padded queries keep themselves, so that their softmax is over
    something.
    """
    ends = torch.tensor([length], device=device) if lengths is None else lengths
    if length <= 2 * window:
        if lengths is None and length <= window + 1:
            return None
        position = torch.arange(length, device=device)
        distance = position[:, None] - position
        seen = ((distance.abs() <= window) & (position < ends[:, None, None])) | (distance == 0)  # (B or 1, L, L)
    else:
        blocks = -(-length // window)
        query = torch.arange(window, device=device)[:, None] + window
        key = torch.arange(3 * window, device=device)
        position = torch.arange(blocks, device=device)[:, None] * window + key - window  # (N, 3w)
        inside = (position >= 0) & (position < ends[:, None, None])  # (B or 1, N, 3w)
        seen = (((query - key).abs() <= window) & inside[:, :, None]) | (query == key)
        seen = seen.expand(batch, -1, -1, -1).flatten(0, 1)  # (B·N, w, 3w)
    return torch.zeros(seen.shape, device=device).masked_fill_(~seen, -torch.inf)[:, None]


def _as(mask: Tensor | None, q: Tensor) -> Tensor | None:
    return None if mask is None else mask.to(q.dtype)


def _blocks(x: Tensor, size: int, step: int) -> Tensor:
    """Overlapping pieces of `size` positions, `step` apart: (B, L, H, d_h) → (B·N, H, size, d_h)."""
    return x.unfold(1, size, step).permute(0, 1, 2, 4, 3).flatten(0, 1)
