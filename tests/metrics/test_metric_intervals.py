"""How often 95 % intervals hold what they are for, by simulation."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from ganmedic import metrics
from ganmedic.metrics import intervals
from ganmedic.metrics.structural_similarity import ms_ssim

RUNS = 60


def held(scores, truth):
    return np.mean([score.low <= truth <= score.high for score in scores])


def moment(k, mean, spread):
    return {0: 1.0, 1: mean, 2: mean**2 + spread**2, 3: mean**3 + 3 * mean * spread**2}[k]


def expected_kernel(one, other):
    return sum(comb(3, k) * moment(k, *one) * moment(k, *other) for k in range(4))


def test_kid_holds_the_distance_of_the_distributions():
    real, fake = (0.0, 1.0), (0.5, 0.8)
    truth = expected_kernel(real, real) + expected_kernel(fake, fake) - 2 * expected_kernel(real, fake)
    random = np.random.default_rng(0)
    metric = metrics.get("kid", extractor="pixels")
    scores = [metric(random.normal(*real, (150, 1)), random.normal(*fake, (150, 1)))[0] for _ in range(RUNS)]
    assert 0.85 <= held(scores, truth) <= 1
    subsets = metrics.get("kid", extractor="pixels", subsets=20, subset_size=50)
    scores = [subsets(random.normal(*real, (150, 1)), random.normal(*fake, (150, 1)))[0] for _ in range(RUNS)]
    assert 0.85 <= held(scores, truth) <= 1


def test_kid_of_equal_distributions_holds_0():
    random = np.random.default_rng(1)
    metric = metrics.get("kid", extractor="pixels")
    assert held([metric(*random.normal(size=(2, 100, 2)))[0] for _ in range(RUNS)], 0.0) >= 0.9


def test_precision_and_density_hold_what_these_reals_give_and_are_not_wasteful():
    random = np.random.default_rng(2)
    real = random.normal(size=(150, 2))
    made = random.normal(size=(RUNS, 150, 2)) * 1.5
    many = random.normal(size=(30_000, 2)) * 1.5
    wanted = ["precision_recall", "density_coverage"]
    among, to_real = ((np.linalg.norm(x[:, None] - real, axis=2)) for x in (real, many))
    truth = {
        "precision": (to_real <= np.sort(among, axis=1)[:, 3]).any(axis=1).mean(),
        "density": (to_real <= np.sort(among, axis=1)[:, 5]).sum(axis=1).mean() / 5,
    }
    runs = [{s.name: s for s in metrics.measure(real, fake, wanted, extractor="pixels")} for fake in made]
    for name in ("precision", "density"):
        assert 0.87 <= held([run[name] for run in runs], truth[name]) <= 1
    widths = [run["precision"].high - run["precision"].low for run in runs]
    assert np.mean(widths) == pytest.approx(4 * np.std([run["precision"].value for run in runs]), rel=0.35)


@pytest.mark.parametrize("name", ["frechet", "sliced_wasserstein", "vendi"])
def test_others_hold_the_mean_over_many_sets_of_this_size(name):
    random = np.random.default_rng(3)
    metric = metrics.get(name, extractor="pixels")
    pairs = random.normal(size=(RUNS, 2, 200, 3)) * [1.0, 0.7, 0.4]
    pairs[:, 1] += [1.0, 0.0, 0.0]
    scores = [metric(*pair)[0] for pair in pairs]
    assert 0.85 <= held(scores, np.mean([score.value for score in scores])) <= 1


def test_intervals_of_pairs_hold_the_mean_similarity():
    random = np.random.default_rng(4)

    def images(count):
        ramp = np.linspace(0, 1, 12)[:, None] * random.uniform(0, 1, (count, 1, 1))
        return (ramp + random.uniform(0, 0.3, (count, 12, 12))) / 1.3

    metric = metrics.get("ms_ssim", value_range=(0, 1), pairs=60)
    for count in (40, 130):
        scores = [metric(images(count), images(count))[0] for _ in range(RUNS)]
        assert held(scores, np.mean([score.value for score in scores])) >= 0.85


def test_the_jackknife_over_images_leaves_each_out_with_its_pairs():
    images = np.random.default_rng(6).uniform(0.2, 0.8, (7, 12, 12, 1))

    def mean(kept):
        pairs = [(a, b) for place, a in enumerate(kept) for b in kept[place + 1 :]]
        return np.mean([ms_ssim(images[[a]], images[[b]])[0] for a, b in pairs])

    places = list(range(7))
    without = np.array([mean([other for other in places if other != place]) for place in places])
    error = np.sqrt(6 / 7 * ((without - without.mean()) ** 2).sum())
    score = metrics.get("ms_ssim", value_range=(0, 1))(images, images)[0]
    assert score.detail["pairs"] == 21
    assert score.value == pytest.approx(mean(places), rel=1e-4)
    assert score.high - score.value == pytest.approx(1.959964 * error, rel=1e-3)


def test_wilson_and_bootstrap_come_to_what_they_should():
    hits = np.arange(200) < 60
    low, high = intervals.of_share(hits)
    # By hand: centre (0.3 + z²/400) / (1 + z²/200), z² = 3.8415.
    assert (low + high) / 2 == pytest.approx((0.3 + 3.8415 / 400) / (1 + 3.8415 / 200), rel=1e-4)
    assert intervals.of_share(np.zeros(9, np.bool_))[0] == 0
    numbers = np.random.default_rng(5).normal(3, 2, 400)
    low, high = intervals.of_mean(numbers, seed=0)
    assert (low + high) / 2 == pytest.approx(numbers.mean(), abs=0.02)
    assert high - low == pytest.approx(2 * 1.96 * numbers.std() / 20, rel=0.1)
    assert intervals.of_mean(numbers, seed=0) == (low, high)
