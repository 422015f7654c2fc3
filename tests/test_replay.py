"""``ganmedic replay``: a step that went wrong is run again from its record, and what each operation made is printed."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ganmedic.cli import app
from ganmedic.record.record import Record
from ganmedic.record.schema import Operation
from ganmedic.record.snapshots import Snapshot
from ganmedic.record.store import load, save
from ganmedic.rerun import Figures, Ran, Rerun

SCRIPT = """
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1, use_bias=False)])
optimizer = tf.keras.optimizers.SGD(1e-3)


def train_step(batch):
    with tf.GradientTape() as tape:
        score = tf.abs(model(batch))
        loss = -tf.reduce_mean(tf.math.log(score))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))


if TRACED:
    train_step = tf.function(train_step)
for step in range(5):
    train_step(tf.constant([[1.0, 2.0], [3.0, 4.0], [0.0 if step == 3 else 5.0] * 2]))
"""
WIDTH = 80


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    return tmp_path


def replay(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["replay", *arguments])


def words(text: str) -> str:
    return " ".join(text.split())


# --- end to end ---------------------------------------------------------------------------------------------------------


@pytest.mark.tensorflow
@pytest.mark.parametrize("traced", [True, False], ids=["tf.function", "eager"])
def test_a_log_of_zero_is_found_again_from_the_record(here: Path, traced: bool) -> None:
    from ganmedic.capture.program import parse_target
    from ganmedic.examination import check

    script = here / "train.py"
    script.write_text(SCRIPT.replace("TRACED", str(traced)))
    diagnosis, outcome = check(parse_target(str(script), (), module=False), record_path=here / "run.rec")
    assert outcome.error is None
    assert diagnosis.tool_errors == ()
    snapshot = next(iter(load("run.rec").snapshots.values()))
    assert (snapshot.step, snapshot.note, len(snapshot.state)) == (3, "", 1)

    done = replay("run.rec")

    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith("step 3 of the gradient call at train.py:13, run again")
    marked = [line for line in lines if line.startswith(">>")]
    assert [words(line) for line in marked] == [">> Log [3,1] 1 infinite of 3"]
    at = lines.index(marked[0])
    assert lines[at - 1] == "train.py:12  loss = -tf.reduce_mean(tf.math.log(score))"
    assert lines[at + 1].strip() == "the first value that is not finite, made out of:"
    assert re.fullmatch(r"1\. Abs \[3,1\]: min 0, mean \d\S*, max \d\S*", lines[at + 2].strip())
    kinds = [line[3:].split()[0] for line in lines if re.match(r"(   |! |>>)\s?[A-Z]\w+ +\[", line)]
    forward = [kind for kind in kinds if kind != "Const"][:6]
    assert forward == ["ReadVariableOp", "MatMul", "Abs", "Log", "Mean", "Neg"]
    back = lines.index("gradient of Log, train.py:12")
    assert words(lines[back + 1]) == "! Reciprocal [3,1] 1 infinite of 3"
    assert "gradient of MatMul, train.py:11" in lines
    assert "born in Log (train.py:12): 1 infinite of 3" in lines
    assert "gradients: 1 of 1 not finite" in lines
    assert "left out" not in done.stdout

    assert replay("run.rec", "--step", "3").stdout == done.stdout
    assert replay("run.rec", "--all").stdout == done.stdout


@pytest.mark.tensorflow
def test_a_weight_that_was_not_finite_before_the_step_is_named(here: Path) -> None:
    from ganmedic.capture.program import parse_target
    from ganmedic.examination import check

    script = here / "train.py"
    spoilt = "    if step == 3:\n        model.layers[0].kernel.assign([[float('nan')], [1.0]])\n    train_step("
    script.write_text(
        SCRIPT.replace("TRACED", "True").replace("    train_step(tf", f"{spoilt}tf").replace("0.0 if", "5.0 if")
    )
    check(parse_target(str(script), (), module=False), record_path=here / "run.rec")

    done = replay("run.rec")

    assert done.exit_code == 0, done.output
    assert "! variable sequential" in words(done.stdout)
    assert "/kernel [2,1]: 1 NaN of 2 before the step" in words(done.stdout)
    assert ">>" not in done.stdout
    assert "It was there before the step: see the variables and inputs above." in done.stdout


@pytest.mark.tensorflow
def test_tensors_and_attributes_of_every_kind_come_back() -> None:
    import numpy as np
    import tensorflow as tf
    from tensorflow.core.framework import attr_value_pb2

    from ganmedic.capture.snapshots import decode, encode, packed, tensor_of

    for value in (
        tf.constant([1.5, 2.0], tf.bfloat16),
        tf.constant(7, tf.int64),
        tf.constant([[True]]),
        tf.zeros((0, 3)),
    ):
        again = tensor_of(packed(value))
        assert (again.dtype, again.shape) == (value.dtype, value.shape)
        np.testing.assert_array_equal(again.numpy(), value.numpy())
    proto = attr_value_pb2.AttrValue(s=b"SAME")
    given = ("T", tf.float32, b"padding", b"\x00SAME", "strides", [1, 2], "shape", tf.TensorShape([None, 3]))
    given = (
        *given,
        "p",
        proto,
        "_own",
        object(),
        "size",
        (np.int64(3), None),
        "rate",
        0.1,
        "any",
        tf.TensorShape(None),
    )
    text = encode(given)
    assert text is not None
    back = decode(text)
    assert back[:8] == ("T", tf.float32, "padding", b"\x00SAME", "strides", [1, 2], "shape", tf.TensorShape([None, 3]))
    assert back[8:14] == ("p", proto, "size", (3, None), "rate", 0.1)
    assert back[-1].rank is None
    assert encode(("f", object())) is None


# --- what cannot be run again -------------------------------------------------------------------------------------------


def test_a_file_that_is_no_record(here: Path) -> None:
    done = replay("run.rec")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "There is no record at run.rec. Make one with: ganmedic check --record run.rec train.py" in words(
        done.stderr
    )


def test_a_record_of_a_run_in_which_nothing_went_wrong(here: Path) -> None:
    save(Record(), "run.rec")
    done = replay("run.rec")

    assert (done.exit_code, done.stdout) == (2, "")
    assert words(done.stderr) == (
        "ganmedic: run.rec keeps no step: in its run no loss and no gradient was seen that is not finite. "
        "A record of a run with a step that went wrong is expected. "
        "If one turns up later, run on longer: ganmedic check --record FILE train.py"
    )


def test_a_step_for_which_there_was_no_room(here: Path) -> None:
    save(Record(snapshots={1: Snapshot(1, 1, 1, 3, note="the step takes 600 MB")}), "run.rec")
    done = replay("run.rec")

    assert done.exit_code == 2
    assert "run.rec keeps no step: the step takes 600 MB." in done.stderr
    assert "Make the batch smaller and run ganmedic check --record FILE train.py" in done.stderr


def test_a_step_that_is_not_kept(here: Path) -> None:
    save(Record(snapshots={number: Snapshot(number, 1, 1, number) for number in (3, 5)}), "run.rec")
    done = replay("run.rec", "--step", "4")

    assert done.exit_code == 2
    assert "Step 4 was asked for, but run.rec keeps 3, 5. Give one of these with --step." in words(done.stderr)


def test_without_tensorflow(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(Record(snapshots={3: Snapshot(3, 1, 1, 3)}), "run.rec")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = replay("run.rec")

    assert done.exit_code == 2
    assert 'pip install "ganmedic[tensorflow]"' in done.stderr


# --- what is shown ------------------------------------------------------------------------------------------------------


def chain(length: int, bad: int) -> Rerun:
    """Operations in a row, of which one is the first to make a value that is not finite; every second is a constant."""
    from ganmedic.record.schema import GradientCall

    sound, broken = Figures((2,), "float32", 2, 0.0, 0.5, 1.0), Figures((2,), "float32", 2, infinite=1)
    ran = [
        Ran(Operation(number, "Const" if number % 2 else "Mul", 0, (), ()), (broken if number >= bad else sound,))
        for number in range(length)
    ]
    before, after = tuple(range(bad, -1, -1)), tuple(range(bad + 1, length))
    return Rerun(GradientCall(1, 1, (), 0), 3, ran, (bad,), before, after, losses=(broken,), gradients=(2, 1))


def test_a_short_list_is_shown_whole() -> None:
    assert [one.operation.id for one in chain(30, 10).chosen(30)] == list(range(30))


def test_a_long_list_is_shortened_to_what_leads_to_the_bad_value_and_on_to_the_loss() -> None:
    shown = [one.operation.id for one in chain(400, 200).chosen(30)]

    assert len(shown) == 30
    assert shown[:-7] == list(range(202 - 2 * len(shown[:-7]), 202, 2))
    assert shown[-7:] == [202, 204, 206, 208, 210, 212, 398]


def test_what_is_left_out_is_said_and_nothing_is_with_all() -> None:
    from io import StringIO

    from rich.console import Console

    from ganmedic.report.rerun import render_rerun

    def printed(everything: bool) -> str:
        console = Console(file=StringIO(), width=WIDTH, highlight=False, color_system=None)
        render_rerun(console, Record(), chain(400, 200), everything=everything)
        assert isinstance(console.file, StringIO)
        return console.file.getvalue()

    short = printed(False)
    assert "370 operations left out" in short
    assert "--all shows" in short
    assert max(map(len, short.splitlines())) <= WIDTH
    assert len(re.findall("Mul +\\[2\\]", printed(True))) == 200
    assert "left out" not in printed(True)
