#!/usr/bin/env python
"""Draw the clips of a store as small videos, one file a clip.

They are RGB data for networks that read frames, where only poses exist.

Example:
    python tools/dataset_converters/store_to_videos.py data/synthetic_demo data/synthetic_demo_videos \
        --size 64
"""

<<<<<<< HEAD
import hashlib
import os
=======
import argparse
>>>>>>> h-tables
import sys
from pathlib import Path

try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:
    # A checkout that is not installed.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from signbert_mm.datasets import PoseDataset
<<<<<<< HEAD
from signbert_mm.engine.runner import run_tool, tool_parser
from signbert_mm.errors import UserValueError
from signbert_mm.files.paths import path_below
from signbert_mm.layouts import Layout
from signbert_mm.visualization import blank, draw_pose

SUPERSAMPLING = 4


def square(keypoints: np.ndarray, scores: np.ndarray, margin: float = 0.05) -> Tuple[np.ndarray, float]:
    """Corner (2,) and side in pixels of the square round all detected joints of a clip (T, V, 2).

    It has a margin. The clip must have a detected joint.
    """
    points = keypoints[scores > 0]
    low, high = points.min(0), points.max(0)
    side = max(float((high - low).max()), 1.0) * (1 + 2 * margin)
    return (low + high - side) / 2, side


def write_video(
    path: str, keypoints: np.ndarray, scores: np.ndarray, layout: Layout, size: int, fps: float
) -> None:
    """Draws frames (T, V, 2) on white, cut to the square of the clip's joints.

    The file gets its name when it is complete.
    """
    import av

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
=======
from signbert_mm.engine.runner import run_tool
from signbert_mm.visualization import draw_clips
>>>>>>> h-tables


def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument('store', help='folder of a PoseStore')
    parser.add_argument('out', help='folder of the videos, <video_id>.mp4; existing ones are kept')
    parser.add_argument('--split', nargs='+', help='only these splits (default: all)')
    parser.add_argument('--size', type=int, default=64, help='side in pixels, even (default: %(default)s)')
    parser.add_argument(
        '--fps', type=float, default=25.0, help='where the store has none (default: %(default)s)'
    )
    parser.add_argument('--few-shot', type=int, metavar='K', help='only k clips a gloss')
    args = parser.parse_args()
    if args.size < 16 or args.size % 2:
        parser.error(f'--size must be even and at least 16, got {args.size}')
    few_shot = dict(shots=args.few_shot, seed=0) if args.few_shot else None
    data = PoseDataset(args.store, args.split, few_shot=few_shot)
    written = 0
    for number, new in enumerate(draw_clips(data.store, data.clips, args.out, args.size, args.fps), 1):
        written += new
        if number % 200 == 0 or number == len(data):
            print(f'{number} of {len(data)} clips, {written} written', flush=True)


if __name__ == '__main__':
    run_tool(main)
