"""The folder of taught signs: its encoder, its model, its report and its index."""

import os
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple, Union

import numpy as np
from mmengine.config import Config

from ..apis import SignDictionary, SignInferencer, zoo_checkpoint
from ..apis.taught_signs import CONFIG, DICTIONARY, ENCODER, INDEX, MODEL, write_index
from ..apis.torch_backends import dataset_config
from ..datasets import PoseStore
from ..engine.registered_types import read_inference_config
from ..errors import ConfigError, UserValueError
from ..files import write_atomic
from ..files.checkpoints import load_checkpoint_file
from ..files.plain_config import read_plain_config
from .estimate import Estimate
from .finetune import Progress
from .poses import PARTS, STORE
from .report import write_report
from .videos import Problem

ZOO_ENCODER = 'zoo://signbert_d128'

PathLike = Union[str, 'os.PathLike[str]']


def check_place(out: str) -> None:
    """Refuses a folder that holds something else.

    Raises:
        ValueError: It does.
    """
    names = {name for name in os.listdir(out) if not name.startswith('.')} if os.path.isdir(out) else set()
    if names and not names & {INDEX, PARTS, STORE}:
        raise UserValueError(f'{out}: holds other files; name a new folder with --out')


def encoder_file(encoder: PathLike) -> str:
    """The path of an encoder's checkpoint, which may be named as one of the zoo."""
    name = os.fspath(encoder)
    return zoo_checkpoint(name) if name.startswith('zoo://') else name


def encoder_config(checkpoint: str, store: str) -> Config:
    """The config of an encoder's pre-training, on the taught clips; written out and read again, as later.

    Args:
        checkpoint (str): Its ``meta`` has the config.
        store (str): Of the taught clips.

    Raises:
        ConfigError: There is no config in it.
    """
    meta = load_checkpoint_file(checkpoint).get('meta') or {}
    text = meta.get('cfg')
    if not isinstance(text, str):
        raise ConfigError(
            f'{checkpoint}: its meta has no config, so it cannot be used by itself; take a checkpoint of '
            'tools/train.py'
        )
    # The checkpoint may be from anywhere, so what it names is checked before any of it is built.
    read_inference_config(text, checkpoint)
    cfg = Config(read_plain_config(text, checkpoint))
    node, _ = dataset_config(cfg)
    clips = dict(
        type='PoseDataset',
        store=store,
        split='train',
        pipeline=list(node.get('pipeline') or ()),
        **{key: node[key] for key in ('layout', 'drop_empty_frames', 'stand_ins') if key in node},
    )
    loader = dict(cfg.get('train_dataloader') or {}, dataset=clips)
    changed = {key: value for key, value in cfg.items() if not key.startswith('_')}
    for name in ('val_dataloader', 'val_cfg', 'val_evaluator', 'test_dataloader', 'test_evaluator'):
        changed.pop(name, None)
    changed.update(train_dataloader=loader, test_cfg=None, load_from=None, resume=False)
    changed.pop('work_dir', None)
    return Config(read_plain_config(Config(changed).pretty_text, checkpoint))


def embed_store(
    inferencer: SignInferencer, store: PoseStore, progress: Progress = lambda *_: None
) -> Tuple[np.ndarray, List[str]]:
    """Vectors (N, D) of a store's clips, each of length 1, and the clips' names."""
    vectors, names = [], []
    for first in range(0, len(store), 32):
        indices = range(first, min(first + 32, len(store)))
        clips = list(inferencer.reader.store_clips(store, indices))
        vectors.append(inferencer.embedder(clips))
        names += [clip.name for clip in clips]
        progress('comparing clips', len(names), len(store))
    return np.concatenate(vectors), names


def write_dictionary(out: str, cfg: Config, signs: SignDictionary) -> None:
    """Writes the model of a folder whose nearest example answers."""
    signs.save(os.path.join(out, DICTIONARY))
    write_atomic(cfg.pretty_text.encode(), os.path.join(out, CONFIG))
    Path(out, MODEL).unlink(missing_ok=True)


def write_folder(
    out: str,
    checkpoint: str,
    store: PoseStore,
    estimates: Sequence[Estimate],
    problems: Sequence[Problem],
    write_model: Callable[[], None],
    **facts: Any,
) -> None:
    """Writes all of a folder but its poses, which lie there.

    Args:
        out (str): The folder.
        checkpoint (str): Of the encoder.
        store (PoseStore): The taught clips.
        estimates (Sequence[Estimate]): Of the method that is used, then of others.
        problems (Sequence[Problem]): Of the videos, for the report.
        write_model (Callable): Writes the model and its config.
        **facts: ``extractor`` and ``encoder``, for the index.
    """
    chosen, threshold = estimates[0], estimates[0].threshold
    # Without its index the folder is no model, so that a stop from here on leaves no mixture of two.
    Path(out, INDEX).unlink(missing_ok=True)
    with open(checkpoint, 'rb') as file:
        write_atomic(file.read(), os.path.join(out, ENCODER))
    write_model()
    counts: Dict[str, int] = Counter(store.glosses[label] for label in store.label)
    write_report(out, store.glosses, counts, estimates, problems, threshold)
    write_index(
        out,
        kind=chosen.method,
        threshold=threshold,
        glosses=list(store.glosses),
        clips=len(store),
        seconds=_seconds(store),
        estimate=chosen.to_dict(),
        **facts,
    )


def _seconds(store: PoseStore) -> float:
    """Length of the middle clip in seconds; 2 where no rate is known."""
    known = store.fps > 0
    return round(float(np.median(store.length[known] / store.fps[known])), 3) if known.any() else 2.0
