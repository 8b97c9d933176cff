"""Accuracy over a varied number (ST-Consistency, Figure 4)."""

from pathlib import Path
from typing import Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import UserValueError
from .palette import INK, LINE, QUIET
from .plots import _COLORS, _figure, _hex, _save, plain

Line = Tuple[Sequence[float], Sequence[float], Sequence[Optional[float]]]


def plot_sweep(
    path: Union[str, Path],
    lines: Mapping[str, Line],
    xlabel: str,
    ylabel: str = '%',
    title: str = '',
    log: bool = False,
) -> Path:
    """Plots means over x with their deviations, a line for each quantity.

    Args:
        path (str | Path): Where the picture goes.
        lines (Mapping): ``{quantity: (x, means, deviations)}``; a deviation of None = one seed, without an
            error bar.
        xlabel (str): Name of x.
        ylabel (str): Name of y.
        title (str): Above the picture.
        log (bool): Use a logarithmic x, to base 2.

    Raises:
        ValueError: There is nothing to plot, or x is not positive with ``log``.
    """
    if not lines:
        raise UserValueError('plot_sweep: nothing to plot')
    ticks = sorted({float(value) for x, _, _ in lines.values() for value in x})
    if log and ticks[0] <= 0:
        raise UserValueError(f'plot_sweep: a logarithmic x must be positive, got {ticks[0]}')
    figure = _figure(5.6, 3.6)
    axis = figure.subplots()
    for index, (name, (x, means, deviations)) in enumerate(lines.items()):
        spread = np.array([np.nan if value is None else value for value in deviations], dtype=float)
        color = _hex(_COLORS[index % len(_COLORS)])
        axis.errorbar(
            x,
            means,
            yerr=spread,
            color=color,
            lw=1.6,
            marker='o',
            ms=4,
            capsize=3,
            elinewidth=1,
            label=plain(name),
        )
    if log:
        axis.set_xscale('log', base=2)
    # Ticks at the measured values alone; 0.25 is written 1/4.
    axis.set_xticks(
        ticks,
        [
            f'1/{round(1 / value)}' if 0 < value < 1 and round(1 / value, 6).is_integer() else f'{value:g}'
            for value in ticks
        ],
    )
    axis.minorticks_off()
    axis.set_xlabel(xlabel, fontsize=9, color=_hex(QUIET))
    axis.set_ylabel(ylabel, fontsize=9, color=_hex(QUIET))
    axis.grid(color=_hex(LINE), lw=0.6)
    axis.spines[['top', 'right']].set_visible(False)
    axis.tick_params(labelsize=8, colors=_hex(QUIET))
    axis.set_title(plain(title), fontsize=10, color=_hex(INK), loc='left', fontweight='bold', wrap=True)
    if len(lines) > 1:
        figure.legend(loc='outside lower right', fontsize=8, frameon=False, ncols=len(lines))
    return _save(figure, path)
