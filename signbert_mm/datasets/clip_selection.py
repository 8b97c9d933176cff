"""Selects the clips of a data set from its store; the options are those of :class:`PoseDataset`."""

import difflib
import os
from typing import Dict, List, Optional, Sequence, Union

import numpy as np

from ..errors import UserValueError
from ..files.text import clean_text, text_lines
from .pose_store import PoseStore
from .subsets import data_ratio_indices, few_shot_indices, hold_out_indices

EMPTY_CLIP = ('keep', 'drop', 'error')
_HOLD_OUT = {'part', 'share', 'names', 'by', 'seed'}


def read_classes(classes: Union[Sequence[str], str, None]) -> Optional[Sequence[str]]:
    """Glosses: those given, or those of the named store or file.

    Raises:
        FileNotFoundError: There is no such store or file.
    """
    if not isinstance(classes, str):
        return classes
    if os.path.isdir(classes):
        return PoseStore(classes).glosses
    if os.path.isfile(classes):
        return [gloss for _, gloss in text_lines(classes)]
    raise FileNotFoundError(
        f'{os.path.abspath(classes)}: no such store or file of glosses, one a line (classes={classes!r}); '
        'correct the path, or give a list of glosses'
    )


def class_labels(store: PoseStore, classes: Optional[Sequence[str]]) -> Optional[List[int]]:
    """The store's labels of some glosses, in their order; compared as :func:`clean_text` gives them.

    Raises:
        ValueError: A gloss is unknown or repeated, or there is none; the message names similar glosses.
    """
    if classes is None:
        return None
    # Older stores hold glosses as they were given, so an equal one comes first.
    label_of = {clean_text(gloss): label for label, gloss in enumerate(store.glosses)}
    label_of.update({gloss: label for label, gloss in enumerate(store.glosses)})
    labels = [label_of.get(gloss, label_of.get(clean_text(str(gloss)))) for gloss in classes]
    unknown = [gloss for gloss, label in zip(classes, labels) if label is None]
    if unknown or len(set(labels)) < len(labels) or not labels:
        near = {gloss: difflib.get_close_matches(gloss, store.glosses, n=2) for gloss in unknown[:5]}
        raise UserValueError(
            f'{store.folder}: classes must be a list of distinct glosses of the store; unknown: '
            f'{unknown[:10]}; near ones: {near}; '
            f'the store has {len(store.glosses)}, see `glosses` in its meta.json'
        )
    return labels


def select_clips(
    store: PoseStore,
    split: Optional[List[str]],
    hold_out: Optional[dict],
    labels: Optional[List[int]],
    empty_clip: str,
    few_shot: Optional[dict],
    data_ratio: Optional[dict],
    indices: Union[int, Sequence[int], None],
) -> np.ndarray:
    """Indices (N,) int64 of the selected clips, in the store's order.

    Raises:
        ValueError: An option is wrong, or no clip is left.
    """
    name = os.path.basename(store.folder)
    if empty_clip not in EMPTY_CLIP:
        raise UserValueError(f'{name}: empty_clip is {empty_clip!r}; choose one of {", ".join(EMPTY_CLIP)}')
    chosen = np.ones(len(store), dtype=bool)
    # The options that were applied, for the message where no clip is left.
    steps = []
    if split is not None:
        counts = store.split_counts()
        if not split or any(not counts.get(one) for one in split):
            raise UserValueError(
                f'{store.folder}: split {split} has no clips; splits there: {counts}. Name one of these, or '
                "take clips of another: hold_out=dict(part='val', share=0.2) here, part='train' in training"
            )
        chosen &= np.isin(store.split_code, [store.split_names.index(one) for one in split])
        steps.append(f'split={split}')
    if hold_out is not None:
        chosen = _hold_out(store, name, chosen, hold_out)
        steps.append('hold_out')
    if labels is not None:
        chosen &= np.isin(store.label, labels)
        steps.append('classes')
    if empty_clip != 'keep':
        # The number of frames with a hand, summed over each clip's rows.
        empty = chosen & (np.add.reduceat(store.hand_flags > 0, store.offset, dtype=np.int64) == 0)
        if empty_clip == 'error' and empty.any():
            first = np.flatnonzero(empty)[:5]
            raise UserValueError(
                f'{store.folder}: {empty.sum()} clips show no hand in any frame, the first: '
                f"{store.video_ids(first)}; use empty_clip='keep' or 'drop', or extract them again"
            )
        chosen &= ~empty
        steps.append('empty_clip')
    clips = np.flatnonzero(chosen)
    if few_shot is not None:
        pool = range(len(store.glosses)) if labels is None else labels
        options = _options(name, 'few_shot', few_shot, ('shots', 'seed'))
        clips = few_shot_indices(store.label, clips, pool, **options)
        steps.append('few_shot')
    if data_ratio is not None and len(clips):
        options = _options(name, 'data_ratio', data_ratio, ('ratio', 'seed'))
        clips = data_ratio_indices(store.label, clips, **options)
    if indices is not None:
        places = (
            np.arange(min(indices, len(clips)))
            if isinstance(indices, int)
            else np.asarray(indices, dtype=np.int64)
        )
        if len(places) and (places.min() < 0 or places.max() >= len(clips)):
            raise UserValueError(
                f'{name}: indices reach from {places.min()} to {places.max()}, but {len(clips)} clips are '
                'left'
            )
        clips = clips[places]
        steps.append('indices')
    if not len(clips):
        raise UserValueError(
            f'{store.folder}: no clips are left after {", ".join(steps)}; splits there: '
            f'{store.split_counts()}'
        )
    return clips


def _hold_out(store: PoseStore, name: str, chosen: np.ndarray, hold_out: dict) -> np.ndarray:
    if not isinstance(hold_out, dict) or not {'part'} <= set(hold_out) <= _HOLD_OUT:
        raise UserValueError(
            f'{name}: hold_out is {hold_out!r}; give dict(part=.., share=..), and if '
            "wanted names, by='clip', seed"
        )
    try:
        kept = hold_out_indices(store.label, store.signer, np.flatnonzero(chosen), **hold_out)
    except ValueError as error:
        raise UserValueError(f'{store.folder}: {error}') from None
    return np.isin(np.arange(len(chosen)), kept)


def _options(name: str, field: str, options: dict, known: Sequence[str]) -> Dict[str, object]:
    if not isinstance(options, dict) or set(options) != set(known):
        raise UserValueError(
            f'{name}: {field} is {options!r}; give dict({", ".join(f"{key}=.." for key in known)})'
        )
    return dict(options)
