"""Features that need no network: against plain loops, and the same on every machine."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ganmedic import metrics
from ganmedic.metrics import extractors
from ganmedic.metrics.extractors.random_convolutions import RandomConvolutions, _resized
from ganmedic.metrics.samples import paired


def naive(image, first, second):
    """Both convolutions, by loops over positions."""

    def convolved(maps, weights, size):
        height, width, _ = maps.shape
        padded = np.pad(maps, ((size // 2,) * 2, (size // 2,) * 2, (0, 0)), mode="edge")
        result = np.zeros((height, width, weights.shape[1]))
        for row in range(height):
            for column in range(width):
                result[row, column] = padded[row : row + size, column : column + size].reshape(-1) @ weights
        return np.maximum(result, 0)

    maps = convolved(image, first, 5)
    halved = np.array(
        [[maps[2 * r : 2 * r + 2, 2 * c : 2 * c + 2].mean(axis=(0, 1)) for c in range(5)] for r in range(4)]
    )
    maps = convolved(halved, second, 3)
    return np.concatenate([maps.mean(axis=(0, 1)), maps.std(axis=(0, 1))])


def test_random_convolutions_are_what_loops_find():
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 10, 2)).astype(np.float32)
    extractor = RandomConvolutions(seed=4, filters=7)
    weights = extractor._weights(2)
    np.testing.assert_allclose(extractor(images), [naive(image, *weights) for image in images], atol=1e-5)
    np.testing.assert_allclose(extractor(images[::-1]), extractor(images)[::-1], atol=1e-5)


def test_random_weights_are_those_of_every_machine():
    first, second = RandomConvolutions(seed=0, filters=64)._weights(3)
    drawn = np.random.Generator(np.random.Philox(0)).standard_normal(75 * 16 + 144 * 64)
    np.testing.assert_allclose(first, drawn[:1200].reshape(75, 16) * np.sqrt(2 / 75), rtol=1e-6)
    then = drawn[1200:].reshape(144, 64) * np.sqrt(2 / 144)
    np.testing.assert_allclose(second, then - then.mean(axis=0), atol=1e-6)
    waves = np.sin(np.arange(2 * 32 * 32 * 3) ** 1.3 / 500).reshape(2, 32, 32, 3)
    features = extractors.get("random")(waves)
    assert features.shape == (2, 384)
    np.testing.assert_allclose(
        features[:, [0, 70, 200, 383]],
        [[0.26053, 0.13133, 0.15648, 0.10799], [0.30252, 0.12737, 0.03661, 0.04460]],
        atol=1e-4,
    )


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (33, 47, 2), (64, 64, 4), (200, 130, 3), (1024, 1024, 3)])
def test_random_features_take_images_of_many_sizes(shape):
    images = np.random.default_rng(1).uniform(-1, 1, (2, *shape)).astype(np.float32)
    features = extractors.get("random", filters=8)(images)
    assert features.shape == (2, 16 * min(3, 1 + sum(side < min(shape[:2]) for side in (32, 16, 8))))
    assert np.isfinite(features).all()
    assert (features.std(axis=0) > 0).all()


def test_bytes_and_floats_have_the_same_features():
    images = np.random.default_rng(2).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    extractor = extractors.get("random")
    np.testing.assert_allclose(extractor(images), extractor((images / 127.5 - 1).astype(np.float32)), atol=1e-5)


def test_resizing_averages_areas():
    images = np.random.default_rng(3).uniform(size=(1, 8, 12, 2)).astype(np.float32)
    expected = images.reshape(1, 4, 2, 6, 2, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(_resized(images, 4, 6), expected, rtol=1e-6)
    ramp = np.arange(3, dtype=np.float32).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(_resized(ramp, 2, 1).ravel(), [1 / 3, 5 / 3], rtol=1e-6)


def test_random_features_of_rows_do_not_depend_on_their_units():
    random = np.random.default_rng(4)
    real, fake = random.normal(size=(2, 100, 3)) * [1.0, 2.0, 3.0]
    wanted = ["kid", "precision_recall"]
    one = metrics.measure(real, fake, wanted)
    other = metrics.measure(real * [1, 1000, 1e-3] + 5, fake * [1, 1000, 1e-3] + 5, wanted)
    assert one[0].extractor == "random-relu-256, seed 0"
    assert [score.value for score in one] == pytest.approx([score.value for score in other], rel=1e-3, abs=1e-5)
    constant = extractors.get("random").fit(paired(np.ones((5, 2)), np.ones((5, 2)))[0])
    assert np.isfinite(constant(np.ones((5, 2)))).all()


def test_seeds_are_other_features_under_another_name():
    images = np.random.default_rng(5).uniform(-1, 1, (2, 16, 16, 1)).astype(np.float32)
    one, other = (extractors.get("random", seed=seed) for seed in (0, 1))
    assert (one.name, other.name) == ("random-conv-64, seed 0", "random-conv-64, seed 1")
    assert not np.allclose(one(images), other(images))


def test_nothing_of_tensorflow_is_imported():
    program = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
import numpy as np
from ganmedic import metrics
images = np.random.default_rng(0).integers(0, 256, (25, 16, 16, 3), dtype=np.uint8)
assert len(metrics.measure(images, images[::-1])) == 11
try:
    metrics.extractors.get("inception")
except ImportError as error:
    assert "ganmedic[tensorflow]" in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", program], check=True, env={"OPENBLAS_NUM_THREADS": "1"})
