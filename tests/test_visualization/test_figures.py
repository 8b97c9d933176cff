import numpy as np
import pytest
import torch
from mmengine.visualization import Visualizer

from signbert_mm.hand_models import HandModel
from signbert_mm.registry import VISUALIZERS
from signbert_mm.structures import SignDataSample
from signbert_mm.visualization import (
    attention_strip,
    mesh_in_crop,
    plot_confusion,
    plot_curves,
    prediction_figure,
    reconstruction_figure,
    score_bars,
)
from signbert_mm.visualization.palette import TILE
from signbert_mm.visualization.prediction_figure import as_probabilities
from signbert_mm.visualization.reconstruction_figure import _label, _Painter, masking_of, pick_frames


@pytest.fixture(scope='module')
def hand_model():
    return HandModel()


@pytest.fixture
def sample(hand_model):
    generator = torch.Generator().manual_seed(0)
    frames = 6
    target = 0.3 + 0.4 * torch.rand(frames, 2, 21, 2, generator=generator)
    given = target.clone()
    given[1, 1] = 0  # frame masked
    given[2, 1, 4] = 0  # joint zeroed
    given[2, 1, 5] += 0.1  # joint moved
    valid = torch.ones(frames, 2, dtype=torch.bool)
    valid[:, 0] = False
    valid[5] = False
    chosen = torch.zeros(frames, 2, dtype=torch.bool)
    chosen[1:4, 1] = True
    sample = SignDataSample(sample_idx=3, video_id='hello_$1')
    sample.set_reconstruction(
        target + 0.01, target, given, torch.ones(frames, 2, 21) * valid[..., None], valid, chosen
    )
    sample.theta, sample.beta = torch.zeros(frames, 2, 25), torch.zeros(frames, 2, 10)
    sample.rotation = torch.eye(3).expand(frames, 2, 3, 3).contiguous()
    sample.offset, sample.scale = torch.full((frames, 2, 2), 0.5), torch.full((frames, 2, 1), 3.0)
    return sample


def test_masking_is_recomputed_where_not_stored(sample):
    operation, disturbed = masking_of(sample)
    assert operation[:, 1].tolist() == [0, 2, 1, 3, 0, 0] and (operation[:, 0] == 0).all()
    assert (
        (disturbed[1, 1] == 1).all()
        and np.flatnonzero(disturbed[2, 1]).tolist() == [4, 5]
        and disturbed[2, 1, 4:6].tolist() == [1, 2]
    )
    sample.operation, sample.disturbed = (
        torch.ones(6, 2, dtype=torch.int64),
        torch.zeros(6, 2, 21, dtype=torch.int64),
    )
    assert (masking_of(sample)[0] == 1).all()


def test_mesh_lies_where_the_camera_puts_it(sample, hand_model):
    mesh = mesh_in_crop(sample, hand_model)
    vertices, _ = hand_model.mesh(torch.zeros(25), torch.zeros(10))
    assert mesh.shape == (6, 2, 778, 3)
    assert np.allclose(mesh[4, 0], vertices.double().numpy() * 3 + [0.5, 0.5, 0], atol=1e-6)
    sample.scale = -sample.scale  # half a turn in the picture, the near side stays near
    assert np.allclose(
        mesh_in_crop(sample, hand_model)[4, 0],
        vertices.double().numpy() * [-3, -3, 3] + [0.5, 0.5, 0],
        atol=1e-6,
    )
    sample.vertices = torch.zeros(6, 2, 778, 3)
    assert np.allclose(mesh_in_crop(sample)[..., :2], 0.5)


def test_figure_has_a_row_for_each_part(sample, hand_model):
    faces = hand_model.faces.numpy()
    three = reconstruction_figure(sample, columns=3, tile=60)
    four = reconstruction_figure(sample, mesh_in_crop(sample, hand_model), faces, columns=3, tile=60)
    both = reconstruction_figure(sample, hands=(1, 0), columns=3, tile=60)
    assert (
        three.dtype == np.uint8
        and four.shape[0] == three.shape[0] + 66
        and both.shape[0] > 1.8 * three.shape[0] - 120
    )
    assert reconstruction_figure(sample, frames=[0], tile=60).shape[2] == 3


def test_left_hand_is_unmirrored(sample):
    """A mirrored clip in the other slot gives the mirror image."""
    sample.hand_valid[:] = True
    sample.hand_scores[:] = 1
    sample.chosen[:] = False
    for name in ('pred_hands', 'target_hands', 'input_hands'):
        sample.get(name)[:, 0] = sample.get(name)[:, 1]
    right, left = (_Painter(sample, hand, 90, None, None)(0, 0).astype(float) for hand in (1, 0))
    assert np.abs(right - left[:, ::-1]).mean() < 0.2 * np.abs(right - left).mean()


def test_label_takes_a_corner_that_nothing_covers():
    def labelled(*covered):
        canvas = np.full((90, 90, 3), TILE, dtype=np.uint8)
        for rows, columns in covered:
            canvas[rows, columns] = (236, 164, 40)
        before = canvas.copy()
        _label(canvas, '12.3 px')
        rows, columns = np.nonzero((canvas != before).any(-1))
        return canvas, rows.mean() > 45, columns.mean() > 45

    low, high = slice(60, 90), slice(0, 30)
    assert labelled()[1:] == (True, True) and labelled((low, slice(50, 90)))[1:] == (True, False)
    assert labelled((low, slice(0, 90)))[1:] == (False, True) and labelled(
        (low, slice(0, 90)), (high, slice(60, 90))
    )[1:] == (False, False)
    canvas = labelled((slice(0, 90), slice(0, 90)))[0]  # no corner is empty: on a ground of its own
    empty = labelled()[0]
    ink = (empty != TILE).any(-1)
    assert ink.sum() > 40 and np.array_equal(canvas[ink], empty[ink])


def test_frames_are_those_with_a_hand():
    valid = np.zeros((10, 2), dtype=bool)
    valid[[2, 4, 6, 8], 1] = True
    assert pick_frames(valid, 8).tolist() == [2, 4, 6, 8] and pick_frames(valid, 2).tolist() == [2, 8]
    assert pick_frames(np.zeros((3, 2), dtype=bool), 2).tolist() == [0, 2]
    assert pick_frames(np.ones((1, 2), dtype=bool), 8).tolist() == [0]


def test_clip_without_any_hand_and_bad_calls(sample, hand_model):
    with pytest.raises(IndexError, match=r'frames \[7\], but the clip has frames 0\.\.5'):
        reconstruction_figure(sample, frames=[7])
    with pytest.raises(ValueError, match='mesh needs faces'):
        reconstruction_figure(sample, np.zeros((6, 2, 778, 3)))
    sample.hand_valid[:] = False
    assert reconstruction_figure(sample, tile=60).ndim == 3
    with pytest.raises(KeyError, match='theta, beta, rotation'):
        mesh_in_crop(SignDataSample(offset=sample.offset, scale=sample.scale), hand_model)


def test_bars_name_the_truth_even_when_it_is_far_down():
    scores = np.linspace(0, 1, 10)
    assert score_bars(scores, gt_label=0).shape[0] == score_bars(scores, gt_label=9).shape[0] + 30
    assert score_bars(scores[:2]).shape[0] < score_bars(scores).shape[0]
    with pytest.raises(ValueError, match='10 scores but 3 glosses'):
        score_bars(scores, ['a', 'b', 'c'])
    with pytest.raises(ValueError, match='finite'):
        score_bars(scores * np.nan)


def test_probabilities_stay_and_logits_pass_softmax():
    assert as_probabilities([0.25, 0.75]).tolist() == [0.25, 0.75]
    assert as_probabilities([0.0, np.log(3)]) == pytest.approx([0.25, 0.75])


@pytest.fixture
def prediction():
    sample = SignDataSample(sample_idx=0, video_id='v', attention=torch.full((4, 2), 0.125))
    return sample.set_gt_label(1).set_pred_scores(torch.tensor([0.2, 0.5, 0.3]))


def test_prediction_figure(prediction):
    keypoints = np.random.RandomState(0).rand(4, 49, 2) * 100
    alone, whole = (
        prediction_figure(prediction),
        prediction_figure(prediction, keypoints, glosses=['a', 'b', 'c']),
    )
    assert (
        whole.shape[0] > alone.shape[0] and attention_strip(prediction.attention.numpy(), 300).shape[1] == 300
    )


def test_visualizer_draws_both_kinds_and_keeps_them(sample, prediction, hand_model, tmp_path):
    visualizer = VISUALIZERS.build(
        dict(
            type='SignVisualizer',
            name=tmp_path.name,
            vis_backends=[dict(type='LocalVisBackend')],
            save_dir=str(tmp_path),
        )
    )
    assert isinstance(visualizer, Visualizer)
    visualizer.dataset_meta = dict(glosses=['a', 'b', 'c'])
    visualizer.add_datasample('rebuilt', sample, hand_model=hand_model, columns=2, tile=60, step=4)
    visualizer.add_datasample('said', prediction)
    visualizer.add_datasample('apart', prediction, out_file=tmp_path / 'apart.png')
    assert sorted(path.name for path in tmp_path.rglob('*.png')) == [
        'apart.png',
        'rebuilt_4.png',
        'said_0.png',
    ]
    with pytest.raises(KeyError, match='neither pred_hands nor pred_scores'):
        visualizer.add_datasample('nothing', SignDataSample(sample_idx=0))
    visualizer.close()


def test_plots_are_written(tmp_path):
    plot_curves(
        tmp_path / 'a' / 'curves.png',
        dict(loss=dict(one=([0, 1], [2.0, 1.0]), two=([0], [3.0])), lr=dict(one=([0], [0.0]))),
        'epoch',
        log=True,
    )
    plot_confusion(tmp_path / 'confusion.png', np.array([[2, 1], [0, 0]]), ['$a', 'b'])
    assert {path.name for path in tmp_path.rglob('*.png')} == {'curves.png', 'confusion.png'}
    with pytest.raises(ValueError, match='nothing to plot'):
        plot_curves(tmp_path / 'x.png', {}, 'epoch')
