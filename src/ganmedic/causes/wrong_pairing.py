"""Gradients reach an optimizer paired with variables they were not computed for.

## What it means

`optimizer.apply_gradients(zip(gradients, variables))` believes the pairs it is given. It does not know which variable
a gradient was computed for, and it checks shapes only as far as the arithmetic of the update does. In a GAN, with two
networks, two optimizers and four lists, there are several ways to mix them up:

- the generator's gradients zipped with the discriminator's variables;
- the same variables in another order (a list sorted by name, a `set`, one list reversed, gradients collected layer by
  layer);
- one optimizer for two networks: it is built with the variables of the first call and refuses those of the second;
- the pair the wrong way round, `zip(variables, gradients)`.

The messages for a gradient of shape (4, 2) and a variable of shape (4, 5), where "graph" is a `tf.function` or `fit`:

    InvalidArgumentError: Incompatible shapes: [4,2] vs. [4,5] [Op:Sub]                            (Adam, eager)
    InvalidArgumentError: Cannot update variable with shape [4,5] using a Tensor with shape [4,2]  (SGD, eager)
    ValueError: Dimensions must be equal, but are 2 and 5 for ... Sub                              (Adam, graph)
    ValueError: Dimension 1 in both shapes must be equal, but are 5 and 2                          (SGD, graph)

One optimizer for two networks, in every mode:

    ValueError: Unknown variable: <Variable path=discriminator/hidden/kernel, shape=(3, 4), dtype=float32, ...>.
    This optimizer can only be called for the variables it was originally built with.
    When working with a new set of variables, you should recreate a new optimizer instance.

The pair the wrong way round:

    AttributeError: 'tensorflow.python.framework.ops.EagerTensor' object has no attribute '_unique_id'   (eager)
    AttributeError: 'SymbolicTensor' object has no attribute '_unique_id'                                (graph)

And where the shapes agree, or where Adam can broadcast a gradient of shape (3,) over a variable of shape (3, 3),
nothing at all is said.

## How it is recognised

Every gradient that a tape returns is remembered with the variable it was asked for. At `apply_gradients` each pair is
compared with that memory, through clipping and scaling, by identity and not by shape. The cause is named where a
gradient meets another variable than its own, or where the optimizer was built with the variables of another network.
No threshold.

## Why it hurts

The variables that receive foreign gradients are pushed in directions that have nothing to do with their own loss, and
the network the gradients belong to does not move. Symmetric networks (an encoder and a decoder of equal widths, two
discriminators of one make, the two generators of a CycleGAN) have matching shapes from first to last, so that no
error ends the run.

## Not to be confused with

- `variable-unused`: the tape was already asked for the wrong network, and the gradients are `None`.
- `not-applied`: the optimizer moves copies of the variables.
- `unbuilt-variables`: "Unknown variable" because the optimizer was built with an empty list.
- One optimizer for several networks in ONE call, with one joint list, is sound. So is
  `optimizer.build(generator.trainable_variables + discriminator.trainable_variables)` before two separate calls,
  although each call then counts as a step of the shared learning-rate schedule and of Adam's bias correction.

## Remedy, and what it changes

Read each list once, and use the same name for the tape and for the optimizer. Give each network its own optimizer,
made anew with the network. `zip(gradients, variables, strict=True)` catches lists of unequal length, though not a
wrong order. The objective is unchanged; from now on the right weights follow it.

## Example

```python
# faulty
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
discriminator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)], name="discriminator")

with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.nn.softplus(-discriminator(generator(tf.ones((2, 3))))))
gradients = tape.gradient(loss, generator.trainable_variables)
before = tf.identity(generator.trainable_variables[0])
optimizer = keras.optimizers.Adam(0.1)
optimizer.apply_gradients(zip(gradients, discriminator.trainable_variables))
assert tf.reduce_all(before == generator.trainable_variables[0])

try:
    optimizer.apply_gradients(zip(gradients, generator.trainable_variables))
    raise AssertionError("a second network was accepted")
except ValueError as error:
    assert str(error).startswith("Unknown variable: ")
```

```python
# corrected
import keras
import tensorflow as tf

generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
discriminator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)], name="discriminator")
generator_optimizer = keras.optimizers.Adam(0.1)

generator_variables = generator.trainable_variables
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.nn.softplus(-discriminator(generator(tf.ones((2, 3))))))
gradients = tape.gradient(loss, generator_variables)
assert all(g is not None for g in gradients)
before = tf.identity(generator_variables[0])
generator_optimizer.apply_gradients(zip(gradients, generator_variables, strict=True))
assert not tf.reduce_any(before == generator_variables[0])
```

## References

- Keras API, *Optimizers*: `apply_gradients`, `build`.
- Keras guide, *Writing a training loop from scratch in TensorFlow*, section on a GAN training loop.
- yzhao062/pyod #459 ("Unknown variable" after the move to Keras 3: one optimizer for two networks).
"""

from __future__ import annotations

from ganmedic.analysis.pairs import Pair, mismatches, origins_of
from ganmedic.analysis.run import Run
from ganmedic.analysis.source import decided_at, statement, text_of
from ganmedic.analysis.story import capital, innermost, locations, variable_names
from ganmedic.causes.building import failure_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Apply, Failure, ListRead, Optimizer, Stack

SLUG = "wrong-pairing"
FAMILY = "missing"
TITLE = "Gradients are paired with variables they were not computed for"


def find(record: Record) -> list[Finding]:
    """Applications whose gradients were computed for other variables, and optimizers that were given unknown ones."""
    run = Run.of(record)
    found: list[Finding] = []
    seen: set[object] = set()
    for apply in run.record.applies.values():
        key = (apply.stack, apply.graph)
        if key in seen:
            continue
        pairs = [pair for pair in mismatches(run, apply) if not _is_copy(run, pair)]
        if pairs:
            seen.add(key)
            found.append(_explain(run, apply, pairs))
    found.extend(_by_hand(run))
    failure = record.failure
    if failure is not None and not found:
        found.extend(_explain_failure(run, failure))
    return found


def _is_copy(run: Run, pair: Pair) -> bool:
    """A variable that no network computes with is a copy, not another network's."""
    return pair.variable not in run.net_of or not run.computed_with(pair.variable)


def _explain(run: Run, apply: Apply, pairs: list[Pair]) -> Finding:
    asked = next((call.stack for call in run.calls if pairs[0].origin in call.sources), ())
    place = run.in_function_of(apply.stack, asked) if apply.id == 0 else innermost(apply.stack)
    given = tuple(pair.variable for pair in pairs)
    first = pairs[0]
    names = variable_names(run, (first.origin, first.variable))
    mine, theirs = _net_name(run, first.variable), _net_name(run, first.origin)
    across = mine != theirs
    what = (
        f"gradients of {theirs} are applied to {mine}"
        if across
        else f"gradients of {mine} are applied in another order than its variables"
    )
    return Finding(
        cause=SLUG,
        severity="error",
        confidence=0.95,
        network=run.role_of(given),
        summary=f"{capital(what)}: {len(pairs)} of {len(apply.variables)} pairs do not belong together, e.g. the "
        f"gradient of {names[0]} goes to {names[1]}.",
        evidence=(
            f"{len(pairs)} of {len(apply.variables)} pairs carry the gradient of another variable",
            *((f"the application raised {apply.error.splitlines()[0]}",) if apply.error else ()),
        ),
        locations=locations(run, (place, "fault"), *((innermost(call), "gradient") for call in _asked(run, pairs))),
        variables=variable_names(run, given),
        remedies=(
            Remedy(
                "Zip the gradients with the very list they were asked for.",
                f"variables = {mine}.trainable_variables\n"
                "gradients = tape.gradient(loss, variables)\n"
                "optimizer.apply_gradients(zip(gradients, variables))",
            ),
        ),
        network_name=mine,
        variables_total=len(apply.variables),
    )


def _asked(run: Run, pairs: list[Pair]) -> list[Stack]:
    return [call.stack for call in run.calls if pairs[0].origin in call.sources][:1]


def _net_name(run: Run, variable: int) -> str:
    net = run.net_of.get(variable)
    return net.name if net is not None else "another network"


# --- an update rule written by hand -----------------------------------------------------------------------------------


def _by_hand(run: Run) -> list[Finding]:
    """``variable.assign_sub(rate * gradient)`` with the gradient of another variable."""
    wrong: dict[Stack, list[Pair]] = {}
    for variable, writes in run.record.assigns.items():
        if variable not in run.net_of or not run.meant_to_train(variable):
            continue
        for write in writes:
            if (
                write.kind in ("AssignSubVariableOp", "AssignAddVariableOp")
                and run.flow.by_user(write)
                and len(write.inputs) > 1
            ):
                origins = origins_of(run, write.inputs[1])
                if origins and variable not in origins:
                    wrong.setdefault(write.stack, []).append(Pair(variable, min(origins)))
                break
    return [
        _explain(run, Apply(0, 0, stack, 0, variables=tuple(pair.variable for pair in pairs)), pairs)
        for stack, pairs in wrong.items()
    ]


# --- an optimizer that does not know the variables ----------------------------------------------------------------------


def _explain_failure(run: Run, failure: Failure) -> list[Finding]:
    failed = [apply for apply in run.record.applies.values() if apply.error]
    if "Unknown variable" in failure.message and failed:
        apply = failed[-1]
        optimizer = run.record.optimizers.get(apply.optimizer)
        if optimizer is not None and not _read_early(run, apply):
            return [_explain_unknown(run, failure, apply, optimizer)]
    if "_unique_id" in failure.message and failed:
        return [
            failure_finding(
                run,
                failure,
                SLUG,
                "The pairs are the wrong way round: apply_gradients expects (gradient, variable).",
                remedies=(Remedy("Put the gradient first.", "optimizer.apply_gradients(zip(gradients, variables))"),),
                confidence=0.9,
            )
        ]
    return []


def _read_early(run: Run, apply: Apply) -> ListRead | None:
    from ganmedic.causes.unbuilt_variables import _built_early

    return _built_early(run)


def _explain_unknown(run: Run, failure: Failure, apply: Apply, optimizer: Optimizer) -> Finding:
    own = {_net_name(run, value) for value in optimizer.variables if value in run.net_of}
    unknown = tuple(value for value in apply.variables if value not in optimizer.variables)
    theirs = _net_name(run, unknown[0]) if unknown else "another network"
    mine = ", ".join(sorted(own)) or "other variables"
    made = innermost(optimizer.stack)
    found = statement(run.record, made) if made is not None else None
    code = text_of(found)
    return failure_finding(
        run,
        failure,
        SLUG,
        f"The optimizer of {mine} is given the gradients of {theirs}: a Keras optimizer knows only the variables it was built "
        "with, which are those of its first call.",
        remedies=(
            Remedy(
                f"Give {theirs} an optimizer of its own.",
                code,
            ),
        ),
        confidence=0.95,
        place=decided_at(run.record, apply.stack, "apply_gradients", "apply"),
        more=(
            (innermost(apply.stack), "apply"),
            (made, "optimizer"),
        ),
        values=unknown,
    )
