"""Poses and an extractor that the tests of this folder share."""

import cv2
import numpy as np
import pytest
from rounding import tolerance

from signbert_mm.extraction import PoseExtractor

GLOSSES = ['hello', 'water', 'tea', 'no']
# Scores and attention are at most 1, and each of the toy models' some 5,000 weights takes part in them once.
# Batches of another size, other threads and ONNX Runtime add these products in another order.
SCORES = tolerance(5_000)


def poses(frames: int, seed: int, joints: int = 49, hands: bool = True) -> np.ndarray:
    """(T, V, 3): joints about the image's middle, a left hand that comes and goes."""
    random = np.random.RandomState(seed)
    values = np.ones((frames, joints, 3), dtype=np.float32)
    values[:, :, :2] = random.uniform(150, 350, (1, joints, 2)) + random.uniform(-20, 20, (frames, joints, 2))
    values[:, :, 2] = random.uniform(0.5, 1, (frames, joints))
    values[random.uniform(size=frames) < 0.4, :21] = 0
    values[random.uniform(size=frames) < 0.2, :42] = 0
    if not hands:
        values[:, :42] = 0
    return values


class ColourExtractor(PoseExtractor):
    """A pose at the place that the image's mean says; black frames show nobody."""

    name = 'colour'

    def predict(self, items):
        pose = np.random.RandomState(0).uniform(0, 30, (133, 3)).astype(np.float32)
        pose[:, 2] = 1
        return np.stack([(pose + [image.mean() / 10, 0, 0]) * (image.mean() > 5) for image in items])


def frames_of(path):
    """The images of a video file."""
    capture, frames = cv2.VideoCapture(str(path)), []
    while True:
        there, frame = capture.read()
        if not there:
            return frames
        frames.append(frame)


def up_to_rounding(items):
    """Segments or windows whose scores may differ by rounding, to compare with others."""
    close = {key: lambda value: pytest.approx(value, rel=0, abs=SCORES) for key in ('score', 'scores')}
    return [{key: close.get(key, lambda same: same)(value) for key, value in item.items()} for item in items]
