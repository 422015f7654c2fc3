"""All findings of a record together: merged where they are one, best first, and whole where a cause breaks."""

from __future__ import annotations

import pytest

from causes.gan import Gan
from ganmedic.causes import frozen, stop_gradient
from ganmedic.diagnosis import diagnose, rank
from ganmedic.finding import Finding, Location


def finding(cause: str = "frozen", line: int = 3, **more) -> Finding:
    given = {"severity": "error", "confidence": 0.9, "network": "generator", "summary": cause, **more}
    return Finding(cause=cause, locations=(Location("train.py", line),), **given)


def test_the_best_finding_comes_first():
    note, warning = finding("a", severity="note", confidence=1.0), finding("b", severity="warning")
    unsure, sure = finding("c", confidence=0.5), finding("d")
    wide = finding("e", variables=("x", "y"))
    assert rank([note, warning, unsure, sure, wide]) == (wide, sure, unsure, warning, note)


def test_one_line_that_cuts_two_networks_off_is_one_finding(monkeypatch):
    both = [
        finding(variables=("g/kernel", "shared")),
        finding(variables=("d/kernel", "shared"), network="discriminator", confidence=0.95),
        finding(line=4),
    ]
    monkeypatch.setattr(frozen, "find", lambda record: both)
    first, second = diagnose(Gan().finish()).findings
    assert (first.network, first.confidence, first.variables) == ("both", 0.95, ("d/kernel", "shared", "g/kernel"))
    assert second == both[2]


def test_a_cause_that_breaks_is_told_and_the_others_are_still_asked(monkeypatch):
    def broken(record):
        raise KeyError("lost")

    monkeypatch.setattr(frozen, "find", broken)
    monkeypatch.setattr(stop_gradient, "find", lambda record: [finding("stop-gradient")])
    diagnosis = diagnose(Gan().finish())
    assert [found.cause for found in diagnosis.findings] == ["stop-gradient"]
    (told,) = diagnosis.tool_errors
    assert told.startswith("frozen: KeyError: 'lost' (test_diagnosis.py:")


def test_the_networks_are_summed_up():
    run = Gan()
    run.train()
    generator, discriminator = diagnose(run.finish()).networks
    assert (generator.name, generator.role, generator.variables, generator.parameters) == (
        "generator",
        "generator",
        2,
        64,
    )
    assert (generator.with_gradient, generator.moved, generator.trained, generator.note) == (2, 2, True, "")
    assert generator.optimizers == ("Adam(learning_rate=0.0002)",)
    assert (discriminator.role, discriminator.reads) == ("discriminator", ("generator",))


@pytest.mark.parametrize("explained", [False, True])
def test_the_exception_that_ended_the_script_is_told_with_the_cause_that_explains_it(explained):
    run = Gan("image = tf.stop_gradient(fake)")
    run.discriminator_step()
    run.generator_step(
        lambda fake: run.at("image =").op("StopGradient", fake) if explained else fake,
        none=run.generator.variables if explained else (),
    )
    run.at("g_opt.apply").fail("ValueError", "No gradients provided for any variable.")
    error = diagnose(run.finish()).error
    assert (error.type, error.explained_by) == ("ValueError", "stop-gradient" if explained else "")
    assert error.location.text.strip().startswith("g_opt.apply_gradients")


def test_a_program_without_a_tape_is_told_as_unchecked():
    assert [one.what for one in diagnose(Gan().finish()).unchecked] == ["gradients"]
