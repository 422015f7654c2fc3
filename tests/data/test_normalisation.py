"""Normalisation against hand calculations and `math.fsum`; TensorFlow is not imported."""

from __future__ import annotations

import doctest
import json
import math
import os
import subprocess
import sys
import tracemalloc
import warnings

import numpy as np
import pytest

from ganmedic.data import normalisation
from ganmedic.data.moments import Moments
from ganmedic.data.normalisation import Normalisation
from ganmedic.data.output_range import ACTIVATION_RANGES, RangeWarning


def normal(mean=5.0, spread=3.0, shape=(400, 5, 2), seed=0):
    return np.random.default_rng(seed).normal(mean, spread, shape)


IMAGES = np.random.default_rng(9).integers(10, 200, (20, 8, 8, 3)).astype(np.uint8)


# --- fitting ----------------------------------------------------------------------------------------------------------


def test_standard_gives_each_channel_zero_mean_and_unit_variance():
    data = normal() * [1.0, 50.0] + [0.0, 1e6]
    result = Normalisation.fit(data, to="standard").apply(data)
    for channel in range(2):
        values = result[..., channel].ravel().tolist()
        mean = math.fsum(values) / len(values)
        assert mean == pytest.approx(0.0, abs=1e-9)
        assert math.fsum((value - mean) ** 2 for value in values) / len(values) == pytest.approx(1.0, rel=1e-9)


def test_float32_around_1e6_becomes_standard():
    data = normal(1e6, 1.0).astype(np.float32)
    result = Normalisation.fit(data, to="standard").apply(data)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result.mean(axis=(0, 1), dtype=np.float64), 0.0, atol=1e-6)
    np.testing.assert_allclose(result.std(axis=(0, 1), dtype=np.float64), 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("to", "ends"), [("tanh", (-1, 1)), ("sigmoid", (0, 1)), ((-3, 5), (-3, 5)), ("relu6", (0, 6))]
)
def test_a_range_reaches_both_ends_in_every_channel(to, ends):
    data = normal() * [1.0, 50.0]
    result = Normalisation.fit(data, to=to).apply(data)
    np.testing.assert_allclose(result.min(axis=(0, 1)), ends[0], atol=1e-12)
    np.testing.assert_allclose(result.max(axis=(0, 1)), ends[1], atol=1e-12)


@pytest.mark.parametrize(("to", "ends"), [("tanh", (-1, 1)), ("sigmoid", (0, 1))])
def test_a_declared_range_is_kept_by_data_that_were_not_measured(to, ends):
    normalisation = Normalisation.fit(IMAGES, to=to, source_range=(0, 255))
    unseen = np.array([0, 255, 51], np.uint8).reshape(1, 1, 1, 3)
    middle = ends[0] + 0.2 * (ends[1] - ends[0])
    np.testing.assert_array_equal(normalisation.apply(unseen).ravel(), np.array([*ends, middle], np.float32))
    assert normalisation.source_range == (0.0, 255.0)


def test_arrays_lists_generators_and_moments_come_to_the_same():
    data = normal()
    moments = Moments()
    moments.update(data)
    whole = Normalisation.from_moments(moments, "standard")
    for form in (data, data.tolist(), [data[:3], data[3:]], iter([data[:77], data[77:]])):
        other = Normalisation.fit(form, to="linear")
        np.testing.assert_allclose(other.offset, whole.offset, rtol=1e-13)
        np.testing.assert_allclose(other.scale, whole.scale, rtol=1e-13)


@pytest.mark.parametrize("axis", [1, -3])
def test_channels_may_lie_on_another_axis(axis):
    last = normal(shape=(30, 6, 7, 4))
    first = np.moveaxis(last, -1, 1)
    normalisation = Normalisation.fit(first, to="standard", axis=axis)
    np.testing.assert_allclose(normalisation.offset, last.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(first, normalisation.invert(normalisation.apply(first)), rtol=1e-12)
    expected = Normalisation.fit(last, to="standard").apply(last)
    np.testing.assert_allclose(np.moveaxis(normalisation.apply(first), 1, -1), expected, rtol=1e-12)
    assert normalisation.warn_for("linear") is None
    with pytest.warns(RangeWarning):
        normalisation.warn_for("tanh")


@pytest.mark.parametrize(("to", "result"), [("standard", 0.0), ("tanh", 0.0), ("sigmoid", 0.5), ((2, 4), 3.0)])
def test_a_constant_channel_is_stated_and_not_divided_by_its_spread(to, result):
    data = np.stack([np.linspace(0, 1, 50), np.full(50, 0.1)], axis=-1)
    normalisation = Normalisation.fit(data, to=to)
    assert normalisation.constant == (1,)
    assert normalisation.scale[1] == 1.0
    np.testing.assert_allclose(normalisation.apply(data)[:, 1], result, rtol=1e-15)
    np.testing.assert_allclose(normalisation.invert(normalisation.apply(data)), data, atol=1e-15)
    assert Normalisation.fit(normal(), to=to).constant == ()


def test_a_spread_that_float32_cannot_hold_counts_as_none():
    normalisation = Normalisation.fit([[1e-300], [3e-300]], to="standard")
    assert (normalisation.scale, normalisation.constant) == ((1.0,), (0,))


def test_what_is_not_finite_is_refused_with_count_and_channel():
    data = normal(shape=(10, 3))
    data[2:4, 1] = np.nan
    data[0, 2] = -np.inf
    with pytest.raises(ValueError, match=r"3 values are NaN or infinite \(channel 1: 2, channel 2: 1\).*Mend or drop"):
        Normalisation.fit(data)
    with pytest.raises(ValueError, match="and 12 more channels"):
        Normalisation.fit(np.full((1, 20), np.nan))


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        ([], {}, ValueError, "is expected"),
        (iter(()), {}, ValueError, "No values came.*used up"),
        (np.zeros((0, 3)), {}, ValueError, "No values came"),
        (normal(), {"to": "relu"}, ValueError, "to='relu' came.*give the pair"),
        (normal(), {"to": "tahn"}, ValueError, "to='tahn' came"),
        (normal(), {"to": (1, 1)}, ValueError, r"to=\(1, 1\) came; two numbers"),
        (normal(), {"to": (0, math.inf)}, ValueError, "two numbers"),
        (IMAGES, {"source_range": (255, 0)}, ValueError, r"source_range=\(255, 0\) came"),
        (IMAGES, {"source_range": 255}, ValueError, "source_range=255 came"),
        (IMAGES, {"source_range": (0, 100)}, ValueError, r"reach from 10 to 199; source_range=\(0.0, 100.0\)"),
        (IMAGES, {"to": "standard", "source_range": (0, 255)}, ValueError, "know no range"),
        (iter([(normal(), np.zeros(3))]), {}, TypeError, "without their labels"),
        (7, {}, TypeError, "type int came"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_advice(data, options, error, message):
    with pytest.raises(error, match=message):
        Normalisation.fit(data, **options)


def test_data_that_fill_next_to_nothing_of_the_declared_range_are_warned_of():
    with pytest.warns(RangeWarning, match=r"fill 0\.3 % of source_range=\(0\.0, 255\.0\).*such as \(0, 1\)") as caught:
        Normalisation.fit(IMAGES / 255, source_range=(0, 255))
    assert caught[0].filename == __file__
    with pytest.warns(RangeWarning, match=r"from 200 to 202 and fill 0\.8 %"):
        Normalisation.fit([[200], [202]], source_range=(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Normalisation.fit(IMAGES, source_range=(0, 255))


# --- there and back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["tanh", "sigmoid", "standard", (-4, 9)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_invert_brings_back_what_apply_was_given(to, dtype):
    data = (normal(100, 20) * [1.0, 0.5]).astype(dtype)
    normalisation = Normalisation.fit(data, to=to)
    back = normalisation.invert(normalisation.apply(data), dtype="source")
    assert back.dtype == dtype
    if np.dtype(dtype).kind in "iu":
        np.testing.assert_array_equal(back, data)
    else:
        np.testing.assert_allclose(back, data, rtol=2 * np.finfo(dtype).eps * 10)


def test_every_16_bit_value_survives():
    data = np.arange(2**16, dtype=np.uint16)[:, None]
    for to in ("tanh", "sigmoid", "standard"):
        normalisation = Normalisation.fit(data, to=to)
        np.testing.assert_array_equal(normalisation.invert(normalisation.apply(data), "source"), data)


def test_samples_are_rounded_and_clipped_to_integers():
    normalisation = Normalisation.fit(IMAGES[..., :1], source_range=(0, 255))
    samples = np.array([[-7.0], [-1.0], [0.001], [1.0], [1.004], [np.inf]], np.float32)
    assert normalisation.invert(samples, dtype="source").ravel().tolist() == [0, 0, 128, 255, 255, 255]
    assert normalisation.invert(samples, dtype=np.int16).ravel().tolist()[:5] == [-765, 0, 128, 255, 256]
    assert normalisation.invert(samples).dtype == np.float32
    with pytest.raises(ValueError, match="1 values are NaN and cannot become uint8"):
        normalisation.invert([[np.nan]], dtype="uint8")


@pytest.mark.parametrize("dtype", [np.int8, np.uint32, np.int64, np.uint64])
def test_the_ends_of_integers_do_not_wrap(dtype):
    normalisation = Normalisation.fit([[0.0], [1.0]], to="sigmoid")
    ends = np.iinfo(dtype)
    low, high = normalisation.invert([[-1e30], [1e30]], dtype=dtype).ravel().tolist()
    assert low == ends.min
    assert ends.max - 2048 <= high <= ends.max


def test_booleans_come_back():
    data = np.array([[True], [False], [True]])
    normalisation = Normalisation.fit(data)
    assert normalisation.apply(data).ravel().tolist() == [1.0, -1.0, 1.0]
    assert normalisation.invert([[0.3], [-0.3]], "source").ravel().tolist() == [True, False]


def test_a_type_that_is_not_known_cannot_be_restored():
    content = {**Normalisation.fit([[1.0], [2.0]]).to_dict(), "dtype": None}
    with pytest.raises(ValueError, match=r"not known.*dtype='uint8'"):
        Normalisation.from_dict(content).invert([[0.0]], "source")


def test_another_number_of_channels_is_refused():
    normalisation = Normalisation.fit(IMAGES)
    for data in (IMAGES[..., :1], np.float64(3.0)):
        with pytest.raises(ValueError, match="3 channels on axis -1 are expected"):
            normalisation.apply(data)
    assert normalisation.apply(IMAGES[0, 0, 0]).shape == (3,)
    assert normalisation.apply(IMAGES[:0]).shape == (0, 8, 8, 3)


def test_little_memory_is_taken_beside_the_result():
    images = np.zeros((300, 64, 64, 3), np.uint8)
    images[1:] = 200
    normalisation = Normalisation.fit(images, source_range=(0, 255))
    tracemalloc.start()
    try:
        result = normalisation.apply(images)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < result.nbytes + 4_000_000


# --- does it fit the generator? ---------------------------------------------------------------------------------------


def test_zero_mean_and_unit_variance_under_a_tanh_are_warned_of_and_explained():
    data = normal(shape=(20_000, 2))
    normalisation = Normalisation.fit(data, to="standard")
    with pytest.warns(RangeWarning) as caught:
        estimated = normalisation.warn_for("tanh")
    assert caught[0].filename == __file__
    assert str(caught[0].message) == estimated
    assert "zero mean and unit variance under a generator that ends in tanh" in estimated
    assert "An estimated 31.7 % of the values can never be generated" in estimated  # P(|z| > 1) = 0.3173
    assert "by the range alone" in estimated
    assert "flat part of the tanh" in estimated
    assert "to='tanh'" in estimated
    counted = np.mean(np.abs((data - data.mean(axis=0)) / data.std(axis=0)) > 1)
    with pytest.warns(RangeWarning, match=f"{100 * counted:.1f} % of the values can never"):
        normalisation.warn_for("tanh", sample=data)


@pytest.mark.parametrize(
    ("to", "activation", "share"),
    [
        ("standard", "sigmoid", "65.9 %"),  # P(z < 0) + P(z > 1) = 0.5 + 0.1587
        ("standard", "relu", "50.0 %"),
        ((0, 255), "sigmoid", "%"),
        ("tanh", "sigmoid", "%"),
        ((-2, 2), np.tanh, "%"),
    ],
)
def test_other_mismatches_are_warned_of(to, activation, share):
    with pytest.warns(RangeWarning, match=f"{share} of the values can never be generated"):
        Normalisation.fit(normal(shape=(50_000, 1)), to=to).warn_for(activation)


@pytest.mark.parametrize(
    ("to", "activation"),
    [
        ("tanh", "tanh"),
        ("sigmoid", "sigmoid"),
        ("sigmoid", "tanh"),
        ("standard", None),
        ("standard", "linear"),
        ((0, 9), "relu"),
    ],
)
def test_what_fits_is_not_warned_of(to, activation):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in (normal(), normal(1e6, 1.0).astype(np.float32), IMAGES):
            assert Normalisation.fit(data, to=to).warn_for(activation) is None


def test_standard_data_that_happen_to_fit_are_not_warned_of():
    normalisation = Normalisation.fit(np.array([[-1.0], [1.0]] * 50), to="standard")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert normalisation.warn_for("tanh") is None


def test_an_activation_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="'swish' is not known; known are"):
        Normalisation.fit(normal()).warn_for("swish")
    assert all(low < high for low, high in ACTIVATION_RANGES.values())


# --- JSON -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "normalisation",
    [
        Normalisation.fit(IMAGES, source_range=(0, 255)),
        Normalisation.fit(normal(1e6, 1e-3), to="standard"),
        Normalisation.fit(normal(shape=(9, 2, 4)), to=(-0.1, 0.3), axis=1),
    ],
)
def test_a_file_brings_back_every_bit(normalisation, tmp_path):
    path = tmp_path / "normalisation.json"
    normalisation.save(path)
    normalisation.save(path)
    assert Normalisation.load(path) == normalisation
    assert Normalisation.from_dict(normalisation.to_dict()) == normalisation
    assert os.listdir(tmp_path) == ["normalisation.json"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "normalisation.json"
    Normalisation.fit(IMAGES).save(path)
    before = path.read_text()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"Cannot write the normalisation to .*No space left"):
        Normalisation.fit(normal()).save(path)
    assert path.read_text() == before
    with pytest.raises(OSError, match="Create it first"):
        Normalisation.fit(normal()).save(tmp_path / "none" / "a.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "This is no normalisation"),
        ({"version": 99}, "version 99 came; version 1 is read"),
        ({"scale": [0.0, 1.0]}, "scales above 0"),
        ({"scale": [1.0]}, "lengths"),
        ({"offset": None}, "'offset' of a normalisation must be a list"),
        ({"offset": ["1", "2"]}, "'offset'"),
        ({"mean": [float("nan"), 1.0]}, "'mean'"),
        ({"target": [1, -1]}, "target"),
        ({"source_range": "ab"}, "source_range"),
        ({"axis": 1.5}, "'axis' 1.5"),
        ({"dtype": 8}, "'dtype' 8"),
    ],
)
def test_a_broken_file_is_refused_by_name(change, message, tmp_path):
    path = tmp_path / "statistics.json"
    path.write_text(json.dumps({**Normalisation.fit(normal()).to_dict(), **change}))
    with pytest.raises(ValueError, match=message) as caught:
        Normalisation.load(path)
    assert "statistics.json" in str(caught.value)


def test_a_file_that_is_no_json_is_refused_by_line(tmp_path):
    path = tmp_path / "half.json"
    path.write_text('{"format":\n')
    with pytest.raises(ValueError, match=r"half\.json, line 2: this is no JSON"):
        Normalisation.load(path)
    path.write_text("[]")
    with pytest.raises(ValueError, match="This is no normalisation"):
        Normalisation.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"half\.json"):
        Normalisation.load(path)


def test_tensorflow_is_not_needed():
    code = "import sys, ganmedic.data.normalisation; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_the_example_in_the_docstring_runs():
    failed, attempted = doctest.testmod(normalisation)
    assert (failed, attempted > 0) == (0, True)
