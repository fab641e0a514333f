"""Averaged weights: the average by its definition, shipped, loaded and resumed."""

import keras
import numpy as np
import pytest
from interruption import Interrupt

from helpers import data, pretrained
from helpers.gan import FusedGAN
from helpers.training import WeightAverage, fit_or_load

POINTS = np.random.default_rng(42).normal(size=(32, 3)).astype(np.float32)


def network(bias=0.0):
    """x -> x w + b with one weight each, at zero."""
    keras.utils.set_random_seed(1)
    made = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(
                1, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(bias)
            ),
        ]
    )
    return made


class Recorder(keras.callbacks.Callback):
    """The bias after each call at the end of a batch."""

    def __init__(self):
        super().__init__()
        self.biases = []

    def on_train_batch_end(self, batch, logs=None):
        self.biases.append(float(self.model.layers[0].bias[0]))


def train(average, model, steps, epochs=1, **compile_arguments):
    """Each step moves the bias; the inputs are zero, so the kernel stays."""
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1), **compile_arguments)
    recorder = Recorder()
    inputs, targets = np.zeros((steps, 1)), np.linspace(1, 5, steps)[:, np.newaxis]
    model.fit(inputs, targets, batch_size=1, epochs=epochs, shuffle=False, verbose=0,
              callbacks=[recorder, average])  # fmt: skip
    return recorder.biases


def test_the_average_is_exponential():
    model = network(bias=0.5)
    average = WeightAverage(model, network(), half_life=3)
    biases = train(average, model, steps=6, epochs=2)
    assert len(biases) == 12
    expected, decay = 0.5, 0.5 ** (1 / 3)
    for bias in biases:
        expected = decay * expected + (1 - decay) * bias
    assert float(average.network.layers[0].bias[0]) == pytest.approx(expected, rel=1e-5)
    assert abs(expected - biases[-1]) > 0.1


def test_after_the_half_life_the_start_counts_half():
    model = network(bias=4.0)
    average = WeightAverage(model, network(), half_life=5)
    model.layers[0].bias.assign([0.0])
    for batch in range(5):
        average.on_train_batch_end(batch)
    assert float(average.network.layers[0].bias[0]) == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize("steps_per_execution", [2, 3, 4])
def test_several_steps_at_once_count_as_many(steps_per_execution):
    model = network(bias=0.5)
    average = WeightAverage(model, network(), half_life=3)
    biases = train(average, model, steps=6, epochs=2, steps_per_execution=steps_per_execution)
    sizes = [min(steps_per_execution, 6 - first) for first in range(0, 6, steps_per_execution)] * 2
    expected = 0.5
    for bias, size in zip(biases, sizes, strict=True):
        decay = 0.5 ** (size / 3)
        expected = decay * expected + (1 - decay) * bias
    assert float(average.network.layers[0].bias[0]) == pytest.approx(expected, rel=1e-5)


def test_training_leaves_the_average_alone_and_moving_statistics_are_averaged():
    def normalizer():
        return keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(momentum=0.5)])

    model = normalizer()
    average = WeightAverage(model, normalizer(), half_life=1)
    model.compile(loss="mse", optimizer="sgd")
    model.fit(POINTS, POINTS, batch_size=32, verbose=0, callbacks=[average])
    for mean, weight, start in zip(
        average.network.get_weights(), model.get_weights(), normalizer().get_weights(), strict=True
    ):
        np.testing.assert_allclose(mean, (weight + start) / 2, atol=1e-6)
    assert average.network.trainable_variables == []


def test_another_architecture_is_an_error():
    other = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="shape"):
        WeightAverage(network(), other)


# --- shipping


def generator():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)], name="generator")


def small_gan(seed=1):
    keras.utils.set_random_seed(seed)
    discriminator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    gan = FusedGAN(generator(), discriminator, seed=seed)
    gan.compile("rmsprop", "rmsprop", jit_compile=False)
    return gan, WeightAverage(gan.generator, generator(), half_life=20)


def fit(gan, average, epochs, callbacks=()):
    return fit_or_load(
        gan, "small", data.batches(POINTS, 8), recipe="a test's", seed=1, epochs=epochs, verbose=0,
        callbacks=[average, *callbacks], ship=average.network,
    )  # fmt: skip


def test_the_average_ships_and_nothing_else(full, monkeypatch):
    gan, average = small_gan()
    fit(gan, average, epochs=3)
    assert pretrained.describe("small")["parameters"] == generator().count_params()
    monkeypatch.setenv("NOTEBOOK_PROFILE", "lesson")
    other, other_average = small_gan(seed=2)
    before = other.get_weights()
    history = fit(other, other_average, epochs=3)
    assert len(history["generator_loss"]) == 3
    for a, b in zip(other_average.network.get_weights(), average.network.get_weights(),
                    strict=True):  # fmt: skip
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(average.network.get_weights()[0], gan.generator.get_weights()[0])
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)  # the networks in training stay as they are


def test_an_interrupted_training_goes_on_with_its_average(full):
    gan, average = small_gan()
    with pytest.raises(KeyboardInterrupt):
        fit(gan, average, epochs=2, callbacks=[Interrupt(1)])
    assert not full.exists()

    class Start(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.seen = getattr(self, "seen", None) or (epoch, second.network.get_weights())

    reference, at_first_end = small_gan()[0], []
    reference_average = WeightAverage(reference.generator, generator(), half_life=20)
    fit_end = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: at_first_end.append(reference_average.network.get_weights())
    )
    reference.fit(data.batches(POINTS, 8), verbose=0, callbacks=[reference_average, fit_end])
    resumed, second = small_gan(seed=2)
    start = Start()
    fit(resumed, second, epochs=2, callbacks=[start])
    epoch, found = start.seen
    assert epoch == 1
    for a, b in zip(found, at_first_end[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
