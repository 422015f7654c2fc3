"""What the callback writes can be read back, step by step."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganmedic.training.showing.events import EventFile
from ganmedic.training.tensorboard import TensorBoard

pytestmark = pytest.mark.tensorflow
NAMES = ("d_loss", "fake_score", "d_R1")


class Counting(keras.Model):
    """Its figures in step n are n, -n and n²; step 7's first one is NaN."""

    row_names = NAMES

    def __init__(self) -> None:
        super().__init__()
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.row = tf.Variable(np.zeros(3, np.float32), trainable=False)
        self.generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="g")])
        self.discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="d")])
        self.shape = (4, 4, 1)
        self.built = True

    @property
    def last_row(self) -> Any:
        return self.row.read_value()

    def train_step(self, data: Any) -> dict[str, Any]:
        self.steps.assign_add(1)
        n = tf.cast(self.steps, tf.float32)
        self.row.assign(tf.stack([tf.where(self.steps == 7, np.nan, n), -n, n * n]))
        return {"loss": n}

    def generate(self, count: int, seed: int = 0, labels: Any = None) -> np.ndarray:
        return np.full((count, *self.shape), min(255, 40 * int(self.steps)), np.uint8)


def trained(
    callback: TensorBoard, epochs: list[int], steps_per_execution: int = 1, model: Counting | None = None
) -> Counting:
    model = model or Counting()
    model.compile(steps_per_execution=steps_per_execution, jit_compile=False)
    for batches in epochs:
        data = tf.data.Dataset.from_tensor_slices(np.zeros((batches, 1), np.float32)).batch(1)
        model.fit(data, verbose=0, shuffle=False, callbacks=[callback])
    return model


def events(folder: Path) -> list[Any]:
    """All events, the files in their order."""
    files = sorted(folder.glob("events.out.tfevents.*"))
    return [
        tf.compat.v1.Event.FromString(record.numpy())
        for record in tf.data.TFRecordDataset([str(file) for file in files])
    ]


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events(folder):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_every_step_is_told_once_with_its_own_figures(tmp_path) -> None:
    trained(TensorBoard(tmp_path, flush_steps=4, samples_every=None), [6, 5])
    told = scalars(tmp_path)
    assert set(told) == {"loss/discriminator", "score/generated", "discriminator/R1"}
    assert told["discriminator/R1"] == [(step, step**2) for step in range(1, 12)]
    assert told["score/generated"] == [(step, -step) for step in range(1, 12)]
    assert [step for step, value in told["loss/discriminator"] if np.isnan(value)] == [7]
    times = [event.wall_time for event in events(tmp_path)]
    assert times == sorted(times)


def test_figures_are_fetched_only_once_in_many_steps(tmp_path, monkeypatch) -> None:
    fetched = []
    original = tf.stack

    def stack(rows: Any) -> Any:
        fetched.append(len(rows))
        return original(rows)

    callback = TensorBoard(tmp_path, flush_steps=5, samples_every=None)
    model = trained(callback, [1])
    monkeypatch.setattr("ganmedic.training.tensorboard.tf.stack", stack)
    trained(callback, [12], model=model)
    # After steps 5 and 10, and at the end with step 13.
    assert [count for count in fetched if isinstance(count, int)][-3:] == [4, 5, 3]


def test_every_third_step_and_several_steps_an_execution(tmp_path) -> None:
    trained(TensorBoard(tmp_path / "a", every=3, samples_every=None), [4, 7])
    assert [step for step, _ in scalars(tmp_path / "a")["score/generated"]] == [3, 6, 9]
    trained(TensorBoard(tmp_path / "b", samples_every=None), [8], steps_per_execution=4)
    assert scalars(tmp_path / "b")["score/generated"] == [(4, -4), (8, -8)]


def test_a_run_that_is_taken_up_again_tells_tensorboard_to_forget_what_comes_again(tmp_path) -> None:
    model = trained(TensorBoard(tmp_path, samples_every=None), [8])
    model.steps.assign(5)
    trained(TensorBoard(tmp_path, samples_every=None), [3], model=model)
    found = events(tmp_path)
    starts = [event.step for event in found if event.session_log.status == tf.compat.v1.SessionLog.START]
    assert starts == [1, 6]
    assert [event.file_version for event in found if event.HasField("file_version")] == ["brain.Event:2"] * 2
    # What TensorBoard does with a START: it drops what it has of that step and later ones.
    kept: list[int] = []
    for event in found:
        if event.session_log.status == tf.compat.v1.SessionLog.START:
            kept = [step for step in kept if step < event.step]
        elif event.summary.value:
            kept.append(event.step)
    assert kept == list(range(1, 9))


def test_a_model_that_is_set_back_while_it_is_trained_is_followed(tmp_path) -> None:
    class Back(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 3:
                self.model.steps.assign(1)

    model = Counting()
    model.compile(jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices(np.zeros((7, 1), np.float32)).batch(1)
    model.fit(
        data, verbose=0, shuffle=False, callbacks=[Back(), TensorBoard(tmp_path, flush_steps=2, samples_every=None)]
    )
    told = scalars(tmp_path)["score/generated"]
    assert told[-3:] == [(2, -2), (3, -3), (4, -4)]


def test_samples_and_histograms(tmp_path) -> None:
    callback = TensorBoard(tmp_path, samples_every=2, samples=4, histograms=True)
    model = trained(callback, [5])
    images = {
        event.step: value.image
        for event in events(tmp_path)
        for value in event.summary.value
        if value.HasField("image")
    }
    assert sorted(images) == [2, 4]
    for step, image in images.items():
        with Image.open(io.BytesIO(image.encoded_image_string)) as picture:
            assert picture.size == (image.width, image.height)
            assert picture.getpixel((10, 10)) == (40 * step,) * 3
            assert picture.text["step"] == str(step)
    histograms = {
        value.tag: value.histo for event in events(tmp_path) for value in event.summary.value if value.HasField("histo")
    }
    assert set(histograms) == {
        "generator/g/kernel",
        "generator/g/bias",
        "discriminator/d/kernel",
        "discriminator/d/bias",
    }
    kernel = model.generator.get_weights()[0].astype(np.float64)
    told = histograms["generator/g/kernel"]
    assert told.num == kernel.size == sum(told.bucket)
    assert (told.min, told.max) == (kernel.min(), kernel.max())
    assert told.sum_squares == pytest.approx(np.square(kernel).sum())
    assert len(told.bucket) == len(told.bucket_limit)
    below = [np.mean(kernel < limit) for limit in told.bucket_limit[:-1]]
    np.testing.assert_allclose(np.cumsum(told.bucket)[:-1] / kernel.size, below)


def test_points_are_drawn_and_nan_weights_are_no_obstacle(tmp_path) -> None:
    model = Counting()
    model.shape = (2,)
    model.generator.set_weights([np.full((2, 3), np.nan), np.array([np.nan, 1.0, 2.0])])
    trained(TensorBoard(tmp_path, samples_every=1, histograms=True), [1], model=model)
    values = [value for event in events(tmp_path) for value in event.summary.value]
    assert any(value.tag == "samples" and value.image.width > 400 for value in values)
    tags = [value.tag for value in values if value.HasField("histo")]
    assert "generator/g/kernel" not in tags
    assert next(value.histo.num for value in values if value.tag == "generator/g/bias") == 2


def test_what_was_held_when_training_raised_is_written_by_close(tmp_path) -> None:
    class Failing(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            if batch == 3:
                raise KeyboardInterrupt

    callback = TensorBoard(tmp_path, samples_every=None)
    model = Counting()
    model.compile(jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices(np.zeros((9, 1), np.float32)).batch(1)
    with pytest.raises(KeyboardInterrupt):
        model.fit(data, verbose=0, shuffle=False, callbacks=[Failing(), callback])
    assert scalars(tmp_path) == {}
    callback.close()
    callback.close()
    assert [step for step, _ in scalars(tmp_path)["score/generated"]] == [1, 2, 3]


def test_bad_arguments_and_other_models_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="every is 0"):
        TensorBoard(tmp_path, every=0)
    with pytest.raises(TypeError, match="histograms is 1"):
        TensorBoard(tmp_path, histograms=1)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    with pytest.raises(TypeError, match=r"use keras\.callbacks\.TensorBoard|Use keras\.callbacks\.TensorBoard"):
        model.fit(np.zeros((2, 1)), np.zeros((2, 1)), verbose=0, shuffle=False, callbacks=[TensorBoard(tmp_path)])
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        EventFile(tmp_path / "file", 1)
