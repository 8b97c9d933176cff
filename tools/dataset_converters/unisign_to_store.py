"""A folder of Uni-Sign's pickles, the poses of a video each -> a PoseStore. Nothing in them is run.

The pickles of a published data set fit its own tool as well: wlasl_to_store.py --poses FOLDER.

Example:
    python tools/dataset_converters/unisign_to_store.py CSL_News/pose data/mine --width 512 --height 512
    python tools/dataset_converters/unisign_to_store.py poses data/mine --labels labels.csv \
        --width 1280 --height 720 --fps 25
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_image_size, converter_parser, write_store
from signbert_mm.prepare.importers import UniSignClips


def main() -> None:
    parser = converter_parser(__doc__, 'poses', 'folder with .pkl files, at any depth, or one file')
    parser.add_argument(
        '--labels',
        help='csv with a header: file, gloss and perhaps split, signer; without it clips have no label',
    )
    add_image_size(parser, None, None)
    parser.add_argument('--fps', type=float, default=0.0, help='frames a second (default: unknown)')
    args = parser.parse_args()
    clips = UniSignClips(args.poses, args.labels, args.width or 0, args.height or 0, args.fps)
    notes = dict(image_size='given by the user, not recorded with the clips')
    write_store(args, clips, clips.layout, clips.glosses, 'rtmlib, by Uni-Sign', notes)


if __name__ == '__main__':
    run_tool(main)
