#!/usr/bin/env python
"""Check a data set: counts against the official ones, detected hands, lengths, extractors, faults.

Exit code 0: usable; 1: an error was found. Warnings and notes do not change it.

Example: python tools/misc/verify_dataset.py data/wlasl2000 --official wlasl2000 --out report.json --figure
lengths.png
"""

import argparse
import json
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from signbert_mm.arguments import tool_parser
from signbert_mm.engine.runner import run_tool
from signbert_mm.files.atomic import write_atomic
from signbert_mm.files.os_errors import figure_path, output_file
from signbert_mm.prepare.verification import verify_store
from signbert_mm.visualization import plot_lengths


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('store', help='folder of the store')
    parser.add_argument(
        '--official',
        metavar='NAME|FILE.json',
        help='data set whose published counts are compared, or a file: split -> clips (default: as the store '
        'says)',
    )
    parser.add_argument(
        '--signer-independent',
        action='store_true',
        default=None,
        help='a signer in train and in another split is an error (default: where known)',
    )
    parser.add_argument('--per-class', action='store_true', help='print the clips of each gloss')
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write everything here')
    parser.add_argument('--figure', type=figure_path, metavar='FILE.png', help='draw the clip lengths here')
    return parser.parse_args()


def show_progress(done: int, clips: int) -> None:
    end = '\n' if done == clips else ''
    print(f'\r{done:,} of {clips:,} clips read', end=end, file=sys.stderr, flush=True)


def main() -> None:
    args = parse_args()
    progress = show_progress if sys.stderr.isatty() else None
    report = verify_store(args.store, args.official, args.signer_independent, progress)
    print(report.text(args.per_class))
    if args.out:
        text = json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + '\n'
        write_atomic(text.encode(), args.out)
    if args.figure and report.lengths:
        plot_lengths(
            args.figure, report.lengths['edges'], report.lengths['counts'], Path(args.store).resolve().name
        )
        print(f'figure in {args.figure}')
    if not report.ok:
        sys.exit(1)


if __name__ == '__main__':
    run_tool(main)
