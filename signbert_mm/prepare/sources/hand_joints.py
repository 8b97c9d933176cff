"""Shared parts of data sets of annotated 3-D hand joints: camera, joint order, side and clips."""

from dataclasses import dataclass
from typing import Iterator, Mapping, Optional, Protocol, Sequence

import numpy as np

from ...datasets.pose_store import PoseStore
from ...datasets.pose_store_writer import PoseStoreWriter
from ...errors import UserValueError
from ...layouts.hand import FINGERS, HAND_21
from ..importers import Clip, write_clips

SIDES = ('left', 'right')


@dataclass(frozen=True)
class PinholeCamera:
    """Projects points of the camera frame (x to the right, y down, z away from the camera) into the image.

    Args:
        fx, fy (float): Focal lengths in pixels.
        cx, cy (float): Centre in pixels.
        width, height (int): Of the image, pixels.
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int = 640
    height: int = 480

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) in any unit of length, z > 0 -> (..., 2) in pixels."""
        return points[..., :2] / points[..., 2:] * (self.fx, self.fy) + (self.cx, self.cy)


def hand_21_order(joints: Sequence[str]) -> np.ndarray:
    """Where each joint of hand_21 stands in a data set's order.

    Args:
        joints (Sequence[str]): The data set's joints by their names in hand_21, in its order.

    Returns:
        ndarray: Shape (21,) int64.
    """
    assert sorted(joints) == sorted(HAND_21.joints), joints
    return np.asarray([list(joints).index(name) for name in HAND_21.joints], dtype=np.int64)


def keypoints_of(points: np.ndarray, camera: PinholeCamera, where: Sequence[str]) -> np.ndarray:
    """The projected joints with score 1; a joint at exactly 0, 0, 0 is not annotated and gets score 0.

    Args:
        points (ndarray): Shape (T, 21, 3), camera frame, hand_21 order.
        camera (PinholeCamera): The camera.
        where (Sequence[str]): Place of each frame in the annotation, for messages.

    Returns:
        ndarray: Shape (T, 21, 3) float32: x, y in pixels, score.

    Raises:
        ValueError: An annotated joint is not finite or not before the camera.
    """
    annotated = (points != 0).any(axis=-1)
    invalid = annotated & ~(np.isfinite(points).all(axis=-1) & (points[..., 2] > 0))
    for frame, joint in np.argwhere(invalid)[:1]:
        raise UserValueError(
            f'{where[frame]}: joint {HAND_21.joints[joint]} lies at {points[frame, joint].tolist()}, which '
            'no camera sees (z must be above 0); correct the annotation, or write 0 0 0 where the joint is '
            'not annotated'
        )
    keypoints = np.zeros(points.shape, dtype=np.float32)
    keypoints[annotated, :2] = camera.project(points[annotated])
    keypoints[..., 2] = annotated
    return keypoints


def right_hand_share(points: np.ndarray) -> float:
    """The share of frames whose joints have the shape of a right hand, by the way the fingers bend.

    By the right-hand rule fingers bend about an axis from the little finger's to the forefinger's knuckle in
    a right hand, and the other way in a left one. Mirrored images show in this number, too. A stretched hand
    says little, so a single frame proves nothing.

    Args:
        points (ndarray): Shape (T, 21, 3) in a right-handed frame such as the camera's, hand_21 order.

    Returns:
        float: In [0, 1]; NaN where no frame has all the fingers' joints.
    """
    # The four joints of each finger but the thumb, (4, 4).
    fingers = np.asarray(
        [[HAND_21.joints.index(f'{finger}{knuckle}') for knuckle in (1, 2, 3, 4)] for finger in FINGERS[1:]]
    )
    # (T, 4, 4, 3)
    knuckles = points[:, fingers]
    complete = (knuckles != 0).any(axis=-1).all(axis=(1, 2))
    knuckles = knuckles[complete]
    if not len(knuckles):
        return float('nan')
    # First bone x the rest of the finger is the axis of its bend; summed over the fingers, (T, 3).
    axis = np.cross(knuckles[:, :, 1] - knuckles[:, :, 0], knuckles[:, :, 3] - knuckles[:, :, 1]).sum(axis=1)
    across = knuckles[:, 0, 0] - knuckles[:, -1, 0]
    return float(((axis * across).sum(axis=-1) > 0).mean())


def check_side(share: float, side: str, name: str) -> None:
    """Raises ValueError if the joints contradict ``side`` in more than three quarters of the frames."""
    if side not in SIDES:
        raise UserValueError(f"{name}: side is {side!r}; give 'left' or 'right'")
    agree = share if side == 'right' else 1 - share
    if agree < 0.25:
        other = SIDES[side == 'left']
        raise UserValueError(
            f'{name}: by the way the fingers bend this is a {other} hand in {1 - agree:.0%} of the frames, '
            f'not a {side} one; give --side {other} and '
            f"side='{other}' in the config's data sets (or correct the order of the joints)"
        )


def cut_clips(
    keypoints: np.ndarray,
    clip_len: int,
    split: str,
    name: str,
    camera: PinholeCamera,
    start: int = 0,
    fps: float = 0.0,
) -> Iterator[Clip]:
    """Clips of ``clip_len`` consecutive frames, the last one shorter; 0 = one clip.

    Args:
        keypoints (ndarray): Shape (T, 21, 3).
        clip_len (int): Frames.
        split, name (str): Split, and name of the sequence; a clip is called ``name/first frame``.
        camera (PinholeCamera): For the image size.
        start (int): Number of the first frame in its sequence.
        fps (float): Frames a second.
    """
    step = clip_len or max(len(keypoints), 1)
    for first in range(0, len(keypoints), step):
        piece = keypoints[first : first + step]
        yield Clip(piece, -1, split, f'{name}/{start + first:05d}', camera.width, camera.height, fps=fps)


class HandClips(Protocol):
    """What :func:`write_hand_clips` takes: :class:`StbClips`, :class:`Hands17Clips`."""

    right_hand_share: float
    notes: dict

    def __iter__(self) -> Iterator[Clip]: ...

    def coverage(self) -> Mapping[str, int]: ...

    def frames(self) -> Mapping[str, int]: ...


def write_hand_clips(
    clips: HandClips,
    out: str,
    source: str,
    licence: str,
    official_frames: Optional[Mapping[str, int]] = None,
    dtype: str = 'float32',
    overwrite: bool = False,
) -> PoseStore:
    """Writes clips of annotated joints as a store of layout hand_21 and prints what it holds.

    Args:
        clips (HandClips): The clips.
        out, source, licence, dtype, overwrite: As :class:`PoseStoreWriter`.
        official_frames (Mapping[str, int], optional): Frames of each split by the owners; a difference is
            printed.
    """
    frames = clips.frames()
    single = clips.notes['clip_len'] == 1
    notes = dict(
        clips.notes,
        frames=frames,
        **({} if official_frames is None else dict(official_frames=dict(official_frames))),
    )
    writer = PoseStoreWriter(
        out,
        'hand_21',
        [],
        dtype,
        source,
        licence,
        extractor='annotation',
        notes=notes,
        overwrite=overwrite,
        coverage=clips.coverage(),
        official=official_frames if single else None,
    )
    store = write_clips(writer, clips)
    print(store)
    for split, count in frames.items():
        official = (official_frames or {}).get(split, count)
        print(f'  {split}: {count:,} frames' + (f', {official:,} by the owners' if official != count else ''))
    print(
        f'  {clips.right_hand_share:.0%} of the frames look like a right hand; taken as the '
        f'{clips.notes["side"]} one'
    )
    return store
