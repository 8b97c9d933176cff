import importlib.util
import runpy
from pathlib import Path

import pytest

from signbert_mm.layouts import get_layout


def names(layout, *indices):
    return [get_layout(layout).joints[index] for index in indices]


def test_coco_wholebody_order():
    layout = get_layout('coco_wholebody_133')
    assert names('coco_wholebody_133', 0, 5, 6, 7, 8, 9, 10, 15, 16) == (
        'nose left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_ankle '
        'right_ankle'.split()
    )
    assert (
        names('coco_wholebody_133', *range(17, 23))
        == ('left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel').split()
    )
    assert layout.joints[23:91] == tuple(f'face-{index}' for index in range(68))
    assert layout.parts['body'] == tuple(range(23)) and layout.parts['face'] == tuple(range(23, 91))
    assert layout.parts['left_hand'] == tuple(range(91, 112)) and layout.parts['right_hand'] == tuple(
        range(112, 133)
    )


def test_coco_wholebody_against_mmpose():
    spec = importlib.util.find_spec('mmpose')
    if spec is None:
        pytest.skip('mmpose is not installed')
    meta = Path(spec.origin).parent / '.mim' / 'configs' / '_base_' / 'datasets' / 'coco_wholebody.py'
    if not meta.is_file():
        pytest.skip('this mmpose has no data set meta')
    # plain data: nothing of mmpose is imported
    info = runpy.run_path(str(meta))['dataset_info']['keypoint_info']
    layout = get_layout('coco_wholebody_133')
    theirs = [info[index]['name'] for index in range(133)]
    assert list(layout.joints) == theirs
    swaps = [theirs.index(info[index]['swap']) if info[index]['swap'] else index for index in range(133)]
    assert list(layout.flip_order) == swaps


def test_mediapipe_order():
    # MediaPipe's PoseLandmark
    assert (
        names('mediapipe_holistic', 0, 2, 5, 9, 10, 11, 12, 13, 14, 15, 16, 23, 24, 31, 32)
        == (
            'nose left_eye right_eye mouth_left mouth_right left_shoulder right_shoulder left_elbow '
            'right_elbow left_wrist right_wrist '
            'left_hip right_hip left_big_toe right_big_toe'
        ).split()
    )


def test_openpose_order():
    # OpenPose's BODY_25, then the hands
    assert (
        names('openpose', 0, 1, 2, 4, 5, 7, 8, 9, 14, 15, 16, 19, 24)
        == (
            'nose neck right_shoulder right_wrist left_shoulder left_wrist mid_hip right_hip left_ankle '
            'right_eye left_eye left_big_toe right_heel'
        ).split()
    )


def test_trunk_and_sign_order():
    # COCO 0, 5, 7, 9, 6, 8, 10 in the code of ST-Consistency
    coco = get_layout('coco_wholebody_133').joints
    assert get_layout('trunk_7').joints == tuple(coco[index] for index in (0, 5, 7, 9, 6, 8, 10))
    sign = get_layout('sign_49')
    assert sign.joints == get_layout('hands_42').joints + get_layout('trunk_7').joints
    assert sign.parts['trunk'] == tuple(range(42, 49))
    assert get_layout('trunk_7').parts == dict(nose=(0,), left_arm=(1, 2, 3), right_arm=(4, 5, 6))


@pytest.mark.parametrize(
    'name', ['coco_wholebody_133', 'mediapipe_holistic', 'openpose', 'trunk_7', 'sign_49']
)
def test_arms(name):
    layout = get_layout(name)
    bones = {(layout.joints[a], layout.joints[b]) for a, b in layout.edges}
    for side in ('left', 'right'):
        assert {(f'{side}_shoulder', f'{side}_elbow'), (f'{side}_elbow', f'{side}_wrist')} <= bones
        assert ((f'{side}_wrist', f'{side}_hand_root') in bones) == (name != 'trunk_7')


def test_a_neck_stands_between_the_shoulders():
    layout = get_layout('openpose')
    bones = {(layout.joints[a], layout.joints[b]) for a, b in layout.edges}
    assert {('nose', 'neck'), ('neck', 'left_shoulder'), ('neck', 'right_shoulder')} <= bones
    assert not {('nose', 'left_shoulder'), ('left_shoulder', 'right_shoulder')} & bones


def test_bones_of_the_trunk():
    layout = get_layout('trunk_7')
    assert {frozenset(edge) for edge in layout.edges} == {
        frozenset(edge) for edge in ((0, 1), (0, 4), (1, 4), (1, 2), (2, 3), (4, 5), (5, 6))
    }
