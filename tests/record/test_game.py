"""The samples of a batch come back from a file as they were."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from ganmedic.record.game import Batch, Response, Showing
from ganmedic.record.record import Record
from ganmedic.record.schema import Place
from ganmedic.record.store import load, save


def batch(samples: np.ndarray, number: int = 7) -> Batch:
    packed = zlib.compress(np.ascontiguousarray(samples, "<f4").tobytes())
    return Batch(number, 3, "output", 12, samples.shape, "float32", form=samples.shape, entries=packed)


SAMPLES = {
    "table": np.arange(12, dtype=np.float32).reshape(3, 4),
    "pictures": np.random.default_rng(0).normal(size=(2, 5, 5, 3)).astype(np.float32),
    "one number a sample": np.array([0.5, -1.0], np.float32),
    "not finite": np.array([[np.nan, np.inf], [-np.inf, -0.0]], np.float32),
    "every byte": np.arange(256, dtype=np.uint8).view("<f4").astype(np.float32).reshape(8, 8),
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_samples_come_back_bit_by_bit(kind, tmp_path: Path):
    given = SAMPLES[kind]
    row = batch(given)
    save(Record(batches={row.id: row}), tmp_path / "run.ganmedic")
    (found,) = load(tmp_path / "run.ganmedic").batches.values()
    assert found == row
    assert isinstance(found.entries, bytes)
    assert found.array().dtype == np.float32
    assert found.array().shape == given.shape
    assert found.array().tobytes() == given.tobytes()


def test_samples_that_were_not_kept_are_none(tmp_path: Path):
    row = Batch(1, 2, "given", 3, (64, 8), "float32", mean=(0.1,) * 8, digests=tuple(range(64)))
    save(Record(batches={1: row}), tmp_path / "run.ganmedic")
    found = load(tmp_path / "run.ganmedic").batches[1]
    assert found.array().shape == (0,)
    assert found.entries == b""
    assert found.mean == row.mean


def test_digests_of_63_bits_and_figures_that_are_not_finite_come_back(tmp_path: Path):
    row = Batch(1, 2, "given", 3, (2, 1), "float16", digests=(0, (1 << 63) - 1), ends=(0.0, float("inf")))
    row.low, row.high = (float("-inf"),), (float("inf"),)
    save(Record(batches={1: row}), tmp_path / "run.ganmedic")
    found = load(tmp_path / "run.ganmedic").batches[1]
    assert (found.digests, found.ends, found.low, found.high) == (row.digests, row.ends, row.low, row.high)


def test_showings_and_responses_come_back(tmp_path: Path):
    showing = Showing(4, 5, "predict", (Place("train.py", 3, "show"),), 17)
    response = Response(6, 7, 8, 9, 0.25, 1e-7)
    save(Record(showings={4: showing}, responses={6: response}), tmp_path / "run.ganmedic")
    found = load(tmp_path / "run.ganmedic")
    assert found.showings == {4: showing}
    assert found.responses == {6: response}
