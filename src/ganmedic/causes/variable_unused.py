"""No chain of operations leads from the loss back to these variables.

## What it means

The tape is sound, the variables exist, and the loss does not depend on them. TensorFlow answers with `None`, not with
zero: zero would say "a change here does not alter the loss at this point", `None` says "this variable never took
part". The usual ways to get there in a GAN:

- a layer or a whole head is built and never called, or its output goes into no loss (the class head of an ACGAN);
- the loss is made from something else than was meant: the discriminator's loss from features only, so that its score
  layer hangs in the air; the generator's loss from the real batch;
- the gradient is asked for the other network: `tape.gradient(g_loss, discriminator.trainable_variables)` after a loss
  that never went through the discriminator.

What one reads then depends on how much is missing. With every gradient `None`, Keras ends the step:

    ValueError: No gradients provided for any variable.

With some of them `None` it warns and trains the rest:

    Gradients do not exist for variables ['digit/kernel', 'digit/bias'] when minimizing the loss. If using
    `model.compile()`, did you forget to provide a `loss` argument?

and code that touches the gradients before the optimizer does (clipping, norms) fails on the first `None`:

    ValueError: None values not supported.                                               (tf.function, fit)
    ValueError: Tried to convert 'x' to a tensor and failed. Error: None values not supported.   (there, tf.square)
    ValueError: Attempt to convert a value (None) with an unsupported type (<class 'NoneType'>) to a Tensor.   (eager)

## How it is recognised

The operations are followed backwards from the target of `tape.gradient` to the variables that were asked for. The
cause is named where the variable was read by no operation on that way, although the tape watched it and no operation
on the way cuts a gradient. Either a path exists or it does not, so there is no threshold. What the variable's layer
did instead is part of the finding: never called, called but its output unused, or used only in a loss of another
step.

## Why it hurts

The variables stay at their initial values for good. If they are the whole network, training stops with an error. If
they are a part of it, everything goes on, the loss may even fall, and a random layer stays in the middle of the model
or a task (the class label, the reconstruction) is never learnt. Python shows the warning once for each place, so that
in a long log it is easily missed; in a `tf.function` it appears only while the function is traced.

## Not to be confused with

- `non-differentiable-op`, `left-tensorflow`, `stop-gradient`, `state-write`: a path is there and something cuts it.
- `outside-tape`: the path is there, and this tape did not record it.
- `variables-left-out`: the opposite fault. The loss depends on the variables, and no gradient is asked for them.
- Moving statistics of BatchNormalization and the state of a SeedGenerator in the list (`model.variables` instead of
  `model.trainable_variables`): `None` is right for them, and the same warning names `moving_mean` and
  `seed_generator_state`. This is no fault of the training, only of the list.
- The last bias of a critic in a gradient penalty: it drops out of the derivative with respect to the input, so its
  `None` in that term alone is normal.

## Remedy, and what it changes

Put the output into the loss it was built for, or ask the tape for the network the loss depends on, or take the unused
layer out. The first changes the objective (a term is added that was meant to be there), the other two leave it as it
is.

Leaving out `None` by hand, `clip_by_global_norm` (which passes `None` through) or
`unconnected_gradients=tf.UnconnectedGradients.ZERO` make the message go away and leave the layer untrained.

## Example

```python
# faulty
import keras
import tensorflow as tf

image = keras.Input((4,))
features = keras.layers.Dense(8, activation="relu")(image)
validity = keras.layers.Dense(1, name="validity")(features)
digit = keras.layers.Dense(10, name="digit")(features)
discriminator = keras.Model(image, [validity, digit])

with tf.GradientTape() as tape:
    score, classes = discriminator(tf.ones((2, 4)))
    loss = tf.reduce_mean(tf.nn.softplus(-score))
gradients = tape.gradient(loss, discriminator.trainable_variables)
missing = [v.path for v, g in zip(discriminator.trainable_variables, gradients) if g is None]
assert missing == ["digit/kernel", "digit/bias"]
```

```python
# corrected
import keras
import tensorflow as tf

image = keras.Input((4,))
features = keras.layers.Dense(8, activation="relu")(image)
validity = keras.layers.Dense(1, name="validity")(features)
digit = keras.layers.Dense(10, name="digit")(features)
discriminator = keras.Model(image, [validity, digit])
labels = tf.constant([3, 7])

with tf.GradientTape() as tape:
    score, classes = discriminator(tf.ones((2, 4)))
    class_loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, classes)
    loss = tf.reduce_mean(tf.nn.softplus(-score)) + tf.reduce_mean(class_loss)
gradients = tape.gradient(loss, discriminator.trainable_variables)
assert all(g is not None for g in gradients)
```

## References

- TensorFlow guide, *Introduction to gradients and automatic differentiation*, section "Cases where gradient returns
  None".
- TensorFlow API, `tf.UnconnectedGradients`.
- tensorflow/tensorflow #1768 (asks that a `None` gradient be explained), #24849 (`None` for a variable that is not in
  the expression).
- Odena, Olah, Shlens, *Conditional Image Synthesis with Auxiliary Classifier GANs*, 2016, arXiv 1610.09585: both
  heads of the discriminator belong in its loss.
"""

from __future__ import annotations

from ganmedic.analysis.run import Gap, Run
from ganmedic.analysis.source import call_named, made_at, returned_by, text_of
from ganmedic.analysis.story import capital, innermost, locations, portion
from ganmedic.analysis.verdicts import cause_of
from ganmedic.causes.building import call_evidence, finding_of
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import LayerCall, Module, Place

SLUG = "variable-unused"
FAMILY = "missing"
TITLE = "No path leads from the loss to these variables"


def find(record: Record) -> list[Finding]:
    """Gaps where no chain of operations leads from the variables to the loss."""
    run = Run.of(record)
    return [_explain(run, gap) for gap in run.gaps if gap.absent and cause_of(run, gap) == SLUG]


def _explain(run: Run, gap: Gap) -> Finding:
    who = portion(run, gap.net, gap.values)
    wrong = _wrong_list(run, gap)
    idle = _idle_module(run, gap)
    stand_in = _stand_in(run, gap)
    if stand_in is not None:
        place = innermost(stand_in.stack)
        called = run.record.modules[stand_in.module].name
        name = gap.net.name if gap.net is not None else "the network"
        summary = f"The gradient of {who} is None: this loss is computed with {called}, of the same build, in place of {name}."
        remedy = Remedy(f"Call {name} here.", run.record.line(place.file, place.line).strip() if place else "")
    elif wrong:
        place, summary, remedy = _about_wrong_list(run, gap, who, wrong)
    elif idle is not None:
        place, summary, remedy = _about_idle_layer(run, gap, who, idle)
    else:
        place = run.loss_place(gap.call)
        summary = f"The loss is not computed from {who}: no operation leads from them to it, so their gradient is None."
        remedy = Remedy(
            "Bring what these variables compute into the loss, or leave them out of the network if nothing needs them.",
            location=None,
        )
    return finding_of(
        run,
        gap,
        SLUG,
        summary,
        locations(
            run,
            (place, "fault"),
            (run.loss_place(gap.call), "loss"),
            (innermost(gap.call.stack), "gradient"),
            (_made(run, gap), "network"),
        ),
        remedies=(remedy,),
        evidence=call_evidence(run, gap),
        confidence=0.9,
    )


def _made(run: Run, gap: Gap) -> Place | None:
    holders = run.holders(gap.values)
    return innermost(made_at(run.record, holders[0].stack)) if holders else None


def _stand_in(run: Run, gap: Gap) -> LayerCall | None:
    """A call of another network of the same build from which this loss is computed, though its gradient is not asked for."""
    if gap.net is None or gap.net.module is None or len(gap.values) < len(gap.call.sources):
        return None
    shapes = [run.record.variables[value].shape for value in gap.net.variables]
    reach = run.flow.behind(gap.call)
    for call in run.record.layer_calls.values():
        module = run.record.modules[call.module]
        alike = module.id != gap.net.module.id and not set(module.variables) & set(gap.values)
        if (
            alike
            and call.id < gap.call.id
            and any(value in reach.by_value for value in call.outputs)
            and [run.record.variables[value].shape for value in module.variables] == shapes
        ):
            return call
    return None


# --- the wrong list -------------------------------------------------------------------------------------------------


def _wrong_list(run: Run, gap: Gap) -> str:
    """The network that this loss does train and that nobody asks about, where a whole other one was asked for."""
    if gap.net is None or len(gap.values) < len(gap.call.sources):
        return ""
    reach = run.flow.behind(gap.call)
    reached = {run.net_of[node.value].name for node in reach.differentiable if node.value in run.net_of}
    asked = {run.net_of[value].name for call in run.calls for value in call.sources if value in run.net_of}
    left = sorted(reached - asked)
    trained = any(run.trained(value) or run.answered.get(value) for value in gap.values)
    return left[0] if left and trained else ""


def _about_wrong_list(run: Run, gap: Gap, who: str, wanted: str) -> tuple[Place | None, str, Remedy]:
    place = innermost(gap.call.stack)
    name = gap.net.name if gap.net is not None else ""
    call = call_named(run.record, place, "gradient") if place else None
    code = text_of(call).replace(name, wanted) if call is not None and name in text_of(call) else ""
    return (
        place,
        f"The gradient is asked for {who}, but this loss is computed from {wanted}, which nobody asks for.",
        Remedy(f"Ask for the gradient of {wanted}.", code),
    )


# --- a layer that nothing uses ----------------------------------------------------------------------------------------


def _idle_module(run: Run, gap: Gap) -> Module | None:
    """The smallest module that holds the variables, where the network around it does get gradients."""
    if gap.net is None or len(gap.values) >= len(gap.net.variables):
        return None
    holders = run.holders(gap.values)
    return holders[0] if holders and set(holders[0].variables) <= set(gap.values) else None


def _about_idle_layer(run: Run, gap: Gap, who: str, module: Module) -> tuple[Place | None, str, Remedy]:
    calls = [call for call in run.record.module_calls(module.id) if call.id < gap.call.id]
    name = module.name
    if not calls:
        place = _call_function(run, gap, module) or innermost(made_at(run.record, module.stack))
        return (
            place,
            f"{capital(who)} get no gradient: layer {name} is never called, so the loss cannot depend on it.",
            Remedy(f"Call {name} where the network is computed, or remove the layer."),
        )
    dead_end = _dead_end(run, gap, calls[-1])
    if dead_end is not None and any(value in run.record.consumers for value in calls[-1].outputs):
        return (
            dead_end,
            f"{capital(who)} get no gradient: {name} is called, but what it computes is not part of what its "
            "network returns.",
            Remedy(f"Bring the output of {name} into what is returned here."),
        )
    bypass = _bypass(run, calls[-1]) if dead_end is not None else None
    if bypass is not None:
        return (
            innermost(bypass.stack),
            f"{capital(who)} get no gradient: {name} is called, but the next layer reads the value from before it.",
            Remedy(f"Hand the output of {name} to the next layer."),
        )
    return (
        run.loss_place(gap.call),
        f"{capital(who)} get no gradient: the output of {name} is computed, but the loss does not use it.",
        Remedy(f"Bring the output of {name} into the loss, or remove the layer."),
    )


def _dead_end(run: Run, gap: Gap, call: LayerCall) -> Place | None:
    """The return line of the user's own layer around a call, if nothing of the call comes out of that layer."""
    outer = run.record.layer_calls.get(call.parent) if call.parent is not None else None
    if outer is None or not run.record.modules[outer.module].custom or not call.stack:
        return None
    reached = run.flow.forward(call.outputs, gap.call.id)
    if reached & set(outer.outputs):
        return None
    return returned_by(run.record, call.stack[-1])


def _call_function(run: Run, gap: Gap, module: Module) -> Place | None:
    """A line on which the module that holds the unused layer is at work: where a sibling is called twice instead."""
    for parent in run.record.modules.values():
        if module.id not in parent.parts:
            continue
        lines: dict[int, list[LayerCall]] = {}
        for part in parent.parts:
            inside = [
                call for call in run.record.module_calls(part) if call.parent is not None and call.id < gap.call.id
            ]
            if len({call.stack[-1:] for call in inside}) > 1:
                lines[part] = inside
        for inside in lines.values():
            return max((call.stack[-1] for call in inside if call.stack), key=lambda place: place.line, default=None)
    return None


def _bypass(run: Run, call: LayerCall) -> LayerCall | None:
    """A later call next to this one that reads what this one read, not what it made."""
    if any(value in run.record.consumers for value in call.outputs):
        return None
    for other in run.record.layer_calls.values():
        if other.id > call.ended and other.parent == call.parent and set(other.inputs) & set(call.inputs):
            return other
    return None
