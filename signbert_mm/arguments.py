"""Arguments that several command line tools have. Nothing heavy is imported, so that ``--help`` is quick."""

import argparse
import math
from typing import Callable, Optional

from .lazy_action import LazyAction

# Of numpy's generators.
_LAST_SEED = 2**32 - 1


def tool_parser(doc: str) -> argparse.ArgumentParser:
    """A parser whose ``--help`` begins with ``doc``, line by line as it is written."""
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--cfg-options``, a dict of dotted keys and values for :func:`load_config`."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=LazyAction,
        source='signbert_mm.engine.runner.OptionsAction',
        metavar='KEY=VALUE',
        help='config values to change: key=value, nested.key=value, key="[a,b]"',
    )


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """Adds ``--launcher`` for :func:`prepare_launch`, and the rank that older launchers pass."""
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes were started',
    )
    # torch.distributed.launch passes the rank as an argument, torchrun as a variable.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def whole(least: int, most: Optional[int] = None) -> Callable[[str], int]:
    """An ``argparse`` type: a whole number from ``least`` to ``most``, or without an upper end."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f'{text!r} is no whole number') from None
        if value < least or (most is not None and value > most):
            wanted = f'at least {least}' if most is None else f'from {least} to {most}'
            raise argparse.ArgumentTypeError(f'must be {wanted}, got {value}')
        return value

    return read


def positive(text: str) -> float:
    """An ``argparse`` type: a finite number above 0.

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is no number') from None
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'must be a number above 0, got {text}')
    return value


def seed(text: str) -> int:
    """An ``argparse`` type: a seed that every generator takes, 0 .. 2**32 - 1.

    Raises:
        ArgumentTypeError: It is none.
    """
    return whole(0, _LAST_SEED)(text)
