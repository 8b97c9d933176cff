"""Runs ``tools/train.py`` in processes of its own and kills them; one import serves all, since each run is forked from here before torch has worked.

``kill_driver.py TRAIN_PY CONFIG FOLDER KILLS SEED [options]``: once whole in FOLDER/whole, then in FOLDER/killed with KILLS SIGKILLs at random
moments, each followed by ``--resume``. Prints one line of JSON.
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
    log = os.open(os.devnull if not os.environ.get('KILL_DRIVER_LOG') else os.environ['KILL_DRIVER_LOG'], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = [train, *arguments]
    code = 1
    try:
        runpy.run_path(train, run_name='__main__')
        code = 0
    finally:
        os._exit(code)


def main():
    train, config, folder, kills, seed, *options = sys.argv[1:]
    draw = random.Random(int(seed))
    whole, killed = os.path.join(folder, 'whole'), os.path.join(folder, 'killed')
    begin = time.time()
    _, status = os.waitpid(start(train, [config, '--work-dir', whole, *options]), 0)
    duration = time.time() - begin
    report = dict(whole=os.waitstatus_to_exitcode(status), duration=duration, killed=[])
    arguments = [config, '--work-dir', killed, '--resume', *options]
    for _ in range(int(kills)):
        pid = start(train, arguments)
        time.sleep(draw.uniform(0.2, 0.8) * duration)
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        report['killed'].append(os.waitstatus_to_exitcode(status))
    # and in the middle of writing a checkpoint, wherever the run has come to
    losses = Path(killed, 'losses.txt')
    done = len(losses.read_text().splitlines()) if losses.exists() else 0
    _, status = os.waitpid(start(train, arguments, dict(TOY_KILL_STAGE='save', TOY_KILL_AT=str(done // 2 + 1))), 0)
    report['torn'] = os.waitstatus_to_exitcode(status)
    _, status = os.waitpid(start(train, arguments), 0)
    report['finished'] = os.waitstatus_to_exitcode(status)
    print(json.dumps(report))


if __name__ == '__main__':
    main()
