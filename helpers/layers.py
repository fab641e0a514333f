"""Custom Keras layers, each with its equation."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class Sampling(keras.layers.Layer):
    """Draws codings from a diagonal Gaussian: ``mean + exp(log_var / 2) * noise``.

    Since ``log_var`` is log(sigma^2), ``exp(log_var / 2)`` is sigma. The noise comes from N(0, 1),
    so gradients flow to both inputs (the reparameterization of Kingma and Welling, 2013, sec. 2.4).
    It is drawn at every call, after training too.

    Inputs: a pair of float tensors [N, D], ``(mean, log_var)``. Output: codings, float [N, D].
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs):
        mean, log_var = inputs
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(log_var / 2) * noise
