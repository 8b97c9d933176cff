#!/usr/bin/env python
"""Recall of a sign dictionary on the words33 protocol.

The dictionary has k examples a gloss from the pool. Nothing is trained. Queries are the test clips. With
--dev the test set is not touched: examples are clips before floor(0.5 n) of a gloss's n, queries those from
there to floor(0.6 n). Use it for every choice.

Example:
    python tools/analysis_tools/eval_dictionary.py configs/words33/signbert_d128_pretrain.py \
        work_dirs/words33/test/pretrain/epoch_80.pth --dev
"""

import argparse
import sys
from pathlib import Path
from typing import Dict, List

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import numpy as np

from signbert_mm.apis import ClipEmbedder, SignDictionary, SignInferencer
from signbert_mm.apis.dictionary import COMPARISONS
from signbert_mm.arguments import tool_parser, whole
from signbert_mm.datasets import PoseStore
from signbert_mm.datasets.subsets import few_shot_indices
from signbert_mm.engine.runner import run_tool
from signbert_mm.evaluation.predictions import check_labelled
from signbert_mm.experiments import mean_and_deviation
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file

# The protocol's seeds for each number of examples.
SEEDS = {1: range(10), 2: range(10), 5: range(3), 10: range(3)}
REST = '-'


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file of a pre-training')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('--store', default='data/words33', help='of the protocol (default: %(default)s)')
    parser.add_argument(
        '--shots',
        type=int,
        nargs='+',
        choices=list(SEEDS),
        default=[1, 5],
        help='examples a gloss (default: 1 5)',
    )
    parser.add_argument(
        '--compare',
        nargs='+',
        choices=COMPARISONS,
        default=['nearest'],
        help='how a query meets the examples (default: nearest)',
    )
    parser.add_argument(
        '--segments',
        type=whole(1),
        nargs='+',
        default=[2],
        help='parts of a clip that are averaged apart (default: 2)',
    )
    parser.add_argument(
        '--dev',
        action='store_true',
        help='examples and queries from inside the pool; the test set is not touched',
    )
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write the figures here')
    return parser.parse_args()


def recall(
    store: PoseStore,
    vectors: np.ndarray,
    pool: np.ndarray,
    queries: np.ndarray,
    shots: int,
    seed: int,
    compare: str,
) -> Dict[str, float]:
    """Recall in % with one draw of examples.

    Args:
        store (PoseStore): The clips and their labels.
        vectors (ndarray): Shape (clips of the store, D).
        pool (ndarray): Indices of clips to draw examples from.
        queries (ndarray): Indices of query clips.
        shots (int): Examples a gloss.
        seed (int): Seed of the draw.
        compare (str): See :meth:`SignDictionary.similarities`.
    """
    signs = SignDictionary('', vectors.shape[1])
    picked = few_shot_indices(store.label, pool, range(len(store.glosses)), shots, seed)
    for label, gloss in enumerate(store.glosses):
        signs.add(gloss, vectors[picked[store.label[picked] == label]])
    cosine, _ = signs.similarities(vectors[queries], compare)
    label = store.label[queries]
    # Rank of the right sign. A sign as near as the right one counts as nearer.
    rank = (cosine >= cosine[np.arange(len(queries)), label][:, None]).sum(1) - 1
    signing = label != store.glosses.index(REST) if REST in store.glosses else np.ones(len(label), bool)
    rows = dict(all=np.ones(len(label), bool), without_rest=signing)
    return {
        f'recall@{k}/{name}': 100 * float((rank[which] < k).mean())
        for k in (1, 5)
        for name, which in rows.items()
    }


def main() -> None:
    args = parse_args()
    store = PoseStore(args.store)
    pool = np.flatnonzero(np.isin(store.split, ['train'] if args.dev else ['train', 'val']))
    queries = np.flatnonzero(store.split == ('val' if args.dev else 'test'))
    check_labelled(store.label[queries], args.store)
    inferencer = SignInferencer(args.config, args.checkpoint)
    results: List[dict] = []
    clips = f'{"development" if args.dev else "test"} clips of {args.store}'
    print(f'{clips}: {len(queries)} queries, recall in %, mean (+- sample standard deviation) over seeds')
    print('| segments | compare | examples | recall@1 | recall@5 | without "-": recall@1 | recall@5 |')
    print('|---' * 7 + '|')
    for segments in args.segments:
        inferencer.embedder = ClipEmbedder(inferencer.embedder.backend, segments)
        used = np.union1d(pool, queries)
        embedded, _ = inferencer.embed(list(inferencer.reader.store_clips(store, used)))
        # A row for each clip of the store, so that pool and queries index it.
        vectors = np.zeros((len(store), embedded.shape[1]), np.float32)
        vectors[used] = embedded
        for compare in args.compare:
            for shots in args.shots:
                runs = [recall(store, vectors, pool, queries, shots, seed, compare) for seed in SEEDS[shots]]
                mean = {key: float(np.mean([run[key] for run in runs])) for key in runs[0]}
                _, spread = mean_and_deviation([run['recall@1/all'] for run in runs])
                results.append(
                    dict(
                        segments=segments,
                        compare=compare,
                        shots=shots,
                        seeds=len(runs),
                        spread=spread,
                        **mean,
                    )
                )
                print(
                    f'| {segments} | {compare} | {shots} | {mean["recall@1/all"]:.1f} (+-{spread:.1f}, '
                    f'{len(runs)} seeds) | {mean["recall@5/all"]:.1f} | '
                    f'{mean["recall@1/without_rest"]:.1f} | {mean["recall@5/without_rest"]:.1f} |',
                    flush=True,
                )
    if args.out:
        write_json(results, args.out, indent=1)


if __name__ == '__main__':
    run_tool(main)
