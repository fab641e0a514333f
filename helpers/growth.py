"""How networks grow: images at each resolution, the schedule, and a training in stages."""

import math
from dataclasses import dataclass

import keras
import numpy as np

from helpers import data, plotting, pretrained, session
from helpers.progressive import ProgressiveGAN, fade_layers, faded
from helpers.training import SlowDown, TrainingFilm, WeightAverage, fit_resumably, measured


def images_at(images, resolution):
    """Images with a margin of 2 pixels, averaged down to a resolution, ready for the networks.

    Args:
        images: float [N, 28, 28] in [0, 1].
        resolution: 32, 16, 8 or 4.

    Returns:
        Float32 [N, resolution, resolution, 1] in [-1, 1].

    Raises:
        ValueError: images of another size, or a resolution that doesn't divide 32.
    """
    images = np.asarray(images, np.float32)
    if images.ndim != 3 or images.shape[1:] != (28, 28) or 32 % resolution:
        raise ValueError(
            f"Images must be [N, 28, 28] and the resolution a divisor of 32; these are "
            f"{list(images.shape)} and {resolution}."
        )
    padded = np.pad(images, [(0, 0), (2, 2), (2, 2)])  # [N, 32, 32]
    side = 32 // resolution
    fields = padded.reshape(-1, resolution, side, resolution, side)
    return 2 * fields.mean(axis=(2, 4))[..., np.newaxis] - 1


def viewable(pixels, size=28):
    """What networks make, as images to look at: enlarged to 32 x 32, from 0 to 1.

    Args:
        pixels: float [N, R, R, 1], about -1 to 1; what is outside is clipped.
        size: 32, or 28 to cut the margin off, as the judge wants it.

    Returns:
        Float32 [N, size, size] in [0, 1].
    """
    pixels = np.asarray(pixels)[..., 0]
    side, margin = 32 // pixels.shape[1], (32 - size) // 2
    images = np.clip((pixels + 1) / 2, 0, 1).repeat(side, axis=1).repeat(side, axis=2)
    return images[:, margin : 32 - margin, margin : 32 - margin]


def draw(generator, codings, size=28):
    """Generate images to look at or to judge, float32 [N, size, size]; see :func:`viewable`."""
    generator.jit_compile = False  # XLA slows convolutions on a CPU
    return viewable(generator.predict(codings, batch_size=100, verbose=0), size)


@dataclass(frozen=True)
class Stage:
    """One stage of growth: a resolution, and how many images are shown at it."""

    resolution: int
    fade_images: int  # while the new layers are faded in
    stable_images: int  # after that
    slowing_images: int = 0  # at last, while the learning rates fall to 0

    @property
    def num_images(self):
        """Images shown in this stage."""
        return self.fade_images + self.stable_images + self.slowing_images

    def num_epochs(self, images_per_epoch):
        """Epochs of this stage.

        Raises:
            ValueError: the stage, or its end with falling rates, is not made of whole epochs.
        """
        if self.num_images % images_per_epoch or self.slowing_images % images_per_epoch:
            raise ValueError(
                f"{self} shows {self.num_images:,} images, {self.slowing_images:,} of them while "
                f"the rates fall; both must be multiples of {images_per_epoch:,}, an epoch."
            )
        return self.num_images // images_per_epoch


SCHEDULE = (
    Stage(4, 0, 40_000),
    Stage(8, 30_000, 70_000),
    Stage(16, 50_000, 150_000),
    Stage(32, 100_000, 300_000, 300_000),
)


class SameAlpha(keras.callbacks.Callback):
    """After each epoch, gives the averaged generator the GAN's alpha: an average of it would lag.

    Args:
        gan: a :class:`helpers.progressive.FadingGAN` in training.
        average: the averaged generator.
    """

    def __init__(self, gan, average):
        super().__init__()
        self.gan, self.average = gan, average

    def on_epoch_end(self, epoch, logs=None):
        for layer in fade_layers(self.average):
            layer.alpha.assign(self.gan.alpha)


def grow(
    networks,
    schedule,
    images,
    new_optimizer,
    watch,
    *,
    kind=ProgressiveGAN,
    name=None,
    recipe="",
    batch_size=32,
    half_life=10_000,
    images_per_epoch=10_000,
    seed=42,
):
    """Train stage by stage; the layers of earlier stages go on learning.

    Each stage has a new GAN on layers old and new, new optimizers, and its own moving average of
    the generator's weights, which starts at the weights of that moment; alpha is not averaged. In
    the stage's slowing images the learning rates fall to 0.

    Args:
        networks: the growing generator, another one for its average, the growing discriminator.
        schedule: sequence of :class:`Stage`; a stage's images, in whole epochs.
        images: float [N, 28, 28] in [0, 1].
        new_optimizer: function without arguments -> a new optimizer.
        watch: function (gan, averaged generator, stage) -> list of callbacks.
        kind: class of the GAN.
        name: of the training: at ``full`` each stage can be interrupted and goes on; None: it
            can't.
        recipe: a text, for a training with a name; checkpoints of another one are thrown away.
        half_life: images after which a moment's weights count half as much in the average.
        images_per_epoch: how many images are called an epoch in the history.

    Returns:
        The averaged generator of the last stage, the history of all stages in one dict, name ->
        list, and a list with the stages' checkpoints, each None or to be deleted.

    Raises:
        ValueError: a name without a recipe, or stages that are not made of whole epochs.
    """
    (generator, average, discriminator), steps = networks, images_per_epoch // batch_size
    history, checkpoints = {}, []
    for stage in schedule:
        size, fade_steps = stage.resolution, stage.fade_images // batch_size
        gan = kind(generator.at(size), discriminator.at(size), fade_steps=fade_steps, seed=seed)
        gan.compile(new_optimizer(), new_optimizer(), jit_compile=False,
                    steps_per_execution=math.gcd(6, steps))  # fmt: skip
        averaging = WeightAverage(gan.generator, average.at(size), half_life / batch_size)
        callbacks = [averaging, SameAlpha(gan, averaging.network),
                     SlowDown(gan, stage.slowing_images // images_per_epoch)]  # fmt: skip
        part, checkpoint = fit_resumably(
            gan, name and f"{name}_{size}",
            data.batches(images_at(images, size), batch_size).repeat(),
            recipe=recipe and f"{recipe}; seed {seed}", keep=averaging.network, verbose=0,
            epochs=stage.num_epochs(images_per_epoch), steps_per_epoch=steps,
            callbacks=[*callbacks, *watch(gan, averaging.network, stage)],
        )  # fmt: skip
        for key, values in part.items():
            history.setdefault(key, []).extend(values)
        checkpoints.append(checkpoint)
    return averaging.network, history, checkpoints


def grow_or_load(train, network, name, *, recipe, seed):
    """Load the shipped weights of a grown generator, or train it; at ``full`` ship the result.

    The counterpart of :func:`helpers.training.fit_or_load` for a training in stages.

    Args:
        train: function without arguments that calls :func:`grow` with this `name`, and returns what
            it returns.
        network: a generator of the last stage, for the shipped weights.
        name: of the weights in ``helpers/weights/manifest.json``.
        recipe, seed: for the manifest.

    Returns:
        The averaged generator, and the history of all stages, dict name -> list.
    """
    if session.profile() == "lesson" and pretrained.available(name):
        pretrained.load_weights(network, name)
        return network, pretrained.describe(name).get("history", {})
    generator, history, checkpoints = train()
    if all(checkpoint is not None for checkpoint in checkpoints):
        pretrained.save_weights(
            generator,
            name,
            recipe=recipe,
            seed=seed,
            epochs=sum(len(checkpoint.epochs) for checkpoint in checkpoints),
            minutes=sum(checkpoint.minutes() for checkpoint in checkpoints),
            measured=measured(history),
            history=history,
        )
        for checkpoint in checkpoints:
            checkpoint.delete()  # only now: the weights are safe
    return generator, history


class GrowthFilm(TrainingFilm):
    """A film of the averaged generator, over all stages; captions tell the size and alpha.

    Pass :meth:`watch` to :func:`grow`.

    Args:
        codings: float [N, D], the same ones in each frame.
        columns: images per row.
        scale: enlargement of each pixel of the 32 x 32.
    """

    def __init__(self, codings, columns=4, scale=2):
        super().__init__(None, scale=scale)
        self.codings, self.columns = codings, columns

    def watch(self, gan, average, stage):
        """Go on with this stage's generator; returns the list of callbacks, this film."""
        self.picture = lambda: plotting.mosaic(draw(average, self.codings, 32), self.columns)
        return [self]

    def on_train_begin(self, logs=None):
        """Take no frame: a stage begins as the last one ended."""

    def on_epoch_end(self, epoch, logs=None):
        size = self.model.generator.output_shape[1]
        self.shoot(f"{size} x {size}, alpha = {float(self.model.alpha):.2f}")  # its font is ASCII


def fade_picture(alpha, network, decode, codings, real):
    """Generated and real images under the same alpha, as a picture with eight columns.

    Args:
        network: the generator whose ``fade_in`` is set to `alpha`.
        decode: function, codings -> images in [0, 1], float [N, R, R, 1], that uses it.
        real: float [M, R, R, 1] in [-1, 1].
    """
    network.get_layer("fade_in").alpha.assign(alpha)
    shown = np.concatenate([decode(codings), np.clip((faded(real, alpha) + 1) / 2, 0, 1)])
    return plotting.mosaic(shown, columns=8)
