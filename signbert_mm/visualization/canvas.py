"""Images to draw on: uint8, RGB, written as PNG."""

from functools import lru_cache
from pathlib import Path
from typing import Callable, List, Tuple, Union

import cv2
import numpy as np

from ..errors import UserValueError
from .palette import INK, PAPER, Color

ANCHORS = dict(l=0.0, c=0.5, r=1.0, t=0.0, m=0.5, b=1.0)


def blank(height: int, width: int, color: Color = PAPER) -> np.ndarray:
    """A canvas of one colour: shape (height, width, 3) uint8, RGB."""
    return np.full((height, width, 3), color, dtype=np.uint8)


def check_canvas(canvas: np.ndarray) -> np.ndarray:
    """Returns the canvas if it can be drawn on.

    Raises:
        ValueError: It is not uint8 of shape (height, width, 3).
    """
    if (
        not isinstance(canvas, np.ndarray)
        or canvas.dtype != np.uint8
        or canvas.ndim != 3
        or canvas.shape[2] != 3
    ):
        actual = (
            f'{canvas.dtype} of shape {canvas.shape}'
            if isinstance(canvas, np.ndarray)
            else type(canvas).__name__
        )
        raise UserValueError(f'a canvas is a uint8 RGB array of shape (height, width, 3), got {actual}')
    return canvas


def save_image(path: Union[str, Path], image: np.ndarray) -> Path:
    """Writes an RGB image in the format of the file's ending, and makes its folders.

    Raises:
        OSError: The file could not be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), cv2.cvtColor(check_canvas(image), cv2.COLOR_RGB2BGR)):
        raise OSError(f'{path}: image could not be written')
    return path


def blend(
    canvas: np.ndarray, alpha: np.ndarray, color: Union[Color, np.ndarray], top: int, left: int
) -> None:
    """Blends a colour, or an RGB image of alpha's size, into the canvas in place, clipped at its edges.

    Args:
        canvas (ndarray): Shape (H, W, 3) uint8.
        alpha (ndarray): Shape (h, w) float in [0, 1]; 0 = transparent.
        color (tuple | ndarray): RGB, or shape (h, w, 3).
        top (int): Row of alpha's first row.
        left (int): Column of alpha's first column.
    """
    (height, width), (rows, columns) = alpha.shape, canvas.shape[:2]
    y0, y1, x0, x1 = max(top, 0), min(top + height, rows), max(left, 0), min(left + width, columns)
    if y0 >= y1 or x0 >= x1:
        return
    # The part of alpha that lies on the canvas.
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    weight = alpha[part][..., None]
    paint = np.asarray(color, dtype=np.float32)
    paint = paint[part] if paint.ndim == 3 else paint
    region = canvas[y0:y1, x0:x1]
    region[:] = np.rint(weight * paint + (1 - weight) * region).astype(np.uint8)


def smoothly(canvas: np.ndarray, draw: Callable[[np.ndarray, int], object], factor: int = 3) -> np.ndarray:
    """Draws on an enlarged copy and shrinks it into the canvas.

    OpenCV's own lines and small discs are angular. These are smooth.

    Args:
        canvas (ndarray): Shape (H, W, 3) uint8, changed in place.
        draw (Callable): ``draw(enlarged, factor)``; coordinates must be multiplied by ``factor``.
        factor (int): Samples per pixel along each side.

    Returns:
        ndarray: The canvas.
    """
    height, width = check_canvas(canvas).shape[:2]
    enlarged = cv2.resize(canvas, (width * factor, height * factor), interpolation=cv2.INTER_NEAREST)
    draw(enlarged, factor)
    canvas[:] = cv2.resize(enlarged, (width, height), interpolation=cv2.INTER_AREA)
    return canvas


@lru_cache(maxsize=1)
def font_families() -> List[str]:
    """matplotlib's own font, and a font with Chinese characters if one is installed."""
    from matplotlib.font_manager import fontManager

    # Glosses may be Chinese, and DejaVu Sans has no such characters.
    names = {font.name for font in fontManager.ttflist}
    chinese = [
        name
        for name in sorted(names)
        if ' CJK ' in name or name.startswith(('WenQuanYi', 'SimHei', 'Microsoft YaHei', 'PingFang'))
    ]
    return ['DejaVu Sans'] + chinese[:1]


@lru_cache(maxsize=1024)
def _glyphs(text: str, size: float, bold: bool, turned: bool) -> np.ndarray:
    """Renders one line of text: its coverage of each pixel, shape (h, w) float in [0, 1]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    dpi = 72
    # The height depends on the size alone, so that baselines of different texts agree.
    width, height = int(size * (len(text) + 2)), int(1.5 * size)
    figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi)
    canvas = FigureCanvasAgg(figure)
    # Glosses come from files: a '$' must not begin a formula (parse_math).
    figure.text(
        0.5 * size / width,
        0.3,
        text,
        fontsize=size,
        family=font_families(),
        weight='bold' if bold else 'normal',
        va='baseline',
        parse_math=False,
    )
    canvas.draw()
    coverage = 1 - np.asarray(canvas.buffer_rgba())[..., 0].astype(np.float32) / 255
    # The canvas was wide enough for any letters: cut it to the inked columns.
    used = np.flatnonzero(coverage.any(0))
    coverage = coverage[:, used[0] : used[-1] + 1] if len(used) else coverage[:, :1]
    coverage = np.rot90(coverage) if turned else coverage
    # The array is cached and shared by all callers.
    coverage.setflags(write=False)
    return coverage


def text_size(text: str, size: float = 13, bold: bool = False) -> Tuple[int, int]:
    """Width and height in pixels of one line of text."""
    coverage = _glyphs(text, size, bold, False)
    return coverage.shape[1], coverage.shape[0]


def draw_text(
    canvas: np.ndarray,
    text: str,
    x: float,
    y: float,
    size: float = 13,
    color: Color = INK,
    anchor: str = 'lm',
    bold: bool = False,
    turned: bool = False,
) -> np.ndarray:
    """Draws one line of text in place, in matplotlib's own font (DejaVu Sans).

    Args:
        canvas (ndarray): Shape (H, W, 3) uint8.
        text (str): What to write; no markup.
        x (float): Column of the anchor, pixels.
        y (float): Row of the anchor, pixels.
        size (float): Size of the letters in pixels.
        color (tuple): RGB.
        anchor (str): Two letters, l/c/r and t/m/b: which point of the text lies at (x, y).
        bold (bool): Heavy letters.
        turned (bool): Read from bottom to top.

    Returns:
        ndarray: The canvas.
    """
    if text:
        coverage = _glyphs(text, size, bold, turned)
        top, left = y - ANCHORS[anchor[1]] * coverage.shape[0], x - ANCHORS[anchor[0]] * coverage.shape[1]
        blend(canvas, coverage, color, int(round(top)), int(round(left)))
    return canvas


def shortened(text: str, width: int, size: float = 13, bold: bool = False) -> str:
    """Returns the text, shortened with an ellipsis if it is wider than ``width`` pixels."""
    if text_size(text, size, bold)[0] <= width:
        return text
    while text and text_size(text + '…', size, bold)[0] > width:
        text = text[:-1]
    return text + '…'
