"""From plans to joints, for every frame of every clip at once."""

from typing import NamedTuple, Tuple

import numpy as np
from numpy import ndarray

from .arrays import cross, dot, quaternion_axes, smoothstep, unit
from .hand_skeleton import LIMITS, hand_joints
from .plan import Plan
from .signers import Signers

BODY_JOINTS = (
    'nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow '
    'left_wrist right_wrist left_hip right_hip'
).split()
_TURN = 2.0 * np.pi
_WIGGLE = np.radians(16.0)
# Head relative to its pivot (0, 0.17, 0), metres: nose, left eye, left ear.
_HEAD = np.array([(0.0, 0.010, 0.105), (0.032, 0.045, 0.080), (0.076, 0.020, 0.0)])


class Frames(NamedTuple):
    """The F frames of all B clips.

    ``clip`` (F,) int64 is the clip of each frame, ``time`` (F,) float32 its share of the clip in [0, 1],
    ``second`` (F,) float32 its time in seconds. ``length`` (B,) int64 is the number of frames of each clip.
    """

    clip: ndarray
    time: ndarray
    second: ndarray
    length: ndarray

    @classmethod
    def of(cls, length: ndarray, fps: float) -> 'Frames':
        clip = np.repeat(np.arange(len(length)), length)
        # Index of each frame within its clip: the global index minus the clip's offset.
        position = np.arange(len(clip)) - np.repeat(np.cumsum(length) - length, length)
        time = position / np.maximum(length - 1, 1)[clip]
        return cls(clip, time.astype(np.float32), (position / fps).astype(np.float32), length)

    def spread(self, values: ndarray) -> ndarray:
        """Clip values (..., B) as float32 frame values (..., F)."""
        return np.repeat(np.asarray(values, dtype=np.float32), self.length, axis=-1)


def _sine(periods: ndarray) -> ndarray:
    return np.sin(np.float32(_TURN) * periods)


def _progress(plan: Plan, frames: Frames) -> Tuple[ndarray, ndarray, ndarray, ndarray, ndarray]:
    """Progress of the sign in [0, 1], and weights of the postures before and after it.

    Returns five arrays (2 hands, F): progress; weights before and after for the path; weights before and
    after for shape and orientation.
    """
    spread = frames.spread
    # (2, F)
    time = frames.time - spread(plan.lag)
    onset, end, way_in, way_out = (
        spread(a) for a in (plan.onset, plan.end, plan.transit[0], plan.transit[1])
    )
    overlap, ease, skew = spread(plan.overlap), spread(plan.ease), spread(plan.skew)
    # With overlap the sign's movement begins before the hand has arrived, as in fluent signing.
    begin, stop = onset - overlap * way_in, end + overlap * way_out
    s = np.clip((time - begin) / (stop - begin), 0.0, 1.0)
    # Skew moves the fastest moment; ease slows the ends down. Both keep 0 and 1 in place.
    s = s + skew * 4.0 * s * (1.0 - s)
    s = s + ease * (smoothstep(s) - s)
    from_start, from_end = (time - onset) / way_in + 1.0, (time - end) / way_out
    # The factors 1.25: the hand has its shape before it arrives, and keeps it for a while as it leaves.
    return (
        s,
        1.0 - smoothstep(from_start),
        smoothstep(from_end),
        1.0 - smoothstep(from_start * 1.25),
        smoothstep(from_end * 1.25 - 0.25),
    )


def _wrists(plan: Plan, frames: Frames, s: ndarray, before: ndarray, after: ndarray) -> ndarray:
    """Wrist targets in metres, (3, 2, F)."""
    spread = frames.spread
    cycles, repeated, phase = spread(plan.cycles), spread(plan.to_and_fro), spread(plan.phase)
    # (2, F), periods
    run = s * cycles + phase
    # Share of the shift: to and fro as a cosine, reversed for an alternating hand, or once from 0 to 1.
    along = np.where(
        repeated > 0, 0.5 - 0.5 * np.cos(np.float32(_TURN) * run), np.where(phase > 0, 1.0 - s, s)
    )
    quarter = spread(plan.quarter)
    # Minus the value at s = 0, so that the path begins at its start.
    wave, wave_2 = _sine(run) - _sine(phase), _sine(run + quarter) - _sine(phase + quarter)
    core = (
        spread(plan.start)
        + spread(plan.shift) * along
        + spread(plan.wave) * wave
        + spread(plan.wave_2) * wave_2
    )
    # (2, 3, F) each
    amplitude, frequency, start = (spread(a) for a in plan.tremor)
    tremor = np.moveaxis(amplitude * _sine(frequency * frames.second + start), 1, 0)
    return core * (1.0 - before - after) + spread(plan.before) * before + spread(plan.after) * after + tremor


def _blend(keys: ndarray, position: ndarray, frames: Frames, sharp: float) -> ndarray:
    """Blends keys (C, K, 2, B) at ``position`` (2, F) in [0, K - 1]: (C, 2, F)."""
    channels, count, hands, clips = keys.shape
    table = np.ascontiguousarray(keys, dtype=np.float32).reshape(channels, -1)
    # The last key has no next one, so the pair before it serves with a weight of 1.
    lower = np.minimum(position.astype(np.int64), count - 2)
    # A larger `sharp` shortens the change between two keys and holds them longer.
    part = smoothstep((position - lower - 0.5) * sharp + 0.5)
    # Column of key, hand and clip in the flattened table.
    # (2, F)
    row = (lower * hands + np.arange(hands)[:, None]) * clips + frames.clip
    first = np.take(table, row.reshape(-1), axis=1, mode='clip')
    last = np.take(table, (row + hands * clips).reshape(-1), axis=1, mode='clip')
    # In place: these arrays are the largest of the generator.
    last -= first
    last *= part.reshape(-1)
    first += last
    return first.reshape(channels, hands, -1)


def _arm(
    shoulder: ndarray, target: ndarray, upper: ndarray, fore: ndarray, swivel: ndarray
) -> Tuple[ndarray, ndarray]:
    """Inverse kinematics of two bones from ``shoulder`` to ``target``: elbow and wrist, (3, 2, F) each.

    A target out of reach is moved to the nearest distance that the arm can reach.
    """
    way = target - shoulder
    distance = np.sqrt(np.maximum(dot(way, way), 1e-8))
    reach = np.clip(distance, np.abs(upper - fore) + 0.08, 0.985 * (upper + fore))
    along = way / distance
    wrist = shoulder + along * reach
    # Law of cosines: `foot` is the elbow's projection on the line to the wrist, `height` its distance.
    foot = (upper * upper - fore * fore + reach * reach) / (2.0 * reach)
    height = np.sqrt(np.maximum(upper * upper - foot * foot, 0.0))
    # The elbow points down, out and a little back.
    pole = np.stack([-0.55 - swivel, np.full_like(swivel, -1.0), np.full_like(swivel, -0.35)])
    pole = unit(pole - along * dot(pole, along))
    return shoulder + along * foot + pole * height, wrist


def clip_joints(plan: Plan, signers: Signers, signer: ndarray, frames: Frames) -> Tuple[ndarray, ndarray]:
    """All joints of all frames.

    Returns:
        tuple: Body joints (3, 13, F) in the order of BODY_JOINTS and hand joints (3, 2, 21, F), float32,
            metres, in the body frame.
    """
    spread = frames.spread
    s, before, after, shape_before, shape_after = _progress(plan, frames)
    target = _wrists(plan, frames, s, before, after)

    to_and_fro = 0.5 - 0.5 * np.cos(np.float32(_TURN) * s * np.maximum(np.rint(spread(plan.cycles)), 2.0))
    # (3, 2, F)
    swing = spread(plan.swing)
    # 1 within the sign, 0 in the postures before and after.
    core = (1.0 - shape_before) * (1.0 - shape_after)
    # Shape keys: 0 before, 1 to 3 the sign, 4 after. Orientation keys: 0 before, 1 and 2 the sign, 3 after.
    # (45, 2, F)
    angles = _blend(
        plan.shapes, (1.0 + 2.0 * (s + swing[0] * (to_and_fro - s))) * core + 4.0 * shape_after, frames, 1.6
    )
    # (4, 2, F)
    quaternion = _blend(
        plan.orientations, (1.0 + s + swing[1] * (to_and_fro - s)) * core + 3.0 * shape_after, frames, 1.0
    )
    angles = angles.reshape(5, 3, 3, 2, -1)
    # Wiggling fingers follow each other.
    lag = np.float32(0.18) * np.arange(4, dtype=np.float32)[:, None, None]
    knuckles = angles[1:, 0, 0] + np.float32(_WIGGLE) * swing[2] * core * _sine(4.0 * s + lag)
    angles[1:, 0, 0] = np.clip(knuckles, np.float32(LIMITS[1, 0, 0, 0]), np.float32(LIMITS[1, 0, 0, 1]))

    half, hip = spread(signers.shoulder[signer]), spread(signers.hip[signer])
    zero = np.zeros_like(half)
    # The right shoulder. Both arms are computed as right ones, and the left one is mirrored at the end.
    shoulder = np.stack([-half, zero, zero])[:, None]
    arm = [spread(getattr(signers, name)[signer]) for name in ('upper_arm', 'forearm')]
    elbow, wrist = _arm(shoulder, target, *arm, spread(plan.swivel))

    y_axis, z_axis = quaternion_axes(quaternion)
    # The hand follows the forearm a little; the axes are made orthogonal again.
    y_axis = unit(y_axis + spread(plan.stiffness) * unit(wrist - elbow))
    z_axis = unit(z_axis - y_axis * dot(y_axis, z_axis))
    axes = (cross(y_axis, z_axis), y_axis, z_axis)
    # Both hands of a signer have the same bones: they lie side by side on the last axis.
    twice = np.concatenate([frames.length, frames.length])
    # (5, 3, B) each
    bones, roots = (np.moveaxis(a[signer], 0, -1).astype(np.float32) for a in (signers.bones, signers.roots))
    bones = np.repeat(np.concatenate([bones, bones], axis=-1), twice, axis=-1)
    roots = np.repeat(np.concatenate([roots, roots], axis=-1), twice, axis=-1).transpose(1, 0, 2)
    local = hand_joints(angles.reshape(5, 3, 3, -1), bones, roots).reshape(3, 21, 2, -1)
    hands = np.empty((3, 2, 21, local.shape[-1]), dtype=np.float32)
    # local @ axes + wrist, written out to avoid copies of the large arrays.
    for axis in range(3):
        for hand in range(2):
            x, y, z = (a[axis, hand] for a in axes)
            hands[axis, hand] = (
                local[0, :, hand] * x + local[1, :, hand] * y + local[2, :, hand] * z + wrist[axis, hand]
            )

    sway = [spread(a[0]) * _sine(spread(a[1]) * frames.second + spread(a[2])) for a in plan.sway]
    body = np.empty((3, 13, len(half)), dtype=np.float32)
    body[:, :5] = _head(sway[3], sway[4], spread(0.17 * signers.scale[signer] + signers.head[signer]))
    for hand in range(2):
        body[:, 5 + hand] = shoulder[:, 0]
        body[:, 7 + hand], body[:, 9 + hand] = elbow[:, hand], wrist[:, hand]
        body[:, 11 + hand] = np.stack([-hip, zero - 0.5 * half / 0.185, zero])
    # Mirror the left hand, and the left shoulder, elbow, wrist and hip.
    hands[0, 0] *= -1.0
    body[0, 5::2] *= -1.0
    for axis in range(3):
        hands[axis] += sway[axis]
        body[axis] += sway[axis]
    return body, hands


def _head(turn: ndarray, nod: ndarray, height: ndarray) -> ndarray:
    """Nose, eyes and ears in metres, (3, 5, F)."""
    points = _HEAD[[0, 1, 1, 2, 2]].astype(np.float32)
    # The right eye and ear mirror the left ones.
    points[[2, 4], 0] *= -1.0
    x, y, z = (points[:, axis, None] for axis in range(3))
    # Nod about x, then turn about y.
    z, y = z * np.cos(nod) + y * np.sin(nod), y * np.cos(nod) - z * np.sin(nod)
    x, z = x * np.cos(turn) + z * np.sin(turn), z * np.cos(turn) - x * np.sin(turn)
    return np.stack([x, y + height, z])
