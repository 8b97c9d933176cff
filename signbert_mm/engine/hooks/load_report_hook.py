"""What a checkpoint gave to the model and what it did not."""

from typing import Any, Dict, List, Sequence, Tuple

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop
from torch import nn

from ...errors import ConfigError
from ...files.checkpoints import CheckpointError
from ...registry import HOOKS
from ..label_maps import label_map_difference, label_map_remedy
from ..old_checkpoints import check_gesture_settings
from .safe_checkpoint_hook import dataset_facts


def _shape(value: object) -> Tuple[int, ...]:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else ()


def _some(names: Sequence[str], count: int = 4) -> str:
    return ', '.join(list(names)[:count]) + (f' and {len(names) - count} more' if len(names) > count else '')


def _facts(runner, stage: str) -> Dict[str, Any]:
    """:func:`dataset_facts` of the data that the loaded model is for."""
    loop = (
        runner.test_loop
        if stage == 'test' and isinstance(runner._test_loop, BaseLoop)
        else runner._train_loop
    )
    return dataset_facts(loop.dataloader.dataset) if isinstance(loop, BaseLoop) else {}


def _as_named_here(model: nn.Module, own: dict, weights: dict) -> None:
    """Rename, in place and in order, what another library saved of the model's ``foreign_part`` alone:
    'backbone.x' is 'model.backbone.x' here.
    """
    part = getattr(model, 'foreign_part', '')
    items = list(weights.items())
    weights.clear()
    for key, value in items:
        plain = key[len('module.') :] if key.startswith('module.') else key
        weights[f'{part}.{plain}' if part and plain not in own and f'{part}.{plain}' in own else key] = value


def _as_it_is_now(meta: dict, dataset: object) -> None:
    """Puts what a data set tells of itself in the place of an equal one: mmengine compares pickles, which
    differ where strings are shared otherwise,
    and would warn."""
    now = getattr(dataset, 'metainfo', None)
    try:
        if bool(meta.get('dataset_meta') == now):
            meta['dataset_meta'] = now
    except ValueError:  # arrays
        pass


def _starts_from_weights(model: nn.Module) -> bool:
    """Whether a part of the model names weights of its own: ``init_cfg=dict(type='Pretrained',
    checkpoint=..)``.
    """
    configs = [getattr(module, 'init_cfg', None) or {} for module in model.modules()]
    return any(
        config.get('type') == 'Pretrained'
        for part in configs
        for config in (part if isinstance(part, (list, tuple)) else [part])
    )


def _tell_extractors(runner, name: str, there: Sequence[str], here: Sequence[str]) -> None:
    others = [extractor for extractor in here if extractor not in there]
    if not there or not others:
        return
    runner.logger.warning(
        f'{name} was trained on poses by {", ".join(there)}; the poses here are by {", ".join(others)}. '
        'Their joints sit differently on the hand, '
        'which costs accuracy: extract both with one, or pre-train on both.'
    )


@HOOKS.register_module()
class LoadReportHook(Hook):
    """Reports what a loaded checkpoint filled, and refuses one that would leave the model partly random where
    that is not meant.

    - Fine-tuning (``load_from``): parts present in both are loaded and listed (pre-training to recogniser:
      embedder and backbone), the others are listed as newly initialised or as left out. Nothing in common, or
      a part of another width, is an error. A recogniser of another class count, or of as many but other
      glosses than the data, is an error unless ``new_head``.
    - A checkpoint that another library saved of a part of the model, as mmaction2 of the recogniser inside
      :class:`MMActionRecognizer`, is read under the names that it has here (the model's ``foreign_part``).
    - Frozen encoders (``model.frozen``) are trained upon only with weights for all of them, unless
      ``random_frozen``.
    - Testing and resuming: every tensor of the model must be in the checkpoint with its shape, and the
      glosses must be those of the data.
    - Poses of another extractor than the checkpoint's data are named in a warning.

    Args:
        new_head (bool): In fine-tuning, leave out a head of another class count or other glosses and start
            with a new one.
        head (tuple of str): Prefixes of the parameters that depend on the class count.
        random_frozen (bool): Frozen encoders may keep random weights: a classifier upon random features is
            meant.
    """

    priority = 'LOWEST'

    def __init__(
        self,
        new_head: bool = False,
        head: Sequence[str] = ('head.', 'cls_head.', 'model.cls_head.'),
        random_frozen: bool = False,
    ) -> None:
        self.new_head, self.random_frozen = new_head, random_frozen
        self.head = tuple(head)

    def before_train(self, runner) -> None:
        """Refuse to train upon encoders that are frozen as they were initialised.

        Raises:
            ConfigError: ``model.frozen`` without any weights.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if (
            not getattr(model, 'frozen', None)
            or self.random_frozen
            or runner._has_loaded
            or _starts_from_weights(model)
        ):
            return
        raise ConfigError(
            f'config: model.frozen={model.frozen!r} keeps encoders as they are, and no weights are given: '
            'they would stay random. Give them: '
            '--cfg-options load_from=PRETRAINED.pth; where random features are meant: '
            'default_hooks.load_report.random_frozen=True'
        )

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Compare ``checkpoint`` with the model before mmengine copies the weights.

        Raises:
            CheckpointError: As the class says; the message names the file, the tensors, both shapes and the
                remedy.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        stage = (
            'resume' if runner._resume else 'train' if isinstance(runner._train_loop, BaseLoop) else 'test'
        )
        name = f'checkpoint {runner._load_from}'
        facts, meta = _facts(runner, stage), checkpoint.get('meta') or {}
        weights, own = checkpoint.get('state_dict', checkpoint), model.state_dict()
        _as_named_here(model, own, weights)  # mmengine loads this dict
        here, there = facts.get('glosses') or [], list(meta.get('glosses') or [])
        difference = label_map_difference(there, here) if here and there else ''
        remedy = ''
        if difference:
            remedy = label_map_remedy(
                there, here, stage, str(runner._load_from), getattr(model, 'head_key', 'model.head')
            )
        if difference and self._head_fits(own, weights):
            text = f'{name} has other labels than the data: {difference}.'
            if stage != 'train' or not self.new_head:
                raise CheckpointError(f'{text} {remedy}')
            runner.logger.info(f'{text} Its head is left out (new_head=True).')
            # a head of another shape mmengine passes over by itself
            for key in [
                key
                for key in weights
                if key.startswith((*self.head, *(f'module.{prefix}' for prefix in self.head)))
            ]:
                weights.pop(key)
        given, report = self.compare(
            model, checkpoint, name, stage, f' But {difference}. {remedy}' if difference else ''
        )
        if stage == 'train' and getattr(model, 'frozen', None) and not self.random_frozen:
            frozen = [
                key
                for key, value in model.named_parameters()
                if key in own and key not in given and not value.requires_grad
            ]
            if frozen:
                raise CheckpointError(
                    f'{name} lacks {_some(frozen)}, which model.frozen={model.frozen!r} would keep random. '
                    'Load a checkpoint of the whole encoder; '
                    'where random features are meant: --cfg-options '
                    'default_hooks.load_report.random_frozen=True'
                )
        runner.logger.info(report)
        if stage == 'resume':
            _as_it_is_now(meta, runner.train_dataloader.dataset)
        _tell_extractors(runner, name, meta.get('extractor') or [], facts.get('extractor') or [])

    def _head_fits(self, own: dict, weights: dict) -> bool:
        """Whether the model has a head and the checkpoint one of the same shapes."""
        heads = [key for key in own if key.startswith(self.head)]
        return bool(heads) and all(
            _shape(weights.get(key, weights.get(f'module.{key}'))) == _shape(own[key]) for key in heads
        )

    def compare(
        self, model: nn.Module, checkpoint: dict, name: str, stage: str, hint: str = ''
    ) -> Tuple[dict, str]:
        """What a checkpoint fills of a model.

        Args:
            model (nn.Module): The model, not wrapped.
            checkpoint (dict): The file's content.
            name (str): How messages name it.
            stage (str): 'train' (fine-tuning), 'test' or 'resume'.
            hint (str): What else to do where the class counts differ in testing or resuming.

        Returns:
            tuple[dict, str]: The weights to load, and the report.

        Raises:
            CheckpointError: As the class says.
        """
        own = model.state_dict()
        given = checkpoint.get('state_dict', checkpoint)
        given = {
            key[len('module.') :] if key.startswith('module.') else key: value for key, value in given.items()
        }
        _as_named_here(model, own, given)
        if not any(
            key in own and _shape(own[key]) == _shape(value)
            for key, value in given.items()
            if isinstance(value, torch.Tensor)
        ):
            raise CheckpointError(
                f'{name} has nothing in common with the model {type(model).__name__}: it holds '
                f'{_some(list(given))}; '
                f'the model has {_some(list(own))}. '
                'Check that load_from names a checkpoint of this project and of the same architecture.'
            )
        check_gesture_settings(model, given, name)
        differ = [key for key, value in given.items() if key in own and _shape(own[key]) != _shape(value)]
        differ = self._class_count(
            name, differ, given, own, stage, hint, getattr(model, 'head_key', 'model.head')
        )
        if differ:
            key = differ[0]
            raise CheckpointError(
                f'{name} does not fit the model: {key} is {_shape(given[key])} there and {_shape(own[key])} '
                'here'
                f'{f", likewise {_some(differ[1:])}" if differ[1:] else ""}. Use the widths, depths and '
                "layout of the checkpoint's config "
                '(it is stored in its meta["cfg"]).'
            )
        missing = [
            key
            for key in own
            if key not in given and not key.endswith(('num_batches_tracked', '_extra_state'))
        ]
        unused = [key for key in given if key not in own]
        if stage != 'train' and missing:
            raise CheckpointError(
                f'{name} cannot be used to {stage}: it lacks {_some(missing)}, which would stay random. '
                + (
                    'A pre-training checkpoint is fine-tuned first (tools/train.py with load_from).'
                    if stage == 'test'
                    else 'Use load_from, not resume.'
                )
            )
        if stage == 'resume' and unused:
            raise CheckpointError(
                f'{name} is of another model: it also holds {_some(unused)}. To start a '
                'new run from its weights use load_from.'
            )
        return given, self._report(name, own, given, missing, unused, model)

    def _class_count(
        self, name: str, differ: List[str], given: dict, own: dict, stage: str, hint: str, head: str
    ) -> List[str]:
        """Handle the head's mismatches; returns the others."""
        heads = [
            key
            for key in differ
            if key.startswith(self.head) and _shape(given[key])[1:] == _shape(own[key])[1:]
        ]
        if not heads:
            return differ
        there, here = _shape(given[heads[0]])[0], _shape(own[heads[0]])[0]
        if stage == 'train' and self.new_head:
            for key in heads:
                given.pop(key)
            return [key for key in differ if key not in heads]
        remedy = (
            'To fine-tune from it with a newly initialised head: --cfg-options '
            'default_hooks.load_report.new_head=True'
            if stage == 'train'
            else f'Use the config it was trained with, or set {head}.num_classes={there} and use data with '
            f'those glosses.{hint}'
        )
        raise CheckpointError(
            f'{name} has {there} classes and the model has {here} ({", ".join(heads)}). {remedy}'
        )

    def _report(
        self, name: str, own: dict, given: dict, missing: List[str], unused: List[str], model: nn.Module
    ) -> str:
        # each member is a part: encoders.joint
        families = [part for part, module in model.named_children() if isinstance(module, nn.ModuleDict)] + [
            getattr(model, 'foreign_part', '')
        ]

        def parts(keys: Sequence[str]) -> Dict[str, int]:
            count: Dict[str, int] = {}
            for key in keys:
                first, *rest = key.split('.')
                part = f'{first}.{rest[0]}' if first in families and rest else first
                count[part] = count.get(part, 0) + 1
            return count

        total, loaded = parts(list(own)), parts([key for key in own if key in given])
        lines = [
            f'From {name}:',
            '  loaded: '
            + ', '.join(f'{part} ({count} of {total[part]} tensors)' for part, count in loaded.items()),
        ]
        if missing:
            lines.append(
                '  newly initialised: '
                + ', '.join(f'{part} ({count})' for part, count in parts(missing).items())
            )
        if unused:
            lines.append(
                '  left out of the checkpoint: '
                + ', '.join(f'{part} ({count})' for part, count in parts(unused).items())
            )
        return '\n'.join(lines)
