"""Compares windows and a segmenter on videos whose signs are known."""

import itertools
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from ..datasets import SplicedSigns
from ..evaluation.predictions import check_labelled
from ..evaluation.segments import segment_figures
from .backends import Backend
from .clips import PoseClip
from .inferencer import SignInferencer
from .stream import HysteresisMerger, merge_windows, sliding_windows

WindowSettings = Tuple[float, float, float, float]


class KnownVideo(NamedTuple):
    """A clip and its signs: (start, end, gloss), in seconds."""

    clip: PoseClip
    signs: List[Tuple[float, float, str]]


def known_videos(dataset: SplicedSigns) -> List[KnownVideo]:
    """The videos of a data set as clips, as inference gets them.

    Raises:
        ValueError: A clip that they are spliced of has no label.
    """
    check_labelled(dataset.clips.labels, dataset.clips.store.folder)
    videos = []
    for index in range(len(dataset)):
        inputs = dataset[index]['inputs']
        count = int(inputs['length'])
        clip = PoseClip.make(
            inputs['keypoints'][:count].numpy(),
            dataset.layout,
            inputs['image_size'].tolist(),
            inputs['scores'][:count].numpy(),
            fps=dataset.fps,
            name=f'spliced_{index}',
        )
        signs = [
            (start / dataset.fps, end / dataset.fps, dataset.glosses[gloss])
            for start, end, gloss in inputs['spans'].tolist()
            if end > 0
        ]
        videos.append(KnownVideo(clip, signs))
    return videos


def window_figures(
    backend: Backend, videos: Sequence[KnownVideo], grid: Sequence[Sequence[float]], batch_size: int = 64
) -> Dict[WindowSettings, Dict[str, float]]:
    """The figures of windows, as :meth:`LongClips.segments` merges them, for each setting of a grid.

    Args:
        backend (Backend): A recogniser.
        videos (Sequence[KnownVideo]): What to find.
        grid (Sequence): Values of window, stride, enter and leave. Settings with ``leave`` above ``enter``,
            or a stride longer than the window, are left out.
        batch_size (int): Windows at once.
    """
    found: Dict[WindowSettings, List[list]] = {}
    windows, strides, enters, leaves = grid
    for window, stride in itertools.product(windows, strides):
        if stride > window:
            continue
        for clip, _ in videos:
            size, step = max(1, round(window * clip.fps)), max(1, round(stride * clip.fps))
            spans = sliding_windows(len(clip), size, step)
            scores: List[np.ndarray] = []
            for first in range(0, len(spans), batch_size):
                pieces = [clip.cut(*span) for span in spans[first : first + batch_size]]
                scores += [row['scores'] for row in backend.predict(pieces)]
            for enter, leave in itertools.product(enters, leaves):
                if leave <= enter:
                    merger = HysteresisMerger(enter, leave)
                    segments = merge_windows(spans, np.stack(scores), size, step, merger)
                    signs = [(s.start / clip.fps, s.end / clip.fps, backend.gloss(s.label)) for s in segments]
                    found.setdefault((window, stride, enter, leave), []).append(signs)
    return {setting: _figures(signs, videos) for setting, signs in found.items()}


def segments_figures(
    inferencer: SignInferencer, videos: Sequence[KnownVideo], **settings: Any
) -> Dict[str, float]:
    """The figures of :meth:`SignInferencer.segments` with these settings."""
    results = inferencer.segments([video.clip for video in videos], **settings)
    found = [
        [(sign['start'], sign['end'], sign['gloss']) for sign in result['segments']] for result in results
    ]
    return _figures(found, videos)


def _figures(found: Sequence[list], videos: Sequence[KnownVideo]) -> Dict[str, float]:
    seconds = sum(len(clip) / clip.fps for clip, _ in videos)
    return segment_figures(found, [signs for _, signs in videos], seconds)


def best_setting(figures: Dict[WindowSettings, Dict[str, float]], figure: str = 'f1') -> WindowSettings:
    """The setting with the largest value of a figure; the first of equal ones."""
    return max(figures, key=lambda setting: figures[setting][figure])
