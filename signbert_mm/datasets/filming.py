"""Clips as if they had been filmed otherwise, to test how much a recogniser depends on it.

(Not in the papers.)
"""

import os
from typing import Callable, Dict, NamedTuple, Tuple, Union

import numpy as np
import torch

from ..errors import UserKeyError
from ..layouts import Layout
from .hand_rule import hand_joints, hands_found
from .no_sign import way_between
from .pose_dataset import PoseDataset
from .pose_store import PoseStore
from .pose_store_writer import PoseStoreWriter
from .transforms.temporal_resize import at_times

# The rate of clips whose store does not know it.
ASSUMED_FPS = 25.0


class Filmed(NamedTuple):
    """One clip.

    Attributes:
        keypoints (ndarray): Shape (T, V, 2) float32, pixels.
        scores (ndarray): Shape (T, V) float32, 0 = missing.
        size (ndarray): Shape (2,): width and height of the image in pixels.
        fps (float): Frames a second.
        layout (Layout): Of the keypoints.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    size: np.ndarray
    fps: float
    layout: Layout

    def at(self, times: np.ndarray) -> 'Filmed':
        """The clip at ``times`` (T',), in frames, by :func:`at_times`; the last frame is held."""
        last = len(self.scores) - 1
        keypoints, scores, _ = at_times(
            torch.from_numpy(self.keypoints)[None],
            torch.from_numpy(self.scores)[None],
            torch.from_numpy(np.minimum(times, last).astype(np.float64))[None],
            torch.tensor([last]),
        )
        return self._replace(keypoints=keypoints[0].numpy(), scores=scores[0].numpy())

    def about_centre(self, matrix: np.ndarray) -> 'Filmed':
        """The picture transformed by ``matrix`` (2, 2) about the image's centre.

        What leaves the image is missing, as a detector would not find it: a hand whose middle is outside, and
        any other joint that is.
        """
        centre = self.size / 2
        moved = (self.keypoints - centre) @ matrix.T.astype(np.float32) + centre
        scores = self.scores * ~self._outside(moved)
        for joints in map(list, hand_joints(self.layout)):
            weight = self.scores[:, joints, None]
            middle = (moved[:, joints] * weight).sum(1) / weight.sum(1).clip(min=1e-6)
            scores[:, joints] = self.scores[:, joints] * ~self._outside(middle)[:, None]
        return self._replace(keypoints=moved, scores=scores)

    def _outside(self, points: np.ndarray) -> np.ndarray:
        return ((points < 0) | (points > self.size)).any(-1)


def rested(clip: Filmed, rng: np.random.RandomState, seconds: float = 1.0, move: float = 0.4) -> Filmed:
    """The hands rest in sight before and after the sign.

    They lie low in the image, in the shape of the sign's first and last frame with a hand, and tremble by 0.3
    % of the image's width. The way between rest and sign is that of :func:`way_between`.

    Args:
        clip (Filmed): A clip; one without any hand stays as it is.
        rng (RandomState): Of the trembling.
        seconds (float): Length of each rest.
        move (float): Length of each way.
    """
    seen = np.flatnonzero(hands_found(clip.scores, clip.layout).any(-1))
    if not len(seen):
        return clip
    clip = clip._replace(
        keypoints=clip.keypoints[seen[0] : seen[-1] + 1], scores=clip.scores[seen[0] : seen[-1] + 1]
    )
    count, way = max(1, round(seconds * clip.fps)), max(1, round(move * clip.fps))

    def pose(points: np.ndarray, scores: np.ndarray) -> Tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(points)[None], torch.from_numpy(scores)[None]

    pieces = [(clip.keypoints, clip.scores)]
    for place, before in ((0, True), (-1, False)):
        points, scores = clip.keypoints[place], clip.scores[place]
        low = points.copy()
        for joints in map(list, hand_joints(clip.layout)):
            there = scores[joints] > 0
            if there.any():
                low[joints, 1] += 0.98 * clip.size[1] - low[joints, 1][there].max()
        shift = rng.uniform(-1, 1, (count, *low.shape)) * 0.003 * clip.size[0]
        rest = (low + shift).astype(np.float32), np.repeat(scores[None], count, axis=0)
        first, then = (low, points) if before else (points, low)
        moved = [part[0].numpy() for part in way_between(pose(first, scores), pose(then, scores), way)]
        pieces = [rest, moved, *pieces] if before else [*pieces, moved, rest]
    keypoints, scores = (np.concatenate(parts) for parts in zip(*pieces))
    return clip._replace(keypoints=keypoints, scores=scores)


def at_rate(clip: Filmed, fps: float) -> Filmed:
    """The same movement at ``fps`` frames a second."""
    made = max(1, round(len(clip.scores) * fps / clip.fps))
    return clip.at(np.arange(made) * clip.fps / fps)._replace(fps=fps)


def at_speed(clip: Filmed, speed: float) -> Filmed:
    """The movement ``speed`` times as fast, at the clip's rate."""
    made = max(1, round(len(clip.scores) / speed))
    return clip.at(np.arange(made) * speed)


def mirrored(clip: Filmed) -> Filmed:
    """As a signer of the other hand would sign: the picture mirrored, left and right joints exchanged."""
    order = list(clip.layout.flip_order)
    keypoints = clip.keypoints[:, order] * [-1, 1] + [clip.size[0], 0]
    return clip._replace(keypoints=keypoints, scores=clip.scores[:, order])


def turned(clip: Filmed, degrees: float) -> Filmed:
    """The camera is turned about its axis."""
    angle = np.deg2rad(degrees)
    return clip.about_centre(np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]))


def without_hands(clip: Filmed, rng: np.random.RandomState, share: float = 0.5) -> Filmed:
    """A random ``share`` of the frames that show a hand show none."""
    seen = np.flatnonzero(hands_found(clip.scores, clip.layout).any(-1))
    lost = rng.permutation(seen)[: int(share * len(seen))]
    scores = clip.scores.copy()
    for joints in hand_joints(clip.layout):
        scores[np.ix_(lost, joints)] = 0
    return clip._replace(scores=scores)


def jittered(clip: Filmed, rng: np.random.RandomState, pixels: float = 3.0) -> Filmed:
    """Each joint of each frame is displaced by a normal draw of ``pixels`` standard deviation in x and y."""
    return clip._replace(keypoints=clip.keypoints + rng.normal(0, pixels, clip.keypoints.shape))


_Change = Callable[[Filmed, np.random.RandomState], Filmed]
CHANGES: Dict[str, _Change] = {
    'as filmed': lambda clip, rng: clip,
    'rest of 1 s before and after': rested,
    'twice as slow': lambda clip, rng: at_speed(clip, 0.5),
    'twice as fast': lambda clip, rng: at_speed(clip, 2.0),
    'mirrored (left-handed signer)': lambda clip, rng: mirrored(clip),
    'turned by +15 degrees': lambda clip, rng: turned(clip, 15.0),
    'turned by -15 degrees': lambda clip, rng: turned(clip, -15.0),
    'far (0.6 times as large)': lambda clip, rng: clip.about_centre(0.6 * np.eye(2)),
    'near (1.5 times as large)': lambda clip, rng: clip.about_centre(1.5 * np.eye(2)),
    'half of the frames without a hand': without_hands,
    'jitter of 3 px': jittered,
    '15 frames a second': lambda clip, rng: at_rate(clip, 15.0),
    '60 frames a second': lambda clip, rng: at_rate(clip, 60.0),
}


def write_changed(
    dataset: PoseDataset, change: str, folder: Union[str, os.PathLike], seed: int = 0
) -> PoseStore:
    """Writes the clips of a data set into a new store, each changed.

    The new store has the layout of the data set, not that of its store: the joints of hand_21 do not say
    which hand they are, so a mirrored one could not change sides.

    Args:
        dataset (PoseDataset): Whole clips are read from its store, in its order; its pipeline does not count.
        change (str): A key of ``CHANGES``.
        folder (str): The new store; all clips are in one split.
        seed (int): Of the draws. A clip's draws depend on the seed and its place in the data set.

    Raises:
        KeyError: The change is unknown.
    """
    if change not in CHANGES:
        raise UserKeyError(f'unknown change {change!r}; choose from {", ".join(CHANGES)}')
    store = dataset.store
    writer = PoseStoreWriter(
        folder, dataset.layout, dataset.glosses, extractor=', '.join(store.extractors) or 'unknown'
    )
    present = dataset.joints >= 0
    with writer:
        for place, (index, label) in enumerate(zip(dataset.clips.tolist(), dataset.labels.tolist())):
            keypoints, scores = store.clip(index)
            keypoints = keypoints[:, dataset.joints] * present[:, None]
            scores = scores[:, dataset.joints] * present
            size = np.array([store.width[index], store.height[index]], dtype=np.float32)
            clip = Filmed(keypoints, scores, size, float(store.fps[index]) or ASSUMED_FPS, dataset.layout)
            changed = CHANGES[change](clip, np.random.RandomState([seed, place]))
            whole = np.concatenate([changed.keypoints, changed.scores[..., None]], axis=-1)
            whole[whole[..., 2] == 0] = 0
            writer.add(
                whole.astype(np.float32),
                label,
                'test',
                str(place),
                width=int(size[0]),
                height=int(size[1]),
                fps=changed.fps,
            )
        return writer.close()
