"""Charts of numbers: what they draw is what they were given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import charts


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def test_the_standard_error_by_hand():
    assert charts.standard_error(np.array([1.0, 2.0, 3.0])) == pytest.approx(1 / np.sqrt(3))
    assert charts.standard_error(np.array([5.0])) == 0
    table = np.array([[0.0, 1.0], [2.0, 1.0]])
    np.testing.assert_allclose(charts.standard_error(table), [1, 0])


def test_shares_are_stacked_in_order():
    history = {"part_0": [0.2, 0.5], "part_1": [0.3, 0.1]}
    (ax,) = charts.share_bars({"one": history}, "part_", ["a", "b"])
    bars = [(bar.get_y(), bar.get_height()) for bar in ax.patches]
    np.testing.assert_allclose(bars, [(0, 0.2), (0, 0.5), (0.2, 0.3), (0.5, 0.1)])
    assert len(charts.share_bars({"one": history, "two": history}, "part_", ["a", "b"])) == 2


def test_bars_show_mean_seeds_and_star():
    ax = charts.seed_bars({"original": [1.0, 3.0], "other": [4.0]}, "x", star=("other", 5))
    assert [bar.get_width() for bar in ax.patches] == [2, 4]
    marks = [line.get_xdata().tolist() for line in ax.lines if line.get_marker() == "o"]
    assert marks == [[1, 3], [4]]
    assert [np.ravel(line.get_xdata())[0] for line in ax.lines if line.get_marker() == "*"] == [5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["original", "other"]


def test_bands_have_the_mean_in_the_middle():
    ax = charts.bands({"a": [[0.0, 1.0], [2.0, 1.0]], "b": [[4.0, 5.0]]}, "x", "y")
    assert ax.lines[0].get_ydata().tolist() == [1, 1]
    assert ax.lines[1].get_ydata().tolist() == [4, 5]
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0, 2)
    many = charts.bands({str(number): [[number]] for number in range(12)}, "x", "y")
    assert len(many.lines) == 12


def test_the_map_starts_at_the_bottom():
    ax = charts.number_map([[1, 2], [3, 4]], [0.1, "b"], "x", "y", "t")
    texts = {(text.get_position(), text.get_text()) for text in ax.texts}
    assert texts == {((0, 0), "1.0"), ((1, 0), "2.0"), ((0, 1), "3.0"), ((1, 1), "4.0")}
    assert ax.images[0].origin == "lower"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.1", "b"]


def test_a_path_is_drawn_over_the_saddle():
    picture = charts.saddle_path([[1.0, 0.0], [1.0, 2.0]], size=300)
    assert picture.shape == (300, 300, 3)
    assert picture.dtype == np.uint8
    assert tuple(picture[150, 150]) == (0x22, 0x22, 0x22)  # the equilibrium
    assert picture[50, 200, 0] > picture[50, 200, 2] + 100  # orange at the end: (1, 2)
    assert picture[0, 299, 2] > picture[0, 299, 0]  # V = x * y is high: bluish
    assert picture[299, 299, 0] > picture[299, 299, 2]
    charts.saddle_path([[1.0, 0.0], [1e9, -1e9]])  # out of sight: no error
