"""Every clip by the same measure."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from modes import assert_same_in_every_mode, retraces

import devices
from ganmedic import clipping

pytestmark = pytest.mark.tensorflow
RANDOM = np.random.default_rng(2)
OPTIONS = {"value": {"bound": 0.5}, "adaptive": {"bound": 0.1}, "auto": {"percentile": 50.0}, "weights": {"bound": 0.2}}
every_clip = pytest.mark.parametrize("name", clipping.names())


def made(name: str, **options: Any) -> clipping.Clip:
    return clipping.get(name, **OPTIONS.get(name, {}), **options)


def variables(dtype: str = "float32") -> list[tf.Variable]:
    shapes = {"kernel": (4, 3), "bias": (3,), "table": (6, 2), "unused": ()}
    return [
        tf.Variable(np.random.default_rng(5).normal(size=shape), dtype=dtype, name=name)
        for name, shape in shapes.items()
    ]


def gradients(dtype: str = "float32", scale: float = 1.0) -> list[Any]:
    random = np.random.default_rng(6)
    dense = [tf.constant(scale * random.normal(size=shape), dtype) for shape in ((4, 3), (3,))]
    rows = tf.constant(scale * random.normal(size=(3, 2)), dtype)
    return [*dense, tf.IndexedSlices(rows, tf.constant([4, 1, 4]), tf.constant([6, 2])), None]


@every_clip
@pytest.mark.parametrize("non_finite", ["keep", "zero"])
def test_config_round_trip(name: str, non_finite: str) -> None:
    clip = made(name, non_finite=non_finite)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(clip))
    assert type(again) is type(clip)
    assert again.get_config() == clip.get_config()
    for one, two in zip(clip(gradients(), variables()), again(gradients(), variables()), strict=True):
        assert (one is None and two is None) or np.array_equal(tf.convert_to_tensor(one), tf.convert_to_tensor(two))


@every_clip
def test_structure_and_kinds_are_kept(name: str) -> None:
    clip, held = made(name), variables()
    kernel, bias, table, unused = gradients()
    result = clip({"a": (kernel, bias), "b": [table, unused]}, {"a": (held[0], held[1]), "b": [held[2], held[3]]})
    assert isinstance(result, dict)
    assert isinstance(result["a"], tuple)
    assert isinstance(result["b"][0], tf.IndexedSlices)
    assert result["b"][1] is None
    assert clip([None], [held[3]]) == [None]


@every_clip
def test_same_in_every_mode(name: str) -> None:
    def make() -> Any:
        clip, held = made(name), variables()
        given = gradients()

        def function(scale: Any) -> Any:
            scaled = [
                None
                if g is None
                else tf.IndexedSlices(g.values * scale, g.indices, g.dense_shape)
                if isinstance(g, tf.IndexedSlices)
                else g * scale
                for g in given
            ]
            return [tf.convert_to_tensor(g) for g in clip(scaled, held) if g is not None]

        return function

    assert_same_in_every_mode(make, tf.constant(2.0), calls=3)


@every_clip
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_keeps_the_type(name: str, dtype: str) -> None:
    full = made(name)(gradients(), variables())
    other = made(name)(gradients(dtype), variables(dtype))
    for one, two in zip(full, other, strict=True):
        if one is not None:
            assert two.dtype.name == dtype
            np.testing.assert_allclose(
                tf.cast(tf.convert_to_tensor(two), tf.float32), tf.convert_to_tensor(one), rtol=2e-2, atol=2e-2
            )


@every_clip
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_named_and_spreads_to_no_other(name: str, bad: float) -> None:
    clip, held = made(name), variables()
    kernel, bias, table, _ = gradients()
    spoilt = tf.tensor_scatter_nd_update(bias, [[1]], [bad])
    result = clip([kernel, spoilt, table, None], held)
    without = made(name)([kernel, None, table, None], variables())
    for index in (0, 2):
        np.testing.assert_allclose(tf.convert_to_tensor(result[index]), tf.convert_to_tensor(without[index]), rtol=1e-6)
    assert not np.isfinite(result[1]).all()
    report = clip.report()
    assert report.non_finite_steps == 1
    assert dict(report.non_finite) == {"bias:0": 1}
    assert "bias:0 (1)" in str(report)
    zeroed = made(name, non_finite="zero")([kernel, spoilt, table, None], variables())
    assert np.array_equal(zeroed[1], np.zeros(3))


@every_clip
@pytest.mark.parametrize("scale", [0.0, 1e30, 1e-30])
def test_extreme_gradients_stay_finite(name: str, scale: float) -> None:
    clip = made(name)
    result = clip(gradients(scale=scale), variables())
    assert all(np.isfinite(tf.convert_to_tensor(each)).all() for each in result if each is not None)
    assert clip.report().non_finite_steps == 0


@every_clip
def test_a_gradient_within_the_bound_is_untouched(name: str) -> None:
    loose = clipping.get(name, **{"auto": {"percentile": 100.0}}.get(name, {"bound": 1e6}))
    given = gradients()
    result = loose(given, variables())
    for before, after in zip(given, result, strict=True):
        if before is not None:
            assert np.array_equal(tf.convert_to_tensor(before), tf.convert_to_tensor(after))
    assert loose.report().clipped == 0
    assert loose.report().steps == 1


@every_clip
def test_is_traced_once(name: str) -> None:
    clip, held = made(name), variables()
    given = gradients()
    assert retraces(lambda: [tf.convert_to_tensor(g) for g in clip(given, held) if g is not None]) == 0


@every_clip
def test_report_and_state_go_on_from_a_checkpoint(name: str, tmp_path: Any) -> None:
    clip, held = made(name), variables()
    for scale in (1.0, 4.0, 2.0):
        clip(gradients(scale=scale), held)
    path = tf.train.Checkpoint(clip=clip).save(str(tmp_path / "clip"))
    again = made(name)
    tf.train.Checkpoint(clip=again).restore(path)
    for one, two in zip(clip(gradients(), held), again(gradients(), held), strict=True):
        assert (one is None and two is None) or np.array_equal(tf.convert_to_tensor(one), tf.convert_to_tensor(two))
    assert clip.report() == again.report()
    assert again.report().steps == 4


@every_clip
def test_replicas_clip_the_sum_of_their_gradients(name: str) -> None:
    given = gradients()[:2]
    alone = made(name)(given, variables()[:2])
    strategy = devices.mirrored()
    with strategy.scope():
        held, clip = variables()[:2], made(name)
        clip.build(held)
    halves = [
        strategy.experimental_distribute_values_from_function(
            lambda context, g=g: g * (0.25 if context.replica_id_in_sync_group else 0.75)
        )
        for g in given
    ]

    @tf.function
    def step(parts: list[Any]) -> Any:
        return strategy.run(lambda each: clip(each, held), args=(parts,))

    together = step(halves)
    for one, parts in zip(alone, together, strict=True):
        np.testing.assert_allclose(strategy.reduce("SUM", parts, axis=None), one, rtol=1e-5, atol=1e-7)
    assert clip.report().steps == 1
