"""What counts as lost, what does not, and what is changed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from ganmedic.settings import changed, for_data
from ganmedic.training.healing import Trouble, Vigilance, changes_for, variety_of

NAMES = ("d_loss", "g_loss", "real_score", "d_gradient_norm", "g_gradient_norm")
NAN, INF = np.nan, np.inf
NORMS = {"generator": 0.5, "discriminator": 3.0}


def looked_at(losses: list[float], norms: list[float] | None = None, at_once: bool = True) -> Trouble | None:
    """What is said of these D losses and D gradient norms, from step 2 on."""
    rows = np.ones((len(losses), len(NAMES)), np.float32)
    rows[:, 0] = losses
    rows[:, 3] = norms or [1.0] * len(losses)
    vigilance = Vigilance(NAMES)
    if at_once:
        return vigilance.rows(2, rows)
    found = None
    for place, row in enumerate(rows):
        # A run that is stopped and taken up at every step.
        vigilance = Vigilance(NAMES, json.loads(json.dumps(vigilance.remembered())))
        found = found or vigilance.rows(2 + place, row[None])
    return found


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("losses", "norms", "step"),
    [
        ([1.0, NAN, NAN, NAN], None, 5),
        ([1.0, INF, NAN, -INF], None, 5),
        ([1.0, NAN, NAN, 1.0, NAN, NAN], None, None),
        ([NAN, 1.0] * 20, None, None),
        ([1.0] * 19, [INF] * 15 + [1.0] * 4, None),
        ([1.0] * 19, [NAN] * 19, None),
        ([1.0] * 20, [NAN] * 20, 21),
        ([1e5] * 40, [1e30] * 40, None),
        ([1e7] * 19 + [1.0] + [1e7] * 19, None, None),
        ([1.0] + [-1e7] * 20, None, 22),
    ],
)
def test_a_nan_that_stays_is_seen(losses: list[float], norms: Any, step: int | None, at_once: bool) -> None:
    trouble = looked_at(losses, norms, at_once)
    assert (None if trouble is None else (trouble.kind, trouble.step)) == (None if step is None else ("nan", step))


def test_figures_that_there_are_none_of_yet_are_no_trouble() -> None:
    # With five critic steps a round the generator has its first in step six.
    rows = np.ones((8, len(NAMES)), np.float32)
    rows[:5, [1, 4]] = NAN
    vigilance = Vigilance(NAMES, first=6)
    assert vigilance.rows(1, rows) is None
    assert vigilance.is_well
    assert Vigilance(NAMES).rows(1, rows) is not None


@pytest.mark.parametrize(
    ("varieties", "expected"),
    [
        ([0.01, 0.5, 0.9, 0.1, 0.1], "collapse"),
        ([0.4, 0.09, 0.09], "collapse"),
        ([0.9, 0.1, 0.9, 0.1, 0.9], None),
        ([0.9, 0.5, 0.3, 0.3], None),
        ([0.01, 0.005, 0.001, 0.001], None),
        ([0.29, 0.01, 0.01, 0.01], None),
        ([0.5, NAN], "nan"),
    ],
)
def test_a_collapse_is_a_loss_of_variety_that_was_there(varieties: list[float], expected: str | None) -> None:
    vigilance, seen = Vigilance(NAMES), None
    for place, variety in enumerate(varieties):
        vigilance = Vigilance(NAMES, json.loads(json.dumps(vigilance.remembered())))
        seen = seen or vigilance.samples(10 * place, variety)
    assert (None if seen is None else seen.kind) == expected
    if expected == "collapse":
        assert not vigilance.is_well


def test_variety_is_the_distance_of_neighbours() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(200, 3))
    by_hand = np.median([np.sort(np.linalg.norm(real - point, axis=1))[1] for point in real])
    twice = np.median([np.sort(np.linalg.norm(2 * real - 2 * point, axis=1))[1] for point in real])
    assert variety_of(2 * real, real) == pytest.approx(twice / by_hand) == pytest.approx(2.0)
    assert variety_of(rng.normal(size=(200, 3)), real) == pytest.approx(1.0, abs=0.2)
    assert variety_of(np.repeat(real[:1], 200, 0), real) == pytest.approx(0.0, abs=1e-6)
    # Two modes of ten points each: each repeated.
    assert variety_of(np.tile(real[:20], (10, 1)), real) < 1e-5
    assert np.isnan(variety_of(np.full((200, 3), np.inf), real))
    assert variety_of(real, np.zeros((200, 3))) == 1.0


def names(
    kind: str, images: bool = True, batch_normalised: bool = False, norms: Any = NORMS, **values: Any
) -> list[str]:
    settings = for_data("data", **{name.replace("__", "."): value for name, value in values.items()})
    found = list(
        changes_for(
            Trouble(kind, 1, ""), settings, norms=norms, weight=1.0, images=images, batch_normalised=batch_normalised
        )
    )
    for change in found:
        after = changed(settings, change.values)
        assert after != settings, change.name
        assert change.text
    assert len({change.name for change in found}) == len(found)
    return [change.name for change in found]


def test_what_is_changed_fits_what_was_seen() -> None:
    rates, lower = (
        ["learning-rates-halved", "learning-rates-tenth"],
        ["learning-rates-tenth", "learning-rates-hundredth"],
    )
    assert names("nan") == ["clip-global-norm", "larger-epsilon", *lower]
    assert names("nan", training__precision="mixed_float16")[0] == "bfloat16"
    assert names("nan", norms={}) == names("nan")
    clipped = {"name": "value", "bound": 1.0}
    assert names("nan", clip__generator=clipped, clip__discriminator=clipped) == ["larger-epsilon", *lower]
    assert names("collapse") == ["penalties-tenfold", "instance-noise", "diff-augment", *rates]
    assert names("collapse", images=False) == ["penalties-tenfold", "instance-noise", *rates]
    assert names("collapse", loss__name="hinge")[0] == "default-loss"
    assert names("collapse", loss__name="hinge", batch_normalised=True)[0] == "instance-noise"
    assert "diff-augment" not in names("collapse", augmentation__name="diff_augment")


def test_what_is_changed_goes_with_the_other_settings() -> None:
    cosine = {"name": "adam", "learning_rate": 2e-4, "final_learning_rate": 1e-4}
    assert "learning-rates-tenth" in names("nan", optimizers__generator=cosine, optimizers__discriminator=cosine)
    assert "larger-epsilon" in names("nan", optimizers__generator={"name": "sgd", "learning_rate": 0.1})
    strong = next(
        change
        for change in changes_for(
            Trouble("collapse", 1, ""), for_data("data"), norms={}, weight=64.0, images=True, batch_normalised=False
        )
        if change.name == "penalties-tenfold"
    )
    assert [each["weight"] for each in strong.values["penalties"]] == [640.0, 640.0]


def test_a_clip_is_twice_what_was_usual() -> None:
    change = next(
        changes_for(
            Trouble("nan", 1, ""), for_data("data"), norms=NORMS, weight=1.0, images=False, batch_normalised=False
        )
    )
    assert change.values["clip.generator"] == {"name": "global_norm", "bound": 1.0}
    assert change.values["clip.discriminator"] == {"name": "global_norm", "bound": 6.0}
    only = for_data("data", **{"clip.generator": {"name": "value", "bound": 1.0}})
    change = next(
        changes_for(Trouble("nan", 1, ""), only, norms=NORMS, weight=1.0, images=False, batch_normalised=False)
    )
    assert list(change.values) == ["clip.discriminator"]


def test_one_sample_for_each_class_is_no_variety() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 10
    real = rng.normal(size=(200, 8)) + 5.0 * labels[:, None]
    alike = 5.0 * labels[:, None] + 0.01 * rng.normal(size=(200, 8))

    assert variety_of(real[::-1].copy(), real, labels[::-1].copy(), labels) == pytest.approx(1.0)
    assert variety_of(alike, real, labels, labels) < 0.02
    # A class with a single sample has no neighbour, and says nothing.
    assert variety_of(real[:10], real, labels[:10], labels) == 0.0
