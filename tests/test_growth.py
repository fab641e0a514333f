"""Growing: images at each resolution, stages one after another, interrupted and resumed."""

import functools

import keras
import numpy as np
import pytest

from helpers import growth, pretrained, session
from helpers.growth import Stage, draw, grow, grow_or_load, images_at, viewable
from helpers.progressive import (
    GrowingDiscriminator,
    GrowingGenerator,
    ProgressiveGAN,
    WassersteinProgressiveGAN,
    fade_layers,
)

SMALL = {4: 6, 8: 4}
SCHEDULE = (Stage(4, 0, 16), Stage(8, 16, 16))
RNG = np.random.default_rng(42)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


# --- images


@pytest.mark.parametrize("resolution", [4, 8, 16, 32])
def test_images_are_padded_averaged_and_scaled(resolution):
    images = RNG.uniform(size=(3, 28, 28)).astype(np.float32)
    padded = np.zeros((3, 32, 32))
    padded[:, 2:30, 2:30] = images
    side, made = 32 // resolution, images_at(images, resolution)
    assert made.shape == (3, resolution, resolution, 1)
    assert made.dtype == np.float32
    for row, column in [(0, 0), (1, 2), (resolution - 1, resolution // 2)]:
        field = padded[:, row * side : (row + 1) * side, column * side : (column + 1) * side]
        expected = 2 * field.mean(axis=(1, 2)) - 1
        np.testing.assert_allclose(made[:, row, column, 0], expected, atol=1e-6)


def test_images_at_full_resolution_come_back():
    images = RNG.uniform(size=(3, 28, 28)).astype(np.float32)
    np.testing.assert_allclose(viewable(images_at(images, 32)), images, atol=1e-6)
    assert viewable(images_at(images, 4), size=32).shape == (3, 32, 32)


def test_viewable_enlarges_and_clips():
    pixels = np.array([[-2.0, 0.0], [1.0, 5.0]])[np.newaxis, :, :, np.newaxis]
    seen = viewable(pixels, size=32)
    np.testing.assert_array_equal(seen[0, ::16, ::16], [[0, 0.5], [1, 1]])
    np.testing.assert_array_equal(seen[0, :16, 16:], 0.5)


@pytest.mark.parametrize(
    ("shape", "resolution"), [((2, 32, 32), 8), ((2, 28, 28, 1), 8), ((2, 28, 28), 5)]
)
def test_wrong_images_or_resolutions_are_refused(shape, resolution):
    with pytest.raises(ValueError, match="a divisor of 32"):
        images_at(np.zeros(shape), resolution)


# --- stages


def networks(seed=1):
    keras.utils.set_random_seed(seed)
    generators = [GrowingGenerator(SMALL, codings_size=3) for _ in range(2)]
    return (*generators, GrowingDiscriminator(SMALL))


def adam():
    return keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.99)


def watch_nothing(gan, average, stage):
    return []


SETTINGS = {"new_optimizer": adam, "batch_size": 8, "half_life": 8, "images_per_epoch": 16}


def train(trio, watch=watch_nothing, **settings):
    images = np.random.default_rng(1).uniform(size=(32, 28, 28)).astype(np.float32)
    return grow(trio, SCHEDULE, images, watch=watch, **{**SETTINGS, **settings})


def test_stages_follow_each_other_with_one_history():
    seen = []

    def watch(gan, average, stage):
        seen.append((type(gan), gan.generator.output_shape[1], average.output_shape[1], stage))
        return [keras.callbacks.LambdaCallback()]

    average, history, checkpoints = train(networks(), watch)
    assert seen == [(ProgressiveGAN, 4, 4, SCHEDULE[0]), (ProgressiveGAN, 8, 8, SCHEDULE[1])]
    assert average.output_shape == (None, 8, 8, 1)
    assert len(history["discriminator_loss"]) == len(history["generator_loss"]) == 1 + 2
    assert checkpoints == [None, None]
    assert draw(average, normal(3, 3)).shape == (3, 28, 28)


def test_the_average_fades_as_the_gan_does():
    seen = []

    def watch(gan, average, stage):
        def look(epoch, logs):
            alphas = [float(layer.alpha) for layer in fade_layers(average)]
            seen.append((int(gan.steps_done), float(gan.alpha), alphas))

        return [keras.callbacks.LambdaCallback(on_epoch_end=look)]

    train(networks(), watch)  # two steps in each epoch
    assert seen == [(2, 1.0, []), (2, 0.5, [0.5]), (4, 1.0, [1.0])]


def test_layers_of_earlier_stages_go_on_learning():
    trio, weights = networks(), []

    def watch(gan, average, stage):
        weights.append(trio[0].blocks[4].get_weights())
        return []

    train(trio, watch)
    weights.append(trio[0].blocks[4].get_weights())
    for before, after in zip(weights, weights[1:], strict=False):
        assert all(np.abs(b - a).max() > 0 for b, a in zip(before, after, strict=True))


def make(trio, watch=watch_nothing):
    training = functools.partial(train, trio, watch, name="small", recipe="a test")
    return grow_or_load(training, trio[1].at(8), "small", recipe="a test", seed=42)


class Stop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if self.model.generator.output_shape[1] == 8 and epoch == 1:
            raise KeyboardInterrupt


def test_full_ships_and_lesson_loads(full, monkeypatch):
    generator, history = make(networks())
    entry = pretrained.describe("small")
    assert (entry["epochs"], entry["history"]) == (3, history)
    assert not list(session.cache_dir().glob("checkpoints/*/*"))
    assert float(generator.get_layer("fade_in").alpha) == 1
    monkeypatch.setenv("NOTEBOOK_PROFILE", "lesson")
    loaded, shipped = make(networks(seed=2))
    assert shipped == history
    codings = normal(2, 3)
    np.testing.assert_allclose(loaded(codings), generator(codings), atol=1e-6)


def state(gan, average):
    """What a training goes on with, by name, as lists of arrays or numbers."""
    optimizers = gan.generator_optimizer, gan.discriminator_optimizer
    return {
        "average": average.get_weights(),
        "generator": gan.generator.get_weights(),
        "discriminator": gan.discriminator.get_weights(),
        "optimizers": [variable.numpy() for each in optimizers for variable in each.variables],
        "iterations": [int(each.iterations) for each in optimizers],
        "steps and alpha": [int(gan.steps_done), float(gan.alpha)],
    }


def largest_gap(weights, others):
    return max(np.abs(a - b).max() for a, b in zip(weights, others, strict=True))


def test_full_resumes_in_the_stage_that_was_interrupted(full):
    began = []

    def watch(gan, average, stage):
        def note(epoch, logs):
            began.append((stage.resolution, epoch, state(gan, average)))

        return [keras.callbacks.LambdaCallback(on_epoch_begin=note)]

    with pytest.raises(KeyboardInterrupt):
        make(networks(), lambda *stage: [*watch(*stage), Stop()])
    assert [each[:2] for each in began] == [(4, 0), (8, 0), (8, 1)]
    interrupted = began.pop()[-1]
    assert interrupted["iterations"] == [2, 2]
    assert interrupted["steps and alpha"] == [2, 0.5]
    assert largest_gap(interrupted["average"], interrupted["generator"]) > 1e-4
    began.clear()
    average, history = make(networks(seed=2), watch)
    [(resolution, epoch, resumed)] = began
    assert (resolution, epoch) == (8, 1)  # the first stage and the first epoch of the second exist
    for name, values in interrupted.items():
        for before, after in zip(values, resumed[name], strict=True):
            np.testing.assert_array_equal(after, before, err_msg=name)
    assert len(history["generator_loss"]) == 3
    moved = largest_gap(average.get_weights()[:-1], interrupted["average"][:-1])  # without alpha
    assert 0 < moved < 0.1  # kernels drawn from N(0, 1) with another seed differ by more than 1
    assert float(average.get_layer("fade_in").alpha) == 1


# --- the paper's losses


def test_wasserstein_losses_of_a_linear_discriminator():
    keras.utils.set_random_seed(1)
    gan = WassersteinProgressiveGAN(
        GrowingGenerator(SMALL, codings_size=3).at(8), GrowingDiscriminator(SMALL).at(8),
        penalty=10.0, drift=0.5, seed=1,
    )  # fmt: skip
    slope = normal(64)
    linear = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    linear.layers[-1].set_weights([slope[:, None], np.ones(1)])
    gan.discriminator, real = linear, normal(16, 8, 8, 1)
    gan.seed_generator = keras.random.SeedGenerator(3)
    losses = [float(loss) for loss in gan.both_losses(real)]
    gan.seed_generator = keras.random.SeedGenerator(3)
    fakes = gan.generator(gan.sample_codings(16)).numpy()
    scores = [images.reshape(16, 64) @ slope + 1 for images in (real, fakes)]
    penalty = 10 * (np.linalg.norm(slope) - 1) ** 2
    expected = scores[1].mean() - scores[0].mean() + penalty + 0.5 * np.mean(scores[0] ** 2)
    assert losses[0] == pytest.approx(expected, rel=1e-4)
    assert losses[1] == pytest.approx(-scores[1].mean(), rel=1e-4, abs=1e-5)


def test_wasserstein_training_runs():
    _, history, _ = train(networks(), kind=WassersteinProgressiveGAN)
    assert np.isfinite(history["discriminator_loss"]).all()


def test_rates_fall_to_zero_in_a_stages_last_epochs():
    rates = []

    def watch(gan, average, stage):
        def note(epoch, logs):
            both = gan.generator_optimizer, gan.discriminator_optimizer
            rates.append([float(each.learning_rate) for each in both])

        return [keras.callbacks.LambdaCallback(on_epoch_end=note)]

    schedule = (Stage(4, 0, 32, 48), Stage(8, 16, 16))
    images = np.random.default_rng(1).uniform(size=(32, 28, 28)).astype(np.float32)
    grow(networks(), schedule, images, watch=watch, **SETTINGS)
    shares = np.array(rates) / rates[0]
    expected = [1, 1, 0.75, 0.5, 0.25, 1, 1]  # epochs of 16 images; the next stage starts afresh
    np.testing.assert_allclose(shares, np.transpose([expected, expected]), rtol=1e-5)


def test_the_course_shows_so_many_images():
    assert sum(stage.num_images for stage in growth.SCHEDULE) == 1_040_000
    assert all(stage.num_images % 10_000 == 0 for stage in growth.SCHEDULE)


@pytest.mark.parametrize("stage", [Stage(8, 0, 5_000), Stage(8, 5_000, 5_000, 15_000)])
def test_stages_that_are_not_whole_epochs_are_refused(stage):
    with pytest.raises(ValueError, match="multiples of 10,000"):
        stage.num_epochs(10_000)
    assert stage.num_epochs(5_000) == stage.num_images // 5_000


def test_a_training_with_a_name_needs_a_recipe():
    with pytest.raises(ValueError, match="needs a recipe"):
        train(networks(), watch_nothing, name="nameless")
