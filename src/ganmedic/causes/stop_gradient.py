"""A deliberate cut sits on the only path: `tf.stop_gradient`, or a custom gradient that returns nothing.

## What it means

`tf.stop_gradient(x)` hands `x` on unchanged and ends every gradient there. In the discriminator's step that is right:
the fakes are to be constants. The same line in the generator's step cuts the generator off from its only source of
gradients. It gets there when both steps share one function (`make_fakes`, `augment`, `features`), when a loss from a
paper is copied with its detach, or when a whole tensor is stopped where only one of its two uses was meant.

The same effect without that name:

- `keras.ops.stop_gradient`, or a Lambda layer around either of them;
- a `tf.custom_gradient` whose inner function returns `None` or forgets its `return`: accepted silently, eagerly and
  in a `tf.function`. One that returns `tf.zeros_like(dy)` gives zeros instead of `None`;
- a `tf.custom_gradient` over a function that reads variables: without a `variables` argument it raises

      TypeError: @tf.custom_gradient grad_fn must accept keyword argument 'variables', since function uses
      variables: [...]

  and if that argument is answered with `None`, so are the gradients of these variables.

If all variables in question lie behind the cut: `ValueError: No gradients provided for any variable.` If layers after
the cut are in the same list, these learn and the warning `Gradients do not exist for variables [...] when minimizing
the loss.` names the others.

## How it is recognised

Going backwards from the loss, the first cut on the chain is a `StopGradient` operation, or an operation under a
custom gradient that was called and returned `None`. The cause is named only where every path from the loss to the
variables is cut and the script asks for these very gradients and applies them. The finding quotes the line with the
cut, the loss, and the way between them. There is no threshold.

A cut that is there on purpose is recognised by what the step asks for: fakes stopped in a step that updates only the
discriminator, a target network, the hard half of a straight-through estimator, weights or statistics used as
constants.

## Why it hurts

Nothing in front of the cut learns. The discriminator gets better against a generator that stands still, which looks
like "the discriminator is too strong".

## Not to be confused with

- `left-tensorflow` and `state-write`: cuts that nobody wrote as such.
- `non-differentiable-op`: the cut is a property of the operation.
- `frozen`: the gradient passes through the network, but the network's own variables are not asked for. To keep the
  discriminator fixed in the generator's step, neither `stop_gradient` nor `trainable = False` is needed: hand
  `tape.gradient` the generator's variables only.
- A stop on one of several paths (a baseline, a loss weight): the gradients are there.

## Remedy, and what it changes

Take the cut out of the generator's step, or move it from the shared function to the discriminator's call site:
`discriminator(tf.stop_gradient(fake))`. It is not needed even there: each `tape.gradient` asks for one network's
variables.

For a custom gradient, return one gradient for each input, and for a step function in the forward direction write the
straight-through form `soft + tf.stop_gradient(hard - soft)`. The loss value stays the same.

## Example

```python
# faulty
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
discriminator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])


def make_fakes(noise):
    return tf.stop_gradient(generator(noise))


with tf.GradientTape() as tape:
    score = discriminator(make_fakes(tf.ones((2, 3))))
    loss = tf.reduce_mean(tf.nn.softplus(-score))
gradients = tape.gradient(loss, generator.trainable_variables)
assert all(g is None for g in gradients)


@tf.custom_gradient
def clamp(x):
    def gradient(upstream):
        upstream * tf.cast(tf.abs(x) < 1.0, x.dtype)

    return tf.clip_by_value(x, -1.0, 1.0), gradient


with tf.GradientTape() as tape:
    loss = tf.reduce_mean(clamp(generator(tf.ones((2, 3)))))
assert all(g is None for g in tape.gradient(loss, generator.trainable_variables))
```

```python
# corrected
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
discriminator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])


def make_fakes(noise):
    return generator(noise)


with tf.GradientTape() as tape:
    score = discriminator(make_fakes(tf.ones((2, 3))))
    loss = tf.reduce_mean(tf.nn.softplus(-score))
gradients = tape.gradient(loss, generator.trainable_variables)
assert all(g is not None for g in gradients)
```

## References

- TensorFlow API, `tf.stop_gradient`, `tf.custom_gradient`; guide, *Advanced automatic differentiation*, sections on
  stopping the flow and on custom gradients.
- Bengio, Léonard, Courville, *Estimating or Propagating Gradients Through Stochastic Neurons for Conditional
  Computation*, 2013, arXiv 1308.3432.
- tensorflow/tensorflow #1768 (asks that a `None` gradient be explained).
"""

from __future__ import annotations

from ganmedic.analysis.run import Gap, Run
from ganmedic.analysis.story import innermost, locations, operation_name, portion
from ganmedic.analysis.terms import broken_terms
from ganmedic.analysis.verdicts import cause_of, cause_of_cut
from ganmedic.causes.building import call_evidence, cut_place, finding_of, term_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Operation

SLUG = "stop-gradient"
FAMILY = "missing"
TITLE = "A deliberate cut sits on the only path to the variables"


def find(record: Record) -> list[Finding]:
    """Gaps that are cut on purpose: by stop_gradient, or by a gradient function that returns nothing."""
    run = Run.of(record)
    found = [_explain(run, gap) for gap in run.gaps if not gap.absent and cause_of(run, gap) == SLUG]
    for term in broken_terms(run):
        if cause_of_cut(run, term) == SLUG:
            operation = run.flow.operation(term.chain[-1])
            found.append(
                term_finding(
                    run,
                    term,
                    SLUG,
                    f"One term of the loss trains nothing: {operation_name(operation)} stops every gradient between it and the "
                    "networks.",
                    remedies=(_remedy(operation),),
                    mark=("stop_gradient",),
                )
            )
    return found


def _explain(run: Run, gap: Gap) -> Finding:
    operation = run.flow.operation(gap.chain[-1])
    what = "is exactly zero" if gap.chain[0].verdict == "zero" else "is None"
    own = operation.kind == "CustomGradient"
    why = (
        "returns nothing for its input"
        if own and what == "is None"
        else "returns zeros for its input"
        if own
        else "ends the way back"
    )
    return finding_of(
        run,
        gap,
        SLUG,
        f"The gradient of {portion(run, gap.net, gap.values)} {what}: {operation_name(operation)} {why}.",
        locations(
            run,
            (cut_place(run, gap), "fault"),
            (innermost(operation.stack), "cut"),
            (run.loss_place(gap.call), "loss"),
            (innermost(gap.call.stack), "gradient"),
            mark=("stop_gradient",),
        ),
        remedies=(_remedy(operation),),
        evidence=call_evidence(run, gap),
        confidence=0.95,
    )


def _remedy(operation: Operation) -> Remedy:
    if operation.kind == "CustomGradient":
        return Remedy(
            "Let the gradient function return the derivative for every input.",
            "def grad(upstream):\n    return upstream  # times the derivative of the function",
        )
    return Remedy(
        "Remove stop_gradient from this path. Where only the other player must not see the samples, stop the gradient in that "
        "player's loss alone.",
        "fake = generator(noise, training=True)\nfake_for_discriminator = tf.stop_gradient(fake)",
    )
