"""Whether a model is built as its checkpoint was trained, where the weights cannot tell."""

import inspect
from typing import Any, List, Mapping, Optional

from ..errors import ConfigError
from ..files.plain_config import read_plain_config
from ..registry import MODELS, TRANSFORMS

# These change nothing in evaluation.
_TRAINING_ALONE = ('init_cfg', 'train_pipeline', 'frozen', 'label_smoothing')


def _with_defaults(node: Any) -> Any:
    """The config with the defaults of its classes written out."""
    if isinstance(node, (list, tuple)):
        return [_with_defaults(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    full = {key: _with_defaults(value) for key, value in node.items()}
    name = str(full.get('type', '')).rpartition('.')[2]
    if 'type' in full:
        full['type'] = name
    built = MODELS.module_dict.get(name) or TRANSFORMS.module_dict.get(name)
    for parameter in inspect.signature(built).parameters.values() if built else ():
        if parameter.default is not parameter.empty:
            full.setdefault(parameter.name, _with_defaults(parameter.default))
    return full


def _compare(saved: Any, current: Any, name: str) -> List[str]:
    if isinstance(saved, Mapping) and isinstance(current, Mapping):
        return [
            text
            for key in dict.fromkeys([*saved, *current])
            if key not in _TRAINING_ALONE and 'drop' not in key and not key.startswith('loss')
            for text in _compare(saved.get(key), current.get(key), f'{name}.{key}')
        ]
    if isinstance(saved, list) and isinstance(current, list) and len(saved) == len(current):
        return [
            text
            for index, pair in enumerate(zip(saved, current))
            for text in _compare(*pair, f'{name}.{index}')
        ]
    return [] if saved == current else [f'{name} is {saved!r} there and {current!r} here']


def model_differences(saved: Mapping[str, Any], current: Mapping[str, Any]) -> List[str]:
    """What differs in evaluation between two configs of a model.

    Args:
        saved (Mapping): ``model`` of the checkpoint's config.
        current (Mapping): ``model`` of the config in use.

    Returns:
        list[str]: A text for each value. What a config leaves out has the default of its class.

    Example:
        >>> transformer = dict(type='HandTransformer', embed_dims=64)
        >>> model_differences(dict(backbone=transformer), dict(backbone=dict(transformer, num_heads=4)))
        ['model.backbone.num_heads is 8 there and 4 here']
    """
    return _compare(_with_defaults(saved), _with_defaults(current), 'model')


def trained_otherwise(meta: Mapping[str, Any], model: Mapping[str, Any], name: str) -> Optional[str]:
    """A warning where a checkpoint was trained with another config of the model; None where it was not.

    Args:
        meta (Mapping): The checkpoint's ``meta``. One without a readable config says nothing.
        model (Mapping): ``model`` of the config in use.
        name (str): The checkpoint's name in the warning.
    """
    try:
        saved = read_plain_config(str(meta.get('cfg') or ''), name).get('model')
    except ConfigError:
        return None
    differences = model_differences(saved, model) if isinstance(saved, Mapping) else []
    if not differences:
        return None
    more = f' and {len(differences) - 4} more' if len(differences) > 4 else ''
    return (
        f'{name} was trained with another config than this one: {"; ".join(differences[:4])}{more}. The '
        'weights fit, but the model may answer otherwise.'
    )
