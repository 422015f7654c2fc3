"""A penalty every few steps."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.penalties.evaluation import Evaluation
from ganmedic.penalties.penalty import Penalty
from ganmedic.precision import wide_dtype


class Lazy(Penalty):
    """In every k-th call k times the penalty, else 0: the same on average, for a k-th of the cost.

    The first call is one of those. Adam sees k calm steps and a large one, so its step size and decay rates are to be adapted:
    see `lazy_optimizer_arguments`. With relativistic losses it is refused by `ganmedic.combination.check`: R3GAN with penalties
    every 8 steps failed to converge at all on Stacked MNIST and several toy sets (Huang et al. 2024, appendix).

    The discriminator passes of the penalty are its own, for they are made only in the steps that need them; a schedule of its
    weight counts those steps. On several replicas a penalty or a discriminator with state is worked out in every step.

    Args:
        penalty: the penalty, one that remembers nothing of the scores it was not shown (not `LeCam`).
        every: k, 16 for the discriminator and 4 for the generator in StyleGAN2.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> from ganmedic.penalties import R1
        >>> lazy = Lazy(R1(weight=1.0), every=2)
        >>> [float(lazy(lambda x: x[:, :1], tf.ones([4, 2]))) for _ in range(3)]
        [1.0, 0.0, 1.0]

    References:
        Karras et al. 2019, *Analyzing and Improving the Image Quality of StyleGAN*, arXiv 1912.04958, appendix B.
    """

    def __init__(self, penalty: Penalty, every: int = 16) -> None:
        super().__init__(1.0)
        if not isinstance(penalty, Penalty) or isinstance(penalty, Lazy) or penalty.remembers_scores:
            raise TypeError(
                f"Lazy: penalty is {penalty!r}; a gradient penalty, a consistency or path-length penalty is expected. "
                'Make it with penalties.get("r1").'
            )
        self.penalty = penalty
        self.every = checking.whole("Lazy", "every", every, hint="1 applies it in every step.")
        self.player = penalty.player
        self.per_sample = penalty.per_sample
        self.extras, self.draws = penalty.extras, penalty.draws
        with tf.init_scope():
            self._step = tf.Variable(
                0, dtype=tf.int64, trainable=False, aggregation=replicas.SAME_EVERYWHERE, name="lazy_step"
            )

    def of(self, evaluation: Evaluation, **extras: Any) -> Any:
        """As for every penalty. The evaluation's samples are used, its passes are not."""
        step = self._step.read_value()
        if evaluation.training:
            self._step.assign(step + 1)
        due = step % self.every == 0
        given = extras.get("latents")
        dtype = evaluation.dtype if given is None else wide_dtype(tf.convert_to_tensor(given).dtype)

        def applied() -> Any:
            value = self.penalty.of(evaluation.again(self.penalty.needs), **extras)
            return tf.cast(self.every, dtype) * tf.cast(value, dtype)

        if replicas.count() == 1 or not self._writes(evaluation.discriminator):
            return tf.cond(due, applied, lambda: tf.zeros([], dtype))
        # Replicas cannot write variables inside a branch: it is worked out in every step, and counts in some.
        before = [tf.identity(variable.read_value()) for variable in self.penalty.variables]
        value = tf.where(due, applied(), tf.zeros([], dtype))
        for variable, old in zip(self.penalty.variables, before, strict=True):
            variable.assign(tf.where(due, variable.read_value(), old))
        return value

    def _writes(self, discriminator: Any) -> bool:
        return bool(self.penalty.variables) or bool(getattr(discriminator, "non_trainable_variables", True))


def lazy_optimizer_arguments(learning_rate: float, beta_1: float, beta_2: float, every: int) -> dict[str, float]:
    """What Adam is given where a penalty comes every k-th step.

    With c = k / (k + 1): learning rate · c, β₁^c, β₂^c.

    Args:
        learning_rate: above 0.
        beta_1, beta_2: from 0 to below 1.
        every: k.

    Returns:
        Arguments of `keras.optimizers.Adam`.

    Raises:
        ValueError, TypeError: an argument is out of its range.

    Example:
        >>> {name: round(value, 6) for name, value in lazy_optimizer_arguments(0.002, 0.0, 0.99, 16).items()}
        {'learning_rate': 0.001882, 'beta_1': 0.0, 'beta_2': 0.990585}

    References:
        Karras et al. 2019, *Analyzing and Improving the Image Quality of StyleGAN*, arXiv 1912.04958, appendix B.
    """
    who = "lazy_optimizer_arguments"
    ratio = checking.whole(who, "every", every) / (every + 1)
    return {
        "learning_rate": checking.number(who, "learning_rate", learning_rate, above=0.0) * ratio,
        "beta_1": checking.number(who, "beta_1", beta_1, low=0.0, below=1.0) ** ratio,
        "beta_2": checking.number(who, "beta_2", beta_2, low=0.0, below=1.0) ** ratio,
    }
