"""Weights that ship with the course, in ``helpers/weights`` with a manifest.

The manifest, ``manifest.json``, says of each file its sha256, how it came about (recipe, seed,
epochs, minutes, machine, versions), and what was measured. A file that doesn't match is refused.
"""

import contextlib
import hashlib
import json
import math
import os
import platform
import shutil
import tempfile
from importlib import metadata, resources
from pathlib import Path

import h5py
import numpy as np

WEIGHTS = Path(str(resources.files("helpers") / "weights"))


class PretrainedError(RuntimeError):
    """Weights are missing, damaged or made for another network; the message says what to do."""


def read_manifest(folder=None):
    """The manifest as dict: name -> entry. Empty if there is none."""
    path = (folder or WEIGHTS) / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if not all({"file", "sha256", "recipe"} <= set(entry) for entry in manifest.values()):
            raise ValueError("an entry is incomplete")
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise PretrainedError(f"{path.name} is damaged ({error}). {_REMEDY}") from None
    return manifest


_REMEDY = "Get it again with `git checkout helpers/weights`, or reinstall the course."


def available(name, folder=None):
    """Whether weights called `name` are in the manifest."""
    return name in read_manifest(folder)


def describe(name, folder=None):
    """The manifest's entry for `name`: file, sha256, recipe, measured and so on.

    Raises:
        PretrainedError: there is none.
    """
    manifest = read_manifest(folder)
    if name not in manifest:
        known = ", ".join(sorted(manifest)) or "none"
        raise PretrainedError(
            f"There are no shipped weights called {name!r} (there are: {known}). "
            "`make weights` trains them."
        )
    return manifest[name]


def load_weights(model, name, folder=None):
    """Load the shipped weights `name` into `model` and return it.

    Args:
        model: a built Keras model of the architecture that the weights were saved from.

    Raises:
        PretrainedError: unknown name; the file is missing; its sha256 isn't the manifest's; the
            model isn't built; or the weights don't fit the model, which then keeps its own.
    """
    entry = describe(name, folder)
    path = (folder or WEIGHTS) / entry["file"]
    if not path.is_file():
        raise PretrainedError(f"The weights file {path.name} is missing. {_REMEDY}")
    if _sha256(path) != entry["sha256"]:
        raise PretrainedError(
            f"The weights file {path.name} is not the one in the manifest (other sha256): damaged, "
            f"half downloaded or replaced. {_REMEDY}"
        )
    if not model.built:
        raise PretrainedError(
            f"The weights {name!r} need a model that is built: call it on one batch first."
        )
    before = model.get_weights()
    misfit = f"The weights {name!r} do not fit this network"
    if entry.get("parameters", _count(model)) != _count(model):  # Keras would load a part of them
        raise PretrainedError(
            f"{misfit}: it has {_count(model):,} parameters, not {entry['parameters']:,}. "
            f"They were made by: {entry['recipe']}"
        )
    try:
        with _without_optimizers(model):
            model.load_weights(path)
    except Exception as error:
        with contextlib.suppress(ValueError):
            model.set_weights(before)
        reason = str(error).splitlines()[0]
        raise PretrainedError(f"{misfit}: {reason} They were made by: {entry['recipe']}") from error
    return model


def save_weights(
    model, name, *, recipe, seed, epochs, minutes, measured, history=None, half=False, folder=None
):
    """Write `model`'s weights and their entry in the manifest; nothing is left half-written.

    Args:
        model: a built Keras model.
        name: letters, digits, ``-`` and ``_``.
        recipe: one line, how to make these weights.
        seed, epochs, minutes: of the training.
        measured: dict of measures, name -> number.
        history: dict name -> list of numbers, one per epoch.
        half: store float16 numbers: half as large, and about three digits of each weight are left.
    """
    folder = folder or WEIGHTS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.weights.h5"
    for left in folder.glob(f".{name}-*"):  # by a process that was killed while it wrote
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}-") as temporary:
        written = Path(temporary, path.name)
        with _without_optimizers(model):
            model.save_weights(written)
        if half:
            written = _halved(written)
        entry = {
            "file": path.name,
            "sha256": _sha256(written),
            "bytes": written.stat().st_size,
            "parameters": _count(model),
            "recipe": recipe,
            "seed": seed,
            "epochs": epochs,
            "minutes": round(minutes, 1),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "versions": {package: metadata.version(package) for package in _PACKAGES},
            "measured": measured,
        }
        if history is not None:
            entry["history"] = history
        manifest = {**read_manifest(folder), name: entry}
        listed = Path(temporary, "manifest.json")
        listed.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        os.replace(written, path)
        os.replace(listed, folder / "manifest.json")


def _halved(path):
    """A copy of a file of weights, with float16 in place of float32: the path, beside `path`."""
    half = path.with_name(f"half-{path.name}")
    with h5py.File(path) as original, h5py.File(half, "w") as copy:

        def store(name, item):
            if isinstance(item, h5py.Group):
                copied = copy.require_group(name)
            else:
                small = np.float16 if item.dtype == np.float32 else item.dtype
                copied = copy.create_dataset(name, data=item[()].astype(small))
            copied.attrs.update(item.attrs)

        original.visititems(store)
        copy.attrs.update(original.attrs)
    return half


@contextlib.contextmanager
def _without_optimizers(model):
    """Set a model's optimizers aside: Keras would save and load their state with the weights."""
    import keras

    optimizers = {
        name: value
        for name, value in vars(model).items()
        if isinstance(value, keras.optimizers.Optimizer)
    }
    try:
        for name in optimizers:
            setattr(model, name, None)
        yield
    finally:
        for name, optimizer in optimizers.items():
            setattr(model, name, optimizer)


_PACKAGES = ("tensorflow", "keras", "numpy")


def _count(model):
    return sum(math.prod(weight.shape) for weight in model.weights)


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
