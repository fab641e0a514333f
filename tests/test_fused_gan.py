"""One batch of fakes for both updates: the same losses, and gradients at the same moment."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_gan import SAMPLES, network

from helpers import data, models
from helpers.gan import FusedGAN
from helpers.losses import discriminator_loss, generator_loss


def small_gan(**compile_arguments):
    keras.utils.set_random_seed(1)
    gan = FusedGAN(network(2, 3, "generator"), network(1, 2, "discriminator"), seed=1)
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2), **compile_arguments)
    return gan


def test_both_networks_step_along_their_own_gradient_from_the_same_fakes():
    gan, twin = small_gan(), small_gan()
    codings = twin.sample_codings(64)  # what the GAN will draw
    with tf.GradientTape(persistent=True) as tape:
        fake_logits = twin.discriminator(twin.generator(codings))
        losses = [
            discriminator_loss(twin.discriminator(SAMPLES), fake_logits),
            generator_loss(fake_logits),
        ]
    logs = gan.train_step(tf.constant(SAMPLES))
    assert float(logs["discriminator_loss"]) == pytest.approx(float(losses[0]), rel=1e-5)
    assert float(logs["generator_loss"]) == pytest.approx(float(losses[1]), rel=1e-5)
    for name, loss, rate in [("discriminator", losses[0], 0.2), ("generator", losses[1], 0.1)]:
        weights = getattr(twin, name).trainable_variables
        for after, before, gradient in zip(
            getattr(gan, name).trainable_variables, weights, tape.gradient(loss, weights),
            strict=True,
        ):  # fmt: skip
            np.testing.assert_allclose(after, before - rate * gradient, rtol=1e-4, atol=1e-6)
            assert np.abs(gradient).max() > 0


def test_it_fits_like_the_others_and_learns():
    keras.utils.set_random_seed(1)
    gan = FusedGAN(network(2, 3, "generator"), network(1, 2, "discriminator"), seed=1)
    adam = [keras.optimizers.Adam(0.01, beta_1=0.5) for _ in range(2)]
    gan.compile(*adam, steps_per_execution=4)
    history = gan.fit(data.batches(SAMPLES + 4, 32), epochs=60, verbose=0).history
    assert set(history) == {"discriminator_loss", "generator_loss"}
    made = gan.generator.predict(np.random.default_rng(0).normal(size=(500, 3)), verbose=0)
    assert np.linalg.norm(made.mean(axis=0) - 4) < 3  # it started around 0, at distance 5.7


def test_the_chapters_dcgan():
    generator, discriminator = models.dcgan_generator(), models.dcgan_discriminator()
    assert (generator.count_params(), discriminator.count_params()) == (840_705, 212_865)
    shapes = [layer.output.shape[1:] for layer in generator.layers]
    assert shapes[:2] == [(6272,), (7, 7, 128)]
    assert shapes[3] == (14, 14, 64) and shapes[-1] == (28, 28, 1)
    images = generator(np.random.default_rng(0).normal(size=(4, 100)).astype(np.float32) * 50)
    assert -1 <= images.numpy().min() < -0.5 and 0.5 < images.numpy().max() <= 1
    assert discriminator(images).shape == (4, 1)
    FusedGAN(generator, discriminator)  # they fit together
