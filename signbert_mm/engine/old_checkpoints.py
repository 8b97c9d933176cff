"""Settings of the models in checkpoints of earlier versions."""

import logging
import os
import re
from typing import Iterator, Mapping, Tuple, Union

from mmengine.config import Config
from mmengine.logging import print_log
from torch import nn

from ..files.checkpoints import CheckpointError, load_checkpoint_file
from ..models.embedders import GestureGCN
from .checkpoint_io import find_last_whole_checkpoint

LAYER_NORM = (
    'layer norm in GestureGCN, the default before version 0.2. It hardly sees the hand (docs/results.md, '
    '"before and after"); pre-train anew for an encoder that does'
)

LINEAR_BLOCKS = (
    'the ST-Consistency encoder of version 0.2, whose temporal blocks lack a ReLU and whose GCN is not the '
    "authors' (docs/papers.md); pre-train anew for one that has both"
)
_OLD_STREAM = re.compile(r'embedders\.(hand|trunk)\.gesture\.joint_layers\.')


def _gesture_configs(node: object, prefix: str = '') -> Iterator[Tuple[str, dict]]:
    """Each GestureGCN of a model's config, with the prefix of its weights: 'embedder.gesture.'."""
    if isinstance(node, Mapping):
        if node.get('type') == 'GestureGCN':
            yield prefix, node
        for key, value in node.items():
            yield from _gesture_configs(value, f'{prefix}{key}.')


def adapt_to_weights(model: dict, content: dict, name: str) -> None:
    """Gives the GestureGCN of a model's config the settings of a checkpoint's.

    Args:
        model (dict): The model's config, changed in place.
        content (dict): The checkpoint's content.
        name (str): How the log names it.
    """
    weights = content.get('state_dict', content)
    for prefix, gesture in _gesture_configs(model):
        saved = GestureGCN.settings_in(weights, prefix) or GestureGCN.settings_in(weights, f'module.{prefix}')
        if saved is None:
            continue
        gesture.update(saved)
        if saved['norm'] == 'LN':
            print_log(
                f'{name} has {LAYER_NORM}. The model is built so.', logger='current', level=logging.WARNING
            )


def adapt_config(cfg: Config) -> None:
    """:func:`adapt_to_weights` of the checkpoint that a run starts or resumes from."""
    path = cfg.get('load_from')
    if not path and cfg.get('resume') and cfg.get('work_dir') and os.path.isdir(cfg.work_dir):
        path = find_last_whole_checkpoint(cfg.work_dir)
    # A missing file is left to the run, whose error says what to do.
    if cfg.get('model') and path and os.path.isfile(path) and any(_gesture_configs(cfg.model)):
        adapt_to_weights(cfg.model, load_checkpoint_file(path), f'checkpoint {path}')


def check_gesture_settings(model: nn.Module, weights: Mapping, name: Union[str, os.PathLike]) -> None:
    """Refuses weights whose GestureGCN has other settings than the model's: they would fill it in part.

    Raises:
        CheckpointError: The message says which settings to give.
    """
    for prefix, module in model.named_modules():
        saved = GestureGCN.settings_in(weights, f'{prefix}.') if isinstance(module, GestureGCN) else None
        if saved is None:
            continue
        own = dict(norm=module.norm, bias=module.bias)
        own.update({key: getattr(module, key) is not None for key in ('input_norm', 'output_norm')})
        if saved != own:
            options = ' '.join(f'model.{prefix}.{key}={value}' for key, value in saved.items())
            what = (
                f'has {LAYER_NORM}'
                if saved['norm'] == 'LN'
                else (f'has another GestureGCN than the model ({own})')
            )
            raise CheckpointError(f'{name} {what}. To use it as it is: --cfg-options {options}')
