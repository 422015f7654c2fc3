"""The words and the small pieces that the renderers share."""

from __future__ import annotations

import dataclasses
import linecache
from pathlib import Path

import pytest

from ganmedic.finding import Diagnosis, Location, Network, PathStep
from ganmedic.report import words
from ganmedic.report.gradient_path import stations
from ganmedic.report.source import excerpt
from ganmedic.report.visible import encodable, visible, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("dense/kernel", "dense/kernel"),
        ("générateur 生成器 🙂", "générateur 生成器 🙂"),
        ("a\tb", "a    b"),
        ("a\nb\r", "a\\nb\\r"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("a\u2028b\u200bc\ufeff", "a\\u2028b\\u200bc\\ufeff"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_visible_writes_out_what_hides(text, shown):
    assert visible(text) == shown


def test_visible_lines_keeps_lines_apart():
    assert visible_lines("a\r\n  b\x1b \nc") == ["a", "  b\\x1b", "c"]


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "é✂"), ("latin-1", "é\\u2702"), ("no-such", "\\xe9\\u2702")])
def test_encodable_writes_out_what_the_encoding_lacks(encoding, shown):
    assert encodable("é✂", encoding) == shown


@pytest.mark.parametrize(("count", "text"), [(0, "0 variables"), (1, "1 variable"), (2, "2 variables")])
def test_plural(count, text):
    assert words.plural(count, "variable") == text


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ("", ""),
        ("a", "a"),
        ("abcd", "a, b, c, d"),
        ("abcde", "a, b, c, d and 1 more"),
        ("abcdef", "a, b, c, d and 2 more"),
    ],
)
def test_listing(names, text):
    assert words.listing(tuple(names)) == text


@pytest.mark.parametrize(("parts", "text"), [((), ""), (("a",), "a"), (("a", "b"), "a and b"), ("abc", "a, b and c")])
def test_enumeration(parts, text):
    assert words.enumeration(parts) == text


def test_every_documented_role_has_words_of_its_own():
    roles = Location.__doc__.split("role:")[1].split("function:")[0]
    named = roles.replace("\n", " ").split("``")[1::2]
    assert len(named) == 11
    assert [role for role in named if words.role_words(role) == role.replace("-", " ")] == []
    assert words.role_words("new-kind") == "new kind"


def test_one_place_with_two_roles_is_named_once():
    places = words.by_place([Location("a.py", 1), Location("a.py", 2, "loss"), Location("a.py", 1, "cut")])
    assert [(place.line, roles) for place, roles in places] == [
        (1, "a fix goes here; the gradient stops here"),
        (2, "the loss is computed here"),
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "all 8 variables of the generator (gen)"),
        ({"variables": ("a", "b")}, "2 of 8 variables of the generator (gen)"),
        ({"variables": ("a",), "variables_total": 1}, "1 variable of the generator (gen)"),
        ({"variables": ("a", "b"), "variables_total": 0}, "2 variables of the generator (gen)"),
        ({"network": "both", "network_name": ""}, "all 8 variables of both networks"),
        ({"network": "other", "network_name": "mapper"}, "all 8 variables of the network (mapper)"),
        ({"network_name": "generator"}, "all 8 variables of the generator"),
        ({"variables": ()}, ""),
    ],
)
def test_affected(cut_finding, changes, text):
    assert words.affected(dataclasses.replace(cut_finding, **changes)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (3.21, "3.2 s"),
        (59.97, "1 min 0 s"),
        (245, "4 min 5 s"),
        (3599.9, "1 h 0 min"),
        (7400, "2 h 3 min"),
    ],
)
def test_duration(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("ended", "text"),
    [
        ("completed", "Ran to its end after 1 step. Took 2.0 s."),
        ("steps", "Ended early after 1 step: the step limit was reached. Took 2.0 s."),
        ("seconds", "Ended early after 1 step: the time limit was reached. Took 2.0 s."),
        ("interrupted", "Interrupted after 1 step. Took 2.0 s."),
        ("failed", "The script failed after 1 step. Took 2.0 s."),
    ],
)
def test_ending(ended, text):
    assert words.ending(Diagnosis(ended=ended, steps=1, elapsed_seconds=2.0)) == text


def test_ending_leaves_out_a_time_it_does_not_know():
    assert words.ending(Diagnosis(elapsed_seconds=float("nan"))) == "Ran to its end after 0 steps."


def test_verdict_counts_by_gravity(diagnosis, cut_finding):
    note = dataclasses.replace(cut_finding, severity="note")
    many = dataclasses.replace(diagnosis, findings=(note, *diagnosis.findings, cut_finding))
    assert words.verdict(many) == "2 errors, 1 warning and 1 note in train.py"


def test_verdict_of_a_healthy_run_tells_of_notes_and_of_networks_left_alone(healthy, cut_finding):
    still = Network("ema", "generator", 8, 1, 0, trained=False)
    note = dataclasses.replace(cut_finding, severity="note")
    healthy = dataclasses.replace(healthy, networks=(*healthy.networks, still), findings=(note,), script="")
    assert words.verdict(healthy) == (
        "healthy: 2 networks (and 1 not trained), 14 of 14 variables with gradient, 20 steps in this run, 1 note"
    )


def test_short_path_falls_back_where_there_is_no_current_directory(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert words.short_path(str(tmp_path / "a.py")) == str(tmp_path / "a.py")


def test_a_gap_of_one_station_is_not_a_gap():
    path = [PathStep(str(number)) for number in range(7)]
    path += [PathStep("cut", "cut"), *(PathStep(str(number)) for number in range(7))]
    labels = [station.label for station in stations(path)]
    assert labels == ["0", "1", "2", "2 more", "5", "6", "cut", "0", "1", "2 more", "4", "5", "6"]


def test_excerpt_at_the_edges_of_a_file(script):
    first = excerpt(Location(str(script), 1))
    last = excerpt(Location(str(script), 12))
    assert (first.first, len(first.lines), first.at) == (1, 2, 0)
    assert (last.first, len(last.lines), last.at) == (11, 2, 1)
    assert excerpt(Location(str(script), 99)) is None


def test_excerpt_of_a_cell_that_lives_in_memory_only(notebook):
    name = "/tmp/ipykernel_1/42.py"
    linecache.cache[name] = (9, None, ["a = 1\n", "b = 2\n"], name)
    try:
        assert excerpt(Location(name, 2, cell=1)).lines == ("a = 1", "b = 2")
    finally:
        del linecache.cache[name]


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"cells": [{}]}', '{"cells": []}'])
def test_a_broken_notebook_falls_back_to_the_known_line(tmp_path: Path, content):
    path = tmp_path / "broken.ipynb"
    path.write_text(content, encoding="utf-8")
    assert excerpt(Location(str(path), 3, cell=1)) is None
    assert excerpt(Location(str(path), 3, cell=1, text="x = 1")).lines == ("x = 1",)


@pytest.mark.parametrize(("column", "end"), [(100, 200), (-1, 2), (3, 3), (3, 1), (0, None), (None, 2)])
def test_impossible_columns_still_mark_something(column, end):
    code = excerpt(Location("/gone.py", 1, text="  abc", column=column, end_column=end))
    assert 0 <= code.start < code.end <= 5
