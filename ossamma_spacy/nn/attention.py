"""Linear attention over the whole document, and softmax attention inside a window."""

import torch
import torch.nn.functional as F
from torch import Tensor


def linear_attention(q: Tensor, k: Tensor, v: Tensor, keep: Tensor | None) -> Tensor:
    """φ(q)ᵀΣφ(k)v / φ(q)ᵀΣφ(k) with φ = elu + 1, non-causal (Katharopoulos et al. 2020, eq. 5).

    q, k, v (B, L, H, d_h); `keep` (B, L) bool is false at padding, None where there is none. Linear in L. The sums run
    in float32. Returns (B, L, H, d_h).
    """
    with torch.autocast(q.device.type, enabled=False):
        phi_q, phi_k, values = F.elu(q.float()) + 1, F.elu(k.float()) + 1, v.float()
        if keep is not None:
            phi_k = phi_k * keep[..., None, None]
        phi_q, phi_k, values = phi_q.transpose(1, 2), phi_k.transpose(1, 2), values.transpose(1, 2)
        # the sums over keys are scaled by their number, so that float32 keeps its digits in long documents
        context = phi_k.transpose(-1, -2) @ values  # (B, H, d_h, d_h)
        total = phi_k.sum(dim=2)  # (B, H, d_h)
        numerator = phi_q @ context
        denominator = (phi_q @ total[..., None]).clamp_min(1e-6)
        return (numerator / denominator).transpose(1, 2).to(v.dtype)


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


def windowed_attention(q: Tensor, k: Tensor, v: Tensor, lengths: Tensor | None, window: int) -> Tensor:
    """Softmax attention of each position over the positions at most `window` away, in blocks: linear in L.

    q, k, v (B, L, H, d_h); `lengths` (B,) or None where nothing is padded. Returns (B, L, H, d_h); padded positions
    hold finite numbers without meaning.
    """
    length = q.shape[1]
    if length <= 2 * window:
        mask = _band_mask(length, window, lengths, q.device)
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))  # (B, H, L, d_h)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2)
    blocks = -(-length // window)
    tail = blocks * window - length
    q = _blocks(F.pad(q, (0, 0, 0, 0, 0, tail)), window, window)  # (B·N, H, w, d_h)
    k, v = (_blocks(F.pad(x, (0, 0, 0, 0, window, window + tail)), 3 * window, window) for x in (k, v))
    mask = _block_mask(blocks, length, window, lengths, q.device)  # (B or 1, N, w, 3w)
    batch = len(q) // blocks
    mask = mask.expand(batch, -1, -1, -1).flatten(0, 1)[:, None]
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2)  # (B·N, w, H, d_h)
    return out.reshape(batch, blocks * window, *out.shape[2:])[:, :length]


def _blocks(x: Tensor, size: int, step: int) -> Tensor:
    """Overlapping pieces of `size` positions, `step` apart: (B, L, H, d_h) → (B·N, H, size, d_h)."""
    return x.unfold(1, size, step).permute(0, 1, 2, 4, 3).flatten(0, 1)


def _band_mask(length: int, window: int, lengths: Tensor | None, device: torch.device) -> Tensor | None:
    """Which keys a query may see, (B or 1, 1, L, L) bool; None where all may see all."""
    if lengths is None and length <= window + 1:
        return None
    position = torch.arange(length, device=device)
    mask = ((position[:, None] - position[None, :]).abs() <= window)[None]
    if lengths is not None:
        # a padded query keeps itself, so that its softmax is over something
        mask = mask & ((position < lengths[:, None])[:, None, :] | torch.eye(length, dtype=torch.bool, device=device))
    return mask[:, None]


def _block_mask(blocks: int, length: int, window: int, lengths: Tensor | None, device: torch.device) -> Tensor:
    """Which of its 3w keys each query of a block may see, (B or 1, N, w, 3w) bool."""
    query = torch.arange(window, device=device)[:, None] + window
    key = torch.arange(3 * window, device=device)[None, :]
    band = (query - key).abs() <= window
    position = torch.arange(blocks, device=device)[:, None] * window + key - window  # (N, 3w)
    ends = torch.tensor([length], device=device) if lengths is None else lengths
    inside = (position >= 0) & (position < ends[:, None, None])  # (B, N, 3w)
    return (band & inside[:, :, None, :]) | (query == key)
