#!/usr/bin/env python
"""Export a recogniser to ONNX, crop, mirroring and masks included, and check it against torch.

Inputs are keypoints (B, T, V, 2) in pixels, scores (B, T, V) with 0 = missing, length (B,) and image_size
(B, 2), with any B and T. Outputs are logits and attention. ST-Consistency, whose pipeline resamples time,
also has `frames`: the input frame of each row of attention. The metadata hold the glosses, the joints' layout
and how time is sampled, so that SignInferencer(FILE, backend='onnx') needs nothing else.

Example:
    python tools/deployment/export_onnx.py configs/words33/signbert_d128_finetune.py \
        work_dirs/words33/epoch_150.pth words33.onnx
"""

import argparse
import os
import sys
from pathlib import Path

try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:
    # A checkout that is not installed.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from signbert_mm.arguments import add_cfg_options, tool_parser
from signbert_mm.files.os_errors import output_path

# Batch size and frames of the random inputs: tracing may have fixed either of them.
SHAPES = ((1, 1), (1, 16), (5, 10), (2, 40))


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file of a recogniser')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('out', type=output_path, metavar='OUT.onnx', help='the file to write')
    parser.add_argument(
        '--tolerance',
        type=float,
        default=1e-4,
        help='largest difference from torch that is accepted (default: %(default)s)',
    )
    parser.add_argument(
        '--clips',
        type=int,
        default=64,
        help='real clips of the test data to check with, where the data exist (default: %(default)s)',
    )
    add_cfg_options(parser)
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    from signbert_mm.apis import init_model
    from signbert_mm.apis.backends import TorchBackend, dataset_config
    from signbert_mm.apis.export import OnnxGraph, clips_of, export_onnx, largest_difference, random_inputs
    from signbert_mm.apis.input import InputReader
    from signbert_mm.engine.runner import load_config
    from signbert_mm.layouts import get_layout

    model = init_model(load_config(args.config, args.cfg_options), args.checkpoint)
    backend = TorchBackend(model, 'cpu')
    export_onnx(model, args.out)
    joints, longest = get_layout(backend.spec.layout).num_joints, OnnxGraph(model).max_frames
    worst = {}
    for batch, frames in SHAPES:
        inputs = random_inputs(joints, batch, min(frames, longest or frames), seed=batch)
        worst[f'random, {batch} x {frames}'] = largest_difference(model, args.out, inputs)
    store, _ = dataset_config(model.cfg)
    folder, split = store['store'], store.get('split')
    if os.path.isdir(folder):
        every = InputReader().clips(folder, split=split if isinstance(split, str) else None)
        clips = [clip for _, clip in zip(range(args.clips), every)]
        worst[f'{len(clips)} clips of {folder}'] = largest_difference(
            model, args.out, clips_of(backend, clips)
        )
    else:
        print(f'{folder} is not there: checked on random input only')
    for what, difference in worst.items():
        print(f'{what}: largest difference from torch {difference:.1e}')
    # ``not <=`` and not ``>``: a NaN must fail too. The file is moved, so that nobody uses it by accident.
    if not max(worst.values()) <= args.tolerance:
        bad = f'{args.out}.differs'
        os.replace(args.out, bad)
        sys.exit(
            f'the exported graph differs from torch by {max(worst.values()):.1e}, more than '
            f'{args.tolerance:.0e}; it is kept as {bad}'
        )
    print(
        f'{args.out}: {os.path.getsize(args.out) / 1e6:.1f} MB, {len(backend.glosses)} glosses, '
        f'{backend.spec}'
    )


if __name__ == '__main__':
    # Read before torch is imported, so that --help is quick.
    parsed = parse_args()

    from signbert_mm.engine.runner import run_tool

    run_tool(lambda: main(parsed))
