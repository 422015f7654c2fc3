"""Opens one picture that nobody vouches for: bombs, broken files and links are refused with a reason, never fatal."""

from __future__ import annotations

import io
import os
import stat
import warnings

from PIL import Image, ImageFile

#: A picture of more pixels is not unpacked: 100 million (10,000 x 10,000) take 300 MB.
MOST_PIXELS = 100_000_000
#: A larger file is not read.
MOST_BYTES = 512 << 20
#: Decoders that are asked. Formats that run other programs (EPS) or hold documents (PDF, WMF) are not among them.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "TGA", "AVIF", "MPO")

# What is cut off is to be named, not filled up with grey.
ImageFile.LOAD_TRUNCATED_IMAGES = False


class UnreadableError(Exception):
    """A picture cannot be read; the message says why."""


def read_file(path: str, folder: str) -> bytes:
    """Return the bytes of a file below `folder`.

    Raises:
        UnreadableError: it lies outside (through a link), is no regular file, is too large, or cannot be read.
    """
    try:
        if os.path.islink(path) and not os.path.realpath(path).startswith(os.path.join(folder, "")):
            raise UnreadableError("a link that leads out of the folder; it was not followed")
        # Without blocking: a pipe that nobody writes to would never open.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as stream:
            state = os.fstat(stream.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise UnreadableError("no regular file")
            if state.st_size > MOST_BYTES:
                raise UnreadableError(f"a file of {state.st_size >> 20} MB; at most {MOST_BYTES >> 20} MB are read")
            return stream.read()
    except OSError as error:
        raise UnreadableError(error.strerror or type(error).__name__) from error


def decode(data: bytes) -> Image.Image:
    """Return the picture with all its pixels.

    Raises:
        UnreadableError: it is no image, is cut off or damaged, or would unpack to more than `MOST_PIXELS`.
    """
    if not data:
        raise UnreadableError("an empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # The size is looked at before a pixel is unpacked.
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise UnreadableError(
                    f"{width} x {height} pixels from {len(data):,} bytes; more than {MOST_PIXELS:,} are not unpacked"
                )
            image.load()
    except UnreadableError:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableError(f"too many pixels to unpack: {error}") from error
    except KeyError as error:  # Pillow was built without one of the formats, and none of the others knows the file
        raise UnreadableError("no image of a known format") from error
    except Exception as error:  # decoders raise whatever they like on damaged files
        raise UnreadableError(_reason(error)) from error
    return image


def _reason(error: Exception) -> str:
    text = str(error).split(" <_io.BytesIO")[0]
    if "cannot identify image file" in text:
        return "no image of a known format"
    return f"{text or type(error).__name__}"[:200]
