"""A checkpoint is whole, or it is found out."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganmedic.training.checkpoints import CheckpointError, Checkpoints, about_of, load

ARRAYS: dict[str, Any] = {
    "generator/0000": np.arange(6, dtype=np.float32).reshape(2, 3),
    "balance noise/0001": np.array([1, 2**40], np.int64),
    "file": np.array(1.5),
    "about": np.array(True),
    "bfloat16 bits": np.array([0x3F80, 0x7FC0], np.uint16),
    "empty": np.zeros((0, 3), np.float16),
    "not finite": np.array([np.nan, -np.inf, -0.0], np.float32),
}
ABOUT = {"healthy": True, "vigilance": {"best": 0.25, "variety": None}}


def same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    return left.keys() == right.keys() and all(
        left[name].dtype == right[name].dtype
        and left[name].shape == right[name].shape
        and left[name].tobytes() == right[name].tobytes()
        for name in left
    )


def test_what_was_saved_comes_back_bit_for_bit(tmp_path: Path) -> None:
    saved = Checkpoints(tmp_path / "made").save(7, 2, ARRAYS, ABOUT)
    assert (saved.step, saved.leg, saved.path.name) == (7, 2, "step-000000007-leg-2.npz")
    arrays, about = load(saved.path)
    assert same(arrays, ARRAYS)
    assert about == about_of(saved.path) == ABOUT
    assert [path.name for path in (tmp_path / "made").iterdir()] == [saved.path.name]


def test_every_cut_and_every_flipped_byte_is_found_out_or_does_no_harm(tmp_path: Path) -> None:
    path = Checkpoints(tmp_path).save(1, 0, ARRAYS, ABOUT).path
    whole, found = path.read_bytes(), 0
    damaged = tmp_path / "damaged.npz"
    for length in range(0, len(whole), 29):
        damaged.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"no whole checkpoint|is damaged"):
            load(damaged)
    # Of the arrays every fifth byte; all of the directory behind them, which has no checksum.
    directory = whole.index(b"PK\x01\x02")
    places = [*range(0, directory, 5), *range(directory, len(whole))]
    for place in places:
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            arrays, about = load(damaged)
        except CheckpointError:
            found += 1
            continue
        # Times and the like of the zip file, which nothing depends on.
        assert same(arrays, ARRAYS), place
        assert about == ABOUT, place
    assert found > len(places) / 2


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", "a zip file", "arrays of others", "pickled"])
def test_what_is_no_checkpoint_is_found_out(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "step-000000001-leg-0.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "a zip file":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("letter.txt", "mine")
    else:
        np.savez(path, weights=np.zeros(3) if content == "arrays of others" else np.array([object()]))
    for reads in (load, about_of):
        with pytest.raises(CheckpointError, match="no whole checkpoint"):
            reads(path)
    with pytest.raises(CheckpointError):
        load(tmp_path / "step-000000002-leg-0.npz")


def test_the_newest_stay_and_those_that_are_held(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path, keep=2)
    (tmp_path / "step-000000099-leg-0.partial").write_bytes(b"half")
    (tmp_path / "letter.txt").write_text("mine")
    made = {
        (leg, step): store.save(step, leg, {}, {}).path for leg, step in ((0, 10), (0, 20), (0, 30), (1, 20), (1, 30))
    }
    assert [(each.leg, each.step) for each in store.all()] == [*made]
    assert [each.step for each in store.newest_first(0)] == [30, 20, 10]
    store.prune({made[0, 20]})
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"letter.txt", *(made[key].name for key in ((0, 20), (1, 20), (1, 30)))}


@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_ones(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Checkpoints(tmp_path)
    old = store.save(1, 0, ARRAYS, ABOUT)
    save = np.savez

    def full(*arguments: Any, **named: Any) -> None:
        if where == "write":
            save(*arguments, **named)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*{"write": (np, "savez"), "fsync": (os, "fsync"), "replace": (os, "replace")}[where], full)
        with pytest.raises(OSError, match="No space"):
            store.save(2, 0, ARRAYS, ABOUT)
        with pytest.raises(OSError, match="No space"):
            store.save(1, 0, {"other": np.zeros(1)}, {})
    assert [path.name for path in tmp_path.iterdir()] == [old.path.name]
    assert same(load(old.path)[0], ARRAYS)


def test_about_must_be_json(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        Checkpoints(tmp_path).save(1, 0, {}, {"what": object()})
    assert not list(tmp_path.iterdir())
    assert json.loads(json.dumps(ABOUT)) == ABOUT
