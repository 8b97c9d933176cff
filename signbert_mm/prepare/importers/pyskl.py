"""Importer and exporter of the pickle of pyskl and mmaction2.

Content: ``dict(split={name: [ids]}, annotations=[dict(frame_dir, keypoint, keypoint_score, label, ..)])``.
"""

import logging
import os
import pickle
from collections import Counter
from typing import Any, Dict, Iterator, List, Optional, Sequence

import numpy as np
from mmengine.logging import print_log

from ...datasets.clip_fields import check_times
from ...datasets.pose_store import PoseStore
from ...errors import UserValueError
from ...files.atomic import open_atomic
from ...files.text import clean_text
from ...files.unpickle import safe_load, to_array
from ...layouts import get_layout
from .common import Clip, UnreadableError, check_spelling, signer_name, split_name

# A single number of the file would otherwise reserve any memory: without a list of glosses the largest label
# gives their number, and a clip without people has frames alone.
_MOST_LABELS = 10**6
_MOST_FRAMES = 10**6

# Kinds of ids and glosses.
_NAME = (str, int, np.integer)

# Fields of a store's meta that such a file keeps.
ABOUT = ('source', 'licence', 'extractor', 'extractor_version')


class PysklClips:
    """The clips of such a file; a clip in several splits comes once for each.

    Of several people the one with the highest mean score is kept. Without ``keypoint_score`` a joint at 0, 0
    is missing. Nothing in the file is executed, see :mod:`signbert_mm.files.unpickle`.

    Args:
        path (str): The file.
        layout (str, optional): Layout of the joints; None = as the file says. Files of :func:`export_pyskl`
            say it.
        glosses (list[str], optional): The vocabulary; None = as the file says, or '0', '1', .. up to the
            largest label.
        splits (list[str], optional): Only these; None = all. Clips in no split are left out. If the file has
            no splits, all are 'train'.

    Raises:
        ValueError: The file is refused, is of another form, or lacks a split; the message names the clip and
            field.
    """

    def __init__(
        self,
        path: str,
        layout: Optional[str] = None,
        glosses: Optional[Sequence[str]] = None,
        splits: Optional[Sequence[str]] = None,
    ) -> None:
        self.path = path
        with open(path, 'rb') as file:
            content = safe_load(file)
        # The older form is a list without splits.
        if isinstance(content, list):
            content = dict(annotations=content)
        if (
            not isinstance(content, dict)
            or not isinstance(content.get('annotations'), list)
            or not content['annotations']
        ):
            raise UserValueError(
                f'{path}: expected dict(split=.., annotations=[..]) as pyskl and mmaction2 write it'
            )
        self.annotations: List[dict] = content['annotations']
        layout = layout or content.get('layout')
        if layout is None:
            raise UserValueError(
                f'{path}: the file does not say its layout; give one, for instance coco_wholebody_133'
            )
        self.layout = get_layout(layout).name
        glosses = glosses or content.get('glosses')
        glosses = [] if glosses is None else self._texts(glosses, 'glosses')
        labels = [self._whole(index, 'label') for index in range(len(self.annotations))]
        if not glosses and max(labels) >= _MOST_LABELS:
            index = labels.index(max(labels))
            raise UserValueError(
                f'{path}: annotation {index}: label is {max(labels)}; correct it, or give the list of glosses'
            )
        self.glosses: List[str] = glosses or [str(label) for label in range(max(labels) + 1)]
        self.about = {key: str(content[key]) for key in ABOUT if content.get(key)}
        splits_of = self._by_id(content.get('split'), splits)
        self._order = [
            (index, split)
            for index in range(len(self.annotations))
            for split in splits_of.get(self._id(index), ())
        ]
        if not self._order:
            raise UserValueError(
                f'{path}: no annotation is in any of the splits '
                f'{sorted({name for names in splits_of.values() for name in names})}'
            )

    def _texts(self, values: Any, what: str) -> List[str]:
        """A list of names, as :func:`clean_text` gives them."""
        values = values.ravel().tolist() if isinstance(values, np.ndarray) else values
        if not isinstance(values, (list, tuple)) or not all(isinstance(item, _NAME) for item in values):
            raise UserValueError(f'{self.path}: {what}: {values!r:.60} found; expected a list of names')
        return [clean_text(str(item)) for item in values]

    def _named_splits(self, split: Dict[Any, Any]) -> Dict[str, List[str]]:
        names = [split_name(name) for name in self._texts(list(split), 'split')]
        check_spelling(names, self.path)
        if len(set(names)) < len(names):
            raise UserValueError(f'{self.path}: splits {list(split)}: two are one name; rename one of them')
        return {name: self._texts(ids, f'split {name!r}') for name, ids in zip(names, split.values())}

    def _by_id(self, split: Optional[dict], chosen: Optional[Sequence[str]]) -> dict:
        """The splits of each clip."""
        if split is not None and not isinstance(split, dict):
            raise UserValueError(
                f'{self.path}: split is {type(split).__name__}; expected dict(name=[ids, ..], ..)'
            )
        if not split:
            if chosen:
                raise UserValueError(
                    f'{self.path}: the file has no splits, so {list(chosen)} cannot be chosen'
                )
            return {self._id(index): ['train'] for index in range(len(self.annotations))}
        split = self._named_splits(split)
        chosen = [split_name(name) for name in chosen or ()]
        counts = {name: len(ids) for name, ids in split.items()}
        missing = [name for name in chosen if name not in split]
        if missing:
            raise UserValueError(f'{self.path}: no split {missing}; splits there: {counts}')
        splits_of: dict = {}
        ids_of_file = set(self.ids())
        for name in chosen or split:
            ids = split[name]
            missing = [clip for clip in ids if clip not in ids_of_file]
            if missing:
                self._warn(
                    f'{len(missing):,} of {len(ids):,} clips of split {name!r} have no annotation (theirs '
                    f'are called as {self._id(0)!r})',
                    missing,
                )
            repeated = [clip for clip, count in Counter(ids).items() if count > 1]
            if repeated:
                self._warn(
                    f'{len(repeated):,} clips are listed twice in split {name!r}, and taken once', repeated
                )
            for clip in dict.fromkeys(ids):
                splits_of.setdefault(clip, []).append(name)
        rest = [] if chosen else [clip for clip in self.ids() if clip not in splits_of]
        if rest:
            self._warn(
                f'{len(rest):,} of {len(self.annotations):,} annotations are in no split and are left out',
                rest,
            )
        return splits_of

    def _warn(self, text: str, names: Sequence[str]) -> None:
        shown = ', '.join(names[:5]) + (', ...' if len(names) > 5 else '')
        print_log(f'{self.path}: {text}: {shown}', logger='current', level=logging.WARNING)

    def _field(self, index: int, name: str) -> Any:
        annotation = self.annotations[index]
        if not isinstance(annotation, dict) or name not in annotation:
            fields = sorted(annotation) if isinstance(annotation, dict) else annotation
            raise UserValueError(f'{self.path}: annotation {index}: field {name} is absent; found {fields}')
        return annotation[name]

    def _array(self, index: int, name: str, expected: str) -> np.ndarray:
        """A field's numbers, refused with an :class:`UnreadableError`."""
        value = self._field(index, name)
        try:
            array = to_array(value)
        except ValueError:
            array = None
        if array is None or array.dtype.kind not in 'fiu':
            raise UnreadableError(f'{self._where(index)}: {name} is {value!r:.60}; expected {expected}')
        return array

    def _whole(self, index: int, name: str) -> int:
        expected = 'one whole number'
        array = self._array(index, name, expected)
        if array.size != 1 or not float(array.ravel()[0]).is_integer():
            raise UnreadableError(
                f'{self._where(index)}: {name} is {array.tolist()!r:.60}; expected {expected}'
            )
        return int(array.ravel()[0])

    def _id(self, index: int) -> str:
        name = 'filename' if 'filename' in self.annotations[index] else 'frame_dir'
        value = self._field(index, name)
        if not isinstance(value, _NAME):
            raise UserValueError(f'{self.path}: annotation {index}: {name} is {value!r:.60}; expected text')
        return clean_text(str(value))

    def _where(self, index: int) -> str:
        return f'{self.path}: annotation {index} ({self._id(index)})'

    def __len__(self) -> int:
        return len(self._order)

    def ids(self) -> List[str]:
        """The video id of each annotation."""
        return [self._id(index) for index in range(len(self.annotations))]

    def __iter__(self) -> Iterator[Clip]:
        return (self.clip(index, split) for index, split in self._order)

    def clip(self, index: int, split: str = '') -> Clip:
        """The clip of one annotation.

        Raises:
            UnreadableError: A field is not as it should be; the message names the annotation and the field.
        """
        where, annotation = self._where(index), self.annotations[index]
        # (M, T, V, 2)
        xy = self._array(index, 'keypoint', 'numbers').astype(np.float32)
        frames = self._whole(index, 'total_frames')
        if xy.ndim != 4 or xy.shape[-1] != 2 or xy.shape[1] != frames:
            raise UnreadableError(
                f'{where}: keypoint is of shape {xy.shape}; expected (people, {frames}, joints, 2); 3-D '
                'joints are not read'
            )
        if xy.shape[0] == 0 and frames > _MOST_FRAMES:
            raise UnreadableError(f'{where}: {frames} frames without anybody in them; leave this clip out')
        if 'keypoint_score' in annotation:
            # (M, T, V)
            score = self._array(index, 'keypoint_score', 'numbers').astype(np.float32)
        else:
            score = (xy != 0).any(axis=-1).astype(np.float32)
        if score.shape != xy.shape[:3]:
            raise UnreadableError(
                f'{where}: keypoint_score is of shape {score.shape}; expected {xy.shape[:3]}'
            )
        values = np.concatenate([xy, score[..., None]], axis=-1)
        person = int(score.mean(axis=(1, 2)).argmax()) if len(score) else 0
        keypoints = (
            values[person]
            if len(values)
            else np.zeros((frames, get_layout(self.layout).num_joints, 3), dtype=np.float32)
        )
        shape = self._array(index, 'img_shape', 'height and width')
        if shape.ndim != 1 or len(shape) < 2 or not np.isfinite(shape[:2]).all():
            raise UnreadableError(f'{where}: img_shape is {shape.tolist()!r:.60}; expected height and width')
        height, width = (int(size) for size in shape[:2])
        signer = signer_name(annotation.get('signer'), where)
        name = clean_text(str(annotation.get('video_id') or self._id(index)))
        label, times = self._whole(index, 'label'), self._times(index, frames)
        return Clip(keypoints, label, split, name, width, height, signer, self._rate(index), times)

    def _rate(self, index: int) -> float:
        if self.annotations[index].get('fps') is None:
            return 0.0
        expected = 'frames a second, or no such field'
        fps = self._array(index, 'fps', expected)
        if fps.size != 1 or not 0 <= fps.ravel()[0] < float('inf'):
            raise UnreadableError(f'{self._where(index)}: fps is {fps.tolist()!r:.60}; expected {expected}')
        return float(fps.ravel()[0])

    def _times(self, index: int, frames: int) -> Optional[np.ndarray]:
        if self.annotations[index].get('frame_times') is None:
            return None
        times = self._array(index, 'frame_times', 'seconds of the frames, or no such field')
        try:
            times = check_times(f'{self._where(index)}: frame_times', times, frames)
        except UserValueError as error:
            raise UnreadableError(str(error)) from error
        return times - times[0]


def export_pyskl(store: PoseStore, path: str, overwrite: bool = False) -> None:
    """Writes a store as such a file, which mmaction2's PoseDataset loads.

    Keypoints are float32, one person a clip. Besides the usual fields the file has ``layout``, ``glosses``,
    extractor, source and licence, and each clip's ``signer``, ``fps`` and, where the rate is uneven,
    ``frame_times``. Ids are the video ids. An id that several splits have gets the split before it
    (``train/abc``), and stays in the field ``video_id``.

    Args:
        store (PoseStore): The clips.
        path (str): The new file; it appears whole or not at all.
        overwrite (bool): Replace a file that is there.

    Raises:
        FileExistsError: The file is there, or a folder of that name.
        OSError: Such as a full disk; it names ``path``.
    """
    if os.path.isdir(path):
        raise FileExistsError(f'{os.path.abspath(path)} is a folder; give the name of a file')
    if os.path.isfile(path) and not overwrite:
        raise FileExistsError(
            f'{os.path.abspath(path)} exists; choose another file, or overwrite=True (--overwrite)'
        )
    ids, splits = store.video_id.tolist(), store.split.tolist()
    repeated = {name for name, count in Counter(ids).items() if count > 1}
    by_split: dict = {name: [] for name in store.split_names}
    annotations = []
    for index, (name, split) in enumerate(zip(ids, splits)):
        keypoints, scores = store.clip(index)
        shape = int(store.height[index]), int(store.width[index])
        times = store.frame_times(index)
        frame_dir = f'{split}/{name}' if name in repeated else name
        by_split[split].append(frame_dir)
        annotations.append(
            dict(
                frame_dir=frame_dir,
                total_frames=len(scores),
                img_shape=shape,
                original_shape=shape,
                label=int(store.label[index]),
                keypoint=keypoints[None],
                keypoint_score=scores[None],
                signer=str(store.signer[index]),
                **(dict(fps=float(store.fps[index])) if store.fps[index] else {}),
                **({} if times is None else dict(frame_times=np.array(times))),
            )
        )
        if name in repeated:
            annotations[-1]['video_id'] = name
    about = {key: store.meta[key] for key in ABOUT if store.meta.get(key)}
    content = dict(
        split=by_split, annotations=annotations, layout=store.layout.name, glosses=store.glosses, **about
    )
    with open_atomic(path) as file:
        pickle.dump(content, file, protocol=4)
