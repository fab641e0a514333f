"""Numbers over seeds: which run now, which are shipped, and what an interruption leaves."""

import json

import numpy as np
import pytest

from helpers import data, results
from helpers.pretrained import PretrainedError

RECIPE = "draw a number"


@pytest.fixture
def at(monkeypatch):
    """Function that sets the profile, and whether the data is real."""

    def set_profile(profile, real=True):
        monkeypatch.setenv("NOTEBOOK_PROFILE", profile)
        source = data.Source("folder" if real else "digits", "a label")
        monkeypatch.setattr(data, "source", lambda: source)

    return set_profile


class Experiment:
    """Returns other numbers on each call; notes the seeds it was called with."""

    def __init__(self, fail_at=None):
        self.seeds, self.fail_at = [], fail_at

    def __call__(self, seed):
        if seed == self.fail_at:
            raise KeyboardInterrupt
        self.seeds.append(seed)
        return {"losses": [seed + 0.5, float(len(self.seeds))]}


def over_seeds(experiment, folder, seeds=(3, 1, 2), recipe=RECIPE, live=True):
    return results.over_seeds("draws", experiment, seeds, recipe=recipe, live=live, folder=folder)


def summary(runs):
    return [(run.seed, run.live) for run in runs]


def test_full_runs_all_and_ships_them(at, tmp_path):
    at("full")
    experiment = Experiment()
    runs = over_seeds(experiment, tmp_path)
    assert summary(runs) == [(3, True), (1, True), (2, True)]
    content = json.loads((tmp_path / "draws.results.json").read_text())
    assert content["recipe"] == RECIPE
    assert content["runs"] == {str(run.seed): run.values for run in runs}
    assert {"tensorflow", "keras", "numpy"} <= set(content["versions"])


def test_full_goes_on_where_it_was_interrupted(at, tmp_path):
    at("full")
    with pytest.raises(KeyboardInterrupt):
        over_seeds(Experiment(fail_at=2), tmp_path)
    experiment = Experiment()
    assert summary(over_seeds(experiment, tmp_path)) == [(3, False), (1, False), (2, True)]
    assert experiment.seeds == [2]
    assert [path.name for path in tmp_path.iterdir()] == ["draws.results.json"]


def test_full_starts_again_for_a_new_recipe(at, tmp_path):
    at("full")
    over_seeds(Experiment(), tmp_path)
    experiment = Experiment()
    over_seeds(experiment, tmp_path, recipe="draw two")
    assert experiment.seeds == [3, 1, 2]
    assert json.loads((tmp_path / "draws.results.json").read_text())["recipe"] == "draw two"


def test_lesson_runs_the_first_seed_and_takes_the_others(at, tmp_path):
    at("full")
    shipped = over_seeds(Experiment(), tmp_path)
    before = (tmp_path / "draws.results.json").read_bytes()
    at("lesson")
    experiment = Experiment()
    runs = over_seeds(experiment, tmp_path)
    assert summary(runs) == [(3, True), (1, False), (2, False)]
    assert experiment.seeds == [3]
    assert [run.values for run in runs[1:]] == [run.values for run in shipped[1:]]
    assert (tmp_path / "draws.results.json").read_bytes() == before


def test_lesson_runs_what_is_not_shipped(at, tmp_path):
    at("lesson")
    experiment = Experiment()
    assert summary(over_seeds(experiment, tmp_path)) == [(3, True), (1, True), (2, True)]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("profile", "number"), [("smoke", 1), ("lesson", 1), ("full", 3)])
def test_stand_in_data_neither_loads_nor_writes(profile, number, at, tmp_path):
    at("full")
    over_seeds(Experiment(), tmp_path)
    before = (tmp_path / "draws.results.json").read_bytes()
    at(profile, real=False)
    runs = over_seeds(Experiment(), tmp_path)
    assert all(run.live for run in runs)
    assert len(runs) == number
    assert (tmp_path / "draws.results.json").read_bytes() == before


def test_stand_in_data_and_too_long_for_a_lesson_takes_what_ships_and_says_so(at, tmp_path, capsys):
    at("full")
    shipped = over_seeds(Experiment(), tmp_path)
    at("lesson", real=False)
    experiment = Experiment()
    runs = over_seeds(experiment, tmp_path, live=False)
    assert not experiment.seeds
    assert [run.values for run in runs] == [run.values for run in shipped]
    assert "not from the stand-in" in capsys.readouterr().out
    runs = over_seeds(experiment, tmp_path, seeds=(1, 99), live=False)
    assert summary(runs) == [(1, False)]  # 99 would have to run, on other images


def test_without_shipped_numbers_stand_in_data_run_one_seed(at, tmp_path):
    at("lesson", real=False)
    assert summary(over_seeds(Experiment(), tmp_path, live=False)) == [(3, True)]


@pytest.mark.parametrize("profile", ["smoke", "lesson", "full"])
def test_numbers_are_as_they_will_be_shipped(profile, at, tmp_path):
    at(profile)
    (run, *_) = results.over_seeds(
        "draws", lambda seed: {"loss": np.float32(0.5), "pair": (1, 2)}, [1], recipe=RECIPE,
        folder=tmp_path,
    )  # fmt: skip
    assert run.values == {"loss": 0.5, "pair": [1, 2]}


def test_two_trainings_of_one_experiment_keep_each_others_seeds(at, tmp_path):
    at("full")

    def experiment(seed):
        if seed == 1:  # meanwhile, elsewhere
            results.over_seeds("draws", float, [2], recipe=RECIPE, folder=tmp_path)
        return float(seed)

    results.over_seeds("draws", experiment, [1], recipe=RECIPE, folder=tmp_path)
    content = json.loads((tmp_path / "draws.results.json").read_text())
    assert content["runs"] == {"1": 1.0, "2": 2.0}


def test_smoke_runs_one_seed(at, tmp_path):
    at("smoke")
    assert summary(over_seeds(Experiment(), tmp_path)) == [(3, True)]


def test_numbers_of_another_recipe_are_refused(at, tmp_path):
    at("full")
    over_seeds(Experiment(), tmp_path)
    at("lesson")
    with pytest.raises(PretrainedError, match="another recipe"):
        over_seeds(Experiment(), tmp_path, recipe="draw two")


@pytest.mark.parametrize("text", ["", "[]", '{"runs": {}}', '{"recipe": "r", "runs": {"a": 1}}'])
def test_a_damaged_file_is_named(text, at, tmp_path):
    at("lesson")
    (tmp_path / "draws.results.json").write_text(text)
    with pytest.raises(PretrainedError, match="draws.results.json is damaged"):
        over_seeds(Experiment(), tmp_path)


def test_what_ships_is_readable(at):
    at("lesson")
    for path in results.WEIGHTS.glob("*.results.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        assert content["recipe"].strip()
        assert content["runs"]
