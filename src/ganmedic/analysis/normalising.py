"""The layers of batch normalisation, and what they work with under the tapes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ganmedic.analysis.game import Game
from ganmedic.analysis.networks import Net
from ganmedic.analysis.story import innermost
from ganmedic.analysis.vitals import Player
from ganmedic.record.schema import LayerCall, Module, Operation, Place

_FUSED = frozenset({"FusedBatchNormV3", "FusedBatchNormV2", "FusedBatchNorm"})
#: What takes the statistics of a batch.
_STATISTICS = frozenset({"Mean", "SquaredDifference", "Sum"})


@dataclass(frozen=True)
class Normaliser:
    """One layer of batch normalisation in the forward pass of one player.

    Attributes:
        trains_on_batch: whether it takes the statistics of the batch.
        entries: so many entries go into each statistic, 0 where that is not known.
        mixed: whether real and generated samples are in the batch.
        untouched: whether its moving statistics are what they were made with.
        learns: whether it has a scale or an offset that is trained.
        place: where it was made; ``call_place``: where its network is called.
    """

    name: str
    net: Net
    trains_on_batch: bool
    entries: int
    mixed: bool
    untouched: bool
    learns: bool
    place: Place | None
    call_place: Place | None


def normalisers(game: Game, player: Player) -> list[Normaliser]:
    """The layers of batch normalisation that a player's loss went through at its last look, in order."""
    look = player.last
    if look is None:
        return []
    record = game.record
    inside = {one.operation for one in look.measures}
    found = []
    for call in record.layer_calls.values():
        module = record.modules.get(call.module)
        if module is None or module.kind != "BatchNormalization" or call.graph != player.call.graph:
            continue
        operations = [one for one in game.operations_of.get(call.id, ()) if one.gradient_call is None]
        if not any(one.id in inside for one in operations):
            continue
        row = _normaliser(game, module, call, operations)
        if row is not None:
            found.append(row)
    return found


def _normaliser(game: Game, module: Module, call: LayerCall, operations: list[Operation]) -> Normaliser | None:
    net = next((game.run.net_of[one] for one in module.variables if one in game.run.net_of), None)
    if net is None:
        return None
    kinds = {one.kind for one in operations}
    # In training the moving statistics are written.
    trains = bool(kinds & _STATISTICS) or any(one.kind.startswith("Assign") for one in operations)
    fused = next((one for one in operations if one.kind in _FUSED), None)
    if fused is not None:
        trains = any(one.kind.startswith("Assign") for one in operations)
    value = call.inputs[0] if call.inputs else 0
    shape = _shape(game, call, operations)
    entries = 1
    for length in shape[:-1]:
        entries *= length
    return Normaliser(
        name=module.name,
        net=net,
        trains_on_batch=trains,
        entries=entries if shape else 0,
        mixed=_mixed(game, value),
        untouched=_untouched(game, operations),
        learns=bool(module.trainable and module.trainable_variables),
        place=innermost(module.stack),
        call_place=_network_call(game, call),
    )


def _shape(game: Game, call: LayerCall, operations: list[Operation]) -> tuple[int, ...]:
    """Shape of what is normalised: of the input or the output as they were measured, else of the largest static one; 0 is unknown."""
    for value in (*call.inputs[:1], *call.outputs[:1]):
        rows = [one for one in game.record.measures.values() if one.value == value]
        if rows:
            return tuple(rows[-1].shape)
    # Beside the result, which has the shape of the input, there are sums of one number a channel.
    static = [one.shapes[0] for one in operations if one.kind in {"AddV2", *_FUSED} and one.shapes and one.shapes[0]]
    known = [tuple(length or 0 for length in shape) for shape in static]
    return max(known, key=lambda shape: (0 in shape, math.prod(shape), len(shape)), default=())


def _mixed(game: Game, value: int) -> bool:
    """Whether a batch was put together of samples that a generator made and others."""
    behind = game.behind(value)
    for one in behind:
        made = game.record.producers.get(one)
        if made is None or made[0].kind != "ConcatV2" or not made[0].shapes or not made[0].shapes[0]:
            continue
        if len(made[0].inputs) < 3 or not _along_samples(game, made[0]):
            continue
        kinds = {game.is_made(part) for part in made[0].inputs[:-1]}
        if kinds == {True, False}:
            return True
    return any(0 < len(row.made) < len(row.digests) for row in game.record.batches.values() if row.value in behind)


def _along_samples(game: Game, operation: Operation) -> bool:
    """Whether samples are put one after the other, not channels side by side."""
    sizes = [row.shape for value in (*operation.inputs[:-1], operation.outputs[0]) for row in game.rows_of(value)[:1]]
    if len(sizes) < len(operation.inputs):
        return False
    return sizes[-1][0] == sum(one[0] for one in sizes[:-1])


def _untouched(game: Game, operations: list[Operation]) -> bool:
    """Whether the moving statistics that were read are all zero and all one."""
    read = {game.record.resolve(one.inputs[0]) for one in operations if one.kind == "ReadVariableOp"}
    rows = [one for one in game.record.measures.values() if one.kind == "Variable" and one.value in read]
    trained = {value for net in game.run.nets for value in net.variables}
    last = {one.value: one for one in rows if one.value not in trained}
    return bool(last) and all(one.spread == 0 and one.mean in (0.0, 1.0) for one in last.values())


def _network_call(game: Game, call: LayerCall) -> Place | None:
    """The user's line on which the outermost network is called."""
    while call.parent is not None and call.parent in game.record.layer_calls:
        call = game.record.layer_calls[call.parent]
    return innermost(call.stack)
