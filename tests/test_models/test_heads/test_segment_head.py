import math

import pytest
import torch

from signbert_mm.models import SegmentHead


@pytest.fixture
def head():
    torch.manual_seed(0)
    return SegmentHead(in_channels=6, channels=8, dilations=(1, 2), dropout=0.0).eval()


def batch(count=2, frames=9):
    generator = torch.Generator().manual_seed(1)
    valid = torch.rand(count, frames, 2, generator=generator) < 0.6
    return torch.randn(count, frames, 2, 6, generator=generator), valid, torch.ones(count, frames).bool()


def test_missing_hands_and_padding_are_not_read(head):
    tokens, valid, real = batch()
    logits = head(tokens, valid, real)
    assert logits.shape == (2, 9, 3)
    torch.testing.assert_close(head(torch.where(valid[..., None], tokens, 99.0), valid, real), logits)
    real[:, 6:] = False
    shorter = head(tokens[:, :6], valid[:, :6], real[:, :6])
    torch.testing.assert_close(head(tokens, valid, real)[:, :6], shorter)


def test_a_frame_sees_its_neighbours(head):
    tokens, valid, real = batch(1)
    valid[:] = True
    changed = tokens.clone()
    changed[0, 0] += 1
    differs = (head(changed, valid, real) - head(tokens, valid, real)).abs().amax(-1)[0] > 1e-6
    # one frame by the first block, two by the second
    assert differs.tolist() == [True] * 4 + [False] * 5


def test_loss_against_plain_logarithms(head):
    tokens, valid, real = batch(1, 3)
    label = torch.tensor([[0, 1, -1]])
    rows = head(tokens, valid, real)[0].detach().double().softmax(-1)
    # weights 1, 2 and 1; the third frame is padding
    expected = -(math.log(float(rows[0, 0])) + 2 * math.log(float(rows[1, 1]))) / 3
    assert head.loss(tokens, valid, real, label)['loss_segment'].item() == pytest.approx(expected, abs=1e-5)


def test_weights_are_checked():
    with pytest.raises(ValueError, match='weights are of outside, begin and inside'):
        SegmentHead(weights=(1.0, 2.0))
