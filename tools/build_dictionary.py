#!/usr/bin/env python
"""Make or change a dictionary of signs, which SignInferencer.search compares videos with.

A sign needs a handful of examples and no training.

Examples come from a PoseStore (its labels), from a folder of videos (<gloss>/<anything>.mp4), or from single
videos. An existing folder DICTIONARY is changed. Vectors come from a pre-trained encoder or a recogniser's,
and all of a dictionary from the same one.

Examples:
    python tools/build_dictionary.py CONFIG CHECKPOINT my_signs --store data/words33 --split train --shots 5
    python tools/build_dictionary.py CONFIG CHECKPOINT my_signs --videos my_videos
    python tools/build_dictionary.py CONFIG CHECKPOINT my_signs --add hello hello_1.mp4 hello_2.mp4 \
        --add thanks thanks.mp4
    python tools/build_dictionary.py CONFIG CHECKPOINT my_signs --remove hello
    python tools/build_dictionary.py CONFIG CHECKPOINT my_signs --reject
    python tools/build_dictionary.py CONFIG CHECKPOINT my_signs --search unknown.mp4
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Iterator, List, Tuple

# A checkout that is not installed.
sys.path.append(str(Path(__file__).resolve().parents[1]))

import numpy as np

from signbert_mm.apis import SignDictionary, SignInferencer
from signbert_mm.apis.backends import to_json
from signbert_mm.apis.dictionary_search import NothingReadableError
from signbert_mm.arguments import add_cfg_options, seed, tool_parser
from signbert_mm.datasets import PoseStore
from signbert_mm.datasets.subsets import few_shot_indices
from signbert_mm.engine.runner import load_config, run_tool
from signbert_mm.errors import ConfigError
from signbert_mm.files.folders import LeftOut, list_videos, report_left_out, walk
from signbert_mm.files.os_errors import output_path
from signbert_mm.files.text import alike_names, clean_text


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('config', help='config file of a pre-training or a recogniser')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('dictionary', type=output_path, help='folder of the dictionary')
    parser.add_argument('--store', help='take the labelled clips of this PoseStore')
    parser.add_argument('--split', nargs='+', help='of the store (default: all clips)')
    parser.add_argument(
        '--shots', type=int, help='at most so many clips of each gloss of the store (default: all)'
    )
    parser.add_argument(
        '--seed', type=seed, default=0, help='of the draw of those clips (default: %(default)s)'
    )
    parser.add_argument('--videos', metavar='FOLDER', help='take <gloss>/<anything>.mp4 below this folder')
    parser.add_argument(
        '--add',
        nargs='+',
        action='append',
        default=[],
        metavar=('GLOSS', 'VIDEO'),
        help='add videos of one sign; may be repeated',
    )
    parser.add_argument('--remove', nargs='+', default=[], metavar='GLOSS', help='remove signs')
    parser.add_argument(
        '--reject',
        type=float,
        nargs='?',
        const=0.05,
        metavar='SHARE',
        help='answer "none of these signs" below a threshold, fitted on the examples so that this share of '
        'unknown signs gets an answer (default: 0.05; without the option any sign is answered, or the '
        'threshold that the dictionary has is fitted again)',
    )
    parser.add_argument(
        '--search', metavar='VIDEO', help='print the nearest signs of a video, or of each in a folder'
    )
    parser.add_argument(
        '--extractor', default='mediapipe', help='what finds poses in videos (default: %(default)s)'
    )
    parser.add_argument('--device', help='where the model runs (default: the GPU where there is one)')
    add_cfg_options(parser)
    args = parser.parse_args()
    if any(len(group) < 2 for group in args.add):
        parser.error('--add wants a gloss and at least one video: --add hello hello_1.mp4')
    # As the names of folders are.
    args.add = [[clean_text(gloss), *videos] for gloss, *videos in args.add]
    args.remove = [clean_text(gloss) for gloss in args.remove]
    return args


def store_examples(
    inferencer: SignInferencer, args: argparse.Namespace
) -> Iterator[Tuple[str, np.ndarray, List[str]]]:
    """Gloss, vectors and names of a store's clips."""
    store = PoseStore(args.store)
    unknown = [split for split in args.split or () if not store.split_counts().get(split)]
    if unknown:
        raise ConfigError(f'{args.store}: split {unknown} has no clips; splits there: {store.split_counts()}')
    indices = np.flatnonzero((store.label >= 0) & (np.isin(store.split, args.split) if args.split else True))
    if args.shots is not None:
        indices = few_shot_indices(store.label, indices, range(len(store.glosses)), args.shots, args.seed)
    if not len(indices):
        raise ConfigError(
            f'{args.store}: none of these clips has a label; give a store with glosses, or '
            '--videos FOLDER/<gloss>/<video>'
        )
    clips = list(inferencer.reader.store_clips(store, indices))
    answered = np.array([not clip.no_answer for clip in clips])
    if not answered.all():
        print(
            f'{args.store}: {int((~answered).sum())} of {len(clips)} clips show no hand and are left out',
            flush=True,
        )
    # The rows of ``vectors`` are those of the clips that are left.
    indices = indices[answered]
    vectors, names = inferencer.embed([clip for clip in clips if not clip.no_answer], need_hands=True)
    for label in np.unique(store.label[indices]):
        rows = np.flatnonzero(store.label[indices] == label)
        yield store.glosses[label], vectors[rows], [names[row] for row in rows]


def folder_examples(inferencer: SignInferencer, folder: str) -> Iterator[Tuple[str, np.ndarray, List[str]]]:
    """Gloss, vectors and names of the videos in <gloss>/ folders.

    Unreadable videos and empty folders are left out and listed.
    """
    glosses = next(walk(folder)).folders if os.path.isdir(folder) else []
    if not glosses:
        raise FileNotFoundError(
            f'{folder}: no folders of glosses in it; --videos wants FOLDER/<gloss>/<anything>.mp4'
        )
    listing = list_videos(folder)
    videos = [*listing.taken, *listing.unclear]
    loose = [LeftOut(path, 'in no folder of a gloss') for name, path in videos if '/' not in name]
    report_left_out(listing.left_out + loose, folder)
    left_out = []
    for gloss in glosses:
        if not any(name.startswith(f'{clean_text(gloss)}/') for name, _ in videos):
            left_out.append(f'{gloss} (no video in it)')
            continue
        try:
            vectors, names = inferencer.embed(os.path.join(folder, gloss), need_hands=True)
        except NothingReadableError as error:
            left_out.append(f'{gloss} ({error})')
            continue
        yield clean_text(gloss), vectors, names
    if left_out:
        print(f'{folder}: {len(left_out)} of {len(glosses)} signs are left out: {"; ".join(left_out)}')
    if len(left_out) == len(glosses):
        raise ConfigError(
            f'{folder}: no video of any sign could be read, or shows a hand; see the lines above'
        )


def main() -> None:
    args = parse_args()
    inferencer = SignInferencer(
        load_config(args.config, args.cfg_options), args.checkpoint, args.device, args.extractor
    )
    encoder = inferencer.embedder.fingerprint
    changed = bool(args.store or args.videos or args.add or args.remove or args.reject is not None)
    if os.path.exists(args.dictionary):
        signs = SignDictionary.load(args.dictionary)
        # Vectors of two encoders cannot be compared.
        if signs.encoder != encoder:
            raise ConfigError(
                f'{args.dictionary} was made with another encoder or test pipeline ({signs.note}); give its '
                'config and checkpoint, or another folder'
            )
    elif not (args.store or args.videos or args.add):
        raise FileNotFoundError(
            f'{args.dictionary}: no such dictionary; make it with --store, --videos or --add'
        )
    else:
        signs = None
    examples = list(store_examples(inferencer, args)) if args.store else []
    examples += folder_examples(inferencer, args.videos) if args.videos else []
    examples += [(gloss, *inferencer.embed(videos, need_hands=True)) for gloss, *videos in args.add]
    if signs is None:
        signs = SignDictionary(
            encoder, examples[0][1].shape[1], f'{args.config}, {os.path.basename(args.checkpoint)}'
        )
    for gloss in args.remove:
        signs.remove(gloss)
    for gloss, vectors, names in examples:
        # A command that is run again would count each clip as its own second example.
        new = np.flatnonzero(~signs.has(gloss, vectors))
        if len(new) < len(vectors):
            print(f'{gloss}: {len(vectors) - len(new)} of {len(vectors)} examples are there already')
        if len(new):
            signs.add(gloss, vectors[new], [names[row] for row in new])
    for group in alike_names(signs.glosses):
        print(f'{" and ".join(map(repr, group))} differ in capitals alone, and are kept apart')
    if args.reject is not None:
        report = signs.calibrate(args.reject)
        print(
            ', '.join(f'{name} {value:.3f}' for name, value in report.items())
            + ' (leave-one-out over the examples)'
        )
    if changed:
        signs.save(args.dictionary)
    print(
        f'{args.dictionary}: {len(signs)} signs, '
        f'{sum(len(signs.examples(gloss)) for gloss in signs.glosses)} examples'
    )
    if args.search:
        print(to_json(inferencer.search(args.search, dictionary=signs)))


if __name__ == '__main__':
    run_tool(main)
