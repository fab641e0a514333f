"""Numbers over seeds, when a lesson asks for the shipped ones only."""

import pytest

from helpers import data, results

SEEDS = [3, 1, 2]


@pytest.mark.parametrize(("live", "ran"), [(True, [3]), (False, [])])
def test_only_what_shall_run_live_does(monkeypatch, tmp_path, live, ran):
    monkeypatch.setattr(data, "source", lambda: data.Source("folder", "a label"))
    monkeypatch.setenv("NOTEBOOK_PROFILE", "full")
    results.over_seeds("draws", float, SEEDS, recipe="draw", folder=tmp_path)
    monkeypatch.setenv("NOTEBOOK_PROFILE", "lesson")
    calls = []
    runs = results.over_seeds(
        "draws", lambda seed: calls.append(seed) or float(seed), SEEDS,
        recipe="draw", live=live, folder=tmp_path,
    )  # fmt: skip
    assert calls == ran == [run.seed for run in runs if run.live]
    assert [run.values for run in runs] == [3.0, 1.0, 2.0]


def test_what_is_not_shipped_runs_anyway(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "source", lambda: data.Source("folder", "a label"))
    monkeypatch.setenv("NOTEBOOK_PROFILE", "lesson")
    runs = results.over_seeds("draws", float, SEEDS, recipe="draw", live=False, folder=tmp_path)
    assert all(run.live for run in runs)
