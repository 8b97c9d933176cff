"""The arrays of SAM-SLR and DSTA-SLR, {train,val,test}_data_joint.npy and _label.pkl -> a PoseStore.

They hold 27 joints of COCO-WholeBody, also of AUTSL, WLASL and SLR500. Arrays of bones or motion are not
read. Nothing in the pickles is run.

Example:
    python tools/dataset_converters/sam_slr_to_store.py sign/27_2 data/autsl27 --glosses glosses.txt \
        --signer '^signer[0-9]+'
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.files.text import read_glosses
from signbert_mm.prepare.cli import add_image_size, converter_parser, write_store
from signbert_mm.prepare.importers import SamSlrClips
from signbert_mm.prepare.importers.sam_slr import SPLITS


def main() -> None:
    parser = converter_parser(__doc__, 'folder', 'with train_data_joint.npy, train_label.pkl and so on')
    parser.add_argument('--glosses', help='text file with one gloss a line, in the order of the labels')
    parser.add_argument('--splits', nargs='+', choices=SPLITS, help='only these (default: all)')
    parser.add_argument('--signer', default='', metavar='REGEX', help="finds the signer in a clip's name")
    parser.add_argument('--fps', type=float, default=0.0, help='frames a second (default: unknown)')
    parser.add_argument(
        '--layout',
        default='sign_49',
        choices=('sign_49', 'sam_slr_27', 'coco_wholebody_133'),
        help='joints of the store; those that the arrays lack are missing (default: %(default)s)',
    )
    add_image_size(parser, 512, 512)
    args = parser.parse_args()
    glosses = read_glosses(args.glosses) if args.glosses else None
    clips = SamSlrClips(
        args.folder, glosses, args.splits, args.width, args.height, args.fps, args.signer, args.layout
    )
    notes = dict(image_size='given by the user, not recorded with the clips')
    write_store(args, clips, clips.layout, clips.glosses, "SAM-SLR's HRNet, COCO-WholeBody", notes)


if __name__ == '__main__':
    run_tool(main)
