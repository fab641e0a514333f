"""Progressive growing: the four techniques against NumPy, and networks that fade without a jump."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from helpers import data
from helpers.layers import EqualizedConv2D, EqualizedDense, MinibatchStd, PixelNorm
from helpers.progressive import (
    FadeIn,
    GrowingDiscriminator,
    GrowingGenerator,
    ProgressiveGAN,
    faded,
)

SMALL = {4: 8, 8: 6, 16: 4}
RNG = np.random.default_rng(42)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def pooled(images):
    """Averages of 2 x 2 pixels, in NumPy."""
    n, height, width, maps = images.shape
    return images.reshape(n, height // 2, 2, width // 2, 2, maps).mean(axis=(2, 4))


def enlarged(images):
    return images.repeat(2, axis=1).repeat(2, axis=2)


def leaky(inputs):
    return np.where(inputs > 0, inputs, 0.2 * inputs)


def normalized(inputs):
    """Pixelwise normalization, in NumPy."""
    return inputs / np.sqrt((inputs**2).mean(axis=-1, keepdims=True) + 1e-8)


def scaled_product(inputs, kernel, bias, gain=2**0.5):
    """A dense layer with an equalized learning rate, in NumPy."""
    return inputs @ (gain / np.sqrt(len(kernel)) * kernel) + bias


def convolved(maps, kernel, bias, gain=2**0.5):
    """An equalized convolution, zeros around the edge, in NumPy."""
    (n, height, width, _), (side, _, num_inputs, num_maps) = maps.shape, kernel.shape
    margin = side // 2
    padded = np.pad(maps, [(0, 0), (margin, margin), (margin, margin), (0, 0)])
    sums = np.zeros((n, height, width, num_maps))
    for row in range(height):
        for column in range(width):
            patch = padded[:, row : row + side, column : column + side]
            sums[:, row, column] = np.tensordot(patch, kernel, axes=3)
    return gain / np.sqrt(side * side * num_inputs) * sums + bias


def pairs(network):
    """The kernels and biases of a network, or of a layer, in pairs, as float64."""
    weights = [weight.astype(np.float64) for weight in network.get_weights()]
    return list(zip(weights[::2], weights[1::2], strict=True))


def randomize(network):
    """Draw all weights of a network, or of a layer, anew: biases, too, which would be zero."""
    network.set_weights([normal(*weight.shape) for weight in network.get_weights()])


# --- pixelwise normalization, equalized learning rate


def test_pixel_norm_makes_the_root_mean_square_one():
    inputs = normal(3, 5, 5, 8) * 7 + 2
    outputs = ops.convert_to_numpy(PixelNorm()(inputs))
    expected = inputs / np.sqrt((inputs.astype(np.float64) ** 2).mean(axis=-1, keepdims=True))
    np.testing.assert_allclose(outputs, expected, rtol=1e-5)
    np.testing.assert_allclose(np.sqrt((outputs**2).mean(axis=-1)), 1, rtol=1e-5)
    assert np.isfinite(PixelNorm()(np.zeros((1, 2, 2, 3), np.float32))).all()


def test_equalized_dense_multiplies_by_hes_factor():
    keras.utils.set_random_seed(1)
    layer = EqualizedDense(300)
    inputs = normal(400, 50)
    outputs = ops.convert_to_numpy(layer(inputs))
    kernel, bias = layer.get_weights()
    assert kernel.std() == pytest.approx(1, abs=0.02)  # drawn from N(0, 1)
    np.testing.assert_allclose(outputs, inputs @ (np.sqrt(2 / 50) * kernel) + bias, atol=1e-4)
    assert outputs.var() == pytest.approx(2, rel=0.1)  # He: a ReLU halves it


def test_equalized_convolution_is_a_convolution_of_the_scaled_kernel():
    layer, images = EqualizedConv2D(5), normal(2, 6, 6, 4)
    layer.build(images.shape)
    randomize(layer)
    expected = convolved(images, *layer.get_weights())
    np.testing.assert_allclose(layer(images), expected, atol=1e-4)


def test_an_orthogonal_layer_starts_as_a_rotation_times_its_gain():
    layer = EqualizedDense(20, gain=3.0, rate=0.1, orthogonal=True)
    inputs = np.random.default_rng(1).normal(size=(7, 20)).astype("float32")
    outputs = layer(inputs).numpy()
    lengths = [np.linalg.norm(each, axis=1) for each in (inputs, outputs)]
    np.testing.assert_allclose(lengths[1], 3 * lengths[0], rtol=1e-4)
    np.testing.assert_allclose(outputs @ outputs.T, 9 * inputs @ inputs.T, rtol=1e-3, atol=1e-3)
    assert EqualizedDense.from_config(layer.get_config()).orthogonal


@pytest.mark.parametrize("rate", [0.1, 3.0])
def test_the_rate_is_a_factor_of_kernel_and_bias(rate):
    layer, inputs = EqualizedDense(4, gain=0.7, rate=rate), normal(6, 5)
    layer.build(inputs.shape)
    randomize(layer)
    expected = rate * scaled_product(inputs, *layer.get_weights(), gain=0.7)
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-5)


def test_gain_and_slower_rate():
    plain, slow = EqualizedDense(200, gain=1), EqualizedDense(200, gain=1, rate=0.01)
    inputs = normal(500, 100)
    assert np.var(plain(inputs)) == pytest.approx(1, rel=0.1)
    assert np.var(slow(inputs)) == pytest.approx(1, rel=0.1)
    assert slow.kernel.numpy().std() == pytest.approx(100, rel=0.05)


def test_all_kernels_get_the_same_relative_step_from_adam():
    """With He's initialization the kernel with more inputs changes relatively faster."""

    def relative_steps(first, second):
        network = keras.Sequential([keras.Input((400,)), first, second])
        kernels = [first.kernel, second.kernel]
        before = [kernel.numpy() for kernel in kernels]
        network.compile(keras.optimizers.Adam(0.01), "mse", jit_compile=False)
        network.train_on_batch(normal(64, 400), normal(64, 4))
        return [
            np.sqrt(np.mean((kernel.numpy() - old) ** 2)) / old.std()
            for kernel, old in zip(kernels, before, strict=True)
        ]

    wide, narrow = relative_steps(EqualizedDense(6), EqualizedDense(4))
    assert wide == pytest.approx(narrow, rel=0.3)
    dense = [keras.layers.Dense(units, kernel_initializer="he_normal") for units in (6, 4)]
    wide, narrow = relative_steps(*dense)
    assert wide > 4 * narrow  # a small kernel, an equally large step


@pytest.mark.parametrize(
    "layer", [EqualizedDense(3, gain=1, rate=0.1), EqualizedConv2D(3, 1, gain=1), PixelNorm(1e-6)]
)
def test_layers_can_be_saved(layer, tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 2)), layer])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    images = normal(2, 4, 4, 2)
    np.testing.assert_allclose(again(images), model(images), rtol=1e-5)


# --- fading in


def test_fade_in_is_a_weighted_sum_of_both_paths():
    layer, old, new = FadeIn(), normal(2, 3), normal(2, 3)
    np.testing.assert_allclose(layer([old, new]), new, rtol=1e-6)
    layer.alpha.assign(0.3)
    np.testing.assert_allclose(layer([old, new]), 0.7 * old + 0.3 * new, rtol=1e-5)
    assert layer.trainable_variables == []


@pytest.mark.parametrize("resolution", [8, 16])
def test_grown_generator_starts_as_the_old_one_and_ends_as_the_new_path(resolution):
    keras.utils.set_random_seed(1)
    growing, codings = GrowingGenerator(SMALL, codings_size=5), normal(4, 5)
    old, grown = growing.at(resolution // 2), growing.at(resolution)
    grown.get_layer("fade_in").alpha.assign(0)
    np.testing.assert_allclose(grown(codings), enlarged(old(codings).numpy()), rtol=1e-5, atol=1e-6)
    grown.get_layer("fade_in").alpha.assign(1)
    hidden = codings
    for size in SMALL:
        if size <= resolution:
            hidden = growing.blocks[size](hidden)
    np.testing.assert_allclose(
        grown(codings), growing.to_image[resolution](hidden), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("resolution", [8, 16])
def test_grown_discriminator_starts_as_the_old_one(resolution):
    keras.utils.set_random_seed(1)
    growing, images = GrowingDiscriminator(SMALL), normal(4, resolution, resolution, 1)
    old, grown = growing.at(resolution // 2), growing.at(resolution)
    grown.get_layer("fade_in").alpha.assign(0)
    np.testing.assert_allclose(grown(images), old(pooled(images)), rtol=1e-5, atol=1e-6)
    grown.get_layer("fade_in").alpha.assign(1)
    assert np.abs(grown(images) - old(pooled(images))).max() > 1e-3


def generated(growing, codings, resolution, alpha):
    """What a growing generator makes of codings, in NumPy."""
    (dense, dense_bias), first = pairs(growing.blocks[4])
    product = scaled_product(normalized(codings), dense, dense_bias, 2**0.5 / 4)
    hidden = normalized(leaky(product.reshape(len(codings), 4, 4, SMALL[4])))
    hidden = old = normalized(leaky(convolved(hidden, *first)))
    for size in (8, 16)[: resolution // 8]:
        old, hidden = hidden, enlarged(hidden)
        for kernel_and_bias in pairs(growing.blocks[size]):
            hidden = normalized(leaky(convolved(hidden, *kernel_and_bias)))
    [to_old], [to_new] = (pairs(growing.to_image[size]) for size in (resolution // 2, resolution))
    old_images = enlarged(convolved(old, *to_old, gain=1))
    return (1 - alpha) * old_images + alpha * convolved(hidden, *to_new, gain=1)


@pytest.mark.parametrize("alpha", [0.3, 1.0])
@pytest.mark.parametrize("resolution", [8, 16])
def test_grown_generator_written_out_in_numpy(resolution, alpha):
    growing, codings = GrowingGenerator(SMALL, codings_size=5), normal(3, 5)
    grown = growing.at(resolution)
    randomize(grown)
    grown.get_layer("fade_in").alpha.assign(alpha)
    expected = generated(growing, codings, resolution, alpha)
    np.testing.assert_allclose(grown(codings), expected, rtol=1e-4, atol=1e-4)


def judged(growing, images, resolution, alpha):
    """The logits of a growing discriminator, in NumPy."""
    [from_old], [from_new] = (
        pairs(growing.from_image[size]) for size in (resolution // 2, resolution)
    )
    hidden = leaky(convolved(images, *from_new))
    for size in (16, 8)[2 - resolution // 8 :]:
        for kernel_and_bias in pairs(growing.blocks[size]):
            hidden = leaky(convolved(hidden, *kernel_and_bias))
        hidden = pooled(hidden)
        if size == resolution:
            old = leaky(convolved(pooled(images), *from_old))
            hidden = (1 - alpha) * old + alpha * hidden
    variety = np.sqrt(((hidden - hidden.mean(axis=0)) ** 2).mean(axis=0) + 1e-8).mean()
    hidden = np.concatenate([hidden, np.full((len(images), 4, 4, 1), variety)], axis=-1)
    convolution, dense, last = pairs(growing.blocks[4])
    hidden = leaky(convolved(hidden, *convolution)).reshape(len(images), -1)
    return scaled_product(leaky(scaled_product(hidden, *dense)), *last, gain=1)


@pytest.mark.parametrize("alpha", [0.3, 1.0])
@pytest.mark.parametrize("resolution", [8, 16])
def test_grown_discriminator_written_out_in_numpy(resolution, alpha):
    growing, images = GrowingDiscriminator(SMALL), normal(3, resolution, resolution, 1)
    grown = growing.at(resolution)
    randomize(grown)
    grown.get_layer("fade_in").alpha.assign(alpha)
    expected = judged(growing, images, resolution, alpha)
    np.testing.assert_allclose(grown(images), expected, rtol=1e-4, atol=1e-4)


def test_older_layers_are_shared_and_remain_trainable():
    growing = GrowingGenerator(SMALL, codings_size=5)
    old, grown = growing.at(4), growing.at(8)
    names = {id(weight) for weight in grown.trainable_variables}
    assert {id(weight) for weight in old.trainable_variables} <= names


def test_sizes_of_the_course():
    generator, discriminator = GrowingGenerator().at(32), GrowingDiscriminator().at(32)
    assert generator.output_shape == (None, 32, 32, 1)
    assert discriminator.input_shape == (None, 32, 32, 1)
    # a last stage has two layers that make images; those of 4 and 8 have left
    assert generator.count_params() == 212_180 - 2 * 65 + 1
    assert discriminator.count_params() == 212_081 - 2 * 128 + 1


@pytest.mark.parametrize("widths", [{8: 4}, {4: 4, 16: 4}, {8: 4, 4: 4}])
def test_wrong_resolutions_are_refused(widths):
    with pytest.raises(ValueError, match="start at 4 and double"):
        GrowingGenerator(widths)
    with pytest.raises(ValueError, match="start at 4 and double"):
        GrowingDiscriminator(widths)


def test_a_resolution_without_layers_is_refused():
    with pytest.raises(ValueError, match="not for 64"):
        GrowingGenerator(SMALL).at(64)
    with pytest.raises(ValueError, match="not for 5"):
        GrowingDiscriminator(SMALL).at(5)


# --- one stage of training


def small_gan(resolution=8, **arguments):
    keras.utils.set_random_seed(1)
    gan = ProgressiveGAN(
        GrowingGenerator(SMALL, codings_size=5).at(resolution),
        GrowingDiscriminator(SMALL).at(resolution), seed=1, **arguments,
    )  # fmt: skip
    adams = [keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.99) for _ in range(2)]
    gan.compile(*adams, jit_compile=False)
    return gan


def test_alpha_rises_from_zero_to_one_and_nothing_is_retraced():
    gan, seen, traces = small_gan(fade_steps=4), [], []
    step = gan.both_losses

    def traced(real_samples):
        traces.append(1)  # runs only while TensorFlow traces
        return step(real_samples)

    gan.both_losses = traced
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(
            [float(gan.alpha)]
            + [
                float(network.get_layer("fade_in").alpha)
                for network in (gan.generator, gan.discriminator)
            ]
        )
    )
    gan.fit(data.batches(normal(64, 8, 8, 1), 8), epochs=1, verbose=0, callbacks=[watch])
    np.testing.assert_allclose(seen, [[a] * 3 for a in [0, 0.25, 0.5, 0.75, 1, 1, 1, 1]])
    assert len(traces) == 1


def test_real_images_fade_too():
    gan, images = small_gan(fade_steps=10), normal(3, 8, 8, 1)
    np.testing.assert_allclose(faded(images, gan.alpha), enlarged(pooled(images)), atol=1e-6)
    gan.set_alpha(1.0)
    np.testing.assert_allclose(faded(images, gan.alpha), images, atol=1e-6)
    gan.set_alpha(0.25)
    expected = 0.75 * enlarged(pooled(images)) + 0.25 * images
    np.testing.assert_allclose(faded(images, gan.alpha), expected, atol=1e-6)


def test_slope_penalty_is_the_mean_squared_slope_at_the_real_images():
    """Half the sum of an image's squares has the image itself as its slope."""
    gan, images = small_gan(), normal(6, 8, 8, 1)

    class HalfSquares(keras.layers.Layer):
        def call(self, images):
            return ops.sum(ops.square(images), axis=(1, 2)) / 2  # [N, 1]

    gan.discriminator = HalfSquares()
    found = float(gan.slope_penalty(tf.constant(images)))
    assert found == pytest.approx((images.astype(np.float64) ** 2).sum() / 6, rel=1e-5)


def test_both_losses_are_cross_entropies_of_the_logits():
    """Fakes and logits in NumPy, from the codings that the GAN will draw."""
    keras.utils.set_random_seed(1)
    growing = GrowingGenerator(SMALL, codings_size=5), GrowingDiscriminator(SMALL)
    gan = ProgressiveGAN(growing[0].at(8), growing[1].at(8), fade_steps=10)
    gan.set_alpha(0.4)
    gan.steps_done.assign(1)  # a step without the penalty
    gan.seed_generator = keras.random.SeedGenerator(3)
    codings = keras.random.normal((6, 5), seed=keras.random.SeedGenerator(3)).numpy()
    images = normal(6, 8, 8, 1)
    fakes = generated(growing[0], codings, 8, 0.4)
    real, fake = (1 / (1 + np.exp(-judged(growing[1], each, 8, 0.4))) for each in (images, fakes))
    expected = [-(np.log(real) + np.log(1 - fake)).mean() / 2, -np.log(fake).mean()]
    np.testing.assert_allclose(gan.both_losses(tf.constant(images)), expected, rtol=1e-5)


def test_penalty_is_taken_every_few_steps_and_then_that_many_times_as_strong():
    gan = small_gan(slope_weight=2.0, slope_every=4)
    images = tf.constant(normal(8, 8, 8, 1))
    penalty = float(gan.slope_penalty(images))

    def loss_at(step):
        gan.steps_done.assign(step)
        gan.seed_generator = keras.random.SeedGenerator(3)
        return float(gan.both_losses(images)[0])

    assert loss_at(0) - loss_at(1) == pytest.approx(4 * penalty, rel=1e-3)
    assert loss_at(1) == pytest.approx(loss_at(3), rel=1e-5)
    assert loss_at(4) == pytest.approx(loss_at(0), rel=1e-5)


def test_it_learns_a_simple_distribution():
    """Images of one gray level each: the generator should make flat pictures as bright."""
    gan = small_gan(resolution=4)
    levels = RNG.uniform(0.5, 0.9, size=(512, 1, 1, 1))
    images = (levels + np.zeros((512, 4, 4, 1))).astype(np.float32)
    before = gan.generator.predict(normal(200, 5), verbose=0)
    gan.fit(data.batches(images, 32), epochs=20, verbose=0)
    made = gan.generator.predict(normal(200, 5), verbose=0)
    assert abs(made.mean() - 0.7) < 0.2 < abs(before.mean() - 0.7)
    assert made.std(axis=(1, 2)).mean() < 0.5 * before.std(axis=(1, 2)).mean()


def test_minibatch_std_is_in_the_last_block():
    layers = GrowingDiscriminator(SMALL).blocks[4].layers
    assert isinstance(layers[0], MinibatchStd)
