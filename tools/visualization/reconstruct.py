#!/usr/bin/env python
"""Draw what a pre-trained model reconstructs (SignBERT, Figure 3).

Rows are the ground truth, the masked input, the reconstruction and the hand mesh over time.

Examples:
    python tools/visualization/reconstruct.py configs/pretrain_all.py CHECKPOINT --data train --index 0 7
    python tools/visualization/reconstruct.py configs/pretrain_all.py CHECKPOINT --input sign.mp4
"""

import argparse
import itertools
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from signbert_mm.apis.input import Failure, InputReader
from signbert_mm.apis.reconstruct import draw_clip, draw_prediction, load_pretrainer, masked_sample
from signbert_mm.apis.torch_backends import TorchBackend
from signbert_mm.arguments import add_cfg_options, tool_parser, whole
from signbert_mm.engine.runner import ConfigError, load_config, run_tool
from signbert_mm.errors import UserValueError
from signbert_mm.files.os_errors import output_path
from signbert_mm.registry import DATASETS
from signbert_mm.visualization import save_image


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file of pre-training')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--data',
        choices=['train', 'val', 'test'],
        default='train',
        help='whose clips; the test pipeline masks them (default: %(default)s)',
    )
    parser.add_argument(
        '--input',
        metavar='PATH',
        help='a video, a folder of videos, or a PoseStore, in place of the clips that the config names',
    )
    parser.add_argument(
        '--extractor', default='mediapipe', help='what finds poses in videos (default: %(default)s)'
    )
    parser.add_argument(
        '--index', type=int, nargs='+', help='which clips (default: --number of them, evenly spread)'
    )
    parser.add_argument('--number', type=whole(1), default=4, help='how many clips (default: %(default)s)')
    parser.add_argument(
        '--columns', type=whole(1), default=8, help='frames drawn of a clip (default: %(default)s)'
    )
    parser.add_argument('--no-mesh', action='store_true', help='leave out the fourth row')
    parser.add_argument(
        '--out',
        type=output_path,
        default='reconstructions',
        metavar='FOLDER',
        help='where the pictures go (default: %(default)s)',
    )
    parser.add_argument('--device', default='cpu', help='where the model runs (default: %(default)s)')
    add_cfg_options(parser)
    return parser.parse_args()


def draw_inputs(model: torch.nn.Module, cfg: Config, args: argparse.Namespace) -> None:
    """Draws the clips of --input."""
    model.cfg = cfg
    backend = TorchBackend(model, args.device)
    clips = enumerate(InputReader(args.extractor).clips(args.input))
    drawn = 0
    for index, clip in clips if args.index else itertools.islice(clips, args.number):
        if args.index and index not in args.index:
            continue
        if isinstance(clip, Failure):
            print(f'{clip.name}: left out: {clip.error}')
            continue
        sample, places = masked_sample(backend, clip)
        title = f'clip {index}  {clip.name}'
        picture = draw_prediction(model, sample, places, title, args.columns, not args.no_mesh)
        print(save_image(Path(args.out) / f'clip_{index:06d}.png', picture))
        drawn += 1
    if not drawn:
        raise ConfigError(f'{args.input}: no clip was drawn; check --index, or the files')


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.default_scope)
    if args.input is None and cfg.get(f'{args.data}_dataloader') is None:
        raise UserValueError(f'{args.config} has no {args.data}_dataloader; choose another --data')
    model = load_pretrainer(cfg, args.checkpoint, args.device)
    if args.input is not None:
        draw_inputs(model, cfg, args)
        return
    dataset = DATASETS.build(cfg[f'{args.data}_dataloader'].dataset)
    indices = (
        args.index or np.unique(np.linspace(0, len(dataset) - 1, args.number).round().astype(int)).tolist()
    )
    outside = [index for index in indices if not 0 <= index < len(dataset)]
    if outside:
        raise UserValueError(f'--index {outside}: the data has clips 0..{len(dataset) - 1}')
    for index in indices:
        picture = draw_clip(model, dataset, index, args.columns, not args.no_mesh)
        print(save_image(Path(args.out) / f'{args.data}_{index:06d}.png', picture))


if __name__ == '__main__':
    run_tool(main)
