import numpy as np
import pytest
import torch

from signbert_mm.structures import SignDataSample


@pytest.mark.parametrize(
    'label', [3, np.int64(3), np.array([3]), torch.tensor(3), torch.tensor([3], dtype=torch.int32)]
)
def test_labels_become_scalar_int64(label):
    sample = SignDataSample().set_gt_label(label)
    assert sample.gt_label.dtype == torch.int64 and sample.gt_label.shape == () and int(sample.gt_label) == 3


@pytest.mark.parametrize('label', [True, 1.5, '3', None])
def test_label_of_another_kind(label):
    with pytest.raises(TypeError, match=r'SignDataSample\.gt_label.*integer'):
        SignDataSample().gt_label = label


def test_label_of_two_values():
    with pytest.raises(ValueError, match=r'gt_label.*\(2,\)'):
        SignDataSample(gt_label=torch.tensor([1, 2]))


def test_scores_set_the_best_label():
    sample = SignDataSample().set_pred_scores([0.1, 0.7, 0.2])
    assert int(sample.pred_label) == 1 and sample.pred_scores.shape == (3,)


@pytest.mark.parametrize('scores', [torch.zeros(1, 3), torch.zeros(3, dtype=torch.int64), torch.tensor(0.5)])
def test_scores_of_another_shape_or_type(scores):
    with pytest.raises(ValueError, match='pred_scores'):
        SignDataSample(pred_scores=scores)


def reconstruction(frames=4, **changes):
    fields = dict(
        pred_hands=torch.rand(frames, 2, 21, 2),
        target_hands=torch.rand(frames, 2, 21, 2),
        input_hands=torch.rand(frames, 2, 21, 2),
        hand_scores=torch.rand(frames, 2, 21),
        hand_valid=torch.ones(frames, 2, dtype=torch.bool),
        chosen=torch.zeros(frames, 2, dtype=torch.bool),
    )
    return {**fields, **changes}


def test_reconstruction_fields():
    fields = reconstruction()
    sample = SignDataSample().set_reconstruction(**fields)
    assert all(sample.get(name) is value for name, value in fields.items())


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(pred_hands=torch.rand(4, 2, 20, 2)), r'pred_hands.*\(frames, 2, 21, 2\).*\(4, 2, 20, 2\)'),
        (dict(chosen=torch.zeros(5, 2, dtype=torch.bool)), 'frames differ.*5'),
        (dict(hand_scores=torch.rand(4, 2)), 'hand_scores'),
    ],
)
def test_reconstruction_of_another_shape(change, message):
    with pytest.raises(ValueError, match=message):
        SignDataSample().set_reconstruction(**reconstruction(**change))


def test_flags_must_be_bool():
    with pytest.raises(TypeError, match='hand_valid: expected bool'):
        SignDataSample(hand_valid=torch.ones(4, 2))
    with pytest.raises(TypeError, match='pred_hands: expected floats'):
        SignDataSample(pred_hands=torch.ones(4, 2, 21, 2, dtype=torch.int64))


def test_round_trip_keeps_checked_and_free_fields():
    sample = SignDataSample(sample_idx=np.int32(7), video_id='a', mesh='anything').set_gt_label(1)
    for copy in (sample.clone(), sample.cpu(), sample.new(), SignDataSample(**sample.to_dict())):
        assert isinstance(copy, SignDataSample)
        assert (copy.sample_idx, copy.video_id, int(copy.gt_label), copy.mesh) == (7, 'a', 1, 'anything')
    assert SignDataSample(metainfo=dict(sample_idx=2)).to_dict() == dict(sample_idx=2)
    with pytest.raises(TypeError, match='video_id'):
        SignDataSample(video_id=3)
