"""Documents that say the same, in another split or another corpus, give or take some words."""

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5  # words
SHARED = 0.5  # of the shorter document's shingles
ENOUGH = 10  # shingles; a document may well hold a line of some words that is a document elsewhere

Fingerprint = NDArray[np.uint64]


def fingerprint(text: str) -> Fingerprint:
    """Hashes of the word sequences of a text, sorted, case and punctuation left aside; none where there is no word."""
    words = re.findall(r"\w+", text.lower())
    if not words:
        return np.empty(0, dtype=np.uint64)
    shingles = {" ".join(words[i : i + SHINGLE]) for i in range(max(len(words) - SHINGLE, 0) + 1)}
    data = b"".join(blake2b(shingle.encode(), digest_size=8).digest() for shingle in shingles)
    return np.unique(np.frombuffer(data, dtype="<u8"))


class Index:
    """Documents that others are compared with."""

    def __init__(self, fingerprints: Sequence[Fingerprint]) -> None:
        self.sizes = np.array([len(fingerprint) for fingerprint in fingerprints], dtype=np.int64)
        hashes = np.concatenate([*fingerprints, np.empty(0, dtype=np.uint64)])
        order = np.argsort(hashes, kind="stable")
        self.hashes = hashes[order]
        self.owners = np.repeat(np.arange(len(self.sizes)), self.sizes)[order]

    def nearest(self, fingerprint: Fingerprint) -> int | None:
        """The document most alike this one, None if there is none that repeats it.

        Two documents repeat each other if they share half of the hashes of the shorter one, and either ten of them
        or half of the longer one too.
        """
        first = np.searchsorted(self.hashes, fingerprint, "left")
        last = np.searchsorted(self.hashes, fingerprint, "right")
        found = [self.owners[a:b] for a, b in zip(first, last, strict=True) if a < b]
        if not found:
            return None
        owners, shared = np.unique(np.concatenate(found), return_counts=True)
        shorter, longer = np.sort([self.sizes[owners], np.full(len(owners), len(fingerprint))], axis=0)
        repeats = (shared >= SHARED * shorter) & ((shared >= ENOUGH) | (shared >= SHARED * longer))
        if not repeats.any():
            return None
        return int(owners[np.where(repeats, shared / shorter, 0).argmax()])
