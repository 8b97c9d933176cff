"""Options of the tools that read videos. Nothing heavy is imported, so that ``--help`` is quick."""

import argparse
from typing import Any, Optional

from ..lazy_action import LazyAction


def add_about(parser: argparse.ArgumentParser) -> None:
    """Adds what ``meta.json`` says of the source."""
    parser.add_argument('--source', default='', help='where the clips come from, for meta.json')
    parser.add_argument('--licence', default='', help='on what terms, for meta.json')


def add_extractor(parser: Any, default: Optional[str] = None) -> None:
    """Adds how videos become poses; ``parser`` may be an argument group."""
    shown = f' (default: {default})' if default else ''
    parser.add_argument(
        '--extractor',
        default=default,
        help='mediapipe, mediapipe_fast, mediapipe_tasks, mmpose or rtmlib' + shown,
    )
    parser.add_argument(
        '--extractor-options',
        nargs='+',
        action=LazyAction,
        source='mmengine.config.DictAction',
        default={},
        metavar='KEY=VALUE',
        help="the extractor's arguments",
    )
    parser.add_argument('--fps', type=float, help='resample the videos to this rate (default: every frame)')
    parser.add_argument(
        '--truncated',
        choices=('error', 'keep'),
        default='error',
        help='videos that end too early: leave them out, or keep what is there',
    )
    parser.add_argument('--workers', type=int, default=1, help='processes that extract (default: 1)')
