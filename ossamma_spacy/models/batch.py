"""From `Doc` objects to the tensors that the encoder reads."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from spacy.attrs import ORTH
from spacy.tokens import Doc

from ossamma_spacy.models.vocabulary import Vocabulary, pair_hashes
from ossamma_spacy.nn.config import EncoderConfig
from ossamma_spacy.nn.lexical import Words
from ossamma_spacy.nn.linear import usual_size

BORDER = np.uint64(0x5DEECE66D)  # the neighbour of a document's first and last word


def batch_words(docs: Sequence[Doc], vocabulary: Vocabulary, config: EncoderConfig) -> Words:
    """Features of a batch of documents; each distinct word once."""
    lengths = np.array([len(doc) for doc in docs], dtype=np.int64)
    orths = np.concatenate([doc.to_array(ORTH) for doc in docs] or [np.zeros(0, dtype=np.uint64)])
    unique, inverse = np.unique(orths, return_inverse=True)
    stores = list({id(doc.vocab): doc.vocab.strings for doc in docs}.values())
    words = [next(store[orth] for store in stores if orth in store) for orth in unique.tolist()]
    table = vocabulary.table(words or [""])  # one at least, for the padding of a batch without tokens to point at
    length = int(lengths.max(initial=0))
    shape = (len(docs), usual_size(length) if len(docs) == 1 else length)
    keep = np.arange(shape[1]) < lengths[:, None]
    index = np.zeros(shape, dtype=np.int64)
    index[keep] = inverse
    hashes = np.full((shape[0], shape[1] + 2), BORDER, dtype=np.uint64)
    hashes[:, 1:-1][keep] = table.hashes[inverse]
    pairs = pair_hashes(hashes[:, :-1], hashes[:, 1:])  # (B, L + 1)
    pairs = np.stack([pairs[:, :-1], pairs[:, 1:]], axis=-1) % np.uint64(max(config.pair_rows, 1))
    return Words(
        pieces=torch.from_numpy(table.pieces),
        affixes=_rows(table.affixes, config.affix_rows),
        cases=torch.from_numpy(table.cases),
        words=_rows(table.hashes, max(config.word_rows, 1)),
        index=torch.from_numpy(index),
        pairs=torch.from_numpy(pairs.astype(np.int64)),
        lengths=torch.from_numpy(lengths),
    )


def token_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices of documents in batches of similar length, at most `budget` positions each unless one is longer."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and lengths[i] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def in_batches(function: Callable[[list[int]], Sequence[Any]], lengths: Sequence[int], budget: int) -> list[Any]:
    """Call a function with the indices of such batches; what it returns for each document, in their order."""
    results: list[Any] = [None] * len(lengths)
    for batch in token_batches(lengths, budget):
        for i, result in zip(batch, function(batch), strict=True):
            results[i] = result
    return results


def no_backprop(gradients: Any) -> Any:
    """What prediction returns in the place of a backward pass."""
    raise ValueError("this was predicted without gradients: call begin_update to train")


def _rows(hashes: "np.typing.NDArray[np.uint64]", rows: int) -> torch.Tensor:
    return torch.from_numpy((hashes % np.uint64(rows)).astype(np.int64))
