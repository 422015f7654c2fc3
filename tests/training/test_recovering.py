"""A run that is lost goes back to where it was well, with a change, or says that it could not."""

from __future__ import annotations

import io
import json
import os
import signal
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from runs import at_step, begun, figures, gone_on, points_file, small

from ganmedic.settings import Settings, changed, for_data
from ganmedic.training.checkpoints import Checkpoints
from ganmedic.training.healing import Trouble
from ganmedic.training.order import Batches
from ganmedic.training.reading import Samples
from ganmedic.training.recovering import Recovery
from ganmedic.training.run_folder import RunFolder, RunState

pytestmark = pytest.mark.tensorflow

DESCENT = {
    "data.normalise": "none",
    "loss.name": "least_squares",
    "optimizers.generator": {"name": "sgd", "learning_rate": 0.01},
    "optimizers.discriminator": {"name": "sgd", "learning_rate": 0.01},
    "checkpoints.every": 10,
    "samples.every": 100,
    "watch.enabled": True,
    "watch.samples": 32,
}


def test_an_outlier_that_blows_up_the_weights_is_survived_with_clipped_gradients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = np.random.default_rng(0).normal(size=(512, 2)).astype(np.float32)
    points[Batches(Samples(points, None), 8, seed=0).indices(34)[0]] = 1e5
    np.save(tmp_path / "points.npy", points)
    folder = tmp_path / "run"
    with at_step(monkeypatch, 50, lambda: os.kill(os.getpid(), signal.SIGINT)):
        outcome, said = begun(small(tmp_path / "points.npy", folder, **DESCENT))
    assert outcome.state == "stopped"
    assert "Intervention 1 of at most 3: back to step 30, with gradients clipped by their global norm" in said
    outcome, _ = gone_on(folder)
    assert (outcome.state, outcome.step, outcome.trouble) == ("finished", 60, None)
    _, settings, known = RunFolder.open(folder)
    made = known.interventions[0]
    assert [made[key] for key in ("name", "kind", "back_to_step")] == ["clip-global-norm", "nan", 30]
    assert made["step"] > 34
    assert settings.clip.discriminator is not None
    assert settings.clip.discriminator.arguments["bound"] == made["values"]["clip.discriminator"]["bound"]
    rows = figures(folder)
    assert [row[0] for row in rows[1:]] == [str(step) for step in range(1, 61)]
    # The batch with the outlier costs what it costs; what follows is sound.
    assert np.abs(np.array(rows[37:], float)).max() < 1e6
    aside = (folder / "history-before-change-1.csv").read_text().splitlines()
    assert aside[1].startswith("31,")
    assert "clip-global-norm" in (folder / "README.md").read_text()
    last = Checkpoints(folder / "checkpoints").all()[-1]
    assert (last.leg, last.step) == (1, 60)


def test_what_cannot_be_put_right_is_said(tmp_path: Path) -> None:
    code = """
        import keras

        def generator():
            latents = keras.Input((4,))
            made = keras.layers.Dense(2)(latents)
            return keras.Model(latents, keras.ops.sqrt(made - 1e6))

        def discriminator():
            return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    """
    nets = tmp_path / "nets.py"
    nets.write_text(textwrap.dedent(code))
    own = {
        "networks.width": None,
        "networks.latent_size": None,
        "networks.generator": f"{nets}:generator",
        "networks.discriminator": f"{nets}:discriminator",
        "watch.enabled": True,
        "watch.samples": 8,
        "watch.interventions": 1,
    }
    own_settings = small(points_file(tmp_path), tmp_path / "run", **own)
    outcome, said = begun(own_settings)
    assert (outcome.state, outcome.healthy) == ("failed", False)
    assert outcome.trouble is not None
    assert outcome.trouble.kind == "nan"
    assert "Nothing is changed: 1 of at most 1 interventions were made" in said
    assert json.loads((tmp_path / "run" / "run.json").read_text())["state"] == "failed"
    assert outcome.trouble.text in (tmp_path / "run" / "README.md").read_text()


def recovery(tmp_path: Path, **values: Any) -> tuple[Recovery, Settings, io.StringIO]:
    """A run of which nothing but its folder is there, with checkpoints at 10 to 40; that of 40 is not well."""
    settings = for_data("data", **{name.replace("__", "."): value for name, value in values.items()})
    run = RunFolder.begin(tmp_path / "run", settings, RunState())
    store = Checkpoints(run.checkpoints)
    for step in (10, 20, 30, 40):
        store.save(step, 0, {}, {"healthy": step < 40})
    out = io.StringIO()
    console = Console(file=out, width=300)
    return Recovery(run, RunState(), lambda text: console.print(text, markup=False)), settings, out


def intervene(recovery: Recovery, settings: Settings, kind: str = "collapse") -> Settings | None:
    return recovery.intervene(
        Trouble(kind, 44, "it broke"), settings, norms=lambda step: {}, weight=1.0, images=True, batch_normalised=False
    )


def test_no_change_is_made_twice_and_the_number_of_changes_has_an_end(tmp_path: Path) -> None:
    made, settings, said = recovery(tmp_path, watch__interventions=20)
    seen = [settings]
    while (after := intervene(made, seen[-1])) is not None:
        seen.append(after)
    names = [each["name"] for each in made.known.interventions]
    assert names == [
        "penalties-tenfold",
        "instance-noise",
        "diff-augment",
        "learning-rates-halved",
        "learning-rates-tenth",
    ]
    assert "every change was made already" in said.getvalue()
    # Each is made beside those before it.
    assert seen[-1].augmentation.name == "diff_augment"
    assert seen[-1].optimizers.generator.learning_rate == pytest.approx(2e-4 / 20)


def test_it_goes_back_to_the_last_checkpoint_that_is_well_and_whole(tmp_path: Path) -> None:
    made, settings, _ = recovery(tmp_path)
    os.truncate(made.run.checkpoints / "step-000000030-leg-0.npz", 50)
    assert intervene(made, settings) is not None
    assert [made.known.interventions[0][key] for key in ("back_to_step", "step")] == [20, 44]
    assert made.held == made.run.checkpoints / "step-000000020-leg-0.npz"
    # The next time it is one of the new way, where there is one.
    Checkpoints(made.run.checkpoints).save(25, 1, {}, {"healthy": True})
    assert made.last_healthy() is not None
    assert intervene(made, settings) is not None
    assert [made.known.interventions[1][key] for key in ("back_to_step", "back_to")] == [25, "step-000000025-leg-1.npz"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"watch__intervene": False}, "interventions are switched off"),
        ({"watch__enabled": False}, "interventions are switched off"),
        ({"watch__interventions": 0}, "0 of at most 0 interventions were made"),
    ],
)
def test_a_run_that_is_to_be_left_alone_is(values: dict[str, Any], expected: str, tmp_path: Path) -> None:
    made, settings, said = recovery(tmp_path, **values)
    assert intervene(made, settings, "nan") is None
    assert expected in said.getvalue()
    assert made.known.interventions == []


def test_without_a_healthy_checkpoint_nothing_is_changed(tmp_path: Path) -> None:
    made, settings, said = recovery(tmp_path)
    for path in made.run.checkpoints.iterdir():
        path.unlink()
    assert intervene(made, settings) is None
    assert "there is no healthy checkpoint" in said.getvalue()


def test_a_change_that_does_not_go_with_the_settings_is_passed_over(tmp_path: Path) -> None:
    settings = for_data(
        "data",
        **{"loss.name": "hinge", "penalties": [], "balance.adaptive_weights": {}, "run.folder": str(tmp_path / "run")},
    )
    run = RunFolder.begin(tmp_path / "run", settings, RunState())
    Checkpoints(run.checkpoints).save(10, 0, {}, {"healthy": True})
    known = RunState()
    after = intervene(Recovery(run, known, lambda text: None), settings)
    assert after is not None
    # The default loss has no halves that could be weighted.
    assert known.interventions[0]["name"] == "instance-noise"


@pytest.mark.parametrize(
    "values",
    [
        {"loss.name": "hinge", "penalties": [], "then": {"loss.name": "relativistic", "penalties": None}},
        {"training.precision": "mixed_float16", "then": {"training.precision": "mixed_bfloat16"}},
    ],
)
def test_a_state_is_taken_up_where_figures_or_loss_scaling_change(tmp_path: Path, values: dict[str, Any]) -> None:
    import keras

    from ganmedic.training import building, state
    from ganmedic.training.trainer import set_up

    then = values.pop("then")
    settings = for_data("data", **{**values, "networks.width": 8, "data.normalise": "none", "run.deterministic": False})
    samples = Samples(np.zeros((8, 2), np.float32), None)
    set_up(settings)
    before = building.build(settings, samples)
    first = state.snapshot(before)
    run = RunFolder.begin(tmp_path / "run", settings, RunState())
    kept = Checkpoints(run.checkpoints).save(0, 0, first, {"healthy": True})
    changed_settings = changed(settings, then)
    set_up(changed_settings)
    after = building.build(changed_settings, samples)
    known = RunState(interventions=[{"back_to": kept.path.name}])
    try:
        found, _ = Recovery(run, known, lambda text: None).restore(after)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert found == kept
    second = state.snapshot(after)
    for name in ("generator/0000", "discriminator/0000", "generator_optimizer/Adam 0000"):
        assert np.array_equal(first[name], second[name])
