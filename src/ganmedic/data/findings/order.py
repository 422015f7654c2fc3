"""Do the samples come in an order that training would feel?"""

from __future__ import annotations

from collections.abc import Iterator

from ganmedic.data.facts import Facts
from ganmedic.data.result import DataFinding

#: Standard deviations below shuffled data, and how much lower, before an order is seen.
_DEVIATIONS, _RATIO = 6.0, 0.9
#: Neighbours share their class this much more often than by chance.
_LABEL_RATIO = 0.6
#: The first tenth differs from the rest by so much of the spread.
_DRIFT = 0.5
_FEWEST = 64


def find(facts: Facts) -> Iterator[DataFinding]:
    order = facts.order
    if order is None or not facts.source.ordered or order.samples < _FEWEST:
        return
    by_class = order.label_ratio is not None and order.label_ratio < _LABEL_RATIO
    by_content = order.deviation > _DEVIATIONS and order.ratio < _RATIO
    if not by_class and not by_content:
        return
    fed = not facts.source.rereadable
    if by_class:
        seen = f"neighbours differ in class {100 * (order.label_ratio or 0):.0f} % as often as in a shuffled set"
    else:
        seen = f"neighbours are {100 * (1 - order.ratio):.0f} % closer to each other than in a shuffled set"
    drift = ", and the first tenth differs clearly from the rest" if order.drift > _DRIFT else ""
    yield DataFinding(
        "unshuffled-data",
        "warning" if fed or facts.source.kind not in ("NumPy array", "NumPy archive") else "note",
        f"The samples come in an order: {seen}{drift}.",
        "Batches of one kind pull both networks to that kind and then to the next: the losses swing, batch normalisation tells batches "
        "of one kind apart, and the generator forgets what came before.",
        "Shuffle all of it once before it is written, or with a buffer as large as the data set: a smaller one leaves the order in.",
        "dataset = dataset.shuffle(buffer_size=number_of_samples, reshuffle_each_iteration=True)",
        numbers={
            "ratio": order.ratio,
            "deviations": order.deviation,
            "drift": order.drift,
            **({} if order.label_ratio is None else {"label_ratio": order.label_ratio}),
        },
    )
