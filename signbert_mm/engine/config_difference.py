"""Whether a run's settings are those of its checkpoint, where the weights cannot tell."""

import inspect
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..errors import ConfigError
from ..files.plain_config import read_plain_config
from ..registry import MODELS, OPTIMIZERS, PARAM_SCHEDULERS, TRANSFORMS

# These change nothing in evaluation.
_TRAINING_ALONE = ('init_cfg', 'train_pipeline', 'frozen', 'label_smoothing')
# The parts that pre-training and recogniser share.
_ENCODER = ('embedder', 'backbone', 'encoder')
# A recogniser may add these to a pre-trained encoder, as tensors that the report of loading lists.
_ADDED = ('motion', 'conv_kernel')


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
    kinds = (MODELS, TRANSFORMS, *(kind.parent for kind in (OPTIMIZERS, PARAM_SCHEDULERS)))
    built = next((kind.module_dict[name] for kind in kinds if name in kind.module_dict), None)
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
    return setting_differences(saved, current, 'model')


def _shared(model: Mapping[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """The encoder of a model's config and, by type, how its input is prepared: no masks, no augmentation."""
    steps = (model.get('data_preprocessor') or {}).get('test_pipeline') or []
    named = {str(step.get('type')).rpartition('.')[2]: step for step in steps}
    kept = {
        # A hand is the same in every layout.
        name: {key: value for key, value in step.items() if key != 'layout'}
        for name, step in named.items()
        if not name.startswith(('Mask', 'Random'))
    }
    encoder = {
        part: {key: value for key, value in model[part].items() if key not in _ADDED}
        for part in _ENCODER
        if isinstance(model.get(part), Mapping)
    }
    return encoder, kept


def encoder_differences(saved: Mapping[str, Any], current: Mapping[str, Any]) -> List[str]:
    """What differs between the encoders of two models of any kind, as pre-training and recogniser.

    Arguments and result are those of :func:`model_differences`. Only what both configs have is compared, and
    of the preprocessor only the transforms that both have.
    """
    texts: List[str] = []
    for place, old, new in zip(('model', 'model.test_pipeline'), _shared(saved), _shared(current)):
        both = [name for name in old if name in new]
        old, new = ({name: part[name] for name in both} for part in (old, new))
        texts += setting_differences(old, new, place)
    return texts


def saved_config(meta: Mapping[str, Any], name: str) -> Dict[str, Any]:
    """The config that a checkpoint keeps; {} = none, or one that is not readable."""
    try:
        return read_plain_config(str(meta.get('cfg') or ''), name)
    except ConfigError:
        return {}


def setting_differences(saved: Any, current: Any, place: str) -> List[str]:
    """What differs between two values of a config, as of an optimizer, with the defaults of their classes."""
    return _compare(_with_defaults(saved), _with_defaults(current), place)


def some_differences(differences: List[str]) -> str:
    """The first four, and how many more there are."""
    more = f' and {len(differences) - 4} more' if len(differences) > 4 else ''
    return f'{"; ".join(differences[:4])}{more}'


def trained_otherwise(
    meta: Mapping[str, Any], model: Mapping[str, Any], name: str, encoder: bool = False
) -> Optional[str]:
    """A warning where a checkpoint was trained with another config of the model; None where it was not.

    Args:
        meta (Mapping): The checkpoint's ``meta``. One without a readable config says nothing.
        model (Mapping): ``model`` of the config in use.
        name (str): The checkpoint's name in the warning.
        encoder (bool): Compare the encoder alone, which the model takes from the checkpoint.
    """
    saved = saved_config(meta, name).get('model')
    if not isinstance(saved, Mapping):
        return None
    differences = (encoder_differences if encoder else model_differences)(saved, model)
    if not differences:
        return None
    part = 'encoder' if encoder else 'model'
    return (
        f'{name} was trained with another config than this one: {some_differences(differences)}. The '
        f'weights fit, but the {part} may answer otherwise.'
    )
