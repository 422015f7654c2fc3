"""The audit of a data set: one pass over it on all cores, then what it means for a GAN."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ganmedic.data.against import Against, parse_against
from ganmedic.data.gathering import MOST_RECORDS, Gathered
from ganmedic.data.result import Audit, NamedGroup, WordColumn
from ganmedic.data.sources import DataError, Source, open_source
from ganmedic.data.sources.needs import need

if TYPE_CHECKING:
    from ganmedic.data.facts import Facts

#: Called after each block: samples so far, and how many there are if that is known.
OnProgress = Callable[[int, int | None], None]
#: For fewer samples the start of further processes costs more than it gains.
_WORTH_WORKERS = 512
_SEED = 0
_NAMED_GROUPS, _NAMED_MEMBERS, _SHAPES = 200, 20, 12


def audit(
    data: Any,
    labels: Any = None,
    *,
    against: str | tuple[float, float] | Against | None = None,
    limit: int | None = None,
    jobs: int | None = None,
    pictures: bool = False,
    on_progress: OnProgress | None = None,
) -> Audit:
    """Audit a data set in one pass, in memory that hardly grows with it.

    Args:
        data: a path, a NumPy array, a `tf.data.Dataset`, an iterable of batches, or what `open_source` returned.
        labels: classes of the samples, for an array in memory.
        against: what the generator can produce: ``"tanh"``, ``"sigmoid"``, ``"linear"``, (low, high) or ``"-1..1"``.
        limit: look at so many samples at most.
        jobs: number of processes; as many as there are cores if `None`.
        pictures: read duplicates, outliers and extremes again, so that the page can show them.
        on_progress: called after each block.

    Raises:
        DataError: there is nothing that can be audited; the message says what was expected.

    Example:
        >>> import numpy as np
        >>> noise = np.random.default_rng(0).normal(size=(1500, 8))
        >>> [finding.slug for finding in audit(noise, against="tanh", jobs=1).findings]
        ['range-mismatch']
    """
    need("PIL", "The audit")
    from ganmedic.data.facts import work_out
    from ganmedic.data.workers import measure_all

    begin = time.monotonic()
    if jobs is not None and jobs < 1:
        raise DataError(f"jobs is {jobs}; a whole number from 1 on is expected.")
    held = None if against is None else parse_against(against)
    source = data if isinstance(data, Source) else open_source(data, labels, limit=limit)
    processes = _processes(source, jobs)
    gathered = Gathered(source)
    for _, result in measure_all(source.blocks(), processes, seed=_SEED, cutoff=lambda: gathered.reservoir.cutoff):
        gathered.add(result)
        if on_progress is not None:
            on_progress(gathered.samples, source.length)
    if not gathered.samples and not gathered.broken_count and not source.broken:
        raise DataError(f"{source.title} gives no sample. At least one is expected.")
    return _audit(work_out(source, gathered, held), pictures=pictures, jobs=processes, begin=begin)


def _processes(source: Source, jobs: int | None) -> int:
    if not source.parallel:
        return 1
    if jobs is not None:
        return jobs
    if source.length is not None and source.length < _WORTH_WORKERS:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _audit(facts: Facts, *, pictures: bool, jobs: int, begin: float) -> Audit:
    from ganmedic.data.facts import class_counts, mode_counts
    from ganmedic.data.findings import find
    from ganmedic.data.galleries import galleries

    source, gathered = facts.source, facts.gathered
    unreadable = [(broken.name, broken.reason) for broken in source.broken] + gathered.broken
    channels = (len(facts.channels),) if facts.channels else ()
    shapes = tuple(((*shape, *channels), count) for shape, count in gathered.shapes.most_common(_SHAPES))
    if not facts.pictures:
        shapes = ((channels, gathered.samples),) if channels else ()
    return Audit(
        title=source.title,
        kind=source.kind,
        content=source.content,
        samples=gathered.samples,
        findings=find(facts, unreadable),
        unreadable=tuple(unreadable[:1000]),
        unreadable_count=gathered.broken_count + len(source.broken),
        notes=tuple(_notes(facts)),
        classes=class_counts(facts),
        shapes=shapes,
        shape_count=len(gathered.shapes) if facts.pictures else 1,
        modes=mode_counts(facts),
        dtype="uint8" if source.encoded else gathered.dtype,
        channels=facts.channels,
        words=tuple(
            WordColumn(
                name, dict(words.counts.most_common(20)), None if words.others else len(words.counts), words.empty
            )
            for name, words in gathered.words.items()
        ),
        exact=_named(facts, facts.exact.groups),
        exact_extra=facts.exact.extra,
        near=_named(facts, facts.near.groups),
        near_extra=facts.near.extra,
        duplicates_complete=facts.near.complete and gathered.kept >= gathered.samples,
        looks={name: len(places) for name, places in facts.looks.items() if len(places)},
        diversity=facts.diversity,
        order=facts.order,
        against=None if facts.against is None else (facts.against.low, facts.against.high),
        moments=facts.moments,
        value_range=facts.value_range,
        galleries=galleries(facts) if pictures else (),
        elapsed_seconds=time.monotonic() - begin,
        jobs=jobs,
        versions=_versions(),
    )


def _notes(facts: Facts) -> list[str]:
    notes = list(facts.source.notes)
    if facts.gathered.samples > facts.gathered.kept > 0:
        notes.append(f"duplicates and looks were taken from the first {MOST_RECORDS:,} samples")
    if facts.gathered.shapes_bounded:
        notes.append("only the first 10,000 different sizes were told apart")
    return notes


def _named(facts: Facts, groups: tuple[tuple[int, ...], ...]) -> tuple[NamedGroup, ...]:
    return tuple(
        NamedGroup(facts.names(group, _NAMED_MEMBERS), group[:_NAMED_MEMBERS]) for group in groups[:_NAMED_GROUPS]
    )


def _versions() -> dict[str, str]:
    import numpy as np
    import PIL

    from ganmedic import __version__

    return {
        "ganmedic": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pillow": str(PIL.__version__),
    }
