"""Around ``fit``: a film of the training, measures after each epoch, and train-or-load."""

import csv
import shutil
import time

import keras

from helpers import data, plotting, pretrained, session


class TrainingFilm(keras.callbacks.Callback):
    """Keeps one picture per epoch, so that the training can be watched again.

    The picture before training is the first frame. Show the same codings in each frame, then every
    change is the model's. Interrupting ``fit`` leaves the frames made so far.

    Args:
        picture: function without arguments, returns a uint8 picture [H, W] or [H, W, 3].
        every: keep the picture of every so many epochs.
        scale: enlargement of each pixel.

    Attributes:
        frames: list of PNG bytes.
        captions: list of texts, one per frame, such as "epoch 3".
        listeners: functions called with the film after each new frame.
    """

    def __init__(self, picture, every=1, scale=1):
        super().__init__()
        self.picture, self.every, self.scale = picture, every, scale
        self.frames, self.captions, self.listeners = [], [], []

    def shoot(self, caption):
        """Take one frame now and tell the listeners."""
        self.frames.append(plotting.png_bytes(self.picture(), self.scale))
        self.captions.append(caption)
        for listener in list(self.listeners):
            listener(self)

    def on_train_begin(self, logs=None):
        if not self.frames:
            self.shoot("before training")

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            self.shoot(f"epoch {epoch + 1}")


class Measure(keras.callbacks.Callback):
    """Adds measures to the logs after each epoch, so that the history holds them.

    Example::

        model.fit(..., callbacks=[Measure(sharpness=lambda: sharpness(sample_images()))])

    Args:
        functions: functions without arguments that return a dict, name -> float.
        measures: functions without arguments that return a float, by name.
    """

    def __init__(self, *functions, **measures):
        super().__init__()
        self.functions, self.measures = functions, measures

    def on_epoch_end(self, epoch, logs=None):
        if logs is None:
            return
        for function in self.functions:
            logs.update({name: float(value) for name, value in function().items()})
        logs.update({name: float(measure()) for name, measure in self.measures.items()})


def fit_or_load(model, name, *fit_data, recipe, seed, callbacks=(), **fit_arguments):
    """Load the shipped weights, or train: at ``full`` to the end, and ship the result.

    At ``lesson``, if weights called `name` ship with the course, they are loaded into `model`.
    Otherwise ``model.fit(*fit_data, **fit_arguments)`` runs. At ``full`` it continues from a
    checkpoint in the cache folder if an earlier run was interrupted, and writes weights and
    history; on stand-in data nothing is written.

    Args:
        model: a built, compiled model.
        name: of the weights in ``helpers/weights/manifest.json``.
        recipe: one line for the manifest: how these weights come about.
        seed: for the manifest.

    Returns:
        The history, dict name -> list with a value for each epoch: of the shipped training if the
        weights were loaded, empty if that was not kept.
    """
    if session.profile() == "lesson" and pretrained.available(name):
        pretrained.load_weights(model, name)
        return pretrained.describe(name).get("history", {})
    if session.profile() != "full" or not data.source().is_real:
        return model.fit(*fit_data, callbacks=list(callbacks), **fit_arguments).history
    folder = session.cache_dir() / "checkpoints" / name
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "history.csv"
    # The log comes before the backup: an epoch is only counted as done once it is written down.
    resume = [
        keras.callbacks.CSVLogger(log, append=True),
        keras.callbacks.BackupAndRestore(folder / "backup", delete_checkpoint=False),
    ]
    start = time.perf_counter()
    model.fit(*fit_data, callbacks=[*callbacks, *resume], **fit_arguments)
    history = _read_history(log)
    pretrained.save_weights(
        model,
        name,
        recipe=recipe,
        seed=seed,
        epochs=max(map(len, history.values())),
        minutes=(time.perf_counter() - start) / 60,
        measured={key: values[-1] for key, values in history.items()},
        history=history,
    )
    shutil.rmtree(folder)  # only now: the weights are safe
    return history


def _read_history(path):
    """Columns of a CSV log as dict name -> list of floats; a repeated epoch counts once.

    Where there was no validation, Keras writes columns of "NA": they are left out.
    """
    with open(path, newline="") as file:
        rows = {row.pop("epoch"): row for row in csv.DictReader(file)}.values()
    columns = {
        key: [float(row[key]) for row in rows if row[key] != "NA"] for key in next(iter(rows))
    }
    return {key: values for key, values in columns.items() if values}
