"""Profiles, the cache folder, and what start() says and keeps quiet."""

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from helpers import session


@pytest.mark.parametrize("name", session.PROFILES)
def test_profile_is_the_one_in_the_environment(name, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", name)
    assert session.profile() == name


@pytest.mark.parametrize("unset", [None, ""])
def test_profile_is_lesson_when_nothing_is_said(unset, monkeypatch):
    monkeypatch.delenv("NOTEBOOK_PROFILE", raising=False)
    if unset is not None:
        monkeypatch.setenv("NOTEBOOK_PROFILE", unset)
    assert session.profile() == "lesson"


@pytest.mark.parametrize("ask", [session.profile, lambda: session.scaled(10), session.start])
def test_unknown_profile_is_an_error_that_lists_the_three(ask, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", "Smoke")
    with pytest.raises(ValueError, match="'Smoke'.*smoke, lesson, full"):
        ask()


@pytest.mark.parametrize(
    ("name", "expected"), [("smoke", [1, 2, 1]), ("lesson", [10, 10, 10]), ("full", [10, 10, 50])]
)
def test_scaled_follows_the_profile(name, expected, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", name)
    values = [session.scaled(10), session.scaled(10, smoke=2), session.scaled(10, full=50)]
    assert values == expected


def test_scaled_takes_zero_for_a_value(monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", "full")
    assert session.scaled(10, full=0) == 0


def test_cache_dir_is_made_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("FROM_PCA_CACHE", str(tmp_path / "a" / "b"))
    assert session.cache_dir() == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


def test_cache_dir_is_in_the_home_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.delenv("FROM_PCA_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert session.cache_dir() == tmp_path / ".cache" / "from-pca-to-stylegan"


def test_cache_dir_falls_back_to_the_temporary_files(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("FROM_PCA_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    assert session.cache_dir() == tmp_path / "tmp" / "from-pca-to-stylegan"


def test_cache_dir_avoids_folders_it_may_not_write(tmp_path, monkeypatch):
    monkeypatch.setenv("FROM_PCA_CACHE", str(tmp_path / "locked"))
    (tmp_path / "tmp" / "from-pca-to-stylegan").mkdir(parents=True)  # another user's
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(os, "access", lambda folder, mode: False)
    folder = session.cache_dir()
    assert folder.parent == tmp_path / "tmp" and folder.name.startswith("from-pca-to-stylegan-")
    assert folder.is_dir()


def test_start_describes_the_run_in_one_line_and_nothing_else():
    quiet = {"TF_CPP_MIN_LOG_LEVEL", "PYTHONWARNINGS"}
    finished = subprocess.run(
        [sys.executable, "-c", "from helpers import session; print(session.start())"],
        env={**{k: v for k, v in os.environ.items() if k not in quiet}, "NOTEBOOK_PROFILE": "full"},
        cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    (line,) = finished.stdout.splitlines()
    parts = line.split(" · ")
    assert [part.split()[0] for part in parts[:3]] == ["Python", "TensorFlow", "Keras"]
    assert "CPU" in parts[3] or "GPU" in parts[3]
    assert parts[4] == "profile full"


def test_start_fixes_all_seeds(monkeypatch):
    import keras

    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")

    def draw(seed):
        session.start(seed)
        return random.random(), np.random.rand(), float(keras.random.uniform(()))

    first, again, other = draw(7), draw(7), draw(8)
    assert first == again
    assert all(a != b for a, b in zip(first, other, strict=True))


def test_start_leaves_the_log_level_of_the_environment(monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    session.start()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"


def test_noise_on_stderr_is_held_back(capfd):
    with session.quiet_stderr():
        os.write(2, b"greetings from C++\n")
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"


def test_noise_on_stderr_is_shown_if_something_fails(capfd):
    with pytest.raises(ImportError), session.quiet_stderr():
        os.write(2, b"a library is missing\n")
        raise ImportError
    assert capfd.readouterr().err == "a library is missing\n"


def test_start_refuses_another_backend_and_says_what_to_do():
    finished = subprocess.run(
        [sys.executable, "-c", "from helpers import session; print(session.start())"],
        env={**os.environ, "KERAS_BACKEND": "numpy"}, cwd=Path(__file__).parents[1],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert finished.returncode != 0
    assert "KERAS_BACKEND is 'numpy', but this course needs TensorFlow" in finished.stderr


def test_the_last_resort_is_made_once(monkeypatch):
    monkeypatch.setattr(session.os, "access", lambda *_: False)
    assert session.cache_dir() == session.cache_dir()
