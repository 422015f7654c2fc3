"""A data set is read once, at the size that is trained with, and is there as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganmedic.data import open_source
from ganmedic.data.sources.source import DataError
from ganmedic.training.reading import arrays_of, load_samples, read_samples


def image(path: Path, size: tuple[int, int] = (20, 20), mode: str = "RGB", colour: Any = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = (colour,) * len(mode) if mode != "L" else colour
    Image.new(mode, size, colour).save(path)


def samples_in(path: Any, **options: Any) -> Any:
    return read_samples(open_source(str(path) if isinstance(path, Path) else path), **options)


@pytest.mark.parametrize(("modes", "channels"), [(["L", "L"], 1), (["L", "RGB"], 3), (["RGBA", "RGB"], 3)])
def test_grey_pictures_stay_grey_unless_one_has_colours(modes: list[str], channels: int, tmp_path: Path) -> None:
    for number, mode in enumerate(modes):
        image(tmp_path / "data" / f"{number}.png", mode=mode)
    read = samples_in(tmp_path / "data")
    assert (read.values.shape, read.values.dtype) == ((2, 16, 16, channels), np.uint8)
    assert np.unique(read.values).tolist() == [90]
    assert samples_in(tmp_path / "data", channels=4, resolution=8).values.shape == (2, 8, 8, 4)


@pytest.mark.parametrize(("size", "resolution"), [((20, 30), 16), ((60, 64), 64), ((23, 500), 32), ((4, 4), 16)])
def test_the_resolution_is_the_power_of_two_next_to_the_shorter_side(
    size: tuple[int, int], resolution: int, tmp_path: Path
) -> None:
    image(tmp_path / "data" / "0.png", size)
    assert samples_in(tmp_path / "data").values.shape[1:3] == (resolution, resolution)


def test_the_middle_square_is_taken_and_pixels_of_the_right_size_are_untouched(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    wide = np.zeros((16, 48, 3), np.uint8)
    wide[:, 16:32] = 200
    exact = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    Image.fromarray(wide).save(tmp_path / "data" / "a.png")
    Image.fromarray(exact).save(tmp_path / "data" / "b.png")
    values = samples_in(tmp_path / "data", resolution=16).values
    assert np.unique(values[0]).tolist() == [200]
    np.testing.assert_array_equal(values[1], exact)


def test_what_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for number in range(3):
        image(data / f"{number}.png")
    (data / "broken.png").write_bytes((data / "0.png").read_bytes()[:40])
    (data / "text.jpg").write_text("no picture")
    os.symlink(data / "gone.png", data / "link.png")
    os.symlink(data / "0.png", data / "same.png")
    read = samples_in(data)
    assert len(read.values) in (3, 4)
    count, reasons = read.skipped
    assert count == len(reasons) >= 2
    for name in ("broken.png", "text.jpg"):
        assert any(name in reason for reason in reasons), reasons
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    shutil.copy(data / "broken.png", lonely / "broken.png")
    with pytest.raises(DataError, match="no sample that can be read"):
        samples_in(lonely)


def test_folders_are_classes_in_memory_and_in_files(tmp_path: Path) -> None:
    for label, name in enumerate(("cat", "dog", "emu")):
        for number in range(label + 1):
            image(tmp_path / "data" / name / f"{number}.png", colour=50 * label)
    there = samples_in(tmp_path / "data", labels=True)
    kept = samples_in(tmp_path / "data", labels=True, folder=tmp_path / "kept")
    loaded = load_samples(tmp_path / "kept")
    for read in (there, kept, loaded):
        assert read.labels is not None
        assert sorted(read.labels.tolist()) == [0, 1, 1, 2, 2, 2]
        np.testing.assert_array_equal(read.values[:, 0, 0, 0], 50 * read.labels)
        assert (read.class_names, read.classes) == (("cat", "dog", "emu"), 3)
    np.testing.assert_array_equal(np.asarray(loaded.values), there.values)
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["labels.npy", "samples.json", "samples.npy"]
    image(tmp_path / "flat" / "0.png")
    with pytest.raises(DataError, match="have no class, and classes were asked for"):
        samples_in(tmp_path / "flat", labels=True)


def test_arrays_keep_their_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    exact = rng.integers(0, 256, (5, 16, 16, 3)).astype(np.uint8)
    np.testing.assert_array_equal(samples_in(exact, resolution=16).values, exact)
    floats = rng.normal(size=(5, 16, 16, 1))
    read = samples_in(floats, resolution=16)
    assert read.values.dtype == np.float32
    np.testing.assert_allclose(read.values, floats, rtol=1e-6)
    constant = samples_in(np.full((2, 20, 30, 3), 0.25), resolution=16, channels=3).values
    assert constant.shape == (2, 16, 16, 3)
    np.testing.assert_allclose(constant, 0.25, rtol=1e-5)
    assert samples_in(np.zeros((2, 16, 16, 1), np.uint8), channels=3).values.shape == (2, 16, 16, 3)
    with pytest.raises(DataError, match=r"pictures of 3 channels came, 1 are expected. Set data.channels to 3"):
        samples_in(exact, channels=1)
    values, labels = arrays_of(open_source(exact, np.arange(5)), (8, 8, 3), labels=True)
    assert values.shape == (5, 8, 8, 3)
    assert labels.tolist() == [0, 1, 2, 3, 4]


def test_tables_are_rows_of_finite_numbers(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("height,weight\n1.5,60\n1.75,70\n")
    read = samples_in(table)
    assert read.values.tolist() == [[1.5, 60.0], [1.75, 70.0]]
    assert read.columns == ("height", "weight")
    table.write_text("height,name\n1.5,Ann\n1.75,Bob\n")
    with pytest.raises(DataError, match=r"no numbers came \(name\)"):
        samples_in(table)
    table.write_text("height,weight\n1.5,\n1.75,70\nnan,70\n")
    with pytest.raises(DataError, match="2 of the rows have an empty cell"):
        samples_in(table)


def test_a_data_set_that_was_not_read_to_its_end_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = np.zeros((5, 16, 16, 1), np.uint8)
    with monkeypatch.context() as patch:

        def full(*arguments: Any) -> None:
            raise OSError(28, "No space left on device")

        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            samples_in(source, folder=tmp_path / "full")
    assert not list((tmp_path / "full").iterdir())
    samples_in(source, folder=tmp_path / "kept")
    for name in ("samples.json", "samples.npy"):
        folder = tmp_path / f"without {name}"
        shutil.copytree(tmp_path / "kept", folder)
        (folder / name).unlink()
        with pytest.raises(DataError, match="does not hold a complete data set"):
            load_samples(folder)
    os.truncate(tmp_path / "kept" / "samples.npy", 200)
    with pytest.raises(DataError, match="does not hold a complete data set"):
        load_samples(tmp_path / "kept")
