"""The list of variables was read before the network had them, or belongs to a network that is no longer the one in use.

## What it means

A Keras network without an input shape has no variables until it is called for the first time. `trainable_variables`
of a subclassed model, or of a `Sequential` without `keras.Input`, is then not an error but the empty list, and of a
half-built model it is a list of the layers built so far. The list is a copy: it does not grow when the model is built
later. The same happens at the other end, when a list outlives its network: the model was built again, loaded from a
file or cloned, and the old list still names the variables of its predecessor.

- Empty list, gradients asked for: `tape.gradient(loss, [])` gives `[]`, and the optimizer fails on it:

      ValueError: not enough values to unpack (expected 2, got 0)

- Optimizer built with the empty list (`optimizer.build(model.trainable_variables)` in a constructor), variables
  later:

      ValueError: Unknown variable: <Variable path=generator/dense/kernel, shape=(3, 4), dtype=float32, value=...>.
      This optimizer can only be called for the variables it was originally built with.

- Half a list: nothing is reported. The layers that were not yet built are never trained.
- Stale list (`model = build()` a second time, `keras.models.load_model`, `clone_model`): every gradient is `None`,
  hence `ValueError: No gradients provided for any variable.`
- Weights copied too early (a moving average, `set_weights` on an unbuilt copy):

      ValueError: You called `set_weights(weights)` on layer 'generator' with a weight list of length 4,
      but the layer was expecting 0 weights.

## How it is recognised

Each list that goes to a tape or an optimizer is compared with the variables that the network has when its loss is
computed, by identity. The cause is named where the list is empty or too short and the missing variables were created
after it was read, or where it holds variables of a network that another one of the same make has replaced in the
loss. The finding quotes the line that read the list and the first call that built the network. Order of events and
identity decide; there is no threshold.

## Why it hurts

The empty list stops training with a message that speaks of unpacking and not of variables. The short list is worse:
the first layers of the generator train on top of random upsampling blocks, the loss moves, and only the samples stay
bad. Moving statistics of BatchNormalization do move in such a block, so that comparing all weights makes it look
alive.

## Not to be confused with

- `frozen`: the list is empty because of `trainable = False`; the same errors appear.
- An exhausted iterator: `pairs = zip(gradients, variables)`, a first `for` or `list(pairs)`, and then
  `apply_gradients(pairs)` also ends in "not enough values to unpack (expected 2, got 0)". Make it a list.
- `variables-left-out`: the variables exist when the list is read, and the list leaves them out.
- `wrong-pairing`: "Unknown variable" because one optimizer serves two networks.

## Remedy, and what it changes

Build first, read then. Give the network its input shape (`keras.Input((latent,))` as the first entry), call
`model.build((None, latent))`, or call it once on a batch of the right shape before anything reads the list. Or read
`model.trainable_variables` inside the step, where the network has been called already. After loading, cloning or
rebuilding a model, read the list again and make a new optimizer, or `optimizer.build` it with the new list. The
objective is unchanged; variables that stood still begin to move.

## Example

```python
# faulty
import keras
import tensorflow as tf

generator = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)])
variables = generator.trainable_variables

with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.square(generator(tf.ones((2, 3)))))
gradients = tape.gradient(loss, variables)
assert gradients == []
assert len(generator.trainable_variables) == 4
try:
    keras.optimizers.Adam().apply_gradients(zip(gradients, variables))
    raise AssertionError("an empty list was accepted")
except ValueError as error:
    assert str(error) == "not enough values to unpack (expected 2, got 0)"

variables = generator.trainable_variables
generator = keras.models.clone_model(generator)
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.square(generator(tf.ones((2, 3)))))
assert all(g is None for g in tape.gradient(loss, variables))
```

```python
# corrected
import keras
import tensorflow as tf

layers = [keras.Input((3,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2)]
generator = keras.Sequential(layers)
variables = generator.trainable_variables

with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.square(generator(tf.ones((2, 3)))))
gradients = tape.gradient(loss, variables)
assert len(gradients) == 4
assert all(g is not None for g in gradients)
keras.optimizers.Adam().apply_gradients(zip(gradients, variables))
```

## References

- Keras guides, *The Sequential model* ("Specifying the input shape in advance") and *Making new layers and models via
  subclassing*.
- Keras API, *Optimizers*: `build`, `apply_gradients`.
- tensorflow/tensorflow #39358 and asyml/texar pull request #110 (variables collected before the modules have been
  called).
"""

from __future__ import annotations

from ganmedic.analysis.idle import Idle, idle_variables, reads_of
from ganmedic.analysis.run import Gap, Run
from ganmedic.analysis.source import assigned_name
from ganmedic.analysis.story import capital, innermost, locations, portion
from ganmedic.analysis.verdicts import cause_of, twin
from ganmedic.causes.building import call_evidence, failure_finding, finding_of
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Failure, GradientCall, ListRead, Module, Place

SLUG = "unbuilt-variables"
FAMILY = "missing"
TITLE = "The variable list is older than the variables that are trained"


def find(record: Record) -> list[Finding]:
    """Lists of variables that were read too early, or belong to a model that has been replaced since."""
    run = Run.of(record)
    found = [_explain_stale(run, gap) for gap in run.gaps if gap.absent and cause_of(run, gap) == SLUG]
    found.extend(_explain(run, idle) for idle in idle_variables(run) if idle.slug == SLUG)
    named = {finding.network_name for finding in found}
    for call in run.calls:
        for read in _empty_reads(run, call):
            finding = _explain_empty(run, call, read)
            if finding.network_name not in named:
                named.add(finding.network_name)
                found.append(finding)
    failure = record.failure
    if failure is not None and not found and "Unknown variable" in failure.message:
        read_early = _built_early(run)
        if read_early is not None:
            found.append(_explain_build(run, failure, read_early))
    return found


# --- read too early -------------------------------------------------------------------------------------------------


def _empty_reads(run: Run, call: GradientCall) -> list[ListRead]:
    if call.sources:
        return []
    return [
        read
        for read in reads_of(run, call)
        if not read.variables
        and (weights := _weights(run, run.record.modules[read.module]))
        and all(run.record.variables[value].seen > read.id for value in weights)
    ]


def _weights(run: Run, module: Module) -> tuple[int, ...]:
    return tuple(value for value in module.variables if run.meant_to_train(value))


def _explain_empty(run: Run, call: GradientCall, read: ListRead) -> Finding:
    module = run.record.modules[read.module]
    weights = _weights(run, module)
    gap = Gap(call, run.net_of.get(weights[0]), weights)
    name = gap.net.name if gap.net is not None else module.name
    return finding_of(
        run,
        gap,
        SLUG,
        f"The list of variables of {name} is empty: it was read before the model had made any.",
        locations(run, (innermost(read.stack), "fault"), (innermost(call.stack), "gradient")),
        remedies=(_remedy(name),),
        evidence=(f"the list had 0 variables when it was read; {name} has {len(weights)} now",),
        confidence=0.95,
        severity="error",
    )


def _explain(run: Run, idle: Idle) -> Finding:
    assert idle.read is not None
    read = idle.read
    call = idle.call or next(iter(run.record.gradient_calls.values()))
    gap = Gap(call, idle.net, idle.values)
    return finding_of(
        run,
        gap,
        SLUG,
        f"{capital(portion(run, idle.net, idle.values))} are never trained: the list was read before they were made.",
        locations(run, (innermost(read.stack), "fault"), (innermost(call.stack), "gradient")),
        remedies=(_remedy(idle.net.name),),
        evidence=(
            f"the list had {len(read.variables)} variables when it was read; the model has "
            f"{len(run.record.modules[read.module].trainable_variables)} now",
        ),
        confidence=0.93,
        severity="error" if idle.whole else "warning",
    )


def _remedy(name: str) -> Remedy:
    return Remedy(
        "Build the model before its variables are read, or read the list where it is used.",
        f"{name}(example_input)  # builds it\nvariables = {name}.trainable_variables",
    )


# --- replaced since -------------------------------------------------------------------------------------------------


def _explain_stale(run: Run, gap: Gap) -> Finding:
    pair = twin(run, gap)
    assert pair is not None
    old, new = pair
    read = run.list_read(gap.call, gap.values)
    place: Place | None = innermost(read.stack) if read is not None else innermost(gap.call.stack)
    name = assigned_name(run.record, new.stack) or new.name
    return finding_of(
        run,
        gap,
        SLUG,
        f"The gradient of {portion(run, gap.net, gap.values)} is None: they belong to a model that has been replaced; the loss "
        f"is computed with a new {name} of the same build.",
        locations(
            run,
            (place, "fault"),
            (innermost(new.stack), "network"),
            (innermost(old.stack), "network"),
            (innermost(gap.call.stack), "gradient"),
        ),
        remedies=(
            Remedy(
                "Read the list again after the model was made anew, and give it a new optimizer.",
                f"variables = {name}.trainable_variables",
            ),
        ),
        evidence=call_evidence(run, gap),
        confidence=0.9,
    )


# --- an optimizer built on nothing ------------------------------------------------------------------------------------


def _built_early(run: Run) -> ListRead | None:
    """A list that was read before its model had variables, of the model that the optimizer now does not know."""
    failed = [apply for apply in run.record.applies.values() if "Unknown variable" in apply.error]
    for apply in failed:
        for read in run.record.list_reads.values():
            module = run.record.modules[read.module]
            later = [value for value in apply.variables if value in module.variables and value not in read.variables]
            if read.id < apply.id and later and all(run.record.variables[value].seen > read.id for value in later):
                return read
    return None


def _explain_build(run: Run, failure: Failure, read: ListRead) -> Finding:
    module = run.record.modules[read.module]
    weights = _weights(run, module)
    name = module.name
    return failure_finding(
        run,
        failure,
        SLUG,
        f"The optimizer does not know the variables of {name}: it was built with a list that was read before the model had "
        "made them.",
        remedies=(_remedy(name),),
        confidence=0.9,
        place=innermost(read.stack),
        more=((innermost(failure.stack), "apply"),),
        values=weights,
    )
