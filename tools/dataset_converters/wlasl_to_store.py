"""WLASL -> a PoseStore with the official labels and splits; see docs/dataset_zoo/wlasl.md.

Examples:
    python tools/dataset_converters/wlasl_to_store.py WLASL data/wlasl2000 \
        --videos WLASL/start_kit/videos --extractor mediapipe
    python tools/dataset_converters/wlasl_to_store.py WLASL data/wlasl100 --subset 100 --poses data/wlasl2000
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import convert_source, source_parser
from signbert_mm.prepare.sources.wlasl import SUBSETS, wlasl_index


def main() -> None:
    args = source_parser(
        __doc__,
        "checkout of the owners' repository: nslt_*.json, wlasl_class_list.txt, WLASL_v0.3.json",
        SUBSETS,
    ).parse_args()
    convert_source(args, wlasl_index(args.root, args.subset, args.splits, args.repeated))


if __name__ == '__main__':
    run_tool(main)
