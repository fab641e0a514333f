"""Checks of the tasks at the end of lessons 09 and 10: sparse codings and a VAE."""

import numpy as np
import tensorflow as tf
from keras import ops
from scipy.stats import kstest, truncnorm

from helpers.exercises import (
    LEAVES_GRAPH,
    CountingGenerator,
    Wrong,
    array,
    call,
    name_mistake,
    require,
    same,
    step,
)

# Lesson 09: sparse autoencoder


@step("09.3", "the largest codings of each image, and no others")
def check_keep_largest(layer_class):
    """`layer_class(count)`: a layer; codings [N, D] -> the same, all but the largest set to 0."""
    codings = np.random.default_rng(0).permutation(np.linspace(0.01, 0.99, 200, dtype="float32"))
    codings = codings.reshape(10, 20)
    tensor = ops.convert_to_tensor(codings)
    for count in (3, 7):
        layer = layer_class(count)
        found = np.asarray(call(layer.call, tensor))
        require(
            found.shape != (10, count),
            f"{count} numbers are left, and the decoder can't know whose they are: keep the shape, "
            "with 0 for the others",
        )
        found = array(found, codings.shape, "the codings")
        _check_kept(found, codings, count)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        try:
            total = ops.sum(tf.function(layer)(tensor))
        except Exception:
            raise Wrong(LEAVES_GRAPH) from None
    gradient = tape.gradient(total, tensor)
    require(
        gradient is not None and same(gradient, found > 0),
        "no gradient passes to the codings that are kept, so the encoder could not learn. "
        + LEAVES_GRAPH.partition(": ")[2].capitalize(),
    )
    require(not layer.losses, "it adds something to the loss: no penalty is needed here")


def _check_kept(found, codings, count):
    def kept(scores, axis, count=count):
        limit = np.sort(scores, axis=axis).take([-count], axis=axis)
        return np.where(scores >= limit, codings, 0)

    whole = np.sort(codings.ravel())[-10 * count]
    right = kept(codings, 1)
    name_mistake(
        found,
        {
            "that says which codings are kept; what is wanted is their values": right > 0,
            "the smallest are kept, not the largest": kept(-codings, 1),
            "the largest are taken for each unit, over the batch; take them for each image": kept(
                codings, 0
            ),
            "the limit is one for the whole batch; each image needs its own": np.where(
                codings >= whole, codings, 0
            ),
            "one coding too many is kept": kept(codings, 1, count + 1),
            "one coding too few is kept: use >= for the limit, not >": kept(codings, 1, count - 1),
            "the largest are set to 0, the others kept: the other way round": codings - right,
            "nothing is set to 0": codings,
        },
    )
    number = (found != 0).sum(axis=1)
    require(
        (number == count).all(),
        f"{number.min()} to {number.max()} codings of an image are not 0, instead of {count}",
    )
    require(same(found, right), "those that are kept should keep their values")


@step("09.5", "the number of different codes")
def check_num_codes(num_codes):
    """`num_codes(bits)` -> how many different rows [N, D] of zeros and ones has."""
    rng = np.random.default_rng(0)
    for num_bits, num_different in ((16, 40), (32, 60)):
        # Numbers in sequence, in binary: all bits but the last few are the same.
        numbers = 2**num_bits - 1 - np.arange(num_different, dtype=np.int64)
        different = (numbers[:, None] >> np.arange(num_bits)[::-1]) & 1
        both = np.concatenate([different, different[:, ::-1]])  # also in the other direction
        total = len(np.unique(both, axis=0))
        bits = rng.permutation(np.concatenate([both, both[: num_different // 3]]))
        found = call(num_codes, bits.astype("float32"))
        require(
            np.shape(found) == () and not isinstance(found, str),
            "one number is expected: how many there are, not which",
        )
        found = float(found)
        mistakes = {
            "that is how many images there are. Some have the same bits: count these once": len(
                bits
            ),
            "rows are the codes, not single bits: see the argument `axis` of np.unique": 2,
            f"that is how many there could be, 2 to the {num_bits}; which of them occur?": (
                2.0**num_bits
            ),
            "codes with equally many ones count as the same here": len(np.unique(bits.sum(axis=1))),
            "that is how many occur *once*; those that occur twice are codes, too": (
                total - num_different // 3
            ),
        }
        for message, wrong in mistakes.items():
            require(found != wrong, message)
        require(
            num_bits <= 24 or found >= total,
            f"with 16 bits it is right; of {total} codes of 32 bits it finds {found:g}. If you "
            "make a number of the bits: float32 keeps only 24 of them",
        )
        require(found == total, f"there are {total} different codes here, not {found:g}")


# Lesson 10: variational autoencoder


@step("10.1", "how many codings carry something")
def check_num_active(num_active):
    """`num_active(mean, log_var, limit)` -> how many codings cost more than `limit` nats."""
    mean, log_var = _some_clouds()
    nats = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var)  # [N, D]
    for limit in (0.1, 1.0):
        right = int((nats.mean(axis=0) > limit).sum())
        found = call(num_active, mean, log_var, limit)
        require(
            np.shape(found) == (),
            f"one number is expected, not {list(np.shape(found))}: how many codings there are",
        )
        found = float(found)
        if found == right:
            continue
        mistakes = {
            "images were counted, not codings: take the mean over the images, axis=0": (
                nats.sum(axis=1) > limit
            ),
            "the mean over the codings was taken, for each image: take it over the images, "
            "axis=0": nats.mean(axis=1) > limit,
            "nats were summed over the images: take their mean": nats.sum(axis=0) > limit,
            "a coding counts already if it costs that much for a single image: take the mean over "
            "the images": (nats > limit).any(axis=0),
            "the factor 1/2 is missing": 2 * nats.mean(axis=0) > limit,
            "γ was left out: a σ far from 1 costs, too": (0.5 * mean**2).mean(axis=0) > limit,
            "these are the silent ones": nats.mean(axis=0) <= limit,
        }
        for message, wrong in mistakes.items():
            require(found != wrong.sum(), message)
        number = mean.shape[1]
        raise Wrong(f"{right} of these {number} codings cost more than {limit} nats, not {found:g}")


def _some_clouds():
    """Means and log variances [70, 15], so that each plausible mistake counts another number."""
    rng = np.random.default_rng(0)
    spread = np.array([0, 0.1, 0.2, 0.2, 0.39, 0.39, 0.39, 0, 0, 1, 1, 1.2, 2, 2, 0])
    gamma = np.array([0, 0, 0, 0, 0, 0, 0, -1.2, -1.2, -2, -3, -3, -4, -4, -1.2])
    draws = rng.normal(size=(70, len(spread)))
    draws = (draws - draws.mean(axis=0)) / draws.std(axis=0)
    return draws * spread, np.broadcast_to(gamma, draws.shape).copy()


@step("10.3", "codings from a truncated normal distribution")
def check_truncated_codings(truncated_codings):
    """`truncated_codings(num_codings, size, limit, rng)` -> [N, D] from N(0, 1) within ±limit."""
    count, size, limit = 3000, 4, 1.5

    def draw():
        rng = CountingGenerator(0, most=100 * count * size)
        return np.asarray(call(truncated_codings, count, size, limit, rng))

    answer = draw()
    require(
        answer.ndim != 2 or answer.shape[1] != size or len(answer) >= count,
        f"{len(answer)} codings instead of {count}: for each one that is thrown away, another must "
        "be drawn",
    )
    codings = array(answer, (count, size), "the codings")
    largest = np.abs(codings).max()
    require(
        largest <= limit,
        f"the largest number is {largest:.2f}, beyond the limit {limit}. (One that is drawn again "
        "may be too large again)",
    )
    at_limit = np.isclose(np.abs(codings), limit, atol=1e-4).mean()
    require(
        at_limit < 0.01,
        f"{at_limit:.0%} of the numbers are exactly at ±{limit}: they were cut off there. Draw "
        "them again instead",
    )
    require(codings.min() < 0 < codings.max(), "both signs should occur")
    _name_shape(codings, limit)
    require(same(draw(), codings), "the same `rng` should give the same codings: draw with it")


def _name_shape(codings, limit):
    lengths = np.linalg.norm(codings, axis=1)
    require(
        lengths.max() > limit,
        f"no coding is longer than {limit}: the limit is meant for each number, not for the length",
    )
    flat = codings.ravel()
    require(
        len(np.unique(flat)) > 0.9 * len(flat),
        "many numbers occur more than once: draw a new one for each",
    )
    require(
        kstest(flat, "uniform", (-limit, 2 * limit)).statistic > 0.03,
        "these are uniform: draw from the normal distribution, where numbers near 0 are more "
        "frequent",
    )
    std, wanted = codings.std(), truncnorm(-limit, limit).std()
    require(
        kstest(flat, truncnorm(-limit, limit).cdf).statistic < 0.03,
        f"they lie within the limit, with standard deviation {std:.2f} ({wanted:.2f} expected), "
        "but their distribution isn't the middle part of N(0, 1). Don't scale: draw again what is "
        "too large",
    )
