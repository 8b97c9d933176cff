"""Late fusion of recognisers in inference, and backends for any model."""

import copy
import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from ..errors import ConfigError, UserValueError
from ..evaluation.fusion import ClipScores, check_classes, check_weights, fused
from ..files.shipped import SHIPPED, list_shipped
from ..registry import MODELS
from .backends import Backend
from .clips import PoseClip
from .model import _config, init_model
from .torch_backends import TorchBackend, VideoBackend, reads_videos

_PART_KEYS = {'config', 'checkpoint', 'weight', 'name'}


def make_backend(model: nn.Module, device: Union[str, torch.device]) -> Union[TorchBackend, VideoBackend]:
    """The backend of a model: with video frames where its config's data are videos, else with poses."""
    kind = VideoBackend if reads_videos(getattr(model, 'cfg', None) or {}) else TorchBackend
    return kind(model, device)


@MODELS.register_module()
class FusionRecognizer(Backend, nn.Module):
    """Sums the weighted probabilities of several recognisers of one label map, such as H+P and H+R.

    Each part reads a clip as its own test data set does: hands, whole skeletons, or the frames of the clip's
    video. ``tools/analysis_tools/fuse_scores.py`` gives the same from score files.

    Args:
        parts (Sequence[dict]): Two or more, each ``config`` (a config, its path or name), ``checkpoint``,
            ``weight`` (default 1; search weights on the validation split with ``fuse_scores.py --search``)
            and ``name`` (default: the config's).
        device (str | torch.device): Where they run.

    Raises:
        ConfigError: A part has no config or checkpoint or an unknown field, or there are fewer than two.
        ValueError: The parts' glosses differ, or weights are below 0, not finite or all 0.
    """

    def __init__(self, parts: Sequence[dict], device: Union[str, torch.device] = 'cpu') -> None:
        super().__init__()
        if len(parts) < 2:
            raise ConfigError(f'FusionRecognizer: {len(parts)} parts given; two or more are needed')
        for place, part in enumerate(parts):
            if set(part) - _PART_KEYS or not part.get('config'):
                raise ConfigError(
                    f'FusionRecognizer: part {place} must have `config` and may have '
                    f'{sorted(_PART_KEYS - {"config"})}; it has {sorted(part)}'
                )
            if not part.get('checkpoint'):
                raise ConfigError(
                    f'FusionRecognizer: part {place} ({_name(part)}) has no checkpoint, and '
                    'random weights recognise nothing'
                )
        names = [_name(part) for part in parts]
        self.names = [
            name if names.count(name) == 1 else f'{name} ({place})' for place, name in enumerate(names)
        ]
        self.weights = [float(part.get('weight', 1.0)) for part in parts]
        check_weights(self.weights, len(parts))
        self.parts = nn.ModuleList(init_model(part['config'], part['checkpoint'], device) for part in parts)
        self.backends = [make_backend(model, device) for model in self.parts]
        pretrainers = [name for name, backend in zip(self.names, self.backends) if not backend.recognises]
        if pretrainers:
            raise ConfigError(
                f'FusionRecognizer: {", ".join(pretrainers)}: a pre-trainer, which knows no '
                'glosses; give a recogniser'
            )
        self.glosses = self._common_glosses()

    def _common_glosses(self) -> List[str]:
        """The glosses that the parts share. A part without names is skipped here."""
        known = [
            (name, backend.glosses) for name, backend in zip(self.names, self.backends) if backend.glosses
        ]
        for name, glosses in known[1:]:
            first, reference = known[0]
            if len(glosses) != len(reference):
                raise UserValueError(
                    f'{name} knows {len(glosses)} glosses and {first} {len(reference)}: the '
                    'label maps differ; train both on one store'
                )
            differing = [label for label, pair in enumerate(zip(glosses, reference)) if pair[0] != pair[1]]
            if differing:
                label = differing[0]
                raise UserValueError(
                    f'class {label} is {glosses[label]!r} in {name} and {reference[label]!r} in '
                    f'{first} ({len(differing)} of {len(glosses)} differ): the label maps differ; train both '
                    'on one store'
                )
        return list(known[0][1]) if known else []

    @property
    def reads_videos(self) -> bool:
        """Whether any part reads video frames."""
        return any(backend.reads_videos for backend in self.backends)

    @property
    def frame_rates(self) -> List[Optional[float]]:
        """Those of the parts."""
        return [rate for backend in self.backends for rate in backend.frame_rates]

    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """As :meth:`Backend.run`.

        ``attention`` and ``frames`` are those of the first part that has attention, else of the first part.

        Raises:
            ValueError: The parts' numbers of classes differ, or a part reads frames and a clip has no video.
        """
        results = []
        for name, backend in zip(self.names, self.backends):
            try:
                results.append(backend.run(clips, first))
            except ValueError as error:
                raise UserValueError(f'{name}: {error}') from error
        ids, labels = [clip.name for clip in clips], np.array([clip.label for clip in clips])
        parts = [
            ClipScores(name, ids, np.stack([row['scores'] for row in rows]).astype(np.float64), labels)
            for name, rows in zip(self.names, results)
        ]
        # Parts without glosses are compared here, by their number of classes.
        check_classes(parts)
        scores = fused(parts, self.weights).astype(np.float32)
        shown = next((rows for rows in results if rows[0]['attention'] is not None), results[0])
        return [dict(row, scores=score) for row, score in zip(shown, scores)]

    forward = Backend.predict


def _name(part: dict) -> str:
    if part.get('name'):
        return str(part['name'])
    config = part['config']
    return Path(str(config.filename if isinstance(config, Config) else os.fspath(config)) or 'config').stem


def make_fusion(model: Any, weights: Any, device: Union[str, torch.device]) -> Optional[FusionRecognizer]:
    """Builds a fusion from a list of configs, or from a config with ``model.type='FusionRecognizer'``.

    Any other ``model`` gives None.

    Args:
        model: As for :class:`SignInferencer`.
        weights (Sequence[str | Path], optional): One checkpoint a part; None where the config names them.
        device (str | torch.device): Where the parts run.

    Raises:
        ConfigError, ValueError: As :class:`FusionRecognizer`, or not one checkpoint a part.
    """
    if isinstance(model, (list, tuple)):
        parts: List[dict] = [dict(config=config) for config in model]
    else:
        cfg = _config(model)
        if (cfg.get('model') or {}).get('type') != 'FusionRecognizer':
            return None
        parts = [dict(part) for part in copy.deepcopy(cfg.model.parts)]
    if weights is not None:
        if not isinstance(weights, (list, tuple)) or len(weights) != len(parts):
            given = len(weights) if isinstance(weights, (list, tuple)) else repr(weights)
            raise ConfigError(
                f'`weights`: a fusion of {len(parts)} parts takes a list of {len(parts)} checkpoints, in the '
                f'order of the parts; got {given}'
            )
        parts = [dict(part, checkpoint=checkpoint) for part, checkpoint in zip(parts, weights)]
    return FusionRecognizer(parts, device)


def build_backend(model: Any, weights: Any, device: Optional[str], field: str, threads: int = 0) -> Backend:
    """Builds the backend of a model or a fusion.

    Args:
        model: As for :class:`SignInferencer`.
        weights: Its checkpoint; for a fusion a list of them.
        device (str, optional): Where it runs; None = 'cuda' where there is one, else 'cpu'.
        field (str): Name of the argument ``weights`` in messages.
        threads (int): CPU threads of torch in this process; 0 = as they are.

    Raises:
        ValueError, ConfigError: Weights are missing, or given beside a model that has them. ``device`` is not
            there.
    """
    device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        torch.empty(0, device=device)
    # Torch raises an AssertionError where it was built without CUDA.
    except (RuntimeError, AssertionError) as error:
        raise UserValueError(
            f'device {device!r} cannot be used ({str(error).splitlines()[0]}); name another, such as cpu'
        ) from error
    # Before the model is built, so that building it keeps to the number too.
    if threads:
        torch.set_num_threads(threads)
    if isinstance(model, nn.Module):
        if weights is not None:
            raise UserValueError(
                f'`{field}` goes with a config; the model that was given has its weights already'
            )
        return model if isinstance(model, Backend) else make_backend(model, device)
    fusion = make_fusion(model, weights, device)
    if fusion is not None:
        return fusion
    if weights is None and not str(model).startswith(SHIPPED):
        shipped = ', '.join(SHIPPED + name for name in list_shipped())
        raise UserValueError(
            f'`{field}` is missing, and random weights recognise nothing; give the path of a checkpoint, or '
            f'as the model one that comes with the package: {shipped}'
        )
    return make_backend(init_model(model, weights, device), device)
