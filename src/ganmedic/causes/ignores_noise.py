"""The generator's output does not depend on the noise that it is given.

## What it means

A generator is to turn each draw of the noise into another sample. Here it turns all of them into the same one, or, if
it has a second input (a label, an image, a sequence), into one sample for each value of that input. It is wired so,
from the first step on:

- The noise is read and not used: the next layer is fed the label's embedding alone, a name is used twice.
- A normalisation takes it out. Noise that is tiled over height and width is a constant in each channel, and instance
  normalisation subtracts exactly that constant.
- It is too faint: noise of spread 0.001, or of order 1 beside an image of 0 to 255 and a wide embedding.
- The only noise is dropout, and the generator is called without `training=True`.
- It passes a unit that is flat for it, or a factor that starts at zero and stays there.

## How it is recognised

By trying it. The noise that the step was given is dealt out anew among the samples, moved on by one place, and the
generator's output is computed again in a sandbox. The distribution of the noise and every statistic over the batch
stay as they were, and so do the labels. It is reported where, from the first look on, the output moves by a
negligible share of the spread of the real samples.

## Why it hurts

With noise alone there is one output for the whole batch, and the discriminator learns that one point in no time.
With a condition the picture is better and the fault harder to see: each input has its one answer, usually the blurred
average of what would be right, and no amount of training gives a second one. The layers that the noise goes through
get a gradient of zero, or next to it.

## Not to be confused with

- `mode-collapse`: the noise moved the output at first, or still does a little, and training drew the samples together.
- `sampling-mismatch`: the generator listens, and the noise is the same at every step or at every sampling.
- `variable-unused`: the layers behind the noise have a gradient of None, since nothing of them reaches the output.
- `saturated-activation`: all outputs sit at the ends of a tanh, whatever goes in.
- `loss-weight-imbalance`: a reconstruction term with a large weight teaches a conditional generator to overlook noise
  that it could use.
- An autoencoder or a translation from image to image that is meant to have one answer: no noise, no fault.

## Remedy, and what it changes

- Lead the noise into the first layer, or behind the normalisations, as a scale and a shift of each channel. Where it
  is added to feature maps, draw it for each pixel.
- Bring all inputs to the same scale: images to [-1, 1], noise of spread 1, an embedding no wider than the noise.
- Call a generator whose noise is dropout with `training=True` when sampling too.

The losses stay as they are. If a conditional generator goes on overlooking its noise, a term that rewards the distance
of two outputs over the distance of their noises makes it listen; this changes the objective.

## Example

```python
# faulty
import keras
import tensorflow as tf

image, noise = keras.Input((8, 8, 3)), keras.Input((4,))
tiled = keras.layers.UpSampling2D(8)(keras.layers.Reshape((1, 1, 4))(noise))  # constant over the image
x = keras.layers.Conv2D(16, 1)(keras.layers.Concatenate()([image, tiled]))
x = keras.layers.GroupNormalization(groups=-1)(x)  # instance normalisation takes each constant out
generator = keras.Model([image, noise], keras.layers.Conv2D(3, 3, padding="same")(keras.layers.LeakyReLU()(x)))

images, draws = tf.random.normal((16, 8, 8, 3)), tf.random.normal((16, 4))
moved = generator([images, tf.roll(draws, 1, axis=0)]) - generator([images, draws])
assert tf.reduce_max(tf.abs(moved)) < 1e-3
```

```python
# corrected
import keras
import tensorflow as tf

image, noise = keras.Input((8, 8, 3)), keras.Input((4,))
x = keras.layers.GroupNormalization(groups=-1)(keras.layers.Conv2D(16, 1)(image))
scale = keras.layers.Reshape((1, 1, 16))(keras.layers.Dense(16)(noise))
shift = keras.layers.Reshape((1, 1, 16))(keras.layers.Dense(16)(noise))
x = keras.layers.LeakyReLU()(keras.layers.Add()([x, keras.layers.Multiply()([x, scale]), shift]))
generator = keras.Model([image, noise], keras.layers.Conv2D(3, 3, padding="same")(x))

images, draws = tf.random.normal((16, 8, 8, 3)), tf.random.normal((16, 4))
moved = generator([images, tf.roll(draws, 1, axis=0)]) - generator([images, draws])
assert tf.reduce_mean(tf.abs(moved)) > 0.1
```

## References

- Isola, Zhu, Zhou, Efros, *Image-to-Image Translation with Conditional Adversarial Networks*, 2016, arXiv 1611.07004,
  section 3.1: a generator that ignores its noise, and dropout in its place.
- Zhu et al., *Toward Multimodal Image-to-Image Translation*, 2017, arXiv 1711.11586, section 3.
- Mao, Lee, Tseng, Ma, Yang, *Mode Seeking Generative Adversarial Networks for Diverse Image Synthesis*, 2019, arXiv
  1903.05628, section 3.
- Huang, Belongie, *Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization*, 2017, arXiv
  1703.06868, section 5: scale and shift behind the normalisation.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.game import Game
from ganmedic.analysis.noise import Noise, noises, unconnected
from ganmedic.analysis.samples import spread
from ganmedic.analysis.vitals import Player
from ganmedic.causes.game_findings import first_use
from ganmedic.causes.measuring import measured_finding, number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Place

SLUG = "ignores-noise"
FAMILY = "dynamics"
TITLE = "The output does not depend on the noise"

#: Noise that moves the output by less than this share of the spread of the real samples is ignored.
_IGNORED = 0.04


def find(record: Record) -> list[Finding]:
    """Generators whose output stays what it is when the noise is dealt out anew."""
    game = Game.of(record)
    if not record.complete:
        return []
    for player in game.makers:
        cut = unconnected(game, player)
        if cut is not None:
            return [_not_led(game, player, cut)]
        rows = noises(game, player)
        real = game.last(fake=False)
        if len(rows) < 2 or real is None or not spread(real.samples):
            continue
        shares = [one.moved / spread(real.samples) for one in rows]
        drawn = [one for one in rows if one.samples > 1 and one.varies]
        if len(drawn) == len(rows) and max(shares) < _IGNORED:
            return [_explain(game, rows, shares)]
    return []


def _not_led(game: Game, player: Player, place: Place | None) -> Finding:
    return measured_finding(
        game.vitals,
        SLUG,
        player,
        f"{player.net.name} is handed noise and does not use its values: the same noise or another, the output is the same.",
        place=place,
        evidence=(
            "no operation leads from the noise that goes into the network to what comes out of it (but for its shape)",
            f"{player.net.name} was trained for {player.series.seen} steps",
        ),
        remedies=(Remedy("Lead the noise into the computation: join it with what is there, or begin with it."),),
        confidence=0.93,
    )


def _explain(game: Game, rows: list[Noise], shares: list[float]) -> Finding:
    player = rows[0].player
    other = [one.others / one.moved if one.moved > 0 else float("inf") for one in rows]
    return measured_finding(
        game.vitals,
        SLUG,
        player,
        f"The output of {player.net.name} does not depend on its noise: other noise moves it by "
        f"{number(100 * shares[-1])} % of the spread of the real samples.",
        place=first_use(game, rows[-1]),
        evidence=(
            "change of the output when the noise is dealt out anew, as a share of the spread of real samples: "
            + ", ".join(
                f"{number(share)} (step {one.step})" for share, one in zip(shares[-3:], rows[-3:], strict=True)
            ),
            f"the noise itself varies: spread {number(rows[-1].spread)}",
            *(
                [f"what else the generator is given moves its output {number(float(np.median(other)))} times as far"]
                if np.isfinite(other).all() and np.median(other) > 1
                else []
            ),
        ),
        remedies=(
            Remedy(
                "Lead the noise into the network at the same scale as what it is joined with, and let no later layer take it "
                "out again (a weight near zero, a normalisation over a single sample, a slice).",
                keeps_objective=False,
            ),
        ),
        confidence=0.88,
    )
