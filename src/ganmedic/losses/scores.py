"""Scores as they come from a discriminator: looked at before anything is computed from them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic.precision import wide_dtype


def checked_scores(
    loss: Any, real: Any, fake: Any, *, real_needed: bool = True, paired: bool | None = None
) -> tuple[Any, Any]:
    """Both batches of scores, as float32 or float64.

    Args:
        loss: the loss that asks; its name and whether it `pairs` are read.
        real, fake: the scores. `real` may be None unless it is needed.
        real_needed: whether None is refused for `real`.
        paired: whether shapes must be equal; None asks the loss.

    Raises:
        ValueError: something came that no loss can use; the message says what to do.
    """
    name = type(loss).__name__
    if real is None and real_needed:
        raise ValueError(
            f"{name} compares generated samples with real ones, and real_scores is None. "
            "Score a real batch in the generator's step, too, and hand the scores over: generator(real_scores, fake_scores)."
        )
    fake = _scores(name, "fake_scores", fake)
    if real is None:
        return None, fake
    real = _scores(name, "real_scores", real)
    if not real.shape[1:].is_compatible_with(fake.shape[1:]):
        raise ValueError(
            f"{name}: real_scores are of shape {real.shape} and fake_scores of {fake.shape}; they would be broadcast "
            "against each other. Give both the same form behind the batch, for example (batch, 1)."
        )
    if (loss.pairs if paired is None else paired) and not real.shape.is_compatible_with(fake.shape):
        raise ValueError(
            f"{name} holds real sample i against generated sample i; real_scores are of shape {real.shape}, fake_scores of "
            f"{fake.shape}. Make batches of one size (drop_remainder=True), or take 'relativistic_average'."
        )
    if real.dtype != fake.dtype:
        real, fake = tf.cast(real, tf.float64), tf.cast(fake, tf.float64)
    return real, fake


def mean_of(values: Any, weight: Any) -> Any:
    """Mean over all values; with a weight a sample, the weighted mean."""
    if weight is None:
        return tf.reduce_mean(values)
    weight = tf.cast(weight, values.dtype)
    if weight.shape.rank != 1 or not weight.shape.is_compatible_with(values.shape[:1]):
        raise ValueError(
            f"sample_weight is of shape {weight.shape}; one number a sample is expected, ({values.shape[0]},). "
            "Sum or average it over all other axes first."
        )
    each = tf.reduce_mean(values, axis=list(range(1, values.shape.rank)))
    return tf.math.divide_no_nan(tf.reduce_sum(weight * each), tf.reduce_sum(weight))


def _scores(name: str, argument: str, scores: Any) -> Any:
    # Keras leaves its logits on what a sigmoid or a softmax of its own puts out.
    if hasattr(scores, "_keras_logits"):
        raise ValueError(
            f"{name}: {argument} went through a sigmoid or softmax; raw scores are expected, for the loss applies its own "
            "sigmoid where it needs one. Take the activation off the discriminator's last layer."
        )
    scores = tf.convert_to_tensor(scores)
    if not scores.dtype.is_floating:
        raise ValueError(
            f"{name}: {argument} are {scores.dtype.name}; floating point scores are expected. "
            "Decisions and classes carry no gradient: hand over what the discriminator's last layer gives."
        )
    if scores.shape.rank == 0:
        raise ValueError(
            f"{name}: {argument} is one number; one a sample is expected, (batch, 1). The loss takes the mean itself."
        )
    return tf.cast(scores, wide_dtype(scores.dtype))
