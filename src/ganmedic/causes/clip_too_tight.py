"""Gradients are clipped so far below their own size that the weights hardly move.

## What it means

Clipping is there for the rare step whose gradient is far too large. Set below the usual gradient it acts in every
step, and then it is no longer a guard but the step size: with plain gradient descent the weights move by at most
learning rate times bound. A learning rate of 0.01 and a global norm of 1e-4 make steps of length 1e-6, for all the
weights of a network together.

The ways in which it comes about:

- a bound meant for another way of clipping: 0.01 is a usual *weight* clip of a Wasserstein critic, and as a bound for
  gradients it is tiny;
- `global_clipnorm` or `tf.clip_by_global_norm` with a bound that was found for a small network. The norm of all
  gradients grows with the number of weights, and 10 to 100 may be an ordinary value;
- clipping twice, by hand and in the optimizer, or before the loss scale of float16 is taken out again.

Adam conceals it: a gradient that is smaller by a constant gives the same step, until it comes near Adam's epsilon,
1e-7. SGD shows it at once, with momentum or without.

## How it is recognised

The gradient as the optimizer receives it is compared with the gradient as the tape answered. The finding needs less
than 1 % of it for most kernels in nine of ten steps, and kernels that move by less than a hundred-thousandth of their
size a step (the median; weights that learn move by about a thousandth). For a bound inside the optimizer (`clipnorm`,
`clipvalue`, `global_clipnorm`) the bound is compared with the measured norms, in the same way.

## Why it hurts

The training looks like one with a learning rate that is a hundred times too small. In a GAN it often strikes one
player only: the one with the larger network is held, the other runs ahead, and the trouble appears to be a
discriminator that is too strong. Clipping each entry also changes the direction: when every entry is at the bound,
what is left is the sign of the gradient.

## Not to be confused with

- `weight-clipping`: the weights are clipped, not the gradients.
- `not-applied`: the weights do not move at all, bit for bit.
- `depth-attenuation`: the gradient is small before any clipping.
- `loss-weight-imbalance`: one term is small against another, none is clipped.

## Remedy, and what it changes

Print the norms before clipping for a while and set the bound above the usual ones: a high percentile, or some times
the median. Use the global norm, which keeps the direction; Keras's `clipnorm` bounds each variable for itself and
does not. Bounds relative to the weights (adaptive gradient clipping, 0.01 of the norm of each unit's weights) and
bounds that follow the history of norms need no figure found by hand.

The objective does not change. What changes is the step size, so the learning rate may have been raised to make up for
the clip: set it back.

## Example

```python
# faulty
import keras
import tensorflow as tf

critic = keras.Sequential([keras.Input((16,)), keras.layers.Dense(64, "tanh"), keras.layers.Dense(1)])
weights = critic.trainable_variables
optimizer = keras.optimizers.SGD(0.01)
samples = tf.random.normal((32, 16))
size = tf.linalg.global_norm([w.value for w in weights])
before = [tf.identity(w.value) for w in weights]

with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.nn.softplus(-critic(samples)))
gradients = tape.gradient(loss, weights)
clipped, norm = tf.clip_by_global_norm(gradients, 1e-4)
optimizer.apply_gradients(zip(clipped, weights))

moved = tf.linalg.global_norm([w.value - old for w, old in zip(weights, before)])
assert tf.linalg.global_norm(clipped) < 0.01 * norm
assert moved < 1e-6 * size
```

```python
# corrected
import keras
import tensorflow as tf

critic = keras.Sequential([keras.Input((16,)), keras.layers.Dense(64, "tanh"), keras.layers.Dense(1)])
weights = critic.trainable_variables
optimizer = keras.optimizers.SGD(0.01)
samples = tf.random.normal((32, 16))
size = tf.linalg.global_norm([w.value for w in weights])
before = [tf.identity(w.value) for w in weights]

with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.nn.softplus(-critic(samples)))
gradients = tape.gradient(loss, weights)
clipped, norm = tf.clip_by_global_norm(gradients, 10.0)  # above the usual norm: a guard for the rare step
optimizer.apply_gradients(zip(clipped, weights))

moved = tf.linalg.global_norm([w.value - old for w, old in zip(weights, before)])
assert tf.abs(tf.linalg.global_norm(clipped) - norm) < 1e-4 * norm
assert moved > 1e-5 * size
```

## References

- Pascanu, Mikolov, Bengio, *On the difficulty of training Recurrent Neural Networks*, 2012, arXiv 1211.5063, section
  3.2 and algorithm 1: clipping by the norm.
- Kingma, Ba, *Adam: A Method for Stochastic Optimization*, 2014, arXiv 1412.6980, section 2.1: the step does not
  depend on the scale of the gradient.
- Brock, De, Smith, Simonyan, *High-Performance Large-Scale Image Recognition Without Normalization*, 2021, arXiv
  2102.06171, section 4: adaptive gradient clipping.
- Seetharaman, Wichern, Pardo, Le Roux, *AutoClip: Adaptive Gradient Clipping for Source Separation Networks*, 2020,
  arXiv 2007.14469.
- Keras API, *Optimizers*: `clipnorm`, `clipvalue`, `global_clipnorm`.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.vitals import Player, Vitals
from ganmedic.causes.building import operation_place
from ganmedic.causes.measuring import constant_place, measured_finding, number, optimizer_place
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Operation

SLUG = "clip-too-tight"
FAMILY = "vanishing"
TITLE = "Clipping shrinks useful gradients to nothing"


#: What is left of the gradient in nearly every step, and how far weights move at most, as a share of their size.
_LEFT, _MOVES = 0.01, 1e-5
_CLIPS = ("ClipByValue", "Minimum", "Maximum")


def find(record: Record) -> list[Finding]:
    """Gradients that clipping takes away."""
    vitals = Vitals.of(record)
    if not record.complete:
        return []
    found = []
    for player in vitals.players:
        raw = float(np.median(player.norms())) if len(player.norms()) else 0.0
        left = _left(vitals, player, raw)
        if left is not None and left < _LEFT and _movement(vitals, player) < _MOVES:
            found.append(_explain(vitals, player, raw, left))
    return found


def _left(vitals: Vitals, player: Player, raw: float) -> float | None:
    """What clipping leaves of the gradient of most kernels in nine of ten steps; ``None`` where nothing clips."""
    optimizer = player.optimizer
    if player.applied is not None and raw > 0:
        shares = []
        for column in _kernels(vitals, player.series.variables):
            variable = player.series.variables[column]
            if variable in player.applied.variables:
                given = player.applied.of("norm")[:, player.applied.variables.index(variable)]
                answered = float(np.median(player.series.of("norm")[:, column]))
                if answered > 0 and len(given):
                    shares.append(float(np.quantile(given, 0.9)) / answered)
        return float(np.median(shares)) if shares else None
    if optimizer is None or not optimizer.clip or raw <= 0:
        return None
    if optimizer.clip == "value":
        return optimizer.clip_at / max(float(np.median(player.series.of("largest").max(axis=1))), 1e-30)
    if optimizer.clip == "norm":
        return optimizer.clip_at / max(float(np.median(player.series.of("norm").max(axis=1))), 1e-30)
    return optimizer.clip_at / raw


def _kernels(vitals: Vitals, variables: tuple[int, ...]) -> list[int]:
    """The columns of the variables that are multiplied with; of all where there is none of these."""
    found = [
        column
        for column, variable in enumerate(variables)
        if (row := vitals.record.variables.get(variable)) is not None and len(row.shape) > 1
    ]
    return found or list(range(len(variables)))


def _movement(vitals: Vitals, player: Player) -> float:
    """How far kernels move in a step, as a share of their size: the median over them and over the steps."""
    moves = player.movement()
    if not len(moves):
        return 1.0
    with np.errstate(all="ignore"):
        return float(np.nanmedian(moves[:, _kernels(vitals, player.series.variables)]))


def _explain(vitals: Vitals, player: Player, raw: float, left: float) -> Finding:
    clip = _clip_of(vitals, player)
    at = operation_place(vitals.run, clip) if clip is not None else optimizer_place(vitals.run, player.optimizer)
    threshold = player.optimizer.clip_at if clip is None and player.optimizer is not None else raw * left
    place = constant_place(vitals.run, at, float(f"{threshold:.6g}")) or at
    optimizer = player.optimizer
    how = (
        f"{optimizer.clip} {number(optimizer.clip_at)}" if optimizer is not None and optimizer.clip else "its clipping"
    )
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"Clipping leaves {number(left)} of the gradient of {player.net.name}, in nearly every step: the weights move by "
        f"{number(_movement(vitals, player))} of their size a step.",
        place=place,
        more=((at, "clip"),),
        evidence=(
            f"norm of the gradient as the tape answers it: {number(raw)} (median over {player.series.seen} steps)",
            f"norm as the optimizer applies it: {number(raw * left)} at most in 9 of 10 steps"
            if player.applied is not None
            else f"the optimizer clips to {how}",
        ),
        remedies=(
            Remedy(
                "Choose the threshold near the usual norm, so that it acts on outliers only.",
                f"gradients, _ = tf.clip_by_global_norm(gradients, {_round(raw)})",
            ),
        ),
        confidence=0.9,
        mark=("clip_by_global_norm", "clip_by_norm", "clip_by_value"),
    )


def _round(value: float) -> str:
    return f"{float(f'{value:.1g}'):g}" if value > 0 else "1.0"


def _clip_of(vitals: Vitals, player: Player) -> Operation | None:
    """The operation that last changed the gradients before they were applied, in the user's code."""
    if player.applied is None:
        return None
    apply = vitals.record.applies.get(player.applied.call)
    for value in apply.gradients if apply is not None else ():
        made = vitals.record.producers.get(value) if value is not None else None
        while made is not None and made[0].kind in ("Identity", "Cast") and made[0].inputs:
            made = vitals.record.producers.get(made[0].inputs[0])
        if made is not None and made[0].stack:
            return made[0]
    return None
