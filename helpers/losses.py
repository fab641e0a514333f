"""Losses as pure functions of tensors. Every reduction is written out."""

import tensorflow as tf
from keras import ops


def gaussian_kl(mean, log_var):
    """KL divergence of N(mean, exp(log_var)) from N(0, 1), summed over the codings' axes.

    Equation 17-4 of the chapter, with gamma = log_var = log(sigma^2):
    ``-1/2 * sum(1 + gamma - exp(gamma) - mean^2)``.

    Args:
        mean, log_var: float tensors [N, D].

    Returns:
        Float tensor [N], in nats, one value per instance, never negative.
    """
    return -0.5 * ops.sum(1 + log_var - ops.exp(log_var) - ops.square(mean), axis=-1)


def discriminator_loss(real_logits, fake_logits):
    """Binary cross-entropy with label 1 for real and 0 for fake, mean over both halves.

    ``softplus(-x) = -log(sigmoid(x))`` and ``softplus(x) = -log(1 - sigmoid(x))``: computed from
    logits, it cannot overflow. A discriminator that always answers 50 % scores log 2 = 0.693.

    Args:
        real_logits, fake_logits: float tensors [N, 1], before the sigmoid.

    Returns:
        Scalar, in nats (Goodfellow et al., 2014, equation 1, negated and halved).
    """
    return 0.5 * (ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits)))


def generator_loss(fake_logits):
    """Binary cross-entropy of the fakes against the label 1: the non-saturating loss.

    Args:
        fake_logits: float tensor [N, 1], the discriminator's, before the sigmoid.

    Returns:
        Scalar, in nats (Goodfellow et al., 2014, end of section 3).
    """
    return ops.mean(ops.softplus(-fake_logits))


def least_squares_discriminator_loss(real_scores, fake_scores):
    """Squared distance of the scores from 1 for real and 0 for fake, mean over both halves, halved.

    Args:
        real_scores, fake_scores: float tensors [N, 1], the discriminator's outputs, any real value.

    Returns:
        Scalar, 0 where every score is perfect (Mao et al., 2017, equation 9 with a = 0, b = 1).
    """
    return 0.5 * (ops.mean(ops.square(real_scores - 1)) + ops.mean(ops.square(fake_scores)))


def least_squares_generator_loss(fake_scores):
    """Squared distance of the fakes' scores from 1, mean, halved (Mao et al., 2017, equation 9).

    Args:
        fake_scores: float tensor [N, 1], the discriminator's outputs.

    Returns:
        Scalar, never negative.
    """
    return 0.5 * ops.mean(ops.square(fake_scores - 1))


def wasserstein_discriminator_loss(real_scores, fake_scores):
    """How much higher the fakes are scored than the real samples, on average.

    Minus this loss estimates the Wasserstein distance of real and fake samples, up to a factor, if
    the discriminator's slope is bounded: see :func:`gradient_penalty`.

    Args:
        real_scores, fake_scores: float tensors [N, 1], the discriminator's outputs.

    Returns:
        Scalar of either sign (Arjovsky et al., 2017, algorithm 1, with the sign of a loss).
    """
    return ops.mean(fake_scores) - ops.mean(real_scores)


def wasserstein_generator_loss(fake_scores):
    """Minus the mean score of the fakes (Arjovsky et al., 2017, algorithm 1).

    Args:
        fake_scores: float tensor [N, 1], the discriminator's outputs.
    """
    return -ops.mean(fake_scores)


def gradient_penalty(discriminator, real_samples, fakes, mix):
    """Mean squared deviation from 1 of the discriminator's slope between real and fake samples.

    ``mean (|gradient of D at x| - 1)^2`` with ``x = mix * real + (1 - mix) * fake``, Gulrajani et
    al. (2017), equation 3 without its factor lambda = 10.

    Args:
        discriminator: callable, samples [N, ...] -> scores [N, 1]. Each score must depend on its
            own sample only: no batch normalization, no mini-batch layers.
        real_samples, fakes: float tensors [N, ...].
        mix: float tensor in [0, 1] that broadcasts, one number per sample: [N, 1, ...].

    Returns:
        Scalar, 0 where the slope is 1 everywhere, 1 for a constant discriminator.
    """
    between = ops.convert_to_tensor(mix * real_samples + (1 - mix) * fakes)
    with tf.GradientTape() as tape:
        tape.watch(between)
        scores = discriminator(between)
    slopes = ops.reshape(tape.gradient(scores, between), (ops.shape(between)[0], -1))  # [N, D]
    lengths = ops.sqrt(ops.sum(ops.square(slopes), axis=1) + 1e-12)  # at 0 the slope is infinite
    return ops.mean(ops.square(lengths - 1))
