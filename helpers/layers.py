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
class L1Penalty(keras.layers.Layer):
    """Returns its inputs, adds ``weight * mean over the batch of sum over units |z|`` to the loss.

    The same as ``keras.layers.ActivityRegularization(l1=weight)`` of Keras 2 and of Keras 3.14 and
    later; Keras 3 up to 3.13 left out the division by the batch size (keras-team/keras#22018).
    ``add_loss`` is never divided by Keras, so this layer gives the same everywhere.

    Inputs and output: codings, float [N, D].

    Args:
        weight: factor of the penalty.
    """

    def __init__(self, weight, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight

    def call(self, codings):
        absolute_sums = ops.sum(ops.abs(codings), axis=-1)  # [N]
        self.add_loss(self.weight * ops.mean(absolute_sums))
        return codings

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}


def bernoulli_kl(p, q):
    """KL divergence of a coin with probability q from one with probability p, Equation 17-2.

    ``p log(p / q) + (1 - p) log((1 - p) / (1 - q))``, in nats, element by element.

    Args:
        p, q: numbers or float tensors strictly between 0 and 1, of shapes that broadcast.
    """
    return p * ops.log(p / q) + (1 - p) * ops.log((1 - p) / (1 - q))


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class KLPenalty(keras.layers.Layer):
    """Returns its inputs and adds a loss for units whose mean over the batch is off the target.

    The penalty is ``weight / N * sum over units of bernoulli_kl(target, mean over the batch)``. The
    chapter's regularizer has no division by the batch size N in it because Keras 2 divided; here
    the layer does, so that the chapter's weights keep their meaning in every Keras 3.

    Inputs and output: codings, float [N, D] in [0, 1]. Means are clipped to 1e-7 from 0 and 1.

    Args:
        weight: factor of the penalty.
        target: wanted mean activation of each unit, strictly between 0 and 1.

    Raises:
        ValueError: the target is not strictly between 0 and 1.
    """

    def __init__(self, weight, target=0.1, **kwargs):
        super().__init__(**kwargs)
        if not 0 < target < 1:
            raise ValueError(f"The target must be strictly between 0 and 1, not {target}.")
        self.weight, self.target = weight, target

    def call(self, codings):
        mean_activations = ops.clip(ops.mean(codings, axis=0), 1e-7, 1 - 1e-7)  # [D]
        divergence = ops.sum(bernoulli_kl(self.target, mean_activations))
        batch_size = ops.cast(ops.shape(codings)[0], codings.dtype)
        self.add_loss(self.weight * divergence / batch_size)
        return codings

    def get_config(self):
        return {**super().get_config(), "weight": self.weight, "target": self.target}


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
        num_outputs = check_tie(self.dense, input_shape)
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

    Returns:
        The number of outputs, which is the number of the inputs of `dense`.

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
    return num_inputs


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class MinibatchStd(keras.layers.Layer):
    """Appends one number that says how varied the batch is: its standard deviation.

    ``sqrt(variance over the batch + epsilon)`` for each feature (at each place), then the mean of
    all of these: a single value, appended to every instance as one more feature or feature map
    (Karras et al., 2018, section 3, with the whole batch as one group).

    Real and fake samples must come in batches of their own: a mixed batch has one value for both.

    Inputs: float [N, ..., C], for example [N, D] or [N, H, W, C]. Output: float [N, ..., C + 1].

    Args:
        epsilon: stands inside the root, whose slope at zero would be infinite.
    """

    def __init__(self, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, inputs):
        variances = ops.mean(ops.square(inputs - ops.mean(inputs, axis=0)), axis=0)  # [..., C]
        value = ops.mean(ops.sqrt(variances + self.epsilon))  # a single one
        return ops.concatenate([inputs, value * ops.ones_like(inputs[..., :1])], axis=-1)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class MinibatchDiscrimination(keras.layers.Layer):
    """Appends to each instance how close it is to the others of its batch (Salimans et al., 2016).

    ``M_i = f(x_i) T`` is a matrix [B, C] for each instance i; with ``c_b(i, j) = exp(-|M_ib -
    M_jb|_1)`` the layer appends ``o_b(i) = sum over j of c_b(i, j)``, B numbers from 1 (nobody is
    near) to N (all are the same). Section 3.2 of the paper; the sum includes j = i.

    Because of the sum, the numbers grow with the batch: judge in batches as large as in training,
    real and fake samples apart.

    Inputs: features f(x), float [N, A]. Output: float [N, A + B].

    Args:
        num_kernels: B, the number of comparisons.
        kernel_size: C, in how many dimensions each of them measures the distance.
    """

    def __init__(self, num_kernels=20, kernel_size=5, **kwargs):
        super().__init__(**kwargs)
        self.num_kernels, self.kernel_size = num_kernels, kernel_size

    def build(self, input_shape):
        size = self.num_kernels * self.kernel_size
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], size))  # T

    def call(self, inputs):
        m = ops.reshape(inputs @ self.kernel, (-1, self.num_kernels, self.kernel_size))  # [N, B, C]
        gaps = ops.sum(ops.abs(m[:, None] - m[None]), axis=-1)  # [N, N, B]
        closeness = ops.sum(ops.exp(-gaps), axis=1)  # o, [N, B]
        return ops.concatenate([inputs, closeness], axis=-1)

    def get_config(self):
        sizes = {"num_kernels": self.num_kernels, "kernel_size": self.kernel_size}
        return {**super().get_config(), **sizes}


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class PixelNorm(keras.layers.Layer):
    """Divides each pixel's activations by their root mean square over the channels.

    ``x / sqrt(mean over channels of x^2 + epsilon)`` (Karras et al., 2018, section 4.2): afterwards
    the root mean square at every place of every instance is 1.

    Inputs and output: float [N, ..., C].
    """

    def __init__(self, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, inputs):
        mean_squares = ops.mean(ops.square(inputs), axis=-1, keepdims=True)
        return inputs * ops.rsqrt(mean_squares + self.epsilon)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class EqualizedDense(keras.layers.Layer):
    """A dense layer whose kernel is drawn from N(0, 1) and scaled at run time as by He's rule.

    ``x (gain / sqrt(fan_in) * W) + b``, with fan_in inputs (Karras et al., 2018, section 4.1). The
    kernel is *multiplied* by that number. All kernels of a network then have the same range, so
    that Adam, which steps equally far in each, changes them at the same relative speed.

    Args:
        units: K, the number of outputs.
        gain: sqrt(2) before a ReLU-like activation, 1 before none.
        rate: another factor on kernel and bias, of which W and b are the larger by 1 / rate: they
            learn that much more slowly (StyleGAN's mapping network: 0.01).
        orthogonal: start from a rotation (times gain) instead of N(0, 1): needs as many inputs as
            outputs, or more.

    Inputs: float [N, ..., D]. Output: float [N, ..., K].
    """

    def __init__(self, units, gain=2**0.5, rate=1.0, orthogonal=False, **kwargs):
        super().__init__(**kwargs)
        self.units, self.gain, self.rate, self.orthogonal = units, gain, rate, orthogonal

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        self.scale = self.gain * self.rate / shape[0] ** 0.5
        wide = keras.initializers.RandomNormal(stddev=1 / self.rate)
        if self.orthogonal:
            wide = keras.initializers.Orthogonal(gain=shape[0] ** 0.5 / self.rate)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=wide)
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, inputs):
        return ops.matmul(inputs, self.scale * self.kernel) + self.rate * self.bias

    def get_config(self):
        names = ("units", "gain", "rate", "orthogonal")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="from_pca_to_stylegan")
class EqualizedConv2D(keras.layers.Layer):
    """A convolution ("same", stride 1) whose kernel is N(0, 1), scaled at run time by He's rule.

    See :class:`EqualizedDense`; here fan_in is ``kernel_size^2 * C``.

    Args:
        filters: K, the number of feature maps.
        kernel_size: height and width of the kernel.
        gain: sqrt(2) before a ReLU-like activation, 1 before none.

    Inputs: float [N, H, W, C]. Output: float [N, H, W, K].
    """

    def __init__(self, filters, kernel_size=3, gain=2**0.5, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.gain = filters, kernel_size, gain

    def build(self, input_shape):
        shape = (self.kernel_size, self.kernel_size, input_shape[-1], self.filters)
        self.scale = self.gain / (shape[0] * shape[1] * shape[2]) ** 0.5
        normal = keras.initializers.RandomNormal(stddev=1.0)  # Keras' own default is 0.05
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=normal)
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs):
        return ops.conv(inputs, self.scale * self.kernel, padding="same") + self.bias

    def get_config(self):
        sizes = {"filters": self.filters, "kernel_size": self.kernel_size, "gain": self.gain}
        return {**super().get_config(), **sizes}
