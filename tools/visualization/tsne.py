#!/usr/bin/env python
"""t-SNE of the features of labelled clips (ST-Consistency, Figure 3), a panel for each checkpoint.

Needs scikit-learn. The config may be of a pre-trainer or a recogniser. A recogniser also reads a pre-training
checkpoint. 'none' means random weights.

Example:
    python tools/visualization/tsne.py configs/st_consistency/st_consistency_d64_b64_synthetic.py none \
        PRETRAINED.pth --classes 10 --out tsne.png
"""

import argparse
import re
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np
from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, set_random_seed

from signbert_mm.arguments import add_cfg_options, positive, seed, tool_parser, whole
from signbert_mm.engine.load_encoder import build_model
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.errors import ConfigError, UserValueError
from signbert_mm.evaluation.knn import extract_features
from signbert_mm.files.os_errors import figure_path
from signbert_mm.visualization import plot_embedding, tsne


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file with a test_dataloader (or val_dataloader)')
    parser.add_argument(
        'checkpoints', nargs='+', metavar='CHECKPOINT', help="checkpoint files, or 'none' for random weights"
    )
    parser.add_argument(
        '--names',
        nargs='+',
        help="names of the panels (default: a checkpoint's folder, of a published one its file name)",
    )
    parser.add_argument(
        '--split', choices=('test', 'val'), default='test', help='whose clips (default: %(default)s)'
    )
    parser.add_argument(
        '--classes',
        type=whole(1),
        default=20,
        help='only clips of the first so many glosses (default: %(default)s)',
    )
    parser.add_argument('--perplexity', type=positive, default=30.0, help='default: %(default)s')
    parser.add_argument(
        '--seed', type=seed, default=0, help='of t-SNE and of random weights (default: %(default)s)'
    )
    parser.add_argument('--out', type=figure_path, default='tsne.png', help='picture (default: %(default)s)')
    add_cfg_options(parser)
    return parser.parse_args()


def panel_name(checkpoint: str) -> str:
    """A run's folder, or the name of a published file without its hash."""
    if checkpoint == 'none':
        return 'random weights'
    path = Path(checkpoint).resolve()
    return (
        path.parent.name
        if re.match(r'(best|epoch|iter|last|latest)(_|$)', path.stem)
        else re.sub(r'-[0-9a-f]{8}$', '', path.stem)
    )


def main() -> None:
    args = parse_args()
    names = args.names or [panel_name(path) for path in args.checkpoints]
    if len(names) != len(args.checkpoints):
        raise UserValueError(f'--names: {len(names)} names for {len(args.checkpoints)} checkpoints')
    names = [f'{name} ({number})' if names.count(name) > 1 else name for number, name in enumerate(names, 1)]
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope'))
    loader = cfg.get(f'{args.split}_dataloader')
    if loader is None:
        raise ConfigError(
            f'config {args.config} has no {args.split}_dataloader, so there are no labelled clips'
        )
    loader = Runner.build_dataloader(loader)
    panels = {}
    for name, checkpoint in zip(names, args.checkpoints):
        # Random weights must not depend on the panels before.
        set_random_seed(args.seed)
        features, labels = (
            tensor.numpy()
            for tensor in extract_features(build_model(cfg, checkpoint).to(get_device()), loader)
        )
        chosen = np.flatnonzero((labels >= 0) & (labels < args.classes))
        panels[name] = (tsne(features[chosen], args.perplexity, args.seed), labels[chosen])
        print(f'{name}: {len(chosen)} clips of {len(set(labels[chosen].tolist()))} glosses')
    print(f'written: {plot_embedding(args.out, panels, loader.dataset.metainfo["glosses"])}')


if __name__ == '__main__':
    run_tool(main)
