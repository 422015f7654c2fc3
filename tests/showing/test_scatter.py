"""Points and tables: what lies where, and what is said of what cannot be seen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from ganmedic.training.showing.scatter import save_scatter, scatter

RANDOM = np.random.default_rng(0)


def titles(figure) -> str:
    return " ".join([text.get_text() for text in figure.texts] + [axes.get_title(loc="left") for axes in figure.axes])


def test_points_are_drawn_over_the_real_ones_within_their_limits() -> None:
    real = RANDOM.normal(size=(300, 2)) * [1, 10]
    fake = RANDOM.normal(size=(100, 2))
    fake[0], fake[1] = [50, 0], [np.nan, 0]
    figure = scatter(fake, real)
    axes = figure.axes[0]
    behind, front = (np.asarray(dots.get_offsets()) for dots in axes.collections)
    np.testing.assert_array_equal(behind, real)
    np.testing.assert_array_equal(front, fake[[0, *range(2, 100)]])
    assert axes.get_xlim()[1] < 6
    assert axes.get_ylim()[1] > 20
    assert "100 generated, 1 outside of the picture, 1 not finite" in titles(figure)


def test_histograms_are_the_shares_of_each_column() -> None:
    real = RANDOM.normal(size=(500, 3))
    fake = np.stack([np.zeros(50), np.linspace(0, 1, 50), np.full(50, 1e3)], axis=1)
    figure = scatter(fake, real)
    assert len(figure.axes) == 3
    for column, axes in enumerate(figure.axes):
        shares, edges, _ = axes.patches[-1].get_data()
        expected = [np.mean((fake[:, column] >= a) & (fake[:, column] < b)) for a, b in pairwise(edges)]
        np.testing.assert_allclose(shares, expected, atol=1e-12)
    assert any("100.0% outside" in text.get_text() for text in figure.axes[2].texts)


def test_of_many_columns_those_that_differ_are_shown() -> None:
    real = RANDOM.normal(size=(400, 30))
    fake = RANDOM.normal(size=(400, 30))
    fake[:, 23] += 3
    figure = scatter(fake, real)
    assert len(figure.axes) == 16
    assert figure.axes[0].get_title(loc="left") == "column 23"
    assert "16 of 30 columns, those that differ most" in titles(figure)


@pytest.mark.parametrize("values", [np.full((4, 2), np.nan), np.full((4, 3), 7.0), np.arange(4), np.zeros((1, 2))])
def test_strange_points_can_be_drawn(tmp_path, values) -> None:
    save_scatter(tmp_path / "points.png", values, values, step=4, seed=2)
    with Image.open(tmp_path / "points.png") as image:
        assert image.text["step"] == "4"
        assert image.size[0] > 400


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="2 columns and real ones 3"):
        scatter(np.zeros((4, 2)), np.zeros((4, 3)))
    with pytest.raises(ValueError, match="shown by grid"):
        scatter(np.zeros((4, 8, 8, 1)))
