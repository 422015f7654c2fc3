"""A gradient penalty is computed wrongly: it does not constrain the critic, or it stops the script.

## What it means

A gradient penalty wants, for each sample, the length of the critic's gradient with respect to that sample: the root
of the sum of squares over every axis but the first. It wants this inside the tape that trains the critic, at points
between a real and a fake sample. Of the ways to miss it only the first is reported by TensorFlow:

- `tf.norm(g, axis=[1, 2, 3])`, or the same with `keras.ops.norm`: two axes mean a matrix norm, three are refused with
  `ValueError: 'axis' must be None, an integer, or a tuple of 2 unique integers, got [1, 2, 3]`.
- `tf.norm(g, axis=1)` of images: a norm for every column and channel. Each is pulled to 1, the whole to the root of
  their number.
- The inner gradient is taken before or after the outer tape, under `tf.stop_gradient`, or turned into NumPy: the
  penalty is a constant in the loss and trains nothing.
- `inner.gradient(mixed_scores, real)`: the slope times the mixing weight, too small by another factor for each
  sample.
- `inner.gradient(tf.reduce_mean(scores), mixed)`: the slope divided by the batch size B. A slope of B is asked for,
  and R1 is B squared times too weak.
- The mixing weight is no uniform number on [0, 1] per sample, of shape `[B, 1, 1, 1]` for images and `[B, 1]` for
  rows. A scalar is one weight for the batch; the images' own shape is a weight for each pixel, off the line; a normal
  distribution goes beyond both ends; `[B, 1]` is spread over the last axes of an image where B is the width.

## How it is recognised

By the error, raised from a norm in the user's own line. Otherwise by the inner gradient call, whose answer goes into
a loss. The axes of the sum or norm behind it are compared with the rank of the samples. Its way into the outer tape
is followed: none of the critic's variables gets a gradient from the penalty though others of its terms give one. The
input that it was asked for is compared with the one that the critic was given, and the target with the scores: a mean
over the batch in between is the factor 1/B. The random tensor in the mixture is judged by its shape and distribution.
No threshold is involved.

## Why it hurts

Without the penalty a Wasserstein critic is not bounded: its scores grow, and the generator follows a slope that means
nothing. A wrong penalty is harder to find than none, since its value is finite and may even be near 0. With a single
axis or a mean, the critic is held at a slope that depends on the size of the image or of the batch.

## Not to be confused with

- `outside-tape`: the gradient with respect to the samples is None, since the tape was not told to watch them.
- `no-second-order-gradient`: the penalty is right, but an operation in the critic cannot be differentiated twice.
- `norm-at-zero`: the norm is right, and its derivative at zero is NaN.
- `unbounded-critic`: there is no penalty at all.
- `batchnorm-misuse`: under batch normalisation the slope of one sample depends on the others.
- The last bias of the critic: no gradient from the penalty, and that is right.

## Remedy, and what it changes

Inner tape, inner gradient, norm and penalty all stand inside the outer tape. Watch the mixed samples, ask for the
gradient of the scores as they are (TensorFlow adds them up) by those same samples, and write the norm out, over all
axes but the first, with a small constant inside the root. The objective becomes what the paper means. A weight that
was tuned for the wrong form has to go back to 10 for WGAN-GP.

## Example

```python
# faulty
import keras
import tensorflow as tf

dense = keras.layers.Dense(1, kernel_initializer="ones")
critic = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), dense])  # its slope is 8 everywhere
images = tf.random.normal((4, 8, 8, 1))


def slope(reduce=tf.identity):
    with tf.GradientTape() as inner:
        inner.watch(images)
        scores = reduce(critic(images))
    return inner.gradient(scores, images)


try:
    tf.norm(slope(), axis=[1, 2, 3])
    raise AssertionError("tf.norm took three axes")
except ValueError as error:
    assert "'axis' must be None" in str(error)
columns = tf.norm(slope(), axis=1)
assert columns.shape == (4, 8, 1)  # not one number for each image
assert tf.reduce_all(tf.abs(columns - 8**0.5) < 1e-5)
divided = tf.sqrt(tf.reduce_sum(tf.square(slope(tf.reduce_mean)), axis=[1, 2, 3]))
assert tf.reduce_all(tf.abs(divided - 2.0) < 1e-5)  # 8 / batch size

outside = slope()
with tf.GradientTape() as outer:
    penalty = tf.reduce_mean(tf.square(tf.sqrt(tf.reduce_sum(tf.square(outside), axis=[1, 2, 3])) - 1.0))
    loss = tf.reduce_mean(critic(images)) + 10.0 * penalty
assert tf.abs(penalty - 49.0) < 1e-3  # a sensible number
gradient = outer.gradient(loss, dense.kernel)
assert tf.reduce_all(tf.abs(tf.reshape(gradient, (-1,)) - tf.reshape(tf.reduce_mean(images, 0), (-1,))) < 1e-5)
```

```python
# corrected
import keras
import tensorflow as tf

dense = keras.layers.Dense(1, kernel_initializer="ones")
critic = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), dense])
real, fake = tf.random.normal((4, 8, 8, 1)), tf.random.normal((4, 8, 8, 1))

with tf.GradientTape() as outer:
    mixed = fake + tf.random.uniform((4, 1, 1, 1)) * (real - fake)
    with tf.GradientTape() as inner:
        inner.watch(mixed)
        scores = critic(mixed)
    norms = tf.sqrt(tf.reduce_sum(tf.square(inner.gradient(scores, mixed)), axis=[1, 2, 3]) + 1e-12)
    penalty = tf.reduce_mean(tf.square(norms - 1.0))
assert norms.shape == (4,)
assert tf.reduce_all(tf.abs(norms - 8.0) < 1e-4)
assert tf.norm(outer.gradient(penalty, dense.kernel)) > 1.0
```

## References

- Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, *Improved Training of Wasserstein GANs*, 2017, arXiv 1704.00028,
  equation 3 and algorithm 1.
- Mescheder, Geiger, Nowozin, *Which Training Methods for GANs do actually Converge?*, 2018, arXiv 1801.04406, section
  4.1: R1 and R2.
- TensorFlow API, `tf.norm`: `axis` is an integer, or a pair of integers for a matrix norm;
  `tf.GradientTape.gradient`: targets are summed.
"""

from __future__ import annotations

from ganmedic.analysis.constraints import Penalty, penalties
from ganmedic.analysis.networks import RANDOM
from ganmedic.analysis.run import Run
from ganmedic.analysis.source import argument, call_named, text_of
from ganmedic.analysis.story import innermost
from ganmedic.analysis.vitals import Player, Vitals
from ganmedic.causes.building import failure_finding, operation_place
from ganmedic.causes.measuring import measured_finding
from ganmedic.finding import Finding, Remedy
from ganmedic.record.record import Record
from ganmedic.record.schema import Failure, Operation, Place

SLUG = "penalty-miscomputed"
FAMILY = "exploding"
TITLE = "A gradient penalty does not constrain the critic"


#: They add entries up, or take a norm of them.
_REDUCTIONS = frozenset({"Sum", "EuclideanNorm", "Mean", "Norm"})
_ROOTS = frozenset({"Sqrt", "EuclideanNorm", "Norm", "Pow"})


def find(record: Record) -> list[Finding]:
    """A norm over three axes that ended the script, and penalties that run but do not constrain."""
    run = Run.of(record)
    failure = record.failure
    if failure is not None and "'axis' must be None, an integer, or a tuple of 2" in failure.message:
        return [_explain(run, failure)]
    vitals = Vitals.of(record)
    for player in vitals.role("discriminator"):
        for penalty in penalties(vitals, player):
            found = _faulty(vitals, player, penalty)
            if found is not None:
                return [found]
    return []


def _faulty(vitals: Vitals, player: Player, penalty: Penalty) -> Finding | None:
    """What is wrong with a penalty, if anything is."""
    run = vitals.run
    place = innermost(penalty.inner.stack)
    if not penalty.reaches:
        return _tell(
            vitals,
            player,
            "The gradient inside the penalty is taken where the outer tape does not see it: the penalty is a plain number to "
            f"{player.net.name} and trains nothing.",
            run.in_function_of(penalty.inner.stack, player.call.stack) or place,
            "no gradient flows from the loss through the penalty to any variable",
            Remedy("Take the inner gradient inside the outer tape, so that it is part of the loss.", _NESTED),
        )
    wrong = _wrong_source(vitals, player, penalty)
    if wrong:
        return _tell(vitals, player, wrong, place, wrong, Remedy("Differentiate with respect to the mixed samples."))
    norm = _norm_of(vitals, penalty)
    if norm is not None:
        operation, shape, left = norm
        return _tell(
            vitals,
            player,
            f"The norm of the gradient is taken over some axes only: of a gradient of shape {shape} numbers of shape {left} are "
            "left, and not one a sample.",
            operation_place(run, operation),
            f"{operation.kind} over a gradient of shape {shape} leaves {left}",
            Remedy("Take the norm over all axes but the first.", _AXES.format(axes=list(range(1, len(shape))))),
        )
    mean = _mean_of(vitals, penalty)
    if mean is not None:
        return _tell(
            vitals,
            player,
            "The gradient inside the penalty is that of the mean score: every sample's gradient is divided by the size of the "
            "batch, and the penalty pulls towards a slope so many times as steep.",
            operation_place(run, mean),
            "the inner gradient's target is a mean over the batch",
            Remedy("Differentiate the sum of the scores (or the scores themselves).", "tf.reduce_sum(scores)"),
        )
    mixed = _mixed_by_one_number(vitals, penalty)
    if mixed is not None:
        return _tell(
            vitals,
            player,
            "All samples of a batch are mixed by one and the same number; each needs one of its own.",
            operation_place(run, mixed),
            f"the random number has shape {mixed.shapes[0] if mixed.shapes else ()}",
            Remedy("Draw one number a sample.", "epsilon = tf.random.uniform((batch_size, 1, 1, 1))"),
        )
    return None


_NESTED = """with tf.GradientTape() as tape:
    with tf.GradientTape() as inner:
        inner.watch(mixed)
        scores = critic(mixed, training=True)
    slopes = inner.gradient(scores, mixed)
    loss += 10.0 * penalty_of(slopes)"""
_AXES = "tf.sqrt(tf.reduce_sum(tf.square(gradients), axis={axes}) + 1e-12)"


def _tell(vitals: Vitals, player: Player, summary: str, place: Place | None, seen: str, remedy: Remedy) -> Finding:
    return measured_finding(
        vitals,
        SLUG,
        player,
        summary,
        place=place,
        evidence=(seen,),
        remedies=(remedy,),
        confidence=0.9,
        mark=("gradient", "reduce_sum", "norm", "reduce_mean", "uniform"),
    )


def _shape_of(vitals: Vitals, value: int) -> tuple[int | None, ...] | None:
    measured = next((row.shape for row in vitals.record.measures.values() if row.value == value), None)
    if measured is not None:
        return measured
    made = vitals.record.producers.get(value)
    shapes = made[0].shapes if made is not None else ()
    return shapes[made[1]] if made is not None and made[1] < len(shapes) else None


def _norm_of(
    vitals: Vitals, penalty: Penalty
) -> tuple[Operation, tuple[int | None, ...], tuple[int | None, ...]] | None:
    """The reduction that makes a norm of the gradient, where it leaves more or less than one number a sample."""
    shape = _shape_of(vitals, penalty.value)
    if shape is None or len(shape) < 2:
        return None
    queue, seen, reduced = [penalty.value], set[int](), None
    while queue and reduced is None:
        value = queue.pop(0)
        for operation, _ in vitals.record.consumers.get(value, ()):
            if operation.gradient_call is not None or operation.id in seen:
                continue
            seen.add(operation.id)
            if operation.kind in _REDUCTIONS:
                reduced = operation
                break
            if operation.kind in ("Square", "Mul", "Pow", "Abs", "Identity", "Cast", "AddV2", "RealDiv", "Reshape"):
                if operation.kind == "Reshape":
                    return None
                queue.extend(operation.outputs)
    if reduced is None or not _is_rooted(vitals, reduced):
        return None
    left = _shape_of(vitals, reduced.outputs[0])
    if left is None:
        return None
    if not _is_compared(vitals, reduced):
        return None
    inner = [length for length in left[1:] if length != 1]
    whole = len(left) == 0 or (len(left) == len(shape) and left[0] == 1 and shape[0] not in (1, None))
    return (reduced, shape, left) if inner or whole else None


def _is_rooted(vitals: Vitals, operation: Operation) -> bool:
    """Whether a root is taken of what an operation makes, so that it is meant as a norm."""
    if operation.kind in _ROOTS:
        return True
    queue = list(operation.outputs)
    for _ in range(12):
        if not queue:
            return False
        for user, _ in vitals.record.consumers.get(queue.pop(0), ()):
            if user.kind in _ROOTS:
                return True
            if user.kind in ("AddV2", "Maximum", "Identity", "Mul", "Squeeze"):
                queue.extend(user.outputs)
    return False


def _is_compared(vitals: Vitals, operation: Operation) -> bool:
    """Whether the norms are held against a number as they are, and not added up before."""
    queue, seen = list(operation.outputs), 0
    while queue and seen < 32:
        seen += 1
        for user, _ in vitals.record.consumers.get(queue.pop(0), ()):
            if user.kind in ("Sub", "SquaredDifference"):
                return True
            if user.kind not in ("Sum", "Mean", "Max") and user.gradient_call is None:
                queue.extend(user.outputs)
    return False


def _mean_of(vitals: Vitals, penalty: Penalty) -> Operation | None:
    """The mean over a batch that the inner gradient is taken of."""
    for target in penalty.inner.targets:
        made = vitals.record.producers.get(target)
        if made is None or made[0].kind != "Mean" or _shape_of(vitals, target) not in ((), (1,)):
            continue
        entering = _shape_of(vitals, made[0].inputs[0])
        if entering and (entering[0] is None or entering[0] > 1):
            return made[0]
    return None


def _wrong_source(vitals: Vitals, player: Player, penalty: Penalty) -> str:
    """Says so where the inner gradient is taken with respect to something that is no sample."""
    record = vitals.record
    calls = [call for call in record.layer_calls.values() if call.module in _modules(vitals, player)]
    holding = [call for call in calls if penalty.source in call.inputs]
    judged = [
        (call, index)
        for call in calls
        for index, value in enumerate(call.inputs)
        if any(
            vitals.run.net_of[node].role == "generator"
            for node in vitals.run.flow.behind_values((value,), None, call.id).by_value
            if node in vitals.run.net_of
        )
    ]
    positions = {index for call, index in judged if len(call.inputs) > 1}
    for call in holding:
        if len(call.inputs) > 1 and positions and call.inputs.index(penalty.source) not in positions:
            return (
                f"The gradient inside the penalty is taken with respect to another input of {player.net.name} than its samples, "
                "so that the slope over the samples stays free."
            )
    return ""


def _modules(vitals: Vitals, player: Player) -> set[int]:
    wanted = set(player.net.variables)
    return {module.id for module in vitals.record.modules.values() if wanted <= set(module.variables)}


def _mixed_by_one_number(vitals: Vitals, penalty: Penalty) -> Operation | None:
    """The random number that mixes a whole batch, where it is a single one."""
    shape = _shape_of(vitals, penalty.source)
    reach = vitals.run.flow.behind_values((penalty.source,), None, penalty.inner.id)
    if shape is None or not shape or shape[0] in (None, 1):
        return None
    for value in reach.by_value:
        made = vitals.record.producers.get(value)
        if made is None or made[0].kind not in ("Mul", "Sub"):
            continue
        for source in made[0].inputs:
            drawn = vitals.record.producers.get(source)
            drawing = drawn is not None and bool(RANDOM.search(drawn[0].kind)) and "Uniform" in drawn[0].kind
            if drawing and drawn is not None and made[0].kind == "Mul":
                sizes = drawn[0].shapes[0] if drawn[0].shapes else None
                if sizes is not None and all(length == 1 for length in sizes):
                    return drawn[0]
    return None


def _explain(run: Run, failure: Failure) -> Finding:
    place = innermost(failure.stack)
    nets = [net for net in run.nets if net.role == "discriminator"]
    values = nets[0].variables if nets else ()
    return failure_finding(
        run,
        failure,
        SLUG,
        "The norm of the gradient is asked for over three axes; tf.norm takes one axis, or two for a matrix norm.",
        remedies=(Remedy("Write the norm over all axes but the first out.", _code(run, place)),),
        confidence=0.95,
        values=values,
    )


def _code(run: Run, place: Place | None) -> str:
    call = call_named(run.record, place, "norm") if place is not None else None
    tensor = text_of(argument(call, 0, "tensor", "x")) or "gradients"
    axes = text_of(argument(call, 2, "axis")) or "[1, 2, 3]"
    return f"tf.sqrt(tf.reduce_sum(tf.square({tensor}), axis={axes}) + 1e-12)"
