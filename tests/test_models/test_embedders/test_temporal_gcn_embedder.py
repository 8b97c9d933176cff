"""The temporal blocks against loops over frames, in float64."""

import pytest
import torch
from torch.nn import functional as F

from signbert_mm.models.embedders.temporal_gcn_embedder import TemporalBlock, TemporalGCNEmbedder


def convolve(frames, convolution):
    """A list of vectors, None = nothing there, through a convolution in time and a ReLU; a linear one has no
    bias, and no ReLU.
    """
    weight, bias = convolution.weight, convolution.bias
    half = weight.shape[-1] // 2
    out = []
    for time in range(len(frames)):
        total = torch.zeros(weight.shape[0], dtype=weight.dtype) if bias is None else bias
        for tap in range(-half, half + 1):
            if 0 <= time + tap < len(frames) and frames[time + tap] is not None:
                total = total + weight[:, :, half + tap] @ frames[time + tap]
        out.append(total if bias is None else F.relu(total))
    return out


def reference(block, x, valid):
    clips = [
        [frame if there else None for frame, there in zip(clip, seen)]
        for clip, seen in zip(x, valid.tolist())
    ]
    joined = []
    for clip in clips:
        wide = convolve(clip, block.wide)
        between = [
            vector if frame is not None else None
            for vector, frame in zip(convolve(clip, block.narrow[0]), clip)
        ]
        narrow = convolve(between, block.narrow[1])
        joined.append([block.join.weight[:, :, 0] @ torch.cat(pair) for pair in zip(wide, narrow)])
    kept = torch.stack(
        [
            vector
            for clip, frames in zip(joined, clips)
            for vector, frame in zip(clip, frames)
            if frame is not None
        ]
    )
    mean, variance = kept.mean(0), kept.var(0, unbiased=False)
    out = torch.zeros_like(x)
    for i, frames in enumerate(clips):
        for t, frame in enumerate(frames):
            if frame is not None:
                out[i, t] = F.relu(
                    (joined[i][t] - mean) / (variance + 1e-5).sqrt() * block.norm.weight + block.norm.bias
                )
    return out


@pytest.mark.parametrize('linear', [False, True])
@pytest.mark.parametrize('share', [1.0, 0.6])
def test_a_block_equals_loops(monkeypatch, share, linear):
    torch.manual_seed(0)
    block = TemporalBlock(4, linear).double()
    torch.nn.init.normal_(block.norm.bias)
    valid = torch.rand(3, 7) < share
    x = torch.randn(3, 7, 4, dtype=torch.float64) * valid[..., None]
    torch.testing.assert_close(block(x, valid), reference(block, x, valid))
    monkeypatch.setattr(torch.compiler, 'is_dynamo_compiling', lambda: True)  # the route that is compiled
    torch.testing.assert_close(block(x, valid), reference(block, x, valid))


def test_the_stacked_convolutions_are_no_single_one():
    """What a map without a ReLU between them would be."""
    torch.manual_seed(0)
    x = torch.randn(2, 9, 4)
    for linear in (False, True):
        block = TemporalBlock(4, linear)

        def narrow(x, block=block):
            between = block.act(block.narrow[0](x.transpose(1, 2)))
            return block.act(block.narrow[1](between))

        zero = narrow(torch.zeros_like(x))
        same = torch.allclose(narrow(x) + narrow(-x), 2 * zero, atol=1e-6)
        assert same == linear


def embedder(**changes):
    torch.manual_seed(0)
    gesture = dict(type='ResidualGestureGCN', joint_channels=(4, 6), part_channels=(8, 8), dropout=0.0)
    return TemporalGCNEmbedder(**{**dict(gesture=gesture, channels=10, dropout=0.0), **changes})


def test_the_parts_one_after_the_other():
    model, x, valid = embedder(num_blocks=1), torch.rand(2, 5, 21, 2), torch.ones(2, 5, dtype=torch.bool)
    tokens = F.relu(model.norm(model.gesture(x, valid) @ model.project.weight.T))
    torch.testing.assert_close(model(x, valid), model.blocks[0](tokens, valid))
    assert model.out_channels == 10 and len(embedder().blocks) == 2


def test_padding_changes_nothing_and_stays_zero():
    model = embedder().double()
    x = torch.rand(2, 5, 21, 2, dtype=torch.float64)
    valid = torch.tensor([[1, 1, 0, 1, 1], [1, 1, 1, 0, 0]], dtype=torch.bool)
    x = x * valid[..., None, None]
    longer = model(torch.cat([x, x.new_zeros(2, 4, 21, 2)], 1), torch.cat([valid, valid.new_zeros(2, 4)], 1))
    torch.testing.assert_close(longer[:, :5], model(x, valid))
    assert not longer[:, 5:].any() and not longer[:, :5][~valid].any() and (longer >= 0).all()


def test_dropout_is_after_the_projection_and_off_in_evaluation():
    model, x, valid = (
        embedder(dropout=0.5).eval(),
        torch.rand(2, 5, 21, 2),
        torch.ones(2, 5, dtype=torch.bool),
    )
    torch.testing.assert_close(model(x, valid), model(x, valid))
    model.train()
    assert not torch.equal(model(x, valid), model(x, valid))
