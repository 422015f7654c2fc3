"""``ganmedic check`` on whole programs, as a user runs it: helper modules, a notebook, its files and its exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow
SCRIPTS = Path(__file__).parent / "scripts"
CASES = Path(__file__).parents[1] / "benchmarks" / "cases"
GANMEDIC = str(Path(sys.executable).with_name("ganmedic"))


def check(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [GANMEDIC, "check", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "NO_COLOR": "1", "COLUMNS": "80"},
        timeout=200,
        check=False,
    )


def test_a_finding_points_into_the_helper_module_that_holds_the_cut(tmp_path: Path) -> None:
    report, record, sarif = tmp_path / "report.json", tmp_path / "run.record", tmp_path / "report.sarif"

    done = check("--json", report, "--record", record, "--sarif", sarif, SCRIPTS / "helper modules" / "train.py")

    assert done.returncode == 1, done.stderr
    assert done.stdout == "done\n"
    finding = json.loads(report.read_text())["findings"][0]
    assert finding["cause"] == "non-differentiable-op"
    place = finding["locations"][0]
    assert Path(place["file"]).name == "zeichnen.py"
    assert place["line"] == 5
    assert finding["network"] == "generator"
    assert len(finding["variables"]) == 4
    assert "ArgMax" in done.stderr
    assert json.loads(sarif.read_text())["runs"][0]["results"][0]["ruleId"] == "non-differentiable-op"

    from ganmedic.diagnosis import diagnose
    from ganmedic.record.store import load

    again = diagnose(load(record))
    assert [(one.cause, one.locations[0].line) for one in again.findings] == [("non-differentiable-op", 5)]


def test_a_notebook_is_examined_and_places_are_cell_and_line(tmp_path: Path) -> None:
    report = tmp_path / "report.json"

    done = check("--json", report, SCRIPTS / "gan.ipynb")

    assert done.returncode == 1, done.stderr
    told = json.loads(report.read_text())
    finding = told["findings"][0]
    assert finding["cause"] == "stop-gradient"
    place = finding["locations"][0]
    assert (Path(place["file"]).name, place["cell"], place["line"]) == ("gan.ipynb", 3, 7)
    assert "cell 3, line 7" in done.stderr
    assert told["error"]["type"] == "ValueError"
    assert told["error"]["explained_by"] == "stop-gradient"
    assert any("%matplotlib" in one["what"] for one in told["unchecked"])


def test_a_sound_script_is_called_healthy_and_steps_end_it_early() -> None:
    done = check("--steps", 5, CASES / "digits-hinge-h3" / "healthy.py")

    assert done.returncode == 0, done.stderr
    assert "healthy" in done.stderr
    assert "5 steps" in done.stderr


def test_the_error_of_the_script_is_shown_as_python_shows_it_and_then_explained() -> None:
    script = CASES / "card-anomaly-15" / "faulty.py"
    alone = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )

    done = check(script)

    shown = alone.stderr[alone.stderr.index("Traceback") :]
    assert shown.splitlines()[:3] == done.stderr[done.stderr.index("Traceback") :].splitlines()[:3]
    frames = [line for line in shown.splitlines() if line.startswith("  File")]
    assert all(line in done.stderr for line in frames)
    assert "ganmedic/capture" not in done.stderr
    assert done.returncode == 1
    assert "error[wrong-pairing]" in done.stderr
