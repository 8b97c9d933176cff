import types

import numpy as np
import pytest

from signbert_mm.extraction import (
    MediaPipeExtractor,
    build_extractor,
    extract_folder,
    extract_stream,
    open_video,
)
from signbert_mm.extraction.mediapipe_face import FACE_68
from signbert_mm.layouts import get_layout

LAYOUT = get_layout('coco_wholebody_133')
FACE, LEFT, RIGHT = (list(LAYOUT.parts[part]) for part in ('face', 'left_hand', 'right_hand'))
HERE = 'MediaPipe is not installed: make install-extract'


def points(rows):
    return types.SimpleNamespace(
        landmark=[types.SimpleNamespace(x=x, y=y, visibility=score) for x, y, score in rows]
    )


@pytest.fixture
def fake_holistic():
    """An extractor whose ``Holistic`` gives what the test puts into ``found``."""
    pytest.importorskip('mediapipe.python.solutions', reason=HERE)
    extractor = MediaPipeExtractor()
    found = types.SimpleNamespace(
        pose_landmarks=None, left_hand_landmarks=None, right_hand_landmarks=None, face_landmarks=None
    )
    extractor._holistic = types.SimpleNamespace(process=lambda image: found, reset=lambda: None)
    return extractor, found


def test_joints_go_by_name_in_pixels_with_their_scores(fake_holistic):
    extractor, found = fake_holistic
    found.pose_landmarks = points([(index / 100, index / 50, 1 - index / 33) for index in range(33)])
    found.left_hand_landmarks = points([(index / 40, 0.25, 0) for index in range(21)])
    found.face_landmarks = points([(index / 468, 0.5, 0) for index in range(468)])
    (pose,) = extract_stream([np.zeros((100, 200, 3), np.uint8)], extractor)
    source = get_layout('mediapipe_holistic')
    for joint in ('nose', 'left_eye', 'right_wrist', 'left_big_toe', 'right_heel'):
        index = source.joints.index(joint)
        np.testing.assert_allclose(
            pose[LAYOUT.joints.index(joint)], [200 * index / 100, 100 * index / 50, 1 - index / 33], rtol=1e-6
        )
    np.testing.assert_allclose(pose[LEFT], [(200 * index / 40, 25, 1) for index in range(21)], rtol=1e-6)
    np.testing.assert_allclose(pose[FACE], [(200 * index / 468, 50, 1) for index in FACE_68], rtol=1e-6)
    assert (pose[RIGHT] == 0).all() and (
        pose[[LAYOUT.joints.index('left_small_toe'), LAYOUT.joints.index('right_small_toe')]] == 0
    ).all()


def test_nobody_in_view_is_all_missing(fake_holistic):
    (pose,) = extract_stream([np.zeros((10, 20, 3), np.uint8)], fake_holistic[0])
    assert pose.shape == (133, 3) and (pose == 0).all()


def test_face_points_lie_on_the_contours_that_mediapipe_names():
    connections = pytest.importorskip('mediapipe.python.solutions', reason=HERE).face_mesh_connections
    contours = {
        (0, 17): 'FACE_OVAL',
        (17, 22): 'RIGHT_EYEBROW',
        (22, 27): 'LEFT_EYEBROW',
        (27, 36): 'NOSE',
        (36, 42): 'RIGHT_EYE',
        (42, 48): 'LEFT_EYE',
        (48, 68): 'LIPS',
    }
    for (first, last), name in contours.items():
        on_it = {index for edge in getattr(connections, f'FACEMESH_{name}') for index in edge}
        assert set(FACE_68[first:last]) <= on_it, name
    assert len(set(FACE_68)) == 68


def test_what_cannot_be_is_refused(monkeypatch):
    with pytest.raises(ValueError, match='model_complexity is 2; MediaPipe would download'):
        MediaPipeExtractor(model_complexity=2)
    monkeypatch.setitem(__import__('sys').modules, 'mediapipe', types.SimpleNamespace(__version__='0.10.35'))
    with pytest.raises(ImportError, match='0.10.35 has no mp.solutions; install 0.10.14 to 0.10.21'):
        build_extractor('mediapipe')
    monkeypatch.setitem(__import__('sys').modules, 'mediapipe', None)
    with pytest.raises(ModuleNotFoundError, match='MediaPipe is not installed: run `make install-extract`'):
        build_extractor('mediapipe')


def test_a_real_signer(slovo, tmp_path):
    pytest.importorskip('mediapipe.python.solutions', reason=HERE)
    av = pytest.importorskip('av')
    with av.open(slovo) as source, av.open(str(tmp_path / 'short.mp4'), 'w') as out:
        stream = out.add_stream('libx264', rate=30, options=dict(preset='ultrafast', crf='18'))
        stream.width, stream.height, stream.pix_fmt = 360, 640, 'yuv420p'
        for index, frame in enumerate(source.decode(video=0)):
            if index == 8:
                break
            out.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(
                        frame.to_ndarray(format='rgb24', width=360, height=640), format='rgb24'
                    )
                )
            )
        out.mux(stream.encode())
    videos = [(name, str(tmp_path / 'short.mp4')) for name in ('first', 'second')]
    store = extract_folder(videos, tmp_path / 'out', 'mediapipe', progress=False)
    assert (
        store.meta['extractor'] == 'mediapipe'
        and store.length.tolist() == [8, 8]
        and store.width.tolist() == [360, 360]
    )
    (keypoints, scores), again = store.clip(0), store.clip(1)
    assert (keypoints == again[0]).all() and (scores == again[1]).all()  # nothing is left of the clip before
    joint = LAYOUT.joints.index
    assert (scores[:, [joint('nose'), joint('left_shoulder'), joint('right_shoulder')]] > 0.9).all()
    # she faces the camera
    assert (keypoints[:, joint('left_shoulder'), 0] > keypoints[:, joint('right_shoulder'), 0]).all()
    face = keypoints[:, FACE]
    nose, left_eye, right_eye, mouth, chin = (
        face[:, 30],
        face[:, 42:48].mean(1),
        face[:, 36:42].mean(1),
        face[:, 48:68].mean(1),
        face[:, 8],
    )
    assert (right_eye[:, 0] < nose[:, 0]).all() and (nose[:, 0] < left_eye[:, 0]).all()
    assert (
        (left_eye[:, 1] < nose[:, 1]).all()
        and (nose[:, 1] < mouth[:, 1]).all()
        and (mouth[:, 1] < chin[:, 1]).all()
    )
    middle = keypoints[:, FACE[33], 0]
    for one, other in LAYOUT.flip_pairs:  # mirrored points of the face lie on either side of its middle
        if one in FACE:
            assert ((keypoints[:, one, 0] < middle) != (keypoints[:, other, 0] < middle)).all(), (one, other)


def test_two_people_in_view_do_not_alternate(shared):
    """Two men who embrace, from shaking hands on: the one who is followed first is followed on."""
    pytest.importorskip('mediapipe.python.solutions', reason=HERE)
    pytest.importorskip('av')
    video = shared / 'videos' / 'mmaction_demo_skeleton.mp4'
    if not video.is_file():
        pytest.skip(f'no {video}')
    poses = np.stack(list(extract_stream(open_video(video, fps=10), 'mediapipe')))
    shoulders, hips = (
        poses[:, [LAYOUT.joints.index(f'{side}_{joint}') for side in ('left', 'right')], :2].mean(1)
        for joint in ('shoulder', 'hip')
    )
    torso = np.linalg.norm(shoulders - hips, axis=1)
    assert len(poses) == 26 and (poses[:, 5:7, 2] > 0).all()
    assert (np.linalg.norm(np.diff(shoulders, axis=0), axis=1) < 0.2 * torso[1:]).all()


def test_nothing_is_said_while_it_starts(slovo, capfd):
    pytest.importorskip('mediapipe.python.solutions', reason=HERE)
    pytest.importorskip('av')
    extractor = MediaPipeExtractor()
    for _ in range(2):
        next(extract_stream(open_video(slovo), extractor))
    extractor.close()
    assert capfd.readouterr().err == ''
