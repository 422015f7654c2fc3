"""Where the networks begin and end: latents and labels, samples, scores."""

from __future__ import annotations

import math
from typing import Any

import keras

from ganmedic.networks._weights import Seeds
from ganmedic.precision import wide_dtype

#: Standard deviation of a class's vector beside latents of 1. Of the same size as they are, the class decides the sample from the beginning
#: on, and the generator learns one sample for each class and unlearns its latents: benchmarks/class_spread.py (Shahbazi et al. 2022, arXiv
#: 2201.06578, on collapse by conditioning).
CLASS_SPREAD = 0.1


def head_dtype() -> str:
    """The type of samples and scores, whatever half precision the layers before compute in: float32, or float64."""
    return str(wide_dtype(keras.mixed_precision.dtype_policy().variable_dtype).name)


def latents_and_labels(latent_size: int, classes: int | None) -> tuple[Any, Any]:
    """The inputs of a generator; labels None where there are no classes."""
    latents = keras.Input((latent_size,), name="latents", dtype=head_dtype())
    return latents, None if classes is None else keras.Input((), name="labels", dtype="int32")


def samples_and_labels(shape: tuple[int, ...], classes: int | None) -> tuple[Any, Any]:
    """The inputs of a discriminator; labels None where there are no classes."""
    samples = keras.Input(shape, name="samples", dtype=head_dtype())
    return samples, None if classes is None else keras.Input((), name="labels", dtype="int32")


def embedded(labels: Any, classes: int, size: int, spread: float, seeds: Seeds) -> Any:
    """A learned vector for each class, (batch, size)."""
    layer = keras.layers.Embedding(
        classes, size, embeddings_initializer=seeds.normal(spread), dtype=head_dtype(), name="class_embedding"
    )
    return layer(labels)


def with_classes(latents: Any, labels: Any, classes: int | None, size: int, spread: float, seeds: Seeds) -> Any:
    """The latents, with the embedding of the class beside them where there are labels."""
    if labels is None or classes is None:
        return latents
    embedding = embedded(labels, classes, size, spread, seeds)
    return keras.layers.Concatenate(dtype=head_dtype(), name="latents_and_class")([latents, embedding])


def projected_score(features: Any, score: Any, labels: Any, classes: int | None, seeds: Seeds) -> Any:
    """score + ⟨embedding of the class, features⟩ (Miyato, Koyama 2018, equation 3); the score alone without labels.

    Args:
        features: float tensor (batch, n), what the score was made of.
        score: float tensor (batch, 1).
    """
    if labels is None or classes is None:
        return score
    size = int(features.shape[-1])
    embedding = embedded(labels, classes, size, 1.0 / math.sqrt(size), seeds)
    agreement = keras.layers.Dot(axes=1, dtype=head_dtype(), name="projection")([embedding, features])
    return keras.layers.Add(dtype=head_dtype(), name="scores")([score, agreement])


def finished(values: Any, output: str) -> Any:
    """Samples: the last activation, in float32 at least."""
    return keras.layers.Activation(output, dtype=head_dtype(), name="output")(values)


def model(name: str, inputs: Any, labels: Any, outputs: Any) -> keras.Model:
    """The model of inputs and, where there are any, labels."""
    return keras.Model(inputs if labels is None else [inputs, labels], outputs, name=name)
