"""Checks of the tasks at the end of lessons 15 and 16: progressive growing and StyleGAN."""

import numpy as np
import tensorflow as tf
from keras import ops

from helpers.exercises import Wrong, array, call, name_mistake, require, same, step
from helpers.growth import Stage


@step("15.1", "resolution and α at any moment of a timetable")
def check_timetable(moment):
    """`moment(schedule, images_shown)` -> (resolution, α)."""
    schedule = (Stage(4, 0, 100, 50), Stage(8, 100, 200), Stage(16, 80, 20))
    cases = {30: (4, 1), 120: (4, 1), 175: (8, 0.25), 400: (8, 1), 470: (16, 0.25), 545: (16, 1)}
    for shown, (resolution, alpha) in cases.items():
        found = array(call(moment, schedule, shown), (2,), "resolution and α")
        said = f"after {shown} images of {schedule}"
        require(
            not (shown == 120 and found[0] == 8),
            f"{said} it is still 4: the images while slowing down belong to a stage, too "
            "(`num_images`)",
        )
        require(
            found[0] == resolution,
            f"{said} the resolution is {resolution}, not {found[0]:g}",
        )
        require(
            not (resolution == 4 and found[1] != 1),
            f"{said} α is 1, not {found[1]:g}: a stage without a fade has nothing to wait for",
        )
        require(found[1] <= 1, f"{said} α is {found[1]:g}: when the fade is done, it stays at 1")
        require(
            np.isclose(found[1], alpha),
            f"{said} α is {alpha:g}, not {found[1]:.3g}: it is the share of the *stage's* fade, "
            "counted from the stage's first image",
        )
    found = array(call(moment, (Stage(4, 0, 100), Stage(8, 0, 100)), 150), (2,), "the pair")
    require(same(found, (8, 1)), "without fades, α is 1 at any moment: 8 × 8 pixels at once")
    return None


@step("15.5", "a mini-batch deviation for each group")
def check_group_std(layer_class):
    """`layer_class(group_size=4)`: MinibatchStd within groups of instances."""
    maps = np.random.default_rng(0).normal(size=(8, 4, 4, 3)).astype("float32")
    maps *= np.linspace(0.3, 3, 8, dtype="float32")[:, None, None, None]
    numbers = {}
    for group_size in (4, 2):
        layer = call(layer_class, group_size=group_size)
        outputs = array(call(layer, ops.convert_to_tensor(maps)), (8, 4, 4, 4), "the outputs")
        require(same(outputs[..., :3], maps), "the maps themselves should pass through unchanged")
        numbers[group_size] = outputs[:, 0, 0, 3]
        require(
            same(outputs[..., 3], np.broadcast_to(numbers[group_size][:, None, None], (8, 4, 4))),
            "the new map has different numbers at different places: average over all of them",
        )
        if group_size == 4:
            _check_group_numbers(numbers[4], maps, 4)
    require(not same(numbers[4], numbers[2]), "group_size=2 gives the same as 4: use the argument")
    _check_group_numbers(numbers[2], maps, 2)
    copies = ops.convert_to_tensor(np.repeat(maps[:1], 8, axis=0))
    with tf.GradientTape() as tape:
        tape.watch(copies)
        total = ops.sum(layer(copies)[..., 3])
    require(
        np.isfinite(tape.gradient(total, copies)).all(),
        "for a batch of copies the slope is infinite: add a small ε to the variance, *inside* the "
        "root",
    )
    return None


def _check_group_numbers(numbers, maps, group_size):
    number = np.arange(len(maps))
    ways = [number // group_size, number % (len(maps) // group_size)]  # neighbors; the paper's
    groupings = [[np.flatnonzero(way == group) for group in np.unique(way)] for way in ways]

    def of_groups(value):
        for groups in groupings:
            result = np.zeros(len(maps))
            for members in groups:
                result[members] = value(maps[members])
            yield result

    right = [*of_groups(lambda group: group.std(axis=0).mean())]
    if any(same(numbers, each, 1e-3) for each in right):
        return
    mistakes = {
        "all instances get the same number, that of the whole batch: split the batch into groups": [
            np.full(len(maps), maps.std(axis=0).mean())
        ],
        "the deviation was taken over the maps, too: then copies would seem varied. Over a group's "
        "instances only": of_groups(lambda group: group.std(axis=(0, -1)).mean()),
        "the deviation of all a group's numbers was taken: take it over the instances, for each "
        "place and map, and then the mean": of_groups(np.std),
        "that is the mean of the variances: the root is missing": of_groups(
            lambda group: group.var(axis=0).mean()
        ),
        "the root was taken of the mean variance: first the root, then the mean": of_groups(
            lambda group: group.var(axis=0).mean() ** 0.5
        ),
        "each instance was measured alone: compare it with the others of its group": [
            maps.std(axis=(1, 2, 3)),
            maps.std(axis=(1, 2)).mean(axis=-1),
        ],
    }
    for message, wrongs in mistakes.items():
        for wrong in wrongs:
            name_mistake(numbers, {message: wrong}, 1e-3)
    raise Wrong(
        f"with groups of {group_size} the first instance's number is {numbers[0]:.3f}; "
        f"{right[0][0]:.3f} is wanted"
    )


# Lesson 16: StyleGAN


@step("16.2", "truncation of some levels only")
def check_truncation(truncate_levels):
    """`truncate_levels(w, mean_w, psi, first, last)` -> styles [N, 8, 64]."""
    rng = np.random.default_rng(0)
    w, mean_w, psi, first, last = rng.normal(size=(5, 64)), rng.normal(size=64), 0.3, 3, 4
    answer = call(truncate_levels, w, mean_w, psi, first, last)
    require(np.shape(answer) != w.shape, "one style for each level is wanted: [N, 8, 64]")
    styles = array(answer, (5, 8, 64), "the styles")

    def truncated(psi=psi, first=first, last=last, others=w, mean=mean_w):
        levels = np.arange(1, 9)[:, np.newaxis]
        inside = (first <= levels) & (levels <= last)
        return np.where(inside, (mean + psi * (w - mean))[:, np.newaxis], others[:, np.newaxis])

    mistakes = {
        "levels are counted from 1, as in `mix`: level 3 has the index 2": truncated(
            first=first + 1, last=last + 1
        ),
        "`last` is left out: levels `first` to `last`, both included": truncated(last=last - 1),
        "they start one too early, or end one too late: levels `first` to `last`, from 1": (
            truncated(first=first - 1, last=last)
        ),
        "one level too many: levels `first` to `last`, counted from 1": truncated(last=last + 1),
        "all levels are truncated": truncated(first=1, last=8),
        "the chosen levels are left alone, and the others truncated": (
            w[:, None] + truncated(first=1, last=8) - truncated()
        ),
        "ψ and 1 − ψ are exchanged: at ψ = 1 nothing should change": truncated(psi=1 - psi),
        "the style was multiplied by ψ, toward 0: pull it toward the mean style": (
            truncated(mean=0 * mean_w)
        ),
        "the other levels got the mean style: they keep their w": (
            truncated(others=np.broadcast_to(mean_w, w.shape))
        ),
    }
    name_mistake(styles, mistakes, 1e-3)
    wrong = [level + 1 for level in range(8) if not same(styles[:, level], truncated()[:, level])]
    require(not wrong, f"with ψ = {psi}, first = {first}, last = {last}, levels {wrong} are wrong")
    require(
        same(call(truncate_levels, w, mean_w, 1.0, 1, 8), np.repeat(w[:, None], 8, axis=1)),
        "at ψ = 1 nothing should change, at any level",
    )
    return None


@step("16.5", "the path length, by small steps")
def check_path_length(path_length):
    """`path_length(describe, start, end, t, epsilon)`: mean of |change|² / ε²."""
    rng = np.random.default_rng(0)
    start, end = rng.normal(size=(2, 40, 6))
    t, epsilon = rng.uniform(0.5, 0.9, size=(40, 1)), 0.01
    matrix = rng.normal(size=(6, 9))

    def describe(styles):
        return np.square(np.asarray(styles, float)) @ matrix  # its slope depends on the place

    def changes(at=t, step=epsilon):
        here, there = (start + each * (end - start) for each in (at, at + step))
        return describe(there) - describe(here)  # [N, F]

    found = float(array(call(path_length, describe, start, end, t, epsilon), (), "the length"))
    squares = np.square(changes()).sum(axis=1)
    right = squares.mean() / epsilon**2
    mistakes = {
        "the squared distance grows with ε²: divide by ε², not by ε": squares.mean() / epsilon,
        "divide by ε²: else a smaller step makes a shorter path": squares.mean(),
        "the distances are to be squared, before the mean": np.sqrt(squares).mean() / epsilon,
        "distances that aren't squared, divided by ε²": np.sqrt(squares).mean() / epsilon**2,
        "the sum over all pairs was taken: take the mean": squares.sum() / epsilon**2,
        "over the features the squares are summed; the mean is taken over the pairs only": (
            right / matrix.shape[1]
        ),
        "t has no influence: the small step was taken at the start": (
            np.square(changes(at=0 * t)).sum(axis=1).mean() / epsilon**2
        ),
        "that is the change from end to end: a small step at t is wanted": (
            np.square(describe(end) - describe(start)).sum(axis=1).mean()
        ),
        "t runs from the end to the start": (
            np.square(changes(at=1 - t)).sum(axis=1).mean() / epsilon**2
        ),
    }
    name_mistake(found, mistakes, 0.01)
    require(same(found, right, 0.03), f"it should be about {right:.1f} here, not {found:.1f}")
    return None
