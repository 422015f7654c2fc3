"""Magics are taken out of cells; everything else stays on its line."""

from __future__ import annotations

import ast

import pytest

from ganmedic.capture.magics import python_of

CELLS = {
    "plain": ("x = 1\n", "x = 1\n", []),
    "line magic": ("%matplotlib inline\nx = 1", "pass\nx = 1", [(1, "%matplotlib inline")]),
    "shell": (
        "x = 1\n!pip install -q it's \\\n  'more\ny = 2",
        "x = 1\npass\n\ny = 2",
        [(2, "!pip install -q it's \\")],
    ),
    "in a block": ("if x:\n    !ls\nelse:\n    y()", "if x:\n    pass\nelse:\n    y()", [(2, "!ls")]),
    "assigned": ("a = !ls\nb.c = %env X", "a = []\nb.c = None", [(1, "a = !ls"), (2, "b.c = %env X")]),
    "timed line": (
        "%time train(a,\n      b)\nx = %time f()\n%timeit -n 10 -r3 f(-1)",
        "train(a,\n      b)\nx = f()\nf(-1)",
        [],
    ),
    "bare %time": ("%time\nx = 1", "pass\nx = 1", [(1, "%time")]),
    "timed cell": ("\n%%time\n%%capture out\n!ls\nx = 1", "\n\n\npass\nx = 1", [(4, "!ls")]),
    "foreign cell": ("%%bash\nls *.py\ncd x", "\n\n", [(1, "%%bash (the whole cell)")]),
    "nameless cell": ("%%\nx = 1", "\n", [(1, "%% (the whole cell)")]),
    "help": ("gan?\n?gan.fit\ntf.keras??", "pass\npass\npass", [(1, "gan?"), (2, "?gan.fit"), (3, "tf.keras??")]),
    "bare install": ("pip install x\nx = 1", "pass\nx = 1", [(1, "pip install x")]),
    "modulo and strings": (
        "!ls\na = (b\n  % c)\nd = '''\n%time\n!x\n'''\ne = 'a' \\\n  % 'b'\nf = '\\'' # (it's\n%pwd\ng = {'[': 1,\n!h}",
        "pass\na = (b\n  % c)\nd = '''\n%time\n!x\n'''\ne = 'a' \\\n  % 'b'\n"
        "f = '\\'' # (it's\npass\ng = {'[': 1,\n!h}",
        [(1, "!ls"), (11, "%pwd")],
    ),
    "not an assignment": ("print('a=%d' % 3)\n!ls", "print('a=%d' % 3)\npass", [(2, "!ls")]),
    "broken Python stays": ("def f(:\n    pass", "def f(:\n    pass", []),
    "empty": ("", "", []),
}


@pytest.mark.parametrize("name", CELLS)
def test_cells(name: str) -> None:
    cell, python, skipped = CELLS[name]

    assert python_of(cell) == (python, tuple(skipped))
    assert python.count("\n") == cell.count("\n")


def test_valid_python_is_never_touched() -> None:
    cell = "x = 7\ny = '''\n%%time\n!ls\n'''\nz = [x\n%2]\n"
    ast.parse(cell)

    assert python_of(cell) == (cell, ())
