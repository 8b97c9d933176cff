"""Speed of a pre-training step, beside a bare Transformer encoder and the gesture GCN's matrix products of
the same shapes.

    python benchmarks/train_step.py --out train_step.json
    python benchmarks/train_step.py --device cuda --dtype bfloat16 --batch 512 --compile --out train_step.json

No data set is needed: keypoints are made in memory. What is counted:

- the step: crop, augmentation and masks; forward and losses; backward; Adam and clearing the gradients. Not
  counted: reading clips (benchmarks/data.py).
- bare: forward and backward of ``nn.TransformerEncoder`` with the config's sizes and dropout, on tokens that
  are there already; forward and backward of the matrix products that the GCN cannot do without (each role,
  each node that takes or is taken from, whichever are fewer), without adding them up, bias, norm, ReLU and
  pooling; Adam on as many parameters as the model has. No embeddings, decoder, hand model, losses, mask of
  missing hands.
- ``preprocess_share``: crop, augmentation and masks of ``--preprocess-batch`` clips over the step, both a
  clip.
- ``gflop_per_clip``: forward, encoder and products; ``tflop_per_s``: three times that over the whole step's
  time.

The step, the bare parts and the preprocessing take turns; figures are medians. On one CPU thread CPU time is
taken, which other processes disturb less, otherwise wall time.
"""

import argparse
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Optional, Sequence, Tuple, Union

try:
    import signbert_mm
except ModuleNotFoundError:  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

import signbert_mm.datasets  # noqa: F401  (registers the transforms)
from signbert_mm import compat
from signbert_mm.engine.runner import load_config
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.layouts import Layout
from signbert_mm.models import BasePretrainer
from signbert_mm.models.embedders.gesture_gcn import GestureGCN
from signbert_mm.registry import MODELS

DEFAULT_CONFIG = (
    Path(__file__).resolve().parents[1] / 'configs' / '_base_' / 'models' / 'signbert_pretrain.py'
)
CONFIGS = DEFAULT_CONFIG.parents[2]
FULL_WIDTH = {
    'signbert-pretrain': DEFAULT_CONFIG,
    'signbert-finetune': CONFIGS / 'signbert' / 'signbert_d512-n3_b64-60e_wlasl2000.py',
    'st-pretrain': DEFAULT_CONFIG.with_name('st_consistency_pretrain.py'),
    'st-finetune': CONFIGS / 'st_consistency' / 'st_consistency_d512_b64-60e_wlasl2000.py',
}
"""Both methods' steps at full width, for the other benchmarks."""
FLOORS = dict(preprocess_share=0.10, ratio_to_bare=2.0)
DTYPES = dict(float32=torch.float32, bfloat16=torch.bfloat16)


def layout_of(transforms: Iterable[object]) -> Layout:
    """The first layout that these transforms, or those within them, name."""
    queue = list(transforms)
    while not hasattr(queue[0], 'layout'):
        inner = getattr(queue.pop(0), 'transforms', ())
        queue = [*getattr(inner, 'transforms', inner), *queue]
    return queue[0].layout


def make_batch(model: BaseModel, clips: int, frames: int, device: torch.device) -> dict:
    """A collated batch: two hands that wander over 640 x 480 px, one in ten missing, and whatever joints the
    layout has besides.
    """
    layout = layout_of(model.data_preprocessor.train_pipeline)
    generator = torch.Generator().manual_seed(0)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    keypoints = uniform(clips, 1, layout.num_joints, 2) * 320 + 160 + uniform(clips, frames, 1, 2) * 40
    scores = 0.5 + 0.5 * uniform(clips, frames, layout.num_joints)
    for name in ('left_hand', 'right_hand'):
        joints = list(layout.parts[name])
        keypoints[:, :, joints] = (
            (uniform(clips, frames, 1, 2) * 0.1 + uniform(clips, 1, 1, 2)) * 300
            + 80
            + uniform(clips, 1, 21, 2) * 60
        )
        scores[:, :, joints] *= uniform(clips, frames, 1) > 0.1
    numbers = torch.arange(clips)
    inputs = dict(
        keypoints=keypoints * (scores > 0)[..., None],
        scores=scores,
        length=torch.full((clips,), frames),
        image_size=torch.tensor([[640.0, 480.0]]).repeat(clips, 1),
        index=numbers,
        epoch=torch.zeros_like(numbers),
        label=numbers % model.head.num_classes if hasattr(model, 'head') else torch.full_like(numbers, -1),
        frames=torch.arange(frames).repeat(clips, 1),
    )
    return dict(inputs={key: value.to(device) for key, value in inputs.items()})


class Step:
    """One training step, in parts.

    Args:
        model (BaseModel): In training mode.
        data (dict): A collated batch.
        dtype (torch.dtype): Of autocast; float32 = none.
        compiled (bool | dict): ``torch.compile`` of crop, augmentation and masks and of the forward pass, a
            dict gives its options.
        fused (bool): The optimizer's fused kernel.
    """

    def __init__(
        self,
        model: BaseModel,
        data: dict,
        dtype: torch.dtype,
        compiled: Union[bool, dict] = False,
        fused: bool = False,
    ) -> None:
        self.model, self.data = model, data
        self.autocast = dict(
            device_type=data['inputs']['keypoints'].device.type, dtype=dtype, enabled=dtype != torch.float32
        )
        trained, options = (
            [parameter for parameter in model.parameters() if parameter.requires_grad],
            dict(fused=True) if fused else {},
        )
        if not model.gives_tokens:  # ST-Consistency's recipe
            self.optimizer: torch.optim.Optimizer = torch.optim.SGD(trained, lr=1e-5, momentum=0.9, **options)
        else:
            self.optimizer = torch.optim.Adam(trained, lr=1e-5, **options)
        self.forward = model
        if compiled:
            options = compiled if isinstance(compiled, dict) else dict(dynamic=False)
            model.data_preprocessor.compile(**options)
            self.forward = torch.compile(model, **options)

    def parts(self) -> Dict[str, Callable[[], None]]:
        return dict(
            preprocess=self.preprocess,
            forward=self.run_forward,
            backward=self.run_backward,
            optimizer=self.update,
        )

    def run(self) -> None:
        for part in self.parts().values():
            part()

    def preprocess(self) -> None:
        self.inputs = self.model.data_preprocessor(self.data, True)['inputs']

    def run_forward(self) -> None:
        with torch.autocast(**self.autocast):
            self.loss = sum(self.forward(self.inputs, mode='loss').values())

    def run_backward(self) -> None:
        self.loss.backward()

    def update(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad()


class Bare:
    """What the step cannot be without, see the head of this file."""

    def __init__(
        self,
        model: BasePretrainer,
        clips: int,
        frames: int,
        device: torch.device,
        dtype: torch.dtype,
        compiled: bool,
    ) -> None:
        layer = model.backbone.encoder.layers[0]
        width, heads, wide, dropout = (
            layer.linear1.in_features,
            layer.self_attn.num_heads,
            layer.linear1.out_features,
            layer.dropout.p,
        )
        depth, tokens = len(model.backbone.encoder.layers), 2 * frames
        plain = nn.TransformerEncoderLayer(
            width, heads, wide, dropout, activation='gelu', batch_first=True, device=device
        )
        self.encoder = nn.TransformerEncoder(plain, depth, enable_nested_tensor=False)
        self.run_encoder = torch.compile(self.encoder) if compiled else self.encoder
        self.tokens = torch.randn(clips, tokens, width, device=device, requires_grad=True)
        self.upstream = torch.randn(clips, tokens, width, device=device)
        self.autocast = dict(device_type=device.type, dtype=dtype, enabled=dtype != torch.float32)

        self.shapes = gcn_products(model.embedder.gesture, clips * tokens)
        self.products: List[Tuple[Tensor, Tensor, Tensor]] = []
        for rows, taken, given in self.shapes:
            x = torch.randn(rows, taken, device=device, dtype=dtype, requires_grad=taken != self.shapes[0][1])
            weight = torch.randn(taken, given, device=device, dtype=dtype, requires_grad=True)
            self.products.append((x, weight, torch.randn(rows, given, device=device, dtype=dtype)))
        encoder_flop = depth * (2 * tokens * (4 * width**2 + 2 * width * wide) + 4 * tokens**2 * width)
        self.gflop_per_clip = (
            encoder_flop + sum(2 * rows * taken * given for rows, taken, given in self.shapes) / clips
        ) / 1e9

        shapes = [parameter.shape for parameter in model.parameters()]
        self.parameters = [torch.zeros(shape, device=device, requires_grad=True) for shape in shapes]
        self.gradients = [torch.full(shape, 1e-3, device=device) for shape in shapes]
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-5)

    def parts(self) -> Dict[str, Callable[[], None]]:
        return {
            'bare encoder': self.run_transformer,
            'bare products': self.run_products,
            'bare optimizer': self.update,
        }

    def run_transformer(self) -> None:
        with torch.autocast(**self.autocast):
            out = self.run_encoder(self.tokens)
        out.backward(self.upstream.to(out.dtype))
        self.encoder.zero_grad()
        self.tokens.grad = None

    def run_products(self) -> None:
        for x, weight, upstream in self.products:
            torch.mm(x, weight).backward(upstream)
            x.grad = weight.grad = None

    def update(self) -> None:
        for parameter, gradient in zip(self.parameters, self.gradients):
            parameter.grad = gradient
        self.optimizer.step()
        self.optimizer.zero_grad()


def gcn_products(gesture: GestureGCN, hands: int) -> List[Tuple[int, int, int]]:
    """Rows, channels in and channels out of each product: for each layer and block of edges, the fewer of its
    two sides' nodes, times hands.
    """
    products = []
    for layer in [*gesture.joint_layers, *gesture.part_layers]:
        for block in layer.blocks:
            nodes = min(block.dst[1] - block.dst[0], block.src[1] - block.src[0])
            products.append((nodes * hands, *layer.weight.shape[1:]))
    return products


def taker_of_time(device: torch.device, threads: int) -> Callable[[Callable[[], None]], float]:
    """A function that gives the milliseconds of one call."""
    clock = time.process_time if device.type == 'cpu' and threads == 1 else time.perf_counter

    def timed(run: Callable[[], None]) -> float:
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        start = clock()
        run()
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        return 1e3 * (clock() - start)

    return timed


def processor(device: torch.device) -> str:
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    listing = Path('/proc/cpuinfo')
    names = (
        [
            line.split(':', 1)[1].strip()
            for line in listing.read_text().splitlines()
            if line.startswith('model name')
        ]
        if listing.exists()
        else []
    )
    return names[0] if names else platform.processor() or platform.machine()


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--config',
        default=str(DEFAULT_CONFIG),
        help='config whose model is a SignBERT (default: the full-width pre-trainer)',
    )
    parser.add_argument('--device', default='cpu')
    parser.add_argument(
        '--dtype', default='float32', choices=sorted(DTYPES), help='bfloat16: autocast, weights stay float32'
    )
    parser.add_argument(
        '--batch', type=int, default=16, help='clips a step (default: 16; on a GPU give what you train with)'
    )
    parser.add_argument('--frames', type=int, default=32)
    parser.add_argument(
        '--preprocess-batch',
        type=int,
        default=512,
        help='clips that are preprocessed at once for preprocess_share (default: 512)',
    )
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument(
        '--compile', action='store_true', help='torch.compile for the model and for the bare encoder'
    )
    parser.add_argument(
        '--fused', action='store_true', help="the optimizer's fused kernel, in the step alone"
    )
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--warmup', type=int, default=2)
    parser.add_argument('--out', type=output_file, help='also write the figures to this JSON file')
    args = parser.parse_args(arguments)

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    device, dtype = torch.device(args.device), DTYPES[args.dtype]
    if device.type == 'cpu':
        compat.keep_large_blocks()
    model = MODELS.build(load_config(args.config).model)
    if not getattr(model, 'gives_tokens', False) or model.recognises:
        parser.error(
            f'--config {args.config}: its model is a {type(model).__name__}, but this benchmark is '
            'about SignBERT'
        )
    model = model.to(device).train()
    step = Step(model, make_batch(model, args.batch, args.frames, device), dtype, args.compile, args.fused)
    bare = Bare(model, args.batch, args.frames, device, dtype, args.compile)
    many = make_batch(model, args.preprocess_batch, args.frames, device)
    runs = {**step.parts(), **bare.parts(), 'preprocess many': lambda: model.data_preprocessor(many, True)}

    timed, times = taker_of_time(device, args.threads), {name: [] for name in runs}
    for repeat in range(args.warmup + args.repeats):
        for name, run in runs.items():
            taken = timed(run)
            if repeat >= args.warmup:
                times[name].append(taken)
    ms = {name: statistics.median(taken) for name, taken in times.items()}
    total, least = sum(ms[name] for name in step.parts()), sum(ms[name] for name in bare.parts())
    figures = dict(
        clips_per_s=1e3 * args.batch / total,
        preprocess_share=(ms['preprocess many'] / args.preprocess_batch) / (total / args.batch),
        ratio_to_bare=total / least,
        step_ms=total,
        bare_ms=least,
        gflop_per_clip=bare.gflop_per_clip,
        tflop_per_s=3 * bare.gflop_per_clip * args.batch / total,  # GFLOP a ms
    )
    if device.type == 'cuda':
        figures['memory_mb'] = torch.cuda.max_memory_allocated(device) / 2**20

    print(
        f'{Path(args.config).name}, {args.batch} clips of {args.frames} frames, '
        f'{args.dtype}{", compiled" if args.compile else ""}'
    )
    print(
        f'{processor(device)}, {args.threads} threads, torch {torch.__version__}, median of {args.repeats}\n'
    )
    for name, taken in ms.items():
        share = (
            f'{taken / total:8.1%} of the step'
            if name != 'preprocess many'
            else f'  ({args.preprocess_batch} clips)'
        )
        print(f'{name:<18}{taken:12.2f} ms{share}')
    print()
    for name, figure in figures.items():
        floor = FLOORS.get(name)
        verdict = '' if floor is None else f'   floor {floor:g}: {"met" if figure <= floor else "MISSED"}'
        print(f'{name:<18}{figure:12.4g}{verdict}')
    if args.out:
        about = dict(processor=processor(device), torch=torch.__version__, **vars(args))
        write_json(dict(**figures, parts_ms=ms, about=about), args.out, indent=1)


if __name__ == '__main__':
    main()
