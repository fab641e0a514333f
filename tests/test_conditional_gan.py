"""The conditional GAN: both networks get the class, wrong ones are an error, and it conditions."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from helpers import data, pretrained
from helpers.classifier import Judge
from helpers.conditional_gan import (
    ConditionalGAN,
    conditional_discriminator,
    conditional_generator,
    one_hot,
)
from helpers.losses import discriminator_loss, generator_loss
from helpers.training import WeightAverage

RNG = np.random.default_rng(42)
CENTERS = np.array([[2, 0], [-1, 1.7], [-1, -1.7]], np.float32)  # of three clusters
LABELS = RNG.integers(3, size=1920)
SAMPLES = (CENTERS[LABELS] + 0.2 * RNG.normal(size=(1920, 2))).astype(np.float32)


def flat_networks(units=32, num_classes=3):
    """A generator and a discriminator of points in the plane, with a class each."""
    codings, classes = keras.Input((2,)), keras.Input((num_classes,))
    hidden = layers.Dense(units, "relu")(layers.Concatenate()([codings, classes]))
    generator = keras.Model([codings, classes], layers.Dense(2)(hidden), name="generator")
    points, classes = keras.Input((2,)), keras.Input((num_classes,))
    hidden = layers.Dense(units, "relu")(layers.Concatenate()([points, classes]))
    return generator, keras.Model([points, classes], layers.Dense(1)(hidden), name="discriminator")


def small_gan(kind=ConditionalGAN, optimizer=keras.optimizers.SGD, rate=0.1, **compile_arguments):
    keras.utils.set_random_seed(1)
    gan = kind(*flat_networks(), seed=1)
    gan.compile(optimizer(rate), optimizer(rate), **compile_arguments)
    return gan


def batches(labels=LABELS):
    return data.batches((SAMPLES, labels), 64)


# --- the networks


def test_the_lessons_networks_have_the_chapters_shapes_but_for_their_width():
    generator, discriminator = conditional_generator(), conditional_discriminator()
    gan = ConditionalGAN(generator, discriminator, seed=1)
    assert (gan.codings_size, gan.num_classes) == (64, 10)
    shapes = [layer.output.shape[1:] for layer in generator.layers]
    assert (7, 7) in {shape[:2] for shape in shapes} and (14, 14) in {s[:2] for s in shapes}
    images = gan.generate(RNG.normal(size=(20, 64)) * 20, np.arange(20) % 10)
    assert images.shape == (20, 28, 28, 1)
    assert -1 <= images.min() < -0.5 and 0.5 < images.max() <= 1
    logits = discriminator([images, one_hot(np.arange(20) % 10)])
    assert logits.shape == (20, 1) and np.isfinite(logits).all()
    assert generator.count_params() * 4 <= 3.4e6  # the weights ship


@pytest.mark.parametrize("network", [conditional_generator, conditional_discriminator])
def test_another_class_is_another_output(network):
    keras.utils.set_random_seed(42)
    network = network()
    first_size = network.input_shape[0][1:]
    same = np.repeat(RNG.normal(size=(1, *first_size)).astype(np.float32), 10, axis=0)
    outputs = np.asarray(network([same, one_hot(np.arange(10))])).reshape(10, -1)
    gaps = np.abs(outputs[:, np.newaxis] - outputs).max(axis=-1)
    assert (gaps[~np.eye(10, dtype=bool)] > 1e-4).all()


def sum_of_codings_and_class():
    """The generator up to where its class joins the codings, and the class's layer."""
    generator = conditional_generator()
    joined = next(layer for layer in generator.layers if isinstance(layer, layers.Add))
    pattern = next(layer for layer in generator.layers if layer.name.startswith("dense")
                   and layer.kernel.shape[0] == 10)  # fmt: skip
    return keras.Model(generator.input, joined.output), pattern


def test_a_mixture_of_classes_is_a_mixture_of_their_patterns():
    joined, _ = sum_of_codings_and_class()
    codings = RNG.normal(size=(1, 64)).astype(np.float32)
    weights = np.array([[0.25, 0, 0.75, 0, 0, 0, 0, 0, 0, 0]], np.float32)
    first, third = (np.asarray(joined([codings, one_hot([number])])) for number in (0, 2))
    mixed = np.asarray(joined([codings, weights]))
    np.testing.assert_allclose(mixed, 0.25 * first + 0.75 * third, atol=1e-5)
    assert not np.allclose(first, third, atol=0.1)


def test_however_loud_the_class_the_codings_keep_their_say():
    joined, pattern = sum_of_codings_and_class()
    codings = RNG.normal(size=(200, 64)).astype(np.float32)
    same_class = one_hot(np.full(200, 3))
    spreads = []
    for loudness in (1, 100):
        pattern.set_weights([loudness * pattern.get_weights()[0]])
        spreads.append(np.asarray(joined([codings, same_class], training=True)).std(axis=0).mean())
    assert spreads[0] == pytest.approx(spreads[1], rel=1e-3)
    assert 0.5 < spreads[0] < 1.5


# --- one training step


def test_both_networks_get_the_class_and_step_along_their_own_gradient():
    gan, twin = small_gan(), small_gan()
    samples, classes = tf.constant(SAMPLES[:64]), tf.constant(one_hot(LABELS[:64], 3))
    codings = twin.sample_codings(64)  # what the GAN will draw
    with tf.GradientTape(persistent=True) as tape:
        fakes = twin.generator([codings, classes])
        fake_logits = twin.discriminator([fakes, classes])
        losses = [
            discriminator_loss(twin.discriminator([samples, classes]), fake_logits),
            generator_loss(fake_logits),
        ]
    logs = gan.train_step((samples, classes))
    assert float(logs["discriminator_loss"]) == pytest.approx(float(losses[0]), rel=1e-5)
    assert float(logs["generator_loss"]) == pytest.approx(float(losses[1]), rel=1e-5)
    for name, loss in [("discriminator", losses[0]), ("generator", losses[1])]:
        weights = getattr(twin, name).trainable_variables
        gradients = tape.gradient(loss, weights)
        assert np.abs(gradients[0][-3:]).max(axis=1).min() > 0  # of the weights of the class input
        for after, before, gradient in zip(
            getattr(gan, name).trainable_variables, weights, gradients, strict=True
        ):
            np.testing.assert_allclose(after, before - 0.1 * gradient, rtol=1e-4, atol=1e-6)


def test_training_steps_are_not_traced_again():
    traces = []

    class Traced(ConditionalGAN):
        """Notes each time its Python code runs, which compiled code does not."""

        def logits(self, batch):
            traces.append(batch[0].shape)
            return super().logits(batch)

    gan = small_gan(Traced)
    gan.fit(batches(), verbose=0)
    first = len(traces)
    assert 1 <= first <= 2  # Keras may look at the step once before it compiles
    gan.fit(batches(), epochs=2, verbose=0)
    assert len(traces) == first


def test_history_steps_and_average_are_as_usual():
    gan = small_gan(steps_per_execution=5)
    average = WeightAverage(gan.generator, flat_networks()[0])
    history = gan.fit(batches(), epochs=2, verbose=0, callbacks=[average]).history
    assert set(history) == {"discriminator_loss", "generator_loss"}
    assert int(gan.generator_optimizer.iterations) == 2 * 1920 // 64
    assert np.isfinite(history["generator_loss"]).all()


# --- does the label condition?


def in_own_cluster(gan, count=900):
    labels = np.arange(count) % 3
    points = gan.generate(np.random.default_rng(7).normal(size=(count, 2)), labels)
    distances = np.linalg.norm(points[:, np.newaxis] - CENTERS, axis=-1)
    return np.mean((distances.argmin(axis=1) == labels) & (distances.min(axis=1) < 1))


def trained(labels):
    adam = lambda rate: keras.optimizers.Adam(rate, beta_1=0.5)  # noqa: E731
    gan = small_gan(optimizer=adam, rate=5e-3, steps_per_execution=10)
    gan.fit(batches(labels), epochs=30, verbose=0)
    return in_own_cluster(gan)


def test_the_class_decides_the_cluster():
    assert in_own_cluster(small_gan()) < 0.6
    assert trained(LABELS) >= 0.9


def test_labels_without_a_meaning_decide_nothing():
    assert trained(np.random.default_rng(1).permutation(LABELS)) < 0.6


def test_the_shipped_generator_fills_orders_and_not_always_with_the_same_picture():
    generator = pretrained.load_weights(conditional_generator(), "cgan")
    orders = np.arange(3000) % 10
    codings = np.random.default_rng(3).normal(size=(3000, 64)).astype(np.float32)
    images = generator.predict([codings, one_hot(orders)], batch_size=500, verbose=0)[..., 0]
    judge = Judge()
    filled = judge.classes((images + 1) / 2) == orders
    assert filled.mean() >= 0.88  # of 10,000 more than 0.9; here chance may take or give 0.01
    assert all(filled[orders == number].mean() > 0.5 for number in range(10))
    features = judge.features((images + 1) / 2)
    within = np.mean([features[orders == number].var(axis=0).sum() for number in range(10)])
    assert within > 0.15 * features.var(axis=0).sum()  # of real images: 0.27


# --- mistakes


@pytest.mark.parametrize("wrong", [-1, 3, 255])
@pytest.mark.parametrize("jit_compile", [True, False])
def test_a_wrong_class_number_stops_the_training(wrong, jit_compile):
    labels = LABELS.copy()
    labels[1000] = wrong
    gan = small_gan(jit_compile=jit_compile)
    with pytest.raises(ValueError, match="Class numbers must be whole numbers from 0 to 2"):
        gan.fit(batches(labels), verbose=0)


def test_other_troubles_in_the_data_are_not_blamed_on_the_classes():
    def broken(samples, labels):
        return tf.debugging.check_numerics(samples / 0, "samples"), labels

    with pytest.raises(tf.errors.InvalidArgumentError):
        small_gan().fit(batches().map(broken), verbose=0)


@pytest.mark.parametrize("wrong", [[-1], [10], [0.5], ["shirt"]])
def test_one_hot_refuses_what_is_no_class_number(wrong):
    with pytest.raises(ValueError, match="whole numbers from 0 to 9"):
        one_hot(wrong)


def test_one_hot():
    np.testing.assert_array_equal(one_hot([2, 0], 3), [[0, 0, 1], [1, 0, 0]])
    assert one_hot([1]).shape == (1, 10) and one_hot([1]).dtype == np.float32


def test_generate_takes_one_class_for_all_and_refuses_wrong_ones():
    gan = small_gan()
    codings = RNG.normal(size=(5, 2))
    np.testing.assert_allclose(gan.generate(codings, 1), gan.generate(codings, [1] * 5))
    assert not np.allclose(gan.generate(codings, 1), gan.generate(codings, 2))
    with pytest.raises(ValueError, match="0 to 2"):
        gan.generate(codings, 3)


def test_networks_without_a_class_or_with_other_classes_are_an_error():
    generator, discriminator = flat_networks()
    with pytest.raises(ValueError, match="The generator knows 3 classes, the discriminator 4"):
        ConditionalGAN(generator, flat_networks(num_classes=4)[1])
    blind = keras.Sequential([keras.Input((2,)), layers.Dense(1)], name="discriminator")
    with pytest.raises(ValueError, match="The discriminator needs two inputs"):
        ConditionalGAN(generator, blind)


@pytest.mark.parametrize("change", [np.float32, lambda labels: np.eye(3, dtype=int)[labels % 3]])
def test_labels_of_another_kind_are_an_error(change):
    labels = change(np.arange(len(LABELS)) % 3)
    with pytest.raises(ValueError, match="One for each sample, not one-hot"):
        small_gan().fit(batches(labels), verbose=0)
