"""The components of ``.pose`` files, and the joints of layouts that they hold."""

from typing import Dict, List, Sequence

from ...errors import UserValueError
from ...layouts import Layout

_WHOLE_BODY = dict(BODY='body', FACE='face', LEFT_HAND='left_hand', RIGHT_HAND='right_hand')
# Layout -> component -> the part of the layout that it fills. Other components (MediaPipe's and OpenPose's
# face, world landmarks) are left out. The first of each part is the one that is written.
COMPONENTS = dict(
    mediapipe_holistic=dict(
        POSE_LANDMARKS='body', LEFT_HAND_LANDMARKS='left_hand', RIGHT_HAND_LANDMARKS='right_hand'
    ),
    openpose=dict(
        pose_keypoints_2d='body', hand_left_keypoints_2d='left_hand', hand_right_keypoints_2d='right_hand'
    ),
    # as pose-format writes those of MMPose, and of AlphaPose with 133 and 136 points
    coco_wholebody_133={
        f'{name}{suffix}': part
        for suffix in ('', '_133', '_136')
        for name, part in dict(
            BODY='body', FACE='face', LEFT_HAND='left_hand', RIGHT_HAND='right_hand'
        ).items()
    },
)
_MEDIAPIPE_FINGERS = dict(
    thumb=('THUMB', 'CMC MCP IP TIP'),
    forefinger=('INDEX_FINGER', 'MCP PIP DIP TIP'),
    middle_finger=('MIDDLE_FINGER', 'MCP PIP DIP TIP'),
    ring_finger=('RING_FINGER', 'MCP PIP DIP TIP'),
    pinky_finger=('PINKY', 'MCP PIP DIP TIP'),
)
_MEDIAPIPE_HAND = ['WRIST'] + [
    f'{finger}_{knuckle}' for finger, knuckles in _MEDIAPIPE_FINGERS.values() for knuckle in knuckles.split()
]


def point_names(layout: Layout, part: str) -> List[str]:
    """The names of a part's joints in ``.pose`` files, in the layout's order."""
    if part in ('left_hand', 'right_hand'):
        if layout.name == 'mediapipe_holistic':
            return _MEDIAPIPE_HAND
        return [f'hand_{place}' for place in range(21)]
    names = [layout.joints[joint] for joint in layout.parts[part]]
    if layout.name == 'mediapipe_holistic':
        return [name.replace('big_toe', 'foot_index').upper() for name in names]
    return names


def point_joints(layout: Layout, component: str, points: Sequence[str], where: str) -> List[int]:
    """The joint of each point of a component; -1 = it is not in the layout.

    Points go by their names where these are known, so that a file with fewer or more of them is read too,
    else by their order.

    Args:
        layout (Layout): One of :data:`COMPONENTS`.
        component (str): Its name.
        points (Sequence[str]): Names of its points.
        where (str): For the message.

    Raises:
        ValueError: The names are others, and so is their number.
    """
    part = COMPONENTS[layout.name].get(component)
    if part is None:
        return [-1] * len(points)
    joints = layout.parts[part]
    by_name: Dict[str, int] = dict(zip(point_names(layout, part), joints))
    if any(point in by_name for point in points):
        return [by_name.get(point, -1) for point in points]
    if len(points) != len(joints):
        raise UserValueError(
            f'{where}: {component} has {len(points)} points, but {len(joints)} are expected; use an '
            'unreduced file, or one whose points have their names'
        )
    return list(joints)
