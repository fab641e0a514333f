"""The checks of lessons 06 to 10: right answers pass, plausible wrong ones are named."""

import functools

import keras
import numpy as np
import pytest
from keras import layers, ops
from scipy.stats import truncnorm

from helpers import checks_codings, checks_variants, exercises
from helpers.exercises import judge

# 06.1 and 06.3


def encoder(padding="same", strides=2, pool=False, last=64, kernel_size=3):
    stack = [keras.Input((28, 28)), layers.Reshape((28, 28, 1))]
    for maps in (16, 32, last):
        stack += [layers.Conv2D(maps, kernel_size, strides, padding, activation="selu")]
        stack += [layers.MaxPool2D(2)] if pool else []
    return keras.Sequential(stack)


def decoder(*first, takes=(4, 4, 64), then=(), last="sigmoid", maps=1):
    back = functools.partial(layers.Conv2DTranspose, kernel_size=3, strides=2, padding="same")
    stack = [keras.Input(takes), *first, back(16, activation="selu")]
    return keras.Sequential([*stack, back(maps, activation=last), *then])


def back(**arguments):
    arguments = {"kernel_size": 3, "strides": 2, "padding": "same", **arguments}
    return layers.Conv2DTranspose(32, activation="selu", **arguments)


def case_06(build_encoder=encoder, build_decoder=None):
    return build_encoder, build_decoder or (lambda: decoder(back(output_padding=0)))


def dense_decoder():
    stack = [keras.Input((4, 4, 64)), layers.Flatten(), layers.Dense(784, "sigmoid")]
    return keras.Sequential([*stack, layers.Reshape((28, 28, 1))])


def upsampling_decoder():
    stack = [layers.UpSampling2D(2), layers.Conv2D(8, 2, padding="valid", activation="selu")]
    return decoder(*stack)


def painted(num_inputs, kernel_size, stride):
    counts = np.zeros((num_inputs - 1) * stride + kernel_size)
    for place in range(num_inputs):
        counts[stride * place : stride * place + kernel_size] += 1
    return counts


def painted_by_keras(num_inputs, kernel_size, stride, padding="valid"):
    layer = layers.Conv1DTranspose(
        1, kernel_size, stride, padding, kernel_initializer="ones", use_bias=False
    )
    return layer(np.ones((1, num_inputs, 1)))[0, :, 0]


def painted_square(*sizes):
    return np.outer(painted(*sizes), painted(*sizes))


def painted_evenly(num_inputs, kernel_size, stride):
    return np.full((num_inputs - 1) * stride + kernel_size, kernel_size / stride)


# 07.2 and 07.3


def hide(images, rows_read, shift=0, axis=1, first=False, targets=True):
    places = np.arange(28).reshape((1, 28, 1) if axis == 1 else (1, 1, 28))
    seen = places < np.reshape(rows_read, (-1, 1, 1)) + shift
    inputs = np.where(seen != first, images, 0)
    return inputs, images if targets else inputs


def hide_in_a_loop(images, rows_read):
    inputs = images.copy()
    for sequence, k in zip(inputs, rows_read, strict=True):
        sequence[k:] = 0
    return inputs, images


def hide_in_place(images, rows_read):
    for sequence, k in zip(images, rows_read, strict=True):
        sequence[k:] = 0
    return images, images


def hide_one_k(images, rows_read):
    return hide(images, rows_read[0])


def without_padding(sequences, copies, filler=-1, divide="real", axis=(1, 2)):
    real = ops.any(sequences != filler, axis=-1, keepdims=True)
    real = ops.cast(real, "float32") * ops.ones_like(sequences)
    squares = ops.square(sequences - copies) * real
    number = ops.sum(real, axis=(1, 2)) if divide == "real" else 1
    number = ops.sum(real[:, :, 0], axis=1) if divide == "steps" else number
    return ops.mean(squares, (1, 2)) if divide == "all" else ops.sum(squares, (1, 2)) / number


def without_padding_by_steps(sequences, copies):
    steps = ops.mean(ops.square(sequences - copies), axis=-1)  # [N, T]
    real = ops.cast(sequences[:, :, 0] >= 0, steps.dtype)
    return ops.sum(steps * real, axis=1) / ops.sum(real, axis=1)


def without_padding_in_numpy(sequences, copies):
    sequences, copies = np.asarray(sequences), np.asarray(copies)
    return [np.square(s - c)[s[:, 0] >= 0].mean() for s, c in zip(sequences, copies, strict=True)]


def with_padding(sequences, copies, axis=(1, 2)):
    return ops.mean(ops.square(sequences - copies), axis=axis)


# 08.1 and 08.2


def dropped(images, rate, rng, factor=None, keep=None, shape=None):
    kept = rng.random(shape or images.shape) >= (rate if keep is None else keep(rate))
    return images * kept * (1 / (1 - rate) if factor is None else factor(rate))


def dropped_in_place(images, rate, rng):
    images[rng.random(images.shape) < rate] = 0
    images /= 1 - rate
    return images


def dropped_by_keras(images, rate, rng):
    return layers.Dropout(rate, seed=int(rng.integers(100)))(images, training=True)


class Grains(layers.Layer):
    """Salt and pepper; each subclass has its own mistake."""

    def __init__(self, rate=0.2, seed=None):
        super().__init__()
        self.rate, self.seed_generator = rate, keras.random.SeedGenerator(seed)

    def draw(self, images):
        return keras.random.uniform(ops.shape(images), seed=self.seed_generator)

    def call(self, images, training=False):
        if not training:
            return images
        return self.spoil(images, self.draw(images))

    def spoil(self, images, draws):
        half = self.rate / 2
        return ops.where(draws < half, 0.0, ops.where(draws > 1 - half, 1.0, images))


class TwoDraws(Grains):
    def spoil(self, images, draws):
        grains = ops.cast(self.draw(images) < 0.5, "float32")
        return ops.where(draws < self.rate, grains, images)


class GapGrains(Grains):
    def call(self, images, training=False):
        return ...


class AlwaysGrains(Grains):
    def call(self, images, training=False):
        return self.spoil(images, self.draw(images))


class TwiceGrains(Grains):
    def spoil(self, images, draws):
        return ops.where(draws < self.rate, 0.0, ops.where(draws > 1 - self.rate, 1.0, images))


class OnlyPepper(Grains):
    def spoil(self, images, draws):
        return ops.where(draws < self.rate, 0.0, images)


class MoreSalt(Grains):
    def spoil(self, images, draws):
        grains = ops.cast(self.draw(images) < 0.25, "float32")
        return ops.where(draws < self.rate, grains, images)


class AddedGrains(Grains):
    def spoil(self, images, draws):
        half = self.rate / 2
        return images - ops.cast(draws < half, "float32") + ops.cast(draws > 1 - half, "float32")


class GrayGrains(Grains):
    def spoil(self, images, draws):
        return ops.where(draws < self.rate, self.draw(images), images)


class SameHoles(Grains):
    def draw(self, images):
        return keras.random.uniform((1, 28, 28), seed=self.seed_generator)


class FixedSeed(Grains):
    def draw(self, images):
        return keras.random.uniform(ops.shape(images), seed=7)


class NumpyGrains(Grains):
    def draw(self, images):
        return np.random.random(images.shape).astype("float32")


# 09.3 and 09.5


class KeepLargest(layers.Layer):
    def __init__(self, count):
        super().__init__()
        self.count = count

    def call(self, codings):
        limit = ops.top_k(codings, self.count)[0][:, -1:]
        return self.choose(codings, limit)

    def choose(self, codings, limit):
        return ops.where(codings >= limit, codings, 0.0)


class KeepBySorting(KeepLargest):
    def call(self, codings):
        limit = ops.sort(codings, axis=-1)[:, -self.count, None]
        return codings * ops.cast(codings >= limit, codings.dtype)


class GapKeep(KeepLargest):
    def call(self, codings):
        return ...


class KeepMask(KeepLargest):
    def choose(self, codings, limit):
        return ops.cast(codings >= limit, codings.dtype)


class KeepSmaller(KeepLargest):
    def choose(self, codings, limit):
        return ops.where(codings >= limit, 0.0, codings)


class KeepFewer(KeepLargest):
    def choose(self, codings, limit):
        return ops.where(codings > limit, codings, 0.0)


class KeepShort(KeepLargest):
    def call(self, codings):
        return ops.top_k(codings, self.count)[0]


class KeepSmallest(KeepLargest):
    def call(self, codings):
        limit = ops.sort(codings, axis=-1)[:, self.count - 1, None]
        return ops.where(codings <= limit, codings, 0.0)


class KeepPerUnit(KeepLargest):
    def call(self, codings):
        return self.choose(codings, ops.sort(codings, axis=0)[-self.count])


class KeepPerBatch(KeepLargest):
    def call(self, codings):
        number = self.count * codings.shape[0]
        return self.choose(codings, ops.sort(ops.reshape(codings, (-1,)))[-number])


class KeepAboveHalf(KeepLargest):
    def call(self, codings):
        return self.choose(codings, 0.5)


class KeepInNumpy(KeepLargest):
    def call(self, codings):
        codings = np.array(codings)
        limit = np.sort(codings, axis=1)[:, -self.count, None]
        return ops.convert_to_tensor(np.where(codings >= limit, codings, 0).astype("float32"))


class KeepWithoutSlope(KeepLargest):
    def choose(self, codings, limit):
        return ops.stop_gradient(super().choose(codings, limit))


class KeepWithPenalty(KeepLargest):
    def call(self, codings):
        self.add_loss(ops.mean(codings))
        return super().call(codings)


def different(bits):
    return len(np.unique(bits, axis=0))


def different_as_text(bits):
    return len({"".join(str(int(bit)) for bit in row) for row in bits})


def as_numbers(bits, dtype="float64"):
    powers = 2.0 ** np.arange(bits.shape[1])
    return len(np.unique(np.sum(bits * powers.astype(dtype), axis=1, dtype=dtype)))


# 10.1 and 10.3


def nats(mean, log_var, factor=0.5):
    return factor * (ops.square(mean) + ops.exp(log_var) - 1 - log_var)


def active(mean, log_var, limit=0.1, **arguments):
    return ops.sum(ops.mean(nats(mean, log_var, **arguments), axis=0) > limit)


def active_with(count):
    """`count(nats, mean)` -> what is compared with the limit."""
    return lambda mean, log_var, limit=0.1: int(
        np.sum(count(np.asarray(nats(mean, log_var)), mean) > limit)
    )


def redrawn(num_codings, size, limit, rng, times=None):
    codings = rng.normal(size=(num_codings, size))
    while (np.abs(codings) > limit).any() and times != 0:
        beyond = np.abs(codings) > limit
        codings[beyond] = rng.normal(size=beyond.sum())
        times = None if times is None else times - 1
    return codings


def all_again(num_codings, size, limit, rng):
    codings = rng.normal(size=(num_codings, size))
    while (np.abs(codings) > limit).any():
        codings = rng.normal(size=(num_codings, size))
    return codings


def filtered(num_codings, size, limit, rng, refill=True):
    kept = np.zeros((0, size))
    while len(kept) < num_codings:
        many = rng.normal(size=(num_codings, size))
        kept = np.concatenate([kept, many[(np.abs(many) <= limit).all(axis=1)]])
        if not refill:
            break
    return kept[:num_codings]


def by_scipy(num_codings, size, limit, rng):
    return truncnorm.rvs(-limit, limit, size=(num_codings, size), random_state=rng)


def clipped(num_codings, size, limit, rng):
    return rng.normal(size=(num_codings, size)).clip(-limit, limit)


def scaled(num_codings, size, limit, rng):
    return limit * rng.normal(size=(num_codings, size))


def squeezed(num_codings, size, limit, rng):
    codings = rng.normal(size=(num_codings, size))
    return limit * codings / np.abs(codings).max()


def uniform(num_codings, size, limit, rng):
    return rng.uniform(-limit, limit, (num_codings, size))


def within_radius(num_codings, size, limit, rng):
    codings = rng.normal(size=(40 * num_codings, size))
    return codings[np.linalg.norm(codings, axis=1) <= limit][:num_codings]


def one_sided(num_codings, size, limit, rng):
    return np.abs(redrawn(num_codings, size, limit, rng))


def without_rng(num_codings, size, limit, rng):
    return redrawn(num_codings, size, limit, np.random.default_rng())


def with_(function, **arguments):
    return functools.partial(function, **arguments)


def no_sigmoid():
    return decoder(back(output_padding=0), last=None)


RIGHT = {
    ("06.1", "valid, no stride"): case_06(
        build_decoder=lambda: decoder(back(kernel_size=4, strides=1, padding="valid"))
    ),
    ("06.1", "output padding"): case_06(),
    ("06.1", "cropped"): case_06(
        build_decoder=lambda: decoder(back(), then=[layers.Cropping2D(2)])
    ),
    ("06.1", "upsampling"): case_06(build_decoder=upsampling_decoder),
    ("06.3", "loop"): (painted,),
    ("06.3", "Keras"): (painted_by_keras,),
    ("06.3", "list"): (lambda *sizes: painted(*sizes).astype(int).tolist(),),
    ("07.2", "where"): (hide,),
    ("07.2", "loop"): (hide_in_a_loop,),
    ("07.3", "any"): (without_padding,),
    ("07.3", "steps"): (without_padding_by_steps,),
    ("08.1", "by hand"): (dropped,),
    ("08.1", "Keras' layer"): (dropped_by_keras,),
    ("08.2", "one draw"): (Grains,),
    ("08.2", "two draws"): (TwoDraws,),
    ("09.3", "top_k"): (KeepLargest,),
    ("09.3", "sort"): (KeepBySorting,),
    ("09.5", "unique"): (different,),
    ("09.5", "set"): (different_as_text,),
    ("09.5", "numbers"): (as_numbers,),
    ("10.1", "Keras"): (active,),
    ("10.1", "NumPy"): (active_with(lambda nats, _: nats.mean(axis=0)),),
    ("10.3", "redrawn"): (redrawn,),
    ("10.3", "filtered"): (filtered,),
    ("10.3", "SciPy"): (by_scipy,),
}

WRONG = {
    ("06.1", "pooling"): (case_06(lambda: encoder(strides=1, pool=True)), "still pooling"),
    ("06.1", "valid"): (case_06(lambda: encoder("valid")), "2 × 2 × 64"),
    ("06.1", "no strides"): (case_06(lambda: encoder(strides=1)), "28 × 28 × 64"),
    ("06.1", "few maps"): (case_06(lambda: encoder(last=32)), "there are 64 maps"),
    ("06.1", "other kernel"): (case_06(lambda: encoder(kernel_size=2)), "23,296"),
    ("06.1", "the old decoder"): (
        case_06(build_decoder=lambda: decoder(back(padding="valid"), takes=(3, 3, 64))),
        "takes 3 × 3 × 64",
    ),
    ("06.1", "first valid"): (
        case_06(build_decoder=lambda: decoder(back(padding="valid"))),
        "36 × 36",
    ),
    ("06.1", "all same"): (case_06(build_decoder=lambda: decoder(back())), "32 × 32"),
    ("06.1", "too small"): (case_06(build_decoder=lambda: decoder()), "too small"),
    ("06.1", "dense"): (case_06(build_decoder=dense_decoder), "Dense"),
    ("06.1", "no sigmoid"): (case_06(build_decoder=no_sigmoid), "sigmoid"),
    ("06.1", "maps"): (
        case_06(build_decoder=lambda: decoder(back(output_padding=0), maps=3)),
        "one map",
    ),
    ("06.3", "same"): ((with_(painted_by_keras, padding="same"),), 'padding "same"'),
    ("06.3", "square"): ((painted_square,), "whole square"),
    ("06.3", "constant"): ((painted_evenly,), "at the ends"),
    ("06.3", "stride ignored"): ((lambda n, k, s: painted(n, k, 1),), "expected is [7]"),
    ("06.3", "squared"): ((lambda *sizes: painted(*sizes) ** 2,), "1 1 2 1 2 1 1"),
    ("07.2", "one array"): ((lambda images, k: hide(images, k)[0],), "two things"),
    ("07.2", "in place"): ((hide_in_place,), "copy"),
    ("07.2", "targets too"): ((with_(hide, targets=False),), "lost their rows"),
    ("07.2", "swapped"): ((lambda images, k: hide(images, k)[::-1],), "swapped"),
    ("07.2", "nothing"): ((lambda images, k: (images, images),), "nothing is hidden"),
    ("07.2", "columns"): ((with_(hide, axis=2),), "columns"),
    ("07.2", "first rows"): ((with_(hide, first=True),), "first k rows"),
    ("07.2", "one more"): ((with_(hide, shift=1),), "too many"),
    ("07.2", "one less"): ((with_(hide, shift=-1),), "too few"),
    ("07.2", "one k"): ((hide_one_k,), "its own k"),
    ("07.3", "padded"): ((with_padding,), "still count"),
    ("07.3", "one number"): ((with_(with_padding, axis=None),), "whole batch"),
    ("07.3", "steps"): ((with_(with_padding, axis=-1),), "each step"),
    ("07.3", "divided by all"): ((with_(without_padding, divide="all"),), "real values"),
    ("07.3", "sum"): ((with_(without_padding, divide="none"),), "sum"),
    ("07.3", "sum of a step"): ((with_(without_padding, divide="steps"),), "as well"),
    ("07.3", "zeros"): (
        (lambda s, c: without_padding(ops.where(s == -1, 0.0, s), ops.where(s == -1, 0.0, c), 0),),
        "rows of zeros",
    ),
    ("07.3", "root"): ((lambda *both: ops.sqrt(without_padding(*both)),), "for the first sequence"),
    ("07.3", "NumPy"): ((without_padding_in_numpy,), "keras.ops"),
    ("08.1", "no factor"): ((with_(dropped, factor=lambda rate: 1),), "no factor"),
    ("08.1", "always 2"): ((with_(dropped, factor=lambda rate: 2),), "multiplied by 2."),
    ("08.1", "1 / rate"): ((with_(dropped, factor=lambda rate: 1 / rate),), "switched off"),
    ("08.1", "always 5"): ((with_(dropped, factor=lambda rate: 5),), "multiplied by 5."),
    ("08.1", "multiplied"): ((with_(dropped, factor=lambda rate: 1 - rate),), "divide by it"),
    ("08.1", "kept share"): ((with_(dropped, keep=lambda rate: 1 - rate),), "*off*"),
    ("08.1", "always half"): ((with_(dropped, keep=lambda rate: 0.5),), "instead of 20%"),
    ("08.1", "one mask"): ((with_(dropped, shape=(28, 28)),), "same holes"),
    ("08.1", "clipped"): ((lambda *given: dropped(*given).clip(0, 1),), "cutting off"),
    ("08.1", "in place"): ((dropped_in_place,), "copy"),
    ("08.2", "always"): ((AlwaysGrains,), "outside of training"),
    ("08.2", "twice as many"): ((TwiceGrains,), "60% together"),
    ("08.2", "only pepper"): ((OnlyPepper,), "both should occur"),
    ("08.2", "more salt"): ((MoreSalt,), "equally often"),
    ("08.2", "added"): ((AddedGrains,), "nothing between or beyond"),
    ("08.2", "gray"): ((GrayGrains,), "nothing between or beyond"),
    ("08.2", "one mask"): ((SameHoles,), "same grains"),
    ("08.2", "fixed seed"): ((FixedSeed,), "seed_generator"),
    ("08.2", "NumPy"): ((NumpyGrains,), "keras.random"),
    ("08.2", "nothing"): ((layers.Dropout,), "nothing between"),
    ("09.3", "mask"): ((KeepMask,), "their values"),
    ("09.3", "smallest"): ((KeepSmallest,), "smallest"),
    ("09.3", "per unit"): ((KeepPerUnit,), "for each image"),
    ("09.3", "per batch"): ((KeepPerBatch,), "whole batch"),
    ("09.3", "above one half"): ((KeepAboveHalf,), "instead of 3"),
    ("09.3", "fewer"): ((KeepFewer,), "too few"),
    ("09.3", "short"): ((KeepShort,), "keep the shape"),
    ("09.3", "the others"): ((KeepSmaller,), "other way round"),
    ("09.3", "NumPy"): ((KeepInNumpy,), "keras.ops"),
    ("09.3", "no slope"): ((KeepWithoutSlope,), "gradient"),
    ("09.3", "penalty"): ((KeepWithPenalty,), "no penalty"),
    ("09.5", "single bits"): ((lambda bits: len(np.unique(bits)),), "axis"),
    ("09.5", "the codes"): ((lambda bits: np.unique(bits, axis=0),), "one number"),
    ("09.5", "images"): ((len,), "once"),
    ("09.5", "possible"): ((lambda bits: 2 ** bits.shape[1],), "could be"),
    ("09.5", "ones"): ((lambda bits: len(np.unique(bits.sum(axis=1))),), "equally many ones"),
    ("09.5", "float32"): ((with_(as_numbers, dtype="float32"),), "float32"),
    ("09.5", "columns"): ((lambda bits: len(np.unique(bits, axis=1)),), "once"),
    ("09.5", "one less"): ((lambda bits: different(bits) - 1,), "different codes here"),
    ("09.5", "singles"): (
        (lambda bits: sum(np.unique(bits, axis=0, return_counts=True)[1] == 1),),
        "occur *once*",
    ),
    ("10.1", "which"): (
        (lambda mean, log_var, limit: np.asarray(nats(mean, log_var)).mean(axis=0) > limit,),
        "one number",
    ),
    ("10.1", "axis"): ((active_with(lambda nats, _: nats.mean(axis=1)),), "axis=0"),
    ("10.1", "per image"): ((active_with(lambda nats, _: nats.sum(axis=1)),), "axis=0"),
    ("10.1", "sum"): ((active_with(lambda nats, _: nats.sum(axis=0)),), "take their mean"),
    ("10.1", "any"): ((active_with(lambda nats, _: nats.max(axis=0)),), "single image"),
    ("10.1", "no half"): ((with_(active, factor=1),), "1/2"),
    ("10.1", "mean only"): ((active_with(lambda _, mean: (mean**2 / 2).mean(axis=0)),), "γ"),
    ("10.1", "negative"): ((with_(active, factor=-0.5),), "codings cost more"),
    ("10.1", "fixed limit"): ((lambda mean, log_var, limit: active(mean, log_var),), "1.0 nats"),
    ("10.3", "clipped"): ((clipped,), "cut off"),
    ("10.3", "scaled"): ((scaled,), "beyond the limit"),
    ("10.3", "squeezed"): ((squeezed,), "Don't scale"),
    ("10.3", "uniform"): ((uniform,), "uniform"),
    ("10.3", "once"): ((with_(redrawn, times=1),), "too large again"),
    ("10.3", "all again"): ((all_again,), "go on forever"),
    ("10.3", "fewer"): ((with_(filtered, refill=False),), "instead of 3000"),
    ("10.3", "length"): ((within_radius,), "length"),
    ("10.3", "one sign"): ((one_sided,), "signs"),
    ("10.3", "another generator"): ((without_rng,), "rng"),
}

GAPS = {
    "06.1": (lambda: ..., lambda: ...),
    "06.3": (lambda num_inputs, kernel_size, stride: ...,),
    "07.2": (lambda images, rows_read: (..., ...),),
    "07.3": (lambda sequences, copies: ...,),
    "08.1": (lambda images, rate, rng: ...,),
    "08.2": (GapGrains,),
    "09.3": (GapKeep,),
    "09.5": (lambda bits: ...,),
    "10.1": (lambda mean, log_var, limit: ...,),
    "10.3": (lambda num_codings, size, limit, rng: ...,),
}


def named(case):
    return " ".join(case).replace(" ", "-")


@pytest.fixture(autouse=True)
def same_seed():
    keras.utils.set_random_seed(0)


@pytest.mark.parametrize("case", RIGHT, ids=named)
def test_a_right_answer_passes(case):
    result = judge(case[0], *RIGHT[case])
    assert result.state == "right", result


@pytest.mark.parametrize("case", WRONG, ids=named)
def test_a_wrong_answer_is_caught_and_its_mistake_named(case):
    answers, message = WRONG[case]
    result = judge(case[0], *answers)
    assert result.state == "wrong", result
    assert message.lower() in result.message.lower(), result
    assert "could not be checked" not in result.message


@pytest.mark.parametrize("step", GAPS)
def test_a_gap_is_not_done_yet(step):
    assert judge(step, *GAPS[step]).state == "not done"
    assert judge(step, *[...] * len(GAPS[step])).state == "not done"


def test_every_step_is_tested_and_has_three_wrong_answers():
    modules = checks_variants.__name__, checks_codings.__name__
    own = {
        step for step, (_, function) in exercises._checks.items() if function.__module__ in modules
    }
    assert own == set(GAPS) == {step for step, _ in RIGHT}
    assert min(sum(case[0] == step for case in WRONG) for step in own) >= 3


@pytest.mark.parametrize("step", GAPS)
@pytest.mark.parametrize("answer", [7, "seven", None, [1, 2], np.ones((3, 3)), lambda *_: "no"])
def test_an_absurd_answer_is_wrong_and_no_error(step, answer):
    assert judge(step, *[answer] * len(GAPS[step])).state == "wrong"
