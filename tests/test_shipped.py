"""The weights that ship: what the lessons say of their images, with fewer images and some slack."""

import numpy as np
import pytest

from helpers import pretrained
from helpers.classifier import Judge
from helpers.gan import GAN
from helpers.growth import draw
from helpers.metrics import class_entropy, class_histogram, frechet_distance, nearest_images
from helpers.models import (
    dcgan_generator,
    dense_discriminator,
    dense_generator,
    vae_decoder,
    variant_generator,
)
from helpers.progressive import WIDER, GrowingGenerator
from helpers.stylegan import GrowingStyleGenerator, mixed_styles, paint

NUMBER = 2000


def codings(size, seed=7):
    return np.random.default_rng(seed).normal(size=(NUMBER, size)).astype(np.float32)


def vae_images():
    return pretrained.load_weights(vae_decoder(10), "vae").predict(codings(10), verbose=0)


def dense_images():
    gan = pretrained.load_weights(GAN(dense_generator(30), dense_discriminator()), "gan")
    return gan.generator.predict(codings(30), batch_size=500, verbose=0)


def dcgan_images():
    generator = pretrained.load_weights(dcgan_generator(), "dcgan")
    return generator.predict(codings(100), batch_size=500, verbose=0)[..., 0] / 2 + 0.5


def three_convolutions_images():
    """Of lesson 13's generator that keeps all five guidelines."""
    generator = variant_generator(64, activation="relu", after_norm=True)
    pretrained.load_weights(generator, "dcgan_three")
    return generator.predict(codings(100), batch_size=500, verbose=0)[..., 0] / 2 + 0.5


def progan_images():
    return draw(pretrained.load_weights(GrowingGenerator(WIDER).at(32), "progan"), codings(64))


def stylegan_images(name="stylegan"):
    return draw(pretrained.load_weights(GrowingStyleGenerator().at(32), name), codings(64))


@pytest.fixture(scope="module")
def judge():
    return Judge()


@pytest.fixture(scope="module")
def real_features(judge, fashion):
    return judge.features(fashion.test_images[:NUMBER])


@pytest.fixture(scope="module")
def made():
    makers = {
        "vae": vae_images,
        "gan": dense_images,
        "dcgan": dcgan_images,
        "dcgan_three": three_convolutions_images,
        "progan": progan_images,
        "stylegan": stylegan_images,
    }
    return {name: make() for name, make in makers.items()}


def test_the_weights_are_small_and_each_file_is_in_the_manifest():
    files = set(pretrained.WEIGHTS.glob("*.h5"))
    assert {path.name for path in files} == {
        entry["file"] for entry in pretrained.read_manifest().values()
    }
    assert sum(path.stat().st_size for path in files) <= 15e6


def test_each_lesson_comes_closer_to_real_images(made, judge, real_features):
    distance = {
        name: frechet_distance(judge.features(images), real_features)
        for name, images in made.items()
    }
    assert distance["gan"] > 3 * distance["dcgan"]
    assert distance["vae"] > 2 * distance["dcgan"]
    assert distance["dcgan"] > 3 * distance["dcgan_three"]
    assert distance["dcgan_three"] > 1.5 * distance["progan"]
    assert distance["vae"] > 10 * distance["dcgan_three"]
    assert distance["dcgan"] > 8 * distance["stylegan"]


@pytest.mark.parametrize(
    ("name", "entropy"),
    [("dcgan", 2.25), ("dcgan_three", 2.25), ("progan", 2.285), ("stylegan", 2.285)],
)
def test_no_class_is_forgotten(name, entropy, made, judge):
    classes = judge.classes(made[name])
    assert class_histogram(classes).min() >= 0.04
    assert class_entropy(classes) >= entropy  # 2.303 if all ten are equally frequent


@pytest.mark.parametrize("name", ["dcgan", "dcgan_three", "progan", "stylegan"])
def test_no_training_image_is_repeated(name, made, fashion):
    _, gaps = nearest_images(made[name][:300], fashion.train_images)
    _, usual = nearest_images(fashion.test_images[:300], fashion.train_images)
    assert np.median(gaps) > 0.9 * np.median(usual)
    assert gaps.min() > 0.5 * usual.min()


def by_two_parents(name):
    """Images whose styles come from two codings, with a random cutoff, [N, 28, 28]."""
    generator = pretrained.load_weights(GrowingStyleGenerator().at(32), name)
    mapping, synthesis = generator.get_layer("mapping"), generator.get_layer("synthesis")
    first, second = mapping(codings(64)), mapping(codings(64, seed=8))
    styles = mixed_styles(first, second, 8, 1.0, seed=42).numpy()
    rng = np.random.default_rng(9)
    noises = [rng.normal(size=(1, *shape[1:])) for shape in synthesis.input_shape[1:]]
    parts = [paint(synthesis, part, noises, margin=2).numpy() for part in np.split(styles, 4)]
    return np.concatenate(parts)


def test_only_the_network_trained_with_two_parents_makes_sense_of_two(made, judge, real_features):
    def harm(name, images):
        alone, mixed = (
            frechet_distance(judge.features(each), real_features)
            for each in (images, by_two_parents(name))
        )
        return mixed / alone

    assert harm("stylegan", made["stylegan"]) > 3
    assert harm("stylegan_mixed", stylegan_images("stylegan_mixed")) < 1.2
