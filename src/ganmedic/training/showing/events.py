"""Event files that a stock TensorBoard opens, written without the tensorboard package.

A file of events is a TFRecord of `tf.compat.v1.Event` messages; those protocol buffers belong to TensorFlow itself, whereas
`tf.summary.scalar` needs tensorboard to be installed.
"""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

_BUCKETS = 30
_FILES = itertools.count()


class EventFile:
    """One file of events in a folder, which may hold those of earlier parts of the run.

    TensorBoard forgets what earlier files tell of the first step and those after it, so that a run that was taken up again at a
    checkpoint shows each step once.

    Args:
        folder: is created where it is missing.
        first_step: the first step that is told of here.

    Raises:
        OSError: the folder cannot be written to.
    """

    def __init__(self, folder: str | os.PathLike[str], first_step: int) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}.{next(_FILES)}"
        self.path = Path(folder) / name
        try:
            self._writer = tf.io.TFRecordWriter(str(self.path))
            self._write(tf.compat.v1.Event(wall_time=time.time(), file_version="brain.Event:2"))
            log = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
            self._write(tf.compat.v1.Event(wall_time=time.time(), step=first_step, session_log=log))
            self.flush()
        except tf.errors.OpError as error:
            raise OSError(
                f"Cannot write events to '{folder}': {error.message}. Give a folder that can be written to."
            ) from error

    def scalars(self, step: int, values: Mapping[str, float], wall_time: float | None = None) -> None:
        """Adds numbers by their tags.

        Args:
            step: that they are of.
            values: finite or not.
            wall_time: seconds since 1970; now without it.
        """
        told = [tf.compat.v1.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._add(step, told, wall_time)

    def histograms(self, step: int, arrays: Mapping[str, ArrayLike]) -> None:
        """Adds the distribution of what is finite in each array, by its tag; one without a finite entry is left out."""
        told = []
        for tag, array in arrays.items():
            values = np.asarray(array, np.float64).ravel()
            values = values[np.isfinite(values)]
            if values.size:
                told.append(tf.compat.v1.Summary.Value(tag=tag, histo=_histogram(values)))
        self._add(step, told, None)

    def image(self, step: int, tag: str, png: bytes, width: int, height: int) -> None:
        """Adds a picture: PNG with its size in pixels."""
        image = tf.compat.v1.Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png)
        self._add(step, [tf.compat.v1.Summary.Value(tag=tag, image=image)], None)

    def flush(self) -> None:
        """Hands all of it to the operating system."""
        self._writer.flush()

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()

    def _add(self, step: int, values: list[Any], wall_time: float | None) -> None:
        if values:
            now = time.time() if wall_time is None else wall_time
            self._write(tf.compat.v1.Event(wall_time=now, step=step, summary=tf.compat.v1.Summary(value=values)))

    def _write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())


def _histogram(values: Any) -> Any:
    counts, edges = np.histogram(values, _BUCKETS)
    return tf.compat.v1.HistogramProto(
        min=values.min(),
        max=values.max(),
        num=values.size,
        sum=values.sum(),
        sum_squares=np.square(values).sum(),
        # The first limit is the lower end of the first bucket, which nothing lies below.
        bucket_limit=edges,
        bucket=[0, *counts],
    )
