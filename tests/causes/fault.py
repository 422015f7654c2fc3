"""The table of hand-built runs: faults, each with its sound twin, and sound runs that look like faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from record.building import Script


@dataclass(frozen=True)
class Fault:
    """A run that is faulty or, in all but one line, sound.

    Attributes:
        build: makes the faulty run (True) or its twin (False).
        slug: the cause that has to be named.
        line: a piece of the line that a fix edits.
        network: the part of the network whose gradients suffer.
        variables: the variables that have to be named.
        brings: other causes that may be named behind it, as consequences of the fault.
    """

    build: Callable[[bool], Script]
    slug: str
    line: str
    network: str
    variables: tuple[str, ...]
    brings: tuple[str, ...] = ()


FAULTS: dict[str, Fault] = {}
BENIGN: dict[str, Callable[[], Script]] = {}


def fault(
    slug: str, line: str, network: str, variables: tuple[str, ...], brings: tuple[str, ...] = ()
) -> Callable[[Callable[[bool], Script]], Callable[[bool], Script]]:
    """Enter a builder, ``build(faulty)``, into the table of faults."""

    def enter(build: Callable[[bool], Script]) -> Callable[[bool], Script]:
        FAULTS[build.__name__] = Fault(build, slug, line, network, variables, brings)
        return build

    return enter


def benign(build: Callable[[], Script]) -> Callable[[], Script]:
    """Enter a builder into the table of sound runs."""
    BENIGN[build.__name__] = build
    return build
