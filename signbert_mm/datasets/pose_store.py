"""A folder of keypoints on disk: plain npy, memory-mapped."""

import hashlib
import os
from functools import cached_property
from typing import Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ..errors import UserKeyError, UserValueError
from ..files.arrays import open_array
from ..files.atomic import restore_folder
from ..layouts import Layout, get_layout
from .hand_rule import hand_joints, hands_found
from .store_format import (
    CLIPS,
    KEYPOINTS,
    LEFT_FOUND,
    META,
    MISSING,
    PIXEL_STEPS,
    RIGHT_FOUND,
    SCORE_STEPS,
    TIMES,
    check_coverage,
    check_official,
    flags_found,
    zeros_at_the_end,
)
from .store_index import check_digest, check_files, read_clips, read_meta


class PoseStore:
    """Clips on disk, read through a memory map; opening reads no keypoints.

    The folder holds three files. ``keypoints.npy`` has shape (sum_T, V, 3): x and y in pixels, and the score;
    float32, or int16 in eighths of a pixel and score * 32767. ``clips.npz`` has one row a clip. ``meta.json``
    describes both. A joint with score 0 is missing, and its coordinates are 0.

    Processes that open the same store share its pages. A pickled PoseStore holds only the folder's name.

    Args:
        folder (str): The store's folder.

    Attributes:
        meta (dict): ``meta.json``.
        layout (Layout): Of the keypoints.
        glosses (list[str]): The vocabulary.
        coverage (dict[str, dict]): How much of a published data set the store has: split -> ``expected``
            (clips that the annotations list), ``present`` (clips in the store) and, where known,
            ``per_class`` (listed clips of each gloss). {} = not recorded.
        official (dict[str, int]): Split -> clips that the owners publish; {} = not recorded.
        offset, length (ndarray): Shape (N,): a clip's first row in ``keypoints`` and its frames.
        label (ndarray): Shape (N,) int32, index into ``glosses``; -1 = none.
        width, height (ndarray): Shape (N,) int32, pixels.
        fps (ndarray): Shape (N,) float32; 0 = unknown.
        hand_flags (ndarray): Shape (sum_T,) uint8: 1 = left hand detected, 2 = right, 3 = both, by
            ``hand_rule`` when the store was written.
        hand_rule (str): Of :func:`~signbert_mm.datasets.hand_rule.hands_found`: 'box', or 'any' in old stores
            that do not record it.
        keypoints (memmap): Shape (sum_T, V, 3), as stored.

    Raises:
        FileNotFoundError: The folder or one of its files is absent.
        ValueError: A file is truncated, damaged or from another format; the message names it, and the byte
            counts expected and found.
    """

    def __init__(self, folder: Union[str, os.PathLike]) -> None:
        self.folder = os.path.abspath(os.fspath(folder))
        if not os.path.isdir(self.folder) and not restore_folder(self.folder):
            raise FileNotFoundError(
                f'{self.folder}: no such folder; prepare the data set with one of tools/dataset_converters, '
                'or correct `store`'
            )
        self.meta = read_meta(self.folder)
        check_files(self.folder, self.meta)
        path = f'{self.folder}/{META}'
        try:
            self.layout: Layout = get_layout(self.meta['layout'])
        except KeyError as error:
            raise UserKeyError(f'{path}: {error.args[0]}') from None
        self.layout.check_joints(self.meta['joints'], path)
        self.glosses: List[str] = self.meta['glosses']
        self.hand_rule: str = self.meta.get('hand_rule', 'any')
        self.coverage: Dict[str, dict] = check_coverage(self.meta.get('coverage'), len(self.glosses), path)
        self.official: Dict[str, int] = check_official(self.meta.get('official'), path)
        clips = read_clips(self.folder, self.meta)
        self.offset, self.length, self.label = clips['offset'], clips['length'], clips['label']
        self.width, self.height, self.fps = clips['width'], clips['height'], clips['fps']
        self.hand_flags = clips['hands']
        self.split_code, self._split_names = clips['split'], clips['split_names']
        self._video_id = clips['video_id']
        self._signer, self._signer_names = clips['signer'], clips['signer_names']
        self._timed, self._times = (clips.get(name) for name in TIMES)
        self._check_end()

    def _check_end(self) -> None:
        """Refuses a ``keypoints.npy`` of the right size whose end was never written or was lost."""
        # Such an end reads as zeros.
        path, written = os.path.join(self.folder, KEYPOINTS), self.meta.get('zeros_at_the_end')
        if isinstance(written, int):
            zeros = zeros_at_the_end(path)
            if zeros > written:
                raise UserValueError(
                    f'{path}: its last {zeros} bytes are 0, {written} were written so: it lost its end; '
                    'copy it again or prepare it again'
                )
            return
        # Stores of earlier versions do not record it. Their last frame with a hand must have joints.
        rows = np.flatnonzero(self.hand_flags)[-1:]
        with open(path, 'rb') as file:
            size = self.layout.num_joints * 3 * np.dtype(self.meta['dtype']).itemsize
            for row in rows:
                file.seek(-(self.meta['frames'] - int(row)) * size, os.SEEK_END)
                values = np.frombuffer(file.read(size), self.meta['dtype']).reshape(1, -1, 3)
                self.check_hands(rows, values, np.arange(self.layout.num_joints))

    def check_hands(self, rows: np.ndarray, values: np.ndarray, joints: np.ndarray) -> None:
        """Refuses a hand without any joint where ``clips.npz`` says that it was detected.

        A part of the file was then lost.

        Args:
            rows (ndarray): Any shape, rows of ``keypoints``.
            values (ndarray): Shape rows.shape + (K, 3), as stored or decoded.
            joints (ndarray): Shape (K,), which joints they are; -1 = none. A hand is checked only if all its
                joints are among them.

        Raises:
            ValueError: A hand has no joint; the message names the clip and the frame.
        """
        flags = self.hand_flags[rows]
        for bit, hand in zip((LEFT_FOUND, RIGHT_FOUND), hand_joints(self.layout)):
            places = np.flatnonzero(np.isin(joints, hand))
            if not hand or len(set(joints[places].tolist())) < len(hand):
                continue
            lost = (flags & bit > 0) & ~(values[..., places, 2] > 0).any(axis=-1)
            if lost.any():
                raise UserValueError(
                    f'{self.folder}/{KEYPOINTS}: {self._name_row(np.asarray(rows)[lost].flat[0])}: every '
                    f'joint of a hand is missing that {CLIPS} says was found; a part of the file was lost: '
                    'copy it again or prepare it again'
                )

    def _name_row(self, row: int) -> str:
        """Clip, video_id and frame of a row of ``keypoints``, for messages."""
        clip = int(np.searchsorted(self.offset, row, side='right')) - 1
        name = self.video_ids(np.asarray([clip]))[0]
        return f'clip {clip} (video_id {name!r}), frame {int(row) - self.offset[clip]}'

    def __reduce__(self) -> tuple:
        # Never the arrays: a memmap would be pickled with all its data.
        return type(self), (self.folder,)

    def __len__(self) -> int:
        return len(self.length)

    def __repr__(self) -> str:
        return (
            f'PoseStore({self.folder!r}: {len(self)} clips, {self.meta["frames"]} frames, '
            f'{self.layout.name}, {self.split_counts()})'
        )

    @cached_property
    def keypoints(self) -> np.ndarray:
        path = os.path.join(self.folder, KEYPOINTS)
        keypoints = open_array(path)
        shape = (self.meta['frames'], self.layout.num_joints, 3)
        if keypoints.shape != shape or keypoints.dtype != np.dtype(self.meta['dtype']):
            raise UserValueError(
                f'{path}: {keypoints.dtype} of shape {keypoints.shape} found, {self.meta["dtype"]} of shape '
                f'{shape} expected; prepare the store again'
            )
        return keypoints

    @property
    def split_names(self) -> List[str]:
        return [name.decode() for name in self._split_names]

    def split_counts(self) -> Dict[str, int]:
        """How many clips each split has."""
        counts = np.bincount(self.split_code, minlength=len(self._split_names))
        return {name: int(count) for name, count in zip(self.split_names, counts)}

    @property
    def extractors(self) -> List[str]:
        """Names and versions of the pose extractors; several only if ``notes`` lists them, [] if unknown."""
        recorded = (self.meta.get('notes') or {}).get('extractors') or [
            f'{self.meta.get("extractor", "")} {self.meta.get("extractor_version", "")}'
        ]
        return [name for name in (str(name).strip() for name in recorded) if name]

    def expected_and_present(
        self, splits: Optional[Sequence[str]] = None, labels: Optional[Sequence[int]] = None
    ) -> Optional[Tuple[int, int]]:
        """How many clips the annotations list, and how many of them are here.

        Args:
            splits (list[str], optional): In these splits; None = in all.
            labels (list[int], optional): Of these glosses; None = of all, unlabelled clips as well.

        Returns:
            tuple[int, int]: The two numbers; None if ``coverage`` does not record the first.
        """
        names = list(dict.fromkeys([*self.coverage, *self.split_names])) if splits is None else list(splits)
        rows = [self.coverage.get(name) for name in names]
        if not rows or None in rows or (labels is not None and any('per_class' not in row for row in rows)):
            return None
        codes = [code for code, name in enumerate(self.split_names) if name in names]
        present = np.isin(self.split_code, codes)
        if labels is None:
            return sum(row['expected'] for row in rows), int(present.sum())
        expected = sum(row['per_class'][label] for row in rows for label in labels)
        return expected, int((present & np.isin(self.label, labels)).sum())

    @property
    def missing(self) -> List[str]:
        """The lines of ``missing.txt``: clips that the converter did not find; [] without that file."""
        path = os.path.join(self.folder, MISSING)
        if not os.path.isfile(path):
            return []
        with open(path, encoding='utf-8') as file:
            return [line.rstrip('\n') for line in file if line.strip() and not line.startswith('#')]

    @cached_property
    def split(self) -> np.ndarray:
        """Shape (N,) str."""
        return np.asarray(self.split_names)[self.split_code]

    @cached_property
    def video_id(self) -> np.ndarray:
        """Shape (N,) str; decoded on first use."""
        return np.char.decode(self._video_id, 'utf-8')

    def video_ids(self, clips: np.ndarray) -> List[str]:
        """The ids of some clips, without decoding the rest."""
        return [name.decode() for name in self._video_id[clips]]

    @cached_property
    def signer(self) -> np.ndarray:
        """Shape (N,) str; '' = unknown."""
        return np.asarray([name.decode() for name in self._signer_names])[self._signer]

    @property
    def hands_found(self) -> np.ndarray:
        """Which hands were detected: shape (sum_T, 2) bool, 0 = left, 1 = right."""
        return flags_found(self.hand_flags)

    def clip(self, index: int) -> Tuple[np.ndarray, np.ndarray]:
        """One clip.

        Returns:
            tuple[ndarray, ndarray]: keypoints (T, V, 2) float32 in pixels, and scores (T, V) float32 in
            [0, 1]; 0 = missing.
        """
        index = range(len(self))[index]
        self.refuse_truncated()
        start = int(self.offset[index])
        rows = self.decode(np.array(self.keypoints[start : start + int(self.length[index])]))
        self.check_hands(start + np.arange(len(rows)), rows, np.arange(self.layout.num_joints))
        return np.ascontiguousarray(rows[..., :2]), np.ascontiguousarray(rows[..., 2])

    def frame_times(self, index: int) -> Optional[np.ndarray]:
        """Seconds (T,) float32 of a clip's frames from 0 on; None if they are even, at ``fps``."""
        if self._timed is None:
            return None
        index = range(len(self))[index]
        place = int(np.searchsorted(self._timed, index))
        if place == len(self._timed) or self._timed[place] != index:
            return None
        # The times of all uneven clips lie one after the other.
        start = int(self.length[self._timed[:place]].sum())
        return self._times[start : start + int(self.length[index])]

    def read(self, rows: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Some joints of some frames, and no others.

        Args:
            rows (ndarray): Any shape, int64, rows of ``keypoints``.
            joints (ndarray): Shape (K,) int64, joints of ``layout``.

        Returns:
            ndarray: Shape rows.shape + (K, 3) float32: x, y in pixels, score.
        """
        return self.decode(self.stored(rows, joints))

    def stored(self, rows: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """As :meth:`read`, in the store's own numbers: :meth:`decode` makes pixels and scores of them."""
        self.refuse_truncated()
        # A joint's three numbers move as one item, which is twice as fast as indexing the rows.
        # (sum_T * V,)
        items = np.asarray(self.keypoints).view(f'V{3 * self.keypoints.itemsize}').ravel()
        picked = items.take(rows[..., None] * self.layout.num_joints + joints)
        return picked.view(self.keypoints.dtype).reshape(*picked.shape, 3)

    def refuse_truncated(self) -> None:
        """Checks that ``keypoints.npy`` still has its size.

        Raises:
            ValueError: It was cut short since the store was opened.
        """
        # Reading a mapped file behind its end kills the process (SIGBUS).
        mapped = getattr(self.keypoints, '_mmap', None)
        size, expected = mapped.size() if mapped is not None else 0, self.meta['files'][KEYPOINTS]['bytes']
        if mapped is not None and size < expected:
            path = os.path.join(self.folder, KEYPOINTS)
            raise UserValueError(
                f'{path}: {expected} bytes when it was opened, {size} now: another program has cut it '
                'short; copy it again or prepare it again'
            )

    def refuse_numbers(self, clips: np.ndarray, rows: Sequence[np.ndarray]) -> None:
        """Names the first number that is not finite in some clips' rows.

        The writer refuses such numbers, so the file was changed since.

        Args:
            clips (ndarray): Shape (B,), indices of the clips.
            rows (Sequence[ndarray]): Of each clip, rows of ``keypoints``.

        Raises:
            ValueError: A number is not finite.
        """
        for _, places in zip(clips, rows):
            # (T, V, 3)
            values = self.read(places, np.arange(self.layout.num_joints))
            for frame, joint in np.argwhere(~np.isfinite(values).all(axis=-1))[:1]:
                raise UserValueError(
                    f'{self.folder}/{KEYPOINTS}: {self._name_row(places[frame])}, joint {joint} '
                    f'({self.layout.joints[joint]}): x, y, score = {values[frame, joint].tolist()}; the file '
                    'was changed after it was written: prepare the store again'
                )

    def decode(self, rows: np.ndarray) -> np.ndarray:
        """Stored numbers (..., V, 3) as float32 pixels and scores."""
        if rows.dtype == np.float32:
            return rows
        values = rows.astype(np.float32)
        # (..., 3 V): numpy is slow over a last axis of 3.
        flat = values.reshape(*rows.shape[:-2], -1)
        flat *= np.tile(
            np.asarray([1 / PIXEL_STEPS, 1 / PIXEL_STEPS, 1 / SCORE_STEPS], dtype=np.float32), rows.shape[-2]
        )
        return values

    def verify(self) -> None:
        """Reads and checks everything.

        These are the checksums, finite numbers, scores in [0, 1], zeros in missing joints, and which hands
        were detected.

        Raises:
            ValueError: Something differs; the message names the file and, for a number, the clip, frame and
                joint.
        """
        check_digest(os.path.join(self.folder, CLIPS), self.meta)
        path = os.path.join(self.folder, KEYPOINTS)
        digest = hashlib.blake2b(digest_size=32)
        # Some 16 MB at once.
        step = max(1, (1 << 24) // (self.layout.num_joints * 12))
        # The first of each is kept, and raised at the end: bad numbers say more than a wrong checksum.
        problem, flags = '', ''
        for start in range(0, len(self.keypoints), step):
            rows = np.ascontiguousarray(self.keypoints[start : start + step])
            digest.update(rows.data)
            values = self.decode(rows)
            score = values[..., 2]
            bad = (
                ~np.isfinite(values).all(axis=-1)
                | (score < 0)
                | (score > 1)
                | ((score == 0) & (values[..., :2] != 0).any(axis=-1))
            )
            if bad.any() and not problem:
                row, joint = np.argwhere(bad)[0]
                problem = (
                    f'{self._name_row(start + row)}, joint {joint} ({self.layout.joints[joint]}): x, y, '
                    f'score = {values[row, joint].tolist()}'
                )
            wrong = (
                hands_found(score, self.layout, self.hand_rule)
                != flags_found(self.hand_flags[start : start + len(rows)])
            ).any(axis=1)
            if wrong.any() and not flags:
                flags = self._name_row(start + int(wrong.argmax()))
        if problem:
            raise UserValueError(
                f'{path}: {problem} is not finite, or has a score outside [0, 1], or is missing and not 0; '
                'prepare the store again'
            )
        if digest.hexdigest() != self.meta['files'][KEYPOINTS]['blake2b']:
            raise UserValueError(
                f'{path}: checksum differs from {META}; copy it again or prepare the store again'
            )
        if flags:
            raise UserValueError(
                f'{path}: {flags}: {CLIPS} says otherwise which hands were found; prepare the store again'
            )
