#!/usr/bin/env python
"""Export a recogniser to ONNX, crop, mirroring and masks included, and check it against torch.

Inputs are keypoints (B, T, V, 2) in pixels, scores (B, T, V) with 0 = missing, length (B,) and image_size
(B, 2), with any B and T. Outputs are logits and attention. ST-Consistency, whose pipeline resamples time,
also has `frames`: the input frame of each row of attention. A head with outputs for what is outside of the
vocabulary also gives `known_odds`. The metadata hold the glosses, the joints' layout
and how time is sampled, so that SignInferencer(FILE) needs nothing else.

With --precision fp16 or int8 the file is smaller. What that loses is measured on the test clips, printed and
written into the metadata: the share of clips with the best sign of fp32, the largest difference of a
probability, and the accuracy of both.

Example:
    python tools/deployment/export_onnx.py configs/words33/signbert_d128_finetune.py \
        work_dirs/words33/epoch_150.pth words33.onnx
    python tools/deployment/export_onnx.py CONFIG CHECKPOINT small.onnx --precision int8
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from signbert_mm.arguments import add_cfg_options, positive, tool_parser, whole
from signbert_mm.files.os_errors import output_file

if TYPE_CHECKING:
    from signbert_mm.apis import PoseClip
    from signbert_mm.apis.torch_backends import TorchBackend

# Batch size and frames of the random inputs: tracing may have fixed either of them.
SHAPES = ((1, 1), (1, 16), (5, 10), (2, 40))
BATCH = 64


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file of a recogniser')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('out', type=output_file, metavar='OUT.onnx', help='the file to write')
    parser.add_argument(
        '--tolerance',
        type=positive,
        default=1e-4,
        help='largest difference of the graph in fp32 from torch that is accepted (default: %(default)s)',
    )
    parser.add_argument(
        '--precision',
        choices=('fp32', 'fp16', 'int8'),
        default='fp32',
        help='fp16 and int8 store weights in 16 and 8 bits; int8 also computes with them (default: fp32)',
    )
    parser.add_argument(
        '--agreement',
        type=float,
        default=0.98,
        help='fp16 and int8: smallest share of clips with the best sign of fp32 that is accepted '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--clips',
        type=whole(1),
        default=2000,
        help='real clips of the test data to check with, where the data exist (default: at most %(default)s)',
    )
    add_cfg_options(parser)
    return parser.parse_args()


def test_clips(model, count: int) -> 'List[PoseClip]':
    """At most ``count`` clips of the config's test data; [] where the data are not there."""
    from signbert_mm.apis.input import InputReader
    from signbert_mm.apis.torch_backends import dataset_config

    store, _ = dataset_config(model.cfg)
    folder, split = store['store'], store.get('split')
    if not os.path.isdir(folder):
        print(f'{folder} is not there: checked on random input only')
        return []
    every = InputReader().clips(folder, split=split if isinstance(split, str) else None)
    return [clip for _, clip in zip(range(count), every)]


def differences(model, backend: 'TorchBackend', path: str, clips: 'List[PoseClip]') -> Dict[str, float]:
    """The largest difference of the graph from torch on random input and on clips."""
    import numpy as np

    from signbert_mm.apis.export import OnnxGraph, clips_of, largest_difference, random_inputs
    from signbert_mm.layouts import get_layout

    joints, longest = get_layout(backend.spec.layout).num_joints, OnnxGraph(model).max_frames
    worst = {}
    for batch, frames in SHAPES:
        inputs = random_inputs(joints, batch, min(frames, longest or frames), seed=batch)
        worst[f'random, {batch} x {frames}'] = largest_difference(model, path, inputs)
    if clips:
        pieces = [clips[first : first + BATCH] for first in range(0, len(clips), BATCH)]
        found = [largest_difference(model, path, clips_of(backend, piece)) for piece in pieces]
        # Not max(), for which no number is larger than NaN, and none smaller.
        worst[f'{len(clips)} test clips'] = float(np.max(found))
    return worst


def keep_aside(source: str, out: str, reason: str) -> None:
    """Ends the tool; the graph gets another name, so that nobody uses it by accident."""
    from signbert_mm.files.atomic import write_atomic

    bad = f'{out}.differs'
    write_atomic(Path(source).read_bytes(), bad)
    sys.exit(f'{reason}; it is kept as {bad}')


def main(args: argparse.Namespace) -> None:
    import numpy as np

    from signbert_mm.apis import init_model
    from signbert_mm.apis.export import export_onnx
    from signbert_mm.apis.precision import convert, measure_loss
    from signbert_mm.apis.torch_backends import TorchBackend
    from signbert_mm.engine.runner import load_config
    from signbert_mm.extras import check_installed

    check_installed(('onnx', 'onnxscript'), 'exporting to ONNX', 'deploy')
    model = init_model(load_config(args.config, args.cfg_options), args.checkpoint)
    backend, clips = TorchBackend(model, 'cpu'), test_clips(model, args.clips)
    with tempfile.TemporaryDirectory() as folder:
        fp32, low = (os.path.join(folder, name) for name in ('fp32.onnx', 'low.onnx'))
        graph = export_onnx(model, fp32)
        worst = differences(model, backend, fp32, clips)
        for what, difference in worst.items():
            print(f'{what}: largest difference from torch {difference:.1e}')
        largest = float(np.max(list(worst.values())))
        # ``not <=`` and not ``>``: a NaN must fail too.
        if not largest <= args.tolerance:
            reason = f'the exported graph differs from torch by {largest:.1e}, more than {args.tolerance:.0e}'
            keep_aside(fp32, args.out, reason)
        if args.precision != 'fp32':
            graph = convert(graph, args.precision)
            graph.save(low)
            if clips:
                loss = measure_loss(backend, fp32, low, clips)
                graph.meta['loss'] = loss
                report(args.precision, loss)
                if not loss['agreement'] >= args.agreement:
                    share = f'{100 * loss["agreement"]:.1f} % of the clips'
                    keep_aside(low, args.out, f'{args.precision} names the sign of fp32 in {share} alone')
            else:
                print(f'{args.precision}: what it loses is not measured, since there are no test clips')
        graph.save(args.out)
    print(
        f'{args.out}: {os.path.getsize(args.out) / 1e6:.2f} MB, {args.precision}, {len(backend.glosses)} '
        f'glosses; it reads {backend.spec.clip_len or "all"} frames of a clip, joints as in '
        f'{backend.spec.layout}'
    )


def report(precision: str, loss: dict) -> None:
    """Prints what :func:`measure_loss` found."""
    print(
        f'{precision} on {loss["clips"]} test clips: the best sign of fp32 in '
        f'{100 * loss["agreement"]:.2f} %; largest difference of a probability '
        f'{loss["largest_difference"]:.1e}, from torch {loss["largest_difference_torch"]:.1e}'
    )
    if 'accuracy' in loss:
        print(f'top-1: {100 * loss["accuracy"]:.2f} %, in fp32 {100 * loss["accuracy_fp32"]:.2f} %')


if __name__ == '__main__':
    # Read before torch is imported, so that --help is quick.
    parsed = parse_args()

    from signbert_mm.engine.runner import run_tool

    run_tool(lambda: main(parsed))
