"""Charts of numbers: shares over time, bars and bands over seeds, a table as a map, a path."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator
from PIL import Image, ImageDraw, ImageFont

from helpers import plotting


def share_bars(histories, prefix, names):
    """How a whole is divided up, epoch by epoch, for one training or several side by side.

    Args:
        histories: dict title -> history, which holds ``{prefix}0``, ``{prefix}1`` and so on, each
            a list with one share per epoch.
        names: of the parts, for the legend.

    Returns:
        Array of the axes.
    """
    _, axes = plt.subplots(
        1, len(histories), figsize=(10, 2.8), sharey=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    for ax, (title, history) in zip(axes[0], histories.items(), strict=True):
        below = np.zeros(len(history[f"{prefix}0"]))
        for number, name in enumerate(names):
            shares, color = np.array(history[f"{prefix}{number}"]), plt.cm.tab10(number)
            ax.bar(
                np.arange(len(below)) + 1, shares, width=1, bottom=below, color=color, label=name
            )
            below += shares
        ax.set(title=title, xlabel="epoch", ylim=(0, 1))
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(False)
    axes[0, 0].set_ylabel("share")
    axes[0, -1].legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8, reverse=True)
    return axes[0]


def seed_bars(rows, label, star=None, reference=None, ax=None):
    """One bar for each row: its mean over the seeds, with one standard error, all seeds as dots.

    Args:
        rows: dict name -> float [S], one number per seed. Rows whose name starts with "original"
            are gray.
        label: of the numbers.
        star: pair of a row's name and a number to mark in it.
        reference: where to draw a dashed line.

    Returns:
        The axes.
    """
    ax = ax if ax is not None else plt.subplots(figsize=(6, 0.5 + 0.4 * len(rows)))[1]
    for row, (name, values) in enumerate(rows.items()):
        values = np.asarray(values, np.float64)
        color = plotting.GRAY if name.startswith("original") else plotting.BLUE
        ax.barh(row, values.mean(), xerr=standard_error(values), alpha=0.5, color=color)
        ax.plot(values, np.full(len(values), row), "o", color="#333333", markersize=4)
        if star and star[0] == name:
            ax.plot(star[1], row, "*", color=plotting.ORANGE, markersize=13)
    if reference is not None:
        ax.axvline(reference, color=plotting.GREEN, linestyle="--")
    ax.set(xlabel=label, ylim=(len(rows) - 0.5, -0.5))
    ax.set_yticks(range(len(rows)), list(rows))
    return ax


def standard_error(values, axis=0):
    """Standard error of the mean over `axis`; 0 where there is a single value."""
    count = np.shape(values)[axis]
    return np.std(values, axis=axis, ddof=1) / np.sqrt(count) if count > 1 else 0.0


def bands(curves, xlabel, ylabel, ax=None):
    """One curve for each entry: the mean over the seeds, in a band of one standard error.

    Args:
        curves: dict name -> float [S, T]; position t of the second axis is drawn at x = t.

    Returns:
        The axes.
    """
    ax = ax if ax is not None else plt.subplots(figsize=(7, 3), layout="constrained")[1]
    colors = itertools.cycle(plt.cm.tab10.colors)
    for (name, values), color in zip(curves.items(), colors, strict=False):
        values = np.asarray(values)
        mean, error, x = values.mean(axis=0), standard_error(values), np.arange(values.shape[1])
        ax.plot(x, mean, color=color, label=name)
        ax.fill_between(x, mean - error, mean + error, color=color, alpha=0.15, linewidth=0)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return ax


def number_map(values, ticks, xlabel, ylabel, title, largest=None, ax=None):
    """A square table as a map: each number in a field of its color, the first row at the bottom.

    Args:
        values: float [K, K].
        ticks: K texts or numbers for both axes.
        largest: the value of the brightest color, default: the largest in the table; zero is dark.

    Returns:
        The axes.
    """
    ax = ax if ax is not None else plt.subplots(figsize=(4, 4), layout="constrained")[1]
    values = np.asarray(values)
    largest = values.max() if largest is None else largest
    ax.imshow(values, cmap="viridis", vmin=0, vmax=largest, origin="lower")
    for (row, column), value in np.ndenumerate(values):
        color = "white" if value < 0.6 * largest else "black"
        ax.text(column, row, f"{value:.1f}", ha="center", va="center", color=color)
    labels = [tick if isinstance(tick, str) else f"{tick:g}" for tick in ticks]
    ax.set_xticks(range(len(labels)), labels)
    ax.set_yticks(range(len(labels)), labels)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.grid(False)
    return ax


def field_map(values, ticks, xlabel, ylabel, chosen, largest=None, size=272):
    """The table of :func:`number_map` as a picture fast enough for a slider, one field framed.

    Args:
        values: float or int [K, K].
        ticks: K texts or numbers for both axes.
        chosen: (row, column) of the field to frame; the first row is at the bottom.
        largest: the value of the brightest color, default: the largest in the table; zero is dark.
        size: its height.

    Returns:
        uint8 picture [size, W, 3].
    """
    values = np.asarray(values, np.float64)
    shares = values / ((values.max() if largest is None else largest) or 1)
    side, left = (size - 40) // len(values), 62  # the margins hold ticks and labels
    bottom = side * len(values)
    colors = (plt.cm.viridis(shares[::-1])[..., :3] * 255).astype(np.uint8)
    image = Image.new("RGB", (left + bottom, size), "white")
    image.paste(Image.fromarray(colors.repeat(side, axis=0).repeat(side, axis=1)), (left, 0))
    image.paste(Image.fromarray(np.rot90(plotting.text_picture(ylabel, bottom, 16))), (0, 0))
    draw, font, (row, column) = ImageDraw.Draw(image), ImageFont.load_default(12), chosen
    for (y, x), value in np.ndenumerate(values):
        place = left + (x + 0.5) * side, bottom - (y + 0.5) * side
        color = "white" if shares[y, x] < 0.6 else "black"
        draw.text(place, f"{value:.3g}", fill=color, font=font, anchor="mm")
    for number, tick in enumerate(ticks):
        text, middle = tick if isinstance(tick, str) else f"{tick:g}", (number + 0.5) * side
        draw.text((left + middle, bottom + 10), text, fill="black", font=font, anchor="mm")
        draw.text((left - 4, bottom - middle), text, fill="black", font=font, anchor="rm")
    x, y = left + column * side, bottom - (row + 1) * side
    draw.rectangle((x, y, x + side - 1, y + side - 1), outline=plotting.ORANGE, width=4)
    draw.text((left + bottom / 2, bottom + 28), xlabel, fill="black", font=font, anchor="mm")
    return np.asarray(image)


def saddle_path(path, size=340):
    """A path over the saddle V = x * y: bluish where V is high, orange where it is low.

    Args:
        path: float [T, 2], points (x, y); the last one is marked in orange, the origin in black.
        size: of the picture, which shows both coordinates from -3 to 3; y points upwards.

    Returns:
        uint8 picture [size, size, 3].
    """
    reach = 3.0
    axis = np.linspace(-1, 1, size)
    height = np.outer(-axis, axis)  # V: [size, size]
    shade = np.stack(
        [255 - 45 * height.clip(0), 255 - 30 * abs(height), 255 - 45 * (-height).clip(0)], axis=-1
    )
    image = Image.fromarray(shade.astype("uint8"))
    pixels = (np.asarray(path).clip(-3 * reach, 3 * reach) * [1, -1] / reach + 1) * size / 2
    draw = ImageDraw.Draw(image)
    draw.line([tuple(pixel) for pixel in pixels], fill=plotting.BLUE, width=2)
    for (x, y), color in (((size / 2, size / 2), "#222222"), (pixels[-1], plotting.ORANGE)):
        draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=color)
    return np.asarray(image)


def growth_curves(history, floors, names, images_per_epoch):
    """The distance over a growing training, and the shares of the classes.

    Args:
        history: dict with a list for each of "size" (of the images), "distance", "class_0" and so
            on, one number per epoch.
        floors: dict size -> the distance of real images of that size, drawn as steps.
        names: of the classes.
        images_per_epoch: for the x axis, which counts images shown.

    Returns:
        Array of both axes.
    """
    _, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.4), layout="constrained")
    shown = images_per_epoch * np.arange(1, len(history["size"]) + 1) / 1000  # thousands
    left.plot(shown, history["distance"], color=plotting.BLUE, label="generated")
    steps = [floors[int(size)] for size in history["size"]]
    left.step(shown, steps, color=plotting.GRAY, where="mid", label="real, of that size")
    left.set(yscale="log", xlabel="thousands of images shown", ylabel="Fréchet distance")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter("{x:g}")
    left.minorticks_off()
    left.legend()
    shares = [history[f"class_{number}"] for number in range(len(names))]  # [10, E]
    right.stackplot(shown, shares, labels=names, colors=plt.cm.tab10.colors)
    right.set(xlabel="thousands of images shown", ylabel="share of the class", ylim=(0, 1))
    right.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8, reverse=True)
    return np.array([left, right])


def growth_diagram(pictures):
    """Figure 17-19: a generator of 4 x 4 pixels, and the same one growing to 8 x 8.

    Args:
        pictures: dict with float images [H, W] in [0, 1]: "first", what the small generator makes;
            "old" and "new", what the two paths of the grown one make; and "mixed", both together.

    Returns:
        The :class:`helpers.plotting.Diagram`.
    """
    diagram, gray = plotting.Diagram(9.6, 3.3), plotting.GRAY
    for x, name in ((0.9, "before "), (3.6, "")):
        diagram.text(x, 0.2, "codings", color=gray)
        diagram.box(f"{name}block", x, 0.95, "block 4 × 4")
        diagram.box(f"{name}old", x, 1.9, "to image")
        diagram.arrow((x, 0.32), f"{name}block")
        diagram.arrow(f"{name}block", f"{name}old")
    diagram.box("larger", 5.3, 0.95, "enlarge × 2", color=gray, dashed=True)
    diagram.box("new block", 6.9, 0.95, "block 8 × 8", dashed=True)
    diagram.box("new", 6.9, 1.9, "to image", dashed=True)
    diagram.box("larger image", 5.3, 1.9, "enlarge × 2", color=gray, dashed=True)
    for name, x in (("first", 0.9), ("old", 5.3), ("new", 6.9), ("mixed", 8.6)):
        diagram.image(f"{name} image", x, 2.85, pictures[name])
    for start, end in (
        ("block", "larger"), ("larger", "new block"), ("new block", "new"), ("old", "larger image"),
        ("before old", "first image"), ("larger image", "old image"), ("new", "new image"),
    ):  # fmt: skip
        diagram.arrow(start, end)
    for x, y, text in ((4.75, 2.33, "× (1 − α)"), (7.2, 2.33, "× α"), (6.1, 2.85, "+")):
        diagram.text(x, y, text)
    diagram.text(7.75, 2.85, "=")
    return diagram


def critic_diagram(large, small):
    """The mirror image of figure 17-19: a discriminator of 4 x 4 pixels that grows to 8 x 8.

    Args:
        large: an image, float [H, W] in [0, 1].
        small: the same one with half the height and width.

    Returns:
        The :class:`helpers.plotting.Diagram`.
    """
    diagram, gray, green = plotting.Diagram(9.6, 2.5), plotting.GRAY, plotting.GREEN
    diagram.image("image", 0.6, 1.9, large)
    diagram.image("small image", 2.3, 0.6, small)
    diagram.box("shrink", 0.6, 0.6, "shrink ÷ 2", 1.0, color=gray, dashed=True)
    diagram.box("new", 2.3, 1.9, "from image", color=green, dashed=True)
    diagram.box("new block", 4.2, 1.9, "block 8 × 8", color=green, dashed=True)
    diagram.box("old", 4.2, 0.6, "from image", color=green)
    diagram.text(6.1, 1.25, "+", fontsize=14)
    diagram.box("block", 7.6, 1.25, "block 4 × 4", color=green)
    for start, end in (
        ("image", "new"), ("new", "new block"), ("new block", (6.0, 1.35)), ("image", "shrink"),
        ("shrink", "small image"), ("small image", "old"), ("old", (6.0, 1.15)),
        ((6.2, 1.25), "block"), ("block", (8.8, 1.25)),
    ):  # fmt: skip
        diagram.arrow(start, end)
    texts = {
        "× α": (5.45, 1.82),
        "× (1 − α)": (5.65, 0.68),
        "maps": (6.6, 1.42),
        "logit": (9.1, 1.25),
    }
    for text, (x, y) in texts.items():
        diagram.text(x, y, text)
    return diagram
