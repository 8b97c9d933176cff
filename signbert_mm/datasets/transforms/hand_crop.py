"""From pixels to one square crop for each hand and frame."""

from typing import Optional, Tuple

import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserValueError
from ...layouts import get_layout
from ...layouts.hand import NUM_HAND_JOINTS
from ...registry import TRANSFORMS
from ..hand_rule import ARM_THRESHOLD, JOINT_THRESHOLD, MIN_JOINTS, arm_joints
from .base import BatchTransform, check_whole


@TRANSFORMS.register_module()
class HandCrop(BatchTransform):
    """Crops each hand of each frame to a square box and expresses its joints in that box.

    SignBERT does not give the box ("hand and shoulder joints give a crop"). It follows the released code of
    ST-Consistency:

    - With at least ``min_joints`` joints above ``joint_threshold``, its side is ``padding`` times their
      larger extent.
    - Otherwise it comes from shoulder, elbow and wrist: centre ``wrist + 0.33 (wrist - elbow)``, side
      ``1.1 max(|wrist - elbow|, 0.9 |elbow - shoulder|)``. All three must be above ``arm_threshold``, and a
      joint of the hand above ``joint_threshold`` (the last condition is ours).
    - Otherwise the hand is missing in that frame.

    The box is shifted into the image. Stores and inference count hands by the same rule, with these defaults
    (:func:`~signbert_mm.datasets.hand_rule.hands_found`).

    Args:
        layout (str): Layout of ``keypoints``. It must have both hands, each 21 joints in a row. Without arm
            joints the second rule does not apply.
        padding (float): Side of the box, as a multiple of the joints' extent.
        joint_threshold (float): Joints with a score above it define the box.
        min_joints (int): With fewer such joints the box comes from the arm.
        arm_threshold (float): Score that each arm joint must exceed for that.
        location (str): What ``location`` is relative to: 'image' or 'shoulders'. 'shoulders' takes the clip's
            mean shoulders, which removes the signer's place and distance. Neither is in the paper, and only
            an embedder with ``location=True`` reads it.
        min_extent (float): Smallest extent in pixels. It keeps coordinates finite where all joints of a hand
            coincide.

    Reads ``keypoints`` (B, T, V, 2) in pixels, ``scores`` (B, T, V), ``image_size`` (B, 2), ``length`` (B,).
    Adds

    - ``hands`` (B, T, 2, 21, 2): joints in units of the box, x right, y down, [0, 1] inside it. Missing
      joints hold values without meaning until :class:`ZeroMissing`.
    - ``hand_scores`` (B, T, 2, 21): 0 = missing; 0 in all frames from ``length`` on and for missing hands.
    - ``hand_valid`` (B, T, 2) bool: the hand was detected.
    - ``boxes`` (B, T, 2, 3): centre x, centre y, side, in pixels; 0, 0, 1 where the hand is missing.
    - ``location`` (B, T, 2, 3), 0 where the hand is missing. 'image': box centre and side as fractions of
      image width, height and larger side. 'shoulders': centre minus the middle of the shoulders, and side, in
      units of four shoulder widths, 0.5 added to the centre; 0 in clips without shoulders.
    """

    def __init__(
        self,
        layout: str = 'sign_49',
        padding: float = 2.2,
        joint_threshold: float = JOINT_THRESHOLD,
        min_joints: int = MIN_JOINTS,
        arm_threshold: float = ARM_THRESHOLD,
        min_extent: float = 1.0,
        location: str = 'image',
    ) -> None:
        self.layout = get_layout(layout)
        absent = [part for part in ('left_hand', 'right_hand') if part not in self.layout.parts]
        if absent:
            raise UserValueError(f'HandCrop: layout {self.layout.name!r} has no part {absent}')
        self.hand_joints = [self.layout.parts['left_hand'], self.layout.parts['right_hand']]
        for joints in self.hand_joints:
            if tuple(joints) != tuple(range(joints[0], joints[0] + NUM_HAND_JOINTS)):
                raise UserValueError(
                    f'HandCrop: a hand is {NUM_HAND_JOINTS} joints in a row, but layout {self.layout.name!r} '
                    f'has {joints}; map it to sign_49'
                )
        check_whole('HandCrop', high=NUM_HAND_JOINTS, min_joints=min_joints)
        self.arm_joints = arm_joints(self.layout)
        self.padding, self.joint_threshold, self.min_joints = padding, joint_threshold, min_joints
        self.arm_threshold, self.min_extent = arm_threshold, min_extent
        if location not in ('image', 'shoulders') or (location == 'shoulders' and self.arm_joints is None):
            raise UserValueError(
                "HandCrop: location must be 'image' or, with a layout that has shoulders, 'shoulders'; got "
                f'{location!r} with {self.layout.name!r}'
            )
        self.location = location

    def __call__(self, batch: dict, draws: Draws) -> dict:
        self.refuse_masked(batch)
        keypoints, scores, image_size = batch['keypoints'], batch['scores'], batch['image_size']
        self.layout.check_joints(
            keypoints.shape[2], "HandCrop (its layout and the data set's must be the same)"
        )
        # (B, T)
        real = torch.arange(keypoints.shape[1], device=keypoints.device) < batch['length'][:, None]
        # Scores of 0 make every joint in the padding a missing one.
        scores = scores * real[..., None]
        # A contiguous range of joints slices without a copy; stacking the hands is the only copy.
        # (B, T, 2, 21, 2)
        points = torch.stack(
            [keypoints[:, :, joints[0] : joints[-1] + 1] for joints in self.hand_joints], dim=2
        )
        # (B, T, 2, 21)
        hand_scores = torch.stack(
            [scores[:, :, joints[0] : joints[-1] + 1] for joints in self.hand_joints], dim=2
        )

        seen = hand_scores > self.joint_threshold
        # (B, T, 2)
        enough = seen.sum(-1) >= self.min_joints
        centre, side = self._box_from_joints(points, seen)
        valid = enough
        # Both rules run for all hands and `where` picks: a branch on values would wait for the device.
        if self.arm_joints is not None:
            arm_centre, arm_side, arm_detected = self._box_from_arm(keypoints, scores)
            centre = torch.where(enough[..., None], centre, arm_centre)
            side = torch.where(enough, side, arm_side)
            valid = enough | (arm_detected & seen.any(-1))
        centre = self._inside(centre, side, image_size)
        # A missing hand gets a box of side 1, so that the division below stays finite.
        centre = torch.where(valid[..., None], centre, torch.zeros_like(centre))
        side = torch.where(valid, side, torch.ones_like(side))

        hands = (points - centre[..., None, :]) / side[..., None, None] + 0.5
        if self.location == 'image':
            location = torch.cat(
                [centre / image_size[:, None, None], (side / image_size.amax(-1)[:, None, None])[..., None]],
                dim=-1,
            )
        else:
            location = self._from_shoulders(keypoints, scores, centre, side)
        batch['hands'] = torch.where(valid[..., None, None], hands, torch.zeros_like(hands))
        batch['hand_scores'] = hand_scores * valid[..., None]
        batch['hand_valid'] = valid
        batch['boxes'] = torch.cat([centre, side[..., None]], dim=-1)
        batch['location'] = location * valid[..., None]
        return batch

    def _box_from_joints(self, points: Tensor, seen: Tensor) -> Tuple[Tensor, Tensor]:
        """Centre (B, T, 2, 2) and side (B, T, 2) from the joints seen."""
        # Joints below the threshold must not count in minimum and maximum.
        infinity = torch.full_like(points, float('inf'))
        low = torch.where(seen[..., None], points, infinity).amin(-2)
        high = torch.where(seen[..., None], points, -infinity).amax(-2)
        # Without any joint the extremes are infinite, and inf - inf would be NaN.
        any_seen = seen.any(-1)[..., None]
        low, high = (
            torch.where(any_seen, low, torch.zeros_like(low)),
            torch.where(any_seen, high, torch.zeros_like(high)),
        )
        return (low + high) / 2, self.padding * (high - low).amax(-1).clamp(min=self.min_extent)

    def _box_from_arm(self, keypoints: Tensor, scores: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Centre (B, T, 2, 2), side (B, T, 2) and whether the arm is seen (B, T, 2)."""
        centres, sides, detected = [], [], []
        for shoulder, elbow, wrist in self.arm_joints:
            forearm = keypoints[:, :, wrist] - keypoints[:, :, elbow]
            upper_arm = keypoints[:, :, elbow] - keypoints[:, :, shoulder]
            centres.append(keypoints[:, :, wrist] + 0.33 * forearm)
            sides.append(
                1.1
                * torch.maximum(forearm.norm(dim=-1), 0.9 * upper_arm.norm(dim=-1)).clamp(min=self.min_extent)
            )
            detected.append(
                (
                    torch.stack([scores[:, :, joint] for joint in (shoulder, elbow, wrist)])
                    > self.arm_threshold
                ).all(0)
            )
        return torch.stack(centres, 2), torch.stack(sides, 2), torch.stack(detected, 2)

    def _from_shoulders(self, keypoints: Tensor, scores: Tensor, centre: Tensor, side: Tensor) -> Tensor:
        """Box centres and sides (B, T, 2, 3) relative to the clip's mean shoulders."""
        # (B, T, 2, 2)
        shoulders = torch.stack([keypoints[:, :, arm[0]] for arm in self.arm_joints], dim=2)
        seen = torch.stack([scores[:, :, arm[0]] for arm in self.arm_joints], dim=2) > self.joint_threshold
        # Only frames that show both shoulders count in the clip's mean.
        # (B, T, 1, 1)
        seen = seen.all(-1, keepdim=True)[..., None]
        count = seen.sum(1, keepdim=True)
        # (B, 1, 2, 2)
        mean = (shoulders * seen).sum(1, keepdim=True) / count.clamp(min=1)
        # (B, 1, 1, 1)
        unit = 4 * (mean[:, :, :1] - mean[:, :, 1:]).norm(dim=-1, keepdim=True).clamp(min=self.min_extent)
        location = torch.cat(
            [(centre - mean.mean(2, keepdim=True)) / unit + 0.5, side[..., None] / unit], dim=-1
        )
        # A clip that never shows both shoulders has no location.
        return location * (count > 0)

    @staticmethod
    def _inside(centre: Tensor, side: Tensor, image_size: Tensor) -> Tensor:
        """Shifts boxes into the image; a box larger than the image is centred on it."""
        # (B, 1, 1, 2)
        size = image_size[:, None, None]
        half = side[..., None] / 2
        # First away from the left and upper edge, then from the right and lower one.
        shifted = torch.minimum(torch.maximum(centre, half), size - half)
        return torch.where(2 * half > size, size / 2, shifted)


@TRANSFORMS.register_module()
class MirrorLeftHand(BatchTransform):
    """Mirrors left hands into right ones: ``x -> 1 - x`` in hand slot 0, for joints and location.

    One model of a right hand then decodes both slots. A mirrored clip is the same clip with its slots
    exchanged.

    Raises:
        ValueError: The batch is masked.
    """

    def __call__(self, batch: dict, draws: Draws) -> dict:
        self.refuse_masked(batch)
        for key in ('hands', 'location'):
            value = batch[key].clone()
            value[:, :, 0, ..., 0] = 1 - value[:, :, 0, ..., 0]
            batch[key] = value
        # 1 - 0 is not 0. Where the side is 0 there is no location: a missing hand, or no shoulders.
        batch['location'] = batch['location'] * (batch['location'][..., 2:] > 0)
        return batch


@TRANSFORMS.register_module()
class ZeroMissing(BatchTransform):
    """Sets missing joints (score 0) to (0, 0) in ``hands`` and, if present, ``target`` and ``trunk``.

    Call it after mirroring, which would move a 0 to 1. A hand that loses its last joint to the threshold
    becomes missing: ``hand_valid`` is False, and ``location``, ``chosen`` and ``operation``, if present, are
    0. A hand whose joints are all masked stays valid.

    Args:
        threshold (float): Joints with a score below it become missing, and their score becomes 0
            (ST-Consistency's authors' code: 0.5).
        trunk_threshold (float, optional): That of the trunk's joints; None = ``threshold`` (authors' code:
            0).
    """

    def __init__(self, threshold: float = 0.0, trunk_threshold: Optional[float] = None) -> None:
        self.threshold = threshold
        self.trunk_threshold = threshold if trunk_threshold is None else trunk_threshold

    def __call__(self, batch: dict, draws: Draws) -> dict:
        for scores, points, threshold in (
            ('hand_scores', ('hands', 'target'), self.threshold),
            ('trunk_scores', ('trunk',), self.trunk_threshold),
        ):
            if scores not in batch:
                continue
            present = kept = batch[scores] > 0
            if threshold > 0:
                kept = present & (batch[scores] >= threshold)
                batch[scores] = batch[scores] * kept
            for key in points:
                if key in batch:
                    batch[key] = batch[key] * kept[..., None]
            if threshold > 0 and scores == 'hand_scores' and 'hand_valid' in batch:
                # Only a hand that had joints before the threshold can lose its last one to it.
                # (B, T, 2)
                valid = batch['hand_valid'] & (kept.any(-1) | ~present.any(-1))
                batch['hand_valid'] = valid
                if 'location' in batch:
                    batch['location'] = batch['location'] * valid[..., None]
                for key in ('chosen', 'operation'):
                    if key in batch:
                        batch[key] = batch[key] * valid
        return batch
