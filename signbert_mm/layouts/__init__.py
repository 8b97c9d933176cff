"""Joint layouts and the mappings between them."""

from .body import COCO_WHOLEBODY_133, MEDIAPIPE_HOLISTIC, OPENPOSE, SIGN_49, TRUNK_7
from .hand import HAND_21, HANDS_42
from .layout import LAYOUTS, Layout, get_layout, register_layout
from .mapping import layout_mapping, map_joints
from .skeleton import SAM_SLR_27, inward_edges, skeleton_tree

for _layout in (
    COCO_WHOLEBODY_133,
    MEDIAPIPE_HOLISTIC,
    OPENPOSE,
    HAND_21,
    HANDS_42,
    TRUNK_7,
    SIGN_49,
    SAM_SLR_27,
):
    register_layout(_layout)

__all__ = [
    'LAYOUTS',
    'Layout',
    'get_layout',
    'inward_edges',
    'layout_mapping',
    'map_joints',
    'register_layout',
    'skeleton_tree',
]
