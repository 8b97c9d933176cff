"""MediaPipe Hands landmarks without sides: which hand is which, and the clip's keypoints."""

import itertools
from typing import Dict, List, Optional, Tuple

import numpy as np

from ...files.arrays import ArrayFileError, read_arrays
from ...layouts import get_layout
from .common import UnreadableError

LEFT, RIGHT = 0, 1
# Frames that a track may be unseen: half a second at 25 frames a second.
MAX_GAP = 12
# Palm lengths between two detections, above which they are two tracks.
MAX_JUMP = 2.0
# Mean chirality of two hands below which their places decide.
TIE = 0.1
# No hand lies further outside the image, in image sizes.
MAX_FRACTION = 10.0
_HAND_SHAPE = (2, 21, 3)
# A hand of nothing but one of these numbers, or NaN, is missing.
_NOT_SEEN = (0.0, -1.0)
# MediaPipe's joints: roots of the four fingers, their tips, and the thumb's tip.
_ROOTS = (5, 9, 13, 17)
_TIPS = (8, 12, 16, 20)
_THUMB_TIP = 4


def read_landmarks(path: str) -> np.ndarray:
    """The landmarks of one clip.

    Args:
        path (str): An npy file of numbers of shape (F, 2, 21, 3): for each frame two hands in no fixed order,
            21 joints in MediaPipe's order. x and y are fractions of image width and height. z is relative to
            the wrist in the scale of x, smaller = closer to the camera. A hand of zeros, of NaN, or of -1 (as
            in the public files) is missing.

    Returns:
        ndarray: Shape (F, 2, 21, 3) float64; a missing hand is NaN.

    Raises:
        UnreadableError: The file is damaged, has another shape, no frames, a hand with some numbers that are
            not finite, or coordinates that are no fractions of the image. The message names the file, the
            place and the remedy.
    """
    try:
        content = read_arrays(path)
    except (ArrayFileError, OSError) as error:
        raise UnreadableError(f'{path}: not a whole npy file of numbers ({error}); get it again') from error
    if not isinstance(content, np.ndarray):
        raise UnreadableError(f'{path}: an npz archive; expected an npy file of shape (frames, 2, 21, 3)')
    if content.dtype.kind not in 'fiu' or content.ndim != 4 or content.shape[1:] != _HAND_SHAPE:
        what = f'{content.dtype} of shape {content.shape}'
        raise UnreadableError(f'{path}: {what} found; expected numbers of shape (frames, 2, 21, 3)')
    if not len(content):
        raise UnreadableError(f'{path}: no frames')
    hands = np.array(content, dtype=np.float64)
    missing = np.isnan(hands).all(axis=(2, 3))
    for value in _NOT_SEEN:
        missing |= (hands == value).all(axis=(2, 3))
    hands[missing] = np.nan
    _check_numbers(path, hands, ~missing)
    return hands


def _check_numbers(path: str, hands: np.ndarray, detected: np.ndarray) -> None:
    broken = detected & ~np.isfinite(hands).all(axis=(2, 3))
    if broken.any():
        frame, slot = np.argwhere(broken)[0]
        count = int((~np.isfinite(hands[frame, slot])).sum())
        what = f'{count} of 63 numbers are NaN or infinite'
        raise UnreadableError(f'{path}: frame {frame}, hand {slot}: {what}; extract the clip again')
    if not detected.any():
        return
    # A file in pixels would give hands far outside the image.
    # (hands, 21, 2)
    xy = hands[detected][:, :, :2]
    centres = xy.mean(axis=1)
    inside = ((centres >= 0) & (centres <= 1)).all(axis=1).mean()
    if np.abs(hands[detected]).max() > MAX_FRACTION or inside < 0.5:
        low, high = xy.min(), xy.max()
        what = f'x and y from {low:.4g} to {high:.4g}, {inside:.0%} of the hands in the image'
        raise UnreadableError(f'{path}: {what}; expected fractions of image width and height, 0 .. 1')


def hand_chirality(joints: np.ndarray) -> np.ndarray:
    """How much a hand is a right one (above 0) or a left one (below 0), by its joints alone.

    The normal of the palm, from wrist, forefinger root and little-finger root, points to the palm's inner
    side in a right hand and to its back in a left one. Fingers and thumb bend to the inner side. The score is
    the share of their length along the normal. It does not change with rotation, translation and scale. A
    mirror image has the opposite sign. A hand with straight fingers is near 0.

    Args:
        joints (ndarray): Shape (..., 21, 3), MediaPipe's joint order, in a right-handed frame with equal
            units on all axes, as x to the right, y down and z away from the camera.

    Returns:
        ndarray: Shape (...), -1 to 1; 0 where the joints lie on a line or in one point.
    """
    joints = np.asarray(joints, dtype=np.float64)
    from_wrist = joints - joints[..., :1, :]
    normal = np.cross(from_wrist[..., _ROOTS[0], :], from_wrist[..., _ROOTS[-1], :])
    # The thumb counts from the wrist on, since its root lies beside the palm.
    thumb = from_wrist[..., [_THUMB_TIP], :]
    fingers = from_wrist[..., _TIPS, :] - from_wrist[..., _ROOTS, :]
    # (..., 5, 3)
    reach = np.concatenate([fingers, thumb], axis=-2)
    along = (reach * normal[..., None, :]).sum(axis=(-2, -1))
    length = np.linalg.norm(reach, axis=-1).sum(axis=-1) * np.linalg.norm(normal, axis=-1)
    return np.divide(along, length, out=np.zeros_like(along), where=length > 0)


def track_hands(joints: np.ndarray, max_gap: int = MAX_GAP, max_jump: float = MAX_JUMP) -> np.ndarray:
    """Follows hands from frame to frame by least displacement.

    At most two tracks are open at a time. A detection joins the track whose last detection is nearest, by
    the mean distance of the joints in the image. Two detections are paired with tracks so that the sum is
    least. A track without a detection for more than ``max_gap`` frames has ended. Where the nearest track is
    further than ``max_jump`` a new one begins. If that is a third one, the track unseen for longest ends.

    Args:
        joints (ndarray): Shape (F, 2, 21, 3), equal units on all axes; a detection of NaN is none.
        max_gap (int): In frames.
        max_jump (float): In palm lengths, wrist to finger roots, the median over the clip.

    Returns:
        ndarray: Shape (F, 2) int, the number of each detection's track, from 0; -1 = no detection.
    """
    joints = np.asarray(joints, dtype=np.float64)
    detected = np.isfinite(joints).all(axis=(2, 3))
    tracks = np.full(detected.shape, -1)
    if not detected.any():
        return tracks
    palm = np.linalg.norm(joints[detected][:, _ROOTS] - joints[detected][:, :1], axis=-1).mean(axis=1)
    limit = max_jump * np.median(palm)
    # Of each living track its last frame, and its joints there.
    alive: Dict[int, Tuple[int, np.ndarray]] = {}
    count = 0
    for frame in np.flatnonzero(detected.any(axis=1)).tolist():
        alive = {track: last for track, last in alive.items() if frame - last[0] <= max_gap + 1}
        slots = np.flatnonzero(detected[frame]).tolist()
        xy = {slot: joints[frame, slot, :, :2] for slot in slots}
        for slot, track in zip(slots, _pairing(xy, alive, limit)):
            if track is None:
                track, count = count, count + 1
            tracks[frame, slot] = track
        for slot in slots:
            alive[int(tracks[frame, slot])] = (frame, xy[slot])
        latest = sorted(alive, key=lambda track: alive[track][0])[-2:]
        alive = {track: alive[track] for track in latest}
    return tracks


def _pairing(
    xy: Dict[int, np.ndarray],
    alive: Dict[int, Tuple[int, np.ndarray]],
    limit: float,
) -> Tuple[Optional[int], ...]:
    """The track that each detection joins, by least displacement; None = a new one."""
    # A new track costs as much as the largest jump.
    cost: Dict[Tuple[int, Optional[int]], float] = {(slot, None): limit for slot in xy}
    for slot, track in itertools.product(xy, alive):
        cost[slot, track] = float(np.linalg.norm(xy[slot] - alive[track][1], axis=-1).mean())
    # Two detections may both be new, but never join one track.
    choices = [
        choice
        for choice in itertools.product([*alive, None], repeat=len(xy))
        if len(set(choice) - {None}) == len(choice) - choice.count(None)
    ]
    return min(choices, key=lambda choice: sum(cost[pair] for pair in zip(xy, choice)))


def assign_sides(joints: np.ndarray, max_gap: int = MAX_GAP, max_jump: float = MAX_JUMP) -> np.ndarray:
    """Which detection is the signer's left hand and which the right one.

    A track (:func:`track_hands`) has one side, by the sum of :func:`hand_chirality` over its frames. Tracks
    that share a frame are two hands: they are decided together, with opposite signs. Where the mean of the
    sum is below 0.1 the place decides: of two hands in a frame the signer's right one is on the left of the
    image. A single hand with a sum of exactly 0 counts as right.

    Errors are to be expected. The depth is a guess of MediaPipe's network, a flat hand says little, and hands
    that touch are confused. In 318 clips of WLASL with two hands 7 % of the frames contradict the hands'
    places. Signs of one hand have more errors, since there is no other hand to compare with. A video that was
    mirrored at recording exchanges all sides.

    Args:
        joints (ndarray): As :func:`track_hands`, x to the right, y down and z away from the camera.
        max_gap, max_jump: As :func:`track_hands`.

    Returns:
        ndarray: Shape (F, 2) int: 0 = left, 1 = right, -1 = no detection. Two detections of a frame have two
            sides.
    """
    tracks = track_hands(joints, max_gap, max_jump)
    seen = tracks >= 0
    sides = np.full(tracks.shape, -1)
    if not seen.any():
        return sides
    chirality = np.zeros(tracks.shape)
    chirality[seen] = hand_chirality(joints[seen])
    x = np.zeros(tracks.shape)
    x[seen] = np.asarray(joints)[seen][:, :, 0].mean(axis=1)
    signs = np.zeros(tracks.max() + 1)
    for group in _groups(tracks):
        members, relative = np.asarray(list(group)), np.asarray(list(group.values()))
        # The sign of each track against the first one of the group, 0 outside the group.
        sign = np.zeros(len(signs))
        sign[members] = relative
        inside = seen & np.isin(tracks, members)
        sign_at = np.where(inside, sign[tracks], 0)
        score = (sign_at * chirality).sum()
        both = inside.all(axis=1)
        # Each frame with both hands votes: above 0 where the hand with sign 1 is further left in the image.
        place = np.sign((sign_at * -x)[both].sum(axis=1)).sum()
        if abs(score) < TIE * inside.sum() and place:
            score = place
        signs[members] = relative * (1 if score >= 0 else -1)
    sides[seen] = np.where(signs[tracks[seen]] > 0, RIGHT, LEFT)
    return sides


def _groups(tracks: np.ndarray) -> List[Dict[int, int]]:
    """Groups of tracks that share frames: track -> 1, or -1 for the other hand than the group's first."""
    # At most two tracks live at a time, so the links have no circles and the signs never contradict.
    links: Dict[int, set] = {track: set() for track in range(tracks.max() + 1)}
    for one, other in np.unique(tracks[(tracks >= 0).all(axis=1)], axis=0).tolist():
        links[one].add(other)
        links[other].add(one)
    groups: List[Dict[int, int]] = []
    known: set = set()
    for first in links:
        if first in known:
            continue
        group, waiting = {first: 1}, [first]
        while waiting:
            track = waiting.pop()
            for other in links[track] - set(group):
                group[other] = -group[track]
                waiting.append(other)
        known |= set(group)
        groups.append(group)
    return groups


def landmark_keypoints(
    hands: np.ndarray,
    width: int,
    height: int,
    mirrored: bool = False,
    trim: bool = True,
    where: str = 'landmarks',
) -> np.ndarray:
    """The clip as keypoints of the layout 'hands_42', sides by :func:`assign_sides`.

    Args:
        hands (ndarray): As :func:`read_landmarks` gives them.
        width, height (int): Image size in pixels.
        mirrored (bool): The video was mirrored at recording: x is flipped.
        trim (bool): Leave out the frames before the first and after the last hand.
        where (str): What the clip is called in messages.

    Returns:
        ndarray: Shape (T, 42, 3) float32: x and y in pixels, score 1; 0, 0, 0 where a hand is missing.

    Raises:
        UnreadableError: ``trim`` is set and there is no hand in any frame.
    """
    # z has the scale of x.
    joints = hands * (width, height, width)
    if mirrored:
        joints[..., 0] = width - joints[..., 0]
    sides = assign_sides(joints)
    layout = get_layout('hands_42')
    keypoints = np.zeros((len(hands), layout.num_joints, 3), dtype=np.float32)
    for side, part in ((LEFT, 'left_hand'), (RIGHT, 'right_hand')):
        frames, slots = np.nonzero(sides == side)
        columns = list(layout.parts[part])
        keypoints[frames[:, None], columns, :2] = joints[frames, slots, :, :2]
        keypoints[frames[:, None], columns, 2] = 1
    if not trim:
        return keypoints
    shown = np.flatnonzero((sides >= 0).any(axis=1))
    if not len(shown):
        raise UnreadableError(f'{where}: no hand in any of {len(hands)} frames')
    return keypoints[shown[0] : shown[-1] + 1]
