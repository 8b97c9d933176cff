"""Folders in the official formats, drawn videos, and an extractor that needs no model."""

import json
import os

import cv2
import numpy as np

from signbert_mm.extraction import PoseExtractor
from signbert_mm.prepare.sources import ClipRecord, SourceIndex


def poses(frames, joints=133, seed=0):
    """Shape (T, V, 3); the first joint's x is the frame's number + 10, so that a cut can be told."""
    random = np.random.RandomState(seed)
    values = np.stack(
        [
            random.uniform(5, 300, (frames, joints)),
            random.uniform(5, 200, (frames, joints)),
            np.ones((frames, joints)),
        ],
        axis=-1,
    )
    values[:, 0, 0] = np.arange(frames) + 10
    return values.astype(np.float32)


def write_poses(folder, frames, joints=133, **fields):
    """``<name>.npz`` for each name and frame count in ``frames``, 320 x 240 pixels, 25 frames a second."""
    for seed, (name, count) in enumerate(frames.items()):
        path = os.path.join(folder, f'{name}.npz')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        np.savez(
            path, keypoints=poses(count, joints, seed), **{'width': 320, 'height': 240, 'fps': 25.0, **fields}
        )
    return str(folder)


def write_video(path, frames, size=(64, 48), fps=25):
    """A grey square that walks to the right on a frame that gets brighter."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), fps, size)
    for frame in range(frames):
        image = np.full((size[1], size[0], 3), 20 * frame % 200, dtype=np.uint8)
        image[10:20, 2 + frame : 12 + frame] = 255
        writer.write(image)
    writer.release()


class Brightness(PoseExtractor):
    """All joints at the middle of the frame, x moved by its mean brightness; counts the frames it has
    seen.
    """

    name, version = 'brightness', '1'

    def __init__(self, shift=0):
        self.shift, self.seen = shift, 0

    def describe(self):
        return dict(shift=self.shift)

    def predict(self, items):
        self.seen += len(items)
        values = np.ones((len(items), 133, 3))
        for row, image in enumerate(items):
            values[row, :, 0], values[row, :, 1] = image.mean() / 4 + self.shift, image.shape[0] / 2
        return values


def index(*records, glosses=('no', 'yes'), **kwargs):
    """A SourceIndex of records or of (video_id, label, split)."""
    return SourceIndex(
        'tiny',
        list(glosses),
        [record if isinstance(record, ClipRecord) else ClipRecord(*record) for record in records],
        **kwargs,
    )


def write_json(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(content, file)


def write_text(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
