"""Checks the clips of each split and class against those listed and those published."""

from typing import Dict, Iterator

import numpy as np

from ...datasets.pose_store import PoseStore
from ...datasets.store_format import META, MISSING
from .report import EXAMPLES, Problem


def check_counts(store: PoseStore, official: Dict[str, int]) -> Iterator[Problem]:
    """Clips of each split and class against those listed and those published."""
    counts = store.split_counts()
    for split, row in store.coverage.items():
        present = counts.get(split, 0)
        if row.get('present', present) != present:
            yield Problem(
                'error',
                'coverage',
                f'{META} says that {row["present"]:,} clips of {split} are there, {present:,} are; prepare '
                'the store again',
            )
        if present < row['expected']:
            share = 100 * (row['expected'] - present) / row['expected']
            text = (
                f'{split}: {row["expected"] - present:,} of {row["expected"]:,} listed clips are missing '
                f'({share:.1f} %); {MISSING} names them'
            )
            yield Problem('warning', 'missing_clips', text, row['expected'] - present)
        if present > row['expected']:
            yield Problem(
                'error',
                'too_many_clips',
                f'{split}: {present:,} clips, but the annotations list {row["expected"]:,}',
                present - row['expected'],
            )
        if 'per_class' in row:
            counted = np.bincount(
                store.label[(store.split == split) & (store.label >= 0)], minlength=len(store.glosses)
            )
            excess = np.flatnonzero(counted > np.asarray(row['per_class']))
            if len(excess):
                shown = [
                    f'{store.glosses[label]!r} {counted[label]} for {row["per_class"][label]}'
                    for label in excess[:EXAMPLES]
                ]
                yield Problem(
                    'error',
                    'wrong_labels',
                    f'{split}: {len(excess)} glosses have more clips than the annotations list',
                    len(excess),
                    shown,
                )
    yield from _check_missing(store, counts)
    for split, number in official.items():
        # Without an annotation the store's own clips count as listed.
        listed = store.coverage.get(split, {}).get('expected', counts.get(split, 0))
        present = counts.get(split, 0)
        if listed > number:
            text = (
                f'{split}: {listed:,} clips, but the owners publish {number:,}; is it another version, or '
                'another subset?'
            )
            yield Problem('error', 'too_many_clips', text, listed - number)
        elif split in store.coverage and listed < number:
            yield Problem(
                'note',
                'fewer_listed',
                f'{split}: the annotations list {listed:,} clips, the owners publish {number:,}',
                number - listed,
            )
        elif present < number and split not in store.coverage:
            text = (
                f'{split}: {number - present:,} of {number:,} published clips are missing '
                f'({100 * (number - present) / number:.1f} %)'
            )
            yield Problem('warning', 'missing_clips', text, number - present)
    unexpected = sorted({*counts, *store.coverage} - set(official)) if official else []
    if unexpected:
        yield Problem(
            'warning',
            'unknown_splits',
            f'the owners publish no split {", ".join(unexpected)}; theirs are {", ".join(official)}',
            len(unexpected),
        )


def _check_missing(store: PoseStore, counts: Dict[str, int]) -> Iterator[Problem]:
    if not store.coverage:
        return
    missing = sum(max(0, row['expected'] - counts.get(split, 0)) for split, row in store.coverage.items())
    if missing != len(store.missing):
        text = (
            f'{MISSING} has {len(store.missing):,} lines, but {missing:,} clips are missing; copy it again '
            'or prepare the store again'
        )
        yield Problem('warning', 'missing_txt', text)
