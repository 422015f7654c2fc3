"""A run as the causes see it: networks, what became of each variable, and every gap in its gradients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ganmedic.analysis.networks import Net, find_networks
from ganmedic.record.flow import READS, Edge, Flow, Node, Reach
from ganmedic.record.record import Record
from ganmedic.record.schema import FLOWS, ZERO, Apply, GradientCall, ListRead, Module, Place, Stack


@dataclass(frozen=True)
class Gap:
    """Sources of one gradient call that got no gradient (or zeros by definition), for one and the same reason.

    Attributes:
        call: the gradient call.
        net: the network the variables belong to; ``None`` where a gradient was asked for a plain tensor.
        values: value ids of the sources.
        chain: the cut, and what follows it towards the variables; empty where no way leads to them at all.
        failed: whether the call raised instead of answering.
        blind: whether the operations before the call were not recorded, so that only other facts can tell the reason.
    """

    call: GradientCall
    net: Net | None
    values: tuple[int, ...]
    chain: tuple[Edge, ...] = ()
    failed: bool = False
    blind: bool = False

    @property
    def absent(self) -> bool:
        """Whether no way at all leads from the loss to the variables."""
        return not self.chain


@dataclass(frozen=True)
class Term:
    """One term of a summed loss that no gradient passes.

    Attributes:
        node: the value of the term.
        between: whether the term passes through another network, as an adversarial term does.
        chain: where it is cut; empty where the term is a plain number that came from outside TensorFlow.
    """

    call: GradientCall
    node: Node
    values: tuple[int, ...]
    chain: tuple[Edge, ...] = ()
    between: bool = False


class Run:
    """Look-ups over one record, made once and shared by all causes."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.flow = Flow(record)
        #: What was measured, worked out when first asked for.
        self.vitals: object = None

    @staticmethod
    def of(record: Record) -> Run:
        """The run of a record."""
        if not isinstance(record.worked_out, Run):
            record.worked_out = Run(record)
        return record.worked_out

    # --- networks -----------------------------------------------------------------------------------------------------

    @cached_property
    def nets(self) -> list[Net]:
        """The networks."""
        return find_networks(self.record, self.flow)

    @cached_property
    def net_of(self) -> dict[int, Net]:
        """Variable id -> its network."""
        return {variable: net for net in self.nets for variable in net.variables}

    def name(self, value: int) -> str:
        """What a person calls a variable."""
        row = self.record.variables.get(value)
        return row.name if row is not None else "a tensor"

    def role_of(self, values: tuple[int, ...]) -> str:
        """The part of the networks that hold these variables: one of them, ``both`` or ``other``."""
        roles = {self.net_of[value].role for value in values if value in self.net_of}
        if len(roles) == 1:
            return roles.pop()
        return "both" if {"generator", "discriminator"} <= roles else next(iter(sorted(roles)), "other")

    # --- what became of the variables -----------------------------------------------------------------------------------

    @cached_property
    def calls(self) -> list[GradientCall]:
        """The gradient calls, each line of code and pattern of answers once."""
        seen: dict[tuple[object, ...], GradientCall] = {}
        for call in self.record.gradient_calls.values():
            key = (
                call.stack,
                call.graph,
                len(call.sources),
                tuple(result == "none" for result in call.results),
                call.error,
            )
            seen.setdefault(key, call)
        return list(seen.values())

    @cached_property
    def answered(self) -> dict[int, list[GradientCall]]:
        """Variable id -> the calls in which it got a gradient."""
        found: dict[int, list[GradientCall]] = {}
        for call in self.record.gradient_calls.values():
            for source, result in zip(call.sources, call.results, strict=False):
                if result in ("tensor", "zero"):
                    found.setdefault(source, []).append(call)
        return found

    @cached_property
    def asked(self) -> set[int]:
        """Variables for which a gradient was asked at least once."""
        return {source for call in self.record.gradient_calls.values() for source in call.sources}

    @cached_property
    def applied(self) -> dict[int, list[Apply]]:
        """Variable id -> the applications that gave it a gradient."""
        found: dict[int, list[Apply]] = {}
        for apply in self.record.applies.values():
            for gradient, variable in zip(apply.gradients, apply.variables, strict=False):
                if gradient is not None and not apply.error:
                    found.setdefault(variable, []).append(apply)
        return found

    @cached_property
    def assigned(self) -> set[int]:
        """Variables that the user's code wrote after they were made (an own update rule, a moving average)."""
        found = set()
        for variable, writes in self.record.assigns.items():
            row = self.record.variables.get(variable)
            own = [write for write in writes if self.flow.by_user(write)]
            initial = 1 if row is not None and row.stack and own and own[0].stack == row.stack else 0
            if len(own) > initial and any(self._depends_on_gradient(write.inputs[-1]) for write in own[initial:]):
                found.add(variable)
        return found

    def _depends_on_gradient(self, value: int) -> bool:
        nodes, seen = [value], set[int]()
        while nodes and len(seen) < 200:
            current = nodes.pop()
            if current in seen:
                continue
            seen.add(current)
            if current in self.gradient_values:
                return True
            made = self.record.producers.get(current)
            if made is not None and made[0].gradient_call is None:
                nodes.extend(made[0].inputs)
        return False

    @cached_property
    def gradient_values(self) -> dict[int, tuple[GradientCall, int]]:
        """Value id of a gradient -> the call that made it and the variable it is for."""
        return {
            value: (call, source)
            for call in self.record.gradient_calls.values()
            for value, source in zip(call.values, call.sources, strict=False)
            if value is not None
        }

    def moved(self, variable: int) -> bool | None:
        """Whether a variable's value changed over the run, ``None`` where it was not compared."""
        row = self.record.variables.get(variable)
        if row is None or not row.first or not row.last:
            return None
        return row.first != row.last

    def trained(self, variable: int) -> bool:
        """Whether something moves this variable by a gradient."""
        if self.moved(variable) is False:
            return False
        return variable in self.applied or variable in self.assigned

    def computed_with(self, variable: int) -> bool:
        """Whether some forward pass reads a variable; a copy that nothing computes with is no network's weight."""
        handles, queue = [variable], [variable]
        while queue:
            inner = self.record.inside.get(queue.pop(), [])
            handles.extend(inner)
            queue.extend(inner)
        return any(
            operation.apply is None and operation.kind in READS
            for handle in handles
            for operation, _ in self.record.consumers.get(handle, ())
        )

    def meant_to_train(self, variable: int) -> bool:
        """Whether a variable is a weight, not state such as moving statistics."""
        row = self.record.variables.get(variable)
        return row is not None and row.trainable and row.dtype.startswith(("float", "bfloat"))

    # --- gaps ---------------------------------------------------------------------------------------------------------

    @cached_property
    def gaps(self) -> list[Gap]:
        """Every gap that is not explained by the variable being trained elsewhere."""
        found: list[Gap] = []
        for call in self.calls:
            found.extend(self._gaps_of(call))
        return found

    def _gaps_of(self, call: GradientCall) -> list[Gap]:
        failed = bool(call.error)
        reach = self.flow.behind(call)
        blind = bool(call.targets) and not any(reach.edges.get(target) for target in reach.targets)
        groups: dict[tuple[object, ...], list[int]] = {}
        chains: dict[tuple[object, ...], tuple[Edge, ...]] = {}
        fatal = failed or (
            bool(call.results) and all(result == "none" for result in call.results) and self._ended_by(call)
        )
        for source, result in zip(call.sources, call.results, strict=False):
            wanted = self._lacks(call, source, result, reach, fatal)
            if not wanted and result != "none":
                continue
            chain = self._cut(reach, source, failed, result)
            if chain is None or not (wanted or self._is_second_order(call, chain)):
                continue
            net = self.net_of.get(source)
            key = (net.name if net else source, self._cut_key(chain))
            groups.setdefault(key, []).append(source)
            chains.setdefault(key, chain)
        return [
            Gap(call, self.net_of.get(values[0]), tuple(values), chains[key], failed, blind)
            for key, values in groups.items()
        ]

    def _is_second_order(self, call: GradientCall, chain: tuple[Edge, ...]) -> bool:
        """Whether a gradient is cut inside another gradient, which no other loss can make good."""
        if not chain:
            return False
        operation = self.flow.operation(chain[-1])
        return operation.gradient_call not in (None, call.id) and chain[0].verdict in ("none", "unregistered")

    def _lacks(self, call: GradientCall, source: int, result: str, reach: Reach, fatal: bool) -> bool:
        """Whether a source's answer is worth explaining."""
        if result == "none" or result == "error":
            row = self.record.variables.get(source)
            if row is not None and not row.trainable and (row.keras or source in self.record.owners):
                return False
            elsewhere = [
                other
                for other in self.answered.get(source, ())
                if other.stack != call.stack or other.graph != call.graph
            ]
            served = source in self.applied or source in self.assigned or bool(self.moved(source))
            return fatal or row is None or not (elsewhere and served)
        nodes = reach.by_value.get(source, [])
        if not nodes or self.moved(source) or any(node in reach.differentiable for node in nodes):
            return False
        still = self.moved(source) is False and source in self.applied
        cut = any(still or edge.verdict == ZERO for edge in reach.cuts([source]))
        return cut and not self._trained_elsewhere(call, source)

    def _trained_elsewhere(self, call: GradientCall, source: int) -> bool:
        return (
            any(other.stack != call.stack for other in self.answered.get(source, ()))
            and self.moved(source) is not False
        )

    def _cut(self, reach: Reach, source: int, failed: bool, result: str) -> tuple[Edge, ...] | None:
        """Where the way to a source is cut: ``()`` where there is no way, ``None`` where the reason is not known."""
        if not reach.by_value.get(source):
            return None if failed else ()
        cuts = reach.cuts([source])
        if failed:
            cuts = [cut for cut in cuts if cut.verdict == "unregistered"]
        elif result in ("tensor", "zero"):
            cuts = [cut for cut in cuts if cut.verdict == ZERO] or cuts
        if not cuts:
            reached = any(node in reach.differentiable for node in reach.by_value[source])
            return None if failed or (reached and source in self.record.variables) else ()
        chains = [tuple(self.flow.entry(reach, cut, [source])) for cut in cuts[:_MOST_CUTS]]
        return min(chains, key=lambda chain: self.telling(reach, chain, source))

    def telling(self, reach: Reach, chain: tuple[Edge, ...], source: int) -> tuple[bool, bool, int, int]:
        """How much a cut explains: best one that every way to the source has to pass, then one that cannot be meant.

        Beside the point is an edge into an operation that reads the same source by another input as well: the condition
        of a ``where`` whose branches carry the value.
        """
        every = not self._another_way(reach, {edge.operation for edge in chain} - {0}, source)
        below = reach.downstream([source])
        beside = any(
            edge.input in below and edge.position != chain[0].position
            for edge in reach.edges.get(chain[0].output, ())
            if edge.operation == chain[0].operation
        )
        return (not every, beside, _RANK.get(chain[0].verdict, 1), chain[-1].operation)

    def _another_way(self, reach: Reach, without: set[int], source: int) -> bool:
        found, queue = set(reach.targets), list(reach.targets)
        while queue:
            node = queue.pop()
            if node.value == source:
                return True
            for edge in reach.edges.get(node, ()):
                if edge.operation not in without and edge.input not in found:
                    found.add(edge.input)
                    queue.append(edge.input)
        return False

    def _cut_key(self, chain: tuple[Edge, ...]) -> object:
        if not chain:
            return None
        last = self.flow.operation(chain[-1])
        first = self.flow.operation(chain[0])
        if chain[0].verdict in ("none", "zero", "unregistered"):
            return (chain[0].verdict, last.kind, last.stack[-1:])
        return (chain[0].verdict, first.stack[-1:])

    def _ended_by(self, call: GradientCall) -> bool:
        failure = self.record.failure
        return (
            failure is not None
            and bool(failure.stack)
            and failure.id - call.ended < 100_000
            and not any(
                other.id > call.id and other.stack != call.stack for other in self.record.gradient_calls.values()
            )
        )

    @cached_property
    def went_round(self) -> bool:
        """Whether the training loop was seen to come round, so that what did not happen by then is left out of it."""
        if self.record.failure is None:
            return True
        if any(graph.runs > 1 for graph in self.record.graphs.values()):
            return True
        stacks = [apply.stack for apply in self.record.applies.values() if not apply.graph and not apply.error]
        return len(stacks) > len(set(stacks))

    # --- places ---------------------------------------------------------------------------------------------------------

    def in_function_of(self, stack: Stack, other: Stack) -> Place | None:
        """The line of a stack that stands in the function in which another stack ends; else its innermost line."""
        if not stack:
            return None
        if other:
            for place in reversed(stack):
                if place.file == other[-1].file and place.function == other[-1].function:
                    return place
        return stack[-1]

    def loss_place(self, call: GradientCall) -> Place | None:
        """Where the loss of a gradient call is computed, in the function that asks for the gradient."""
        for target in call.targets:
            made = self.record.producers.get(target)
            if made is not None and made[0].stack:
                return self.in_function_of(made[0].stack, call.stack)
        return call.stack[-1] if call.stack else None

    def list_read(self, call: GradientCall, values: tuple[int, ...]) -> ListRead | None:
        """Where the list of variables that a gradient call asks for was read last."""
        wanted = set(values)
        fitting = [
            read
            for read in self.record.list_reads.values()
            if read.id < call.id and set(read.variables) <= set(call.sources) and wanted & set(read.variables)
        ]
        return max(fitting, key=lambda read: (len(read.variables), read.id), default=None)

    def holders(self, values: tuple[int, ...]) -> list[Module]:
        """The modules that hold all of these variables, smallest first."""
        wanted = set(values)
        return (
            [module for module in self.record.owners.get(values[0], ()) if wanted <= set(module.variables)]
            if values
            else []
        )


#: So many cuts of one gradient are compared.
_MOST_CUTS = 24
#: Which of several cuts is told first: the ones that are surely not meant, then the others.
_RANK = {"unrecorded": 0, "argument": 0, "unwatched": 0, "state": 0, "none": 1, "zero": 1, "unregistered": 1, FLOWS: 9}
