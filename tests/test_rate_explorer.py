"""What the explorer of learning rates is made of: a map of fields, the ground, a list's slider."""

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import charts, plotting
from helpers.ring import GREEN, PURPLE, plane_picture
from helpers.widgets import Explorer

FRAME = (217, 119, 43)  # plotting.ORANGE


def fields(picture, count):
    """A pixel near the lower left corner of each field, inside of its frame, [row, column]."""
    side = (picture.shape[0] - 40) // count
    left = picture.shape[1] - count * side
    rows = [picture[(count - row) * side - 7] for row in range(count)]  # the first at the bottom
    return np.array([[row[left + column * side + 6] for column in range(count)] for row in rows])


def test_the_field_map_has_the_colors_of_its_numbers():
    values = np.array([[0, 2], [8, 4]])
    picture = charts.field_map(values, [0.1, "b"], "x", "y", chosen=(1, 0), largest=8)
    assert picture.dtype == np.uint8
    expected = (plt.cm.viridis(values / 8)[..., :3] * 255).astype(np.uint8)
    np.testing.assert_array_equal(fields(picture, 2), expected)


@pytest.mark.parametrize("chosen", [(0, 0), (1, 2)])
def test_the_field_map_frames_the_chosen_field(chosen):
    picture = charts.field_map(np.eye(3), range(3), "x", "y", chosen)
    side = (picture.shape[0] - 40) // 3
    rows, columns = np.nonzero((picture == FRAME).all(axis=-1))
    left = picture.shape[1] - 3 * side
    assert (columns.min(), columns.max()) == (
        left + chosen[1] * side,
        left + (chosen[1] + 1) * side - 1,
    )
    assert (rows.min(), rows.max()) == ((2 - chosen[0]) * side, (3 - chosen[0]) * side - 1)
    assert plotting.ORANGE == "#{:02x}{:02x}{:02x}".format(*FRAME)


def test_a_map_of_zeros_is_dark():
    picture = charts.field_map(np.zeros((2, 2)), "ab", "x", "y", (0, 0), largest=8)
    assert (fields(picture, 2) == (np.array(plt.cm.viridis(0.0)[:3]) * 255).astype(np.uint8)).all()


def test_the_ground_is_white_where_the_discriminator_can_only_guess():
    nothing = np.zeros((0, 2))
    picture = plane_picture(nothing, nothing, lambda places: 0.5 + 0.0 * places[:, 0], size=64)
    assert (picture == 255).all()


def test_the_ground_is_deeper_the_surer_the_discriminator_is():
    nothing = np.zeros((0, 2))
    picture = plane_picture(nothing, nothing, lambda places: 0.5 + 0.06 * places[:, 0], size=64)
    light = picture[32].astype(int).sum(axis=-1)  # from left, surely fake, to right, surely real
    assert (np.diff(light[:32:4]) > 0).all()
    assert (np.diff(light[32::4]) < 0).all()
    assert (picture == picture[0]).all()


def test_the_ground_has_two_colors_and_an_end():
    nothing = np.zeros((0, 2))
    picture = plane_picture(nothing, nothing, lambda places: places[:, 1] > 0, size=64)
    for row, color in ((0, GREEN), (-1, PURPLE)):  # y points upwards
        np.testing.assert_allclose(picture[row, 0], 255 - 0.7 * (255 - np.array(color)), atol=1)
    surer = plane_picture(nothing, nothing, lambda places: 0.4 + 0.2 * (places[:, 1] > 0), size=64)
    np.testing.assert_allclose(picture, surer, atol=1)


def test_an_explorer_chooses_from_a_list():
    seen = []

    def draw(rate, turns):
        seen.append((rate, turns))
        return np.zeros((2, 2), np.uint8)

    sliders = {"rate": ([1e-4, 3e-4, 1e-3], 3e-4, "the rate"), "turns": (1, 9, 1, 4)}
    widget = Explorer(draw, sliders)
    rate, turns = widget.controls.values()
    assert isinstance(rate, ipywidgets.SelectionSlider)
    assert isinstance(turns, ipywidgets.IntSlider)
    assert (rate.description, rate.value) == ("the rate", 3e-4)
    rate.value = 1e-3
    widget.reset()
    assert seen == [(3e-4, 4), (1e-3, 4), (3e-4, 4)]
    widget.close()


def test_a_list_without_a_label_has_its_name():
    widget = Explorer(lambda level: np.zeros((2, 2), np.uint8), {"level": ([1, 5], 5)})
    assert widget.controls["level"].description == "level"
    widget.close()
