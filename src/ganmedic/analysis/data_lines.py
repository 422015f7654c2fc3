"""Finds the lines of a program that decide on its data: read from the source, since arrays are made outside TensorFlow."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ganmedic.analysis.run import Run
from ganmedic.analysis.source import called_name, tree
from ganmedic.record.schema import Place

#: Functions of the user's program or of a library that samples are handed to.
_TAKERS = frozenset({"from_tensor_slices", "fit", "from_tensors", "from_generator"})
#: What brings data into a program.
_LOADERS = frozenset(
    {"load_data", "load_digits", "mnist_data", "read_csv", "genfromtxt", "loadtxt", "load", "default_rng"}
)


@dataclass(frozen=True)
class Statement:
    """One assignment to data, or what a function that prepares them returns."""

    place: Place
    node: ast.AST
    names: frozenset[str]


def preparation(run: Run) -> list[Statement]:
    """The statements that make what is trained on, in the order of the program; the last one hands it over."""
    for file in _files(run):
        root = tree(run.record, file)
        if root is None:
            continue
        seeds = _handed_over(root)
        if not seeds:
            continue
        names = set(seeds)
        found: dict[tuple[int, str], Statement] = {}
        for _ in range(6):
            before = len(found)
            for statement in _assignments(root, file):
                if statement.names & names:
                    found[statement.place.line, statement.place.function] = statement
                    read = {node.id for node in ast.walk(statement.node) if isinstance(node, ast.Name)}
                    names |= read
                    names |= _returned_names(root, read)
            if len(found) == before:
                break
        for statement in _mapped(root, file, names):
            found[statement.place.line, statement.place.function] = statement
        return [found[key] for key in sorted(found)]
    return []


def last_where(run: Run, fits: Callable[[ast.AST], bool]) -> Place | None:
    """The last statement in the preparation of the data that fits."""
    return next((one.place for one in reversed(preparation(run)) if fits(one.node)), None)


def handover(run: Run) -> Place | None:
    """The last statement that changes the values of what is trained on."""
    return last_where(run, is_arithmetic) or last_where(run, is_cast) or last_where(run, lambda node: True)


def is_arithmetic(node: ast.AST) -> bool:
    """Whether something is divided, or a mean taken off."""
    return any(isinstance(one, ast.BinOp) and isinstance(one.op, (ast.Div, ast.FloorDiv)) for one in ast.walk(node))


def is_cast(node: ast.AST) -> bool:
    """Whether a type is changed."""
    return any(
        isinstance(one, ast.Call) and called_name(one) in ("astype", "cast", "float32") for one in ast.walk(node)
    )


def makes_whole(node: ast.AST) -> bool:
    """Whether whole numbers come out: a division with ``//``, a cast to integers, rounding."""
    for one in ast.walk(node):
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.FloorDiv):
            return not isinstance(one.left, ast.Call) or called_name(one.left) not in ("len", "shape")
        if isinstance(one, ast.Call):
            text = ast.unparse(one)
            if called_name(one) in ("astype", "cast", "round", "rint") or any(
                key.arg == "dtype" for key in one.keywords
            ):
                typed = any(word in text for word in ("int8", "int16", "int32", "int64", "uint8", "round", "rint"))
                typed = typed or text.rstrip(")").endswith("(int")
                if typed and any(isinstance(part, ast.BinOp) for part in ast.walk(one)):
                    return True
    return False


def whole_by_keyword(run: Run) -> Place | None:
    """The line on which something that is divided is handed to a call together with a type of whole numbers."""
    for file in _files(run):
        for node in ast.walk(tree(run.record, file) or ast.Module([], [])):
            if isinstance(node, ast.Call) and any(is_arithmetic(one) for one in node.args):
                types = [ast.unparse(one.value) for one in node.keywords if one.arg in ("dtype", "output_types")]
                if any("int" in one for one in types):
                    return Place(file, node.lineno, "")
    return None


def calls(*names: str) -> Callable[[ast.AST], bool]:
    """Whether one of these functions is called."""
    return lambda node: any(isinstance(one, ast.Call) and called_name(one) in names for one in ast.walk(node))


def place_of_call(run: Run, *names: str, keyword: str = "") -> Place | None:
    """The last line on which one of these functions is called, with this keyword where it is given."""
    for file in _files(run):
        root = tree(run.record, file)
        found = [
            node
            for node in ast.walk(root or ast.Module([], []))
            if isinstance(node, ast.Call)
            and called_name(node) in names
            and (not keyword or any(one.arg == keyword for one in node.keywords))
        ]
        if found:
            node = max(found, key=lambda one: one.lineno)
            line = next((one.value.lineno for one in node.keywords if keyword and one.arg == keyword), None)
            attribute = node.func if isinstance(node.func, ast.Attribute) else None
            return Place(
                file, line or (attribute.end_lineno if attribute and attribute.end_lineno else node.lineno), ""
            )
    return None


def _files(run: Run) -> list[str]:
    files = [place.file for call in run.record.gradient_calls.values() for place in call.stack]
    files += [place.file for call in run.record.train_calls.values() for place in call.stack]
    return list(dict.fromkeys([*files, *run.record.sources]))


def _handed_over(root: ast.AST) -> set[str]:
    """The names that are given to a data set or to ``fit``, or of which a loop takes batches."""
    found: set[str] = set()
    for node in ast.walk(root):
        if isinstance(node, ast.Call) and called_name(node) in _TAKERS and node.args:
            found |= {one.id for one in ast.walk(node.args[0]) if isinstance(one, ast.Name)}
        if isinstance(node, (ast.For, ast.comprehension)):
            found |= {one.id for one in ast.walk(node.iter) if isinstance(one, ast.Name)}
        if isinstance(node, (ast.For, ast.While, ast.FunctionDef)):
            for one in ast.walk(node):
                if isinstance(one, ast.Subscript) and isinstance(one.value, ast.Name):
                    found.add(one.value.id)
                if isinstance(one, ast.Call) and called_name(one) in ("convert_to_tensor", "constant", "next"):
                    found |= {name.id for name in ast.walk(one) if isinstance(name, ast.Name)}
    return found - {"range", "enumerate", "zip", "tf", "np", "keras", "self"}


def _assignments(root: ast.AST, file: str) -> Iterator[Statement]:
    for function, node in _statements(root):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
            names |= {one.attr for target in targets for one in ast.walk(target) if isinstance(one, ast.Attribute)}
            if names and node.value is not None:
                yield Statement(Place(file, node.lineno, function), node, frozenset(names))
        elif isinstance(node, ast.Return) and node.value is not None and function:
            yield Statement(Place(file, node.lineno, function), node, frozenset({function}))


def _statements(root: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    for node in ast.iter_child_nodes(root):
        inside = node.name if isinstance(node, ast.FunctionDef) else function
        yield inside, node
        yield from _statements(node, inside)


def _returned_names(root: ast.AST, names: set[str]) -> set[str]:
    """What functions of these names return."""
    found: set[str] = set()
    for node in ast.walk(root):
        if isinstance(node, ast.FunctionDef) and node.name in names:
            for one in ast.walk(node):
                if isinstance(one, ast.Return) and one.value is not None:
                    found |= {name.id for name in ast.walk(one.value) if isinstance(name, ast.Name)}
    return found


def _mapped(root: ast.AST, file: str, names: set[str]) -> Iterator[Statement]:
    """What the functions do that a data set is mapped through."""
    for node in ast.walk(root):
        if not (isinstance(node, ast.Call) and called_name(node) == "map" and node.args):
            continue
        mapped = node.args[0]
        if isinstance(mapped, ast.Lambda):
            yield Statement(Place(file, mapped.lineno, ""), mapped, frozenset())
        elif isinstance(mapped, ast.Name):
            for one in ast.walk(root):
                if isinstance(one, ast.FunctionDef) and one.name == mapped.id:
                    for inner in ast.walk(one):
                        if isinstance(inner, (ast.Return, ast.Assign)) and inner.value is not None:
                            yield Statement(Place(file, inner.lineno, one.name), inner, frozenset({one.name}))
