"""A fault in ganmedic itself stays out of the program, does not change it, and is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ganmedic.diagnosis
from ganmedic.causes import frozen, variable_unused
from ganmedic.cli import FINDINGS, HEALTHY, TOOL_FAILED, main
from ganmedic.examination import Examination
from ganmedic.finding import Finding

pytestmark = pytest.mark.tensorflow
tf = pytest.importorskip("tensorflow")

from capture import guest_programs as programs  # noqa: E402
from ganmedic.capture.conversions import Conversions  # noqa: E402
from ganmedic.capture.functions import Functions  # noqa: E402
from ganmedic.capture.modules import Modules  # noqa: E402
from ganmedic.capture.optimizers import Optimizers  # noqa: E402
from ganmedic.capture.recorder import Recorder  # noqa: E402
from ganmedic.capture.session import Session  # noqa: E402
from ganmedic.capture.tapes import Tapes  # noqa: E402
from ganmedic.capture.variables import Variables  # noqa: E402

PLANTED = "planted in ganmedic"


def broken(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError(PLANTED)


def both_ways() -> list[programs.Result]:
    """An eager loop and a traced one, with everything that is followed: layers, lists, custom gradients, departures."""
    programs.seed()
    model, variable = programs.discriminator(), tf.Variable([0.5, -0.5])
    optimizer = programs.keras.optimizers.Adam(0.01)

    @tf.custom_gradient
    def halved(value: Any) -> Any:
        return value, lambda upstream: upstream * 0.5

    @tf.function
    def doubled(value: Any) -> Any:
        return tf.numpy_function(lambda x: x * 2, [value], tf.float32)

    losses: list[Any] = []
    for _ in range(4):
        with tf.GradientTape() as tape:
            tape.watch(variable)
            loss = tf.reduce_mean(halved(model(programs.real(), training=True)) ** 2) + tf.reduce_sum(variable**2)
            with tape.stop_recording():
                added = tf.reduce_sum(doubled(tf.ones([2])))
            loss += added
        sources = [*model.trainable_variables, variable]
        grads = tape.gradient(loss, sources)
        optimizer.apply_gradients(zip(grads, sources, strict=True))
        model.layers[-2].trainable = False
        losses += [loss, float(loss), *tf.numpy_function(lambda x: [x, x], [loss], [tf.float32, tf.float32])]
    return [programs.finished(losses, model, optimizer), programs.missing(traced=True)]


@pytest.fixture(scope="module")
def plain() -> list[programs.Result]:
    return both_ways()


PLACES: dict[str, tuple[Any, str]] = {
    f"{owner.__name__}.{name}": (owner, name)
    for owner, names in (
        (Recorder, "_keep stack add settle"),
        (Tapes, "install _row _pushing _pushed _ask _answer _own_gradient _note_flows"),
        (Optimizers, "know _begin _done settle"),
        (Modules, "know _calling _called _read _froze settle"),
        (Functions, "_calling _called _left _numpy_done"),
        (Variables, "know compare"),
        (Conversions, "_leave"),
        (Session, "__init__ _answered _applied _ran settle"),
        (Examination, "_look _conclude"),
        (ganmedic.diagnosis, "diagnose rank"),
        (variable_unused, "find"),
    )
    for name in names.split()
}


@pytest.mark.parametrize("place", PLACES)
def test_a_fault_stays_out_of_the_program_and_is_told(
    place: str, plain: list[programs.Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*PLACES[place], broken)
    before = tf.GradientTape.gradient

    with Examination() as examination:
        watched = both_ways()

    diagnosis = examination.diagnosis()
    assert watched == plain
    assert any(PLANTED in told for told in diagnosis.tool_errors)
    assert len(diagnosis.tool_errors) < 20
    assert tf.GradientTape.gradient is before
    assert diagnosis.ended == "completed"


def test_a_fault_in_one_cause_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "find", broken)

    with Examination() as examination:
        programs.missing()

    diagnosis = examination.diagnosis()
    assert [finding.cause for finding in diagnosis.findings] == ["variable-unused"]
    assert [told.split(" (")[0] for told in diagnosis.tool_errors] == [f"frozen: RuntimeError: {PLANTED}"]


def test_a_fault_of_what_shows_the_findings_is_told() -> None:
    used, unused = tf.Variable([1.0, 2.0]), tf.Variable([3.0])
    optimizer = programs.keras.optimizers.SGD(0.25)
    optimizer.build([used])

    with Examination(on_finding=broken) as examination:
        for _ in range(6):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(used**2)
            grad, nothing = tape.gradient(loss, [used, unused])
            optimizer.apply_gradients([(grad, used)])
        # The surroundings of the gradients count as known all the same.
        assert examination._session is not None
        assert examination._session._told

    diagnosis = examination.diagnosis()
    assert nothing is None
    assert used.numpy().tolist() == [0.5**6, 0.5**5]
    assert [finding.cause for finding in diagnosis.findings] == ["variable-unused"]
    assert PLANTED in str(diagnosis.tool_errors)


def test_a_record_that_cannot_be_kept_leaves_the_findings(tmp_path: Path) -> None:
    with Examination(record_path=tmp_path / "no such folder" / "record") as examination:
        programs.missing()

    diagnosis = examination.diagnosis()
    assert [finding.cause for finding in diagnosis.findings] == ["variable-unused"]
    assert len(diagnosis.tool_errors) == 1


def test_faults_without_end_switch_the_watching_off(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def always_another(*args: Any) -> None:
        calls.append(len(calls))
        raise RuntimeError(f"{PLANTED}: {len(calls)}")

    monkeypatch.setattr(Recorder, "_keep", always_another)
    with Examination() as examination:
        programs.eager_loop()

    assert len(calls) == 3
    assert len(examination.diagnosis().tool_errors) == 3


SOUND = """
import tensorflow as tf
weights = tf.Variable([1.0, 2.0])
for _ in range(5):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights**2)
    tf.keras.optimizers.SGD(0.1).apply_gradients([(tape.gradient(loss, weights), weights)])
print("trained")
"""
FAULTY = SOUND.replace("weights**2", "tf.round(weights) ** 2").replace(
    "tf.keras.optimizers.SGD(0.1).apply_gradients([(tape.gradient(loss, weights), weights)])",
    "tape.gradient(loss, weights)",
)
STATUSES: dict[str, tuple[str, bool, int]] = {
    "sound": (SOUND, False, HEALTHY),
    "sound, and a fault in ganmedic": (SOUND, True, TOOL_FAILED),
    "faulty": (FAULTY, False, FINDINGS),
    "faulty, and a fault in ganmedic": (FAULTY, True, FINDINGS),
    "exit status, and a fault in ganmedic": (SOUND + "raise SystemExit(7)\n", True, 7),
}


@pytest.mark.parametrize("status", STATUSES)
def test_exit_status(
    status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, fault, expected = STATUSES[status]
    script = tmp_path / "train.py"
    script.write_text(source)
    if fault:
        monkeypatch.setattr(frozen, "find", broken)

    with pytest.raises(SystemExit) as stop:
        main(["check", str(script)])

    out, err = capsys.readouterr()
    assert out == "trained\n"
    assert stop.value.code == expected, err
    assert (PLANTED in err) == fault


@pytest.mark.parametrize("ask", [lambda examination: examination.diagnosis(), repr], ids=["diagnosis", "repr"])
def test_asking_in_the_midst_of_training_changes_nothing(ask: Callable[[Examination], Any]) -> None:
    def train(examination: Examination | None) -> programs.Result:
        programs.seed()
        model = programs.discriminator()
        optimizer = programs.keras.optimizers.Adam(0.01)
        for _ in range(5):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(model(programs.real(), training=True) ** 2)
                if examination is not None:
                    ask(examination)
            grads = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        return programs.finished([loss], model, optimizer)

    plain = train(None)
    told: list[Finding] = []
    with Examination(on_finding=told.append) as examination:
        watched = train(examination)

    assert watched == plain
    assert (told, examination.diagnosis().tool_errors) == ([], ())
