"""The noise a generator is given, in training and when samples are drawn."""

from __future__ import annotations

import ast
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ganmedic.analysis.game import Game
from ganmedic.analysis.networks import RANDOM
from ganmedic.analysis.source import calls_on, tree
from ganmedic.analysis.story import innermost
from ganmedic.analysis.vitals import Look, Player
from ganmedic.record.flow import SHAPE_ONLY
from ganmedic.record.game import Batch, Showing
from ganmedic.record.schema import LayerCall, Place

#: Entries that are correlated by more than this are no noise.
_CORRELATED = 0.35


@dataclass(frozen=True)
class Noise:
    """The noise of one look at a generator's step.

    Attributes:
        leaf: the row of what was drawn.
        moved: root mean square of the change of the generator's output when the noise is dealt out anew; ``others`` of the
            change when anything else is.
    """

    player: Player
    look: Look
    leaf: Batch
    moved: float
    others: float

    @property
    def step(self) -> int:
        """The step."""
        return self.look.probe.step

    @property
    def samples(self) -> int:
        """How many vectors."""
        return self.leaf.shape[0]

    @property
    def width(self) -> int:
        """Entries of one vector."""
        return int(np.prod(self.leaf.shape[1:]))

    @property
    def digests(self) -> tuple[int, ...]:
        """What tells it from other noise."""
        return self.leaf.digests

    @property
    def mean(self) -> float:
        """The mean of its entries."""
        return float(np.mean(self.leaf.mean))

    @property
    def spread(self) -> float:
        """The standard deviation of its entries."""
        return _spread(self.leaf)

    @property
    def low(self) -> float:
        """The smallest entry."""
        return float(min(self.leaf.low))

    @property
    def high(self) -> float:
        """The greatest entry."""
        return float(max(self.leaf.high))

    @property
    def varies(self) -> bool:
        """Whether its vectors differ."""
        return len(set(self.leaf.digests)) > 1

    @property
    def is_uniform(self) -> bool:
        """Whether its entries fill a range evenly."""
        return _uniform(self.leaf)


def _uniform(row: Batch) -> bool:
    """Whether entries fill a range evenly: their fourth moment is below that of any bell."""
    kept = row.array().astype(np.float64).ravel()
    if kept.size < 64 or not kept.std() > 0:
        return False
    standard = (kept - kept.mean()) / kept.std()
    return bool(np.abs(standard).max() < 1.9 and (standard**4).mean() < 1.95)


@dataclass(frozen=True)
class Shown:
    """Noise that a program gave a generator outside of training."""

    showing: Showing
    leaf: Batch
    others: tuple[Batch, ...]
    place: Place | None
    drawn: Place | None

    @property
    def count(self) -> int:
        """How many vectors."""
        return self.leaf.shape[0]

    @property
    def width(self) -> int:
        """Entries of one vector."""
        return int(np.prod(self.leaf.shape[1:]))

    @property
    def mean(self) -> float:
        """The mean of its entries."""
        return float(np.mean(self.leaf.mean))

    @property
    def spread(self) -> float:
        """The standard deviation of its entries."""
        return _spread(self.leaf)

    @property
    def low(self) -> float:
        """The smallest entry."""
        return float(min(self.leaf.low))

    @property
    def high(self) -> float:
        """The greatest entry."""
        return float(max(self.leaf.high))

    @property
    def varies(self) -> bool:
        """Whether its vectors differ."""
        return len(set(self.leaf.digests)) > 1

    @property
    def is_uniform(self) -> bool:
        """Whether its entries fill a range evenly."""
        return _uniform(self.leaf)

    @property
    def follows_labels(self) -> bool:
        """Whether the same noise is held while something else that goes in changes."""
        return not self.varies and any(len(set(one.digests)) > 1 for one in self.others)

    @property
    def along_a_line(self) -> bool:
        """Whether the vectors lie on a few lines, as in a walk between two of them."""
        kept = self.leaf.array().reshape(len(self.leaf.array()), -1).astype(np.float64)
        if len(kept) < 4 or kept.shape[1] < 3:
            return False
        values = np.linalg.svd(kept - kept.mean(axis=0), compute_uv=False)
        return bool(values[0] > 0 and values[2:].max(initial=0.0) < 1e-3 * values[0])


def noises(game: Game, player: Player) -> list[Noise]:
    """The noise in each look at a generator's step; empty where it is given none."""
    found = []
    for look in player.looks:
        outputs = {one.value for one in game.batches.get(look.probe.id, ()) if game.is_output(one.value)}
        answers = [one for one in game.responses.get(look.probe.id, ()) if one.value in outputs]
        moved: dict[int, float] = {}
        for one in answers:
            moved[one.leaf] = max(moved.get(one.leaf, 0.0), one.moved)
        leaves = [row for leaf in moved if (row := game.batch(look, leaf, "given")) is not None]
        noise = [one for one in leaves if is_noise(game, one)]
        if noise:
            leaf = max(noise, key=lambda one: moved[one.value])
            rest = max((moved[one.value] for one in leaves if one not in noise), default=0.0)
            found.append(Noise(player, look, leaf, moved[leaf.value], rest))
    return found


def inside(game: Game, player: Player) -> list[Noise]:
    """The noise in each look at a step that draws it by itself, from a seed that is written in the code."""
    found = []
    for look in player.looks:
        for row in game.batches.get(look.probe.id, ()):
            # Numbers of other generators are drawn anew in a sandbox, and say nothing of the program's.
            if row.place == "input" and _is_drawn(game, row.value, "Stateless") and not game.is_made(row.value):
                found.append(Noise(player, look, row, 0.0, 0.0))
                break
    return found


def is_noise(game: Game, row: Batch) -> bool:
    """Whether a leaf was drawn at random, or looks it: entries of one law that have nothing to do with each other."""
    made = game.record.producers.get(game.record.resolve(row.value)) or game.record.producers.get(row.value)
    if made is not None and RANDOM.search(made[0].kind):
        return made[0].layer_call is None
    if not row.dtype.startswith(("float", "bfloat")) or len(row.shape) < 2 or row.whole > 0.5:
        return False
    if any(game.judged(value) and not game.is_made(value) for value in _users(game, row.value)):
        return False
    kept = row.array().reshape(len(row.array()), -1).astype(np.float64) if row.form else np.zeros((0, 0))
    if len(kept) < 2:
        return len(row.shape) == 2 and row.shape[1] > 1 and abs(float(np.mean(row.mean))) < 2
    return _independent(kept)


def _users(game: Game, value: int) -> list[int]:
    """The outputs of layers that a value goes into directly."""
    return [one for operation, _ in game.record.consumers.get(value, ()) for one in operation.outputs]


def _independent(rows: NDArray[np.float64]) -> bool:
    """Whether all entries have much the same mean and spread, and neighbours are not correlated."""
    whole = rows.std()
    if not whole > 0:
        return False
    spreads, means = rows.std(axis=0), rows.mean(axis=0)
    if rows.shape[1] == 1:
        return abs(float(means[0])) < 3 * float(whole)
    loose = 4.0 / np.sqrt(len(rows))
    alike = float(np.median(np.abs(spreads / whole - 1))) < 0.1 + loose
    centred = float(np.median(np.abs(means - rows.mean()))) < (0.1 + loose) * float(whole)
    left, right = rows[:, :-1] - means[:-1], rows[:, 1:] - means[1:]
    correlation = abs(float((left * right).mean() / max(1e-12, float(np.square(whole)))))
    return alike and centred and correlation < _CORRELATED


def shown(game: Game, player: Player) -> list[Shown]:
    """What the program gave a generator outside of its training step, last first."""
    module = player.net.module.id if player.net.module is not None else -1
    trained = {one.leaf.digests for one in noises(game, player)}
    # Before the training a network is called to be built.
    began = min((one.call.id for one in player.looks), default=0)
    found = []
    for showing in sorted(game.record.showings.values(), key=lambda one: -one.id):
        rows = [one for one in game.batches.get(showing.id, ()) if one.place == "input"]
        floats = [one for one in rows if one.dtype.startswith("float") and len(one.shape) > 1]
        if showing.module != module or not floats or showing.id < began:
            continue
        widths = {one.leaf.shape[1:] for one in noises(game, player)}
        leaf = next((one for one in floats if one.shape[1:] in widths and one.digests not in trained), None)
        if leaf is not None:
            place = showing.stack[-1] if showing.stack else None
            others = tuple(one for one in rows if one is not leaf)
            found.append(Shown(showing, leaf, others, place, _line_of_noise(game, place)))
    return found


def _line_of_noise(game: Game, place: Place | None) -> Place | None:
    """The line on which the argument of a call was drawn, where it is a name."""
    root = tree(game.record, place.file) if place is not None else None
    if place is None or root is None:
        return None
    names = {
        name.id
        for call in calls_on(game.record, place)
        for argument in call.args
        for name in ast.walk(argument)
        if isinstance(name, ast.Name)
    }
    lines = [
        node.lineno
        for node in ast.walk(root)
        if isinstance(node, ast.Assign)
        and node.lineno < place.line
        and any(isinstance(target, ast.Name) and target.id in names for target in node.targets)
        and any(
            word in ast.unparse(node.value)
            for word in ("random", "normal", "uniform", "zeros", "ones", "rng", "linspace")
        )
    ]
    return Place(place.file, max(lines), place.function) if lines else None


def _spread(row: Batch) -> float:
    mean = float(np.mean(row.mean))
    return float(np.sqrt(np.mean(np.square(row.spread) + np.square(np.array(row.mean) - mean))))


def unconnected(game: Game, player: Player) -> Place | None:
    """Where a generator begins to compute without the noise that it is handed; ``None`` where it uses it, or gets none."""
    record = game.record
    module = player.net.module
    for call in record.module_calls(module.id) if module is not None else ():
        drawn = [value for value in call.inputs if _is_drawn(game, value)]
        if call.graph != player.call.graph or not drawn or not call.outputs:
            continue
        if not any(_leads(game, value, set(call.outputs), call.ended) for value in drawn):
            return _beginning(game, call)
        return None
    return None


def _is_drawn(game: Game, value: int, begin: str = "") -> bool:
    """Whether a value was drawn at random, by an operation of such a name, whatever plain arithmetic came after."""
    for _ in range(6):
        made = game.record.producers.get(game.record.resolve(value))
        if made is None:
            return False
        if RANDOM.search(made[0].kind):
            return made[0].kind.startswith(begin)
        rest = [one for one in made[0].inputs if not is_written(game, one)]
        if made[0].kind not in ("Mul", "AddV2", "Identity", "Cast", "Sub", "Reshape") or len(rest) != 1:
            return False
        value = rest[0]
    return False


def is_written(game: Game, value: int) -> bool:
    """Whether a value is a number, or a shape, that no data and no random numbers go into."""
    made = game.record.producers.get(game.record.resolve(value))
    if made is None:
        return not game.rows_of(value)
    if made[0].kind in ("Const", "Shape"):
        return True
    simple = made[0].kind in ("Pack", "Cast", "StridedSlice", "Identity")
    return simple and all(is_written(game, one) for one in made[0].inputs)


def _leads(game: Game, value: int, goals: set[int], until: int) -> bool:
    """Whether a way leads from a value to one of others that is not one of shapes only."""
    queue, seen = [value], {value}
    while queue:
        for operation, _ in game.record.consumers.get(queue.pop(), ()):
            if operation.kind in SHAPE_ONLY or (until and operation.id > until):
                continue
            if operation.bodies:
                return True  # what a loop or a call does with it is not followed
            for one in operation.outputs:
                if one in goals:
                    return True
                if one not in seen:
                    seen.add(one)
                    queue.append(one)
    return value in goals


def _beginning(game: Game, call: LayerCall) -> Place | None:
    """The line of a network's call on which its first layer is given something."""
    record = game.record
    inner = [one for one in record.layer_calls.values() if one.parent == call.id and one.inputs]
    if not inner:
        return innermost(call.stack)
    first = min(inner, key=lambda one: one.id)
    made = record.producers.get(first.inputs[0])
    if made is not None and made[0].layer_call == call.id and made[0].stack:
        return made[0].stack[-1]
    return innermost(first.stack)
