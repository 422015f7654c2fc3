"""Writes an audit of data as JSON, for programs. Within one schema number the form changes only by new keys."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

from ganmedic.data.result import Audit
from ganmedic.report.files import write_atomically
from ganmedic.report.json_report import _plain

#: Number of the form.
SCHEMA = 1
_MOMENTS, _PICTURES = "moments", "galleries"


def to_json(audit: Audit) -> dict[str, Any]:
    """Return the audit as plain dictionaries, lists, strings and numbers, ready for `json.dumps`.

    The pictures are left out. A number that is not finite becomes `None`. Text is what the data said, with control
    characters in it: a program that prints it has to escape it.
    """
    report: dict[str, Any] = {"schema": SCHEMA, "healthy": audit.healthy}
    for field in dataclasses.fields(audit):
        if field.name not in (_MOMENTS, _PICTURES):
            report[field.name] = _plain(getattr(audit, field.name))
    report[_MOMENTS] = None if audit.moments is None else _plain(audit.moments.to_dict())
    return report


def write_json(audit: Audit, path: str | os.PathLike[str]) -> None:
    """Write the audit as JSON to `path`, whole or not at all.

    Raises:
        ReportNotWrittenError: the folder does not exist or is not writable.
    """
    write_atomically(path, json.dumps(to_json(audit), indent=2, allow_nan=False) + "\n")
