"""Layers and losses against closed forms, computed apart in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers.layers import Sampling
from helpers.losses import discriminator_loss, gaussian_kl, generator_loss


def normal(*shape):
    """Random numbers as float32."""
    return np.random.default_rng(len(shape) + 42).normal(size=shape).astype(np.float32)


# --- Sampling


@pytest.mark.parametrize(("mean", "sigma"), [(0, 1), (3, 0.5), (-1, 2)])
def test_sampling_has_the_moments_it_is_given(mean, sigma):
    count = 100_000
    means = np.full((count, 1), mean, np.float32)
    log_vars = np.full((count, 1), 2 * np.log(sigma), np.float32)
    codings = Sampling(seed=1)([means, log_vars]).numpy()
    assert codings.shape == (count, 1)
    assert codings.mean() == pytest.approx(mean, abs=5 * sigma / np.sqrt(count))
    assert codings.std() == pytest.approx(sigma, rel=5 / np.sqrt(2 * count))
    skewness = np.mean(((codings - mean) / sigma) ** 3)
    assert abs(skewness) < 5 * np.sqrt(6 / count)


def test_sampling_draws_axes_and_instances_independently():
    zeros = np.zeros((20_000, 3), np.float32)
    codings = Sampling(seed=1)([zeros, zeros]).numpy()
    np.testing.assert_allclose(np.cov(codings, rowvar=False), np.eye(3), atol=0.05)
    assert abs(np.corrcoef(codings[:-1, 0], codings[1:, 0])[0, 1]) < 0.05


def test_sampling_lets_gradients_through_to_mean_and_log_var():
    mean, log_var = tf.Variable(normal(5, 2)), tf.Variable(normal(5, 2) / 2)
    with tf.GradientTape() as tape:
        codings = Sampling(seed=1)([mean, log_var])
    to_mean, to_log_var = tape.gradient(codings, [mean, log_var])
    np.testing.assert_allclose(to_mean, np.ones((5, 2)))
    # d/dγ of μ + exp(γ/2) ε is exp(γ/2) ε / 2, which is half of what was added to μ
    np.testing.assert_allclose(to_log_var, (codings - mean) / 2, rtol=1e-4, atol=1e-6)


def test_sampling_is_random_at_inference_too():
    zeros = np.zeros((4, 2), np.float32)
    layer = Sampling(seed=1)
    first, second = (layer([zeros, zeros], training=False).numpy() for _ in range(2))
    assert (first != second).all()
    inputs = [keras.Input((2,)), keras.Input((2,))]
    model = keras.Model(inputs, layer(inputs))
    first, second = (model.predict([zeros, zeros], verbose=0) for _ in range(2))
    assert (first != second).all()


def test_sampling_follows_its_seed():
    zeros = np.zeros((4, 2), np.float32)

    def draw(seed):
        return Sampling(seed=seed)([zeros, zeros]).numpy()

    np.testing.assert_array_equal(draw(1), draw(1))
    assert (draw(1) != draw(2)).all()


def test_sampling_follows_the_global_seed_if_it_has_none():
    zeros = np.zeros((4, 2), np.float32)

    def draw():
        keras.utils.set_random_seed(3)
        return Sampling()([zeros, zeros]).numpy()

    np.testing.assert_array_equal(draw(), draw())


def test_sampling_survives_saving(tmp_path):
    inputs = [keras.Input((2,)), keras.Input((2,))]
    model = keras.Model(inputs, Sampling(seed=5, name="codings")(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    layer = loaded.get_layer("codings")
    assert isinstance(layer, Sampling)
    zeros = np.zeros((4, 2), np.float32)
    np.testing.assert_array_equal(loaded([zeros, zeros]), model([zeros, zeros]))


def test_sampling_from_its_configuration_has_the_same_seed():
    layer = Sampling(seed=5, name="codings")
    copy = Sampling.from_config(layer.get_config())
    zeros = np.zeros((4, 2), np.float32)
    assert copy.name == "codings"
    np.testing.assert_array_equal(copy([zeros, zeros]), layer([zeros, zeros]))


# --- the Gaussian KL


def test_kl_is_the_closed_form():
    mean, log_var = normal(7, 3), normal(7, 3) + 0.5
    sigma = np.exp(log_var.astype(np.float64) / 2)
    expected = (np.log(1 / sigma) + (sigma**2 + mean.astype(np.float64) ** 2) / 2 - 0.5).sum(axis=1)
    found = gaussian_kl(mean, log_var).numpy()
    assert found.shape == (7,)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_kl_of_the_standard_gaussian_is_zero():
    np.testing.assert_array_equal(gaussian_kl(np.zeros((3, 4)), np.zeros((3, 4))), np.zeros(3))


def test_kl_is_positive_elsewhere():
    mean, log_var = 3 * normal(1000, 2), 3 * normal(1000, 2)[::-1]
    assert gaussian_kl(mean, log_var).numpy().min() > 0


@pytest.mark.parametrize("axis", [0, 1])
def test_kl_adds_up_over_codings(axis):
    mean, log_var = np.zeros((1, 2)), np.zeros((1, 2))
    mean[0, axis] = 2
    assert float(gaussian_kl(mean, log_var)[0]) == pytest.approx(2)


def test_kl_agrees_with_monte_carlo():
    mean, log_var = np.array([0.8, -0.3]), np.array([-1.0, 0.4])
    sigma = np.exp(log_var / 2)
    z = mean + sigma * np.random.default_rng(42).normal(size=(200_000, 2))
    log_ratio = (-np.log(sigma) - ((z - mean) / sigma) ** 2 / 2 + z**2 / 2).sum(axis=1)
    error = log_ratio.std() / np.sqrt(len(log_ratio))
    found = float(gaussian_kl(mean[None], log_var[None])[0])
    assert found == pytest.approx(log_ratio.mean(), abs=5 * error)


# --- the GAN's losses


def cross_entropy(labels, logits):
    """Mean binary cross-entropy, by its definition, in float64."""
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return float(-np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p)))


def test_discriminator_loss_is_binary_cross_entropy():
    real, fake = 2 * normal(6, 1) + 1, 2 * normal(6, 1)[::-1]
    labels = np.concatenate([np.ones((6, 1)), np.zeros((6, 1))])
    logits = np.concatenate([real, fake])
    found = float(discriminator_loss(real, fake))
    assert found == pytest.approx(cross_entropy(labels, logits), rel=1e-5)
    keras_loss = keras.losses.BinaryCrossentropy(from_logits=True)
    assert found == pytest.approx(float(keras_loss(labels, logits)), rel=1e-5)


def test_generator_loss_is_binary_cross_entropy_against_real():
    fake = 2 * normal(6, 1)
    found = float(generator_loss(fake))
    assert found == pytest.approx(cross_entropy(np.ones((6, 1)), fake), rel=1e-5)
    keras_loss = keras.losses.BinaryCrossentropy(from_logits=True)
    assert found == pytest.approx(float(keras_loss(np.ones((6, 1)), fake)), rel=1e-5)


def test_losses_of_a_guessing_discriminator_are_log_2():
    zeros = np.zeros((4, 1), np.float32)
    assert float(discriminator_loss(zeros, zeros)) == pytest.approx(np.log(2), rel=1e-6)
    assert float(generator_loss(zeros)) == pytest.approx(np.log(2), rel=1e-6)


def test_losses_do_not_overflow_at_large_logits():
    plus, minus = np.full((4, 1), 1e4, np.float32), np.full((4, 1), -1e4, np.float32)
    assert float(discriminator_loss(plus, minus)) == 0
    assert float(discriminator_loss(minus, plus)) == pytest.approx(1e4)
    assert float(discriminator_loss(minus, minus)) == pytest.approx(5e3)
    assert float(generator_loss(plus)) == 0
    assert float(generator_loss(minus)) == pytest.approx(1e4)


def test_gradients_do_not_overflow_at_large_logits():
    fake = tf.Variable([[-1e4], [1e4]])
    with tf.GradientTape() as tape:
        loss = generator_loss(fake)
    np.testing.assert_allclose(tape.gradient(loss, fake), [[-0.5], [0]], atol=1e-6)
