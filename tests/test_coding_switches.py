"""Switching codings on and off, by firing real events: what is off leaves the picture."""

import io

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from helpers.widgets import CodingSwitches

RNG = np.random.default_rng(42)
IMAGES = RNG.random((4, 2, 3)).astype(np.float32)
# Coding k is the brightness of pixel k, so every picture tells which codings it was made of.
CODINGS = np.array(
    [[0.1, 0.9, 0.3, 0.8, 0.2, 0.7], [0.6, 0.0, 0.5, 0.1, 1.0, 0.2],
     [0.5, 0.5, 0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]], np.float32)  # fmt: skip


def pixelwise(codings):
    """A decoder: codings [N, 6] become the pixels of images [N, 2, 3]."""
    import tensorflow as tf

    return tf.reshape(codings, (-1, 2, 3))


def switches(**arguments):
    settings = {"num_switches": 3, "scale": 20, **arguments}
    return CodingSwitches(pixelwise, IMAGES, CODINGS, **settings)


def panels(widget):
    """The three images that are shown, as brightness [3, 6] from 0 to 1; ink is 1."""
    picture = np.asarray(Image.open(io.BytesIO(widget.image.value))).astype(float)
    size = 20
    grid = picture[-(2 + 4) * size :][size // 2 :: size, size // 2 :: size]  # one value per pixel
    images = [grid[2:4, 2 + 5 * n : 5 + 5 * n] for n in range(3)]
    return 1 - np.stack(images).reshape(3, 6) / 255


def check(widget, image, switched_on):
    """The three panels, and the errors in the caption, are those of `switched_on` codings."""
    expected = np.where(np.isin(np.arange(6), switched_on), CODINGS[image], 0)
    original = IMAGES[image].reshape(6)
    everything = np.stack([original, CODINGS[image], expected])
    np.testing.assert_allclose(panels(widget), everything, atol=1 / 255)
    chosen, whole = (np.mean((panel - original) ** 2) for panel in (expected, CODINGS[image]))
    assert widget.text.value == (
        f"{len(switched_on)} of 6 codings on · mean squared error <b>{chosen:.4f}</b>, "
        f"with all of them {whole:.4f}"
    )
    assert widget.problem.value == ""


def names(widget):
    return [switch.description for name, switch in widget.controls.items() if "sw" in name]


def press(widget, text):
    """Click the button of that text."""
    found = []

    def search(part):
        if isinstance(part, ipywidgets.Button) and part.description == text:
            found.append(part)
        for child in getattr(part, "children", ()):
            search(child)

    search(widget)
    (button,) = found
    button.click()


def test_it_starts_with_the_most_active_codings():
    widget = switches()
    assert names(widget) == ["z₂ = 0.90", "z₄ = 0.80", "z₆ = 0.70"]
    assert widget.controls["others"].description == "other 3"
    check(widget, 0, [1, 3, 5])


def test_each_switch_takes_its_coding_out_and_puts_it_back():
    widget = switches()
    widget.controls["switch 2"].value = False
    check(widget, 0, [1, 5])
    widget.controls["others"].value = True
    check(widget, 0, [0, 1, 2, 4, 5])
    widget.controls["switch 2"].value = True
    check(widget, 0, range(6))


def test_buttons_switch_everything():
    widget = switches()
    press(widget, "All")
    check(widget, 0, range(6))
    press(widget, "None")
    check(widget, 0, [])
    press(widget, "Reset")
    check(widget, 0, [1, 3, 5])


def test_another_image_brings_its_own_switches():
    """Names follow the image, all its switches are on, and the picture is drawn once."""
    widget = switches()
    widget.controls["switch 1"].value = False
    drawn, picture = [], widget.picture
    widget.picture = lambda: drawn.append(1) or picture()
    widget.controls["image"].value = 1
    assert len(drawn) == 1
    assert names(widget) == ["z₅ = 1.00", "z₁ = 0.60", "z₃ = 0.50"]
    check(widget, 1, [4, 0, 2])
    widget.controls["switch 3"].value = False
    check(widget, 1, [4, 0])


def test_the_switch_of_the_others_stays_as_it_is():
    widget = switches()
    widget.controls["others"].value = True
    widget.controls["image"].value = 1
    check(widget, 1, range(6))


def test_reset_returns_to_the_first_image():
    widget = switches()
    first = widget.image.value
    widget.controls["image"].value = 2
    press(widget, "None")
    press(widget, "Reset")
    assert widget.image.value == first
    assert names(widget) == ["z₂ = 0.90", "z₄ = 0.80", "z₆ = 0.70"]


def test_equal_codings_are_taken_in_order():
    widget = switches()
    widget.controls["image"].value = 2
    assert names(widget) == ["z₁ = 0.50", "z₂ = 0.50", "z₃ = 0.50"]
    widget.controls["image"].value = 3
    check(widget, 3, [0, 1, 2])


@pytest.mark.parametrize("off", [0.5, np.array([0.5] * 6)])
def test_off_can_be_another_value(off):
    """Then the most active codings are those that are furthest from it."""
    widget = switches(off=off)
    assert names(widget) == ["z₁ = 0.10", "z₂ = 0.90", "z₄ = 0.80"]
    np.testing.assert_allclose(panels(widget)[2], [0.1, 0.9, 0.5, 0.8, 0.5, 0.5], atol=1 / 255)


def test_codings_are_those_in_the_picture():
    widget = switches()
    widget.controls["switch 1"].value = False
    np.testing.assert_allclose(widget.codings(), [CODINGS[0], [0, 0, 0, 0.8, 0, 0.7]], atol=1e-6)
    assert widget.codings().dtype == np.float32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CodingSwitches(pixelwise, IMAGES, CODINGS[:3]), "4 images don't go with"),
        (lambda: CodingSwitches(pixelwise, IMAGES, CODINGS[0]), "don't go with codings of shape"),
        (lambda: switches(num_switches=6), "can't have 6 switches"),
        (lambda: switches(num_switches=0), "can't have 0 switches"),
        (lambda: switches(off=np.zeros(5)), "broadcast"),
        (lambda: CodingSwitches(pixelwise, IMAGES * 255, CODINGS), "must be in"),
        (lambda: CodingSwitches(lambda z: z + 1, IMAGES, CODINGS, 3), "batch of shape"),
        (lambda: CodingSwitches(pixelwise, IMAGES[:, :1], CODINGS, 3), "came back as"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_error_while_switching_is_shown_and_vanishes():
    widget = switches()
    good, draw = widget.image.value, widget._decode
    widget._decode = lambda codings: draw(codings) * 9
    widget.controls["switch 1"].value = False
    assert "must be in" in widget.problem.value
    assert widget.image.value == good
    widget._decode = draw
    widget.controls["switch 1"].value = True
    check(widget, 0, [1, 3, 5])
