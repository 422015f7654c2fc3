"""The data are scaled, and the scaling is wrong: done twice, with whole numbers, or with one spread for all columns.

## What it means

A normalisation that is there and does something else than its author thinks is harder to see than a missing one. Each
kind leaves its own mark:

| what the code does | what the values look like |
|---|---|
| `x / 127.5 - 1` in the pipeline, and a `Rescaling` in the network as well | all between -1 and -0.98 |
| `x // 255`, or whole numbers divided by `//` | 0 and 1 only |
| `(x / 255).astype("uint8")`, `tf.cast` to an integer after scaling | 0 and 1 only |
| `x - 128` on `uint8` | wrapped round: 10 becomes 138 |
| one mean and standard deviation for all columns | the column of large numbers spans the range, others are flat |
| division by a standard deviation of (almost) zero | one column of thousands, or NaN |
| mean and standard deviation over the wrong axis | each sample has its own scale, and columns are mixed |

## How it is recognised

By the values of the real samples as they reach the discriminator. They span a sliver of the range: normalised twice.
They are whole numbers only, and the code divides with `//` or casts to an integer after scaling. Or one column has a
spread hundreds of times that of the others: one mean and standard deviation for all columns, or a division by a
spread next to zero.

## Why it hurts

A sliver of the range is a constant to the networks: images differ by less than a hundredth, the generator matches
their mean, and pictures that are scaled back once instead of twice are of one grey. Whole numbers throw away what was
between them, and are a tell that no continuous output can imitate. One column of hundreds drowns all others: the
discriminator looks at that one alone, and the generator learns that one alone.

## Not to be confused with

- `unnormalised-data`: no scaling at all.
- `range-mismatch`: a proper scaling, to another range than the generator's end.
- `discriminator-shortcut`: whole numbers that the data really have; there, noise of one step is the remedy.
- `non-finite-data`: the spread was exactly zero.
- `low-diversity`: the samples are alike before any scaling.
- Data that are binary by nature: masks, categories as 0 and 1, black and white drawings.

## Remedy, and what it changes

- Scale in one place only, and look at what arrives: minimum, maximum, mean and spread of one batch, by column.
- Cast to float32 first, then do the arithmetic; never go back to whole numbers before the samples are shown.
- One mean and standard deviation for each column of a table (`axis=0`; `keras.layers.Normalization(axis=-1)`), for
  images one for all or one for each channel. Leave out columns that are constant, and put a floor under the spread.
- Take the statistics from the training data, and keep them for scaling back.

The loss stays as it is, and the networks see the data that were meant. Statistics and weights from before are of no
use afterwards.

## Example

```python
# faulty
import keras
import numpy as np

pixels = np.random.default_rng(0).integers(0, 256, (64, 16)).astype("uint8")
scaled = pixels / 127.5 - 1.0
again = keras.layers.Rescaling(1.0 / 127.5, offset=-1.0)(scaled)  # the first layer of the discriminator
assert np.ptp(again) < 0.02  # of a range of 2
assert set(np.unique(pixels // 255)) <= {0, 1}
assert (np.array([10], "uint8") - 128)[0] == 138

table = np.random.default_rng(0).normal([40.0, 60000.0], [10.0, 20000.0], (256, 2))  # an age and an income
columns = (table - table.mean()) / table.std()
assert columns[:, 1].std() > 500.0 * columns[:, 0].std()
```

```python
# corrected
import keras
import numpy as np

pixels = np.random.default_rng(0).integers(0, 256, (64, 16)).astype("uint8")
scaled = keras.layers.Rescaling(1.0 / 127.5, offset=-1.0)(pixels.astype("float32"))  # once
assert np.ptp(scaled) > 1.9
assert len(np.unique(scaled)) > 200

table = np.random.default_rng(0).normal([40.0, 60000.0], [10.0, 20000.0], (256, 2))
columns = (table - table.mean(axis=0)) / np.maximum(table.std(axis=0), 1e-3)
assert np.allclose(columns.std(axis=0), 1.0)
```

## References

- LeCun, Bottou, Orr, Mueller, *Efficient BackProp*, 1998, in *Neural Networks: Tricks of the Trade*, section 4.3:
  mean and spread of each input.
- Radford, Metz, Chintala, *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
  Networks*, 2015, arXiv 1511.06434, section 4.
- Xu, Skoularidou, Cuesta-Infante, Veeramachaneni, *Modeling Tabular Data using Conditional GAN*, 2019, arXiv
  1907.00503, section 4.2: one normalisation for each column.
- Keras API, *Rescaling*, *Normalization*: `axis`.
"""

from __future__ import annotations

import ast

import numpy as np

from ganmedic.analysis.data_lines import handover, is_arithmetic, last_where, makes_whole, whole_by_keyword
from ganmedic.analysis.reals import Reals, output_ends
from ganmedic.analysis.source import called_name
from ganmedic.causes.game_findings import data_finding
from ganmedic.causes.measuring import number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Place

SLUG = "bad-normalisation"
FAMILY = "data"
TITLE = "The normalisation has spoilt the data"

#: Data whose whole span is less than this were divided twice.
_SLIVER = 0.03
#: Whole numbers of so few levels are what an integer division or a cast leaves of continuous data.
_LEVELS = 16
#: Columns whose spreads differ by more than this factor were not normalised each by itself.
_UNEQUAL = 25.0


def find(record: Record) -> list[Finding]:
    """Real samples that a scaling has squeezed, rounded or thrown out of proportion."""
    reals = Reals.of(record)
    if not reals.known:
        return []
    ends = output_ends(reals)
    width = ends.ends[1] - ends.ends[0] if ends is not None and np.isfinite(ends.ends).all() else 1.0
    span = reals.high - reals.low
    if 0 < span < _SLIVER * width:
        return [_squeezed(reals, span)]
    whole = last_where(reals.run, makes_whole) or whole_by_keyword(reals.run)
    if reals.whole and reals.levels <= _LEVELS and whole is not None:
        return [_rounded(reals, whole)]
    if reals.one_column_off or (reals.unequal >= _UNEQUAL and reals.scale < 15.0):
        return [_unequal(reals)]
    return []


def _squeezed(reals: Reals, span: float) -> Finding:
    return data_finding(
        reals,
        SLUG,
        f"The real values fill only the sliver from {number(reals.low)} to {number(reals.high)}: they look as if they were scaled "
        "twice, and all samples look the same.",
        place=last_where(reals.run, is_arithmetic) or handover(reals.run),
        evidence=(
            f"real samples at the discriminator: {number(reals.low)} to {number(reals.high)}, spread {number(reals.spread)}",
        ),
        remedies=(Remedy("Scale once: keep either the scaling where the data are loaded, or that in the pipeline."),),
        confidence=0.92,
    )


def _rounded(reals: Reals, place: Place) -> Finding:
    return data_finding(
        reals,
        SLUG,
        f"The real samples hold whole numbers only ({reals.levels} different ones): what lay between them was cut off when they "
        "were scaled.",
        place=place,
        evidence=(
            f"every real value is a whole number; {reals.levels} different ones from {number(reals.low)} to {number(reals.high)}",
            "the code divides with // or casts to a type of whole numbers on the way",
        ),
        remedies=(Remedy("Divide with / and stay in float32.", "images = images.astype('float32') / 127.5 - 1.0"),),
        confidence=0.88,
    )


def _unequal(reals: Reals) -> Finding:
    spreads = np.array(reals.spreads)
    column = int(spreads.argmax())
    usual = float(np.median(spreads[spreads > 0]))
    return data_finding(
        reals,
        SLUG,
        f"Column {column} of the real samples has a spread of {number(float(spreads[column]))}, the others of {number(usual)} as a "
        "rule: they were not normalised each by itself.",
        place=last_where(reals.run, _statistics) or last_where(reals.run, is_arithmetic) or handover(reals.run),
        evidence=(
            f"spread of the columns: {number(float(spreads.min()))} to {number(float(spreads.max()))}, median {number(usual)}",
            f"values from {number(reals.low)} to {number(reals.high)}",
        ),
        remedies=(
            Remedy(
                "Take mean and standard deviation of each column, over all rows, and divide by 1 where a column is constant.",
                "mean, std = rows.mean(axis=0), rows.std(axis=0)\nrows = (rows - mean) / np.where(std > 0, std, 1.0)",
            ),
        ),
        confidence=0.85,
    )


def _statistics(node: object) -> bool:
    """Whether a standard deviation is taken over everything at once."""
    return isinstance(node, ast.AST) and any(
        isinstance(one, ast.Call) and called_name(one) == "std" and not one.keywords and not one.args
        for one in ast.walk(node)
    )
