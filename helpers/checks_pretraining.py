"""Checks of the tasks at the end of lessons 03 to 05: pretraining, tying, greedy training."""

import keras
import numpy as np
from keras import ops

from helpers.exercises import (
    Wrong,
    array,
    call,
    name_mistake,
    num_found,
    require,
    require_probabilities,
    same,
    step,
)
from helpers.models import stacked_encoder

# Lesson 03: pretraining


@step("03.3", "two classifiers compared image by image")
def check_compare_answers(compare_answers):
    """`compare_answers(first, second, truth)` -> only first right, only second right, deviations.

    Deviations: the difference of the two counts over the square root of their sum.
    """
    rng = np.random.default_rng(0)
    truth = rng.integers(10, size=500)
    first, second = (
        np.where(rng.random(500) < share, truth, (truth + rng.integers(1, 10, 500)) % 10)
        for share in (0.85, 0.72)
    )
    answer = call(compare_answers, first, second, truth)
    require(
        isinstance(answer, (tuple, list)) and len(answer) == 3,
        "three numbers are expected: only the first right, only the second right, deviations",
    )
    *counts, deviations = (float(array(number, (), "the answer")) for number in answer)
    right = np.array([
        ((first == truth) & (second != truth)).sum(), ((first != truth) & (second == truth)).sum(),
    ])  # fmt: skip
    _check_counts(np.array(counts), right, first, second, truth)
    _check_deviations(deviations, right, len(truth))


def _check_counts(counts, right, first, second, truth):
    correct = np.array([(answers == truth).sum() for answers in (first, second)])
    require(
        not same(counts, right[::-1]),
        "the two counts have changed places: first those that only the first gets right",
    )
    require(
        not same(counts, correct),
        "these are all images that each gets right. Leave out those that both get right",
    )
    require(
        not same(counts, right / len(truth)), "these are shares of the images; counts are expected"
    )
    require(
        not np.any(counts == (first != second).sum()),
        "that counts all images on which the answers differ, also those where both are wrong",
    )
    require(
        same(counts, right),
        f"only the first is right on {right[0]} images here and only the second on {right[1]}, not "
        f"{counts[0]:g} and {counts[1]:g}",
    )


def _check_deviations(found, counts, num_images):
    gap, total = counts[0] - counts[1], counts.sum()
    mistakes = {
        "the sign is reversed: positive shall mean that the first is ahead": -gap / np.sqrt(total),
        "divided by the number of images that exactly one gets right; the standard deviation is "
        "its square root": gap / total,
        "that is the square of the deviations: only the number below the line is under a root": (
            gap**2 / total
        ),
        "divided by the root of the number of *all* images. Those on which both are right, or "
        "both wrong, decide nothing": gap / np.sqrt(num_images),
        "that is the difference of the counts. Divide it by its standard deviation": gap,
        "that is the difference of the accuracies": gap / num_images,
    }
    said, wanted = "the counts are right. The third number: ", gap / np.sqrt(total)
    name_mistake(found, {said + message: wrong for message, wrong in mistakes.items()})
    require(np.isclose(found, wanted, rtol=1e-3), f"{said}it is {wanted:.3f} here, not {found:.3f}")


@step("03.4", "a classifier with its lower layers frozen, as many as one likes")
def check_partly_frozen(build_partly_frozen):
    """`build_partly_frozen(encoder_weights, num_frozen)` -> classifier; 0, 1 or 2 Dense frozen."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(scale=0.1, size=w.shape) for w in stacked_encoder().get_weights()]
    weights = [weight.astype("float32") for weight in weights]
    images = rng.random((16, 28, 28)).astype("float32")
    for num_frozen in (0, 1, 2):
        network = call(build_partly_frozen, weights, num_frozen)
        require(
            isinstance(network, keras.Model),
            f"a Keras network is expected, not {type(network).__name__}",
        )
        answers = array(call(network, images, training=False), (16, 10), "the answers")
        require_probabilities(answers)
        _check_frozen(network, weights[::2], num_frozen)
    return None


def _check_frozen(network, kernels, num_frozen):
    """Whether the kernels are in the network, and the first `num_frozen` of them are frozen."""
    trainable = [np.asarray(variable) for variable in network.trainable_variables]
    num_copied = num_found(kernels, network)
    require(
        num_copied == 2,
        f"{num_copied} of the encoder's 2 matrices are in the classifier: set_weights copies",
    )
    require(
        any(len(v.shape) == 2 and not any(same(v, k) for k in kernels) for v in trainable),
        f"num_frozen={num_frozen}: the head is frozen, too. Then nothing can learn the names",
    )
    frozen = [not any(same(kernel, own) for own in trainable) for kernel in kernels]
    if frozen == [num_frozen > 0, num_frozen > 1]:
        return
    said = f"num_frozen={num_frozen}: "
    require(frozen != [False, True], said + "the upper layer is frozen and the lower one isn't")
    if sum(frozen) > num_frozen:
        raise Wrong(said + f"{sum(frozen)} layers with weights are frozen: too many")
    counted = {0: "no layer", 1: "one layer"}[sum(frozen)]
    raise Wrong(
        said + f"{counted} with weights is frozen. The first of `encoder.layers` is the Flatten, "
        "which has nothing to freeze; and `encoder.trainable = True` sets all its layers free again"
    )


# Lesson 04: tied weights


@step("04.2", "an autoencoder with its outer pair tied")
def check_outer_tied(build_outer_tied):
    """`build_outer_tied()` -> 784, 100, 30, 100, 784; the last layer borrows the first matrix."""
    given = isinstance(build_outer_tied, keras.Model)
    network = build_outer_tied if given else call(build_outer_tied)
    require(
        isinstance(network, keras.Model),
        f"a Keras network is expected, not {type(network).__name__}: return keras.Sequential(…)",
    )
    images = np.random.default_rng(0).random((4, 28, 28)).astype("float32")
    copies = array(call(network, images, training=False), (4, 28, 28), "the copies")
    require(copies.min() >= 0 and copies.max() <= 1, "copies have pixels from 0 to 1: sigmoid")
    _check_matrices(network)
    before = network.get_weights()
    values = _redraw(network)
    computed = np.asarray(network(images, training=False)).reshape(4, 784)
    network.set_weights(before)
    _check_computed(computed, values, images.reshape(4, 784))
    return f"{network.count_params():,} parameters"


def _check_matrices(network):
    shapes = sorted((tuple(v.shape) for v in network.weights if len(v.shape) == 2), reverse=True)
    outer, inner, inner_back, outer_back = (784, 100), (100, 30), (30, 100), (100, 784)
    count = f"{network.count_params():,} parameters"
    require(
        shapes != [outer, inner],
        f"{count}: both pairs are tied. The decoder's first layer should have a matrix of its own",
    )
    require(
        shapes != [outer, outer_back, inner, inner_back],
        f"{count}: four matrices, so no pair is tied. A copy of the values at the start is no tie",
    )
    require(
        shapes != [outer, outer_back, inner],
        f"{count}: the inner pair is tied, 100 × 30. The outer pair is the one at the pixels",
    )
    shown = ", ".join(f"{rows} × {columns}" for rows, columns in shapes)
    require(
        shapes == [outer, inner, inner_back],
        f"the matrices are {shown}; expected are 784 × 100, 100 × 30 and 30 × 100",
    )
    biases = sorted(v.shape[0] for v in network.weights if len(v.shape) == 1)
    require(
        biases == [30, 100, 100, 784],
        f"the biases have the lengths {biases}; each of the four layers should have its own",
    )


def _redraw(network):
    """Give the network new weights, the same to biases of one length; returns them by shape."""
    rng, values = np.random.default_rng(1), {}
    for variable in network.weights:
        shape = tuple(variable.shape)
        values.setdefault(shape, rng.normal(scale=0.1, size=shape).astype("float32"))
        variable.assign(values[shape])
    return values


def _check_computed(computed, values, pixels):
    selu, sigmoid = keras.activations.selu, keras.activations.sigmoid

    def forward(first=selu, second=selu, third=selu, turn=True):
        hidden = first(ops.matmul(pixels, values[784, 100]) + values[(100,)])
        hidden = second(ops.matmul(hidden, values[100, 30]) + values[(30,)])
        hidden = third(ops.matmul(hidden, values[30, 100]) + values[(100,)])
        return np.asarray(sigmoid(ops.matmul(hidden, values[784, 100].T) + values[(784,)]))

    if same(computed, forward()):
        return
    linear = keras.activations.linear
    require(
        not same(computed, forward(third=linear)),
        "the decoder's first layer has no activation: SELU, as in the lesson",
    )
    require(
        not same(computed, forward(second=linear)),
        "the codings have no activation: SELU, as in the lesson's encoder",
    )
    raise Wrong(
        "the matrices are right, but the network computes something else: SELU in the first three "
        "layers, a sigmoid in the last, and the first matrix read backward there"
    )


# Lesson 05: greedy training


@step("05.1", "a stack of copies that leaves the phases as they were")
def check_stack_copies(stack_copies):
    """`stack_copies(encoders, decoders)`: as the lesson's stack, from new layers, same weights."""
    encoders, decoders = _phases()
    own = [*encoders, *decoders]
    before = [weight for layer in own for weight in layer.get_weights()]
    images = np.random.default_rng(0).random((6, 784)).astype("float32")
    wanted = images
    for layer in (*encoders, *reversed(decoders)):
        wanted = layer(wanted)
    try:
        network = call(stack_copies, encoders, decoders)
    except Wrong as error:
        misfit = "shape" in str(error) or "incompatible" in str(error)
        hint = ". Do the encoders come in order, then the decoders in reverse?"
        raise Wrong(f"{error}{hint if misfit else ''}") from None
    require(
        isinstance(network, keras.Model),
        f"a Keras network is expected, not {type(network).__name__}",
    )
    what = "the outputs (decoders in reverse?)"
    made = array(call(network, images, training=False), (6, 784), what)
    after = [weight for layer in own for weight in layer.get_weights()]
    require(
        all(map(same, before, after)),
        "the phases' own layers have new weights: copy from them, not to them",
    )
    _check_copied(network, own)
    require(
        same(made, wanted),
        "the matrices are right, but the stack computes something else: are activations and biases "
        "those of the phases?",
    )
    return None


def _check_copied(network, own):
    """Whether the network's layers have the weights of the layers `own`, and are others."""
    theirs = {id(variable) for variable in network.variables}
    num_shared = sum(id(layer.kernel) in theirs for layer in own)
    require(
        num_shared == 0,
        f"{num_shared} of the {len(own)} layers are the phases' own: fine-tuning would change "
        "them, too. Make new layers",
    )
    num_copied = num_found([layer.kernel for layer in own], network)
    require(
        num_copied == len(own),
        f"{num_copied} of the {len(own)} weight matrices are in the stack. A new layer, or "
        "clone_model, has the form and not what was learned: set_weights copies that",
    )
    require(
        len(network.trainable_variables) == 2 * len(own),
        "some copies are frozen: fine-tuning would not change them",
    )


def _phases(sizes=(784, 12, 8, 5)):
    """Encoders and decoders of three phases, with weights as if they had been trained."""
    rng, encoders, decoders = np.random.default_rng(0), [], []
    for below, above in zip(sizes, sizes[1:], strict=False):
        encoders.append(keras.layers.Dense(above, activation="selu"))
        decoders.append(keras.layers.Dense(below, activation="selu" if decoders else "sigmoid"))
        for layer, num_inputs in ((encoders[-1], below), (decoders[-1], above)):
            layer.build((None, num_inputs))
            shapes = [weight.shape for weight in layer.get_weights()]
            layer.set_weights([rng.normal(scale=0.2, size=shape) for shape in shapes])
    return encoders, decoders
