"""Peak signal-to-noise ratio, against closed forms and at its extremes."""

import numpy as np
import pytest

from helpers.metrics import psnr

RNG = np.random.default_rng(42)
IMAGES = RNG.random((6, 8, 8)).astype(np.float32)


@pytest.mark.parametrize(("step", "decibels"), [(1.0, 0.0), (0.1, 20.0), (0.01, 40.0)])
def test_a_constant_difference_has_a_closed_form(step, decibels):
    zeros = np.zeros((2, 4, 4))
    assert psnr(zeros, zeros + step) == pytest.approx(decibels)


@pytest.mark.parametrize("std", [0.05, 0.2, 0.7])
def test_gaussian_noise_gives_minus_twenty_log_of_its_deviation(std):
    images = np.full((50, 40, 40), 0.5)
    noisy = images + RNG.normal(scale=std, size=images.shape)
    assert psnr(images, noisy) == pytest.approx(-20 * np.log10(std), abs=0.1)


def test_half_the_error_is_three_decibels_more():
    noise = RNG.normal(size=IMAGES.shape)
    gain = psnr(IMAGES, IMAGES + noise / np.sqrt(2)) - psnr(IMAGES, IMAGES + noise)
    assert gain == pytest.approx(10 * np.log10(2), abs=1e-4)


def test_the_error_is_averaged_before_the_logarithm():
    zeros = np.zeros((2, 3, 3))
    others = np.stack([np.full((3, 3), 0.1), np.full((3, 3), 0.3)])
    assert psnr(zeros, others) == pytest.approx(10 * np.log10(1 / 0.05))


def test_it_is_symmetric_and_infinite_for_equal_images():
    others = RNG.random(IMAGES.shape)
    assert psnr(IMAGES, others) == pytest.approx(psnr(others, IMAGES))
    assert psnr(IMAGES, IMAGES.copy()) == float("inf")


def test_scaling_images_and_peak_together_changes_nothing():
    others = RNG.random(IMAGES.shape)
    assert psnr(255 * IMAGES, 255 * others, peak=255) == pytest.approx(psnr(IMAGES, others))


def test_bytes_do_not_overflow():
    white, black = np.full((2, 2), 255, np.uint8), np.zeros((2, 2), np.uint8)
    assert psnr(black, white, peak=255) == pytest.approx(0)


@pytest.mark.parametrize(
    ("images", "others", "peak", "message"),
    [
        (IMAGES, IMAGES[:1], 1.0, "can't be compared"),
        (IMAGES[:0], IMAGES[:0], 1.0, "no pixel"),
        (IMAGES, np.full_like(IMAGES, np.nan), 1.0, "NaN"),
        (IMAGES, IMAGES, 0.0, "positive"),
        (IMAGES, IMAGES, float("nan"), "positive"),
    ],
)
def test_what_makes_no_sense_is_refused(images, others, peak, message):
    with pytest.raises(ValueError, match=message):
        psnr(images, others, peak)
