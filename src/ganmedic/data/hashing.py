"""Perceptual hashes, for batches of thumbnails, and digests of what must be equal to the last bit.

The perceptual hash is that of the `imagehash` package (phash): a 32 x 32 grey thumbnail, its two-dimensional DCT, the 8 x 8
lowest frequencies, each against their median. Pictures that were compressed again, scaled or brightened keep most of the bits.

References:
    Zauner, *Implementation and Benchmarking of Perceptual Image Hash Functions*, 2010, section 3.2.
    Manku, Jain, Das Sarma, *Detecting Near-Duplicates for Web Crawling*, 2007 (blocks of bits find close hashes).
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

#: Side of the grey thumbnail that the hash is made of.
SIDE = 32
_LOW = 8


def _dct_matrix() -> NDArray[np.float64]:
    """The first rows of the type-II DCT as a matrix; the scale does not matter to the hash."""
    places = np.arange(SIDE)
    return np.cos(np.pi * (2 * places[None, :] + 1) * np.arange(_LOW)[:, None] / (2 * SIDE))


_DCT = _dct_matrix()


def perceptual_hashes(grey: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the pHash of each thumbnail.

    Args:
        grey: uint8 array (n, 32, 32).

    Returns:
        uint64 array (n,), the first bit of the picture's top left corner as the highest.
    """
    low = np.matmul(np.matmul(_DCT, grey.astype(np.float64)), _DCT.T).reshape(len(grey), _LOW * _LOW)
    bits = low > np.median(low, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


def digest(data: bytes | memoryview, *, kind: bytes = b"") -> bytes:
    """Return 16 bytes that differ wherever the data or its kind (size, mode) differs."""
    return hashlib.blake2b(data, digest_size=16, key=kind[:64]).digest()


def bit_counts(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Return how many bits of each word are set."""
    if hasattr(np, "bitwise_count"):
        counts: NDArray[np.uint8] = np.bitwise_count(words)
        return counts
    # NumPy 1 has no such function.
    bits = np.unpackbits(words.view(np.uint8).reshape(*words.shape, 8), axis=-1)
    return np.asarray(bits.sum(axis=-1), np.uint8)


def close_pairs(
    hashes: NDArray[np.uint64], most_bits: int, most_pairs: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs (i, j), i < j, whose hashes differ in at most `most_bits` bits.

    The 64 bits are cut into `most_bits + 1` bands: two hashes that close agree in one band at least (pigeonhole). Each band
    is sorted, and each run of equal bands compared. A run that is longer than 256 is compared with the next 256 of the
    sorted order only, so that a set of plain pictures does not cost the square of its size.

    Args:
        hashes: uint64 array (n,).
        most_bits: bits that may differ.
        most_pairs: after so many pairs the search ends.
    """
    edges = [int(edge) for edge in np.linspace(0, 64, most_bits + 2)]
    found = 0
    for band, (low, high) in enumerate(itertools.pairwise(edges)):
        masks = [((1 << (b - a)) - 1) << a for a, b in itertools.pairwise(edges[: band + 1])]
        key = (hashes >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        order = np.lexsort((hashes, key))
        sorted_key, sorted_hash = key[order], hashes[order]
        for step in range(1, 257):
            same = np.flatnonzero(sorted_key[step:] == sorted_key[:-step])
            if not len(same):
                break
            differing = sorted_hash[same] ^ sorted_hash[same + step]
            near = bit_counts(differing) <= most_bits
            # A pair that agrees in an earlier band was found there.
            for mask in masks:
                near &= (differing & np.uint64(mask)) != 0
            one, other = order[same[near]], order[same[near] + step]
            if len(one):
                yield np.minimum(one, other), np.maximum(one, other)
                found += len(one)
                if found >= most_pairs:
                    return
