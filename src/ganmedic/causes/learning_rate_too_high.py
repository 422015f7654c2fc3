"""The steps are so large, measured by the weights themselves, that each one undoes what the last one learnt.

## What it means

A gradient says which way is down, and holds for a small neighbourhood. A step that changes the weights by a tenth of
their size leaves that neighbourhood: the loss behind it has nothing to do with the slope in front of it. Beyond a
certain rate, two divided by the curvature, gradient descent does not merely oscillate, it moves away, each step
larger than the one before.

Where it comes from:

- The optimizer was exchanged and the rate kept. 0.01 is small for SGD and large for Adam, whose steps are about the
  rate in *every* weight, whatever the gradient; GANs use 1e-4 to 4e-4 with Adam. The default of
  `keras.optimizers.Adam` is 0.001, that of SGD 0.01.
- A schedule that grows: `ExponentialDecay` with a rate above 1, a warm-up without an end, `decay_steps` counted in
  epochs where steps are meant, a `learning_rate.assign` with a factor above 1 in a loop.
- The rate was scaled with the number of replicas, and the loss was summed over them as well.
- A loss that is a sum over the batch or over the pixels, under SGD: the same as a rate that many times higher.
- Raw inputs (0 to 255): the curvature grows with their square.

## How it is recognised

The change of each network's weights in a step is compared with their own size. The finding needs steps of more than
10 % in the last quarter of the run, or a single one of more than 50 %, and a loss that grows tenfold or is not finite
at the end; steps of more than 50 % at the end are a finding by themselves. A straight (Wasserstein) loss may grow for
other reasons and is left to `unbounded-critic`. A NaN that is born in a logarithm, a root or in float16 is told as that.

## Why it hurts

Losses jump and never settle, or rise and overflow. In a GAN each player chases one that is somewhere else by the next
step. Rectifiers are pushed below zero and stay there, tanh outputs are driven to their ends; that damage remains when
the rate is lowered later. The discriminator may be the only one affected and look merely weak.

## Not to be confused with

- `exploding-gradients`: the gradient itself grows from layer to layer, with steps of any size.
- `unbounded-critic`: a loss without a floor; it falls without end, and evenly.
- `dead-relu`, `saturated-activation`: what large steps leave behind.
- `oscillation`: both players circle round each other with steps of a reasonable size.
- `unnormalised-data`: the input's scale makes the steps too large.
- `log-of-zero`, `norm-at-zero`: a NaN out of small numbers, without growth before it.

## Remedy, and what it changes

- Lower the rate by tens until a step changes the weights by a thousandth or less of their size, then go up again. For
  Adam in a GAN begin with 2e-4 and `beta_1` 0.5, or 1e-4 and `beta_1` 0.
- Correct the schedule; print the rate that is in force, `optimizer.learning_rate`, at a few steps.
- Write losses as means. Scale the inputs.
- Clipping the global norm bounds the rare large step. With Adam it does nothing against a rate that is too high.
- Start from new weights: the old ones are spoilt.

The objective does not change.

## Example

```python
# faulty
import keras
import tensorflow as tf

discriminator = keras.Sequential([keras.Input((16,)), keras.layers.Dense(1)])
weights = discriminator.trainable_variables
optimizer = keras.optimizers.SGD(0.5)
samples = tf.random.normal((32, 16)) + 1.0

losses, steps = [], []
for _ in range(30):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(discriminator(samples) - 1.0))
    before = [tf.identity(w.value) for w in weights]
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    moved = tf.linalg.global_norm([w.value - old for w, old in zip(weights, before)])
    steps.append(float(moved / tf.linalg.global_norm(before)))
    losses.append(float(loss))
assert min(steps) > 0.1
assert losses[-1] > 1e6 * losses[0]
```

```python
# corrected
import keras
import tensorflow as tf

discriminator = keras.Sequential([keras.Input((16,)), keras.layers.Dense(1)])
weights = discriminator.trainable_variables
optimizer = keras.optimizers.SGD(0.001)
samples = tf.random.normal((32, 16)) + 1.0

losses, steps = [], []
for _ in range(30):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(discriminator(samples) - 1.0))
    before = [tf.identity(w.value) for w in weights]
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    moved = tf.linalg.global_norm([w.value - old for w, old in zip(weights, before)])
    steps.append(float(moved / tf.linalg.global_norm(before)))
    losses.append(float(loss))
assert max(steps) < 0.1
assert losses[-1] < losses[0]
```

## References

- Goodfellow, Bengio, Courville, *Deep Learning*, 2016, https://www.deeplearningbook.org, sections 8.3.1 and 11.4.1:
  the learning rate.
- Kingma, Ba, *Adam: A Method for Stochastic Optimization*, 2014, arXiv 1412.6980, section 2.1: the size of a step is
  about the rate.
- Radford, Metz, Chintala, *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
  Networks*, 2015, arXiv 1511.06434, section 4: 0.0002, since 0.001 is too high.
- Heusel et al., *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium*, 2017, arXiv
  1706.08500.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.births import births
from ganmedic.analysis.vitals import Floats, Player, Vitals
from ganmedic.causes.measuring import (
    measured_finding,
    number,
    optimizer_place,
    optimizer_text,
    rate_place,
    rate_written,
)
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "learning-rate-too-high"
FAMILY = "exploding"
TITLE = "The updates are too large for the weights they change"


#: Weights that move by this share of their size in a step, for many steps, run away.
_MOVES = 0.1
#: The rate at the end against that at the beginning, and the loss likewise.
_RISES, _GROWS = 5.0, 10.0


def find(record: Record) -> list[Finding]:
    """Optimizers whose steps are so large that the loss grows."""
    vitals = Vitals.of(record)
    if not record.complete:
        return []
    if any(birth.is_explained for birth in births(record)[:1]):
        return []
    fast = [player for player in vitals.players if _runs_away(player)]
    if not fast:
        return []
    return [_explain(vitals, max(fast, key=lambda player: float(np.nanmax(_movement(player), initial=0.0))))]


def _movement(player: Player) -> Floats:
    """How far all weights together move, as a share of their size, at each step that came out finite."""
    update = player.series.of("update")[1:].astype(np.float64)
    weight = player.series.of("weight")[1:].astype(np.float64)
    with np.errstate(all="ignore"):
        steps: Floats = np.sqrt(np.square(update).sum(axis=1) / np.square(weight).sum(axis=1))
    return steps[np.isfinite(steps)]


def _runs_away(player: Player) -> bool:
    moves = _movement(player)
    if len(moves) < 3 or any(score.curve.straight for score in player.scores):
        return False
    late = float(np.median(moves[-max(3, len(moves) // 4) :]))
    losses = np.abs(player.losses())
    known = losses[np.isfinite(losses)]
    early = float(np.median(known[: max(1, len(known) // 4)])) if len(known) else 0.0
    grown = bool(len(known) < len(losses)) or bool(
        len(known) and known[-max(1, len(known) // 4) :].max() > _GROWS * max(early, 0.1)
    )
    return (late > _MOVES or float(moves.max()) > 5 * _MOVES) and (grown or late > 5 * _MOVES)


def _explain(vitals: Vitals, player: Player) -> Finding:
    moves = _movement(player)
    rates = player.optimizer.rates if player.optimizer else ()
    rising = len(rates) > 1 and rates[-1] > _RISES * max(rates[0], 1e-30) and max(rates) == rates[-1]
    losses = player.losses()
    finite = losses[np.isfinite(losses)]
    evidence = [
        f"the weights of {player.net.name} move by {number(float(np.median(moves)))} of their size a step (median), at most by "
        f"{number(float(moves.max()))}",
        f"its loss went from {number(float(finite[0])) if len(finite) else 'nothing finite'} to "
        f"{number(float(losses[-1])) if np.isfinite(losses[-1]) else 'a value that is not finite'}",
    ]
    if rising:
        evidence.append(f"the learning rate rose from {number(rates[0])} to {number(rates[-1])}")
    schedule = rate_place(vitals.run, player.optimizer) if len(set(rates)) > 1 else None
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"The steps of {optimizer_text(player.optimizer)} are too large for {player.net.name}: its weights move by "
        f"{number(float(np.median(moves[-max(3, len(moves) // 4) :])))} of their size at every step and the loss grows.",
        place=schedule or rate_written(vitals.run, player.optimizer),
        more=((optimizer_place(vitals.run, player.optimizer), "optimizer"),),
        evidence=tuple(evidence),
        remedies=(
            Remedy(
                "Lower the learning rate so far that weights move by about a thousandth of their size a step.",
                f"learning_rate={_better(rates, moves):.1g}",
            ),
        ),
        confidence=0.85,
    )


def _better(rates: tuple[float, ...], moves: Floats) -> float:
    now = rates[-1] if rates else 1e-3
    return float(now * 1e-3 / max(float(np.median(moves)), 1e-12))
