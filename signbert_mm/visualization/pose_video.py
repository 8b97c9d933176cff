"""Small videos of drawn poses: RGB data where only poses exist."""

import hashlib
import os
from collections import Counter
from typing import Iterator, Sequence, Tuple, Union

import cv2
import numpy as np

from ..datasets import PoseStore
from ..errors import UserModuleNotFoundError, UserValueError
from ..files.paths import path_below
from ..layouts import Layout
from .canvas import blank
from .draw_pose import draw_pose

SUPERSAMPLING = 4


def square(keypoints: np.ndarray, scores: np.ndarray, margin: float = 0.05) -> Tuple[np.ndarray, float]:
    """Corner (2,) and side in pixels of the square round all detected joints of a clip (T, V, 2).

    It has a margin. The clip must have a detected joint.
    """
    points = keypoints[scores > 0]
    low, high = points.min(0), points.max(0)
    side = max(float((high - low).max()), 1.0) * (1 + 2 * margin)
    return (low + high - side) / 2, side


def write_pose_video(
    path: str, keypoints: np.ndarray, scores: np.ndarray, layout: Layout, size: int, fps: float
) -> None:
    """Draws a clip on white, cut to the square of its joints. The file gets its name when it is complete.

    Args:
        path (str): The file, MPEG-4 in mp4.
        keypoints (ndarray): Shape (T, V, 2), pixels.
        scores (ndarray): Shape (T, V); 0 = missing.
        layout (Layout): The joints.
        size (int): Side of the video in pixels, even.
        fps (float): Frames per second.

    Raises:
        ModuleNotFoundError: PyAV is not installed.
    """
    try:
        import av
    except ModuleNotFoundError as error:
        raise UserModuleNotFoundError('writing videos needs PyAV: pip install "av>=14"') from error
    # Thin lines at 64 pixels need smoothing: draw larger, then shrink.
    fine = size * SUPERSAMPLING
    corner, side = square(keypoints, scores) if (scores > 0).any() else (np.zeros(2), 1.0)
    # A long id with a suffix could exceed the length of a file name, so the temporary name is a digest.
    partial = os.path.join(
        os.path.dirname(path), f'.{hashlib.blake2b(path.encode(), digest_size=8).hexdigest()}.partial'
    )
    with av.open(partial, 'w', format='mp4') as container:
        stream = container.add_stream('mpeg4', rate=max(1, round(fps)))
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = size, size, 'yuv420p', 400_000
        for points, score in zip(keypoints, scores):
            canvas = draw_pose(blank(fine, fine), (points - corner) * (fine / side), score, layout)
            small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(small, format='rgb24')))
        container.mux(stream.encode())
    os.replace(partial, path)


def draw_clips(
    store: PoseStore,
    clips: Sequence[int],
    folder: Union[str, 'os.PathLike[str]'],
    size: int = 64,
    fps: float = 25.0,
) -> Iterator[bool]:
    """Draws clips of a store as ``<video_id>.mp4``; existing files are kept.

    Args:
        store (PoseStore): The store.
        clips (Sequence[int]): Rows of the store.
        folder (str | Path): Where the videos go.
        size (int): Side in pixels, even.
        fps (float): Frames per second where the store has none.

    Yields:
        bool: For each clip, whether it was drawn now.

    Raises:
        ValueError: Two of the clips have one id, or an id is no path below the folder.
    """
    names = store.video_ids(clips)
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise UserValueError(
            f'{store.folder}: video_id {repeated!r} is in several splits, so one video would stand for '
            'several clips; draw each split into a folder of its own (--split)'
        )
    # All names are checked before the first video is written.
    paths = [path_below(os.fspath(folder), name, '.mp4', f'{store.folder}: video_id') for name in names]
    for clip, path in zip(clips, paths):
        new = not os.path.isfile(path)
        if new:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            keypoints, scores = store.clip(clip)
            write_pose_video(path, keypoints, scores, store.layout, size, float(store.fps[clip]) or fps)
        yield new
