"""SIGTERM, by which Slurm and others end a job: a training saves a checkpoint, other tools clean up."""

import os
import signal
import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional

import torch
import torch.distributed as dist

from ...run_command import die, end, handling


class TrainingStopped(BaseException):
    """A training was asked to stop and has saved its state; the message says how to go on.

    It is no ``Exception``, so that nothing on the way takes it for a failure.
    """


class StopFlag:
    """Whether SIGTERM reached this process or, by :meth:`agreed`, any of a training's processes."""

    def __init__(self) -> None:
        self.asked = False
        self._group: Optional[Any] = None
        self._several = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
        if self._several and dist.get_backend() != 'gloo':
            # On the CPU, so that no step waits for the device.
            self._group = dist.new_group(backend='gloo')

    def agreed(self) -> bool:
        """The same answer in every process; each calls it at the same place."""
        if not self._several:
            return self.asked
        flag = torch.tensor(int(self.asked))
        dist.all_reduce(flag, dist.ReduceOp.MAX, group=self._group)
        return bool(flag)


@contextmanager
def watching() -> Iterator[StopFlag]:
    """SIGTERM only sets the flag that is yielded. A handler of other code stays."""
    flag, process = StopFlag(), os.getpid()

    def ask(signum: int, frame: Any) -> None:
        if os.getpid() != process:
            die(signum)
        flag.asked = True

    with handling(ask, (signal.SIG_DFL, end)):
        yield flag


class ShieldedWorker:
    """A loader's ``worker_init_fn`` that ignores SIGTERM from others than the parent.

    A scheduler signals all processes of a job. A loader whose worker dies would raise while the parent saves
    its checkpoint.

    Args:
        init (callable, optional): The ``worker_init_fn`` to call afterwards.
    """

    def __init__(self, init: Optional[Callable[[int], None]]) -> None:
        self.init = init

    def __call__(self, worker: int) -> None:
        # A handler does not learn who sent the signal, a thread that waits for the blocked signal does.
        if hasattr(signal, 'sigwaitinfo'):
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            threading.Thread(target=_wait_for_parent, args=(os.getppid(),), daemon=True).start()
        if self.init is not None:
            self.init(worker)


def _wait_for_parent(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    # As torch's own handler does.
    os._exit(0)
