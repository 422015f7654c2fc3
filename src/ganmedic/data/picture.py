"""What is measured on one picture: a row of numbers, a thumbnail, and the counts of its pixel values.

Every pixel counts for the statistics; all else is taken from a picture that was shrunk once, by whole factors, to 128 to 256
pixels. The definitions of dark, light, uninformative and blurry are those of CleanVision, so that its thresholds apply.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ganmedic.data.hashing import SIDE, digest, perceptual_hashes

#: What is kept of every picture: about 115 bytes.
RECORD = np.dtype(
    [
        ("digest", "u8", (2,)),  # of size, mode and all pixels
        ("phash", "u8"),
        ("luma", "i1", (64,)),  # an 8 x 8 grey thumbnail, its mean taken off, in units of a thirtieth of its spread
        ("width", "u4"),
        ("height", "u4"),
        ("label", "i4"),
        ("mode", "u1"),  # place in MODES
        ("state", "u1"),  # READ, BROKEN
        ("dark", "f2"),  # 99th percentile of the brightness, 0 to 1
        ("light", "f2"),  # 5th percentile
        ("entropy", "f2"),  # bits a pixel
        ("blur", "f2"),  # spread of the edges of the picture at 64 pixels
        ("contrast", "f2"),  # spread of the brightness, 0 to 1
        ("flags", "u1"),
    ]
)
BROKEN, READ = 0, 1
#: Flags of a picture: it says that it is to be turned; some of its pixels are not finite.
TURNED, NONFINITE = 1, 2
MODES = ("?", "1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F", "PA", "HSV", "LAB", "array")
#: Side of the coloured thumbnails from which features are made.
THUMB = 32
_ORIENTATION = 0x0112
_BLUR_SIDE = 64
_ENOUGH_PIXELS = 8192
#: A picture is first shrunk by whole factors to so many times the size that is wanted: twice as fast, and the same to the eye.
_GAP = 2.0
#: How bright red, green and blue are to the eye, as CleanVision weighs them (http://alienryderflex.com/hsp.html).
_BRIGHTNESS = np.array([0.241, 0.691, 0.068]) / 255**2


class Measured:
    """One measured picture."""

    __slots__ = ("counts", "grey", "record", "thumb")

    def __init__(
        self, record: Any, thumb: NDArray[np.uint8], grey: NDArray[np.uint8], counts: dict[int, list[int]]
    ) -> None:
        self.record, self.thumb, self.grey, self.counts = record, thumb, grey, counts


def measure(image: Image.Image, label: int, *, with_counts: bool = True) -> Measured:
    """Measure a picture.

    Args:
        image: the picture, loaded.
        label: its class.
        with_counts: count the pixel values too; not for arrays, whose values are counted all at once.
    """
    record = np.zeros((), RECORD)
    record["width"], record["height"], record["label"], record["state"] = image.width, image.height, label, READ
    record["mode"] = MODES.index(image.mode) if image.mode in MODES else 0
    if "exif" in image.info and image.getexif().get(_ORIENTATION, 1) not in (0, 1):
        record["flags"] |= TURNED
    kind = f"{image.mode} {image.width} {image.height}".encode()
    plain = _eight_bit(image)
    # A palette says little without its colours: two pictures are equal if what they show is.
    record["digest"] = np.frombuffer(digest(plain.tobytes(), kind=kind), np.uint64)
    counts = {len(plain.getbands()): plain.histogram()} if with_counts else {}
    small = plain.convert("RGB") if plain.mode in ("RGBA", "LA") else plain
    factor = min(small.width, small.height) // 128
    if factor > 1:
        small = small.reduce(factor)
    grey = small if small.mode == "L" else small.convert("L")
    _look(record, small, grey)
    thumb = small.resize((THUMB, THUMB), Image.Resampling.BILINEAR, reducing_gap=_GAP)
    hashed = grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=_GAP)
    return Measured(record, np.asarray(thumb.convert("RGB")), np.asarray(hashed), counts)


def finish(records: NDArray[Any], grey: NDArray[np.uint8]) -> None:
    """Fill in what is worked out for many pictures at once: the hash and the small grey thumbnail."""
    if not len(grey):
        return
    read = np.flatnonzero(records["state"] == READ)
    records["phash"][read] = perceptual_hashes(grey)
    blocks = grey.reshape(len(grey), 8, SIDE // 8, 8, SIDE // 8).mean(axis=(2, 4)).reshape(len(grey), 64)
    centred = blocks - blocks.mean(axis=1, keepdims=True)
    spread = np.maximum(centred.std(axis=1, keepdims=True), 1e-6)
    records["luma"][read] = np.clip(np.round(30 * centred / spread), -127, 127)


def from_array(values: NDArray[Any], unscaled: tuple[float, float]) -> Image.Image:
    """Return a picture to look at of a sample (height, width, channels); what is not finite becomes black."""
    if values.dtype != np.uint8:
        low, high = unscaled
        real = np.nan_to_num(values.astype(np.float32), nan=low, posinf=high, neginf=low)
        values = np.clip((real - low) * (255.0 / (high - low)), 0, 255).astype(np.uint8)
    channels = values.shape[-1]
    if channels in (1, 2):
        return Image.fromarray(np.ascontiguousarray(values[..., 0]))
    return Image.fromarray(np.ascontiguousarray(values[..., :3]))


def _eight_bit(image: Image.Image) -> Image.Image:
    """The picture as L, LA, RGB or RGBA."""
    mode = image.mode
    if mode in ("L", "RGB", "RGBA", "LA"):
        return image
    if mode == "1":
        return image.convert("L")
    if mode in ("P", "PA"):
        return image.convert("RGBA" if "transparency" in image.info or mode == "PA" else "RGB")
    if mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        values = np.asarray(image, np.float32)
        low, high = (0.0, 65535.0) if mode != "F" and float(values.max(initial=0)) > 255 else (0.0, 255.0)
        return Image.fromarray(np.clip((values - low) * (255 / (high - low)), 0, 255).astype(np.uint8))
    return image.convert("RGB")


def _look(record: Any, small: Image.Image, grey: Image.Image) -> None:
    """Brightness, information and sharpness."""
    if small.mode == "L":
        shares = np.cumsum(small.histogram()) / (small.width * small.height)
        dark, light = (float(np.searchsorted(shares, level)) / 255 for level in (0.99, 0.05))
        entropy = grey.entropy()
    else:
        pixels = np.asarray(small).reshape(-1, 3)
        # A fair part of the pixels is enough for a percentile; odd, so that no column of the picture is left out for ever.
        pixels = pixels[:: len(pixels) // _ENOUGH_PIXELS | 1]
        bright = np.sqrt((pixels.astype(np.float32) ** 2) @ _BRIGHTNESS.astype(np.float32))
        rank = [int(level * (len(bright) - 1)) for level in (0.05, 0.99)]
        light, dark = (float(value) for value in np.partition(bright, rank)[rank])
        entropy = small.entropy()
    record["dark"], record["light"], record["entropy"] = dark, light, entropy
    ratio = max(grey.size) / _BLUR_SIDE
    tiny = (
        grey.resize((max(int(grey.width // ratio), 1), max(int(grey.height // ratio), 1)), reducing_gap=_GAP)
        if ratio > 1
        else grey
    )
    record["contrast"] = float(np.std(np.asarray(tiny))) / 255
    record["blur"] = float(np.std(np.asarray(tiny.filter(ImageFilter.FIND_EDGES))))
