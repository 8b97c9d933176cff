#!/usr/bin/env python
"""Clips a second and latency of the recogniser, torch against ONNX, from poses to glosses.

Measured are whole calls of the backends: numpy batching, crop, mirroring, network, softmax; no video and no
pose extraction. Latency is a batch of one; figures are medians, and the fastest call. The backends take
turns, each beginning with a pause and a call that does not count: threads of onnxruntime and OpenMP spin for
some 30 ms after a call, on the core that the other's would need. With one thread CPU time is taken, which
other processes disturb less, otherwise wall time.

With --memory instead: the peak of memory while SignInferencer.segments reads a long video, from frames to
signs, each length in a fresh process. The long video is the given one, thinned to --memory-fps frames a
second and repeated.

Examples:
    python benchmarks/inference.py --threads 1
    python benchmarks/inference.py --memory sign.mp4 --minutes 3 30 --memory-fps 2
"""

import argparse
import json
import os
import subprocess
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
if str(Path(__file__).resolve().parent) not in sys.path:
    sys.path.append(str(Path(__file__).resolve().parent))

import numpy as np
import torch
from extraction import build, loop_video, peak_mb, thin_video

from signbert_mm.apis import PoseClip, SignInferencer, init_model
from signbert_mm.apis.export import export_onnx
from signbert_mm.apis.onnx_backend import OnnxBackend
from signbert_mm.apis.torch_backends import TorchBackend
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.layouts import get_layout

MODELS = ('signbert_d128_finetune', 'signbert_d512-n3_b64-60e_wlasl2000')
PAUSE = 0.1


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--models',
        nargs='+',
        default=MODELS,
        help='names or configs of recognisers; the weights are random (default: narrow and full)',
    )
    parser.add_argument(
        '--frames', type=int, default=60, help='frames of a clip before sampling (default: %(default)s)'
    )
    parser.add_argument(
        '--batch', type=int, default=32, help='clips at once, for clips a second (default: %(default)s)'
    )
    parser.add_argument(
        '--repeats',
        type=int,
        default=7,
        help='turns; one call in each, three for the latency (default: %(default)s)',
    )
    parser.add_argument(
        '--threads', type=int, default=1, help='of torch and of onnxruntime (default: %(default)s)'
    )
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write the figures here')
    parser.add_argument(
        '--memory',
        metavar='VIDEO',
        help='measure the peak of memory on a long video made of this one; the first of --models',
    )
    parser.add_argument(
        '--minutes',
        type=float,
        nargs='+',
        default=[3, 30],
        help='lengths of the long video (default: %(default)s)',
    )
    parser.add_argument(
        '--memory-fps', type=float, default=2, help='its frames a second (default: %(default)s)'
    )
    parser.add_argument(
        '--memory-extractor',
        default='mediapipe',
        help="'mediapipe', 'none', or a config of MMPose (default: %(default)s)",
    )
    # the fresh process: VIDEO is the long one
    parser.add_argument('--peak', action='store_true', help=argparse.SUPPRESS)
    return parser.parse_args()


def seconds(
    calls: Dict[str, Callable[[], object]], repeats: int, threads: int, at_once: int = 1
) -> Dict[str, List[float]]:
    """Times of each call, sorted: ``repeats`` turns of ``at_once`` calls."""
    clock = time.process_time if threads == 1 else time.perf_counter
    times: Dict[str, List[float]] = {kind: [] for kind in calls}
    for _ in range(repeats):
        for kind, call in calls.items():
            time.sleep(PAUSE)
            call()
            for _ in range(at_once):
                start = clock()
                call()
                times[kind].append(clock() - start)
    return {kind: sorted(values) for kind, values in times.items()}


def make_clips(count: int, frames: int) -> List[PoseClip]:
    """Random whole-body poses in which all is found."""
    random = np.random.RandomState(0)
    joints = get_layout('coco_wholebody_133').num_joints
    values = np.ones((count, frames, joints, 3), np.float32)
    values[..., :2] = random.uniform(100, 400, (count, frames, joints, 2))
    return [PoseClip.make(rows, 'coco_wholebody_133', (640, 480)) for rows in values]


def peak(model: str, video: str, extractor: str) -> Dict[str, float]:
    """Signs of a long video, in this process: frames, windows, seconds of CPU, and the peak of resident
    memory in MB.
    """
    inferencer = SignInferencer(init_model(model), device='cpu', extractor=build(extractor))
    (found,) = inferencer.segments(video)
    return dict(
        frames=found['num_frames'],
        windows=len(found['windows']),
        cpu_s=time.process_time(),
        peak_mb=peak_mb(),
    )


def memory(args: argparse.Namespace) -> Dict[str, Dict[str, float]]:
    """:func:`peak` of each length, each in a fresh process."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        short, long = (os.path.join(folder, f'{name}.mp4') for name in ('short', 'long'))
        thin_video(args.memory, short, args.memory_fps)
        for minutes in args.minutes:
            loop_video(short, long, minutes)
            options = [
                '--models',
                args.models[0],
                '--threads',
                str(args.threads),
                '--memory-extractor',
                args.memory_extractor,
            ]
            told = subprocess.check_output([sys.executable, __file__, '--memory', long, '--peak', *options])
            results[f'{minutes:g} min'] = row = json.loads(told.splitlines()[-1])
            print(
                f'{minutes:6g} min' + ''.join(f'  {name} {value:.1f}' for name, value in row.items()),
                flush=True,
            )
    return results


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    if args.peak:
        print(json.dumps(peak(args.models[0], args.memory, args.memory_extractor)))
        return
    if args.memory:
        results = memory(args)
        if args.out:
            write_json(dict(vars(args), models=args.models[0], results=results), args.out, indent=1)
        return
    clips = make_clips(args.batch, args.frames)
    results: Dict[str, Dict[str, float]] = {}
    print(f'{"model":36} {"backend":8} {"clips/s":>10} {"latency ms":>10} {"fastest":>10} {"fastest":>10}')
    for name in args.models:
        model = init_model(name)
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / 'model.onnx')
            export_onnx(model, path)
            backends = dict(torch=TorchBackend(model, 'cpu'), onnx=OnnxBackend(path, threads=args.threads))
        batch = seconds(
            {kind: partial(backend.predict, clips) for kind, backend in backends.items()},
            args.repeats,
            args.threads,
        )
        single = seconds(
            {kind: partial(backend.predict, clips[:1]) for kind, backend in backends.items()},
            args.repeats,
            args.threads,
            3,
        )
        for kind in backends:
            half = [times[kind][len(times[kind]) // 2] for times in (batch, single)]
            row = dict(
                clips_per_s=args.batch / half[0],
                latency_ms=1000 * half[1],
                fastest_clips_per_s=args.batch / batch[kind][0],
                fastest_latency_ms=1000 * single[kind][0],
            )
            results[f'{name}/{kind}'] = row
            print(f'{name:36} {kind:8}' + ''.join(f' {value:10.2f}' for value in row.values()), flush=True)
    if args.out:
        write_json(dict(vars(args), models=list(args.models), results=results), args.out, indent=1)


if __name__ == '__main__':
    main()
