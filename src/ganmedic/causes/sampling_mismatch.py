"""The noise that the generator is trained with is not drawn anew, or not what it is sampled with afterwards.

## What it means

A generator is a function that was fitted to one distribution of its input. Two things can be wrong with that input.

In training, the noise is the same at every look: one batch of it was drawn before the loop, or is drawn in a way that
gives the same numbers each time. The generator then fits a sample to each of these few points and learns nothing in
between.

- `np.random.normal(...)` inside a `tf.function` is called once, when the function is traced, and is a constant then.
- `keras.random.normal(shape, seed=1)` gives the same numbers at each call; a `keras.random.SeedGenerator` does not.
- `tf.random.set_seed(...)` inside the loop, and `tf.random.stateless_normal` with one seed, likewise.

When samples are made, the noise has another distribution: uniform in [0, 1] where it was normal, a spread of 0.5 or of
2, a vector of zeros, another shape that broadcasts, one draw repeated for the whole batch.

## How it is recognised

By the noise itself. What reaches the generator is compared between the looks of the training: it is reported if it is
the same at every one. What reaches it outside of training is compared with that: its mean, its spread, its shape, and
whether it is constant over the batch.

## Why it hurts

With one set of noise the training looks fine and ends in a table of 64 samples; any other noise gives a blend of
them, or rubbish. With other noise at the end, the samples are worse than those seen in training for no visible reason:
too alike where the noise is narrow, broken where it is wide, off the centre where its mean is. Losses and gradients
say nothing, since they belong to the training.

## Not to be confused with

- `mode-collapse`: other noise gives the same sample, in training too.
- `ignores-noise`: noise of any kind changes nothing.
- `batchnorm-misuse`: the noise is right, and the layers work with other statistics when samples are made.
- `low-diversity`: the same batch at every step, of real samples.
- One fixed batch of noise for pictures of the progress: that is good practice. Only training must not use it.
- Truncation, noise of smaller spread on purpose when sampling: fewer kinds of better samples. It is said, not blamed.

## Remedy, and what it changes

- One function draws the noise, and training and sampling both call it. Inside a `tf.function`, use `tf.random.normal`
  or a `tf.random.Generator`.
- Keep the seed for the fixed batch of pictures apart from the training's.
- A generator trained with one set of noise has to be trained again. One that is sampled wrongly is sound: draw the
  right noise, nothing else changes.

## Example

```python
# faulty
import keras
import numpy as np
import tensorflow as tf


@tf.function(autograph=False)
def noise_of_step():
    return tf.constant(np.random.normal(size=(64, 8)), tf.float32)  # called while tracing, and never again


assert tf.reduce_all(noise_of_step() == noise_of_step())
assert tf.reduce_all(keras.random.normal((64, 8), seed=1) == keras.random.normal((64, 8), seed=1))

generator = keras.Sequential([keras.Input((8,)), keras.layers.Dense(64, "leaky_relu"), keras.layers.Dense(2)])
in_training = generator(tf.random.normal((512, 8)))
in_the_end = generator(tf.random.uniform((512, 8)))  # mean 0.5, spread 0.29
assert tf.math.reduce_std(in_the_end[:, 0]) < 0.6 * tf.math.reduce_std(in_training[:, 0])
```

```python
# corrected
import keras
import tensorflow as tf


@tf.function(autograph=False)
def noise(count):
    return tf.random.normal((count, 8))


assert not tf.reduce_any(noise(64) == noise(64))

generator = keras.Sequential([keras.Input((8,)), keras.layers.Dense(64, "leaky_relu"), keras.layers.Dense(2)])
in_training = generator(noise(512))
in_the_end = generator(noise(512))
assert 0.7 < tf.math.reduce_std(in_the_end[:, 0]) / tf.math.reduce_std(in_training[:, 0]) < 1.4
```

## References

- Goodfellow et al., *Generative Adversarial Networks*, 2014, arXiv 1406.2661, algorithm 1: noise drawn in each step.
- White, *Sampling Generative Networks*, 2016, arXiv 1609.04468: leaving the distribution of the noise.
- Brock, Donahue, Simonyan, *Large Scale GAN Training for High Fidelity Natural Image Synthesis*, 2018, arXiv
  1809.11096, section 3.1: truncation.
- TensorFlow guide, *Better performance with tf.function*: Python code runs while tracing.
- Keras API, *SeedGenerator*.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.game import Game
from ganmedic.analysis.noise import Noise, Shown, inside, noises, shown
from ganmedic.causes.game_findings import drawn_at
from ganmedic.causes.measuring import measured_finding, number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "sampling-mismatch"
FAMILY = "dynamics"
TITLE = "Samples are drawn with other noise than the training's"

#: Means may differ by so many standard errors, and by this share of the spread; spreads by this factor.
_ERRORS, _OFF, _FACTOR = 5.0, 0.25, 1.35
#: A spread below this share of the training's leaves of the noise hardly more than its mean.
_NARROW = 0.25
#: So many looks at the same noise, over so many steps.
_LOOKS, _STEPS = 3, 10


def find(record: Record) -> list[Finding]:
    """Noise that stands still in training, or is another one when samples are made."""
    game = Game.of(record)
    if not record.complete:
        return []
    for player in game.makers:
        rows = noises(game, player) or inside(game, player)
        fixed = len({one.digests for one in rows}) == 1 and len(rows) >= _LOOKS and rows[-1].step >= _STEPS
        if fixed and rows[-1].digests:
            return [_standing(game, rows)]
        if rows:
            other = next((one for one in shown(game, player) if _differs(rows, one)), None)
            if other is not None:
                return [_other(game, rows, other)]
    return []


def _differs(rows: list[Noise], other: Shown) -> bool:
    """Whether noise that was sampled with is plainly not of the law of the noise that was trained with."""
    if other.count < 8 or other.along_a_line or other.follows_labels:
        return False
    mean = float(np.mean([one.mean for one in rows]))
    spread = float(np.median([one.spread for one in rows]))
    if not spread > 0:
        return False
    if not other.varies:
        return True
    error = spread / np.sqrt(other.count * other.width)
    off = abs(other.mean - mean)
    far = off > _ERRORS * error and off > _OFF * spread
    factor = other.spread / spread
    # A somewhat smaller spread around the same mean is the truncation trick, done on purpose.
    return (
        far or factor > _FACTOR or factor < _NARROW or (factor < 0.8 and other.is_uniform and not rows[-1].is_uniform)
    )


def _standing(game: Game, rows: list[Noise]) -> Finding:
    return measured_finding(
        game.vitals,
        SLUG,
        rows[0].player,
        f"{rows[0].player.net.name} is trained on the same noise at every step: it learns {rows[0].samples} samples, and "
        "nothing of the noise between them.",
        place=drawn_at(game, rows[-1]),
        evidence=(
            f"the noise of {len(rows)} looks between step {rows[0].step} and {rows[-1].step} is the same bit for bit",
            f"{rows[0].samples} noise vectors of {rows[0].width} entries",
        ),
        remedies=(Remedy("Draw new noise in every step, inside the step, without a fixed seed."),),
        confidence=0.93,
    )


def _other(game: Game, rows: list[Noise], other: Shown) -> Finding:
    mean, spread = float(np.mean([one.mean for one in rows])), float(np.median([one.spread for one in rows]))
    what = "constant noise" if not other.varies else "noise of another distribution"
    return measured_finding(
        game.vitals,
        SLUG,
        rows[0].player,
        f"{rows[0].player.net.name} is asked for samples with {what} than it is trained with: mean {number(other.mean)} and "
        f"spread {number(other.spread)} against {number(mean)} and {number(spread)}.".replace(
            "constant noise than", "constant noise, other than"
        ),
        place=other.drawn or other.place,
        evidence=(
            f"in training: mean {number(mean)}, spread {number(spread)}, from {number(rows[-1].low)} to {number(rows[-1].high)}",
            f"for samples: mean {number(other.mean)}, spread {number(other.spread)}, from {number(other.low)} to "
            f"{number(other.high)} ({other.count} vectors)",
        ),
        remedies=(Remedy("Draw the noise in one function, and use it for training and for samples."),),
        more=((other.place, "forward"),),
        confidence=0.85,
    )
