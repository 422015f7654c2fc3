"""Asks every cause, works out which finding explains which, and ranks them: the root first."""

from __future__ import annotations

import importlib
import traceback
from dataclasses import replace

from ganmedic.analysis.course import courses, judgements, too_short
from ganmedic.analysis.game import Game
from ganmedic.analysis.run import Run
from ganmedic.analysis.summary import error_of, networks_of, unchecked_of
from ganmedic.causes.links import explained_by
from ganmedic.causes.table import CAUSES
from ganmedic.finding import Course, Diagnosis, Finding, Judgement
from ganmedic.record.record import Record

_SEVERITY = {"error": 0, "warning": 1, "note": 2}


def diagnose(record: Record) -> Diagnosis:
    """What a record says is wrong, best finding first."""
    run = Run.of(record)
    found: list[Finding] = []
    faults: list[str] = []
    for name in CAUSES:
        try:
            found.extend(importlib.import_module(f"ganmedic.causes.{name}").find(record))
        except Exception as fault:
            last = traceback.extract_tb(fault.__traceback__)[-1]
            faults.append(f"{name}: {type(fault).__name__}: {fault} ({last.filename.rsplit('/', 1)[-1]}:{last.lineno})")
    findings = rank(_link(_merge(found)))
    try:
        networks, unchecked, error = networks_of(run), unchecked_of(run, findings), error_of(run, findings)
    except Exception as fault:
        last = traceback.extract_tb(fault.__traceback__)[-1]
        faults.append(f"summary: {type(fault).__name__}: {fault} ({last.filename.rsplit('/', 1)[-1]}:{last.lineno})")
        networks, unchecked, error = (), (), None
    course, said, short = _course(record, faults)
    return Diagnosis(
        findings=findings,
        networks=networks,
        unchecked=unchecked,
        error=error,
        tool_errors=tuple(faults),
        courses=course,
        judgements=said,
        too_short=short,
    )


def _course(record: Record, faults: list[str]) -> tuple[tuple[Course, ...], tuple[Judgement, ...], str]:
    """The course of the run in figures; nothing where that fails."""
    try:
        game = Game.of(record)
        return courses(game), judgements(game), too_short(game)
    except Exception as fault:
        last = traceback.extract_tb(fault.__traceback__)[-1]
        faults.append(f"course: {type(fault).__name__}: {fault} ({last.filename.rsplit('/', 1)[-1]}:{last.lineno})")
        return (), (), ""


def _merge(found: list[Finding]) -> list[Finding]:
    """One finding a cause and place: the same line may cut several networks off, or be met under several tapes."""
    kept: dict[tuple[object, ...], Finding] = {}
    for finding in found:
        first = finding.locations[0] if finding.locations else None
        key = (finding.cause, first.file if first else "", first.line if first else 0)
        other = kept.get(key)
        if other is None:
            kept[key] = finding
        else:
            better, worse = sorted((other, finding), key=_weight)
            both = tuple(dict.fromkeys((*better.variables, *worse.variables)))
            network = better.network if better.network == worse.network else "both"
            kept[key] = replace(better, variables=both, network=network)
    return list(kept.values())


def _weight(finding: Finding) -> tuple[object, ...]:
    return (_SEVERITY[finding.severity], -finding.confidence, -len(finding.variables))


def _link(found: list[Finding]) -> list[Finding]:
    """Has each finding name those that it is the root of."""
    present = frozenset(finding.cause for finding in found)
    return [replace(finding, explains=explained_by(finding.cause, present)) for finding in found]


def rank(found: list[Finding]) -> tuple[Finding, ...]:
    """Best first: roots before what they explain, errors before warnings, the surer before the less sure, then the wider."""
    explains = {finding.cause: frozenset(finding.explains) for finding in found}
    # Two causes that explain each other are no chain: neither is put behind the other.
    followers = {
        cause for root, causes in explains.items() for cause in causes if root not in explains.get(cause, frozenset())
    }
    return tuple(sorted(found, key=lambda one: (one.cause in followers, *_weight(one))))
