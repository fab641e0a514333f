"""The film of a training, measures in its history, and training, loading or resuming."""

import io
import os
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import project
import pytest
from interruption import Interrupt
from PIL import Image

from helpers import data, pretrained
from helpers.gan import GAN
from helpers.training import (
    KeepBest,
    Measure,
    SlowDown,
    TrainingFilm,
    fit_or_load,
    fit_resumably,
    forget_checkpoints,
    measured,
)

POINTS = np.random.default_rng(42).normal(size=(32, 3)).astype(np.float32)


def network(seed=1):
    """A small autoencoder of points, compiled and built."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2, activation="tanh"), keras.layers.Dense(3)]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01), run_eagerly=True)
    return model


def small_gan(seed=1):
    """A GAN of points, whose training has no validation and two optimizers."""
    keras.utils.set_random_seed(seed)
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    discriminator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    gan = GAN(generator, discriminator, seed=seed)
    gan.compile("rmsprop", "adam", jit_compile=False)
    return gan


def fit(model, epochs=3, callbacks=(), **arguments):
    return model.fit(
        POINTS, POINTS, batch_size=8, epochs=epochs, callbacks=list(callbacks), verbose=0,
        **arguments,
    ).history  # fmt: skip


def same(weights_a, weights_b):
    return all(np.array_equal(a, b) for a, b in zip(weights_a, weights_b, strict=True))


# --- the film


def counting_film(**arguments):
    """A film whose picture number n, from 0, is a single pixel of gray level n."""
    levels = iter(range(256))
    return TrainingFilm(lambda: np.full((1, 1), next(levels), np.uint8), **arguments)


def levels(film):
    return [int(np.asarray(Image.open(io.BytesIO(frame)))[0, 0]) for frame in film.frames]


def test_film_starts_before_training_and_has_a_frame_for_each_epoch():
    film = counting_film()
    assert (film.frames, film.captions) == ([], [])
    fit(network(), 3, [film])
    assert film.captions == ["before training", "epoch 1", "epoch 2", "epoch 3"]
    assert levels(film) == [0, 1, 2, 3]


def test_first_frame_shows_the_model_as_it_was_and_the_last_as_it_is():
    model = network()

    def picture():
        return np.round(100 + 50 * model(POINTS[:4]).numpy()).clip(0, 255).astype(np.uint8)

    before = picture()
    film = TrainingFilm(picture)
    fit(model, 5, [film])
    frames = [np.asarray(Image.open(io.BytesIO(frame))) for frame in film.frames]
    np.testing.assert_array_equal(frames[0], before)
    np.testing.assert_array_equal(frames[-1], picture())
    assert (frames[0] != frames[-1]).any()


@pytest.mark.parametrize(
    ("every", "epochs"), [(1, [1, 2, 3, 4, 5]), (2, [2, 4]), (5, [5]), (6, [])]
)
def test_film_keeps_every_so_many_epochs(every, epochs):
    film = counting_film(every=every)
    fit(network(), 5, [film])
    assert film.captions == ["before training", *(f"epoch {epoch}" for epoch in epochs)]
    assert len(film.frames) == len(film.captions)


def test_film_with_captions_of_its_own():
    film = counting_film(caption=lambda epoch: f"step {4 * epoch}")
    fit(network(), 2, [film])
    assert film.captions == ["before training", "step 4", "step 8"]


def test_film_goes_on_in_a_second_fit():
    film, model = counting_film(), network()
    fit(model, 2, [film])
    fit(model, 4, [film], initial_epoch=2)
    assert film.captions == ["before training", *(f"epoch {epoch}" for epoch in (1, 2, 3, 4))]


def test_film_can_be_shot_by_hand_and_enlarged():
    film = counting_film(scale=7)
    film.shoot("after the last phase")
    assert film.captions == ["after the last phase"]
    assert Image.open(io.BytesIO(film.frames[0])).size == (7, 7)


def test_listeners_hear_of_each_frame_when_it_is_there():
    film, heard = counting_film(), []
    film.listeners.append(lambda f: heard.append((f is film, len(f.frames), f.captions[-1])))
    fit(network(), 2, [film])
    assert heard == [(True, 1, "before training"), (True, 2, "epoch 1"), (True, 3, "epoch 2")]


def test_listener_may_leave_while_it_listens():
    film, heard = counting_film(), []

    def once(film):
        heard.append("once")
        film.listeners.remove(once)

    film.listeners += [once, lambda film: heard.append("always")]
    fit(network(), 1, [film])
    assert heard == ["once", "always", "always"]


def test_picture_of_the_wrong_kind_is_a_clear_error():
    film = TrainingFilm(lambda: np.zeros((2, 2)))
    with pytest.raises(ValueError, match="must be uint8.*float64"):
        fit(network(), 1, [film])
    assert (film.frames, film.captions) == ([], [])


def test_interrupting_leaves_film_and_model_usable():
    film, model = counting_film(), network()
    untrained = model.get_weights()
    with pytest.raises(KeyboardInterrupt):
        fit(model, 5, [film, Interrupt(2)])
    assert film.captions == ["before training", "epoch 1", "epoch 2"]
    assert levels(film) == [0, 1, 2]
    assert not same(model.get_weights(), untrained)
    assert int(model.optimizer.iterations) == 2 * 4 + 3
    assert np.isfinite(model.predict(POINTS, verbose=0)).all()
    fit(model, 1, [film])  # and it can go on
    assert int(model.optimizer.iterations) == 3 * 4 + 3
    assert levels(film) == [0, 1, 2, 3]


# --- measures


def test_measure_adds_a_value_for_each_epoch_to_the_history():
    values = iter([np.float32(0.5), np.array(2), 3])
    history = fit(network(), 3, [Measure(quality=lambda: next(values))])
    assert history["quality"] == [0.5, 2.0, 3.0]
    assert all(type(value) is float for value in history["quality"])
    assert len(history["loss"]) == 3


def test_measure_is_taken_after_the_epoch():
    model = network()
    measured = Measure(error=lambda: np.mean((model(POINTS).numpy() - POINTS) ** 2))
    history = fit(model, 2, [measured])
    assert history["error"][-1] == pytest.approx(model.evaluate(POINTS, POINTS, verbose=0))
    assert history["error"][1] != history["error"][0]


def test_function_without_a_name_returns_several_measures():
    calls = []

    def several():
        calls.append(None)
        return {"a": len(calls), "b": np.float32(-1)}

    history = fit(network(), 2, [Measure(several, lambda: {"c": 7}, d=lambda: 8)])
    assert {name: history[name] for name in "abcd"} == {
        "a": [1.0, 2.0], "b": [-1.0, -1.0], "c": [7.0, 7.0], "d": [8.0, 8.0]
    }  # fmt: skip
    assert len(calls) == 2
    assert type(history["b"][0]) is float


def test_measures_of_a_gan():
    gan = small_gan()
    history = gan.fit(
        data.batches(POINTS, 8), epochs=2, verbose=0, callbacks=[Measure(x=lambda: 4)]
    ).history
    assert history["x"] == [4.0, 4.0] and set(history) == {
        "x", "generator_loss", "discriminator_loss"
    }  # fmt: skip


# --- train, load or resume


@pytest.fixture
def at(monkeypatch):
    """Sets the profile."""
    return lambda profile: monkeypatch.setenv("NOTEBOOK_PROFILE", profile)


def fit_network(model, epochs=3, name="small", **arguments):
    return fit_or_load(
        model, name, POINTS, POINTS,
        recipe="a test's", seed=7, batch_size=8, epochs=epochs, verbose=0, **arguments,
    )  # fmt: skip


def checkpoints(weights):
    return list((weights.parent / "cache").rglob("*.h5"))


@pytest.mark.parametrize("profile", ["smoke", "lesson"])
def test_trains_where_nothing_ships(profile, weights, at):
    at(profile)
    model, film = network(), counting_film()
    history = fit_network(model, 2, callbacks=[film])
    assert len(history["loss"]) == 2 and history["loss"][1] < history["loss"][0]
    assert int(model.optimizer.iterations) == 2 * 4
    assert len(film.frames) == 3
    assert not weights.exists() and checkpoints(weights) == []  # nothing is written


def test_full_trains_and_ships(weights, at):
    at("full")
    model = network()
    history = fit_network(model, 3, validation_data=(POINTS, POINTS))
    assert {key: len(values) for key, values in history.items()} == {"loss": 3, "val_loss": 3}
    entry = pretrained.describe("small")
    assert (entry["recipe"], entry["seed"], entry["epochs"]) == ("a test's", 7, 3)
    assert entry["history"] == history
    assert entry["measured"] == {key: values[-1] for key, values in history.items()}
    shipped = pretrained.load_weights(network(seed=2), "small")
    assert same(shipped.get_weights(), model.get_weights())
    assert checkpoints(weights) == []


def test_full_is_the_same_training_as_any(weights, at):
    at("full")
    shipped, plain = network(), network()
    keras.utils.set_random_seed(3)
    history = fit_network(shipped, 2)
    keras.utils.set_random_seed(3)
    assert fit(plain, 2) == {key: pytest.approx(values) for key, values in history.items()}
    assert same(shipped.get_weights(), plain.get_weights())


def test_lesson_loads_what_full_shipped(weights, at):
    at("full")
    trained, callbacks = network(), [Measure(quality=lambda: 0.5)]
    history = fit_network(trained, 3, callbacks=callbacks)
    at("lesson")
    model, film = network(seed=2), counting_film()
    assert fit_network(model, 1, callbacks=[film]) == history
    assert history["quality"] == [0.5] * 3
    assert same(model.get_weights(), trained.get_weights())
    assert int(model.optimizer.iterations) == 0 and film.frames == []  # no training


def test_smoke_trains_although_weights_ship(weights, at):
    at("full")
    fit_network(network(), 3)
    before = (weights / "manifest.json").read_bytes()
    at("smoke")
    model = network(seed=2)
    assert len(fit_network(model, 1)["loss"]) == 1
    assert int(model.optimizer.iterations) == 4
    assert (weights / "manifest.json").read_bytes() == before


def test_full_ships_again_although_weights_ship(weights, at):
    at("full")
    fit_network(network(), 1)
    again = network(seed=2)
    fit_network(again, 2)
    assert pretrained.describe("small")["epochs"] == 2
    shipped = pretrained.load_weights(network(), "small")
    assert same(shipped.get_weights(), again.get_weights())


def test_shipped_weights_without_a_history(weights, at):
    facts = dict(recipe="r", seed=1, epochs=1, minutes=0, measured={"loss": 1.0})
    trained = network()
    pretrained.save_weights(trained, "small", **facts, folder=weights)
    at("lesson")
    model = network(seed=2)
    assert fit_network(model) == {}
    assert same(model.get_weights(), trained.get_weights())


def test_weights_of_the_stand_in_do_not_ship(weights, at, monkeypatch):
    monkeypatch.setattr(data, "source", lambda: data.Source("digits", "digits"))
    at("full")
    assert len(fit_network(network(), 2)["loss"]) == 2
    assert not weights.exists()


@pytest.mark.parametrize("interrupted_in", [0, 1, 3])
def test_full_resumes_after_an_interruption(interrupted_in, weights, at):
    at("full")
    with pytest.raises(KeyboardInterrupt):
        fit_network(network(), 4, callbacks=[Interrupt(interrupted_in)])
    assert not weights.exists()  # nothing half-trained ships
    model, watch = network(seed=2), Interrupt(None)
    history = fit_network(model, 4, callbacks=[watch])
    assert watch.began == list(range(interrupted_in, 4))
    assert len(history["loss"]) == 4
    assert int(model.optimizer.iterations) == 4 * 4
    entry = pretrained.describe("small")
    assert entry["epochs"] == 4 and entry["history"] == history
    assert checkpoints(weights) == []


def test_resuming_starts_from_the_weights_of_the_last_whole_epoch(weights, at):
    at("full")
    whole = {}
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: whole.update({epoch: first.get_weights()})
    )
    first = network()
    with pytest.raises(KeyboardInterrupt):
        fit_network(first, 4, callbacks=[keep, Interrupt(2)])
    second, found = network(seed=2), []
    fit_network(
        second,
        4,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, logs: found.append(second.get_weights())
            )
        ],
    )
    assert same(found[0], whole[1])


def test_interrupted_twice(weights, at):
    at("full")
    for epoch in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            fit_network(network(), 4, callbacks=[Interrupt(epoch)])
    assert len(fit_network(network(), 4)["loss"]) == 4


def test_epoch_written_down_without_its_weights_is_trained_again(weights, at, monkeypatch):
    at("full")
    first = network()
    save = first.save_weights

    def interrupt_second(path):
        if int(first.optimizer.iterations) == 2 * 4:
            raise KeyboardInterrupt
        save(path)

    first.save_weights = interrupt_second
    with pytest.raises(KeyboardInterrupt):
        fit_network(first, 3)
    watch = Interrupt(None)
    history = fit_network(network(seed=2), 3, callbacks=[watch])
    assert watch.began == [1, 2]
    assert len(history["loss"]) == 3


def test_half_ships_float16(weights, at):
    at("full")
    model = network()
    fit_network(model, 1, half=True)
    at("lesson")
    loaded = network(seed=2)
    fit_network(loaded, half=True)
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours.astype(np.float16), theirs.astype(np.float16))
        assert not np.array_equal(ours, theirs) or not ours.any()


def test_checkpoint_of_another_recipe_is_not_resumed(weights, at):
    at("full")
    with pytest.raises(KeyboardInterrupt):
        fit_network(network(), 4, callbacks=[Interrupt(2)])
    watch = Interrupt(None)
    fit_or_load(
        network(seed=2), "small", POINTS, POINTS,
        recipe="another", seed=7, batch_size=8, epochs=3, verbose=0, callbacks=[watch],
    )  # fmt: skip
    assert watch.began == [0, 1, 2]
    assert pretrained.describe("small")["epochs"] == 3


KILLED = """
import os, signal, sys
from pathlib import Path
import keras, numpy as np
from helpers import data, pretrained
from helpers.training import fit_or_load

pretrained.WEIGHTS = Path(sys.argv[1])
data.source = lambda: data.Source("folder", "a mirror", Path())
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(500), keras.layers.Dense(3)])
model.compile("adam", "mse", jit_compile=False)
when, what = sys.argv[2:]  # the power fails before or after this file is moved to its place,
save, replace = model.save_weights, os.replace


def save_half(path):  # or while the weights after the second epoch are being written
    if when == "within" and int(model.optimizer.iterations) == 8:
        Path(path).write_bytes(b"half a file")
        os.kill(os.getpid(), signal.SIGKILL)
    save(path)


def replace_or_die(source, target):
    if when == "before" and Path(target).name == what:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
    if when == "after" and Path(target).name == what:
        os.kill(os.getpid(), signal.SIGKILL)


model.save_weights, os.replace = save_half, replace_or_die
points = np.ones((32, 3), "float32")
fit_or_load(model, "small", points, points, recipe="r", seed=1, epochs=3, batch_size=8, verbose=0)
"""


@pytest.mark.parametrize(
    ("when", "what", "shipped"),
    [
        ("within", "the weights", []),
        ("before", "epoch-00002.json", []),
        ("after", "epoch-00002.json", []),
        ("after", "epoch-00002.weights.h5", []),
        ("before", "small.weights.h5", []),
        ("after", "small.weights.h5", ["small.weights.h5"]),
        ("after", "manifest.json", ["manifest.json", "small.weights.h5"]),
    ],
)
def test_killed_at_any_moment_then_started_again(weights, when, what, shipped):
    environment = {**os.environ, "NOTEBOOK_PROFILE": "full"}

    def run(*kill):
        command = [sys.executable, "-c", KILLED, str(weights), *kill]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    assert run(when, what).returncode == -signal.SIGKILL
    found = weights.iterdir() if weights.exists() else []
    assert sorted(path.name for path in found if path.is_file()) == shipped
    again = run("-", "-")
    assert again.returncode == 0, again.stderr
    entry = pretrained.describe("small")
    assert entry["epochs"] == 3 and len(entry["history"]["loss"]) == 3
    assert sorted(path.name for path in weights.iterdir()) == ["manifest.json", entry["file"]]
    layers = [keras.Input((3,)), keras.layers.Dense(500), keras.layers.Dense(3)]
    loaded = pretrained.load_weights(keras.Sequential(layers), "small")
    assert all(np.isfinite(weight).all() for weight in loaded.get_weights())
    assert loaded.layers[0].kernel.numpy().std() > 0
    assert checkpoints(weights) == []


def test_finished_trainings_run_only_once_while_their_checkpoints_are_kept(
    weights, at, monkeypatch
):
    at("full")
    monkeypatch.setenv("KEEP_CHECKPOINTS", "1")
    trained = network()
    history = fit_network(trained, 3)
    entry, loaded, watch = pretrained.describe("small"), network(seed=2), Interrupt(None)
    assert fit_network(loaded, 3, callbacks=[watch]) == history and watch.began == []
    assert same(loaded.get_weights(), trained.get_weights())
    assert {**pretrained.describe("small"), "sha256": 0} == {**entry, "sha256": 0}
    forget_checkpoints()
    assert checkpoints(weights) == []
    fit_network(network(seed=2), 3, callbacks=[watch])
    assert watch.began == [0, 1, 2]


def make_weights(*arguments):
    """The last three lines that ``make weights`` would run."""
    if shutil.which("make") is None:
        pytest.skip("needs make")
    command = ["make", "--dry-run", "--always-make", "weights", *arguments]
    said = subprocess.run(command, cwd=project.ROOT, capture_output=True, text=True).stdout
    return [line for line in said.splitlines() if "helpers" in line or "course.py" in line][-3:]


def test_make_weights_of_one_lesson_leaves_other_lessons_checkpoints_alone():
    lines = make_weights("NB=13")
    assert "NOTEBOOK_PROFILE=full" in lines[-1] and lines[-1].endswith("86400 13")
    assert not any("KEEP_CHECKPOINTS" in line or "forget" in line for line in lines)


def test_make_weights_keeps_checkpoints_and_forgets_them_at_the_end():
    *trained, last = make_weights()
    for line, work in zip(trained, ("-m helpers.classifier", "course.py run"), strict=True):
        assert "KEEP_CHECKPOINTS=1" in line and "NOTEBOOK_PROFILE=full" in line and work in line
    assert "forget_checkpoints()" in last


def test_gan_resumes_with_both_optimizers_and_no_warning(weights, at, recwarn):
    at("full")
    facts = dict(recipe="r", seed=1, epochs=3, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        fit_or_load(small_gan(), "gan", data.batches(POINTS, 8), callbacks=[Interrupt(1)], **facts)
    gan = small_gan(seed=2)
    history = fit_or_load(gan, "gan", data.batches(POINTS, 8), **facts)
    assert {key: len(values) for key, values in history.items()} == {
        "discriminator_loss": 3, "generator_loss": 3
    }  # fmt: skip
    assert int(gan.generator_optimizer.iterations) == 3 * 4
    assert int(gan.discriminator_optimizer.iterations) == 3 * 4
    assert pretrained.describe("gan")["epochs"] == 3
    assert [str(w.message) for w in recwarn if "optimizer" in str(w.message)] == []


def test_gan_goes_on_with_the_codings_that_come_next(weights, at):
    at("full")
    facts = dict(recipe="r", seed=1, epochs=2, verbose=0)
    whole, interrupted, resumed = small_gan(), small_gan(), small_gan(seed=2)
    fit_or_load(whole, "whole", data.batches(POINTS, 8), **facts)
    with pytest.raises(KeyboardInterrupt):
        fit_or_load(
            interrupted, "parts", data.batches(POINTS, 8), callbacks=[Interrupt(1)], **facts
        )
    fit_or_load(resumed, "parts", data.batches(POINTS, 8), **facts)
    expected = [whole.sample_codings(3).numpy() for _ in range(2)]
    assert same([resumed.sample_codings(3).numpy() for _ in range(2)], expected)


class Notes(keras.callbacks.Callback):
    """Each epoch's weights of a network, behind a measure with values that a test gives."""

    def __init__(self, network, values):
        super().__init__()
        self.network, self.values, self.weights = network, values, {}

    def on_epoch_end(self, epoch, logs=None):
        logs["distance"] = self.values[epoch]
        self.weights[epoch] = self.network.get_weights()


def test_best_epochs_weights_come_back():
    gan = small_gan()
    notes = Notes(gan.generator, [3.0, 1.0, 2.0, 1.0])
    callbacks = [notes, KeepBest(gan, gan.generator)]
    history = gan.fit(data.batches(POINTS, 8), epochs=4, verbose=0, callbacks=callbacks).history
    assert history["lowest_distance"] == [3, 1, 1, 1]
    assert same(gan.generator.get_weights(), notes.weights[1])  # of two lowest the first
    assert not same(notes.weights[1], notes.weights[3])


def test_epochs_without_the_measure_change_nothing():
    gan = small_gan()
    callbacks = [KeepBest(gan, gan.generator, "another")]
    history = gan.fit(data.batches(POINTS, 8), epochs=2, verbose=0, callbacks=callbacks).history
    assert set(history) == {"discriminator_loss", "generator_loss"}
    assert np.abs(gan.generator.get_weights()[0]).max() > 0


def test_what_was_measured_is_said_of_the_epoch_that_ships(weights, at):
    at("full")
    gan = small_gan()
    notes = Notes(gan.generator, [3.0, 1.0, 2.0, 1.0])
    fit_or_load(gan, "best", data.batches(POINTS, 8), recipe="r", seed=1, epochs=4, verbose=0,
                callbacks=[notes, KeepBest(gan, gan.generator)], ship=gan.generator)  # fmt: skip
    entry = pretrained.describe("best")
    second = {key: values[1] for key, values in entry["history"].items()}
    assert entry["measured"] == second and second["distance"] == 1
    shipped = pretrained.load_weights(small_gan(seed=2).generator, "best")
    assert same(shipped.get_weights(), notes.weights[1])


def test_measures_of_a_training_in_stages_are_those_of_the_last_ones_best_epoch():
    history = {
        "distance": [5, 2, 9, 4, 3, 6],  # two epochs of the first stage
        "lowest_distance": [5, 2, 9, 4, 3, 3],
        "loss": [0, 1, 2, 3, 4, 5],
        "late": [7, 8, 9],
        "later": [6],
    }
    found = {"distance": 3, "lowest_distance": 3, "loss": 4, "late": 8, "later": 6}
    assert measured(history) == found
    assert measured({"loss": [2, 1]}) == {"loss": 1} and measured({}) == {}


def test_best_epoch_is_remembered_over_an_interruption(weights, at):
    at("full")
    values = [2.0, 1.0, 3.0, 4.0]

    def run(gan, *more):
        notes = Notes(gan.generator, values)
        history, _ = fit_resumably(
            gan, "gan", data.batches(POINTS, 8), recipe="r", epochs=4, verbose=0,
            callbacks=[notes, KeepBest(gan, gan.generator), *more],
        )  # fmt: skip
        return history, notes.weights

    gan = small_gan()
    seen = Notes(gan.generator, values)
    with pytest.raises(KeyboardInterrupt):
        run(gan, seen, Interrupt(2))
    resumed = small_gan(seed=2)
    history, later = run(resumed)
    assert list(later) == [2, 3] and history["lowest_distance"] == [2, 1, 1, 1]
    assert same(resumed.generator.get_weights(), seen.weights[1])


def test_training_is_not_lost_when_saving_fails(weights, at, monkeypatch):
    at("full")
    trained = network()
    with monkeypatch.context() as patch:

        def full_disk(*args, **kwargs):
            raise OSError("No space left on device")

        patch.setattr(pretrained, "save_weights", full_disk)
        with pytest.raises(OSError, match="No space left"):
            fit_network(trained, 3)
    model, watch = network(seed=2), Interrupt(None)
    history = fit_network(model, 3, callbacks=[watch])
    assert watch.began == []  # nothing is trained again
    assert len(history["loss"]) == 3
    assert same(model.get_weights(), trained.get_weights())


def test_names_keep_their_checkpoints_apart(weights, at):
    at("full")
    with pytest.raises(KeyboardInterrupt):
        fit_network(network(), 3, name="other", callbacks=[Interrupt(2)])
    watch = Interrupt(None)
    fit_network(network(), 3, callbacks=[watch])
    assert watch.began == [0, 1, 2]
    assert len(checkpoints(weights)) == 1  # the other's is still there
    assert set(pretrained.read_manifest()) == {"small"}


def test_training_that_stops_early_says_how_many_epochs_it_took(weights, at):
    at("full")
    stop = keras.callbacks.EarlyStopping("quality", patience=1, mode="max")
    history = fit_network(network(), 9, callbacks=[Measure(quality=lambda: 1), stop])
    assert len(history["loss"]) == pretrained.describe("small")["epochs"] == 2


def test_damaged_weights_are_refused_at_lesson(weights, at):
    at("full")
    fit_network(network(), 1)
    (weights / "small.weights.h5").write_bytes(b"half")
    at("lesson")
    model = network(seed=2)
    before = model.get_weights()
    with pytest.raises(pretrained.PretrainedError, match="small.weights.h5.*sha256"):
        fit_network(model)
    assert same(model.get_weights(), before)


def test_a_checkpoint_with_more_epochs_than_asked_for_is_an_error(weights, at, monkeypatch):
    at("full")
    monkeypatch.setenv("KEEP_CHECKPOINTS", "1")
    fit_network(network(), 3)
    with pytest.raises(ValueError, match="3 epochs behind it, more than the 2"):
        fit_network(network(seed=2), 2)
    assert pretrained.describe("small")["epochs"] == 3


def test_histories_of_full_have_what_only_some_epochs_log(weights, at):
    at("full")
    rare = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update({"rare": epoch} if epoch % 2 else {})
    )
    history = fit_network(network(), 4, callbacks=[rare])
    assert history["rare"] == [1, 3] and len(history["loss"]) == 4


def test_rates_fall_anew_in_a_second_training():
    gan = small_gan()
    slow, rates = SlowDown(gan, 2), []
    note = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: rates.append(
            float(gan.generator_optimizer.learning_rate)
        )
    )
    for _ in range(2):
        gan.fit(POINTS, epochs=4, batch_size=8, verbose=0, callbacks=[slow, note])
    np.testing.assert_allclose(np.array(rates) / rates[0], 2 * [1, 1, 2 / 3, 1 / 3], rtol=1e-5)
