"""The generator of synthetic signs."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from signbert_mm.datasets.synthetic import SyntheticBatch, SyntheticSigns, generator
from signbert_mm.datasets.synthetic.hand_skeleton import BONES, LIMITS, ROOTS, hand_joints
from signbert_mm.layouts import HAND_21, SIGN_49, get_layout

ARRAYS = ('keypoints', 'true_2d', 'true_3d', 'camera', 'image_size')


@pytest.fixture(scope='module')
def signs() -> SyntheticSigns:
    return SyntheticSigns(12, 6, seed=3, layout='sign_49')


@pytest.fixture(scope='module')
def batch(signs: SyntheticSigns) -> SyntheticBatch:
    return signs.generate(range(144))


def test_shapes_and_ranges(signs, batch):
    frames = int(batch.length.sum())
    assert (
        batch.keypoints.shape == (frames, 49, 3)
        and batch.true_2d.shape == (frames, 49, 2)
        and batch.true_3d.shape == (frames, 49, 3)
    )
    assert (
        len(batch) == 144
        and batch.length.min() >= 20
        and batch.length.max() <= 80
        and len(set(batch.length)) > 20
    )
    assert (batch.offset == np.cumsum(batch.length) - batch.length).all()
    assert all(np.isfinite(getattr(batch, name)).all() for name in ARRAYS)
    scores = batch.keypoints[..., 2]
    assert scores.min() == 0 and scores.max() <= 1
    assert (batch.keypoints[scores == 0] == 0).all()
    size = np.repeat(batch.image_size, batch.length, axis=0)[:, None]
    assert ((batch.keypoints[..., :2] >= 0) & (batch.keypoints[..., :2] < size)).all()
    assert (batch.label == np.arange(144) % 12).all() and (batch.signer == np.arange(144) // 12 % 6).all()
    assert signs.glosses[5] == 'gloss_005' and len(set(signs.vocabulary.glosses)) == 12


@pytest.mark.parametrize('chunk', [1, 5])
def test_a_clip_does_not_depend_on_its_chunk(signs, batch, chunk, monkeypatch):
    monkeypatch.setattr(generator, '_CHUNK', chunk)
    some = signs.generate([3, 100, 7, 51, 4, 90])
    for clip, index in enumerate(some.index):
        for name in ('keypoints', 'true_2d', 'true_3d'):
            assert (getattr(some, name)[some.rows(clip)] == getattr(batch, name)[batch.rows(index)]).all(), (
                index,
                name,
            )


def test_single_frames_do_not_depend_on_their_chunk():
    signs = SyntheticSigns(4, 3, length=(1, 1), layout='hands_42')
    together = signs.generate(range(6))
    assert together.length.tolist() == [1] * 6
    for index in range(6):
        assert (signs.generate([index]).keypoints == together.keypoints[index : index + 1]).all()


def test_another_process_makes_the_same(signs, batch):
    code = (
        'import hashlib; from signbert_mm.datasets.synthetic import SyntheticSigns as S;'
        'b = S(12, 6, seed=3, layout="sign_49").generate([17, 2]); print(hashlib.md5(b.keypoints.tobytes() + '
        'b.true_3d.tobytes()).hexdigest())'
    )
    here = signs.generate([17, 2])
    digest = hashlib.md5(here.keypoints.tobytes() + here.true_3d.tobytes()).hexdigest()
    assert subprocess.check_output([sys.executable, '-c', code], text=True).strip() == digest


def test_seed_changes_everything(batch):
    other = SyntheticSigns(12, 6, seed=4, layout='sign_49').generate(range(12))
    assert not np.array_equal(other.length, batch.length[:12])


def test_growing_keeps_glosses_and_signers():
    small, large = SyntheticSigns(10, 4, seed=1), SyntheticSigns(40, 9, seed=1)
    assert large.vocabulary.glosses[:10] == small.vocabulary.glosses
    assert (large.vocabulary.frames[:10] == small.vocabulary.frames).all()
    for name in ('bones', 'shapes', 'left_handed', 'yaw'):
        assert (getattr(large.signers, name)[:4] == getattr(small.signers, name)).all()


def test_projection(batch):
    focal, centre = (
        np.repeat(batch.camera[:, :1], batch.length, axis=0),
        np.repeat(batch.camera[:, 1:], batch.length, axis=0),
    )
    seen = focal[:, None] * batch.true_3d[..., :2] / batch.true_3d[..., 2:] + centre[:, None]
    assert batch.true_3d[..., 2].min() > 0.2
    np.testing.assert_allclose(batch.true_2d, seen, atol=2e-2)


def test_bones_keep_their_length_within_a_clip(batch):
    edges = [(side + a, side + b) for side in (0, 21) for a, b in HAND_21.edges]
    left = SIGN_49.indices(['left_shoulder', 'left_elbow', 'left_wrist'])
    edges += [(left[0], left[1]), (left[1], left[2])]
    for clip in range(0, 144, 12):
        joints = batch.true_3d[batch.rows(clip)].astype(np.float64)
        lengths = np.stack([np.linalg.norm(joints[:, a] - joints[:, b], axis=1) for a, b in edges])
        assert (lengths.max(axis=1) - lengths.min(axis=1)).max() < 1e-5
        assert lengths.min() > 0.01 and lengths[:40].max() < 0.14
    # the hand's root is the arm's wrist
    np.testing.assert_array_equal(
        batch.true_3d[:, [0, 21]], batch.true_3d[:, SIGN_49.indices(['left_wrist', 'right_wrist'])]
    )


def test_motion_is_smooth(batch):
    first = np.zeros(len(batch.true_3d), dtype=bool)
    first[batch.offset] = True
    step = np.linalg.norm(np.diff(batch.true_3d[:, [0, 21]], axis=0), axis=-1)[~first[1:]]
    assert np.percentile(step, 50) < 0.03 and step.max() < 0.5


def test_flat_hand_and_one_bent_joint_by_hand():
    """Abduction swings a finger towards the thumb, flexion towards the palm; the rest of the hand stays."""
    angles = np.zeros((5, 3, 3, 3), dtype=np.float32)
    angles[2, 0, 0, 1] = np.pi / 2
    angles[2, 1, 0, 2] = np.pi / 2
    bones, roots = (np.repeat(np.float32(a)[..., None], 3, -1) for a in (BONES, ROOTS.T))
    joints = hand_joints(angles, bones, roots)  # (3, 21, 3)
    middle = ROOTS[2]
    np.testing.assert_allclose(joints[:, 12, 0], middle + [0, BONES[2].sum(), 0], atol=1e-6)
    np.testing.assert_allclose(joints[:, 12, 1], middle + [0, 0, BONES[2].sum()], atol=1e-6)
    np.testing.assert_allclose(joints[:, 12, 2], middle + [0, BONES[2, 0], BONES[2, 1:].sum()], atol=1e-6)
    np.testing.assert_array_equal(
        np.delete(joints, slice(9, 13), axis=1)[..., 0], np.delete(joints, slice(9, 13), axis=1)[..., 1]
    )
    angles[:] = 0
    angles[2, 0, 1] = 0.3
    assert hand_joints(angles, bones, roots)[0, 12, 0] > middle[0] + 0.02


def test_joint_angles_keep_their_limits(signs):
    from signbert_mm.datasets.synthetic.plan import ClipNumbers, plan_clips

    indices = np.arange(64)
    plan = plan_clips(
        signs.vocabulary,
        signs.signers,
        signs.label(indices),
        signs.signer(indices),
        ClipNumbers(3, indices),
        (20, 80),
        3.0,
    )
    low, high = LIMITS.reshape(45, 2).T[:, :, None, None, None]
    assert (plan.shapes >= low).all() and (plan.shapes <= high).all()
    assert (np.std(plan.shapes.reshape(45, -1), axis=1) > np.radians(1)).all()  # all 45 axes take part
    assert (signs.signers.shapes >= LIMITS[..., 0]).all() and (signs.signers.shapes <= LIMITS[..., 1]).all()


def test_a_left_handed_signer_is_the_mirror():
    """Camera-free: all distances between joints are those of the right-handed clip with left and right
    exchanged (without sway and tremor).
    """
    options = dict(seed=5, layout='sign_49', variety=0.0)
    right = SyntheticSigns(8, 3, left_handed=0.0, **options).generate(range(8))
    left = SyntheticSigns(8, 3, left_handed=1.0, **options).generate(range(8))
    assert (right.length == left.length).all()
    order = list(SIGN_49.flip_order)

    def distances(joints):
        return np.linalg.norm(joints[:, :, None] - joints[:, None], axis=-1)

    np.testing.assert_allclose(
        distances(right.true_3d[::5]), distances(left.true_3d[::5][:, order]), atol=1e-4
    )
    assert np.abs(right.true_2d - left.true_2d).max() > 10


def test_detector_off_gives_the_truth():
    batch = SyntheticSigns(6, 3, layout='sign_49', detector=0.0).generate(range(18))
    seen = batch.keypoints[..., 2] > 0
    size = np.repeat(batch.image_size, batch.length, axis=0)[:, None]
    inside = ((batch.true_2d >= 0) & (batch.true_2d < size)).all(-1)
    inside[:, :42] &= np.repeat(inside[:, :42].reshape(-1, 2, 21).sum(-1) >= 6, 21, axis=1)
    np.testing.assert_array_equal(seen, inside)
    np.testing.assert_array_equal(batch.keypoints[..., :2][seen], batch.true_2d[seen])


def test_detector_faults(batch):
    """Errors are small for most joints, a hand is lost in several frames running, and confidence tells of the
    error but not always.
    """
    hands = batch.keypoints[:, :42]
    seen = hands[..., 2] > 0
    away = batch.true_2d[:, :42].reshape(-1, 2, 21, 2)
    size = np.linalg.norm(away - away[:, :, :1], axis=-1).max(-1)
    error = (
        np.linalg.norm(hands[..., :2] - batch.true_2d[:, :42], axis=-1).reshape(-1, 2, 21) / size[..., None]
    )
    seen = seen.reshape(-1, 2, 21)
    found = seen.any(-1)
    assert 0.5 < found.mean() < 0.95
    assert 0.01 < 1 - seen[found].mean() < 0.1
    assert 0.01 < np.median(error[seen]) < 0.1
    score = hands[..., 2].reshape(-1, 2, 21)
    assert np.corrcoef(np.minimum(error[seen], 1), score[seen])[0, 1] < -0.3
    assert (score[seen & (error > 0.3)] > 0.7).mean() > 0.03  # sure and wrong
    assert (score[seen & (error < 0.05)] < 0.4).mean() > 0.005  # right and timid
    stronger = SyntheticSigns(12, 6, seed=3, layout='sign_49', detector=2.5).generate(range(48))
    assert (stronger.keypoints[:, :42, 2] > 0).mean() < (
        batch.keypoints[batch.rows(0).start : batch.rows(47).stop, :42, 2] > 0
    ).mean()


@pytest.mark.parametrize(
    'name', ['coco_wholebody_133', 'mediapipe_holistic', 'openpose', 'hands_42', 'trunk_7']
)
def test_layouts_agree_by_name(name, signs, batch):
    other = SyntheticSigns(12, 6, seed=3, layout=name).generate([0, 1])
    layout = get_layout(name)
    assert other.keypoints.shape[1] == layout.num_joints
    shared = [joint for joint in layout.joints if joint in SIGN_49.joints]
    rows = slice(0, len(other.keypoints))
    np.testing.assert_array_equal(
        other.keypoints[:, layout.indices(shared)], batch.keypoints[rows][:, SIGN_49.indices(shared)]
    )
    absent = [
        index
        for index, joint in enumerate(layout.joints)
        if joint.startswith('face') or joint.endswith('heel')
    ]
    assert (other.keypoints[:, absent] == 0).all()


def test_splits_have_their_own_signers(signs):
    indices = np.arange(144)
    signers = {}
    for signer, split in zip(signs.signer(indices), signs.split(indices)):
        signers.setdefault(split, set()).add(int(signer))
    assert set(signers) == {'train', 'val', 'test'} and sum(map(len, signers.values())) == 6


@pytest.mark.parametrize(
    'options, words',
    [
        (dict(num_glosses=0), 'num_glosses = 0'),
        (dict(num_signers=2), 'num_signers = 2'),
        (dict(num_signers=4.5), 'whole number'),
        (dict(seed=-1), 'seed = -1'),
        (dict(length=(30, 20)), 'length'),
        (dict(num_signers=4, val_signers=2, test_signers=2), r'val_signers \+ test_signers = 4'),
        (dict(variety=float('nan')), 'variety = nan'),
        (dict(detector=-1), 'detector = -1'),
        (dict(left_handed=2), 'left_handed = 2'),
        (dict(layout='hand_21'), 'hand_21'),
    ],
)
def test_bad_arguments(options, words):
    with pytest.raises(ValueError, match=words):
        SyntheticSigns(**options)


def test_unknown_layout_and_bad_indices(signs):
    with pytest.raises(KeyError, match='unknown layout'):
        SyntheticSigns(layout='coco_134')
    for indices in ([], [-1], [[1, 2]]):
        with pytest.raises(ValueError, match='clip indices'):
            signs.generate(indices)
