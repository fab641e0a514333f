"""Other sets of images, behind one name: the exercises run on any of them."""

import contextlib
import socket
import threading
from dataclasses import dataclass

import numpy as np

from helpers import data, session

PARTS, KINDS = ("train", "valid", "test"), ("images", "labels")
NAMES = ("digits", "fashion", "mnist", "cifar10")
ADDRESSES = {
    "mnist": "https://storage.googleapis.com",
    "cifar10": "https://www.cs.toronto.edu",
}
CACHED = {"mnist": "mnist.npz", "cifar10": "cifar-10-batches-py*"}
CIFAR10_NAMES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
DOWNLOAD_SECONDS = 600


@dataclass(frozen=True)
class ImageSet:
    """Images float32 [N, H, W] or [N, H, W, C] in [0, 1] and labels int64 [N], in three parts."""

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    valid_images: np.ndarray
    valid_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple

    @property
    def image_shape(self):
        """(H, W) or (H, W, C); height and width can be halved twice in all these sets."""
        return self.train_images.shape[1:]


def load_images(name, channel_axis=False):
    """Load a set of images by its name.

    - "digits": scikit-learn's 1,797 handwritten digits, 8 x 8; needs no network.
    - "fashion": Fashion-MNIST, 28 x 28, from wherever the lessons have it.
    - "mnist": 70,000 handwritten digits, 28 x 28; Keras downloads it once (11 MB).
    - "cifar10": 60,000 photographs in color, 32 x 32 x 3; Keras downloads it once (170 MB).

    At the profile "smoke" the parts have at most 2,000, 500 and 500 images.

    Args:
        name: see above.
        channel_axis: whether gray images get an axis for their one channel, as convolutions want
            it. Images in color always have three channels.

    Returns:
        An :class:`ImageSet`.

    Raises:
        ValueError: another name.
        helpers.data.DataError: the set can't be downloaded; the message says what to do.
    """
    if name not in NAMES:
        raise ValueError(f"There is no data set {name!r}. There are: {', '.join(NAMES)}.")
    if name == "fashion":
        fashion = data.load_fashion_mnist()
        parts = [getattr(fashion, f"{part}_{what}") for part in PARTS for what in KINDS]
        class_names = fashion.class_names
    else:
        parts = _parts(*(_digits() if name == "digits" else _from_keras(name)))
        class_names = CIFAR10_NAMES if name == "cifar10" else tuple("0123456789")
    if channel_axis and parts[0].ndim == 3:
        parts[::2] = [images[..., np.newaxis] for images in parts[::2]]
    return ImageSet(name, *parts, class_names)


def _parts(train, test):
    """Images and labels of the three parts, one after the other; small ones at "smoke"."""
    num_valid = 200 if len(train[0]) < data.NUM_VALID else data.NUM_VALID
    split = {
        "train": [array[:-num_valid] for array in train],
        "valid": [array[-num_valid:] for array in train],
        "test": test,
    }
    most = data.SMOKE_SIZES if session.profile() == "smoke" else {}
    return [array[: most.get(part)] for part in PARTS for array in split[part]]


def _digits():
    """(train, test); the last 397 digits were written by other people than the first ones."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)
    labels = digits.target.astype(np.int64)
    return (images[:1400], labels[:1400]), (images[1400:], labels[1400:])


def _from_keras(name):
    """(train, test) from Keras' cache, or downloaded to there; every wait is bounded."""
    folder = data._keras_folder().parent
    cached = any(folder.glob(CACHED[name]))
    if not cached and not data._reachable(ADDRESSES[name] + "/", data.PROBE_SECONDS):
        raise data.DataError(_no_network(name))
    found, problems = [], []

    def load():
        import keras

        try:
            with _read_limit(data.READ_SECONDS):
                found.extend(getattr(keras.datasets, name).load_data())
        except Exception as error:
            problems.append(f" ({error})")

    worker = threading.Thread(target=load, daemon=True)
    worker.start()
    worker.join(DOWNLOAD_SECONDS)
    if worker.is_alive():
        raise data.DataError(
            f"After {DOWNLOAD_SECONDS / 60:.0f} minutes {name!r} is still being downloaded. Leave "
            "this notebook open, and run the cell again some minutes later; or choose 'digits', "
            "which comes with scikit-learn."
        )
    if not found:
        raise data.DataError(_no_network(name, *problems))
    return tuple(
        (images.astype(np.float32) / 255, np.ravel(labels).astype(np.int64))
        for images, labels in found
    )


@contextlib.contextmanager
def _read_limit(seconds):
    """Let no read from the network take longer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _no_network(name, problem=""):
    return (
        f"{name!r} is not on this machine, and its download failed{problem}. With a network, run "
        "this again; without one, choose 'digits', which comes with scikit-learn."
    )
