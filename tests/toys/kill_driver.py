"""Runs ``tools/train.py`` in processes of its own and kills them; one import serves all, since each run is
forked from here before torch has worked.

``kill_driver.py TRAIN_PY CONFIG FOLDER ITERATIONS KILLS SEED [options]``: once whole in FOLDER/whole, then in
FOLDER/killed with KILLS SIGKILLs at random moments, each followed by ``--resume``. Prints one line of JSON.
"""

import json
import os
import random
import runpy
import signal
import sys
import time
from pathlib import Path

import mmengine.runner  # noqa: F401
import torch  # noqa: F401

import signbert_mm.engine  # noqa: F401


def start(train, arguments, environment=None):
    pid = os.fork()
    if pid:
        return pid
    os.environ.update(environment or {})
    log = os.open(
        os.devnull if not os.environ.get('KILL_DRIVER_LOG') else os.environ['KILL_DRIVER_LOG'],
        os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    )
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = [train, *arguments]
    code = 1
    try:
        runpy.run_path(train, run_name='__main__')
        code = 0
    finally:
        os._exit(code)


def iteration(folder):
    """The last iteration that a run has logged."""
    losses = Path(folder, 'losses.txt')
    lines = losses.read_text().splitlines(keepends=True) if losses.exists() else []
    lines = [line for line in lines if line.endswith('\n')]
    return int(lines[-1].split()[0]) if lines else -1


def wait(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main():
    train, config, folder, total, kills, seed, *options = sys.argv[1:]
    total, kills, draw = int(total), int(kills), random.Random(int(seed))
    whole, killed = os.path.join(folder, 'whole'), os.path.join(folder, 'killed')
    report = dict(whole=wait(start(train, [config, '--work-dir', whole, *options])), killed=[], at=[])
    arguments = [config, '--work-dir', killed, '--resume', *options]
    span = total // (kills + 2)
    for k in range(kills):
        target = draw.randrange(k * span + 1, (k + 1) * span)
        pid = start(train, arguments)
        while (
            iteration(killed) < target
            and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        ):
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.03))
        os.kill(pid, signal.SIGKILL)
        report['killed'].append(wait(pid))
        report['at'].append(iteration(killed))
    # and in the middle of writing a checkpoint
    report['torn'] = wait(start(train, arguments, dict(TOY_KILL_STAGE='save', TOY_KILL_AT=str(total - span))))
    report['finished'] = wait(start(train, arguments))
    print(json.dumps(report))


if __name__ == '__main__':
    main()
