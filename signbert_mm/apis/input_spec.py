"""What a model's configuration says of its input, and clips brought to that: numpy only."""

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..errors import UserValueError
from ..layouts import get_layout, layout_mapping
from .pose_clip import PoseClip

Sampler = Callable[[np.ndarray], Tuple[np.ndarray, np.ndarray]]
"""Lengths (B,) int64 -> frames (B, L) int64, 0 in the padding, and real frames (B,) int64."""


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


def _uniform(lengths: np.ndarray, clip_len: int, repeat: bool) -> Tuple[np.ndarray, np.ndarray]:
    frames = (2 * np.arange(clip_len) + 1) * lengths[:, None] // (2 * clip_len)
    real = np.full_like(lengths, clip_len)
    if not repeat:
        short, short_real = _window(lengths, np.zeros_like(lengths), clip_len)
        frames, real = np.where(lengths[:, None] < clip_len, short, frames), short_real
    return frames, real


def _window(lengths: np.ndarray, start: np.ndarray, clip_len: int) -> Tuple[np.ndarray, np.ndarray]:
    real = np.minimum(lengths, clip_len)
    place = np.arange(clip_len)
    return (start[:, None] + place) * (place < real[:, None]), real


def numpy_sampler(temporal: Optional[Dict[str, Any]]) -> Sampler:
    """The temporal transforms that do not draw, in numpy; ``tests`` hold them to the transforms themselves.

    Args:
        temporal (dict, optional): ``dict(type='CenterTemporalSample' | 'UniformTemporalSample', ..)`` with
            ``test_mode=True``; None = all frames.

    Raises:
        ValueError: Another transform, or one that draws.
    """
    if temporal is None:
        return all_frames
    options = dict(temporal)
    kind, clip_len, test_mode = (
        options.pop('type'),
        options.pop('clip_len', 32),
        options.pop('test_mode', False),
    )
    if kind == 'CenterTemporalSample' and not options:
        return lambda lengths: _window(lengths, np.maximum(lengths - clip_len, 0) // 2, clip_len)
    if kind == 'UniformTemporalSample' and test_mode and set(options) <= {'repeat'}:
        return lambda lengths: _uniform(lengths, clip_len, options.get('repeat', True))
    raise UserValueError(
        f'temporal transform {temporal}: without torch only CenterTemporalSample and '
        'UniformTemporalSample(test_mode=True) are known; '
        "set the test pipeline to one of them, or use backend='torch'"
    )


def all_frames(lengths: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Every frame, padded to the longest clip."""
    place = np.arange(lengths.max())
    return place * (place < lengths[:, None]), lengths


def make_batch(clips: Sequence[PoseClip], spec: InputSpec, sample: Sampler) -> Dict[str, np.ndarray]:
    """Clips as a model reads them.

    Args:
        clips (Sequence[PoseClip]): B clips, each of its own layout and length.
        spec (InputSpec): What the model wants.
        sample (Sampler): Its temporal transform.

    Returns:
        dict: keypoints (B, L, V, 2) float32 pixels; scores (B, L, V) float32, 0 = missing; length (B,) int64;
            image_size (B, 2) float32, width and height; frames (B, L) int64, positions in the clip; label
            (B,) int64.
    """
    target = get_layout(spec.layout)
    kept: List[np.ndarray] = []
    for clip in clips:
        found = clip.hands_found().any(-1)
        kept.append(np.flatnonzero(found) if spec.drop_empty_frames and found.any() else np.arange(len(clip)))
    places, length = sample(np.asarray([len(places) for places in kept], dtype=np.int64))
    shape = (*places.shape, target.num_joints)
    keypoints, scores, frames = (
        np.zeros((*shape, 2), np.float32),
        np.zeros(shape, np.float32),
        np.zeros_like(places),
    )
    for row, (clip, there) in enumerate(zip(clips, kept)):
        joints = layout_mapping(clip.layout, target, spec.stand_ins, spec.side)
        real = int(length[row])
        frames[row, :real] = there[places[row, :real]]
        rows = frames[row, :real, None]
        has = joints >= 0
        keypoints[row, :real, has] = clip.keypoints[rows, joints[has]].swapaxes(0, 1)
        scores[row, :real, has] = clip.scores[rows, joints[has]].swapaxes(0, 1)
    return dict(
        keypoints=keypoints,
        scores=scores,
        length=length,
        image_size=np.asarray([clip.image_size for clip in clips], dtype=np.float32),
        frames=frames,
        label=np.asarray([clip.label for clip in clips], dtype=np.int64),
    )
