"""Instruments: ordinary layers for equalized ones, relative updates, activations, a clock."""

import keras
import numpy as np
import pytest
from keras import layers
from test_sample_metrics import share_in_balls

from helpers import charts, data
from helpers.gan import FusedGAN
from helpers.growth import GrowthFilm, Stage, draw, fade_picture, grow
from helpers.growth_lab import (
    Clock,
    grow_variants,
    largest_activation,
    ordinary,
    quality,
    race,
    relative_updates,
    replace_layers,
    time_to_equal,
    watch_quality,
)
from helpers.layers import EqualizedConv2D, EqualizedDense, MinibatchStd, PixelNorm
from helpers.progressive import (
    FadingGAN,
    GrowingDiscriminator,
    GrowingGenerator,
    ProgressiveGAN,
    fade_layers,
)

IMAGES = np.random.default_rng(1).uniform(size=(32, 28, 28)).astype(np.float32)
SMALL = {4: 5, 8: 4}
RNG = np.random.default_rng(42)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("equalized", "shape"),
    [(EqualizedDense(500, gain=0.5), (None, 50)), (EqualizedConv2D(60, 3), (None, 8, 8, 30))],
)
def test_ordinary_layers_start_as_the_equalized_ones_do(equalized, shape):
    keras.utils.set_random_seed(1)
    plain = ordinary(equalized)
    for layer in (equalized, plain):
        layer.build(shape)
    expected = equalized.scale * equalized.kernel.numpy().std()
    assert plain.kernel.shape == equalized.kernel.shape
    assert plain.kernel.numpy().std() == pytest.approx(expected, rel=0.05)
    images = normal(2, *shape[1:])
    plain.set_weights([equalized.scale * equalized.kernel.numpy(), np.zeros(plain.bias.shape)])
    np.testing.assert_allclose(plain(images), equalized(images), rtol=1e-3, atol=1e-3)


def test_layers_are_replaced_or_left_out_everywhere():
    def change(layer):
        return None if isinstance(layer, (PixelNorm, MinibatchStd)) else ordinary(layer)

    for growing in (GrowingGenerator({4: 5, 8: 4}, 3), GrowingDiscriminator({4: 5, 8: 4})):
        count = growing.at(8).count_params()
        fresh = GrowingGenerator({4: 5, 8: 4}, 3) if hasattr(growing, "to_image") else None
        changed = replace_layers(fresh or GrowingDiscriminator({4: 5, 8: 4}), change)
        network = changed.at(8)
        kinds = {type(layer) for layer in network._flatten_layers()}
        assert not kinds & {EqualizedConv2D, EqualizedDense, PixelNorm, MinibatchStd}
        lost = 0 if fresh else 9 * 5  # the mini-batch layer's map has weights in the next layer
        assert network.count_params() == count - lost


def test_relative_updates_of_a_resting_and_a_moving_network():
    """With learning rate 0 nothing moves; with sign-like Adam steps, kernels of 1 move by it."""
    keras.utils.set_random_seed(1)
    generator = keras.Sequential([keras.Input((3,)), EqualizedDense(40)])
    discriminator = keras.Sequential([keras.Input((40,)), EqualizedDense(1)])
    gan = FusedGAN(generator, discriminator, seed=1)
    gan.compile(
        keras.optimizers.SGD(0.0), keras.optimizers.Adam(0.01, epsilon=1e-12), jit_compile=False
    )
    start = discriminator.get_weights()[0]
    sizes, updates = relative_updates(gan, data.batches(normal(64, 40), 32), 1)
    assert updates[0] == 0
    size = np.linalg.norm(start) / np.sqrt(start.size)
    assert sizes[1] == pytest.approx(size)
    assert updates[1] == pytest.approx(0.01 / size, rel=1e-3)  # each weight moves by 0.01


def test_largest_activation_is_found_before_the_normalization():
    growing, codings = GrowingGenerator({4: 5, 8: 4}, 3), normal(6, 3)
    growing.at(8)
    first = largest_activation(growing, 4, codings)
    hidden, seen = codings, []
    for layer in growing.blocks[4].layers:
        hidden = layer(hidden)
        if isinstance(layer, layers.LeakyReLU):
            seen.append(np.abs(hidden).max())
    assert first == pytest.approx(max(seen), rel=1e-6)
    assert largest_activation(growing, 8, codings) >= first
    kernel, bias = growing.blocks[8].layers[1].get_weights()
    growing.blocks[8].layers[1].set_weights([1000 * kernel, bias])
    assert largest_activation(growing, 8, codings) > 100 * first


def test_clock_counts_processor_time_over_trainings_and_stops():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile(loss="mse")
    clock, points = Clock(), np.zeros((8, 1))
    first = model.fit(points, points, epochs=2, verbose=0, callbacks=[clock]).history["seconds"]
    assert 0 < first[0] <= first[1] == clock.seconds
    second = model.fit(points, points, epochs=1, verbose=0, callbacks=[clock]).history["seconds"]
    assert second[0] > first[1]
    stopped = model.fit(points, points, epochs=5, verbose=0, callbacks=[Clock(limit=0.0)])
    assert len(stopped.history["seconds"]) == 1


class FakeJudge:
    """Features are the first pixels; the class is the place of the brightest."""

    def features(self, images):
        return images.reshape(len(images), -1)[:, :6]

    def classes(self, images):
        return images.reshape(len(images), -1)[:, :10].argmax(axis=1)

    def features_and_classes(self, images):
        return self.features(images), self.classes(images)


def test_quality_of_the_same_images_is_perfect():
    images = RNG.uniform(size=(200, 28, 28)).astype(np.float32)
    report = quality(images, FakeJudge(), FakeJudge().features(images))
    assert report["distance"] == pytest.approx(0, abs=1e-6)
    assert (report["precision"], report["recall"], report["classes"]) == (1, 1, 10)
    assert sum(report[f"class_{number}"] for number in range(10)) == pytest.approx(1)
    far = quality(images, FakeJudge(), FakeJudge().features(images) + 5)
    assert (far["precision"], far["recall"]) == (0, 0)
    assert far["distance"] == pytest.approx(6 * 25, rel=0.01)


class GridJudge:
    """Features are nine pixels on a grid; the class is the place of the brightest."""

    def features_and_classes(self, images):
        features = images[:, 1::9, 1::9].reshape(len(images), 9)
        return features, features.argmax(axis=1)


def report_by_hand(generator, codings, real):
    """The judge's report on these images, by formulas: pixel i of 28 is one of 8 / 32 (i + 2)."""
    grid = (np.array([1, 10, 19]) + 2) // 4
    pixels = generator(codings).numpy()[:, grid][:, :, grid].reshape(-1, 9)
    features = ((pixels + 1) / 2).clip(0, 1)
    shares = [np.mean(features.argmax(axis=1) == number) for number in range(10)]
    gap, spreads = features.mean(axis=0) - real.mean(axis=0), (np.cov(features.T), np.cov(real.T))
    root = np.sqrt(np.linalg.eigvals(spreads[0] @ spreads[1]).astype(complex)).real.sum()
    return {
        "distance": gap @ gap + np.trace(spreads[0] + spreads[1]) - 2 * root,
        "precision": share_in_balls(features, real, 3),
        "recall": share_in_balls(real, features, 3),
        "entropy": -sum(share * np.log(share) for share in shares if share > 0),
        "classes": sum(share >= 0.01 for share in shares),
        **{f"class_{number}": share for number, share in enumerate(shares)},
    }


def test_quality_of_the_averaged_images_is_in_the_logs_after_each_epoch():
    keras.utils.set_random_seed(1)
    generator, average, discriminator = (growing.at(8) for growing in networks())
    gan, draws = ProgressiveGAN(generator, discriminator), np.random.default_rng(3).normal
    codings, real_images = draws(size=(60, 3)), draw(average, draws(size=(70, 3)))
    real = GridJudge().features_and_classes(real_images)[0] + 0.1 * draws(size=(70, 9))
    [callback] = watch_quality(gan, average, Stage(8, 16, 16), codings, GridJudge(), real)
    for alpha in (0.25, 1.0):
        gan.set_alpha(alpha)
        moved = [each + 0.2 * draws(size=each.shape) for each in average.get_weights()]
        average.set_weights(moved)
        logs = {"generator_loss": 0.5}
        callback.on_epoch_end(0, logs)
        expected = {"generator_loss": 0.5, "size": 8, "alpha": alpha}
        assert logs == pytest.approx({**expected, **report_by_hand(average, codings, real)})
        assert 0 < logs["precision"] < 1 and 0 < logs["recall"] < 1


def test_growth_curves_count_images_and_draw_the_floor_of_each_size():
    shares = {f"class_{number}": [0.5, 0.5, 0.5] for number in range(2)}
    history = {"size": [4.0, 8.0, 8.0], "distance": [30.0, 20.0, 10.0], **shares}
    left, right = charts.growth_curves(history, {4: 9.0, 8: 3.0}, ("a", "b"), 10_000)
    curve, floor = left.get_lines()
    np.testing.assert_array_equal(curve.get_xdata(), [10, 20, 30])
    np.testing.assert_array_equal(floor.get_ydata(), [9, 3, 3])
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["b", "a"]


# --- experiments


def adam(learning_rate=1e-3):
    return keras.optimizers.Adam(learning_rate)


SETTINGS = {"batch_size": 16, "half_life": 16, "images_per_epoch": 32}


def networks():
    return *(GrowingGenerator(SMALL, 3) for _ in range(2)), GrowingDiscriminator(SMALL)


def test_race_gives_both_the_same_processor_time():
    sizes_and_alphas = []

    def distance(average):
        alphas = [float(layer.alpha) for layer in fade_layers(average)]
        sizes_and_alphas.append((average.output_shape[1], alphas))
        return len(sizes_and_alphas)

    schedule = (Stage(4, 0, 32), Stage(8, 32, 32))
    settings = {**SETTINGS, "new_optimizer": adam, "kind": FadingGAN}
    result = race(1, grow, networks, schedule, IMAGES, distance, **settings)
    growing, other = result["growing"], result["full size at once"]
    assert growing["distance"] == [1, 2, 3]
    assert other["distance"] == list(range(4, len(sizes_and_alphas) + 1))
    assert sizes_and_alphas[:3] == [(4, []), (8, [0.5]), (8, [1.0])]
    assert all(each == (8, [1.0]) for each in sizes_and_alphas[3:])
    assert other["seconds"][-1] >= growing["seconds"][-1] or len(other["seconds"]) == 12
    assert all(seconds < growing["seconds"][-1] for seconds in other["seconds"][:-1])


def test_time_to_equal():
    first = {"seconds": [1, 2, 3], "distance": [9, 5, 6]}
    assert time_to_equal(first, {"seconds": [2, 4], "distance": [20, 5]}) == 0.5
    assert time_to_equal(first, {"seconds": [2, 4], "distance": [20, 4]}) == 2


def test_variants_differ_in_layers_and_rate_and_are_measured():
    seen = []

    def watch(gan, average, stage):
        rate = float(gan.optimizer.learning_rate)
        seen.append((rate, type(gan), {type(layer) for layer in gan.generator._flatten_layers()}))
        return []

    variants = {
        "all": (lambda layer: layer, ProgressiveGAN, 0.5),
        "ordinary": (ordinary, ProgressiveGAN, 0.25),
    }
    histories = grow_variants(
        1, grow, networks, variants, normal(4, 3), watch, adam,
        schedule=(Stage(4, 0, 32),), images=IMAGES, **SETTINGS,
    )  # fmt: skip
    assert [entry[:2] for entry in seen] == [(0.5, ProgressiveGAN), (0.25, ProgressiveGAN)]
    assert EqualizedDense in seen[0][2]
    assert EqualizedDense not in seen[1][2]
    for history in histories.values():
        assert history["largest"][0] > 0
        assert history["seconds"][0] > 0


def test_film_of_two_stages_tells_size_and_alpha():
    film = GrowthFilm(normal(8, 3))
    schedule = (Stage(4, 0, 32), Stage(8, 64, 0))
    average, _, _ = grow(networks(), schedule, IMAGES, adam, film.watch, **SETTINGS)
    assert film.captions[0] == "4 x 4, alpha = 1.00"
    assert [caption[:5] for caption in film.captions[1:]] == ["8 x 8"] * 2
    assert len(film.frames) == 3
    real = normal(8, 8, 8, 1).clip(-1, 1)
    pictures = [
        fade_picture(alpha, average, lambda codings: np.zeros((8, 8, 8, 1)), None, real)
        for alpha in (0.0, 1.0)
    ]
    assert pictures[0].shape == pictures[1].shape == (2 + 2 * 10, 2 + 8 * 10)
    assert float(average.get_layer("fade_in").alpha) == 1
    np.testing.assert_array_equal(pictures[0][12:14, 2:4], pictures[0][12, 2])  # 2 x 2 alike
    assert pictures[1][12:14, 2:4].std() > 0


def test_growth_diagram_shows_four_pictures():
    image = np.full((4, 4), 0.5)
    names = ("first", "old", "new", "mixed")
    diagram = charts.growth_diagram(dict.fromkeys(names, image))
    assert len(diagram.ax.images) == 4


def test_critic_diagram_shows_the_image_in_both_sizes():
    diagram = charts.critic_diagram(np.full((8, 8), 0.5), np.full((4, 4), 0.5))
    assert len(diagram.ax.images) == 2
    texts = {text.get_text() for text in diagram.ax.texts}
    assert {"× α", "× (1 − α)", "block 8 × 8", "block 4 × 4", "logit"} <= texts
