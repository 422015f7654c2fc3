"""The real samples repeat themselves: copies, constant samples, or one and the same batch at every step.

## What it means

The generator can be no more varied than what it is compared with. The real side is often poorer than its number of
files or rows says:

- The same batch at every step. `next(iter(dataset))` inside the loop makes a new iterator each time, which begins at
  the beginning (with a `shuffle`, within its first buffer); a batch read once before the loop does the same.
- Copies: a data set joined with itself, oversampling, augmentation that was stored, a `repeat()` in front of a
  shuffle with a small buffer, frames of a video.
- Constant samples: black frames, empty rows, files that could not be read and were replaced by zeros.
- One class far over-represented, so that a batch seldom holds another.

## How it is recognised

By the real batches as they reach the networks. Samples within them are compared bit for bit, across the steps that
are looked at; samples whose values are all the same are counted; and the batches are compared with one another: the
same batch at every step is reported as such.

## Why it hurts

A discriminator that sees the same few samples knows them by heart, and the generator is pulled onto them. If it
copies them, it has done what was asked. Constant samples are the easiest part of the data to imitate, so a generator
that makes black pictures is rewarded for them. With one batch the training of an hour is that of a few minutes: all
else in the data set was never seen. Curves look better than usual, since the task is small.

## Not to be confused with

- `mode-collapse`: the real samples differ, the generated ones do not.
- `discriminator-overfits`: all samples differ, and there are too few of them.
- `sampling-mismatch`: it is the noise that is the same at every step.
- `unshuffled-data`: all samples come, in an order that makes each batch poor.
- Copies that belong to the data: rows of a table with few categories, binary vectors, small grids. Few possible
  values make equal samples likely.
- An experiment that is meant to learn one batch by heart: a good test of the code, and a poor training.

## Remedy, and what it changes

- One iterator for the whole training: `for batch in dataset.repeat():`, or `iterator = iter(dataset)` before the loop
  and `next(iterator)` in it.
- Remove copies (`np.unique(data, axis=0)`) and constant samples before the training; split off held-back data after
  that and not before.
- Augment at random in the pipeline, anew in each epoch, and do not store what comes out.
- Weigh the classes, or give the class to both networks as a condition. This changes the distribution that is learnt;
  removing copies does too, and mostly in the direction that was meant.

## Example

```python
# faulty
import numpy as np
import tensorflow as tf

samples = np.random.default_rng(0).normal(size=(640, 8)).astype("float32")
dataset = tf.data.Dataset.from_tensor_slices(samples).batch(64)

seen = set()
for _ in range(10):
    batch = next(iter(dataset))  # a new iterator: the first batch again
    seen.update(sample.tobytes() for sample in batch.numpy())
assert len(seen) == 64
```

```python
# corrected
import numpy as np
import tensorflow as tf

samples = np.random.default_rng(0).normal(size=(640, 8)).astype("float32")
dataset = tf.data.Dataset.from_tensor_slices(samples).shuffle(640).batch(64).repeat()

seen = set()
batches = iter(dataset)
for _ in range(10):
    batch = next(batches)
    seen.update(sample.tobytes() for sample in batch.numpy())
assert len(seen) == 640
```

## References

- Karras et al., *Training Generative Adversarial Networks with Limited Data*, 2020, arXiv 2006.06676, section 2: what
  becomes of a GAN with few samples.
- Barz, Denzler, *Do We Train on Test Data? Purging CIFAR of Near-Duplicates*, 2019, arXiv 1902.00423.
- Lee et al., *Deduplicating Training Data Makes Language Models Better*, 2021, arXiv 2107.06499.
- TensorFlow API, *tf.data.Dataset*: `repeat`, `shuffle`.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.data_lines import calls, handover, last_where, place_of_call
from ganmedic.analysis.reals import Reals
from ganmedic.analysis.samples import distinct
from ganmedic.causes.game_findings import data_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "low-diversity"
FAMILY = "data"
TITLE = "The real samples are nearly all the same"

#: Batches in which less than this share of the samples differ hold copies.
_COPIES = 0.5
#: Samples that are (nearly) constant, or (nearly) the same one, in this share of the data.
_EMPTY = 0.75
#: The same batch at so many looks over so many steps.
_LOOKS, _STEPS = 4, 20


def find(record: Record) -> list[Finding]:
    """Real samples that come again and again."""
    reals = Reals.of(record)
    if not reals.known or reals.categorical:
        return []
    rows = [one for one in reals.rows if len(one.digests) >= 4]
    if not rows:
        return []
    inside = float(np.mean([len(set(one.digests)) / len(one.digests) for one in rows]))
    if inside < _COPIES and reals.varied:
        return [_explain(reals, f"only {100 * inside:.0f} % of the samples of a batch differ from each other", inside)]
    _, different, _ = distinct([one.digests for one in rows])
    steps = reals.trials[-1].step - reals.trials[0].step
    same = len({tuple(one.digests) for one in rows}) == 1
    if same and len(rows) >= _LOOKS and steps >= _STEPS and record.complete and _iterates_anew(reals):
        return [
            _explain(reals, f"the same {different} samples in the same order at every look over {steps} steps", 0.0)
        ]
    empty = reals.share_constant
    if empty >= _EMPTY:
        return [_explain(reals, f"{100 * empty:.0f} % of the real samples are constant, without any content", inside)]
    return []


def _iterates_anew(reals: Reals) -> bool:
    """Whether the program begins a new iterator, or takes batches by itself, where a data set would go on."""
    return any(
        place_of_call(reals.run, name) is not None
        for name in ("next", "iter", "take", "batch", "randint", "choice", "integers")
    )


def _explain(reals: Reals, what: str, inside: float) -> Finding:
    drawn, different, _ = distinct([one.digests for one in reals.rows])
    if what.startswith("the same"):
        place = place_of_call(reals.run, "next", "iter") or handover(reals.run)
    else:
        drawn_from = last_where(reals.run, calls("choice", "integers", "randint")) if "constant" in what else None
        place = (
            drawn_from
            or last_where(reals.run, calls("tile", "full", "full_like"))
            or place_of_call(reals.run, "append")
            or last_where(reals.run, calls("choice", "integers", "randint"))
            or handover(reals.run)
        )
    return data_finding(
        reals,
        SLUG,
        f"The real samples say little: {what}.",
        place=place,
        evidence=(
            what,
            f"{different} different samples among {drawn} that were looked at",
        ),
        remedies=(
            Remedy("Look at what reaches the discriminator: one batch, as a grid of pictures or a table."),
            Remedy("Take out the copies; go on with one iterator; copy arrays that are filled again (x.copy())."),
        ),
        confidence=0.88,
    )
