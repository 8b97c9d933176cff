"""SIGTERM, by which Slurm and other schedulers end a job: a training saves a checkpoint first, other tools
clean up.
"""

import os
import signal
import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional

import torch
import torch.distributed as dist


class TrainingStopped(BaseException):
    """A training was asked to stop and has saved its state; the message is one line that says how to go on.

    It is no ``Exception``, so that nothing on the way takes it for a failure.
    """


class StopFlag:
    """Whether SIGTERM came, to this process or, by :meth:`agreed`, to any of a training's processes."""

    def __init__(self) -> None:
        self.asked = False
        self._group: Optional[Any] = None
        self._several = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
        if self._several and dist.get_backend() != 'gloo':
            self._group = dist.new_group(backend='gloo')  # on the CPU, so that no step waits for the device

    def agreed(self) -> bool:
        """The same answer in every process; each calls it at the same place."""
        if not self._several:
            return self.asked
        flag = torch.tensor(int(self.asked))
        dist.all_reduce(flag, dist.ReduceOp.MAX, group=self._group)
        return bool(flag)


def _end(signum: int, frame: Any) -> None:
    """Leaves through every ``with`` and ``finally``, with a shell's status for the signal."""
    if os.getpid() != _end.process:
        _die(signum)
    raise SystemExit(128 + signum)


def _die(signum: int) -> None:
    """What a forked child does with an inherited handler: nothing of it."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)


@contextmanager
def _handling(handler: Callable, taken_over: tuple) -> Iterator[bool]:
    """Sets a handler of SIGTERM where one of ``taken_over`` is set; in other threads than the first,
    never.
    """
    here = threading.current_thread() is threading.main_thread()
    old = signal.getsignal(signal.SIGTERM)
    if not here or old not in taken_over:
        yield False
        return
    signal.signal(signal.SIGTERM, handler)
    try:
        yield True
    finally:
        signal.signal(signal.SIGTERM, old)


@contextmanager
def cleaning_up() -> Iterator[None]:
    """SIGTERM ends what runs inside as an exception would, so that half-written folders are removed."""
    _end.process = os.getpid()
    with _handling(_end, (signal.SIG_DFL,)):
        yield


@contextmanager
def watching() -> Iterator[StopFlag]:
    """SIGTERM only sets the flag that is yielded. A handler that somebody else has set stays."""
    flag, process = StopFlag(), os.getpid()

    def ask(signum: int, frame: Any) -> None:
        if os.getpid() != process:
            _die(signum)
        flag.asked = True

    with _handling(ask, (signal.SIG_DFL, _end)):
        yield flag


class ShieldedWorker:
    """A loader's ``worker_init_fn`` that ignores SIGTERM from others than the parent, which still needs its
    batches.

    A scheduler signals all processes of a job, and a loader whose worker dies raises in the middle of the
    checkpoint.

    Args:
        init (callable, optional): The ``worker_init_fn`` that was set.
    """

    def __init__(self, init: Optional[Callable[[int], None]]) -> None:
        self.init = init

    def __call__(self, worker: int) -> None:
        if hasattr(signal, 'sigwaitinfo'):
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            threading.Thread(target=_wait_for_parent, args=(os.getppid(),), daemon=True).start()
        if self.init is not None:
            self.init(worker)


def _wait_for_parent(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)  # as torch's own handler does
