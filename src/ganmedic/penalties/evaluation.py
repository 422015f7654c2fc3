"""What a discriminator says of a batch, worked out once for all who ask."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from functools import cached_property
from typing import Any

import keras
import tensorflow as tf

from ganmedic import networks_inside
from ganmedic.precision import wide_dtype, widened

#: What can be asked for.
REAL_SCORES, FAKE_SCORES, REAL_GRADIENT, FAKE_GRADIENT = "real_scores", "fake_scores", "real_gradient", "fake_gradient"

#: A float16 backward pass loses what is below 6e-8. Scores enter it multiplied by this, and the result is divided in float32; of
#: a power of two that changes no digit in other precisions.
_SCALE = 256.0


class Evaluation:
    """Scores and input gradients of a discriminator, for one step.

    Loss, R1 and R2 together take one forward pass a batch here, where each on its own would take another. It is made inside
    the tape that differentiates the discriminator's loss. Nothing is computed before it is asked for.

    The input gradient is that of the SUM of the samples' scores, so that row i is the gradient of sample i's own score. (That of the
    mean is smaller by the size of the batch.) The score of a sample with several, of a patch discriminator, is their mean.

    Args:
        discriminator: a Keras model or function that gives raw scores (batch, ...).
        real: float tensor (batch, ...), or a tuple or list of it and of what else the discriminator reads; None without.
        fake: the same of generated samples.
        training: handed to a discriminator that takes it.
        needs: names of what will be asked for: `real_scores`, `fake_scores`, `real_gradient`, `fake_gradient`. A gradient that
            is not announced costs a forward pass of its own.
        joint: whether both batches go through the discriminator as one, where both or neither of their gradients is asked for. The
            same unless samples of a batch influence each other; on a CPU it takes as long.

    Raises:
        ValueError: a batch is of a form that cannot be used, or `joint` samples would be mixed by batch normalisation.

    Example:
        >>> evaluation = Evaluation(lambda x: tf.reduce_sum(x**2, axis=1), tf.constant([[1.0, 2.0]]))
        >>> evaluation.real_scores.numpy().tolist(), evaluation.real_gradient.numpy().tolist()
        ([5.0], [[2.0, 4.0]])
    """

    def __init__(
        self,
        discriminator: Any,
        real: Any = None,
        fake: Any = None,
        *,
        training: bool = True,
        needs: Collection[str] = (),
        joint: bool = False,
    ) -> None:
        self.discriminator = discriminator
        self.training = training
        self.needs = frozenset(needs)
        self._real, self._fake = _batch("real", real), _batch("fake", fake)
        self._calls = networks_inside.Calls()
        self.joint = joint
        if joint:
            self._check_joint()

    # --- the batches --------------------------------------------------------------------------------------------------

    @property
    def real(self) -> Any:
        """The real samples, float tensor (batch, ...)."""
        return self._samples("real", self._real)

    @property
    def fake(self) -> Any:
        """The generated samples, float tensor (batch, ...)."""
        return self._samples("fake", self._fake)

    # --- what the discriminator says ----------------------------------------------------------------------------------

    @property
    def real_scores(self) -> Any:
        """Raw scores of the real samples, (batch, ...), as the discriminator gives them."""
        return self._of_real[0]

    @property
    def fake_scores(self) -> Any:
        """Raw scores of the generated samples."""
        return self._of_fake[0]

    @property
    def real_gradient(self) -> Any:
        """Gradient of each real sample's score by that sample; shape of the samples, float32 or float64."""
        gradient = self._of_real[1]
        return self.gradient_at(self.real) if gradient is None else gradient

    @property
    def fake_gradient(self) -> Any:
        """Gradient of each generated sample's score by that sample."""
        gradient = self._of_fake[1]
        return self.gradient_at(self.fake, like="fake") if gradient is None else gradient

    def scores_at(self, samples: Any, *, like: str = "real") -> Any:
        """Raw scores of other samples, in a pass of their own, with the companions (labels) of the batch `like`."""
        return self._scores(samples, self._real if like == "real" else self._fake)

    def gradient_at(self, samples: Any, *, like: str = "real") -> Any:
        """Gradient of each score by its sample at other samples, in a pass of their own."""
        return self._differentiated(samples, self._real if like == "real" else self._fake)[1]

    def again(self, needs: Collection[str]) -> Evaluation:
        """The same question, asked anew: for a branch of a graph, whose results cannot be shared."""
        return Evaluation(
            self.discriminator, self._real, self._fake, training=self.training, needs=needs, joint=self.joint
        )

    @property
    def dtype(self) -> Any:
        """Type of what is worked out from the samples: float64 for float64, else float32."""
        batch = self._fake if self._real is None else self._real
        if batch is None:
            return tf.float32
        return wide_dtype((batch[0] if isinstance(batch, tuple | list) else batch).dtype)

    def refuse_batch_normalisation(self, who: str) -> None:
        """Refuses a discriminator in which batch normalisation makes each score depend on every sample.

        With batch statistics the gradient by sample i collects what all samples have of it. Asked again behind the passes: of a
        function it is seen only then in which mode its layers ran.

        Raises:
            ValueError: such a layer runs in training mode.
        """
        name = self._calls.normalised or (
            networks_inside.batch_normalised(self.discriminator) if self.training else None
        )
        if name is not None:
            raise ValueError(
                f"{who} penalises the gradient of each sample's own score, but the layer {name!r} "
                "(BatchNormalization) makes every score depend on the whole batch (Gulrajani et al. 2017, section 4: no batch "
                "normalisation in the critic). Use LayerNormalization or GroupNormalization there, or none."
            )

    # --- how it is worked out -----------------------------------------------------------------------------------------

    @property
    def _joins(self) -> bool:
        """Where one gradient is asked for, that of the other half would be worked out for nothing."""
        return self.joint and (REAL_GRADIENT in self.needs) == (FAKE_GRADIENT in self.needs)

    @cached_property
    def _of_real(self) -> tuple[Any, Any]:
        return self._together[0] if self._joins else self._one(self.real, self._real, REAL_GRADIENT)

    @cached_property
    def _of_fake(self) -> tuple[Any, Any]:
        return self._together[1] if self._joins else self._one(self.fake, self._fake, FAKE_GRADIENT)

    @cached_property
    def _together(self) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        count = tf.shape(self.real)[0]
        samples = tf.concat([self.real, tf.cast(self.fake, self.real.dtype)], axis=0)
        both = samples if not isinstance(self._real, tuple | list) else _joined(self._real, self._fake, samples)
        scores, gradient = self._one(samples, both, REAL_GRADIENT, FAKE_GRADIENT)
        halves = (None, None) if gradient is None else (gradient[:count], gradient[count:])
        return (scores[:count], halves[0]), (scores[count:], halves[1])

    def _one(self, samples: Any, batch: Any, *gradients: str) -> tuple[Any, Any]:
        if self.needs.intersection(gradients):
            return self._differentiated(samples, batch)
        return self._scores(samples, batch), None

    def _differentiated(self, samples: Any, batch: Any) -> tuple[Any, Any]:
        # Only the samples are watched: the outer tape follows the variables through the inner backward pass.
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(samples)
            scores = self._scores(samples, batch)
            # A patch discriminator's score of a sample is the mean of its patches, as it is in the loss.
            each = tf.reduce_mean(widened(scores), axis=list(range(1, scores.shape.rank)))
            target = _SCALE * tf.reduce_sum(each)
        gradient = inner.gradient(target, samples)
        if gradient is None:
            raise ValueError(
                "The discriminator's scores do not depend on its samples, so there is no gradient to penalise. An operation "
                "without a gradient lies between (a cast to integers, argmax, NumPy), or the samples are not used: "
                "`ganmedic check` on the script names it."
            )
        return scores, widened(gradient) / _SCALE

    def _scores(self, samples: Any, batch: Any) -> Any:
        if not callable(self.discriminator):
            raise ValueError(
                f"The discriminator is {self.discriminator!r}; a Keras model or a function that gives raw scores is expected."
            )
        given = samples if not isinstance(batch, tuple | list) else _rebuilt(batch, [samples, *batch[1:]])
        with self._calls.of(self.discriminator):
            if networks_inside.takes_training(self.discriminator):
                scores = self.discriminator(given, training=self.training)
            else:
                scores = self.discriminator(given)
        if self.training and self._calls.idle and not isinstance(self.discriminator, keras.layers.Layer):
            warnings.warn(
                f"The discriminator is a function, and its layer {self._calls.idle!r} runs in inference mode: spectral and batch "
                "normalisation stand still, and dropout is off. Let it take the mode: lambda x, training: "
                "discriminator(x, training=training).",
                stacklevel=2,
            )
        if isinstance(scores, tuple | list | dict):
            raise ValueError(
                f"The discriminator gives {len(scores)} results; one tensor of raw scores is expected. "
                "Hand over a function that picks the scores: lambda x, training: discriminator(x, training=training)[0]."
            )
        return scores

    def _samples(self, name: str, batch: Any) -> Any:
        if batch is None:
            raise ValueError(
                f"The {name} samples are needed, and none came. Call it as penalty(discriminator, real, fake)."
            )
        return batch[0] if isinstance(batch, tuple | list) else batch

    def _check_joint(self) -> None:
        if isinstance(self._real, tuple | list) != isinstance(self._fake, tuple | list):
            raise ValueError("One of the batches brings labels and the other none; joint passes need both alike.")
        coupling = networks_inside.batch_coupling(self.discriminator, self.training)
        if coupling:
            raise ValueError(
                f"The layer {coupling!r} lets samples of a batch influence each other, so real and generated ones would mix "
                "in a joint pass. Leave `joint` False."
            )


def _batch(name: str, batch: Any) -> Any:
    if batch is None:
        return None
    if isinstance(batch, tuple | list):
        if not batch:
            raise ValueError(f"The {name} batch is an empty {type(batch).__name__}; samples are expected first in it.")
        return _rebuilt(batch, [_float_samples(name, batch[0]), *batch[1:]])
    return _float_samples(name, batch)


def _rebuilt(batch: Any, parts: list[Any]) -> Any:
    """The parts in the form of the batch: a list, a tuple, or a named one."""
    return batch._make(parts) if hasattr(batch, "_make") else type(batch)(parts)


def _float_samples(name: str, samples: Any) -> Any:
    if isinstance(samples, dict):
        raise ValueError(
            f"The {name} batch is a dict of {sorted(samples)}; a tensor is expected, or a tuple of the samples and of what else the "
            "discriminator reads. Hand over (batch['image'], batch['label']) and a function that names them."
        )
    samples = tf.convert_to_tensor(samples)
    if not samples.dtype.is_floating:
        raise ValueError(
            f"The {name} samples are {samples.dtype.name}; floating point numbers are expected, as they reach the discriminator: "
            "no gradient passes integers. Normalise and cast them first (ganmedic.data.Normalise)."
        )
    if samples.shape.rank is None or samples.shape.rank < 1:
        raise ValueError(f"The {name} samples are of shape {samples.shape}; (batch, ...) of known rank is expected.")
    return samples


def _joined(real: Any, fake: Any, samples: Any) -> Any:
    return _rebuilt(real, [samples, *(tf.concat(pair, axis=0) for pair in zip(real[1:], fake[1:], strict=True))])


def squared_norms(gradient: Any) -> Any:
    """Squared Euclidean norm of each sample's gradient, over all axes but the first: (batch, ...) becomes (batch,)."""
    return tf.reduce_sum(tf.square(gradient), axis=list(range(1, gradient.shape.rank)))


def norms(gradient: Any) -> Any:
    """Norm of each sample's gradient, (batch,). The derivative of a root at zero is infinite; 1e-12 under it makes it zero."""
    return tf.sqrt(squared_norms(gradient) + 1e-12)
