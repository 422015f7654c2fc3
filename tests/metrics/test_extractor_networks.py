"""The extractors that are networks, and MS-SSIM beside TensorFlow's."""

from __future__ import annotations

import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganmedic import metrics
from ganmedic.metrics import extractors
from ganmedic.metrics.structural_similarity import WEIGHTS, ms_ssim, scales, window

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("shape", [(200, 176, 3), (100, 91, 1), (64, 64, 3), (28, 28, 1), (9, 8, 2)])
def test_ms_ssim_is_that_of_tensorflow(shape):
    random = np.random.default_rng(0)
    first = random.uniform(0, 1, (3, *shape))
    noise = np.array([0.05, 0.5, 3.0]).reshape(3, 1, 1, 1)
    second = np.clip(first + random.normal(size=first.shape) * noise, 0, 1)
    used = WEIGHTS[: scales(*shape[:2])]
    expected = tf.image.ssim_multiscale(
        tf.constant(first, tf.float32),
        tf.constant(second, tf.float32),
        1.0,
        power_factors=[weight / sum(used) for weight in used],
        filter_size=window(*shape[:2]),
    )
    np.testing.assert_allclose(ms_ssim(first, second), expected.numpy(), atol=2e-5)
    assert scales(176, 200) == 5


def striped(count, seed):
    """Images of horizontal or vertical stripes of random phase, and which of the two."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count)
    places = np.arange(8)
    waves = np.sin(places / 8 * 4 * np.pi + random.uniform(0, 6.28, (count, 1)))[:, :, None] * np.ones((1, 1, 8))
    images = np.where(labels[:, None, None], waves, waves.transpose(0, 2, 1)) + random.normal(0, 0.2, (count, 8, 8))
    return np.clip(images[..., None], -1, 1).astype(np.float32), labels


def test_a_classifier_learns_keeps_its_accuracy_and_leaves_the_programs_numbers_alone(tmp_path):
    images, labels = striped(400, 0)
    keras.utils.set_random_seed(3)
    untouched = tf.random.normal([2]).numpy(), np.random.random()
    keras.utils.set_random_seed(3)
    classifier = extractors.train_classifier(images, labels, epochs=4, features=16)
    np.testing.assert_array_equal(tf.random.normal([2]).numpy(), untouched[0])
    assert np.random.random() == untouched[1]
    assert classifier.accuracy > 0.9
    assert classifier.name == f"classifier-16, 2 classes, accuracy {classifier.accuracy:.3f}, seed 0"

    others, truth = striped(100, 1)
    answers = classifier.probabilities(others)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
    assert (answers.argmax(axis=1) == truth).mean() > 0.9
    # The last layer on the features comes to the probabilities.
    kernel, bias = classifier.network.get_layer("scores").get_weights()
    np.testing.assert_allclose(tf.nn.softmax(classifier(others) @ kernel + bias).numpy(), answers, rtol=1e-4, atol=1e-6)

    classifier.save(tmp_path / "classifier.keras")
    assert os.listdir(tmp_path) == ["classifier.keras"]
    loaded = extractors.get("classifier", path=tmp_path / "classifier.keras")
    np.testing.assert_allclose(loaded(others), classifier(others), rtol=1e-5, atol=1e-6)
    assert loaded.name == classifier.name

    found = metrics.measure(others, others[truth == 1], ["precision_recall"], extractor=loaded)
    assert found[0].extractor == classifier.name
    assert found[0].value == 1
    assert found[1].value < 0.7
    assert metrics.class_coverage(classifier.probabilities(others[truth == 1]), 2).divergence > 0.5


def test_training_is_the_same_for_a_seed():
    images, labels = striped(60, 2)
    one, other = (extractors.train_classifier(images, labels, seed=5, epochs=1, features=4) for _ in range(2))
    np.testing.assert_allclose(one(images), other(images), rtol=1e-4, atol=1e-5)


def test_what_a_classifier_is_not_made_of_is_refused(tmp_path):
    images, labels = striped(20, 3)
    for run, words in (
        (lambda: extractors.train_classifier(images, labels[:-1]), "one whole number"),
        (lambda: extractors.train_classifier(images, labels * 0), "at least 2 classes"),
        (lambda: extractors.train_classifier(images[:, :6], labels), "8 x 8"),
        (lambda: extractors.load_classifier(__file__), "Classifier.save"),
    ):
        with pytest.raises(ValueError, match="expected") as caught:
            run()
        assert words in str(caught.value)
    classifier = extractors.train_classifier(images, labels, epochs=1, features=4)
    with pytest.raises(ValueError, match="as in training"):
        classifier(np.zeros((2, 16, 16, 1), np.float32))
    with pytest.raises(ValueError, match=r"'\.keras'"):
        classifier.save(tmp_path / "classifier.h5")


def test_inception_never_downloads_unasked_and_takes_weights_that_are_there(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="nothing is downloaded unasked"):
        extractors.get("inception")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        extractors.get("inception", weights_file=tmp_path / "none.weights.h5")
    network = keras.applications.InceptionV3(include_top=False, weights=None, pooling="avg", input_shape=(299, 299, 3))
    network.save_weights(tmp_path / "own.weights.h5")
    extractor = extractors.get("inception", weights_file=tmp_path / "own.weights.h5")
    assert extractor.name == "keras inception_v3 own.weights.h5 avg-pool"
    images = np.random.default_rng(6).uniform(-1, 1, (2, 299, 299, 1)).astype(np.float32)
    expected = network(np.repeat(images, 3, axis=-1), training=False)
    np.testing.assert_allclose(extractor(images), expected, rtol=1e-3, atol=1e-5)
    small = metrics.measure(images[:, :40, :40], images[:, 40:80, :40], ["frechet"], extractor=extractor)[0]
    assert small.title == "frechet_distance (keras inception_v3 own.weights.h5 avg-pool)"
    with pytest.raises(ValueError, match="1 or 3 channels"):
        extractor(np.zeros((1, 16, 16, 4), np.float32))
