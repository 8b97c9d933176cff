"""Poses that were extracted before, by the name of their video."""

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Collection, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ...datasets.frame_times import first_frame_time
from ...datasets.pixel_check import PixelCheck
from ...datasets.pose_store import PoseStore
from ...datasets.store_format import FAILED, META
from ...errors import UserValueError
from ...files.arrays import ArrayFileError, read_arrays
from ...files.folders import list_files, report_left_out, suffix_of
from ...files.text import text_lines
from ...layouts import LAYOUTS, get_layout
from ..importers import Clip, PoseFormatClips, PysklClips, UniSignClips, UnreadableError
from ..importers.common import one_number
from .names import NameIndex, files_below, without_suffix

COORDINATES = ('pixels', 'fractions')
PICKLES = ('.pkl', '.pickle')


@dataclass
class VideoPose:
    """Poses of a whole video.

    Args:
        keypoints (ndarray): Shape (T, V, 3): x and y in pixels, score; score 0 = missing.
        width, height (int, optional): Of the image in pixels; None = unknown.
        fps (float): Frames a second; 0 = unknown.
        times (ndarray, optional): Shape (T,) seconds of the frames from 0 on, if the rate is uneven.
        start (float, optional): Seconds from the video's time 0 at the first frame; None = unknown.
    """

    keypoints: np.ndarray
    width: Optional[int] = None
    height: Optional[int] = None
    fps: float = 0.0
    times: Optional[np.ndarray] = None
    start: Optional[float] = None


class PoseSource(ABC):
    """Poses by name.

    Attributes:
        path (str): Where they lie.
        layout (str): Of the joints.
        extractors (list[str]): Name and version; more than one if the source is mixed.
        index (NameIndex): Their names.
    """

    def __init__(self, path: str, layout: str, extractors: Sequence[str], names: NameIndex) -> None:
        self.path, self.layout = path, get_layout(layout).name
        self.index = self._names = names
        self.extractors: List[str] = list(extractors) or [f'unknown ({os.path.abspath(path)})']

    def __len__(self) -> int:
        return len(self._names)

    def names(self) -> List[str]:
        return self._names.names()

    def find(self, name: str) -> Optional[str]:
        """The key for :meth:`read`, or None if this source has no such video; see :class:`NameIndex`.

        For all clips of a data set use :func:`~signbert_mm.prepare.sources.lookup.find_clips`.
        """
        return self._names.key(name)

    def why(self, name: str) -> str:
        """Why this source has no poses of that name; '' = it does not say."""
        return ''

    @abstractmethod
    def read(self, key: str) -> VideoPose:
        """Poses of one video.

        Raises:
            UnreadableError: This video's file is damaged.
            ValueError: Its joints are not those of ``layout``; the message names the file and both counts.
        """


class StorePoses(PoseSource):
    """A PoseStore as ``tools/extract_poses.py`` writes it.

    A ``video_id`` is the path below the videos' folder without suffix.
    """

    def __init__(self, store: Union[str, PoseStore]) -> None:
        self.store = store if isinstance(store, PoseStore) else PoseStore(store)
        meta = self.store.meta
        notes = meta.get('notes') or {}
        fingerprint = (notes.get('extraction') or {}).get('fingerprint', '')
        extractors = notes.get('extractors') or [
            extractor_name(meta.get('extractor', ''), meta.get('extractor_version', ''), fingerprint)
        ]
        names = NameIndex(
            ((name, index) for index, name in enumerate(self.store.video_id.tolist())),
            self.store.folder,
            lambda index: f'clip {index} (split {self.store.split[index]})',
            'make this store anew, of one of its splits or with other ids',
        )
        super().__init__(
            self.store.folder, self.store.layout.name, [name for name in extractors if name], names
        )
        # A line of missing.txt has split, id, gloss, reason; one of an extraction's failed.txt id, reason.
        rows = [line.split('\t') for line in self.store.missing] + failures(self.store.folder)
        self._reasons = NameIndex(
            {row[-3] if len(row) == 4 else row[0]: row[-1] for row in rows}.items(), self.store.folder
        )

    def drop(self, keys: Collection[str]) -> None:
        """Leaves the poses of these names out."""
        kept = [(key, self._names[key]) for key in self.names() if key not in keys]
        self.index = self._names = NameIndex(kept, self.path)

    def why(self, name: str) -> str:
        keys = self._reasons.alike(name)
        return self._reasons[keys[0]] if len(keys) == 1 else ''

    def read(self, key: str) -> VideoPose:
        index = self._names[key]
        keypoints, scores = self.store.clip(index)
        values = np.concatenate([keypoints, scores[..., None]], axis=-1)
        size = int(self.store.width[index]), int(self.store.height[index])
        times, start = (
            self.store.frame_times(index),
            first_frame_time(self.store.meta, str(self.store.video_id[index])),
        )
        return VideoPose(values, *size, float(self.store.fps[index]), times, start)


class PysklPoses(PoseSource):
    """The pickle of pyskl and mmaction2; its labels and splits are not used. Nothing in it is executed."""

    def __init__(self, path: str, layout: Optional[str] = None, extractor: str = '') -> None:
        self.clips = PysklClips(path, layout)
        names = NameIndex(
            ((without_suffix(name), index) for index, name in enumerate(self.clips.ids())),
            path,
            lambda index: f'annotation {index}',
        )
        super().__init__(path, self.clips.layout, [extractor] if extractor else [], names)

    def read(self, key: str) -> VideoPose:
        clip = self.clips.clip(self._names[key])
        get_layout(self.layout).check_joints(
            clip.keypoints.shape[1], f'{self.path}: annotation {self._names[key]} ({key})'
        )
        return _video_pose(clip)


class PoseFormatPoses(PoseSource):
    """A folder of ``.pose`` files.

    Args:
        folder (str): The folder.
        width, height (int, optional): Image size in pixels, for files without it.
        extractor (str): Name and version of the extractor.
    """

    def __init__(
        self,
        folder: str,
        width: Optional[int] = None,
        height: Optional[int] = None,
        extractor: str = '',
    ) -> None:
        self.clips = PoseFormatClips(folder, None, width, height)
        names = NameIndex(files_below(folder, ('.pose',)), folder)
        super().__init__(folder, self.clips.layout, [extractor] if extractor else [], names)

    def read(self, key: str) -> VideoPose:
        return _video_pose(self.clips.clip(self._names[key]))


class UniSignPoses(PoseSource):
    """A folder of Uni-Sign's ``.pkl`` files, see :func:`~signbert_mm.prepare.importers.unisign.read_unisign`.

    Args:
        folder (str): The folder.
        width, height (int, optional): Image size in pixels, which the files do not give; they are needed.
        extractor (str): Name and version of the extractor.
    """

    def __init__(
        self,
        folder: str,
        width: Optional[int] = None,
        height: Optional[int] = None,
        extractor: str = '',
    ) -> None:
        self.clips = UniSignClips(folder, None, width or 0, height or 0)
        names = NameIndex(files_below(folder, ('.pkl',)), folder)
        super().__init__(folder, self.clips.layout, [extractor] if extractor else [], names)

    def read(self, key: str) -> VideoPose:
        return _video_pose(self.clips.clip(self._names[key]))


class ArrayPoses(PoseSource):
    """A folder of ``.npy`` or ``.npz`` files, each (T, V, 2) or (T, V, 3): x, y and perhaps score.

    Without scores a joint at 0, 0 is missing. An npz holds one array, or ``keypoints`` beside any of
    ``scores`` (T, V), ``width``, ``height`` and ``fps``.

    Args:
        folder (str): The folder.
        layout (str, optional): Of the joints; None = the layout with as many joints as the first file has.
        width, height (int, optional): Image size in pixels, for files without it.
        coordinates (str): 'pixels', or 'fractions' of image width and height, which then must be known.
        extractor (str): Name and version of the extractor.
    """

    def __init__(
        self,
        folder: str,
        layout: Optional[str] = None,
        width: Optional[int] = None,
        height: Optional[int] = None,
        coordinates: str = 'pixels',
        extractor: str = '',
    ) -> None:
        if coordinates not in COORDINATES:
            raise UserValueError(
                f'{folder}: coordinates are {coordinates!r}; choose one of {", ".join(COORDINATES)}'
            )
        self.width, self.height, self.coordinates = width, height, coordinates
        listing = list_files(folder, ('.npy', '.npz'), 'an .npy or .npz file')
        report_left_out(listing.left_out, folder)
        names: NameIndex[str] = NameIndex(
            [(os.path.splitext(name)[0], path) for name, path in listing.taken], folder
        )
        if not len(names):
            raise FileNotFoundError(f'{os.path.abspath(folder)}: no .npy or .npz files in it')
        # _guess reads it, before the base class sets it.
        self._names = names
        super().__init__(folder, layout or self._guess(), [extractor] if extractor else [], names)

    def _guess(self) -> str:
        """The layout by the number of joints of the first file that can be read."""
        reasons = []
        for name in self._names.names():
            try:
                joints = self._load(self._names[name])['keypoints'].shape[1]
            except UnreadableError as error:
                reasons.append(str(error))
                continue
            layouts = [layout.name for layout in LAYOUTS.values() if layout.num_joints == joints]
            if len(layouts) != 1:
                counts = {layout.name: layout.num_joints for layout in LAYOUTS.values()}
                raise UserValueError(
                    f'{self._names[name]}: {joints} joints found; layouts have {counts}; give one '
                    '(--layout), or register yours'
                )
            return layouts[0]
        raise UserValueError(
            f'{self._names.where}: none of its {len(self._names)} files can be read, the first: {reasons[0]}'
        )

    def _load(self, path: str) -> Dict[str, np.ndarray]:
        try:
            content = read_arrays(path)
            fields = {'keypoints': content} if isinstance(content, np.ndarray) else content
        except (ArrayFileError, OSError) as error:
            raise UnreadableError(f'{path}: cannot be read ({error})') from error
        if 'keypoints' not in fields and len(fields) == 1:
            fields = {'keypoints': next(iter(fields.values()))}
        keypoints = fields.get('keypoints')
        if keypoints is None:
            raise UnreadableError(
                f'{path}: arrays {sorted(fields)} found; expected one array, or keypoints (and scores, '
                'width, height, fps)'
            )
        if keypoints.ndim != 3 or keypoints.shape[2] not in (2, 3) or keypoints.dtype.kind not in 'fiu':
            raise UnreadableError(
                f'{path}: {keypoints.dtype} of shape {keypoints.shape} found; expected numbers of shape (T, '
                'V, 2) or (T, V, 3)'
            )
        if not len(keypoints):
            raise UnreadableError(f'{path}: no frames')
        return fields

    def read(self, key: str) -> VideoPose:
        path = self._names[key]
        fields = self._load(path)
        keypoints = fields['keypoints'].astype(np.float32)
        get_layout(self.layout).check_joints(keypoints.shape[1], path)
        scores = fields.get('scores')
        if scores is not None and (scores.shape != keypoints.shape[:2] or scores.dtype.kind not in 'fiub'):
            raise UnreadableError(
                f'{path}: scores are {scores.dtype} of shape {scores.shape}; expected numbers of shape '
                f'{keypoints.shape[:2]}'
            )
        if scores is not None:
            keypoints = np.concatenate([keypoints[..., :2], scores[..., None].astype(np.float32)], axis=-1)
        elif keypoints.shape[2] == 2:
            keypoints = np.concatenate(
                [keypoints, (keypoints != 0).any(axis=-1, keepdims=True).astype(np.float32)], axis=-1
            )
        width, height, fps = (
            one_number(fields.get(name, 0), f'{path}: {name}') for name in ('width', 'height', 'fps')
        )
        width, height = int(width) or self.width, int(height) or self.height
        if self.coordinates == 'fractions':
            if not width or not height:
                raise UserValueError(
                    f'{path}: fractions of the image need its size; give --width and --height'
                )
            keypoints[..., :2] *= np.asarray([width, height], dtype=np.float32)
        else:
            unit = PixelCheck(width, height).add(keypoints[..., :2], keypoints[..., 2])
            unit.refuse(path, 'give --coordinates fractions and the image size')
        return VideoPose(keypoints, width, height, fps)


def extractor_name(name: str, version: str = '', fingerprint: str = '') -> str:
    """An extractor's name in meta and messages: name, version and the digest of its settings."""
    return ' '.join(part for part in (name, version, fingerprint and f'[{fingerprint}]') if part)


def failures(folder: str) -> List[Tuple[str, str]]:
    """Name and reason of the videos that an extraction into ``folder`` could not read."""
    path = os.path.join(folder, FAILED)
    if not os.path.isfile(path):
        return []
    rows = [line.partition('\t') for _, line in text_lines(path)]
    return [(name, reason) for name, _, reason in rows]


def _video_pose(clip: Clip) -> VideoPose:
    return VideoPose(clip.keypoints, clip.width, clip.height, clip.fps, clip.times)


def open_poses(
    path: str,
    layout: Optional[str] = None,
    width: Optional[int] = None,
    height: Optional[int] = None,
    coordinates: str = 'pixels',
    extractor: str = '',
) -> PoseSource:
    """The source at ``path``: a PoseStore, a pickle, or a folder of .pose, .pkl, or .npy and .npz files.

    Args:
        path (str): A folder or a pickle.
        layout (str, optional): As :class:`ArrayPoses`, and for a pickle without it.
        width, height, coordinates: As :class:`ArrayPoses`.
        extractor (str): Name and version of the extractor, if the source does not have them.

    Raises:
        FileNotFoundError: There is nothing of that kind.
        ValueError: It is a file, and no pickle by its name.
    """
    if os.path.isfile(path):
        if suffix_of(path) not in PICKLES:
            raise UserValueError(
                f'{path}: of files only a pickle of pyskl ({" or ".join(PICKLES)}) is taken; give the folder '
                'of the .pose, .npy or .npz files, or the store'
            )
        return PysklPoses(path, layout, extractor)
    if not os.path.isdir(path):
        raise FileNotFoundError(f'{os.path.abspath(path)}: no such file or folder of poses')
    if os.path.isfile(os.path.join(path, META)):
        return StorePoses(path)
    if files_below(path, ('.pose',)):
        return PoseFormatPoses(path, width, height, extractor)
    # A pickle beside arrays holds something else, such as labels.
    if files_below(path, ('.pkl',)) and not files_below(path, ('.npy', '.npz')):
        return UniSignPoses(path, width, height, extractor)
    return ArrayPoses(path, layout, width, height, coordinates, extractor)
