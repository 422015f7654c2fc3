"""The targets of a cross-entropy lie outside [0, 1], so the loss has no floor and asks for infinite scores.

## What it means

Cross-entropy compares a probability with a target. With the target t and the raw score c it is `softplus(c) - t * c`,
and this has a lowest point only for a t between 0 and 1: at the score whose sigmoid is t. Beyond that the loss falls
for ever:

| target | slope of the loss for large scores | for large negative scores | what the loss asks for |
|---|---|---|---|
| 1.05 | -0.05 | -1.05 | +infinity, and pays 0.05 for each further unit |
| 1 | 0 | -1 | large scores, at no gain |
| 0.9 | 0.1 | -0.9 | a score of 2.2 |
| -1 | 2 | 1 | -infinity |

Targets of this kind come from label noise on the wrong side (`ones + 0.05 * uniform`), smoothing applied twice or
with the wrong sign, labels of -1 and 1 or of 1 and 2, whole class numbers where 0 and 1 are meant, and labels that
went through the scaling of the images. Least squares and hinge losses take such targets without harm.

## How it is recognised

By the profile of the loss over the score: the recorded step is run again in a sandbox with the score set to values
from -50 to 50. A cross-entropy whose loss keeps falling at the side its target lies on has a target outside [0, 1].
It is the shape of the loss that counts, so that a least-squares loss with targets of -1 and 1 is left alone.

## Why it hurts

There is a reward for size alone. Scores grow as long as the training lasts, the loss turns negative and goes on
falling, and the generator faces a discriminator whose certainty has nothing to do with the samples: the saturation
that label noise was to prevent. With probabilities in place of raw scores the loss ends at a clip, with a gradient of
exactly zero behind it.

## Not to be confused with

- `wrong-loss-sign`: the target is 0 or 1, and the wrong one of the two.
- `unbounded-critic`: no cross-entropy at all, a loss that is a straight line in the score.
- `logits-mismatch`: a flat profile, from a sigmoid that is missing or passed twice.
- `discriminator-saturated`: certain scores under sound targets.
- `log-of-zero`: a loss that becomes infinite at once, from a logarithm without a clip.

## Remedy, and what it changes

- Keep targets within [0, 1]: `1.0 - 0.1 * uniform` for real. Noise goes inwards.
- Smooth one side only, that of the real samples, to 0.9. With the fakes' side smoothed too, the best
  discriminator believes fakes a little where no real sample is, and bad samples have less reason to leave.
  `label_smoothing` of `keras.losses.BinaryCrossentropy` stays within [0, 1], and it smooths both sides.
- For labels of -1 and 1 use the hinge or the least-squares loss; for classes, a cross-entropy over classes.

The objective becomes one that has a lowest point. The discriminator's loss is never negative again.

## Example

```python
# faulty
import keras
import tensorflow as tf

cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
discriminator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
optimizer, weights = keras.optimizers.SGD(3.0), discriminator.trainable_variables
real, fake = tf.ones((32, 1)), -tf.ones((32, 1))

for _ in range(80):
    with tf.GradientTape() as tape:
        of_real = cross_entropy(1.0 + 0.1 * tf.random.uniform((32, 1)), discriminator(real))
        loss = of_real + cross_entropy(tf.zeros((32, 1)), discriminator(fake))
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
assert loss < -0.3
assert tf.reduce_mean(discriminator(real)) > 12.0  # and no end
```

```python
# corrected
import keras
import tensorflow as tf

cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
discriminator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
optimizer, weights = keras.optimizers.SGD(3.0), discriminator.trainable_variables
real, fake = tf.ones((32, 1)), -tf.ones((32, 1))

for _ in range(80):
    with tf.GradientTape() as tape:
        of_real = cross_entropy(1.0 - 0.1 * tf.random.uniform((32, 1)), discriminator(real))
        loss = of_real + cross_entropy(tf.zeros((32, 1)), discriminator(fake))
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
assert loss > 0.0
assert 1.0 < tf.reduce_mean(discriminator(real)) < 6.0  # the score whose sigmoid is 0.95 is 2.9
```

## References

- Salimans et al., *Improved Techniques for Training GANs*, 2016, arXiv 1606.03498, section 3.4: one-sided smoothing.
- Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, *Rethinking the Inception Architecture for Computer Vision*, 2015, arXiv
  1512.00567, section 7: label smoothing.
- Mao et al., *Least Squares Generative Adversarial Networks*, 2016, arXiv 1611.04076, section 3: targets of a loss of
  squares.
- Keras API, *BinaryCrossentropy*: `label_smoothing`.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.curve import Curve
from ganmedic.analysis.game import Game, Trial
from ganmedic.causes.game_findings import given_target, target_place
from ganmedic.causes.measuring import measured_finding, number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "bad-targets"
FAMILY = "dynamics"
TITLE = "Targets outside [0, 1]"

#: Targets are told from the derivative at the ends of the profile; this much beyond [0, 1] is more than rounding.
_BEYOND = 0.02
#: A mean target beyond [0, 1] by less than this is a habit of some recipes, worth a note.
_MILD = 0.05


def find(record: Record) -> list[Finding]:
    """Cross-entropies without a floor."""
    game = Game.of(record)
    found: dict[object, Finding] = {}
    for trial in game.trials:
        targets = _targets(trial)
        if targets is None or trial.score.key in found:
            continue
        low, high = targets
        if low < -_BEYOND or high > 1 + _BEYOND:
            found[trial.score.key] = _explain(game, trial, low, high)
    return list(found.values())[:1]


def _targets(trial: Trial) -> tuple[float, float] | None:
    """The least and the greatest target of a cross-entropy of raw scores; its derivative by a score is sigmoid(score) - target."""
    if trial.profile is None:
        return None
    curve = Curve.of(trial.profile)
    at = {float(score): index for index, score in enumerate(curve.grid)}
    if not np.isfinite(curve.low).all() or not np.isfinite(curve.high).all():
        return None
    weight = 0.5 * ((curve.low[at[50.0]] - curve.low[at[-50.0]]) + (curve.high[at[50.0]] - curve.high[at[-50.0]]))
    if not weight > 0:
        return None
    # Of a sigmoid the derivative at 0 lies half-way between its ends, at 2 at 0.88, at -2 at 0.12.
    shape = [(curve.low[at[score]] - curve.low[at[-50.0]]) / weight for score in (-2.0, 0.0, 2.0)]
    if not np.allclose(shape, [0.1192, 0.5, 0.8808], atol=0.02):
        return None
    return float(-curve.high[at[-50.0]] / weight), float(-curve.low[at[-50.0]] / weight)


def _by_data(game: Game, trial: Trial) -> bool:
    """Whether targets are among what the step was given."""
    rows = game.batches.get(trial.look.probe.id, ())
    return any(one.place == "given" and one.shape[-1:] == (1,) and len(one.shape) == 2 for one in rows)


def _explain(game: Game, trial: Trial, low: float, high: float) -> Finding:
    kind = "generated" if trial.fake else "real"
    worst = high if high > 1 else low
    mean = (low + high) / 2
    mild = -_MILD <= mean <= 1 + _MILD
    span = number(low) if abs(high - low) < 1e-3 else f"{number(low)} to {number(high)}"
    return measured_finding(
        game.vitals,
        SLUG,
        trial.player,
        f"The cross-entropy of {trial.player.net.name} is given targets of {span} for {kind} samples; beyond [0, 1] it has no "
        "floor, and scores that run away to infinity are what it asks for.",
        place=(given_target(game, trial.player) if _by_data(game, trial) else None)
        or target_place(game.vitals, trial.score),
        evidence=(
            f"targets, from the derivative of the loss at scores of -50 and 50: {span}",
            f"loss at a score of {'50' if worst > 1 else '-50'}: "
            f"{number(float(trial.profile.loss[-1] if worst > 1 else trial.profile.loss[0])) if trial.profile else ''}",
            f"scores at step {trial.step}: mean {number(float(trial.scores.mean()))}",
        ),
        remedies=(
            Remedy(
                "Keep targets within [0, 1]: smooth the real side only, to 0.9, and draw noise so that it stays inside.",
                "targets = tf.clip_by_value(targets, 0.0, 1.0)",
                keeps_objective=False,
            ),
        ),
        confidence=0.6 if mild else 0.93,
        severity="note" if mild else "error",
    )
