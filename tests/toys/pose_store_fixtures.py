"""Small stores for the tests of this folder."""

import runpy
import sys
from typing import Sequence

import numpy as np

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.layouts import get_layout


def keypoints(frames: int, joints: int = 49, seed: int = 0, hands: bool = True) -> np.ndarray:
    """(T, V, 3): pixels that are whole eighths, scores that int16 keeps exactly; without hands joints 0..41
    are missing.
    """
    random = np.random.RandomState(seed)
    x, y = random.randint(1, 5120, (frames, joints)) / 8, random.randint(1, 3840, (frames, joints)) / 8
    values = np.stack([x, y, np.ones((frames, joints))], axis=-1)
    if not hands:
        values[:, :42] = 0
    return values.astype(np.float32)


def write_store(
    folder,
    lengths: Sequence[int] = (3, 5, 1, 8),
    splits=None,
    glosses=('a', 'b', 'c'),
    layout='sign_49',
    **kwargs,
) -> PoseStore:
    """Clip i has the keypoints of seed i, video id 'v<i>', label i modulo glosses, split 'train'."""
    with PoseStoreWriter(folder, layout, list(glosses), **kwargs) as writer:
        for index, length in enumerate(lengths):
            split = 'train' if splits is None else splits[index]
            data = keypoints(length, get_layout(layout).num_joints, index)
            writer.add(
                data,
                index % len(glosses),
                split,
                f'v{index}',
                f'signer{index % 2}',
                width=640,
                height=480,
                fps=25.0,
            )
        return writer.close()


def convert(root, monkeypatch, tool, *arguments):
    """Runs a converter as its command line would."""
    monkeypatch.setattr(sys, 'argv', [tool, *map(str, arguments)])
    monkeypatch.syspath_prepend(str(root))
    runpy.run_path(str(root / 'tools' / 'dataset_converters' / tool), run_name='__main__')
