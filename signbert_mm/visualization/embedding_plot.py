"""Features of clips as points in a plane (ST-Consistency, Figure 3)."""

from pathlib import Path
from typing import Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import UserModuleNotFoundError, UserValueError
from .palette import INK, QUIET
from .plots import _figure, _hex, _save, plain, short

_MARKERS = 'osD^'


def tsne(features: np.ndarray, perplexity: float = 30.0, seed: int = 0) -> np.ndarray:
    """t-SNE by scikit-learn, started from principal components.

    Args:
        features (ndarray): Shape (N, D) float.
        perplexity (float): About the number of neighbours that matter, at most (N - 1) / 3. Not given in the
            paper.
        seed (int): Seed of its random draws.

    Returns:
        ndarray: Shape (N, 2) float32.

    Raises:
        ImportError: scikit-learn is absent.
        ValueError: Features are not finite, or too few for the perplexity.
    """
    features = np.asarray(features, dtype=np.float32)
    if features.ndim != 2 or not np.isfinite(features).all():
        raise UserValueError(f'tsne: features must be finite and of shape (N, D), got shape {features.shape}')
    if not 0 < perplexity <= (len(features) - 1) / 3:
        raise UserValueError(
            f'tsne: {len(features)} clips carry a perplexity of at most '
            f'{(len(features) - 1) / 3:.1f}, got {perplexity}'
        )
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise UserModuleNotFoundError('t-SNE needs scikit-learn: pip install scikit-learn') from error
    return TSNE(
        n_components=2, perplexity=perplexity, init='pca', learning_rate='auto', random_state=seed
    ).fit_transform(features)


def plot_embedding(
    path: Union[str, Path],
    panels: Mapping[str, Tuple[np.ndarray, np.ndarray]],
    glosses: Optional[Sequence[str]] = None,
    title: str = '',
) -> Path:
    """Plots points, with a colour and a mark for each class and a panel for each model.

    Args:
        path (str | Path): Where the picture goes.
        panels (Mapping): ``{name: (points (N, 2), labels (N,))}``.
        glosses (Sequence[str], optional): Names by label, for the legend.
        title (str): Above all panels.

    Raises:
        ValueError: There is nothing to plot, or points and labels differ in number.
    """
    if not panels:
        raise UserValueError('plot_embedding: nothing to plot')
    for name, (points, labels) in panels.items():
        if np.shape(points) != (len(labels), 2):
            raise UserValueError(
                f'plot_embedding: {name!r}: points must be of shape ({len(labels)}, 2), as many '
                f'as labels, got {np.shape(points)}'
            )
    from matplotlib import colormaps

    classes = sorted({int(label) for _, labels in panels.values() for label in labels})
    figure = _figure(4.4 * len(panels) + (1.4 if glosses is not None else 0), 4.4)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (name, (points, labels)) in zip(axes, panels.items()):
        for index, label in enumerate(classes):
            chosen = np.asarray(points)[np.asarray(labels) == label]
            # 0.382 is a golden-ratio step: neighbouring classes differ in hue, and similar hues in the mark.
            color = (
                colormaps['hsv']((index * 0.382 + 0.02) % 1)
                if len(classes) > 10
                else colormaps['tab10'](index)
            )
            gloss = str(glosses[label]) if glosses is not None else str(label)
            axis.scatter(
                *chosen.T,
                s=14,
                color=color,
                marker=_MARKERS[index % len(_MARKERS)],
                alpha=0.8,
                linewidths=0,
                label=plain(short(gloss)),
            )
        axis.set_title(plain(name), fontsize=11, color=_hex(INK), loc='left', fontweight='bold')
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_aspect('equal', 'datalim')
        axis.spines[:].set_color(_hex(QUIET))
    if glosses is not None:
        figure.legend(
            *axes[0].get_legend_handles_labels(),
            loc='outside right upper',
            fontsize=7,
            frameon=False,
            ncols=1 + (len(classes) > 24),
        )
    if title:
        figure.suptitle(plain(title), fontsize=13, color=_hex(INK))
    return _save(figure, path)
