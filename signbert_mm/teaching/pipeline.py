"""Teaches signs from videos."""

import io
import os
import shutil
from collections import Counter
from functools import partial
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from ..apis import SignDictionary, SignInferencer
from ..apis.taught_signs import CONFIG, DICTIONARY, ENCODER, MODEL
from ..datasets import PoseStore
from ..errors import UserValueError
from ..files import folder_lock, write_atomic
from ..files.text import alike_names
from .estimate import MAX_FOLDS, Estimate, dictionary_estimate, make_folds
from .finetune import Progress, finetune_estimate, recognizer_config, train_recognizer
from .folder import (
    ZOO_ENCODER,
    check_place,
    embed_store,
    encoder_config,
    encoder_file,
    write_dictionary,
    write_folder,
)
from .poses import STORE, extract_videos
from .report import NAMES, rejection, sentence
from .videos import Problem, read_videos

METHODS = ('auto', 'dictionary', 'finetune')
# Fine-tuning is tried with so many clips of each sign, and two signers.
ENOUGH = 5

PathLike = Union[str, 'os.PathLike[str]']


class Taught(NamedTuple):
    """The result of :func:`teach`.

    Attributes:
        folder (str): Where it lies, for :class:`~signbert_mm.apis.TaughtSigns`.
        estimate (Estimate): Of the method that was chosen.
        problems (list[Problem]): Videos that were left out, and warnings.
    """

    folder: str
    estimate: Estimate
    problems: List[Problem]


def teach(
    source: PathLike,
    out: PathLike,
    method: str = 'auto',
    signer: str = '',
    encoder: PathLike = ZOO_ENCODER,
    extractor: Union[str, Dict[str, Any]] = 'mediapipe',
    device: Optional[str] = None,
    workers: int = 1,
    say: Callable[[str], None] = print,
    progress: Progress = lambda *_: None,
) -> Taught:
    """Makes a folder of taught signs from labelled videos, or updates it.

    Poses of videos that were read before are kept in the folder; everything else is made anew from all videos
    of ``source``.

    Args:
        source (str | Path): Folders of signs, or a CSV, see :func:`read_videos`.
        out (str | Path): The folder of the taught signs.
        method (str): 'dictionary': the nearest example answers. 'finetune': the encoder is fine-tuned.
            'auto': the dictionary, and where each sign has five clips and there are two signers, whichever of
            the two is more often right in the same cross-validation.
        signer (str): A regular expression for the signer, see :func:`read_videos`.
        encoder (str | Path): A checkpoint of a pre-training whose ``meta`` has its config, or the name of one
            of the zoo.
        extractor (str | dict): What finds poses.
        device (str, optional): For the encoder; None = the GPU where there is one.
        workers (int): Processes that extract.
        say (Callable): Takes lines for people.
        progress (Callable): Called with what is done, and how much of how much.

    Raises:
        ValueError: No video is left, ``method`` is unknown or cannot be used with these videos.
        FileNotFoundError, CheckpointError, ConfigError: The encoder is missing or cannot be used.
    """
    if method not in METHODS:
        raise UserValueError(f'method is {method!r}; choose one of {", ".join(METHODS)}')
    if workers < 1:
        raise UserValueError(f'workers is {workers}; give 1 or more')
    out = os.path.abspath(os.fspath(out))
    check_place(out)
    checkpoint = encoder_file(encoder)
    extractor = dict(type=extractor) if isinstance(extractor, str) else dict(extractor)
    # Before anything is extracted, so that a mistake shows at once.
    cfg = encoder_config(checkpoint, os.path.join(out, STORE))
    inferencer = SignInferencer(cfg, checkpoint, device, extractor)
    videos, problems = read_videos(source, signer)
    if not videos:
        first = '; '.join(map(str, problems[:3])) or 'it is empty'
        raise UserValueError(
            f'{os.fspath(source)}: no video to learn from; the layout is <sign>/<signer>_<take>.mp4, or a '
            f'CSV with the columns video and gloss. {first}'
        )
    os.makedirs(out, exist_ok=True)
    with folder_lock(out, '.lock', 'teaching'):
        _say_videos(videos, say)
        store, bad = extract_videos(videos, out, extractor, inferencer.reader.fps, workers, say)
        problems += [*bad, *_doubtful_signs(store)]
        for problem in problems:
            say(f'  {"left out" if problem.left_out else "look at"}: {problem}')
        vectors, names = embed_store(inferencer, store, progress)
        chosen, estimates, tuned = _choose(method, cfg, store, vectors, checkpoint, say, progress)
        model = train_recognizer(tuned, 'fine-tuning on all clips', progress) if tuned else None
        if model is None:
            signs = SignDictionary(inferencer.embedder.fingerprint, vectors.shape[1], os.path.basename(out))
            for label, gloss in enumerate(store.glosses):
                rows = np.flatnonzero(store.label == label)
                signs.add(gloss, vectors[rows], [names[row] for row in rows])
            write_model = partial(write_dictionary, out, cfg, signs)
        else:
            write_model = partial(_write_recognizer, out, tuned, store, model)
        facts = dict(extractor=extractor, encoder=os.fspath(encoder))
        write_folder(out, checkpoint, store, estimates, problems, write_model, **facts)
    facts = chosen.to_dict()
    say(f'Method: {NAMES[chosen.method]}. {sentence(facts)}')
    say(rejection(facts, chosen.threshold))
    return Taught(out, chosen, problems)


def _say_videos(videos: Sequence[Any], say: Callable[[str], None]) -> None:
    glosses, signers = {video.gloss for video in videos}, sorted({video.signer for video in videos} - {''})
    shown = ', '.join(signers[:8]) + (', ...' if len(signers) > 8 else '')
    who = f'{len(signers)} signers: {shown}' if signers else 'signers are not known (--signer names them)'
    say(f'{len(videos)} videos of {len(glosses)} signs; {who}.')


def _doubtful_signs(store: PoseStore) -> List[Problem]:
    counts = np.bincount(store.label, minlength=len(store.glosses))
    problems = [
        Problem(
            first,
            f'{" and ".join(rest)} differ{"s" * (len(rest) == 1)} from it in capitals alone, and each is a '
            f'{what} of its own; write them alike if they are one',
            left_out=False,
        )
        for what, names in (('sign', store.glosses), ('signer', set(store.signer.tolist())))
        for first, *rest in alike_names(names)
    ]
    return problems + [
        Problem(gloss, 'one clip only; film two more, or it cannot be tested', left_out=False)
        for gloss, count in zip(store.glosses, counts)
        if count == 1
    ]


def _choose(
    method: str,
    cfg: Config,
    store: PoseStore,
    vectors: np.ndarray,
    checkpoint: str,
    say: Callable[[str], None],
    progress: Progress,
) -> Tuple[Estimate, List[Estimate], Optional[Config]]:
    """The better method by one cross-validation, all estimates, its own first, and its config if tuned."""
    labels = store.label.astype(np.int64)
    signers = [str(name) for name in store.signer]
    why_not = _too_little(labels, signers)
    if method == 'dictionary' or (method == 'auto' and why_not):
        if method == 'auto':
            say(f'Fine-tuning is not tried: {why_not}.')
        how, folds = make_folds(labels, signers)
        estimate = dictionary_estimate(vectors, labels, how, folds)
        return estimate, [estimate], None
    if len(store.glosses) < 2:
        raise UserValueError('one sign alone cannot be told from others; add videos of a second one')
    trial = recognizer_config(cfg, store, os.path.abspath(checkpoint))
    how, folds = make_folds(labels, signers, MAX_FOLDS)
    known = dictionary_estimate(vectors, labels, how, folds)
    say(f'Fine-tuning is tried {len(folds)} times, each time without some of the clips.')
    trained = finetune_estimate(trial, store, how, folds, progress)
    if method == 'auto' and trained.hits <= known.hits:
        return known, [known, trained], None
    return trained, [trained, known], trial


def _too_little(labels: np.ndarray, signers: Sequence[str]) -> str:
    """Why fine-tuning is not worth a try; '' = it is."""
    if len(set(labels.tolist())) < 2:
        return 'there is one sign alone'
    least = min(Counter(labels.tolist()).values())
    if least < ENOUGH:
        return f'a sign has {least} clip{"s" * (least != 1)}, and {ENOUGH} of each are needed'
    return '' if all(signers) and len(set(signers)) > 1 else 'the clips of two known signers are needed'


def _write_recognizer(out: str, cfg: Config, store: PoseStore, model: nn.Module) -> None:
    # The encoder lies beside the model, wherever it came from.
    cfg.load_from = os.path.join(out, ENCODER)
    meta = dict(model.dataset_meta, extractor=store.extractors, cfg=cfg.pretty_text)
    buffer = io.BytesIO()
    weights = {name: value.detach().cpu() for name, value in model.state_dict().items()}
    torch.save(dict(meta=meta, state_dict=weights), buffer)
    write_atomic(buffer.getvalue(), os.path.join(out, MODEL))
    write_atomic(cfg.pretty_text.encode(), os.path.join(out, CONFIG))
    shutil.rmtree(os.path.join(out, DICTIONARY), ignore_errors=True)
