"""Gradients in float16 are too small for their type and become zero, because the loss is not scaled.

## What it means

The smallest positive number of float16 is 6e-8; what is below half of it is rounded to zero, and below 6e-5 digits
are lost. Gradients of single entries are often that small: a mean over 8 images of 64 by 64 pixels divides by 32 768
before anything else happens. Under `mixed_float16` the weights are float32, but the gradient runs back through
float16 layers, and a zero on the way stays a zero.

The remedy is known and has to be asked for. `keras.optimizers.LossScaleOptimizer` multiplies the loss by 32 768 at
first, divides the gradients by the same, and adapts the figure. `compile` wraps the optimizer of a `mixed_float16`
model, and `fit` scales the loss. A training loop or `train_step` of one's own, with an optimizer for each player,
gets neither:

- a plain optimizer is used with `mixed_float16` layers;
- the optimizer is wrapped, but `optimizer.scale_loss(loss)` is never called. Then the gradients are divided by a
  factor that they were never multiplied by: they are small *and* made 32 768 times smaller;
- only one player's loss is scaled;
- models are cast to float16 outright, weights and all.

## How it is recognised

In a recorded step, run again in a sandbox, the float16 values on the backward pass are counted: most entries are zero
where the values before them are not, while the loss that the tape was asked for has not been scaled. Entries that are
zero in float32 too (rectifiers, masks) do not count.

## Why it hurts

Weights whose gradient is always zero do not move. The first layers suffer most, and the generator before the
discriminator, since its gradient passes both. Training looks slow or stuck, with losses that are finite and
reasonable, and the same script in float32 learns. A penalty with a gradient inside has it worst: it squares small
numbers.

## Not to be confused with

- `fp16-overflow`: the other end of the range, infinities.
- `depth-attenuation`: gradients shrink in float32 as well.
- `dead-relu`: zeros that are right in every type.
- `clip-too-tight`: gradients are small after clipping.
- `not-applied`: gradients are sound and no update happens. A LossScaleOptimizer leaves out the steps whose gradients
  are not finite, and in the first steps of a training several in a row are normal.

## Remedy, and what it changes

- Wrap both optimizers: `keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(...))`, and hand
  `optimizer.scale_loss(loss)` to the tape; `apply` divides by itself. The objective and the size of the step are
  those of float32.
- A gradient penalty inside: the inner gradient is computed from the unscaled score, or divided by the scale before
  its norm is taken, in float32.
- Clip after the gradients have been unscaled, or inside the optimizer.
- `mixed_bfloat16`, where the hardware has it: the range of float32, no scaling, fewer digits.
- Keep the last layers and the loss in float32 (`dtype="float32"`), which prevents the worst.

## Example

```python
# faulty
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1024, dtype="mixed_float16")])
optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
weights = generator.trainable_variables
optimizer.build(weights)
noise = tf.random.normal((8, 8))

with tf.GradientTape() as tape:
    images = generator(noise)
    loss = 1e-4 * tf.reduce_mean(tf.square(tf.cast(images, tf.float32)))  # scale_loss is forgotten
gradients = tape.gradient(loss, [images, *weights])
assert gradients[0].dtype == tf.float16
assert tf.reduce_mean(tf.cast(gradients[0] == 0.0, tf.float32)) > 0.5

before = tf.identity(weights[0].value)
optimizer.apply(gradients[1:], weights)
assert tf.reduce_all(weights[0].value == before)  # not one weight has moved
```

```python
# corrected
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1024, dtype="mixed_float16")])
optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
weights = generator.trainable_variables
optimizer.build(weights)
noise = tf.random.normal((8, 8))

with tf.GradientTape() as tape:
    images = generator(noise)
    loss = 1e-4 * tf.reduce_mean(tf.square(tf.cast(images, tf.float32)))
    scaled = optimizer.scale_loss(loss)
gradients = tape.gradient(scaled, [images, *weights])
assert tf.reduce_mean(tf.cast(gradients[0] == 0.0, tf.float32)) < 0.1

before = tf.identity(weights[0].value)
optimizer.apply(gradients[1:], weights)
assert tf.reduce_mean(tf.cast(weights[0].value != before, tf.float32)) > 0.5
```

## References

- Micikevicius et al., *Mixed Precision Training*, 2017, arXiv 1710.03740, sections 3.1 and 3.2: master weights in
  float32, loss scaling.
- TensorFlow guide, *Mixed precision*, sections "Loss scaling" and "Training the model with a custom training loop".
- Keras API, *Loss Scale Optimizer*.
- Huang, Gokaslan, Kuleshov, Tompkin, *The GAN is dead; long live the GAN! A Modern GAN Baseline*, 2024, arXiv
  2501.05441: bfloat16 in place of float16.
"""

from __future__ import annotations

from ganmedic.analysis.vitals import Player, Vitals
from ganmedic.causes.measuring import loss_made, measured_finding, number, optimizer_place
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "fp16-underflow"
FAMILY = "vanishing"
TITLE = "Gradients round to zero in half precision"


#: A share of zeros that masks of rectifiers do not explain.
_ZEROS = 0.5
_POLICY = ("set_global_policy", "set_dtype_policy", "mixed_float16", "Policy", "DTypePolicy")


def find(record: Record) -> list[Finding]:
    """Networks that compute in float16 and whose gradients are mostly zero, with no scaling of the loss."""
    vitals = Vitals.of(record)
    if not record.complete:
        return []
    found = []
    for player in vitals.players:
        optimizer = player.optimizer
        scaled = optimizer is not None and optimizer.loss_scale > 1 and optimizer.scales > 0
        if not scaled and _zeros(vitals, player) > _ZEROS and _layers_in_half(vitals, player):
            found.append(_explain(vitals, player))
    return found


def _layers_in_half(vitals: Vitals, player: Player) -> list[float]:
    """The share of zeros in the gradient at each layer that computes in float16."""
    return [
        layer.measure.gradient_zeros
        for look in player.looks[-1:]
        for layer in vitals.layers(look)
        if layer.net is player.net and layer.measure.dtype == "float16" and layer.measure.gradient >= 0
    ]


def _zeros(vitals: Vitals, player: Player) -> float:
    """The share of zeros in the gradients of the weights, mean over the last quarter of the run."""
    zeros = player.series.of("zeros")
    return float(zeros[-max(1, len(zeros) // 4) :].mean()) if len(zeros) else 0.0


def _explain(vitals: Vitals, player: Player) -> Finding:
    optimizer = player.optimizer
    share = _zeros(vitals, player)
    policy = loss_made(vitals.run, player, *_POLICY)
    scaling = optimizer is not None and optimizer.loss_scale > 0
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"{player.net.name} computes in float16, and {share:.0%} of the entries of its gradients are exactly zero: they are "
        "below what half precision can hold, and the loss is not scaled.",
        place=None if scaling else optimizer_place(vitals.run, optimizer) or policy,
        more=((policy, "policy"), (optimizer_place(vitals.run, optimizer), "optimizer")),
        evidence=(
            f"zeros in the gradients of the weights: {share:.0%} over the last quarter of the run",
            "zeros in the gradient at the layers: "
            + ", ".join(f"{one:.0%}" for one in _layers_in_half(vitals, player)[:8]),
            f"norm of the gradient: {number(float(player.norms()[-1]))}"
            if len(player.norms())
            else "no norm was measured",
            "the optimizer scales, but its scale_loss was never called" if scaling else "no LossScaleOptimizer",
        ),
        remedies=(
            Remedy(
                "Scale the loss, and let the optimizer take the scale out again.",
                "optimizer = keras.optimizers.LossScaleOptimizer(optimizer)\n"
                "gradients = tape.gradient(optimizer.scale_loss(loss), variables)",
            ),
            Remedy("Or use bfloat16, which holds as small numbers as float32.", 'set_global_policy("mixed_bfloat16")'),
        ),
        confidence=0.9,
    )
