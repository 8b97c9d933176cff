"""NMFs-CSL -> a PoseStore with the official labels and splits; see docs/dataset_zoo/nmfs_csl.md.

Example:
    python tools/dataset_converters/nmfs_csl_to_store.py NMFs-CSL data/nmfs_csl --videos NMFs-CSL/video \
        --extractor mediapipe
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import add_lists, convert_source, source_parser
from signbert_mm.prepare.sources.lists import LABELS
from signbert_mm.prepare.sources.nmfs_csl import CLASSES, nmfs_csl_index


def main() -> None:
    parser = source_parser(__doc__, 'folder with traintestlist/trainlist01.txt and testlist01.txt')
    add_lists(parser, CLASSES)
    parser.add_argument(
        '--words',
        help='file with the words, one a line in the order of the labels '
        '(default: they are called by their number)',
    )
    parser.add_argument(
        '--label-from',
        choices=LABELS,
        default='both',
        help='where labels come from; both must agree (default: both)',
    )
    args = parser.parse_args()
    index = nmfs_csl_index(
        args.root,
        args.train_list,
        args.test_list,
        args.words,
        args.label_from,
        args.num_classes,
        args.splits,
        args.repeated,
    )
    convert_source(args, index)


if __name__ == '__main__':
    run_tool(main)
