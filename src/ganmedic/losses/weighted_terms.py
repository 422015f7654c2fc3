"""A loss of several terms, each with its weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from ganmedic import checking
from ganmedic.correction import Correction
from ganmedic.precision import widened
from ganmedic.scheduled import Schedule, Scheduled, schedule


class WeightedTerms(Correction):
    """Σ weight · term, with every term named, so that none is forgotten and none slips in without a weight.

    Args:
        weights: weight of each term, 0 or more, or a Keras schedule that it follows step by step.

    Raises:
        ValueError: there is no term, or a weight is below 0.

    Example:
        >>> total = WeightedTerms({"adversarial": 1.0, "reconstruction": 100.0})
        >>> float(total({"adversarial": tf.constant(0.5), "reconstruction": tf.constant(0.25)}))
        25.5
    """

    def __init__(self, weights: Mapping[str, Schedule]) -> None:
        super().__init__()
        if not isinstance(weights, Mapping) or not weights:
            raise ValueError(
                f"WeightedTerms: weights is {weights!r}; a weight for each named term is expected, such as "
                '{"adversarial": 1.0, "reconstruction": 100.0}.'
            )
        self.weights = {name: schedule("WeightedTerms", f"weight of {name!r}", each) for name, each in weights.items()}
        self._values = {name: Scheduled(each) for name, each in self.weights.items()}

    def __call__(self, terms: Mapping[str, Any]) -> Any:
        """The weighted sum.

        Args:
            terms: scalar of each term; the names are those of the weights.

        Returns:
            Scalar; float64 where a term is that, else float32.

        Raises:
            ValueError: the names differ.
        """
        check_names("WeightedTerms", terms, self.weights)
        return weighted_sum(terms, {name: value.next() for name, value in self._values.items()})


def check_names(owner: str, terms: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Refuses terms of other names than the known ones.

    Raises:
        ValueError: one is missing or one too many.
    """
    missing, unknown = sorted(known.keys() - terms.keys()), sorted(terms.keys() - known.keys())
    if missing or unknown:
        raise ValueError(
            f"{owner}: the terms are {sorted(terms)}; {sorted(known)} are expected."
            + (f" Missing: {missing}." if missing else "")
            + (f" Unknown: {unknown}.{checking.nearest(unknown[0], known)}" if unknown else "")
        )


def weighted_sum(terms: Mapping[str, Any], weights: Mapping[str, Any]) -> Any:
    """Σ weight · term in the widest of their types, at least float32."""
    wide = {name: widened(term) for name, term in terms.items()}
    dtype = tf.float64 if any(term.dtype == tf.float64 for term in wide.values()) else tf.float32
    return tf.add_n([tf.cast(weights[name], dtype) * tf.cast(term, dtype) for name, term in wide.items()])
