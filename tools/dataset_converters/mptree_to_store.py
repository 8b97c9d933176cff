"""A tree <gloss>/<sequence>/<frame>.npy of MediaPipe numbers (258, 1662, 126 or 63 a frame) -> a PoseStore.

Example:
    python tools/dataset_converters/mptree_to_store.py MP_Data data/mine --width 640 --height 480
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_image_size, converter_parser, write_store
from signbert_mm.prepare.importers import MPTreeClips
from signbert_mm.prepare.importers.npz import PROTOCOLS


def main() -> None:
    parser = converter_parser(__doc__, 'tree', 'folder of <gloss>/<sequence>/<frame>.npy')
    parser.add_argument('--hand', choices=('left', 'right'), help='which hand, for 63 numbers a frame')
    parser.add_argument('--fps', type=float, default=0.0, help='frames a second (default: unknown)')
    parser.add_argument(
        '--protocol', choices=PROTOCOLS, help='how to split; without it all clips are "train"'
    )
    add_image_size(parser)
    args = parser.parse_args()
    clips = MPTreeClips(args.tree, args.width, args.height, args.fps, args.hand, args.protocol)
    notes = dict(protocol=args.protocol or '', image_size='given by the user, not recorded with the clips')
    write_store(args, clips, clips.layout, clips.glosses, 'mediapipe holistic', notes)
    for video_id, numbers in clips.gaps.items():
        print(f'{video_id}: frames {numbers} are missing and were left out')


if __name__ == '__main__':
    run_tool(main)
