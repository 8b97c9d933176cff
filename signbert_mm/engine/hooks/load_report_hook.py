"""Reports which weights a checkpoint gave to the model and which it did not."""

import logging
from typing import Any, Dict, List, Sequence, Tuple

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop
from torch import nn

from ...errors import ConfigError
from ...files.checkpoints import CheckpointError
from ...registry import HOOKS
from ..config_difference import trained_otherwise
from ..label_maps import label_map_difference, label_map_remedy
from ..old_checkpoints import check_gesture_settings
from .safe_checkpoint_hook import dataset_facts


class _ReportedElsewhere(logging.Filter):
    """Drops mmengine's list of tensors that do not match, which the report says in other words."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith('The model and loaded state dict do not match exactly')


_REPORTED_ELSEWHERE = _ReportedElsewhere()


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


def _add_foreign_prefix(model: nn.Module, own: dict, weights: dict) -> None:
    """Renames, in place and in order, weights that another library saved of ``model.foreign_part`` alone.

    'backbone.x' is 'model.backbone.x' here.
    """
    prefix = getattr(model, 'foreign_part', '')
    items = list(weights.items())
    # The caller's dict itself must change, since mmengine loads it afterwards.
    weights.clear()
    for key, value in items:
        plain = key[len('module.') :] if key.startswith('module.') else key
        weights[
            f'{prefix}.{plain}' if prefix and plain not in own and f'{prefix}.{plain}' in own else key
        ] = value


def _reuse_equal_metainfo(meta: dict, dataset: object) -> None:
    """Puts the data set's own ``metainfo`` into a checkpoint's ``meta`` where the two are equal."""
    metainfo = getattr(dataset, 'metainfo', None)
    # mmengine compares pickles. Those of equal values differ where strings are shared differently, and it
    # would warn of another data set.
    try:
        if bool(meta.get('dataset_meta') == metainfo):
            meta['dataset_meta'] = metainfo
    except ValueError:
        # Arrays compare element by element and have no single truth value.
        pass


def _has_pretrained_part(model: nn.Module) -> bool:
    """Whether a part of the model loads its own weights, by ``init_cfg=dict(type='Pretrained', ..)``."""
    configs = [getattr(module, 'init_cfg', None) or {} for module in model.modules()]
    return any(
        config.get('type') == 'Pretrained'
        for part in configs
        for config in (part if isinstance(part, (list, tuple)) else [part])
    )


def _warn_of_other_extractors(runner, name: str, saved: Sequence[str], current: Sequence[str]) -> None:
    others = [extractor for extractor in current if extractor not in saved]
    if not saved or not others:
        return
    runner.logger.warning(
        f'{name} was trained on poses by {", ".join(saved)}; the poses here are by {", ".join(others)}. '
        'Their joints sit differently on the hand, '
        'which costs accuracy: extract both with one, or pre-train on both.'
    )


@HOOKS.register_module()
class LoadReportHook(Hook):
    """Reports which tensors a checkpoint filled, and refuses one that leaves parts random by mistake.

    - Fine-tuning (``load_from``): parts present in both are loaded and listed. From pre-training to a
      recogniser these are embedder and backbone. The others are listed as newly initialised or as left out.
      Nothing in common, or a part of another width, is an error. Another class count, or other glosses than
      the data's, is an error unless ``new_head``.
    - A checkpoint that another library saved of a part of the model, as mmaction2 does of the recogniser
      inside :class:`MMActionRecognizer`, is read under this model's names (the model's ``foreign_part``).
    - Frozen encoders (``model.frozen``) need weights for all of their tensors, unless ``random_frozen``.
    - Testing and resuming: every tensor of the model must be in the checkpoint with its shape, and the
      glosses must be those of the data. In testing the checkpoint may have further parts, but no further
      tensors of a part that the model has.
    - Settings of the model that no tensor shows, such as the number of heads, are compared with the
      checkpoint's config, in fine-tuning those of the encoder alone; what differs is named in a warning.
    - Poses of another extractor than the checkpoint's data are named in a warning.

    Args:
        new_head (bool): In fine-tuning, leave out a head of another class count or other glosses and start
            with a new one.
        head (tuple of str): Prefixes of the parameters that depend on the class count.
        random_frozen (bool): Frozen encoders may keep random weights, for a classifier on random features.
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
        """Refuses to train on frozen encoders with random weights.

        Raises:
            ConfigError: ``model.frozen`` without any weights.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if (
            not getattr(model, 'frozen', None)
            or self.random_frozen
            or runner._has_loaded
            or _has_pretrained_part(model)
        ):
            return
        raise ConfigError(
            f'config: model.frozen={model.frozen!r} keeps encoders as they are, and no weights are given: '
            'they would stay random. Give them: '
            '--cfg-options load_from=PRETRAINED.pth; where random features are meant: '
            'default_hooks.load_report.random_frozen=True'
        )

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Compares ``checkpoint`` with the model before mmengine copies the weights.

        Raises:
            CheckpointError: As listed for the class. The message names the file, the tensors, both shapes and
                the remedy.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        stage = (
            'resume' if runner._resume else 'train' if isinstance(runner._train_loop, BaseLoop) else 'test'
        )
        name = f'checkpoint {runner._load_from}'
        facts, meta = _facts(runner, stage), checkpoint.get('meta') or {}
        weights, own = checkpoint.get('state_dict', checkpoint), model.state_dict()
        _add_foreign_prefix(model, own, weights)
        data_glosses, saved_glosses = facts.get('glosses') or [], list(meta.get('glosses') or [])
        difference = remedy = ''
        if data_glosses and saved_glosses:
            difference = label_map_difference(saved_glosses, data_glosses)
        if difference:
            head_key = getattr(model, 'head_key', 'model.head')
            remedy = label_map_remedy(saved_glosses, data_glosses, stage, str(runner._load_from), head_key)
        # `compare` refuses heads of another class count. These would load, but mean other signs.
        if difference and self._same_head_shapes(own, weights):
            text = f'{name} has other labels than the data: {difference}.'
            if stage != 'train' or not self.new_head:
                raise CheckpointError(f'{text} {remedy}')
            runner.logger.info(f'{text} Its head is left out (new_head=True).')
            # mmengine skips a head of another shape by itself. One of the same shape must be removed.
            for key in [
                key
                for key in weights
                if key.startswith((*self.head, *(f'module.{prefix}' for prefix in self.head)))
            ]:
                weights.pop(key)
        to_load, report = self.compare(
            model, checkpoint, name, stage, f' But {difference}. {remedy}' if difference else ''
        )
        if stage == 'train' and getattr(model, 'frozen', None) and not self.random_frozen:
            frozen = [
                key
                for key, value in model.named_parameters()
                if key in own and key not in to_load and not value.requires_grad
            ]
            if frozen:
                raise CheckpointError(
                    f'{name} lacks {_some(frozen)}, which model.frozen={model.frozen!r} would keep random. '
                    'Load a checkpoint of the whole encoder; '
                    'where random features are meant: --cfg-options '
                    'default_hooks.load_report.random_frozen=True'
                )
        runner.logger.info(report)
        # The same object is added once.
        runner.logger.addFilter(_REPORTED_ELSEWHERE)
        otherwise = trained_otherwise(meta, runner.cfg.model, name, encoder=stage == 'train')
        if otherwise:
            runner.logger.warning(otherwise)
        if stage == 'resume':
            _reuse_equal_metainfo(meta, runner.train_dataloader.dataset)
        _warn_of_other_extractors(runner, name, meta.get('extractor') or [], facts.get('extractor') or [])

    def _same_head_shapes(self, own: dict, weights: dict) -> bool:
        """Whether model and checkpoint both have a head, of the same shapes."""
        heads = [key for key in own if key.startswith(self.head)]
        return bool(heads) and all(
            _shape(weights.get(key, weights.get(f'module.{key}'))) == _shape(own[key]) for key in heads
        )

    def compare(
        self, model: nn.Module, checkpoint: dict, name: str, stage: str, hint: str = ''
    ) -> Tuple[dict, str]:
        """Which tensors of a model a checkpoint fills.

        Args:
            model (nn.Module): The model, not wrapped.
            checkpoint (dict): The file's content.
            name (str): The checkpoint's name in messages.
            stage (str): 'train' (fine-tuning), 'test' or 'resume'.
            hint (str): A further remedy where the class counts differ in testing or resuming.

        Returns:
            tuple[dict, str]: The weights to load, and the report.

        Raises:
            CheckpointError: As listed for the class.
        """
        own = model.state_dict()
        weights = checkpoint.get('state_dict', checkpoint)
        weights = {
            key[len('module.') :] if key.startswith('module.') else key: value
            for key, value in weights.items()
        }
        _add_foreign_prefix(model, own, weights)
        if not any(
            key in own and _shape(own[key]) == _shape(value)
            for key, value in weights.items()
            if isinstance(value, torch.Tensor)
        ):
            raise CheckpointError(
                f'{name} has nothing in common with the model {type(model).__name__}: it holds '
                f'{_some(list(weights))}; '
                f'the model has {_some(list(own))}. '
                'Check that load_from names a checkpoint of this project and of the same architecture.'
            )
        check_gesture_settings(model, weights, name)
        mismatched = [
            key for key, value in weights.items() if key in own and _shape(own[key]) != _shape(value)
        ]
        mismatched = self._class_count(
            name, mismatched, weights, own, stage, hint, getattr(model, 'head_key', 'model.head')
        )
        if mismatched:
            key = mismatched[0]
            others = f', likewise {_some(mismatched[1:])}' if mismatched[1:] else ''
            raise CheckpointError(
                f'{name} does not fit the model: {key} is {_shape(weights[key])} there and '
                f'{_shape(own[key])} here{others}. Use the widths, depths and layout of the '
                'checkpoint\'s config (it is stored in its meta["cfg"]).'
            )
        # BatchNorm's counter and our extra state may be missing without harm: old checkpoints lack them.
        harmless = ('num_batches_tracked', '_extra_state')
        filled = dict(weights)
        if stage == 'train' and hasattr(model, 'add_keys'):
            # Loading does the same, see STConsistency.
            model.add_keys(filled)
        copied = [key for key in own if key in filled and key not in weights]
        missing = [key for key in own if key not in filled and not key.endswith(harmless)]
        unused = [key for key in weights if key not in own]
        if stage != 'train' and missing:
            raise CheckpointError(
                f'{name} cannot be used to {stage}: it lacks {_some(missing)}, which would stay random. '
                + (
                    'A pre-training checkpoint is fine-tuned first (tools/train.py with load_from).'
                    if stage == 'test'
                    else 'Use load_from, not resume.'
                )
            )
        # A decoder is not needed to recognise, but a part without some of its layers computes something else.
        parts = {key.split('.')[0] for key in own}
        lost = [key for key in unused if key.split('.')[0] in parts and not key.endswith(harmless)]
        if stage == 'test' and lost:
            raise CheckpointError(
                f'{name} does not fit the model, which has no {_some(lost)}: without them it would answer '
                'otherwise than it was trained to. Use the config it was trained with (stored in its '
                'meta["cfg"]).'
            )
        if stage == 'resume' and unused:
            raise CheckpointError(
                f'{name} is of another model: it also holds {_some(unused)}. To start a '
                'new run from its weights use load_from.'
            )
        return weights, self._report(name, own, weights, copied, missing, unused, lost, model)

    def _class_count(
        self, name: str, mismatched: List[str], weights: dict, own: dict, stage: str, hint: str, head: str
    ) -> List[str]:
        """Handles the head's mismatched tensors and returns the others."""
        heads = [
            key
            for key in mismatched
            # The first axis of a head's tensor counts the classes. Only that one may differ.
            if key.startswith(self.head) and _shape(weights[key])[1:] == _shape(own[key])[1:]
        ]
        if not heads:
            return mismatched
        saved, current = _shape(weights[heads[0]])[0], _shape(own[heads[0]])[0]
        if stage == 'train' and self.new_head:
            for key in heads:
                weights.pop(key)
            return [key for key in mismatched if key not in heads]
        remedy = (
            'To fine-tune from it with a newly initialised head: --cfg-options '
            'default_hooks.load_report.new_head=True'
            if stage == 'train'
            else f'Use the config it was trained with, or set {head}.num_classes={saved} and use data with '
            f'those glosses.{hint}'
        )
        raise CheckpointError(
            f'{name} has {saved} classes and the model has {current} ({", ".join(heads)}). {remedy}'
        )

    def _report(
        self,
        name: str,
        own: dict,
        weights: dict,
        copied: List[str],
        missing: List[str],
        unused: List[str],
        lost: List[str],
        model: nn.Module,
    ) -> str:
        # In these modules each member is listed as a part of its own, as in 'encoders.joint'.
        containers = [
            part for part, module in model.named_children() if isinstance(module, nn.ModuleDict)
        ] + [getattr(model, 'foreign_part', '')]

        def parts(keys: Sequence[str]) -> Dict[str, int]:
            count: Dict[str, int] = {}
            for key in keys:
                first, *rest = key.split('.')
                part = f'{first}.{rest[0]}' if first in containers and rest else first
                count[part] = count.get(part, 0) + 1
            return count

        total, loaded = parts(list(own)), parts([key for key in own if key in weights])
        lines = [
            f'From {name}:',
            '  loaded: '
            + ', '.join(f'{part} ({count} of {total[part]} tensors)' for part, count in loaded.items()),
        ]
        for label, keys in (
            ('copied from these', copied),
            ('newly initialised', missing),
            ('left out of the checkpoint', unused),
        ):
            if keys:
                counts = ', '.join(f'{part} ({count})' for part, count in parts(keys).items())
                lines.append(f'  {label}: {counts}')
        if lost:
            lines.append(
                f'  of these the model has the part, but not {_some(lost)}; if it should, correct its config'
            )
        return '\n'.join(lines)
