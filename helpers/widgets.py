"""Playthings: sliders whose picture follows at once.

Each is a :class:`helpers.playground.Playground`: it is fast, carries a still picture for pages
without a kernel, and shows its errors. Widgets know callables and arrays, not models.
"""

import ipywidgets
import numpy as np

from helpers import plotting
from helpers.playground import (
    Playground,
    button,
    compile_decoder,
    slider,
    slider_or_choice,
    titled_row,
)


def lerp(start, end, t):
    """Linear interpolation, ``(1 - t) * start + t * end``; t = 0 gives start, t = 1 end."""
    return (1 - t) * np.asarray(start) + t * np.asarray(end)


def slerp(start, end, t):
    """Spherical interpolation: turns from start to end at constant angular speed.

    ``sin((1 - t) w) / sin(w) * start + sin(t w) / sin(w) * end`` with w the angle between the two
    (Shoemake, 1985). Linear where the two are parallel or one is zero.

    Args:
        start, end: float [D].
        t: from 0 to 1.
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    norms = np.linalg.norm(start) * np.linalg.norm(end)
    cosine = start @ end / norms if norms > 0 else 1.0
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-6:
        return lerp(start, end, t)
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


class Explorer(Playground):
    """Sliders for a function that draws a picture.

    Args:
        draw: function of the sliders' values, by name -> uint8 picture [H, W] or [H, W, 3].
        sliders: dict name -> (min, max, step, start), or with a fifth entry, the label to show,
            for example ``"tilt": (0, 90, 1, 60, "tilt (degrees)")``; or (list of values, start).
        caption: function of the same values -> HTML text.
        scale: enlargement of each pixel.
    """

    def __init__(self, draw, sliders, caption=None, scale=1):
        self._draw, self._describe, self._scale = draw, caption, scale
        super().__init__({name: slider_or_choice(name, *entry) for name, entry in sliders.items()})

    def _values(self):
        return {name: control.value for name, control in self.controls.items()}

    def picture(self):
        return plotting.png_bytes(self._draw(**self._values()), self._scale)

    def caption(self):
        return self._describe(**self._values()) if self._describe else ""


class LatentSliders(Playground):
    """One slider per coding, or per direction in the latent space, and the decoded images.

    Args:
        decoder: see :func:`compile_decoder`.
        codings: float [D] or [N, D], where to start. Without `directions`, a single coding: the
            sliders then show its coordinates, clipped to the limits and rounded to tenths.
        directions: float [K, D]; slider k adds its value times direction k to every coding.
        names: the sliders' labels.
        limits: lowest and highest value of a slider.
        seed: of the Random button.
        scale: enlargement of each pixel.

    Raises:
        ValueError: shapes that don't fit each other or the decoder.
    """

    def __init__(
        self,
        decoder,
        codings,
        *,
        directions=None,
        names=None,
        limits=(-3, 3),
        seed=42,
        scale=None,
    ):
        self._base = np.atleast_2d(np.asarray(codings, np.float32))
        num_codings, codings_size = self._base.shape
        self._rng = np.random.default_rng(seed)
        self._scale = scale or (9 if num_codings == 1 else 3)
        if directions is None:
            if num_codings != 1:
                raise ValueError("Several codings need directions=; a single one has axes.")
            starts = np.clip(self._base[0], *limits)
            self._base, self._directions = np.zeros_like(self._base), np.eye(codings_size)
        else:
            self._directions = np.atleast_2d(directions)
            starts = np.zeros(len(self._directions))
        if self._directions.shape[1] != codings_size:
            raise ValueError(
                f"Each direction has {self._directions.shape[1]} numbers, each coding "
                f"{codings_size}: they must be the same."
            )
        names = names or [f"z{_subscript(index + 1)}" for index in range(len(starts))]
        if len(set(names)) != len(starts):
            raise ValueError(f"{len(starts)} sliders need as many different names, not {names}.")
        self._decode = compile_decoder(decoder, num_codings, codings_size)
        controls = {
            name: slider(name, *limits, 0.1, round(float(value), 1), width="auto")
            for name, value in zip(names, starts, strict=True)
        }
        columns = {"grid_template_columns": "repeat(auto-fit, minmax(240px, 1fr))"}
        columns["max_width"] = "330px" if len(controls) <= 5 else "660px"
        grid = ipywidgets.GridBox(list(controls.values()), layout=columns)
        buttons = [button("Reset", self.reset), button("Random", self.randomize)]
        super().__init__(controls, ipywidgets.VBox([grid, ipywidgets.HBox(buttons)]))

    def codings(self):
        """The codings that the sliders stand for, float32 [N, D]."""
        values = np.array([control.value for control in self.controls.values()])
        return (self._base + values @ self._directions).astype(np.float32)

    def picture(self):
        return plotting.png_bytes(plotting.mosaic(self._decode(self.codings())), self._scale)

    def randomize(self, _=None):
        """Draw every slider from N(0, 1), within its limits."""
        draws = self._rng.standard_normal(len(self.controls)).round(1)
        self.set_values(dict(zip(self.controls, draws.tolist(), strict=True)))


def _subscript(number):
    return "".join(chr(ord("₀") + int(digit)) for digit in str(number))


class Interpolation(Playground):
    """From image A to image B: mixed pixel by pixel, and by mixing their codings.

    Args:
        encoder: callable, images [N, H, W] -> codings [N, D].
        decoder: see :func:`compile_decoder`.
        images: float [N, H, W] in [0, 1], to choose A and B from.
        pair: indices of A and B to start with.
        scale: enlargement of each pixel.
    """

    WAYS = [("straight (linear)", "linear"), ("around (spherical)", "spherical")]

    def __init__(self, encoder, decoder, images, pair=(0, 1), scale=5):
        self._images = plotting.check_images(images)
        self._codings = np.asarray(encoder(self._images))
        if self._codings.ndim != 2 or len(self._codings) != len(self._images):
            raise ValueError(
                f"The encoder must return one coding per image, [{len(self._images)}, D], "
                f"not {list(self._codings.shape)}."
            )
        self._decode = compile_decoder(decoder, 1, self._codings.shape[1])
        self._scale = scale
        last = len(self._images) - 1
        self.t = slider("from A to B", 0.0, 1.0, 0.02, 0.5)
        self.a = slider("image A", 0, last, 1, pair[0])
        self.b = slider("image B", 0, last, 1, pair[1])
        self.way = ipywidgets.Dropdown(options=self.WAYS, description="way")
        super().__init__({"t": self.t, "a": self.a, "b": self.b, "way": self.way}, beside=False)

    def picture(self):
        a, b, t = self.a.value, self.b.value, self.t.value
        mix = slerp if self.way.value == "spherical" else lerp
        decoded = self._decode(mix(self._codings[a], self._codings[b], t)[np.newaxis])
        decoded = _like(self._images[[a]], decoded)
        pixels = lerp(self._images[[a]], self._images[[b]], t)
        row = np.concatenate([self._images[[a]], pixels, decoded, self._images[[b]]])
        return titled_row(("A", "pixels mixed", "codings mixed", "B"), row, self._scale)


class ReconstructionBrowser(Playground):
    """Pages through images and what an autoencoder makes of them.

    Args:
        autoencoder: callable, images [N, H, W] -> reconstructions of the same shape, in [0, 1].
        images: float [N, H, W] in [0, 1].
        columns: images per page.
        scale: enlargement of each pixel.

    Raises:
        ValueError: fewer images than columns, or a reconstruction of another shape.
    """

    def __init__(self, autoencoder, images, columns=10, scale=2):
        self._images = plotting.check_images(images)
        if len(self._images) < columns:
            raise ValueError(f"{columns} columns need at least {columns} images.")
        self._autoencoder, self._columns, self._scale = autoencoder, columns, scale
        self.page = slider("page", 1, len(self._images) // columns, 1, 1)
        super().__init__({"page": self.page}, beside=False)

    def picture(self):
        start = (self.page.value - 1) * self._columns
        originals = self._images[start : start + self._columns]
        copies = _like(originals, self._autoencoder(originals))
        self._error = float(np.mean(np.square(originals - copies)))
        both = np.concatenate([originals, copies])
        return plotting.png_bytes(plotting.mosaic(both, columns=self._columns), self._scale)

    def caption(self):
        return f"above: originals, below: copies · mean squared error {self._error:.4f}"


def _like(originals, copies):
    """Check that `copies` are images of the same shape as `originals`."""
    copies = plotting.check_images(copies)
    if copies.shape != originals.shape:
        raise ValueError(
            f"Images of shape {list(originals.shape)} came back as {list(copies.shape)}; "
            "the two must be the same."
        )
    return copies


class LatentMap(Playground):
    """A point on a map of a two-dimensional latent space, and what it decodes to.

    Args:
        decoder: see :func:`compile_decoder`, for codings of two numbers.
        background: uint8 picture [H, W] or [H, W, 3], the map.
        extent: (x_min, x_max, y_min, y_max) of the map.
        start: coordinates of the first point.
    """

    def __init__(self, decoder, background, extent, start=(0.0, 0.0)):
        self._map = np.asarray(background)
        if self._map.ndim == 2:
            self._map = np.repeat(self._map[..., np.newaxis], 3, axis=2)
        self._extent = extent
        self._decode = compile_decoder(decoder, 1, 2)
        self.x = slider("z₁", extent[0], extent[1], 0.05, start[0])
        self.y = slider("z₂", extent[2], extent[3], 0.05, start[1])
        super().__init__({"x": self.x, "y": self.y}, beside=False)

    def picture(self):
        picture = self._map.copy()
        height, width = picture.shape[:2]
        x_min, x_max, y_min, y_max = self._extent
        x = int((self.x.value - x_min) / (x_max - x_min) * (width - 1))
        y = int((y_max - self.y.value) / (y_max - y_min) * (height - 1))
        decoded = self._decode([[self.x.value, self.y.value]])
        rows, columns = np.ogrid[:height, :width]
        away = np.maximum(abs(rows - y), abs(columns - x)) - decoded.shape[1] // 2
        picture[(away >= 0) & (away <= 1)] = (217, 119, 43)  # a square around the point
        scale = max(1, height // (decoded.shape[1] + 4))
        image = plotting.mosaic(decoded).repeat(scale, axis=0).repeat(scale, axis=1)
        canvas = np.full((max(height, len(image)), width + 16 + image.shape[1], 3), 255, np.uint8)
        canvas[:height, :width] = picture
        canvas[: len(image), width + 16 :] = image[..., np.newaxis] if image.ndim == 2 else image
        return plotting.png_bytes(canvas)


class FilmPlayer(Playground):
    """Shows a training film: live while the model trains, afterwards with a slider.

    Display it before ``fit`` and it follows. Its still is a strip of frames.

    Args:
        film: a :class:`helpers.training.TrainingFilm`, or anything with ``frames`` (PNG bytes),
            ``captions`` and ``listeners``.
    """

    def __init__(self, film):
        self.film = film
        last = max(len(film.frames) - 1, 0)
        self.frame = slider("frame", 0, last, 1, last)
        self.play = ipywidgets.Play(min=0, max=last, value=last, interval=250)
        self._link = ipywidgets.jslink((self.play, "value"), (self.frame, "value"))
        panel = ipywidgets.HBox([self.play, self.frame])
        super().__init__({"frame": self.frame}, panel, beside=False)
        film.listeners.append(self._follow)

    def picture(self):
        frames = self.film.frames
        blank = plotting.text_picture("The film starts with the training.", 320, 60)
        return frames[self.frame.value] if frames else plotting.png_bytes(blank)

    def caption(self):
        return self.film.captions[self.frame.value] if self.film.captions else ""

    def still(self):
        if not self.film.frames:
            return super().still()
        return plotting.png_bytes(plotting.film_strip(self.film.frames, self.film.captions))

    def close(self):
        if self._follow in self.film.listeners:
            self.film.listeners.remove(self._follow)
        self._link.unlink()
        super().close()

    def _follow(self, film):
        last = len(film.frames) - 1
        self.frame.max = self.play.max = last
        if self.frame.value == last:  # the first frame: nothing changed, but there is a picture now
            self._on_change()
        self.frame.value = last


class CodingSwitches(Playground):
    """Switches the most active codings of an image on and off, and decodes what is left.

    It starts with the most active ones alone; another image brings other switches, all of them on.

    Args:
        decoder: see :func:`compile_decoder`.
        images: float [N, H, W] in [0, 1], to choose from.
        codings: float [N, D], the codings of these images.
        num_switches: how many codings have a switch; one more stands for all the others.
        off: what a coding that is off is set to: a number, or one for each coding, [D].
        scale: enlargement of each pixel.

    Raises:
        ValueError: not one coding per image, or not more numbers in a coding than switches.
    """

    _holding = False

    def __init__(self, decoder, images, codings, num_switches=12, off=0.0, scale=4):
        self._images = plotting.check_images(images)
        self._codings = np.asarray(codings, np.float32)
        if self._codings.ndim != 2 or len(self._codings) != len(self._images):
            shape = list(self._codings.shape)
            raise ValueError(f"{len(self._images)} images don't go with codings of shape {shape}.")
        size = self._codings.shape[1]
        if not 1 <= num_switches < size:
            raise ValueError(f"Codings of {size} numbers can't have {num_switches} switches.")
        self._off, self._scale = np.broadcast_to(np.float32(off), size), scale
        self._decode = compile_decoder(decoder, 2, size)
        self._index = slider("image", 0, len(self._images) - 1, 1, 0, width="300px")
        layout = {"width": "105px"}
        *self._switches, self._others = (
            ipywidgets.Checkbox(value=n < num_switches, indent=False, layout=layout)
            for n in range(num_switches + 1)
        )
        self._others.description = f"other {size - num_switches}"
        self._choose()
        self._index.observe(self._choose, "value")  # before the picture is drawn
        switches = {f"switch {n}": switch for n, switch in enumerate(self._switches, 1)}
        controls = {"image": self._index, **switches, "others": self._others}
        grid = ipywidgets.GridBox(list(controls.values())[1:], layout={"width": "330px"})
        grid.layout.grid_template_columns = "repeat(auto-fill, 105px)"
        actions = {"All": self.all_on, "None": self.all_off, "Reset": self.reset}
        row = ipywidgets.HBox([button(text, action) for text, action in actions.items()])
        super().__init__(controls, ipywidgets.VBox([self._index, grid, row]))

    def _choose(self, _=None):
        """Give the switches to the most active codings of the image, and switch them on."""
        coding, held = self._codings[self._index.value], self._holding
        self._strongest = np.argsort(-np.abs(coding - self._off), kind="stable")
        self._strongest = self._strongest[: len(self._switches)]
        self._holding = True
        for switch, index in zip(self._switches, self._strongest, strict=True):
            switch.description = f"z{_subscript(index + 1)} = {coding[index]:.2f}"
            switch.value = True
        self._holding = held

    def all_on(self, _=None):
        """Switch all codings on."""
        self.set_values({name: True for name in self.controls if name != "image"})

    def all_off(self, _=None):
        """Switch all codings off."""
        self.set_values({name: False for name in self.controls if name != "image"})

    def codings(self):
        """All codings of the image, and those that are switched on, float32 [2, D]."""
        coding = self._codings[self._index.value]
        on = np.full(len(coding), self._others.value)
        on[self._strongest] = [switch.value for switch in self._switches]
        self._num_on = on.sum()
        return np.stack([coding, np.where(on, coding, self._off)])

    def picture(self):
        original = self._images[[self._index.value]]
        decoded = _like(original.repeat(2, axis=0), self._decode(self.codings()))
        self._errors = np.square(decoded - original).mean(axis=(1, 2))
        titles = ("original", "all codings", "switched on")
        return titled_row(titles, np.concatenate([original, decoded]), self._scale)

    def caption(self):
        return (
            f"{self._num_on} of {self._codings.shape[1]} codings on · mean squared error "
            f"<b>{self._errors[1]:.4f}</b>, with all of them {self._errors[0]:.4f}"
        )
