"""Variables that nothing trains though no gradient of theirs is missing: never asked for, never applied, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ganmedic.analysis.networks import Net
from ganmedic.analysis.pairs import applied_origins
from ganmedic.analysis.run import Run
from ganmedic.analysis.source import argument, assigned_name, call_named, handed_in, text_of
from ganmedic.record.schema import Apply, Freeze, GradientCall, ListRead, TrainCall


@dataclass(frozen=True)
class Idle:
    """Variables of one network that nothing trains, and what is known of the reason.

    Attributes:
        slug: the cause.
        whole: whether it is all of the network.
        call: the gradient call concerned; ``apply`` the application; ``read`` the list; ``freeze`` the freezing;
            ``train`` the call of ``train_on_batch`` or ``fit``.
    """

    slug: str
    net: Net
    values: tuple[int, ...]
    whole: bool
    call: GradientCall | None = None
    apply: Apply | None = None
    read: ListRead | None = None
    freeze: Freeze | None = None
    train: TrainCall | None = None


def idle_variables(run: Run) -> list[Idle]:
    """Groups of variables that nothing trains, each with its cause."""
    return list(_find(run))


@lru_cache(maxsize=2)
def _find(run: Run) -> list[Idle]:
    gaps = {value for gap in run.gaps for value in gap.values}
    used = applied_origins(run)
    found: list[Idle] = []
    for net in run.nets:
        weights = [value for value in net.variables if run.meant_to_train(value)]
        still = [
            value for value in weights if value not in gaps and not run.trained(value) and run.moved(value) is not True
        ]
        if not still:
            continue
        groups: dict[tuple[object, ...], list[int]] = {}
        details: dict[tuple[object, ...], Idle] = {}
        for value in still:
            one = _judge(run, net, value, used)
            if one is not None:
                key: tuple[object, ...] = (
                    one.slug,
                    one.call.stack if one.call else None,
                    one.freeze.stack if one.freeze else None,
                )
                groups.setdefault(key, []).append(value)
                details.setdefault(key, one)
        for key, values in groups.items():
            one = details[key]
            found.append(
                Idle(
                    one.slug,
                    net,
                    tuple(values),
                    len(values) == len(weights),
                    one.call,
                    one.apply,
                    one.read,
                    one.freeze,
                    one.train,
                )
            )
    return found


def _judge(run: Run, net: Net, value: int, used: dict[int, list[Apply]]) -> Idle | None:
    answered = run.answered.get(value)
    if value in run.applied:
        return None
    if answered:
        return _judge_answered(run, net, value, answered, used)
    return _judge_never_asked(run, net, value)


def _judge_answered(
    run: Run, net: Net, value: int, answered: list[GradientCall], used: dict[int, list[Apply]]
) -> Idle | None:
    """A gradient was there."""
    if not run.record.complete or not run.went_round:
        return None
    call = answered[0]
    if value in used and all(apply.error for apply in used[value]):
        return None
    if value in used and any(
        variable in run.net_of and run.computed_with(variable) for apply in used[value] for variable in apply.variables
    ):
        return None
    if value in used:
        return Idle("not-applied", net, (value,), False, call, used[value][0])
    partly = [apply for source in call.sources for apply in used.get(source, ()) if source != value]
    if partly and not all(apply.error for apply in partly):
        return Idle("variables-left-out", net, (value,), False, call, partly[0])
    if any(run.moved(other) for other in net.variables):
        return None
    return Idle("not-applied", net, (value,), False, call)


def _judge_never_asked(run: Run, net: Net, value: int) -> Idle | None:
    """No gradient was ever asked for."""
    freeze = _freeze(run, value)
    row = run.record.variables[value]
    train = _train_call(run, value)
    if train is not None and freeze is not None:
        return Idle("frozen", net, (value,), False, freeze=freeze, train=train)
    for read in _reads_used(run):
        module = run.record.modules[read.module]
        if value not in module.variables or value in read.variables:
            continue
        if row.seen > read.id:
            return Idle("unbuilt-variables", net, (value,), False, read=read, call=_call_of(run, read))
        if freeze is not None and freeze.id < read.id and _was_meant(run, net, value):
            return Idle("frozen", net, (value,), False, read=read, freeze=freeze, call=_call_of(run, read))
    if _is_replacement(run, value) or freeze is not None or not _trainable_now(run, value) or not run.record.complete:
        return None
    if not run.went_round:
        return None
    if _takes_part(run, net, value):
        early = _read_before(run, value)
        if early is not None:
            return Idle("unbuilt-variables", net, (value,), False, read=early, call=_call_of(run, early))
        return Idle("variables-left-out", net, (value,), False, call=_call_through(run, value))
    return None


def _is_replacement(run: Run, value: int) -> bool:
    """Whether a variable belongs to a model that took the place of one whose variables are still asked for."""
    from ganmedic.analysis.verdicts import twin

    for gap in run.gaps:
        pair = twin(run, gap) if gap.absent else None
        if pair is not None and value in pair[1].variables:
            return True
    return False


def _read_before(run: Run, value: int) -> ListRead | None:
    """A list that is still asked for though it was read before this variable was made, for the player it belongs to."""
    through = [call for call in run.calls if call.sources and _reaches(run, call, value)]
    for call in through:
        for read in reads_of(run, call):
            kept = read.stack != call.stack and read.variables
            if kept and 0 < read.id < run.record.variables[value].seen and _same_role(run, read, value):
                return read
    return None


def _same_role(run: Run, read: ListRead, value: int) -> bool:
    roles = {run.net_of[other].role for other in read.variables if other in run.net_of}
    return value in run.net_of and run.net_of[value].role in roles


def _reaches(run: Run, call: GradientCall, value: int) -> bool:
    reach = run.flow.behind(call)
    return any(node in reach.differentiable for node in reach.by_value.get(value, ()))


def _trainable_now(run: Run, value: int) -> bool:
    owners = run.record.owners.get(value)
    if not owners:
        return True
    return all(module.trainable for module in owners) and any(value in module.trainable_variables for module in owners)


def _freeze(run: Run, value: int) -> Freeze | None:
    """The last freezing by the user's code of something that holds a variable, if nothing thawed it since."""
    last: dict[int, Freeze] = {}
    for row in run.record.freezes.values():
        module = run.record.modules.get(row.module)
        if module is not None and value in module.variables:
            last[row.module] = row
    if not last:
        return None
    newest = max(last.values(), key=lambda row: row.id)
    return None if newest.value else newest


def _train_call(run: Run, value: int) -> TrainCall | None:
    """A call that set out to train exactly the model that holds a variable, while nothing in it was trainable."""
    for call in run.record.train_calls.values():
        module = run.record.modules[call.module]
        if value in module.variables and call.trainable == 0 and call.total > 0:
            return call
    return None


def _was_meant(run: Run, net: Net, value: int) -> bool:
    """Whether freezing this variable cannot be on purpose: a frozen block on purpose holds trained or loaded weights.

    It is no block on purpose where its weights are those it was made with, or where it was trained before it was frozen and
    the same list is asked for afterwards.
    """
    for module in run.record.owners.get(value, ()):
        if module.loaded:
            return False
    return run.moved(value) is False


def _reads_used(run: Run) -> list[ListRead]:
    """The lists of variables that gradient calls asked for."""
    found: dict[int, ListRead] = {}
    for call in run.record.gradient_calls.values():
        if call.by_framework:
            continue
        for read in reads_of(run, call):
            found[read.id] = read
    return list(found.values())


def reads_of(run: Run, call: GradientCall) -> list[ListRead]:
    """The reads of variable lists that make up what a gradient call asked for.

    A read in the statement of the call itself counts, or one whose result was given the name that the call uses.
    """
    asked = set(call.sources)
    place = call.stack[-1] if call.stack else None
    asked_for = argument(call_named(run.record, place, call.method), 1, "sources") if place is not None else None
    expression = text_of(handed_in(run.record, call.stack, asked_for))
    name = expression.split(".")[-1]
    found: list[ListRead] = []
    for read in run.record.list_reads.values():
        if read.id > call.id or not read.stack or not set(read.variables) <= asked:
            continue
        same_statement = read.stack == call.stack and read.graph == call.graph
        if same_statement or (name and assigned_name(run.record, read.stack[-1:]) == name):
            found.append(read)
    latest: dict[tuple[object, ...], ListRead] = {}
    for read in found:
        latest[(read.module, read.stack)] = read
    return list(latest.values())


def _call_of(run: Run, read: ListRead) -> GradientCall | None:
    for call in run.calls:
        if call.id > read.id and set(read.variables) <= set(call.sources):
            return call
    return None


def _takes_part(run: Run, net: Net, value: int) -> bool:
    """Whether a gradient would reach a variable if it were asked for, and nothing says that it rests on purpose.

    A network at the end of the flow beside a judge that is trained (a perceptual loss) rests on purpose, and so does one
    whose weights were loaded.
    """
    if any(module.loaded for module in run.record.owners.get(value, ())):
        return False
    whole = not any(run.trained(other) or other in run.asked for other in net.variables)
    if whole and not net.read_by:
        judges = [other for other in run.nets if other is not net and other.role == "discriminator"]
        if any(run.trained(weight) for judge in judges for weight in judge.variables):
            return False
    return _call_through(run, value) is not None


def _call_through(run: Run, value: int) -> GradientCall | None:
    """A gradient call whose loss a gradient would reach the variable from."""
    for call in run.calls:
        if call.error or not call.sources:
            continue
        if _reaches(run, call, value):
            return call
    return None
