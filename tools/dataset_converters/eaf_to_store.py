"""Annotations of ELAN -> a PoseStore: those of a tier cut clips out of the videos.

The gloss is the annotation's value, the signer the tier's participant. Each video's poses are extracted once,
into OUT.poses, where a killed run continues; or they come from --poses.

Examples:
    python tools/dataset_converters/eaf_to_store.py recordings data/mine --tier Gloss --test-signers Cem
    python tools/dataset_converters/eaf_to_store.py talk.eaf data/mine --tier 'RH-ID*' --media '*_front.*'
    python tools/dataset_converters/eaf_to_store.py recordings data/mine --tier Gloss --poses data/recordings
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.errors import UserValueError
from signbert_mm.prepare.cli import add_about, add_splits, convert_source, source_parser, splits_of
from signbert_mm.prepare.sources.elan import eaf_index
from signbert_mm.prepare.sources.splits import report_splits


def main() -> None:
    parser = source_parser(
        __doc__, 'an .eaf file, or a folder of them, perhaps with the videos', listed=False
    )
    parser.set_defaults(extractor='mediapipe')
    parser.add_argument(
        '--tier', nargs='+', required=True, metavar='NAME', help="the tiers of glosses; 'Gloss*' is a pattern"
    )
    parser.add_argument(
        '--media', default='*', metavar='PATTERN', help='which video, where several are linked: *_front.*'
    )
    add_splits(parser.add_argument_group('splits (default: all clips in train)'))
    add_about(parser)
    args = parser.parse_args()
    clips = eaf_index(
        args.root,
        args.tier,
        splits_of(args),
        args.videos or '',
        args.media,
        args.source,
        args.licence,
        args.repeated,
    )
    for line in clips.skipped:
        print(f'skipped: {line}')
    if clips.absent and not args.poses:
        absent = (
            f'{len(clips.absent):,} linked videos are not there, the first: {"; ".join(clips.absent[:3])}'
        )
        if not clips.videos:
            raise UserValueError(f'{args.root}: {absent}; name their folder (--videos), or poses (--poses)')
        print(absent)
    report_splits(clips.index)
    args.videos = clips.videos or None
    convert_source(args, clips.index)


if __name__ == '__main__':
    run_tool(main)
