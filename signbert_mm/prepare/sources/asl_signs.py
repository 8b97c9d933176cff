"""Google's asl-signs of Kaggle: MediaPipe Holistic landmarks, a parquet file a clip."""

import os
from typing import Any, Dict, List, Optional

import numpy as np

from ...errors import UserModuleNotFoundError, UserValueError
from ...files.text import read_json, table_rows
from ...layouts import get_layout
from .annotation import ClipRecord, SourceIndex
from .files import find_file
from .names import NameIndex, files_below
from .poses import PoseSource, UnreadableError, VideoPose
from .splits import Splits

LABELS = 'sign_to_prediction_index_map.json'
SOURCE = (
    'asl-signs: Google - Isolated Sign Language Recognition, https://www.kaggle.com/competitions/asl-signs'
)
LICENCE = 'the rules of the competition; Kaggle states the licence of the data'
COLUMNS = ('frame', 'type', 'landmark_index', 'x', 'y')
# Type -> landmarks and the part of mediapipe_holistic that they fill; the 468 of the face are left out.
TYPES = dict(pose=(33, 'body'), left_hand=(21, 'left_hand'), right_hand=(21, 'right_hand'), face=(468, ''))
# Frames of a video. A frame's number is in the file, and would otherwise reserve any memory.
_MOST_FRAMES = 10**5


def asl_signs_index(root: str, splits: Optional[Splits] = None, repeated: str = 'error') -> SourceIndex:
    """The clips of asl-signs: 250 glosses, 21 signers. The competition's test clips are not published.

    A clip's id is ``<participant>/<sequence>``. Glosses are numbered as in
    ``sign_to_prediction_index_map.json``, or in alphabetical order where that file is absent.

    Args:
        root (str): The unpacked download, with ``train.csv`` in it or below.
        splits (Splits, optional): None = all in 'train'.
        repeated (str): As :class:`SourceIndex`.

    Raises:
        FileNotFoundError: ``train.csv`` is absent.
        ValueError: A line is malformed, a sign is not in the map, or the map does not number its signs from
            0 on; the message names the file and the line.
    """
    path = find_file(root, ['train.csv'], 'the list of clips')
    rows = list(table_rows(path, ('path', 'participant_id', 'sequence_id', 'sign')))
    names = [f'{row["participant_id"]}/{row["sequence_id"]}' for _, row in rows]
    labels = _labels(root, [row['sign'] for _, row in rows])
    for number, row in rows:
        if row['sign'] not in labels:
            raise UserValueError(
                f'{path}: line {number}: sign {row["sign"]!r} is not in {LABELS}; use files of one download'
            )
    chosen = splits or Splits()
    split_of = chosen.assign(
        {name: row['sign'] for name, (_, row) in zip(names, rows)},
        {name: row['participant_id'] for name, (_, row) in zip(names, rows)},
        path,
        'participants are',
    )
    records = [
        ClipRecord(
            name,
            labels[row['sign']],
            split_of[name],
            signer=row['participant_id'],
            where=f'train.csv line {number}',
        )
        for name, (number, row) in zip(names, rows)
    ]
    return SourceIndex(
        'asl_signs',
        sorted(labels, key=labels.get),
        records,
        SOURCE,
        LICENCE,
        notes=dict(splits=chosen.notes()),
        annotation=path,
        repeated=repeated,
    )


def _labels(root: str, signs: List[str]) -> Dict[str, int]:
    file = find_file(root, [LABELS], 'the map of signs', needed=False)
    if not file:
        return {sign: label for label, sign in enumerate(sorted(set(signs)))}
    labels = read_json(file, dict)
    if sorted(labels.values(), key=str) != sorted(range(len(labels)), key=str):
        raise UserValueError(f'{file}: the {len(labels)} signs are not numbered 0 .. {len(labels) - 1}')
    return labels


class AslSignsPoses(PoseSource):
    """The landmarks, by ``<participant>/<sequence>``.

    x and y are fractions of the image, whose size is not published; a landmark that was not found has no
    number there. There are no scores: a joint that was found has the score 1. Frames that are not in a file
    are missing.

    Args:
        root (str): The unpacked download; .parquet files at any depth.
        width, height (int): Image size in pixels to give them; what matters is its shape.
        fps (float): Frames a second; 0 = unknown.

    Raises:
        ModuleNotFoundError: pyarrow is not installed.
        FileNotFoundError: There are no .parquet files.
        ValueError: An image size is not above 0.
    """

    def __init__(self, root: str, width: int, height: int, fps: float = 0.0) -> None:
        self._parquet = _import_parquet()
        if not width or not height or min(width, height) <= 0:
            raise UserValueError(
                f'{root}: the files have fractions of the image, and not its size; give --width and '
                '--height in pixels'
            )
        self.width, self.height, self.fps = width, height, fps
        names: NameIndex[str] = NameIndex(files_below(root, ('.parquet',)), root)
        if not len(names):
            raise FileNotFoundError(f'{os.path.abspath(root)}: no .parquet files in it')
        super().__init__(root, 'mediapipe_holistic', ['mediapipe holistic, by asl-signs'], names)

    def read(self, key: str) -> VideoPose:
        path = self._names[key]
        columns = self._columns(path)
        layout = get_layout(self.layout)
        frames, kinds, places = columns['frame'], columns['type'], columns['landmark_index']
        first = int(frames.min())
        count = int(frames.max()) - first + 1
        if count > _MOST_FRAMES:
            raise UnreadableError(f'{path}: frames run from {first} to {first + count - 1}')
        keypoints = np.zeros((count, layout.num_joints, 3), dtype=np.float32)
        xy = np.stack([columns['x'], columns['y']], axis=-1).astype(np.float32)
        for kind, (landmarks, part) in TYPES.items():
            own = kinds == kind
            if (places[own] < 0).any() or (places[own] >= landmarks).any():
                raise UnreadableError(
                    f'{path}: landmarks of {kind} run from {places[own].min()} to {places[own].max()}; there '
                    f'are {landmarks}'
                )
            own &= np.isfinite(xy).all(axis=-1)
            if part:
                joints = np.asarray(layout.parts[part])[places[own]]
                keypoints[frames[own] - first, joints, :2] = xy[own] * (self.width, self.height)
                keypoints[frames[own] - first, joints, 2] = 1
        unknown = sorted(set(kinds.tolist()) - set(TYPES), key=str)
        if unknown:
            raise UnreadableError(f'{path}: types {unknown[:4]} found; {", ".join(TYPES)} are expected')
        return VideoPose(keypoints, self.width, self.height, self.fps)

    def _columns(self, path: str) -> Dict[str, np.ndarray]:
        import pyarrow

        try:
            with open(path, 'rb') as source:
                file = self._parquet.ParquetFile(source)
                rows, names = file.metadata.num_rows, file.schema_arrow.names
                absent = [name for name in COLUMNS if name not in names]
                landmarks = sum(count for count, _ in TYPES.values())
                if absent or not 0 < rows <= _MOST_FRAMES * landmarks:
                    raise UnreadableError(
                        f'{path}: {rows:,} rows of {names[:10]}; rows of {", ".join(COLUMNS)} are expected'
                    )
                table = file.read(columns=list(COLUMNS))
            columns = {name: table.column(name).to_numpy() for name in COLUMNS}
        except (pyarrow.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise UnreadableError(f'{path}: not a whole parquet file ({error})') from error
        wrong = [name for name in ('frame', 'landmark_index') if columns[name].dtype.kind not in 'iu']
        wrong += [name for name in ('x', 'y') if columns[name].dtype.kind != 'f']
        if wrong:
            kind = columns[wrong[0]].dtype
            raise UnreadableError(
                f'{path}: columns {wrong} hold {kind}; numbers are expected, frames whole ones'
            )
        # The small integers of the files would overflow.
        return dict(columns, frame=columns['frame'].astype(np.int64))


def _import_parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:  # also one that wants another numpy
        raise UserModuleNotFoundError(
            f"reading .parquet files needs the package pyarrow: pip install 'pyarrow>=14.0.1,<22' ({error})"
        ) from error
    return pyarrow.parquet
