"""The tied layer: its equation, one kernel for two layers, and that saving keeps the tie."""

import copy

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers.layers import DenseTranspose

X = np.random.default_rng(1).uniform(size=(5, 4, 2)).astype(np.float32)


def built_dense(num_inputs, num_units, **kwargs):
    """A Dense layer with a bias that is not zero."""
    dense = keras.layers.Dense(num_units, bias_initializer="random_normal", **kwargs)
    dense.build((None, num_inputs))
    return dense


def tied_autoencoder(nested=True):
    """8 -> 5 -> 3 -> 5 -> 8, tied; encoder and decoder as two models, or all layers in one."""
    first, second = (keras.layers.Dense(units, activation="selu") for units in (5, 3))
    encoder = [keras.layers.Flatten(), first, second]
    decoder = [
        DenseTranspose(second, activation="selu"),
        DenseTranspose(first, activation="sigmoid"),
        keras.layers.Reshape((4, 2)),
    ]
    if not nested:
        return keras.Sequential([keras.Input((4, 2)), *encoder, *decoder])
    encoder = keras.Sequential([keras.Input((4, 2)), *encoder], name="encoder")
    decoder = keras.Sequential([keras.Input((3,)), *decoder], name="decoder")
    return keras.Sequential([encoder, decoder])


def functional_autoencoder():
    """The nested one, joined by the functional API."""
    encoder, decoder = tied_autoencoder().layers
    images = keras.Input((4, 2))
    return keras.Model(images, decoder(encoder(images)))


def all_layers(model):
    """The layers that are no models, in order."""
    parts = (all_layers(part) if hasattr(part, "layers") else [part] for part in model.layers)
    return [layer for part in parts for layer in part]


def ties(model):
    """The Dense and the DenseTranspose layers of a model, each in order."""
    layers = all_layers(model)
    return tuple(
        [layer for layer in layers if type(layer) is kind]
        for kind in (keras.layers.Dense, DenseTranspose)
    )


def assert_tied(model):
    dense, transposed = ties(model)
    assert [layer.dense for layer in transposed] == dense[::-1]
    assert all(a.dense.kernel is b.kernel for a, b in zip(transposed, dense[::-1], strict=True))
    assert len(model.trainable_variables) == len(model.weights) == 6
    assert model.count_params() == 8 * 5 + 5 * 3 + 5 + 3 + 5 + 8


def train_a_little(model):
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    model.fit(X, X, epochs=3, verbose=0)
    return model


# --- what it computes


def test_it_multiplies_by_the_transposed_kernel_and_adds_its_own_bias():
    dense = built_dense(8, 5, activation="tanh")
    layer = DenseTranspose(dense, activation="selu")
    codings = np.random.default_rng(2).normal(size=(6, 5)).astype(np.float32)
    layer(codings)
    layer.bias.assign(np.linspace(-2, 2, 8))
    z = codings.astype(np.float64) @ dense.kernel.numpy().T + np.linspace(-2, 2, 8)
    expected = 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z))
    np.testing.assert_allclose(layer(codings), expected, rtol=1e-5, atol=1e-6)


def test_without_activation_it_is_linear_and_starts_without_bias():
    dense = built_dense(3, 2)
    outputs = DenseTranspose(dense)(np.eye(2, dtype=np.float32))
    np.testing.assert_array_equal(outputs, dense.kernel.numpy().T)


def test_it_keeps_leading_axes_as_dense_does():
    layer = DenseTranspose(built_dense(7, 3))
    sequences = np.random.default_rng(3).normal(size=(2, 4, 3)).astype(np.float32)
    outputs = layer(sequences).numpy()
    assert outputs.shape == (2, 4, 7)
    np.testing.assert_allclose(outputs[:, 1], layer(sequences[:, 1]), rtol=1e-5, atol=1e-6)
    assert layer(keras.Input((4, 3))).shape == (None, 4, 7)


# --- one kernel for two layers


def test_kernels_count_once():
    for model in (tied_autoencoder(), tied_autoencoder(nested=False), functional_autoencoder()):
        assert_tied(model)


def test_the_chapters_tied_autoencoder_has_82_414_parameters():
    first, second = keras.layers.Dense(100), keras.layers.Dense(30)
    layers = [first, second, DenseTranspose(second), DenseTranspose(first)]
    assert keras.Sequential([keras.Input((784,)), *layers]).count_params() == 82_414


def test_a_new_kernel_shows_in_both_layers():
    dense = built_dense(3, 2)
    layer = DenseTranspose(dense)
    ones = np.ones((1, 2), np.float32)
    before = layer(ones).numpy()
    dense.kernel.assign(2 * dense.kernel)
    np.testing.assert_allclose(layer(ones), 2 * before, rtol=1e-6)


def test_gradients_of_both_uses_add_up():
    """Against an untied network with the same weights: encoder's plus the decoder's, transposed."""
    dense = built_dense(8, 5, activation="tanh")
    tied = DenseTranspose(dense, activation="sigmoid")
    free = keras.layers.Dense(8, activation="sigmoid")
    x = X.reshape(5, 8)
    tied(dense(x)), free(dense(x))
    free.set_weights([dense.kernel.numpy().T, np.zeros(8)])

    def gradients(decoder, variables):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(decoder(dense(x)) - x))
        return [g.numpy() for g in tape.gradient(loss, [v.value for v in variables])]

    (both,) = gradients(tied, [dense.kernel])
    of_encoder, of_decoder = gradients(free, [dense.kernel, free.kernel])
    assert min(np.abs(of_encoder).max(), np.abs(of_decoder).max()) > 1e-3
    np.testing.assert_allclose(both, of_encoder + of_decoder.T, rtol=1e-4, atol=1e-7)


def test_training_keeps_the_tie_and_moves_all_weights():
    keras.utils.set_random_seed(1)
    model = tied_autoencoder()
    before = model.get_weights()
    train_a_little(model)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    assert_tied(model)
    dense, transposed = ties(model)
    for layer, mirrored in zip(transposed, dense[::-1], strict=True):
        units = np.eye(mirrored.units, dtype=np.float32)
        linear = tf.matmul(units, mirrored.kernel, transpose_b=True) + layer.bias
        np.testing.assert_allclose(layer(units), layer.activation(linear), rtol=1e-5, atol=1e-6)


def test_one_layer_can_lend_its_kernel_to_several():
    dense = built_dense(3, 2)
    layers = [DenseTranspose(dense), DenseTranspose(dense)]
    inputs = keras.Input((3,))
    model = keras.Model(inputs, [layer(dense(inputs)) for layer in layers])
    assert model.count_params() == 3 * 2 + 2 + 3 + 3


# --- saving


@pytest.mark.parametrize(
    "build", [tied_autoencoder, lambda: tied_autoencoder(nested=False), functional_autoencoder]
)
def test_a_saved_and_loaded_model_is_still_tied(build, tmp_path):
    model = train_a_little(build())
    model.save(tmp_path / "tied.keras")
    loaded = keras.models.load_model(tmp_path / "tied.keras")
    assert_tied(loaded)
    assert not {id(v) for v in loaded.weights} & {id(v) for v in model.weights}
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    train_a_little(loaded)
    assert_tied(loaded)
    loaded.save(tmp_path / "again.keras")
    assert_tied(keras.models.load_model(tmp_path / "again.keras"))


def test_loading_keeps_activation_name_and_trainability(tmp_path):
    dense = keras.layers.Dense(3)
    tied = DenseTranspose(dense, activation="selu", name="mirror", trainable=False)
    model = keras.Sequential([keras.Input((4,)), dense, tied])
    model.save(tmp_path / "model.keras")
    layer = keras.models.load_model(tmp_path / "model.keras").get_layer("mirror")
    assert layer.activation is keras.activations.selu
    assert not layer.trainable


def test_training_goes_on_after_loading_as_if_nothing_had_happened(tmp_path):
    model = train_a_little(tied_autoencoder())
    model.save(tmp_path / "tied.keras")
    loaded = keras.models.load_model(tmp_path / "tied.keras")
    for each in (model, loaded):
        each.fit(X, X, batch_size=5, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_a_decoder_saved_alone_brings_its_kernels(tmp_path):
    decoder = train_a_little(tied_autoencoder()).layers[1]
    decoder.save(tmp_path / "decoder.keras")
    codings = np.random.default_rng(4).normal(size=(6, 3)).astype(np.float32)
    loaded = keras.models.load_model(tmp_path / "decoder.keras")
    np.testing.assert_array_equal(loaded(codings), decoder(codings))


def test_weights_survive_a_round_trip(tmp_path):
    model, other = train_a_little(tied_autoencoder()), tied_autoencoder()
    model.save_weights(tmp_path / "tied.weights.h5")
    other.load_weights(tmp_path / "tied.weights.h5")
    assert_tied(other)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_deep_copy_is_tied_within_itself():
    model = tied_autoencoder()
    twin = copy.deepcopy(model)
    assert_tied(twin)
    assert not {id(v) for v in twin.weights} & {id(v) for v in model.weights}


def test_a_copy_that_would_be_tied_to_nothing_is_refused():
    model = tied_autoencoder()
    with pytest.raises(ValueError, match="clone_model"):
        keras.models.clone_model(model)
    layer = model.layers[1].layers[0]
    with pytest.raises(ValueError, match="tied to nothing"):
        DenseTranspose.from_config(layer.get_config())


# --- mistakes


@pytest.mark.parametrize("other", [keras.layers.Flatten, lambda: keras.layers.Conv2D(3, 2), int])
def test_only_dense_layers_lend_their_kernel(other):
    with pytest.raises(TypeError, match="Dense layer, not of a (Flatten|Conv2D|int)"):
        DenseTranspose(other())


def test_a_layer_without_a_kernel_yet_is_named():
    layer = DenseTranspose(keras.layers.Dense(3, name="late"))
    with pytest.raises(ValueError, match="'late' has no kernel yet"):
        layer(np.ones((1, 3), np.float32))


def test_inputs_of_another_size_are_refused():
    layer = DenseTranspose(built_dense(8, 5, name="first"))
    with pytest.raises(ValueError, match=r"'first' is \[8, 5\]; .* 5 numbers, not 3"):
        layer(np.ones((1, 3), np.float32))
