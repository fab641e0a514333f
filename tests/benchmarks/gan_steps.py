"""Training steps per second: our GANs, compiled once, against the book's loop. `make bench`.

Same networks, same batches, same process; the ways take turns, and the median round counts. Once
with the dense networks of lesson 11, once with the chapter's DCGAN.
"""

import argparse
import statistics
import time
from dataclasses import dataclass

from helpers import session

session.start(seed=42)

import keras  # noqa: E402
import numpy as np  # noqa: E402

from helpers import data, models  # noqa: E402
from helpers.gan import GAN, FusedGAN  # noqa: E402

BATCH_SIZE = 32
STEPS_PER_EXECUTION = 10  # as in the lessons: batches between two returns to Python


@dataclass(frozen=True)
class Networks:
    """What is trained, and how."""

    generator: object
    discriminator: object
    codings_size: int
    jit_compile: object  # XLA makes transposed convolutions several times slower on a CPU
    steps: int


NETWORKS = {
    "dense": Networks(models.dense_generator, models.dense_discriminator, 30, "auto", 500),
    "DCGAN": Networks(models.dcgan_generator, models.dcgan_discriminator, 100, False, 40),
}


def our_round(kind, networks, batches, steps_per_execution):
    """Returns a function that trains on all batches once: ``fit``."""
    gan = kind(networks.generator(), networks.discriminator(), seed=1)
    gan.compile(
        keras.optimizers.RMSprop(),
        keras.optimizers.RMSprop(),
        steps_per_execution=steps_per_execution,
        jit_compile=networks.jit_compile,
    )
    dataset = data.batches(np.concatenate(batches), BATCH_SIZE)
    return lambda: gan.fit(dataset, epochs=1, verbose=0)


def book_round(networks, batches):
    """Returns a function that trains on all batches once: ``train_on_batch``, twice a step."""
    generator = networks.generator()
    discriminator = keras.Sequential([networks.discriminator(), keras.layers.Activation("sigmoid")])
    gan = keras.Sequential([generator, discriminator])
    how = dict(loss="binary_crossentropy", optimizer="rmsprop", jit_compile=networks.jit_compile)
    discriminator.compile(**how)
    discriminator.trainable = False
    gan.compile(**how)
    labels = np.repeat([[0.0], [1.0]], BATCH_SIZE, axis=0)
    shape = (BATCH_SIZE, networks.codings_size)

    def run():
        for real in batches:
            fakes = generator(keras.random.normal(shape))
            discriminator.trainable = True
            discriminator.train_on_batch(np.concatenate([fakes, real]), labels)
            discriminator.trainable = False
            codings = np.asarray(keras.random.normal(shape))
            gan.train_on_batch(codings, np.ones((BATCH_SIZE, 1)))

    return run


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def compare(name, networks, num_rounds):
    """Print a table of all ways to train `networks`."""
    shape = (networks.steps, BATCH_SIZE, *networks.discriminator().input_shape[1:])
    batches = list(np.random.default_rng(42).random(shape, dtype=np.float32))
    rounds = {
        "train_on_batch": book_round(networks, batches),
        "GAN.fit": our_round(GAN, networks, batches, 1),
        "GAN.fit, 10 steps at once": our_round(GAN, networks, batches, STEPS_PER_EXECUTION),
        "FusedGAN.fit, 10 at once": our_round(FusedGAN, networks, batches, STEPS_PER_EXECUTION),
    }
    for run in rounds.values():
        run()  # compiles
    times = [{way: seconds(run) for way, run in rounds.items()} for _ in range(num_rounds)]
    print(f"{name}, batch {BATCH_SIZE}: median of {num_rounds} rounds, {networks.steps} steps")
    print("                             steps/s   times the book's loop")
    for way in rounds:
        rate = networks.steps / statistics.median(taken[way] for taken in times)
        ratio = statistics.median(taken["train_on_batch"] / taken[way] for taken in times)
        print(f"  {way:26} {rate:7.1f} {ratio:7.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--networks", choices=[*NETWORKS], nargs="*", default=[*NETWORKS])
    options = parser.parse_args()
    for name in options.networks:
        compare(name, NETWORKS[name], options.rounds)


if __name__ == "__main__":
    main()
