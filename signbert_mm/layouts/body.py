"""Layouts with a body: COCO-WholeBody, MediaPipe Holistic, OpenPose, ST-Consistency's trunk."""

from typing import Sequence, Tuple

from .hand import HANDS_42, NUM_HAND_JOINTS, both_hands, hand_joint_names
from .layout import Edge, Layout

TRUNK_JOINTS = (
    'nose',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'right_shoulder',
    'right_elbow',
    'right_wrist',
)
_COCO_BODY = (
    'nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow '
    'left_wrist right_wrist '
    'left_hip right_hip left_knee right_knee left_ankle right_ankle '
    'left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel'
).split()
_MEDIAPIPE_BODY = (
    'nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer left_ear '
    'right_ear mouth_left mouth_right '
    'left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_pinky right_pinky '
    'left_index right_index '
    'left_thumb right_thumb left_hip right_hip left_knee right_knee left_ankle right_ankle left_heel '
    'right_heel left_big_toe right_big_toe'
).split()
_OPENPOSE_BODY = (
    'nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip right_hip '
    'right_knee right_ankle '
    'left_hip left_knee left_ankle right_eye left_eye right_ear left_ear left_big_toe left_small_toe '
    'left_heel '
    'right_big_toe right_small_toe right_heel'
).split()
# The bones of all layouts, by name. Each layout takes those whose two joints it has.
_BONES = (
    ('nose', 'neck'),
    ('neck', 'left_shoulder'),
    ('neck', 'right_shoulder'),
    ('left_shoulder', 'right_shoulder'),
    ('left_shoulder', 'left_elbow'),
    ('left_elbow', 'left_wrist'),
    ('right_shoulder', 'right_elbow'),
    ('right_elbow', 'right_wrist'),
    ('left_shoulder', 'left_hip'),
    ('right_shoulder', 'right_hip'),
    ('left_hip', 'right_hip'),
    ('left_hip', 'left_knee'),
    ('left_knee', 'left_ankle'),
    ('right_hip', 'right_knee'),
    ('right_knee', 'right_ankle'),
    ('left_ankle', 'left_heel'),
    ('left_ankle', 'left_big_toe'),
    ('left_ankle', 'left_small_toe'),
    ('right_ankle', 'right_heel'),
    ('right_ankle', 'right_big_toe'),
    ('right_ankle', 'right_small_toe'),
    ('nose', 'left_eye'),
    ('nose', 'right_eye'),
    ('left_eye', 'left_ear'),
    ('right_eye', 'right_ear'),
    ('nose', 'left_shoulder'),
    ('nose', 'right_shoulder'),
    ('left_wrist', 'left_hand_root'),
    ('right_wrist', 'right_hand_root'),
)


def _bones(joints: Sequence[str]) -> Tuple[Edge, ...]:
    # Where a layout has a neck, the shoulders are joined to it instead of to the nose and to each other.
    skip = (
        {('nose', 'left_shoulder'), ('nose', 'right_shoulder'), ('left_shoulder', 'right_shoulder')}
        if 'neck' in joints
        else set()
    )
    return tuple(
        (joints.index(a), joints.index(b))
        for a, b in _BONES
        if (a, b) not in skip and a in joints and b in joints
    )


def _mirrored(name: str) -> str:
    for side, other in (('left', 'right'), ('right', 'left')):
        if name.startswith(f'{side}_'):
            return other + name[len(side) :]
        if name.endswith(f'_{side}'):
            return name[: -len(side)] + other
    return name


def _body_pairs(joints: Sequence[str]) -> Tuple[Edge, ...]:
    return tuple(
        (index, joints.index(_mirrored(joint)))
        for index, joint in enumerate(joints)
        if joint.startswith('left_') or joint.endswith('_left')
    )


def _with_hands(
    name: str,
    before: Sequence[str],
    after: Sequence[str] = (),
    extra_pairs: Tuple[Edge, ...] = (),
    **parts: Tuple[int, ...],
) -> Layout:
    """Makes the layout of the joints ``before``, the left hand, the right hand and ``after``."""
    left = len(before)
    joints = tuple(before) + hand_joint_names('left') + hand_joint_names('right') + tuple(after)
    hands = both_hands(left, left + NUM_HAND_JOINTS)
    # The names of hand joints begin with left_ too, so their pairs must not appear twice.
    hand_pairs = set(hands['flip_pairs'])
    return Layout(
        name,
        joints,
        edges=_bones(joints) + hands['edges'],
        symmetric_edges=hands['symmetric_edges'],
        parts={**hands['parts'], **parts},
        flip_pairs=tuple(p for p in _body_pairs(joints) if p not in hand_pairs)
        + extra_pairs
        + hands['flip_pairs'],
    )


# Mirror pairs of the 68 face points in the 300-W numbering: jaw 0..16, brows 17..26, nose 27..35, eyes
# 36..47, mouth 48..67.
_FACE_PAIRS = (
    [(i, 16 - i) for i in range(8)]
    + [(17 + i, 26 - i) for i in range(5)]
    + [(31, 35), (32, 34)]
    + [(36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
    + [(48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67)]
)
_BODY_23 = tuple(_COCO_BODY)

COCO_WHOLEBODY_133 = _with_hands(
    'coco_wholebody_133',
    _BODY_23 + tuple(f'face-{index}' for index in range(68)),
    extra_pairs=tuple((23 + a, 23 + b) for a, b in _FACE_PAIRS),
    body=tuple(range(23)),
    face=tuple(range(23, 91)),
)
MEDIAPIPE_HOLISTIC = _with_hands('mediapipe_holistic', _MEDIAPIPE_BODY, body=tuple(range(33)))
OPENPOSE = _with_hands('openpose', _OPENPOSE_BODY, body=tuple(range(25)))
TRUNK_7 = Layout(
    'trunk_7',
    TRUNK_JOINTS,
    edges=_bones(TRUNK_JOINTS),
    parts=dict(nose=(0,), left_arm=(1, 2, 3), right_arm=(4, 5, 6)),
    flip_pairs=_body_pairs(TRUNK_JOINTS),
)
SIGN_49 = _with_hands('sign_49', (), TRUNK_JOINTS, trunk=tuple(range(42, 49)))
# Code that reads the hands of sign_49 as joints 0..41 relies on this.
assert SIGN_49.joints[:42] == HANDS_42.joints
