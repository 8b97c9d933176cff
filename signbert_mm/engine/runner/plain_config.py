"""Configs that are read and not run."""

import ast

from mmengine.config import Config

from ...errors import ConfigError
from .options import parse_dicts


def read_plain_config(text: str, where: str) -> Config:
    """Reads a config of plain values, as ``Config.dump`` and the ``meta`` of a checkpoint have it.

    Nothing is executed: only ``name = value`` is taken, with text, numbers, lists, tuples and ``dict(...)``.

    Args:
        text (str): The config.
        where (str): What messages call it.

    Raises:
        ConfigError: Something else is in it.
    """
    try:
        lines = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConfigError(f'{where}: the config in it cannot be read ({error})') from error
    values = {}
    for line in lines:
        if not (
            isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.targets[0], ast.Name)
        ):
            raise ConfigError(
                f'{where}: line {line.lineno}: `name = value` is expected; a file that computes its values '
                'is not read here'
            )
        try:
            values[line.targets[0].id] = parse_dicts(ast.unparse(line.value))
        except ConfigError as error:
            raise ConfigError(
                f'{where}: line {line.lineno}: {line.targets[0].id} is no plain value; write numbers, text, '
                'lists and dict(...)'
            ) from error
    return Config(values)
