"""Clips against NumPy and TensorFlow's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganmedic import clipping
from ganmedic.record.record import Record

pytestmark = pytest.mark.tensorflow
RANDOM = np.random.default_rng(3)
GRADIENTS = [RANDOM.normal(size=(4, 3)), 0.01 * RANDOM.normal(size=3), 5.0 * RANDOM.normal(size=(3, 3, 2, 4))]


def tensors() -> list[tf.Tensor]:
    return [tf.constant(g) for g in GRADIENTS]


def variables() -> list[tf.Variable]:
    return [tf.Variable(np.ones_like(g), name=f"v{i}") for i, g in enumerate(GRADIENTS)]


def sparse(rows: Any, indices: Any, size: int = 6) -> tf.IndexedSlices:
    return tf.IndexedSlices(tf.constant(rows), tf.constant(indices), tf.constant([size, len(rows[0])]))


def test_value_norm_and_global_norm_are_tensorflows() -> None:
    for name, reference in (
        ("value", [tf.clip_by_value(g, -0.5, 0.5) for g in tensors()]),
        ("norm", [tf.clip_by_norm(g, 0.5) for g in tensors()]),
        ("global_norm", tf.clip_by_global_norm(tensors(), 0.5)[0]),
    ):
        for one, two in zip(clipping.get(name, 0.5)(tensors(), variables()), reference, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-12)


def test_global_norm_keeps_the_direction_and_says_how_hard_it_was() -> None:
    clip = clipping.get("global_norm", 2.0)
    norm = np.sqrt(sum((g**2).sum() for g in GRADIENTS))
    clipped = clip(tensors(), variables())
    np.testing.assert_allclose(clipped[2], GRADIENTS[2] * 2.0 / norm)
    held = variables()
    clip = clipping.get("global_norm", 2.0)
    clip(tensors(), held)
    clip([0.0 * g for g in tensors()], held)
    report = clip.report()
    assert (report.steps, report.clipped, report.share_clipped) == (2, 1, 0.5)
    assert report.mean_left == report.least_left == pytest.approx(2.0 / norm, rel=1e-6)
    assert "acted in 1 of 2 steps (50%)" in str(report)
    assert str(clipping.get("value").report()) == "no step was clipped yet"


def test_a_row_that_was_looked_up_twice_counts_as_its_sum() -> None:
    table = [tf.Variable(tf.zeros([6, 2]))]
    slices = sparse([[3.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [4, 1, 4])
    dense = tf.convert_to_tensor(slices)
    for name in ("value", "norm", "global_norm"):
        clipped = clipping.get(name, 0.5)([slices], table)[0]
        whole = clipping.get(name, 0.5)([dense], [tf.Variable(tf.zeros([6, 2]))])[0]
        assert isinstance(clipped, tf.IndexedSlices)
        np.testing.assert_allclose(tf.convert_to_tensor(clipped), whole, rtol=1e-6)


def reference_agc(gradient: np.ndarray, weight: np.ndarray, units: tuple[int, ...], bound: float) -> np.ndarray:
    """Equation 3 of Brock et al. 2021, unit by unit."""
    result = gradient.copy()
    for unit in np.ndindex(*[gradient.shape[axis] for axis in units]):
        where: list[Any] = [slice(None)] * gradient.ndim
        for axis, place in zip(units, unit, strict=True):
            where[axis] = place
        size, limit = np.linalg.norm(gradient[tuple(where)]), bound * max(np.linalg.norm(weight[tuple(where)]), 1e-3)
        if size > limit:
            result[tuple(where)] *= limit / size
    return result


def test_adaptive_clips_each_unit_of_the_last_axis() -> None:
    weights = [RANDOM.normal(size=g.shape) for g in GRADIENTS]
    weights[0][:, 1] = 0.0
    clipped = clipping.get("adaptive", 0.05)(tensors(), [tf.Variable(w) for w in weights])
    for found, gradient, weight in zip(clipped, GRADIENTS, weights, strict=True):
        np.testing.assert_allclose(
            found, reference_agc(gradient, weight, (gradient.ndim - 1,) if gradient.ndim > 1 else (), 0.05)
        )


def test_adaptive_reads_units_and_the_last_layer_from_the_network() -> None:
    network = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            keras.layers.Conv2DTranspose(3, 3, name="one"),
            keras.layers.DepthwiseConv2D(2, depth_multiplier=2),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    held = network.trainable_variables
    given = [RANDOM.normal(size=v.shape) for v in held]
    clip = clipping.get("adaptive", 0.05).bind(network)
    clipped = clip([tf.constant(g, tf.float32) for g in given], held)
    # Transposed kernel, its bias, depthwise kernel, its bias; then the last layer, which is left out.
    units: list[tuple[int, ...]] = [(2,), (), (2, 3), ()]
    for found, gradient, variable, axes in zip(clipped, given, held, units, strict=False):
        np.testing.assert_allclose(found, reference_agc(gradient, variable.numpy(), axes, 0.05), rtol=1e-4)
    for found, gradient in zip(clipped[4:], given[4:], strict=True):
        np.testing.assert_allclose(found, gradient, rtol=1e-6)
    last = clipping.get("adaptive", 0.05).bind(network, include_last=True)(
        [tf.constant(g, tf.float32) for g in given], held
    )[-2]
    assert np.abs(last - given[-2]).max() > 0
    with pytest.raises(TypeError, match="a Keras network is expected"):
        clip.bind("network")


def test_the_last_layer_is_found_behind_nested_networks_and_wrappers() -> None:
    from ganmedic.layers import SpectralNormalization

    backbone = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(4)])
    wrapped = [SpectralNormalization(keras.layers.Dense(4)) for _ in range(2)]
    for layers in ([backbone], wrapped):
        network = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1, name="head")])
        held = network.trainable_variables
        given = [tf.ones(v.shape) for v in held]
        clipped = clipping.get("adaptive", 1e-4).bind(network)(given, held)
        untouched = [v.path for v, g, c in zip(held, given, clipped, strict=True) if np.array_equal(g, c)]
        assert len(untouched) == 2
        assert all("head" in path for path in untouched)


def test_a_row_of_an_embedding_is_a_unit() -> None:
    table = tf.Variable([[3.0, 4.0], [0.3, 0.4]])
    clipped = clipping.get("adaptive", 0.1)([sparse([[0.0, 2.0], [0.0, 0.01]], [0, 1], 2)], [table])[0]
    np.testing.assert_allclose(tf.convert_to_tensor(clipped), [[0.0, 0.5], [0.0, 0.01]], rtol=1e-6)


def test_auto_clips_to_a_percentile_of_its_own_networks_history() -> None:
    clip = clipping.get("auto", percentile=30.0, history=5)
    one, two = [tf.Variable([0.0])], [tf.Variable([0.0])]
    norms = [5.0, 1.0, 7.0, float("nan"), 2.0, 9.0, 3.0, 8.0]
    seen: list[float] = []
    for norm in norms:
        clipped = float(clip([tf.constant([norm])], one)[0][0])
        clip([tf.constant([100.0 * norm])], two)
        if np.isfinite(norm):
            seen.append(norm)
            bound = np.percentile(seen[-5:], 30.0)
            assert clipped == pytest.approx(min(norm, bound), rel=1e-6)
    assert clip.report().non_finite_steps == 2
    with pytest.raises(ValueError, match=r"Auto: percentile is 0; a number above 0 and at most 100"):
        clipping.get("auto", percentile=0)


def test_weights_are_bounded_now_behind_each_step_and_by_the_optimizer() -> None:
    critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    clip = clipping.get("weights", 0.1)
    gradients = [tf.ones(v.shape) for v in critic.trainable_variables]
    returned = clip(gradients, critic.trainable_variables)
    assert all(np.array_equal(a, b) for a, b in zip(returned, gradients, strict=True))
    assert max(np.abs(v).max() for v in critic.get_weights()) <= 0.1
    clip.constrain(critic)
    optimizer = keras.optimizers.SGD(10.0)
    optimizer.apply_gradients(zip(gradients, critic.trainable_variables, strict=True))
    assert max(np.abs(v).max() for v in critic.get_weights()) == pytest.approx(0.1)
    again = keras.models.clone_model(critic)
    constraint = critic.trainable_variables[0].constraint
    revived = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(constraint))
    assert revived.bound == 0.1
    assert len(again.trainable_variables) == 2


def test_squares_that_overflow_are_told_from_gradients_that_are_infinite() -> None:
    huge, held = tf.constant([3e25, 4e25]), [tf.Variable([0.0, 0.0], name="v")]
    clip = clipping.get("global_norm", 1.0)
    np.testing.assert_allclose(clip([huge], held)[0], [0.6, 0.8], rtol=1e-6)
    assert clip.report().non_finite_steps == 0


def test_equal_names_of_two_networks_are_added_up() -> None:
    clip = clipping.get("norm")
    for steps in (3, 1):
        held = [tf.Variable(0.0, name="kernel")]
        for _ in range(steps):
            clip([tf.constant(np.nan)], held)
    assert dict(clip.report().non_finite) == {"kernel:0": 4}


def test_variables_of_one_name_are_told_apart() -> None:
    held = [tf.Variable(0.0, name="w"), tf.Variable(0.0, name="w")]
    clip = clipping.get("norm")
    clip([tf.constant(1.0), tf.constant(np.inf)], held)
    assert dict(clip.report().non_finite) == {"w:0 (number 2)": 1}


# --- what to try ------------------------------------------------------------------------------------------------------


def test_bounds_are_read_off_a_history() -> None:
    norms = RANDOM.lognormal(size=1000)
    found = {each.method: each for each in clipping.suggest({"generator": [*norms, np.nan]})}
    assert set(found) == {"global_norm", "auto"}
    suggested = found["global_norm"]
    assert suggested.network == "generator"
    assert list(suggested.bounds) == sorted(suggested.bounds)
    for bound, share in zip(suggested.bounds, suggested.acts, strict=True):
        assert share == pytest.approx(np.mean(norms > bound))
    np.testing.assert_allclose(suggested.acts, [0.5, 0.25, 0.1, 0.01], atol=0.03)
    assert f"median norm {np.median(norms):.3g}" in str(suggested)


def test_bounds_are_read_off_a_run(tmp_path: Path) -> None:
    import ganmedic

    path = tmp_path / "run.ganmedic"
    weight = tf.Variable(tf.ones([4, 1]), name="weight")
    optimizer = keras.optimizers.SGD(1e-3)

    @tf.function
    def step(samples: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(samples @ weight))
        optimizer.apply_gradients([(tape.gradient(loss, weight), weight)])

    norms = []
    with ganmedic.watch(record_path=path) as examination:
        for _ in range(40):
            samples = tf.constant(RANDOM.normal(size=(8, 4)), tf.float32)
            norms.append(float(tf.norm(2.0 / 8.0 * tf.transpose(samples) @ (samples @ weight))))
            step(samples)
    for source in (path, str(path), examination):
        found = {each.method: each for each in clipping.suggest(source)}
        assert set(found) == {"global_norm", "auto", "norm", "value", "adaptive"}
        assert found["global_norm"].bounds[0] == pytest.approx(np.median(norms), rel=0.06)
        assert found["value"].bounds[-1] < found["norm"].bounds[-1] * 1.01


@pytest.mark.parametrize(
    ("observed", "message"),
    [
        ([1.0] * 5, r"5 finite norms came for network; 20 steps at least"),
        ([-1.0] * 30, r"a norm of network is -1; norms are 0 or more"),
        (object(), r"object came; a record, the path of one"),
        (Record(), r"holds no gradient call with 20 measured steps"),
    ],
)
def test_nothing_is_read_off_too_little(observed: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        clipping.suggest(observed)
