"""Puts findings about measured gradients together in one form, and finds the lines they point at."""

from __future__ import annotations

import ast
import itertools
import math
import operator
from collections.abc import Callable

from ganmedic.analysis.networks import Net
from ganmedic.analysis.run import Run
from ganmedic.analysis.source import argument, call_named, called_name, calls_on, function_at, made_at, tree
from ganmedic.analysis.story import innermost, locations, variable_names
from ganmedic.analysis.vitals import Layer, Player, Score, Vitals
from ganmedic.causes.building import operation_place
from ganmedic.finding import Finding, Remedy, Severity
from ganmedic.record.schema import Operation, Optimizer, Place, Stack

#: What may stand between numbers that are written out.
_OPERATORS: dict[type[ast.operator], Callable[[float, float], object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def measured_finding(
    vitals: Vitals,
    cause: str,
    player: Player,
    summary: str,
    *,
    place: Place | None,
    evidence: tuple[str, ...],
    remedies: tuple[Remedy, ...],
    more: tuple[tuple[Place | None, str], ...] = (),
    net: Net | None = None,
    confidence: float = 0.85,
    severity: Severity = "error",
    step: int = 0,
    mark: tuple[str, ...] = (),
) -> Finding:
    """A finding about a player.

    Args:
        net: the network that suffers; that of the player where it is not given.
        place: the line that a fix edits; the line of the loss where it is not known.
    """
    run = vitals.run
    sufferer = net or player.net
    loss = run.loss_place(player.call)
    return Finding(
        cause=cause,
        severity=severity,
        confidence=confidence,
        network=sufferer.role,
        summary=summary,
        evidence=evidence,
        locations=locations(
            run, (place or loss, "fault"), *more, (loss, "loss"), (innermost(player.call.stack), "gradient"), mark=mark
        ),
        variables=variable_names(run, sufferer.variables),
        remedies=remedies,
        network_name=sufferer.name,
        variables_total=sum(map(run.meant_to_train, sufferer.variables)),
        step=step,
    )


def number(value: float) -> str:
    """A figure as a person reads it."""
    if value == 0:
        return "0"
    return f"{value:.3g}"


def term_place(vitals: Vitals, score: Score) -> Place | None:
    """The line of the term of a loss that a score goes into: where its sign and its form are decided."""
    inside = {score.profile.value}
    last: Operation | None = None
    for operation in vitals.tail(score):
        others = [value for value in operation.inputs if value not in inside]
        joins = operation.kind in ("AddV2", "AddN", "Sub", "Add") and any(
            _is_computed(vitals, value) for value in others
        )
        if joins and operation.shapes[:1] == ((),):
            break
        inside.update(operation.outputs)
        if operation.stack:
            last = operation
    return operation_place(vitals.run, last) if last is not None else None


def _is_computed(vitals: Vitals, value: int) -> bool:
    """Whether networks go into a value."""
    reach = vitals.run.flow.behind_values((value,), None, 1 << 62)
    return any(node in vitals.run.net_of for node in reach.by_value)


def tail_kinds(vitals: Vitals, score: Score) -> list[str]:
    """The types of the operations between a score and the loss."""
    return [operation.kind for operation in vitals.tail(score)]


def first_of(vitals: Vitals, score: Score, *kinds: str) -> Operation | None:
    """The first operation of one of these types between a score and the loss."""
    return next((operation for operation in vitals.tail(score) if operation.kind in kinds), None)


def activation_place(run: Run, operation: Operation) -> Place | None:
    """The line that decides on an activation: of a layer of Keras the one that made it, else that of the call."""
    call = run.record.layer_calls.get(operation.layer_call or 0)
    if call is not None:
        module = run.record.modules[call.module]
        if not module.custom and module.stack:
            return handed_down(run, module.stack, ("activation",))
    return operation_place(run, operation)


def handed_down(run: Run, stack: Stack, keywords: tuple[str, ...]) -> Place:
    """The line that decides on a keyword of what was made at a stack: where a helper got it from, the call of the helper."""
    stack = made_at(run.record, stack)
    index = len(stack) - 1
    given = _keyword(run, stack[index], keywords)
    while index > 0 and isinstance(given, ast.Name):
        holder = function_at(run.record, stack[index])
        parameters = [one.arg for one in holder.args.args] if holder is not None else []
        if holder is None or given.id not in parameters:
            break
        call = call_named(run.record, stack[index - 1], holder.name, *_class_of(run, stack[index], holder))
        if call is None:
            break
        position = parameters.index(given.id) - (1 if parameters[0] == "self" else 0)
        onward = argument(call, position, given.id)
        if onward is None:
            break
        given, index = onward, index - 1
    return stack[index]


def _class_of(run: Run, place: Place, holder: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    """The class whose ``__init__`` a function is: it is called by that name."""
    root = tree(run.record, place.file)
    return tuple(
        node.name
        for node in ast.walk(root or ast.Module([], []))
        if isinstance(node, ast.ClassDef) and holder in node.body
    )


def _keyword(run: Run, place: Place, names: tuple[str, ...]) -> ast.expr | None:
    for call in calls_on(run.record, place):
        for keyword in call.keywords:
            if keyword.arg in names:
                return keyword.value
    return None


def network_end(vitals: Vitals, player: Player, score: Score) -> Place | None:
    """The line on which a network hands out its score: of a layer of Keras its making, else where the network returns."""
    run, operation = vitals.run, score.operation
    call = run.record.layer_calls.get(operation.layer_call or 0)
    if call is not None and not run.record.modules[call.module].custom and run.record.modules[call.module].stack:
        return made_at(run.record, run.record.modules[call.module].stack)[-1]
    outer = run.in_function_of(operation.stack, player.call.stack)
    index = operation.stack.index(outer) if outer in operation.stack else -1
    return operation.stack[min(index + 1, len(operation.stack) - 1)] if operation.stack else None


def loss_made(run: Run, player: Player, *names: str) -> Place | None:
    """The line on which a loss of one of these names is made or named (``loss="binary_crossentropy"``).

    Of several the one that stands nearest before the line of the gradient in the same file.
    """
    files = {place.file for place in player.call.stack} or set(run.record.sources)
    found: list[Place] = []
    for file in [*files, *(set(run.record.sources) - files)]:
        root = tree(run.record, file)
        for node in ast.walk(root) if root is not None else ():
            if (isinstance(node, ast.Call) and called_name(node) in names) or (
                isinstance(node, ast.Constant) and node.value in names
            ):
                found.append(Place(file, node.lineno, ""))
        if found:
            break
    return min(found, key=lambda place: place.line) if found else None


def optimizer_place(run: Run, optimizer: Optimizer | None) -> Place | None:
    """The line on which an optimizer is made."""
    return made_at(run.record, optimizer.stack)[-1] if optimizer is not None and optimizer.stack else None


def optimizer_text(optimizer: Optimizer | None) -> str:
    """``Adam(learning_rate=0.001)``."""
    if optimizer is None:
        return "its optimizer"
    rate = f"(learning_rate={optimizer.rates[-1]:.3g})" if optimizer.rates else ""
    return f"{optimizer.kind}{rate}"


def steepest(run: Run, layers: list[Layer], *, growing: bool) -> Place | None:
    """The line that decides on the weights which change the gradient most on its way through layers in a row."""
    shares: dict[Place, float] = {}
    for before, after in itertools.pairwise(layers):
        place = weight_place(run, after.variable)
        if place is not None and before.pull > 0 and after.pull > 0:
            shares[place] = shares.get(place, 0.0) + math.log(before.pull / after.pull)
    if not shares:
        return weight_place(run, layers[-1].variable) if layers else None
    return max(shares, key=lambda place: shares[place] if growing else -shares[place])


def weight_place(run: Run, variable: int) -> Place | None:
    """The line that decides on the first value of a variable: the initialiser, or else the layer that has the variable."""
    row = run.record.variables.get(variable)
    for module in run.record.owners.get(variable, ()):
        if not module.custom and module.stack and not module.parts:
            names = ("kernel_initializer", "depthwise_initializer")
            place = handed_down(run, module.stack, names)
            return _keyword_place(run, place, names) or place
    drawn = _drawn(run, variable)
    if drawn is not None and drawn.stack:
        return _called_object(run, drawn.stack[-1]) or drawn.stack[-1]
    return innermost(row.stack) if row is not None else None


def _called_object(run: Run, place: Place) -> Place | None:
    """Where an object was made that is called on a line: of ``init(shape)`` the line ``init = RandomNormal(...)``."""
    root = tree(run.record, place.file)
    for call in calls_on(run.record, place) if root is not None else ():
        if isinstance(call.func, ast.Name):
            made = _defined(root, call.func, place)
            if made.line != place.line:
                return made
    return None


def _drawn(run: Run, variable: int) -> Operation | None:
    """The operation that drew the numbers a variable began with."""
    for operation in run.record.operations.values():
        if operation.kind == "AssignVariableOp" and run.record.resolve(operation.inputs[0]) == variable:
            queue = list(operation.inputs[1:])
            for _ in range(24):
                if not queue:
                    break
                made = run.record.producers.get(queue.pop(0))
                if made is None:
                    continue
                if "Random" in made[0].kind or made[0].kind.startswith("Truncated"):
                    return made[0]
                queue.extend(made[0].inputs)
            return None
    return None


def rate_written(run: Run, optimizer: Optimizer | None) -> Place | None:
    """The line on which an optimizer's learning rate is worked out or written; that of the optimizer otherwise."""
    place = optimizer_place(run, optimizer)
    root = tree(run.record, place.file) if place is not None else None
    if root is None or place is None or optimizer is None:
        return place
    for node in ast.walk(root):
        on_line = isinstance(node, ast.Call) and node.lineno <= place.line <= (node.end_lineno or node.lineno)
        if on_line and isinstance(node, ast.Call) and called_name(node) == optimizer.kind:
            given = next((one.value for one in node.keywords if one.arg in ("learning_rate", "lr")), None)
            given = given or (node.args[0] if node.args else None)
            if isinstance(given, ast.Name):
                return _defined(root, given, place)
            if isinstance(given, ast.Subscript) and optimizer.rates:
                return constant_place(run, place, optimizer.rates[-1]) or place
    return place


def constant_place(run: Run, near: Place | None, value: float) -> Place | None:
    """The one line in a file on which a number is written: a constant, an entry of a configuration, a default.

    Args:
        near: a place in the file to look in.
        value: the number, up to the rounding of float32.
    """
    root = tree(run.record, near.file) if near is not None else None
    if root is None or near is None or value == 0:
        return None
    lines = {
        node.lineno
        for node in ast.walk(root)
        if isinstance(node, ast.expr)
        and (written := _written(node)) is not None
        and abs(written - value) <= 1e-6 * abs(value)
    }
    return Place(near.file, lines.pop(), "") if len(lines) == 1 else None


def _written(node: ast.expr) -> float | None:
    """The number that an expression of plain numbers comes to (``2.0 ** 16``, ``1 / 256``, ``-1.0``)."""
    if isinstance(node, ast.Constant):
        return float(node.value) if isinstance(node.value, (int, float)) and not isinstance(node.value, bool) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _written(node.operand)
        return None if inner is None else -inner
    work = _OPERATORS.get(type(node.op)) if isinstance(node, ast.BinOp) else None
    if work is None or not isinstance(node, ast.BinOp):
        return None
    left, right = _written(node.left), _written(node.right)
    if left is None or right is None or max(abs(left), abs(right)) > 1e6:
        return None
    try:
        result = work(left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    return float(result) if isinstance(result, float) else None


def constraint_place(run: Run, variable: int) -> Place | None:
    """The line on which the constraint of a Keras layer's weights is made."""
    for module in run.record.owners.get(variable, ()):
        if not module.custom and not module.parts and module.stack:
            place = made_at(run.record, module.stack)[-1]
            found = _keyword_place(run, place, ("kernel_constraint", "depthwise_constraint"))
            if found is not None:
                return found
    return None


def _keyword_place(run: Run, place: Place, names: tuple[str, ...]) -> Place | None:
    """Where the thing is made that is handed to a call on a line under one of these keywords, if it is named there."""
    root = tree(run.record, place.file)
    for node in ast.walk(root) if root is not None else ():
        if isinstance(node, ast.Call) and node.lineno <= place.line <= (node.end_lineno or node.lineno):
            for keyword in node.keywords:
                if keyword.arg in names:
                    return _defined(root, keyword.value, place)
    return None


def _defined(root: ast.AST | None, value: ast.expr, place: Place) -> Place:
    """Where what an expression names was assigned; else the line of the expression."""
    if isinstance(value, ast.Name) and root is not None:
        before = [
            node.lineno
            for node in ast.walk(root)
            if isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == value.id for target in node.targets)
        ]
        if before:
            return Place(place.file, max([line for line in before if line <= value.lineno] or before), "")
    return Place(place.file, value.lineno, "")


def rate_place(run: Run, optimizer: Optimizer | None) -> Place | None:
    """The line that decides on a learning rate which changes: what a schedule of the user's own returns, or its making."""
    place = optimizer_place(run, optimizer)
    root = tree(run.record, place.file) if place is not None else None
    if root is None or place is None:
        return None
    for node in ast.walk(root):
        bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
        if any(base.endswith("LearningRateSchedule") for base in bases) and isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name == "__call__":
                    returns = [one.lineno for one in ast.walk(method) if isinstance(one, ast.Return)]
                    if returns:
                        return Place(place.file, returns[-1], method.name)
    return None
