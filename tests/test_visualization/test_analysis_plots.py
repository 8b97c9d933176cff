"""Plots of the analyses: what they compute by hand, and a picture of each."""

import cv2
import numpy as np
import pytest
from matplotlib.text import Text

from signbert_mm.visualization import (
    class_error_plot,
    class_errors,
    embedding_plot,
    plot_class_errors,
    plot_embedding,
    plot_lengths,
    plot_pretraining,
    plot_signers,
    plot_sweep,
    plots,
    pretraining_plot,
    signer_accuracy,
    signer_plot,
    tsne,
)

plots_save = plots._save


def shows(path):
    """Whether a picture has ink on it."""
    picture = cv2.imread(str(path))
    return picture is not None and picture.std() > 5


def test_lengths_have_whole_clips_and_a_legend_beside_the_bars(tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr(plots, '_save', lambda figure, path: kept.append(figure) or plots_save(figure, path))
    assert shows(
        plot_lengths(tmp_path / 'a.png', [1, 2, 3, 4, 6], dict(train=[0, 0, 0, 1], test=[1, 0, 0, 0]), 'few')
    )
    (figure,) = kept
    (axis,) = figure.axes
    assert all(tick == int(tick) for tick in axis.get_yticks())
    assert (
        not figure.legends[0].get_window_extent().overlaps(axis.get_window_extent())
        and axis.get_legend() is None
    )


TYPED = ['$5 \\frac and $6', '_pause', 'tea']


def texts_of(figure):
    return [text for text in figure.findobj(Text) if text.get_text().strip()]


def test_names_from_data_are_drawn_as_they_are(tmp_path, monkeypatch):
    """Two '$' are no formula, and a legend has a name that begins with '_', too; matplotlib would refuse the
    first and leave out the second.
    """
    kept = []
    monkeypatch.setattr(plots, 'font_families', lambda: ['DejaVu Sans', 'DejaVu Serif'])
    for module in (plots, embedding_plot, class_error_plot, signer_plot, pretraining_plot):
        monkeypatch.setattr(
            module, '_save', lambda figure, path: kept.append(figure) or plots_save(figure, path)
        )
    line, labels = ([1, 2], [1.0, 2.0]), np.array([0, 1, 2])
    path, (dollars, pause, _) = tmp_path / 'a.png', TYPED
    plots.plot_curves(path, {dollars: {pause: line, dollars: line}}, 'x', title=dollars)
    plots.plot_confusion(path, np.eye(3, dtype=int), TYPED, title=dollars)
    plot_embedding(path, {dollars: (np.eye(3)[:, :2], labels)}, TYPED, title=dollars)
    plot_class_errors(
        path, {dollars: np.array([1.0, 2, 3]), pause: np.array([3.0, 2, 1])}, TYPED, title=dollars
    )
    legends = [
        [text.get_text().replace('\\$', '$').strip() for text in legend.get_texts()]
        for figure in kept
        for legend in (*figure.legends, *(axis.get_legend() for axis in figure.axes if axis.get_legend()))
    ]
    assert legends[:2] == [[pause, dollars], TYPED]
    assert [text.startswith((dollars, pause)) for text in legends[2]] == [True, True]
    assert len(kept) == 4 and shows(path)
    for figure in kept:
        assert all(text.get_fontfamily() == ['DejaVu Sans', 'DejaVu Serif'] for text in texts_of(figure))


def test_long_names_leave_room_for_the_plot(tmp_path, monkeypatch):
    kept, name = [], 'the whole translation of a sign into a sentence, ' * 3
    for module in (plots, embedding_plot, class_error_plot, signer_plot):
        monkeypatch.setattr(
            module, '_save', lambda figure, path: kept.append(figure) or plots_save(figure, path)
        )
    path, line = tmp_path / 'a.png', ([1, 2], [1.0, 2.0])
    plots.plot_curves(path, dict(loss={name: line, 'b': line}), 'x')
    plot_embedding(path, dict(a=(np.eye(2), np.array([0, 1]))), [name, 'b'])
    plot_class_errors(path, {name: np.array([1.0, 2]), 'b': np.array([3.0, 2])}, [name, 'b'])
    plot_signers(path, {name: {name: (0.5, 3), 'b': (0.5, 3)}})
    assert len(kept) == 4
    for figure in kept:
        (axis,) = figure.axes
        assert axis.get_window_extent().width > figure.bbox.width / 3


def test_errors_of_classes(tmp_path):
    labels, predicted = np.array([0, 0, 0, 1, 1, 3]), np.array([0, 1, 3, 1, 1, 0])
    errors = class_errors(labels, predicted, 4)
    assert np.allclose(errors, [200 / 3, 0, np.nan, 100], equal_nan=True)
    other = class_errors(labels, labels, 4)
    assert shows(
        plot_class_errors(
            tmp_path / 'a.png', dict(hand=errors, trunk=other), ['a', '$b', 'c', 'd'], title='t'
        )
    )
    many = np.linspace(0, 100, 90)
    assert shows(plot_class_errors(tmp_path / 'b.png', dict(hand=many, trunk=many[::-1]), most=10))
    for wrong, message in (
        (dict(hand=errors), 'errors of two models'),
        (dict(hand=errors, trunk=other[:3]), 'over the same classes'),
        (dict(hand=errors * np.nan, trunk=other), 'no class has clips'),
    ):
        with pytest.raises(ValueError, match=message):
            plot_class_errors(tmp_path / 'c.png', wrong)


def test_accuracy_of_signers(tmp_path):
    labels, signers = np.array([0, 1, 1, 0, 2]), ['s2', 's1', 's2', '', 's2']
    found = signer_accuracy(labels, np.array([0, 0, 1, 0, 1]), signers)
    assert found == {'': (100.0, 1), 's1': (0.0, 1), 's2': (pytest.approx(200 / 3), 3)}
    assert shows(
        plot_signers(tmp_path / 'a.png', dict(joint=found, motion=signer_accuracy(labels, labels, signers)))
    )
    with pytest.raises(ValueError, match='signers of 4 clips'):
        signer_accuracy(labels, labels, signers[:4])
    with pytest.raises(ValueError, match='the same clips of the same signers'):
        plot_signers(tmp_path / 'b.png', dict(joint=found, motion={'s1': (1.0, 1)}))


def test_tsne_keeps_groups_apart(tmp_path):
    pytest.importorskip('sklearn')
    generator = np.random.default_rng(0)
    labels = np.arange(36) % 3
    points = tsne(4 * np.eye(3, 6)[labels] + 0.1 * generator.normal(size=(36, 6)), perplexity=5, seed=1)
    assert points.shape == (36, 2)
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e9 * np.eye(36)
    assert (labels[distance.argmin(1)] == labels).all()
    names = [f'gloss {label}' for label in range(3)]
    assert shows(
        plot_embedding(tmp_path / 'a.png', dict(a=(points, labels), b=(-points, labels)), names, 't')
    )
    assert shows(plot_embedding(tmp_path / 'b.png', dict(a=(points[:24], np.arange(24) % 12))))
    with pytest.raises(ValueError, match='perplexity of at most 2.0, got 30'):
        tsne(points[:7])
    with pytest.raises(ValueError, match='must be finite'):
        tsne(points * np.nan)
    with pytest.raises(ValueError, match=r'shape \(36, 2\)'):
        plot_embedding(tmp_path / 'c.png', dict(a=(points[:5], labels)))


def test_sweep_and_pretraining(tmp_path):
    lines = {
        'A P-I': ([0.25, 0.5, 1], [50.0, 60.0, 55.0], [2.0, None, 1.0]),
        'B P-I': ([0.5, 1], [20.0, 30.0], [1.0, 1.0]),
    }
    assert shows(plot_sweep(tmp_path / 'a.png', lines, 'K / N', title='t', log=True)) and shows(
        plot_sweep(tmp_path / 'b.png', lines, 'K')
    )
    with pytest.raises(ValueError, match='must be positive, got 0'):
        plot_sweep(tmp_path / 'c.png', {'A': ([0, 1], [1, 2], [None, None])}, 'K', log=True)
    losses = {'loss': ([0.5, 1, 2], [9.0, 8.0, 7.0]), 'transfer': ([0.5, 1, 2], [2.0, 2.0, 1.0])}
    assert shows(plot_pretraining(tmp_path / 'd.png', losses, {'top-1': ([0, 2], [10.0, 40.0])}, 't'))
    for missing in (({}, {'top-1': ([0], [1.0])}), (losses, {}), ({}, {})):
        with pytest.raises(ValueError, match='losses and accuracies needed'):
            plot_pretraining(tmp_path / 'e.png', *missing)
