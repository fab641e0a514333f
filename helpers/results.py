"""Numbers of experiments over many seeds: made at ``full``, shipped, and loaded in lessons.

Each experiment has a file ``helpers/weights/NAME.results.json``: its recipe, the versions and the
machine it ran on, and the numbers of each seed.
"""

import json
import os
import platform
import time
from dataclasses import dataclass
from importlib import metadata

from helpers import data, session
from helpers.pretrained import WEIGHTS, PretrainedError


@dataclass(frozen=True)
class Run:
    """One seed of an experiment: its numbers, and whether they were computed just now."""

    seed: int
    values: object
    live: bool


def over_seeds(name, experiment, seeds, *, recipe, live=True, folder=None):
    """Run an experiment for one seed now, and take the other seeds' numbers from the course.

    At ``lesson`` the first seed runs live and the others come from the shipped file; without such
    a file, all run. At ``full`` all that the file lacks run, and it is written after each of them,
    so that an interrupted run goes on where it stopped. At ``smoke`` the first seed runs alone.

    On stand-in data nothing is written, and its numbers don't mix with those of the real images:
    at ``lesson`` either the first seed runs alone or, with ``live=False``, all numbers come from
    the course, and a line says so.

    Args:
        name: of the file, for example "pretraining".
        experiment: function, seed -> numbers that JSON can hold (floats, lists, dicts by text;
            NumPy's single numbers become Python's).
        seeds: list of ints.
        recipe: one line: what was run. Numbers shipped for another recipe are refused; at `full`
            they are replaced.
        live: whether the first seed runs live at ``lesson`` although the file has its numbers; of
            several experiments that are too long together, let one run live.
        folder: of the files; default: the course's.

    Returns:
        List of :class:`Run`, in the order of `seeds`.

    Raises:
        PretrainedError: the file is damaged, or its numbers belong to another recipe.
    """
    seeds = [int(seed) for seed in seeds]
    path = (folder or WEIGHTS) / f"{name}.results.json"
    profile, real = session.profile(), data.source().is_real
    if profile == "smoke":
        return [Run(seeds[0], _as_shipped(experiment(seeds[0])), True)]
    full = profile == "full"
    shipped = _read(path, recipe, full) if real or not (full or live) else {}
    if profile == "lesson" and not real:
        seeds = [seed for seed in seeds if seed in shipped] or seeds[:1]
        if shipped:
            print("These numbers come with the course, not from the stand-in images.")
    runs = []
    for index, seed in enumerate(seeds):
        if seed in shipped and (full or index > 0 or not live):
            runs.append(Run(seed, shipped[seed], False))
            continue
        start = time.perf_counter()
        runs.append(Run(seed, _as_shipped(experiment(seed)), True))
        if full and real:
            shipped = _read(path, recipe, full) | {seed: runs[-1].values}  # others may have run
            _write(path, recipe, shipped, time.perf_counter() - start)
    return runs


def _as_shipped(values):
    """As they will be when they come from the file, NumPy's numbers as Python's."""
    return json.loads(json.dumps(values, default=float))


def _read(path, recipe, full):
    """The shipped numbers by seed; empty if there is no file, or `full` runs a new recipe."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        shipped = {int(seed): values for seed, values in content["runs"].items()}
        shipped_recipe = content["recipe"]
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PretrainedError(
            f"{path.name} is damaged ({error}). Get it again with `git checkout helpers/weights`, "
            "or reinstall the course."
        ) from None
    if shipped_recipe == recipe:
        return shipped
    if full:
        return {}
    raise PretrainedError(
        f"The numbers in {path.name} are for another recipe ({shipped_recipe}). Put the recipe "
        "back as it was; or, to run all seeds here, delete the file. (`make weights` makes new "
        "ones.)"
    )


def _write(path, recipe, runs, seconds):
    """Replace the file at once, so that an interruption leaves the old one."""
    content = {
        "recipe": recipe,
        "versions": {name: metadata.version(name) for name in ("tensorflow", "keras", "numpy")},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "seconds for the last seed": round(seconds, 1),
        "runs": {str(seed): runs[seed] for seed in sorted(runs)},
    }
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
