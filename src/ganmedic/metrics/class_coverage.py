"""Classes that a classifier finds among generated samples, such as the 1,000 of Stacked MNIST."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganmedic import checking
from ganmedic.metrics.divergence import checked_shares, divergence

_OWNER = "class_coverage"


@dataclass(frozen=True, slots=True)
class ClassCoverage:
    """Which classes came.

    Attributes:
        modes: how many classes have at least one sample.
        classes: how many there are.
        divergence: KL divergence, in nats, of the samples' shares of the classes from the expected ones.
        counts: samples of each class.
        samples: how many samples there were.
    """

    modes: int
    classes: int
    divergence: float
    counts: tuple[int, ...]
    samples: int

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {**asdict(self), "counts": list(self.counts)}

    def __str__(self) -> str:
        return (
            f"{self.modes:,} of {self.classes:,} classes in {self.samples:,} samples, divergence {self.divergence:.3g}"
        )


def class_coverage(predictions: ArrayLike, classes: int, reference: ArrayLike | None = None) -> ClassCoverage:
    """Counts the classes that came, and how far their shares are from those of the real data.

    Stacked MNIST: 26,000 samples, the digit of each of the three channels by a classifier, `classes=1000`, and the class
    `digits @ [100, 10, 1]`.

    Args:
        predictions: classes, whole numbers (n,) from 0 to classes - 1; or probabilities, floats (n, classes), of which the largest counts.
        classes: how many classes there are, at least 2.
        reference: classes of the real samples as whole numbers (n,); or floats (classes,), the expected shares; None for equal shares.

    Raises:
        TypeError, ValueError: shapes or numbers do not fit, or a class came that the reference has no share of.

    Example:
        >>> print(class_coverage([0, 0, 1, 1], classes=4))
        2 of 4 classes in 4 samples, divergence 0.693
        >>> class_coverage([0, 0, 1, 1], classes=4, reference=[0, 1, 2, 3]).divergence
        0.6931471805599453

    References:
        Lin, Khetan, Fanti, Oh 2018, *PacGAN: The power of two samples in generative adversarial networks*, arXiv 1712.04086, section 4.2.
    """
    classes = checking.whole(_OWNER, "classes", classes, low=2)
    found = _classes("predictions", np.asarray(predictions), classes)
    counts = np.bincount(found, minlength=classes)
    shares = None if reference is None else np.asarray(reference)
    if shares is not None and shares.dtype.kind in "iu":
        shares = np.bincount(_classes("reference", shares, classes), minlength=classes).astype(np.float64)
    expected = checked_shares(_OWNER, "reference", shares, classes, "classes")
    return ClassCoverage(
        modes=int((counts > 0).sum()),
        classes=classes,
        divergence=divergence(_OWNER, counts, expected),
        counts=tuple(counts.tolist()),
        samples=len(found),
    )


def _classes(name: str, values: NDArray[Any], classes: int) -> NDArray[np.int64]:
    if values.dtype.kind == "f" and values.ndim == 2 and values.shape[1] == classes and len(values):
        spoilt = int((~np.isfinite(values)).any(axis=1).sum())
        if spoilt:
            raise ValueError(
                f"{_OWNER}: {spoilt:,} of {len(values):,} rows of {name} hold NaN or infinite values; probabilities are expected. "
                "Look at what the classifier is given."
            )
        return np.asarray(values.argmax(axis=1), np.int64)
    if values.dtype.kind not in "iu" or values.ndim != 1 or not len(values):
        raise ValueError(
            f"{_OWNER}: {name} of shape {values.shape} and type {values.dtype} came; whole numbers (n,) or probabilities (n, {classes}) "
            "are expected. For digits of three channels give digits @ [100, 10, 1]."
        )
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= classes:
        raise ValueError(
            f"{_OWNER}: {name} from {low} to {high} came; 0 to {classes - 1} are expected with classes={classes}. "
            "Number the classes from 0, or give more classes."
        )
    return values.astype(np.int64)
