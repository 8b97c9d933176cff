#!/usr/bin/env python
"""Plots curves and prints a summary of runs from the scalars.json in their work directories."""

import argparse
import csv
import io
import math
import sys
from pathlib import Path
from typing import Dict, List, Optional, Tuple

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np

from signbert_mm.arguments import whole
from signbert_mm.engine.run_logs import Series, read_run, smoothed
from signbert_mm.engine.runner import run_tool
from signbert_mm.errors import UserValueError
from signbert_mm.files.atomic import write_atomic
from signbert_mm.files.os_errors import figure_path, output_file
from signbert_mm.visualization import plot_curves

# Logged quantities that are not plotted by default.
NOT_CURVES = ('epoch', 'iter', 'step', 'memory', 'data_time', 'time')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('runs', nargs='+', metavar='RUN', help='work directories, or scalars.json files')
    parser.add_argument(
        '--names', nargs='+', help='names of the runs in legends and tables (default: their folders)'
    )
    parser.add_argument('--keys', nargs='+', help='what to plot, e.g. loss p_i/top1 (default: everything)')
    parser.add_argument(
        '--smooth',
        type=whole(1),
        default=1,
        metavar='N',
        help='mean over N logged values for curves of training (default: %(default)s)',
    )
    parser.add_argument('--log', action='store_true', help='logarithmic y')
    parser.add_argument(
        '--out', type=figure_path, default='curves.png', help='picture (default: %(default)s)'
    )
    parser.add_argument('--csv', type=output_file, help='also write the plotted values here')
    return parser.parse_args()


def summary(name: str, train: Series, val: Series) -> List[str]:
    """Lines with the progress of training, and the last and the highest value of each metric."""
    lines = [name]
    if train:
        last = max(train['iter'])
        losses = ', '.join(
            f'{key} {train[key][max(train[key])]:.4g}' for key in sorted(train) if 'loss' in key
        )
        epoch = f'epoch {train["epoch"][last]:.0f}, ' if 'epoch' in train else ''
        pace = f', {np.mean(list(train["time"].values())):.3f} s an iteration' if 'time' in train else ''
        lines.append(f'  {epoch}iteration {last}: {losses}{pace}')
    for key in sorted(val):
        if key not in NOT_CURVES and not key.startswith(('clips', 'classes/', 'joints')):
            values = val[key]
            # Of equal values the earliest.
            best = max(values, key=lambda step: (values[step], -step))
            lines.append(
                f'  {key}: last {values[max(values)]:.2f}, highest {values[best]:.2f} (epoch {best})'
            )
    return lines


def pick_keys(requested: Optional[List[str]], runs: Dict[str, Tuple[Series, Series]]) -> List[str]:
    """The quantities to plot: the requested ones, or all."""
    known = {key for groups in runs.values() for group in groups for key in group}
    if requested:
        unknown = [key for key in requested if key not in known]
        if unknown:
            raise UserValueError(
                f'no {", ".join(unknown)} in these logs; there are: {", ".join(sorted(known))}'
            )
        return list(requested)
    keys = [
        key
        for key in known
        if key not in NOT_CURVES and key != 'base_lr' and not key.startswith(('clips', 'classes/', 'joints'))
    ]
    # Losses first, the learning rate last.
    return sorted(keys, key=lambda key: ('loss' not in key, key == 'lr', key))


def main() -> None:
    args = parse_args()
    names = args.names or [
        Path(run).parent.name if Path(run).is_file() else Path(run).name for run in args.runs
    ]
    if len(names) != len(args.runs):
        raise UserValueError(f'--names: {len(names)} names for {len(args.runs)} runs')
    names = [f'{name} ({number})' if names.count(name) > 1 else name for number, name in enumerate(names, 1)]
    runs = {name: read_run(run) for name, run in zip(names, args.runs)}
    for name, (train, val) in runs.items():
        print('\n'.join(summary(name, train, val)))

    panels, xlabels, rows = {}, {}, []
    for key in pick_keys(args.keys, runs):
        panels[key] = {}
        for name, (train, val) in runs.items():
            group, xlabels[key] = (train, 'iteration') if key in train else (val, xlabels.get(key, 'epoch'))
            finite = {
                step: value for step, value in sorted(group.get(key, {}).items()) if math.isfinite(value)
            }
            if finite:
                values = np.array(list(finite.values()))
                # Values of validation are not smoothed.
                values = smoothed(values, args.smooth) if group is train else values
                panels[key][name] = (list(finite), values)
                rows += [[name, key, step, value] for step, value in zip(finite, values.tolist())]
    panels = {key: panel for key, panel in panels.items() if panel}
    print(f'written: {plot_curves(args.out, panels, xlabels, log=args.log)}')
    if args.csv:
        table = io.StringIO()
        csv.writer(table).writerows([['run', 'quantity', 'step', 'value'], *rows])
        write_atomic(table.getvalue().encode(), args.csv)


if __name__ == '__main__':
    run_tool(main)
