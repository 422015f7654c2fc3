"""Every cause of a missing gradient finds its fault in a hand-built run, and nothing in the sound twin."""

from __future__ import annotations

import importlib

import pytest

import causes.benign_runs
import causes.cut_paths
import causes.lost_updates  # noqa: F401 - the three fill the tables
from causes.fault import BENIGN, FAULTS
from ganmedic.causes.table import CAUSES
from ganmedic.diagnosis import diagnose

MISSING = [name for name in CAUSES if importlib.import_module(f"ganmedic.causes.{name}").FAMILY == "missing"]


@pytest.mark.parametrize("name", MISSING)
def test_every_cause_has_a_fault_and_a_twin_here(name):
    assert name.replace("_", "-") in {fault.slug for fault in FAULTS.values()}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_its_cause_with_line_network_and_variables(name):
    fault = FAULTS[name]
    run = fault.build(True)
    cause = importlib.import_module(f"ganmedic.causes.{fault.slug.replace('-', '_')}")
    (finding,) = cause.find(run.finish())
    place, first = run.place(fault.line), finding.locations[0]
    assert finding.cause == fault.slug
    assert (first.file, first.line, first.text.strip()) == (place.file, place.line, _text(run, fault.line))
    assert finding.network == fault.network
    assert sorted(finding.variables) == sorted(fault.variables)


@pytest.mark.parametrize("name", FAULTS)
def test_no_other_cause_claims_the_fault(name):
    fault = FAULTS[name]
    diagnosis = diagnose(fault.build(True).finish())
    assert diagnosis.tool_errors == ()
    assert [finding.cause for finding in diagnosis.findings] == [fault.slug, *fault.brings]


@pytest.mark.parametrize("name", FAULTS)
def test_the_sound_twin_is_left_alone(name):
    diagnosis = diagnose(FAULTS[name].build(False).finish())
    assert (diagnosis.tool_errors, diagnosis.findings) == ((), ())


@pytest.mark.parametrize("name", BENIGN)
def test_what_only_looks_like_a_fault_is_left_alone(name):
    diagnosis = diagnose(BENIGN[name]().finish())
    assert (diagnosis.tool_errors, diagnosis.findings) == ((), ())


def _text(run, snippet):
    (line,) = [line for text in run.record.sources.values() for line in text.splitlines() if snippet in line]
    return line.strip()
