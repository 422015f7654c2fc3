"""What the user's source says: names that were given, statements, calls, columns."""

from __future__ import annotations

import ast

import pytest

from ganmedic.analysis import source
from ganmedic.analysis.source import assigned_name, call_named, decided_at, made_at, span, statement, text_of
from ganmedic.record.schema import Place
from record.building import Script


def script(text: str) -> Script:
    """A script; the line a test is about is marked with ``# here``, the calls that lead to it with ``# 1``, ``# 2``."""
    return Script(text)


def here(run: Script):
    """The marked lines, outermost first."""
    text = next(iter(run.record.sources.values()))
    marks = [mark for mark in ("# 1", "# 2", "# here") if mark in text]
    run.at(*marks)
    return run.stack


# --- assigned_name ------------------------------------------------------------------------------------------------------

NAMES = {
    "plain": ("critic = keras.Sequential([])  # here", "critic"),
    "annotated": ("critic: keras.Model = keras.Sequential([])  # here", "critic"),
    "attribute": ("class Gan:\n    def __init__(self):\n        self.critic = Dense(1)  # here", "critic"),
    "over several lines": ("critic = keras.Sequential(\n    [\n        Dense(1),  # here\n    ]\n)", "critic"),
    "tuple": ("g, d = (\n    make(1),\n    make(2),  # here\n)", "d"),
    "list in tuple": ("a, [b, c] = 0, [\n    1,\n    make(),  # here\n]", "c"),
    "attributes in a tuple": ("self.g, self.d = (\n    make(1),  # here\n    make(2))", "g"),
    "helper": ("def make():\n    return keras.Sequential([])  # here\ncritic = make()  # 1", "critic"),
    "helper of a helper": (
        "def inner():\n    return Dense()  # here\ndef outer():\n    return inner()  # 2\ncritic = outer()  # 1",
        "critic",
    ),
    "named inside the helper": (
        "def make():\n    net = keras.Sequential([])  # here\n    return net\ncritic = make()  # 1",
        "net",
    ),
    "base class": (
        "class Critic(keras.Model):\n    def __init__(self):\n        super().__init__()  # here\nd = Critic()  # 1",
        "d",
    ),
    "two names at once": ("a = b = make()  # here", ""),
    "tuple from a helper": ("g, d = make()  # here", ""),
    "nothing": ("make()  # here", ""),
    "an item": ("nets['d'] = make()  # here", ""),
    "no python": ("critic = (  # here", ""),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_thing_is_called_what_the_script_calls_it(name):
    text, expected = NAMES[name]
    if name == "no python":
        run = Script()
        run.record.sources["bad.py"] = text
        stack = (Place("bad.py", 1),)
    else:
        run = script(text)
        stack = here(run)
    assert assigned_name(run.record, stack) == expected


def test_made_at_leaves_out_the_init_of_the_base_and_only_that():
    run = script("""
        class Critic(keras.Model):
            def __init__(self):
                keras.Model.__init__(self)  # here
        d = Critic()  # 1
    """)
    stack = here(run)
    assert made_at(run.record, stack) == stack[:1]
    assert made_at(run.record, stack[1:]) == stack[1:], "something has to be left"
    plain = script("def make():\n    return Dense()  # here\nd = make()  # 1")
    assert made_at(plain.record, here(plain)) == plain.stack


# --- decided_at ---------------------------------------------------------------------------------------------------------

DECISIONS = {
    "at the call itself": ("def step(x):\n    opt.apply_gradients(x)  # here\nstep(1)  # 1", "# here"),
    "by who hands over the optimizer": ("def step(o, x):\n    o.apply_gradients(x)  # here\nstep(opt, 1)  # 1", "# 1"),
    "through a method": (
        "class G:\n    def up(self, o):\n        o.apply_gradients(0)  # here\n    def step(self):\n"
        "        self.up(self.opt)  # 2\nG().step()  # 1",
        "# 2",
    ),
    "by an attribute of self": (
        "class G:\n    def step(self):\n        self.apply_gradients(0)  # here\nG().step()  # 1",
        "# here",
    ),
    "at top level": ("opt.apply_gradients(x)  # here", "# here"),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_what_a_call_works_on_is_decided(name):
    text, mark = DECISIONS[name]
    run = script(text)
    assert decided_at(run.record, here(run), "apply_gradients", "apply") == run.place(mark)


def test_nothing_is_decided_without_a_line():
    assert decided_at(Script().record, (), "apply_gradients") is None


# --- statements and calls -----------------------------------------------------------------------------------------------

STATEMENTS = {
    "of one line": ("x = 1\ny = 2  # here\n", "y = 2"),
    "around a line": ("y = make(\n    1,  # here\n)", "y = make(1)"),
    "inside blocks": ("def f():\n    for i in x:\n        if i:\n            y = 2  # here", "y = 2"),
    "the head of a block": ("def f():\n    for i in x:  # here\n        y = 2", "for i in x: y = 2"),
    "with": ("with tape() as t:  # here\n    y = 2\n", "with tape() as t: y = 2"),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_is_the_innermost_one_that_holds_the_line(name):
    text, expected = STATEMENTS[name]
    run = script(text)
    assert text_of(statement(run.record, here(run)[-1])) == expected


def test_there_is_no_statement_where_there_is_no_source():
    run = script("x = 1  # here\n\n# end")
    assert statement(run.record, run.place("# end")) is None
    assert statement(run.record, Place("other.py", 1)) is None


def test_call_named_finds_the_call_on_its_line_of_a_statement_of_many():
    run = script("""
        gradients = (
            tape.gradient(a, g.trainable_variables),
            tape.gradient(b, d.trainable_variables),  # here
        )
        last = [tape.gradient(
            c,  # 1
            e)]
    """)
    assert text_of(call_named(run.record, run.place("# here"), "gradient").args[0]) == "b"
    assert text_of(call_named(run.record, run.place("# 1"), "jacobian", "gradient").args[0]) == "c"
    assert text_of(call_named(run.record, run.place("gradients ="), "gradient").args[0]) == "a"
    assert call_named(run.record, run.place("# here"), "jacobian") is None


def test_argument_is_found_by_its_place_or_by_its_name():
    call = ast.parse("tape.gradient(loss, sources=weights)").body[0].value
    assert text_of(source.argument(call, 0, "target")) == "loss"
    assert text_of(source.argument(call, 1, "sources")) == "weights"
    assert source.argument(call, 1, "other") is None
    assert source.argument(None, 0) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("loss = tf.argmax(x)", "tf.argmax(x)"),
        ("größe_日本 = 'äöü😀', tf.argmax('é', x), 'ß'", "tf.argmax('é', x)"),
        ("    y = a + tf.argmax(x)  # here", "tf.argmax(x)"),
        ("y = tf.argmax(", "tf.argmax("),
    ],
)
def test_span_counts_characters_and_ends_with_the_line(line, expected):
    head = "if True:\n" if line.startswith(" ") else ""
    run = Script()
    run.record.sources["s.py"] = f"{head}{line}\n    x)\n" if line.endswith("(") else f"{head}{line}\n"
    begin, end = span(run.record, Place("s.py", 2 if head else 1), "argmax")
    assert line[begin:end] == expected


@pytest.mark.parametrize("character", ["\x0c", "\x1c", "\u2028", "\x85"])
def test_lines_are_counted_as_python_counts_them(character):
    run = Script()
    run.record.sources["s.py"] = f"# {character}\ny = tf.argmax(x)\n"
    place = Place("s.py", 2)
    assert text_of(statement(run.record, place)) == "y = tf.argmax(x)"
    assert run.record.line("s.py", 2) == "y = tf.argmax(x)"
    assert span(run.record, place, "argmax") == (4, 16)


def test_span_is_nowhere_on_a_line_without_the_call():
    run = script("y = tf.argmax(\n    x,  # here\n)\n")
    assert span(run.record, run.place("# here"), "argmax") == (None, None)
    assert span(run.record, run.place("y ="), "round") == (None, None)


# --- functions ----------------------------------------------------------------------------------------------------------


def test_returned_by_is_the_last_return_of_the_function_around_a_line():
    run = script("""
        def call(self, x):
            if x:
                return 0
            y = x  # here
            return y  # 1
        z = 1  # 2
    """)
    assert source.returned_by(run.record, run.place("# here")) == run.place("# 1")
    assert source.returned_by(run.record, run.place("# 2")) is None


def test_used_next_is_the_loop_that_takes_up_what_a_statement_made():
    run = script("""
        def step():
            for g in gradients:
                pass
            gradients = tape.gradient(loss, weights)  # here
            for g, w in zip(gradients, weights):  # 1
                w.assign_sub(g)
    """)
    assert source.used_next(run.record, run.place("# here")) == run.place("# 1")
    assert source.used_next(run.record, run.place("# 1")) is None


def test_aliases_of_a_package_are_all_names_under_which_it_was_imported():
    root = ast.parse("import numpy as np, scipy.ndimage\nfrom numpy import mean as average\nfrom os import path")
    assert source.module_aliases(root, "numpy") == {"np", "average"}
    assert source.module_aliases(root, "scipy") == {"scipy"}


def test_a_long_expression_is_shortened_to_one_line():
    assert text_of(ast.parse("f(1,\n   2)").body[0].value) == "f(1, 2)"
    assert len(text_of(ast.parse(f"x = '{'y' * 200}'").body[0])) == 72
    assert source.names_in(ast.parse("self.x + y.z")) == {"self", "x", "y", "z"}
