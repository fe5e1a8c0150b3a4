"""Between thinc's arrays, one a document, and torch's padded tensors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from thinc.api import NumpyOps, Ops, torch2xp, xp2torch
from thinc.types import Floats2d
from torch import Tensor

Lattice = NDArray[np.bool_]  # (n, tags): which tags each token may bear


def split_tensor(padded: Tensor, lengths: Sequence[int], ops: Ops) -> list[Floats2d]:
    """(B, L, d) → one array (n, d) a document, without its padding."""
    padded = padded.detach()
    array: Any = padded.cpu().numpy() if isinstance(ops, NumpyOps) else torch2xp(padded, ops=ops)
    return [array[i, :length] for i, length in enumerate(lengths)]


def pad_arrays(arrays: Sequence[Any], length: int, device: torch.device) -> Tensor:
    """One array (n, d) a document → (B, length, d), zero at padding."""
    width = arrays[0].shape[1] if len(arrays) else 0
    if all(isinstance(array, np.ndarray) for array in arrays):
        padded = np.zeros((len(arrays), length, width), dtype=np.float32)
        for row, array in zip(padded, arrays, strict=True):
            row[: len(array)] = array
        return torch.from_numpy(padded).to(device)
    out = torch.zeros(len(arrays), length, width, device=device)
    for i, array in enumerate(arrays):
        out[i, : len(array)] = xp2torch(array, device=device)
    return out


def pad_lattices(lattices: Sequence[Lattice | None], emissions: Tensor) -> Tensor:
    """Lattices → (B, L, tags) bool beside the emissions; all is allowed at padding and where there is none."""
    allowed = torch.ones(emissions.shape, dtype=torch.bool)
    for row, lattice in zip(allowed, lattices, strict=True):
        if lattice is not None:
            row[: len(lattice)] = torch.from_numpy(lattice)
    return allowed.to(emissions.device)
