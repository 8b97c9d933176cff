"""Models by the name of their config, as in mmpretrain."""

import copy
import fnmatch
import logging
import os
from pathlib import Path
from typing import Dict, List, Optional, Union

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from torch import nn

from ..engine.config_difference import trained_otherwise
from ..engine.hooks import LoadReportHook
from ..engine.old_checkpoints import adapt_to_weights
from ..engine.runner import explain_config_errors, load_config
from ..engine.runner.config import config_roots, list_variants
from ..errors import ConfigError, did_you_mean
from ..files.checkpoints import load_checkpoint_file
from ..files.plain_config import read_plain_config
from ..files.shipped import SHIPPED
from ..registry import MODELS, SCOPE
from .zoo import zoo_checkpoint

PathLike = Union[str, 'os.PathLike[str]']


def _shipped() -> Dict[str, str]:
    """Config files that come with the project, by name."""
    paths: Dict[str, str] = {}
    for root in config_roots()[:1]:
        for folder, folders, files in os.walk(os.path.join(root, 'configs')):
            # os.walk enters what is left in the list. `_base_` holds parts, and `ablation` rows of tables.
            folders[:] = sorted(
                name
                for name in folders
                if name not in ('_base_', 'ablation') and not name.startswith(('.', '__'))
            )
            for file in sorted(files):
                if file.endswith('.py') and file != 'variants.py':
                    paths[file[: -len('.py')]] = os.path.join(folder, file)
    paths.update(list_variants())
    return paths


def list_models(pattern: Optional[str] = None) -> List[str]:
    """Lists the names that :func:`get_model` takes: the configs that come with the project.

    Args:
        pattern (str, optional): Shell pattern, matched anywhere in the name; case does not matter.

    Example:
        >>> list_models('st*linear*wlasl*')
        ['st_consistency_d512_b64-linear-70e_wlasl2000']
    """
    pattern = f'*{pattern or ""}*'.lower()
    return [name for name in sorted(_shipped()) if fnmatch.fnmatch(name.lower(), pattern)]


def _config(model: Union[PathLike, Config]) -> Config:
    if isinstance(model, Config):
        return copy.deepcopy(model)
    name, shipped = os.fspath(model), _shipped()
    if name.startswith(SHIPPED):
        meta = load_checkpoint_file(name).get('meta') or {}
        return Config(read_plain_config(str(meta.get('cfg') or ''), name))
    if name in shipped:
        return load_config(shipped[name])
    if os.path.isfile(name) or os.sep in name or name.endswith('.py'):
        return load_config(name)
    raise ConfigError(
        f'there is no model {name!r}. {did_you_mean(name, shipped)} list_models() gives all '
        'names; a path of a config does as well'
    )


def init_model(
    config: Union[PathLike, Config],
    checkpoint: Optional[PathLike] = None,
    device: Union[str, torch.device] = 'cpu',
    cfg_options: Optional[dict] = None,
) -> nn.Module:
    """Builds a model from its config and loads a checkpoint, for inference.

    Nothing in the checkpoint is executed. It must fill every weight, as in ``tools/test.py``.

    Args:
        config (str | Path | Config): A config, its path, a name of :func:`list_models`, or ``zoo://NAME``:
            weights that come with the package, with their own config.
        checkpoint (str | Path, optional): Weights; None leaves them random, with a warning, unless
            ``config`` is ``zoo://NAME``.
        device (str | torch.device): Where the model goes.
        cfg_options (dict, optional): Config values to change, ``{'model.head.num_classes': 33}``.

    Returns:
        nn.Module: The model in evaluation mode, with its config as ``cfg`` and the checkpoint's facts about
            its training data as ``dataset_meta`` (``glosses``, ``layout``, ``extractor``, ``fps``,
            ``rejection``; {} where it has none).

    Raises:
        ConfigError: No such model, or a mistake in the config; the message says what was probably meant.
        FileNotFoundError: No such config or checkpoint.
        CheckpointError: The checkpoint is unsafe or damaged, or its weights are not those of the model.
    """
    cfg = _config(config)
    if checkpoint is None and not isinstance(config, Config) and os.fspath(config).startswith(SHIPPED):
        checkpoint = config
    if cfg_options:
        cfg.merge_from_dict(cfg_options)
    if cfg.get('model') is None:
        raise ConfigError(f'config {cfg.filename}: there is no `model` in it')
    if cfg.model.get('type') == 'FusionRecognizer':
        raise ConfigError(
            f'config {cfg.filename}: several models, each with a checkpoint of its own; '
            'SignInferencer(config, [checkpoints]) runs them'
        )
    content = None if checkpoint is None else load_checkpoint_file(checkpoint)
    return build_model(cfg, content, f'checkpoint {os.fspath(checkpoint or "")}', device)


def build_model(
    cfg: Config, content: Optional[dict], where: str, device: Union[str, torch.device]
) -> nn.Module:
    """Builds a config's model and fills it, as :func:`init_model`.

    Args:
        cfg (Config): With ``model``.
        content (dict, optional): Of a checkpoint: ``state_dict``, ``meta``. None = random weights.
        where (str): How messages name the checkpoint.
        device (str | torch.device): Where the model goes.
    """
    # Before the model is built: settings of the gesture encoder are taken from the checkpoint.
    if content is not None:
        adapt_to_weights(cfg.model, content, where)
    init_default_scope(cfg.get('default_scope') or SCOPE)
    with explain_config_errors():
        model = MODELS.build(cfg.model)
    model.cfg, model.dataset_meta = cfg, {}
    if content is None:
        print_log(
            'init_model: no checkpoint is given, so the weights are random',
            logger='current',
            level=logging.WARNING,
        )
    else:
        weights, report = LoadReportHook().compare(model, content, where, 'test')
        # Not strict, since `compare` has checked the names and says more about a mistake.
        model.load_state_dict(weights, strict=False)
        print_log(report, logger='current')
        meta = content.get('meta') or {}
        otherwise = trained_otherwise(meta, cfg.model, where)
        if otherwise:
            print_log(otherwise, logger='current', level=logging.WARNING)
        model.dataset_meta = {
            key: meta[key] for key in ('glosses', 'layout', 'extractor', 'fps', 'rejection') if key in meta
        }
    return model.to(device).eval()


def get_model(
    model: Union[PathLike, Config],
    pretrained: Union[bool, PathLike, None] = None,
    device: Union[str, torch.device] = 'cpu',
    **kwargs,
) -> nn.Module:
    """Builds a model by its name; see :func:`list_models`.

    Args:
        model (str | Path | Config): A name, a config or its path.
        pretrained (bool | str | Path, optional): A checkpoint. True takes the published one from the zoo
            folder (``SIGNBERT_MM_ZOO``, else ``./zoo``), which `make zoo` fills; nothing is downloaded. None
            or False leaves the weights random.
        device (str | torch.device): Where the model goes.
        **kwargs: Values of the model's config to change, ``head=dict(num_classes=33)``.

    Returns:
        nn.Module: As :func:`init_model`, in evaluation mode.

    Raises:
        ConfigError, FileNotFoundError, CheckpointError: As :func:`init_model` and
            :func:`~signbert_mm.apis.zoo.zoo_checkpoint`.

    Example:
        >>> model = get_model('signbert_d128_pretrain_synthetic', pretrained=True)
    """
    if pretrained is True:
        source = _config(model).filename
        pretrained = zoo_checkpoint(Path(source).stem if source else 'a config without a file')
    return init_model(model, pretrained or None, device, dict(model=kwargs) if kwargs else None)
