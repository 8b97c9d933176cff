#!/usr/bin/env python
"""Draw clips of a config's data before and after each transform of its data preprocessor."""

import argparse
import sys
from pathlib import Path
from typing import Dict, List, Optional, Tuple

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np
from mmengine.registry import init_default_scope
from torch import Tensor

from signbert_mm.arguments import add_cfg_options, whole
from signbert_mm.datasets.transforms.base import run_steps
from signbert_mm.draws import Draws
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.errors import UserValueError
from signbert_mm.files.os_errors import output_path
from signbert_mm.layouts import get_layout
from signbert_mm.registry import DATASETS, MODELS
from signbert_mm.visualization import draw_hand, page, picture_grid, pose_cell, save_image, smoothly, view_of
from signbert_mm.visualization.grid import frame_tile, tile_canvas
from signbert_mm.visualization.palette import MASKING

HEIGHT, TITLES = 120, 240
Stage = Tuple[str, Dict[str, np.ndarray]]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--data',
        choices=['train', 'val', 'test'],
        default='train',
        help='whose data and pipeline (default: %(default)s)',
    )
    parser.add_argument(
        '--index', type=int, nargs='+', help='which clips (default: --number of them, evenly spread)'
    )
    parser.add_argument('--number', type=whole(1), default=4, help='how many clips (default: %(default)s)')
    parser.add_argument(
        '--epoch',
        type=whole(0),
        default=0,
        help='the epoch whose random numbers are drawn (default: %(default)s)',
    )
    parser.add_argument(
        '--columns', type=whole(1), default=8, help='frames drawn of a clip (default: %(default)s)'
    )
    parser.add_argument(
        '--out',
        type=output_path,
        default='browse',
        metavar='FOLDER',
        help='where the pictures go (default: %(default)s)',
    )
    add_cfg_options(parser)
    return parser.parse_args()


def run_stages(batch: Dict[str, Tensor], pipeline: list, draws: Draws) -> List[Stage]:
    """Snapshots of a batch of one clip: as loaded, then after each transform."""
    stages = [('as loaded', _snapshot(batch))]
    for transform in pipeline:
        batch = run_steps([transform], batch, draws)
        stages.append((type(transform).__name__, _snapshot(batch)))
    return stages


def _snapshot(batch: Dict[str, Tensor]) -> Dict[str, np.ndarray]:
    return {name: value[0].cpu().numpy().copy() for name, value in batch.items() if isinstance(value, Tensor)}


def hand_cell(stage: Dict[str, np.ndarray], t: int, hand: int) -> np.ndarray:
    """One crop as the model sees it.

    The left hand is mirrored from MirrorLeftHand on. Masked joints are empty circles.
    """
    if not stage['hand_valid'][t, hand]:
        return tile_canvas(HEIGHT, HEIGHT, 'not found')
    canvas = tile_canvas(HEIGHT, HEIGHT)
    disturbed = stage['disturbed'][t, hand] if 'disturbed' in stage else np.zeros(21, dtype=int)
    joints = stage['hands'][t, hand] * HEIGHT
    if 'target' in stage:
        # A zeroed joint is drawn where it was, which is its target.
        joints = np.where((disturbed == 1)[:, None], stage['target'][t, hand] * HEIGHT, joints)
    scores = stage['hand_scores'][t, hand]
    smoothly(
        canvas, lambda big, f: draw_hand(big, f * joints, scores, hollow=disturbed == 1, moved=disturbed == 2)
    )
    if 'operation' in stage and stage['operation'][t, hand]:
        frame_tile(canvas, tuple(MASKING.values())[stage['operation'][t, hand] - 1])
    return canvas


def changed_fields(before: Optional[Dict[str, np.ndarray]], after: Dict[str, np.ndarray]) -> str:
    """The fields that a transform added or changed."""
    if before is None:
        return ', '.join(name for name in ('keypoints', 'scores') if name in after)
    names = [
        name
        for name, value in after.items()
        if name not in before or before[name].shape != value.shape or (before[name] != value).any()
    ]
    return ', '.join(names) or 'nothing'


def clip_figure(stages: List[Stage], layout: str, columns: int, title: str, subtitle: str) -> np.ndarray:
    """Rows of frames: the full pose while transforms change it, then both hands' crops."""
    first = stages[0][1]
    frames = np.unique(np.linspace(0, max(int(first['length']) - 1, 0), columns).round().astype(int))
    view = view_of(first['keypoints'], first['scores'], first['image_size'])
    width = int(np.clip(HEIGHT * view.width / view.height, 100, 200))
    heads = [f'frame {first["frames"][t]}' for t in frames]
    parts, before = [], None
    for name, stage in stages:
        changed = changed_fields(before, stage)
        if before is None or 'keypoints' in changed or ('boxes' in stage and 'boxes' not in before):
            boxes = (
                np.where(stage['hand_valid'][..., None], stage['boxes'], 0)
                if 'boxes' in stage
                else [None] * len(stage['scores'])
            )

            def pose(_: int, column: int, stage: dict = stage, boxes: np.ndarray = boxes) -> np.ndarray:
                t = frames[column]
                return pose_cell(
                    stage['keypoints'][t], stage['scores'][t], layout, view, HEIGHT, width, boxes[t]
                )

            parts.append(picture_grid([name], heads, pose, (HEIGHT, width), title_width=TITLES))
        if 'hands' in stage:

            def crop(row: int, column: int, stage: dict = stage) -> np.ndarray:
                return hand_cell(stage, frames[column], 1 - row)

            notes = [_short(f'{"" if before is None else "changes "}{changed}'), '']
            parts.append(
                picture_grid(['right hand', 'left hand'], heads, crop, (HEIGHT, HEIGHT), name, notes, TITLES)
            )
        before = stage
    return page(parts, title, subtitle)


def _short(changed: str, limit: int = 26) -> str:
    """Cuts a note so that it fits beside a row."""
    return changed if len(changed) <= limit else changed[: limit - 1].rstrip(', ') + '…'


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.default_scope)
    if cfg.get(f'{args.data}_dataloader') is None:
        raise UserValueError(f'{args.config} has no {args.data}_dataloader; choose another --data')
    dataset = DATASETS.build(cfg[f'{args.data}_dataloader'].dataset)
    dataset.set_epoch(args.epoch)
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    pipeline = preprocessor.train_pipeline if args.data == 'train' else preprocessor.test_pipeline
    seed = preprocessor.seed if preprocessor.seed is not None else cfg.get('randomness', {}).get('seed') or 0
    indices = (
        args.index or np.unique(np.linspace(0, len(dataset) - 1, args.number).round().astype(int)).tolist()
    )
    outside = [index for index in indices if not 0 <= index < len(dataset)]
    if outside:
        raise UserValueError(f'--index {outside}: the data has clips 0..{len(dataset) - 1}')
    layout = get_layout(dataset.layout)
    for index in indices:
        loaded = dataset.__getitems__([index])
        batch = dict(loaded['inputs'])
        # The same draws as in training, or in evaluation, so the pictures show what the model gets.
        draws = Draws(seed, batch['epoch'] if args.data == 'train' else 0, batch['index'])
        stages = run_stages(batch, pipeline, draws)
        label = int(batch['label'][0])
        glosses = dataset.metainfo.get('glosses') or []
        name = glosses[label] if 0 <= label < len(glosses) else 'no label'
        video = loaded.get('video_id', [''])[0]
        picture = clip_figure(
            stages,
            layout,
            args.columns,
            f'clip {index}: {name}',
            f'{video}  {int(batch["length"][0])} frames, {args.data} pipeline'.strip(),
        )
        print(save_image(Path(args.out) / f'{args.data}_{index:06d}.png', picture))


if __name__ == '__main__':
    run_tool(main)
