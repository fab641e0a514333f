"""Chessboards as pictures, fast enough to follow a slider (for lesson 00)."""

import functools

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

GLYPHS = " ♟♞♝♜♛♚"  # filled shapes for both colors: white ones get a dark outline
LIGHT, DARK, RIGHT, WRONG = "#f0e6d6", "#c9ad8b", "#3a9a63", "#d9772b"


def board_picture(board, truth=None, tile=32):
    """Draw a chessboard, White at the bottom.

    Args:
        board: int [8, 8] or [64], row by row from the top. 0 is an empty square; 1 to 6 are
            White's pawn, knight, bishop, rook, queen and king, 7 to 12 Black's.
        truth: another board: squares where `board` agrees with it on a piece get a green frame,
            squares where it differs an orange one.
        tile: pixels a square.

    Returns:
        uint8 picture [8 * tile, 8 * tile, 3].

    Raises:
        ValueError: a board of another size, or with other numbers.
    """
    board = _check(board)
    rows, columns = np.indices((8, 8))
    tiles = _tiles(tile)[(rows + columns) % 2, board].copy()  # [8, 8, tile, tile, 3]
    if truth is not None:
        truth = _check(truth)
        for frame, where in [(RIGHT, (board == truth) & (truth > 0)), (WRONG, board != truth)]:
            color = [int(frame[i : i + 2], 16) for i in (1, 3, 5)]
            edge = np.ones((tile, tile), bool)
            edge[3:-3, 3:-3] = False
            tiles[where[..., np.newaxis, np.newaxis] & edge] = color
    return tiles.transpose(0, 2, 1, 3, 4).reshape(8 * tile, 8 * tile, 3)


def _check(board):
    board = np.asarray(board)
    if board.size != 64 or board.min() < 0 or board.max() > 12:
        raise ValueError("A board has 64 squares with numbers from 0 to 12.")
    return board.astype(int).reshape(8, 8)


@functools.cache
def _tiles(tile):
    """All pictures of one square, uint8 [2 colors of the square, 13 contents, tile, tile, 3]."""
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), round(2 * tile * 0.85))
    tiles = np.empty((2, 13, tile, tile, 3), np.uint8)
    for color, square in enumerate((LIGHT, DARK)):
        for piece in range(13):
            image = Image.new("RGB", (2 * tile, 2 * tile), square)  # drawn at double size
            if piece:
                black = piece > 6
                ImageDraw.Draw(image).text(
                    (tile, tile * 1.04), GLYPHS[piece - 6 * black], font=font, anchor="mm",
                    fill="#1d1d1d" if black else "#ffffff", stroke_width=2, stroke_fill="#1d1d1d",
                )  # fmt: skip
            tiles[color, piece] = image.resize((tile, tile), Image.Resampling.BOX)
    return tiles
