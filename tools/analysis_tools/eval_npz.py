#!/usr/bin/env python
"""Tests a recogniser on an npz file of hands: P-I and P-C, top-1 and top-5.

The file is one that npz_to_store.py reads. Its clips go through the pipeline of the config's test data.
Labels are matched by gloss: clips of glosses that the checkpoint does not know are left out and counted. If
the file marks twins (clips with the same landmarks, often under two glosses), figures without them are
printed too.

Example:
    python tools/analysis_tools/eval_npz.py configs/wlasl_hands/signbert_d128_wlasl300.py CHECKPOINT.pth \
        wlasl_hands.npz --split val
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Dict

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device

from signbert_mm.apis import init_model
from signbert_mm.arguments import add_cfg_options, tool_parser, whole
from signbert_mm.datasets import PoseStoreWriter
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.errors import ConfigError, UserValueError
from signbert_mm.evaluation import SignAccuracy
from signbert_mm.evaluation.store_rows import store_rows
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.prepare.importers import NpzClips, write_clips

METRIC = SignAccuracy(topk=(1, 5))


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config of a recogniser')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument(
        'npz', help='fields hands, length, label, classes, seq_id and perhaps pose, split, twin'
    )
    parser.add_argument(
        '--split', default='', help='only the clips of this value of the field split (default: all clips)'
    )
    parser.add_argument(
        '--subset', default='', metavar='FIELD', help='only the clips of this boolean field, as in300'
    )
    parser.add_argument(
        '--width', type=whole(1), default=640, help='image width in pixels (default: %(default)s)'
    )
    parser.add_argument(
        '--height', type=whole(1), default=480, help='image height in pixels (default: %(default)s)'
    )
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write the figures here')
    add_cfg_options(parser)
    return parser.parse_args()


def read_clips(args: argparse.Namespace, glosses: list) -> NpzClips:
    """The file's clips to test, with the checkpoint's labels."""
    clips = NpzClips(args.npz, args.width, args.height, 'recorded' if args.split else None, args.subset)
    if args.split:
        kept = clips.kept[clips.split[clips.kept] == args.split]
        if not len(kept):
            raise UserValueError(
                f'{args.npz}: no clip of split {args.split!r}; splits there: {sorted(set(clips.split))}'
            )
        clips.kept = kept
    left_out = clips.keep_glosses(glosses)
    print(
        f'{len(clips)} clips of {len(np.unique(clips.label[clips.kept]))} of the {len(glosses)} glosses',
        end='',
    )
    print(f'; {left_out} left out, whose gloss the checkpoint does not know' if left_out else '')
    return clips


def recognise(model: torch.nn.Module, cfg: Config, clips: NpzClips) -> np.ndarray:
    """Recognises clips: rows of (label, rank of the right class, classes) in the order of ``clips``."""
    # A temporary store, so that the clips pass the same data set and transforms as in tools/test.py.
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / 'clips'
        write_clips(
            PoseStoreWriter(store, clips.layout, clips.glosses, extractor='mediapipe holistic'), clips
        )
        return store_rows(model, cfg, store, METRIC)


def print_figures(title: str, metrics: Dict[str, float]) -> None:
    names = {'p_i/top1': 'P-I Top-1', 'p_i/top5': 'Top-5', 'p_c/top1': 'P-C Top-1', 'p_c/top5': 'Top-5'}
    print(f'{title}: ' + '  '.join(f'{name} {metrics[key]:.2f}' for key, name in names.items()))


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    if cfg.get('test_dataloader') is None:
        raise ConfigError(
            f'config {args.config} has no test_dataloader: it does not say how clips are sampled'
        )
    model = init_model(cfg, args.checkpoint, get_device())
    glosses = list(model.dataset_meta.get('glosses') or [])
    if not glosses or not model.recognises:
        raise ConfigError(f'checkpoint {args.checkpoint} names no glosses, or {args.config} is no recogniser')
    clips = read_clips(args, glosses)
    rows = recognise(model, cfg, clips)
    metrics = METRIC.compute_rows(rows)
    print_figures(f'{len(rows)} clips', metrics)
    single = clips.twin[clips.kept] < 0
    if not single.any():
        print('every clip has a twin: there are no figures without twins')
    elif not single.all():
        alone = METRIC.compute_rows(rows[single])
        print_figures(f'{single.sum()} clips without twins', alone)
        metrics.update({f'without_twins/{key}': value for key, value in alone.items()})
    if args.out:
        write_json(metrics, args.out)


if __name__ == '__main__':
    run_tool(main)
