"""MS-ASL -> a PoseStore with the official labels and splits; see docs/dataset_zoo/msasl.md.

Examples:
    python tools/dataset_converters/msasl_to_store.py MS-ASL data/msasl1000 --videos MS-ASL/videos \
        --extractor mediapipe
    python tools/dataset_converters/msasl_to_store.py MS-ASL data/msasl100 --subset 100 --poses data/msasl1000
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import convert_source, source_parser
from signbert_mm.prepare.sources.msasl import SUBSETS, msasl_index


def main() -> None:
    args = source_parser(
        __doc__, 'folder with MSASL_{train,val,test}.json and MSASL_classes.json', SUBSETS
    ).parse_args()
    convert_source(args, msasl_index(args.root, args.subset, args.splits, args.repeated))


if __name__ == '__main__':
    run_tool(main)
