"""Every metric against the plainest program for it, a closed form, or sets made by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.linalg
from sklearn.neighbors import NearestNeighbors

from ganmedic import metrics
from ganmedic.data.diversity import vendi_score
from ganmedic.metrics import laplacian, projections
from ganmedic.metrics.distances import nearest_neighbours, squared_distances
from ganmedic.metrics.samples import SampleSet
from ganmedic.metrics.vendi import effective_number, standard_error

RANDOM = np.random.default_rng(0)
REAL = RANDOM.normal(size=(60, 3)).astype(np.float32)
FAKE = (RANDOM.normal(size=(45, 3)) * [1.2, 0.5, 1.0] + [0.4, 0.0, 0.0]).astype(np.float32)


def values(name, real, fake, **arguments):
    scores = metrics.get(name, extractor="pixels", **arguments)(real, fake)
    return {score.name: score.value for score in scores}


def distance(one, other):
    return math.sqrt(sum((float(a) - float(b)) ** 2 for a, b in zip(one, other, strict=True)))


def radius(samples, place, k):
    return sorted(distance(samples[place], other) for at, other in enumerate(samples) if at != place)[k - 1]


def inside(sample, samples, radii):
    return [distance(sample, other) <= r for other, r in zip(samples, radii, strict=True)]


@pytest.mark.parametrize("k", [1, 3, 5])
def test_neighbour_metrics_are_what_loops_find(k):
    real_radii = [radius(REAL, place, k) for place in range(len(REAL))]
    fake_radii = [radius(FAKE, place, k) for place in range(len(FAKE))]
    around = [inside(sample, REAL, real_radii) for sample in FAKE]
    found = values("precision_recall", REAL, FAKE, neighbours=k) | values("density_coverage", REAL, FAKE, neighbours=k)
    assert found["precision"] == pytest.approx(np.mean([any(row) for row in around]))
    assert found["recall"] == pytest.approx(np.mean([any(inside(sample, FAKE, fake_radii)) for sample in REAL]))
    assert found["density"] == pytest.approx(sum(map(sum, around)) / (k * len(FAKE)))
    assert found["coverage"] == pytest.approx(np.mean([any(column) for column in zip(*around, strict=True)]))


def test_one_pass_for_several_neighbour_counts_gives_what_each_gives_alone():
    wanted = ["precision_recall", "density_coverage", metrics.get("precision_recall", neighbours=7)]
    together = metrics.measure(REAL, FAKE, wanted, extractor="pixels")
    alone = [s for m in wanted for s in metrics.measure(REAL, FAKE, [m], extractor="pixels")]
    assert together == alone


def test_distances_in_blocks_are_those_of_scikit_learn_far_from_the_origin():
    far = (RANDOM.normal(size=(1500, 4)) + 1000).astype(np.float32)
    found = (
        NearestNeighbors(n_neighbors=4, algorithm="brute").fit(far.astype(np.float64)).kneighbors(return_distance=True)
    )
    np.testing.assert_allclose(
        np.sqrt(nearest_neighbours(far, 4, far.mean(axis=0, dtype=np.float64))), found[0], rtol=1e-9
    )
    copies = np.repeat(far[:3], 2, axis=0)
    assert (nearest_neighbours(copies, 1, np.zeros(4)) == 0).all()
    blocks = list(squared_distances(far, far, np.zeros(4)))
    assert len(blocks) > 1
    assert sum(len(block) for _, block in blocks) == len(far)


def naive_kid(real, fake):
    def kernel(a, b):
        return (sum(float(x) * float(y) for x, y in zip(a, b, strict=True)) / len(a) + 1) ** 3

    n, m = len(real), len(fake)
    ours = sum(kernel(real[i], real[j]) for i in range(n) for j in range(n) if i != j)
    theirs = sum(kernel(fake[i], fake[j]) for i in range(m) for j in range(m) if i != j)
    mixed = sum(kernel(a, b) for a, b in itertools.product(real, fake))
    return ours / (n * (n - 1)) + theirs / (m * (m - 1)) - 2 * mixed / (n * m)


def test_kid_is_what_loops_find_and_subsets_centre_on_it():
    assert values("kid", REAL[:45], FAKE)["kid"] == pytest.approx(naive_kid(REAL[:45], FAKE), rel=1e-6)
    [score] = metrics.get("kid", extractor="pixels", subsets=2000, subset_size=20)(REAL, FAKE)
    assert score.detail["subsets"] == 2000
    assert abs(score.value - naive_kid(REAL, FAKE)) < 4 * score.detail["standard_error"]


def test_kid_jackknife_is_that_of_leaving_each_sample_out():
    real, fake = REAL[:12], FAKE[:12]
    [score] = metrics.get("kid", extractor="pixels")(real, fake)
    variance = 0.0
    for without in (
        [naive_kid(np.delete(real, place, axis=0), fake) for place in range(12)],
        [naive_kid(real, np.delete(fake, place, axis=0)) for place in range(12)],
    ):
        variance += 11 / 12 * sum((value - np.mean(without)) ** 2 for value in without)
    assert score.high - score.value == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-5)


def test_kid_has_no_bias_where_both_are_equally_distributed():
    random = np.random.default_rng(1)
    found = [values("kid", *random.normal(size=(2, 30, 2)), intervals=False)["kid"] for _ in range(300)]
    assert abs(np.mean(found)) < 3 * np.std(found) / math.sqrt(300)


def matching(mean, covariance, count, seed):
    """Samples of exactly this mean and covariance."""
    drawn = np.random.default_rng(seed).normal(size=(count, len(mean)))
    drawn -= drawn.mean(axis=0)
    drawn = drawn @ np.linalg.inv(np.linalg.cholesky(np.cov(drawn.T))).T
    return drawn @ np.linalg.cholesky(covariance).T + mean


def closed_frechet(one, other):
    root = scipy.linalg.sqrtm(one[1] @ other[1])
    return ((one[0] - other[0]) ** 2).sum() + np.trace(one[1] + other[1] - 2 * np.real(root))


@pytest.mark.parametrize("intervals", [True, False])
def test_frechet_is_the_closed_form_of_known_gaussians(intervals):
    one = np.array([1.0, -2.0, 0.5]), np.array([[2.0, 0.3, 0.1], [0.3, 1.0, -0.2], [0.1, -0.2, 0.7]])
    other = np.array([0.0, 1.0, 0.5]), np.array([[1.0, -0.4, 0.0], [-0.4, 1.5, 0.6], [0.0, 0.6, 2.0]])
    found = values("frechet", matching(*one, 300, 1), matching(*other, 200, 2), intervals=intervals)
    assert found["frechet_distance"] == pytest.approx(closed_frechet(one, other), rel=1e-5)


def test_frechet_is_exact_where_there_are_fewer_samples_than_features():
    real, fake = np.random.default_rng(3).normal(size=(2, 10, 40))
    moments = [(x.mean(axis=0), np.cov(x.T)) for x in (real, fake)]
    [score] = metrics.get("frechet", extractor="pixels")(real, fake)
    # The root of a product of singular matrices is worth half the digits.
    assert score.value == pytest.approx(closed_frechet(*moments), rel=1e-3)
    assert "bias" in score.detail["note"]
    assert score.low is None
    [same] = metrics.get("frechet", extractor="pixels")(real, real)
    assert same.value == pytest.approx(0.0, abs=1e-9)


def test_extrapolation_takes_off_most_of_the_bias():
    random = np.random.default_rng(4)
    plain, without = [], []
    for _ in range(20):
        [score] = metrics.get("frechet", extractor="pixels", extrapolate=True, intervals=False)(
            *random.normal(size=(2, 100, 10))
        )
        plain.append(score.value)
        without.append(score.detail["extrapolated"])
    assert np.mean(plain) > 0.3
    assert abs(np.mean(without)) < 0.25 * np.mean(plain)


def test_sliced_wasserstein_of_shifted_rows():
    shift = np.array([3.0, -1.0, 2.0])
    [score] = metrics.get("sliced_wasserstein", directions=4000)(REAL, REAL + shift)
    # E |u·e| on the sphere in three dimensions is 1/2.
    assert score.value == pytest.approx(np.linalg.norm(shift) / 2, rel=0.02)
    assert metrics.get("sliced_wasserstein")(REAL, REAL[::-1])[0].value == pytest.approx(0.0, abs=1e-7)


def test_wasserstein_on_a_line_is_that_of_scipy_for_unequal_counts():
    ours, theirs = REAL.T, FAKE.T
    found = projections.between_sorted(np.sort(ours, axis=1), np.sort(theirs, axis=1))
    expected = [scipy.stats.wasserstein_distance(a, b) for a, b in zip(ours, theirs, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_what_leaving_groups_out_gives_is_what_the_rest_gives():
    along = projections.directions(3, 8, 0)
    groups = np.arange(60) % 10, np.arange(45) % 10
    value, without = projections.sliced(REAL, FAKE, along, groups)
    assert value == pytest.approx(projections.sliced(REAL, FAKE, along)[0])
    for group in range(10):
        rest = projections.sliced(REAL[groups[0] != group], FAKE[groups[1] != group], along)[0]
        assert without[group] == pytest.approx(rest, rel=1e-5)


def test_a_laplacian_pyramid_adds_up_to_the_image_and_its_filter_is_scipys():
    images = np.random.default_rng(5).uniform(-1, 1, (2, 32, 40, 3)).astype(np.float32)
    fine, coarse = laplacian.pyramid(images, 2)
    taps = np.array([1, 4, 6, 4, 1]) / 16

    def blurred(x):
        return scipy.ndimage.convolve1d(
            scipy.ndimage.convolve1d(x, taps, axis=1, mode="mirror"), taps, axis=2, mode="mirror"
        )

    np.testing.assert_allclose(coarse, blurred(images)[:, ::2, ::2], atol=1e-5)
    spread = np.zeros_like(images)
    spread[:, ::2, ::2] = coarse
    np.testing.assert_allclose(fine + 4 * blurred(spread), images, atol=1e-5)
    assert laplacian.sides(64, 80) == [64, 32, 16]
    [patches] = laplacian.descriptors(SampleSet(images[:, :16, :16], (-1.0, 1.0), "real"), 0)
    assert patches.shape == (256, 147)
    np.testing.assert_allclose(patches.reshape(256, 3, 49).std(axis=(0, 2)), 1, rtol=1e-4)


def test_sliced_wasserstein_of_images_sees_noise_at_the_fine_level():
    random = np.random.default_rng(6)
    smooth = np.repeat(np.repeat(random.uniform(-1, 1, (80, 8, 8, 1)), 4, axis=1), 4, axis=2).astype(np.float32)
    other = np.repeat(np.repeat(random.uniform(-1, 1, (80, 8, 8, 1)), 4, axis=1), 4, axis=2).astype(np.float32)
    noisy = np.clip(other + random.normal(0, 0.3, other.shape), -1, 1).astype(np.float32)
    metric = metrics.get("sliced_wasserstein", directions=64)
    same, worse = (metric(smooth, images)[0].detail["levels"] for images in (other, noisy))
    assert worse["32 px"] > 2 * same["32 px"]
    assert worse["16 px"] < 1.5 * same["16 px"]


@pytest.mark.parametrize("order", [0.0, 0.5, 1.0, 2.0, math.inf])
def test_vendi_of_orthogonal_clusters_is_their_number(order):
    assert effective_number(np.repeat(np.eye(6), 5, axis=0), order) == pytest.approx(6)
    shares = np.array([0.5, 0.3, 0.2])
    uneven = np.repeat(np.eye(3), (5, 3, 2), axis=0)
    if order == 1:
        expected = math.exp(-(shares * np.log(shares)).sum())
    elif math.isinf(order):
        expected = 2.0
    else:
        expected = (shares**order).sum() ** (1 / (1 - order))
    assert effective_number(uneven, order) == pytest.approx(expected)


def test_orders_near_1_lead_to_the_score_of_the_data_audit_and_the_error_is_that_of_a_jackknife():
    assert effective_number(FAKE, 1.0001) == pytest.approx(vendi_score(FAKE), rel=1e-4)
    rows = np.random.default_rng(7).normal(size=(200, 4)) * [1, 1, 0.5, 0.2]
    for order in (0.5, 1.0, 2.0, math.inf):
        without = [effective_number(np.delete(rows, place, axis=0), order) for place in range(len(rows))]
        jackknife = math.sqrt(199 / 200 * ((np.array(without) - np.mean(without)) ** 2).sum())
        assert standard_error(rows, order) == pytest.approx(jackknife, rel=0.1)


def test_equal_sets_have_the_best_values_and_order_does_not_count():
    same = {score.name: score.value for score in metrics.measure(REAL, REAL[::-1], extractor="pixels")}
    assert same["precision"] == same["recall"] == same["coverage"] == 1
    assert same["kid"] <= 0
    for name in ("frechet_distance", "sliced_wasserstein"):
        assert same[name] == pytest.approx(0, abs=1e-5)
    assert same["vendi"] == pytest.approx(same["vendi_real"])
    order = np.random.default_rng(8).permutation(len(FAKE))
    for name in ("precision_recall", "density_coverage", "kid", "frechet", "sliced_wasserstein", "vendi"):
        one, other = (values(name, REAL[:45], fake) for fake in (FAKE, FAKE[order]))
        assert one == pytest.approx(other, rel=1e-5)


@pytest.mark.parametrize("name", ["kid", "frechet", "sliced_wasserstein"])
def test_distances_are_symmetric(name):
    assert list(values(name, REAL[:45], FAKE).values()) == pytest.approx(
        list(values(name, FAKE, REAL[:45]).values()), rel=1e-4
    )


def test_a_collapsed_set_looks_good_and_varies_little():
    random = np.random.default_rng(9)
    real = random.normal(size=(400, 4))
    collapsed = real[:1] * 0.1 + random.normal(size=(400, 4)) * 0.01
    for extractor in ("pixels", "random"):
        found = {s.name: s.value for s in metrics.measure(real, collapsed, extractor=extractor, intervals=False)}
        assert found["precision"] > 0.95
        assert found["recall"] < 0.05
        assert found["coverage"] < 0.1
        assert found["vendi"] < 0.6 * found["vendi_real"]
