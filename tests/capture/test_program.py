"""The program runner does what Python does."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ganmedic.capture.program import Outcome, Target, TargetError, parse_target, print_exception, run

DRIVER = """
import sys
from ganmedic.capture.program import parse_target, print_exception, run
module = sys.argv[1] == "-m"
outcome = run(parse_target(sys.argv[2], sys.argv[3:], module=module))
if outcome.error is not None:
    print_exception(outcome.error)
"""
EXIT = "sys.exit(1 if outcome.error is not None else outcome.exit_code)"

DESCRIBE = """
'''What a program can see of itself.'''
import os, sys
seen = {name: value for name, value in sorted(globals().items()) if name not in ("os", "sys", "__builtins__")}
for name, value in seen.items():
    print(name, "=", str(value).split(" at 0x")[0])
print(__builtins__, sys.modules["__main__"].__dict__ is globals(), __import__("__main__").__file__)
print(sys.argv, sys.path[:2], os.getcwd())
"""


def write(path: Path, source: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(source).lstrip("\n"), encoding="utf-8")
    return path


def run_file(path: Path, *arguments: str) -> Outcome:
    return run(parse_target(str(path), arguments))


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def ganmedic(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    kind = () if arguments[0] == "-m" else ("--",)
    return python("-c", DRIVER + EXIT, *kind, *arguments, cwd=cwd)


@pytest.mark.parametrize(
    "arguments",
    [
        ("./a folder/träin.py", "--help", "--", "-x"),
        ("a folder/link.py",),
        ("boxed", "1"),
        ("boxed.zip", "1"),
        ("-m", "pack.run"),
    ],
    ids=["script", "link", "folder", "zip", "module"],
)
def test_a_program_sees_what_it_sees_under_python(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write(tmp_path / "a folder" / "träin.py", DESCRIBE)
    write(tmp_path / "elsewhere" / "real.py", DESCRIBE)
    (tmp_path / "a folder" / "link.py").symlink_to(tmp_path / "elsewhere" / "real.py")
    write(tmp_path / "boxed" / "__main__.py", DESCRIBE)
    python("-m", "zipfile", "-c", "boxed.zip", "boxed/__main__.py", cwd=tmp_path)
    write(tmp_path / "pack" / "__init__.py", "import sys\nprint(sys.argv[0])\n")
    write(tmp_path / "pack" / "run.py", DESCRIBE)

    expected = python(*arguments, cwd=tmp_path)
    got = ganmedic(*arguments, cwd=tmp_path)

    assert expected.returncode == 0, expected.stderr
    assert got.stdout == expected.stdout
    assert (got.stderr, got.returncode) == ("", 0)


FAULTS = {
    "error": """
        import functools
        def train(steps):
            try:
                return {}["loss"]
            except KeyError as error:
                raise ValueError("no löss\\n[bold]") from error
        functools.reduce(lambda a, b: train(b), [1, 2])
    """,
    "name": "import math\nlearning_rate = 1\nprint(learning_rat)\n",
    "syntax": "def f(:\n    pass\n",
    "indent": "if True:\nprint(1)\n",
    "exit-text": "import sys\nsys.exit('no data')\n",
    "exit-object": "raise SystemExit(['a', 1])\n",
    "exit-7": "import sys\nprint('out')\nsys.exit(7)\n",
    "exit-none": "raise SystemExit\n",
    "hook": """
        import sys
        sys.excepthook = lambda kind, error, trace: print("hook", kind, error, trace.tb_lineno, file=sys.stderr)
        1 / 0
    """,
    "thread": """
        import threading, time
        threading.Thread(target=lambda: (time.sleep(0.2), print("thread has ended"))).start()
        print("main has ended")
    """,
    "pool": """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(1)
        print(pool.submit(int).result())
    """,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_program_ends_as_it_ends_under_python(tmp_path: Path, fault: str) -> None:
    write(tmp_path / "train.py", FAULTS[fault])

    expected = python("train.py", cwd=tmp_path)
    got = ganmedic("train.py", cwd=tmp_path)

    assert got.stderr == expected.stderr
    assert got.stdout == expected.stdout
    assert got.returncode == expected.returncode


def test_forked_and_spawned_processes(tmp_path: Path) -> None:
    script = """
        import concurrent.futures, multiprocessing, os, sys

        class Job:
            def __init__(self, x):
                self.x = x

        def work(job):
            return job.x + 1, "ganmedic" in sys.modules

        if __name__ == "__main__":
            child = os.fork()
            if child == 0:
                print("child")
                sys.exit(5)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            context = multiprocessing.get_context("spawn")
            with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
                print(list(pool.map(work, [Job(1), Job(2)])))
    """
    write(tmp_path / "train.py", script)

    got = python("-c", DRIVER + "print('run has returned')", "--", "train.py", cwd=tmp_path)

    assert got.stderr == ""
    assert got.stdout == "child\n5\n[(2, False), (3, False)]\nrun has returned\n"


def test_everything_is_put_back(tmp_path: Path) -> None:
    script = write(
        tmp_path / "train.py",
        """
        import sys
        sys.argv.append("x")
        sys.path = ["elsewhere"]
        sys.modules["__main__"] = sys
        """,
    )
    before = (sys.argv, list(sys.argv), sys.path, list(sys.path), sys.modules["__main__"])

    assert run_file(script, "a") == Outcome()

    assert (sys.argv, list(sys.argv), sys.path, list(sys.path), sys.modules["__main__"]) == before
    assert sys.path is before[2]


def test_the_error_starts_in_the_program_and_frames_of_the_capture_are_taken_out(tmp_path: Path) -> None:
    script = write(
        tmp_path / "train.py",
        """
        from ganmedic.capture.target import parse_target
        parse_target("not here.py")
        """,
    )

    error = run_file(script).error

    assert isinstance(error, TargetError)
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_frame.f_code.co_filename == str(script)
    assert error.__traceback__.tb_next is None


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("latin-1", "# -*- coding: latin-1 -*-\n"),
        ("utf-8-sig", ""),
        ("utf-8", ""),
        ("cp1252", "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n"),
    ],
)
def test_encodings(tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str, head: str) -> None:
    script = tmp_path / "train.py"
    script.write_bytes((head + "print('größe')\r\n").encode(encoding))

    assert run_file(script) == Outcome()
    assert capsys.readouterr().out == "größe\n"


def test_classes_of_the_program_can_be_pickled_and_features_are_not_inherited(tmp_path: Path) -> None:
    script = write(
        tmp_path / "train.py",
        """
        import inspect, os, pickle
        os.chdir("/")
        class Job:
            def run(self, step: int) -> None: ...
        assert isinstance(pickle.loads(pickle.dumps(Job())), Job)
        assert Job.run.__annotations__["step"] is int
        assert inspect.getsource(Job).startswith("class Job"), inspect.getsource(Job)
        import helper
        """,
    )
    write(tmp_path / "helper.py", "value = 1\n")
    home = os.getcwd()
    try:
        outcome = run_file(script)
    finally:
        os.chdir(home)
        sys.modules.pop("helper", None)

    assert outcome == Outcome()


def test_the_program_lasts_as_long_as_its_threads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_file(write(tmp_path / "train.py", FAULTS["thread"]))

    assert capsys.readouterr().out == "main has ended\nthread has ended\n"


def test_interrupted(tmp_path: Path) -> None:
    outcome = run_file(write(tmp_path / "train.py", "raise KeyboardInterrupt\n"))

    assert outcome.interrupted
    assert isinstance(outcome.error, KeyboardInterrupt)
    assert outcome.exit_code is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pack.missing", "No module named pack.missing"),
        ("pack", "No module named pack.__main__; 'pack' is a package and cannot be directly executed"),
        ("alone.inner", "Error while finding module specification for 'alone.inner'"),
    ],
)
def test_a_module_that_is_not_there_ends_with_pythons_words(tmp_path: Path, name: str, message: str) -> None:
    write(tmp_path / "pack" / "__init__.py", "")
    write(tmp_path / "alone.py", "")

    expected = python("-m", name, cwd=tmp_path)
    got = ganmedic("-m", name, cwd=tmp_path)

    assert message in expected.stderr
    assert (got.stderr, got.returncode) == (expected.stderr, 1)


def test_an_error_inside_the_package_of_a_module_is_the_programs_own(tmp_path: Path) -> None:
    write(tmp_path / "pack" / "__init__.py", "import not_there_at_all\n")
    write(tmp_path / "pack" / "run.py", "")

    got = ganmedic("-m", "pack.run", cwd=tmp_path)

    assert got.stderr == (
        "Traceback (most recent call last):\n"
        f'  File "{tmp_path}/pack/__init__.py", line 1, in <module>\n'
        "    import not_there_at_all\n"
        "ModuleNotFoundError: No module named 'not_there_at_all'\n"
    )


def test_print_exception_survives_a_hook_that_fails(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def hook(*_: object) -> None:
        raise RuntimeError("the hook")

    monkeypatch.setattr(sys, "excepthook", hook)
    print_exception(ValueError("the program"))

    assert "ValueError: the program" in capfd.readouterr().err


def test_a_target_is_plain_data() -> None:
    target = Target("script", "train.py", ("--epochs", "1"))

    assert pickle.loads(pickle.dumps(target)) == target
