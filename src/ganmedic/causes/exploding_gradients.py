"""The gradient grows from layer to layer, or from time step to time step, until a step throws the weights away.

## What it means

On its way back the gradient is multiplied by every layer's weights, and in a recurrent network by the same matrix
once per time step. If that makes it larger each time, what arrives is the factor to the power of the depth: 5 in
thirty time steps is 1e21, and float32 ends at 3e38. The loss may be moderate all the while, since activations are
bounded and gradients are not.

The usual reasons:

- weights that start too large: a normal distribution with standard deviation 1, which for n inputs multiplies by the
  root of n;
- a recurrent layer with a relu or linear activation, or with a recurrent matrix that is not orthogonal;
- a deep plain stack, or residual blocks whose branches add up at full size without normalisation;
- a division by something small on the way (a standard deviation, a norm, a temperature);
- a critic whose weights grow over the run, so that the factor of each layer grows with them.

## How it is recognised

In one backward pass of the recorded step, run again in a sandbox, the gradient is measured at the output of each
layer, and at each time step of a recurrence. The finding needs a factor of 1000 and more from the
last layer to the first, and more than 1.5 at each on the mean (less in a row of more than twelve: a recurrence of a
hundred steps explodes at 1.07 a step). And nothing clips: neither the program nor the optimizer. A step that overflows
though no layer stands out and no learning rate explains it is told as this cause as well, with the operation that
overflowed.

## Why it hurts

The step is as long as the gradient: with SGD one batch can undo the whole training. Adam bounds the step, not the
damage: the running mean of the squares remembers the large gradient for a thousand steps and makes all others tiny.
Sums of squares overflow first, so that a norm, a clip by the norm or a penalty gives inf, then NaN, while the entries
are still finite.

## Not to be confused with

- `learning-rate-too-high`: gradients are of a normal size, and the steps are too large.
- `unbounded-critic`: the loss has no floor; weights grow evenly from step to step.
- `penalty-miscomputed`: the bound that should hold the growth is not one.
- `log-of-zero`, `norm-at-zero`: a single operation makes the infinity, without growth before it.
- `fp16-overflow`: ordinary numbers that are too large for float16.
- `depth-attenuation`: the same product, below 1.
- Single large batches with the logarithmic generator loss: heavy tails are in its nature, and a clip is enough.

## Remedy, and what it changes

- Clip the global norm: `global_clipnorm=1.0` in the optimizer, or `tf.clip_by_global_norm`. The direction is kept. It
  does not help against a gradient that is inf or NaN already: then every gradient becomes NaN, and the step has to be
  left out.
- Take away the growth: He or Glorot initialisation, an orthogonal recurrent matrix (the default of Keras), tanh in
  recurrent layers, LSTM or GRU, shorter sequences; normalisation; residual branches that start at zero.
- Bound the critic's layers: spectral normalisation. This changes the objective.

Clipping and initialisation leave the objective as it is. A clip over a growth of 1e21 gives steps of a sensible
length that know only the first time steps, so take away the growth first.

## Example

```python
# faulty
import keras
import tensorflow as tf

wide = keras.initializers.RandomNormal(stddev=1.0)
recurrent = keras.layers.SimpleRNN(32, activation="linear", recurrent_initializer=wide)
critic = keras.Sequential([keras.Input((30, 4)), recurrent, keras.layers.Dense(1)])
notes = tf.random.normal((8, 30, 4))

with tf.GradientTape() as tape:
    tape.watch(notes)
    score = tf.reduce_mean(critic(notes))
norms = tf.norm(tape.gradient(score, notes), axis=(0, 2))  # one for each time step
assert norms[0] > 1e12 * norms[-1]
```

```python
# corrected
import keras
import tensorflow as tf

critic = keras.Sequential([keras.Input((30, 4)), keras.layers.SimpleRNN(32), keras.layers.Dense(1)])
optimizer = keras.optimizers.SGD(0.01, global_clipnorm=1.0)
notes = tf.random.normal((8, 30, 4))

with tf.GradientTape(persistent=True) as tape:
    tape.watch(notes)
    score = tf.reduce_mean(critic(notes))
norms = tf.norm(tape.gradient(score, notes), axis=(0, 2))
assert norms[0] < 1000.0 * norms[-1]

before = [tf.identity(w.value) for w in critic.trainable_variables]
huge = [1e12 * g for g in tape.gradient(score, critic.trainable_variables)]
optimizer.apply_gradients(zip(huge, critic.trainable_variables))
moved = tf.linalg.global_norm([w.value - old for w, old in zip(critic.trainable_variables, before)])
assert abs(moved - 0.01) < 1e-4  # learning rate times bound, whatever the gradient
```

## References

- Pascanu, Mikolov, Bengio, *On the difficulty of training Recurrent Neural Networks*, 2012, arXiv 1211.5063, section
  2 and algorithm 1.
- Glorot, Bengio, *Understanding the difficulty of training deep feedforward neural networks*, 2010,
  https://proceedings.mlr.press/v9/glorot10a.html, section 4.2.
- Arjovsky, Bottou, *Towards Principled Methods for Training Generative Adversarial Networks*, 2017, arXiv 1701.04862,
  section 2.2.2: heavy tails of the generator's gradient.
- Zhang, He, Sra, Jadbabaie, *Why Gradient Clipping Accelerates Training: A Theoretical Justification for Adaptivity*,
  2019, arXiv 1905.11881.
- TensorFlow API, `tf.clip_by_global_norm`: what it does with infinite norms.
"""

from __future__ import annotations

from ganmedic.analysis.births import Birth, births
from ganmedic.analysis.vitals import Layer, Look, Player, Vitals
from ganmedic.causes.births import birth_finding
from ganmedic.causes.learning_rate_too_high import find as find_rate
from ganmedic.causes.measuring import measured_finding, number, steepest
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "exploding-gradients"
FAMILY = "exploding"
TITLE = "The gradient grows through depth or time"


#: In all, the gradient at the first layer is so many times that at the last, and each layer multiplies it by more than this.
_IN_ALL, _A_LAYER = 1e3, 1.5
#: A weight that is used so often in one pass belongs to a recurrence.
_FEWEST_STEPS = 6


def find(record: Record) -> list[Finding]:
    """Networks in whose depth or length the gradient grows."""
    vitals = Vitals.of(record)
    if not record.complete:
        return []
    if any(birth.is_explained for birth in births(record)[:1]):
        return []
    found = []
    for player in vitals.players:
        for look in player.looks[:1] + player.looks[-1:]:
            layers = _own(vitals, player, look)
            if _grows(layers) and not (player.applied is not None or (player.optimizer and player.optimizer.clip)):
                found.append(_explain(vitals, player, look, layers))
                break
    grown = births(record)[:1]
    return found or ([_overflowed(record, grown[0])] if grown and not find_rate(record) else [])


def _overflowed(record: Record, birth: Birth) -> Finding:
    """Values that grew beyond what their type holds, in no layer that stands out."""
    return birth_finding(
        record,
        SLUG,
        birth,
        f"At step {birth.origin.step} {birth.name} makes the first value that is not finite, out of values up to "
        f"{number(birth.largest)}: they have grown beyond what {birth.origin.dtype} holds; from there {birth.spread}.",
        remedies=(
            Remedy("Clip the gradients by their global norm.", "gradients, _ = tf.clip_by_global_norm(gradients, 1.0)"),
            Remedy("Bound what goes into this operation, or lower the learning rate."),
        ),
    )


def _own(vitals: Vitals, player: Player, look: Look) -> list[Layer]:
    """The layers of the network that is trained; of a recurrence every time step, of one weight the longest row."""
    layers = [layer for layer in vitals.layers(look) if layer.net is player.net and layer.pull > 0]
    rows: dict[int, list[Layer]] = {}
    for layer in layers:
        rows.setdefault(layer.variable, []).append(layer)
    length = max(map(len, rows.values()), default=0)
    if length < _FEWEST_STEPS:
        return [row[-1] for row in rows.values()]
    longest = [row for row in rows.values() if len(row) == length]
    return next((row for row in longest if _feeds_itself(vitals, row[-1])), longest[0])


def _feeds_itself(vitals: Vitals, layer: Layer) -> bool:
    """Whether what a weight is multiplied with depends on that weight: the state of a recurrence."""
    reach = vitals.run.flow.behind_values(layer.operation.inputs[:1], None, layer.operation.id)
    return layer.variable in reach.by_value


def _grows(layers: list[Layer]) -> bool:
    if len(layers) < 3:
        return False
    times = layers[0].pull / layers[-1].pull
    return bool(times > _IN_ALL and times ** (1 / (len(layers) - 1)) > min(_A_LAYER, 1 + 6 / len(layers)))


def _explain(vitals: Vitals, player: Player, look: Look, layers: list[Layer]) -> Finding:
    times = layers[0].pull / layers[-1].pull
    a_layer = times ** (1 / (len(layers) - 1))
    again = layers[0].variable == layers[-1].variable
    what = "time steps" if again else "layers"
    shown = layers if len(layers) <= 12 else [*layers[:5], *layers[-5:]]
    norms = player.norms()
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"On its way back through the {len(layers)} {what} of {player.net.name} the gradient grows {number(times)} times, "
        f"{number(a_layer)} times at each.",
        place=steepest(vitals.run, layers, growing=True),
        evidence=(
            f"gradient at the {what}, last to first: " + " -> ".join(number(one.pull) for one in shown[::-1]),
            f"norm of the gradient: {number(float(norms[0]))} at first, at most {number(float(norms.max()))}; nothing clips it",
        ),
        remedies=(
            Remedy(
                "Draw the weights so that the gradient keeps its size (for a recurrence: orthogonal).",
                'kernel_initializer="orthogonal"' if again else 'kernel_initializer="glorot_uniform"',
            ),
            Remedy("And clip by the global norm.", "gradients, _ = tf.clip_by_global_norm(gradients, 1.0)"),
        ),
        confidence=0.85,
        step=look.probe.step,
    )
