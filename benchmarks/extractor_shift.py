"""How near the poses of two extractors are, and what a model loses that learned signs from the other's.

Both stores hold the same videos, extracted by ``tools/extract_poses.py``, each in the environment that its
extractor needs. There are no labels, so what is to be recognised is a piece of a video:

- ``hands``: as in ``extraction_peers.py``, of the second store from the first: frames in which each hand was
  detected, and the mean distance of its joints in shares of the hand's size, where both detect it.
- ``shift``: videos are cut into pieces. The frames 0, 2, .. of a piece are its example and the others
  its query. The encoder embeds both; the nearest example of a query should be that of its piece. Recall is
  the share of queries where it is, with the examples of one extractor (train) and the queries of another
  (test). Pieces in which either extractor sees a hand in fewer than half of the frames are left out.

Example:
    python tools/extract_poses.py videos/ a --extractor mediapipe
    python tools/extract_poses.py videos/ b --extractor mediapipe_tasks
    python benchmarks/extractor_shift.py a b --pieces 8 16
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

sys.path.append(str(Path(__file__).resolve().parent))

from extraction_peers import hand_differences

from signbert_mm.apis import PoseClip, SignInferencer
from signbert_mm.datasets import PoseStore
from signbert_mm.errors import UserValueError
from signbert_mm.files.json import write_json
from signbert_mm.files.os_errors import output_file
from signbert_mm.layouts import get_layout

Poses = Dict[str, np.ndarray]


def read(folder: str) -> Tuple[PoseStore, Poses]:
    """A store, and the poses of its clips, shape (T, 133, 3), by name."""
    store = PoseStore(folder)
    poses = {}
    for index, name in enumerate(store.video_id.tolist()):
        keypoints, scores = store.clip(index)
        poses[name] = np.concatenate([keypoints, scores[..., None]], axis=-1)
    return store, poses


def check_same(first: Poses, second: Poses) -> None:
    """Refuses stores of other videos.

    Raises:
        ValueError: Names or numbers of frames differ.
    """
    other = sorted(
        name
        for name in {*first, *second}
        if name not in first or name not in second or len(first[name]) != len(second[name])
    )
    if other:
        raise UserValueError(f'the stores do not hold the same videos: {", ".join(other[:5])}')


def has_hands(poses: np.ndarray) -> bool:
    """Whether a hand was detected in at least half of the frames."""
    parts = get_layout('coco_wholebody_133').parts
    roots = [parts[side][0] for side in ('left_hand', 'right_hand')]
    return bool((poses[:, roots, 2] > 0).any(1).mean() >= 0.5)


def cut(stores: Sequence[Poses], length: int) -> List[Tuple[str, int]]:
    """Name and first frame of the pieces of ``length`` frames in which all stores see hands."""
    return [
        (name, first)
        for name in stores[0]
        for first in range(0, len(stores[0][name]) - length + 1, length)
        if all(has_hands(poses[name][first : first + length]) for poses in stores)
    ]


def compare(examples: np.ndarray, queries: np.ndarray) -> Dict[str, float]:
    """Of vectors (N, D) of length 1, row by row of the same piece: recall at 1, and the mean cosine of a
    query and the example of its own piece, and of other pieces.
    """
    cosine = queries @ examples.T
    own = np.diagonal(cosine)
    others = cosine[~np.eye(len(cosine), dtype=bool)]
    return dict(
        recall=float((cosine.argmax(1) == np.arange(len(cosine))).mean()),
        own=float(own.mean()),
        others=float(others.mean()),
    )


def shift(stores: Sequence[PoseStore], poses: Sequence[Poses], length: int, embedder: Any) -> Dict[str, Any]:
    """:func:`compare` for both extractors as train and as test.

    Raises:
        ValueError: There are fewer than two pieces.
    """
    places = cut(poses, length)
    if len(places) < 2:
        raise UserValueError(f'{len(places)} pieces of {length} frames show hands; two are needed')

    def vectors(which: int, start: int) -> np.ndarray:
        store = stores[which]
        names = store.video_id.tolist()
        clips = []
        for name, first in places:
            index = names.index(name)
            clips.append(
                PoseClip.make(
                    poses[which][name][first + start : first + length : 2],
                    store.layout,
                    (int(store.width[index]), int(store.height[index])),
                )
            )
        return embedder(clips)

    examples, queries = ([vectors(which, start) for which in (0, 1)] for start in (0, 1))
    figures: Dict[str, Any] = dict(pieces=len(places))
    for train in (0, 1):
        for test in (0, 1):
            figures[f'train {"AB"[train]}, test {"AB"[test]}'] = compare(examples[train], queries[test])
    return figures


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('first', help='store A')
    parser.add_argument('second', help='store B, of the same videos')
    parser.add_argument(
        '--pieces', type=int, nargs='*', default=[8, 16], help='frames a piece (default: 8 16)'
    )
    parser.add_argument('--model', default='zoo://signbert_d128', help='default: %(default)s')
    parser.add_argument('--out', type=output_file, help='also write the figures to this JSON file')
    args = parser.parse_args(arguments)
    stores, poses = zip(*(read(folder) for folder in (args.first, args.second)))
    check_same(*poses)
    figures: Dict[str, Any] = dict(hands={}, shift={})
    for name, clip in poses[0].items():
        figures['hands'][name] = sides = hand_differences(poses[1][name], clip)
        for side, values in sides.items():
            apart = 'none in common' if values['apart'] is None else f'{100 * values["apart"]:.2f} % apart'
            print(
                f'{name} ({len(clip)} frames) {side}: A {values["there"]} frames, B {values["here"]}, '
                f'both {values["both"]}, {apart}'
            )
    embedder = SignInferencer(args.model, device='cpu', threads=1).embedder if args.pieces else None
    for length in args.pieces:
        figures['shift'][length] = found = shift(stores, poses, length, embedder)
        print(f'{found["pieces"]} pieces of {length} frames')
        for name, values in found.items():
            if name != 'pieces':
                print(
                    f'  {name}: recall@1 {100 * values["recall"]:.1f} %, cosine to the own piece '
                    f'{values["own"]:.3f}, to others {values["others"]:.3f}'
                )
    if args.out:
        write_json(figures, args.out, indent=1)


if __name__ == '__main__':
    main()
