"""A batch normalisation layer works with statistics that do not belong to the samples it normalises.

## What it means

`BatchNormalization` has two ways of working. With `training=True` it takes mean and variance of the batch and updates
its moving statistics; with `training=False` it takes the moving statistics. Three things go wrong with it in a GAN:

- It is called with `training=False` under the tape, and its moving statistics were never updated. They are 0 and 1,
  so the layer normalises nothing. Keras 3 takes `training=False` where nothing is said: `generator(noise)` in a loop
  of one's own, or in a `train_step`, is such a call. So is a layer with `trainable=False`, whatever is passed to it.
- It is given one sample. Behind a dense layer each value is then its own mean: the output is `beta` for every input,
  and the gradient through it is zero.
- Real and generated samples share one batch. The statistics are of the mixture when the discriminator learns, and of
  fakes alone when the generator does: the generator is taught by scores that the discriminator never gave.

## How it is recognised

From the calls as they are recorded: the training flag a layer of this kind works with under the tape, its moving
statistics at the looks (still at their first values or not), the size of the batch that enters it, and whether the
batch is made of real and of generated samples.

## Why it hurts

Without statistics a deep generator has the scales it was born with, and the gradient shrinks or grows from layer to
layer. With one sample the layers in front learn nothing. With mixed batches the discriminator reads from the batch
what it should read from the sample. And where training used batches and sampling uses moving statistics that were
never updated, a generator that has learnt well makes grey noise.

## Not to be confused with

- `frozen`: `trainable=False` hides the weights as well; the frozen normalisation is its companion.
- `depth-attenuation`: the gradient shrinks through layers without any normalisation.
- `mode-collapse`: pictures all alike. Sample with `training=True` once, to see which it is.
- `penalty-miscomputed`: batch normalisation in a critic with a gradient penalty; each sample's gradient then holds
  those of its neighbours.
- A pretrained network used with `training=False`: its statistics are learnt, and that is the way to use it.

## Remedy, and what it changes

- `training=True` for each call under the tape, for the generator in both steps; `training=False` for samples, after
  training. The losses stay as they are.
- Score real and fake in two calls. Each batch is then normalised by its own statistics, which hides a difference of
  the means from the discriminator; many prefer no batch normalisation there at all.
- Layer or group normalisation, or spectral normalisation in the discriminator, have no statistics over the batch and
  none of these faults. The networks change, the objective does not.

## Example

```python
# faulty
import keras
import tensorflow as tf

normalise = keras.layers.BatchNormalization()
hidden = 5.0 + 3.0 * tf.random.normal((64, 8))
assert tf.reduce_mean(normalise(hidden)) > 4.0  # training=False where nothing is said: it normalises nothing

one = tf.random.normal((1, 8))
with tf.GradientTape() as tape:
    tape.watch(one)
    output = normalise(one, training=True)
assert tf.reduce_all(output == 0.0)
assert tf.reduce_all(tape.gradient(output, one) == 0.0)

layers = [keras.layers.Dense(8), keras.layers.BatchNormalization(), keras.layers.Dense(1)]
discriminator = keras.Sequential([keras.Input((2,)), *layers])
real, fake = tf.random.normal((64, 2), mean=4.0), tf.random.normal((64, 2), mean=-4.0)
mixed = discriminator(tf.concat([real, fake], axis=0), training=True)[64:]
alone = discriminator(fake, training=True)  # as in the generator's step: the same fakes, other scores
assert tf.reduce_mean(tf.abs(mixed - alone)) > 0.1
```

```python
# corrected
import keras
import tensorflow as tf

normalise = keras.layers.BatchNormalization()
hidden = 5.0 + 3.0 * tf.random.normal((64, 8))
assert abs(tf.reduce_mean(normalise(hidden, training=True))) < 0.01
assert tf.reduce_all(normalise.moving_mean != 0.0)

layers = [keras.layers.Dense(8), keras.layers.LayerNormalization(), keras.layers.Dense(1)]
discriminator = keras.Sequential([keras.Input((2,)), *layers])
real, fake = tf.random.normal((64, 2), mean=4.0), tf.random.normal((64, 2), mean=-4.0)
mixed = discriminator(tf.concat([real, fake], axis=0), training=True)[64:]
alone = discriminator(fake, training=True)
assert tf.reduce_max(tf.abs(mixed - alone)) < 1e-4
```

## References

- Ioffe, Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*, 2015,
  arXiv 1502.03167, algorithms 1 and 2.
- Salimans et al., *Improved Techniques for Training GANs*, 2016, arXiv 1606.03498, section 3.5: outputs that depend on
  the other samples of the batch.
- Radford, Metz, Chintala, *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
  Networks*, 2015, arXiv 1511.06434, section 3.
- Gulrajani et al., *Improved Training of Wasserstein GANs*, 2017, arXiv 1704.00028, section 4: no batch normalisation
  in the critic.
- Keras API, *BatchNormalization*: `training`, `trainable`.
"""

from __future__ import annotations

import ast

from ganmedic.analysis.game import Game
from ganmedic.analysis.normalising import Normaliser, normalisers
from ganmedic.analysis.source import tree
from ganmedic.analysis.vitals import Player
from ganmedic.causes.measuring import constant_place, measured_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Place

SLUG = "batchnorm-misuse"
FAMILY = "dynamics"
TITLE = "Batch normalisation with the wrong statistics"

#: So many updates before statistics that never moved count as left out.
_UPDATES = 10


def find(record: Record) -> list[Finding]:
    """Layers of batch normalisation that work on one sample, on stale statistics, or on real and fake together."""
    game = Game.of(record)
    found: dict[tuple[str, str], Finding] = {}
    for player in (*game.makers, *game.judges):
        if player.series.seen < _UPDATES and not record.complete:
            continue
        for layer in normalisers(game, player):
            finding = _judge(game, player, layer)
            if finding is not None:
                found.setdefault((player.net.name, finding.summary[:20]), finding)
    return list(found.values())


def _judge(game: Game, player: Player, layer: Normaliser) -> Finding | None:
    if layer.trains_on_batch and layer.entries == 1:
        return _single(game, player, layer)
    if layer.trains_on_batch and layer.mixed:
        return _mixed(game, player, layer)
    stale = not layer.trains_on_batch and layer.untouched and layer.net is player.net and layer.learns
    return _stale(game, player, layer) if stale else None


def _single(game: Game, player: Player, layer: Normaliser) -> Finding:
    near = game.run.loss_place(player.call)
    place = _batch_size(game, near) or constant_place(game.run, near, 1.0) or layer.place
    return measured_finding(
        game.vitals,
        SLUG,
        player,
        f"{layer.name} in {layer.net.name} normalises a batch of a single sample: what is left of it is zero, whatever goes in.",
        place=place,
        evidence=("each statistic is taken over 1 entry; (x - mean(x)) is 0 for every x",),
        remedies=(
            Remedy("Use batches of several samples."),
            Remedy(
                "Normalise over the units of a sample instead.", "layers.LayerNormalization()", keeps_objective=False
            ),
        ),
        more=((layer.place, "network"),),
        confidence=0.95,
    )


def _mixed(game: Game, player: Player, layer: Normaliser) -> Finding:
    return measured_finding(
        game.vitals,
        SLUG,
        player,
        f"{layer.name} in {layer.net.name} normalises real and generated samples with the statistics of both together: the "
        "other samples in its batch give away what a sample is.",
        place=layer.place,
        evidence=(
            "the batch is put together of real and of generated samples",
            f"in the generator's step {layer.net.name} sees generated samples alone, under other statistics",
        ),
        remedies=(
            Remedy(
                "Normalise each sample by itself in the discriminator.",
                "layers.LayerNormalization()",
                keeps_objective=False,
            ),
            Remedy("Give real and generated samples to it in calls of their own."),
        ),
        confidence=0.85,
    )


def _stale(game: Game, player: Player, layer: Normaliser) -> Finding:
    return measured_finding(
        game.vitals,
        SLUG,
        player,
        f"{layer.name} in {layer.net.name} is trained in inference mode: it divides by moving statistics that nothing ever "
        "updated, so nothing is normalised.",
        place=layer.call_place or layer.place,
        evidence=(
            "under the tape the layer reads its moving mean and variance; they are still 0 and 1, as they were made",
            f"its scale and offset are trained all the same ({player.series.seen} updates)",
        ),
        remedies=(Remedy("Call the network with training=True under the tape, and with training=False for samples."),),
        more=((layer.place, "network"),),
        confidence=0.9,
    )


def _batch_size(game: Game, near: Place | None) -> Place | None:
    """The line on which a batch size of 1 is written."""
    root = tree(game.record, near.file) if near is not None else None
    for node in ast.walk(root) if root is not None else ():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value == 1:
            names = [one.id.lower() for one in node.targets if isinstance(one, ast.Name)]
            if any("batch" in name or name in ("bs", "n") for name in names):
                return Place(near.file, node.lineno, "") if near is not None else None
    return None
