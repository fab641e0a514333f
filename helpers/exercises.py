"""Checks for exercises: one line says whether a step is right, wrong, or not done yet.

A gap in a notebook is ``...``, Python's Ellipsis. A cell with a gap runs as it is, and so does the
check below it:

    encoder = ...                      # the gap
    check_exercise("9a", encoder)      # ○ 9a: not done yet
    if ready("9a"):                    # ○ waits for 9a
        encoder.summary()

Steps of the coding exercises are called "9a", "10c"; the tasks at a lesson's end "04.2": lesson 04,
number 2. The checks stand in modules of their own, which are imported when one is needed: see
``MODULES``. A check is a function of the answers, marked by :func:`step`;
it calls :func:`require` and :func:`require_score`, and may return a remark for the line.
"""

import html
import importlib
import traceback
from dataclasses import dataclass

import numpy as np

from helpers import session

MIME = "application/vnd.from-pca-to-stylegan.exercise+json"
MODULES = {"9": "checks_denoising", "10": "checks_vae", "11": "checks_gan"}
MODULES |= dict.fromkeys(("00.", "01.", "02."), "checks_basics")
MODULES |= dict.fromkeys(("03.", "04.", "05."), "checks_pretraining")
MODULES |= dict.fromkeys(("06.", "07.", "08."), "checks_variants")
MODULES |= dict.fromkeys(("09.", "10."), "checks_codings")
MODULES |= dict.fromkeys(("11.", "12.", "13.", "14."), "checks_adversarial")
MODULES |= dict.fromkeys(("15.", "16."), "checks_growing")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SIGNS = {"right": "✓", "wrong": "✗", "not done": "○"}
WORDS = ("helps", "harms", "can't tell")
LEAVES_GRAPH = (
    "right as numbers, but it can't be part of a training: use keras.ops (and keras.random) "
    "instead of NumPy"
)
COLORS = {"right": "#2e8b57", "wrong": "#c0392b", "not done": "#888888"}

_checks = {}  # step -> (title, function)
_results = {}  # step -> the latest Result


class Wrong(Exception):
    """An answer is wrong; the message says what is wrong and what to do."""


class NotDone(Exception):
    """There is still a gap."""


@dataclass(frozen=True)
class Result:
    """What a check found: `state` is "right", "wrong" or "not done"."""

    step: str
    state: str
    message: str

    def __str__(self):
        return f"{SIGNS[self.state]} {self.step}: {self.message}"


def check_exercise(step, *answers, **context):
    """Show in one line whether the answers to a step are right; a wrong one is never an error.

    Args:
        step: such as "9b", or "04.2".
        answers: what was to be written; with ``...`` in place of one, it is not done yet.
        context: what the check needs besides, such as images.

    Raises:
        ValueError: there is no such step.
    """
    _show(judge(step, *answers, **context))


def judge(step, *answers, **context):
    """The :class:`Result` of a check, which :func:`check_exercise` shows."""
    title, function = _find(step)
    try:
        if any(_has_gap(answer) for answer in answers):
            raise NotDone
        if any(_has_gap(value) for value in context.values()):
            raise NotDone("not done yet: it needs a step before it")
        remark = function(*answers, **context)
        result = Result(step, "right", f"{title}{f' ({remark})' if remark else ''}")
    except NotDone as gap:
        result = Result(step, "not done", str(gap) or "not done yet")
    except Wrong as error:
        result = Result(step, "wrong", str(error))
    except Exception as error:  # whatever an unexpected answer may bring about
        result = Result(step, "wrong", f"could not be checked: {_said(error)}")
    _results[step] = result
    return result


def ready(*steps):
    """Whether a cell that needs these steps can run: all are answered, rightly or wrongly.

    If not, one line says what it waits for. A wrong answer may run: its consequences teach, too.

    Raises:
        ValueError: there is no such step.
    """
    waiting = [step for step in steps if _find(step) and not _answered(step)]
    if waiting:
        names = ", ".join(waiting)
        _show_line("not done", f"○ This cell waits for {names}.", {"waits_for": waiting})
    return not waiting


def show_progress(*numbers):
    """Show the latest result for each step of these exercises, and how many are right.

    Args:
        numbers: of exercises, such as "9" for the steps 9a, 9b and so on.

    Raises:
        ValueError: an exercise without steps.
    """
    for number in numbers:
        _find(f"{number}a")
    steps = [step for step in _checks if step.rstrip(LETTERS) in numbers]
    states = {step: _results[step].state if step in _results else "not done" for step in steps}
    num_right = sum(state == "right" for state in states.values())
    lines = [f"{num_right} of {len(steps)} steps are right."]
    lines += [f"{SIGNS[states[step]]} {step:4s} {_checks[step][0]}" for step in steps]
    print("\n".join(lines))


# What checks are made of


def step(name, title):
    """Decorator: this function checks the step `name`; `title` says in a few words what is right.

    Raises:
        ValueError: there is a check for this step already.
    """

    def register(function):
        known = _checks[name][1] if name in _checks else function
        if (known.__module__, known.__qualname__) != (function.__module__, function.__qualname__):
            raise ValueError(f"There is a check for step {name!r} already.")  # and none reloaded
        _checks[name] = (title, function)
        return function

    return register


def require(holds, message):
    """Say `message` and stop the check unless `holds`.

    Raises:
        Wrong: with the message.
    """
    if not holds:
        raise Wrong(message)


def require_score(holds, message):
    """As :func:`require`, but at the profile "smoke" nobody has trained enough to be judged."""
    require(holds or session.profile() == "smoke", message)


def call(function, *arguments, **named):
    """Call a student's function.

    Raises:
        NotDone: it still returns ``...``.
        Wrong: it isn't a function, or it raised an error: the message tells which, and where.
    """
    require(callable(function), f"a function is expected, not {type(function).__name__}")
    try:
        answer = function(*arguments, **named)
    except Exception as error:
        name = getattr(function, "__name__", type(function).__name__)
        raise Wrong(f"{name} stopped with {_said(error, name)}") from None
    if answer is None:
        raise Wrong("the function returns nothing: is a `return` missing?")
    if _has_gap(answer):
        raise NotDone
    return answer


class CountingGenerator(np.random.Generator):
    """Raises RuntimeError when more random numbers are drawn than anybody needs.

    Args:
        seed: as for ``np.random.default_rng``.
        most: how many numbers may be drawn.
    """

    def __init__(self, seed, most):
        super().__init__(np.random.PCG64(seed))
        self.left = most

    def normal(self, *arguments, **named):
        return self._counted(super().normal(*arguments, **named))

    def standard_normal(self, *arguments, **named):
        return self._counted(super().standard_normal(*arguments, **named))

    def _counted(self, numbers):
        self.left -= np.size(numbers)
        if self.left < 0:
            raise RuntimeError("this would go on forever: draw again only what is too large")
        return numbers


def array(answer, shape, what):
    """A student's answer as a NumPy array of the expected shape.

    Args:
        answer: array, tensor or list.
        shape: the expected shape; None stands for any length.
        what: what it is, for the message.

    Raises:
        Wrong: it is no array, has another shape, or holds numbers that are not finite.
    """
    try:
        answer = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        raise Wrong(f"{what}: numbers are expected, not {type(answer).__name__}") from None
    fits = len(answer.shape) == len(shape) and all(
        wanted in (None, found) for wanted, found in zip(shape, answer.shape, strict=True)
    )
    wanted = ["N" if length is None else length for length in shape]
    shown = str(wanted).replace("'", "")
    require(fits, f"{what}: the shape is {list(answer.shape)}, expected is {shown}")
    require(np.isfinite(answer).all(), f"{what}: some numbers are infinite or not a number")
    return answer


def same(left, right, tolerance=1e-4):
    """Whether two arrays are equal, up to rounding."""
    left, right = np.asarray(left), np.asarray(right)
    return left.shape == right.shape and bool(np.allclose(left, right, tolerance, tolerance))


def name_mistake(found, mistakes, tolerance=1e-4):
    """Say what is wrong if an answer is what a common mistake leads to.

    Args:
        found: the answer, an array or a number.
        mistakes: dict message -> what that mistake leads to.
        tolerance: see :func:`same`.

    Raises:
        Wrong: with the message of the first mistake that fits.
    """
    for message, wrong in mistakes.items():
        require(not same(found, wrong, tolerance), message)


def require_probabilities(answers):
    """Whether each of these answers, [N, 10], is a probability for each class.

    Raises:
        Wrong: it isn't.
    """
    require(
        answers.min() >= 0 and same(answers.sum(axis=1), np.ones(len(answers)), 1e-3),
        "the ten answers are no probabilities: end with a softmax",
    )


def num_found(kernels, network):
    """How many of these weight matrices are among the network's."""
    return sum(any(same(kernel, own) for own in network.get_weights()) for kernel in kernels)


def all_layers(network):
    """The layers of a Keras network in order, those of nested networks in place."""
    layers = []
    for layer in network.layers:
        layers += all_layers(layer) if hasattr(layer, "layers") else [layer]
    return layers


def judge_word(word, values, baseline, what, fewest):
    """Whether "helps", "harms" or "can't tell" fits the numbers, where larger is better.

    Raises:
        Wrong: another word, too few seeds, or numbers that say something else.
    """
    require(word in WORDS, f"{what}: {word!r} is none of {', '.join(map(repr, WORDS))}")
    gains = np.asarray(values, float) - np.asarray(baseline, float)
    if len(gains) < fewest:
        require_score(False, f"{what}: {len(gains)} seeds; at least {fewest} are needed")
        return
    mean, error = gains.mean(), gains.std(ddof=1) / np.sqrt(len(gains))
    fitting = "can't tell" if abs(mean) <= 2 * error else "helps" if mean > 0 else "harms"
    numbers = f"the mean gain is {mean:+.3g} with a standard error of {error:.2g}"
    if word == fitting:
        return
    if fitting == "can't tell":
        raise Wrong(f"{what}: {numbers}. That is less than two of them: it may be luck")
    if word == "can't tell":
        raise Wrong(f"{what}: {numbers}, more than two of them: that is hardly luck")
    raise Wrong(f"{what}: {numbers}. Mind the sign: which of the two is better?")


def _find(step):
    """(title, function) of a step; imports the module that has it."""
    number = "".join(step.rstrip(LETTERS).partition(".")[:2])  # "9" of "9a", "04." of "04.2"
    if number in MODULES:
        importlib.import_module(f"helpers.{MODULES[number]}")
    if step not in _checks:
        for module in MODULES.values():
            importlib.import_module(f"helpers.{module}")
        known = ", ".join(sorted(_checks, key=lambda name: (len(name), name)))
        raise ValueError(f"There is no step {step!r}. There are: {known}.")
    return _checks[step]


def _answered(step):
    return step in _results and _results[step].state != "not done"


def _has_gap(answer):
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, (list, tuple)):
        return any(_has_gap(part) for part in answer)
    return answer is ...


def _said(error, function_name=None):
    """An error in one line, with the line of the student's function where it happened."""
    text = " ".join(str(error).split())
    said = f"{type(error).__name__}: {text[:300]}{'…' if len(text) > 300 else ''}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.line for frame in frames if frame.name == function_name and frame.line]
    return said + (f", at `{lines[-1].strip()}`" if lines else "")


def _show(result):
    row = {"step": result.step, "state": result.state, "message": result.message}
    _show_line(result.state, str(result), row)


def _show_line(state, line, row):
    from IPython.display import display

    sign, rest = line.split(" ", 1)
    style = f"max-width:860px;color:{COLORS[state]}"
    as_html = f'<div style="{style}"><b>{sign}</b> {html.escape(rest)}</div>'
    display({MIME: row, "text/html": as_html, "text/plain": line}, raw=True)
