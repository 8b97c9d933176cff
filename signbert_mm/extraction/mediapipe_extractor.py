"""Extracts poses by MediaPipe Holistic, whose models are part of its wheel, so it works offline."""

import contextlib
import functools
from typing import Any, Dict, List

import numpy as np

from .mediapipe_face import FACE_68
from .mediapipe_graphs import body_graph, check_complexity, import_mediapipe, quiet, unwritable
from .mediapipe_joints import body_points, hand_points, whole_body
from .pose_extractor import PoseExtractor


class MediaPipeExtractor(PoseExtractor):
    """Poses by ``mp.solutions.holistic``: 33 body points, two hands, and 68 points of the face mesh.

    It detects and follows one person by itself. Body scores are MediaPipe's visibility. It has no scores for
    hands and faces, whose joints get score 1 where the hand or face was detected. Small toes, which it lacks,
    are missing. Wrists are the body's, hand roots the hands'. :mod:`mediapipe_face` lists the face points.

    Args:
        model_complexity (int): 1; the models of 0 and 2 are not in the wheel.
        min_detection_confidence, min_tracking_confidence (float): As in MediaPipe.
        smooth_landmarks (bool): MediaPipe's filter over time.
        face (bool): Find the face. Without it body and hands are the same, in less time.

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
        check_complexity(model_complexity)
        mediapipe = import_mediapipe()
        self.version = mediapipe.__version__
        self.face = face
        self._settings = dict(
            model_complexity=model_complexity,
            min_detection_confidence=min_detection_confidence,
            min_tracking_confidence=min_tracking_confidence,
            smooth_landmarks=smooth_landmarks,
        )
        # Holistic finds the face whether it is asked for or not.
        self._holistic_class = (
            mediapipe.solutions.holistic.Holistic if face else functools.partial(body_graph, True)
        )
        self._holistic: Any = None
        self._warm = False
        self._face = list(self.layout.parts['face'])

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
        with contextlib.nullcontext() if self._warm else quiet():
            if self._holistic is None:
                self._holistic = self._holistic_class(**self._settings)
            elif not self._warm:
                self._holistic.reset()
            result = self._holistic.process(unwritable(image))
        self._warm = True
        height, width = image.shape[:2]
        body = body_points(result.pose_landmarks)
        pose = whole_body(
            body, hand_points(result.left_hand_landmarks), hand_points(result.right_hand_landmarks)
        )
        if self.face and result.face_landmarks is not None:
            points = result.face_landmarks.landmark
            pose[self._face] = [(points[index].x, points[index].y, 1) for index in FACE_68]
        # MediaPipe's coordinates are fractions of width and height.
        pose[:, :2] *= (width, height)
        return pose
