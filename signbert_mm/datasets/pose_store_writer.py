"""Writes a PoseStore."""

import contextlib
import hashlib
import json
import logging
import os
from array import array
from collections import Counter
from types import TracebackType
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Type, Union

import numpy as np

from ..errors import UserValueError
from ..files.atomic import PendingFolder, naming
from ..files.paths import check_text
from ..files.text import clean_text
from ..layouts import Layout, get_layout
from ..logs import print_log
from .clip_fields import check_clip, check_times
from .frame_times import uneven_times
from .hand_rule import HAND_RULES, hands_found
from .pixel_check import OUTSIDE, PixelCheck, check_keypoints
from .pose_store import PoseStore
from .store_format import (
    CLIPS,
    DTYPES,
    FORMAT,
    FORMAT_VERSION,
    KEYPOINTS,
    LEFT_FOUND,
    META,
    PIXEL_STEPS,
    RIGHT_FOUND,
    SCORE_STEPS,
    TIMES,
    check_coverage,
    check_official,
    file_digest,
    foreign_to_store,
    npy_header,
    zeros_at_the_end,
)

# Type codes of array.array, the same types as in clips.npz.
_KINDS = dict(length='i', label='i', split='h', signer='i', width='i', height='i', fps='f', hands='B')


class PoseStoreWriter:
    """Streams clips into a new PoseStore.

    Only the index is in memory, some 190 bytes a clip and one a frame. All files are written to a folder
    beside the store's, synced, and renamed at :meth:`close`. A writer that is killed therefore leaves no
    store that opens, and the next writer of the same store removes what it left. Use it as a context manager:
    an exception inside removes what was written.

    Args:
        folder (str): The store's folder; its parent is made where absent.
        layout (str | Layout): The joints' layout.
        glosses (list[str]): The vocabulary; labels index it. Glosses, splits and signers are stored as
            :func:`~signbert_mm.files.text.clean_text` gives them.
        dtype (str): ``float32``, or ``int16`` (1/8 px, so coordinates within +-4,095 px; half the size).
        source, licence (str): Where the clips come from and on what terms.
        extractor, extractor_version (str): The pose extractor.
        notes (dict, optional): Anything else that belongs in ``meta.json``.
        overwrite (bool): Replace a store that exists, or an empty folder. Nothing else is replaced.
        coverage (Mapping, optional): Of a published data set: split -> the number of clips that its
            annotations list, or the dict of :func:`~signbert_mm.datasets.store_format.check_coverage`. The
            writer counts the clips that it gets; ``present``, where given, must be that count. It may be set
            until :meth:`close`. It is printed beside every accuracy on the store.
        official (Mapping[str, int], optional): Split -> the number of clips that the owners publish, if it
            differs from that of the annotations.
        hand_rule (str): When a hand counts as detected, see
            :func:`~signbert_mm.datasets.hand_rule.hands_found`.

    Raises:
        FileExistsError: The folder exists, and ``overwrite`` is False or it holds something else.
        ValueError: A gloss, as it is stored, is empty, repeated or no text of one line; ``dtype`` or
            ``hand_rule`` is unknown, or ``coverage`` or ``official`` is malformed.
    """

    def __init__(
        self,
        folder: Union[str, os.PathLike],
        layout: Union[str, Layout],
        glosses: Sequence[str],
        dtype: str = 'float32',
        source: str = '',
        licence: str = '',
        extractor: str = '',
        extractor_version: str = '',
        notes: Optional[dict] = None,
        overwrite: bool = False,
        coverage: Optional[Mapping[str, Any]] = None,
        official: Optional[Mapping[str, int]] = None,
        hand_rule: str = 'box',
    ) -> None:
        self.folder = os.path.abspath(os.fspath(folder))
        self.layout = get_layout(layout)
        self.glosses = [clean_text(str(gloss)) for gloss in glosses]
        for place, gloss in enumerate(self.glosses):
            check_text(gloss, f'{self.folder}: gloss {place}', empty=True)
        if dtype not in DTYPES:
            raise UserValueError(f'{self.folder}: dtype {dtype!r}: choose one of {", ".join(DTYPES)}')
        if hand_rule not in HAND_RULES:
            raise UserValueError(
                f'{self.folder}: hand_rule {hand_rule!r}: choose one of {", ".join(HAND_RULES)}'
            )
        repeated = sorted(gloss for gloss, count in Counter(self.glosses).items() if count > 1)
        if repeated or '' in self.glosses:
            raise UserValueError(
                f'{self.folder}: glosses must be distinct and not empty; repeated: {repeated}'
            )
        self.dtype, self.hand_rule = dtype, hand_rule
        self._about = dict(
            source=source,
            licence=licence,
            extractor=extractor,
            extractor_version=extractor_version,
            notes=notes or {},
        )
        self.coverage = coverage
        if official:
            self._about['official'] = check_official(official, self.folder)
        # Fails here, rather than after an hour of clips.
        json.dumps(self._about)
        # Arrays: lists would hold a Python object for each clip and column.
        self._columns: Dict[str, Any] = {name: array(kind) for name, kind in _KINDS.items()}
        self._video_ids: List[bytes] = []
        self._codes: Dict[str, Dict[str, int]] = dict(split={}, signer={})
        self._ids: Dict[str, Set[bytes]] = {}
        self._frames = 0
        # Joints, and those of them outside the image.
        self._found = self._outside = 0
        # Clips of uneven rate, and the times of their frames.
        self._timed, self._times = array('i'), array('f')

        self._pending = PendingFolder(self.folder, overwrite, foreign_to_store)
        self._file = open(os.path.join(self.partial, KEYPOINTS), 'wb')  # noqa: SIM115 - closed by close() or abort()
        self._file.write(npy_header(dtype, (0, self.layout.num_joints, 3)))
        self._digest = hashlib.blake2b(digest_size=32)

    def __len__(self) -> int:
        return len(self._columns['length'])

    @property
    def coverage(self) -> Dict[str, dict]:
        """As given, checked; {} = not recorded."""
        return self._coverage

    @coverage.setter
    def coverage(self, coverage: Optional[Mapping[str, Any]]) -> None:
        self._coverage = check_coverage(coverage, len(self.glosses), self.folder)

    def _counted_coverage(self) -> Dict[str, dict]:
        counts = self._split_counts()
        rows = {split: dict(row, present=counts.get(split, 0)) for split, row in self._coverage.items()}
        for split, row in rows.items():
            if self._coverage[split].get('present', row['present']) != row['present']:
                raise UserValueError(
                    f'{self.folder}: coverage says that split {split!r} has '
                    f'{self._coverage[split]["present"]} clips, {row["present"]} were added; correct '
                    '`present`, or leave it out'
                )
        return check_coverage(rows, len(self.glosses), self.folder)

    def _split_counts(self) -> Dict[str, int]:
        return {name: self._columns['split'].count(code) for name, code in self._codes['split'].items()}

    @property
    def partial(self) -> str:
        """The folder of the files until :meth:`close`; other files written to it become part of the store."""
        return self._pending.path

    def add(
        self,
        keypoints: Union[np.ndarray, Iterator[np.ndarray]],
        label: int,
        split: str,
        video_id: str,
        signer: str = '',
        *,
        width: int,
        height: int,
        fps: float = 0.0,
        times: Optional[np.ndarray] = None,
        where: str = '',
    ) -> None:
        """Appends one clip.

        Args:
            keypoints (ndarray | Iterator[ndarray]): Shape (T, V, 3): x and y in pixels, score. An iterator
                over pieces of it keeps a long clip out of memory. Score 0 = missing joint; its coordinates
                are stored as 0. A score above 1, which some heads give, is stored as 1. A negative one is
                refused, since extractors differ in what they mean by it.
            label (int): Index into ``glosses``; -1 = none.
            split (str): For instance 'train'.
            video_id (str): Unique within its split; a relative path of at most 255 bytes of UTF-8 without
                '.', '..' and empty parts.
            signer (str): '' = unknown.
            width, height (int): Image size in pixels.
            fps (float): Frames a second; 0 = unknown.
            times (ndarray, optional): Shape (T,) seconds of the frames, from any zero, for a video of uneven
                rate. They are stored only if :func:`~signbert_mm.datasets.frame_times.uneven_times` says so.
            where (str): How messages name the clip; '' = by its place in the store.

        Raises:
            ValueError: A value is not as above, or coordinates are not pixels of such an image
                (:mod:`.pixel_check`); the message names the clip, the field, the value and the remedy. The
                store is as before.
        """
        if self._file.closed:
            raise UserValueError(f'{self.folder}: this writer is closed; open a new one')
        where = where or f'{self.folder}: clip {len(self)} (video_id {video_id!r})'
        split, signer = check_clip(
            where, label, split, video_id, signer, width, height, fps, len(self.glosses)
        )
        encoded = video_id.encode()
        if encoded in self._ids.get(split, ()):
            raise UserValueError(
                f'{where}: video_id {video_id!r} is already in split {split!r}; ids must be unique there '
                '(drop the copy or rename it)'
            )
        begin, digest, hands, length = self._file.tell(), self._digest.copy(), [], 0
        unit = PixelCheck(width, height)
        try:
            for piece in keypoints if isinstance(keypoints, Iterator) else (keypoints,):
                stored = self._check_keypoints(where, piece, length, unit)
                hands.append(self._hand_flags(stored[:, :, 2]))
                data = np.ascontiguousarray(stored).data
                with naming(self.folder):
                    self._file.write(data)
                digest.update(data)
                length += len(stored)
            if not length:
                raise UserValueError(f'{where}: no frames; a clip has at least one (leave this clip out)')
            unit.refuse(where)
            times = None if times is None else uneven_times(check_times(where, times, length), fps)
        except BaseException:
            # Cutting the file can fail too, on a full disk. The first error says so.
            with contextlib.suppress(OSError):
                self._file.seek(begin)
                self._file.truncate()
            raise
        self._digest = digest
        self._ids.setdefault(split, set()).add(encoded)
        self._video_ids.append(encoded)
        self._frames += length
        self._found, self._outside = self._found + unit.found, self._outside + unit.outside
        row = dict(
            length=length,
            label=int(label),
            split=self._codes['split'].setdefault(split, len(self._codes['split'])),
            signer=self._codes['signer'].setdefault(signer, len(self._codes['signer'])),
            width=int(width),
            height=int(height),
            fps=float(fps),
        )
        if times is not None:
            self._timed.append(len(self))
            self._times.frombytes(times.tobytes())
        for name, value in row.items():
            self._columns[name].append(value)
        self._columns['hands'].frombytes(np.concatenate(hands).tobytes())

    def _check_keypoints(self, where: str, keypoints: np.ndarray, first: int, unit: PixelCheck) -> np.ndarray:
        """The clip, or a piece of it, as it is stored: shape (T, V, 3) of the store's dtype."""
        # (T, V, 3), a copy
        values = check_keypoints(where, keypoints, self.layout, first, unit)
        scores = values[:, :, 2]
        if self.dtype == 'int16':
            values *= (PIXEL_STEPS, PIXEL_STEPS, SCORE_STEPS)
            np.rint(values, out=values)
        # After rounding, since a small score may have become 0. `scores` is a view.
        values[:, :, :2] *= (scores > 0)[:, :, None]
        # -0 becomes 0, so that equal clips have equal bytes.
        values += 0.0
        if self.dtype == 'int16' and np.abs(values).max() > np.iinfo(np.int16).max:
            unit.refuse(where)
            frame, joint, axis = np.argwhere(np.abs(values) > np.iinfo(np.int16).max)[0]
            raise UserValueError(
                f'{where}: frame {first + frame}, joint {joint} ({self.layout.joints[joint]}): {"xy"[axis]} '
                f'= {values[frame, joint, axis] / PIXEL_STEPS} px does not fit int16 in eighths of a pixel '
                "(+-4,095); use dtype='float32'"
            )
        return values.astype(self.dtype, copy=False)

    def _hand_flags(self, scores: np.ndarray) -> np.ndarray:
        """Bits (T,) of scores (T, V) as they are stored."""
        if self.dtype == 'int16':
            scores = scores * np.float32(1 / SCORE_STEPS)
        return hands_found(scores, self.layout, self.hand_rule) @ np.asarray(
            [LEFT_FOUND, RIGHT_FOUND], dtype=np.uint8
        )

    def _clips(self) -> Dict[str, np.ndarray]:
        columns = {name: np.asarray(column) for name, column in self._columns.items()}
        return dict(
            offset=np.concatenate([[0], np.cumsum(columns['length'], dtype=np.int64)[:-1]]),
            video_id=np.asarray(self._video_ids),
            split_names=np.asarray([name.encode() for name in self._codes['split']]),
            signer_names=np.asarray([name.encode() for name in self._codes['signer']]),
            **columns,
            **(dict(zip(TIMES, (np.asarray(self._timed), np.asarray(self._times)))) if self._timed else {}),
        )

    def close(self) -> PoseStore:
        """Finishes the files, renames them into place and opens the store.

        Raises:
            ValueError: No clip was added, the writer was closed before, or ``coverage`` does not fit the
                clips.
        """
        if self._file.closed:
            raise UserValueError(f'{self.folder}: this writer is already closed')
        if not len(self):
            self.abort()
            raise UserValueError(
                f'{self.folder}: no clips were added, so there is no store to write; check the source '
                'folder and the split lists'
            )
        try:
            with naming(self.folder):
                self._write_rest()
            self._pending.publish()
        except BaseException:
            self.abort()
            raise
        if self._outside > OUTSIDE * self._found:
            share = f'{self._outside / self._found:.0%} of the found joints lie outside their image'
            print_log(
                f'{self.folder}: {share}; is the image size right?', logger='current', level=logging.WARNING
            )
        return PoseStore(self.folder)

    def _write_rest(self) -> None:
        """The header, the index and ``meta.json``, all synced."""
        coverage = dict(coverage=self._counted_coverage()) if self._coverage else {}
        # The number of frames is known only now; the header's size does not change.
        self._file.seek(0)
        self._file.write(npy_header(self.dtype, (self._frames, self.layout.num_joints, 3)))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

        clips = os.path.join(self.partial, CLIPS)
        with open(clips, 'wb') as file:
            np.savez(file, **self._clips())
            file.flush()
            os.fsync(file.fileno())
        files = {
            KEYPOINTS: dict(
                bytes=os.path.getsize(os.path.join(self.partial, KEYPOINTS)), blake2b=self._digest.hexdigest()
            ),
            CLIPS: dict(bytes=os.path.getsize(clips), blake2b=file_digest(clips)),
        }
        meta = dict(
            format=FORMAT,
            format_version=FORMAT_VERSION,
            layout=self.layout.name,
            joints=self.layout.num_joints,
            dtype=self.dtype,
            hand_rule=self.hand_rule,
            clips=len(self),
            frames=self._frames,
            splits=self._split_counts(),
            **self._about,
            **coverage,
            zeros_at_the_end=zeros_at_the_end(os.path.join(self.partial, KEYPOINTS)),
            files=files,
            glosses=self.glosses,
        )
        with open(os.path.join(self.partial, META), 'w', encoding='utf-8') as file:
            json.dump(meta, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())

    def abort(self) -> None:
        """Drops everything written so far."""
        # Closing writes what is buffered, which fails on a full disk.
        with contextlib.suppress(OSError):
            self._file.close()
        self._pending.discard()

    def __enter__(self) -> 'PoseStoreWriter':
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if kind is not None:
            self.abort()
        elif not self._file.closed:
            self.close()
