import pytest
import torch

from signbert_mm.draws import Draws
from signbert_mm.layouts import get_layout, skeleton_tree
from signbert_mm.registry import TRANSFORMS

SIZE = (640.0, 480.0)


def make_batch(frames=4, layout='sign_49', missing=()):
    torch.manual_seed(0)
    joints = get_layout(layout).num_joints
    keypoints = torch.rand(2, frames, joints, 2) * torch.tensor(SIZE)
    scores = torch.rand(2, frames, joints) * 0.9 + 0.1
    for clip, frame, joint in missing:
        keypoints[clip, frame, joint] = scores[clip, frame, joint] = 0
    return dict(
        keypoints=keypoints, scores=scores, image_size=torch.tensor([SIZE, SIZE]), index=torch.arange(2)
    )


def run(batch, **options):
    return TRANSFORMS.build(dict(type='SkeletonInput', **options))(batch, Draws(0, 0, batch['index']))[
        'skeleton'
    ]


def expected(batch, stream, layout='sign_49'):
    """One number after the other, in float64."""
    parents = skeleton_tree(get_layout(layout))
    keypoints, scores = batch['keypoints'].double(), batch['scores'].double()
    clips, frames, joints = scores.shape

    def point(b, t, v):
        return [(keypoints[b, t, v, axis] - SIZE[axis] / 2) / (SIZE[axis] / 2) for axis in (0, 1)] + [
            scores[b, t, v]
        ]

    def minus(end, start):
        return [end[0] - start[0], end[1] - start[1], (end[2] + start[2]) / 2]

    def still(b, t, v):
        return minus(point(b, t, v), point(b, t, parents[v])) if stream.startswith('bone') else point(b, t, v)

    out = torch.zeros(clips, 1, frames, joints, 3, dtype=torch.float64)
    for b in range(clips):
        for t in range(frames):
            for v in range(joints):
                if not stream.endswith('motion'):
                    value = still(b, t, v)
                else:
                    value = minus(still(b, t + 1, v), still(b, t, v)) if t + 1 < frames else [0, 0, 0]
                out[b, 0, t, v] = torch.tensor(value, dtype=torch.float64)
    return out


@pytest.mark.parametrize('stream', ['joint', 'bone', 'joint_motion', 'bone_motion'])
def test_streams(stream):
    batch = make_batch(missing=[(0, 1, 5)])
    torch.testing.assert_close(run(batch, stream=stream).double(), expected(batch, stream), atol=1e-6, rtol=0)


@pytest.mark.parametrize('stream', ['joint', 'bone', 'joint_motion', 'bone_motion'])
def test_missing_joints_as_zero(stream):
    batch = make_batch(missing=[(0, 1, 5)])
    child = skeleton_tree(get_layout('sign_49')).index(5)
    skeleton = run(batch, stream=stream, zero_missing=True)
    touched = torch.zeros(skeleton.shape[:-1], dtype=torch.bool)
    for joint in [5, child] if stream.startswith('bone') else [5]:
        for frame in [0, 1] if stream.endswith('motion') else [1]:
            touched[0, 0, frame, joint] = True
    assert (skeleton[touched] == 0).all()
    torch.testing.assert_close(skeleton[~touched], run(batch, stream=stream)[~touched])


def test_one_frame_has_no_motion():
    skeleton = run(make_batch(frames=1), stream='joint_motion', zero_missing=True)
    assert skeleton.shape == (2, 1, 1, 49, 3) and (skeleton == 0).all()


def test_bad_input():
    with pytest.raises(ValueError, match="stream must be one of .* got 'velocity'"):
        TRANSFORMS.build(dict(type='SkeletonInput', stream='velocity'))
    with pytest.raises(ValueError, match="49 joints found, but layout 'sam_slr_27' has 27"):
        run(make_batch(), layout='sam_slr_27')
