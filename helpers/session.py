"""What a notebook needs to know about the run it is part of: profile, seed, machine."""

import contextlib
import functools
import os
import platform
import sys
import tempfile
from pathlib import Path

PROFILES = ("smoke", "lesson", "full")


def profile():
    """The profile named by the environment variable NOTEBOOK_PROFILE; default "lesson".

    "smoke" runs on tiny data for one epoch, "lesson" is what a student runs, "full" trains to the
    end and writes the weights that ship.

    Raises:
        ValueError: the variable holds something else.
    """
    name = os.environ.get("NOTEBOOK_PROFILE") or "lesson"
    if name not in PROFILES:
        raise ValueError(
            f"NOTEBOOK_PROFILE is {name!r}; it must be one of {', '.join(PROFILES)}. "
            "Unset it for an ordinary run."
        )
    return name


def scaled(lesson, *, smoke=1, full=None):
    """The value for the current profile: `lesson` unless it is another one.

    Example: ``epochs=session.scaled(10)`` is 10, but 1 at ``smoke``.

    Args:
        lesson: the value at ``lesson``.
        smoke: the value at ``smoke``.
        full: the value at ``full``; default: the same as at ``lesson``.
    """
    return {"smoke": smoke, "lesson": lesson, "full": lesson if full is None else full}[profile()]


def cache_dir():
    """A writable folder for checkpoints and downloads, outside the project.

    FROM_PCA_CACHE if set, else ``~/.cache/from-pca-to-stylegan``; where that can't be written, a
    folder among the system's temporary files.
    """
    wanted = os.environ.get("FROM_PCA_CACHE") or "~/.cache/from-pca-to-stylegan"
    for folder in (Path(wanted).expanduser(), Path(tempfile.gettempdir(), "from-pca-to-stylegan")):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    return _last_resort()


@functools.cache
def _last_resort():
    return Path(tempfile.mkdtemp(prefix="from-pca-to-stylegan-"))


def start(seed=42):
    """Quiet TensorFlow's log, fix all seeds, and describe the run in one line.

    Call it before anything else imports TensorFlow, whose C++ part greets on stderr otherwise.

    Args:
        seed: for Python's, NumPy's and Keras' random numbers.

    Returns:
        For example "Python 3.12.1 · TensorFlow 2.21.0 · Keras 3.15.1 · CPU, 4 cores · profile
        lesson".

    Raises:
        RuntimeError: the environment asks for another backend than TensorFlow.
    """
    name = profile()
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # whatever keras.json says
    if backend != "tensorflow":
        raise RuntimeError(
            f"The environment variable KERAS_BACKEND is {backend!r}, but this course needs "
            "TensorFlow. Unset it, or set it to tensorflow, then restart the kernel."
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_stderr():
        import keras
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    tf.get_logger().setLevel("ERROR")  # else it warns once a notebook has made several models
    keras.utils.clear_session()  # else Keras 3.12 goes on with the random numbers it has begun
    keras.utils.set_random_seed(seed)
    device = f"{len(gpus)} GPU" if gpus else f"CPU, {os.cpu_count()} cores"
    return (
        f"Python {platform.python_version()} · TensorFlow {tf.__version__} · "
        f"Keras {keras.__version__} · {device} · profile {name}"
    )


@contextlib.contextmanager
def quiet_stderr():
    """Hold back what C++ code writes to the process' stderr; show it if the block fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        try:
            saved = os.dup(2)
        except OSError:  # no stderr at all
            yield
            return
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
