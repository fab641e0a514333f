"""Fashion-MNIST: where it comes from, its splits, and batches of it.

Three sources, tried in this order by :func:`source`:

1. the folder named by FASHION_MNIST_DIR (a classroom's mirror) with the four official ``.gz``
   files; if something is wrong with it, that is an error, never a silent fallback;
2. Keras' own cache, filled by a download if need be;
3. without a network, scikit-learn's digits as a stand-in, announced by a banner.
"""

import functools
import gzip
import http.client
import os
import socket
import tempfile
import threading
import time
import urllib.request
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from helpers import session

ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"  # Keras' own
FILES = {
    ("train", "images"): "train-images-idx3-ubyte.gz",
    ("train", "labels"): "train-labels-idx1-ubyte.gz",
    ("test", "images"): "t10k-images-idx3-ubyte.gz",
    ("test", "labels"): "t10k-labels-idx1-ubyte.gz",
}
CLASS_NAMES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
CHECKSUMS = {  # CRC-32 of what the files hold: MNIST's files have the same names and sizes
    ("train", "images"): 0xAE65DCCD,
    ("train", "labels"): 0x2ED6E46A,
    ("test", "images"): 0x12728439,
    ("test", "labels"): 0x242BC73F,
}
PROBE_SECONDS, READ_SECONDS, FILE_SECONDS = 8, 20, 300
NUM_IMAGES = {"train": 60_000, "test": 10_000}
NUM_VALID = 5_000
SMOKE_SIZES = {"train": 2_000, "valid": 500, "test": 500}


class DataError(ValueError):
    """A data file is missing or damaged; the message says which one and what to do."""


@dataclass(frozen=True)
class Source:
    """Where the images come from: `kind` is "folder", "keras" or "digits"."""

    kind: str
    label: str
    folder: Path | None = None

    @property
    def is_real(self):
        """Whether this is Fashion-MNIST and not the stand-in."""
        return self.kind != "digits"


@dataclass(frozen=True)
class FashionMNIST:
    """Images float32 [N, 28, 28] in [0, 1] and labels int64 [N], in three parts."""

    train_images: np.ndarray
    train_labels: np.ndarray
    valid_images: np.ndarray
    valid_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple
    is_real: bool


@functools.cache
def source():
    """Find out once where the images come from; downloads them if that is possible and needed.

    Raises:
        DataError: FASHION_MNIST_DIR is set, but the folder lacks one of the four files.
    """
    mirror = os.environ.get("FASHION_MNIST_DIR")
    if mirror:
        folder = Path(mirror).expanduser()
        for name in FILES.values():
            if not (folder / name).is_file():
                raise DataError(
                    f"FASHION_MNIST_DIR is {mirror!r}, and there is no {name} in that folder. "
                    "Put the four official .gz files there, or unset the variable."
                )
        return Source("folder", "Fashion-MNIST from FASHION_MNIST_DIR", folder)
    folder = next(filter(_complete, (_keras_folder(), _own_folder())), None)
    folder = folder or _download(_keras_folder())
    if folder is not None:
        return Source("keras", "Fashion-MNIST from Keras' cache", folder)
    return Source("digits", "stand-in: scikit-learn's digits (no network)")


def load_fashion_mnist():
    """Load 55,000 / 5,000 / 10,000 images for training, validation and testing.

    The validation images are the last 5,000 of the official training set. At the profile "smoke"
    the parts have 2,000, 500 and 500 images. Without a network, scikit-learn's digits are returned
    instead, with a visible banner.

    Returns:
        A :class:`FashionMNIST`.

    Raises:
        DataError: a file is missing, truncated or damaged.
    """
    found = source()
    if found.is_real:
        try:
            train, test = _official_parts(found.folder)
        except DataError:
            source.cache_clear()  # so that the remedy works without restarting the kernel
            raise
        num_valid, names = NUM_VALID, CLASS_NAMES
    else:
        _show_banner()
        train, test = _digits()
        num_valid, names = 200, tuple("0123456789")
    parts = {
        "train": tuple(array[:-num_valid] for array in train),
        "valid": tuple(array[-num_valid:] for array in train),
        "test": test,
    }
    if session.profile() == "smoke":
        parts = {
            part: tuple(array[: SMOKE_SIZES[part]] for array in arrays)
            for part, arrays in parts.items()
        }
    return FashionMNIST(*parts["train"], *parts["valid"], *parts["test"], names, found.is_real)


def _official_parts(folder):
    """The official (train, test), each a pair of float32 images and int64 labels."""
    parts = {key: read_idx(folder / name) for key, name in FILES.items()}
    for (part, what), array in parts.items():
        expected = (NUM_IMAGES[part], *((28, 28) if what == "images" else ()))
        if array.shape != expected:
            raise DataError(
                f"{folder / FILES[part, what]} holds an array of shape {list(array.shape)}; the "
                f"official file's is {list(expected)}. {_remedy()}"
            )
        if zlib.crc32(array.tobytes()) != CHECKSUMS.get((part, what)):
            raise DataError(
                f"{folder / FILES[part, what]} holds other {what} than Fashion-MNIST's (MNIST's "
                f"files have the same names). {_remedy()}"
            )
    return tuple(
        (parts[part, "images"].astype(np.float32) / 255, parts[part, "labels"].astype(np.int64))
        for part in NUM_IMAGES
    )


def read_idx(path):
    """Read one ``.gz`` file in IDX format: uint8 [N, 28, 28] images or uint8 [N] labels.

    Raises:
        DataError: the file is missing, truncated, damaged or of another kind.
    """
    path = Path(path)
    try:
        with gzip.open(path) as file:
            content = file.read()
    except FileNotFoundError:
        raise DataError(f"{path} is missing. {_remedy()}") from None
    except EOFError:
        raise DataError(f"{path} is truncated, probably half downloaded. {_remedy()}") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}). {_remedy()}") from None
    except OSError as error:
        raise DataError(f"{path} can't be read ({error}).") from None
    rank = content[3] if len(content) >= 4 and content[:3] == b"\0\0\x08" else None
    if rank not in (1, 3) or len(content) < 4 + 4 * rank:
        raise DataError(f"{path} is not a file of images or labels in IDX format. {_remedy()}")
    shape = tuple(np.frombuffer(content, ">u4", rank, offset=4).tolist())
    pixels = np.frombuffer(content, np.uint8, offset=4 + 4 * rank)
    if pixels.size != np.prod(shape) or shape[1:] not in ((), (28, 28)):
        raise DataError(
            f"{path} announces {list(shape)} but holds {pixels.size} bytes; images of "
            f"28 x 28 or labels are expected. {_remedy()}"
        )
    return pixels.reshape(shape)


def batches(arrays, batch_size=32, *, seed=42, shuffle=True):
    """A tf.data pipeline of full batches, shuffled over the whole set anew in each epoch.

    Args:
        arrays: one array [N, ...] or a tuple of them.
        batch_size: instances per batch; a last, smaller batch is dropped.
        seed: of the shuffling.
        shuffle: whether to shuffle at all.

    Raises:
        ValueError: there are fewer instances than one batch needs.
    """
    import tensorflow as tf

    num_instances = len(arrays[0] if isinstance(arrays, tuple) else arrays)
    if num_instances < batch_size:
        raise ValueError(f"A batch of {batch_size} needs more than {num_instances} instances.")
    dataset = tf.data.Dataset.from_tensor_slices(arrays).cache()
    if shuffle:
        dataset = dataset.shuffle(num_instances, seed=seed)
    options = tf.data.Options()
    options.autotune.enabled = False  # there is nothing to tune, and on one core its thread can
    # keep the end of each epoch waiting: up to twice the time (TensorFlow 2.21)
    return dataset.batch(batch_size, drop_remainder=True).prefetch(2).with_options(options)


def _remedy():
    """What to do about a bad file."""
    mirror = os.environ.get("FASHION_MNIST_DIR")
    if mirror:
        return "Put Fashion-MNIST's own file into the folder in FASHION_MNIST_DIR, or unset it."
    return "Delete it and run this again: it will be downloaded anew."


def _keras_folder():
    """Where ``keras.datasets.fashion_mnist`` keeps its files."""
    home = os.environ.get("KERAS_HOME") or Path("~", ".keras")
    return Path(home, "datasets", "fashion-mnist").expanduser()


def _own_folder():
    """Where the files go if Keras' cache can't be written."""
    return session.cache_dir() / "fashion-mnist"


def _complete(folder):
    return all((folder / name).is_file() for name in FILES.values())


def _download(folder, address=None, probe_seconds=PROBE_SECONDS, read_seconds=READ_SECONDS):
    """Download the missing files into `folder`; return the folder that has them all, or None.

    Each file arrives under another name and is moved into place when it is complete, so an
    interruption leaves nothing half-written. Waits are bounded: `probe_seconds` for a first
    connection, `read_seconds` for each read, FILE_SECONDS for each file.
    """
    address = address or ADDRESS
    if not _reachable(address, probe_seconds):
        return None
    folder = _writable(folder)
    try:
        for name in FILES.values():
            if not (folder / name).is_file():
                print(f"Downloading {name} …")
                _fetch(address + name, folder / name, read_seconds)
    except (OSError, http.client.HTTPException, DataError) as error:  # timeouts are OSErrors
        print(f"The download failed: {error}")
        return None
    return folder


def _fetch(url, target, read_seconds):
    """Download one file, check it, and only then give it its name."""
    deadline = time.monotonic() + FILE_SECONDS
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as part:
        try:
            with urllib.request.urlopen(url, timeout=read_seconds) as answer:
                while chunk := answer.read1(1 << 16):
                    part.write(chunk)
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"{target.name} takes longer than {FILE_SECONDS} s.")
            part.close()
            try:
                read_idx(part.name)
            except DataError:
                raise DataError(f"{target.name} arrived incomplete or damaged.") from None
            os.chmod(part.name, 0o644)
            os.replace(part.name, target)
        except BaseException:
            part.close()
            Path(part.name).unlink(missing_ok=True)
            raise


def _reachable(address, seconds):
    """Whether a connection to the address's host succeeds within `seconds`."""
    parts = urlsplit(address)
    if parts.scheme in urllib.request.getproxies():
        return True  # the proxy will tell
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    connected = threading.Event()

    def connect():  # a host may have several addresses, and a dead one must not take all the time
        try:
            with socket.create_connection((parts.hostname, port), seconds / 3):
                connected.set()
        except OSError:
            pass

    # Looking up a name can't be given a time limit, so it is left behind in a thread.
    probe = threading.Thread(target=connect, daemon=True)
    probe.start()
    probe.join(seconds)
    return connected.is_set()


def _writable(folder):
    """`folder` if files can be made there, else a folder in the course's own cache."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            return folder
    except OSError:
        other = _own_folder()
        other.mkdir(parents=True, exist_ok=True)
        return other


def _digits():
    """scikit-learn's 1,797 digits, enlarged from 8 x 8 to 28 x 28: (train, test)."""
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    small = np.round(digits.images / 16 * 255).astype(np.uint8)
    resample = Image.Resampling.BILINEAR
    large = [Image.fromarray(image).resize((28, 28), resample) for image in small]
    images = np.stack([np.asarray(image) for image in large]).astype(np.float32) / 255
    labels = digits.target.astype(np.int64)
    return (images[:1397], labels[:1397]), (images[1397:], labels[1397:])


def _show_banner():
    from IPython.display import display

    text = (
        "STAND-IN DATA: Fashion-MNIST could not be downloaded. This notebook uses the small digits "
        "of scikit-learn instead, enlarged to 28 × 28. It runs, but numbers and pictures will not "
        "match the text, and claims are not judged. With a network, restart the kernel and run "
        "again; or set FASHION_MNIST_DIR to a folder with the four official .gz files."
    )
    html = (
        '<div style="border:3px solid #d9772b;border-radius:6px;padding:8px 12px;margin:4px 0">'
        f"<b>{text.replace(':', ':</b>', 1)}</div>"
    )
    display({"text/html": html, "text/plain": text}, raw=True)
