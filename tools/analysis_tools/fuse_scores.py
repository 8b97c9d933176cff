#!/usr/bin/env python
"""Fuses the scores of several recognisers: H+P, H+R of the papers' tables.

Clips are aligned by video id. Weights are 1 each (the papers' plain sum), given, or searched on the
validation split's predictions.

Example:
    python tools/test.py H_CONFIG H.pth --dump h.pkl
    python tools/test.py P_CONFIG P.pth --dump p.pkl
    python tools/analysis_tools/fuse_scores.py h.pkl p.pkl
    python tools/analysis_tools/fuse_scores.py h.pkl p.pkl --search h_val.pkl p_val.pkl
"""

import argparse
import sys
from pathlib import Path
from typing import Dict, List

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from signbert_mm.arguments import tool_parser, whole
from signbert_mm.engine.runner import run_tool
from signbert_mm.errors import UserValueError
from signbert_mm.evaluation import load_predictions
from signbert_mm.evaluation.fusion import (
    KINDS,
    ClipScores,
    align,
    clip_scores,
    fused,
    search_weights,
    top_k_accuracy,
)
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument(
        'predictions', nargs='+', help='files that tools/test.py --dump wrote, two or more, of one split'
    )
    parser.add_argument('--names', nargs='+', help='what to call them (default: the file names)')
    parser.add_argument(
        '--scores',
        nargs='+',
        choices=KINDS,
        default=['prob'],
        help='what their scores are: one for all or one each (default: prob)',
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument('--weights', nargs='+', type=float, help='one weight each (default: 1 each)')
    how.add_argument(
        '--search',
        nargs='+',
        metavar='VAL.pkl',
        help='search the weights on these predictions of the validation split, in the same order',
    )
    parser.add_argument('--topk', nargs='+', type=whole(1), default=[1, 5])
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write the figures here')
    args = parser.parse_args()
    count = len(args.predictions)
    if count < 2:
        parser.error('give two files or more')
    for name in ('names', 'weights', 'search'):
        given = getattr(args, name)
        if given is not None and len(given) != count:
            parser.error(f'--{name}: {len(given)} given for {count} files')
    if len(args.scores) not in (1, count):
        parser.error(f'--scores: {len(args.scores)} given for {count} files; one for all or one each')
    return args


def read(files: List[str], names: List[str], kinds: List[str]) -> List[ClipScores]:
    """Reads and aligns the files' scores, and prints which clips are missing."""
    parts = [clip_scores(name, load_predictions(file), kind) for file, name, kind in zip(files, names, kinds)]
    aligned, missing = align(parts)
    for name, video_ids in missing.items():
        if video_ids:
            shown = ', '.join(video_ids[:10]) + (', ...' if len(video_ids) > 10 else '')
            print(f'{name} lacks {len(video_ids)} clips that others have; they are left out: {shown}')
    return aligned


def main() -> None:
    args = parse_args()
    names = args.names or [Path(file).stem for file in args.predictions]
    # Files of one name in several folders are called by their paths.
    if len(set(names)) < len(names):
        names = list(args.predictions)
    kinds = args.scores * (len(names) if len(args.scores) == 1 else 1)
    parts = read(args.predictions, names, kinds)
    weights = args.weights
    if args.search:
        reported, searched = (
            {Path(file).resolve() for file in files} for files in (args.predictions, args.search)
        )
        val = read(args.search, names, kinds)
        shared = set(val[0].video_ids) & set(parts[0].video_ids)
        # Weights chosen on the reported clips would make the result too good.
        if reported & searched or shared:
            raise UserValueError(
                f'--search: {len(shared)} clips are in the predictions that are reported too; '
                'search on the validation split'
            )
        weights, top1 = search_weights(val)
        print(
            f'weights searched on {len(val[0].labels)} validation clips: '
            f'{" ".join(f"{w:g}" for w in weights)} (P-I top-1 there {top1:.2f})'
        )

    rows: Dict[str, Dict[str, float]] = {
        part.name: top_k_accuracy(part.scores, part.labels, args.topk) for part in parts
    }
    title = '+'.join(names)
    if weights is not None:
        title = ' + '.join(f'{weight:g} {name}' for weight, name in zip(weights, names))
    rows[title] = top_k_accuracy(fused(parts, weights), parts[0].labels, args.topk)
    columns = [f'{kind}/top{k}' for k in args.topk for kind in ('p_i', 'p_c')]
    width = max(map(len, rows))
    print(f'{len(parts[0].labels)} clips, probabilities summed, accuracy in %')
    print(' ' * width + ''.join(f'{column:>12}' for column in columns))
    for name, row in rows.items():
        print(f'{name:{width}}' + ''.join(f'{row[column]:12.2f}' for column in columns))
    if args.out:
        result = dict(clips=len(parts[0].labels), weights=list(weights) if weights else None, accuracy=rows)
        write_json(result, args.out, indent=1)


if __name__ == '__main__':
    run_tool(main)
