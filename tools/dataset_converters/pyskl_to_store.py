"""A pyskl / mmaction2 skeleton pickle -> a PoseStore. Nothing in the pickle is run.

Example:
    python tools/dataset_converters/pyskl_to_store.py wlasl.pkl data/wlasl --layout coco_wholebody_133 \
        --glosses glosses.txt
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.files.text import read_glosses
from signbert_mm.layouts import LAYOUTS
from signbert_mm.prepare.cli import converter_parser, write_store
from signbert_mm.prepare.importers import PysklClips


def main() -> None:
    parser = converter_parser(__doc__, 'pickle', 'dict(split=.., annotations=..)')
    parser.add_argument(
        '--layout', choices=sorted(LAYOUTS), help='layout of the joints, where the file does not tell'
    )
    parser.add_argument('--glosses', help='text file with one gloss a line, in the order of the labels')
    parser.add_argument('--splits', nargs='+', help='only these (default: all)')
    args = parser.parse_args()
    glosses = read_glosses(args.glosses) if args.glosses else None
    clips = PysklClips(args.pickle, args.layout, glosses, args.splits)
    write_store(args, clips, clips.layout, clips.glosses, about=clips.about)


if __name__ == '__main__':
    run_tool(main)
