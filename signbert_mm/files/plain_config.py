"""The config text that a checkpoint keeps, read as data."""

import ast
from typing import Any, Dict

from ..errors import ConfigError, UserValueError


def read_plain_config(text: str, name: str = 'config') -> Dict[str, Any]:
    """Reads ``name = value`` lines with ``dict(...)``, lists and plain values, and executes nothing.

    This is the form of ``mmengine.Config.pretty_text``, which checkpoints keep as ``meta['cfg']``.

    Args:
        text (str): The text.
        name (str): What it is called in the message.

    Raises:
        ConfigError: It holds anything else, such as an import or a call.
    """

    def value(node: ast.AST) -> Any:
        if isinstance(node, ast.Call):
            if getattr(node.func, 'id', '') != 'dict' or node.args or not all(k.arg for k in node.keywords):
                raise UserValueError(f'line {node.lineno}: a call')
            return {item.arg: value(item.value) for item in node.keywords}
        if isinstance(node, (ast.List, ast.Tuple)):
            values = [value(item) for item in node.elts]
            return values if isinstance(node, ast.List) else tuple(values)
        if isinstance(node, ast.Dict):
            return {ast.literal_eval(key): value(item) for key, item in zip(node.keys, node.values)}
        return ast.literal_eval(node)

    content: Dict[str, Any] = {}
    try:
        for node in ast.parse(text).body:
            target, *more = node.targets if isinstance(node, ast.Assign) else [None]
            if not isinstance(target, ast.Name) or more:
                raise UserValueError(f'line {node.lineno}: `name = value` is expected')
            content[target.id] = value(node.value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise ConfigError(
            f'{name}: the config that it keeps is not made of plain values ({error}), so it is not read; '
            'give the config file'
        ) from error
    return content
