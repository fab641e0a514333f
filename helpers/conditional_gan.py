"""The conditional GAN: both networks are told the class (Mirza and Osindero, 2014)."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from helpers.gan import FusedGAN


def conditional_generator(codings_size=64, num_classes=10):
    """The chapter's DCGAN generator, 7 x 7 x 128 -> 14 x 14 x 64 -> 28 x 28 x 1, with a class.

    Codings and class each become 7 x 7 x 128 numbers, and the two are added. Those of the codings
    are normalized before: otherwise those of the class grow until the codings count for nothing.

    Inputs: float codings [N, codings_size] and one-hot classes [N, num_classes]; weights of a
    mixture of classes will do as well. Output: float images [N, 28, 28, 1] in [-1, 1].
    """
    codings, classes = keras.Input((codings_size,)), keras.Input((num_classes,))
    style = layers.Reshape((7, 7, 128))(layers.Dense(7 * 7 * 128)(codings))
    style = layers.BatchNormalization()(style)
    heard_at_once = keras.initializers.RandomNormal(stddev=0.5)
    pattern = layers.Dense(7 * 7 * 128, use_bias=False, kernel_initializer=heard_at_once)(classes)
    hidden = layers.Add()([style, layers.Reshape((7, 7, 128))(pattern)])
    hidden = layers.Conv2DTranspose(64, 5, strides=2, padding="same", activation="selu")(hidden)
    hidden = layers.BatchNormalization()(hidden)
    images = layers.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh")(hidden)
    return keras.Model([codings, classes], images, name="generator")


def conditional_discriminator(num_classes=10):
    """The chapter's DCGAN discriminator; the class is a second feature map beside the image.

    Inputs: float images [N, 28, 28, 1] in [-1, 1] and one-hot classes [N, num_classes].
    Output: float logits [N, 1] (no sigmoid): is this a real image of this class?
    """
    images, classes = keras.Input((28, 28, 1)), keras.Input((num_classes,))
    heard_at_once = keras.initializers.RandomNormal(stddev=0.5)
    pattern = layers.Dense(28 * 28, use_bias=False, kernel_initializer=heard_at_once)(classes)
    hidden = layers.Concatenate()([images, layers.Reshape((28, 28, 1))(pattern)])
    hidden = layers.Conv2D(64, 5, strides=2, padding="same")(hidden)
    hidden = layers.Dropout(0.4)(layers.LeakyReLU(0.2)(hidden))
    hidden = layers.Conv2D(128, 5, strides=2, padding="same")(hidden)
    hidden = layers.Dropout(0.4)(layers.LeakyReLU(0.2)(hidden))
    logits = layers.Dense(1)(layers.Flatten()(hidden))
    return keras.Model([images, classes], logits, name="discriminator")


class LabeledGAN(FusedGAN):
    """The frame of a GAN with classes: they come as numbers, and the networks get them one-hot.

    A subclass writes ``logits(batch)`` for a batch of (real samples, one-hot classes).

    Args:
        generator: float codings [N, codings_size] and one-hot classes [N, num_classes] -> samples.
        discriminator: samples and one-hot classes -> float logits [N, 1].
        seed: of the codings drawn during training.

    Raises:
        ValueError: the networks don't fit each other, or have no second input for the class.
    """

    def __init__(self, generator, discriminator, seed=None, **kwargs):
        sizes = [_class_input_size(network) for network in (generator, discriminator)]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"The generator knows {sizes[0]} classes, the discriminator {sizes[1]}: "
                "they must be the same."
            )
        super().__init__(generator, discriminator, seed=seed, **kwargs)
        self.num_classes = sizes[0]

    def generate(self, codings, labels):
        """Samples of the wanted classes.

        Args:
            codings: float [N, codings_size].
            labels: int [N], or one number for all.

        Raises:
            ValueError: a class number that is not 0 ... num_classes - 1.
        """
        labels = np.broadcast_to(labels, len(codings))
        inputs = [np.asarray(codings, np.float32), one_hot(labels, self.num_classes)]
        return self.generator.predict(inputs, batch_size=500, verbose=0)

    def fit(self, dataset, **kwargs):
        """``keras.Model.fit`` on a dataset of (real samples, class numbers).

        Raises:
            ValueError: a class number that is not 0 ... num_classes - 1.
        """
        try:
            return super().fit(dataset.map(self._checked), **kwargs)
        except tf.errors.InvalidArgumentError as error:
            if "Class numbers" not in str(error):
                raise
            raise ValueError(_complaint(self.num_classes)) from None

    def _checked(self, samples, labels):
        """The same batch with one-hot classes, checked here: XLA would leave out the check."""
        if not labels.dtype.is_integer or labels.shape.rank != 1:
            raise ValueError(f"{_complaint(self.num_classes)} One for each sample, not one-hot.")
        inside = tf.reduce_all((labels >= 0) & (labels < self.num_classes))
        with tf.control_dependencies([tf.Assert(inside, [_complaint(self.num_classes)])]):
            return samples, tf.one_hot(labels, self.num_classes)


class ConditionalGAN(LabeledGAN):
    """Both networks get the class as a second input; a fake has the class of a real sample.

    See :class:`LabeledGAN` for the arguments.
    """

    def logits(self, batch):
        """What the discriminator says of real samples and of fakes of the same classes."""
        real_samples, classes = batch
        codings = self.sample_codings(ops.shape(real_samples)[0])
        fakes = self.generator([codings, classes], training=True)
        real_logits = self.discriminator([real_samples, classes], training=True)
        return real_logits, self.discriminator([fakes, classes], training=True)


def one_hot(labels, num_classes=10):
    """One-hot rows, float32 [N, num_classes], for class numbers, int [N].

    Raises:
        ValueError: a class number that is not 0 ... num_classes - 1.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(_complaint(num_classes))
    return np.eye(num_classes, dtype=np.float32)[labels]


def _complaint(num_classes):
    return f"Class numbers must be whole numbers from 0 to {num_classes - 1}."


def _class_input_size(network):
    shapes = network.input_shape
    if not isinstance(shapes, list) or len(shapes) != 2:
        raise ValueError(
            f"The {network.name} needs two inputs: its samples or codings, and classes."
        )
    return shapes[1][-1]
