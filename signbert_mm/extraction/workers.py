"""Extracts videos in this process, or in several, of which one may die without ending the run."""

import contextlib
import errno
import multiprocessing
import os
import signal
import sys
from multiprocessing.connection import Connection, wait
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

import numpy as np

from ..datasets.frame_times import uneven_times
from ..errors import UserRuntimeError
from .frames import Frame, VideoError
from .parts import PartsError, PartWriter, Record, local_rank, stamp_of
from .pose_extractor import PoseExtractor, build_extractor
from .progress import Progress
from .video_reader import open_video

# Frames between two reports of progress.
_REPORT_EVERY = 25
# A full or read-only disk, or no more open files. The next video would fail in the same way.
_MACHINE_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)


def _machine_error(error: Optional[BaseException]) -> Optional[OSError]:
    """The error among ``error`` and its causes that concerns this machine and not the video, if any."""
    while error is not None and not (isinstance(error, OSError) and error.errno in _MACHINE_ERRNOS):
        error = error.__cause__ or error.__context__
    return error


def extract_video(
    video_id: str,
    path: str,
    extractor: PoseExtractor,
    writer: PartWriter,
    reading: Dict[str, Any],
    report: Any,
) -> Record:
    """Extracts one video into a part. An error of the video becomes its record and does not end the run.

    Args:
        reading (dict): Arguments of :func:`open_video`.
        report (Callable): Called with a number of frames now and then.

    Raises:
        OSError: Poses cannot be written, or this machine cannot open more files. The video does not count as
            failed.
    """
    record = Record(video_id, stamp_of(path))
    writer.begin()
    try:
        with open_video(path, **reading) as video:
            extractor.reset()
            unreported = 0
            times: List[float] = []
            for pose in extractor.stream(_images(video, times)):
                writer.add(pose)
                unreported += 1
                if unreported == _REPORT_EVERY:
                    report(unreported)
                    unreported = 0
            report(unreported)
            record.width, record.height, record.fps, record.damaged = (
                video.width,
                video.height,
                float(video.fps),
                video.damaged,
            )
            record.start = round(float(times[0]), 6)
            uneven = uneven_times(np.asarray(times), record.fps)
            record.times = None if uneven is None else [round(float(time), 4) for time in uneven]
    except PartsError:
        raise
    # A backend may raise anything on an odd file.
    except Exception as error:
        fault = _machine_error(error)
        if fault is not None:
            raise OSError(
                f'{path}: cannot be read now ({fault.strerror}); correct that and run it again: '
                'finished videos are kept'
            ) from error
        record.error = (
            str(error) if isinstance(error, VideoError) else (f'{path}: {type(error).__name__}: {error}')
        )
    writer.finish(record)
    return record


def _images(frames: Iterable[Frame], times: List[float]) -> Iterator[np.ndarray]:
    """The images of frames. Their times are added to ``times``."""
    for frame in frames:
        times.append(frame.time)
        yield frame.image


def run_here(
    todo: List[Tuple[str, str]], parts: str, extractor: PoseExtractor, reading: Dict[str, Any], shown: bool
) -> None:
    """Does all of ``todo`` in this process."""
    progress = Progress(len(todo), _bytes(todo), shown=shown)
    writer = PartWriter(parts)
    try:
        for video_id, path in todo:
            record = extract_video(video_id, path, extractor, writer, reading, progress.add_frames)
            progress.add_video(record.stamp[0], record.error)
    finally:
        writer.close()
        progress.close()


def run_processes(
    todo: List[Tuple[str, str]],
    parts: str,
    extractor: Any,
    reading: Dict[str, Any],
    workers: int,
    shown: bool,
) -> None:
    """Does all of ``todo`` in ``workers`` processes, each of which fetches its next video when it is ready.

    A process that dies (a crash in native code, no memory) is replaced; its video is tried once more and then
    counts as failed.

    Raises:
        RuntimeError: A process could not build the extractor, or died before it had a video.
        OSError: As for :func:`extract_video`.
    """
    progress = Progress(len(todo), _bytes(todo), shown=shown)
    queue = list(reversed(todo))
    attempts: Dict[str, int] = {}
    writer: Optional[PartWriter] = None
    pool: Dict[Connection, _Worker] = {}
    try:
        for place in range(workers):
            worker = _Worker(parts, extractor, reading, place, workers)
            pool[worker.pipe] = worker
        while pool:
            for pipe in wait(list(pool)):
                worker = pool[pipe]
                try:
                    kind, value = pipe.recv()
                except EOFError:
                    del pool[pipe]
                    # The pipe is closed, so the process has ended.
                    code = worker.join()
                    if worker.dismissed:
                        continue
                    # The worker reported an error of this machine.
                    if worker.video is not None and worker.error:
                        raise OSError(worker.error) from None
                    if worker.video is None:
                        raise UserRuntimeError(
                            f'a worker could not start: {worker.error or _death(code)}'
                        ) from None
                    video_id, path = worker.video
                    attempts[video_id] = attempts.get(video_id, 0) + 1
                    # The first death may be another video's fault, such as memory that it did not free.
                    if attempts[video_id] < 2:
                        queue.append(worker.video)
                    else:
                        writer = writer or PartWriter(parts)
                        record = Record(
                            video_id,
                            stamp_of(path),
                            error=f'{path}: the process that read it {_death(code)}, twice',
                        )
                        writer.finish(record)
                        progress.add_video(record.stamp[0], record.error)
                    worker = _Worker(parts, extractor, reading, worker.place, workers)
                    pool[worker.pipe] = worker
                    continue
                if kind == 'frames':
                    progress.add_frames(value)
                    continue
                if kind == 'error':
                    worker.error = value
                    continue
                if kind == 'video':
                    progress.add_video(*value)
                worker.assign(queue.pop() if queue else None)
    finally:
        for worker in pool.values():
            worker.stop()
        if writer is not None:
            writer.close()
        progress.close()


class _Worker:
    """A process and the pipe to it; ``video`` is the one that it works on."""

    def __init__(self, parts: str, extractor: Any, reading: Dict[str, Any], place: int, workers: int) -> None:
        # Neither torch nor MediaPipe survives a fork.
        context = multiprocessing.get_context('spawn')
        self.pipe, child_pipe = context.Pipe()
        self.video: Optional[Tuple[str, str]] = None
        self.place, self.dismissed, self.error = place, False, ''
        # Chooses the GPU, where there are several.
        rank = local_rank() * workers + place
        self._process = context.Process(
            target=_work, args=(child_pipe, parts, extractor, reading, rank), daemon=True
        )
        self._process.start()
        child_pipe.close()

    def assign(self, video: Optional[Tuple[str, str]]) -> None:
        self.video, self.dismissed = video, video is None
        # A process that has died shows at its end of the pipe.
        with contextlib.suppress(OSError):
            self.pipe.send(video)

    def join(self) -> int:
        self._process.join()
        self.pipe.close()
        return self._process.exitcode

    def stop(self) -> None:
        self._process.terminate()
        self.join()


def _work(pipe: Connection, parts: str, extractor: Any, reading: Dict[str, Any], rank: int) -> None:
    """A worker's loop: one video at a time until None arrives or the parent ends."""
    # Ctrl-C reaches all processes. The parent ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ['LOCAL_RANK'] = str(rank)

    def send(kind: str, value: Any = None) -> None:
        try:
            pipe.send((kind, value))
        # The parent was killed. The video stays unfinished.
        except OSError:
            os._exit(1)

    try:
        built = build_extractor(extractor)
        writer = PartWriter(parts)
    except Exception as error:
        send('error', f'{type(error).__name__}: {error}')
        sys.exit(1)
    send('ready')
    while True:
        try:
            video = pipe.recv()
        except EOFError:
            os._exit(1)
        if video is None:
            break
        try:
            record = extract_video(*video, built, writer, reading, lambda frames: send('frames', frames))
        except OSError as error:
            send('error', str(error))
            sys.exit(1)
        send('video', (record.stamp[0], record.error))
    writer.close()
    built.close()


def _death(code: Optional[int]) -> str:
    if code is not None and code < 0:
        return f'was killed by signal {-code} ({signal.Signals(-code).name})'
    return f'ended with exit code {code}'


def _bytes(todo: List[Tuple[str, str]]) -> int:
    return sum(max(0, stamp_of(path)[0]) for _, path in todo)


__all__ = ['extract_video', 'run_here', 'run_processes']
