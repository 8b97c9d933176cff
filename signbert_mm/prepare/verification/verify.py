"""A store from end to end: its facts, and what is wrong with it."""

import os
from typing import Dict, List, Optional, Union

import numpy as np

from ...datasets.pose_store import PoseStore
from ...datasets.store_format import LEFT_FOUND, RIGHT_FOUND
from .checks import all_checks
from .official import SIGNER_INDEPENDENT, official_counts
from .report import Problem, StoreReport
from .scan import CHUNK_NUMBERS, Progress, Scan, scan_keypoints

BINS = 12


def verify_store(
    folder: Union[str, os.PathLike],
    official: Union[str, Dict[str, int], None] = None,
    signer_independent: Optional[bool] = None,
    progress: Optional[Progress] = None,
    chunk_numbers: int = CHUNK_NUMBERS,
) -> StoreReport:
    """Reads a store from end to end and reports its content and its problems.

    Args:
        folder (str): The store.
        official (str | dict[str, int], optional): Clips that the owners publish, split -> clips, or a name
            or file for :func:`official_counts`; None = the counts in the store's meta.
        signer_independent (bool, optional): No signer may be in train and in another split; None = as known
            of the data set.
        progress (Callable, optional): Called with the number of clips read, and of all.
        chunk_numbers (int): Numbers in memory at a time.

    Returns:
        StoreReport: With the single problem 'torn' if the store does not open.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: ``official`` is not known.
    """
    folder = os.path.abspath(os.fspath(folder))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f'{folder}: no such folder; give the folder of a store')
    known = official_counts(official) if isinstance(official, str) else official
    report = StoreReport(folder)
    try:
        store = PoseStore(folder)
        # Opened here, so that its error becomes a problem of the report.
        store.keypoints  # noqa: B018
    except (OSError, ValueError, KeyError) as error:
        report.problems.append(
            Problem('error', 'torn', str(error.args[0] if isinstance(error, KeyError) else error))
        )
        return report
    known = store.official if known is None else known
    name = official if isinstance(official, str) else (store.meta.get('notes') or {}).get('dataset', '')
    independent = name in SIGNER_INDEPENDENT if signer_independent is None else signer_independent
    scan = scan_keypoints(store, progress, chunk_numbers)
    rates = _hand_frames(store)
    report.facts = _facts(store, scan)
    report.splits = _splits(store, rates, known)
    report.lengths = _lengths(store)
    report.classes = _classes(store)
    report.problems = all_checks(store, scan, known, independent, rates['any'] == 0)
    return report


def _facts(store: PoseStore, scan: Scan) -> dict:
    detected, outside = (int(scan.counts[name].sum()) for name in ('found', 'outside'))
    sizes, number = np.unique(np.stack([store.width, store.height], axis=1), axis=0, return_counts=True)
    order = np.argsort(-number, kind='stable')[:3]
    return dict(
        source=store.meta.get('source', ''),
        licence=store.meta.get('licence', ''),
        layout=store.layout.name,
        dtype=store.meta['dtype'],
        extractors=store.extractors,
        clips_by_the_paper=[
            f'{split} {count:,}'
            for split, count in ((store.meta.get('notes') or {}).get('paper') or {}).items()
        ],
        clips=len(store),
        frames=int(store.meta['frames']),
        glosses=len(store.glosses),
        image_sizes=[f'{sizes[i][0]}x{sizes[i][1]} ({number[i]:,})' for i in order]
        + ([f'and {len(sizes) - 3} more'] if len(sizes) > 3 else []),
        joints_found=f'{100 * detected / (store.meta["frames"] * store.layout.num_joints):.1f} %',
        joints_outside_the_image=f'{100 * outside / max(1, detected):.2f} % of those found',
    )


def _hand_frames(store: PoseStore) -> Dict[str, np.ndarray]:
    """Frames of each clip in which a hand was detected, shape (N,) int64."""
    left, right = ((store.hand_flags & bit) > 0 for bit in (LEFT_FOUND, RIGHT_FOUND))
    detected = dict(any=left | right)
    # The side of a layout of one hand is not recorded.
    if store.layout.name != 'hand_21':
        detected.update(left=left, right=right, both=left & right)
    return {name: np.add.reduceat(frames, store.offset, dtype=np.int64) for name, frames in detected.items()}


def _splits(store: PoseStore, hands: Dict[str, np.ndarray], official: Dict[str, int]) -> Dict[str, dict]:
    rows = {}
    names = list(dict.fromkeys([*store.split_names, *store.coverage, *official]))
    for name in [*names, 'all']:
        members = np.ones(len(store), dtype=bool) if name == 'all' else store.split == name
        listed = store.expected_and_present(None if name == 'all' else [name])
        length, labels, signers = store.length[members], store.label[members], store.signer[members]
        frames = int(length.sum())
        quantiles = np.quantile(length, (0, 0.25, 0.5, 0.75, 1)).tolist() if len(length) else []
        rows[name] = dict(
            clips=int(members.sum()),
            listed=None if listed is None else listed[0],
            official=(sum(official.values()) if official else None) if name == 'all' else official.get(name),
            glosses=len(set(labels[labels >= 0].tolist())),
            signers=len(set(signers[signers != ''].tolist())),
            frames=frames,
            length=dict(zip(('min', 'q25', 'median', 'q75', 'max'), quantiles)),
            hands={key: float(counts[members].sum() / frames) for key, counts in hands.items()}
            if frames
            else {},
            clips_without_hand=int((hands['any'][members] == 0).sum()),
        )
    return rows


def _lengths(store: PoseStore) -> dict:
    shortest, longest = int(store.length.min()), int(store.length.max())
    # A few very long clips share the last bin.
    upper = int(np.quantile(store.length, 0.99))
    edges = np.unique(np.append(np.ceil(np.linspace(shortest, upper + 1, BINS + 1)), longest + 1)).astype(
        np.int64
    )
    counts = {
        name: np.histogram(store.length[store.split == name], edges)[0].tolist() for name in store.split_names
    }
    return dict(edges=edges.tolist(), counts=counts)


def _classes(store: PoseStore) -> List[dict]:
    if not store.glosses:
        return []
    number = len(store.glosses)
    counts = {
        name: np.bincount(store.label[(store.split == name) & (store.label >= 0)], minlength=number)
        for name in store.split_names
    }
    listed = {name: row['per_class'] for name, row in store.coverage.items() if 'per_class' in row}
    return [
        dict(
            label=label,
            gloss=gloss,
            clips={name: int(count[label]) for name, count in counts.items()},
            **(dict(listed={name: row[label] for name, row in listed.items()}) if listed else {}),
        )
        for label, gloss in enumerate(store.glosses)
    ]
