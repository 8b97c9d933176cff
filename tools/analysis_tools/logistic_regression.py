#!/usr/bin/env python
"""A logistic regression on the hands of a store: the baseline that every model has to beat.

Features, per frame and hand: the joints relative to the wrist over the largest joint distance, and the
wrist's position.

Example:
    python tools/analysis_tools/logistic_regression.py data/wlasl_hands300 --test val --frames 16 \
        --components 256
"""

import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from signbert_mm.arguments import positive, tool_parser, whole
from signbert_mm.datasets import PoseDataset
from signbert_mm.engine.runner import run_tool
from signbert_mm.evaluation.logistic_regression import logistic_regression


def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument('store', help='a PoseStore')
    parser.add_argument('--train', nargs='+', default=['train'], metavar='SPLIT', help='default: train')
    parser.add_argument('--test', nargs='+', default=['test'], metavar='SPLIT', help='default: test')
    parser.add_argument(
        '--frames', type=whole(0), default=16, help='frames a clip; 0 = all (default: %(default)s)'
    )
    parser.add_argument(
        '--components', type=whole(0), default=0, help='principal components; 0 = all (default: %(default)s)'
    )
    parser.add_argument(
        '--c',
        type=positive,
        default=0.1,
        help='inverse strength of the regularisation (default: %(default)s)',
    )
    args = parser.parse_args()
    train, test = (PoseDataset(args.store, split, layout='hands_42') for split in (args.train, args.test))
    metrics = logistic_regression(train, test, args.frames, args.c, args.components)
    names = {'p_i/top1': 'P-I top-1', 'p_i/top5': 'top-5', 'p_c/top1': 'P-C top-1', 'p_c/top5': 'top-5'}
    figures = '  '.join(f'{name} {metrics[key]:.2f}' for key, name in names.items())
    print(f'{len(train)} clips of {"+".join(args.train)}, {len(test)} of {"+".join(args.test)}: {figures}')


if __name__ == '__main__':
    run_tool(main)
