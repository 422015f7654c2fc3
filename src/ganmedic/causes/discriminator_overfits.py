"""The discriminator knows the few real samples by heart, so its scores say who they are and not what they are like.

## What it means

A small set of real samples is seen again and again, the fakes are new every time. A discriminator with more weights
than the samples have traits finds the short way: these forty pictures are real, everything else is not. It is right
on all of its training data and wrong on any other real sample, and it would be right in the same way if the generator
were perfect.

Nothing in the loss tells this from a discriminator that has understood the difference. The fewer the different
samples, the larger the network and the longer the run, the sooner it comes to it.

## How it is recognised

By three observations. Digests of the samples tell how many different ones there are among all that reached the
discriminator: a small set, seen very many times. Its scores separate real from fake completely. And where the program
itself scores samples that were held back, these get the scores of fakes; that is the proof, and it is reported with
less confidence where a program holds nothing back.

## Why it hurts

The scores have a narrow peak at each known sample and are flat, or random, in between. The generator is either pulled
onto those very samples and copies them, or it gets no direction at all. The samples improve for a while, then get
worse from epoch to epoch, while the discriminator's loss goes on falling.

## Not to be confused with

- `discriminator-saturated`: the generator's loss is flat at the scores; a discriminator that overfits often ends
  there, and the remedy of the loss alone does not help the samples.
- `discriminator-shortcut`: the separation is complete too, and held-back real samples get the scores of real ones,
  since they carry the same tell.
- `low-diversity`: copies in the data make the set smaller than it looks.
- `mode-collapse`: samples all alike; here they differ and are copies, or get worse.
- A generator at its beginning: complete separation in the first steps is to be expected.

## Remedy, and what it changes

- More real samples come first, if there are any. The objective stays.
- Augment real and fake samples alike, in the steps of both players, with differentiable operations (shift, colour,
  cutout; for tables: noise and swapped columns). The discriminator then judges augmented samples only.
- Bound or shrink the discriminator: an R1 penalty with a larger weight, dropout, fewer channels, weight decay.
- Hold back a tenth of the data and score it during training. Keep the checkpoint from before its scores and those of
  the training samples part.

## Example

```python
# faulty
import keras
import tensorflow as tf


def gap_after_training_on(count):  # scores of the samples it has seen, less those of real samples it has not
    known, held_back = tf.random.normal((count, 32)), tf.random.normal((256, 32))
    discriminator = keras.Sequential([keras.Input((32,)), keras.layers.Dense(64, "elu"), keras.layers.Dense(1)])
    optimizer, weights = keras.optimizers.Adam(0.01), discriminator.trainable_variables
    optimizer.build(weights)

    @tf.function(autograph=False)
    def step():
        real = tf.gather(known, tf.random.uniform((64,), maxval=count, dtype=tf.int32))
        fake = tf.random.normal((64, 32))  # of a perfect generator
        with tf.GradientTape() as tape:
            loss = tf.nn.softplus(-discriminator(real)) + tf.nn.softplus(discriminator(fake))
        optimizer.apply(tape.gradient(loss, weights), weights)

    for _ in range(200):
        step()
    return float(tf.reduce_mean(discriminator(known)) - tf.reduce_mean(discriminator(held_back)))


assert gap_after_training_on(16) > 4.0
```

```python
# corrected
import keras
import tensorflow as tf


def gap_after_training_on(count):
    known, held_back = tf.random.normal((count, 32)), tf.random.normal((256, 32))
    discriminator = keras.Sequential([keras.Input((32,)), keras.layers.Dense(64, "elu"), keras.layers.Dense(1)])
    optimizer, weights = keras.optimizers.Adam(0.01), discriminator.trainable_variables
    optimizer.build(weights)

    @tf.function(autograph=False)
    def step():
        real = tf.gather(known, tf.random.uniform((64,), maxval=count, dtype=tf.int32))
        fake = tf.random.normal((64, 32))
        with tf.GradientTape() as tape:
            loss = tf.nn.softplus(-discriminator(real)) + tf.nn.softplus(discriminator(fake))
        optimizer.apply(tape.gradient(loss, weights), weights)

    for _ in range(200):
        step()
    return float(tf.reduce_mean(discriminator(known)) - tf.reduce_mean(discriminator(held_back)))


assert abs(gap_after_training_on(20000)) < 1.0
```

## References

- Karras et al., *Training Generative Adversarial Networks with Limited Data*, 2020, arXiv 2006.06676, section 2:
  overfitting, seen from held-back samples; section 3: adaptive augmentation.
- Zhao, Liu, Lin, Zhu, Han, *Differentiable Augmentation for Data-Efficient GAN Training*, 2020, arXiv 2006.10738,
  section 3.
- Arora, Ge, Liang, Ma, Zhang, *Generalization and Equilibrium in Generative Adversarial Nets (GANs)*, 2017, arXiv
  1703.00573.
"""

from __future__ import annotations

import ast

import numpy as np

from ganmedic.analysis.course import ENOUGH
from ganmedic.analysis.data_lines import handover, preparation
from ganmedic.analysis.game import Game, Trial, separation
from ganmedic.analysis.samples import distinct
from ganmedic.analysis.source import tree
from ganmedic.analysis.vitals import Player
from ganmedic.causes.low_diversity import find as find_repeated
from ganmedic.causes.measuring import measured_finding, number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Place

SLUG = "discriminator-overfits"
FAMILY = "dynamics"
TITLE = "The discriminator knows its training samples by heart"

#: A set of so few samples, seen so many times each, can be learnt by heart.
_SMALL, _TIMES = 64, 60
#: Where scores of samples that were held back are known, the set may be larger.
_LARGER = 512
#: Scores that separate real from fake so well leave no doubt.
_CERTAIN = 0.93
#: Samples held back that are scored nearer to fakes than to the real ones that were trained on were not learnt, but remembered.
_REMEMBERED = 0.5


def find(record: Record) -> list[Finding]:
    """Discriminators that separate a small set they have seen very often."""
    game = Game.of(record)
    if not record.complete or find_repeated(record):
        return []
    reals = [one for one in game.of_judges(fake=False) if one.batch is not None and len(one.batch.digests) >= 4]
    pairs = game.pairs()
    if len(reals) < 4 or not pairs or game.updates("generator") < 2 * ENOUGH:
        return []
    drawn, different, size = distinct([one.batch.digests for one in reals if one.batch is not None])
    count = len(reals[0].batch.digests) if reals[0].batch is not None else 0
    times = reals[0].player.series.seen * count / max(1.0, size)
    certain = [_share(real, fake) for real, fake in pairs[-3:]]
    held = _held_back(game, reals[-1].player)
    remembered = held is not None and held < _REMEMBERED
    if (
        size > (_LARGER if remembered else _SMALL)
        or times < _TIMES
        or drawn < 2 * different
        or (held is not None and not remembered)
    ):
        return []
    if np.median(certain) < _CERTAIN:
        return []
    return [_explain(game, reals[-1], size, times, certain[-1], held)]


def _share(real: Trial, fake: Trial) -> float:
    share = separation(real.scores, fake.scores)
    return max(share, 1.0 - share)


def _held_back(game: Game, player: Player) -> float | None:
    """Where the scores of samples that the program scores by itself lie, 0: as fakes, 1: as real ones; ``None`` without any."""
    module = player.net.module.id if player.net.module is not None else -1
    trained = {one for trial in game.trials if trial.batch is not None for one in trial.batch.digests}
    pairs = game.pairs()
    if not pairs:
        return None
    real, fake = (float(np.mean(one.scores)) for one in pairs[-1])
    found = []
    for showing in game.record.showings.values():
        if showing.module != module:
            continue
        rows = game.batches.get(showing.id, [])
        given = next((row for row in rows if row.place == "input"), None)
        answer = next((row for row in rows if row.place == "output"), None)
        if given is None or answer is None or not given.digests or given.generated > 0:
            continue
        seen = sum(one in trained for one in given.digests) / len(given.digests)
        made = any(
            set(given.digests) & set(other.digests) for other in game.record.batches.values() if other.place == "output"
        )
        if seen < 0.2 and not made and answer.mean:
            found.append((float(answer.mean[0]) - fake) / (real - fake) if real != fake else 1.0)
    return min(found) if found else None


def _explain(game: Game, real: Trial, size: float, times: float, certain: float, held: float | None) -> Finding:
    evidence = [
        f"about {size:.0f} different real samples, each seen some {times:.0f} times",
        f"a real sample is scored above a generated one in {100 * certain:.0f} % of all pairs at the last looks",
        f"scores of real samples at step {real.step}: mean {number(float(real.scores.mean()))}",
    ]
    if held is not None:
        evidence.append(
            f"samples that were not trained on are scored at {number(held)} on the way from fakes (0) to real ones (1)"
        )
    return measured_finding(
        game.vitals,
        SLUG,
        real.player,
        f"{real.player.net.name} knows its {size:.0f} real samples by heart: each was seen some {times:.0f} times and is told "
        "from any generated one.",
        place=_size_line(game, size) or handover(game.run),
        evidence=tuple(evidence),
        remedies=(
            Remedy("Use more data."),
            Remedy(
                "Augment real and generated samples alike, in both players' steps, in a way that gradients pass (DiffAugment, "
                "ADA); make the discriminator smaller; stop earlier.",
                keeps_objective=False,
            ),
        ),
        confidence=0.85 if held is not None else 0.7,
    )


def _size_line(game: Game, size: float) -> Place | None:
    """The line on which so few samples are taken: a number near that size in the preparation of the data."""
    for statement in preparation(game.run):
        for node in ast.walk(statement.node):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, int)
                and 0.8 * size <= node.value <= 1.25 * size
            ):
                return statement.place
    for file in game.record.sources:
        root = tree(game.record, file)
        for node in ast.walk(root) if root is not None else ():
            value = node.value if isinstance(node, ast.Assign) else None
            number = value.value if isinstance(value, ast.Constant) else None
            if isinstance(number, int) and 0.9 * size <= number <= 1.1 * size and isinstance(node, ast.Assign):
                return Place(file, node.lineno, "")
    return None
