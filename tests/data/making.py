"""Small data sets for the tests of the audit."""

from __future__ import annotations

import struct
from pathlib import Path

import google_crc32c
import numpy as np
from PIL import Image

from ganmedic.data.sources.examples import _example
from ganmedic.data.sources.tfrecord import masked


def photographs(count: int, side: int = 48, seed: int = 0) -> list[Image.Image]:
    """Pictures that differ, with soft and sharp structure: coloured rectangles over a gradient."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        rough = random.integers(0, 256, (6, 6, 3)).astype(np.uint8)
        image = Image.fromarray(rough).resize((side, side), Image.Resampling.BICUBIC)
        for _ in range(4):
            left, top = (int(end) for end in random.integers(0, side * 3 // 4, 2))
            colour = tuple(int(one) for one in random.integers(0, 256, 3))
            image.paste(colour, (left, top, left + side // 4, top + side // 5))
        made.append(image)
    return made


def array(count: int = 60, side: int = 48, seed: int = 0) -> np.ndarray:
    return np.stack([np.asarray(one) for one in photographs(count, side, seed)])


def folder(path: Path, images: list[Image.Image], classes: int = 1) -> Path:
    """Save pictures as PNG, in as many subfolders as there are classes."""
    for number, image in enumerate(images):
        home = path / f"c{number % classes}" if classes > 1 else path
        home.mkdir(parents=True, exist_ok=True)
        image.save(home / f"{number:03}.png")
    return path


def slugs(audit) -> set[str]:
    return {finding.slug for finding in audit.findings}


def finding(audit, slug: str):
    found = [one for one in audit.findings if one.slug == slug]
    assert len(found) == 1, f"{slug} was expected once among {[one.slug for one in audit.findings]}"
    return found[0]


def example(**features) -> bytes:
    """A serialised tf.train.Example."""
    message = _example()()
    for name, value in features.items():
        kind = (
            "bytes_list" if isinstance(value[0], bytes) else "int64_list" if isinstance(value[0], int) else "float_list"
        )
        getattr(message.features.feature[name], kind).value.extend(value)
    return message.SerializeToString()


def tfrecord(path: Path, records: list[bytes]) -> Path:
    with open(path, "wb") as stream:
        for record in records:
            head = struct.pack("<Q", len(record))
            stream.write(head + struct.pack("<I", masked(google_crc32c.value(head))))
            stream.write(record + struct.pack("<I", masked(google_crc32c.value(record))))
    return path
