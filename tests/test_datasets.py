"""Other data sets behind one name, without a network."""

import threading

import numpy as np
import pytest

from helpers import data, datasets
from helpers.data import DataError
from helpers.datasets import load_images


def test_digits_need_no_network_and_have_no_channel_axis_unless_asked(offline, lesson):
    digits = load_images("digits")
    assert digits.image_shape == (8, 8)
    assert [len(digits.train_images), len(digits.valid_images), len(digits.test_images)] == [
        1200,
        200,
        397,
    ]
    assert load_images("digits", channel_axis=True).image_shape == (8, 8, 1)
    assert digits.train_images.dtype == np.float32
    assert (digits.train_images.min(), digits.train_images.max()) == (0, 1)
    assert set(digits.train_labels) == set(range(10))
    assert digits.class_names == tuple("0123456789")


def test_fashion_comes_from_where_the_lessons_have_it(offline, displayed, lesson):
    dataset, fashion = load_images("fashion"), data.load_fashion_mnist()
    assert np.array_equal(dataset.train_images, fashion.train_images)
    assert np.array_equal(dataset.test_labels, fashion.test_labels)
    assert load_images("fashion", channel_axis=True).image_shape == (28, 28, 1)


def test_smoke_is_small(offline, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", "smoke")
    assert len(load_images("digits").test_images) <= data.SMOKE_SIZES["test"]


def test_another_name_is_an_error():
    with pytest.raises(ValueError, match="no data set 'imagenet'. There are: digits, fashion"):
        load_images("imagenet")


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_without_a_network_the_message_says_what_to_do(offline, name):
    with pytest.raises(DataError, match=f"'{name}' is not on this machine.*choose 'digits'"):
        load_images(name)


def keras_set(images_shape, labels_shape):
    """A stand-in for a module of ``keras.datasets``."""
    rng = np.random.default_rng(0)

    def part(count):
        images = rng.integers(256, size=(count, *images_shape)).astype("uint8")
        return images, rng.integers(10, size=(count, *labels_shape)).astype("uint8")

    class Module:
        @staticmethod
        def load_data():
            return part(6000), part(1000)

    return Module


@pytest.mark.parametrize(
    ("name", "stored", "labels", "shape"),
    [("mnist", (28, 28), (), (28, 28)), ("cifar10", (32, 32, 3), (1,), (32, 32, 3))],
)
def test_keras_sets_are_scaled_and_split(name, stored, labels, shape, caches, monkeypatch, lesson):
    import keras

    monkeypatch.setattr(data, "_reachable", lambda *arguments: True)
    monkeypatch.setattr(keras.datasets, name, keras_set(stored, labels), raising=False)
    dataset = load_images(name)
    assert dataset.image_shape == shape
    assert len(dataset.train_images) == 1000
    assert len(dataset.valid_images) == data.NUM_VALID
    assert dataset.train_labels.shape == (1000,)
    assert 0 <= dataset.train_images.min() < 0.01 < 0.99 < dataset.train_images.max() <= 1


def test_a_failed_download_is_told_with_its_reason(caches, monkeypatch):
    import keras

    class Broken:
        @staticmethod
        def load_data():
            raise OSError("the line went dead")

    monkeypatch.setattr(data, "_reachable", lambda *arguments: True)
    monkeypatch.setattr(keras.datasets, "mnist", Broken, raising=False)
    with pytest.raises(DataError, match="the line went dead"):
        load_images("mnist")


def test_a_download_that_hangs_is_given_up(caches, monkeypatch):
    import keras

    class Hanging:
        @staticmethod
        def load_data():
            threading.Event().wait(5)

    monkeypatch.setattr(data, "_reachable", lambda *arguments: True)
    monkeypatch.setattr(datasets, "DOWNLOAD_SECONDS", 0.1)
    monkeypatch.setattr(keras.datasets, "mnist", Hanging, raising=False)
    with pytest.raises(DataError, match="still being downloaded.*choose 'digits'"):
        load_images("mnist")
