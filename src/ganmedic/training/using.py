"""Samples and exports of a run that was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ganmedic.settings import changed
from ganmedic.training import building
from ganmedic.training.exporting import export
from ganmedic.training.gan import GAN
from ganmedic.training.reading import load_samples
from ganmedic.training.recovering import Recovery
from ganmedic.training.run_folder import RunError, RunFolder
from ganmedic.training.showing.pictures import data_range, save_grid
from ganmedic.training.showing.replacing import replaced
from ganmedic.training.showing.scatter import save_scatter
from ganmedic.training.trainer import set_up


def load_gan(folder: Path) -> GAN:
    """The GAN of a run, as its last whole checkpoint holds it.

    Raises:
        RunError: there is no run, or none of its checkpoints is whole.
    """
    run, settings, known = RunFolder.open(folder)
    samples = load_samples(run.data)
    if known.network:
        settings = changed(settings, {"networks.name": known.network})
    set_up(settings)
    gan = building.build(settings, samples)
    found, _ = Recovery(run, known, lambda text: None).restore(gan)
    if found is None:
        raise RunError(f"{folder} has no whole checkpoint. Train first: ganmedic train --resume {folder}")
    return gan


def draw(folder: Path, count: int, *, seed: int, label: int | None, out: Path | None, averaged: bool) -> Path:
    """Draws samples and writes them.

    Args:
        folder: of the run.
        count: how many.
        seed: of the latents.
        label: one class only; each in turn where None.
        out: a `.png` for all in one picture, a `.npy` for the array, else a folder for single images; a `.png` in the run's folder where
            None.
        averaged: from the averaged generator.

    Returns:
        Where they are.

    Raises:
        RunError: there is no run, or the form does not fit.
    """
    run, settings, _ = RunFolder.open(folder)
    if label is not None and not settings.data.labels:
        raise RunError(f"--label {label} was given, and {folder} was trained without classes. Leave it out.")
    gan = load_gan(folder)
    try:
        samples = gan.generate(count, seed=seed, labels=label, averaged=averaged)
    except ValueError as error:
        raise RunError(str(error)) from error
    target = run.path / f"drawn-seed-{seed}.png" if out is None else out
    real = load_samples(run.data).values
    try:
        if target.suffix == ".npy":
            with replaced(target) as temporary, open(temporary, "wb") as file:
                np.save(file, samples, allow_pickle=False)
        elif samples.ndim != 4:
            if target.suffix != ".png":
                raise RunError(f"{target} was given for rows of numbers; a .npy or a .png is expected.")
            save_scatter(target, samples, np.asarray(real[:2000]), seed=seed)
        else:
            ends = None if samples.dtype == np.uint8 else data_range(real[:2000], gan.normalisation)
            if target.suffix == ".png":
                save_grid(target, samples, value_range=ends, seed=seed)
            else:
                _single(target, samples, ends, seed)
    except OSError as error:
        raise RunError(f"{target} cannot be written ({error.strerror or error}). Give another: --out FILE.") from error
    return target


def export_run(folder: Path, out: Path | None, formats: list[str] | None) -> Path:
    """Exports the averaged generator of a run.

    Raises:
        RunError: there is no run, a format is unknown, or the folder cannot be written.
    """
    gan = load_gan(folder)
    target = folder / "export" if out is None else out
    try:
        return export(gan, target, tuple(formats) if formats else ("saved_model", "safetensors"))
    except (ValueError, OSError, ImportError) as error:
        raise RunError(str(error)) from error


def _single(folder: Path, samples: Any, ends: Any, seed: int) -> None:
    from PIL import Image

    low, high = (0.0, 255.0) if ends is None else ends
    folder.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(samples):
        pixels = np.clip(np.round((np.asarray(sample, np.float64) - low) / (high - low) * 255.0), 0, 255).astype(
            np.uint8
        )
        Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(
            folder / f"sample-seed-{seed}-{number:05d}.png"
        )
