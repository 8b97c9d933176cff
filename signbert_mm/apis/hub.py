"""Models as folders of the Hugging Face Hub: safetensors, a config and a card."""

import json
import os
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Union

import torch
import yaml
from mmengine.config import Config
from torch import nn

from ..engine.published_meta import published_meta
from ..engine.registered_types import read_inference_config
from ..errors import ConfigError, UserModuleNotFoundError, UserRuntimeError, UserValueError
from ..files.atomic import write_atomic
from ..files.checkpoints import CheckpointError, load_checkpoint_file, refuse_non_finite
from ..files.text import read_json
from ..registry import MODELS, SCOPE
from .backends import plain_values
from .inferencer import SignInferencer
from .model import build_model

PathLike = Union[str, 'os.PathLike[str]']

WEIGHTS, CONFIG, CARD = 'model.safetensors', 'config.json', 'README.md'
_FORMAT = 1
_ID = re.compile(r'[\w.-]+/[\w.-]+')


def save_pretrained(
    folder: PathLike,
    source: Union[PathLike, nn.Module],
    config: Optional[Config] = None,
    name: str = '',
    licence: str = '',
) -> Path:
    """Writes a model as a folder that ``huggingface-cli upload`` takes: weights, config and card.

    Args:
        folder (str | Path): The folder; its three files are replaced if they are there.
        source (str | Path | Module): A checkpoint, or a model of :func:`init_model`.
        config (Config, optional): Of a checkpoint that keeps none of its own.
        name (str): The model's name on its card; '' = the folder's.
        licence (str): Of the weights, as the Hub calls it: 'apache-2.0'; '' = the card does not say.

    Returns:
        Path: The folder.

    Raises:
        ModuleNotFoundError: safetensors is not installed.
        FileNotFoundError, CheckpointError: As :func:`load_checkpoint_file`.
        ConfigError: The checkpoint keeps no config and none is given, or the config is not one of plain
            values.
    """
    safetensors = _import_safetensors()
    content = _content_of(source, config)
    meta = plain_values(published_meta(content['meta']))
    text = meta.pop('cfg', None)
    where = 'model' if isinstance(source, nn.Module) else os.fspath(source)
    if not text:
        raise ConfigError(f'{where}: it keeps no config; give the one that it was trained with')
    kind = read_inference_config(text, where).model.get('type')
    # A copy: tensors that share memory, or a part of one, cannot be written.
    weights = {
        key: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for key, value in content['state_dict'].items()
    }
    folder = Path(folder)
    write_atomic(safetensors.save(weights, metadata=dict(format='pt')), folder / WEIGHTS)
    facts = dict(library_name=SCOPE, format=_FORMAT, model_type=kind, config=text, meta=meta)
    write_atomic(json.dumps(facts, ensure_ascii=False, indent=1).encode(), folder / CONFIG)
    write_atomic(_card(name or folder.resolve().name, kind, meta, weights, licence).encode(), folder / CARD)
    return folder


def load_pretrained(
    folder_or_id: PathLike, device: Union[str, torch.device] = 'cpu', revision: Optional[str] = None
) -> nn.Module:
    """The model of such a folder, as :func:`init_model` gives it.

    Nothing in the folder is executed: weights are safetensors, the config is read as data, and its parts must
    be registered.

    Args:
        folder_or_id (str | Path): A folder, or an id on the Hub (``user/name``), which ``huggingface_hub``
            fetches into its cache.
        device (str | torch.device): Where the model goes.
        revision (str, optional): Of the id: a branch, tag or commit.

    Raises:
        ModuleNotFoundError: safetensors, or for an id huggingface_hub, is not installed.
        FileNotFoundError: There is no such folder, or a file is absent from it.
        RuntimeError: The id could not be fetched.
        ValueError, ConfigError, CheckpointError: A file is damaged, or names parts that are not registered,
            or the weights are not those of its model.
    """
    safetensors = _import_safetensors()
    folder = _folder(folder_or_id, revision)
    for name in (CONFIG, WEIGHTS):
        if not os.path.isfile(os.path.join(folder, name)):
            raise FileNotFoundError(
                f'{os.path.join(folder, name)}: no such file; a folder of save_pretrained has {CONFIG} and '
                f'{WEIGHTS}'
            )
    path = os.path.join(folder, CONFIG)
    facts = read_json(path, dict)
    if facts.get('library_name') != SCOPE or facts.get('format') != _FORMAT:
        raise UserValueError(
            f'{path}: library_name {facts.get("library_name")!r:.60}, format {facts.get("format")!r:.20}; '
            f'{SCOPE!r} and {_FORMAT} are read, as save_pretrained writes them'
        )
    text, meta = facts.get('config'), facts.get('meta')
    if not isinstance(text, str) or not isinstance(meta, dict):
        raise UserValueError(f'{path}: config and meta are to be text and an object')
    glosses = meta.get('glosses', [])
    if not isinstance(glosses, list) or not all(isinstance(gloss, str) for gloss in glosses):
        raise UserValueError(f'{path}: glosses are to be a list of text')
    if not isinstance(meta.get('fps') or 0, (int, float)):
        raise UserValueError(f'{path}: fps is {meta["fps"]!r:.60}; a number is expected')
    cfg = read_inference_config(text, path)
    path = os.path.join(folder, WEIGHTS)
    try:
        weights = safetensors.load_file(path)
    except Exception as error:  # the package raises its own error, and others for a damaged header
        raise CheckpointError(f'{path}: not a whole safetensors file ({error}); get it again') from error
    content = dict(meta=meta, state_dict=weights)
    refuse_non_finite(content, path)
    return build_model(cfg, content, path, device)


def from_pretrained(
    folder_or_id: PathLike,
    device: Optional[str] = None,
    extractor: Any = 'mediapipe',
    revision: Optional[str] = None,
    **options: Any,
) -> SignInferencer:
    """The model of a folder or of an id on the Hub, ready for videos and poses.

    Args:
        folder_or_id, revision: As :func:`load_pretrained`.
        device, extractor: As :class:`SignInferencer`.
        **options: Further arguments of it.

    Raises:
        ModuleNotFoundError, FileNotFoundError, RuntimeError, ValueError: As :func:`load_pretrained` and
            :class:`SignInferencer`.

    Example:
        >>> save_pretrained('my_model', 'work_dirs/words33/epoch_150.pth')
        >>> from_pretrained('my_model')('sign.mp4')['predictions'][0]['glosses']
    """
    model = load_pretrained(folder_or_id, revision=revision)
    return SignInferencer(model, None, device, extractor, **options)


def _content_of(source: Union[PathLike, nn.Module], config: Optional[Config]) -> Dict[str, Any]:
    """``meta`` with the config's text as ``cfg``, and ``state_dict``."""
    if isinstance(source, nn.Module):
        config = config or getattr(source, 'cfg', None)
        meta, weights = dict(getattr(source, 'dataset_meta', None) or {}), source.state_dict()
    else:
        content = load_checkpoint_file(source)
        meta, weights = dict(content.get('meta') or {}), content.get('state_dict')
        if not isinstance(weights, dict):
            raise CheckpointError(
                f'{os.fspath(source)}: no state_dict in it; give a checkpoint of tools/train.py'
            )
    return dict(meta=dict(meta, cfg=config.pretty_text) if config is not None else meta, state_dict=weights)


def _folder(folder_or_id: PathLike, revision: Optional[str]) -> str:
    name = os.fspath(folder_or_id)
    if os.path.isdir(name):
        return name
    if not _ID.fullmatch(name):
        raise FileNotFoundError(f'{name}: no such folder, and no id of the form user/name')
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise UserModuleNotFoundError(
            f'{name}: there is no such folder; an id on the Hub needs the package huggingface_hub: '
            'pip install huggingface_hub'
        ) from error
    try:
        return snapshot_download(name, revision=revision, allow_patterns=[CONFIG, WEIGHTS, CARD])
    except Exception as error:  # of the network, the Hub and the disk, by several packages
        first = (str(error).strip().splitlines() or [''])[0]
        raise UserRuntimeError(
            f'{name}: neither a folder nor fetched from the Hub ({type(error).__name__}: {first[:200]}); '
            'check the id and the connection, or download the folder and give its path'
        ) from error


def _import_safetensors() -> Any:
    try:
        import safetensors.torch
    except ImportError as error:
        raise UserModuleNotFoundError(
            'models of the Hugging Face Hub need the package safetensors: pip install safetensors'
        ) from error
    return safetensors.torch


def _card(name: str, kind: str, meta: dict, weights: Dict[str, torch.Tensor], licence: str) -> str:
    """The card: front matter that the Hub reads, and what there is to say in Markdown."""
    recognises = getattr(MODELS.get(kind), 'recognises', False)
    front = dict(
        library_name=SCOPE,
        **(dict(license=licence) if licence else {}),
        **(dict(pipeline_tag='video-classification') if recognises else {}),
        tags=['sign-language', 'sign-language-recognition', 'pose', 'skeleton'],
    )
    glosses: List[str] = meta.get('glosses') or []
    rows = {
        'model': f'`{kind}`',
        'parameters': f'{sum(value.numel() for value in weights.values()):,}',
        'joints of the training data': meta.get('layout') or 'not recorded',
        'their extractor': meta.get('extractor') or 'not recorded',
        'their frames a second': meta.get('fps') or 'several, or not recorded',
        'glosses': len(glosses) if recognises else 'none: a pre-trained encoder',
        'signbert_mm': meta.get('signbert_mm_version') or 'not recorded',
    }
    lines = ['---', yaml.safe_dump(front, sort_keys=False).rstrip(), '---', '', f'# {name}', '']
    lines += ['| | |', '|---|---|', *(f'| {key} | {value} |' for key, value in rows.items()), '']
    if recognises and glosses:
        shown = ', '.join(gloss.replace('|', '\\|') for gloss in glosses[:100])
        lines += [f'It knows: {shown}{", ..." if len(glosses) > 100 else ""}.', '']
    call = (
        "inferencer('sign.mp4')['predictions'][0]['glosses']"
        if recognises
        else "inferencer.embed('sign.mp4')"
    )
    lines += [
        '```python',
        'from signbert_mm.apis import from_pretrained',
        '',
        "inferencer = from_pretrained('THIS_FOLDER_OR_ID')",
        call,
        '```',
        '',
        'Figures: not measured for this file. Nothing in this folder is executed when it is loaded.',
        '',
    ]
    return '\n'.join(lines)
