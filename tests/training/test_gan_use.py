"""What a GAN takes, what it gives back, and what it refuses."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_gans import compiled, in_order, networks, pictures, points

import ganmedic
from ganmedic.data import open_source
from ganmedic.data.output_range import RangeWarning
from ganmedic.training import fitting_data, state

pytestmark = pytest.mark.tensorflow

FIGURES = {"d_loss", "g_loss", "real_score", "fake_score", "d_accuracy", "d_gradient_norm", "g_gradient_norm"}


def test_it_needs_no_argument_and_takes_every_kind_of_data() -> None:
    gan = ganmedic.GAN(*networks())
    gan.compile()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        history = gan.fit(points(70), epochs=2, verbose=0).history
        assert set(history) >= FIGURES
        assert {len(values) for values in history.values()} == {2}
        assert np.isfinite([*history.values()]).all()
        # 70 samples are one batch of 64 an epoch.
        assert int(gan.steps) == 2
        gan.fit(in_order(points()), verbose=0)
        assert int(gan.steps) == 6
        gan.fit(open_source(points()), batch_size=16, verbose=0)
        assert int(gan.steps) == 8
    assert set(gan.row_names) == set(history)


def test_evaluate_gives_losses_and_leaves_the_networks_alone() -> None:
    gan = compiled()
    gan.fit(points(), batch_size=8, verbose=0)
    before = state.snapshot(gan)
    result = gan.evaluate(points(16, seed=1), batch_size=16, return_dict=True, verbose=0)
    assert set(result) == {"d_loss", "g_loss", "real_score", "fake_score"}
    real_score = gan.discriminator(points(16, seed=1)).numpy().mean()
    assert result["real_score"] == pytest.approx(float(real_score), rel=1e-5)
    for name, array in state.snapshot(gan).items():
        if name != "random":
            assert array.tobytes() == before[name].tobytes(), name


def test_a_sample_depends_on_the_seed_alone() -> None:
    gan = compiled(noise=True)
    gan.fit(points(), batch_size=8, epochs=3, verbose=0)
    before = state.snapshot(gan)
    many = gan.generate(130, seed=4, batch_size=130)
    np.testing.assert_allclose(gan.generate(3, seed=4, batch_size=130)[0], gan.generate(1, seed=4)[0], rtol=1e-5)
    np.testing.assert_array_equal(many, gan.generate(130, seed=4, batch_size=130))
    assert not np.allclose(many, gan.generate(130, seed=5, batch_size=130))
    assert not np.allclose(many, gan.generate(130, seed=4, batch_size=130, averaged=False))
    for name, array in state.snapshot(gan).items():
        assert array.tobytes() == before[name].tobytes(), name


def test_the_first_samples_are_the_same_for_every_count() -> None:
    gan = compiled()
    many = gan.generate(130, seed=4)
    assert many.shape == (130, 2)
    for count in (1, 63, 64, 65, 129):
        np.testing.assert_allclose(gan.generate(count, seed=4), many[:count], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gan.generate(130, seed=4, batch_size=7), many, rtol=1e-5, atol=1e-6)
    latents = [gan.generate(1, seed=seed)[0] for seed in range(20)]
    assert len(np.unique(np.round(latents, 5), axis=0)) == 20


def test_averaged_samples_are_those_of_the_averaged_weights() -> None:
    gan = compiled(ema=0.999)
    first = gan.generate(4, averaged=False)
    gan.fit(points(), batch_size=8, epochs=2, verbose=0)
    trained, averaged = gan.generate(4, averaged=False), gan.generate(4)
    with gan.ema.applied(gan.generator):
        np.testing.assert_allclose(averaged, gan.generate(4, averaged=False), rtol=1e-6)
    assert np.abs(trained - averaged).max() > 0
    assert np.abs(trained - first).max() > 0
    without = compiled(ema=None)
    np.testing.assert_array_equal(without.generate(4), without.generate(4, averaged=False))


def test_colours_come_back_as_colours() -> None:
    images = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1)).astype(np.uint8)
    gan = ganmedic.GAN(*pictures(), seed=1)
    gan.compile()
    gan.fit(images, batch_size=8, verbose=0)
    made = gan.generate(4)
    assert (made.dtype, made.shape) == (np.uint8, (4, 8, 8, 1))
    raw = gan([tf.zeros([1, 4])][0]).numpy()
    assert np.abs(raw).max() <= 1.0
    np.testing.assert_array_equal(gan.normalisation.apply(np.uint8([[[[0]], [[255]]]])).ravel(), [-1.0, 1.0])
    gan.generator.layers[0].bias.assign(np.full(64, np.nan, np.float32))
    assert gan.generate(2, averaged=False).dtype == np.uint8


@pytest.mark.parametrize(
    ("data", "activation", "expected"),
    [
        (np.arange(256, dtype=np.uint8).reshape(-1, 1), "tanh", (-1.0, 1.0)),
        (np.arange(100, dtype=np.uint8).reshape(-1, 1), "tanh", (-1.0, 99 / 127.5 - 1)),
        (np.arange(256, dtype=np.uint8).reshape(-1, 1), "sigmoid", (0.0, 1.0)),
        (np.arange(256, dtype=np.uint8).reshape(-1, 1), "linear", (-1.0, 1.0)),
        (np.linspace(-1, 1, 9)[:, None], "tanh", None),
        (np.linspace(0, 1, 9)[:, None], "sigmoid", None),
        (np.linspace(-1, 1, 9)[:, None], "sigmoid", (0.0, 1.0)),
        (np.linspace(-7, 21, 9)[:, None], "tanh", (-1.0, 1.0)),
        (np.arange(-4, 5)[:, None], "tanh", (-1.0, 1.0)),
        (points(500), "linear", None),
        (100.0 + points(500), "linear", "standard"),
        (0.01 * points(500), "linear", "standard"),
    ],
)
def test_data_are_brought_to_what_the_generator_gives(data: Any, activation: str, expected: Any) -> None:
    known = fitting_data.normalisation_for(data, activation)
    if expected is None:
        assert known is None
        return
    scaled = known.apply(data)
    if expected == "standard":
        np.testing.assert_allclose([scaled.mean(), scaled.std()], [0.0, 1.0], atol=1e-3)
    else:
        np.testing.assert_allclose([scaled.min(), scaled.max()], expected, atol=1e-6)


def test_a_dataset_is_judged_by_its_first_batch() -> None:
    colours = in_order(np.full((8, 1), 90, np.uint8))
    np.testing.assert_array_equal(
        fitting_data.normalisation_for(colours, "tanh").apply(np.uint8([[0], [255]])), [[-1], [1]]
    )
    assert fitting_data.normalisation_for(in_order(np.linspace(-1, 1, 8)[:, None]), "tanh") is None
    with pytest.raises(ValueError, match=r"reaches from -2 to 2, the generator's tanh from -1 to 1"):
        fitting_data.normalisation_for(in_order(np.linspace(-2, 2, 8)[:, None]), "tanh")
    with pytest.warns(RangeWarning, match="learns such data slowly"):
        assert fitting_data.normalisation_for(in_order(np.linspace(100, 200, 8)[:, None]), "linear") is None
    with pytest.raises(ValueError, match="no element"):
        fitting_data.normalisation_for(in_order(np.zeros((8, 1))).take(0), "tanh")


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([keras.layers.Dense(2, activation="tanh")], "tanh"),
        ([keras.layers.Dense(4), keras.layers.Activation("sigmoid"), keras.layers.Reshape((2, 2))], "sigmoid"),
        ([keras.layers.Dense(2, activation="tanh"), keras.layers.Dense(2)], "linear"),
        ([keras.layers.Dense(2, activation="elu")], "linear"),
        ([keras.layers.Dense(2, activation="tanh"), keras.layers.Rescaling(3.0)], "linear"),
    ],
)
def test_the_last_activation_is_seen(layers: list[Any], expected: str) -> None:
    network = keras.Sequential([keras.Input((4,)), *layers])
    assert fitting_data.output_activation(network) == expected


def made(classes: int | None = None, **options: Any) -> ganmedic.GAN:
    return ganmedic.GAN(*networks(classes), classes=classes, **options)


def dense(inputs: int, outputs: int) -> keras.Model:
    return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(outputs)])


MISUSE: dict[str, tuple[Callable[[], Any], str]] = {
    "no model": (lambda: ganmedic.GAN("g", networks()[1]), "generator is 'g'; a keras.Model is expected"),
    "a class": (
        lambda: ganmedic.GAN(networks()[0], keras.layers.Dense),
        "discriminator is .*; a keras.Model is expected",
    ),
    "one network": (lambda: ganmedic.GAN(*[networks()[0]] * 2), "are the same model; two are expected"),
    "other shapes": (
        lambda: ganmedic.GAN(dense(4, 3), dense(2, 1)),
        r"samples of shape \(3,\).*takes \(2,\); the same",
    ),
    "other ranks": (lambda: ganmedic.GAN(networks()[0], pictures()[1]), r"samples of shape \(2,\).*takes \(8, 8, 1\)"),
    "one class": (lambda: ganmedic.GAN(*networks(2), classes=1), "classes is 1; .*2 or more|classes.*1.*2"),
    "labels unsaid": (lambda: ganmedic.GAN(*networks(3)), r"takes 2 inputs; 1 is expected.*classes=10"),
    "no labels read": (
        lambda: ganmedic.GAN(*networks(), classes=3),
        "takes 1 inputs; 2 are expected, latents and labels",
    ),
    "bad seed": (lambda: made(seed=-1), "seed is -1"),
    "bad normalisation": (lambda: made(normalisation=255), 'normalisation is 255; .*"auto" or None is expected'),
    "not compiled": (lambda: made().fit(points()), "not compiled. Call gan.compile"),
    "loss misspelt": (lambda: compiled(loss="hing"), "Did you mean 'hinge'"),
    "penalty misspelt": (lambda: compiled(penalties=["r3"]), "'r3'"),
    "penalties a number": (lambda: compiled(penalties=10), r"penalties is 10; a list such as"),
    "clip of nobody": (
        lambda: compiled(clip={"critic": "auto"}),
        "clip is given for 'critic'; 'generator' and 'discriminator'",
    ),
    "optimizer unknown": (
        lambda: compiled(generator_optimizer="adm"),
        "generator_optimizer is 'adm'; a Keras optimizer",
    ),
    "optimizer shared": (
        lambda: compiled(
            **dict.fromkeys(["generator_optimizer", "discriminator_optimizer"], keras.optimizers.SGD(0.1))
        ),
        "are the same object; one for each player",
    ),
    "accumulation": (lambda: compiled(accumulation=0), "accumulation is 0"),
    "simultaneous": (lambda: compiled(simultaneous="yes"), "simultaneous is 'yes'"),
    "at once in turns": (
        lambda: compiled(simultaneous=True, balance=ganmedic.balance.Turns(2)),
        "simultaneous=True came with Turns.*Leave one of them out",
    ),
    "two of a kind": (
        lambda: compiled(balance=[ganmedic.balance.Turns(2), ganmedic.balance.Turns(3)]),
        "balance has two of Turns",
    ),
    "turns in one execution": (
        lambda: compiled(balance="n_critic", steps_per_execution=4),
        "steps_per_execution is 4; 1 is expected with n_critic",
    ),
    "packed classes": (lambda: compiled(2, balance=["packing"]), "packing puts samples of several classes together"),
    "augmented points": (lambda: compiled(augment="diff_augment"), r"transforms images.*shape \(2,\)"),
    "ema": (lambda: compiled(ema="yes"), "ema is 'yes'; an ExponentialMovingAverage"),
    "critic unbound": (lambda: compiled(loss="wasserstein", penalties=None), "Wasserstein|Lipschitz"),
    "other data": (lambda: compiled().fit(points(8, 3)), r"shape \(8, 3\) came; \(n, 2\) is expected"),
    "not batched": (
        lambda: compiled().fit(tf.data.Dataset.from_tensor_slices(points(8, 3))),
        r"gives \(3,\).*Is it batched\?|dataset gives",
    ),
    "too few": (lambda: compiled().fit(points(8), batch_size=16), "8 samples came, fewer than the batch size, 16"),
    "words": (lambda: compiled().fit(np.array([["a", "b"]])), "real numbers are expected"),
    "not finite": (lambda: compiled().fit(np.full((8, 2), np.nan)), "not finite|NaN"),
    "no labels": (lambda: compiled(3).fit(points(8)), r"no labels came, and this GAN has 3 classes"),
    "labels beyond": (lambda: compiled(3).fit(points(8), np.arange(8)), "labels reach from 0 to 7; 0 to 2"),
    "labels that are floats": (lambda: compiled(3).fit(points(8), np.ones(8)), "whole numbers of shape"),
    "fewer labels": (lambda: compiled(3).fit(points(8), np.zeros(5, int)), r"shape \(5,\)|5 labels"),
    "count": (lambda: made().generate(0), "count is 0"),
    "seed": (lambda: made().generate(1, seed=-1), "seed is -1"),
    "labels without classes": (lambda: made().generate(2, labels=[0, 1]), "labels came, and this GAN has no classes"),
    "a label too many": (lambda: made(3).generate(2, labels=3), "labels reach from 3 to 3; 0 to 2"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_is_answered(name: str) -> None:
    act, expected = MISUSE[name]
    with pytest.raises((ValueError, TypeError), match=expected) as refused:
        act()
    assert any(word in str(refused.value) for word in ("expected", "Leave", "Call", "Add", "Give"))
