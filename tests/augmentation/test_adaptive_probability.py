"""How p follows the margins: by hand, within its bounds, over replicas, through a checkpoint."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from ganmedic.augmentation import AdaptiveAugmentation

pytestmark = pytest.mark.tensorflow


def margins(*values):
    return tf.constant([[value] for value in values], tf.float32)


SURE, UNSURE = margins(2.0, 0.1, 3.0, 9.0), margins(2.0, 0.1, -3.0, 9.0)  # r = 1 and 0.5, on either side of 0.6


def test_p_walks_by_hand():
    augment = AdaptiveAugmentation(interval=2, images=80)
    step = 4 * 2 / 80
    for batch, expected in (
        (SURE, 0),
        (SURE, step),
        (SURE, step),
        (SURE, 2 * step),
        (UNSURE, 2 * step),
        (UNSURE, step),
    ):
        augment.update(batch)
        assert float(augment.probability) == pytest.approx(expected)
    assert float(augment.overfitting) == 0.5
    # The mean of the interval counts: 1 and 0.5 make 0.75.
    augment.update(SURE)
    augment.update(UNSURE)
    assert float(augment.overfitting) == 0.75
    assert float(augment.probability) == pytest.approx(2 * step)


def test_half_a_million_images_from_0_to_1():
    augment = AdaptiveAugmentation()
    update = tf.function(augment.update)
    batch = tf.ones((500, 1))
    for _ in range(996):
        update(batch)
    assert float(augment.probability) == pytest.approx(0.996, abs=1e-5)
    for _ in range(12):
        update(batch)
    assert float(augment.probability) == 1.0


def test_p_stays_within_its_bounds():
    augment = AdaptiveAugmentation(interval=1, images=5, initial_probability=0.5, max_probability=0.8)
    augment.update(SURE)
    assert float(augment.probability) == pytest.approx(0.8)
    for _ in range(2):
        augment.update(-SURE)
    assert float(augment.probability) == 0.0
    augment._control._probability.assign(6.5)
    assert float(augment.probability) == pytest.approx(0.8)


def test_p_stays_at_the_target():
    augment = AdaptiveAugmentation(target=0.5, interval=1, initial_probability=0.25)
    augment.update(UNSURE)
    assert float(augment.probability) == 0.25


def test_what_is_not_finite_is_ignored():
    augment = AdaptiveAugmentation(interval=1, images=40)
    augment.update(margins(np.nan, np.inf, 1.0, -1.0))
    assert float(augment.overfitting) == 0.0
    augment.update(margins(np.nan, 1.0, 1.0, 1.0))
    assert float(augment.overfitting) == 1.0
    before = float(augment.probability)
    augment.update(margins(np.nan, np.nan, -np.inf, np.nan))
    assert float(augment.overfitting) == 1.0
    assert float(augment.probability) == before


def test_patches_count_as_one_image_each():
    augment = AdaptiveAugmentation(interval=1, images=40)
    augment.update(tf.ones((4, 3, 3, 1)))
    assert float(augment.probability) == pytest.approx(0.1)


def test_a_zero_margin_has_no_sign():
    augment = AdaptiveAugmentation(interval=1)
    augment.update(margins(0.0, 0.0, 1.0, -1.0))
    assert float(augment.overfitting) == 0.0


class Relativistic:
    """A loss whose boundary is the mean of the fake scores."""

    def margins(self, real_scores, fake_scores):
        return real_scores - tf.reduce_mean(fake_scores), tf.reduce_mean(real_scores) - fake_scores


def test_observe_takes_the_margins_of_the_loss():
    augment = AdaptiveAugmentation(interval=1, images=40, initial_probability=0.5)
    augment.observe(Relativistic(), margins(4.0, 5.0, 6.0, 7.0), margins(5.0, 6.0))
    assert float(augment.overfitting) == 0.0
    assert float(augment.probability) == pytest.approx(0.4)
    with pytest.raises(TypeError, match=r"has no margins\(real_scores, fake_scores\).* update\(margins\)"):
        augment.observe(object(), SURE, SURE)


@pytest.mark.parametrize("compiled", [False, True], ids=["function", "xla"])
def test_compiled_updates_are_those_of_eager_code(compiled):
    eager, other = (AdaptiveAugmentation(interval=2, images=80) for _ in range(2))
    update = tf.function(other.update, jit_compile=compiled)
    for batch in (SURE, SURE, UNSURE, SURE, -SURE):
        eager.update(batch)
        update(batch)
        for one, two in zip(eager.variables, other.variables, strict=True):
            if "random" not in one.name:
                np.testing.assert_allclose(one, two, rtol=1e-6)
    assert update.experimental_get_tracing_count() == 1


def test_replicas_measure_the_whole_batch(strategy):
    with strategy.scope():
        augment = AdaptiveAugmentation(interval=2, images=160, pipeline="c")
    # 1 on one replica and 0 on the other: 0.5 of the whole.
    parts = tf.Variable([margins(1.0, 1.0, 1.0, 1.0), margins(1.0, 1.0, -1.0, -1.0)])

    @tf.function
    def step():
        def one():
            augment.update(parts[tf.distribute.get_replica_context().replica_id_in_sync_group])
            return augment(tf.ones((2, 4, 4, 3)))

        return strategy.run(one)

    for _ in range(2):
        step()
    assert float(augment.overfitting) == 0.5
    assert float(augment.probability) == 0.0
    parts.assign(tf.ones_like(parts))
    for _ in range(2):
        step()
    assert float(augment.overfitting) == 1.0
    # 2 replicas of 4 images in 2 steps.
    assert float(augment.probability) == pytest.approx(16 / 160)
    for variable in augment.variables:
        first, second = strategy.experimental_local_results(variable)
        np.testing.assert_array_equal(first, second)


def test_a_checkpoint_in_the_middle_of_an_interval(tmp_path, images):
    def run(augment):
        augment.update(SURE)
        return augment(images).numpy(), float(augment.probability), float(augment.overfitting)

    def make():
        return AdaptiveAugmentation(interval=3, images=30, seed=4)

    augment = make()
    for _ in range(4):
        run(augment)
    path = tf.train.Checkpoint(augment=augment).save(str(tmp_path / "state"))
    again = make()
    tf.train.Checkpoint(augment=again).restore(path).assert_consumed()
    for _ in range(3):
        (first, p, r), (second, q, s) = run(augment), run(again)
        np.testing.assert_array_equal(first, second)
        assert (p, r) == (q, s)
    assert p == pytest.approx(0.8)


def test_at_0_images_come_back_to_the_last_bit_and_the_stream_goes_on(images):
    odd = images.copy()
    odd[0, 0, 0] = [np.nan, np.inf, -0.0]
    augment, other = (AdaptiveAugmentation(pipeline="bgcno", seed=2) for _ in range(2))
    same = augment(odd)
    np.testing.assert_array_equal(same.numpy().view(np.int32), odd.view(np.int32))
    compiled = tf.function(augment)
    np.testing.assert_array_equal(compiled(odd).numpy().view(np.int32), odd.view(np.int32))
    for control in (augment._control, other._control):
        control._probability.assign(0.7)
    for _ in range(2):
        other(images)
    np.testing.assert_array_equal(augment(images), other(images))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": 1.0}, "target is 1.0; a number above -1 and below 1"),
        ({"interval": 0}, "interval is 0; a whole number of at least 1"),
        ({"images": 0}, "images is 0; a number above 0"),
        ({"max_probability": 1.5}, "max_probability is 1.5; .* at most 1"),
        ({"initial_probability": 0.6, "max_probability": 0.5}, "initial_probability is 0.6; .* at most 0.5"),
    ],
)
def test_arguments_out_of_bounds(options, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveAugmentation(**options)


def test_margins_that_are_none():
    augment = AdaptiveAugmentation()
    with pytest.raises(TypeError, match="margins are int32; a floating type"):
        augment.update(tf.constant([1, 2]))
    with pytest.raises(ValueError, match="before any mean is taken"):
        augment.update(tf.constant(1.0))
