"""A model of a pose detector's errors: jitter, lost and wrong joints, lost hands, wrong confidences."""

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
    """Rates at strength 1. Each is multiplied by the strength, and by the clip's quality where noted.

    Args:
        jitter (float): Deviation of a clear joint as a share of the hand's size (x quality). Hidden and
            blurred joints have more.
        pixel (float): Additional deviation, pixels.
        lost (float): Odds for a joint in a frame: it is missing.
        wrong (float): Odds for a joint in a frame: it is far off, with low confidence.
        timid (float): Odds for a joint in a frame: it is right, with low confidence.
        bold (float): Odds for a joint in a frame: it is far off, with high confidence.
        burst (float): Odds of each of 3 bursts for a hand in a clip. In a burst the hand is lost for 2 to 14
            frames (x quality).
        blink (float): Odds that a hand is lost in a single frame, up to five times as high for fast hands.
        swap (float): Share of the bursts in which the other hand's joints are reported instead of the lost
            one's.
        absent (float): Odds that a resting hand is missing in the whole clip.
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
    """Values (..., F) of the previous frame; a clip's first frame keeps its own."""
    before = np.empty_like(values)
    before[..., 1:] = values[..., :-1]
    # All clips lie in one row, so the first frame of each would see the last of another clip.
    first = np.cumsum(frames.length) - frames.length
    before[..., first] = values[..., first]
    return before


def _frame_numbers(
    generators: List[np.random.Generator], length: ndarray, joints: int
) -> Tuple[ndarray, ndarray, ndarray]:
    """Draws normal noise (2, joints, F) and uniform chances (joints, F) and (2, F), float32."""
    total = int(length.sum())
    noise = np.empty((2 * joints, total), dtype=np.float32)
    chance = np.empty((joints + 2, total), dtype=np.float32)
    start = 0
    # A clip's numbers come from its own generator, whatever clips are made beside it.
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
    """Whether a hand is lost, and whether the other one replaces it: (2, F) bool each."""
    active = numbers.uniform(0, 1, _BURSTS, 2) < odds.burst * strength * quality
    start, duration = (
        numbers.uniform(-0.1, 1.0, _BURSTS, 2),
        numbers.uniform(2.0, 14.0, _BURSTS, 2) / frames.length,
    )
    swapped = numbers.uniform(0, 1, _BURSTS, 2) < odds.swap
    leading = np.stack([left_handed, ~left_handed])
    # A hand that takes no part in the sign rests, and a detector may miss it throughout.
    absent = frames.spread((numbers.uniform(0, 1) < odds.absent * strength) & ~both & ~leading) > 0
    # Speeds of 0.35 hand sizes a frame and more blur the hand fully.
    lost = blink < odds.blink * strength * (1.0 + 4.0 * np.clip(speed / 0.35, 0.0, 1.0))
    swap = np.zeros_like(lost)
    for burst in range(_BURSTS):
        burst_start = frames.spread(start[burst])
        inside = (
            (frames.time >= burst_start)
            & (frames.time <= burst_start + frames.spread(duration[burst]))
            & (frames.spread(active[burst]) > 0)
        )
        swap |= inside & (frames.spread(swapped[burst]) > 0)
        lost |= inside
    # A swapped hand is reported, at the wrong place, so it is not lost.
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
        both, left_handed (ndarray): Shape (B,) bool: the sign uses both hands; the left hand leads.
        quality (ndarray): Shape (B,): factor of the errors, 1 = average.
        strength (float): 0 = no faults at all.

    Returns:
        tuple: Coordinates (2, 55, F), pixels, and confidences (55, F) in [0, 1]; a missing joint has 0 in all
            three.
    """
    joints = pixels.shape[1]
    noise, chance, blink = _frame_numbers(numbers.generators, frames.length, joints)
    # Errors last: neighbouring frames share noise. 0.8**2 + 0.6**2 = 1 keeps the variance.
    noise = np.float32(0.8) * noise + np.float32(0.6) * _shifted(noise, frames)
    factor = frames.spread(quality) * np.float32(strength)
    size, hidden, speed = _hand_state(pixels, depth, frames)

    deviation = np.empty((joints, len(frames.time)), dtype=np.float32)
    # The body's size: shoulder width, and trunk height for a signer seen from the side.
    across = np.abs(pixels[0, 5] - pixels[0, 6]) + np.float32(0.3) * np.abs(pixels[1, 5] - pixels[1, 11])
    deviation[:_BODY] = (0.02 * across + odds.pixel) * factor
    for hand in range(2):
        part = slice(_BODY + 21 * hand, _BODY + 21 * (hand + 1))
        blur = 1.0 + 2.0 * np.clip(speed[hand] / np.float32(0.35), 0.0, 1.0)
        deviation[part] = (odds.jitter * size[hand] * blur * (1.0 + 1.5 * hidden[hand]) + odds.pixel) * factor

    # One uniform number decides what happens to a joint in a frame. The edges split [0, 1) into
    # lost | wrong | bold | timid | usual.
    edges = (np.cumsum([odds.lost, odds.wrong, odds.bold, odds.timid]) * strength).astype(np.float32)
    scale = np.concatenate(
        [np.repeat(across[None] * np.float32(0.15), _BODY, 0), np.repeat(size * np.float32(0.22), 21, 0)]
    )
    # Few joints are not usual, so the rest of the work is done for these alone.
    rare = chance < edges[3]
    row, frame = np.nonzero(rare)
    outcome = chance[row, frame]
    far = (outcome >= edges[0]) & (outcome < edges[2])
    usual = deviation[row, frame]
    deviation[row, frame] = np.where(far, np.maximum(scale[row, frame], usual), usual)
    noise *= deviation
    detected = pixels + noise

    # Confidence falls with the true error, and a little at random.
    share = np.sqrt(noise[0] * noise[0] + noise[1] * noise[1]) / np.maximum(scale, np.float32(1.0))
    # The fractional part of a large multiple serves as a second uniform number.
    fraction = chance * np.float32(997.0)
    fraction -= np.floor(fraction)
    score = (
        np.float32(0.98) - np.float32(0.45) * np.minimum(share, np.float32(1.6)) - np.float32(0.1) * fraction
    )
    # Hidden joints of hands are less certain.
    score[_BODY:] -= np.float32(0.12 * strength) * hidden.reshape(42, -1)
    score[row, frame] = np.select(
        [(outcome >= edges[1]) & (outcome < edges[2]), outcome >= edges[2]],
        [np.float32(0.9) - np.float32(0.2) * fraction[row, frame], np.float32(0.35) * score[row, frame]],
        score[row, frame],
    )
    score = np.clip(score, np.float32(0.05), np.float32(1.0))

    lost, swap = _lost_hands(frames, numbers, both, left_handed, quality, speed, blink, odds, strength)
    # Views of `detected` and `score`: what is written to them changes these.
    hands, scores = detected[:, _BODY:].reshape(2, 2, 21, -1), score[_BODY:].reshape(2, 21, -1)
    hands[:] = np.where(swap[:, None], hands[:, ::-1], hands)
    scores[:] = np.where(swap[:, None], np.float32(0.7) * scores[::-1], scores)
    scores *= ~lost[:, None]

    width, height = frames.spread(image_size)
    # A lost joint and one outside the image are missing.
    score *= (
        (chance >= edges[0])
        & (detected[0] >= 0)
        & (detected[1] >= 0)
        & (detected[0] < width)
        & (detected[1] < height)
    )
    # Too little of the hand is in the picture for a detector.
    outside = (scores > 0).sum(axis=1) < 6
    scores *= ~outside[:, None]
    detected *= score > 0
    return detected, score


def _hand_state(pixels: ndarray, depth: ndarray, frames: Frames) -> Tuple[ndarray, ndarray, ndarray]:
    """Returns the hands' size, (2, F) in pixels, occlusion and speed.

    Occlusion of the joints is (2, 21, F) in [0, 1]. Speed is (2, F) in hand sizes per frame.
    """
    hands = pixels[:, _BODY:].reshape(2, 2, 21, -1)
    away = hands[:, :, 1:] - hands[:, :, :1]
    size = np.sqrt((away[0] * away[0] + away[1] * away[1]).max(axis=1))
    far = depth[_BODY:].reshape(2, 21, -1)
    # Occlusion is 0 at the depth of the middle finger's knuckle and 1 from 5 cm behind it on.
    hidden = np.clip((far - far[:, 9:10]) / np.float32(0.05), 0.0, 1.0)
    step = hands[:, :, 0] - _shifted(hands[:, :, 0], frames)
    size = np.maximum(size, 2.0)
    return size, hidden, np.sqrt(step[0] * step[0] + step[1] * step[1]) / size
