"""The folder of a run, as another process finds it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ganmedic.settings import for_data
from ganmedic.training.run_folder import RunError, RunFolder, RunState, default_folder

SETTINGS = for_data("images", **{"training.steps": 7})
MADE = {"name": "clip", "back_to": "x.npz", "values": {"training.steps": 9, "loss.name": "hinge"}}


def test_it_is_opened_with_all_changes_made(tmp_path: Path) -> None:
    RunFolder.begin(tmp_path / "a" / "run", SETTINGS, RunState(command="ganmedic train", interventions=[MADE]))
    run, settings, known = RunFolder.open(tmp_path / "a" / "run")
    assert (settings.training.steps, settings.loss.name) == (9, "hinge")
    assert (known.leg, known.command, known.interventions) == (1, "ganmedic train", [MADE])
    assert Path(settings.data.path).name == "images"
    known.seconds = 4.5
    run.write(known)
    assert RunFolder.open(run.path)[2] == known


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("run.json", "{", "cannot be read"),
        ("run.json", "[]", "cannot be read"),
        ("run.json", "{}", "cannot be read"),
        ("run.json", json.dumps({"format": 99}), "another version of ganmedic"),
        ("run.json", json.dumps({"format": 1, "mood": 3}), "cannot be read"),
        ("config.toml", "[data", "does not hold the configuration"),
        ("config.toml", "[data]\npath = 3", "does not hold the configuration"),
    ],
)
def test_files_that_were_spoilt_are_named(name: str, text: str, expected: str, tmp_path: Path) -> None:
    RunFolder.begin(tmp_path / "run", SETTINGS, RunState())
    (tmp_path / "run" / name).write_text(text)
    with pytest.raises(RunError, match=expected) as refused:
        RunFolder.open(tmp_path / "run")
    assert str(tmp_path / "run") in str(refused.value)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    run = RunFolder.begin(tmp_path / "run", SETTINGS, RunState())
    program = (
        "import sys; from pathlib import Path; from ganmedic.training.run_folder import RunFolder, RunError\n"
        "try:\n    with RunFolder(Path(sys.argv[1])).locked(): print('in')\nexcept RunError as error: print(error)\n"
        "print('tensorflow' in sys.modules)"
    )

    def tried() -> list[str]:
        command = [sys.executable, "-c", program, str(run.path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    with run.locked():
        said = tried()
    assert "Another process trains in" in said[0]
    assert tried()[0] == "in"
    assert said[1] == "False", "TensorFlow is not needed to see that"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot be written .*--out"):
        RunFolder.begin(tmp_path / "file" / "run", SETTINGS, RunState())


def test_the_default_folder_tells_data_and_time() -> None:
    assert default_folder("/data/my pets.zip").as_posix().startswith("runs/my-pets-2")
    assert default_folder("/").name.startswith("data-")


def test_what_a_killed_beginning_leaves_is_no_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    settings = for_data("data")
    (folder / "samples").mkdir(parents=True)
    (folder / "config.toml").write_text("half of")
    (folder / ".run.json.12ab.tmp").write_text("{")
    RunFolder.begin(folder, settings, RunState())
    assert RunFolder.open(folder)[1].data.path == settings.data.path
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x")
    with pytest.raises(RunError, match="something already"):
        RunFolder.begin(tmp_path / "other", settings, RunState())
