"""When an examination ends, TensorFlow, Keras and the program's own objects are as they were."""

from __future__ import annotations

import copy
import gc
import inspect
import logging
import pickle
import signal
import subprocess
import sys
import threading
import types
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganmedic.examination import Examination

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

from tensorflow.python.eager import context, execute  # noqa: E402
from tensorflow.python.eager.polymorphic_function import atomic_function, polymorphic_function  # noqa: E402

from capture import guest_programs as programs  # noqa: E402

#: What a patch could be put in the place of.
_PATCHABLE = (types.FunctionType, types.BuiltinFunctionType, type, property, classmethod, staticmethod)


def snapshot() -> dict[tuple[int, str], Any]:
    """Every function, class and property in all modules and classes of TensorFlow and Keras that are loaded."""
    owners: dict[int, Any] = {}
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("tensorflow", "keras", "numpy", "threading", "warnings", "logging", "builtins"):
            owners[id(module)] = module
            for value in list(vars(module).values()):
                if isinstance(value, type):
                    owners.update({id(base): base for base in value.__mro__})
    owners[id(EAGER)] = EAGER
    found = {
        (id(owner), name): (owner, value)
        for owner in owners.values()
        for name, value in list(vars(owner).items())
        if isinstance(value, _PATCHABLE) or (isinstance(owner, type) and callable(value))
    }
    process: dict[str, Any] = {
        "hooks": (sys.excepthook, sys.displayhook, threading.excepthook, sys.gettrace(), sys.getprofile()),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "meta_path": list(sys.meta_path),
        "path": list(sys.path),
        "path_hooks": list(sys.path_hooks),
        "warnings": list(warnings.filters),
        "logging": [list(logging.getLogger(name).handlers) for name in (None, "tensorflow", "absl")],
        "callbacks": list(context.context().op_callbacks),
        "execute": execute.execute,
        "threads": [thread.name for thread in threading.enumerate() if not thread.daemon],
    }
    return {**found, **{(0, name): (None, value) for name, value in process.items()}}


EAGER = type(tf.constant(0.0))


def changed(before: dict[tuple[int, str], Any]) -> list[str]:
    after = snapshot()
    return [
        f"{getattr(owner, '__name__', 'process')}.{name}: {value} became {after.get((number, name), (None, 'nothing'))[1]}"
        for (number, name), (owner, value) in before.items()
        if ((number, name) not in after)
        or (after[number, name][1] is not value if number else after[number, name][1] != value)
    ]


def ends_by_itself() -> None:
    programs.eager_loop(4)
    programs.function_loop(3)


def raises() -> None:
    programs.eager_loop(2)
    raise ValueError("the program's own")


def raises_inside_a_layer_under_a_tape() -> None:
    layer = keras.layers.Dense(3)
    with tf.GradientTape():
        layer(tf.ones([2, 2]))
        layer(tf.ones([2, 7]))


def raises_while_tracing() -> None:
    @tf.function
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * 2.0
        tape.gradient(y, x)
        raise KeyError("inside a function")

    step(tf.constant(1.0))


def is_interrupted() -> None:
    programs.eager_loop(2)
    raise KeyboardInterrupt


def exits() -> None:
    programs.eager_loop(2)
    sys.exit(3)


ENDS: dict[str, tuple[Callable[[], None], dict[str, Any], str]] = {
    "by itself": (ends_by_itself, {}, "completed"),
    "error": (raises, {}, "failed"),
    "error in a layer": (raises_inside_a_layer_under_a_tape, {}, "failed"),
    "error while tracing": (raises_while_tracing, {}, "failed"),
    "Ctrl-C": (is_interrupted, {}, "interrupted"),
    "sys.exit": (exits, {}, "completed"),
    "steps": (ends_by_itself, {"steps": 2}, "steps"),
    "seconds": (lambda: programs.eager_loop(100_000), {"seconds": 0.2}, "seconds"),
}


@pytest.fixture(scope="module", autouse=True)
def warmed_up() -> None:
    """What TensorFlow and Keras load late is loaded before anything is compared."""
    with Examination():
        programs.eager_loop(4)
        programs.function_loop(3)


@pytest.mark.parametrize("end", ENDS)
def test_everything_is_taken_off(end: str) -> None:
    program, options, ended = ENDS[end]
    before = snapshot()
    assert len(before) > 10_000

    examination = Examination(**options)
    try:
        with examination:
            during = changed(before)
            program()
    except (ValueError, KeyError, KeyboardInterrupt, SystemExit):
        assert end not in ("steps", "seconds")

    assert any("GradientTape.gradient" in line for line in during)
    assert any("process.callbacks" in line for line in during)
    assert changed(before) == []
    assert examination.diagnosis().ended == ended
    assert examination.diagnosis().tool_errors == ()


def test_a_thread_that_goes_on_is_not_listened_to_any_more() -> None:
    goes_on, trained = threading.Event(), threading.Event()
    callbacks: list[Any] = []

    def work() -> None:
        programs.missing()
        callbacks.append(list(context.context().op_callbacks))
        trained.set()
        goes_on.wait(60)
        programs.missing()
        callbacks.append(list(context.context().op_callbacks))

    thread = threading.Thread(target=work)
    with Examination():
        thread.start()
        assert trained.wait(60)
    goes_on.set()
    thread.join()

    assert [len(found) for found in callbacks] == [1, 0]
    assert execute.execute is execute.quick_execute


def test_what_the_program_replaced_itself_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(tf.GradientTape, "gradient", tf.GradientTape.gradient)
    with Examination() as examination:
        theirs = tf.GradientTape.gradient

        def gradient(*args: Any, **kwargs: Any) -> Any:
            calls.append("gradient")
            return theirs(*args, **kwargs)

        tf.GradientTape.gradient = gradient
        programs.missing()
    seen = len(examination._session.record.gradient_calls)  # type: ignore[union-attr]

    programs.missing()
    assert tf.GradientTape.gradient is gradient
    assert len(calls) == 10
    # What is left of the wrapper underneath writes nothing down any more.
    assert len(examination._session.record.gradient_calls) == seen  # type: ignore[union-attr]


def test_objects_of_the_program_get_no_attributes() -> None:
    def attributes() -> list[list[str]]:
        programs.seed()
        model, optimizer = programs.generator(), keras.optimizers.Adam(0.01)
        with tf.GradientTape(persistent=True) as tape:
            loss = tf.reduce_sum(model(tf.ones([4, 3]), training=True) ** 2)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        function = tf.function(lambda x: x + 1.0)
        function(tf.constant(1.0))
        things = (tape, model, *model.layers, optimizer, *model.variables, model.variables[0].value, function)
        return [sorted(vars(thing)) for thing in things]

    plain = attributes()
    with Examination():
        watched = attributes()

    assert watched == plain


def test_objects_of_the_program_are_not_kept_alive() -> None:
    def train() -> list[weakref.ref[Any]]:
        model, optimizer = programs.discriminator(), keras.optimizers.Adam(0.01)
        for _ in range(5):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(model(programs.real()))
            grads = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        return [weakref.ref(thing) for thing in (model, optimizer, tape, *model.layers)]

    with Examination():
        kept = train()
        keras.utils.clear_session()
        gc.collect()
        assert [reference() for reference in kept] == [None] * len(kept)


def test_what_keras_and_python_ask_of_a_class_has_the_same_answer() -> None:
    layers = [keras.Layer, keras.layers.Dense, keras.Model, keras.Sequential, tf.Module, keras.optimizers.Adam]
    methods = ["__init__", "__call__", "trainable_variables", "trainable", "apply_gradients", "fit"]

    def answers() -> list[Any]:
        found: list[Any] = []
        for owner in [*layers, tf.GradientTape]:
            for name in [*methods, "gradient", "watch", "jacobian", "stop_recording"]:
                member = inspect.getattr_static(owner, name, None)
                found.append((owner.__name__, name, type(member).__name__, getattr(member, "__doc__", None)))
                if inspect.isfunction(member):
                    found += [str(inspect.signature(member)), inspect.getfullargspec(member)]
                    found += [member.__name__, member.__qualname__, member.__module__]
        return found

    class Bare(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    def configured() -> list[Any]:
        keras.utils.clear_session()
        bare = Bare(name="bare", dtype="float16")
        again = Bare.from_config(bare.get_config())
        return [bare.get_config(), again.name, again.dtype_policy.name]

    plain = [answers(), configured()]
    with Examination() as examination:
        watched = [answers(), configured()]

    assert watched[0] == plain[0]
    assert watched[1] == plain[1]
    assert examination.diagnosis().tool_errors == ()


@keras.saving.register_keras_serializable("guest")
class Own(keras.layers.Layer):
    """A layer of the user's without ``__init__``, in the way many are written."""

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="random_normal")

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale


@keras.saving.register_keras_serializable("guest")
class OwnOptimizer(keras.optimizers.SGD):
    """An optimizer of the user's that comes between ``apply_gradients`` and the update."""

    def apply_gradients(self, grads_and_vars: Any, **options: Any) -> Any:
        return super().apply_gradients([(grad * 2.0, variable) for grad, variable in grads_and_vars], **options)


def test_models_are_copied_saved_and_loaded_while_watched(tmp_path: Path) -> None:
    programs.seed()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), Own(), keras.layers.Dense(1)])
    model.compile(OwnOptimizer(0.01), "mse")
    data = tf.random.normal([8, 3])
    with Examination() as examination:
        model.fit(data, tf.ones([8, 1]), epochs=2, verbose=0)
        expected = model(data).numpy()
        copied, pickled = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
        cloned = keras.models.clone_model(model)
        cloned.set_weights(model.get_weights())
        model.save(tmp_path / "model.keras")
        model.save_weights(tmp_path / "model.weights.h5")
        model.export(str(tmp_path / "exported"), verbose=False)
        tf.saved_model.save(model, str(tmp_path / "saved"))
        loaded = keras.models.load_model(tmp_path / "model.keras")
        loaded.load_weights(tmp_path / "model.weights.h5")
        checkpoint = tf.train.Checkpoint(model=model)
        checkpoint.restore(checkpoint.save(str(tmp_path / "checkpoint")))
        exported = tf.saved_model.load(str(tmp_path / "exported"))
        for again in (model, copied, pickled, cloned, loaded, exported.serve):
            assert (again(data).numpy() == expected).all()
        for again in (copied, pickled, loaded):
            again.fit(data, tf.ones([8, 1]), verbose=0)
        function = pickle.loads(pickle.dumps(tf.GradientTape.gradient))

    # What was made while it was watched works on its own.
    loaded.fit(data, tf.ones([8, 1]), verbose=0)
    keras.models.load_model(tmp_path / "model.keras").fit(data, tf.ones([8, 1]), verbose=0)
    assert function.__qualname__ == "GradientTape.gradient"
    assert examination.diagnosis().tool_errors == ()
    assert "ganmedic" not in (tmp_path / "exported" / "saved_model.pb").read_bytes().decode("latin-1")


def test_the_waiting_for_tensorflow_is_taken_off() -> None:
    script = """
import sys
from ganmedic.examination import Examination
before = list(sys.meta_path)
with Examination() as examination:
    import json.tool
    assert sys.meta_path != before
assert sys.meta_path == before
assert "tensorflow" not in sys.modules
assert examination.diagnosis().tool_errors == ()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_the_hooks_stand_where_this_file_looks() -> None:
    assert {tf.GradientTape, keras.Layer, atomic_function.AtomicFunction, polymorphic_function.Function} <= {
        owner for owner, _ in snapshot().values() if isinstance(owner, type)
    }
