"""Reads the user's source: which name a value was given, which statement a line belongs to, where a value turns to NumPy."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from ganmedic.record.record import Record
from ganmedic.record.schema import Place, Stack

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@lru_cache(maxsize=256)
def parse(text: str) -> ast.Module | None:
    """The syntax tree of a file, ``None`` if it is no Python."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def tree(record: Record, file: str) -> ast.Module | None:
    """The syntax tree of one of the user's files."""
    text = record.sources.get(file)
    return parse(text) if text else None


def statement(record: Record, place: Place) -> ast.stmt | None:
    """The innermost statement that holds a line."""
    root = tree(record, place.file)
    return _innermost(root, place.line) if root is not None else None


@lru_cache(maxsize=16384)
def _innermost(root: ast.AST, line: int) -> ast.stmt | None:
    found: ast.stmt | None = None
    for node in ast.walk(root):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            compound = bool(getattr(node, "body", None))
            if found is None or node.lineno >= found.lineno or not compound:
                if found is not None and compound and not getattr(found, "body", None):
                    continue
                found = node
    return found


def function_at(record: Record, place: Place) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The innermost function definition around a line."""
    root = tree(record, place.file)
    best: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    if root is None:
        return None
    for node in ast.walk(root):
        if (
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and node.lineno <= place.line <= (node.end_lineno or node.lineno)
            and (best is None or node.lineno >= best.lineno)
        ):
            best = node
    return best


def assigned_name(record: Record, stack: Stack) -> str:
    """The name to which the thing made at a stack was given: innermost assignment first, empty if there is none.

    A thing made in a helper (``return keras.Model(...)``) is called what the caller of the helper calls it.
    """
    for place in reversed(made_at(record, stack)):
        found = statement(record, place)
        if isinstance(found, ast.Return):
            continue
        if isinstance(found, ast.Assign) and len(found.targets) == 1:
            name = _target(found.targets[0], found.value, place.line)
            if name:
                return name
        elif isinstance(found, ast.AnnAssign):
            name = _target(found.target, found.value, place.line)
            if name:
                return name
        elif isinstance(found, ast.Expr) or found is None:
            return ""
    return ""


def _target(target: ast.expr, value: ast.expr | None, line: int) -> str:
    if isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
        for one, part in zip(target.elts, value.elts, strict=False):
            if part.lineno <= line <= (part.end_lineno or part.lineno):
                return _target(one, part, line)
        return ""
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, ast.Name):
        return target.id
    return ""


def made_at(record: Record, stack: Stack) -> Stack:
    """A stack without the frames in which an object only hands on to the ``__init__`` of its base."""
    while len(stack) > 1:
        found = statement(record, stack[-1])
        call = found.value if isinstance(found, ast.Expr) and isinstance(found.value, ast.Call) else None
        if call is None or called_name(call) != "__init__":
            break
        stack = stack[:-1]
    return stack


def decided_at(record: Record, stack: Stack, *names: str) -> Place | None:
    """The line at which what a call works on is decided: in a helper that was handed it, the call of the helper.

    Args:
        stack: the user's frames of the call.
        names: names of the method or function that was called, e.g. ``apply_gradients``.
    """
    for index in range(len(stack) - 1, -1, -1):
        place = stack[index]
        call = call_named(record, place, *names) if index == len(stack) - 1 else None
        holder = function_at(record, place)
        if index == 0 or holder is None:
            return place
        if index < len(stack) - 1:
            return place
        worked_on = call.func.value if call is not None and isinstance(call.func, ast.Attribute) else None
        parameters = {argument.arg for argument in holder.args.args} - {"self"}
        if not (isinstance(worked_on, ast.Name) and worked_on.id in parameters):
            return place
    return stack[-1] if stack else None


def handed_in(record: Record, stack: Stack, expression: ast.expr | None) -> ast.expr | None:
    """An expression at the innermost frame of a stack; where it is a parameter of a helper, what the caller hands in."""
    index = len(stack) - 1
    while index > 0 and isinstance(expression, ast.Name):
        holder = function_at(record, stack[index])
        names = [argument.arg for argument in holder.args.args] if holder is not None else []
        if holder is None or expression.id not in names:
            break
        call = call_named(record, stack[index - 1], holder.name)
        if call is None:
            break
        position = names.index(expression.id) - (
            1 if names[0] == "self" and isinstance(call.func, ast.Attribute) else 0
        )
        given = argument(call, position, expression.id)
        if given is None:
            break
        expression, index = given, index - 1
    return expression


def used_next(record: Record, place: Place) -> Place | None:
    """The next line in the same function that computes with what the statement at a line is assigned to."""
    root = tree(record, place.file)
    made = statement(record, place)
    holder = function_at(record, place) or root
    if root is None or holder is None or not isinstance(made, ast.Assign) or len(made.targets) != 1:
        return None
    name = text_of(made.targets[0])
    for node in sorted(ast.walk(holder), key=lambda one: getattr(one, "lineno", 0)):
        after = getattr(node, "lineno", 0) > (made.end_lineno or made.lineno)
        if after and isinstance(node, ast.For) and name in text_of(node.iter):
            return Place(place.file, node.lineno, place.function)
    return None


def returned_by(record: Record, place: Place) -> Place | None:
    """The last ``return`` of the function around a line."""
    holder = function_at(record, place)
    if holder is None:
        return None
    lines = [node.lineno for node in ast.walk(holder) if isinstance(node, ast.Return)]
    return Place(place.file, max(lines), place.function) if lines else None


def calls_on(record: Record, place: Place) -> Iterator[ast.Call]:
    """The calls in the statement at a line, outermost first."""
    found = statement(record, place)
    if found is not None:
        for node in ast.walk(found):
            if isinstance(node, ast.Call):
                yield node


def call_named(record: Record, place: Place, *names: str) -> ast.Call | None:
    """The call of a function or method of one of these names in the statement at a line."""
    candidates = [call for call in calls_on(record, place) if called_name(call) in names]
    on_line = [call for call in candidates if call.lineno <= place.line <= (call.end_lineno or call.lineno)]
    return next(iter(on_line or candidates), None)


def called_name(call: ast.Call) -> str:
    """The last part of what is called: ``gradient`` of ``tape.gradient(...)``."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def text_of(node: ast.AST | None) -> str:
    """An expression as code, shortened to one line."""
    if node is None:
        return ""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 72 else text[:69] + "..."


def argument(call: ast.Call | None, position: int, *keywords: str) -> ast.expr | None:
    """An argument of a call, by position or by keyword."""
    if call is None:
        return None
    for keyword in call.keywords:
        if keyword.arg in keywords:
            return keyword.value
    return call.args[position] if position < len(call.args) else None


def span(record: Record, place: Place, *names: str) -> tuple[int | None, int | None]:
    """The columns of a call of one of these names on a line, ``(None, None)`` where it is not on this line."""
    call = call_named(record, place, *names)
    if call is None or call.lineno != place.line:
        return None, None
    line = record.line(place.file, place.line)
    end = call.end_col_offset if call.end_lineno == place.line else len(line.encode())
    return len(line.encode()[: call.col_offset].decode(errors="ignore")), len(
        line.encode()[:end].decode(errors="ignore")
    )


def module_aliases(root: ast.Module, package: str) -> set[str]:
    """The names under which a package was imported (``np`` for ``numpy``)."""
    found = set()
    for node in ast.walk(root):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == package:
                    found.add(alias.asname or alias.name.split(".")[0])
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
            found.update(alias.asname or alias.name for alias in node.names)
    return found


def definitions(root: ast.Module) -> dict[str, ast.FunctionDef]:
    """The functions and methods of a file by name."""
    return {node.name: node for node in ast.walk(root) if isinstance(node, ast.FunctionDef)}


def names_in(node: ast.AST) -> set[str]:
    """The variables and attributes that an expression reads (``self.x`` counts as ``x``)."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Attribute):
            found.add(part.attr)
    return found
