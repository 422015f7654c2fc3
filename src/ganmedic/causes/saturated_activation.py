"""A sigmoid or tanh works in its flat part, where a change of its input changes nothing behind it.

## What it means

A sigmoid or tanh has one steep region around zero. Outside of it the output is a constant and the derivative next to
nothing: a tanh is below 1 % of its steepest derivative from 3.0 on, a sigmoid from 6.0 on, and in float32 a tanh is
exactly flat from about 9 on. If most inputs lie there, the network in front of the activation gets no gradient.

This is met in three places:

- Hidden layers: weights that start too large, raw inputs (0 to 255), no normalisation, a learning rate that threw the
  weights out.
- The generator's last tanh: images of nothing but black and white, all at -1 and 1. Often the data's fault: pixels
  that are -1 and 1 only, or data that go beyond [-1, 1] and pull the output to its end.
- The discriminator's last sigmoid under a least-squares loss, `(D(x) - 1)**2`. That loss is meant for raw scores;
  with a sigmoid its derivative `2 (p - 1) p (1 - p)` is flat at both ends, so a fake that is recognised for certain
  teaches nothing.

## How it is recognised

The recorded step is run again in a sandbox at several points of the run. A sigmoid or tanh is reported if 90 % of its
entries sit where the derivative is under 1 % of the steepest one. Independently of that, the profile of a
least-squares loss over the score, from -50 to 50, is looked at: with a bounded activation at the discriminator's end
it is flat at both ends.

## Why it hurts

Each such layer multiplies the gradient by less than 0.01, and two of them by less than 0.0001. Nothing is zero or
None, so nothing is reported by TensorFlow; the weights in front just barely move. The generator that ends in black
and white cannot leave it: the discriminator sees that the greys are missing, and its gradient is stopped at the tanh.

## Not to be confused with

- `discriminator-saturated`: one sigmoid, before a cross-entropy, and a discriminator that is far ahead.
- `logits-mismatch`: the sigmoid is passed twice.
- `output-loss-mismatch`: a sigmoid or tanh under a hinge or Wasserstein loss.
- `range-mismatch`: the data do not lie in the range of the last activation; that may be why it sits at its end.
- `dead-relu`: a rectifier; the gradient is exactly zero.
- A gate (LSTM, GRU, attention, a mask) that is open or shut for most entries: a gate is made for that.

## Remedy, and what it changes

- Hidden layers: scale the inputs to [-1, 1], start with Glorot's variance (the default of Keras), normalise in front
  of the activation, or use LeakyReLU. The loss stays as it is.
- Generator: bring the data into the range of the tanh and leave the ends free, or end in a linear layer. A small
  weight decay on the last layer, or a lower learning rate, keeps it from running outwards.
- Least squares: take the sigmoid off. The objective becomes the published one; scores may then leave [0, 1].

## Example

```python
# faulty
import keras
import tensorflow as tf

large = keras.initializers.RandomNormal(stddev=10.0)
generator = keras.Sequential([keras.Input((64,)), keras.layers.Dense(16, "tanh", kernel_initializer=large)])
images = generator(tf.random.normal((32, 64)))
flat = tf.reduce_mean(tf.cast(1.0 - tf.square(images) < 0.01, tf.float32))  # 1 - y**2: derivative of tanh
assert flat > 0.9

scores = tf.constant([-20.0, 20.0])
with tf.GradientTape() as tape:
    tape.watch(scores)
    loss = tf.reduce_sum(tf.square(tf.sigmoid(scores) - 1.0))
assert tf.reduce_all(tf.abs(tape.gradient(loss, scores)) < 1e-7)  # least squares on a sigmoid
```

```python
# corrected
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((64,)), keras.layers.Dense(16, "tanh")])  # Glorot's initialisation
images = generator(tf.random.normal((32, 64)))
flat = tf.reduce_mean(tf.cast(1.0 - tf.square(images) < 0.01, tf.float32))
assert flat < 0.1

scores = tf.constant([-20.0, 20.0])
with tf.GradientTape() as tape:
    tape.watch(scores)
    loss = tf.reduce_sum(tf.square(scores - 1.0))
assert tf.reduce_all(tf.abs(tape.gradient(loss, scores)) > 1.0)
```

## References

- Glorot, Bengio, *Understanding the difficulty of training deep feedforward neural networks*, 2010,
  https://proceedings.mlr.press/v9/glorot10a.html, section 3 (saturation) and equation 16 (initialisation).
- Mao et al., *Least Squares Generative Adversarial Networks*, 2016, arXiv 1611.04076, section 3.
- Radford, Metz, Chintala, *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
  Networks*, 2015, arXiv 1511.06434, section 4: images scaled to the range of tanh.
"""

from __future__ import annotations

from ganmedic.analysis.vitals import Look, Player, Score, Vitals
from ganmedic.causes.dead_relu import _is_own
from ganmedic.causes.measuring import activation_place, first_of, measured_finding, number, tail_kinds, weight_place
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Measure

SLUG = "saturated-activation"
FAMILY = "vanishing"
TITLE = "A sigmoid or tanh sits in its flat part"


#: So many of the entries have to lie where the derivative is below 1 % of the steepest one.
_FLAT = 0.9
#: With less than this of its derivative left on the mean, an activation passes nothing, whatever it shows.
_GONE = 1e-4
_SQUARES = frozenset({"Square", "SquaredDifference", "Pow"})
_LOGARITHMS = frozenset({"Log", "Log1p", "Softplus"})


def find(record: Record) -> list[Finding]:
    """Bounded activations that are driven into their ends."""
    vitals = Vitals.of(record)
    # What training does to an activation is told at the end; what its place under the loss does, at once.
    return [*_scores(vitals), *(_inside(vitals) if record.complete else ())]


def _scores(vitals: Vitals) -> list[Finding]:
    """A bounded activation at the end of the discriminator, under a loss of squares."""
    found = []
    for player in vitals.players:
        for score in player.scores:
            kinds = set(tail_kinds(vitals, score))
            squeezed = first_of(vitals, score, "Sigmoid", "Tanh")
            if (
                score.judges
                and squeezed is not None
                and score.curve.bounded
                and kinds & _SQUARES
                and not kinds & _LOGARITHMS
            ):
                found.append(_squeezed_score(vitals, player, score))
    return found


def _squeezed_score(vitals: Vitals, player: Player, score: Score) -> Finding:
    operation = first_of(vitals, score, "Sigmoid", "Tanh")
    assert operation is not None
    looks = player.measures_of(score.key)
    name = score.net.name if score.net else "the discriminator"
    kind = operation.kind.lower()
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"The score of {name} passes a {kind} before a least-squares loss, which therefore goes flat on both sides: the very "
        "vanishing that least squares are to cure.",
        place=activation_place(vitals.run, operation),
        evidence=(
            f"with the score at -20 and at 20 the derivative of the loss is {number(score.curve.at(-20))} and "
            f"{number(score.curve.at(20))} of its largest",
            *((f"scores before the {kind}: mean {number(looks[-1].mean)} at the last look",) if looks else ()),
        ),
        remedies=(Remedy("Let the discriminator end in raw scores.", "keras.layers.Dense(1)"),),
        net=score.net,
        confidence=0.9,
        mark=("Dense", "Activation"),
    )


def _inside(vitals: Vitals) -> list[Finding]:
    """Activations inside a network, and at the end of a generator."""
    found = []
    for player in vitals.players:
        for look in player.looks[:1] + player.looks[-1:]:
            tails = {one.id for score in player.scores for one in vitals.tail(score)}
            flat = [
                measure
                for measure in look.measures
                if measure.flat >= _FLAT
                and measure.operation not in tails
                and len(measure.shape) > 1
                and _is_own(vitals, player, look, measure)
                and not _is_meant(vitals, player, look, measure)
            ]
            if flat:
                found.append(_explain(vitals, player, look, flat[0]))
                break
    return found


def _is_meant(vitals: Vitals, player: Player, look: Look, measure: Measure) -> bool:
    """Whether a network may well end flat: black and white samples that differ from one another, once it has learnt."""
    layers = [layer for layer in vitals.layers(look) if layer.net is player.net]
    last = not any(layer.operation.id > measure.operation for layer in layers)
    alive = measure.slope > _GONE
    return alive and last and look.probe.step > 0 and measure.across > 0.05 and measure.low < 0.5 < measure.high


def _explain(vitals: Vitals, player: Player, look: Look, measure: Measure) -> Finding:
    operation = vitals.record.operations[measure.operation]
    layers = [layer for layer in vitals.layers(look) if layer.operation.id < measure.operation]
    before = weight_place(vitals.run, layers[-1].variable) if layers else None
    inputs = [one for one in look.measures if one.value in operation.inputs]
    spread = (
        f", and what goes in spreads by {number(inputs[0].spread)} around {number(inputs[0].mean)}" if inputs else ""
    )
    at_start = look.probe.step == player.looks[0].probe.step
    place = activation_place(vitals.run, operation)
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"{measure.flat:.0%} of the outputs of a {operation.kind.lower()} in {player.net.name} lie in its flat part, where "
        "less than 1 % of a gradient passes.",
        place=before if at_start and before is not None and before != place else place,
        more=((place, "activation"),),
        evidence=(
            f"step {look.probe.step}: {measure.flat:.0%} of the entries flat, the mean derivative is "
            f"{number(measure.slope)} of the steepest{spread}",
            "it is so from the first step on: the weights before it are too large"
            if at_start
            else "training drove it there",
        ),
        remedies=(
            Remedy("Draw the weights before it smaller.", 'kernel_initializer="glorot_uniform"')
            if at_start
            else Remedy("Normalise what goes in (BatchNormalization, LayerNormalization), or lower the learning rate."),
        ),
        confidence=0.85,
        severity="error" if measure.flat > 0.98 else "warning",
    )
