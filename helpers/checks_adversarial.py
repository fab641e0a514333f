"""Checks of the tasks at the end of lessons 11 to 14: from the first GAN to classes on order."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from scipy.stats import norm

from helpers.exercises import array, call, name_mistake, require, same, step
from helpers.losses import generator_loss


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
    name_mistake(push, mistakes, 1e-3)
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
    name_mistake(found, mistakes, 1e-3)

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
    name_mistake(loss, mistakes)
    require(same(loss, right), f"the loss should be {right:.4f} here, not {loss:.4f}")
    second = call(gan.phase_2_loss, ops.convert_to_tensor(fake[:, np.newaxis]))
    require(
        same(second, generator_loss(fake[:, np.newaxis])),
        "phase 2 has changed: the generator's wish is still the label 1",
    )
    return f"the best logit for real samples is now {np.log(0.9 / 0.1):.1f}, not infinite"


# Lesson 13: the DCGAN


@step("13.2", "the factor that shortens codings as much as truncation does")
def check_equal_factor(equal_factor):
    """`equal_factor(limit)`: the standard deviation of N(0, 1) within ±limit."""
    limits = np.array([0.5, 1.0, 2.0])
    found = np.array(
        [float(array(call(equal_factor, float(each)), (), "the factor")) for each in limits]
    )
    inside = norm.cdf(limits) - norm.cdf(-limits)  # the share of the numbers within the limit
    variance = 1 - 2 * limits * norm.pdf(limits) / inside
    right = np.sqrt(variance)
    clipped = np.sqrt(inside * variance + (1 - inside) * limits**2)
    mistakes = {
        "this is the variance; lengths go with its square root": variance,
        "this is for numbers cut off at the limit, as by np.clip; they are drawn again": clipped,
        "this is for numbers spread evenly up to the limit; normal ones are denser near 0": limits
        / 3**0.5,
        "this is the share of the numbers that are within the limit": inside,
        "this is the limit itself, not the standard deviation of what lies within it": limits,
    }
    name_mistake(found, mistakes, 0.01)
    for limit, factor, wanted in zip(limits, found, right, strict=True):
        require(
            same(factor, wanted, 0.01),
            f"for the limit {limit:g} it is {wanted:.3f}, not {factor:.3f}: the standard deviation "
            "of the numbers that stay within the limit (from 100,000 of them, or by a formula)",
        )
    return f"at limit 1, a hundred numbers have length {10 * right[1]:.1f} instead of 10"


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
    name_mistake(found, mistakes, 1e-3)
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
