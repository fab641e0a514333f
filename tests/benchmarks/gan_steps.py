"""Training steps per second: our GAN, compiled once, against the book's loop. `make bench`.

Same networks, same batches, same process; the two take turns, and the median round counts.
"""

import argparse
import statistics
import time

from helpers import session

session.start(seed=42)

import keras  # noqa: E402
import numpy as np  # noqa: E402

from helpers import data, models  # noqa: E402
from helpers.gan import GAN  # noqa: E402

BATCH_SIZE, CODINGS_SIZE = 32, 30
STEPS_PER_EXECUTION = 10  # as in lesson 11: batches between two returns to Python


def our_round(batches, steps_per_execution):
    """Returns a function that trains on all batches once: ``GAN.fit``."""
    gan = GAN(models.dense_generator(CODINGS_SIZE), models.dense_discriminator(), seed=1)
    gan.compile(
        keras.optimizers.RMSprop(),
        keras.optimizers.RMSprop(),
        steps_per_execution=steps_per_execution,
    )
    dataset = data.batches(np.concatenate(batches), BATCH_SIZE)
    return lambda: gan.fit(dataset, epochs=1, verbose=0)


def book_round(batches):
    """Returns a function that trains on all batches once: ``train_on_batch``, twice a step."""
    generator = models.dense_generator(CODINGS_SIZE)
    discriminator = keras.Sequential(
        [models.dense_discriminator(), keras.layers.Activation("sigmoid")]
    )
    gan = keras.Sequential([generator, discriminator])
    discriminator.compile(loss="binary_crossentropy", optimizer="rmsprop")
    discriminator.trainable = False
    gan.compile(loss="binary_crossentropy", optimizer="rmsprop")
    labels = np.repeat([[0.0], [1.0]], BATCH_SIZE, axis=0)

    def run():
        for real in batches:
            fakes = generator(keras.random.normal((BATCH_SIZE, CODINGS_SIZE)))
            discriminator.trainable = True
            discriminator.train_on_batch(np.concatenate([fakes, real]), labels)
            discriminator.trainable = False
            codings = np.asarray(keras.random.normal((BATCH_SIZE, CODINGS_SIZE)))
            gan.train_on_batch(codings, np.ones((BATCH_SIZE, 1)))

    return run


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=500, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    shape = (options.steps, BATCH_SIZE, 28, 28)
    batches = list(np.random.default_rng(42).random(shape, dtype=np.float32))
    rounds = {
        "train_on_batch": book_round(batches),
        "GAN.fit": our_round(batches, 1),
        "GAN.fit as in lesson 11": our_round(batches, STEPS_PER_EXECUTION),
    }
    for run in rounds.values():
        run()  # compiles
    times = [{name: seconds(run) for name, run in rounds.items()} for _ in range(options.rounds)]
    print(
        f"Dense GAN, batch {BATCH_SIZE}: median of {options.rounds} rounds, {options.steps} steps"
    )
    print("                           steps/s   ratio (target for the last: at least 3.5)")
    for name in rounds:
        rate = options.steps / statistics.median(taken[name] for taken in times)
        ratio = statistics.median(taken["train_on_batch"] / taken[name] for taken in times)
        print(f"  {name:24} {rate:7.0f} {ratio:7.1f}")


if __name__ == "__main__":
    main()
