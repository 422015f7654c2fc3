"""The loss depends on these variables, and they are in no list that a gradient is asked for.

## What it means

`tape.gradient` answers for what it is asked, and `apply_gradients` moves what it is given. A variable that is in
neither is left alone, without `None`, without a warning. Two kinds of list are too short.

A list put together by hand:

- `generator.trainable_variables` where an encoder, a mapping network or an embedding should train along with it;
- `zip(gradients, generator.trainable_variables)` with gradients of a longer list: `zip` stops at the shorter one;
- `layers[:-1]`, a filter by name (`if "conv" in v.name`) that misses a renamed layer.

A list by Keras that does not know of the variable. Keras 3 collects `add_weight`, `keras.Variable` and sub-layers in
attributes, lists, tuples and dictionaries. It does not collect

- a raw `tf.Variable` on a layer or model, a change from Keras 2: `layer.trainable_variables == []`;
- anything inside a `tf.Module` that is an attribute of a Keras model;
- a layer used inside a Lambda layer or a closure, and a layer that is made anew in every `call`, which also gets new
  random weights each time.

The other way round it is the same: a `tf.Module` does not find the variables of Keras 3 networks in its attributes,
since these are no `tf.Module` any more. `module.trainable_variables` holds its raw variables only.

Only layers that are added to a layer already built announce themselves:

    ValueError: You cannot add new elements of state (variables or sub-layers) to a layer that is already built.

## How it is recognised

All trainable variables that the chain of operations from the loss reads are compared, by identity, with all lists
that any tape was asked for and any optimizer was given in a whole round of the loop. The cause is named for those in
none of them. Bitwise comparison shows that they stand still. Where `zip` cut the list, the gradient was computed and
never applied, and the finding quotes both lengths. There is no threshold.

## Why it hurts

Random, fixed layers stay in the middle of a network that learns round them. The losses look normal. The result is a
ceiling that no tuning lifts: an encoder that throws information away, classes that all look alike, style that does
not respond.

## Not to be confused with

- `frozen`: the flag `trainable = False` takes them out of the list.
- `unbuilt-variables`: they did not exist yet when the list was read.
- `variable-unused`: the opposite, they are in the list and the loss does not depend on them.
- Networks left alone on purpose: the other player in each step, a moving average, a pre-trained feature network, a
  stage of training that has only some of the networks in turn.
- Moving statistics of BatchNormalization: no optimizer is meant to move them.

## Remedy, and what it changes

Make the list the sum of everything the step is to train, `encoder.trainable_variables + decoder.trainable_variables`,
and let `zip(gradients, variables, strict=True)` check the lengths  (a mismatch raises `ValueError: zip() argument 2
is shorter than argument 1`). In a layer use `self.add_weight(...)` in place of `tf.Variable`, and make sub-layers
attributes in `__init__`. The objective is unchanged, but more is trained: learning rates found for the smaller set
may be too high.

## Example

```python
# faulty
import keras
import tensorflow as tf


class Scale(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.factor = tf.Variable(tf.ones(2), name="factor")

    def call(self, inputs):
        return inputs * self.factor


encoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), Scale()])
decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
assert len(encoder.trainable_variables) == 2  # the kernel and the bias, not the factor

variables = encoder.trainable_variables + decoder.trainable_variables
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.square(decoder(encoder(tf.ones((2, 3))))))
gradients = tape.gradient(loss, variables)
assert all(g is not None for g in gradients)
pairs = list(zip(gradients, encoder.trainable_variables))
assert len(gradients) == 4
assert len(pairs) == 2  # the decoder's two gradients are dropped
```

```python
# corrected
import keras
import tensorflow as tf


class Scale(keras.layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

    def call(self, inputs):
        return inputs * self.factor


encoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), Scale()])
decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])

variables = encoder.trainable_variables + decoder.trainable_variables
assert len(variables) == 5
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.square(decoder(encoder(tf.ones((2, 3))))))
gradients = tape.gradient(loss, variables)
assert all(g is not None for g in gradients)
assert len(list(zip(gradients, variables, strict=True))) == 5
```

## References

- Keras guides, *Making new layers and models via subclassing* and *Migrating Keras 2 code to multi-backend Keras 3*
  (`tf.Variable` as an attribute of a layer).
- Python documentation, `zip(..., strict=True)`; PEP 618.
- tensorflow/docs pull request #2401 (the `tf.Variable` of a layer in the guide is not tracked).
"""

from __future__ import annotations

from ganmedic.analysis.idle import Idle, idle_variables, reads_of
from ganmedic.analysis.run import Gap, Run
from ganmedic.analysis.source import argument, call_named, made_at, text_of
from ganmedic.analysis.story import capital, innermost, locations, portion
from ganmedic.causes.building import finding_of
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import GradientCall, Place

SLUG = "variables-left-out"
FAMILY = "missing"
TITLE = "Part of what the loss depends on is in no variable list"


def find(record: Record) -> list[Finding]:
    """Variables that take part in the loss and are in no list of variables to train."""
    run = Run.of(record)
    return [_explain(run, idle) for idle in idle_variables(run) if idle.slug == SLUG]


def _explain(run: Run, idle: Idle) -> Finding:
    call = idle.call
    assert call is not None
    gap = Gap(call, idle.net, idle.values)
    who = portion(run, idle.net, idle.values)
    name = idle.net.name
    if idle.apply is not None:
        place = innermost(idle.apply.stack)
        summary = f"{capital(who)} never move: their gradients are computed, but zip pairs only {len(idle.apply.variables)} of them."
        remedy = Remedy(
            "Zip the gradients with the very list they were asked for; zip cuts the longer one without a word.",
            "optimizer.apply_gradients(zip(gradients, variables, strict=True))",
        )
    elif _untracked(run, idle):
        place = _untracked_place(run, idle)
        summary = (
            f"{capital(who)} never move: they sit in an object that Keras does not track, so the model's trainable_variables "
            "do not hold them."
        )
        remedy = Remedy(
            "Make the object that holds the layers a keras.Layer, set the layers as attributes of the model, and make single "
            "variables with add_weight.",
            "class Block(keras.layers.Layer):  # instead of a plain class; self.add_weight(...) instead of tf.Variable(...)",
        )
    else:
        place = _list_place(run, idle, call)
        summary = (
            f"{capital(who)} never move: they take part in the loss, but no list of variables to train holds them."
        )
        remedy = Remedy(
            f"Add them to the list that the gradient is asked for: {_parts(run, idle)}.",
            f"variables += {name}.trainable_variables",
        )
    return finding_of(
        run,
        gap,
        SLUG,
        summary,
        locations(run, (place, "fault"), (innermost(call.stack), "gradient"), (_made(run, idle), "network")),
        remedies=(remedy,),
        evidence=(
            f"{len(idle.values)} weights kept their value bit for bit",
            "a gradient would reach them from this loss" if idle.apply is None else "gradients for them were computed",
        ),
        confidence=0.85,
        severity="error" if idle.whole else "warning",
    )


def _parts(run: Run, idle: Idle) -> str:
    holders = run.holders(idle.values)
    return holders[0].name if holders else idle.net.name


def _made(run: Run, idle: Idle) -> Place | None:
    holders = run.holders(idle.values)
    return innermost(made_at(run.record, holders[0].stack)) if holders else None


def _list_place(run: Run, idle: Idle, call: GradientCall) -> Place | None:
    """Where the list is put together that lacks the variables: its assignment, else the gradient call."""
    candidates = [other for other in run.calls if _belongs(run, idle, other)] or [call]
    best = candidates[-1]
    reads = [read for read in reads_of(run, best) if read.stack and read.stack != best.stack]
    if reads:
        return innermost(reads[-1].stack)
    place = innermost(best.stack)
    asked = text_of(argument(call_named(run.record, place, best.method), 1, "sources")) if place is not None else ""
    assigned = _assignment(run, place, asked) if place is not None else None
    return assigned or place


def _belongs(run: Run, idle: Idle, call: GradientCall) -> bool:
    """Whether a gradient call trains the player that the variables belong to."""
    reach = run.flow.behind(call)
    reaches = any(node in reach.differentiable for value in idle.values[:1] for node in reach.by_value.get(value, ()))
    roles = {run.net_of[value].role for value in call.sources if value in run.net_of}
    return reaches and (idle.net.role in roles or idle.net.role in ("encoder", "other"))


def _assignment(run: Run, place: Place, name: str) -> Place | None:
    import ast

    from ganmedic.analysis.source import tree

    root = tree(run.record, place.file)
    if root is None or not name:
        return None
    for node in ast.walk(root):
        if isinstance(node, ast.Assign) and any(text_of(target) == name for target in node.targets):
            return Place(place.file, node.lineno, place.function)
    return None


def _untracked(run: Run, idle: Idle) -> bool:
    return idle.net.name.startswith("untracked layers of ")


def _untracked_place(run: Run, idle: Idle) -> Place | None:
    """Where the model makes the object that holds the layers: below the line that makes the model itself."""
    module = idle.net.module
    if module is None:
        return innermost(run.record.variables[idle.values[0]].stack)
    parents = [
        other
        for other in run.record.modules.values()
        if other.model
        and other.custom
        and len(other.stack) > 1
        and other.id < module.id
        and other.stack[:-1] == module.stack[: len(other.stack) - 1]
    ]
    depth = max((len(other.stack) - 1 for other in parents), default=len(module.stack) - 1)
    return module.stack[min(depth, len(module.stack) - 1)] if module.stack else None
