"""The data hold NaN or infinity, and the first batch that has one turns every weight behind it into NaN.

## What it means

NaN is not a number that training can recover from: whatever is computed with it is NaN as well. One missing cell in a
table, one damaged file, one division by zero while scaling is enough. It comes from

- missing values: an empty cell of a CSV file is read as NaN by NumPy and pandas;
- statistics over such a column: `data.mean(axis=0)` of a column with one NaN is NaN, and so is the whole scaled
  column;
- scaling by a spread of zero: 0 / 0 is NaN, any other value over 0 is infinite;
- a logarithm of zero or of a negative number, to tame a skewed column;
- a cast to float16 of values above 65504, which become infinite.

It often shows late. A batch of 64 out of a million rows meets the one bad row after hours, or in the third epoch.

## How it is recognised

By looking at the batches as they reach the networks, before any weight is involved. NaN or infinity there is the
data's, whatever the weights do with it afterwards.

## Why it hurts

The loss of that step is NaN, all gradients are NaN, and the optimizer writes NaN into the weights and into its own
averages. From then on everything is NaN, in both networks, since one feeds the other. Clipping does not stop it: the
global norm is NaN, and so is each gradient that is divided by it. `relu`, `clip_by_value` and `reduce_max` pass NaN
on. A cast of NaN to `uint8` makes a pixel of 0 of it on a CPU, so that saved pictures look black and not broken.

## Not to be confused with

- `log-of-zero`, `norm-at-zero`: sound data, and a loss that makes NaN of them.
- `learning-rate-too-high`, `exploding-gradients`: the weights grow step by step before they overflow.
- `fp16-overflow`: infinite in half precision only.
- `bad-normalisation`: a spread that is almost zero gives huge values, which are finite.
- A NaN that is masked out before the first layer, as in imputation: no fault, as long as it is replaced and not
  multiplied by zero. NaN times zero is NaN.

## Remedy, and what it changes

- Find them: `np.isfinite(data).all(axis=1)` tells the good rows, `np.isnan(data).sum(axis=0)` counts by column.
- Leave the rows out, or fill the cells with the mean of the column and add a column of 0 and 1 that says so. Leaving
  out changes what the data stand for if values are missing for a reason.
- Compute statistics from what is there (`np.nanmean`, `np.nanstd`), and put a floor under the spread.
- Put `tf.debugging.assert_all_finite` at the end of the pipeline. It stops at the batch, with your own message.

Weights that are NaN stay NaN: start again, or from the last checkpoint that is finite, optimizer included.

## Example

```python
# faulty
import keras
import numpy as np
import tensorflow as tf

table = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
table[17, 2] = np.nan  # one missing cell
scaled = (table - table.mean(axis=0)) / table.std(axis=0)
assert np.isnan(scaled).sum() == 64  # and a whole column is gone

discriminator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
optimizer, weights = keras.optimizers.Adam(0.001, global_clipnorm=1.0), discriminator.trainable_variables
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.nn.softplus(-discriminator(scaled)))
optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
assert all(np.isnan(weight.numpy()).all() for weight in weights)
```

```python
# corrected
import keras
import numpy as np
import tensorflow as tf

table = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
table[17, 2] = np.nan
whole = table[np.isfinite(table).all(axis=1)]
scaled = (whole - whole.mean(axis=0)) / whole.std(axis=0)
tf.debugging.assert_all_finite(scaled, "the real samples")
assert len(scaled) == 63

discriminator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
optimizer, weights = keras.optimizers.Adam(0.001, global_clipnorm=1.0), discriminator.trainable_variables
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.nn.softplus(-discriminator(scaled)))
optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
assert all(np.isfinite(weight.numpy()).all() for weight in weights)
```

## References

- Goldberg, *What Every Computer Scientist Should Know About Floating-Point Arithmetic*, 1991,
  https://doi.org/10.1145/103162.103163: NaN and infinity.
- Rubin, *Inference and Missing Data*, 1976, https://doi.org/10.1093/biomet/63.3.581: when rows may be left out.
- Yoon, Jordon, van der Schaar, *GAIN: Missing Data Imputation using Generative Adversarial Nets*, 2018, arXiv
  1806.02920: a mask beside the data.
- TensorFlow API, *tf.debugging.assert_all_finite*, *tf.debugging.enable_check_numerics*.
"""

from __future__ import annotations

from ganmedic.analysis.data_lines import calls, handover, is_arithmetic, last_where
from ganmedic.analysis.reals import Reals
from ganmedic.causes.game_findings import data_finding
from ganmedic.causes.measuring import number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "non-finite-data"
FAMILY = "data"
TITLE = "The data hold NaN or infinity"


def find(record: Record) -> list[Finding]:
    """Batches with values that are not finite before any weight has touched them."""
    reals = Reals.of(record)
    bad = [one for one in reals.game.record.batches.values() if one.place == "given" and one.nonfinite > 0]
    origins = [one for one in reals.game.record.origins.values() if one.source == "input"]
    # Values that are missing may be masked out before any weight meets them.
    rows = reals.game.record.batches.values()
    met = any(one.place in ("input", "output", "score") and one.nonfinite > 0 for one in rows)
    if not (origins or (bad and met)) or not reals.game.vitals.players:
        return []
    share = bad[0].nonfinite if bad else origins[0].share
    step = min([origins[0].step] if origins else [0])
    place = (
        last_where(reals.run, calls("log", "log10", "log2", "log1p"))
        or last_where(reals.run, calls("astype"))
        or last_where(reals.run, is_arithmetic)
        or handover(reals.run)
    )
    return [
        data_finding(
            reals,
            SLUG,
            f"The samples themselves hold values that are not finite ({number(100 * share)} % of a batch): after one step with "
            "them every weight is NaN.",
            place=place,
            evidence=(
                f"{number(100 * share)} % of the entries of a batch are NaN or infinite before they reach any weight",
                *([f"first met at step {step}"] if origins else []),
            ),
            remedies=(
                Remedy(
                    "Leave such rows out, or fill them in, before training.",
                    "rows = rows[np.isfinite(rows).all(axis=1)]",
                ),
                Remedy("Check once, before the first step: tf.debugging.assert_all_finite(batch, 'data')."),
            ),
            confidence=0.95,
        )
    ]
