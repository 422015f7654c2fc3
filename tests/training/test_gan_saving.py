"""A `.keras` file goes on where the GAN was, to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from small_gans import compiled, in_order, networks, pictures, points

import ganmedic
from ganmedic.training import state

pytestmark = pytest.mark.tensorflow


def plain() -> tuple[ganmedic.GAN, Any]:
    return compiled(), in_order(points())


def conditional_with_all_that_remembers() -> tuple[ganmedic.GAN, Any]:
    gan = compiled(
        3,
        loss="hinge",
        penalties=["r1", ganmedic.penalties.LeCam(start=1), "gradient_penalty"],
        clip={"generator": "auto", "discriminator": "auto"},
        balance=[ganmedic.balance.Turns(2, 1), ganmedic.balance.InstanceNoise(0.2, steps=20, seed=5)],
        accumulation=2,
        ema=0.9,
    )
    return gan, in_order(points(40), np.arange(40) % 3)


def images_in_half_precision() -> tuple[ganmedic.GAN, Any]:
    keras.mixed_precision.set_global_policy("mixed_float16")
    gan = ganmedic.GAN(*pictures(), seed=3)
    gan.compile(augment=ganmedic.augmentation.AdaptiveAugmentation(interval=1, images=50, pipeline="b", seed=1))
    return gan, in_order(np.random.default_rng(0).integers(0, 256, (24, 8, 8, 1)).astype(np.uint8))


@pytest.mark.parametrize("make", [plain, conditional_with_all_that_remembers, images_in_half_precision])
def test_a_file_goes_on_bit_for_bit(make: Any, tmp_path: Path) -> None:
    gan, data = make()
    gan.fit(data, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    before, after = state.snapshot(gan), state.snapshot(loaded)
    assert before.keys() == after.keys()
    histories = [each.fit(data, verbose=0).history for each in (gan, loaded)]
    assert histories[0] == histories[1]
    left, right = state.snapshot(gan), state.snapshot(loaded)
    for name, array in left.items():
        assert array.tobytes() == right[name].tobytes(), name
    changed = [name for name in left if left[name].tobytes() != before[name].tobytes()]
    for what in ("generator/", "discriminator/", "generator_optimizer/", "steps", "random"):
        assert any(name.startswith(what) for name in changed), what
    np.testing.assert_array_equal(gan.generate(5), loaded.generate(5))
    assert loaded.normalisation == gan.normalisation


def test_weights_only_and_configurations(tmp_path: Path) -> None:
    gan, data = conditional_with_all_that_remembers()
    again = ganmedic.GAN.from_config(gan.get_config())
    assert again.get_config()["generator"] == gan.get_config()["generator"]
    assert (again.classes, again.latent_shape, again.sample_shape, again.seed) == (3, (4,), (2,), 3)
    again.compile_from_config(gan.get_compile_config())
    assert again.get_compile_config() == gan.get_compile_config()
    before = state.snapshot(gan)
    gan.fit(data, epochs=2, verbose=0)
    trained = state.snapshot(gan)
    moved = {name.split("/")[0] for name, array in trained.items() if array.tobytes() != before[name].tobytes()}
    for part in ("penalty LeCam 1", "penalty GradientPenalty 2", "clip Auto generator", "balance noise", "average"):
        assert part in moved
    gan.save_weights(tmp_path / "gan.weights.h5")
    again.load_weights(tmp_path / "gan.weights.h5")
    taken = state.snapshot(again)
    for name, array in trained.items():
        assert array.tobytes() == taken[name].tobytes(), name


def test_a_gan_that_is_not_compiled_is_saved_with_its_weights(tmp_path: Path) -> None:
    gan = ganmedic.GAN(*networks(), seed=3)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    for one, other in zip(gan.generator.get_weights(), loaded.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(gan.generate(3), loaded.generate(3))


def test_the_best_epoch_is_kept_and_training_ends_early(tmp_path: Path) -> None:
    gan = compiled()
    callbacks = [
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="g_loss", mode="min", save_best_only=True),
        keras.callbacks.EarlyStopping("d_loss", mode="min", patience=0, min_delta=10.0),
    ]
    history = gan.fit(points(), batch_size=8, epochs=50, callbacks=callbacks, verbose=0)
    assert len(history.epoch) == 2, "no epoch is ten better than the first, so the second is the last"
    best = int(np.argmin(history.history["g_loss"]))
    assert int(keras.saving.load_model(tmp_path / "best.keras").steps) == 4 * (best + 1)


def test_a_state_of_another_gan_is_refused_and_changes_nothing() -> None:
    gan = compiled()
    arrays = state.snapshot(gan)
    before = {name: array.copy() for name, array in arrays.items()}
    with pytest.raises(ValueError, match="has no 'random'"):
        state.restore(gan, {name: array for name, array in arrays.items() if name != "random"})
    with pytest.raises(ValueError, match="has besides 'extra'"):
        state.restore(gan, {**arrays, "extra": np.zeros(1)})
    with pytest.raises(ValueError, match=r"generator/0000 of shape \(9, 9\)"):
        state.restore(
            gan,
            {name: array + 1 if array.dtype == np.float32 else array for name, array in arrays.items()}
            | {"generator/0000": np.zeros((9, 9))},
        )
    for name, array in state.snapshot(gan).items():
        assert array.tobytes() == before[name].tobytes(), name
