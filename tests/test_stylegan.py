"""StyleGAN's generator: each layer against NumPy, styles, noise and mixing."""

import keras
import numpy as np
import pytest
from keras import ops
from test_progressive import (
    SMALL,
    convolved,
    enlarged,
    leaky,
    normal,
    normalized,
    pairs,
    randomize,
    scaled_product,
)

from helpers import data
from helpers.progressive import GrowingDiscriminator, ProgressiveGAN, fade_layers
from helpers.stylegan import (
    AdaIN,
    GrowingStyleGenerator,
    GrowingSynthesis,
    LearnedConstant,
    Noise,
    NoiseInjection,
    StyleGAN,
    mapping_network,
    mixed_styles,
    paint,
    styled,
    styled_layers,
)


def small_generator(seed=1, **arguments):
    keras.utils.set_random_seed(seed)
    return GrowingStyleGenerator(SMALL, codings_size=5, num_mapping_layers=3, **arguments)


def noises(synthesis, num_images):
    return [normal(num_images, *shape[1:]) for shape in synthesis.input_shape[1:]]


# --- layers


def test_adain_gives_each_map_the_mean_and_deviation_of_the_style():
    layer, maps, style = AdaIN(), normal(3, 6, 5, 4) * 9 + 2, normal(3, 7)
    made = layer([maps, style]).numpy()
    layer.affine.bias.assign(normal(8))
    made = layer([maps, style]).numpy()
    kernel, bias = layer.affine.get_weights()
    numbers = style @ kernel / np.sqrt(7) + bias  # [3, 8]
    scale, offset = 1 + numbers[:, :4], numbers[:, 4:]
    np.testing.assert_allclose(made.mean(axis=(1, 2)), offset, atol=1e-4)
    np.testing.assert_allclose(made.std(axis=(1, 2)), np.abs(scale), rtol=1e-3)
    mean, std = maps.mean(axis=(1, 2), keepdims=True), maps.std(axis=(1, 2), keepdims=True)
    expected = scale[:, None, None] * (maps - mean) / std + offset[:, None, None]
    np.testing.assert_allclose(made, expected, atol=1e-3)


def test_adain_forgets_the_maps_own_mean_and_deviation():
    layer, maps, style = AdaIN(), normal(2, 8, 8, 3), normal(2, 5)
    np.testing.assert_allclose(layer([5 * maps - 3, style]), layer([maps, style]), atol=1e-3)
    assert np.isfinite(layer([np.ones((2, 8, 8, 3), np.float32), style])).all()


def test_noise_is_one_map_for_all_with_a_strength_for_each():
    layer, maps, noise = NoiseInjection(), normal(2, 4, 4, 3), normal(2, 4, 4, 1)
    np.testing.assert_array_equal(layer([maps, noise]), maps)  # strengths start at zero
    layer.strength.assign([0.0, 1.0, -2.0])
    added = layer([maps, noise]).numpy() - maps
    np.testing.assert_allclose(added, noise * [0, 1, -2], atol=1e-6)


def test_noise_is_fresh_at_every_call_and_differs_between_instances():
    layer = Noise(16, seed=1)
    first, second = layer(np.zeros((50, 3))).numpy(), layer(np.zeros((50, 3))).numpy()
    assert first.shape == (50, 16, 16, 1)
    assert abs(first.mean()) < 0.05 and abs(first.std() - 1) < 0.05
    assert np.abs(first - second).max() > 1 and np.abs(first[0] - first[1]).max() > 1


def test_constant_is_the_same_for_everyone_and_can_be_learned():
    layer = LearnedConstant((4, 4, 3))
    made = layer(normal(5, 2)).numpy()
    assert made.shape == (5, 4, 4, 3) and np.ptp(made, axis=0).max() == 0 and made.std() > 0.5
    [constant] = layer.trainable_variables
    constant.assign(normal(4, 4, 3))
    np.testing.assert_array_equal(layer(normal(2, 7)), constant.numpy()[np.newaxis].repeat(2, 0))


def test_mapping_network_has_eight_layers_and_ignores_the_codings_length():
    network = mapping_network()
    assert sum(type(layer).__name__ == "EqualizedDense" for layer in network.layers) == 8
    codings = normal(6, 64)
    np.testing.assert_allclose(network(3 * codings), network(codings), rtol=1e-3, atol=1e-5)


def mapped(network, codings, spread=True, rate=0.1):
    """What a mapping network makes of codings, in NumPy."""
    hidden = normalized(codings)
    for kernel, bias in pairs(network):
        hidden = leaky(scaled_product(hidden, rate * kernel, rate * bias))
        if spread:
            hidden = hidden - hidden.mean(axis=1, keepdims=True)
            hidden = hidden / np.sqrt((hidden**2).mean(axis=1, keepdims=True) + 1e-3)
    return hidden


@pytest.mark.parametrize("spread", [False, True])
def test_mapping_network_written_out_in_numpy(spread):
    network, codings = mapping_network(5, num_layers=3, rate=0.25, spread=spread), normal(4, 5)
    randomize(network)
    assert len(pairs(network)) == 3
    expected = mapped(network, codings, spread, rate=0.25)
    np.testing.assert_allclose(network(codings), expected, rtol=1e-4, atol=1e-5)


def num_directions(points):
    """The participation ratio of the covariance's eigenvalues."""
    eigenvalues = np.linalg.eigvalsh(np.cov(points.T))
    return eigenvalues.sum() ** 2 / np.square(eigenvalues).sum()


def test_an_untrained_mapping_keeps_the_directions_unless_it_is_the_papers():
    keras.utils.set_random_seed(1)
    codings = normal(1000, 64)
    assert num_directions(codings) > 55
    assert num_directions(mapping_network(spread=False)(codings).numpy()) < 10
    styles = mapping_network()(codings).numpy()
    assert num_directions(styles) > 45
    np.testing.assert_allclose(np.square(styles).mean(axis=1), 1, atol=0.01)  # their usual length


# --- the generator


def test_sizes_of_the_course():
    generator = GrowingStyleGenerator().at(32)
    assert generator.output_shape == (None, 32, 32, 1)
    assert generator.get_layer("synthesis").input_shape[0] == (None, 8, 64)
    assert (
        generator.count_params() == 226_036 - 2 * 65 + 1
    )  # two ToImage layers have left, alpha is new


@pytest.mark.parametrize("resolution", [8, 16])
def test_grown_synthesis_starts_as_the_old_one(resolution):
    growing = small_generator()
    old, grown = growing.synthesis.at(resolution // 2), growing.synthesis.at(resolution)
    maps = noises(grown, 3)
    styles = normal(3, len(maps), 5)
    grown.get_layer("fade_in").alpha.assign(0)
    expected = old([styles[:, :-2], *maps[:-2]]).numpy()
    np.testing.assert_allclose(grown([styles, *maps]), enlarged(expected), rtol=1e-4, atol=1e-5)
    grown.get_layer("fade_in").alpha.assign(1)
    assert np.abs(grown([styles, *maps]) - enlarged(expected)).max() > 1e-2


def synthesized(growing, resolution, styles, maps, alpha=1.0, activation=np.tanh):
    """Images of styles [N, L, D] and noise maps by a growing synthesis network, in NumPy."""
    grown = growing.at(resolution)  # for its layers' names

    def image(hidden, size):
        [to_image] = pairs(growing.to_image[size])
        return activation(convolved(hidden, *to_image, gain=1))

    [constant] = grown.get_layer("constant").get_weights()
    hidden = np.repeat(constant[np.newaxis], len(styles), axis=0).astype(np.float64)
    for level in range(1, styles.shape[1] + 1):
        if level in (3, 5):
            old, hidden = hidden, enlarged(hidden)
        if level > 1:
            [convolution] = pairs(grown.get_layer(f"convolution_{level}"))
            hidden = convolved(hidden, *convolution)
        [strength] = grown.get_layer(f"noise_{level}").get_weights()
        hidden = leaky(hidden + strength * maps[level - 1])
        [affine] = pairs(grown.get_layer(f"adain_{level}"))
        numbers = scaled_product(styles[:, level - 1], *affine, gain=1)[:, np.newaxis, np.newaxis]
        scale, offset = np.split(numbers, 2, axis=-1)
        mean, std = hidden.mean(axis=(1, 2), keepdims=True), hidden.std(axis=(1, 2), keepdims=True)
        hidden = (1 + scale) * (hidden - mean) / std + offset
    old_images = enlarged(image(old, resolution // 2))
    return (1 - alpha) * old_images + alpha * image(hidden, resolution)


@pytest.mark.parametrize("alpha", [0.3, 1.0])
@pytest.mark.parametrize("resolution", [8, 16])
@pytest.mark.parametrize(("output", "activation"), [("tanh", np.tanh), ("linear", np.positive)])
def test_grown_synthesis_written_out_in_numpy(output, activation, resolution, alpha):
    growing = GrowingSynthesis(SMALL, codings_size=5, output=output)
    grown = growing.at(resolution)
    randomize(grown)
    grown.get_layer("fade_in").alpha.assign(alpha)
    maps = noises(grown, 3)
    styles = normal(3, len(maps), 5)
    expected = synthesized(growing, resolution, styles, maps, alpha, activation)
    np.testing.assert_allclose(grown([styles, *maps]), expected, rtol=1e-3, atol=1e-4)


def test_generator_is_mapping_and_synthesis_with_one_style_for_all_levels():
    growing = small_generator()
    generator, codings = growing.at(8), normal(3, 5)
    styles = np.repeat(mapped(growing.mapping, codings)[:, None], 4, axis=1)
    maps = [np.zeros((1, 1, 1, 1))] * 4  # strengths are 0: any noise will do
    expected = synthesized(growing.synthesis, 8, styles, maps)
    np.testing.assert_allclose(generator(codings), expected, atol=1e-5)


def test_style_of_a_level_changes_nothing_before_that_level():
    growing = small_generator()
    synthesis = growing.synthesis.at(8)
    maps, styles = noises(synthesis, 2), normal(2, 4, 5)
    other = styles.copy()
    other[:, 2:] = normal(2, 2, 5)
    synthesis.get_layer("fade_in").alpha.assign(0)  # the image of 4 x 4 only
    np.testing.assert_allclose(synthesis([styles, *maps]), synthesis([other, *maps]), atol=1e-6)
    synthesis.get_layer("fade_in").alpha.assign(1)
    assert np.abs(synthesis([styles, *maps]) - synthesis([other, *maps])).max() > 1e-2


def test_level_is_convolution_noise_leaky_relu_adain_in_this_order():
    keras.utils.set_random_seed(2)
    levels = styled_layers({4: 3, 8: 2})
    assert [level[0] is None for level in levels] == [True, False, False, False]
    maps, noise, style = normal(2, 4, 4, 3), normal(2, 4, 4, 1), normal(2, 5)
    convolution, injection, adain = levels[2]
    styled(maps, noise, style, levels[2])  # builds them
    injection.strength.assign([0.5, -1.5])
    hidden = convolution(maps).numpy() + noise * [0.5, -1.5]
    hidden = np.where(hidden > 0, hidden, 0.2 * hidden).astype(np.float32)
    made = styled(maps, noise, style, levels[2])
    np.testing.assert_allclose(made, adain([hidden, style]), atol=1e-4)
    first = np.where(maps > 0, maps, 0.2 * maps)  # noise has no strength yet
    made = styled(maps, noise, style, levels[0])
    np.testing.assert_allclose(made, levels[0][2]([first, style]), atol=1e-4)


def test_bilinear_is_nearest_and_then_the_papers_blur():
    synthesis = small_generator(interpolation="bilinear").synthesis
    maps = normal(2, 4, 4, 3)
    wide = np.pad(enlarged(maps), [(0, 0), (1, 1), (1, 1), (0, 0)], mode="edge")
    rows = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4
    blurred = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 4
    np.testing.assert_allclose(synthesis.enlarge(maps), blurred, atol=1e-5)
    np.testing.assert_array_equal(small_generator().synthesis.enlarge(maps), enlarged(maps))


def test_painted_images_are_those_of_the_synthesis_network():
    synthesis = small_generator().synthesis.at(8)
    maps, w = noises(synthesis, 1), 3 * normal(4, 5)
    for level, width in enumerate(np.repeat([SMALL[4], SMALL[8]], 2), 1):
        synthesis.get_layer(f"noise_{level}").strength.assign(np.full(width, 0.3))
    each = [map.repeat(4, axis=0) for map in maps]
    made = synthesis([w[:, np.newaxis].repeat(4, axis=1), *each]).numpy()[..., 0]
    expected = (made.clip(-1, 1) + 1) / 2
    np.testing.assert_allclose(paint(synthesis, w, maps), expected, atol=1e-5)
    cut = paint(synthesis, w[:, np.newaxis].repeat(4, axis=1), each, margin=2)
    np.testing.assert_allclose(cut, expected[:, 2:6, 2:6], atol=1e-5)


# --- training


def small_gan(resolution=8, **arguments):
    generator = small_generator().at(resolution)
    gan = StyleGAN(generator, GrowingDiscriminator(SMALL).at(resolution), seed=1, **arguments)
    adams = [keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.99) for _ in range(2)]
    gan.compile(*adams, jit_compile=False)
    return gan


@pytest.mark.parametrize("mixing, share", [(0.0, 0), (1.0, 1), (0.5, 0.5)])
def test_mixing_share_and_cutoffs(mixing, share):
    first, second = normal(2000, 5), normal(2000, 5)
    seed = keras.random.SeedGenerator(1)
    styles = ops.convert_to_numpy(mixed_styles(first, second, 6, mixing, seed))  # [2000, 6, 5]
    np.testing.assert_array_equal(styles[:, 0], first)
    of_second = (styles == second[:, np.newaxis]).all(axis=-1)
    assert (of_second | (styles == first[:, np.newaxis]).all(axis=-1)).all()
    assert (np.diff(of_second.astype(int), axis=1) >= 0).all()  # once the second, then to the end
    changes = np.abs(np.diff(styles, axis=1)).max(axis=-1) > 0  # [2000, 5]
    assert changes.sum(axis=1).max() <= 1
    assert changes.any(axis=1).mean() == pytest.approx(share, abs=0.05)
    if share == 1:
        np.testing.assert_allclose(changes.mean(axis=0), 1 / 5, atol=0.05)  # each cutoff as often


@pytest.mark.parametrize("mixing", [0.0, 1.0])
def test_fakes_are_what_mapping_mixing_and_synthesis_make_of_the_draws(mixing):
    """The draws of codings, cutoffs and noise again, in the GAN's order; the rest in NumPy."""
    growing = small_generator()
    generator = growing.at(8)
    for level, width in enumerate(np.repeat([SMALL[4], SMALL[8]], 2), 1):
        generator.get_layer("synthesis").get_layer(f"noise_{level}").strength.assign(normal(width))
    gan = StyleGAN(generator, GrowingDiscriminator(SMALL).at(8), mixing=mixing)
    gan.seed_generator = keras.random.SeedGenerator(7)
    seed = keras.random.SeedGenerator(7)
    first, second = (
        mapped(growing.mapping, keras.random.normal((5, 5), seed=seed).numpy()) for _ in range(2)
    )
    share = keras.random.uniform((2, 5, 1, 1), seed=seed).numpy()[0, :, 0, 0]
    cutoffs = np.where(mixing, 1 + np.floor(3 * share), 4)  # of four levels
    takes_second = np.arange(4) >= cutoffs[:, np.newaxis]  # [5, 4]
    styles = np.where(takes_second[..., np.newaxis], second[:, np.newaxis], first[:, np.newaxis])
    shapes = [(5, size, size, 1) for size in (4, 4, 8, 8)]
    maps = [keras.random.normal(shape, seed=seed).numpy() for shape in shapes]
    expected = synthesized(growing.synthesis, 8, styles, maps)
    np.testing.assert_allclose(gan.fakes(5), expected, atol=1e-5)


def test_alpha_reaches_the_layers_of_both_networks():
    gan = small_gan(fade_steps=4)
    fading = fade_layers(gan.generator, gan.discriminator)
    assert [float(layer.alpha) for layer in fading] == [0, 0]
    gan.set_alpha(0.5)
    assert [float(layer.alpha) for layer in fading] == [0.5, 0.5]


def test_training_moves_every_part_of_the_generator():
    gan = small_gan(mixing=0.9)
    names = [weight.path for weight in gan.generator.trainable_variables]
    before = [weight.numpy() for weight in gan.generator.trainable_variables]
    gan.fit(data.batches(normal(64, 8, 8, 1), 8), epochs=2, verbose=0)
    after = [weight.numpy() for weight in gan.generator.trainable_variables]
    still = [a.shape[-1] for a, b in zip(before, after, strict=True) if np.array_equal(a, b)]
    assert still in ([], [1, 1])  # the output layer of 4 x 4, to one channel: it has faded out
    assert any("constant" in name for name in names) and any("strength" in name for name in names)


def test_opponent_and_losses_are_those_of_progressive_growing():
    names = ("both_losses", "slope_penalty", "train_step")
    assert all(getattr(StyleGAN, name) is getattr(ProgressiveGAN, name) for name in names)


def test_wrong_resolution_is_refused():
    with pytest.raises(ValueError, match="not for 64"):
        small_generator().at(64)
    with pytest.raises(ValueError, match="start at 4 and double"):
        GrowingStyleGenerator({8: 4})
