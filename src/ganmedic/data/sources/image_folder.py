"""A folder of images, with or without a subfolder for each class."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganmedic.data.batches import NO_LABEL, Batch, Broken, EncodedBatch
from ganmedic.data.sources.source import Block, DataError, Source

#: File names that are taken for images. Whether they are is seen when they are opened.
EXTENSIONS = frozenset(
    [
        ".avif",
        ".bmp",
        ".dib",
        ".gif",
        ".jfif",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tga",
        ".tif",
        ".tiff",
        ".webp",
    ]
)
_BLOCK = 64


class Paths:
    """Many paths in little memory: one string of bytes and an offset each, about 30 bytes instead of 150."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q")

    def append(self, path: str) -> None:
        self._bytes += os.fsencode(path)
        self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> str:
        begin = self._ends[index - 1] if index else 0
        return os.fsdecode(bytes(self._bytes[begin : self._ends[index]]))


class ImageFolder(Source):
    """All images below a folder.

    A class is the first folder on the way to an image. A link is followed only where it stays within the folder, and no
    folder is entered through a link.

    Args:
        folder: the folder.
        limit: look at so many images at most.
    """

    kind = "folder of images"
    encoded = True
    # Loaders shuffle files; how a file system sorts them says nothing about the order of training.
    ordered = False

    def __init__(self, folder: str | os.PathLike[str], limit: int | None = None) -> None:
        super().__init__(os.fspath(folder))
        self.folder = os.path.realpath(folder)
        self._paths, self._labels, self._classes = Paths(), array("i"), dict[str, int]()
        self.other_files = 0
        for path in self._walk(self.folder, ""):
            if limit is not None and len(self._paths) >= limit:
                self.notes.append(f"only the first {limit} images were looked at")
                break
            self._paths.append(path)
            self._labels.append(self._label(path))
        if not len(self._paths) and not self.broken:
            raise DataError(
                f"{folder} holds no image: {self.other_files} other files were seen below it. Files named "
                f"{', '.join(sorted(EXTENSIONS)[:6])}, ... are expected. Give the folder that holds them, or a file of data."
            )
        names = tuple(self._classes)
        self.class_names = names if len(names) > 1 else ()
        self.length = len(self._paths)
        if self.other_files:
            self.notes.append(f"{self.other_files} files that are no images by their names were passed over")

    def blocks(self) -> Iterator[Block]:
        labelled = bool(self.class_names)
        for begin in range(0, len(self._paths), _BLOCK):
            end = min(begin + _BLOCK, len(self._paths))
            labels = (
                np.array(self._labels[begin:end], np.int32) if labelled else np.full(end - begin, NO_LABEL, np.int32)
            )
            yield ImageFiles(self.folder, [self._paths[index] for index in range(begin, end)], labels)

    def name(self, index: int) -> str:
        return self._paths[index]

    def _walk(self, folder: str, prefix: str) -> Iterator[str]:
        """Paths of images relative to the folder, sorted within each folder."""
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            self.broken.append(Broken(prefix or self.title, error.strerror or type(error).__name__))
            return
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    yield from self._walk(entry.path, path + os.sep)
            elif os.path.splitext(entry.name)[1].lower() not in EXTENSIONS or entry.name.startswith("._"):
                self.other_files += 1
            elif entry.is_symlink() and not is_within(entry.path, self.folder):
                self.broken.append(Broken(path, "a link that leads out of the folder, or nowhere; it was not followed"))
            elif entry.is_file():
                yield path
            else:
                self.broken.append(Broken(path, "neither a file nor a folder"))

    def _label(self, path: str) -> int:
        first, separator, _ = path.partition(os.sep)
        return self._classes.setdefault(first, len(self._classes)) if separator else NO_LABEL


class ImageFiles(Block):
    """Some files of a folder."""

    def __init__(self, folder: str, paths: list[str], labels: NDArray[np.int32]) -> None:
        self.folder, self.paths, self.labels = folder, paths, labels

    def read(self) -> Iterator[Batch]:
        yield EncodedBatch([os.path.join(self.folder, path) for path in self.paths], self.labels, self.folder)


def is_within(path: str | os.PathLike[str], folder: str) -> bool:
    """Whether `path`, with its links followed, is a file below `folder`."""
    real = Path(os.path.realpath(path))
    return real.is_relative_to(folder) and real.exists()
