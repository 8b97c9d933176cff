"""MediaPipe Hands landmarks of WLASL, without sides, a file a clip -> a PoseStore: docs/dataset_zoo/wlasl.md.

Which hand is the left one is guessed from the landmarks: expect errors. The terms on which the landmarks may
be used are for you to clear.

Examples:
    python tools/dataset_converters/landmarks_to_store.py landmarks data/wlasl_landmarks300 \\
        --annotations WLASL/nslt_300.json --classes WLASL/wlasl_class_list.txt
    python tools/dataset_converters/landmarks_to_store.py landmarks data/wlasl_landmarks2000 \\
        --annotations WLASL/nslt_2000.json --no-trim --dtype int16
"""

import argparse

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_image_size, converter_parser
from signbert_mm.prepare.sources import LandmarkPoses, convert
from signbert_mm.prepare.sources.wlasl import wlasl_list


def main() -> None:
    parser = converter_parser(__doc__, 'folder', 'of <video id>.npy, shape (frames, 2, 21, 3), at any depth')
    parser.add_argument('--annotations', required=True, metavar='JSON', help='list of WLASL: nslt_300.json')
    parser.add_argument('--classes', default='', help='default: wlasl_class_list.txt beside the list')
    add_image_size(parser)
    parser.add_argument('--fps', type=float, default=25.0, help='frames a second of the clips (default: 25)')
    parser.add_argument(
        '--trim',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='leave out the frames before the first and after the last hand (default: yes)',
    )
    parser.add_argument('--mirrored', action='store_true', help='the pictures were mirrored at recording')
    args = parser.parse_args()
    index = wlasl_list(args.annotations, args.classes)
    poses = LandmarkPoses(args.folder, args.width, args.height, args.fps, args.mirrored, args.trim)
    index.source = args.source or f'{index.source}; landmarks from elsewhere'
    index.licence = args.licence or f'{index.licence}; those of the landmarks: to be cleared by the user'
    index.notes.update(
        sides='guessed from the landmarks, see signbert_mm/prepare/importers/landmarks.py',
        image_size='given by the user, not recorded with the clips',
        mirrored=args.mirrored,
        trim=args.trim,
    )
    convert(index, args.out, poses, dtype=args.dtype, overwrite=args.overwrite)
    listed = {poses.find(record.video_id) for record in index.records}
    others = [name for name in poses.names() if name not in listed]
    if others:
        print(f'  {len(others):,} of {len(poses):,} files are of clips that are not listed: {others[:3]} ..')


if __name__ == '__main__':
    run_tool(main)
