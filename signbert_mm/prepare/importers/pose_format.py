"""Importer of ``.pose`` files (package pose-format)."""

from typing import TYPE_CHECKING, Any, Iterator, Optional, Sequence, Union

import numpy as np

from ...errors import UserModuleNotFoundError, UserValueError
from ...layouts import get_layout
from .common import Clip, UnreadableError, one_number
from .labelled_files import LabelledFiles
from .pose_components import COMPONENTS, point_joints

if TYPE_CHECKING:
    from pose_format import Pose


def import_pose_format(what: str) -> Any:
    """The package pose-format.

    Args:
        what (str): What it is needed for.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    try:
        import pose_format
    except ImportError as error:
        raise UserModuleNotFoundError(
            f'{what} needs the package pose-format: pip install pose-format'
        ) from error
    return pose_format


class PoseFormatClips:
    """The clips of some ``.pose`` files, in order of file name.

    The components are those of MediaPipe Holistic, OpenPose, or COCO-WholeBody as MMPose and AlphaPose (133
    and 136 points) give them; body or hands may be absent. Of several people in a file the one with the
    highest mean confidence is kept. Masked points are missing.

    Args:
        source, labels: As :class:`LabelledFiles`.
        width, height (int, optional): Image size in pixels, for files without it.

    Attributes:
        layout (str): 'mediapipe_holistic', 'openpose' or 'coco_wholebody_133', by the first file that
            can be read.
        glosses (list[str]): Of the csv, in alphabetical order.

    Raises:
        ImportError: pose-format is not installed.
        FileNotFoundError: There are no such files.
        ValueError: A file is damaged or has other components, or as :class:`LabelledFiles`.
    """

    def __init__(
        self,
        source: Union[str, Sequence[str]],
        labels: Optional[str] = None,
        width: Optional[int] = None,
        height: Optional[int] = None,
    ) -> None:
        self._pose = import_pose_format('reading .pose files').Pose
        self.width, self.height = width, height
        self._files = LabelledFiles(source, '.pose', labels)
        self.files, self.glosses = self._files.files, self._files.glosses
        self.layout = self._guess(source)

    def __len__(self) -> int:
        return len(self.files)

    def _guess(self, source: Union[str, Sequence[str]]) -> str:
        """The layout by the components of the first file that can be read."""
        reasons = []
        for path in self.files:
            try:
                components = {component.name for component in self._read(path).header.components}
            except (UnreadableError, OSError) as error:
                reasons.append(str(error))
                continue
            layouts = [layout for layout, names in COMPONENTS.items() if components & set(names)]
            if not layouts:
                raise UserValueError(
                    f'{path}: components {sorted(components)}; expected those of one of {COMPONENTS}'
                )
            return layouts[0]
        raise UserValueError(
            f'{source}: none of {len(self.files)} .pose files can be read, the first: {reasons[0]}'
        )

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
        for path in self.files:
            clip = self.clip(path)
            if not clip.width or not clip.height:
                raise UserValueError(f'{path}: the header gives no image size; give width and height')
            yield clip

    def clip(self, path: str) -> Clip:
        """The clip in one file; width or height is 0 where neither the header nor the user gives it."""
        layout = get_layout(self.layout)
        pose = self._read(path)
        if not {component.name for component in pose.header.components} & set(COMPONENTS[self.layout]):
            raise UserValueError(
                f'{path}: has none of the components of {self.layout}, which the first file has; convert it '
                'apart'
            )
        header = pose.header.dimensions
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
        joints = np.asarray(
            [
                joint
                for component in pose.header.components
                for joint in point_joints(layout, component.name, component.points, path)
            ]
        )
        keypoints[:, joints[joints >= 0]] = values[:, joints >= 0]
        return Clip(
            keypoints,
            width=header.width or self.width or 0,
            height=header.height or self.height or 0,
            fps=one_number(pose.body.fps or 0, f'{path}: fps'),
            **self._files.about(path),
        )
