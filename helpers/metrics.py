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
        ValueError: the bases live in spaces of different dimension, or have more columns than
            that.

    Björck and Golub (1973). Small angles come from the sine, which is exact where the cosine
    rounds to one.
    """
    basis_a, basis_b = np.asarray(basis_a, np.float64), np.asarray(basis_b, np.float64)
    if basis_a.shape[0] != basis_b.shape[0]:
        raise ValueError(
            f"The columns must have one length, but they have {basis_a.shape[0]} and "
            f"{basis_b.shape[0]} numbers. Transpose one of the bases?"
        )
    for basis in (basis_a, basis_b):
        if basis.shape[1] > basis.shape[0]:
            raise ValueError(
                f"{basis.shape[1]} columns of {basis.shape[0]} numbers can't be linearly "
                "independent. Transpose the bases?"
            )
    q_a, q_b = np.linalg.qr(basis_a)[0], np.linalg.qr(basis_b)[0]
    cosines = np.linalg.svd(q_a.T @ q_b, compute_uv=False).clip(0, 1)  # decreasing
    sines = np.linalg.svd(q_b - q_a @ (q_a.T @ q_b), compute_uv=False)[::-1].clip(0, 1)
    return np.degrees(np.where(cosines > 0.7, np.arcsin(sines), np.arccos(cosines)))


def mean_squared_error(images, reconstructions):
    """Mean of the squared differences over everything."""
    return float(np.mean(np.square(np.asarray(images) - np.asarray(reconstructions))))


def frechet_distance(features_a, features_b):
    """Squared Fréchet distance between Gaussians fitted to two sets of feature vectors.

    ``|m_a - m_b|^2 + trace(S_a + S_b - 2 (S_a S_b)^(1/2))``, Heusel et al. (2017), equation 6.
    It depends on the number of samples: compare at equal counts, beside real against real.

    Args:
        features_a, features_b: float [N, D] and [M, D].

    Returns:
        A float, 0 for equal means and covariances, in squared feature units.
    """
    features_a, features_b = np.asarray(features_a, np.float64), np.asarray(features_b, np.float64)
    mean_gap = features_a.mean(axis=0) - features_b.mean(axis=0)
    cov_a, cov_b = np.cov(features_a, rowvar=False), np.cov(features_b, rowvar=False)
    values, vectors = np.linalg.eigh(cov_a)
    root_a = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    cross = np.linalg.eigvalsh(root_a @ cov_b @ root_a)  # those of cov_a @ cov_b
    trace_root = np.sqrt(np.clip(cross, 0, None)).sum()
    return float(max(mean_gap @ mean_gap + np.trace(cov_a) + np.trace(cov_b) - 2 * trace_root, 0))


def sharpness(images):
    """Mean variance of the Laplacian: high for crisp images, low for blurred ones.

    Args:
        images: float [N, H, W] in [0, 1].
    """
    x = np.asarray(images)
    laplacian = (
        x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:] - 4 * x[:, 1:-1, 1:-1]
    )
    return float(laplacian.reshape(len(x), -1).var(axis=1).mean())


def class_histogram(classes, num_classes=10):
    """Share of each class, float [num_classes], from class numbers, int [N]."""
    return np.bincount(classes, minlength=num_classes) / len(classes)


def class_entropy(classes, num_classes=10):
    """Entropy of the class shares in nats: log(num_classes) if all are equal, 0 for one class."""
    shares = class_histogram(classes, num_classes)
    shares = shares[shares > 0]
    return float((shares * np.log(1 / shares)).sum())
