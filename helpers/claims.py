"""The ledger: what the chapter states, beside what a notebook measured.

The statements, in our own words, are in ``claims.json``: those of the chapter as C1, C2 and so on,
as R1, R2 and so on what published runs of the chapter's recipes have reached. A notebook calls
:func:`claim` with the number it measured and what would confirm the statement; the row it shows is
collected into the README by ``make ledger``.
"""

import html
import json
import math
import numbers
from importlib import resources

import numpy as np

from helpers import data, session

MIME = "application/vnd.from-pca-to-stylegan.claim+json"
MARKS = {"holds": "✓", "fails": "✗", "disputed": "✗", "undecided": "–", "not judged": "–"}
GREEN, RED, ORANGE, GRAY = "#2e8b57", "#c0392b", "#d9772b", "#888888"
COLORS = dict(zip(MARKS, (GREEN, RED, ORANGE, GRAY, GRAY), strict=True))


class ClaimFailed(AssertionError):
    """A statement of the chapter did not hold where it was expected to."""


def statements():
    """All statements, dict id -> {"says": ..., "where": ...}."""
    return json.loads((resources.files("helpers") / "claims.json").read_text(encoding="utf-8"))


def claim(
    id,
    measured,
    *,
    below=None,
    above=None,
    between=None,
    equals=None,
    unit="",
    disputed="",
    undecided="",
    note="",
):
    """Show one row of the ledger, and stop the notebook if the statement fails unexpectedly.

    At the profile "smoke" and on stand-in data nothing is judged.

    Args:
        id: of the statement in ``claims.json``, such as "C12".
        measured: a number; or, with `equals`, a bool or text as well.
        below, above, between, equals: what confirms the statement; exactly one of them. Limits
            themselves count as inside; `between` is a pair.
        unit: follows the number in the row.
        disputed: the reason why the statement is expected not to hold here.
        undecided: the reason why the measurement settles nothing, if it is not met.
        note: a remark, for a row that shows neither of these reasons.

    Raises:
        ValueError: unknown id, or not exactly one criterion.
        ClaimFailed: the measured value is outside, and the claim is neither disputed nor undecided;
            or nothing was measured, it is NaN.
    """
    if id not in statements():
        raise ValueError(f"There is no claim {id!r} in claims.json.")
    criterion, holds = _judge(measured, below, above, between, equals)
    if session.profile() == "smoke" or not data.source().is_real:
        status = "not judged"
    else:
        unmet = "disputed" if disputed else "undecided" if undecided else "fails"
        status = "holds" if holds else "fails" if _plain(measured) == "nan" else unmet
    row = {
        "id": id,
        **statements()[id],
        "measured": _plain(measured),
        "unit": unit,
        "criterion": criterion,
        "status": status,
        "note": {"disputed": disputed, "undecided": undecided}.get(status, note),
        "profile": session.profile(),
    }
    _show(row)
    if status == "fails":
        raise ClaimFailed(
            f"{_as_text(row)}. Have you changed something above? Then this may be the result: go "
            "on with the next cell. (If it is known not to hold, the lesson says why by "
            'disputed="…".)'
        )


def _plain(value):
    """As JSON can hold it: Python's own numbers, and texts for those that are not finite."""
    value = np.asarray(value).item() if hasattr(value, "shape") else value  # tensors, too
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _judge(measured, below, above, between, equals):
    """The criterion in words, and whether `measured` meets it."""
    given = [c is not None for c in (below, above, between, equals)]
    if sum(given) != 1:
        raise ValueError("Give exactly one of below=, above=, between=, equals=.")
    if equals is not None:
        return f"expected: {_number(equals)}", bool(measured == equals)
    if below is not None:
        return f"at most {_number(below)}", bool(measured <= below)
    if above is not None:
        return f"at least {_number(above)}", bool(measured >= above)
    low, high = between
    return f"{_number(low)} to {_number(high)}", bool(low <= measured <= high)


def _number(value):
    """Whole numbers in full, others with up to four digits; yes and no for booleans."""
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return f"{value:,}"
    if not isinstance(value, numbers.Real) and not hasattr(value, "item"):
        return str(value)
    return f"{float(value):.4g}"


def measured(row):
    """What a row of the ledger says was measured, with its unit, as text."""
    unit = row["unit"]
    return _number(row["measured"]) + (unit if unit.startswith("°") else f" {unit}".rstrip())


def _as_text(row):
    note = f" · {row['note']}" if row["note"] else ""
    status = "" if row["status"] == "holds" else f" [{row['status']}]"
    return (
        f"{MARKS[row['status']]} {row['id']} {row['says']}: measured {measured(row)} "
        f"({row['criterion']}){status}{note}"
    )


def _show(row):
    from IPython.display import display

    color = COLORS[row["status"]]
    status = "" if row["status"] == "holds" else f"<br><i>{row['status']}</i>"
    note = f"<br><small>{html.escape(row['note'])}</small>" if row["note"] else ""
    as_html = (
        '<table style="width:100%;max-width:860px"><tr>'
        f'<td style="width:4em;text-align:left;color:{color}"><b>{MARKS[row["status"]]}'
        f"&nbsp;{row['id']}</b></td>"
        f'<td style="text-align:left">{html.escape(row["says"])}{note}</td>'
        f'<td style="width:35%;text-align:left"><b>{html.escape(measured(row))}</b><br>'
        f"<small>{html.escape(row['criterion'])}</small>{status}</td></tr></table>"
    )
    display({MIME: row, "text/html": as_html, "text/plain": _as_text(row)}, raw=True)
