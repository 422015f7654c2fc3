"""Runs from their data to their folder: stopped, killed, damaged, locked, and taken up again."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import arrays, assert_same_run, at_step, begun, figures, gone_on, points_file, small

from ganmedic.training.checkpoints import Checkpoints
from ganmedic.training.run_folder import RunError

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return points_file(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    outcome, _ = begun(small(data, folder))
    assert (outcome.state, outcome.step, outcome.healthy) == ("finished", 60, True)
    return folder


def test_the_folder_of_a_run_has_all_that_was_promised(whole: Path) -> None:
    there = {path.relative_to(whole).as_posix() for path in whole.rglob("*") if path.is_file()}
    expected = {
        "README.md",
        "config.toml",
        "run.json",
        "history.csv",
        "curves.png",
        "data/samples.npy",
        "data/samples.json",
    }
    expected |= {f"samples/{name}.png" for name in ("latest", "step-000000000", "step-000000060")}
    expected |= {f"checkpoints/step-{step:09d}-leg-0.npz" for step in (20, 40, 60)}
    assert expected <= there
    assert not [name for name in there if "partial" in name]
    rows = figures(whole)
    assert [row[0] for row in rows] == ["step", *map(str, range(1, 61))]
    assert np.isfinite(np.array(rows[1:], float)).all()
    assert json.loads((whole / "run.json").read_text())["state"] == "finished"


def test_a_run_that_was_stopped_goes_on_bit_for_bit(
    data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    before = signal.getsignal(signal.SIGINT)
    with at_step(monkeypatch, 27, lambda: os.kill(os.getpid(), signal.SIGINT)):
        outcome, said = begun(small(data, folder))
    assert (outcome.state, outcome.step, outcome.healthy) == ("stopped", 27, False)
    assert f"ganmedic train --resume {folder}" in said
    assert len(figures(folder)) == 28
    outcome, _ = gone_on(folder)
    assert (outcome.state, outcome.step) == ("finished", 60)
    assert_same_run(folder, whole)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_signal_ends_it_at_once(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"

    def twice() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)

    with at_step(monkeypatch, 33, twice), pytest.raises(KeyboardInterrupt):
        begun(small(data, folder))
    assert json.loads((folder / "run.json").read_text())["state"] == "failed"
    assert Checkpoints(folder / "checkpoints").all()[-1].step == 20
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_run_that_was_killed_within_a_checkpoint_goes_on_bit_for_bit(data: Path, whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        import numpy as np
        sys.path.insert(0, sys.argv[1])
        from runs import begun, small
        save = np.savez
        def killed(file, **named):
            save(file, **named)
            if "000000060" in file.name:
                file.truncate(1000)
                file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        np.savez = killed
        begun(small(Path(sys.argv[2]), Path(sys.argv[3])))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(Path(__file__).parent), str(data), str(folder)],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        timeout=200,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    left = sorted(path.name for path in (folder / "checkpoints").iterdir())
    assert left[-1] == "step-000000060-leg-0.partial"
    newest = Checkpoints(folder / "checkpoints").all()[-1].path
    assert newest.name == "step-000000040-leg-0.npz"
    # The disk did not keep all of the one before, either.
    os.truncate(newest, newest.stat().st_size // 2)
    with open(folder / "history.csv", "a", encoding="utf-8") as file:
        file.write("61,0.5,0.")
    outcome, said = gone_on(folder)
    assert outcome.state == "finished"
    assert "step-000000040-leg-0.npz" in said
    assert_same_run(folder, whole)
    assert not list((folder / "checkpoints").glob("*.partial"))


def test_a_finished_run_stays_as_it_is(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    outcome, _ = gone_on(folder)
    assert (outcome.state, outcome.step) == ("finished", 60)
    assert_same_run(folder, whole)


def test_without_a_whole_checkpoint_there_is_no_going_on(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    for path in (folder / "checkpoints").iterdir():
        os.truncate(path, 10)
    with pytest.raises(RunError, match="no whole checkpoint left"):
        gone_on(folder)


def test_a_folder_belongs_to_one_run_and_one_process(data: Path, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"a run already.*--resume"):
        begun(small(data, whole))
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    with pytest.raises(RunError, match="something already"):
        begun(small(data, other))
    assert [path.name for path in other.iterdir()] == ["letter.txt"]
    with pytest.raises(RunError, match="no folder of a run"):
        gone_on(other)
    # A lock of another open file keeps out, as one of another process does.
    with open(whole / ".lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="Another process trains"):
            gone_on(whole)


def test_a_full_disk_ends_no_training(data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    save, failed = np.savez, []

    def full(file: Any, **named: Any) -> None:
        if "000000040" in file.name:
            failed.append(file.name)
            raise OSError(28, "No space left on device")
        save(file, **named)

    monkeypatch.setattr(np, "savez", full)
    outcome, said = begun(small(data, folder))
    assert outcome.state == "finished"
    assert failed
    assert "The checkpoint of step 40 could not be written: No space left on device. Training goes on." in said
    assert_same_run(folder, whole)


def test_pictures_with_classes_metrics_and_an_examination(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(12):
            Image.fromarray(rng.integers(0, 256, (16, 16), np.uint8)).save(tmp_path / "pets" / name / f"{number}.png")
    folder = tmp_path / "run"
    changes = {
        "data.labels": True,
        "data.resolution": 16,
        "data.mirror": True,
        "networks.name": "dcgan",
        "training.steps": 6,
        "checkpoints.every": 3,
        "samples.every": 3,
        "watch.enabled": True,
        "watch.samples": 8,
        "metrics.names": ["vendi"],
        "metrics.samples": 8,
        "tensorboard.enabled": True,
    }
    outcome, _ = begun(small(tmp_path / "pets", folder, **changes))
    assert (outcome.state, outcome.step) == ("finished", 6)
    assert json.loads((folder / "report.json").read_text())
    assert (folder / "records" / "part-001.ganmedic").stat().st_size > 0
    assert json.loads((folder / "metrics.json").read_text())[0]["step"] == 6
    assert list((folder / "tensorboard").rglob("*tfevents*"))
    assert np.load(folder / "data" / "samples.npy").shape == (24, 16, 16, 1)
    assert np.load(folder / "data" / "labels.npy").tolist() == [0] * 12 + [1] * 12
    assert "random" in arrays(folder)
