"""The generative adversarial network as a Keras model: two phases, two optimizers, one ``fit``."""

import keras
import tensorflow as tf
from keras import ops

from helpers.losses import discriminator_loss, generator_loss


class TwoPhaseModel(keras.Model):
    """The frame around a GAN's two phases: optimizers, codings, and what ``fit`` calls per batch.

    A subclass writes the phases, ``discriminator_step(real_samples)`` and
    ``generator_step(batch_size)``; both return their loss, a scalar.

    Args:
        generator: float codings [N, codings_size] -> samples. Where a network has several inputs,
            the codings or the samples come first.
        discriminator: samples -> float logits [N, 1], positive for "real".
        seed: of the codings drawn during training.

    Raises:
        ValueError: the generator's output doesn't fit the discriminator's input.
    """

    def __init__(self, generator, discriminator, seed=None, **kwargs):
        super().__init__(**kwargs)
        made, expected = generator.output_shape[1:], _first(discriminator.input_shape)[1:]
        if tuple(made) != tuple(expected):
            raise ValueError(
                f"The generator makes samples of shape {list(made)}, but the discriminator "
                f"takes {list(expected)}. Add a Reshape to one of them."
            )
        self.generator, self.discriminator = generator, discriminator
        self.codings_size = _first(generator.input_shape)[-1]
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.discriminator_loss = keras.metrics.Mean("discriminator_loss")
        self.generator_loss = keras.metrics.Mean("generator_loss")
        self.built = True  # both networks are

    def compile(self, generator_optimizer, discriminator_optimizer, **kwargs):
        """Give each network its own optimizer, whose variables are created here.

        Args:
            generator_optimizer, discriminator_optimizer: Keras optimizers or their names.
            kwargs: for ``keras.Model.compile``, e.g. ``steps_per_execution``.

        Raises:
            ValueError: both are the same optimizer.
        """
        if generator_optimizer is discriminator_optimizer and not isinstance(
            generator_optimizer, str
        ):
            raise ValueError("Each network needs an optimizer of its own; make two of them.")
        super().compile(optimizer=generator_optimizer, **kwargs)
        self.generator_optimizer = self.optimizer
        self.discriminator_optimizer = keras.optimizers.get(discriminator_optimizer)
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)

    def call(self, codings, training=False):
        """Generate: codings [N, codings_size] -> samples."""
        return self.generator(codings, training=training)

    def sample_codings(self, num_codings):
        """Draw float codings [num_codings, codings_size] from N(0, 1)."""
        return keras.random.normal((num_codings, self.codings_size), seed=self.seed_generator)

    def train_step(self, real_samples):
        """One batch of ``fit``: phase 1, then phase 2. Returns both losses, averaged so far."""
        self.discriminator_loss.update_state(self.discriminator_step(real_samples))
        self.generator_loss.update_state(self.generator_step(ops.shape(real_samples)[0]))
        trackers = self.discriminator_loss, self.generator_loss
        return {tracker.name: tracker.result() for tracker in trackers}

    def fit(self, dataset, **kwargs):
        """``keras.Model.fit`` on a dataset of real samples that shuffles itself."""
        return super().fit(dataset, **{"shuffle": False, **kwargs})


def _first(shapes):
    """The shape of a network's only, or first, input."""
    return shapes[0] if isinstance(shapes, list) else shapes


class GAN(TwoPhaseModel):
    """The original GAN (Goodfellow et al., 2014) with the non-saturating generator loss."""

    def discriminator_step(self, real_samples):
        """Phase 1: teach the discriminator to tell `real_samples` from as many fakes."""
        fakes = self.generator(self.sample_codings(ops.shape(real_samples)[0]), training=True)
        with tf.GradientTape() as tape:  # without the fakes' making: no gradient for the generator
            real_logits = self.discriminator(real_samples, training=True)
            fake_logits = self.discriminator(fakes, training=True)
            loss = discriminator_loss(real_logits, fake_logits)
        weights = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    def generator_step(self, batch_size):
        """Phase 2: teach the generator to have `batch_size` fakes taken for real."""
        codings = self.sample_codings(batch_size)
        with tf.GradientTape() as tape:  # through the discriminator to the generator
            fake_logits = self.discriminator(self.generator(codings, training=True), training=True)
            loss = generator_loss(fake_logits)
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(loss, weights), weights)
        return loss


class FusedGAN(TwoPhaseModel):
    """The same two losses, but one batch of fakes serves both updates: a sixth less arithmetic.

    This is another update than the original's: the generator learns from the discriminator as it
    was before its step, and from the very fakes that the discriminator learns from.
    """

    def logits(self, real_samples):
        """What the discriminator says of `real_samples` and of as many fakes, each [N, 1]."""
        fakes = self.generator(self.sample_codings(ops.shape(real_samples)[0]), training=True)
        real_logits = self.discriminator(real_samples, training=True)
        return real_logits, self.discriminator(fakes, training=True)

    def both_losses(self, real_samples):
        """The discriminator's and the generator's loss, two scalars, on one batch of fakes."""
        real_logits, fake_logits = self.logits(real_samples)
        return discriminator_loss(real_logits, fake_logits), generator_loss(fake_logits)

    def train_step(self, real_samples):
        """One batch of ``fit``: both networks at once. Returns both losses, averaged so far."""
        with tf.GradientTape(persistent=True) as tape:
            losses = self.both_losses(real_samples)
        trackers = self.discriminator_loss, self.generator_loss
        networks = self.discriminator, self.generator
        gradients = [
            tape.gradient(loss, network.trainable_variables)
            for loss, network in zip(losses, networks, strict=True)
        ]
        self.discriminator_optimizer.apply(gradients[0], self.discriminator.trainable_variables)
        self.generator_optimizer.apply(gradients[1], self.generator.trainable_variables)
        for tracker, loss in zip(trackers, losses, strict=True):
            tracker.update_state(loss)
        return {tracker.name: tracker.result() for tracker in trackers}
