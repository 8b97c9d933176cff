"""Model files of MediaPipe's Tasks: where they are looked for, whether they are whole, and how to make them.

A ``.task`` file is a zip of two networks, one that detects and one that finds the landmarks. MediaPipe's
wheels after 0.10.21 hold none. Nothing is downloaded here.
"""

import io
import os
import zipfile
from pathlib import Path
from typing import Dict, List, Optional

from ..errors import UserModuleNotFoundError, UserValueError
from ..files.atomic import write_atomic

FOLDER_VARIABLE = 'SIGNBERT_MM_MEDIAPIPE_MODELS'
DEFAULT_FOLDER = os.path.join('~', '.cache', 'signbert_mm', 'mediapipe')
HAND = 'hand_landmarker'
POSES = ('pose_landmarker_lite', 'pose_landmarker_full', 'pose_landmarker_heavy')
_ADDRESS = 'https://storage.googleapis.com/mediapipe-models/{task}/{name}/float16/1/{name}.task'
# The networks in each bundle, by the task's name.
_MEMBERS = dict(
    hand_landmarker=('hand_detector.tflite', 'hand_landmarks_detector.tflite'),
    pose_landmarker=('pose_detector.tflite', 'pose_landmarks_detector.tflite'),
)
# Of the same networks in the wheels of 0.10.14 to 0.10.21: below mediapipe/modules, with the mean and the
# scale of the pixels where the file itself does not state them.
_IN_WHEEL = {
    HAND: {
        'hand_detector.tflite': ('palm_detection/palm_detection_full.tflite', None),
        'hand_landmarks_detector.tflite': ('hand_landmark/hand_landmark_full.tflite', None),
    },
    POSES[1]: {
        'pose_detector.tflite': ('pose_detection/pose_detection.tflite', (127.5, 127.5)),
        'pose_landmarks_detector.tflite': ('pose_landmark/pose_landmark_full.tflite', (0.0, 255.0)),
    },
}


def _task(name: str) -> str:
    return HAND if name == HAND else 'pose_landmarker'


def address(name: str) -> str:
    """Where MediaPipe publishes a model, for instance ``'hand_landmarker'``."""
    return _ADDRESS.format(task=_task(name), name=name)


def find_model(name: str, path: Optional[str] = None, folder: Optional[str] = None) -> str:
    """The file of a model: ``path``, else in ``folder``, else in the folder of the environment's
    ``SIGNBERT_MM_MEDIAPIPE_MODELS``, else in ``~/.cache/signbert_mm/mediapipe``. The first that is given is
    the only one that is looked at.

    Args:
        name (str): ``'hand_landmarker'``, or ``'pose_landmarker_'`` with lite, full or heavy.
        path (str, optional): The file.
        folder (str, optional): A folder with ``<name>.task``.

    Raises:
        FileNotFoundError: It is not there; the message says where MediaPipe publishes it.
        ValueError: It is no whole bundle of this task.
    """
    if path is None:
        folder = folder or os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER
        path = os.path.join(folder, f'{name}.task')
    found = os.path.expanduser(path)
    if not os.path.isfile(found):
        raise FileNotFoundError(
            f'{found}: no such file; nothing is downloaded here: put {address(name)} there, or name another '
            f'folder by models= or {FOLDER_VARIABLE}'
        )
    check_bundle(name, found)
    return found


def check_bundle(name: str, path: str) -> None:
    """Refuses a file that is no whole bundle of the named task, whose own error names no file.

    Raises:
        ValueError: It is no zip, lacks a network, or bytes of it were changed.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            missing = sorted(set(_MEMBERS[_task(name)]) - set(bundle.namelist()))
            problem = f'it lacks {", ".join(missing)}' if missing else ''
            damaged = bundle.testzip()
            if damaged:
                problem = f'{damaged} in it is damaged'
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        problem = str(error)
    if problem:
        raise UserValueError(
            f'{path}: no whole {_task(name)} bundle ({problem}; {os.path.getsize(path):,} bytes); '
            f'get it again: {address(name)}'
        )


def write_bundles(folder: str) -> List[str]:
    """Writes ``hand_landmarker.task`` and ``pose_landmarker_full.task`` with the networks of the installed
    MediaPipe 0.10.14 to 0.10.21, for newer versions, whose wheels hold none.

    Returns:
        list[str]: The files.

    Raises:
        ModuleNotFoundError: The installed MediaPipe, or none, holds no networks.
    """
    try:
        import mediapipe
        from mediapipe.tasks.python.metadata.metadata_writers.metadata_writer import MetadataWriter
    except ImportError as error:
        raise UserModuleNotFoundError(
            'the networks lie in MediaPipe 0.10.14 to 0.10.21 alone, which is not installed: '
            'pip install --no-deps mediapipe==0.10.21 (Python 3.9 to 3.12)'
        ) from error
    modules = Path(mediapipe.__file__).parent / 'modules'
    written = []
    for name, networks in _IN_WHEEL.items():
        parts: Dict[str, bytes] = {}
        for member, (place, scale) in networks.items():
            data = (modules / place).read_bytes()
            if scale is not None:
                writer = MetadataWriter.create(bytearray(data))
                writer.add_image_input([scale[0]], [scale[1]])
                data = bytes(writer.populate()[0])
            parts[member] = data
        path = os.path.join(folder, f'{name}.task')
        write_atomic(_bundle(parts), path)
        written.append(path)
    return written


def _bundle(parts: Dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    # MediaPipe reads stored members only. One date makes the file the same at any time.
    with zipfile.ZipFile(buffer, 'w', zipfile.ZIP_STORED) as bundle:
        for member, data in parts.items():
            bundle.writestr(zipfile.ZipInfo(member), data)
    return buffer.getvalue()
