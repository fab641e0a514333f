"""The exercises as shipped, and their gaps filled with the published solutions."""

import ast
import copy
import importlib

import pytest
from coursetools import notebooks, run

from helpers import exercises
from helpers.exercises import MIME

NOTEBOOKS = {path.stem.partition("_")[2]: path for path in notebooks.select("all")}
EXERCISES, SOLUTIONS = NOTEBOOKS["exercises"], NOTEBOOKS["exercise_solutions"]
LESSONS = [path for path in NOTEBOOKS.values() if path not in (EXERCISES, SOLUTIONS)]
NUM_STEPS = 23


def gaps(path):
    """Dict step -> the cell tagged ``gap:<step>``, in order."""
    return {
        tag.removeprefix("gap:"): cell
        for cell in notebooks.code_cells(notebooks.read(path))
        for tag in notebooks.tags(cell)
        if tag.startswith("gap:")
    }


def check_of(cell):
    """The check at the end of a gap's cell, as code without layout."""
    last = ast.parse(notebooks.plain_python(cell.source)).body[-1]
    return ast.dump(last)


def has_gap(cell):
    """Whether ``...`` stands in a cell's code, as a value and not as an index."""
    nodes = list(ast.walk(ast.parse(notebooks.plain_python(cell.source))))
    indices = [node.slice for node in nodes if isinstance(node, ast.Subscript)]
    indices = {part for index in indices for part in ast.walk(index)}
    dots = {node for node in nodes if isinstance(node, ast.Constant) and node.value is ...}
    return bool(dots - indices)


def found(notebook):
    """The rows that checks and waiting cells have left in a notebook's outputs."""
    return [
        output.data[MIME]
        for cell in notebooks.code_cells(notebook)
        for output in cell.outputs
        if MIME in output.get("data", {})
    ]


def filled():
    """The exercises with the solutions' cells in place of the gaps."""
    notebook, solved = copy.deepcopy(notebooks.read(EXERCISES)), gaps(SOLUTIONS)
    for cell in notebooks.code_cells(notebook):
        for tag in notebooks.tags(cell):
            if tag.startswith("gap:"):
                cell.source = solved[tag.removeprefix("gap:")].source
    return notebook


def noise(notebook):
    """What went to stderr, or ended in an error."""
    return [
        output
        for cell in notebooks.code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def test_each_gap_has_a_solution_and_both_end_in_the_same_check():
    asked, solved = gaps(EXERCISES), gaps(SOLUTIONS)
    assert list(asked) == list(solved)
    assert len(asked) == NUM_STEPS
    for step, cell in asked.items():
        assert f'check_exercise("{step}"' in cell.source
        assert check_of(cell) == check_of(solved[step]), step
        assert has_gap(cell), step
        assert not has_gap(solved[step]), step


def test_the_committed_outputs_show_gaps_there_and_solutions_here():
    for path, state in ((EXERCISES, "not done"), (SOLUTIONS, "right")):
        rows = [row for row in found(notebooks.read(path)) if "step" in row]
        assert [row["step"] for row in rows] == list(gaps(path))
        assert {row["state"] for row in rows} == {state}, [
            row for row in rows if row["state"] != state
        ]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lessons_tasks_are_checked_and_not_done_yet(path):
    lesson = path.stem.split("_")[0]
    importlib.import_module(f"helpers.{exercises.MODULES[lesson + '.']}")
    rows = found(notebooks.read(path))
    steps = [row["step"] for row in rows]
    assert steps == sorted(step for step in exercises._checks if step.startswith(f"{lesson}."))
    assert steps
    assert {row["state"] for row in rows} == {"not done"}
    turn = [c.source for c in notebooks.read(path).cells if "## Your turn" in c.source]
    for step in steps:
        assert f"\n{step.split('.')[1]}. " in turn[0], step


@pytest.mark.timeout(900)
def test_the_exercises_run_as_shipped_and_nothing_is_done_yet():
    notebook, _, _ = run.execute(EXERCISES, cell_seconds=300, profile="smoke")
    rows = found(notebook)
    assert noise(notebook) == []
    assert [row["state"] for row in rows if "step" in row] == ["not done"] * NUM_STEPS
    assert any("waits_for" in row for row in rows)


@pytest.mark.timeout(900)
def test_the_exercises_filled_with_the_solutions_pass_every_check(tmp_path):
    path = tmp_path / EXERCISES.name
    notebooks.write(filled(), path)
    notebook, _, _ = run.execute(path, cell_seconds=300, profile="smoke")
    rows = found(notebook)
    assert noise(notebook) == []
    assert [row for row in rows if row.get("state") != "right"] == []
    assert len(rows) == NUM_STEPS
