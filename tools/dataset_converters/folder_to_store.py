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
from signbert_mm.prepare.cli import add_about, add_splits, convert_source, source_parser
from signbert_mm.prepare.sources.splits import report_splits
from signbert_mm.prepare.sources.video_folder import video_folder_index


def main() -> None:
    parser = source_parser(__doc__, 'the videos: <gloss>/<anything>.mp4', listed=False)
    parser.set_defaults(extractor='mediapipe')
    group = parser.add_argument_group('splits (default: all clips in train)')
    group.add_argument(
        '--signer', default='', metavar='REGEX', help="finds the signer in a file's path below its gloss"
    )
    add_splits(group)
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
    report_splits(index)
    args.videos = args.videos or args.root
    convert_source(args, index)


if __name__ == '__main__':
    run_tool(main)
