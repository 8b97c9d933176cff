"""Reads videos as streams of upright RGB frames."""

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Iterator, Optional, Tuple, Union

import numpy as np

from ..errors import UserModuleNotFoundError
from ..files.video_formats import open_container
from .frames import Frame, VideoError, check_reading, resample
from .image_folder import ImageFolderReader

if TYPE_CHECKING:
    import av
    from av.container import InputContainer


# Demuxers whose clock has a 0 of its own. In others it may begin at any number, and the file begins there.
_OWN_ZERO = ('mov', 'matroska')
INSTALL_AV = 'reading videos needs PyAV: run `make install-extract`, or: pip install "signbert_mm[extract]"'


def open_video(
    path: Union[str, os.PathLike],
    fps: Optional[float] = None,
    truncated: str = 'error',
    image_fps: float = 0.0,
) -> Union['VideoReader', ImageFolderReader]:
    """A :class:`VideoReader` of a file, or an :class:`ImageFolderReader` of a folder of numbered images.

    Args:
        path (str | Path): Any container that FFmpeg reads, or a folder. Playlists are refused, since they
            could read other files.
        fps, truncated: As for :class:`VideoReader`.
        image_fps (float): The rate of a folder of images, which has none of its own; 0 = unknown.

    Raises:
        VideoError: The file is missing, empty, holds no video (audio only), or none of it can be decoded.
    """
    if os.path.isdir(path):
        return ImageFolderReader(path, fps, truncated, image_fps)
    return VideoReader(path, fps, truncated)


class VideoReader:
    """Streams a video through PyAV, with one frame in memory at a time.

    Iterating yields :class:`Frame` objects, which unpack as ``image, time``. A second iteration starts at the
    beginning.
    The container's display matrix (portrait rotation, mirroring) is applied, and a stream whose frame size
    changes is scaled to its first frame. Pixels are those that the file stores: a sample aspect ratio is not
    applied. A damaged packet in the middle is skipped and counted.

    Args:
        path (str | Path): Any container that FFmpeg reads from one file; playlists are refused.
        fps (float, optional): Resample to this rate: the nearest frame at each multiple of 1 / fps. None =
            every frame as it is.
        truncated (str): For a file that ends before its header says: 'error', or 'keep' to read the frames
            that exist.

    Attributes:
        width, height (int): Size of the frames, after rotation.
        fps (float): The argument ``fps`` if set, else the header's rate. After an iteration: the header's
            where it agrees with the timestamps to 2 %, else that of the timestamps. 0 = unknown.
        frames (int): The frame count that the header claims; 0 = none.
        damaged (int): Packets that could not be decoded, in the last iteration.
        start (float): The first frame's time: seconds from the file's time 0, as of all frames. Above 0 where
            an edit list, or sound that begins before the picture, makes the picture late.

    Raises:
        VideoError: As for :func:`open_video`; while iterating, when the file turns out to be truncated.
        ValueError: ``fps`` is not positive, or ``truncated`` is unknown.
        ModuleNotFoundError: PyAV is not installed.
    """

    def __init__(
        self, path: Union[str, os.PathLike], fps: Optional[float] = None, truncated: str = 'error'
    ) -> None:
        check_reading(fps, truncated)
        try:
            import av
        except ModuleNotFoundError as error:
            raise UserModuleNotFoundError(INSTALL_AV) from error
        self._av = av
        self.path = os.fspath(path)
        self._target, self._truncated = fps, truncated
        self.damaged = 0
        self._container, self._stream = self._open()
        self._zero = self.start = 0.0
        self._turn: Tuple[bool, bool, bool] = (False, False, False)
        self._size = (0, 0)
        self._decoded: Optional[Iterator[av.VideoFrame]] = None
        rate = self._stream.average_rate or self._stream.guessed_rate
        # Containers without a rate report their time base, such as 90000.
        self._header_fps = float(rate) if rate and 0 < rate < 1000 else 0.0
        self.fps = fps or self._header_fps
        self.frames = max(0, self._stream.frames or 0)
        # Decode the first frame now: a file without any fails here, and size and rotation are known.
        self._decoded = self._decode()
        try:
            self._first = next(self._decoded, None)
        except VideoError:
            self.close()
            raise
        if self._first is None:
            self.close()
            raise VideoError(
                f'{self.path}: no frame can be decoded ({self.damaged} damaged packets); get '
                'the file again or leave it out'
            )
        if self._first.pts is not None:
            first = float(self._first.pts * self._first.time_base)
            self._zero = min(_time_zero(self._container), first)
            self.start = first - self._zero
        self._turn = _orientation(self._first)
        self._size = (self._first.width, self._first.height)
        self.width, self.height = self._size[::-1] if self._turn[0] else self._size

    def _open(self) -> Tuple['InputContainer', 'av.VideoStream']:
        if not Path(self.path).is_file():
            raise VideoError(f'{self.path}: no such file')
        if not os.path.getsize(self.path):
            raise VideoError(f'{self.path}: empty (0 bytes); get the file again or leave it out')
        try:
            container = open_container(self.path)
        except (self._av.FFmpegError, OSError, ValueError) as error:
            if getattr(error, 'errno', None) == errno.EINVAL:
                raise VideoError(
                    f'{self.path}: of a format that is not read: no video, or a playlist, which could name '
                    'other files; give the video itself, '
                    'or convert it to MP4'
                ) from error
            raise VideoError(
                f'{self.path}: not a video that FFmpeg reads, or cut short ({_reason(error)}); '
                'get it again or leave it out'
            ) from error
        streams = [stream for stream in container.streams.video if not _is_cover(stream)]
        if not streams:
            kinds = sorted({stream.type for stream in container.streams} - {'video'})
            container.close()
            raise VideoError(
                f'{self.path}: no video in it, only {", ".join(kinds) or "a picture"}; leave it out'
            )
        stream = streams[0]
        if stream.codec_context is None:
            container.close()
            raise VideoError(f'{self.path}: FFmpeg has no decoder for its video; convert the file')
        return container, stream

    def _decode(self) -> Iterator['av.VideoFrame']:
        """All frames; counts damaged packets, and refuses a file that ends too early."""
        self.damaged = 0
        # MP4 keeps an index of all packets, which shows a cut file before anything is decoded.
        cut = _bytes_beyond_the_end(self._stream, self.path)
        end, broken = None, ''
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except self._av.FFmpegError as error:
                broken = _reason(error)
                break
            try:
                frames = packet.decode()
            except self._av.FFmpegError:
                self.damaged += 1
                continue
            for frame in frames:
                if frame.pts is not None:
                    end = max(end or 0.0, float((frame.pts + (frame.duration or 0)) * frame.time_base))
                yield frame
        if self._truncated == 'keep':
            return
        header_end = _header_end(self._container, self._stream)
        where = f'{self.path}: truncated:'
        remedy = "get it again, or read what is there with truncated='keep' (--truncated keep)"
        if broken:
            raise VideoError(f'{where} reading stops after {end or 0:.2f} s ({broken}); {remedy}')
        if cut:
            raise VideoError(f'{where} {cut}; {remedy}')
        # Headers are imprecise, so half a second or 5 % may be missing.
        if end is not None and header_end and end < header_end - max(0.5, 0.05 * header_end):
            raise VideoError(
                f'{where} the header says {header_end:.2f} s, the frames end at {end:.2f} s; {remedy}'
            )

    def _frames(self) -> Iterator[Frame]:
        # A second iteration opens the file again.
        if self._first is None:
            self.close()
            self._container, self._stream = self._open()
            self._decoded, self._first = self._decode(), None
        decoded, first = self._decoded, self._first
        self._decoded = self._first = None
        step = 1 / self._header_fps if self._header_fps else 1 / 25
        start, time, count, clock_offset = None, None, 0, 0.0
        frame = first if first is not None else next(decoded, None)
        while frame is not None:
            if frame.pts is None:
                time = 0.0 if time is None else time + step
            else:
                now = float(frame.pts * frame.time_base) - self._zero + clock_offset
                # The clock starts anew in joined recordings.
                if time is not None and now < time:
                    clock_offset += time + step - now
                    now = time + step
                time = now
            start = time if start is None else start
            count += 1
            image = frame.to_ndarray(format='rgb24', width=self._size[0], height=self._size[1])
            yield Frame(_upright(image, self._turn), time)
            frame = next(decoded, None)
        if self._target is None and count > 1 and time > start:
            measured = (count - 1) / (time - start)
            if abs(measured - self._header_fps) > 0.02 * measured:
                self.fps = measured

    def __iter__(self) -> Iterator[Frame]:
        return self._frames() if self._target is None else resample(self._frames(), self._target)

    def close(self) -> None:
        """Closes the file; iterating again opens it again."""
        self._decoded = self._first = None
        self._container.close()

    def __enter__(self) -> 'VideoReader':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f'VideoReader({self.path!r}: {self.width} x {self.height}, {self.fps:.3g} fps)'


def _time_zero(container: 'InputContainer') -> float:
    """Seconds on the container's clock at the file's time 0, from which players and ELAN count."""
    if {*container.format.name.split(',')} & {*_OWN_ZERO} or container.start_time is None:
        return 0.0
    return container.start_time / 1e6


def _is_cover(stream: 'av.VideoStream') -> bool:
    """Whether this stream is the still picture that sound files carry."""
    # Since PyAV 13.
    disposition = getattr(stream, 'disposition', None)
    return disposition is not None and bool(disposition & type(disposition).attached_pic)


def _reason(error: BaseException) -> str:
    return str(getattr(error, 'strerror', None) or error)


def _orientation(frame: 'av.VideoFrame') -> Tuple[bool, bool, bool]:
    """What the display matrix asks for: (transpose, then mirror left-right, then mirror top-bottom).

    The matrix maps a stored point (p, q) to p' = a p + c q, q' = b p + d q, x to the right and y downwards.
    It is rounded to the nearest quarter turn.
    """
    data = frame.side_data.get('DISPLAYMATRIX')
    if data is None:
        return False, False, False
    # The matrix is stored row by row as nine numbers in fixed point. Only the signs and sizes matter here.
    a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32, count=5).tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


def _upright(image: np.ndarray, turn: Tuple[bool, bool, bool]) -> np.ndarray:
    transpose, left_right, top_bottom = turn
    if not any(turn):
        return image
    if transpose:
        image = image.transpose(1, 0, 2)
    return np.ascontiguousarray(image[:: -1 if top_bottom else 1, :: -1 if left_right else 1])


def _bytes_beyond_the_end(stream: 'av.VideoStream', path: str) -> str:
    """In words, how many bytes the container's index needs beyond the end of the file.

    '' where it needs none, or where there is no index.
    """
    # Since PyAV 15.
    entries = getattr(stream, 'index_entries', None)
    if not entries:
        return ''
    last, size = entries[len(entries) - 1], os.path.getsize(path)
    return (
        f'{size} bytes found, its index needs {last.pos + last.size}' if last.pos + last.size > size else ''
    )


def _header_end(container: 'InputContainer', stream: 'av.VideoStream') -> float:
    """Time in seconds at which the last frame ends according to the header; 0 = it does not say."""
    start = float((stream.start_time or 0) * stream.time_base)
    if stream.duration:
        return start + float(stream.duration * stream.time_base)
    # Matroska writes 00:00:02.000000000, on the container's clock.
    tag = stream.metadata.get('DURATION', '')
    if tag.count(':') == 2:
        try:
            hours, minutes, seconds = (float(part) for part in tag.split(':'))
        except ValueError:
            return 0.0
        return hours * 3600 + minutes * 60 + seconds
    # The container's duration is that of its longest stream, so it counts only where there is one stream.
    if container.duration and len(container.streams) == 1:
        return start + container.duration / 1e6
    return 0.0
