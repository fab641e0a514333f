"""Checks of exercise 9: a denoising autoencoder that pretrains a classifier."""

import keras
import numpy as np

from helpers.data import CLASS_NAMES, FashionMNIST
from helpers.exercises import (
    Wrong,
    all_layers,
    array,
    call,
    judge_word,
    num_found,
    require,
    require_probabilities,
    require_score,
    same,
    step,
)

FEWEST_SEEDS = 5


@step("9a", "a deep encoder with noise on its input, in training only")
def check_encoder(encoder, *, image_shape):
    """`encoder`: images [N, *image_shape] -> codings [N, D], with a noise layer at the start."""
    codings_size = _check_shapes(encoder, image_shape)
    layers = all_layers(encoder)
    deep = [layer for layer in layers if _has_kernel(layer)]
    require(
        len(deep) >= 3,
        f"it has {len(deep)} layers with weights. Deep means at least three: two hidden ones, "
        "and the codings",
    )
    images = np.random.default_rng(0).random((64, *image_shape)).astype("float32")
    once, again = np.asarray(encoder(images)), np.asarray(encoder(images, training=False))
    require(
        same(once, again),
        "the same image gets other codings each time, even outside of training. Use a noise layer "
        "of Keras, without `training=True`: `fit` switches it on by itself",
    )
    once, again = (np.asarray(encoder(images, training=True)) for _ in range(2))
    require(
        not same(once, again),
        "there is no noise: two passes in training give the same codings. Put a GaussianNoise or "
        "Dropout layer at the start",
    )
    kinds = [type(layer).__name__ for layer in layers]
    first_noise = next((i for i, kind in enumerate(kinds) if _is_noise(kind)), None)
    first_weights = layers.index(deep[0])
    require(
        first_noise is None or first_noise < first_weights,
        "the noise comes behind the first layer with weights. A denoising autoencoder spoils the "
        "image itself: put the noise before that layer",
    )
    return f"{codings_size} codings"


def _check_shapes(encoder, image_shape):
    require(
        isinstance(encoder, keras.Model),
        f"a Keras network is expected, not {type(encoder).__name__}. If it is a function, call it",
    )
    require(
        encoder.built and tuple(encoder.input_shape[1:]) == tuple(image_shape),
        f"the network must take images {['N', *image_shape]}: start it with `keras.Input`".replace(
            "'", ""
        ),
    )
    shape = encoder.output_shape
    require(
        len(shape) == 2,
        f"the codings have the shape {['N', *shape[1:]]}; expected is [N, D], one row of numbers "
        "for each image. Is a Flatten missing?".replace("'", ""),
    )
    require(
        2 <= shape[1] <= 100,
        f"{shape[1]} codings: between 2 and 100 are expected, far fewer than there are pixels",
    )
    return shape[1]


def _has_kernel(layer):
    return isinstance(layer, (keras.layers.Dense, keras.layers.Conv2D))


def _is_noise(kind):
    return "Noise" in kind or "Dropout" in kind


@step("9b", "clean copies of noisy images")
def check_autoencoder(autoencoder, *, encoder, images):
    """`autoencoder`: trained; `encoder`: the one of 9a; `images`: clean, unseen."""
    clean = np.asarray(images[:500])
    noise = np.random.default_rng(0).normal(scale=0.3, size=clean.shape)
    noisy = (clean + noise).astype("float32")
    copies = array(call(autoencoder, noisy, training=False), clean.shape, "the copies")
    extremes = np.asarray(autoencoder(100 * noisy, training=False))
    low, high = min(copies.min(), extremes.min()), max(copies.max(), extremes.max())
    require(
        low >= 0 and high <= 1,
        f"pixels of the copies lie between {low:.2f} and {high:.2f}, those of images between 0 and "
        "1. End the decoder with a sigmoid",
    )
    own = {id(variable) for variable in autoencoder.variables}
    require(
        all(id(variable) in own for variable in encoder.trainable_variables),
        "the encoder of step 9a is not part of this autoencoder, so it has learned nothing: build "
        "the autoencoder from `encoder` and `decoder`",
    )
    error, spoiled = _error(copies, clean), _error(noisy.clip(0, 1), clean)
    know_nothing = clean.var(axis=0).mean()
    require_score(
        error < 0.5 * know_nothing,
        f"mean squared error {error:.3f}; someone who always draws the mean image gets "
        f"{know_nothing:.3f}. Was it trained, with the clean images as targets? For long enough?",
    )
    require_score(
        error < spoiled,
        f"mean squared error {error:.3f}, but the noisy images themselves have {spoiled:.3f}: "
        "train longer, or with another learning rate",
    )
    return f"mean squared error {error:.4f}, of the noisy images {spoiled:.4f}"


def _error(images, others):
    return float(np.mean(np.square(images - others)))


@step("9c", "the images that activate a neuron most, the strongest first")
def check_strongest(strongest):
    """`strongest(codings, neuron, count)` -> positions of `count` images."""
    codings = np.random.default_rng(0).normal(size=(40, 6))
    neuron, count = 2, 5
    column = codings[:, neuron]
    found = np.asarray(call(strongest, codings, neuron, count))
    require(
        found.dtype.kind in "iu",
        "positions of images are expected, whole numbers, not their activations: np.argsort gives "
        "positions",
    )
    require(found.shape == (count,), f"{count} positions are expected, not {list(found.shape)}")
    right = np.argsort(-column)[:count]
    if same(found, right):
        return None
    if set(found.tolist()) == set(right.tolist()):
        raise Wrong("the right images in the wrong order: the strongest comes first")
    if same(found, np.argsort(column)[:count]):
        raise Wrong(
            "these are the images that activate the neuron *least*: np.argsort is ascending"
        )
    if same(found, np.argsort(-np.abs(column))[:count]):
        raise Wrong("large negative codings are not activation: leave out the absolute value")
    if found.max() < codings.shape[1]:
        raise Wrong(
            "one row was sorted, the codings of one image. A neuron is a column: [:, neuron]"
        )
    raise Wrong(f"for neuron {neuron} the strongest are {right.tolist()}, not {found.tolist()}")


@step("9d", "a step uphill for one neuron, with pixels kept between 0 and 1")
def check_ascent_step(ascent_step):
    """`ascent_step(encoder, images, neuron, rate)` -> changed images."""
    rng = np.random.default_rng(0)
    encoder = keras.Sequential(
        [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(8, use_bias=False)]
    )
    kernel = rng.normal(size=(784, 8)).astype("float32")
    encoder.set_weights([kernel])
    images = rng.uniform(0.3, 0.7, size=(3, 28, 28)).astype("float32")
    neuron = 5
    small = array(call(ascent_step, encoder, images, neuron, 0.01), images.shape, "the images")
    require(
        same(encoder.get_weights()[0], kernel),
        "the encoder's weights have changed. It is the *image* that shall change: take the "
        "gradient with respect to the images",
    )
    change = (small - images).reshape(3, 784)
    gain = change @ kernel[:, neuron]
    require(np.abs(change).max() > 0, "the images did not change")
    require(
        (gain > 0).all(),
        "the neuron's activation falls: this is a step downhill. *Add* the gradient, or minimize "
        "the negative activation",
    )
    lengths = np.linalg.norm(change, axis=1) * np.linalg.norm(kernel[:, neuron])
    require(
        (gain / lengths > 0.6).all(),
        f"the step doesn't follow the gradient of neuron {neuron}: was the sum of *all* codings "
        "used? Take codings[:, neuron] only",
    )
    large = np.asarray(call(ascent_step, encoder, images, neuron, 1e4))
    require(
        large.min() >= 0 and large.max() <= 1,
        f"after a large step pixels lie between {large.min():.1f} and {large.max():.1f}: cut them "
        "off at 0 and 1, or the result is no image",
    )
    require(not same(large, small), "the step doesn't depend on `rate`")
    return None


@step("9e", "labeled images from the training set only, drawn anew with each seed")
def check_draw_labeled(draw_labeled):
    """`draw_labeled(dataset, num_labels, seed)` -> (images, labels)."""
    fashion, count = _numbered_images(), 500
    answer = call(draw_labeled, fashion, count, 0)
    require(isinstance(answer, (tuple, list)) and len(answer) == 2, "return images and labels")
    images, labels = array(answer[0], (count, 28, 28), "the images"), np.asarray(answer[1])
    require(labels.shape == (count,), f"{count} labels are expected, not {list(labels.shape)}")
    parts, numbers = images[:, 0, 0], np.round(images[:, 0, 1] * 10_000).astype(int)
    leaked = int(np.sum(parts != 0))
    require(
        leaked == 0,
        f"{leaked} of the images are not from the training set. Test images that the classifier "
        "learns by heart make it look better than it is: a leak",
    )
    require(
        same(labels, fashion.train_labels[numbers]),
        "labels and images don't belong together: use the same positions for both",
    )
    repeated = count - len(np.unique(numbers))
    require(repeated == 0, f"{repeated} images were drawn twice: use replace=False")
    require(
        len(np.unique(labels)) == 10,
        f"only {len(np.unique(labels))} of 10 classes occur: draw from the whole training set",
    )
    again, other = (np.asarray(call(draw_labeled, fashion, count, seed)[0]) for seed in (0, 1))
    require(
        same(again, images), "the same seed gives other images each time: use default_rng(seed)"
    )
    require(
        not same(other, images),
        "another seed gives the same images: the spread over seeds would miss the luck of the draw",
    )
    return None


def _numbered_images():
    """A Fashion-MNIST whose images carry their part and their number in two pixels."""
    rng, parts = np.random.default_rng(0), []
    for mark, count in ((0, 1200), (0.5, 700), (1, 700)):
        images = np.zeros((count, 28, 28), "float32")
        images[:, 0, 0], images[:, 0, 1] = mark, np.arange(count) / 10_000
        parts += [images, rng.integers(10, size=count)]
    return FashionMNIST(*parts, CLASS_NAMES, False)


@step("9f", "a classifier that copies the encoder, freezes it or not, or starts at random")
def check_build_classifier(build_classifier, *, encoder):
    """`build_classifier(encoder, pretrained, frozen)` -> network with ten probabilities."""
    before = [np.array(weight) for weight in encoder.get_weights()]
    trainable_before = len(encoder.trainable_variables)
    made = {
        way: call(build_classifier, encoder, pretrained=way[0], frozen=way[1])
        for way in ((True, False), (False, False), (True, True))  # the frozen one last
    }
    images = np.random.default_rng(0).random((32, *encoder.input_shape[1:])).astype("float32")
    _check_separate(made.values(), encoder, images)
    kernels = [weight for weight in before if weight.ndim > 1]
    copied = {way: num_found(kernels, network) for way, network in made.items()}
    require(
        copied[True, False] == copied[True, True] == len(kernels),
        f"{copied[True, False]} of the encoder's {len(kernels)} weight matrices are in the "
        "pretrained classifier. (clone_model copies an architecture, not what it has learned: "
        "set_weights is needed)",
    )
    require(
        copied[False, False] == 0,
        "without pretraining the encoder's weights are there all the same: then there is nothing "
        "to compare with. Copy them only if `pretrained`",
    )
    moved = {way: _num_moved(kernels, made[way], images) for way in made if way[0]}
    require(
        moved[True, True] == 0,
        "frozen, but training changes the encoder: set `trainable = False` on the copy before "
        "the network is compiled",
    )
    require(
        moved[True, False] > 0,
        "not frozen, but training doesn't change the encoder: `trainable = not frozen`",
    )
    require(
        len(encoder.trainable_variables) == trainable_before,
        "the autoencoder's own encoder is frozen now, too: freeze the copy only",
    )
    return None


def _check_separate(networks, encoder, images):
    """Ten probabilities, from layers that are not the encoder's own."""
    for network in networks:
        answers = array(call(network, images, training=False), (32, 10), "the answers")
        require_probabilities(answers)
    shared = {id(v) for v in encoder.variables if v.shape} & {
        id(v) for network in networks for v in network.variables
    }
    require(
        not shared,
        "the classifier uses the encoder's own layers, so fine-tuning would change the "
        "autoencoder. Copy: make a new encoder, and use set_weights",
    )


def _num_moved(kernels, network, images):
    """How many of the weight matrices are no longer there after a training step."""
    network.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.SGD(1.0),
        run_eagerly=True,
    )
    network.train_on_batch(images, np.arange(len(images)) % 10)
    return len(kernels) - num_found(kernels, network)


@step("9g", "gain and standard error, twin by twin")
def check_paired_gain(paired_gain):
    """`paired_gain(values, baseline)` -> (mean, standard error) of the differences."""
    baseline = np.array([0.70, 0.74, 0.72, 0.78, 0.76])
    values = baseline + np.array([0.02, 0.01, 0.03, 0.01, 0.02])
    answer = call(paired_gain, values, baseline)
    require(isinstance(answer, (tuple, list)) and len(answer) == 2, "return two numbers")
    mean, error = (float(number) for number in answer)
    gains = values - baseline
    right_mean, right_error = gains.mean(), gains.std(ddof=1) / np.sqrt(len(gains))
    require(
        not np.isclose(mean, -right_mean),
        "the sign is reversed: a gain is the value minus the baseline's",
    )
    require(np.isclose(mean, right_mean), f"the mean gain is {right_mean:.4f} here, not {mean:.4f}")
    if np.isclose(error, gains.std(ddof=1)) or np.isclose(error, gains.std()):
        raise Wrong(
            "that is the standard deviation of the gains. The standard error of their mean is "
            "smaller, by the square root of their number"
        )
    unpaired = np.sqrt((values.var(ddof=1) + baseline.var(ddof=1)) / len(gains))
    alone = values.std(ddof=1) / np.sqrt(len(gains))
    if any(np.isclose(error, wrong, rtol=0.03) for wrong in (unpaired, alone)):
        raise Wrong(
            "the two are treated as if they had nothing to do with each other. They share draw and "
            "seed: take the differences first, then their standard error"
        )
    close = np.isclose(error, right_error) or np.isclose(error, gains.std() / np.sqrt(5))
    require(close, f"the standard error is {right_error:.4f} here, not {error:.4f}")
    return None


@step("9h", "a conclusion that the numbers bear")
def check_conclusions(conclusions, *, accuracies):
    """`conclusions`: dict way -> word; `accuracies`: dict way -> one number per seed."""
    require(accuracies, "there are no results yet: run the race first")
    require(isinstance(conclusions, dict), "a dict is expected: way -> one of the three words")
    ways = [way for way in accuracies if way != "from scratch"]
    for way in ways:
        require(way in conclusions, f"there is no conclusion about {way!r}")
        judge_word(conclusions[way], accuracies[way], accuracies["from scratch"], way, FEWEST_SEEDS)
    return None
