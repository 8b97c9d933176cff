"""Tables of pictures, with titles of rows and heads of columns."""

from typing import Callable, List, Optional, Sequence, Tuple

import cv2
import numpy as np

from .canvas import blank, draw_text, text_size
from .palette import GHOST, INK, LINE, QUIET, TILE, Color

Cell = Callable[[int, int], Optional[np.ndarray]]
GAP, MARGIN = 6, 18


def tile_canvas(height: int, width: int, note: str = '') -> np.ndarray:
    """Returns an empty cell with a thin border, and a note in its middle."""
    canvas = blank(height, width, TILE)
    cv2.rectangle(canvas, (0, 0), (width - 1, height - 1), LINE, 1)
    return draw_text(canvas, note, width / 2, height / 2, 11, GHOST, 'cm')


def frame_tile(canvas: np.ndarray, color: Color, thickness: int = 3) -> np.ndarray:
    """Draws a coloured border inside the cell's edge, in place."""
    height, width = canvas.shape[:2]
    for inset in range(thickness):
        cv2.rectangle(canvas, (inset, inset), (width - 1 - inset, height - 1 - inset), color, 1)
    return canvas


def picture_grid(
    rows: Sequence[str],
    columns: Sequence[str],
    cell: Cell,
    cell_size: Tuple[int, int],
    side: str = '',
    notes: Optional[Sequence[str]] = None,
    title_width: int = 0,
) -> np.ndarray:
    """Draws a table of pictures.

    Args:
        rows (Sequence[str]): Row titles, on the left.
        columns (Sequence[str]): Column heads.
        cell (Callable): ``cell(row, column)`` returns an RGB picture of ``cell_size``, or None.
        cell_size (tuple[int, int]): Height and width of a cell in pixels.
        side (str): A title for all rows, turned by 90 degrees, on the far left.
        notes (Sequence[str], optional): A second, quiet line under each row title.
        title_width (int): Smallest width left of the cells in pixels, so that tables under each other align.

    Returns:
        ndarray: Shape (H, W, 3) uint8, RGB.
    """
    height, width = cell_size
    notes = list(notes or [''] * len(rows))
    # The column of titles is as wide as its widest text.
    titles = (
        max(max(text_size(row, 14, True)[0], text_size(note, 11)[0]) for row, note in zip(rows, notes)) + 24
    )
    left = max(MARGIN + (30 if side else 0) + titles, title_width)
    head = 26
    canvas = blank(
        head + len(rows) * (height + GAP) - GAP, left + len(columns) * (width + GAP) - GAP + MARGIN
    )
    if side:
        middle = head + (canvas.shape[0] - head) / 2
        draw_text(canvas, side, MARGIN + 10, middle, 15, INK, 'cm', bold=True, turned=True)
        cv2.line(canvas, (MARGIN + 24, head), (MARGIN + 24, canvas.shape[0] - 1), LINE, 1)
    for column, text in enumerate(columns):
        draw_text(canvas, text, left + column * (width + GAP) + width / 2, head / 2, 12, QUIET, 'cm')
    for row, (title, note) in enumerate(zip(rows, notes)):
        top = head + row * (height + GAP)
        middle = top + height / 2
        draw_text(canvas, title, left - 14, middle - (8 if note else 0), 14, INK, 'rm', bold=True)
        draw_text(canvas, note, left - 14, middle + 10, 11, QUIET, 'rm')
        # A cell without a picture stays empty.
        for column in range(len(columns)):
            picture = cell(row, column)
            if picture is not None:
                start = left + column * (width + GAP)
                canvas[top : top + height, start : start + width] = picture
    return canvas


def page(
    parts: Sequence[np.ndarray],
    title: str = '',
    subtitle: str = '',
    legend: Sequence[Tuple[str, Callable]] = (),
) -> np.ndarray:
    """Puts pictures under each other, with a title above and a legend below.

    Args:
        parts (Sequence[ndarray]): RGB pictures.
        title (str): In heavy letters.
        subtitle (str): Below it, in grey.
        legend (Sequence[tuple[str, Callable]]): Texts, each with ``mark(canvas, x, y)`` that draws its
            symbol, 18 px wide, around (x, y).

    Returns:
        ndarray: Shape (H, W, 3) uint8, RGB.
    """
    widths = [text_size(text, 12)[0] + 26 + 22 for text, _ in legend]
    width = max(
        [part.shape[1] for part in parts]
        + [2 * MARGIN + text_size(title, 18, True)[0], 2 * MARGIN + text_size(subtitle, 12)[0]]
    )
    pieces: List[np.ndarray] = []
    if title or subtitle:
        head = blank(30 * bool(title) + 20 * bool(subtitle) + 10, width)
        draw_text(head, title, MARGIN, 22, 18, INK, 'lm', bold=True)
        draw_text(head, subtitle, MARGIN, head.shape[0] - 12, 12, QUIET, 'lm')
        pieces.append(head)
    for part in parts:
        pieces += [_widened(part, width), blank(14, width)]
    if legend:
        # Entries of the legend flow into as many lines as the page's width needs.
        lines = [[0]]
        for index in range(1, len(legend)):
            if sum(widths[i] for i in lines[-1]) + widths[index] > width - 2 * MARGIN:
                lines.append([])
            lines[-1].append(index)
        foot = blank(24 * len(lines) + 6, width)
        for line, indices in enumerate(lines):
            x = MARGIN
            for index in indices:
                text, mark = legend[index]
                mark(foot, x + 9, 24 * line + 12)
                draw_text(foot, text, x + 26, 24 * line + 12, 12, QUIET, 'lm')
                x += widths[index]
        pieces.append(foot)
    return np.vstack(pieces)


def _widened(picture: np.ndarray, width: int) -> np.ndarray:
    out = blank(picture.shape[0], width)
    out[:, : picture.shape[1]] = picture
    return out
