"""What was measured of a run, ordered by who is trained: losses, gradients, layers and scores of each player.

A player is one line of code at which gradients are taken for the variables of a network. What probes measured is brought
together over rounds, in which eager operations have other numbers each time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ganmedic.analysis.curve import Curve
from ganmedic.analysis.networks import Net
from ganmedic.analysis.run import Run
from ganmedic.record.record import Record
from ganmedic.record.schema import GradientCall, Measure, Operation, Optimizer, Origin, Probe, Profile, Summand
from ganmedic.record.series import Series

#: Operations that multiply with weights.
PRODUCTS = frozenset(
    {
        "MatMul",
        "BatchMatMulV2",
        "BatchMatMulV3",
        "Einsum",
        "Conv2D",
        "Conv2DBackpropInput",
        "Conv3D",
        "Conv3DBackpropInputV2",
        "DepthwiseConv2dNative",
    }
)
#: What a weight may pass on its way from the variable to the product.
_ON_THE_WAY = frozenset(
    {"Cast", "Identity", "Reshape", "Transpose", "ExpandDims", "Mul", "RealDiv", "Sub", "AddV2", "Call", "Capture"}
)

Floats = NDArray[np.float64]
Key = tuple[object, ...]


@dataclass
class Look:
    """One probe of a player.

    Attributes:
        measures: in the order of the forward pass.
    """

    probe: Probe
    call: GradientCall
    measures: list[Measure] = field(default_factory=list)
    summands: list[Summand] = field(default_factory=list)
    keys: dict[Key, Measure] = field(default_factory=dict)


@dataclass
class Score:
    """What a network with weights hands on to a loss, and how the loss answers to it.

    Attributes:
        fake: whether it depends on the generator.
        judges: whether it is a verdict, and not the output of a generator or a decoder that is held against data.
    """

    profile: Profile
    operation: Operation
    curve: Curve
    net: Net | None
    fake: bool
    key: Key
    judges: bool = True


@dataclass
class Layer:
    """One product with weights in one look, and the network and variable the weights are of."""

    measure: Measure
    operation: Operation
    net: Net
    variable: int

    @property
    def pull(self) -> float:
        """L2 norm of the gradient at its output; -1 where none arrives."""
        if self.measure.gradient < 0:
            return -1.0
        return self.measure.gradient * float(np.sqrt(np.prod(self.measure.shape)))


@dataclass
class Player:
    """A network that is trained, and what was measured of that.

    Attributes:
        series: what the meters measured at each gradient; ``applied`` of the gradients as the optimizer got them, where
            those are others.
        looks: the probes, first to last.
    """

    call: GradientCall
    net: Net
    series: Series
    applied: Series | None = None
    optimizer: Optimizer | None = None
    looks: list[Look] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)

    @property
    def last(self) -> Look | None:
        """The last probe."""
        return self.looks[-1] if self.looks else None

    def norms(self) -> Floats:
        """Global norm of the gradient at each kept step."""
        return global_norm(self.series)

    def losses(self) -> Floats:
        """The loss at each kept step."""
        table = self.series.loss().astype(np.float64)
        return table.sum(axis=1) if table.size else np.zeros(0)

    def movement(self) -> Floats:
        """How far each variable moves in a step, as a share of its size: array (steps - 1, variables)."""
        update, weight = self.series.of("update")[1:], self.series.of("weight")[1:]
        with np.errstate(all="ignore"):
            return np.where(weight > 0, update / np.where(weight > 0, weight, 1.0), np.nan).astype(np.float64)

    def measures_of(self, key: Key) -> list[Measure]:
        """The same value in all probes."""
        return [look.keys[key] for look in self.looks if key in look.keys]


class Vitals:
    """All players of a run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.record: Record = run.record
        #: The game between the players, worked out when first asked for.
        self.game: object = None

    @staticmethod
    def of(record: Record) -> Vitals:
        """The vitals of a record, made once."""
        run = Run.of(record)
        found = getattr(run, "vitals", None)
        if not isinstance(found, Vitals):
            found = Vitals(run)
            run.vitals = found
        return found

    @cached_property
    def players(self) -> list[Player]:
        """One a line of code and network, those with steps only."""
        found: dict[Key, Player] = {}
        for series in self.record.series.values():
            call = self.record.gradient_calls.get(series.call)
            if series.applied or call is None or not series.seen:
                continue
            nets = Counter(net.name for value in series.variables if (net := self.run.net_of.get(value)) is not None)
            if not nets:
                continue
            net = next(net for net in self.run.nets if net.name == nets.most_common(1)[0][0])
            player = Player(call, net, series, self._applied(series), self._optimizer(series))
            found.setdefault((_site(call), series.id), player)
        for player in found.values():
            self._add_looks(player)
        return list(found.values())

    @cached_property
    def looks_at_weights(self) -> list[Look]:
        """Every look, in order of time, for what was measured of weights."""
        return sorted((look for player in self.players for look in player.looks), key=lambda look: look.probe.id)

    def role(self, *roles: str) -> list[Player]:
        """The players of some roles."""
        return [player for player in self.players if player.net.role in roles]

    @cached_property
    def origins(self) -> list[Origin]:
        """Where values that are not finite were born, first to last."""
        return sorted(self.record.origins.values(), key=lambda row: row.id)

    def _applied(self, series: Series) -> Series | None:
        wanted = set(series.variables)
        fitting = [
            one for one in self.record.series.values() if one.applied and one.seen and wanted & set(one.variables)
        ]
        return max(fitting, key=lambda one: len(wanted & set(one.variables)), default=None)

    def _optimizer(self, series: Series) -> Optimizer | None:
        counts: Counter[int] = Counter()
        for variable in series.variables:
            counts.update(apply.optimizer for apply in self.run.applied.get(variable, ()))
        if not counts:
            return None
        number = counts.most_common(1)[0][0]
        outer = next((row for row in self.record.optimizers.values() if row.inner == number), None)
        return outer or self.record.optimizers.get(number)

    # --- looks --------------------------------------------------------------------------------------------------------

    def _add_looks(self, player: Player) -> None:
        site = _site(player.call)
        same = {call.id for call in self.record.gradient_calls.values() if _site(call) == site}
        looks = {
            probe.id: Look(probe, self.record.gradient_calls[probe.call])
            for probe in sorted(self.record.probes.values(), key=lambda row: (row.step, row.id))
            if probe.call in same
        }
        for measure in self.record.measures.values():
            if measure.probe in looks:
                looks[measure.probe].measures.append(measure)
        for summand in self.record.summands.values():
            if summand.probe in looks:
                looks[summand.probe].summands.append(summand)
        for look in looks.values():
            look.keys = self._keys(look.measures)
        player.looks = list(looks.values())
        told = set()
        for profile in self.record.profiles.values():
            operation = self.record.operations.get(profile.operation)
            if profile.call in same and operation is not None and profile.value not in told:
                told.add(profile.value)
                player.scores.append(self._score(profile, operation, player))

    def _keys(self, measures: list[Measure]) -> dict[Key, Measure]:
        """Measures by what stays the same from round to round: line, layer, kind, and the how manieth of these."""
        counts: Counter[Key] = Counter()
        found: dict[Key, Measure] = {}
        for measure in measures:
            base = self._key(measure)
            found[(*base, counts[base])] = measure
            counts[base] += 1
        return found

    def _key(self, measure: Measure) -> Key:
        operation = self.record.operations.get(measure.operation)
        if operation is None:
            return (measure.kind, (), None)
        call = self.record.layer_calls.get(operation.layer_call or 0)
        return (measure.kind, operation.stack, call.module if call is not None else None)

    def _score(self, profile: Profile, operation: Operation, player: Player) -> Score:
        reach = self.run.flow.behind_values((profile.value,), None, operation.id + 1)
        behind = {
            self.run.net_of[value].name: self.run.net_of[value] for value in reach.by_value if value in self.run.net_of
        }
        fake = any(net.role == "generator" for net in behind.values())
        judges = [net for net in behind.values() if net.role == "discriminator"]
        net = judges[0] if judges else next(iter(behind.values()), None)
        key = next((key for look in player.looks for key, one in look.keys.items() if one.value == profile.value), ())
        known = any(one.role == "discriminator" for one in self.run.nets)
        verdict = net is None or net.role == "discriminator" or (not known and net.role == "other")
        return Score(profile, operation, Curve.of(profile), net, fake, key, verdict)

    # --- layers -------------------------------------------------------------------------------------------------------

    def layers(self, look: Look) -> list[Layer]:
        """The products with weights in a look, in the order of the forward pass."""
        found = []
        for measure in look.measures:
            operation = self.record.operations.get(measure.operation)
            if operation is None or operation.kind not in PRODUCTS or operation.gradient_call is not None:
                continue
            variable = self.weight_of(operation)
            net = self.run.net_of.get(variable) if variable is not None else None
            if variable is not None and net is not None:
                found.append(Layer(measure, operation, net, variable))
        return found

    def weight_of(self, operation: Operation) -> int | None:
        """The variable that an operation multiplies with."""
        for value in operation.inputs[::-1]:
            found = self._variable_behind(value, 6)
            if found is not None:
                return found
        return None

    def _variable_behind(self, value: int, depth: int) -> int | None:
        value = self.record.resolve(value)
        made = self.record.producers.get(value)
        if value in self.record.variables:
            return value
        if made is None or depth == 0:
            return None
        operation = made[0]
        if operation.kind == "ReadVariableOp":
            number = self.record.resolve(operation.inputs[0])
            return number if number in self.run.net_of else None
        if operation.kind not in _ON_THE_WAY or (operation.layer_call is None and operation.kind in ("AddV2", "Sub")):
            return None
        found = [self._variable_behind(one, depth - 1) for one in operation.inputs]
        if any(one is None and not self._is_plain(value) for one, value in zip(found, operation.inputs, strict=True)):
            return None
        return next((one for one in found if one is not None), None)

    def _is_plain(self, value: int) -> bool:
        """Whether a value is a small constant, a shape or the like."""
        made = self.record.producers.get(value)
        return made is None or made[0].kind in ("Const", "Shape", "Pack", "StridedSlice", "Cast", "Sqrt", "Rsqrt")

    # --- the way from a score to the loss -----------------------------------------------------------------------------

    def tail(self, score: Score) -> list[Operation]:
        """The operations between a score and the loss, in order."""
        call = self.record.gradient_calls[score.profile.call]
        reach = self.run.flow.behind(call)
        found: dict[int, Operation] = {}
        queue, seen = [score.profile.value], {score.profile.value}
        while queue:
            value = queue.pop()
            for operation, _ in self.record.consumers.get(value, ()):
                if operation.id > call.id or operation.gradient_call is not None or operation.apply is not None:
                    continue
                reached = [one for one in operation.outputs if one in reach.by_value]
                if reached:
                    found[operation.id] = operation
                queue.extend(one for one in reached if one not in seen)
                seen.update(reached)
        return [found[number] for number in sorted(found)]


def global_norm(series: Series) -> Floats:
    """The norm of all gradients of a series together, at each kept step."""
    found: Floats = np.sqrt(np.square(series.of("norm").astype(np.float64)).sum(axis=1))
    return found


def _site(call: GradientCall) -> Key:
    return (call.stack, call.graph, call.sources)
