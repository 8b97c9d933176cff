"""The base class of pose extractors."""

import hashlib
import importlib.util
import json
import sys
from abc import ABC, abstractmethod
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Union

import numpy as np

from ..errors import UserKeyError, UserValueError
from ..layouts import Layout, get_layout

LAYOUT = 'coco_wholebody_133'
BUILT_IN = dict(
    mediapipe='MediaPipeExtractor',
    mediapipe_fast='MediaPipeHandsPose',
    mediapipe_tasks='MediaPipeTasks',
    mmpose='MMPoseExtractor',
    rtmlib='RTMLibExtractor',
)


class PoseExtractor(ABC):
    """Poses of one person, as 133 whole-body joints, from a stream of frames.

    A subclass defines :meth:`predict`. One that works on crops also defines :meth:`prepare`, so that only the
    crops of a batch are in memory. :meth:`reset` is called before each clip and drops all state of earlier
    frames, so a clip's poses depend on nothing but the clip.

    Attributes:
        name (str): The registered name, for instance 'mediapipe'.
        version (str): The version of the package that estimates the joints.
        layout (Layout): coco_wholebody_133.
        batch_size (int): The number of frames in one call of :meth:`predict`.
    """

    name = ''
    version = ''
    batch_size = 1

    @property
    def layout(self) -> Layout:
        return get_layout(LAYOUT)

    def describe(self) -> Dict[str, Any]:
        """What the poses depend on apart from the frames, as plain values.

        These are the settings, and digests of the weights.
        """
        return {}

    @property
    def fingerprint(self) -> str:
        """16 hex digits that differ where name, version or :meth:`describe` do.

        Parts of different fingerprints are never merged.
        """
        facts = dict(name=self.name, version=self.version, **self.describe())
        return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=8).hexdigest()

    def reset(self) -> None:  # noqa: B027 - nothing to forget by default
        """Drops all state of the previous clip."""

    def close(self) -> None:  # noqa: B027
        """Frees the backend's resources."""

    def prepare(self, image: np.ndarray) -> Any:
        """What :meth:`predict` needs of one frame, by default the frame itself.

        Args:
            image (ndarray): Shape (H, W, 3) uint8, RGB.
        """
        return image

    @abstractmethod
    def predict(self, items: List[Any]) -> np.ndarray:
        """Poses of up to ``batch_size`` consecutive prepared frames.

        Returns:
            ndarray: Shape (N, 133, 3): x and y in pixels of the frame, score. A joint with score 0 or less is
                missing.
        """

    def stream(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Poses of the frames of one clip, batch by batch; call :meth:`reset` before.

        Yields:
            ndarray: Shape (133, 3) float32: x, y in pixels, score in [0, 1]. Missing joints are all 0.
        """
        items: List[Any] = []
        for image in images:
            items.append(self.prepare(image))
            if len(items) >= self.batch_size:
                yield from self._clean(self.predict(items), len(items))
                items = []
        if items:
            yield from self._clean(self.predict(items), len(items))

    def _clean(self, poses: np.ndarray, count: int) -> np.ndarray:
        poses = np.array(poses, dtype=np.float32)
        if poses.shape != (count, self.layout.num_joints, 3):
            raise UserValueError(
                f'{type(self).__name__}.predict gave shape {poses.shape} for {count} frames; '
                f'expected ({count}, 133, 3)'
            )
        # Readers of a store rely on this: a missing joint is 0 in all three numbers.
        valid = np.isfinite(poses).all(-1) & (poses[..., 2] > 0)
        poses[~valid] = 0
        np.minimum(poses[..., 2], 1, out=poses[..., 2])
        return poses

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.describe()})'


def build_extractor(cfg: Union[str, Dict[str, Any], PoseExtractor]) -> PoseExtractor:
    """Builds a pose extractor.

    Args:
        cfg (str | dict | PoseExtractor): 'mediapipe', 'mediapipe_fast', 'mediapipe_tasks', 'mmpose' or
            'rtmlib', or a dict with that as ``type`` and the class's arguments. An extractor is returned as
            it is.

    Raises:
        KeyError: No extractor has that name.
        ModuleNotFoundError: Its package is not installed; the message says how to install it.
    """
    if isinstance(cfg, PoseExtractor):
        return cfg
    cfg = dict(type=cfg) if isinstance(cfg, str) else dict(cfg)
    name = cfg.get('type')
    kind = BUILT_IN.get(name) if isinstance(name, str) else None
    # Without mmengine, whose registry is the only place where an extractor of this name could be replaced.
    if kind and 'signbert_mm.registry' not in sys.modules:
        del cfg['type']
        return getattr(sys.modules[__package__], kind)(**cfg)
    if importlib.util.find_spec('mmengine') is None:
        raise UserKeyError(
            f'unknown pose extractor {name!r}; without mmengine there are {", ".join(BUILT_IN)}, and '
            "objects of your own; names of your own need pip install 'signbert_mm[train]'"
        )
    from ..registry import EXTRACTORS

    # The registry imports its modules on first use.
    EXTRACTORS.import_from_location()
    if isinstance(name, str) and '.' not in name and name not in EXTRACTORS.module_dict:
        raise UserKeyError(
            f'unknown pose extractor {name!r}; known: {", ".join(sorted(EXTRACTORS.module_dict))}'
        )
    return EXTRACTORS.build(cfg)


def extract_stream(
    frames: Iterable[Union[np.ndarray, Sequence]], extractor: Union[str, Dict[str, Any], PoseExtractor]
) -> Iterator[np.ndarray]:
    """Poses of a stream as its frames arrive, from a camera or of one video.

    Args:
        frames (Iterable): RGB images of shape (H, W, 3) uint8, or :class:`Frame` objects (image, time).
        extractor (str | dict | PoseExtractor): As for :func:`build_extractor`. An extractor is reset first.
            One that works on batches returns a batch at a time, so give it ``batch_size=1`` for a camera.

    Yields:
        ndarray: Shape (133, 3) float32 for each frame: x, y in pixels, score in [0, 1]; 0 = missing.
    """
    extractor = build_extractor(extractor)
    extractor.reset()
    yield from extractor.stream(frame if isinstance(frame, np.ndarray) else frame[0] for frame in frames)
