#!/usr/bin/env python
"""The words33 protocol on real clips: k labelled clips a gloss, pre-trained against from scratch against a logistic regression.

Pre-trains once (without labels: the pool of words33, all of letters28 and words11), then fine-tunes from that checkpoint and from scratch for
each number of shots and seed of the protocol, tests each once, and prints mean and standard deviation. What is already there is not run again.

The stores come from tools/dataset_converters/npz_to_store.py (see README). With --dev nothing of the test set is touched: training clips are
those before floor(0.5 n) of a gloss, tests are on those from there to floor(0.6 n). Use it to choose anything.

Example:
    python tools/analysis_tools/run_words33.py
    python tools/analysis_tools/run_words33.py --dev --shots 1 5 --inits pretrained --cfg-options optim_wrapper.optimizer.lr=5e-4
"""

import argparse
import json
import time
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import numpy as np
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.runner import Runner

from signbert_mm.datasets import PoseDataset
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.layouts import layout_mapping

SEEDS = {'1': range(10), '2': range(10), '5': range(3), '10': range(3), 'all': range(1)}
EPOCHS = {'1': 500, '2': 250, '5': 100, '10': 50, 'all': 12}
"""Passes over the labelled clips: 500 steps of one clip a gloss, 1,020 on the whole pool."""
KEYS = ('p_i/top1', 'p_c/top1', 'p_i/without_excluded/top1')
TITLES = {'pretrained': 'pre-trained', 'scratch': 'from scratch', 'logreg': 'logistic regression'}


def labelled(dev: bool, shots: str, seed: int) -> Tuple[List[str], Optional[dict], List[str]]:
    """Splits to train on, the few-shot option, and splits to test on."""
    few_shot = None if shots == 'all' else dict(shots=int(shots), seed=seed)
    return (['train'] if dev else ['train', 'val']), few_shot, (['val'] if dev else ['test'])


def pretrain(config: str, work_dir: Path, dev: bool, options: Optional[dict]) -> str:
    """The path of the pre-trained checkpoint, trained now if it is not there; a cut-off run is resumed."""
    cfg = load_config(config, options)
    cfg.work_dir, cfg.experiment_name = str(work_dir), f'words33_pretrain_{time.time_ns()}'
    last = work_dir / f'epoch_{cfg.train_cfg.max_epochs}.pth'
    if not last.is_file():
        if dev:
            words33 = next(part for part in cfg.train_dataloader.dataset.datasets if part.get('split'))
            words33.split = ['train']
        cfg.resume = True
        Runner.from_cfg(cfg).train()
    return str(last)


def finetune(config: str, checkpoint: Optional[str], work_dir: Path, dev: bool, shots: str, seed: int, options: Optional[dict]) -> Dict[str, float]:
    """Trains and tests once."""
    result = work_dir / 'result.json'
    if result.is_file():
        return json.loads(result.read_text())
    cfg: Config = load_config(config, options)
    train_split, few_shot, test_split = labelled(dev, shots, seed)
    cfg.train_dataloader.dataset.update(ConfigDict(split=train_split, few_shot=few_shot))
    cfg.test_dataloader.dataset.split = test_split
    cfg.train_cfg.max_epochs = EPOCHS[shots]
    for scheduler in cfg.param_scheduler:
        if scheduler.type == 'CosineAnnealingLR':
            scheduler.T_max = EPOCHS[shots]
    cfg.default_hooks.checkpoint.interval = EPOCHS[shots]
    cfg.randomness.seed, cfg.load_from = seed, checkpoint
    cfg.work_dir, cfg.log_level, cfg.experiment_name = str(work_dir), 'WARNING', f'words33_{time.time_ns()}'
    runner = Runner.from_cfg(cfg)
    runner.train()
    metrics = {key: float(value) for key, value in runner.test().items()}
    for file in work_dir.glob('*.pth'):
        file.unlink()  # dozens of runs: the figures are what is wanted
    result.write_text(json.dumps(metrics))
    return metrics


def logreg_features(dataset: PoseDataset) -> np.ndarray:
    """Per frame and hand: joints minus wrist over the largest joint distance, and the wrist as a fraction of the image; 0 where missing.

    Returns:
        ndarray: Shape (N, 20 * 2 * 44) float32.
    """
    store, joints = dataset.store, layout_mapping(dataset.store.layout, dataset.layout)
    rows = []
    for clip in dataset.clips:
        keypoints, scores = store.clip(clip)
        size = np.array([store.width[clip], store.height[clip]], dtype=np.float32)
        hands = (keypoints[:, joints] / size).reshape(len(keypoints), 2, 21, 2)  # (T, 2, 21, 2)
        found = (scores[:, joints] > 0).reshape(len(keypoints), 2, 21).any(-1)
        wrist = hands[:, :, :1]
        spread = np.linalg.norm(hands[:, :, :, None] - hands[:, :, None], axis=-1).max((-1, -2))  # (T, 2)
        shape = (hands - wrist) / np.maximum(spread, 1e-6)[..., None, None]
        rows.append((np.concatenate([shape.reshape(*found.shape, 42), wrist[:, :, 0]], -1) * found[..., None]).ravel())
    return np.stack(rows).astype(np.float32)


def logreg(store: str, dev: bool, shots: str, seed: int, cache: dict) -> Dict[str, float]:
    """The baseline of the protocol: C 0.1 on standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train_split, few_shot, test_split = labelled(dev, shots, seed)
    if not cache:
        whole = PoseDataset(store, layout='hands_42')
        cache.update(x=logreg_features(whole), y=whole.labels, glosses=whole.glosses)
    train = PoseDataset(store, train_split, layout='hands_42', few_shot=few_shot).clips
    test = PoseDataset(store, test_split, layout='hands_42').clips
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(cache['x'][train], cache['y'][train])
    label = cache['y'][test]
    right = model.predict(cache['x'][test]) == label
    hand = label != cache['glosses'].index('-')
    per_class = [right[label == gloss].mean() for gloss in np.unique(label)]
    return dict(zip(KEYS, (100 * float(value) for value in (right.mean(), np.mean(per_class), right[hand].mean()))))


def print_table(results: Dict[Tuple[str, str], List[Dict[str, float]]], dev: bool) -> str:
    """Mean and, over more than one seed, standard deviation."""
    lines = ['| shots | ' + ' | '.join(f'{TITLES[init]}: P-I / P-C / P-I without "-"' for init in TITLES) + ' |', '|---' * (1 + len(TITLES)) + '|']
    for shots in SEEDS:
        cells = []
        for init in TITLES:
            runs = results.get((init, shots), [])
            values = np.array([[run[key] for key in KEYS] for run in runs]).reshape(-1, len(KEYS))
            spread = f' (+-{values[:, 0].std():.1f}, {len(runs)} seeds)' if len(runs) > 1 else ''
            cells.append(' / '.join(f'{value:.1f}' for value in values.mean(0)) + spread if len(runs) else '-')
        if any(cell != '-' for cell in cells):
            lines.append(f'| {"whole pool" if shots == "all" else shots} | ' + ' | '.join(cells) + ' |')
    title = 'Development split (nothing of the test set)' if dev else 'Test set'
    text = f'{title}, top-1 in %\n\n' + '\n'.join(lines)
    print(f'\n{text}\n', flush=True)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shots', nargs='+', choices=list(SEEDS), default=list(SEEDS))
    parser.add_argument('--inits', nargs='+', choices=list(TITLES), default=list(TITLES))
    parser.add_argument('--seeds', type=int, help='at most so many seeds')
    parser.add_argument('--dev', action='store_true', help='train and develop inside the pool; the test set is not touched')
    parser.add_argument('--pretrain-config', default='configs/words33/signbert_d128_pretrain.py')
    parser.add_argument('--config', default='configs/words33/signbert_d128_finetune.py')
    parser.add_argument('--checkpoint', help='a pre-trained checkpoint; none is trained then')
    parser.add_argument('--work-dir', default='work_dirs/words33')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='of the fine-tuning config')
    parser.add_argument('--pretrain-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='of the pre-training config')
    args = parser.parse_args()
    work_dir = Path(args.work_dir) / ('dev' if args.dev else 'test')
    store = load_config(args.config).train_dataloader.dataset.store
    checkpoint = args.checkpoint
    if 'pretrained' in args.inits and checkpoint is None:
        checkpoint = pretrain(args.pretrain_config, work_dir / 'pretrain', args.dev, args.pretrain_options)

    runs = [(init, shots, seed) for shots in args.shots for init in args.inits for seed in list(SEEDS[shots])[: args.seeds]]
    results: Dict[Tuple[str, str], List[Dict[str, float]]] = {}
    features: dict = {}
    start = time.time()
    for number, (init, shots, seed) in enumerate(runs, 1):
        if init == 'logreg':
            metrics = logreg(store, args.dev, shots, seed, features)
        else:
            folder = work_dir / init / f'{shots}_shot_seed{seed}'
            folder.mkdir(parents=True, exist_ok=True)
            metrics = finetune(args.config, checkpoint if init == 'pretrained' else None, folder, args.dev, shots, seed, args.cfg_options)
        results.setdefault((init, shots), []).append(metrics)
        left = (time.time() - start) / number * (len(runs) - number)
        print(
            f'[{number}/{len(runs)}] {TITLES[init]}, {shots}-shot, seed {seed}: P-I {metrics["p_i/top1"]:.1f} ({left / 60:.0f} min left)', flush=True
        )
    (work_dir / 'table.md').write_text(print_table(results, args.dev) + '\n')


if __name__ == '__main__':
    run_tool(main)
