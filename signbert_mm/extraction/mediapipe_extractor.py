"""Extracts poses by MediaPipe Holistic, whose models are part of its wheel, so it works offline."""

import contextlib
import os
import sys
import tempfile
import threading
from typing import Any, Dict, Iterator, List

import numpy as np

from ..errors import UserModuleNotFoundError, UserValueError
from ..layouts import get_layout, layout_mapping
from .mediapipe_face import FACE_68
from .pose_extractor import LAYOUT, PoseExtractor

INSTALL = (
    'run `make install-extract`, or: pip install -r requirements/extract.txt, then pip install '
    '--no-deps mediapipe==0.10.21'
)

# All threads share one stderr.
_STDERR = threading.RLock()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides what the C++ part writes to stderr while it starts, unless starting fails."""
    # C++ writes to the file descriptor, so replacing Python's sys.stderr would not catch it.
    with _STDERR, tempfile.TemporaryFile() as buffer:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(buffer.fileno(), 2)
        try:
            yield
        except BaseException:
            buffer.seek(0)
            os.write(stderr, buffer.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


class MediaPipeExtractor(PoseExtractor):
    """Poses by ``mp.solutions.holistic``: 33 body points, two hands, and 68 points of the face mesh.

    It detects and follows one person by itself. Body scores are MediaPipe's visibility. It has no scores for
    hands and faces, whose joints get score 1 where the hand or face was detected. Small toes, which it lacks,
    are missing. Wrists are the body's, hand roots the hands'. :mod:`mediapipe_face` lists the face points.

    Args:
        model_complexity (int): 1; the models of 0 and 2 are not in the wheel.
        min_detection_confidence, min_tracking_confidence (float): As in MediaPipe.
        smooth_landmarks (bool): MediaPipe's filter over time.
        face (bool): Fill the face joints.

    Raises:
        ModuleNotFoundError: MediaPipe is not installed.
        ImportError: MediaPipe's version has no ``mp.solutions``.
        ValueError: ``model_complexity`` is not 1.
    """

    name = 'mediapipe'

    def __init__(
        self,
        model_complexity: int = 1,
        min_detection_confidence: float = 0.5,
        min_tracking_confidence: float = 0.5,
        smooth_landmarks: bool = True,
        face: bool = True,
    ) -> None:
        if model_complexity != 1:
            raise UserValueError(
                f'model_complexity is {model_complexity}; MediaPipe would download that model: '
                'only 1 lies in its wheel'
            )
        try:
            with _quiet():
                import mediapipe
        except ModuleNotFoundError as error:
            missing = (
                'MediaPipe is not installed'
                if error.name == 'mediapipe'
                else f'MediaPipe lacks the package {error.name}'
            )
            raise UserModuleNotFoundError(f'{missing}: {INSTALL}') from error
        if not hasattr(mediapipe, 'solutions'):
            raise UserModuleNotFoundError(
                f'MediaPipe {mediapipe.__version__} has no mp.solutions; install 0.10.14 to '
                f'0.10.21: {INSTALL}'
            )
        self.version = mediapipe.__version__
        self.face = face
        self._settings = dict(
            model_complexity=model_complexity,
            min_detection_confidence=min_detection_confidence,
            min_tracking_confidence=min_tracking_confidence,
            smooth_landmarks=smooth_landmarks,
        )
        self._holistic_class = mediapipe.solutions.holistic.Holistic
        self._holistic: Any = None
        self._warm = False
        source, target = get_layout('mediapipe_holistic'), get_layout(LAYOUT)
        indices = layout_mapping(source, target)
        self._to = np.flatnonzero(indices >= 0)
        self._from = indices[self._to]
        self._parts = dict(
            left_hand_landmarks=list(source.parts['left_hand']),
            right_hand_landmarks=list(source.parts['right_hand']),
        )
        self._body, self._num_source = list(source.parts['body']), source.num_joints
        self._face = list(target.parts['face'])

    def describe(self) -> Dict[str, Any]:
        return dict(self._settings, face=self.face)

    def reset(self) -> None:
        self._warm = False

    def close(self) -> None:
        if self._holistic is not None:
            self._holistic.close()
            self._holistic, self._warm = None, False

    def predict(self, items: List[np.ndarray]) -> np.ndarray:
        return np.stack([self._pose(image) for image in items])

    def _pose(self, image: np.ndarray) -> np.ndarray:
        # MediaPipe's threads load the models, and write to stderr, until the first frame is done.
        with contextlib.nullcontext() if self._warm else _quiet():
            if self._holistic is None:
                self._holistic = self._holistic_class(**self._settings)
            elif not self._warm:
                self._holistic.reset()
            result = self._holistic.process(np.ascontiguousarray(image))
        self._warm = True
        height, width = image.shape[:2]
        source = np.zeros((self._num_source, 3), dtype=np.float32)
        pose = np.zeros((self.layout.num_joints, 3), dtype=np.float32)
        if result.pose_landmarks is not None:
            source[self._body] = [
                (point.x, point.y, point.visibility) for point in result.pose_landmarks.landmark
            ]
        for attribute, joints in self._parts.items():
            landmarks = getattr(result, attribute)
            if landmarks is not None:
                source[joints] = [(point.x, point.y, 1) for point in landmarks.landmark]
        pose[self._to] = source[self._from]
        if self.face and result.face_landmarks is not None:
            points = result.face_landmarks.landmark
            pose[self._face] = [(points[index].x, points[index].y, 1) for index in FACE_68]
        # MediaPipe's coordinates are fractions of width and height.
        pose[:, :2] *= (width, height)
        return pose
