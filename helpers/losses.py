"""Losses as pure functions of tensors. Every reduction is written out."""

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
