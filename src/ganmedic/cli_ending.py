"""How the commands end: their exit status, and a sentence about what was wrong with the command."""

from __future__ import annotations

import importlib.util
import sys
from typing import NoReturn

import typer

HEALTHY, FINDINGS, MISUSE, TOOL_FAILED = 0, 1, 2, 3
#: What a shell makes of a process that Ctrl-C ended.
INTERRUPTED = 130


def refuse(message: str) -> NoReturn:
    """Say what is wrong with the command and end with the status for it."""
    typer.echo(f"ganmedic: {message}", err=True)
    raise typer.Exit(MISUSE)


def need_tensorflow(what: str) -> None:
    """Refuse where there is no TensorFlow; `what` is what it is for, such as "runs the script"."""
    if importlib.util.find_spec("tensorflow") is None:
        refuse(
            f"TensorFlow is not installed for {sys.executable}. ganmedic {what} with the TensorFlow it finds. "
            'Install one: pip install "ganmedic[tensorflow]"'
        )
