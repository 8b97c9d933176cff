"""An npz file of hands (and pose) in fractions of the image -> a PoseStore.

Example:
    python tools/dataset_converters/npz_to_store.py asl_words33.npz data/words33 --protocol words33 --source traduttore-model --licence MIT
"""

from signbert_mm.datasets.importers import NpzClips
from signbert_mm.datasets.importers.cli import add_image_size, converter_parser, write_store
from signbert_mm.datasets.importers.npz import PROTOCOLS
from signbert_mm.engine.runner import run_tool


def main() -> None:
    parser = converter_parser(__doc__, 'npz', 'fields hands, length, label, classes, seq_id and perhaps pose')
    parser.add_argument('--protocol', choices=PROTOCOLS, help='how to split; without it all clips are "train"')
    add_image_size(parser)
    args = parser.parse_args()
    clips = NpzClips(args.npz, args.width, args.height, args.protocol)
    notes = dict(protocol=args.protocol or '', image_size='given by the user, not recorded with the clips')
    write_store(args, clips, clips.layout, clips.glosses, 'mediapipe holistic', notes)


if __name__ == '__main__':
    run_tool(main)
