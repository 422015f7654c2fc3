"""What keeps a critic's slope in bounds: clipped weights, a gradient penalty, normalised weights."""

from __future__ import annotations

from dataclasses import dataclass

from ganmedic.analysis.networks import RANDOM, Net
from ganmedic.analysis.vitals import Player, Vitals
from ganmedic.record.schema import GradientCall, Operation

_CLIPS = frozenset({"ClipByValue", "Minimum", "Maximum"})
_ON_THE_WAY = frozenset({"Identity", "Cast", "Mul", "RealDiv", "Call", "Reshape"})


@dataclass(frozen=True)
class Penalty:
    """A gradient taken inside a loss, with respect to what a network is given.

    Attributes:
        inner: the call that takes it; ``value`` the gradient's value id, ``source`` what it is taken with respect to.
        reaches: whether the outer tape follows it, so that it trains the network.
    """

    inner: GradientCall
    value: int
    source: int
    reaches: bool


def weight_clip(vitals: Vitals, net: Net) -> Operation | None:
    """The operation that clips a network's weights before they are assigned, ``None`` where nothing does."""
    for variable in net.variables:
        for operation in _assigns(vitals, variable):
            found = _behind(vitals, operation.inputs[-1], _CLIPS, 6)
            if found is not None and _reads(vitals, found, variable):
                return found
    return None


def _assigns(vitals: Vitals, variable: int) -> list[Operation]:
    return [one for one in vitals.record.assigns.get(variable, []) if one.kind == "AssignVariableOp"]


def _behind(vitals: Vitals, value: int, kinds: frozenset[str], depth: int) -> Operation | None:
    made = vitals.record.producers.get(vitals.record.resolve(value))
    if made is None or depth == 0:
        return None
    if made[0].kind in kinds:
        return made[0]
    if made[0].kind not in _ON_THE_WAY:
        return None
    return next((one for source in made[0].inputs if (one := _behind(vitals, source, kinds, depth - 1))), None)


def _reads(vitals: Vitals, operation: Operation, variable: int) -> bool:
    reach = vitals.run.flow.behind_values(operation.inputs[:1], None, operation.id)
    return variable in reach.by_value


def normalised(vitals: Vitals, net: Net) -> bool:
    """Whether a network's weights are divided by something before they are multiplied with, or kept so by a layer."""
    for variable in net.variables:
        for operation in _assigns(vitals, variable):
            own = vitals.record.layer_calls.get(operation.layer_call or 0)
            reach = vitals.run.flow.behind_values(operation.inputs[-1:], None, operation.id)
            if variable in reach.by_value and (own is not None or operation.apply is not None):
                made = vitals.record.producers.get(operation.inputs[-1])
                if made is not None and (own is not None or made[0].kind in ("Mul", "RealDiv", "Reshape", "DivNoNan")):
                    return True
    return _divided(vitals, net)


def _divided(vitals: Vitals, net: Net) -> bool:
    for player in vitals.players:
        for look in player.looks[:1]:
            for layer in vitals.layers(look):
                if layer.net is not net:
                    continue
                for value in layer.operation.inputs:
                    if _behind(vitals, value, frozenset({"RealDiv", "Mul"}), 3) is not None and _reads(
                        vitals, layer.operation, layer.variable
                    ):
                        made = vitals.record.producers.get(value)
                        if made is not None and _weights_only(vitals, value):
                            return True
    return False


def decayed(vitals: Vitals, net: Net) -> bool:
    """Whether a term of a loss is made of a network's weights alone: what pulls them back to zero."""
    for player in vitals.players:
        if player.net is net:
            for look in player.looks[:1]:
                if any(_weights_only(vitals, term.value) for term in look.summands):
                    return True
    return False


def _is_data(vitals: Vitals, value: int) -> bool:
    """Whether a value was drawn at random or came from outside."""
    record = vitals.record
    made = record.producers.get(record.resolve(value))
    if made is None:
        return any(row.value == value and row.place == "given" and row.shape[0] > 1 for row in record.batches.values())
    return bool(RANDOM.search(made[0].kind))


def _weights_only(vitals: Vitals, value: int) -> bool:
    """Whether nothing but weights and constants goes into a value."""
    reach = vitals.run.flow.behind_values((value,), None, 1 << 62)
    leaves = [
        made[0]
        for node in reach.by_value
        if (made := vitals.record.producers.get(node)) is not None and not made[0].inputs
    ]
    known = any(node in vitals.run.net_of for node in reach.by_value)
    if any(_is_data(vitals, node) for node in reach.by_value):
        return False
    return (
        known
        and all(one.kind in ("Const", "VarHandleOp") for one in leaves)
        and not any(
            node in vitals.record.graph_inputs and vitals.record.resolve(node) == node for node in reach.by_value
        )
    )


def set_from_outside(vitals: Vitals, net: Net) -> bool:
    """Whether a program writes a network's weights itself (``set_weights`` with clipped arrays)."""
    wanted = set(net.variables)
    return any(module.loaded and wanted & set(module.variables) for module in vitals.record.modules.values())


def penalties(vitals: Vitals, player: Player) -> list[Penalty]:
    """The gradients that a player's loss is made of."""
    record, found = vitals.record, []
    reach = vitals.run.flow.behind(player.call)
    for inner in record.gradient_calls.values():
        if inner.id >= player.call.id or inner.error:
            continue
        for source, value in zip(inner.sources, inner.values, strict=False):
            if value is None or source in record.variables or value not in reach.by_value:
                continue
            nodes = reach.by_value[value]
            found.append(Penalty(inner, value, source, any(node in reach.differentiable for node in nodes)))
    return found
