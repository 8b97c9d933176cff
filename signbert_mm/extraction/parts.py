"""Keeps the finished part of an extraction on disk. Every process appends to files of its own."""

import contextlib
import glob
import hashlib
import json
import logging
import math
import os
import socket
import uuid
import zlib
from dataclasses import asdict, dataclass
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

import numpy as np

from ..errors import UserRuntimeError, UserValueError
from ..files.folders import IMAGE_SUFFIXES, suffix_of
from ..logs import print_log

JOINTS, VALUES = 133, 3
_FRAME_BYTES = JOINTS * VALUES * 4
# Frames that are read at once, 6.5 MB.
_PIECE = 4096
_META = 'extraction.json'
# Bytes at either end of a video that tell it from others; its index of frames is at one of them.
_ENDS = 1 << 16


class PartsError(OSError):
    """Poses could not be written. The current video does not count as failed and is done again."""


@dataclass
class Record:
    """One finished video: its rows in a part file, or why it has none.

    ``stamp`` is the source file's size and time of change; a video that was replaced is done again. An empty
    ``error`` means that its poses exist. ``times`` are the seconds of its frames since the first, where its
    rate is uneven. ``start`` is the first frame's time in the file; None = an earlier version did not record
    it.
    """

    video_id: str
    stamp: Tuple[int, int]
    error: str = ''
    part: str = ''
    offset: int = 0
    frames: int = 0
    crc: int = 0
    width: int = 0
    height: int = 0
    fps: float = 0.0
    damaged: int = 0
    times: Optional[List[float]] = None
    start: Optional[float] = None


def stamp_of(path: str) -> Tuple[int, int]:
    """Size in bytes and time of change in ns, or (-1, 0) for a missing file.

    For a folder these are of its list of files.
    """
    try:
        state = os.stat(path)
    except OSError:
        return -1, 0
    return state.st_size, state.st_mtime_ns


def digest_of(path: str) -> str:
    """Tells a video from others wherever it lies: digest of its size and its ends; '' if it cannot be read.

    For a folder these are the sizes of all its images, and the ends of the first and the last.
    """
    try:
        files = [path]
        if os.path.isdir(path):
            names = (name for name in sorted(os.listdir(path)) if name[0] != '.')
            files = [os.path.join(path, name) for name in names if suffix_of(name) in IMAGE_SUFFIXES]
        sizes = [os.path.getsize(file) for file in files]
        digest = hashlib.blake2b(repr(sizes).encode(), digest_size=8)
        for file in dict.fromkeys([*files[:1], *files[-1:]]):
            with open(file, 'rb') as stream:
                digest.update(stream.read(_ENDS))
                stream.seek(max(0, os.path.getsize(file) - _ENDS))
                digest.update(stream.read(_ENDS))
    except OSError:
        return ''
    return digest.hexdigest()


def was_replaced(path: str, digest: str) -> bool:
    """Whether another file lies there now than that of this :func:`digest_of`; False where none does."""
    return digest_of(path) not in ('', digest)


def differences(saved: dict, facts: dict) -> str:
    """The facts that differ, for messages; '' = none: 'fps: None there, 10 now'."""
    return '; '.join(
        f'{key}: {saved.get(key)!r} there, {facts.get(key)!r} now'
        for key in sorted({*saved, *facts})
        if saved.get(key) != facts.get(key)
    )


def open_parts(folder: str, facts: dict) -> None:
    """Creates the folder of parts, or refuses one that was begun with other settings.

    Args:
        folder (str): Next to the future store.
        facts (dict): What every part depends on: extractor, version, settings, frame rate.

    Raises:
        ValueError: The folder holds parts of other settings; the message names them. Or it holds other files.
        OSError: The folder cannot be created.
    """
    path = os.path.join(folder, _META)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise type(error)(
            f'{folder}: cannot be made ({error.strerror}); choose another OUT, where you may write'
        ) from None
    names = sorted(os.listdir(folder))
    # The folder is removed with all that is in it when the store is there.
    if names and not any(name.startswith(_META) for name in names):
        raise UserValueError(f'{folder}: holds {names[0]!r}, which is no part of a store; choose another OUT')
    text = json.dumps(facts, sort_keys=True, indent=1)
    if not os.path.exists(path):
        temporary = f'{path}.{uuid.uuid4().hex}'
        with open(temporary, 'w', encoding='utf-8') as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link fails where the file exists, so of two ranks that start at once one wins.
            os.link(temporary, path)
        except FileExistsError:
            pass
        except OSError:
            # The file system has no links.
            os.replace(temporary, path)
        if os.path.exists(temporary):
            os.remove(temporary)
    try:
        with open(path, encoding='utf-8') as file:
            saved = json.load(file)
    except (ValueError, RecursionError):
        saved = None
    if not isinstance(saved, dict):
        raise UserValueError(
            f'{path}: damaged, so the settings of these parts are not known; remove {folder} to begin anew'
        )
    # Compare what JSON keeps: tuples become lists there.
    facts = json.loads(text)
    if saved != facts:
        raise UserValueError(
            f'{folder}: begun with other settings ({differences(saved, facts)}); go on with '
            'those, choose another OUT, or remove the folder to begin anew'
        )


class PartWriter:
    """Appends poses of videos to a part file of its own, which no other process, on any machine, writes.

    A video counts as finished when its line is in the index. The line is written after the poses have reached
    the disk, so the unfinished work of a killed process is ignored.

    Args:
        folder (str): The folder of parts.
    """

    def __init__(self, folder: str) -> None:
        self.name = f'part-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}'
        self._data = open(os.path.join(folder, f'{self.name}.bin'), 'wb')  # noqa: SIM115 - closed by close()
        self._index = open(os.path.join(folder, f'{self.name}.jsonl'), 'w', encoding='utf-8')  # noqa: SIM115
        self._begin, self._crc, self._frames = 0, 0, 0

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PartsError(
                f'{self._data.name}: poses cannot be written ({error.strerror or error}); make room there '
                'and run it again: finished videos are kept'
            ) from error

    def begin(self) -> None:
        """Starts a new video and drops what the previous one left unfinished.

        Raises:
            PartsError: The file cannot be written; as for all methods here.
        """
        with self._writing():
            # Half a video may lie behind the last finished one.
            self._data.seek(self._begin)
            self._data.truncate()
        self._crc = self._frames = 0

    def add(self, pose: np.ndarray) -> None:
        """Adds one frame, shape (133, 3) float32."""
        data = np.ascontiguousarray(pose, dtype='<f4').tobytes()
        with self._writing():
            self._data.write(data)
        self._crc = zlib.crc32(data, self._crc)
        self._frames += 1

    def finish(self, record: Record) -> None:
        """Records a video as done, with its poses or with ``record.error``."""
        if record.error:
            self.begin()
        else:
            record.part, record.offset, record.frames, record.crc = (
                self.name,
                self._begin,
                self._frames,
                self._crc,
            )
            with self._writing():
                self._data.flush()
                # Poses first, then the line that counts them.
                os.fsync(self._data.fileno())
                self._begin = self._data.tell()
        with self._writing():
            self._index.write(_line_of(record))
            self._index.flush()
            os.fsync(self._index.fileno())

    def close(self) -> None:
        """Closes both files. Everything that counts has reached the disk before."""
        for file in (self._data, self._index):
            with contextlib.suppress(OSError):
                file.close()


def _line_of(record: Record) -> str:
    text = json.dumps(asdict(record))
    return f'{text[:-1]}, "check": {zlib.crc32(text.encode())}}}\n'


def _record_of(line: bytes, part: str, size: int) -> Record:
    """The record of a line of the index of ``part``, whose poses have ``size`` bytes.

    Raises:
        ValueError, KeyError, TypeError, RecursionError: The line is damaged.
    """
    row = json.loads(line.decode('utf-8'))
    # Earlier versions wrote no check sum.
    check = row.pop('check', None)
    if check is not None and check != zlib.crc32(json.dumps(row).encode()):
        raise UserValueError('the line was changed')
    record = Record(**dict(row, stamp=tuple(row['stamp'])))
    texts = all(isinstance(text, str) for text in (record.video_id, record.error, record.part))
    numbers = (
        *record.stamp,
        record.offset,
        record.frames,
        record.crc,
        record.width,
        record.height,
        record.damaged,
    )
    # ``type`` and not ``isinstance``: a bool is no number here.
    if not texts or len(record.stamp) != 2 or not all(type(number) is int for number in numbers):
        raise UserValueError('a field has another type')
    if record.error:
        return record
    rate = isinstance(record.fps, (int, float)) and math.isfinite(record.fps) and record.fps >= 0
    sizes = min(record.width, record.height) > 0 and min(numbers[2:]) >= 0
    start = record.start is None or (isinstance(record.start, (int, float)) and 0 <= record.start < math.inf)
    if (
        not rate
        or not start
        or not sizes
        or record.part != part
        or record.offset % _FRAME_BYTES
        or record.frames < 1
    ):
        raise UserValueError('a field is outside its range')
    if record.offset + record.frames * _FRAME_BYTES > size:
        raise UserValueError('its poses are not all there')
    return record


def read_records(folder: str, videos: Iterable[Tuple[str, str]] = ()) -> Dict[str, Record]:
    """The finished videos by id, of all parts.

    Torn or damaged lines, and lines whose poses are incomplete, are left out. Their videos count as
    unfinished.

    Args:
        folder (str): The folder of parts.
        videos (Iterable[tuple[str, str]]): (video_id, path). Of several records of such a video, the one of
            the current file is used, since a file may have been replaced by an older one.
    """
    stamps = {video_id: stamp_of(path) for video_id, path in videos}
    records: Dict[str, Record] = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), 'part-*.jsonl'))):
        data = f'{path[: -len("jsonl")]}bin'
        size, damaged = os.path.getsize(data) if os.path.exists(data) else -1, 0
        with open(path, 'rb') as file:
            for line in file:
                if not line.endswith(b'\n'):
                    # A killed process was writing this line.
                    continue
                try:
                    record = _record_of(line, os.path.basename(path)[: -len('.jsonl')], size)
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    damaged += 1
                    continue
                # Several ranks or runs may have done the same video.
                kept = records.get(record.video_id)
                if kept is None or _rank(record, stamps) > _rank(kept, stamps):
                    records[record.video_id] = record
        if damaged:
            print_log(
                f'{path}: {damaged} lines are damaged or without their poses; their videos are done again',
                logger='current',
                level=logging.WARNING,
            )
    return records


def _rank(record: Record, stamps: Dict[str, Tuple[int, int]]) -> Tuple[bool, bool, int]:
    """Order of records: those of the current file first, then those with poses, then the newest file's."""
    return record.stamp == stamps.get(record.video_id), not record.error, record.stamp[1]


def unfinished(videos: Iterable[Tuple[str, str]], records: Dict[str, Record]) -> Dict[str, str]:
    """Path by id of the videos that have no record, or were replaced since."""
    return {
        video_id: path
        for video_id, path in videos
        if video_id not in records or records[video_id].stamp != stamp_of(path)
    }


def read_poses(folder: str, record: Record) -> Iterator[np.ndarray]:
    """Yields a video's poses in pieces of shape (up to 4096, 133, 3), float32.

    Raises:
        ValueError: The bytes differ from those that were written. This shows after the last piece.
    """
    path, crc = os.path.join(folder, f'{record.part}.bin'), 0
    with open(path, 'rb') as file:
        file.seek(record.offset)
        for first in range(0, record.frames, _PIECE):
            data = file.read(min(_PIECE, record.frames - first) * _FRAME_BYTES)
            crc = zlib.crc32(data, crc)
            yield np.frombuffer(data, dtype='<f4').reshape(-1, JOINTS, VALUES)
    if crc != record.crc:
        raise UserValueError(
            f'{path}: the poses of {record.video_id!r} are damaged; remove this part file and '
            'run again: only its videos are redone'
        )


def rank_and_world(launcher: str) -> Tuple[int, int]:
    """Rank of this process and number of processes, as torchrun or Slurm set them.

    Raises:
        RuntimeError: The launcher's variables are not in the environment.
        ValueError: The launcher is unknown.
    """
    names: Dict[str, Optional[Tuple[str, str]]] = dict(
        none=None, pytorch=('RANK', 'WORLD_SIZE'), slurm=('SLURM_PROCID', 'SLURM_NTASKS')
    )
    if launcher not in names:
        raise UserValueError(f'launcher is {launcher!r}; choose one of {", ".join(names)}')
    variables = names[launcher]
    if variables is None:
        return 0, 1
    missing = [name for name in variables if not os.environ.get(name, '').isdigit()]
    if missing:
        raise UserRuntimeError(
            f'launcher {launcher!r} without {", ".join(missing)} in the environment: start it with '
            f'{"torchrun" if launcher == "pytorch" else "srun"}'
        )
    return int(os.environ[variables[0]]), int(os.environ[variables[1]])


def local_rank() -> int:
    """Rank of this process on this machine; 0 without a launcher."""
    return int(os.environ.get('LOCAL_RANK') or os.environ.get('SLURM_LOCALID') or 0)
