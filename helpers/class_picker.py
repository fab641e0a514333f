"""A plaything for conditional generators: pick two classes, see the same codings as both."""

import functools

import ipywidgets
import numpy as np

from helpers import plotting
from helpers.playground import Playground, button, compile_decoder, slider


class ClassPicker(Playground):
    """Three rows of the same codings: one class, another one, and a mixture of the two between.

    Args:
        decoder: callable, list of float32 codings [N, D] and class weights [N, num_classes] ->
            images in [0, 1]; for example a conditional generator.
        codings: float [N, D], one for each column.
        class_names: texts, one per class, all different.
        pair: the class numbers of the first and the last row to start with.
        seed: of the button for new codings, which draws them from N(0, 1).
        scale: enlargement of each pixel.

    Raises:
        ValueError: codings of another rank; fewer than two classes, or two of one name.
    """

    def __init__(self, decoder, codings, class_names, pair=(0, 1), seed=42, scale=2):
        self._codings = self._first_codings = np.array(codings, np.float32)
        if self._codings.ndim != 2:
            raise ValueError(f"The codings must be [N, D], not {list(self._codings.shape)}.")
        self._names = tuple(class_names)
        if len(self._names) < 2 or len(set(self._names)) < len(self._names):
            raise ValueError(f"Two classes or more, with different names, not {self._names}.")
        self._rng, self._scale = np.random.default_rng(seed), scale
        size = self._codings.shape[1]
        self._decode = compile_decoder(
            lambda inputs: decoder([inputs[:, :size], inputs[:, size:]]),
            3 * len(self._codings),
            size + len(self._names),
        )
        options = [(name, number) for number, name in enumerate(self._names)]
        self.first, self.last = (
            ipywidgets.Dropdown(
                options=options, value=value, description=text, layout={"width": "330px"}
            )
            for text, value in zip(("first row", "last row"), pair, strict=True)
        )
        self.share = slider("between", 0.0, 1.0, 0.05, 0.5)
        controls = {"first": self.first, "share": self.share, "last": self.last}
        buttons = [button("New codings", self.draw), button("Reset", self.reset)]
        buttons[0].layout.width = "110px"
        panel = ipywidgets.VBox([*controls.values(), ipywidgets.HBox(buttons)])
        super().__init__(controls, panel, beside=False)

    def class_weights(self):
        """The three rows' class weights, float32 [3, num_classes]; each row adds up to 1."""
        ends = np.eye(len(self._names), dtype=np.float32)[[self.first.value, self.last.value]]
        share = self.share.value
        return np.stack([ends[0], (1 - share) * ends[0] + share * ends[1], ends[1]])

    def picture(self):
        columns = len(self._codings)
        weights = self.class_weights().repeat(columns, axis=0)  # [3 N, num_classes]
        images = self._decode(np.concatenate([np.tile(self._codings, (3, 1)), weights], axis=1))
        rows = plotting.mosaic(images, columns=columns).repeat(self._scale, 0)
        rows = rows.repeat(self._scale, 1)
        names = self._names[self.first.value], "between", self._names[self.last.value]
        labels = _labels(names, rows.shape[0], max(map(len, self._names)))
        if rows.ndim == 3:
            labels = labels[..., np.newaxis].repeat(3, axis=2)
        return plotting.png_bytes(np.concatenate([labels, rows], axis=1))

    def caption(self):
        share = self.share.value
        return f"between: {1 - share:.0%} {self._names[self.first.value]}, " + (
            f"{share:.0%} {self._names[self.last.value]}"
        )

    def draw(self, _=None):
        """Draw new codings for all columns."""
        self._codings = self._rng.standard_normal(self._codings.shape).astype(np.float32)
        self._on_change()

    def reset(self, _=None):
        """Back to the first codings, classes and share."""
        self._codings = self._first_codings
        super().reset()


@functools.cache
def _labels(names, height, longest):
    """One text per row, a uint8 picture [height, W]."""
    edges = np.linspace(0, height, len(names) + 1).round().astype(int)
    width = 8 * max(longest, len("between")) + 10
    return np.concatenate([
        plotting.text_picture(name, width, int(high - low))
        for name, low, high in zip(names, edges, edges[1:], strict=False)
    ])  # fmt: skip
