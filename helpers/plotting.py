"""Every figure style of the series, written once.

This module knows NumPy arrays only: no model, no TensorFlow. Functions that draw with Matplotlib
take ``ax=None``, return the axes they drew on and never call ``plt.show()``: the notebook does
the showing. Images are float arrays in [0, 1] and are never rescaled by guessing. Grey images are
drawn as ink on paper, 0 white and 1 black, like the chapter's.

Functions that return a *picture* return uint8 pixels, [height, width] (grey) or
[height, width, 3] (color), ready for :func:`png_bytes` and ``ipywidgets.Image``.
"""

import io
from importlib import resources

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from PIL import Image, ImageDraw, ImageFont

BLUE, ORANGE, GREEN, PINK, PURPLE, GRAY = (
    "#2f6fb0",
    "#d9772b",
    "#3a9a63",
    "#b04a6f",
    "#7a5fb5",
    "#8a8a8a",
)


def use_style():
    """Apply the series' Matplotlib style sheet, ``helpers/course.mplstyle``."""
    with resources.as_file(resources.files("helpers") / "course.mplstyle") as path:
        plt.style.use(path)


def check_images(images):
    """Return `images` as a float array [N, H, W] or [N, H, W, 3], or say what is wrong with it.

    Raises:
        ValueError: wrong rank or channel count, an empty batch, a value outside [0, 1] (a rounding
            error of 1e-3 is forgiven and clipped), or a value that is not finite.
    """
    images = np.asarray(images, dtype=np.float32)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[-1] != 3):
        raise ValueError(
            "Images must be a batch of shape [N, H, W], [N, H, W, 1] or [N, H, W, 3], "
            f"not {list(images.shape)}. For a single image, pass image[np.newaxis]."
        )
    if images.size == 0:
        raise ValueError("There is no image in the batch.")
    low, high = images.min(), images.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("Some pixels are NaN or infinite. Did the training diverge?")
    if low < -1e-3 or high > 1 + 1e-3:
        raise ValueError(
            f"Pixel values must be in [0, 1]; these go from {low:.3g} to {high:.3g}. "
            "Divide bytes by 255, and map tanh outputs with (images + 1) / 2."
        )
    return np.clip(images, 0, 1)


def mosaic(images, columns=None, padding=2):
    """Lay a batch of images out as one picture, row by row.

    Args:
        images: float [N, H, W], [N, H, W, 1] or [N, H, W, 3], values in [0, 1].
        columns: images per row; default: about as many as rows.
        padding: white pixels around each image.

    Returns:
        uint8 picture, [rows * (H + padding) + padding, columns * (W + padding) + padding] with a
        last axis of 3 for color images. Grey images are drawn as ink: 1 becomes black.

    Raises:
        ValueError: see :func:`check_images`.
    """
    images = check_images(images)
    gray = images.ndim == 3
    pixels = np.round(255 * (1 - images if gray else images)).astype(np.uint8)
    num_images, height, width = pixels.shape[:3]
    columns = columns or int(np.ceil(np.sqrt(num_images)))
    rows = -(-num_images // columns)
    step_y, step_x = height + padding, width + padding
    shape = (rows * step_y + padding, columns * step_x + padding) + pixels.shape[3:]
    picture = np.full(shape, 255, dtype=np.uint8)
    for index, image in enumerate(pixels):
        y = padding + index // columns * step_y
        x = padding + index % columns * step_x
        picture[y : y + height, x : x + width] = image
    return picture


def png_bytes(picture, scale=1):
    """Encode a uint8 picture as PNG, each pixel enlarged to `scale` x `scale`.

    Raises:
        ValueError: the picture is not uint8 or has another shape than [H, W] or [H, W, 3].
    """
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or not (
        picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)
    ):
        raise ValueError(
            "A picture must be uint8 of shape [H, W] or [H, W, 3], "
            f"not {picture.dtype} {list(picture.shape)}."
        )
    if scale > 1:
        picture = picture.repeat(scale, axis=0).repeat(scale, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="png", compress_level=1)
    return buffer.getvalue()


def text_picture(text, width, height, size=13):
    """Black text, centered on white: a uint8 picture [height, width]."""
    picture = Image.new("L", (width, height), 255)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(picture).text((width / 2, height / 2), text, fill=40, font=font, anchor="mm")
    return np.asarray(picture)


def film_strip(frames, captions, most=6, height=150):
    """Up to `most` frames of a film, evenly spaced, side by side with their captions above.

    Args:
        frames: list of PNG bytes.
        captions: list of texts, one per frame.

    Returns:
        uint8 picture [height + 22, W, 3].

    Raises:
        ValueError: there are no frames, or not as many captions.
    """
    if not frames or len(frames) != len(captions):
        raise ValueError(
            f"A strip needs frames with a caption each, not {len(frames)} frames with "
            f"{len(captions)} captions."
        )
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(most, len(frames))).round().astype(int))
    columns = []
    for index in chosen:
        frame = Image.open(io.BytesIO(frames[index])).convert("RGB")
        frame = frame.resize((max(1, round(frame.width * height / frame.height)), height))
        caption = np.repeat(text_picture(captions[index], frame.width, 22)[..., None], 3, axis=2)
        gap = np.full((height + 22, 6, 3), 255, np.uint8)
        columns += [np.concatenate([caption, np.asarray(frame)]), gap]
    return np.concatenate(columns[:-1], axis=1)


def figure_picture(figure):
    """Render a Matplotlib figure to a uint8 picture [H, W, 3] and close it."""
    figure.canvas.draw()
    picture = np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
    plt.close(figure)
    return picture


def _new_axes(ax, figsize):
    return ax if ax is not None else plt.subplots(figsize=figsize)[1]


def image_grid(images, columns=None, titles=None, framed=(), title=None, zoom=1.0, ax=None):
    """Draw a batch of images as a grid.

    Args:
        images: see :func:`mosaic`.
        columns: images per row.
        titles: a short text for each image, drawn above it.
        framed: indices of the images to put a frame around.
        title: of the whole grid.
        zoom: size factor.

    Returns:
        The Matplotlib axes.

    Raises:
        ValueError: see :func:`check_images`; or not as many titles as images.
    """
    images = check_images(images)
    num_images, height, width = images.shape[:3]
    if titles is not None and len(titles) != num_images:
        raise ValueError(f"{num_images} images need as many titles, not {len(titles)}.")
    columns = columns or int(np.ceil(np.sqrt(num_images)))
    padding = max(2, height // (3 if titles is not None else 12))
    picture = mosaic(images, columns, padding)
    inches = zoom * 0.85 / (height + padding)
    ax = _new_axes(ax, (picture.shape[1] * inches, picture.shape[0] * inches + bool(title) * 0.3))
    ax.imshow(picture, cmap="gray", vmin=0, vmax=255)
    ax.axis("off")
    ax.set_title(title or "")
    for index in range(num_images):
        y = padding + index // columns * (height + padding)
        x = padding + index % columns * (width + padding)
        if titles is not None:
            ax.text(
                x + width / 2, y - 2, titles[index], ha="center", va="bottom", fontsize=8 * zoom
            )
        if index in framed:
            ax.add_patch(
                Rectangle((x - 1.5, y - 1.5), width + 2, height + 2, fill=False, ec=ORANGE, lw=2)
            )
    return ax


def image_rows(rows, zoom=1.0, title=None, ax=None):
    """Draw several batches of the same length as labeled rows, one above the other.

    Args:
        rows: dict label -> images; the batches must have one shape.

    Raises:
        ValueError: the batches differ in shape, or there are none.
    """
    batches = {label: check_images(images) for label, images in rows.items()}
    shapes = {images.shape for images in batches.values()}
    if not batches:
        raise ValueError("There are no rows to draw.")
    if len(shapes) != 1:
        raise ValueError(
            "All rows must have the same shape, but they are "
            + ", ".join(f"{label}: {list(images.shape)}" for label, images in batches.items())
        )
    num_images, height = shapes.pop()[:2]
    ax = image_grid(
        np.concatenate(list(batches.values())), columns=num_images, zoom=zoom, title=title, ax=ax
    )
    padding = max(2, height // 12)
    for row, label in enumerate(batches):
        y = padding + row * (height + padding) + height / 2
        ax.text(-4, y, label, ha="right", va="center", fontsize=10)
    return ax


def learning_curves(curves, xlabel="epoch", ylabel="loss", title=None, log=False, ax=None):
    """Plot one line per entry of `curves`: label -> values, the first one at epoch 1."""
    ax = _new_axes(ax, (6, 3.2))
    for label, values in curves.items():
        ax.plot(np.arange(1, len(values) + 1), values, label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title or "")
    if log:
        ax.set_yscale("log")
    if len(curves) > 1:
        ax.legend()
    return ax


class Diagram:
    """A diagram of boxes and arrows, drawn in data units of 1 inch.

    Example::

        diagram = Diagram(6, 1.5)
        diagram.box("encoder", 1, 0.75, "Encoder")
        diagram.box("decoder", 4, 0.75, "Decoder")
        diagram.arrow("encoder", "decoder", "codings")
    """

    def __init__(self, width, height):
        self.figure, self.ax = plt.subplots(figsize=(width, height))
        self.ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
        self.ax.axis("off")
        self._boxes = {}

    def box(self, name, x, y, text, width=1.3, height=0.5, color=BLUE, dashed=False):
        """Draw a rounded box centered on (x, y) and remember it under `name`."""
        self._boxes[name] = FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor=color + "22",
            edgecolor=color,
            linestyle="--" if dashed else "-",
            linewidth=1.5,
        )
        self.ax.add_patch(self._boxes[name])
        self.ax.text(x, y, text, ha="center", va="center", fontsize=9.5)

    def image(self, name, x, y, image, size=0.7):
        """Draw one image, float [H, W] in [0, 1], in a frame centered on (x, y)."""
        half = size / 2
        extent = (x - half, x + half, y - half, y + half)
        self.ax.imshow(mosaic(np.asarray(image)[np.newaxis], padding=0), cmap="gray", vmin=0,
                       vmax=255, extent=extent, zorder=3)  # fmt: skip
        self._boxes[name] = Rectangle((x - half, y - half), size, size, fill=False, ec="#999999")
        self.ax.add_patch(self._boxes[name])
        self.ax.set(xlim=(0, self.figure.get_figwidth()), ylim=(0, self.figure.get_figheight()))

    def text(self, x, y, text, **kwargs):
        """Write `text` centered on (x, y)."""
        self.ax.text(x, y, text, **{"ha": "center", "va": "center", "fontsize": 9.5, **kwargs})

    def arrow(self, start, end, text="", color="#555555", dashed=False, bend=0.0, shift=(0, 0.14)):
        """Draw an arrow between two boxes, given by name or as (x, y) points.

        Raises:
            ValueError: there is no box of that name.
        """
        for end_point in (start, end):
            if isinstance(end_point, str) and end_point not in self._boxes:
                known = ", ".join(self._boxes) or "none"
                raise ValueError(f"There is no box called {end_point!r} (there are: {known}).")
        ends = [
            self._boxes[e].get_extents().transformed(self.ax.transData.inverted())
            if isinstance(e, str)
            else e
            for e in (start, end)
        ]
        (x0, y0), (x1, y1) = _border_points(*ends)
        self.ax.add_patch(
            FancyArrowPatch((x0, y0), (x1, y1), arrowstyle="-|>", mutation_scale=11, color=color,
                            linestyle="--" if dashed else "-", linewidth=1.4,
                            shrinkA=1, shrinkB=1, connectionstyle=f"arc3,rad={bend}")
        )  # fmt: skip
        if text:
            self.text((x0 + x1) / 2 + shift[0], (y0 + y1) / 2 + shift[1], text, fontsize=9)


def _border_points(start, end):
    """Where the line between two boxes' centers leaves the first and enters the second."""

    def center(box):
        return np.array(box if isinstance(box, tuple) else (box.x0 + box.x1, box.y0 + box.y1)) / (
            1 if isinstance(box, tuple) else 2
        )

    def leave(box, towards):
        if isinstance(box, tuple):
            return np.array(box, dtype=float)
        middle = center(box)
        direction = towards - middle
        half = np.array([box.width, box.height]) / 2
        with np.errstate(divide="ignore"):
            reach = np.min(half / np.abs(np.where(direction == 0, 1e-9, direction)))
        return middle + min(reach, 1) * direction

    return leave(start, center(end)), leave(end, center(start))


class Scene:
    """A small 3-D scene drawn fast enough to follow a slider (about 2 ms, not 60).

    Parallel projection of points, segments and polygons by Pillow, drawn in the order in which
    they are added.

    Args:
        azimuth, elevation: direction of view, in degrees.
        extent: half the height of what is seen, in the points' units.
        size: pixels of the square picture.
    """

    def __init__(self, azimuth=-60, elevation=20, extent=2.0, size=380):
        a, e = np.radians([azimuth, elevation])
        right = [-np.sin(a), np.cos(a), 0]
        up = [-np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), np.cos(e)]
        self._project = np.array([right, up], dtype=float)  # [2, 3]
        self._scale, self._center, self._size = size / extent, size, size
        self._canvas = Image.new("RGB", (2 * size, 2 * size), "white")  # drawn at double size
        self._draw = ImageDraw.Draw(self._canvas, "RGBA")

    def _pixels(self, points):
        xy = np.atleast_2d(points) @ self._project.T * [self._scale, -self._scale]
        return xy + self._center

    def polygon(self, corners, color):
        """Fill a polygon; `corners` [K, 3], `color` as "#rrggbbaa"."""
        self._draw.polygon([tuple(xy) for xy in self._pixels(corners)], fill=color, outline=color)

    def segments(self, starts, ends, color, width=2):
        """Draw lines from `starts` [N, 3] to `ends` [N, 3]."""
        for start, end in zip(self._pixels(starts), self._pixels(ends), strict=True):
            self._draw.line([tuple(start), tuple(end)], fill=color, width=width)

    def points(self, points, color, radius=5):
        """Draw dots at `points` [N, 3]."""
        for x, y in self._pixels(points):
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)

    def picture(self):
        """The scene as a uint8 picture [size, size, 3]."""
        return np.asarray(self._canvas.resize((self._size, self._size), Image.Resampling.BOX))
