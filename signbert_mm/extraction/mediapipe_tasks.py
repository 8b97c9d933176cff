"""Extracts body and hands by the landmarkers of MediaPipe's Tasks, which newer versions have alone."""

import contextlib
import weakref
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np

from ..datasets.store_format import file_digest
from ..errors import UserValueError
from .mediapipe_graphs import FRAME_TIME, import_mediapipe, quiet
from .mediapipe_joints import body_points, hands_at_wrists, reach, whole_body
from .mediapipe_models import HAND, POSES, find_model
from .pose_extractor import PoseExtractor

_INSTALL = (
    "run `make install-extract-tasks`, or: pip install 'signbert_mm[extract-tasks]', then pip install "
    '--no-deps mediapipe==0.10.33'
)


class MediaPipeTasks(PoseExtractor):
    """Poses by the pose and the hand landmarker, in their video mode: 33 body points and two hands, no face.

    It runs with MediaPipe from 0.10.14 on, and so with numpy 2 and Python 3.13. The networks are those of
    Holistic, the search for hands is another: palms are detected in a part of the frame about the signer's
    arms (:func:`~signbert_mm.extraction.mediapipe_joints.reach`), not in a crop about each wrist. A hand that
    lies at a wrist of the body is of that side; others are left out
    (:func:`~signbert_mm.extraction.mediapipe_joints.hands_at_wrists`). Scores are as for
    :class:`MediaPipeExtractor`.

    Args:
        models (str, optional): The folder of the model files, ``hand_landmarker.task`` and
            ``pose_landmarker_full.task``. By default that of the environment's
            ``SIGNBERT_MM_MEDIAPIPE_MODELS``, else ``~/.cache/signbert_mm/mediapipe``. Nothing is downloaded.
        hand_model, pose_model (str, optional): These files themselves.
        model_complexity (int): The body's network: 0, 1 or 2 for lite, full or heavy.
        num_hands (int): Hands that are searched for. With other people nearby take 4.
        min_detection_confidence, min_presence_confidence, min_tracking_confidence (float): As in MediaPipe,
            for both landmarkers.

    Raises:
        FileNotFoundError: A model file is not there; the message has its public address.
        ValueError: A model file is damaged, or an argument is outside its range.
        ModuleNotFoundError: MediaPipe is not installed.
    """

    name = 'mediapipe_tasks'

    def __init__(
        self,
        models: Optional[str] = None,
        hand_model: Optional[str] = None,
        pose_model: Optional[str] = None,
        model_complexity: int = 1,
        num_hands: int = 2,
        min_detection_confidence: float = 0.5,
        min_presence_confidence: float = 0.5,
        min_tracking_confidence: float = 0.5,
    ) -> None:
        if model_complexity not in range(len(POSES)):
            raise UserValueError(
                f'model_complexity is {model_complexity}; give 0 (lite), 1 (full) or 2 (heavy)'
            )
        if num_hands != int(num_hands) or num_hands < 1:
            raise UserValueError(f'num_hands is {num_hands}; give a whole number, 1 or more')
        self.version = import_mediapipe(solutions=False, install=_INSTALL).__version__
        self._paths = dict(
            hand=find_model(HAND, hand_model, models),
            pose=find_model(POSES[model_complexity], pose_model, models),
        )
        self._settings = dict(
            model_complexity=model_complexity,
            num_hands=int(num_hands),
            min_detection_confidence=min_detection_confidence,
            min_presence_confidence=min_presence_confidence,
            min_tracking_confidence=min_tracking_confidence,
        )
        self._digests = {f'{kind}_model': file_digest(path)[:16] for kind, path in self._paths.items()}
        self._hands: Any = None
        self._body: Any = None
        self._free: Optional[Callable[[], Any]] = None
        self._frame, self._warm = 0, False
        # The part of the frame in which hands are searched for: left, top, right, bottom.
        self._window: Optional[Tuple[int, int, int, int]] = None

    def describe(self) -> Dict[str, Any]:
        return dict(self._settings, **self._digests)

    def reset(self) -> None:
        # A landmarker cannot be told to forget.
        self.close()

    def close(self) -> None:
        if self._free is not None:
            self._free()
        self._hands = self._body = self._free = self._window = None
        self._frame, self._warm = 0, False

    def predict(self, items: List[np.ndarray]) -> np.ndarray:
        return np.stack([self._pose(image) for image in items])

    def _open(self) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        made: List[Any] = []
        self._free = weakref.finalize(self, _close_all, made)
        for kind, settings in (('hand', dict(num_hands=self._settings['num_hands'])), ('pose', {})):
            for what in ('detection', 'presence'):
                settings[f'min_{kind}_{what}_confidence'] = self._settings[f'min_{what}_confidence']
            task = f'{kind.capitalize()}Landmarker'
            options = getattr(vision, f'{task}Options')(
                base_options=BaseOptions(model_asset_path=self._paths[kind]),
                running_mode=vision.RunningMode.VIDEO,
                min_tracking_confidence=self._settings['min_tracking_confidence'],
                **settings,
            )
            made.append(getattr(vision, task).create_from_options(options))
        self._hands, self._body = made

    def _pose(self, image: np.ndarray) -> np.ndarray:
        # MediaPipe's threads load the models, and write to stderr, until the first frame is done.
        with contextlib.nullcontext() if self._warm else quiet():
            if self._hands is None:
                self._open()
            height, width = image.shape[:2]
            time = self._frame * FRAME_TIME // 1000
            self._frame += 1
            bodies = self._body.detect_for_video(_mp_image(image), time).pose_landmarks
            body = body_points(bodies[0] if bodies else None)
            hands = []
            # Without a body no hand can be the signer's.
            if body is not None:
                self._window = reach(body, (width, height), self._window)
                left, top, right, bottom = self._window
                part = _mp_image(image[top:bottom, left:right])
                hands = [
                    np.asarray([(point.x, point.y) for point in hand]) * (right - left, bottom - top)
                    + (left, top)
                    for hand in self._hands.detect_for_video(part, time).hand_landmarks
                ]
                self._warm = True
        # MediaPipe's coordinates are fractions of width and height.
        if body is not None:
            body = body * np.asarray((width, height, 1), body.dtype)
        return whole_body(body, *hands_at_wrists(body, hands))


def _mp_image(image: np.ndarray) -> Any:
    import mediapipe

    # It copies the pixels.
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))


def _close_all(landmarkers: List[Any]) -> None:
    for landmarker in landmarkers:
        # Newer versions close by a thread of their own, which is gone when the interpreter ends. They would
        # try it again when the object is deleted.
        with quiet(), contextlib.suppress(RuntimeError):
            landmarker.close()
        landmarker._handle = None
