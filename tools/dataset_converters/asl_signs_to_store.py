"""asl-signs (Google - Isolated Sign Language Recognition, Kaggle) -> a PoseStore.

train.csv and train_landmark_files/<participant>/<sequence>.parquet, of MediaPipe Holistic; needs pyarrow (pip
install pyarrow). Its test clips are not published, so hold whole signers out.

Example:
    python tools/dataset_converters/asl_signs_to_store.py asl-signs data/asl_signs --width 480 --height 640 \
        --test-signers 4718 16069 --val-signers 2044
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_image_size, add_splits, converter_parser, splits_of
from signbert_mm.prepare.sources import convert
from signbert_mm.prepare.sources.annotation import REPEATED
from signbert_mm.prepare.sources.asl_signs import AslSignsPoses, asl_signs_index
from signbert_mm.prepare.sources.splits import report_splits


def main() -> None:
    parser = converter_parser(__doc__, 'root', 'the unpacked download, with train.csv in it')
    add_image_size(parser, None, None)
    parser.add_argument('--fps', type=float, default=0.0, help='frames a second (default: unknown)')
    parser.add_argument(
        '--repeated', choices=REPEATED, default='error', help='what to do with a clip that is listed again'
    )
    add_splits(parser.add_argument_group('splits (default: all clips in train)'))
    args = parser.parse_args()
    poses = AslSignsPoses(args.root, args.width or 0, args.height or 0, args.fps)
    index = asl_signs_index(args.root, splits_of(args), args.repeated)
    index.source, index.licence = args.source or index.source, args.licence or index.licence
    index.notes.update(image_size='given by the user, not recorded with the clips')
    report_splits(index)
    convert(index, args.out, poses, dtype=args.dtype, overwrite=args.overwrite)


if __name__ == '__main__':
    run_tool(main)
