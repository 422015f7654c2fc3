"""Files and folders are replaced as a whole, or not at all."""

from __future__ import annotations

import os

import pytest

from ganmedic.training.showing.replacing import replaced, replaced_folder


def test_a_file_stays_as_it_was_if_writing_fails(tmp_path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def failing() -> None:
        with replaced(path) as temporary:
            temporary.write_text("half of")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(IsADirectoryError, match="Add a file name"), replaced(tmp_path):
        pass


def test_a_folder_is_replaced_whole_or_stays(tmp_path) -> None:
    folder = tmp_path / "export"
    for content in ("one", "two"):
        with replaced_folder(folder, "mark") as temporary:
            (temporary / "mark").touch()
            (temporary / content).write_text(content)
        assert sorted(os.listdir(folder)) == ["mark", content]

    def failing() -> None:
        with replaced_folder(folder, "mark") as temporary:
            (temporary / "three").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert sorted(os.listdir(folder)) == ["mark", "two"]
    assert os.listdir(tmp_path) == ["export"]


def test_a_folder_of_someone_else_is_never_replaced(tmp_path) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter").touch()
    with pytest.raises(FileExistsError, match="would be lost"), replaced_folder(folder, "mark"):
        pytest.fail("nothing is to be written")
    assert os.listdir(tmp_path) == ["thesis"]
    assert os.listdir(folder) == ["chapter"]
    with pytest.raises(NotADirectoryError), replaced_folder(folder / "chapter", "mark"):
        pytest.fail("nothing is to be written")
