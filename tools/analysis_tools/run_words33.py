#!/usr/bin/env python
"""The words33 protocol on real clips: k labelled clips a gloss, one row a method, mean and sample standard
deviation over its seeds.

Rows: SignBERT (H) and ST-Consistency fine-tuned from their pre-trained encoders and from scratch, with frozen
encoders (linear), by nearest neighbours (kNN); SignBERT with the k labels spread over the rest of the pool,
whose own are not read: the nearest neighbour there (propagated), or fine-tuned on it (self-training), without
and with the knowledge that the gloss "-" is rest; mmaction2's ST-GCN over hands and trunk (P) and its sum
with SignBERT (H+P); a logistic regression. Each method pre-trains once without labels, each model is trained
and tested once; what is already there is not run again, and a cut-off pre-training is resumed.

The stores come from tools/dataset_converters/npz_to_store.py (see README). With --dev nothing of the test set
is touched: training clips are those before floor(0.5 n) of a gloss, tests are on those from there to
floor(0.6 n). Use it to choose anything.

Example:
    python tools/analysis_tools/run_words33.py --rows signbert signbert_scratch logreg
    python tools/analysis_tools/run_words33.py --dev --shots 1 5 --rows signbert \
        --cfg-options optim_wrapper.optimizer.lr=5e-4
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from signbert_mm.apis import init_model
from signbert_mm.datasets import PoseDataset
from signbert_mm.engine.old_checkpoints import adapt_config
from signbert_mm.engine.runner import OptionsAction, load_config, run_tool
from signbert_mm.engine.tables import mean_and_deviation
from signbert_mm.errors import UserValueError
from signbert_mm.evaluation import load_predictions
from signbert_mm.evaluation.fusion import ClipScores, align, clip_scores, fused
from signbert_mm.evaluation.knn import extract_features, knn_scores
from signbert_mm.evaluation.label_propagation import propagate_labels
from signbert_mm.evaluation.logistic_regression import logistic_regression
from signbert_mm.evaluation.metrics.sign_accuracy import target_ranks
from signbert_mm.files.arrays import read_npz

SEEDS = {'1': range(10), '2': range(10), '5': range(3), '10': range(3), 'all': range(3)}
EPOCHS = {'1': 500, '2': 250, '5': 100, '10': 50, 'all': 12}
"""Passes over the labelled clips: 500 steps of one clip a gloss, 1,020 on the whole pool."""
NEIGHBOURS = {'1': 1, '2': 2, '5': 5, '10': 5, 'all': 5}
KEYS = {'p_i/top1': 'P-I', 'p_c/top1': 'P-C', 'p_i/without_excluded/top1': 'P-I without the gloss "-"'}
REST = '-'


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Args:
        title (str): As it is printed.
        config (str): The recogniser's config under configs/.
        pretrain (str): The pre-training config there; '' = from scratch.
        protocol (str): 'train', 'knn', 'propagate', 'logreg', or 'sum' of the scores of ``parts``.
        parts (tuple[str]): Names of rows.
        few_only (bool): It learns from clips without labels too, of which the whole pool has none: that cell
            is left out.
        rest (bool): 'propagate' knows that the gloss "-" stands for no sign.
    """

    title: str
    config: str = ''
    pretrain: str = ''
    protocol: str = 'train'
    parts: Tuple[str, ...] = ()
    few_only: bool = False
    rest: bool = False

    def trains_at(self, shots: str) -> bool:
        return not (self.few_only and shots == 'all')


_H, _ST = 'words33/signbert_d128', 'words33/st_consistency_d64'
_ST_PRETRAIN = 'st_consistency/st_consistency_d64_b32_pretrain-words33'
ROWS = {
    'signbert': Row('SignBERT (H), pre-trained', f'{_H}_finetune', f'{_H}_pretrain'),
    'signbert_propagate': Row(
        'SignBERT (H), propagated', f'{_H}_finetune', f'{_H}_pretrain', 'propagate', few_only=True
    ),
    'signbert_propagate_rest': Row(
        'SignBERT (H), propagated, rest known',
        f'{_H}_finetune',
        f'{_H}_pretrain',
        'propagate',
        few_only=True,
        rest=True,
    ),
    'signbert_semi': Row('SignBERT (H), self-training', f'{_H}_semi', f'{_H}_pretrain', few_only=True),
    'signbert_semi_rest': Row(
        'SignBERT (H), self-training, rest known', f'{_H}_semi_rest', f'{_H}_pretrain', few_only=True
    ),
    'signbert_scratch': Row('SignBERT (H), from scratch', f'{_H}_finetune'),
    'signbert_linear': Row('SignBERT (H), linear', f'{_H}_linear', f'{_H}_pretrain'),
    'signbert_knn': Row('SignBERT (H), kNN', f'{_H}_finetune', f'{_H}_pretrain', 'knn'),
    'st': Row('ST-Consistency, pre-trained', f'{_ST}_finetune', _ST_PRETRAIN),
    'st_scratch': Row('ST-Consistency, from scratch', f'{_ST}_finetune'),
    'st_linear': Row('ST-Consistency, linear', f'{_ST}_linear', _ST_PRETRAIN),
    'st_knn': Row('ST-Consistency, kNN', f'{_ST}_finetune', _ST_PRETRAIN, 'knn'),
    'p': Row('ST-GCN (P)', 'words33/stgcn_c16_bone'),
    'h+p': Row('H+P', protocol='sum', parts=('signbert', 'p')),
    'logreg': Row('logistic regression', f'{_H}_finetune', protocol='logreg'),
}


def config_path(name: str) -> str:
    return f'configs/{name}.py'


def pool(shots: str) -> str:
    """What a number of shots is called."""
    return 'whole pool' if shots == 'all' else f'{shots}-shot'


def labelled(dev: bool, shots: str, seed: int) -> Tuple[List[str], Optional[dict], List[str]]:
    """Splits to train on, the few-shot option, and splits to test on."""
    few_shot = None if shots == 'all' else dict(shots=int(shots), seed=seed)
    return (['train'] if dev else ['train', 'val']), few_shot, (['val'] if dev else ['test'])


def figures(scores: np.ndarray, labels: np.ndarray, rest: int) -> Dict[str, float]:
    """The three accuracies of scores (N, classes), in percent."""
    import torch

    right = (
        target_ranks(torch.from_numpy(np.asarray(scores, np.float64)), torch.from_numpy(labels)).numpy() < 1
    )
    per_class = [right[labels == gloss].mean() for gloss in np.unique(labels)]
    return dict(
        zip(
            KEYS,
            (
                100 * float(value)
                for value in (right.mean(), np.mean(per_class), right[labels != rest].mean())
            ),
        )
    )


def pretrain(config: str, work_dir: Path, dev: bool, options: Optional[dict]) -> str:
    """The path of the pre-trained checkpoint, trained now if it is not there; a cut-off run is resumed."""
    cfg = load_config(config, options)
    cfg.work_dir, cfg.experiment_name = str(work_dir), f'words33_pretrain_{time.time_ns()}'
    last = work_dir / f'epoch_{cfg.train_cfg.max_epochs}.pth'
    if not last.is_file():
        if dev:
            words33 = next(
                part
                for part in cfg.train_dataloader.dataset.get('datasets', [cfg.train_dataloader.dataset])
                if part.get('split')
            )
            words33.split = ['train']
        cfg.resume = True
        Runner.from_cfg(cfg).train()
    return str(last)


def finetune(
    config: str,
    checkpoint: Optional[str],
    folder: Path,
    dev: bool,
    shots: str,
    seed: int,
    options: Optional[dict],
) -> Dict[str, float]:
    """Trains and tests once; the test clips' scores stay in ``folder``."""
    cfg: Config = load_config(config, options)
    train_split, few_shot, test_split = labelled(dev, shots, seed)
    clips = cfg.train_dataloader.dataset
    if 'unlabelled' in clips:  # an epoch's length is the config's
        clips.labelled.update(ConfigDict(split=train_split, few_shot=few_shot))
        clips.unlabelled.split, epochs = train_split, cfg.train_cfg.max_epochs
    else:
        clips.update(ConfigDict(split=train_split, few_shot=few_shot))
        epochs = cfg.train_cfg.max_epochs = EPOCHS[shots]
    cfg.test_dataloader.dataset.split = test_split
    for scheduler in cfg.param_scheduler:
        if scheduler.type == 'CosineAnnealingLR':
            scheduler.T_max = epochs
    cfg.default_hooks.checkpoint.interval = epochs
    cfg.randomness.seed, cfg.load_from = seed, checkpoint
    adapt_config(cfg)
    cfg.work_dir, cfg.log_level, cfg.experiment_name = str(folder), 'WARNING', f'words33_{time.time_ns()}'
    dump = folder / 'predictions.pkl'
    cfg.test_evaluator = [cfg.test_evaluator, dict(type='DumpResults', out_file_path=str(dump))]
    runner = Runner.from_cfg(cfg)
    runner.train()
    metrics = {key: float(value) for key, value in runner.test().items()}
    part = clip_scores(str(dump), load_predictions(dump))
    np.savez(
        folder / 'scores.npz',
        video_ids=np.array(part.video_ids),
        scores=part.scores.astype(np.float32),
        labels=part.labels,
    )
    for file in [dump, *folder.glob('*.pth')]:
        file.unlink()  # dozens of runs: the scores are what is wanted
    return metrics


def knn(row: Row, checkpoint: str, dev: bool, shots: str, seed: int, cache: dict) -> Dict[str, float]:
    """Nearest labelled clips in the pre-trained encoder's features, or nearest clip of the pool under the
    labels spread there; nothing is trained.
    """
    import torch

    cfg = load_config(config_path(row.config))
    init_default_scope(cfg.default_scope)
    train_split, few_shot, test_split = labelled(dev, shots, seed)
    propagated = row.protocol == 'propagate'
    key = row.pretrain, propagated
    if key not in cache:
        model = init_model(config_path(row.pretrain), checkpoint, device='cpu')
        loader = dict(cfg.test_dataloader, batch_size=64)
        features = {}
        for name, split in (('pool', train_split), ('test', test_split)):
            loader['dataset'] = ConfigDict(cfg.test_dataloader.dataset, split=split)
            features[name] = extract_features(
                model, Runner.build_dataloader(ConfigDict(loader)), segments=2 if propagated else 0
            )
        store = cfg.test_dataloader.dataset
        place = {
            int(clip): index
            for index, clip in enumerate(PoseDataset(store.store, train_split, layout=store.layout).clips)
        }
        cache[key] = features, place, PoseDataset(store.store, layout=store.layout).glosses.index(REST)
    features, place, rest = cache[key]
    store = cfg.train_dataloader.dataset
    chosen = [
        place[int(clip)]
        for clip in PoseDataset(store.store, train_split, layout=store.layout, few_shot=few_shot).clips
    ]
    vectors, labels = features['pool']
    if propagated:
        known = torch.full_like(labels, -1)
        known[chosen] = labels[chosen]
        labels = propagate_labels(vectors, known, 33, background=rest if row.rest else None)
        chosen = labels >= 0
    scores = knn_scores(
        vectors[chosen], labels[chosen], features['test'][0], 33, 1 if propagated else NEIGHBOURS[shots]
    )
    return figures(scores.numpy(), features['test'][1].numpy(), rest)


def summed(folders: Sequence[Path], rest: int) -> Dict[str, float]:
    """The sum of the probabilities that rows left, aligned by video id."""
    parts = []
    for folder in folders:
        fields = read_npz(folder / 'scores.npz')
        parts.append(
            ClipScores(
                folder.parent.name,
                fields['video_ids'].tolist(),
                fields['scores'].astype(np.float64),
                fields['labels'],
            )
        )
    aligned, missing = align(parts)
    if any(missing.values()):
        raise UserValueError(f'the parts were tested on other clips: {missing}')
    return figures(fused(aligned), aligned[0].labels, rest)


def logreg(store: str, dev: bool, shots: str, seed: int) -> Dict[str, float]:
    """The baseline of the protocol: C 0.1 on standardised features of all 20 frames."""
    train_split, few_shot, test_split = labelled(dev, shots, seed)
    train = PoseDataset(store, train_split, layout='hands_42', few_shot=few_shot)
    test = PoseDataset(store, test_split, layout='hands_42')
    return logistic_regression(train, test, exclude=[REST])


def table(results: Dict[Tuple[str, str], List[Dict[str, float]]], dev: bool) -> str:
    """One table a figure: mean and, over more than one seed, the sample standard deviation (n - 1)."""
    rows = [name for name in ROWS if any(found == name for found, _ in results)]
    shots = [name for name in SEEDS if any(found == name for _, found in results)]
    blocks = [
        'Development split (nothing of the test set)' if dev else 'Test set',
        'Top-1 in %; mean +- sample standard deviation (number of seeds).',
    ]
    for key, title in KEYS.items():
        lines = [
            f'| {title} | ' + ' | '.join(map(pool, shots)) + ' |',
            '|---' * (1 + len(shots)) + '|',
        ]
        for name in rows:
            cells = []
            for shot in shots:
                values = [run[key] for run in results.get((name, shot), [])]
                mean, deviation = mean_and_deviation(values) if values else (0.0, None)
                spread = '' if deviation is None else f' +- {deviation:.1f} ({len(values)})'
                cells.append(f'{mean:.1f}{spread}' if values else 'not measured')
            lines.append(f'| {ROWS[name].title} | ' + ' | '.join(cells) + ' |')
        blocks.append('\n'.join(lines))
    return '\n\n'.join(blocks)


class Protocol:
    """Runs cells of the table: a row, a number of shots, a seed.

    Args:
        args (Namespace): The command line.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.work_dir = args, Path(args.work_dir) / ('dev' if args.dev else 'test')
        self._checkpoints: Dict[str, str] = {}
        self._knn: dict = {}

    def checkpoint(self, row: Row) -> Optional[str]:
        if not row.pretrain:
            return None
        if row.pretrain not in self._checkpoints:
            folder = self.work_dir / 'pretrain' / Path(row.pretrain).name
            self._checkpoints[row.pretrain] = pretrain(
                config_path(row.pretrain), folder, self.args.dev, self.args.pretrain_options
            )
        return self._checkpoints[row.pretrain]

    def folder(self, name: str, shots: str, seed: int) -> Path:
        return self.work_dir / name / f'{shots}_shot_seed{seed}'

    def run(self, name: str, shots: str, seed: int) -> Dict[str, float]:
        """The figures of one cell and seed, from its file where it was run before."""
        row, folder, dev = ROWS[name], self.folder(name, shots, seed), self.args.dev
        result = folder / 'result.json'
        if result.is_file():
            return json.loads(result.read_text())
        folder.mkdir(parents=True, exist_ok=True)
        if row.protocol == 'train':
            metrics = finetune(
                config_path(row.config), self.checkpoint(row), folder, dev, shots, seed, self.args.cfg_options
            )
        elif row.protocol in ('knn', 'propagate'):
            metrics = knn(row, self.checkpoint(row), dev, shots, seed, self._knn)
        elif row.protocol == 'sum':
            folders = [self.folder(part, shots, seed) for part in row.parts]
            for part, place in zip(row.parts, folders):
                if not (place / 'scores.npz').is_file():
                    (place / 'result.json').unlink(missing_ok=True)
                    self.run(part, shots, seed)
            store = load_config(config_path(ROWS['signbert'].config)).train_dataloader.dataset.store
            metrics = summed(folders, PoseDataset(store, layout='hands_42').glosses.index(REST))
        else:
            store = load_config(config_path(row.config)).train_dataloader.dataset.store
            metrics = logreg(store, dev, shots, seed)
        result.write_text(json.dumps(metrics))
        return metrics


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--shots', nargs='+', choices=list(SEEDS), default=list(SEEDS))
    parser.add_argument('--rows', nargs='+', choices=list(ROWS), default=list(ROWS))
    parser.add_argument('--seeds', type=int, help='at most so many seeds')
    parser.add_argument(
        '--dev', action='store_true', help='train and develop inside the pool; the test set is not touched'
    )
    parser.add_argument('--work-dir', default='work_dirs/words33')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='of the recognisers that are trained',
    )
    parser.add_argument(
        '--pretrain-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='of the pre-training configs',
    )
    args = parser.parse_args()
    protocol = Protocol(args)
    cells = [(name, shots) for shots in args.shots for name in args.rows if ROWS[name].trains_at(shots)]
    runs = [(name, shots, seed) for name, shots in cells for seed in list(SEEDS[shots])[: args.seeds]]
    results: Dict[Tuple[str, str], List[Dict[str, float]]] = {}
    start = time.time()
    for number, (name, shots, seed) in enumerate(runs, 1):
        metrics = protocol.run(name, shots, seed)
        results.setdefault((name, shots), []).append(metrics)
        left = (time.time() - start) / number * (len(runs) - number)
        print(
            f'[{number}/{len(runs)}] {ROWS[name].title}, {pool(shots)}, seed {seed}: P-I '
            f'{metrics["p_i/top1"]:.1f} ({left / 60:.0f} min left)',
            flush=True,
        )
    text = table(results, args.dev)
    print(f'\n{text}\n', flush=True)
    (protocol.work_dir / 'table.md').write_text(text + '\n')


if __name__ == '__main__':
    run_tool(main)
