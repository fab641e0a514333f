"""A small Fashion-MNIST classifier, used as a measuring instrument, and its training recipe.

The lessons ask it two things about generated images: which class they look like, and where they
lie in its space of 64 features (for the Fréchet distance). Its weights ship with the course;
``NOTEBOOK_PROFILE=full python -m helpers.classifier`` trains them again.
"""

import keras
import numpy as np
from keras import layers

from helpers import data, pretrained, session
from helpers.training import fit_resumably

NAME = "classifier"
EPOCHS, BATCH_SIZE, SEED = 14, 128, 42
RECIPE = "helpers/classifier.py: Adam 1e-3 with cosine decay, batch 128, dropout"


def build_classifier():
    """Three 3x3 convolutions, 64 features, ten logits; 257,162 weights.

    Input: float images [N, 28, 28] in [0, 1]. Output: float logits [N, 10].

    There is no batch normalization on purpose. With it the features react to faint noise as
    strongly as to a plain blur, and the distances of generated images say little about what one
    sees.
    """
    images = keras.Input(shape=(28, 28))
    hidden = layers.Reshape((28, 28, 1))(images)
    for filters, pool in [(32, True), (64, True), (64, False)]:
        hidden = layers.Conv2D(
            filters, 3, padding="same", activation="relu", kernel_initializer="he_normal"
        )(hidden)
        if pool:
            hidden = layers.MaxPool2D()(hidden)
    hidden = layers.Dropout(0.4)(layers.Flatten()(hidden))
    features = layers.Dense(64, activation="relu", name="features")(hidden)
    logits = layers.Dense(10, name="logits")(layers.Dropout(0.2)(features))
    return keras.Model(images, logits, name="classifier")


class Judge:
    """The trained classifier, ready to judge images.

    Args:
        classifier: a model from :func:`build_classifier`; default: the shipped weights.

    Raises:
        PretrainedError: the shipped weights are missing or damaged.
    """

    def __init__(self, classifier=None):
        classifier = classifier or pretrained.load_weights(build_classifier(), NAME)
        self._both = keras.Model(
            classifier.input, [classifier.get_layer("features").output, classifier.output]
        )

    def _outputs(self, images):
        images = np.asarray(images)
        if not np.isfinite(images).all():
            raise ValueError(
                "Some pixels are not numbers: has the network that made them diverged?"
            )
        return self._both.predict(images, batch_size=500, verbose=0)

    def features(self, images):
        """Features [N, 64], float32, of images [N, 28, 28] in [0, 1]."""
        return self._outputs(images)[0]

    def features_and_classes(self, images):
        """What :meth:`features` and :meth:`classes` return, for the price of one of them."""
        features, logits = self._outputs(images)
        return features, logits.argmax(axis=1)

    def probabilities(self, images):
        """Class probabilities [N, 10], float32, of images [N, 28, 28] in [0, 1]."""
        logits = self._outputs(images)[1]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def classes(self, images):
        """The most probable class of each image, int [N]."""
        return self._outputs(images)[1].argmax(axis=1)


def train():
    """Train on the real Fashion-MNIST at ``full``, and ship the weights; it can be interrupted."""
    keras.utils.set_random_seed(SEED)
    fashion = data.load_fashion_mnist()
    if not fashion.is_real:
        raise SystemExit("The classifier is trained on the real Fashion-MNIST only: not available.")
    if session.profile() != "full":
        raise SystemExit("Set NOTEBOOK_PROFILE=full: what it trains takes the shipped one's place.")
    classifier = build_classifier()
    steps = EPOCHS * len(fashion.train_images) // BATCH_SIZE
    classifier.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=10,
        jit_compile=False,  # XLA slows convolutions on a CPU
    )
    train_set = data.batches((fashion.train_images, fashion.train_labels), BATCH_SIZE, seed=SEED)
    valid_set = (fashion.valid_images, fashion.valid_labels)
    _, checkpoint = fit_resumably(
        classifier, NAME, train_set, recipe=f"{RECIPE}; seed {SEED}", epochs=EPOCHS,
        validation_data=valid_set, shuffle=False, verbose=2,
    )  # fmt: skip
    _, accuracy = classifier.evaluate(fashion.test_images, fashion.test_labels, verbose=0)
    pretrained.save_weights(
        classifier,
        NAME,
        recipe=RECIPE,
        seed=SEED,
        epochs=EPOCHS,
        minutes=checkpoint.minutes(),
        measured={"test accuracy": round(float(accuracy), 4)},
    )
    checkpoint.delete()  # only now: the weights are safe
    print(f"test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    train()
