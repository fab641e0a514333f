"""Pictures pixel by pixel, figures by what is drawn in them, and what is refused."""

import io
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from helpers import plotting

W, K = 255, 0  # paper and ink


@pytest.fixture(autouse=True)
def no_show(monkeypatch):
    """The notebook does the showing, never the helpers."""
    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("plt.show was called"))


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def batch(*shape):
    return np.random.default_rng(42).uniform(size=shape)


def test_plotting_does_not_import_tensorflow():
    code = "import sys, helpers.plotting; print({'tensorflow', 'keras'} & set(sys.modules))"
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert finished.stdout.strip() == "set()", finished.stderr


# --- checking


@pytest.mark.parametrize("shape", [(4, 5, 6), (4, 5, 6, 3), (1, 1, 1)])
def test_good_images_come_back_as_float32(shape):
    images = batch(*shape)
    found = plotting.check_images(images)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, images.astype(np.float32))


def test_single_channel_is_dropped():
    assert plotting.check_images(batch(4, 5, 6, 1)).shape == (4, 5, 6)


def test_rounding_errors_are_clipped():
    images = np.array([[[-0.0009, 1.0009]]])
    np.testing.assert_array_equal(plotting.check_images(images), [[[0, 1]]])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((28, 28)), r"not \[28, 28\].*image\[np.newaxis\]"),
        (np.zeros((2, 3, 28, 28)), r"not \[2, 3, 28, 28\]"),
        (np.zeros((2, 28, 28, 4)), r"not \[2, 28, 28, 4\]"),
        (np.zeros(784), r"not \[784\]"),
        (np.zeros((0, 28, 28)), "no image"),
        (np.full((1, 2, 2), 255, np.uint8), "from 255 to 255.*Divide bytes by 255"),
        (np.full((1, 2, 2), -1.0), r"from -1 to -1.*tanh outputs with \(images \+ 1\) / 2"),
        (np.array([[[0.5, 1.01]]]), "from 0.5 to 1.01"),
        (np.array([[[0.5, np.nan]]]), "NaN or infinite.*diverge"),
        (np.array([[[0.5, np.inf]]]), "NaN or infinite"),
    ],
)
@pytest.mark.parametrize("draw", [plotting.check_images, plotting.mosaic, plotting.image_grid])
def test_what_is_no_batch_of_images_is_refused(draw, images, message):
    with pytest.raises(ValueError, match=message):
        draw(images)
    assert plt.get_fignums() == []


# --- pictures


def test_mosaic_pixel_by_pixel():
    images = np.array([[[0, 1]], [[1, 1]], [[0.2, 0]]])  # three images of 1 x 2 pixels
    expected = [
        [W, W, W, W, W, W, W],
        [W, W, K, W, K, K, W],
        [W, W, W, W, W, W, W],
        [W, 204, W, W, W, W, W],
        [W, W, W, W, W, W, W],
    ]
    picture = plotting.mosaic(images, columns=2, padding=1)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, expected)


def test_mosaic_of_color_images_keeps_their_colors():
    colors = np.array([[1, 0, 0], [0, 0, 1.0]]).reshape(2, 1, 1, 3)
    picture = plotting.mosaic(colors, columns=2, padding=0)
    np.testing.assert_array_equal(picture, [[[255, 0, 0], [0, 0, 255]]])


@pytest.mark.parametrize(
    ("count", "columns", "shape"),
    [(1, None, (7, 8)), (4, None, (12, 14)), (5, None, (12, 20)), (5, 5, (7, 32)), (5, 1, (27, 8))],
)
def test_mosaic_is_about_square_unless_told(count, columns, shape):
    assert plotting.mosaic(batch(count, 3, 4), columns).shape == shape


def test_mosaic_leaves_missing_images_white():
    picture = plotting.mosaic(np.ones((3, 2, 2)), columns=2, padding=0)
    np.testing.assert_array_equal(picture[2:], [[K, K, W, W]] * 2)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
@pytest.mark.parametrize("scale", [1, 3])
def test_png_holds_every_pixel(shape, scale):
    picture = np.random.default_rng(42).integers(0, 256, shape, dtype=np.uint8)
    found = opened(plotting.png_bytes(picture, scale))
    assert found.shape == (5 * scale, 7 * scale, *shape[2:])
    np.testing.assert_array_equal(found[::scale, ::scale], picture)
    np.testing.assert_array_equal(found[scale - 1 :: scale, scale - 1 :: scale], picture)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((4, 4)), r"not float64 \[4, 4\]"),
        (np.zeros((4, 4, 4), np.uint8), r"not uint8 \[4, 4, 4\]"),
        (np.zeros(4, np.uint8), r"not uint8 \[4\]"),
    ],
)
def test_png_of_something_else_is_refused(picture, message):
    with pytest.raises(ValueError, match=message):
        plotting.png_bytes(picture)


def test_text_is_dark_on_white_and_centered():
    picture = plotting.text_picture("oooo", 90, 30)
    assert picture.shape == (30, 90) and picture.dtype == np.uint8
    rows, columns = np.nonzero(picture < 128)
    assert (picture == 255).mean() > 0.5
    assert columns.mean() == pytest.approx(44.5, abs=3) and rows.mean() == pytest.approx(15, abs=4)
    assert (plotting.text_picture("", 90, 30) == 255).all()


def frames(count, height=20, width=10):
    """`count` gray frames, each a little darker than the one before, and their captions."""
    shades = [250 - 10 * index for index in range(count)]
    pictures = [np.full((height, width), shade, np.uint8) for shade in shades]
    return [plotting.png_bytes(p) for p in pictures], [f"{index}" for index in range(count)]


@pytest.mark.parametrize(
    ("count", "chosen"), [(1, [0]), (3, [0, 1, 2]), (11, [0, 5, 10]), (4, [0, 2, 3])]
)
def test_film_strip_goes_from_the_first_frame_to_the_last(count, chosen):
    strip = plotting.film_strip(*frames(count), most=3, height=40)
    assert strip.shape == (40 + 22, len(chosen) * 20 + (len(chosen) - 1) * 6, 3)
    middles = strip[40, 10::26, 0]
    np.testing.assert_array_equal(middles, [250 - 10 * index for index in chosen])
    assert all((strip[:22, x : x + 20] < 128).any() for x in range(0, strip.shape[1], 26))
    assert (strip[:, 20:26] == 255).all()


@pytest.mark.parametrize("count", [0, 2])
def test_film_strip_needs_frames_with_captions(count):
    with pytest.raises(ValueError, match=f"{count} frames with 0 captions"):
        plotting.film_strip(frames(count)[0], [])


def test_figure_becomes_a_picture_and_is_closed():
    figure, ax = plt.subplots(figsize=(3, 2), dpi=50)
    ax.set_position([0, 0, 1, 1])
    ax.axis("off")
    ax.imshow(np.array([[[1.0, 0, 0]]]), aspect="auto")
    picture = plotting.figure_picture(figure)
    assert picture.shape == (100, 150, 3) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture[50, 75], [255, 0, 0])
    assert plt.get_fignums() == []


# --- figures


def texts(ax):
    return [text.get_text() for text in ax.texts]


def drawn(ax):
    (image,) = ax.images
    return np.asarray(image.get_array())


def test_grid_draws_the_mosaic_on_the_axes_it_is_given():
    images, (_, ax) = batch(6, 12, 12), plt.subplots()
    assert plotting.image_grid(images, columns=3, title="six", ax=ax) is ax
    np.testing.assert_array_equal(drawn(ax), plotting.mosaic(images, 3))
    assert ax.get_title() == "six" and len(plt.get_fignums()) == 1


def test_grid_does_not_stretch_grays():
    ax = plotting.image_grid(np.full((4, 12, 12), 0.5))
    assert ax.images[0].get_clim() == (0, 255)


def test_grid_makes_axes_if_it_gets_none():
    ax = plotting.image_grid(batch(4, 12, 12, 3))
    assert drawn(ax).shape[-1] == 3
    assert plt.get_fignums() == [ax.figure.number]


def test_grid_writes_a_title_above_each_image():
    ax = plotting.image_grid(batch(4, 12, 12), titles=list("abcd"))
    assert texts(ax) == list("abcd")
    first, _, third, _ = (text.get_position() for text in ax.texts)
    assert first[0] == third[0] and first[1] < third[1]  # the y axis points down
    assert drawn(ax)[round(first[1]) + 3, round(first[0])] < W  # an image is right below


def test_grid_frames_the_chosen_images_only():
    images = np.ones((4, 12, 12))
    ax = plotting.image_grid(images, columns=2, framed=[3])
    (frame,) = ax.patches
    (x0, y0), (x1, y1) = frame.get_bbox().get_points()
    inside = drawn(ax)[int(y0) + 1 : int(y1) + 1, int(x0) + 1 : int(x1) + 1]
    assert y0 > 12 and x0 > 12 and (inside == K).sum() == 144


@pytest.mark.parametrize("titles", [[], ["a"], list("abcde")])
def test_grid_needs_a_title_for_each_image(titles):
    with pytest.raises(ValueError, match=f"4 images need as many titles, not {len(titles)}"):
        plotting.image_grid(batch(4, 12, 12), titles=titles)
    assert plt.get_fignums() == []


def test_rows_are_drawn_one_above_the_other_with_labels():
    originals, copies = np.zeros((3, 12, 12)), np.ones((3, 12, 12))
    ax = plotting.image_rows({"originals": originals, "copies": copies}, title="both")
    assert texts(ax) == ["originals", "copies"] and ax.get_title() == "both"
    np.testing.assert_array_equal(
        drawn(ax), plotting.mosaic(np.concatenate([originals, copies]), columns=3)
    )
    shades = [drawn(ax)[round(text.get_position()[1]), 5] for text in ax.texts]
    assert shades == [W, K]  # each label beside its own row


def test_rows_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"originals: \[3, 12, 12\], copies: \[2, 12, 12\]"):
        plotting.image_rows({"originals": batch(3, 12, 12), "copies": batch(2, 12, 12)})
    with pytest.raises(ValueError, match="no rows"):
        plotting.image_rows({})


def test_learning_curves_start_at_epoch_1():
    ax = plotting.learning_curves({"training": [3, 2, 1], "validation": [4, 3]}, title="loss")
    first, second = ax.lines
    np.testing.assert_array_equal(first.get_xydata(), [[1, 3], [2, 2], [3, 1]])
    np.testing.assert_array_equal(second.get_xydata(), [[1, 4], [2, 3]])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["training", "validation"]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("epoch", "loss", "loss")
    assert ax.get_yscale() == "linear"


def test_single_learning_curve_needs_no_legend():
    _, ax = plt.subplots()
    assert plotting.learning_curves({"loss": [1, 2]}, ylabel="nats", log=True, ax=ax) is ax
    assert ax.get_legend() is None
    assert (ax.get_yscale(), ax.get_ylabel()) == ("log", "nats")


def test_style_sheet_applies():
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        plotting.use_style()
        assert plt.rcParams["axes.spines.top"] is False
        colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
        palette = [plotting.BLUE, plotting.ORANGE, plotting.GREEN]
        assert [f"#{color.lstrip('#')}" for color in colors[:3]] == palette


# --- diagrams


@pytest.fixture
def diagram():
    """Two boxes of width 1, centered on (1, 1) and (4, 1)."""
    diagram = plotting.Diagram(6, 2)
    diagram.box("a", 1, 1, "A", width=1)
    diagram.box("b", 4, 1, "B", width=1)
    return diagram


def extents(diagram):
    return diagram.ax.patches[-1].get_path().get_extents()


def test_diagram_is_as_large_as_told(diagram):
    assert tuple(diagram.figure.get_size_inches()) == (6, 2)
    assert (diagram.ax.get_xlim(), diagram.ax.get_ylim()) == ((0, 6), (0, 2))
    assert texts(diagram.ax) == ["A", "B"]


@pytest.mark.parametrize(("start", "end"), [("a", "b"), ("b", "a")])
def test_arrow_goes_from_border_to_border(start, end, diagram):
    diagram.arrow(start, end, "codings")
    box = extents(diagram)
    assert (box.x0, box.x1) == (pytest.approx(1.5, abs=0.05), pytest.approx(3.5, abs=0.05))
    assert (box.y0 + box.y1) / 2 == pytest.approx(1, abs=0.02)
    label = diagram.ax.texts[-1]
    assert label.get_text() == "codings" and label.get_position()[0] == pytest.approx(2.5)


def test_arrow_straight_up_leaves_through_the_top(diagram):
    diagram.arrow("a", (1.0, 1.9))
    box = extents(diagram)
    assert (box.y0, box.y1) == (pytest.approx(1.25, abs=0.05), pytest.approx(1.9, abs=0.05))
    assert (box.x0 + box.x1) / 2 == pytest.approx(1, abs=0.02)


def test_arrow_between_points(diagram):
    count = len(diagram.ax.texts)
    diagram.arrow((0.5, 0.2), (5.5, 0.2))
    box = extents(diagram)
    assert (box.x0, box.x1) == (pytest.approx(0.5, abs=0.05), pytest.approx(5.5, abs=0.05))
    assert len(diagram.ax.texts) == count


def test_arrow_to_a_box_that_is_not_there_names_those_that_are(diagram):
    with pytest.raises(ValueError, match=r"no box called 'c' \(there are: a, b\)"):
        diagram.arrow("a", "c")


def test_image_in_a_diagram_keeps_the_limits_and_takes_arrows(diagram):
    diagram.image("picture", 2.5, 1, np.eye(8), size=0.8)
    assert (diagram.ax.get_xlim(), diagram.ax.get_ylim()) == ((0, 6), (0, 2))
    assert drawn(diagram.ax).shape == (8, 8)
    assert list(diagram.ax.images[0].get_extent()) == pytest.approx([2.1, 2.9, 0.6, 1.4])
    diagram.arrow("a", "picture")
    assert extents(diagram).x1 == pytest.approx(2.1, abs=0.05)


# --- scenes


def center(picture):
    """Color of the pixel at the middle."""
    return tuple(picture[len(picture) // 2, len(picture) // 2])


RED, GREEN = (255, 0, 0), (0, 255, 0)


def where(picture, color=RED):
    """Mean (x, y) of the pixels of `color`, in pixels from the middle, y upwards."""
    rows, columns = np.nonzero((picture == color).all(axis=-1))
    assert len(rows), "nothing drawn"
    middle = (len(picture) - 1) / 2
    return columns.mean() - middle, middle - rows.mean()


@pytest.mark.parametrize(
    ("azimuth", "elevation", "point", "expected"),
    [
        (0, 0, (0, 0, 1), (0, 50)),  # from the x axis: z is up
        (0, 0, (0, 1, 0), (50, 0)),  # and y to the right
        (0, 0, (1, 0, 0), (0, 0)),  # and x towards us
        (-90, 0, (1, 0, 0), (50, 0)),
        (0, 90, (1, 0, 0), (0, -50)),  # from above: x comes down
        (0, 90, (0, 0, 1), (0, 0)),
    ],
)
def test_scene_projects_as_one_looks(azimuth, elevation, point, expected):
    scene = plotting.Scene(azimuth, elevation, extent=2.0, size=200)
    scene.points([point], "#ff0000")
    picture = scene.picture()
    assert picture.shape == (200, 200, 3) and picture.dtype == np.uint8
    assert where(picture) == pytest.approx(expected, abs=1)


def test_scene_draws_later_things_over_earlier_ones():
    scene = plotting.Scene(0, 0, size=100)
    scene.polygon([(0, -1, -1), (0, 1, -1), (0, 1, 1), (0, -1, 1)], "#ff0000ff")
    assert center(scene.picture()) == RED
    scene.segments([(0, -1, 0)], [(0, 1, 0)], "#00ff00", width=8)
    picture = scene.picture()
    assert center(picture) == GREEN
    assert where(picture, GREEN) == pytest.approx((0, 0), abs=1)
    assert tuple(picture[0, 0]) == (255, 255, 255)


def test_scene_mixes_transparent_colors():
    scene = plotting.Scene(0, 0, size=100)
    scene.polygon([(0, -1, -1), (0, 1, -1), (0, 1, 1), (0, -1, 1)], "#ff000080")
    red, green, blue = center(scene.picture())
    assert red == 255 and green == blue == pytest.approx(127, abs=2)


def test_scene_needs_as_many_ends_as_starts():
    with pytest.raises(ValueError):
        plotting.Scene().segments(np.zeros((2, 3)), np.zeros((3, 3)), "#000000")
