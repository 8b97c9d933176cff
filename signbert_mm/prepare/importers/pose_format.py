"""Importer of ``.pose`` files (package pose-format)."""

import os
from typing import TYPE_CHECKING, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from ...errors import UserModuleNotFoundError, UserValueError
from ...files.folders import LeftOut, list_files, name_below, report_left_out, without_suffix
from ...files.matching import NameIndex, match_names, plain_name
from ...files.text import table_rows
from ...layouts import get_layout
from .common import Clip, UnreadableError, check_spelling, split_name

if TYPE_CHECKING:
    from pose_format import Pose

# Layout -> component -> the part of the layout that it fills. Other components (face, world landmarks) are
# left out.
COMPONENTS = dict(
    mediapipe_holistic=dict(
        POSE_LANDMARKS='body', LEFT_HAND_LANDMARKS='left_hand', RIGHT_HAND_LANDMARKS='right_hand'
    ),
    openpose=dict(
        pose_keypoints_2d='body', hand_left_keypoints_2d='left_hand', hand_right_keypoints_2d='right_hand'
    ),
)
COLUMNS = ('file', 'gloss', 'split', 'signer')


class PoseFormatClips:
    """The clips of some ``.pose`` files, in order of file name.

    Of several people in a file the one with the highest mean confidence is kept. Masked points are missing.

    Args:
        source (str | Sequence[str]): A folder, searched to any depth, or files.
        labels (str, optional): A csv file with a header: ``file`` (path below the folder, or a file name that
            only one file has; '.pose' may be left out), ``gloss``, and perhaps ``split`` and ``signer``.
            Files that it does not list are left out, which is logged. None = no labels, all 'train'.
        width, height (int, optional): Image size in pixels, for files without it.

    Attributes:
        layout (str): 'mediapipe_holistic' or 'openpose', by the first file.
        glosses (list[str]): Of the csv, in alphabetical order.

    Raises:
        ImportError: pose-format is not installed.
        FileNotFoundError: There are no such files.
        ValueError: A file is damaged or has other components; the csv lacks a column or a gloss, lists a file
            twice, or names a file that does not exist or exists twice.
    """

    def __init__(
        self,
        source: Union[str, Sequence[str]],
        labels: Optional[str] = None,
        width: Optional[int] = None,
        height: Optional[int] = None,
    ) -> None:
        try:
            from pose_format import Pose
        except ImportError as error:
            raise UserModuleNotFoundError(
                'reading .pose files needs the package pose-format: pip install pose-format'
            ) from error
        self._pose = Pose
        self.width, self.height = width, height
        if isinstance(source, str) and os.path.isdir(source):
            self.folder = source
            listing = list_files(source, ('.pose',), 'a .pose file')
            report_left_out(listing.left_out, source)
            self.files = sorted(path for _, path in listing.taken)
        else:
            self.files = [source] if isinstance(source, str) else list(source)
            self.folder = os.path.dirname(self.files[0]) if self.files else ''
        missing = [path for path in self.files if not os.path.isfile(path)]
        if missing or not self.files:
            raise FileNotFoundError(f'{source if not missing else missing[:5]}: no such .pose files')
        self.glosses: List[str] = []
        self._facts: Dict[str, dict] = {}
        if labels is not None:
            self._read_labels(labels)
        self._places = {gloss: label for label, gloss in enumerate(self.glosses)}
        components = {component.name for component in self._read(self.files[0]).header.components}
        layouts = [layout for layout, names in COMPONENTS.items() if components & set(names)]
        if not layouts:
            raise UserValueError(
                f'{self.files[0]}: components {sorted(components)}; expected those of one of {COMPONENTS}'
            )
        self.layout = layouts[0]

    def _video_id(self, path: str) -> str:
        return os.path.splitext(name_below(self.folder or os.curdir, path))[0]

    def _read_labels(self, path: str) -> None:
        rows: Dict[str, Tuple[int, Dict[str, str]]] = {}
        for line, row in table_rows(path, COLUMNS[:2], COLUMNS[2:]):
            name = plain_name(row['file'])
            row = dict(row, file=name, split=split_name(row['split']))
            first, other = rows.setdefault(name, (line, row))
            if other != row:
                raise UserValueError(
                    f'{path}: {name!r} is listed twice: line {first} ({other["gloss"]}) and line {line} '
                    f'({row["gloss"]}); remove one of them'
                )
        check_spelling([row['split'] for _, row in rows.values()], path)
        # A row may name the file with its suffix .pose, or with that of the video.
        index = NameIndex([(self._video_id(file), file) for file in self.files], self.folder)
        names = [(without_suffix(name, ('.pose',)), without_suffix(name)) for name in rows]
        try:
            matches = match_names(names, [index])
        except ValueError as error:
            raise UserValueError(f'{path}: {error}') from None
        missing = [name for name, match in zip(rows, matches) if match is None]
        if missing or not rows:
            raise UserValueError(
                f'{path}: rows that name no file in {self.folder}: {len(missing)}, the first: {missing[:5]}; '
                'correct the column `file`'
            )
        chosen: Dict[str, Dict[str, str]] = {}
        for match, (line, row) in zip(matches, rows.values()):
            file = index[match.key]
            if file in chosen:
                raise UserValueError(
                    f'{path}: line {line}: {file} is listed by another line too; remove one of them'
                )
            chosen[file] = row
        unlisted = [LeftOut(file, f'not listed in {path}') for file in self.files if file not in chosen]
        report_left_out(unlisted, self.folder)
        self.files = [file for file in self.files if file in chosen]
        self._facts = chosen
        self.glosses = sorted({row['gloss'] for row in chosen.values()})

    def __len__(self) -> int:
        return len(self.files)

    def _read(self, path: str) -> 'Pose':
        with open(path, 'rb') as file:
            data = file.read()
        try:
            return self._pose.read(data)
        except Exception as error:  # the package raises whatever its parsing meets
            raise UnreadableError(
                f'{path}: not a whole .pose file ({type(error).__name__}: {error}; {len(data)} bytes '
                'found); get it again or leave it out'
            ) from error

    def __iter__(self) -> Iterator[Clip]:
        return (self.clip(path) for path in self.files)

    def clip(self, path: str) -> Clip:
        """The clip in one file."""
        layout = get_layout(self.layout)
        pose = self._read(path)
        if not {component.name for component in pose.header.components} & set(COMPONENTS[self.layout]):
            raise UserValueError(
                f'{path}: has none of the components of {self.layout}, which the first file has; convert it '
                'apart'
            )
        size = self.width or pose.header.dimensions.width, self.height or pose.header.dimensions.height
        if not all(size):
            raise UserValueError(f'{path}: the header gives no image size; give width and height')
        # (T, people, points, 2)
        data = np.ma.getdata(pose.body.data)[..., :2].astype(np.float32)
        masked = np.ma.getmaskarray(pose.body.data)[..., :2].any(axis=-1)
        # (T, people, points)
        score = np.asarray(pose.body.confidence, dtype=np.float32) * ~masked
        if not data.shape[0] or not data.shape[1]:
            raise UnreadableError(
                f'{path}: data of shape {data.shape}, so no frames or no person; leave it out'
            )
        person = int(score.mean(axis=(0, 2)).argmax())
        # (T, points, 3)
        values = np.concatenate([data[:, person], score[:, person, :, None]], axis=-1)
        values[values[:, :, 2] <= 0] = 0
        keypoints = np.zeros((len(values), layout.num_joints, 3), dtype=np.float32)
        # The points of all components stand one after the other.
        begin = 0
        for component in pose.header.components:
            joints = layout.parts.get(COMPONENTS[self.layout].get(component.name, ''), ())
            end = begin + len(component.points)
            if joints and len(joints) != end - begin:
                raise UserValueError(
                    f'{path}: {component.name} has {end - begin} points, but {len(joints)} are expected; '
                    'use an unreduced file'
                )
            if joints:
                keypoints[:, joints] = values[:, begin:end]
            begin = end
        row = self._facts.get(path, {})
        return Clip(
            keypoints,
            self._places.get(row.get('gloss', ''), -1),
            row.get('split') or 'train',
            self._video_id(path),
            *size,
            signer=row.get('signer') or '',
            fps=float(pose.body.fps or 0),
        )
