"""Which signs each of two models gets wrong (ST-Consistency, Figure 5)."""

from pathlib import Path
from typing import Mapping, Optional, Sequence, Union

import numpy as np

from ..errors import UserValueError
from .palette import INK, LINE, QUIET, SIDES
from .plots import _figure, _hex, _save


def class_errors(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Shape (num_classes,) float64: share of a class's clips that are wrong, in percent; NaN for a class
    without clips.
    """
    labels = np.asarray(labels)
    count = np.bincount(labels, minlength=num_classes).astype(np.float64)
    wrong = np.bincount(labels[labels != np.asarray(predicted)], minlength=num_classes)
    return 100 * np.divide(wrong, count, out=np.full(num_classes, np.nan), where=count > 0)


def plot_class_errors(
    path: Union[str, Path],
    errors: Mapping[str, np.ndarray],
    glosses: Optional[Sequence[str]] = None,
    most: int = 40,
    title: str = '',
) -> Path:
    """Two models' errors of each class, joined by a line, the class where the first is worst against the
    second on top.

    Args:
        path (str | Path): Where the picture goes.
        errors (Mapping): ``{model: errors (classes,)}`` of two models, in percent, as :func:`class_errors`
            gives them.
        glosses (Sequence[str], optional): The classes' names.
        most (int): Where there are more classes, only so many with the largest differences, half of either
            sign.
        title (str): Above the picture.

    Raises:
        ValueError: Not two models of the same classes, or no class with clips.
    """
    if len(errors) != 2 or len({np.shape(values) for values in errors.values()}) != 1:
        raise UserValueError(
            'plot_class_errors: errors of two models over the same classes needed, got '
            f'{ ({n: np.shape(v) for n, v in errors.items()}) }'
        )
    (first, one), (second, two) = (
        (name, np.asarray(values, dtype=np.float64)) for name, values in errors.items()
    )
    there = np.flatnonzero(np.isfinite(one) & np.isfinite(two))
    if not len(there):
        raise UserValueError('plot_class_errors: no class has clips')
    order = there[np.argsort(-(one - two)[there], kind='stable')]
    total = len(order)
    if total > most:
        order = np.concatenate([order[: (most + 1) // 2], order[total - most // 2 :]])
    places = np.arange(len(order))[::-1]
    figure = _figure(6.4, 1.3 + 0.21 * len(order))
    axis = figure.subplots()
    axis.hlines(places, one[order], two[order], color=_hex(LINE), lw=2.4, zorder=1)
    for (name, values), color, size in zip(
        ((first, one), (second, two)), (SIDES['left'], SIDES['right']), (42, 20)
    ):
        mean = f'{name}, mean {values[there].mean():.1f} %'
        axis.scatter(
            values[order], places, s=size, color=_hex(color), label=mean, zorder=2 if size > 30 else 3
        )
    names = [str(glosses[label]) if glosses is not None else str(label) for label in order]
    axis.set_yticks(places, names, fontsize=7.5, parse_math=False)
    axis.set_ylim(-0.8, len(order) - 0.2)
    axis.set_xlabel(
        'clips that are wrong, % of the class'
        + (f'; {len(order)} of {total} classes' if total > len(order) else ''),
        fontsize=9,
    )
    axis.grid(axis='x', color=_hex(LINE), lw=0.6)
    axis.set_axisbelow(True)
    axis.spines[['top', 'right', 'left']].set_visible(False)
    axis.tick_params(axis='x', labelsize=8)
    axis.tick_params(colors=_hex(QUIET), length=0)
    axis.set_title(title, fontsize=11, color=_hex(INK), loc='left', fontweight='bold')
    figure.legend(loc='outside upper right', fontsize=8, frameon=False, ncols=2)
    return _save(figure, path)
