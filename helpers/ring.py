"""A ring of little clouds in the plane, on which a duel of two networks takes seconds."""

import numpy as np

GRAY, ORANGE = (90, 90, 90), (217, 100, 20)
GREEN, PURPLE = (46, 139, 87), (120, 80, 170)


def _centers(num_clouds):
    angle = 2 * np.pi * np.arange(num_clouds) / num_clouds
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)  # [K, 2]


def ring_points(num_points, num_clouds=8, std=0.05, seed=42):
    """Points from Gaussian clouds whose centers lie evenly on the unit circle.

    Args:
        std: of each cloud, in both directions.

    Returns:
        float32 [num_points, 2]; each point is from a cloud chosen at random.
    """
    rng = np.random.default_rng(seed)
    centers = _centers(num_clouds)[rng.integers(num_clouds, size=num_points)]
    return (centers + rng.normal(scale=std, size=centers.shape)).astype("float32")


def cloud_report(points, num_clouds=8, std=0.05, least=0.02):
    """Where generated points lie: which of the clouds get how many.

    A point counts for the nearest cloud if it lies within three standard deviations of its center
    (98.9 % of a cloud's own points do).

    Args:
        points: float [N, 2].
        least: the share of all points that makes a cloud count as covered.

    Returns:
        Dict: ``inside``, the share of points in any cloud; ``coverage``, the number of clouds
        covered; ``cloud_0`` and so on, the share of each cloud among all points.
    """
    gaps = np.linalg.norm(np.asarray(points)[:, np.newaxis] - _centers(num_clouds), axis=-1)
    inside = gaps.min(axis=1) <= 3 * std  # [N, K] -> [N]
    shares = np.bincount(gaps[inside].argmin(axis=1), minlength=num_clouds) / len(gaps)
    report = {f"cloud_{number}": float(share) for number, share in enumerate(shares)}
    return {"inside": float(inside.mean()), "coverage": int((shares >= least).sum()), **report}


def in_a_cloud(points, num_clouds=8, std=0.05):
    """Which points lie in a cloud, as :func:`cloud_report` counts: bool [N] for float [N, 2]."""
    gaps = np.linalg.norm(np.asarray(points)[:, np.newaxis] - _centers(num_clouds), axis=-1)
    return gaps.min(axis=1) <= 3 * std


def plane_picture(real_points, fakes, opinion=None, size=272, reach=1.6):
    """Real points in gray, fakes in orange, on a ground that shows a discriminator's opinion.

    Args:
        real_points, fakes: float [N, 2] and [M, 2].
        opinion: function, points float32 [N, 2] -> probability of "real", N numbers. White stands
            for 0.5, deep green for 0.6 and more, deep purple for 0.4 and less: the two players of
            a duel are seldom surer than that.
        size: of the picture, a multiple of 4.
        reach: the picture shows both coordinates from -reach to reach; y points upwards.

    Returns:
        uint8 picture [size, size, 3].
    """
    canvas = np.full((size, size, 3), 255, np.uint8)
    if opinion is not None:
        axis = (np.arange(size // 4) + 0.5) * 8 * reach / size - reach
        places = np.stack(np.meshgrid(axis, -axis), axis=-1).reshape(-1, 2).astype("float32")
        belief = np.clip((np.asarray(opinion(places), np.float32) - 0.5) / 0.1, -1, 1)
        belief = belief.reshape(len(axis), -1, 1)  # -1: surely fake, 1: surely real
        ink = 255 - np.where(belief > 0, GREEN, PURPLE)
        ground = (255 - 0.7 * abs(belief) * ink).astype(np.uint8)
        canvas[:] = ground.repeat(4, axis=0).repeat(4, axis=1)
    for points, color in ((real_points, GRAY), (fakes, ORANGE)):
        pixels = np.nan_to_num((np.asarray(points) * [1, -1] / reach + 1) * size / 2, nan=-9)
        pixels = np.floor(pixels.clip(-9, size + 9)).astype(int)  # [N, 2]
        for shift in np.ndindex(2, 2):
            x, y = (pixels + shift).T
            seen = (x >= 0) & (x < size) & (y >= 0) & (y < size)
            canvas[y[seen], x[seen]] = color
    return canvas
