"""What runs a recogniser on clips, the one place where an answer is withheld, and what an answer is."""

import copy
import json
import math
import threading
from typing import Any, Dict, ItemsView, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmengine.config import ConfigDict
from torch import nn
from torch.utils.data import default_collate

from ..datasets.transforms import Compose, TemporalSample, without_masks
from ..datasets.video_dataset import build_video_steps, read_video
from ..draws import Draws
from ..engine.runner import ConfigError
from ..errors import UserTypeError, UserValueError
from ..registry import TRANSFORMS
from .clips import InputSpec, PoseClip, make_batch

NOT_FINITE = (
    "the model's scores are not finite numbers; its weights or the poses are damaged: check the "
    'checkpoint, or take another'
)
NOT_IN_FILES = ('all_scores', 'vertices', 'faces')
"""What the JSON files of ``pred_out_dir`` leave out: it is large, and drawn from the model again in a moment.
"""
_STEADY = dict(
    RandomTemporalSample=dict(type='CenterTemporalSample'), UniformTemporalSample=dict(test_mode=True)
)
"""What the temporal transforms of training become where a config has no test pipeline."""


def plain_values(value: Any) -> Any:
    """A nest of dicts, lists, arrays and numbers as JSON has it.

    Args:
        value: Dicts, lists, tuples, arrays and tensors of numbers, numpy's numbers, text, numbers, bool,
            None.

    Returns:
        The same with lists for arrays and text for keys. A number that is not finite becomes None, as JSON
        has none.

    Raises:
        TypeError: Something else is in it.
    """
    if isinstance(value, dict):
        return {str(key): plain_values(entry) for key, entry in dict.items(value)}
    if isinstance(value, (list, tuple)):
        return [plain_values(entry) for entry in value]
    if hasattr(value, 'detach'):  # a tensor
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        finite = value.dtype.kind in 'biu' or (value.dtype.kind == 'f' and np.isfinite(value).all())
        return value.tolist() if finite else plain_values(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):  # a file name that is not UTF-8 has bytes that no JSON can hold
        return value.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace')
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, int):
        return value
    raise UserTypeError(
        f'{type(value).__name__} is no value of JSON; give numbers, text, arrays, lists or dicts'
    )


class Prediction(dict):
    """The answer for one clip, or for one window of a stream: a dict whose arrays are numpy arrays.

    ``json.dumps(prediction)`` works: :meth:`items`, which it asks, gives plain values. :meth:`to_dict` gives
    the same as a plain dict.

    Example:
        >>> prediction = Prediction(name='sign.mp4', attention=np.array([[0.25, 0.75]]))
        >>> prediction['attention'].shape
        (1, 2)
        >>> json.dumps(prediction)
        '{"name": "sign.mp4", "attention": [[0.25, 0.75]]}'
    """

    def to_dict(self) -> Dict[str, Any]:
        """Lists for arrays, None for numbers that are not finite; docs/inference.md has the schema."""
        return plain_values(self)

    def items(self) -> ItemsView:
        """Of :meth:`to_dict`."""
        return self.to_dict().items()

    def __reduce__(self) -> tuple:
        return type(self), (dict(self),)  # copies and pickles keep the arrays


def to_json(value: Any) -> str:
    """Readable JSON of a prediction, or of a nest of them; numbers have 5 digits after the point."""

    def short(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: short(entry) for key, entry in item.items()}
        if isinstance(item, list):
            return [short(entry) for entry in item]
        return round(item, 5) if isinstance(item, float) else item

    return json.dumps(short(plain_values(value)), ensure_ascii=False, allow_nan=False, indent=1)


def withhold(clip: PoseClip, row: Dict[str, Any]) -> Dict[str, Any]:
    """A row of :meth:`Backend.predict` with its ``reason``.

    Where the clip shows no hand, or the scores are not finite, the scores become 0 and ``reason`` says why.
    Elsewhere ``reason`` is ''.
    """
    reason = clip.no_answer or row.get('reason', '')
    if not reason and not np.isfinite(row['scores']).all():
        reason = NOT_FINITE
    return dict(row, reason=reason, scores=np.zeros_like(row['scores']) if reason else row['scores'])


class Backend:
    """Runs a recogniser. Every answer of this package comes through :meth:`predict`.

    Attributes:
        recognises (bool): Whether it names signs; a pre-trainer does not.
        reads_videos (bool): Whether it reads frames, not poses alone.
        glosses (list[str]): Of its classes; [] where nothing says their names.
        frame_rates (list[float | None]): Of each part that reads poses, the rate of its training clips; None
            where its checkpoint does not say.
    """

    recognises = True
    reads_videos = False
    glosses: List[str]
    frame_rates: Sequence[Optional[float]] = ()

    def gloss(self, label: int) -> str:
        """A class by its name."""
        return self.glosses[label] if label < len(self.glosses) else f'class {label}'

    def best(self, scores: np.ndarray, topk: int = 5) -> Dict[str, list]:
        """``glosses``, ``scores`` and ``labels`` of the best classes; [] where the scores are all 0, which is
        no answer.
        """
        order = np.argsort(-scores, kind='stable')[:topk].tolist() if np.any(scores) else []
        return dict(
            glosses=[self.gloss(label) for label in order],
            scores=[float(scores[label]) for label in order],
            labels=order,
        )

    def check_recognises(self) -> None:
        """Refuses what names no signs.

        Raises:
            ConfigError: It is a pre-trainer.
        """
        if not self.recognises:
            raise ConfigError(
                'this model is a pre-trainer, which knows no glosses; give config and checkpoint of a '
                'recogniser, or use reconstruct() or search()'
            )

    def predict(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """What the model says of each clip.

        Args:
            clips (Sequence[PoseClip]): B clips.
            first (int): Index of the first, which names it in random draws, where the test pipeline has any.

        Returns:
            list[dict]: One a clip: ``scores`` (classes,) that sum to 1, ``attention`` (L, 2) or None,
            ``frames`` (L,), the positions in the clip, and ``reason``. Where there is nothing to answer by,
            ``reason`` says why and the scores are 0, see :func:`withhold`.

        Raises:
            ValueError: A clip cannot be read by this model; the message says why.
        """
        return [withhold(clip, row) for clip, row in zip(clips, self.run(clips, first))]

    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """As :meth:`predict`, whatever the clips show; without ``reason``."""
        raise NotImplementedError


def dataset_config(cfg: Any, kind: str = 'PoseDataset') -> Tuple[dict, bool]:
    """The data set of a kind in a config: of its test data, else of validation, else of training; and whether
    it was the training's.

    Raises:
        ConfigError: There is none.
    """
    for name in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
        node = (cfg.get(name) or {}).get('dataset')
        while isinstance(node, dict) and node.get('type') != kind:
            node = node.get('dataset') or (node.get('datasets') or [None])[0]
        if node is not None:
            return node, name == 'train_dataloader'
    raise ConfigError(
        f'config {cfg.get("filename", "")}: no {kind} in it, so it does not say how the model '
        'reads clips; give it test_dataloader'
    )


def reads_videos(cfg: Any) -> bool:
    """Whether a config's data are videos, so that its model reads frames."""
    try:
        dataset_config(cfg, 'SignVideoDataset')
    except ConfigError:
        return False
    return True


def spec_of_config(cfg: Any) -> Tuple[InputSpec, List[dict]]:
    """How the model of a config reads clips, and the data set's transforms after the temporal one."""
    node, trained = dataset_config(cfg)
    plain = node.to_dict() if isinstance(node, ConfigDict) else copy.deepcopy(dict(node))
    steps = list(plain.get('pipeline') or [])
    temporal = None
    if (
        steps
        and isinstance(TRANSFORMS.get(steps[0]['type']), type)
        and issubclass(TRANSFORMS.get(steps[0]['type']), TemporalSample)
    ):
        temporal = steps.pop(0)
        if trained:
            temporal.update(_STEADY.get(temporal['type'], {}))
    spec = InputSpec(
        plain.get('layout', 'sign_49'),
        plain.get('drop_empty_frames', True),
        plain.get('stand_ins', False),
        plain.get('side', ''),
        temporal,
    )
    return spec, steps


def glosses_of(model: nn.Module) -> List[str]:
    """The glosses that a model's checkpoint names; [] where it names none."""
    return list((getattr(model, 'dataset_meta', None) or {}).get('glosses') or [])


def spec_of_model(model: nn.Module) -> Tuple[InputSpec, List[dict]]:
    """:func:`spec_of_config` of a model of :func:`init_model`, with what its checkpoint says of its data."""
    spec, steps = spec_of_config(model.cfg)
    return spec._replace(fps=(getattr(model, 'dataset_meta', None) or {}).get('fps')), steps


class TorchBackend(Backend):
    """Batches clips, runs the model, and says what it found of each.

    Args:
        model (nn.Module): As :func:`init_model` gives it, with ``cfg`` and ``dataset_meta``.
        device (str | torch.device): Where it runs.

    Attributes:
        spec (InputSpec): How it reads clips.
        glosses (list[str]): Of its classes; [] where the checkpoint has none.
    """

    def __init__(self, model: nn.Module, device: Union[str, torch.device]) -> None:
        if getattr(model, 'cfg', None) is None:
            raise UserValueError(
                f'{type(model).__name__}: the model has no `cfg`; make it with signbert_mm.apis.init_model'
            )
        self.model, self.device = model.to(device).eval(), torch.device(device)
        self.spec, steps = spec_of_model(model)
        self._steps = Compose(steps)
        self.glosses: List[str] = glosses_of(model)

    @property
    def recognises(self) -> bool:
        """Whether the model names signs; a pre-trainer does not."""
        return getattr(self.model, 'recognises', True)

    @property
    def frame_rates(self) -> List[Optional[float]]:
        """The one of its spec."""
        return [self.spec.fps]

    def batch(self, clips: Sequence[PoseClip], first: int = 0, every_frame: bool = False) -> Dict[str, Any]:
        """As the test loader collates it.

        Args:
            clips (Sequence[PoseClip]): B clips.
            first (int): Index of the first, which names it in random draws, where the test pipeline has any.
            every_frame (bool): Neither leave frames out nor sample time.
        """
        spec = self.spec._replace(drop_empty_frames=False, temporal=None) if every_frame else self.spec
        inputs = make_batch(clips, spec, first)
        inputs = self._steps(inputs, Draws(0, 0, inputs['index']))
        return dict(inputs=inputs, video_id=[clip.name for clip in clips])

    @torch.no_grad()
    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Optional[np.ndarray]]]:
        inputs = self.model.data_preprocessor(self.batch(clips, first), training=False)['inputs']
        frames = inputs['frames'].cpu().numpy()  # the preprocessor may have resampled time
        rows = []
        for row, sample in enumerate(self.model(inputs, mode='predict')):
            attention = sample.attention.numpy() if 'attention' in sample else None
            rows.append(
                dict(
                    scores=sample.pred_scores.numpy(),
                    attention=attention,
                    frames=frames[row, : sample.num_frames],
                )
            )
        return rows

    @torch.no_grad()
    def prepared(self, clips: Sequence[PoseClip], masked: bool = False, every_frame: bool = False) -> dict:
        """The batch on the device after the test transforms; without ``masked`` nothing is masked.
        ``every_frame`` as in :meth:`batch`.
        """
        preprocessor = self.model.data_preprocessor
        inputs = preprocessor.cast_data(self.batch(clips, every_frame=every_frame))['inputs']
        draws = Draws(0, 0, inputs['index'])
        for transform in preprocessor.test_pipeline if masked else self.preparation[1]:
            inputs = transform(inputs, draws)
        return inputs

    @property
    def preparation(self) -> Tuple[list, list]:
        """Transforms that clips go through after time was sampled: the data set's, and those of the test
        pipeline that mask nothing.
        """
        return self._steps.transforms, without_masks(self.model.data_preprocessor.test_pipeline)


class VideoBackend(Backend):
    """As :class:`TorchBackend`, for models of a :class:`SignVideoDataset`: decodes the clips' videos through
    the config's test pipeline.

    Args:
        model (nn.Module): As :func:`init_model` gives it, with ``cfg`` and ``dataset_meta``.
        device (str | torch.device): Where it runs.

    Raises:
        ConfigError: The config has no test data, whose pipeline this needs.
    """

    reads_videos = True

    def __init__(self, model: nn.Module, device: Union[str, torch.device]) -> None:
        node, trained = dataset_config(model.cfg, 'SignVideoDataset')
        if trained:
            raise ConfigError(
                f'config {model.cfg.get("filename", "")}: it has no test_dataloader, whose '
                'pipeline says how the model reads a video'
            )
        self.model, self._decoding = model.to(device).eval(), threading.Lock()
        self.steps = build_video_steps((node.to_dict() if isinstance(node, ConfigDict) else node)['pipeline'])
        self.glosses: List[str] = glosses_of(model)

    def _row(self, clip: PoseClip, index: int) -> Dict[str, Any]:
        if not clip.video:
            raise UserValueError(
                f'clip {clip.name!r}: this model reads frames, and there are poses alone. Give the video, '
                'for stores `videos`, a folder of '
                '<video_id>.mp4, or a PoseClip with `video`; a stream has no file, segments() of one does'
            )
        number = int(Draws(0, 0, torch.tensor([index])).integers('video', 2**31 - 1)[0])
        with self._decoding:  # mmaction2 draws from generators that all threads share
            imgs = read_video(clip.video, self.steps, number, clip.label, clip.span)
        return dict(imgs=imgs, label=clip.label, index=index, epoch=0, length=1)

    @torch.no_grad()
    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """As :meth:`Backend.run`; ``attention`` is None, ``frames`` are all positions in the clip.

        Raises:
            ValueError: A clip has no video, or it cannot be read.
        """
        inputs = default_collate([self._row(clip, first + place) for place, clip in enumerate(clips)])
        inputs = self.model.data_preprocessor(
            dict(inputs=inputs, video_id=[clip.name for clip in clips]), training=False
        )['inputs']
        samples = self.model(inputs, mode='predict')
        return [
            dict(scores=sample.pred_scores.numpy(), attention=None, frames=np.arange(len(clip)))
            for sample, clip in zip(samples, clips)
        ]


def in_torch(backend: Backend, what: str) -> 'TorchBackend':
    """The backend, where its model can do ``what``, which needs its parts.

    Raises:
        ConfigError: It is an exported model or a fusion.
    """
    if not isinstance(backend, TorchBackend):
        raise ConfigError(
            f'{what} needs a model in torch: give `pretrained` and `pretrained_weights` '
            'beside an exported or a fused one'
        )
    return backend
