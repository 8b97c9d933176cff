"""SLR500 (CSL isolated) -> a PoseStore with the official labels and splits; see docs/dataset_zoo/slr500.md.

Example:
    python tools/dataset_converters/slr500_to_store.py SLR500 data/slr500 --videos SLR500/color \
        --extractor mediapipe
"""

import argparse
from typing import List

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_lists, convert_source, source_parser
from signbert_mm.prepare.sources.names import videos_below
from signbert_mm.prepare.sources.poses import open_poses
from signbert_mm.prepare.sources.slr500 import CLASSES, REPETITIONS, SUFFIXES, find_suffix, slr500_index


def signers(text: str) -> List[int]:
    """'1-36' or '1,2,5-9' -> numbers."""
    numbers: List[int] = []
    for part in text.split(','):
        first, _, last = part.partition('-')
        if not first.isdigit() or (last and not last.isdigit()):
            raise argparse.ArgumentTypeError(f'{text!r}; give numbers such as 1-36 or 1,2,5-9')
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def suffix_of(args: argparse.Namespace) -> str:
    names: List[str] = []
    for path in args.poses:
        names += open_poses(
            path, args.layout, args.width, args.height, args.coordinates, args.poses_extractor
        ).names()
    if args.videos:
        names += [name for name, _ in videos_below(args.videos)[0]]
    return find_suffix(names) if names else '_color'


def main() -> None:
    parser = source_parser(__doc__, 'folder with dictionary.txt (lines "000000<tab>word")')
    parser.add_argument('--dictionary', help='that file, where it lies elsewhere')
    parser.add_argument(
        '--encoding', default='utf-8-sig', help='of the dictionary, for instance gb18030 (default: UTF-8)'
    )
    add_lists(parser, CLASSES)
    parser.add_argument(
        '--train-signers',
        type=signers,
        default='1-36',
        help='numbers of the signers, without lists (default: 1-36)',
    )
    parser.add_argument('--test-signers', type=signers, default='37-50', help='(default: 37-50)')
    parser.add_argument(
        '--repetitions',
        type=int,
        default=REPETITIONS,
        help=f'of each word by each signer (default: {REPETITIONS})',
    )
    parser.add_argument(
        '--suffix',
        choices=SUFFIXES,
        help='what follows the numbers in video names (default: as the first video or pose has it)',
    )
    args = parser.parse_args()
    suffix = suffix_of(args) if args.suffix is None else args.suffix
    people = dict(train=args.train_signers, test=args.test_signers)
    index = slr500_index(
        args.root,
        args.dictionary,
        args.train_list,
        args.test_list,
        people,
        args.repetitions,
        suffix,
        args.encoding,
        args.num_classes,
        args.splits,
        args.repeated,
    )
    convert_source(args, index)


if __name__ == '__main__':
    run_tool(main)
