"""Accuracy by signer (ST-Consistency, Figure 6)."""

from pathlib import Path
from typing import Dict, Mapping, Sequence, Tuple, Union

import numpy as np

from ..errors import UserValueError
from .palette import INK, LINE, QUIET
from .plots import _COLORS, _figure, _hex, _save, plain, short


def signer_accuracy(
    labels: np.ndarray, predicted: np.ndarray, signers: Sequence[str]
) -> Dict[str, Tuple[float, int]]:
    """Computes signer -> (accuracy in percent, clips), in order of the names.

    Args:
        labels (ndarray): Shape (N,) int.
        predicted (ndarray): Shape (N,) int.
        signers (Sequence[str]): N names; '' = unknown.

    Raises:
        ValueError: Predictions and signers differ in number.
    """
    names, right = np.asarray(signers), np.asarray(labels) == np.asarray(predicted)
    if not len(names) == len(right):
        raise UserValueError(
            f'signer_accuracy: {len(right)} predictions and the signers of {len(names)} clips; '
            'they must be of the same clips'
        )
    return {
        str(name): (100 * float(right[names == name].mean()), int((names == name).sum()))
        for name in np.unique(names)
    }


def plot_signers(
    path: Union[str, Path], models: Mapping[str, Mapping[str, Tuple[float, int]]], title: str = ''
) -> Path:
    """Plots a group of bars for each signer, with a bar for each model.

    Args:
        path (str | Path): Where the picture goes.
        models (Mapping): ``{model: {signer: (accuracy in percent, clips)}}``, of the same signers.
        title (str): Above the picture.

    Raises:
        ValueError: There is nothing to plot, or the models have different signers or clips.
    """
    counts = [{signer: count for signer, (_, count) in results.items()} for results in models.values()]
    if not counts or not counts[0] or any(other != counts[0] for other in counts):
        raise UserValueError(
            f'plot_signers: all models need the same clips of the same signers, got clips by signer {counts}'
        )
    signers = list(counts[0])
    figure = _figure(max(4.8, 1.6 + (0.32 * len(models) + 0.3) * len(signers)), 3.4)
    axis = figure.subplots()
    width = 0.8 / len(models)
    for index, (name, results) in enumerate(models.items()):
        positions = np.arange(len(signers)) + (index - (len(models) - 1) / 2) * width
        values = [results[signer][0] for signer in signers]
        bars = axis.bar(
            positions,
            values,
            0.94 * width,
            color=_hex(_COLORS[index % len(_COLORS)]),
            label=plain(short(name)),
        )
        # More numbers would overlap.
        if len(signers) * len(models) <= 40:
            axis.bar_label(
                bars, [f'{value:.0f}' for value in values], fontsize=7, color=_hex(QUIET), padding=1
            )
    titles = [
        f'{short(signer or "unknown", 18)}\n{count} clip{"s" * (count != 1)}'
        for signer, count in counts[0].items()
    ]
    axis.set_xticks(range(len(signers)), titles, fontsize=8, parse_math=False)
    axis.set_ylim(0, 106)
    axis.set_ylabel('top-1 in %', fontsize=9, color=_hex(QUIET))
    axis.grid(axis='y', color=_hex(LINE), lw=0.6)
    axis.set_axisbelow(True)
    axis.spines[['top', 'right']].set_visible(False)
    axis.tick_params(labelsize=8, colors=_hex(QUIET))
    axis.set_title(plain(title), fontsize=11, color=_hex(INK), loc='left', fontweight='bold')
    figure.legend(loc='outside upper right', fontsize=8, frameon=False, ncols=len(models))
    return _save(figure, path)
