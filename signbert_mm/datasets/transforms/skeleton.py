"""Whole skeletons as graph networks over all joints take them."""

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
    """The whole skeleton with one person, as mmaction2's pipeline makes it (``PreNormalize2D``,
    ``GenSkeFeat``, ``FormatGCNInput``).

    Adds ``skeleton`` (B, 1, T, V, 3): x and y as (x - w / 2) / (w / 2), and the score. Streams: 'joint';
    'bone' = joint minus its parent in :func:`skeleton_tree`, score the mean of both; 'joint_motion' and
    'bone_motion' = the next frame minus this one, the last frame 0, score the mean of both.

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
        self.layout, self.stream, self.centre, self.zero_missing = (
            get_layout(layout),
            stream,
            centre,
            zero_missing,
        )
        self.parents = ConstantIndex(skeleton_tree(self.layout, centre))

    def __call__(self, batch: dict, draws: Draws) -> dict:
        keypoints, scores = batch['keypoints'], batch['scores']
        self.layout.check_joints(
            keypoints.shape[2], "SkeletonInput (its layout and the data set's must be the same)"
        )
        half = batch['image_size'][:, None, None] / 2  # (B, 1, 1, 2)
        found = (scores > 0)[..., None]
        points = torch.cat([(keypoints - half) / half, scores[..., None]], dim=-1)  # (B, T, V, 3)
        if self.stream.startswith('bone'):
            parents = self.parents.on(keypoints.device)
            points = _difference(points, points.index_select(2, parents))
            found = found & found.index_select(2, parents)
        if self.stream.endswith('motion'):
            points = _with_last(_difference(points[:, 1:], points[:, :-1]))
            found = _with_last(found[:, 1:] & found[:, :-1])
        if self.zero_missing:
            points = points * found
        return {**batch, 'skeleton': points[:, None]}


def _difference(end: Tensor, start: Tensor) -> Tensor:
    """``end - start`` of x and y, the mean of both scores."""
    return torch.cat([end[..., :2] - start[..., :2], (end[..., 2:] + start[..., 2:]) / 2], dim=-1)


def _with_last(values: Tensor) -> Tensor:
    """A last frame of zeros behind (B, T - 1, ...)."""
    return torch.cat([values, values.new_zeros(values.shape[0], 1, *values.shape[2:])], dim=1)
