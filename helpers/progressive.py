"""Progressive growing (Karras et al., 2018): networks that grow from 4 x 4 pixels, and how."""

from dataclasses import dataclass

import keras
import tensorflow as tf
from keras import layers, ops

from helpers.gan import FusedGAN
from helpers.layers import EqualizedConv2D, EqualizedDense, MinibatchStd, PixelNorm
from helpers.losses import discriminator_loss, generator_loss

WIDTHS = {4: 64, 8: 64, 16: 32, 32: 16}  # feature maps at each resolution


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


class GrowingGenerator:
    """One set of layers; :meth:`at` makes of them the generator of any resolution.

    The block of 4 x 4 turns codings into feature maps. Each later one doubles height and width
    (nearest neighbor) and convolves twice. A convolution with kernel size 1 makes the image.

    Args:
        widths: dict, resolution -> number of feature maps, from 4 in doubling steps.
        codings_size: length of the codings.
    """

    def __init__(self, widths=None, codings_size=64):
        self.widths, self.codings_size = dict(widths or WIDTHS), codings_size
        check_resolutions(self.widths)
        self.blocks = {size: self._block(size, width) for size, width in self.widths.items()}
        self.to_image = {
            size: EqualizedConv2D(1, 1, gain=1, name=f"to_image_{size}") for size in self.widths
        }

    def _block(self, size, width):
        if size == 4:
            start = [
                PixelNorm(),
                EqualizedDense(4 * 4 * width, gain=2**0.5 / 4),
                layers.Reshape((4, 4, width)),
                layers.LeakyReLU(0.2),
                PixelNorm(),
            ]
            return keras.Sequential([*start, *_convolution(width)], name="block_4")
        new = [layers.UpSampling2D(), *_convolution(width), *_convolution(width)]
        return keras.Sequential(new, name=f"block_{size}")

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


def _convolution(width):
    """3 x 3 convolution, leaky ReLU, pixelwise normalization."""
    return [EqualizedConv2D(width), layers.LeakyReLU(0.2), PixelNorm()]


class GrowingDiscriminator:
    """The mirror image: :meth:`at` makes the discriminator of any resolution.

    Each block convolves twice and halves height and width (average pooling); that of 4 x 4 looks at
    the variety of the batch, and answers.

    Args:
        widths: dict, resolution -> number of feature maps, from 4 in doubling steps.
    """

    def __init__(self, widths=None):
        self.widths = dict(widths or WIDTHS)
        check_resolutions(self.widths)
        self.blocks = {size: self._block(size, width) for size, width in self.widths.items()}
        self.from_image = {
            size: keras.Sequential(
                [EqualizedConv2D(width, 1), layers.LeakyReLU(0.2)], name=f"from_image_{size}"
            )
            for size, width in self.widths.items()
        }

    def _block(self, size, width):
        if size == 4:
            end = [layers.Flatten(), EqualizedDense(width), layers.LeakyReLU(0.2)]
            first = [MinibatchStd(), EqualizedConv2D(width), layers.LeakyReLU(0.2)]
            return keras.Sequential([*first, *end, EqualizedDense(1, gain=1)], name="block_4")
        fewer = self.widths[size // 2]
        new = [EqualizedConv2D(width), layers.LeakyReLU(0.2)]
        new += [EqualizedConv2D(fewer), layers.LeakyReLU(0.2), layers.AveragePooling2D(2)]
        return keras.Sequential(new, name=f"block_{size}")

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


@dataclass(frozen=True)
class Stage:
    """One stage of growth: a resolution, and how many images are shown at it."""

    resolution: int
    fade_images: int  # while the new layers are faded in
    stable_images: int  # after that


SCHEDULE = (
    Stage(4, 0, 40_000),
    Stage(8, 30_000, 70_000),
    Stage(16, 50_000, 150_000),
    Stage(32, 100_000, 900_000),
)


class ProgressiveGAN(FusedGAN):
    """One stage of growth: both networks fade their newest layers in, and so do the real images.

    The discriminator's loss has a penalty on its slope at real images (Mescheder et al., 2018),
    taken every few steps and then that many times as strong (Karras et al., 2020, appendix B).

    Args:
        generator, discriminator: of the stage, from :meth:`GrowingGenerator.at` and so on.
        fade_steps: training steps in which alpha goes from 0 to 1; 0: it is 1 from the start.
        slope_weight: gamma of the penalty ``gamma / 2 * mean |gradient of D at x|^2``.
        slope_every: steps between two penalties.
        seed: of the codings drawn during training.
    """

    def __init__(
        self, generator, discriminator, fade_steps=0, slope_weight=0.1, slope_every=8, seed=None
    ):
        super().__init__(generator, discriminator, seed=seed)
        self.fade_steps, self.slope_weight = fade_steps, slope_weight
        self.slope_every = slope_every
        self.steps_done = self.add_weight(name="steps_done", initializer="zeros", trainable=False)
        self.alpha = self.add_weight(name="alpha", initializer="ones", trainable=False)
        self.set_alpha(0.0 if fade_steps else 1.0)

    def set_alpha(self, alpha):
        """Set alpha everywhere: in both networks, and for the real images."""
        self.alpha.assign(alpha)
        for layer in self.fade_layers():
            layer.alpha.assign(alpha)

    def fade_layers(self):
        """All the layers whose alpha follows the GAN's."""
        networks = (self.generator, self.discriminator)
        return [each for network in networks for each in network.layers if isinstance(each, FadeIn)]

    def faded(self, images):
        """Real images with as little detail as the fakes have at this alpha, [N, R, R, 1]."""
        if images.shape[1] == 4:
            return images
        coarse = ops.average_pool(images, 2)
        old = ops.repeat(ops.repeat(coarse, 2, axis=1), 2, axis=2)
        return (1 - self.alpha) * old + self.alpha * images

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

    def train_step(self, real_samples):
        """One batch of ``fit``: both networks at once. Returns both losses, averaged so far."""
        if self.fade_steps:
            self.set_alpha(ops.minimum(self.steps_done / self.fade_steps, 1.0))
        logs = super().train_step(self.faded(real_samples))
        self.steps_done.assign_add(1)
        return logs
