"""Checks the numbers of each clip, and looks for copies and repeated ids."""

from typing import Dict, Iterator, List, Sequence

import numpy as np

from ...datasets.pose_store import PoseStore
from .report import EXAMPLES, Problem
from .scan import Scan

# Above this share of the clips the fault lies in the conversion, and a warning becomes an error.
MANY = 0.5
# Share of a clip's detected hand joints that may lie outside the image.
OFTEN_OUTSIDE = 0.2
# Share of the clips that may show no hand.
OFTEN_NO_HAND = 0.05


class Names:
    """How findings name clips."""

    def __init__(self, store: PoseStore) -> None:
        self.store = store

    def __call__(self, clips: Sequence[int]) -> List[str]:
        shown = np.asarray(clips[:EXAMPLES], dtype=np.int64)
        return [
            f'{name} [{self.store.split_names[self.store.split_code[clip]]}]'
            for clip, name in zip(shown, self.store.video_ids(shown))
        ]


def _clips(names: Names, severity: str, kind: str, bad: np.ndarray, message: str) -> Iterator[Problem]:
    """A Problem of the clips where ``bad`` (N,) is true, if any; ``{n}`` in the message is their number."""
    clips = np.flatnonzero(bad)
    if len(clips):
        yield Problem(
            severity,
            kind,
            message.format(n=f'{len(clips):,} {"clip" if len(clips) == 1 else "clips"}'),
            len(clips),
            names(clips),
        )


def check_numbers(store: PoseStore, scan: Scan, names: Names) -> Iterator[Problem]:
    """Coordinates and scores."""
    counts = scan.counts
    again = 'prepare the store again'
    first = f'; the first is {scan.first_bad}' if scan.first_bad else ''
    yield from _clips(
        names,
        'error',
        'not_finite',
        counts['not_finite'] > 0,
        f'{{n}} with NaN or infinite numbers{_escape(first)}: {again}',
    )
    yield from _clips(
        names,
        'error',
        'score_range',
        counts['bad_score'] > 0,
        f'{{n}} with scores outside [0, 1]{_escape(first)}: {again}',
    )
    yield from _clips(
        names,
        'error',
        'missing_not_zero',
        counts['not_zero'] > 0,
        f'{{n}} with joints of score 0 that have coordinates: {again}',
    )
    yield from _clips(
        names,
        'error',
        'hand_flags',
        counts['wrong_flags'] > 0,
        f'{{n}} where the stored hands-found bits contradict the scores: {again}',
    )
    # Stores of older versions have no hand_rule: they counted any scored joint as a hand.
    recorded = 'hand_rule' in store.meta
    reason = (
        "written so (hand_rule='any')"
        if recorded
        else ('written by an older version. PREPARE THE STORE AGAIN to drop them, which changes results')
    )
    yield from _clips(
        names,
        'note' if recorded else 'warning',
        'hand_rule',
        (counts['no_box'] > 0) & (store.hand_rule == 'any'),
        f'{{n}} with frames ({counts["no_box"].sum():,} of {store.meta["frames"]:,}) counted as showing a '
        'hand, since a joint has a score above 0, '
        f"and that have none by the crop's rule; drop_empty_frames keeps them: {reason}",
    )
    yield from _clips(
        names,
        'error',
        'not_pixels',
        scan.fractions,
        '{n} with no coordinate above 2: these are fractions of the image, not pixels; convert with the '
        'image size',
    )
    # Hand joints alone are judged: some extractors guess legs below the image.
    judged, outside = counts['judged'], counts['judged_outside']
    often = (outside > OFTEN_OUTSIDE * judged) & (judged > 0)
    share = outside.sum() / max(1, judged.sum())
    what = 'hand joints' if 'right_hand' in store.layout.parts or store.layout.name == 'hand_21' else 'joints'
    yield from _clips(
        names,
        'error' if share > MANY else 'warning',
        'out_of_image',
        often,
        f'{{n}} with more than {OFTEN_OUTSIDE:.0%} of the found {what} outside the image ({share:.1%} of '
        'all): is the image size right?',
    )
    yield from _clips(
        names,
        'error',
        'image_size',
        (store.width <= 0) | (store.height <= 0),
        '{n} with an image size of 0: convert with the image size',
    )
    invalid = ~np.isfinite(store.fps) | (store.fps < 0)
    yield from _clips(names, 'error', 'fps', invalid, '{n} with a frame rate that is negative or no number')
    unknown = store.fps == 0
    text = '{n} with frame rate 0, which means unknown: speeds and seconds of these clips are not known'
    yield from _clips(names, 'warning', 'fps_unknown', unknown, text)


def _escape(text: str) -> str:
    # The message is formatted once more by _clips.
    return text.replace('{', '{{').replace('}', '}}')


def check_clips(store: PoseStore, scan: Scan, names: Names, no_hand: np.ndarray) -> Iterator[Problem]:
    """Clips without motion, without a hand, or equal to another clip."""
    empty = scan.counts['found'] == 0
    yield from _clips(
        names, 'warning', 'no_pose', empty, '{n} without a single joint: was the video readable?'
    )
    severity = 'warning' if no_hand.mean() > OFTEN_NO_HAND else 'note'
    yield from _clips(
        names,
        severity,
        'no_hand',
        no_hand,
        f'{{n}} without any hand in any frame ({no_hand.mean():.1%}): look at some with browse_dataset',
    )
    yield from _clips(
        names,
        'warning',
        'frozen',
        scan.frozen,
        '{n} with all frames equal: a decoder that repeats one frame, or a still picture',
    )
    yield from _clips(names, 'warning', 'single_frame', store.length == 1, '{n} of a single frame')
    yield from _check_copies(store, scan, empty)
    yield from _check_ids(store)


def _check_copies(store: PoseStore, scan: Scan, empty: np.ndarray) -> Iterator[Problem]:
    first: Dict[bytes, int] = {}
    copies, leaks, labels = [], [], 0
    for clip, digest in enumerate(scan.digests):
        # Empty clips of one length are equal without being copies.
        if empty[clip]:
            continue
        other = first.setdefault(digest, clip)
        if other != clip:
            (copies if store.split_code[other] == store.split_code[clip] else leaks).append((other, clip))
            labels += int(store.label[other] != store.label[clip])
    names = Names(store)

    def shown(pairs: Sequence[tuple]) -> List[str]:
        return [' = '.join(names(pair)) for pair in pairs[:EXAMPLES]]

    more = f'; {labels:,} of all copies have another label than their first' if labels else ''
    if copies:
        yield Problem(
            'warning',
            'copies',
            f'{len(copies):,} clips are copies of another one of their split, number by number{more}',
            len(copies),
            shown(copies),
        )
    if leaks:
        text = (
            f'{len(leaks):,} clips are copies of one of another split, so that what is tested was trained '
            f'on{more}'
        )
        yield Problem('warning', 'copies_across_splits', text, len(leaks), shown(leaks))


def _check_ids(store: PoseStore) -> Iterator[Problem]:
    ids, inverse = np.unique(store.video_id, return_inverse=True)
    # One number for each pair of id and split, so that np.unique counts pairs.
    splits = len(store.split_names) + 1
    pairs, clips = np.unique(inverse.reshape(-1) * splits + store.split_code, return_counts=True)
    repeated = sorted({str(ids[pair // splits]) for pair in pairs[clips > 1]})
    if repeated:
        yield Problem(
            'error',
            'repeated_ids',
            'video ids that are twice in one split: the file was changed after it was written',
            len(repeated),
            repeated[:EXAMPLES],
        )
    # Each pair is there once, so an id's count is the number of its splits.
    across = np.bincount(pairs // splits, minlength=len(ids)) > 1
    if across.any():
        shown = [str(name) for name in ids[across][:EXAMPLES]]
        yield Problem(
            'warning',
            'ids_across_splits',
            f'{across.sum():,} video ids are in several splits',
            int(across.sum()),
            shown,
        )


def check_sides(store: PoseStore, scan: Scan, names: Names) -> Iterator[Problem]:
    """Hands that are exchanged, and images that are mirrored."""
    voting, crossed = scan.sure('crossed')
    share = crossed.sum() / max(1, voting.sum())
    yield from _clips(
        names,
        'error' if share > MANY else 'warning',
        'swapped_hands',
        crossed,
        f'{{n}} ({share:.1%} of {voting.sum():,} that tell) where the hand called left is mostly at the '
        'right wrist, or the reverse: left and right are swapped, in the hands or in the body',
    )
    voting, mirrored = scan.sure('mirrored')
    share = mirrored.sum() / max(1, voting.sum())
    # Single signers do turn around; most of them together mean mirrored images.
    if share > MANY:
        what = 'left shoulder' if 'left_shoulder' in store.layout.joints else 'left hand'
        yield from _clips(
            names,
            'warning',
            'mirrored',
            mirrored,
            f'{{n}} ({share:.1%} of {voting.sum():,} that tell) with the {what} at the left of the picture: '
            'mirrored (selfie) video, or left and right are swapped everywhere',
        )
