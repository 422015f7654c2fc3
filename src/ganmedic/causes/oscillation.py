"""The two players chase each other in a circle that does not get smaller.

## What it means

Each player takes a step that is right against the other as it is, and the other moves. Where both respond strongly,
the steps add up to a rotation: the fakes pass the real samples, the discriminator turns its slope round, the fakes
come back and pass them again. Around the solution the pull is sideways and not inwards, so gradient descent, which
takes finite steps, does not spiral in and may spiral out. The circle is kept up by

- an objective with nothing that damps it: no penalty on the discriminator's slope, on distributions that do not
  overlap (images, points, categories);
- momentum, Adam with `beta_1=0.9` above all, which keeps going in the direction of a moment ago;
- learning rates that are too large for both, or never come down.

## How it is recognised

Two things swing together. The centre of the generated samples, measured against the centre and the spread of the real
ones at several points of the run, passes back and forth; and so do the losses of both players, with an amplitude that
does not shrink. A loss counts as swinging where it correlates with itself a period later by 0.8 or more, over two and
a half rounds or more; the centre has to pass the data at least twice.

## Why it hurts

The run goes on for ever and ends wherever it is stopped. The samples of one checkpoint are all dark, those of a later
one all light, or show one class now and another then. Averages of the losses over an epoch look calm, since the swings
cancel. More training does not help, and a larger network turns faster.

## Not to be confused with

- `mode-collapse`: the spread of the samples is gone. It often rides on the same circle, from one kind to the next.
- `learning-rate-too-high`: jumps from step to step, losses that grow; here the curve is smooth and comes back.
- `discriminator-saturated`: the generator stands still.
- `unshuffled-data`: the data go round, and the losses with them, at the period of an epoch.
- Losses that wander without a period around a level, while the samples improve: that is how a sound run looks.

## Remedy, and what it changes

- An R1 penalty, `(gamma / 2) * mean(norm**2)` of the discriminator's slope at real samples. It puts the missing pull
  inwards into the game. The objective changes; the point where it ends does not, since the discriminator is flat on
  the data there.
- Less momentum: Adam with `beta_1` of 0.5 or 0.0. The objective stays.
- Smaller learning rates, or rates that decay, and a discriminator that is faster than the generator.
- An exponential average of the generator's weights, for sampling: it takes the middle of the circle. Training itself
  is not changed by it.

## Example

```python
# faulty
import tensorflow as tf

rate = 0.2


def play(turns):  # real: the point 0; fake: the point `fake`; scores are slope * point
    fake, slope, distances = tf.constant(1.0), tf.constant(0.0), []
    for _ in range(turns):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([fake, slope])
            d_loss = tf.nn.softplus(-slope * 0.0) + tf.nn.softplus(slope * fake)
            g_loss = tf.nn.softplus(-slope * fake)
        to_fake, to_slope = tape.gradient(g_loss, fake), tape.gradient(d_loss, slope)
        fake, slope = fake - rate * to_fake, slope - rate * to_slope
        distances.append(float(fake))
    return distances


passed = play(300)
assert max(passed[-100:]) > 0.5  # after 200 turns it still goes as far
assert min(passed[-100:]) < -0.5  # and on both sides
```

```python
# corrected
import tensorflow as tf

rate, gamma = 0.2, 1.0


def play(turns):
    fake, slope, distances = tf.constant(1.0), tf.constant(0.0), []
    for _ in range(turns):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([fake, slope])
            penalty = gamma / 2.0 * tf.square(slope)  # R1: the slope of the scores at the real point
            d_loss = tf.nn.softplus(-slope * 0.0) + tf.nn.softplus(slope * fake) + penalty
            g_loss = tf.nn.softplus(-slope * fake)
        to_fake, to_slope = tape.gradient(g_loss, fake), tape.gradient(d_loss, slope)
        fake, slope = fake - rate * to_fake, slope - rate * to_slope
        distances.append(float(fake))
    return distances


assert max(abs(distance) for distance in play(200)[-50:]) < 0.01
```

## References

- Mescheder, Geiger, Nowozin, *Which Training Methods for GANs do actually Converge?*, 2018, arXiv 1801.04406, section
  2: the game of the example; section 4.1: R1.
- Mescheder, Nowozin, Geiger, *The Numerics of GANs*, 2017, arXiv 1705.10461, section 3: eigenvalues of the game.
- Gidel et al., *Negative Momentum for Improved Game Dynamics*, 2018, arXiv 1807.04740.
- Yazici et al., *The Unusual Effectiveness of Averaging in GAN Training*, 2018, arXiv 1806.04498.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.cycles import Cycle, of_centres, of_losses
from ganmedic.analysis.game import Game
from ganmedic.analysis.vitals import Player
from ganmedic.causes.measuring import measured_finding, number, optimizer_place, optimizer_text
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "oscillation"
FAMILY = "dynamics"
TITLE = "The two players chase each other in circles"


def find(record: Record) -> list[Finding]:
    """Games whose losses and samples pass back and forth without settling."""
    game = Game.of(record)
    if not record.complete or not game.judges or not game.makers:
        return []
    cycle = of_losses(game)
    sides = of_centres(game)
    if cycle is None or sides is None:
        return []
    return [_explain(game, cycle, sides)]


def _explain(game: Game, cycle: Cycle, sides: list[tuple[int, float]]) -> Finding:
    maker, judge = game.makers[0], game.judges[0]
    curves = any(one.score.curve.straight for one in game.of_judges(fake=True))
    more = ((optimizer_place(game.run, judge.optimizer), "optimizer"),)
    remedies = [
        Remedy(
            "Take the momentum out (beta_1=0, momentum=0) and lower both learning rates: momentum adds energy to a rotation.",
            f"{maker.optimizer.kind if maker.optimizer else 'Adam'}({number(_rate(maker) / 4)})",
        ),
        Remedy(
            "Dampen the rotation: an R1 penalty on the real samples (gamma 10), or a gradient penalty.",
            keeps_objective=False,
        ),
    ]
    if curves:
        remedies.reverse()
    return measured_finding(
        game.vitals,
        SLUG,
        maker,
        f"{maker.net.name} and {judge.net.name} go round in circles: the loss of {cycle.player.net.name} swings with a period of "
        f"{cycle.period} steps and does not settle.",
        place=optimizer_place(game.run, maker.optimizer),
        evidence=(
            f"loss of {cycle.player.net.name}: period {cycle.period} steps, {cycle.rounds:.1f} rounds, correlation with itself "
            f"a period later {cycle.strength:.2f}, swing of the last rounds {cycle.kept:.2f} times that of the first",
            "centre of the generated samples, in spreads of the real ones from their centre: "
            + ", ".join(f"{value:+.2f} (step {step})" for step, value in sides[-4:]),
            f"{maker.net.name} learns with {optimizer_text(maker.optimizer)}, {judge.net.name} with "
            f"{optimizer_text(judge.optimizer)}",
        ),
        remedies=tuple(remedies),
        more=more,
        confidence=0.75,
    )


def _rate(player: Player) -> float:
    rates = player.optimizer.rates if player.optimizer is not None else ()
    return rates[-1] if rates and np.isfinite(rates[-1]) else 1e-4
