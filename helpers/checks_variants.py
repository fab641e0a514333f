"""Checks of the tasks at the end of lessons 06 to 08: convolutions, sequences, noise."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from helpers.exercises import (
    LEAVES_GRAPH,
    Wrong,
    all_layers,
    array,
    call,
    name_mistake,
    require,
    same,
    step,
)

POOLING = (
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.GlobalAveragePooling2D,
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
    name_mistake(
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
    name_mistake(
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
