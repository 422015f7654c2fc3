"""The line of a key, in every way that TOML has to write one."""

from __future__ import annotations

import re
import tomllib
from random import Random
from typing import Any

import drawing
import pytest

from ganmedic.settings import dumps, for_data
from ganmedic.settings.lines import lines_of

TEXT = '''# a comment with [brackets] and = signs
top = 1
"quoted key".'other' = "a # no comment"

[data] # behind
path = """
[not.a.header]
key = \\"\\"" 5
""""
range = [ # a list
  1, # one
  [2,
   3],
  { a = 1, b = { c = "}]" } },
]
[ a . "b.c" ]
x.y = \'\'\'
z = 3\'\'\'
day = 1979-05-27 07:32:00
[[list]]
name = 'first'
[list.inner]
deep = 1
[[list]]
name = 'second'
[[list.many]]
v = 1
[[list.many]]
v = 2
'''
EXPECTED = {
    ("top",): 2,
    ("quoted key", "other"): 3,
    ("data",): 5,
    ("data", "path"): 6,
    ("data", "range"): 10,
    ("data", "range", 0): 11,
    ("data", "range", 1): 12,
    ("data", "range", 1, 1): 13,
    ("data", "range", 2, "a"): 14,
    ("data", "range", 2, "b", "c"): 14,
    ("a", "b.c"): 16,
    ("a", "b.c", "x", "y"): 17,
    ("a", "b.c", "day"): 19,
    ("list", 0): 20,
    ("list", 0, "name"): 21,
    ("list", 0, "inner", "deep"): 23,
    ("list", 1): 24,
    ("list", 1, "name"): 25,
    ("list", 1, "many", 0, "v"): 27,
    ("list", 1, "many", 1, "v"): 29,
}


def test_keys_are_found_where_they_stand():
    content = tomllib.loads(TEXT)
    for path in EXPECTED:
        value: Any = content
        for name in path:
            value = value[name]
    found = lines_of(TEXT)
    assert {path: found.get(path) for path in EXPECTED} == EXPECTED
    assert not [path for path in found if "not" in path or "z" in path]


@pytest.mark.parametrize("seed", range(30))
def test_the_line_of_every_written_key_begins_with_it(seed):
    text = dumps(for_data("faces", **drawing.changes(Random(seed))))
    rows = text.split("\n")
    found = {path: line for path, line in lines_of(text).items() if path[:2] != ("networks", "arguments")}
    assert len(found) > 60
    for path, line in found.items():
        row, name = rows[line - 1], str(path[-1])
        header = ".".join(str(each) for each in path if isinstance(each, str))
        assert re.match(rf"{name} = |\[\[?{re.escape(header)}[\].]", row) or isinstance(path[-1], int), (path, row)
