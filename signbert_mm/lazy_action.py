"""An option of the command line whose parser is imported when it is used."""

import argparse
import importlib
from typing import Any, Optional


class LazyAction(argparse.Action):
    """Stands for another ``argparse`` action, so that ``--help`` need not import its packages.

    Args:
        source (str): The action's class, for instance 'mmengine.config.DictAction'.

    Example:
        >>> options = dict(action=LazyAction, source='mmengine.config.DictAction')
        >>> parser.add_argument('--cfg-options', nargs='+', **options)
    """

    def __init__(self, *args: Any, source: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.source = source

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: Optional[str] = None,
    ) -> None:
        module, _, name = self.source.rpartition('.')
        kind = getattr(importlib.import_module(module), name)
        action = kind(self.option_strings, self.dest, nargs=self.nargs, default=self.default)
        action(parser, namespace, values, option_string)
