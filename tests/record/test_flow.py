"""How values and gradients travel: through operations, functions, loops, branches, variables, and past a tape."""

from __future__ import annotations

import pytest

from ganmedic.record.flow import ARGUMENT, UNRECORDED, Flow, Node
from ganmedic.record.schema import FLOWS, NONE, UNREGISTERED, ZERO
from record.building import Script
from record.reaching import LATER, behind, cut, reached

# --- operations -------------------------------------------------------------------------------------------------------


def test_a_gradient_reaches_all_that_the_loss_is_made_of_and_nothing_else():
    run = Script()
    weight, other = run.variable("weight"), run.variable("other")
    noise = run.noise()
    loss = run.op("Mean", run.op("MatMul", noise, run.read(weight)))
    run.op("MatMul", noise, run.read(other))
    reach = behind(run, loss)
    assert [reached(reach, value) for value in (loss, noise, weight, other)] == ["yes", "yes", "yes", "no"]
    assert reach.cuts([weight]) == []


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("ArgMax", NONE), ("Round", NONE), ("StopGradient", NONE), ("Sign", ZERO), ("SoftsignGrad", UNREGISTERED)],
)
def test_a_cut_is_the_operation_that_passes_no_gradient_on(kind, verdict):
    run = Script()
    weight = run.variable("weight")
    reach = behind(run, run.op("Mean", run.op(kind, run.op("Square", run.read(weight)))))
    assert reached(reach, weight) == "cut"
    assert cut(run, reach, weight) == [(kind, verdict)]
    assert reach.cuts_beside([weight]) == (reach.cuts([weight]) if verdict == NONE else [])


def test_an_operation_beside_a_way_that_carries_the_gradient_is_no_cut_but_is_known():
    run = Script()
    weight = run.variable("weight")
    soft = run.op("Square", run.read(weight))
    reach = behind(run, run.op("AddV2", soft, run.op("Round", soft)))
    assert reached(reach, weight) == "yes"
    assert reach.cuts([weight]) == []
    assert [(edge.input.value, edge.verdict) for edge in reach.cuts_beside([weight])] == [(soft, NONE)]


def test_the_condition_of_a_where_is_a_place_where_a_gradient_stops_though_the_branch_carries_it():
    run = Script()
    weight = run.variable("weight")
    score = run.op("Square", run.read(weight))
    reach = behind(run, run.op("SelectV2", run.op("Greater", score), score, run.data()))
    assert reached(reach, weight) == "yes"
    assert cut(run, reach, weight) == [("SelectV2", NONE)]


@pytest.mark.parametrize("kind", ["Shape", "ZerosLike", "OnesLike", "Size"])
def test_only_the_shape_of_a_value_is_no_way_to_it(kind):
    run = Script()
    weight = run.variable("weight")
    loss = run.op("Mean", run.op("Mul", run.op(kind, run.read(weight)), run.data()))
    reach = behind(run, loss)
    assert reached(reach, weight) == "no"


def test_a_custom_gradient_hands_its_own_outputs_back_as_inputs_which_is_no_way():
    run = Script()
    source, made = run.data(), run.value()
    run.operation("CustomGradient", (source, made), (made,), flows=(FLOWS, FLOWS))
    flow = Flow(run.record)
    assert [edge.input.value for edge in flow.steps(Node(made), None, LATER)] == [source]


# --- functions --------------------------------------------------------------------------------------------------------


def test_a_function_called_on_real_and_on_fake_leads_back_to_what_this_call_was_given():
    run = Script()
    weight = run.variable("generator")
    with run.function("discriminator", 1) as graph:
        graph.outputs = (run.op("Square", graph.inputs[0]),)
    real, fake = run.data(), run.op("MatMul", run.noise(), run.read(weight))
    score_real, score_fake = run.call(graph, real), run.call(graph, fake)
    assert [reached(behind(run, score_real), value) for value in (real, fake, weight)] == ["yes", "no", "no"]
    assert [reached(behind(run, score_fake), value) for value in (real, fake, weight)] == ["no", "yes", "yes"]


def test_a_stopped_gradient_in_one_call_does_not_stop_it_in_the_other():
    run = Script()
    weight = run.variable("generator")
    with run.function("discriminator", 1) as graph:
        graph.outputs = (run.op("Square", graph.inputs[0]),)
    fake = run.op("MatMul", run.noise(), run.read(weight))
    detached = run.call(graph, run.op("StopGradient", fake))
    attached = run.call(graph, fake)
    assert cut(run, behind(run, detached), weight) == [("StopGradient", NONE)]
    assert reached(behind(run, attached), weight) == "yes"


def test_functions_in_functions_are_entered_and_left_again():
    run = Script()
    weight = run.variable("weight")
    with run.function("inner", 1) as inner:
        inner.outputs = (run.op("Square", inner.inputs[0]),)
    with run.function("outer", 1) as outer:
        outer.outputs = (run.call(inner, run.op("Neg", outer.inputs[0])),)
    loss = run.call(outer, run.op("MatMul", run.noise(), run.read(weight)))
    assert reached(behind(run, loss), weight) == "yes"


def test_a_captured_variable_is_reached_through_every_function_around():
    run = Script()
    weight = run.variable("weight")
    with run.function("outer") as outer:
        with run.function("inner") as inner:
            inner.outputs = (run.op("Mean", run.read(weight)),)
        outer.outputs = (run.call(inner),)
    reach = behind(run, run.call(outer))
    assert reached(reach, weight) == "yes"
    assert run.record.view().resolve(inner.captures[0][1]) == weight


def test_a_tape_follows_what_it_recorded_the_call_of_though_the_body_was_traced_before():
    run = Script()
    weight = run.variable("weight")
    with run.function("loss") as graph:
        graph.outputs = (run.op("Mean", run.read(weight)),)
    with run.tape() as tape:
        loss = run.call(graph)
    assert reached(behind(run, loss, tape), weight) == "yes"
    without = run.call(graph)
    assert cut(run, behind(run, without, tape), weight) == [("Call", UNRECORDED)]


@pytest.mark.parametrize(("handed_in", "expected"), [("argument", "cut"), ("captured", "cut"), ("noise", "yes")])
def test_a_tape_inside_a_function_sees_a_constant_in_what_comes_from_outside(handed_in, expected):
    run = Script()
    weight = run.variable("generator")
    fake = run.op("MatMul", run.noise(), run.read(weight))
    with run.function("step", 1) as graph, run.tape() as tape:
        own = run.op("MatMul", graph.inputs[0], run.read(weight))
        loss = run.op("Mean", {"argument": graph.inputs[0], "captured": fake, "noise": own}[handed_in])
    run.call(graph, fake if handed_in == "argument" else run.noise())
    reach = behind(run, loss, tape)
    assert reached(reach, weight) == expected
    assert [edge.verdict for edge in reach.cuts([weight])] == ([] if expected == "yes" else [ARGUMENT])


def test_a_cut_at_a_capture_is_told_as_the_operation_that_made_the_captured_value():
    run = Script()
    weight = run.variable("generator")
    fake = run.op("Tanh", run.read(weight))
    with run.function("step") as graph, run.tape() as tape:
        loss = run.op("Mean", fake)
    run.call(graph)
    assert cut(run, behind(run, loss, tape), weight) == [("Tanh", ARGUMENT)]


def test_a_variable_handed_into_a_function_as_an_argument_is_followed():
    run = Script()
    weight = run.variable("weight")
    with run.function("step", 1) as graph, run.tape() as tape:
        loss = run.op("Mean", run.op("ReadVariableOp", graph.inputs[0]))
    run.call(graph, weight)
    assert reached(behind(run, loss, tape), weight) == "yes"


# --- loops and branches -----------------------------------------------------------------------------------------------


def test_what_goes_round_in_a_loop_is_followed_from_one_round_to_the_next():
    run = Script()
    weight, start = run.variable("weight"), run.data()
    with run.function("body", 2) as body:
        first, second = body.inputs
        body.outputs = (run.op("MatMul", first, run.read(weight)), run.op("Neg", first))
        assert second  # what the second variable held before is not used
    _, result, *_ = run.loop(body, start, run.data())
    reach = behind(run, result)
    assert [reached(reach, value) for value in (weight, start)] == ["yes", "yes"]


def test_the_condition_of_a_loop_is_not_a_way_to_the_loss():
    run = Script()
    weight = run.variable("limit")
    with run.function("body", 2) as body:
        body.outputs = (run.op("AddV2", body.inputs[0]), body.inputs[1])
    result, limit = run.loop(body, run.data(), run.op("Square", run.read(weight)))
    assert reached(behind(run, result), weight) == "no"
    assert reached(behind(run, limit), weight) == "yes"


def test_both_branches_pass_gradients_and_the_decision_does_not():
    run = Script()
    decides, left, right = (run.variable(name) for name in ("decides", "left", "right"))
    with run.function("then", 2) as then:
        then.outputs = (run.op("Square", then.inputs[0]),)
    with run.function("otherwise", 2) as otherwise:
        otherwise.outputs = (run.op("Square", otherwise.inputs[1]),)
    decision = run.op("Greater", run.read(decides))
    reach = behind(run, run.branch(decision, then, otherwise, run.read(left), run.read(right)))
    assert [reached(reach, value) for value in (left, right, decides)] == ["yes", "yes", "cut"]
    assert cut(run, reach, decides) == [("If", NONE)]


def test_functions_that_call_each_other_without_end_are_left_after_a_while():
    run = Script()
    with run.function("again", 1) as graph:
        graph.outputs = (run.value(),)
        run.operation("Call", graph.inputs, graph.outputs, bodies=(graph.id,))
    reach = behind(run, run.call(graph, start := run.data()))
    assert reached(reach, start) == "yes"
