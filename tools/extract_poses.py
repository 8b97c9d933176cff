#!/usr/bin/env python
"""Extract videos into a PoseStore of 133 whole-body joints a frame, with an extractor of choice.

Start it again to continue where it stopped.

Examples:
    python tools/extract_poses.py videos/ data/mine
    # frames/<clip>/0001.jpg, 0002.jpg, ..
    python tools/extract_poses.py frames/ data/mine --image-fps 25
    python tools/extract_poses.py videos/ data/mine --workers 8 --fps 25
    python tools/extract_poses.py videos/ data/mine --extractor mmpose --extractor-options \\
        config=rtmpose-m_8xb64-270e_coco-wholebody-256x192 checkpoint=rtmpose-m.pth
    torchrun --nproc_per_node 8 tools/extract_poses.py videos/ data/mine --launcher pytorch
    srun -n 64 python tools/extract_poses.py videos/ data/mine --launcher slurm
"""

import argparse
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from signbert_mm.arguments import tool_parser
from signbert_mm.prepare.extraction_options import add_about, add_extractor
from signbert_mm.run_command import run_command


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument(
        'videos',
        nargs='+',
        help='a folder, searched to any depth, or files; a folder of numbered images is a video',
    )
    parser.add_argument('out', help='the new store, for instance data/mine')
    add_extractor(parser, default='mediapipe')
    parser.add_argument(
        '--image-fps', type=float, default=0.0, help='rate of folders of images (default: unknown)'
    )
    add_about(parser)
    parser.add_argument(
        '--launcher',
        choices=('none', 'pytorch', 'slurm'),
        default='none',
        help='how several processes were started',
    )
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    from signbert_mm.extraction import extract_folder, find_videos

    store = extract_folder(
        find_videos(args.videos, unclear=True),
        args.out,
        dict(args.extractor_options, type=args.extractor),
        args.workers,
        fps=args.fps,
        truncated=args.truncated,
        image_fps=args.image_fps,
        launcher=args.launcher,
        source=args.source,
        licence=args.licence,
    )
    if store is not None:
        print(store)


if __name__ == '__main__':
    parsed = parse_args()
    run_command(lambda: main(parsed))
