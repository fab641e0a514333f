"""Measures of what was learned. NumPy arrays in, floats out."""

import numpy as np


def principal_angles(basis_a, basis_b):
    """Angles between two subspaces, in degrees, from the smallest to the largest.

    Args:
        basis_a, basis_b: float [D, K], linearly independent columns that span each subspace; they
            need not be orthonormal.

    Returns:
        Float array [K], each in [0, 90]. All zero if and only if the subspaces are the same.

    Raises:
        ValueError: the bases have different shapes, values that are not finite, or columns that
            depend on each other.

    Björck and Golub (1973). Small angles come from the sine, which is exact where the cosine
    rounds to one.
    """
    basis_a, basis_b = np.asarray(basis_a, np.float64), np.asarray(basis_b, np.float64)
    if basis_a.shape != basis_b.shape or basis_a.ndim != 2:
        raise ValueError(
            "The bases must have one shape [D, K], but they have "
            f"{list(basis_a.shape)} and {list(basis_b.shape)}. Transpose one of them?"
        )
    for basis in (basis_a, basis_b):
        _check_finite(basis)
        if np.linalg.matrix_rank(basis) < basis.shape[1]:
            raise ValueError(
                f"These {basis.shape[1]} columns of {basis.shape[0]} numbers are not linearly "
                "independent. Transpose the bases?"
            )
    q_a, q_b = np.linalg.qr(basis_a)[0], np.linalg.qr(basis_b)[0]
    cosines = np.linalg.svd(q_a.T @ q_b, compute_uv=False).clip(0, 1)  # decreasing
    sines = np.linalg.svd(q_b - q_a @ (q_a.T @ q_b), compute_uv=False)[::-1].clip(0, 1)
    return np.degrees(np.where(cosines > 0.7, np.arcsin(sines), np.arccos(cosines)))


def mean_squared_error(images, reconstructions):
    """Mean of the squared differences over everything.

    Args:
        images, reconstructions: float arrays of one shape.

    Raises:
        ValueError: the shapes differ.
    """
    images, reconstructions = np.asarray(images), np.asarray(reconstructions)
    if images.shape != reconstructions.shape:  # NumPy would stretch one of them
        raise ValueError(
            f"Images of shape {list(images.shape)} can't be compared with reconstructions of "
            f"shape {list(reconstructions.shape)}."
        )
    kind = np.result_type(images, reconstructions, np.float32)  # bytes would wrap around
    return float(np.mean(np.square(np.subtract(images, reconstructions, dtype=kind))))


def psnr(images, others, peak=1.0):
    """Peak signal-to-noise ratio in decibels: ``10 log10(peak^2 / mean squared error)``.

    The error is the mean over everything, so that a batch has one number: half the error is always
    3 dB more. Gaussian noise of standard deviation s on images in [0, 1] gives ``-20 log10(s)``.

    Args:
        images, others: float arrays of one shape.
        peak: the largest value a pixel can have.

    Returns:
        A float, the higher the more alike; infinite for equal images.

    Raises:
        ValueError: the shapes differ, there is no pixel, a value is not finite, or the peak is not
            positive.
    """
    if not peak > 0:
        raise ValueError(f"The peak must be positive, not {peak}.")
    images, others = np.asarray(images, np.float64), np.asarray(others, np.float64)
    if images.size == 0:
        raise ValueError("There is no pixel to compare.")
    _check_finite(images, others)
    error = mean_squared_error(images, others)
    return float(10 * np.log10(peak**2 / error)) if error > 0 else float("inf")


def frechet_distance(features_a, features_b):
    """Squared Fréchet distance between Gaussians fitted to two sets of feature vectors.

    ``|m_a - m_b|^2 + trace(S_a + S_b - 2 (S_a S_b)^(1/2))``, Heusel et al. (2017), equation 6.
    It depends on the number of samples: compare at equal counts, beside real against real.

    Args:
        features_a, features_b: float [N, D] and [M, D].

    Returns:
        A float, 0 for equal means and covariances, in squared feature units.

    Raises:
        ValueError: not two matrices of at least two rows and equally many columns, or values that
            are not finite.
    """
    features_a, features_b = _check_features(features_a, features_b)
    mean_gap = features_a.mean(axis=0) - features_b.mean(axis=0)
    cov_a, cov_b = (np.atleast_2d(np.cov(each.T)) for each in (features_a, features_b))
    values, vectors = np.linalg.eigh(cov_a)
    root_a = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    cross = np.linalg.eigvalsh(root_a @ cov_b @ root_a)  # those of cov_a @ cov_b
    trace_root = np.sqrt(np.clip(cross, 0, None)).sum()
    return float(max(mean_gap @ mean_gap + np.trace(cov_a) + np.trace(cov_b) - 2 * trace_root, 0))


def kernel_distance(features_a, features_b):
    """Unbiased squared distance of two sets of feature vectors by a polynomial kernel.

    ``mean k(a, a') + mean k(b, b') - 2 mean k(a, b)`` over pairs of different vectors, with
    ``k(x, y) = (x . y / D + 1)^3``, Binkowski et al. (2018), section 4. Unlike the Fréchet
    distance its expectation does not depend on the number of samples, and is 0 for two sets from
    one distribution; single values may be negative.

    Args:
        features_a, features_b: float [N, D] and [M, D].

    Returns:
        A float, in units of the kernel.

    Raises:
        ValueError: see :func:`frechet_distance`.
    """
    features_a, features_b = _check_features(features_a, features_b)

    def sum_of_kernel(x, y):  # (x . y / D + 1)^3, a little memory at a time
        parts = np.array_split(x / x.shape[1], max(1, len(x) // 100))
        bases = (part @ y.T + 1 for part in parts)
        return sum(np.vdot(base * base, base) for base in bases)  # faster than base**3

    def mean_of_pairs(x):
        of_itself = ((np.square(x).sum(axis=1) / x.shape[1] + 1) ** 3).sum()
        return (sum_of_kernel(x, x) - of_itself) / (len(x) * (len(x) - 1))

    across = sum_of_kernel(features_a, features_b) / (len(features_a) * len(features_b))
    return float(mean_of_pairs(features_a) + mean_of_pairs(features_b) - 2 * across)


def precision_recall(real_features, fake_features, num_neighbors=3):
    """Precision, the share of fakes that look real, and recall, the share of reals covered.

    Around each vector of a set lies a ball that reaches to its k-th nearest neighbor in that set.
    A fake counts as precise if it lies in the ball of a real one, and a real one as recalled if
    it lies in the ball of a fake (Kynkäänniemi et al., 2019, equations 1 and 2).

    Args:
        real_features, fake_features: float [N, D] and [M, D]; compare at equal counts.
        num_neighbors: k.

    Returns:
        Two floats in [0, 1], (precision, recall).

    Raises:
        ValueError: see :func:`frechet_distance`; or not more vectors than neighbors.
    """
    real, fake = _check_features(real_features, fake_features)
    if min(len(real), len(fake)) <= num_neighbors:
        raise ValueError(
            f"{num_neighbors} neighbors need more than {num_neighbors} vectors in each set; there "
            f"are {len(real)} and {len(fake)}."
        )
    return _share_inside(fake, real, num_neighbors), _share_inside(real, fake, num_neighbors)


def _share_inside(vectors, centers, num_neighbors):
    """The share of `vectors` that lie in the ball of at least one of the `centers`."""
    from sklearn.neighbors import NearestNeighbors

    neighbors = NearestNeighbors(n_neighbors=num_neighbors + 1).fit(centers)
    radii = neighbors.kneighbors(centers)[0][:, -1]  # the nearest is the center itself
    # |v - c|^2 <= r^2, with the squares of all v on one side: |v|^2 <= r^2 - |c|^2 + 2 v . c
    squares, offsets = (vectors**2).sum(axis=1), radii**2 - (centers**2).sum(axis=1)
    reached = [  # a little memory at a time
        (2 * part @ centers.T + offsets).max(axis=1)
        for part in np.array_split(vectors, max(1, len(vectors) // 100))
    ]
    return float(np.mean(squares <= np.concatenate(reached) + 1e-9))


def nearest_images(images, candidates):
    """For each image the most similar candidate, by the distance of their pixels.

    A check for memorization: is what a generator makes just a copy of a training image?

    Args:
        images: float [N, H, W].
        candidates: float [M, H, W], for example the training images.

    Returns:
        Indices of the nearest candidates, int [N], and their root mean squared differences per
        pixel, float [N], 0 for an exact copy.

    Raises:
        ValueError: the images' shapes differ, or there are none.
    """
    images, candidates = np.asarray(images, np.float32), np.asarray(candidates, np.float32)
    if images.shape[1:] != candidates.shape[1:] or not len(images) or not len(candidates):
        raise ValueError(
            f"Images of shape {list(images.shape)} can't be compared with candidates of shape "
            f"{list(candidates.shape)}."
        )
    from sklearn.neighbors import NearestNeighbors

    flat = candidates.reshape(len(candidates), -1)
    neighbors = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(flat)
    indices = neighbors.kneighbors(images.reshape(len(images), -1))[1]
    gaps = images - candidates[indices[:, 0]]  # anew: the search rounds small distances
    return indices[:, 0], np.sqrt(np.square(gaps).reshape(len(images), -1).mean(axis=1))


def sharpness(images):
    """Mean variance of the Laplacian: high for crisp images, low for blurred ones.

    Args:
        images: float [N, H, W] or [N, H, W, 1] in [0, 1], at least 3 x 3 pixels.

    Raises:
        ValueError: another shape.
    """
    x = np.asarray(images)
    x = x.astype(np.result_type(x, np.float32), copy=False)  # bytes would wrap around
    if x.ndim == 4 and x.shape[-1] == 1:
        x = x[..., 0]
    if x.ndim != 3 or len(x) == 0 or min(x.shape[1:]) < 3:
        raise ValueError(
            f"Images must have shape [N, H, W] with H and W at least 3, not {list(x.shape)}."
        )
    laplacian = (
        x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:] - 4 * x[:, 1:-1, 1:-1]
    )
    return float(laplacian.reshape(len(x), -1).var(axis=1).mean())


def class_histogram(classes, num_classes=10):
    """Share of each class, float [num_classes], from class numbers, int [N].

    Raises:
        ValueError: no class numbers, or some that are not 0 ... num_classes - 1.
    """
    classes = np.asarray(classes)
    if classes.size == 0 or classes.min() < 0 or classes.max() >= num_classes:
        found = f"these go from {classes.min()} to {classes.max()}" if classes.size else "none came"
        raise ValueError(f"Class numbers must be 0 to {num_classes - 1}; {found}.")
    return np.bincount(classes, minlength=num_classes) / len(classes)


def class_entropy(classes, num_classes=10):
    """Entropy of the class shares in nats: log(num_classes) if all are equal, 0 for one class."""
    shares = class_histogram(classes, num_classes)
    shares = shares[shares > 0]
    return float((shares * np.log(1 / shares)).sum())


def class_coverage(classes, num_classes=10, least=0.01):
    """The number of classes whose share is at least `least`; `num_classes` if none is missing."""
    return int((class_histogram(classes, num_classes) >= least).sum())


def _check_features(features_a, features_b):
    """Both as float64, or a clear error."""
    features_a, features_b = np.asarray(features_a, np.float64), np.asarray(features_b, np.float64)
    shapes = features_a.shape, features_b.shape
    if {len(shape) for shape in shapes} != {2} or shapes[0][1] != shapes[1][1]:
        raise ValueError(
            "Features must have shapes [N, D] and [M, D], but they have "
            f"{list(shapes[0])} and {list(shapes[1])}."
        )
    if min(len(features_a), len(features_b)) < 2:
        raise ValueError("A set needs at least two feature vectors.")
    _check_finite(features_a, features_b)
    return features_a, features_b


def _check_finite(*arrays):
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("Some values are NaN or infinite. Did the training diverge?")
