"""The trunk's joints in the image."""

import torch

from ...draws import Draws
from ...errors import UserValueError
from ...layouts import get_layout
from ...layouts.body import TRUNK_JOINTS
from ...registry import TRANSFORMS
from .base import BatchTransform, ConstantIndex


@TRANSFORMS.register_module()
class NormalizeTrunk(BatchTransform):
    """Expresses the seven trunk joints as fractions of the image's width and height.

    This follows ST-Consistency's authors' code. The wrists among them carry the hands' global movement.

    Args:
        layout (str): Layout of ``keypoints``; it must have the seven joints.

    Reads ``keypoints`` (B, T, V, 2) in pixels, ``scores`` (B, T, V), ``image_size`` (B, 2), ``length`` (B,).
    Adds

    - ``trunk`` (B, T, 7, 2): nose, then left shoulder, elbow, wrist, then right, in [0, 1] within the image;
      missing joints hold values without meaning until :class:`ZeroMissing`;
    - ``trunk_scores`` (B, T, 7), 0 = missing; 0 in all frames from ``length`` on.

    Raises:
        ValueError: The layout lacks a trunk joint.
    """

    def __init__(self, layout: str = 'sign_49') -> None:
        self.layout = get_layout(layout)
        absent = [joint for joint in TRUNK_JOINTS if joint not in self.layout.joints]
        if absent:
            raise UserValueError(
                f'NormalizeTrunk: layout {self.layout.name!r} has no joint {absent}. Read the data as '
                "layout='sign_49': joints that a store lacks "
                "are missing ones then; the encoder's parts=('hand',) does without the trunk"
            )
        self.joints = ConstantIndex(self.layout.indices(TRUNK_JOINTS))

    def __call__(self, batch: dict, draws: Draws) -> dict:
        keypoints, scores = batch['keypoints'], batch['scores']
        self.layout.check_joints(
            keypoints.shape[2], "NormalizeTrunk (its layout and the data set's must be the same)"
        )
        joints = self.joints.on(keypoints.device)
        # (B, T)
        real = torch.arange(keypoints.shape[1], device=keypoints.device) < batch['length'][:, None]
        batch['trunk'] = keypoints.index_select(2, joints) / batch['image_size'][:, None, None]
        # Scores of 0 mark the padding as missing.
        batch['trunk_scores'] = scores.index_select(2, joints) * real[..., None]
        return batch
