"""AUTSL -> a PoseStore with the official labels and splits; see docs/dataset_zoo/autsl.md.

Example:
    python tools/dataset_converters/autsl_to_store.py AUTSL data/autsl --videos AUTSL --extractor mediapipe
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import convert_source, source_parser
from signbert_mm.prepare.sources.autsl import autsl_index


def main() -> None:
    args = source_parser(
        __doc__, 'folder with {train,validation,test}_labels.csv and SignList_ClassId_TR_EN.csv'
    ).parse_args()
    convert_source(args, autsl_index(args.root, args.splits, args.repeated))


if __name__ == '__main__':
    run_tool(main)
