"""A logarithm or a division meets a zero, and from there on the loss or its gradient is infinite or NaN.

## What it means

The logarithm of 0 is -inf and its derivative 1/0. In a GAN the zero comes from rounding: a sigmoid or softmax that is
certain gives exactly 0 or exactly 1 in float32, long before the score is extreme.

| written by hand | fails |
|---|---|
| `tf.math.log(1.0 - tf.sigmoid(score))` | infinite from a score of 17 upwards |
| `tf.math.log(tf.sigmoid(score))` | infinite from about -88 downwards |
| `tf.math.log(tf.nn.softmax(x))` | -inf for entries that are about 87 below the largest |
| `p * tf.math.log(p)`, an entropy | gradient NaN at p = 0 |
| `x / tf.reduce_sum(x)`, `x / std`, `1.0 / count` | an empty mask, a constant batch, a class that is missing |
| `tf.where(x > 0, tf.math.log(x), 0.0)` | the value is right, the gradient NaN |

The last one is the trap: `tf.where` chooses in the forward pass, but in the backward pass the branch that was not
chosen still multiplies its zero by the infinite derivative of the logarithm, and 0 times infinity is NaN. An epsilon
inside, `log(p + 1e-8)`, prevents infinities near 0; next to 1 it is rounded away.

## How it is recognised

Every operation of a step is checked for values that are not finite, the step being run again in a sandbox where
needed. The cause is named if the first operation that made such a value from finite ones is `Log`, `Log1p` or a
division, at zero (forward), or the derivative of one of them (backward); or another operation outside of where it is
defined (`Acos`, `Lgamma`, `Atan2`, a softmax over nothing but masked entries). The finding gives the step, the values
that went in, and the line.

## Why it hurts

One sample is enough. The mean over the batch makes the loss NaN, the gradient makes every weight NaN, and from then
on all outputs are. Adam keeps NaN in its running means, so a repaired batch does not help: the run is lost from that
step on. It comes late, after thousands of good steps, when the discriminator becomes certain for the first time.

## Not to be confused with

- `norm-at-zero`: the derivative of a square root or norm.
- `fp16-overflow`: an infinity because the type ends at 65504; that a logarithm of it follows is incidental.
- `exploding-gradients` and `learning-rate-too-high`: values grow over many steps until they overflow.
- `non-finite-data`: the NaN came in with a batch.
- `saturating-generator-loss`: `log(1 - D)` is flat for low scores as well; the remedy here is half of that one.

## Remedy, and what it changes

- Compute from raw scores with the functions that are made for it: `tf.nn.softplus(-score)` for
  `-log(sigmoid(score))`, `tf.nn.softplus(score)` for `-log(1 - sigmoid(score))`, `tf.nn.log_softmax`, cross-entropy
  `from_logits=True`. The same objective, exact at every score.
- `tf.math.xlogy(p, p)` for an entropy, `tf.math.divide_no_nan` for a division whose zero means zero.
- `tf.where` twice: first make the argument safe, then choose. `tf.math.log(tf.where(x > 0, x, 1.0))`.
- Clipping the argument ends the NaN and gives up the gradient of the samples concerned: the last choice.

## Example

```python
# faulty
import tensorflow as tf


def slope(function, value):
    x = tf.constant(value)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y, tape.gradient(y, x)


loss, gradient = slope(lambda score: -tf.math.log(1.0 - tf.sigmoid(score)), 20.0)
assert tf.math.is_inf(loss)
assert tf.math.is_nan(gradient)

value, gradient = slope(lambda x: tf.where(x > 0.0, tf.math.log(x), 0.0), 0.0)
assert value == 0.0  # the forward pass is right
assert tf.math.is_nan(gradient)

_, gradient = slope(lambda p: p * tf.math.log(p), 0.0)
assert tf.math.is_nan(gradient)
```

```python
# corrected
import tensorflow as tf


def slope(function, value):
    x = tf.constant(value)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y, tape.gradient(y, x)


loss, gradient = slope(tf.nn.softplus, 20.0)
assert loss == 20.0
assert abs(gradient - 1.0) < 1e-6

value, gradient = slope(lambda x: tf.where(x > 0.0, tf.math.log(tf.where(x > 0.0, x, 1.0)), 0.0), 0.0)
assert value == 0.0
assert gradient == 0.0

_, gradient = slope(lambda p: tf.math.xlogy(p, p), 0.0)
assert tf.math.is_finite(gradient)
```

## References

- Goldberg, *What Every Computer Scientist Should Know About Floating-Point Arithmetic*, 1991,
  https://doi.org/10.1145/103162.103163, section "Infinity".
- Goodfellow, Bengio, Courville, *Deep Learning*, 2016, https://www.deeplearningbook.org, section 4.1: overflow and
  underflow.
- TensorFlow API, `tf.where` (the gradient of the branch that is not chosen), `tf.math.xlogy`,
  `tf.math.divide_no_nan`, `tf.nn.softplus`.
"""

from __future__ import annotations

from ganmedic.analysis.births import Birth, births
from ganmedic.causes.births import birth_finding, rewritten
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "log-of-zero"
FAMILY = "exploding"
TITLE = "A logarithm or a division meets zero"


def find(record: Record) -> list[Finding]:
    """Steps that went wrong in a logarithm or a division."""
    return [_explain(record, birth) for birth in births(record)[:1] if birth.is_pole and not birth.is_root_of_zero]


def _explain(record: Record, birth: Birth) -> Finding:
    divided = birth.root.kind in ("RealDiv", "Div", "DivNoNan", "Reciprocal", "Inv", "Xdivy")
    what = "a division" if divided else birth.name
    remedies = (
        Remedy(
            "Work from raw scores: these forms never leave the finite.",
            "loss = -tf.reduce_mean(tf.math.log_sigmoid(logits))",
        ),
        Remedy(
            "Or keep the argument away from zero.",
            rewritten(record, birth, ("log",), "{call}(tf.maximum({x}, 1e-7))", "tf.math.log(tf.maximum(x, 1e-7))"),
        ),
    )
    if divided:
        remedies = (
            Remedy("Keep the divisor away from zero.", "x / tf.maximum(y, 1e-6)"),
            Remedy("Or say what a division by zero shall be.", "tf.math.divide_no_nan(x, y)"),
        )
    return birth_finding(
        record,
        SLUG,
        birth,
        f"At step {birth.origin.step} {what} meets {birth.met} and makes the first value that is not finite; from there "
        f"{birth.spread}.",
        remedies=remedies,
    )
