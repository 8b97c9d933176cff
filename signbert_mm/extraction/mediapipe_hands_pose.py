"""Extracts body and hands by the parts of MediaPipe Holistic, without its face."""

import contextlib
from typing import Any, Dict, List, Optional

import numpy as np

from ..errors import UserValueError
from .mediapipe_graphs import (
    body_graph,
    check_complexity,
    hands_graph,
    import_mediapipe,
    quiet,
    skip_frames,
    unwritable,
)
from .mediapipe_joints import NUM_BODY, body_message, body_points, hand_points, whole_body
from .pose_extractor import PoseExtractor


class MediaPipeHandsPose(PoseExtractor):
    """Holistic's body and hands in less time: no face, and the body's network not on every frame.

    The hands' networks run on every frame. The body's wrists say where they look, as in Holistic, so a hand
    is left or right as there, and hands of other people are not taken. Between two frames on which the body's
    network runs, its joints lie on straight lines.

    With ``body_every=1`` all joints are those of :class:`MediaPipeExtractor` with ``face=False``, bit by bit.

    Args:
        body_every (int): The body's network runs on every n-th frame, and on every frame while nobody is in
            view. This is also the number of frames in a batch: give 1 for a camera.
        model_complexity, min_detection_confidence, min_tracking_confidence, smooth_landmarks: As for
            :class:`MediaPipeExtractor`.

    Raises:
        ModuleNotFoundError, ImportError: As for :class:`MediaPipeExtractor`.
        ValueError: ``body_every`` is below 1, or ``model_complexity`` is not 1.
    """

    name = 'mediapipe_fast'

    def __init__(
        self,
        body_every: int = 2,
        model_complexity: int = 1,
        min_detection_confidence: float = 0.5,
        min_tracking_confidence: float = 0.5,
        smooth_landmarks: bool = True,
    ) -> None:
        if body_every != int(body_every) or body_every < 1:
            raise UserValueError(f'body_every is {body_every}; give a whole number of frames, 1 or more')
        check_complexity(model_complexity)
        self.version = import_mediapipe().__version__
        self.batch_size = int(body_every)
        self._settings = dict(
            model_complexity=model_complexity,
            min_detection_confidence=min_detection_confidence,
            min_tracking_confidence=min_tracking_confidence,
            smooth_landmarks=smooth_landmarks,
        )
        self._body: Any = None
        self._hands: Any = None
        self._warm = False
        # Of the last frame; None = nobody in view.
        self._points: Optional[np.ndarray] = None

    def describe(self) -> Dict[str, Any]:
        return dict(self._settings, body_every=self.batch_size)

    def reset(self) -> None:
        self._warm, self._points = False, None

    def close(self) -> None:
        if self._body is not None:
            self._body.close()
            self._hands.close()
            self._body = self._hands = None
        self.reset()

    def predict(self, items: List[np.ndarray]) -> np.ndarray:
        images = [unwritable(image) for image in items]
        # MediaPipe's threads load the models, and write to stderr, until the first frame is done.
        with contextlib.nullcontext() if self._warm else quiet():
            if self._body is None:
                self._body, self._hands = body_graph(**self._settings), hands_graph()
            elif not self._warm:
                self._body.reset()
                self._hands.reset()
            bodies = self._bodies(images)
            poses = np.stack([self._pose(image, body) for image, body in zip(images, bodies)])
        self._warm = True
        return poses

    def _bodies(self, images: List[np.ndarray]) -> List[Optional[np.ndarray]]:
        """The body's points (33, 3) in each frame; None = nobody in view."""
        bodies: List[Optional[np.ndarray]] = []
        for place, image in enumerate(images):
            waiting = place - len(bodies)
            if self._points is not None and place < len(images) - 1:
                continue
            skip_frames(self._body, waiting)
            points = body_points(self._body.process(image).pose_landmarks)
            bodies += [
                # Someone who leaves is missing from the frames between.
                None if points is None else self._points + (points - self._points) * (step / (waiting + 1))
                for step in range(1, waiting + 1)
            ]
            bodies.append(points)
            self._points = points
        return bodies

    def _pose(self, image: np.ndarray, body: Optional[np.ndarray]) -> np.ndarray:
        # Holistic looks for no hand at a wrist that is not visible. The graph waits for a body in any case.
        message = body_message(np.zeros((NUM_BODY, 3)) if body is None else body)
        result = self._hands.process(dict(image=image, pose_landmarks=message))
        pose = whole_body(
            body, hand_points(result.left_hand_landmarks), hand_points(result.right_hand_landmarks)
        )
        height, width = image.shape[:2]
        # MediaPipe's coordinates are fractions of width and height.
        pose[:, :2] *= (width, height)
        return pose
