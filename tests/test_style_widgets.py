"""StyleGAN's playthings, by firing real events: each picture is what NumPy says it must be."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from helpers.style_widgets import NoiseSwitches, StyleMixer, TruncationSlider, TwoWays
from helpers.widgets import slerp

SIZE, LEVELS = 4, 3
RNG = np.random.default_rng(42)


def levels_as_stripes(styles):
    """A decoder [N, L, D] -> images whose row l has the first number of level l's style."""
    import tensorflow as tf

    return tf.repeat(styles[:, :, :1], SIZE, axis=2)[:, :, :3]  # [N, 3, 3]


def flat(w):
    """A decoder [N, D] -> images of one gray, the first number, clipped."""
    import tensorflow as tf

    return tf.ones((1, SIZE, SIZE)) * tf.clip_by_value(w[:, 0], 0, 1)[:, None, None]


def shown(widget):
    return np.asarray(Image.open(io.BytesIO(widget.image.value)))


def gray(widget, y, x):
    """The ink at a pixel of the picture, 0 to 1."""
    return 1 - shown(widget)[y, x] / 255


def w(*first):
    return np.array([[value, 9.0] for value in first], np.float32)


# --- style mixing


def mixer(**arguments):
    groups = {"Coarse": (1, 1), "Fine": (2, 3)}
    rows, columns = w(0.0, 0.2), w(0.6, 0.8, 1.0)
    return StyleMixer(levels_as_stripes, rows, columns, LEVELS, groups, **arguments)


def test_mixed_styles_follow_the_range():
    made = mixer()
    expected = [[[c, r, r] for c in (0.6, 0.8, 1.0)] for r in (0.0, 0.2)]
    np.testing.assert_allclose(made.mixed()[..., 0].reshape(2, 3, 3), expected, atol=1e-6)
    made.span.value = (2, 3)
    expected = [[[r, c, c] for c in (0.6, 0.8, 1.0)] for r in (0.0, 0.2)]
    np.testing.assert_allclose(made.mixed()[..., 0].reshape(2, 3, 3), expected, atol=1e-6)
    made.span.value = (1, 3)
    np.testing.assert_allclose(made.mixed()[:3, :, 0], [[c] * 3 for c in (0.6, 0.8, 1.0)])


def test_table_shows_garments_and_mixtures_in_their_places():
    made = mixer(scale=1)
    step, gap = 3 + 2, 4  # image and padding; the first row and column stand apart
    starts = [2, 2 + step + gap, 2 + 2 * step + gap, 2 + 3 * step + gap]
    table = np.zeros((3, 4, 3))
    table[0, 1:] = np.array([0.6, 0.8, 1.0])[:, np.newaxis]
    table[1:, 0] = np.array([0.0, 0.2])[:, np.newaxis]
    table[1:, 1:] = made.mixed()[..., 0].reshape(2, 3, 3)
    found = [[[gray(made, y + n, x) for n in range(3)] for x in starts] for y in starts[:3]]
    np.testing.assert_allclose(found, table, atol=0.003)
    assert made.problem.value == ""


def test_buttons_choose_levels_and_captions_say_which():
    made = mixer()
    start = made.image.value
    row = made.children[0].children[1].children[0].children[1].children
    buttons = {each.description: each for each in row}
    buttons["Fine"].click()
    assert made.span.value == (2, 3) and made.image.value != start
    assert made.text.value.startswith("levels 2 to 3 from the garment above")
    buttons["Coarse"].click()
    assert made.span.value == (1, 1) and made.image.value == start
    assert "New" not in buttons


def test_new_garments_and_reset():
    made, other = mixer(sample=lambda number: w(*[0.5] * number)), mixer()
    start = made.image.value
    made.draw()
    assert made.image.value != start and other.image.value == start
    np.testing.assert_allclose(made.mixed()[..., 0], 0.5)
    made.reset()
    assert made.image.value == start


def test_a_problem_with_new_garments_is_shown():
    def sample(number):
        raise RuntimeError("no garments left")

    made = mixer(sample=sample)
    start = made.image.value
    made.draw()
    assert "no garments left" in made.problem.value and made.image.value == start
    made.span.value = (2, 2)
    assert made.problem.value == ""


# --- truncation


def test_truncation_goes_to_the_mean_and_beyond():
    made = TruncationSlider(flat, w(0.9, 0.1), w(0.5)[0], limits=(-1, 1.5), columns=2, scale=1)
    for psi, expected in [
        (1.0, (0.9, 0.1)),
        (0.0, (0.5, 0.5)),
        (-0.5, (0.3, 0.7)),
        (0.5, (0.7, 0.3)),
    ]:
        made.psi.value = psi
        found = [gray(made, 3, 3), gray(made, 3, 3 + SIZE + 2)]
        np.testing.assert_allclose(found, expected, atol=0.003)
    made.psi.value = 0.0
    assert made.text.value == "the mean style alone"


# --- noise


def added(inputs):
    """A decoder: the style's first number plus level 1's and level 2's noise, on 4 x 4."""
    import tensorflow as tf

    style, first, second = inputs
    large = tf.repeat(tf.repeat(first, 2, axis=1), 2, axis=2)
    image = style[:, 0][:, None, None] + 0.05 * (large + second)[..., 0]
    return tf.clip_by_value(image, 0, 1)


def switches():
    return NoiseSwitches(added, w(0.5, 0.4), [2, 4], scale=1)


def test_noise_switches_take_single_levels_away():
    made = switches()
    with_both = made.inputs()
    np.testing.assert_array_equal(with_both[0, 2:], 0)
    assert with_both.shape == (2, 2 + 4 + 16) and (with_both[1, 2:] != 0).all()
    made.controls["level 1"].value = False
    only_fine = made.inputs()[1]
    np.testing.assert_array_equal(only_fine[2:6], 0)
    np.testing.assert_array_equal(only_fine[6:], with_both[1, 6:])
    made.all_off()
    assert made.text.value.startswith("largest difference of a pixel: 0.000")
    made.strength.value = 2.0
    made.all_on()
    np.testing.assert_allclose(made.inputs()[1, 2:], 2 * with_both[1, 2:], rtol=1e-6)
    assert made.problem.value == ""


def test_noise_picture_has_the_garment_without_and_with_noise():
    made = switches()
    top = 20 + 2  # the titles, the margin
    noise = made.inputs()[1, 2:]
    image = 0.5 + 0.05 * (
        noise[:4].reshape(2, 2).repeat(2, 0).repeat(2, 1) + noise[4:].reshape(4, 4)
    )
    for y in range(4):
        for x in range(4):
            assert gray(made, top + y, 2 + x) == pytest.approx(0.5, abs=0.003)
            assert gray(made, top + y, 8 + x) == pytest.approx(image[y, x].clip(0, 1), abs=0.003)
    made.garment.value = 2
    assert gray(made, top, 2) == pytest.approx(0.4, abs=0.003)


def test_new_noise_and_reset():
    made = switches()
    start = made.image.value
    made.draw()
    assert made.image.value != start
    made.controls["level 2"].value = False
    made.reset()
    assert made.image.value == start


# --- two ways


def squared(z):
    return z**2


def test_two_ways_mix_before_and_after_the_mapping():
    codings = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]], np.float32)
    made = TwoWays(squared, flat, codings, pair=(1, 2), scale=1)
    for t in (0.5, 0.0, 0.8):
        made.t.value = t
        around = slerp(codings[0], codings[1], t)[0] ** 2
        straight = (1 - t) * 0.81 + t * 0.04
        found = [gray(made, 24, 4 + 6 * column) for column in range(4)]
        np.testing.assert_allclose(found, [0.81, around, straight, 0.04], atol=0.004)
    made.b.value = 3
    assert gray(made, 24, 4 + 18) == pytest.approx(0.25, abs=0.004)


# --- all of them


@pytest.mark.parametrize(
    "make",
    [
        mixer,
        switches,
        lambda: TruncationSlider(flat, w(0.9), w(0.5)[0]),
        lambda: TwoWays(squared, flat, w(0.9, 0.1)),
    ],
)
def test_each_has_a_still_shows_errors_and_closes(make):
    made = make()
    bundle = made._repr_mimebundle_()
    assert {"image/png", "text/plain"} <= set(bundle)
    for name in [each for each in vars(made) if each in ("_decode", "_from_z")]:
        setattr(made, name, lambda *_: 1 / 0)
    made._on_change()
    assert "ZeroDivisionError" in made.problem.value
    made.close()
    assert made.comm is None


def test_an_event_draws_at_once():
    made, times = mixer(), []
    for number in range(20):
        start = time.perf_counter()
        made.span.value = (1 + number % 3, 3)
        times.append(time.perf_counter() - start)
    assert np.median(times) < 0.1  # generous: machines may be busy


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TruncationSlider(flat, w(0.9)[0], w(0.5)[0]), r"styles must be styles w"),
        (
            lambda: StyleMixer(levels_as_stripes, w(1), w(1)[:, :1], 3, {"A": (1, 1)}),
            "equally many",
        ),
        (lambda: StyleMixer(levels_as_stripes, w(1), w(1), 3, {"A": (2, 4)}), "levels 2 to 4"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
