#!/usr/bin/env python
"""Test a checkpoint with the test data and metrics of a config.

Where the test data are only a part of the published ones, the last line says how large a part. --out writes
it as `coverage`.

Example: python tools/test.py CONFIG CHECKPOINT --out metrics.json --dump predictions.pkl
"""

import argparse
import os
import os.path as osp
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Optional

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from signbert_mm.arguments import add_cfg_options, add_launcher, tool_parser
from signbert_mm.errors import ConfigError
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file, output_path

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--work-dir', type=output_path, help='where logs go (default: work_dirs/<config name>)'
    )
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write the metrics here')
    parser.add_argument(
        '--dump',
        type=output_file,
        metavar='FILE.pkl',
        help='write the predictions here: a pickled list of plain dicts, one a clip',
    )
    add_cfg_options(parser)
    add_launcher(parser)
    args = parser.parse_args()
    if args.dump and not args.dump.endswith(('.pkl', '.pickle')):
        parser.error(f'--dump writes a pickle: the name must end in .pkl, got {args.dump}')
    if args.out and not args.out.endswith('.json'):
        parser.error(
            f'--out writes JSON: the name must end in .json, got {args.out}; predictions go to '
            '--dump FILE.pkl'
        )
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: 'Config', args: argparse.Namespace) -> None:
    """Put the command line into the config. The command line wins."""
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    cfg.load_from, cfg.resume = args.checkpoint, False
    for key in ('test_dataloader', 'test_cfg', 'test_evaluator'):
        if cfg.get(key) is None:
            raise ConfigError(f'config {args.config} has no {key}: it cannot be tested')
    if args.dump:
        evaluator = (
            cfg.test_evaluator if isinstance(cfg.test_evaluator, (list, tuple)) else [cfg.test_evaluator]
        )
        cfg.test_evaluator = [*evaluator, dict(type='signbert_mm.DumpPredictions', out_file_path=args.dump)]
        os.makedirs(osp.dirname(osp.abspath(args.dump)), exist_ok=True)


def report(metrics: dict, meta: Optional[dict], out: Optional[str]) -> None:
    """Print what share of the published test data was tested, and write the metrics."""
    from signbert_mm.evaluation.coverage import coverage_facts, coverage_text

    coverage = coverage_text(meta)
    if coverage:
        shares = {key: value for key, value in metrics.items() if isinstance(value, float)}
        what = 'accuracy' if any(key.startswith('p_i') for key in shares) else 'metrics'
        print(f'{what} on {coverage}: ' + ', '.join(f'{key} {value:.2f}' for key, value in shares.items()))
    if out:
        figures: dict = {key: float(value) for key, value in metrics.items()}
        facts = coverage_facts(meta)
        write_json(dict(figures, coverage=facts) if facts else figures, out)


def main(args: argparse.Namespace) -> None:
    from signbert_mm.engine.runner import build_runner, load_config, prepare_launch

    cfg = load_config(args.config, args.cfg_options)
    merge_args(cfg, args)
    prepare_launch(cfg, args.launcher)
    runner = build_runner(cfg, training=False)
    metrics = runner.test()
    if runner.rank == 0:
        report(metrics, getattr(runner.test_dataloader.dataset, 'metainfo', None), args.out)


if __name__ == '__main__':
    # Read before torch is imported, so that --help is quick.
    parsed = parse_args()

    from signbert_mm.engine.runner import run_tool

    run_tool(lambda: main(parsed))
