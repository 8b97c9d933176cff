#!/usr/bin/env python
"""Accuracy of models by signer, joint against motion (ST-Consistency, Figure 6).

Example:
    python tools/test.py JOINT_CONFIG JOINT_CHECKPOINT --dump joint.pkl
    python tools/test.py MOTION_CONFIG MOTION_CHECKPOINT --dump motion.pkl
    python tools/visualization/signers.py JOINT_CONFIG joint.pkl motion.pkl --names joint motion \
        --out signers.png
"""

import argparse
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np
from mmengine.registry import init_default_scope

from signbert_mm.arguments import tool_parser
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.errors import ConfigError, UserValueError
from signbert_mm.evaluation.predictions import read_labels
from signbert_mm.files.os_errors import figure_path
from signbert_mm.registry import DATASETS
from signbert_mm.visualization import plot_signers, signer_accuracy


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config whose test_dataloader knows the signers')
    parser.add_argument(
        'predictions', nargs='+', help='files that tools/test.py --dump wrote, on that test data'
    )
    parser.add_argument('--names', nargs='+', help='names of the models (default: those of the files)')
    parser.add_argument('--title', default='', help='above the picture')
    parser.add_argument(
        '--out', type=figure_path, default='signers.png', help='picture (default: %(default)s)'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    names = args.names or [Path(path).stem for path in args.predictions]
    if len(names) != len(args.predictions) or len(set(names)) < len(names):
        raise UserValueError(f'--names: {len(args.predictions)} different names needed, got {names}')
    cfg = load_config(args.config)
    init_default_scope(cfg.default_scope)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    signers = dataset.store.signer[dataset.clips]
    if not any(signers):
        raise ConfigError(
            f'{dataset.store.folder}: no clip has a signer, so there is nothing to compare; '
            'convert it again with the signers given'
        )
    models, video_ids = {}, dataset.store.video_ids(dataset.clips)
    for name, path in zip(names, args.predictions):
        answers = read_labels(path)
        # Files of a test without `test_mode` have no names.
        same = not any(answers.video_ids) or answers.video_ids == video_ids
        if not np.array_equal(answers.labels, dataset.labels) or not same:
            raise UserValueError(
                f'{path}: not the predictions of the {len(dataset)} test clips of '
                f'{args.config}; make them with this test data'
            )
        models[name] = signer_accuracy(answers.labels, answers.predicted, signers)
    for signer, (_, count) in models[names[0]].items():
        print(
            f'{signer or "unknown":12}  {count:5} clips  '
            + '  '.join(f'{name} {models[name][signer][0]:.1f} %' for name in names)
        )
    print(f'written: {plot_signers(args.out, models, args.title)}')


if __name__ == '__main__':
    run_tool(main)
