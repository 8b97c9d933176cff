"""What a pose detector makes of the true joints: jitter, lost and wrong joints, lost hands, confidences that
are not always right.
"""

from dataclasses import dataclass
from typing import List, Tuple

import numpy as np
from numpy import ndarray

from .motion import Frames
from .plan import ClipNumbers

_BURSTS = 3
_BODY = 13


@dataclass(frozen=True)
class DetectorOdds:
    """Rates at strength 1; each is multiplied by the strength (and by the clip's quality where said).

    Args:
        jitter (float): Deviation of a clear joint, share of the hand's size (x quality); hidden and blurred
            joints have more.
        pixel (float): Deviation at any size, pixels.
        lost, wrong, timid, bold (float): Odds a joint and frame: missing; far off with low confidence; low
            confidence where right; far off with high confidence.
        burst (float): Odds of each of 3 bursts a hand and clip in which the hand is lost for 2 to 14 frames
            (x quality).
        blink (float): Odds that a hand is lost in a single frame; fast hands are lost up to five times as
            often.
        swap (float): Share of the bursts in which the other hand's joints are reported in place of the lost
            one's.
        absent (float): Odds that a hand at rest is never found.
    """

    jitter: float = 0.020
    pixel: float = 0.4
    lost: float = 0.025
    wrong: float = 0.02
    timid: float = 0.03
    bold: float = 0.006
    burst: float = 0.3
    blink: float = 0.02
    swap: float = 0.12
    absent: float = 0.35


def _shifted(values: ndarray, frames: Frames) -> ndarray:
    """Values (..., F) of the frame before; of the first frame its own."""
    before = np.empty_like(values)
    before[..., 1:] = values[..., :-1]
    first = np.cumsum(frames.length) - frames.length
    before[..., first] = values[..., first]
    return before


def _frame_numbers(
    generators: List[np.random.Generator], length: ndarray, joints: int
) -> Tuple[ndarray, ndarray, ndarray]:
    """Noise (2, joints, F) normal; chances (joints, F) and (2, F) uniform; float32."""
    total = int(length.sum())
    noise = np.empty((2 * joints, total), dtype=np.float32)
    chance = np.empty((joints + 2, total), dtype=np.float32)
    start = 0
    for rng, count in zip(generators, length):
        noise[:, start : start + count] = rng.standard_normal((2 * joints, count), dtype=np.float32)
        chance[:, start : start + count] = rng.random((joints + 2, count), dtype=np.float32)
        start += count
    return noise.reshape(2, joints, total), chance[:joints], chance[joints:]


def _lost_hands(
    frames: Frames,
    numbers: ClipNumbers,
    both: ndarray,
    left_handed: ndarray,
    quality: ndarray,
    speed: ndarray,
    blink: ndarray,
    odds: DetectorOdds,
    strength: float,
) -> Tuple[ndarray, ndarray]:
    """(2, F) bool each: the hand is lost; it is replaced by the other one."""
    active = numbers.uniform(0, 1, _BURSTS, 2) < odds.burst * strength * quality
    start, duration = (
        numbers.uniform(-0.1, 1.0, _BURSTS, 2),
        numbers.uniform(2.0, 14.0, _BURSTS, 2) / frames.length,
    )
    swapped = numbers.uniform(0, 1, _BURSTS, 2) < odds.swap
    leading = np.stack([left_handed, ~left_handed])
    absent = frames.spread((numbers.uniform(0, 1) < odds.absent * strength) & ~both & ~leading) > 0
    lost = blink < odds.blink * strength * (1.0 + 4.0 * np.clip(speed / 0.35, 0.0, 1.0))
    swap = np.zeros_like(lost)
    for burst in range(_BURSTS):
        from_here = frames.spread(start[burst])
        inside = (
            (frames.time >= from_here)
            & (frames.time <= from_here + frames.spread(duration[burst]))
            & (frames.spread(active[burst]) > 0)
        )
        swap |= inside & (frames.spread(swapped[burst]) > 0)
        lost |= inside
    return (lost & ~swap) | absent, swap & ~absent


def detect(
    pixels: ndarray,
    depth: ndarray,
    frames: Frames,
    numbers: ClipNumbers,
    image_size: ndarray,
    both: ndarray,
    left_handed: ndarray,
    quality: ndarray,
    strength: float,
    odds: DetectorOdds,
) -> Tuple[ndarray, ndarray]:
    """Runs the detector model.

    Args:
        pixels (ndarray): Shape (2, 55, F) float32, true x and y in pixels: 13 body joints, left hand, right
            hand.
        depth (ndarray): Shape (55, F) float32, metres from the camera.
        image_size (ndarray): Shape (2, B), pixels.
        both, left_handed (ndarray): Shape (B,) bool: whether the sign uses both hands; which hand leads.
        quality (ndarray): Shape (B,): factor of the errors.
        strength (float): 0 = no faults at all.

    Returns:
        tuple: Coordinates (2, 55, F), pixels, and confidences (55, F) in [0, 1]; a missing joint has 0 in all
            three.
    """
    joints = pixels.shape[1]
    noise, chance, blink = _frame_numbers(numbers.generators, frames.length, joints)
    noise = np.float32(0.8) * noise + np.float32(0.6) * _shifted(noise, frames)  # errors last a little
    factor = frames.spread(quality) * np.float32(strength)
    size, hidden, speed = _hand_state(pixels, depth, frames)

    deviation = np.empty((joints, len(frames.time)), dtype=np.float32)
    across = np.abs(pixels[0, 5] - pixels[0, 6]) + np.float32(0.3) * np.abs(pixels[1, 5] - pixels[1, 11])
    deviation[:_BODY] = (0.02 * across + odds.pixel) * factor
    for hand in range(2):
        part = slice(_BODY + 21 * hand, _BODY + 21 * (hand + 1))
        blur = 1.0 + 2.0 * np.clip(speed[hand] / np.float32(0.35), 0.0, 1.0)
        deviation[part] = (odds.jitter * size[hand] * blur * (1.0 + 1.5 * hidden[hand]) + odds.pixel) * factor

    # one number a joint and frame decides on its fate: lost | wrong | wrong and bold | right and timid | as
    # usual
    edges = (np.cumsum([odds.lost, odds.wrong, odds.bold, odds.timid]) * strength).astype(np.float32)
    scale = np.concatenate(
        [np.repeat(across[None] * np.float32(0.15), _BODY, 0), np.repeat(size * np.float32(0.22), 21, 0)]
    )
    rare = chance < edges[3]  # the few that need more than the usual
    row, frame = np.nonzero(rare)
    fate = chance[row, frame]
    far = (fate >= edges[0]) & (fate < edges[2])
    usual = deviation[row, frame]
    deviation[row, frame] = np.where(far, np.maximum(scale[row, frame], usual), usual)
    noise *= deviation
    found = pixels + noise

    share = np.sqrt(noise[0] * noise[0] + noise[1] * noise[1]) / np.maximum(scale, np.float32(1.0))
    spare = chance * np.float32(997.0)
    spare -= np.floor(spare)
    score = np.float32(0.98) - np.float32(0.45) * np.minimum(share, np.float32(1.6)) - np.float32(0.1) * spare
    score[_BODY:] -= np.float32(0.12 * strength) * hidden.reshape(42, -1)
    score[row, frame] = np.select(
        [(fate >= edges[1]) & (fate < edges[2]), fate >= edges[2]],
        [np.float32(0.9) - np.float32(0.2) * spare[row, frame], np.float32(0.35) * score[row, frame]],
        score[row, frame],
    )
    score = np.clip(score, np.float32(0.05), np.float32(1.0))

    lost, swap = _lost_hands(frames, numbers, both, left_handed, quality, speed, blink, odds, strength)
    hands, scores = found[:, _BODY:].reshape(2, 2, 21, -1), score[_BODY:].reshape(2, 21, -1)
    hands[:] = np.where(swap[:, None], hands[:, ::-1], hands)
    scores[:] = np.where(swap[:, None], np.float32(0.7) * scores[::-1], scores)
    scores *= ~lost[:, None]

    width, height = frames.spread(image_size)
    score *= (
        (chance >= edges[0]) & (found[0] >= 0) & (found[1] >= 0) & (found[0] < width) & (found[1] < height)
    )
    outside = (scores > 0).sum(axis=1) < 6  # too little of the hand is in the picture
    scores *= ~outside[:, None]
    found *= score > 0
    return found, score


def _hand_state(pixels: ndarray, depth: ndarray, frames: Frames) -> Tuple[ndarray, ndarray, ndarray]:
    """Size (2, F) in pixels; how hidden each joint is (2, 21, F) in [0, 1]; speed (2, F) in hand sizes a
    frame.
    """
    hands = pixels[:, _BODY:].reshape(2, 2, 21, -1)
    away = hands[:, :, 1:] - hands[:, :, :1]
    size = np.sqrt((away[0] * away[0] + away[1] * away[1]).max(axis=1))
    far = depth[_BODY:].reshape(2, 21, -1)
    hidden = np.clip((far - far[:, 9:10]) / np.float32(0.05), 0.0, 1.0)  # behind the middle finger's knuckle
    step = hands[:, :, 0] - _shifted(hands[:, :, 0], frames)
    size = np.maximum(size, 2.0)
    return size, hidden, np.sqrt(step[0] * step[0] + step[1] * step[1]) / size
