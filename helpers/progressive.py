"""Progressive growing (Karras et al., 2018): networks that grow from 4 x 4 pixels, and a GAN."""

import keras
import tensorflow as tf
from keras import layers, ops

from helpers.gan import FusedGAN
from helpers.layers import EqualizedConv2D, EqualizedDense, MinibatchStd, PixelNorm
from helpers.losses import (
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    wasserstein_discriminator_loss,
    wasserstein_generator_loss,
)

WIDTHS = {4: 64, 8: 64, 16: 32, 32: 16}  # feature maps at each resolution
WIDER = {**WIDTHS, 32: 32}  # of lesson 15's long training, and of lesson 16's trial


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class FadeIn(layers.Layer):
    """``(1 - alpha) * old + alpha * new``, element by element.

    Inputs: a pair of float tensors of one shape, (old, new). Output: float, of that shape.

    Attributes:
        alpha: a variable that no optimizer trains, 1 at first: assign to it, nothing is retraced.
    """

    def build(self, input_shape):
        self.alpha = self.add_weight(name="alpha", initializer="ones", trainable=False)

    def call(self, inputs):
        old, new = inputs
        return (1 - self.alpha) * old + self.alpha * new  # exact at both ends


def generator_block(size, width):
    """A part of the generator: codings -> maps [4, 4, width], or maps [size/2, size/2, ...] ->
    [size, size, width]: enlarged (nearest neighbor), then convolved twice.

    Each convolution: 3 x 3, leaky ReLU, pixelwise normalization. Codings are normalized first, too.
    """
    if size == 4:
        dense = EqualizedDense(4 * 4 * width, gain=2**0.5 / 4)
        block = [PixelNorm(), dense, layers.Reshape((4, 4, width)), layers.LeakyReLU(0.2)]
        block.append(PixelNorm())
    else:
        block = [layers.UpSampling2D()]
    for _ in range(1 if size == 4 else 2):
        block += [EqualizedConv2D(width), layers.LeakyReLU(0.2), PixelNorm()]
    return keras.Sequential(block, name=f"block_{size}")


class GrowingGenerator:
    """One set of layers; :meth:`at` makes of them the generator of any resolution.

    There is one :func:`generator_block` for each resolution, and a convolution with kernel size 1
    that makes the image of its maps.

    Args:
        widths: dict, resolution -> number of feature maps, from 4 in doubling steps.
        codings_size: length of the codings.
    """

    def __init__(self, widths=None, codings_size=64):
        self.widths, self.codings_size = dict(widths or WIDTHS), codings_size
        check_resolutions(self.widths)
        self.blocks = {size: generator_block(size, width) for size, width in self.widths.items()}
        self.to_image = {
            size: EqualizedConv2D(1, 1, gain=1, name=f"to_image_{size}") for size in self.widths
        }

    def at(self, resolution):
        """The generator of this resolution: float codings [N, D] -> images [N, R, R, 1].

        From 8 x 8 on its last layer, ``fade_in``, mixes the older image, enlarged, with the new.

        Raises:
            ValueError: there are no layers for this resolution.
        """
        check_resolution(resolution, self.widths)
        codings = keras.Input((self.codings_size,))
        old, hidden = None, codings
        for size, block in self.blocks.items():
            if size <= resolution:
                old, hidden = hidden, block(hidden)
        images = self.to_image[resolution](hidden)
        if resolution > 4:
            old_images = layers.UpSampling2D()(self.to_image[resolution // 2](old))
            images = FadeIn(name="fade_in")([old_images, images])
        return keras.Model(codings, images, name="generator")


def discriminator_block(size, width, fewer=None):
    """A part of the discriminator: maps [size, size, width] -> [size/2, size/2, fewer], or logits.

    Two convolutions, 3 x 3 with leaky ReLU, then the mean of each 2 x 2 places. The block of 4 x 4
    looks at the variety of the batch, convolves, and answers with a logit.
    """
    if size == 4:
        block = [MinibatchStd(), EqualizedConv2D(width), layers.LeakyReLU(0.2), layers.Flatten()]
        block += [EqualizedDense(width), layers.LeakyReLU(0.2), EqualizedDense(1, gain=1)]
    else:
        block = [EqualizedConv2D(width), layers.LeakyReLU(0.2)]
        block += [EqualizedConv2D(fewer), layers.LeakyReLU(0.2), layers.AveragePooling2D(2)]
    return keras.Sequential(block, name=f"block_{size}")


class GrowingDiscriminator:
    """The mirror image: :meth:`at` makes the discriminator of any resolution.

    There is one :func:`discriminator_block` for each resolution, and a convolution with kernel size
    1 that makes feature maps of an image.

    Args:
        widths: dict, resolution -> number of feature maps, from 4 in doubling steps.
    """

    def __init__(self, widths=None):
        self.widths = dict(widths or WIDTHS)
        check_resolutions(self.widths)
        self.blocks, self.from_image = {}, {}
        for size, width in self.widths.items():
            self.blocks[size] = discriminator_block(size, width, self.widths.get(size // 2))
            first = [EqualizedConv2D(width, 1), layers.LeakyReLU(0.2)]
            self.from_image[size] = keras.Sequential(first, name=f"from_image_{size}")

    def at(self, resolution):
        """The discriminator of this resolution: images [N, R, R, 1] -> logits [N, 1].

        From 8 x 8 on, ``fade_in`` mixes what the older network sees of the image, made smaller,
        with what the new block makes of it.

        Raises:
            ValueError: there are no layers for this resolution.
        """
        check_resolution(resolution, self.widths)
        images = keras.Input((resolution, resolution, 1))
        hidden = self.from_image[resolution](images)
        for size in sorted(self.widths, reverse=True):
            if size <= resolution:
                hidden = self.blocks[size](hidden)
            if size == resolution > 4:
                old = self.from_image[size // 2](layers.AveragePooling2D(2)(images))
                hidden = FadeIn(name="fade_in")([old, hidden])
        return keras.Model(images, hidden, name="discriminator")


def check_resolutions(widths):
    """Raise ValueError unless the resolutions are 4, 8, 16 and so on, in order."""
    if list(widths) != [4 * 2**step for step in range(len(widths))]:
        raise ValueError(
            f"Resolutions must start at 4 and double, such as 4, 8, 16; these are {list(widths)}."
        )


def check_resolution(resolution, widths):
    """Raise ValueError unless there are layers for this resolution."""
    if resolution not in widths:
        raise ValueError(f"There are layers for {list(widths)} pixels, not for {resolution}.")


def fade_layers(*networks):
    """The layers called "fade_in" of these networks, and of networks inside them, as a list.

    By name, since lesson 15 has a :class:`FadeIn` of its own.
    """
    found = []
    for network in networks:
        for layer in getattr(network, "layers", []):
            found += [layer] if layer.name == "fade_in" else fade_layers(layer)
    return found


def faded(images, alpha):
    """Real images with as little detail as the fakes have at this alpha, float [N, R, R, 1].

    ``(1 - alpha) * old + alpha * images``, where old has the mean of each 2 x 2 pixels. Images of
    4 x 4 are the first ones, and stay as they are.
    """
    if images.shape[1] == 4:
        return images
    old = ops.repeat(ops.repeat(ops.average_pool(images, 2), 2, axis=1), 2, axis=2)
    return (1 - alpha) * old + alpha * images


class FadingGAN(FusedGAN):
    """One stage of growth: both networks fade their newest layers in, and so do the real images.

    Args:
        generator, discriminator: of the stage, from :meth:`GrowingGenerator.at` and so on.
        fade_steps: training steps in which alpha goes from 0 to 1; 0: it is 1 from the start.
        seed: of the codings drawn during training.
    """

    def __init__(self, generator, discriminator, fade_steps=0, seed=None):
        super().__init__(generator, discriminator, seed=seed)
        self.fade_steps = fade_steps
        self.steps_done = self.add_weight(name="steps_done", initializer="zeros", trainable=False)
        self.alpha = self.add_weight(name="alpha", initializer="ones", trainable=False)
        self.set_alpha(0.0 if fade_steps else 1.0)

    def set_alpha(self, alpha):
        """Set alpha everywhere: in both networks, and for the real images."""
        self.alpha.assign(alpha)
        for layer in fade_layers(self.generator, self.discriminator):
            layer.alpha.assign(alpha)

    def train_step(self, real_samples):
        """One batch of ``fit``: both networks at once. Returns both losses, averaged so far."""
        if self.fade_steps:
            self.set_alpha(ops.minimum(self.steps_done / self.fade_steps, 1.0))
        logs = super().train_step(faded(real_samples, self.alpha))
        self.steps_done.assign_add(1)
        return logs


class ProgressiveGAN(FadingGAN):
    """The original GAN's losses; the discriminator's has a penalty on its slope at real images.

    Mescheder et al. (2018), taken every few steps and then that many times as strong (Karras et
    al., 2020, appendix B).

    Args:
        generator, discriminator, kwargs: see :class:`FadingGAN`.
        slope_weight: gamma of the penalty ``gamma / 2 * mean |gradient of D at x|^2``.
        slope_every: steps between two penalties.
    """

    def __init__(self, generator, discriminator, slope_weight=0.1, slope_every=8, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.slope_weight, self.slope_every = slope_weight, slope_every

    def slope_penalty(self, real_samples):
        """``mean over the batch of |gradient of D at x|^2``, a scalar."""
        with tf.GradientTape() as tape:
            tape.watch(real_samples)
            logits = ops.sum(self.discriminator(real_samples, training=True))
        return ops.mean(ops.sum(ops.square(tape.gradient(logits, real_samples)), axis=(1, 2, 3)))

    def both_losses(self, real_samples):
        """The discriminator's and the generator's loss, two scalars: override it for others."""
        real_logits, fake_logits = self.logits(real_samples)
        penalty = ops.cond(
            ops.equal(self.steps_done % self.slope_every, 0),
            lambda: self.slope_every * self.slope_penalty(real_samples),
            lambda: ops.zeros(()),
        )
        loss = discriminator_loss(real_logits, fake_logits) + self.slope_weight / 2 * penalty
        return loss, generator_loss(fake_logits)


class WassersteinProgressiveGAN(FadingGAN):
    """The losses of the paper itself: Wasserstein, with gradient penalty and a small drift term.

    Karras et al. (2018), appendix A.1. The term ``drift * mean D(x)^2`` keeps the real images'
    scores near 0, which differences alone leave open. The minibatch layer makes each score depend
    on its whole batch, so that the penalty is about a slightly different slope; the paper accepts
    this, too.

    Args:
        generator, discriminator, kwargs: see :class:`FadingGAN`.
        penalty: factor of the gradient penalty.
        drift: factor of the drift term.
    """

    def __init__(self, generator, discriminator, penalty=10.0, drift=1e-3, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.penalty, self.drift = penalty, drift

    def both_losses(self, real_samples):
        """The discriminator's and the generator's loss, two scalars."""
        batch_size = ops.shape(real_samples)[0]
        fakes = self.generator(self.sample_codings(batch_size), training=True)
        real_scores = self.discriminator(real_samples, training=True)
        fake_scores = self.discriminator(fakes, training=True)
        mix = keras.random.uniform((batch_size, 1, 1, 1), seed=self.seed_generator)
        between = real_samples, ops.stop_gradient(fakes), mix
        loss = wasserstein_discriminator_loss(real_scores, fake_scores)
        loss += self.penalty * gradient_penalty(self.discriminator, *between)
        loss += self.drift * ops.mean(ops.square(real_scores))
        return loss, wasserstein_generator_loss(fake_scores)
