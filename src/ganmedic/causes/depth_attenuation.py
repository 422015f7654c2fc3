"""The gradient shrinks from layer to layer until the first layers of a deep network get nothing.

## What it means

On its way back the gradient is multiplied, at each layer, by that layer's weights and by the derivative of its
activation. If the product is below 1 at every layer, what arrives is that number to the power of the depth: a factor
of 5 in eight layers makes 400 000. No single layer is at fault; the stack is.

The usual reasons:

- Weights that start too small: a normal distribution with standard deviation 0.02 in layers that have few inputs and
  no normalisation. A dense layer of n inputs multiplies by about 0.02 times the root of n: 0.16 for 64 inputs.
- Sigmoids, whose derivative is at most 0.25.
- A plain stack of rectifiers with Glorot's variance: each loses a factor of 1.4, since half of the units are off.
- A long recurrence with a recurrent matrix of norm below 1: each time step counts as a layer.

## How it is recognised

In one backward pass of the recorded step, run again in a sandbox, the gradient is measured at the output of every
layer with weights. The finding needs a factor of 3 and more from layer to layer over three or more layers in a row,
1000 and more in all, and no single operation that explains it: dead units, a saturated activation or a clip on that
stretch are reported under their own names.

## Why it hurts

The last layers learn and the first ones do not: the network is as deep as the part that learns. In a GAN the
generator is the longer way, since its gradient comes through the whole discriminator. The discriminator's own loss
falls all the same, through its last layers. Adam hides the size of a small gradient, as long as it is well above its
epsilon of 1e-7, and what it then enlarges is noise.

## Not to be confused with

- `weight-clipping`: the same picture in a critic, and its reason is the clip.
- `saturated-activation` and `dead-relu`: the loss of gradient happens at one place.
- `clip-too-tight`: the gradients were sound until they were clipped.
- `fp16-underflow`: the values on the way are exactly zero, in float16.
- `discriminator-saturated`: the gradient is small already where it leaves the loss.
- Norms of the gradients of different variables: they depend on the shapes. Compare outputs of layers.

## Remedy, and what it changes

- He initialisation for rectifiers (`"he_normal"`), Glorot's for tanh, orthogonal for recurrent layers. Nothing else
  changes.
- Normalisation between the layers; in a discriminator under a gradient penalty, layer or group normalisation and not
  batch normalisation.
- Residual connections: the gradient has a way past each layer. With depth above ten or so this is the remedy that
  lasts.
- LeakyReLU or SiLU in place of sigmoids.

A larger learning rate is no remedy: what suits the first layers is far too much for the last ones.

## Example

```python
# faulty
import keras
import tensorflow as tf


def gradient_norms(layers):
    x = tf.random.normal((32, 64))
    outputs = []
    with tf.GradientTape() as tape:
        tape.watch(x)
        for layer in layers:
            x = layer(x)
            outputs.append(x)
        loss = tf.reduce_mean(tf.nn.softplus(-keras.layers.Dense(1)(x)))
    return [float(tf.norm(gradient)) for gradient in tape.gradient(loss, outputs)]


small = keras.initializers.RandomNormal(stddev=0.02)
norms = gradient_norms([keras.layers.Dense(64, "tanh", kernel_initializer=small) for _ in range(8)])
assert all(after / before > 3.0 for before, after in zip(norms, norms[1:]))
assert norms[-1] / norms[0] > 1000.0
```

```python
# corrected
import keras
import tensorflow as tf


def gradient_norms(layers):
    x = tf.random.normal((32, 64))
    outputs = []
    with tf.GradientTape() as tape:
        tape.watch(x)
        for layer in layers:
            x = layer(x)
            outputs.append(x)
        loss = tf.reduce_mean(tf.nn.softplus(-keras.layers.Dense(1)(x)))
    return [float(tf.norm(gradient)) for gradient in tape.gradient(loss, outputs)]


norms = gradient_norms([keras.layers.Dense(64, "tanh") for _ in range(8)])  # Glorot's initialisation
assert all(after / before < 3.0 for before, after in zip(norms, norms[1:]))
assert norms[-1] / norms[0] < 30.0
```

## References

- Glorot, Bengio, *Understanding the difficulty of training deep feedforward neural networks*, 2010,
  https://proceedings.mlr.press/v9/glorot10a.html, section 4.2.
- He, Zhang, Ren, Sun, *Delving Deep into Rectifiers*, 2015, arXiv 1502.01852, section 2.2.
- He, Zhang, Ren, Sun, *Deep Residual Learning for Image Recognition*, 2015, arXiv 1512.03385.
- Saxe, McClelland, Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep linear neural networks*,
  2013, arXiv 1312.6120: orthogonal initialisation.
- Pascanu, Mikolov, Bengio, *On the difficulty of training Recurrent Neural Networks*, 2012, arXiv 1211.5063, section
  2.
"""

from __future__ import annotations

import itertools
import math

from ganmedic.analysis.vitals import Layer, Look, Player, Vitals
from ganmedic.causes.measuring import measured_finding, number, steepest
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "depth-attenuation"
FAMILY = "vanishing"
TITLE = "The gradient shrinks from layer to layer until nothing is left"


#: In all, the gradient at the first layer is at most this share of that at the last ...
_IN_ALL = 1e-3
#: ... and on the way no layer passes on more than this, on the mean.
_A_LAYER = 0.35


def find(record: Record) -> list[Finding]:
    """Networks in whose depth the gradient fades."""
    vitals = Vitals.of(record)
    if not record.complete:
        return []
    found = []
    for player in vitals.players:
        looks = [look for look in player.looks[:1] + player.looks[-1:] if _fades(_own(vitals, player, look))]
        if looks and len(looks) == len(player.looks[:1] + player.looks[-1:]):
            found.append(_explain(vitals, player, looks[-1]))
    return found


def _own(vitals: Vitals, player: Player, look: Look) -> list[Layer]:
    """The layers of the network that is trained, each weight once, those with a gradient."""
    layers: dict[int, Layer] = {}
    for layer in vitals.layers(look):
        if layer.net is player.net and layer.pull > 0:
            layers[layer.variable] = layer
    return list(layers.values())


def _fades(layers: list[Layer]) -> bool:
    if len(layers) < 3:
        return False
    share = layers[0].pull / layers[-1].pull
    steps = [before.pull / after.pull for before, after in itertools.pairwise(layers)]
    steady = sum(step < 0.6 for step in steps) >= 0.75 * len(steps)
    return share < _IN_ALL and share ** (1 / (len(layers) - 1)) < _A_LAYER and steady


def _explain(vitals: Vitals, player: Player, look: Look) -> Finding:
    layers = _own(vitals, player, look)
    share = layers[0].pull / layers[-1].pull
    a_layer = math.exp(math.log(share) / (len(layers) - 1))
    trail = " -> ".join(number(layer.pull) for layer in layers[::-1])
    spreads = " -> ".join(number(layer.measure.spread) for layer in layers)
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"On its way through the {len(layers)} layers of {player.net.name} the gradient shrinks to {number(share)} of itself, "
        f"to {number(a_layer)} at each layer: the first layers learn next to nothing.",
        place=steepest(vitals.run, layers, growing=False),
        evidence=(
            f"gradient at the layers' outputs, last layer to first: {trail}",
            f"spread of their outputs, first to last: {spreads}",
        ),
        remedies=(
            Remedy(
                "Draw the weights so that the spread is kept from layer to layer.", 'kernel_initializer="he_normal"'
            ),
            Remedy("Or normalise between the layers, or let residual connections pass the gradient by them."),
        ),
        confidence=0.85,
        step=look.probe.step,
    )
