"""Which samples make up which batch: worked out from the seed and the step, so that any step can be the next one."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ganmedic import checking
from ganmedic.training.reading import Samples

_ORDER, _MIRROR = 0, 1


class Batches:
    """Batches of a data set without end: every epoch is a permutation of it, drawn by Philox from seed and epoch.

    Args:
        samples: the data set.
        batch_size: samples in a batch, of all workers together.
        seed: of the order.
        mirror: whether half of the images are mirrored left and right, at random.
        worker, workers: which part of each batch this process takes, and how many there are.

    Raises:
        ValueError: the batch cannot be dealt out to the workers.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        *,
        seed: int = 0,
        mirror: bool = False,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        self.samples, self.seed = samples, seed
        self.batch_size = checking.whole("Batches", "batch_size", batch_size)
        if self.batch_size % workers:
            raise ValueError(
                f"A batch of {batch_size} samples cannot be dealt out to {workers} workers alike. Take a multiple of {workers}."
            )
        self.mirror = mirror and samples.values.ndim == 4
        part = self.batch_size // workers
        self._mine = slice(worker * part, (worker + 1) * part)
        self._orders: dict[int, NDArray[np.int64]] = {}

    def indices(self, step: int) -> NDArray[np.int64]:
        """Which samples are in batch `step`, counted from 0; (batch,), of all workers."""
        count = len(self.samples.values)
        places = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs = places // count
        found = np.empty(len(places), np.int64)
        for epoch in np.unique(epochs):
            there = epochs == epoch
            found[there] = self._order(int(epoch))[places[there] % count]
        return found

    def at(self, step: int) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Samples and labels of this worker's part of a batch; labels are 0 where there are none."""
        chosen = self.indices(step)[self._mine]
        values = np.asarray(self.samples.values[chosen])
        if self.mirror:
            turned = _drawn(self.seed, _MIRROR, step).random(self.batch_size)[self._mine] < 0.5
            values = np.where(turned[:, None, None, None], values[:, :, ::-1], values)
        labels = self.samples.labels
        return values, np.zeros(len(chosen), np.int32) if labels is None else labels[chosen].astype(np.int32)

    def dataset(self, start: int, stop: int, replicas: int = 1) -> Any:
        """A `tf.data.Dataset` of this worker's part of the batches from `start` to before `stop`.

        Args:
            start, stop: steps, counted from 0.
            replicas: into how many elements each part is cut, one for each device of the worker.
        """
        values = self.samples.values
        kind = tf.as_dtype(values.dtype)
        labelled = self.samples.labels is not None
        size = self._mine.stop - self._mine.start

        def read(step: Any) -> Any:
            drawn, labels = tf.numpy_function(lambda n: self.at(int(n)), [step], [kind, tf.int32], stateful=False)
            drawn = tf.ensure_shape(drawn, [size, *values.shape[1:]])
            return (drawn, tf.ensure_shape(labels, [size])) if labelled else drawn

        options = tf.data.Options()
        # Every worker reads its own part already.
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
        options.deterministic = True
        dataset = tf.data.Dataset.range(start, stop).map(read)
        if replicas > 1:
            dataset = dataset.rebatch(size // replicas, drop_remainder=True)
        return dataset.prefetch(2 * replicas).with_options(options)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if epoch not in self._orders:
            if len(self._orders) > 1:
                del self._orders[min(self._orders)]
            self._orders[epoch] = _drawn(self.seed, _ORDER, epoch).permutation(len(self.samples.values))
        return self._orders[epoch]


def _drawn(seed: int, stream: int, number: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array([seed, stream], np.uint64), counter=[0, 0, 0, number]))
