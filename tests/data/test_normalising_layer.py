"""The Keras layer against `Normalisation` in float64, and through the life of a layer."""

from __future__ import annotations

import doctest
import re
import runpy
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganmedic.data import normalising_layer
from ganmedic.data.normalisation import Normalisation
from ganmedic.data.normalising_layer import Normalise

pytestmark = pytest.mark.tensorflow

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.integers(0, 256, (6, 5, 4, 3)).astype(np.uint8)
# A mean that float32 cannot hold: 1e6 + 0.03 lies between 1e6 and 1e6 + 0.0625.
FAR = (1e6 + 0.03 + GENERATOR.normal(0, 1, (64, 2))).astype(np.float32)
FIRST = np.moveaxis(IMAGES, -1, 1)

KINDS = {
    "tanh": (Normalisation.fit(IMAGES, to="tanh", source_range=(0, 255)), IMAGES),
    "sigmoid": (Normalisation.fit(IMAGES, to="sigmoid"), IMAGES.astype(np.float32)),
    "standard": (Normalisation.fit(IMAGES, to="standard"), IMAGES.astype(np.int64)),
    "far": (Normalisation.fit(FAR, to="standard"), FAR),
    "channels first": (Normalisation.fit(FIRST, to="standard", axis=1), FIRST),
    "constant": (Normalisation.fit(np.full((3, 2), 7.0), to="tanh"), np.full((3, 2), 7.0, np.float32)),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def run(layer, data, how):
    if how == "eager":
        return layer(data)
    return tf.function(layer, jit_compile=how == "xla")(tf.constant(data))


@pytest.mark.parametrize("how", ["eager", "graph", "xla"])
def test_it_computes_what_numpy_does_in_float64_and_brings_it_back(kind, how):
    normalisation, data = kind
    layer = Normalise(normalisation)
    result = run(layer, data, how)
    exact = normalisation.apply(data.astype(np.float64))
    assert result.dtype == tf.float32
    np.testing.assert_allclose(result, exact, rtol=1e-6, atol=1e-6)
    back = run(layer.inverse(), np.array(result), how)
    np.testing.assert_allclose(back, data.astype(np.float64), rtol=7e-8, atol=1e-4)
    np.testing.assert_array_equal(layer.inverse().inverse()(data), layer(data))


def test_float64_keeps_its_digits():
    data = np.array([[1e9], [1e9 + 1], [1e9 + 2]])
    layer = Normalise(Normalisation.fit(data, to="sigmoid"), dtype="float64")
    np.testing.assert_allclose(layer(tf.constant(data)), [[0.0], [0.5], [1.0]], atol=1e-12)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_computes_in_float32_and_then_casts(policy):
    normalisation, data = KINDS["far"]
    layer = Normalise(normalisation, dtype=policy)
    half = policy.removeprefix("mixed_")
    expected = tf.cast(Normalise(normalisation)(data), half)
    assert layer(data).dtype == half
    np.testing.assert_array_equal(tf.cast(layer(data), "float32"), tf.cast(expected, "float32"))
    model = keras.Sequential([keras.Input((2,)), layer])
    np.testing.assert_array_equal(tf.cast(model(data), "float32"), tf.cast(expected, "float32"))
    back = layer.inverse()(layer(data))
    assert back.dtype == tf.float32
    np.testing.assert_allclose(back, data, atol=0.05)


def test_a_model_under_a_global_half_precision_policy():
    normalisation, data = KINDS["far"]
    expected = Normalise(normalisation)(data)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        sequential = keras.Sequential([keras.Input((2,)), Normalise(normalisation), keras.layers.Dense(1)])
        inputs = keras.Input((2,))
        functional = keras.Model(inputs, Normalise(normalisation)(inputs))
        np.testing.assert_allclose(functional(data), expected, atol=2e-3)
        np.testing.assert_allclose(functional.predict(data, verbose=0), expected, atol=2e-3)
        assert np.isfinite(sequential.predict(data, verbose=0)).all()
        # float16 ends at 65504: the way back to the data does not follow the policy.
        np.testing.assert_allclose(Normalise(normalisation).inverse()(functional(data)), data, atol=5e-3)
    finally:
        keras.config.set_dtype_policy(before)


def test_config_round_trip_keeps_all(kind):
    normalisation, data = kind
    for layer in (Normalise(normalisation, name="scaled", dtype="mixed_float16"), Normalise(normalisation).inverse()):
        copy = Normalise.from_config(layer.get_config())
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        for other in (copy, again):
            assert (other.name, other.inverts, other.normalisation) == (layer.name, layer.inverts, normalisation)
            assert other.dtype_policy.name == layer.dtype_policy.name
            np.testing.assert_array_equal(other(data), layer(data))


def test_it_is_saved_with_a_model(tmp_path):
    normalisation, data = KINDS["tanh"]
    forth = Normalise(normalisation)
    inputs = keras.Input(data.shape[1:], dtype="uint8")
    hidden = keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(forth(inputs))
    model = keras.Model(inputs, forth.inverse()(hidden))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(data), model(data))
    assert loaded.layers[1].normalisation == normalisation


def test_in_tf_data_it_keeps_no_batch():
    normalisation, data = KINDS["tanh"]
    layer = Normalise(normalisation)
    exact = normalisation.apply(data)
    for batched in (True, False):
        dataset = tf.data.Dataset.from_tensor_slices(data)
        dataset = dataset.batch(4).map(layer) if batched else dataset.map(layer).batch(4)
        assert dataset.element_spec.dtype == tf.float32
        np.testing.assert_allclose(np.concatenate(list(dataset.as_numpy_iterator())), exact, atol=1e-6)
    unknown = tf.data.Dataset.from_generator(lambda: iter(data), output_types=tf.uint8).map(layer)
    np.testing.assert_allclose(next(iter(unknown)), exact[0], atol=1e-6)
    assert layer.weights == []
    in_front = Normalise(KINDS["channels first"][0])
    with pytest.raises(ValueError, match=r"unknown rank came.*axis counted from the back"):
        tf.data.Dataset.from_generator(lambda: iter(data), output_types=tf.uint8).map(in_front)


def test_it_has_no_weights_and_lets_the_gradient_pass():
    normalisation, data = KINDS["standard"]
    layer = Normalise(normalisation)
    model = keras.Sequential([layer, keras.layers.Dense(1)])
    values = tf.constant(data, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = layer(values)
    np.testing.assert_allclose(
        tape.gradient(result, values), np.broadcast_to(1 / np.array(normalisation.scale), data.shape), rtol=1e-6
    )
    model(data)
    assert (layer.weights, layer.trainable_variables, layer.non_trainable_variables) == ([], [], [])
    assert len(model.trainable_variables) == 2


def test_it_is_traced_once_for_one_shape():
    normalisation, data = KINDS["tanh"]
    layer, traces = Normalise(normalisation), []

    @tf.function
    def step(batch):
        traces.append(1)
        return layer(batch)

    for _ in range(3):
        step(tf.constant(data))
    assert len(traces) == 1


def test_what_float32_cannot_hold_is_refused():
    with pytest.raises(ValueError, match=r"offset of channel 1 is 5e\+199; float32 holds"):
        Normalise(Normalisation.fit([[0.0, 0.0], [1.0, 1e200]]))


def test_another_number_of_channels_is_refused_with_advice():
    layer = Normalise(KINDS["tanh"][0])
    for data in (np.zeros((2, 5, 4, 1), np.float32), np.zeros((2, 5, 4, 4), np.float32)):
        with pytest.raises(ValueError, match="3 channels on axis -1 are expected"):
            layer(data)


def test_the_page_about_it_runs_and_quotes_the_warning(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "normalisation.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    # A file, for AutoGraph reads the source of what it is given.
    script = tmp_path / "page.py"
    script.write_text("\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL)), encoding="utf-8")
    names = runpy.run_path(str(script))
    quoted = " ".join(line.removeprefix("> ") for line in page.splitlines() if line.startswith("> "))
    assert quoted == names["text"]


def test_the_example_in_the_docstring_runs():
    failed, attempted = doctest.testmod(normalising_layer)
    assert (failed, attempted > 0) == (0, True)
