"""Real and generated samples differ by a trivial tell, and the discriminator judges by that alone.

## What it means

Before real and fake samples meet in the discriminator, they went different ways: the real ones through a file, a
resampling, a padding and a scaling, the fakes through the last layers of the generator. What one of these ways leaves
behind, and the other cannot, separates the two for certain:

| tell | where it comes from |
|---|---|
| a border that is constant in every real image | padding 28 x 28 to 32 x 32, letterboxes, a mask |
| values on a grid | 8-bit pixels, whole numbers in a table, rounding; fakes are continuous |
| noise on one of the two | instance noise or augmentation for the real samples only, dropout in the generator |
| repeated pixels | nearest-neighbour upsampling at the generator's end, or of the real images only |
| another interpolation, another colour order, another file format | real samples from two sources |

The discriminator is not wrong: the tell is a difference. It is only none that was meant to be learnt, and often one
that the generator cannot imitate.

## How it is recognised

Two tells are looked for: random numbers that the step adds to one kind of sample alone, and entries that are one
number in every real sample and another one in every generated sample, which the generator can do nothing about. A tell
by itself is not reported: the discriminator's scores have to separate the two kinds (90 % of all pairs at the last
looks). Grids of values, resampling and file formats are not recognised yet; compare a batch of each by eye.

## Why it hurts

Separation is complete within a few hundred steps and rests on a few entries. The slope of the scores points at these
entries and at nothing else, so the generator learns a frame, or a rounding, in place of a picture; where it cannot
(a continuous output never lies on a grid), it learns nothing.

## Not to be confused with

- `range-mismatch`, `unnormalised-data`: the tell is the range of the values itself.
- `discriminator-overfits`: known samples, not a trait; held-back real samples get the scores of fakes.
- `discriminator-saturated`: what becomes of the generator's gradient then, whatever let the discriminator win.
- `bad-normalisation`: whole numbers that the code made by mistake, by `//` or a cast after scaling.
- A border that is a part of the data, as the black around a digit: the generator learns it easily, no fault.

## Remedy, and what it changes

- Send both through the same last steps: crop the border or add it to the fakes as well, resample real images with one
  filter, augment both and in both players' steps.
- Values on a grid: add uniform noise of the width of one step of the grid to the real samples (dequantisation). Do
  not round the fakes; rounding has no gradient.
- Instance noise on both, falling to zero, hides what is small.

The loss stays as it is; what is compared becomes what was meant. The discriminator's loss is higher afterwards.

## Example

```python
# faulty
import keras
import tensorflow as tf


def padded(images, border):
    return tf.pad(images, [[0, 0], [1, 1], [1, 1]], constant_values=border)


discriminator = keras.Sequential([keras.Input((8, 8)), keras.layers.Flatten(), keras.layers.Dense(1)])
optimizer, weights = keras.optimizers.Adam(0.03), discriminator.trainable_variables
for _ in range(60):
    real = padded(tf.random.normal((64, 6, 6)), -1.0)  # 6 x 6 images, padded to the size of the fakes
    fake = tf.random.normal((64, 8, 8))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.softplus(-discriminator(real)) + tf.nn.softplus(discriminator(fake)))
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
assert tf.reduce_mean(discriminator(real)) > 1.0
assert tf.reduce_mean(discriminator(fake)) < -1.0
assert tf.reduce_mean(discriminator(padded(fake[:, 1:-1, 1:-1], -1.0))) > 1.0  # with the border, they pass for real
```

```python
# corrected
import keras
import tensorflow as tf

discriminator = keras.Sequential([keras.Input((6, 6)), keras.layers.Flatten(), keras.layers.Dense(1)])
optimizer, weights = keras.optimizers.Adam(0.03), discriminator.trainable_variables
for _ in range(60):
    real = tf.random.normal((64, 6, 6))  # as they are
    fake = tf.random.normal((64, 6, 6))  # the generator makes images of this size
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.softplus(-discriminator(real)) + tf.nn.softplus(discriminator(fake)))
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
assert abs(tf.reduce_mean(discriminator(real)) - tf.reduce_mean(discriminator(fake))) < 1.0
```

## References

- Arjovsky, Bottou, *Towards Principled Methods for Training Generative Adversarial Networks*, 2017, arXiv 1701.04862,
  sections 2 (perfect discriminators) and 3 (noise on both).
- Theis, van den Oord, Bethge, *A note on the evaluation of generative models*, 2015, arXiv 1511.01844: uniform
  noise on whole numbers.
- Odena, Dumoulin, Olah, *Deconvolution and Checkerboard Artifacts*, 2016, https://distill.pub/2016/deconv-checkerboard.
- Wang et al., *CNN-generated images are surprisingly easy to spot... for now*, 2019, arXiv 1912.11035.
- Geirhos et al., *Shortcut Learning in Deep Neural Networks*, 2020, arXiv 2004.07780.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.game import Game, Trial, separation
from ganmedic.analysis.networks import RANDOM
from ganmedic.analysis.noise import is_written
from ganmedic.analysis.story import innermost
from ganmedic.causes.building import operation_place
from ganmedic.causes.measuring import measured_finding, number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Operation, Place

SLUG = "discriminator-shortcut"
FAMILY = "dynamics"
TITLE = "Real and fake differ by a trivial tell"

#: Scores that separate the two kinds so well at the last looks.
_CERTAIN = 0.9
#: What is done to one kind of sample alone, on its way to the discriminator, and leaves a mark on it.
_MARKS = {
    "Pad": "padded",
    "PadV2": "padded",
    "MirrorPad": "padded",
    "Round": "rounded",
    "Floor": "rounded",
    "Rint": "rounded",
    "FakeQuantWithMinMaxArgs": "quantised",
    "ResizeBilinear": "resized",
    "ResizeNearestNeighbor": "resized",
    "ResizeBicubic": "resized",
    "ResizeArea": "resized",
}
#: Entries that are the same in every sample are part of a frame where there are so many of them.
_FRAME = 0.02
#: Generated samples in which more than this share of the entries never changes are no picture in a frame.
_STILL = 0.9


def find(record: Record) -> list[Finding]:
    """Marks that one kind of sample bears and the other one does not."""
    game = Game.of(record)
    pairs = [(real, fake) for real, fake in game.pairs() if len(real.samples) > 3 and len(fake.samples) > 3]
    if not record.complete or len(pairs) < 2:
        return []
    certain = float(np.median([_certain(real, fake) for real, fake in pairs[-3:]]))
    real, fake = pairs[-1]
    if certain < _CERTAIN:
        return []
    noise = _noise_on_one(game, real, fake)
    if noise is not None:
        which, operation = noise
        what = f"random numbers are added to the {which} samples and not to the others"
        return [
            _explain(
                game, real, what, operation_place(game.run, operation), certain, _other_line(game, real, fake, which)
            )
        ]
    frame = _frame(real, fake)
    if frame is not None:
        share, one, other = frame
        mark = _marked(game, fake) or _marked(game, real)
        what = f"{100 * share:.0f} % of the entries are {number(one)} in every real sample and {number(other)} in every generated one"
        return [_explain(game, real, what, operation_place(game.run, mark) if mark else None, certain, None)]
    return []


def _certain(real: Trial, fake: Trial) -> float:
    share = separation(real.scores, fake.scores)
    return max(share, 1.0 - share)


def _between(game: Game, trial: Trial) -> list[Operation]:
    """The operations that were done to samples between where they came from and the discriminator."""
    if trial.batch is None:
        return []
    producers = game.record.producers
    made = [producers[one][0] for one in game.behind(trial.batch.value) if one in producers]
    own = [one for one in made if not any(game.judged(value) for value in one.outputs[:1])]
    inner = {call.id for call in game.record.layer_calls.values() if game.record.modules[call.module].variables}
    return [one for one in own if one.gradient_call is None and (one.layer_call is None or one.layer_call not in inner)]


def _noise_on_one(game: Game, real: Trial, fake: Trial) -> tuple[str, Operation] | None:
    """Random numbers of the size of a sample that are added on the way of one kind alone."""
    found = {}
    for which, trial in (("real", real), ("generated", fake)):
        shape = trial.batch.shape if trial.batch is not None else ()
        for operation in _between(game, trial):
            if (
                operation.kind not in ("AddV2", "Add", "Mul")
                or not operation.shapes
                or operation.layer_call is not None
            ):
                continue
            drawn = [value for value in operation.inputs if _is_drawn(game, value, shape)]
            rest = [value for value in operation.inputs if value not in drawn]
            if drawn and any(_is_sample(game, trial, value) for value in rest) and _size(operation) == shape[1:]:
                found[which] = operation
    return next(iter(found.items())) if len(found) == 1 else None


def _is_sample(game: Game, trial: Trial, value: int) -> bool:
    """Whether a value is made of samples that the step was given, or that a generator put out; not of numbers drawn here."""
    if game.is_made(value):
        made = game.record.producers.get(value)
        shape = made[0].shapes[0] if made is not None and made[0].shapes else None
        # A weight that noise is added to is a generator, not a sample.
        return shape is not None and len(shape) > 1 and shape[0] != 1
    behind, producers = game.behind(value), game.record.producers
    count = trial.batch.shape[0] if trial.batch is not None else 0
    rows = [one for one in game.batches.get(trial.look.probe.id, ()) if one.place == "given" and one.value in behind]
    return any(
        one.shape[0] == count and (one.value not in producers or not RANDOM.search(producers[one.value][0].kind))
        for one in rows
    )


def _size(operation: Operation) -> tuple[int | None, ...]:
    return tuple((operation.shapes[0] or ())[1:])


def _is_drawn(game: Game, value: int, shape: tuple[int, ...], depth: int = 4) -> bool:
    """Whether a value is made of random numbers of the size of a sample and of plain numbers, of nothing else."""
    made = game.record.producers.get(value)
    if made is None or depth == 0:
        return False
    operation = made[0]
    if RANDOM.search(operation.kind):
        known = operation.shapes[0] if operation.shapes else None
        return known is None or tuple(known[1:]) == shape[1:]
    if operation.kind not in ("Mul", "AddV2", "Identity", "Cast", "Sub"):
        return False
    rest = [one for one in operation.inputs if not is_written(game, one)]
    return len(rest) == 1 and _is_drawn(game, rest[0], shape, depth - 1)


def _other_line(game: Game, real: Trial, fake: Trial, which: str) -> Place | None:
    """The line on which the other kind of sample is made, which is where the same is missing."""
    other = fake if which == "real" else real
    if other.batch is None:
        return None
    module = game.makers[0].net.module if game.makers else None
    for call in game.record.module_calls(module.id) if module is not None and which == "real" else ():
        if other.batch.value in call.outputs:
            return innermost(call.stack)
    return None


def _frame(real: Trial, fake: Trial) -> tuple[float, float, float] | None:
    """Entries that are one number in all real samples and another in all generated ones."""
    one, other = (trial.samples.reshape(len(trial.samples), -1) for trial in (real, fake))
    if one.shape[1] != other.shape[1] or one.shape[1] < 16:
        return None
    still = (np.ptp(one, axis=0) == 0) & (np.ptp(other, axis=0) == 0)
    apart = still & (np.abs(one[0] - other[0]) > 0.05 * max(1e-12, float(one.std())))
    # A generator of which nearly nothing moves has no frame: it does not learn.
    if float((np.ptp(other, axis=0) == 0).mean()) > _STILL:
        return None
    share = float(apart.mean())
    return (share, float(np.median(one[0][apart])), float(np.median(other[0][apart]))) if share >= _FRAME else None


def _marked(game: Game, trial: Trial) -> Operation | None:
    return next((one for one in _between(game, trial) if one.kind in _MARKS and one.stack), None)


def _explain(game: Game, real: Trial, what: str, place: Place | None, certain: float, missing: Place | None) -> Finding:
    judge = real.player.net.name
    return measured_finding(
        game.vitals,
        SLUG,
        real.player,
        f"{judge} needs no look at the content to tell real from generated samples: {what}.",
        place=missing or place,
        evidence=(
            what,
            f"a real sample is scored above a generated one in {100 * max(certain, 1 - certain):.0f} % of all pairs",
        ),
        remedies=(
            Remedy(
                "Do to generated samples whatever is done to real ones before the discriminator, and the other way round."
            ),
        ),
        more=((place, "forward"),),
        confidence=0.88,
    )
