"""Follows Keras layers and models: who is inside whom, who is called on what, who is frozen, whose list is read."""

from __future__ import annotations

import weakref
from typing import Any

import keras
import tensorflow as tf
from keras.src.trainers.trainer import Trainer

from ganmedic.capture.patches import Patches
from ganmedic.capture.places import called_by_user, user_stack
from ganmedic.capture.recorder import Recorder
from ganmedic.capture.showings import Showings
from ganmedic.capture.variables import Variables
from ganmedic.record.schema import Departure, Freeze, LayerCall, ListRead, Module, TrainCall

#: The properties through which a program asks a module for its variables.
LISTS = ("trainable_variables", "trainable_weights", "variables", "weights")
#: Stands for a call that is not recorded.
PASSING = object()


class Modules:
    """Hooks on ``keras.Layer``, ``keras.Model`` and ``tf.Module``."""

    def __init__(self, recorder: Recorder, variables: Variables, patches: Patches, showings: Showings) -> None:
        self._recorder = recorder
        self._showings = showings
        self._variables = variables
        self._patches = patches
        self._numbers: dict[int, int] = {}
        self._objects: dict[int, Any] = {}
        self._reading = False

    def install(self) -> None:
        """Puts the hooks on."""
        layer = keras.Layer
        self._patches.wrap(layer, "__init__", before=self._made)
        self._patches.wrap(layer, "__call__", before=self._calling, after=self._called)
        self._patches.wrap(layer, "set_weights", before=self._loaded)
        self._patches.wrap(keras.Model, "load_weights", before=self._loaded)
        self._patches.wrap(tf.Module, "__init__", before=self._made)
        for owner in (layer, tf.Module):
            for name in LISTS:
                if name in owner.__dict__:
                    self._wrap_list(owner, name)
        self._wrap_trainable(layer)
        trainer = next(cls for cls in keras.Model.__mro__ if "fit" in cls.__dict__)
        for method in ("fit", "train_on_batch"):
            self._patches.wrap(trainer, method, before=lambda model, *a, _m=method, **k: self._train(model, _m))
        for method in ("predict", "predict_on_batch"):
            self._patches.wrap(
                trainer,
                method,
                before=lambda model, *a, _m=method, **k: self._predict(model, _m, *a, **k),
                after=self._predicted,
            )
        self._patches.wrap(Trainer, "compile", before=lambda model, *a, **k: self.know(model) and None)

    # --- identity ---------------------------------------------------------------------------------------------------

    def know(self, module: Any) -> int:
        """Makes a module known and returns its id."""
        number = self._numbers.get(id(module))
        if number is not None:
            reference = self._objects.get(number)
            if reference is not None and reference() is module:
                return number
        number = self._recorder.now()
        self._numbers[id(module)] = number
        self._objects[number] = weakref.ref(module)
        package = type(module).__module__.split(".")[0]
        self._recorder.record.modules[number] = Module(
            id=number,
            name="",
            kind=type(module).__name__,
            model=isinstance(module, keras.Model),
            custom=package not in ("keras", "tensorflow"),
            stack=user_stack(),
        )
        return number

    def _made(self, module: Any, *args: Any, **kwargs: Any) -> None:
        self.know(module)

    def settle(self) -> None:
        """Reads names, parts and variables of all modules as they are now."""
        self._reading = True
        try:
            done: set[int] = set()
            while todo := self._objects.keys() - done:
                for number in sorted(todo):
                    module = self._objects[number]()
                    if module is not None:
                        self._patches.guarded(self._describe, number, module)
                done |= todo
        finally:
            self._reading = False

    def _describe(self, number: int, module: Any) -> None:
        row = self._recorder.record.modules[number]
        row.name = str(getattr(module, "name", "") or row.kind)
        row.trainable = bool(getattr(module, "trainable", True))
        if isinstance(module, keras.Layer):
            everything, now = module.weights, module.trainable_variables
            parts = [part for part in getattr(module, "_layers", ()) if isinstance(part, keras.Layer)]
            if isinstance(module, keras.Model) and hasattr(module, "layers"):
                parts = [*parts, *(part for part in module.layers if not any(part is other for other in parts))]
        else:
            everything, now = module.variables, module.trainable_variables
            parts = [part for part in module.submodules if isinstance(part, (tf.Module, keras.Layer))]
        weights = [variable for variable in everything if not _is_state(variable)]
        row.variables = tuple(self._variables.know(v) for v in weights)
        row.trainable_variables = tuple(self._variables.know(v) for v in now)
        row.parts = tuple(self.know(part) for part in parts)

    # --- calls ------------------------------------------------------------------------------------------------------

    def _calling(self, module: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = self._recorder
        if tf.executing_eagerly():
            self._showing(module, (args, kwargs))
        if not recorder.recording and tf.executing_eagerly():
            return self._passing(module, args)
        recorder.listen()
        number = self.know(module)
        inputs = tf.nest.flatten((args, kwargs))
        row = recorder.record.modules[number]
        layers = recorder.here.layers
        if any(isinstance(value, keras.KerasTensor) for value in inputs):
            if not layers and called_by_user() and not row.connected:
                row.connected = recorder.stack()
        elif not layers:
            row.used = True
        call = LayerCall(
            id=recorder.now(),
            module=number,
            parent=layers[-1] if layers else None,
            graph=recorder.graph_id(),
            stack=recorder.stack(),
            inputs=tuple(value._id for value in inputs if isinstance(value, tf.Tensor)),
        )
        recorder.record.layer_calls[call.id] = call
        layers.append(call.id)
        return call

    def _passing(self, module: Any, args: Any) -> Any:
        """A call that is not recorded: of a whole network what it is given is held until the next few calls."""
        here = self._recorder.here
        here.depth += 1
        if here.depth == 1 and here.tapes and not here.deaf:
            values = [value for value in tf.nest.flatten(args) if isinstance(value, tf.Tensor)]
            here.recent.append((self._recorder.now(), self._numbers.get(id(module), 0), values))
        return PASSING

    def _showing(self, module: Any, given: Any) -> None:
        """A whole network is called in eager code and under no tape: its answer is waited for."""
        here = self._recorder.here
        if not here.layers and not here.depth and not here.tapes and not here.deaf and here.showing is None:
            here.showing = (module, given)

    def _shown(self, result: Any, error: BaseException | None) -> None:
        """The outermost layer has answered."""
        here = self._recorder.here
        if here.showing is None or here.layers or here.depth:
            return
        (module, given), here.showing = here.showing, None
        if error is None and called_by_user():
            self._showings.seen(self.know(module), "call", given, result)

    def _called(self, call: Any, result: Any, error: BaseException | None) -> None:
        self._close(call, result, error)
        self._shown(result, error)

    def _close(self, call: Any, result: Any, error: BaseException | None) -> None:
        if call is PASSING:
            self._recorder.here.depth -= 1
            return
        if call is None:
            return
        layers = self._recorder.here.layers
        while layers and layers.pop() != call.id:
            pass
        call.ended = self._recorder.now()
        if error is None:
            call.outputs = tuple(value._id for value in tf.nest.flatten(result) if isinstance(value, tf.Tensor))

    # --- lists of variables, freezing, loading ------------------------------------------------------------------------

    def _wrap_list(self, owner: Any, name: str) -> None:
        original = owner.__dict__[name]
        hooks = self

        def read(module: Any) -> Any:
            result = original.fget(module)
            if not hooks._reading and hooks._patches.guarded(called_by_user):
                hooks._patches.guarded(hooks._read, module, name, result)
            return result

        self._patches.replace(owner, name, property(read, original.fset, original.fdel, original.__doc__))

    def _read(self, module: Any, name: str, result: Any) -> None:
        recorder = self._recorder
        if len(recorder.record.list_reads) > 20_000:
            return
        row = ListRead(
            id=recorder.now(),
            module=self.know(module),
            attribute=name,
            variables=tuple(self._variables.know(variable) for variable in result),
            stack=recorder.stack(),
            graph=recorder.graph_id(),
        )
        recorder.record.list_reads[row.id] = row

    def _wrap_trainable(self, layer: Any) -> None:
        owner = next(cls for cls in layer.__mro__ if "trainable" in cls.__dict__)
        original = owner.__dict__["trainable"]
        hooks = self

        def write(module: Any, value: Any) -> None:
            if hooks._patches.guarded(called_by_user):
                hooks._patches.guarded(hooks._froze, module, value)
            original.fset(module, value)

        self._patches.replace(owner, "trainable", property(original.fget, write, original.fdel, original.__doc__))

    def _froze(self, module: Any, value: Any) -> None:
        recorder = self._recorder
        if len(recorder.record.freezes) > 20_000:
            return
        row = Freeze(id=recorder.now(), module=self.know(module), value=bool(value), stack=recorder.stack())
        recorder.record.freezes[row.id] = row

    def _loaded(self, module: Any, *args: Any, **kwargs: Any) -> None:
        self._recorder.record.modules[self.know(module)].loaded = True

    # --- training and predicting --------------------------------------------------------------------------------------

    def _train(self, model: Any, method: str) -> None:
        recorder = self._recorder
        if len(recorder.record.train_calls) > 20_000:
            return
        self._reading = True
        try:
            row = TrainCall(
                id=recorder.now(),
                module=self.know(model),
                method=method,
                stack=recorder.stack(),
                trainable=len(model.trainable_variables) if model.built else -1,
                total=len(model.weights) if model.built else -1,
            )
        finally:
            self._reading = False
        recorder.record.train_calls[row.id] = row

    def _predict(self, model: Any, method: str, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        recorder = self._recorder
        if recorder.recording:
            for value in [None, *(one for one in tf.nest.flatten(x) if isinstance(one, tf.Tensor))]:
                row = Departure(
                    id=recorder.now(),
                    how=method,
                    stack=recorder.stack(),
                    module=self.know(model),
                    value=None if value is None else value._id,
                )
                recorder.record.departures[row.id] = row
        return model, x

    def _predicted(self, token: Any, result: Any, error: BaseException | None) -> None:
        if token is not None and error is None and not self._recorder.here.deaf and called_by_user():
            model, given = token
            self._showings.seen(self.know(model), "predict", given, result)


def _is_state(variable: Any) -> bool:
    """Whether a variable was made as state that no gradient is meant to reach (moving statistics, seeds)."""
    value = getattr(variable, "_value", variable)
    return not bool(getattr(value, "trainable", True))
