"""Importer of npz files with hands, and perhaps pose, of all clips in fractions of the image."""

import os
from typing import Callable, Dict, Iterator, List, Optional, Sequence

import numpy as np

from ...errors import UserValueError
from ...files.arrays import ArrayFileError, read_npz
from ...files.paths import check_name
from ...files.text import clean_text
from ...layouts import get_layout
from .common import Clip, check_spelling, split_name

PROTOCOLS = ('words33', 'recorded', 'sessions')
_FIELDS = ('hands', 'length', 'label', 'classes', 'seq_id')


def _numbers(values: np.ndarray, what: str) -> np.ndarray:
    if values.dtype.kind not in 'fiu':
        raise UserValueError(f'{what} is {values.dtype}; numbers expected')
    return values


def _whole(values: np.ndarray, what: str) -> np.ndarray:
    values = _numbers(values, what)
    if values.dtype.kind == 'f':
        # Of NaN all comparisons are false.
        odd = np.flatnonzero(~((np.abs(values) < 1 << 53) & (values == np.rint(values))))
        if len(odd):
            raise UserValueError(f'{what}: entry {odd[0]} is {values[odd[0]]}; whole numbers expected')
        values = values.astype(np.int64)
    return values


def _names(values: np.ndarray, what: str) -> np.ndarray:
    if values.dtype.kind not in 'US':
        return _whole(values, what).astype(str)
    try:
        texts = np.char.decode(values, 'utf-8') if values.dtype.kind == 'S' else values
    except UnicodeDecodeError as error:
        raise UserValueError(f'{what}: bytes that are not UTF-8 ({error}); save them as text') from error
    return np.asarray([clean_text(text) for text in texts.tolist()], dtype=str)


def _signers(values: np.ndarray, what: str) -> np.ndarray:
    names = _names(values, what)
    return names if values.dtype.kind in 'US' else np.where(values < 0, '', names)


# What a field holds: takes its values and how messages call it, and returns them in one form.
_KINDS: Dict[str, Callable[[np.ndarray, str], np.ndarray]] = dict(
    hands=_numbers,
    pose=_numbers,
    length=_whole,
    label=_whole,
    session=_whole,
    twin=_whole,
    classes=_names,
    seq_id=_names,
    split=_names,
    signer=_signers,
)


def words33_splits(label: np.ndarray, seq_id: np.ndarray, where: str = 'words33') -> np.ndarray:
    """The splits of words33, shape (N,) str.

    Within each gloss, in order of ``seq_id`` as an integer: the first floor(n / 2) clips are 'train', those
    up to floor(3 n / 5) 'val', the rest 'test'.

    Raises:
        ValueError: A ``seq_id`` is no number; the message begins with ``where``.
    """
    odd = [name for name in map(str, seq_id.tolist()) if not (name.isdecimal() and len(name) < 19)]
    if odd:
        raise UserValueError(
            f'{where}: the words33 protocol orders by sequence number, but there are sequences named '
            f'{odd[:5]}; give them numbers, or choose another protocol'
        )
    split = np.full(len(label), 'train', dtype='<U5')
    order = np.lexsort((seq_id.astype(np.int64), label))
    # The clips of one gloss after the other, each in the order of seq_id.
    for members in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        count = len(members)
        split[members[count // 2 :]] = 'val'
        split[members[3 * count // 5 :]] = 'test'
    return split


class NpzClips:
    """The clips of one such file, in its order.

    Args:
        path (str): The file: ``hands`` (N, T, 2, 21, 2), x and y as fractions of image width and height, 0 =
            left and 1 = right, all zero = missing; ``length`` (N,); ``label`` (N,) into ``classes``;
            ``seq_id`` (N,). Optional: ``pose`` (N, T, P <= 33, 3), x, y and visibility of MediaPipe's first P
            pose points; ``split`` (N,) str; ``session`` (N,) int; ``signer`` (N,) str or int, '' or -1 =
            unknown; ``twin`` (N,) int, the group of clips with the same landmarks, -1 = none; ``in...`` (N,)
            bool, the clips of a subset of the vocabulary. Text may be bytes of UTF-8. Of floats, those that
            are whole numbers pass for int.
        width, height (int): Image size in pixels, which the file does not give.
        protocol (str, optional): 'words33': splits as :func:`words33_splits`. 'recorded': the file's
            ``split``. 'sessions': a split of each ``session``: 'session0', 'session1', .. None = all 'train'.
        subset (str): A boolean field, such as 'in100': only its clips and their glosses. '' = all.
        drop_twins (bool): Leave out the clips that have a twin.

    Attributes:
        layout (str): 'mediapipe_holistic' with ``pose``, else 'hands_42'.
        glosses (list[str]): ``classes``, or those of the subset, in the same order.

    Raises:
        ValueError: A field is absent, of a wrong shape or kind, the protocol is unknown, or no clip is left.
    """

    def __init__(
        self,
        path: str,
        width: int = 640,
        height: int = 480,
        protocol: Optional[str] = None,
        subset: str = '',
        drop_twins: bool = False,
    ) -> None:
        self.path, self.width, self.height = path, width, height
        if protocol not in (None, *PROTOCOLS):
            raise UserValueError(
                f'{path}: protocol {protocol!r}; choose one of {", ".join(PROTOCOLS)} or none'
            )
        needed = {'recorded': ['split'], 'sessions': ['session']}.get(protocol, [])
        fields = self._read(path, [*needed, *([subset] if subset else []), *(['twin'] if drop_twins else [])])
        self._hands, self._pose = fields['hands'], fields.get('pose')
        self.layout = 'hands_42' if self._pose is None else 'mediapipe_holistic'
        self.glosses: List[str] = fields['classes'].tolist()
        count, label = len(self._hands), fields['label']
        outside = np.flatnonzero((label < 0) | (label >= len(self.glosses)))
        if len(outside):
            raise UserValueError(
                f'{path}: clip {outside[0]}: field label is {label[outside[0]]}, outside 0 .. '
                f'{len(self.glosses) - 1} ({len(self.glosses)} classes); correct label or classes'
            )
        self.length, self.seq_id = fields['length'], fields['seq_id']
        self.signer = fields.get('signer', np.full(count, ''))
        self.split = np.full(count, 'train')
        if protocol == 'words33':
            self.split = words33_splits(label, self.seq_id, f'{path}: field seq_id')
        elif protocol == 'sessions':
            self.split = np.char.add('session', fields['session'].astype(str))
        elif protocol == 'recorded':
            self.split = np.asarray(list(map(split_name, fields['split'].tolist())), dtype=str)
            check_spelling(self.split.tolist(), f'{path}: field split')

        kept = fields[subset].copy() if subset else np.ones(count, dtype=bool)
        if subset and kept.dtype != bool:
            raise UserValueError(
                f'{path}: field {subset} is {kept.dtype}; a subset is a boolean field, as in100'
            )
        classes = np.unique(label[kept]) if subset else np.arange(len(self.glosses))
        if drop_twins:
            kept &= fields['twin'] < 0
        if not kept.any():
            raise UserValueError(f'{path}: no clips are left (subset {subset!r}, drop_twins={drop_twins})')
        self.glosses = [self.glosses[place] for place in classes]
        self.kept = np.flatnonzero(kept)
        # As label, split and the others of all clips of the file; self.kept selects.
        self.twin = fields.get('twin', np.full(count, -1))
        # classes is sorted, so searchsorted gives the indices into glosses; of kept clips alone.
        self.label = np.searchsorted(classes, label)

    def keep_glosses(self, glosses: Sequence[str]) -> int:
        """Takes over another label map, such as a model's, and leaves out clips of other glosses.

        Args:
            glosses (Sequence[str]): The other label map; it may have glosses that the file lacks.

        Returns:
            int: How many clips are left out.

        Raises:
            ValueError: None are left.
        """
        labels = {clean_text(gloss): label for label, gloss in enumerate(glosses)}
        new = np.array([labels.get(gloss, -1) for gloss in self.glosses])
        # Clips outside the subset have no label of it; their index may lie beyond its end.
        label = np.where(self.label < len(new), new[np.minimum(self.label, len(new) - 1)], -1)
        kept = self.kept[label[self.kept] >= 0]
        if not len(kept):
            raise UserValueError(
                f'{self.path}: no clip has a gloss of {list(glosses)[:5]} .. ({len(labels)} glosses)'
            )
        left_out = len(self.kept) - len(kept)
        self.kept, self.label, self.glosses = kept, label, list(glosses)
        return left_out

    @staticmethod
    def _read(path: str, optional: Sequence[str]) -> Dict[str, np.ndarray]:
        """The file's arrays, shapes and kinds checked; the fields ``optional`` must be there as well."""
        try:
            fields = read_npz(path)
        except ArrayFileError as error:
            raise UserValueError(
                f'{path}: not a whole npz file of plain arrays ({error}); copy it again or save it again '
                'with numpy.savez'
            ) from error
        absent = [name for name in (*_FIELDS, *optional) if name not in fields]
        if absent:
            raise UserValueError(f'{path}: fields absent: {absent}; found {sorted(fields)}')
        hands, pose = fields['hands'], fields.get('pose')
        if hands.ndim != 5 or hands.shape[2:] != (2, 21, 2):
            raise UserValueError(f'{path}: hands are of shape {hands.shape}; expected (N, T, 2, 21, 2)')
        if pose is not None and (pose.shape[:2] != hands.shape[:2] or pose.ndim != 4 or pose.shape[3] != 3):
            raise UserValueError(
                f'{path}: pose is of shape {pose.shape}; expected {hands.shape[:2]} + (points, 3)'
            )
        if pose is not None and pose.shape[2] > 33:
            raise UserValueError(f'{path}: pose has {pose.shape[2]} points; MediaPipe has 33')
        columns = ('length', 'label', 'seq_id', 'signer', 'twin', *optional)
        wrong = [name for name in columns if name in fields and fields[name].shape != (len(hands),)]
        if wrong:
            raise UserValueError(f'{path}: fields {wrong} are not of shape ({len(hands)},)')
        classes = fields['classes']
        if classes.ndim != 1:
            raise UserValueError(f'{path}: classes are of shape {classes.shape}; expected names, (N,)')
        for name in dict.fromkeys((*_FIELDS, 'pose', 'signer', 'twin', *optional)):
            if name in fields and name in _KINDS:
                fields[name] = _KINDS[name](fields[name], f'{path}: field {name}')
        # A gloss is a part of its clips' ids.
        for label, gloss in enumerate(fields['classes'].tolist()):
            check_name(gloss, f'{path}: class {label}')
        return fields

    def __len__(self) -> int:
        return len(self.kept)

    def __iter__(self) -> Iterator[Clip]:
        layout = get_layout(self.layout)
        stem = clean_text(os.path.splitext(os.path.basename(self.path))[0])
        for index in self.kept.tolist():
            length = int(self.length[index])
            if not 0 < length <= self._hands.shape[1]:
                raise UserValueError(
                    f'{self.path}: clip {index}: length {length} is outside 1 .. {self._hands.shape[1]}; '
                    'correct length, or leave the clip out'
                )
            keypoints = np.zeros((length, layout.num_joints, 3), dtype=np.float32)
            for side, first in enumerate((layout.parts['left_hand'][0], layout.parts['right_hand'][0])):
                # (T, 21, 2)
                hand = self._hands[index, :length, side].astype(np.float32)
                keypoints[:, first : first + 21, :2] = hand
                # A hand has one score for all its joints: 0 where it is missing.
                keypoints[:, first : first + 21, 2] = (hand != 0).any(axis=(1, 2))[:, None]
            if self._pose is not None:
                keypoints[:, : self._pose.shape[2]] = self._pose[index, :length]
            keypoints[:, :, :2] *= np.asarray([self.width, self.height], dtype=np.float32)
            gloss = self.glosses[int(self.label[index])]
            yield Clip(
                keypoints,
                int(self.label[index]),
                str(self.split[index]),
                f'{stem}/{gloss}/{self.seq_id[index]}',
                self.width,
                self.height,
                str(self.signer[index]),
                # Its place in the file: left-out clips shift that in the store.
                where=f'{self.path}: clip {index} (seq_id {self.seq_id[index]!s:.80}, {gloss!r:.80})',
            )
