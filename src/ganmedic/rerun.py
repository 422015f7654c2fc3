"""What came out when a step that went wrong was run again: figures of every value, in the order of the operations."""

from __future__ import annotations

from dataclasses import dataclass, field

from ganmedic.record.schema import GradientCall, Operation

#: What such operations make says nothing of its own; a shortened list does without them.
_PLAIN = frozenset({"Const", "Identity", "Shape", "StridedSlice", "Pack", "Squeeze", "ExpandDims", "Placeholder"})


@dataclass(frozen=True, slots=True)
class Figures:
    """One value.

    Attributes:
        name: of an input what it is, in words.
        low, mean, high: over the finite entries; ``None`` where there is none or where they are no numbers.
        size: number of entries; ``nan`` and ``infinite`` how many of them are that.
    """

    shape: tuple[int, ...]
    dtype: str
    size: int = 0
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    nan: int = 0
    infinite: int = 0
    name: str = ""

    @property
    def bad(self) -> bool:
        """Whether an entry is not finite."""
        return bool(self.nan or self.infinite)


@dataclass(slots=True)
class Ran:
    """One operation that was run again.

    Attributes:
        outputs: what came out.
        inputs: what went in, in the order of the operation's inputs; of an operation in :attr:`Rerun.births` only.
    """

    operation: Operation
    outputs: tuple[Figures, ...]
    inputs: tuple[Figures, ...] = ()

    @property
    def bad(self) -> bool:
        """Whether a value that is not finite came out."""
        return any(figures.bad for figures in self.outputs)


@dataclass(slots=True)
class Rerun:
    """One step.

    Attributes:
        call: the gradient call whose operations were run.
        step: how often it had been answered before.
        ran: the operations, in order.
        births: ids of those that made a value which is not finite out of finite ones and from which it came to a loss or a
            gradient; the first one first.
        leading: ids of the operations that lead to the first of these, or to the losses, nearest first; ``following`` of
            those that carry the value on from there, in order.
        variables, given: the variables and the inputs.
        losses: the losses; ``gradients`` how many gradients came out and how many of them are not finite.
        failed: type of each operation that could not be run, and why.
    """

    call: GradientCall
    step: int
    ran: list[Ran]
    births: tuple[int, ...] = ()
    leading: tuple[int, ...] = ()
    following: tuple[int, ...] = ()
    variables: tuple[Figures, ...] = ()
    given: tuple[Figures, ...] = ()
    losses: tuple[Figures, ...] = ()
    gradients: tuple[int, int] = (0, 0)
    failed: list[tuple[str, str]] = field(default_factory=list)

    def chosen(self, most: int) -> list[Ran]:
        """At most so many operations, and the first birth among them: all of them, or what leads to it and on from it."""
        if len(self.ran) <= most:
            return self.ran
        plain = {one.operation.id for one in self.ran if one.operation.kind in _PLAIN}
        leading = [number for number in self.leading if number not in plain]
        following = [number for number in self.following if number not in plain]
        onward = min(len(following), most // 4)
        wanted = {*self.births[:1], *leading[: most - onward]}
        wanted.update((*following[: onward - 1], following[-1]) if onward else ())
        return [one for one in self.ran if one.operation.id in wanted]
