"""Clip counts that the owners of a data set publish."""

import importlib
import os
import pkgutil
import re
from typing import Dict

from ...datasets.store_format import check_official
from ...errors import UserValueError
from ...files.text import read_json
from .. import sources

# Data sets whose official splits have no signer in common.
SIGNER_INDEPENDENT = ('asl_citizen', 'autsl', 'slr500')


def _tables() -> Dict[str, Dict[str, int]]:
    """``OFFICIAL`` of each module of ``prepare/sources``: split -> clips, or subset -> split -> clips."""
    tables: Dict[str, Dict[str, int]] = {}
    for module in pkgutil.iter_modules(sources.__path__):
        official = (
            getattr(importlib.import_module(f'{sources.__name__}.{module.name}'), 'OFFICIAL', None) or {}
        )
        for key, value in official.items():
            # Data sets with subsets, such as WLASL, have a table for each.
            if isinstance(value, dict):
                tables[f'{module.name}{key}'] = dict(value)
            else:
                tables.setdefault(module.name, {})[key] = value
    return tables


def official_counts(name: str) -> Dict[str, int]:
    """Split -> clips.

    Args:
        name (str): A data set such as 'wlasl2000', or a JSON file with such a dict.

    Raises:
        ValueError: No such data set; the message names those that are known.
    """
    if name.endswith('.json'):
        if not os.path.isfile(name):
            raise FileNotFoundError(f'{os.path.abspath(name)}: no such file')
        return check_official(read_json(name, dict), name)
    tables = _tables()
    key = re.sub(r'[^a-z0-9_]', '', name.lower())
    if key not in tables:
        raise UserValueError(
            f'the official counts of {name!r} are not known; known: {", ".join(sorted(tables))}; or give a '
            'JSON file: split -> clips'
        )
    return tables[key]
