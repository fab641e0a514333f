"""How exercises report: right, wrong and not done, and what waits for what."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers import exercises
from helpers.exercises import Result, Wrong, array, call, judge, judge_word, ready, require


@pytest.fixture(autouse=True)
def own_steps(monkeypatch):
    """Steps "5a" and "5b" that are not the course's, and no memory of other tests."""
    monkeypatch.setattr(exercises, "_checks", {})
    monkeypatch.setattr(exercises, "_results", {})
    monkeypatch.setattr(exercises, "MODULES", {})

    @exercises.step("5a", "a number above 3")
    def above_three(number):
        require(number > 3, f"{number} is not above 3: take a larger one")
        return f"{number - 3} above"

    @exercises.step("5b", "a function that doubles")
    def doubles(function):
        require(call(function, 4) == 8, "4 doubled is 8")

    @exercises.step("5c", "well trained")
    def trained(score):
        exercises.require_score(score > 0.5, "train longer")


def test_a_right_answer_is_praised_with_what_was_right_and_a_remark():
    assert str(judge("5a", 5)) == "✓ 5a: a number above 3 (2 above)"


def test_a_wrong_answer_is_told_what_is_wrong_and_what_to_do():
    assert str(judge("5a", 2)) == "✗ 5a: 2 is not above 3: take a larger one"


@pytest.mark.parametrize("answer", [..., [1, ...], (..., 2), {"a": ...}, {"a": [1, ...]}], ids=str)
def test_a_gap_is_not_done_yet_wherever_it_is(answer):
    assert judge("5a", answer) == Result("5a", "not done", "not done yet")


def test_what_a_check_needs_from_an_earlier_step_may_be_missing():
    result = judge("5a", 5, encoder=...)
    assert str(result) == "○ 5a: not done yet: it needs a step before it"


def test_a_function_that_still_returns_a_gap_is_not_done_yet():
    assert judge("5b", lambda number: ...).state == "not done"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda number: number + 1, "4 doubled is 8"),
        (lambda: 8, "stopped with TypeError"),
        (lambda number: None, "returns nothing: is a `return` missing?"),
        (8, "a function is expected, not int"),
    ],
)
def test_a_wrong_function_is_named(function, message):
    result = judge("5b", function)
    assert result.state == "wrong"
    assert message in result.message


def test_an_error_in_a_students_function_is_told_with_its_line():
    def half(number):
        return number / 0

    assert judge("5b", half).message == (
        "half stopped with ZeroDivisionError: division by zero, at `return number / 0`"
    )


def test_an_answer_of_a_kind_that_nobody_expected_is_wrong_but_no_error():
    result = judge("5a", "seven")
    assert result.state == "wrong"
    assert result.message.startswith("could not be checked: TypeError")


def test_scores_are_judged_but_for_smoke(lesson, monkeypatch):
    assert judge("5c", 0.1).message == "train longer"
    monkeypatch.setenv("NOTEBOOK_PROFILE", "smoke")
    assert judge("5c", 0.1).state == "right"


def test_the_line_is_shown_as_text_as_html_and_for_tests(displayed):
    exercises.check_exercise("5a", 2)
    (bundle,) = displayed
    assert bundle["text/plain"].startswith("✗ 5a: ")
    assert "<b>✗</b> 5a: " in bundle["text/html"]
    assert bundle[exercises.MIME]["state"] == "wrong"


def test_what_a_student_wrote_is_escaped_in_html(displayed):
    exercises.check_exercise("5a", np.array(["<b>"]))
    assert "<b>" not in displayed[0]["text/html"].replace("<b>✗</b>", "")


def test_cells_wait_for_gaps_but_not_for_mistakes(displayed):
    assert not ready("5a", "5b")
    assert displayed[0]["text/plain"] == "○ This cell waits for 5a, 5b."
    judge("5a", 5)
    judge("5b", ...)
    assert not ready("5a", "5b")
    assert displayed[1]["text/plain"] == "○ This cell waits for 5b."
    judge("5b", lambda number: 7)  # wrong
    assert ready("5a", "5b")
    assert len(displayed) == 2


def test_progress_counts_what_is_right(capsys):
    judge("5a", 5)
    judge("5b", lambda number: 7)
    exercises.show_progress("5")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1 of 3 steps are right."
    assert [line[0] for line in lines[1:]] == ["✓", "✗", "○"]


def test_a_later_answer_replaces_an_earlier_one(displayed):
    judge("5a", 5)
    judge("5a", ...)
    assert not ready("5a")


@pytest.mark.parametrize("ask", [judge, exercises.check_exercise, ready])
def test_an_unknown_step_is_an_error(ask):
    with pytest.raises(ValueError, match="no step '5z'. There are: 5a, 5b, 5c."):
        ask("5z")


def test_the_steps_there_are_are_those_of_all_modules(monkeypatch):
    def load(module):
        exercises.step(module.removeprefix("helpers.checks_"), "something")(lambda answer: None)

    monkeypatch.setattr(exercises, "MODULES", {"7": "checks_7a", "8": "checks_8a"})
    monkeypatch.setattr(exercises.importlib, "import_module", load)
    with pytest.raises(ValueError, match="no step '7z'. There are: 5a, 5b, 5c, 7a, 8a."):
        judge("7z", 1)


def test_progress_of_an_exercise_without_steps_is_an_error():
    with pytest.raises(ValueError, match="no step '6a'"):
        exercises.show_progress("6")


def test_two_checks_of_one_name_are_an_error():
    def other():
        pass

    with pytest.raises(ValueError, match="'5a' already"):
        exercises.step("5a", "another one of this module")(other)
    other.__qualname__, other.__module__ = exercises._checks["5a"][1].__qualname__, "elsewhere"
    with pytest.raises(ValueError, match="'5a' already"):
        exercises.step("5a", "one of that name elsewhere")(other)
    other.__module__ = __name__
    exercises.step("5a", "the same, as when its module is loaded again")(other)


def test_array_says_what_is_wrong():
    assert array([[1, 2]], (None, 2), "it").shape == (1, 2)
    with pytest.raises(Wrong, match=r"it: the shape is \[3\], expected is \[N, 2\]"):
        array([1, 2, 3], (None, 2), "it")
    with pytest.raises(Wrong, match="it: some numbers are infinite"):
        array([1, np.nan], (2,), "it")
    with pytest.raises(Wrong, match="it: numbers are expected, not str"):
        array("abc", (2,), "it")


@pytest.mark.parametrize(
    ("word", "gains", "message"),
    [
        ("helps", [1, 2, 3], None),
        ("harms", [-1, -2, -3], None),
        ("can't tell", [-1, 0, 2], None),
        ("helps", [-1, 0, 2], "it may be luck"),
        ("can't tell", [1, 2, 3], "hardly luck"),
        ("helps", [-1, -2, -3], "Mind the sign"),
        ("yes", [1, 2, 3], "none of 'helps'"),
        ("helps", [1, 2], "2 seeds; at least 3"),
    ],
)
def test_a_word_is_held_against_the_numbers(word, gains, message, lesson):
    if message is None:
        judge_word(word, gains, [0] * len(gains), "it", fewest=3)
    else:
        with pytest.raises(Wrong, match=message):
            judge_word(word, gains, [0] * len(gains), "it", fewest=3)


def test_too_few_seeds_are_not_held_against_a_smoke_run(monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", "smoke")
    judge_word("helps", [-1], [0], "it", fewest=3)


def test_the_mechanism_does_not_load_tensorflow(tmp_path):
    code = "import sys, helpers.exercises; print(*{'tensorflow', 'keras'} & set(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert loaded.stdout.strip() == ""
