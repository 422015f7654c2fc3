"""The batches come sorted, by class or by time, so each of them shows another small part of the data.

## What it means

A step is sound if its batch stands for the whole. Files are listed folder by folder, tables are written day by day,
recordings go on for minutes: read in that order, a batch holds one class, one day, one scene. It happens with a
shuffle in the code as well:

- `shuffle(buffer_size)` with a buffer much smaller than the data only mixes neighbours. Of 60000 sorted samples, a
  buffer of 1000 never sees two classes together except at a border.
- `batch(64).shuffle(1000)` shuffles whole batches and leaves each as it is.
- `shuffle(...).cache()` keeps the order of the first epoch for all others.
- Each shard or worker reads a folder of its own.

## How it is recognised

By the means of the real batches at different steps. Batches drawn at random differ from one another by no more than
the spread within them explains; a one-way analysis of variance puts a number on that, the ratio F of the variance
between batches to the variance within. It is about 1 for random batches, and is reported where it is far larger.

## Why it hurts

The discriminator is asked to call one class real today and another one tomorrow. What it has learnt about zeros is of
no use against sevens, and is overwritten; the generator follows, from class to class. The losses rise and fall at the
period of an epoch. Statistics of a batch (batch normalisation, a spread as a feature) tell which batch it is, so real
and fake are told apart by the class that is on. Whatever class comes last before a checkpoint is the one it makes.

## Not to be confused with

- `oscillation`: it swings with shuffled data too, at a period of its own.
- `mode-collapse`: one class in the samples at a time, from batches that hold them all.
- `low-diversity`: too few different samples, in any order.
- `batchnorm-misuse`: statistics that do not belong to the samples, from sound batches.
- A curriculum, or samples of growing size, on purpose.
- Windows of one long series: neighbours are alike by nature, and the windows want shuffling all the more.

## Remedy, and what it changes

- `shuffle(buffer_size=len(data))` before `batch`, after `cache`, anew in each epoch (which is what it does by
  default). With data that do not fit into memory: shuffle the list of file names first, which is cheap, then use as
  large a buffer as there is room for.
- Files by shard: interleave them, so that each batch draws from many.
- Small or rare classes: draw each batch from all classes on purpose (`tf.data.Dataset.sample_from_datasets`), which
  changes how often each is seen.

A plain shuffle changes nothing in the objective. It is what stochastic gradients assume: that a batch is drawn from
the data at random.

## Example

```python
# faulty
import numpy as np
import tensorflow as tf


def variance_ratio(batches):  # F: between the means of the batches, over within the batches
    size = batches.shape[1]
    return size * batches.mean(axis=1).var(ddof=1) / batches.var(axis=1, ddof=1).mean()


labels = np.repeat(np.arange(10), 256)  # sorted by class
samples = labels + np.random.default_rng(0).normal(size=2560)
dataset = tf.data.Dataset.from_tensor_slices(samples).shuffle(128).batch(64)  # the buffer mixes neighbours only
batches = np.stack([batch.numpy() for batch in dataset])
assert variance_ratio(batches) > 100.0
```

```python
# corrected
import numpy as np
import tensorflow as tf


def variance_ratio(batches):
    size = batches.shape[1]
    return size * batches.mean(axis=1).var(ddof=1) / batches.var(axis=1, ddof=1).mean()


labels = np.repeat(np.arange(10), 256)
samples = labels + np.random.default_rng(0).normal(size=2560)
dataset = tf.data.Dataset.from_tensor_slices(samples).shuffle(len(samples)).batch(64)
batches = np.stack([batch.numpy() for batch in dataset])
assert variance_ratio(batches) < 3.0
```

## References

- LeCun, Bottou, Orr, Mueller, *Efficient BackProp*, 1998, in *Neural Networks: Tricks of the Trade*, section 4.2:
  shuffling the examples.
- Bengio, *Practical Recommendations for Gradient-Based Training of Deep Architectures*, 2012, arXiv 1206.5533.
- Thanh-Tung, Tran, *On Catastrophic Forgetting and Mode Collapse in Generative Adversarial Networks*, 2018, arXiv
  1807.04015.
- Fisher, *Statistical Methods for Research Workers*, 1925: analysis of variance.
- TensorFlow API, *tf.data.Dataset.shuffle*: `buffer_size`, `reshuffle_each_iteration`.
"""

from __future__ import annotations

from ganmedic.analysis.data_lines import handover, place_of_call
from ganmedic.analysis.reals import Reals
from ganmedic.analysis.samples import between_batches, distinct
from ganmedic.causes.game_findings import data_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.game import Batch
from ganmedic.record.record import Record

SLUG = "unshuffled-data"
FAMILY = "data"
TITLE = "Batches come sorted"

#: Batch means that lie so many times as far apart as those of random batches (the F of an analysis of variance).
_APART = 3.0
#: So many looks at batches of so many samples.
_LOOKS, _SAMPLES = 5, 8


def find(record: Record) -> list[Finding]:
    """Real batches that differ from each other more than chance would have it."""
    reals = Reals.of(record)
    trials = [one for one in reals.trials if len(one.samples) >= _SAMPLES]
    if not record.complete or not trials or not reals.known:
        return []
    batches = {one.batch.digests[:32]: one.samples[:32] for one in trials if one.batch is not None}
    leaf = _leaf(reals)
    if leaf is not None:
        batches.update(
            {one.digests: one.array() for one in reals.game.stream(leaf.value) if one.form[1:] == leaf.form[1:]}
        )
    _, different, _ = distinct(list(batches))
    if len(batches) < _LOOKS or different < 2 * _SAMPLES:
        return []
    apart = between_batches(list(batches.values()))
    if apart < _APART:
        return []
    place = (
        place_of_call(reals.run, "fit", keyword="shuffle")
        or place_of_call(reals.run, "shuffle")
        or place_of_call(reals.run, "batch", "from_tensor_slices")
        or handover(reals.run)
    )
    return [
        data_finding(
            reals,
            SLUG,
            f"The batches of different steps hold different parts of the data: their means lie {apart:.1f} times as far apart as "
            "those of samples drawn at random.",
            place=place,
            evidence=(
                f"F of an analysis of variance over {len(batches)} batches: {apart:.1f} (median over the entries), about 1 for "
                "batches drawn at random",
            ),
            remedies=(
                Remedy(
                    "Shuffle the whole data set before it is cut into batches, with a buffer as large as the data.",
                    "dataset = dataset.shuffle(len(data), reshuffle_each_iteration=True).batch(64)",
                ),
            ),
            confidence=0.85,
        )
    ]


def _leaf(reals: Reals) -> Batch | None:
    """The leaf that the real samples came from, where they are handed on as they are."""
    last = reals.trials[-1]
    if last.batch is None:
        return None
    rows = [one for one in reals.game.batches.get(last.look.probe.id, ()) if one.place == "given"]
    behind = reals.game.behind(last.batch.value)
    found = [one for one in rows if one.value in behind and one.digests == last.batch.digests]
    # Where generated samples are handed in as well, by the same door, a stream holds both.
    generated = any(row.generated > 0 for one in found for row in reals.game.rows_of(one.value))
    return found[0] if found and not generated else None
