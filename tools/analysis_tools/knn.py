#!/usr/bin/env python
"""Weighted kNN by cosine similarity: how well an encoder separates signs without any training on labels.

The clips to recognise are those of the config's test (or val) data. The clips that vote are another split of
the same store, read in the same way. Configs of pre-trainers and of recognisers work. A recogniser's config
takes a pre-training checkpoint too, since only the encoder is used.

Example:
    python tools/analysis_tools/knn.py configs/words33/signbert_d128_finetune.py \
        work_dirs/words33/pretrain/epoch_80.pth --gallery train val
"""

import argparse
import copy
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from mmengine.device import get_device
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, set_random_seed

from signbert_mm.arguments import add_cfg_options, positive, seed, tool_parser, whole
from signbert_mm.engine.load_encoder import build_model
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.errors import ConfigError
from signbert_mm.evaluation.coverage import coverage_facts, coverage_text
from signbert_mm.evaluation.knn import extract_features, knn_accuracy
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help="checkpoint file, or 'none' for random weights")
    parser.add_argument(
        '--split',
        choices=('test', 'val'),
        default='test',
        help='which of the data loaders is recognised (default: %(default)s)',
    )
    parser.add_argument(
        '--gallery',
        nargs='+',
        default=['train'],
        metavar='SPLIT',
        help='splits whose clips vote (default: train)',
    )
    parser.add_argument('--k', type=whole(1), default=20, help='neighbours (default: %(default)s)')
    parser.add_argument(
        '--temperature',
        type=positive,
        default=0.07,
        help='of their weights exp(cosine / temperature) (default: %(default)s)',
    )
    parser.add_argument('--seed', type=seed, default=0, help='of random weights (default: %(default)s)')
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write the figures here')
    add_cfg_options(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope'))
    query = cfg.get(f'{args.split}_dataloader')
    if query is None:
        raise ConfigError(
            f'config {args.config} has no {args.split}_dataloader, so there are no labelled '
            'clips; give the config of a recogniser'
        )
    # A clip that votes for itself would make the result too good.
    split = query.dataset.get('split')
    if split is None or set(args.gallery) & set([split] if isinstance(split, str) else split):
        raise ConfigError(
            f'{args.split}_dataloader.dataset.split is {split}: --gallery '
            f'{" ".join(args.gallery)} must name other splits'
        )
    gallery = copy.deepcopy(query)
    gallery.dataset.split = args.gallery
    set_random_seed(args.seed)
    model = build_model(cfg, args.checkpoint).to(get_device())
    loaders = [Runner.build_dataloader(loader) for loader in (gallery, query)]
    features = [extract_features(model, loader) for loader in loaders]
    glosses = loaders[0].dataset.metainfo['glosses']
    figures = knn_accuracy(*features, num_classes=len(glosses), k=args.k, temperature=args.temperature)
    about = (
        f'{len(features[1][1])} clips of {args.split}, {args.k} neighbours among {len(features[0][1])} '
        f'of {"+".join(args.gallery)}'
    )
    print(f'{about}, {len(glosses)} glosses')
    print('  '.join(f'knn/{name} {value:.2f} %' for name, value in figures.items()))
    meta = loaders[1].dataset.metainfo
    if coverage_text(meta):
        print(f'accuracy on {coverage_text(meta)}')
    if args.out:
        facts = coverage_facts(meta)
        write_json(dict(figures, coverage=facts) if facts else figures, args.out)


if __name__ == '__main__':
    run_tool(main)
