"""Runs recognisers on clips, and decides where there is no answer."""

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
from .rejection import KEY as REJECTION_KEY
from .rejection import Rejection

NOT_FINITE = (
    "the model's scores are not finite numbers; its weights or the poses are damaged: check the "
    'checkpoint, or take another'
)
NOT_IN_FILES = ('all_scores', 'vertices', 'faces')
"""Large keys, which the JSON files of ``pred_out_dir`` leave out."""
# Temporal transforms of training draw. These changes make them repeatable, for configs without test data.
_STEADY = dict(
    RandomTemporalSample=dict(type='CenterTemporalSample'), UniformTemporalSample=dict(test_mode=True)
)


def plain_values(value: Any) -> Any:
    """Converts nested dicts, lists, arrays and numbers to values of JSON.

    Args:
        value: Dicts, lists, tuples, arrays and tensors of numbers, numpy's numbers, text, numbers, bool,
            None.

    Returns:
        The same with lists for arrays and text for keys. A number that is not finite becomes None, since JSON
        has no such number.

    Raises:
        TypeError: It holds something else.
    """
    if isinstance(value, dict):
        # `dict.items`, since Prediction.items() calls this function.
        return {str(key): plain_values(entry) for key, entry in dict.items(value)}
    if isinstance(value, (list, tuple)):
        return [plain_values(entry) for entry in value]
    # A tensor.
    if hasattr(value, 'detach'):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        finite = value.dtype.kind in 'biu' or (value.dtype.kind == 'f' and np.isfinite(value).all())
        return value.tolist() if finite else plain_values(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    # A file name that is not UTF-8 has bytes that JSON cannot hold.
    if isinstance(value, str):
        return value.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace')
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, int):
        return value
    raise UserTypeError(
        f'{type(value).__name__} is no value of JSON; give numbers, text, arrays, lists or dicts'
    )


class Prediction(dict):
    """The answer for one clip or one window of a stream: a dict that may hold numpy arrays.

    ``json.dumps(prediction)`` works. :meth:`to_dict` gives the same values as a plain dict.

    Example:
        >>> prediction = Prediction(name='sign.mp4', attention=np.array([[0.25, 0.75]]))
        >>> prediction['attention'].shape
        (1, 2)
        >>> json.dumps(prediction)
        '{"name": "sign.mp4", "attention": [[0.25, 0.75]]}'
    """

    def to_dict(self) -> Dict[str, Any]:
        """As a dict with lists for arrays and None for numbers that are not finite.

        docs/inference.md has the schema.
        """
        return plain_values(self)

    def items(self) -> ItemsView:
        """Items of :meth:`to_dict`."""
        # json.dumps calls items(), so it gets plain values.
        return self.to_dict().items()

    def __reduce__(self) -> tuple:
        # Copying and pickling call items() by default, which would turn arrays into lists.
        return type(self), (dict(self),)


def to_json(value: Any) -> str:
    """Readable JSON of a prediction, or of nested ones, with 5 decimals."""

    def short(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: short(entry) for key, entry in item.items()}
        if isinstance(item, list):
            return [short(entry) for entry in item]
        return round(item, 5) if isinstance(item, float) else item

    return json.dumps(short(plain_values(value)), ensure_ascii=False, allow_nan=False, indent=1)


def withhold(clip: PoseClip, row: Dict[str, Any]) -> Dict[str, Any]:
    """Adds ``reason`` to one clip's result of :meth:`Backend.run`.

    Where the clip shows no hand or none of the signs, or the scores are not finite, the scores become 0 and
    ``reason`` says why. Elsewhere ``reason`` is ''.
    """
    reason = clip.no_answer
    if not reason and not np.isfinite(row['scores']).all():
        reason = NOT_FINITE
    # Only where there is something to guess from.
    if reason and 'guesses' in row:
        row = dict(row, guesses=np.zeros_like(row['scores']), unknown=None)
    reason = reason or row.get('reason', '')
    return dict(row, reason=reason, scores=np.zeros_like(row['scores']) if reason else row['scores'])


def unknown_of(row: Dict[str, Any]) -> Dict[str, Any]:
    """The key ``unknown`` of a result, where the model is calibrated; else {}."""
    return dict(unknown=row['unknown']) if 'unknown' in row else {}


class Backend:
    """Runs a recogniser. Every answer of this package comes from :meth:`predict`.

    Attributes:
        recognises (bool): Whether it names signs; a pre-trainer does not.
        reads_videos (bool): Whether it reads video frames and not poses.
        glosses (list[str]): Of its classes; [] where they are unknown.
        frame_rates (list[float | None]): The frame rate of the training clips of each part that reads poses;
            None where the checkpoint does not have it.
        rejection (Rejection, optional): When it answers "none of these signs"; None = never.
    """

    recognises = True
    reads_videos = False
    glosses: List[str]
    rejection: Optional[Rejection] = None
    frame_rates: Sequence[Optional[float]] = ()

    def gloss(self, label: int) -> str:
        """The name of a class."""
        return self.glosses[label] if label < len(self.glosses) else f'class {label}'

    def best(self, scores: np.ndarray, topk: int = 5) -> Dict[str, list]:
        """Returns ``glosses``, ``scores`` and ``labels`` of the best classes.

        They are [] where all scores are 0, which means no answer.
        """
        order = np.argsort(-scores, kind='stable')[:topk].tolist() if np.any(scores) else []
        return dict(
            glosses=[self.gloss(label) for label in order],
            scores=[float(scores[label]) for label in order],
            labels=order,
        )

    def check_recognises(self) -> None:
        """Checks that the model names signs.

        Raises:
            ConfigError: It is a pre-trainer.
        """
        if not self.recognises:
            raise ConfigError(
                'this model is a pre-trainer, which knows no glosses; give config and checkpoint of a '
                'recogniser, or use reconstruct() or search()'
            )

    def predict(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """Classifies clips.

        Args:
            clips (Sequence[PoseClip]): B clips.
            first (int): Index of the first clip. It seeds the draws of the test pipeline, if it has any.

        Returns:
            list[dict]: One a clip: ``scores`` (classes,) that sum to 1, ``attention`` (L, 2) or None,
            ``frames`` (L,), the positions in the clip, and ``reason``. Where there is no answer, ``reason``
            says why and the scores are 0, see :func:`withhold`. With a ``rejection`` also ``unknown`` and
            ``guesses``, see :class:`Rejection`.

        Raises:
            ValueError: A clip cannot be read by this model; the message says why.
        """
        rows = self.run(clips, first)
        if self.rejection is not None:
            rows = [self.rejection.apply(row) for row in rows]
        return [withhold(clip, row) for clip, row in zip(clips, rows)]

    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """As :meth:`predict`, but without ``reason``: each clip gets the scores of the model."""
        raise NotImplementedError


def dataset_config(cfg: Any, kind: str = 'PoseDataset') -> Tuple[dict, bool]:
    """Finds a config's data set of the type ``kind``.

    Returns:
        tuple[dict, bool]: The test data set, else that of validation, else of training; whether it is the
        training's.

    Raises:
        ConfigError: There is none.
    """
    for name in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
        node = (cfg.get(name) or {}).get('dataset')
        # Wrappers, such as ConcatDataset, hold their data sets in `dataset` or `datasets`.
        while isinstance(node, dict) and node.get('type') != kind:
            node = node.get('dataset') or (node.get('datasets') or [None])[0]
        if node is not None:
            return node, name == 'train_dataloader'
    raise ConfigError(
        f'config {cfg.get("filename", "")}: no {kind} in it, so it does not say how the model '
        'reads clips; give it test_dataloader'
    )


def reads_videos(cfg: Any) -> bool:
    """Whether a config's data are videos."""
    try:
        dataset_config(cfg, 'SignVideoDataset')
    except ConfigError:
        return False
    return True


def spec_of_config(cfg: Any) -> Tuple[InputSpec, List[dict]]:
    """How a config's model reads clips, and the data set's transforms after the temporal one."""
    node, trained = dataset_config(cfg)
    plain = node.to_dict() if isinstance(node, ConfigDict) else copy.deepcopy(dict(node))
    steps = list(plain.get('pipeline') or [])
    temporal = None
    # A registered transform may be a function, which issubclass refuses.
    kind = TRANSFORMS.get(steps[0]['type']) if steps else None
    if isinstance(kind, type) and issubclass(kind, TemporalSample):
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
    """The glosses in a model's checkpoint; [] where it has none."""
    return list((getattr(model, 'dataset_meta', None) or {}).get('glosses') or [])


def rejection_of(model: nn.Module) -> Optional[Rejection]:
    """The rejection in a model's checkpoint; None where it has none.

    Raises:
        ValueError: Its values are damaged, or it needs outputs that the head does not have.
    """
    rejection = Rejection.read((getattr(model, 'dataset_meta', None) or {}).get(REJECTION_KEY), 'checkpoint')
    if rejection is not None and rejection.method == 'known_odds' and not getattr(model, 'num_unknown', 0):
        raise UserValueError(
            "checkpoint: its rejection is by 'known_odds', but the model's head has no outputs for what is "
            'outside of the vocabulary (num_unknown): give the config that it was trained with'
        )
    return rejection


def spec_of_model(model: nn.Module) -> Tuple[InputSpec, List[dict]]:
    """As :func:`spec_of_config` for a model of :func:`init_model`, with its checkpoint's frame rate."""
    spec, steps = spec_of_config(model.cfg)
    return spec._replace(fps=(getattr(model, 'dataset_meta', None) or {}).get('fps')), steps


class TorchBackend(Backend):
    """Runs a torch model on batches of poses.

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
        self.rejection = rejection_of(model)

    @property
    def recognises(self) -> bool:
        """Whether the model names signs; a pre-trainer does not."""
        return getattr(self.model, 'recognises', True)

    @property
    def frame_rates(self) -> List[Optional[float]]:
        """The rate of its spec."""
        return [self.spec.fps]

    def batch(self, clips: Sequence[PoseClip], first: int = 0, every_frame: bool = False) -> Dict[str, Any]:
        """Makes a batch as the test loader collates it.

        Args:
            clips (Sequence[PoseClip]): B clips.
            first (int): Index of the first clip, see :meth:`predict`.
            every_frame (bool): Keep all frames: drop none and sample none.
        """
        spec = self.spec._replace(drop_empty_frames=False, temporal=None) if every_frame else self.spec
        inputs = make_batch(clips, spec, first)
        inputs = self._steps(inputs, Draws(0, 0, inputs['index']))
        return dict(inputs=inputs, video_id=[clip.name for clip in clips])

    @torch.no_grad()
    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Optional[np.ndarray]]]:
        inputs = self.model.data_preprocessor(self.batch(clips, first), training=False)['inputs']
        # Read after the preprocessor, which may resample time.
        frames = inputs['frames'].cpu().numpy()
        return [
            dict(
                scores=sample.pred_scores.numpy(),
                attention=sample.attention.numpy() if 'attention' in sample else None,
                frames=frames[row, : sample.num_frames],
                **({'known_odds': float(sample.known_odds)} if 'known_odds' in sample else {}),
            )
            for row, sample in enumerate(self.model(inputs, mode='predict'))
        ]

    @torch.no_grad()
    def prepared(self, clips: Sequence[PoseClip], masked: bool = False, every_frame: bool = False) -> dict:
        """The batch on the device, after the test transforms.

        Args:
            clips (Sequence[PoseClip]): B clips.
            masked (bool): Also apply the transforms that mask.
            every_frame (bool): As for :meth:`batch`.
        """
        preprocessor = self.model.data_preprocessor
        inputs = preprocessor.cast_data(self.batch(clips, every_frame=every_frame))['inputs']
        draws = Draws(0, 0, inputs['index'])
        for transform in preprocessor.test_pipeline if masked else self.preparation[1]:
            inputs = transform(inputs, draws)
        return inputs

    @property
    def preparation(self) -> Tuple[list, list]:
        """Transforms after temporal sampling: the data set's, and the test pipeline's that mask nothing."""
        return self._steps.transforms, without_masks(self.model.data_preprocessor.test_pipeline)


class VideoBackend(Backend):
    """Runs a torch model on videos, decoded by the test pipeline of its :class:`SignVideoDataset`.

    Args:
        model (nn.Module): As :func:`init_model` gives it, with ``cfg`` and ``dataset_meta``.
        device (str | torch.device): Where it runs.

    Raises:
        ConfigError: The config has no test data.
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
        self.rejection = rejection_of(model)

    def _row(self, clip: PoseClip, index: int) -> Dict[str, Any]:
        if not clip.video:
            raise UserValueError(
                f'clip {clip.name!r}: this model reads frames, and there are poses alone. Give the video, '
                'for stores `videos`, a folder of '
                '<video_id>.mp4, or a PoseClip with `video`; a stream has no file, segments() of one does'
            )
        number = int(Draws(0, 0, torch.tensor([index])).integers('video', 2**31 - 1)[0])
        # mmaction2 draws from random generators that all threads share.
        with self._decoding:
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
    """Returns ``backend`` if it runs one model in torch, as ``what`` requires.

    Raises:
        ConfigError: It is an exported model or a fusion.
    """
    if not isinstance(backend, TorchBackend):
        raise ConfigError(
            f'{what} needs a model in torch: give `pretrained` and `pretrained_weights` '
            'beside an exported or a fused one'
        )
    return backend
