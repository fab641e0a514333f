"""Sparsity penalties against closed forms in NumPy, whatever Keras divides by the batch size."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers.layers import KLPenalty, L1Penalty, bernoulli_kl

CODINGS = np.random.default_rng(42).uniform(0.02, 0.98, size=(32, 7)).astype(np.float32)


def l1_by_hand(codings, weight):
    """Mean over the images of the sum over the units."""
    return weight * np.abs(codings.astype(np.float64)).sum(axis=1).mean()


def kl_by_hand(codings, weight, p):
    """Equation 17-2 for each unit's mean, summed over the units, divided by the batch size."""
    q = codings.astype(np.float64).mean(axis=0)
    divergence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    return weight * divergence.sum() / len(codings)


def penalty_of(layer, codings, **call):
    """What one call adds to the loss; the codings must come back as they were."""
    np.testing.assert_array_equal(layer(codings, **call), codings)
    (loss,) = layer.losses
    return float(loss)


PENALTIES = {
    "l1": (lambda: L1Penalty(0.3), lambda codings: l1_by_hand(codings, 0.3)),
    "KL": (lambda: KLPenalty(0.3, 0.1), lambda codings: kl_by_hand(codings, 0.3, 0.1)),
    "KL 0.4": (lambda: KLPenalty(2, target=0.4), lambda codings: kl_by_hand(codings, 2, 0.4)),
}
every_penalty = pytest.mark.parametrize(("make", "by_hand"), PENALTIES.values(), ids=PENALTIES)


# --- what all penalties promise


@every_penalty
@pytest.mark.parametrize("batch_size", [1, 5, 32])
def test_penalty_is_the_closed_form(make, by_hand, batch_size):
    codings = CODINGS[:batch_size]
    assert penalty_of(make(), codings) == pytest.approx(by_hand(codings), rel=1e-5)


@every_penalty
@pytest.mark.parametrize("training", [False, True])
def test_penalty_counts_at_inference_too(make, by_hand, training):
    found = penalty_of(make(), CODINGS, training=training)
    assert found == pytest.approx(by_hand(CODINGS), rel=1e-5)


@every_penalty
def test_a_second_call_replaces_the_penalty(make, by_hand):
    layer = make()
    penalty_of(layer, CODINGS)
    assert penalty_of(layer, CODINGS[:8]) == pytest.approx(by_hand(CODINGS[:8]), rel=1e-5)


@every_penalty
def test_fit_and_evaluate_add_it_to_the_loss(make, by_hand):
    """Within a model the number is the same: Keras divides it by nothing, in any version."""
    identity = keras.layers.Dense(7, kernel_initializer="identity")
    model = keras.Sequential([keras.Input((7,)), make(), identity])  # a copy: its mse is 0
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    trained = model.fit(CODINGS, CODINGS, batch_size=32, epochs=1, verbose=0).history["loss"][0]
    evaluated = model.evaluate(CODINGS, CODINGS, batch_size=32, verbose=0)
    assert trained == pytest.approx(by_hand(CODINGS), rel=1e-5)
    assert evaluated == pytest.approx(by_hand(CODINGS), rel=1e-5)


@every_penalty
def test_penalty_survives_saving(make, by_hand, tmp_path):
    model = keras.Sequential([keras.Input((7,)), make()])
    model.save(tmp_path / "model.keras")
    (layer,) = keras.saving.load_model(tmp_path / "model.keras").layers
    assert type(layer) is type(make())
    assert penalty_of(layer, CODINGS) == pytest.approx(by_hand(CODINGS), rel=1e-5)


# --- l1


def test_l1_takes_absolute_values():
    assert penalty_of(L1Penalty(0.5), np.array([[1.0, -2.0], [-3.0, 0.0]], np.float32)) == 1.5


def test_l1_gradient_is_the_sign_over_the_batch_size():
    codings = tf.Variable([[0.5, -2.0], [0.1, -0.1], [3.0, 1.0], [-1.0, -1.0]])
    layer = L1Penalty(0.2)
    with tf.GradientTape() as tape:
        layer(codings)
        (loss,) = layer.losses
    np.testing.assert_allclose(tape.gradient(loss, codings), 0.2 * np.sign(codings) / 4, rtol=1e-6)


# --- KL


def test_kl_is_zero_exactly_at_the_target():
    on_target = np.array([[0.0, 0.25], [0.5, 0.25]], np.float32)
    assert penalty_of(KLPenalty(5.0, 0.25), on_target) == pytest.approx(0, abs=1e-6)
    off_target = on_target + np.array([0, 0.1], np.float32)
    assert penalty_of(KLPenalty(5.0, 0.25), off_target) > 0.05


def test_kl_does_not_care_how_a_mean_comes_about():
    """All units always at the target, or a few images with everything: the mean is what counts."""
    constant = np.full((20, 3), 0.1, np.float32)
    rare = np.zeros((20, 3), np.float32)
    rare[:2] = 1
    for codings in (constant, rare):
        assert penalty_of(KLPenalty(1.0, 0.1), codings) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_kl_of_dead_or_saturated_units_is_finite(level):
    codings = np.full((4, 3), level, np.float32)
    expected = 3 * 0.1 * np.log(0.1 / 1e-7) if level == 0 else 3 * 0.9 * np.log(0.9 / 1.2e-7)
    found = penalty_of(KLPenalty(4.0, 0.1), codings)
    assert found == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("target", [0, 1, -0.1, 1.5, float("nan")])
def test_kl_refuses_a_target_that_is_no_probability_between(target):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        KLPenalty(0.05, target)


@pytest.mark.parametrize(("q", "slope"), [(0.3, 0.952), (0.9, 8.889), (0.1, 0.0), (0.05, -1.053)])
def test_slope_of_the_divergence(q, slope):
    """d/dq of Equation 17-2 is (1 - p) / (1 - q) - p / q."""
    variable = tf.Variable(q)
    with tf.GradientTape() as tape:
        divergence = bernoulli_kl(0.1, variable)
    assert float(tape.gradient(divergence, variable)) == pytest.approx(slope, abs=2e-3)


def test_divergence_is_equation_17_1_for_two_outcomes():
    p, q = np.meshgrid(np.linspace(0.01, 0.99, 25), np.linspace(0.02, 0.98, 25))
    both = np.stack([p, 1 - p]), np.stack([q, 1 - q])
    expected = (both[0] * np.log(both[0] / both[1])).sum(axis=0)
    np.testing.assert_allclose(bernoulli_kl(p, q), expected, atol=1e-6)
    assert np.min(bernoulli_kl(p, q)) >= -1e-6
