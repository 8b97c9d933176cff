"""Pose clips in memory, and the batches that models read."""

from dataclasses import dataclass, replace
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from ..datasets.frame_choice import choose_frames, is_steady
from ..datasets.hand_rule import hands_found
from ..datasets.pixel_check import PixelCheck, check_keypoints
from ..errors import UserValueError
from ..layouts import Layout, get_layout, layout_mapping

_SHAPES = 'numbers of shape (T, V, 2) or (T, V, 3): frames, joints, x and y in pixels and, third, the score'


def as_array(where: str, values: Any) -> np.ndarray:
    """Converts poses or scores to an array.

    Raises:
        ValueError: They are lists of unequal lengths, or no numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        # numpy 1.24 and newer refuse unequal lengths; older ones make an object array, checked below.
        raise UserValueError(f'{where}: lists of unequal lengths found; give {_SHAPES}') from error
    if array.dtype == object:
        raise UserValueError(f'{where}: lists of unequal lengths, or no numbers, found; give {_SHAPES}')
    return array


def why_no_answer(frames: int, person: bool, hand: bool) -> str:
    """Why poses cannot be recognised; '' where they can.

    Args:
        frames (int): Number of frames.
        person (bool): Whether any joint was detected in any frame.
        hand (bool): Whether a hand was detected in any frame.
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
    """Poses of a clip, as a :class:`PoseStore` has them.

    Use :meth:`make` for arrays from elsewhere: it checks them.

    Attributes:
        keypoints (ndarray): Shape (T, V, 2) float32, pixels; 0 where missing.
        scores (ndarray): Shape (T, V) float32 in [0, 1]; 0 = missing.
        layout (Layout): What the joints are.
        image_size (tuple[int, int]): Width and height in pixels.
        fps (float): Frames a second; 0 = unknown.
        name (str): For results and messages.
        label (int): -1 = none.
        video (str): The file whose frames these are, for models that read frames; '' = none.
        span (tuple[int, int, int], optional): (a, n, m): frames ``a`` to ``a + n - 1`` of the video's ``m``
            frames; None = all of it.
        times (ndarray, optional): Shape (T,) seconds of the frames, from any zero; None = even, ``fps`` a
            second.
        hand_valid (ndarray, optional): Shape (T, 2) bool, left and right hand detected, from a store; None =
            decided by the scores.
        start (float): Seconds from the time 0 of the video at the first frame; segments count from there. 0
            for a part of a clip.
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
    hand_valid: Optional[np.ndarray] = None
    start: float = 0.0

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
        """Checks poses and makes a clip of them.

        Args:
            poses (ndarray): Shape (T, V, 2) pixels, or (T, V, 3) with the score as the third number.
            layout (str | Layout): What the joints are.
            image_size (Sequence[int]): Width and height of the image in pixels.
            scores (ndarray, optional): Shape (T, V) in [0, 1], 0 = missing, for poses of two numbers. Without
                it a joint at exactly (0, 0) is missing and every other one has score 1.
            fps (float): Frames a second; 0 = unknown.
            name (str): For results and messages.
            label (int): -1 = none.

        Raises:
            ValueError: Wrong shapes, no frames, a wrong joint count, a number that is not finite, a negative
                score, no image size, or coordinates that are not pixels of such an image
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
        # Coordinates of missing joints have no meaning. They are 0, as in stores.
        keypoints = values[..., :2] * (scores > 0)[..., None]
        return cls(
            keypoints, scores, layout, (int(image_size[0]), int(image_size[1])), float(fps), name, int(label)
        )

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def seconds(self) -> np.ndarray:
        """Shape (T,): time of each frame since the first, by ``times``, else by ``fps``."""
        return np.arange(len(self)) / self.fps if self.times is None else self.times - self.times[0]

    @property
    def hand_frames(self) -> int:
        """Number of frames in which a hand was detected."""
        return int(self.hands_found().any(-1).sum())

    @property
    def no_answer(self) -> str:
        """Why this clip cannot be recognised: it shows nobody, or no hand; '' where it shows a hand."""
        return why_no_answer(len(self), bool(self.scores.any()), self.hand_frames > 0)

    def cut(self, start: int, end: int) -> 'PoseClip':
        """Frames ``start`` to ``end - 1``."""
        first, _, total = self.span or (0, 0, len(self))
        start, end, _ = slice(start, end).indices(len(self))
        return replace(self._rows(slice(start, end)), span=(first + start, end - start, total))

    def pick(self, frames: np.ndarray) -> 'PoseClip':
        """These frames, in any order. The result has no video."""
        return replace(self._rows(frames), video='', span=None)

    def _rows(self, frames: Union[np.ndarray, slice]) -> 'PoseClip':
        names = ('keypoints', 'scores', 'times', 'hand_valid')
        values = {name: getattr(self, name) for name in names}
        values = {key: value[frames] for key, value in values.items() if value is not None}
        return replace(self, **values, start=0.0)

    def hands_found(self) -> np.ndarray:
        """Shape (T, 2) bool: left and right hand detected.

        Taken from the clip's store, else decided by :mod:`signbert_mm.datasets.hand_rule`.
        """
        return hands_found(self.scores, self.layout) if self.hand_valid is None else self.hand_valid


class InputSpec(NamedTuple):
    """How a clip becomes a row of a batch, as :class:`PoseDataset` does it.

    Attributes:
        layout (str): Joints that the model reads.
        drop_empty_frames (bool): Drop frames without a hand, unless the clip has no others.
        stand_ins (bool): A body wrist stands in for a missing hand root, and the reverse.
        side (str): Which hand the joints of a hand_21 clip are.
        temporal (dict, optional): Config of the temporal transform; None = all frames.
        fps (float, optional): The frame rate of the training clips, at which videos are read; None = they
            differed, or the checkpoint is older than this field.
    """

    layout: str
    drop_empty_frames: bool = True
    stand_ins: bool = False
    side: str = ''
    temporal: Optional[Dict[str, Any]] = None
    fps: Optional[float] = None

    @property
    def clip_len(self) -> Optional[int]:
        """Number of frames that the model sees; None = all."""
        return self.temporal.get('clip_len', 32) if self.temporal else None


def _frames(spec: InputSpec, length: np.ndarray, first: int) -> Tuple[np.ndarray, np.ndarray]:
    """Positions (B, L) that are read of clips of ``length`` (B,) frames, and how many are real (B,)."""
    if is_steady(spec.temporal):
        return choose_frames(spec.temporal, length)
    # A transform that draws, or one from elsewhere.
    from ..datasets.transforms.temporal import sample_clips

    return sample_clips(spec.temporal, length, first)


def make_batch(clips: Sequence[PoseClip], spec: InputSpec, first: int = 0) -> Dict[str, np.ndarray]:
    """Batches clips as :class:`PoseDataset` does.

    Args:
        clips (Sequence[PoseClip]): B clips, each of its own layout and length.
        spec (InputSpec): How the model reads clips.
        first (int): Index of the first clip, which seeds random draws.

    Returns:
        dict: keypoints (B, L, V, 2) float32 pixels; scores (B, L, V) float32, 0 = missing; length (B,) int64;
            image_size (B, 2) float32, width and height; frames (B, L) int64, positions in the clip; label,
            index and epoch (B,) int64.
    """
    target = get_layout(spec.layout)
    kept: List[np.ndarray] = []
    for clip in clips:
        has_hand = clip.hands_found().any(-1)
        drops = spec.drop_empty_frames and has_hand.any()
        kept.append(np.flatnonzero(has_hand) if drops else np.arange(len(clip)))
    # Positions among a clip's kept frames.
    positions, length = _frames(spec, np.array([len(frames) for frames in kept], np.int64), first)
    shape = (*positions.shape, target.num_joints)
    keypoints, scores = np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
    frames = np.zeros_like(positions)
    for row, (clip, kept_frames, count) in enumerate(zip(clips, kept, length.tolist())):
        joints = layout_mapping(clip.layout, target, spec.stand_ins, spec.side)
        frames[row, :count] = kept_frames[positions[row, :count]]
        rows = frames[row, :count, None]
        # Joints that the clip's layout lacks keep score 0.
        present = joints >= 0
        # An index array beside the int `row` puts its axis first, before time: hence the swap.
        keypoints[row, :count, present] = clip.keypoints[rows, joints[present]].swapaxes(0, 1)
        scores[row, :count, present] = clip.scores[rows, joints[present]].swapaxes(0, 1)
    return dict(
        keypoints=keypoints,
        scores=scores,
        length=length,
        image_size=np.array([clip.image_size for clip in clips], np.float32),
        frames=frames,
        label=np.array([clip.label for clip in clips], np.int64),
        index=np.arange(first, first + len(clips)),
        epoch=np.zeros(len(clips), np.int64),
    )
