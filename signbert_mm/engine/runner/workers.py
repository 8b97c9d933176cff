"""Loader workers on small machines."""

import os

from mmengine.config import Config
from mmengine.logging import print_log

from .preload import LOADERS


def usable_cores() -> int:
    """Cores that this process may run on: of a batch job's or container's CPU set, where the system tells,
    else of the machine.
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def settle_no_workers(cfg: Config) -> None:
    """Loaders without workers lose what only workers can have, which torch refuses: ``num_workers=0`` alone
    is enough on the command line.
    """
    for name in LOADERS:
        loader = cfg.get(name)
        if isinstance(loader, dict) and not loader.get('num_workers'):
            gone = [key for key in ('persistent_workers', 'prefetch_factor') if loader.get(key)]
            for key in gone:
                loader.pop(key)
            if gone:
                print_log(f'{name}: num_workers=0, so without {" and ".join(gone)}', logger='current')


def cap_workers(cfg: Config) -> None:
    """No loader keeps more workers than the usable cores, shared among torchrun's processes of this machine;
    one at least stays where any was asked
    for. ``env_cfg.cap_workers=False`` leaves the numbers alone. Workers do not change what is drawn."""
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
