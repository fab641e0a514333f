"""The ring of clouds: where points lie, what counts as covered, and the picture of the plane."""

import numpy as np
import pytest

from helpers.ring import GRAY, ORANGE, cloud_report, in_a_cloud, plane_picture, ring_points


def test_points_lie_around_the_centers_with_the_given_spread():
    points = ring_points(20_000, num_clouds=4, std=0.01)
    assert points.shape == (20_000, 2)
    assert points.dtype == np.float32
    right = points[points[:, 0] > 0.9]
    assert 0.23 < len(right) / len(points) < 0.27
    np.testing.assert_allclose(right.mean(axis=0), [1, 0], atol=1e-3)
    np.testing.assert_allclose(right.std(axis=0), 0.01, rtol=0.05)


def test_the_seed_decides():
    np.testing.assert_array_equal(ring_points(9), ring_points(9))
    assert not np.array_equal(ring_points(9), ring_points(9, seed=1))


def test_real_points_cover_all_clouds():
    report = cloud_report(ring_points(5000))
    assert report["coverage"] == 8
    assert 0.98 < report["inside"] < 0.995  # 1 - exp(-9/2) = 0.989
    shares = [report[f"cloud_{number}"] for number in range(8)]
    assert sum(shares) == pytest.approx(report["inside"])
    assert max(shares) < 0.15


def test_one_cloud_and_no_cloud():
    one = cloud_report(np.tile([[0.0, 1.0]], (50, 1)))
    assert (one["coverage"], one["inside"], one["cloud_2"]) == (1, 1.0, 1.0)
    none = cloud_report(np.zeros((50, 2)))
    assert (none["coverage"], none["inside"]) == (0, 0.0)


def test_a_cloud_with_too_few_points_is_not_covered():
    points = np.array([[1.0, 0.0]] * 99 + [[-1.0, 0.0]])
    assert cloud_report(points)["coverage"] == 1
    assert cloud_report(points, least=0.01)["coverage"] == 2


def test_the_edge_is_three_standard_deviations():
    assert cloud_report(np.array([[1.149, 0.0]]))["inside"] == 1
    assert cloud_report(np.array([[1.151, 0.0]]))["inside"] == 0
    points = np.array([[1.149, 0.0], [1.151, 0.0], [0.0, -0.86], [0.0, 0.0]])
    assert in_a_cloud(points).tolist() == [True, False, True, False]


def test_points_are_drawn_where_they_are():
    picture = plane_picture(np.array([[0.8, 0.8]]), np.array([[-0.8, 0.0], [9.0, np.nan]]), size=64)
    assert picture.shape == (64, 64, 3)
    assert picture.dtype == np.uint8
    assert tuple(picture[16, 48]) == GRAY  # up and right
    assert tuple(picture[32, 16]) == ORANGE
    assert (picture != 255).any(axis=-1).sum() == 8  # two dots of four pixels


def test_the_opinion_colors_the_ground():
    picture = plane_picture(
        np.zeros((0, 2)), np.zeros((0, 2)), lambda places: places[:, 1] > 0.5, size=64
    )
    assert picture[-1, 0, 2] > picture[-1, 0, 1] + 50  # below, surely fake: purple
    assert picture[0, 0, 1] > picture[0, 0, 0] + 50  # above: green


def test_points_that_are_no_numbers_are_not_drawn():
    fakes = [[np.nan, np.nan], [np.nan, 0], [0, np.nan]]
    assert (plane_picture(np.zeros((0, 2)), np.array(fakes)) == 255).all()
    outside = np.array([[-1.6001, 0.0]])  # just outside on the left
    assert (plane_picture(np.zeros((0, 2)), outside)[:, 1:] == 255).all()
