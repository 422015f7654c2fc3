"""Which networks a run has, which part each plays, and who reads whose output.

Names decide nothing. A network is a set of variables that the program uses as one thing: a model that it calls, trains or
asks for its variables. Its part follows from the flow of data: what reads another network's output as well as data, and is
read by nobody, judges; what is read by a judge generates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ganmedic.analysis.source import argument, assigned_name, call_named, text_of
from ganmedic.record.flow import Flow, Node
from ganmedic.record.record import Record
from ganmedic.record.schema import GradientCall, LayerCall, Module, Operation

#: Operations that draw random numbers: where the noise comes from.
RANDOM = re.compile(r"(Random|Multinomial|TruncatedNormal|ParameterizedTruncatedNormal)")
#: Names that Keras hands out by itself say nothing.
_AUTOMATIC = re.compile(r"^(sequential|functional|model|layer|dense|module)(_\d+)?$")
#: So many calls of a network are looked at to see what it reads.
_CALLS = 16
_CALLS_OF_A_LINE = 3


@dataclass
class Net:
    """One network.

    Attributes:
        variables: value ids of its variables that are meant to be trained.
        module: the module that holds them, ``None`` for variables without one.
        reads: names of the networks whose output it reads; ``mixed`` whether it also reads something else.
    """

    name: str
    variables: tuple[int, ...]
    module: Module | None = None
    role: str = "other"
    reads: set[str] = field(default_factory=set)
    read_by: set[str] = field(default_factory=set)
    mixed: bool = False
    noise: bool = False
    whole: tuple[int, ...] = ()


def find_networks(record: Record, flow: Flow) -> list[Net]:
    """The networks of a run, with their parts."""
    nets = _partition(record)
    _name(record, nets)
    _connect(record, flow, nets)
    _cast(nets)
    return nets


def _partition(record: Record) -> list[Net]:
    asked = {
        read.module
        for read in record.list_reads.values()
        if read.attribute in ("trainable_variables", "trainable_weights")
    }
    trained = {call.module for call in record.train_calls.values()}
    candidates = [
        module
        for module in record.modules.values()
        if module.variables and (module.used or module.id in asked or module.id in trained) and not _is_leaf(module)
    ]
    candidates.sort(key=lambda module: (len(module.variables), not module.model))
    taken: dict[int, Net] = {}
    nets: list[Net] = []
    for module in candidates:
        own = tuple(variable for variable in module.variables if variable not in taken)
        if own:
            holder = module if len(own) == len(module.variables) else _smallest_holder(record, own, module)
            net = Net("", own, holder, whole=module.variables)
            nets.append(net)
            taken.update(dict.fromkeys(own, net))
    nets.extend(_untracked(record, taken))
    nets.extend(_unlisted(record, taken))
    nets.extend(_loose(record, taken))
    return nets


def _untracked(record: Record, taken: dict[int, Net]) -> list[Net]:
    """Layers that work inside a network without belonging to it (kept in a plain object, made anew at each call)."""
    groups: dict[str, list[int]] = {}
    holders: dict[str, Module] = {}
    for module in sorted(record.modules.values(), key=lambda one: len(one.variables)):
        inner = next((call for call in record.module_calls(module.id) if call.parent is not None), None)
        own = [variable for variable in module.variables if variable not in taken]
        if inner is None or not own or any(variable in found for found in groups.values() for variable in own):
            continue
        root = inner
        while root.parent is not None and root.parent in record.layer_calls:
            root = record.layer_calls[root.parent]
        name = f"untracked layers of {record.modules[root.module].name}"
        groups.setdefault(name, []).extend(own)
        holders.setdefault(name, module)
    nets = []
    for name, variables in groups.items():
        net = Net(name, tuple(variables), holders[name], whole=tuple(variables))
        nets.append(net)
        taken.update(dict.fromkeys(variables, net))
    return nets


def _unlisted(record: Record, taken: dict[int, Net]) -> list[Net]:
    """Variables made inside a module that does not track them: a ``tf.Variable`` set on a Keras layer."""
    listed = {value for call in record.gradient_calls.values() for value in call.sources}
    listed |= {value for apply in record.applies.values() for value in apply.variables}
    groups: dict[int, list[int]] = {}
    for variable in record.variables.values():
        free = variable.id not in taken and variable.id not in listed and variable.id not in record.owners
        if not free or not variable.trainable or not variable.dtype.startswith(("float", "bfloat")):
            continue
        reads = [
            read
            for handle in [variable.id, *_captured(record, variable.id)]
            for read, _ in record.consumers.get(handle, ())
            if read.layer_call is not None and read.tapes and read.apply is None
        ]
        call = record.layer_calls.get(reads[0].layer_call or 0) if reads else None
        if call is not None and record.modules[call.module].custom:
            groups.setdefault(call.module, []).append(variable.id)
    nets = []
    for module, variables in groups.items():
        net = Net(f"untracked layers of {record.modules[module].name}", tuple(variables), None, whole=tuple(variables))
        nets.append(net)
        taken.update(dict.fromkeys(variables, net))
    return nets


def _is_leaf(module: Module) -> bool:
    """A single layer of Keras used by itself is part of a network that the user keeps together in another way."""
    return not module.model and not module.custom and not module.parts


def _smallest_holder(record: Record, variables: tuple[int, ...], default: Module) -> Module:
    wanted = set(variables)
    fitting = [module for module in record.modules.values() if wanted <= set(module.variables)]
    return min(fitting, key=lambda module: len(module.variables), default=default)


def _loose(record: Record, taken: dict[int, Net]) -> list[Net]:
    """Variables in no module, kept together by the gradient calls that ask for them."""
    groups: dict[tuple[object, ...], list[int]] = {}
    asked: dict[int, set[object]] = {}
    for call in record.gradient_calls.values():
        for variable in call.sources:
            if variable in record.variables and variable not in taken and not _is_passing(record, variable, call):
                asked.setdefault(variable, set()).add((call.stack, len(call.sources)))
    for apply in record.applies.values():
        for variable in apply.variables:
            if variable in record.variables and variable not in taken:
                asked.setdefault(variable, set())
    for variable, sites in asked.items():
        groups.setdefault(tuple(sorted(sites, key=str)), []).append(variable)
    return [
        Net(_expression(record, key), tuple(variables), None, whole=tuple(variables))
        for key, variables in groups.items()
    ]


def _is_passing(record: Record, variable: int, call: GradientCall) -> bool:
    """A variable made inside the tape, or gone again without an update, is an input to differentiate by, no weight."""
    row = record.variables[variable]
    tape = record.tapes.get(call.tape)
    made_inside = tape is not None and row.seen > tape.id
    return made_inside or (row.dead and not any(variable in apply.variables for apply in record.applies.values()))


def _expression(record: Record, key: tuple[object, ...]) -> str:
    """What the user calls a list of variables: the second argument of ``tape.gradient``."""
    for stack, _ in key:  # type: ignore[misc]
        if stack:  # type: ignore[has-type]
            call = call_named(record, stack[-1], "gradient", "jacobian")  # type: ignore[has-type]
            text = text_of(argument(call, 1, "sources"))
            if text and len(text) <= 40:
                return text.removeprefix("self.")
    return ""


def _name(record: Record, nets: list[Net]) -> None:
    used: set[str] = set()
    for net in nets:
        module = net.module
        if module is not None and not net.name:
            automatic = not module.name or bool(_AUTOMATIC.match(module.name)) or module.name == _snake(module.kind)
            given = assigned_name(record, module.stack) if automatic else ""
            net.name = given or module.name or module.kind
        net.name = net.name or "variables"
        base, number = net.name, 2
        while net.name in used:
            net.name = f"{base}_{number}"
            number += 1
        used.add(net.name)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


# --- who reads whom -------------------------------------------------------------------------------------------------


def _connect(record: Record, flow: Flow, nets: list[Net]) -> None:
    owner = {variable: net for net in nets for variable in net.variables}
    for net in nets:
        pure = False
        for values, before in _inputs(record, net):
            reach = flow.behind_values(values, None, before)
            found = {owner[value].name for value in reach.by_value if value in owner} - {net.name}
            net.reads |= found
            pure = pure or not found
            net.noise = net.noise or _draws_noise(record, reach.edges)
        net.mixed = pure
    by_name = {net.name: net for net in nets}
    for net in nets:
        for name in net.reads:
            by_name[name].read_by.add(net.name)


def _inputs(record: Record, net: Net) -> list[tuple[tuple[int, ...], int]]:
    """The values that a network was given, call by call."""
    calls = _calls(record, net)
    if calls:
        return [(call.inputs, call.id) for call in calls if call.inputs]
    reading = _readers(record, net)
    values = {
        value
        for operation in reading
        for value, dtype in zip(operation.inputs, operation.input_types, strict=False)
        if dtype != "resource" and not _comes_from(record, value, net)
    }
    return [((value,), reading[-1].id + 1) for value in sorted(values)[: 2 * _CALLS]]


def _calls(record: Record, net: Net) -> list[LayerCall]:
    if net.module is None:
        return []
    distinct: dict[tuple[object, ...], list[LayerCall]] = {}
    for call in record.module_calls(net.module.id):
        same_line = distinct.setdefault((call.stack, call.graph, call.parent is None), [])
        if len(same_line) < _CALLS_OF_A_LINE:
            same_line.append(call)
    return [call for same_line in distinct.values() for call in same_line][:_CALLS]


def _readers(record: Record, net: Net) -> list[Operation]:
    """The operations that compute with a network's variables in a forward pass."""
    found: dict[int, Operation] = {}
    handles = [*net.variables, *(inner for variable in net.variables for inner in _captured(record, variable))]
    for handle in handles:
        for read, _ in record.consumers.get(handle, ()):
            if read.bodies or read.apply is not None or read.gradient_call is not None:
                continue
            for value in read.outputs:
                for user, _ in record.consumers.get(value, ()):
                    if user.apply is None and user.gradient_call is None:
                        found[user.id] = user
    return [found[number] for number in sorted(found)]


def _captured(record: Record, value: int) -> list[int]:
    found, queue = [], [value]
    while queue:
        for inner in record.inside.get(queue.pop(), ()):
            found.append(inner)
            queue.append(inner)
    return found


def _comes_from(record: Record, value: int, net: Net) -> bool:
    made = record.producers.get(value)
    return made is not None and any(record.resolve(source) in net.variables for source in made[0].inputs)


def _draws_noise(record: Record, edges: Iterable[Node]) -> bool:
    return any(
        (made := record.producers.get(node.value)) is not None and bool(RANDOM.search(made[0].kind)) for node in edges
    )


# --- who plays what -------------------------------------------------------------------------------------------------


def _cast(nets: list[Net]) -> None:
    judges = [net for net in nets if net.reads and not net.read_by]
    for net in judges:
        net.role = "discriminator"
    if not judges and len(nets) == 2:
        _guess(nets)
        return
    names = {net.name for net in judges}
    for net in nets:
        if net.role == "other" and net.read_by:
            read_by_judge = bool(net.read_by & names)
            feeds_others = bool(net.read_by - names)
            net.role = "generator" if read_by_judge and (net.noise or net.reads or not feeds_others) else "encoder"


def _guess(nets: list[Net]) -> None:
    """Two networks that nothing connects (the value left TensorFlow in between): the one fed with noise generates."""
    noisy = [net for net in nets if net.noise]
    if len(noisy) == 1:
        noisy[0].role = "generator"
        next(net for net in nets if net is not noisy[0]).role = "discriminator"
