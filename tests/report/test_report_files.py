"""Writing a report: whole or not at all, and an error that says what to do."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ganmedic.report.files import ReportNotWrittenError, write_atomically


def test_text_is_written_as_utf_8_without_leftovers(tmp_path):
    write_atomically(tmp_path / "report.json", "générateur\n")
    assert (tmp_path / "report.json").read_bytes() == "générateur\n".encode()
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_failure_leaves_the_old_report_and_no_temporary_file(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    path.write_text("old")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ReportNotWrittenError) as caught:
        write_atomically(path, "new")
    assert str(caught.value) == (
        f"Cannot write the report to '{path}': Permission denied (in '{tmp_path}'). "
        "Give a path in a folder you can write to."
    )
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_an_interrupt_leaves_no_temporary_file(tmp_path, monkeypatch):
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "report.json", "new")
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "missing" / "report.json"
    with pytest.raises(ReportNotWrittenError) as caught:
        write_atomically(path, "text")
    assert str(caught.value) == (
        f"Cannot write the report to '{path}': the folder '{path.parent}' does not exist. "
        "Create it first, or give another path."
    )


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ReportNotWrittenError, match="it is a folder, a file is needed"):
        write_atomically(tmp_path, "text")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_folder_without_permission_is_named(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(ReportNotWrittenError, match="Permission denied"):
        write_atomically(folder / "report.json", "text")


def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to(real)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="has no such devices")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomically(pipe, "text")
        assert os.read(reader, 100) == b"text"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="has no umask")
def test_the_umask_decides_who_may_read(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "report.json", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path(tmp_path / "report.json").stat().st_mode) == 0o640
