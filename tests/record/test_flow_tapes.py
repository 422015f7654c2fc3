"""What a tape did not record or did not watch, what went through a variable, and the walks that explain a cut."""

from __future__ import annotations

import pytest

from ganmedic.record.flow import STATE, UNRECORDED, UNWATCHED, Flow, Node
from record.building import Script
from record.reaching import LATER, behind, cut, reached

# --- the tape ---------------------------------------------------------------------------------------------------------


def test_what_ran_before_or_after_or_in_a_pause_of_the_tape_is_a_cut():
    run = Script()
    before, during, paused, after = (run.variable(name) for name in ("before", "during", "paused", "after"))
    early = run.op("Square", run.read(before))
    with run.tape() as tape:
        inside = run.op("Square", run.read(during))
        with run.stop_recording(tape):
            resting = run.op("Square", run.read(paused))
        recorded = run.op("AddN", early, inside, resting)
    late = run.op("Square", run.read(after))
    reach = behind(run, recorded, tape)
    assert [reached(reach, value) for value in (before, during, paused)] == ["cut", "yes", "cut"]
    assert [verdict for _, verdict in cut(run, reach, before) + cut(run, reach, paused)] == [UNRECORDED] * 2
    assert cut(run, behind(run, late, tape), after) == [("Square", UNRECORDED)]
    assert reached(behind(run, late), after) == "yes"


@pytest.mark.parametrize("depth", [1, 2])
def test_a_value_made_before_the_tape_and_captured_by_the_function_that_is_called_is_a_cut(depth):
    run = Script()
    weight = run.variable("generator")
    fake = run.op("Square", run.read(weight))
    with run.function("loss") as graph:
        graph.outputs = (run.op("Mean", fake),)
    if depth == 2:
        inner = graph
        with run.function("outer") as graph:
            graph.outputs = (run.call(inner),)
    with run.tape() as tape:
        loss = run.call(graph)
    assert cut(run, behind(run, loss, tape), weight) == [("Square", UNRECORDED)]


@pytest.mark.parametrize(
    ("watch_accessed", "watched", "trainable", "expected"),
    [
        (True, "never", True, "yes"),
        (True, "never", False, "cut"),
        (True, "before", False, "yes"),
        (False, "never", True, "cut"),
        (False, "before", True, "yes"),
        (False, "after", True, "cut"),
    ],
)
def test_a_tape_watches_trainable_variables_by_itself_and_others_from_watch_on(
    watch_accessed, watched, trainable, expected
):
    run = Script()
    weight = run.variable("weight", trainable=trainable)
    with run.tape(watch_accessed=watch_accessed) as tape:
        if watched == "before":
            run.watch(tape, weight)
        loss = run.op("Mean", run.read(weight))
        if watched == "after":
            run.watch(tape, weight)
    reach = behind(run, loss, tape)
    assert reached(reach, weight) == expected
    assert cut(run, reach, weight) == ([] if expected == "yes" else [("ReadVariableOp", UNWATCHED)])


def test_a_captured_variable_is_watched_under_its_own_name():
    run = Script()
    weight = run.variable("weight")
    with run.function("step") as graph, run.tape(watch_accessed=False) as tape:
        run.watch(tape, weight)
        loss = run.op("Mean", run.read(weight))
    run.call(graph)
    assert reached(behind(run, loss, tape), weight) == "yes"


# --- values that went through a variable --------------------------------------------------------------------------------


def test_a_value_written_into_a_variable_is_found_behind_it_and_cut():
    run = Script("buffer.assign(fake)")
    weight, buffer = run.variable("weight"), run.variable("buffer")
    with run.tape() as tape:
        run.at("assign").assign(buffer, run.op("Square", run.read(weight)))
        loss = run.op("Mean", run.read(buffer))
    reach = behind(run, loss, tape)
    assert reached(reach, weight) == "cut"
    assert cut(run, reach, weight) == [("AssignVariableOp", STATE)]


@pytest.mark.parametrize("why", ["later", "by the optimizer", "by a layer of Keras", "not by the script"])
def test_a_write_that_this_loss_cannot_have_read_or_that_is_no_user_code_is_no_way(why):
    run = Script("x = layer(x)")
    weight, state = run.variable("weight"), run.variable("state")
    norm = run.layer("norm", kind="BatchNormalization")
    with run.at("layer(x)").tape() as tape:
        value = run.op("Square", run.read(weight))
        if why == "by the optimizer":
            run.assign(state, value, "AssignSubVariableOp", apply=run.now())
        elif why == "by a layer of Keras":
            with norm.calling():
                run.assign(state, value)
        elif why == "not by the script":
            run.assign(state, value, stack=())
        loss = run.op("Mean", run.read(state))
        before = run.now()
        if why == "later":
            run.assign(state, value)
    assert reached(behind(run, loss, tape, before), weight) == "no"


def test_a_write_in_a_layer_of_the_users_own_is_user_code():
    run = Script("self.state.assign(x)")
    weight, state = run.variable("weight"), run.variable("state")
    with run.at("assign").layer("memory", kind="Memory", custom=True).calling():
        run.assign(state, run.op("Square", run.read(weight)))
    assert cut(run, behind(run, run.op("Mean", run.read(state))), weight) == [("AssignVariableOp", STATE)]


# --- walks --------------------------------------------------------------------------------------------------------------


def test_entry_walks_from_the_one_hot_to_the_argmax_where_the_way_enters_the_cut():
    run = Script()
    weight = run.variable("weight")
    logits = run.op("MatMul", run.noise(), run.read(weight))
    tokens = run.op("Cast", run.op("ArgMax", logits), flows=("none",))
    loss = run.op("Mean", run.op("OneHot", tokens))
    reach, flow = behind(run, loss), Flow(run.record.view())
    (start,) = reach.cuts([weight])
    chain = flow.entry(reach, start, [weight])
    assert [flow.operation(edge).kind for edge in chain] == ["OneHot", "Cast", "ArgMax"]
    assert chain[-1].input.value == logits


def test_entry_stays_at_a_cut_of_another_reason():
    run = Script()
    weight = run.variable("weight")
    loss = run.op("Mean", run.op("Sign", run.op("Sign", run.read(weight))))
    reach, flow = behind(run, loss), Flow(run.record.view())
    assert len(flow.entry(reach, reach.cuts([weight])[0], [weight])) == 1


def test_path_is_the_shortest_chain_and_keeps_to_the_nodes_it_may_use():
    run = Script()
    start = run.data()
    short = run.op("Neg", start)
    detour = run.op("Square", run.op("Exp", start))
    reach, flow = behind(run, run.op("AddV2", detour, short)), Flow(run.record)
    kinds = [flow.operation(edge).kind for edge in flow.path(reach, reach.targets, Node(start))]
    assert kinds == ["AddV2", "Neg"]
    within = {node for node in reach.edges if node.value != short}
    kinds = [flow.operation(edge).kind for edge in flow.path(reach, reach.targets, Node(start), within)]
    assert kinds == ["AddV2", "Square", "Exp"]
    assert flow.path(reach, [Node(start)], Node(short)) == []


def test_forward_is_all_that_depends_on_a_value_into_functions_and_out_again():
    run = Script()
    value, other = run.data(), run.data()
    with run.function("double", 1) as graph:
        inside = run.op("AddV2", graph.inputs[0], other)
        graph.outputs = (inside,)
    result = run.call(graph, value)
    after = run.op("Square", result)
    found = Flow(run.record).forward([value], LATER)
    assert {value, graph.inputs[0], inside, result, after} <= found
    assert other not in found
    assert {inside, result, after} <= Flow(run.record).forward([other], LATER)


def test_forward_ends_at_shapes_at_optimizers_and_at_the_time_it_is_asked_for():
    run = Script()
    value = run.data()
    shape = run.op("Shape", value, dtype="int32")
    update = run.op("Mul", value, apply=run.now())
    before = run.now()
    later = run.op("Square", value)
    assert Flow(run.record).forward([value], before) == {value}
    assert Flow(run.record).forward([value], LATER) == {value, later}
    assert not {shape, update} & Flow(run.record).forward([value], LATER)


def test_forward_goes_into_both_branches_of_a_condition_beside_the_decision():
    run = Script()
    value = run.data()
    with run.function("then", 1) as then:
        then.outputs = (run.op("Square", then.inputs[0]),)
    with run.function("otherwise", 1) as otherwise:
        otherwise.outputs = (run.op("Neg", otherwise.inputs[0]),)
    result = run.branch(run.data("bool"), then, otherwise, value)
    assert {*then.outputs, *otherwise.outputs, result} <= Flow(run.record).forward([value], LATER)
