"""Each check of the exercises: a right answer passes, three plausible wrong ones are named.

That the published solutions pass is tested with the notebooks, in test_exercise_notebooks.py.
"""

import functools
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from helpers import exercises
from helpers.conditional_gan import one_hot
from helpers.exercises import judge
from helpers.gan import GAN, TwoPhaseModel
from helpers.losses import discriminator_loss, generator_loss

RNG = np.random.default_rng(1)
SHAPE = (28, 28)


@pytest.fixture(autouse=True)
def lesson_and_seeds(lesson):
    """Scores are judged, and random numbers are the same in each run."""
    keras.utils.set_random_seed(0)


def garments(count=200):
    """Images [N, 28, 28] that a network can learn in a moment: two kinds of squares."""
    images = np.zeros((count, *SHAPE), "float32")
    images[::2, 4:16, 4:16] = 1
    images[1::2, 12:24, 12:24] = 1
    return images


# Exercise 9


def encoder_9(*front, units=(16, 8), codings=4, flatten=True, then=()):
    inner = [layers.Dense(u, activation="relu") for u in units]
    flat = [layers.Flatten()] if flatten else []
    stack = [keras.Input(SHAPE), *front, *flat, *inner, *then, layers.Dense(codings)]
    return keras.Sequential(stack)


def noise():
    return layers.GaussianNoise(0.3)


def noise_forever():
    images = keras.Input(SHAPE)
    noisy = layers.GaussianNoise(0.3)(images, training=True)
    hidden = layers.Dense(8)(layers.Dense(16)(layers.Flatten()(noisy)))
    return keras.Model(images, layers.Dense(4)(hidden))


def autoencoder_9(encoder, epochs=0, last="sigmoid", reshape=True, targets=None):
    end = [layers.Reshape(SHAPE)] if reshape else []
    inner = [layers.Dense(32, activation="relu"), layers.Dense(784, activation=last)]
    autoencoder = keras.Sequential([encoder, *inner, *end])
    if epochs:
        autoencoder.compile("adam", "mse", jit_compile=False)
        images = garments()
        targets = images if targets is None else targets
        autoencoder.fit(images, targets, epochs=epochs, batch_size=20, verbose=0)
    return autoencoder


def case_9b(encoder=None, **arguments):
    own = encoder_9(noise())
    context = {"encoder": own, "images": garments(100)}
    return (autoencoder_9(encoder or own, **arguments),), context


def strongest(codings, neuron, count):
    return np.argsort(-codings[:, neuron])[:count]


def ascent(encoder, images, neuron, rate, sign=1, clip=True, everything=False):
    images = tf.convert_to_tensor(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        codings = encoder(images)
        activation = tf.reduce_sum(codings if everything else codings[:, neuron])
    images = images + sign * rate * tape.gradient(activation, images)
    return tf.clip_by_value(images, 0, 1) if clip else images


def ascent_of_weights(encoder, images, neuron, rate):
    encoder.set_weights([weight + rate for weight in encoder.get_weights()])
    return np.clip(images + rate, 0, 1)


def drawn(dataset, num_labels, seed, part="train", replace=False, shuffle=False):
    rng = np.random.default_rng(seed)
    images, labels = getattr(dataset, f"{part}_images"), getattr(dataset, f"{part}_labels")
    chosen = rng.choice(len(images), num_labels, replace=replace)
    others = rng.choice(len(images), num_labels, replace=replace) if shuffle else chosen
    return images[chosen], labels[others]


def classifier_9(encoder, pretrained, frozen, copy="weights", obey=True, last="softmax"):
    lower = encoder_9(noise()) if copy != "share" else encoder
    if (pretrained or copy == "always") and copy in ("weights", "always"):
        lower.set_weights(encoder.get_weights())
    lower.trainable = not (frozen and obey)
    return keras.Sequential([lower, layers.Dense(10, activation=last)])


def freezing_all(encoder, pretrained, frozen):
    encoder.trainable = not frozen
    return classifier_9(encoder, pretrained, frozen)


def case_9f(function, **arguments):
    return (functools.partial(function, **arguments),), {"encoder": encoder_9(noise())}


def paired(values, baseline, sign=1, divide=True, ddof=1):
    gains = sign * (np.asarray(values) - np.asarray(baseline))
    return gains.mean(), gains.std(ddof=ddof) / (np.sqrt(len(gains)) if divide else 1)


def unpaired(values, baseline):
    variance = np.var(values, ddof=1) + np.var(baseline, ddof=1)
    return np.mean(values) - np.mean(baseline), np.sqrt(variance / len(values))


def case_9h(frozen="harms", tuned="can't tell", num_seeds=5):
    scratch = np.array([0.77, 0.78, 0.79, 0.78, 0.77])[:num_seeds]
    accuracies = {
        "from scratch": scratch,
        "frozen": scratch - [0.02, 0.03, 0.02, 0.03, 0.02][:num_seeds],
        "fine-tuned": scratch + [0.01, -0.01, 0.01, -0.01, 0.002][:num_seeds],
    }
    conclusions = {"frozen": frozen, "fine-tuned": tuned}
    return ({way: word for way, word in conclusions.items() if word},), {"accuracies": accuracies}


# Exercise 10


def draw(mean, log_var, noise):
    return mean + ops.exp(log_var / 2) * noise


def kl(mean, log_var):
    return -0.5 * ops.sum(1 + log_var - ops.exp(log_var) - ops.square(mean), axis=-1)


def vae_encoder(image_shape, codings_size, conv=True, activation=None, outputs=2):
    images = keras.Input(image_shape)
    hidden = images
    for filters in (8, 16) if conv else ():
        hidden = layers.Conv2D(filters, 3, 2, padding="same", activation="relu")(hidden)
    hidden = layers.Flatten()(hidden)
    made = [layers.Dense(codings_size)(hidden) for _ in range(outputs - 1)]
    return keras.Model(images, [*made, layers.Dense(codings_size, activation=activation)(hidden)])


def vae_decoder(image_shape, codings_size, last="sigmoid", strides=2):
    side = image_shape[0] // 4
    return keras.Sequential([
        keras.Input((codings_size,)),
        layers.Dense(side * side * 8, activation="relu"),
        layers.Reshape((side, side, 8)),
        layers.Conv2DTranspose(8, 3, 2, padding="same", activation="relu"),
        layers.Conv2DTranspose(1, 3, strides, padding="same", activation=last),
    ])  # fmt: skip


def case_10c(encoder=vae_encoder, decoder=vae_decoder):
    return (encoder, decoder), {"image_shape": (8, 8, 1), "codings_size": 3}


class VAE(keras.Model):
    def __init__(self, encoder, decoder, beta=1.0):
        super().__init__()
        self.encoder, self.decoder, self.beta = encoder, decoder, beta
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, images):
        mean, log_var = self.encoder(images)
        self.add(mean, log_var, np.prod(images.shape[1:]))
        return self.decoder(self.codings(mean, log_var))

    def codings(self, mean, log_var):
        return draw(mean, log_var, keras.random.normal(ops.shape(mean), seed=self.seed_generator))

    def add(self, mean, log_var, num_pixels):
        self.add_loss(self.beta * ops.mean(kl(mean, log_var)) / num_pixels)


class GapVAE(VAE):
    def call(self, images):
        return ...


class CertainVAE(VAE):
    def codings(self, mean, log_var):
        return mean


class StuckVAE(VAE):
    def add(self, mean, log_var, num_pixels):
        self.add_loss(ops.mean(kl(mean, log_var)) / num_pixels)


class HeavyVAE(VAE):
    def add(self, mean, log_var, num_pixels):
        self.add_loss(self.beta * ops.mean(kl(mean, log_var)))


class FreeVAE(VAE):
    def add(self, mean, log_var, num_pixels):
        pass


class WideVAE(VAE):
    def codings(self, mean, log_var):
        return super().codings(mean, 2 * log_var)


def squares_8():
    return garments()[:, ::3, ::3][:, :8, :8, np.newaxis]


@functools.cache
def trained_vaes(knob=True, epochs=60):
    images, vaes = squares_8(), {}
    for beta in (0.02, 0.3, 20):
        keras.utils.set_random_seed(0)
        shape = (8, 8, 1)
        vae = VAE(vae_encoder(shape, 3), vae_decoder(shape, 3), beta if knob else 0.3)
        vae.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", jit_compile=False)
        if epochs:
            vae.fit(images, images, epochs=epochs, batch_size=50, verbose=0)
        vaes[beta] = vae
    return vaes


def case_10e(vaes):
    return (vaes,), {"images": squares_8()}


def generated(decoder, num_images, codings_size, seed, kind="normal", scale=1.0):
    rng = np.random.default_rng(seed)
    shape = (num_images, codings_size)
    codings = rng.uniform(size=shape) if kind == "uniform" else scale * rng.normal(size=shape)
    if kind == "one":
        codings = np.repeat(codings[:1], num_images, axis=0)
    return decoder(codings.astype("float32"))


def path(start, end, num_steps, endpoint=True, turn=False, power=1):
    share = np.linspace(0, 1, num_steps, endpoint=endpoint)[:, np.newaxis] ** power
    start, end = (end, start) if turn else (start, end)
    return (1 - share) * start + share * end


# Exercise 11


def generator_11(codings_size, last="tanh", normalized=True, strides=2):
    middle = [layers.BatchNormalization()] if normalized else []
    return keras.Sequential([
        keras.Input((codings_size,)), layers.Dense(7 * 7 * 4), layers.Reshape((7, 7, 4)), *middle,
        layers.Conv2DTranspose(4, 5, strides=2, padding="same", activation="selu"),
        layers.Conv2DTranspose(1, 5, strides=strides, padding="same", activation=last),
    ])  # fmt: skip


def dense_generator(codings_size):
    return keras.Sequential([
        keras.Input((codings_size,)), layers.Dense(784, activation="tanh"),
        layers.BatchNormalization(), layers.Reshape((28, 28, 1)),
    ])  # fmt: skip


def discriminator_11(last=None):
    return keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(4, 5, strides=2), layers.Flatten(),
        layers.Dense(1, activation=last),
    ])  # fmt: skip


def case_11b(generator=generator_11, discriminator=discriminator_11):
    return (generator, discriminator), {"codings_size": 5}


class GapGAN(GAN):
    def generator_step(self, batch_size):
        return ...


class BothGAN(GAN):
    """Phase two trains both networks."""

    def generator_step(self, batch_size):
        with tf.GradientTape(persistent=True) as tape:
            fakes = self.generator(self.sample_codings(batch_size), training=True)
            loss = generator_loss(self.discriminator(fakes, training=True))
        for network, optimizer in (
            (self.generator, self.generator_optimizer),
            (self.discriminator, self.discriminator_optimizer),
        ):
            weights = network.trainable_variables
            optimizer.apply(tape.gradient(loss, weights), weights)
        return loss


class WrongSignGAN(GAN):
    """Phase two makes the fakes easier to tell."""

    def generator_step(self, batch_size):
        with tf.GradientTape() as tape:
            fakes = self.generator(self.sample_codings(batch_size), training=True)
            loss = ops.mean(ops.softplus(self.discriminator(fakes, training=True)))
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(loss, weights), weights)
        return loss


class OutsideGAN(GAN):
    """The fakes are made outside of the tape."""

    def generator_step(self, batch_size):
        fakes = self.generator(self.sample_codings(batch_size), training=True)
        with tf.GradientTape() as tape:
            loss = generator_loss(self.discriminator(fakes, training=True))
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(loss, weights), weights)
        return loss


class BorrowingGAN(GAN):
    def generator_step(self, batch_size):
        with tf.GradientTape() as tape:
            fakes = self.fakes_to_judge(batch_size)
            loss = generator_loss(self.discriminator(fakes, training=True))
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    def fakes_to_judge(self, batch_size):
        return self.generator(self.sample_codings(batch_size), training=True)


class IdleGAN(GAN):
    """Phase two computes a loss and no more."""

    def generator_step(self, batch_size):
        fakes = self.generator(self.sample_codings(batch_size), training=True)
        return generator_loss(self.discriminator(fakes, training=True))


class OneTapeGAN(TwoPhaseModel):
    """Phase one trains the generator as well."""

    generator_step = GAN.generator_step

    def discriminator_step(self, real_samples):
        with tf.GradientTape(persistent=True) as tape:
            fakes = self.generator(self.sample_codings(len(real_samples)), training=True)
            loss = discriminator_loss(self.discriminator(real_samples), self.discriminator(fakes))
        for network, optimizer in (
            (self.generator, self.generator_optimizer),
            (self.discriminator, self.discriminator_optimizer),
        ):
            weights = network.trainable_variables
            optimizer.apply(tape.gradient(loss, weights), weights)
        return loss


def mixed(new, buffer):
    buffer.add(new)
    half = len(new) // 2
    return ops.concatenate([new[:half], buffer.draw(len(new) - half)])


def only_new(new, buffer):
    buffer.add(new)
    return new


def nothing_added(new, buffer):
    return ops.concatenate([new[: len(new) // 2], buffer.draw(len(new) - len(new) // 2)])


def both_in_full(new, buffer):
    buffer.add(new)
    return ops.concatenate([new, buffer.draw(len(new))])


def only_old(new, buffer):
    buffer.add(new)
    return buffer.draw(len(new))


def drawn_first(new, buffer):
    old = buffer.draw(len(new) // 2)
    buffer.add(new)
    return ops.concatenate([new[: len(new) // 2], old])


def case_11e(verdict, worse=True, num_seeds=3):
    plain = np.array([40.0, 42.0, 41.0])[:num_seeds]
    change = np.array([3.0, 4.0, 5.0] if worse else [-3.0, 4.0, 1.0])[:num_seeds]
    return (verdict,), {"distances": {"without replay": plain, "with replay": plain + change}}


def conditional_generator(codings_size, last="tanh", deaf_to=None):
    codings, classes = keras.Input((codings_size,)), keras.Input((10,))
    parts = {"codings": codings, "classes": classes}
    parts = {name: 0 * part if name == deaf_to else part for name, part in parts.items()}
    hidden = layers.Concatenate()(list(parts.values()))
    images = layers.Reshape((28, 28, 1))(layers.Dense(784, activation=last)(hidden))
    return keras.Model([codings, classes], images)


def conditional_discriminator(deaf=False):
    images, classes = keras.Input((28, 28, 1)), keras.Input((10,))
    told = 0 * classes if deaf else classes
    hidden = layers.Concatenate()([layers.Flatten()(images), told])
    return keras.Model([images, classes], layers.Dense(1)(hidden))


def case_11f(generator=conditional_generator, discriminator=conditional_discriminator):
    return (generator, discriminator), {"codings_size": 5}


def filled(generator, codings, orders, judge, back=True, shift=0, count=False, channel=False):
    images = generator.predict([codings, one_hot(orders)], verbose=0)
    images = (images + 1) / 2 if back else images
    seen = judge.classes(images if channel else images[..., 0])
    hits = np.roll(seen, shift) == orders
    return hits.sum() if count else hits.mean()


def not_filled(generator, codings, orders, judge):
    return 1 - filled(generator, codings, orders, judge)


class SquareJudge:
    """Sees class 3 in dark images, and otherwise the class whose pixel is darkest."""

    def classes(self, images):
        return images[:, 0, :10].argmax(axis=1)


def order_generator(obedient=True, varied=True):
    codings, classes = keras.Input((5,)), keras.Input((10,))
    first = layers.Dense(784)
    images = layers.Add()([
        first(classes),
        layers.Dense(784, kernel_initializer="ones" if varied else "zeros")(codings),
    ])  # fmt: skip
    network = keras.Model([codings, classes], layers.Reshape((28, 28, 1))(images))
    kernel = np.zeros((10, 784), "float32")
    kernel[np.arange(10), np.arange(10) if obedient else 0] = 5
    first.set_weights([kernel, np.zeros(784, "float32")])
    return network


def case_11h(**arguments):
    codings = np.random.default_rng(0).normal(size=(200, 5)).astype("float32")
    context = {"orders_filled": filled, "judge": SquareJudge(), "codings": codings}
    return (types.SimpleNamespace(generator=order_generator(**arguments)),), context


def just(*answers, **context):
    """A case without anything to build."""
    return lambda: (answers, context)


def with_shape(make):
    return lambda: ((make(),), {"image_shape": SHAPE})


def partial(function, **arguments):
    return just(functools.partial(function, **arguments))


RIGHT = {
    "9a": with_shape(lambda: encoder_9(noise())),
    "9b": lambda: case_9b(epochs=10),
    "9c": just(strongest),
    "9d": just(ascent),
    "9e": just(drawn),
    "9f": lambda: case_9f(classifier_9),
    "9g": just(paired),
    "9h": case_9h,
    "10a": just(draw),
    "10b": just(kl),
    "10c": case_10c,
    "10d": just(VAE),
    "10e": lambda: case_10e(trained_vaes()),
    "10f": just(generated),
    "10g": just(path),
    "11a": just(lambda images: images[..., np.newaxis] * 2 - 1),
    "11b": case_11b,
    "11c": just(GAN),
    "11d": just(mixed),
    "11e": lambda: case_11e("harms"),
    "11f": case_11f,
    "11g": just(filled),
    "11h": case_11h,
}

WRONG = {
    ("9a", "no noise"): (with_shape(encoder_9), "there is no noise"),
    ("9a", "noise at inference"): (with_shape(noise_forever), "even outside of training"),
    ("9a", "noise on the codings"): (
        with_shape(lambda: encoder_9(then=[noise()])), "behind the first layer with weights",
    ),
    ("9a", "not flattened"): (
        with_shape(lambda: encoder_9(noise(), flatten=False)), "Is a Flatten missing?",
    ),
    ("9a", "shallow"): (with_shape(lambda: encoder_9(noise(), units=())), "Deep means at least"),
    ("9a", "no bottleneck"): (
        with_shape(lambda: encoder_9(noise(), codings=800)), "between 2 and 100",
    ),
    ("9a", "the function itself"): (with_shape(lambda: encoder_9), "If it is a function, call it"),
    ("9b", "untrained"): (case_9b, "Was it trained"),
    ("9b", "no sigmoid"): (lambda: case_9b(last=None), "End the decoder with a sigmoid"),
    ("9b", "relu"): (lambda: case_9b(last="relu"), "End the decoder with a sigmoid"),
    ("9b", "flat copies"): (lambda: case_9b(reshape=False), "the shape is [100, 784]"),
    ("9b", "another encoder"): (
        lambda: case_9b(encoder=encoder_9(noise()), epochs=1), "not part of this autoencoder",
    ),
    ("9b", "wrong targets"): (
        lambda: case_9b(epochs=5, targets=garments()[::-1]), "the clean images as targets?",
    ),
    ("9c", "ascending"): (
        just(lambda codings, neuron, count: np.argsort(codings[:, neuron])[:count]), "*least*",
    ),
    ("9c", "values"): (
        just(lambda codings, neuron, count: np.sort(codings[:, neuron])[::-1][:count]),
        "not their activations",
    ),
    ("9c", "rows"): (
        just(lambda codings, neuron, count: np.argsort(-codings[neuron])[:count]), "A neuron is a",
    ),
    ("9c", "absolute"): (
        just(lambda codings, neuron, count: np.argsort(-np.abs(codings[:, neuron]))[:count]),
        "leave out the absolute value",
    ),
    ("9c", "order"): (
        just(lambda codings, neuron, count: np.argsort(codings[:, neuron])[-count:]), "wrong order",
    ),
    ("9d", "downhill"): (partial(ascent, sign=-1), "a step downhill"),
    ("9d", "not cut off"): (partial(ascent, clip=False), "cut them off at 0 and 1"),
    ("9d", "all neurons"): (partial(ascent, everything=True), "the sum of *all* codings"),
    ("9d", "weights"): (just(ascent_of_weights), "the encoder's weights have changed"),
    ("9e", "leak"): (partial(drawn, part="test"), "not from the training set"),
    ("9e", "mismatch"): (partial(drawn, shuffle=True), "don't belong together"),
    ("9e", "twice"): (partial(drawn, replace=True), "use replace=False"),
    ("9e", "one seed"): (
        just(lambda dataset, num_labels, seed: drawn(dataset, num_labels, 7)), "Another seed",
    ),
    ("9e", "no seed"): (
        just(lambda dataset, num_labels, seed: drawn(dataset, num_labels, None)), "the same seed",
    ),
    ("9f", "clone_model"): (
        lambda: case_9f(classifier_9, copy="architecture"), "set_weights is needed",
    ),
    ("9f", "not frozen"): (lambda: case_9f(classifier_9, obey=False), "training changes the"),
    ("9f", "shared"): (lambda: case_9f(classifier_9, copy="share"), "the encoder's own layers"),
    ("9f", "always"): (lambda: case_9f(classifier_9, copy="always"), "without pretraining"),
    ("9f", "logits"): (lambda: case_9f(classifier_9, last=None), "end with a softmax"),
    ("9f", "freezes all"): (lambda: case_9f(freezing_all), "freeze the copy only"),
    ("9g", "deviation"): (partial(paired, divide=False), "standard deviation of the gains"),
    ("9g", "unpaired"): (just(unpaired), "take the differences first"),
    ("9g", "sign"): (partial(paired, sign=-1), "the sign is reversed"),
    ("9h", "luck"): (lambda: case_9h(tuned="helps"), "it may be luck"),
    ("9h", "too careful"): (lambda: case_9h(frozen="can't tell"), "hardly luck"),
    ("9h", "sign"): (lambda: case_9h(frozen="helps"), "Mind the sign"),
    ("9h", "few seeds"): (lambda: case_9h(num_seeds=3), "at least 5 are needed"),
    ("9h", "a way missing"): (lambda: case_9h(frozen=None), "no conclusion about 'frozen'"),
    ("9h", "no race"): (just({}, accuracies={}), "run the race first"),
    ("10a", "no noise"): (just(lambda mean, log_var, noise: mean + 0 * noise), "noise is missing"),
    ("10a", "no mean"): (
        just(lambda mean, log_var, noise: ops.exp(log_var / 2) * noise), "the mean is missing",
    ),
    ("10a", "variance"): (
        just(lambda mean, log_var, noise: mean + ops.exp(log_var) * noise), "exp(log_var / 2)",
    ),
    ("10a", "logarithm"): (
        just(lambda mean, log_var, noise: mean + log_var * noise), "log_var is a logarithm",
    ),
    ("10b", "sign"): (just(lambda mean, log_var: -kl(mean, log_var)), "the sign is reversed"),
    ("10b", "mean"): (just(lambda mean, log_var: kl(mean, log_var) / 4), "mean over the codings"),
    ("10b", "scalar"): (just(lambda mean, log_var: ops.mean(kl(mean, log_var))), "axis=-1"),
    ("10b", "no mean squared"): (
        just(lambda mean, log_var: kl(0 * mean, log_var)), "the squared mean is missing",
    ),
    ("10b", "std"): (
        just(lambda mean, log_var: kl(mean, log_var / 2) - 0.25 * ops.sum(log_var, axis=-1)),
        "the variance is exp(log_var)",
    ),
    ("10c", "dense"): (
        lambda: case_10c(functools.partial(vae_encoder, conv=False)), "at least two are expected",
    ),
    ("10c", "relu"): (
        lambda: case_10c(functools.partial(vae_encoder, activation="relu")), "never changes its",
    ),
    ("10c", "one output"): (
        lambda: case_10c(functools.partial(vae_encoder, outputs=1)), "must return two things",
    ),
    ("10c", "too small"): (
        lambda: case_10c(decoder=functools.partial(vae_decoder, strides=1)), "[64, 4, 4, 1]",
    ),
    ("10c", "no sigmoid"): (
        lambda: case_10c(decoder=functools.partial(vae_decoder, last=None)), "end with a sigmoid",
    ),
    ("10d", "no noise"): (just(CertainVAE), "no noise"),
    ("10d", "stuck knob"): (just(StuckVAE), "doesn't depend on β"),
    ("10d", "not divided"): (just(HeavyVAE), "not divided by the number of pixels"),
    ("10d", "no loss"): (just(FreeVAE), "nothing was added to the loss"),
    ("10d", "variance"): (just(WideVAE), "for mean 2 and standard deviation 0.5"),
    ("10e", "untrained"): (lambda: case_10e(trained_vaes(epochs=0)), "Were the VAEs trained"),
    ("10e", "stuck knob"): (lambda: case_10e(trained_vaes(knob=False)), "Does β reach the VAE?"),
    ("10e", "one VAE"): (
        lambda: case_10e(dict.fromkeys((1, 2, 3), trained_vaes()[0.02])), "the same VAE several",
    ),
    ("10f", "uniform"): (partial(generated, kind="uniform"), "not from a uniform one"),
    ("10f", "wide"): (partial(generated, scale=3), "standard deviation 3"),
    ("10f", "one coding"): (partial(generated, kind="one"), "images repeat"),
    ("10g", "no arrival"): (partial(path, endpoint=False), "doesn't arrive at `end`"),
    ("10g", "backwards"): (partial(path, turn=True), "backwards"),
    ("10g", "unequal"): (partial(path, power=2), "not of equal size"),
    ("11a", "data range"): (just(lambda images: images[..., np.newaxis]), "between 0 and 1"),
    ("11a", "no channel"): (just(lambda images: images * 2 - 1), "channel axis is missing"),
    ("11a", "standardized"): (
        just(lambda images: (images[..., np.newaxis] - images.mean()) / images.std()),
        "−1 and 1 are wanted",
    ),
    ("11b", "sigmoid"): (
        lambda: case_11b(functools.partial(generator_11, last="sigmoid")), "end with tanh",
    ),
    ("11b", "probability"): (
        lambda: case_11b(discriminator=functools.partial(discriminator_11, "sigmoid")),
        "leave out the sigmoid",
    ),
    ("11b", "size"): (
        lambda: case_11b(functools.partial(generator_11, strides=1)), "[16, 14, 14, 1]",
    ),
    ("11b", "no normalization"): (
        lambda: case_11b(functools.partial(generator_11, normalized=False)), "no batch norm",
    ),
    ("11b", "dense"): (lambda: case_11b(dense_generator), "end with tanh|fewer than two"),
    ("11c", "both trained"): (just(BothGAN), "phase two has changed the discriminator"),
    ("11c", "sign"): (just(WrongSignGAN), "led downhill"),
    ("11c", "outside"): (just(OutsideGAN), "generator_step stopped with ValueError"),
    ("11c", "idle"): (just(IdleGAN), "leaves the generator as it was"),
    ("11c", "phase one"): (just(OneTapeGAN), "phase one has changed the generator"),
    ("11c", "borrowed fakes"): (just(BorrowingGAN), "from `fakes_to_judge`"),
    ("11d", "only new"): (just(only_new), "no replay"),
    ("11d", "nothing added"): (just(nothing_added), "buffer.add(new)"),
    ("11d", "too many"): (just(both_in_full), "as many fakes as real images"),
    ("11d", "only old"): (just(only_old), "half of them should be"),
    ("11d", "drawn first"): (just(drawn_first), "Add first, then draw"),
    ("11e", "sign"): (lambda: case_11e("helps"), "Mind the sign"),
    ("11e", "luck"): (lambda: case_11e("harms", worse=False), "it may be luck"),
    ("11e", "few seeds"): (lambda: case_11e("harms", num_seeds=2), "at least 3 are needed"),
    ("11e", "no comparison"): (just("helps", distances={}), "run the comparison first"),
    ("11f", "class ignored"): (
        lambda: case_11f(functools.partial(conditional_generator, deaf_to="classes")),
        "the generator ignores the class",
    ),
    ("11f", "codings ignored"): (
        lambda: case_11f(functools.partial(conditional_generator, deaf_to="codings")),
        "the generator ignores the codings",
    ),
    ("11f", "discriminator"): (
        lambda: case_11f(discriminator=functools.partial(conditional_discriminator, deaf=True)),
        "the discriminator ignores the class",
    ),
    ("11f", "sigmoid"): (
        lambda: case_11f(functools.partial(conditional_generator, last="sigmoid")), "end with tanh",
    ),
    ("11f", "one input"): (lambda: case_11f(generator_11), "needs two inputs"),
    ("11g", "range"): (partial(filled, back=False), "the judge got negative pixels"),
    ("11g", "mismatch"): (partial(filled, shift=1), "compared with it"),
    ("11g", "count"): (partial(filled, count=True), "not a count"),
    ("11g", "channel"): (partial(filled, channel=True), "drop the channel axis"),
    ("11g", "reversed"): (just(not_filled), "*not* filled"),
    ("11h", "disobedient"): (lambda: case_11h(obedient=False), "guessing gives 10 %"),
    ("11h", "no variety"): (lambda: case_11h(varied=False), "nearly the same"),
    ("11h", "another judge's range"): (
        lambda: (case_11h()[0], {**case_11h()[1], "orders_filled": functools.partial(not_filled)}),
        "of the orders are filled",
    ),
}  # fmt: skip


@pytest.mark.parametrize("step", RIGHT)
def test_a_right_answer_passes(step):
    answers, context = RIGHT[step]()
    result = judge(step, *answers, **context)
    assert result.state == "right", result


@pytest.mark.parametrize("case", WRONG, ids=lambda case: " ".join(case).replace(" ", "-"))
def test_a_wrong_answer_is_caught_and_its_mistake_named(case):
    make, messages = WRONG[case]
    answers, context = make()
    result = judge(case[0], *answers, **context)
    assert result.state == "wrong", result
    assert any(message.lower() in result.message.lower() for message in messages.split("|")), result


GAPS = {
    "9c": lambda codings, neuron, count: ...,
    "10d": GapVAE,
    "11c": GapGAN,
    "11d": lambda new, buffer: ...,
}


@pytest.mark.parametrize("step", GAPS)
def test_a_function_or_method_with_a_gap_is_not_done_yet(step):
    assert judge(step, GAPS[step]).state == "not done"


@pytest.mark.parametrize("step", RIGHT)
def test_a_gap_in_place_of_the_answer_is_not_done_yet(step):
    answers, context = RIGHT[step]()
    assert judge(step, *[...] * len(answers), **context).state == "not done"


def test_every_step_has_a_right_answer_and_three_wrong_ones():
    for number in ("9", "10", "11"):
        exercises._find(f"{number}a")
    assert set(RIGHT) == {step for step in exercises._checks if "." not in step}
    counts = {step: sum(case[0] == step for case in WRONG) for step in RIGHT}
    assert min(counts.values()) >= 3, counts


@pytest.mark.parametrize(
    "case", [("9b", "untrained"), ("10e", "untrained"), ("11h", "disobedient")]
)
def test_at_smoke_nobody_is_blamed_for_too_little_training(case, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", "smoke")
    answers, context = WRONG[case][0]()
    assert judge(case[0], *answers, **context).state == "right"
