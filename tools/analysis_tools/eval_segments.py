#!/usr/bin/env python
"""Compare a segmenter with windows: F1 at IoU 0.5 and false signs a minute, on spliced videos.

The videos are those of CONFIG's test data (SplicedSigns), at --fps frames a second. One recogniser names the
signs of both. Windows are measured with the default settings of segments(), and with the settings of a grid
that are best on the videos of CONFIG's validation data: by F1 of where signs are, and by F1 with the gloss.

Example:
    python tools/analysis_tools/eval_segments.py configs/segmentation/segmenter_d128_wlasl100.py \
        work_dirs/segmenter/epoch_15.pth configs/segmentation/signbert_d128_wlasl100_signers.py \
        work_dirs/recognizer/epoch_100.pth
"""

import argparse
import sys
from pathlib import Path

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from mmengine.device import get_device

from signbert_mm.apis import SignInferencer
from signbert_mm.apis.compare_segments import best_setting, known_videos, segments_figures, window_figures
from signbert_mm.arguments import add_cfg_options, positive, tool_parser
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.registry import DATASETS

# Those of SignInferencer.segments.
DEFAULT = (2.0, 0.5, 0.6, 0.3)
WINDOWS, STRIDES = (1.0, 1.5, 2.0), (0.25,)
ENTERS, LEAVES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8), (0.05, 0.1, 0.2, 0.3, 0.5)


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config of the segmenter, with the spliced videos')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('recognizer', help='config of the recogniser')
    parser.add_argument('recognizer_checkpoint', help='its checkpoint')
    parser.add_argument('--fps', type=positive, default=25.0, help='of the videos (default: %(default)s)')
    parser.add_argument('--no-search', action='store_true', help='windows with the default settings only')
    parser.add_argument('--json', type=output_file, metavar='FILE.json', help='write the figures here')
    add_cfg_options(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    inferencer = SignInferencer(
        args.recognizer,
        args.recognizer_checkpoint,
        get_device(),
        segmenter=cfg,
        segmenter_weights=args.checkpoint,
    )
    videos = known_videos(DATASETS.build(dict(cfg.test_dataloader.dataset, fps=args.fps)))
    table = {'segmenter': segments_figures(inferencer, videos)}
    backend = inferencer.backend
    settings = {'windows, default': DEFAULT}
    if not args.no_search:
        dev = known_videos(DATASETS.build(dict(cfg.val_dataloader.dataset, fps=args.fps)))
        tried = window_figures(backend, dev, (WINDOWS, STRIDES, ENTERS, LEAVES))
        settings['windows, best F1 on val'] = best_setting(tried)
        settings['windows, best F1 with gloss on val'] = best_setting(tried, 'gloss_f1')
    for name, setting in settings.items():
        table[name] = window_figures(backend, videos, [[value] for value in setting])[setting]
    print(f'{len(videos)} videos, {table["segmenter"]["true"]} signs')
    print(f'{"":36s}  F1@0.5  precision  recall  false/min  with gloss: F1@0.5  false/min')
    for name, row in table.items():
        print(
            f'{name:36s}  {100 * row["f1"]:6.1f}  {100 * row["precision"]:9.1f}  {100 * row["recall"]:6.1f}'
            f'  {row["false_per_minute"]:9.1f}  {100 * row["gloss_f1"]:18.1f}'
            f'  {row["gloss_false_per_minute"]:9.1f}'
        )
    for name, setting in settings.items():
        print(f'{name}: window, stride, enter, leave = {setting}')
    if args.json:
        write_json(dict(figures=table, settings=settings), args.json)


if __name__ == '__main__':
    run_tool(main)
