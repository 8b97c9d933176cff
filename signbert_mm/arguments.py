"""Arguments that several command line tools have. Nothing heavy is imported, so that ``--help`` is quick."""

import argparse

from .lazy_action import LazyAction


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
