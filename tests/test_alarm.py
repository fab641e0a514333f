"""The alarm: it speaks when a trouble begins and when it is over, and never without cause."""

import json
import math

import keras
import numpy as np
import pytest

from helpers import pretrained
from helpers.alarm import CollapseAlarm


def alarm_after(epochs, **arguments):
    """An alarm that has seen these logs, and what it told."""
    told = []
    alarm = CollapseAlarm(**arguments, tell=told.append)
    alarm.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
    alarm.on_train_begin()
    for epoch, logs in enumerate(epochs):
        alarm.on_epoch_end(epoch, logs)
    return alarm, told


def losses(*values):
    return [{"discriminator_loss": value, "generator_loss": 0.7} for value in values]


def test_it_is_silent_about_a_healthy_training():
    healthy = [{**logs, "coverage": c} for logs, c in zip(losses(0.5, 0.6, 0.69, 0.7), [3, 5, 8, 7],
                                                         strict=True)]  # fmt: skip
    alarm, told = alarm_after(healthy, watch=["coverage"], patience=1)
    assert told == alarm.messages == [] and alarm.troubles == set()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["discriminator_loss", "generator_loss"])
def test_a_loss_that_is_no_number_is_told_at_once_and_ends_the_training(bad, name):
    logs = [{"discriminator_loss": 0.6, "generator_loss": 0.7, name: bad}]
    alarm, told = alarm_after(logs, patience=5)
    assert len(told) == 1 and told[0].startswith("epoch 1: DIVERGED")
    assert alarm.model.stop_training
    alarm, told = alarm_after(logs, stop_if_diverged=False)
    assert len(told) == 1 and not getattr(alarm.model, "stop_training", False)


def test_a_discriminator_that_stays_too_good_is_told_after_the_patience_and_once():
    alarm, told = alarm_after(losses(0.05, 0.05, 0.5, 0.05, 0.05, 0.05, 0.05), patience=3)
    assert [epoch for epoch, _ in alarm.messages] == [6] and "TOO GOOD" in told[0]
    assert alarm.troubles == {"discriminator too good"}


def test_a_discriminator_worse_than_guessing_is_too_weak_and_gets_over_it():
    alarm, told = alarm_after(losses(0.9, 0.9, 0.9, 0.65, 0.65), patience=2)
    assert [epoch for epoch, _ in alarm.messages] == [2, 4]
    assert "TOO WEAK" in told[0] and told[1] == "epoch 4: over: discriminator too weak"
    assert alarm.troubles == set()


def test_thresholds_are_those_of_the_arguments():
    assert not alarm_after(losses(0.05, 0.9), patience=1, too_good=None, too_weak=None)[1]
    assert alarm_after(losses(0.3), patience=1, too_good=0.4)[1]
    assert not alarm_after(losses(math.log(2) + 0.09), patience=1)[1]
    assert alarm_after(losses(math.log(2) + 0.11), patience=1)[1]


def test_a_measure_that_falls_below_its_share_of_the_best_is_told():
    values = [2, 8, 8, 5, 4, 4, 7, 4, 4]
    logs = [{"coverage": value} for value in values]
    alarm, told = alarm_after(logs, watch=["coverage"], kept=0.6, patience=2)
    assert [epoch for epoch, _ in alarm.messages] == [6, 7, 9]
    assert "FALLING COVERAGE: 4.00, but it has been 8.00" in told[0]
    assert told[1] == "epoch 7: over: falling coverage"


def test_a_peak_that_was_not_held_is_no_level_to_fall_from():
    logs = [{"coverage": value} for value in (1, 6, 1, 1, 1, 2, 8, 8)]
    assert alarm_after(logs, watch=["coverage"], patience=2)[1] == []


def test_a_measure_that_stays_below_its_least_is_told_after_the_grace():
    logs = [{"coverage": value} for value in (0, 1, 0, 1, 1, 4, 5)]
    alarm, told = alarm_after(logs, least={"coverage": 4}, grace=2, patience=3)
    assert [epoch for epoch, _ in alarm.messages] == [5, 6]
    assert "LOW COVERAGE: 1.00, still below 4.00" in told[0]
    assert told[1] == "epoch 6: over: low coverage" and alarm.troubles == set()


def test_it_tells_collapsed_trainings_from_healthy_ones():
    """On the ring, lesson 12: with even rates all clouds are reached, with a fast generator few."""
    path = pretrained.WEIGHTS / "ring_remedies.results.json"
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    spoke = {}
    for rates in ("even", "generator faster"):
        curves = [run[rates]["original"]["coverage"] for run in runs.values()]
        logs = [[{"coverage": value} for value in curve] for curve in curves]
        spoke[rates] = [bool(alarm_after(each, least={"coverage": 4})[1]) for each in logs]
    assert len(runs) >= 5
    assert not any(spoke["even"]) and all(spoke["generator faster"])


def test_a_measure_that_starts_at_zero_is_no_trouble():
    assert alarm_after([{"entropy": 0.0}] * 5, watch=["entropy"], patience=1)[1] == []


def test_a_watched_measure_that_is_missing_is_an_error():
    with pytest.raises(KeyError, match="entropy"):
        alarm_after(losses(0.5), watch=["entropy"])


@pytest.mark.parametrize("arguments", [{"kept": 0}, {"kept": 1}, {"patience": 0}, {"grace": -1}])
def test_arguments_out_of_range(arguments):
    with pytest.raises(ValueError, match="must be"):
        CollapseAlarm(**arguments)


def test_it_works_in_fit_and_starts_anew_with_each():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    told = []
    alarm = CollapseAlarm(tell=told.append)
    x = np.full((8, 1), np.nan)
    for _ in range(2):
        model.fit(x, x, epochs=3, verbose=0, callbacks=[alarm])
        assert len(alarm.messages) == 1
    assert len(told) == 2 and len(model.history.history["loss"]) == 1  # it stopped


def test_one_value_that_is_no_number_does_not_silence_the_alarm():
    values = [1, 1, 1, math.nan, 0.3, 0.3, 0.3]
    alarm, _ = alarm_after([{**losses(0.6)[0], "entropy": v} for v in values], watch=["entropy"],
                           patience=3)  # fmt: skip
    assert "falling entropy" in alarm.troubles


def test_a_value_that_is_no_number_ends_no_trouble():
    _, told = alarm_after(losses(0.05, 0.05, 0.05, math.nan, 0.05, 0.6), patience=3,
                          stop_if_diverged=False)  # fmt: skip
    assert [text.split(" ", 2)[2][:8] for text in told] == [
        "DISCRIMI", "DIVERGED", "over: di", "over: di"
    ]  # fmt: skip
    assert told[2] == "epoch 5: over: diverged" and told[3].startswith("epoch 6: over: discr")
    low = [{"coverage": value} for value in (1, 1, math.nan, 1, 5)]
    alarm, told = alarm_after(low, least={"coverage": 3}, grace=0, patience=2)
    assert [epoch for epoch, _ in alarm.messages] == [2, 5] and told[1].startswith("epoch 5: over")
