"""Checks of exercise 11: a DCGAN, experience replay, and classes on order."""

import keras
import numpy as np

from helpers.exercises import (
    all_layers,
    array,
    call,
    judge_word,
    require,
    require_score,
    same,
    step,
)
from helpers.replay import ReplayBuffer

FEWEST_SEEDS = 3


@step("11a", "images in the range of tanh")
def check_to_tanh_range(to_tanh_range):
    """`to_tanh_range(images)`: [N, 28, 28] in [0, 1] -> [N, 28, 28, 1] in [-1, 1]."""
    images = np.random.default_rng(0).random((4, 28, 28)).astype("float32")
    images[0, 0, :2] = 0, 1
    found = np.asarray(call(to_tanh_range, images))
    require(
        found.shape != images.shape,
        "the channel axis is missing: convolutions want [N, 28, 28, 1], see np.newaxis",
    )
    found = array(found, (4, 28, 28, 1), "the images")[..., 0]
    require(
        not same(found, images),
        "the pixels still lie between 0 and 1, but tanh gives −1 to 1: the discriminator could "
        "tell real from fake by the background alone",
    )
    require(
        np.isclose(found.min(), -1, atol=1e-3) and np.isclose(found.max(), 1, atol=1e-3),
        f"0 and 1 become {found.min():.2f} and {found.max():.2f}; −1 and 1 are wanted",
    )
    require(same(found, 2 * images - 1), "0 → −1 and 1 → 1 is right, but not what lies between")
    return None


@step("11b", "a convolutional generator and a discriminator that judges its images")
def check_networks(build_generator, build_discriminator, *, codings_size):
    """`build_generator(codings_size)`, `build_discriminator()` -> networks."""
    generator, discriminator = call(build_generator, codings_size), call(build_discriminator)
    codings = np.random.default_rng(0).normal(size=(16, codings_size)).astype("float32")
    made = array(
        call(generator, codings, training=False), (16, 28, 28, 1), "the generator's images"
    )
    extreme = np.asarray(generator(1000 * codings, training=False))
    _check_tanh(min(made.min(), extreme.min()), max(made.max(), extreme.max()))
    kinds = [type(layer).__name__ for layer in all_layers(generator)]
    require(
        sum("Conv" in kind for kind in kinds) >= 2,
        "the generator has fewer than two (transposed) convolutions: the DC of DCGAN",
    )
    require(
        "BatchNormalization" in kinds,
        "the generator has no batch normalization, one of the guidelines",
    )
    array(call(discriminator, made, training=False), (16, 1), "the discriminator's answers")
    wild = np.random.default_rng(1).normal(scale=1000, size=(200, 28, 28, 1)).astype("float32")
    many = np.asarray(discriminator(wild, training=False))
    require(
        not (many.min() >= 0 and many.max() <= 1),
        "the discriminator's answers lie between 0 and 1. Our losses take logits: leave out the "
        "sigmoid",
    )
    return f"{generator.count_params():,} and {discriminator.count_params():,} weights"


def _check_tanh(low, high):
    require(
        low < 0,
        f"the generator's pixels lie between {low:.2f} and {high:.2f}: never negative. The real "
        "images have −1 to 1: end with tanh, not with a sigmoid",
    )
    require(
        low >= -1 and high <= 1,
        f"the generator's pixels lie between {low:.1f} and {high:.1f}: end with tanh",
    )


@step("11c", "phase two teaches the generator, and the generator only")
def check_phases(gan_class):
    """`gan_class(generator, discriminator)`: a TwoPhaseModel with ``generator_step`` written."""
    keras.utils.set_random_seed(0)
    generator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    discriminator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)]
    )
    gan = gan_class(generator, discriminator, seed=0)
    gan.compile(keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05))
    codings = np.random.default_rng(0).normal(size=(500, 4)).astype("float32")
    before = [network.get_weights() for network in (generator, discriminator)]
    belief = float(np.mean(discriminator(generator(codings))))
    loss = call(gan.generator_step, 64)
    require(np.shape(loss) == (), f"return the loss, one number, not {list(np.shape(loss))}")
    require(
        all(map(same, discriminator.get_weights(), before[1])),
        "phase two has changed the discriminator: it would learn to take fakes for real. Take the "
        "gradient for the generator's weights only",
    )
    require(
        not all(map(_equal, generator.get_weights(), before[0])),
        "phase two leaves the generator as it was: apply the gradients to its weights, with its "
        "optimizer. (The fakes must be made inside of the tape)",
    )
    change = float(np.mean(discriminator(generator(codings)))) - belief
    require(
        change > 0,
        "after the step the discriminator takes the fakes for real *less*: the generator was led "
        "downhill. Its loss is `generator_loss(fake_logits)`, small where fakes pass",
    )
    _check_phase_one(gan, before[1])
    asked = []
    gan.fakes_to_judge = lambda batch_size: (
        asked.append(batch_size) or generator(gan.sample_codings(batch_size), training=True)
    )
    call(gan.generator_step, 64)
    require(
        not asked,
        "phase two takes its fakes from `fakes_to_judge`. With replay in 11d some of them will be "
        "old ones, which teach the generator nothing: make them with `self.generator`",
    )
    return None


def _check_phase_one(gan, discriminator_before):
    """It teaches the discriminator, and nobody else."""
    after_generator = gan.generator.get_weights()
    real = np.random.default_rng(1).normal(loc=3, size=(64, 3)).astype("float32")
    call(gan.discriminator_step, real)
    require(
        all(map(_equal, gan.generator.get_weights(), after_generator)),
        "phase one has changed the generator",
    )
    require(
        not all(map(_equal, gan.discriminator.get_weights(), discriminator_before)),
        "phase one leaves the discriminator as it was",
    )


def _equal(left, right):
    return np.array_equal(left, right)


@step("11d", "half of the fakes new, half of them remembered")
def check_mix(mix):
    """`mix(new, buffer)` -> fakes for phase one, as many as `new`."""
    buffer = ReplayBuffer(64, (2,), seed=0)
    shown, batch_size = [], 8
    for number in range(1, 6):
        new = np.full((batch_size, 2), number, "float32")
        shown.append(np.asarray(call(mix, keras.ops.convert_to_tensor(new), buffer)))
    last = shown[-1]
    require(
        len(last) == batch_size,
        f"{len(last)} fakes for a batch of {batch_size}: phase one needs as many fakes as real "
        "images. Show half of the new ones only",
    )
    ages = 5 - last[:, 0]
    require(
        int(buffer.num_seen) > 0,
        "nothing was put into the buffer: buffer.add(new)",
    )
    require(
        (np.stack(shown) > 0).all(),
        "some fakes are zeros: the buffer was asked while it was empty. Add first, then draw",
    )
    num_new = int(np.sum(ages == 0))
    require(
        num_new < batch_size,
        "all of the fakes are new ones: no replay. Draw half of them from the buffer",
    )
    require(
        num_new >= batch_size // 2,
        f"{num_new} of {batch_size} fakes are new: half of them should be, or else the "
        "discriminator hardly sees what the generator does now",
    )
    require(
        int(buffer.num_seen) == 5 * batch_size,
        f"{int(buffer.num_seen)} fakes were put in, of {5 * batch_size} made: add all the new ones",
    )
    return None


@step("11e", "a verdict on replay that the numbers bear")
def check_verdict(verdict, *, distances):
    """`verdict`: a word; `distances`: dict "without replay", "with replay" -> one per seed."""
    require(distances, "there are no results yet: run the comparison first")
    plain, replay = (-np.asarray(distances[f"{way} replay"]) for way in ("without", "with"))
    judge_word(verdict, replay, plain, "replay, by minus the distance", FEWEST_SEEDS)
    return None


@step("11f", "networks that listen to the class, and to the codings")
def check_conditional(build_generator, build_discriminator, *, codings_size):
    """`build_generator(codings_size)`, `build_discriminator()`, each network with two inputs."""
    generator, discriminator = call(build_generator, codings_size), call(build_discriminator)
    for name, network in (("generator", generator), ("discriminator", discriminator)):
        shapes = network.input_shape
        require(
            isinstance(shapes, list) and len(shapes) == 2 and shapes[1][-1] == 10,
            f"the {name} needs two inputs: {'codings' if name == 'generator' else 'images'}, and "
            "ten numbers for the class",
        )
    rng = np.random.default_rng(0)
    codings = rng.normal(size=(10, codings_size)).astype("float32")
    classes = np.eye(10, dtype="float32")
    made = np.asarray(call(generator, [codings, classes], training=False))
    array(made, (10, 28, 28, 1), "the generator's images")
    extreme = np.asarray(generator([1000 * codings, classes], training=False))
    _check_tanh(min(made.min(), extreme.min()), max(made.max(), extreme.max()))
    one_coding = np.asarray(generator([np.repeat(codings[:1], 10, axis=0), classes]))
    require(
        _spread(one_coding) > 1e-3,
        "the generator ignores the class: one coding gives the same image for all ten",
    )
    one_class = np.asarray(generator([codings, np.repeat(classes[:1], 10, axis=0)]))
    require(
        _spread(one_class) > 1e-3,
        "the generator ignores the codings: all images of a class are the same",
    )
    one_image = np.repeat(made[:1], 10, axis=0)
    answers = array(discriminator([one_image, classes]), (10, 1), "the discriminator's answers")
    require(
        answers.std() > 1e-4,
        "the discriminator ignores the class: then nothing makes the generator fill an order",
    )
    return None


def _spread(images):
    return float(images.std(axis=0).mean())


class _Judge:
    """Reads the class from the first ten pixels, and says if images are in the wrong range."""

    def classes(self, images):
        images = np.asarray(images)
        require(
            images.ndim == 3,
            f"the judge takes images [N, 28, 28], not {list(images.shape)}: drop the channel axis",
        )
        require(
            images.min() >= 0,
            "the judge got negative pixels: it knows images from 0 to 1, but tanh gives −1 to 1",
        )
        return images[:, 0, :10].argmax(axis=1)


def _obedient_generator(codings_size=3, mistaken=4):
    """Writes the class into the first pixels; orders of the class `mistaken` give class 0."""
    codings, classes = keras.Input((codings_size,)), keras.Input((10,))
    kernel = np.zeros((10, 784), "float32")
    kernel[np.arange(10), np.where(np.arange(10) == mistaken, 0, np.arange(10))] = 2
    dense = keras.layers.Dense(784)
    flat = dense(classes)
    dense.set_weights([kernel, np.full(784, -1, "float32")])
    nothing = keras.layers.Dense(784, kernel_initializer="zeros")(codings)
    images = keras.layers.Reshape((28, 28, 1))(keras.layers.Add()([flat, nothing]))
    return keras.Model([codings, classes], images)


@step("11g", "the share of orders that a judge sees filled")
def check_orders_filled(orders_filled):
    """`orders_filled(generator, codings, orders, judge)` -> a share."""
    codings = np.zeros((60, 3), "float32")
    orders = np.array([4] * 15 + [0] * 9 + [1, 2, 3] * 12)
    share = float(call(orders_filled, _obedient_generator(), codings, orders, _Judge()))
    require(share <= 1, f"{share:g} is more than 1: a share is expected, not a count")
    right = 45 / 60
    require(
        not np.isclose(share, 1 - right),
        "that is the share of orders that were *not* filled",
    )
    require(
        np.isclose(share, right),
        f"of these orders {right:.0%} are filled, not {share:.1%}. Was each image made for its own "
        "order, and compared with it?",
    )
    return None


@step("11h", "a conditional GAN that fills orders")
def check_conditional_gan(conditional, *, orders_filled, judge, codings):
    """`conditional`: trained GAN; `orders_filled`: of 11g; `codings`: float [N, D]."""
    require(hasattr(conditional, "generator"), "a ConditionalGAN is expected")
    generator = conditional.generator
    orders = np.arange(len(codings)) % 10
    share = float(call(orders_filled, generator, codings, orders, judge))
    require_score(
        share > 0.3,
        f"{share:.0%} of the orders are filled; guessing gives 10 %. Was it trained, with the "
        "images' own labels? For long enough?",
    )
    images = np.asarray(generator.predict([codings, np.eye(10)[orders]], verbose=0))
    variety = min(_spread(images[orders == number]) for number in range(10))
    require_score(
        variety > 0.05,
        "in one of the classes all images are nearly the same: the codings count for nothing",
    )
    return f"{share:.0%} of the orders"
