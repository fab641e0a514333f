"""A memory of old fakes, for experience replay."""

import keras
import tensorflow as tf
from keras import ops


class ReplayBuffer:
    """Keeps the latest fakes, up to `capacity`; a new one takes the place of the oldest.

    Works within ``fit``, where Python runs only once: the memory is a variable.

    Args:
        capacity: the number of fakes that fit in.
        shape: of one fake, such as (28, 28, 1).
        seed: of the drawing.
    """

    def __init__(self, capacity, shape, seed=None):
        self.capacity = capacity
        self.fakes = keras.Variable(ops.zeros((capacity, *shape)), trainable=False, name="fakes")
        self.num_seen = keras.Variable(0, dtype="int32", trainable=False, name="num_seen")
        self.seed_generator = keras.random.SeedGenerator(seed)

    def add(self, fakes):
        """Put in fakes, float tensor [N, ...], N at most `capacity`."""
        count = ops.shape(fakes)[0]
        places = (self.num_seen + ops.arange(count)) % self.capacity  # the oldest ones'
        self.fakes.value.scatter_update(tf.IndexedSlices(tf.convert_to_tensor(fakes), places))
        self.num_seen.assign_add(count)

    def draw(self, count):
        """Draw `count` of the fakes at random, with repetition: float tensor [count, ...].

        While nothing is in it, these are zeros.
        """
        filled = ops.minimum(self.num_seen, self.capacity)
        share = keras.random.uniform((count,), seed=self.seed_generator)  # of the way, below 1
        return ops.take(self.fakes, ops.cast(share * ops.cast(filled, "float32"), "int32"), axis=0)
