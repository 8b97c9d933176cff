"""Adjacency by role: the weights with which a joint reads its neighbours."""

from typing import List, Sequence, Tuple

import torch
from torch import Tensor

from ..errors import UserValueError
from .hand import FINGERS
from .layout import Edge, Layout

ROLES = ('self', 'closer', 'further', 'symmetric')


def role_adjacency(
    num_nodes: int, edges: Sequence[Edge], symmetric_edges: Sequence[Edge], by_role: bool = True
) -> Tensor:
    """Normalised adjacency, one matrix for each role (roles are not given in the paper).

    Args:
        num_nodes (int): V.
        edges (Sequence[tuple[int, int]]): Physical edges as (closer to the wrist, further).
        symmetric_edges (Sequence[tuple[int, int]]): Undirected edges between like joints.
        by_role (bool): Divide by the number of neighbours of that role. False: of all roles, the node itself
            included (ST-Consistency's authors' code).

    Returns:
        Tensor: Shape (4, V, V), float32. ``[role, i, j]`` is the weight with which node i reads node j. The
            roles are the node itself, its neighbour closer to the wrist, those further away, and its
            symmetric ones. Each row sums to 1, or to 0 without such a neighbour; without ``by_role`` the four
            rows of a node sum to 1 together.
    """
    adjacency = torch.zeros(len(ROLES), num_nodes, num_nodes)
    adjacency[0] = torch.eye(num_nodes)
    for closer, further in edges:
        adjacency[1, further, closer] = 1
        adjacency[2, closer, further] = 1
    for a, b in symmetric_edges:
        adjacency[3, a, b] = adjacency[3, b, a] = 1
    neighbours = adjacency.sum(-1, keepdim=True)
    # The clamp keeps empty rows at 0.
    return adjacency / (neighbours if by_role else neighbours.sum(0)).clamp(min=1)


def joint_graph(layout: Layout, by_role: bool = True) -> Tensor:
    """Adjacency by role of a layout's joints, shape (4, V, V), see :func:`role_adjacency`.

    Joints that a mirror exchanges are symmetric, even if a bone joins them.
    """
    mirrored = {frozenset(pair) for pair in layout.flip_pairs}
    # A bone between mirrored joints, as from shoulder to shoulder, has no closer and further end.
    edges = [edge for edge in layout.edges if frozenset(edge) not in mirrored]
    symmetric_edges = (*layout.symmetric_edges, *layout.flip_pairs)
    return role_adjacency(layout.num_joints, edges, symmetric_edges, by_role)


def order_by_knuckle(parts: Sequence[Sequence[int]], layout: Layout) -> List[int]:
    """The joints of a hand or of the trunk as wrist, all first knuckles, all second ones, and so on.

    Neighbours along the fingers are then a fixed number of nodes apart, and parts are strides.

    Args:
        parts (Sequence[Sequence[int]]): As :func:`part_graph` gives them.
        layout (Layout): Of the joints.

    Raises:
        ValueError: The layout has no such order.
    """
    *limbs, root = parts
    order = root[:1] + [joint for knuckle in zip(*limbs) for joint in knuckle]
    if sorted(order) != list(range(layout.num_joints)) or order[: len(root)] != root:
        raise UserValueError(
            f'layout {layout.name!r} is not a wrist and fingers of equal length '
            'whose palm is the wrist and their roots'
        )
    return order


def part_graph(layout: Layout) -> Tuple[List[List[int]], List[Edge], List[Edge]]:
    """The coarse graph of a hand or of the trunk, with its root part last.

    Returns:
        tuple: ``parts`` (a hand: 5 fingers, palm; the trunk: left arm, right arm, nose), ``edges`` from the
            root part, ``symmetric_edges``.

    Raises:
        KeyError: The layout has the parts of neither a hand nor the trunk.
    """
    if 'left_arm' not in layout.parts:
        return hand_part_graph(layout)
    return (
        [list(layout.parts[name]) for name in ('left_arm', 'right_arm', 'nose')],
        [(2, 0), (2, 1)],
        [(0, 1)],
    )


def hand_part_graph(layout: Layout) -> Tuple[List[List[int]], List[Edge], List[Edge]]:
    """The coarse graph of a hand: edges from palm to fingers, and between neighbouring fingers.

    Returns:
        tuple: ``parts`` (5 fingers, then the palm), ``edges``, ``symmetric_edges`` between parts.

    Raises:
        KeyError: The layout lacks one of the six parts of a hand.
    """
    names = [*FINGERS, 'palm']
    parts = [list(layout.parts[name]) for name in names]
    palm = names.index('palm')
    return parts, [(palm, finger) for finger in range(5)], [(finger, finger + 1) for finger in range(4)]
