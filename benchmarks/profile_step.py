"""Where a training step's time goes, by kind of operator and by operator (torch.profiler).

    python benchmarks/profile_step.py --methods st-pretrain --batch 4
    python benchmarks/profile_step.py --device cuda --dtype bfloat16 --batch 512 --fused --out profile.json

Times are those of the operators themselves, on the GPU where there is one; the Python between them is what
the step takes beyond their sum. With other processes on the machine the shares hold, the milliseconds do not.
"""

import argparse
import sys
from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple

try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from torch.profiler import ProfilerActivity, profile
from train_step import DTYPES, FULL_WIDTH, Step, make_batch, processor

from signbert_mm import compat
from signbert_mm.engine.runner import load_config
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.registry import MODELS

KINDS: Tuple[Tuple[str, Tuple[str, ...]], ...] = (
    ('matrix products', ('mm', 'addmm', 'bmm', 'baddbmm', 'gemm', 'cutlass', 'nvjet')),
    ('convolutions', ('conv',)),
    ('attention', ('scaled_dot', 'fmha', 'flash')),
    ('random numbers', ('bernoulli', 'dropout', 'uniform', 'philox')),
    ('optimizer', ('lerp', 'addcdiv', 'sqrt', 'adam', 'sgd', 'foreach', 'multi_tensor')),
    ('norms', ('norm',)),
    ('sorts, gathers', ('sort', 'gather', 'index', 'scatter')),
    ('copies', ('copy', 'clone', 'cat', 'memcpy', 'fill', 'zero', 'memset')),
)
OTHER = 'element by element, sums, Python'


def kind_of(name: str) -> str:
    """The kind of an operator or kernel, by its name."""
    return next((kind for kind, marks in KINDS if any(mark in name.lower() for mark in marks)), OTHER)


def run_profile(step: Step, on_gpu: bool) -> Dict[str, float]:
    """Milliseconds of each operator in one step."""
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]) as profiler:
        step.run()
        if on_gpu:
            torch.cuda.synchronize()
    times: Dict[str, float] = {}
    for event in profiler.key_averages():
        took = event.self_device_time_total if on_gpu else event.self_cpu_time_total
        times[event.key] = times.get(event.key, 0.0) + took / 1e3
    return times


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--methods', nargs='+', default=list(FULL_WIDTH), choices=list(FULL_WIDTH), help='(default: all)'
    )
    parser.add_argument('--config', help='config of a model to profile in place of --methods')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--dtype', default='float32', choices=sorted(DTYPES))
    parser.add_argument('--batch', type=int, default=4)
    parser.add_argument('--frames', type=int, default=32)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--compile', action='store_true', help='torch.compile of the forward pass')
    parser.add_argument('--fused', action='store_true', help="the optimizer's fused kernel")
    parser.add_argument('--warmup', type=int, default=2)
    parser.add_argument('--top', type=int, default=10, help='operators to print (default: %(default)s)')
    parser.add_argument('--out', type=output_file, help='also write the figures to this JSON file')
    args = parser.parse_args(arguments)

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    device = torch.device(args.device)
    if device.type == 'cpu':
        compat.keep_large_blocks()
    print(
        f'{processor(device)}, {args.threads} threads, torch {torch.__version__}, {args.dtype}, '
        f'{args.batch} clips of {args.frames} frames'
    )
    figures = {}
    for name, config in (
        {'model': args.config}.items()
        if args.config
        else {name: FULL_WIDTH[name] for name in args.methods}.items()
    ):
        model = MODELS.build(load_config(str(config)).model).to(device).train()
        step = Step(
            model,
            make_batch(model, args.batch, args.frames, device),
            DTYPES[args.dtype],
            args.compile,
            args.fused,
        )
        for _ in range(args.warmup):
            step.run()
        times = run_profile(step, device.type == 'cuda')
        total, kinds = sum(times.values()), {}
        for operator, took in times.items():
            kinds[kind_of(operator)] = kinds.get(kind_of(operator), 0.0) + took
        print(f'\n{name}: {total:.1f} ms in operators\n')
        for title, rows in (('kind', kinds), ('operator', times)):
            print(f'| {title} | share |\n|---|---|')
            for label, took in sorted(rows.items(), key=lambda row: -row[1])[: args.top]:
                print(f'| {label} | {took / total:.1%} |')
            print()
        figures[name] = dict(total_ms=total, kinds_ms=kinds, operators_ms=times)
    if args.out:
        about = dict(processor=processor(device), torch=torch.__version__, **vars(args))
        write_json(dict(**figures, about=about), args.out, indent=1)


if __name__ == '__main__':
    main()
