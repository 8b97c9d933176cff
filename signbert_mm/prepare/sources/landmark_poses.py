"""MediaPipe Hands landmarks without sides as a source of poses."""

import os

from ...errors import UserValueError
from ...files.folders import list_files, report_left_out
from ..importers import landmark_keypoints, read_landmarks
from .names import NameIndex
from .poses import PoseSource, VideoPose


class LandmarkPoses(PoseSource):
    """A folder of ``.npy`` files of MediaPipe Hands landmarks without sides, see :func:`read_landmarks`.

    Args:
        folder (str): The folder, searched to any depth.
        width, height (int): Image size in pixels, which the files do not give.
        fps (float): Frames a second; 0 = unknown.
        mirrored, trim (bool): As :func:`landmark_keypoints`.
        extractor (str): Name and version of the extractor.

    Raises:
        FileNotFoundError: There is no such folder, or no such file in it.
        ValueError: An image size or rate is not above 0, or two files have one name.
    """

    def __init__(
        self,
        folder: str,
        width: int = 640,
        height: int = 480,
        fps: float = 0.0,
        mirrored: bool = False,
        trim: bool = True,
        extractor: str = 'mediapipe hands',
    ) -> None:
        if width <= 0 or height <= 0 or not 0 <= fps < float('inf'):
            given = f'{width} x {height} pixels, {fps} frames a second'
            raise UserValueError(f'{folder}: {given}; give the true image size and rate')
        self.width, self.height, self.fps = width, height, fps
        self.mirrored, self.trim = mirrored, trim
        listing = list_files(folder, ('.npy',), 'an .npy file')
        report_left_out(listing.left_out, folder)
        names: NameIndex[str] = NameIndex(
            [(os.path.splitext(name)[0], path) for name, path in listing.taken], folder
        )
        if not len(names):
            raise FileNotFoundError(f'{os.path.abspath(folder)}: no .npy files; <video id>.npy expected')
        super().__init__(folder, 'hands_42', [extractor], names)

    def read(self, key: str) -> VideoPose:
        path = self._names[key]
        hands = read_landmarks(path)
        keypoints = landmark_keypoints(hands, self.width, self.height, self.mirrored, self.trim, path)
        return VideoPose(keypoints, self.width, self.height, self.fps)
