"""Knows the variables of a run: names, shapes, and whether their values move."""

from __future__ import annotations

import hashlib
import weakref
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager.record import stop_recording
from tensorflow.python.ops import gen_resource_variable_ops as raw
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from ganmedic.capture.patches import Patches
from ganmedic.capture.recorder import Recorder
from ganmedic.record.schema import Variable


def inner(variable: Any) -> Any:
    """The tf.Variable inside a Keras variable, or the thing itself."""
    value = getattr(variable, "_value", None)
    return value if value is not None and handle_of(value) is not None else variable


def handle_of(value: Any) -> Any:
    """The handle of a tf.Variable; of a mirrored one, which has none of its own outside a replica, that of its first."""
    try:
        return getattr(value, "handle", None)
    except ValueError:
        return value.values[0].handle


def identity(value: Any) -> int | None:
    """The value id by which the record knows a tensor or a variable."""
    value = inner(value)
    handle = handle_of(value)
    if handle is not None and hasattr(handle, "_id"):
        return int(handle._id)
    found = getattr(value, "_id", None)
    return found if isinstance(found, int) else None


class Variables:
    """The variables seen so far, held weakly."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._objects: dict[int, Any] = {}
        #: Variables that are no weights (statistics, counters, seeds): only their values are ever asked for.
        self._others: dict[int, Any] = {}
        self._memory: dict[int, int] = {}

    def install(self, patches: Patches) -> None:
        """Makes variables known the moment they are made."""
        self._recorder.variable_behind = self.behind
        patches.wrap(ResourceVariable, "__init__", before=lambda variable, *a, **k: variable, after=self._made)

    def _made(self, variable: Any, result: Any, error: BaseException | None) -> None:
        if error is not None or variable is None or not _is_eager(variable):
            return
        if getattr(variable, "trainable", False):
            self.know(variable)
        elif (found := identity(variable)) is not None:
            self._others[found] = weakref.ref(variable)

    def know(self, value: Any) -> int:
        """Makes a variable known and returns its value id; for a tensor just its id."""
        found = identity(value)
        if found is None:
            return 0
        variable = inner(value)
        if isinstance(variable, tf.Variable) and found not in self._objects:
            self._objects[found] = weakref.ref(variable)
            row = self._recorder.record.variables.setdefault(
                found, Variable(id=found, name="Variable", shape=(), dtype="", seen=0)
            )
            row.name = str(getattr(value, "path", None) or variable.name.split(":")[0])
            row.shape = tuple(variable.shape.as_list()) if variable.shape.rank is not None else ()
            row.dtype = variable.dtype.base_dtype.name
            row.trainable = bool(variable.trainable)
            row.keras = value is not variable or hasattr(value, "path")
            row.first = self._digest(variable)
        elif found in self._objects:
            row = self._recorder.record.variables[found]
            if hasattr(value, "path"):
                row.name, row.keras = str(value.path), True
            if not row.first:
                row.first = self._digest(variable)
        return found

    def value(self, number: int) -> Any:
        """The value of a variable now, as an eager tensor; ``None`` where it is gone or has none."""
        reference = self._objects.get(number) or self._others.get(number)
        variable = reference() if reference is not None else None
        if variable is None:
            return self._captured(number)
        with stop_recording(), tf.init_scope():
            return variable.read_value() if _is_eager(variable) else None

    def _captured(self, number: int) -> Any:
        """The value behind a handle that some function graph took from outside: of a variable that was made out of sight."""
        handle = self._recorder.captured_handle(number)
        data = getattr(handle, "_handle_data", None)
        if data is None or not data.is_set or not data.shape_and_type:
            return None
        with stop_recording(), tf.init_scope():
            return raw.read_variable_op(handle, tf.as_dtype(data.shape_and_type[0].dtype))

    def snapshot(self) -> dict[int, Any]:
        """The values of all variables now; what is written to them later leaves these as they are."""
        found = {number: self.value(number) for number in self._objects}
        return {number: tensor for number, tensor in found.items() if tensor is not None}

    def behind(self, tensor: Any) -> int | None:
        """The variable that an eager tensor was read from: the two share their memory, or alone hold the same values."""
        shape = tuple(tensor.shape.as_list())
        if not shape:
            return None
        self._recorder.here.silent += 1
        try:
            with stop_recording():
                array = tensor._numpy()
                known = self._memory.get(_address(array))
                if known is not None and self._is_still_at(known, array):
                    return known
                alike = {
                    found: variable.read_value()._numpy()
                    for found, reference in self._objects.items()
                    if self._recorder.record.variables[found].shape == shape
                    and (variable := reference()) is not None
                    and _is_eager(variable)
                }
        finally:
            self._recorder.here.silent -= 1
        # Remembered, so that one look at all variables serves as many reads until the next update.
        if len(self._memory) > 10 * len(self._objects):
            self._memory.clear()
        self._memory.update({_address(other): found for found, other in alike.items()})
        shared = [found for found, other in alike.items() if np.shares_memory(array, other)]
        equal = shared or [found for found, other in alike.items() if np.array_equal(array, other)]
        return equal[0] if len(equal) == 1 else None

    def _is_still_at(self, found: int, array: Any) -> bool:
        variable = self._objects[found]()
        return variable is not None and np.shares_memory(array, variable.read_value()._numpy())

    def compare(self) -> None:
        """Takes the values as they are now, to be held against the first ones."""
        for found, reference in self._objects.items():
            variable = reference()
            row = self._recorder.record.variables[found]
            if variable is None:
                row.dead = True
            else:
                row.last = self._digest(variable)

    def _digest(self, variable: Any) -> str:
        """A digest of a variable's value, empty where it cannot be read (inside a function graph)."""
        if not tf.executing_eagerly() and not tf.inside_function():
            return ""
        self._recorder.here.silent += 1
        try:
            with stop_recording(), tf.init_scope():
                if not tf.executing_eagerly():
                    return ""
                array = variable.numpy()
            return hashlib.blake2b(array.tobytes(), digest_size=12).hexdigest()
        except (AttributeError, NotImplementedError, TypeError, ValueError, tf.errors.OpError):
            return ""
        finally:
            self._recorder.here.silent -= 1


def _is_eager(variable: Any) -> bool:
    """Whether a variable has a value now; those that TensorFlow makes in the graph of a saved model have none."""
    return isinstance(handle_of(variable), tf.__internal__.EagerTensor)


def _address(array: Any) -> int:
    """Where the values of an array lie."""
    return int(array.__array_interface__["data"][0])
