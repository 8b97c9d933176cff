"""Models for their features alone, with the encoder of a checkpoint."""

import logging

from mmengine.config import Config
from mmengine.logging import print_log
from torch import nn

from ..files.checkpoints import CheckpointError, load_checkpoint_file
from ..registry import MODELS
from .config_difference import trained_otherwise
from .hooks import LoadReportHook
from .old_checkpoints import adapt_to_weights


def build_model(cfg: Config, checkpoint: str) -> nn.Module:
    """The model with the checkpoint's encoder, for features alone.

    Args:
        cfg (Config): Of a pre-trainer or a recogniser.
        checkpoint (str): Of either, with the same encoder; 'none' = random weights.

    Raises:
        CheckpointError: Something other than a recogniser's head would stay random.
    """
    if checkpoint == 'none':
        return MODELS.build(cfg.model)
    name, content = f'checkpoint {checkpoint}', load_checkpoint_file(checkpoint)
    adapt_to_weights(cfg.model, content, name)
    model = MODELS.build(cfg.model)
    weights, report = LoadReportHook().compare(model, content, name, 'train')
    missing = [
        key
        for key in model.state_dict()
        if key not in weights
        and not key.startswith(('head', 'cls_head'))
        and not key.endswith('_extra_state')
    ]
    if missing:
        raise CheckpointError(
            f'checkpoint {checkpoint} lacks {missing[0]} and {len(missing) - 1} more, which would stay random'
        )
    model.load_state_dict(weights, strict=False)
    print(report)
    otherwise = trained_otherwise(content.get('meta') or {}, cfg.model, name, encoder=True)
    if otherwise:
        print_log(otherwise, logger='current', level=logging.WARNING)
    return model
