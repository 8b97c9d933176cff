"""Extractors and detectors that cost nothing, found by 'fake_extractors.<name>'."""

import errno
import os
import signal
import time

import numpy as np

from signbert_mm.extraction import PoseExtractor
from signbert_mm.extraction.parts import PartWriter


class FakeExtractor(PoseExtractor):
    """Joint 0: the last quarter's brightness, frames since the reset; joint 1: frame size. ``wait`` seconds a
    frame; a width of ``deadly`` kills the
    process, one of ``bad`` raises."""

    name, version = 'fake', '1'

    def __init__(self, wait=0.0, batch_size=1, deadly=0, bad=0, flavour=''):
        self.wait, self.batch_size, self.deadly, self.bad, self.flavour = (
            wait,
            batch_size,
            deadly,
            bad,
            flavour,
        )
        self.seen = 0

    def describe(self):
        return dict(flavour=self.flavour)

    def reset(self):
        self.seen = 0

    def predict(self, items):
        poses = np.zeros((len(items), 133, 3))
        for pose, image in zip(poses, items):
            time.sleep(self.wait)
            height, width = image.shape[:2]
            if width == self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            if width == self.bad:
                raise ArithmeticError('this one I cannot')
            self.seen += 1
            pose[0] = image[-4, -4].mean(), self.seen, 0.5
            pose[1] = width, height, 1
        return poses


class FakeDetector:
    """Two people of almost the same size; which box is the larger changes from frame to frame."""

    def __init__(self, gap=0):
        self.gap, self.frame = gap, 0

    def describe(self):
        return dict(gap=self.gap)

    def __call__(self, image):
        self.frame += 1
        height, width = image.shape[:2]
        bump = 4 * (self.frame % 2)
        left, right = [0, 0, width * 0.4 + bump, height, 0.9], [width * 0.6 + 2, 0, width, height, 0.95]
        return np.asarray([left, right][:: -1 if self.frame % 2 else 1])


class OnlyInTheParent(FakeExtractor):
    """Cannot be built in another process than ``parent``."""

    def __init__(self, parent):
        super().__init__()
        if os.getpid() != parent:
            raise OSError('no device')


class OnAFullDisk(FakeExtractor):
    """Where it is used, no part can be written any more."""

    def reset(self):
        super().reset()
        PartWriter.add = _full


def _full(self, pose):
    with self._writing():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
