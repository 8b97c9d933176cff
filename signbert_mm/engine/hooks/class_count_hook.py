"""Checks that head, training data and validation data agree on the classes."""

from typing import Optional

import numpy as np
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch import nn

from ...errors import ConfigError
from ...registry import HOOKS
from .safe_checkpoint_hook import dataset_facts


@HOOKS.register_module()
class ClassCountHook(Hook):
    """Refuses data whose classes are not those of the recogniser's head, before the first batch.

    Three faults are refused: a head with another number of classes than the data has glosses, or another
    number of outputs for what is outside of the vocabulary than :class:`OpenSetDataset` has groups, and
    validation data with another label map than the training data.

    Without the hook, labels beyond the head's classes end in an assertion on the device. Too large a head
    trains unnoticed. Labels of another map give an accuracy that means nothing.

    Models without ``head.num_classes``, as in pre-training, and data sets without glosses pass. A model whose
    head's config is not ``model.head`` names its key in ``head_key``.
    """

    def before_train(self, runner) -> None:
        data = runner.train_loop.dataloader.dataset
        check_classes(_unwrapped(runner), data, 'train_dataloader')
        if runner.val_loop is not None:
            check_classes(_unwrapped(runner), runner.val_loop.dataloader.dataset, 'val_dataloader')
            train_glosses, val_glosses = (
                dataset_facts(dataset).get('glosses')
                for dataset in (data, runner.val_loop.dataloader.dataset)
            )
            if (
                _classes(_unwrapped(runner)) is not None
                and train_glosses
                and val_glosses
                and train_glosses != val_glosses
            ):
                label = next(
                    label for label, pair in enumerate(zip(train_glosses, val_glosses)) if pair[0] != pair[1]
                )
                raise ConfigError(
                    f'config: val_dataloader has another label map than train_dataloader: label {label} is '
                    f'{train_glosses[label]!r} in training and '
                    f'{val_glosses[label]!r} in validation. Prepare both with one list of glosses'
                )

    def before_val(self, runner) -> None:
        check_classes(_unwrapped(runner), runner.val_loop.dataloader.dataset, 'val_dataloader')

    def before_test(self, runner) -> None:
        check_classes(_unwrapped(runner), runner.test_loop.dataloader.dataset, 'test_dataloader')


def check_classes(model: nn.Module, dataset: object, name: str) -> None:
    """Compares a recogniser's head with a data set.

    Args:
        model (nn.Module): Not wrapped; one without ``head.num_classes`` passes.
        dataset: One with ``metainfo``, or without.
        name (str): The data set's loader in the config, for messages.

    Raises:
        ConfigError: The counts differ, or training clips have no label.
    """
    classes = _classes(model)
    if classes is None:
        return
    labels = getattr(dataset, 'labels', None)
    # In testing, clips without a label are only left out of the accuracy.
    if name == 'train_dataloader' and labels is not None and (np.asarray(labels) < 0).any():
        raise ConfigError(
            f'{name}: {(np.asarray(labels) < 0).sum()} of {len(labels)} clips have no label, and '
            f'{type(model).__name__} learns from labels. '
            'Prepare the data with glosses; a ConcatPoseDataset gives labels with keep_labels=True'
        )
    glosses = dataset_facts(dataset).get('glosses')
    if glosses and len(glosses) != classes:
        key = f'{getattr(model, "head_key", "model.head")}.num_classes'
        raise ConfigError(
            f'config: {key} is {classes}, but the data of {name} has {len(glosses)} glosses. Set it: '
            f'--cfg-options {key}={len(glosses)}; or use the data set that the config is for'
        )
    if name != 'train_dataloader':
        return
    outputs, groups = getattr(model, 'trained_unknown', 0), getattr(dataset, 'num_unknown', 0)
    if outputs != groups:
        key = f'{getattr(model, "head_key", "model.head")}.num_unknown'
        raise ConfigError(
            f'config: {key} is {outputs}, but the data of {name} has {groups} groups outside of the '
            f'vocabulary. Set it: --cfg-options {key}={groups}; an OpenSetDataset has such groups'
        )


def _classes(model: nn.Module) -> Optional[int]:
    return getattr(getattr(model, 'head', None), 'num_classes', None)


def _unwrapped(runner) -> nn.Module:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
