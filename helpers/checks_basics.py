"""Checks of the tasks at the end of lessons 00 to 02: sequences, PCA, a stacked autoencoder."""

import numpy as np

from helpers.exercises import Wrong, array, call, name_mistake, require, same, step

# Lesson 00: sequences


@step("00.2", "sequences whose step grows, each by a constant of its own")
def check_growing_sequence(growing_sequence):
    """`growing_sequence(rng, length)` -> numbers from 0 to 99 with equal second differences."""
    rng = np.random.default_rng(0)
    made = np.array([
        array(call(growing_sequence, rng, 10), (10,), "the sequence of length 10")
        for _ in range(300)
    ])  # fmt: skip
    array(call(growing_sequence, rng, 7), (7,), "the sequence of length 7")
    steps, growths = np.diff(made, axis=1), np.diff(made, 2, axis=1)
    for numbers, own_steps, own_growths in zip(made, steps, growths, strict=True):
        require(
            np.ptp(own_growths) < 1e-6,
            f"in {_listed(numbers[:6])} the steps are {_listed(own_steps[:5])}: each should be "
            "larger than the one before by the same amount",
        )
    require(
        np.any(growths),
        "the step stays the same within each sequence: that is the pattern of the lesson",
    )
    require(
        made.min() >= 0 and made.max() <= 99,
        f"the numbers go from {made.min():g} to {made.max():g}; the lesson's lie between 0 and "
        "99. Draw growth and step first, then a start for which the last number still fits",
    )
    _check_free(made, {"start": made[:, 0], "first step": steps[:, 0], "growth": growths[:, 0]})

    def several():  # a single sequence could come twice by chance
        rng = np.random.default_rng(5)
        return np.array([call(growing_sequence, rng, 10) for _ in range(10)])

    require(
        same(several(), several()), "the random numbers don't all come from `rng`: use rng.integers"
    )
    return None


def _check_free(sequences, parts):
    for name, values in parts.items():
        require(
            np.ptp(values) > 0,
            f"the {name} is {values[0]:g} in all sequences. Draw it anew for each, or there is one "
            "thing less to remember",
        )
    require(
        np.linalg.matrix_rank(sequences - sequences.mean(axis=0)) == 3,
        "start, first step and growth are not free of each other: one tells another",
    )


def _listed(numbers):
    return "[" + ", ".join(f"{number:g}" for number in numbers) + "]"


CODINGS_NEEDED = {"growing step": 3, "squares": 2, "forth and back": 5, "taken in turn": 4}
MISCOUNTED = {
    ("growing step", 2): "start and step alone don't tell how much the step grows",
    ("squares", 1): "one number says it all, but PCA can only multiply it by fixed numbers and "
    "add. Write (start + i)² out: what depends on the start there?",
    ("squares", 3): "in (start + i)², the part i² is the same in every sequence. It belongs to the "
    "mean, which needs no coding",
    ("forth and back", 10): "the second half follows from the first",
    ("taken in turn", 2): "each of the two sequences has a start and a step of its own",
}


@step("00.3", "codings that PCA needs for four patterns")
def check_codings_needed(codings_needed):
    """`codings_needed`: dict pattern -> number of codings with which PCA loses nothing."""
    require(isinstance(codings_needed, dict), "a dict is expected: pattern -> number of codings")
    for name, right in CODINGS_NEEDED.items():
        require(name in codings_needed, f"there is no answer for {name!r}")
        found = codings_needed[name]
        require(
            isinstance(found, (int, np.integer)), f"{name}: a whole number is expected, not {found}"
        )
        if found != right:
            many = "too many" if found > right else "too few"
            hint = "how many fixed lists, each times a number of its own, add up to the sequence?"
            raise Wrong(f"{name}: {found} is {many}; {MISCOUNTED.get((name, found), hint)}")


# Lesson 01: PCA


@step("01.3", "PCA's axes within the decoder's plane")
def check_pca_axes(pca_axes):
    """`pca_axes(kernel, points)`: [K, D] and centered [N, D] -> orthonormal axes [K, D], sorted."""
    kernel, points = _kernel_and_points()
    found = np.asarray(call(pca_axes, kernel.astype("float32"), points))
    require(found.shape != kernel.T.shape, "one axis per row is expected: transpose the result")
    found = array(found, kernel.shape, "the axes")
    basis = np.linalg.qr(kernel.T)[0]  # [D, K]
    require(
        np.allclose(found @ basis @ basis.T, found, atol=1e-3),
        "these axes don't lie in the decoder's plane. Only the kernel tells which plane the "
        "network has found; the points tell how to turn the axes within it",
    )
    products = found @ found.T
    lengths = np.sqrt(np.diag(products))
    require(
        np.allclose(products / np.outer(lengths, lengths), np.eye(len(found)), atol=1e-3),
        "the axes are not at right angles: np.linalg.qr or an SVD makes them so",
    )
    require(
        np.allclose(lengths, 1, atol=1e-3),
        f"the axes' lengths are {lengths.round(2).tolist()}: each should be 1",
    )
    covariance = np.cov(found @ points.T)
    variances = np.diag(covariance)
    most = np.linalg.eigvalsh(np.cov(basis.T @ points.T))[-1]
    require(
        np.allclose(covariance, np.diag(variances), atol=1e-2 * most),
        f"at right angles and in the plane, but along the first axis the points' variance is "
        f"{variances[0]:.2f}, while {most:.2f} is possible. Turn the axes within the plane: a PCA "
        "of the points' places in it tells how",
    )
    require(
        (np.diff(variances) < 0).all(),
        "the right axes in the wrong order: the one with the most variance comes first "
        "(eigh sorts the other way)",
    )
    return None


def _kernel_and_points():
    """A kernel [3, 6] with axes at odd angles, and centered points [200, 6] around its plane."""
    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    points = rng.normal(size=(200, 6)) * [1.5, 1.0, 0.6, 0.9, 0.3, 0.2] @ basis
    mixing = np.array([[0.5, 1.2, 0.4], [1.0, 0.3, -0.8], [0.2, -0.9, 1.1]])
    return mixing @ basis[:3], points - points.mean(axis=0)


@step("01.4", "the least error that a linear autoencoder can reach")
def check_least_error(least_error):
    """`least_error(points, codings_size)` -> the sum of the least variances over [N, D], by D."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(20, 4)) @ rng.normal(size=(4, 4)) + [3, -1, 0, 2]
    for size in (1, 2, 3):
        found, right = _number(call(least_error, points, size)), _lost(points, size) / 4
        if not np.isclose(found, right, rtol=1e-3):
            name_mistake(found, _error_mistakes(points, size))
            raise Wrong(f"for {size} of 4 codings it is {right:.4f} here, not {found:.4f}")
    nothing = _number(call(least_error, points, 4))
    require(
        abs(nothing) < 1e-6,
        f"with as many codings as coordinates nothing is lost, but the function says {nothing:.4f}",
    )
    return None


def _lost(points, size, centered=True):
    """Squared distance of a point from its best copy, a sum over the coordinates, on average."""
    points = points - points.mean(axis=0) if centered else points
    return np.square(np.linalg.svd(points, compute_uv=False)[size:]).sum() / len(points)


def _error_mistakes(points, size):
    lost, total, (num_points, width) = _lost(points, size), _lost(points, 0), points.shape
    singular = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    too_much = num_points / (num_points - 1)
    return {
        "that is the variance that the codings keep, not what they lose": (total - lost) / width,
        "that is the sum over the coordinates; the error is their mean: divide by the number of "
        "coordinates": lost,
        "that is a little too much: explained_variance_ and np.cov divide by N − 1, a mean over "
        "the points by N": too_much * lost / width,
        "that is the sum over the coordinates, and divided by N − 1: the error is a mean over "
        "points and coordinates": too_much * lost,
        "that is a share of the variance: multiply by the variance itself": lost / total,
        "that is the share of the variance that is kept": 1 - lost / total,
        "the points were not centered. Their mean needs no coding, a bias can hold it": (
            _lost(points, size, centered=False) / width
        ),
        "the singular values must be squared to give variances": (
            singular[size:].sum() / points.size
        ),
    }


def _number(answer):
    """The answer as a float."""
    return float(array(answer, (), "the answer"))


# Lesson 02: the stacked autoencoder


@step("02.1", "the share of codings that are silent")
def check_share_silent(share_silent):
    """`share_silent(codings)`: [N, D] -> share of columns with a standard deviation below 0.1."""
    rng = np.random.default_rng(0)
    means = np.array([-1.76, -1.76, 0, 2, 0.5, 0, 0.02, -1, 3, -1.3])
    spreads = np.array([0, 0.01, 0.02, 0.05, 0.2, 0.25, 0.3, 0.5, 1, 0.8])
    noise = rng.normal(size=(300, 10))
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0)
    codings = (means + spreads * noise).astype("float32")  # 4 of 10 are silent
    found = np.asarray(call(share_silent, codings))
    require(
        found.shape != (10,), "one answer per coding: what share of them is silent? Take the mean"
    )
    found = _number(found)
    require(found <= 1, f"{found:g} is more than 1: a share is expected, not a count")
    mistakes = {
        "that is the share of codings that are *not* silent": 0.6,
        "the spread was taken within each image, over its codings. A silent coding is the same "
        "for all images: axis=0": (codings.std(axis=1) < 0.1).mean(),
        "the variance was compared with 0.1. The lesson means the standard deviation": 0.7,
        "codings near 0 were counted. Silent means that a coding hardly *changes*, whatever its "
        "value": (np.abs(codings.mean(axis=0)) < 0.1).mean(),
        "codings at SELU's lower limit were counted. A coding can be stuck elsewhere, too: look "
        "at its spread": 0.2,
    }
    name_mistake(found, mistakes)
    require(np.isclose(found, 0.4), f"4 of these 10 codings are silent, not {10 * found:.3g}")


@step("02.2", "what each copy lacks, above the floor of its image")
def check_excess(excess):
    """`excess(images, copies)` -> mean over the pixels of the cross-entropy less the entropy."""
    rng = np.random.default_rng(0)
    images = (rng.random((5, 28, 28)) * rng.choice([0, 1], (5, 28, 28))).astype("float32")
    images[:, 3:6] = np.linspace(0.2, 1, 5)[:, np.newaxis, np.newaxis]  # floors of their own
    copies = np.clip(images + rng.normal(scale=0.15, size=images.shape), 0.02, 0.98)
    copies = copies.astype("float32")
    found = np.asarray(call(excess, images, copies))
    _check_one_per_image(found, 5)
    right = (_entropy(images, copies) - _entropy(images, images)).mean(axis=(1, 2))
    found = array(found, (5,), "the excess")
    if not same(found, right):
        _name_excess_mistake(found, right, images, copies)
    perfect = array(call(excess, images, images), (5,), "the excess of perfect copies")
    require(
        np.abs(perfect).max() < 1e-4,
        f"perfect copies get {perfect[0]:.4f} and more: they lack nothing, so it should be 0",
    )
    worst = int(right.argmax()) + 1
    return f"from {right.min():.3f} to {right.max():.3f} here, image {worst} is copied worst"


def _check_one_per_image(found, count):
    require(
        found.shape != (),
        "one number for all images together: take the mean over the pixels only, axis=(1, 2)",
    )
    require(
        found.shape[1:2] != (28,),
        f"the shape is {list(found.shape)}: take the mean over all pixels of an image, axis=(1, 2)",
    )
    require(
        found.dtype.kind != "f" or not np.isnan(found).any(),
        "some numbers are not a number: pixels that are 0 or 1 have a log 0. Keep the answers "
        "away from both ends, as the lesson's cross_entropy does",
    )


def _entropy(x, x_hat):
    """Cross-entropy of each pixel."""
    x_hat = np.clip(x_hat, 1e-7, 1 - 1e-7)
    return -x * np.log(x_hat) - (1 - x) * np.log(1 - x_hat)


def _name_excess_mistake(found, right, images, copies):
    pixels = (1, 2)
    cross, floor = _entropy(images, copies).mean(pixels), _entropy(images, images).mean(pixels)
    mistakes = {
        "the sign is reversed: the floor is what must be taken off": -right,
        "that is the sum over the pixels; take their mean, as the loss does": 784 * right,
        "that is the cross-entropy itself. A perfect copy would not get 0: take off the floor": (
            cross
        ),
        "that is the floor itself, what a perfect copy would get": floor,
        "the entropy of the *copies* was taken off. The floor is that of the images": (
            cross - _entropy(copies, copies).mean(pixels)
        ),
        "images and copies have changed places in the cross-entropy: the image is x, the copy the "
        "answer": _entropy(copies, images).mean(pixels) - floor,
        "images and copies have changed places: the image is x, the copy the answer": (
            _entropy(copies, images) - _entropy(copies, copies)
        ).mean(pixels),
        "that is the squared error": np.square(images - copies).mean(pixels),
    }
    name_mistake(found, mistakes)
    require(
        np.ptp(cross - found) > 1e-4,
        "the same floor was taken off everywhere. Each image has one of its own: an image with "
        "much gray has a high one",
    )
    raise Wrong(f"for the first image it is {right[0]:.4f} here, not {found[0]:.4f}")
