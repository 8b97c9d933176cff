"""MediaPipe Hands landmarks without sides, a file a clip: which hand is which, and the clip's keypoints."""

import itertools
from typing import Dict, List, Optional, Tuple

import numpy as np

from ...files.arrays import ArrayFileError, read_arrays
from ...layouts import get_layout
from .common import UnreadableError

LEFT, RIGHT = 0, 1
MAX_GAP = 12  # frames that a track may be unseen: half a second at 25 frames a second
MAX_JUMP = 2.0  # palm lengths from one sight to the next, above which it is another track
TIE = 0.1  # mean chirality of two hands below which their places decide
MAX_FRACTION = 10.0  # no hand lies further outside the image
_HAND_SHAPE = (2, 21, 3)
_NOT_SEEN = (0.0, -1.0)  # a hand of nothing but one of these numbers, or NaN, was not found
_ROOTS = (5, 9, 13, 17)  # of the four fingers
_TIPS = (8, 12, 16, 20)
_THUMB_TIP = 4


def read_landmarks(path: str) -> np.ndarray:
    """The landmarks of one clip.

    Args:
        path (str): An npy file of numbers of shape (F, 2, 21, 3): for each frame two hands in no fixed order,
            21 joints in MediaPipe's order, x and y as fractions of image width and height, z relative to the
            wrist in the scale of x, smaller = closer to the camera. A hand of zeros, of NaN, or of -1 (as the
            public files have it) was not found.

    Returns:
        ndarray: Shape (F, 2, 21, 3) float64; a hand that was not found is NaN.

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
    absent = np.isnan(hands).all(axis=(2, 3))
    for value in _NOT_SEEN:
        absent |= (hands == value).all(axis=(2, 3))
    hands[absent] = np.nan
    _check_numbers(path, hands, ~absent)
    return hands


def _check_numbers(path: str, hands: np.ndarray, found: np.ndarray) -> None:
    broken = found & ~np.isfinite(hands).all(axis=(2, 3))
    if broken.any():
        frame, slot = np.argwhere(broken)[0]
        count = int((~np.isfinite(hands[frame, slot])).sum())
        what = f'{count} of 63 numbers are NaN or infinite'
        raise UnreadableError(f'{path}: frame {frame}, hand {slot}: {what}; extract the clip again')
    if not found.any():
        return
    places = hands[found][:, :, :2]  # (hands, 21, 2)
    centres = places.mean(axis=1)
    inside = ((centres >= 0) & (centres <= 1)).all(axis=1).mean()
    if np.abs(hands[found]).max() > MAX_FRACTION or inside < 0.5:
        low, high = places.min(), places.max()
        what = f'x and y from {low:.4g} to {high:.4g}, {inside:.0%} of the hands in the image'
        raise UnreadableError(f'{path}: {what}; expected fractions of image width and height, 0 .. 1')


def hand_chirality(joints: np.ndarray) -> np.ndarray:
    """How much a hand is a right one (above 0) or a left one (below 0), by its joints alone.

    The normal of the palm, from wrist, forefinger root and little-finger root, points to the palm's inner
    side in a right hand and to its back in a left one. Fingers and thumb bend to the inner side: the score is
    the share of their length along the normal. It does not change with rotation, translation and scale, and a
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
    # the thumb's whole reach counts, since its root lies beside the palm
    thumb = from_wrist[..., [_THUMB_TIP], :]
    fingers = from_wrist[..., _TIPS, :] - from_wrist[..., _ROOTS, :]
    reach = np.concatenate([fingers, thumb], axis=-2)  # (..., 5, 3)
    along = (reach * normal[..., None, :]).sum(axis=(-2, -1))
    whole = np.linalg.norm(reach, axis=-1).sum(axis=-1) * np.linalg.norm(normal, axis=-1)
    return np.divide(along, whole, out=np.zeros_like(along), where=whole > 0)


def track_hands(joints: np.ndarray, max_gap: int = MAX_GAP, max_jump: float = MAX_JUMP) -> np.ndarray:
    """Follows hands from frame to frame by least displacement.

    At most two tracks live at a time. A detection goes on with the track whose last sight lies nearest, by
    the mean distance of the joints in the image; of two detections the pairing with the least sum is taken. A
    track that was not seen for more than ``max_gap`` frames has ended. Where the nearest is further than
    ``max_jump`` a new track begins, and where it would be a third one, the track that was not seen for the
    longest time ends.

    Args:
        joints (ndarray): Shape (F, 2, 21, 3), equal units on all axes; a detection of NaN is none.
        max_gap (int): In frames.
        max_jump (float): In palm lengths, wrist to finger roots, the median over the clip.

    Returns:
        ndarray: Shape (F, 2) int, the number of each detection's track, from 0; -1 = no detection.
    """
    joints = np.asarray(joints, dtype=np.float64)
    found = np.isfinite(joints).all(axis=(2, 3))
    tracks = np.full(found.shape, -1)
    if not found.any():
        return tracks
    palm = np.linalg.norm(joints[found][:, _ROOTS] - joints[found][:, :1], axis=-1).mean(axis=1)
    limit = max_jump * np.median(palm)
    alive: Dict[int, Tuple[int, np.ndarray]] = {}  # track: last frame and its joints there
    count = 0
    for frame in np.flatnonzero(found.any(axis=1)).tolist():
        alive = {track: sight for track, sight in alive.items() if frame - sight[0] <= max_gap + 1}
        slots = np.flatnonzero(found[frame]).tolist()
        places = {slot: joints[frame, slot, :, :2] for slot in slots}
        for slot, track in zip(slots, _pairing(places, alive, limit)):
            if track is None:
                track, count = count, count + 1
            tracks[frame, slot] = track
        for slot in slots:
            alive[int(tracks[frame, slot])] = (frame, places[slot])
        latest = sorted(alive, key=lambda track: alive[track][0])[-2:]
        alive = {track: alive[track] for track in latest}
    return tracks


def _pairing(
    places: Dict[int, np.ndarray],
    alive: Dict[int, Tuple[int, np.ndarray]],
    limit: float,
) -> Tuple[Optional[int], ...]:
    """For each detection the track it goes on with, or None = a new one: that of least displacement."""
    cost: Dict[Tuple[int, Optional[int]], float] = {(slot, None): limit for slot in places}
    for slot, track in itertools.product(places, alive):
        cost[slot, track] = float(np.linalg.norm(places[slot] - alive[track][1], axis=-1).mean())
    choices = [
        choice
        for choice in itertools.product([*alive, None], repeat=len(places))
        if len(set(choice) - {None}) == len(choice) - choice.count(None)  # a track goes on with one detection
    ]
    return min(choices, key=lambda choice: sum(cost[pair] for pair in zip(places, choice)))


def assign_sides(joints: np.ndarray, max_gap: int = MAX_GAP, max_jump: float = MAX_JUMP) -> np.ndarray:
    """Which detection is the signer's left and which the right hand.

    One decision for a track (:func:`track_hands`), by the sum of :func:`hand_chirality` over all its frames,
    of which none counts for more than 1. Tracks that are seen in one frame are two hands and get two sides:
    they are decided together, with opposite signs. Only where the mean of that sum is below 0.1 does the
    place decide: of two hands in a frame the signer's right one is on the left of the image. A single hand
    with a sum of exactly 0 counts as right.

    Errors are to be expected. The depth is a guess of MediaPipe's network, a flat hand says little, and hands
    that touch are confused. In 318 clips of WLASL with two hands 7 % of the frames have the two the other way
    round than their places say. Signs of one hand have more errors: nothing is there to compare the hand
    with. A picture that was mirrored at recording turns all sides over.

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
        sign = np.zeros(len(signs))  # of each track against the first one of the group
        sign[members] = relative
        inside = seen & np.isin(tracks, members)
        sign_at = np.where(inside, sign[tracks], 0)
        score = (sign_at * chirality).sum()
        both = inside.all(axis=1)
        # above 0 where what is right by ``sign`` lies on the left of the image
        place = np.sign((sign_at * -x)[both].sum(axis=1)).sum()
        if abs(score) < TIE * inside.sum() and place:
            score = place
        signs[members] = relative * (1 if score >= 0 else -1)
    sides[seen] = np.where(signs[tracks[seen]] > 0, RIGHT, LEFT)
    return sides


def _groups(tracks: np.ndarray) -> List[Dict[int, int]]:
    """Tracks that frames link: each with 1, or with -1 where it is the other hand than the group's first one.

    Since at most two tracks live at a time there are no circles among the links, and the signs never
    contradict.
    """
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
        mirrored (bool): The picture was mirrored at recording: x is turned over.
        trim (bool): Leave out the frames before the first and after the last hand.
        where (str): What the clip is called in messages.

    Returns:
        ndarray: Shape (T, 42, 3) float32: x and y in pixels, score 1; 0, 0, 0 where a hand was not found.

    Raises:
        UnreadableError: ``trim`` is set and there is no hand in any frame.
    """
    joints = hands * (width, height, width)  # z has the scale of x
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
