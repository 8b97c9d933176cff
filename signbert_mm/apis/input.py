"""Whatever a user has, as clips of poses."""

import logging
import os
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Deque,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import cv2
import numpy as np
from mmengine.logging import print_log

from ..datasets.pixel_check import PixelCheck
from ..datasets.pose_store import PoseStore
from ..datasets.pose_store_writer import check_keypoints
from ..datasets.store_format import META, flags_found
from ..datasets.video_dataset import SUFFIXES, VideoFolder
from ..errors import UserRuntimeError, UserTypeError, UserValueError
from ..layouts import Layout
from .clips import PoseClip

if TYPE_CHECKING:
    from ..extraction import Frame

PATIENCE = 5.0  # seconds that a stream waits for an extractor before it says so
ANY_CLOCK = 30.0  # steps a second of a source whose frames have times and that tells no rate


class Failure(NamedTuple):
    """A file of a folder that could not be read."""

    name: str
    error: str


class Camera:
    """A camera as a stream of RGB frames, with the time at which each came.

    Args:
        number (int): As OpenCV counts them, from 0.
        seconds (float, optional): Ends after this time; None = never.

    Attributes:
        fps (float): As it says; it gives fewer where it is not asked often enough. 0 = it says nothing.

    Raises:
        ValueError: There is no such camera.
    """

    def __init__(self, number: int, seconds: Optional[float] = None) -> None:
        self.number, self.seconds = number, seconds
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise UserValueError(
                f'camera {number} cannot be opened; check that it is connected, that no other '
                'program uses it, and its number'
            )
        self.width, self.height = (
            int(self._capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS))

    def __iter__(self) -> Iterator['Frame']:
        from ..extraction import Frame

        start = time.monotonic()
        while self.seconds is None or time.monotonic() - start < self.seconds:
            there, image = self._capture.read()
            if not there:
                return
            yield Frame(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), time.monotonic())

    def close(self) -> None:
        self._capture.release()


def is_camera(source: Any) -> bool:
    """Whether this means a camera: a number, or text of digits that is no file."""
    if isinstance(source, str):
        return source.isdigit() and not os.path.exists(source)
    return isinstance(source, (int, np.integer)) and not isinstance(source, bool)


class ExtractorPool:
    """Lends an extractor to one stream at a time: it remembers the frames before, and its native code may not
    be entered twice.

    Of a name or a config there are as many extractors as streams at the same time; they are kept for the next
    ones. An extractor that was given as an object is the only one, and other threads wait for it.

    Args:
        source (str | dict | PoseExtractor): As :func:`signbert_mm.extraction.build_extractor` takes it; the
            first is built on first use.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._first: Any = None
        self._idle: List[Any] = []
        self._lock = threading.Lock()
        self._single = threading.Lock()
        self._holder: Optional[int] = None  # the thread that has the only one

    @property
    def first(self) -> Any:
        """One of them, to be asked for its layout and name."""
        with self._lock:
            if self._first is None:
                self._first = self._build()
                self._idle.append(self._first)
            return self._first

    def _build(self) -> Any:
        from ..extraction import build_extractor

        return build_extractor(self._source)

    @contextmanager
    def lend(self) -> Iterator[Any]:
        """An extractor that no other stream has until the block ends.

        Raises:
            RuntimeError: The only one is at work in this thread already.
        """
        if self.first is self._source:
            with self._only() as extractor:
                yield extractor
            return
        with self._lock:
            extractor = self._idle.pop() if self._idle else None
        if extractor is None:
            extractor = self._build()
        try:
            yield extractor
        finally:
            with self._lock:
                self._idle.append(extractor)

    @contextmanager
    def _only(self) -> Iterator[Any]:
        if self._holder == threading.get_ident():
            raise UserRuntimeError(
                f'the extractor {self._source!r} is at work on another stream of this thread; close that one '
                'first, or give the '
                'extractor by its name or config, so that each stream gets its own'
            )
        if not self._single.acquire(timeout=PATIENCE):
            print_log(
                'waiting for the extractor, which another thread uses; given by its name or config there is '
                'one for each thread',
                'current',
                logging.WARNING,
            )
            self._single.acquire()
        self._holder = threading.get_ident()
        try:
            yield self._source
        finally:
            self._holder = None
            self._single.release()


class InputReader:
    """Opens videos and cameras, extracts poses, opens stores, checks arrays.

    Several threads may use one at the same time.

    Args:
        extractor (str | dict | PoseExtractor): As :func:`signbert_mm.extraction.build_extractor` takes it;
            built on first use. Of a name or a config each stream gets its own; for an object, which is one,
            other threads wait.
        fps (float, optional): The even rate at which videos and cameras are read, as ``tools/extract_poses.py
            --fps`` does; None = as they are. Also an attribute. Of a camera, whose frames come when they
            come, the poses are brought to that rate.
    """

    def __init__(self, extractor: Any = 'mediapipe', fps: Optional[float] = None) -> None:
        self._extractors = ExtractorPool(extractor)
        self.fps = fps

    @property
    def extractor(self) -> Any:
        """A pose extractor, to be asked for its layout; frames go through :meth:`poses`."""
        return self._extractors.first

    def open(
        self, source: Union[str, 'os.PathLike[str]', int], seconds: Optional[float] = None, fps: float = 0.0
    ) -> Any:
        """A video or camera: has ``width``, ``height``, ``fps`` and ``close()``, and gives :class:`Frame`
        objects when iterated.

        Args:
            source (str | Path | int): The file, a folder of numbered images, or the camera's number.
            seconds (float, optional): How long the camera records.
            fps (float): Of a folder of images; 0 = unknown, and then it is read as it is.

        Raises:
            VideoError, ValueError: It cannot be read; the message says why.
        """
        if is_camera(source):
            return Camera(int(source), seconds)
        from ..extraction import open_video

        has_rate = fps or not os.path.isdir(source)
        if self.fps and not has_rate:
            print_log(
                f'{source}: images have no rate (give fps=): all are taken, not {self.fps:g} a second',
                'current',
                logging.WARNING,
            )
        return open_video(source, self.fps if has_rate else None, image_fps=fps)

    def clock(self, reader: Any, fps: float = 0.0) -> float:
        """Steps a second in which a stream is counted: its rate as far as that is known before it is read; 0
        = its frames have no times.
        """
        from ..extraction import ImageFolderReader

        return (
            (isinstance(reader, Camera) and self.fps)
            or reader.fps
            or fps
            or (0.0 if isinstance(reader, ImageFolderReader) else ANY_CLOCK)
        )

    def poses(self, frames: Iterable[Any]) -> Iterator[Tuple[np.ndarray, np.ndarray, float]]:
        """Frames with their poses; holds no more frames than the extractor's batch.

        Yields:
            tuple: image (H, W, 3) uint8 RGB, pose (V, 3), and when the image came (``time.perf_counter``).
        """
        for frame, pose, came in self._poses(frames):
            yield frame if isinstance(frame, np.ndarray) else frame[0], pose, came

    def _poses(self, frames: Iterable[Any]) -> Iterator[Tuple[Any, np.ndarray, float]]:
        from ..extraction import extract_stream

        waiting: Deque[Tuple[Any, float]] = deque()

        def noted() -> Iterator[np.ndarray]:
            for frame in frames:
                waiting.append((frame, time.perf_counter()))
                yield frame if isinstance(frame, np.ndarray) else frame[0]

        with self._extractors.lend() as extractor:
            for pose in extract_stream(noted(), extractor):
                frame, came = waiting.popleft()
                yield frame, pose, came

    def timed_poses(self, reader: Any) -> Iterator[Tuple['Frame', np.ndarray, float]]:
        """As :meth:`poses` of what :meth:`open` gave, with each frame's time.

        Yields:
            tuple: :class:`Frame`, pose (V, 3), and when the image came (``time.perf_counter``).
        """
        if not (isinstance(reader, Camera) and self.fps):
            yield from self._poses(reader)
            return
        from ..extraction import Frame, resample

        # poses are repeated, not frames: an extractor that is behind would fall further behind
        found = (Frame(item, item[0].time) for item in self._poses(reader))
        for (frame, pose, came), moment in resample(found, self.fps):
            yield Frame(frame.image, moment), pose, came

    def extract(
        self, source: Union[str, 'os.PathLike[str]', int], seconds: Optional[float] = None, fps: float = 0.0
    ) -> PoseClip:
        """All poses of a video, or of so many seconds of a camera; ``fps`` is the rate of a folder of images,
        and where a video does not tell.

        A camera's rate is that at which its frames came.
        """
        camera = is_camera(source)
        name = f'camera {source}' if camera else os.path.basename(os.fspath(source))
        reader = self.open(source, seconds, fps)
        try:
            poses, times = [], []
            for frame, pose, _ in self.timed_poses(reader):
                poses.append(pose)
                times.append(frame.time)
            if not poses:
                raise UserValueError(f'{name}: no frames came from it')
            rate = reader.fps or fps
            if camera and (self.fps or times[-1] > times[0]):
                rate = self.fps or (len(times) - 1) / (times[-1] - times[0])
            clip = PoseClip.make(
                np.stack(poses), self.extractor.layout, (reader.width, reader.height), fps=rate, name=name
            )
            return replace(
                clip, times=np.asarray(times) if rate else None, video='' if camera else os.fspath(source)
            )
        finally:
            reader.close()

    def clips(
        self,
        inputs: Any,
        layout: Union[str, Layout, None] = None,
        image_size: Optional[Sequence[int]] = None,
        fps: float = 0.0,
        split: Optional[str] = None,
        seconds: float = 3.0,
        name: str = '',
        videos: Optional[Union[str, 'os.PathLike[str]']] = None,
    ) -> Iterator[Union[PoseClip, Failure]]:
        """One clip after the other.

        Args:
            inputs: A video's path; a camera's number; a pose array (T, V, 2) or (T, V, 3); a
                :class:`PoseClip`; a PoseStore or its folder; a folder, of which all videos are taken, at any
                depth; or a list of these.
            layout (str | Layout, optional): Of pose arrays, which need it.
            image_size (Sequence[int], optional): Width and height, of pose arrays, which need it.
            fps (float): Of pose arrays, and of folders of numbered images; 0 = unknown. Arrays and stores are
                taken as they are, at any rate.
            split (str, optional): Of stores; None = all clips.
            seconds (float): How long a camera records.
            name (str): Of pose arrays.
            videos (str | Path, optional): Folder of the videos of a store's clips, ``<video_id>.mp4``, for
                models that read frames.

        Yields:
            PoseClip | Failure: A failure where a file of a folder cannot be read; elsewhere the error is
            raised.

        Raises:
            FileNotFoundError, ValueError, TypeError: What is wrong with the input, and what to do.
        """
        if isinstance(inputs, (Failure, PoseClip)):
            yield inputs
        elif hasattr(inputs, '__array__') or hasattr(inputs, 'detach'):
            array = inputs.detach().cpu().numpy() if hasattr(inputs, 'detach') else np.asarray(inputs)
            if layout is None or image_size is None:
                raise UserValueError(
                    f'a pose array of shape {array.shape} needs layout= (for instance "coco_wholebody_133") '
                    'and image_size=(width, height) in pixels'
                )
            yield PoseClip.make(array, layout, image_size, fps=fps, name=name)
        elif isinstance(inputs, PoseStore):
            yield from _store_clips(inputs, split, videos)
        elif isinstance(inputs, (list, tuple)):
            if not inputs:
                raise UserValueError('an empty list has no clips; give at least one')
            _refuse_nested_numbers(inputs)
            for place, item in enumerate(inputs):
                yield from self.clips(item, layout, image_size, fps, split, seconds, f'item {place}', videos)
        elif is_camera(inputs):
            yield self.extract(int(inputs), seconds)
        elif isinstance(inputs, (str, os.PathLike)):
            yield from self._path(Path(inputs), split, videos, fps)
        else:
            raise UserTypeError(
                f'inputs are a {type(inputs).__name__}; give a video, a camera number, a pose array, a '
                'PoseStore, a folder or a list of these'
            )

    def readable(
        self, inputs: Any, failures: Optional[List[Failure]] = None, **options: Any
    ) -> Iterator[PoseClip]:
        """As :meth:`clips`, without what cannot be read: a warning names it, and ``failures`` gathers it."""
        for clip in self.clips(inputs, **options):
            if isinstance(clip, Failure):
                if failures is not None:
                    failures.append(clip)
                print_log(f'{clip.name}: left out: {clip.error}', logger='current', level=logging.WARNING)
            else:
                yield clip

    @staticmethod
    def store_clips(store: PoseStore, places: Iterable[int]) -> Iterator[PoseClip]:
        """These clips of a store.

        Raises:
            ValueError: A clip is not in pixels.
        """
        for place in map(int, places):
            keypoints, scores = store.clip(place)
            size = int(store.width[place]), int(store.height[place])
            (name,) = store.video_ids(np.asarray([place]))
            # a store that was changed, or written before coordinates had bounds
            values = np.concatenate([keypoints, scores[..., None]], axis=-1)
            where, unit = f'{store.folder}: clip {name!r}', PixelCheck(*size)
            check_keypoints(where, values, store.layout, unit=unit)
            unit.refuse(where)
            start, length = int(store.offset[place]), int(store.length[place])
            found = flags_found(store.hand_flags[start : start + length])
            about = dict(times=store.frame_times(place), found=found)
            yield PoseClip(
                keypoints,
                scores,
                store.layout,
                size,
                float(store.fps[place]),
                name,
                int(store.label[place]),
                **about,
            )

    def _path(
        self, path: Path, split: Optional[str], videos: Optional[Union[str, 'os.PathLike[str]']], fps: float
    ) -> Iterator[Union[PoseClip, Failure]]:
        if (path / META).is_file():
            yield from _store_clips(PoseStore(path), split, videos)
        elif path.is_dir():
            from ..extraction import VideoError, find_videos

            for video_id, video in find_videos(path, unclear=True):
                try:
                    clip = replace(self.extract(video, fps=fps), name=video_id)
                except VideoError as error:
                    yield Failure(video_id, str(error))
                    continue
                yield clip
        elif path.is_file():
            yield self.extract(path)
        else:
            raise FileNotFoundError(f'{path}: no such file or folder')


def _refuse_nested_numbers(inputs: Sequence[Any]) -> None:
    """Poses as lists of lists: a list is one of clips, and its numbers would be taken for cameras.

    Raises:
        TypeError: Says what is expected.
    """
    leaf, shape = inputs, []
    while isinstance(leaf, (list, tuple)) and leaf:
        shape.append(len(leaf))
        leaf = leaf[0]
    if len(shape) > 1 and (leaf is None or isinstance(leaf, (int, float, np.number))):
        raise UserTypeError(
            f'nested lists of numbers found, {" x ".join(map(str, shape))}; give poses as an array, '
            'numpy.asarray(poses), of shape '
            '(T, V, 2) or (T, V, 3): frames, joints, x and y in pixels and, third, the score; with layout= '
            'and image_size='
        )


def _store_clips(
    store: PoseStore, split: Optional[str], videos: Optional[Union[str, 'os.PathLike[str]']]
) -> Iterator[PoseClip]:
    counts: Dict[str, int] = store.split_counts()
    if split is not None and not counts.get(split):
        raise UserValueError(f'{store.folder}: split {split!r} has no clips; splits there: {counts}')
    folder = None if videos is None else VideoFolder(videos)
    for clip in InputReader.store_clips(
        store, range(len(store)) if split is None else np.flatnonzero(store.split == split)
    ):
        if folder is None:
            yield clip
            continue
        video = folder.find(clip.name)
        if video is None:
            raise FileNotFoundError(
                f'{os.fspath(videos)}: no video of clip {clip.name!r}, looked for as '
                f'<video_id> with {", ".join(SUFFIXES)}'
            )
        yield replace(clip, video=video)
