"""The discriminator ends in an activation that does not fit the loss, so that some or all scores have no gradient.

## What it means

Every GAN loss is written for scores of one kind. Cross-entropy takes logits, or probabilities in (0, 1). Hinge, least
squares and Wasserstein take raw scores that may be any number. The last activation of the discriminator decides what
they get, and nothing checks it:

| the discriminator ends in | under | what is left |
|---|---|---|
| softmax over one unit | anything | the score is always 1; the gradient is zero everywhere |
| relu | anything | negative scores become 0 and have no gradient |
| sigmoid or tanh | Wasserstein | a bounded score: the slope fades at both ends |
| sigmoid | hinge | real scores never reach 1, fake ones never -1: the discriminator is pushed outwards for ever |
| tanh | cross-entropy of probabilities | half of the outputs are negative, clipped to 1e-7, without gradient |

They come from habit (a classifier ends in softmax, an image network in relu or tanh) and from exchanging the loss of
a working script for another without looking at the last layer.

## How it is recognised

By the profile of the loss over the score, from -50 to 50, taken by running the recorded step again in a sandbox,
together with the operations between the score and the loss. Softmax over one unit: the profile is zero everywhere. A
relu at the end: zero on one side. A sigmoid or tanh under a hinge or Wasserstein loss: the profile fades on both
sides where that loss is straight. A tanh read as probabilities: zero on the negative side.

## Why it hurts

With softmax over one unit no weight of either player moves, while the losses under cross-entropy are 15.9 and 0 from
the first step to the last. With a relu, training may go well for a while; once the fake scores are negative, the
generator gets nothing at all and nothing brings it back. A bounded critic under a Wasserstein loss runs to its two
ends and stays there. The hinge with a sigmoid never reaches its margin, and the part of the hinge that would leave
good samples alone never acts.

## Not to be confused with

- `logits-mismatch`: the sigmoid is missing or doubled under a cross-entropy.
- `saturated-activation`: a sigmoid under a least-squares loss, or one in the middle of a network.
- `dead-relu`: a rectifier inside the network, whose units never fire.
- `discriminator-saturated`: activation and loss fit, and the discriminator has won.
- `unbounded-critic`: the last layer is right for Wasserstein, and nothing bounds the slope.
- Softmax over several classes (conditional and semi-supervised GANs): right, with the matching loss.

## Remedy, and what it changes

End every discriminator in `Dense(1)` or a convolution without an activation, and let the loss do the rest:

- cross-entropy: `from_logits=True`, or `softplus`;
- hinge: `relu(1 - real)` and `relu(1 + fake)` for the discriminator, `-fake` for the generator, without a relu there;
- least squares and Wasserstein: the score as it is; for Wasserstein with a penalty or spectral normalisation.

The objective becomes the one that the loss's name promises. Scores then have no fixed range: an accuracy is counted
at 0 (at 0.5 for least squares with labels 0 and 1), and a probability for display is `tf.sigmoid(score)`.

## Example

```python
# faulty
import keras
import tensorflow as tf


def slopes(activation, loss_of):
    scores = tf.constant([[-6.0], [-0.5], [6.0]])
    with tf.GradientTape() as tape:
        tape.watch(scores)
        loss = tf.reduce_sum(loss_of(activation(scores)))
    return tf.abs(tape.gradient(loss, scores))[:, 0]


cross_entropy = keras.losses.BinaryCrossentropy(reduction="sum")
assert tf.reduce_all(slopes(tf.nn.softmax, lambda d: cross_entropy(tf.ones((3, 1)), d)) == 0.0)
assert slopes(tf.nn.relu, lambda d: -d)[0] == 0.0
assert slopes(tf.nn.tanh, lambda d: cross_entropy(tf.ones((3, 1)), d))[1] == 0.0
bounded = slopes(tf.sigmoid, lambda d: -d)
assert bounded[0] < 0.01
assert bounded[2] < 0.01
```

```python
# corrected
import keras
import tensorflow as tf


def slopes(loss_of):
    scores = tf.constant([[-6.0], [-0.5], [6.0]])
    with tf.GradientTape() as tape:
        tape.watch(scores)
        loss = tf.reduce_sum(loss_of(scores))
    return tf.abs(tape.gradient(loss, scores))[:, 0]


cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True, reduction="sum")
assert tf.reduce_all(slopes(lambda score: cross_entropy(tf.ones((3, 1)), score))[:2] > 0.5)
assert tf.reduce_all(slopes(lambda score: -score) == 1.0)  # hinge and Wasserstein, the generator
hinge = slopes(lambda score: tf.nn.relu(1.0 + score))  # the discriminator, on fakes
assert hinge.numpy().tolist() == [0.0, 1.0, 1.0]
```

## References

- Goodfellow et al., *Generative Adversarial Networks*, 2014, arXiv 1406.2661, equation 1.
- Mao et al., *Least Squares Generative Adversarial Networks*, 2016, arXiv 1611.04076, section 3.
- Arjovsky, Chintala, Bottou, *Wasserstein GAN*, 2017, arXiv 1701.07875, algorithm 1.
- Lim, Ye, *Geometric GAN*, 2017, arXiv 1705.02894: the hinge loss.
- Keras API, *BinaryCrossentropy*: `from_logits`.
"""

from __future__ import annotations

from ganmedic.analysis.vitals import Player, Score, Vitals
from ganmedic.causes.measuring import activation_place, first_of, measured_finding, number, tail_kinds
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Operation

SLUG = "output-loss-mismatch"
FAMILY = "vanishing"
TITLE = "The discriminator's output does not fit the loss"


_SQUARES = frozenset({"Square", "SquaredDifference", "Pow"})
_LOGARITHMS = frozenset({"Log", "Log1p", "Softplus"})


def find(record: Record) -> list[Finding]:
    """Forms of a score that the loss cannot work with."""
    vitals = Vitals.of(record)
    found = []
    for player in vitals.players:
        for score in player.scores:
            told = _misfit(vitals, score) if score.judges else None
            if told is not None:
                found.append(_explain(vitals, player, score, *told))
    return found


def _misfit(vitals: Vitals, score: Score) -> tuple[Operation, str, str] | None:
    """The operation that spoils the score, what it does, and what to write instead."""
    tail = vitals.tail(score)
    kinds = set(tail_kinds(vitals, score))
    curve = score.curve
    softmax = first_of(vitals, score, "Softmax", "LogSoftmax")
    if softmax is not None and curve.silent and softmax.shapes and (softmax.shapes[0] or (None,))[-1] == 1:
        return softmax, "a softmax over a single unit is 1 whatever the unit says", "keras.layers.Dense(1)"
    if tail and tail[0].kind in ("Relu", "Relu6") and curve.dead_below_zero:
        return tail[0], "a rectifier at the end makes every score below zero the same", "keras.layers.Dense(1)"
    tanh = first_of(vitals, score, "Tanh")
    if tanh is not None and kinds & _LOGARITHMS and (curve.dead_below_zero or not curve.loss_is_finite):
        return tanh, "a tanh is read as a probability, though half of its range is negative", "keras.layers.Dense(1)"
    squeezed = first_of(vitals, score, "Sigmoid", "Tanh")
    if squeezed is not None and curve.bounded and not kinds & (_LOGARITHMS | _SQUARES):
        return (
            squeezed,
            f"a {squeezed.kind.lower()} bounds the score, and this loss asks for raw ones",
            "keras.layers.Dense(1)",
        )
    return None


def _explain(vitals: Vitals, player: Player, score: Score, operation: Operation, what: str, instead: str) -> Finding:
    curve = score.curve
    name = score.net.name if score.net else "the discriminator"
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"The output of {name} does not fit the loss: {what}.",
        place=activation_place(vitals.run, operation),
        evidence=(
            "the derivative of the loss is zero for every score"
            if curve.silent
            else f"of its largest, the derivative of the loss is {number(curve.at(-20))} with the score at -20, "
            f"{number(curve.at(-0.5))} at -0.5, {number(curve.at(0.5))} at 0.5 and {number(curve.at(20))} at 20",
        ),
        remedies=(Remedy("Let the discriminator end in one linear unit, as this loss expects.", instead),),
        net=score.net,
        confidence=0.9,
        mark=("Dense", "Activation"),
    )
