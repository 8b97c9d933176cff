#!/usr/bin/env python
"""Clips a second and latency of the recogniser, torch against ONNX, from poses to glosses.

Measured are whole calls of the backends: numpy batching, crop, mirroring, network, softmax; no video and no pose extraction. Latency is a batch of
one. Figures are medians; the backends take turns. With one thread CPU time is taken, which other processes disturb less, otherwise wall time.

Example:
    python benchmarks/inference.py --threads 1
"""

import argparse
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Callable, Dict, List

try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from signbert_mm.apis import PoseClip, init_model
from signbert_mm.apis.onnx_backend import OnnxBackend
from signbert_mm.apis.onnx_export import export_onnx
from signbert_mm.apis.torch_backend import TorchBackend
from signbert_mm.layouts import get_layout

MODELS = ('signbert_d128_finetune', 'signbert_d512-n3_b64-60e_wlasl2000')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--models', nargs='+', default=MODELS, help='names or configs of recognisers; the weights are random (default: narrow and full)'
    )
    parser.add_argument('--frames', type=int, default=60, help='frames of a clip before sampling (default: %(default)s)')
    parser.add_argument('--batch', type=int, default=32, help='clips at once, for clips a second (default: %(default)s)')
    parser.add_argument('--repeats', type=int, default=7, help='calls, three times as many for the latency (default: %(default)s)')
    parser.add_argument('--threads', type=int, default=1, help='of torch and of onnxruntime (default: %(default)s)')
    parser.add_argument('--out', metavar='FILE.json', help='write the figures here')
    return parser.parse_args()


def seconds(calls: Dict[str, Callable[[], object]], repeats: int, threads: int) -> Dict[str, float]:
    """Median of each call, after one that warms up."""
    clock = time.process_time if threads == 1 else time.perf_counter
    times: Dict[str, List[float]] = {kind: [] for kind in calls}
    for repeat in range(1 + repeats):
        for kind, call in calls.items():
            start = clock()
            call()
            times[kind] += [clock() - start] if repeat else []
    return {kind: sorted(values)[len(values) // 2] for kind, values in times.items()}


def make_clips(count: int, frames: int) -> List[PoseClip]:
    """Random whole-body poses in which all is found."""
    random = np.random.RandomState(0)
    joints = get_layout('coco_wholebody_133').num_joints
    values = np.ones((count, frames, joints, 3), np.float32)
    values[..., :2] = random.uniform(100, 400, (count, frames, joints, 2))
    return [PoseClip.make(rows, 'coco_wholebody_133', (640, 480)) for rows in values]


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    clips = make_clips(args.batch, args.frames)
    results: Dict[str, Dict[str, float]] = {}
    print(f'{"model":36} {"backend":8} {"clips/s":>9} {"latency ms":>11}')
    for name in args.models:
        model = init_model(name)
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / 'model.onnx')
            export_onnx(model, path)
            backends = dict(torch=TorchBackend(model, 'cpu'), onnx=OnnxBackend(path, threads=args.threads))
        batch = seconds({kind: partial(backend.predict, clips) for kind, backend in backends.items()}, args.repeats, args.threads)
        single = seconds({kind: partial(backend.predict, clips[:1]) for kind, backend in backends.items()}, 3 * args.repeats, args.threads)
        for kind in backends:
            row = dict(clips_per_s=args.batch / batch[kind], latency_ms=1000 * single[kind])
            results[f'{name}/{kind}'] = row
            print(f'{name:36} {kind:8} {row["clips_per_s"]:9.1f} {row["latency_ms"]:11.2f}', flush=True)
    if args.out:
        Path(args.out).write_text(json.dumps(dict(vars(args), models=list(args.models), results=results), indent=1))


if __name__ == '__main__':
    main()
