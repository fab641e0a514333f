"""StyleGAN's generator (Karras et al., 2019), which grows; its opponent is progressive.py's."""

import keras
from keras import layers, ops

from helpers.layers import EqualizedConv2D, EqualizedDense, PixelNorm
from helpers.progressive import (
    WIDTHS,
    FadeIn,
    ProgressiveGAN,
    check_resolution,
    check_resolutions,
)


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class LearnedConstant(layers.Layer):
    """The same feature maps for every instance, learned: [H, W, C], at first from N(0, 1).

    Inputs: any tensor whose first axis is the batch, only its length counts. Output: float
    [N, H, W, C].
    """

    def __init__(self, shape, **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(shape)

    def build(self, input_shape):
        normal = keras.initializers.RandomNormal(stddev=1.0)  # equal maps can't be standardized
        self.constant = self.add_weight(name="constant", shape=self.shape, initializer=normal)

    def call(self, inputs):
        return ops.broadcast_to(self.constant, (ops.shape(inputs)[0], *self.shape))

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class NoiseInjection(layers.Layer):
    """Adds one map of noise to all feature maps, to each with a learned strength, at first 0.

    Inputs: (maps, noise), float [N, H, W, C] and [N, H, W, 1]. Output: float [N, H, W, C].
    """

    def build(self, input_shape):
        num_maps = input_shape[0][-1]
        self.strength = self.add_weight(name="strength", shape=(num_maps,), initializer="zeros")

    def call(self, inputs):
        maps, noise = inputs
        return maps + self.strength * noise


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class AdaIN(layers.Layer):
    """Standardizes each feature map of each instance; the style sets its scale and its offset.

    ``(1 + s) (x - mean) / std + b`` over the places of a map, where one number s and one b for each
    map come from the style by an affine transformation of this layer's own (Karras et al., 2019,
    equation 1). Since that starts small, scales start around 1.

    Inputs: (maps, style), float [N, H, W, C] and [N, D]. Output: float [N, H, W, C].

    Args:
        epsilon: added to the variance.
    """

    def __init__(self, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        maps, style = input_shape
        self.affine = EqualizedDense(2 * maps[-1], gain=1, name="affine")
        self.affine.build(style)

    def call(self, inputs):
        maps, style = inputs
        mean, variance = ops.moments(maps, axes=(1, 2), keepdims=True)  # [N, 1, 1, C]
        standardized = (maps - mean) * ops.rsqrt(variance + self.epsilon)
        scale, offset = ops.split(self.affine(style)[:, None, None], 2, axis=-1)  # [N, 1, 1, C]
        return (1 + scale) * standardized + offset

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class Noise(layers.Layer):
    """Draws a map of N(0, 1) noise for each instance of a batch, anew at every call.

    Inputs: any tensor whose first axis is the batch. Output: float [N, size, size, 1].
    """

    def __init__(self, size, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.size, self.seed = size, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        shape = (ops.shape(inputs)[0], self.size, self.size, 1)
        return keras.random.normal(shape, seed=self.seed_generator)

    def get_config(self):
        return {**super().get_config(), "size": self.size, "seed": self.seed}


def mapping_network(codings_size=64, num_layers=8, rate=0.01):
    """Codings z -> w: pixelwise normalization, then `num_layers` dense layers, leaky ReLU.

    Input: float z [N, codings_size]. Output: float w [N, codings_size].

    Args:
        rate: how fast these layers learn, compared with the others (the paper's 0.01).
    """
    network = [keras.Input((codings_size,)), PixelNorm()]
    for _ in range(num_layers):
        network += [EqualizedDense(codings_size, rate=rate), layers.LeakyReLU(0.2)]
    return keras.Sequential(network, name="mapping")


class GrowingStyleGenerator:
    """One set of layers; :meth:`at` makes of them StyleGAN's generator of any resolution.

    Each resolution has two styled layers: (convolution), noise, leaky ReLU, AdaIN. The first one
    has no convolution but the learned constant.

    Args:
        widths: dict, resolution -> number of feature maps, from 4 in doubling steps.
        codings_size: length of z and of w.
        num_mapping_layers, mapping_rate: see :func:`mapping_network`.
    """

    def __init__(self, widths=None, codings_size=64, num_mapping_layers=8, mapping_rate=0.01):
        self.widths, self.codings_size = dict(widths or WIDTHS), codings_size
        check_resolutions(self.widths)
        self.mapping = mapping_network(codings_size, num_mapping_layers, mapping_rate)
        self.start = LearnedConstant((4, 4, self.widths[4]), name="constant")
        self.layers = {}  # by level: [convolution or None, noise injection, AdaIN]
        for level, size in enumerate(size for size in self.widths for _ in range(2)):
            convolution = EqualizedConv2D(self.widths[size], name=f"convolution_{level}")
            self.layers[level] = [
                convolution if level else None,
                NoiseInjection(name=f"noise_{level}"),
                AdaIN(name=f"adain_{level}"),
            ]
        self.to_image = {
            size: EqualizedConv2D(1, 1, gain=1, name=f"to_image_{size}") for size in self.widths
        }

    def synthesis_at(self, resolution):
        """The synthesis network: styles and one noise map per level -> images [N, R, R, 1].

        Inputs: a list of styles, float [N, L, D], and L noise maps, float [N, size, size, 1]; two
        levels for each resolution, from 4 on.

        Raises:
            ValueError: there are no layers for this resolution.
        """
        check_resolution(resolution, self.widths)
        sizes = [size for size in self.widths if size <= resolution for _ in range(2)]
        styles = keras.Input((len(sizes), self.codings_size))
        noises = [keras.Input((size, size, 1)) for size in sizes]
        old, hidden = None, self.start(styles)
        for level, (size, noise) in enumerate(zip(sizes, noises, strict=True)):
            if level % 2 == 0 and size > 4:
                old, hidden = hidden, layers.UpSampling2D()(hidden)
            convolution, injection, adain = self.layers[level]
            hidden = convolution(hidden) if convolution else hidden
            hidden = layers.LeakyReLU(0.2)(injection([hidden, noise]))
            hidden = adain([hidden, styles[:, level]])
        images = self.to_image[resolution](hidden)
        if resolution > 4:
            old_images = layers.UpSampling2D()(self.to_image[resolution // 2](old))
            images = FadeIn(name="fade_in")([old_images, images])
        return keras.Model([styles, *noises], images, name="synthesis")

    def at(self, resolution):
        """The generator: float codings z [N, D] -> images [N, R, R, 1], with noise of its own.

        Its layers ``mapping`` and ``synthesis`` are the two networks.
        """
        synthesis = self.synthesis_at(resolution)
        codings = keras.Input((self.codings_size,))
        num_levels = synthesis.input_shape[0][1]
        styles = layers.RepeatVector(num_levels)(self.mapping(codings))
        noises = [Noise(shape[1])(codings) for shape in synthesis.input_shape[1:]]
        return keras.Model(codings, synthesis([styles, *noises]), name="generator")


class StyleGAN(ProgressiveGAN):
    """Progressive growing's opponent and losses, unchanged; only how fakes come about is new.

    Mixing regularization (Karras et al., 2019, section 3.1): most fakes take their styles from two
    codings, one for the levels before a random cutoff, one for those after it.

    Args:
        generator: from :meth:`GrowingStyleGenerator.at`; the rest as in :class:`ProgressiveGAN`.
        mixing: probability that a fake has two codings.
    """

    def __init__(self, generator, discriminator, mixing=0.9, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.mixing = mixing
        _, self.num_levels, _ = self.synthesis.input_shape[0]

    @property
    def mapping(self):
        """The mapping network, z -> w."""
        return self.generator.get_layer("mapping")

    @property
    def synthesis(self):
        """The synthesis network, styles and noise -> images."""
        return self.generator.get_layer("synthesis")

    def fade_layers(self):
        """All the layers whose alpha follows the GAN's."""
        networks = (self.synthesis, self.discriminator)
        return [each for network in networks for each in network.layers if isinstance(each, FadeIn)]

    def mixed_styles(self, batch_size):
        """Styles for `batch_size` fakes, float [N, L, D]: each has one cutoff of its own."""
        first, second = (self.mapping(self.sample_codings(batch_size)) for _ in range(2))  # [N, D]
        shape, random = (batch_size, 1, 1), {"seed": self.seed_generator}
        cutoff = 1 + ops.floor((self.num_levels - 1) * keras.random.uniform(shape, **random))
        mixed = keras.random.uniform(shape, **random) < self.mixing
        levels = ops.reshape(ops.arange(self.num_levels, dtype="float32"), (1, -1, 1))
        return ops.where(ops.logical_and(mixed, levels >= cutoff), second[:, None], first[:, None])

    def fakes(self, batch_size):
        """`batch_size` fakes with mixed styles and fresh noise."""
        noises = [
            keras.random.normal((batch_size, *shape[1:]), seed=self.seed_generator)
            for shape in self.synthesis.input_shape[1:]
        ]
        return self.synthesis([self.mixed_styles(batch_size), *noises], training=True)

    def logits(self, real_samples):
        """What the discriminator says of `real_samples` and of as many fakes, each [N, 1]."""
        fakes = self.fakes(ops.shape(real_samples)[0])
        real_logits = self.discriminator(real_samples, training=True)
        return real_logits, self.discriminator(fakes, training=True)
