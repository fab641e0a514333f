"""Checks of the tasks at the end of lessons 06 to 10: variants of the autoencoder."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from scipy.stats import kstest, truncnorm

from helpers.exercises import Wrong, all_layers, array, call, require, same, step

POOLING = (
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.GlobalAveragePooling2D,
)
LEAVES_GRAPH = (
    "right as numbers, but it can't be part of a training: use keras.ops (and keras.random) "
    "instead of NumPy"
)


# Lesson 06: convolutional autoencoder


@step("06.1", "an encoder without pooling, and a decoder that fits")
def check_strided(strided_encoder, strided_decoder):
    """Two functions: images [N, 28, 28] -> [N, 4, 4, 64], and back to [N, 28, 28, 1]."""
    encoder = call(strided_encoder)
    images = np.random.default_rng(0).random((2, 28, 28)).astype("float32")
    codings = np.asarray(call(encoder, images))
    _check_strided_encoder(encoder, codings.shape)
    decoder = call(strided_decoder)
    takes = tuple(getattr(decoder, "input_shape", codings.shape)[1:])
    require(
        takes in ((4, 4, 64), (None, None, 64)),
        f"the decoder takes {_times(takes)}, but the encoder now gives 4 × 4 × 64",
    )
    made = np.asarray(call(decoder, codings))
    size = made.shape[1]
    require(
        size >= 28,
        f"the decoder ends at {size} × {size}: too small. How large is the picture after each "
        "layer? Section 3 has both formulas",
    )
    require(
        size == 28,
        f"the decoder ends at {size} × {size}. Make 7 of the 4 pixels in the first layer (without "
        "a stride?), or cut off what is too much at the end",
    )
    require(
        made.shape in ((2, 28, 28, 1), (2, 28, 28)),
        f"the decoder gives {_times(made.shape[1:])}; one map of 28 × 28 is wanted",
    )
    require(
        not any(isinstance(layer, keras.layers.Dense) for layer in all_layers(decoder)),
        "a Dense layer makes any size fit, but it has a weight for every place: do it with "
        "convolutions, and with cropping or padding",
    )
    extreme = np.asarray(decoder(np.random.default_rng(1).normal(scale=1000, size=codings.shape)))
    require(
        extreme.min() >= 0 and extreme.max() <= 1,
        "the copies' pixels leave the range from 0 to 1: the last layer needs a sigmoid",
    )
    return f"{encoder.count_params():,} + {decoder.count_params():,} weights"


def _check_strided_encoder(encoder, shape):
    layers = all_layers(encoder)
    require(
        not any(isinstance(layer, POOLING) for layer in layers),
        "there is still pooling in the encoder: let the convolutions' strides=2 do its work",
    )
    require(
        shape[1:] != (2, 2, 64),
        'the codings are 2 × 2 × 64: padding="valid" cuts off the border. Keep padding="same"',
    )
    require(
        shape[1:] == (4, 4, 64),
        f'the codings are {_times(shape[1:])}. With padding "same" and three strides of 2, 28 '
        "pixels become 14, then 7, then 4 (rounded up), and there are 64 maps",
    )
    require(
        encoder.count_params() == 23_296,
        f"the encoder has {encoder.count_params():,} weights. Strides cost none: it should have "
        "the 23,296 of `conv_encoder()`, with the same three convolutions",
    )


def _times(shape):
    return " × ".join(map(str, shape))


@step("06.3", "how often each place is painted")
def check_times_painted(times_painted):
    """`times_painted(num_inputs, kernel_size, stride)` -> counts [(n - 1) s + k]."""
    for case in ((3, 3, 2), (3, 4, 2), (5, 6, 3), (4, 5, 1), (6, 2, 2)):
        num_inputs, kernel_size, stride = case
        patches = [np.arange(kernel_size) + stride * place for place in range(num_inputs)]
        right = np.bincount(np.concatenate(patches))
        shown = f"for {num_inputs} inputs, kernel {kernel_size}, stride {stride}"
        found = np.asarray(call(times_painted, *case))
        require(
            found.shape != (len(right), len(right)),
            "that is the whole square. One row is enough: patches along one direction",
        )
        require(
            found.shape != (num_inputs * stride,) or len(right) == num_inputs * stride,
            f'{shown}, {len(found)} places: that is the size with padding "same". With "valid" '
            f"nothing is cut off: there are {len(right)}",
        )
        found = array(found, (len(right),), shown)
        require(
            np.ptp(found) > 0 or np.ptp(right) == 0,
            f"{shown}, all places get {found[0]:g}: at the ends fewer patches overlap",
        )
        require(
            same(found, right),
            f"{shown}, it should be {' '.join(map(str, right))}, not "
            f"{' '.join(f'{count:g}' for count in found)}",
        )


# Lesson 07: recurrent autoencoder


@step("07.2", "rows hidden in the inputs, targets whole")
def check_hide_rows(hide_rows):
    """`hide_rows(images, rows_read)` -> inputs and targets; rows_read holds one k per image."""
    rng = np.random.default_rng(0)
    images = (0.1 + 0.9 * rng.random((6, 28, 28))).astype("float32")
    rows_read = np.array([3, 28, 10, 1, 17, 10])
    given = images.copy()
    pair = call(hide_rows, given, rows_read)
    require(
        isinstance(pair, (tuple, list)) and len(pair) == 2,
        "two things are expected: return inputs, targets",
    )
    require(
        same(given, images),
        "the training images themselves were overwritten, and stay so for good: work on a copy",
    )
    inputs = array(pair[0], images.shape, "the inputs")
    targets = array(pair[1], images.shape, "the targets")
    right = _hidden(images, rows_read)
    require(
        not (same(inputs, images) and same(targets, right)),
        "inputs and targets are swapped: hide rows in the first of the two",
    )
    _name_mistake(
        inputs,
        {
            "nothing is hidden in the inputs": images,
            "columns are hidden, not rows: the axes are [image, row, column]": _hidden(
                images, rows_read, 2
            ),
            "the first k rows are hidden; they are the ones that are read": images - right,
            "one row too many can be read: row k itself, counted from 0, is hidden": _hidden(
                images, rows_read + 1
            ),
            "one row too few can be read: k rows are 0 to k − 1": _hidden(images, rows_read - 1),
            "each image has its own k: `rows_read` has one for each": _hidden(
                images, rows_read[:1]
            ),
        },
    )
    require(same(inputs, right), "k rows of each image as they are, then zeros, are expected")
    require(
        not same(targets, inputs),
        "the targets have lost their rows, too: then nothing is to be guessed",
    )
    require(same(targets, images), "the targets are not the whole images")


def _hidden(images, counts, axis=1):
    places = np.arange(28).reshape((1, 28, 1) if axis == 1 else (1, 1, 28))
    return np.where(places < np.reshape(counts, (-1, 1, 1)), images, 0)


@step("07.3", "a loss that leaves out the padding")
def check_loss_without_padding(loss_without_padding):
    """`loss_without_padding(sequences, copies)` -> squared errors [N]; padded steps hold -1."""
    rng = np.random.default_rng(0)
    lengths = np.array([[6], [2], [4], [3]])
    real = np.arange(6) < lengths  # [N, T]
    sequences = rng.random((4, 6, 3)).astype("float32")
    sequences[:, 1] = 0  # an empty row is a real one
    sequences[~real] = -1
    copies = rng.random((4, 6, 3)).astype("float32")
    answer = call(loss_without_padding, *map(ops.convert_to_tensor, (sequences, copies)))
    squares = np.square(sequences - copies)
    right = (squares * real[..., None]).sum(axis=(1, 2)) / (3 * lengths[:, 0])
    require(
        np.shape(answer) != (),
        "one number for the whole batch: one for each sequence is wanted, so that a long one "
        "doesn't count more than a short one",
    )
    require(
        np.shape(answer) != (4, 6),
        "one number for each step; take the mean over the steps that are real",
    )
    found = array(answer, (4,), "the loss")
    full = sequences != 0
    _name_mistake(
        found,
        {
            "padded steps still count": squares.mean(axis=(1, 2)),
            "padded steps count as 0, but they are still in the mean: divide by the number of real "
            "values, not of all": (squares * real[..., None]).mean(axis=(1, 2)),
            "the sum over the numbers of a step was taken: divide by them as well": 3 * right,
            "that is the sum: divide by the number of real values": 3 * lengths[:, 0] * right,
            "rows of zeros were left out: empty rows are real. Only rows of −1 are padding": (
                (squares * full * real[..., None]).sum(axis=(1, 2))
                / np.maximum((full & real[..., None]).sum(axis=(1, 2)), 1)
            ),
        },
    )
    require(same(found, right), f"for the first sequence {right[0]:.3f}, not {found[0]:.3f}")
    _check_trainable(loss_without_padding, sequences)


def _check_trainable(loss, sequences):
    model = keras.Sequential([keras.Input(sequences.shape[1:]), keras.layers.Dense(3)])
    model.compile("sgd", loss, jit_compile=False)
    try:
        model.train_on_batch(sequences, sequences)
    except Exception:
        raise Wrong(LEAVES_GRAPH) from None


# Lesson 08: denoising autoencoder


@step("08.1", "dropout by hand, with its factor")
def check_dropout_by_hand(dropout_by_hand):
    """`dropout_by_hand(images, rate, rng)` -> what Dropout(rate) makes of them in training."""
    images = (0.2 + 0.8 * np.random.default_rng(0).random((50, 28, 28))).astype("float32")
    given = images.copy()
    for rate in (0.8, 0.5):
        answer = call(dropout_by_hand, given, rate, np.random.default_rng(1))
        require(same(given, images), "the images themselves were changed: work on a copy")
        spoiled = array(answer, images.shape, "the images")
        kept = spoiled != 0
        share = kept.mean()
        require(kept.any(), "all pixels are 0")
        require(
            abs(share - rate) > 0.02 or rate == 0.5,
            f"{share:.0%} of the pixels are kept: `rate` is the share to switch *off*",
        )
        require(
            abs(share - (1 - rate)) < 0.02,
            f"at rate {rate}, {share:.0%} of the pixels are kept instead of {1 - rate:.0%}",
        )
        require(
            not (kept == kept[0]).all(),
            "all images have the same holes: draw a number for each pixel of each image",
        )
        _check_factor(spoiled[kept] / images[kept], rate)


def _check_factor(factors, rate):
    wanted = 1 / (1 - rate)
    factor = np.median(factors)
    require(
        np.allclose(factors, factor, rtol=1e-3),
        "kept pixels are not all multiplied by the same number. (Cutting off at 1 is for pictures, "
        "not for the network)",
    )
    mistakes = {
        "kept pixels have no factor: the network gets less ink than in training": 1,
        "kept pixels are divided by the share that is switched off; divide by that of being kept": 1
        / rate,
        "kept pixels are multiplied by the share of being kept; divide by it": 1 - rate,
    }
    for message, wrong in mistakes.items():
        require(not np.isclose(factor, wrong, rtol=1e-3) or np.isclose(wrong, wanted), message)
    require(
        np.isclose(factor, wanted, rtol=1e-3),
        f"at rate {rate} kept pixels are multiplied by {factor:.3g}. Which factor keeps the sum of "
        "ink, on average, if only a part of the pixels is kept?",
    )


@step("08.2", "salt and pepper, in training only")
def check_salt_and_pepper(layer_class):
    """`layer_class(rate, seed)`: a layer; in training a share of the pixels becomes 0 or 1."""
    rate = 0.3
    layer = layer_class(rate, seed=0)
    images = ops.convert_to_tensor(np.full((60, 28, 28), 0.5, "float32"))
    noisy = array(call(layer.call, images, training=True), (60, 28, 28), "the images")
    _check_grains(noisy, rate)
    require(
        not (noisy == noisy[0]).all(),
        "all images get the same grains: draw a number for each pixel of each image",
    )
    require(
        same(call(layer.call, images, training=False), images),
        "it also acts outside of training: then `predict` gets spoiled images. Return them as they "
        "are unless `training`",
    )
    require(
        not same(call(layer.call, images, training=True), noisy),
        "two calls give the same noise: draw anew in each call, with seed=self.seed_generator",
    )
    compiled = tf.function(lambda images: layer(images, training=True))
    try:
        first, second = (np.asarray(compiled(images)) for _ in range(2))
    except Exception:
        raise Wrong(LEAVES_GRAPH) from None
    require(
        not same(first, second),
        "in `fit`, which compiles the layer, every batch would get the same noise: NumPy draws "
        "once only. Use keras.random",
    )


def _check_grains(noisy, rate):
    """`noisy`: what has become of images that are 0.5 everywhere."""
    changed = noisy != 0.5
    require(changed.any(), "nothing changes in training")
    require(
        np.isin(noisy[changed], (0, 1)).all(),
        "a pixel of 0.5 became "
        f"{noisy[changed & (noisy != 0) & (noisy != 1)][:1]}: salt and pepper are 0 and 1, nothing "
        "between or beyond",
    )
    pepper, salt = (noisy == 1).mean(), (noisy == 0).mean()
    grains = f"{salt:.0%} of the pixels are 0 and {pepper:.0%} are 1"
    require(min(salt, pepper) > 0.01, f"{grains}: both should occur, equally often")
    require(abs(salt - pepper) < 0.03, f"{grains}: they should occur equally often")
    require(
        abs(salt + pepper - rate) < 0.02,
        f"{grains}, which is {salt + pepper:.0%} together; a share of {rate:.0%} was asked for, "
        "half of it 0, half of it 1",
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
    _name_mistake(
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
    answer = np.asarray(call(truncated_codings, count, size, limit, np.random.default_rng(0)))
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
    again = truncated_codings(count, size, limit, np.random.default_rng(0))
    require(same(again, codings), "the same `rng` should give the same codings: draw with it")


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


def _name_mistake(found, mistakes):
    for message, wrong in mistakes.items():
        if same(found, wrong):
            raise Wrong(message)
