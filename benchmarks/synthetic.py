"""Synthetic signs: clips a second on one core, and how hard the default benchmark is for a logistic
regression.

Speed: clips of the default benchmark in batches of 64 (layout coco_wholebody_133, noisy and true joints,
nothing written), single-threaded, best of three rounds; by the wall clock, and by the process's own CPU time,
which is the fairer figure on a machine that does other work too.

Hardness (``--hardness``, needs scikit-learn): logistic regression, C 0.1, on standardised features, trained
on the train split and scored on the test split's signers. Each clip is linearly resampled; per frame and hand
it gives the joints minus wrist over the largest joint distance, and the wrist; zeros where missing. Once with
the detector's joints, once with the true ones.

Example:
    python benchmarks/synthetic.py --hardness --out work_dirs/synthetic.json
"""

import argparse
import os
import platform
import time
import warnings
from typing import Dict

import numpy as np

from signbert_mm.datasets.synthetic import SYNTHETIC_NOTE, SyntheticBatch, SyntheticSigns
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file

BATCH = 64
SPEED_FLOOR, HARDNESS_CEILING = 1000.0, 0.6


def speed(clips: int, rounds: int = 3) -> Dict[str, float]:
    signs = SyntheticSigns()
    signs.generate(range(BATCH))
    best = dict(clips_per_s=0.0, clips_per_cpu_s=0.0)
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        for start in range(0, clips, BATCH):
            signs.generate(range(start, start + BATCH))
        seconds = dict(clips_per_s=time.perf_counter() - wall, clips_per_cpu_s=time.process_time() - cpu)
        best = {name: max(best[name], clips / seconds[name]) for name in best}
    return best


def features(batch: SyntheticBatch, frames: int, true_joints: bool) -> np.ndarray:
    """(B, frames * 88) float32 from clips in layout hands_42."""
    points = batch.true_2d[:, :42] if true_joints else batch.keypoints[..., :2]
    found = np.ones(points.shape[:2], dtype=bool) if true_joints else batch.keypoints[..., 2] > 0
    size = np.repeat(batch.image_size, batch.length, axis=0)
    points = (points / size[:, None]).reshape(-1, 2, 21, 2)
    found = found.reshape(-1, 2, 21)
    wrist = points[:, :, :1] * found[:, :, :1, None]
    away = (points - wrist) * (found & found[:, :, :1])[..., None]
    largest = np.sqrt((away**2).sum(-1)).max(-1)[..., None, None]
    rows = np.concatenate(
        [(away / np.maximum(largest, 1e-6)).reshape(len(points), -1), wrist.reshape(len(points), -1)], axis=1
    )
    place = np.linspace(0, 1, frames) * (batch.length - 1)[:, None]  # (B, frames)
    lower = np.floor(place).astype(np.int64)
    upper = np.minimum(lower + 1, batch.length[:, None] - 1)
    part = (place - lower)[..., None]
    first, last = (rows[batch.offset[:, None] + index] for index in (lower, upper))
    return (first * (1 - part) + last * part).reshape(len(batch), -1).astype(np.float32)


def hardness(glosses: int, signers: int, clips_per_gloss: int, seed: int, frames: int) -> Dict[str, float]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    signs = SyntheticSigns(glosses, signers, seed, layout='hands_42')
    batch = signs.generate(range(glosses * clips_per_gloss))
    split = np.array(signs.split(batch.index))
    figures = {}
    for name, true_joints in (('lr_top1', False), ('lr_top1_true_joints', True)):
        x = features(batch, frames, true_joints)
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter('ignore')
            model.fit(x[split == 'train'], batch.label[split == 'train'])
        figures[name] = float((model.predict(x[split == 'test']) == batch.label[split == 'test']).mean())
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--out', type=output_file, help='also write the figures to this JSON file')
    parser.add_argument(
        '--clips',
        type=int,
        default=1024,
        help='clips a round of the speed measurement (default: %(default)s)',
    )
    parser.add_argument(
        '--hardness', action='store_true', help='also fit the logistic regression (about a minute)'
    )
    parser.add_argument('--glosses', type=int, default=100)
    parser.add_argument('--signers', type=int, default=20)
    parser.add_argument('--clips-per-gloss', type=int, default=40)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--frames', type=int, default=16, help='frames that the regression sees (default: %(default)s)'
    )
    args = parser.parse_args()
    figures = speed(args.clips)
    met = 'met' if figures['clips_per_s'] >= SPEED_FLOOR else 'MISSED'
    print(f'clips_per_s          {figures["clips_per_s"]:8.0f}   floor >= {SPEED_FLOOR:g}: {met}')
    print(f'clips_per_cpu_s      {figures["clips_per_cpu_s"]:8.0f}')
    if args.hardness:
        figures.update(hardness(args.glosses, args.signers, args.clips_per_gloss, args.seed, args.frames))
        met = 'met' if figures['lr_top1'] < HARDNESS_CEILING else 'MISSED'
        print(f'lr_top1              {figures["lr_top1"]:8.3f}   ceiling < {HARDNESS_CEILING:g}: {met}')
        print(f'lr_top1_true_joints  {figures["lr_top1_true_joints"]:8.3f}')
        print(SYNTHETIC_NOTE)
    if args.out:
        about = dict(
            python=platform.python_version(), numpy=np.__version__, cpus=os.cpu_count(), arguments=vars(args)
        )
        write_json(dict(**figures, about=about), args.out, indent=1)


if __name__ == '__main__':
    main()
