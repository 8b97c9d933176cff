"""Training steps: our recognisers, mmaction2's ST-GCN by mmaction2 alone, SPOTER."""

import importlib.util
import statistics
import warnings
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Dict, Optional, Tuple

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.peer_parts.clips import Stores, mmaction_data, our_data
from benchmarks.peer_parts.report import Call, Report
from signbert_mm.engine.runner import load_config
from signbert_mm.layouts import get_layout, inward_edges
from signbert_mm.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
OURS = {
    'SignBERT, full width': 'signbert/signbert_d512-n3_b64-60e_synthetic.py',
    'SignBERT, narrow': 'demo/signbert_d128_finetune_synthetic.py',
    'ST-GCN, MMActionRecognizer': 'fusion/stgcn_sign49-joint_b64-80e_synthetic.py',
}
MMACTION_CONFIG = '.mim/configs/skeleton/stgcn/stgcn_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d.py'
CLASSES = 100
# SPOTER's body points, without the neck, which comes second and is the middle of the shoulders here
SPOTER_BODY = (
    'nose right_eye left_eye right_ear left_ear right_shoulder left_shoulder right_elbow '
    'left_elbow right_wrist left_wrist'
).split()


def our_step(config: str, batch: dict) -> Tuple[nn.Module, Call]:
    """The recogniser and optimiser of a config; mmengine's ``train_step``."""
    cfg = load_config(str(CONFIGS / config))
    (cfg.model.head if 'head' in cfg.model else cfg.model.model.cls_head).num_classes = CLASSES
    model = MODELS.build(cfg.model)
    model.init_weights()
    return model, partial(model.train().train_step, batch, build_optim_wrapper(model, cfg.optim_wrapper))


def mmaction_step(batch: dict) -> Tuple[nn.Module, Call]:
    """The same of mmaction2's own config, the graph being that of layout sign_49; nothing of this project is
    in the step.
    """
    import mmaction
    from mmaction.registry import MODELS as ACTION_MODELS

    cfg, layout = Config.fromfile(Path(mmaction.__file__).parent / MMACTION_CONFIG), get_layout('sign_49')
    (root,) = layout.indices(['nose'])
    cfg.model.backbone.graph_cfg.layout = dict(
        num_node=layout.num_joints, inward=list(inward_edges(layout, 'nose')), center=root
    )
    cfg.model.cls_head.num_classes = CLASSES
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = ACTION_MODELS.build(cfg.model)
        model.init_weights()
        return model, partial(model.train().train_step, batch, build_optim_wrapper(model, cfg.optim_wrapper))


class Decoder(nn.Module):
    """The loop over decoder layers of torch 1.8, which SPOTER was written for: later ones pass arguments that
    its layer does not take.
    """

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.layers, self.norm = decoder.layers, decoder.norm

    def forward(self, query: Tensor, memory: Tensor, **_: object) -> Tensor:
        for layer in self.layers:
            query = layer(query, memory)
        return self.norm(query)


def load_module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def spoter_clips(batch: dict) -> Tensor:
    """Clips of layout coco_wholebody_133 as SPOTER's 54 points, shape (B, T, 54, 2); the image is
    -0.5..0.5.
    """
    layout, inputs = get_layout('coco_wholebody_133'), batch['inputs']
    points = inputs['keypoints'] / inputs['image_size'][:, None, None] - 0.5
    body = points[:, :, list(layout.indices(SPOTER_BODY))]
    neck = points[:, :, list(layout.indices(['left_shoulder', 'right_shoulder']))].mean(2, keepdim=True)
    hands = points[:, :, [*layout.parts['left_hand'], *layout.parts['right_hand']]]
    return torch.cat((body[:, :, :1], neck, body[:, :, 1:], hands), 2)


def spoter_steps(folder: str, clips: Tensor, labels: Tensor) -> Dict[str, Tuple[nn.Module, Call]]:
    """SPOTER's own ``train_epoch`` over the clips, which takes one a step; and one step of its layers over
    all clips, which its code does not do.

    Args:
        folder (str): Its checkout.
        clips (Tensor): Shape (B, T, 54, 2).
        labels (Tensor): Shape (B,) int64.
    """
    build = load_module('spoter_model', Path(folder) / 'spoter' / 'spoter_model.py').SPOTER
    train_epoch = load_module('spoter_utils', Path(folder) / 'spoter' / 'utils.py').train_epoch
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # torch's, about nested tensors
        single, whole = (build(CLASSES, hidden_dim=clips.shape[2] * 2).train() for _ in range(2))
    for model in (single, whole):
        model.transformer.decoder = Decoder(model.transformer.decoder)
    by_one, by_all = (torch.optim.SGD(model.parameters(), lr=0.001) for model in (single, whole))
    loss, items = (
        nn.CrossEntropyLoss(),
        [(clip[None], label.view(1, 1)) for clip, label in zip(clips, labels)],
    )

    def step() -> None:
        by_all.zero_grad()
        tokens = clips.flatten(2).transpose(0, 1)  # (T, B, 108)
        out = whole.transformer(whole.pos + tokens, whole.class_query[:, None].expand(-1, len(clips), -1))
        loss(whole.linear_class(out[0]), labels).backward()
        by_all.step()

    return {
        'SPOTER': (single, partial(train_epoch, single, items, loss, by_one, torch.device('cpu'))),
        'SPOTER, batched here': (whole, step),
    }


def _added(into: torch.Size, a: torch.Size, b: torch.Size, **_: object) -> int:
    return 2 * a[0] * a[1] * b[1]


def flop_counter() -> FlopCounterMode:
    """torch's counter of matrix products and convolutions, which lacks the product in place."""
    return FlopCounterMode(display=False, custom_mapping={torch.ops.aten.addmm_: _added})


def compare(
    report: Report, stores: Stores, frames: int, clips: int, mmaction: bool, spoter: Optional[str]
) -> None:
    """Preprocessing, forward, backward and optimiser over the same clips, read before; ``mmaction``: whether
    mmaction2 is at hand.
    """
    places = range(clips)
    batches = {layout: our_data(store, frames).__getitems__(places) for layout, (store, _) in stores.items()}
    steps = {
        name: our_step(config, batches['sign_49'])
        for name, config in OURS.items()
        if mmaction or 'MMAction' not in name
    }
    ours = list(steps)
    if mmaction:
        theirs = mmaction_data(stores['sign_49'][1], frames)
        steps['mmaction2 ST-GCN'] = mmaction_step(pseudo_collate([theirs[place] for place in places]))
    if spoter:
        whole = batches['coco_wholebody_133']
        steps.update(spoter_steps(spoter, spoter_clips(whole), whole['inputs']['label']))
    else:
        report.leave_out('SPOTER (no --spoter DIR)')
    gflop: Dict[str, float] = {}
    for name, (_, call) in steps.items():
        with flop_counter() as counter:
            call()
        gflop[name] = counter.get_total_flops() / clips / 1e9
    times = report.compare(
        'train', f'{clips} clips of {frames} frames', {name: call for name, (_, call) in steps.items()}, ours
    )
    rates = {name: gflop[name] / statistics.median(times[name]) for name in steps}
    for name, (model, _) in steps.items():
        parameters = sum(parameter.numel() for parameter in model.parameters())
        report.content['models'][name] = dict(
            parameters=parameters, gflop_step_clip=gflop[name], rate=rates[name] / rates[ours[0]]
        )
