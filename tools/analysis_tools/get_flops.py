#!/usr/bin/env python
"""Parameters and floating point operations of each part of a config's model, by mmengine's analysis.

A fused multiply-add counts as one operation, as everywhere in OpenMMLab. The data preprocessor is not
counted.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[2]))

import torch
from mmengine.analysis import ActivationAnalyzer, FlopAnalyzer, parameter_count
from mmengine.analysis.jit_handles import addmm_flop_jit
from mmengine.analysis.print_helper import complexity_stats_table
from mmengine.registry import init_default_scope
from torch import Tensor, nn
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

from signbert_mm.arguments import add_cfg_options, whole
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.layouts import get_layout
from signbert_mm.registry import MODELS


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog=__doc__.split('\n', 2)[2])
    parser.add_argument('config', help='config file')
    parser.add_argument('--frames', type=whole(1), default=32, help='frames a clip (default: %(default)s)')
    parser.add_argument('--layout', help="joint layout of the input (default: the config's)")
    parser.add_argument('--full', action='store_true', help='every module, not only the parts')
    add_cfg_options(parser)
    return parser.parse_args()


def find_layout(node: object) -> str:
    """The first ``layout`` in these parts of a config, or sign_49, the default of data sets and crops."""
    # Depth first, in the order of the config.
    queue = [node]
    while queue:
        item = queue.pop(0)
        if isinstance(item, dict):
            if isinstance(item.get('layout'), str):
                return item['layout']
            queue = [*item.values(), *queue]
        elif isinstance(item, (list, tuple)):
            queue = [*item, *queue]
    return 'sign_49'


def example_batch(layout: str, frames: int) -> Dict[str, Tensor]:
    """A collated batch of one clip with no joint missing."""
    joints = get_layout(layout).num_joints
    generator = torch.Generator().manual_seed(0)
    return dict(
        keypoints=100 + 300 * torch.rand(1, frames, joints, 2, generator=generator),
        scores=torch.ones(1, frames, joints),
        length=torch.full((1,), frames),
        image_size=torch.tensor([[512.0, 512.0]]),
        index=torch.zeros(1, dtype=torch.int64),
        epoch=torch.zeros(1, dtype=torch.int64),
        label=torch.zeros(1, dtype=torch.int64),
        frames=torch.arange(frames)[None],
    )


class Traceable(nn.Module):
    """The model with tensors alone as inputs and outputs, as tracing requires."""

    def __init__(self, model: nn.Module, spec: TreeSpec) -> None:
        super().__init__()
        self.model, self.spec = model, spec

    def forward(self, *values: Tensor) -> Tuple[Tensor, ...]:
        out = self.model(tree_unflatten(values, self.spec), mode='tensor')
        return tuple(value for value in tree_flatten(out)[0] if isinstance(value, Tensor))


def attention_flops(inputs: list, outputs: list) -> int:
    """Operations of torch's fused attention: query (B, heads, L, E), key (B, heads, S, E).

    They are those of two products: query with key, and weights with values.
    """
    query, key, value = (item.type().sizes() for item in inputs[:3])
    return math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def analyze(model: nn.Module, inputs: Dict[str, Any]) -> Tuple[FlopAnalyzer, ActivationAnalyzer, Traceable]:
    """Traces the model on these inputs with mmengine's analyzers."""
    # Inputs may be nested: views are dicts in a list.
    values, spec = tree_flatten(inputs)
    traceable, values = Traceable(model, spec), tuple(values)
    flops = FlopAnalyzer(traceable, values).set_op_handle(
        'aten::scaled_dot_product_attention', attention_flops
    )
    # The gesture GCN adds in place, which mmengine does not count by itself.
    flops.set_op_handle('aten::addmm_', addmm_flop_jit)
    analyzers = flops, ActivationAnalyzer(traceable, values)
    for analyzer in analyzers:
        analyzer.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings('none')
    # The fused encoder layer of evaluation is one opaque operation to the tracer.
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        for analyzer in analyzers:
            # Traces the model. The analyzer keeps the result.
            analyzer.total()
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return (*analyzers, traceable)


def main() -> None:
    args = parse_args()
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.default_scope)
    layout = args.layout or find_layout(
        [cfg.model.get('data_preprocessor'), cfg.get('test_dataloader'), cfg.get('train_dataloader')]
    )
    model = MODELS.build(cfg.model).eval()
    batch = dict(inputs=example_batch(layout, args.frames))
    inputs = model.data_preprocessor(batch, training=False)['inputs']
    inputs = {
        name: value
        for name, value in inputs.items()
        if all(isinstance(leaf, Tensor) for leaf in tree_flatten(value)[0])
    }

    with torch.no_grad():
        flops, activations, traceable = analyze(model, inputs)
        if args.full:
            print(complexity_stats_table(flops=flops, activations=activations, show_param_shapes=True))
        by_module, parameters = flops.by_module(), parameter_count(traceable)
        uncounted = {
            name: number for name, number in flops.unsupported_ops().items() if number and not _is_small(name)
        }
    print(f'{args.config}: {layout}, one clip of {args.frames} frames, both hands')
    print(f'{"part":28}{"parameters":>14}{"operations":>16}')
    for name in _parts(model):
        own = parameters.get(f'model.{name}', 0), int(by_module.get(f'model.{name}', 0))
        if any(own):
            print(f'{name:28}{own[0]:>14,}{own[1]:>16,}')
    print(f'{"all":28}{parameters[""]:>14,}{int(by_module[""]):>16,}')
    if uncounted:
        print('not counted: ' + ', '.join(f'{name} ({number})' for name, number in sorted(uncounted.items())))


def _parts(model: nn.Module) -> Iterator[str]:
    """Names of the model's children; for a ModuleDict, such as joint and motion encoders, of its children."""
    for name, child in model.named_children():
        yield from (f'{name}.{key}' for key in child) if isinstance(child, nn.ModuleDict) else (name,)


def _is_small(name: str) -> bool:
    """Whether an operation is element-wise, which mmengine does not count either."""
    return name.split('::')[-1].rstrip('_') not in (
        'scaled_dot_product_attention',
        '_transformer_encoder_layer_fwd',
        'baddbmm',
        'conv1d',
        'einsum',
    )


if __name__ == '__main__':
    run_tool(main)
