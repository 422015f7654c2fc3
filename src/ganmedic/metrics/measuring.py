"""Several metrics of the same samples, with shared work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numpy.typing import ArrayLike

from ganmedic.metrics import catalogue
from ganmedic.metrics.comparison import Comparison
from ganmedic.metrics.metric import Metric
from ganmedic.metrics.samples import check_seed
from ganmedic.metrics.score import Score


def measure(
    real: ArrayLike,
    fake: ArrayLike,
    names: Iterable[str | Metric] | None = None,
    *,
    extractor: Any = "random",
    seed: int = 0,
    samples: int | None = None,
    intervals: bool = True,
    value_range: tuple[float, float] | None = None,
) -> list[Score]:
    """Measures how good and how varied generated samples are.

    Features are extracted once, and one pass over the distances serves all metrics that look for neighbours.

    Args:
        real, fake: arrays of one shape: images (n, height, width, channels) or (n, height, width), or rows (n, columns).
        names: names of metrics, or metrics made with `get`; None for all that suit the samples and need no argument.
        extractor: `"random"`, `"pixels"`, `"inception"`, or an extractor; metrics made before use it too.
        seed: seed of all that is drawn.
        samples: at most so many of each kind are measured; None for all.
        intervals: whether 95 % intervals are worked out.
        value_range: (low, high) of the images' values; found where it is not told.

    Returns:
        The scores, in the order of the names.

    Raises:
        TypeError, ValueError: the samples cannot be compared, are not finite or too few, or a name is unknown.

    Example:
        >>> random = np.random.default_rng(0)
        >>> real, fake = random.normal(size=(200, 2)), random.normal(size=(200, 2)) * [1.0, 0.1]
        >>> for score in measure(real, fake, ["precision_recall"], extractor="pixels"):
        ...     print(score)
        precision 0.995 [0.972, 0.999] (200 real, 200 generated, pixels)
        recall 0.215 [0.164, 0.277] (200 real, 200 generated, pixels)
    """
    if isinstance(names, str):
        raise TypeError(f"metrics: names is {names!r}; a list of names is expected. Write names=[{names!r}].")
    seed = check_seed("metrics", seed)
    wanted: Iterable[str | Metric] = catalogue.names() if names is None else names
    chosen = [
        catalogue.get(name, seed=seed, intervals=intervals) if isinstance(name, str) else catalogue.get(name)
        for name in wanted
        if names is not None or catalogue.MEMBERS[str(name)].by_default
    ]
    comparison = Comparison(
        real,
        fake,
        extractor=extractor,
        seed=seed,
        samples=samples,
        value_range=value_range,
        neighbours={count for metric in chosen for count in metric.neighbours()},
    )
    if names is None and not comparison.real.images:
        chosen = [metric for metric in chosen if metric.takes_rows]
    return [score for metric in chosen for score in metric.scores(comparison)]
