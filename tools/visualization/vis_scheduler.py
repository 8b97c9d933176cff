#!/usr/bin/env python
"""Learning rate (and momentum) over training, computed from a config without training."""

import argparse
import math
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Dict, List

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from signbert_mm.arguments import add_cfg_options, whole
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.files.os_errors import figure_path
from signbert_mm.registry import DATASETS
from signbert_mm.visualization import plot_curves

NAMES = dict(lr='learning rate', momentum='momentum')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--param', nargs='+', choices=sorted(NAMES), default=['lr'], help='what to draw (default: lr)'
    )
    parser.add_argument(
        '--clips', type=whole(1), help='clips in the training data (default: counted from the data)'
    )
    parser.add_argument(
        '--gpus', type=whole(1), default=1, help='processes, each with its batch (default: %(default)s)'
    )
    parser.add_argument('--log', action='store_true', help='logarithmic y')
    parser.add_argument(
        '--out', type=figure_path, default='schedule.png', help='picture (default: %(default)s)'
    )
    add_cfg_options(parser)
    return parser.parse_args()


class _OneParameter(BaseModel):
    """A model with one parameter, since an optimizer needs one."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, inputs: object, data_samples: object = None, mode: str = 'tensor') -> dict:
        return dict(loss=self.weight.sum())


def iterations_per_epoch(cfg: Config, clips: int, gpus: int) -> int:
    """Batches of one process in an epoch. The last, smaller one counts unless it is dropped."""
    loader = cfg.train_dataloader
    share = math.ceil(clips / gpus)
    return max(
        1, share // loader.batch_size if loader.get('drop_last') else math.ceil(share / loader.batch_size)
    )


def schedule(cfg: Config, per_epoch: int) -> Dict[str, List[float]]:
    """Learning rate and momentum of the first group at each iteration, from mmengine's own schedulers."""
    train_cfg = cfg.train_cfg
    by_epoch = train_cfg.get('by_epoch', 'max_epochs' in train_cfg)
    loop = (
        dict(by_epoch=True, max_epochs=train_cfg.max_epochs)
        if by_epoch
        else dict(by_epoch=False, max_iters=train_cfg.max_iters)
    )
    optimizer = cfg.optim_wrapper.optimizer
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(
            _OneParameter(),
            folder,
            train_dataloader=DataLoader(range(per_epoch)),
            train_cfg=loop,
            optim_wrapper=dict(type='OptimWrapper', optimizer=optimizer),
            param_scheduler=cfg.get('param_scheduler'),
            log_level='ERROR',
            default_scope=cfg.default_scope,
            # mmengine keeps runners by name.
            experiment_name=Path(folder).name,
        )
        runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
        runner._train_loop = runner.build_train_loop(runner._train_loop)
        schedulers = runner.build_param_scheduler(cfg.get('param_scheduler') or [])
        iterations = train_cfg.max_epochs * per_epoch if by_epoch else train_cfg.max_iters
        group = runner.optim_wrapper.param_groups[0]
        values = {name: [] for name in NAMES}
        # torch warns of schedulers that step without their optimizer.
        warnings.filterwarnings('ignore', message='Detected call of `scheduler.step')
        for iteration in range(1, iterations + 1):
            values['lr'].append(float(group['lr']))
            values['momentum'].append(
                float(group['betas'][0] if 'betas' in group else group.get('momentum', 0.0))
            )
            for scheduler in schedulers:
                if not scheduler.by_epoch or (by_epoch and iteration % per_epoch == 0):
                    scheduler.step()
    return values


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.default_scope)
    clips = args.clips or len(DATASETS.build(cfg.train_dataloader.dataset))
    per_epoch = iterations_per_epoch(cfg, clips, args.gpus)
    values = schedule(cfg, per_epoch)
    lr = values['lr']
    changes = [0] + [step for step in range(1, len(lr)) if lr[step] != lr[step - 1]]
    print(
        f'{len(lr)} iterations, {per_epoch} an epoch of {clips} clips; learning rate {lr[0]:g} at first, '
        f'{max(lr):g} at most, {lr[-1]:g} at last'
    )
    if len(changes) <= 12:
        for step in changes:
            print(f'  from iteration {step} (epoch {step // per_epoch + 1}): {lr[step]:g}')
    epochs = [step / per_epoch for step in range(len(lr))]
    panels = {NAMES[name]: {'': (epochs, values[name])} for name in args.param}
    print(f'written: {plot_curves(args.out, panels, "epoch", Path(args.config).stem, args.log)}')


if __name__ == '__main__':
    run_tool(main)
