"""Checkpoints of earlier versions: which settings their model had."""

import inspect
import logging
import os
import re
from typing import Dict, Iterator, List, Mapping, Tuple, Union

from mmengine.config import Config
from mmengine.logging import print_log
from torch import nn

from ..files.checkpoints import CheckpointError, load_checkpoint_file
from ..files.shipped import resolve_shipped
from ..models.embedders import GestureGCN, ResidualGestureGCN
from .checkpoint_io import find_last_whole_checkpoint

LAYER_NORM = (
    'layer norm in GestureGCN, the default before version 0.2. It hardly sees the hand '
    '(docs/results.md, "before and after"); pre-train anew for an encoder that does'
)

LINEAR_BLOCKS = (
    'the ST-Consistency encoder of version 0.2, whose temporal blocks lack a ReLU and whose GCN is not the '
    "authors' (docs/papers.md); pre-train anew for one that has both"
)
_OLD_STREAM = re.compile(r'embedders\.(hand|trunk)\.gesture\.joint_layers\.')


def _configs_of(kind: str, node: object, place: str = '') -> Iterator[Tuple[str, dict]]:
    """Each part of that type in a model's config, with its place in the model: 'embedder.gesture.'."""
    if isinstance(node, Mapping):
        if node.get('type') == kind:
            yield place, node
        for key, value in node.items():
            yield from _configs_of(kind, value, f'{place}{key}.')


def _settings(gesture: dict) -> Dict[str, object]:
    """What :meth:`GestureGCN.settings_in` would read from the weights of a model of this config."""
    default = inspect.signature(GestureGCN).parameters
    keys = ('norm', 'input_norm', 'output_norm', 'bias')
    settings = {key: gesture.get(key, default[key].default) for key in keys}
    if settings['bias'] is None:
        settings['bias'] = settings['norm'] == 'LN'
    return settings


def _residual_streams(model: dict) -> List[dict]:
    """The configs of ST-Consistency's present embedders."""
    return [
        embedder
        for _, embedder in _configs_of('TemporalGCNEmbedder', model)
        if embedder.get('gesture', {}).get('type') == 'ResidualGestureGCN'
    ]


def adapt_to_weights(model: dict, content: dict, name: str) -> None:
    """Sets the gesture encoder in a model's config to the settings of a checkpoint's.

    Args:
        model (dict): The model's config, changed in place.
        content (dict): The checkpoint's content.
        name (str): How the log names it.
    """
    weights = content.get('state_dict', content)
    streams = _residual_streams(model) if any(map(_OLD_STREAM.search, weights)) else []
    for embedder in streams:
        widths = {
            key: value
            for key, value in embedder['gesture'].items()
            if key in ('layout', 'joint_channels', 'part_channels')
        }
        embedder['gesture'] = dict(type='GestureGCN', norm='BN', input_norm=True, output_norm=False, **widths)
        embedder['linear'] = True
    if streams:
        print_log(
            f'{name} has {LINEAR_BLOCKS}. The model is built as it was.',
            logger='current',
            level=logging.WARNING,
        )
    for place, gesture in _configs_of('GestureGCN', model):
        saved = GestureGCN.settings_in(weights, place) or GestureGCN.settings_in(weights, f'module.{place}')
        if saved is None:
            continue
        # Equal settings stay as they are written, so that the run's config is the one in its file.
        if saved == _settings(gesture):
            continue
        gesture.update(saved)
        if saved['norm'] == 'LN':
            print_log(
                f'{name} has {LAYER_NORM}. The model is built so.', logger='current', level=logging.WARNING
            )


def adapt_config(cfg: Config) -> None:
    """:func:`adapt_to_weights` with the checkpoint of ``load_from``, or the one that ``resume`` will find."""
    path = cfg.get('load_from')
    if not path and cfg.get('resume') and cfg.get('work_dir') and os.path.isdir(cfg.work_dir):
        path = find_last_whole_checkpoint(cfg.work_dir)
    # An absent file is reported by the run, with the remedy.
    known = cfg.get('model') and (any(_configs_of('GestureGCN', cfg.model)) or _residual_streams(cfg.model))
    path = path and resolve_shipped(path)
    if known and path and os.path.isfile(path):
        adapt_to_weights(cfg.model, load_checkpoint_file(path), f'checkpoint {path}')


def check_gesture_settings(model: nn.Module, weights: Mapping, name: Union[str, os.PathLike]) -> None:
    """Refuses weights of a gesture encoder with other settings than the model's.

    They would load in part only.

    Raises:
        CheckpointError: The message says which settings to give.
    """
    if any(map(_OLD_STREAM.search, weights)) and any(
        isinstance(module, ResidualGestureGCN) for module in model.modules()
    ):
        raise CheckpointError(
            f'{name} has {LINEAR_BLOCKS}. init_model, tools/train.py and tools/test.py build the model so'
        )
    for place, module in model.named_modules():
        saved = GestureGCN.settings_in(weights, f'{place}.') if isinstance(module, GestureGCN) else None
        if saved is None:
            continue
        own = dict(norm=module.norm, bias=module.bias)
        own.update({key: getattr(module, key) is not None for key in ('input_norm', 'output_norm')})
        if saved != own:
            options = ' '.join(f'model.{place}.{key}={value}' for key, value in saved.items())
            what = (
                f'has {LAYER_NORM}'
                if saved['norm'] == 'LN'
                else (f'has another GestureGCN than the model ({own})')
            )
            raise CheckpointError(f'{name} {what}. To use it as it is: --cfg-options {options}')
