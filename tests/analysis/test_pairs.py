"""Which gradient went to which variable, seen through what was done to it on the way."""

from __future__ import annotations

import pytest

from ganmedic.analysis.pairs import Pair, applied_origins, mismatches, origins_of
from ganmedic.analysis.run import Run
from record.building import Script

SHAPES = ((4, 8), (8, 4))


class Step:
    """One step of two weights of each of two networks, with their gradients."""

    def __init__(self) -> None:
        self.run = run = Script("opt.apply_gradients(pairs)")
        run.at("apply")
        self.g, self.d = run.model("g", *SHAPES), run.model("d", *SHAPES)
        with run.tape() as tape:
            loss = run.op("Mean", self.d(self.g(run.noise())))
        variables = [*self.g.variables, *self.d.variables]
        made = run.gradient(tape, loss, variables)
        self.g_gradients, self.d_gradients = made[:2], made[2:]
        self.optimizer = run.optimizer()

    def pairs(self, gradients, variables):
        """What ``mismatches`` says of an application, as positions (variable, origin) in g's and d's variables."""
        self.run.apply(self.optimizer, gradients, variables)
        record = self.run.record.view()
        (apply,) = record.applies.values()
        names = [*self.g.variables, *self.d.variables]
        return [(names.index(one.variable), names.index(one.origin)) for one in mismatches(Run(record), apply)]

    def origins(self, value):
        return origins_of(Run(self.run.record.view()), value)


def test_gradients_in_the_order_they_were_asked_for_belong_together():
    step = Step()
    assert step.pairs(step.g_gradients, step.g.variables) == []


def test_lists_of_two_networks_that_were_swapped_are_told_pair_by_pair():
    step = Step()
    assert step.pairs([*step.d_gradients, *step.g_gradients], [*step.g.variables, *step.d.variables]) == [
        (0, 2),
        (1, 3),
        (2, 0),
        (3, 1),
    ]


def test_a_list_in_another_order_is_told():
    step = Step()
    assert step.pairs(step.g_gradients[::-1], step.g.variables) == [(0, 1), (1, 0)]


def test_a_gradient_that_is_none_and_one_of_no_known_origin_are_no_mismatch():
    step = Step()
    foreign = step.run.op("RandomStandardNormal", shape=(8, 4))
    assert step.pairs([None, foreign], step.g.variables) == []


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("way", ["clip_by_value", "clip_by_norm", "clip_by_global_norm", "scale", "function"])
def test_a_gradient_is_known_through_clipping_and_scaling(way, swapped):
    step = Step()
    run = step.run
    norms = [run.op("Sum", run.op("Square", gradient, shape=shape)) for gradient, shape in _shaped(step)]
    total = run.op("Sqrt", run.op("AddN", *norms, shape=()), shape=())

    def processed(index: int, gradient: int, shape):
        if way == "clip_by_value":
            return run.op("ClipByValue", gradient, run.data(), run.data(), shape=shape)
        if way == "clip_by_norm":
            own = run.op("Sqrt", norms[index], shape=())
            return run.op("RealDiv", run.op("Mul", gradient, run.data(), shape=shape), own, shape=shape)
        if way == "clip_by_global_norm":
            return run.op("Mul", gradient, run.op("RealDiv", run.data(), total, shape=()), shape=shape)
        if way == "scale":
            return run.op("Mul", run.op("Cast", gradient, shape=shape), run.data(), shape=shape)
        with run.function("clip", 1) as graph:
            graph.outputs = (run.op("Tanh", graph.inputs[0], shape=shape),)
        result = run.operation("Call", (gradient,), (run.value(),), shape, bodies=(graph.id,))
        return result.outputs[0]

    made = [processed(index, gradient, shape) for index, (gradient, shape) in enumerate(_shaped(step))]
    assert step.pairs(made[::-1] if swapped else made, step.g.variables) == ([(0, 1), (1, 0)] if swapped else [])


def _shaped(step: Step):
    return list(zip(step.g_gradients, SHAPES, strict=True))


@pytest.mark.parametrize("swapped", [False, True])
def test_a_gradient_is_known_through_the_variable_it_was_accumulated_in(swapped):
    step = Step()
    run = step.run
    sums = [run.variable("sum", shape, trainable=False) for shape in SHAPES]
    for total, gradient in zip(sums, step.g_gradients, strict=True):
        run.assign(total, gradient, "AssignAddVariableOp")
    made = [
        run.op("RealDiv", run.read(total), run.data(), shape=shape) for total, shape in zip(sums, SHAPES, strict=True)
    ]
    assert step.pairs(made[::-1] if swapped else made, step.g.variables) == ([(0, 1), (1, 0)] if swapped else [])


def test_a_mean_of_two_gradients_of_one_variable_belongs_to_it_and_of_two_variables_to_both():
    step = Step()
    own = step.run.op("AddV2", step.g_gradients[0], step.g_gradients[0], shape=SHAPES[0])
    mixed = step.run.op("AddV2", step.g_gradients[0], step.d_gradients[0], shape=SHAPES[0])
    assert step.origins(own) == {step.g.variables[0]}
    assert step.origins(mixed) == {step.g.variables[0], step.d.variables[0]}
    assert step.pairs([mixed], step.d.variables[:1]) == []


def test_the_nearest_gradient_decides_not_the_one_it_was_computed_from():
    step = Step()
    run = step.run
    with run.tape() as tape:
        loss = run.op("Sum", run.op("Square", step.g_gradients[0], shape=SHAPES[0]))
    (second,) = run.gradient(tape, loss, [step.d.variables[0]])
    assert step.origins(second) == {step.d.variables[0]}


def test_applied_origins_tells_for_every_variable_where_its_gradient_went():
    step = Step()
    step.run.apply(step.optimizer, [*step.d_gradients, None], [*step.g.variables, step.d.variables[0]])
    run = Run(step.run.record.view())
    (apply,) = run.record.applies.values()
    assert applied_origins(run) == {variable: [apply] for variable in step.d.variables}
    assert mismatches(run, apply)[0] == Pair(step.g.variables[0], step.d.variables[0])
