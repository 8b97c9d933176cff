"""Everything about speed that a GPU machine can tell, in one call and within ten minutes, as JSON.

    python benchmarks/gpu.py --out gpu.json
    python benchmarks/gpu.py --device cpu --tiny --minutes 2   # does it run? the figures mean nothing
    OMP_NUM_THREADS=1 python benchmarks/gpu.py --device cpu --batch 2 --rounds 2 --only float32/eager   # CPU
    time of one thread

Parts, most wanted first; ``--only PATTERN`` runs those whose name the pattern is found in:

- ``step/<method>/<dtype>/<how>/<batch>``: clips a second of whole training steps (crop, augmentation, masks,
  forward, backward, fused optimizer), with no wait between steps; ``preprocess_share``; peak memory. How:
  eager, compile, graphs (``mode='reduce-overhead'``: CUDA graphs).
- ``waits/<method>``: one step under ``torch.cuda.set_sync_debug_mode('error')``.
- ``hand/<route>``: hands a second, forward and backward.
- ``profile/<method>``: a step by kind of operator (profile_step.py).

A part that fails is recorded with its traceback, and the others go on; once the minutes are over the rest is
recorded as skipped. The file is written anew after each part, so that a run that is killed leaves what it
had.
"""

import argparse
import gc
import statistics
import sys
import time
import traceback
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

try:
    import signbert_mm
except ModuleNotFoundError:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from mmengine.model import BaseModel
from profile_step import kind_of, run_profile
from train_step import DTYPES, FULL_WIDTH, Step, make_batch, processor

import signbert_mm.datasets  # noqa: F401  (registers the transforms)
from signbert_mm import compat
from signbert_mm.engine.runner import load_config
from signbert_mm.errors import UserRuntimeError
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.registry import MODELS

HOW: Dict[str, object] = dict(
    eager=False, compile=dict(dynamic=False), graphs=dict(dynamic=False, mode='reduce-overhead')
)
BATCHES = {'signbert': (512, 2048, 64), 'st': (64, 256)}
GCN = dict(joint_channels=(4, 6), part_channels=(8, 8))


def build(name: str, device: torch.device, tiny: bool) -> BaseModel:
    """A method's model in training mode, at full width or so narrow that it only shows that things run."""
    cfg = load_config(str(FULL_WIDTH[name]))
    if tiny and name.startswith('signbert'):
        last = (
            dict(decoder=dict(in_channels=8))
            if name == 'signbert-pretrain'
            else dict(head=dict(in_channels=8, num_classes=5))
        )
        backbone = dict(embed_dims=8, num_layers=1, num_heads=2, feedforward_channels=8)
        cfg.merge_from_dict(dict(model=dict(embedder=dict(gesture=GCN), backbone=backbone, **last)))
    elif tiny:
        stream, attention = (
            dict(gesture=GCN, channels=8, num_blocks=1),
            dict(num_layers=1, num_heads=2, feedforward_channels=8),
        )
        encoder = dict(
            hand_embedder=stream,
            trunk_embedder=stream,
            hand_backbone=dict(attention, embed_dims=16),
            trunk_backbone=dict(attention, embed_dims=8),
        )
        last = dict(head=dict(in_channels=8, num_classes=5))
        if name == 'st-pretrain':
            last = dict(
                projector=dict(in_channels=8, out_channels=6),
                bank=dict(size=16),
                loss_transfer=dict(num_anchors=8),
            )
        cfg.merge_from_dict(dict(model=dict(encoder=encoder, **last)))
    return MODELS.build(cfg.model).to(device).train()


class Bench:
    """Runs parts on one device.

    Args:
        device (torch.device): Where.
        tiny (bool): Narrow models, short clips.
        frames (int): Frames a clip.
        seconds (float): How long a measurement goes on, after its warm-up.
        rounds (int): Parts of it, whose median is taken.
    """

    def __init__(self, device: torch.device, tiny: bool, frames: int, seconds: float, rounds: int) -> None:
        self.device, self.tiny, self.frames, self.seconds, self.rounds = device, tiny, frames, seconds, rounds
        # one thread of a CPU that others use too: its CPU time
        self.clock = (
            time.process_time if device.type == 'cpu' and torch.get_num_threads() == 1 else time.perf_counter
        )

    def synchronize(self) -> None:
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)

    def time(self, run: Callable[[], object]) -> float:
        """Seconds a call: the median of rounds of calls without a wait between them."""
        for _ in range(3 if self.device.type == 'cuda' else 1):
            run()
        self.synchronize()
        start = self.clock()
        run()
        self.synchronize()
        calls = max(1, min(200, int(self.seconds / self.rounds / max(self.clock() - start, 1e-6))))
        taken = []
        for _ in range(self.rounds):
            start = self.clock()
            for _ in range(calls):
                run()
            self.synchronize()
            taken.append((self.clock() - start) / calls)
        return statistics.median(taken)

    def make_step(self, name: str, dtype: str, how: str, batch: int) -> Step:
        model = build(name, self.device, self.tiny)
        return Step(
            model, make_batch(model, batch, self.frames, self.device), DTYPES[dtype], HOW[how], fused=True
        )

    def step(self, name: str, dtype: str, how: str, batch: int) -> dict:
        on_gpu, step = self.device.type == 'cuda', self.make_step(name, dtype, how, batch)
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(self.device)

        def run() -> None:
            if how == 'graphs':
                torch.compiler.cudagraph_mark_step_begin()
            step.run()

        start = time.perf_counter()
        run()
        self.synchronize()
        first, whole, preprocess = time.perf_counter() - start, self.time(run), self.time(step.preprocess)
        figures = dict(
            clips_per_s=batch / whole,
            step_ms=1e3 * whole,
            preprocess_share=preprocess / whole,
            first_step_s=first,
        )
        if on_gpu:
            figures['memory_mb'] = torch.cuda.max_memory_allocated(self.device) / 2**20
        loss = float(step.loss.detach())
        if loss != loss:
            raise FloatingPointError(f'the loss is {loss}')
        return dict(figures, loss=loss)

    def waits(self, name: str, batch: int) -> dict:
        if self.device.type != 'cuda':
            raise UserRuntimeError(
                'waits for the device can be seen on a GPU only; '
                'tests/test_models/test_no_waiting.py watches the operators'
            )
        step = self.make_step(name, 'bfloat16', 'eager', batch)
        step.run()
        step.run()  # the draws' plan, learned in the first
        torch.cuda.set_sync_debug_mode('error')
        try:
            step.run()
        finally:
            torch.cuda.set_sync_debug_mode('default')
        return dict(waits=0)

    def hand(self, route: str, hands: int) -> dict:
        layer = MODELS.build(dict(type='HandModel')).to(self.device)
        theta, beta = (
            torch.randn(hands, width, device=self.device, requires_grad=True) for width in (25, 10)
        )
        call = (
            layer.joints if route.startswith('joints') else lambda *coefficients: layer.mesh(*coefficients)[0]
        )
        call = torch.compile(call, dynamic=False) if route.endswith('compiled') else call

        def run() -> None:
            call(theta, beta).square().sum().backward()
            theta.grad = beta.grad = None

        seconds = self.time(run)
        return dict(hands_per_s=hands / seconds, ms=1e3 * seconds)

    def profile(self, name: str, batch: int) -> dict:
        step = self.make_step(name, 'bfloat16', 'eager', batch)
        for _ in range(3):
            step.run()
        times = run_profile(step, self.device.type == 'cuda')
        kinds: Dict[str, float] = {}
        for operator, took in times.items():
            kinds[kind_of(operator)] = kinds.get(kind_of(operator), 0.0) + took
        top = dict(sorted(times.items(), key=lambda row: -row[1])[:25])
        return dict(kinds_ms=kinds, operators_ms=top)


def parts_of(bench: Bench, batch: Optional[int] = None) -> Dict[str, Callable[[], dict]]:
    """Name and call of each part, most wanted first."""
    parts: Dict[str, Callable[[], dict]] = {}

    def add_steps(name: str, dtype: str, hows: Sequence[str], batches: Sequence[int]) -> None:
        for batch in batches:
            for how in hows:
                parts[f'step/{name}/{dtype}/{how}/{batch}'] = lambda args=(name, dtype, how, batch): (
                    bench.step(*args)
                )

    batches = {
        method: (batch,) if batch else (2, 3) if bench.tiny else sizes for method, sizes in BATCHES.items()
    }
    for method, sizes in batches.items():
        add_steps(f'{method}-pretrain', 'bfloat16', ('eager', 'compile'), sizes[:1])
    for method, sizes in batches.items():
        add_steps(f'{method}-pretrain', 'bfloat16', ('graphs',), sizes[:1])
        parts[f'profile/{method}-pretrain'] = lambda args=(f'{method}-pretrain', sizes[0]): bench.profile(
            *args
        )
        parts[f'waits/{method}-pretrain'] = lambda args=(f'{method}-pretrain', sizes[0]): bench.waits(*args)
    for route in ('joints', 'joints compiled', 'mesh'):
        parts[f'hand/{route}'] = lambda route=route: bench.hand(route, 8 if bench.tiny else 16384)
    for method, sizes in batches.items():
        add_steps(f'{method}-finetune', 'bfloat16', ('eager', 'compile', 'graphs'), sizes[:1])
    for method, sizes in batches.items():
        add_steps(f'{method}-pretrain', 'bfloat16', ('eager', 'compile'), sizes[1:])
        for stage in ('pretrain', 'finetune'):
            add_steps(f'{method}-{stage}', 'float32', ('eager',), sizes[:1])
    return parts


def run_part(call: Callable[[], dict]) -> dict:
    """Its figures, or the traceback."""
    start = time.perf_counter()
    try:
        result = call()
    except Exception:
        result = dict(error=traceback.format_exc())
    torch._dynamo.reset()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return dict(result, part_s=time.perf_counter() - start)


def shown(result: dict) -> str:
    """One line."""
    if 'error' in result:
        return 'FAILED: ' + result['error'].strip().splitlines()[-1]
    return ', '.join(
        f'{key} {value:.4g}' if isinstance(value, float) else f'{key} {value}'
        for key, value in result.items()
        if '_ms' not in key
    )


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """The exit status: 1 where a part failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--device', default='cuda')
    parser.add_argument('--tiny', action='store_true', help='narrow models and batches of two clips')
    parser.add_argument('--only', default='', metavar='PATTERN', help='parts whose name has this in it')
    parser.add_argument('--frames', type=int, default=32)
    parser.add_argument(
        '--seconds', type=float, default=2.0, help='of each measurement (default: %(default)s)'
    )
    parser.add_argument(
        '--rounds',
        type=int,
        default=5,
        help='of each measurement, whose median is taken (default: %(default)s)',
    )
    parser.add_argument('--batch', type=int, help='clips a step in place of the sizes for a GPU')
    parser.add_argument(
        '--minutes', type=float, default=9.0, help='no part begins after these (default: %(default)s)'
    )
    parser.add_argument('--out', type=output_file, default='gpu.json', help='(default: %(default)s)')
    args = parser.parse_args(arguments)

    begun, device = time.perf_counter(), torch.device(args.device)
    torch.manual_seed(0)
    torch.set_float32_matmul_precision('high')
    if device.type == 'cpu':
        compat.keep_large_blocks()
    bench = Bench(
        device, args.tiny, 6 if args.tiny else args.frames, 0.0 if args.tiny else args.seconds, args.rounds
    )
    parts = {name: call for name, call in parts_of(bench, args.batch).items() if args.only in name}
    if not parts:
        parser.error(f'--only {args.only}: no part has this in its name; known: {", ".join(parts_of(bench))}')
    about = dict(processor=processor(device), torch=torch.__version__, cuda=torch.version.cuda, **vars(args))
    results: Dict[str, dict] = {}
    skipped: List[str] = []
    for name, call in parts.items():
        if time.perf_counter() - begun > 60 * args.minutes:
            skipped.append(name)
        else:
            results[name] = run_part(call)
            print(f'{name}: {shown(results[name])}', flush=True)
        write_json(dict(parts=results, skipped=skipped, about=about), args.out, indent=1)
    failed = [name for name, result in results.items() if 'error' in result]
    print(f'{len(results) - len(failed)} parts ran, {len(failed)} failed, {len(skipped)} skipped; {args.out}')
    return int(bool(failed))


if __name__ == '__main__':
    sys.exit(main())
