"""Each check of lessons 00 to 05: right answers pass, plausible wrong ones are named."""

import copy
import functools

import keras
import numpy as np
import pytest
from keras import layers, ops
from sklearn.decomposition import PCA

from helpers import checks_basics, checks_pretraining, exercises
from helpers.exercises import judge
from helpers.layers import DenseTranspose
from helpers.models import stacked_decoder, stacked_encoder


@pytest.fixture(autouse=True)
def lesson_and_seeds(lesson):
    """The profile "lesson", and the same random numbers in each run."""
    keras.utils.set_random_seed(0)


# Lesson 00


def growing(rng, length, growth=None, start=None, step=None, lowest=0):
    growth = int(rng.integers(1, 3)) if growth is None else growth
    own = growth * (length - 1) * (length - 2) // 2  # what the growth alone adds up to
    step = int(rng.integers(lowest, (99 - own) // (length - 1) + 1)) if step is None else step
    room = 99 - own - step * (length - 1)
    start = int(rng.integers(0, room + 1)) if start is None else start
    return [start + step * i + growth * i * (i - 1) // 2 for i in range(length)]


def growing_by_trial(rng, length):
    while True:
        start, step, growth = rng.integers(0, 100), rng.integers(-10, 10), rng.integers(-2, 3)
        numbers = start + np.cumsum(np.append(0, step + growth * np.arange(length - 1)))
        if numbers.min() >= 0 and numbers.max() < 100:
            return numbers


def constant_step(rng, length):
    step = int(rng.integers(1, 90 // (length - 1) + 1))
    start = int(rng.integers(0, 100 - step * (length - 1)))
    return [start + step * index for index in range(length)]


def by_a_factor(rng, length):
    return (rng.uniform(1, 5) * 1.3 ** np.arange(length)).tolist()


def too_high(rng, length):
    start, step, growth = rng.integers(0, 50), rng.integers(1, 9), rng.integers(1, 9)
    return [start + step * i + growth * i * (i - 1) // 2 for i in range(length)]


def step_tells_growth(rng, length):
    growth = int(rng.integers(1, 3))
    return growing(rng, length, growth=growth, step=growth)


def another_generator(rng, length):
    return growing(np.random.default_rng(), length)


COUNTS = {"growing step": 3, "squares": 2, "forth and back": 5, "taken in turn": 4}


# Lesson 01


def pca_axes(kernel, points):
    basis = np.linalg.qr(kernel.T)[0]
    return np.linalg.svd(points @ basis, full_matrices=False)[2] @ basis.T


def pca_axes_of_projections(kernel, points):
    basis = np.linalg.qr(kernel.T)[0]
    return PCA(len(kernel)).fit(points @ basis @ basis.T).components_


def pca_axes_ascending(kernel, points):
    basis = np.linalg.qr(kernel.T)[0]
    return (basis @ np.linalg.eigh(np.cov(basis.T @ points.T))[1]).T


def unit_rows(kernel, points):
    return kernel / np.linalg.norm(kernel, axis=1, keepdims=True)


def least_error(points, codings_size, ddof=0, divide=True, center=True, kept=False, power=2):
    points = points - points.mean(axis=0) if center else points
    values = np.linalg.svd(points, compute_uv=False) ** power / (len(points) - ddof)
    values = values[:codings_size] if kept else values[codings_size:]
    return values.sum() / (points.shape[1] if divide else 1)


def least_error_by_pca(points, codings_size):
    pca = PCA(codings_size).fit(points)
    return np.square(points - pca.inverse_transform(pca.transform(points))).mean()


def share_lost(points, codings_size):
    return 1 - PCA(codings_size).fit(points).explained_variance_ratio_.sum()


# Lesson 02


def share_silent(codings):
    return (codings.std(axis=0) < 0.1).mean()


def cross_entropy(x, x_hat, clip=1e-7):
    x_hat = np.clip(x_hat, clip, 1 - clip) if clip else x_hat
    with np.errstate(all="ignore"):
        return -x * np.log(x_hat) - (1 - x) * np.log(1 - x_hat)


def excess(images, copies, clip=1e-7):
    return (cross_entropy(images, copies, clip) - cross_entropy(images, images, clip)).mean((1, 2))


def excess_by_keras(images, copies):
    loss = keras.losses.binary_crossentropy
    return ops.mean(loss(images, copies) - loss(images, images), axis=1)


def one_floor(images, copies):
    floor = cross_entropy(images, images).mean()
    return cross_entropy(images, copies).mean((1, 2)) - floor


# Lesson 03


def compare(first, second, truth, root=True, power=1, num=None, sign=1):
    only_first = np.sum((first == truth) & (second != truth))
    only_second = np.sum((first != truth) & (second == truth))
    total = num or only_first + only_second
    gap = sign * (only_first - only_second) ** power
    return only_first, only_second, gap / (np.sqrt(total) if root else total)


def compare_swapped(first, second, truth):
    only_first, only_second, deviations = compare(first, second, truth)
    return only_second, only_first, deviations


def compare_with(counts):
    return lambda first, second, truth: (*counts(first, second, truth), 1.0)


def partly_frozen(weights, num_frozen, count=True, copied=True, head=True, last="softmax", by=None):
    encoder = stacked_encoder()
    if copied:
        encoder.set_weights(weights)
    own = encoder.layers[1:] if count else encoder.layers
    for layer in own[:num_frozen] if by is None else by(own, num_frozen):
        layer.trainable = False
    new = [layers.Dense(30, activation="selu"), layers.Dense(10, activation=last)]
    for layer in new:
        layer.trainable = head
    return keras.Sequential([encoder, *new])


# Lesson 04


def outer_tied(outer=True, inner=False, third="selu", last="sigmoid", shape=True, second="selu"):
    dense_1 = layers.Dense(100, activation="selu")
    dense_2 = layers.Dense(30, activation=second)
    encoder = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), dense_1, dense_2])
    lower = (
        DenseTranspose(dense_2, activation=third) if inner else layers.Dense(100, activation=third)
    )
    upper = DenseTranspose(dense_1, activation=last) if outer else layers.Dense(784, last)
    end = [layers.Reshape((28, 28))] if shape else []
    return keras.Sequential([encoder, keras.Sequential([keras.Input((30,)), lower, upper, *end])])


def outer_tied_flat():
    dense_1, images = layers.Dense(100, activation="selu"), keras.Input((28, 28))
    codings = layers.Dense(30, activation="selu")(dense_1(layers.Flatten()(images)))
    hidden = layers.Dense(100, activation="selu")(codings)
    outputs = DenseTranspose(dense_1, activation="sigmoid")(hidden)
    return keras.Model(images, layers.Reshape((28, 28))(outputs))


def copied_once():
    network = keras.Sequential([stacked_encoder(), stacked_decoder()])
    encoder, decoder = network.layers
    decoder.layers[1].kernel.assign(ops.transpose(encoder.layers[1].kernel))
    return network


# Lesson 05


def stack(encoders, decoders):
    return keras.Sequential([keras.Input((784,)), *encoders, *reversed(decoders)])


def stack_copies(encoders, decoders):
    network = keras.models.clone_model(stack(encoders, decoders))
    network.set_weights(stack(encoders, decoders).get_weights())
    return network


def stack_layer_by_layer(encoders, decoders, turn=True, activation=True, trainable=True):
    network = keras.Sequential([keras.Input((784,))])
    for layer in [*encoders, *(reversed(decoders) if turn else decoders)]:
        own_activation = layer.activation if activation else None
        network.add(layers.Dense(layer.units, activation=own_activation, trainable=trainable))
        network.layers[-1].set_weights(layer.get_weights())
    return network


def stack_by_deepcopy(encoders, decoders):
    return stack(*copy.deepcopy([encoders, decoders]))


def stack_from_config(encoders, decoders):
    network = keras.Sequential([keras.Input((784,))])
    for layer in encoders + decoders[::-1]:
        network.add(layers.Dense.from_config(layer.get_config()))
        network.layers[-1].set_weights(layer.get_weights())
    return network


def stack_without_weights(encoders, decoders):
    return keras.models.clone_model(stack(encoders, decoders))


def stack_half_shared(encoders, decoders):
    copies = stack_copies(encoders, decoders).layers
    return keras.Sequential([keras.Input((784,)), *encoders, *copies[len(encoders) :]])


def stack_copied_to_the_phases(encoders, decoders):
    network = keras.models.clone_model(stack(encoders, decoders))
    stack(encoders, decoders).set_weights(network.get_weights())
    return network


def partial(function, **arguments):
    return functools.partial(function, **arguments)


RIGHT = [
    ("00.2", growing),
    ("00.2", growing_by_trial),
    ("00.2", lambda rng, length: growing(rng, length)[::-1]),
    ("00.3", COUNTS),
    ("01.3", pca_axes),
    ("01.3", pca_axes_of_projections),
    ("01.3", lambda kernel, points: -pca_axes_ascending(kernel, points)[::-1]),
    ("01.4", least_error),
    ("01.4", least_error_by_pca),
    ("01.4", lambda points, size: ops.convert_to_tensor(least_error(points, size))),
    ("02.1", share_silent),
    ("02.1", lambda codings: sum(np.std(c) < 0.1 for c in codings.T) / codings.shape[1]),
    ("02.1", lambda codings: ops.mean(ops.cast(ops.std(codings, axis=0) < 0.1, "float32"))),
    ("02.2", excess),
    ("02.2", excess_by_keras),
    ("03.3", compare),
    ("03.3", lambda *answers: list(compare(*answers))),
    ("03.4", partly_frozen),
    ("04.2", outer_tied),
    ("04.2", outer_tied_flat),
    ("04.2", outer_tied()),
    ("05.1", stack_copies),
    ("05.1", stack_layer_by_layer),
    ("05.1", stack_by_deepcopy),
    ("05.1", stack_from_config),
]

WRONG = {
    ("00.2", "constant"): (constant_step, "the step stays the same"),
    ("00.2", "factor"): (by_a_factor, "by the same amount"),
    ("00.2", "wrapped"): (lambda rng, n: [x % 100 for x in too_high(rng, n)], "by the same amount"),
    ("00.2", "too high"): (too_high, "between 0 and 99"),
    ("00.2", "one growth"): (partial(growing, growth=1), "the growth is 1 in all"),
    ("00.2", "one start"): (partial(growing, start=0), "the start is 0 in all"),
    ("00.2", "one step"): (partial(growing, step=1), "the first step is 1 in all"),
    ("00.2", "step tells"): (step_tells_growth, "one tells another"),
    ("00.2", "generator"): (another_generator, "don't all come from `rng`"),
    ("00.2", "length"): (lambda rng, length: growing(rng, 10), "length 7"),
    ("00.3", "growing 2"): (COUNTS | {"growing step": 2}, "how much the step grows"),
    ("00.3", "squares 1"): (COUNTS | {"squares": 1}, "PCA can only multiply"),
    ("00.3", "squares 3"): (COUNTS | {"squares": 3}, "belongs to the mean"),
    ("00.3", "both halves"): (COUNTS | {"forth and back": 10}, "follows from the first"),
    ("00.3", "in turn 2"): (COUNTS | {"taken in turn": 2}, "start and a step of its own"),
    ("00.3", "in turn 6"): (COUNTS | {"taken in turn": 6}, "6 is too many"),
    ("00.3", "squares 4"): (COUNTS | {"squares": 4}, "how many fixed lists"),
    ("00.3", "missing"): ({"squares": 2}, "no answer for 'growing step'"),
    ("00.3", "text"): (COUNTS | {"squares": "two"}, "a whole number"),
    ("01.3", "the points' own"): (
        lambda kernel, points: PCA(len(kernel)).fit(points).components_, "in the decoder's plane",
    ),
    ("01.3", "kernel"): (lambda kernel, points: kernel, "not at right angles"),
    ("01.3", "unit rows"): (unit_rows, "not at right angles"),
    ("01.3", "qr only"): (
        lambda kernel, points: np.linalg.qr(kernel.T)[0].T, "Turn the axes within the plane",
    ),
    ("01.3", "svd of the kernel"): (
        lambda kernel, points: np.linalg.svd(kernel, full_matrices=False)[2], "Turn the axes",
    ),
    ("01.3", "ascending"): (pca_axes_ascending, "wrong order"),
    ("01.3", "columns"): (lambda kernel, points: pca_axes(kernel, points).T, "axis per row"),
    ("01.3", "lengths"): (lambda kernel, points: 2 * pca_axes(kernel, points), "should be 1"),
    ("01.3", "two only"): (lambda kernel, points: pca_axes(kernel, points)[:2], "[2, 6]"),
    ("01.4", "kept"): (partial(least_error, kept=True), "that the codings keep"),
    ("01.4", "sum"): (partial(least_error, divide=False), "by the number of coordinates"),
    ("01.4", "n - 1"): (partial(least_error, ddof=1), "N − 1"),
    ("01.4", "sum, n - 1"): (partial(least_error, divide=False, ddof=1), "N − 1"),
    ("01.4", "share"): (share_lost, "a share of the variance"),
    ("01.4", "share kept"): (lambda *a: 1 - share_lost(*a), "share of the variance that is kept"),
    ("01.4", "not centered"): (partial(least_error, center=False), "not centered"),
    ("01.4", "not squared"): (partial(least_error, power=1), "must be squared"),
    ("01.4", "never zero"): (lambda p, k: least_error(p, min(k, 3)), "nothing is lost"),
    ("02.1", "active"): (lambda codings: 1 - share_silent(codings), "*not* silent"),
    ("02.1", "rows"): (lambda codings: (codings.std(axis=1) < 0.1).mean(), "axis=0"),
    ("02.1", "variance"): (lambda codings: (codings.var(axis=0) < 0.1).mean(), "the variance"),
    ("02.1", "count"): (lambda codings: (codings.std(axis=0) < 0.1).sum(), "not a count"),
    ("02.1", "near zero"): (
        lambda codings: (np.abs(codings.mean(axis=0)) < 0.1).mean(), "hardly *changes*",
    ),
    ("02.1", "limit"): (lambda codings: (codings.mean(axis=0) < -1.7).mean(), "stuck elsewhere"),
    ("02.1", "each"): (lambda codings: codings.std(axis=0) < 0.1, "one answer per coding"),
    ("02.2", "no floor"): (lambda x, y: cross_entropy(x, y).mean((1, 2)), "take off the floor"),
    ("02.2", "floor only"): (lambda x, y: cross_entropy(x, x).mean((1, 2)), "the floor itself"),
    ("02.2", "floor of the copies"): (
        lambda x, y: (cross_entropy(x, y) - cross_entropy(y, y)).mean((1, 2)), "of the *copies*",
    ),
    ("02.2", "one floor"): (one_floor, "one of its own"),
    ("02.2", "one number"): (lambda x, y: excess(x, y).mean(), "for all images together"),
    ("02.2", "rows"): (lambda x, y: (cross_entropy(x, y) - cross_entropy(x, x)).mean(1), "[5, 28]"),
    ("02.2", "log 0"): (partial(excess, clip=None), "log 0"),
    ("02.2", "sign"): (lambda x, y: -excess(x, y), "sign is reversed"),
    ("02.2", "sum"): (lambda x, y: 784 * excess(x, y), "sum over the pixels"),
    ("02.2", "places"): (lambda x, y: excess(y, x), "have changed places"),
    ("02.2", "squared"): (lambda x, y: np.square(x - y).mean((1, 2)), "squared error"),
    ("03.3", "swapped"): (compare_swapped, "changed places"),
    ("03.3", "both right, too"): (
        compare_with(lambda a, b, t: (np.sum(a == t), np.sum(b == t))), "Leave out",
    ),
    ("03.3", "differ"): (
        compare_with(lambda a, b, t: (np.sum(a != b), np.sum(a != b))), "where both are wrong",
    ),
    ("03.3", "shares"): (
        lambda a, b, t: tuple(n / len(t) for n in compare(a, b, t)), "counts are expected",
    ),
    ("03.3", "no root"): (partial(compare, root=False), "its square root"),
    ("03.3", "square"): (partial(compare, root=False, power=2), "the square of the deviations"),
    ("03.3", "all images"): (partial(compare, num=500), "of *all* images"),
    ("03.3", "sign"): (partial(compare, sign=-1), "the sign is reversed"),
    ("03.3", "difference"): (partial(compare, num=1), "the difference of the counts"),
    ("03.3", "accuracies"): (partial(compare, num=500, root=False), "of the accuracies"),
    ("03.3", "two"): (lambda a, b, t: compare(a, b, t)[:2], "three numbers"),
    ("03.4", "Flatten"): (partial(partly_frozen, count=False), "Flatten"),
    ("03.4", "nothing"): (partial(partly_frozen, by=lambda own, n: []), "no layer"),
    ("03.4", "all"): (partial(partly_frozen, by=lambda own, n: own if n else []), "too many"),
    ("03.4", "upper"): (
        partial(partly_frozen, by=lambda own, n: own[len(own) - n :]), "the lower one isn't",
    ),
    ("03.4", "not copied"): (partial(partly_frozen, copied=False), "set_weights copies"),
    ("03.4", "head"): (partial(partly_frozen, head=False), "the head is frozen"),
    ("03.4", "logits"): (partial(partly_frozen, last=None), "end with a softmax"),
    ("04.2", "both"): (partial(outer_tied, inner=True), "both pairs are tied"),
    ("04.2", "inner"): (partial(outer_tied, outer=False, inner=True), "the inner pair is tied"),
    ("04.2", "none"): (partial(outer_tied, outer=False), "no pair is tied"),
    ("04.2", "copied once"): (copied_once, "is no tie"),
    ("04.2", "no selu"): (partial(outer_tied, third=None), "has no activation"),
    ("04.2", "linear codings"): (partial(outer_tied, second=None), "the codings have no"),
    ("04.2", "relu"): (partial(outer_tied, third="relu"), "something else"),
    ("04.2", "no sigmoid"): (partial(outer_tied, last=None), "sigmoid"),
    ("04.2", "flat"): (partial(outer_tied, shape=False), "[4, 784]"),
    ("04.2", "nothing"): (lambda: None, "`return` missing"),
    ("05.1", "shared"): (stack, "6 of the 6 layers are the phases' own"),
    ("05.1", "half shared"): (stack_half_shared, "3 of the 6 layers are the phases' own"),
    ("05.1", "clone_model"): (stack_without_weights, "set_weights copies that"),
    ("05.1", "order"): (partial(stack_layer_by_layer, turn=False), "decoders in reverse?"),
    ("05.1", "linear"): (partial(stack_layer_by_layer, activation=False), "activations"),
    ("05.1", "frozen"): (partial(stack_layer_by_layer, trainable=False), "are frozen"),
    ("05.1", "direction"): (stack_copied_to_the_phases, "copy from them, not to them"),
}  # fmt: skip


def own_steps():
    exercises._find("00.2")
    exercises._find("03.3")
    modules = checks_basics.__name__, checks_pretraining.__name__
    return {
        step for step, (_, function) in exercises._checks.items() if function.__module__ in modules
    }


@pytest.mark.parametrize(("step", "answer"), RIGHT)
def test_a_right_answer_passes(step, answer):
    result = judge(step, answer)
    assert result.state == "right", result


@pytest.mark.parametrize("case", WRONG, ids=lambda case: " ".join(case).replace(" ", "-"))
def test_a_wrong_answer_is_caught_and_its_mistake_named(case):
    answer, message = WRONG[case]
    result = judge(case[0], answer)
    assert result.state == "wrong", result
    assert message in result.message, result


@pytest.mark.parametrize("step", sorted(own_steps()))
def test_a_gap_is_not_done_yet(step):
    assert judge(step, ...).state == "not done"
    if step == "00.3":
        gaps = dict.fromkeys(COUNTS, ...)
        assert judge(step, COUNTS | {"squares": ...}).state == judge(step, gaps).state == "not done"
    else:
        assert judge(step, lambda *arguments: ...).state == "not done"


@pytest.mark.parametrize("step", sorted(own_steps()))
def test_an_answer_of_no_sense_gets_a_sentence(step):
    for answer in (None, 3, "text", np.zeros(3), lambda: 3, lambda *arguments: "text"):
        result = judge(step, answer)
        assert result.state == "wrong" and "could not be checked" not in result.message, result


def test_every_step_has_right_answers_and_three_wrong_ones():
    steps = own_steps()
    assert {step[:2] for step in steps} == {f"{lesson:02d}" for lesson in range(6)}
    assert {step for step, _ in RIGHT} == steps
    for step in steps:
        assert sum(case[0] == step for case in WRONG) >= 3


def test_the_counted_codings_are_what_pca_needs():
    rng = np.random.default_rng(0)
    start = rng.integers(0, 50, (400, 1))
    halves = rng.integers(0, 100, (400, 5))
    pairs = np.array([[constant_step(rng, 5), constant_step(rng, 5)] for _ in range(400)])
    sequences = {
        "growing step": np.array([growing(rng, 10) for _ in range(400)]),
        "squares": (start + np.arange(10)) ** 2,
        "forth and back": np.hstack([halves, halves[:, ::-1]]),
        "taken in turn": pairs.transpose(0, 2, 1).reshape(400, 10),
    }
    needed = {
        name: int(np.linalg.matrix_rank(numbers - numbers.mean(axis=0)))
        for name, numbers in sequences.items()
    }
    assert needed == COUNTS == checks_basics.CODINGS_NEEDED


def test_a_network_that_is_judged_keeps_its_weights():
    network = outer_tied()
    before = network.get_weights()
    assert judge("04.2", network).state == "right"
    assert all(map(np.array_equal, before, network.get_weights()))
