"""The critic's weights are clipped to a small box, and its gradient dies out on the way to the generator.

## What it means

The first Wasserstein GAN holds the critic's slope by clipping every weight to [-0.01, 0.01] after each update. This
bounds the slope, and far more than is wanted. A layer whose n inputs have weights of size 0.01 multiplies the
gradient by about 0.01 times the root of n, less what the activation takes: 0.08 for 64 inputs. Five such layers leave
a few millionths. With a box that is large enough for the gradient to pass, the same product grows instead.

There is no good figure in between for a deep critic: the bound acts on weights, the slope is a product over layers.
What is right for three layers is wrong for six. Normalisation in the critic keeps the gradient alive, which is why
the original recipe uses it, and hides the problem where it is present.

## How it is recognised

The program assigns clipped values to the critic's weights, and in the recorded step, run again in a sandbox, the
gradient shrinks from layer to layer through the critic: at its first layer less than 1 % is left of that at its last,
and each layer passes on less than 40 % on the mean, so that the generator gets almost nothing. Clipping alone is no finding: the published recipe, with a shallow or normalised critic, is left alone
as long as its gradient arrives.

## Why it hurts

The generator's steps are as small as the critic's slope. The critic's loss is a tiny number, 1e-6 or less, and hardly
changes: real and fake scores are nearly the same, whatever the samples are. Weights that all sit at +c or -c describe
a very simple function, so the critic sees no more than the means of the samples, even where the gradient does pass.

## Not to be confused with

- `clip-too-tight`: the gradients are clipped, not the weights.
- `depth-attenuation`: the same shrinking, from initialisation or activations, without any clip.
- `unbounded-critic`: a Wasserstein critic with no bound at all.
- `penalty-miscomputed`: the bound is a gradient penalty, and a wrong one.
- Keras constraints (`max_norm`, `unit_norm`) and spectral normalisation: they act on whole matrices, not on entries.

## Remedy, and what it changes

- A gradient penalty in place of the clip: weight 10, slope 1, on points between real and fake, and no batch
  normalisation in the critic. The optimizer goes with it: Adam with learning rate 1e-4 and betas (0, 0.9).
- Spectral normalisation of every layer: cheaper, no second derivative. The bound holds everywhere and not only
  between real and fake, so the critic is flatter; it is usually used with a hinge loss.
- To stay with the published recipe: few layers, normalisation, RMSprop with 5e-5 (not Adam), five critic steps for
  each generator step.

Each of them bounds the slope as the Wasserstein distance asks for; the clip does so only up to a constant that nobody
knows. The critic's loss becomes larger and readable: it then follows the distance.

## Example

```python
# faulty
import keras
import tensorflow as tf

layers = [keras.layers.Dense(64, "leaky_relu") for _ in range(5)]
critic = keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(1)])
for variable in critic.trainable_variables:
    variable.assign(tf.clip_by_value(variable, -0.01, 0.01))

kernels = tf.concat([tf.reshape(layer.kernel, (-1,)) for layer in critic.layers], axis=0)
assert tf.reduce_mean(tf.cast(tf.abs(kernels) >= 0.01, tf.float32)) > 0.8

fake = tf.random.normal((16, 64))
with tf.GradientTape() as tape:
    tape.watch(fake)
    scores = critic(fake)
slopes = tf.norm(tape.gradient(scores, fake), axis=1)
assert tf.reduce_max(slopes) < 1e-5
```

```python
# corrected
import keras
import tensorflow as tf

layers = [keras.layers.Dense(64, "leaky_relu") for _ in range(5)]
critic = keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(1)])
optimizer = keras.optimizers.Adam(0.002, beta_1=0.0, beta_2=0.9)
real, fake = tf.random.normal((16, 64)) + 1.0, tf.random.normal((16, 64)) - 1.0


def slopes_at(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        scores = critic(x)
    return tf.sqrt(tf.reduce_sum(tf.square(tape.gradient(scores, x)), axis=1) + 1e-12)


@tf.function(autograph=False)
def step():
    mixed = fake + tf.random.uniform((16, 1)) * (real - fake)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(critic(fake) - critic(real))
        loss += 10.0 * tf.reduce_mean(tf.square(slopes_at(mixed) - 1.0))
    return tape.gradient(loss, critic.trainable_variables)


for _ in range(20):
    optimizer.apply_gradients(zip(step(), critic.trainable_variables))
assert 0.3 < tf.reduce_mean(slopes_at(fake)) < 3.0
```

## References

- Arjovsky, Chintala, Bottou, *Wasserstein GAN*, 2017, arXiv 1701.07875, section 3 and algorithm 1 (clip 0.01, RMSprop
  5e-5, five critic steps); the authors call weight clipping a terrible way to bound the slope.
- Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, *Improved Training of Wasserstein GANs*, 2017, arXiv 1704.00028,
  section 3: capacity underuse, exploding and vanishing gradients; section 4: the penalty.
- Miyato, Kataoka, Koyama, Yoshida, *Spectral Normalization for Generative Adversarial Networks*, 2018, arXiv
  1802.05957, section 2.1.
"""

from __future__ import annotations

from ganmedic.analysis.constraints import weight_clip
from ganmedic.analysis.vitals import Layer, Player, Vitals
from ganmedic.causes.building import operation_place
from ganmedic.causes.measuring import constant_place, constraint_place, measured_finding, number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "weight-clipping"
FAMILY = "vanishing"
TITLE = "Clipping the critic's weights leaves next to nothing of its slope"


#: The gradient at the critic's first layer as a share of that at its last, in all and at each layer.
_IN_ALL, _A_LAYER = 1e-2, 0.4


def find(record: Record) -> list[Finding]:
    """Critics whose clipped weights pass no gradient on."""
    vitals = Vitals.of(record)
    if not record.complete:
        return []
    for player in vitals.role("generator"):
        for net in {score.net.name: score.net for score in player.scores if score.fake and score.net}.values():
            clip = weight_clip(vitals, net)
            layers = [layer for look in player.looks[-1:] for layer in vitals.layers(look) if layer.net is net]
            if clip is not None and _starves(layers):
                return [_explain(vitals, player, layers)]
    return []


def _starves(layers: list[Layer]) -> bool:
    if len(layers) < 2 or layers[-1].pull <= 0:
        return False
    share = max(layers[0].pull, 0.0) / layers[-1].pull
    return bool(share < _IN_ALL and share ** (1 / (len(layers) - 1)) < _A_LAYER)


def _explain(vitals: Vitals, player: Player, layers: list[Layer]) -> Finding:
    net = layers[0].net
    clip = weight_clip(vitals, net)
    assert clip is not None
    bound = _bound(vitals, player, net.variables)
    place = operation_place(vitals.run, clip)
    given = constraint_place(vitals.run, layers[0].variable)
    written = constant_place(vitals.run, given or place, bound)
    return measured_finding(
        vitals,
        SLUG,
        player,
        f"The weights of {net.name} are clipped so tight that its slope dies: of the gradient at its last layer "
        f"{number(layers[0].pull / layers[-1].pull)} arrives at its first, and {player.net.name} gets less still.",
        place=written or given or place,
        more=((given, "constraint"), (place, "clip")),
        evidence=(
            "gradient at the critic's layers, last to first: " + " -> ".join(number(one.pull) for one in layers[::-1]),
            f"the largest weights lie at {number(bound)}",
            f"spread of the scores: {number(layers[-1].measure.spread)}",
        ),
        remedies=(
            Remedy(
                "Replace weight clipping by a gradient penalty, which bounds the slope without shrinking every layer.",
                "penalty = 10.0 * tf.reduce_mean(tf.square(norms - 1.0))",
                keeps_objective=False,
            ),
            Remedy("Or clip more loosely: with this many layers the bounds multiply."),
        ),
        net=net,
        confidence=0.9,
    )


def _bound(vitals: Vitals, player: Player, variables: tuple[int, ...]) -> float:
    """The largest weight of the critic at the last look."""
    highs = [
        max(abs(row.low), abs(row.high))
        for look in vitals.looks_at_weights
        for row in look.measures
        if row.kind == "Variable" and row.value in variables and len(row.shape) > 1
    ]
    return max(highs[-len(variables) :], default=0.0)
