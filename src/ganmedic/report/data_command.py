"""What ``ganmedic data`` does: audits with a progress bar, prints, and writes the files that are asked for."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ganmedic.data.against import Against, parse_against
from ganmedic.data.auditing import audit
from ganmedic.data.normalisation import Normalisation
from ganmedic.data.output_range import RangeWarning
from ganmedic.data.result import Audit
from ganmedic.data.sources.source import DataError
from ganmedic.report.data_json import write_json
from ganmedic.report.data_terminal import render_audit
from ganmedic.report.printer import Printer


def run(
    path: str,
    *,
    against: str | None = None,
    limit: int | None = None,
    jobs: int | None = None,
    json: Path | None = None,
    html: Path | None = None,
    stats: Path | None = None,
    console: Console,
    progress: Console,
) -> bool:
    """Audit, print to `console`, and write; the progress goes to `progress`, if that is a terminal.

    Returns:
        Whether nothing above a note was found.

    Raises:
        DataError: there is nothing that can be audited, or the range is none.
    """
    held = None if against is None else parse_against(against)
    if stats is not None and held is not None:
        _refuse_one_ended(held)
    with _progress(progress) as on_progress:
        result = audit(path, against=held, limit=limit, jobs=jobs, pictures=html is not None, on_progress=on_progress)
    render_audit(console, result)
    if json is not None:
        write_json(result, json)
    if html is not None:
        result.write_html(html)
    if stats is not None:
        Printer(console).prose(_write_stats(result, held, stats))
    return result.healthy


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[Callable[[int, int | None], None]]:
    columns = (TextColumn("auditing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda samples, length: bar.update(task, completed=samples, total=length)


def _refuse_one_ended(against: Against) -> None:
    if not against.bounded and against.name != "linear":
        raise DataError(
            f"--stats needs a range with two ends, or linear; {against.name} has one. Give what it should fill, such as "
            "--against 0..1."
        )


def _write_stats(result: Audit, against: Against | None, path: Path) -> str:
    """Write the normalisation; answers what became of it."""
    if result.moments is None:
        return "no normalisation was written: no value could be read"
    to: str | tuple[float, float] = "tanh" if result.content == "pictures" else "standard"
    if against is not None:
        to = against.to
    bounded = to not in ("linear", "standard")
    try:
        with warnings.catch_warnings():
            # What it warns of is among the findings.
            warnings.simplefilter("ignore", RangeWarning)
            made = Normalisation.from_moments(result.moments, to, source_range=result.value_range if bounded else None)
    except ValueError as error:
        return f"no normalisation was written: {error}"
    made.save(path)
    return f"normalisation to {to if isinstance(to, str) else '{:g}..{:g}'.format(*to)} written to {path}"
