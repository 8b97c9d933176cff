"""A PoseStore -> a folder of .pose files (package pose-format), and their labels.csv.

`make install` brings pose-format; after `make install-core`: pip install pose-format.

Example:
    python tools/dataset_converters/store_to_pose.py data/mine poses/
    python tools/dataset_converters/pose_to_store.py poses/ data/again --labels poses/labels.csv
"""

import argparse

from signbert_mm.datasets import PoseStore
from signbert_mm.engine.runner import run_tool
from signbert_mm.prepare.importers import export_pose_format


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('store', help='folder of the store')
    parser.add_argument('out', help='the new folder')
    parser.add_argument('--overwrite', action='store_true', help='replace a folder of .pose files alone')
    args = parser.parse_args()
    store = PoseStore(args.store)
    labelled = export_pose_format(store, args.out, args.overwrite)
    print(f'{args.out}: {len(store)} .pose files, {labelled} of them in labels.csv')


if __name__ == '__main__':
    run_tool(main)
