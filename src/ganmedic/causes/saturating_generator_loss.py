"""The generator minimises log(1 - D(G(z))), which is flat exactly where the generator is losing.

## What it means

The minimax game of the first GAN paper has one value for both players: the discriminator raises `log D(x) + log(1 -
D(G(z)))`, the generator lowers it. Taken literally, the generator's loss over the fake score c is `-softplus(c)` and
its derivative is `-sigmoid(c)`. At the beginning every fake is recognised, c is negative, and that derivative is
nearly nothing:

| score of a fake | -20 | -10 | -5 | 0 | 5 |
|---|---|---|---|---|---|
| `log(1 - D(G(z)))` | -2e-9 | -5e-5 | -0.007 | -0.5 | -0.993 |
| `-log D(G(z))` | -1 | -1 | -0.993 | -0.5 | -0.007 |

The generator is pushed where its samples are believed already, and left alone where they are not. The loss is met in
several spellings: `tf.math.log(1.0 - discriminator(fake))`, `-cross_entropy(zeros, fake_scores)`, `g_loss = -d_loss`,
or a generator step that minimises the negated loss of the discriminator. Written with a sigmoid and a logarithm it
has a second fault: `1 - sigmoid(c)` is exactly 0 in float32 from about 17 upwards, the loss is -inf and its gradient
NaN.

## How it is recognised

By the profile of the generator's loss over the fake score: the recorded step is run again in a sandbox, with that
score set to values from -50 to 50 and everything else kept. The slope falls to zero on the side where the
discriminator wins and stays on the side where it loses. It is the shape that decides, not the name of a function, so
every spelling is found; nothing has to have gone wrong yet.

## Why it hurts

Learning never starts, or stops after the first lucky steps of the discriminator. The gradient is proportional to how
far the generator has succeeded, so the usual rescue, a better discriminator, makes it smaller. The generator's loss
is negative and close to 0, which reads as if all were well.

## Not to be confused with

- `wrong-loss-sign`: the slope has the wrong sign on the whole profile. Here the sign is right and the size is not.
- `discriminator-saturated`: the loss is the non-saturating one, and a sigmoid or a clip takes its gradient away.
- `logits-mismatch`: the profile is flat on both far sides.
- `log-of-zero`: the NaN of `log(1 - sigmoid(c))` at high scores.
- A Wasserstein or hinge generator, `-mean(score)`: zero-sum as well, with a slope of -1 everywhere.
- A relativistic loss: its slope depends on the real score too, and follows the difference of the two.

## Remedy, and what it changes

Let the generator raise `log D(G(z))`: `tf.nn.softplus(-fake_score)`, or cross-entropy of the fake scores against
ones, from logits. This changes the objective: the game is no longer zero-sum. The point where neither player can gain
is the same, and the direction for a single sample is the same too; only the weight of each sample in the batch
differs, and the badly made ones now count most. A generator loss that was near 0 will be large (10 and more) at
first; that is as it should be.

To keep the zero-sum game, use a Wasserstein or hinge loss, with a critic of bounded slope.

## Example

```python
# faulty
import tensorflow as tf

scores = tf.constant([-20.0, -10.0, 0.0, 10.0])  # the last one has fooled the discriminator
with tf.GradientTape() as tape:
    tape.watch(scores)
    loss = tf.reduce_sum(tf.math.log(1.0 - tf.sigmoid(scores)))
slope = tape.gradient(loss, scores)
assert abs(slope[0]) < 1e-8
assert abs(slope[1]) < 1e-4
assert slope[2] == -0.5
assert slope[3] < -0.99

with tf.GradientTape() as tape:
    score = tf.constant(20.0)
    tape.watch(score)
    loss = tf.math.log(1.0 - tf.sigmoid(score))
assert tf.math.is_inf(loss)
assert tf.math.is_nan(tape.gradient(loss, score))
```

```python
# corrected
import tensorflow as tf

scores = tf.constant([-20.0, -10.0, 0.0, 10.0])
with tf.GradientTape() as tape:
    tape.watch(scores)
    loss = tf.reduce_sum(tf.nn.softplus(-scores))
slope = tape.gradient(loss, scores)
assert slope[0] < -0.99
assert slope[1] < -0.99
assert slope[2] == -0.5
assert -1e-4 < slope[3] < 0.0  # this one needs no help
```

## References

- Goodfellow et al., *Generative Adversarial Networks*, 2014, arXiv 1406.2661, equation 1, and the remark on `log
  D(G(z))` below it.
- Goodfellow, *NIPS 2016 Tutorial: Generative Adversarial Networks*, 2016, arXiv 1701.00160, section 3.2: the minimax
  and the heuristic, non-saturating game.
- Arjovsky, Bottou, *Towards Principled Methods for Training Generative Adversarial Networks*, 2017, arXiv 1701.04862,
  theorem 2.4: the bound on the generator's gradient as the discriminator becomes optimal.
- Fedus et al., *Many Paths to Equilibrium: GANs Do Not Need to Decrease a Divergence At Every Step*, 2017, arXiv
  1710.08446.
"""

from __future__ import annotations

from ganmedic.analysis.vitals import Player, Score, Vitals
from ganmedic.causes.measuring import measured_finding, number, term_place
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "saturating-generator-loss"
FAMILY = "vanishing"
TITLE = "The generator minimises log(1 - D(G(z))) and loses its gradient"


def find(record: Record) -> list[Finding]:
    """Losses of a generator whose derivative vanishes where the discriminator wins."""
    vitals = Vitals.of(record)
    return [
        _explain(vitals, player, score)
        for player in vitals.role("generator")
        for score in player.scores
        if score.fake and score.curve.gives_up and score.net is not None and score.net is not player.net
    ]


def _explain(vitals: Vitals, player: Player, score: Score) -> Finding:
    curve = score.curve
    lost = -20 * curve.wants
    looks = player.measures_of(score.key)
    evidence = [
        f"with the fake score at {lost} (the discriminator wins) the derivative of {player.net.name}'s loss is "
        f"{number(curve.at(lost))} of its largest; at {-lost} it is {number(curve.at(-lost))}",
    ]
    if looks and looks[-1].gradient >= 0:
        share = looks[-1].gradient * _count(looks[-1].shape) / curve.top
        evidence.append(
            f"at the scores of step {player.looks[-1].probe.step} (mean {number(looks[-1].mean)}) {number(share)} is left"
        )
    norms = player.norms()
    if len(norms) > 8:
        evidence.append(
            f"the gradient of {player.net.name} was {number(float(norms[: len(norms) // 4].mean()))} in the first quarter of "
            f"the run and {number(float(norms[-(len(norms) // 4) :].mean()))} in the last"
        )
    sign = "ones" if curve.wants > 0 else "zeros"
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"The loss of {player.net.name} gives up where the discriminator wins: the surer it is that samples are fake, the "
        "smaller is the gradient that would make them better.",
        place=term_place(vitals, score),
        evidence=tuple(evidence),
        remedies=(
            Remedy(
                "Use the non-saturating loss: the generator asks for the label of real samples.",
                f"g_loss = cross_entropy(tf.{sign}_like(fake_logits), fake_logits)  # from logits",
                keeps_objective=False,
            ),
        ),
        confidence=0.9,
    )


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total
