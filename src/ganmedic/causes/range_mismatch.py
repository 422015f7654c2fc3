"""The real samples have values that the generator's last activation cannot make.

## What it means

A tanh ends in (-1, 1), a sigmoid in (0, 1), a ReLU at 0 from below. The real samples have to lie where the generator
can reach. They do not

- if images are scaled to [-1, 1] and the generator ends in a sigmoid: half of the values are out of reach;
- if they are scaled to [0, 1] and it ends in a tanh: they fill one half of its range, and its other half is wrong
  everywhere;
- if they are standardised (mean 0, spread 1) and it ends in a tanh: whatever is further than 1 from the mean is out
  of reach, about a third of a normal distribution;
- if they are left at 0 to 255;
- if a resampling overshoots: bicubic `tf.image.resize` leaves the range of the image at sharp edges.

Arithmetic behind the activation counts: `127.5 * (tanh + 1)` reaches from 0 to 255.

## How it is recognised

What the last activation of the generator leaves possible (its limits, taken through the arithmetic behind it) is set
against the values of the real samples as they reach the discriminator. It is reported where a share of them lies
outside of it, or where all of them lie in one half of it. A generator that ends in a linear layer has no limits and
is never reported.

## Why it hurts

The discriminator needs to look at the range alone: any value below zero is real for certain, or fake for certain.
That is learnt in a few steps and stays true for ever. The generator is pushed to the end of its activation, where the
derivative vanishes, and stays there: pictures of one colour, or of hard black and white. Where the real samples fill
one half, it can in principle learn the range; it loses time, and the picture is shown in the wrong brightness.

## Not to be confused with

- `saturated-activation`: the activation at its ends; a range out of reach is one of the reasons.
- `unnormalised-data`: values of tens and thousands, which trouble the discriminator whatever the generator ends in.
- `bad-normalisation`: the scaling itself is wrong, as when it is applied twice.
- `discriminator-shortcut`: a tell that is not the range of the values.
- Samples scaled back for being shown or saved: only what reaches the discriminator counts.

## Remedy, and what it changes

- Scale the data to the activation: `x / 127.5 - 1` for a tanh, `x / 255` for a sigmoid. Clip after a resampling.
- Or change the activation to fit the data: linear for standardised values; a head for each column of a table.
- Scale back with the inverse of the same function when samples are shown.

The loss stays as it is; the discriminator loses its one cheap feature. A trained discriminator is of no use after a
change of the range.

## Example

```python
# faulty
import keras
import numpy as np
import tensorflow as tf

pixels = np.random.default_rng(0).integers(0, 256, (64, 16))
real = tf.constant(pixels / 127.5 - 1.0, tf.float32)  # in [-1, 1]
last = tf.Variable(tf.zeros((64, 16)))  # what the generator puts into its last activation
optimizer = keras.optimizers.Adam(0.2)

for _ in range(150):  # the closest that it can come, however it is trained
    with tf.GradientTape() as tape:
        images = tf.sigmoid(last)
        distance = tf.reduce_mean(tf.abs(images - real))
    optimizer.apply_gradients([(tape.gradient(distance, last), last)])
assert tf.reduce_min(images) > 0.0
assert tf.reduce_mean(tf.cast(real < 0.0, tf.float32)) > 0.4
assert distance > 0.2
```

```python
# corrected
import keras
import numpy as np
import tensorflow as tf

pixels = np.random.default_rng(0).integers(0, 256, (64, 16))
real = tf.constant(pixels / 127.5 - 1.0, tf.float32)
last = tf.Variable(tf.zeros((64, 16)))
optimizer = keras.optimizers.Adam(0.2)

for _ in range(150):
    with tf.GradientTape() as tape:
        images = tf.tanh(last)
        distance = tf.reduce_mean(tf.abs(images - real))
    optimizer.apply_gradients([(tape.gradient(distance, last), last)])
assert distance < 0.1
```

## References

- Radford, Metz, Chintala, *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
  Networks*, 2015, arXiv 1511.06434, section 4: images scaled to the range of the tanh.
- Arjovsky, Bottou, *Towards Principled Methods for Training Generative Adversarial Networks*, 2017, arXiv 1701.04862,
  section 2: perfect discriminators on samples that do not overlap.
- Xu, Skoularidou, Cuesta-Infante, Veeramachaneni, *Modeling Tabular Data using Conditional GAN*, 2019, arXiv
  1907.00503, section 4.2: values of a table brought into the range of the tanh.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.data_lines import handover
from ganmedic.analysis.game import Game, Trial
from ganmedic.analysis.networks import RANDOM
from ganmedic.analysis.reals import Reals, output_ends
from ganmedic.causes.game_findings import data_finding
from ganmedic.causes.measuring import activation_place, number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.game import Batch
from ganmedic.record.record import Record
from ganmedic.record.schema import Place

SLUG = "range-mismatch"
FAMILY = "data"
TITLE = "The data do not lie in the generator's range"

#: A share of real values outside of what the generator can reach, from which on it is no outlier.
_OUTSIDE = 0.02
#: Data that leave this share of the range unused at one end are in another range.
_UNUSED = 0.4
#: Data that fill less than this share of the range were squeezed, data of so many times its width were never scaled.
_SLIVER, _HUGE = 0.05, 10.0


def find(record: Record) -> list[Finding]:
    """Real samples that the generator's last activation cannot produce."""
    reals = Reals.of(record)
    ends = output_ends(reals)
    if ends is None or not reals.known:
        return []
    low, high = ends.ends
    if not np.isfinite(low) or not _alike(reals):
        return []
    width = high - low if np.isfinite(high) else max(1.0, reals.high - low)
    if max(abs(reals.low), abs(reals.high)) > _HUGE * width + abs(low) or reals.high - reals.low < _SLIVER * width:
        return []
    outside = reals.share_outside(low, high, 0.02 * width)
    if outside >= _OUTSIDE:
        return [_outside(reals, ends, outside)]
    if np.isfinite(high) and ends.activation != "Softmax" and reals.high > reals.low:
        empty_low, empty_high = (reals.low - low) / width, (high - reals.high) / width
        if max(empty_low, empty_high) >= _UNUSED and not reals.binary:
            return [_unused(reals, ends)]
    return []


def _alike(reals: Reals) -> bool:
    """Whether real and generated samples reach the discriminator without anything done to either on the way."""
    game = reals.game
    fakes = [one for one in game.of_judges(fake=True) if one.batch is not None] or game.of_makers()
    direct = any(one.batch is not None and one.batch.ends for one in fakes)
    return direct and all(_as_given(game, one) for one in reals.trials[-1:])


def _as_given(game: Game, trial: Trial) -> bool:
    """Whether samples come as the step was given them: no arithmetic, no noise, of the step itself."""
    rows = game.batches.get(trial.look.probe.id, ())
    given = {one.digests for one in rows if one.place == "given"}
    return trial.batch is not None and (trial.batch.digests in given or not _is_noisy(game, trial.batch.value))


def _is_noisy(game: Game, value: int) -> bool:
    """Whether random numbers were drawn for a value inside the step."""
    return any(
        RANDOM.search(game.record.producers[one][0].kind) for one in game.behind(value) if one in game.record.producers
    )


def _outside(reals: Reals, ends: Batch, outside: float) -> Finding:
    low, high = ends.ends
    maker = reals.game.makers[0].net.name
    span = f"{number(low)} and {number(high)}" if np.isfinite(high) else f"{number(low)} and upwards"
    regular = abs(reals.low + reals.high) < 0.3 * (reals.high - reals.low) or reals.standard
    activation = _activation(reals, ends)
    return data_finding(
        reals,
        SLUG,
        f"{100 * outside:.0f} % of the real values lie outside of what {maker} can produce: its {ends.activation.lower()} gives "
        f"values between {span}, the data reach from {number(reals.low)} to {number(reals.high)}.",
        place=(activation if regular else None) or handover(reals.run) or activation,
        evidence=(
            f"real samples at the discriminator: {number(reals.low)} to {number(reals.high)}, mean {number(reals.mean)}, spread "
            f"{number(reals.spread)}",
            f"{ends.activation} at the generator's end, with what follows it: {span}",
            f"{100 * outside:.1f} % of the real values lie beyond",
        ),
        remedies=(
            Remedy("End the generator without a bounded activation: data of zero mean and unit variance have no ends."),
            Remedy("Or scale the data into the range of the activation: [-1, 1] for tanh, [0, 1] for sigmoid."),
        ),
        confidence=0.92,
        more=((activation, "network"), (handover(reals.run), "forward")),
    )


def _unused(reals: Reals, ends: Batch) -> Finding:
    low, high = ends.ends
    maker = reals.game.makers[0].net.name
    place = handover(reals.run)
    return data_finding(
        reals,
        SLUG,
        f"The real values lie between {number(reals.low)} and {number(reals.high)}, {maker} gives values between {number(low)} "
        f"and {number(high)}: what it draws in the other half is wrong by its sign alone.",
        place=place or _activation(reals, ends),
        evidence=(
            f"real samples at the discriminator: {number(reals.low)} to {number(reals.high)}",
            f"{ends.activation} at the generator's end, with what follows it: {number(low)} to {number(high)}",
        ),
        remedies=(
            Remedy("Scale the data to the range of the activation.", "images = images / 127.5 - 1.0  # for tanh"),
            Remedy("Or end the generator in a sigmoid, for data in [0, 1]."),
        ),
        confidence=0.85,
        more=((_activation(reals, ends), "network"),),
    )


def _activation(reals: Reals, ends: Batch) -> Place | None:
    operation = reals.game.record.operations.get(ends.activated)
    return activation_place(reals.run, operation) if operation is not None else None
