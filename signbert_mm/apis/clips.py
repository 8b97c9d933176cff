"""Clips of poses in memory, and batches of them as a model reads them."""

from dataclasses import dataclass, replace
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor

from ..datasets.hand_rule import hands_found
from ..datasets.pixel_check import PixelCheck
from ..datasets.pose_store_writer import check_keypoints
from ..datasets.transforms.temporal import sample_time
from ..draws import Draws
from ..errors import UserValueError
from ..layouts import Layout, get_layout, layout_mapping
from ..registry import TRANSFORMS

_SHAPES = 'numbers of shape (T, V, 2) or (T, V, 3): frames, joints, x and y in pixels and, third, the score'


def as_array(where: str, values: Any) -> np.ndarray:
    """Poses or scores as an array.

    Raises:
        ValueError: They are lists of unequal lengths.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:  # numpy 1.24 and newer
        raise UserValueError(f'{where}: lists of unequal lengths found; give {_SHAPES}') from error
    if array.dtype == object:
        raise UserValueError(f'{where}: lists of unequal lengths, or no numbers, found; give {_SHAPES}')
    return array


def why_no_answer(frames: int, person: bool, hand: bool) -> str:
    """Why poses say nothing of a sign; '' where they may.

    Args:
        frames (int): How many there are.
        person (bool): Any joint was found in any of them.
        hand (bool): A hand was found in any of them.
    """
    if hand:
        return ''
    if not frames:
        return 'there are no frames'
    if not person:
        return (
            f'no person was found in any of the {frames} frames; the signer should face the camera, '
            'upright, well lit, from the hips up'
        )
    return (
        f'a person was found, but no hand in any of the {frames} frames; the hands should be in the '
        'picture, sharp and lit'
    )


@dataclass(frozen=True)
class PoseClip:
    """Poses of a clip, as a :class:`PoseStore` has them; :meth:`make` checks what comes from outside.

    Attributes:
        keypoints (ndarray): Shape (T, V, 2) float32, pixels; 0 where missing.
        scores (ndarray): Shape (T, V) float32 in [0, 1]; 0 = missing.
        layout (Layout): What the joints are.
        image_size (tuple[int, int]): Width and height in pixels.
        fps (float): Frames a second; 0 = unknown.
        name (str): For results and messages.
        label (int): -1 = none.
        video (str): The file whose frames these are, for models that read frames; '' = none.
        span (tuple[int, int, int], optional): The frames ``a`` to ``a + n - 1`` of the ``m`` that the whole
            video has as poses: (a, n, m); None = all of it.
        times (ndarray, optional): Shape (T,) seconds of the frames, from any zero; None = even, ``fps`` a
            second.
        found (ndarray, optional): Shape (T, 2) bool, where a store says that the left and the right hand were
            found; None = by the scores.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    layout: Layout
    image_size: Tuple[int, int]
    fps: float = 0.0
    name: str = ''
    label: int = -1
    video: str = ''
    span: Optional[Tuple[int, int, int]] = None
    times: Optional[np.ndarray] = None
    found: Optional[np.ndarray] = None

    @classmethod
    def make(
        cls,
        poses: np.ndarray,
        layout: Union[str, Layout],
        image_size: Sequence[int],
        scores: Optional[np.ndarray] = None,
        fps: float = 0.0,
        name: str = '',
        label: int = -1,
    ) -> 'PoseClip':
        """A checked clip.

        Args:
            poses (ndarray): Shape (T, V, 2) pixels, or (T, V, 3) with a score behind.
            layout (str | Layout): What the joints are.
            image_size (Sequence[int]): Width and height of the image in pixels.
            scores (ndarray, optional): Shape (T, V) in [0, 1], 0 = missing, for poses of two numbers. Without
                it a joint at exactly (0, 0) is missing and every other one has score 1.
            fps (float): Frames a second; 0 = unknown.
            name (str): For results and messages.
            label (int): -1 = none.

        Raises:
            ValueError: Shapes do not fit, no frames, a wrong joint count, a number that is not finite, a
                negative score, no image size, or coordinates that are not pixels of such an image
                (:mod:`signbert_mm.datasets.pixel_check`).
        """
        layout, where = get_layout(layout), f'clip {name!r}' if name else 'poses'
        poses = as_array(where, poses)
        if poses.ndim != 3 or poses.shape[-1] not in (2, 3) or poses.dtype.kind not in 'fiu':
            raise UserValueError(f'{where}: {poses.dtype} of shape {poses.shape} found; give {_SHAPES}')
        if scores is not None:
            scores = as_array(f'{where}: scores', scores)
            if poses.shape[-1] == 3 or scores.shape != poses.shape[:2]:
                raise UserValueError(
                    f'{where}: scores of shape {scores.shape} beside poses of shape '
                    f'{poses.shape}; give (T, V) beside (T, V, 2)'
                )
        elif poses.shape[-1] == 2:
            scores = (poses != 0).any(-1)
        if scores is not None:
            poses = np.concatenate([poses.astype(np.float32), scores[..., None].astype(np.float32)], axis=-1)
        sizes = np.asarray(image_size if isinstance(image_size, (tuple, list, np.ndarray)) else ())
        if (
            sizes.shape != (2,)
            or sizes.dtype.kind not in 'iuf'
            or not ((sizes > 0) & (sizes < 1 << 31)).all()
        ):
            raise UserValueError(
                f'{where}: image_size is {image_size!r}; give (width, height) of the image in pixels'
            )
        unit = PixelCheck(*map(int, sizes))
        values = check_keypoints(where, poses, layout, unit=unit)
        unit.refuse(where)
        if not 0 <= fps < float('inf'):
            raise UserValueError(f'{where}: fps is {fps}; give frames a second, 0 where unknown')
        scores = np.ascontiguousarray(values[..., 2])
        keypoints = values[..., :2] * (scores > 0)[..., None]
        return cls(
            keypoints, scores, layout, (int(image_size[0]), int(image_size[1])), float(fps), name, int(label)
        )

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def hand_frames(self) -> int:
        """In how many frames a hand was found."""
        return int(self.hands_found().any(-1).sum())

    @property
    def no_answer(self) -> str:
        """Why no model can answer for this clip: it shows nobody, or no hand; '' where it shows a hand."""
        return why_no_answer(len(self), bool(self.scores.any()), self.hand_frames > 0)

    def cut(self, start: int, end: int) -> 'PoseClip':
        """Frames ``start`` to ``end - 1``."""
        first, _, whole = self.span or (0, 0, len(self))
        start, end, _ = slice(start, end).indices(len(self))
        return replace(self._rows(slice(start, end)), span=(first + start, end - start, whole))

    def pick(self, frames: np.ndarray) -> 'PoseClip':
        """These frames, in any order; they have no video."""
        return replace(self._rows(frames), video='', span=None)

    def _rows(self, frames: Union[np.ndarray, slice]) -> 'PoseClip':
        rows = {
            name: value[frames]
            for name in ('keypoints', 'scores', 'times', 'found')
            for value in [getattr(self, name)]
            if value is not None
        }
        return replace(self, **rows)

    def hands_found(self) -> np.ndarray:
        """Shape (T, 2) bool, left and right, as the clip's store says, else by the rule of new stores
        (:mod:`signbert_mm.datasets.hand_rule`).
        """
        return hands_found(self.scores, self.layout) if self.found is None else self.found


class InputSpec(NamedTuple):
    """How a clip becomes a row of a batch, as :class:`PoseDataset` does it.

    Attributes:
        layout (str): Joints that the model reads.
        drop_empty_frames (bool): Leave out frames without a hand, of clips that have any.
        stand_ins (bool): A body wrist stands in for a missing hand root and the reverse.
        side (str): Which hand the joints of a hand_21 clip are.
        temporal (dict, optional): Config of the temporal transform; None = all frames.
        fps (float, optional): Frames a second of all clips that the model was trained on, at which videos are
            read; None = they differed, or the checkpoint is older than this field.
    """

    layout: str
    drop_empty_frames: bool = True
    stand_ins: bool = False
    side: str = ''
    temporal: Optional[Dict[str, Any]] = None
    fps: Optional[float] = None

    @property
    def clip_len(self) -> Optional[int]:
        """Frames that the model sees; None = all."""
        return self.temporal.get('clip_len', 32) if self.temporal else None


def make_batch(clips: Sequence[PoseClip], spec: InputSpec, first: int = 0) -> Dict[str, Tensor]:
    """Clips as a model reads them, and as a :class:`PoseDataset` gives them.

    Args:
        clips (Sequence[PoseClip]): B clips, each of its own layout and length.
        spec (InputSpec): What the model wants.
        first (int): Index of the first, which names it in random draws.

    Returns:
        dict: keypoints (B, L, V, 2) float32 pixels; scores (B, L, V) float32, 0 = missing; length (B,) int64;
            image_size (B, 2) float32, width and height; frames (B, L) int64, positions in the clip; label,
            index and epoch (B,) int64.
    """
    target = get_layout(spec.layout)
    kept: List[np.ndarray] = []
    for clip in clips:
        found = clip.hands_found().any(-1)
        kept.append(np.flatnonzero(found) if spec.drop_empty_frames and found.any() else np.arange(len(clip)))
    index = torch.arange(first, first + len(clips))
    temporal = TRANSFORMS.build(spec.temporal) if spec.temporal else None
    sampled = sample_time(temporal, torch.tensor([len(places) for places in kept]), Draws(0, 0, index))
    places, length = sampled['frames'].numpy(), sampled['length']
    shape = (*places.shape, target.num_joints)
    keypoints, scores, frames = (
        np.zeros((*shape, 2), np.float32),
        np.zeros(shape, np.float32),
        np.zeros_like(places),
    )
    for row, (clip, there, real) in enumerate(zip(clips, kept, length.tolist())):
        joints = layout_mapping(clip.layout, target, spec.stand_ins, spec.side)
        frames[row, :real] = there[places[row, :real]]
        rows = frames[row, :real, None]
        has = joints >= 0
        keypoints[row, :real, has] = clip.keypoints[rows, joints[has]].swapaxes(0, 1)
        scores[row, :real, has] = clip.scores[rows, joints[has]].swapaxes(0, 1)
    return dict(
        keypoints=torch.from_numpy(keypoints),
        scores=torch.from_numpy(scores),
        length=length,
        image_size=torch.tensor([clip.image_size for clip in clips], dtype=torch.float32),
        frames=torch.from_numpy(frames),
        label=torch.tensor([clip.label for clip in clips]),
        index=index,
        epoch=torch.zeros_like(index),
    )
