"""Options that the converters of published data sets share."""

import argparse
from typing import Optional, Sequence

from mmengine.config import DictAction

from ...layouts import LAYOUTS
from .annotation import REPEATED, SourceIndex
from .convert import convert
from .files import SPLITS
from .poses import COORDINATES, open_poses


def source_parser(
    doc: str, root_help: str, subsets: Optional[Sequence[int]] = None, listed: bool = True
) -> argparse.ArgumentParser:
    """A parser with ``root``, ``out``, ``--subset`` where there are some, and the options of
    :func:`convert_source`.

    Args:
        doc (str): The tool's docstring.
        root_help (str): What ``root`` is.
        subsets (Sequence[int], optional): Numbers of glosses to choose from.
        listed (bool): Clips are listed in an annotation: with ``--splits``.
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
    group.add_argument('--extractor', help='mediapipe, mmpose or rtmlib; see tools/extract_poses.py')
    group.add_argument(
        '--extractor-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help="the extractor's arguments",
    )
    group.add_argument('--fps', type=float, help='resample the videos to this rate (default: every frame)')
    group.add_argument(
        '--truncated',
        choices=('error', 'keep'),
        default='error',
        help='videos that end too early: count them as missing, or keep what is there',
    )
    group.add_argument('--workers', type=int, default=1, help='processes that extract (default: 1)')
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
    parser.add_argument(
        '--dtype',
        choices=('float32', 'int16'),
        default='float32',
        help='int16: 1/8 px, half the size (default: float32)',
    )
    parser.add_argument('--overwrite', action='store_true', help='replace a store that is already there')
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
