#!/usr/bin/env python
"""Draw the clips of a store as small videos, one file a clip.

They are RGB data for networks that read frames, where only poses exist.

Example:
    python tools/dataset_converters/store_to_videos.py data/synthetic_demo data/synthetic_demo_videos \
        --size 64
"""

import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from signbert_mm.arguments import positive, tool_parser, whole
from signbert_mm.datasets import PoseDataset
from signbert_mm.engine.runner import run_tool
from signbert_mm.visualization import draw_clips


def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument('store', help='folder of a PoseStore')
    parser.add_argument('out', help='folder of the videos, <video_id>.mp4; existing ones are kept')
    parser.add_argument('--split', nargs='+', help='only these splits (default: all)')
    parser.add_argument('--size', type=int, default=64, help='side in pixels, even (default: %(default)s)')
    parser.add_argument(
        '--fps', type=positive, default=25.0, help='where the store has none (default: %(default)s)'
    )
    parser.add_argument('--few-shot', type=whole(1), metavar='K', help='only k clips a gloss')
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
