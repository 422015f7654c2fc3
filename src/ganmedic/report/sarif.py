"""Writes the diagnosis as SARIF 2.1.0, the form in which GitHub code scanning shows findings beside the code.

References:
    OASIS, *Static Analysis Results Interchange Format (SARIF) Version 2.1.0*, errata 01, 2023.
    GitHub, *SARIF support for code scanning*: the properties it reads, and which of them it requires.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ganmedic import __version__
from ganmedic.finding import Diagnosis, Finding, Location
from ganmedic.report.files import write_atomically
from ganmedic.report.sarif_rules import rules
from ganmedic.report.source import marked
from ganmedic.report.visible import visible, visible_lines
from ganmedic.report.words import CHANGES_OBJECTIVE, by_place, certainty, line_words

_SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
#: GitHub reads no other fingerprint than the one of this name.
_FINGERPRINT = "primaryLocationLineHash"

Json = dict[str, Any]


def to_sarif(
    diagnosis: Diagnosis, root: str | os.PathLike[str] | None = None, *, pages: Mapping[str, str] | None = None
) -> Json:
    """Return the diagnosis as a SARIF log with one run.

    Args:
        diagnosis: what to report.
        root: folder that paths are given relative to, for GitHub the root of the repository; the current directory if
            `None`. A file outside of it gets an absolute `file://` address.
        pages: Markdown page of each cause, by slug. Every page becomes a rule, found or not, so that the rules stay the
            same from run to run.
    """
    base = os.path.realpath(root if root is not None else os.curdir)
    table = rules(diagnosis.findings, pages or {})
    position = {rule["id"]: index for index, rule in enumerate(table)}
    seen: Counter[str] = Counter()
    run = {
        "tool": {"driver": {"name": "ganmedic", "semanticVersion": __version__, "rules": table}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"uri": _file_uri(base).rstrip("/") + "/"}},
        "invocations": [_invocation(diagnosis)],
        "results": [_result(finding, diagnosis, base, position, seen) for finding in diagnosis.findings],
    }
    return {"$schema": _SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def write_sarif(
    diagnosis: Diagnosis,
    path: str | os.PathLike[str],
    root: str | os.PathLike[str] | None = None,
    *,
    pages: Mapping[str, str] | None = None,
) -> None:
    """Write the diagnosis as SARIF to `path`, whole or not at all; see `to_sarif` for the arguments.

    Raises:
        ReportNotWrittenError: the folder does not exist or is not writable.
    """
    write_atomically(path, json.dumps(to_sarif(diagnosis, root, pages=pages), indent=2, allow_nan=False) + "\n")


def _result(finding: Finding, diagnosis: Diagnosis, base: str, position: Mapping[str, int], seen: Counter[str]) -> Json:
    places = by_place(finding.locations)
    result: Json = {
        "ruleId": finding.cause,
        "ruleIndex": position[finding.cause],
        "level": finding.severity,
        "message": {"text": _message(finding, places)},
        "locations": _main_location(places, diagnosis, base),
        "partialFingerprints": {_FINGERPRINT: _fingerprint(finding, base, seen)},
    }
    related = [_location(place, base, words, number) for number, (place, words) in enumerate(places[1:], start=1)]
    if related:
        result["relatedLocations"] = related
    flow = _flow(finding, base)
    if flow:
        result["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
    return result


def _message(finding: Finding, places: list[tuple[Location, str]]) -> str:
    """Return the finding, its correction, and links to the further places: `[the loss is computed here](1)`."""
    sure = certainty(finding.confidence)
    parts = [_plain(f"{sure.capitalize()}: {finding.summary}" if sure else finding.summary)]
    if places and places[0][0].cell is not None:
        parts.append(f"In the notebook at {line_words(places[0][0])}.")
    if finding.remedies:
        best = finding.remedies[0]
        code = [f"    {_plain(line)}" for line in best.code.splitlines()]
        parts.append("\n".join([f"Fix: {_plain(best.text)}", *code]))
        parts.extend([] if best.keeps_objective else [CHANGES_OBJECTIVE])
    if places[1:]:
        links = (f"[{_plain(words)}]({number})" for number, (_, words) in enumerate(places[1:], start=1))
        parts.append(f"See: {', '.join(links)}.")
    return "\n\n".join(parts)


def _plain(text: str) -> str:
    """Return `text` on one line, unable to form a link of its own."""
    return visible(text).replace("](", "] (")


def _main_location(places: list[tuple[Location, str]], diagnosis: Diagnosis, base: str) -> list[Json]:
    """Return the place of the finding; the script itself where it has none, as GitHub shows nothing without a place."""
    if places:
        return [_location(places[0][0], base)]
    if diagnosis.script.endswith((".py", ".ipynb")):
        return [_location(Location(os.path.abspath(diagnosis.script), 1), base)]
    return []


def _location(location: Location, base: str, words: str = "", number: int | None = None) -> Json:
    described: Json = {} if number is None else {"id": number}
    described["physicalLocation"] = {"artifactLocation": _artifact(location.file, base), "region": _region(location)}
    if words:
        described["message"] = {"text": _plain(words)}
    if location.cell is not None:
        described["properties"] = {"cell": location.cell, "cellLine": location.line}
    return described


def _region(location: Location) -> Json:
    """Return the marked part, 1-based. A line of a notebook's cell has no known line in the file: it gets the first."""
    if location.cell is not None:
        return {"startLine": 1, "startColumn": 1, "endLine": 1}
    region = {"startLine": location.line, "startColumn": 1, "endLine": location.line}
    if location.text:
        start, end = marked(location, location.text)
        region.update(startColumn=start + 1, endColumn=end + 1)
    return region


def _artifact(file: str, base: str) -> Json:
    inside = _inside(file, base)
    return {"uri": _file_uri(_real(file))} if inside is None else {"uri": inside, "uriBaseId": _ROOT}


def _inside(file: str, base: str) -> str | None:
    """Return the address of `file` relative to `base`, percent-encoded; `None` where it lies outside."""
    try:
        relative = Path(_real(file)).relative_to(base)
    except ValueError:
        return None
    return quote(os.fsencode(relative.as_posix()))


def _real(file: str) -> str:
    """Return `file` with its links resolved; GitHub shows nothing in a file that is a link."""
    try:
        return os.path.realpath(file)
    except (OSError, ValueError):  # no name of a file, only what the program gave to compile()
        return os.path.abspath(visible(file))


def _file_uri(path: str) -> str:
    return "file://" + quote(b"/" + os.fsencode(Path(path).as_posix()).lstrip(b"/"), safe="/:")


def _fingerprint(finding: Finding, base: str, seen: Counter[str]) -> str:
    """Return what stays the same when lines above are added: hash of cause, file and code, and a running number."""
    main = finding.locations[0] if finding.locations else Location("", 0)
    file = _inside(main.file, base) or main.file
    content = "\0".join((finding.cause, file, main.text.strip()))
    digest = hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"


def _flow(finding: Finding, base: str) -> list[Json]:
    """Return the stations of the gradient's way that lie in the user's code."""
    return [
        {
            "location": _location(step.location, base, f"{step.label}: {step.detail}" if step.detail else step.label),
            "importance": "essential" if step.kind in ("cut", "loss") else "important",
        }
        for step in finding.path
        if step.location is not None
    ]


def _invocation(diagnosis: Diagnosis) -> Json:
    """Return how the examination went; what could not be checked is a note, a fault of the tool an error."""
    notes = [_notification("error", text) for text in diagnosis.tool_errors]
    notes += [_notification("note", f"Not checked: {item.what}: {item.why}") for item in diagnosis.unchecked]
    if diagnosis.error is not None:
        notes.append(_notification("error", f"The script ended with {diagnosis.error.type}: {diagnosis.error.message}"))
    invocation: Json = {"executionSuccessful": not diagnosis.tool_errors}
    if notes:
        invocation["toolExecutionNotifications"] = notes
    return invocation


def _notification(level: str, text: str) -> Json:
    return {"level": level, "message": {"text": "\n".join(_plain(line) for line in visible_lines(text))}}
