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

try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:
    # A checkout that is not installed.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from signbert_mm.apis.input import Failure, InputReader
from signbert_mm.apis.reconstruct import masked_sample
from signbert_mm.apis.torch_backends import TorchBackend
from signbert_mm.engine.checkpoint_io import CheckpointError, load_checkpoint_file
from signbert_mm.engine.runner import ConfigError, OptionsAction, load_config, run_tool
from signbert_mm.errors import UserValueError
from signbert_mm.files.os_errors import output_path
from signbert_mm.registry import DATASETS, MODELS
from signbert_mm.structures import SignDataSample
from signbert_mm.visualization import mesh_in_crop, reconstruction_figure, save_image


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    parser.add_argument('--number', type=int, default=4, help='how many clips (default: %(default)s)')
    parser.add_argument(
        '--columns', type=int, default=8, help='frames drawn of a clip (default: %(default)s)'
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
    parser.add_argument(
        '--cfg-options', nargs='+', action=OptionsAction, metavar='KEY=VALUE', help='config values to change'
    )
    return parser.parse_args()


def load_model(cfg: Config, checkpoint: str, device: str) -> torch.nn.Module:
    """The config's model with the checkpoint's weights, for evaluation.

    Raises:
        CheckpointError: The checkpoint is not one of this model.
    """
    model = MODELS.build(cfg.model)
    content = load_checkpoint_file(checkpoint, map_location='cpu')
    try:
        model.load_state_dict(content.get('state_dict', content))
    except RuntimeError as error:
        raise CheckpointError(
            f'checkpoint {checkpoint} does not fit the model of the config: {error}'
        ) from None
    if not hasattr(model, 'decoder'):
        raise UserValueError(f'{type(model).__name__} has no decoder; give the config of a pre-training')
    return model.to(device).eval()


def draw(
    sample: SignDataSample, places: np.ndarray, model: torch.nn.Module, name: str, args: argparse.Namespace
) -> np.ndarray:
    """The figure of one prediction. ``places`` are its frames' indices in the clip."""
    hand_model = None if args.no_mesh else model.hand_model
    mesh = faces = None
    if hand_model is not None:
        mesh, faces = mesh_in_crop(sample, hand_model), hand_model.faces.cpu().numpy()
    return reconstruction_figure(sample, mesh, faces, columns=args.columns, title=name, places=places)


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
        picture = draw(*masked_sample(backend, clip), model, f'clip {index}  {clip.name}', args)
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
    model = load_model(cfg, args.checkpoint, args.device)
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
    glosses = dataset.metainfo.get('glosses') or []
    for index in indices:
        loaded = dataset.__getitems__([index])
        with torch.no_grad():
            data = model.data_preprocessor(loaded, training=False)
            if 'chosen' not in data['inputs']:
                raise UserValueError(
                    'the test pipeline of the data preprocessor masks nothing; add '
                    'MaskHandTokens and ZeroMissing at its end'
                )
            sample = model(data['inputs'], mode='predict')[0]
        label, frames = int(sample.gt_label), data['inputs']['frames'][0].cpu().numpy()
        name = f'clip {index}' + (f': {glosses[label]}' if 0 <= label < len(glosses) else '')
        print(
            save_image(
                Path(args.out) / f'{args.data}_{index:06d}.png',
                draw(sample, frames, model, f'{name}  {sample.video_id}'.strip(), args),
            )
        )


if __name__ == '__main__':
    run_tool(main)
