"""The networks' shapes and sizes, and what the variational autoencoder's loss counts."""

import keras
import numpy as np
import pytest

from helpers import models

IMAGES, MORE_IMAGES = (
    np.random.default_rng(seed).uniform(size=(6, 28, 28)).astype(np.float32) for seed in (1, 2)
)


@pytest.mark.parametrize("codings_size", [2, 10])
def test_vae_encoder_gives_mean_log_var_and_codings(codings_size):
    encoder = models.vae_encoder(codings_size, seed=1)
    mean, log_var, codings = encoder.predict(IMAGES, verbose=0)
    assert mean.shape == log_var.shape == codings.shape == (6, codings_size)
    again = encoder.predict(IMAGES, verbose=0)
    np.testing.assert_array_equal(again[0], mean)
    np.testing.assert_array_equal(again[1], log_var)
    assert (again[2] != codings).all()
    assert (np.abs(codings - mean) < 6 * np.exp(log_var / 2)).all()


@pytest.mark.parametrize(
    ("build", "codings_size"),
    [
        (models.stacked_decoder, 2),
        (models.stacked_decoder, 30),
        (models.vae_decoder, 2),
        (models.vae_decoder, 10),
        (models.dense_generator, 30),
    ],
)
def test_decoders_make_images_of_the_unit_interval(build, codings_size):
    codings = np.linspace(-5, 5, 6 * codings_size).reshape(6, codings_size)
    images = build(codings_size).predict(codings, verbose=0)
    assert images.shape == (6, 28, 28)
    assert 0 <= images.min() < 0.5 < images.max() <= 1


@pytest.mark.parametrize("codings_size", [2, 30])
def test_stacked_encoder_gives_codings(codings_size):
    codings = models.stacked_encoder(codings_size).predict(IMAGES, verbose=0)
    assert codings.shape == (6, codings_size)
    assert (codings > -1.7581).all()  # SELU's lower limit


def test_discriminator_gives_logits():
    discriminator = models.dense_discriminator()
    logits = discriminator.predict(IMAGES, verbose=0)
    assert logits.shape == (6, 1)
    large = discriminator.predict(100 * IMAGES, verbose=0)
    assert np.abs(large).max() > 1  # no sigmoid


def test_sizes_are_the_chapters():
    stacked = models.stacked_encoder().count_params() + models.stacked_decoder().count_params()
    assert stacked == 163_814
    encoder, decoder = models.vae_encoder(), models.vae_decoder()
    assert (encoder.count_params(), decoder.count_params()) == (134_870, 134_634)
    vae = models.VariationalAutoencoder(encoder, decoder)
    vae(IMAGES)
    assert vae.count_params() == 269_504
    assert models.dense_generator().count_params() == 136_634
    assert models.dense_discriminator().count_params() == 132_951


def test_encoder_follows_its_seed():
    keras.utils.set_random_seed(1)
    first = models.vae_encoder(seed=1)
    second = models.vae_encoder(seed=1)
    second.set_weights(first.get_weights())
    for a, b in zip(first(IMAGES), second(IMAGES), strict=True):
        np.testing.assert_array_equal(a, b)


# --- the loss of the variational autoencoder


def deaf_vae(beta=1.0):
    """A VAE whose decoder does not listen to the codings: its loss doesn't depend on chance."""
    keras.utils.set_random_seed(42)
    encoder, decoder = models.vae_encoder(codings_size=3), models.vae_decoder(codings_size=3)
    kernel, bias = decoder.layers[0].get_weights()
    decoder.layers[0].set_weights([0 * kernel, bias + 0.5])
    vae = models.VariationalAutoencoder(encoder, decoder, beta=beta)
    vae.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(0.0))
    return vae


def expected_loss(vae, images, beta):
    """Reconstruction loss plus beta times KL over 784, in NumPy."""
    mean, log_var, _ = (np.float64(part) for part in vae.encoder.predict(images, verbose=0))
    kl = (np.exp(log_var) + mean**2 - 1 - log_var).sum(axis=1) / 2
    p = np.float64(vae.decoder.predict(np.zeros((len(images), 3)), verbose=0))
    cross_entropy = -(images * np.log(p) + (1 - images) * np.log(1 - p))
    return cross_entropy.mean() + beta * kl.mean() / 784


@pytest.mark.parametrize("beta", [0.0, 1.0, 50.0])
def test_evaluate_counts_the_latent_loss(beta):
    vae = deaf_vae(beta)
    found = vae.evaluate(IMAGES, IMAGES, batch_size=6, verbose=0)
    assert expected_loss(vae, IMAGES, 50.0) > expected_loss(vae, IMAGES, 0.0) + 1e-3
    assert found == pytest.approx(expected_loss(vae, IMAGES, beta), rel=1e-4)


def test_training_and_validation_count_the_latent_loss():
    vae = deaf_vae(beta=50.0)
    history = vae.fit(
        IMAGES, IMAGES, batch_size=6, validation_data=(MORE_IMAGES, MORE_IMAGES), verbose=0
    ).history
    assert history["loss"] == [pytest.approx(expected_loss(vae, IMAGES, 50.0), rel=1e-4)]
    assert history["val_loss"] == [pytest.approx(expected_loss(vae, MORE_IMAGES, 50.0), rel=1e-4)]


def test_latent_loss_trains_the_encoder():
    vae = deaf_vae(beta=1000.0)  # only the latent loss reaches its encoder
    vae.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(1e-4))
    before = expected_loss(vae, IMAGES, 1000.0) - expected_loss(vae, IMAGES, 0.0)
    vae.fit(IMAGES, IMAGES, epochs=5, verbose=0)
    after = expected_loss(vae, IMAGES, 1000.0) - expected_loss(vae, IMAGES, 0.0)
    assert after < 0.9 * before


def test_reconstruction_depends_on_chance():
    vae = models.VariationalAutoencoder(models.vae_encoder(), models.vae_decoder())
    first, second = (vae.predict(IMAGES, verbose=0) for _ in range(2))
    assert first.shape == (6, 28, 28)
    assert np.abs(first - second).max() > 1e-3


def test_weights_survive_saving(tmp_path):
    first, second = deaf_vae(), deaf_vae()
    for vae in (first, second):
        vae(IMAGES)
    first.save_weights(tmp_path / "vae.weights.h5")
    second.load_weights(tmp_path / "vae.weights.h5")
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def kinds(network):
    return [(type(layer).__name__, layer.output.shape[1:]) for layer in network.layers]


def test_variants_at_full_width_are_the_chapters_dcgan():
    pairs = [
        (models.variant_generator(64), models.dcgan_generator()),
        (models.variant_discriminator(64), models.dcgan_discriminator()),
    ]
    for variant, chapter in pairs:
        assert kinds(variant) == kinds(chapter)
        variant.set_weights(chapter.get_weights())
        inputs = np.random.default_rng(3).normal(size=(4, *chapter.input_shape[1:]))
        np.testing.assert_allclose(variant(inputs), chapter(inputs), rtol=1e-5, atol=1e-6)


def test_activations_go_behind_batch_normalization():
    names = [name for name, _ in kinds(models.variant_generator(4, after_norm=True))]
    behind = ["BatchNormalization", "Activation", "Conv2DTranspose"]
    assert names == ["Dense", "Reshape", *behind, *behind]
    network = models.variant_generator(4, activation="relu", after_norm=True)
    first, last = (layer for layer in network.layers if "transpose" in layer.name)
    assert first.activation is keras.activations.linear
    assert last.activation is keras.activations.tanh


def test_a_third_convolution_halves_once_more():
    network = models.variant_discriminator(4, depth=3, normalize=True, dropout=0)
    shapes = [shape for name, shape in kinds(network) if name == "Conv2D"]
    assert shapes == [(14, 14, 4), (7, 7, 8), (4, 4, 16)]
    names = [name for name, _ in kinds(network)]
    assert names[:2] == ["Conv2D", "LeakyReLU"] and names.count("BatchNormalization") == 2


@pytest.mark.parametrize("change", [{"resize": True}, {"normalize": False}, {"hidden": 10}])
def test_variants_of_the_generator_make_images(change):
    images = models.variant_generator(4, **change)(np.zeros((2, 100)))
    assert images.shape == (2, 28, 28, 1)


@pytest.mark.parametrize("change", [{"pool": True}, {"slope": 0.0}, {"hidden": 10}])
def test_variants_of_the_discriminator_give_logits(change):
    assert models.variant_discriminator(4, **change)(np.zeros((2, 28, 28, 1))).shape == (2, 1)
