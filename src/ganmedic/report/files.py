"""Writes a report to disk so that a reader never sees half of it."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path


class ReportNotWrittenError(OSError):
    """The report could not be written; the message says where, why, and what to do."""


def write_atomically(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 to `path`: either the whole file is there afterwards, or what was there before.

    The text goes to a temporary file in the same folder, which then takes the place of `path`. A link is followed and
    stays a link; a device or pipe such as `/dev/stdout` is written to directly, since it cannot be replaced.

    Args:
        path: the file to write; its folder must exist.
        text: the content.

    Raises:
        ReportNotWrittenError: the folder does not exist or is not writable, `path` is a folder, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    _refuse_impossible(path, target)
    try:
        if _is_special(target):
            target.write_text(text, encoding="utf-8")
        else:
            _replace(target, text)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ReportNotWrittenError(
            f"Cannot write the report to '{path}': {reason} (in '{target.parent}'). "
            "Give a path in a folder you can write to."
        ) from error


def _refuse_impossible(path: str | os.PathLike[str], target: Path) -> None:
    if target.is_dir():
        raise ReportNotWrittenError(
            f"Cannot write the report to '{path}': it is a folder, a file is needed. Add a file name to it."
        )
    if not target.parent.is_dir():
        raise ReportNotWrittenError(
            f"Cannot write the report to '{path}': the folder '{target.parent}' does not exist. "
            "Create it first, or give another path."
        )


def _is_special(target: Path) -> bool:
    try:
        return not stat.S_ISREG(target.stat().st_mode)
    except FileNotFoundError:
        return False


def _replace(target: Path, text: str) -> None:
    # The name is made here and not by tempfile, whose files are private to the user (0600) whatever the umask says.
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
