"""What every penalty can be asked."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic.correction import Correction
from ganmedic.penalties.evaluation import Evaluation
from ganmedic.scheduled import Schedule, Scheduled, schedule


class Penalty(Correction):
    """A scalar to add to a loss, inside the tape that differentiates that loss.

    Attributes:
        player: whose loss it is added to: `discriminator`, `generator` or `both`.
        needs: what of an `Evaluation` it asks for, so that one pass can serve several.
        per_sample: it takes the gradient of each sample's score by that sample, which batch normalisation makes meaningless.
        extras: keyword arguments it cannot do without; those of other penalties may come with them and are not read.
        draws: keyword arguments that take the place of the random numbers it draws, for a comparison.
        remembers_scores: it keeps averages of the scores, so it has to see every step.
    """

    player = "discriminator"
    needs: frozenset[str] = frozenset()
    per_sample = False
    extras: tuple[str, ...] = ()
    draws: tuple[str, ...] = ()
    remembers_scores = False

    def __init__(self, weight: Schedule) -> None:
        super().__init__()
        self.weight = schedule(type(self).__name__, "weight", weight)
        self._weight = Scheduled(self.weight)

    def __call__(
        self, discriminator: Any, real: Any = None, fake: Any = None, *, training: bool = True, **extras: Any
    ) -> Any:
        """The penalty, times its weight.

        Args:
            discriminator: what gives raw scores (batch, ...): a Keras model or a function. It is called with
                `training=training` where it takes that argument.
            real: float tensor (batch, ...), real samples; or a tuple or list of them and of what else the discriminator
                reads with each, labels for example.
            fake: the same of generated samples, where the penalty needs them; detached by the caller or not, the
                discriminator's gradient is the same.
            training: whether the discriminator runs as in training; if not, schedules and averages stand still.
            **extras: what the penalty needs beyond that: `generator`, `latents`, `loss`, and what stands for its `draws`.

        Returns:
            Scalar, float32, or float64 for float64 samples.

        Raises:
            ValueError: something is missing or of a form the penalty cannot use, or batch normalisation mixes the samples.
        """
        return self.of(Evaluation(discriminator, real, fake, training=training, needs=self.needs), **extras)

    def of(self, evaluation: Evaluation, **extras: Any) -> Any:
        """The same from an evaluation that other penalties and the loss share; it is made inside the outer tape."""
        for name in self.extras:
            if extras.get(name) is None:
                raise ValueError(
                    f"{type(self).__name__} needs {name}; none came. Call it as "
                    f"penalty(discriminator, real, fake, {', '.join(f'{each}={each}' for each in self.extras)})."
                )
        known = {name: extras[name] for name in (*self.extras, *self.draws) if name in extras}
        if self.per_sample:
            evaluation.refuse_batch_normalisation(type(self).__name__)
        value = self.unweighted(evaluation, **known)
        if self.per_sample:
            evaluation.refuse_batch_normalisation(type(self).__name__)
        return self._weighted(value, evaluation.training)

    def for_generator(self, evaluation: Evaluation, **extras: Any) -> Any:
        """What is added to the generator's loss, of a penalty that is for `both`; the same as for the discriminator unless it says."""
        return self.of(evaluation, **extras)

    def unweighted(self, evaluation: Evaluation, **extras: Any) -> Any:
        """The penalty without its weight, scalar; what a subclass defines."""
        raise TypeError(f"{type(self).__name__} does not say what it penalises: define unweighted.")

    def _weighted(self, value: Any, training: bool) -> Any:
        weight = self._weight.next() if training else self._weight.now()
        return tf.cast(weight, value.dtype) * value
