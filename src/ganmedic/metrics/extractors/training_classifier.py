"""Trains the classifier whose features then compare samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganmedic import checking
from ganmedic.metrics.extractors.classifier import FEATURES, Classifier
from ganmedic.metrics.extractors.keras_here import keras_for
from ganmedic.metrics.samples import SampleSet, check_seed, paired

_RATE, _SMALLEST = 1e-3, 8


def train_classifier(
    images: ArrayLike,
    labels: ArrayLike,
    seed: int = 0,
    epochs: int = 5,
    *,
    batch_size: int = 64,
    held_out: float = 0.1,
    features: int = 128,
    value_range: tuple[float, float] | None = None,
) -> Classifier:
    """Trains a small convolutional network on labelled images, for features that know what tells the classes apart.

    Global random numbers of the program are neither drawn nor seeded.

    Args:
        images: array (n, height, width, channels) or (n, height, width), 8 x 8 or larger; 8-bit or floats.
        labels: whole numbers (n,), 0 to classes - 1.
        seed: seed of the weights, the order and which images are held out.
        epochs: times that it goes through the images.
        batch_size: images a step.
        held_out: share of the images that is not trained on and gives the accuracy.
        features: units of the layer before the last.
        value_range: (low, high) of the images' values; found where it is not told.

    Returns:
        An extractor with its `accuracy`.

    Raises:
        TypeError, ValueError: images or labels do not fit, or an argument does not.
        ImportError: Keras is not installed.

    Example:
        classifier = metrics.extractors.train_classifier(x_train, y_train, epochs=3)
        classifier.save("classifier.keras")
        metrics.measure(x_test, generated, extractor=classifier)
    """
    keras = keras_for("train_classifier")
    owner = "train_classifier"
    seed = check_seed(owner, seed)
    checking.whole(owner, "epochs", epochs)
    checking.whole(owner, "batch_size", batch_size)
    checking.whole(owner, "features", features)
    checking.number(owner, "held_out", held_out, above=0.0, below=1.0)
    samples, answers = _labelled(owner, images, labels, value_range)
    count, classes = len(samples), int(answers.max()) + 1
    random = np.random.default_rng(seed)
    order = random.permutation(count)
    kept = order[max(1, round(held_out * count)) :]
    kept_back = order[: count - len(kept)]
    if len(kept) < 1:
        raise ValueError(
            f"{owner}: {count} images with held_out={held_out:g} leave none to train on; at least one is expected. "
            "Give more images or hold out less."
        )
    network = _network(keras, samples.values.shape[1:], classes, features, seed)
    network.compile(
        optimizer=keras.optimizers.Adam(_RATE), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    for _ in range(epochs):
        random.shuffle(kept)
        for begin in range(0, len(kept), batch_size):
            places = kept[begin : begin + batch_size]
            network.train_on_batch(samples.take(places), answers[places])
    right = 0
    for begin in range(0, len(kept_back), batch_size):
        places = kept_back[begin : begin + batch_size]
        scores = np.asarray(network(samples.take(places), training=False))
        right += int((scores.argmax(axis=1) == answers[places]).sum())
    return Classifier(network, right / len(kept_back), seed)


def _labelled(
    owner: str, images: ArrayLike, labels: ArrayLike, value_range: Any
) -> tuple[SampleSet, NDArray[np.int64]]:
    samples, _ = paired(images, images, value_range)
    if not samples.images or min(samples.values.shape[1:3]) < _SMALLEST:
        raise ValueError(
            f"{owner}: samples of shape {samples.values.shape[1:]} came; images of {_SMALLEST} x {_SMALLEST} or larger are "
            "expected. Use extractor='random' or 'pixels' for others."
        )
    answers = np.asarray(labels)
    if answers.ndim == 2 and answers.shape[1] == 1:
        answers = answers[:, 0]
    if answers.shape != (len(samples),) or answers.dtype.kind not in "iu":
        raise ValueError(
            f"{owner}: labels of shape {answers.shape} and type {answers.dtype} came with {len(samples)} images; one whole number "
            "an image is expected. Give np.argmax(one_hot, axis=1) for one-hot labels."
        )
    if answers.min() < 0 or answers.max() < 1:
        raise ValueError(
            f"{owner}: labels from {answers.min()} to {answers.max()} came; 0 to classes - 1, with at least 2 classes, are expected. "
            "Number the classes from 0."
        )
    return samples, answers.astype(np.int64)


def _network(keras: Any, shape: tuple[int, ...], classes: int, features: int, seed: int) -> Any:
    draws = (keras.initializers.HeNormal(seed=seed + place) for place in range(16))
    layers = keras.layers
    inputs = keras.Input(shape)
    maps = layers.Conv2D(32, 3, padding="same", activation="relu", kernel_initializer=next(draws))(inputs)
    side, filters = min(shape[:2]), 64
    while side > 4:
        maps = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu", kernel_initializer=next(draws))(
            maps
        )
        side, filters = (side + 1) // 2, min(128, filters * 2)
    flat = layers.GlobalAveragePooling2D()(maps) if shape[0] * shape[1] > 64**2 else layers.Flatten()(maps)
    inner = layers.Dense(features, activation="relu", kernel_initializer=next(draws), name=FEATURES)(flat)
    outputs = layers.Dense(classes, kernel_initializer=next(draws), name="scores")(inner)
    return keras.Model(inputs, outputs, name="classifier")
