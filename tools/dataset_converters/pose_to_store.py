"""A folder of .pose files (package pose-format) -> a PoseStore.

`make install` brings pose-format; after `make install-core`: pip install pose-format.

Example:
    python tools/dataset_converters/pose_to_store.py poses/ data/mine --labels labels.csv
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_image_size, converter_parser, write_store
from signbert_mm.prepare.importers import PoseFormatClips


def main() -> None:
    parser = converter_parser(__doc__, 'poses', 'folder with .pose files, at any depth, or one file')
    parser.add_argument(
        '--labels',
        help='csv with a header: file, gloss and perhaps split, signer; without it clips have no label',
    )
    add_image_size(parser, None, None)
    args = parser.parse_args()
    clips = PoseFormatClips(args.poses, args.labels, args.width, args.height)
    write_store(args, clips, clips.layout, clips.glosses, 'pose-format')


if __name__ == '__main__':
    run_tool(main)
