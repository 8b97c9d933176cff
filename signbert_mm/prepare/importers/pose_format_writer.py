"""Writes stores as ``.pose`` files (package pose-format)."""

import csv
import os
from collections import Counter
from typing import Any, List, Union

import numpy as np
from mmengine.logging import print_log

from ...datasets.pose_store import PoseStore
from ...errors import UserValueError
from ...files.atomic import PendingFolder
from ...files.folders import name_below
from ...files.paths import path_below
from ...layouts import Layout, get_layout, map_joints
from .labelled_files import COLUMNS
from .pose_components import COMPONENTS, point_names
from .pose_format import import_pose_format

LABELS = 'labels.csv'
_VERSION = 0.2
_COLOURS = dict(body=(0, 160, 0), face=(128, 128, 128), left_hand=(220, 0, 0), right_hand=(0, 0, 220))


def export_pose_format(
    store: PoseStore, folder: Union[str, 'os.PathLike[str]'], overwrite: bool = False
) -> int:
    """Writes each clip as ``<folder>/<video id>.pose``, and beside them ``labels.csv``.

    :class:`PoseFormatClips` reads both back. Layouts mediapipe_holistic, openpose and coco_wholebody_133 keep
    their joints; those of others become joints of coco_wholebody_133, by name. Of an id that several splits
    have the files lie in folders of the splits. The format has one rate for a file: times of uneven frames
    are lost, which is logged.

    Args:
        store (PoseStore): The clips.
        folder (str | Path): A new folder; it appears whole or not at all.
        overwrite (bool): Replace one that is there, if it holds ``.pose`` files and ``labels.csv`` alone.

    Returns:
        int: Clips with a gloss, which ``labels.csv`` lists.

    Raises:
        ModuleNotFoundError: pose-format is not installed.
        FileExistsError: The folder is there, and ``overwrite`` is False or it holds something else.
        ValueError: The layout has no joint of coco_wholebody_133; an image is larger than the format holds.
    """
    package = import_pose_format('writing .pose files')
    from pose_format.numpy import NumPyPoseBody
    from pose_format.pose_header import PoseHeader, PoseHeaderDimensions

    layout = get_layout(store.layout.name if store.layout.name in COMPONENTS else 'coco_wholebody_133')
    components = _components(layout)
    order = [joint for part in _parts(layout) for joint in layout.parts[part]]
    repeated = {name for name, count in Counter(store.video_id.tolist()).items() if count > 1}
    rows: List[List[str]] = []
    pending = PendingFolder(folder, overwrite, _foreign)
    try:
        for index, name in enumerate(store.video_id.tolist()):
            keypoints, scores = store.clip(index)
            values = np.concatenate([keypoints, scores[..., None]], axis=-1)
            if layout != store.layout:
                values = map_joints(values, store.layout, layout)
            values = values[:, None, order]  # (T, 1, points, 3)
            size = int(store.width[index]), int(store.height[index])
            if max(size) > 0xFFFF:
                raise UserValueError(
                    f'{store.folder}: clip {name!r} is of an image of {size[0]} x {size[1]} pixels; .pose '
                    'files hold at most 65535'
                )
            header = PoseHeader(_VERSION, PoseHeaderDimensions(*size), components)
            body = NumPyPoseBody(float(store.fps[index]), values[..., :2], values[..., 2])
            split = str(store.split[index])
            path = path_below(
                pending.path, f'{split}/{name}' if name in repeated else name, '.pose', 'video_id'
            )
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'xb') as file:
                package.Pose(header, body).write(file)
            if store.label[index] >= 0:
                gloss = store.glosses[int(store.label[index])]
                rows.append([name_below(pending.path, path), gloss, split, str(store.signer[index])])
        if rows:
            with open(os.path.join(pending.path, LABELS), 'w', encoding='utf-8', newline='') as table:
                csv.writer(table).writerows([COLUMNS, *rows])
        pending.publish()
    except BaseException:
        pending.discard()
        raise
    uneven = sum(store.frame_times(index) is not None for index in range(len(store)))
    if uneven:
        print_log(f'{folder}: {uneven} clips are of uneven rate, and keep their mean rate alone', 'current')
    return len(rows)


def _foreign(folder: str) -> List[str]:
    """Files in a folder, at any depth, that are not as :func:`export_pose_format` writes them."""
    found = (os.path.join(below, name) for below, _, names in os.walk(folder) for name in names)
    names = sorted(os.path.relpath(path, folder) for path in found)
    return [name for name in names if name != LABELS and not name.endswith('.pose')]


def _parts(layout: Layout) -> List[str]:
    return list(dict.fromkeys(COMPONENTS[layout.name].values()))


def _components(layout: Layout) -> List[Any]:
    from pose_format.pose_header import PoseHeaderComponent

    names: dict = {}
    for component, part in COMPONENTS[layout.name].items():
        names.setdefault(part, component)
    components = []
    for part in _parts(layout):
        joints = layout.parts[part]
        limbs = [(joints.index(a), joints.index(b)) for a, b in layout.edges if a in joints and b in joints]
        points = point_names(layout, part)
        components.append(PoseHeaderComponent(names[part], points, limbs, [_COLOURS[part]], 'XYC'))
    return components
