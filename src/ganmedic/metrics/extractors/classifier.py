"""Features of a small classifier, trained on the data themselves."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ganmedic.metrics.extractors.extractor import Extractor
from ganmedic.metrics.extractors.keras_here import keras_for
from ganmedic.metrics.samples import Floats

_FACTS = "ganmedic-classifier.json"
FEATURES = "features"


class Classifier(Extractor):
    """What the layer before the last of a classifier says; made by `train_classifier` or `load_classifier`.

    Attributes:
        network: the Keras model, from images in [-1, 1] to one score a class.
        accuracy: share of the held-out images that it classes right: what its features are worth.
        classes: how many classes it knows.
    """

    def __init__(self, network: Any, accuracy: float, seed: int) -> None:
        keras = keras_for("Classifier")
        self.network = network
        self.accuracy = accuracy
        self.seed = seed
        self.classes = int(network.output_shape[-1])
        self._penultimate = keras.Model(network.inputs[0], network.get_layer(FEATURES).output)
        units = int(self._penultimate.output_shape[-1])
        self.name = f"classifier-{units}, {self.classes} classes, accuracy {accuracy:.3f}, seed {seed}"

    def probabilities(self, images: ArrayLike) -> Floats:
        """Probability of each class, float32 (n, classes), for `class_coverage`; images as for a call."""
        return _Probabilities(self)(images)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes network and accuracy to a `.keras` file, all of it or nothing.

        Raises:
            ValueError: the path does not end in `.keras`.
            OSError: the file cannot be written.
        """
        target = Path(path)
        if target.suffix != ".keras":
            raise ValueError(
                f"Classifier: the path is {os.fspath(path)!r}; a name that ends in '.keras' is expected. Name it classifier.keras."
            )
        handle, name = tempfile.mkstemp(suffix=".keras", prefix=".", dir=target.parent)
        os.close(handle)
        try:
            self.network.save(name)
            with zipfile.ZipFile(name, "a") as archive:
                archive.writestr(_FACTS, json.dumps({"accuracy": self.accuracy, "seed": self.seed}))
            with open(name, "rb") as written:
                os.fsync(written.fileno())
            os.replace(name, target)
        finally:
            Path(name).unlink(missing_ok=True)

    def _extract(self, samples: Floats) -> Floats:
        self._check(samples)
        features: Floats = np.asarray(self._penultimate(samples, training=False), np.float32)
        return features

    def _check(self, samples: Floats) -> None:
        expected = tuple(self.network.input_shape[1:])
        if samples.shape[1:] != expected:
            raise ValueError(
                f"{self.name}: samples of shape {samples.shape[1:]} came; {expected} is expected, as in training. "
                "Train a classifier on images of that shape."
            )


class _Probabilities(Extractor):
    """The answers of a classifier as if they were features, so that images are looked at and cut into blocks the same way."""

    def __init__(self, classifier: Classifier) -> None:
        self.name = classifier.name
        self._classifier = classifier

    def _extract(self, samples: Floats) -> Floats:
        self._classifier._check(samples)
        scores = np.asarray(self._classifier.network(samples, training=False), np.float64)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def load_classifier(path: str | os.PathLike[str]) -> Classifier:
    """The classifier that `Classifier.save` wrote.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds something else.
    """
    keras = keras_for("load_classifier")
    try:
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(archive.read(_FACTS))
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError) as error:
        raise ValueError(
            f"load_classifier: {os.fspath(path)} holds no classifier of ganmedic ({error}); a file that Classifier.save wrote is "
            "expected. Train it again with train_classifier."
        ) from error
    network = keras.saving.load_model(path, compile=False)
    # A network that was read asks for a list; one input is given here.
    network = keras.Model(network.inputs[0], network.outputs[0], name=network.name)
    return Classifier(network, float(facts["accuracy"]), int(facts["seed"]))
