"""Loader options that ``preload='device'`` needs."""

from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def _on_device(dataset: Any) -> bool:
    if not isinstance(dataset, dict):
        return False
    inner = [dataset.get('dataset'), *(dataset.get('datasets') or ())]
    return dataset.get('preload') == 'device' or any(map(_on_device, inner))


def adapt_preloaded_loaders(cfg: Config) -> None:
    """Loaders of clips in the device's memory get no workers, which cannot reach it, and pin nothing."""
    for name in LOADERS:
        loader = cfg.get(name)
        if isinstance(loader, dict) and _on_device(loader.get('dataset')):
            loader.update(num_workers=0, persistent_workers=False, pin_memory=False)
            loader.pop('prefetch_factor', None)
            print_log(f"{name}: preload='device': num_workers=0, pin_memory=False", logger='current')
