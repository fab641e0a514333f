"""Networks that more than one notebook needs, built by functions, and the VAE that joins two."""

import keras
from keras import layers, ops

from helpers.layers import Sampling
from helpers.losses import gaussian_kl


def stacked_encoder(codings_size=30):
    """The chapter's stacked encoder: 784 -> 100 -> codings, SELU.

    Input: float images [N, 28, 28] in [0, 1]. Output: float codings [N, codings_size].
    """
    return keras.Sequential(
        [
            keras.Input(shape=(28, 28)),
            layers.Flatten(),
            layers.Dense(100, activation="selu"),
            layers.Dense(codings_size, activation="selu"),
        ],
        name="encoder",
    )


def stacked_decoder(codings_size=30):
    """The chapter's stacked decoder: codings -> 100 -> 784, sigmoid at the end.

    Input: float codings [N, codings_size]. Output: float images [N, 28, 28] in [0, 1].
    """
    return keras.Sequential(
        [
            keras.Input(shape=(codings_size,)),
            layers.Dense(100, activation="selu"),
            layers.Dense(28 * 28, activation="sigmoid"),
            layers.Reshape((28, 28)),
        ],
        name="decoder",
    )


def vae_encoder(codings_size=10, seed=None):
    """The chapter's VAE encoder: 784 -> 150 -> 100 -> (mean, log_var) -> sampled codings.

    Input: float images [N, 28, 28] in [0, 1].
    Outputs: codings_mean, codings_log_var and sampled codings, each float [N, codings_size].
    """
    images = keras.Input(shape=(28, 28))
    hidden = layers.Flatten()(images)
    hidden = layers.Dense(150, activation="selu")(hidden)
    hidden = layers.Dense(100, activation="selu")(hidden)
    codings_mean = layers.Dense(codings_size, name="codings_mean")(hidden)
    codings_log_var = layers.Dense(codings_size, name="codings_log_var")(hidden)
    codings = Sampling(seed=seed)([codings_mean, codings_log_var])
    return keras.Model(images, [codings_mean, codings_log_var, codings], name="encoder")


def vae_decoder(codings_size=10):
    """The chapter's VAE decoder: codings -> 100 -> 150 -> 784, sigmoid.

    Input: float codings [N, codings_size]. Output: float images [N, 28, 28] in [0, 1].
    """
    return keras.Sequential(
        [
            keras.Input(shape=(codings_size,)),
            layers.Dense(100, activation="selu"),
            layers.Dense(150, activation="selu"),
            layers.Dense(28 * 28, activation="sigmoid"),
            layers.Reshape((28, 28)),
        ],
        name="decoder",
    )


class VariationalAutoencoder(keras.Model):
    """Encoder and decoder joined; adds the latent loss to whatever loss it is compiled with.

    The latent loss is added in ``call``, so ``evaluate`` and the validation of ``fit`` count it
    too. It is divided by the number of pixels, because Keras' cross-entropy is a mean over pixels.

    Args:
        encoder: images -> (codings_mean, codings_log_var, codings).
        decoder: codings -> images.
        beta: weight of the latent loss; 1 is the VAE of Kingma and Welling (2013).
    """

    def __init__(self, encoder, decoder, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.decoder, self.beta = encoder, decoder, beta

    def call(self, images):
        codings_mean, codings_log_var, codings = self.encoder(images)
        latent_loss = ops.mean(gaussian_kl(codings_mean, codings_log_var))
        num_pixels = images.shape[1] * images.shape[2]
        self.add_loss(self.beta * latent_loss / num_pixels)
        return self.decoder(codings)


def dense_generator(codings_size=30):
    """The chapter's dense GAN generator: codings -> 100 -> 150 -> 784, sigmoid.

    Input: float codings [N, codings_size]. Output: float images [N, 28, 28] in [0, 1].
    """
    return keras.Sequential(
        [
            keras.Input(shape=(codings_size,)),
            layers.Dense(100, activation="selu"),
            layers.Dense(150, activation="selu"),
            layers.Dense(28 * 28, activation="sigmoid"),
            layers.Reshape((28, 28)),
        ],
        name="generator",
    )


def dense_discriminator():
    """The chapter's dense GAN discriminator: 784 -> 150 -> 100 -> 1 logit (no sigmoid).

    Input: float images [N, 28, 28] in [0, 1]. Output: float logits [N, 1].
    """
    return keras.Sequential(
        [
            keras.Input(shape=(28, 28)),
            layers.Flatten(),
            layers.Dense(150, activation="selu"),
            layers.Dense(100, activation="selu"),
            layers.Dense(1),
        ],
        name="discriminator",
    )


def dcgan_generator(codings_size=100):
    """The chapter's DCGAN generator: codings -> 7 x 7 x 128 -> 14 x 14 x 64 -> 28 x 28 x 1, tanh.

    Input: float codings [N, codings_size]. Output: float images [N, 28, 28, 1] in [-1, 1].
    """
    return keras.Sequential(
        [
            keras.Input(shape=(codings_size,)),
            layers.Dense(7 * 7 * 128),
            layers.Reshape((7, 7, 128)),
            layers.BatchNormalization(),
            layers.Conv2DTranspose(64, 5, strides=2, padding="same", activation="selu"),
            layers.BatchNormalization(),
            layers.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh"),
        ],
        name="generator",
    )


def dcgan_discriminator():
    """The chapter's DCGAN discriminator: 28 x 28 x 1 -> 14 x 14 x 64 -> 7 x 7 x 128 -> 1 logit.

    Input: float images [N, 28, 28, 1] in [-1, 1]. Output: float logits [N, 1] (no sigmoid).
    """
    return keras.Sequential(
        [
            keras.Input(shape=(28, 28, 1)),
            layers.Conv2D(64, 5, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.4),
            layers.Conv2D(128, 5, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.4),
            layers.Flatten(),
            layers.Dense(1),
        ],
        name="discriminator",
    )


def variant_generator(
    width=16, normalize=True, activation="selu", resize=False, hidden=0, after_norm=False
):
    """The chapter's DCGAN generator, or one that keeps other guidelines (Radford et al., 2015).

    Input: float codings [N, 100]. Output: float images [N, 28, 28, 1] in [-1, 1]. A width of 64 is
    the chapter's. ``variant_generator(64, activation="relu", after_norm=True)`` keeps all of the
    guidelines for generators; the weights ``dcgan_three`` are its.

    Args:
        width: feature maps at 14 x 14; there are twice as many at 7 x 7.
        normalize: whether batch normalization stands before each transposed convolution.
        activation: of the hidden layers. The dense layer that makes the first maps has none, unless
            `after_norm`.
        resize: enlarge by repeating pixels, then convolve; instead of transposed convolutions.
        hidden: units of a dense hidden layer; 0: none.
        after_norm: activations stand behind the batch normalizations, not before them.
    """
    network = keras.Sequential([keras.Input((100,))])
    if hidden:
        network.add(layers.Dense(hidden, activation=activation))
    network.add(layers.Dense(7 * 7 * 2 * width))
    network.add(layers.Reshape((7, 7, 2 * width)))
    for filters, function in ((width, None if after_norm else activation), (1, "tanh")):
        if normalize:
            network.add(layers.BatchNormalization())
        if after_norm:
            network.add(layers.Activation(activation))
        if resize:
            network.add(layers.UpSampling2D())
            network.add(layers.Conv2D(filters, 5, padding="same", activation=function))
        else:
            network.add(layers.Conv2DTranspose(filters, 5, 2, padding="same", activation=function))
    return network


def variant_discriminator(
    width=16, depth=2, normalize=False, dropout=0.4, slope=0.2, pool=False, hidden=0
):
    """The chapter's DCGAN discriminator, or one that keeps other guidelines (Radford et al., 2015).

    Input: float images [N, 28, 28, 1] in [-1, 1]. Output: float logits [N, 1] (no sigmoid). A width
    of 64 is the chapter's.

    Args:
        width: feature maps of the first convolution; each further one doubles them.
        depth: number of convolutions, each of which halves height and width.
        normalize: whether batch normalization follows each convolution but the first.
        dropout: rate after each convolution; 0: none.
        slope: of the leaky ReLU; 0 makes it a plain ReLU.
        pool: max pooling instead of strides.
        hidden: units of a dense hidden layer; 0: none.
    """
    network = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in [width * 2**level for level in range(depth)]:
        network.add(layers.Conv2D(filters, 5, 1 if pool else 2, padding="same"))
        if pool:
            network.add(layers.MaxPool2D())
        if normalize and filters > width:  # not at the input layer
            network.add(layers.BatchNormalization())
        network.add(layers.LeakyReLU(slope))
        if dropout:
            network.add(layers.Dropout(dropout))
    network.add(layers.Flatten())
    if hidden:
        network.add(layers.Dense(hidden, activation="leaky_relu"))
    network.add(layers.Dense(1))
    return network
