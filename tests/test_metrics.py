"""Measures against closed forms and cases where the answer is known."""

import numpy as np
import pytest

from helpers import metrics


def rng(seed=42):
    return np.random.default_rng(seed)


# --- principal angles


def plane(*degrees, size=7):
    """Two orthonormal bases [size, K] with the given principal angles, in a random orientation."""
    count, radians = len(degrees), np.radians(degrees)
    turned, _ = np.linalg.qr(rng().normal(size=(size, size)))
    first, across = turned[:, :count], turned[:, count : 2 * count]
    return first, first * np.cos(radians) + across * np.sin(radians)


@pytest.mark.parametrize(
    "degrees", [(30,), (0, 90), (10, 50, 80), (45, 45), (0, 0, 0), (89.9, 90), (44, 46)]
)
def test_angles_are_those_of_the_construction(degrees):
    angles = metrics.principal_angles(*plane(*degrees))
    np.testing.assert_allclose(angles, sorted(degrees), atol=1e-6)


@pytest.mark.parametrize("tiny", [1e-3, 1e-6, 1e-9])
def test_tiny_angles_are_not_rounded_to_zero(tiny):
    angles = metrics.principal_angles(*plane(tiny, 60))
    assert angles[0] == pytest.approx(tiny, rel=1e-3)  # the cosine is 1 to 16 digits
    assert angles[1] == pytest.approx(60)


def test_angles_to_itself_are_zero():
    basis = rng().normal(size=(6, 3))
    np.testing.assert_allclose(metrics.principal_angles(basis, basis), 0, atol=1e-9)


def test_angles_depend_on_the_subspaces_only():
    basis_a, basis_b = plane(20, 70)
    mixed = basis_b @ [[3.0, -1.0], [0.5, 200.0]]  # another basis, far from orthonormal
    np.testing.assert_allclose(metrics.principal_angles(basis_a, mixed), [20, 70], atol=1e-6)
    np.testing.assert_allclose(metrics.principal_angles(mixed, basis_a), [20, 70], atol=1e-6)


def test_angles_of_lines_have_no_direction():
    assert metrics.principal_angles([[1], [0]], [[-1], [1]]) == pytest.approx([45])


def test_angles_of_the_whole_space_are_zero():
    basis_a, basis_b = rng(1).normal(size=(4, 4)), rng(2).normal(size=(4, 4))
    np.testing.assert_allclose(metrics.principal_angles(basis_a, basis_b), 0, atol=1e-6)


def test_angles_agree_with_scipy():
    linalg = pytest.importorskip("scipy.linalg")
    basis_a, basis_b = rng(1).normal(size=(9, 4)), rng(2).normal(size=(9, 4))
    expected = np.degrees(linalg.subspace_angles(basis_a, basis_b))[::-1]  # largest first there
    np.testing.assert_allclose(metrics.principal_angles(basis_a, basis_b), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("shape_a", "shape_b", "message"),
    [
        ((3, 2), (4, 2), r"\[3, 2\] and \[4, 2\].*Transpose"),
        ((5, 2), (5, 3), r"\[5, 2\] and \[5, 3\]"),
        ((2, 3), (2, 3), "3 columns of 2 numbers.*Transpose"),
        ((3,), (3,), r"one shape \[D, K\]"),
    ],
)
def test_bases_of_wrong_shape_are_an_error(shape_a, shape_b, message):
    with pytest.raises(ValueError, match=message):
        metrics.principal_angles(rng(1).normal(size=shape_a), rng(2).normal(size=shape_b))


def test_columns_that_depend_on_each_other_are_an_error():
    basis = rng().normal(size=(5, 2))
    same = np.stack([basis[:, 0], 2 * basis[:, 0]], axis=1)  # a collapsed autoencoder's
    with pytest.raises(ValueError, match="not linearly independent"):
        metrics.principal_angles(basis, same)


def test_basis_with_nan_is_an_error():
    with pytest.raises(ValueError, match="NaN.*diverge"):
        metrics.principal_angles([[1.0], [np.nan]], [[1.0], [0.0]])


# --- the mean squared error


def test_squared_error_is_the_mean_over_everything():
    images = np.zeros((2, 2, 2))
    copies = np.array([[[1, 0], [0, 0]], [[0, 0], [0, 3]]])
    assert metrics.mean_squared_error(images, copies) == pytest.approx(10 / 8)
    assert metrics.mean_squared_error(images, images) == 0


def test_squared_error_does_not_stretch_shapes():
    images = np.zeros((4, 28, 28))
    with pytest.raises(ValueError, match=r"\[4, 28, 28\].*\[4, 28, 28, 1\]"):
        metrics.mean_squared_error(images, images[..., np.newaxis])


# --- the Fréchet distance


def with_moments(mean, covariance, count=200, seed=42):
    """`count` vectors whose sample mean and covariance are exactly those given."""
    samples = rng(seed).normal(size=(count, len(mean)))
    samples -= samples.mean(axis=0)
    whiten = np.linalg.inv(np.linalg.cholesky(np.cov(samples, rowvar=False)))
    return mean + samples @ whiten.T @ np.linalg.cholesky(covariance).T


def test_distance_of_diagonal_gaussians_is_the_closed_form():
    mean_a, mean_b = np.array([1.0, -2, 0]), np.array([0.5, 0, 3])
    sigma_a, sigma_b = np.array([1.0, 2, 0.5]), np.array([3.0, 2, 0.1])
    expected = ((mean_a - mean_b) ** 2).sum() + ((sigma_a - sigma_b) ** 2).sum()
    found = metrics.frechet_distance(
        with_moments(mean_a, np.diag(sigma_a**2)),
        with_moments(mean_b, np.diag(sigma_b**2), count=300, seed=7),
    )
    assert found == pytest.approx(expected, rel=1e-9)


def test_distance_of_correlated_gaussians_agrees_with_scipy():
    linalg = pytest.importorskip("scipy.linalg")
    root_a, root_b = rng(1).normal(size=(4, 4)), rng(2).normal(size=(4, 4))
    cov_a, cov_b = root_a @ root_a.T, root_b @ root_b.T
    expected = 1 + np.trace(cov_a + cov_b - 2 * np.real(linalg.sqrtm(cov_a @ cov_b)))
    found = metrics.frechet_distance(
        with_moments(np.zeros(4), cov_a), with_moments(np.array([1.0, 0, 0, 0]), cov_b, seed=7)
    )
    assert found == pytest.approx(expected, rel=1e-6)


def test_distance_to_itself_is_zero_and_order_does_not_matter():
    features_a, features_b = rng(1).normal(size=(50, 3)), rng(2).normal(size=(60, 3)) + 1
    assert metrics.frechet_distance(features_a, features_a) == pytest.approx(0, abs=1e-9)
    forth = metrics.frechet_distance(features_a, features_b)
    assert forth > 1
    assert metrics.frechet_distance(features_b, features_a) == pytest.approx(forth)


def test_distance_with_dead_features_and_few_samples():
    features = rng().normal(size=(5, 8)).astype(np.float32)  # covariance of rank 4
    features[:, 0] = 0
    moved = features + np.float32(2)
    assert metrics.frechet_distance(features, features) == pytest.approx(0, abs=1e-4)
    assert metrics.frechet_distance(features, moved) == pytest.approx(8 * 4, abs=1e-4)


def test_frechet_distance_of_single_numbers():
    a, b = np.array([[0.0], [2.0]]), np.array([[1.0], [7.0]])  # means 1 and 4, variances 2 and 18
    expected = 9 + 2 + 18 - 2 * np.sqrt(2 * 18)
    assert metrics.frechet_distance(a, b) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("shape_a", "shape_b", "message"),
    [
        ((9, 3), (9, 4), r"\[9, 3\] and \[9, 4\]"),
        ((9,), (9,), r"\[N, D\]"),
        ((9, 2, 2), (9, 2, 2), r"\[N, D\]"),
        ((1, 3), (9, 3), "at least two"),
    ],
)
def test_features_of_wrong_shape_are_an_error(shape_a, shape_b, message):
    with pytest.raises(ValueError, match=message):
        metrics.frechet_distance(np.ones(shape_a), np.ones(shape_b))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_an_error(bad):
    features = rng().normal(size=(9, 3))
    broken = features.copy()
    broken[0, 0] = bad
    with pytest.raises(ValueError, match="NaN or infinite.*diverge"):
        metrics.frechet_distance(features, broken)


# --- sharpness


def blurred(images):
    """The mean of each pixel and its four neighbors (around the edge)."""
    shifts = [np.roll(images, shift, axis) for shift in (-1, 1) for axis in (1, 2)]
    return (images + sum(shifts)) / 5


def test_blurring_lowers_sharpness_each_time():
    images = rng().uniform(size=(4, 12, 12))
    once = blurred(images)
    found = [metrics.sharpness(x) for x in (images, once, blurred(once))]
    assert found[0] > 2 * found[1] > 2 * 2 * found[2] > 0


def test_flat_images_and_even_slopes_are_not_sharp():
    slope = np.broadcast_to(np.linspace(0, 1, 9), (2, 9, 9))
    assert metrics.sharpness(np.full((2, 9, 9), 0.5)) == 0
    assert metrics.sharpness(slope) == pytest.approx(0, abs=1e-12)


def test_sharpness_of_a_dot_is_the_variance_of_its_laplacian():
    dot = np.zeros((1, 5, 5))
    dot[0, 2, 2] = 1  # its Laplacian: -4 at the dot, 1 at its four neighbors, 0 at four corners
    assert metrics.sharpness(dot) == pytest.approx(np.var([-4, 1, 1, 1, 1, 0, 0, 0, 0]))


def test_sharpness_is_the_mean_over_images():
    dot = np.zeros((1, 5, 5))
    dot[0, 2, 2] = 1
    bowl = np.broadcast_to(np.linspace(0, 1, 5) ** 2, (1, 5, 5))  # its Laplacian is one constant
    assert metrics.sharpness(bowl) == pytest.approx(0, abs=1e-12)
    both = metrics.sharpness(np.concatenate([dot, bowl]))
    assert both == pytest.approx(metrics.sharpness(dot) / 2)


def test_sharpness_takes_images_with_a_single_channel():
    images = rng().uniform(size=(4, 12, 12))
    assert metrics.sharpness(images[..., np.newaxis]) == metrics.sharpness(images)


@pytest.mark.parametrize("shape", [(5, 5), (2, 5, 5, 3), (2, 2, 5), (0, 5, 5)])
def test_sharpness_of_something_else_is_an_error(shape):
    with pytest.raises(ValueError, match=r"\[N, H, W\]"):
        metrics.sharpness(np.zeros(shape))


# --- classes


def test_histogram_is_the_share_of_each_class():
    found = metrics.class_histogram([0, 2, 2, 2], num_classes=4)
    np.testing.assert_array_equal(found, [0.25, 0, 0.75, 0])
    assert metrics.class_histogram(np.arange(1000) % 10) == pytest.approx([0.1] * 10)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (np.arange(50) % 10, np.log(10)),
        (np.full(50, 7), 0),
        ([0, 9] * 5, np.log(2)),
        ([0, 1, 1, 1], 0.25 * np.log(4) + 0.75 * np.log(4 / 3)),
    ],
)
def test_entropy_from_one_class_to_all(classes, expected):
    assert metrics.class_entropy(classes) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("classes", "message"),
    [([0, 10], "0 to 9; these go from 0 to 10"), ([-1, 3], "from -1 to 3"), ([], "none came")],
)
@pytest.mark.parametrize("measure", [metrics.class_histogram, metrics.class_entropy])
def test_numbers_that_are_no_classes_are_an_error(measure, classes, message):
    with pytest.raises(ValueError, match=message):
        measure(classes)
