"""Importer and exporter of the pickle of pyskl and mmaction2.

Content: ``dict(split={name: [ids]}, annotations=[dict(frame_dir, keypoint, keypoint_score, label, ..)])``.
"""

import logging
import pickle
from collections import Counter
from typing import Iterator, List, Optional, Sequence

import numpy as np
from mmengine.logging import print_log

from ...datasets.pose_store import PoseStore
from ...errors import UserValueError
from ...files.atomic import open_atomic
from ...files.unpickle import safe_load, to_array
from ...layouts import get_layout
from .common import Clip

# A single number of the file would otherwise reserve any memory: without a list of glosses the largest label
# gives their number, and a clip without people has frames alone.
_MOST_LABELS = 10**6
_MOST_FRAMES = 10**6

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
        labels = [self._label(index) for index in range(len(self.annotations))]
        if not glosses and max(labels) >= _MOST_LABELS:
            index = labels.index(max(labels))
            raise UserValueError(
                f'{path}: annotation {index}: label is {max(labels)}; correct it, or give the list of glosses'
            )
        self.glosses: List[str] = (
            list(glosses) if glosses else [str(label) for label in range(max(labels) + 1)]
        )
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
        counts = {name: len(to_array(ids)) for name, ids in split.items()}
        missing = [name for name in chosen or () if name not in split]
        if missing:
            raise UserValueError(f'{self.path}: no split {missing}; splits there: {counts}')
        splits_of: dict = {}
        ids_of_file = set(self.ids())
        for name in chosen or split:
            ids = [str(clip) for clip in to_array(split[name]).ravel().tolist()]
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

    def _field(self, index: int, name: str) -> object:
        annotation = self.annotations[index]
        if not isinstance(annotation, dict) or name not in annotation:
            fields = sorted(annotation) if isinstance(annotation, dict) else annotation
            raise UserValueError(f'{self.path}: annotation {index}: field {name} is absent; found {fields}')
        return annotation[name]

    def _label(self, index: int) -> int:
        label = to_array(self._field(index, 'label'))
        if label.dtype.kind not in 'iu' or label.size != 1:
            raise UserValueError(
                f'{self.path}: annotation {index}: label is {label.tolist()!r}; expected one whole number'
            )
        return int(label.ravel()[0])

    def _id(self, index: int) -> str:
        return str(self._field(index, 'filename' if 'filename' in self.annotations[index] else 'frame_dir'))

    def __len__(self) -> int:
        return len(self._order)

    def ids(self) -> List[str]:
        """The video id of each annotation."""
        return [self._id(index) for index in range(len(self.annotations))]

    def __iter__(self) -> Iterator[Clip]:
        return (self.clip(index, split) for index, split in self._order)

    def clip(self, index: int, split: str = '') -> Clip:
        """The clip of one annotation."""
        where = f'{self.path}: annotation {index} ({self._id(index)})'
        # (M, T, V, 2)
        xy = to_array(self._field(index, 'keypoint')).astype(np.float32)
        frames = int(self._field(index, 'total_frames'))
        if xy.ndim != 4 or xy.shape[-1] != 2 or xy.shape[1] != frames:
            raise UserValueError(
                f'{where}: keypoint is of shape {xy.shape}; expected (people, {frames}, joints, 2); 3-D '
                'joints are not read'
            )
        if xy.shape[0] == 0 and frames > _MOST_FRAMES:
            raise UserValueError(f'{where}: {frames} frames without anybody in them; leave this clip out')
        if 'keypoint_score' in self.annotations[index]:
            # (M, T, V)
            score = to_array(self.annotations[index]['keypoint_score']).astype(np.float32)
        else:
            score = (xy != 0).any(axis=-1).astype(np.float32)
        if score.shape != xy.shape[:3]:
            raise UserValueError(
                f'{where}: keypoint_score is of shape {score.shape}; expected {xy.shape[:3]}'
            )
        values = np.concatenate([xy, score[..., None]], axis=-1)
        person = int(score.mean(axis=(1, 2)).argmax()) if len(score) else 0
        keypoints = (
            values[person]
            if len(values)
            else np.zeros((frames, get_layout(self.layout).num_joints, 3), dtype=np.float32)
        )
        height, width = (int(size) for size in to_array(self._field(index, 'img_shape'))[:2])
        signer = str(self.annotations[index].get('signer', ''))
        name = str(self.annotations[index].get('video_id') or self._id(index))
        fps = to_array(self.annotations[index].get('fps') or 0)
        if fps.dtype.kind not in 'iuf' or fps.size != 1 or not 0 <= fps.ravel()[0] < float('inf'):
            raise UserValueError(
                f'{where}: fps is {fps.tolist()!r:.60}; expected frames a second, or no such field'
            )
        rate = float(fps.ravel()[0])
        return Clip(keypoints, self._label(index), split, name, width, height, signer=signer, fps=rate)


def export_pyskl(store: PoseStore, path: str) -> None:
    """Writes a store as such a file, which mmaction2's PoseDataset loads.

    Keypoints are float32, one person a clip. Besides the usual fields the file has ``layout``, ``glosses``,
    extractor, source and licence, and each clip's ``signer`` and ``fps``. Ids are the video ids. An id that
    several splits have gets the split before it (``train/abc``), and stays in the field ``video_id``.
    """
    ids, splits = store.video_id.tolist(), store.split.tolist()
    repeated = {name for name, count in Counter(ids).items() if count > 1}
    by_split: dict = {name: [] for name in store.split_names}
    annotations = []
    for index, (name, split) in enumerate(zip(ids, splits)):
        keypoints, scores = store.clip(index)
        shape = int(store.height[index]), int(store.width[index])
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
