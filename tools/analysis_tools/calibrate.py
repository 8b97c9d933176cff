#!/usr/bin/env python
"""Teach a recogniser to answer "none of these signs": fit temperature and threshold, and measure them.

Known clips are those of the config's test data in the split --split. Unknown clips are glosses of the store
--unknown outside of the vocabulary, and, made of these, hands at rest and transitions from one sign to
another. The threshold is fitted on the unknown clips of --fit-split, and measured on those of --split. The
temperature is fitted on the known clips, so its ECE and likelihood are those of the clips that it fits. Use a
validation split, and glosses that were not trained on: --part names half of them (OpenSetDataset trains on
part 0). OUT.pth is the checkpoint (without the optimizer) and the values in its meta.

Example:
    python tools/analysis_tools/calibrate.py configs/wlasl_hands/signbert_d128_wlasl100_open.py \
        work_dirs/open/epoch_100.pth calibrated.pth --unknown data/wlasl_hands2000
"""

import argparse
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from mmengine.device import get_device

from signbert_mm.apis import init_model
from signbert_mm.apis.calibration import (
    calibration_figures,
    compare_scores,
    fit_distance,
    fit_rejection,
    outputs_of,
    unknown_datasets,
    write_rejection,
)
from signbert_mm.apis.rejection import METHODS
from signbert_mm.arguments import whole
from signbert_mm.engine.runner import OptionsAction, load_config, run_tool
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.registry import DATASETS


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file of a recogniser')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('out', type=output_file, metavar='OUT.pth', help='the calibrated checkpoint')
    parser.add_argument('--unknown', required=True, metavar='STORE', help='store with other glosses too')
    parser.add_argument('--known', metavar='STORE', help="known clips (default: the config's test data)")
    parser.add_argument('--split', default='val', help='of the measured clips (default: %(default)s)')
    parser.add_argument(
        '--fit-split',
        default='train',
        help='of the unknown clips that set the threshold (default: %(default)s)',
    )
    parser.add_argument(
        '--part', type=whole(0), default=1, help='which part of the other glosses (default: %(default)s)'
    )
    parser.add_argument('--parts', type=whole(1), default=2, help='number of parts (default: %(default)s)')
    parser.add_argument(
        '--false-answers',
        type=float,
        default=0.05,
        help='share of unknown clips that may be answered (default: %(default)s)',
    )
    parser.add_argument(
        '--method',
        choices=('auto', *METHODS),
        default='auto',
        help='the score (default: the one with the largest AUROC on the clips of --fit-split)',
    )
    parser.add_argument('--json', type=output_file, metavar='FILE.json', help='write the figures here')
    parser.add_argument(
        '--cfg-options', nargs='+', action=OptionsAction, metavar='KEY=VALUE', help='config values to change'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    model = init_model(cfg, args.checkpoint, get_device())
    clips = dict(cfg.test_dataloader.dataset, test_mode=False)
    if args.known:
        clips['store'] = args.known
    sets = {
        split: unknown_datasets(clips, args.unknown, split, args.part, args.parts)
        for split in {args.fit_split, args.split}
    }
    trained = outputs_of(model, DATASETS.build(dict(clips, split='train'))).labelled()
    fitted_weights = fit_distance(model, trained) if getattr(model.head, 'distance', False) else {}
    known = outputs_of(model, sets[args.split][0])
    fitted, measured = (
        {kind: outputs_of(model, data) for kind, data in sets[split][1].items()}
        for split in (args.fit_split, args.split)
    )
    rejection = fit_rejection(known, fitted, args.false_answers, args.method)
    tables = {
        split: compare_scores(known, outputs, trained, rejection.temperature)
        for split, outputs in ((args.fit_split, fitted), (args.split, measured))
    }
    figures = calibration_figures(known, measured, rejection)
    for split, table in tables.items():
        clip_counts = ', '.join(f'{row["clips"]} {kind}' for kind, row in table['max_probability'].items())
        print(f'{len(known.labels)} known clips of {args.split}; unknown, of {split}: {clip_counts}')
        print(f'  {"AUROC / known kept at 5 % false answers":40s}', *table['max_probability'])
        for name, row in table.items():
            cells = (f'{cell["auroc"]:.3f} / {100 * cell["kept"]:.1f} %' for cell in row.values())
            print(f'  {name:40s}', *cells)
    print(
        f'{rejection}\nknown clips kept {100 * figures["kept"]:.1f} %, of these right '
        f'{100 * figures["right"]:.1f} %; false answers of {args.split}: '
        + ', '.join(f'{kind} {100 * share:.1f} %' for kind, share in figures['false_answers'].items())
    )
    print(
        f'known clips, on which the temperature is fitted: ECE {100 * figures["ece_before"]:.1f} % -> '
        f'{100 * figures["ece"]:.1f} %, negative log likelihood {figures["nll_before"]:.3f} -> '
        f'{figures["nll"]:.3f} by the temperature'
    )
    write_rejection(args.checkpoint, args.out, rejection, fitted_weights)
    if args.json:
        write_json(dict(rejection=rejection._asdict(), figures=figures, scores=tables), args.json)
    print(f'written: {args.out}')


if __name__ == '__main__':
    run_tool(main)
