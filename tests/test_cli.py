"""The command line, without TensorFlow: the examination is a stand-in."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from ganmedic import __version__
from ganmedic.capture.program import Outcome, Target, run
from ganmedic.cli import app, main
from ganmedic.finding import Diagnosis, Finding

FINDING = Finding("stop-gradient", "error", 0.9, "generator", "The generator gets no gradient [0, 1].")
NOTE = Finding("frozen", "note", 0.5, "other", "The encoder is frozen on purpose.")


@dataclass
class Examination:
    """Stands in for the examination: runs nothing unless told to, and remembers how it was called."""

    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    outcome: Outcome = field(default_factory=Outcome)
    error: Exception | None = None
    runs: bool = False
    target: Target | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def check(
        self, target: Target, *, on_finding: Callable[[Finding], None], **options: Any
    ) -> tuple[Diagnosis, Outcome]:
        self.target, self.options = target, options
        if self.error is not None:
            raise self.error
        for finding in self.diagnosis.findings:
            on_finding(finding)
        return self.diagnosis, run(target) if self.runs else self.outcome


@pytest.fixture
def examination(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Examination:
    stand_in = Examination()
    module = ModuleType("ganmedic.examination")
    module.__dict__["check"] = stand_in.check
    monkeypatch.setitem(sys.modules, "ganmedic.examination", module)
    pages = ModuleType("ganmedic.causes.pages")
    known = [
        SimpleNamespace(slug="stop-gradient", family="missing", title="A [stop]", markdown="# Stop\n\nIt `stops`."),
        SimpleNamespace(slug="dead-relu", family="vanishing", title="Dead units", markdown="# Dead"),
    ]
    pages.__dict__["pages"] = lambda: {page.slug: page for page in known}
    monkeypatch.setitem(sys.modules, "ganmedic.causes.pages", pages)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("import sys\nprint(sys.argv)\n")
    return stand_in


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def words(text: str) -> str:
    """The text without the frame and the line breaks that the terminal's width brings."""
    return " ".join(text.replace("│", " ").split())


def test_everything_behind_the_script_is_the_scripts(examination: Examination) -> None:
    examination.runs = True
    result = invoke("check", "--steps", "3", "train.py", "--help", "--steps", "x", "--", "-m", "--json")

    assert (result.exit_code, result.stdout) == (0, "['train.py', '--help', '--steps', 'x', '--', '-m', '--json']\n")
    assert examination.options == {"steps": 3, "seconds": None, "record_path": None, "preset": "light"}


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        (("train.py",), Target("script", "train.py")),
        (("--", "train.py", "--quiet"), Target("script", "train.py", ("--quiet",))),
        (("-m", "train", "-m"), Target("module", "train", ("-m",))),
    ],
)
def test_targets(examination: Examination, arguments: tuple[str, ...], target: Target) -> None:
    assert invoke("check", *arguments).exit_code == 0
    assert examination.target == target


def test_a_finding_is_printed_once_to_standard_error(examination: Examination) -> None:
    examination.diagnosis = Diagnosis((FINDING,))
    result = invoke("check", "train.py")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert words(result.stderr).count(FINDING.summary) == 1


def test_quiet(examination: Examination) -> None:
    examination.diagnosis = Diagnosis((FINDING,))
    result = invoke("check", "--quiet", "train.py")

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")


@pytest.mark.parametrize(
    ("diagnosis", "outcome", "status"),
    [
        (Diagnosis(), Outcome(exit_code=0), 0),
        (Diagnosis((NOTE,)), Outcome(), 0),
        (Diagnosis((FINDING,), ended="failed"), Outcome(ValueError("x")), 1),
        (Diagnosis((FINDING,)), Outcome(exit_code=7), 1),
        (Diagnosis(ended="failed"), Outcome(ValueError("x")), 1),
        (Diagnosis(ended="failed"), Outcome(exit_code=7), 7),
        (Diagnosis(), Outcome(exit_code=7), 7),
        (Diagnosis(ended="steps"), Outcome(RuntimeError("stopped by the examination")), 0),
        (Diagnosis(ended="interrupted"), Outcome(KeyboardInterrupt(), interrupted=True), 130),
        (Diagnosis(tool_errors=("the tapes",)), Outcome(), 3),
    ],
)
def test_exit_status(examination: Examination, diagnosis: Diagnosis, outcome: Outcome, status: int) -> None:
    examination.diagnosis, examination.outcome = diagnosis, outcome

    assert invoke("check", "train.py").exit_code == status


def test_the_error_of_the_script_is_printed_as_python_does(examination: Examination, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import os\nos.chdir('/')\n1 / 0\n")
    examination.runs, examination.diagnosis = True, Diagnosis(ended="failed")
    result = invoke("check", "--quiet", "--json", "out.json", "train.py")
    os.chdir(tmp_path)

    place = f'  File "{tmp_path}/train.py", line 3, in <module>\n'
    assert result.stderr.startswith("Traceback (most recent call last):\n" + place)
    assert result.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert json.loads((tmp_path / "out.json").read_text())["ended"] == "failed"


def test_reports(examination: Examination, tmp_path: Path) -> None:
    examination.diagnosis = Diagnosis((FINDING,))
    result = invoke("check", "--json", "a.json", "--sarif", "b.sarif", "--record", "c.ganmedic", "train.py")

    assert result.exit_code == 1
    assert json.loads((tmp_path / "a.json").read_text())["findings"][0]["cause"] == "stop-gradient"
    assert json.loads((tmp_path / "b.sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "stop-gradient"
    assert examination.options["record_path"] == tmp_path / "c.ganmedic"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--steps", "0"), "0 was given, a whole number from 1 on is expected. Give the number"),
        (("--steps", "-3"), "-3 was given, a whole number from 1 on is expected."),
        (("--steps", "many"), "many was given, a whole number from 1 on is expected."),
        (("--preset", "heavy"), "heavy was given, light or full is expected."),
        (("--seconds", "0"), "0 was given, a number above 0 is expected. Give the number of seconds"),
        (("--seconds", "nan"), "nan was given, a number above 0 is expected."),
        (("--seconds", "inf"), "inf was given, a number above 0 is expected."),
        (("--json", "no/a.json"), "no/a.json was given, but there is no folder no. A file in a folder that exists"),
        (("--sarif", "."), ". is a folder, a file is expected. Add a file name to it."),
        (("--json", "x", "--record", "./x"), "--record names"),
        (("--json", "train.py"), "and so does the script."),
    ],
)
def test_misuse_is_said_before_the_script_runs(
    examination: Examination, arguments: tuple[str, ...], message: str
) -> None:
    result = invoke("check", *arguments, "train.py")

    assert result.exit_code == 2
    assert message in words(result.stderr)
    assert examination.target is None


def test_a_place_that_may_not_be_written(examination: Examination, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    result = invoke("check", "--json", "a.json", "train.py")

    assert result.exit_code == 2
    assert "a.json was given, but this user may not write there." in words(result.stderr)


def test_a_script_that_is_not_there(examination: Examination) -> None:
    result = invoke("check", "tarin.py")

    assert result.exit_code == 2
    assert "There is no file tarin.py" in result.stderr
    assert "Did you mean train.py?" in result.stderr


def test_without_tensorflow(examination: Examination, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = invoke("check", "train.py")

    assert result.exit_code == 2
    assert 'pip install "ganmedic[tensorflow]"' in result.stderr


def test_a_failure_of_the_tool(examination: Examination, capsys: pytest.CaptureFixture[str]) -> None:
    examination.error = LookupError("a fault of our own")
    with pytest.raises(SystemExit) as stop:
        main(["check", "train.py"])

    assert stop.value.code == 3
    text = capsys.readouterr().err
    assert "LookupError: a fault of our own" in text
    assert text.endswith("ganmedic itself failed: what it was asked for is not done.\n")


def test_a_report_that_cannot_be_written_in_the_end(
    examination: Examination, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "train.py").write_text("import os\nos.rmdir('out')\n")
    examination.runs = True
    with pytest.raises(SystemExit) as stop:
        main(["check", "--json", "out/a.json", "train.py"])

    assert stop.value.code == 3
    assert "Cannot write the report" in capsys.readouterr().err


def test_explain(examination: Examination) -> None:
    result = invoke("explain", "stop-gradient")

    assert result.exit_code == 0
    assert "It stops." in result.stdout


def test_explain_lists_all_by_family(examination: Examination) -> None:
    result = invoke("explain")

    assert result.exit_code == 0
    assert words(result.stdout).startswith("missing stop-gradient A [stop] vanishing dead-relu Dead units")


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ("stop_gradient", "There is no cause 'stop_gradient'. Did you mean stop-gradient? `ganmedic explain` lists"),
        ("[/x]", "There is no cause '[/x]'. `ganmedic explain` lists them all."),
    ],
)
def test_explain_an_unknown_cause(examination: Examination, cause: str, message: str) -> None:
    result = invoke("explain", cause)

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in words(result.stderr)


def test_version_and_help() -> None:
    assert invoke("--version").stdout == f"ganmedic {__version__}\n"
    result = invoke("--help")
    assert result.exit_code == 0
    assert "check" in result.stdout
    assert "explain" in result.stdout
    assert "SCRIPT" in invoke("check", "--help").stdout


def test_the_command_imports_no_tensorflow_and_leaves_the_excepthook_alone() -> None:
    code = """
import sys
from ganmedic.cli import main
try:
    main(["--help"])
except SystemExit as stop:
    print(stop.code, {"tensorflow", "keras", "numpy"} & set(sys.modules), sys.excepthook is sys.__excepthook__)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert result.stdout.splitlines()[-1] == "0 set() True"
