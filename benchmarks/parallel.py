"""What several processes cost: a training step alone, beside others without a word between them, and with DDP
or FSDP.

    torchrun --nproc_per_node 2 benchmarks/parallel.py --batch 8
    torchrun --nproc_per_node 8 benchmarks/parallel.py --device cuda --dtype bfloat16 --batch 512 --wrapper
    ddp --out parallel.json torchrun --nproc_per_node 8 benchmarks/parallel.py --device cuda --dtype bfloat16
    --batch 256 --wrapper fsdp \\
        --config configs/signbert/signbert_d1024-n8_b64-60e_fsdp_pretrain-synthetic.py

Every process works on ``--batch`` clips a step. Three ways take turns, so that what else the machine does
falls on all of them: ``alone``, the first process steps and the others wait; ``together``, all step, each for
itself; ``parallel``, all step with gradients averaged (and with FSDP parameters gathered). A turn's time is
that of the slowest process; figures are medians.

- ``efficiency`` = alone / parallel: the share of N times one process's clips/s that N reach (weak scaling);
- ``shared machine`` = alone / together: what sharing cores, memory and caches costs before a byte is sent;
- ``cpu ratio`` = CPU time of a step, parallel / alone, of the first process: the work that parallel steps
  add, which a busy machine disturbs less.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

try:
    import signbert_mm
except ModuleNotFoundError:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
import torch.distributed as dist
from mmengine.config import Config
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.nn.parallel import DistributedDataParallel
from train_step import DEFAULT_CONFIG, DTYPES, make_batch, processor

import signbert_mm.datasets  # noqa: F401  (registers the transforms)
from signbert_mm import compat
from signbert_mm.engine.runner.fsdp_strategy import wrap_layers
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.registry import MODELS


def start(device: str) -> torch.device:
    """The process group of torchrun's processes, or of this one alone."""
    for name, value in dict(
        RANK='0', WORLD_SIZE='1', LOCAL_RANK='0', MASTER_ADDR='127.0.0.1', MASTER_PORT='29577'
    ).items():
        os.environ.setdefault(name, value)
    if device != 'cuda':
        dist.init_process_group('gloo')
        return torch.device('cpu')
    torch.cuda.set_device(int(os.environ['LOCAL_RANK']))
    dist.init_process_group('nccl')
    return torch.device('cuda', torch.cuda.current_device())


def wrap(model: nn.Module, wrapper: str, device: torch.device) -> nn.Module:
    if wrapper == 'ddp':
        return DistributedDataParallel(
            model, device_ids=[device.index] if device.type == 'cuda' else None, broadcast_buffers=False
        )
    return FullyShardedDataParallel(
        model, auto_wrap_policy=wrap_layers, device_id=device, use_orig_params=True
    )


def stepper(
    model: nn.Module, whole: nn.Module, data: dict, dtype: torch.dtype, device: torch.device
) -> Callable[[], None]:
    """A training step: crop, augmentation and masks of ``whole``, then ``model``, which may be ``whole``
    wrapped.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-5)

    def step() -> None:
        inputs = whole.data_preprocessor(data, True)['inputs']
        with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
            losses = model(inputs, mode='loss')
        sum(losses.values()).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def turn(step: Optional[Callable[[], None]], steps: int, device: torch.device) -> List[float]:
    """Milliseconds a step of the slowest process, and the first process's CPU milliseconds; a process without
    a step waits.
    """
    dist.barrier()
    wall, cpu = time.perf_counter(), time.process_time()
    if step is not None:
        for _ in range(steps):
            step()
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
    taken = (
        torch.tensor(
            [time.perf_counter() - wall, time.process_time() - cpu], device=device, dtype=torch.float64
        )
        * 1e3
        / steps
    )
    slowest = taken[0].clone() if step is not None else torch.zeros_like(taken[0])
    dist.all_reduce(slowest, dist.ReduceOp.MAX)
    return [float(slowest), float(taken[1])]


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--config',
        default=str(DEFAULT_CONFIG),
        help='config whose model is a SignBERT (default: the full-width pre-trainer)',
    )
    parser.add_argument('--wrapper', choices=['ddp', 'fsdp'], default='ddp')
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument(
        '--dtype', default='float32', choices=sorted(DTYPES), help='bfloat16: autocast, weights stay float32'
    )
    parser.add_argument('--batch', type=int, default=8, help='clips a step and process (default: 8)')
    parser.add_argument('--frames', type=int, default=32)
    parser.add_argument('--threads', type=int, default=1, help='CPU threads a process (default: 1)')
    parser.add_argument('--steps', type=int, default=1, help='steps a turn (default: 1; on a GPU 20)')
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--warmup', type=int, default=1)
    parser.add_argument('--out', type=output_file, help='also write the figures to this JSON file')
    args = parser.parse_args(arguments)

    torch.set_num_threads(args.threads)
    device, dtype = start(args.device), DTYPES[args.dtype]
    rank, ranks = dist.get_rank(), dist.get_world_size()
    if device.type == 'cpu':
        compat.keep_large_blocks()
    config, steps = Config.fromfile(args.config), {}
    for name in ('own', 'parallel'):
        torch.manual_seed(0)
        whole = MODELS.build(config.model).to(device).train()
        model = wrap(whole, args.wrapper, device) if name == 'parallel' else whole
        data = make_batch(whole, args.batch, args.frames, device)
        data['inputs']['index'] += rank * args.batch
        steps[name] = stepper(model, whole, data, dtype, device)
        held = sum(parameter.numel() for parameter in model.parameters())

    ways = dict(alone=steps['own'] if rank == 0 else None, together=steps['own'], parallel=steps['parallel'])
    times: Dict[str, List[List[float]]] = {name: [] for name in ways}
    for repeat in range(args.warmup + args.repeats):
        for name, step in ways.items():
            taken = turn(step, args.steps, device)
            if repeat >= args.warmup:
                times[name].append(taken)
    if rank == 0:
        wall, cpu = (
            {name: statistics.median(row[place] for row in rows) for name, rows in times.items()}
            for place in (0, 1)
        )
        figures = {
            'efficiency': wall['alone'] / wall['parallel'],
            'shared machine': wall['alone'] / wall['together'],
            'cpu ratio': cpu['parallel'] / cpu['alone'],
            'clips_per_s': 1e3 * args.batch * ranks / wall['parallel'],
            'million parameters a process': held / 1e6,
        }
        print(
            f'{Path(args.config).name}, {args.wrapper}, {ranks} processes of {args.threads} threads, '
            f'{args.batch} clips each, {args.dtype}'
        )
        print(
            f'{processor(device)}, torch {torch.__version__}, median of {args.repeats} turns of '
            f'{args.steps}\n'
        )
        for name in ways:
            print(f'{name:<30}{wall[name]:12.1f} ms{cpu[name]:12.1f} ms CPU')
        print()
        for name, figure in figures.items():
            print(f'{name:<30}{figure:12.4g}')
        if args.out:
            about = dict(
                processor=processor(device),
                python=platform.python_version(),
                torch=torch.__version__,
                ranks=ranks,
                **vars(args),
            )
            write_json(dict(**figures, wall_ms=wall, cpu_ms=cpu, about=about), args.out, indent=1)
    dist.barrier()
    sys.stdout.flush()
    if device.type == 'cpu':
        os._exit(0)  # tearing a gloo group down that DDP still holds now and then aborts
    dist.destroy_process_group()


if __name__ == '__main__':
    main()
