"""Fashion-MNIST's three sources: good files, bad files, no network; and batches."""

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from helpers import data

pytestmark = pytest.mark.usefixtures("lesson")
TRAIN_IMAGES, TRAIN_LABELS = data.FILES["train", "images"], data.FILES["train", "labels"]
TEST_IMAGES = data.FILES["test", "images"]


def idx(array, shape=None):
    """`array` as the content of an IDX file; `shape` is what the header announces."""
    shape = array.shape if shape is None else shape
    sizes = b"".join(size.to_bytes(4, "big") for size in shape)
    return bytes([0, 0, 8, len(shape)]) + sizes + array.astype(np.uint8).tobytes()


def images(count, side=28):
    return np.random.default_rng(count).integers(0, 256, (count, side, side))


def official(part, what):
    """60 images or labels to train, 20 to test, in the place of the official ones."""
    count = {"train": 60, "test": 20}[part]
    return images(count) if what == "images" else np.arange(count) % 10


def bytes_of(part, what):
    return official(part, what).astype(np.uint8).tobytes()


def write_files(folder):
    """Write the four files, with 60 images to train and 20 to test."""
    folder.mkdir(parents=True, exist_ok=True)
    for (part, what), name in data.FILES.items():
        (folder / name).write_bytes(gzip.compress(idx(official(part, what)), 1))
    return folder


@pytest.fixture
def small(monkeypatch):
    """Let the official files hold 60 and 20 images, 15 of them for validation."""
    monkeypatch.setattr(data, "NUM_IMAGES", {"train": 60, "test": 20})
    checksums = {key: zlib.crc32(bytes_of(*key)) for key in data.FILES}
    monkeypatch.setattr(data, "CHECKSUMS", checksums)
    monkeypatch.setattr(data, "NUM_VALID", 15)


@pytest.fixture
def mirror(tmp_path, small, monkeypatch):
    """A classroom's mirror with small files, named by FASHION_MNIST_DIR."""
    monkeypatch.setenv("FASHION_MNIST_DIR", str(tmp_path / "mirror"))
    return write_files(tmp_path / "mirror")


# --- good files


def test_mirror_is_loaded_scaled_and_split(mirror):
    found, fashion = data.source(), data.load_fashion_mnist()
    assert (found.kind, found.is_real, found.folder) == ("folder", True, mirror)
    official = images(60)
    np.testing.assert_array_equal(
        np.round(np.concatenate([fashion.train_images, fashion.valid_images]) * 255), official
    )
    assert len(fashion.valid_images) == len(fashion.valid_labels) == 15
    np.testing.assert_array_equal(fashion.valid_labels, np.arange(45, 60) % 10)
    np.testing.assert_array_equal(np.round(fashion.test_images * 255), images(20))
    assert fashion.train_images.dtype == np.float32 and fashion.train_labels.dtype == np.int64
    assert fashion.train_images.min() == 0 and fashion.train_images.max() == 1
    assert fashion.is_real and fashion.class_names[9] == "ankle boot"


def test_label_of_the_source_names_no_folder(mirror):
    assert str(mirror) not in data.source().label


def test_smoke_takes_the_first_images_of_each_part(mirror, monkeypatch):
    monkeypatch.setattr(data, "SMOKE_SIZES", {"train": 8, "valid": 4, "test": 2})
    lesson = data.load_fashion_mnist()
    monkeypatch.setenv("NOTEBOOK_PROFILE", "smoke")
    smoke = data.load_fashion_mnist()
    assert [len(smoke.train_images), len(smoke.valid_images), len(smoke.test_labels)] == [8, 4, 2]
    np.testing.assert_array_equal(smoke.valid_images, lesson.valid_images[:4])
    np.testing.assert_array_equal(smoke.test_labels, lesson.test_labels[:2])


def test_keras_cache_is_used_without_a_network(caches, offline, small):
    write_files(caches[0])
    assert data.source() == data.Source("keras", "Fashion-MNIST from Keras' cache", caches[0])
    assert data.load_fashion_mnist().is_real


def test_real_data_has_its_official_splits(fashion):
    assert fashion.is_real
    for part, count in [("train", 55_000), ("valid", 5_000), ("test", 10_000)]:
        pixels, labels = getattr(fashion, f"{part}_images"), getattr(fashion, f"{part}_labels")
        assert pixels.shape == (count, 28, 28) and pixels.dtype == np.float32
        assert labels.shape == (count,) and labels.dtype == np.int64
        assert pixels.min() == 0 and pixels.max() == 1
        assert sorted(set(labels)) == list(range(10))
    assert fashion.class_names[fashion.train_labels[0]] == "ankle boot"


def test_a_home_in_keras_folder_is_found(monkeypatch):
    monkeypatch.setenv("KERAS_HOME", "~/elsewhere")
    assert data._keras_folder() == Path.home() / "elsewhere" / "datasets" / "fashion-mnist"


# --- bad files


def test_a_file_that_may_not_be_read_is_named(mirror, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(data.gzip, "open", refuse)
    with pytest.raises(data.DataError, match=f"{TRAIN_IMAGES} can't be read.*Permission denied"):
        data.load_fashion_mnist()


def packed(array, shape=None):
    return gzip.compress(idx(array, shape), 1)


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0xFF for byte in content[middle:])


BAD = {
    "a web page": (b"<html>Please log in to this network</html>", "damaged"),
    "truncated": (packed(images(60))[:-500], "truncated"),
    "bytes flipped": (flipped(packed(images(60))), "damaged"),
    "wrong checksum": (packed(images(60))[:-8] + bytes(8), "damaged"),
    "empty": (b"", "IDX"),
    "wrong magic": (gzip.compress(b"\1" + idx(images(60))[1:]), "IDX"),
    "wrong type": (gzip.compress(b"\0\0\x0d\3" + idx(images(60))[4:]), "IDX"),
    "rank 2": (packed(images(60).reshape(60, 784)), "IDX"),
    "only half a header": (gzip.compress(idx(images(60))[:7]), "IDX"),
    "announces more": (packed(images(60), (61, 28, 28)), "61, 28, 28"),
    "announces fewer": (packed(images(60), (59, 28, 28)), "59, 28, 28"),
    "small images": (packed(images(60, side=14)), "60, 14, 14"),
    "too few images": (packed(images(59)), "59, 28, 28"),
    "another set": (packed(255 - images(60)), "other images than Fashion-MNIST's"),
    "labels in place of images": (packed(np.zeros(60)), r"60\]; the official file's is \[60, 28"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_named_with_the_remedy(case, mirror):
    content, reason = BAD[case]
    (mirror / TRAIN_IMAGES).write_bytes(content)
    with pytest.raises(data.DataError, match=reason) as error:
        data.load_fashion_mnist()
    assert TRAIN_IMAGES in str(error.value)
    assert "Put Fashion-MNIST's own file into the folder in FASHION_MNIST_DIR" in str(error.value)


@pytest.mark.parametrize(
    "array", [np.zeros(59), images(60)], ids=["fewer labels", "images in place of labels"]
)
def test_bad_labels_are_named(array, mirror):
    (mirror / TRAIN_LABELS).write_bytes(packed(array))
    with pytest.raises(data.DataError, match=TRAIN_LABELS):
        data.load_fashion_mnist()


def test_mistyped_mirror_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("FASHION_MNIST_DIR", str(tmp_path / "fashoin"))
    with pytest.raises(data.DataError, match="FASHION_MNIST_DIR is '.*fashoin'.*unset"):
        data.load_fashion_mnist()


@pytest.mark.parametrize("name", data.FILES.values())
def test_missing_file_is_named_and_nothing_else_is_tried(name, mirror, monkeypatch):
    (mirror / name).unlink()
    monkeypatch.setattr(data, "_download", lambda *args: pytest.fail("tried to download"))
    with pytest.raises(data.DataError, match=f"{name}.*official .gz files.*unset"):
        data.load_fashion_mnist()


def test_file_that_vanishes_is_an_error_too(mirror):
    data.source()
    (mirror / TEST_IMAGES).unlink()
    with pytest.raises(data.DataError, match=f"{TEST_IMAGES} is missing"):
        data.load_fashion_mnist()


def test_remedy_for_the_mirror_works_without_a_restart(mirror):
    good = (mirror / TRAIN_IMAGES).read_bytes()
    (mirror / TRAIN_IMAGES).write_bytes(good[:100])
    with pytest.raises(data.DataError):
        data.load_fashion_mnist()
    (mirror / TRAIN_IMAGES).write_bytes(good)
    assert len(data.load_fashion_mnist().train_images) == 45


def test_remedy_for_keras_cache_works_without_a_restart(caches, offline, small, displayed):
    write_files(caches[0])
    (caches[0] / TRAIN_IMAGES).write_bytes(b"")
    with pytest.raises(data.DataError, match="Delete it and run this again"):
        data.load_fashion_mnist()
    (caches[0] / TRAIN_IMAGES).unlink()
    assert not data.load_fashion_mnist().is_real  # no network, so the stand-in, not an error


# --- no network


def test_digits_stand_in_with_a_banner(offline, displayed):
    assert not data.source().is_real
    digits = data.load_fashion_mnist()
    assert not digits.is_real and digits.class_names == tuple("0123456789")
    sizes = [len(getattr(digits, f"{part}_images")) for part in ("train", "valid", "test")]
    assert sizes == [1197, 200, 400]
    for part in ("train", "valid", "test"):
        pixels, labels = getattr(digits, f"{part}_images"), getattr(digits, f"{part}_labels")
        assert pixels.shape[1:] == (28, 28) and pixels.dtype == np.float32
        assert pixels.min() == 0 and 0.9 < pixels.max() <= 1
        assert labels.shape == pixels.shape[:1] and labels.dtype == np.int64
        assert sorted(set(labels)) == list(range(10))
    (banner,) = displayed
    for text in (banner["text/plain"], banner["text/html"]):
        assert "STAND-IN DATA" in text and "FASHION_MNIST_DIR" in text


def test_digits_look_like_the_originals(offline, displayed):
    from sklearn.datasets import load_digits

    digits = data.load_fashion_mnist()
    shrunk = digits.train_images[:100, 1::4, 1::4][:, :7, :7].reshape(100, -1)
    originals = load_digits().images[:100, :7, :7].reshape(100, -1)
    assert np.corrcoef(shrunk.ravel(), originals.ravel())[0, 1] > 0.7
    np.testing.assert_array_equal(digits.train_labels[:100], load_digits().target[:100])


def test_digits_at_smoke(offline, displayed, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", "smoke")
    assert len(data.load_fashion_mnist().train_images) == 1197
    assert len(displayed) == 1


# --- batches


def epochs(dataset, count=2):
    return [[batch.numpy().tolist() for batch in dataset] for _ in range(count)]


def test_batches_hold_everything_once_in_a_new_order_each_epoch():
    first, second = epochs(data.batches(np.arange(64), 8))
    assert len(first) == 8 and all(len(batch) == 8 for batch in first)
    assert sorted(sum(first, [])) == sorted(sum(second, [])) == list(range(64))
    assert first != second and sum(first, []) != list(range(64))


def test_batches_are_shuffled_over_the_whole_set():
    numbers = np.array(sum(epochs(data.batches(np.arange(6400), 32), 1)[0][:10], []))
    assert numbers.max() > 5000  # a short shuffle buffer would start with small numbers only


def test_batches_follow_the_seed():
    def run(seed):
        return epochs(data.batches(np.arange(64), 8, seed=seed))

    import keras

    keras.utils.set_random_seed(1)
    assert run(1) == run(1)
    assert run(1) != run(2)


def test_batches_keep_the_order_if_told():
    (numbers,) = epochs(data.batches(np.arange(10), 4, shuffle=False), 1)
    assert numbers == [[0, 1, 2, 3], [4, 5, 6, 7]]  # the smaller last batch is dropped


def test_batches_leave_out_the_tuning_thread():
    """On one core it keeps the end of each epoch waiting."""
    assert data.batches(np.arange(64), 8).options().autotune.enabled is False


def test_batches_of_a_pair_stay_together():
    pixels, labels = images(40).astype(np.float32), np.arange(40)
    for batch, numbers in data.batches((pixels, labels), 10):
        assert batch.dtype == np.float32 and batch.shape == (10, 28, 28)
        np.testing.assert_array_equal(batch, pixels[numbers.numpy()])


def test_batch_larger_than_the_set_is_an_error():
    with pytest.raises(ValueError, match="batch of 32.*31"):
        data.batches(np.arange(31))
