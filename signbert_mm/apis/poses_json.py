"""Poses as JSON, for the browser and for apps."""

from typing import Any, Dict, Iterable

import numpy as np

from .clips import PoseClip

FORMAT, FORMAT_VERSION = 'signbert_mm.poses', 1
# Pixels and scores are float32, which has fewer digits.
_DIGITS = 6


def _clip(clip: PoseClip) -> Dict[str, Any]:
    values = np.concatenate([clip.keypoints, clip.scores[..., None]], axis=-1)
    return dict(
        name=clip.name,
        layout=clip.layout.name,
        joints=list(clip.layout.joints),
        image_size=list(clip.image_size),
        fps=clip.fps,
        label=clip.label,
        keypoints=np.round(values.astype(np.float64), _DIGITS).tolist(),
        hands=clip.hands_found().tolist(),
    )


def poses_to_json(clips: Iterable[PoseClip]) -> Dict[str, Any]:
    """Converts clips to what ``demo/browser`` reads.

    Returns:
        dict: ``format``, ``version`` and ``clips``, each with ``name``, ``layout``, ``joints`` (V names),
        ``image_size`` (width, height), ``fps`` (0 = unknown), ``label`` (-1 = none), ``keypoints`` (T, V, 3:
        x and y in pixels, score; 0 = missing) and ``hands`` (T, 2: left and right hand detected).
    """
    return dict(format=FORMAT, version=FORMAT_VERSION, clips=[_clip(clip) for clip in clips])
