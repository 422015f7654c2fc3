"""How the samples are spread over the classes."""

from __future__ import annotations

from collections.abc import Iterator

from ganmedic.data.facts import Facts, class_counts
from ganmedic.data.result import DataFinding

#: The largest class by the smallest, from which on it is a note and a warning.
_UNEVEN, _LOPSIDED = 3.0, 10.0
#: A class that holds so much of the data leaves little for the others.
_DOMINANT = 0.9
_FEWEST = 50


def find(facts: Facts) -> Iterator[DataFinding]:
    counts = class_counts(facts)
    held = {name: count for name, count in counts.items() if count}
    total = sum(held.values())
    if len(counts) < 2 or total < _FEWEST:
        return
    largest, smallest = max(held, key=lambda name: held[name]), min(held, key=lambda name: held[name])
    empty = [name for name, count in counts.items() if not count]
    ratio, share = held[largest] / held[smallest], held[largest] / total
    if ratio < _UNEVEN and share < _DOMINANT and not empty:
        return
    missing = f" {len(empty)} classes have no sample: {', '.join(empty[:5])}." if empty else ""
    yield DataFinding(
        "class-imbalance",
        "warning" if ratio >= _LOPSIDED or share >= _DOMINANT else "note",
        f"{len(held)} classes: {largest!r} has {held[largest]:,} samples ({100 * share:.0f} %), {smallest!r} {held[smallest]:,}, "
        f"{ratio:.1f} times fewer.{missing}",
        "A generator makes what it is rewarded for most often: small classes fall out first, and a conditional one makes copies of "
        "their few samples.",
        "Draw the classes equally often, and condition on the class.",
        "dataset = tf.data.Dataset.sample_from_datasets(one_dataset_per_class)",
        numbers={"classes": len(held), "ratio": ratio, "largest_share": share},
    )
