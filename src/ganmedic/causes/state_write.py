"""The path runs through a value that was stored in a variable, and a stored value has no history.

## What it means

A `tf.Variable` holds numbers, not the operations they came from. When a tensor is written into one inside the tape,
by `tf.Variable(x)`, `keras.Variable(x)`, `v.assign(x)`, `v.assign_add(x)`, and the loss goes on from the variable,
the gradient ends at the variable. Everything before the write gets `None`. The value that `assign` returns is no way
round it: it is read from the variable as well.

In a GAN this is met as

- the fakes or the interpolated samples wrapped in a `tf.Variable`, often to have a tape watch them;
- a buffer of past fakes, a memory or a recurrent state that is assigned and read back within one step;
- a moving average (of features, of scores) that is updated and then used in the loss;
- a Keras metric used as a loss: `keras.metrics.MeanSquaredError()(y, x)`, `Mean().result()` add to variables and read
  them back. `keras.losses.MeanSquaredError()` is the one that has a gradient.

Eagerly and in `fit` the step ends in `ValueError: No gradients provided for any variable.` when nothing else reaches
the network. A `tf.Variable(x)` in a `tf.function` raises on the second trace, if the step gets as far as that:

    ValueError: tf.function only supports singleton tf.Variables created on the first call.

`assign` does not: in a `tf.function` it gives `None` in silence, as it does eagerly.

## How it is recognised

Going backwards from the loss, the chain ends in the reading of a variable (`ReadVariableOp`) into which an `Assign`
operation wrote, after the tape was opened and before that reading, a value whose own chain leads to the variables
that were asked for. Both ends are in the record, so the missing piece can be named: the line of the write and the
line of the read. Order and identity decide; there is no threshold.

A write that nobody reads in the loss is no finding: counters, BatchNormalization's moving statistics, optimizer
state, the power iteration vector of spectral normalisation, a moving average of the weights.

## Why it hurts

The network in front of the write receives nothing. Where only one term goes through the variable (feature matching
against a moving average that includes the present batch), that term is a constant, no variable is `None`, and nothing
warns.

## Not to be confused with

- `left-tensorflow`: the value left as a NumPy array or a number.
- `stop-gradient`: the same effect, by intention.
- `outside-tape`: the plain tensor is not watched. Making it a `tf.Variable` gives the gradient at that sample, as in
  a gradient penalty, and cuts off the generator that made it; `tape.watch` does the first without the second.
- Values held over from an earlier step on purpose (replay buffers, target networks): their history is meant to end.

## Remedy, and what it changes

Keep the value a tensor while the loss needs it and store it afterwards: compute `new = 0.9 * old + 0.1 * batch_mean`,
use `new` in the loss, then `average.assign(new)`. Watch a tensor with `tape.watch`. Pass recurrent state from call to
call as a tensor. Take the loss from `keras.losses` and keep the metric for display. The value of the loss stays as it
is.

## Example

```python
# faulty
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
average = tf.Variable(tf.zeros(2), trainable=False)

with tf.GradientTape() as tape:
    fake = tf.Variable(generator(tf.ones((4, 3))))
    loss = tf.reduce_mean(tf.nn.softplus(-discriminator(fake)))
assert all(g is None for g in tape.gradient(loss, generator.trainable_variables))

with tf.GradientTape() as tape:
    average.assign(0.9 * average + 0.1 * tf.reduce_mean(generator(tf.ones((4, 3))), axis=0))
    loss = tf.reduce_sum(tf.square(average - 1.0))
assert all(g is None for g in tape.gradient(loss, generator.trainable_variables))

with tf.GradientTape() as tape:
    loss = keras.metrics.MeanSquaredError()(tf.ones((4, 2)), generator(tf.ones((4, 3))))
assert all(g is None for g in tape.gradient(loss, generator.trainable_variables))
```

```python
# corrected
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
discriminator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
average = tf.Variable(tf.zeros(2), trainable=False)

with tf.GradientTape() as tape:
    fake = generator(tf.ones((4, 3)))
    loss = tf.reduce_mean(tf.nn.softplus(-discriminator(fake)))
    present = 0.9 * average + 0.1 * tf.reduce_mean(fake, axis=0)
    loss += tf.reduce_sum(tf.square(present - 1.0))
    loss += keras.losses.MeanSquaredError()(tf.ones((4, 2)), fake)
gradients = tape.gradient(loss, generator.trainable_variables)
average.assign(present)
assert all(g is not None for g in gradients)
```

## References

- TensorFlow guide, *Introduction to gradients and automatic differentiation*, section "Took gradients through a
  stateful object".
- TensorFlow guide, *Better performance with tf.function*, section on creating variables.
- tensorflow/tensorflow #30234, #54532, #54568, #23621 (no gradient through `assign`).
"""

from __future__ import annotations

from ganmedic.analysis.run import Gap, Run
from ganmedic.analysis.story import innermost, locations, portion
from ganmedic.analysis.terms import broken_terms
from ganmedic.analysis.verdicts import cause_of, cause_of_cut
from ganmedic.causes.building import call_evidence, cut_place, failure_finding, finding_of, term_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record

SLUG = "state-write"
FAMILY = "missing"
TITLE = "The path runs through a value stored in a variable"


def find(record: Record) -> list[Finding]:
    """Gaps whose value was written into a variable and read back."""
    run = Run.of(record)
    found = [_explain(run, gap) for gap in run.gaps if not gap.absent and cause_of(run, gap) == SLUG]
    found.extend(
        term_finding(
            run,
            term,
            SLUG,
            "One term of the loss trains nothing: its value is written into a variable and read back, which no gradient passes.",
            remedies=(_remedy(),),
        )
        for term in broken_terms(run)
        if cause_of_cut(run, term) == SLUG
    )
    failure = record.failure
    if failure is not None and "singleton tf.Variable" in failure.message and not found:
        found.append(
            failure_finding(
                run,
                failure,
                SLUG,
                "The script makes a tf.Variable at each step inside a tf.function; a value that is turned into a variable also "
                "loses its gradient.",
                remedies=(_remedy(),),
                confidence=0.8,
            )
        )
    return found


def _explain(run: Run, gap: Gap) -> Finding:
    return finding_of(
        run,
        gap,
        SLUG,
        f"The gradient of {portion(run, gap.net, gap.values)} is None: on its way to the loss their output is written into a "
        "variable, and a gradient ends at the variable.",
        locations(
            run,
            (cut_place(run, gap), "fault"),
            (run.loss_place(gap.call), "loss"),
            (innermost(gap.call.stack), "gradient"),
        ),
        remedies=(_remedy(),),
        evidence=call_evidence(run, gap),
        confidence=0.93,
    )


def _remedy() -> Remedy:
    return Remedy(
        "Hand on the tensor itself. Build changed tensors with tf.concat, tf.where or tf.tensor_scatter_nd_update, and write "
        "state after the tape has closed.",
        "x = generator(noise, training=True)  # not tf.Variable(generator(noise)), not buffer.assign(...)",
    )
