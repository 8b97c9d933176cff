"""Loader workers on small machines."""

import os

from mmengine.config import Config
from mmengine.logging import print_log

from .preload import LOADERS


def usable_cores() -> int:
    """Cores that this process may run on: of a batch job's or container's CPU set, where the system tells, else of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def cap_workers(cfg: Config) -> None:
    """No loader keeps more workers than the usable cores, shared among torchrun's processes of this machine; one at least stays where any was asked
    for. ``env_cfg.cap_workers=False`` leaves the numbers alone. Workers do not change what is drawn."""
    if not (cfg.get('env_cfg') or {}).get('cap_workers', True):
        return
    cores, processes = usable_cores(), int(os.environ.get('LOCAL_WORLD_SIZE', 1))
    most = max(1, cores // processes)
    for name in LOADERS:
        loader = cfg.get(name)
        if isinstance(loader, dict) and (loader.get('num_workers') or 0) > most:
            print_log(
                f'{name}: num_workers={most} instead of {loader["num_workers"]}: cores {cores}, processes {processes} '
                '(env_cfg.cap_workers=False leaves it)',
                logger='current',
            )
            loader['num_workers'] = most
