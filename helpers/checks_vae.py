"""Checks of exercise 10: a convolutional variational autoencoder with a knob."""

import keras
import numpy as np

from helpers.exercises import (
    Wrong,
    all_layers,
    array,
    call,
    name_mistake,
    require,
    require_score,
    same,
    step,
)


@step("10a", "codings: the mean plus the standard deviation times noise")
def check_draw_codings(draw_codings):
    """`draw_codings(mean, log_var, noise)` -> codings, all [N, D]."""
    rng = np.random.default_rng(0)
    mean, log_var, noise = (rng.normal(size=(5, 3)).astype("float32") for _ in range(3))
    answer = call(draw_codings, *_tensors(mean, log_var, noise))
    codings = array(answer, (5, 3), "the codings")
    std = np.exp(log_var / 2)
    if same(codings, mean + std * noise):
        return None
    mistakes = {
        "the noise is missing: without it this is an ordinary autoencoder": mean,
        "the mean is missing: all clouds lie around 0": std * noise,
        "log_var is the logarithm of the *variance*: the standard deviation is exp(log_var / 2)": (
            mean + np.exp(log_var) * noise
        ),
        "log_var is a logarithm: take exp(log_var / 2) for the standard deviation": (
            mean + log_var * noise
        ),
        "the noise must be multiplied by the standard deviation": mean + noise,
    }
    name_mistake(codings, mistakes)
    raise Wrong("these are not mean + standard deviation · noise")


@step("10b", "the latent loss, one number per image")
def check_latent_loss(latent_loss):
    """`latent_loss(mean, log_var)` -> KL divergences [N], in nats."""
    rng = np.random.default_rng(0)
    mean, log_var = (rng.normal(size=(6, 4)).astype("float32") for _ in range(2))
    answer = call(latent_loss, *_tensors(mean, log_var))
    terms = -0.5 * (1 + log_var - np.exp(log_var) - mean**2)  # [N, D]
    found, right = np.asarray(answer), terms.sum(axis=1)
    require(
        found.shape != (),
        "one number for all images together: sum over the codings only, `axis=-1`",
    )
    found = array(found, (6,), "the loss")
    if same(found, right):
        return None
    mistakes = {
        "the sign is reversed: a divergence is never negative, and training would push the clouds "
        "away": -right,
        "the mean over the codings was taken: in the equation it is a sum": terms.mean(axis=1),
        "the factor 1/2 is missing": 2 * right,
        "the squared mean is missing: nothing pulls the clouds towards 0": (
            (terms - 0.5 * mean**2).sum(axis=1)
        ),
        "the variance is exp(log_var), not its square root": (
            -0.5 * (1 + log_var - np.exp(log_var / 2) - mean**2).sum(axis=1)
        ),
    }
    name_mistake(found, mistakes)
    raise Wrong(f"for the first image it should be {right[0]:.3f}, not {found[0]:.3f}")


@step("10c", "convolutional encoder and decoder that fit each other")
def check_networks(build_encoder, build_decoder, *, image_shape, codings_size):
    """`build_encoder(image_shape, codings_size)` -> network with two outputs, and its mirror."""
    encoder = call(build_encoder, image_shape, codings_size)
    decoder = call(build_decoder, image_shape, codings_size)
    images = np.random.default_rng(0).random((64, *image_shape)).astype("float32")
    outputs = call(encoder, images, training=False)
    require(
        isinstance(outputs, (list, tuple)) and len(outputs) == 2,
        "the encoder must return two things, mean and log_var",
    )
    for name, output in zip(("mean", "log_var"), outputs, strict=True):
        array(output, (64, codings_size), name)
    several = [encoder, *(call(build_encoder, image_shape, codings_size) for _ in range(3))]
    for index, name in enumerate(("mean", "log_var")):
        values = np.array([network(images, training=False)[index] for network in several])
        require(
            values.min() < 0 < values.max(),
            f"{name} never changes its sign: it must be free to be positive or negative, so its "
            "layer has no activation",
        )
    codings = np.random.default_rng(1).normal(size=(64, codings_size)).astype("float32")
    made = array(call(decoder, codings, training=False), (64, *image_shape), "the decoder's images")
    extreme = np.asarray(decoder(100 * codings, training=False))
    low, high = min(made.min(), extreme.min()), max(made.max(), extreme.max())
    require(
        low >= 0 and high <= 1,
        f"the decoder's pixels lie between {low:.2f} and {high:.2f}; images have 0 to 1: end with "
        "a sigmoid",
    )
    for name, network, kind in (
        ("encoder", encoder, keras.layers.Conv2D),
        ("decoder", decoder, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)),
    ):
        count = sum(isinstance(layer, kind) for layer in all_layers(network))
        require(count >= 2, f"the {name} has {count} convolutions; at least two are expected")
    return f"{encoder.count_params() + decoder.count_params():,} weights"


@step("10d", "drawn codings, and β times the latent loss on top")
def check_call(vae_class):
    """`vae_class(encoder, decoder, beta)`: a keras.Model whose ``call`` was to be written."""
    size, images = 16, np.zeros((400, 4, 4, 1), "float32")
    encoder, decoder = _toy_encoder(size), _toy_decoder(size)
    vae = vae_class(encoder, decoder, beta=3.0)
    call(vae.call, keras.ops.convert_to_tensor(images))  # NotDone or an error, before Keras' own
    outputs = array(vae(images), images.shape, "the outputs")
    require(
        not same(outputs, np.asarray(vae(images))),
        "two passes give the same: no noise. Draw new noise in each call, with keras.random.normal "
        "and the seed generator",
    )
    require(
        abs(outputs.mean() - 2) < 0.05 and abs(outputs.std() - 0.5) < 0.05,
        f"for mean 2 and standard deviation 0.5 the codings have {outputs.mean():.2f} and "
        f"{outputs.std():.2f}",
    )
    kl = size * -0.5 * (1 + np.log(0.25) - 0.25 - 4)
    added = {}
    for beta in (0.0, 1.0, 3.0):
        vae = vae_class(encoder, decoder, beta=beta)
        vae(images)
        added[beta] = float(sum(np.asarray(loss).sum() for loss in vae.losses))
    require(added[1] != 0, "nothing was added to the loss: self.add_loss(...)")
    require(
        not np.isclose(added[1], added[3]), "the latent loss doesn't depend on β: multiply by it"
    )
    require(np.isclose(added[0], 0, atol=1e-4), "with β = 0 there should be no latent loss")
    require(
        not np.isclose(added[1], kl, rtol=0.01),
        "the latent loss is not divided by the number of pixels, as Keras' cross-entropy is: it "
        f"would count {size} times too much here, and no image would be copied",
    )
    require(
        np.isclose(added[1], kl / size, rtol=0.01),
        f"the latent loss of these clouds is {kl / size:.3f} per pixel; added was {added[1]:.3f}. "
        "It is a mean over the images",
    )
    return None


def _toy_encoder(size):
    """Whatever the images: mean 2 and standard deviation 0.5."""
    images = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(images)
    outputs = [
        keras.layers.Dense(
            size, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(value)
        )(flat)
        for value in (2.0, np.log(0.25))
    ]
    return keras.Model(images, outputs)


def _toy_decoder(size):
    """Shows the codings themselves."""
    return keras.Sequential([keras.Input((size,)), keras.layers.Reshape((4, 4, 1))])


@step("10e", "three trained VAEs, and a knob that works")
def check_trained(vaes, *, images):
    """`vaes`: dict β -> trained VAE; `images`: [N, H, W, C], unseen."""
    require(isinstance(vaes, dict) and len(vaes) >= 3, "a dict with three VAEs or more is expected")
    require(len({id(vae) for vae in vaes.values()}) == len(vaes), "the same VAE several times")
    images = np.asarray(images[:300])
    know_nothing = images.var(axis=0).mean()
    errors, nats = {}, {}
    for beta in sorted(vaes):
        mean, log_var = (np.asarray(output) for output in vaes[beta].encoder(images))
        copies = array(vaes[beta].decoder(mean), images.shape, f"the copies at β = {beta}")
        errors[beta] = float(np.mean(np.square(copies - images)))
        nats[beta] = float(0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1).mean())
    low, high = min(vaes), max(vaes)
    require_score(
        errors[low] < 0.7 * know_nothing,
        f"with β = {low} the copies' mean squared error is {errors[low]:.4f}; who always draws the "
        f"mean image gets {know_nothing:.4f}. Were the VAEs trained? For long enough?",
    )
    require_score(
        nats[low] > 1.2 * nats[high],
        f"the codings carry {nats[low]:.1f} nats with β = {low} and {nats[high]:.1f} with β = "
        f"{high}: a larger β should make them cheaper. Does β reach the VAE?",
    )
    require_score(
        errors[low] < errors[high],
        f"the copies are no worse with β = {high} than with β = {low}: take β further apart, or "
        "train longer",
    )
    return ", ".join(f"β = {beta}: {nats[beta]:.1f} nats" for beta in sorted(vaes))


@step("10f", "images from random codings")
def check_generate(generate):
    """`generate(decoder, num_images, codings_size, seed)` -> images."""
    size, count = 16, 600
    decoder = _toy_decoder(size)
    images = array(call(generate, decoder, count, size, 0), (count, 4, 4, 1), "the images")
    codings = images.reshape(count, size)
    require(
        len(np.unique(codings.round(5), axis=0)) == count,
        "images repeat: draw new codings for each image",
    )
    require(
        codings.min() < 0,
        "the codings are never negative: draw from the normal distribution N(0, 1), not from a "
        "uniform one",
    )
    mean, std = codings.mean(), codings.std()
    require(
        abs(mean) < 0.1 and abs(std - 1) < 0.1,
        f"the codings have mean {mean:.2f} and standard deviation {std:.2f}. The latent loss has "
        "pulled them towards mean 0 and standard deviation 1: draw there",
    )
    require(
        (np.abs(codings) > 2).any(),
        "no coding is larger than 2: this is no normal distribution",
    )
    again, other = (np.asarray(call(generate, decoder, count, size, seed)) for seed in (0, 1))
    require(same(again, images), "the same seed should give the same images")
    require(not same(other, images), "another seed gives the same images")
    return None


@step("10g", "from one coding to another, both ends included")
def check_interpolate(interpolate):
    """`interpolate(start, end, num_steps)` -> codings [num_steps, D]."""
    start, end = np.array([0.0, 1.0, -2.0]), np.array([4.0, 1.0, 2.0])
    path = array(call(interpolate, start, end, 5), (5, 3), "the path")
    require(
        not (same(path[0], end) and same(path[-1], start)),
        "the path goes backwards, from end to start",
    )
    require(same(path[0], start), "the path doesn't begin at `start`")
    require(
        same(path[-1], end),
        "the path doesn't arrive at `end`: the last share must be 1, as in np.linspace(0, 1, n)",
    )
    require(
        same(np.diff(path, axis=0), np.broadcast_to((end - start) / 4, (4, 3))),
        "the steps are not of equal size",
    )
    return None


def _tensors(*arrays):
    return [keras.ops.convert_to_tensor(array) for array in arrays]
