"""Checks of the tasks at the end of lessons 11 to 16: from the first GAN to StyleGAN."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from helpers.exercises import Wrong, array, call, require, same, step
from helpers.growth import Stage
from helpers.losses import generator_loss


def _name_mistake(found, mistakes, tolerance=1e-3):
    """Say what is wrong if an answer is what a common mistake gives: dict message -> answer."""
    for message, wrong in mistakes.items():
        if same(found, wrong, tolerance):
            raise Wrong(message)


def _point_gan(gan_class, logit_bias=0.0):
    """A GAN of linear networks; all its fakes are one point, (0, 0, 0) at first."""
    generator = keras.Sequential([keras.Input((2,)), layers.Dense(3, kernel_initializer="zeros")])
    discriminator = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    require(isinstance(gan_class, type), "a class is expected: its name, without parentheses")
    gan = call(gan_class, generator, discriminator, seed=0)
    optimizers = [keras.optimizers.SGD(1.0) for _ in range(2)]
    gan.compile(*optimizers, jit_compile=False)
    discriminator.set_weights([np.array([[1.0], [-2.0], [0.5]]), np.array([logit_bias])])
    return gan


# Lesson 11: the GAN


@step("11.2", "the generator follows the saturating loss")
def check_saturating(gan_class):
    """A subclass of GAN whose ``generator_step`` minimizes the mean of log(1 − D)."""
    logit, batch_size = -3.0, 64
    gan = _point_gan(gan_class, logit_bias=logit)
    before = gan.discriminator.get_weights()
    loss = call(gan.generator_step, batch_size)
    require(np.shape(loss) == (), f"return the loss, one number, not {list(np.shape(loss))}")
    require(
        all(map(same, gan.discriminator.get_weights(), before)),
        "phase 2 has changed the discriminator: take the gradient for the generator's weights",
    )
    belief = 1 / (1 + np.exp(-logit))  # D, for fakes that hardly pass
    push = _push(gan)
    mistakes = {
        "the generator stays where it was: apply the gradients with its optimizer": 0,
        f"a fake with D = {belief:.2f} is still pushed by 1 − D = {1 - belief:.2f}: that is the "
        "non-saturating loss": 1 - belief,
        "the generator is led downhill, to where D is smaller: mind the sign": -belief,
        "the loss is a sum over the batch; take the mean": batch_size * belief,
    }
    _name_mistake(push, mistakes)
    require(
        same(push, belief, 1e-3),
        f"a fake with D = {belief:.3f} should be pushed by D itself, not by {push:.3f}",
    )
    right = -np.log1p(np.exp(logit))
    require(
        same(loss, right, 1e-3), f"the step returns {float(loss):.3f}; log(1 − D) is {right:.3f}"
    )
    gan = _point_gan(gan_class, logit_bias=200.0)
    loss = float(gan.generator_step(batch_size))
    require(
        np.isfinite(loss) and np.isfinite(_push(gan)),
        "with a logit of 200, D is rounded to 1 and log(1 − D) is infinite: write it with softplus",
    )
    return f"with D = {belief:.2f} it is pushed by {push:.2f}, not by {1 - belief:.2f}"


def _push(gan):
    """How far the fakes have gone toward larger logits, from 0, per unit of the slope."""
    slope = gan.discriminator.get_weights()[0][:, 0]
    return float(gan.generator.get_weights()[1] @ slope / (slope @ slope))


@step("11.5", "the logit of a perfect discriminator")
def check_best_logit(best_logit):
    """`best_logit(p, q)`: log p − log q, of two densities."""
    p, q = np.array([0.1, 0.4, 2.0, 3.0]), np.array([0.4, 0.4, 0.5, 0.2])
    found = array(call(best_logit, p, q), (4,), "the logits")
    mistakes = {
        "that is D, a probability: wanted is the logit d, with D = σ(d)": p / (p + q),
        "the sign is reversed: where real points are denser, the logit is positive": np.log(q / p),
        "that is exp(d): take the logarithm": p / q,
        "that is log D; the logit is log D − log(1 − D)": np.log(p / (p + q)),
        "a difference of densities has no meaning here: where does the slope of the loss in d "
        "become 0?": p - q,
    }
    _name_mistake(found, mistakes)

    def loss(logits):
        return p * np.logaddexp(0, -logits) + q * np.logaddexp(0, logits)

    right = np.log(p / q)
    worst = np.argmax(loss(found) - loss(right))
    require(
        same(found, right),
        f"at p = {p[worst]}, q = {q[worst]} your logit {found[worst]:.2f} gives the loss "
        f"{loss(found)[worst]:.3f}; {loss(right)[worst]:.3f} is possible",
    )
    return "equal densities: logit 0, it can only guess"


# Lesson 12: difficulties


@step("12.2", "two steps of the discriminator for each of the generator's")
def check_two_steps(gan_class):
    """A subclass of ModularGAN whose ``train_step`` teaches the discriminator twice."""
    gan = _point_gan(gan_class)
    real = tf.random.stateless_normal((8, 3), seed=(0, 0))
    logs = call(gan.train_step, real)
    names = {"discriminator_loss", "generator_loss"}
    require(
        isinstance(logs, dict) and names <= set(logs),
        "train_step must return the losses, a dict, as super().train_step does: `fit` shows them",
    )
    optimizers = gan.discriminator_optimizer, gan.generator_optimizer
    before = [int(optimizer.iterations) for optimizer in optimizers]
    compiled = tf.function(gan.train_step, autograph=False)  # as `fit` does
    for _ in range(4):
        call(compiled, real)
    steps = [
        int(optimizer.iterations) - count
        for optimizer, count in zip(optimizers, before, strict=True)
    ]
    counts = f"in four batches the discriminator made {steps[0]} steps, the generator "
    counts += f"{steps[1]}"
    require(steps != [4, 4], f"{counts}: one each, nothing has changed. Is it called train_step?")
    require(steps[0] > 0, f"{counts}: the discriminator must learn, too")
    require(
        steps[1] > 0,
        f"{counts}: within `fit` Python runs only once, so a counter in Python never counts",
    )
    require(
        steps[0] != steps[1],
        f"{counts}: both are faster, neither has an advantage. Only the discriminator's is doubled",
    )
    require(steps[0] > steps[1], f"{counts}: it is the other player who needs two")
    require(steps[0] == 2 * steps[1], f"{counts}: twice as many are wanted")
    return counts


@step("12.6", "one-sided label smoothing")
def check_smoothing(gan_class):
    """A subclass of ModularGAN whose ``phase_1_loss`` has the label 0.9 for real samples."""
    gan = _point_gan(gan_class)
    require(
        hasattr(gan, "phase_1_loss") and hasattr(gan, "phase_2_loss"),
        "begin with ModularGAN, whose losses are methods: class SmoothGAN(ModularGAN)",
    )
    rng = np.random.default_rng(0)
    samples = [rng.normal(size=(16, 3)).astype("float32") + shift for shift in (0.5, 0)]
    real, fake = (np.asarray(gan.discriminator(each))[:, 0] for each in samples)
    loss = call(gan.phase_1_loss, *map(ops.convert_to_tensor, samples))
    loss = float(array(loss, (), "the loss"))

    def entropy(logits, label):
        return np.mean(label * np.logaddexp(0, -logits) + (1 - label) * np.logaddexp(0, logits))

    right = (entropy(real, 0.9) + entropy(fake, 0)) / 2
    mistakes = {
        "this is the loss without smoothing": (entropy(real, 1) + entropy(fake, 0)) / 2,
        "the fakes' label is 0.1: that is smoothing on both sides, and rewards bad fakes. Theirs "
        "stays 0": (entropy(real, 0.9) + entropy(fake, 0.1)) / 2,
        "Keras' label_smoothing=0.1 makes labels of 0.95 and 0.05, on both sides": (
            (entropy(real, 0.95) + entropy(fake, 0.05)) / 2
        ),
        "the loss for real samples was multiplied by 0.9. With the label 0.9 a tenth of the label "
        "0 is in it, too: 0.1 · softplus(d)": (0.9 * entropy(real, 1) + entropy(fake, 0)) / 2,
        "the fakes are smoothed; it should be the real samples": (
            (entropy(real, 1) + entropy(fake, 0.1)) / 2
        ),
        "the factor 1/2 is missing: it was a mean over both halves of the batch": 2 * right,
        "the label of real samples is 0.1; 0.9 is wanted": (
            (entropy(real, 0.1) + entropy(fake, 0)) / 2
        ),
    }
    _name_mistake(loss, mistakes, 1e-4)
    require(same(loss, right), f"the loss should be {right:.4f} here, not {loss:.4f}")
    second = call(gan.phase_2_loss, ops.convert_to_tensor(fake[:, np.newaxis]))
    require(
        same(second, generator_loss(fake[:, np.newaxis])),
        "phase 2 has changed: the generator's wish is still the label 1",
    )
    return f"the best logit for real samples is now {np.log(0.9 / 0.1):.1f}, not infinite"


# Lesson 13: the DCGAN


class _CountingGenerator(np.random.Generator):
    """Complains when more random numbers are drawn than anybody needs."""

    def __init__(self, seed, most):
        super().__init__(np.random.PCG64(seed))
        self.left = most

    def normal(self, *arguments, **named):
        return self._counted(super().normal(*arguments, **named))

    def standard_normal(self, *arguments, **named):
        return self._counted(super().standard_normal(*arguments, **named))

    def _counted(self, numbers):
        self.left -= np.size(numbers)
        if self.left < 0:
            raise RuntimeError("this would go on forever: draw again only what is too large")
        return numbers


@step("13.2", "codings without large numbers, drawn again where they were")
def check_truncated(truncated_codings):
    """`truncated_codings(number, size, limit, rng)`: normal, each redrawn until within limit."""
    number, size, limit = 1000, 4, 1.0

    def draw(seed, limit=limit):
        rng = _CountingGenerator(seed, most=100 * number * size)
        return array(
            call(truncated_codings, number, size, limit, rng), (number, size), "the codings"
        )

    codings = draw(0)
    largest = np.abs(codings).max()
    require(
        largest <= limit,
        f"for the limit {limit:g} the largest number is {largest:.2f}. What is drawn again may be "
        "too large again: go on until none is",
    )
    require(codings.min() < 0, "no number is negative: only large ones should go, of either sign")
    at_limit = np.mean(np.abs(codings) > limit - 1e-6)
    require(
        at_limit < 0.01,
        f"{at_limit:.0%} of the numbers lie at the limit itself: they were cut off, as by np.clip. "
        "Draw them again",
    )
    found, right = codings.std(), 0.5396  # of N(0, 1) within one standard deviation
    require(
        abs(found - limit / 3**0.5) > 0.015,
        "the numbers are spread evenly up to the limit; they should be normal, denser near 0",
    )
    require(
        abs(found - right) < 0.03,
        f"the numbers' standard deviation is {found:.2f}; it is {right:.2f} if those within the "
        "limit are left alone, and only the others drawn again",
    )
    require(np.abs(draw(0, limit=0.5)).max() <= 0.5, "another limit makes no difference")
    require(same(draw(0), codings), "the same rng should give the same codings: draw from `rng`")
    return f"at limit 1, a hundred numbers have length {10 * right:.1f} instead of 10"


@step("13.5", "how many pixels one number sees")
def check_receptive_field(receptive_field):
    """`receptive_field([(kernel size, stride), …])`: 1 + sum of (k − 1) · strides before."""
    stacks = [[(5, 1)], [(3, 1), (3, 1)], [(5, 2), (5, 2)], [(5, 2)] * 3, [(3, 1), (2, 2), (3, 1)]]
    right = np.array([_field(stack) for stack in stacks])
    found = np.array([float(array(call(receptive_field, stack), (), "it")) for stack in stacks])
    kernels = [[size for size, _ in stack] for stack in stacks]
    mistakes = {
        "strides don't count: behind a stride of 2, neighbors are two pixels apart": [
            1 + sum(size - 1 for size in sizes) for sizes in kernels
        ],
        "kernel sizes don't add up: neighboring kernels overlap": list(map(sum, kernels)),
        "kernel sizes don't multiply: neighboring kernels overlap": list(map(np.prod, kernels)),
        "a layer's own stride spreads what comes *behind* it: for its kernel, only the strides of "
        "the layers before it count": [_field([(1, 1), *stack], shift=1) for stack in stacks],
    }
    _name_mistake(found, mistakes)
    for stack, value, wanted in zip(stacks, found, right, strict=True):
        require(value == wanted, f"for {stack} it is {value:g}; count again")
    return f"two layers of lesson 13 see {right[2]} pixels, three would see {right[3]}"


def _field(stack, shift=0):
    """With `shift` 1, each kernel is taken with its own stride as well: a mistake."""
    field, apart = 1, 1
    for size, stride in stack:
        field += (size - 1) * apart * (stride if shift else 1)
        apart *= stride
    return field


# Lesson 14: the conditional GAN


@step("14.1", "only the discriminator is told the class")
def check_one_sided(gan_class):
    """A subclass of LabeledGAN whose ``logits`` hides the class from the generator."""
    real, told = 0.5, 10.0 * np.arange(1, 5)[:, np.newaxis]  # what a logit says of the class
    require(isinstance(gan_class, type), "a class is expected: its name, without parentheses")
    gan = call(gan_class, *_telling_networks(), seed=0)
    batch = ops.full((4, 1), real), ops.eye(4)
    answer = call(gan.logits, batch)
    require(
        isinstance(answer, (list, tuple)) and len(answer) == 2,
        "logits returns two things: the answers to real samples and to fakes",
    )
    of_real, of_fakes = (array(each, (4, 1), "the logits") for each in answer)
    require(
        not (same(of_fakes - told, np.full((4, 1), real)) and not same(of_real, of_fakes)),
        "first the answers to real samples, then those to fakes",
    )
    require(
        same(of_real - real, told),
        "the discriminator isn't told the classes of the real samples: give it `classes`",
    )
    rest = of_fakes - told  # the fakes themselves: equal, unless the generator knows the class
    require(
        np.ptp(of_fakes) > 5,
        "the discriminator is told the classes of real samples, but not of fakes: that alone would "
        "give every fake away",
    )
    require(
        np.ptp(rest) < 1e-4,
        "the generator still gets the class: its samples differ from class to class",
    )
    return None


def _telling_networks():
    """Sample: 1, 2, 3 or 4 for the class, 0 untold. Logit: the sample plus 10 times the same."""

    def number(classes, times):
        dense = layers.Dense(1, use_bias=False)
        answer = dense(classes)
        dense.set_weights([times * np.arange(1.0, 5.0)[:, np.newaxis]])
        return answer

    codings, classes = keras.Input((2,)), keras.Input((4,))
    nothing = layers.Dense(1, kernel_initializer="zeros")(codings)
    generator = keras.Model([codings, classes], layers.Add()([nothing, number(classes, 1)]))
    samples, classes = keras.Input((1,)), keras.Input((4,))
    logits = layers.Add()([samples, number(classes, 10)])
    return generator, keras.Model([samples, classes], logits)


@step("14.5", "a discriminator that projects the image on the class")
def check_projection(projection_discriminator):
    """`projection_discriminator(num_classes)`: logit = dense unit of features + features · row."""
    network = call(projection_discriminator, 10)
    shapes = getattr(network, "input_shape", None)
    require(
        isinstance(shapes, list) and [shape[1:] for shape in shapes] == [(28, 28, 1), (10,)],
        "a network with two inputs is expected: images [N, 28, 28, 1], and ten numbers for a class",
    )
    rng = np.random.default_rng(0)
    for weight in network.trainable_variables:  # some may start at zero
        weight.assign_add(rng.normal(scale=0.1, size=weight.shape))
    images = rng.uniform(-1, 1, size=(8, 28, 28, 1)).astype("float32")

    def answers(classes, factor=1):
        pairs = np.repeat(factor * images, len(classes), axis=0), np.tile(classes, (8, 1))
        logits = array(call(network, list(pairs), training=False), (8 * len(classes), 1), "logits")
        return logits.reshape(8, len(classes))

    every, none = np.eye(10, dtype="float32"), np.zeros((1, 10), "float32")
    logits, extreme = answers(every), answers(every, factor=1000)
    require(
        extreme.min() < 0 or extreme.max() > 1,
        "the answers lie between 0 and 1. Our losses take logits: leave out the sigmoid",
    )
    for_class = logits - logits.mean(axis=1, keepdims=True)  # what the class adds
    require(for_class.std() > 1e-6, "the class makes no difference to the answers")
    require(
        (for_class - for_class.mean(axis=0)).std() > 1e-3 * for_class.std(),
        "the class adds the same number to every image: so no image can fit one class better than "
        "another. Multiply the class's row with the image's features, and sum",
    )
    alone, tenfold = answers(none), answers(10 * every)
    require(
        np.ptp(alone) > 1e-6,
        "without a class all images get the same answer: the first part, a dense unit of the "
        "features alone, is missing",
    )
    require(
        np.abs(tenfold - alone - 10 * (logits - alone)).max() < 0.1 * for_class.std(),
        "a class of 10 instead of 1 should add ten times as much to the logit. Let the class in at "
        "the end only, by a dense layer without activation",
    )
    return f"{network.count_params():,} weights"


# Lesson 15: progressive growing


@step("15.1", "resolution and α at any moment of a timetable")
def check_timetable(moment):
    """`moment(schedule, images_shown)` -> (resolution, α)."""
    schedule = (Stage(4, 0, 100, 50), Stage(8, 100, 200), Stage(16, 80, 20))
    cases = {30: (4, 1), 120: (4, 1), 175: (8, 0.25), 400: (8, 1), 470: (16, 0.25), 545: (16, 1)}
    for shown, (resolution, alpha) in cases.items():
        found = array(call(moment, schedule, shown), (2,), "resolution and α")
        said = f"after {shown} images of {schedule}"
        require(
            not (shown == 120 and found[0] == 8),
            f"{said} it is still 4: the images while slowing down belong to a stage, too "
            "(`num_images`)",
        )
        require(
            found[0] == resolution,
            f"{said} the resolution is {resolution}, not {found[0]:g}",
        )
        require(
            not (resolution == 4 and found[1] != 1),
            f"{said} α is 1, not {found[1]:g}: a stage without a fade has nothing to wait for",
        )
        require(found[1] <= 1, f"{said} α is {found[1]:g}: when the fade is done, it stays at 1")
        require(
            np.isclose(found[1], alpha),
            f"{said} α is {alpha:g}, not {found[1]:.3g}: it is the share of the *stage's* fade, "
            "counted from the stage's first image",
        )
    found = array(call(moment, (Stage(4, 0, 100), Stage(8, 0, 100)), 150), (2,), "the pair")
    require(same(found, (8, 1)), "without fades, α is 1 at any moment: 8 × 8 pixels at once")
    return None


@step("15.5", "a mini-batch deviation for each group")
def check_group_std(layer_class):
    """`layer_class(group_size=4)`: MinibatchStd within groups of instances."""
    maps = np.random.default_rng(0).normal(size=(8, 4, 4, 3)).astype("float32")
    maps *= np.linspace(0.3, 3, 8, dtype="float32")[:, None, None, None]
    numbers = {}
    for group_size in (4, 2):
        layer = call(layer_class, group_size=group_size)
        outputs = array(call(layer, ops.convert_to_tensor(maps)), (8, 4, 4, 4), "the outputs")
        require(same(outputs[..., :3], maps), "the maps themselves should pass through unchanged")
        numbers[group_size] = outputs[:, 0, 0, 3]
        require(
            same(outputs[..., 3], np.broadcast_to(numbers[group_size][:, None, None], (8, 4, 4))),
            "the new map has different numbers at different places: average over all of them",
        )
        if group_size == 4:
            _check_group_numbers(numbers[4], maps, 4)
    require(not same(numbers[4], numbers[2]), "group_size=2 gives the same as 4: use the argument")
    _check_group_numbers(numbers[2], maps, 2)
    copies = ops.convert_to_tensor(np.repeat(maps[:1], 8, axis=0))
    with tf.GradientTape() as tape:
        tape.watch(copies)
        total = ops.sum(layer(copies)[..., 3])
    require(
        np.isfinite(tape.gradient(total, copies)).all(),
        "for a batch of copies the slope is infinite: add a small ε to the variance, *inside* the "
        "root",
    )
    return None


def _check_group_numbers(numbers, maps, group_size):
    number = np.arange(len(maps))
    ways = [number // group_size, number % (len(maps) // group_size)]  # neighbors; the paper's
    groupings = [[np.flatnonzero(way == group) for group in np.unique(way)] for way in ways]

    def of_groups(value):
        for groups in groupings:
            result = np.zeros(len(maps))
            for members in groups:
                result[members] = value(maps[members])
            yield result

    right = [*of_groups(lambda group: group.std(axis=0).mean())]
    if any(same(numbers, each, 1e-3) for each in right):
        return
    mistakes = {
        "all instances get the same number, that of the whole batch: split the batch into groups": [
            np.full(len(maps), maps.std(axis=0).mean())
        ],
        "the deviation was taken over the maps, too: then copies would seem varied. Over a group's "
        "instances only": of_groups(lambda group: group.std(axis=(0, -1)).mean()),
        "the deviation of all a group's numbers was taken: take it over the instances, for each "
        "place and map, and then the mean": of_groups(np.std),
        "that is the mean of the variances: the root is missing": of_groups(
            lambda group: group.var(axis=0).mean()
        ),
        "the root was taken of the mean variance: first the root, then the mean": of_groups(
            lambda group: group.var(axis=0).mean() ** 0.5
        ),
        "each instance was measured alone: compare it with the others of its group": [
            maps.std(axis=(1, 2, 3)),
            maps.std(axis=(1, 2)).mean(axis=-1),
        ],
    }
    for message, wrongs in mistakes.items():
        for wrong in wrongs:
            _name_mistake(numbers, {message: wrong})
    raise Wrong(
        f"with groups of {group_size} the first instance's number is {numbers[0]:.3f}; "
        f"{right[0][0]:.3f} is wanted"
    )


# Lesson 16: StyleGAN


@step("16.2", "truncation of some levels only")
def check_truncation(truncate_levels):
    """`truncate_levels(w, mean_w, psi, first, last)` -> styles [N, 8, 64]."""
    rng = np.random.default_rng(0)
    w, mean_w, psi, first, last = rng.normal(size=(5, 64)), rng.normal(size=64), 0.3, 3, 4
    answer = call(truncate_levels, w, mean_w, psi, first, last)
    require(np.shape(answer) != w.shape, "one style for each level is wanted: [N, 8, 64]")
    styles = array(answer, (5, 8, 64), "the styles")

    def truncated(psi=psi, first=first, last=last, others=w, mean=mean_w):
        levels = np.arange(1, 9)[:, np.newaxis]
        inside = (first <= levels) & (levels <= last)
        return np.where(inside, (mean + psi * (w - mean))[:, np.newaxis], others[:, np.newaxis])

    mistakes = {
        "levels are counted from 1, as in `mix`: level 3 has the index 2": truncated(
            first=first + 1, last=last + 1
        ),
        "`last` is left out: levels `first` to `last`, both included": truncated(last=last - 1),
        "they start one too early, or end one too late: levels `first` to `last`, from 1": (
            truncated(first=first - 1, last=last)
        ),
        "one level too many: levels `first` to `last`, counted from 1": truncated(last=last + 1),
        "all levels are truncated": truncated(first=1, last=8),
        "the chosen levels are left alone, and the others truncated": (
            w[:, None] + truncated(first=1, last=8) - truncated()
        ),
        "ψ and 1 − ψ are exchanged: at ψ = 1 nothing should change": truncated(psi=1 - psi),
        "the style was multiplied by ψ, toward 0: pull it toward the mean style": (
            truncated(mean=0 * mean_w)
        ),
        "the other levels got the mean style: they keep their w": (
            truncated(others=np.broadcast_to(mean_w, w.shape))
        ),
    }
    _name_mistake(styles, mistakes)
    wrong = [level + 1 for level in range(8) if not same(styles[:, level], truncated()[:, level])]
    require(not wrong, f"with ψ = {psi}, first = {first}, last = {last}, levels {wrong} are wrong")
    require(
        same(call(truncate_levels, w, mean_w, 1.0, 1, 8), np.repeat(w[:, None], 8, axis=1)),
        "at ψ = 1 nothing should change, at any level",
    )
    return None


@step("16.5", "the path length, by small steps")
def check_path_length(path_length):
    """`path_length(describe, start, end, t, epsilon)`: mean of |change|² / ε²."""
    rng = np.random.default_rng(0)
    start, end = rng.normal(size=(2, 40, 6))
    t, epsilon = rng.uniform(0.5, 0.9, size=(40, 1)), 0.01
    matrix = rng.normal(size=(6, 9))

    def describe(styles):
        return np.square(np.asarray(styles, float)) @ matrix  # its slope depends on the place

    def changes(at=t, step=epsilon):
        here, there = (start + each * (end - start) for each in (at, at + step))
        return describe(there) - describe(here)  # [N, F]

    found = float(array(call(path_length, describe, start, end, t, epsilon), (), "the length"))
    squares = np.square(changes()).sum(axis=1)
    right = squares.mean() / epsilon**2
    mistakes = {
        "the squared distance grows with ε²: divide by ε², not by ε": squares.mean() / epsilon,
        "divide by ε²: else a smaller step makes a shorter path": squares.mean(),
        "the distances are to be squared, before the mean": np.sqrt(squares).mean() / epsilon,
        "distances that aren't squared, divided by ε²": np.sqrt(squares).mean() / epsilon**2,
        "the sum over all pairs was taken: take the mean": squares.sum() / epsilon**2,
        "over the features the squares are summed; the mean is taken over the pairs only": (
            right / matrix.shape[1]
        ),
        "t has no influence: the small step was taken at the start": (
            np.square(changes(at=0 * t)).sum(axis=1).mean() / epsilon**2
        ),
        "that is the change from end to end: a small step at t is wanted": (
            np.square(describe(end) - describe(start)).sum(axis=1).mean()
        ),
        "t runs from the end to the start": (
            np.square(changes(at=1 - t)).sum(axis=1).mean() / epsilon**2
        ),
    }
    _name_mistake(found, mistakes, 0.01)
    require(same(found, right, 0.03), f"it should be about {right:.1f} here, not {found:.1f}")
    return None
