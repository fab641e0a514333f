"""Variants of the GAN and their layers and losses, against formulas written apart in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from helpers import data, gan_variants
from helpers import losses as course_losses
from helpers.gan import GAN
from helpers.layers import MinibatchDiscrimination, MinibatchStd

KINDS = [gan_variants.ModularGAN, gan_variants.ReplayGAN, gan_variants.LeastSquaresGAN,
         gan_variants.WassersteinGAN]  # fmt: skip


def normal(*shape, seed=42):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def network(units, inputs, name):
    return keras.Sequential(
        [keras.Input((inputs,)), keras.layers.Dense(8, activation="tanh"),
         keras.layers.Dense(units)], name=name,
    )  # fmt: skip


def small(kind, seed=1, rate=0.05, **arguments):
    keras.utils.set_random_seed(seed)
    gan = kind(network(2, 3, "generator"), network(1, 2, "discriminator"), seed=seed, **arguments)
    gan.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate))
    return gan


# --- layers


@pytest.mark.parametrize("shape", [(6, 5), (6, 4, 3, 2)])
def test_minibatch_std_is_one_number_for_all(shape):
    x = normal(*shape)
    y = ops.convert_to_numpy(MinibatchStd()(x))
    assert y.shape == (*shape[:-1], shape[-1] + 1)
    np.testing.assert_array_equal(y[..., :-1], x)
    np.testing.assert_allclose(y[..., -1], x.std(axis=0).mean(), rtol=1e-5)


def test_minibatch_std_of_equal_instances_is_nothing_and_has_a_gradient():
    x = tf.Variable(np.repeat(normal(1, 5), 6, axis=0))
    layer = MinibatchStd(epsilon=1e-8)
    with tf.GradientTape() as tape:
        y = layer(x)
        value = tf.reduce_sum(y[:, -1])
    np.testing.assert_allclose(y[:, -1], 1e-4, rtol=1e-3)  # the root of epsilon
    assert np.isfinite(tape.gradient(value, x).numpy()).all()
    np.testing.assert_allclose(layer(np.float32([[0, 0], [2, 6]]))[0, -1], 2, rtol=1e-6)


def test_minibatch_std_grows_with_the_diversity():
    x = normal(50, 4)
    values = [float(MinibatchStd()(scale * x)[0, -1]) for scale in (0.1, 1, 10)]
    np.testing.assert_allclose(values, values[1] * np.array([0.1, 1, 10]), rtol=1e-4)


def test_minibatch_discrimination_is_the_papers_formula():
    x, layer = normal(7, 4), MinibatchDiscrimination(num_kernels=3, kernel_size=2)
    y = ops.convert_to_numpy(layer(x))
    assert y.shape == (7, 4 + 3)
    np.testing.assert_array_equal(y[:, :4], x)
    tensor = ops.convert_to_numpy(layer.kernel).reshape(4, 3, 2)  # T, [A, B, C]
    m = np.einsum("na,abc->nbc", x, tensor)
    for i in range(7):
        for b in range(3):
            wanted = sum(np.exp(-np.abs(m[i, b] - m[j, b]).sum()) for j in range(7))
            assert y[i, 4 + b] == pytest.approx(wanted, rel=1e-4)


def test_minibatch_discrimination_at_its_extremes():
    layer = MinibatchDiscrimination(num_kernels=3, kernel_size=2)
    same = layer(np.repeat(normal(1, 4), 8, axis=0))
    np.testing.assert_allclose(same[:, 4:], 8, rtol=1e-6)  # all are the same
    far = layer(1e4 * normal(8, 4))
    np.testing.assert_allclose(far[:, 4:], 1, atol=1e-3)  # nobody is near


@pytest.mark.parametrize("layer", [MinibatchStd(1e-3), MinibatchDiscrimination(3, 2)])
def test_layers_are_saved_and_loaded(layer, tmp_path):
    model = keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(normal(5, 4)), model(normal(5, 4)), rtol=1e-6)
    assert (
        loaded.layers[0].get_config().items()
        >= {k: v for k, v in layer.get_config().items() if k not in ("dtype", "name")}.items()
    )


# --- losses


def test_least_squares_losses():
    real, fake = normal(6, 1), normal(6, 1, seed=1)
    wanted = (np.mean((real - 1) ** 2) + np.mean(fake**2)) / 2
    got = course_losses.least_squares_discriminator_loss(real, fake)
    assert float(got) == pytest.approx(wanted, rel=1e-5)
    assert float(course_losses.least_squares_generator_loss(fake)) == pytest.approx(
        np.mean((fake - 1) ** 2) / 2, rel=1e-5
    )
    assert float(course_losses.least_squares_discriminator_loss(np.ones(3), np.zeros(3))) == 0
    assert float(course_losses.least_squares_generator_loss(np.ones(3))) == 0


def test_wasserstein_losses():
    real, fake = normal(6, 1), normal(6, 1, seed=1)
    got = course_losses.wasserstein_discriminator_loss(real, fake)
    assert float(got) == pytest.approx(fake.mean() - real.mean(), rel=1e-4)
    got = course_losses.wasserstein_generator_loss(fake)
    assert float(got) == pytest.approx(-fake.mean(), rel=1e-4)


@pytest.mark.parametrize("shape", [(6, 3), (6, 4, 3)])
@pytest.mark.parametrize("length", [0, 1, 3])
def test_gradient_penalty_of_a_plane_is_known(shape, length):
    slope = normal(*shape[1:])
    slope *= length / np.linalg.norm(slope)

    def plane(x):
        return tf.reduce_sum(x * slope, axis=list(range(1, len(shape))))[:, None]

    mix = np.random.default_rng(0).random((6, *[1] * (len(shape) - 1))).astype(np.float32)
    got = course_losses.gradient_penalty(plane, normal(*shape), normal(*shape, seed=1), mix)
    assert float(got) == pytest.approx((length - 1) ** 2, abs=1e-5)


def test_gradient_penalty_looks_between_real_and_fake():
    seen = []

    def paraboloid(x):
        seen.append(x.numpy())
        return tf.reduce_sum(x**2, axis=1, keepdims=True) / 2  # its slope is x

    real, fake, mix = normal(6, 3), normal(6, 3, seed=1), np.float32([[0], [1], [0.5]] * 2)
    got = course_losses.gradient_penalty(paraboloid, real, fake, mix)
    between = mix * real + (1 - mix) * fake
    np.testing.assert_allclose(seen[0], between, rtol=1e-6)
    wanted = np.mean((np.linalg.norm(between, axis=1) - 1) ** 2)
    assert float(got) == pytest.approx(wanted, rel=1e-4)


def test_gradient_penalty_has_finite_gradients_where_the_slope_is_zero():
    discriminator = network(1, 3, "discriminator")
    discriminator.layers[-1].kernel.assign(np.zeros((8, 1)))  # slope 0 everywhere
    with tf.GradientTape() as tape:
        penalty = course_losses.gradient_penalty(discriminator, normal(6, 3), normal(6, 3), 0.5)
    gradients = tape.gradient(penalty, discriminator.trainable_variables[:3])
    assert float(penalty) == pytest.approx(1, abs=1e-5)
    assert all(np.isfinite(gradients[index]).all() for index in (0, 2))  # the kernels


# --- variants


def test_with_nothing_exchanged_it_trains_exactly_as_the_gan():
    one, other = small(GAN), small(gan_variants.ModularGAN)
    samples = tf.constant(normal(16, 2))
    for _ in range(3):
        one.train_step(samples)
        other.train_step(samples)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_each_phase_trains_its_own_network_only(kind):
    gan = small(kind)
    networks = gan.generator, gan.discriminator
    for phase, argument in [("discriminator_step", tf.constant(normal(16, 2))),
                            ("generator_step", 16)]:  # fmt: skip
        before = [[w.copy() for w in n.get_weights()] for n in networks]
        getattr(gan, phase)(argument)
        moved = [
            any((a != b).any() for a, b in zip(old, n.get_weights(), strict=True))
            for old, n in zip(before, networks, strict=True)
        ]
        assert moved == [phase == "generator_step", phase == "discriminator_step"]


@pytest.mark.parametrize(
    ("kind", "phase_1", "phase_2"),
    [
        (gan_variants.LeastSquaresGAN, course_losses.least_squares_discriminator_loss,
         course_losses.least_squares_generator_loss),
        (gan_variants.ModularGAN, course_losses.discriminator_loss, course_losses.generator_loss),
    ],
)  # fmt: skip
def test_losses_are_those_of_the_name(kind, phase_1, phase_2):
    gan, real, fake = small(kind), normal(6, 2), normal(6, 2, seed=1)
    scores = gan.discriminator(real), gan.discriminator(fake)
    np.testing.assert_allclose(gan.phase_1_loss(real, fake), phase_1(*scores), rtol=1e-6)
    np.testing.assert_allclose(gan.phase_2_loss(scores[1]), phase_2(scores[1]), rtol=1e-6)


def test_the_wasserstein_loss_is_difference_plus_penalty():
    gan = small(gan_variants.WassersteinGAN, penalty=7.0)
    same = normal(6, 2)  # real and fake are equal, so the mixture doesn't matter
    penalty = course_losses.gradient_penalty(gan.discriminator, same, same, 0.5)
    got = gan.phase_1_loss(tf.constant(same), tf.constant(same))
    assert float(got) == pytest.approx(7 * float(penalty), rel=1e-4)


def test_the_buffer_keeps_the_latest_fakes_and_drops_the_oldest():
    gan = small(gan_variants.ReplayGAN, capacity=10)
    made = []
    gan.generator = lambda codings, training: made.append(codings[:, :2]) or codings[:, :2]
    for _ in range(4):
        gan.fakes_to_judge(4)
    latest = np.concatenate(made)[-10:]
    kept = gan.buffer.numpy()
    assert {tuple(row) for row in kept} == {tuple(row) for row in latest}


def test_half_of_what_it_shows_is_new_and_half_comes_from_the_buffer():
    gan = small(gan_variants.ReplayGAN, capacity=1000)
    made = []
    gan.generator = lambda codings, training: made.append(codings[:, :2].numpy()) or codings[:, :2]
    first = gan.fakes_to_judge(50).numpy()
    assert {tuple(r) for r in first} <= {tuple(r) for r in made[0]}  # never the empty places
    for _ in range(9):
        shown = gan.fakes_to_judge(50).numpy()
    assert shown.shape == (50, 2)
    np.testing.assert_array_equal(shown[:25], made[-1][:25])
    seen = [[tuple(r) for r in batch] for batch in made]
    source = [next(k for k, batch in enumerate(seen) if tuple(r) in batch) for r in shown[25:]]
    assert len(set(source)) >= 5  # from many different steps


@pytest.mark.parametrize("kind", KINDS)
def test_they_fit_are_traced_once_and_learn(kind):
    traces = []

    class Counted(kind):
        def generator_step(self, batch_size):
            traces.append(1)
            return super().generator_step(batch_size)

    keras.utils.set_random_seed(1)
    gan = Counted(network(2, 3, "generator"), network(1, 2, "discriminator"), seed=1)
    adam = [keras.optimizers.Adam(0.01, beta_1=0.5) for _ in range(2)]
    gan.compile(*adam, steps_per_execution=4)
    samples = data.batches(normal(64, 2) + 4, 8)
    gan.fit(samples, epochs=30, verbose=0)
    before = len(traces)
    history = gan.fit(samples, epochs=30, verbose=0).history
    assert len(traces) == before <= 8
    assert np.isfinite(history["discriminator_loss"]).all()
    made = gan.generator.predict(normal(500, 3), verbose=0)
    assert np.linalg.norm(made.mean(axis=0) - 4) < 4  # it started around 0, at distance 5.7
