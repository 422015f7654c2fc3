"""The history is read as it is, and drawn so that nothing that matters is lost."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from ganmedic.training.showing import curves, figures
from ganmedic.training.showing.curves import save_curves
from ganmedic.training.showing.envelope import envelope
from ganmedic.training.showing.history import read_history

HEADER = "step,d_loss,g_loss,d_gradient_norm,d_R1\n"


@pytest.fixture(params=["pyarrow", "without"])
def reader(request, monkeypatch):
    """Both ways of reading."""
    if request.param == "without":
        monkeypatch.setitem(sys.modules, "pyarrow", None)


def written(tmp_path, text: str):
    path = tmp_path / "history.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


@pytest.mark.usefixtures("reader")
def test_missing_is_not_the_same_as_nan(tmp_path) -> None:
    history = read_history(written(tmp_path, HEADER + "1,0.5,1,1e-05,0.1\n2,nan,inf,2.0,\n3,0.25,-inf,0.0,nan\n"))
    np.testing.assert_array_equal(history.steps, [1, 2, 3])
    np.testing.assert_array_equal(history.columns["d_loss"], [0.5, np.nan, 0.25])
    np.testing.assert_array_equal(history.columns["d_gradient_norm"], [1e-5, 2, 0])
    assert history.broken["g_loss"].tolist() == [False, True, True]
    assert history.broken["d_R1"].tolist() == [False, False, True]
    assert history.skipped == 0


@pytest.mark.usefixtures("reader")
def test_floats_come_back_to_the_last_bit(tmp_path) -> None:
    values = np.random.default_rng(1).normal(size=(50, 4)) * 10.0 ** np.arange(-6, 14, 5)
    rows = "".join(f"{step},{','.join(map(repr, row))}\n" for step, row in enumerate(values.tolist()))
    history = read_history(written(tmp_path, HEADER + rows))
    np.testing.assert_array_equal(np.stack(list(history.columns.values()), 1), values)


@pytest.mark.usefixtures("reader")
def test_half_written_and_damaged_lines_are_left_out_and_counted(tmp_path) -> None:
    text = HEADER + "1,1,1,1,1\n2,2,2\n3,x\udcff,3,3,3\n,4,4,4,4\n5,5,5,5,5\n6,6,6,6,6"
    history = read_history(written(tmp_path, text))
    assert history.steps.tolist() == [1, 5]
    assert history.skipped == 3


@pytest.mark.usefixtures("reader")
def test_of_steps_that_were_told_twice_the_later_row_counts(tmp_path) -> None:
    text = HEADER + "".join(
        f"{step},{value},0,0,0\n" for step, value in ((1, 10), (2, 20), (3, 30), (2, 21), (3, 31), (4, 41))
    )
    history = read_history(written(tmp_path, text))
    assert history.steps.tolist() == [1, 2, 3, 4]
    assert history.columns["d_loss"].tolist() == [10, 21, 31, 41]


@pytest.mark.usefixtures("reader")
def test_nan_before_a_players_first_turn_is_not_broken_but_nan_from_the_start_is(tmp_path) -> None:
    history = read_history(written(tmp_path, HEADER + "1,nan,nan,inf,1\n2,nan,nan,1,1\n3,nan,7,1,1\n4,nan,nan,1,1\n"))
    assert history.broken["d_loss"].all()
    assert history.broken["g_loss"].tolist() == [False, False, False, True]
    assert history.broken["d_gradient_norm"].tolist() == [True, False, False, False]


def test_other_files_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="'step' among them"):
        read_history(written(tmp_path, "a,b\n1,2\n"))
    with pytest.raises(OSError, match=r"no\.csv"):
        read_history(tmp_path / "no.csv")


def test_an_envelope_loses_no_extreme_and_its_median_is_the_running_one() -> None:
    random = np.random.default_rng(2)
    steps, values = np.arange(100_000.0), random.normal(size=100_000)
    values[54_321] = 77.0
    broken = np.zeros(100_000, bool)
    values[[5, 99_999]], broken[[5, 99_999]] = np.nan, True
    found = envelope(steps, values, broken)
    size = -(-100_000 // 600)
    for place in (0, 1, 325, len(found.steps) - 1):
        block = values[place * size : (place + 1) * size]
        assert (found.lowest[place], found.highest[place]) == (np.nanmin(block), np.nanmax(block))
    assert found.highest.max() == 77.0
    assert found.broken.tolist() == [0, len(found.steps) - 1]
    middle = [np.nanmedian(values[place * size : (place + 1) * size]) for place in range(len(found.steps))]
    reach = int(len(middle) / 30 / 2)
    assert found.median[300] == np.median(middle[300 - reach : 300 + reach + 1])
    assert found.median[0] == np.median(middle[: reach + 1])


def test_values_of_every_16th_step_fill_their_places() -> None:
    values = np.full(20_000, np.nan)
    values[::16] = 3.0
    found = envelope(np.arange(20_000.0), values, np.zeros(20_000, bool))
    assert np.isfinite(found.median).all()
    assert len(found.steps) > 400


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are drawn, to look into."""
    made = []
    original = figures.new_figure
    monkeypatch.setattr(curves.figures, "new_figure", lambda *size: made.append(original(*size)) or made[-1])
    return made


def texts(figure) -> str:
    inside = [text.get_text() for axes in figure.axes for text in axes.texts]
    return "\n".join([text.get_text() for text in figure.texts] + inside).replace("\u202f", " ")


def test_the_picture_says_what_happened(tmp_path, drawn) -> None:
    rows = "".join(f"{s},{'nan' if 1500 <= s < 1503 else 0.5},1.0,{0.0 if s == 7 else 1e-3},\n" for s in range(1, 3001))
    path = tmp_path / "curves.png"
    changes = [{"step": 1600, "change": "D's learning rate was halved for $x_1$"}]
    save_curves(written(tmp_path, HEADER + rows), path, changes, title="a $run$")
    said = texts(drawn[0])
    assert "3 values not finite, first at step 1 500" in said
    assert "1 value is 0" in said
    assert "1   step 1 600: D's learning rate was halved for $x_1$" in said
    assert "steps 1 to 3 000" in said
    # The penalty was never measured and has no panel.
    assert [axes.get_title(loc="left") for axes in drawn[0].axes] == [
        "Losses",
        "Discriminator's scores",
        "Gradient norms",
        "Speed",
    ]
    losses, scores, norms, _ = drawn[0].axes
    assert norms.get_yscale() == "log"
    assert any(list(line.get_xdata()) == [1600, 1600] for line in losses.get_lines())
    assert "not measured" in [text.get_text() for text in scores.texts]
    with Image.open(path) as image:
        assert image.text["step"] == "3000"


@pytest.mark.parametrize(
    "rows", ["", "1,0.5,0.5,0,0\n", "1,nan,nan,nan,nan\n2,nan,inf,nan,nan\n", "1,3e38,-3e38,1e-45,1\n2,0,0,0,0\n"]
)
def test_strange_runs_can_be_drawn(tmp_path, rows: str) -> None:
    save_curves(written(tmp_path, HEADER + rows), tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as image:
        assert image.size[0] > 1000
    assert len(list(tmp_path.iterdir())) == 2
