"""Widgets, by firing real traitlets events: the picture follows, errors show, closing frees."""

import base64
import io
import subprocess
import sys
import textwrap
import warnings

import ipywidgets
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from IPython.utils.capture import capture_output
from PIL import Image

from helpers import plotting
from helpers.playground import compile_decoder, slider, titled_row
from helpers.widgets import (
    CodingSwitches,
    Explorer,
    FilmPlayer,
    Interpolation,
    LatentMap,
    LatentSliders,
    ReconstructionBrowser,
    lerp,
    slerp,
)

RNG = np.random.default_rng(42)
IMAGES = RNG.random((12, 4, 4)).astype(np.float32)


def pixels(png):
    """Decode PNG bytes to a uint8 picture."""
    return np.asarray(Image.open(io.BytesIO(png)))


def shown(widget):
    return pixels(widget.image.value)


def registry():
    """The ids of all open widgets, in ipywidgets 7 and 8."""
    module = sys.modules["ipywidgets.widgets.widget"]
    return set(getattr(module, "_instances", None) or module.Widget.widgets)


def messages(widget):
    return widget.problem.value


def rows(codings):
    """A decoder: image n has all its 4 x 4 pixels at the mean of coding n, squashed to [0, 1]."""
    import tensorflow as tf

    shade = tf.sigmoid(tf.reduce_mean(codings, axis=1))
    return tf.ones((1, 4, 4)) * shade[:, tf.newaxis, tf.newaxis]


def square(level):
    """Draws a uniform square; fails for a level above 200."""
    if level > 200:
        raise RuntimeError(f"<level> {level} is too much")
    return np.full((3, 3), level, np.uint8)


def explorer(highest=200):
    return Explorer(square, {"level": (0, highest, 1, 7)}, lambda level: f"level {level}")


class Film:
    """The smallest film."""

    def __init__(self, levels=()):
        self.frames, self.captions, self.listeners = [], [], []
        for level in levels:
            self.shoot(level)

    def shoot(self, level):
        self.frames.append(plotting.png_bytes(square(level)))
        self.captions.append(f"frame of {level}")
        for listener in list(self.listeners):
            listener(self)


WIDGETS = {
    "Explorer": explorer,
    "LatentSliders": lambda: LatentSliders(rows, np.zeros(3)),
    "Interpolation": lambda: Interpolation(lambda x: x[:, 0], rows, IMAGES),
    "ReconstructionBrowser": lambda: ReconstructionBrowser(lambda x: 1 - x, IMAGES, columns=4),
    "LatentMap": lambda: LatentMap(rows, np.zeros((40, 50), np.uint8), (-2, 2, -1, 1)),
    "FilmPlayer": lambda: FilmPlayer(Film([1, 2, 3])),
    "CodingSwitches": lambda: CodingSwitches(rows, IMAGES, IMAGES[:, 0], num_switches=2),
}
every_widget = pytest.mark.parametrize("make", WIDGETS.values(), ids=WIDGETS)


def move(control):
    """Give a control another value, as a hand would."""
    if hasattr(control, "options"):
        values = [value for _, value in control.options]
    elif isinstance(control.value, bool):
        values = [False, True]
    else:
        values = [control.min, control.max]
    control.value = next(value for value in values if value != control.value)


# --- what all widgets promise


@every_widget
def test_first_control_changes_the_picture(make):
    """Moving a control puts new bytes, a valid PNG, into the image; no error is shown."""
    widget = make()
    before = widget.image.value
    move(next(iter(widget.controls.values())))
    assert widget.image.value != before
    assert shown(widget).dtype == np.uint8
    assert messages(widget) == ""


@every_widget
def test_reset_brings_the_first_picture_back(make):
    widget = make()
    before = widget.image.value
    for control in widget.controls.values():
        move(control)
    widget.reset()
    assert widget.image.value == before


@every_widget
def test_set_values_redraws_once(make, monkeypatch):
    """However many controls are set, the picture is drawn once, with all of them in place."""
    widget = make()
    drawn = []
    picture = widget.picture
    monkeypatch.setattr(widget, "picture", lambda: drawn.append(picture()) or drawn[-1])
    wanted = {name: control.value for name, control in widget.controls.items()}
    for name, control in widget.controls.items():
        if hasattr(control, "max"):
            wanted[name] = control.max if control.value != control.max else control.min
    widget.set_values(wanted)
    assert {name: control.value for name, control in widget.controls.items()} == wanted
    assert drawn == [widget.image.value]


@every_widget
def test_two_copies_do_not_touch_each_other(make):
    one, other = make(), make()
    before, values = other.image.value, [c.value for c in other.controls.values()]
    for control in one.controls.values():
        move(control)
    assert (other.image.value, [c.value for c in other.controls.values()]) == (before, values)


@every_widget
def test_close_frees_everything(make):
    """Nothing that the widget made stays open, neither children nor layouts nor styles."""
    before = registry()
    widget = make()
    assert len(registry() - before) > 5
    widget.close()
    assert registry() == before
    widget.close()  # twice does no harm


@every_widget
def test_every_control_has_a_name(make):
    descriptions = [control.description for control in make().controls.values()]
    assert all(descriptions)
    assert len(set(descriptions)) == len(descriptions)


@every_widget
def test_no_deprecated_interfaces(make):
    """Making, moving and closing a widget warns of nothing in this version of ipywidgets."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        widget = make()
        for control in widget.controls.values():
            move(control)
        widget.close()


@every_widget
def test_display_carries_still_and_live_view(make):
    """``display`` sends one bundle: the still picture beside the view of the live widget."""
    InteractiveShell.instance()
    widget = make()
    with capture_output() as captured:
        display(widget)
    InteractiveShell.clear_instance()
    (output,) = captured.outputs
    view = output.data["application/vnd.jupyter.widget-view+json"]
    assert view == {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    still = output.data["image/png"]
    assert (base64.b64decode(still) if isinstance(still, str) else still) == widget.still()
    assert pixels(widget.still()).size


def test_interpreter_ends_quietly():
    """A widget left open, and one that could not be made, leave nothing on stderr at the end."""
    code = """
        import numpy as np
        from helpers.widgets import Explorer
        Explorer(lambda a: np.zeros((2, 2), np.uint8), {"a": (0, 1, 1, 0)})
        try:
            Explorer(lambda a: 1 / 0, {"a": (0, 1, 1, 0)})
        except ZeroDivisionError:
            print("refused")
    """
    run = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("refused\n", "")


# --- errors


def test_error_in_a_callback_is_shown_and_vanishes():
    """The last good picture stays, the message is escaped, and the next good draw clears it."""
    widget = explorer(highest=255)
    level = widget.controls["level"]
    level.value = 201
    assert "RuntimeError: &lt;level&gt; 201 is too much" in messages(widget)
    assert shown(widget)[0, 0] == 7
    level.value = 200
    assert messages(widget) == ""
    assert shown(widget)[0, 0] == 200


def test_error_at_the_start_is_raised_and_leaves_nothing():
    before = registry()
    with pytest.raises(RuntimeError, match="too much"):
        Explorer(square, {"level": (0, 255, 1, 255)})
    assert registry() == before


def keras_decoder(codings_size=3, activation="sigmoid"):
    import keras

    keras.utils.set_random_seed(1)
    dense = keras.layers.Dense(16, activation=activation)
    return keras.Sequential([keras.Input((codings_size,)), dense, keras.layers.Reshape((4, 4))])


def test_decoder_of_another_size_is_refused():
    with pytest.raises(ValueError, match="takes codings of 5 numbers, but there are 3"):
        LatentSliders(keras_decoder(5), np.zeros(3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LatentSliders(lambda z: rows(z) + 1, np.zeros(3)), "must be in"),
        (lambda: LatentSliders(lambda z: z, np.zeros(3)), "batch of shape"),
        (lambda: LatentSliders(rows, np.zeros((2, 3))), "need directions="),
        (lambda: LatentSliders(rows, np.zeros(3), directions=np.eye(4)), "Each direction has 4"),
        (lambda: LatentSliders(rows, np.zeros(3), names=["a", "b"]), "3 sliders need as many"),
        (lambda: LatentSliders(rows, np.zeros(3), names=["a", "b", "a"]), "different names"),
        (lambda: LatentMap(keras_decoder(3), np.zeros((9, 9), np.uint8), (0, 1, 0, 1)), "of 3 num"),
        (lambda: Interpolation(lambda x: x[:, 0], rows, IMAGES * 255), "must be in"),
        (lambda: Interpolation(lambda x: x[:, 0], rows, IMAGES[0]), "batch of shape"),
        (lambda: Interpolation(lambda x: x, rows, IMAGES), "one coding per image"),
        (lambda: Interpolation(lambda x: x[:, 0], rows, IMAGES[:, :3, :3]), "came back as"),
        (lambda: ReconstructionBrowser(lambda x: x, IMAGES * 255), "must be in"),
        (lambda: ReconstructionBrowser(lambda x: x, IMAGES[0]), "batch of shape"),
        (lambda: ReconstructionBrowser(lambda x: x * 2, IMAGES), "must be in"),
        (lambda: ReconstructionBrowser(lambda x: x[:, :2], IMAGES), "came back as"),
        (lambda: ReconstructionBrowser(lambda x: x, IMAGES[:3]), "at least 10 images"),
        (lambda: Explorer(lambda a: np.zeros(3), {"a": (0, 1, 1, 0)}), "A picture must be uint8"),
    ],
)
def test_bad_input_is_refused_with_one_message(make, message):
    """Nothing half-made: a ValueError that names what is wrong."""
    with pytest.raises(ValueError, match=message):
        make()


# --- the compiled decoder


def test_decoder_is_traced_once_for_all_events():
    """Moving sliders never runs the decoder's Python code again."""
    calls = []

    def decoder(codings):
        calls.append(codings.shape)
        return rows(codings)

    widget = LatentSliders(decoder, np.zeros(3))
    traced = len(calls)
    for value in (1, -2.5, 0.3):
        widget.controls["z₁"].value = value
        widget.controls["z₃"].value = -value
    assert len(calls) == traced == 1


def test_compiled_decoder_equals_the_model_and_follows_its_weights():
    model = keras_decoder()
    decode = compile_decoder(model, 2, 3)
    codings = RNG.normal(size=(2, 3))
    np.testing.assert_allclose(decode(codings), model.predict(codings, verbose=0), atol=1e-6)
    before = decode(codings)
    model.set_weights([weight + 0.5 for weight in model.get_weights()])
    assert np.abs(decode(codings) - before).max() > 0.05
    np.testing.assert_allclose(decode(codings), model.predict(codings, verbose=0), atol=1e-6)


# --- each widget


def test_explorer_shows_exactly_what_is_drawn():
    widget = Explorer(square, {"level": (0, 255, 1, 7)}, lambda level: f"level {level}", scale=2)
    widget.controls["level"].value = 99
    np.testing.assert_array_equal(shown(widget), np.full((6, 6), 99))
    assert widget.text.value == "level 99"


def test_explorer_kinds_of_sliders():
    """Whole numbers make a slider of integers; a fifth entry is its label, units and all."""
    sliders = {"level": (0, 9, 1, 7), "tilt": (0, 90, 0.5, 60, "tilt (degrees)")}
    widget = Explorer(lambda level, tilt: square(level), sliders)
    level, tilt = widget.controls.values()
    assert isinstance(level, ipywidgets.IntSlider)
    assert isinstance(tilt, ipywidgets.FloatSlider)
    assert (tilt.description, tilt.min, tilt.max, tilt.step) == ("tilt (degrees)", 0, 90, 0.5)


def test_latent_sliders_decode_their_values():
    """The pixels are those that the decoder makes of the sliders' coordinates."""
    widget = LatentSliders(rows, [0.5, -1, 2.04], scale=1)
    np.testing.assert_allclose(widget.codings(), [[0.5, -1, 2.0]], atol=1e-6)
    widget.controls["z₂"].value = 3
    shade = 1 / (1 + np.exp(-(0.5 + 3 + 2) / 3))
    np.testing.assert_array_equal(shown(widget)[2:-2, 2:-2], round(255 * (1 - shade)))


def test_latent_sliders_along_directions():
    """Slider k adds its value times direction k to every coding."""
    codings, directions = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3))
    widget = LatentSliders(rows, codings, directions=directions, names=["one", "two"])
    np.testing.assert_allclose(widget.codings(), codings, rtol=1e-6)
    widget.controls["one"].value, widget.controls["two"].value = 1.5, -0.5
    expected = codings + 1.5 * directions[0] - 0.5 * directions[1]
    np.testing.assert_allclose(widget.codings(), expected, rtol=1e-5)


def buttons(widget):
    """All buttons in a widget, by text."""
    found = {}
    for child in getattr(widget, "children", ()):
        found.update(buttons(child))
    if isinstance(widget, ipywidgets.Button):
        found[widget.description] = widget
    return found


def test_reset_and_random_buttons():
    """Random draws within the limits, anew at each click, repeatably by seed; Reset undoes it."""
    widget, twin = (LatentSliders(rows, np.ones(20), limits=(-1, 1)) for _ in range(2))
    start = widget.image.value
    buttons(widget)["Random"].click()
    first = widget.codings()
    assert np.abs(first).max() <= 1 and len(np.unique(first)) > 5
    twin.randomize()
    np.testing.assert_array_equal(twin.codings(), first)
    buttons(widget)["Random"].click()
    assert (widget.codings() != first).any()
    buttons(widget)["Reset"].click()
    np.testing.assert_array_equal(widget.codings(), np.ones((1, 20)))
    assert widget.image.value == start


@pytest.mark.parametrize("way", ["linear", "spherical"])
@pytest.mark.parametrize("t", [0.0, 0.5, 1.0])
def test_interpolation_shows_both_mixtures(way, t):
    """From left to right: A, the pixels mixed, the decoded mixture of codings, B."""
    codings = RNG.normal(size=(len(IMAGES), 2))
    widget = Interpolation(lambda x: codings, rows, IMAGES, pair=(2, 5), scale=1)
    widget.set_values({"t": t, "way": way})
    mix = {"linear": lerp, "spherical": slerp}[way]
    decoded = rows(mix(codings[2], codings[5], t)[np.newaxis].astype(np.float32)).numpy()
    pixel_mix = (1 - t) * IMAGES[[2]] + t * IMAGES[[5]]
    row = np.concatenate([IMAGES[[2]], pixel_mix, decoded, IMAGES[[5]]])
    expected = plotting.mosaic(row, columns=4).astype(int)
    assert np.abs(shown(widget)[-len(expected) :] - expected).max() <= 1


def test_reconstruction_browser_pages():
    """Page 2 holds the next images above their copies, and its own error."""
    widget = ReconstructionBrowser(lambda x: 1 - x, IMAGES, columns=4, scale=1)
    widget.controls["page"].value = 2
    both = np.concatenate([IMAGES[4:8], 1 - IMAGES[4:8]])
    np.testing.assert_array_equal(shown(widget), plotting.mosaic(both, columns=4))
    assert f"{np.mean((2 * IMAGES[4:8] - 1) ** 2):.4f}" in widget.text.value
    assert widget.controls["page"].max == 3


def test_latent_map_marks_the_point_and_decodes_it():
    """A square frames the place of the coordinates, y upwards; the image beside it is decoded."""
    widget = LatentMap(rows, np.zeros((41, 81), np.uint8), (-2, 2, -1, 1))
    widget.set_values({"x": 1.0, "y": 0.5})
    picture = shown(widget)
    orange = (picture[:, :81] == (217, 119, 43)).all(axis=2)
    framed_rows, framed_columns = np.nonzero(orange)
    assert (framed_columns.min() + framed_columns.max()) / 2 == 60
    assert (framed_rows.min() + framed_rows.max()) / 2 == 10
    assert not orange[10, 60]
    shade = round(255 * (1 - 1 / (1 + np.exp(-0.75))))
    assert (picture[:, 81 + 16 :] == shade).all(axis=2).sum() == 16 * 5**2


# --- interpolation formulas


def test_lerp_goes_straight():
    np.testing.assert_allclose(lerp([0, 2], [4, 0], 0.25), [1, 1.5])


@pytest.mark.parametrize("t", [0, 0.3, 0.5, 1])
def test_slerp_turns_at_constant_speed(t):
    """On the unit circle, a quarter turn at time t is an angle of 90 t degrees."""
    angle = t * np.pi / 2
    np.testing.assert_allclose(slerp([1, 0], [0, 1], t), [np.cos(angle), np.sin(angle)], atol=1e-12)


def test_slerp_keeps_the_norm_where_lerp_loses_it():
    start, end = RNG.normal(size=(2, 50))
    start, end = (5 * v / np.linalg.norm(v) for v in (start, end))
    assert np.linalg.norm(slerp(start, end, 0.5)) == pytest.approx(5)
    assert np.linalg.norm(lerp(start, end, 0.5)) < 4.5


@pytest.mark.parametrize(("start", "end"), [([1, 2], [2, 4]), ([0, 0], [3, 1]), ([1, 0], [-1, 0])])
def test_slerp_is_linear_where_there_is_no_angle(start, end):
    np.testing.assert_allclose(slerp(start, end, 0.25), lerp(start, end, 0.25))


# --- film


def test_film_player_before_the_training():
    """With an empty film there is a picture to say so, and no error."""
    widget = FilmPlayer(Film())
    assert shown(widget).min() < 100
    assert (messages(widget), widget.text.value) == ("", "")
    assert pixels(widget.still()).shape == shown(widget).shape


def test_film_player_follows_live_and_scrubs_afterwards():
    film = Film()
    widget = FilmPlayer(film)
    for count, level in enumerate([10, 20, 30], 1):
        film.shoot(level)
        assert shown(widget)[0, 0] == level
        assert widget.text.value == f"frame of {level}"
        assert widget.controls["frame"].max == widget.play.max == count - 1
    widget.controls["frame"].value = 1
    assert shown(widget)[0, 0] == 20
    assert widget.text.value == "frame of 20"
    assert messages(widget) == ""


def test_film_player_goes_on_from_where_the_film_is():
    """A film with frames starts at the last one; its still shows several."""
    widget = FilmPlayer(Film([10, 20, 30]))
    assert shown(widget)[0, 0] == 30
    still = pixels(widget.still())
    levels = [10, 20, 30]
    assert all((still[100:] == level).all(axis=(0, 2)).any() for level in levels)


def test_closed_film_player_no_longer_listens():
    film = Film([10])
    one, other = FilmPlayer(film), FilmPlayer(film)
    one.close()
    film.shoot(20)
    assert shown(other)[0, 0] == 20
    assert len(film.listeners) == 1


# --- in a kernel


RERUN = """
import sys
import numpy as np
from helpers.widgets import Explorer
made = [Explorer(lambda a: np.zeros((2, 2), np.uint8), {"a": (0, 1, 1, 0)}) for _ in range(2)]
module = sys.modules["ipywidgets.widgets.widget"]
print(len(getattr(module, "_instances", None) or module.Widget.widgets))
"""


def test_running_a_cell_again_frees_its_widgets():
    """Re-run, a cell has as many widgets open as at first; another cell's widgets stay."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=120)

    def run(cell):
        content = {"code": RERUN, "silent": False, "store_history": True, "user_expressions": {},
                   "allow_stdin": False, "stop_on_error": True}  # fmt: skip
        message = client.session.msg("execute_request", content, metadata={"cellId": cell})
        client.shell_channel.send(message)
        printed = ""
        while True:
            reply = client.get_iopub_msg(timeout=120)
            if reply["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            assert reply["msg_type"] != "error", reply["content"]
            printed += reply["content"].get("text", "")
            if reply["content"].get("execution_state") == "idle":
                return int(printed)

    try:
        first, again, other = run("a"), run("a"), run("b")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert first > 10
    assert again == first
    assert other == 2 * first


# --- found by reading


def test_latent_map_may_be_smaller_than_the_image():
    widget = LatentMap(rows, np.zeros((6, 9), np.uint8), (-2, 2, -1, 1))
    picture = shown(widget)
    assert widget.problem.value == "" and len(picture) > 6
    assert (picture[6:, :9] == 255).all()


@pytest.mark.parametrize(("step", "readout"), [(1.0, "1"), (0.5, "1"), (0.25, "2"), (0.005, "3")])
def test_a_slider_shows_as_many_digits_as_its_steps_have(step, readout):
    assert slider("x", 0.0, 4.0, step, 0.5).readout_format == f".{readout}f"


def test_a_row_of_colored_images_has_titles_too():
    titles, images = ("A", "B"), np.random.default_rng(1).uniform(size=(2, 8, 8, 3))
    picture = np.asarray(Image.open(io.BytesIO(titled_row(titles, images, 4))))
    assert picture.shape == (20 + 4 * 12, 4 * 22, 3)
