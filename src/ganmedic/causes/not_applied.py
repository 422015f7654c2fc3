"""The gradients are there, and the weights never change.

## What it means

The tape did its work and the update does not arrive. Nothing is `None`, so nothing is reported; the losses jitter
with the batches and go nowhere. How an update gets lost:

- `apply_gradients` is not called, or stands behind a Python `if` that was false when a `tf.function` was traced.
  Python conditions are evaluated once, in tracing; changing the flag afterwards has no effect;
- the learning rate is 0, or a schedule has reached 0 or begins there;
- the update goes to a copy: `tf.Variable(v)` for each variable, a `clone_model`, another object that was loaded from
  the same file;
- the update is done by hand and lost: `v = v - rate * g` rebinds a Python name, `v.assign_sub(rate * g)` changes the
  variable;
- the weights are put back at each step: `set_weights` from a snapshot, an average that is swapped in and not out
  again;
- the update is smaller than the number can hold. A float32 has 24 bits: a change below about 6e-8 of a weight's size
  is rounded away (float16: 5e-4), while biases at exactly 0 still move;
- mixed precision skips the step: with `LossScaleOptimizer` a gradient with Inf or NaN leaves the weights alone and
  halves the scale. In every step, this is a stand-still.

## How it is recognised

The weights are compared bit by bit before and after a step. The cause is named where the gradients of a network were
computed, are finite and not all zero, and after as many steps as the optimizer needs for one update not a single bit
of any of its variables differs. How many that is comes from the script itself: 1, or `gradient_accumulation_steps`. A
learning rate of 0, a missing call and a copy are then told apart: which optimizer was called, for which variables,
with which rate. There is no tolerance in the comparison, so that a slow network is never taken for a still one.

## Why it hurts

The run costs its full time and ends where it began. In a GAN the other player goes on learning, wins, and its falling
loss looks like progress.

## Not to be confused with

- `variable-unused` and the other causes of this family that give `None`: there is no gradient to apply.
- `variables-left-out`: part of the network moves.
- `wrong-pairing`: an optimizer moves another network by these gradients.
- Vanishing gradients: the weights do move, by little. Adam hides that, since its steps do not shrink with the
  gradient.
- `Adam(gradient_accumulation_steps=4)`: three steps of four leave the weights alone, as they should.
- The first step of a warm-up that starts at 0 (`CosineDecay(0.0, ..., warmup_target=...)`), or an evaluation step
  that computes gradients only to show them.

## Remedy, and what it changes

Call `optimizer.apply_gradients(zip(gradients, network.trainable_variables))` in the same function as the tape,
without a Python flag in a traced function (make it a `tf.constant` argument and use `tf.cond`, or build two
functions). Set a learning rate that fits: 1e-4 to 2e-4 for Adam are what DCGAN and WGAN-GP use. Write through
`assign_sub`. For mixed precision call `optimizer.scale_loss(loss)` inside the tape and remove the source of the Inf.
The objective is unchanged, and now followed.

## Example

```python
# faulty
import keras
import numpy as np
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
optimizer = keras.optimizers.Adam(1e-3)
train_generator = False


@tf.function
def step(noise):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(generator(noise)))
    gradients = tape.gradient(loss, generator.trainable_variables)
    if train_generator:
        optimizer.apply_gradients(zip(gradients, generator.trainable_variables))
    return gradients


gradients = step(tf.ones((2, 3)))  # a warm-up of the discriminator would go on here
train_generator = True
before = generator.get_weights()
gradients = step(tf.ones((2, 3)))
assert all(g is not None and np.any(g) for g in gradients)
assert all(np.array_equal(a, b) for a, b in zip(before, generator.get_weights()))
```

```python
# corrected
import keras
import numpy as np
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
optimizer = keras.optimizers.Adam(1e-3)


@tf.function
def generator_step(noise):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(generator(noise)))
    gradients = tape.gradient(loss, generator.trainable_variables)
    optimizer.apply_gradients(zip(gradients, generator.trainable_variables))
    return gradients


before = generator.get_weights()
gradients = generator_step(tf.ones((2, 3)))
assert all(g is not None for g in gradients)
assert not any(np.array_equal(a, b) for a, b in zip(before, generator.get_weights()))
```

## References

- TensorFlow guide, *Better performance with tf.function*, section "Depending on Python global and free variables".
- Keras API, *Optimizers* (`gradient_accumulation_steps`), *LossScaleOptimizer*.
- IEEE 754: a float32 significand has 24 bits, a float16 significand 11.
- Radford, Metz, Chintala, *Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
  Networks*, 2015, arXiv 1511.06434; Gulrajani et al., *Improved Training of Wasserstein GANs*, 2017, arXiv
  1704.00028.
"""

from __future__ import annotations

import ast

from ganmedic.analysis.idle import Idle, idle_variables
from ganmedic.analysis.networks import Net
from ganmedic.analysis.run import Gap, Run
from ganmedic.analysis.source import called_name, definitions, returned_by, statement, text_of, tree, used_next
from ganmedic.analysis.story import capital, innermost, locations, portion
from ganmedic.causes.building import finding_of
from ganmedic.finding import Finding, Remedy
from ganmedic.record.flow import READS
from ganmedic.record.record import Record
from ganmedic.record.schema import GradientCall, Optimizer, Place

SLUG = "not-applied"
FAMILY = "missing"
TITLE = "Gradients are computed, but the weights never change"


#: So many operations at most lie between a gradient and the variable it is taken from.
_STEPS_TO_UPDATE = 6
#: From this share of the updates on, a learning rate of zero is more than the last step of a schedule.
IDLE_SHARE = 0.25


def find(record: Record) -> list[Finding]:
    """Networks that have gradients and do not move."""
    run = Run.of(record)
    found = [_explain(run, idle) for idle in idle_variables(run) if idle.slug == SLUG]
    if record.complete:
        for optimizer in record.optimizers.values():
            finding = _explain_rate(run, optimizer)
            if finding is not None:
                found.append(finding)
    return found


def _explain(run: Run, idle: Idle) -> Finding:
    call = idle.call
    assert call is not None
    gap = Gap(call, idle.net, idle.values)
    if idle.apply is not None:
        place = innermost(idle.apply.stack)
        summary = (
            f"{capital(portion(run, idle.net, idle.values))} never move: their gradients are applied to a copy of them."
        )
        remedy = Remedy(
            "Apply the gradients to the network's own variables.",
            f"optimizer.apply_gradients(zip(gradients, {idle.net.name}.trainable_variables))",
        )
    else:
        place = innermost(call.stack)
        lost = _lost_update(run, call)
        place = (
            lost or _skipped_apply(run, call) or (used_next(run.record, place) if place is not None else None) or place
        )
        summary = f"{capital(portion(run, idle.net, idle.values))} never move: their gradients are computed and never applied."
        remedy = Remedy(
            "Hand the gradients to the optimizer in every step.",
            f"optimizer.apply_gradients(zip(gradients, {idle.net.name}.trainable_variables))",
        )
    return finding_of(
        run,
        gap,
        SLUG,
        summary,
        locations(run, (place, "fault"), (innermost(call.stack), "gradient")),
        remedies=(remedy,),
        evidence=(
            f"{sum(result != 'none' for result in call.results)} gradients came back from tape.{call.method}",
            f"{len(idle.values)} weights kept their value bit for bit",
        ),
        confidence=0.88,
        severity="error" if idle.whole else "warning",
    )


def _lost_update(run: Run, call: GradientCall) -> Place | None:
    """A line that computes a new value from a variable and its gradient, which nobody stores (``v = v - rate * g``)."""
    for source, gradient in zip(call.sources, call.values, strict=False):
        level = {gradient} if gradient is not None else set()
        for _ in range(_STEPS_TO_UPDATE):
            users = [
                user for value in level for user, _ in run.record.consumers.get(value, ()) if user.gradient_call is None
            ]
            for user in users:
                read = [run.record.producers.get(value) for value in user.inputs]
                handles = {
                    run.record.resolve(made[0].inputs[0]) for made in read if made is not None and made[0].kind in READS
                }
                if source in handles and user.stack:
                    return user.stack[-1]
            level = {value for user in users for value in user.outputs}
    return None


def _skipped_apply(run: Run, call: GradientCall) -> Place | None:
    """The condition around an ``apply`` in the user's code that was never reached, near the gradient call."""
    place = innermost(call.stack)
    root = tree(run.record, place.file) if place is not None else None
    if place is None or root is None:
        return None
    reached = {at.line for apply in run.record.applies.values() for at in apply.stack if at.file == place.file}
    found: list[tuple[bool, int]] = []
    for node in ast.walk(root):
        if isinstance(node, ast.If) and node.test is not None:
            calls = [
                inner
                for part in (*node.body, *node.orelse)
                for inner in ast.walk(part)
                if isinstance(inner, ast.Call) and called_name(inner) in ("apply_gradients", "apply", "assign_sub")
            ]
            inside = [one for one in calls if not reached & set(range(one.lineno, (one.end_lineno or one.lineno) + 1))]
            if inside:
                found.append((not _near(root, node, place), node.lineno))
    return (
        Place(place.file, min(found)[1], place.function) if found and (not min(found)[0] or len(found) == 1) else None
    )


def _near(root: ast.Module, node: ast.If, place: Place) -> bool:
    for function in ast.walk(root):
        if isinstance(function, ast.FunctionDef) and function.lineno <= place.line <= (function.end_lineno or 0):
            return function.lineno <= node.lineno <= (function.end_lineno or 0)
    return True


# --- a learning rate of zero ------------------------------------------------------------------------------------------


def _explain_rate(run: Run, optimizer: Optimizer) -> Finding | None:
    rates = optimizer.rates
    if not rates or rates[-1] != 0 or sum(rate == 0 for rate in rates) < max(1.0, IDLE_SHARE * len(rates)):
        return None
    values = tuple(value for value in optimizer.variables if run.meant_to_train(value))
    applied = [apply for apply in run.record.applies.values() if apply.optimizer == optimizer.id and not apply.error]
    if not values or not applied:
        return None
    net: Net | None = run.net_of.get(values[0])
    call = next((call for call in run.calls if values[0] in call.sources), None) or GradientCall(0, 0, (), 0)
    gap = Gap(call, net, values)
    always = all(rate == 0 for rate in rates)
    share = sum(rate == 0 for rate in rates) / len(rates)
    return finding_of(
        run,
        gap,
        SLUG,
        f"{capital(portion(run, net, values))} {'never move' if always else 'stop moving'}: the learning rate of "
        f"{optimizer.kind} is 0{'' if always else f' for the last {share:.0%} of the updates'}.",
        locations(
            run,
            (_rate_place(run, optimizer), "fault"),
            (innermost(optimizer.stack), "optimizer"),
            (innermost(applied[0].stack), "apply"),
        ),
        remedies=(Remedy("Give the optimizer a learning rate above 0 for the whole training.", "learning_rate=2e-4"),),
        evidence=(f"learning rate over the run: {', '.join(f'{rate:.3g}' for rate in rates)}",),
        confidence=0.95,
        severity="error",
    )


def _rate_place(run: Run, optimizer: Optimizer) -> Place | None:
    """Where the learning rate comes from: the schedule that was handed to the optimizer, else the optimizer itself."""
    made = innermost(optimizer.stack)
    found = statement(run.record, made) if made is not None else None
    root = tree(run.record, made.file) if made is not None else None
    if made is None or found is None or root is None:
        return made
    functions = definitions(root)
    for inner in ast.walk(found):
        helper = functions.get(called_name(inner)) if isinstance(inner, ast.Call) else None
        if helper is not None and any(_is_schedule(one) for one in ast.walk(helper) if isinstance(one, ast.Call)):
            return returned_by(run.record, Place(made.file, helper.lineno, helper.name)) or made
    names = {inner.id for inner in ast.walk(found) if isinstance(inner, ast.Name)}
    names |= {inner.attr for inner in ast.walk(found) if isinstance(inner, ast.Attribute)}
    for node in ast.walk(root):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node is not found:
            target = text_of(node.targets[0]).removeprefix("self.")
            if target in names and _is_schedule(node.value):
                return Place(made.file, node.lineno, made.function)
    return made


def _is_schedule(call: ast.Call) -> bool:
    name = called_name(call)
    return any(part in name for part in ("Decay", "Schedule", "Restarts", "Constant"))
