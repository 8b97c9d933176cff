#!/usr/bin/env python
"""Train a model from a config: pre-training, fine-tuning, or from scratch."""

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from signbert_mm.arguments import add_cfg_options, add_launcher, seed
from signbert_mm.errors import ConfigError
from signbert_mm.files import folder_lock

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where checkpoints and logs go (default: work_dirs/<config name>)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from this checkpoint; without a value, from the last complete one in the work dir, or '
        "if there is none from the config's load_from",
    )
    parser.add_argument(
        '--amp', action='store_true', help='mixed precision: bfloat16, or float16 on GPUs without it'
    )
    parser.add_argument('--no-validate', action='store_true', help='do not validate during training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by batch size x processes over auto_scale_lr.base_batch_size',
    )
    parser.add_argument('--seed', type=seed, help='random seed (default: that of the config, else 0)')
    parser.add_argument('--deterministic', action='store_true', help='deterministic cuDNN kernels')
    add_cfg_options(parser)
    add_launcher(parser)
    args = parser.parse_args()
    # torch.distributed.launch passes the rank as an argument, torchrun as a variable.
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def merge_args(cfg: 'Config', args: argparse.Namespace) -> None:
    """Put the command line into the config. The command line wins."""
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    if args.resume == 'auto':
        cfg.resume = 'auto'
    elif args.resume is not None:
        # mmengine resumes from ``load_from`` where ``resume`` is True.
        cfg.resume, cfg.load_from = True, args.resume
    if args.amp:
        cfg.optim_wrapper.type = 'SignAmpOptimWrapper'
    if args.no_validate:
        # mmengine accepts all three or none.
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.auto_scale_lr:
        if not (cfg.get('auto_scale_lr') or {}).get('base_batch_size'):
            raise ConfigError(
                '--auto-scale-lr: the config states no auto_scale_lr=dict(base_batch_size=...), the batch '
                'its learning rate is meant for'
            )
        cfg.auto_scale_lr.enable = True
    cfg.setdefault('randomness', {})
    if args.seed is not None:
        cfg.randomness.seed = args.seed
    if cfg.randomness.get('seed') is None:
        cfg.randomness.seed = 0
    if args.deterministic:
        cfg.randomness.deterministic = True


def main(args: argparse.Namespace) -> None:
    from signbert_mm.engine.runner import load_config
    from signbert_mm.engine.runner.launch import is_first_process
    from signbert_mm.engine.runner.train_loop import LOCK

    cfg = load_config(args.config, args.cfg_options)
    merge_args(cfg, args)
    with contextlib.ExitStack() as stack:
        # Locked before config and log are written there, so that two trainings cannot mix.
        if is_first_process(args.launcher):
            stack.enter_context(folder_lock(cfg.work_dir, LOCK, 'training'))
        train(cfg, args.launcher)


def train(cfg: 'Config', launcher: str) -> None:
    """Build the config's runner and train."""
    from mmengine.device import get_device

    from signbert_mm import compat
    from signbert_mm.engine.runner import build_runner, prepare_launch

    prepare_launch(cfg, launcher)
    if get_device() == 'cpu':
        compat.keep_large_blocks()
    build_runner(cfg).train()


if __name__ == '__main__':
    # Read before torch is imported, so that --help is quick.
    parsed = parse_args()

    from signbert_mm.engine.runner import run_tool

    run_tool(lambda: main(parsed))
