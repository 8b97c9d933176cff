"""Opens videos, cameras, stores and arrays as pose clips."""

import logging
import os
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Deque,
    Dict,
    Iterable,
    Iterator,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np

from ..datasets.frame_times import first_frame_time
from ..datasets.pixel_check import PixelCheck, check_keypoints
from ..datasets.pose_store import PoseStore
from ..datasets.store_format import META, flags_found
from ..datasets.video_folder import SUFFIXES, VideoFolder
from ..errors import UserTypeError, UserValueError
from ..layouts import Layout
from ..logs import print_log
from .camera import Camera, is_camera
from .clips import PoseClip
from .extractor_pool import ExtractorPool

if TYPE_CHECKING:
    from ..extraction import Frame

# Steps a second of a source whose frames have times but whose rate is unknown.
ANY_CLOCK = 30.0


class Failure(NamedTuple):
    """A file of a folder that could not be read."""

    name: str
    error: str


class InputReader:
    """Opens videos and cameras, extracts poses, opens stores, checks arrays.

    Several threads may share one reader.

    Args:
        extractor (str | dict | PoseExtractor): As for :class:`ExtractorPool`.
        fps (float, optional): The even rate at which videos and cameras are read, as ``tools/extract_poses.py
            --fps`` does; None = as they are. Also an attribute. A camera's frames come unevenly, so its poses
            are resampled instead.
    """

    def __init__(self, extractor: Any = 'mediapipe', fps: Optional[float] = None) -> None:
        self._extractors = ExtractorPool(extractor)
        self.fps = fps

    @property
    def extractor(self) -> Any:
        """A pose extractor, for its layout; frames go through :meth:`poses`."""
        return self._extractors.first

    def open(
        self, source: Union[str, 'os.PathLike[str]', int], seconds: Optional[float] = None, fps: float = 0.0
    ) -> Any:
        """Opens a video or a camera.

        Args:
            source (str | Path | int): The file, a folder of numbered images, or the camera's number.
            seconds (float, optional): How long the camera records.
            fps (float): Rate of a folder of images; 0 = unknown, and all images are read.

        Returns:
            A reader with ``width``, ``height``, ``fps`` and ``close()`` that yields :class:`Frame` objects.

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
        """Steps a second for counting the time of a stream; 0 = its frames have no times."""
        from ..extraction import ImageFolderReader

        known = (isinstance(reader, Camera) and self.fps) or reader.fps or fps
        return known or (0.0 if isinstance(reader, ImageFolderReader) else ANY_CLOCK)

    def poses(self, frames: Iterable[Any]) -> Iterator[Tuple[np.ndarray, np.ndarray, float]]:
        """Yields frames with their poses; holds no more frames than the extractor's batch.

        Yields:
            tuple: image (H, W, 3) uint8 RGB, pose (V, 3), and the image's arrival (``time.perf_counter``).
        """
        for frame, pose, arrival in self._poses(frames):
            yield frame if isinstance(frame, np.ndarray) else frame[0], pose, arrival

    def _poses(self, frames: Iterable[Any]) -> Iterator[Tuple[Any, np.ndarray, float]]:
        from ..extraction import extract_stream

        waiting: Deque[Tuple[Any, float]] = deque()

        # The extractor reads a batch ahead, so its poses come later than their frames, in the same order.
        def queued() -> Iterator[np.ndarray]:
            for frame in frames:
                waiting.append((frame, time.perf_counter()))
                yield frame if isinstance(frame, np.ndarray) else frame[0]

        with self._extractors.lend() as extractor:
            for pose in extract_stream(queued(), extractor):
                frame, arrival = waiting.popleft()
                yield frame, pose, arrival

    def timed_poses(self, reader: Any) -> Iterator[Tuple['Frame', np.ndarray, float]]:
        """Yields the frames of a reader of :meth:`open` with their poses and times.

        Yields:
            tuple: :class:`Frame`, pose (V, 3), and the image's arrival (``time.perf_counter``).
        """
        if not (isinstance(reader, Camera) and self.fps):
            yield from self._poses(reader)
            return
        from ..extraction import Frame, resample

        # Poses are repeated, not frames: an extractor that is too slow would fall further behind.
        timed = (Frame(item, item[0].time) for item in self._poses(reader))
        for (frame, pose, arrival), moment in resample(timed, self.fps):
            yield Frame(frame.image, moment), pose, arrival

    def extract(
        self,
        source: Union[str, 'os.PathLike[str]', int],
        seconds: Optional[float] = None,
        fps: float = 0.0,
        progress: Optional[Callable[[int, int], None]] = None,
    ) -> PoseClip:
        """Extracts all poses of a video, or of ``seconds`` of a camera.

        ``fps`` is the rate of a folder of images, or of a video whose header has none. ``progress`` is called
        with the frames so far and their expected number, 0 = unknown.
        """
        camera = is_camera(source)
        name = f'camera {source}' if camera else os.path.basename(os.fspath(source))
        reader = self.open(source, seconds, fps)
        try:
            poses, times = [], []
            for frame, pose, _ in self.timed_poses(reader):
                poses.append(pose)
                times.append(frame.time)
                if progress is not None:
                    progress(len(poses), getattr(reader, 'frames', 0))
            if not poses:
                raise UserValueError(f'{name}: no frames came from it')
            rate = reader.fps or fps
            # A camera's nominal rate is often wrong: its frames' times give the true one.
            if camera and (self.fps or times[-1] > times[0]):
                rate = self.fps or (len(times) - 1) / (times[-1] - times[0])
            clip = PoseClip.make(
                np.stack(poses), self.extractor.layout, (reader.width, reader.height), fps=rate, name=name
            )
            return replace(
                clip,
                times=np.asarray(times) if rate else None,
                video='' if camera else os.fspath(source),
                start=float(times[0]),
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
        """Yields the clips of ``inputs`` one after the other.

        Args:
            inputs: A video's path; a camera's number; a pose array (T, V, 2) or (T, V, 3); a
                :class:`PoseClip`; a PoseStore or its folder; a folder with videos at any depth; or a list of
                these.
            layout (str | Layout, optional): Of pose arrays; required for them.
            image_size (Sequence[int], optional): Width and height of pose arrays; required for them.
            fps (float): Of pose arrays, and of folders of numbered images; 0 = unknown. Arrays and stores are
                not resampled.
            split (str, optional): Of stores; None = all clips.
            seconds (float): How long a camera records.
            name (str): Of pose arrays.
            videos (str | Path, optional): Folder of the videos of a store's clips, ``<video_id>.mp4``, for
                models that read frames.

        Yields:
            PoseClip | Failure: A failure where a video of a folder cannot be read. Other errors are raised.

        Raises:
            FileNotFoundError, ValueError, TypeError: The input is wrong; the message says what to do.
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
            for index, item in enumerate(inputs):
                yield from self.clips(item, layout, image_size, fps, split, seconds, f'item {index}', videos)
        elif is_camera(inputs):
            yield self.extract(int(inputs), seconds)
        elif isinstance(inputs, (str, os.PathLike)):
            yield from self._path(Path(inputs), split, videos, fps)
        else:
            raise UserTypeError(
                f'inputs are a {type(inputs).__name__}; give a video, a camera number, a pose array, a '
                'PoseStore, a folder or a list of these'
            )

    def readable(self, inputs: Any, **options: Any) -> Iterator[PoseClip]:
        """As :meth:`clips`, without failures. Each gives a warning."""
        for clip in self.clips(inputs, **options):
            if isinstance(clip, Failure):
                print_log(f'{clip.name}: left out: {clip.error}', logger='current', level=logging.WARNING)
            else:
                yield clip

    @staticmethod
    def store_clips(store: PoseStore, indices: Iterable[int]) -> Iterator[PoseClip]:
        """Yields clips of a store by their indices.

        Raises:
            ValueError: A clip is not in pixels.
        """
        for index in map(int, indices):
            keypoints, scores = store.clip(index)
            size = int(store.width[index]), int(store.height[index])
            (name,) = store.video_ids(np.asarray([index]))
            # The store may have been changed, or be older than the writer's check.
            values = np.concatenate([keypoints, scores[..., None]], axis=-1)
            where, unit = f'{store.folder}: clip {name!r}', PixelCheck(*size)
            check_keypoints(where, values, store.layout, unit=unit)
            unit.refuse(where)
            start, length = int(store.offset[index]), int(store.length[index])
            yield PoseClip(
                keypoints,
                scores,
                store.layout,
                size,
                float(store.fps[index]),
                name,
                int(store.label[index]),
                times=store.frame_times(index),
                hand_valid=flags_found(store.hand_flags[start : start + length]),
                start=first_frame_time(store.meta, name) or 0.0,
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
    """Checks that a list is not poses as nested lists.

    Raises:
        TypeError: It is.
    """
    # A list is a list of clips, so its numbers would be taken for cameras.
    leaf, shape = inputs, []
    while isinstance(leaf, (list, tuple)) and leaf:
        shape.append(len(leaf))
        leaf = leaf[0]
    if len(shape) > 1 and (leaf is None or isinstance(leaf, (int, float, np.number))):
        raise UserTypeError(
            f'nested lists of numbers found, {" x ".join(map(str, shape))}; give poses as an array, '
            'numpy.asarray(poses), of shape (T, V, 2) or (T, V, 3): frames, joints, x and y in pixels '
            'and, third, the score; with layout= and image_size='
        )


def _store_clips(
    store: PoseStore, split: Optional[str], videos: Optional[Union[str, 'os.PathLike[str]']]
) -> Iterator[PoseClip]:
    counts: Dict[str, int] = store.split_counts()
    if split is not None and not counts.get(split):
        raise UserValueError(f'{store.folder}: split {split!r} has no clips; splits there: {counts}')
    folder = None if videos is None else VideoFolder(videos)
    indices = range(len(store)) if split is None else np.flatnonzero(store.split == split)
    for clip in InputReader.store_clips(store, indices):
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
