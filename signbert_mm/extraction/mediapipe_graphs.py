"""MediaPipe's import, and graphs of the parts of its Holistic, which are registered in its wheel.

Holistic runs a body network, crops both hands about the body's wrists, and finds a face in every frame. These
graphs leave out the face. Their networks, crops and filters are Holistic's, so their joints are the same bit
by bit.
"""

import contextlib
import os
import sys
import tempfile
import threading
from types import ModuleType
from typing import Any, Iterator

import numpy as np

from ..errors import UserModuleNotFoundError, UserValueError

INSTALL = (
    "run `make install-extract`, or: pip install 'signbert_mm[extract]', then pip install "
    '--no-deps mediapipe==0.10.21'
)
# Microseconds between two frames for MediaPipe's filters, whatever the rate of the video.
FRAME_TIME = 33333

# All threads share one stderr.
_STDERR = threading.RLock()

_SIDE_INPUTS = dict(
    MODEL_COMPLEXITY=1,
    SMOOTH_LANDMARKS=True,
    ENABLE_SEGMENTATION=False,
    SMOOTH_SEGMENTATION=True,
    USE_PREV_LANDMARKS=True,
)
_BODY_NODE = f"""
node {{
  calculator: "PoseLandmarkCpu"
  input_stream: "IMAGE:image"
  output_stream: "LANDMARKS:pose_landmarks"
  {' '.join(f'input_side_packet: "{name}:{name.lower()}"' for name in _SIDE_INPUTS)}
}}
{' '.join(f'input_side_packet: "{name}:{name.lower()}"' for name in _SIDE_INPUTS)}
"""
_HANDS_NODE = """
node {
  calculator: "HandLandmarksLeftAndRightCpu"
  input_stream: "IMAGE:image"
  input_stream: "POSE_LANDMARKS:pose_landmarks"
  output_stream: "LEFT_HAND_LANDMARKS:left_hand_landmarks"
  output_stream: "RIGHT_HAND_LANDMARKS:right_hand_landmarks"
}
output_stream: "LEFT_HAND_LANDMARKS:left_hand_landmarks"
output_stream: "RIGHT_HAND_LANDMARKS:right_hand_landmarks"
"""
_IMAGE = 'input_stream: "IMAGE:image"'
_BODY_OUT = 'output_stream: "POSE_LANDMARKS:pose_landmarks"'
_BODY_IN = 'input_stream: "POSE_LANDMARKS:pose_landmarks"'
_DETECTION = 'poselandmarkcpu__posedetectioncpu__TensorsToDetectionsCalculator.min_score_thresh'
_TRACKING = (
    'poselandmarkcpu__poselandmarkbyroicpu__tensorstoposelandmarksandsegmentation__ThresholdingCalculator.'
    'threshold'
)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
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


def import_mediapipe(solutions: bool = True, install: str = INSTALL) -> ModuleType:
    """The package, of a version that has Holistic.

    Args:
        solutions (bool): Whether ``mp.solutions`` is needed.
        install (str): How to install it, for the message.

    Raises:
        ModuleNotFoundError: It is not installed, or lacks a package that it imports.
        ImportError: Its version has no ``mp.solutions``.
    """
    try:
        with quiet():
            import mediapipe
    except ModuleNotFoundError as error:
        missing = (
            'MediaPipe is not installed'
            if error.name == 'mediapipe'
            else f'MediaPipe lacks the package {error.name}'
        )
        raise UserModuleNotFoundError(f'{missing}: {install}') from error
    if solutions and not hasattr(mediapipe, 'solutions'):
        raise UserModuleNotFoundError(
            f'MediaPipe {mediapipe.__version__} has no mp.solutions; install 0.10.14 to 0.10.21: {install}; '
            'or take the extractor mediapipe_tasks, which needs model files'
        )
    return mediapipe


def check_complexity(model_complexity: int) -> None:
    """Refuses models of the body that are not in the wheel.

    Raises:
        ValueError: It is not 1.
    """
    if model_complexity != 1:
        raise UserValueError(
            f'model_complexity is {model_complexity}; MediaPipe would download that model: '
            'only 1 lies in its wheel'
        )


def body_graph(
    hands: bool = False,
    min_detection_confidence: float = 0.5,
    min_tracking_confidence: float = 0.5,
    smooth_landmarks: bool = True,
    model_complexity: int = 1,
) -> Any:
    """A running graph with ``process(image)``, ``reset()`` and ``close()``, as MediaPipe's solutions have.

    Args:
        hands (bool): Also the hands.
        min_detection_confidence, min_tracking_confidence (float): As in MediaPipe.
        smooth_landmarks (bool): MediaPipe's filter over time.
        model_complexity (int): 1.

    Returns:
        SolutionBase: Its results have ``pose_landmarks`` and, with ``hands``, ``left_hand_landmarks`` and
        ``right_hand_landmarks``; each None where nothing was detected.
    """
    # This module registers the options that the graphs need.
    from mediapipe.python.solutions import holistic

    side_inputs = {name.lower(): value for name, value in _SIDE_INPUTS.items()}
    side_inputs.update(smooth_landmarks=smooth_landmarks, model_complexity=model_complexity)
    return holistic.SolutionBase(
        graph_config='\n'.join([_IMAGE, _BODY_OUT, _BODY_NODE, _HANDS_NODE if hands else '']),
        side_inputs=side_inputs,
        calculator_params={_DETECTION: min_detection_confidence, _TRACKING: min_tracking_confidence},
    )


def hands_graph() -> Any:
    """As :func:`body_graph`, of the hands alone: its input is a dict of ``image`` and ``pose_landmarks``."""
    from mediapipe.python.solutions import holistic

    return holistic.SolutionBase(graph_config='\n'.join([_IMAGE, _BODY_IN, _HANDS_NODE]))


def skip_frames(graph: Any, count: int) -> None:
    """Lets ``count`` frames pass that a graph does not see, for its filters over time."""
    # The public interface gives every call the same step.
    graph._simulated_timestamp += count * FRAME_TIME


def unwritable(image: np.ndarray) -> np.ndarray:
    """The image as MediaPipe takes it without a copy; it copies writable arrays.

    Args:
        image (ndarray): Shape (H, W, 3) uint8, RGB.
    """
    view = np.ascontiguousarray(image).view()
    view.flags.writeable = False
    return view
