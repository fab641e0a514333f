"""Around ``fit``: a film of the training, measures after each epoch, and train-or-load."""

import csv
import shutil
import time

import keras
import numpy as np

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


class WeightAverage(keras.callbacks.Callback):
    """Keeps an exponential moving average of a network's weights in a second network.

    After each training step ``average <- decay * average + (1 - decay) * weight``; where several
    steps run in one go (``steps_per_execution``), with that power of the decay. Averages of a
    generator make better and steadier samples than the weights of any one moment.

    Args:
        network: the network in training.
        average: another one of the same architecture; it starts at the weights of `network`.
        half_life: training steps after which a moment's weights count half as much.

    Attributes:
        network: the averaged network.

    Raises:
        ValueError: the two networks have different weights.
    """

    def __init__(self, network, average, half_life=300):
        super().__init__()
        average.set_weights(network.get_weights())
        average.trainable = False
        self.network, self.decay, self._seen = average, 0.5 ** (1 / half_life), -1
        pairs = list(zip(average.weights, network.weights, strict=True))

        def step(keep):
            for mean, weight in pairs:
                mean.assign(keep * mean + (1 - keep) * weight)

        self._step = _compiled(step)

    def on_epoch_begin(self, epoch, logs=None):
        self._seen = -1

    def on_train_batch_end(self, batch, logs=None):
        last = (self.params or {}).get("steps")
        batch = min(batch, last - 1) if last else batch  # Keras counts a last, shorter run in full
        steps, self._seen = batch - self._seen, batch
        self._step(np.float32(self.decay**steps))


def _compiled(function):
    """A function of one float, compiled by TensorFlow: eager calls by the million eat memory."""
    import tensorflow as tf

    return tf.function(function, input_signature=[tf.TensorSpec((), tf.float32)], autograph=False)


def fit_or_load(model, name, *fit_data, recipe, seed, callbacks=(), ship=None, **fit_arguments):
    """Load the shipped weights, or train: at ``full`` to the end, and ship the result.

    At ``lesson``, if weights called `name` ship with the course, they are loaded.
    Otherwise ``model.fit(*fit_data, **fit_arguments)`` runs. At ``full`` it continues from a
    checkpoint in the cache folder if an earlier run was interrupted, and writes weights and
    history; on stand-in data nothing is written.

    Args:
        model: a built, compiled model.
        name: of the weights in ``helpers/weights/manifest.json``.
        recipe: one line for the manifest: how these weights come about.
        seed: for the manifest.
        ship: the network whose weights ship, for example the averaged generator of a GAN; default:
            `model`.

    Returns:
        The history, dict name -> list with a value for each epoch: of the shipped training if the
        weights were loaded, empty if that was not kept.
    """
    if session.profile() == "lesson" and pretrained.available(name):
        pretrained.load_weights(ship or model, name)
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
    if ship is not None:
        model.shipped_network = ship  # so that the backup holds it, too
    start = time.perf_counter()
    model.fit(*fit_data, callbacks=[*callbacks, *resume], **fit_arguments)
    history = _read_history(log)
    pretrained.save_weights(
        ship or model,
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
