"""The data of a run: read once into its folder, and dealt out to workers and devices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganmedic.data.sources import open_source
from ganmedic.settings import Settings
from ganmedic.training.order import Batches
from ganmedic.training.reading import Samples, load_samples, read_samples
from ganmedic.training.run_folder import RunError


def read(settings: Settings, folder: Path | None, say: Callable[[str], None]) -> Samples:
    """The data set of a run.

    Args:
        settings: of the run.
        folder: where it is kept; None for memory.
        say: called with what a person should know.

    Raises:
        DataError: it cannot be read.
    """
    if folder is not None and (folder / "samples.json").is_file():
        return load_samples(folder)
    chosen = settings.data
    found = read_samples(
        open_source(chosen.path, limit=chosen.limit),
        resolution=chosen.resolution,
        channels=chosen.channels,
        labels=chosen.labels,
        folder=folder,
    )
    count, reasons = found.skipped
    if count:
        say(f"{count} samples could not be read and were left out: {'; '.join(reasons[:3])}")
    return found


def batches(settings: Settings, samples: Samples, worker: int, workers: int) -> Batches:
    """The batches of one worker."""
    return Batches(
        samples,
        settings.training.batch_size,
        seed=settings.run.seed,
        mirror=settings.data.mirror,
        worker=worker,
        workers=workers,
    )


def dealt_out(batches: Batches, strategy: Any, start: int, stop: int) -> Any:
    """Batches from `start` to before `stop`, for every device of this worker its part.

    Raises:
        RunError: a batch cannot be shared alike.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return batches.dataset(start, stop)
    if batches.batch_size % replicas:
        raise RunError(
            f"training.batch_size is {batches.batch_size}, and {replicas} devices share it alike. Take a multiple of {replicas}."
        )
    return strategy.distribute_datasets_from_function(
        lambda context: batches.dataset(start, stop, replicas=replicas // context.num_input_pipelines)
    )
