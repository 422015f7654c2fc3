"""Puts findings about the game and the data together in one form, and finds the lines they point at."""

from __future__ import annotations

import ast

from ganmedic.analysis.game import Game
from ganmedic.analysis.noise import Noise
from ganmedic.analysis.reals import Reals
from ganmedic.analysis.source import argument, called_name, tree
from ganmedic.analysis.story import innermost
from ganmedic.analysis.vitals import Player, Score, Vitals
from ganmedic.causes.building import operation_place
from ganmedic.causes.measuring import measured_finding, term_place
from ganmedic.finding import Finding, Remedy, Severity
from ganmedic.record.schema import Operation, Place


def data_finding(
    reals: Reals,
    cause: str,
    summary: str,
    *,
    place: Place | None,
    evidence: tuple[str, ...],
    remedies: tuple[Remedy, ...],
    confidence: float,
    more: tuple[tuple[Place | None, str], ...] = (),
    severity: Severity = "error",
) -> Finding:
    """A finding about the data: told of the discriminator, which is given them."""
    game = reals.game
    player = reals.trials[-1].player if reals.trials else (game.judges or game.makers or game.vitals.players)[0]
    return measured_finding(
        game.vitals,
        cause,
        player,
        summary,
        place=place,
        evidence=evidence,
        remedies=remedies,
        confidence=confidence,
        more=more,
        severity=severity,
        step=reals.trials[0].step if reals.trials else 0,
    )


def target_place(vitals: Vitals, score: Score, beside: Score | None = None) -> Place | None:
    """The line that decides what a loss term asks of a score: where its target is made, else where the term is called for.

    Args:
        beside: a score whose term is right; of a function that both terms call the call is told, not a line inside of it.
    """
    made = _target(vitals, score)
    if made is not None:
        place = operation_place(vitals.run, made)
        if place is not None and (beside is None or _target_line(vitals, beside) != place):
            return place
    term = term_place(vitals, score)
    if beside is None or term is None or term_place(vitals, beside) != term:
        return term
    stacks = [_stack_of_term(vitals, one, term) for one in (score, beside)]
    own, other = (stack[::-1] for stack in stacks)
    return next((place for place in own if place not in other), term)


def _target_line(vitals: Vitals, score: Score) -> Place | None:
    made = _target(vitals, score)
    return operation_place(vitals.run, made) if made is not None else None


def _stack_of_term(vitals: Vitals, score: Score, term: Place) -> tuple[Place, ...]:
    return next((one.stack for one in vitals.tail(score) if term in one.stack), ())


def _target(vitals: Vitals, score: Score) -> Operation | None:
    """The operation that makes the target a score is held against: as large as the score, and no network behind it."""
    record, run = vitals.record, vitals.run
    size = _size(score.operation)
    term = term_place(vitals, score)
    inside = {score.profile.value}
    for operation in vitals.tail(score):
        inside.update(operation.outputs)
    for operation in vitals.tail(score):
        for value in operation.inputs:
            found = record.producers.get(record.resolve(value))
            if value in inside or found is None or not found[0].stack or found[0].gradient_call is not None:
                continue
            made = found[0]
            if not _fits(_size(made), size) or operation_place(run, made) in (None, term):
                continue
            behind = run.flow.behind_values((record.resolve(value),), None, made.id + 1)
            if not any(one in run.net_of for one in behind.by_value):
                return made
    return None


def _fits(shape: tuple[int | None, ...], other: tuple[int | None, ...]) -> bool:
    """Whether two static shapes may be the same."""
    known = zip(shape, other, strict=False)
    return bool(shape) and len(shape) == len(other) and all(a is None or b is None or a == b for a, b in known)


def _size(operation: Operation) -> tuple[int | None, ...]:
    return tuple(operation.shapes[0] or ()) if operation.shapes else ()


def given_target(game: Game, player: Player) -> Place | None:
    """The line on which targets are made that a program hands to ``train_on_batch``: of several the one with arithmetic in it."""
    found: list[tuple[bool, int, str]] = []
    for file in game.record.sources:
        root = tree(game.record, file)
        for node in ast.walk(root) if root is not None else ():
            if not (isinstance(node, ast.Call) and called_name(node) == "train_on_batch"):
                continue
            target = argument(node, 1, "y")
            names = {one.id for one in ast.walk(target) if isinstance(one, ast.Name)} if target is not None else set()
            for one in ast.walk(root) if root is not None else ():
                targets = one.targets if isinstance(one, ast.Assign) else []
                if any(isinstance(name, ast.Name) and name.id in names for name in targets) and isinstance(
                    one, ast.Assign
                ):
                    worked = any(isinstance(part, (ast.BinOp, ast.UnaryOp)) for part in ast.walk(one.value))
                    found.append((not worked, one.lineno, file))
    if not found:
        return None
    _, line, file = min(found)
    return Place(file, line, "")


def drawn_at(game: Game, noise: Noise) -> Place | None:
    """The line on which the noise of a step is drawn."""
    made = game.record.producers.get(game.record.resolve(noise.leaf.value))
    if made is not None and made[0].stack:
        return operation_place(game.run, made[0])
    return _named(game, noise.player) or innermost(noise.player.call.stack)


def _named(game: Game, player: Player) -> Place | None:
    """The line before the loop on which what is handed to the step is drawn."""
    near = innermost(player.call.stack)
    root = tree(game.record, near.file) if near is not None else None
    found = (
        [
            node.lineno
            for node in ast.walk(root)
            if root is not None
            if isinstance(node, ast.Assign)
            and any(word in ast.unparse(node.value) for word in ("random", "normal", "uniform", "randn"))
            and any(
                isinstance(name, ast.Name) and any(word in name.id.lower() for word in ("noise", "z", "latent", "seed"))
                for target in node.targets
                for name in ast.walk(target)
            )
        ]
        if root is not None
        else []
    )
    return Place(near.file, found[0], "") if found and near is not None else None


def first_use(game: Game, noise: Noise) -> Place | None:
    """The line on which noise is lost: where what drowns it is handed over, else its first use inside the generator."""
    record = game.record
    louder = next((one for one in _louder(game, noise)), None)
    if louder is not None:
        return louder
    queue, seen = [noise.leaf.value], {noise.leaf.value}
    for _ in range(400):
        if not queue:
            break
        for operation, _ in record.consumers.get(queue.pop(0), ()):
            if operation.gradient_call is not None or operation.kind in ("Placeholder", "Shape"):
                continue
            if operation.stack and operation.layer_call is not None:
                return operation_place(game.run, operation)
            fresh = [one for one in operation.outputs if one not in seen]
            seen.update(fresh)
            queue.extend(fresh)
    return drawn_at(game, noise)


#: A condition so many times as large as the noise drowns it.
_DROWNS = 20.0


def _louder(game: Game, noise: Noise) -> list[Place]:
    """The lines on which something much larger than the noise is handed to the step."""
    found: list[Place] = []
    leaves = {one.leaf for one in game.responses.get(noise.look.probe.id, ()) if game.is_output(one.value)}
    for leaf in leaves - {noise.leaf.value}:
        row = game.batch(noise.look, leaf, "given")
        if row is None or not row.dtype.startswith("float"):
            continue
        size = max(abs(mean) + spread for mean, spread in zip(row.mean, row.spread, strict=True))
        if size > _DROWNS * max(noise.spread, 1e-12):
            calls = [
                one
                for one in game.record.operations.values()
                if one.kind == "Call" and one.graph == 0 and noise.player.call.graph in one.bodies and one.stack
            ]
            found.extend(one.stack[-1] for one in calls[:1])
    return found
