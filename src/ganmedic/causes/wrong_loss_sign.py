"""A loss has the wrong sign or swapped labels, so that a player pulls its scores the way it should push them.

## What it means

The game has two requests and one opposition. The discriminator asks for real samples to score on one side and for
fakes to score on the other; the generator asks of its fakes the opposite of what the discriminator asks of them.
Which side is called real does not matter: labels of 0 for real and 1 for fake are as sound as the other way round, so
long as both losses follow them. The fault is in one loss that does not:

| what is written | what it asks for |
|---|---|
| `cross_entropy(zeros, fake_scores)` as the generator's loss, where fakes carry 0 | recognisable fakes |
| `mean(real) - mean(fake)` minimised by a Wasserstein critic, with `-mean(fake)` for the generator | both the same |
| `cross_entropy(ones, real) + cross_entropy(ones, fake)` as the discriminator's loss | one score for everything |
| arguments of the loss in the wrong order: `cross_entropy(scores, labels)` | nothing that can be relied on |
| gradients negated by hand, of a loss that is to be minimised | the worst score there is |

It comes from joining two recipes: a generator taken from code that labels real as 1, and a discriminator from code
that labels it 0 or -1.

## How it is recognised

By the profile of each loss over the score: the recorded step is run again in a sandbox with the score set to values
from -50 to 50, and the loss is computed again. Where it falls is what the player asks for. It is reported where the
discriminator asks the same of real and of fake, and where the generator asks of its fakes what the discriminator asks
of them. A game that is the other way round on both sides is sound, and nothing is said.

## Why it hurts

The two players work together. The fakes move away from the real samples, at a pace that only the learning rate
limits, and both losses fall: the curves are the best anyone has seen. With Wasserstein losses they run to minus
infinity. No gradient is missing or small, so nothing but the samples shows it.

## Not to be confused with

- `saturating-generator-loss`: the sign is right, the slope is next to nothing where the generator loses.
- `discriminator-too-weak`: each loss is right, and the discriminator does not manage what it asks for.
- `bad-targets`: the side is right, but the target lies beyond it and the loss has no floor.
- `unbounded-critic`: the losses run to minus infinity too, with players that are truly opposed.
- `wrong-pairing`: the losses are right and their gradients reach the other network's weights.

## Remedy, and what it changes

Write down one convention and derive both losses from it. With raw scores and real as the positive side:
`softplus(-real) + softplus(fake)` for the discriminator, `softplus(-fake)` for the generator. For a critic that is
minimised: `mean(fake) - mean(real)`, and `-mean(fake)` for the generator. Only the sign changes, but it changes what
the training does entirely: weights that were trained with the fault are of no use, so start again.

A test that lasts: one step of the discriminator alone raises its scores of the real batch and lowers those of the
fakes; one step of the generator alone raises the fakes' scores.

## Example

```python
# faulty
import keras
import tensorflow as tf

cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
weight, fake = tf.Variable(0.0), tf.Variable(0.0)  # a discriminator with one weight; a generator of one point
real, one, zero = 3.0, tf.ones((1,)), tf.zeros((1,))
optimizers = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)

for _ in range(60):
    with tf.GradientTape(persistent=True) as tape:
        real_score, fake_score = tf.reshape(weight * real, (1,)), tf.reshape(weight * fake, (1,))
        d_loss = cross_entropy(one, real_score) + cross_entropy(zero, fake_score)
        g_loss = cross_entropy(zero, fake_score)  # the target that the discriminator has for it
    for optimizer, loss, variable in zip(optimizers, (d_loss, g_loss), (weight, fake)):
        optimizer.apply_gradients([(tape.gradient(loss, variable), variable)])
assert fake < -1.0  # it runs from the real point at 3
assert d_loss < 0.2
assert g_loss < 0.2  # both are content
```

```python
# corrected
import keras
import tensorflow as tf

cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
weight, fake = tf.Variable(0.0), tf.Variable(0.0)
real, one, zero = 3.0, tf.ones((1,)), tf.zeros((1,))
optimizers = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)

for _ in range(60):
    with tf.GradientTape(persistent=True) as tape:
        real_score, fake_score = tf.reshape(weight * real, (1,)), tf.reshape(weight * fake, (1,))
        d_loss = cross_entropy(one, real_score) + cross_entropy(zero, fake_score)
        g_loss = cross_entropy(one, fake_score)
    for optimizer, loss, variable in zip(optimizers, (d_loss, g_loss), (weight, fake)):
        optimizer.apply_gradients([(tape.gradient(loss, variable), variable)])
assert fake > 1.0  # on its way to 3
assert g_loss > 0.2
```

## References

- Goodfellow et al., *Generative Adversarial Networks*, 2014, arXiv 1406.2661, equation 1 and algorithm 1.
- Arjovsky, Chintala, Bottou, *Wasserstein GAN*, 2017, arXiv 1701.07875, algorithm 1: the signs of both players.
- Mao et al., *Least Squares Generative Adversarial Networks*, 2016, arXiv 1611.04076, section 3: the three targets.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.game import Game, Trial
from ganmedic.causes.game_findings import target_place
from ganmedic.causes.measuring import measured_finding, number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "wrong-loss-sign"
FAMILY = "dynamics"
TITLE = "A loss pulls a network the wrong way"

#: Scores that two losses ask for count as the same where they differ by less: between the points of the profile.
_SAME = 0.1


def find(record: Record) -> list[Finding]:
    """Players whose losses do not ask for opposite things."""
    game = Game.of(record)
    reals = _asked(game.of_judges(fake=False))
    fakes = _asked(game.of_judges(fake=True))
    made = _asked(
        [one for one in game.of_makers() if game.vitals.weight_of(one.score.operation) in game.verdict_weights]
    )
    if not reals or not fakes or len({_side(one) for one in reals}) > 1 or len({_side(one) for one in fakes}) > 1:
        return []
    real, fake = reals[0], fakes[0]
    if abs(real.ideal - fake.ideal) < _SAME:
        return [_same_for_both(game, real, fake)]
    # A generator may have rarer steps of its own, for a regulariser: what counts is the line that trains it most often.
    most = max((one.player.series.seen for one in made), default=0)
    main = [one for one in made if one.player.series.seen == most]
    wrong = [one for one in main if _helps(one, real, fake)]
    return [_helping(game, wrong[0], real, fake)] if 2 * len(wrong) > len(made) else []


def _asked(trials: list[Trial]) -> list[Trial]:
    return [one for one in trials if np.isfinite(one.ideal)]


def _side(trial: Trial) -> float:
    return float(np.sign(round(trial.ideal, 3)))


def _helps(made: Trial, real: Trial, fake: Trial) -> bool:
    """Whether a generator asks of its samples what the discriminator asks of them too."""
    return (made.ideal - fake.ideal) * (real.ideal - fake.ideal) <= 0 or abs(made.ideal - fake.ideal) < _SAME


def _same_for_both(game: Game, real: Trial, fake: Trial) -> Finding:
    vitals = game.vitals
    return measured_finding(
        vitals,
        SLUG,
        fake.player,
        f"The loss of {fake.player.net.name} asks for the same score, {_score(real)}, of real and of generated samples: "
        "it is never told which are which.",
        place=target_place(vitals, fake.score, real.score),
        evidence=(
            f"score asked for of real samples: {_score(real)}",
            f"score asked for of generated samples: {_score(fake)}",
        ),
        remedies=(
            Remedy("Give the generated samples the other target (or the term the other sign).", keeps_objective=False),
        ),
        more=((target_place(vitals, real.score), "loss"),),
        confidence=0.93,
    )


def _helping(game: Game, made: Trial, real: Trial, fake: Trial) -> Finding:
    vitals = game.vitals
    maker, judge = made.player.net.name, fake.player.net.name
    return measured_finding(
        vitals,
        SLUG,
        made.player,
        f"{maker} is trained towards the score that {judge} itself gives to generated samples: both losses pull the same way.",
        place=target_place(vitals, made.score, fake.score),
        evidence=(
            f"score that {judge} asks for of real samples: {_score(real)}; of generated ones: {_score(fake)}",
            f"score that {maker} asks for of generated samples: {_score(made)}",
            f"scores of generated samples: {number(float(fake.scores.mean()))} in {judge}'s step, of real ones "
            f"{number(float(real.scores.mean()))}",
        ),
        remedies=(
            Remedy(
                f"Turn the sign, or the target, of {maker}'s loss round, so that it asks for the score of real samples.",
                keeps_objective=False,
            ),
        ),
        confidence=0.95,
    )


def _score(trial: Trial) -> str:
    if abs(trial.ideal) >= 20:
        return "as high as can be" if trial.ideal > 0 else "as low as can be"
    return number(trial.ideal)
