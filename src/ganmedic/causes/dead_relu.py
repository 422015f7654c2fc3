"""Most units of a rectifier are below zero for every sample, so that nothing passes them in either direction.

## What it means

A rectifier hands on what is above zero and makes the rest zero. Its derivative follows: 1 above, 0 below. A unit that
is below zero for every sample is dead: its output is 0, its incoming weights get the gradient 0, and so they stay as
they are. A layer in which nearly all units are dead closes the network behind it.

Units die when

- a step that was too large has pushed the bias, or all weights, far below zero (a high learning rate, an exploding
  gradient);
- the input is raw: pixels from 0 to 255 make the first updates 255 times as large;
- the bias starts far below zero, or the shift of a normalisation in front was trained to be there.

Half of the units below zero for one sample is what a rectifier does. Dead means: below zero for all samples, always.

## How it is recognised

At several steps of the run the recorded step is run again in a sandbox and the output of every operation is measured.
A rectifier is reported if 90 % or more of its units were above zero for no sample in any of these probes. A layer
that is sparse, with other units for each sample, does not count. Where the gradient behind the layer is exactly zero,
that confirms it.

## Why it hurts

Everything in front of the layer has no gradient, not a small one. Adam goes on moving those weights for a while by
its running means, then they stand still. In a discriminator the score becomes the same number for every sample (its
last bias), real and fake, and the generator is taught nothing. In a generator the output no longer depends on the
noise.

A dead layer does not come back by itself: the weights that would have to change are the ones without a gradient.

## Not to be confused with

- `saturated-activation`: a sigmoid or tanh in its flat part; its units still give a value and a trace of gradient.
- `depth-attenuation`: gradients shrink from layer to layer and none is zero.
- `learning-rate-too-high`: what often kills the units. If the weights jump, the rate is named first.
- `output-loss-mismatch`: a relu as the last operation of the discriminator, which cuts every negative score.

## Remedy, and what it changes

- `LeakyReLU(0.2)` in place of the rectifier: a fifth of the gradient passes below zero, so that a unit can return. It
  is the usual choice for discriminators, and does not change the loss. ELU, SiLU and softplus serve as well.
- Remove what killed the units: a lower learning rate, inputs scaled to [-1, 1], biases that start at 0, He
  initialisation.
- Units that are dead stay so, also under a smaller rate: begin again, or initialise that layer anew.

## Example

```python
# faulty
import keras
import tensorflow as tf

hidden = keras.layers.Dense(32, activation="relu")
discriminator = keras.Sequential([keras.Input((16,)), hidden, keras.layers.Dense(1)])
images = tf.random.uniform((64, 16), 0.0, 255.0)  # raw pixels
fakes = 0.5 * images
optimizer = keras.optimizers.SGD(0.5)

for _ in range(10):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.softplus(-discriminator(images)) + tf.nn.softplus(discriminator(fakes)))
    weights = discriminator.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))

with tf.GradientTape() as tape:
    tape.watch(images)
    scores = discriminator(images)
fires = tf.reduce_any(hidden(images) > 0.0, axis=0)
assert tf.reduce_mean(tf.cast(fires, tf.float32)) <= 0.1
assert tf.reduce_max(scores) == tf.reduce_min(scores)  # one score for all images
assert tf.reduce_all(tape.gradient(scores, images) == 0.0)
```

```python
# corrected
import keras
import tensorflow as tf

hidden = keras.layers.Dense(32)
layers = [hidden, keras.layers.LeakyReLU(0.2), keras.layers.Dense(1)]
discriminator = keras.Sequential([keras.Input((16,)), *layers])
images = tf.random.uniform((64, 16), 0.0, 255.0) / 127.5 - 1.0
fakes = 0.5 * images
optimizer = keras.optimizers.Adam(0.0002, beta_1=0.5)

for _ in range(10):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.softplus(-discriminator(images)) + tf.nn.softplus(discriminator(fakes)))
    weights = discriminator.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))

with tf.GradientTape() as tape:
    tape.watch(images)
    scores = discriminator(images)
fires = tf.reduce_any(hidden(images) > 0.0, axis=0)
assert tf.reduce_mean(tf.cast(fires, tf.float32)) > 0.9
assert tf.reduce_all(tf.norm(tape.gradient(scores, images), axis=1) > 0.0)
```

## References

- Maas, Hannun, Ng, *Rectifier Nonlinearities Improve Neural Network Acoustic Models*, 2013,
  https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf, section 2: leaky rectifiers.
- Lu, Shin, Su, Karniadakis, *Dying ReLU and Initialization: Theory and Numerical Examples*, 2019, arXiv 1903.06733.
- He, Zhang, Ren, Sun, *Delving Deep into Rectifiers*, 2015, arXiv 1502.01852, section 2.2: initialisation.
- Radford, Metz, Chintala, *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
  Networks*, 2015, arXiv 1511.06434, section 3: LeakyReLU in all layers of the discriminator.
"""

from __future__ import annotations

from ganmedic.analysis.vitals import Key, Look, Player, Vitals
from ganmedic.causes.building import operation_place
from ganmedic.causes.measuring import activation_place, measured_finding, weight_place
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Measure

SLUG = "dead-relu"
FAMILY = "vanishing"
TITLE = "Units of a rectifier never fire, so nothing behind them learns"


#: A layer of which this share of the units never fires is no use any more; a few dead ones are usual.
_DEAD = 0.9
_FEWEST = 4
#: What a layer ends in before its activation.
_LAYERS = frozenset(
    {"MatMul", "BiasAdd", "AddV2", "Conv2D", "Conv2DBackpropInput", "FusedBatchNormV3", "BatchMatMulV2", "Einsum"}
)


def find(record: Record) -> list[Finding]:
    """Rectifiers that stay shut."""
    vitals = Vitals.of(record)
    if not record.complete:
        return []
    found: list[Finding] = []
    for player in vitals.players:
        look = player.last
        for key in look.keys if look is not None else ():
            measures = player.measures_of(key)
            if (
                look is not None
                and measures
                and _dead(measures) >= _DEAD
                and _is_rectifier(vitals, measures[-1])
                and _is_own(vitals, player, look, measures[-1])
            ):
                found.append(_explain(vitals, player, key, measures))
    return found


def _dead(measures: list[Measure]) -> float:
    """The share of the units that fired in no look."""
    last = measures[-1]
    if last.units < _FEWEST or any(one.units != last.units for one in measures) or last.low < 0:
        return 0.0
    fired = 0
    for one in measures:
        fired |= int(one.fired or "0", 16)
    return 1.0 - bin(fired).count("1") / last.units


def _is_own(vitals: Vitals, player: Player, look: Look, measure: Measure) -> bool:
    """Whether a value belongs to the network that the player trains: the layer before it, or else after it, does."""
    layers = vitals.layers(look)
    before = [layer for layer in layers if layer.operation.id < measure.operation]
    after = [layer for layer in layers if layer.operation.id > measure.operation]
    nearest = before[-1] if before else after[0] if after else None
    return nearest is not None and nearest.net is player.net


def _is_rectifier(vitals: Vitals, measure: Measure) -> bool:
    """Whether an operation cuts off what a layer hands it: a rectifier, or a gate of another form right behind a layer."""
    if measure.kind in ("Relu", "Relu6"):
        return True
    made = (vitals.record.producers.get(value) for value in _inputs(vitals, measure))
    return any(one is not None and one[0].kind in _LAYERS for one in made)


def _inputs(vitals: Vitals, measure: Measure) -> tuple[int, ...]:
    """The value ids that went into what was measured."""
    operation = vitals.record.operations.get(measure.operation)
    return operation.inputs if operation is not None else ()


def _explain(vitals: Vitals, player: Player, key: Key, measures: list[Measure]) -> Finding:
    share, last = _dead(measures), measures[-1]
    operation = vitals.record.operations[last.operation]
    layers = [layer for layer in vitals.layers(player.looks[-1]) if layer.operation.id < last.operation]
    before = weight_place(vitals.run, layers[-1].variable) if layers else None
    from_the_start = _dead(measures[:1]) >= _DEAD
    inputs = [one for one in player.looks[0].measures if one.value in _inputs(vitals, measures[0])]
    plain = operation.kind in ("Relu", "Relu6", "Maximum")
    by_weights = (
        plain and from_the_start and before is not None and any(one.high <= 0 and one.low < 0 for one in inputs)
    )
    call = vitals.record.layer_calls.get(operation.layer_call or 0)
    where = f"layer {vitals.record.modules[call.module].name}" if call is not None else operation.kind
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"{round(share * last.units)} of the {last.units} units of a rectifier in {player.net.name} ({where}) never fire: no "
        "gradient passes them, so the weights that feed them cannot recover.",
        place=before if by_weights else activation_place(vitals.run, operation),
        more=(
            (activation_place(vitals.run, operation), "activation"),
            (operation_place(vitals.run, operation), "forward"),
            (before, "weights"),
        ),
        evidence=(
            f"looked at in {len(measures)} steps: {round(share * last.units)} of {last.units} units were above zero for no "
            "sample",
            "they are dead from the first step on: it is the initial weights, or what feeds them"
            if from_the_start
            else "they died in the course of training",
            f"{last.gradient_zeros:.0%} of the gradient at this place is zero"
            if last.gradient >= 0
            else "no gradient here",
        ),
        remedies=(
            Remedy(
                "Use a rectifier that lets a little through below zero.", "keras.layers.LeakyReLU(negative_slope=0.2)"
            ),
            Remedy(
                "Start from weights that are centred (no constant negative bias, no zeros before a rectifier)."
                if from_the_start
                else "Lower the learning rate: single large updates push units below zero for good."
            ),
        ),
        confidence=0.8 + 0.15 * (share > 0.99),
        severity="error" if share > 0.99 else "warning",
    )
