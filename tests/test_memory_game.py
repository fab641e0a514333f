"""The memory game and the chessboards of lesson 00, by firing real events."""

import io
import sys
import warnings

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from IPython.utils.capture import capture_output
from PIL import Image

from helpers import memory_game
from helpers.chessboard import board_picture
from helpers.memory_game import MemoryGame

EVENS = list(range(50, 13, -2))
MAKERS = {
    "patterned": lambda rng: [int(rng.integers(50)) + step for step in range(12)],
    "random": lambda rng: rng.integers(0, 100, 10).tolist(),
}


def game(**arguments):
    return MemoryGame(MAKERS, **{"first": {"patterned": EVENS}, **arguments})


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def play(widget, text):
    """One round: look, hide, write `text`, check."""
    widget.show_button.click()
    widget.hide_button.click()
    widget.answer.value = text
    widget.check_button.click()


def registry():
    module = sys.modules["ipywidgets.widgets.widget"]
    return set(getattr(module, "_instances", None) or module.Widget.widgets)


def test_it_begins_covered_with_the_given_sequence():
    """The numbers are covered before Show, and the same picture comes back with Hide."""
    widget = game()
    covered = widget.image.value
    assert widget.sequence == EVENS
    widget.show_button.click()
    assert widget.image.value != covered
    assert (pixels(widget.image.value) == pixels(widget.still())).all()  # the still shows them
    widget.hide_button.click()
    assert widget.image.value == covered
    assert widget.problem.value == ""


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (" ".join(map(str, EVENS)), 19),
        (", ".join(map(str, EVENS)) + ", 12, 10", 19),  # more than there were
        ("50, 48, 46,", 3),
        ("50 48 46", 3),
        ("50; ?; 46", 2),  # a gap keeps the places
        ("48 46 44", 0),  # right numbers, wrong places
        ("-50 +1", None),
        ("fifty", None),
        ("", None),
    ],
)
def test_what_counts_is_the_right_number_in_the_right_place(text, right):
    widget = game()
    play(widget, text)
    if right is None:
        assert "Write whole numbers" in widget.text.value
        assert "best so far" not in widget.text.value
    else:
        assert f"<b>{right} of 19</b>" in widget.text.value
        assert f"best so far: patterned {right} of 19" in widget.text.value


def test_right_and_wrong_places_have_their_colors():
    widget = game()
    play(widget, "50 1")
    picture = pixels(widget.image.value)
    width = memory_game.TILE[0]
    for index, look in enumerate(["right", "wrong", "wrong"]):
        fill = memory_game.COLORS[look][0]
        assert "#" + bytes(picture[10, 10 + index * width]).hex() == fill


@pytest.mark.parametrize("clicks", [["show_button"], [], ["hide_button"]])
def test_checking_asks_for_look_and_hide_first(clicks):
    widget = game()
    widget.answer.value = " ".join(map(str, EVENS))
    for name in clicks:
        getattr(widget, name).click()
    widget.check_button.click()
    assert "first" in widget.text.value
    assert "right place" not in widget.text.value


def test_checking_twice_counts_once():
    widget = game()
    play(widget, "50 48")
    widget.answer.value = " ".join(map(str, EVENS))  # copied from the uncovered numbers
    widget.check_button.click()
    assert "best so far: patterned 2 of 19" in widget.text.value


def test_the_time_of_looking_is_told(monkeypatch):
    clock = iter([100.0, 107.2])
    monkeypatch.setattr(memory_game.time, "perf_counter", lambda: next(clock))
    widget = game()
    widget.show_button.click()
    widget.hide_button.click()
    assert "7 seconds" in widget.text.value


def test_new_and_another_kind_bring_covered_sequences_from_the_seed():
    def course(widget):
        yield list(widget.sequence)
        widget.show_button.click()
        widget.kind.value = "random"
        assert "Press Show" in widget.text.value
        yield list(widget.sequence)
        widget.new_button.click()
        yield list(widget.sequence)

    first, again, other = (list(course(game(seed=seed))) for seed in (1, 1, 2))
    assert first == again
    assert first[0] == other[0] == EVENS
    assert first[1:] != other[1:]
    assert first[1] != first[2]


def test_the_best_of_each_kind_is_kept():
    widget = game()
    play(widget, "50 48 46")
    widget.new_button.click()
    assert widget.answer.value == ""
    play(widget, "?")
    assert "patterned 3 of 19" in widget.text.value
    widget.kind.value = "random"
    play(widget, " ".join(map(str, widget.sequence)))
    assert "patterned 3 of 19 · random 10 of 10" in widget.text.value


def test_two_copies_do_not_touch_each_other():
    one, other = game(), game()
    before = other.image.value, other.text.value, other.sequence
    play(one, "50 48")
    one.kind.value = "random"
    assert (other.image.value, other.text.value, other.sequence) == before
    one.kind.value = "patterned"
    other.new_button.click()
    fresh = game()
    fresh.new_button.click()
    assert other.sequence == fresh.sequence  # draws of one don't use up the other's


def test_it_frees_everything_and_warns_of_nothing():
    before = registry()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        widget = game()
        play(widget, "50")
        widget.kind.value = "random"
        widget.reset()
        widget.close()
    assert registry() == before


def test_display_carries_still_and_live_view():
    InteractiveShell.instance()
    widget = game()
    with capture_output() as captured:
        display(widget)
    InteractiveShell.clear_instance()
    bundle = captured.outputs[0].data
    assert "image/png" in bundle
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id


def test_an_error_of_a_maker_is_shown():
    def broken(rng):
        raise RuntimeError("no more numbers")

    widget = MemoryGame({"good": MAKERS["random"], "bad": broken})
    widget.kind.value = "bad"
    assert "no more numbers" in widget.problem.value
    widget.kind.value = "good"
    assert widget.problem.value == ""


def test_kinds_must_fit():
    with pytest.raises(ValueError, match="There must be a maker"):
        MemoryGame({})
    known = next(iter(MAKERS))
    with pytest.raises(ValueError, match=r"first sequences for \['other'\], but no makers"):
        MemoryGame(MAKERS, {"other": [1], known: [1]})


# --- chessboards


def squares(picture):
    """uint8 [8, 8, tile, tile, 3] from a board's picture."""
    tile = len(picture) // 8
    return picture.reshape(8, tile, 8, tile, 3).transpose(0, 2, 1, 3, 4)


def test_every_piece_looks_different_and_squares_alternate():
    board = np.zeros((8, 8), int)
    board[0, 0:8:2], board[2, 0:8:2], board[4, 0:8:2] = [1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]
    parts = squares(board_picture(board))
    light = [parts[r, c] for r in (0, 2, 4) for c in (0, 2, 4, 6)] + [parts[6, 0]]
    assert len({part.tobytes() for part in light}) == 13
    assert (parts[6, 0] == parts[7, 1]).all()
    assert (parts[6, 0] != parts[6, 1]).any()


def test_white_stands_at_the_bottom_and_both_shapes_are_taken():
    board = np.zeros(64, int)
    board[63] = 6
    picture = board_picture(board)
    assert picture.shape == (256, 256, 3)
    assert (squares(picture)[7, 7] == 255).any()
    assert (picture == board_picture(board.reshape(8, 8))).all()


def test_frames_tell_right_from_wrong():
    """Green where a piece is right, orange where the two differ, none on squares empty in both."""
    truth, guess = np.zeros((8, 8), int), np.zeros((8, 8), int)
    truth[0, 0] = guess[0, 0] = 1
    truth[0, 1], guess[0, 2] = 2, 3
    corners = squares(board_picture(guess, truth))[0, :, 0, 0].tolist()
    right, wrong = [0x3A, 0x9A, 0x63], [0xD9, 0x77, 0x2B]
    assert corners[:3] == [right, wrong, wrong]
    assert corners[3] not in (right, wrong)


@pytest.mark.parametrize("board", [np.zeros(63), np.full(64, 13), np.full(64, -1)])
def test_other_boards_are_refused(board):
    with pytest.raises(ValueError, match="64 squares"):
        board_picture(board)


def test_numbers_once_seen_do_not_count_again():
    widget = game()
    play(widget, "50")
    assert "1 of 19" in widget.text.value
    play(widget, " ".join(map(str, EVENS)))
    assert "New brings the next" in widget.text.value and "19 of 19" not in widget.text.value
