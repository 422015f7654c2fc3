"""TFRecord files of `tf.train.Example`, read without TensorFlow.

A record is its length (8 bytes), a checksum of the length, the data, and a checksum of the data; checksums are CRC-32C, turned
by 15 bits and shifted (https://www.tensorflow.org/tutorials/load_data/tfrecord, "TFRecords format details").
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Any

from ganmedic.data.batches import Batch, Broken
from ganmedic.data.sources.examples import Reader, sniff
from ganmedic.data.sources.needs import need
from ganmedic.data.sources.source import Block, DataError, Source

_BLOCK_RECORDS, _BLOCK_BYTES = 256, 8 << 20
#: A record of more bytes is taken for a damaged length.
_MOST_RECORD_BYTES = 1 << 30
_HEAD = struct.Struct("<QI")
_FOOT = struct.Struct("<I")
_PEEKED = 64


class TFRecords(Source):
    """TFRecord files.

    Args:
        files: the files, in order.
        title: what to call them.
        class_names: names of the classes, where a description beside the files tells them.
        limit: look at so many samples at most.
    """

    kind = "TFRecord"
    encoded = True

    def __init__(
        self, files: Sequence[str], *, title: str, class_names: Sequence[str] = (), limit: int | None = None
    ) -> None:
        super().__init__(title)
        need("google.protobuf", "Reading TFRecord files")
        need("google_crc32c", "Checking TFRecord files")
        self.files, self._limit = [os.path.abspath(file) for file in files], limit
        first = self._first_records()
        self.reader: Reader = sniff(first, title)
        self.content, self.encoded = self.reader.content, self.reader.encoded
        self.class_names = tuple(class_names)
        self.notes += self.reader.notes
        self._starts: list[tuple[int, str]] = []

    def blocks(self) -> Iterator[Block]:
        left = self._limit
        self._starts, count = [], 0
        for file in self.files:
            self._starts.append((count, os.path.basename(file)))
            if is_compressed(file):
                yield Records(file, 0, left, self.reader)
                continue
            for offset, records in _frames(file):
                if left is not None:
                    records = min(records, left)
                    left -= records
                yield Records(file, offset, records, self.reader)
                count += records
                if left == 0:
                    return

    def name(self, index: int) -> str:
        for begin, file in reversed(self._starts):
            if index >= begin:
                return f"{file}, record {index - begin}"
        return super().name(index)

    def _first_records(self) -> list[bytes]:
        found: list[bytes] = []
        for file in self.files:
            for record in read_records(file, 0, _PEEKED):
                if not isinstance(record, Broken):
                    found.append(record)
            if found:
                return found
        raise DataError(
            f"{self.title} holds no readable record. TFRecord files of tf.train.Example are expected; "
            "write them again with tf.io.TFRecordWriter."
        )


class Records(Block):
    """Some records that follow one another in a file."""

    def __init__(self, file: str, offset: int, count: int | None, reader: Reader) -> None:
        self.file, self.offset, self.count, self.reader = file, offset, count, reader

    def read(self) -> Iterator[Batch]:
        kept: list[bytes] = []
        for record in read_records(self.file, self.offset, self.count):
            if isinstance(record, Broken):
                yield record
                continue
            kept.append(record)
            if len(kept) == _BLOCK_RECORDS:
                yield from self.reader.batches(kept)
                kept = []
        if kept:
            yield from self.reader.batches(kept)


def read_records(file: str, offset: int, count: int | None) -> Iterator[bytes | Broken]:
    """Yield `count` records from `offset` on (all of them: `None`); a damaged one as `Broken`, behind which nothing is read."""
    google_crc32c = need("google_crc32c", "Checking TFRecord files")
    name = os.path.basename(file)
    number = 0
    try:
        with _open(file) as stream:
            stream.seek(offset)
            while count is None or number < count:
                head = stream.read(_HEAD.size)
                if not head:
                    return
                place = f"{name}, at byte {offset}"
                if len(head) < _HEAD.size:
                    yield Broken(place, "the file is cut off")
                    return
                length, check = _HEAD.unpack(head)
                if masked(google_crc32c.value(head[:8])) != check or length > _MOST_RECORD_BYTES:
                    yield Broken(place, "the length of a record is damaged; the rest of the file cannot be read")
                    return
                data = stream.read(length)
                foot = stream.read(_FOOT.size)
                if len(data) < length or len(foot) < _FOOT.size:
                    yield Broken(place, "the file is cut off")
                    return
                if masked(google_crc32c.value(data)) != _FOOT.unpack(foot)[0]:
                    yield Broken(place, "the data of a record is damaged (its checksum differs)")
                else:
                    yield data
                offset += _HEAD.size + length + _FOOT.size
                number += 1
    except (OSError, EOFError, zlib.error) as error:
        yield Broken(name, str(error) or type(error).__name__)


def masked(checksum: int) -> int:
    """The checksum as a TFRecord holds it."""
    return (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def is_compressed(file: str) -> bool:
    """Whether the file is compressed with gzip."""
    try:
        with open(file, "rb") as stream:
            return stream.read(2) == b"\x1f\x8b"
    except OSError:
        return False


def _open(file: str) -> IO[bytes]:
    return gzip.open(file, "rb") if is_compressed(file) else open(file, "rb", buffering=1 << 20)  # type: ignore[return-value]


def _frames(file: str) -> Iterator[tuple[int, int]]:
    """Where blocks of records begin in a file, and how many records each holds; damage is found when they are read."""
    size = os.path.getsize(file)
    begin = offset = records = 0
    with open(file, "rb") as stream:
        while offset < size:
            stream.seek(offset)
            head = stream.read(_HEAD.size)
            length: Any = _HEAD.unpack(head)[0] if len(head) == _HEAD.size else size
            records += 1
            offset += _HEAD.size + length + _FOOT.size
            if records == _BLOCK_RECORDS or offset - begin > _BLOCK_BYTES or offset >= size:
                yield begin, records
                begin, records = offset, 0
