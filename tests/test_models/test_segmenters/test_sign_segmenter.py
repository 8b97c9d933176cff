import numpy as np
import pytest
import torch

from signbert_mm.models import SignSegmenter, decode_segments


def probabilities(text):
    """'.' outside, 'b' begin, 'i' inside."""
    return np.asarray([{'.': (1, 0, 0), 'b': (0, 1, 0), 'i': (0, 0, 1)}[letter] for letter in text])


@pytest.mark.parametrize(
    ('text', 'spans'),
    [
        ('...biiii..', [(3, 8)]),
        ('biii', [(0, 4)]),
        ('.iiii.', [(1, 5)]),
        # one that is too short, and one that follows without a pause
        ('bi..biiibiii', [(4, 8), (8, 12)]),
        # a second beginning too near to the first
        ('bibiiii', [(0, 7)]),
        ('.....', []),
    ],
)
def test_decoding(text, spans):
    found = decode_segments(probabilities(text))
    assert [(sign.start, sign.end) for sign in found] == spans
    assert all(sign.score == 1 for sign in found)


def test_decoding_by_thresholds():
    rows = np.asarray([[0.9, 0, 0.1], [0.4, 0.3, 0.3], [0.3, 0.0, 0.7], [0.4, 0.0, 0.6], [0.8, 0, 0.2]])
    (sign,) = decode_segments(rows)
    assert sign[:2] == (1, 4) and sign.score == pytest.approx((0.6 + 0.7 + 0.6) / 3)
    assert decode_segments(rows, threshold=0.65) == []


@pytest.fixture
def model():
    torch.manual_seed(0)
    gesture = dict(
        type='GestureGCN', joint_channels=(4, 8), part_channels=(8, 16), norm='BN', input_norm=True
    )
    return SignSegmenter(
        dict(type='HandTokenEmbedder', gesture=gesture, max_frames=40),
        dict(type='HandTransformer', embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=24),
        dict(type='SegmentHead', in_channels=16, channels=8),
        window=12,
    ).eval()


def batch(lengths=(50, 20, 12), frames=50):
    generator = torch.Generator().manual_seed(3)
    count, length = len(lengths), torch.tensor(lengths)
    real = torch.arange(frames) < length[:, None]
    valid = (torch.rand(count, frames, 2, generator=generator) < 0.7) & real[..., None]
    hands = torch.rand(count, frames, 2, 21, 2, generator=generator) * valid[..., None, None]
    spans = torch.tensor([[[3, 9, 1], [-1, -1, -1]]]).repeat(count, 1, 1)
    return dict(
        hands=hands,
        hand_valid=valid,
        length=length,
        index=torch.arange(count),
        label=torch.full((count,), -1),
        frame_label=torch.where(real, 2, -1),
        spans=spans,
    )


def one(inputs, row):
    count = int(inputs['length'][row])
    kept = {key: value[row : row + 1] for key, value in inputs.items()}
    timed = ('hands', 'hand_valid', 'frame_label')
    return {key: value[:, :count] if key in timed else value for key, value in kept.items()}


@torch.no_grad()
def test_a_video_does_not_depend_on_the_others_of_its_batch(model):
    inputs = batch()
    together = model(inputs)
    for row, count in enumerate((50, 20, 12)):
        alone = model(one(inputs, row))
        assert alone.shape == (1, count, 3)
        torch.testing.assert_close(together[row, :count], alone[0])
        torch.testing.assert_close(alone.sum(-1), torch.ones(1, count))


@torch.no_grad()
def test_windows_are_averaged_by_their_ramps(model):
    inputs = one(batch(), 1)
    whole, pieces = model(inputs)[0], []
    # windows of 12 every 6 frames: 0, 6, 12; the last has 8 frames
    for start in (0, 6, 12):
        piece = {key: value[:, start : start + 12] for key, value in inputs.items() if value.ndim > 1}
        piece['length'] = torch.tensor([piece['hands'].shape[1]])
        pieces.append(model(piece)[0])
    torch.testing.assert_close(whole[3], pieces[0][3])
    # frame 7 is the 8th of the first window, weight 5, and the 2nd of the second, weight 2
    torch.testing.assert_close(whole[7], (5 * pieces[0][7] + 2 * pieces[1][1]) / 7)
    # frame 15: weight 3 in the second window, and 4 in the third
    torch.testing.assert_close(whole[15], (3 * pieces[1][9] + 4 * pieces[2][3]) / 7)


@torch.no_grad()
def test_predictions_are_the_decoded_probabilities(model):
    inputs = batch()
    samples = model(inputs, mode='predict')
    for row, sample in enumerate(samples):
        count = int(inputs['length'][row])
        expected = decode_segments(model(inputs)[row, :count].numpy())
        torch.testing.assert_close(
            sample.segments, torch.tensor(expected, dtype=torch.float64).reshape(-1, 3)
        )
        assert sample.gt_segments.tolist() == [[3, 9, 1]] and sample.frame_scores.shape == (count, 3)


def test_it_learns_and_what_is_frozen_stays(model):
    loss = model(batch((12, 12, 9), 12), mode='loss')['loss_segment']
    loss.backward()
    assert (
        model.head.hands[0].weight.grad.abs().sum() > 0
        and model.backbone.encoder.layers[0].linear1.weight.grad is not None
    )
    model.freeze(('embedder',))
    model.train()
    assert not model.embedder.training and model.backbone.training
    assert not any(parameter.requires_grad for parameter in model.embedder.parameters())


def test_what_it_refuses(model):
    parts = (
        dict(type='HandTokenEmbedder', gesture=dict(type='GestureGCN', part_channels=(8, 16))),
        dict(type='HandTransformer', embed_dims=16, num_heads=2),
        dict(type='SegmentHead', in_channels=16),
    )
    with pytest.raises(ValueError, match=r"frozen may name 'embedder' and 'backbone', got \['head'\]"):
        SignSegmenter(*parts, frozen=['head'])
    with pytest.raises(ValueError, match='window is at least 2'):
        SignSegmenter(*parts, window=1)
    with pytest.raises(ValueError, match='model.head.in_channels is 8'):
        SignSegmenter(*parts[:2], dict(type='SegmentHead', in_channels=8))
    inputs = batch((12, 12, 9), 12)
    del inputs['frame_label']
    with pytest.raises(ValueError, match='no `frame_label`; train on a data set that labels frames'):
        model(inputs, mode='loss')
