"""Playthings for StyleGAN: mix styles, truncate them, switch noise, and walk in Z and in W.

They take callables and arrays, not models; what they draw comes the fast way of
:mod:`helpers.playground`.
"""

import ipywidgets
import numpy as np

from helpers import plotting
from helpers.playground import Playground, button, compile_decoder, slider, titled_row
from helpers.widgets import lerp, slerp


def _styles(styles, name):
    """`styles` as float32 [N, D], or say what is wrong."""
    styles = np.asarray(styles, np.float32)
    if styles.ndim != 2 or len(styles) == 0:
        raise ValueError(f"{name} must be styles w of shape [N, D], not {list(styles.shape)}.")
    return styles


class StyleMixer(Playground):
    """A table of mixed styles: some levels from the column's garment, the others from the row's.

    The first column and the first row show the garments themselves; they are drawn once, and again
    with "New", so make another table if the network has learned since. The slider has two handles:
    the first and the last level that come from the column.

    Args:
        decoder: callable, float32 styles [N, L, D] -> images in [0, 1].
        rows, columns: w, float [R, D] and [C, D].
        num_levels: L.
        groups: dict name -> (first level, last level), counted from 1: a button for each.
        sample: function, number -> w [number, D], for a button with new garments; default: none.
        scale: enlargement of each pixel.

    Raises:
        ValueError: rows and columns don't fit each other, or a group is outside 1 to L.
    """

    def __init__(self, decoder, rows, columns, num_levels, groups, sample=None, scale=2):
        self._rows, self._columns = _styles(rows, "rows"), _styles(columns, "columns")
        if self._rows.shape[1] != self._columns.shape[1]:
            raise ValueError("Styles of rows and columns must have equally many numbers.")
        for name, (first, last) in groups.items():
            if not 1 <= first <= last <= num_levels:
                raise ValueError(f"{name}: levels {first} to {last} of 1 to {num_levels}?")
        self._first = self._rows, self._columns
        self._sample, self._num_levels, self._scale = sample, num_levels, scale
        self._wants_new = False
        shape = (num_levels, self._rows.shape[1])
        self._decode = compile_decoder(
            lambda flat: decoder(flat_to_styles(flat, shape)),
            len(self._rows) * len(self._columns),
            shape[0] * shape[1],
        )
        self.span = ipywidgets.IntRangeSlider(
            value=next(iter(groups.values())), min=1, max=num_levels,
            description="levels from the column", layout={"width": "480px"},
        )  # fmt: skip
        buttons = [button(name, self._chooser(span)) for name, span in groups.items()]
        buttons += [button("New", self.draw)] if sample else []
        panel = ipywidgets.VBox(
            [self.span, ipywidgets.HBox([*buttons, button("Reset", self.reset)])]
        )
        super().__init__({"span": self.span}, panel, beside=False)

    def _chooser(self, span):
        return lambda _: self.set_values({"span": span})

    def mixed(self):
        """The styles of the table, row by row, float32 [R * C, L, D]."""
        first, last = self.span.value
        level = np.arange(1, self._num_levels + 1)[:, np.newaxis]  # [L, 1]
        from_column = (first <= level) & (level <= last)
        rows, columns = self._rows[:, np.newaxis, np.newaxis], self._columns[:, np.newaxis]
        mixed = np.where(from_column, columns, rows)  # [R, C, L, D]
        return mixed.reshape(-1, self._num_levels, mixed.shape[-1])

    def _unmixed(self, styles):
        """Images of garments whose styles are the same at each level, [N, H, W]."""
        number, most = len(styles), len(self._rows) * len(self._columns)
        flat = np.tile(styles, (1, self._num_levels))
        return self._decode(np.resize(flat, (most, flat.shape[1])))[:number]

    def picture(self):
        if self._wants_new:  # here, so that a problem is shown
            self._wants_new = False
            styles = _styles(self._sample(len(self._rows) + len(self._columns)), "new styles")
            self._rows, self._columns = styles[: len(self._rows)], styles[len(self._rows) :]
        mixed = self._decode(self.mixed().reshape(len(self._rows) * len(self._columns), -1))
        num_rows, num_columns = len(self._rows), len(self._columns)
        if getattr(self, "_shown", None) is not self._rows:  # the margins change with "New" only
            self._margins = self._unmixed(self._rows), self._unmixed(self._columns)
            self._shown = self._rows
        left, top = self._margins
        blank = np.zeros_like(top[:1])
        lines = [np.concatenate([blank, top])]
        for row in range(num_rows):
            images = mixed[row * num_columns : (row + 1) * num_columns]
            lines.append(np.concatenate([left[row : row + 1], images]))
        picture = plotting.mosaic(np.concatenate(lines), columns=num_columns + 1)
        return plotting.png_bytes(_apart(picture, num_rows + 1, num_columns + 1), self._scale)

    def caption(self):
        first, last = self.span.value
        levels = f"level {first}" if first == last else f"levels {first} to {last}"
        return f"{levels} from the garment above, all others from the garment at the left"

    def draw(self, _=None):
        """New garments for all rows and columns."""
        self._wants_new = True
        self._on_change()

    def reset(self, _=None):
        """Back to the first garments and levels."""
        self._rows, self._columns = self._first
        super().reset()


def flat_to_styles(flat, shape):
    """A tensor [N, L * D] as styles [N, L, D]; `shape` is (L, D)."""
    import tensorflow as tf

    return tf.reshape(flat, (-1, *shape))


def _apart(picture, num_rows, num_columns, gap=4):
    """A mosaic with its first row and first column set apart from the others."""
    height, width = (picture.shape[0] - 2) // num_rows, (picture.shape[1] - 2) // num_columns
    picture = np.insert(picture, [height] * gap, 255, axis=0)
    return np.insert(picture, [width] * gap, 255, axis=1)


class TruncationSlider(Playground):
    """Garments whose styles are drawn towards the mean style: ``mean + psi * (w - mean)``.

    Args:
        decoder: callable, float32 w [N, D] -> images in [0, 1].
        styles: w, float [N, D].
        mean_style: float [D].
        limits: lowest and highest psi.
        columns: images per row.
        scale: enlargement of each pixel.
    """

    def __init__(self, decoder, styles, mean_style, limits=(-1.0, 1.5), columns=8, scale=2):
        self._styles, self._mean = _styles(styles, "styles"), np.asarray(mean_style, np.float32)
        self._columns, self._scale = columns, scale
        self._decode = compile_decoder(decoder, *self._styles.shape)
        self.psi = slider("ψ", *limits, 0.05, 1.0)
        super().__init__({"psi": self.psi}, beside=False)

    def picture(self):
        images = self._decode(lerp(self._mean, self._styles, self.psi.value))
        return plotting.png_bytes(plotting.mosaic(images, self._columns), self._scale)

    def caption(self):
        psi = self.psi.value
        remarks = {0.0: "the mean style alone", 1.0: "the styles as they are"}
        return remarks.get(round(psi, 2), "beyond the mean: opposite styles" if psi < 0 else "")


class NoiseSwitches(Playground):
    """Switches the noise of each level on and off, and exaggerates it if wanted.

    Args:
        decoder: callable, list of w [N, D] and L noise maps [N, size, size, 1] -> images in [0, 1].
        styles: w, float [K, D], the garments to choose from.
        sizes: of the noise maps, a list of L.
        seed: of the noise; the button draws new.
        scale: enlargement of each pixel.
    """

    def __init__(self, decoder, styles, sizes, seed=42, scale=5):
        self._styles, self._sizes, self._scale = _styles(styles, "styles"), list(sizes), scale
        self._seed, self._rng = seed, np.random.default_rng(seed)
        self._noises = self._new_noises()
        width = self._styles.shape[1]
        self._decode = compile_decoder(
            lambda flat: decoder([flat[:, :width], *self._maps(flat[:, width:])]),
            2,
            width + sum(size**2 for size in self._sizes),
        )
        self.garment = slider("garment", 1, len(self._styles), 1, 1)
        self.strength = slider("strength", 0.0, 4.0, 0.1, 1.0)
        self._switches = {
            f"level {number}": ipywidgets.Checkbox(
                value=True, description=f"{number} ({size} × {size})", indent=False,
                layout={"width": "120px"},
            )
            for number, size in enumerate(self._sizes, 1)
        }  # fmt: skip
        actions = {"All": self.all_on, "None": self.all_off, "New noise": self.draw}
        buttons = [
            button(text, action) for text, action in (actions | {"Reset": self.reset}).items()
        ]
        grid = ipywidgets.GridBox(list(self._switches.values()), layout={"width": "330px"})
        grid.layout.grid_template_columns = "repeat(auto-fill, 120px)"
        panel = [self.garment, self.strength, grid, ipywidgets.HBox(buttons)]
        controls = {"garment": self.garment, "strength": self.strength, **self._switches}
        super().__init__(controls, ipywidgets.VBox(panel), beside=False)

    def _new_noises(self):
        return [self._rng.standard_normal(size**2).astype(np.float32) for size in self._sizes]

    def _maps(self, flat):
        """Noise maps [N, size, size, 1] from their numbers in a row, [N, sum of size^2]."""
        import tensorflow as tf

        parts = tf.split(flat, [size**2 for size in self._sizes], axis=1)
        sizes = zip(parts, self._sizes, strict=True)
        return [tf.reshape(part, (-1, size, size, 1)) for part, size in sizes]

    def inputs(self):
        """The garment's w and its noise, first all zero, then as switched: float32 [2, ...]."""
        w, strength = self._styles[self.garment.value - 1], np.float32(self.strength.value)
        on = [switch.value for switch in self._switches.values()]
        noise = [strength * is_on * part for part, is_on in zip(self._noises, on, strict=True)]
        noise = np.concatenate(noise)
        return np.stack([np.concatenate([w, 0 * noise]), np.concatenate([w, noise])])

    def picture(self):
        images = plotting.check_images(self._decode(self.inputs()))
        change = np.abs(images[1] - images[0])
        self._largest = float(change.max())
        images = np.stack([*images, change / max(self._largest, 1e-6)])
        return titled_row(("without noise", "with noise", "the difference"), images, self._scale)

    def caption(self):
        return f"largest difference of a pixel: {self._largest:.3f} (drawn as black)"

    def all_on(self, _=None):
        """Switch the noise of all levels on."""
        self.set_values(dict.fromkeys(self._switches, True))

    def all_off(self, _=None):
        """Switch the noise of all levels off."""
        self.set_values(dict.fromkeys(self._switches, False))

    def draw(self, _=None):
        """Draw new noise."""
        self._noises = self._new_noises()
        self._on_change()

    def reset(self, _=None):
        """Back to the first noise and settings."""
        self._rng = np.random.default_rng(self._seed)
        self._noises = self._new_noises()
        super().reset()


class TwoWays(Playground):
    """From garment A to garment B: around in Z, and straight in W.

    Args:
        mapping: callable, float32 z [N, D] -> w [N, D].
        decoder: callable, float32 w [N, D] -> images in [0, 1].
        codings: z, float [K, D], the garments to choose from.
        pair: the numbers of A and B to start with, from 1.
        scale: enlargement of each pixel.

    Raises:
        ValueError: there is no garment of such a number.
    """

    def __init__(self, mapping, decoder, codings, pair=(1, 2), scale=5):
        if not set(pair) <= set(range(1, len(codings) + 1)):
            raise ValueError(f"The garments have the numbers 1 to {len(codings)}; pair is {pair}.")
        self._codings, self._scale = _styles(codings, "codings"), scale
        self._styles = np.asarray(mapping(self._codings), np.float32)
        size = self._codings.shape[1]
        self._from_z = compile_decoder(lambda z: decoder(mapping(z)), 1, size)
        self._from_w = compile_decoder(decoder, 1, self._styles.shape[1])
        self._ends = {}
        self.t = slider("from A to B", 0.0, 1.0, 0.02, 0.5)
        number = len(self._codings)
        self.a = slider("garment A", 1, number, 1, pair[0])
        self.b = slider("garment B", 1, number, 1, pair[1])
        super().__init__({"t": self.t, "a": self.a, "b": self.b}, beside=False)

    def _end(self, index):
        if index not in self._ends:
            self._ends[index] = self._from_w(self._styles[[index]])
        return self._ends[index]

    def picture(self):
        a, b, t = self.a.value - 1, self.b.value - 1, self.t.value
        around = self._from_z(slerp(self._codings[a], self._codings[b], t)[np.newaxis])
        straight = self._from_w(lerp(self._styles[a], self._styles[b], t)[np.newaxis])
        row = plotting.check_images(np.concatenate([self._end(a), around, straight, self._end(b)]))
        return titled_row(("A", "around in Z", "straight in W", "B"), row, self._scale)
