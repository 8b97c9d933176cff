"""Checks the files, labels, signers and extractors of a store; runs all checks."""

import glob
import os
from typing import Dict, Iterator, List

import numpy as np

from ...datasets.pose_store import PoseStore
from ...datasets.store_format import CLIPS, KEYPOINTS, META, file_digest
from .clip_checks import Names, check_clips, check_numbers, check_sides
from .count_checks import check_counts
from .report import EXAMPLES, SEVERITIES, Problem
from .scan import Scan


def check_files(store: PoseStore, scan: Scan) -> Iterator[Problem]:
    """Checksums, and what an interrupted conversion left beside the store."""
    for name, digest in ((CLIPS, file_digest(os.path.join(store.folder, CLIPS))), (KEYPOINTS, scan.checksum)):
        if digest != store.meta['files'][name].get('blake2b'):
            yield Problem(
                'error',
                'checksum',
                f'{name}: the checksum differs from {META}; copy it again or prepare the store again',
            )
    parent, name = os.path.split(os.path.realpath(store.folder))
    left = sorted(
        os.path.basename(path)
        for path in glob.glob(os.path.join(glob.escape(parent), f'.{glob.escape(name)}.partial-*'))
    )
    if left:
        yield Problem(
            'note',
            'leftover',
            f'{left[0]} beside the store is of a conversion that runs or was cut off',
            len(left),
        )


def check_labels(store: PoseStore) -> Iterator[Problem]:
    """Classes that cannot be learned or tested."""
    unlabelled = int((store.label < 0).sum())
    if unlabelled:
        yield Problem(
            'note', 'unlabelled', f'{unlabelled:,} of {len(store):,} clips have no label', unlabelled
        )
    if not store.glosses or unlabelled == len(store):
        return
    used = {
        split: np.bincount(
            store.label[(store.split == split) & (store.label >= 0)], minlength=len(store.glosses)
        )
        > 0
        for split in store.split_names
    }
    unused = ~np.any(list(used.values()), axis=0)

    def finding(bad: np.ndarray, kind: str, text: str) -> Iterator[Problem]:
        indices = np.flatnonzero(bad)
        if len(indices):
            yield Problem(
                'warning',
                kind,
                f'{len(indices):,} of {len(store.glosses):,} {text}',
                len(indices),
                [store.glosses[i] for i in indices[:EXAMPLES]],
            )

    yield from finding(unused, 'class_without_clips', 'glosses have no clip in any split')
    if 'train' in used:
        yield from finding(
            ~used['train'] & ~unused,
            'class_without_training',
            'glosses have no training clip, but clips in other splits',
        )
    if 'train' in used and 'test' in used:
        yield from finding(
            used['train'] & ~used['test'],
            'class_without_test',
            'glosses have training clips and no test clip',
        )


def check_signers(store: PoseStore, independent: bool) -> Iterator[Problem]:
    """Signers of the training clips that are in other splits as well."""
    known = store.signer != ''
    signers = {
        split: set(store.signer[known & (store.split == split)].tolist()) for split in store.split_names
    }
    for split in [name for name in signers if name != 'train' and 'train' in signers]:
        shared = sorted(signers['train'] & signers[split])
        if shared:
            text = f'{len(shared)} of {len(signers[split])} signers of {split} are in train too'
            text += '; the official splits share none' if independent else ''
            yield Problem(
                'error' if independent else 'note', 'shared_signers', text, len(shared), shared[:EXAMPLES]
            )
    if len(store) and not known.any() and (independent or len(signers) > 1):
        yield Problem(
            'warning' if independent else 'note',
            'unknown_signers',
            'no clip names its signer, so that one signer may be in several splits; where they are known '
            'convert again with them (folder_to_store.py: --signer REGEX)',
        )


def check_extractors(store: PoseStore) -> Iterator[Problem]:
    """The pose extractor."""
    if not store.extractors or any(name.startswith('unknown') for name in store.extractors):
        yield Problem(
            'warning',
            'unknown_extractor',
            f'{META} does not say what found the poses, so that mixing with others goes unnoticed',
        )
    if len(store.extractors) > 1:
        yield Problem(
            'warning',
            'mixed_extractors',
            f'poses of several extractors: {", ".join(store.extractors)}; a model can tell them apart',
        )


def all_checks(
    store: PoseStore,
    scan: Scan,
    official: Dict[str, int],
    independent: bool,
    no_hand: np.ndarray,
) -> List[Problem]:
    """The problems of every check, errors first.

    Args:
        store (PoseStore): The store.
        scan (Scan): Its :func:`scan_keypoints`.
        official (dict[str, int]): Split -> clips that the owners publish; {} = not known.
        independent (bool): No signer may be in train and in another split.
        no_hand (ndarray): Shape (N,) bool, clips without any hand.
    """
    names = Names(store)
    problems = [
        *check_files(store, scan),
        *check_counts(store, official),
        *check_numbers(store, scan, names),
        *check_clips(store, scan, names, no_hand),
        *check_sides(store, scan, names),
        *check_labels(store),
        *check_signers(store, independent),
        *check_extractors(store),
    ]
    return sorted(problems, key=lambda problem: SEVERITIES.index(problem.severity))
