"""The generator makes (nearly) the same sample from whatever noise it is given.

## What it means

The generator's loss asks of each sample that it scores well. It does not ask that the samples differ from one
another. Against a discriminator that stands still, the best answer is therefore a single point: the sample with the
highest score, from every noise. The discriminator has to make that point unattractive before the generator has got
there, and where it is late, the whole batch sits in one place and moves about as one.

Complete collapse is one sample; partial collapse is a few of the many kinds. It is favoured by

- many generator steps to one of the discriminator, or a generator that learns much faster;
- a discriminator that sees each sample by itself: it cannot notice that a batch is all alike;
- a discriminator with steep, narrow peaks (no penalty on its slope, too few data);
- a reconstruction or feature term with a large weight, which rewards the average.

## How it is recognised

The spread of the generated samples (root mean square around their mean over the batch) is set against that of the
real ones, at several points of the run. It is reported where the share is below 13 % at the last look and small at the
looks before, after 150 updates of the generator, and the noise is not ignored from the start. Where nothing can be named
that drives it there (many more updates than the discriminator, a learning rate of twice its, a term that asks for single
samples) it is a note.

## Why it hurts

The samples are useless, however good each one looks. The losses do not show it: they rise and fall as in a sound run,
since the discriminator chases the one point. Gradients of all samples in a batch are alike, so they all move together
and nothing drives them apart again.

## Not to be confused with

- `ignores-noise`: the output never depended on the noise; the network is wired so.
- `sampling-mismatch`: the noise is constant or too narrow. The generator is sound, the noise is at fault.
- `low-diversity`: the real samples are all alike as well.
- `batchnorm-misuse`: the samples differ in training and are alike when the generator is called for pictures, or with
  one sample at a time.
- `oscillation`: the spread is there, and the centre of the samples runs in circles. The two often come together.
- `saturated-activation`: all at the ends of the tanh.

## Remedy, and what it changes

- Balance: one step each, equal learning rates, or a discriminator with the larger rate. The objective stays.
- Bound the discriminator's slope with an R1 penalty or spectral normalisation, so that the generator has no peak to
  run to. This changes the objective a little, the point where the game ends not at all.
- Let it see several samples at once: packing (two to four samples a verdict), or the spread of the batch as one more
  feature (minibatch standard deviation). It can then ask for variety.
- Take the weight of a reconstruction term down.

Weights that have collapsed often do not recover: go back to a checkpoint from before, or start again.

## Example

```python
# faulty
import tensorflow as tf


def score(samples, fakes):  # of the best discriminator between N(0, 1), the real samples, and these fakes
    mean, variance = tf.reduce_mean(fakes), tf.math.reduce_variance(fakes) + 1e-4
    return (tf.square(samples - mean) / variance - tf.square(samples) + tf.math.log(variance)) / 2.0


centre, scale = tf.Variable(1.0), tf.Variable(2.0)  # the generator: centre + scale * noise
known = centre + scale * tf.random.normal((512,))  # the discriminator learns once, from these fakes, and stands still
for _ in range(100):
    with tf.GradientTape() as tape:
        fake = centre + scale * tf.random.normal((512,))
        loss = tf.reduce_mean(tf.nn.softplus(-score(fake, known)))
    for variable, gradient in zip((centre, scale), tape.gradient(loss, (centre, scale))):
        variable.assign_sub(0.2 * gradient)
assert tf.math.reduce_std(fake) < 0.1  # of the real samples: 1
```

```python
# corrected
import tensorflow as tf


def score(samples, fakes):
    mean, variance = tf.reduce_mean(fakes), tf.math.reduce_variance(fakes) + 1e-4
    return (tf.square(samples - mean) / variance - tf.square(samples) + tf.math.log(variance)) / 2.0


centre, scale = tf.Variable(1.0), tf.Variable(2.0)
for _ in range(100):
    known = centre + scale * tf.random.normal((512,))  # a step of the discriminator for each of the generator
    with tf.GradientTape() as tape:
        fake = centre + scale * tf.random.normal((512,))
        loss = tf.reduce_mean(tf.nn.softplus(-score(fake, known)))
    for variable, gradient in zip((centre, scale), tape.gradient(loss, (centre, scale))):
        variable.assign_sub(0.2 * gradient)
assert 0.7 < tf.math.reduce_std(fake) < 1.4
```

## References

- Goodfellow et al., *Generative Adversarial Networks*, 2014, arXiv 1406.2661, section 6: the generator must not be
  trained too much without the discriminator.
- Salimans et al., *Improved Techniques for Training GANs*, 2016, arXiv 1606.03498, section 3.2: minibatch
  discrimination.
- Metz, Poole, Pfau, Sohl-Dickstein, *Unrolled Generative Adversarial Networks*, 2016, arXiv 1611.02163.
- Lin, Khetan, Fanti, Oh, *PacGAN: The power of two samples in generative adversarial networks*, 2017, arXiv
  1712.04086.
- Karras, Aila, Laine, Lehtinen, *Progressive Growing of GANs for Improved Quality, Stability, and Variation*, 2017,
  arXiv 1710.10196, section 3: minibatch standard deviation.
"""

from __future__ import annotations

import ast

import numpy as np

from ganmedic.analysis.course import ENOUGH
from ganmedic.analysis.game import Game, Trial
from ganmedic.analysis.samples import features, spread
from ganmedic.analysis.source import tree
from ganmedic.analysis.story import innermost
from ganmedic.analysis.vitals import Player
from ganmedic.causes.building import operation_place
from ganmedic.causes.ignores_noise import find as find_ignored
from ganmedic.causes.measuring import constant_place, measured_finding, number, optimizer_text, rate_written
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Place, Summand

SLUG = "mode-collapse"
FAMILY = "dynamics"
TITLE = "The generator draws (nearly) the same sample every time"

#: Generated samples whose spread is below this share of that of the real ones are all alike.
_ALIKE = 0.13
#: So many updates of the generator before that is called a collapse: at the start every generator draws much the same.
_UPDATES = ENOUGH
#: So many more updates of the generator than of the discriminator are a reason by themselves.
_OFTEN = 3.0
#: A learning rate so many times that of the discriminator likewise.
_FASTER = 2.0


def find(record: Record) -> list[Finding]:
    """Generators whose samples have become one and the same."""
    game = Game.of(record)
    if not record.complete or find_ignored(record):
        return []
    fakes = [one for one in game.trials if one.fake and len(one.samples) >= 8]
    reals = [one for one in game.trials if not one.fake and len(one.samples) >= 8]
    if len(fakes) < 3 or not reals or game.updates("generator") < _UPDATES:
        return []
    last = [_share(one, reals[-1]) for one in fakes if one.step == fakes[-1].step or one is fakes[-1]]
    before = [_share(one, reals[-1]) for one in fakes[-4:]]
    if not (max(last) < _ALIKE and np.median(before) < 2 * _ALIKE and spread(reals[-1].samples) > 0):
        return []
    return [_explain(game, fakes, reals[-1])]


def _share(fake: Trial, real: Trial) -> float:
    """Spread of generated samples over that of real ones: the larger of what pixels and features say."""
    if fake.samples.shape[1:] != real.samples.shape[1:]:
        return 1.0
    pixels = spread(fake.samples) / max(1e-12, spread(real.samples))
    seen = spread(features(fake.samples)) / max(1e-12, spread(features(real.samples)))
    return max(pixels, seen) if real.samples.ndim == 4 else pixels


def _explain(game: Game, fakes: list[Trial], real: Trial) -> Finding:
    player = game.makers[0]
    share = _share(fakes[-1], real)
    place, why, remedy, known = _reason(game)
    return measured_finding(
        game.vitals,
        SLUG,
        player,
        f"The samples of {player.net.name} are nearly all the same: their spread is {100 * share:.1f} % of that of the real ones.",
        place=place,
        evidence=(
            "spread of generated over real samples: "
            + ", ".join(f"{_share(one, real):.2f} (step {one.step})" for one in (fakes[0], *fakes[-3:])),
            f"spread of real samples {number(spread(real.samples))}, of generated ones {number(spread(fakes[-1].samples))}",
            why,
        ),
        remedies=(remedy,),
        confidence=0.85 if known else 0.5,
        severity="error" if known else "note",
    )


def _reason(game: Game) -> tuple[Place | None, str, Remedy, bool]:
    """What drives the generator into one spot: many updates against the same discriminator, a second loss, its rate."""
    run, player = game.run, game.makers[0]
    judge = game.judges[0] if game.judges else None
    own, other = game.updates("generator"), game.updates("discriminator")
    if own >= _OFTEN * max(1, other):
        near = innermost(player.call.stack)
        return (
            constant_place(run, near, float(round(own / max(1, other)))) or _loop_limit(game) or near,
            f"{player.net.name} had {own} updates, the discriminator {other}",
            Remedy(
                "Update both equally often: a generator that answers a discriminator which stands still goes to one spot."
            ),
            True,
        )
    place = _regression(game)
    if place is not None:
        return (
            place,
            "its loss holds single samples against single data, which asks for the mean of the data whatever the noise",
            Remedy("Take the term out, or lower its weight: noise and data are not paired.", keeps_objective=False),
            True,
        )
    text = optimizer_text(judge.optimizer) if judge is not None else "its optimizer"
    faster = _rate(player) / _rate(judge) if judge is not None and _rate(judge) > 0 else 1.0
    return (
        rate_written(run, player.optimizer),
        f"{player.net.name} learns with {optimizer_text(player.optimizer)}, the discriminator with {text}",
        Remedy(
            "Slow the generator down against the discriminator; let it see several samples at once (minibatch standard "
            "deviation, packing); use a loss that pairs real and fake."
        ),
        faster >= _FASTER,
    )


def _rate(player: Player) -> float:
    rates = player.optimizer.rates if player.optimizer is not None else ()
    return rates[-1] if rates else 0.0


def _loop_limit(game: Game) -> Place | None:
    """A number in the program that allows so many updates of the generator in a row."""
    near = innermost(game.makers[0].call.stack)
    root = tree(game.record, near.file) if near is not None else None
    if near is None or root is None:
        return None
    loops = [node for node in ast.walk(root) if isinstance(node, ast.While)]
    names = {one.id for loop in loops for one in ast.walk(loop.test) if isinstance(one, ast.Name)}
    for node in ast.walk(root):
        number = isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value
        if number and any(isinstance(one, ast.Name) and one.id in names for one in getattr(node, "targets", ())):
            return Place(near.file, int(getattr(node, "lineno", 0)), "")
    return None


def _regression(game: Game) -> Place | None:
    """The line of a term that holds generated samples directly against data, and outweighs the adversarial one."""
    for player in game.makers:
        for look in player.looks[-1:]:
            direct = [one for one in look.summands if game.is_output(one.value)]
            other = [one for one in look.summands if game.judged(one.value)]
            loudest = max(direct, key=_pull, default=None)
            if loudest is not None and other and _pull(loudest) > max(map(_pull, other)):
                made = game.record.producers.get(loudest.value)
                return operation_place(game.run, made[0]) if made is not None else None
    return None


def _pull(term: Summand) -> float:
    """The norm of the gradient of a term with its weight."""
    return float(np.sqrt(sum(norm * norm for norm in term.norms if norm > 0)))
