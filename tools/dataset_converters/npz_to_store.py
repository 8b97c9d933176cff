"""An npz file of hands (and pose) in fractions of the image -> a PoseStore.

Example:
    python tools/dataset_converters/npz_to_store.py asl_words33.npz data/words33 --protocol words33 \
        --source traduttore-model
    python tools/dataset_converters/npz_to_store.py wlasl_hands.npz data/wlasl_hands300 \
        --protocol recorded --subset in300
    python tools/dataset_converters/npz_to_store.py psl37.npz data/psl37 --protocol sessions
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_image_size, converter_parser, write_store
from signbert_mm.prepare.importers import NpzClips
from signbert_mm.prepare.importers.npz import PROTOCOLS


def main() -> None:
    parser = converter_parser(__doc__, 'npz', 'fields hands, length, label, classes, seq_id and perhaps pose')
    parser.add_argument(
        '--protocol',
        choices=PROTOCOLS,
        help='how to split: by the order of the clips, by the field split, or by the field session; without '
        'it all clips are "train"',
    )
    parser.add_argument(
        '--subset', default='', metavar='FIELD', help='only the clips of this boolean field, as in100'
    )
    parser.add_argument(
        '--drop-twins', action='store_true', help='leave out clips whose field twin is not -1'
    )
    add_image_size(parser)
    args = parser.parse_args()
    clips = NpzClips(args.npz, args.width, args.height, args.protocol, args.subset, args.drop_twins)
    notes = dict(protocol=args.protocol or '', image_size='given by the user, not recorded with the clips')
    notes.update(subset=args.subset, drop_twins=args.drop_twins)
    write_store(args, clips, clips.layout, clips.glosses, 'mediapipe holistic', notes)


if __name__ == '__main__':
    run_tool(main)
