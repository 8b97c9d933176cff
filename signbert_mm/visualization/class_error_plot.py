"""Errors of two models by sign (ST-Consistency, Figure 5)."""

from pathlib import Path
from typing import Mapping, Optional, Sequence, Union

import numpy as np

from ..errors import UserValueError
from .palette import INK, LINE, QUIET, SIDES
from .plots import _figure, _hex, _save, plain, short


def class_errors(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Share of wrong clips of each class in percent, (num_classes,) float64; NaN without clips."""
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
    """Plots two models' errors of each class, joined by a line.

    The class in which the first model is worst compared with the second is on top.

    Args:
        path (str | Path): Where the picture goes.
        errors (Mapping): ``{model: errors (classes,)}`` of two models in percent, from :func:`class_errors`.
        glosses (Sequence[str], optional): The classes' names.
        most (int): Largest number of classes. Of more classes, those with the largest differences are shown,
            half of either sign.
        title (str): Above the picture.

    Raises:
        ValueError: There are not two models of the same classes, or no class has clips.
    """
    if len(errors) != 2 or len({np.shape(values) for values in errors.values()}) != 1:
        raise UserValueError(
            'plot_class_errors: errors of two models over the same classes needed, got '
            f'{ ({n: np.shape(v) for n, v in errors.items()}) }'
        )
    (first, one), (second, two) = (
        (name, np.asarray(values, dtype=np.float64)) for name, values in errors.items()
    )
    with_clips = np.flatnonzero(np.isfinite(one) & np.isfinite(two))
    if not len(with_clips):
        raise UserValueError('plot_class_errors: no class has clips')
    order = with_clips[np.argsort(-(one - two)[with_clips], kind='stable')]
    total = len(order)
    if total > most:
        # Both ends of the order have the largest differences.
        order = np.concatenate([order[: (most + 1) // 2], order[total - most // 2 :]])
    rows = np.arange(len(order))[::-1]
    figure = _figure(6.4, 1.3 + 0.21 * len(order))
    axis = figure.subplots()
    axis.hlines(rows, one[order], two[order], color=_hex(LINE), lw=2.4, zorder=1)
    # A large and a small dot, so that both can be seen where they coincide.
    for (name, values), color, size in zip(
        ((first, one), (second, two)), (SIDES['left'], SIDES['right']), (42, 20)
    ):
        mean = plain(f'{short(name)}, mean {values[with_clips].mean():.1f} %')
        axis.scatter(values[order], rows, s=size, color=_hex(color), label=mean, zorder=2 if size > 30 else 3)
    names = [short(str(glosses[label])) if glosses is not None else str(label) for label in order]
    axis.set_yticks(rows, names, fontsize=7.5, parse_math=False)
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
    axis.set_title(plain(title), fontsize=11, color=_hex(INK), loc='left', fontweight='bold')
    figure.legend(loc='outside upper right', fontsize=8, frameon=False, ncols=2)
    return _save(figure, path)
