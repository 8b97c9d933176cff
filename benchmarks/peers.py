"""Side by side with other libraries in one process, same data, one CPU thread: ratios, not seconds.

- ``hand``: joints route and mesh route against smplx's MANO and manopth, all on the free hand's arrays;
- ``data``: PoseDataset, collate_poses and SkeletonInput against mmaction2's PoseDataset pipeline, both up to
  the skeletons that an ST-GCN takes, from one synthetic store, which mmaction2 reads as the pickle that
  ``export_pyskl`` makes of it;
- ``train``: training steps (preprocessing, forward, backward, optimiser) of SignBERT's recogniser at two
  widths and of ST-GCN through MMActionRecognizer, against mmaction2's ST-GCN by mmaction2 alone and against
  SPOTER, on the same clips.

A ratio is the peer's CPU time over ours: above 1 ours is faster. In each round all take turns, in an order
that rotates; a ratio is taken within a round; given are the median and the range over the rounds.
``peers.md`` has figures and says what is equal and what is not.

manopth (GPL-3.0) and SPOTER (Apache-2.0) run from checkouts of yours; nothing of them is in this repository.
A peer that is absent is left out, and the output says so.

Example:
    git clone https://github.com/hassony2/manopth ../manopth
    git clone https://github.com/matyasbohacek/spoter ../spoter
    python benchmarks/peers.py --manopth ../manopth --spoter ../spoter --out work_dirs/peers.json
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Optional, Sequence

sys.path.append(str(Path(__file__).resolve().parent))
try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from mmengine.logging import MMLogger
from peer_parts import clips, hand, training
from peer_parts.report import Report

from signbert_mm import compat
from signbert_mm.datasets import write_synthetic_store
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.prepare.importers import export_pyskl

PARTS = ('hand', 'data', 'train')
CHECKOUTS = dict(manopth='manopth/manolayer.py', spoter='spoter/spoter_model.py')
TINY = dict(hands=[3], batch=2, data_batch=4, frames=8, glosses=1, repeats=2)


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--parts', nargs='+', choices=PARTS, default=PARTS, help='default: all')
    parser.add_argument('--manopth', metavar='DIR', help='a checkout of github.com/hassony2/manopth')
    parser.add_argument('--spoter', metavar='DIR', help='a checkout of github.com/matyasbohacek/spoter')
    parser.add_argument(
        '--hands', type=int, nargs='+', default=[64, 2048], help='hands at once (default: 64 2048)'
    )
    parser.add_argument('--num-pca', type=int, default=25, help='pose coefficients of a hand (default: 25)')
    parser.add_argument('--batch', type=int, default=16, help='clips a training step (default: 16)')
    parser.add_argument('--data-batch', type=int, default=64, help="the loaders' batch (default: 64)")
    parser.add_argument(
        '--frames', type=int, default=32, help='frames that are sampled of each clip (default: 32)'
    )
    parser.add_argument(
        '--glosses', type=int, default=20, help='of the synthetic clips, 14 train clips each (default: 20)'
    )
    parser.add_argument('--repeats', type=int, default=7, help='rounds, after one that warms up (default: 7)')
    parser.add_argument(
        '--tiny',
        action='store_true',
        help='only whether it runs: few small things, two rounds; the ratios mean nothing',
    )
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='also write the figures here')
    args = parser.parse_args(arguments)
    for name, file in CHECKOUTS.items():
        folder = getattr(args, name)
        if folder and not (Path(folder) / file).is_file():
            parser.error(f'--{name} {folder}: no {file} there; give the folder of a checkout')
    if args.tiny:
        vars(args).update(TINY)

    torch.set_num_threads(1)
    torch.manual_seed(0)
    compat.keep_large_blocks()
    MMLogger.get_current_instance().setLevel('WARNING')
    report = Report(args.repeats, {name: getattr(args, name) for name in CHECKOUTS}, vars(args))
    mmaction = True
    try:
        compat.import_mmaction()
    except ModuleNotFoundError as error:
        mmaction = False
        report.leave_out(f'mmaction2 and all of the data part ({error})')
    if 'hand' in args.parts:
        hand.compare(report, args.hands, args.num_pca, args.manopth)
    if {'data', 'train'} & set(args.parts):
        with tempfile.TemporaryDirectory() as folder:
            stores: clips.Stores = {}
            for layout in ('sign_49', 'coco_wholebody_133'):
                store = write_synthetic_store(
                    Path(folder) / layout, args.glosses, 20, 20, layout=layout, truth=False
                )
                stores[layout] = store, str(Path(folder) / f'{layout}.pkl')
                export_pyskl(*stores[layout])
            if 'data' in args.parts and mmaction:
                clips.compare(report, stores, args.frames, args.data_batch)
            if 'train' in args.parts:
                training.compare(report, stores, args.frames, args.batch, mmaction, args.spoter)
    report.show()
    if args.out:
        write_json(report.content, args.out, indent=1)


if __name__ == '__main__':
    main()
