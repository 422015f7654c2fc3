"""Scripts of every habit run under ``ganmedic check`` as they run under Python."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganmedic.capture.program import parse_target
from ganmedic.cli import main
from ganmedic.examination import check
from ganmedic.finding import Diagnosis

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")

#: All that a script may do before, beside and after its training, each with something on stdout to compare.
HABITS = """
# -*- coding: utf-8 -*-
import importlib.util, multiprocessing, os, sys, threading

def square(number):
    return number * number

def send(queue, number):
    queue.put((square(number), "tensorflow" in sys.modules, "ganmedic" in sys.modules, sys.argv[1:]))

def main():
    print(sys.argv[0], __file__, sys.argv[1:], sys.path[0])
    print(repr(sys.stdin.readline()), repr(sys.stdin.buffer.read(4)), repr(sys.stdin.read()))
    os.chdir("unter ordner")
    print(os.getcwd(), os.listdir())
    sys.stdout.flush()
    sys.stdout.buffer.write(b"\\xff\\xfe raw bytes \\x00 \\x1b[31m\\r\\n")
    os.write(1, "straight to the descriptor: größe\\n".encode())

    # Before TensorFlow is there.
    spec = importlib.util.find_spec("tensorflow")
    print(spec.name, spec.submodule_search_locations)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map(square, range(4)))

    import tensorflow as tf
    print(type(tf.__spec__.loader).__name__, type(tf.__loader__).__name__, "keras" in sys.modules)
    # Each of these is refused once TensorFlow has begun to work.
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    [cpu] = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    import keras
    print(keras.backend.backend(), [device.name for device in tf.config.list_logical_devices()])
    keras.utils.set_random_seed(1)

    def shown(values):
        return [value.numpy().tobytes().hex() for value in values]

    # Two replicas, each with a thread of its own.
    strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    with strategy.scope():
        mirrored = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(1)])
        optimizer = keras.optimizers.SGD(0.01)
        optimizer.build(mirrored.trainable_variables)
    def replica(images):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(mirrored(images) ** 2)
        grads = tape.gradient(loss, mirrored.trainable_variables)
        optimizer.apply_gradients(zip(grads, mirrored.trainable_variables))
        return loss
    @tf.function
    def step(images):
        print("traced")
        return strategy.reduce("SUM", strategy.run(replica, (images,)), axis=None)
    print(shown([step(tf.random.normal([4, 2])) for _ in range(4)]), shown(mirrored.variables))

    # Threads that train beside one another, each with a network of its own.
    results = {}
    def train(name):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, kernel_initializer="ones")])
        sgd = keras.optimizers.SGD(0.01)
        for number in range(6):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((model(tf.ones([4, 2]) * (name + number)) - 1.0) ** 2)
            sgd.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        results[name] = shown(model.variables)
    threads = [threading.Thread(target=train, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sorted(results.items()))

    # A training whose every error is caught.
    weights, caught = tf.Variable([1.0]), []
    for number in range(5):
        try:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(weights**2)
                if number == 1:
                    tf.ensure_shape(weights, [7])
            keras.optimizers.SGD(0.1).apply_gradients([(tape.gradient(loss, weights), weights)])
            if number == 3:
                keras.optimizers.SGD(0.1).apply_gradients([(None, weights)])
        except Exception as error:
            caught.append((number, type(error).__name__))
    print(caught, shown([weights]))

    # Processes made while TensorFlow is at work.
    queue = multiprocessing.get_context("spawn").SimpleQueue()
    child = multiprocessing.get_context("spawn").Process(target=send, args=(queue, 9))
    child.start()
    child.join()
    print(queue.get(), child.exitcode)
    sys.stdout.flush()
    forked = os.fork()
    if forked == 0:
        print("forked")
        sys.exit(5)
    print(os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]))

if __name__ == "__main__":
    main()
    sys.exit(4)
"""


def test_a_script_of_many_habits(tmp_path: Path) -> None:
    folder = tmp_path / "größer als 1" / "Müll & Söhne's"
    (folder / "unter ordner").mkdir(parents=True)
    (folder / "träin ✓.py").write_text(HABITS.lstrip("\n"), encoding="utf-8")
    (folder / "unter ordner" / "data.bin").write_bytes(b"")

    def run(*command: str) -> subprocess.CompletedProcess[bytes]:
        words = "erste Zeile ä\n\x01\x02\n\nrest".encode()
        return subprocess.run(
            [sys.executable, *command, "träin ✓.py", "--steps", "x y"],
            cwd=folder,
            input=words,
            capture_output=True,
            timeout=120,
        )

    expected = run()
    got = run("-c", "import ganmedic.cli; ganmedic.cli.main()", "check", "--json", str(tmp_path / "diagnosis.json"))

    assert expected.returncode == 4, expected.stderr.decode()
    assert got.stdout.splitlines() == expected.stdout.splitlines()
    assert got.stdout == expected.stdout
    assert b"Traceback" not in got.stderr, got.stderr.decode()
    assert got.returncode in (1, 4)
    diagnosis = json.loads((tmp_path / "diagnosis.json").read_text(encoding="utf-8"))
    assert diagnosis["tool_errors"] == []
    assert diagnosis["ended"] == "completed"
    assert diagnosis["steps"] >= 6


TRAIN = """
import sys
import keras
import tensorflow as tf
weights = tf.Variable([1.0, 2.0])
optimizer = keras.optimizers.SGD(0.1)
def train_one():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights**2)
    optimizer.apply_gradients([(tape.gradient(loss, weights), weights)])
for _ in range(5):
    train_one()
print("trained", weights.shape)
"""


def examine(tmp_path: Path, source: str) -> tuple[Diagnosis, Any]:
    path = tmp_path / "train.py"
    path.write_text(TRAIN + textwrap.dedent(source), encoding="utf-8")
    return check(parse_target(str(path)))


ENDS: dict[str, tuple[str, int]] = {
    "at its end": ("", 0),
    "sys.exit()": ("sys.exit()", 0),
    "sys.exit(0)": ("sys.exit(0)", 0),
    "sys.exit(3)": ("sys.exit(3)", 3),
    "sys.exit(text)": ("sys.exit('no data')", 1),
    "error": ("[][1]", 1),
    "error in a layer": ("keras.layers.Dense(1)(tf.ones([]))", 1),
    "Ctrl-C": ("raise KeyboardInterrupt", 130),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_a_script_is_passed_on(end: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, status = ENDS[end]
    path = tmp_path / "train.py"
    path.write_text(f"{TRAIN}{source}\n", encoding="utf-8")

    with pytest.raises(SystemExit) as stop:
        main(["check", str(path)])

    out, err = capsys.readouterr()
    assert stop.value.code == status, err
    assert out == "trained (2,)\n"
    # The traceback has the program's frames and TensorFlow's, and none of ganmedic.
    assert ("Traceback" in err) == ("error" in end), err
    assert "src/ganmedic" not in err
    assert "patches.py" not in err


def test_an_error_is_caught_by_the_program_as_ever(tmp_path: Path) -> None:
    diagnosis, outcome = examine(
        tmp_path,
        """
        errors = []
        for number in range(3):
            try:
                train_one()
                with tf.GradientTape() as tape:
                    loss = tf.matmul(tf.ones([2, 3]), tf.ones([number + 4, 3]))
                tape.gradient(loss, weights)
            except Exception as error:
                errors.append(error)
        # Nothing of ganmedic hides in the chain of causes.
        assert [type(error).__name__ for error in errors] == ["InvalidArgumentError"] * 3, errors
        assert all(error.__cause__ is None for error in errors)
        assert not any("ganmedic" in str(error) for error in errors)
        try:
            optimizer.apply_gradients([(None, weights)])
        except ValueError as error:
            assert str(error) == "No gradients provided for any variable."
            assert error.__context__ is None
        """,
    )

    assert outcome.error is None
    assert diagnosis.ended == "completed"
    assert diagnosis.tool_errors == ()


OWN_CLASSES = """
    class Tape(tf.GradientTape):
        def __init__(self, note, **options):
            super().__init__(**options)
            self.note, self.entered = note, 0
        def __enter__(self):
            self.entered += 1
            return super().__enter__()
        def gradient(self, target, *sources, scale=1.0):
            return [None if grad is None else grad * scale for grad in super().gradient(target, list(sources))]

    class Layer(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")
        def call(self, inputs, training=False):
            return inputs * self.scale

    class Strange(keras.layers.Layer):
        def __init__(self, *, first, second=2, **kwargs):
            super().__init__(**kwargs)
            self.first, self.second = first, second
        def __call__(self, inputs):
            return super().__call__(inputs)
        @property
        def trainable_variables(self):
            return []
        def call(self, inputs):
            return inputs + self.first

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.weight = tf.Variable([2.0])
        @tf.Module.with_name_scope
        def __call__(self, x):
            return x * self.weight

    class Lazy(tf.Module):
        @property
        def trainable_variables(self):
            return (weights,)

    class Optimizer(keras.optimizers.Adam):
        def __init__(self):
            super().__init__(0.01)
            self.updated = 0
        def apply(self, grads, trainable_variables=None):
            self.updated += 1
            return super().apply([grad * 0.5 for grad in grads], trainable_variables)

    class Plain:
        \"\"\"Looks like an optimizer and is none.\"\"\"
        def apply_gradients(self, pairs):
            for grad, variable in pairs:
                variable.assign_sub(0.01 * grad)

    class Equal(keras.layers.Dense):
        \"\"\"Two of them are the same, and none can be a key.\"\"\"
        __hash__ = None
        def __eq__(self, other):
            return True

    layer, strange, module, optimizer = Layer(), Strange(first=1.0), Module(), Optimizer()
    for number in range(5):
        with Tape("mine", persistent=True) as tape:
            out = strange(layer(tf.ones([2, 3]))) * module(tf.ones([1]))
            loss = tf.reduce_sum(out**2) + tf.reduce_sum(weights)
        (first, other) = tape.gradient(loss, layer.scale.value, weights, scale=2.0)
        optimizer.apply_gradients([(first, layer.scale)])
        Plain().apply_gradients([(other, Lazy().trainable_variables[0])])
    assert (tape.note, tape.entered, optimizer.updated) == ("mine", 1, 5)
    assert keras.Layer.__init__.__name__ == "__init__"
    assert Strange.from_config(strange.get_config() | {"first": 3.0}).first == 3.0
    assert Layer.from_config(layer.get_config()).name == layer.name
    assert strange.trainable_variables == []
    assert [variable.shape for variable in module.trainable_variables] == [(1,)]
    for equal in (Equal(2), Equal(2)):
        equal(tf.ones([1, 3]))
"""


def test_classes_of_the_users_own(tmp_path: Path) -> None:
    diagnosis, outcome = examine(tmp_path, OWN_CLASSES)

    if outcome.error is not None:
        raise outcome.error
    assert diagnosis.tool_errors == ()


def test_warnings_are_the_same(tmp_path: Path) -> None:
    """The same texts, and as often: once for each line of the program."""
    source = """
    other = tf.Variable([1.0])
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(weights**2)
        keras.optimizers.SGD(0.1).apply_gradients(zip(tape.gradient(loss, [weights, other]), [weights, other]))
    """
    path = tmp_path / "train.py"
    path.write_text(TRAIN + textwrap.dedent(source), encoding="utf-8")

    def texts(run: Callable[[], Any]) -> list[str]:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            run()
        # What other tests left to the garbage collector is found whenever it runs.
        own = [warning for warning in told if not issubclass(warning.category, ResourceWarning)]
        return [f"{type(warning.message).__name__}: {warning.message}" for warning in own]

    code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    plain = texts(lambda: exec(code, {"__name__": "__main__"}))
    watched = texts(lambda: check(parse_target(str(path))))

    assert sum("Gradients do not exist" in text for text in plain) == 3
    assert watched == plain
