"""The joint layout: names, edges, parts, mirror pairs."""

from dataclasses import dataclass, field
from typing import Dict, Mapping, Sequence, Tuple, Union

from ..errors import UserKeyError, UserValueError

Edge = Tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """A named order of joints.

    Args:
        name (str): The layout's name in configs and stores.
        joints (tuple[str]): Joint names in order. A joint that COCO-WholeBody has too takes its name there,
            so that layouts map by name.
        edges (tuple[tuple[int, int]]): Physical edges as (closer to the body or wrist, further).
        symmetric_edges (tuple[tuple[int, int]]): Edges between like joints that no bone joins (neighbouring
            fingers).
        parts (dict[str, tuple[int]]): Named groups of joints: fingers, hands, trunk.
        flip_pairs (tuple[tuple[int, int]]): Joints that a mirror exchanges.

    Raises:
        ValueError: A name is repeated, or an index of an edge, part or pair is outside the layout.
    """

    name: str
    joints: Tuple[str, ...]
    edges: Tuple[Edge, ...] = ()
    symmetric_edges: Tuple[Edge, ...] = ()
    parts: Mapping[str, Tuple[int, ...]] = field(default_factory=dict)
    flip_pairs: Tuple[Edge, ...] = ()

    def __post_init__(self) -> None:
        repeated = sorted({joint for joint in self.joints if self.joints.count(joint) > 1})
        if repeated:
            raise UserValueError(f'layout {self.name!r}: joint names repeated: {repeated}')
        groups: Dict[str, Sequence[Sequence[int]]] = dict(
            edges=self.edges,
            symmetric_edges=self.symmetric_edges,
            flip_pairs=self.flip_pairs,
            parts=list(self.parts.values()),
        )
        for what, rows in groups.items():
            outside = [index for row in rows for index in row if not 0 <= index < len(self.joints)]
            if outside:
                raise UserValueError(
                    f'layout {self.name!r}: {what} name joints {outside}, but there are '
                    f'{len(self.joints)} joints'
                )

    @property
    def num_joints(self) -> int:
        return len(self.joints)

    def indices(self, joints: Sequence[str]) -> Tuple[int, ...]:
        """Returns the indices of named joints.

        Raises:
            KeyError: A name is not in this layout.
        """
        index_of = {joint: index for index, joint in enumerate(self.joints)}
        absent = [joint for joint in joints if joint not in index_of]
        if absent:
            raise UserKeyError(f'layout {self.name!r} has no joint {absent}')
        return tuple(index_of[joint] for joint in joints)

    @property
    def flip_order(self) -> Tuple[int, ...]:
        """Joint order after a mirror: ``keypoints[..., flip_order, :]`` exchanges left and right."""
        order = list(range(self.num_joints))
        for left, right in self.flip_pairs:
            order[left], order[right] = right, left
        return tuple(order)

    def check_joints(self, count: int, where: str) -> None:
        """Checks that a number of joints is this layout's.

        Raises:
            ValueError: ``count`` differs. The message gives both numbers and the layouts with that count.
        """
        if count != self.num_joints:
            names = sorted(layout.name for layout in LAYOUTS.values() if layout.num_joints == count)
            hint = (
                f'; layouts with {count} joints: {", ".join(names)}'
                if names
                else '; no known layout has that many: joints were lost or added on the way'
            )
            raise UserValueError(
                f'{where}: {count} joints found, but layout {self.name!r} has {self.num_joints}{hint}'
            )


LAYOUTS: Dict[str, Layout] = {}


def register_layout(layout: Layout) -> Layout:
    """Makes a layout known by its name.

    Raises:
        KeyError: Another layout has that name.
    """
    if LAYOUTS.get(layout.name, layout) != layout:
        raise UserKeyError(f'layout {layout.name!r} is already registered')
    LAYOUTS[layout.name] = layout
    return layout


def get_layout(layout: Union[str, Layout]) -> Layout:
    """The layout of that name; a Layout is returned as it is.

    Raises:
        KeyError: No layout has that name; the message lists those that exist.
    """
    if isinstance(layout, Layout):
        return layout
    if layout not in LAYOUTS:
        raise UserKeyError(
            f'unknown layout {layout!r}; known: {", ".join(sorted(LAYOUTS))} (add one with '
            'signbert_mm.layouts.register_layout)'
        )
    return LAYOUTS[layout]
