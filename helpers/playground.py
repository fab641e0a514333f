"""What every widget is built on: the fast path from a slider's event to a new picture.

The fast path is: compiled call -> uint8 mosaic -> PNG bytes -> one ``ipywidgets.Image``. Nothing is
drawn with Matplotlib while a slider moves. Only what ipywidgets 7.7 (Colab) and 8 have in common
is used.
"""

import base64
import functools
import html
import math

import ipywidgets
import numpy as np
from IPython import get_ipython

from helpers import plotting, session

SLIDER_WIDTH = "270px"  # with its number, without its label


def compile_decoder(decoder, num_codings, codings_size):
    """Compile `decoder` for batches of one fixed size; the result follows later weight updates.

    Compiled by XLA, as ``model.fit`` does it: a convolutional decoder takes two thirds of the time.

    Args:
        decoder: callable, float32 codings [num_codings, codings_size] -> images in [0, 1], of shape
            [N, H, W], [N, H, W, 1] or [N, H, W, 3]; for example a Keras model.
        num_codings, codings_size: shape of the codings.

    Returns:
        Function, float codings [num_codings, codings_size] -> float32 images, both NumPy arrays.

    Raises:
        ValueError: the decoder takes codings of another size, or its images are not in [0, 1].
    """
    import tensorflow as tf

    shape = getattr(decoder, "input_shape", None)
    if isinstance(shape, tuple) and shape[-1] not in (None, codings_size):
        raise ValueError(
            f"The decoder takes codings of {shape[-1]} numbers, but there are {codings_size} "
            "numbers to a coding here."
        )
    signature = [tf.TensorSpec((num_codings, codings_size), tf.float32)]
    compiled = tf.function(
        lambda codings: decoder(codings),
        input_signature=signature,
        autograph=False,
        jit_compile=True,
    )

    def decode(codings):
        return compiled(np.asarray(codings, np.float32)).numpy()

    with session.quiet_stderr():  # some versions announce their first compilation
        images = decode(np.zeros((num_codings, codings_size)))
    plotting.check_images(images)
    return decode


class Playground(ipywidgets.VBox):
    """A picture, a caption and controls; a subclass says what to draw.

    A subclass builds its controls, calls ``super().__init__(controls)`` and writes
    ``picture()`` -> PNG bytes, and ``caption()`` -> text if it wants one.

    It carries a *still*, its first picture as ``image/png``, for pages without a kernel. An error
    while drawing appears below the controls until the next picture. Running the notebook's cell
    again frees the widgets that its last run made.

    Args:
        controls: dict name -> ipywidgets control with a ``value``.
        panel: the widget to show beside the picture; default: the controls and a Reset button.
        beside: whether the panel stands right of the picture, or else below.
    """

    _ipython_display_ = None  # ipywidgets 7 would display without our still

    def __init__(self, controls, panel=None, beside=True):
        self.controls = controls
        self._start = {name: control.value for name, control in controls.items()}
        self._holding, self._cell = False, None
        self.image = ipywidgets.Image(format="png", layout={"flex": "0 0 auto"})
        self.text, self.problem = ipywidgets.HTML(), ipywidgets.HTML()
        label_width = f"{max(len(control.description) for control in controls.values())}ch"
        for control in controls.values():
            control.style.description_width = label_width  # so that the sliders start in line
            if control.layout.width == SLIDER_WIDTH:  # long labels don't shorten them
                control.layout.width = f"calc({SLIDER_WIDTH} + {label_width})"
            control.observe(self._on_change, "value")
        panel = panel or ipywidgets.VBox([*controls.values(), button("Reset", self.reset)])
        # Where the page is too narrow for both, the panel goes below the picture.
        basis = f"calc({SLIDER_WIDTH} + {label_width} + 14px)"
        flow, basis = ("row wrap", basis) if beside else ("column", "auto")
        side = ipywidgets.VBox([panel, self.text, self.problem], layout={"flex": f"1 1 {basis}"})
        layout = {"flex_flow": flow, "align_items": "flex-start", "grid_gap": "14px"}
        super().__init__([ipywidgets.Box([self.image, side], layout=layout)])
        try:  # a problem at the start is raised
            self.image.value = self._still = self.picture()
            self.text.value = self.caption()
        except Exception:
            self.close()
            raise
        self._cell = _current_cell()
        if self._cell:
            get_ipython().events.register("pre_run_cell", self._before_cell)

    def picture(self):
        """PNG bytes for the controls' current values."""
        raise NotImplementedError

    def caption(self):
        """HTML text for the controls' current values."""
        return ""

    def still(self):
        """PNG bytes to show where there is no kernel."""
        return self._still

    def set_values(self, values):
        """Set several controls at once, with a single redraw.

        Args:
            values: dict name -> value, with the names that the controls were given.
        """
        self._holding = True
        try:
            for name, value in values.items():
                self.controls[name].value = value
        finally:
            self._holding = False
        self._on_change()

    def reset(self, _=None):
        """Put every control back to where it started."""
        self.set_values(self._start)

    def close(self):
        """Free the widget and everything in it."""
        if self.comm is None:  # closed already
            return
        if self._cell:
            get_ipython().events.unregister("pre_run_cell", self._before_cell)
        for part in _parts(self):
            part.close()
        super().close()

    def _before_cell(self, _=None):
        if _current_cell() == self._cell:
            self.close()

    def _on_change(self, _=None):
        if self._holding:
            return
        try:
            self.image.value = self.picture()
            self.text.value = self.caption()
            self.problem.value = ""
        except Exception as error:  # it would vanish in the callback otherwise
            message = html.escape(f"{type(error).__name__}: {error}")
            self.problem.value = f'<span style="color:#c0392b"><b>{message}</b></span>'

    def _repr_mimebundle_(self, **kwargs):
        return {
            "text/plain": f"{type(self).__name__} (run the cell to use it)",
            "image/png": base64.b64encode(self.still()).decode(),
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.model_id,
            },
        }


def _parts(widget):
    """The widgets inside `widget`, with their layouts and styles, innermost first."""
    for name in widget.keys:
        value = getattr(widget, name)
        for part in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(part, ipywidgets.Widget):
                yield from _parts(part)
                yield part


def _current_cell():
    """The id of the notebook cell being run; None elsewhere, or where the front end sends none."""
    parent = getattr(get_ipython(), "get_parent", dict)()
    return parent.get("metadata", {}).get("cellId")


def slider(name, low, high, step, value, width=SLIDER_WIDTH):
    """A slider named `name`: for integers if all its numbers are whole, or else for floats."""
    whole = all(float(number).is_integer() for number in (low, high, step, value))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    cast = int if whole else float
    return kind(
        description=name,
        min=cast(low),
        max=cast(high),
        step=cast(step),
        value=cast(value),
        readout_format="d" if whole else f".{_decimals(step)}f",
        layout={"width": width},
    )


def _decimals(step):
    """The fewest digits behind the point that tell two places of a slider apart, 1 to 4."""
    return next((n for n in range(1, 4) if math.isclose(round(step, n), step)), 4)


def slider_or_choice(name, first, *rest):
    """The slider that an entry of an :class:`helpers.widgets.Explorer` asks for.

    Args:
        first, rest: (min, max, step, start) for numbers, or (list of values, start); then, if it
            is not `name`, the label.
    """
    if not isinstance(first, list):
        high, step, start, *label = rest
        return slider(*(label or [name]), first, high, step, start)
    start, *label = rest
    description, layout = (label or [name])[0], {"width": SLIDER_WIDTH}
    return ipywidgets.SelectionSlider(
        options=first, value=start, description=description, layout=layout
    )


def button(text, action):
    """A button that calls ``action(button)``."""
    made = ipywidgets.Button(description=text, layout={"width": "90px"})
    made.on_click(action)
    return made


def titled_row(titles, images, scale):
    """One row of images, enlarged by `scale`, with a title above each, as PNG bytes.

    Args:
        titles: tuple of texts, one per image.
        images: float [N, H, W] or [N, H, W, 3] in [0, 1].
    """
    row = plotting.mosaic(images, columns=len(images)).repeat(scale, 0).repeat(scale, 1)
    header = _header(titles, images.shape[2], scale)
    header = header if row.ndim == 2 else np.repeat(header[..., np.newaxis], 3, axis=2)
    return plotting.png_bytes(np.concatenate([header, row]))


@functools.cache
def _header(titles, image_width, scale):
    strips = [plotting.text_picture(title, (image_width + 2) * scale, 20) for title in titles]
    return np.concatenate([*strips, np.full((20, 2 * scale), 255, np.uint8)], axis=1)
