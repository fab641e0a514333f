"""Around ``fit``: a film of the training, measures after each epoch, and train-or-load."""

import itertools
import json
import os
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
        caption: function, number of epochs done -> text; ASCII, as the film's font is.

    Attributes:
        frames: list of PNG bytes.
        captions: list of texts, one per frame, such as "epoch 3".
        listeners: functions called with the film after each new frame.
    """

    def __init__(self, picture, every=1, scale=1, caption="epoch {}".format):
        super().__init__()
        self.picture, self.every, self.scale, self.caption = picture, every, scale, caption
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
            self.shoot(self.caption(epoch + 1))


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
    steps run in one go (``steps_per_execution``), with that power of the decay. The average of a
    GAN's generator is steadier than its weights of any one moment; whether its samples are better,
    too, depends on the GAN (lessons 13 and 16).

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

        self._step = compile_once(step)

    def on_epoch_begin(self, epoch, logs=None):
        self._seen = -1

    def on_train_batch_end(self, batch, logs=None):
        last = (self.params or {}).get("steps")
        batch = min(batch, last - 1) if last else batch  # Keras counts a last, shorter run in full
        steps, self._seen = batch - self._seen, batch
        self._step(np.float32(self.decay**steps))


def compile_once(function):
    """A function of one float, compiled by TensorFlow: eager calls by the million eat memory."""
    import tensorflow as tf

    return tf.function(function, input_signature=[tf.TensorSpec((), tf.float32)], autograph=False)


class KeepBest(keras.callbacks.Callback):
    """Remembers a network's weights after its best epoch, and gives them back when training ends.

    The best epoch is that with the lowest value of a measure on validation data, so test data have
    no say. To the logs comes ``lowest_NAME``, the lowest value so far. Put it behind the callback
    that measures.

    Make it before anything is restored: it gives the model in training a layer that holds the
    weights and the value, so that checkpoints hold them, too.

    Args:
        model: the model in training.
        network: whose weights to keep, for example the average of a GAN's generator.
        measure: name of the measure; epochs whose logs lack it don't count.
    """

    def __init__(self, model, network, measure="distance"):
        super().__init__()
        self.network, self.measure = network, measure
        model.best = memory = keras.layers.Layer()
        infinity = keras.initializers.Constant(np.inf)
        self._lowest = memory.add_weight(initializer=infinity, trainable=False, name="lowest")
        self._best = [
            memory.add_weight(weight.shape, dtype=weight.dtype, trainable=False, name=f"best_{n}")
            for n, weight in enumerate(network.weights)
        ]

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.measure, np.inf)
        if value < float(self._lowest):
            self._lowest.assign(value)
            for kept, weight in zip(self._best, self.network.weights, strict=True):
                kept.assign(weight)
        if self.measure in (logs or {}):
            logs[f"lowest_{self.measure}"] = float(self._lowest)

    def on_train_end(self, logs=None):
        if np.isfinite(float(self._lowest)):
            self.network.set_weights([kept.numpy() for kept in self._best])


class SlowDown(keras.callbacks.Callback):
    """Lets both learning rates of a GAN fall towards 0 in the last epochs, by equal steps.

    In the last of n epochs they are 1/(n + 1) of what they were; 0 would be the next step.

    The rates of a compiled GAN are taken when this is made, so make it before anything is restored.

    Args:
        gan: a compiled :class:`helpers.gan.TwoPhaseModel`.
        num_epochs: in how many epochs; 0: never.
    """

    def __init__(self, gan, num_epochs):
        super().__init__()
        self.num_epochs = num_epochs
        optimizers = gan.generator_optimizer, gan.discriminator_optimizer
        self._rates = [(each, float(each.learning_rate)) for each in optimizers]

    def on_epoch_begin(self, epoch, logs=None):
        left = self.params["epochs"] - epoch  # this one included
        for optimizer, rate in self._rates:
            optimizer.learning_rate = rate * min(1, left / (self.num_epochs + 1))


def fit_or_load(
    model, name, *fit_data, recipe, seed, callbacks=(), ship=None, half=False, **fit_arguments
):
    """Load the shipped weights, or train: at ``full`` to the end, and ship the result.

    At ``lesson``, if weights called `name` ship with the course, they are loaded.
    Otherwise ``model.fit(*fit_data, **fit_arguments)`` runs. At ``full`` it continues from a
    checkpoint in the cache folder if an earlier run was interrupted, and writes weights and
    history; on stand-in data nothing is written. See :meth:`Checkpoint.delete` for how to keep
    finished trainings, too.

    Args:
        model: a built, compiled model.
        name: of the weights in ``helpers/weights/manifest.json``.
        recipe: one line for the manifest: how these weights come about.
        seed: for the manifest.
        ship: the network whose weights ship, for example the averaged generator of a GAN; default:
            `model`.
        half: ship float16 numbers, see :func:`helpers.pretrained.save_weights`.

    Returns:
        The history, dict name -> list with a value for each epoch: of the shipped training if the
        weights were loaded, empty if that was not kept.
    """
    if session.profile() == "lesson" and pretrained.available(name):
        pretrained.load_weights(ship or model, name)
        return pretrained.describe(name).get("history", {})
    history, checkpoint = fit_resumably(
        model,
        name,
        *fit_data,
        recipe=f"{recipe}; seed {seed}",
        callbacks=callbacks,
        keep=ship,
        **fit_arguments,
    )
    if checkpoint is not None:
        pretrained.save_weights(
            ship or model,
            name,
            recipe=recipe,
            seed=seed,
            epochs=len(checkpoint.epochs),
            minutes=checkpoint.minutes(),
            measured=measured(history),
            history=history,
            half=half,
        )
        checkpoint.delete()  # only now: the weights are safe
    return history


def fit_resumably(model, name, *fit_data, recipe, callbacks=(), keep=None, **fit_arguments):
    """``model.fit`` that at ``full`` goes on where an earlier run was interrupted.

    Args:
        model: a built, compiled model.
        name: of the folder for its checkpoints, in the cache folder; None: it can't be interrupted.
        recipe: a text; checkpoints of another one are thrown away.
        keep: another network whose weights belong to the state, for example an average.

    Returns:
        The history, dict name -> list, and at ``full``, on real data, the checkpoint, which stays
        there until its ``delete()``; otherwise None.

    Raises:
        ValueError: a name without a recipe, or a checkpoint that has more epochs behind it than are
            asked for.
    """
    if name and not recipe:
        raise ValueError("A training with a name needs a recipe: its checkpoints are known by it.")
    if name is None or session.profile() != "full" or not data.source().is_real:
        history = model.fit(*fit_data, callbacks=list(callbacks), **fit_arguments).history
        return history, None
    if keep is not None:
        model.kept_network = keep  # so that the checkpoints hold it, too
    checkpoint = Checkpoint(session.cache_dir() / "checkpoints" / name, recipe)
    first_epoch = checkpoint.restore(model)
    if first_epoch > fit_arguments.get("epochs", 1):
        raise ValueError(
            f"The checkpoint in {checkpoint.folder} has {first_epoch} epochs behind it, more than "
            f"the {fit_arguments.get('epochs', 1)} that are asked for. Ask for more, or delete "
            "this folder to begin anew."
        )
    model.fit(
        *fit_data, callbacks=[*callbacks, checkpoint], initial_epoch=first_epoch, **fit_arguments
    )
    return checkpoint.history(), checkpoint


def measured(history):
    """What was measured in the epoch whose weights ship: the last, or the best by `KeepBest`.

    Args:
        history: dict name -> list with a value for each epoch; a measure that began later has a
            shorter list. Of a training in stages, the last stage's weights ship.

    Returns:
        Dict name -> value.
    """
    back = 1  # epochs from the end
    for name, values in history.items():
        if name.startswith("lowest_"):  # the same since the best epoch
            back = len(list(itertools.takewhile(values[-1].__eq__, reversed(values))))
    return {name: values[-min(back, len(values))] for name, values in history.items()}


def random_states(model):
    """Where the model's random numbers stand, as a list of variables: weights files lack them.

    A GAN that goes on without them would draw the codings of its first epochs again.
    """
    held = {id(weight) for weight in model.weights}
    return [
        variable
        for variable in model.variables
        if id(variable) not in held and variable.path.endswith("seed_generator_state")
    ]


def forget_checkpoints():
    """Remove all checkpoints from the cache folder: the next training at ``full`` starts anew."""
    shutil.rmtree(session.cache_dir() / "checkpoints", ignore_errors=True)


class Checkpoint(keras.callbacks.Callback):
    """Keeps the state after the last whole epoch in a folder, whatever interrupts the training.

    Each file is written beside its place and then moved there, so none is ever half a file; the
    weights, optimizers included, come last, so an epoch with weights has its logs.

    Args:
        folder: where; it belongs to this training alone.
        recipe: a text; files of another one are thrown away.

    Attributes:
        epochs: list with a dict for each whole epoch: its logs and its minutes.
    """

    def __init__(self, folder, recipe):
        super().__init__()
        self.folder, self.recipe, self.epochs, self._start = folder, recipe, [], 0.0

    def restore(self, model):
        """Put `model` where an earlier run with this recipe stopped; returns the epochs done."""
        saved = sorted(self.folder.glob("epoch-*.weights.h5"))
        if saved:
            epoch = int(saved[-1].name.split("-")[1].split(".")[0])
            log = json.loads(self._log(epoch).read_text(encoding="utf-8"))
            if log["recipe"] == self.recipe:
                model.optimizer.build(model.trainable_variables)
                model.load_weights(saved[-1])
                for state, numbers in zip(random_states(model), log["random"], strict=True):
                    state.assign(numbers)
                self.epochs = log["epochs"]
                return epoch
        shutil.rmtree(self.folder, ignore_errors=True)  # nothing there, or another recipe's
        return 0

    def history(self):
        """Dict name -> list with a value for each epoch that has one."""
        logs = [epoch["logs"] for epoch in self.epochs]
        names = dict.fromkeys(name for each in logs for name in each)  # not all need be in each
        return {name: [each[name] for each in logs if name in each] for name in names}

    def minutes(self):
        """How long the epochs took, all runs together."""
        return sum(epoch["minutes"] for epoch in self.epochs)

    def delete(self):
        """Remove the folder: the training is finished, and its result is safe.

        Where the environment variable KEEP_CHECKPOINTS is set, it stays: ``make weights`` sets it,
        so that no training runs twice if one of the later ones is interrupted.
        """
        if not os.environ.get("KEEP_CHECKPOINTS"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        minutes = (time.perf_counter() - self._start) / 60
        logs = {name: float(value) for name, value in (logs or {}).items()}
        self.epochs.append({"minutes": minutes, "logs": logs})
        self.folder.mkdir(parents=True, exist_ok=True)
        old = list(self.folder.iterdir())
        log, done = self._log(epoch + 1), self.folder / f"epoch-{epoch + 1:05d}.weights.h5"
        random = [state.numpy().tolist() for state in random_states(self.model)]
        content = json.dumps({"recipe": self.recipe, "epochs": self.epochs, "random": random})
        (self.folder / "writing.json").write_text(content, encoding="utf-8")
        os.replace(self.folder / "writing.json", log)
        self.model.save_weights(self.folder / "writing.weights.h5")
        os.replace(self.folder / "writing.weights.h5", done)
        for path in set(old) - {log, done}:
            path.unlink(missing_ok=True)

    def _log(self, epoch):
        return self.folder / f"epoch-{epoch:05d}.json"
