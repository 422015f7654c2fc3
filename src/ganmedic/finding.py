"""What ganmedic says: findings, and the diagnosis that holds them.

A finding knows nothing of how it is printed; a renderer knows nothing of how it was found. Every text in here may hold
strings from the user's program (names of layers, lines of code), so a renderer escapes all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "note"]
StepKind = Literal["loss", "operation", "cut", "variable", "network", "value"]
Ending = Literal["completed", "steps", "seconds", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the user's own code.

    Attributes:
        file: absolute path of the script, module or notebook.
        line: 1-based line; in a notebook the line within the cell.
        role: what this place is: ``fault`` (what a fix edits), ``cut``, ``loss``, ``gradient``, ``apply``,
            ``variable-list``, ``forward``, ``network``, ``freeze``, ``arrival``, ``optimizer``.
        function: the enclosing function, ``<module>`` at top level.
        text: the line of code, without its line break; empty if the source could not be read.
        column: 0-based column where the marked part begins, ``None`` to mark the whole line.
        end_column: 0-based column behind the marked part.
        cell: 1-based number of the code cell, for notebooks only.
    """

    file: str
    line: int
    role: str = "fault"
    function: str = ""
    text: str = ""
    column: int | None = None
    end_column: int | None = None
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class PathStep:
    """One station on the way from the loss back to a variable, in the order a gradient would travel.

    Attributes:
        label: what a person calls it: ``loss``, ``Sigmoid``, ``layer dense_2``, ``ArgMax``, ``generator: 8 variables``.
        kind: ``cut`` marks the station where the gradient stops.
        location: where in the user's code it was made, if known.
        detail: one short remark (``no gradient is defined for ArgMax``).
        repeated: how many similar operations this station stands for.
    """

    label: str
    kind: StepKind = "operation"
    location: Location | None = None
    detail: str = ""
    repeated: int = 1


@dataclass(frozen=True, slots=True)
class Remedy:
    """A correction for the script at hand.

    Attributes:
        text: one sentence that says what to do.
        code: the correction as Python code, ready to paste; empty where there is none.
        keeps_objective: whether the loss that is minimised stays the same.
        location: the line the code replaces or follows.
    """

    text: str
    code: str = ""
    keeps_objective: bool = True
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One root cause, seen in this run.

    Attributes:
        cause: slug of the cause, e.g. ``non-differentiable-op``.
        severity: ``error`` (training cannot work), ``warning`` (part of it cannot), ``note`` (worth knowing).
        confidence: 0 to 1.
        network: part played by the network whose gradients suffer: ``generator``, ``discriminator``, ``encoder``,
            ``both`` or ``other``.
        summary: one sentence with the network, the reason and the numbers.
        evidence: what was seen, one fact a string.
        locations: places in the user's code; the first is the line that a fix edits.
        variables: paths of the variables that suffer, e.g. ``generator/dense/kernel``.
        remedies: corrections, best first.
        explains: slugs of the findings this one is the root of.
        path: the way from the loss to the variables with the cut in it; empty where there is no path to draw.
        network_name: the user's name of the network.
        variables_total: how many trainable variables that network has.
        step: the training step (0-based) at which it was seen.
    """

    cause: str
    severity: Severity
    confidence: float
    network: str
    summary: str
    evidence: tuple[str, ...] = ()
    locations: tuple[Location, ...] = ()
    variables: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    explains: tuple[str, ...] = ()
    path: tuple[PathStep, ...] = ()
    network_name: str = ""
    variables_total: int = 0
    step: int = 0

    def _repr_html_(self) -> str:
        from ganmedic.report.html import finding_html

        return finding_html(self)


@dataclass(frozen=True, slots=True)
class Network:
    """One network of the run, and what became of it.

    Attributes:
        name: the user's name of it.
        role: ``generator``, ``discriminator``, ``encoder`` or ``other``.
        variables: number of trainable variables.
        parameters: number of scalars in them.
        with_gradient: how many of the variables received a gradient that was applied.
        moved: how many of them changed value; ``None`` where it was not compared.
        optimizers: descriptions of the optimizers that move it, e.g. ``Adam(learning_rate=0.0002)``.
        reads: names of the networks whose output it reads.
        trained: ``True`` if the script set out to train it.
        note: one remark (``frozen on purpose``, ``moving average of generator``); empty if none.
    """

    name: str
    role: str
    variables: int
    parameters: int
    with_gradient: int
    moved: int | None = None
    optimizers: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    trained: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """How the training of one network went.

    Attributes:
        network: the user's name of it; ``role`` the part it plays.
        steps: how often it was trained.
        losses, gradients: its loss and the L2 norm of all its gradients at up to 60 steps, evenly over what was kept.
        layers: of each of its variables the median norm of the gradient, in the order of the variables.
        movement: how far its weights move in a step, as a share of their size; the median over the second half.
    """

    network: str
    role: str
    steps: int
    losses: tuple[float, ...] = ()
    gradients: tuple[float, ...] = ()
    layers: tuple[float, ...] = ()
    movement: float = float("nan")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a discriminator said of real and of generated samples in one step.

    Attributes:
        real, fake: mean raw score of each.
        separation: chance that a real sample is scored above a generated one (area under the ROC curve), 0 to 1.
        diversity: spread of the generated samples over that of the real ones.
    """

    step: int
    real: float
    fake: float
    separation: float
    diversity: float = float("nan")


@dataclass(frozen=True, slots=True)
class ScriptError:
    """The exception that ended the script.

    Attributes:
        type: class name, e.g. ``ValueError``.
        message: its text.
        explained_by: cause of the finding that explains it; empty if none does.
        location: the innermost line of the user's code on the traceback.
    """

    type: str
    message: str
    explained_by: str = ""
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Something that could not be examined, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that an examination has to say.

    Attributes:
        findings: best first.
        networks: the networks that were seen.
        unchecked: what could not be examined and why.
        error: the exception that ended the script, if one did.
        ended: how the examination came to its end.
        steps: training steps that were seen.
        elapsed_seconds: wall time of the examination.
        script: what was examined, as the user gave it.
        versions: ``{"ganmedic": ..., "tensorflow": ..., "keras": ..., "python": ...}``.
        tool_errors: faults of ganmedic itself, as text; the examination went on without the part that failed.
        courses: how the training of each network went.
        judgements: what the discriminator said, at several steps.
        too_short: what the run was too short to judge, and how many steps that takes; empty if it was long enough.
    """

    findings: tuple[Finding, ...] = ()
    networks: tuple[Network, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    error: ScriptError | None = None
    ended: Ending = "completed"
    steps: int = 0
    elapsed_seconds: float = 0.0
    script: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    tool_errors: tuple[str, ...] = ()
    courses: tuple[Course, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    too_short: str = ""

    @property
    def healthy(self) -> bool:
        """True where nothing above a note was found and the script did not end in an error."""
        return self.error is None and all(finding.severity == "note" for finding in self.findings)

    def _repr_html_(self) -> str:
        from ganmedic.report.html import diagnosis_html

        return diagnosis_html(self)


#: Called with each finding the moment it is known.
OnFinding = Callable[[Finding], None]
