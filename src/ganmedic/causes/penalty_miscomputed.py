"""A gradient penalty that is computed over the wrong axes does not constrain the critic, or stops the script.

## What it means

A gradient penalty wants, for each sample, the length of the critic's gradient with respect to that sample: the root of
the sum of squares over every axis but the first. `tf.norm` and `keras.ops.norm` take at most two axes, because two axes mean a
matrix norm to them. Handed the three axes of an image, they raise

    ValueError: 'axis' must be None, an integer, or a tuple of 2 unique integers, got [1, 2, 3]

and the training ends in its first step.

## How it is recognised

By that error, raised from a norm in the user's own line. ganmedic does not yet judge a penalty that runs through: one that is
taken over a single axis of an image, outside the outer tape, or on the wrong input is not found by this cause.

## Why it hurts

Without the penalty a Wasserstein critic is not bounded: its scores grow, and the generator follows a slope that means nothing.

## Not to be confused with

- `outside-tape`: the gradient with respect to the samples is None, since the tape was not told to watch them.
- `no-second-order-gradient`: the penalty is computed, but an operation in the critic cannot be differentiated twice.

## Remedy, and what it changes

Write the norm out, with a small constant inside the root: the derivative of a root at zero is not finite. The objective is what
the paper means.

## Example

```python
# faulty
import tensorflow as tf

gradients = tf.random.normal((4, 8, 8, 1))
try:
    tf.norm(gradients, axis=[1, 2, 3])
except ValueError as error:
    assert "'axis' must be None" in str(error)
else:
    raise AssertionError("tf.norm took three axes")
```

```python
# corrected
import tensorflow as tf

gradients = tf.random.normal((4, 8, 8, 1))
norms = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=[1, 2, 3]) + 1e-12)
assert norms.shape == (4,)
```

## References

- Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, *Improved Training of Wasserstein GANs*, 2017, arXiv 1704.00028,
  equation 3.
- TensorFlow API, *tf.norm*: `axis` is an integer, or a pair of integers for a matrix norm.
"""

from __future__ import annotations

from ganmedic.analysis.run import Run
from ganmedic.analysis.source import argument, call_named, text_of
from ganmedic.analysis.story import innermost
from ganmedic.causes.building import failure_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Failure, Place

SLUG = "penalty-miscomputed"
FAMILY = "exploding"
TITLE = "A gradient penalty is computed over the wrong axes"


def find(record: Record) -> list[Finding]:
    """A norm over three axes that ended the script."""
    run = Run.of(record)
    failure = record.failure
    if failure is None or "'axis' must be None, an integer, or a tuple of 2" not in failure.message:
        return []
    return [_explain(run, failure)]


def _explain(run: Run, failure: Failure) -> Finding:
    place = innermost(failure.stack)
    nets = [net for net in run.nets if net.role == "discriminator"]
    values = nets[0].variables if nets else ()
    return failure_finding(
        run,
        failure,
        SLUG,
        "The norm of the gradient is asked for over three axes; tf.norm takes one axis, or two for a matrix norm.",
        remedies=(Remedy("Write the norm over all axes but the first out.", _code(run, place)),),
        confidence=0.95,
        values=values,
    )


def _code(run: Run, place: Place | None) -> str:
    call = call_named(run.record, place, "norm") if place is not None else None
    tensor = text_of(argument(call, 0, "tensor", "x")) or "gradients"
    axes = text_of(argument(call, 2, "axis")) or "[1, 2, 3]"
    return f"tf.sqrt(tf.reduce_sum(tf.square({tensor}), axis={axes}) + 1e-12)"
