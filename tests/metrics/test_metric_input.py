"""What cannot be measured is refused, with what came, what was expected and what to do."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ganmedic import metrics
from ganmedic.metrics import Score
from ganmedic.metrics.samples import paired

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(30, 2))
BYTES = RANDOM.integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
TANH = (BYTES / 127.5 - 1).astype(np.float32)


def spoilt(rows):
    result = rows.copy()
    result[[3, 5], 0] = np.nan
    result[9, 1] = np.inf
    return result


REFUSED = {
    "nan": (lambda: metrics.measure(ROWS, spoilt(ROWS)), ValueError, "3 of the generated samples (30 in all)"),
    "shapes": (lambda: metrics.measure(ROWS, ROWS[:, :1]), ValueError, "same size"),
    "words": (lambda: metrics.measure([["a"]], ROWS), TypeError, "real numbers"),
    "one axis": (lambda: metrics.measure(ROWS[:, 0], ROWS[:, 0]), ValueError, "(n, 1)"),
    "channels first": (lambda: metrics.measure(*[np.moveaxis(BYTES, -1, 1)] * 2), ValueError, "np.moveaxis"),
    "none": (lambda: metrics.measure(ROWS[:0], ROWS), ValueError, "at least one"),
    "bytes and tanh": (lambda: metrics.measure(BYTES, TANH), ValueError, "value_range"),
    "float bytes and tanh": (lambda: metrics.measure(BYTES.astype(float), TANH), ValueError, "value_range"),
    "tanh and bytes": (lambda: metrics.measure(TANH, BYTES.astype(np.float32)), ValueError, "value_range"),
    "sigmoid and tanh": (lambda: metrics.measure(TANH / 2 + 0.5, TANH), ValueError, "value_range"),
    "sigmoid and a bright tanh": (lambda: metrics.measure(TANH / 2 + 0.5, TANH * 0.6 + 0.4), ValueError, "value_range"),
    "told and other": (lambda: metrics.measure(TANH, TANH, value_range=(0, 255)), ValueError, "(-1, 1)"),
    "no range": (lambda: metrics.measure(BYTES * 9.0, BYTES * 9.0), ValueError, "value_range=(0, "),
    "range": (lambda: metrics.measure(TANH, TANH, value_range=(1, -1)), ValueError, "the lower one first"),
    "too few": (lambda: metrics.measure(ROWS[:3], ROWS, ["precision_recall"]), ValueError, "at least 4"),
    "one": (lambda: metrics.measure(ROWS[:1], ROWS, ["kid"]), ValueError, "at least 2"),
    "extrapolating": (lambda: metrics.get("frechet", extrapolate=True)(ROWS, ROWS), ValueError, "at least 523"),
    "rows of pairs": (lambda: metrics.measure(ROWS, ROWS, ["ms_ssim"]), ValueError, "'vendi'"),
    "name": (lambda: metrics.get("kidd"), ValueError, "Did you mean 'kid'"),
    "argument": (lambda: metrics.get("kid", subset=1), TypeError, "Did you mean 'subsets'"),
    "missing": (lambda: metrics.get("mode_coverage"), TypeError, "centres and radius"),
    "made": (lambda: metrics.get(metrics.get("kid"), seed=1), ValueError, "made already"),
    "no metric": (lambda: metrics.get(3), TypeError, "a metric or its name"),
    "one name": (lambda: metrics.measure(ROWS, ROWS, "kid"), TypeError, "['kid']"),
    "seed": (lambda: metrics.get("kid", seed=-1), ValueError, "at least 0"),
    "neighbours": (lambda: metrics.get("precision_recall", neighbours=0), ValueError, "at least 1"),
    "order": (lambda: metrics.get("vendi", order=-1), ValueError, "at least 0"),
    "extractor": (lambda: metrics.measure(ROWS, ROWS, extractor="fid"), ValueError, "'inception'"),
    "nameless": (lambda: metrics.measure(ROWS, ROWS, extractor=lambda x: x), TypeError, "extractor.name"),
    "classifier": (lambda: metrics.measure(BYTES, BYTES, extractor="classifier"), ValueError, "train_classifier"),
    "extractor argument": (lambda: metrics.extractors.get("random", filter=3), TypeError, "'filters'"),
    "small": (lambda: metrics.measure(BYTES[:, :4], BYTES[:, :4], ["kid"]), ValueError, "8 x 8"),
    "floats": (lambda: metrics.extractors.get("random")(BYTES.astype(float)), ValueError, "[-1, 1]"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    run, kind, words = REFUSED[name]
    with pytest.raises(kind) as caught:
        run()
    assert words in str(caught.value)
    assert "expected" in str(caught.value) or "takes" in str(caught.value) or "made already" in str(caught.value)


def test_the_nan_in_a_later_block_is_found():
    images = np.zeros((1500, 64, 64, 1), np.float32)
    images[1400, 3, 3] = np.nan
    with pytest.raises(ValueError, match="1 of the real samples"):
        paired(images, np.zeros((2, 64, 64, 1), np.float32))


def test_one_range_in_several_types_is_the_same():
    others = {
        "bytes": (BYTES, None),
        "tanh": (TANH, None),
        "sigmoid": ((BYTES / 255).astype(np.float32), (0, 1)),
        "floats": (BYTES.astype(np.float64), (0, 255)),
    }
    taken = [paired(images, images, told)[0].take(slice(None)) for images, told in others.values()]
    for other in taken[1:]:
        np.testing.assert_allclose(other, taken[0], atol=1e-6)
    assert paired(TANH / 2 + 0.5, TANH / 2 + 0.5)[0].value_range == (0, 1)
    bright = np.abs(TANH)
    assert paired(TANH, bright)[1].value_range == (-1, 1)
    # Black images of bytes are a poor generator and no other range.
    assert paired(BYTES, BYTES * 0)[1].value_range == (0, 255)
    assert paired(BYTES[..., 0], BYTES[..., 0])[0].values.shape == (12, 16, 16, 1)


def test_samples_thin_both_sets_by_the_seed():
    one, again, other = (
        metrics.measure(ROWS, ROWS * 2, ["kid"], extractor="pixels", samples=20, seed=seed)[0] for seed in (1, 1, 2)
    )
    assert (one.real_count, one.fake_count) == (20, 20)
    assert one == again
    assert one.value != other.value


def test_scores_say_what_they_depend_on_and_fit_into_json():
    scores = metrics.measure(BYTES.repeat(2, 0), BYTES[::-1].repeat(2, 0), seed=3)
    assert {
        "frechet_distance",
        "kid",
        "precision",
        "recall",
        "density",
        "coverage",
        "ms_ssim",
        "sliced_wasserstein",
        "vendi",
    } <= {score.name for score in scores}
    for score in scores:
        assert json.loads(json.dumps(score.as_dict(), allow_nan=False))["value"] == score.value
        assert f"{score.real_count:,} real" in str(score)
        assert score.seed == 3
    [frechet] = [score for score in scores if score.name == "frechet_distance"]
    assert frechet.title == "frechet_distance (random-conv-64, seed 0)"
    assert "FID" not in str(frechet).upper()
    assert metrics.measure(BYTES, BYTES, ["kid"], intervals=False)[0].low is None
    with pytest.raises(ValueError, match="finite number is expected"):
        Score("kid", float("nan"), None, None, 2, 2, 0)


def test_an_extractor_of_ones_own_gets_images_from_minus_1_to_1():
    class Means:
        name = "means"

        def __call__(self, images):
            assert images.dtype == np.float32
            assert images.min() >= -1
            assert images.max() <= 1
            return images.mean(axis=(1, 2))

    [score] = metrics.measure(BYTES, BYTES[::-1], ["kid"], extractor=Means())
    assert score.extractor == "means"

    class Wrong(Means):
        def __call__(self, images):
            return images

    with pytest.raises(ValueError, match="one row of numbers a sample"):
        metrics.measure(BYTES, BYTES, ["kid"], extractor=Wrong())
