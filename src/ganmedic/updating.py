"""One step of one player: unscale, accumulate, clip, guard, apply, in the order in which each is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from ganmedic import precision, replicas
from ganmedic.accumulation import GradientAccumulation
from ganmedic.clipping.clip import Clip
from ganmedic.gradients import matched
from ganmedic.guard import GradientGuard


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def update(
    optimizer: Any,
    gradients: Sequence[Any],
    variables: Sequence[Any],
    *,
    clip: Clip | None = None,
    guard: GradientGuard | None = None,
    accumulation: GradientAccumulation | None = None,
    when: Any = True,
    seen: Callable[[list[Any]], None] | None = None,
) -> Any:
    """Applies gradients to one player's variables.

    1. Gradients of a scaled loss are unscaled: a clip at norm 1 would else act on gradients 32768 times too large, and leave
       updates as many times too small.
    2. They are accumulated, then clipped, then looked at by the guard.
    3. The optimizer is given them, scaled again where it expects that. A LossScaleOptimizer itself skips a step that is not finite
       and lowers its scale; the guard then only counts and names.

    Under `strategy.run` each replica hands over the gradients of the mean loss over its part of the batch, as the losses and
    penalties of ganmedic give it; the step is that of the mean over all replicas. A loss that was divided by the number of
    replicas already must be multiplied by it again.

    Args:
        optimizer: this player's own Keras optimizer; one that both players share would mix up their moments.
        gradients: as `tape.gradient` gives them, of the scaled loss where the optimizer scales; None among them.
        variables: one for each.
        clip: from `ganmedic.clipping`.
        guard: skips steps that are not finite.
        accumulation: adds up several batches before a step.
        seen: called with the gradients of this batch, unscaled and over all replicas, before anything changes them: to measure them.
        when: boolean scalar; False leaves weights and optimizer as they are. What was accumulated waits for the next step.

    Returns:
        Whether a step was applied, boolean scalar.

    Raises:
        ValueError: gradients and variables do not fit, or every gradient is None.
        TypeError: no Keras optimizer came.
    """
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(
            f"update: {optimizer!r} came; a Keras optimizer is expected, such as keras.optimizers.Adam(2e-4)."
        )
    gradients, variables = _paired(gradients, variables)
    if not optimizer.built:
        # The scale of a LossScaleOptimizer is a variable that is made here.
        with tf.init_scope():
            optimizer.build(list(variables))
    precision.warn_of_unscaled(optimizer)
    scale = precision.scale_of(optimizer)
    gradients = precision.unscaled(optimizer, gradients)
    count = replicas.count()
    if count > 1:
        gradients = [
            None if each is None else replicas.total(each) for each in precision.multiplied(gradients, 1.0 / count)
        ]
    if seen is not None:
        seen(gradients)
    wanted = tf.convert_to_tensor(when)
    if accumulation is not None:
        wanted, gradients = accumulation.add(gradients, variables, when=wanted)
    # Clip and guard count, and remember, the steps that are taken, not the batches of which one is made up.
    counts = True if accumulation is None else wanted
    if clip is not None:
        gradients = clip.clipped(gradients, variables, counts=counts)
    sound = None
    if guard is not None:
        sound = guard.sound(gradients, variables, counts=counts)
        if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            wanted = tf.logical_and(wanted, sound)
    # A Keras optimizer sums over the replicas once more.
    if scale is not None or count > 1:
        gradients = precision.multiplied(gradients, (1.0 if scale is None else scale) / count)
    present = [
        (gradient, variable) for gradient, variable in zip(gradients, variables, strict=True) if gradient is not None
    ]
    conditional = guard is not None or accumulation is not None or when is not True
    _apply(optimizer, present, variables, wanted if conditional else None)
    if clip is not None:
        clip.after_update(variables)
    return wanted if sound is None else tf.logical_and(wanted, sound)


def _paired(gradients: Sequence[Any], variables: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    if not variables:
        raise ValueError(
            "update: no variables came. The network is not built yet, or all of it is frozen: call it once, and look at trainable."
        )
    pairs = matched("update", gradients, variables)
    if all(gradient is None for gradient, _ in pairs):
        # The guard knows how to say it.
        GradientGuard().sound(gradients, variables)
    return [gradient for gradient, _ in pairs], [variable for _, variable in pairs]


def _apply(optimizer: Any, pairs: list[tuple[Any, Any]], variables: Sequence[Any], wanted: Any) -> None:
    if wanted is None:
        optimizer.apply_gradients(pairs)
    elif replicas.count() == 1:
        tf.cond(wanted, lambda: _applied(optimizer, pairs), lambda: tf.constant(False))
    else:
        _apply_and_take_back(optimizer, pairs, variables, wanted)


def _applied(optimizer: Any, pairs: list[tuple[Any, Any]]) -> Any:
    optimizer.apply_gradients(pairs)
    return tf.constant(True)


def _apply_and_take_back(optimizer: Any, pairs: list[tuple[Any, Any]], variables: Sequence[Any], wanted: Any) -> None:
    """Replicas meet inside an optimizer, which no branch may hold: the step is taken, and taken back if it was not wanted."""
    held = [*variables, *optimizer.variables]
    before = [tf.identity(tf.convert_to_tensor(variable)) for variable in held]
    optimizer.apply_gradients(pairs)
    for variable, old in zip(held, before, strict=True):
        variable.assign(tf.where(wanted, tf.convert_to_tensor(variable), old))
