"""The words that all renderers share: places, roles, counts, verdicts. Plain text that is not yet made safe to show."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence

from ganmedic.finding import Diagnosis, Finding, Location, Network, Remedy, Severity

_ROLES = {
    "fault": "a fix goes here",
    "cut": "the gradient stops here",
    "loss": "the loss is computed here",
    "gradient": "the gradients are taken here",
    "apply": "the gradients are applied here",
    "variable-list": "the variables are listed here",
    "forward": "the network is called here",
    "network": "the network is built here",
    "freeze": "the variables are frozen here",
    "arrival": "it shows up here",
    "optimizer": "the optimizer is made here",
}
_NETWORKS = {
    "generator": "the generator",
    "discriminator": "the discriminator",
    "encoder": "the encoder",
    "both": "both networks",
}
_ENDINGS = {
    "completed": "Ran to its end after {steps}.",
    "steps": "Ended early after {steps}: the step limit was reached.",
    "seconds": "Ended early after {steps}: the time limit was reached.",
    "interrupted": "Interrupted after {steps}.",
    "failed": "The script failed after {steps}.",
}
#: From this confidence on a finding is stated without reserve.
_SURE = 0.7
#: From this confidence on a finding is called likely, below it possible.
_LIKELY = 0.4

_GRAVITY: tuple[Severity, ...] = ("error", "warning", "note")

CHANGES_OBJECTIVE = "This changes the loss that is minimised."


def plural(count: int, noun: str) -> str:
    """Return `1 variable`, `8 variables`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def enumeration(parts: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def listing(names: Sequence[str], limit: int = 4) -> str:
    """Return the first `limit` names and how many more there are: `a, b, c, d and 4 more`."""
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def role_words(role: str) -> str:
    """Return what a place is, in words; a role without words of its own is shown as it is."""
    return _ROLES.get(role, role.replace("-", " "))


def short_path(file: str) -> str:
    """Return `file` relative to the current directory where that is shorter."""
    try:
        relative = os.path.relpath(file)
    except (ValueError, OSError):  # another drive on Windows, or the current directory is gone
        return file
    return relative if len(relative) < len(file) else file


def line_words(location: Location) -> str:
    """Return `line 54`, for a notebook `cell 3, line 5`."""
    return f"line {location.line}" if location.cell is None else f"cell {location.cell}, line {location.line}"


def place(location: Location) -> str:
    """Return `train.py:54`, for a notebook `train.ipynb cell 3, line 5`."""
    path = short_path(location.file)
    return f"{path}:{location.line}" if location.cell is None else f"{path} {line_words(location)}"


def by_place(locations: Iterable[Location]) -> list[tuple[Location, str]]:
    """Return each place once, in order, with all of its roles in words."""
    roles: dict[tuple[str, int | None, int], list[str]] = {}
    first: dict[tuple[str, int | None, int], Location] = {}
    for location in locations:
        key = (location.file, location.cell, location.line)
        first.setdefault(key, location)
        words = role_words(location.role)
        if words not in roles.setdefault(key, []):
            roles[key].append(words)
    return [(location, "; ".join(roles[key])) for key, location in first.items()]


def certainty(confidence: float) -> str:
    """Return `likely` or `possible` where a finding is not sure, else an empty string."""
    if not confidence < _SURE:
        return ""
    return "likely" if confidence >= _LIKELY else "possible"


def worst(severities: Iterable[Severity]) -> Severity | None:
    """Return the gravest of the severities, `None` of none."""
    return min(severities, key=_GRAVITY.index, default=None)


def network_words(role: str, name: str = "") -> str:
    """Return `the generator`, `the generator (gen)`, `both networks`."""
    words = _NETWORKS.get(role, "the network")
    return words if not name or name == role else f"{words} ({name})"


def affected(finding: Finding) -> str:
    """Return how many variables of which network suffer; empty where the finding names none."""
    count, total = len(finding.variables), finding.variables_total
    if not count:
        return ""
    whose = f"of {network_words(finding.network, finding.network_name)}"
    if total > 1 and count == total:
        return f"all {plural(count, 'variable')} {whose}"
    return (
        f"{count} of {plural(total, 'variable')} {whose}" if total > count else f"{plural(count, 'variable')} {whose}"
    )


def remedy_place(remedy: Remedy, finding: Finding) -> str:
    """Return where the correction goes; empty where that is the line the finding already shows."""
    shown = finding.locations[0] if finding.locations else None
    if remedy.location is None or (shown is not None and place(shown) == place(remedy.location)):
        return ""
    return place(remedy.location)


def roots(diagnosis: Diagnosis, finding: Finding) -> list[str]:
    """Return the causes whose findings explain this one."""
    return [other.cause for other in diagnosis.findings if finding.cause in other.explains and other is not finding]


def optimizer_words(network: Network) -> str:
    """Return what moves the network, with the remark about it: `Adam(...)`, `none: frozen on purpose`."""
    moved_by = ", ".join(network.optimizers) or "none"
    return f"{moved_by}: {network.note}" if network.note else moved_by


def gradient_missing(network: Network) -> bool:
    """Return whether the script set out to train the network and some of its variables get no gradient."""
    return network.trained and network.with_gradient < network.variables


def verdict(diagnosis: Diagnosis) -> str:
    """Return the outcome in one sentence, figures included."""
    where = f"in {diagnosis.script}" if diagnosis.script else "in this run"
    counts = _severity_counts(diagnosis)
    if not diagnosis.healthy:
        if not counts and diagnosis.error is not None:
            return f"no finding explains the {diagnosis.error.type} {where}"
        return f"{enumeration(counts)} {where}"
    if not diagnosis.networks or not diagnosis.steps:
        return f"nothing to judge: no training step was seen {where}"
    partly = " as far as it could be checked" if diagnosis.unchecked or diagnosis.tool_errors else ""
    notes = f", {enumeration(counts)}" if counts else ""
    return f"healthy{partly}: {_figures(diagnosis)}, {plural(diagnosis.steps, 'step')} {where}{notes}"


def ending(diagnosis: Diagnosis) -> str:
    """Return how the examination came to its end and how long it took."""
    end = _ENDINGS[diagnosis.ended].format(steps=plural(diagnosis.steps, "step"))
    return f"{end} Took {duration(diagnosis.elapsed_seconds)}." if math.isfinite(diagnosis.elapsed_seconds) else end


def duration(seconds: float) -> str:
    """Return `3.2 s`, `4 min 5 s`, `2 h 3 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _severity_counts(diagnosis: Diagnosis) -> list[str]:
    severities = [finding.severity for finding in diagnosis.findings]
    return [plural(severities.count(kind), kind) for kind in _GRAVITY if kind in severities]


def _figures(diagnosis: Diagnosis) -> str:
    trained = [network for network in diagnosis.networks if network.trained]
    with_gradient, total = sum(n.with_gradient for n in trained), sum(n.variables for n in trained)
    rest = len(diagnosis.networks) - len(trained)
    others = f" (and {rest} not trained)" if rest else ""
    return f"{plural(len(trained), 'network')}{others}, {with_gradient} of {total} variables with gradient"
