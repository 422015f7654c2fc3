"""The real samples reach the networks as raw numbers, of tens and thousands where the layers expect about one.

## What it means

Weights are initialised so that inputs of spread one give outputs of about spread one. Pixels of 0 to 255, prices,
counts and dates as seconds give outputs a hundred or a million times as large, through all layers up to the score.
The discriminator starts with scores in the hundreds, before it has learnt anything.

It is easy to miss, since nothing asks for a scaling:

- `keras.datasets` gives whole numbers of 0 to 255; `image_dataset_from_directory` gives floats of 0 to 255.
- `tf.image.convert_image_dtype` divides whole numbers by 255 and leaves floats as they are.
- A `Rescaling` layer was part of the classifier that the pipeline comes from, and is not part of this network.
- The scaled array has a new name, and the old one is used.

## How it is recognised

By the values of the real samples as they reach the discriminator: tens and thousands, not of order one. A first layer
that scales (`Rescaling`, `Normalization`, a division) lies before that point or does not; what counts is what comes
out of it.

## Why it hurts

The generator begins with values of order one, the real samples are a hundred times as large, and the two are told
apart by size alone. The gradients of the discriminator's weights grow with the scale of their inputs, those of its
biases do not, so no learning rate suits both. Sigmoids and tanhs sit at their ends at once, penalties on the slope of the
scores mean something else altogether, and float16 overflows at 65504.

## Not to be confused with

- `range-mismatch`: values of order one, and the generator's activation does not reach them.
- `bad-normalisation`: there is a scaling, and it does something else than was meant.
- `saturated-activation`, `learning-rate-too-high`: what raw data look like further on.
- `fp16-overflow`: the overflow itself.
- Whole numbers that go into an `Embedding`, a one-hot or a lookup: they are names, not quantities.

## Remedy, and what it changes

- Images: `x / 127.5 - 1` with a tanh at the generator's end, `x / 255` with a sigmoid.
- Tables: subtract the mean and divide by the standard deviation of each column (`keras.layers.Normalization`, adapted
  to the training data), with a linear end of the generator; a logarithm first where a column spans several powers of
  ten.
- Keep the numbers with the model, and scale samples back with them.

The loss stays as it is. The generator's task becomes a sample of order one, which is what it starts with. Learning
rates that were chosen for raw data have to be chosen again.

## Example

```python
# faulty
import keras
import numpy as np
import tensorflow as tf

pixels = np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1)).astype("float32")
layers = [keras.layers.Flatten(), keras.layers.Dense(64), keras.layers.LeakyReLU(), keras.layers.Dense(64)]
discriminator = keras.Sequential([keras.Input((28, 28, 1)), *layers, keras.layers.LeakyReLU(), keras.layers.Dense(1)])
with tf.GradientTape() as tape:
    scores = discriminator(pixels)
    loss = tf.reduce_mean(tf.square(scores - 1.0))
first = tape.gradient(loss, discriminator.trainable_variables)[0]
assert tf.reduce_mean(tf.abs(discriminator.layers[1](tf.reshape(pixels, (64, -1))))) > 20.0
assert tf.norm(first) > 1000.0
```

```python
# corrected
import keras
import numpy as np
import tensorflow as tf

pixels = np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1)).astype("float32")
real = pixels / 127.5 - 1.0
layers = [keras.layers.Flatten(), keras.layers.Dense(64), keras.layers.LeakyReLU(), keras.layers.Dense(64)]
discriminator = keras.Sequential([keras.Input((28, 28, 1)), *layers, keras.layers.LeakyReLU(), keras.layers.Dense(1)])
with tf.GradientTape() as tape:
    scores = discriminator(real)
    loss = tf.reduce_mean(tf.square(scores - 1.0))
first = tape.gradient(loss, discriminator.trainable_variables)[0]
assert tf.reduce_mean(tf.abs(discriminator.layers[1](tf.reshape(real, (64, -1))))) < 3.0
assert tf.norm(first) < 100.0
```

## References

- LeCun, Bottou, Orr, Mueller, *Efficient BackProp*, 1998, in *Neural Networks: Tricks of the Trade*, section 4.3:
  normalising the inputs.
- Glorot, Bengio, *Understanding the difficulty of training deep feedforward neural networks*, 2010,
  https://proceedings.mlr.press/v9/glorot10a.html, section 4.2: variance from layer to layer.
- Radford, Metz, Chintala, *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
  Networks*, 2015, arXiv 1511.06434, section 4.
- Keras API, *Rescaling*, *Normalization*.
"""

from __future__ import annotations

from ganmedic.analysis.data_lines import handover, is_arithmetic, is_cast, last_where
from ganmedic.analysis.reals import Reals
from ganmedic.causes.game_findings import data_finding
from ganmedic.causes.measuring import number
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "unnormalised-data"
FAMILY = "data"
TITLE = "Raw data reach the networks"

#: Values (mean and spread together) of this size are not of order one, for which initial weights and learning rates are made.
_RAW = 15.0


def find(record: Record) -> list[Finding]:
    """Real samples of raw scale."""
    reals = Reals.of(record)
    if not reals.known or reals.scale < _RAW or reals.one_column_off:
        return []
    place = last_where(reals.run, lambda node: is_cast(node) and not is_arithmetic(node)) or handover(reals.run)
    columns = len(reals.spreads)
    return [
        data_finding(
            reals,
            SLUG,
            f"The real samples come as they are, with values from {number(reals.low)} to {number(reals.high)}; networks, their "
            "initial weights and learning rates are made for values of order one.",
            place=place,
            evidence=(
                f"real samples at the discriminator: {number(reals.low)} to {number(reals.high)}, mean {number(reals.mean)}, "
                f"spread {number(reals.spread)}",
                *(
                    [f"spread of their {columns} columns: {number(min(reals.spreads))} to {number(max(reals.spreads))}"]
                    if columns > 1 and max(reals.spreads) > 10 * max(1e-12, min(reals.spreads))
                    else []
                ),
            ),
            remedies=(
                Remedy("Pictures: scale to the range of the generator's output.", "images = images / 127.5 - 1.0"),
                Remedy(
                    "Tables: zero mean and unit variance for each column.",
                    "rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)",
                ),
            ),
            confidence=0.93,
        )
    ]
