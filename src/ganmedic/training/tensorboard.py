"""Losses, scores, gradient norms, histograms and samples of a GAN for TensorBoard."""

from __future__ import annotations

import atexit
import io
import os
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganmedic import checking
from ganmedic.training.showing import pictures
from ganmedic.training.showing.events import EventFile
from ganmedic.training.showing.figures import write_figure
from ganmedic.training.showing.scatter import scatter

_TAGS = {
    "d_loss": "loss/discriminator",
    "g_loss": "loss/generator",
    "real_score": "score/real",
    "fake_score": "score/generated",
    "d_gradient_norm": "gradient_norm/discriminator",
    "g_gradient_norm": "gradient_norm/generator",
}
_OWNERS = {"d": "discriminator", "g": "generator"}


class TensorBoard(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes what a `ganmedic.GAN` measures in each step, for TensorBoard.

    `keras.callbacks.TensorBoard` knows the means of epochs. This one tells of steps, and costs little: the figures of a step stay on
    the device, as a tensor of the step, until `flush_steps` of them are fetched at once. The tensorboard package is needed
    to look at the files, not to write them.

    A `fit` that goes on where a checkpoint left off writes a new file, and TensorBoard forgets what the earlier ones told of
    steps that are trained again. After a step that raised an error, `close` writes what is still held; it is also called when
    the program ends.

    Args:
        log_dir: folder of the files; `tensorboard --logdir` names it or one above.
        every: steps from one row of figures to the next, at least 1.
        flush_steps: steps after which figures are fetched and written, at least 1.
        histograms: whether the weights' distributions are written whenever samples are. Fetches all weights.
        samples_every: steps from one picture of samples to the next, at least 1; None for none.
        samples: how many samples are in a picture, at least 1.
        seed: of the samples, the same for all pictures.
        value_range: (black, white) of images in the units of the data; without it that of bytes, or what the normalisation knows.

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        gan.fit(data, epochs=10, callbacks=[TensorBoard("logs/first", samples_every=500)])
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        every: int = 1,
        flush_steps: int = 100,
        histograms: bool = False,
        samples_every: int | None = 1000,
        samples: int = 64,
        seed: int = 0,
        value_range: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        name = "TensorBoard"
        self.log_dir = os.fspath(log_dir)
        self.every = checking.whole(name, "every", every)
        self.flush_steps = checking.whole(name, "flush_steps", flush_steps)
        self.histograms = checking.flag(name, "histograms", histograms)
        self.samples_every = (
            None
            if samples_every is None
            else checking.whole(name, "samples_every", samples_every, hint="None for none.")
        )
        self.samples = checking.whole(name, "samples", samples)
        self.seed = checking.whole(name, "seed", seed, low=0, high=2**31 - 1)
        self.value_range = value_range
        self._file: EventFile | None = None
        self._rows: list[tuple[int, float, Any]] = []
        self._names: tuple[str, ...] = ()
        self._step = self._batch = 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Begins a file at the step that the model has come to."""
        self.close()
        steps = getattr(self.model, "steps", None)
        if steps is None or not hasattr(self.model, "row_names"):
            raise TypeError(
                f"TensorBoard: the model is a {type(self.model).__name__}, which keeps no figures of its steps; a ganmedic.GAN is "
                "expected. Use keras.callbacks.TensorBoard for other models."
            )
        self._step = int(tf.convert_to_tensor(steps))
        self._file = EventFile(self.log_dir, first_step=self._step + 1)
        atexit.register(self.close)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Batches are counted anew."""
        self._batch = -1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keeps the figures of the step where they are."""
        # With steps_per_execution several steps lie between two calls, and the figures are those of the last one.
        before, self._step = self._step, self._step + batch - self._batch
        self._batch = batch
        if self._passed(before, self.every):
            # A tensor keeps its value when the next step assigns to the variable that it was read from.
            self._rows.append((self._step, time.time(), tf.convert_to_tensor(self.model.last_row)))
            self._names = tuple(self.model.row_names)
        if self._passed(before, self.flush_steps):
            self.flush()
            self._follow()
        if self.samples_every is not None and self._passed(before, self.samples_every):
            self._show()

    def on_train_end(self, logs: Any = None) -> None:
        """Writes what is left and ends the file."""
        self.close()

    def flush(self) -> None:
        """Fetches the figures that are held and writes them."""
        if self._file is None:
            return
        rows, self._rows = self._rows, []
        if rows:
            values = tf.stack([row for _, _, row in rows]).numpy().tolist()
            tags = [_tag(name) for name in self._names]
            for (step, wall_time, _), row in zip(rows, values, strict=True):
                self._file.scalars(step, dict(zip(tags, row, strict=True)), wall_time)
        self._file.flush()

    def close(self) -> None:
        """Writes what is left and ends the file; once is enough, and more does no harm."""
        if self._file is None:
            return
        try:
            self.flush()
        finally:
            self._file.close()
            self._file = None
            self._rows = []
            atexit.unregister(self.close)

    def _follow(self) -> None:
        """Goes on at the model's own step where that was set back, or forth, while it was trained."""
        steps = int(tf.convert_to_tensor(self.model.steps))
        if steps == self._step or self._file is None:
            return
        if steps < self._step:
            self._file.close()
            self._file = EventFile(self.log_dir, first_step=steps + 1)
        self._step = steps

    def _passed(self, before: int, distance: int) -> bool:
        """Whether a multiple of the distance was reached since the step before."""
        return self._step // distance > before // distance

    def _show(self) -> None:
        assert self._file is not None
        shown = np.asarray(self.model.generate(self.samples, seed=self.seed))
        png, width, height = self._picture(shown)
        self._file.image(self._step, "samples", png, width, height)
        if self.histograms:
            for player in ("generator", "discriminator"):
                network = getattr(self.model, player)
                # Keras counts networks that have no name; in another process of the same run the number may be another one.
                arrays = {
                    f"{player}/{weight.path.removeprefix(f'{network.name}/')}": tf.cast(weight, tf.float32).numpy()
                    for weight in network.trainable_variables
                }
                self._file.histograms(self._step, arrays)
        self._file.flush()

    def _picture(self, shown: Any) -> tuple[bytes, int, int]:
        """PNG, width and height."""
        stream = io.BytesIO()
        if shown.ndim > 2:
            ends = self.value_range or pictures.data_range(shown, getattr(self.model, "normalisation", None))
            picture = pictures.grid(shown, value_range=ends)
            pictures.save_png(picture, stream, step=self._step, seed=self.seed)
            return stream.getvalue(), *picture.size
        figure = scatter(shown)
        write_figure(figure, stream, step=self._step, seed=self.seed)
        width, height = figure.get_size_inches() * figure.dpi
        return stream.getvalue(), round(width), round(height)


def _tag(name: str) -> str:
    """TensorBoard puts what lies before the last stroke together: `d_R1` becomes `discriminator/R1`."""
    if name in _TAGS:
        return _TAGS[name]
    letter, _, rest = name.partition("_")
    return f"{_OWNERS[letter]}/{rest}" if letter in _OWNERS and rest else f"training/{name}"
