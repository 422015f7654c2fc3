"""Writes files and folders so that a reader sees all of the new one or all of the old one."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file beside `path`, which takes its place at the end of the block.

    Args:
        path: the file that is to be there afterwards; its folder exists.

    Yields:
        Where to write. Nothing happens to `path` if the block fails or writes nothing there.

    Raises:
        OSError: the folder does not exist, or `path` is a folder.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "note.txt"
        >>> with replaced(path) as temporary:
        ...     _ = temporary.write_text("all of it")
        >>> path.read_text(), [entry.name for entry in path.parent.iterdir()]
        ('all of it', ['note.txt'])
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"Cannot write '{path}': it is a folder, a file is needed. Add a file name to it.")
    temporary = _beside(target, path)
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def replaced_folder(path: str | os.PathLike[str], mark: str) -> Iterator[Path]:
    """A temporary folder beside `path`, which takes its place at the end of the block.

    Args:
        path: the folder that is to be there afterwards; the one it lies in exists.
        mark: a file that every folder made in this way has. Only a folder with it, or an empty one, is replaced.

    Yields:
        Where to write. Nothing happens to `path` if the block fails.

    Raises:
        OSError: the folder above does not exist, or something else than such a folder is at `path`.
    """
    target = Path(os.path.realpath(path))
    _refuse_foreign(target, path, mark)
    temporary = _beside(target, path)
    old = _beside(target, path)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _sync(file)
        if target.exists():
            # A folder that holds something cannot be replaced in one go; the old one is put back if that fails.
            os.replace(target, old)
        try:
            os.replace(temporary, target)
        except BaseException:
            if old.exists():
                os.replace(old, target)
            raise
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refuse_foreign(target: Path, path: str | os.PathLike[str], mark: str) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise NotADirectoryError(f"Cannot write to '{path}': it is a file, a folder is needed. Give another path.")
    if any(target.iterdir()) and not (target / mark).is_file():
        raise FileExistsError(
            f"Cannot write to '{path}': the folder holds other files, and they would be lost. A folder that is new, empty or "
            f"has a file {mark} is expected. Give another path."
        )


def _beside(target: Path, path: str | os.PathLike[str]) -> Path:
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"Cannot write '{path}': the folder '{target.parent}' does not exist. Create it first, or give another path."
        )
    return target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")


def _sync(file: Path) -> None:
    with open(file, "rb+") as stream:
        os.fsync(stream.fileno())
