"""ASL Citizen -> a PoseStore with the official splits; see docs/dataset_zoo/asl_citizen.md.

Example:
    python tools/dataset_converters/asl_citizen_to_store.py ASL_Citizen data/asl_citizen \
        --videos ASL_Citizen/videos --extractor mediapipe
"""

from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.cli import convert_source, source_parser
from signbert_mm.prepare.sources.asl_citizen import asl_citizen_index


def main() -> None:
    args = source_parser(__doc__, 'the unpacked download, with splits/ in it').parse_args()
    convert_source(args, asl_citizen_index(args.root, args.splits, args.repeated))


if __name__ == '__main__':
    run_tool(main)
