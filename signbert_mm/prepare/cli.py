"""Options that the tools which write stores share."""

import argparse
from typing import Any, Dict, Iterable, Optional, Sequence

from ..datasets.pose_store_writer import PoseStoreWriter
from ..files.text import clean_text
from ..layouts import LAYOUTS
from .extraction_options import add_about, add_extractor
from .importers.common import Clip, write_clips
from .sources.annotation import REPEATED, SourceIndex
from .sources.convert import convert
from .sources.files import SPLITS
from .sources.hand_joints import SIDES
from .sources.poses import COORDINATES, open_poses
from .sources.splits import Splits


def add_store(parser: argparse.ArgumentParser) -> None:
    """Adds how the store is written."""
    parser.add_argument(
        '--dtype',
        choices=('float32', 'int16'),
        default='float32',
        help='int16: 1/8 px, half the size (default: float32)',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace a store that is already there, and nothing else'
    )


def add_splits(group: Any) -> None:
    """Adds how clips without splits are split, see :class:`~signbert_mm.prepare.sources.splits.Splits`."""
    for split in ('test', 'val'):
        group.add_argument(
            f'--{split}-signers',
            nargs='+',
            type=clean_text,
            default=[],
            metavar='NAME',
            help=f'their clips are in {split}',
        )
    group.add_argument('--test-share', type=float, default=0.0, help="share of each gloss's clips in test")
    group.add_argument('--val-share', type=float, default=0.0, help="share of each gloss's clips in val")
    group.add_argument('--seed', type=int, default=0, help='of the draw of these (default: 0)')


def splits_of(args: argparse.Namespace) -> Splits:
    """The splits that the options of :func:`add_splits` describe."""
    return Splits(args.test_signers, args.val_signers, args.test_share, args.val_share, args.seed)


def add_lists(parser: argparse.ArgumentParser, classes: int) -> None:
    """Adds where a data set's lists of videos lie, and how many glosses they name."""
    parser.add_argument(
        '--train-list',
        help='list of training videos (default: traintestlist/trainlist01.txt); also as csv "video,label"',
    )
    parser.add_argument('--test-list', help='list of test videos')
    parser.add_argument(
        '--num-classes', type=int, default=classes, help=f'size of the vocabulary (default: {classes})'
    )


def add_hand_clips(parser: argparse.ArgumentParser, clip_len: int, side: str) -> None:
    """Adds how sequences of one annotated hand become clips."""
    parser.add_argument(
        '--clip-len',
        type=int,
        default=clip_len,
        help=f'frames a clip; 0 = whole sequences (default: {clip_len})',
    )
    parser.add_argument(
        '--side',
        choices=SIDES,
        default=side,
        help=f'which hand it is; checked against the joints (default: {side})',
    )


def source_parser(
    doc: str, root_help: str, subsets: Optional[Sequence[int]] = None, listed: bool = True
) -> argparse.ArgumentParser:
    """A parser with ``root``, ``out`` and the options of :func:`convert_source`.

    Args:
        doc (str): The tool's docstring.
        root_help (str): What ``root`` is.
        subsets (Sequence[int], optional): Numbers of glosses to choose from with ``--subset``.
        listed (bool): Whether an annotation lists the clips: adds ``--splits``.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', help=root_help)
    parser.add_argument('out', help='the new store')
    if subsets:
        parser.add_argument(
            '--subset',
            type=int,
            choices=list(subsets),
            default=max(subsets),
            help=f'glosses (default: {max(subsets)})',
        )
    if listed:
        parser.add_argument('--splits', nargs='+', choices=SPLITS, default=list(SPLITS), help='only these')
    what = 'a clip that is listed again' if listed else 'videos that have one name but for the suffix'
    parser.add_argument(
        '--repeated', choices=REPEATED, default='error', help=f'what to do with {what} (default: error)'
    )
    group = parser.add_argument_group('poses')
    group.add_argument(
        '--videos',
        help='folder of the videos, searched to any depth; poses that --poses '
        'lacks are extracted into OUT.poses',
    )
    add_extractor(group)
    group.add_argument(
        '--poses',
        nargs='+',
        default=[],
        metavar='PATH',
        help='poses extracted before: a PoseStore, a pyskl pickle, or a folder of .npy, .npz or .pose files '
        'named as the videos',
    )
    group.add_argument(
        '--allow-mixed', action='store_true', help='allow poses of several extractors in one store'
    )
    group.add_argument('--layout', choices=sorted(LAYOUTS), help='joints of --poses, where it does not tell')
    group.add_argument(
        '--poses-extractor', default='', help='what found --poses, where it does not tell: name and version'
    )
    group.add_argument(
        '--coordinates',
        choices=COORDINATES,
        default='pixels',
        help='of .npy and .npz files (default: pixels)',
    )
    group.add_argument('--width', type=int, help='of the image in pixels, where --poses does not tell')
    group.add_argument('--height', type=int)
    add_store(parser)
    return parser


def convert_source(args: argparse.Namespace, index: SourceIndex) -> None:
    """Converts ``index`` as the arguments say."""
    poses = [
        open_poses(path, args.layout, args.width, args.height, args.coordinates, args.poses_extractor)
        for path in args.poses
    ]
    convert(
        index,
        args.out,
        poses,
        args.videos,
        dict(args.extractor_options, type=args.extractor) if args.extractor else None,
        args.workers,
        args.allow_mixed,
        args.dtype,
        args.overwrite,
        dict(fps=args.fps, truncated=args.truncated),
    )


def converter_parser(doc: str, source: str, source_help: str) -> argparse.ArgumentParser:
    """A parser with the source, ``out`` and what ``meta.json`` records; ``doc`` is the tool's docstring."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(source, help=source_help)
    parser.add_argument('out', help='the new store, for instance data/words33')
    add_store(parser)
    add_about(parser)
    return parser


def add_image_size(
    parser: argparse.ArgumentParser, width: Optional[int] = 640, height: Optional[int] = 480
) -> None:
    default = f' (default: {width} x {height})' if width else ' (default: what the file says)'
    parser.add_argument(
        '--width',
        type=int,
        default=width,
        help='image width in pixels, where the source does not tell' + default,
    )
    parser.add_argument('--height', type=int, default=height, help='image height in pixels')


def write_store(
    args: argparse.Namespace,
    clips: Iterable[Clip],
    layout: str,
    glosses: Sequence[str],
    extractor: str = '',
    notes: Optional[dict] = None,
    about: Optional[Dict[str, str]] = None,
) -> None:
    """Writes ``clips`` as the arguments say, and prints the store.

    Args:
        args (Namespace): Of :func:`converter_parser`.
        clips (Iterable[Clip]): The clips.
        layout (str): Of their joints.
        glosses (Sequence[str]): The vocabulary.
        extractor (str): What extracted the poses.
        notes (dict, optional): For the meta.
        about (dict[str, str], optional): The meta's source, licence and extractor by the source itself;
            values that the user gives win.
    """
    given = dict(source=args.source, licence=args.licence, extractor=extractor)
    about = {**given, **(about or {}), **{key: value for key, value in given.items() if value}}
    writer = PoseStoreWriter(
        args.out, layout, glosses, args.dtype, notes=notes, overwrite=args.overwrite, **about
    )
    print(write_clips(writer, clips))
