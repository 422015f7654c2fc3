"""The cross-entropy is told that it gets probabilities and gets raw scores, or the other way round.

## What it means

A cross-entropy needs exactly one sigmoid between the score and itself. `keras.losses.BinaryCrossentropy` expects it
in front of the loss; with `from_logits=True`, and in `tf.nn.sigmoid_cross_entropy_with_logits`, it is in the loss.
The two mistakes look alike in the code and differ in what they do:

| discriminator ends in | loss | what happens |
|---|---|---|
| a sigmoid | from logits | two sigmoids: the loss stays between 0.31 and 1.31, its slope fades on both sides |
| nothing (a linear layer) | of probabilities | clipped to [1e-7, 1 - 1e-7]: slope 0 outside, like 1/p inside |

Neither raises an error. Keras repairs the first one where it can see it: the sigmoid of a Keras layer keeps its
logits with it, and a cross-entropy that follows at once uses them and warns

    `binary_crossentropy` received `from_logits=True`, but the `output` argument was produced by a Sigmoid ...

A `Flatten`, a `Reshape`, a cast, a slice or a `concat` in between hides the logits; then there is no repair and no
warning, and likewise with `tf.sigmoid` in an eager loop and with the losses of `tf.nn`.

## How it is recognised

By the profile of the loss over the score, from -50 to 50, taken by running the recorded step again in a sandbox. Two
sigmoids: the slope is zero on both far sides though the loss is a cross-entropy. Raw scores as probabilities: the
slope is exactly zero outside [0, 1] and goes like 1/p inside it. The operations that were passed tell which line to
change. What Keras repairs has a sound profile and is no finding.

## Why it hurts

With two sigmoids the discriminator can never be sure of itself. Its loss ends at 0.31 + 0.69 = 1.01 in place of 0,
which looks like an equilibrium, and the generator gets a fifth of its gradient at score 0 and 1e-9 of it at score
-20.

With clipped scores every score below 0 has no gradient, and a loss of 16.1 where the label is 1. A fresh
discriminator gives half of its scores below 0: those samples teach nothing, to either player. The mean loss goes in
steps of 16.1 divided by the batch size.

## Not to be confused with

- `discriminator-saturated`: one sigmoid, as it should be, and scores that have left its range.
- `output-loss-mismatch`: the last activation is of another kind (relu, tanh, softmax over one unit).
- `bad-targets`: labels outside [0, 1].
- `saturated-activation`: a sigmoid under a least-squares loss; there is no cross-entropy at all.
- A critic without a sigmoid under a Wasserstein, hinge or least-squares loss: right as it is.

## Remedy, and what it changes

Take the sigmoid out of the discriminator and compute every loss from raw scores:
`BinaryCrossentropy(from_logits=True)`, or `tf.nn.softplus(-score)` for real and `tf.nn.softplus(score)` for fake. The
objective is what was meant; only its computation changes. Where the probability itself is wanted, for a metric or a
picture, apply `tf.sigmoid` there.

Look at the other uses of the score as well: an accuracy with threshold 0.5 becomes one with threshold 0, and a
clipping or `log(D + eps)` by hand has to go.

## Example

```python
# faulty
import keras
import tensorflow as tf


def slopes(loss_of, scores):
    with tf.GradientTape() as tape:
        tape.watch(scores)
        loss = loss_of(scores)
    return tape.gradient(loss, scores)


scores = tf.constant([[-20.0], [-3.0], [0.5], [5.0]])
ones = tf.ones((4, 1))
from_logits = keras.losses.BinaryCrossentropy(from_logits=True, reduction="sum")
of_probabilities = keras.losses.BinaryCrossentropy(reduction="sum")

twice = slopes(lambda scores: from_logits(ones, tf.reshape(tf.sigmoid(scores), (4, 1))), scores)
assert abs(twice[0, 0]) < 1e-8
assert abs(twice[1, 0]) < 0.03  # -0.95 would be right

clipped = slopes(lambda scores: of_probabilities(ones, scores), scores)
assert clipped[0, 0] == clipped[1, 0] == clipped[3, 0] == 0.0
assert abs(clipped[2, 0] + 2.0) < 1e-5  # -1 / 0.5
```

```python
# corrected
import keras
import tensorflow as tf

scores = tf.constant([[-20.0], [-3.0], [0.5], [5.0]])
from_logits = keras.losses.BinaryCrossentropy(from_logits=True, reduction="sum")
with tf.GradientTape() as tape:
    tape.watch(scores)
    loss = from_logits(tf.ones((4, 1)), scores)
slope = tape.gradient(loss, scores)
assert slope[0, 0] < -0.99
assert tf.reduce_all(tf.abs(slope + tf.sigmoid(-scores)) < 1e-6)
```

## References

- Keras API, *BinaryCrossentropy*: `from_logits`.
- TensorFlow API, `tf.nn.sigmoid_cross_entropy_with_logits`: the stable formula.
- Goodfellow, Bengio, Courville, *Deep Learning*, 2016, https://www.deeplearningbook.org, section 6.2.2.2: why the
  logarithm of the loss has to undo the exponential of the sigmoid.
- Goodfellow et al., *Generative Adversarial Networks*, 2014, arXiv 1406.2661, equation 1.
"""

from __future__ import annotations

from ganmedic.analysis.source import call_named
from ganmedic.analysis.vitals import Player, Score, Vitals
from ganmedic.causes.measuring import (
    activation_place,
    first_of,
    loss_made,
    measured_finding,
    network_end,
    number,
    tail_kinds,
    term_place,
)
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Place

SLUG = "logits-mismatch"
FAMILY = "vanishing"
TITLE = "The loss takes logits for probabilities, or probabilities for logits"


#: Names under which a cross-entropy is made.
_LOSSES = (
    "BinaryCrossentropy",
    "binary_crossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
)


def find(record: Record) -> list[Finding]:
    """Scores that pass two sigmoids, or none, on their way through a cross-entropy."""
    vitals = Vitals.of(record)
    found = []
    for player in vitals.players:
        for score in player.scores:
            kinds = tail_kinds(vitals, score)
            if score.curve.clipped and _has_log(kinds) and not {"Sigmoid", "Softmax"} & set(kinds):
                found.append(_raw(vitals, player, score))
            elif score.curve.bounded and _twice(kinds):
                found.append(_squeezed(vitals, player, score))
    return found


def _has_log(kinds: list[str]) -> bool:
    return "Log" in kinds or "Log1p" in kinds


def _twice(kinds: list[str]) -> bool:
    """Whether a sigmoid is followed by what belongs to a cross-entropy from logits."""
    if "Sigmoid" not in kinds:
        return False
    after = kinds[kinds.index("Sigmoid") + 1 :]
    return "Softplus" in after or ("Exp" in after and "Log1p" in after) or ("Sigmoid" in after and "Log" in after)


def _raw(vitals: Vitals, player: Player, score: Score) -> Finding:
    made = loss_made(vitals.run, player, *_LOSSES)
    hand = first_of(vitals, score, "Log", "Log1p")
    # A loss that is only named ("binary_crossentropy") cannot be told about logits; the end of the network can be changed.
    own = (
        made is None
        or not _is_call(vitals, made)
        or (hand is not None and hand.stack and not _is_kerass(vitals, score))
    )
    end = network_end(vitals, player, score)
    place = (end if own else made) or made
    looks = player.measures_of(score.key)
    outside = f"scores lie between {number(looks[-1].low)} and {number(looks[-1].high)}" if looks else ""
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"The raw scores of {score.net.name if score.net else 'the discriminator'} go into a cross-entropy that expects "
        "probabilities: every score below 0 or above 1 is clipped and gives a gradient of exactly zero.",
        place=place,
        more=((end, "network"), (term_place(vitals, score), "loss")),
        evidence=tuple(
            text
            for text in (
                "the derivative of the loss is exactly 0 for scores below 0 and above 1, and not between (measured by "
                "setting the score from -50 to 50)",
                outside,
                "no sigmoid lies between the last layer and the logarithm",
            )
            if text
        ),
        remedies=(
            *(
                (Remedy("Turn the scores into probabilities where the network ends.", "tf.sigmoid(scores)"),)
                if own
                else ()
            ),
            Remedy("Tell the loss that it gets raw scores.", "keras.losses.BinaryCrossentropy(from_logits=True)"),
        ),
        net=score.net,
        confidence=0.95,
        mark=_LOSSES,
    )


def _is_call(vitals: Vitals, place: Place) -> bool:
    """Whether a loss of these names is called on a line, and not just named."""
    return call_named(vitals.record, place, *_LOSSES) is not None


def _is_kerass(vitals: Vitals, score: Score) -> bool:
    """Whether the clip to [1e-7, 1 - 1e-7] is there that Keras' own cross-entropy makes."""
    kinds = tail_kinds(vitals, score)
    return kinds[:2] == ["Minimum", "Maximum"] or "ClipByValue" in kinds[:2]


def _squeezed(vitals: Vitals, player: Player, score: Score) -> Finding:
    sigmoid = first_of(vitals, score, "Sigmoid")
    assert sigmoid is not None
    made = loss_made(vitals.run, player, *_LOSSES)
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"The scores of {score.net.name if score.net else 'the discriminator'} pass a sigmoid, and then a loss that applies "
        "one again: the gradient vanishes for scores on both sides.",
        place=activation_place(vitals.run, sigmoid),
        more=((made, "loss"), (term_place(vitals, score), "loss")),
        evidence=(
            f"a Sigmoid, then {'Softplus' if 'Softplus' in tail_kinds(vitals, score) else 'a cross-entropy from logits'}",
            f"with the score at -20 and at 20 the derivative of the loss is {number(score.curve.at(-20))} and "
            f"{number(score.curve.at(20))} of its largest; one sigmoid leaves 1 on the side that is wrong",
        ),
        remedies=(
            Remedy("Leave the sigmoid to the loss: no activation at the end of the network.", "keras.layers.Dense(1)"),
            Remedy(
                "Or tell the loss that it gets probabilities.", "keras.losses.BinaryCrossentropy(from_logits=False)"
            ),
        ),
        net=score.net,
        confidence=0.95,
        mark=("Dense", "Activation", "sigmoid"),
    )
