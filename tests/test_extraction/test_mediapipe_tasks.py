import os
import sys
import types
import zipfile

import numpy as np
import pytest

from signbert_mm.extraction import MediaPipeTasks, build_extractor, extract_stream, open_video
from signbert_mm.extraction.mediapipe_models import FOLDER_VARIABLE, write_bundles
from signbert_mm.layouts import get_layout

LAYOUT = get_layout('coco_wholebody_133')
FACE, LEFT, RIGHT = (list(LAYOUT.parts[part]) for part in ('face', 'left_hand', 'right_hand'))
MEMBERS = dict(
    hand_landmarker=('hand_detector.tflite', 'hand_landmarks_detector.tflite'),
    pose_landmarker_full=('pose_detector.tflite', 'pose_landmarks_detector.tflite'),
)


def points(rows):
    return [types.SimpleNamespace(x=x, y=y, visibility=1.0) for x, y in rows]


class Landmarker:
    """Gives what the test puts into ``found``, and notes what it was asked."""

    made = []

    def __init__(self, options):
        self.options, self.times, self.images, self.closed = options, [], [], False
        Landmarker.made.append(self)

    @classmethod
    def create_from_options(cls, options):
        return cls(options)

    def detect_for_video(self, image, time):
        assert not self.times or time > self.times[-1]
        self.times.append(time)
        self.images.append(image.data.shape[:2])
        return types.SimpleNamespace(pose_landmarks=self.found['bodies'], hand_landmarks=self.found['hands'])

    def close(self):
        self.closed = True


@pytest.fixture
def fake_tasks(monkeypatch, tmp_path):
    """A stand-in for MediaPipe, and whole-looking model files; gives what its landmarkers find."""
    for name, members in MEMBERS.items():
        with zipfile.ZipFile(tmp_path / f'{name}.task', 'w') as bundle:
            for member in members:
                bundle.writestr(member, name)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    options = types.SimpleNamespace
    vision = types.SimpleNamespace(
        RunningMode=types.SimpleNamespace(VIDEO='video'),
        HandLandmarkerOptions=options,
        PoseLandmarkerOptions=options,
        HandLandmarker=Landmarker,
        PoseLandmarker=Landmarker,
    )
    package = types.SimpleNamespace(
        __version__='1.2.3', Image=options, ImageFormat=types.SimpleNamespace(SRGB='srgb')
    )
    monkeypatch.setitem(sys.modules, 'mediapipe', package)
    monkeypatch.setitem(
        sys.modules, 'mediapipe.tasks.python', types.SimpleNamespace(BaseOptions=options, vision=vision)
    )
    found = dict(bodies=[], hands=[])
    monkeypatch.setattr(Landmarker, 'found', found, raising=False)
    monkeypatch.setattr(Landmarker, 'made', [])
    return found


def standing():
    """A body in the middle of the image: left wrist at (0.7, 0.5), right wrist at (0.3, 0.5)."""
    rows = np.full((33, 2), 0.5)
    for index, place in {11: (0.6, 0.3), 12: (0.4, 0.3), 15: (0.7, 0.5), 16: (0.3, 0.5)}.items():
        rows[index] = place
    rows[23], rows[24] = (0.55, 0.7), (0.45, 0.7)
    return points(rows)


def hand(x, y):
    return points([(x, y - 0.01 * index) for index in range(21)])


def frames(count, shape=(100, 200, 3)):
    return [np.zeros(shape, np.uint8)] * count


def test_joints_are_pixels_of_the_frame(fake_tasks):
    # The trunk is 1.2 shoulders of 40 pixels, and there are 0.6 of it beside the wrists at 60 and 140.
    fake_tasks.update(bodies=[standing()], hands=[hand(0.5, 0.5), hand(0.85, 0.5)])
    extractor = build_extractor('mediapipe_tasks')
    (pose,) = extract_stream(frames(1), extractor)
    (left, top, right, bottom) = extractor._window
    assert (left, right, top, bottom) == (31, 169, 0, 100)
    np.testing.assert_allclose(pose[LAYOUT.joints.index('left_wrist')], (140, 50, 1), rtol=1e-5)
    # The hands' shares are of that part: 31 + 138 * 0.85 is near the left wrist, 31 + 69 at none.
    expected = [(31 + 138 * 0.85, 50 - index, 1) for index in range(21)]
    np.testing.assert_allclose(pose[LEFT], expected, rtol=1e-5)
    assert (pose[RIGHT] == 0).all() and (pose[FACE] == 0).all()
    hands, body = Landmarker.made
    assert hands.images == [(100, 138)] and body.images == [(100, 200)]


def test_nobody_is_all_missing_and_no_hand_is_searched_for(fake_tasks):
    fake_tasks['hands'] = [hand(0.5, 0.5)]
    extractor = MediaPipeTasks()
    poses = np.stack(list(extract_stream(frames(2), extractor)))
    assert (poses == 0).all() and Landmarker.made[0].times == []
    fake_tasks.update(bodies=[standing()], hands=[])
    (pose,) = extractor.stream(frames(1))
    assert (pose[:5, 2] == 1).all() and (pose[LEFT + RIGHT] == 0).all()


def test_two_hands_of_one_side_are_one(fake_tasks):
    fake_tasks.update(bodies=[standing()], hands=[hand(0.95, 0.5), hand(0.82, 0.5)])
    (pose,) = extract_stream(frames(1), 'mediapipe_tasks')
    np.testing.assert_allclose(pose[LEFT[0], :2], (31 + 138 * 0.82, 50), rtol=1e-5)
    assert (pose[RIGHT] == 0).all()


def test_frames_have_times_and_each_clip_new_landmarkers(fake_tasks):
    fake_tasks.update(bodies=[standing()])
    extractor = MediaPipeTasks(num_hands=4, min_tracking_confidence=0.25, min_detection_confidence=0.75)
    for _ in range(2):
        list(extract_stream(frames(4), extractor))
    assert [made.times for made in Landmarker.made] == [[0, 33, 66, 99]] * 4
    assert [made.closed for made in Landmarker.made] == [True, True, False, False]
    hands, body = Landmarker.made[0].options, Landmarker.made[1].options
    assert hands.num_hands == 4 and hands.running_mode == body.running_mode == 'video'
    assert hands.min_hand_detection_confidence == body.min_pose_detection_confidence == 0.75
    assert hands.min_hand_presence_confidence == body.min_pose_presence_confidence == 0.5
    assert hands.min_tracking_confidence == body.min_tracking_confidence == 0.25
    extractor.close()
    assert all(made.closed for made in Landmarker.made)


def test_another_model_file_is_another_extractor(fake_tasks, tmp_path):
    extractor = MediaPipeTasks()
    assert extractor.version == '1.2.3' and extractor.fingerprint == MediaPipeTasks().fingerprint
    with zipfile.ZipFile(tmp_path / 'other.task', 'w') as bundle:
        for member in MEMBERS['hand_landmarker']:
            bundle.writestr(member, 'other')
    other = MediaPipeTasks(hand_model=str(tmp_path / 'other.task'))
    assert other.fingerprint != extractor.fingerprint


def test_what_cannot_be_is_refused(fake_tasks, tmp_path, monkeypatch):
    for wrong in (dict(model_complexity=3), dict(num_hands=0), dict(num_hands=1.5)):
        (name,) = wrong
        with pytest.raises(ValueError, match=f'{name} is {wrong[name]}; give'):
            MediaPipeTasks(**wrong)
    with pytest.raises(FileNotFoundError, match='pose_landmarker_heavy.task: no such file'):
        MediaPipeTasks(model_complexity=2)
    (tmp_path / 'hand_landmarker.task').write_bytes(b'version https://git-lfs.github.com/spec/v1')
    with pytest.raises(ValueError, match='hand_landmarker.task: no whole hand_landmarker bundle'):
        MediaPipeTasks()
    monkeypatch.setitem(sys.modules, 'mediapipe', None)
    with pytest.raises(
        ModuleNotFoundError, match='MediaPipe is not installed: run `make install-extract-tasks`'
    ):
        build_extractor('mediapipe_tasks')


def test_a_real_signer(slovo, tmp_path, capfd):
    """Model files of the environment's folder, else those made of the wheel; else skipped."""
    pytest.importorskip('mediapipe', reason='MediaPipe is not installed: make install-extract')
    pytest.importorskip('av')
    if not os.environ.get(FOLDER_VARIABLE):
        try:
            write_bundles(str(tmp_path))
        except ModuleNotFoundError as error:
            pytest.skip(str(error))
    images = [frame.image for _, frame in zip(range(48), open_video(slovo))][40:]
    extractor = MediaPipeTasks(None if os.environ.get(FOLDER_VARIABLE) else str(tmp_path))
    poses = np.stack(list(extract_stream(images, extractor)))
    # Nothing is left of the clip before.
    np.testing.assert_array_equal(np.stack(list(extract_stream(images, extractor))), poses)
    extractor.close()
    assert capfd.readouterr().err == ''
    assert (poses[:, LEFT + RIGHT, 2] == 1).all()
    # She faces the camera: her left hand is on the right, at her left wrist.
    wrists = LAYOUT.indices(['left_wrist', 'right_wrist'])
    for hand, wrist in zip((LEFT, RIGHT), wrists):
        box = poses[:, hand, :2].max(1) - poses[:, hand, :2].min(1)
        apart = np.linalg.norm(poses[:, hand[0], :2] - poses[:, wrist, :2], axis=-1)
        assert (apart < 0.5 * box.max(-1)).all()
    assert (poses[:, LEFT, 0].mean(1) > poses[:, RIGHT, 0].mean(1)).all()
