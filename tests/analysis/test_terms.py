"""The terms of a summed loss, and those that train nothing though no gradient is None."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ganmedic.analysis.run import Run
from ganmedic.analysis.terms import broken_terms, dominating, plain_terms
from record.building import Script

WIDTHS = ((4, 8), (8, 4))
SOURCE = """
    import numpy as np
    def step(noise):
        with tf.GradientTape() as tape:
            fake = generator(noise)
            term = spread(fake)
            loss = tf.reduce_mean(critic(fake)) + term
        gradients = tape.gradient(loss, generator.trainable_variables)
        tape.gradient(loss, critic.trainable_variables)
        print(np.mean(fake))
"""


class Summed:
    """A loss of two terms: the first is sound, the second is what a test makes of the fakes."""

    def __init__(self, term: Callable[[Summed], int], source: str = SOURCE, together: str = "AddV2", **answers) -> None:
        self.run = run = Script(source)
        self.generator, self.critic = run.model("generator", *WIDTHS), run.model("critic", *WIDTHS)
        with run.at("with tf").tape(persistent=True) as tape:
            run.at("fake =")
            self.fake = self.generator(run.noise())
            run.at("term =")
            own = term(self)
            run.at("loss =")
            loss = run.op(together, run.op("Mean", self.critic(self.fake)), own, shape=())
        run.at("gradients =").gradient(tape, loss, self.generator.trainable_variables, **answers)
        run.at("critic.trainable").gradient(tape, loss, self.critic.trainable_variables)

    def broken(self) -> list[tuple[str, tuple[int, ...]]]:
        """The kind of operation that cuts each broken term off, and the variables behind it."""
        run = Run(self.run.record.view())
        return [(run.flow.operation(term.chain[-1]).kind, term.values) for term in broken_terms(run)]

    def plain(self) -> list[tuple[str, int]]:
        """What each plain term was computed with, and on which line."""
        return [(left.how, left.place.line) for _, left in plain_terms(Run(self.run.record.view()))]


def one(*kinds: str) -> Callable[[Summed], int]:
    """A term that is the mean of the fakes after some operations."""

    def term(loss: Summed) -> int:
        value = loss.fake
        for kind in kinds:
            value = loss.run.op(kind, value)
        return loss.run.op("Mean", value)

    return term


# --- cut off ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Round", "ArgMax", "Sign", "StopGradient", "PyFunc"])
@pytest.mark.parametrize("together", ["AddV2", "Sub"])
def test_a_term_behind_an_operation_without_gradient_is_broken(kind, together):
    loss = Summed(one("Square", kind), together=together)
    assert loss.broken() == [(kind, loss.generator.variables)]


def test_a_broken_term_is_told_by_the_operation_where_the_way_enters_the_cut():
    assert [kind for kind, _ in Summed(one("ArgMax", "OneHot")).broken()] == ["ArgMax"]


def test_a_term_in_a_function_is_found_there():
    def term(loss: Summed) -> int:
        with loss.run.function("spread", 1) as graph:
            rounded = loss.run.op("Mean", loss.run.op("Round", graph.inputs[0]))
            graph.outputs = (loss.run.op("Neg", rounded, shape=()),)
        return loss.run.call(graph, loss.fake)

    assert [kind for kind, _ in Summed(term).broken()] == ["Round"]


def test_a_term_with_a_weight_is_found_behind_it():
    def term(loss: Summed) -> int:
        return loss.run.op(
            "RealDiv", loss.run.op("Mul", one("Round")(loss), loss.run.data()), loss.run.data(), shape=()
        )

    assert [kind for kind, _ in Summed(term).broken()] == ["Round"]


def of_the_critic(loss: Summed) -> int:
    return loss.run.op("Mean", loss.critic(loss.run.op("StopGradient", loss.fake)))


def of_the_data(loss: Summed) -> int:
    return loss.run.op("Mean", loss.run.op("Round", loss.run.data()))


def straight_through(loss: Summed) -> int:
    hard = loss.run.op("Sub", loss.run.op("Round", loss.fake), loss.fake)
    return loss.run.op("Mean", loss.run.op("AddV2", loss.fake, loss.run.op("StopGradient", hard)))


def masked(loss: Summed) -> int:
    return loss.run.op("Mean", loss.run.op("SelectV2", loss.run.op("Greater", loss.fake), loss.fake, loss.run.data()))


@pytest.mark.parametrize("term", [one("Square"), of_the_critic, of_the_data, straight_through, masked])
def test_a_term_that_trains_somebody_or_is_of_no_network_is_sound(term):
    assert Summed(term).broken() == []


def test_a_loss_of_one_term_has_no_broken_term_for_there_the_gradient_itself_is_none():
    assert Summed(one("Round"), together="Maximum").broken() == []


def test_a_loss_without_any_gradient_or_with_an_error_is_explained_elsewhere():
    failed = Summed(one("Round"), error="LookupError: no gradient")
    assert failed.broken() == []
    nothing = Summed(one("Round"))
    for call in nothing.run.record.gradient_calls.values():
        call.results = ("none", "none")
    assert nothing.broken() == []


# --- plain numbers ------------------------------------------------------------------------------------------------------


def number(loss: Summed) -> int:
    return loss.run.data()


def test_a_term_computed_by_numpy_is_a_plain_number():
    loss = Summed(number, SOURCE.replace("spread(fake)", "np.std(fake)"))
    assert loss.plain() == [("np.std", loss.run.place("term =").line)]


def test_a_number_with_which_the_fakes_have_nothing_to_do_is_no_departure():
    assert Summed(number, SOURCE.replace("spread(fake)", "0.5")).plain() == []


def test_a_sound_term_is_no_plain_number_and_what_is_printed_afterwards_is_none():
    assert Summed(one("Square"), SOURCE.replace("spread(fake)", "tf.reduce_mean(fake ** 2)")).plain() == []


# --- what every gradient has to pass --------------------------------------------------------------------------------------


def test_an_operation_dominates_a_variable_if_no_way_leads_around_it():
    run = Script()
    weight, beside = run.variable("weight", (4, 4)), run.variable("beside", (4, 4))
    with run.tape() as tape:
        value = run.op("MatMul", run.noise(), run.read(weight))
        clipped = run.op("ClipByValue", run.op("AddV2", value, run.read(beside)))
        loss = run.op("Mean", run.op("AddV2", clipped, run.read(beside)))
    run.gradient(tape, loss, [weight, beside])
    view, kinds = Run(run.record.view()), frozenset({"ClipByValue"})
    edge = dominating(view, run.asked, weight, kinds)
    assert edge is not None
    assert view.flow.operation(edge).kind == "ClipByValue"
    assert dominating(view, run.asked, beside, kinds) is None
    assert dominating(view, run.asked, weight, frozenset({"Relu6"})) is None
