"""A square root or norm is differentiated where it is exactly zero, and its gradient is NaN.

## What it means

The root of x has the derivative 1 / (2 root x), which is infinite at 0. In a norm, the derivative of the squares is 0
at the same point, and infinity times 0 is NaN. The value is right, 0; only the gradient is lost. Everything that ends
in a root has this:

| NaN at zero | finite at zero |
|---|---|
| `tf.norm`, `keras.ops.norm`, `tf.math.reduce_euclidean_norm` | `tf.reduce_sum(tf.square(x))` |
| `tf.sqrt(tf.reduce_sum(x**2))`, `x**0.5` | `tf.sqrt(tf.reduce_sum(x**2) + 1e-12)` |
| `tf.math.reduce_std`, `keras.ops.std` of a constant | the same, by hand with a constant in the root |
| `(norm - 1)**2` of a slope that is 0 | a one-sided penalty `relu(norm - 1)**2`, written with that constant |

It is met in a gradient penalty, where the critic's slope is exactly 0 for a sample: a last layer that starts at zero,
a rectifier that is off everywhere, a dead critic, padded or masked samples. It is met in distances, where two samples
are the same, and in a standard deviation over the batch, where a generator has collapsed or the batch has one sample.

`tf.math.l2_normalize` does not fail, it has its own constant; but its gradient at zero is a million, and that of
`keras.layers.UnitNormalization` larger still.

## How it is recognised

Every operation of the backward pass is checked for values that are not finite, the recorded step being run again in a
sandbox where needed. The cause is named if the first operation that made one from finite values is the derivative of
a square root, a norm or a power below 1, at exactly zero. It is of order 1 in a plain loss, and of order 2 inside a
gradient penalty, where the tape differentiates the norm of another tape's gradient. The finding names the line of the
norm, and how many samples had a slope of zero.

## Why it hurts

One sample with slope 0 makes the whole gradient NaN, and with one update every weight. The loss of that step is
finite, so a check of the loss comes a step too late. With a layer that starts at zero it happens in the first step;
with rectifiers, some day.

## Not to be confused with

- `log-of-zero`: a logarithm or a division made the first bad value.
- `dead-relu`: why the slope is zero for all samples. After the NaN is repaired, a dead critic is still dead.
- `no-second-order-gradient`: the second derivative is missing, not NaN.
- `penalty-miscomputed`: the norm is finite and wrong.
- `exploding-gradients`: the values grow until they overflow.

## Remedy, and what it changes

Put a small constant inside the root: `tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=[1, 2, 3]) + 1e-12)`. The
gradient at zero is then 0, and norms above 0.01 stay the same within float32. Outside the root, `tf.sqrt(...) +
1e-12`, the constant does nothing. The objective does not change.

A sample with slope 0 then gets no push from the penalty, though its slope is to be 1: at that point the direction of
the push is not defined. Start the last layer of such a critic with values other than zero. A penalty on the squared
norm, R1 or R2, has no root and no such point.

## Example

```python
# faulty
import keras
import tensorflow as tf

last = keras.layers.Dense(1, kernel_initializer="zeros")
critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, "tanh"), last])
samples = tf.random.normal((4, 3))

with tf.GradientTape() as outer:
    with tf.GradientTape() as inner:
        inner.watch(samples)
        scores = critic(samples)
    norms = tf.norm(inner.gradient(scores, samples), axis=1)
    penalty = tf.reduce_mean(tf.square(norms - 1.0))
gradients = [g for g in outer.gradient(penalty, critic.trainable_variables) if g is not None]
assert penalty == 1.0  # the loss itself is finite
assert any(tf.reduce_any(tf.math.is_nan(g)) for g in gradients)
```

```python
# corrected
import keras
import tensorflow as tf

last = keras.layers.Dense(1, kernel_initializer="zeros")
critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, "tanh"), last])
samples = tf.random.normal((4, 3))

with tf.GradientTape() as outer:
    with tf.GradientTape() as inner:
        inner.watch(samples)
        scores = critic(samples)
    norms = tf.sqrt(tf.reduce_sum(tf.square(inner.gradient(scores, samples)), axis=1) + 1e-12)
    penalty = tf.reduce_mean(tf.square(norms - 1.0))
gradients = [g for g in outer.gradient(penalty, critic.trainable_variables) if g is not None]
assert abs(penalty - 1.0) < 1e-5
assert gradients
assert all(tf.reduce_all(tf.math.is_finite(g)) for g in gradients)
```

## References

- Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, *Improved Training of Wasserstein GANs*, 2017, arXiv 1704.00028,
  equation 3: the norm inside the penalty.
- Petzka, Fischer, Lukovnicov, *On the regularization of Wasserstein GANs*, 2017, arXiv 1709.08894: the one-sided
  penalty.
- Mescheder, Geiger, Nowozin, *Which Training Methods for GANs do actually Converge?*, 2018, arXiv 1801.04406, section
  4.1: penalties without a root.
- TensorFlow API, `tf.norm`, `tf.math.l2_normalize` (its `epsilon`).
"""

from __future__ import annotations

from ganmedic.analysis.births import Birth, births
from ganmedic.causes.births import birth_finding, rewritten
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "norm-at-zero"
FAMILY = "exploding"
TITLE = "A square root or a norm is differentiated at zero"


def find(record: Record) -> list[Finding]:
    """Steps that went wrong in the derivative of a root or a norm."""
    return [_explain(record, birth) for birth in births(record)[:1] if birth.is_root_of_zero or birth.is_negative_root]


def _explain(record: Record, birth: Birth) -> Finding:
    if birth.is_negative_root:
        return birth_finding(
            record,
            SLUG,
            birth,
            f"At step {birth.origin.step} a {birth.root.kind} is taken of a value below zero, which rounding makes of a zero "
            f"easily; from there {birth.spread}.",
            remedies=(Remedy("Keep what goes into the root at zero or above.", "tf.sqrt(tf.maximum(x, 0.0) + 1e-12)"),),
        )
    where = "in the gradient of a gradient (a penalty)" if birth.origin.order == 2 else "in the gradient"
    return birth_finding(
        record,
        SLUG,
        birth,
        f"At step {birth.origin.step} a {birth.root.kind} of exactly zero is differentiated, {where}: its derivative there is "
        f"infinite, and times zero that makes NaN; from there {birth.spread}.",
        remedies=(
            Remedy(
                "Put a small constant inside the root.",
                _inside(record, birth),
            ),
        ),
    )


def _inside(record: Record, birth: Birth) -> str:
    """The root of the script at hand, with a constant inside."""
    norm = "tf.sqrt(tf.reduce_sum(tf.square({x}), axis={axis}) + 1e-12)"
    plain = "tf.sqrt(tf.reduce_sum(tf.square(x), axis=axes) + 1e-12)"
    deviation = "tf.sqrt(tf.math.reduce_variance({x}, axis={axis}) + 1e-12)"
    as_norm = rewritten(record, birth, ("norm", "reduce_euclidean_norm"), norm, plain)
    as_deviation = rewritten(record, birth, ("reduce_std", "std"), deviation, as_norm)
    return rewritten(record, birth, ("sqrt", "rsqrt"), "{call}({x} + 1e-12)", as_deviation)
