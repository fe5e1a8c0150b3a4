"""From scores to entities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ossamma_spacy.models.arrays import Lattice, pad_arrays, pad_lattices
from ossamma_spacy.models.batch import in_batches
from ossamma_spacy.models.shim import torch_shim
from ossamma_spacy.models.tagger import Tagger
from ossamma_spacy.nn.crf import CRF

BATCH_TOKENS = 16384  # positions, padding included, decoded together; a position is one step for all documents
SpanTuple = tuple[int, int, int]  # start, end (exclusive), label index


@dataclass
class Decoded:
    """A document's best path (n,) and, for each entity `(start, end, label)` on it, its log posterior if wanted."""

    tags: NDArray[np.int64]
    spans: list[SpanTuple]
    log_posteriors: NDArray[np.float32] | None


def decode(
    model: Tagger,
    scores: list[Any],
    *,
    confidences: bool,
    temperature: float = 1.0,
    lattices: Sequence[Lattice | None] | None = None,
) -> list[Decoded]:
    """Best path of each document, and on request the log posterior of each of its entities.

    `scores` holds an array (n, 2 · labels + 3) float32 for each document of n tokens, as the tagger gives them;
    `lattices` the tags (n, 2 · labels + 1) bool that its tokens may bear, None where all may.
    """
    crf: CRF = torch_shim(model).module.crf

    @torch.inference_mode()
    def decode_batch(batch: list[int]) -> list[Decoded]:
        emissions, lengths = _padded(crf, [scores[i] for i in batch])
        allowed = pad_lattices([lattices[i] for i in batch], emissions) if lattices is not None else None
        paths = crf.decode(emissions, lengths, allowed).cpu().numpy()
        tags = [path[: len(scores[i])] for i, path in zip(batch, paths, strict=True)]
        spans = [tag_spans(path) for path in tags]
        logs = _posteriors(crf, emissions, lengths, spans, temperature) if confidences else [None] * len(batch)
        return list(map(Decoded, tags, spans, logs))

    return in_batches(decode_batch, [len(array) for array in scores], BATCH_TOKENS)


def span_posteriors(
    model: Tagger, scores: list[Any], spans: Sequence[Sequence[SpanTuple]], temperature: float
) -> list[NDArray[np.float32]]:
    """The log posterior of each span of each document, whose scores are those of `decode`."""
    crf: CRF = torch_shim(model).module.crf

    @torch.inference_mode()
    def posteriors(batch: list[int]) -> list[NDArray[np.float32]]:
        return _posteriors(crf, *_padded(crf, [scores[i] for i in batch]), [spans[i] for i in batch], temperature)

    return in_batches(posteriors, [len(array) for array in scores], BATCH_TOKENS)


def _padded(crf: CRF, scores: list[Any]) -> tuple[Tensor, Tensor]:
    """Emissions (B, L, tags) and lengths (B,)."""
    device = crf.transitions.device
    counts = [len(array) for array in scores]
    return pad_arrays(scores, max(counts), device)[..., :-2], torch.tensor(counts, device=device)


def _posteriors(
    crf: CRF, emissions: Tensor, lengths: Tensor, spans: Sequence[Sequence[SpanTuple]], temperature: float
) -> list[NDArray[np.float32]]:
    flat = [(row, *span) for row, found in enumerate(spans) for span in found]
    where = torch.tensor(flat, dtype=torch.int64, device=emissions.device).view(-1, 4)
    logs = crf.span_log_posteriors(emissions, lengths, where, temperature=temperature).cpu().numpy()
    return np.split(logs, np.cumsum([len(found) for found in spans])[:-1])


def tag_spans(tags: NDArray[np.int64]) -> list[SpanTuple]:
    """Entities `(start, end, label index)` on a legal BIO path: tag 0 is O, 2k + 1 B- and 2k + 2 I- of label k."""
    starts = np.flatnonzero(tags % 2 == 1)
    outside = np.flatnonzero((tags % 2 == 1) | (tags == 0))
    ends = np.append(outside, len(tags))[np.searchsorted(outside, starts, side="right")]
    return list(zip(starts.tolist(), ends.tolist(), ((tags[starts] - 1) // 2).tolist(), strict=True))
