"""Where values that are not finite were born, and what that says."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ganmedic.analysis.verdicts import backward_of
from ganmedic.analysis.vitals import Player, Vitals
from ganmedic.record.record import Record
from ganmedic.record.schema import Operation, Origin

_ROOTS = frozenset({"Sqrt", "Rsqrt", "EuclideanNorm", "Norm"})
_QUOTIENTS = frozenset({"RealDiv", "Div", "Reciprocal", "Inv", "Xdivy"})
_LOGARITHMS = _QUOTIENTS | {"Log", "Log1p", "Xlogy", "Xlog1py", "Atanh", "Acos", "Asin", "Acosh"}
#: They are defined everywhere: what comes out infinite has grown too large.
_GROW = frozenset(
    {
        "Add",
        "AddN",
        "AddV2",
        "BatchMatMulV2",
        "BatchMatMulV3",
        "BiasAdd",
        "BiasAddGrad",
        "Cast",
        "Conv2D",
        "Conv2DBackpropFilter",
        "Conv2DBackpropInput",
        "Conv3D",
        "Cosh",
        "Cumsum",
        "DepthwiseConv2dNative",
        "Einsum",
        "Exp",
        "Expm1",
        "FusedBatchNormV3",
        "L2Loss",
        "MatMul",
        "Mean",
        "Mul",
        "Neg",
        "Pow",
        "Prod",
        "Sinh",
        "Softplus",
        "Square",
        "SquaredDifference",
        "Sub",
        "Sum",
        "UnsortedSegmentSum",
    }
)
#: The largest float16.
_MOST_HALF = 65504.0


@dataclass(frozen=True)
class Birth:
    """An operation that made a value which is not finite, out of finite ones.

    Attributes:
        made: the operation; ``root`` the forward operation it differentiates, or itself.
        player: who was trained in that step.
    """

    origin: Origin
    made: Operation
    root: Operation
    player: Player
    spread: str

    @property
    def name(self) -> str:
        """What a person calls the operation."""
        return self.root.kind if self.root is self.made else f"the derivative of {self.root.kind}"

    @property
    def largest(self) -> float:
        """The largest absolute value that went in."""
        return max(
            (max(abs(low), abs(high)) for low, high in zip(self.origin.lows, self.origin.highs, strict=True)),
            default=0.0,
        )

    @property
    def met(self) -> str:
        """The value that did it, in words."""
        if any(share > 0 for share in self.origin.zeros):
            return "zero"
        low = min(self.origin.lows, default=0.0)
        return f"a value of {low:.3g}"

    @property
    def is_root_of_zero(self) -> bool:
        """Whether it is the derivative of a root at zero."""
        backward = self.made is not self.root
        power = self.root.kind == "Pow" and backward
        zero = any(share > 0 for share in self.origin.zeros) or not self.origin.zeros
        forward = self.root.kind == "Rsqrt" and not backward
        return zero and ((self.root.kind in _ROOTS and backward) or power or forward)

    @property
    def is_overflow_of_half(self) -> bool:
        """Whether float16 ended here."""
        own = self.is_pole or self.is_root_of_zero or self.is_negative_root
        return self.origin.dtype == "float16" and not own and self.largest > 1.0

    @property
    def is_pole(self) -> bool:
        """Whether the operation itself has no finite value at what went in: a logarithm or a quotient of zero."""
        origin, kind = self.origin, self.root.kind
        zeros, lows = origin.zeros, origin.lows
        if not zeros:
            return kind in _LOGARITHMS
        if kind in _QUOTIENTS:
            return zeros[-1] > 0 if self.made is self.root else any(share > 0 for share in zeros)
        if kind == "Pow" and self.made is self.root:
            return (lows[0] < 0 and not origin.infinite) or (zeros[0] > 0 and min(lows[1:], default=0.0) < 0)
        if kind == "Log1p":
            return min(lows) <= -1.0 or self.made is not self.root
        if kind in _LOGARITHMS:
            return any(share > 0 for share in zeros) or min(lows) < 0
        return (kind not in _GROW and kind not in _ROOTS) or any(math.isinf(one) for one in (*lows, *origin.highs))

    @property
    def is_negative_root(self) -> bool:
        """Whether a root is taken of something below zero."""
        return self.root.kind in ("Sqrt", "Rsqrt") and self.made is self.root and min(self.origin.lows, default=0.0) < 0

    @property
    def is_overflow(self) -> bool:
        """Whether finite values just grew beyond what their type holds."""
        return not (self.is_root_of_zero or self.is_pole or self.is_negative_root)

    @property
    def is_explained(self) -> bool:
        """Whether the operation itself is the reason, and no growth before it."""
        return not self.is_overflow or self.is_overflow_of_half


def births(record: Record) -> list[Birth]:
    """The births in a run, first to last; those that a loss scale made on purpose and took back are none."""
    vitals = Vitals.of(record)
    found = []
    for origin in vitals.origins:
        made = record.operations.get(origin.operation)
        player = _player(vitals, origin)
        if origin.source != "operation" or made is None or player is None or _is_taken_back(player):
            continue
        found.append(Birth(origin, made, _root(vitals, made), player, _spread(player)))
    return found


def _root(vitals: Vitals, made: Operation) -> Operation:
    """The operation of the user's forward pass: what a gradient, or the gradient of a gradient, was taken of."""
    root = made
    for _ in range(4):
        forward = vitals.record.operations.get(root.forward)
        if forward is None and root.gradient_call is not None:
            forward = backward_of(vitals.run, root)
        if forward is None:
            break
        root = forward
    return root


def _player(vitals: Vitals, origin: Origin) -> Player | None:
    call = vitals.record.gradient_calls.get(origin.call)
    fitting = [player for player in vitals.players if player.series.call == origin.call]
    if not fitting and call is not None:
        fitting = [one for one in vitals.players if one.call.stack == call.stack and one.call.sources == call.sources]
    return fitting[0] if fitting else next(iter(vitals.players), None)


def _is_taken_back(player: Player) -> bool:
    """Whether the steps that went wrong were left out and training went on: the work of a loss scale that is dynamic."""
    optimizer = player.optimizer
    rows = player.series.of("nonfinite").max(axis=1)
    if optimizer is None or not optimizer.loss_scale or not len(rows):
        return False
    late = rows[-max(1, len(rows) // 4) :]
    weights = player.series.of("weight")[-1]
    return bool(np.isfinite(weights).all() and (late > 0).mean() < 0.5)


def _spread(player: Player) -> str:
    """How far it got."""
    weights = player.series.of("weight")
    if len(weights) and not np.isfinite(weights[-1]).all():
        return f"it spreads into the weights of {player.net.name}"
    return f"it reaches the gradient of {player.net.name}"
