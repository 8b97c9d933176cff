"""Whole skeletons as the input of graph networks over all joints."""

import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserValueError
from ...layouts import get_layout, skeleton_tree
from ...registry import TRANSFORMS
from .base import BatchTransform, ConstantIndex

STREAMS = ('joint', 'bone', 'joint_motion', 'bone_motion')


@TRANSFORMS.register_module()
class SkeletonInput(BatchTransform):
    """Makes the input of mmaction2's graph networks: the whole skeleton of one person.

    It equals mmaction2's ``PreNormalize2D``, ``GenSkeFeat`` and ``FormatGCNInput``. Adds ``skeleton`` (B, 1,
    T, V, 3): x and y as (x - w / 2) / (w / 2), and the score. Streams: 'joint'; 'bone' = joint minus its
    parent in :func:`skeleton_tree`, score the mean of both; 'joint_motion' and 'bone_motion' = the next frame
    minus this one, the last frame 0, score the mean of both.

    Args:
        layout (str): Layout of ``keypoints``.
        stream (str): See above.
        centre (str): Root of the tree.
        zero_missing (bool): A missing joint, and a difference from or to one, is all 0. mmaction2 leaves a
            missing joint in the image's corner, (-1, -1) with score 0, and so does False.

    Raises:
        ValueError: ``stream`` is unknown.
    """

    def __init__(
        self, layout: str = 'sign_49', stream: str = 'joint', centre: str = 'nose', zero_missing: bool = False
    ) -> None:
        if stream not in STREAMS:
            raise UserValueError(f'SkeletonInput: stream must be one of {STREAMS}, got {stream!r}')
        self.layout, self.stream = get_layout(layout), stream
        self.centre, self.zero_missing = centre, zero_missing
        self.parents = ConstantIndex(skeleton_tree(self.layout, centre))

    def __call__(self, batch: dict, draws: Draws) -> dict:
        keypoints, scores = batch['keypoints'], batch['scores']
        self.layout.check_joints(
            keypoints.shape[2], "SkeletonInput (its layout and the data set's must be the same)"
        )
        # (B, 1, 1, 2)
        half = batch['image_size'][:, None, None] / 2
        present = (scores > 0)[..., None]
        # Pixels become [-1, 1] of the image, and the score is a third channel.
        # (B, T, V, 3)
        points = torch.cat([(keypoints - half) / half, scores[..., None]], dim=-1)
        if self.stream.startswith('bone'):
            parents = self.parents.on(keypoints.device)
            # The root is its own parent, so its bone is (0, 0).
            points = _difference(points, points.index_select(2, parents))
            # A difference exists only where both of its ends do.
            present = present & present.index_select(2, parents)
        if self.stream.endswith('motion'):
            points = _with_last(_difference(points[:, 1:], points[:, :-1]))
            present = _with_last(present[:, 1:] & present[:, :-1])
        if self.zero_missing:
            points = points * present
        # (B, 1, T, V, 3)
        return {**batch, 'skeleton': points[:, None]}


def _difference(end: Tensor, start: Tensor) -> Tensor:
    """``end - start`` of x and y, with the mean of both scores: (..., 3)."""
    return torch.cat([end[..., :2] - start[..., :2], (end[..., 2:] + start[..., 2:]) / 2], dim=-1)


def _with_last(values: Tensor) -> Tensor:
    """Appends a frame of zeros to (B, T - 1, ...)."""
    return torch.cat([values, values.new_zeros(values.shape[0], 1, *values.shape[2:])], dim=1)
