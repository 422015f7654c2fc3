"""What holds for every layer of the package, over one table."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from layer_table import TABLE, Case, awaken

from ganmedic import layers

pytestmark = pytest.mark.tensorflow


@pytest.fixture(params=TABLE, ids=list(TABLE))
def case(request: pytest.FixtureRequest) -> Case:
    return TABLE[request.param]


def state_of(layer: keras.layers.Layer) -> list[Any]:
    return [np.array(variable.numpy()) for variable in layer.variables]


def put_back(layer: keras.layers.Layer, state: list[Any]) -> None:
    for variable, value in zip(layer.variables, state, strict=True):
        variable.assign(value)


def flat(inputs: Any) -> list[Any]:
    return [tf.convert_to_tensor(array) for array in (inputs if isinstance(inputs, list) else [inputs])]


def applied(layer: keras.layers.Layer, tensors: list[Any], **options: Any) -> Any:
    return layer(tensors if len(tensors) > 1 else tensors[0], **options)


def test_every_public_layer_is_in_the_table():
    made = {type(case.make()) for case in TABLE.values()}
    public = {getattr(layers, name) for name in layers.__all__}
    assert {kind for kind in public if isinstance(kind, type)} == made


def test_config_round_trip(case: Case):
    layer = case.built()
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    again.build(list(case.shapes) if len(case.shapes) > 1 else case.shapes[0])
    put_back(again, state_of(layer))
    np.testing.assert_array_equal(again(case.inputs()), layer(case.inputs()))


def test_keras_file_round_trip(case: Case, tmp_path: Path):
    inputs = [keras.Input(shape[1:]) for shape in case.shapes]
    layer = case.make()
    model = keras.Model(inputs, applied(layer, inputs))
    awaken(layer)
    arrays = flat(case.inputs())
    model(arrays, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for training in (False, True, True, False):
        np.testing.assert_array_equal(loaded(arrays, training=training), model(arrays, training=training))


def test_checkpoint_round_trip(case: Case, tmp_path: Path):
    layer, other = case.built(), case.built()
    for _ in range(3):
        layer(case.inputs(), training=True)
    for variable in other.trainable_variables:
        variable.assign(variable.value * 2.0)
    path = tf.train.Checkpoint(layer=layer).write(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(layer=other).read(path).assert_consumed()
    np.testing.assert_array_equal(other(case.inputs(), training=True), layer(case.inputs(), training=True))


@pytest.mark.parametrize("policy", ["float32", "float64", "mixed_float16"])
def test_symbolic_shape_and_dtype_are_those_of_the_output(case: Case, policy: str):
    layer = case.make(dtype=policy)
    inputs = [keras.Input(shape[1:]) for shape in case.shapes]
    symbolic = applied(layer, inputs)
    output = layer(case.inputs())
    assert symbolic.shape[1:] == tuple(output.shape[1:])
    assert keras.backend.standardize_dtype(output.dtype) == symbolic.dtype == layer.compute_dtype
    computed = layer.compute_output_shape(list(case.shapes) if len(case.shapes) > 1 else case.shapes[0])
    assert tuple(computed) == tuple(output.shape)


def test_eager_function_and_jit_agree(case: Case):
    layer = case.built()
    state = state_of(layer)
    tensors = flat(case.inputs())
    unknown_batch = [tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype) for tensor in tensors]

    def call(*arguments: Any) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            output = applied(layer, list(arguments), training=True)
            total = tf.reduce_sum(tf.tanh(output))
        return output, tape.gradient(total, [*arguments, *layer.trainable_variables])

    results = []
    functions = (
        tf.function(call, input_signature=unknown_batch),
        tf.function(call, jit_compile=True, input_signature=unknown_batch),
    )
    for run in (call, *functions):
        put_back(layer, state)
        results.append((*run(*tensors), state_of(layer)))
    for other in results[1:]:
        for expected, got in zip(tf.nest.flatten(results[0]), tf.nest.flatten(other), strict=True):
            np.testing.assert_allclose(got, expected, rtol=2e-4, atol=2e-5)


def test_second_call_does_not_trace_again(case: Case):
    layer = case.make()
    traces = []

    @tf.function
    def call(*tensors: Any) -> Any:
        traces.append(1)
        return applied(layer, list(tensors), training=True)

    tensors = flat(case.inputs())
    # The first call builds the layer inside of the function.
    call(*tensors)
    first = len(traces)
    call(*tensors)
    call(*tensors)
    assert len(traces) == first <= 2


def everything(layer: keras.layers.Layer, tensors: list[Any]) -> list[list[Any]]:
    """Output, its gradient, and the gradient of a penalty upon that."""
    with tf.GradientTape() as outer:
        outer.watch(tensors)
        with tf.GradientTape() as inner:
            inner.watch(tensors)
            output = applied(layer, tensors, training=True)
            total = tf.reduce_mean(tf.cast(output, tf.float32))
        slopes = inner.gradient(total, tensors)
        penalty = tf.add_n([tf.reduce_sum(tf.square(tf.cast(slope, tf.float32))) for slope in slopes])
        both = total + penalty
    gradients = outer.gradient(both, [*tensors, *layer.trainable_variables], unconnected_gradients="zero")
    return [[np.asarray(tensor, "float64") for tensor in part] for part in ([output], slopes, gradients)]


def largest(arrays: list[Any]) -> float:
    return max(float(np.abs(array).max()) for array in arrays)


@pytest.mark.parametrize(
    ("policy", "fill"),
    [
        ("float32", "zero"),
        ("float32", "identical"),
        ("float32", "huge"),
        ("mixed_float16", "zero"),
        ("mixed_float16", "huge"),
    ],
)
def test_values_and_gradients_are_finite(case: Case, policy: str, fill: str):
    tensors = flat(case.inputs(fill))
    got = everything(case.built(dtype=policy), tensors)
    wide = got if policy == "float32" else everything(case.built(), tensors)
    checked = 0
    for narrow, reference in zip(got, wide, strict=True):
        # float16 ends at 65504; what is larger than that, or nearly, cannot be finite in it.
        if policy == "mixed_float16" and largest(reference) > 3e4:
            break
        assert all(np.isfinite(array).all() for array in narrow)
        checked += 1
    assert checked == 3 or fill == "huge"


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_gives_nearly_the_same(case: Case, policy: str):
    arrays = case.inputs()
    exact = np.asarray(case.built()(arrays), "float64")
    narrow = case.built(dtype=policy)(arrays)
    assert narrow.dtype == policy.removeprefix("mixed_")
    rounded = np.asarray(tf.cast(narrow, tf.float64))
    tolerance = 0.01 if policy == "mixed_float16" else 0.06
    np.testing.assert_allclose(rounded, exact, rtol=tolerance, atol=tolerance * np.abs(exact).max())


@pytest.mark.parametrize("order", [1, 2])
def test_gradient_is_that_of_central_differences(case: Case, order: int):
    layer = case.built(dtype="float64")
    kept = layer.non_trainable_variables
    state = [np.array(variable.numpy()) for variable in kept]
    tensors = [tf.Variable(tensor) for tensor in flat(case.inputs(dtype="float64"))]
    random = np.random.default_rng(9)
    weights = tf.constant(random.normal(size=layer(case.inputs(dtype="float64")).shape))

    def value() -> Any:
        for variable, before in zip(kept, state, strict=True):
            variable.assign(before)
        if order == 1:
            return tf.reduce_sum(weights * tf.tanh(applied(layer, [tensor.value() for tensor in tensors])))
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(weights * tf.tanh(applied(layer, [tensor.value() for tensor in tensors])))
        return tf.add_n([tf.reduce_sum(tf.square(slope)) for slope in tape.gradient(total, tensors)])

    inner = [variable.value for variable in layer.trainable_variables]
    variables = [*tensors, *inner]
    with tf.GradientTape() as tape:
        result = value()
    gradients = tape.gradient(result, variables, unconnected_gradients="zero")
    places = range(len(variables))
    # Along a random direction of each input by itself, and of all weights together.
    for chosen in [*([place] for place in places[: len(tensors)]), places[len(tensors) :]]:
        starts = {place: variables[place].numpy() for place in chosen}
        directions = {place: random.normal(size=start.shape) for place, start in starts.items()}
        expected = sum(np.sum(gradients[place] * direction) for place, direction in directions.items())
        values = []
        for step in (1e-5, -1e-5):
            for place, start in starts.items():
                variables[place].assign(start + step * directions[place])
            values.append(float(value()))
        for place, start in starts.items():
            variables[place].assign(start)
        np.testing.assert_allclose(expected, (values[0] - values[1]) / 2e-5, rtol=1e-5, atol=1e-6)


def test_stateless_call_computes_with_the_values_given(case: Case):
    layer = case.built()
    new = [variable.numpy() * 1.5 + 0.1 for variable in layer.trainable_variables]
    others = [variable.numpy() for variable in layer.non_trainable_variables]
    before = state_of(layer)
    tensors = flat(case.inputs())
    # Keras hands the arguments on to `call` as they are.
    options = {"training": True} if "training" in inspect.signature(layer.call).parameters else {}
    output, after = layer.stateless_call(new, others, tensors if len(tensors) > 1 else tensors[0], **options)
    for expected, variable in zip(before, layer.variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), expected)
    for variable, value in zip(layer.trainable_variables, new, strict=True):
        variable.assign(value)
    np.testing.assert_allclose(layer(case.inputs(), **options), output, rtol=1e-5, atol=1e-6)
    for variable, value in zip(layer.non_trainable_variables, after, strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-5)


def test_two_replicas_compute_as_one_device_does(case: Case, two_replicas: Any):
    alone = case.built()
    with two_replicas.scope():
        layer = case.built()
    put_back(layer, state_of(alone))
    tensors = flat(case.inputs())

    @tf.function
    def step() -> Any:
        def on_replica() -> Any:
            with tf.GradientTape() as tape:
                output = applied(layer, tensors, training=True)
                total = tf.reduce_sum(tf.tanh(output))
            return output, tape.gradient(total, layer.trainable_variables)

        return two_replicas.run(on_replica)

    results = [two_replicas.experimental_local_results(result) for result in tf.nest.flatten(step())]
    outputs = results[0]
    assert len(outputs) == 2
    if isinstance(layer, layers.NoiseInjection):
        assert np.abs(outputs[0] - outputs[1]).max() > 0.01
    else:
        with tf.GradientTape() as tape:
            expected = alone(case.inputs(), training=True)
            total = tf.reduce_sum(tf.tanh(expected))
        gradients = tape.gradient(total, alone.trainable_variables)
        for replicas, single in zip(results, [expected, *gradients], strict=True):
            for result in replicas:
                np.testing.assert_allclose(result, single, rtol=1e-4, atol=1e-5)
    step()
    for variable in layer.variables:
        first, second = two_replicas.experimental_local_results(variable.value)
        np.testing.assert_array_equal(first.numpy(), second.numpy())


def test_frozen_layer_leaves_no_trainable_weight(case: Case):
    layer = case.built()
    layer.trainable = False
    assert layer.trainable_variables == []
    assert np.isfinite(layer(case.inputs(), training=True)).all()
