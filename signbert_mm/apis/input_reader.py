"""Whatever a user has, as clips of poses."""

import os
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any, Deque, Dict, Iterable, Iterator, NamedTuple, Optional, Sequence, Tuple, Union

import cv2
import numpy as np

from ..datasets.pose_store import PoseStore
from ..datasets.store_format import META
from ..datasets.video_dataset import SUFFIXES, find_video
from ..layouts import Layout
from .pose_clip import PoseClip


class Failure(NamedTuple):
    """A file of a folder that could not be read."""

    name: str
    error: str


class Camera:
    """A camera as a stream of RGB frames.

    Args:
        number (int): As OpenCV counts them, from 0.
        seconds (float, optional): Ends after this time; None = never.

    Raises:
        ValueError: There is no such camera.
    """

    def __init__(self, number: int, seconds: Optional[float] = None) -> None:
        self.number, self.seconds = number, seconds
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise ValueError(f'camera {number} cannot be opened; check that it is connected, that no other program uses it, and its number')
        self.width, self.height = (int(self._capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS))

    def __iter__(self) -> Iterator[np.ndarray]:
        start = time.monotonic()
        while self.seconds is None or time.monotonic() - start < self.seconds:
            there, image = self._capture.read()
            if not there:
                return
            yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def close(self) -> None:
        self._capture.release()


def is_camera(source: Any) -> bool:
    """Whether this means a camera: a number, or text of digits that is no file."""
    if isinstance(source, str):
        return source.isdigit() and not os.path.exists(source)
    return isinstance(source, (int, np.integer)) and not isinstance(source, bool)


class InputReader:
    """Opens videos and cameras, extracts poses, opens stores, checks arrays. The extractor is built on first use.

    Args:
        extractor (str | dict | PoseExtractor): As :func:`signbert_mm.extraction.build_extractor` takes it.
    """

    def __init__(self, extractor: Any = 'mediapipe') -> None:
        self._extractor, self._built = extractor, None

    @property
    def extractor(self) -> Any:
        """The pose extractor."""
        if self._built is None:
            from ..extraction import build_extractor

            self._built = build_extractor(self._extractor)
        return self._built

    def open(self, source: Union[str, 'os.PathLike[str]', int], seconds: Optional[float] = None) -> Any:
        """A video file or camera: has ``width``, ``height``, ``fps`` and ``close()``, and gives frames when iterated.

        Raises:
            VideoError, ValueError: It cannot be read; the message says why.
        """
        if is_camera(source):
            return Camera(int(source), seconds)
        from ..extraction import open_video

        return open_video(source)

    def poses(self, frames: Iterable[Any]) -> Iterator[Tuple[np.ndarray, np.ndarray, float]]:
        """Frames with their poses; holds no more frames than the extractor's batch.

        Yields:
            tuple: image (H, W, 3) uint8 RGB, pose (V, 3), and when the image came (``time.perf_counter``).
        """
        from ..extraction import extract_stream

        waiting: Deque[Tuple[np.ndarray, float]] = deque()

        def noted() -> Iterator[np.ndarray]:
            for frame in frames:
                image = frame if isinstance(frame, np.ndarray) else frame[0]
                waiting.append((image, time.perf_counter()))
                yield image

        for pose in extract_stream(noted(), self.extractor):
            image, came = waiting.popleft()
            yield image, pose, came

    def extract(self, source: Union[str, 'os.PathLike[str]', int], seconds: Optional[float] = None, fps: float = 0.0) -> PoseClip:
        """All poses of a video, or of so many seconds of a camera; ``fps`` is the rate where the source does not tell."""
        name = f'camera {source}' if is_camera(source) else os.path.basename(os.fspath(source))
        reader = self.open(source, seconds)
        try:
            start = time.monotonic()
            poses = [pose for _, pose, _ in self.poses(reader)]
            fps = reader.fps or fps or (len(poses) / (time.monotonic() - start) if is_camera(source) else 0.0)
            if not poses:
                raise ValueError(f'{name}: no frames came from it')
            clip = PoseClip.make(np.stack(poses), self.extractor.layout, (reader.width, reader.height), fps=fps, name=name)
            return clip if is_camera(source) else replace(clip, video=os.fspath(source))
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
            inputs: A video's path; a camera's number; a pose array (T, V, 2) or (T, V, 3); a :class:`PoseClip`; a PoseStore or its folder; a
                folder, of which all videos are taken, at any depth; or a list of these.
            layout (str | Layout, optional): Of pose arrays, which need it.
            image_size (Sequence[int], optional): Width and height, of pose arrays, which need it.
            fps (float): Of pose arrays, and of folders of numbered images; 0 = unknown.
            split (str, optional): Of stores; None = all clips.
            seconds (float): How long a camera records.
            name (str): Of pose arrays.
            videos (str | Path, optional): Folder of the videos of a store's clips, ``<video_id>.mp4``, for models that read frames.

        Yields:
            PoseClip | Failure: A failure where a file of a folder cannot be read; elsewhere the error is raised.

        Raises:
            FileNotFoundError, ValueError, TypeError: What is wrong with the input, and what to do.
        """
        if isinstance(inputs, (Failure, PoseClip)):
            yield inputs
        elif hasattr(inputs, '__array__') or hasattr(inputs, 'detach'):
            array = inputs.detach().cpu().numpy() if hasattr(inputs, 'detach') else np.asarray(inputs)
            if layout is None or image_size is None:
                raise ValueError(
                    f'a pose array of shape {array.shape} needs layout= (for instance "coco_wholebody_133") and image_size=(width, height) in pixels'
                )
            yield PoseClip.make(array, layout, image_size, fps=fps, name=name)
        elif isinstance(inputs, PoseStore):
            yield from _store_clips(inputs, split, videos)
        elif isinstance(inputs, (list, tuple)):
            if not inputs:
                raise ValueError('an empty list has no clips; give at least one')
            for place, item in enumerate(inputs):
                yield from self.clips(item, layout, image_size, fps, split, seconds, f'item {place}', videos)
        elif is_camera(inputs):
            yield self.extract(int(inputs), seconds)
        elif isinstance(inputs, (str, os.PathLike)):
            yield from self._path(Path(inputs), split, videos, fps)
        else:
            raise TypeError(
                f'inputs are a {type(inputs).__name__}; give a video, a camera number, a pose array, a PoseStore, a folder or a list of these'
            )

    @staticmethod
    def store_clips(store: PoseStore, places: Iterable[int]) -> Iterator[PoseClip]:
        """These clips of a store."""
        for place in map(int, places):
            keypoints, scores = store.clip(place)
            size = int(store.width[place]), int(store.height[place])
            (name,) = store.video_ids(np.asarray([place]))
            yield PoseClip(keypoints, scores, store.layout, size, float(store.fps[place]), name, int(store.label[place]))

    def _path(
        self, path: Path, split: Optional[str], videos: Optional[Union[str, 'os.PathLike[str]']], fps: float
    ) -> Iterator[Union[PoseClip, Failure]]:
        if (path / META).is_file():
            yield from _store_clips(PoseStore(path), split, videos)
        elif path.is_dir():
            from ..extraction import VideoError, find_videos

            for video_id, video in find_videos(path):
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


def _store_clips(store: PoseStore, split: Optional[str], videos: Optional[Union[str, 'os.PathLike[str]']]) -> Iterator[PoseClip]:
    counts: Dict[str, int] = store.split_counts()
    if split is not None and not counts.get(split):
        raise ValueError(f'{store.folder}: split {split!r} has no clips; splits there: {counts}')
    for clip in InputReader.store_clips(store, range(len(store)) if split is None else np.flatnonzero(store.split == split)):
        if videos is None:
            yield clip
            continue
        video = find_video(videos, clip.name)
        if video is None:
            raise FileNotFoundError(f'{os.fspath(videos)}: no video of clip {clip.name!r}, looked for as <video_id> with {", ".join(SUFFIXES)}')
        yield replace(clip, video=video)
