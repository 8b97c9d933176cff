#!/usr/bin/env python
"""Errors by sign of two models beside each other (ST-Consistency, Figure 5): a picture and a csv.

The paper compares hands alone with trunk alone.

Example:
    python tools/test.py HAND_CONFIG HAND_CHECKPOINT --dump hand.pkl
    python tools/test.py TRUNK_CONFIG TRUNK_CHECKPOINT --dump trunk.pkl
    python tools/visualization/class_errors.py hand.pkl trunk.pkl --names hand trunk \
        --config HAND_CONFIG --out errors.png
"""

import argparse
import csv
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np
from mmengine.registry import init_default_scope

from signbert_mm.arguments import tool_parser, whole
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.errors import UserValueError
from signbert_mm.evaluation.predictions import check_same_clips, glosses_of, read_labels
from signbert_mm.files.os_errors import figure_path
from signbert_mm.registry import DATASETS
from signbert_mm.visualization import class_errors, plot_class_errors


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument(
        'predictions', nargs=2, help='files that tools/test.py --dump wrote, on the same test clips'
    )
    parser.add_argument('--names', nargs=2, help='names of the models (default: those of the files)')
    parser.add_argument(
        '--config', help='config whose test data names the glosses; without it classes are numbers'
    )
    parser.add_argument(
        '--most',
        type=whole(1),
        default=40,
        help='classes drawn at most, those that differ most (default: %(default)s)',
    )
    parser.add_argument('--title', default='', help='above the picture')
    parser.add_argument(
        '--out',
        type=figure_path,
        default='class_errors.png',
        help='picture; the figures go beside it as .csv (default: %(default)s)',
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    names = args.names or [Path(path).stem for path in args.predictions]
    one, two = (read_labels(path) for path in args.predictions)
    if names[0] == names[1]:
        raise UserValueError(f'--names: both models are named {names[0]!r}')
    check_same_clips(one, two)
    labels, number, glosses = one.labels, one.num_classes, None
    if args.config:
        cfg = load_config(args.config)
        init_default_scope(cfg.default_scope)
        glosses = glosses_of(one, DATASETS.build(cfg.test_dataloader.dataset), args.config)
    errors = {name: class_errors(labels, part.predicted, number) for name, part in zip(names, (one, two))}
    print(f'written: {plot_class_errors(args.out, errors, glosses, args.most, args.title)}')
    table = Path(args.out).with_suffix('.csv')
    with open(table, 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(['class', 'clips', *(f'{name}, wrong in %' for name in names)])
        counts = np.bincount(labels, minlength=number)
        for label in np.flatnonzero(counts):
            writer.writerow(
                [
                    glosses[label] if glosses else label,
                    counts[label],
                    *(f'{values[label]:.2f}' for values in errors.values()),
                ]
            )
    print(f'written: {table}')


if __name__ == '__main__':
    run_tool(main)
