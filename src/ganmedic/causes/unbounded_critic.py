"""The critic of a Wasserstein loss is bounded by nothing, so its scores grow without end.

## What it means

A Wasserstein critic maximises `mean(D(real)) - mean(D(fake))`. This is a distance only among critics whose slope is
at most 1. Without that condition there is no maximum: a critic that tells real from fake at all does it twice as well
with twice the weights. The loss falls to minus infinity at the pace of the optimizer, and says nothing about the
samples.

The bound is a part of the loss and has to be written down: weight clipping, a gradient penalty, spectral
normalisation in every layer. It is missing

- where the loss was taken over and the rest of the recipe was not (the loss functions of libraries are often bare);
- where the penalty is computed and never added;
- where spectral normalisation is on some layers only, or on layers that are called with `training=False`.

## How it is recognised

The profiles of both losses over the score, from -50 to 50, are straight lines, as taken by running the recorded step
again in a sandbox: that is a Wasserstein loss, whatever its name. And the critic has no weight clipping, no gradient
penalty, no spectral normalisation or other constraint on its weights. A hinge loss is not straight: beyond its margin
it asks for nothing, and it may go without a bound.

## Why it hurts

The generator follows the critic's slope, which is as large as the critic's weights happen to be. Its gradient grows
with every step of the critic, in a direction that comes from the weights' size and not from the samples. Losses of
-1e3, -1e6 and beyond are read as progress. In the end values overflow, sooner in float16.

## Not to be confused with

- `penalty-miscomputed`, `weight-clipping`: there is a bound, and it does not hold, or starves the gradient.
- `wrong-loss-sign`: the loss also runs to minus infinity, because both players want the same.
- `learning-rate-too-high`: growth in jumps, of a loss that has a floor.
- A drift of both scores together, with a constant difference: the loss does not see it, and a small penalty on the
  squared real scores (0.001) ends it.

## Remedy, and what it changes

- Gradient penalty: `10 * mean((norm - 1)**2)` on random points between real and fake, norm per sample over all axes
  but the first; no batch normalisation in the critic; Adam 1e-4 with betas (0, 0.9); five critic steps a generator
  step.
- Spectral normalisation around every layer with weights: `keras.layers.SpectralNormalization(layer)`, called with
  `training=True` in the critic's step.
- Weight clipping at 0.01 with RMSprop, for shallow critics. Or another loss: hinge needs no bound to be finite.

The first two, and the clip, turn the loss into what its name means. Afterwards the critic's loss is a small number
that tends to 0 as the samples improve.

## Example

```python
# faulty
import keras
import tensorflow as tf

critic = keras.Sequential([keras.Input((2,)), keras.layers.Dense(16, "leaky_relu"), keras.layers.Dense(1)])
weights = critic.trainable_variables
optimizer = keras.optimizers.Adam(0.03)
real, fake = tf.ones((8, 2)), -tf.ones((8, 2))  # their distance is 2.83

distances = []
for _ in range(60):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real))
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    distances.append(-float(loss))
assert distances[-1] > 3.0 * distances[29]  # and no end
assert distances[-1] > 20.0
```

```python
# corrected
import keras
import tensorflow as tf

critic = keras.Sequential([keras.Input((2,)), keras.layers.Dense(16, "leaky_relu"), keras.layers.Dense(1)])
weights = critic.trainable_variables
optimizer = keras.optimizers.Adam(0.03, beta_1=0.0, beta_2=0.9)
real, fake = tf.ones((8, 2)), -tf.ones((8, 2))


@tf.function(autograph=False)
def losses():
    mixed = fake + tf.random.uniform((8, 1)) * (real - fake)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real))
        with tf.GradientTape() as inner:
            inner.watch(mixed)
            scores = critic(mixed)
        norms = tf.sqrt(tf.reduce_sum(tf.square(inner.gradient(scores, mixed)), axis=1) + 1e-12)
        total = loss + 10.0 * tf.reduce_mean(tf.square(norms - 1.0))
    return loss, tape.gradient(total, weights)


for _ in range(60):
    loss, gradients = losses()
    optimizer.apply_gradients((g, w) for g, w in zip(gradients, weights) if g is not None)
assert 1.0 < -loss < 6.0  # close to the distance of the samples
```

## References

- Arjovsky, Chintala, Bottou, *Wasserstein GAN*, 2017, arXiv 1701.07875, equations 2 and 3: the condition on the
  critic; algorithm 1: the clip.
- Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, *Improved Training of Wasserstein GANs*, 2017, arXiv 1704.00028,
  equation 3 and algorithm 1.
- Miyato, Kataoka, Koyama, Yoshida, *Spectral Normalization for Generative Adversarial Networks*, 2018, arXiv
  1802.05957, section 2.1.
- Karras, Aila, Laine, Lehtinen, *Progressive Growing of GANs for Improved Quality, Stability, and Variation*, 2017,
  arXiv 1710.10196, appendix A: the drift term.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.constraints import decayed, normalised, penalties, set_from_outside, weight_clip
from ganmedic.analysis.story import innermost
from ganmedic.analysis.vitals import Player, Score, Vitals
from ganmedic.causes.measuring import measured_finding, number, tail_kinds
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "unbounded-critic"
FAMILY = "exploding"
TITLE = "A Wasserstein critic that nothing holds in bounds"


#: What a straight line is made of.
_LINEAR = frozenset(
    {
        "AddN",
        "AddV2",
        "Cast",
        "ConcatV2",
        "DivNoNan",
        "ExpandDims",
        "GatherV2",
        "Identity",
        "Mean",
        "Mul",
        "Neg",
        "Pack",
        "RealDiv",
        "Reshape",
        "Slice",
        "Split",
        "Squeeze",
        "StridedSlice",
        "Sub",
        "Sum",
        "Transpose",
    }
)


def find(record: Record) -> list[Finding]:
    """Critics with straight losses and no constraint."""
    vitals = Vitals.of(record)
    if not record.complete:
        return []
    found = []
    for player in vitals.role("discriminator"):
        scores = [score for score in player.scores if score.net is player.net and not score.curve.silent]
        if not scores or not all(_is_straight(vitals, score) for score in scores):
            continue
        held = (
            weight_clip(vitals, player.net) is not None
            or normalised(vitals, player.net)
            or decayed(vitals, player.net)
            or set_from_outside(vitals, player.net)
            or any(
                penalties(vitals, one) or _second_order(vitals, one) for one in vitals.players if one.net is player.net
            )
        )
        if not held:
            found.append(_explain(vitals, player))
    return found[:1]


def _is_straight(vitals: Vitals, score: Score) -> bool:
    """Whether a loss is a straight line in a score: by how it answers, and by what lies between (a softmax over several
    classes answers likewise when all its scores are moved together)."""
    return score.curve.straight and all(kind in _LINEAR for kind in tail_kinds(vitals, score))


def _second_order(vitals: Vitals, player: Player) -> bool:
    """Whether the loss is made of gradients in some other way."""
    reach = vitals.run.flow.behind(player.call)
    return any(
        (made := vitals.record.producers.get(value)) is not None and made[0].gradient_call is not None
        for value in reach.by_value
    )


def _explain(vitals: Vitals, player: Player) -> Finding:
    losses, norms = player.losses(), player.norms()
    quarter = max(1, len(losses) // 4)
    applies = vitals.run.applied.get(player.net.variables[0], [])
    place = innermost(applies[0].stack) if applies and not applies[0].by_framework else innermost(player.call.stack)
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"The losses are straight lines in the scores (Wasserstein), and nothing bounds the slope of {player.net.name}: no "
        "penalty, no clipped or normalised weights. Its scores can grow for ever.",
        place=place,
        evidence=(
            "the derivative of the loss is the same for scores from -50 to 50",
            f"loss of {player.net.name}: {number(float(np.median(losses[:quarter])))} in the first quarter of the run, "
            f"{number(float(np.median(losses[-quarter:])))} in the last; norm of its gradient: "
            f"{number(float(np.median(norms[:quarter])))}, then {number(float(np.median(norms[-quarter:])))}",
            "no weight of it is clipped or normalised, and no gradient goes into its loss",
        ),
        remedies=(
            Remedy(
                "Add a gradient penalty to the critic's loss.",
                "loss += 10.0 * tf.reduce_mean(tf.square(norms - 1.0))  # norms of the critic's gradient on mixed samples",
                keeps_objective=True,
            ),
            Remedy("Or clip its weights after each update.", "w.assign(tf.clip_by_value(w, -0.01, 0.01))"),
        ),
        confidence=0.85,
        mark=("apply_gradients", "apply"),
    )
