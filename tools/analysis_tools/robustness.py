#!/usr/bin/env python
"""Tests a recogniser on its test clips as if they had been filmed otherwise: P-I top-1 of each change.

The changes: rests before and after the sign, slower and faster signing, a left-handed signer, a turned
camera, far and near, frames without a hand, jitter, other frame rates. The clips are those of the config's
test data.

Example:
    python tools/analysis_tools/robustness.py configs/wlasl_hands/signbert_d128_wlasl300.py CHECKPOINT.pth
"""

import argparse
import sys
import tempfile
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from mmengine.device import get_device

from signbert_mm.apis import init_model
from signbert_mm.apis.torch_backends import glosses_of
from signbert_mm.arguments import add_cfg_options, seed, tool_parser
from signbert_mm.datasets import PoseDataset
from signbert_mm.datasets.filming import CHANGES, write_changed
from signbert_mm.engine.label_maps import label_map_difference, label_map_remedy
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.errors import ConfigError
from signbert_mm.evaluation import SignAccuracy
from signbert_mm.evaluation.store_rows import store_rows
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.registry import DATASETS


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config of a recogniser')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('--seed', type=seed, default=0, help='seed of the changes (default: %(default)s)')
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write the figures here')
    add_cfg_options(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    if cfg.get('test_dataloader') is None:
        raise ConfigError(
            f'config {args.config} has no test_dataloader: it does not say which clips are tested'
        )
    model = init_model(cfg, args.checkpoint, get_device())
    if not model.recognises:
        raise ConfigError(f'config {args.config} is no recogniser')
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    if not isinstance(dataset, PoseDataset):
        raise ConfigError(
            f'config {args.config}: test_dataloader.dataset is {type(dataset).__name__}; clips of a '
            'PoseDataset are changed'
        )
    saved = glosses_of(model)
    difference = label_map_difference(saved, dataset.glosses) if saved else ''
    if difference:
        remedy = label_map_remedy(saved, dataset.glosses, 'test', args.checkpoint)
        raise ConfigError(f'checkpoint {args.checkpoint}: {difference}. {remedy}')
    metric, figures, first = SignAccuracy(topk=(1, 5)), {}, 0.0
    print(f'{len(dataset)} clips; P-I Top-1, difference, Top-5')
    for change in CHANGES:
        with tempfile.TemporaryDirectory() as folder:
            store = write_changed(dataset, change, Path(folder) / 'clips', args.seed)
            metrics = metric.compute_rows(store_rows(model, cfg, store.folder, metric))
        figures[change] = metrics
        top1 = metrics['p_i/top1']
        first = top1 if change == 'as filmed' else first
        print(f'{change:36} {top1:6.1f} {top1 - first:+6.1f} {metrics["p_i/top5"]:6.1f}', flush=True)
    if args.out:
        write_json(figures, args.out)


if __name__ == '__main__':
    run_tool(main)
