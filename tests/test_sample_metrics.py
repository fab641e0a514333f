"""Measures of generated samples at their extremes, and against formulas written out in NumPy."""

import numpy as np
import pytest

from helpers import metrics

REAL = np.random.default_rng(1).normal(size=(400, 5))
TWIN = np.random.default_rng(2).normal(size=(400, 5))
FAR = TWIN + 50
CONSTANT = np.zeros((400, 5))


# --- the kernel distance


def test_kernel_distance_is_the_sum_over_pairs():
    a, b = REAL[:7], TWIN[:5] + 0.5

    def kernel(x, y):
        return (sum(p * q for p, q in zip(x, y, strict=True)) / 5 + 1) ** 3

    within_a = [kernel(a[i], a[j]) for i in range(7) for j in range(7) if i != j]
    within_b = [kernel(b[i], b[j]) for i in range(5) for j in range(5) if i != j]
    across = [kernel(x, y) for x in a for y in b]
    expected = np.mean(within_a) + np.mean(within_b) - 2 * np.mean(across)
    assert metrics.kernel_distance(a, b) == pytest.approx(expected)


def test_kernel_distance_has_no_bias_at_few_samples():
    rng = np.random.default_rng(3)
    small = [metrics.kernel_distance(*rng.normal(size=(2, 20, 5))) for _ in range(400)]
    error = np.std(small) / np.sqrt(len(small))
    assert abs(np.mean(small)) < 4 * error


def test_kernel_distance_grows_with_the_shift_and_ignores_order():
    shifted = [metrics.kernel_distance(REAL, TWIN + shift) for shift in (0, 0.5, 1, 2)]
    assert shifted == sorted(shifted)
    assert shifted[1] > 10 * abs(shifted[0])
    shuffled = np.random.default_rng(4).permutation(TWIN + 1)
    assert metrics.kernel_distance(REAL, shuffled) == pytest.approx(shifted[2])


def test_kernel_distance_notices_a_smaller_spread():
    assert metrics.kernel_distance(REAL, 0.3 * TWIN) > 0.05
    assert metrics.kernel_distance(REAL, CONSTANT) > metrics.kernel_distance(REAL, 0.3 * TWIN)


def mean_kernel(vectors, chosen):
    """The mean of the polynomial kernel over a set's pairs that are chosen by their indices."""
    values = (vectors @ vectors.T / vectors.shape[1] + 1) ** 3
    return values[chosen(*np.indices(values.shape))].mean()


def test_kernel_distance_of_a_set_to_itself_is_just_below_zero():
    """Only the pairs across meet themselves, and a vector is more like itself than like others."""
    with_itself = mean_kernel(REAL, np.equal)
    with_others = mean_kernel(REAL, np.not_equal)
    expected = 2 / 400 * (with_others - with_itself)
    assert metrics.kernel_distance(REAL, REAL) == pytest.approx(expected)
    assert -0.1 < expected < 0


def test_kernel_distance_of_one_vector_repeated_is_finite():
    """Between its copies the kernel is (5 * 9 / 5 + 1)^3 = 1000."""
    across = ((REAL @ np.full(5, 3) / 5 + 1) ** 3).mean()
    expected = mean_kernel(REAL, np.not_equal) + 1000 - 2 * across
    found = metrics.kernel_distance(REAL, CONSTANT + 3)
    assert found == pytest.approx(expected)
    assert found > 1000 * abs(metrics.kernel_distance(REAL, TWIN))
    assert metrics.kernel_distance(CONSTANT, CONSTANT) == 0


# --- the Fréchet distance


def test_frechet_distance_ignores_order():
    shuffled = np.random.default_rng(4).permutation
    assert metrics.frechet_distance(REAL, shuffled(REAL)) == pytest.approx(0, abs=1e-6)
    unshuffled = metrics.frechet_distance(REAL, TWIN + 1)
    assert unshuffled > 4
    assert metrics.frechet_distance(REAL, shuffled(TWIN + 1)) == pytest.approx(unshuffled)


def test_frechet_distance_of_one_vector_repeated_is_finite():
    """A covariance of zeros: the gap of the means, and all the variance that is missing."""
    expected = ((REAL.mean(axis=0) - 3) ** 2).sum() + REAL.var(axis=0, ddof=1).sum()
    assert metrics.frechet_distance(REAL, CONSTANT + 3) == pytest.approx(expected)
    assert metrics.frechet_distance(CONSTANT + 3, REAL) == pytest.approx(expected)
    assert metrics.frechet_distance(CONSTANT, CONSTANT + 3) == pytest.approx(5 * 9)
    assert metrics.frechet_distance(CONSTANT, CONSTANT) == 0


# --- both, the more classes are missing


@pytest.mark.parametrize("measure", [metrics.frechet_distance, metrics.kernel_distance])
def test_distances_grow_with_the_number_of_missing_classes(measure):
    rng, classes = np.random.default_rng(8), np.arange(600) % 6
    real, fake = (rng.normal(size=(600, 6)) + 5 * np.eye(6)[classes] for _ in range(2))
    found = [measure(real, fake[classes < kept]) for kept in (6, 5, 3, 1)]
    assert np.isfinite(found).all()
    assert found == sorted(found)
    assert found[-1] > 20 * abs(found[0])


# --- precision and recall


def share_in_balls(vectors, centers, k):
    """The share of vectors in a ball around a center that reaches to its k-th neighbor."""
    inside = np.zeros(len(vectors), bool)
    for i, center in enumerate(centers):
        others = np.linalg.norm(np.delete(centers, i, axis=0) - center, axis=1)
        inside |= np.linalg.norm(vectors - center, axis=1) <= np.sort(others)[k - 1]
    return inside.mean()


@pytest.mark.parametrize("k", [1, 3])
def test_precision_and_recall_are_the_shares_in_the_balls(k):
    real, fake = REAL[:40], 0.7 * TWIN[:30] + 0.4
    found = metrics.precision_recall(real, fake, num_neighbors=k)
    assert found == pytest.approx((share_in_balls(fake, real, k), share_in_balls(real, fake, k)))
    assert 0 < found[0] < 1 and 0 < found[1] < 1


def test_a_set_has_full_precision_and_recall_against_itself():
    assert metrics.precision_recall(REAL, REAL) == (1, 1)
    shuffled = np.random.default_rng(4).permutation(REAL)
    assert metrics.precision_recall(REAL, shuffled) == (1, 1)


def test_far_away_nothing_is_precise_or_recalled():
    assert metrics.precision_recall(REAL, FAR) == (0, 0)


def test_one_good_sample_repeated_is_precise_but_recalls_nothing():
    precision, recall = metrics.precision_recall(REAL, np.repeat(REAL[:1], 400, axis=0))
    assert precision == 1
    assert recall <= 1 / 400


def test_half_of_the_space_halves_the_recall():
    half = TWIN[TWIN[:, 0] > 0]
    precision, recall = metrics.precision_recall(REAL, half)
    assert precision > 0.7
    assert recall < 0.75 * metrics.precision_recall(REAL, TWIN)[1]


def test_wide_noise_recalls_much_and_is_imprecise():
    precision, recall = metrics.precision_recall(REAL, 6 * TWIN)
    assert precision < 0.1
    assert recall > 0.9


def test_too_few_vectors_for_the_neighbors_are_an_error():
    with pytest.raises(ValueError, match="3 neighbors need more than 3.*400 and 3"):
        metrics.precision_recall(REAL, TWIN[:3])


# --- both refuse what they would get wrong


@pytest.mark.parametrize("measure", [metrics.kernel_distance, metrics.precision_recall])
@pytest.mark.parametrize(
    ("other", "says"),
    [
        (TWIN[:, :4], r"\[400, 5\] and \[400, 4\]"),
        (TWIN[0], r"\[400, 5\] and \[5\]"),
        (TWIN[:1], "at least two feature vectors"),
        (np.where(TWIN > 2, np.nan, TWIN), "NaN"),
    ],
)
def test_wrong_features_are_an_error(measure, other, says):
    with pytest.raises(ValueError, match=says):
        measure(REAL, other)


# --- nearest images


def test_the_nearest_image_is_the_one_with_the_least_squared_difference():
    rng = np.random.default_rng(5)
    images, candidates = rng.random((6, 4, 4)), rng.random((30, 4, 4))
    indices, gaps = metrics.nearest_images(images, candidates)
    for image, index, gap in zip(images, indices, gaps, strict=True):
        errors = [np.sqrt(np.mean((image - candidate) ** 2)) for candidate in candidates]
        assert index == np.argmin(errors)
        assert gap == pytest.approx(min(errors), rel=1e-5)


def test_a_copied_image_is_found_at_distance_zero():
    candidates = np.random.default_rng(6).random((50, 28, 28))
    indices, gaps = metrics.nearest_images(candidates[[7, 31]], candidates)
    np.testing.assert_array_equal(indices, [7, 31])
    np.testing.assert_array_equal(gaps, [0, 0])


@pytest.mark.parametrize("shape", [(3, 28, 27), (3, 784), (0, 28, 28)])
def test_images_of_another_shape_or_none_are_an_error(shape):
    with pytest.raises(ValueError, match=r"can't be compared"):
        metrics.nearest_images(np.zeros(shape), np.zeros((5, 28, 28)))


# --- coverage


def test_coverage_counts_the_classes_that_are_there():
    classes = np.repeat(np.arange(10), 100)
    assert metrics.class_coverage(classes) == 10
    assert metrics.class_coverage(np.full(50, 4)) == 1
    rare = np.concatenate([classes[classes != 3], [3] * 8])  # 0.9 %
    assert metrics.class_coverage(rare) == 9
    assert metrics.class_coverage(rare, least=0.005) == 10


def test_bytes_do_not_wrap_around():
    dark, light = np.zeros((2, 5, 5), np.uint8), np.full((2, 5, 5), 255, np.uint8)
    assert metrics.mean_squared_error(dark, light) == 255**2
    spots = dark.copy()
    spots[:, 2, 2] = 255
    assert metrics.sharpness(spots) == pytest.approx(255**2 * metrics.sharpness(spots / 255))
