"""A game for lesson 00: look at numbers, hide them, write down what you remember."""

import re
import time

import ipywidgets
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from helpers import plotting
from helpers.playground import Playground, button

COLUMNS, TILE = 10, (46, 40)  # tiles a row; width and height of a tile in pixels
COLORS = {  # fill and ink of a tile
    "shown": ("#e8eff7", "#222222"),
    "waiting": ("#e4e4e4", "#8a8a8a"),
    "hidden": ("#e4e4e4", "#8a8a8a"),
    "right": ("#d5ebde", "#1f6b40"),
    "wrong": ("#f8e2d2", "#a04f12"),
}


class MemoryGame(Playground):
    """Look at a sequence as long as you like, hide it, and write down what you remember.

    What counts is how many numbers are right and in the right place. The next sequence comes with
    New, or by choosing another kind; a seed decides which. The best result of each kind is kept.

    Args:
        makers: dict kind -> function of a ``numpy.random.Generator`` that returns a list of ints.
        first: dict kind -> the sequence to begin with, instead of a drawn one.
        seed: of the sequences.

    Raises:
        ValueError: there are no kinds, or `first` has another kind than `makers`.
    """

    def __init__(self, makers, first=None, seed=42):
        first = first or {}
        if not makers:
            raise ValueError("There must be a maker of sequences, for at least one kind.")
        if unmade := sorted(set(first) - set(makers)):
            raise ValueError(
                f"There are first sequences for {unmade}, but no makers of these kinds."
            )
        self._makers, self._unused, self._best = makers, dict(first), {}
        self._rng = np.random.default_rng(seed)
        kinds = list(makers)
        self.kind = ipywidgets.Dropdown(options=kinds, value=kinds[0], description="kind")
        self.answer = ipywidgets.Text(
            placeholder="what you remember; ? for a gap", layout={"width": "420px"}
        )
        self.show_button, self.hide_button, self.check_button, self.new_button = (
            button(text, action)
            for text, action in [
                ("Show", self.show),
                ("Hide", self.hide),
                ("Check", self.check),
                ("New", self.new),
            ]
        )
        self._deal()
        row = [self.show_button, self.hide_button, self.check_button, self.new_button]
        panel = ipywidgets.VBox([self.kind, ipywidgets.HBox(row), self.answer])
        super().__init__({"kind": self.kind}, panel, beside=False)
        self._still = plotting.png_bytes(_tiles(self.sequence, "shown"))

    def show(self, _=None):
        """Uncover the numbers and start the clock; once checked, they stay as they are."""
        if self._state == "checked":
            self._message = "You have seen these numbers. New brings the next sequence."
            return self._draw()
        self._state, self._message = "shown", "Look … then press Hide."
        self._since = time.perf_counter()
        self._draw()

    def hide(self, _=None):
        """Cover the numbers again."""
        if self._state == "shown":
            seconds = time.perf_counter() - self._since
            self._message = f"You looked for {seconds:.0f} seconds. Write, then press Check."
            self._state = "hidden"
        self._draw()

    def check(self, _=None):
        """Count the numbers that are right and in the right place, and uncover the sequence."""
        if self._state == "waiting":
            self._message = "Press Show first."
        elif self._state == "shown":
            self._message = "Hide the numbers first."
        elif self._state == "hidden":
            self._judge()
        self._draw()

    def new(self, _=None):
        """Take the next sequence of the chosen kind."""
        self._deal()
        self._draw()

    def picture(self):
        if self.kind.value != self._dealt:  # another kind was chosen
            self._deal()
        marks = self._marks if self._state == "checked" else None
        return plotting.png_bytes(_tiles(self.sequence, self._state, marks))

    def caption(self):
        best = " · ".join(f"{kind} {right} of {of}" for kind, (right, of) in self._best.items())
        return f"{self._message}<br>{'best so far: ' + best if best else ''}"

    def _deal(self):
        kind = self.kind.value
        drawn = self._unused.pop(kind, None)
        self.sequence = list(self._makers[kind](self._rng) if drawn is None else drawn)
        self._dealt, self._state, self._marks = kind, "waiting", None
        self._message = f"{len(self.sequence)} numbers are waiting. Press Show."
        self.answer.value = ""

    def _judge(self):
        words = re.findall(r"[^\s,;]+", self.answer.value)
        if not words or any(not re.fullmatch(r"-?\d+|\?", word) for word in words):
            self._message = "Write whole numbers with spaces or commas between them, ? for a gap."
            return
        padded = words + ["?"] * len(self.sequence)
        pairs = list(zip(padded, self.sequence, strict=False))
        self._marks = [word != "?" and int(word) == number for word, number in pairs]
        right, of = sum(self._marks), len(self.sequence)
        best = self._best.get(self._dealt, (-1, 1))
        self._best[self._dealt] = max((right, of), best, key=lambda result: result[0] / result[1])
        self._message = f"<b>{right} of {of}</b> in the right place. New brings the next sequence."
        self._state = "checked"

    _draw = Playground._on_change


def _tiles(sequence, state, marks=None):
    """The numbers on tiles, ten to a row: a uint8 picture [H, W, 3]."""
    width, height = TILE
    rows = -(-len(sequence) // COLUMNS)
    canvas = Image.new("RGB", (COLUMNS * width + 4, rows * height + 4), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(17)
    for index, number in enumerate(sequence):
        x, y = 4 + index % COLUMNS * width, 4 + index // COLUMNS * height
        look = state if marks is None else "right" if marks[index] else "wrong"
        fill, ink = COLORS[look]
        draw.rounded_rectangle((x, y, x + width - 5, y + height - 5), 5, fill=fill)
        text = "?" if look in ("waiting", "hidden") else str(number)
        center = (x + (width - 5) / 2, y + (height - 5) / 2)
        draw.text(center, text, fill=ink, font=font, anchor="mm")
    return np.asarray(canvas)
