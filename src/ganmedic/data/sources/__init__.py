"""Where data comes from: one file a kind. `open_source` tells the kind from a path or an object."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ganmedic.data.sources.source import Block, DataError, Source

__all__ = ["Block", "DataError", "Source", "open_source"]


def open_source(data: Any, labels: Any = None, *, limit: int | None = None) -> Source:
    """Return the source of some data.

    Args:
        data: a path (folder of images, `.npy`, `.npz`, `.csv`, `.tsv`, `.parquet`, `.arrow`, TFRecord, a folder of Hugging
            Face or TensorFlow Datasets), a NumPy array, a `tf.data.Dataset`, or an iterable of batches.
        labels: classes of the samples, for an array in memory.
        limit: look at so many samples at most.

    Raises:
        DataError: there is nothing there, it is of no known kind, or it cannot be read.
    """
    if limit is not None and limit < 1:
        raise DataError(f"limit is {limit}; a whole number from 1 on is expected.")
    if isinstance(data, (str, os.PathLike)):
        return _open_path(os.fspath(data), limit)
    if isinstance(data, np.ndarray):
        from ganmedic.data.sources.arrays import Arrays

        return Arrays(data, labels, limit=limit)
    if hasattr(data, "__iter__") or hasattr(data, "__getitem__"):
        from ganmedic.data.sources.tf_dataset import Batches

        return Batches(data, limit=limit)
    raise DataError(
        f"{type(data).__name__} was given. A path, a NumPy array, a tf.data.Dataset or an iterable of batches is expected."
    )


def _open_path(path: str, limit: int | None) -> Source:
    if not os.path.exists(path):
        raise DataError(f"There is no {path}. A folder or a file of data is expected. Check the path.")
    if os.path.isdir(path):
        from ganmedic.data.sources.folders_of_records import open_records_folder
        from ganmedic.data.sources.image_folder import ImageFolder

        return open_records_folder(path, limit) or ImageFolder(path, limit)
    name = os.path.basename(path).lower()
    if name.endswith((".npy", ".npz")):
        from ganmedic.data.sources.arrays import Npz, open_npy

        return Npz(path, limit) if name.endswith(".npz") else open_npy(path, limit)
    if name.endswith((".csv", ".tsv")):
        from ganmedic.data.sources.tables import open_csv

        return open_csv(path, limit)
    if name.endswith((".parquet", ".pq")):
        from ganmedic.data.sources.tables import open_parquet

        return open_parquet([path], title=path, kind="Parquet table", limit=limit)
    if name.endswith((".arrow", ".feather")):
        from ganmedic.data.sources.tables import open_arrow

        return open_arrow([path], title=path, kind="Arrow table", limit=limit)
    if ".tfrecord" in name:
        from ganmedic.data.sources.tfrecord import TFRecords

        return TFRecords([path], title=path, limit=limit)
    if name.endswith((".pkl", ".pickle", ".pt", ".pth", ".joblib")):
        raise DataError(
            f"{path} is a pickle, which can run any program when it is loaded; it is not opened. Save an .npz instead."
        )
    raise DataError(
        f"{path} is of no known kind. A folder of images, .npy, .npz, .csv, .tsv, .parquet, .arrow, .tfrecord, or a folder of "
        "Hugging Face or TensorFlow Datasets is expected."
    )
