"""The value left TensorFlow on its way to the loss and came back as a plain number.

## What it means

A tape records TensorFlow operations. As soon as a tensor is turned into a NumPy array or a Python number, what
follows is arithmetic the tape cannot see, and the tensor made from its result is a constant with no history. Eagerly
all of these run without a word and give `None`:

- `x.numpy()`, `np.asarray(x)`, `float(x)`, `keras.ops.convert_to_numpy(x)`;
- a NumPy function on a tensor: `np.sqrt(x)`, `np.mean(x)`, `np.multiply(x, 2)`;
- a NumPy array or NumPy number on the LEFT of a `keras.Variable`: `np.sqrt(2.0) * layer.kernel`, as in a scaled
  weight, is computed by NumPy. `layer.kernel * np.sqrt(2.0)` is not, nor is an array times a tensor or times a
  `tf.Variable`;
- `generator.predict(noise)` and `predict_on_batch`: both return NumPy arrays;
- a detour through `tf.data`, SciPy, OpenCV or scikit-learn;
- `tf.numpy_function` (in every mode). `tf.py_function` is differentiable as long as it computes with TensorFlow; with
  NumPy inside it gives exact zeros.

In a `tf.function` and in `fit`, most of them cannot run and say so:

    AttributeError: 'SymbolicTensor' object has no attribute 'numpy'
    NotImplementedError: Cannot convert a symbolic tf.Tensor (x:0) to a numpy array.
    NotImplementedError: numpy() is only available when eager execution is enabled.

These messages are often answered with `run_eagerly=True` or with `tf.numpy_function`. Then the error is gone, and so
is the gradient: `ValueError: No gradients provided for any variable.`

A loss that has itself left TensorFlow gives other errors in `tape.gradient`: `AttributeError: 'numpy.float32' object
has no attribute '_id'` for `loss.numpy()`, and ``TypeError: Cannot convert the argument `type_value`: 0.69 to a
TensorFlow DType.`` for `float(loss)`.

## How it is recognised

Going backwards from the loss, the chain ends in a constant that no operation made, and in the same step a tensor that
depends on the variables was read out to the host before that constant was created. The two are tied together by
order, by shape and dtype, or by equal values, and the user's line of the read and of the return are both reported. A
`PyFunc` operation (`numpy_function`) on the chain is a direct proof. There is no threshold.

## Why it hurts

The network in front of the detour receives no gradient at all. In a GAN that is the generator, nearly always: the
discriminator stands behind the detour and trains happily on the converted samples.

## Not to be confused with

- `non-differentiable-op`: the value stayed in TensorFlow, and one of its operations has no gradient.
- `outside-tape`: only TensorFlow operations are on the way, but this tape did not see them.
- `state-write`: the value was stored in a variable and read back.
- Reading a number out to print, log or plot it: harmless, as long as the number does not come back into the loss.
- `generator.predict` for the discriminator's own step: there the fakes are meant to be constants. It is slow, not
  wrong.

## Remedy, and what it changes

Say the same with TensorFlow or Keras operations: `tf.reduce_mean`, `tf.sqrt`, `tf.stack`, `keras.ops`, or
`tf.experimental.numpy`, which keeps NumPy's names and is differentiable. Call the network, `generator(noise,
training=True)`, instead of `predict`. Turn the order round (`layer.kernel * array`) or make the array a tensor first.
The loss stays the same; only its gradient appears.

Where the outside code cannot be rewritten, wrap it in `tf.custom_gradient` and give its derivative by hand, or treat
its output as a label and not as a part of the loss.

## Example

```python
# faulty
import keras
import numpy as np
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])

with tf.GradientTape() as tape:
    sample = generator(tf.ones((2, 3)))
    moments = np.stack([np.mean(sample, axis=1), np.std(sample, axis=1)], axis=1)
    loss = tf.reduce_mean(tf.nn.softplus(-discriminator(moments)))
gradients = tape.gradient(loss, generator.trainable_variables)
assert all(g is None for g in gradients)

mixing = keras.Variable([1.0, 2.0])
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(np.sqrt(2.0) * mixing)
assert tape.gradient(loss, mixing) is None
```

```python
# corrected
import keras
import numpy as np
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])

with tf.GradientTape() as tape:
    sample = generator(tf.ones((2, 3)))
    moments = tf.stack([tf.reduce_mean(sample, axis=1), tf.math.reduce_std(sample, axis=1)], axis=1)
    loss = tf.reduce_mean(tf.nn.softplus(-discriminator(moments)))
gradients = tape.gradient(loss, generator.trainable_variables)
assert all(g is not None for g in gradients)

mixing = keras.Variable([1.0, 2.0])
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(mixing * np.sqrt(2.0))
assert tape.gradient(loss, mixing) is not None
```

## References

- TensorFlow guide, *Introduction to gradients and automatic differentiation*, section "Cases where gradient returns
  None".
- TensorFlow API, `tf.numpy_function`, `tf.py_function`, `tf.custom_gradient`; guide *NumPy API on TensorFlow*.
- tensorflow/tensorflow #31919 (a sample that becomes a NumPy array on its way to the discriminator), #1768.
"""

from __future__ import annotations

from ganmedic.analysis.departures import Left
from ganmedic.analysis.run import Gap, Run
from ganmedic.analysis.story import innermost, locations, operation_name, portion
from ganmedic.analysis.terms import broken_terms, plain_terms
from ganmedic.analysis.verdicts import cause_of, cause_of_cut, departure
from ganmedic.causes.building import call_evidence, cut_place, failure_finding, finding_of, term_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Failure, GradientCall

#: What TensorFlow says when a traced value is treated as an array.
_SYMBOLIC = (
    "Cannot convert a symbolic",
    "numpy() is only available when eager execution is enabled",
    "object has no attribute 'numpy'",
    "NumPy array",
)

SLUG = "left-tensorflow"
FAMILY = "missing"
TITLE = "The value left TensorFlow on its way to the loss and came back"


def find(record: Record) -> list[Finding]:
    """Gaps whose value went through Python or NumPy on its way to the loss."""
    run = Run.of(record)
    found = []
    for gap in run.gaps:
        if cause_of(run, gap) == SLUG:
            found.append(_explain_absent(run, gap) if gap.absent else _explain_call(run, gap))
    for term in broken_terms(run):
        if cause_of_cut(run, term) == SLUG:
            name = operation_name(run.flow.operation(term.chain[-1]))
            found.append(
                term_finding(
                    run,
                    term,
                    SLUG,
                    f"One term of the loss trains nothing: {name} computes it outside TensorFlow, so no gradient passes.",
                    remedies=(_remedy(),),
                )
            )
    found.extend(_explain_plain(run, call, left) for call, left in plain_terms(run))
    failure = record.failure
    if failure is not None and not found and _is_symbolic(failure):
        found.append(_explain_failure(run, failure))
    return found


def _explain_absent(run: Run, gap: Gap) -> Finding:
    left = departure(run, gap)
    assert left is not None
    return finding_of(
        run,
        gap,
        SLUG,
        f"The gradient of {portion(run, gap.net, gap.values)} is None: their output leaves TensorFlow at {left.how} and "
        "comes back as a constant, of which the tape knows nothing.",
        locations(
            run,
            (left.place, "fault"),
            (run.loss_place(gap.call), "loss"),
            (innermost(gap.call.stack), "gradient"),
            mark=(left.how.split(".")[-1].removesuffix("()"),),
        ),
        remedies=(_remedy(),),
        evidence=(*call_evidence(run, gap), _seen(left)),
        confidence=0.9 if left.seen else 0.85,
    )


def _seen(left: Left) -> str:
    how = "was seen to leave" if left.seen else "leaves, by the source,"
    return f"the value {how} TensorFlow through {left.how} at line {left.place.line}"


def _explain_call(run: Run, gap: Gap) -> Finding:
    operation = run.flow.operation(gap.chain[-1])
    name = operation_name(operation)
    return finding_of(
        run,
        gap,
        SLUG,
        f"The gradient of {portion(run, gap.net, gap.values)} is None: {name} runs Python code on their output, and TensorFlow "
        "cannot differentiate through it.",
        locations(
            run,
            (cut_place(run, gap), "fault"),
            (run.loss_place(gap.call), "loss"),
            (innermost(gap.call.stack), "gradient"),
        ),
        remedies=(_remedy(),),
        evidence=call_evidence(run, gap),
        confidence=0.95,
    )


def _explain_plain(run: Run, call: GradientCall, left: Left) -> Finding:
    gap = Gap(call, run.net_of.get(call.sources[0]), call.sources)
    return finding_of(
        run,
        gap,
        SLUG,
        f"One term of the loss is a plain number: it is computed through {left.how} outside TensorFlow, so it trains nothing "
        "and never falls, though no gradient is None.",
        locations(
            run,
            (left.place, "fault"),
            (run.loss_place(call), "loss"),
            (innermost(call.stack), "gradient"),
        ),
        remedies=(_remedy(),),
        evidence=(_seen(left),),
        severity="warning",
        confidence=0.75,
        variables=(),
    )


def _is_symbolic(failure: Failure) -> bool:
    return any(text in failure.message for text in _SYMBOLIC)


def _explain_failure(run: Run, failure: Failure) -> Finding:
    return failure_finding(
        run,
        failure,
        SLUG,
        "The script treats a traced tensor as a NumPy array; inside a tf.function it has no value yet, and outside one the "
        "gradient would end here.",
        remedies=(_remedy(),),
        confidence=0.85,
    )


def _remedy() -> Remedy:
    return Remedy(
        "Compute this step with TensorFlow operations (tf.* or keras.ops.*), so that the tape can follow it; keep NumPy for "
        "what is shown or saved.",
        "# np.mean(x) -> tf.reduce_mean(x)    np.clip -> tf.clip_by_value    model.predict(z) -> model(z, training=True)",
    )
