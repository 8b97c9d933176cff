"""Poses and an extractor that the tests of this folder share."""

import cv2
import numpy as np

from signbert_mm.extraction import PoseExtractor

GLOSSES = ['hello', 'water', 'tea', 'no']


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
