"""Linear attention over the whole document, and softmax attention inside a window."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

DENSE = 4  # documents of up to so many windows attend by one masked product: cheaper than blocks with their halos


def linear_attention(q: list[Tensor], k: list[Tensor], v: list[Tensor], counts: Tensor) -> list[Tensor]:
    """norm(φ(q)ᵀΣφ(k)v / φ(q)ᵀΣφ(k)) with φ = ReLU, non-causal (Katharopoulos et al. 2020, eq. 5), linear in L.

    q, k, v are (B, P, H, d_h) each, one for each segment of the documents, k zero at padding; `counts` (B,) says how
    many keys there are. Each head's output is layer-normed. A norm does not see a positive factor, so the denominator
    is never computed: the sum is only scaled by the number of keys. Its mean is taken from the sum, before any query
    reads it. Products follow the dtype of their inputs, sums run in float32. Returns (B, P, H, d_h) each.
    """
    sums = [(F.relu(key).transpose(1, 2).mT @ value.transpose(1, 2)).float() for key, value in zip(k, v, strict=True)]
    context = sum(sums) / counts.clamp_min(1)[:, None, None, None]  # (B, H, d_h, d_h)
    context = (context - context.mean(-1, keepdim=True)).to(q[0].dtype)
    return [unit_rms(F.relu(query).transpose(1, 2) @ context).transpose(1, 2) for query in q]


def unit_rms(x: Tensor) -> Tensor:
    """x / √(mean x² + 1e-5) over the last axis; torch's own makes float32 copies of bfloat16."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
    return x * (norm.square() / x.shape[-1] + 1e-5).rsqrt().to(x.dtype)


def rotary_table(segment: slice, head_width: int, device: torch.device) -> Tensor:
    """exp(i·angle) (P, 1, d_h/2) complex64 of a segment's rotary positions, built in float64: exact anywhere."""
    rate = 10000.0 ** (-torch.arange(0, head_width, 2, dtype=torch.float64, device=device) / head_width)
    angle = torch.arange(segment.start, segment.stop, dtype=torch.float64, device=device)[:, None, None] * rate
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64)


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Turn each pair of neighbouring features of x (B, L, H, d_h) by its position's angle (Su et al. 2021, eq. 34)."""
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], table.shape[-1], 2))
    return torch.view_as_real(pairs * table).flatten(-2).to(x.dtype)


def windowed_attention(
    q: Sequence[Tensor], k: Sequence[Tensor], v: Sequence[Tensor], masks: list[Tensor | None], window: int
) -> list[Tensor]:
    """Softmax attention of each position over the positions at most `window` away, in blocks: linear in L.

    q, k, v are (B, P, H, d_h) each, one for each segment of the documents, of whole windows but for the last; `masks`
    are those of `window_masks` for the same segments. Returns (B, P, H, d_h) each; padded positions hold finite numbers
    without meaning.
    """
    if len(q) == 1 and q[0].shape[1] <= DENSE * window:
        q_heads, k_heads, v_heads = (x[0].transpose(1, 2) for x in (q, k, v))  # (B, H, L, d_h)
        return [_attend(q_heads, k_heads, v_heads, masks[0]).transpose(1, 2)]
    out = []
    for i, mask in enumerate(masks):
        out.append(_block_attention(q[i], _with_halo(k, i, window), _with_halo(v, i, window), mask, window))
    return out


def _block_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, window: int) -> Tensor:
    """Attention of a segment, whose keys and values reach a window beyond it on both sides."""
    batch, length, heads, width = q.shape
    tail = (0, 0, 0, 0, 0, -length % window)
    blocks = [F.pad(x, tail).view(batch, -1, window, heads, width) for x in (q, k, v)]
    q = blocks[0].flatten(0, 1).transpose(1, 2)  # (B·N, H, w, d_h)
    # a view that overlaps itself (unfold) would be shorter, but its gradient is slow
    k, v = (
        torch.cat([x[:, :-2], x[:, 1:-1], x[:, 2:]], dim=2).flatten(0, 1).transpose(1, 2) for x in blocks[1:]
    )  # (B·N, H, 3w, d_h)
    out = _attend(q, k, v, mask).transpose(1, 2)  # (B·N, w, H, d_h)
    return out.reshape(batch, -1, heads, width)[:, :length]


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """softmax(qkᵀ/√d_h + mask) v of (G, H, Q, d_h) and (G, H, K, d_h); the mask is broadcast."""
    return F.scaled_dot_product_attention(q, k, v, attn_mask=None if mask is None else mask.to(q.dtype))


def _with_halo(segments: Sequence[Tensor], i: int, window: int) -> Tensor:
    """Piece i with the window before and after it, zero beyond the ends: (B, w + P + w, H, d_h)."""
    segment = segments[i]
    before = segments[i - 1][:, -window:] if i else segment.new_zeros(len(segment), window, *segment.shape[2:])
    after = segments[i + 1][:, :window] if i + 1 < len(segments) else segment[:, :0]
    return F.pad(torch.cat([before, segment, after], dim=1), (0, 0, 0, 0, 0, window - after.shape[1]))


def window_masks(
    batch: int, length: int, lengths: Tensor | None, window: int, segments: list[slice], device: torch.device
) -> list[Tensor | None]:
    """What `windowed_attention` adds to the scores of each segment, 0 or −∞, broadcastable to them.

    `lengths` (B,) or None where nothing is padded. Padded queries keep themselves, so that their softmax is over
    something. None where all may see all.
    """
    ends = torch.tensor([length], device=device) if lengths is None else lengths
    if len(segments) == 1 and length <= DENSE * window:
        if lengths is None and length <= window + 1:
            return [None]
        position = torch.arange(length, device=device)
        distance = position[:, None] - position
        seen = ((distance.abs() <= window) & (position < ends[:, None, None])) | (distance == 0)  # (B or 1, L, L)
        return [_additive(seen)]
    query = torch.arange(window, device=device)[:, None] + window
    key = torch.arange(3 * window, device=device)
    near, self_ = (query - key).abs() <= window, query == key  # (w, 3w)
    masks: list[Tensor | None] = []
    for segment in segments:
        block = torch.arange(segment.start, segment.stop, window, device=device)
        position = block[:, None] + key - window  # (N, 3w)
        inside = (position >= 0) & (position < ends[:, None, None])  # (B or 1, N, 3w)
        seen = (near & inside[:, :, None]) | self_
        masks.append(_additive(seen.expand(batch, -1, -1, -1).flatten(0, 1)))  # (B·N, w, 3w)
    return masks


def _additive(seen: Tensor) -> Tensor:
    return torch.zeros(seen.shape, device=seen.device).masked_fill_(~seen, -torch.inf)[:, None]
