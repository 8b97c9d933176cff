import pytest
import torch
from mmengine.config import Config

from signbert_mm.engine.runner import prepare_launch, workers


@pytest.mark.parametrize(
    'cores, processes, capped',
    [(2, None, [2, 2, 0]), (8, None, [4, 8, 0]), (16, 8, [2, 2, 0]), (2, 4, [1, 1, 0]), (1, 1, [1, 1, 0])],
)
def test_no_more_workers_than_cores(monkeypatch, cores, processes, capped):
    monkeypatch.setattr(workers, 'usable_cores', lambda: cores)
    lines = []
    monkeypatch.setattr(workers, 'print_log', lambda line, logger: lines.append(line))
    monkeypatch.delenv('LOCAL_WORLD_SIZE', raising=False)
    if processes:
        monkeypatch.setenv('LOCAL_WORLD_SIZE', str(processes))
    asked = [4, 8, 0]
    cfg = Config(
        {
            name: dict(num_workers=number, persistent_workers=number > 0)
            for name, number in zip(workers.LOADERS, asked)
        }
    )
    prepare_launch(cfg, 'none')
    assert [cfg[name].num_workers for name in workers.LOADERS] == capped
    assert len(lines) == sum(number < before for number, before in zip(capped, asked))
    assert (
        not lines
        or f'num_workers={capped[1]} instead of 8: cores {cores}, processes {processes or 1}' in lines[-1]
    )
    assert cfg.train_dataloader.persistent_workers


def test_the_cap_can_be_switched_off_and_needs_no_loader(monkeypatch):
    monkeypatch.setattr(workers, 'usable_cores', lambda: 1)
    cfg = Config(
        dict(
            train_dataloader=dict(num_workers=4),
            val_dataloader=None,
            test_dataloader=dict(batch_size=1),
            env_cfg=dict(cap_workers=False),
        )
    )
    prepare_launch(cfg, 'none')
    assert cfg.train_dataloader.num_workers == 4
    cfg.env_cfg.cap_workers = True
    prepare_launch(cfg, 'none')
    assert (
        cfg.train_dataloader.num_workers == 1
        and cfg.val_dataloader is None
        and 'num_workers' not in cfg.test_dataloader
    )


def test_no_workers_need_nothing_else(monkeypatch):
    lines = []
    monkeypatch.setattr(workers, 'print_log', lambda line, logger: lines.append(line))
    loaders = dict(
        train_dataloader=dict(num_workers=0, persistent_workers=True, prefetch_factor=4),
        val_dataloader=dict(num_workers=1, persistent_workers=True, prefetch_factor=4),
        test_dataloader=dict(persistent_workers=False),
    )
    cfg = Config(loaders)
    prepare_launch(cfg, 'none')
    assert cfg.train_dataloader == dict(num_workers=0) and cfg.val_dataloader == loaders['val_dataloader']
    assert lines == ['train_dataloader: num_workers=0, so without persistent_workers and prefetch_factor']


def test_usable_cores_are_those_of_the_cpu_set(monkeypatch):
    assert workers.usable_cores() == torch._utils.cpu_count()  # what torch's DataLoader warns by
    monkeypatch.setattr(workers.os, 'sched_getaffinity', lambda process: {1, 5, 7}, raising=False)
    assert workers.usable_cores() == 3
    monkeypatch.delattr(workers.os, 'sched_getaffinity')
    monkeypatch.setattr(workers.os, 'cpu_count', lambda: 6)
    assert workers.usable_cores() == 6
