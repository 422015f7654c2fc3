"""An operation under a gradient penalty can be differentiated once, but not twice.

## What it means

A gradient penalty (WGAN-GP, R1, R2, DRAGAN) puts a gradient into the loss, and training differentiates that gradient
again. So the backward operation of every layer of the critic needs a gradient of its own. Most have one. Some do not,
and the critic that trained well without a penalty fails with it:

    LookupError: gradient registry has no entry for: ResizeNearestNeighborGrad

The name in the message is the backward operation, not the layer. The ones to be met in a critic:

| in the critic | in the message |
|---|---|
| `tf.image.resize` and `keras.layers.Resizing`, `nearest` | `ResizeNearestNeighborGrad` |
| the same and `UpSampling2D`, `bicubic` | `ResizeBicubicGrad` |
| the same, `lanczos3`, `lanczos5`; `tf.image.resize` with `gaussian`, `mitchellcubic`, or `bilinear` and \
`antialias=True` | `ScaleAndTranslateGrad` |
| `tf.image.crop_and_resize` | `CropAndResizeGradImage` |
| `tf.nn.local_response_normalization` | `LRNGrad` |
| `tf.nn.softsign`, `activation="softsign"` | `SoftsignGrad` |
| `tf.nn.max_pool_with_argmax` | `MaxPoolGradWithArgmax` |
| `tf.nn.fractional_max_pool` | `FractionalMaxPoolGrad` |
| `tf.nn.dilation2d`, `erosion2d` | `Dilation2DBackpropInput` |
| cuDNN's LSTM and GRU on a GPU | `CudnnRNNBackprop`, `CudnnRNNBackpropV3` |

Bilinear resizing is worse: its backward operation `ResizeBilinearGrad` counts as not differentiable, so that the
second derivative is silently cut there. The layers between the resizing and the score get `None` from the penalty,
those in front of it get an incomplete gradient, and no error appears. `tf.py_function` (`UnknownError ... KeyError:
b'pyfunc_0'`) and `tf.recompute_grad` (`NotImplementedError: recompute_grad tried to transpose grad of ...`) fail too.

Eagerly and in `fit` the exception is a `LookupError`. In a `tf.function` it is AutoGraph's `StagingError`, which is
no `LookupError`; its text ends with the line above.

## How it is recognised

A tape's gradient that was itself made by a tape marks the second order. In the chain of that inner gradient the first
operation without a registered gradient is the cut, and the forward operation that it belongs to gives the user's
line. The registry of the running TensorFlow is asked, not a list of names. Silent cuts are found the same way, by the
operation registered as not differentiable. No threshold is involved.

## Why it hurts

The `LookupError` ends training at the first step. The silent kind leaves the layers behind the resizing without the
penalty: it looks finite and does not hold the critic's slope where it was meant to.

## Not to be confused with

- `outside-tape`: the inner gradient is `None`, or a constant for the outer tape.
- `non-differentiable-op`: the first derivative is missing already, as with `ResizeArea`.
- `norm-at-zero`: the second derivative exists and is NaN where the slope is 0.
- Zeros and `None` that are right: the last bias never changes the slope (`None`), and in a critic of only ReLU or
  leaky ReLU units the other biases get exact zeros, since its slope is constant piece by piece; in a purely linear
  critic all biases get `None`. All kinds of convolution and normalisation layers, max and average pooling, LSTM and
  GRU on a CPU, attention and `UpSampling2D` with `nearest` (Keras builds it from `repeat`) do have a second
  derivative.

## Remedy, and what it changes

Replace the operation by one that can be differentiated twice: down- and upsampling by strided or transposed
convolution, `AveragePooling2D` or `UpSampling2D(interpolation="nearest")`; `tanh` for softsign; for recurrent critics
`keras.layers.LSTM(..., use_cudnn=False)`. This changes the critic, not the loss. Spectral normalisation instead of a
penalty needs no second derivative; it changes the objective. Resizing OUTSIDE the critic, in front of the samples at
which the slope is taken, does no harm.

## Example

```python
# faulty
import keras
import tensorflow as tf


def penalty_gradients(interpolation):
    last = keras.layers.Dense(1)
    images = tf.random.uniform((1, 4, 4, 1))
    layers = [keras.layers.Conv2D(2, 3, activation="tanh"), keras.layers.Resizing(2, 2, interpolation)]
    critic = keras.Sequential([keras.Input((4, 4, 1)), *layers, keras.layers.Flatten(), last])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(images)
            score = critic(images)
        penalty = tf.reduce_sum(tf.square(inner.gradient(score, images)))
    return outer.gradient(penalty, [critic.layers[0].kernel, last.kernel])


try:
    penalty_gradients("nearest")
    raise AssertionError("nearest has a second derivative")
except LookupError as error:
    assert str(error) == "gradient registry has no entry for: ResizeNearestNeighborGrad"
first, last = penalty_gradients("bilinear")
assert first is not None
assert last is None  # cut without a word
```

```python
# corrected
import keras
import tensorflow as tf

images = tf.random.uniform((1, 4, 4, 1))
layers = [keras.layers.Conv2D(2, 3, activation="tanh", padding="same"), keras.layers.AveragePooling2D(2)]
critic = keras.Sequential([keras.Input((4, 4, 1)), *layers, keras.layers.Flatten(), keras.layers.Dense(1)])

with tf.GradientTape() as outer:
    with tf.GradientTape() as inner:
        inner.watch(images)
        score = critic(images)
    penalty = tf.reduce_sum(tf.square(inner.gradient(score, images)))
gradients = outer.gradient(penalty, critic.trainable_variables)
assert all(g is not None for g in gradients[:-1])  # the last bias does not change the slope
```

## References

- TensorFlow guide, *Advanced automatic differentiation*, section "Higher-order gradients".
- TensorFlow API, `tf.RegisterGradient`, `tf.no_gradient`.
- tensorflow/tensorflow #33751 and #43648 (`ResizeNearestNeighborGrad` under a gradient penalty), #22208.
- Gulrajani et al., *Improved Training of Wasserstein GANs*, 2017, arXiv 1704.00028; Mescheder, Geiger, Nowozin,
  *Which Training Methods for GANs do actually Converge?*, 2018, arXiv 1801.04406; Miyato et al., *Spectral
  Normalization for Generative Adversarial Networks*, 2018, arXiv 1802.05957.
"""

from __future__ import annotations

import re

from ganmedic.analysis.run import Gap, Run, Term
from ganmedic.analysis.story import innermost, locations, operation_name, portion
from ganmedic.analysis.terms import broken_terms
from ganmedic.analysis.verdicts import backward_of, cause_of, cause_of_cut, forward_of
from ganmedic.causes.building import call_evidence, finding_of, operation_place, term_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Operation, Place

SLUG = "no-second-order-gradient"
FAMILY = "missing"
TITLE = "An operation under the gradient penalty has no second derivative"


def find(record: Record) -> list[Finding]:
    """Gaps cut at a backward operation that has no gradient of its own, under a penalty on gradients."""
    run = Run.of(record)
    found = [_explain(run, gap) for gap in run.gaps if not gap.absent and cause_of(run, gap) == SLUG]
    found.extend(
        term_finding(
            run,
            term,
            SLUG,
            f"The penalty trains nothing: {operation_name(run.flow.operation(term.chain[-1]))} has no gradient of its own.",
            remedies=(_remedy(run.flow.operation(term.chain[-1])),),
            place=_forward(run, term)[0],
        )
        for term in broken_terms(run)
        if cause_of_cut(run, term) == SLUG
    )
    if not found:
        found.extend(_unrecorded(run))
    return found


def _unrecorded(run: Run) -> list[Finding]:
    """A gradient that raised before its operations were recorded again: the message names the operation."""
    for call in run.calls:
        named = re.search(r"no entry for: (\w*Grad\w*)", call.error)
        if named is None:
            continue
        forward = forward_of(run, named[1], set(), call.id)
        if forward is None:
            continue
        net = run.net_of.get(call.sources[0]) if call.sources else None
        gap = Gap(call, net, call.sources, (), True)
        return [
            finding_of(
                run,
                gap,
                SLUG,
                f"The gradient of {portion(run, net, call.sources)} cannot be computed (LookupError): the penalty differentiates a "
                f"gradient, and {operation_name(forward)} can be differentiated only once ({named[1]} has no gradient).",
                locations(run, (operation_place(run, forward), "fault"), (innermost(call.stack), "gradient")),
                remedies=(_remedy(forward),),
                evidence=call_evidence(run, gap),
                confidence=0.9,
            )
        ]
    return []


def _explain(run: Run, gap: Gap) -> Finding:
    place, forward = _forward(run, gap)
    backward = run.flow.operation(gap.chain[-1])
    name = operation_name(forward) if forward is not None else backward.kind
    what = "cannot be computed (LookupError)" if gap.failed else "is None"
    return finding_of(
        run,
        gap,
        SLUG,
        f"The gradient of {portion(run, gap.net, gap.values)} {what}: the penalty differentiates a gradient, and {name} can be "
        f"differentiated only once ({operation_name(backward)} has no gradient).",
        locations(
            run,
            (place, "fault"),
            (innermost(backward.stack), "cut"),
            (innermost(gap.call.stack), "gradient"),
        ),
        remedies=(_remedy(forward or backward),),
        evidence=call_evidence(run, gap),
        confidence=0.95,
    )


def _forward(run: Run, cut: Gap | Term) -> tuple[Place | None, Operation | None]:
    backward = run.flow.operation(cut.chain[-1])
    if backward.kind == "CustomGradient" or backward.detail_place is not None:
        return backward.detail_place or innermost(backward.stack), backward
    if len(backward.stack) and backward.gradient_call is not None:
        own = run.record.gradient_calls.get(backward.gradient_call)
        if own is not None and len(backward.stack) > len(own.stack):
            return innermost(backward.stack), None
    forward = backward_of(run, backward)
    if forward is None:
        return innermost(backward.stack), None
    return operation_place(run, forward), forward


def _remedy(operation: Operation) -> Remedy:
    stand_ins = {
        "Softsign": "tf.tanh or leaky_relu",
        "ResizeBicubic": 'method="bilinear" without antialias',
        "ScaleAndTranslate": 'method="bilinear" without antialias',
        "ResizeNearestNeighbor": "UpSampling2D or tf.repeat",
        "LRN": "layer or pixel normalisation",
        "MaxPoolWithArgmax": "tf.nn.max_pool2d",
        "CropAndResize": "slicing and tf.image.resize(method='bilinear')",
    }
    instead = stand_ins.get(operation.kind)
    text = (
        f"Use {instead} in the critic instead of {operation.kind}."
        if instead
        else (
            f"Replace {operation_name(operation)} in the critic by operations that can be differentiated twice, or use a constraint "
            "without a second derivative (spectral normalisation, weight clipping)."
        )
    )
    return Remedy(text, keeps_objective=instead is not None)
