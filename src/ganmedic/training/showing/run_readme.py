"""The README.md of a run's folder: what was trained, how it stands, what happened, and what to do next."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from ganmedic import checking
from ganmedic.report.visible import visible, visible_lines
from ganmedic.training.showing.figure_words import duration_words, name_words, value_words
from ganmedic.training.showing.replacing import replaced

STATES = ("running", "finished", "stopped", "failed")
#: What lies in the folder of every run. Those are told that are there, and those that a summary adds.
FILES: Mapping[str, str] = MappingProxyType(
    {
        "config.toml": "the whole configuration, with every default",
        "history.csv": "losses, scores, gradient norms and the rest, one row a step",
        "curves.png": "the same as curves",
        "samples": "pictures of samples from the same latents, one a number of steps",
        "samples/latest.png": "the last of them",
        "checkpoints": "all that is needed to take the training up again, weights, optimizers and random numbers included",
        "normalisation.json": "how the data were scaled, and the way back",
        "tensorboard": "the curves for TensorBoard: tensorboard --logdir tensorboard",
        "export": "the generator for other programs",
    }
)
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$&]|^[-+])")


@dataclass(frozen=True)
class RunSummary:
    """What a person wants to know of a run.

    Attributes:
        title: of the page, such as `dcgan on shapes, 32 pixels`.
        command: the line that began the run.
        data_line: what was trained on: how many samples, their shape, where from.
        networks_line: what was trained, with the numbers of parameters.
        state: `running`, `finished`, `stopped` or `failed`.
        step: steps done; at least 0.
        total_steps: steps asked for.
        seconds: spent so far, all parts of a run that was taken up again included.
        images_per_second: speed; None if it is not known.
        figures: the last row of the history.
        findings: what was found, a sentence each.
        interventions: what was changed, a sentence each, with its step.
        metrics: how near the samples are to the data, a sentence each.
        versions: of the packages, by name.
        error: what ended a run that failed.
        commands: what can be done next, by what it does: `{"take it up again": "ganmedic train ..."}`.
        files: what further files in the folder are, by their path in it.
    """

    title: str
    command: str
    data_line: str
    networks_line: str
    state: str
    step: int
    total_steps: int
    seconds: float
    images_per_second: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    findings: Sequence[str] = ()
    interventions: Sequence[str] = ()
    metrics: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    commands: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checking.choice("RunSummary", "state", self.state, STATES)
        checking.whole("RunSummary", "step", self.step, low=0)
        checking.whole("RunSummary", "total_steps", self.total_steps, low=0)


def write_readme(folder: str | os.PathLike[str], summary: RunSummary) -> Path:
    """Writes README.md into the folder of a run, all of it or nothing.

    Pictures and files are told of that are in the folder at this moment.

    Args:
        folder: of the run; it exists.
        summary: what is told.

    Returns:
        The path of the README.

    Raises:
        OSError: the folder does not exist, or the file cannot be written.
    """
    path = Path(folder) / "README.md"
    text = readme(folder, summary)
    with replaced(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return path


def readme(folder: str | os.PathLike[str], summary: RunSummary) -> str:
    """The text that `write_readme` writes."""
    here = Path(folder)
    parts = [f"# {_plain(summary.title)}", _state(summary)]
    parts.append(f"- Data: {_plain(summary.data_line)}\n- Networks: {_plain(summary.networks_line)}")
    pictures = [("samples/latest.png", "Samples of the generator"), ("curves.png", "Curves of the run")]
    parts += [f"![{words}]({name})" for name, words in pictures if (here / name).is_file()]
    if summary.figures:
        parts.append(f"## Last figures\n\n{_figures(summary.figures)}")
    parts.append(f"## What was found\n\n{_list(summary.findings, 'Nothing.')}")
    parts.append(f"## What was changed on the way\n\n{_list(summary.interventions, 'Nothing.')}")
    if summary.metrics:
        parts.append(f"## How good the samples are\n\n{_list(summary.metrics, '')}")
    parts.append(f"## Commands\n\n{_commands(summary)}")
    files = {name: words for name, words in {**FILES, **summary.files}.items() if (here / name).exists()}
    if files:
        rows = [
            f"| {_code(f'{name}/' if (here / name).is_dir() else name)} | {_plain(words)} |"
            for name, words in files.items()
        ]
        parts.append("## Files\n\n| | |\n|---|---|\n" + "\n".join(rows))
    if summary.versions:
        parts.append(f"Made with {', '.join(f'{_plain(name)} {_plain(v)}' for name, v in summary.versions.items())}.")
    return "\n\n".join(parts) + "\n"


def _state(summary: RunSummary) -> str:
    share = f" ({100 * summary.step / summary.total_steps:.0f} %)" if summary.total_steps else ""
    where = f"step {summary.step} of {summary.total_steps}{share}"
    spent = f" after {duration_words(summary.seconds)}"
    speed = summary.images_per_second
    fast = "" if speed is None or not math.isfinite(speed) else f", {value_words(speed)} images a second"
    words = {
        "running": f"**Running**: {where}{spent}{fast}.",
        "finished": f"**Finished**: {summary.step} steps in {duration_words(summary.seconds)}{fast}.",
        "stopped": f"**Stopped** at {where}{spent}{fast}. It can be taken up again.",
        "failed": f"**Ended by an error** at {where}{spent}{fast}.",
    }[summary.state]
    return f"{words}\n\n{_block(summary.error)}" if summary.error else words


def _figures(figures: Mapping[str, float]) -> str:
    rows = []
    for name, value in figures.items():
        shown = value_words(float(value))
        rows.append(f"| {_plain(name_words(name))} | {shown if math.isfinite(value) else f'**{shown}**'} |")
    return "| | |\n|---|---:|\n" + "\n".join(rows)


def _list(sentences: Sequence[str], none: str) -> str:
    return "\n".join(f"- {_plain(sentence)}" for sentence in sentences) or none


def _commands(summary: RunSummary) -> str:
    rows = {"This run was begun with": summary.command, **summary.commands}
    return "\n\n".join(
        f"{_plain(what)[:1].upper()}{_plain(what)[1:]}:\n\n{_block(line)}" for what, line in rows.items()
    )


def _plain(text: str) -> str:
    """Text from outside as it is, on one line: nothing in it is taken for Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", visible(" ".join(text.split())))


def _code(text: str) -> str:
    return f"`{visible(text).replace('`', chr(39))}`"


def _block(text: str) -> str:
    """Indented code, which no line of the text can end."""
    return "\n".join(f"    {line}" for line in visible_lines(text.strip()))
