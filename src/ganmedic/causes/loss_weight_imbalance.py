"""One term of a summed loss is weighted so heavily that the others have no say in any step.

## What it means

A generator's loss is often a sum: an adversarial term, a reconstruction, a perceptual term, a class loss, a penalty.
What each of them does to the weights is decided by its gradient, and that is its constant times its own slope. If one
product is a thousand times the other, the step points where the first one wants, and the smaller term is noise on it.

The constants come from papers, where they fit other definitions. The same figure means something else when

- a reconstruction is a sum over pixels in place of a mean: 3072 times as large for an image of 32 by 32 in colour;
- images run from 0 to 255 in place of -1 to 1: 127 times as large for an absolute, 16 000 times for a squared
  difference;
- a penalty keeps the constant that belongs to another resolution, or sums over the batch;
- the adversarial loss was replaced: a Wasserstein score has no fixed scale;
- a weight was meant to be annealed and stays at its first value, or grows without end.

## How it is recognised

The loss is taken apart into the terms of its sum. In a recorded step, run again in a sandbox, the gradient of each
term, constant included, is measured on the same variables. A finding needs a ratio of 300 between the strongest and
the weakest, in half of the looks at least, and a factor of 30 of it has to come from the constants in front of the
terms, or from a sum over all entries where the other term is a mean. Terms that only weights go into, such as a weight
decay, do not count: they may well be small.

## Why it hurts

The total falls, since the heavy term falls. The light term stays where it was, and with it what it stands for: an
adversarial term that has no say leaves the blurred mean of a reconstruction; a reconstruction that has no say gives
pretty images of something else. A heavy gradient penalty flattens the critic to a constant. Adam makes the step
independent of the total, so the light term is not made up for by a larger learning rate.

## Not to be confused with

- `stop-gradient`, `left-tensorflow`, `non-differentiable-op`: the light term has no gradient at all.
- `discriminator-saturated`: the adversarial term is small because its loss is flat, not because of a constant.
- `clip-too-tight`: all terms are made small alike.
- `unnormalised-data`: the range of the images makes the ratio; the constants are usual ones.
- A ratio of 10 or of 100 between a reconstruction and the adversarial term: common, and often wanted.

## Remedy, and what it changes

- Choose the constants by the gradients, not by the values of the terms: measure the norm of each term's gradient on
  the last layer and bring them to the ratio you want.
- Let the step do it: multiply the adversarial term by the norm of the other one's gradient over its own, with
  `tf.stop_gradient` around the factor and a bound on it.
- Write reconstructions as means, images in [-1, 1], so that published figures (100 for an absolute difference, 10 for
  a gradient penalty) apply.

Every change of a constant changes the objective; that is its purpose here. The total before and after cannot be
compared, so plot the terms one by one.

## Example

```python
# faulty
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((8,)), keras.layers.Dense(256, "tanh")])
discriminator = keras.Sequential([keras.Input((256,)), keras.layers.Dense(1)])
target = tf.random.uniform((4, 256), -1.0, 1.0)
weights = generator.trainable_variables

with tf.GradientTape(persistent=True) as tape:
    images = generator(tf.random.normal((4, 8)))
    adversarial = tf.reduce_mean(tf.nn.softplus(-discriminator(images)))
    reconstruction = 100.0 * tf.reduce_sum(tf.abs(images - target))  # the paper's 100 belongs to a mean
norms = [float(tf.linalg.global_norm(tape.gradient(term, weights))) for term in (adversarial, reconstruction)]
assert norms[1] > 1000.0 * norms[0]
```

```python
# corrected
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((8,)), keras.layers.Dense(256, "tanh")])
discriminator = keras.Sequential([keras.Input((256,)), keras.layers.Dense(1)])
target = tf.random.uniform((4, 256), -1.0, 1.0)
weights = generator.trainable_variables

with tf.GradientTape(persistent=True) as tape:
    images = generator(tf.random.normal((4, 8)))
    adversarial = tf.reduce_mean(tf.nn.softplus(-discriminator(images)))
    reconstruction = 100.0 * tf.reduce_mean(tf.abs(images - target))
norms = [float(tf.linalg.global_norm(tape.gradient(term, weights))) for term in (adversarial, reconstruction)]
assert 0.0 < norms[1] < 1000.0 * norms[0]
```

## References

- Isola, Zhu, Zhou, Efros, *Image-to-Image Translation with Conditional Adversarial Networks*, 2016, arXiv 1611.07004,
  equation 4 and its constant 100.
- Chen, Badrinarayanan, Lee, Rabinovich, *GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep
  Multitask Networks*, 2017, arXiv 1711.02257, section 3.
- Esser, Rombach, Ommer, *Taming Transformers for High-Resolution Image Synthesis*, 2020, arXiv 2012.09841, equation
  7: the adversarial weight as a ratio of gradient norms at the last layer.
- TensorFlow GAN, `combine_adversarial_loss`: a weight by the share of the gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganmedic.analysis.births import births
from ganmedic.analysis.story import innermost
from ganmedic.analysis.vitals import Look, Player, Vitals
from ganmedic.causes.building import operation_place
from ganmedic.causes.measuring import constant_place, measured_finding, number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Summand

SLUG = "loss-weight-imbalance"
FAMILY = "vanishing"
TITLE = "The weight of one term of a loss drowns the others"


#: The gradient of the stronger term is so many times that of the weaker one, and the weights alone make so much of that.
_TIMES, _BY_WEIGHTS = 300.0, 30.0


@dataclass(frozen=True)
class _Pair:
    """The strongest and the weakest term of a loss; ``by_sums`` what it makes that one adds up where the other averages."""

    strong: Summand
    weak: Summand
    by_sums: float = 1.0

    @property
    def times(self) -> float:
        return _norm(self.strong) / max(_norm(self.weak), 1e-30)

    @property
    def by_weights(self) -> float:
        return self.by_sums * abs(self.strong.weight) / max(abs(self.weak.weight), 1e-30)


def find(record: Record) -> list[Finding]:
    """Losses in which one term counts for nothing because of the constants in front of the terms."""
    vitals = Vitals.of(record)
    if not record.complete or births(record):
        return []
    found = []
    for player in vitals.players:
        pairs = [pair for look in player.looks if (pair := _pair(vitals, player, look)) is not None]
        drowned = [pair for pair in pairs if pair.times > _TIMES and pair.by_weights > _BY_WEIGHTS]
        if drowned and len(drowned) >= 0.5 * len(pairs):
            found.append(_explain(vitals, player, drowned[-1]))
    return found


def _norm(summand: Summand) -> float:
    known = [norm for norm in summand.norms if norm >= 0]
    return float(np.sqrt(np.sum(np.square(known))))


def _pair(vitals: Vitals, player: Player, look: Look) -> _Pair | None:
    terms = [one for one in look.summands if _norm(one) > 0 and np.isfinite(_norm(one)) and _sees_data(vitals, one)]
    if len(terms) < 2:
        return None
    strong, weak = max(terms, key=_norm), min(terms, key=_norm)
    return _Pair(strong, weak, _added_up(vitals, look, strong) / _added_up(vitals, look, weak))


def _added_up(vitals: Vitals, look: Look, summand: Summand) -> float:
    """Over how many entries a term is a sum, 1 where it is a mean."""
    made = vitals.record.producers.get(summand.value)
    if made is None or made[0].kind != "Sum":
        return 1.0
    shape = next((row.shape for row in look.measures if row.value == made[0].inputs[0]), ())
    return float(np.prod(shape)) if shape else 1.0


def _sees_data(vitals: Vitals, summand: Summand) -> bool:
    """Whether more than weights go into a term: a weight decay may well be small."""
    reach = vitals.run.flow.behind_values((summand.value,), None, 1 << 62)
    kinds = {made[0].kind for node in reach.by_value if (made := vitals.record.producers.get(node)) is not None}
    return any(kind in kinds for kind in ("MatMul", "Conv2D", "BatchMatMulV2", "Einsum", "Conv2DBackpropInput"))


def _explain(vitals: Vitals, player: Player, pair: _Pair) -> Finding:
    record = vitals.record
    heavy = abs(pair.strong.weight) >= 1 / max(abs(pair.weak.weight), 1e-30)
    guilty = pair.strong if heavy else pair.weak
    summed = pair.by_sums > _BY_WEIGHTS
    made = record.producers.get(pair.strong.value if summed else guilty.weight_value)
    place = operation_place(vitals.run, made[0]) if made is not None else None
    written = None if summed else constant_place(vitals.run, place, abs(guilty.weight))
    weak = record.producers.get(pair.weak.value)
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"One term of the loss of {player.net.name} drowns another: its gradient is {number(pair.times)} times as large: "
        + (
            "it is a sum over all entries where the other is a mean."
            if summed
            else f"the weights of the terms ({number(pair.strong.weight)} and {number(pair.weak.weight)}) make it so."
        ),
        place=written or place,
        more=(
            (place, "term"),
            (innermost(weak[0].stack) if weak is not None else None, "term"),
        ),
        evidence=(
            f"strong term: value {number(pair.strong.result)}, weight {number(pair.strong.weight)}, gradient "
            f"{number(_norm(pair.strong))}",
            f"weak term: value {number(pair.weak.result)}, weight {number(pair.weak.weight)}, gradient "
            f"{number(_norm(pair.weak))}",
        ),
        remedies=(
            *(
                (
                    Remedy(
                        "Take the mean, so that the size of the batch and of the images plays no part.",
                        "tf.reduce_mean",
                    ),
                )
                if summed
                else ()
            ),
            Remedy(
                "Choose the weights so that the gradients of the terms are of one size, or in a ratio that you mean.",
                f"weight = {abs(guilty.weight) * (1 / pair.times if heavy else pair.times):.2g}  # equal gradients",
                keeps_objective=False,
            ),
        ),
        confidence=0.85,
    )
