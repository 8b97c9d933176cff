"""HANDS17 (tracking sequences of the challenge) -> a PoseStore of one hand.

Takes seconds; a run that was killed leaves nothing, so start it again.

Example:
    python tools/dataset_converters/hands17_to_store.py downloads/HANDS17 data/hands17
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_hand_clips, converter_parser
from signbert_mm.prepare.sources.hand_joints import write_hand_clips
from signbert_mm.prepare.sources.hands17 import LICENCE, PAPER_FRAMES, SEQUENCES, SOURCE, Hands17Clips


def main() -> None:
    parser = converter_parser(
        __doc__, 'root', 'the downloaded folder, with test/test_annotation_tracking.txt, or that file'
    )
    parser.add_argument(
        '--sequences', help='file of lines "image sequence", where the image names do not tell the sequence'
    )
    parser.add_argument(
        '--train-share', type=float, default=0.7, help='of each sequence, its begin (default: 0.7)'
    )
    add_hand_clips(parser, clip_len=32, side='right')
    args = parser.parse_args()
    clips = Hands17Clips(args.root, args.sequences, args.train_share, args.clip_len, args.side)
    if len(clips.sequences) != SEQUENCES or sum(clips.frames().values()) != PAPER_FRAMES:
        print(
            f'{len(clips.sequences)} sequences of {sum(clips.frames().values()):,} frames; the paper has '
            f'{SEQUENCES} of {PAPER_FRAMES:,}'
        )
    write_hand_clips(
        clips, args.out, args.source or SOURCE, args.licence or LICENCE, None, args.dtype, args.overwrite
    )


if __name__ == '__main__':
    run_tool(main)
