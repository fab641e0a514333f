"""StyleGAN's generator (Karras et al., 2019), which grows; its opponent is progressive.py's."""

import keras
import tensorflow as tf
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
    equation 1). Because of the 1 an untrained layer's scales have mean 1, but vary by about 1.

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


def mapping_network(codings_size=64, num_layers=8, rate=0.1, spread=True):
    """Codings z -> w: pixelwise normalization, then `num_layers` dense layers, leaky ReLU.

    Input: float z [N, codings_size]. Output: float w [N, codings_size].

    Args:
        rate: how fast these layers learn, compared with the others (the paper's is 0.01, for
            trainings more than twenty times as long).
        spread: not in the paper: dense layers start as rotations, and after each activation there
            is layer normalization. Without it, eight untrained layers squeeze 64 directions into
            about seven, and garments that differ in w are rare.
    """
    network = [keras.Input((codings_size,)), PixelNorm()]
    for _ in range(num_layers):
        network += [EqualizedDense(codings_size, rate=rate, orthogonal=spread)]
        network += [layers.LeakyReLU(0.2)]
        if spread:
            network += [layers.LayerNormalization(center=False, scale=False)]
    return keras.Sequential(network, name="mapping")


def styled_layers(widths):
    """The layers of each level, two levels to a resolution: (convolution, noise injection, AdaIN).

    Args:
        widths: dict, resolution -> number of feature maps, from 4 in doubling steps.

    Returns:
        List of triples, level 1 first; it has None for the convolution: it styles the learned
        constant. The layers are named after their level: "noise_1", "adain_1", "convolution_2".
    """
    widths = [width for width in widths.values() for _ in range(2)]
    return [
        (
            EqualizedConv2D(width, name=f"convolution_{level}") if level > 1 else None,
            NoiseInjection(name=f"noise_{level}"),
            AdaIN(name=f"adain_{level}"),
        )
        for level, width in enumerate(widths, 1)
    ]


def styled(maps, noise, style, level_layers):
    """One level: convolution (if it has one), noise, leaky ReLU, AdaIN; [N, H, W, C] -> the same.

    Args:
        maps, noise, style: float [N, H, W, C], [N, H, W, 1] and [N, D].
        level_layers: a triple of :func:`styled_layers`.
    """
    convolution, injection, adain = level_layers
    maps = convolution(maps) if convolution else maps
    maps = layers.LeakyReLU(0.2)(injection([maps, noise]))
    return adain([maps, style])


class GrowingSynthesis:
    """One set of layers; :meth:`at` makes of them the synthesis network of any resolution.

    Args:
        widths: dict, resolution -> number of feature maps, from 4 in doubling steps.
        codings_size: length of a style w.
        interpolation: how feature maps are enlarged: "nearest", or "bilinear" as in the paper,
            which is nearest followed by its blur [1, 2, 1] / 4 in both directions.
        output: name of the image's activation: "tanh", or "linear" as in the paper. AdaIN moves
            every place of a map by what the map as a whole is like; tanh lets a plain ground be
            plain nevertheless.
    """

    def __init__(self, widths=None, codings_size=64, interpolation="nearest", output="tanh"):
        self.widths, self.codings_size = dict(widths or WIDTHS), codings_size
        check_resolutions(self.widths)
        self.start = LearnedConstant((4, 4, self.widths[4]), name="constant")
        self.levels = styled_layers(self.widths)
        self.enlarge = layers.UpSampling2D(interpolation=interpolation)
        self.to_image = {size: EqualizedConv2D(1, 1, gain=1) for size in self.widths}
        self.output = layers.Activation(output)

    def at(self, resolution):
        """The synthesis network: styles and one noise map per level -> images [N, R, R, 1].

        Inputs: a list of styles, float [N, L, D], and L noise maps, float [N, size, size, 1]; two
        levels for each resolution, from 4 on. From 8 x 8 on its last layer, ``fade_in``, mixes the
        older image, enlarged, with the new.

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
                old, hidden = hidden, self.enlarge(hidden)
            hidden = styled(hidden, noise, styles[:, level], self.levels[level])
        images = self.output(self.to_image[resolution](hidden))
        if resolution > 4:
            old_images = layers.UpSampling2D()(self.output(self.to_image[resolution // 2](old)))
            images = FadeIn(name="fade_in")([old_images, images])
        return keras.Model([styles, *noises], images, name="synthesis")


class GrowingStyleGenerator:
    """StyleGAN's two networks; :meth:`at` makes of them the generator of any resolution.

    Args:
        widths, codings_size, interpolation, output: see :class:`GrowingSynthesis`.
        num_mapping_layers, mapping_rate, spread: see :func:`mapping_network`.

    Attributes:
        mapping: the mapping network, z -> w, a Keras model.
        synthesis: a :class:`GrowingSynthesis`.
    """

    def __init__(
        self,
        widths=None,
        codings_size=64,
        num_mapping_layers=8,
        mapping_rate=0.1,
        spread=True,
        interpolation="nearest",
        output="tanh",
    ):
        self.mapping = mapping_network(codings_size, num_mapping_layers, mapping_rate, spread)
        self.synthesis = GrowingSynthesis(widths, codings_size, interpolation, output)

    def at(self, resolution):
        """The generator: float codings z [N, D] -> images [N, R, R, 1], with noise of its own.

        Its layers ``mapping`` and ``synthesis`` are the two networks.

        Raises:
            ValueError: there are no layers for this resolution.
        """
        synthesis = self.synthesis.at(resolution)
        (_, num_levels, codings_size), *noise_shapes = synthesis.input_shape
        codings = keras.Input((codings_size,))
        styles = layers.RepeatVector(num_levels)(self.mapping(codings))  # the same w at each level
        noises = [Noise(shape[1])(codings) for shape in noise_shapes]
        return keras.Model(codings, synthesis([styles, *noises]), name="generator")


def mixed_styles(first, second, num_levels, probability, seed):
    """Styles for every level: of `first` up to a random cutoff, of `second` from there on.

    Mixing regularization (Karras et al., 2019, section 3.1). Each instance has its own cutoff, 1 to
    L - 1, and is mixed with this `probability`; otherwise all its styles are those of `first`.

    Args:
        first, second: w, float [N, D].
        num_levels: L.
        seed: a ``keras.random.SeedGenerator``, or a number: then always the same.

    Returns:
        Float [N, L, D].
    """
    draws = keras.random.uniform((2, ops.shape(first)[0], 1, 1), seed=seed)
    cutoff = 1 + ops.floor((num_levels - 1) * draws[0])  # [N, 1, 1]
    levels = ops.reshape(ops.arange(num_levels, dtype="float32"), (1, num_levels, 1))
    takes_second = ops.logical_and(levels >= cutoff, draws[1] < probability)  # [N, L, 1]
    return ops.where(takes_second, second[:, None], first[:, None])


class StyleGAN(ProgressiveGAN):
    """Progressive growing's opponent and losses, unchanged; only how fakes come about is new.

    Args:
        generator: from :meth:`GrowingStyleGenerator.at`; the rest as in :class:`ProgressiveGAN`.
        mixing: probability that a fake takes its styles from two codings, see :func:`mixed_styles`.
    """

    def __init__(self, generator, discriminator, mixing=0.9, **kwargs):
        super().__init__(generator, discriminator, **kwargs)
        self.mixing = mixing

    def fakes(self, batch_size):
        """`batch_size` fakes [N, R, R, 1] with mixed styles and fresh noise."""
        mapping, synthesis = (self.generator.get_layer(name) for name in ("mapping", "synthesis"))
        (_, num_levels, _), *noise_shapes = synthesis.input_shape
        first, second = (mapping(self.sample_codings(batch_size)) for _ in range(2))  # w, [N, D]
        styles = mixed_styles(first, second, num_levels, self.mixing, self.seed_generator)
        noises = [
            keras.random.normal((batch_size, *shape[1:]), seed=self.seed_generator)
            for shape in noise_shapes
        ]
        return synthesis([styles, *noises], training=True)

    def logits(self, real_samples):
        """What the discriminator says of `real_samples` and of as many fakes, each [N, 1]."""
        fakes = self.fakes(ops.shape(real_samples)[0])
        real_logits = self.discriminator(real_samples, training=True)
        return real_logits, self.discriminator(fakes, training=True)


def paint(synthesis, styles, noises, margin=0):
    """Images of these styles, with these noise maps: float tensor [N, R - 2 M, R - 2 M] in [0, 1].

    Args:
        synthesis: from :meth:`GrowingSynthesis.at`, which makes images in [-1, 1].
        styles: float w [N, D], the same at each level, or [N, L, D].
        noises: list of L maps, float [1, size, size, 1] for all images, or [N, size, size, 1].
        margin: M, how many pixels to cut off on each side; 2 of 32 leave the judge's 28.
    """
    styles = ops.convert_to_tensor(styles, "float32")
    if len(styles.shape) == 2:
        styles = styles[:, None]
    noises = [ops.convert_to_tensor(noise, "float32") for noise in noises]
    return _paint(synthesis, styles, noises, margin)


@tf.function(autograph=False, reduce_retracing=True)
def _paint(synthesis, styles, noises, margin):
    """:func:`paint`, compiled, which takes less than half of the time."""
    number, (_, num_levels, codings_size) = ops.shape(styles)[0], synthesis.input_shape[0]
    styles = ops.broadcast_to(styles, (number, num_levels, codings_size))
    noises = [ops.broadcast_to(noise, (number, *noise.shape[1:])) for noise in noises]
    images = synthesis([styles, *noises])[..., 0]  # [N, R, R]
    inside = slice(margin, images.shape[1] - margin)
    return (ops.clip(images[:, inside, inside], -1, 1) + 1) / 2
