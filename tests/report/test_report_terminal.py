"""The terminal report, word for word, as it stands in a log file of 80 columns."""

from __future__ import annotations

import dataclasses
import io
import itertools
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from ganmedic.finding import Diagnosis, Finding, Location, Network, PathStep, ScriptError
from ganmedic.report.terminal import render_diagnosis, render_finding

FINDING = """\
#1 error[non-differentiable-op]: The generator gets no gradient: tf.argmax cuts
  the path from g_loss to all 8 of its variables.
 --> train.py:7 in train_step
  |
6 |         fake = generator(noise, training=True)
7 |         tokens = tf.argmax(fake, axis=-1)
  |                  ^^^^^^^^^^^^^^^^^^^^^^^^ a fix goes here
8 |         score = discriminator(tf.one_hot(tokens, 12), training=True)
  |
  = train.py:9   the loss is computed here:  g_loss = bce(tf.ones_like(score), …
  = train.py:11  the gradients are taken here:  gradients = tape.gradient(g_los…

  the gradient's way back from the loss:
    g_loss  (train.py:9)
    ├─ BinaryCrossentropy
    ├─ layer dense_5, 3 times
    ├─ OneHot  (train.py:8)
    ✂  CUT: ArgMax: no gradient is defined for ArgMax  (train.py:7)
    ┊  Softmax
    └┄ generator: 8 variables

  affects: all 8 variables of the generator (gen):
    gen/dense/kernel, gen/dense/bias, gen/dense_1/kernel, gen/dense_1/bias and 4
    more
  seen:
    - 8 of 8 gradients that tape.gradient returned at step 0 are None
    - the path from g_loss ends at ArgMax, whose gradient is not defined; up to
      there it is whole

  fix: Feed the discriminator a soft choice, and keep the hard one for sampling.
    + tokens = tf.nn.softmax(fake / 0.5)
    This changes the loss that is minimised.
  or: Pass the gradient straight through the hard choice.
    at train.py:8
    + hard = tf.one_hot(tf.argmax(fake, axis=-1), 12)
    + tokens = fake + tf.stop_gradient(hard - fake)
    + score = discriminator(tokens, training=True)

  also explains: not-applied
  more: ganmedic explain non-differentiable-op

"""

DIAGNOSIS = """\
ganmedic: 1 error and 1 warning in train.py

  network              gradient  moved  optimizer                    reads
  gen (generator)        0 of 8      0  Adam(learning_rate=0.0002)   -
  discriminator          6 of 6      6  Adam(learning_rate=0.0002)   gen
  gen_ema (generator)    0 of 8      8  none: moving average of gen  -

error[non-differentiable-op] train.py:7: shown above

warning[not-applied] (likely): The generator's weights never change in 20 steps.
  --> train.py:12 in train_step
   |
11 |     gradients = tape.gradient(g_loss, variables)
12 |     g_opt.apply_gradients(zip(gradients, variables))
   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   |     the gradients are applied here

  fix: Mend the gradient first.

  follows from: non-differentiable-op
  more: ganmedic explain not-applied

the script ended with ValueError: No gradients provided for any variable.
  at train.py:12
  explained by non-differentiable-op

not checked:
  - the gradient penalty: its operations run in a compiled function

ganmedic itself failed in part, and went on without it (ganmedic 0.1.0,
  tensorflow 2.21.0, keras 3.15.1, python 3.11.7):
  - causes.dead_relu: KeyError: 'dense_3'

The script failed after 20 steps. Took 3.2 s.
"""

NOTEBOOK = """\
error[non-differentiable-op]: The generator gets no gradient: tf.argmax cuts the
  path from g_loss to all 8 of its variables.
 --> train.ipynb cell 2, line 5
  |
4 |         fake = generator(noise, training=True)
5 |         tokens = tf.argmax(fake, axis=-1)
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the gradient stops here
6 |         score = discriminator(tf.one_hot(tokens, 12), training=True)
  |
  = train.ipynb cell 2, line 7  the loss is computed here:  g_loss = bce(tf.one…

  more: ganmedic explain non-differentiable-op

"""


ASCII_WAY = """\
    g_loss  (train.py:9)
    |- BinaryCrossentropy
    |- layer dense_5, 3 times
    |- OneHot  (train.py:8)
    X  CUT: ArgMax: no gradient is defined for ArgMax  (train.py:7)
    :  Softmax
    `. generator: 8 variables
"""


def bare(finding: Finding, **changes: object) -> Finding:
    """The finding with its code only, for tests of single parts."""
    nothing = {"path": (), "evidence": (), "remedies": (), "variables": (), "explains": ()}
    return dataclasses.replace(finding, **{**nothing, **changes})  # type: ignore[arg-type]


def test_a_finding_is_told_in_full(terminal, cut_finding):
    render_finding(terminal.console, cut_finding, number=1)
    assert terminal.text == FINDING


def test_the_diagnosis_begins_with_the_verdict_and_refers_to_what_was_shown(terminal, diagnosis, cut_finding):
    render_diagnosis(terminal.console, diagnosis, shown=[cut_finding])
    assert terminal.text == DIAGNOSIS


def test_a_healthy_run_takes_two_lines(terminal, healthy):
    render_diagnosis(terminal.console, healthy)
    assert terminal.text == (
        "ganmedic: healthy: 2 networks, 14 of 14 variables with gradient, 20 steps in\n"
        "  train.py\n"
        "Ended early after 20 steps: the step limit was reached. Took 1 min 4 s.\n"
    )


def test_a_run_without_a_step_is_not_called_healthy(terminal):
    render_diagnosis(terminal.console, Diagnosis(script="train.py"))
    assert terminal.text.startswith("ganmedic: nothing to judge: no training step was seen in train.py\n")
    assert "healthy" not in terminal.text


def test_what_was_not_checked_limits_the_word_healthy(terminal, healthy, diagnosis):
    render_diagnosis(terminal.console, dataclasses.replace(healthy, unchecked=diagnosis.unchecked))
    assert terminal.text.startswith("ganmedic: healthy as far as it could be checked: 2 networks")
    assert "not checked:\n  - the gradient penalty: its operations run in a compiled function\n" in terminal.text


def test_an_error_that_no_finding_explains_is_said_to_be_so(terminal):
    render_diagnosis(terminal.console, Diagnosis(error=ScriptError("OSError", "gone"), ended="failed", script="a.py"))
    assert "ganmedic: no finding explains the OSError in a.py\n" in terminal.text
    assert "the script ended with OSError: gone\n  no finding explains this\n" in terminal.text


def test_a_long_error_message_is_cut(terminal):
    message = "\n".join(f"line {number}" for number in range(20))
    render_diagnosis(terminal.console, Diagnosis(error=ScriptError("ValueError", message)))
    assert "    line 5\n    … 14 more lines\n" in terminal.text
    assert "line 6" not in terminal.text


def test_a_finding_that_has_grown_since_it_was_shown_is_not_shown_again(terminal, diagnosis, cut_finding):
    live = dataclasses.replace(cut_finding, explains=(), evidence=("1 of 8 gradients is None",))
    render_diagnosis(terminal.console, diagnosis, shown=[live])
    assert "error[non-differentiable-op] train.py:7: shown above\n" in terminal.text
    assert "BinaryCrossentropy" not in terminal.text


def test_findings_that_were_not_shown_come_in_full(terminal, diagnosis):
    render_diagnosis(terminal.console, diagnosis)
    assert "✂  CUT: ArgMax" in terminal.text
    assert "shown above" not in terminal.text


def test_a_notebook_is_quoted_by_cell(terminal, notebook, cut_finding):
    at = Location(str(notebook), 5, "cut", cell=2, text="        tokens = tf.argmax(fake, axis=-1)")
    loss = dataclasses.replace(at, line=7, role="loss", text="        g_loss = bce(tf.ones_like(score), score)")
    render_finding(terminal.console, bare(cut_finding, locations=(at, loss)))
    assert terminal.text == NOTEBOOK


def test_code_that_was_edited_since_is_shown_as_it_ran(terminal, script, cut_finding):
    script.write_text("# a new first line\n" + script.read_text(encoding="utf-8"), encoding="utf-8")
    render_finding(terminal.console, bare(cut_finding))
    assert "7 |         tokens = tf.argmax(fake, axis=-1)\n" in terminal.text
    assert "fake = generator" not in terminal.text


def test_a_place_without_code_is_still_named(terminal, cut_finding):
    render_finding(terminal.console, bare(cut_finding, locations=(Location("/gone/lib.py", 12),)))
    assert "--> /gone/lib.py:12\n" in terminal.text
    assert "|" not in terminal.text


@pytest.mark.parametrize(
    "line",
    [
        "x = bad()",
        "\tx = bad()",
        "x = '日本語', bad()",
        "x = '\u202e\x1b[0m', bad()",
        f"x = {'very_' * 30}long, bad()",
        f"x = {'日本' * 60}, bad(), {'tail' * 30}",
    ],
    ids=["plain", "tab", "wide", "controls", "long", "long and wide"],
)
def test_the_mark_stands_under_the_marked_part(terminal, cut_finding, line):
    start = line.index("bad()")
    render_finding(
        terminal.console,
        bare(cut_finding, locations=(Location("/gone/a.py", 3, text=line, column=start, end_column=start + 5),)),
    )
    code, marks = next(pair for pair in itertools.pairwise(terminal.text.split("\n")) if "^" in pair[1])
    assert marks.count("^") == 5
    assert cell_len(code[: code.index("bad()")]) == marks.index("^")
    assert cell_len(code) <= 80


def test_without_columns_the_whole_line_is_marked(terminal, cut_finding):
    render_finding(terminal.console, bare(cut_finding, locations=(Location("/gone/a.py", 3, text="    x = f(1)"),)))
    assert "\n3 |     x = f(1)\n  |     ^^^^^^^^ a fix goes here\n" in terminal.text


def test_roles_that_do_not_fit_behind_the_mark_go_below_it(terminal, cut_finding):
    at = Location("/gone/a.py", 3, "cut", text="x = " + "y" * 60, column=4, end_column=64)
    render_finding(terminal.console, bare(cut_finding, locations=(at,)))
    assert f"\n  |     {'^' * 60}\n  |     the gradient stops here\n" in terminal.text


def test_nothing_from_the_program_is_taken_for_markup_or_control(terminal, cut_finding):
    name = "[bold]dense[/bold] :smile:\x1b[31m\u202eevil\r\nganmedic: healthy\x07\x9b1m\u200b"
    shown = "[bold]dense[/bold] :smile:\\x1b[31m\\u202eevil\\r\\nganmedic: healthy\\x07\\x9b1m\\u200b"
    finding = dataclasses.replace(
        cut_finding,
        summary=name,
        evidence=(name,),
        variables=(name,),
        network_name=name,
        path=(PathStep(name, "cut", detail=name),),
    )
    wide = WideTerminal()
    render_finding(wide.console, finding)
    assert wide.text.count(shown) >= 5
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]", wide.text)
    assert "\nganmedic: healthy" not in wide.text


def test_nothing_in_the_diagnosis_is_taken_for_markup_or_control(terminal):
    evil = "[red]x[/red]\x1b[2J\u2028"
    network = Network(evil, "other", 1, 1, 1, 1, (evil,), (evil,), note=evil)
    render_diagnosis(
        terminal.console,
        Diagnosis(
            networks=(network,), error=ScriptError(evil, evil), script=evil, tool_errors=(evil,), versions={evil: evil}
        ),
    )
    assert "[red]x[/red]" in terminal.text
    assert not re.search("[\x00-\x09\x0b-\x1f\u2028]", terminal.text)


def test_remedy_code_keeps_its_lines_but_not_their_controls(terminal, cut_finding):
    remedy = dataclasses.replace(cut_finding.remedies[0], code="if x:\n    y = '\x1b[1m'\n")
    render_finding(terminal.console, bare(cut_finding, remedies=(remedy,)))
    assert "    + if x:\n    +     y = '\\x1b[1m'\n" in terminal.text


def test_a_console_without_unicode_gets_ascii(cut_finding):
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding="ascii", newline="\n")
    console = Console(file=stream, width=80, color_system=None)
    render_finding(console, dataclasses.replace(cut_finding, network_name="générateur"))
    stream.flush()
    text = buffer.getvalue().decode("ascii")
    assert ASCII_WAY in text
    assert "g\\xe9n\\xe9rateur" in text


def test_colour_adds_no_word(new_terminal, diagnosis):
    plain, coloured = new_terminal(), new_terminal(colour=True)
    render_diagnosis(plain.console, diagnosis)
    render_diagnosis(coloured.console, diagnosis)
    assert coloured.text != plain.text
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured.text) == plain.text


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lines_fit_and_do_not_end_in_spaces(new_terminal, diagnosis, width):
    output = new_terminal(width)
    render_diagnosis(output.console, dataclasses.replace(diagnosis, findings=diagnosis.findings[:1]))
    lines = output.text.split("\n")
    assert [line for line in lines if line != line.rstrip()] == []
    prose = [line for line in lines if not line.lstrip().startswith(("+ ", "= ", "ganmedic explain"))]
    assert max(map(cell_len, prose)) <= width
    if width == 120:
        sentences = [line for line in prose if " | " not in line and "^" not in line]
        assert max(map(cell_len, sentences)) <= 100


def test_a_long_way_is_shortened_but_keeps_its_ends_and_the_cut(terminal, cut_finding):
    operations = [PathStep(f"op_{number}") for number in range(40)]
    path = (PathStep("loss", "loss"), *operations[:30], PathStep("Round", "cut"), *operations[30:], PathStep("gen"))
    render_finding(terminal.console, bare(cut_finding, path=path))
    assert (
        "    loss\n    ├─ op_0\n    ├─ op_1\n    │  … 26 more\n    ├─ op_28\n    ├─ op_29\n    ✂  CUT: Round\n"
        "    ┊  op_30\n    ┊  op_31\n    ┊  … 6 more\n    ┊  op_38\n    ┊  op_39\n    └┄ gen\n"
    ) in terminal.text


def test_a_way_without_a_cut_is_drawn_whole(terminal, cut_finding):
    path = (PathStep("loss", "loss"), PathStep("Mean"), PathStep("gen", "network", detail="norm 3e-9"))
    render_finding(terminal.console, bare(cut_finding, path=path))
    assert "    loss\n    ├─ Mean\n    └─ gen: norm 3e-9\n" in terminal.text


@pytest.mark.parametrize(("confidence", "word"), [(1.0, ""), (0.7, ""), (0.69, " (likely)"), (0.2, " (possible)")])
def test_doubt_is_a_word(terminal, cut_finding, confidence, word):
    render_finding(terminal.console, bare(cut_finding, confidence=confidence, summary="It stands."))
    assert terminal.text.startswith(f"error[non-differentiable-op]{word}: It stands.\n")
    assert str(confidence) not in terminal.text


def test_a_network_that_was_not_compared_shows_a_question_mark(terminal, diagnosis):
    network = dataclasses.replace(diagnosis.networks[0], moved=None)
    render_diagnosis(terminal.console, dataclasses.replace(diagnosis, networks=(network,)))
    assert re.search(r"gen \(generator\) +0 of 8 +\? +Adam", terminal.text)


def test_paths_are_shown_relative_only_where_that_is_shorter(terminal, script, cut_finding):
    inside = Location(str(script.parent / "models" / "gan.py"), 3)
    outside = Location(str(Path(script.anchor) / "x.py"), 4)
    render_finding(terminal.console, bare(cut_finding, locations=(inside, outside)))
    assert f"--> {Path('models', 'gan.py')}:3\n" in terminal.text
    assert f" = {outside.file}:4  a fix goes here\n" in terminal.text


class WideTerminal:
    """A console wide enough that nothing is wrapped."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.console = Console(file=self.stream, width=1000, color_system=None)

    @property
    def text(self) -> str:
        return self.stream.getvalue().replace("\n  ", " ")
