"""Weights that give each term of a loss its share of the gradient, whatever the size of its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from ganmedic import checking, replicas
from ganmedic.correction import Correction
from ganmedic.gradients import squared_norm
from ganmedic.losses.weighted_terms import check_names, weighted_sum


class GradientShares(Correction):
    """Weights by share of the gradient norm.

    With n_i the norm of the gradient of term i, averaged over steps, the weights are

        w_i = share_i / share_0 · n_0 / n_i

    where term 0 is the reference, whose weight stays 1. So w_i n_i is proportional to share_i. The weights are constants
    to the gradient. A norm that is zero or not finite does not enter the average.

    Args:
        shares: share of each term, above 0; only their ratios count.
        reference: the term whose weight is 1; the first one unless named.
        decay: of the moving average of the norms, 0 (this step alone) to below 1.
        bounds: smallest and largest weight.

    Raises:
        ValueError: there are fewer than two terms, or an argument is out of its range.

    Example:
        >>> shares = GradientShares({"adversarial": 1.0, "l1": 1.0}, decay=0.0)
        >>> x = tf.Variable([3.0, 4.0])
        >>> with tf.GradientTape(persistent=True) as tape:
        ...     terms = {"adversarial": tf.reduce_sum(x), "l1": 100.0 * tf.reduce_sum(x)}
        >>> gradients = shares.gradients(tape, terms, [x])
        >>> round(float(shares.weights()["l1"]), 4), gradients[0].numpy().round(3).tolist()
        (0.01, [2.0, 2.0])

    References:
        TF-GAN, `combine_adversarial_loss` (one term, unsmoothed). Esser, Rombach, Ommer 2020, *Taming Transformers*,
        arXiv 2012.09841, equation 7 (the same rule at the last layer).
    """

    def __init__(
        self,
        shares: Mapping[str, float],
        reference: str | None = None,
        decay: float = 0.99,
        bounds: Sequence[float] = (1e-4, 1e4),
    ) -> None:
        super().__init__()
        name = "GradientShares"
        if not isinstance(shares, Mapping) or len(shares) < 2:
            raise ValueError(
                f"{name}: shares is {shares!r}; two or more named terms are expected, such as "
                '{"adversarial": 1.0, "reconstruction": 1.0}.'
            )
        self.shares = {term: checking.number(name, f"share of {term!r}", s, above=0.0) for term, s in shares.items()}
        self.reference = checking.choice(name, "reference", reference or next(iter(shares)), tuple(shares))
        self.decay = checking.number(name, "decay", decay, low=0.0, below=1.0)
        low = checking.number(name, "bounds[0]", bounds[0], above=0.0)
        self.bounds = (low, checking.number(name, "bounds[1]", bounds[1], low=low))
        with tf.init_scope():
            # The averages of the logarithms, and how much of each is filled.
            self._average = tf.Variable(
                tf.zeros([2, len(self.shares)], tf.float32),
                trainable=False,
                aggregation=replicas.SAME_EVERYWHERE,
                name="gradient_shares",
            )

    def __call__(self, terms: Mapping[str, Any]) -> Any:
        """Σ w_i term_i with the weights as they stand; scalar. Call `measure` now and then so that they follow."""
        check_names("GradientShares", terms, self.shares)
        return weighted_sum(terms, self.weights())

    def weights(self) -> dict[str, Any]:
        """The weights as they stand, float32 scalars; all 1 before anything was measured."""
        total, filled = tf.unstack(self._average.read_value())
        log_norm = tf.math.divide_no_nan(total, filled)
        names = list(self.shares)
        first = names.index(self.reference)
        share = tf.constant([self.shares[name] / self.shares[self.reference] for name in names], tf.float32)
        known = tf.logical_and(filled > 0.0, filled[first] > 0.0)
        weight = tf.where(known, tf.clip_by_value(share * tf.exp(log_norm[first] - log_norm), *self.bounds), 1.0)
        return dict(zip(names, tf.unstack(tf.stop_gradient(weight)), strict=True))

    def measure(self, tape: tf.GradientTape, terms: Mapping[str, Any], sources: Sequence[Any]) -> None:
        """Measures the gradient of each term and moves the weights.

        Args:
            tape: a persistent tape that recorded the terms.
            terms: scalar of each term.
            sources: variables, or tensors that the tape watches. The generated batch is enough, and cheap, where all
                terms are functions of it.

        Raises:
            ValueError: the names differ, or a term has no gradient at any source.
        """
        self._norms(self._each(tape, terms, sources))

    def gradients(self, tape: tf.GradientTape, terms: Mapping[str, Any], sources: Sequence[Any]) -> list[Any]:
        """Measures, moves the weights, and gives the gradient of the weighted sum by the new ones, without another pass.

        Args and errors are those of `measure`.

        Returns:
            A gradient for each source; None where no term has one.
        """
        each = self._each(tape, terms, sources)
        self._norms(each)
        weights = self.weights()
        summed: list[Any] = []
        for index in range(len(sources)):
            parts = [
                (weights[name], gradients[index]) for name, gradients in each.items() if gradients[index] is not None
            ]
            dense = [tf.cast(w, gradient.dtype) * tf.convert_to_tensor(gradient) for w, gradient in parts]
            summed.append(tf.add_n(dense) if dense else None)
        return summed

    def _each(self, tape: Any, terms: Mapping[str, Any], sources: Sequence[Any]) -> dict[str, list[Any]]:
        check_names("GradientShares", terms, self.shares)
        found = {name: tape.gradient(terms[name], list(sources)) for name in self.shares}
        for name, gradients in found.items():
            if all(gradient is None for gradient in gradients):
                raise ValueError(
                    f"GradientShares: the term {name!r} has no gradient at any of the {len(gradients)} sources. "
                    "It does not depend on them, was computed outside of the tape, or an operation without a gradient lies "
                    "between: `ganmedic check` on the script names it."
                )
        return found

    def _norms(self, each: Mapping[str, list[Any]]) -> None:
        squares = [tf.add_n([squared_norm(g) for g in each[name] if g is not None]) for name in self.shares]
        square = replicas.mean(tf.cast(tf.stack(squares), tf.float32))
        usable = tf.logical_and(tf.math.is_finite(square), square > 0.0)
        logarithm = 0.5 * tf.math.log(tf.where(usable, square, 1.0))
        observed = tf.stack([logarithm, tf.ones_like(logarithm)])
        moved = self.decay * self._average.read_value() + (1.0 - self.decay) * observed
        self._average.assign(tf.where(usable, moved, self._average.read_value()))
