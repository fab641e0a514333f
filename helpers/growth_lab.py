"""Instruments for experiments with growing networks: change layers, look inside, take the time."""

import functools
import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from helpers.growth import Stage, draw
from helpers.metrics import (
    class_coverage,
    class_entropy,
    class_histogram,
    frechet_distance,
    precision_recall,
)
from helpers.training import Measure


def quality(images, judge, real_features):
    """What a judge says of a set of generated images.

    Args:
        images: float [N, 28, 28] in [0, 1].
        judge: a :class:`helpers.classifier.Judge`.
        real_features: float [M, 64], its features of real images.

    Returns:
        Dict: "distance" (Fréchet), "precision", "recall", "entropy" of the class shares, "classes"
        with at least 1 %, and the shares "class_0", "class_1" and so on.
    """
    features, classes = judge.features_and_classes(images)
    precision, recall = precision_recall(real_features, features)
    return {
        "distance": frechet_distance(features, real_features),
        "precision": precision,
        "recall": recall,
        "entropy": class_entropy(classes),
        "classes": class_coverage(classes),
        **{f"class_{number}": share for number, share in enumerate(class_histogram(classes))},
    }


def ordinary(layer):
    """Keras' own layer in place of an equalized one, initialized by He's rule with the same gain.

    Args:
        layer: any layer, not yet built; those without a `gain` are returned as they are.
    """
    if not hasattr(layer, "gain"):
        return layer
    he = keras.initializers.VarianceScaling(layer.gain**2, "fan_in", "untruncated_normal")
    if hasattr(layer, "units"):
        return layers.Dense(layer.units, kernel_initializer=he)
    return layers.Conv2D(layer.filters, layer.kernel_size, padding="same", kernel_initializer=he)


def replace_layers(growing, change):
    """Change every layer of a growing network that hasn't been used yet; returns the network.

    Args:
        growing: a GrowingGenerator or GrowingDiscriminator.
        change: function, layer -> the layer to take its place, or None to leave it out.
    """
    for parts in (growing.blocks, getattr(growing, "to_image", None) or growing.from_image):
        for size, part in parts.items():
            old = part.layers if isinstance(part, keras.Sequential) else [part]
            new = [layer for layer in map(change, old) if layer is not None]
            parts[size] = keras.Sequential(new)
    return growing


def relative_updates(gan, batches, num_steps):
    """By what part of itself a training step changes each kernel, the mean of some steps.

    ``|W after - W before| / |W before|`` with Euclidean norms.

    Args:
        gan: a compiled GAN; it is trained.
        batches: dataset of real samples.
        num_steps: how many batches to take.

    Returns:
        Two arrays, float [K], with one number for each kernel of both networks: the size of its
        weights at the start (the root of their mean square), and its relative change.
    """
    kernels = [weight for weight in gan.trainable_variables if weight.path.endswith("kernel")]
    sizes = np.array([np.sqrt(np.square(kernel.numpy()).mean()) for kernel in kernels])
    step, updates = tf.function(gan.train_step), []
    for batch in batches.take(num_steps):
        before = [kernel.numpy() for kernel in kernels]
        step(batch)
        pairs = zip(before, kernels, strict=True)
        updates.append(
            [np.linalg.norm(kernel.numpy() - old) / np.linalg.norm(old) for old, kernel in pairs]
        )
    return sizes, np.mean(updates, axis=0)


def largest_activation(growing, size, codings):
    """The largest absolute output of a leaky ReLU in a growing generator, up to this size.

    It is taken before pixelwise normalization, which bounds what comes after it.
    """
    hidden, largest = ops.convert_to_tensor(codings), 0.0
    for block_size, block in growing.blocks.items():
        for layer in block.layers if block_size <= size else []:
            hidden = layer(hidden)
            if isinstance(layer, layers.LeakyReLU):
                largest = max(largest, float(ops.max(ops.abs(hidden))))
    return largest


class Clock(keras.callbacks.Callback):
    """Adds to the logs, as "seconds", the processor time of all epochs so far, and may stop there.

    Put it before callbacks that measure: what they do after an epoch doesn't count. One clock may
    run through several trainings.

    Args:
        limit: seconds after which the training is stopped, at the end of an epoch.

    Attributes:
        seconds: processor time of all epochs so far.
    """

    def __init__(self, limit=float("inf")):
        super().__init__()
        self.seconds, self.limit, self._start = 0.0, limit, 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds += time.process_time() - self._start
        logs["seconds"] = self.seconds
        if self.seconds >= self.limit:
            self.model.stop_training = True


def watch_quality(gan, average, stage, codings, judge, real_features):
    """For :func:`helpers.growth.grow`: the judge's report after each epoch, size and alpha.

    Args:
        gan, average, stage: see there.
        codings: float [N, D], the same ones each time.
        judge, real_features: see :func:`quality`.
    """

    def report():
        return quality(draw(average, codings), judge, real_features)

    return [Measure(report, size=lambda: stage.resolution, alpha=lambda: float(gan.alpha))]


def race(seed, grow, new_networks, schedule, train_images, distance, **settings):
    """Growing networks against the same ones that have all layers from the start.

    Both get equal processor time: what the schedule takes. It doesn't include measuring.

    Args:
        seed: of the weights and of the training.
        grow: :func:`helpers.growth.grow`.
        new_networks: function without arguments that makes the three networks for it.
        schedule: of the growing ones; the others train at its last resolution.
        distance: function, generator -> float, called after each epoch.
        settings: for :func:`helpers.growth.grow`.

    Returns:
        Dict "growing", "full size at once" -> dict with lists "seconds" and "distance".
    """

    def watch(gan, average, stage, clock):
        return [clock, Measure(distance=lambda: distance(average))]

    def run(stages, clock):
        keras.utils.set_random_seed(seed)
        watched = functools.partial(watch, clock=clock)
        _, history, _ = grow(
            new_networks(), stages, train_images, watch=watched, seed=seed, **settings
        )
        return {key: history[key] for key in ("seconds", "distance")}

    at_once = Stage(schedule[-1].resolution, 0, 4 * sum(stage.num_images for stage in schedule))
    clock = Clock()
    growing = run(schedule, clock)
    return {
        "growing": growing,
        "full size at once": run((at_once,), Clock(limit=clock.seconds)),
    }


def time_to_equal(first, second):
    """When the first training reached the second one's final distance.

    Args:
        first, second: dicts with lists "seconds" and "distance".

    Returns:
        A share of the second one's whole time; 2 if it was never reached.
    """
    whole, goal = second["seconds"][-1], second["distance"][-1]
    pairs = zip(first["seconds"], first["distance"], strict=True)
    return min((seconds for seconds, value in pairs if value <= goal), default=2 * whole) / whole


def grow_variants(seed, grow, new_networks, variants, codings, watch, new_optimizer, **settings):
    """The same growth in several variants.

    Args:
        seed: of the weights and of the training.
        grow: :func:`helpers.growth.grow`.
        new_networks: function without arguments that makes the three networks for it.
        variants: dict name -> (change, kind, learning rate): for :func:`replace_layers`, and the
            class of the GAN.
        codings: float [N, D], for :func:`largest_activation`.
        watch: see :func:`helpers.growth.grow`; for example :func:`watch_quality`.
        new_optimizer: function with an argument ``learning_rate``.
        settings: for `grow`, with ``schedule`` and ``images`` among them.

    Returns:
        Dict name -> history: all that `watch` measures, "seconds" of processor time, and "largest",
        the largest activation.
    """
    histories = {}
    for name, (change, kind, rate) in variants.items():
        keras.utils.set_random_seed(seed)
        networks = [replace_layers(growing, change) for growing in new_networks()]
        clock = Clock()

        def callbacks(gan, average, stage, growing=networks[0], clock=clock):
            size = stage.resolution
            largest = Measure(largest=lambda: largest_activation(growing, size, codings))
            return [clock, *watch(gan, average, stage), largest]

        how = {"new_optimizer": functools.partial(new_optimizer, learning_rate=rate), "kind": kind}
        _, histories[name], _ = grow(networks, watch=callbacks, seed=seed, **how, **settings)
    return histories
