"""Operations and bytes of a training step by part, and the least time they take: counted while one step runs,
not estimated.

    # a floor for a GPU, counted on a CPU
    python benchmarks/counts.py --tflops 200 --gbytes 4800 --batch 512
    # the floor of one thread of this CPU, measured
    python benchmarks/counts.py --methods signbert-pretrain --out counts.json

What is counted, a clip, at the dtype given (bfloat16: autocast):

- forward, backward: floating point operations of matrix products, convolutions and attention, a multiply-add
  as two, by torch's formulas.
- products: bytes that these read and write, which no fusion takes away. all: bytes that every operator reads
  and writes, as torch runs them one by one; views are free.
- operators: calls a step that are no views, however many clips; on a GPU about as many kernels where nothing
  is compiled.
- floor: each part takes the longer of its operations at ``--tflops`` and its products' bytes at ``--gbytes``;
  then the optimizer, which reads and writes weights and moments once. Without the two options both are
  measured here: a product of 1,024 x 1,024 matrices, a copy of 256 MB, one thread.

Two steps are counted, of one clip and of two: their difference is a clip's share, and what does not grow with
the batch (weights, their gradients, key encoders, banks) is spread over ``--batch`` clips.
"""

import argparse
import bisect
import re
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

try:
    import signbert_mm  # noqa: F401
except ModuleNotFoundError:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry
from train_step import DTYPES, FULL_WIDTH, Step, make_batch, processor

from signbert_mm.engine.runner import load_config
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.registry import MODELS

PARTS = (
    ('preprocessing', r'data_preprocessor'),
    ('key encoders', r'key_\w+(\.\w+)?'),
    ('GCN', r'embedder|encoders\.\w+\.embedders\.\w+\.gesture'),
    ('temporal blocks', r'encoders\.\w+\.embedders\.\w+'),
    ('transformer', r'backbone|encoders\.\w+\.backbones\.\w+'),
    ('decoder, hand model', r'decoder'),
    ('heads', r'head|encoders\.\w+|projectors\.\w+\.\w+'),
    ('losses', r'loss_\w+'),
)
"""Part, and the modules that are it; the first that fits."""
REST, OPTIMIZER = 'sums, banks, key update', 'optimizer'
FIELDS = ('forward', 'backward', 'products', 'all', 'operators')
Counts = Dict[str, Dict[str, float]]
aten = torch.ops.aten


def _in_place_product(
    out_shape: Sequence[int], a: Sequence[int], b: Sequence[int], *_: object, **__: object
) -> int:
    return 2 * a[0] * a[1] * b[1]


def _attention(
    query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: object, **__: object
) -> int:
    batch, heads, rows, width = query
    return 2 * batch * heads * rows * key[2] * (width + value[3])


def _attention_backward(
    grad: Sequence[int],
    query: Sequence[int],
    key: Sequence[int],
    value: Sequence[int],
    *_: object,
    **__: object,
) -> int:
    batch, heads, rows, width = query
    return 2 * batch * heads * rows * key[2] * (3 * width + 2 * value[3])  # scores again, then four products


# by shapes; what torch's registry leaves out
MORE_FORMULAS = {
    aten.addmm_: _in_place_product,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}


def operations(func: torch._ops.OpOverload, args: tuple, kwargs: dict, out: object) -> int:
    """Floating point operations of one call; 0 for what is no product."""
    packet = func._overloadpacket
    if packet in flop_registry:
        return int(flop_registry[packet](*args, **kwargs, out_val=out))
    if packet in MORE_FORMULAS:
        return int(MORE_FORMULAS[packet](*[getattr(arg, 'shape', arg) for arg in args]))
    return 0


def does_nothing(func: torch._ops.OpOverload) -> bool:
    """A view, or memory alone."""
    return (
        any(item.alias_info is not None and not item.alias_info.is_write for item in func._schema.returns)
        or 'empty' in func._schema.name
    )


def moved_bytes(func: torch._ops.OpOverload, args: tuple, kwargs: dict, out: object) -> int:
    """Bytes read and written by one call; a tensor expanded from a smaller one counts as that."""
    if does_nothing(func):
        return 0
    tensors = [leaf for leaf in tree_leaves((args, kwargs, out)) if isinstance(leaf, Tensor)]
    return sum(
        min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes()) for tensor in tensors
    )


class Counter(TorchDispatchMode):
    """Adds up what runs under it, by part; a backward node belongs to the part in whose forward pass it was
    made.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.counts: Counts = {}
        self.stack: List[str] = [REST]
        self.marks: List[Tuple[int, str]] = [(0, REST)]
        self.handles = []
        for name, module in model.named_modules():
            part = next((part for part, pattern in PARTS if re.fullmatch(pattern, name)), None)
            if part is not None:
                self.handles.append(module.register_forward_pre_hook(lambda *_, part=part: self.enter(part)))
                self.handles.append(module.register_forward_hook(lambda *_: self.leave()))

    def enter(self, part: str) -> None:
        self.stack.append(part)
        self.marks.append((torch._C._autograd._get_sequence_nr(), part))

    def leave(self) -> None:
        self.stack.pop()
        self.marks.append((torch._C._autograd._get_sequence_nr(), self.stack[-1]))

    def __exit__(self, *args: object) -> None:
        super().__exit__(*args)
        for handle in self.handles:
            handle.remove()

    def __torch_dispatch__(
        self, func: torch._ops.OpOverload, types: object, args: tuple = (), kwargs: Optional[dict] = None
    ) -> object:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        node = torch._C._current_autograd_node()
        part, field = self.stack[-1], 'forward'
        if node is not None:
            field = 'backward'
            place = bisect.bisect_right(self.marks, (node._sequence_nr(), chr(0x10FFFF))) - 1
            part = OPTIMIZER if 'AccumulateGrad' in node.name() else self.marks[place][1]
        counted = self.counts.setdefault(part, dict.fromkeys(FIELDS, 0))
        flop, moved = operations(func, args, kwargs, out), moved_bytes(func, args, kwargs, out)
        counted[field] += flop
        counted['all'] += moved
        counted['products'] += moved if flop else 0
        counted['operators'] += not does_nothing(func)
        return out


def count(model: nn.Module, clips: int, frames: int, dtype: torch.dtype) -> Counts:
    """One step of ``clips`` clips, by part; the optimizer's ``products`` are what it cannot do without."""
    step = Step(model, make_batch(model, clips, frames, torch.device('cpu')), dtype, fused=True)
    step.run()  # moments are there, constants in their place
    with Counter(model) as counter:
        step.preprocess()
        step.run_forward()
        step.run_backward()
        counter.enter(OPTIMIZER)
        step.update()
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    # weight and moments read and written, gradient read
    accesses = 7 if isinstance(step.optimizer, torch.optim.Adam) else 5
    counter.counts.setdefault(OPTIMIZER, dict.fromkeys(FIELDS, 0))['products'] = 4 * accesses * trained
    return counter.counts


def per_clip(model: nn.Module, frames: int, dtype: torch.dtype, batch: int) -> Counts:
    """Counts a clip in a batch of ``batch`` clips; operators a step."""
    one, two = (count(model, clips, frames, dtype) for clips in (1, 2))
    counts = {
        part: {
            field: (two[part][field] - value[field]) * (1 - 1 / batch) + value[field] / batch
            for field in FIELDS
        }
        for part, value in one.items()
    }
    return {part: dict(value, operators=two[part]['operators']) for part, value in counts.items()}


def floor_of(counts: Counts, flops: float, rate: float) -> Dict[str, float]:
    """Seconds a clip of each part, at these operations and bytes a second."""
    return {
        part: max((value['forward'] + value['backward']) / flops, value['products'] / rate)
        for part, value in counts.items()
    }


def measured(dtype: torch.dtype) -> Tuple[float, float]:
    """Operations and bytes a second of one thread of this CPU, by its CPU time."""

    def best(run: Callable[[], object]) -> float:
        times = []
        for _ in range(7):
            start = time.process_time()
            run()
            times.append(time.process_time() - start)
        return min(times)

    a, b, large = torch.randn(1024, 1024).to(dtype), torch.randn(1024, 1024).to(dtype), torch.randn(1 << 26)
    other = torch.empty_like(large)
    return 2 * 1024**3 / best(lambda: a @ b), 2 * large.nbytes / best(lambda: other.copy_(large))


def parameters_of(model: nn.Module) -> Dict[str, int]:
    """Parameters by part; those of a module within a part that has one of its own are that one's."""
    found: Dict[str, int] = {}
    for name, parameter in model.named_parameters():
        pieces = name.split('.')
        owners = ['.'.join(pieces[:depth]) for depth in range(len(pieces) - 1, 0, -1)]
        part = next(
            (part for owner in owners for part, pattern in PARTS if re.fullmatch(pattern, owner)), REST
        )
        found[part] = found.get(part, 0) + parameter.numel()
    return found


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--methods', nargs='+', default=list(FULL_WIDTH), choices=list(FULL_WIDTH), help='(default: all)'
    )
    parser.add_argument('--config', help='config of a model to count in place of --methods')
    parser.add_argument(
        '--frames',
        type=int,
        default=32,
        help='frames that come in; ST-Consistency resizes its views to 64 (default: %(default)s)',
    )
    parser.add_argument(
        '--batch', type=int, default=64, help='clips over which weights are spread (default: %(default)s)'
    )
    parser.add_argument('--dtype', default='float32', choices=sorted(DTYPES))
    parser.add_argument(
        '--tflops', type=float, help='operations a second of the floor, in 1e12 (default: measured)'
    )
    parser.add_argument(
        '--gbytes', type=float, help='bytes a second of the floor, in 1e9 (default: measured)'
    )
    parser.add_argument('--out', type=output_file, help='also write the figures to this JSON file')
    args = parser.parse_args(arguments)

    torch.set_num_threads(1)
    torch.manual_seed(0)
    dtype = DTYPES[args.dtype]
    flops, rate = measured(dtype) if args.tflops is None or args.gbytes is None else (0.0, 0.0)
    flops, rate = (args.tflops or flops / 1e12) * 1e12, (args.gbytes or rate / 1e9) * 1e9
    print(
        f'{processor(torch.device("cpu"))}, {args.dtype}, batches of {args.batch}; floor at '
        f'{flops / 1e12:.4g} TFLOP/s, {rate / 1e9:.4g} GB/s'
    )
    figures = {}
    for name, config in (
        {'model': args.config}.items()
        if args.config
        else {name: FULL_WIDTH[name] for name in args.methods}.items()
    ):
        model = MODELS.build(load_config(str(config)).model).train()
        counts, parameters = per_clip(model, args.frames, dtype, args.batch), parameters_of(model)
        seconds = floor_of(counts, flops, rate)
        total = sum(seconds.values())
        print(f'\n{name}, {args.frames} frames, a clip\n')
        print(
            '| part | parameters, M | forward, GFLOP | backward, GFLOP | products, MB | all, MB | '
            'operators | floor |'
        )
        print('|---|---|---|---|---|---|---|---|')
        order = [*(part for part, _ in PARTS), REST, OPTIMIZER]
        for part in sorted(counts, key=order.index):
            value = counts[part]
            print(
                f'| {part} | {parameters.get(part, 0) / 1e6:.2f} | {value["forward"] / 1e9:.3f} | '
                f'{value["backward"] / 1e9:.3f} '
                f'| {value["products"] / 1e6:.2f} | {value["all"] / 1e6:.2f} | {value["operators"]:.0f} | '
                f'{seconds[part] / total:.1%} |'
            )
        sums = {field: sum(value[field] for value in counts.values()) for field in FIELDS}
        print(
            f'| all | {sum(parameters.values()) / 1e6:.2f} | {sums["forward"] / 1e9:.3f} | '
            f'{sums["backward"] / 1e9:.3f} '
            f'| {sums["products"] / 1e6:.2f} | {sums["all"] / 1e6:.2f} | {sums["operators"]:.0f} | '
            f'{1e3 * total:.4g} ms, {1 / total:,.4g} clips/s |'
        )
        figures[name] = dict(
            parts=counts, parameters=parameters, floor_s=seconds, floor_clips_per_s=1 / total, **sums
        )
    if args.out:
        about = dict(processor=processor(torch.device('cpu')), torch=torch.__version__, **vars(args))
        write_json(dict(**figures, tflops=flops / 1e12, gbytes=rate / 1e9, about=about), args.out, indent=1)


if __name__ == '__main__':
    main()
