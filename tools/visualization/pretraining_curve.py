#!/usr/bin/env python
"""Loss and kNN accuracy over the epochs of a pre-training, from the log in its work directory.

The kNN figures are those of KNNHook, on clips that its config names (a validation split of signers that are
not in training).

Example:
    python tools/train.py configs/st_consistency/st_consistency_d64_b32_pretrain-synthetic.py \
        --work-dir work_dirs/stc
    python tools/visualization/pretraining_curve.py work_dirs/stc --out pretraining.png
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Dict

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np

from signbert_mm.arguments import tool_parser, whole
from signbert_mm.engine.run_logs import Series, read_run, smoothed
from signbert_mm.engine.runner import run_tool
from signbert_mm.errors import UserValueError
from signbert_mm.files.os_errors import figure_path
from signbert_mm.visualization import plot_pretraining
from signbert_mm.visualization.pretraining_plot import Curve

KNN = {'knn/top1': 'top-1', 'knn/top5': 'top-5'}


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('run', metavar='RUN', help='work directory, or a scalars.json file')
    parser.add_argument(
        '--smooth',
        type=whole(1),
        default=1,
        metavar='N',
        help='mean over N logged losses (default: %(default)s)',
    )
    parser.add_argument('--title', default='', help='above the picture')
    parser.add_argument(
        '--out', type=figure_path, default='pretraining.png', help='picture (default: %(default)s)'
    )
    return parser.parse_args()


def loss_curves(train: Series, window: int = 1) -> Dict[str, Curve]:
    """The loss, then its parts, over epochs. An iteration is a fraction of its epoch.

    Raises:
        ValueError: No epochs were logged.
    """
    epochs = train.get('epoch', {})
    ratios = [step / epochs[step] for step in train['loss'] if epochs.get(step, 0) > 0]
    if not ratios:
        raise UserValueError(
            'the losses were logged without epochs, by a training that counts iterations; '
            'analyze_logs.py draws them'
        )
    # The smallest number of iterations an epoch that puts every logged line into its epoch.
    per_epoch = math.ceil(max(ratios))
    curves = {}
    for name in ('loss', *sorted(key for key in train if key.startswith('loss_'))):
        values = train[name]
        steps = sorted(values)
        smooth = smoothed(np.array([values[step] for step in steps]), window)
        curves[name.replace('loss_', '').replace('_', ', ')] = (np.array(steps) / per_epoch, smooth)
    return curves


def main() -> None:
    args = parse_args()
    train, val = read_run(args.run)
    if 'loss' not in train:
        raise UserValueError(f'{args.run}: no losses were logged; give the work directory of a training')
    knn = {
        title: (sorted(val[key]), [val[key][epoch] for epoch in sorted(val[key])])
        for key, title in KNN.items()
        if key in val
    }
    if not knn:
        raise UserValueError(
            f'{args.run}: no kNN accuracy was logged; pre-train with KNNHook in custom_hooks'
        )
    try:
        curves = loss_curves(train, args.smooth)
    except ValueError as error:
        raise UserValueError(f'{args.run}: {error}') from error
    for name, (epochs, values) in {
        'loss': curves['loss'],
        **{f'kNN {title}': curve for title, curve in knn.items()},
    }.items():
        print(f'{name}: {values[0]:.2f} at epoch {epochs[0]:.1f}, {values[-1]:.2f} at epoch {epochs[-1]:.1f}')
    print(f'written: {plot_pretraining(args.out, curves, knn, args.title)}')


if __name__ == '__main__':
    run_tool(main)
