"""With XLA or without: tried at the start, with everything put back behind it."""

from __future__ import annotations

import time
from typing import Any

from ganmedic.training import state

#: Steps that are timed of each, after one that traces and compiles.
_STEPS = 4
#: XLA must be faster by this factor: what it costs to compile has to come back.
_WORTH = 1.1


def choose(gan: Any, batches: Any, worth_seconds: float = 0.0) -> tuple[bool, str]:
    """Whether the step is faster compiled with XLA on this machine.

    Args:
        gan: compiled; it is as before afterwards, to the last bit.
        batches: a `tf.data.Dataset` of a few batches.
        worth_seconds: a step that takes less than that is not worth the time to compile it.

    Returns:
        The choice, and a sentence with what was measured.
    """
    before = state.snapshot(gan)
    seconds: dict[bool, float] = {}
    reason = ""
    for jit in (False, True):
        try:
            seconds[jit] = _measured(gan, batches, jit)
        except Exception as error:
            # XLA refuses some operations, and says so in a page of text.
            reason = f"{type(error).__name__}: {str(error).splitlines()[0][:160]}"
            if not jit:
                raise
        finally:
            state.restore(gan, before)
        if not jit and seconds[False] < worth_seconds:
            return False, f"without XLA: at {1000 * seconds[False]:.3g} ms a step the run is over before compiling pays"
    plain = seconds[False]
    if True not in seconds:
        return False, f"without XLA: it does not compile this step ({reason})"
    compiled = seconds[True]
    chosen = plain > _WORTH * compiled
    return chosen, (
        f"{'with' if chosen else 'without'} XLA: a step took {1000 * plain:.3g} ms without, {1000 * compiled:.3g} ms with"
    )


def set_mode(gan: Any, jit: bool) -> None:
    """Makes the step anew, with XLA or without."""
    gan.jit_compile = jit
    gan.make_train_function(force=True)


def _measured(gan: Any, batches: Any, jit: bool) -> float:
    set_mode(gan, jit)
    if gan.jit_compile != jit:
        raise ValueError("Keras does not compile this model with XLA")
    iterator = iter(batches)
    # With n_critic two functions take turns, and the first of each compiles.
    turns = gan.parts.turns
    warm = 1 if turns is None else turns.discriminator_steps + turns.generator_steps
    for _ in range(warm):
        _synchronised(gan.train_function(iterator))
    taken = []
    for _ in range(max(_STEPS, warm)):
        begin = time.perf_counter()
        _synchronised(gan.train_function(iterator))
        taken.append(time.perf_counter() - begin)
    return sum(taken) / len(taken) if turns is not None else min(taken)


def _synchronised(logs: Any) -> None:
    float(next(iter(logs.values())))
