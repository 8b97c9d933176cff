"""One pass over a store's keypoints, in pieces."""

import hashlib
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from ...datasets.hand_rule import hand_joints, hands_found
from ...datasets.pose_store import PoseStore
from ...datasets.store_format import flags_found

Progress = Callable[[int, int], None]
# Numbers read at a time: 16 MB of float32.
CHUNK_NUMBERS = 1 << 22
# In shoulder widths: wrists further apart than this show whose hand is whose.
FAR_APART = 0.4
# Share of a clip's votes that decides.
SURE = 2 / 3
COUNTS = (
    'found',
    'outside',
    'judged',
    'judged_outside',
    'not_finite',
    'bad_score',
    'not_zero',
    'wrong_flags',
    'no_box',
    'crossed',
    'crossed_votes',
    'mirrored',
    'mirrored_votes',
)


@dataclass
class Scan:
    """Facts about each clip's numbers.

    Attributes:
        counts (dict[str, ndarray]): Shape (N,) int64 each. Joints of a clip that are ``found``, and those of
            them ``outside`` the image. The same of the hands alone, where the layout has hands: ``judged``,
            ``judged_outside``. Joints ``not_finite``, with a ``bad_score`` (outside [0, 1]), or missing and
            ``not_zero``. Frames with ``wrong_flags``: the stored hand flags contradict the scores by the
            store's own rule. Frames with ``no_box`` for a hand though a flag is set. Hands nearer to the
            other side's wrist: ``crossed``, of ``crossed_votes``. Frames that look ``mirrored``, of
            ``mirrored_votes``.
        frozen (ndarray): Shape (N,) bool: two frames or more, all equal, with a detected joint.
        fractions (ndarray): Shape (N,) bool: no coordinate above 2 though joints are detected.
        digests (list[bytes]): Of each clip's numbers.
        checksum (str): blake2b of all keypoints, hex.
        first_bad (str): Place of the first number that is not finite or a wrong score; '' = none.
    """

    counts: Dict[str, np.ndarray]
    frozen: np.ndarray
    fractions: np.ndarray
    digests: List[bytes] = field(default_factory=list)
    checksum: str = ''
    first_bad: str = ''

    def sure(self, name: str) -> Tuple[np.ndarray, np.ndarray]:
        """Clips with votes, and those whose votes are clearly for ``name``; shape (N,) bool each."""
        votes = self.counts[f'{name}_votes']
        return votes > 0, (votes > 0) & (self.counts[name] > SURE * votes)


def _pieces(length: np.ndarray, rows: int) -> Iterator[Tuple[int, int]]:
    """Ranges of whole clips with about ``rows`` frames."""
    ends = np.cumsum(length)
    begin = 0
    while begin < len(length):
        limit = (ends[begin - 1] if begin else 0) + rows
        end = max(begin + 1, int(np.searchsorted(ends, limit, side='right')))
        yield begin, end
        begin = end


def scan_keypoints(
    store: PoseStore, progress: Optional[Progress] = None, chunk_numbers: int = CHUNK_NUMBERS
) -> Scan:
    """Reads every number once, a piece at a time.

    Args:
        store (PoseStore): The store.
        progress (Callable, optional): Called with the number of clips done, and of all.
        chunk_numbers (int): Numbers read at a time.
    """
    clips = len(store)
    scan = Scan(
        {name: np.zeros(clips, dtype=np.int64) for name in COUNTS},
        np.zeros(clips, dtype=bool),
        np.zeros(clips, dtype=bool),
    )
    votes = _Votes(store.layout.joints)
    hands = [np.asarray(joints, dtype=np.int64) for joints in hand_joints(store.layout)]
    checksum = hashlib.blake2b(digest_size=32)
    for begin, end in _pieces(store.length, max(1, chunk_numbers // (3 * store.layout.num_joints))):
        start = int(store.offset[begin])
        local = store.offset[begin:end] - start
        # Reading a mapped file that has become shorter would kill the process.
        store.refuse_truncated()
        # (R, V, 3)
        stored = np.ascontiguousarray(store.keypoints[start : start + int(store.length[begin:end].sum())])
        checksum.update(stored.data)
        for first, length in zip(local, store.length[begin:end]):
            scan.digests.append(hashlib.blake2b(stored[first : first + length].data, digest_size=16).digest())
        rows, maximum = _row_facts(store, begin, end, stored, hands, votes, scan)
        detected = np.add.reduceat(rows['found'], local)
        for name, values in rows.items():
            scan.counts[name][begin:end] = np.add.reduceat(values, local)
        # Compared as bits, so that a frame with NaN equals its copy.
        bits = stored.reshape(len(stored), -1).view(f'u{stored.itemsize}')
        moves = np.zeros(len(stored), dtype=np.int64)
        moves[1:] = (bits[1:] != bits[:-1]).any(axis=1)
        # A clip's first frame is not compared with the clip before.
        moves[local] = 0
        scan.frozen[begin:end] = (
            (np.add.reduceat(moves, local) == 0) & (store.length[begin:end] > 1) & (detected > 0)
        )
        scan.fractions[begin:end] = (np.maximum.reduceat(maximum, local) <= 2) & (detected > 0)
        if progress:
            progress(end, clips)
    scan.checksum = checksum.hexdigest()
    return scan


def _row_facts(
    store: PoseStore,
    begin: int,
    end: int,
    stored: np.ndarray,
    hands: Sequence[np.ndarray],
    votes: '_Votes',
    scan: Scan,
) -> Tuple[Dict[str, np.ndarray], np.ndarray]:
    """Counts of each frame of clips ``begin`` to ``end``, and its largest coordinate of a detected joint."""
    length = store.length[begin:end]
    values = store.decode(stored)
    # (R, V)
    x, y, score = (np.ascontiguousarray(values[..., axis]) for axis in range(3))
    not_finite = ~(np.isfinite(x) & np.isfinite(y) & np.isfinite(score))
    bad_score = (score < 0) | (score > 1)
    detected = (score > 0) & ~not_finite
    # (R, 1)
    size = [
        np.repeat(side[begin:end].astype(np.float32), length)[:, None] for side in (store.width, store.height)
    ]
    with np.errstate(invalid='ignore'):
        outside = (
            detected & ((x < 0) | (y < 0) | (x > size[0]) | (y > size[1])) & (size[0] > 0) & (size[1] > 0)
        )
        not_zero = (score == 0) & ~not_finite & ((x != 0) | (y != 0))
        maximum = np.where(detected, np.maximum(np.abs(x), np.abs(y)), 0).max(axis=1)
    bad = not_finite | bad_score
    if not scan.first_bad and bad.any():
        row, joint = np.argwhere(bad)[0]
        clip = (
            begin + int(np.searchsorted(store.offset[begin:end] - store.offset[begin], row, side='right')) - 1
        )
        frame = int(store.offset[begin] + row - store.offset[clip])
        scan.first_bad = (
            f'clip {clip} (video_id {store.video_ids(np.asarray([clip]))[0]!r}), frame {frame}, joint '
            f'{joint} ({store.layout.joints[joint]}): x, y, score = {values[row, joint].tolist()}'
        )
    flags = store.hand_flags[int(store.offset[begin]) : int(store.offset[begin]) + len(stored)]
    flagged = flags_found(flags)
    hand_columns = np.concatenate(hands) if any(map(len, hands)) else slice(None)
    rows = dict(
        found=detected.sum(axis=1),
        outside=outside.sum(axis=1),
        judged=detected[:, hand_columns].sum(axis=1),
        judged_outside=outside[:, hand_columns].sum(axis=1),
        not_finite=not_finite.sum(axis=1),
        bad_score=bad_score.sum(axis=1),
        not_zero=not_zero.sum(axis=1),
        wrong_flags=(flagged != hands_found(score, store.layout, store.hand_rule)).any(axis=1),
        no_box=flagged.any(axis=1) & ~hands_found(score, store.layout).any(axis=1),
        **votes(x, y, detected, size[0][:, 0]),
    )
    return {name: np.asarray(value, dtype=np.int64) for name, value in rows.items()}, maximum


class _Votes:
    """Counts frames that speak for exchanged hands or for a mirrored image."""

    def __init__(self, joints: Sequence[str]) -> None:
        self.pairs = {
            name: (joints.index(f'left_{name}'), joints.index(f'right_{name}'))
            for name in ('hand_root', 'wrist', 'shoulder')
            if {f'left_{name}', f'right_{name}'} <= set(joints)
        }

    def __call__(
        self, x: np.ndarray, y: np.ndarray, detected: np.ndarray, width: np.ndarray
    ) -> Dict[str, np.ndarray]:
        """Of coordinates (R, V), ``detected`` (R, V) bool and image width (R,)."""
        zeros = np.zeros(len(x), dtype=np.int64)
        votes = dict(crossed=zeros, crossed_votes=zeros, mirrored=zeros, mirrored_votes=zeros)
        x, y = np.where(detected, x, 0), np.where(detected, y, 0)

        def distance(a: int, b: int) -> np.ndarray:
            return np.hypot(x[:, a] - x[:, b], y[:, a] - y[:, b])

        shoulder = self.pairs.get('shoulder')
        if 'hand_root' in self.pairs and 'wrist' in self.pairs:
            wrists = self.pairs['wrist']
            apart = distance(*wrists)
            # Without shoulders their distance is taken to be a fifth of the image's width.
            scale = (
                0.2 * width
                if shoulder is None
                else np.where(detected[:, shoulder].all(axis=1), distance(*shoulder), 0.2 * width)
            )
            clear = detected[:, wrists].all(axis=1) & (apart > FAR_APART * scale)
            for root, own, other in zip(self.pairs['hand_root'], wrists, wrists[::-1]):
                near, far = distance(root, own), distance(root, other)
                # A hand far from both wrists says nothing.
                vote = clear & detected[:, root] & (np.minimum(near, far) < 0.5 * apart)
                votes['crossed_votes'] = votes['crossed_votes'] + vote
                votes['crossed'] = votes['crossed'] + (vote & (far < near))
        # Who faces the camera has the left shoulder at the right of the image.
        sides = shoulder or self.pairs.get('hand_root')
        if sides:
            vote = detected[:, sides].all(axis=1) & (np.abs(x[:, sides[0]] - x[:, sides[1]]) > 0.02 * width)
            votes['mirrored_votes'], votes['mirrored'] = vote, vote & (x[:, sides[0]] < x[:, sides[1]])
        return votes
