"""Numbers that tell pictures, or rows, apart: what diversity, outliers and order are measured on.

Pictures: a fixed random convolution (seed 0) of their 32 x 32 thumbnails, half-wave rectified and averaged over the four quarters.
Random features know edges, colours and textures and nothing of what is depicted; they need no download and are the same
everywhere. Rows: their columns, each by its own spread.

References:
    Jarrett et al., *What is the Best Multi-Stage Architecture for Object Recognition?*, ICCV 2009 (random filters do well).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

#: What the numbers are, for reports.
PICTURES = "random convolution (5 x 5, 48 filters, seed 0) of 32 x 32 thumbnails"
ROWS = "columns, each divided by its spread"
_FILTERS, _SIZE, _STRIDE = 48, 5, 2
_AT_ONCE = 64


@cache
def _filters() -> NDArray[np.float32]:
    random = np.random.default_rng(0)
    filters = random.standard_normal((_SIZE * _SIZE * 3, _FILTERS))
    unit: NDArray[np.float32] = (filters / np.linalg.norm(filters, axis=0)).astype(np.float32)
    return unit


def of_pictures(thumbs: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return features (n, 192) of thumbnails, uint8 array (n, 32, 32, 3)."""
    parts = []
    for begin in range(0, len(thumbs), _AT_ONCE):
        scaled = thumbs[begin : begin + _AT_ONCE].astype(np.float32) / 127.5 - 1.0
        windows = np.lib.stride_tricks.sliding_window_view(scaled, (_SIZE, _SIZE), axis=(1, 2))[:, ::_STRIDE, ::_STRIDE]
        count, rows, columns = windows.shape[:3]
        answers = np.maximum(windows.reshape(count, rows, columns, -1) @ _filters(), 0.0)
        middle = rows // 2
        quarters = [
            answers[:, low, :][:, :, left].mean(axis=(1, 2)) for low in _halves(middle) for left in _halves(middle)
        ]
        parts.append(np.concatenate(quarters, axis=1))
    return np.concatenate(parts) if parts else np.zeros((0, 4 * _FILTERS), np.float32)


def of_rows(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return features (n, columns) of rows; what is not finite counts as the column's median."""
    finite = np.isfinite(rows)
    with np.errstate(all="ignore"):
        middle = np.array([np.median(rows[good, place]) if good.any() else 0.0 for place, good in enumerate(finite.T)])
        filled = np.where(finite, rows, middle) - middle
        spread = filled.std(axis=0)
        scaled = np.where(spread > 0, filled / np.where(spread > 0, spread, 1.0), 0.0)
    return np.nan_to_num(scaled).astype(np.float32)


def _halves(middle: int) -> tuple[slice, slice]:
    return slice(0, middle), slice(middle, None)
