"""Variants of the GAN: each overrides one part of it, its fakes or its losses."""

import keras
import tensorflow as tf
from keras import ops

from helpers.gan import TwoPhaseModel
from helpers.losses import (
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
    wasserstein_discriminator_loss,
    wasserstein_generator_loss,
)


class ModularPhases(TwoPhaseModel):
    """The two phases of :class:`helpers.gan.GAN`, which leave three parts to a subclass.

    It writes ``fakes_to_judge(batch_size)``, ``phase_1_loss(real_samples, fakes)`` and
    ``phase_2_loss(fake_logits)``: see :class:`ModularGAN`.
    """

    def discriminator_step(self, real_samples):
        """Phase 1: teach the discriminator to tell `real_samples` from as many fakes."""
        fakes = self.fakes_to_judge(ops.shape(real_samples)[0])
        with tf.GradientTape() as tape:
            loss = self.phase_1_loss(real_samples, fakes)
        weights = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    def generator_step(self, batch_size):
        """Phase 2: teach the generator to have `batch_size` fakes taken for real."""
        codings = self.sample_codings(batch_size)
        with tf.GradientTape() as tape:
            fakes = self.generator(codings, training=True)
            loss = self.phase_2_loss(self.discriminator(fakes, training=True))
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(loss, weights), weights)
        return loss


class ModularGAN(ModularPhases):
    """The original GAN in three exchangeable parts. It trains exactly as the one of lesson 11."""

    def fakes_to_judge(self, batch_size):
        """The fakes that phase 1 shows to the discriminator, `batch_size` of them."""
        return self.generator(self.sample_codings(batch_size), training=True)

    def phase_1_loss(self, real_samples, fakes):
        """The discriminator's loss, a scalar."""
        real_logits = self.discriminator(real_samples, training=True)
        fake_logits = self.discriminator(fakes, training=True)
        return discriminator_loss(real_logits, fake_logits)

    def phase_2_loss(self, fake_logits):
        """The generator's loss, a scalar."""
        return generator_loss(fake_logits)


class ReplayGAN(ModularGAN):
    """Experience replay: half of the fakes that the discriminator sees come from a buffer.

    Each new fake of phase 1 goes into the buffer, where it replaces the oldest one. Shown are the
    first half of the new ones, and as many from the buffer (Shrivastava et al., 2017, section 2.3).

    Args:
        generator, discriminator, seed: see :class:`helpers.gan.TwoPhaseModel`.
        capacity: fakes in the buffer; at least one batch.
    """

    def __init__(self, generator, discriminator, capacity=4096, seed=None, **kwargs):
        super().__init__(generator, discriminator, seed=seed, **kwargs)
        self.capacity = capacity
        shape = (capacity, *generator.output_shape[1:])
        self.buffer = keras.Variable(ops.zeros(shape), trainable=False, name="buffer")
        self.num_seen = keras.Variable(0, dtype="int32", trainable=False, name="num_seen")

    def fakes_to_judge(self, batch_size):
        """Half of them new, half of them from the buffer."""
        new = super().fakes_to_judge(batch_size)
        places = (self.num_seen + ops.arange(batch_size)) % self.capacity  # the oldest ones
        self.buffer.value.scatter_update(tf.IndexedSlices(new, places))
        self.num_seen.assign_add(batch_size)
        half, filled = batch_size // 2, ops.minimum(self.num_seen, self.capacity)
        share = keras.random.uniform((batch_size - half,), seed=self.seed_generator)  # of the way
        chosen = ops.cast(share * ops.cast(filled, "float32"), "int32")
        return ops.concatenate([new[:half], ops.take(self.buffer, chosen, axis=0)])


class LeastSquaresGAN(ModularGAN):
    """The discriminator's scores shall be 1 for real and 0 for fake, by squares (LSGAN)."""

    def phase_1_loss(self, real_samples, fakes):
        """See :func:`helpers.losses.least_squares_discriminator_loss`."""
        real_scores = self.discriminator(real_samples, training=True)
        fake_scores = self.discriminator(fakes, training=True)
        return least_squares_discriminator_loss(real_scores, fake_scores)

    def phase_2_loss(self, fake_logits):
        """See :func:`helpers.losses.least_squares_generator_loss`."""
        return least_squares_generator_loss(fake_logits)


class WassersteinGAN(ModularGAN):
    """The fakes shall be scored as high as the real samples, by a discriminator of slope 1.

    Gulrajani et al. (2017), algorithm 1, here with one step of the discriminator per step of the
    generator. It is called a critic there: its scores are not logits.

    Args:
        generator, discriminator, seed: see :class:`helpers.gan.TwoPhaseModel`.
        penalty: factor of the gradient penalty.
    """

    def __init__(self, generator, discriminator, penalty=10.0, seed=None, **kwargs):
        super().__init__(generator, discriminator, seed=seed, **kwargs)
        self.penalty = penalty

    def phase_1_loss(self, real_samples, fakes):
        """See :func:`helpers.losses.gradient_penalty`."""
        real_scores = self.discriminator(real_samples, training=True)
        fake_scores = self.discriminator(fakes, training=True)
        loss = wasserstein_discriminator_loss(real_scores, fake_scores)
        shape = (ops.shape(fakes)[0], *[1] * (len(fakes.shape) - 1))  # one number per sample
        mix = keras.random.uniform(shape, seed=self.seed_generator)
        return loss + self.penalty * gradient_penalty(self.discriminator, real_samples, fakes, mix)

    def phase_2_loss(self, fake_logits):
        """See :func:`helpers.losses.wasserstein_generator_loss`."""
        return wasserstein_generator_loss(fake_logits)
