"""Plots by matplotlib: curves, histograms, confusion matrices."""

from pathlib import Path
from typing import Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import UserValueError
from .canvas import font_families
from .palette import ACCENT, BODY, FINGERS, INK, LINE, QUIET

_COLORS = [ACCENT, FINGERS[0], FINGERS[2], FINGERS[4], FINGERS[1], BODY]


def _hex(color: Tuple[int, int, int]) -> str:
    return '#{:02x}{:02x}{:02x}'.format(*color)


def _figure(width: float, height: float):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=130, layout='constrained')
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    # Agg needs no window, whatever the machine's backend is.
    FigureCanvasAgg(figure)
    return figure


def short(text: str, most: int = 32) -> str:
    """A name of at most ``most`` letters, so that it leaves room for the plot."""
    return text if len(text) <= most else text[: most - 1] + '…'


def plain(text: str) -> str:
    """A text from data as matplotlib draws it letter by letter, also in a legend."""
    # Two '$' would begin a formula, and legends leave out what begins with '_'.
    text = text.replace('$', r'\$')
    return f' {text}' if text.startswith('_') else text


def _save(figure, path: Union[str, Path]) -> Path:
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_fontfamily(font_families())
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path


def plot_curves(
    path: Union[str, Path],
    panels: Mapping[str, Mapping[str, Tuple[Sequence[float], Sequence[float]]]],
    xlabel: Union[str, Mapping[str, str]],
    title: str = '',
    log: bool = False,
    columns: int = 2,
) -> Path:
    """Plots curves, with a panel for each quantity and a line for each run.

    Args:
        path (str | Path): Where the picture goes; its ending gives the format.
        panels (Mapping): ``{quantity: {run: (x, y)}}``.
        xlabel (str | Mapping): Name of x, or one for each quantity.
        title (str): Above all panels.
        log (bool): Use a logarithmic y in panels whose values are all positive.
        columns (int): Number of panels in a row.

    Raises:
        ValueError: There is nothing to plot.
    """
    if not panels:
        raise UserValueError('plot_curves: nothing to plot')
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure = _figure(5.6 * columns, 3.4 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, (quantity, runs) in zip(axes, panels.items()):
        for index, (run, (x, y)) in enumerate(runs.items()):
            axis.plot(
                x,
                y,
                color=_hex(_COLORS[index % len(_COLORS)]),
                lw=1.6,
                label=plain(short(run)),
                marker='o' if len(x) < 25 else None,
                ms=3,
            )
        if log and all((np.asarray(y) > 0).all() for _, y in runs.values()):
            axis.set_yscale('log')
        axis.set_title(plain(quantity), fontsize=11, color=_hex(INK), loc='left', fontweight='bold')
        axis.set_xlabel(
            xlabel if isinstance(xlabel, str) else xlabel[quantity], fontsize=9, color=_hex(QUIET)
        )
        axis.grid(color=_hex(LINE), lw=0.6)
        axis.spines[['top', 'right']].set_visible(False)
        axis.tick_params(labelsize=8, colors=_hex(QUIET))
        if len(runs) > 1:
            axis.legend(fontsize=8, frameon=False)
    # The last row of panels may be incomplete.
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    if title:
        figure.suptitle(plain(title), fontsize=13, color=_hex(INK))
    return _save(figure, path)


def plot_lengths(
    path: Union[str, Path], edges: Sequence[int], counts: Mapping[str, Sequence[int]], title: str = ''
) -> Path:
    """Plots a histogram of clip lengths, with the splits on top of each other.

    Args:
        path (str | Path): Where the picture goes.
        edges (Sequence[int]): Edges of the bins in frames, one more than bins. A bin includes its first edge.
        counts (Mapping): Split -> clips in each bin.
        title (str): Above the bars.
    """
    figure = _figure(7.2, 3.6)
    axis = figure.subplots()
    names = [str(a) if b - a == 1 else f'{a}–{b - 1}' for a, b in zip(edges, edges[1:])]
    below = np.zeros(len(names))
    for index, (split, values) in enumerate(counts.items()):
        axis.bar(
            names,
            values,
            0.86,
            bottom=below,
            color=_hex(_COLORS[index % len(_COLORS)]),
            label=plain(f'{split} ({sum(values):,})'),
        )
        below = below + np.asarray(values)
    axis.set_xlabel('frames', fontsize=9, color=_hex(QUIET))
    axis.set_ylabel('clips', fontsize=9, color=_hex(QUIET))
    axis.set_title(plain(title), fontsize=11, color=_hex(INK), loc='left', fontweight='bold')
    axis.grid(axis='y', color=_hex(LINE), lw=0.6)
    axis.set_axisbelow(True)
    axis.spines[['top', 'right']].set_visible(False)
    axis.tick_params(labelsize=8, colors=_hex(QUIET))
    axis.tick_params(axis='x', rotation=30)
    axis.yaxis.get_major_locator().set_params(integer=True)
    # The legend stands outside of the axes, as a bar may reach any of their corners.
    figure.legend(loc='outside right upper', fontsize=8, frameon=False)
    return _save(figure, path)


def plot_confusion(
    path: Union[str, Path], counts: np.ndarray, glosses: Optional[Sequence[str]] = None, title: str = ''
) -> Path:
    """Plots a confusion matrix, each row in percent of its class's clips.

    Args:
        path (str | Path): Where the picture goes.
        counts (ndarray): Shape (classes, classes) int, row = truth, column = prediction.
        glosses (Sequence[str], optional): The classes' names; written for at most 60 classes.
        title (str): Above the matrix.
    """
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    counts = np.asarray(counts, dtype=np.float64)
    number = len(counts)
    shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = float(np.clip(0.24 * number + 2.5, 5, 16))
    figure = _figure(side + 0.8, side)
    axis = figure.subplots()
    colors = LinearSegmentedColormap.from_list('ink', ['#ffffff', '#cfe0f5', '#5b97dc', '#123f7a'])
    # The power below 1 makes small shares visible.
    picture = axis.imshow(shares, cmap=colors, norm=PowerNorm(0.6, 0, 100), interpolation='nearest')
    if number <= 60:
        names = (
            [str(gloss) for gloss in glosses]
            if glosses is not None
            else [str(index) for index in range(number)]
        )
        names = [short(name, 18) for name in names]
        axis.set_xticks(range(number), names, rotation=90, fontsize=8, parse_math=False)
        axis.set_yticks(range(number), names, fontsize=8, parse_math=False)
    # Numbers are only readable in a small matrix.
    if number <= 36:
        for row, column in zip(*np.nonzero(counts)):
            share = shares[row, column]
            axis.text(
                column,
                row,
                f'{share:.0f}',
                ha='center',
                va='center',
                fontsize=6.5,
                color='white' if share > 40 else _hex(INK),
            )
    axis.set_xlabel('predicted', fontsize=10)
    axis.set_ylabel('truth', fontsize=10)
    axis.set_title(plain(title), fontsize=12, loc='left', fontweight='bold', color=_hex(INK))
    bar = figure.colorbar(picture, ax=axis, fraction=0.035, pad=0.02)
    bar.set_label('% of the class', fontsize=9)
    return _save(figure, path)
