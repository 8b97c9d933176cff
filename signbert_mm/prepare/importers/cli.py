"""Options that the converters of tools/dataset_converters share."""

import argparse
from typing import Dict, Iterable, Optional, Sequence

from ...datasets.pose_store_writer import PoseStoreWriter
from .common import Clip, write_clips


def converter_parser(doc: str, source: str, source_help: str) -> argparse.ArgumentParser:
    """A parser with the source, ``out`` and what ``meta.json`` records; ``doc`` is the script's docstring."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(source, help=source_help)
    parser.add_argument('out', help='the new store, for instance data/words33')
    parser.add_argument(
        '--dtype',
        choices=('float32', 'int16'),
        default='float32',
        help='int16: 1/8 px, half the size (default: float32)',
    )
    parser.add_argument('--source', dest='source_name', default='', help='where the clips come from')
    parser.add_argument('--licence', default='')
    parser.add_argument('--overwrite', action='store_true', help='replace a store that is already there')
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
    """Writes ``clips`` as the arguments say, and prints the store; ``about`` is what the source itself says
    for the meta.
    """
    about = dict(about or {})
    given = dict(source=args.source_name, licence=args.licence, extractor=extractor)
    about.update({key: value for key, value in given.items() if value or key not in about})
    writer = PoseStoreWriter(
        args.out, layout, glosses, args.dtype, notes=notes, overwrite=args.overwrite, **about
    )
    print(write_clips(writer, clips))
