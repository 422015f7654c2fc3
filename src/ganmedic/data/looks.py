"""Which pictures look odd: the checks of CleanVision, with its thresholds, and one more: plain ones.

What most of a set is (line drawings say little, night photographs are dark) is its nature and no fault of single pictures: such a
check says nothing of samples, see `share_is_nature`.

References:
    CleanVision, https://github.com/cleanlab/cleanvision, `issue_managers/image_property*.py` (definitions and thresholds).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganmedic.data.duplicates import PLAIN
from ganmedic.data.picture import MODES, READ

#: A check that strikes more of the pictures than this describes the set.
_NATURE = 0.5
_DARK, _LIGHT, _BITS, _ASPECT, _SIZE_FACTOR = 0.32, 0.95, 3.0, 0.35, 3.0
#: CleanVision: 1 - exp(-edges / 100) < 0.29.
_EDGES = 34.0
#: and, here, edges by contrast below half of what is usual in the set: a smooth motif is not blurred.
_SOFT = 0.5

LOOKS = ("dark", "light", "low information", "blurry", "odd aspect ratio", "odd size", "constant", "grey among colour")


def looks(records: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """Return the indices of the pictures that each check strikes, the most striking first."""
    read = records["state"] == READ
    if not read.any():
        return {}
    width, height = records["width"].astype(np.float64), records["height"].astype(np.float64)
    with np.errstate(all="ignore"):
        aspect = np.where(read, np.minimum(width / height, height / width), 1.0)
    size = np.sqrt(width * height)
    contrast = records["contrast"].astype(np.float64)
    plain = read & (contrast < PLAIN)
    lively = read & ~plain
    sharpness = np.where(lively, records["blur"] / np.maximum(255 * contrast, 1e-3), np.inf)
    usual = float(np.median(sharpness[lively])) if lively.any() else 0.0
    low, high = np.percentile(size[read], [25, 75])
    reach = _SIZE_FACTOR * (high - low)
    odd_size = read & ((size < low - reach) | (size > high + reach))
    grey = read & np.isin(records["mode"], [MODES.index(mode) for mode in ("1", "L", "LA", "I;16", "I", "F")])
    coloured = read & np.isin(records["mode"], [MODES.index(mode) for mode in ("RGB", "RGBA", "P", "CMYK", "YCbCr")])
    struck = {
        "dark": (lively & (records["dark"] < _DARK), records["dark"]),
        "light": (lively & (records["light"] > _LIGHT), -records["light"].astype(np.float32)),
        "low information": (lively & (records["entropy"] < _BITS), records["entropy"]),
        "blurry": (lively & (records["blur"] < _EDGES) & (sharpness < _SOFT * usual), sharpness),
        "odd aspect ratio": (read & (aspect < _ASPECT), aspect),
        "odd size": (odd_size, -np.abs(size - np.median(size[read]))),
        "constant": (plain, contrast),
        "grey among colour": (grey & bool(coloured.sum() > grey.sum()), width * 0),
    }
    found = {}
    for name, (mask, key) in struck.items():
        places = np.flatnonzero(mask)
        found[name] = places[np.argsort(key[places], kind="stable")]
    return found


def share_is_nature(count: int, total: int) -> bool:
    """Whether a check strikes so much of a set that it describes the set and not single pictures."""
    return count > _NATURE * total
