"""`trainable = False` hides the network's variables from the very step that is to train it.

## What it means

In Keras 3 `network.trainable = False` does one thing to gradients: it takes the variables out of
`network.trainable_variables`. No gradient becomes `None` by it. The tape goes on watching them, and a list that was
read before the freezing still trains them. So the fault shows itself as something that does not happen:

- The stacked GAN of older tutorials: `discriminator.compile(...)`, then `discriminator.trainable = False`, then
  `combined.compile(...)`. Up to Keras 2 the flag was copied at `compile`. In Keras 3 it is read when the training
  function is traced, on the first `train_on_batch`: the discriminator is frozen by then and stays so. All that is
  said is one warning:

      The model does not have any trainable weights.

- A custom loop with the frozen network's list gets an empty one, and the optimizer fails:

      ValueError: not enough values to unpack (expected 2, got 0)

- A layer or block frozen for pre-training (`encoder.trainable = False`) and never thawed: the rest trains, nothing is
  said.
- Layers shared by both networks: freezing the discriminator freezes the shared part of the generator as well.

When the flag is read matters: `fit`, `train_on_batch` and a `tf.function` read it ONCE, while they are traced.
Thawing a model after its first `train_on_batch` changes nothing, and freezing it after that does not stop its
training. An eager loop reads it at every step.

## How it is recognised

The variables exist, the loss depends on them, the script trains this network (it has an optimizer and a loss, or its
list was handed to a tape), and they are missing from the list at the moment it was read because a flag on the network
or on something above it is off. Bitwise comparison before and after the step confirms that they did not move. The
finding quotes the line that switched the flag off; there is no threshold.

A network frozen on purpose is no finding: one that the script never trains (a perceptual loss, a moving average), or
one that is frozen only in the steps of the other player.

## Why it hurts

The frozen player is a random function. With a frozen discriminator the generator learns to please a random critic:
the loss falls nicely and the samples are noise. `trainable = False` also puts BatchNormalization into inference mode:
it uses its moving statistics, which at that moment may still be those of initialisation.

## Not to be confused with

- `unbuilt-variables`: the list is just as empty, because nothing has been built yet. The warning and the errors are
  the same.
- `variables-left-out`: the flag is on, and the list is incomplete for another reason.
- `not-applied`: the gradients are computed, and no update happens.
- `stop-gradient`: a cut in the graph, independent of any list.

## Remedy, and what it changes

Best: no flag at all. Two tapes or two lists, `generator.trainable_variables` and `discriminator.trainable_variables`,
and each optimizer gets its own. The objective does not change, and BatchNormalization stays in training mode in both
steps.

For a stacked model with `train_on_batch`, switch the flag on around the discriminator's own calls and off around the
combined model's, from the first call on, so that each training function is traced in the right state. Or call
`discriminator.compile(...)` anew after changing the flag: the next call traces again. For a pre-trained block, set
`block.trainable = True` before the training function is traced and compile again.

## Example

```python
# faulty
import keras
import numpy as np
import tensorflow as tf

discriminator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
discriminator.compile("sgd", "mse")
discriminator.trainable = False  # for the combined model
noise = keras.Input((2,))
combined = keras.Model(noise, discriminator(keras.layers.Dense(3)(noise)))
combined.compile("sgd", "mse")

before = discriminator.get_weights()
discriminator.train_on_batch(tf.ones((4, 3)), tf.zeros((4, 1)))
assert all(np.array_equal(a, b) for a, b in zip(before, discriminator.get_weights()))

try:
    keras.optimizers.Adam().apply_gradients(zip([], discriminator.trainable_variables))
    raise AssertionError("an empty list was accepted")
except ValueError as error:
    assert str(error) == "not enough values to unpack (expected 2, got 0)"
```

```python
# corrected
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
discriminator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])

with tf.GradientTape(persistent=True) as tape:
    fake_score = discriminator(generator(tf.ones((4, 2))))
    real_score = discriminator(tf.ones((4, 3)))
    d_loss = tf.reduce_mean(tf.nn.softplus(-real_score) + tf.nn.softplus(fake_score))
    g_loss = tf.reduce_mean(tf.nn.softplus(-fake_score))
d_gradients = tape.gradient(d_loss, discriminator.trainable_variables)
g_gradients = tape.gradient(g_loss, generator.trainable_variables)
assert len(d_gradients) == len(g_gradients) == 2
assert all(g is not None for g in d_gradients + g_gradients)
```

## References

- Keras guide, *Transfer learning & fine-tuning*: what `trainable` means, and that it is fixed when a model is
  compiled.
- Keras API, *BatchNormalization layer*: `trainable = False` means inference mode.
- keras-team/keras #8585 (freezing after `compile` in a GAN), eriklindernoren/Keras-GAN #73 and #91,
  ageron/handson-ml3 #252.
"""

from __future__ import annotations

import ast

from ganmedic.analysis.idle import Idle, idle_variables, reads_of
from ganmedic.analysis.run import Gap, Run
from ganmedic.analysis.source import statement
from ganmedic.analysis.story import capital, innermost, locations, portion
from ganmedic.analysis.verdicts import cause_of
from ganmedic.causes.building import call_evidence, finding_of
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Freeze, GradientCall, Place

SLUG = "frozen"
FAMILY = "missing"
TITLE = "A frozen network is hidden from the step that is to train it"


def find(record: Record) -> list[Finding]:
    """Variables that a step sets out to train and that ``trainable = False`` hides from it."""
    run = Run.of(record)
    found = [_explain_gap(run, gap) for gap in run.gaps if not gap.absent and cause_of(run, gap) == SLUG]
    found.extend(_explain(run, idle) for idle in idle_variables(run) if idle.slug == SLUG)
    seen = {finding.network_name for finding in found}
    for call in run.calls:
        lost = _lost(run, call)
        if lost is not None and lost[1] not in seen:
            found.append(_explain_empty(run, call, *lost))
            seen.add(lost[1])
    return found


def _explain_gap(run: Run, gap: Gap) -> Finding:
    """Variables made with ``trainable=False``, which no tape watches by itself."""
    row = run.record.variables[gap.chain[-1].input.value]
    return finding_of(
        run,
        gap,
        SLUG,
        f"The gradient of {portion(run, gap.net, gap.values)} is None: they were made with trainable=False, and a tape does "
        "not watch such variables.",
        locations(
            run,
            (innermost(row.stack) or innermost(gap.call.stack), "fault"),
            (innermost(gap.call.stack), "gradient"),
        ),
        remedies=(Remedy("Make the variables with trainable=True.", "tf.Variable(value, trainable=True)"),),
        evidence=call_evidence(run, gap),
        confidence=0.93,
    )


def _explain(run: Run, idle: Idle) -> Finding:
    assert idle.freeze is not None
    gap = Gap(idle.call or _any_call(run), idle.net, idle.values)
    trained_by = idle.train.method if idle.train is not None else "tape.gradient"
    place = idle.train.stack[-1] if idle.train is not None and idle.train.stack else None
    if place is None and idle.call is not None:
        place = innermost(idle.call.stack)
    freezing = _text(run, idle.freeze)
    return finding_of(
        run,
        gap,
        SLUG,
        f"{capital(portion(run, idle.net, idle.values))} never train: {freezing} hides them from {trained_by}.",
        locations(run, (freeze_place(run, idle.freeze), "fault"), (place, "gradient")),
        remedies=(_remedy(run, idle.freeze, idle.net.name),),
        evidence=(
            f"{len(idle.values)} weights kept their value bit for bit",
            f"{trained_by} found {0 if idle.whole else 'only the other'} trainable variables",
        ),
        confidence=0.93 if idle.whole else 0.8,
        severity="error" if idle.whole else "warning",
    )


def _lost(run: Run, call: GradientCall) -> tuple[Freeze, str, tuple[int, ...]] | None:
    """A gradient call that asks for nothing because everything in its list is frozen."""
    if call.sources or not call.stack:
        return None
    for read in reads_of(run, call):
        module = run.record.modules[read.module]
        freezes = [
            row
            for row in run.record.freezes.values()
            if row.id < read.id and set(run.record.modules[row.module].variables) & set(module.variables)
        ]
        early = any(run.record.variables[value].seen < read.id for value in module.variables)
        if early and freezes and not freezes[-1].value and module.variables and not read.variables:
            net = run.net_of.get(module.variables[0])
            return freezes[-1], net.name if net is not None else module.name, module.variables
    return None


def _explain_empty(run: Run, call: GradientCall, freeze: Freeze, name: str, values: tuple[int, ...]) -> Finding:
    weights = tuple(value for value in values if run.meant_to_train(value))
    gap = Gap(call, run.net_of.get(weights[0]) if weights else None, weights)
    return finding_of(
        run,
        gap,
        SLUG,
        f"The gradient is asked for an empty list: {_text(run, freeze)} has hidden all variables of {name}.",
        locations(run, (freeze_place(run, freeze), "fault"), (innermost(call.stack), "gradient")),
        remedies=(_remedy(run, freeze, name),),
        evidence=("the list of trainable variables was empty when the gradient was asked for",),
        confidence=0.93,
        severity="error",
    )


def freeze_place(run: Run, freeze: Freeze) -> Place | None:
    """The line that decides on freezing: in a helper that is handed the flag, the call of the helper."""
    for place in reversed(freeze.stack):
        found = statement(run.record, place)
        if isinstance(found, ast.Assign) and not isinstance(found.value, ast.Constant) and len(freeze.stack) > 1:
            continue
        return place
    return innermost(freeze.stack)


def _any_call(run: Run) -> GradientCall:
    return next(iter(run.record.gradient_calls.values()), GradientCall(0, 0, (), 0))


def _text(run: Run, freeze: Freeze) -> str:
    place = freeze_place(run, freeze)
    return f"`trainable = {freeze.value}` at line {place.line}" if place is not None else f"trainable = {freeze.value}"


def _remedy(run: Run, freeze: Freeze, name: str) -> Remedy:
    place: Place | None = innermost(freeze.stack)
    line = run.record.line(place.file, place.line).strip() if place is not None else ""
    thaw = line.replace("False", "True") if "False" in line else f"{name}.trainable = True"
    return Remedy(
        "Make the network trainable again before the step that is to train it, and freeze it only around the other player's.",
        f"{thaw}\n# ... train it ...\n{line or name + '.trainable = False'}",
    )
