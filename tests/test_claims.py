"""The ledger: what is judged, how, and what a row shows."""

import contextlib
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from helpers import claims, data
from helpers.claims import ClaimFailed, claim

pytestmark = pytest.mark.usefixtures("lesson")


@pytest.fixture
def real(monkeypatch):
    """Let the data be real, without looking for them."""
    monkeypatch.setattr(data, "source", lambda: data.Source("folder", "a mirror", Path()))


@pytest.fixture
def rows(real, displayed):
    """The ledger rows shown so far, as a function."""
    return lambda: [bundle[claims.MIME] for bundle in displayed]


HOLDS = [
    (0.5, {"below": 0.6}, "at most 0.6"),
    (0.6, {"below": 0.6}, "at most 0.6"),
    (0.7, {"above": 0.6}, "at least 0.6"),
    (0.6, {"above": 0.6}, "at least 0.6"),
    (0.7, {"between": (0.6, 0.8)}, "0.6 to 0.8"),
    (0.6, {"between": (0.6, 0.8)}, "0.6 to 0.8"),
    (0.8, {"between": (0.6, 0.8)}, "0.6 to 0.8"),
    (784, {"equals": 784}, "expected: 784"),
    (0, {"equals": 0}, "expected: 0"),
    (True, {"equals": True}, "expected: yes"),
    (False, {"equals": False}, "expected: no"),
    (np.bool_(True), {"equals": True}, "expected: yes"),
    (True, {"equals": np.bool_(True)}, "expected: yes"),
    ("RMSprop", {"equals": "RMSprop"}, "expected: RMSprop"),
    (np.float32(0.5), {"below": np.float32(0.6)}, "at most 0.6"),
    (-1, {"below": 0}, "at most 0"),
    (1, {"above": 0}, "at least 0"),
]
FAILS = [
    (0.61, {"below": 0.6}),
    (0.59, {"above": 0.6}),
    (0.59, {"between": (0.6, 0.8)}),
    (0.81, {"between": (0.6, 0.8)}),
    (783, {"equals": 784}),
    (1, {"equals": 0}),
    (False, {"equals": True}),
    (True, {"equals": False}),
    ("Adam", {"equals": "RMSprop"}),
    (float("nan"), {"below": 1}),
    (float("nan"), {"above": 1}),
    (float("nan"), {"between": (0, 1)}),
]


@pytest.mark.parametrize(("measured", "criterion", "words"), HOLDS)
def test_what_holds(measured, criterion, words, rows):
    claim("C1", measured, **criterion)
    (row,) = rows()
    assert (row["status"], row["criterion"]) == ("holds", words)


@pytest.mark.parametrize(("measured", "criterion"), FAILS)
def test_what_fails_stops_the_run_after_showing_the_row(measured, criterion, rows):
    with pytest.raises(ClaimFailed, match="^✗ C1 .*disputed="):
        claim("C1", measured, **criterion)
    (row,) = rows()
    assert row["status"] == "fails"


def test_failing_stops_at_full_too(rows, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", "full")
    with pytest.raises(ClaimFailed):
        claim("C1", 2, below=1)
    assert rows()[0]["profile"] == "full"


@pytest.mark.parametrize("measured", [0.5, 2.0])
def test_nothing_is_judged_at_smoke(measured, rows, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", "smoke")
    claim("C1", measured, below=1)
    assert (rows()[0]["status"], rows()[0]["profile"]) == ("not judged", "smoke")


@pytest.mark.parametrize("measured", [0.5, 2.0])
def test_nothing_is_judged_on_the_stand_in(measured, rows, displayed, monkeypatch):
    monkeypatch.setattr(data, "source", lambda: data.Source("digits", "digits"))
    claim("C1", measured, below=1)
    assert rows()[0]["status"] == "not judged"
    assert displayed[0]["text/plain"].startswith("– C1 ")


def test_disputed_claim_shows_the_reason_and_does_not_stop(rows, displayed):
    claim("C55", 0.5, above=0.9, disputed="it gets better here", note="a remark")
    (row,) = rows()
    assert (row["status"], row["note"]) == ("disputed", "it gets better here")
    text = displayed[0]["text/plain"]
    assert text.startswith("✗ C55") and text.endswith("[disputed] · it gets better here")


def test_undecided_claim_says_why_and_does_not_stop(rows, displayed):
    claim("C66", 0, above=1, undecided="nothing failed")
    assert (rows()[0]["status"], rows()[0]["note"]) == ("undecided", "nothing failed")
    text = displayed[0]["text/plain"]
    assert text.startswith("– C66") and text.endswith("[undecided] · nothing failed")
    claim("C66", 1, above=1, undecided="nothing failed")
    assert (rows()[1]["status"], rows()[1]["note"]) == ("holds", "")


@pytest.mark.parametrize("reason", ["disputed", "undecided"])
@pytest.mark.parametrize("measured", [math.nan, np.float32("nan")])
def test_a_claim_of_which_nothing_was_measured_fails_whatever_was_expected(reason, measured, rows):
    with pytest.raises(ClaimFailed, match="measured nan"):
        claim("C55", measured, above=0.9, **{reason: "as expected"})
    assert rows()[0]["status"] == "fails"


def test_disputed_claim_that_holds_after_all_holds(rows):
    claim("C55", 0.95, above=0.9, disputed="it gets better here")
    assert (rows()[0]["status"], rows()[0]["note"]) == ("holds", "")
    claim("C55", 0.95, above=0.9, disputed="it gets better here", note="a remark")
    assert (rows()[1]["status"], rows()[1]["note"]) == ("holds", "a remark")


def test_unknown_claim_is_an_error_and_shows_nothing(rows):
    with pytest.raises(ValueError, match="no claim 'C999'"):
        claim("C999", 1, below=2)
    assert rows() == []


@pytest.mark.parametrize("criteria", [{}, {"below": 1, "above": 0}, {"equals": 0, "below": 0}])
@pytest.mark.parametrize("profile", ["smoke", "lesson"])
def test_exactly_one_criterion(criteria, profile, rows, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_PROFILE", profile)
    with pytest.raises(ValueError, match="exactly one of below=, above=, between=, equals="):
        claim("C1", 1, **criteria)
    assert rows() == []


def test_row_is_complete_json_beside_html_and_text(rows, displayed):
    claim("C3", 0.97249, above=0.9, unit="%", note="of 3 & more")
    (bundle,) = displayed
    assert set(bundle) == {claims.MIME, "text/html", "text/plain"}
    assert json.loads(json.dumps(bundle[claims.MIME])) == {
        "id": "C3",
        "says": claims.statements()["C3"]["says"],
        "where": "PCA",
        "measured": 0.97249,
        "unit": "%",
        "criterion": "at least 0.9",
        "status": "holds",
        "note": "of 3 & more",
        "profile": "lesson",
    }
    says = claims.statements()["C3"]["says"]
    line = f"✓ C3 {says}: measured 0.9725 % (at least 0.9) · of 3 & more"
    assert bundle["text/plain"] == line
    for part in ("<table", "✓&nbsp;C3", "0.9725 %", "at least 0.9", "of 3 &amp; more", "#2e8b57"):
        assert part in bundle["text/html"]


@pytest.mark.parametrize(
    ("measured", "plain", "words"),
    [
        (np.float32(0.5), 0.5, "0.5"),
        (np.int64(784), 784, "784"),
        (np.array(0.25), 0.25, "0.25"),
        (np.bool_(True), True, "yes"),
        (False, False, "no"),
        ("RMSprop", "RMSprop", "RMSprop"),
        (123456, 123456, "123,456"),
        (123456.0, 123456.0, "1.235e+05"),
    ],
)
def test_measured_is_plain_in_json_and_short_in_words(measured, plain, words, rows, displayed):
    claim("C1", measured, equals=plain)
    assert rows()[0]["measured"] == plain and type(rows()[0]["measured"]) is type(plain)
    json.dumps(rows())
    assert f": measured {words} (" in displayed[0]["text/plain"]


@pytest.mark.parametrize(
    ("unit", "words"), [("", "0.5 ("), ("°", "0.5° ("), ("nats", "0.5 nats ("), ("%", "0.5 % (")]
)
def test_unit_follows_the_number(unit, words, rows, displayed):
    claim("C1", 0.5, below=1, unit=unit)
    assert f"measured {words}" in displayed[0]["text/plain"]


def test_every_statement_is_short_and_has_its_place():
    for id, statement in claims.statements().items():
        assert re.fullmatch(r"[CR][1-9]\d?\d?", id)
        assert set(statement) == {"says", "where"}
        assert statement["where"].strip()
        assert 20 <= len(statement["says"]) <= 120
        assert not statement["says"].endswith(".")
        assert statement["says"] == statement["says"].strip()


def test_statements_are_in_order_and_differ():
    keys = [(id[0], int(id[1:])) for id in claims.statements()]
    assert keys == sorted(set(keys))
    says = [statement["says"] for statement in claims.statements().values()]
    assert len(set(says)) == len(says)


@pytest.mark.parametrize("measured", [float("nan"), np.float32("inf"), np.float64(0.5), True])
def test_row_is_valid_json_whatever_was_measured(measured, rows):
    with contextlib.suppress(ClaimFailed):  # NaN
        claim("C1", measured, below=0, disputed="a test")
    (row,) = rows()
    text = json.dumps(row, allow_nan=False)
    found = json.loads(text)["measured"]
    assert found == (str(measured) if not np.isfinite(measured) else measured)


def test_a_tensor_with_one_number_is_a_number(rows):
    claim("C1", tf.constant(0.5), below=1)
    claim("C1", np.array(0.25), below=1)
    assert [row["measured"] for row in rows()] == [0.5, 0.25]
