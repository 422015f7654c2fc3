"""The commands that train, draw and export; they parse and print, as those of `cli` do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganmedic.cli_ending import FINDINGS, HEALTHY, INTERRUPTED, need_tensorflow, refuse

if TYPE_CHECKING:
    from ganmedic.settings import Settings


def train(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG.toml", help="The configuration; see docs/train-config.md.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="PATH", help="Train on this data, with the defaults for the rest.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="The folder of the run.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", metavar="N", help="So many batches.")] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="RUN", help="Go on with a run, as if it had never stopped.")
    ] = None,
    intervene: Annotated[
        bool, typer.Option("--intervene/--no-intervene", help="Go back and change something at a NaN or a collapse.")
    ] = True,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write event files for TensorBoard.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Another value, such as loss.name=hinge.")
    ] = None,
    show_config: Annotated[
        bool, typer.Option("--show-config", help="Print the whole configuration and train nothing.")
    ] = False,
) -> None:
    """Train a GAN that stays healthy: with the stabilisers in place, watched all the way.

    Exit status: 0 trained, nothing found; 1 findings, or a trouble that could not be put right; 2 misuse;
    3 ganmedic itself failed; 130 stopped by Ctrl-C, to be gone on with.
    """
    from ganmedic.data.sources.source import DataError
    from ganmedic.settings import SettingsError

    given = [
        name for name, value in (("CONFIG.toml", config), ("--data", data), ("--resume", resume)) if value is not None
    ]
    if len(given) != 1:
        refuse(
            f"{' and '.join(given) or 'nothing'} came; one of CONFIG.toml, --data PATH and --resume RUN is expected. "
            "For a first run: ganmedic train --data images/"
        )
    changes = _changes(out, steps, intervene, tensorboard, settings or [])
    try:
        if resume is not None:
            allowed = {"watch.intervene", "tensorboard.enabled", "distribute.index"}
            other = [key for key in changes if key not in allowed]
            if other:
                refuse(
                    f"{other[0]} was given with --resume, and a run goes on as it was begun. Begin a new run, or leave it out; "
                    "--no-intervene and --tensorboard may be given."
                )
            _train(lambda console: _starting().go_on(resume, console, changes))
            return
        chosen = _settings(config, data, changes)
    except (SettingsError, DataError) as error:
        refuse(str(error))
    if show_config:
        from ganmedic.settings import dumps

        typer.echo(dumps(chosen), nl=False)
        return
    try:
        _starting().check_data(chosen)
    except SettingsError as error:
        refuse(str(error))
    _train(lambda console: _starting().begin(chosen, console))


def sample(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    number: Annotated[int, typer.Option("-n", min=1, metavar="N", help="How many.")] = 64,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Of the latents.")] = 0,
    label: Annotated[int | None, typer.Option("--label", min=0, metavar="N", help="One class only.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A .png of all, a .npy, or a folder of single images.")
    ] = None,
    trained: Annotated[
        bool, typer.Option("--trained", help="From the generator that is trained, not the averaged one.")
    ] = False,
) -> None:
    """Draw samples from a run, as the data were."""
    need_tensorflow("draws")
    _quiet()

    def work(console: Any) -> None:
        from ganmedic.training.using import draw

        written = draw(run, number, seed=seed, label=label, out=out, averaged=not trained)
        console.print(f"{number} samples: {written}", markup=False, highlight=False, soft_wrap=True)

    _run(work)


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="RUN/export without.")] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="NAME", help="saved_model, safetensors or onnx; several may be given."),
    ] = None,
) -> None:
    """Export the averaged generator of a run for other programs."""
    need_tensorflow("exports")
    _quiet()

    def work(console: Any) -> None:
        from ganmedic.training.using import export_run

        written = export_run(run, out, formats)
        console.print(f"Exported: {written}", markup=False, highlight=False, soft_wrap=True)

    _run(work)


def _settings(config: Path | None, data: str | None, changes: dict[str, Any]) -> Settings:
    from ganmedic.settings import changed, for_data, load

    chosen = load(config) if config is not None else for_data(str(data))
    return changed(chosen, changes) if changes else chosen


def _changes(
    out: Path | None, steps: int | None, intervene: bool, tensorboard: bool, given: list[str]
) -> dict[str, Any]:
    import tomllib

    changes: dict[str, Any] = {}
    if out is not None:
        changes["run.folder"] = str(out)
    if steps is not None:
        changes["training.steps"] = steps
    if not intervene:
        changes["watch.intervene"] = False
    if tensorboard:
        changes["tensorboard.enabled"] = True
    for each in given:
        key, separator, text = each.partition("=")
        if not separator or not key.strip():
            refuse(f"--set {each} came; KEY=VALUE is expected, such as --set training.batch_size=32.")
        try:
            changes[key.strip()] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            # A word without quotes is meant as text.
            changes[key.strip()] = text.strip()
    return changes


def _train(work: Any) -> None:
    need_tensorflow("trains")
    _quiet()

    def trained(console: Any) -> None:
        outcome = work(console)
        if outcome.state == "stopped":
            raise typer.Exit(INTERRUPTED)
        raise typer.Exit(HEALTHY if outcome.healthy else FINDINGS)

    _run(trained)


def _run(work: Any) -> None:
    """Does the work; what is misuse is said in a sentence."""
    import sys

    from rich.console import Console

    from ganmedic.data.sources.source import DataError
    from ganmedic.settings import SettingsError
    from ganmedic.training.run_folder import RunError

    try:
        work(Console(file=sys.stderr, highlight=False))
    except (SettingsError, DataError, RunError) as error:
        refuse(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _starting() -> Any:
    from ganmedic.training import starting

    return starting


def _quiet() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
