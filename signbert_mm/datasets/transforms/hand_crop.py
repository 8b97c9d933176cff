"""From pixels to one square crop a hand and frame."""

from typing import Optional, Tuple

import torch
from torch import Tensor

from ...draws import Draws
from ...layouts import get_layout
from ...layouts.hand import NUM_HAND_JOINTS
from ...registry import TRANSFORMS
from ..hand_rule import ARM_THRESHOLD, JOINT_THRESHOLD, MIN_JOINTS, arm_joints
from .base import BatchTransform


@TRANSFORMS.register_module()
class HandCrop(BatchTransform):
    """Crops each hand of each frame to a square box and expresses its joints in that box.

    The box is not given in SignBERT ("hand and shoulder joints give a crop"); it follows the released code of
    ST-Consistency: ``padding`` times the larger extent of the joints above ``joint_threshold``, shifted to
    stay inside the image. With fewer than ``min_joints`` such joints it comes from shoulder, elbow and wrist,
    if all are above ``arm_threshold`` and a joint of the hand is above ``joint_threshold`` (which is ours):
    centre wrist + 0.33 (wrist - elbow), side 1.1 max(|wrist - elbow|, 0.9 |elbow - shoulder|). Else the hand
    is missing in that frame. Stores and inference count hands by the same rule, with these defaults
    (:func:`~signbert_mm.datasets.hand_rule.hands_found`).

    Args:
        layout (str): Layout of ``keypoints``; it must have both hands, each 21 joints in a row. Without arm
            joints there is no second way to a box.
        padding (float): Box side over the extent of the joints.
        joint_threshold (float): Joints with a score above it shape the box.
        min_joints (int): At least so many such joints, or the arm decides.
        arm_threshold (float): Score that each arm joint must exceed for that.
        location (str): What ``location`` is relative to: 'image', or 'shoulders', the clip's mean shoulders,
            which takes out where the signer stands and how far away (neither is in the paper; only an
            embedder with ``location=True`` reads it).
        min_extent (float): Smallest extent in pixels, so that a hand whose joints coincide still gives finite
            coordinates.

    Reads ``keypoints`` (B, T, V, 2) in pixels, ``scores`` (B, T, V), ``image_size`` (B, 2), ``length`` (B,).
    Adds

    - ``hands`` (B, T, 2, 21, 2): joints in [0, 1] of the box (x right, y down; outside it where a joint lies
      outside); missing joints hold values without meaning until :class:`ZeroMissing`;
    - ``hand_scores`` (B, T, 2, 21), 0 = missing; 0 in all frames from ``length`` on and for missing hands;
    - ``hand_valid`` (B, T, 2) bool: the hand was found;
    - ``boxes`` (B, T, 2, 3): centre x, centre y, side, in pixels; 0, 0, 1 where the hand is missing;
    - ``location`` (B, T, 2, 3): 'image': box centre and side as fractions of image width, height and larger
      side. 'shoulders': centre minus the middle of the shoulders, and side, in units of four shoulder widths,
      0.5 added to the centre; 0 in clips that show no shoulders. Always 0 where the hand is missing.
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
            raise ValueError(f'HandCrop: layout {self.layout.name!r} has no part {absent}')
        self.hand_joints = [self.layout.parts['left_hand'], self.layout.parts['right_hand']]
        for joints in self.hand_joints:
            if tuple(joints) != tuple(range(joints[0], joints[0] + NUM_HAND_JOINTS)):
                raise ValueError(
                    f'HandCrop: a hand is {NUM_HAND_JOINTS} joints in a row, but layout {self.layout.name!r} '
                    f'has {joints}; map it to sign_49'
                )
        self.arm_joints = arm_joints(self.layout)
        self.padding, self.joint_threshold, self.min_joints = padding, joint_threshold, min_joints
        self.arm_threshold, self.min_extent = arm_threshold, min_extent
        if location not in ('image', 'shoulders') or (location == 'shoulders' and self.arm_joints is None):
            raise ValueError(
                "HandCrop: location must be 'image' or, with a layout that has shoulders, 'shoulders'; got "
                f'{location!r} with {self.layout.name!r}'
            )
        self.location = location

    def __call__(self, batch: dict, draws: Draws) -> dict:
        keypoints, scores, image_size = batch['keypoints'], batch['scores'], batch['image_size']
        self.layout.check_joints(
            keypoints.shape[2], "HandCrop (its layout and the data set's must be the same)"
        )
        real = torch.arange(keypoints.shape[1], device=keypoints.device) < batch['length'][:, None]  # (B, T)
        scores = scores * real[..., None]
        # contiguous joint ranges slice without a copy; stacking them is the one copy
        # (B, T, 2, 21, 2)
        points = torch.stack(
            [keypoints[:, :, joints[0] : joints[-1] + 1] for joints in self.hand_joints], dim=2
        )
        # (B, T, 2, 21)
        hand_scores = torch.stack(
            [scores[:, :, joints[0] : joints[-1] + 1] for joints in self.hand_joints], dim=2
        )

        seen = hand_scores > self.joint_threshold
        found = seen.sum(-1) >= self.min_joints  # (B, T, 2)
        centre, side = self._box_from_joints(points, seen)
        valid = found
        if self.arm_joints is not None:
            arm_centre, arm_side, arm_found = self._box_from_arm(keypoints, scores)
            centre = torch.where(found[..., None], centre, arm_centre)
            side = torch.where(found, side, arm_side)
            valid = found | (arm_found & seen.any(-1))
        centre = self._inside(centre, side, image_size)
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
        infinity = torch.full_like(points, float('inf'))
        low = torch.where(seen[..., None], points, infinity).amin(-2)
        high = torch.where(seen[..., None], points, -infinity).amax(-2)
        any_seen = seen.any(-1)[..., None]
        low, high = (
            torch.where(any_seen, low, torch.zeros_like(low)),
            torch.where(any_seen, high, torch.zeros_like(high)),
        )
        return (low + high) / 2, self.padding * (high - low).amax(-1).clamp(min=self.min_extent)

    def _box_from_arm(self, keypoints: Tensor, scores: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Centre (B, T, 2, 2), side (B, T, 2) and whether the arm is seen (B, T, 2)."""
        centres, sides, founds = [], [], []
        for shoulder, elbow, wrist in self.arm_joints:
            forearm = keypoints[:, :, wrist] - keypoints[:, :, elbow]
            upper_arm = keypoints[:, :, elbow] - keypoints[:, :, shoulder]
            centres.append(keypoints[:, :, wrist] + 0.33 * forearm)
            sides.append(
                1.1
                * torch.maximum(forearm.norm(dim=-1), 0.9 * upper_arm.norm(dim=-1)).clamp(min=self.min_extent)
            )
            founds.append(
                (
                    torch.stack([scores[:, :, joint] for joint in (shoulder, elbow, wrist)])
                    > self.arm_threshold
                ).all(0)
            )
        return torch.stack(centres, 2), torch.stack(sides, 2), torch.stack(founds, 2)

    def _from_shoulders(self, keypoints: Tensor, scores: Tensor, centre: Tensor, side: Tensor) -> Tensor:
        """Box centres and sides (B, T, 2, 3) relative to the clip's mean shoulders."""
        shoulders = torch.stack([keypoints[:, :, arm[0]] for arm in self.arm_joints], dim=2)  # (B, T, 2, 2)
        seen = torch.stack([scores[:, :, arm[0]] for arm in self.arm_joints], dim=2) > self.joint_threshold
        seen = seen.all(-1, keepdim=True)[..., None]  # (B, T, 1, 1)
        count = seen.sum(1, keepdim=True)
        mean = (shoulders * seen).sum(1, keepdim=True) / count.clamp(min=1)  # (B, 1, 2, 2)
        # (B, 1, 1, 1)
        unit = 4 * (mean[:, :, :1] - mean[:, :, 1:]).norm(dim=-1, keepdim=True).clamp(min=self.min_extent)
        location = torch.cat(
            [(centre - mean.mean(2, keepdim=True)) / unit + 0.5, side[..., None] / unit], dim=-1
        )
        return location * (count > 0)

    @staticmethod
    def _inside(centre: Tensor, side: Tensor, image_size: Tensor) -> Tensor:
        """Shifts boxes into the image; a box larger than the image is centred on it."""
        size = image_size[:, None, None]  # (B, 1, 1, 2)
        half = side[..., None] / 2
        shifted = torch.minimum(torch.maximum(centre, half), size - half)
        return torch.where(2 * half > size, size / 2, shifted)


@TRANSFORMS.register_module()
class MirrorLeftHand(BatchTransform):
    """Left crops become right ones: ``x -> 1 - x`` in hand slot 0, once, for joints and location.

    One right-hand model then decodes both slots, and a mirrored clip is the same clip with its slots
    exchanged.
    """

    def __call__(self, batch: dict, draws: Draws) -> dict:
        for key in ('hands', 'location'):
            value = batch[key].clone()
            value[:, :, 0, ..., 0] = 1 - value[:, :, 0, ..., 0]
            batch[key] = value
        # no side = no location: a missing hand, or no shoulders to refer to
        batch['location'] = batch['location'] * (batch['location'][..., 2:] > 0)
        return batch


@TRANSFORMS.register_module()
class ZeroMissing(BatchTransform):
    """Sets the joints that were not found (score 0) to (0, 0) in ``hands`` and, where there, ``target`` and
    ``trunk``. Comes after mirroring.

    A hand that loses its last joint to the threshold is missing: ``hand_valid`` is False for it and, where
    there, ``location``, ``chosen`` and ``operation`` are 0. (A hand whose joints are all masked was found.)

    Args:
        threshold (float): Joints with a score below it count as not found, and their score becomes 0
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
            found = there = batch[scores] > 0
            if threshold > 0:
                there = found & (batch[scores] >= threshold)
                batch[scores] = batch[scores] * there
            for key in points:
                if key in batch:
                    batch[key] = batch[key] * there[..., None]
            if threshold > 0 and scores == 'hand_scores' and 'hand_valid' in batch:
                valid = batch['hand_valid'] & (there.any(-1) | ~found.any(-1))  # (B, T, 2)
                batch['hand_valid'] = valid
                if 'location' in batch:
                    batch['location'] = batch['location'] * valid[..., None]
                for key in ('chosen', 'operation'):
                    if key in batch:
                        batch[key] = batch[key] * valid
        return batch
