"""``--steps`` and ``--seconds`` end a program early, cleanly, and say so."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ganmedic.capture.program import parse_target
from ganmedic.examination import Examination, check

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

from capture import guest_programs as programs  # noqa: E402

PATCHED = [(tf.GradientTape, "gradient"), (keras.Layer, "__call__"), (keras.optimizers.Optimizer, "apply")]

TRAIN = """
import atexit, sys
import tensorflow as tf
weights, done = tf.Variable([1.0, 2.0]), 0
optimizer = tf.keras.optimizers.SGD(1e-6)
def train_one():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights**2)
    optimizer.apply_gradients([(tape.gradient(loss, weights), weights)])
"""
LOOPS: dict[str, str] = {
    "finally": """
        try:
            for done in range(100_000):
                train_one()
        finally:
            print("finally", file=log)
    """,
    "except Exception": """
        for done in range(100_000):
            try:
                train_one()
            except Exception:
                print("caught", file=log)
    """,
    "context manager and generator": """
        import contextlib
        @contextlib.contextmanager
        def checkpointed():
            try:
                yield
            finally:
                print("finally", file=log)
        def steps():
            with checkpointed():
                while True:
                    train_one()
                    yield
        for done, _ in enumerate(steps(), 1):
            pass
    """,
    "tf.function": """
        step = tf.function(train_one)
        try:
            for done in range(100_000):
                step()
        finally:
            print("finally", file=log)
    """,
    "fit": """
        model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        class Log(tf.keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                global done
                done = batch + 1
        model.fit(tf.ones([100_000, 2]), tf.ones([100_000, 1]), batch_size=1, callbacks=[Log()], verbose=0)
    """,
}


def script(folder: Path, loop: str) -> Path:
    path = folder / "train.py"
    path.write_text(f"log = open({str(folder / 'log')!r}, 'w', buffering=1)\n{TRAIN}{textwrap.dedent(loop)}")
    return path


@pytest.mark.parametrize("loop", LOOPS)
def test_steps_end_a_script(loop: str, tmp_path: Path) -> None:
    before = [owner.__dict__.get(name) for owner, name in PATCHED]
    target = parse_target(str(script(tmp_path, LOOPS[loop])))

    diagnosis, outcome = check(target, steps=5)

    assert (diagnosis.ended, diagnosis.steps) == ("steps", 5)
    assert (outcome.error, outcome.exit_code, outcome.interrupted) == (None, None, False)
    assert diagnosis.error is None
    assert diagnosis.tool_errors == ()
    assert (tmp_path / "log").read_text() == ("finally\n" if "finally" in LOOPS[loop] else "")
    assert [owner.__dict__.get(name) for owner, name in PATCHED] == before


@pytest.mark.parametrize("loop", LOOPS)
def test_seconds_end_a_script_that_trains(loop: str, tmp_path: Path) -> None:
    target = parse_target(str(script(tmp_path, LOOPS[loop])))

    began = time.monotonic()
    diagnosis, outcome = check(target, seconds=0.3)

    assert time.monotonic() - began >= 0.3
    # On a busy machine the first step may still be traced when the time is up.
    assert diagnosis.ended == "seconds"
    assert (outcome.error, outcome.exit_code, outcome.interrupted) == (None, None, False)
    assert diagnosis.tool_errors == ()
    assert (tmp_path / "log").read_text() == ("finally\n" if "finally" in LOOPS[loop] else "")


def test_limits_that_are_not_reached_change_nothing() -> None:
    plain = programs.eager_loop(4)
    with Examination(steps=5, seconds=100) as examination:
        watched = programs.eager_loop(4)

    assert watched == plain
    assert (examination.diagnosis().ended, examination.diagnosis().steps) == ("completed", 4)


def test_training_up_to_the_limit_is_what_it_would_be() -> None:
    """The step at the limit is made whole, and none after it."""

    def weights(steps: int | None) -> list[str]:
        programs.seed()
        model, optimizer = programs.discriminator(), keras.optimizers.Adam(0.01)
        optimizer.build(model.trainable_variables)
        with Examination(steps=steps):
            for _ in range(6 if steps else 4):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(model(programs.real(), training=True) ** 2)
                grads = tape.gradient(loss, model.trainable_variables)
                optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        return programs.values([*model.variables, *optimizer.variables])

    assert weights(steps=4) == weights(steps=None)


def in_a_thread(train: Callable[[], Any]) -> None:
    thread = threading.Thread(target=train)
    thread.start()
    thread.join()


def in_a_pool(train: Callable[[], Any]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(train).result()


def behind_a_bare_except(train: Callable[[], Any]) -> None:
    try:
        train()
    except:  # noqa: E722
        return


@pytest.mark.parametrize("how", [in_a_thread, in_a_pool, behind_a_bare_except])
def test_a_limit_reached_out_of_sight_of_the_main_program(
    how: Callable[[Callable[[], Any]], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # pytest's own hook would call the end of a thread by SystemExit, of which Python says nothing, an error.
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    came_to: list[Any] = []
    with Examination(steps=3) as examination:
        how(lambda: came_to.append(programs.eager_loop(1000)))

    assert came_to == []
    assert (examination.diagnosis().ended, examination.diagnosis().steps) == ("steps", 3)
    assert capsys.readouterr() == ("", "")


WAITING = {
    "sleep": "import time; time.sleep(100)",
    # `while True` would not do: Python 3.11 itself skips the `finally` when it is interrupted between two rounds.
    "computing": """
        number = 0
        while number >= 0:
            number += len(str(number))
    """,
    "stdin": "import sys; sys.stdin.read()",
    "thread": """
        import threading, time
        thread = threading.Thread(target=time.sleep, args=(100,), daemon=True)
        thread.start()
        thread.join()
    """,
}


def test_seconds_end_a_script_that_only_waits(tmp_path: Path) -> None:
    processes = []
    for name, wait in WAITING.items():
        path = tmp_path / f"{name}.py"
        wait = textwrap.indent(textwrap.dedent(wait), "    ")
        path.write_text(f"try:\n{wait}\nfinally:\n    print('finally')\n")
        command = [sys.executable, "-c", "import ganmedic.cli; ganmedic.cli.main()", "check"]
        options = ["--seconds", "0.5", "--json", str(path.with_suffix(".json")), str(path)]
        streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        processes.append((path, subprocess.Popen([*command, *options], text=True, **streams)))
    try:
        for path, process in processes:
            # The end of stdin would end the script that reads it.
            assert process.wait(60) == 0, process.stderr and process.stderr.read()
            assert process.stdout is not None
            assert process.stdout.read() == "finally\n"
            diagnosis = json.loads(path.with_suffix(".json").read_text())
            assert diagnosis["ended"] == "seconds"
            assert diagnosis["tool_errors"] == []
    finally:
        for _, process in processes:
            process.kill()
            process.communicate()


def test_seconds_end_a_block_that_only_waits() -> None:
    before = threading.active_count()
    try:
        with Examination(seconds=0.1) as examination:
            time.sleep(100)
    except KeyboardInterrupt:
        pytest.fail("The interrupt came out of the block.")

    assert examination.diagnosis().ended == "seconds"
    assert threading.active_count() <= before + 1


def test_a_block_that_ends_by_itself_just_after_the_time_is_left_alone() -> None:
    with Examination(seconds=0.05) as examination:
        time.sleep(0.2)
    try:
        time.sleep(2.5)
    except KeyboardInterrupt:
        pytest.fail("The interrupt came after the end of the block.")

    assert examination.diagnosis().ended == "completed"


def test_ctrl_c_is_no_time_limit() -> None:
    with pytest.raises(KeyboardInterrupt), Examination(seconds=100) as examination:
        raise KeyboardInterrupt

    assert examination.diagnosis().ended == "interrupted"
