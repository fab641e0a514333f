"""The judge: its architecture, what it answers, and that the shipped weights are good ones."""

import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from helpers import data, pretrained
from helpers.classifier import NAME, Judge, build_classifier, train
from helpers.metrics import frechet_distance, kernel_distance
from helpers.pretrained import PretrainedError

IMAGES = np.random.default_rng(42).uniform(size=(7, 28, 28)).astype(np.float32)


@pytest.fixture(scope="module")
def judge():
    """The judge with the shipped weights."""
    return Judge()


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the shipped weights and their manifest that a test may damage: its folder."""
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("manifest.json", pretrained.describe(NAME)["file"]):
        shutil.copy(pretrained.WEIGHTS / name, folder)
    monkeypatch.setattr(pretrained, "WEIGHTS", folder)
    return folder


def test_architecture():
    classifier = build_classifier()
    assert classifier.count_params() == 257_162
    assert classifier.input_shape == (None, 28, 28) and classifier.output_shape == (None, 10)
    logits = classifier.predict(5 * IMAGES, verbose=0)
    assert (logits < 0).any() and not np.allclose(logits.sum(axis=1), 1)  # no softmax


def test_features_probabilities_and_classes(judge):
    features, odds, classes = (
        answer(IMAGES) for answer in (judge.features, judge.probabilities, judge.classes)
    )
    assert features.shape == (7, 64) and features.dtype == np.float32
    assert features.min() == 0 < features.max()  # behind a ReLU
    assert odds.shape == (7, 10) and odds.dtype == np.float32
    assert odds.min() >= 0
    np.testing.assert_allclose(odds.sum(axis=1), 1, rtol=1e-5)
    assert classes.shape == (7,) and np.issubdtype(classes.dtype, np.integer)
    np.testing.assert_array_equal(classes, odds.argmax(axis=1))


def test_same_answer_every_time_and_one_by_one(judge):
    together = judge.features(IMAGES)
    np.testing.assert_array_equal(judge.features(IMAGES), together)  # dropout is off
    alone = np.concatenate([judge.features(image[np.newaxis]) for image in IMAGES])
    np.testing.assert_allclose(alone, together, rtol=1e-3, atol=1e-4)


def test_probabilities_are_the_softmax_of_large_logits():
    classifier = build_classifier()
    kernel, bias = classifier.get_layer("logits").get_weights()
    bias[:] = 0
    bias[[3, 4]] = 1000, 1000 + np.log(3)
    classifier.get_layer("logits").set_weights([0 * kernel, bias])
    odds = Judge(classifier).probabilities(IMAGES)
    np.testing.assert_allclose(odds[:, [3, 4]], [[0.25, 0.75]] * 7, rtol=1e-3)
    assert np.isfinite(odds).all()


def test_judge_takes_another_classifier():
    keras.utils.set_random_seed(1)
    classifier = build_classifier()
    expected = classifier.predict(IMAGES, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(Judge(classifier).classes(IMAGES), expected)


def test_features_and_classes_at_once_are_the_same(judge):
    features, classes = judge.features_and_classes(IMAGES)
    np.testing.assert_array_equal(features, judge.features(IMAGES))
    np.testing.assert_array_equal(classes, judge.classes(IMAGES))


def test_shipped_weights_know_the_test_images(judge, fashion):
    images, labels = fashion.test_images[:2000], fashion.test_labels[:2000]
    assert (judge.classes(images) == labels).mean() >= 0.92
    assert judge.probabilities(images)[np.arange(2000), labels].mean() >= 0.85


def test_shipped_weights_reach_what_the_manifest_says(judge, fashion):
    accuracy = (judge.classes(fashion.test_images) == fashion.test_labels).mean()
    said = pretrained.describe(NAME)["measured"]["test accuracy"]
    assert accuracy == pytest.approx(said, abs=0.001)


def test_images_of_one_class_lie_together(judge, fashion):
    images, labels = fashion.test_images[:1000], fashion.test_labels[:1000]
    features = judge.features(images)
    centers = np.stack([features[labels == label].mean(axis=0) for label in range(10)])
    distances = np.linalg.norm(features[:, np.newaxis] - centers, axis=-1)
    assert (distances.argmin(axis=1) == labels).mean() > 0.85


@pytest.fixture(scope="module")
def looked_at(judge, fashion):
    """Features of 1,000 images each: real ones, and sets at the extremes, by name."""
    images, rng = fashion.test_images, np.random.default_rng(7)
    shirts = fashion.train_images[fashion.train_labels == 6]  # the class nearest to all the others
    sets = {
        "real": images[:1000],
        "other real ones": images[1000:2000],
        "the same shuffled": rng.permutation(images[1000:2000]),
        "one image": np.repeat(images[:1], 1000, axis=0),
        "black": np.zeros((1000, 28, 28)),
        "one class": shirts[:1000],
        "noise": rng.uniform(size=(1000, 28, 28)),
    }
    return {name: judge.features(each.astype(np.float32)) for name, each in sets.items()}


both_distances = pytest.mark.parametrize("measure", [frechet_distance, kernel_distance])


@both_distances
def test_distances_of_the_same_images_are_below_the_floor_in_any_order(looked_at, measure):
    real, others = looked_at["real"], looked_at["other real ones"]
    floor = measure(real, others)
    assert measure(real, real) < 0.1 * floor
    assert measure(others, looked_at["the same shuffled"]) < 0.1 * floor
    assert measure(real, looked_at["the same shuffled"]) == pytest.approx(floor, rel=1e-4)


@both_distances
@pytest.mark.parametrize("name", ["one image", "black", "one class", "noise"])
def test_distances_of_extreme_images_are_finite_and_far_above_the_floor(looked_at, measure, name):
    floor = measure(looked_at["real"], looked_at["other real ones"])
    distance = measure(looked_at["real"], looked_at[name])
    assert 20 * floor < distance < 10_000 * floor


def test_damaged_weights_are_refused(copied):
    path = copied / pretrained.describe(NAME)["file"]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(PretrainedError, match=f"{path.name}.*sha256.*git checkout"):
        Judge()


def test_missing_weights_are_named(copied):
    path = copied / pretrained.describe(NAME)["file"]
    path.unlink()
    with pytest.raises(PretrainedError, match=f"{path.name} is missing.*git checkout"):
        Judge()


def test_a_finished_training_is_not_lost_when_saving_fails(full, monkeypatch):
    monkeypatch.setattr("helpers.classifier.EPOCHS", 1)
    save, trained = pretrained.save_weights, []

    def full_disk(network, *args, **facts):
        trained.extend(network.get_weights())
        raise OSError("No space left on device")

    def images(seed):
        sets = [
            (rng.uniform(size=(256, 28, 28)).astype("float32"), rng.integers(0, 10, 256))
            for rng in np.random.default_rng(seed).spawn(3)
        ]
        names = [
            f"{part}_{kind}" for part in ("train", "valid", "test") for kind in ("images", "labels")
        ]
        return SimpleNamespace(is_real=True, **dict(zip(names, sum(sets, ()), strict=True)))

    monkeypatch.setattr(data, "load_fashion_mnist", lambda: images(1))
    monkeypatch.setattr(pretrained, "save_weights", full_disk)
    with pytest.raises(OSError, match="No space left"):
        train()
    monkeypatch.setattr(data, "load_fashion_mnist", lambda: images(2))  # would give other weights
    monkeypatch.setattr(pretrained, "save_weights", save)
    train()
    shipped = pretrained.load_weights(build_classifier(), NAME).get_weights()
    for a, b in zip(shipped, trained, strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_refuses_the_stand_in(offline, displayed, lesson, copied):
    before = {path.name: path.read_bytes() for path in copied.iterdir()}
    with pytest.raises(SystemExit, match="real Fashion-MNIST only"):
        train()
    assert not data.source().is_real
    assert {path.name: path.read_bytes() for path in copied.iterdir()} == before


def test_judge_refuses_pixels_that_are_no_numbers():
    images = np.zeros((3, 28, 28), "float32")
    images[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match="diverged"):
        Judge().classes(images)


@pytest.mark.parametrize("profile", ["smoke", "lesson"])
def test_training_refuses_other_profiles_than_full(profile, weights, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", profile)
    monkeypatch.setattr(data, "load_fashion_mnist", lambda: SimpleNamespace(is_real=True))
    with pytest.raises(SystemExit, match="NOTEBOOK_PROFILE=full"):
        train()
    assert not weights.exists()
