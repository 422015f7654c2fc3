"""What happens once an epoch, wherever Keras sees the end of one."""

from __future__ import annotations

from typing import Any

import keras


class EachEpoch(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells a GAN's parts that the data set was gone through: top-k lowers its share.

    Args:
        gan: the GAN.
        samples: in the data set; None for the end of Keras' own epochs.
        batch_size: samples in a step.
        step: steps done before.
    """

    def __init__(self, gan: Any, samples: int | None = None, batch_size: int = 0, step: int = 0) -> None:
        super().__init__()
        self._gan, self._samples, self._batch_size, self._step = gan, samples, batch_size, step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Counts samples, where their number is known."""
        self._step += 1
        if self._samples is not None:
            before, now = ((step * self._batch_size) // self._samples for step in (self._step - 1, self._step))
            for _ in range(now - before):
                self._next()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """The end of one of Keras' epochs."""
        if self._samples is None:
            self._next()

    def _next(self) -> None:
        if self._gan.parts.top_k is not None:
            self._gan.parts.top_k.next_epoch()
