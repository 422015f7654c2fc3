"""What lies in a `tf.train.Example`: which feature holds the picture, which the class, and which are numbers.

The messages are those of tensorflow/core/example/example.proto and feature.proto, described here to the protobuf library, so that
TensorFlow is not needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np

from ganmedic.data.batches import NO_LABEL, ArrayBatch, Batch, Broken, EncodedBatch, TableBatch, no_labels
from ganmedic.data.sources.source import DataError

#: How the formats that are decoded begin.
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF", b"II*\x00", b"MM\x00*")
_LABELS = ("label", "image/class/label", "labels", "class", "target", "y", "image/label", "category")
_SIDES = (("height", "width"), ("image/height", "image/width"), ("rows", "cols"))


@cache
def _example() -> Any:
    """The class of the message Example."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="ganmedic_example.proto", package="ganmedic", syntax="proto3")
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, kind in (
        ("BytesList", kinds.TYPE_BYTES),
        ("FloatList", kinds.TYPE_FLOAT),
        ("Int64List", kinds.TYPE_INT64),
    ):
        made = file.message_type.add(name=name)
        made.field.add(name="value", number=1, type=kind, label=kinds.LABEL_REPEATED)
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(("bytes_list", "float_list", "int64_list"), start=1):
        type_name = f".ganmedic.{''.join(part.title() for part in name.split('_'))}"
        feature.field.add(
            name=name,
            number=number,
            type=kinds.TYPE_MESSAGE,
            type_name=type_name,
            oneof_index=0,
            label=kinds.LABEL_OPTIONAL,
        )
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
    entry.field.add(
        name="value", number=2, type=kinds.TYPE_MESSAGE, type_name=".ganmedic.Feature", label=kinds.LABEL_OPTIONAL
    )
    features.field.add(
        name="feature",
        number=1,
        type=kinds.TYPE_MESSAGE,
        type_name=".ganmedic.Features.FeatureEntry",
        label=kinds.LABEL_REPEATED,
    )
    example = file.message_type.add(name="Example")
    example.field.add(
        name="features", number=1, type=kinds.TYPE_MESSAGE, type_name=".ganmedic.Features", label=kinds.LABEL_OPTIONAL
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("ganmedic.Example"))


def parse(record: bytes) -> dict[str, Any]:
    """Return the features of a record: lists of bytes, floats or whole numbers.

    Raises:
        ValueError: the record is no Example.
    """
    from google.protobuf.message import DecodeError

    message = _example()()
    try:
        message.ParseFromString(record)
    except DecodeError as error:
        raise ValueError("a record that is no tf.train.Example") from error
    found = {}
    for name, feature in message.features.feature.items():
        kind = feature.WhichOneof("kind")
        if kind is not None:
            found[name] = list(getattr(feature, kind).value)
    return found


class Reader:
    """How the records of one data set are understood; it goes along to the workers.

    Attributes:
        content: ``pictures`` or ``table``.
        encoded: whether the pictures are files (JPEG, PNG, ...).
        notes: what was assumed.
    """

    def __init__(
        self,
        content: Literal["pictures", "table"],
        *,
        image: str = "",
        label: str = "",
        shape: tuple[int, ...] = (),
        columns: Sequence[tuple[str, int]] = (),
    ) -> None:
        self.content, self.image, self.label, self.shape, self.columns = content, image, label, shape, tuple(columns)
        self.encoded = content == "pictures" and not shape
        what = (
            f"pictures in {image!r}" if image else f"numbers in {', '.join(repr(name) for name, _ in self.columns[:6])}"
        )
        self.notes = [f"read as {what}" + (f", classes in {label!r}" if label else "")]

    def batches(self, records: Sequence[bytes]) -> Iterator[Batch]:
        """Put records into the form that is measured."""
        found: list[dict[str, Any]] = []
        for record in records:
            try:
                features = parse(record)
                self._check(features)
            except ValueError as error:
                yield Broken("a record", str(error))
                continue
            found.append(features)
        if not found:
            return
        labels = no_labels(len(found))
        if self.label:
            labels[:] = [_label(features.get(self.label)) for features in found]
        if self.encoded:
            yield EncodedBatch([features[self.image][0] for features in found], labels)
        elif self.content == "pictures":
            data = b"".join(features[self.image][0] for features in found)
            yield ArrayBatch(np.frombuffer(data, np.uint8).reshape(len(found), *self.shape), labels)
        else:
            names = tuple(
                f"{name}[{place}]" if width > 1 else name for name, width in self.columns for place in range(width)
            )
            rows = [[number for name, _ in self.columns for number in features[name]] for features in found]
            yield TableBatch(np.asarray(rows, np.float64), names, labels)

    def _check(self, features: dict[str, Any]) -> None:
        if self.image:
            value = features.get(self.image)
            if not value or not isinstance(value[0], bytes):
                raise ValueError(f"a record without {self.image!r}")
            if self.shape and len(value[0]) != math.prod(self.shape):
                raise ValueError(f"{len(value[0])} bytes in {self.image!r}, {math.prod(self.shape)} were expected")
        for name, width in self.columns:
            if len(features.get(name, ())) != width:
                raise ValueError(f"{len(features.get(name, ()))} numbers in {name!r}, {width} were expected")


def sniff(records: Sequence[bytes], title: str) -> Reader:
    """Work out from the first records how to read them all.

    Raises:
        DataError: they hold neither pictures nor numbers.
    """
    try:
        first = parse(records[0])
    except ValueError as error:
        raise DataError(f"{title}: {error}. Records of tf.train.Example are expected.") from error
    label = next((name for name in _LABELS if name in first and len(first[name]) == 1), "")
    named = sorted(first.items(), key=lambda item: (not item[0].startswith("image"), item[0]))
    raw = [(name, value[0]) for name, value in named if len(value) == 1 and isinstance(value[0], bytes)]
    for name, data in raw:
        if data.startswith(_MAGIC):
            return Reader("pictures", image=name, label=label)
    for name, data in raw:
        shape = _shape(first, len(data))
        if shape:
            return Reader("pictures", image=name, label=label, shape=shape)
    columns = [
        (name, len(value)) for name, value in named if value and isinstance(value[0], (int, float)) and name != label
    ]
    if columns:
        return Reader("table", label=label, columns=columns)
    raise DataError(
        f"{title} holds the features {', '.join(sorted(first)) or '(none)'}, in which neither an encoded picture, nor bytes of a "
        "known height and width, nor numbers were found. Write pictures with tf.io.encode_png, or numbers as a float_list."
    )


def _shape(features: dict[str, Any], size: int) -> tuple[int, int, int] | None:
    for height_name, width_name in _SIDES:
        if height_name in features and width_name in features:
            height, width = int(features[height_name][0]), int(features[width_name][0])
            if height > 0 and width > 0 and size in (height * width, 3 * height * width, 4 * height * width):
                return height, width, size // (height * width)
    for channels in (1, 3):
        side = math.isqrt(size // channels)
        if side >= 16 and side * side * channels == size:
            return side, side, channels
    return None


def _label(value: Any) -> int:
    if not value or not isinstance(value[0], int) or not 0 <= value[0] < 2**31:
        return NO_LABEL
    return int(value[0])
