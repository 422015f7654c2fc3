"""A value passes 65504, the largest number of float16, and becomes infinite.

## What it means

float16 ends at 65504; from 65520 on a number is rounded to infinity. Under `mixed_float16` all layers compute in it,
and values that float32 does not even notice are too large:

| operation in float16 | infinite from |
|---|---|
| a square, `x * x` | 256 |
| a sum of squares over 1024 entries | 8 each |
| a mean of 1024 entries, if the sum is made first | 64 each |
| `tf.exp(x)` | 11.1 |
| a matrix product over 1024 inputs | 8 times 8 each |
| squared differences of images of 0 to 255, added up | two pixels |

The infinity itself is seldom seen. Divided by, it gives 0; subtracted from itself or multiplied by 0, it gives NaN,
some operations later. Pixel normalisation is the usual case: it squares, takes the mean, and divides by the root.
With an infinite mean all outputs are 0.

The generator's and the critic's scores may grow over the run; gradients are also multiplied by the loss scale, up to
32 768 and more, and a penalty squares them.

## How it is recognised

Every operation is checked for values that are not finite, the recorded step being run again in a sandbox where
needed. The cause is named if the first such value of the run is an infinity made in float16 from finite inputs near
or above 65504, or whose result in float32 would be. The operation, its line, and the largest value that went in are
given.

Infinite *gradients* in single steps under a LossScaleOptimizer are no finding: it tries out how far the scale can go,
leaves the step out and halves the scale. If it does so in every step, something overflows by itself.

## Why it hurts

One infinite activation makes the loss NaN, or silently makes a layer constant. With loss scaling the step is left
out, then the next; the weights stand still, and the scale is halved again and again without a message. Without it,
NaN enters the weights. It depends on the batch and comes late, as activations grow.

## Not to be confused with

- `fp16-underflow`: the other end of the range, zeros.
- `exploding-gradients`: float32 overflows as well, a little later.
- `unbounded-critic`: scores grow without end; float16 is only the first to notice.
- `log-of-zero`: a logarithm or division makes the infinity out of small numbers.
- `unnormalised-data`: the images of 0 to 255 that make the squares too large.

## Remedy, and what it changes

- Cast up where numbers are squared, summed or exponentiated: `x = tf.cast(x, tf.float32)` before a norm, a standard
  deviation, a softmax or a loss, and back after it. Layers accept `dtype="float32"`; the last layer of both players
  and every loss belong there.
- Bring inputs to [-1, 1]. Clamp the outputs of convolutions at some hundreds (256 is used), and use float16 in the
  highest resolutions only, where it saves most.
- Norms and penalties: unscale the inner gradient and cast it to float32, then square.
- `mixed_bfloat16`, where the hardware has it: the range of float32.

The objective is that of float32. Clamping changes the network for values beyond the bound; in training these are
rare.

## Example

```python
# faulty
import tensorflow as tf


def pixel_norm(x):
    return x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), axis=-1, keepdims=True) + tf.constant(1e-4, x.dtype))


features = tf.fill((1, 64), tf.constant(300.0, tf.float16))
assert tf.reduce_all(tf.math.is_inf(tf.square(features)))  # 90 000 is beyond 65504
assert tf.reduce_all(pixel_norm(features) == 0.0)  # and the layer is silently constant

score = tf.reduce_sum(tf.fill((1024,), tf.constant(100.0, tf.float16)))
assert tf.math.is_inf(score)
assert tf.math.is_nan(score - score)
```

```python
# corrected
import tensorflow as tf


def pixel_norm(x):
    wide = tf.cast(x, tf.float32)
    wide *= tf.math.rsqrt(tf.reduce_mean(tf.square(wide), axis=-1, keepdims=True) + 1e-8)
    return tf.cast(wide, x.dtype)


features = tf.fill((1, 64), tf.constant(300.0, tf.float16))
assert tf.reduce_all(tf.abs(pixel_norm(features) - 1.0) < 1e-2)

score = tf.reduce_sum(tf.cast(tf.fill((1024,), tf.constant(100.0, tf.float16)), tf.float32))
assert score == 102400.0
```

## References

- Micikevicius et al., *Mixed Precision Training*, 2017, arXiv 1710.03740, section 3.3: reductions and norms in
  float32.
- TensorFlow guide, *Mixed precision*: softmax and outputs in float32, overflow and loss scaling.
- Karras et al., *Training Generative Adversarial Networks with Limited Data*, 2020, arXiv 2006.06676, and its code,
  https://github.com/NVlabs/stylegan2-ada: float16 in the four highest resolutions, `conv_clamp` of 256.
- Karras, Aila, Laine, Lehtinen, *Progressive Growing of GANs for Improved Quality, Stability, and Variation*, 2017,
  arXiv 1710.10196, section 4.2: pixel normalisation.
"""

from __future__ import annotations

from ganmedic.analysis.births import Birth, births
from ganmedic.analysis.run import Run
from ganmedic.causes.births import birth_finding
from ganmedic.causes.measuring import constant_place, number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Place

SLUG = "fp16-overflow"
FAMILY = "exploding"
TITLE = "A value leaves the range of half precision"


#: The largest float16.
_MOST = 65504.0
#: A loss that is multiplied by so much is scaled, and not weighted.
_SCALES = 256.0


def find(record: Record) -> list[Finding]:
    """Steps that went wrong where float16 ends."""
    return [_explain(record, birth) for birth in births(record)[:1] if birth.is_overflow_of_half]


def _explain(record: Record, birth: Birth) -> Finding:
    scale = max((row.loss_scale for row in record.optimizers.values()), default=0.0)
    by_hand = _scaled_by(birth)
    return birth_finding(
        record,
        SLUG,
        birth,
        f"At step {birth.origin.step} {birth.name} makes an infinity in float16, which ends at {_MOST:.0f}, out of values up to "
        f"{number(birth.largest)}; from there {birth.spread}.",
        remedies=(
            Remedy("Compute this part in float32.", "tf.cast(x, tf.float32)"),
            Remedy(
                "Or use bfloat16, which has the range of float32.",
                'keras.mixed_precision.set_global_policy("mixed_bfloat16")',
            ),
            Remedy(
                "Let the scale of the loss find its own size.",
                "optimizer = keras.optimizers.LossScaleOptimizer(optimizer)  # dynamic",
            ),
        ),
        more=(f"the loss is scaled by {number(by_hand or scale)}",) if max(by_hand, scale) > 1 else (),
        place=_scale_place(record, birth, by_hand),
    )


def _scaled_by(birth: Birth) -> float:
    """The constant that the whole loss is multiplied with, 0 where there is none to speak of."""
    weights = [abs(summand.weight) for look in birth.player.looks for summand in look.summands]
    return min(weights, default=0.0) if min(weights, default=0.0) >= _SCALES else 0.0


def _scale_place(record: Record, birth: Birth, scale: float) -> Place | None:
    """The line that says by how much the loss is scaled, where a step of the backward pass went wrong for it."""
    if not scale or birth.origin.order == 0:
        return None
    run = Run.of(record)
    near = run.loss_place(birth.player.call)
    return constant_place(run, near, scale) or near
