"""Where a value left TensorFlow: seen while it ran, or read from the source.

``.numpy()``, ``float()`` and ``predict`` are seen. NumPy reads an eager tensor it is handed without anyone noticing, so for
``np.asarray(fake)`` the name that holds the value is followed through the user's statements and functions.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass

from ganmedic.analysis.networks import Net
from ganmedic.analysis.run import Gap, Run
from ganmedic.analysis.source import called_name, definitions, function_at, module_aliases, statement, text_of, tree
from ganmedic.record.schema import LayerCall, Place, Stack

#: Packages that compute outside TensorFlow.
FOREIGN = ("numpy", "scipy", "PIL", "cv2", "skimage", "pandas", "sklearn", "math", "torch")
#: Methods that hand a tensor's value to Python.
_METHODS = ("numpy", "predict", "predict_on_batch", "tolist", "item")
_DEEPEST = 5
#: Calls, as a statement of their own, after which nothing computes with the value.
_SHOWING = frozenset(
    {"print", "append", "write", "update_state", "add_scalar", "scalar", "set_postfix", "imsave", "save"}
)


@dataclass(frozen=True)
class Left:
    """A place where a value left TensorFlow."""

    place: Place
    how: str
    seen: bool


def departures(run: Run, values: tuple[int, ...], net: Net | None, tape: int, until: int) -> list[Left]:
    """Where what was computed from some variables left TensorFlow, between the last use of a tape's site and a time."""
    began = _round_began(run, tape, until)
    found = [*_seen(run, values, net, began, until)]
    call = run.record.gradient_calls.get(until)
    asked_at = call.stack if call is not None else ()
    found.extend(
        left for left in _read(run, net, began, until, asked_at) if all(left.place != other.place for other in found)
    )
    return found


def _round_began(run: Run, tape: int, until: int) -> int:
    """The end of the gradient call before the tape began: what happened since belongs to this round."""
    row = run.record.tapes.get(tape)
    start = row.id if row is not None else until
    earlier = [call.id for call in run.record.gradient_calls.values() if call.id < start and call.tape != tape]
    return max(earlier, default=0)


def _seen(run: Run, values: tuple[int, ...], net: Net | None, began: int, until: int) -> Iterator[Left]:
    downstream: set[int] | None = None
    owned = set(net.variables) if net is not None else set(values)
    for row in run.record.departures.values():
        if not began < row.id < until or not row.stack or _is_shown(run, row.stack[-1]):
            continue
        if row.module is not None and row.value is None:
            module = run.record.modules[row.module]
            if owned & set(module.variables):
                yield Left(row.stack[-1], f"{module.name}.{row.how}", True)
        elif row.value is not None and _size(run, row.value) > 1:
            downstream = downstream if downstream is not None else run.flow.forward(values, until)
            if row.value in downstream:
                name = f"{run.record.modules[row.module].name}." if row.module is not None else ""
                yield Left(row.stack[-1], name + row.how, True)


def _is_shown(run: Run, place: Place) -> bool:
    """Whether the statement at a place only shows a value: prints it, logs it, keeps it in a history."""
    return is_shown(statement(run.record, place))


def is_shown(found: ast.AST | None) -> bool:
    """Whether a statement only shows a value."""
    if not isinstance(found, ast.Expr) or not isinstance(found.value, ast.Call):
        return False
    call = found.value
    base = call.func.value if isinstance(call.func, ast.Attribute) else None
    return called_name(call) in _SHOWING or (
        isinstance(base, ast.Name) and base.id in ("logging", "logger", "log", "plt")
    )


def _size(run: Run, value: int) -> float:
    made = run.record.producers.get(value)
    if made is None:
        return 0
    shape = made[0].shapes[made[1]]
    return math.inf if shape is None or None in shape else math.prod(size for size in shape if size is not None)


# --- from the source ----------------------------------------------------------------------------------------------------


def _read(run: Run, net: Net | None, began: int, until: int, asked_at: Stack) -> Iterator[Left]:
    calls = [
        call
        for call in run.record.layer_calls.values()
        if call.parent is None and began < call.id < until and call.stack and _is_of(run, call, net)
    ]
    seen: set[Place] = set()
    for call in calls:
        meeting = _meeting(call.stack, asked_at)
        for index in range(len(call.stack) - 1, meeting - 1, -1):
            place = call.stack[index]
            if place not in seen:
                seen.add(place)
                last = asked_at[index].line if index == meeting and index < len(asked_at) else None
                yield from _follow_call(run, place, last)


def _meeting(stack: Stack, other: Stack) -> int:
    """The frame in which two stacks part: both stand in that function, at different lines."""
    index = 0
    while index < min(len(stack), len(other)) - 1 and stack[index] == other[index]:
        index += 1
    return index


def _is_of(run: Run, call: LayerCall, net: Net | None) -> bool:
    return net is not None and bool(set(run.record.modules[call.module].variables) & set(net.variables))


def _follow_call(run: Run, place: Place, last: int | None) -> Iterator[Left]:
    """Follows the value of a call at a place through the function that holds it, up to a line."""
    root = tree(run.record, place.file)
    if root is None:
        return
    holder: ast.AST = function_at(run.record, place) or root
    tracer = _Tracer(run, root, place.file)
    start = [
        node
        for node in ast.walk(holder)
        if isinstance(node, ast.Call) and node.lineno <= place.line <= (node.end_lineno or 0)
    ]
    if start:
        yield from tracer.follow(holder, set(), place.line, start, last)


class _Tracer:
    """Marks the names that hold a value and finds where one of them is handed to a package outside TensorFlow."""

    def __init__(self, run: Run, root: ast.Module, file: str) -> None:
        self.foreign = {alias for package in FOREIGN for alias in module_aliases(root, package)}
        self.functions = definitions(root)
        self.file = file
        self._depth = 0
        self._visited: set[tuple[str, tuple[str, ...]]] = set()

    def follow(
        self, holder: ast.AST, marked: set[str], since: int, origins: list[ast.Call], until: int | None = None
    ) -> Iterator[Left]:
        """Departures in a function body, from a line on, of the marked names and of what the origin calls return."""
        function = holder.name if isinstance(holder, ast.FunctionDef) else "<module>"
        for node in self._statements(holder):
            if (node.end_lineno or node.lineno) < since or (until is not None and node.lineno > until):
                continue
            if is_shown(node):
                continue
            self._mark_loops(node, marked, origins)
            inside = node.iter if isinstance(node, ast.For) else node
            for call in _calls_inside_out(inside):
                if self._carries(call, marked, origins):
                    yield from self._examine(call, marked, origins, function)
            self._mark(node, marked, origins)

    def _statements(self, holder: ast.AST) -> list[ast.stmt]:
        found = []
        for node in ast.walk(holder):
            if (
                isinstance(node, ast.stmt)
                and node is not holder
                and not isinstance(node, (ast.FunctionDef, ast.ClassDef))
            ):
                found.append(node)
        kept = [node for node in found if not hasattr(node, "body") or isinstance(node, ast.For)]
        return sorted(kept, key=lambda node: node.lineno)

    def _carries(self, node: ast.AST, marked: set[str], origins: list[ast.Call]) -> bool:
        """Whether an expression holds the value: a marked name, or an origin call, in its arguments or its object."""
        parts: list[ast.AST] = []
        if isinstance(node, ast.Call):
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
            if isinstance(node.func, ast.Attribute):
                parts.append(node.func.value)
        else:
            parts = [node]
        for part in parts:
            for inner in ast.walk(part):
                if isinstance(inner, ast.Name) and inner.id in marked:
                    return True
                if any(inner is origin for origin in origins) and inner is not node:
                    return True
        return False

    def _examine(self, call: ast.Call, marked: set[str], origins: list[ast.Call], function: str) -> Iterator[Left]:
        place = Place(self.file, call.lineno, function)
        name = called_name(call)
        if isinstance(call.func, ast.Attribute):
            base = call.func.value
            while isinstance(base, ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name) and base.id in self.foreign:
                yield Left(place, text_of(call.func), False)
                return
            if name in _METHODS:
                yield Left(place, f".{name}()", False)
                return
        elif name in self.foreign:
            yield Left(place, name, False)
            return
        target = self.functions.get(name)
        if target is not None and self._depth < _DEEPEST:
            yield from self._enter(call, target, marked, origins)

    def _enter(
        self, call: ast.Call, target: ast.FunctionDef, marked: set[str], origins: list[ast.Call]
    ) -> Iterator[Left]:
        names = [argument.arg for argument in target.args.args]
        if names[:1] == ["self"] and isinstance(call.func, ast.Attribute):
            names = names[1:]
        inner = {name for name, value in zip(names, call.args, strict=False) if self._holds(value, marked, origins)}
        inner |= {
            keyword.arg for keyword in call.keywords if keyword.arg and self._holds(keyword.value, marked, origins)
        }
        key = (target.name, tuple(sorted(inner)))
        if inner and key not in self._visited:
            self._visited.add(key)
            self._depth += 1
            yield from self.follow(target, inner, target.lineno, [])
            self._depth -= 1

    def _holds(self, value: ast.AST, marked: set[str], origins: list[ast.Call]) -> bool:
        return self._carries(value, marked, origins) or any(value is origin for origin in origins)

    def _mark_loops(self, node: ast.stmt, marked: set[str], origins: list[ast.Call]) -> None:
        """Names that a comprehension gives the value to, piece by piece."""
        for part in ast.walk(node):
            if isinstance(part, ast.comprehension) and self._holds(part.iter, marked, origins):
                marked |= {inner.id for inner in ast.walk(part.target) if isinstance(inner, ast.Name)}

    def _mark(self, node: ast.stmt, marked: set[str], origins: list[ast.Call]) -> None:
        """Names that an assignment gives the value to."""
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.For):
            targets, value = [node.target], node.iter
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            return
        if self._holds(value, marked, origins):
            for target in targets:
                marked |= {inner.id for inner in ast.walk(target) if isinstance(inner, ast.Name)}


def _calls_inside_out(node: ast.AST) -> list[ast.Call]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Call)][::-1]


def gap_departures(run: Run, gap: Gap) -> list[Left]:
    """Where the value of a network without gradient left TensorFlow on its way to the loss."""
    return departures(run, gap.values, gap.net, gap.call.tape, gap.call.id)
