"""What the tests share: a clean start for each, captured displays, and the real data if present."""

import os
from pathlib import Path

import matplotlib
import pytest
from matplotlib import pyplot as plt

from helpers import data, pretrained


def pytest_configure():
    """Let no figure open a window; the environment of child processes stays as it is."""
    matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def clean_start():
    """Forget the data source found by an earlier test, and close its figures."""
    data.source.cache_clear()
    yield
    data.source.cache_clear()
    plt.close("all")


@pytest.fixture
def lesson(monkeypatch):
    """The profile "lesson", whatever the environment says."""
    monkeypatch.delenv("NOTEBOOK_PROFILE", raising=False)


@pytest.fixture
def caches(tmp_path, monkeypatch):
    """No mirror, and empty caches of Keras and the course: (keras' datasets, the course's)."""
    monkeypatch.delenv("FASHION_MNIST_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("FROM_PCA_CACHE", str(tmp_path / "course"))
    return tmp_path / "keras" / "datasets" / "fashion-mnist", tmp_path / "course" / "fashion-mnist"


@pytest.fixture
def offline(caches, monkeypatch):
    """Empty caches and no network."""
    monkeypatch.setattr(data, "_reachable", lambda *args: False)


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """An empty folder for weights to ship, an empty cache, and data that count as real."""
    monkeypatch.setattr(pretrained, "WEIGHTS", tmp_path / "weights")
    monkeypatch.setenv("FROM_PCA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(data, "source", lambda: data.Source("folder", "a mirror", Path()))
    return tmp_path / "weights"


@pytest.fixture
def full(weights, monkeypatch):
    """The profile "full", on data and with a folder of weights as in :func:`weights`."""
    monkeypatch.setenv("NOTEBOOK_PROFILE", "full")
    return weights


@pytest.fixture
def displayed(monkeypatch):
    """The mime bundles that were displayed, a list that fills during the test."""
    bundles = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: bundles.append(bundle))
    return bundles


@pytest.fixture(scope="session")
def fashion():
    """The real Fashion-MNIST at the profile "lesson"; skips where it is not on the disk."""
    folder = Path(os.environ.get("FASHION_MNIST_DIR") or data._keras_folder()).expanduser()
    if not data._complete(folder):
        pytest.skip("needs the real Fashion-MNIST: set FASHION_MNIST_DIR")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FASHION_MNIST_DIR", str(folder))
        patch.delenv("NOTEBOOK_PROFILE", raising=False)
        data.source.cache_clear()
        return data.load_fashion_mnist()
