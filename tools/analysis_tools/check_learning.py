#!/usr/bin/env python
"""Checks in a minute whether a config's model can learn from its data, before it trains for days.

The checks: the first batch has a finite loss, the output of each part differs between clips, each parameter
gets a gradient, and a few clips can be learned by heart. If one fails, a line with FAIL says what is wrong,
and the exit status is 1.

Example:
    python tools/analysis_tools/check_learning.py configs/words33/signbert_d128_finetune.py
    python tools/analysis_tools/check_learning.py configs/mine/own_parts.py --clips 20 --steps 100
"""

import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from signbert_mm.arguments import add_cfg_options, positive, seed, tool_parser, whole
from signbert_mm.engine.learning_check import check_learning
from signbert_mm.engine.runner import load_config, run_tool


def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file with a model and a train_dataloader')
    parser.add_argument(
        '--clips', type=whole(1), default=50, help='clips to learn by heart (default: %(default)s)'
    )
    parser.add_argument(
        '--classes', type=whole(1), default=10, help='of how many classes (default: %(default)s)'
    )
    parser.add_argument('--steps', type=whole(1), default=200, help='steps on them (default: %(default)s)')
    parser.add_argument(
        '--lr', type=positive, default=1e-3, help='learning rate of these steps (default: %(default)s)'
    )
    parser.add_argument('--seed', type=seed, default=0, help='of weights and draws (default: %(default)s)')
    add_cfg_options(parser)
    args = parser.parse_args()
    cfg = load_config(args.config, args.cfg_options)
    report = check_learning(cfg, args.clips, args.classes, args.steps, args.lr, args.seed)
    print('\n'.join(report.facts))
    if report.failures:
        sys.exit(f'{len(report.failures)} of the checks failed: this model does not learn as it should')
    print('The model learns.')


if __name__ == '__main__':
    run_tool(main)
