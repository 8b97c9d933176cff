"""The progress of pre-training: its loss, and kNN accuracy on labelled clips."""

from pathlib import Path
from typing import Mapping, Sequence, Tuple, Union

from ..errors import UserValueError
from .palette import ACCENT, FINGERS, INK, LINE, QUIET
from .plots import _COLORS, _figure, _hex, _save, plain

Curve = Tuple[Sequence[float], Sequence[float]]


def plot_pretraining(
    path: Union[str, Path], losses: Mapping[str, Curve], accuracies: Mapping[str, Curve], title: str = ''
) -> Path:
    """Plots losses above and accuracies below, over the same epochs.

    Args:
        path (str | Path): Where the picture goes.
        losses (Mapping): ``{name: (epochs, values)}``; the first is the total and drawn strong.
        accuracies (Mapping): ``{name: (epochs, percent)}``.
        title (str): Above both.

    Raises:
        ValueError: There are no losses or no accuracies.
    """
    if not losses or not accuracies:
        raise UserValueError(
            f'plot_pretraining: losses and accuracies needed, got {sorted(losses)} and {sorted(accuracies)}'
        )
    figure = _figure(6.4, 5.4)
    above, below = figure.subplots(2, 1, sharex=True)
    for index, (name, (x, y)) in enumerate(losses.items()):
        strong = index == 0
        color = _hex(ACCENT if strong else _COLORS[1 + (index - 1) % (len(_COLORS) - 1)])
        above.plot(x, y, color=color, lw=2.0 if strong else 1.0, label=plain(name))
    for (name, (x, y)), color in zip(accuracies.items(), (FINGERS[2], FINGERS[1], FINGERS[4], FINGERS[0])):
        below.plot(x, y, color=_hex(color), lw=1.8, marker='o', ms=3.5, label=plain(name))
        # The first and the last value are written out.
        for index in (0, -1):
            below.annotate(
                f'{y[index]:.1f}',
                (x[index], y[index]),
                (0, 5),
                textcoords='offset points',
                ha='center',
                fontsize=8,
                color=_hex(color),
            )
    below.margins(y=0.15)
    below.xaxis.get_major_locator().set_params(integer=True)
    below.set_xlabel('epoch', fontsize=9, color=_hex(QUIET))
    for axis, name in ((above, 'loss'), (below, 'kNN accuracy in %')):
        axis.set_title(plain(name), fontsize=10, color=_hex(INK), loc='left', fontweight='bold')
        axis.grid(color=_hex(LINE), lw=0.6)
        axis.spines[['top', 'right']].set_visible(False)
        axis.tick_params(labelsize=8, colors=_hex(QUIET))
        axis.legend(fontsize=7.5, frameon=False, loc='upper left', bbox_to_anchor=(1.0, 1.0))
    if title:
        figure.suptitle(plain(title), fontsize=12, color=_hex(INK))
    return _save(figure, path)
