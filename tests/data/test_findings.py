"""Each fault is found where it is planted, with its numbers, and not found where it is not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from making import array, finding, folder, photographs, slugs
from PIL import Image

from ganmedic.data import audit
from ganmedic.data.against import parse_against
from ganmedic.data.sources import DataError


def scaled(count: int = 60) -> np.ndarray:
    return array(count).astype(np.float32) / 127.5 - 1


def table(rows: int = 1200, columns: int = 4) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, columns))


def csv(path, values) -> str:
    lines = [",".join("" if np.isnan(cell) else repr(float(cell)) for cell in row) for row in values]
    path.write_text("\n".join([",".join("abcdefgh"[: values.shape[1]]), *lines]) + "\n")
    return str(path)


# --- sound data -------------------------------------------------------------------------------------------------------


def test_nothing_is_found_in_sound_pictures_and_tables(tmp_path):
    assert slugs(audit(scaled(), against="tanh")) == {"few-samples"}
    assert slugs(audit((scaled() + 1) / 2, against="sigmoid")) == {"few-samples"}
    assert slugs(audit(table(), against="linear")) == set()
    assert slugs(audit(array(), against="tanh")) == {"few-samples", "normalise-on-loading"}
    assert slugs(audit(folder(tmp_path, photographs(60), classes=2))) == {"few-samples"}


# --- ranges -----------------------------------------------------------------------------------------------------------


def test_standardised_data_under_tanh():
    values = np.random.default_rng(0).normal(size=(400, 16, 16, 3)).astype(np.float32)
    found = finding(audit(values, against="tanh"), "range-mismatch")
    assert found.severity == "warning"
    assert "zero mean and unit variance" in found.summary
    # 31.7 % of a normal distribution lie beyond one standard deviation.
    assert found.numbers["share_outside"] == pytest.approx(0.317, abs=0.01)
    assert "to='tanh'" in found.code


@pytest.mark.parametrize(
    ("values", "against", "expected"),
    [
        ((scaled() + 1) / 2, "tanh", "fill 50.0 %"),
        (scaled(), "sigmoid", "can never be generated"),
        (scaled() * 2, "-1..1", "can never be generated"),
        (scaled() * 100, "linear", "far from zero mean and unit variance"),
        (scaled() - 5, "relu", "can never be generated"),
    ],
)
def test_data_that_the_generator_cannot_give(values, against, expected):
    assert expected in finding(audit(values, against=against), "range-mismatch").summary


def test_the_share_outside_counts_values_on_the_ends_as_within():
    values = scaled()
    values[0, 0, 0, 0] = 1.5
    assert finding(audit(values, against="tanh"), "range-mismatch").numbers["share_outside"] < 0.02


@pytest.mark.parametrize("text", ["foo", "1..", "2..1", "nan..1", "1..2..3", ""])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(DataError, match=r"LOW\.\.HIGH is expected"):
        parse_against(text)


# --- scaling ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (array() / 255.0 / 255.0, "two divisions by 255"),
        (scaled() / 127.5 - 1, "scaled already"),
        ((scaled() - 0.5) / 0.5, "more than once"),
        (array() // 255, "division of whole numbers"),
        (scaled().astype(np.int64).astype(np.uint8), "cast of"),
    ],
)
def test_normalisation_that_went_wrong(values, why):
    assert why in finding(audit(values), "bad-normalisation").summary


def test_raw_values():
    assert "as floats" in finding(audit(array().astype(np.float32)), "unnormalised-data").summary
    batches = [array()[begin : begin + 16] for begin in range(0, 60, 16)]
    assert finding(audit(batches), "unnormalised-data").severity == "warning"
    assert "unnormalised-data" not in slugs(audit(array()))


def test_columns_of_very_different_size(tmp_path):
    values = table() * [1, 1, 1, 5000]
    assert finding(audit(values), "unnormalised-data").severity == "warning"
    assert finding(audit(csv(tmp_path / "t.csv", values)), "unnormalised-data").severity == "note"


# --- cells ------------------------------------------------------------------------------------------------------------


def test_values_that_are_not_finite_name_their_samples(tmp_path):
    values = scaled()
    values[7, 0, 0, 0], values[9, 1, 1, 1] = np.nan, np.inf
    found = finding(audit(values), "non-finite-data")
    assert found.severity == "error"
    assert found.samples == ("sample 7", "sample 9")
    rows = table()
    rows[11, 2] = np.inf
    assert finding(audit(rows), "non-finite-data").samples == ("sample 11",)
    assert finding(audit(rows, jobs=2), "non-finite-data").numbers["values"] == 1


def test_empty_cells_are_missing_and_not_infinite(tmp_path):
    values = table()
    values[3, 1] = np.nan
    result = audit(csv(tmp_path / "t.csv", values))
    assert finding(result, "missing-values").numbers["cells"] == 1
    assert "non-finite-data" not in slugs(result)


def test_constant_and_nearly_constant_columns():
    values = table()
    values[:, 1] = 7.25
    values[:, 2] = np.arange(len(values)) == 5
    result = audit(values)
    assert finding(result, "constant-columns").numbers["columns"] == 1
    assert "column 1" in finding(result, "constant-columns").summary
    assert "column 2" in finding(result, "near-constant-columns").summary


def test_a_code_for_missing_values():
    values = table()
    values[::300, 0] = -999
    assert "column 0" in finding(audit(values), "extreme-values").summary


def test_grey_pictures_stored_as_colour():
    grey = np.repeat(array()[..., :1], 3, axis=-1)
    assert "grey-as-colour" in slugs(audit(grey))


# --- copies, variety, balance, order ----------------------------------------------------------------------------------


def test_exact_and_near_duplicates(tmp_path):
    images = photographs(40)
    folder(tmp_path, [*images, images[3], images[3]])
    stream = io.BytesIO()
    images[5].save(stream, "JPEG", quality=50)
    (tmp_path / "again.jpg").write_bytes(stream.getvalue())
    images[6].resize((96, 96), Image.Resampling.BICUBIC).save(tmp_path / "large.png")
    result = audit(tmp_path)
    assert result.exact_extra == 2
    assert [group.names for group in result.exact] == [("003.png", "040.png", "041.png")]
    assert {group.names for group in result.near} == {("005.png", "again.jpg"), ("006.png", "large.png")}
    assert finding(result, "near-duplicates").numbers["copies"] == 2


def test_digits_that_look_alike_are_no_duplicates():
    datasets = pytest.importorskip("sklearn.datasets")
    result = audit(datasets.load_digits().data)
    assert result.content == "pictures"
    assert result.near_extra == 0


def test_rows_that_repeat():
    values = table()
    assert finding(audit(np.concatenate([values, values[:100]])), "exact-duplicates").numbers["copies"] == 100
    small = np.random.default_rng(0).integers(0, 3, (1200, 2))
    assert slugs(audit(small)) == {"repeated-rows"}


def test_a_set_of_few_kinds():
    random = np.random.default_rng(0)
    values = array(5)[random.integers(0, 5, 300)] + random.normal(0, 2, (300, 48, 48, 3))
    found = finding(audit(np.clip(values, 0, 255).astype(np.uint8)), "low-diversity")
    assert found.numbers["almost_same"] > 0.9


def test_plain_pictures(tmp_path):
    images = photographs(40)
    images[4] = Image.new("RGB", (48, 48), (10, 20, 30))
    found = finding(audit(folder(tmp_path, images)), "constant-images")
    assert found.samples == ("004.png",)
    assert found.severity == "warning"


@pytest.mark.parametrize(("few", "severity"), [(15, "note"), (4, "warning")])
def test_a_rare_class(few, severity):
    labels = ["rare"] * few + ["usual"] * (60 - few)
    found = [one for one in audit(array(), labels).findings if one.slug == "class-imbalance"]
    assert [one.severity for one in found] == [severity]


def test_sorted_batches_and_shuffled_ones():
    values, labels = table(960), np.repeat([0, 1, 2], 320)
    values[:, 0] += labels
    order = np.random.default_rng(0).permutation(960)

    def batches(which):
        return [(values[part], labels[part]) for part in np.split(which, 30)]

    assert finding(audit(batches(np.arange(960))), "unshuffled-data").severity == "warning"
    assert "unshuffled-data" not in slugs(audit(batches(order)))


def test_a_table_that_drifts(tmp_path):
    values = table() + np.linspace(-2, 2, 1200)[:, None]
    assert "closer to each other" in finding(audit(csv(tmp_path / "t.csv", values)), "unshuffled-data").summary


# --- forms ------------------------------------------------------------------------------------------------------------


def test_sizes_modes_and_turned_pictures(tmp_path):
    images = photographs(40)
    images[1] = images[1].convert("L")
    images[2] = images[2].resize((96, 48))
    images[3] = images[3].convert("RGBA")
    folder(tmp_path, images)
    exif = Image.Exif()
    exif[0x0112] = 6
    images[4].save(tmp_path / "turned.jpg", exif=exif)
    result = audit(tmp_path)
    assert finding(result, "mixed-sizes").numbers["sizes"] == 2
    assert finding(result, "mixed-modes").samples == ("001.png", "003.png")
    assert finding(result, "exif-rotation").samples == ("turned.jpg",)


def test_dark_pictures_are_odd_unless_all_are(tmp_path):
    images = photographs(40)
    dark = [image.point(lambda value: value // 6) for image in images]
    found = finding(audit(folder(tmp_path / "one", [dark[0], *images[1:]])), "odd-pictures")
    assert "1 dark" in found.summary
    assert found.samples[0] == "000.png"
    assert "odd-pictures" not in slugs(audit(folder(tmp_path / "all", dark)))
