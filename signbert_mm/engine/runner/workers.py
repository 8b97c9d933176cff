"""Loader workers on small machines."""

import os

from mmengine.config import Config
from mmengine.logging import print_log

from .preload import LOADERS


def usable_cores() -> int:
    """Cores that this process may run on: of its CPU set, if the system has them, else of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def drop_worker_options(cfg: Config) -> None:
    """Removes options that torch refuses without workers, so that ``num_workers=0`` alone is enough."""
    for name in LOADERS:
        loader = cfg.get(name)
        if isinstance(loader, dict) and not loader.get('num_workers'):
            removed = [key for key in ('persistent_workers', 'prefetch_factor') if loader.get(key)]
            for key in removed:
                loader.pop(key)
            if removed:
                print_log(f'{name}: num_workers=0, so without {" and ".join(removed)}', logger='current')


def cap_workers(cfg: Config) -> None:
    """Limits each loader's workers to the usable cores, shared among torchrun's processes of this machine.

    A loader with workers keeps one at least. ``env_cfg.cap_workers=False`` leaves the numbers alone. The
    number of workers does not change what is drawn.
    """
    if not (cfg.get('env_cfg') or {}).get('cap_workers', True):
        return
    cores, processes = usable_cores(), int(os.environ.get('LOCAL_WORLD_SIZE', 1))
    most = max(1, cores // processes)
    for name in LOADERS:
        loader = cfg.get(name)
        if isinstance(loader, dict) and (loader.get('num_workers') or 0) > most:
            print_log(
                f'{name}: num_workers={most} instead of {loader["num_workers"]}: cores {cores}, processes '
                f'{processes} (env_cfg.cap_workers=False leaves it)',
                logger='current',
            )
            loader['num_workers'] = most
