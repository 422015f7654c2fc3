"""The command line: parses, prints and sets the exit status. What is found is found elsewhere.

``check`` prints to standard error, so that the standard output stays the script's own. TensorFlow and everything else
that takes time to import is imported only by the command that needs it.
"""

from __future__ import annotations

import difflib
import math
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from ganmedic import __version__, cli_training
from ganmedic.cli_ending import FINDINGS, HEALTHY, INTERRUPTED, TOOL_FAILED, need_tensorflow, refuse

if TYPE_CHECKING:
    from ganmedic.capture.program import Outcome
    from ganmedic.finding import Diagnosis, Finding
    from ganmedic.record.record import Record
    from ganmedic.record.snapshots import Snapshot

app = typer.Typer(
    name="ganmedic",
    help="Tells why a TensorFlow/Keras GAN does not learn.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


app.command()(cli_training.train)
app.command()(cli_training.sample)
app.command()(cli_training.export)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit the process.

    Args:
        arguments: what stands behind the program's name; ``sys.argv[1:]`` if ``None``.

    Raises:
        SystemExit: always, with the exit status.
    """
    # The Typer object itself is not called: it would put a hook of its own into sys.excepthook, which is the script's.
    try:
        get_command(app)(args=None if arguments is None else list(arguments), prog_name="ganmedic")
    except Exception:
        traceback.print_exc()
        typer.echo("ganmedic itself failed: what it was asked for is not done.", err=True)
        sys.exit(TOOL_FAILED)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ganmedic {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Tells why a TensorFlow/Keras GAN does not learn."""


def _steps(text: str) -> int:
    try:
        steps = int(text)
    except ValueError:
        steps = 0
    if steps < 1:
        raise typer.BadParameter(
            f"{text} was given, a whole number from 1 on is expected. "
            "Give the number of training steps after which to stop, such as 200, or leave the option out."
        )
    return steps


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise typer.BadParameter(
            f"{text} was given, a number above 0 is expected. "
            "Give the number of seconds after which to stop, such as 90 or 0.5, or leave the option out."
        )
    return seconds


def _preset(text: str) -> str:
    from ganmedic.capture.presets import PRESETS

    if text not in PRESETS:
        raise typer.BadParameter(
            f"{text} was given, {' or '.join(PRESETS)} is expected. Leave the option out for the lighter one."
        )
    return text


def _output(path: Path | None) -> Path | None:
    """Check that a file can be written, and make its path independent of the folder the script may change to."""
    if path is None:
        return None
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder, a file is expected. Add a file name to it.")
    if not path.parent.is_dir():
        raise typer.BadParameter(
            f"{path} was given, but there is no folder {path.parent}. A file in a folder that exists is expected. "
            "Create the folder first, or give another path."
        )
    # A device or an existing file that is written in place needs no right to its folder.
    place = path if path.exists() and not path.is_file() else path.parent
    if not os.access(place, os.W_OK) or (path.is_file() and not os.access(path, os.W_OK)):
        raise typer.BadParameter(
            f"{path} was given, but this user may not write there. A file that can be written is expected. "
            "Change the permissions, or give another path."
        )
    return path.absolute()


@app.command(context_settings={"allow_interspersed_args": False})
def check(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="A Python script, a notebook, or with -m a module.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ARGUMENTS", help="The script's own arguments, passed on untouched."),
    ] = None,
    module: Annotated[bool, typer.Option("-m", help="SCRIPT is the name of a module, as for python -m.")] = False,
    steps: Annotated[
        int | None, typer.Option(parser=_steps, metavar="N", help="Stop after this many training steps.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(parser=_seconds, metavar="S", help="Stop after this many seconds.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(callback=_output, metavar="FILE", help="Write the diagnosis as JSON.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option(callback=_output, metavar="FILE", help="Write the findings as SARIF 2.1.0.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(callback=_output, metavar="FILE", help="Keep the record of the run in this file.")
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            parser=_preset,
            metavar="light|full",
            help="How much of the time may go into running steps again: 1.5 s and 1 %, or 4 s and 6 %.",
        ),
    ] = "light",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit status tells.")] = False,
) -> None:
    """Run a training script, unchanged, and say why its gradients are missing or useless.

    Everything behind SCRIPT belongs to the script.

    Exit status: 0 healthy, 1 findings, 2 misuse, 3 ganmedic itself failed;
    a script that fails without a finding passes its own status on.
    """
    from ganmedic.capture.program import TargetError, parse_target, print_exception

    outputs = {"--json": json, "--sarif": sarif, "--record": record}
    _check_outputs_differ(outputs, script)
    try:
        target = parse_target(script, arguments or (), module=module)
    except TargetError as error:
        refuse(str(error))
    need_tensorflow("runs the script")

    from rich.console import Console

    from ganmedic.examination import check as examine
    from ganmedic.report.terminal import render_diagnosis, render_finding

    # Taken now: the script may put something else in the place of sys.stderr.
    console = Console(file=sys.stderr, highlight=False)
    folder = Path.cwd()
    shown: list[Finding] = []

    def show(finding: Finding) -> None:
        shown.append(finding)
        if not quiet:
            render_finding(console, finding, number=len(shown))

    diagnosis, outcome = examine(
        target, steps=steps, seconds=seconds, record_path=record, preset=preset, on_finding=show
    )
    _flush()
    if outcome.error is not None and diagnosis.ended in ("failed", "completed"):
        print_exception(outcome.error)
    _write_reports(diagnosis, json, sarif, folder)
    if not quiet:
        render_diagnosis(console, diagnosis, shown=shown)
    _flush()
    raise typer.Exit(_status(diagnosis, outcome))


@app.command()
def explain(
    cause: Annotated[
        str | None, typer.Argument(metavar="CAUSE", help="The cause, as a finding names it; all are listed without.")
    ] = None,
) -> None:
    """Print the page of one root cause, or list them all."""
    from rich.console import Console

    from ganmedic.causes.pages import pages

    console = Console(highlight=False)
    known = pages()
    if cause is None:
        from rich.table import Table
        from rich.text import Text

        for family in dict.fromkeys(page.family for page in known.values()):
            table = Table(title=Text(family), title_justify="left", box=None, pad_edge=False, show_header=False)
            table.add_column(no_wrap=True)
            table.add_column()
            for page in known.values():
                if page.family == family:
                    table.add_row(Text(page.slug), Text(page.title))
            console.print(table)
        console.print(Text("ganmedic explain CAUSE prints the page of one."))
        return
    if cause not in known:
        close = difflib.get_close_matches(cause, known, n=3)
        hint = f"Did you mean {' or '.join(close)}?" if close else ""
        refuse(f"There is no cause {cause!r}. {hint} `ganmedic explain` lists them all.".replace("  ", " "))
    from rich.markdown import Markdown

    console.print(Markdown(known[cause].markdown))


@app.command()
def replay(
    record: Annotated[Path, typer.Argument(metavar="RECORD", help="A file that check --record wrote.")],
    step: Annotated[
        int | None, typer.Option(metavar="N", help="The step, counted from 0; the first that is kept without.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Print every operation, not only what leads to the bad value.")
    ] = False,
) -> None:
    """Run a step that went wrong again, and print what each operation made of its inputs.

    A record keeps the first steps in which a loss or a gradient was not finite, with what they were given.

    Exit status: 0 the step was run again, 2 misuse or nothing to run, 3 ganmedic itself failed.
    """
    from ganmedic.record.store import RecordError, load

    try:
        known = load(record)
    except RecordError as error:
        refuse(str(error))
    chosen = _kept_steps(known, record, step)
    need_tensorflow("runs the step")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    from rich.console import Console

    from ganmedic.capture.again import rerun
    from ganmedic.report.rerun import render_rerun

    console = Console(highlight=False)
    for number, snapshot in enumerate(chosen):
        if number:
            console.print()
        render_rerun(console, known, rerun(known, snapshot), everything=everything)


@app.command()
def data(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A folder of images, .npy, .npz, .csv, .parquet, .tfrecord, or a folder of such records.",
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(metavar="RANGE", help="What the generator gives: tanh, sigmoid, linear, or LOW..HIGH."),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(callback=_output, metavar="FILE", help="Write the audit as JSON.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(callback=_output, metavar="FILE", help="Write the audit as a page with pictures.")
    ] = None,
    stats: Annotated[
        Path | None,
        typer.Option(callback=_output, metavar="FILE", help="Write the normalisation for the generator's range."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Look at so many samples at most.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, metavar="N", help="Processes; all cores without.")] = None,
) -> None:
    """Audit a data set: what is in it, what a GAN will make of that, and what to do.

    One pass over the data, in memory that does not grow with it.

    Exit status: 0 nothing found, 1 findings, 2 misuse, 3 ganmedic itself failed.
    """
    _check_outputs_differ({"--json": json, "--html": html, "--stats": stats}, path, "the data")

    from rich.console import Console

    from ganmedic.data.sources.source import DataError
    from ganmedic.report.data_command import run

    try:
        healthy = run(
            path,
            against=against,
            limit=limit,
            jobs=jobs,
            json=json,
            html=html,
            stats=stats,
            console=Console(highlight=False),
            progress=Console(file=sys.stderr, highlight=False),
        )
    except DataError as error:
        refuse(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(HEALTHY if healthy else FINDINGS)


def _kept_steps(record: Record, path: Path, step: int | None) -> list[Snapshot]:
    """The steps of a record that are asked for: those of that number, or the first one."""
    kept = [one for one in record.snapshots.values() if not one.note]
    if not kept:
        notes = dict.fromkeys(one.note for one in record.snapshots.values())
        why = f"{'; '.join(notes)}" if notes else "in its run no loss and no gradient was seen that is not finite"
        advice = "Make the batch smaller and run" if notes else "If one turns up later, run on longer:"
        refuse(
            f"{path} keeps no step: {why}. A record of a run with a step that went wrong is expected. "
            f"{advice} ganmedic check --record FILE train.py"
        )
    if step is None:
        return kept[:1]
    chosen = [one for one in kept if one.step == step]
    if not chosen:
        numbers = ", ".join(map(str, sorted({one.step for one in kept})))
        refuse(f"Step {step} was asked for, but {path} keeps {numbers}. Give one of these with --step.")
    return chosen


def _check_outputs_differ(outputs: dict[str, Path | None], source: str, what: str = "the script") -> None:
    """Refuse to write two outputs to one file, or one over what is read."""
    taken = {os.path.realpath(source): what}
    for option, path in outputs.items():
        # Devices such as /dev/stderr can take several.
        if path is None or (path.exists() and not path.is_file()):
            continue
        other = taken.setdefault(os.path.realpath(path), option)
        if other != option:
            refuse(f"{option} names {path}, and so does {other}. Each needs a file of its own. Give another path.")


def _write_reports(diagnosis: Diagnosis, json: Path | None, sarif: Path | None, folder: Path) -> None:
    if json is not None:
        from ganmedic.report.json_report import write_json

        write_json(diagnosis, json)
    if sarif is not None:
        from ganmedic.causes.pages import pages
        from ganmedic.report.sarif import write_sarif

        write_sarif(diagnosis, sarif, folder, pages={slug: page.markdown for slug, page in pages().items()})


def _status(diagnosis: Diagnosis, outcome: Outcome) -> int:
    """The exit status: findings first, then the script's own failure, then ganmedic's."""
    if any(finding.severity != "note" for finding in diagnosis.findings):
        return FINDINGS
    if diagnosis.ended == "interrupted":
        return INTERRUPTED
    if diagnosis.ended in ("failed", "completed"):
        if outcome.error is not None:
            return 1
        if outcome.exit_code:
            return outcome.exit_code
    return TOOL_FAILED if diagnosis.tool_errors else HEALTHY


def _flush() -> None:
    """Bring out what the script has printed, whatever it did to its streams."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
