"""Clips that show no sign: hands at rest, and the way from one sign to the next."""

from typing import Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor

from ..draws import Draws
from ..errors import UserValueError
from ..registry import DATASETS
from .clip_dataset import ClipDataset
from .pose_dataset import PoseDataset

KINDS = ('rest', 'transition')


@DATASETS.register_module()
class NoSignDataset(ClipDataset):
    """Clips without a sign, made of the clips of a data set. (Not in the papers.)

    'rest': one frame of a clip, held. 'transition': from the last frame of a clip to the first frame of
    another one, slow at both ends. A joint that only one of the two frames has is there in that frame's half
    of the time. Both kinds tremble and drift, as detected hands do.

    Clips are a function of (seed, epoch, index), see :mod:`signbert_mm.draws`.

    Args:
        dataset (dict | PoseDataset): Its pipeline must sample time.
        kinds (Sequence[str]): Some of 'rest' and 'transition'. With both each clip draws its kind.
        tremble (float): Largest shift of a joint in a frame, as a share of the image's width.
        drift (float): Largest way of the whole picture over the clip, likewise.

    Raises:
        ValueError: A kind is unknown, a share is negative, or the data set does not sample time.
    """

    def __init__(
        self,
        dataset: Union[dict, PoseDataset],
        kinds: Sequence[str] = KINDS,
        tremble: float = 0.003,
        drift: float = 0.03,
    ) -> None:
        if not kinds or isinstance(kinds, str) or set(kinds) - set(KINDS):
            raise UserValueError(f'NoSignDataset: kinds is {kinds!r}; give a list of {", ".join(KINDS)}')
        if tremble < 0 or drift < 0:
            raise UserValueError(
                f'NoSignDataset: tremble and drift must not be negative, got {tremble} and {drift}'
            )
        self.clips: PoseDataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        if self.clips.clip_len is None:
            raise UserValueError(
                f'NoSignDataset: {self.clips.name}: clips of all lengths; give its pipeline a temporal '
                'transform, such as UniformTemporalSample'
            )
        self.parts, self.layout = (self.clips,), self.clips.layout
        self.kinds, self.tremble, self.drift = tuple(kinds), tremble, drift
        self.labels = np.full(len(self.clips), -1, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def metainfo(self) -> dict:
        """That of the clips, without glosses."""
        return dict(self.clips.metainfo, glosses=[], classes=[])

    def __getitems__(self, indices: Sequence[int]) -> dict:
        """A batch, as :meth:`PoseDataset.__getitems__`; every ``label`` is -1."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        return self.batch(self.places(index), index, self.clips.epoch)

    def batch(self, places: Tensor, index: Tensor, epoch: int) -> dict:
        """A batch, as :meth:`PoseDataset.batch`.

        Args:
            places (Tensor): Shape (B,) int64: the clips of the data set that the batch is made of.
            index (Tensor): Shape (B,) int64: the clips' indices in ``index`` and in the draws.
            epoch (int): The epoch.
        """
        draws = Draws(self.clips.seed or 0, epoch, index).child('no_sign')
        inputs = self.clips.batch(places, index, epoch)['inputs']
        # The next clip may be any other one.
        step = 1 + draws.integers('next', max(1, len(self.clips) - 1))
        following = self.clips.batch((places + step) % len(self.clips), index, epoch)['inputs']
        draws = Draws(draws.seed, epoch, inputs['index'], draws.prefix)
        rest = torch.full_like(inputs['index'], self.kinds == ('rest',), dtype=torch.bool)
        if len(set(self.kinds)) > 1:
            rest = draws.bernoulli('kind', 0.5)
        row = torch.arange(len(rest), device=rest.device)
        held, last = draws.integers('frame', inputs['length']), inputs['length'] - 1
        begin = torch.where(rest, held, last)
        first = inputs['keypoints'][row, begin], inputs['scores'][row, begin]
        scale = (inputs['image_size'] / following['image_size'])[:, None]
        then = following['keypoints'][:, 0] * scale, following['scores'][:, 0]
        then = tuple(torch.where(rest.reshape(-1, *[1] * (a.ndim - 1)), a, b) for a, b in zip(first, then))
        keypoints, scores = self._between(first, then, draws, inputs['image_size'][:, 0])
        return dict(
            inputs=dict(
                inputs,
                keypoints=keypoints,
                scores=scores,
                length=torch.full_like(inputs['length'], self.clips.clip_len),
                label=torch.full_like(inputs['label'], -1),
            )
        )

    def _between(self, first: Sequence[Tensor], then: Sequence[Tensor], draws: Draws, width: Tensor) -> tuple:
        """Poses (B, T, V, 2) and scores (B, T, V) on the way from one pose to another."""
        keypoints, scores = way_between(first, then, self.clips.clip_len)
        return shake(keypoints, draws, width, self.tremble, self.drift) * (scores > 0)[..., None], scores


def way_between(first: Sequence[Tensor], then: Sequence[Tensor], count: int) -> Tuple[Tensor, Tensor]:
    """The way from one pose to another, slow at both ends.

    A joint that only one of the two poses has is there in that pose's half of the time.

    Args:
        first, then (Sequence[Tensor]): Joints (B, V, 2) and scores (B, V), 0 = missing.
        count (int): T, the number of frames between the two poses.

    Returns:
        tuple[Tensor, Tensor]: Joints (B, T, V, 2) and scores (B, T, V).
    """
    # (T,)
    time = (torch.arange(count, device=first[1].device) + 0.5) / count
    way = (time * time * (3 - 2 * time))[None, :, None, None]
    both = ((first[1] > 0) & (then[1] > 0))[:, None]
    early = (time < 0.5)[None, :, None]
    nearest = torch.where(early, first[1][:, None], then[1][:, None])
    scores = torch.where(both, torch.minimum(first[1], then[1])[:, None], nearest)
    held = torch.where(early[..., None], first[0][:, None], then[0][:, None])
    return torch.where(both[..., None], first[0][:, None] * (1 - way) + then[0][:, None] * way, held), scores


def shake(keypoints: Tensor, draws: Draws, width: Tensor, tremble: float, drift: float) -> Tensor:
    """Moves each joint of each frame a little, and the whole picture slowly.

    Args:
        keypoints (Tensor): Shape (B, T, V, 2), pixels.
        draws (Draws): Of the B clips.
        width (Tensor): Shape (B,), the images' widths in pixels.
        tremble (float): Largest shift of a joint in a frame, as a share of the width.
        drift (float): Largest way of the whole picture over the clip, likewise.
    """
    _, count, joints, _ = keypoints.shape
    time = (torch.arange(count, device=width.device) + 0.5) / count
    shift = tremble * draws.uniform('tremble', count, joints, 2, low=-1, high=1)
    aim = drift * draws.uniform('drift', 1, 1, 2, low=-1, high=1)
    return keypoints + (shift + aim * time[None, :, None, None]) * width[:, None, None, None]
