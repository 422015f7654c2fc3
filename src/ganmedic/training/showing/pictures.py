"""Images in a grid, as large as a person needs them, with what is not finite marked."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganmedic import __version__, checking
from ganmedic.report.visible import visible
from ganmedic.training.showing.needs import need
from ganmedic.training.showing.replacing import replaced

if TYPE_CHECKING:
    from PIL.Image import Image

#: A colour that hardly occurs in data: pixels that are NaN or infinite.
NOT_FINITE = (255, 0, 255)
_BACKGROUND = 222
_GUTTER = 2
#: Images are enlarged by whole factors while a side stays below this, in pixels.
_SMALLEST_SIDE = 64
#: The grid is shrunk by whole factors until no side is longer, in pixels.
_LARGEST_GRID = 4096
_FONT = 11
_STRIP = 15
#: Behind transparent pixels lies a chessboard of these greys, its fields so many pixels wide.
_CHESSBOARD, _FIELD = (255, 204), 4


def grid(
    samples: ArrayLike,
    columns: int | None = None,
    value_range: tuple[float, float] | None = None,
    labels: Sequence[Any] | None = None,
) -> Image:
    """Puts images side by side.

    Small images are enlarged by a whole factor, pixel by pixel, grids beyond 4096 pixels are shrunk by one. Two channels are
    grey and opacity, four are colours and opacity; a chessboard shows through. Pixels that are NaN or infinite are magenta.

    Args:
        samples: array (n, height, width, channels) or (n, height, width) with 1 to 4 channels, of uint8, of bool, or of another type
            with a `value_range`.
        columns: images in a row; by default as many as rows.
        value_range: (black, white); what lies beyond is cut off. (0, 255) for uint8 where it is not given.
        labels: one for each image, written above it.

    Returns:
        The grid in RGB. Its `info` has `clipped` and `not_finite`, the shares of the values that were cut off and marked.

    Raises:
        ValueError: these are no images, there is none, the range of floats is missing, or the labels are not as many.
        ImportError: Pillow is missing.

    Example:
        >>> picture = grid(np.array([0.0, 0.5, 1.0, 1.5]).reshape(4, 1, 1, 1), value_range=(0, 1))
        >>> picture.size, picture.info["clipped"], picture.getpixel((70, 70))
        ((134, 134), 0.25, (255, 255, 255))
    """
    images = _images(samples)
    low, high = _range(images, value_range)
    if labels is not None and len(labels) != len(images):
        raise ValueError(f"grid: {len(labels)} labels came for {len(images)} images. Give one for each image, or none.")
    count, height, width, _ = images.shape
    across = math.ceil(math.sqrt(count)) if columns is None else checking.whole("grid", "columns", columns)
    across = min(across, count)
    down = math.ceil(count / across)
    pixels, clipped, bad = _pixels(images, low, high)
    factor = max(1, _SMALLEST_SIDE // max(height, width))
    shrinking = math.ceil(max(across * width * factor, down * height * factor) / _LARGEST_GRID)
    pixels = pixels.repeat(factor, axis=1).repeat(factor, axis=2)
    return _laid_out(pixels, across, down, shrinking, labels, {"clipped": clipped, "not_finite": bad})


def save_grid(
    path: str | os.PathLike[str],
    samples: ArrayLike,
    columns: int | None = None,
    value_range: tuple[float, float] | None = None,
    labels: Sequence[Any] | None = None,
    *,
    step: int | None = None,
    seed: int | None = None,
) -> float:
    """Writes a grid as PNG, all of it or nothing.

    Args:
        path: of the PNG; its folder exists.
        samples, columns, value_range, labels: those of `grid`.
        step: the training step that the samples are from, kept in the file.
        seed: the seed they were made with, kept in the file.

    Returns:
        The share of the values that lay beyond the range and was cut off; the file has it too, beside the share that is not finite.

    Raises:
        ValueError, ImportError: those of `grid`.
        OSError: the file cannot be written.
    """
    picture = grid(samples, columns, value_range, labels)
    with replaced(path) as temporary:
        save_png(picture, temporary, step=step, seed=seed)
    return float(picture.info["clipped"])


def save_png(picture: Image, target: Any, *, step: int | None = None, seed: int | None = None) -> None:
    """Writes a picture of `grid` as PNG to a path or a binary stream, with what is known of it as text inside."""
    told = need("PIL.PngImagePlugin", "A grid of images").PngInfo()
    for name, value in metadata(step, seed).items():
        told.add_text(name, value)
    for name in ("clipped", "not_finite"):
        told.add_text(name, f"{picture.info[name]:.6g}")
    picture.save(target, format="PNG", pnginfo=told)


def metadata(step: int | None, seed: int | None) -> dict[str, str]:
    """What every PNG of a run carries as text: the software, the step, the seed."""
    known = {"Software": f"ganmedic {__version__}", "step": step, "seed": seed}
    return {name: str(value) for name, value in known.items() if value is not None}


def data_range(samples: ArrayLike, normalisation: Any = None) -> tuple[float, float]:
    """The range to show samples in: their type's for uint8, the data's where a normalisation knows it, else the samples' own ends.

    Args:
        samples: array of samples in the units of the data.
        normalisation: `ganmedic.data.Normalisation` of the data, or None.
    """
    values = np.asarray(samples)
    if values.dtype == np.uint8:
        return 0.0, 255.0
    if normalisation is not None:
        ends = normalisation.source_range or (min(normalisation.minimum), max(normalisation.maximum))
        low, high = float(ends[0]), float(ends[1])
    else:
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (low, high) if low < high else (low - 0.5, low + 0.5)


def _images(samples: ArrayLike) -> NDArray[Any]:
    images = np.asarray(samples)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or not images.size or images.dtype.kind not in "buif" or not 1 <= images.shape[-1] <= 4:
        raise ValueError(
            f"grid: an array {images.shape} of {images.dtype} came; images (n, height, width, channels) of real numbers with 1 to 4 "
            "channels are expected, at least one. Put the channels on the last axis, or choose some: samples[..., :3]."
        )
    return images


def _range(images: NDArray[Any], value_range: tuple[float, float] | None) -> tuple[float, float]:
    if value_range is None:
        if images.dtype == np.uint8:
            return 0.0, 255.0
        if images.dtype == np.bool_:
            return 0.0, 1.0
        raise ValueError(
            f"grid: images of {images.dtype} came without a value_range; what is black and what is white must be known. "
            "Give it: value_range=(-1, 1) for a generator that ends in tanh, (0, 255) for the units of 8-bit images."
        )
    low, high = (float(end) for end in value_range)
    if not (math.isfinite(high - low) and low < high):
        raise ValueError(
            f"grid: value_range is {value_range!r}; two finite numbers, the lower one first, are expected. Give (black, white)."
        )
    return low, high


def _pixels(images: NDArray[Any], low: float, high: float) -> tuple[NDArray[np.uint8], float, float]:
    """RGB pixels, the share of the values that was cut off, and the share that is not finite."""
    if images.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        return _colours(images), 0.0, 0.0
    values = (images.astype(np.float64) - low) / (high - low)
    finite = np.isfinite(values)
    # What rounding added to a value at the very end is not beyond the range.
    beyond = finite & ((values < -1e-6) | (values > 1 + 1e-6))
    bytes_ = np.rint(np.clip(np.where(finite, values, 0.0), 0.0, 1.0) * 255).astype(np.uint8)
    colours = _colours(bytes_)
    colours[~finite.all(axis=-1)] = NOT_FINITE
    return colours, float(beyond.mean()), float((~finite).mean())


def _colours(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    channels = pixels.shape[-1]
    colours = pixels[..., :3] if channels > 2 else pixels[..., :1].repeat(3, axis=-1)
    if channels in (1, 3):
        return colours.copy()
    rows, across = np.ogrid[: pixels.shape[1], : pixels.shape[2]]
    behind = np.where((rows // _FIELD + across // _FIELD) % 2, *_CHESSBOARD)[None, ..., None]
    opacity = pixels[..., -1:] / 255.0
    return np.rint(colours * opacity + behind * (1 - opacity)).astype(np.uint8)


def _laid_out(
    pixels: NDArray[np.uint8],
    across: int,
    down: int,
    shrinking: int,
    labels: Sequence[Any] | None,
    info: dict[str, float],
) -> Image:
    image = need("PIL.Image", "A grid of images")
    cells = [image.fromarray(cell) for cell in pixels]
    if shrinking > 1:
        cells = [cell.reduce(shrinking) for cell in cells]
    width, height = cells[0].size
    strip = _STRIP if labels is not None else 0
    # Colours cannot be compared where bright frames meet them, hence the plain grey between.
    size = (across * (width + _GUTTER) + _GUTTER, down * (height + strip + _GUTTER) + _GUTTER)
    picture: Image = image.new("RGB", size, (_BACKGROUND,) * 3)
    corners = [
        (_GUTTER + place % across * (width + _GUTTER), _GUTTER + place // across * (height + strip + _GUTTER))
        for place in range(len(cells))
    ]
    for cell, (left, top) in zip(cells, corners, strict=True):
        picture.paste(cell, (left, top + strip))
    if labels is not None:
        _write(picture, [visible(str(label)) for label in labels], corners, width)
    picture.info.update(info)
    return picture


def _write(picture: Image, labels: Sequence[str], corners: Sequence[tuple[int, int]], width: int) -> None:
    pen = need("PIL.ImageDraw", "A label").Draw(picture)
    font = need("PIL.ImageFont", "A label").load_default(_FONT)
    for label, (left, top) in zip(labels, corners, strict=True):
        text = label
        while text and pen.textlength(text, font=font) > width:
            text = f"{text.rstrip('…')[:-1]}…" if len(text) > 2 else ""
        pen.text((left + 1, top + 1), text, fill=(32, 32, 32), font=font)
