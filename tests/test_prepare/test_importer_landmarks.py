"""Landmarks without sides: chirality, tracks, sides, and the files."""

import numpy as np
import pytest
import torch

from signbert_mm.hand_models import HandModel
from signbert_mm.prepare.importers import (
    UnreadableError,
    assign_sides,
    hand_chirality,
    landmark_keypoints,
    read_landmarks,
    track_hands,
)

SIZE = (640, 480, 640)  # what x, y and z are multiplied with


@pytest.fixture(scope='module')
def right_hands():
    """(60, 21, 3): right hands of the hand model in palm lengths, wrist at 0; the first is the mean one."""
    draw = torch.Generator().manual_seed(0)
    theta = 0.4 * torch.randn(60, 25, generator=draw)
    theta[0] = 0
    hands = HandModel().joints(theta, 0.5 * torch.randn(60, 10, generator=draw)).double().numpy()
    hands -= hands[:, :1]
    return hands / np.linalg.norm(hands[:, 9], axis=-1)[:, None, None]


def rotations(count, seed=0, angle=np.pi):
    """(count, 3, 3): random axes, angles up to ``angle``."""
    random = np.random.RandomState(seed)
    x, y, z = (axis := random.randn(count, 3)).T / np.linalg.norm(axis, axis=1)
    zero = np.zeros(count)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    turn = random.uniform(-angle, angle, count)[:, None, None]
    return np.eye(3) + np.sin(turn) * cross + (1 - np.cos(turn)) * cross @ cross


def mirrored(hands):
    return hands * (-1, 1, 1)


def clip(right_hands, right=None, left=None, size=60.0, noise=0.0, seed=0):
    """(F, 2, 21, 3) in pixels: left hands in slot 0, right ones in slot 1; places are (F, 2)."""
    random = np.random.RandomState(seed)
    frames = len(right if right is not None else left)
    joints = np.full((frames, 2, 21, 3), np.nan)
    one, other = right_hands[random.randint(len(right_hands), size=2)]
    turns = rotations(2, seed + 1)
    for slot, places, shape, turn in ((1, right, one, turns[0]), (0, left, mirrored(other), turns[1])):
        if places is not None:
            joints[:, slot] = size * shape @ turn.T
            joints[:, slot, :, :2] += np.asarray(places, dtype=float)[:, None]
    joints[..., 2] += noise * size * random.randn(*joints.shape[:-1])
    return joints


def swapped(joints, seed=0):
    """The slots exchanged in half of the frames, and the side of each slot; -1 = no hand."""
    sides = np.where(np.isnan(joints[:, :, 0, 0]), -1, [0, 1])
    swap = np.random.RandomState(seed).rand(len(joints)) < 0.5
    joints, sides = joints.copy(), sides.copy()
    joints[swap], sides[swap] = joints[swap, ::-1], sides[swap, ::-1]
    return joints, sides


def line(begin, end, frames=20):
    return np.linspace(begin, end, frames)


def test_chirality_of_the_hand_model(right_hands):
    turned = right_hands @ rotations(60).transpose(0, 2, 1)
    assert (hand_chirality(turned) > 0.02).all()
    score = hand_chirality(right_hands)
    np.testing.assert_allclose(hand_chirality(turned), score, atol=1e-9)
    np.testing.assert_allclose(hand_chirality(7 * turned + (300, -20, 5)), score, atol=1e-9)
    np.testing.assert_allclose(hand_chirality(mirrored(turned)), -score, atol=1e-9)
    assert np.abs(hand_chirality(turned)).max() <= 1


def test_chirality_in_the_image():
    """A right palm towards the camera, fingers up and bent: its thumb is on the right of the image."""
    hand = np.zeros((21, 3))
    for finger, x in enumerate((1.0, 0.5, 0.2, -0.1, -0.4)):
        hand[1 + 4 * finger : 5 + 4 * finger] = [(x, -1 - 0.3 * j, -0.1 * j * j) for j in range(4)]
    assert hand_chirality(hand) > 0.2
    assert hand_chirality(mirrored(hand)) == -hand_chirality(hand)


def test_chirality_of_hands_without_a_palm():
    hand = np.zeros((2, 21, 3))
    hand[1, :, 0] = np.arange(21)
    assert hand_chirality(hand).tolist() == [0, 0]


def test_tracks_follow_swapped_slots(right_hands):
    joints = clip(right_hands, line((200, 200), (220, 400)), line((400, 400), (380, 200)))
    joints, sides = swapped(joints)
    tracks = track_hands(joints)
    assert tracks.max() == 1
    assert all(len(set(tracks[sides == side])) == 1 for side in (0, 1))


def test_tracks_over_a_gap_and_after_it(right_hands):
    joints = clip(right_hands, line((200, 200), (240, 200), 60))
    joints[10:22] = np.nan  # 12 frames
    joints[30:43] = np.nan  # 13 frames
    tracks = track_hands(joints)[:, 1]
    assert tracks.tolist() == [0] * 10 + [-1] * 12 + [0] * 8 + [-1] * 13 + [1] * 17
    assert set(track_hands(joints, max_gap=13)[:, 1]) == {0, -1}
    assert set(track_hands(joints, max_gap=0)[:, 1]) == {0, 1, 2, -1}


def test_a_hand_that_jumps_is_another(right_hands):
    places = np.concatenate([line((200, 200), (210, 200)), line((500, 200), (510, 200))])
    assert track_hands(clip(right_hands, places))[:, 1].tolist() == [0] * 20 + [1] * 20
    assert track_hands(clip(right_hands, places), max_jump=20.0).max() == 0


def test_at_most_two_tracks_live(right_hands):
    """The left hand leaves, a third detection comes: it ends the unseen track, and the right one goes on."""
    left = np.concatenate([line((400, 200), (400, 200), 10), line((600, 450), (600, 450), 10)])
    tracks = track_hands(clip(right_hands, line((200, 200), (200, 220)), left))
    assert tracks[:, 1].tolist() == [0] * 20 or tracks[:, 1].tolist() == [1] * 20
    assert set(tracks[:10, 0]) != set(tracks[10:, 0]) and tracks.max() == 2


def test_tracks_of_nothing():
    assert track_hands(np.full((3, 2, 21, 3), np.nan)).tolist() == [[-1, -1]] * 3
    assert track_hands(np.zeros((0, 2, 21, 3))).shape == (0, 2)
    assert assign_sides(np.full((3, 2, 21, 3), np.nan)).tolist() == [[-1, -1]] * 3
    # all joints in one point: no palm, no chirality
    assert assign_sides(np.zeros((2, 2, 21, 3))).shape == (2, 2)


@pytest.mark.parametrize('seed', range(8))
def test_sides_of_two_hands(right_hands, seed):
    """Noise on z, swapped slots, gaps; the hands are where they say nothing or the contrary."""
    places = line((420, 200), (400, 300)), line((220, 300), (240, 200))
    joints = clip(right_hands, *places, noise=0.1, seed=seed)
    random = np.random.RandomState(seed)
    joints[random.rand(*joints.shape[:2]) < 0.3] = np.nan
    joints, sides = swapped(joints, seed)
    assert assign_sides(joints).tolist() == sides.tolist()
    turned = joints * (-1, 1, 1) + (640, 0, 0)
    assert assign_sides(turned).tolist() == np.where(sides >= 0, 1 - sides, -1).tolist()


@pytest.mark.parametrize('side', [0, 1])
@pytest.mark.parametrize('seed', range(4))
def test_sides_of_one_hand(right_hands, seed, side):
    """Wherever it lies, in whichever slot."""
    places = dict(right=line((500, 200), (150, 300))) if side else dict(left=line((150, 200), (500, 300)))
    joints, sides = swapped(clip(right_hands, **places, noise=0.1, seed=seed), seed)
    found = assign_sides(joints)
    assert found.tolist() == sides.tolist()
    assert set(found[found >= 0]) == {side}


def test_a_track_is_decided_as_a_whole(right_hands):
    """Six of twenty frames say the contrary, with larger numbers than the others."""
    joints = clip(right_hands, line((200, 200), (240, 200)))
    joints[4:10, 1, :, 2] *= -1
    assert (hand_chirality(joints[4:10, 1]) < 0).all()
    assert assign_sides(joints)[:, 1].tolist() == [1] * 20


def test_two_hands_of_a_frame_have_two_sides(right_hands):
    """Both look like right hands: the one that does so more is it."""
    order = hand_chirality(right_hands).argsort()
    low, high = right_hands[order[0]], right_hands[order[-1]]
    assert 0 < hand_chirality(low) < hand_chirality(high) - 0.25
    places = line((420, 200), (420, 220))
    joints = np.stack([clip(low[None], places)[:, 1] - (220, 0, 0), clip(high[None], places)[:, 1]], axis=1)
    assert assign_sides(joints).tolist() == [[0, 1]] * 20
    assert assign_sides(joints[:, ::-1]).tolist() == [[1, 0]] * 20


def test_the_place_breaks_a_tie(right_hands):
    """The same hand twice, so chirality says nothing: the one on the left of the image is the right one."""
    joints = clip(right_hands, line((200, 200), (220, 200)), line((400, 200), (420, 200)))
    joints[:, 0] = joints[:, 1] + (200, 0, 0)
    assert assign_sides(joints).tolist() == [[0, 1]] * 20
    joints[:, 0] = joints[:, 1] - (150, 0, 0)
    assert assign_sides(joints).tolist() == [[1, 0]] * 20
    joints[..., 2] = 0  # flat
    assert assign_sides(joints).tolist() == [[1, 0]] * 20


def test_sides_of_real_hands(shared):
    """12 recorded clips with known sides: all frames and all tracks are right; 95 and 90 % are asked for."""
    rows = []
    frames = []
    for place, folder in enumerate(sorted((shared / 'data' / 'mp_data_tree').glob('*/*'))):
        files = sorted(folder.glob('*.npy'), key=lambda path: int(path.stem))
        hands = np.stack([np.load(path) for path in files])[:, -126:].reshape(-1, 2, 21, 3)
        hands[(hands == 0).all(axis=(2, 3))] = np.nan
        joints, sides = swapped(hands * SIZE, place)
        right = assign_sides(joints) == sides
        tracks = track_hands(joints)
        frames += right[sides >= 0].tolist()
        rows += [right[tracks == track].mean() > 0.5 for track in range(tracks.max() + 1)]
    assert len(frames) == 304 and len(rows) >= 12
    assert np.mean(frames) >= 0.95
    assert np.mean(rows) >= 0.9


# files


def fractions(right_hands, frames=6, **kwargs):
    places = dict(right=line((200, 200), (220, 240), frames), left=line((420, 200), (400, 240), frames))
    return clip(right_hands, **{**places, **kwargs}) / SIZE


@pytest.mark.parametrize('absent', [0, -1, np.nan])
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_read(tmp_path, right_hands, absent, dtype):
    hands = fractions(right_hands).astype(dtype)
    hands[2, 0] = absent
    hands[4] = absent
    np.save(tmp_path / 'a.npy', hands)
    found = read_landmarks(str(tmp_path / 'a.npy'))
    assert found.dtype == np.float64 and np.isnan(found).all(axis=(2, 3)).sum() == 3
    np.testing.assert_array_equal(found[[0, 1, 3, 5]], hands[[0, 1, 3, 5]])
    assert np.isnan(found[2, 0]).all() and np.isnan(found[4]).all() and (found[2, 1] == hands[2, 1]).all()


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda hands: hands[:, 0], r'float64 of shape \(6, 21, 3\) found; expected numbers of shape'),
        (lambda hands: hands[..., :2], r'shape \(6, 2, 21, 2\) found'),
        (lambda hands: hands.astype(str), r'<U\d+ of shape'),
        (lambda hands: hands[:0], r'a\.npy: (no frames|not a whole npy file)'),
        (lambda hands: np.asarray([{}], dtype=object), 'not a whole npy file of numbers'),
        (lambda hands: hands * SIZE, 'of the hands in the image; expected fractions of image width'),
        (lambda hands: hands * 2 - 3, '0% of the hands in the image'),
        (lambda hands: hands + np.where(np.arange(6) == 3, 1e30, 0)[:, None, None, None], r'to 1e\+30'),
    ],
)
def test_files_that_are_broken(tmp_path, right_hands, change, message):
    np.save(tmp_path / 'a.npy', change(fractions(right_hands)))
    with pytest.raises(UnreadableError, match=message):
        read_landmarks(str(tmp_path / 'a.npy'))


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_hand_that_is_half_there(tmp_path, right_hands, value):
    hands = fractions(right_hands)
    hands[3, 1, 5:7, 2] = value
    np.save(tmp_path / 'a.npy', hands)
    with pytest.raises(UnreadableError, match=r'a\.npy: frame 3, hand 1: 2 of 63 numbers are NaN or inf'):
        read_landmarks(str(tmp_path / 'a.npy'))


def test_files_that_are_no_npy(tmp_path, right_hands):
    path = tmp_path / 'a.npy'
    path.write_bytes(b'')
    with pytest.raises(UnreadableError, match='not a whole npy file'):
        read_landmarks(str(path))
    path.write_text('version https://git-lfs.github.com/spec/v1\n')
    with pytest.raises(UnreadableError, match='not a whole npy file'):
        read_landmarks(str(path))
    np.save(path, fractions(right_hands))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UnreadableError, match='not a whole npy file'):
        read_landmarks(str(path))
    np.savez(tmp_path / 'b.npz', hands=np.zeros(3))
    (tmp_path / 'b.npz').rename(path)
    with pytest.raises(UnreadableError, match='an npz archive'):
        read_landmarks(str(path))


def test_keypoints(right_hands):
    hands = fractions(right_hands)
    hands[[0, 5]] = np.nan
    hands[2, 0] = np.nan
    expected = hands.copy()
    keypoints = landmark_keypoints(hands[:, ::-1], 640, 480)
    assert keypoints.shape == (4, 42, 3) and keypoints.dtype == np.float32
    both = expected[1:5].reshape(4, 42, 3)
    np.testing.assert_array_equal(keypoints[..., 2], ~np.isnan(both[..., 0]))
    np.testing.assert_allclose(keypoints[..., :2], np.nan_to_num(both[..., :2] * (640, 480)), rtol=1e-6)
    whole = landmark_keypoints(hands, 640, 480, trim=False)
    assert whole.shape == (6, 42, 3) and not whole[[0, 5]].any()
    np.testing.assert_array_equal(whole[1:5], keypoints)
    scaled = landmark_keypoints(hands, 320, 960)
    np.testing.assert_allclose(scaled[..., :2], keypoints[..., :2] * (0.5, 2), rtol=1e-6)


def test_keypoints_of_a_mirrored_picture(right_hands):
    hands = fractions(right_hands)
    turned = hands * (-1, 1, 1) + (1, 0, 0)
    true = landmark_keypoints(hands, 640, 480)
    np.testing.assert_allclose(landmark_keypoints(turned, 640, 480, mirrored=True), true, rtol=1e-5)
    wrong = landmark_keypoints(turned, 640, 480)
    np.testing.assert_allclose(wrong[:, :21, 0], 640 - true[:, 21:, 0], rtol=1e-5)


def test_keypoints_without_hands():
    nothing = np.full((3, 2, 21, 3), np.nan)
    assert not landmark_keypoints(nothing, 640, 480, trim=False).any()
    with pytest.raises(UnreadableError, match='a.npy: no hand in any of 3 frames'):
        landmark_keypoints(nothing, 640, 480, where='a.npy')
