"""Views of a clip, the input of ST-Consistency's encoders: joint and motion."""

from typing import Callable, Optional, Sequence, Union

import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserValueError
from ...registry import TRANSFORMS
from .base import BatchTransform, Compose, check_whole

MASKED = ('target', 'chosen', 'operation', 'disturbed', 'hand_scores')
"""Keys that a masked view has beside its points."""


@TRANSFORMS.register_module()
class Motion(BatchTransform):
    """Adds the motion of hands and trunk, m_t = x_t - x_{t-1} (ST-Consistency eq. 1).

    The paper says nothing of missing joints.

    Args:
        zero (str): 'first': the first frame has motion 0 (eq. 1). 'last': m_t = x_{t+1} - x_t, and the last
            frame has motion 0 (the authors' code).
        missing (str): 'still': a joint that is missing or masked to 0 in either frame has motion 0. 'jump':
            it comes from (0, 0) and goes there (the authors' code); after :class:`ZeroMissing`.

    Reads ``hands`` (B, T, 2, 21, 2), ``hand_scores``, ``trunk`` (B, T, 7, 2), ``trunk_scores``, after all
    other transforms. Adds ``motion``, a dict of ``hands`` and ``trunk`` in the same shapes. Motion of hands
    is relative to their crops; their movement in the image is in the trunk's wrists.

    Raises:
        ValueError: ``zero`` is unknown.
    """

    def __init__(self, zero: str = 'first', missing: str = 'still') -> None:
        if zero not in ('first', 'last'):
            raise UserValueError(f"Motion: zero must be 'first' or 'last', got {zero!r}")
        if missing not in ('still', 'jump'):
            raise UserValueError(f"Motion: missing must be 'still' or 'jump', got {missing!r}")
        self.zero, self.missing = zero, missing

    def __call__(self, batch: dict, draws: Draws) -> dict:
        hands_present = batch['hand_scores'] > 0
        if 'disturbed' in batch:
            # A mask zeroes the joint and keeps its score. A step from there would be a position.
            hands_present = hands_present & (batch['disturbed'] != 1)
        batch['motion'] = dict(
            hands=self._motion(batch['hands'], hands_present),
            trunk=self._motion(batch['trunk'], batch['trunk_scores'] > 0),
        )
        return batch

    def _motion(self, points: Tensor, present: Tensor) -> Tensor:
        step = frame_steps(points, present[..., None] if self.missing == 'still' else None)
        still = torch.zeros_like(points[:, :1])
        return torch.cat([still, step] if self.zero == 'first' else [step, still], dim=1)


def frame_steps(points: Tensor, present: Optional[Tensor] = None) -> Tensor:
    """From each frame to the next: (B, T, ..) -> (B, T - 1, ..).

    Args:
        points (Tensor): Shape (B, T, ..).
        present (Tensor, optional): Bool, broadcasts to ``points``; a step from or to what is not present is
            0. None = all.
    """
    step = points[:, 1:] - points[:, :-1]
    return step if present is None else step * (present[:, 1:] & present[:, :-1])


@TRANSFORMS.register_module()
class MakeViews(BatchTransform):
    """Makes views of a clip, each with its own draws; hands and trunk of a view share them.

    Args:
        transforms (Sequence[dict | Callable]): From keypoints to ``hands``, ``hand_valid``, ``hand_scores``,
            ``trunk``, ``trunk_scores`` and, for encoders of motion, ``motion``.
        num_views (int): 2 in pre-training, 1 downstream.

    Adds ``views``, a list of dicts:

    - ``joint=dict(hands, trunk)``, and ``motion=dict(hands, trunk)`` with :class:`Motion`;
    - ``hand_valid`` (B, T, 2) bool: the frame shows a joint of that hand;
    - ``trunk_valid`` (B, T) bool: it shows a trunk joint;
    - ``frame_valid`` (B, T) bool: it is not padding.

    Draws of view v begin with ``view<v>/``. With :class:`MaskHandTokens` among the transforms, before
    :class:`ZeroMissing`, each view has its own masks and what a loss needs for reconstruction: ``target``,
    ``chosen``, ``operation``, ``disturbed`` and ``hand_scores``. The batch keeps its other keys, except that
    ``length`` and ``frames`` are those of the first view.

    Raises:
        ValueError: ``num_views`` is no whole number of at least 1, or the transforms leave out something that
            a view needs.
    """

    def __init__(self, transforms: Sequence[Union[dict, Callable]], num_views: int = 1) -> None:
        check_whole('MakeViews', num_views=num_views)
        self.transforms, self.num_views = Compose(transforms), num_views

    def __call__(self, batch: dict, draws: Draws) -> dict:
        # Each view starts from its own shallow copy: transforms add keys to the dict.
        made = [self.transforms(dict(batch), draws.child(f'view{view}')) for view in range(self.num_views)]
        absent = [
            key
            for key in ('hands', 'hand_valid', 'hand_scores', 'trunk', 'trunk_scores')
            if key not in made[0]
        ]
        if absent:
            raise UserValueError(
                f"MakeViews: its transforms leave no {absent}; they need dict(type='HandCrop'), "
                "dict(type='NormalizeTrunk'), "
                "dict(type='MirrorLeftHand'), dict(type='ZeroMissing') and, for motion, dict(type='Motion')"
            )
        kept = {key: made[0][key] for key in ('length', 'frames') if key in made[0]}
        return {**batch, **kept, 'views': [self._view(view) for view in made]}

    @staticmethod
    def _view(batch: dict) -> dict:
        hands = batch['hands']
        view = dict(joint=dict(hands=hands, trunk=batch['trunk']))
        if 'motion' in batch:
            view['motion'] = batch['motion']
        if 'target' in batch:
            view.update({key: batch[key] for key in MASKED if key in batch})
        frame_valid = torch.arange(hands.shape[1], device=hands.device) < batch['length'][:, None]
        # A threshold on the score or a joint mask may have removed every joint of a detected hand.
        hand_valid = batch['hand_valid'] & (batch['hand_scores'] > 0).any(-1)
        return dict(
            view,
            hand_valid=hand_valid,
            trunk_valid=(batch['trunk_scores'] > 0).any(-1),
            frame_valid=frame_valid,
        )
