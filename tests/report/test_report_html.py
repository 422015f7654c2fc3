"""The HTML report: well formed, self-contained, and with nothing of the user's program left unescaped."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from ganmedic.finding import Diagnosis, Network, PathStep, ScriptError, Unchecked
from ganmedic.report.html import diagnosis_html, finding_html


class Reader(HTMLParser):
    """Collects tags, attributes and text, and fails where tags are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


ALLOWED = {"div", "span", "b", "code", "pre", "mark", "ul", "li", "style", "table", "tr", "th", "td"}


def test_a_finding_says_the_same_as_on_the_terminal(cut_finding):
    text = Reader(finding_html(cut_finding)).text
    for part in (
        "error[non-differentiable-op]",
        cut_finding.summary,
        "train.py:7 in train_step : a fix goes here",
        "7 | tokens = tf.argmax(fake, axis=-1) 8 |",
        "train.py:9 : the loss is computed here: g_loss = bce(tf.ones_like(score), score)",
        "✂ CUT: ArgMax: no gradient is defined for ArgMax (train.py:7)",
        "Affects all 8 variables of the generator (gen): gen/dense/kernel",
        "8 of 8 gradients that tape.gradient returned at step 0 are None",
        "Fix: Feed the discriminator a soft choice",
        "tokens = tf.nn.softmax(fake / 0.5) This changes the loss that is minimised.",
        "Or: Pass the gradient straight through the hard choice. (at train.py:8)",
        "Also explains not-applied",
        "More: ganmedic explain non-differentiable-op",
    ):
        assert part in text


def test_the_marked_part_is_marked(cut_finding):
    assert re.findall("<mark>(.*)</mark>", finding_html(cut_finding)) == ["tf.argmax(fake, axis=-1)"]


def test_code_keeps_its_lines_and_indentation(cut_finding):
    assert "7 | </span>        tokens = <mark>" in finding_html(cut_finding)
    assert "tokens = fake + tf.stop_gradient(hard - fake)\nscore = " in finding_html(cut_finding)


def test_the_diagnosis_has_every_section(diagnosis):
    text = Reader(diagnosis_html(diagnosis)).text
    for part in (
        "ganmedic: 1 error and 1 warning in train.py",
        "gen generator 0 of 8 0 Adam(learning_rate=0.0002) -",
        "warning[not-applied] (likely):",
        "Follows from non-differentiable-op",
        "The script ended with ValueError at train.py:12 , explained by non-differentiable-op",
        "No gradients provided for any variable.",
        "Not checked the gradient penalty: its operations run in a compiled function",
        "ganmedic itself failed in part, and went on without it causes.dead_relu: KeyError: 'dense_3'",
        "The script failed after 20 steps. Took 3.2 s.",
    ):
        assert part in text


def test_a_healthy_run_is_short(healthy):
    assert Reader(diagnosis_html(healthy)).text == (
        "ganmedic: healthy: 2 networks, 14 of 14 variables with gradient, 20 steps in train.py "
        "Ended early after 20 steps: the step limit was reached. Took 1 min 4 s."
    )


@pytest.mark.parametrize("kind", ["diagnosis", "healthy"])
def test_it_is_self_contained_and_runs_nothing(request, kind):
    html = diagnosis_html(request.getfixturevalue(kind))
    reader = Reader(html)
    assert reader.tags <= ALLOWED
    assert reader.attributes <= {"class"}
    assert not re.search(r"url\(|@import|https?:|javascript:", html)


EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>{{ 7 * 7 }}</pre></style>\x1b[31m\u202e\r\n\x00"


def test_nothing_from_the_program_becomes_markup(diagnosis, cut_finding):
    place = dataclasses.replace(
        cut_finding.locations[0], file=f"/gone/{EVIL}.py", role=EVIL, function=EVIL, text=EVIL, column=3, end_column=9
    )
    remedy = dataclasses.replace(cut_finding.remedies[0], text=EVIL, code=f"{EVIL}\n{EVIL}", location=place)
    finding = dataclasses.replace(
        cut_finding,
        summary=EVIL,
        evidence=(EVIL,),
        locations=(place, dataclasses.replace(place, line=2)),
        variables=(EVIL,),
        remedies=(remedy, remedy),
        explains=(EVIL,),
        path=(PathStep(EVIL, "loss", place), PathStep(EVIL, "cut", place, EVIL)),
        network_name=EVIL,
        cause=EVIL,
        network=EVIL,
    )
    everything = Diagnosis(
        findings=(finding, dataclasses.replace(finding, cause="other", explains=(EVIL,))),
        networks=(Network(EVIL, EVIL, 1, 1, 0, 0, (EVIL,), (EVIL,), note=EVIL),),
        unchecked=(Unchecked(EVIL, EVIL),),
        error=ScriptError(EVIL, EVIL, EVIL, place),
        script=EVIL,
        tool_errors=(EVIL,),
    )
    for html in (finding_html(finding), diagnosis_html(everything)):
        reader = Reader(html)
        assert reader.tags <= ALLOWED
        assert reader.attributes <= {"class"}
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", html)
        assert "<script>alert(1)</script>" in reader.text
        assert "{{ 7 * 7 }}" in reader.text


def test_a_subclass_of_str_cannot_slip_through(cut_finding):
    class Trusted(str):
        def __html__(self) -> str:
            return "<script>"

    html = finding_html(dataclasses.replace(cut_finding, summary=Trusted("plain")))
    assert "<script>" not in html


def test_notebooks_show_it_by_themselves(diagnosis, cut_finding):
    assert cut_finding._repr_html_() == finding_html(cut_finding)
    assert diagnosis._repr_html_() == diagnosis_html(diagnosis)
