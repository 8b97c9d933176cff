import subprocess
import sys
import types

import numpy as np
import pytest
from made_videos import make_video

from signbert_mm.datasets import PoseStore
from signbert_mm.extraction import MediaPipeHandsPose, build_extractor, extract_stream, open_video
from signbert_mm.extraction.mediapipe_joints import body_points, whole_body
from signbert_mm.layouts import get_layout

LAYOUT = get_layout('coco_wholebody_133')
BODY = list(LAYOUT.parts['body'])
FACE, LEFT, RIGHT = (list(LAYOUT.parts[part]) for part in ('face', 'left_hand', 'right_hand'))
HERE = 'MediaPipe is not installed: make install-extract'


def points(rows):
    return types.SimpleNamespace(
        landmark=[types.SimpleNamespace(x=x, y=y, visibility=score) for x, y, score in rows]
    )


class FakeBody:
    """A body whose points all lie at (number of the frame / 10, 0.5); nobody in frames of ``absent``."""

    def __init__(self, absent=()):
        self.absent, self.seen, self._simulated_timestamp = absent, [], 0

    def process(self, image):
        frame = int(image[0, 0, 0])
        self._simulated_timestamp += 33333
        self.seen.append((frame, self._simulated_timestamp // 33333))
        found = None if frame in self.absent else points([(frame / 10, 0.5, 0.8)] * 33)
        return types.SimpleNamespace(pose_landmarks=found)

    def reset(self):
        self.seen = []


class FakeHands:
    """A left hand at the left wrist wherever that is visible."""

    def process(self, given):
        assert not given['image'].flags.writeable
        wrist = given['pose_landmarks'].landmark[15]
        hand = points([(wrist.x, wrist.y, 0)] * 21) if wrist.visibility > 0.1 else None
        return types.SimpleNamespace(left_hand_landmarks=hand, right_hand_landmarks=None)

    def reset(self):
        pass


def extract(count, body_every, absent=()):
    pytest.importorskip('mediapipe.python.solutions', reason=HERE)
    extractor = MediaPipeHandsPose(body_every)
    extractor._body, extractor._hands, extractor._warm = FakeBody(absent), FakeHands(), True
    images = [np.full((10, 20, 3), frame, np.uint8) for frame in range(count)]
    extractor._points, poses = None, list(extractor.stream(images))
    assert images[0].flags.writeable
    return np.stack(poses), extractor._body.seen


@pytest.mark.parametrize(
    ('body_every', 'seen'), [(1, [0, 1, 2, 3, 4, 5]), (2, [0, 1, 3, 5]), (3, [0, 2, 5]), (4, [0, 3, 5])]
)
def test_the_body_lies_on_lines_between_frames_that_are_computed(body_every, seen):
    poses, computed = extract(6, body_every)
    # The filters over time see the frames at their times.
    assert computed == [(frame, frame + 1) for frame in seen]
    nose, hand = poses[:, LAYOUT.joints.index('nose')], poses[:, LEFT]
    expected = np.stack([2.0 * np.arange(6), np.full(6, 5), np.full(6, 0.8)], axis=-1)
    np.testing.assert_allclose(nose, expected, rtol=1e-5)
    np.testing.assert_allclose(hand[:, 4, 0], 2.0 * np.arange(6), rtol=1e-5)
    assert (hand[..., 2] == 1).all() and (poses[:, RIGHT] == 0).all() and (poses[:, FACE] == 0).all()


def test_nobody_in_view_is_missing_and_looked_for_in_every_frame():
    poses, seen = extract(9, 3, absent=(0, 1, 5))
    # 3 and 4 lie between a body and none, so nothing is known there.
    assert [frame for frame, _ in seen] == [0, 1, 2, 5, 6, 8]
    assert (poses[:, 0, 2] > 0).tolist() == [False, False, True, False, False, False, True, True, True]
    assert ((poses[:, LEFT[0], 2] > 0) == (poses[:, 0, 2] > 0)).all()


def test_what_cannot_be_is_refused(monkeypatch):
    for wrong in (0, -1, 1.5):
        with pytest.raises(ValueError, match=f'body_every is {wrong}; give a whole number of frames'):
            MediaPipeHandsPose(body_every=wrong)
    with pytest.raises(ValueError, match='model_complexity is 0; MediaPipe would download'):
        MediaPipeHandsPose(model_complexity=0)
    monkeypatch.setitem(__import__('sys').modules, 'mediapipe', None)
    with pytest.raises(ModuleNotFoundError, match='MediaPipe is not installed: run `make install-extract`'):
        build_extractor('mediapipe_fast')


def test_joints_of_no_message_are_missing():
    assert body_points(None) is None
    assert (whole_body(None, None, None) == 0).all()


def test_joints_are_those_of_holistic(slovo):
    """Bit by bit, where the body's network runs on every frame; else hands within 2 % of their size."""
    pytest.importorskip('mediapipe.python.solutions', reason=HERE)
    pytest.importorskip('av')
    images = [frame.image[::2, ::2] for _, frame in zip(range(40), open_video(slovo))][20:]
    whole = np.stack(list(extract_stream(images, 'mediapipe')))
    assert (whole[:, LEFT[0], 2] > 0).sum() > 5 and (whole[:, FACE, 2] > 0).any()
    for settings in (
        dict(type='mediapipe', face=False),
        dict(type='mediapipe_fast', body_every=1),
        dict(type='mediapipe_fast'),
    ):
        extractor = build_extractor(settings)
        poses = np.stack(list(extract_stream(images, extractor)))
        assert (poses[:, FACE] == 0).all()
        if settings != dict(type='mediapipe_fast'):
            np.testing.assert_array_equal(poses[:, BODY + LEFT + RIGHT], whole[:, BODY + LEFT + RIGHT])
        else:
            _check_hands(poses, whole)
        # Nothing is left of the clip before.
        np.testing.assert_array_equal(np.stack(list(extract_stream(images, extractor))), poses)
        extractor.close()
    assert repr(extractor).startswith('MediaPipeHandsPose') and extractor.batch_size == 2


def _check_hands(poses, whole):
    for hand in (LEFT, RIGHT):
        both = (poses[:, hand[0], 2] > 0) & (whole[:, hand[0], 2] > 0)
        assert both.sum() >= 0.9 * (whole[:, hand[0], 2] > 0).sum()
        one, other = poses[both][:, hand, :2], whole[both][:, hand, :2]
        size = (other.max(1) - other.min(1)).max(1)
        assert not both.any() or np.mean(np.linalg.norm(one - other, axis=-1).mean(1) / size) < 0.02


def test_the_tool_starts_without_torch(root, tmp_path):
    """Its import takes longer than the extraction of a sign."""
    pytest.importorskip('mediapipe.python.solutions', reason=HERE)
    pytest.importorskip('av')
    (tmp_path / 'videos').mkdir()
    make_video(tmp_path / 'videos' / 'a.mp4', 3)
    tool = [str(root / 'tools' / 'extract_poses.py'), str(tmp_path / 'videos'), str(tmp_path / 'out')]
    code = f"""import runpy, sys
sys.argv = {[*tool, '--extractor', 'mediapipe_fast']!r}
runpy.run_path({tool[0]!r}, run_name='__main__')
print(sorted({{'torch', 'mmengine'}} & set(sys.modules)))"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=root, timeout=300)
    assert done.stdout.endswith('[]\n'), done.stdout + done.stderr
    assert PoseStore(tmp_path / 'out').meta['extractor'] == 'mediapipe_fast'
