"""One pass over a store's keypoints, in pieces."""

import hashlib
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from ...datasets.hand_rule import hand_joints, hands_found
from ...datasets.pose_store import PoseStore
from ...datasets.store_format import flags_found

Progress = Callable[[int, int], None]
CHUNK_NUMBERS = 1 << 22  # 16 MB of float32 a piece
FAR_APART = 0.4  # of the shoulders' distance: then the wrists tell the hands apart
SURE = 2 / 3  # share of a clip's votes
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
    """What the pass found.

    Attributes:
        counts (dict[str, ndarray]): Shape (N,) int64 each. Joints of a clip that are ``found``; of these
            ``outside`` the image; the same of the hands alone, where the layout has any (``judged``,
            ``judged_outside``: some extractors guess legs below the image); joints ``not_finite``, with a
            ``bad_score`` (outside [0, 1]), or missing and ``not_zero``; frames with ``wrong_flags`` (hands
            said to be found or not, and the scores say otherwise by the store's own rule); frames with
            ``no_box`` for a hand though one is said to be found; hands nearer to the other side's wrist
            (``crossed``, of ``crossed_votes``); frames that look ``mirrored`` (of ``mirrored_votes``).
        frozen (ndarray): Shape (N,) bool: two frames or more, all equal, with a joint found.
        fractions (ndarray): Shape (N,) bool: no coordinate above 2 though joints are found.
        digests (list[bytes]): Of each clip's numbers.
        checksum (str): blake2b of all keypoints, hex.
        first_bad (str): Where the first number stands that is not finite or has a wrong score; '' = nowhere.
    """

    counts: Dict[str, np.ndarray]
    frozen: np.ndarray
    fractions: np.ndarray
    digests: List[bytes] = field(default_factory=list)
    checksum: str = ''
    first_bad: str = ''

    def sure(self, name: str) -> Tuple[np.ndarray, np.ndarray]:
        """Clips that vote, and those whose votes say ``name`` clearly; shape (N,) bool each."""
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
    """Reads every number once; memory does not grow with the store, but for some numbers a clip.

    Args:
        store (PoseStore): The store.
        progress (Callable, optional): Called with the clips that are done and their number.
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
        store.refuse_truncated()
        # (R, V, 3)
        stored = np.ascontiguousarray(store.keypoints[start : start + int(store.length[begin:end].sum())])
        checksum.update(stored.data)
        for first, length in zip(local, store.length[begin:end]):
            scan.digests.append(hashlib.blake2b(stored[first : first + length].data, digest_size=16).digest())
        rows, maximum = _row_facts(store, begin, end, stored, hands, votes, scan)
        found = np.add.reduceat(rows['found'], local)
        for name, values in rows.items():
            scan.counts[name][begin:end] = np.add.reduceat(values, local)
        bits = stored.reshape(len(stored), -1).view(f'u{stored.itemsize}')
        moves = np.zeros(len(stored), dtype=np.int64)
        moves[1:] = (bits[1:] != bits[:-1]).any(axis=1)
        moves[local] = 0
        scan.frozen[begin:end] = (
            (np.add.reduceat(moves, local) == 0) & (store.length[begin:end] > 1) & (found > 0)
        )
        scan.fractions[begin:end] = (np.maximum.reduceat(maximum, local) <= 2) & (found > 0)
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
    """Counts of each frame of clips ``begin`` to ``end``, and the largest coordinate of a found joint."""
    length = store.length[begin:end]
    values = store.decode(stored)
    x, y, score = (np.ascontiguousarray(values[..., axis]) for axis in range(3))  # (R, V)
    not_finite = ~(np.isfinite(x) & np.isfinite(y) & np.isfinite(score))
    bad_score = (score < 0) | (score > 1)
    found = (score > 0) & ~not_finite
    # (R, 1)
    size = [
        np.repeat(side[begin:end].astype(np.float32), length)[:, None] for side in (store.width, store.height)
    ]
    with np.errstate(invalid='ignore'):
        outside = found & ((x < 0) | (y < 0) | (x > size[0]) | (y > size[1])) & (size[0] > 0) & (size[1] > 0)
        not_zero = (score == 0) & ~not_finite & ((x != 0) | (y != 0))
        maximum = np.where(found, np.maximum(np.abs(x), np.abs(y)), 0).max(axis=1)
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
    said = flags_found(flags)
    judged = np.concatenate(hands) if any(map(len, hands)) else slice(None)
    rows = dict(
        found=found.sum(axis=1),
        outside=outside.sum(axis=1),
        judged=found[:, judged].sum(axis=1),
        judged_outside=outside[:, judged].sum(axis=1),
        not_finite=not_finite.sum(axis=1),
        bad_score=bad_score.sum(axis=1),
        not_zero=not_zero.sum(axis=1),
        wrong_flags=(said != hands_found(score, store.layout, store.hand_rule)).any(axis=1),
        no_box=said.any(axis=1) & ~hands_found(score, store.layout).any(axis=1),
        **votes(x, y, found, size[0][:, 0]),
    )
    return {name: np.asarray(value, dtype=np.int64) for name, value in rows.items()}, maximum


class _Votes:
    """Frames that speak for exchanged hands or for a mirrored picture."""

    def __init__(self, joints: Sequence[str]) -> None:
        place = {name: index for index, name in enumerate(joints)}
        self.pairs = {
            name: (place[f'left_{name}'], place[f'right_{name}'])
            for name in ('hand_root', 'wrist', 'shoulder')
            if f'left_{name}' in place and f'right_{name}' in place
        }

    def __call__(
        self, x: np.ndarray, y: np.ndarray, found: np.ndarray, width: np.ndarray
    ) -> Dict[str, np.ndarray]:
        """Of coordinates (R, V), found (R, V) and image width (R,)."""
        none = np.zeros(len(x), dtype=np.int64)
        out = dict(crossed=none, crossed_votes=none, mirrored=none, mirrored_votes=none)
        x, y = np.where(found, x, 0), np.where(found, y, 0)

        def distance(a: int, b: int) -> np.ndarray:
            return np.hypot(x[:, a] - x[:, b], y[:, a] - y[:, b])

        shoulder = self.pairs.get('shoulder')
        if 'hand_root' in self.pairs and 'wrist' in self.pairs:
            wrists = self.pairs['wrist']
            apart = distance(*wrists)
            scale = (
                0.2 * width
                if shoulder is None
                else np.where(found[:, shoulder].all(axis=1), distance(*shoulder), 0.2 * width)
            )
            clear = found[:, wrists].all(axis=1) & (apart > FAR_APART * scale)
            for root, own, other in zip(self.pairs['hand_root'], wrists, wrists[::-1]):
                near, far = distance(root, own), distance(root, other)
                vote = clear & found[:, root] & (np.minimum(near, far) < 0.5 * apart)
                out['crossed_votes'] = out['crossed_votes'] + vote
                out['crossed'] = out['crossed'] + (vote & (far < near))
        # who faces the camera has the left shoulder at the picture's right
        sides = shoulder or self.pairs.get('hand_root')
        if sides:
            vote = found[:, sides].all(axis=1) & (np.abs(x[:, sides[0]] - x[:, sides[1]]) > 0.02 * width)
            out['mirrored_votes'], out['mirrored'] = vote, vote & (x[:, sides[0]] < x[:, sides[1]])
        return out
