"""From scores to entities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ossamma_spacy.models.arrays import Lattice, pad_arrays, pad_lattices
from ossamma_spacy.models.batch import token_batches
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

    `lattices` holds the tags that the tokens of a document may bear, None where all may.
    """
    crf: CRF = torch_shim(model).module.crf
    results: list[Any] = [None] * len(scores)
    for batch in token_batches([len(array) for array in scores], BATCH_TOKENS):
        chosen = [lattices[i] for i in batch] if lattices is not None else None
        decoded = _decode_batch(crf, [scores[i] for i in batch], confidences, temperature, chosen)
        for i, result in zip(batch, decoded, strict=True):
            results[i] = result
    return results


@torch.inference_mode()
def _decode_batch(
    crf: CRF, scores: list[Any], confidences: bool, temperature: float, lattices: list[Lattice | None] | None
) -> list[Decoded]:
    device = crf.transitions.device
    counts = [len(array) for array in scores]
    lengths = torch.tensor(counts, device=device)
    emissions = pad_arrays(scores, max(counts), device)[..., :-2]
    allowed = pad_lattices(lattices, emissions) if lattices is not None else None
    paths = crf.decode(emissions, lengths, allowed).cpu().numpy()
    tags = [path[:count] for path, count in zip(paths, counts, strict=True)]
    spans = [tag_spans(path) for path in tags]
    if not confidences:
        return [Decoded(*pair, None) for pair in zip(tags, spans, strict=True)]
    flat = [(row, *span) for row, found in enumerate(spans) for span in found]
    where = torch.tensor(flat, dtype=torch.int64, device=device).view(-1, 4)
    logs = crf.span_log_posteriors(emissions, lengths, where, temperature=temperature).cpu().numpy()
    parts = np.split(logs, np.cumsum([len(found) for found in spans])[:-1])
    return [Decoded(*triple) for triple in zip(tags, spans, parts, strict=True)]


def tag_spans(tags: NDArray[np.int64]) -> list[SpanTuple]:
    """Entities `(start, end, label index)` on a legal BIO path: tag 0 is O, 2k + 1 B- and 2k + 2 I- of label k."""
    starts = np.flatnonzero(tags % 2 == 1)
    outside = np.flatnonzero((tags % 2 == 1) | (tags == 0))
    ends = np.append(outside, len(tags))[np.searchsorted(outside, starts, side="right")]
    return list(zip(starts.tolist(), ends.tolist(), ((tags[starts] - 1) // 2).tolist(), strict=True))
