"""Your own videos, a folder for each gloss -> a PoseStore; see docs/user_guides/own_data.md.

Videos lie in VIDEOS/<gloss>/<anything>.mp4, at any depth below the gloss. A folder of numbered images counts
as a video. Poses come from --poses, or are extracted into OUT.poses first, where a killed run continues.

Examples:
    python tools/dataset_converters/folder_to_store.py my_videos data/my_language --test-share 0.2
    # hello/cem_1.mp4
    python tools/dataset_converters/folder_to_store.py my_videos data/my_language --signer '^[^_]+' \
        --test-signers cem
    # hello/cem/1.mp4
    python tools/dataset_converters/folder_to_store.py my_videos data/my_language \
        --signer '^[^/]+(?=/)' --test-signers cem
    python tools/dataset_converters/folder_to_store.py my_videos data/my_language --poses data/my_poses \
        --test-share 0.2
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_about, convert_source, source_parser
from signbert_mm.prepare.sources.video_folder import undrawn, untrained, video_folder_index


def main() -> None:
    parser = source_parser(__doc__, 'the videos: <gloss>/<anything>.mp4', listed=False)
    parser.set_defaults(extractor='mediapipe')
    group = parser.add_argument_group('splits (default: all clips in train)')
    group.add_argument(
        '--signer', default='', metavar='REGEX', help="finds the signer in a file's path below its gloss"
    )
    group.add_argument(
        '--test-signers', nargs='+', default=[], metavar='NAME', help='their clips are in test'
    )
    group.add_argument('--val-signers', nargs='+', default=[], metavar='NAME', help='their clips are in val')
    group.add_argument('--test-share', type=float, default=0.0, help="share of each gloss's clips in test")
    group.add_argument('--val-share', type=float, default=0.0, help="share of each gloss's clips in val")
    group.add_argument('--seed', type=int, default=0, help='of the draw of these (default: 0)')
    add_about(parser)
    args = parser.parse_args()
    index = video_folder_index(
        args.root,
        args.signer,
        args.test_signers,
        args.val_signers,
        args.test_share,
        args.val_share,
        args.seed,
        args.source,
        args.licence,
        args.repeated,
    )
    missing = untrained(index)
    if missing:
        print(f'glosses without a clip in train: {", ".join(missing)}')
    # A small share of a gloss with few videos rounds to no clip at all.
    for split, share in (('test', args.test_share), ('val', args.val_share)):
        missing = undrawn(index, split)
        if missing:
            names = ', '.join(missing[:10]) + (', ...' if len(missing) > 10 else '')
            few = f'{len(missing)} of {len(index.glosses)} glosses have too few videos for a clip in {split}'
            print(f'warning: {few} at a share of {share:g}: {names}')
    args.videos = args.videos or args.root
    convert_source(args, index)


if __name__ == '__main__':
    run_tool(main)
