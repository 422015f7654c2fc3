"""One pass, the same result on any number of cores, bounded memory; histograms and duplicates against plain references."""

from __future__ import annotations

import doctest
import subprocess
import sys

import numpy as np
import pytest
from making import array, folder, photographs

from ganmedic.data import auditing
from ganmedic.data.auditing import audit
from ganmedic.data.diversity import vendi_score
from ganmedic.data.gathering import Gathered, Growing
from ganmedic.data.hashing import bit_counts, close_pairs
from ganmedic.data.histogram import Histogram
from ganmedic.data.reservoir import Reservoir, lots
from ganmedic.data.sources import DataError


def test_the_examples_run():
    assert doctest.testmod(auditing).failed == 0


def test_the_number_of_processes_changes_nothing(tmp_path):
    images = photographs(150, side=24)
    path = folder(tmp_path, [*images, images[0]], classes=3)
    one, two = (audit(path, jobs=jobs).to_json() for jobs in (1, 2))
    for report in (one, two):
        del report["elapsed_seconds"], report["jobs"]
    assert one == two


def test_a_limit_and_the_progress(tmp_path):
    path = folder(tmp_path, photographs(150, side=16))
    seen: list[tuple[int, int | None]] = []
    assert audit(path, limit=100, on_progress=lambda *numbers: seen.append(numbers)).samples == 100
    assert seen == [(64, 100), (100, 100)]


@pytest.mark.parametrize("arguments", [{"limit": 0}, {"jobs": 0}])
def test_numbers_below_one_are_refused(arguments):
    with pytest.raises(DataError, match="from 1 on is expected"):
        audit(array(4), **arguments)


def test_memory_does_not_grow_with_an_array_on_disk(tmp_path):
    """320 MB are mapped; the process itself holds less than 200 MB."""
    path = tmp_path / "large.npy"
    made = np.lib.format.open_memmap(path, "w+", np.uint8, (2000, 400, 400, 1))
    del made
    program = (
        "import sys\n"
        "from ganmedic.data import audit\n"
        "assert audit(sys.argv[1], jobs=1).samples == 2000\n"
        "rows = open('/proc/self/smaps_rollup').read().splitlines()\n"
        "private = sum(int(row.split()[1]) for row in rows if row.startswith('Private'))\n"
        "print(private // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200


def test_a_growing_array_keeps_what_was_added():
    growing = Growing(np.int64, most=5000)
    for begin in range(0, 6000, 700):
        growing.add(np.arange(begin, begin + 700))
    assert growing.rows.tolist() == list(range(5000))


def test_beyond_the_records_everything_is_still_counted(monkeypatch):
    monkeypatch.setattr(auditing, "Gathered", lambda source: Gathered(source, most_records=50))
    result = audit(array(90, side=16))
    assert result.samples == 90
    assert result.channels[0].count == 90 * 256
    assert not result.duplicates_complete


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_a_histogram_counts_all_and_merges_exactly(scale):
    random = np.random.default_rng(0)
    parts = [random.normal(by, 1 + by, 500) * scale for by in range(5)]
    one = Histogram()
    for part in parts:
        one.update(part)
    other = Histogram()
    for part in reversed(parts):
        single = Histogram()
        single.update(part)
        other.merge(single)
    whole = np.concatenate(parts)
    for histogram in (one, other):
        assert histogram.total == 2500
        assert histogram.counts.tolist() == np.histogram(whole, histogram.edges)[0].tolist()
    back = Histogram.of_bins(one.edges.tolist(), one.counts.tolist())
    assert back.edges.tolist() == one.edges.tolist()


def test_the_share_outside_of_a_histogram():
    values = np.random.default_rng(0).normal(size=200_000)
    histogram = Histogram()
    histogram.update(values)
    for low, high in ((-1, 1), (0, 1), (-2.5, 0.3)):
        expected = ((values < low) | (values > high)).mean()
        assert histogram.share_outside(low, high) == pytest.approx(expected, abs=0.005)


def test_values_on_the_end_of_a_range_are_within_it():
    values = np.concatenate([np.linspace(-1, 0.9, 5000), np.ones(5000), [1.5]])
    histogram = Histogram()
    histogram.update(values)
    assert histogram.share_outside(-1, 1) < 0.01


def test_a_reservoir_keeps_the_lowest_lots_however_they_come():
    drawn = lots(0, 1000, 0).astype(object).tolist()
    kept = []
    for step in (7, 1000):
        reservoir = Reservoir(50)
        for begin in range(0, 1000, step):
            part = range(begin, min(begin + step, 1000))
            reservoir.add(
                [(drawn[index], index, f"kept {index}") for index in part if drawn[index] <= reservoir.cutoff]
            )
        kept.append(reservoir.samples()[0].tolist())
    lowest = sorted(sorted(range(1000), key=lambda index: drawn[index])[:50])
    assert kept == [lowest, lowest]


def test_close_hashes_are_found_like_by_comparing_all():
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**63, 200, dtype=np.uint64)
    for place in range(100):
        hashes[100 + place] = hashes[place]
        for bit in random.choice(64, place % 9, replace=False):
            hashes[100 + place] ^= np.uint64(1) << np.uint64(bit)
    pairs = [(int(a), int(b)) for one, other in close_pairs(hashes, 6, 10**6) for a, b in zip(one, other, strict=True)]
    found = set(pairs)
    assert len(found) == len(pairs)
    distances = bit_counts(hashes[:, None] ^ hashes[None, :])
    expected = {(int(a), int(b)) for a, b in np.argwhere(distances <= 6) if a < b}
    assert found == expected
    assert len(expected) >= 70


def test_bits_are_counted_without_the_function_of_numpy_2(monkeypatch):
    words = np.array([[0, 1, 2**64 - 1], [3, 255, 2**63]], np.uint64)
    monkeypatch.delattr(np, "bitwise_count")
    assert bit_counts(words).tolist() == [[0, 1, 64], [2, 8, 1]]


def test_the_vendi_score_of_known_sets():
    assert vendi_score(np.eye(7, dtype=np.float32)) == pytest.approx(7)
    assert vendi_score(np.ones((9, 3), np.float32)) == pytest.approx(1)
    assert vendi_score(np.repeat(np.eye(4, dtype=np.float32), 5, axis=0)) == pytest.approx(4)
