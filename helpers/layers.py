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


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class DenseTranspose(keras.layers.Layer):
    """A dense layer that borrows the kernel of another, transposed: ``activation(x W^T + b)``.

    W is the kernel of `dense`, [D, K]: one variable, trained by both layers. The bias b is this
    layer's own. In a stacked autoencoder of N layers, layer N - L + 1 borrows from layer L.

    A model with tied layers stays tied when it is saved as ``.keras`` and loaded again. Copies of
    configurations, as ``clone_model`` makes them, can't be tied and are refused.

    Args:
        dense: the ``keras.layers.Dense`` to borrow from; it must be built before this layer is.
        activation: name or function.

    Inputs: float tensor [N, ..., K]. Output: float [N, ..., D].

    Raises:
        TypeError: `dense` is no Dense layer.
        ValueError: when this layer is built: `dense` has no kernel yet, or the inputs don't have K
            numbers each.
    """

    def __init__(self, dense, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.dense = saved_once(dense)
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        check_tie(self.dense, input_shape)
        num_outputs = self.dense.kernel.shape[0]
        self.bias = self.add_weight(name="bias", shape=(num_outputs,), initializer="zeros")

    def call(self, inputs):
        return self.activation(ops.matmul(inputs, ops.transpose(self.dense.kernel)) + self.bias)

    def get_config(self):
        dense = keras.saving.serialize_keras_object(self.dense)
        activation = keras.activations.serialize(self.activation)
        return {**super().get_config(), "dense": dense, "activation": activation}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "dense": load_shared(config["dense"])})


def saved_once(dense):
    """Return the Dense layer `dense`, prepared to be found again in a saved model.

    Keras marks an object that it meets twice while saving, so that both places get one object when
    loading. But it marks the first place too late if that lies in a nested model, whose
    configuration has been copied by then. So each place shall count as the second one.

    Raises:
        TypeError: `dense` is no Dense layer.
    """
    if not isinstance(dense, keras.layers.Dense):
        raise TypeError(
            f"DenseTranspose borrows the kernel of a Dense layer, not of a {type(dense).__name__}."
        )
    if "get_config" in vars(dense):  # prepared already, for another layer
        return dense
    get_config, meeting = dense.get_config, []

    def get_config_after_a_meeting():
        if not meeting:
            meeting.append(True)
            try:
                keras.saving.serialize_keras_object(dense)
            finally:
                meeting.clear()
        return get_config()

    dense.get_config = get_config_after_a_meeting
    return dense


def load_shared(config):
    """The layer that a saved model's `config` stands for: the same object at each of its places.

    Raises:
        ValueError: `config` does not come from a saved model, so that no place shares it.
    """
    if "shared_object_id" not in config:
        raise ValueError(
            "A DenseTranspose can't be copied by its configuration, as clone_model does: the copy "
            "would be tied to nothing. Build a second model, or save this one and load it."
        )
    return keras.saving.deserialize_keras_object(config)


def check_tie(dense, input_shape):
    """Check that inputs of `input_shape` can be multiplied by the transposed kernel of `dense`.

    Raises:
        ValueError: there is no kernel yet, or it has another size.
    """
    if not dense.built:
        raise ValueError(
            f"The layer {dense.name!r} has no kernel yet to borrow. Build the encoder first: start "
            "it with a keras.Input, or call it once."
        )
    num_inputs, num_units = dense.kernel.shape
    if input_shape[-1] != num_units:
        raise ValueError(
            f"The kernel of {dense.name!r} is [{num_inputs}, {num_units}]; transposed, it takes "
            f"inputs of {num_units} numbers, not {input_shape[-1]}. Is it the mirrored layer?"
        )
