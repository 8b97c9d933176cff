"""A PoseStore -> the skeleton pickle of pyskl and mmaction2.

Example:
    python tools/dataset_converters/store_to_pyskl.py data/words33 words33.pkl
"""

from signbert_mm.arguments import tool_parser
from signbert_mm.datasets import PoseStore
from signbert_mm.engine.runner import run_tool
from signbert_mm.files.os_errors import output_file
from signbert_mm.prepare.importers import export_pyskl


def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument('store', help='folder of the store')
    parser.add_argument('out', type=output_file, help='the new .pkl file')
    parser.add_argument('--overwrite', action='store_true', help='replace a file that is already there')
    args = parser.parse_args()
    store = PoseStore(args.store)
    export_pyskl(store, args.out, args.overwrite)
    print(f'{args.out}: {len(store)} clips, splits {store.split_counts()}, layout {store.layout.name}')


if __name__ == '__main__':
    run_tool(main)
