"""Plans of clips: a gloss as one signer performs it once. Numbers of a clip, not yet of frames."""

from dataclasses import dataclass
from typing import Tuple

import numpy as np
from numpy import ndarray

from ...errors import UserIndexError
from . import inventory as inv
from .arrays import generator, quaternion_axes, quaternion_product
from .hand_skeleton import LIMITS
from .signers import Signers
from .vocabulary import ALTERNATING, BASE, BETWEEN, ONE_HANDED, SYMMETRIC, Vocabulary

FPS = 25.0
NUM_UNIFORM = 128
NUM_NORMAL = 640
_REACH = 0.085  # wrist to the middle of the hand, metres
_NON, _DOM = 0, 1
# shape keys: before, three of the sign, after; orientation keys: before, two of the sign, after
SHAPE_KEYS, ORIENTATION_KEYS = 5, 4


class ClipNumbers:
    """Random numbers of clips, as arrays with the clips on the last axis.

    Each number depends on seed, clip index and order of the calls alone.
    """

    def __init__(self, seed: int, indices: ndarray) -> None:
        self.generators = [generator(seed, int(index)) for index in indices]
        # All numbers of a clip are drawn at once: one call per clip, not one per clip and quantity.
        self._uniform = np.stack([rng.random(NUM_UNIFORM) for rng in self.generators], axis=1)
        self._normal = np.stack([rng.standard_normal(NUM_NORMAL) for rng in self.generators], axis=1)
        self._used = [0, 0]

    def _take(self, source: ndarray, which: int, shape: Tuple[int, ...]) -> ndarray:
        start = self._used[which]
        self._used[which] = stop = start + int(np.prod(shape, dtype=np.int64))
        if stop > len(source):
            raise UserIndexError(f'clip numbers used up: {stop} needed of {len(source)}')
        return source[start:stop].reshape(*shape, source.shape[1])

    def uniform(self, low: float, high: float, *shape: int) -> ndarray:
        return low + (high - low) * self._take(self._uniform, 0, shape)

    def normal(self, deviation: float, *shape: int) -> ndarray:
        # No draw further out than three deviations: joints would leave any plausible pose.
        return deviation * np.clip(self._take(self._normal, 1, shape), -3.0, 3.0)


@dataclass
class Plan:
    """The numbers of B clips, as arrays with the clips on the last axis.

    Where the hands differ, the hand is the axis before it (0 = left, 1 = right). Positions of both hands are
    in the right hand's body frame (:mod:`.inventory`). The left hand is mirrored when joints are made. Times
    are shares of the clip.
    """

    length: ndarray  # (B,) int64 frames
    left_handed: ndarray  # (B,) bool, this time
    uses_both: ndarray  # (B,) bool
    onset: ndarray  # (B,) the sign begins
    end: ndarray  # (B,)
    transit: ndarray  # (2, B) duration of the way there and of the way back
    overlap: ndarray  # (B,) share of a way that the sign runs into
    ease: ndarray  # (B,)
    skew: ndarray  # (B,)
    lag: ndarray  # (2, B)
    before: ndarray  # (3, 2, B) wrist before the sign, metres
    after: ndarray  # (3, 2, B)
    start: ndarray  # (3, 2, B) wrist at the sign's start
    shift: ndarray  # (3, 2, B)
    wave: ndarray  # (3, 2, B)
    wave_2: ndarray  # (3, 2, B)
    cycles: ndarray  # (B,)
    quarter: ndarray  # (B,)
    phase: ndarray  # (2, B) periods
    to_and_fro: ndarray  # (B,) 1.0 where the path is run to and fro
    swing: ndarray  # (3, 2, B) 1.0 where shape, orientation go to and fro, fingers wiggle
    shapes: ndarray  # (45, SHAPE_KEYS, 2, B) radians
    orientations: ndarray  # (4, ORIENTATION_KEYS, 2, B)
    stiffness: ndarray  # (B,) how far the hand follows the forearm
    swivel: ndarray  # (2, B)
    tremor: ndarray  # (3, 2, 3, B) wrist: amplitude in metres, frequency, phase in periods
    sway: ndarray  # (5, 3, B) x, y, z of the body, turn and nod of the head: amplitude, frequency, phase


def plan_clips(
    vocabulary: Vocabulary,
    signers: Signers,
    gloss: ndarray,
    signer: ndarray,
    numbers: ClipNumbers,
    length: Tuple[int, int],
    variety: float,
) -> Plan:
    """Plans one clip for each pair of gloss and signer, both int64 of shape (B,)."""
    v, s = vocabulary, signers
    size = len(gloss)
    # In a few clips the other hand leads.
    flip = numbers.uniform(0, 1) < 0.03 * variety
    left_handed = s.left_handed[signer] ^ flip

    def slots(roles: ndarray) -> ndarray:
        """From roles (..., role, B) to hands (..., left and right, B)."""
        return np.where(left_handed, roles[..., ::-1, :], roles)

    # --- time
    sign_frames = v.frames[gloss] * s.tempo[signer] * np.exp(numbers.normal(0.2 * variety))
    way = FPS * s.transit[signer] * np.exp(numbers.normal(0.25 * variety, 2))  # frames there and back
    # A trimmed clip begins after the hand has set out; another one shows some rest as well.
    trimmed = numbers.uniform(0, 1) < s.trimmed[signer]
    slack = np.where(trimmed, numbers.uniform(-0.6, 0.3, 2) * way, numbers.uniform(0.0, 7.0, 2) + 0.2 * way)
    ends = np.maximum(way + slack, 0.5)
    total = sign_frames + ends[0] + ends[1]
    count = np.clip(np.rint(total), *length).astype(np.int64)
    # Shares of the clip, so that a clipped number of frames changes the tempo alone.
    onset, end, transit = ends[0] / total, 1.0 - ends[1] / total, way / total

    # --- which hands
    kind = v.kind[gloss].copy()
    # Some symmetric signs are made with one hand.
    weak = numbers.uniform(0, 1) < 0.06 * variety
    kind[weak & ((kind == SYMMETRIC) | (kind == ALTERNATING))] = ONE_HANDED
    passive = (kind == ONE_HANDED) | (kind == BASE)
    base = kind == BASE

    # --- hand orientations, (4, key, role, B)
    # The resting posture before and after: mostly the signer's favourite, else any.
    rest = np.where(
        numbers.uniform(0, 1, 2) < 0.7,
        s.rest[signer],
        (numbers.uniform(0, 1, 2) * len(inv.REST_PLACES)).astype(np.int64),
    )
    # Before and after: in running signing the neighbour is another sign, not a rest.
    continuous = numbers.uniform(0, 1, 2) < s.continuous[signer]
    neighbour = (numbers.uniform(0, 1, 2) * len(v.glosses)).astype(np.int64)

    def facing(index: ndarray, key: int) -> ndarray:
        """Quaternions (4, role, B) of indices (role, B), with the signer's bias and this clip's."""
        # Half the rotation vector is the vector part of a small rotation's quaternion, to first order.
        vector = 0.5 * (np.moveaxis(s.orientation_bias[signer, index], -1, 0) + numbers_orientation[:, key])
        return quaternion_product(
            np.concatenate([np.ones_like(vector[:1]), vector]), np.moveaxis(inv.ORIENTATIONS[index], -1, 0)
        )

    numbers_orientation = numbers.normal(np.radians(10.0) * variety, 3, ORIENTATION_KEYS, 2)
    at_rest = np.moveaxis(inv.REST_ORIENTATIONS[rest], -1, 0)  # (4, 2 before and after, B)
    keys = [facing(np.stack([v.orientations[neighbour[0], 1]] * 2), 0)]
    keys += [
        facing(
            np.stack(
                [
                    np.where(base, v.base_orientation[gloss], v.orientations[gloss, k]),
                    v.orientations[gloss, k],
                ]
            ),
            1 + k,
        )
        for k in (0, 1)
    ]
    keys += [facing(np.stack([v.orientations[neighbour[1], 0]] * 2), 3)]
    orientations = np.stack(keys, axis=1)  # (4, key, role, B)
    for key, which in ((0, 0), (3, 1)):
        orientations[:, key] = np.where(continuous[which], orientations[:, key], at_rest[:, None, which])
    # The passive hand of a one-handed sign rests throughout.
    orientations[:, 1:3, _NON] = np.where(kind == ONE_HANDED, at_rest[:, :1], orientations[:, 1:3, _NON])
    orientations[:, 3, _NON] = np.where(kind == ONE_HANDED, at_rest[:, 0], orientations[:, 3, _NON])
    orientations[:, 0, _NON] = np.where(kind == ONE_HANDED, at_rest[:, 0], orientations[:, 0, _NON])
    # q and -q are one rotation. The sign with a positive product blends along the shorter way.
    for key in range(1, ORIENTATION_KEYS):
        a, b = orientations[:, key - 1], orientations[:, key]
        orientations[:, key] = np.where(a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3] < 0, -b, b)

    # --- wrist path, (3, role, B)
    scale = s.scale[signer]
    near = numbers.normal(0.021 * variety, 3)

    def place(index: ndarray) -> ndarray:
        """Position of the middle of the hand at places (B,): (3, B), metres."""
        point = (inv.PLACES[index] * scale[:, None] + s.place_bias[signer, index]).T
        point[1] += inv.HEAD_PLACES[index] * s.head[signer]
        return point + near

    reach = _REACH * s.hand_scale[signer]
    fingers = quaternion_axes(orientations)[0]  # (3, key, role, B)
    big = s.amplitude[signer] * np.exp(numbers.normal(0.12 * variety)) * scale
    first = place(v.place[gloss])
    second = np.where(v.move[gloss] == BETWEEN, place(v.place_2[gloss]), first + v.shift[gloss].T * big)
    meeting = v.meeting_shift[gloss].T * np.where(base, scale, 0.0)
    # Places are for the middle of the hand; the wrist lies behind it, against the fingers' direction.
    start = np.stack([first, first + meeting], axis=1) - fingers[:, 1] * reach
    shift = (
        np.stack([np.where(base, 0.0, second - first), second - first], axis=1)
        - (fingers[:, 2] - fingers[:, 1]) * reach
    )
    both = (kind == SYMMETRIC) | (kind == ALTERNATING)
    # Both hands keep to their own side, 5 cm from the middle, or they would pass through each other.
    start[0] = np.where(both, np.minimum(start[0], -0.05), start[0])
    shift[0] = np.where(both, np.minimum(shift[0], -0.05 - start[0]), shift[0])
    # (3, before and after, B)
    rest_place = np.moveaxis(inv.REST_PLACES[rest], -1, 0) * scale + numbers.normal(0.02 * variety, 3, 2)
    around = []
    for which, key in ((0, 0), (1, 3)):
        # The neighbour is random: only its place, shape and orientation are used.
        aside = place(v.place[neighbour[which]])[:, None] - fingers[:, key] * reach
        around.append(np.where(continuous[which], aside, rest_place[:, None, which]))
    before, after = around
    idle = kind == ONE_HANDED
    for array, value in (
        (before, rest_place[:, 0]),
        (after, rest_place[:, 0]),
        (start, rest_place[:, 0]),
        (shift, np.zeros(3)[:, None]),
    ):
        array[:, _NON] = np.where(idle, value, array[:, _NON])
    # A passive hand does not make the waves.
    moving = np.stack([np.where(passive, 0.0, 1.0), np.ones(size)]) * big  # (role, B)

    # --- repetitions: how often is not part of the sign
    cycles = v.cycles[gloss]
    more = numbers.uniform(0, 1)
    extra = np.where(more < 0.25 * variety, 1.0, np.where(more > 1 - 0.15 * variety, -1.0, 0.0))
    # Only a repeated movement can be repeated once more or less.
    cycles = np.where(cycles >= 2.0, cycles + extra, cycles)
    # Alternating hands are half a period apart.
    opposite = np.stack([np.where(kind == ALTERNATING, 0.5, 0.0), np.zeros(size)])

    # --- hand shapes, (45, key, role, B)
    sign_shapes = v.shapes[gloss].T  # (3, B)
    own = np.where(kind == ONE_HANDED, inv.RELAXED, np.where(base, v.base_shape[gloss], sign_shapes))
    index = np.full((SHAPE_KEYS, 2, size), inv.RELAXED, dtype=np.int64)
    index[1:4, _NON], index[1:4, _DOM] = own, sign_shapes
    index[0] = np.where(continuous[0], v.shapes[neighbour[0], 2], inv.RELAXED)
    index[4] = np.where(continuous[1], v.shapes[neighbour[1], 0], inv.RELAXED)
    index[:, _NON] = np.where(idle, inv.RELAXED, index[:, _NON])
    noise = numbers.normal(np.radians(5.5) * variety, 45, SHAPE_KEYS, 2)
    shapes = np.moveaxis(s.shapes[signer, index].reshape(SHAPE_KEYS, 2, size, 45), -1, 0) + noise
    limits = LIMITS.reshape(45, 2, 1, 1, 1)
    # Noise must not bend a joint past its limits.
    shapes = np.clip(shapes, limits[:, 0], limits[:, 1])
    swing = np.stack(
        [np.stack([np.where(passive, 0.0, 1.0), np.ones(size)]) * v.swing[gloss, part] for part in range(3)]
    )

    tremor = np.stack(
        [
            numbers.uniform(0.002, 0.007, 2, 3) * variety,
            numbers.uniform(1.0, 3.0, 2, 3),
            numbers.uniform(0, 1, 2, 3),
        ]
    )
    sway = np.stack(
        [numbers.uniform(0.2, 1.0, 5), numbers.uniform(0.3, 1.2, 5), numbers.uniform(0, 1, 5)], axis=1
    )
    sway[:, 0] *= variety * np.array([0.012, 0.006, 0.012, 0.15, 0.12])[:, None]
    return Plan(
        length=count,
        left_handed=left_handed,
        uses_both=~idle,
        onset=onset,
        end=end,
        transit=transit,
        overlap=s.overlap[signer],
        ease=s.ease[signer],
        skew=np.clip(numbers.normal(0.12 * variety), -0.24, 0.24),
        lag=slots(np.stack([numbers.normal(0.012 * variety), np.zeros(size)])),
        before=slots(before),
        after=slots(after),
        start=slots(start),
        shift=slots(shift),
        wave=slots(v.wave[gloss].T[:, None] * moving),
        wave_2=slots(v.wave_2[gloss].T[:, None] * moving),
        cycles=cycles,
        quarter=v.quarter[gloss],
        phase=slots(opposite),
        # Repeated movements have two cycles and no wave.
        to_and_fro=(v.cycles[gloss] == 2.0) * (np.abs(v.wave[gloss]).max(axis=1) == 0) * 1.0,
        swing=slots(swing),
        shapes=slots(shapes),
        orientations=slots(orientations),
        stiffness=s.stiffness[signer],
        swivel=s.swivel[signer] + numbers.normal(0.1 * variety, 2),
        tremor=tremor,
        sway=sway,
    )
