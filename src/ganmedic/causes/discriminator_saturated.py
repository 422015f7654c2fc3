"""The discriminator is so far ahead that its scores lie where the generator's loss is flat.

## What it means

The discriminator tells real from fake with certainty, its loss is near its floor, and the generator stands still. A
strong discriminator alone is no fault: with a loss on raw scores the generator still gets a slope of -1 from it. The
signal dies where the score passes something bounded on its way into the generator's loss, a sigmoid above all, and
that has become 0 or 1 for every sample:

| generator's loss, score c of a fake, p = sigmoid(c) | derivative by c at -20 |
|---|---|
| `softplus(-c)`, or cross-entropy from logits | -1 |
| `-log(p + 1e-8)` | -0.17 |
| `-log(clip(p, 1e-7, 1 - 1e-7))`, as cross-entropy of probabilities computes it | 0, from -16.1 downwards |
| `(p - 1)**2` | -4e-9 |

`keras.losses.BinaryCrossentropy()` avoids the clip where it can: the sigmoid of a Keras layer keeps its logits with
it, and the loss then takes those. A `Flatten`, a `Reshape`, a cast, a slice or a `concat` between the two loses them,
and so does `tf.sigmoid` in an eager loop.

## How it is recognised

Three things have to come together. The profile of the generator's loss over the fake score, taken by running the
recorded step again in a sandbox with the score set to values from -50 to 50, shows a bounded or clipped form. At the
scores of the last probe its derivative is below 1 % of what it is at the steepest point of the profile. And these
scores lie on the side that the generator wants to leave. The line is that of what let the discriminator run ahead: the
number of its updates where it had three times as many, else its learning rate.

## Why it hurts

The generator's weights move by rounding errors. More training makes it worse, since the discriminator goes on
separating two sets of samples that no longer change. The curves show a discriminator at 0 and a generator at a
constant such as 16.1.

## Not to be confused with

- `saturating-generator-loss`: the loss is flat on the losing side by its formula, whatever the discriminator does.
- `logits-mismatch`: two sigmoids, or raw scores clipped as probabilities; the profile is flat before anybody has won.
- `output-loss-mismatch`: no score has a usable derivative, from the first step on.
- `variable-unused`: the generator's gradient is None, not small.
- A discriminator loss near 0 with a gradient that still arrives: many sound runs begin like that.

## Remedy, and what it changes

- Compute both losses from raw scores: no sigmoid in the discriminator, `from_logits=True`, or `softplus(-fake_score)`
  and its like. This is the same objective, computed without the clip, and it comes first.
- Then slow the discriminator down: its learning rate, or its number of updates.
- Bound its slope: an R1 penalty, spectral normalisation, or instance noise on real and fake. These change the
  objective, in the way the theory asks for: with disjoint samples there is always a perfect discriminator.

## Example

```python
# faulty
import keras
import tensorflow as tf

layers = [keras.layers.Dense(1), keras.layers.Activation("sigmoid"), keras.layers.Flatten()]
discriminator = keras.Sequential([keras.Input((8,)), *layers])
optimizer = keras.optimizers.Adam(0.1)  # the generator's is 0.0002
cross_entropy = keras.losses.BinaryCrossentropy()
real, fake = tf.fill((16, 8), 8.0), tf.fill((16, 8), -8.0)
ones, zeros = tf.ones((16, 1)), tf.zeros((16, 1))

for _ in range(30):
    with tf.GradientTape() as tape:
        d_loss = cross_entropy(ones, discriminator(real)) + cross_entropy(zeros, discriminator(fake))
    weights = discriminator.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))

with tf.GradientTape() as tape:
    tape.watch(fake)
    g_loss = cross_entropy(ones, discriminator(fake))
assert d_loss < 1e-5
assert g_loss > 16.0
assert tf.reduce_all(tape.gradient(g_loss, fake) == 0.0)
```

```python
# corrected
import keras
import tensorflow as tf

discriminator = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
optimizer = keras.optimizers.Adam(0.1)  # as fast as before: what counts here is the form of the loss
real, fake = tf.fill((16, 8), 8.0), tf.fill((16, 8), -8.0)

for _ in range(30):
    with tf.GradientTape() as tape:
        d_loss = tf.reduce_mean(tf.nn.softplus(-discriminator(real)) + tf.nn.softplus(discriminator(fake)))
    weights = discriminator.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))

with tf.GradientTape() as tape:
    tape.watch(fake)
    g_loss = tf.reduce_mean(tf.nn.softplus(-discriminator(fake)))
assert d_loss < 1e-5
assert tf.reduce_all(tf.norm(tape.gradient(g_loss, fake), axis=1) > 0.01)
```

## References

- Goodfellow et al., *Generative Adversarial Networks*, 2014, arXiv 1406.2661, section 3.
- Arjovsky, Bottou, *Towards Principled Methods for Training Generative Adversarial Networks*, 2017, arXiv 1701.04862,
  section 2: perfect discriminators; theorem 2.4: what is left of the gradient.
- Mescheder, Geiger, Nowozin, *Which Training Methods for GANs do actually Converge?*, 2018, arXiv 1801.04406, section
  4.1: the R1 penalty.
- Heusel et al., *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium*, 2017, arXiv
  1706.08500.
- Keras API, *BinaryCrossentropy*: `from_logits`.
"""

from __future__ import annotations

from ganmedic.analysis.story import innermost
from ganmedic.analysis.vitals import Player, Score, Vitals
from ganmedic.causes.logits_mismatch import find as find_mismatch
from ganmedic.causes.measuring import constant_place, measured_finding, number, optimizer_text, rate_written
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Measure, Place

SLUG = "discriminator-saturated"
FAMILY = "vanishing"
TITLE = "The discriminator is too sure to give a gradient"


#: A signal below this share of what the loss can give counts as gone.
_GONE = 0.01
#: So many updates of the discriminator to one of the generator are a reason by themselves.
_OFTEN = 3.0


def find(record: Record) -> list[Finding]:
    """Generators whose loss gives nothing at the scores that the discriminator hands out."""
    vitals = Vitals.of(record)
    if not record.complete:
        return []
    if find_mismatch(record):
        return []
    found = []
    for player in vitals.role("generator"):
        for score in player.scores:
            measure = _now(player, score)
            judged = score.fake and score.net is not None and score.net is not player.net and not score.curve.straight
            if measure is not None and judged and _share(measure, score) < _GONE and _lost(measure, score):
                found.append(_explain(vitals, player, score, measure))
                break
    return found


def _now(player: Player, score: Score) -> Measure | None:
    looks = player.measures_of(score.key)
    return looks[-1] if looks and len(player.looks) > 1 else None


def _share(measure: Measure, score: Score) -> float:
    """What of the steepest derivative the loss gives at the scores of a look."""
    count = 1
    for length in measure.shape:
        count *= length
    if measure.gradient < 0 or not score.curve.top:
        return 1.0  # no gradient was measured here, which says nothing
    return measure.gradient * count / score.curve.top


def _lost(measure: Measure, score: Score) -> bool:
    """Whether the scores lie on the side that the generator wants to leave."""
    return measure.mean * score.curve.wants < 0


def _explain(vitals: Vitals, player: Player, score: Score, measure: Measure) -> Finding:
    judges = [one for one in vitals.players if one.net is score.net]
    judge = judges[0] if judges else None
    place, why, remedy = _ahead(vitals, player, judge)
    evidence = [
        f"scores of fakes: mean {number(measure.mean)}, between {number(measure.low)} and {number(measure.high)} at step "
        f"{player.looks[-1].probe.step}",
        f"there the derivative of {player.net.name}'s loss is {number(_share(measure, score))} of its largest",
    ]
    if judge is not None and judge.losses().size:
        losses = judge.losses()
        evidence.append(
            f"loss of {judge.net.name}: {number(float(losses[0]))} at first, {number(float(losses[-1]))} at last"
        )
    evidence.append(why)
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"{score.net.name if score.net else 'The discriminator'} is so sure of its verdict that the loss of {player.net.name} "
        f"is flat at its scores: {number(_share(measure, score))} of the gradient is left.",
        place=place,
        evidence=tuple(evidence),
        remedies=(remedy,),
        confidence=0.85,
    )


def _updates(vitals: Vitals, player: Player) -> int:
    """How often the network of a player was trained, on whatever line (a loop in a graph is one line many times)."""
    return sum(one.series.seen for one in vitals.players if one.net is player.net)


def _ahead(vitals: Vitals, player: Player, judge: Player | None) -> tuple[Place | None, str, Remedy]:
    """What lets the discriminator run ahead: its learning rate, the number of its updates, or just its loss."""
    run = vitals.run
    slow = Remedy("Slow the discriminator down, so that the two stay within reach of each other.")
    if judge is None:
        return None, "the discriminator is trained elsewhere", slow
    own = judge.optimizer.rates[-1] if judge.optimizer and judge.optimizer.rates else 0.0
    others = player.optimizer.rates[-1] if player.optimizer and player.optimizer.rates else 0.0
    place = rate_written(run, judge.optimizer)
    name = judge.optimizer.kind if judge.optimizer else "Adam"
    had, others_had = _updates(vitals, judge), _updates(vitals, player)
    times = had / max(1, others_had)
    if times >= _OFTEN:
        near = innermost(judge.call.stack)
        return (
            # So often in each step, or so often more before the first.
            constant_place(run, near, float(round(times)))
            or constant_place(run, near, float(had - others_had))
            or near,
            f"{judge.net.name} had {had} updates, {player.net.name} {others_had}",
            Remedy("Update both equally often, or train the discriminator only while its loss is above a floor."),
        )
    if own and others and own >= 2 * others:
        return (
            place,
            f"{judge.net.name} learns with {optimizer_text(judge.optimizer)}, {player.net.name} with "
            f"{optimizer_text(player.optimizer)}",
            Remedy("Give the discriminator a rate near the generator's.", f"{name}({number(others)})"),
        )
    return place, f"{judge.net.name} learns with {optimizer_text(judge.optimizer)}", slow
