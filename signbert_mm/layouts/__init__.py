"""Joint layouts and the mappings between them."""

from typing import Dict, Union

from .body import COCO_WHOLEBODY_133, MEDIAPIPE_HOLISTIC, OPENPOSE, SIGN_49, TRUNK_7
from .hand import HAND_21, HANDS_42
from .layout import Layout
from .mapping import layout_mapping, map_joints
from .skeleton import SAM_SLR_27, inward_edges, skeleton_tree

LAYOUTS: Dict[str, Layout] = {}


def register_layout(layout: Layout) -> Layout:
    """Registers a layout under its name, and returns it.

    Raises:
        KeyError: Another layout has that name.
    """
    # The same layout may be registered twice, as when a module is imported again.
    if LAYOUTS.get(layout.name, layout) != layout:
        raise KeyError(f'layout {layout.name!r} is already registered')
    LAYOUTS[layout.name] = layout
    return layout


def get_layout(layout: Union[str, Layout]) -> Layout:
    """Returns the layout of that name, or a Layout as it is.

    Raises:
        KeyError: No layout has that name; the message lists all names.
    """
    if isinstance(layout, Layout):
        return layout
    if layout not in LAYOUTS:
        raise KeyError(
            f'unknown layout {layout!r}; known: {", ".join(sorted(LAYOUTS))} (add one with '
            'signbert_mm.layouts.register_layout)'
        )
    return LAYOUTS[layout]


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
