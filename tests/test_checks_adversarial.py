"""The checks of lessons 11 to 16: right answers pass, plausible wrong ones are named."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from scipy.stats import norm, truncnorm

from helpers.conditional_gan import LabeledGAN, conditional_discriminator
from helpers.exercises import judge
from helpers.gan import GAN
from helpers.gan_variants import ModularGAN
from helpers.layers import MinibatchStd
from helpers.losses import discriminator_loss, generator_loss


@pytest.fixture(autouse=True)
def seeds():
    """Random numbers are the same in each run."""
    keras.utils.set_random_seed(0)


# 11.2: the saturating loss


def saturating_gan(loss, teaches=("generator",), applies=True, returns=lambda loss: loss):
    """A subclass of GAN with this loss; `teaches` are the networks that phase 2 changes."""

    class SaturatingGAN(GAN):
        def generator_step(self, batch_size):
            codings = self.sample_codings(batch_size)
            with tf.GradientTape(persistent=True) as tape:
                fakes = self.generator(codings, training=True)
                value = loss(self.discriminator(fakes, training=True))
            for name in teaches if applies else ():
                weights = getattr(self, name).trainable_variables
                optimizer = getattr(self, f"{name}_optimizer")
                optimizer.apply(tape.gradient(value, weights), weights)
            return returns(value)

    return SaturatingGAN


def saturating(logits):
    return -ops.mean(ops.softplus(logits))


BOTH = ("generator", "discriminator")
SATURATING = {
    "right": [
        saturating_gan(saturating),
        saturating_gan(lambda logits: ops.mean(ops.log_sigmoid(-logits))),
        saturating_gan(lambda logits: ops.mean(-logits - ops.softplus(-logits))),
    ],
    "1 − D": saturating_gan(generator_loss),
    "1 − D = 0.95": GAN,
    "mind the sign": saturating_gan(lambda logits: ops.mean(ops.softplus(logits))),
    "softplus": saturating_gan(lambda logits: ops.mean(ops.log(1 - ops.sigmoid(logits)))),
    "phase 2 has changed the discriminator": saturating_gan(saturating, BOTH),
    "stays where it was": saturating_gan(saturating, applies=False),
    "take the mean": saturating_gan(lambda logits: -ops.sum(ops.softplus(logits))),
    "the step returns": saturating_gan(saturating, returns=lambda loss: -loss),
    "a `return` missing": saturating_gan(saturating, returns=lambda loss: None),
    "without parentheses": 3,
}

# 11.5: the best logit

BEST_LOGIT = {
    "right": [
        lambda p, q: np.log(p) - np.log(q),
        lambda p, q: ops.log(p / q),
        lambda p, q: np.log(p / (p + q) / (1 - p / (p + q))),
    ],
    "that is D, a probability": lambda p, q: p / (p + q),
    "the sign is reversed": lambda p, q: np.log(q / p),
    "take the logarithm": lambda p, q: p / q,
    "that is log D": lambda p, q: np.log(p / (p + q)),
    "difference of densities": lambda p, q: p - q,
    "is possible": lambda p, q: np.log10(p / q),
}

# 12.2: two steps of the discriminator


class TwiceGAN(ModularGAN):
    def train_step(self, real_samples):
        self.discriminator_step(real_samples)
        return super().train_step(real_samples)


class SpelledOutGAN(ModularGAN):
    def train_step(self, real_samples):
        for _ in range(2):
            self.discriminator_loss.update_state(self.discriminator_step(real_samples))
        self.generator_loss.update_state(self.generator_step(ops.shape(real_samples)[0]))
        trackers = self.discriminator_loss, self.generator_loss
        return {tracker.name: tracker.result() for tracker in trackers}


class HalvesGAN(ModularGAN):
    def train_step(self, real_samples):
        first, second = ops.split(real_samples, 2)
        self.discriminator_step(first)
        return super().train_step(second)


class PatientGeneratorGAN(ModularGAN):
    def train_step(self, real_samples):
        self.generator_step(ops.shape(real_samples)[0])
        return super().train_step(real_samples)


class BothTwiceGAN(ModularGAN):
    def train_step(self, real_samples):
        super().train_step(real_samples)
        return super().train_step(real_samples)


class ThreeTimesGAN(TwiceGAN):
    def train_step(self, real_samples):
        self.discriminator_step(real_samples)
        return super().train_step(real_samples)


class SilentGAN(ModularGAN):
    def train_step(self, real_samples):
        self.discriminator_step(real_samples)
        super().train_step(real_samples)


class OneLossGAN(ModularGAN):
    def train_step(self, real_samples):
        for _ in range(2):
            loss = self.discriminator_step(real_samples)
        self.generator_step(ops.shape(real_samples)[0])
        return {"discriminator_loss": loss}


class CountingGAN(ModularGAN):
    count = 0

    def train_step(self, real_samples):
        self.count += 1
        losses = {"discriminator_loss": self.discriminator_step(real_samples)}
        losses["generator_loss"] = ops.zeros(())
        if self.count % 2:
            losses["generator_loss"] = self.generator_step(ops.shape(real_samples)[0])
        return losses


TWO_STEPS = {
    "right": [TwiceGAN, SpelledOutGAN, HalvesGAN],
    "nothing has changed": ModularGAN,
    "the other player": PatientGeneratorGAN,
    "neither has an advantage": BothTwiceGAN,
    "twice as many": ThreeTimesGAN,
    "a `return` missing": SilentGAN,
    "must return the losses": OneLossGAN,
    "a counter in Python": CountingGAN,
}

# 12.6: one-sided label smoothing


def smooth_gan(loss, phase_2=generator_loss):
    """A ModularGAN whose losses are these functions of logits."""

    class SmoothGAN(ModularGAN):
        def phase_1_loss(self, real_samples, fakes):
            logits = [self.discriminator(each, training=True) for each in (real_samples, fakes)]
            return loss(*logits)

        def phase_2_loss(self, fake_logits):
            return phase_2(fake_logits)

    return SmoothGAN


def entropy(label, logits):
    return ops.mean(label * ops.softplus(-logits) + (1 - label) * ops.softplus(logits))


def labels_of(real, fake, total=0.5, phase_2=generator_loss):
    return smooth_gan(
        lambda real_logits, fake_logits: (
            total * (entropy(real, real_logits) + entropy(fake, fake_logits))
        ),
        phase_2,
    )


def keras_entropy(real, fake, real_label=0.9, **how):
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True, **how)
    labels = ops.concatenate([real_label * ops.ones_like(real), ops.zeros_like(fake)])
    return cross_entropy(labels, ops.concatenate([real, fake]))


SMOOTHING = {
    "right": [
        labels_of(0.9, 0.0),
        smooth_gan(keras_entropy),
        smooth_gan(
            lambda real, fake: discriminator_loss(real, fake) + 0.05 * ops.mean(real)
        ),  # softplus(d) - softplus(-d) = d
    ],
    "without smoothing": ModularGAN,
    "begin with ModularGAN": GAN,
    "both sides, and rewards": labels_of(0.9, 0.1),
    "0.95 and 0.05": smooth_gan(
        functools.partial(keras_entropy, real_label=1.0, label_smoothing=0.1)
    ),
    "multiplied by 0.9": smooth_gan(
        lambda real, fake: (
            0.5 * (0.9 * ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake)))
        )
    ),
    "the fakes are smoothed": labels_of(1.0, 0.1),
    "1/2 is missing": labels_of(0.9, 0.0, total=1),
    "0.9 is wanted": labels_of(0.1, 0.0),
    "phase 2 has changed": labels_of(0.9, 0.0, phase_2=functools.partial(entropy, 0.9)),
    "the shape is": smooth_gan(lambda real, fake: ops.softplus(-real)),
}

# 13.2: as short as truncated codings


def by_drawing(limit, ends=lambda codings, limit: codings[np.abs(codings) <= limit]):
    return ends(np.random.default_rng(1).normal(size=1_000_000), limit).std()


def inside(limit):
    return 2 * norm.cdf(limit) - 1


EQUAL_FACTOR = {
    "right": [by_drawing, lambda limit: truncnorm.std(-limit, limit)],
    "this is the variance": lambda limit: by_drawing(limit) ** 2,
    "cut off at the limit": functools.partial(
        by_drawing, ends=lambda codings, limit: np.clip(codings, -limit, limit)
    ),
    "spread evenly": lambda limit: np.random.default_rng(1).uniform(-limit, limit, 1_000_000).std(),
    "this is the share": inside,
    "this is the limit itself": lambda limit: limit,
    "for the limit 1 it is 0.540": lambda limit: by_drawing(limit) * (7 / 6 if limit == 1 else 1),
    "for the limit 2 it is 0.880": lambda limit: by_drawing(min(limit, 1)),
    "the shape is": lambda limit: np.full(3, by_drawing(limit)),
}

# 13.5: what a number sees


def field(stack):
    seen, apart = 1, 1
    for size, stride in stack:
        seen, apart = seen + (size - 1) * apart, apart * stride
    return seen


def field_backwards(stack):
    seen = 1
    for size, stride in reversed(stack):
        seen = (seen - 1) * stride + size
    return seen


def field_own_stride(stack):
    seen, apart = 1, 1
    for size, stride in stack:
        apart *= stride
        seen += (size - 1) * apart
    return seen


FIELD = {
    "right": [field, field_backwards],
    "strides don't count": lambda stack: 1 + sum(size - 1 for size, _ in stack),
    "don't add up": lambda stack: sum(size for size, _ in stack),
    "don't multiply": lambda stack: np.prod([size for size, _ in stack]),
    "what comes *behind* it": field_own_stride,
    "count again": lambda stack: stack[-1][0],
}

# 14.1: only the discriminator is told


def one_sided(generator=False, real=True, fakes=True, turn=False, nothing=ops.zeros_like):
    """A LabeledGAN; the arguments say who is told the class, and of what."""

    class OneSided(LabeledGAN):
        def logits(self, batch):
            real_samples, classes = batch

            def told(whether):
                return classes if whether else nothing(classes)

            codings = self.sample_codings(ops.shape(real_samples)[0])
            made = self.generator([codings, told(generator)], training=True)
            real_logits = self.discriminator([real_samples, told(real)], training=True)
            fake_logits = self.discriminator([made, told(fakes)], training=True)
            return (fake_logits, real_logits) if turn else (real_logits, fake_logits)

    return OneSided


class OnlyRealLogits(LabeledGAN):
    def logits(self, batch):
        return self.discriminator(list(batch), training=True)


def class_0(classes):
    return ops.one_hot(ops.zeros(len(classes), "int32"), classes.shape[-1])


ONE_SIDED = {
    "right": [one_sided(), one_sided(nothing=class_0), one_sided(nothing=ops.ones_like)],
    "the generator still gets": one_sided(generator=True),
    "isn't told the classes of the real": one_sided(generator=True, real=False, fakes=False),
    "give every fake away": one_sided(fakes=False),
    "give it `classes`": one_sided(real=False),
    "then those to fakes": one_sided(turn=True),
    "two things": OnlyRealLogits,
}

# 14.5: a discriminator that projects


def projection(num_classes=10, alone=True, row=True, combine="sum", last=None, embed=None):
    images, classes = keras.Input((28, 28, 1)), keras.Input((num_classes,))
    hidden = layers.Conv2D(8, 5, strides=4, padding="same", activation="leaky_relu")(images)
    features = layers.Dense(16)(layers.Flatten()(hidden))
    rows = layers.Dense(16, use_bias=False, kernel_initializer="zeros", activation=embed)(classes)
    parts = [layers.Dense(1)(features)] if alone else []
    if combine == "sum":
        parts += [layers.Dot(axes=1)([features, rows])] if row else []
    elif combine == "bias":
        parts += [layers.Dense(1)(classes)]
    else:
        parts = [layers.Multiply()([features, rows])]
    logits = layers.Add()(parts) if len(parts) > 1 else parts[0]
    return keras.Model([images, classes], layers.Activation(last)(logits) if last else logits)


def projection_by_hand(num_classes):
    images, classes = keras.Input((28, 28, 1)), keras.Input((num_classes,))
    features = layers.Dense(16, "leaky_relu")(layers.Flatten()(images))
    rows = layers.Dense(16)(classes)
    logits = layers.Dense(1)(features) + ops.sum(features * rows, axis=1, keepdims=True)
    return keras.Model([images, classes], logits)


def projection_by_number(num_classes):
    images, classes = keras.Input((28, 28, 1)), keras.Input((num_classes,))
    features = layers.Dense(16)(layers.Flatten()(images))
    rows = layers.Embedding(num_classes, 16)(ops.argmax(classes, axis=-1))
    logits = layers.Dense(1)(features) + ops.sum(features * rows, axis=1, keepdims=True)
    return keras.Model([images, classes], logits)


PROJECTION = {
    "right": [projection, projection_by_hand],
    "adds the same number": functools.partial(projection, combine="bias"),
    "the class makes no difference": functools.partial(projection, row=False),
    "is missing": functools.partial(projection, alone=False),
    "leave out the sigmoid": functools.partial(projection, last="sigmoid"),
    "[80, 1]": functools.partial(projection, combine="product"),
    "at the end only": conditional_discriminator,
    "without activation": functools.partial(projection, embed="tanh"),
    "ten times as much": projection_by_number,
    "two inputs": lambda num_classes: keras.Sequential([keras.Input((28, 28, 1))]),
}

# 15.1: a timetable


def moment(schedule, shown, length=lambda stage: stage.num_images, cap=1, total=False, still=1.0):
    all_shown = shown
    for stage in schedule:
        if shown < length(stage):
            break
        shown -= length(stage)
    done = (all_shown if total else shown) / stage.fade_images if stage.fade_images else still
    return stage.resolution, min(cap, done)


def moment_by_starts(schedule, shown):
    starts = np.cumsum([0] + [stage.num_images for stage in schedule])
    place = np.searchsorted(starts, shown, side="right") - 1
    stage = schedule[place]
    return stage.resolution, min(1, (shown - starts[place]) / max(1e-9, stage.fade_images))


TIMETABLE = {
    "right": [moment, moment_by_starts],
    "`num_images`": functools.partial(
        moment, length=lambda stage: stage.fade_images + stage.stable_images
    ),
    "it stays at 1": functools.partial(moment, cap=99),
    "the stage's first image": functools.partial(moment, total=True),
    "without a fade": functools.partial(moment, still=0.0),
    "ZeroDivisionError": lambda schedule, shown: (4, shown / schedule[0].fade_images),
    "the resolution is 8": lambda schedule, shown: (4, 1.0),
    "the shape is": lambda schedule, shown: 0.5,
}

# 15.5: deviation in groups


def group_std(ways="neighbors", value=None, epsilon=1e-8, fixed=None):
    """A layer; `value` makes the number of maps [groups, group size, H, W, C], axis 1 the group."""

    def inside(groups):
        deviation = groups - ops.mean(groups, axis=1, keepdims=True)
        variances = ops.mean(ops.square(deviation), axis=1)  # [groups, H, W, C]
        return ops.mean(ops.sqrt(variances + epsilon), axis=(1, 2, 3))

    class GroupStd(layers.Layer):
        def __init__(self, group_size=4, **kwargs):
            super().__init__(**kwargs)
            self.group_size = fixed or group_size

        def call(self, inputs):
            shape = inputs.shape[1:]
            if ways == "neighbors":
                groups = ops.reshape(inputs, (-1, self.group_size, *shape))
            else:
                groups = ops.reshape(inputs, (self.group_size, -1, *shape))
                groups = ops.swapaxes(groups, 0, 1)
            numbers = (value or inside)(groups)  # [groups]
            if ways == "neighbors":
                numbers = ops.repeat(numbers, self.group_size)
            else:
                numbers = ops.tile(numbers, (self.group_size,))
            extra = ops.reshape(numbers, (-1, 1, 1, 1)) * ops.ones_like(inputs[..., :1])
            return ops.concatenate([inputs, extra], axis=-1)

    return GroupStd


def whole_batch(group_size):
    return MinibatchStd()


class AloneStd(layers.Layer):
    def __init__(self, group_size=4):
        super().__init__()

    def call(self, inputs):
        numbers = ops.std(inputs, axis=(1, 2, 3), keepdims=True)
        return ops.concatenate([inputs, numbers * ops.ones_like(inputs[..., :1])], axis=-1)


class PlacesStd(layers.Layer):
    def __init__(self, group_size=4):
        super().__init__()

    def call(self, inputs):
        numbers = ops.mean(ops.std(inputs, axis=0, keepdims=True), axis=-1, keepdims=True)
        return ops.concatenate([inputs, numbers * ops.ones_like(inputs[..., :1])], axis=-1)


class NoMap(layers.Layer):
    def __init__(self, group_size=4):
        super().__init__()

    def call(self, inputs):
        return inputs * ops.std(inputs, axis=0)


def mean_over(axes, root=True, late=False):
    def value(groups):
        spread = ops.var(groups, axis=axes, keepdims=True) + (0 if late else 1e-8)
        spread = ops.sqrt(spread) if root and not late else spread
        mean = ops.mean(spread, axis=(1, 2, 3, 4))
        return ops.sqrt(mean + 1e-8) if late else mean

    return value


GROUPS = {
    "right": [group_std(), group_std("apart")],
    "that of the whole batch": whole_batch,
    "copies would seem varied": group_std(value=mean_over((1, 4))),
    "all a group's numbers": group_std(value=mean_over((1, 2, 3, 4))),
    "the root is missing": group_std(value=mean_over((1,), root=False)),
    "first the root": group_std(value=mean_over((1,), late=True)),
    "measured alone": AloneStd,
    "use the argument": group_std(fixed=4),
    "inside* the root": group_std(epsilon=0),
    "at different places": PlacesStd,
    "[8, 4, 4, 4]": NoMap,
}

# 16.2: truncation of some levels


def truncate(w, mean_w, psi, first, last, start=1, end=1, turn=False, mean=1.0, others=None):
    level = np.arange(start, start + 8)[:, np.newaxis]
    inside = (first <= level) & (level <= last + end - 1)
    pulled = (mean * mean_w + psi * (w - mean * mean_w))[:, np.newaxis]
    return np.where(inside != turn, pulled, w[:, np.newaxis] if others is None else mean_w)


def truncate_by_slices(w, mean_w, psi, first, last):
    styles = np.repeat(w[:, np.newaxis], 8, axis=1)
    styles[:, first - 1 : last] = mean_w + psi * (styles[:, first - 1 : last] - mean_w)
    return styles


def truncate_with_weights(w, mean_w, psi, first, last):
    level = ops.arange(1, 9)
    inside = ops.logical_and(level >= first, level <= last)
    weights = ops.cast(ops.where(inside, psi, 1.0), "float64")[None, :, None]
    return mean_w + weights * (ops.convert_to_tensor(w, "float64")[:, None] - mean_w)


TRUNCATION = {
    "right": [truncate, truncate_by_slices, truncate_with_weights],
    "has the index 2": functools.partial(truncate, start=0),
    "both included": functools.partial(truncate, end=0),
    "all levels are truncated": lambda w, mean_w, psi, first, last: truncate(w, mean_w, psi, 1, 8),
    "the others truncated": functools.partial(truncate, turn=True),
    "are exchanged": lambda w, mean_w, psi, first, last: truncate(w, mean_w, 1 - psi, first, last),
    "toward 0": functools.partial(truncate, mean=0.0),
    "they keep their w": functools.partial(truncate, others="mean"),
    "one style for each level": lambda w, mean_w, psi, *_: mean_w + psi * (w - mean_w),
    "one too early": lambda w, mean_w, psi, first, last: truncate(w, mean_w, psi, first - 1, last),
    "one level too many": functools.partial(truncate, end=2),
}

# 16.5: the path length


def path_length(describe, start, end, t, epsilon, reduce=None, reverse=False, step=None):
    def at(t):
        return (1 - t) * start + t * end

    t = 1 - t if reverse else t
    here, there = describe(at(t)), describe(at(t + (epsilon if step is None else step)))
    squares = np.square(there - here).sum(axis=1)
    return (reduce or (lambda squares, epsilon: squares.mean() / epsilon**2))(squares, epsilon)


def path_length_around(describe, start, end, t, epsilon):
    half = epsilon / 2
    return path_length(describe, start, end, t - half, epsilon)


def in_float32(describe, start, end, t, epsilon):
    start, end, t = (ops.convert_to_tensor(each, "float32") for each in (start, end, t))
    changes = describe(start + (t + epsilon) * (end - start)) - describe(start + t * (end - start))
    return ops.mean(ops.sum(ops.square(changes), axis=1)) / epsilon**2


def reduced(reduce):
    return functools.partial(path_length, reduce=reduce)


PATH = {
    "right": [path_length, path_length_around, in_float32],
    "not by ε": reduced(lambda squares, epsilon: squares.mean() / epsilon),
    "a smaller step makes": reduced(lambda squares, epsilon: squares.mean()),
    "to be squared": reduced(lambda squares, epsilon: np.sqrt(squares).mean() / epsilon),
    "aren't squared": reduced(lambda squares, epsilon: np.sqrt(squares).mean() / epsilon**2),
    "sum over all pairs": reduced(lambda squares, epsilon: squares.sum() / epsilon**2),
    "over the pairs only": reduced(lambda squares, epsilon: squares.mean() / 9 / epsilon**2),
    "t has no influence": lambda describe, start, end, t, epsilon: path_length(
        describe, start, end, 0, epsilon
    ),
    "from end to end": lambda describe, start, end, t, epsilon: (
        np.square(describe(end) - describe(start)).sum(axis=1).mean()
    ),
    "from the end to the start": functools.partial(path_length, reverse=True),
    "the shape is [40]": reduced(lambda squares, epsilon: squares / epsilon**2),
    "it should be about": reduced(lambda squares, epsilon: np.median(squares) / epsilon**2),
}


ANSWERS = {
    "11.2": SATURATING,
    "11.5": BEST_LOGIT,
    "12.2": TWO_STEPS,
    "12.6": SMOOTHING,
    "13.2": EQUAL_FACTOR,
    "13.5": FIELD,
    "14.1": ONE_SIDED,
    "14.5": PROJECTION,
    "15.1": TIMETABLE,
    "15.5": GROUPS,
    "16.2": TRUNCATION,
    "16.5": PATH,
}
RIGHT = [(name, number) for name in ANSWERS for number in range(len(ANSWERS[name]["right"]))]
WRONG = [(name, message) for name in ANSWERS for message in ANSWERS[name] if message != "right"]


@pytest.mark.parametrize(("name", "number"), RIGHT)
def test_a_right_answer_passes(name, number):
    result = judge(name, ANSWERS[name]["right"][number])
    assert result.state == "right", result


@pytest.mark.parametrize(("name", "message"), WRONG)
def test_a_wrong_answer_is_caught_and_its_mistake_named(name, message):
    result = judge(name, ANSWERS[name][message])
    assert result.state == "wrong", result
    assert message in result.message, result
    assert "could not be checked" not in result.message, result


@pytest.mark.parametrize("name", ANSWERS)
def test_a_gap_is_not_done_yet(name):
    assert judge(name, ...).state == "not done"


def with_gap(kind, method):
    return type("Gap", (kind,), {method: lambda self, *arguments, **named: ...})


class GapLayer(layers.Layer):
    def __init__(self, group_size=4, **kwargs):
        super().__init__(**kwargs)

    def call(self, inputs):
        return ...


GAPS = {
    "11.2": with_gap(GAN, "generator_step"),
    "12.2": with_gap(ModularGAN, "train_step"),
    "12.6": with_gap(ModularGAN, "phase_1_loss"),
    "14.1": with_gap(LabeledGAN, "logits"),
    "15.5": GapLayer,
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_function_or_method_with_a_gap_is_not_done_yet(name):
    result = judge(name, GAPS.get(name, lambda *arguments, **named: ...))
    assert result.state == "not done", result
    assert result.message == "not done yet"


def test_there_are_three_wrong_answers_or_more_to_each_task():
    assert min(len(answers) - 1 for answers in ANSWERS.values()) >= 3
