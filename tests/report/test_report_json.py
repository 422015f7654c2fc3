"""The JSON report: its form, which others script against, and its validity whatever the numbers are."""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
import math
from typing import Any

import jsonschema
import numpy as np
import pytest

from ganmedic.finding import Diagnosis
from ganmedic.report.files import ReportNotWrittenError
from ganmedic.report.json_report import to_json, write_json


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    text = importlib.resources.files("ganmedic.report").joinpath("schema/report-1.json").read_text(encoding="utf-8")
    return json.loads(text)


@pytest.fixture(scope="module")
def closed_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with no room for keys it does not name, so that a new key has to be added to it."""
    closed = json.loads(json.dumps(schema))
    for part in (closed, *closed["$defs"].values()):
        if "properties" in part:
            part["additionalProperties"] = False
            assert set(part["required"]) == set(part["properties"])
    return closed


def test_keys_stand_in_the_documented_order(diagnosis):
    report = to_json(diagnosis)
    assert list(report)[:2] == ["schema", "findings"]
    assert list(report["findings"][0])[:10] == [
        "cause",
        "severity",
        "confidence",
        "network",
        "summary",
        "evidence",
        "locations",
        "variables",
        "remedies",
        "explains",
    ]
    assert list(report["findings"][0]["locations"][0])[:3] == ["file", "line", "role"]
    assert list(report["findings"][0]["remedies"][0])[:3] == ["text", "code", "keeps_objective"]


def test_values_are_those_of_the_diagnosis(diagnosis, script):
    report = to_json(diagnosis)
    finding = report["findings"][0]
    assert report["schema"] == 1
    assert [item["cause"] for item in report["findings"]] == ["non-differentiable-op", "not-applied"]
    assert finding["locations"][0] == {
        "file": str(script),
        "line": 7,
        "role": "fault",
        "function": "train_step",
        "text": "        tokens = tf.argmax(fake, axis=-1)",
        "column": 17,
        "end_column": 41,
        "cell": None,
    }
    assert finding["remedies"][0]["keeps_objective"] is False
    assert finding["explains"] == ["not-applied"]
    assert report["networks"][0]["moved"] == 0
    assert report["error"]["explained_by"] == "non-differentiable-op"
    assert report["unchecked"] == [{"what": "the gradient penalty", "why": "its operations run in a compiled function"}]
    assert report["healthy"] is False


@pytest.mark.parametrize("kind", ["diagnosis", "healthy", "empty"])
def test_reports_match_the_schema(request, closed_schema, kind):
    diagnosis = Diagnosis() if kind == "empty" else request.getfixturevalue(kind)
    jsonschema.Draft202012Validator.check_schema(closed_schema)
    jsonschema.Draft202012Validator(closed_schema).validate(to_json(diagnosis))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["findings", 0, "cause"], "Not A Slug"),
        (["findings", 0, "severity"], "fatal"),
        (["findings", 0, "confidence"], 1.5),
        (["findings", 0, "locations", 0, "line"], 0),
        (["ended"], "exploded"),
        (["schema"], 2),
    ],
)
def test_the_schema_refuses_what_is_not_a_report(schema, diagnosis, path, value):
    report = to_json(diagnosis)
    part: Any = report
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(report)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_a_number_that_is_not_finite_becomes_null(diagnosis, closed_schema, tmp_path, number):
    odd = dataclasses.replace(diagnosis.findings[0], confidence=number)
    write_json(dataclasses.replace(diagnosis, findings=(odd,), elapsed_seconds=number), tmp_path / "report.json")
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    report = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert report["findings"][0]["confidence"] is None
    assert report["elapsed_seconds"] is None
    jsonschema.Draft202012Validator(closed_schema).validate(report)


def test_numbers_of_numpy_become_numbers(diagnosis):
    odd = dataclasses.replace(
        diagnosis, elapsed_seconds=np.float32(0.5), steps=np.int64(7), networks=(diagnosis.networks[0],)
    )
    report = json.loads(json.dumps(to_json(odd)))
    assert report["elapsed_seconds"] == 0.5
    assert report["steps"] == 7
    trained = dataclasses.replace(diagnosis.networks[0], trained=np.bool_(False))
    assert to_json(dataclasses.replace(odd, networks=(trained,)))["networks"][0]["trained"] is False


def test_text_survives_as_the_program_said_it(diagnosis, tmp_path):
    summary = 'quote " back \\ slash \x1b[31m line\nbreak générateur 生成器 \u202e'
    finding = dataclasses.replace(diagnosis.findings[0], summary=summary)
    write_json(dataclasses.replace(diagnosis, findings=(finding,)), tmp_path / "report.json")
    raw = (tmp_path / "report.json").read_bytes()
    assert json.loads(raw)["findings"][0]["summary"] == summary
    assert b"\x1b" not in raw
    assert raw.isascii()


def test_an_undecodable_file_name_is_written_out(diagnosis, tmp_path):
    write_json(dataclasses.replace(diagnosis, script="bad\udcff.py"), tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["script"] == "bad\\udcff.py"


def test_writing_into_a_missing_folder_says_so(diagnosis, tmp_path):
    with pytest.raises(ReportNotWrittenError, match="does not exist"):
        write_json(diagnosis, tmp_path / "missing" / "report.json")
