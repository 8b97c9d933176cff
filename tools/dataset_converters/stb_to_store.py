"""STB (Stereo Hand Pose Tracking Benchmark) -> a PoseStore of single frames of one hand.

Takes seconds; a run that was killed leaves nothing, so start it again.

Example:
    python tools/dataset_converters/stb_to_store.py downloads/STB data/stb
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_hand_clips, converter_parser
from signbert_mm.prepare.sources.hand_joints import write_hand_clips
from signbert_mm.prepare.sources.stb import LICENCE, OFFICIAL, SOURCE, TEST_SEQUENCES, WRISTS, StbClips


def main() -> None:
    parser = converter_parser(
        __doc__, 'root', 'the downloaded folder, with labels/B1Counting_SK.mat and the others'
    )
    parser.add_argument(
        '--camera',
        choices=('SK', 'BB'),
        default='SK',
        help='SK: RealSense, colour image; BB: Bumblebee, left image (default: SK)',
    )
    wrist = (
        'the annotated root is the palm centre: leave the wrist out (default), extrapolate it, or take '
        'the palm'
    )
    parser.add_argument('--wrist', choices=WRISTS, default='missing', help=wrist)
    parser.add_argument(
        '--through',
        choices=('middle', 'ring'),
        default='middle',
        help='finger that extrapolates the wrist (default: middle)',
    )
    parser.add_argument(
        '--test-sequences',
        nargs='+',
        default=list(TEST_SEQUENCES),
        help=f'the rest trains (default: {" ".join(TEST_SEQUENCES)})',
    )
    add_hand_clips(parser, clip_len=1, side='left')
    args = parser.parse_args()
    clips = StbClips(
        args.root, args.camera, args.wrist, args.through, args.test_sequences, args.clip_len, args.side
    )
    write_hand_clips(
        clips,
        args.out,
        args.source or SOURCE,
        args.licence or LICENCE,
        OFFICIAL,
        args.dtype,
        args.overwrite,
    )


if __name__ == '__main__':
    run_tool(main)
