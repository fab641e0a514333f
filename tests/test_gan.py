"""The GAN: two phases that keep to their own network, compiled once, and fit as usual."""

import keras
import numpy as np
import pytest
from interruption import Interrupt

from helpers import data, gan, models
from helpers.losses import discriminator_loss, generator_loss
from helpers.training import TrainingFilm

SAMPLES = np.random.default_rng(42).normal(size=(64, 2)).astype(np.float32)


def network(units, inputs, name):
    return keras.Sequential(
        [keras.Input((inputs,)), keras.layers.Dense(8, activation="selu"),
         keras.layers.Dense(units)], name=name,
    )  # fmt: skip


def small_gan(kind=gan.GAN, seed=1, **compile_arguments):
    """A GAN of points in the plane."""
    keras.utils.set_random_seed(seed)
    model = kind(network(2, 3, "generator"), network(1, 2, "discriminator"), seed=seed)
    model.compile(
        keras.optimizers.RMSprop(0.01), keras.optimizers.RMSprop(0.01), **compile_arguments
    )
    return model


def batches():
    return data.batches(SAMPLES, 8)


def snapshot(model):
    return [weight.copy() for weight in model.get_weights()]


def changed(before, after):
    return [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


# --- the two phases


def test_phase_1_trains_the_discriminator_only():
    model = small_gan()
    generator, discriminator = snapshot(model.generator), snapshot(model.discriminator)
    model.discriminator_step(SAMPLES[:8])
    assert not any(changed(generator, snapshot(model.generator)))
    assert all(changed(discriminator, snapshot(model.discriminator)))


def test_phase_2_trains_the_generator_only():
    model = small_gan()
    generator, discriminator = snapshot(model.generator), snapshot(model.discriminator)
    model.generator_step(8)
    assert all(changed(generator, snapshot(model.generator)))
    assert not any(changed(discriminator, snapshot(model.discriminator)))


def test_phases_return_their_losses_and_lower_them():
    model = small_gan()
    codings = model.sample_codings(8)
    model.sample_codings = lambda count: codings[:count]

    def logits():
        return model.discriminator(SAMPLES[:8]), model.discriminator(model.generator(codings))

    expected = float(discriminator_loss(*logits()))
    assert float(model.discriminator_step(SAMPLES[:8])) == pytest.approx(expected, rel=1e-5)
    assert float(discriminator_loss(*logits())) < expected
    expected = float(generator_loss(logits()[1]))
    assert float(model.generator_step(8)) == pytest.approx(expected, rel=1e-5)
    assert float(generator_loss(logits()[1])) < expected


def test_optimizers_are_two_and_each_steps_once_per_batch():
    model = small_gan()
    assert model.generator_optimizer is not model.discriminator_optimizer
    model.fit(batches(), epochs=2, verbose=0)
    assert int(model.generator_optimizer.iterations) == 16
    assert int(model.discriminator_optimizer.iterations) == 16


def test_optimizers_by_name():
    model = gan.GAN(network(2, 3, "generator"), network(1, 2, "discriminator"))
    model.compile("rmsprop", "adam")
    assert isinstance(model.generator_optimizer, keras.optimizers.RMSprop)
    assert isinstance(model.discriminator_optimizer, keras.optimizers.Adam)


def test_codings_are_standard_normal_and_follow_the_seed():
    model = small_gan()
    codings = model.sample_codings(20_000).numpy()
    assert codings.shape == (20_000, 3)
    assert codings.mean() == pytest.approx(0, abs=0.03)
    assert codings.std() == pytest.approx(1, abs=0.03)
    same, other = (small_gan(seed=seed).sample_codings(20_000).numpy() for seed in (1, 2))
    np.testing.assert_array_equal(same, codings)
    assert (other != codings).mean() > 0.99


# --- fit


def test_history_has_both_losses_for_each_epoch():
    history = small_gan().fit(batches(), epochs=3, verbose=0).history
    assert set(history) == {"discriminator_loss", "generator_loss"}
    for values in history.values():
        assert len(values) == 3 and np.isfinite(values).all()


def test_reported_losses_are_means_over_the_epoch():
    class Counting(gan.TwoPhaseModel):
        """Losses of 0, 1, 2 ... and twice that, and no training."""

        def discriminator_step(self, real_samples):
            return self.discriminator_optimizer.iterations.assign_add(1) - 1

        def generator_step(self, batch_size):
            return self.discriminator_optimizer.iterations - 1 + batch_size

    history = small_gan(Counting).fit(batches(), epochs=2, verbose=0).history
    assert history["discriminator_loss"] == [3.5, 11.5]  # 0 to 7, then 8 to 15
    assert history["generator_loss"] == [11.5, 19.5]  # the same and a batch size of 8


def test_callbacks_are_called_as_usual():
    calls = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: calls.append((epoch, set(logs))),
        on_train_batch_end=lambda batch, logs: calls.append(batch),
    )
    small_gan().fit(batches(), epochs=2, callbacks=[watch], verbose=0)
    epoch = {"discriminator_loss", "generator_loss"}
    assert calls == [*range(8), (0, epoch), *range(8), (1, epoch)]


def test_training_steps_are_not_traced_again():
    traces = []

    class Traced(gan.GAN):
        """Notes each time its Python code runs, which compiled code does not."""

        def discriminator_step(self, real_samples):
            traces.append(real_samples.shape)
            return super().discriminator_step(real_samples)

    model = small_gan(Traced)
    model.fit(batches(), verbose=0)
    first = len(traces)
    assert 1 <= first <= 2  # Keras may look at the step once before it compiles
    model.fit(batches(), epochs=2, verbose=0)
    assert len(traces) == first


def test_several_steps_per_execution():
    model = small_gan(steps_per_execution=4)
    before = snapshot(model)
    history = model.fit(batches(), epochs=2, verbose=0).history
    assert int(model.generator_optimizer.iterations) == 16
    assert np.isfinite(history["generator_loss"]).all() and len(history["generator_loss"]) == 2
    assert any(changed(before, snapshot(model)))
    assert model.predict(np.zeros((5, 3)), verbose=0).shape == (5, 2)


def test_training_is_the_same_for_the_same_seed():
    first, second = small_gan(), small_gan()
    for model in (first, second):
        keras.utils.set_random_seed(3)
        model.fit(batches(), verbose=0)
    assert not any(changed(snapshot(first), snapshot(second)))


def test_calling_the_model_generates():
    model = small_gan()
    codings = np.ones((4, 3), np.float32)
    np.testing.assert_array_equal(model(codings), model.generator(codings))


def test_interrupted_training_leaves_weights_and_film_usable():
    model = small_gan()
    film = TrainingFilm(lambda: np.zeros((2, 3), np.uint8))
    before = snapshot(model)
    with pytest.raises(KeyboardInterrupt):
        model.fit(batches(), epochs=5, callbacks=[film, Interrupt(2)], verbose=0)
    assert film.captions == ["before training", "epoch 1", "epoch 2"]
    assert len(film.frames) == 3
    interrupted = snapshot(model)
    assert any(changed(before, interrupted))
    assert int(model.generator_optimizer.iterations) == 2 * 8 + 3
    assert all(np.isfinite(weight).all() for weight in interrupted)
    assert np.isfinite(model.predict(np.zeros((5, 3)), verbose=0)).all()
    model.fit(batches(), verbose=0)  # and it can go on
    assert int(model.generator_optimizer.iterations) == 3 * 8 + 3


# --- the chapter's networks, and mistakes


def test_the_chapters_networks_fit_together():
    model = gan.GAN(models.dense_generator(30), models.dense_discriminator(), seed=1)
    model.compile("rmsprop", "rmsprop")
    assert model.codings_size == 30
    assert model.count_params() == 136_634 + 132_951
    images = np.random.default_rng(1).uniform(size=(16, 28, 28)).astype(np.float32)
    history = model.fit(data.batches(images, 8), verbose=0).history
    assert np.isfinite(history["generator_loss"]).all()
    made = model.predict(np.zeros((2, 30)), verbose=0)
    assert made.shape == (2, 28, 28) and 0 <= made.min() <= made.max() <= 1


def test_networks_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match=r"shape \[28, 28\], but.*takes \[2\].*Reshape"):
        gan.GAN(models.dense_generator(), network(1, 2, "discriminator"))


def test_weights_survive_saving(tmp_path):
    first, second = small_gan(seed=1), small_gan(seed=2)
    first.fit(batches(), verbose=0)
    first.save_weights(tmp_path / "gan.weights.h5")
    second.fit(batches(), verbose=0)
    second.load_weights(tmp_path / "gan.weights.h5")
    assert not any(changed(snapshot(first), snapshot(second)))
    assert int(second.generator_optimizer.iterations) == 8
    second.fit(batches(), verbose=0)


def test_one_optimizer_for_both_networks_is_an_error():
    model, optimizer = small_gan(), keras.optimizers.RMSprop(0.01)
    with pytest.raises(ValueError, match="an optimizer of its own"):
        model.compile(optimizer, optimizer)
    model.compile("adam", "adam")  # two of a name are two
