"""The class picker, by firing real events: rows follow the classes, columns are the codings."""

import io

import numpy as np
import pytest
from PIL import Image

from helpers.class_picker import ClassPicker

NAMES = ("sandal", "shirt", "bag", "boot")
CODINGS = np.linspace(-1, 1, 5, dtype=np.float32)[:, np.newaxis].repeat(2, axis=1)  # [5, 2]


def shade(inputs):
    """A decoder: 4 x 4 images whose gray tells the class, and a little of the coding."""
    import tensorflow as tf

    codings, classes = inputs
    tone = tf.linalg.matvec(classes, [0.1, 0.3, 0.5, 0.9]) + 0.05 * codings[:, 0]
    return tf.ones((1, 4, 4)) * tone[:, tf.newaxis, tf.newaxis]


def tones(picker):
    """The gray of each image, [3, 5], from the picture shown: 0 white to 1 black."""
    picture = np.asarray(Image.open(io.BytesIO(picker.image.value)))
    rows = picture[:, -(5 * 6 + 2) * 2 :]
    centers = [[rows[2 * (6 * y + 4), 2 * (6 * x + 4)] for x in range(5)] for y in range(3)]
    return 1 - np.array(centers) / 255


def picker(**arguments):
    return ClassPicker(shade, CODINGS, NAMES, **{"pair": (0, 3), **arguments})


def expected(first, share, last, codings=CODINGS):
    levels = np.array([0.1, 0.3, 0.5, 0.9])[[first, last]]
    ends = [levels[0], (1 - share) * levels[0] + share * levels[1], levels[1]]
    return np.array(ends)[:, np.newaxis] + 0.05 * codings[:, 0]


def test_rows_are_classes_and_columns_the_same_codings():
    made = picker()
    np.testing.assert_allclose(tones(made), expected(0, 0.5, 3), atol=0.004)
    assert made.text.value == "between: 50% sandal, 50% boot"


def test_the_picture_follows_each_control():
    made = picker()
    made.first.value = 2
    np.testing.assert_allclose(tones(made), expected(2, 0.5, 3), atol=0.004)
    made.last.value = 1
    made.share.value = 0.25
    np.testing.assert_allclose(tones(made), expected(2, 0.25, 1), atol=0.004)
    assert made.text.value == "between: 75% bag, 25% shirt"
    made.share.value = 0.0
    np.testing.assert_allclose(tones(made)[0], tones(made)[1])
    assert made.problem.value == ""


def test_new_codings_and_reset():
    made, other = picker(), picker()
    start = made.image.value
    made.draw()
    assert np.abs(tones(made) - expected(0, 0.5, 3)).max() > 0.01
    assert other.image.value == start  # two of them don't touch each other
    made.first.value, made.share.value = 1, 1.0
    made.reset()
    assert made.image.value == start and (made.first.value, made.share.value) == (0, 0.5)


def test_the_row_label_is_the_class():
    made = picker()
    left = [np.asarray(Image.open(io.BytesIO(made.image.value)))[:, :40]]
    made.first.value = 1
    left.append(np.asarray(Image.open(io.BytesIO(made.image.value)))[:, :40])
    third = left[0].shape[0] // 3
    assert (left[0][:third] != left[1][:third]).any()
    np.testing.assert_array_equal(left[0][third:], left[1][third:])


def test_class_weights_add_up_to_one():
    made = picker()
    made.share.value = 0.3
    assert made.class_weights().shape == (3, 4)
    np.testing.assert_allclose(made.class_weights().sum(axis=1), 1)


def test_an_error_while_drawing_shows():
    made = picker()
    made._decode = lambda inputs: 1 / 0
    made.share.value = 0.1
    assert "ZeroDivisionError" in made.problem.value


def test_a_color_decoder():
    def colors(inputs):
        return np.ones(3, np.float32) * shade(inputs)[..., np.newaxis]

    assert np.asarray(
        Image.open(io.BytesIO(ClassPicker(colors, CODINGS, NAMES).image.value))
    ).shape[2:] == (3,)


@pytest.mark.parametrize(
    ("codings", "names", "message"),
    [
        (CODINGS[0], NAMES, r"\[N, D\], not \[2\]"),
        (CODINGS, ("bag",), "Two classes or more"),
        (CODINGS, ("bag", "bag"), "different names"),
    ],
)
def test_mistakes_are_named(codings, names, message):
    with pytest.raises(ValueError, match=message):
        ClassPicker(shade, codings, names)


def test_a_decoder_out_of_range_is_an_error():
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        ClassPicker(lambda inputs: 2 * shade(inputs) - 1.5, CODINGS, NAMES)
