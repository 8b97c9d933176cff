"""Trains and tests the runs that are not done, in one or several processes."""

import copy
import json
import logging
import os
import sys
import time
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Set, Union

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.runner import Runner

from .. import compat
from ..engine.checkpoint_io import find_last_whole_checkpoint, write_atomic
from ..engine.runner.launch import prepare_launch
from ..evaluation import load_predictions
from ..evaluation.fusion import clip_scores, save_scores
from ..evaluation.logistic_regression import logistic_regression
from ..registry import DATASETS, SCOPE
from .run import Run

Report = Callable[[str], None]
# Seconds between two looks at the runs of other processes.
_POLL = 5.0
# Seconds between two lines about the progress of a training.
_EVERY = 30.0


@contextmanager
def hold(path: Path) -> Iterator[bool]:
    """Tries to lock a file, and yields whether this process has the lock."""
    # The system releases the lock when the process ends, even if it is killed.
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


class _Progress(Hook):
    """Reports the progress of a training every 30 seconds."""

    def __init__(self, report: Report) -> None:
        self.report, self.start, self.first, self.next = report, time.time(), None, time.time() + _EVERY

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        self.first = runner.iter if self.first is None else self.first
        if time.time() >= self.next:
            # Counted from the first iteration here: a resumed training did the earlier ones before.
            done = runner.iter + 1 - self.first
            left = (time.time() - self.start) / done * (runner.max_iters - runner.iter - 1)
            self.report(
                f'    iteration {runner.iter + 1} of {runner.max_iters}, {in_words(left)} left in this run'
            )
            self.next = time.time() + _EVERY


def in_words(seconds: float) -> str:
    """Formats seconds as '40 s', '12 min' or '5.1 h'."""
    if seconds < 90:
        return f'{seconds:.0f} s'
    return f'{seconds / 60:.0f} min' if seconds < 5400 else f'{seconds / 3600:.1f} h'


def _runner(cfg: Config, folder: Path) -> Runner:
    cfg.work_dir, cfg.log_level = str(folder), 'WARNING'
    # Runners of one name would share mmengine's logger and message hub.
    cfg.experiment_name = f'{folder.name}_{time.time_ns()}'
    prepare_launch(cfg, 'none')
    if get_device() == 'cpu':
        compat.keep_large_blocks()
    runner = Runner.from_cfg(cfg)
    # The log file gets everything, the screen only warnings.
    runner.logger.setLevel(logging.INFO)
    for handler in runner.logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.INFO)
    return runner


def _dump(record: dict) -> bytes:
    return (json.dumps(record, indent=1) + '\n').encode()


def _device() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f'{get_device()}, {torch.get_num_threads()} threads'


def _close(runner: Runner) -> None:
    for handler in runner.logger.handlers:
        handler.close()


def train(run: Run, work_dir: Path, report: Report) -> None:
    """Trains a run, or resumes it if it was interrupted. There is no validation."""
    folder = run.folder(work_dir)
    cfg = copy.deepcopy(run.cfg)
    for key in ('dataloader', 'evaluator', 'cfg'):
        cfg[f'val_{key}'] = cfg[f'test_{key}'] = None
    # Without validation there is no best checkpoint to save.
    hooks = cfg.setdefault('default_hooks', {})
    hooks.setdefault('checkpoint', dict(type='SafeCheckpointHook')).pop('save_best', None)
    last = find_last_whole_checkpoint(folder)
    if last:
        report(f'    goes on from {Path(last).name}')
        cfg.resume, cfg.load_from = True, None
    elif run.parent:
        cfg.load_from = run.parent.checkpoint(work_dir)
    start = time.time()
    runner = _runner(cfg, folder)
    runner.register_hook(_Progress(report), priority='LOWEST')
    runner.train()
    _close(runner)
    seconds = round(time.time() - start, 1)
    checkpoint = Path(find_last_whole_checkpoint(folder)).name
    record = dict(
        seconds=seconds,
        resumed=bool(last),
        checkpoint=checkpoint,
        stores=run.stores('train'),
        files=run.files('train'),
        device=_device(),
        torch=torch.__version__,
    )
    # Written last: this file says that the training is complete.
    write_atomic(_dump(record), str(folder / 'trained.json'))


def test(run: Run, work_dir: Path) -> None:
    """Tests a trained run once, and records the figures."""
    start = time.time()
    record = _regress(run) if run.fit is not None else _test_model(run, work_dir)
    record.update(seconds=round(time.time() - start, 1), device=_device())
    write_atomic(_dump(record), str(run.folder(work_dir) / f'test_{run.test_key}.json'))


def _regress(run: Run) -> dict:
    loaders = run.cfg.train_dataloader, run.cfg.test_dataloader
    train, test = (DATASETS.build(dict(loader.dataset, _scope_=SCOPE)) for loader in loaders)
    metrics = logistic_regression(train, test, **run.fit)
    return dict(
        metrics=metrics,
        stores=run.stores('train', 'test'),
        files=run.files('train', 'test'),
        glosses=test.glosses,
    )


def _test_model(run: Run, work_dir: Path) -> dict:
    folder = run.folder(work_dir)
    cfg = copy.deepcopy(run.cfg)
    for key in ('dataloader', 'evaluator', 'cfg'):
        cfg[f'val_{key}'] = None
    cfg.load_from, cfg.resume = run.checkpoint(work_dir), False
    cfg.test_cfg = cfg.get('test_cfg') or dict(type='TestLoop')
    dump = folder / f'predictions_{run.test_key}.pkl'
    if run.keep_scores:
        evaluators = (
            cfg.test_evaluator if isinstance(cfg.test_evaluator, (list, tuple)) else [cfg.test_evaluator]
        )
        cfg.test_evaluator = [*evaluators, dict(type='signbert_mm.DumpPredictions', out_file_path=str(dump))]
    runner = _runner(cfg, folder)
    metrics = {key: float(value) for key, value in runner.test().items()}
    meta = getattr(runner.test_dataloader.dataset, 'metainfo', {})
    # How many clips of a published data set were available.
    coverage = meta.get('coverage', [])
    _close(runner)
    if run.keep_scores:
        save_scores(run.scores(work_dir), clip_scores(run.name, load_predictions(dump)))
        dump.unlink()
    return dict(
        metrics=metrics,
        stores=run.stores('test'),
        files=run.files('test'),
        coverage=coverage,
        glosses=list(meta.get('glosses', [])),
    )


def is_done(run: Run, tests: Set[Run], work_dir: Path) -> bool:
    """Whether a run is trained and, if it is one of ``tests``, tested."""
    return run.trained(work_dir) is not None and (run not in tests or run.is_tested(work_dir))


def _attempt(run: Run, tests: Set[Run], work_dir: Path, report: Report, title: str) -> bool:
    """Does a run, unless its parent is not trained or another process does it; returns whether it did."""
    if run.parent and run.parent.trained(work_dir) is None:
        return False
    with hold(run.folder(work_dir) / '.lock') as locked:
        # Another process may have done it between the first look and the lock.
        if not locked or is_done(run, tests, work_dir):
            return False
        report(title)
        # Hides mmengine's lines; the log in the run's folder has them.
        with open(os.devnull, 'w') as nowhere, redirect_stdout(nowhere):
            if run.trained(work_dir) is None:
                train(run, work_dir, report)
            if run in tests and not run.is_tested(work_dir):
                test(run, work_dir)
    return True


def _seconds_of(runs: Iterable[Run], work_dir: Path) -> Dict[Union[str, bool], float]:
    """Mean seconds of the finished trainings of each config file, and of all that have a parent or none."""
    known: Dict[Union[str, bool], List[float]] = {}
    for run in runs:
        record = run.trained(work_dir)
        # The seconds of a resumed training are those of its last part only.
        if record is not None and not record['resumed']:
            for key in (run.stem, run.parent is None):
                known.setdefault(key, []).append(record['seconds'])
    return {key: sum(values) / len(values) for key, values in known.items()}


def _cost(run: Run, seconds: Dict[Union[str, bool], float], work_dir: Path) -> Optional[float]:
    """Seconds that a run will train; None = nothing like it was trained yet."""
    if run.trained(work_dir) is not None:
        return 0.0
    # Where this config was never trained: pre-trainings are unlike what starts from them.
    return seconds.get(run.stem, seconds.get(run.parent is None))


def execute(runs: List[Run], tests: Set[Run], work_dir: Path, report: Optional[Report] = None) -> None:
    """Trains and tests in order all runs that are not done.

    A run that another process works on is left to it, and waited for at the end.

    Args:
        runs (list[Run]): Each after its parent.
        tests (set[Run]): Those to test.
        work_dir (Path): Folder of the runs' folders.
        report (callable, optional): Takes lines of progress; None prints them.
    """
    report = report or partial(print, file=sys.stdout, flush=True)
    pending = [run for run in runs if not is_done(run, tests, work_dir)]
    total, start, spent = len(runs), time.time(), 0.0
    waiting: Optional[str] = None
    while pending:
        seconds = _seconds_of(runs, work_dir)
        cost = {run: _cost(run, seconds, work_dir) for run in pending}
        # Seconds of training a second, of all processes together.
        rate = spent / (time.time() - start) if spent else 1.0
        left = '' if None in cost.values() else f', about {in_words(sum(cost.values()) / rate)} left'
        for run in pending:
            title = f'[{total - len(pending) + 1}/{total}{left}] {run.name}'
            if _attempt(run, tests, work_dir, report, title):
                waiting = None
                break
        else:
            if waiting is None:
                waiting = pending[0].name
                report(f'Waiting for {len(pending)} runs of another process, among them {waiting}')
            time.sleep(_POLL)
        done = [run for run in pending if is_done(run, tests, work_dir)]
        spent += sum(cost[run] or 0.0 for run in done)
        pending = [run for run in pending if run not in done]
