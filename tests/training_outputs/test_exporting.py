"""What was exported gives the samples that the GAN gives."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import ganmedic
from ganmedic.data import Normalisation
from ganmedic.training.exporting import ExportError, export, in_data_units, load_weights

pytestmark = pytest.mark.tensorflow


def generator(classes: int | None = None) -> keras.Model:
    latents = keras.Input((5,))
    labels = keras.Input((), dtype="int32")
    inputs = [latents] if classes is None else [latents, labels]
    hidden = keras.layers.Dense(16)(latents)
    if classes is not None:
        hidden = hidden + keras.layers.Embedding(classes, 16)(labels)
    hidden = keras.layers.BatchNormalization()(hidden)
    images = keras.layers.Dense(12, activation="tanh")(keras.layers.Dropout(0.5)(hidden))
    outputs = keras.layers.Reshape((2, 2, 3))(images)
    return keras.Model(inputs if classes is not None else latents, outputs)


def made(classes: int | None = None, dtype: Any = np.uint8, ema: bool = True) -> SimpleNamespace:
    """A trained GAN, as far as exporting looks at it; the averaged weights are far from the current ones."""
    keras.utils.set_random_seed(1)
    network = generator(classes)
    average = ganmedic.ExponentialMovingAverage(decay=0.5, warm_up=False) if ema else None
    for _ in range(3):
        network.set_weights(
            [
                np.random.normal(size=w.shape) ** 2 + 0.1 if w.ndim == 1 else np.random.normal(size=w.shape)
                for w in network.get_weights()
            ]
        )
        if average is not None:
            average.update(network)
    data = np.linspace(0, 255, 4 * 12).reshape(4, 2, 2, 3).astype(dtype)
    known = None if dtype is None else Normalisation.fit(data, to="tanh", source_range=(0, 255))
    return SimpleNamespace(
        generator=network,
        ema=average,
        normalisation=known,
        classes=classes,
        latent_shape=(5,),
        steps=tf.Variable(77, dtype=tf.int64),
    )


def inputs_of(gan: Any) -> dict[str, np.ndarray]:
    given = {"latents": np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)}
    return given if gan.classes is None else {**given, "labels": np.arange(6, dtype=np.int32) % gan.classes}


def expected(gan: Any, averaged: bool) -> np.ndarray:
    """By the networks, and NumPy's way back."""
    given = list(inputs_of(gan).values())
    given = given[0] if len(given) == 1 else given
    network = gan.ema if averaged else None
    samples = np.asarray(gan.generator(given, training=False) if network is None else network(gan.generator, given))
    return samples if gan.normalisation is None else gan.normalisation.invert(samples, dtype="source")


@pytest.mark.parametrize(
    ("classes", "dtype", "averaged"),
    [(None, np.uint8, True), (3, np.uint8, True), (None, np.float32, False), (None, None, True)],
)
def test_a_saved_model_gives_samples_as_the_data_were(tmp_path, classes, dtype, averaged) -> None:
    gan = made(classes, dtype)
    before = gan.generator.get_weights()
    export(gan, tmp_path / "out", formats=["saved_model"], averaged=averaged)
    for one, other in zip(before, gan.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    served = tf.saved_model.load(str(tmp_path / "out" / "saved_model"))
    given = inputs_of(gan)
    samples = served.serve(*map(tf.constant, given.values())).numpy()
    wanted = expected(gan, averaged)
    assert samples.dtype == (np.float32 if dtype is None else dtype)
    if samples.dtype == np.uint8:
        # One is computed in float32, the other in float64: halves may be rounded to either side.
        assert np.abs(samples.astype(int) - wanted).max() <= 1
        assert (samples == wanted).mean() > 0.98
        assert samples.std() > 20
    else:
        np.testing.assert_allclose(samples, wanted, rtol=1e-5, atol=1e-4)
    by_name = served.signatures["serving_default"](**{name: tf.constant(value) for name, value in given.items()})
    np.testing.assert_array_equal(next(iter(by_name.values())), samples)
    if averaged:
        assert np.abs(wanted.astype(float) - expected(gan, False)).mean() > 0.01


def test_safetensors_bring_the_averaged_weights_into_a_generator_built_anew(tmp_path) -> None:
    from safetensors.numpy import load_file

    gan = made(3)
    export(gan, tmp_path / "out", formats=["safetensors"])
    path = tmp_path / "out" / "generator.safetensors"
    assert set(load_file(path)) == {variable.path for variable in gan.generator.variables}
    fresh = generator(3)
    told = load_weights(fresh, path)
    given = list(inputs_of(gan).values())
    np.testing.assert_array_equal(fresh(given, training=False), gan.ema(gan.generator, given))
    assert (told["step"], told["averaged"], told["ganmedic"]) == ("77", "true", ganmedic.__version__)
    assert Normalisation.from_dict(json.loads(told["normalisation"])) == gan.normalisation
    # The streams of random numbers are among the weights and stay whole numbers.
    assert {value.dtype.kind for value in load_file(path).values()} == {"f", "i"}


def test_weights_of_another_network_change_nothing(tmp_path) -> None:
    export(made(), tmp_path / "out", formats=["safetensors"])
    path = tmp_path / "out" / "generator.safetensors"
    other = generator(3)
    before = other.get_weights()
    with pytest.raises(ValueError, match="do not fit the generator's"):
        load_weights(other, path)
    for one, now in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, now)
    path.write_bytes(b"not at all")
    with pytest.raises(ValueError, match="is no safetensors file"):
        load_weights(other, path)


def test_the_manifest_tells_what_is_there_and_the_folder_can_be_replaced(tmp_path) -> None:
    gan = made(ema=False)
    folder = export(gan, tmp_path / "out", formats=["safetensors"])
    manifest = json.loads((folder / "export.json").read_text())
    assert (manifest["step"], manifest["averaged"], manifest["latent_shape"]) == (77, False, [5])
    assert manifest["files"] == {"safetensors": "generator.safetensors"}
    gan.steps.assign(78)
    export(gan, folder, formats=["safetensors"])
    assert json.loads((folder / "export.json").read_text())["step"] == 78
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_nothing_and_the_generator_as_it_was(tmp_path, monkeypatch) -> None:
    gan = made()
    before = gan.generator.get_weights()

    def full(*arguments: Any, **options: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(OSError, match="No space left"):
        export(gan, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    for one, now in zip(before, gan.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, now)


def test_nan_becomes_what_generate_makes_of_it() -> None:
    gan = made()
    gan.generator.layers[-2].bias.assign(np.full(12, np.nan))
    samples = np.asarray(in_data_units(gan)(inputs_of(gan)["latents"]))
    wanted = gan.normalisation.invert(np.zeros((6, 2, 2, 3), np.float32), dtype="source")
    assert np.abs(samples.astype(int) - wanted).max() <= 1


def test_what_cannot_be_exported_is_refused_before_anything_is_written(tmp_path, monkeypatch) -> None:
    gan = made()
    with pytest.raises(ValueError, match="Did you mean 'saved_model'"):
        export(gan, tmp_path / "out", formats=["savedmodel"])
    with pytest.raises(ValueError, match="formats is empty"):
        export(gan, tmp_path / "out", formats=[])
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(ImportError, match=r'tf2onnx.*pip install "ganmedic\[onnx\]"'):
        export(gan, tmp_path / "out", formats=["safetensors", "onnx"])
    twins = SimpleNamespace(**{**vars(gan), "ema": None})
    twins.generator = SimpleNamespace(variables=[gan.generator.variables[0]] * 2)
    with pytest.raises(ExportError, match="have the path"):
        export(twins, tmp_path / "out", formats=["safetensors"])
    assert list(tmp_path.iterdir()) == []


def test_onnx_gives_the_same_samples(tmp_path) -> None:
    pytest.importorskip("tf2onnx")
    runtime = pytest.importorskip("onnxruntime")
    gan = made(3)
    export(gan, tmp_path / "out", formats=["onnx"])
    session = runtime.InferenceSession(str(tmp_path / "out" / "generator.onnx"))
    assert [entry.name for entry in session.get_inputs()] == ["latents", "labels"]
    (samples,) = session.run(None, inputs_of(gan))
    assert samples.dtype == np.uint8
    assert np.abs(samples.astype(int) - expected(gan, averaged=True)).max() <= 1


def test_a_generator_that_draws_noise_is_not_written_as_a_broken_onnx_file(tmp_path) -> None:
    pytest.importorskip("tf2onnx")

    @keras.saving.register_keras_serializable(package="tests")
    class Noise(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + tf.random.stateless_normal(tf.shape(inputs), [1, 2])

    gan = made(ema=False)
    gan.generator = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(12), Noise(), keras.layers.Reshape((2, 2, 3))]
    )
    with pytest.raises(ExportError, match=r"Stateless\w+, which ONNX has no counterpart for"):
        export(gan, tmp_path / "out", formats=["onnx"])
    assert list(tmp_path.iterdir()) == []
