"""The discriminator cannot tell real from fake although they differ, so what it teaches the generator is noise.

## What it means

The generator learns from one thing only, the slope of the discriminator's scores. A discriminator that guesses has a
slope, and it points anywhere. It is kept at a guess in several ways:

- The same samples reach it under both labels: real and fake are joined in one batch and shuffled without their
  labels, the name of the real batch is used for the fakes, labels are drawn at random or flipped far too often.
- It is hardly trained: a learning rate orders of magnitude below the generator's, one step to many of the generator,
  weights that are frozen or never handed to its optimizer.
- It is too small for the difference: one linear layer where real and fake differ in spread or in structure only,
  dropout of 0.9, instance noise as large as the data.

## How it is recognised

By comparing two answers to one question. The scores of real and fake at several points of the run give an area under
the ROC curve: 0.5 is a guess, less than that the wrong side. A nearest-neighbour two-sample test on the samples
themselves says whether the two sets differ at all. It is reported where the scores stay near a guess, or on the wrong
side, at the later looks while the samples differ plainly. That the same samples arrive under both labels is seen from
the samples and reported by itself.

A guess alone is no fault: it is how a GAN ends that has succeeded. That is why the samples are asked too.

## Why it hurts

The generator wanders, and what it makes is as good at the end as at the beginning. The losses look like the book:
the discriminator at 1.386 (2 log 2, for the sum of two cross-entropies; 0.693 for their mean), the generator at
0.693, which is exactly what a solved game looks like.

## Not to be confused with

- `wrong-loss-sign`: the discriminator separates the two with ease, and one player asks for the wrong side.
- `discriminator-saturated`: the opposite, a discriminator too sure to give a gradient.
- `frozen`, `not-applied`: the reason why it does not learn, where its weights do not change at all.
- `loss-weight-imbalance`: it works, and its share of the generator's loss is drowned.
- `mode-collapse`: scores near a guess on average, of a generator that hides at one place.

## Remedy, and what it changes

- Give each sample its own label: score real and fake in two calls, or shuffle samples and labels together. The
  objective becomes the one that was meant.
- Train it as fast as the generator, or faster: equal learning rates are the usual start (2e-4 for both), some recipes
  give the discriminator four times as much, or several steps to one.
- Then make it larger: a hidden layer, less dropout, no instance noise at the start.

A healthy discriminator is somewhat better than a guess for the whole of the training.

## Example

```python
# faulty
import keras
import numpy as np
import tensorflow as tf

real, fake = tf.random.normal((128, 4), mean=1.0), tf.random.normal((128, 4), mean=-1.0)
discriminator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
cross_entropy, optimizer = keras.losses.BinaryCrossentropy(from_logits=True), keras.optimizers.SGD(0.1)
labels = tf.concat([tf.ones((128, 1)), tf.zeros((128, 1))], axis=0)

for _ in range(100):
    samples = tf.random.shuffle(tf.concat([real, fake], axis=0))  # the labels stay where they are
    with tf.GradientTape() as tape:
        loss = cross_entropy(labels, discriminator(samples))
    weights = discriminator.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
assert loss > 0.6  # log 2, the loss of a guess, is 0.693

samples = np.concatenate([real, fake])
distances = np.sum((samples[:, None] - samples[None]) ** 2, axis=-1) + 1e9 * np.eye(256)
alike = np.mean(labels.numpy()[np.argmin(distances, axis=1)] == labels.numpy())
assert alike > 0.9  # for nearly all, the nearest sample is of the same kind: the two sets differ
```

```python
# corrected
import keras
import tensorflow as tf

real, fake = tf.random.normal((128, 4), mean=1.0), tf.random.normal((128, 4), mean=-1.0)
discriminator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
cross_entropy, optimizer = keras.losses.BinaryCrossentropy(from_logits=True), keras.optimizers.SGD(0.1)

for _ in range(100):
    with tf.GradientTape() as tape:
        of_real = cross_entropy(tf.ones((128, 1)), discriminator(real))
        loss = (of_real + cross_entropy(tf.zeros((128, 1)), discriminator(fake))) / 2.0
    weights = discriminator.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
assert loss < 0.2
assert tf.reduce_mean(discriminator(real)) > tf.reduce_mean(discriminator(fake)) + 2.0
```

## References

- Lopez-Paz, Oquab, *Revisiting Classifier Two-Sample Tests*, 2017, arXiv 1610.06545, section 3: the test.
- Goodfellow et al., *Generative Adversarial Networks*, 2014, arXiv 1406.2661, section 4.1: the value of a solved game.
- Heusel et al., *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium*, 2017, arXiv
  1706.08500: a rate for each player.
- Zhang et al., *Self-Attention Generative Adversarial Networks*, 2018, arXiv 1805.08318, section 4.2: unequal
  rates; section 5: 0.0004 for the discriminator, 0.0001 for the generator.
"""

from __future__ import annotations

import numpy as np

from ganmedic.analysis.course import ENOUGH
from ganmedic.analysis.data_lines import place_of_call
from ganmedic.analysis.game import Game, Trial, separation
from ganmedic.analysis.samples import neighbour_accuracy
from ganmedic.analysis.vitals import Player
from ganmedic.causes.game_findings import target_place
from ganmedic.causes.measuring import measured_finding, number, optimizer_text, rate_written
from ganmedic.causes.mode_collapse import find as find_collapse
from ganmedic.causes.wrong_loss_sign import find as find_sign
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Place

SLUG = "discriminator-too-weak"
FAMILY = "dynamics"
TITLE = "The discriminator cannot tell real from fake"

#: A separation below this is a guess, or worse.
_GUESS = 0.62
#: Samples that their nearest neighbours tell apart so well differ plainly.
_PLAIN = 0.9
#: So many looks, and so many updates, before a discriminator is called weak.
_LOOKS, _UPDATES = 3, ENOUGH
#: So many updates of the generator to one of the discriminator.
_OFTEN = 3.0
#: A discriminator whose weights move by less than this share of the generator's movement has stopped.
_STOPPED = 0.02


def find(record: Record) -> list[Finding]:
    """Discriminators that do not learn what plainly could be learnt."""
    game = Game.of(record)
    if find_sign(record):
        return []
    both = _both_labels(game)
    if both is not None:
        return [both]
    if not record.complete or _outnumbered(game):
        return []
    pairs = [pair for pair in game.pairs() if min(len(pair[0].samples), len(pair[1].samples)) >= 16]
    late = [pair for pair in pairs if pair[0].step >= pairs[-1][0].step // 8][-5:] if pairs else []
    if len(late) < _LOOKS or game.updates("discriminator") < _UPDATES:
        return []
    told = [_toward(real, fake) for real, fake in late]
    plain = [_apart(real, fake) for real, fake in late]
    weak = np.median(told) < _GUESS and max(told) < 0.8 and np.median(plain) >= _PLAIN and plain[-1] >= _PLAIN
    return [_explain(game, late, told, plain)] if weak else []


def _outnumbered(game: Game) -> bool:
    """Whether the generator has collapsed under many more updates than the discriminator's: that is the root then."""
    return game.updates("generator") >= _OFTEN * game.updates("discriminator") and any(
        one.severity == "error" for one in find_collapse(game.record)
    )


def _toward(real: Trial, fake: Trial) -> float:
    """The separation, in the direction that the loss asks for where that is known."""
    share = separation(real.scores, fake.scores)
    return 1.0 - share if np.isfinite(real.ideal + fake.ideal) and real.ideal < fake.ideal else share


def _apart(real: Trial, fake: Trial) -> float:
    one, other = real.samples, fake.samples
    return neighbour_accuracy(one, other) if one.shape[1:] == other.shape[1:] else 0.0


def _both_labels(game: Game) -> Finding | None:
    """Real samples that the discriminator is given under both labels, and generated ones never."""
    reals, fakes = game.of_judges(fake=False), game.of_judges(fake=True)
    sides = {np.sign(one.ideal) for one in reals if np.isfinite(one.ideal) and abs(one.ideal) > 1e-6}
    if fakes or sides != {-1.0, 1.0} or not reals:
        return None
    player = reals[0].player
    seen = [one for one in reals if np.isfinite(one.ideal)]
    place = _second_update(game, player)
    return measured_finding(
        game.vitals,
        SLUG,
        player,
        f"{player.net.name} is given real samples under both labels and generated ones never: there is nothing to tell apart.",
        place=place,
        evidence=(
            f"in {len(seen)} looks at its steps no sample came from a generator; in {sum(one.ideal > 0 for one in seen)} of "
            f"them the loss asked for high scores, in {sum(one.ideal < 0 for one in seen)} for low ones",
            f"its scores at last: mean {number(float(seen[-1].scores.mean()))}",
        ),
        remedies=(Remedy("Give the generated samples to the update that is meant for them.", keeps_objective=False),),
        confidence=0.95,
    )


def _second_update(game: Game, player: Player) -> Place | None:
    """The later of the lines on which a discriminator is updated in a round."""
    numbers = {
        module.id for module in game.record.modules.values() if player.net.module and module.id == player.net.module.id
    }
    places = [
        call.stack[-1]
        for call in game.record.train_calls.values()
        if call.module in numbers and call.stack and call.method == "train_on_batch"
    ]
    return max(places, key=lambda place: place.line, default=None)


def _explain(game: Game, late: list[tuple[Trial, Trial]], told: list[float], plain: list[float]) -> Finding:
    vitals = game.vitals
    player = late[-1][0].player
    maker = game.makers[0] if game.makers else None
    own, other = _pace(player), _pace(maker) if maker is not None else float("nan")
    evidence = [
        "share of pairs in which a real sample is scored above a generated one: "
        + ", ".join(f"{value:.2f} (step {pair[0].step})" for value, pair in zip(told, late, strict=True)),
        f"their nearest neighbours tell the same samples apart in {100 * plain[-1]:.0f} % of the cases",
    ]
    place: Place | None
    if any(not np.isfinite(real.ideal) for real, _ in late) or all(real.profile is None for real, _ in late):
        place = _mixing(game, player)
        evidence.append(
            "the labels of its batches do not go with the samples: the loss asks of both kinds for the same"
        )
        remedy = Remedy("Shuffle samples and labels with the same order, or give each kind its own update.")
    elif own < _STOPPED * other:
        place = rate_written(vitals.run, player.optimizer)
        evidence.append(
            f"its weights move by {number(own)} of their size a step, those of the generator by {number(other)}"
        )
        remedy = Remedy(f"Let it learn: {optimizer_text(player.optimizer)} moves it too little.")
    else:
        place = rate_written(vitals.run, player.optimizer) or target_place(vitals, late[-1][0].score)
        evidence.append(f"it learns with {optimizer_text(player.optimizer)}")
        remedy = Remedy("Give it a higher learning rate, more updates or more units.")
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"{player.net.name} cannot tell real from generated samples ({np.median(told):.2f}, where 0.5 is a guess), though they differ "
        "plainly: what it passes on to the generator says nothing of the data.",
        place=place,
        evidence=tuple(evidence),
        remedies=(remedy,),
        confidence=0.8,
    )


def _pace(player: Player) -> float:
    """How far the weights move in a step, as a share of their size, in the second half of the run."""
    moved = player.movement()
    half = moved[len(moved) // 2 :]
    return float(np.nanmedian(half)) if half.size and np.isfinite(half).any() else float("nan")


def _mixing(game: Game, player: Player) -> Place | None:
    calls = [call for call in game.record.train_calls.values() if call.method == "train_on_batch" and call.stack]
    module = player.net.module.id if player.net.module is not None else 0
    own = [call.stack[-1] for call in calls if call.module == module]
    shuffled = place_of_call(game.run, "permutation", "shuffle")
    if own and shuffled is not None and 0 < own[0].line - shuffled.line < 12:
        return Place(shuffled.file, shuffled.line + 1, shuffled.function)
    return own[0] if own else None
