"""The tape that is asked for the gradient did not record the way to the loss.

## What it means

A `tf.GradientTape` knows only what happens while it is open, and of that only what starts from something it watches.
Trainable variables are watched when they are read; constants, inputs and interpolated samples are not. The gradient
is `None` without an error when

- the forward pass ran before the `with` block (`fake = generator(noise)` one line too early), or the loss is computed
  after it, even if it is only a last `tf.reduce_mean`;
- the source is a plain tensor and nobody called `tape.watch(x)`, the classic fault of a gradient penalty, or `watch`
  came after the operations;
- the tape was made with `watch_accessed_variables=False`, or the variable with `trainable=False`;
- the operations stand under `tape.stop_recording()`, or `tape.reset()` came in between;
- the source was made anew: `tape.gradient(y, x[0])` or `tape.gradient(y, tf.convert_to_tensor(variable))` ask for a
  tensor the loss never saw;
- the penalty's inner gradient was taken before the outer tape was opened;
- the forward pass ran in another thread or in a `tf.data` pipeline: tapes belong to one thread.

The messages are those of every missing gradient: `ValueError: No gradients provided for any variable.`, or, where a
penalty goes on with the `None`, in a `tf.function` and in `fit`

    ValueError: Tried to convert 'x' to a tensor and failed. Error: None values not supported.

Two near misses have errors of their own:

    RuntimeError: A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)
    ValueError: Passed in object <Variable path=...> of type 'Variable', not tf.Tensor or tf.Variable or ExtensionType.

The second comes from `tape.watch(model.trainable_variables)` under Keras 3: watch `[v.value for v in ...]`.

## How it is recognised

Every operation is noted with the tapes that were recording when it ran. The cause is named where the complete chain
of operations from loss to variable exists, each of them has a gradient, and at least one ran while the asked tape was
closed, stopped or not yet open, or the source was not watched when it was first used. It is an ordering of events,
without a threshold. The finding quotes the line of the first operation that was missed and the line where the tape
was opened.

## Why it hurts

Eagerly the variables get nothing and nothing else is wrong, so the loop looks right. In the gradient penalty the
fault is quieter: if only the penalty's inner part is outside the outer tape, the critic still gets the gradients of
the Wasserstein term, no variable is `None`, and the penalty is a constant that constrains nothing.

## Not to be confused with

- `variable-unused`: no chain exists in any tape.
- `penalty-miscomputed`: the penalty has a gradient, and it is a wrong one.
- Fakes made outside the discriminator's tape: right and cheaper, as long as only the discriminator's gradients are
  asked for.
- `tf.stop_gradient`: a deliberate cut inside the tape (`stop-gradient`).
- Calling a `tf.function` inside the tape: it is recorded as one operation and its gradient is complete.

## Remedy, and what it changes

Move the forward pass and the whole loss into the `with` block, and only `tape.gradient` out of it. Call
`tape.watch(interpolated)` first thing in the inner block of a penalty, and put inner block, inner gradient and
penalty inside the outer one. The loss stays as it is. A persistent tape (`persistent=True`) is needed only for
several `gradient` calls on one tape.

Turning the tensor into a `tf.Variable` to have it watched brings in the next fault, see `state-write`.

## Example

```python
# faulty
import keras
import tensorflow as tf

critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
samples = tf.constant([[0.1, 0.2, 0.3]])

with tf.GradientTape() as tape:
    scores = critic(samples)
assert tape.gradient(scores, samples) is None

with tf.GradientTape() as inner:
    inner.watch(samples)
    scores = critic(samples)
slope = inner.gradient(scores, samples)
with tf.GradientTape() as outer:
    penalty = tf.reduce_mean(tf.square(slope))
gradients = outer.gradient(penalty, critic.trainable_variables)
assert all(g is None for g in gradients)
```

```python
# corrected
import keras
import tensorflow as tf

critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
samples = tf.constant([[0.1, 0.2, 0.3]])

with tf.GradientTape() as outer:
    with tf.GradientTape() as inner:
        inner.watch(samples)
        scores = critic(samples)
    slope = inner.gradient(scores, samples)
    penalty = tf.reduce_mean(tf.square(slope))
gradients = outer.gradient(penalty, critic.trainable_variables)
assert slope is not None
assert all(g is not None for g in gradients[:-1])
assert gradients[-1] is None  # the last bias does not change the slope: this None is normal
```

## References

- TensorFlow guides, *Introduction to gradients and automatic differentiation* ("Controlling what the tape watches")
  and *Advanced automatic differentiation* ("Stop recording", "Higher-order gradients").
- TensorFlow API, `tf.GradientTape`.
- Gulrajani et al., *Improved Training of Wasserstein GANs*, 2017, arXiv 1704.00028.
- tensorflow/tensorflow #36436 and eriklindernoren/Keras-GAN #215 (the slope at the interpolated samples is `None`),
  tensorflow/tensorflow #27660 (the function is called after the tape has closed).
"""

from __future__ import annotations

from ganmedic.analysis.run import Gap, Run, Term
from ganmedic.analysis.source import statement, text_of
from ganmedic.analysis.story import innermost, locations, portion
from ganmedic.analysis.terms import broken_terms
from ganmedic.analysis.verdicts import cause_of, cause_of_cut
from ganmedic.causes.building import call_evidence, finding_of, term_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.flow import ARGUMENT, UNWATCHED
from ganmedic.record.record import Record
from ganmedic.record.schema import Place, Tape

SLUG = "outside-tape"
FAMILY = "missing"
TITLE = "The way to the loss was not recorded by the tape that is asked"


def find(record: Record) -> list[Finding]:
    """Gaps whose forward pass, or whose loss, was computed while the tape did not record or did not watch."""
    run = Run.of(record)
    found = []
    for gap in run.gaps:
        if cause_of(run, gap) == SLUG:
            found.append(_explain_tensor(run, gap) if gap.absent else _explain(run, gap))
    found.extend(
        term_finding(
            run,
            term,
            SLUG,
            "One term of the loss trains nothing: it was computed while the tape did not record, so no gradient passes "
            "through it.",
            remedies=(Remedy("Compute the term inside the `with tf.GradientTape()` block, indented under it."),),
            place=_forward(run, term)[0],
        )
        for term in broken_terms(run)
        if cause_of_cut(run, term) == SLUG
    )
    return found


def _explain(run: Run, gap: Gap) -> Finding:
    place, how, remedy = _forward(run, gap)
    tape = run.record.tapes.get(gap.call.tape)
    return finding_of(
        run,
        gap,
        SLUG,
        f"The gradient of {portion(run, gap.net, gap.values)} is None: {how}.",
        locations(
            run,
            (place, "fault"),
            (innermost(tape.stack) if tape else None, "tape"),
            (run.loss_place(gap.call), "loss"),
            (innermost(gap.call.stack), "gradient"),
        ),
        remedies=(remedy,),
        evidence=call_evidence(run, gap),
        confidence=0.92,
    )


def _forward(run: Run, gap: Gap | Term) -> tuple[Place | None, str, Remedy]:
    """Where the forward pass was that the tape missed, how it came to miss it, and what to do."""
    tape = run.record.tapes.get(gap.call.tape)
    edge = gap.chain[0]
    operation = run.flow.operation(edge)
    around = tape.stack if tape is not None else gap.call.stack
    place = run.in_function_of(operation.stack, around)
    if edge.verdict == UNWATCHED:
        return (
            innermost(tape.watching[-1] if tape.watching else tape.stack) if tape else place,
            "the tape was made with watch_accessed_variables=False and nobody told it to watch them",
            Remedy(
                "Drop watch_accessed_variables=False, or watch the variables before the forward pass.",
                "with tf.GradientTape() as tape:",
            ),
        )
    if edge.verdict == ARGUMENT:
        outer = innermost(run.flow.operation(edge).stack)
        made = run.record.producers.get(edge.input.value)
        place = innermost(made[0].stack) if made is not None and made[0].stack else outer
        return (
            place,
            "their output was computed outside and handed into the function that holds the tape, which sees a constant",
            Remedy(
                "Run the forward pass inside the `with tf.GradientTape()` block; hand in the noise, not the samples."
            ),
        )
    pause = _pause(tape, operation.id)
    if pause is not None:
        return (
            place,
            "the forward pass ran inside tape.stop_recording()",
            Remedy("Take the forward pass out of the stop_recording() block."),
        )
    if tape is not None and tape.ended and operation.id > tape.ended:
        return (
            place,
            "the loss was finished after the tape had stopped recording",
            Remedy("Indent this line under the `with tf.GradientTape()` block.", _line(run, place)),
        )
    if tape is not None and any(time > operation.id for time, _ in tape.resets):
        return (
            innermost(next(stack for time, stack in tape.resets if time > operation.id)),
            "tape.reset() threw away what had been recorded of the forward pass",
            Remedy("Reset the tape before the forward pass, or use one tape a step."),
        )
    return (
        place,
        "the forward pass ran before the tape began to record",
        Remedy("Move the forward pass into the `with tf.GradientTape()` block.", _line(run, place)),
    )


def _line(run: Run, place: Place | None) -> str:
    found = statement(run.record, place) if place is not None else None
    text = text_of(found)
    return f"with tf.GradientTape() as tape:\n    {text}" if text else ""


def _pause(tape: Tape | None, time: int) -> tuple[int, int] | None:
    if tape is None:
        return None
    return next(((began, ended) for began, ended, _ in tape.pauses if began < time < (ended or time + 1)), None)


def _explain_tensor(run: Run, gap: Gap) -> Finding:
    """A gradient with respect to a plain tensor, as a gradient penalty needs it."""
    tape = run.record.tapes.get(gap.call.tape)
    place = innermost(tape.stack) if tape is not None else innermost(gap.call.stack)
    name = _watch_code(run, gap)
    return finding_of(
        run,
        gap,
        SLUG,
        "The gradient with respect to a plain tensor is None: a tape watches variables by itself, but a tensor only after "
        "tape.watch, before the forward pass.",
        locations(run, (place, "fault"), (innermost(gap.call.stack), "gradient")),
        remedies=(Remedy("Watch the tensor as the first thing inside the tape.", name),),
        evidence=call_evidence(run, gap),
        confidence=0.93,
    )


def _watch_code(run: Run, gap: Gap) -> str:
    from ganmedic.analysis.source import argument, call_named

    place = innermost(gap.call.stack)
    call = call_named(run.record, place, "gradient", "jacobian", "batch_jacobian") if place is not None else None
    source = text_of(argument(call, 1, "sources", "source"))
    holder = text_of(getattr(call.func, "value", None)) if call is not None else "tape"
    return f"{holder or 'tape'}.watch({source})" if source else ""
