"""Grids of images: every pixel where it belongs, and nothing hidden."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ganmedic.training.showing import pictures
from ganmedic.training.showing.pictures import data_range, grid, save_grid

RANDOM = np.random.default_rng(0)


def cell(picture: Image.Image, row: int, column: int, side: int) -> np.ndarray:
    """The pixels of one image in a grid, from the sizes that a grid is said to have: a gutter of 2 around each."""
    left, top = 2 + column * (side + 2), 2 + row * (side + 2)
    return np.asarray(picture)[top : top + side, left : left + side]


def test_every_pixel_is_where_it_belongs_enlarged_by_a_whole_factor() -> None:
    images = RANDOM.integers(0, 256, (5, 20, 20, 3), dtype=np.uint8)
    picture = grid(images)
    assert picture.size == (3 * 62 + 2, 2 * 62 + 2)
    for place in range(5):
        expected = np.kron(images[place], np.ones((3, 3, 1), np.uint8))
        np.testing.assert_array_equal(cell(picture, place // 3, place % 3, 60), expected)
    assert np.unique(cell(picture, 1, 2, 60)).size == 1
    assert grid(images, columns=5).size == (5 * 62 + 2, 64)


def test_floats_are_scaled_clipped_and_counted() -> None:
    values = np.linspace(-1.5, 1.5, 64 * 64).reshape(1, 64, 64, 1)
    picture = grid(values, value_range=(-1, 1))
    expected = np.rint(np.clip((values[0, ..., 0] + 1) / 2, 0, 1) * 255)
    np.testing.assert_array_equal(cell(picture, 0, 0, 64)[..., 1], expected)
    assert picture.info["clipped"] == pytest.approx(np.mean(np.abs(values) > 1))
    assert picture.info["not_finite"] == 0


def test_what_is_not_finite_is_magenta_and_not_black() -> None:
    values = np.zeros((1, 64, 64, 3), np.float32)
    values[0, 3, 4, 1], values[0, 5, 6, 0] = np.nan, np.inf
    picture = grid(values, value_range=(0, 1))
    marked = np.argwhere((cell(picture, 0, 0, 64) == (255, 0, 255)).all(axis=-1))
    assert marked.tolist() == [[3, 4], [5, 6]]
    assert picture.info["not_finite"] == pytest.approx(2 / values.size)


def test_channels_of_opacity_let_a_chessboard_through() -> None:
    image = np.full((1, 64, 64, 4), 200, np.uint8)
    image[0, :, :32, 3], image[0, :, 32:, 3] = 255, 0
    shown = cell(grid(image), 0, 0, 64)
    assert np.unique(shown[:, :32]).tolist() == [200]
    assert np.unique(shown[:, 32:]).tolist() == [204, 255]
    grey = cell(grid(image[..., 2:]), 0, 0, 64)
    np.testing.assert_array_equal(grey, shown)
    with pytest.raises(ValueError, match=r"samples\[\.\.\., :3\]"):
        grid(np.zeros((1, 4, 4, 5), np.uint8))


def test_large_grids_are_shrunk() -> None:
    picture = grid(np.broadcast_to(np.uint8(77), (25, 1024, 1024, 1)))
    assert picture.size == (5 * 514 + 2, 5 * 514 + 2)
    assert np.unique(cell(picture, 4, 4, 512)).tolist() == [77]


def test_labels_are_written_above_their_images() -> None:
    images = np.full((2, 64, 64, 1), 255, np.uint8)
    picture = np.asarray(grid(images, labels=["seven \x1b[31m", 3]))
    assert picture.shape == (64 + 15 + 4, 2 * 66 + 2, 3)
    assert (picture[2:17, 2:66] < 100).any()
    assert (picture[17:81, 2:66] == 255).all()
    with pytest.raises(ValueError, match="1 labels came for 2 images"):
        grid(images, labels=["one"])


def test_a_file_has_its_step_and_seed_and_replaces_the_old_one_whole(tmp_path) -> None:
    path = tmp_path / "latest.png"
    values = np.array([0.0, 2.0]).reshape(2, 1, 1, 1)
    assert save_grid(path, values, value_range=(0, 1), step=1200, seed=7) == 0.5
    with Image.open(path) as image:
        text = dict(image.text)
    assert text.pop("Software").startswith("ganmedic ")
    assert text == {"step": "1200", "seed": "7", "clipped": "0.5", "not_finite": "0"}
    before = path.read_bytes()
    with pytest.raises(ValueError, match="value_range"):
        save_grid(path, values)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["latest.png"]


@pytest.mark.parametrize(
    ("samples", "arguments", "words"),
    [
        (np.zeros((2, 4, 4, 1)), {}, "what is black and what is white"),
        (np.zeros((0, 4, 4, 1), np.uint8), {}, "at least one"),
        (np.zeros((2, 4), np.uint8), {}, "height, width, channels"),
        (np.zeros((2, 4, 4, 1), complex), {"value_range": (0, 1)}, "real numbers"),
        (np.zeros((2, 4, 4, 1)), {"value_range": (1, 0)}, "the lower one first"),
        (np.zeros((2, 4, 4, 1)), {"value_range": (0, np.nan)}, "two finite numbers"),
        (np.zeros((2, 4, 4, 1), np.uint8), {"columns": 0}, "columns is 0"),
    ],
)
def test_what_cannot_be_shown_is_refused(samples, arguments, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        grid(samples, **arguments)


def test_the_range_of_the_data_is_found() -> None:
    class Known:
        source_range, minimum, maximum = None, (-3.0, 0.0), (1.0, 5.0)

    assert data_range(np.zeros(3, np.uint8)) == (0, 255)
    assert data_range(np.zeros(3), Known()) == (-3, 5)
    assert data_range(np.array([1.0, np.nan, 4.0])) == (1, 4)
    assert data_range(np.full(3, 2.0)) == (1.5, 2.5)


def test_a_missing_package_names_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r'needs pillow.*pip install "ganmedic\[train\]"'):
        pictures.grid(np.zeros((1, 2, 2, 1), np.uint8))
